//! Short messages one after the other, each led by its length and the seconds since the one before.

#![no_main]

use dmsc::time::Now;
use dmsc::trigger::sms::{Reassembler, Segment, UserDataHeader, without_service_centre};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let _ = without_service_centre(octets);
    let _ = UserDataHeader::read(octets);
    let mut open = Reassembler::new();
    let mut now = Now::default();
    let mut rest = octets;
    while let [length, seconds, more @ ..] = rest {
        let (tpdu, after) = more.split_at(usize::from(*length).min(more.len()));
        rest = after;
        now.mono_ms += u64::from(*seconds) * 1000;
        if let Ok(segment) = Segment::read(tpdu) {
            if let Some(whole) = open.push(&segment, now) {
                assert!(whole.len() <= octets.len() * 256);
            }
        }
        let _ = open.deadline();
    }
    let _ = Segment::read(octets);
});
