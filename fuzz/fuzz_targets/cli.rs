//! `dmsc decode`: octets as they are pasted, of every kind; the first octet says which.

#![no_main]
#![allow(dead_code, unused_imports)] // the command uses more of these modules

#[path = "../../cli/src/decode/mod.rs"]
mod decode;
#[path = "../../cli/src/encode.rs"]
mod encode;
#[path = "../../cli/src/output.rs"]
mod output;

use clap::ValueEnum;
use decode::Kind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let [choice, pasted @ ..] = octets else { return };
    let kinds = Kind::value_variants();
    let kind = kinds[usize::from(choice & 0x3F) % kinds.len()];
    if kind == Kind::Apdu {
        let _ = decode::apdus(pasted).and_then(|apdus| decode::exchange(&apdus));
        return;
    }
    let Ok(octets) = decode::octets(pasted) else { return };
    if let Ok(decoded) = decode::decode(kind, &octets, choice & 0x80 != 0) {
        for line in decoded.lines {
            assert!(!line.contains(['\n', '\r', '\u{1b}']), "a line of its own");
        }
    }
    if let Ok(wbxml) = encode::wbxml(&octets, choice & 0x40 != 0) {
        decode::decode(Kind::Wbxml, &wbxml, false).expect("what is written can be read");
    }
});
