//! Device descriptions: what was read is written in both encodings and read again as the same.

#![no_main]

use dmsc::markup::Encoding;
use dmsc::tree::ddf_document::{read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(document) = read(octets) else { return };
    assert!(document.clone().into_owned() == document);
    for encoding in [Encoding::Wbxml, Encoding::Xml] {
        // A format without name, or text that XML does not allow.
        let Ok(written) = write(&document, encoding) else { continue };
        let again = read(&written).expect("what is written can be read");
        if write(&document, Encoding::Xml).is_ok() {
            assert!(again == document, "{encoding:?}");
        }
    }
});
