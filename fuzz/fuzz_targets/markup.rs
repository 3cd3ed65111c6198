//! Any document, in both encodings: read, shown, and written again.

#![no_main]

use dmsc::markup::{DocType, Encoding, Event, Fault, Options, Reader, Writer, canonical, to_utf8};
use libfuzzer_sys::fuzz_target;

const TYPES: [Option<DocType>; 4] =
    [None, Some(DocType::Tnds), Some(DocType::SyncMl), Some(DocType::Prov)];

/// The document with its events written again.
fn rewritten(octets: &[u8], options: &Options, encoding: Encoding) -> Result<Writer, Fault> {
    let octets = to_utf8(octets)?;
    let mut reader = Reader::new(&octets, options)?;
    let mut writer = Writer::new(reader.public_id().doc, encoding);
    loop {
        match reader.next()? {
            Event::Finish => return Ok(writer),
            event => writer.event(&event),
        }
    }
}

/// The canonical form of what is written for that of what was read: only the current version is written.
fn in_current_version(form: &str) -> String {
    let root = |version| format!("<SyncML xmlns=\"SYNCML:SYNCML{version}\"");
    let rest = ["1.0", "1.1"].into_iter().find_map(|old| form.strip_prefix(&root(old)));
    rest.map_or_else(|| form.to_owned(), |rest| root("1.2") + rest)
}

fuzz_target!(|octets: &[u8]| {
    for expected in TYPES {
        let options = Options { padding: expected.is_some(), expected, ..Options::default() };
        let form = canonical(octets, &options);
        let write = |encoding| rewritten(octets, &options, encoding);
        let Ok(writer) = write(Encoding::Wbxml) else { continue };
        // `None` where the encoding cannot hold the events.
        let wbxml = writer.finish().ok();
        let compact = write(Encoding::Wbxml).ok().and_then(|writer| writer.finish_compact().ok());
        if let Some(compact) = compact {
            let plain = wbxml.as_ref().expect("what has a compact form has a plain one");
            assert!(compact.len() <= plain.len());
            let again = canonical(&compact, &Options::default());
            assert_eq!(again, canonical(plain, &Options::default()), "string table");
        }
        let form = form.expect("what the reader reads can be shown");
        let form = in_current_version(&form);
        if let Some(wbxml) = wbxml {
            let again = canonical(&wbxml, &Options::default());
            assert_eq!(again.as_deref(), Ok(form.as_str()), "WBXML");
        }
        if let Some(xml) = write(Encoding::Xml).ok().and_then(|writer| writer.finish().ok()) {
            let again = canonical(&xml, &Options::default());
            assert_eq!(again.as_deref(), Ok(form.as_str()), "XML");
        }
    }
});
