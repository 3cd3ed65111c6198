//! Documents written again as WBXML. Must not know what an element means.

use crate::decode::Fault;
use dmsc::error::Code;
use dmsc::markup::{Encoding, Event, Options, Reader, Tag, Writer, to_utf8};

/// `document`, text XML of a known type, as WBXML. White space between elements is left out.
pub(crate) fn wbxml(document: &[u8]) -> Result<Vec<u8>, Fault> {
    let options = Options { internal_subset: true, ..Options::default() };
    let utf8 = to_utf8(document)?;
    let mut reader = Reader::new(&utf8, &options)?;
    let mut writer = Writer::new(reader.public_id().doc, Encoding::Wbxml);
    // White space is content only in an element without elements.
    let mut blank = String::new();
    let mut leaf = false;
    loop {
        let event = reader.next()?;
        match &event {
            Event::Text(text) if text.trim_ascii().is_empty() => {
                blank += text;
                continue;
            }
            Event::Start(Tag::OTHER) => {
                return Err(Fault::new("E_TAG_UNKNOWN", reader.at(), "no token for this element"));
            }
            Event::Start(_) => leaf = true,
            Event::End if leaf => {
                writer.text(&blank);
                leaf = false;
            }
            Event::End => leaf = false,
            Event::Text(_) | Event::Opaque(_) if !blank.is_empty() => writer.text(&blank),
            _ => {}
        }
        blank.clear();
        if event == Event::Finish {
            break;
        }
        writer.event(&event);
    }
    writer.finish().map_err(|error| {
        let class =
            if error.code() == Code::Syntax { "E_CONTENT_MODEL" } else { error.code().name() };
        Fault::new(class, reader.at(), error.what().to_owned())
    })
}
