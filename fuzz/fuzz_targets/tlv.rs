//! BER-TLV with all its levels, and COMPREHENSION-TLV.

#![no_main]

use dmsc::bytes::{ctlv, tlv};
use libfuzzer_sys::fuzz_target;

/// Every object of `reader`, and what is inside it; as deep as the data is long.
fn walk(reader: tlv::Reader<'_>) {
    let mut open = vec![reader];
    while let Some(reader) = open.pop() {
        for object in reader {
            let Ok(object) = object else { continue };
            let written = tlv::encode(object.tag, object.value);
            let again = tlv::Reader::new(&written).next();
            let again = again.and_then(Result::ok).expect("what is written can be read");
            assert_eq!((again.tag, again.value), (object.tag, object.value));
            if object.constructed {
                open.push(object.children());
            }
        }
    }
}

fuzz_target!(|octets: &[u8]| {
    walk(tlv::Reader::new(octets));
    walk(tlv::Reader::with_fill(octets, tlv::Fill::Stop));
    for tag in [0xD0, 0xD1, 0xD6] {
        let _ = ctlv::ber_value(octets, tag);
    }
    let mut reader = ctlv::Reader::new(octets);
    while let Ok(Some(object)) = reader.read() {
        let mut written = Vec::new();
        ctlv::push(&mut written, object.tag, object.required, object.value);
        assert_eq!(ctlv::Reader::new(&written).read().ok().flatten(), Some(object));
    }
});
