//! TNDS objects on their own and inside a message, written again and imported into a tree.

#![no_main]

use dmsc::tree::tnds;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    for mime in [None, Some("application/vnd.syncml.dmtnds+wbxml")] {
        let _ = tnds::read_embedded(octets, mime);
    }
    let Ok(document) = tnds::read(octets) else { return };
    for wbxml in [true, false] {
        // A value of a format without name, or text that XML does not allow.
        let Ok(written) = tnds::write(&document, wbxml) else { continue };
        let again = tnds::read(&written).expect("what is written can be read");
        if tnds::write(&document, false).is_ok() {
            assert!(again == document, "WBXML: {wbxml}");
        }
    }
});
