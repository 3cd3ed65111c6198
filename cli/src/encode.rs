//! Documents written again as WBXML. Must not know what an element means.

use crate::decode::Fault;
use dmsc::error::Code;
use dmsc::markup::{Encoding, Event, Options, Reader, Tag, Writer, to_utf8};

/// `document`, text XML of a known type, as WBXML, with a `string_table` if that makes it shorter. White
/// space between elements is left out.
pub(crate) fn wbxml(document: &[u8], string_table: bool) -> Result<Vec<u8>, Fault> {
    let options = Options { internal_subset: true, ..Options::default() };
    let utf8 = to_utf8(document)?;
    let mut reader = Reader::new(&utf8, &options)?;
    let mut writer = Writer::new(reader.public_id().doc, Encoding::Wbxml);
    // Text between two other events: references cut it into pieces. White space is content only in an
    // element without elements.
    let mut text = String::new();
    let mut leaf = false;
    loop {
        let event = reader.next()?;
        if let Event::Text(piece) = &event {
            text += piece;
            continue;
        }
        let inside_leaf = leaf && matches!(event, Event::End | Event::Opaque(_));
        if inside_leaf || !text.trim_ascii().is_empty() {
            writer.text(&text);
        }
        text.clear();
        match &event {
            Event::Finish => break,
            Event::Start(Tag::OTHER) => {
                return Err(Fault::new("E_TAG_UNKNOWN", reader.at(), "no token for this element"));
            }
            Event::Start(_) => leaf = true,
            Event::End => leaf = false,
            Event::Text(_) | Event::Opaque(_) | Event::Attribute(..) => {}
        }
        writer.event(&event);
    }
    let written = if string_table { writer.finish_compact() } else { writer.finish() };
    written.map_err(|error| {
        let class =
            if error.code() == Code::Syntax { "E_CONTENT_MODEL" } else { error.code().name() };
        Fault::new(class, reader.at(), error.what().to_owned())
    })
}
