//! Provisioning documents: written again in both encodings, judged, and their references followed.

#![no_main]

use dmsc::prov::{Document, Encoding, Settings, read, read_with, write};
use libfuzzer_sys::fuzz_target;

fn round_trip(document: &Document<'_>) {
    if let Ok(written) = write(document, Encoding::Xml) {
        assert!(read(&written).expect("what is written can be read") == *document, "XML");
    }
    let Ok(written) = write(document, Encoding::Wbxml) else { return };
    // What stands on the wrong code page is put right by the first reading.
    let again = read(&written).expect("what is written can be read");
    let written = write(&again, Encoding::Wbxml).expect("what was read can be written");
    assert!(read(&written).expect("what is written can be read") == again, "WBXML");
}

fuzz_target!(|octets: &[u8]| {
    let _ = read_with(octets, true);
    let Ok(document) = read(octets) else { return };
    assert!(document.clone().into_owned() == document);
    round_trip(&document);
    if let Ok(settings) = Settings::of(&document) {
        assert_eq!(settings.check_references(|_| true), Ok(()));
        let _ = settings.check_references(|_| false);
    }
});
