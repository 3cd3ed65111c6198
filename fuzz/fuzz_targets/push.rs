//! WSP push PDUs, and the door that sorts deliveries.

#![no_main]

use dmsc::trigger::intake;
use dmsc::trigger::push::Push;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok(push) = Push::read(octets) {
        assert!(push.body.len() + 3 <= octets.len());
        assert!(octets.ends_with(push.body));
    }
    let _ = intake::sort(octets, None);
    let _ = intake::sort(octets, Some("application/vnd.syncml.notification"));
});
