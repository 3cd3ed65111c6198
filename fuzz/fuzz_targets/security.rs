//! SEC and MAC of a push, under keys that stand in front of it: EF.IMSI and what a user typed, each led
//! by an octet of length.

#![no_main]

use dmsc::bootstrap::security::{Keys, imsi_key, imsi_key_of_file, verify};
use dmsc::secret::Secret;
use dmsc::trigger::push::Push;
use libfuzzer_sys::fuzz_target;

/// The first field of `octets`, which an octet of length leads, and what follows.
fn field(octets: &[u8]) -> (&[u8], &[u8]) {
    let [length, rest @ ..] = octets else { return (octets, octets) };
    rest.split_at(rest.len().min(usize::from(*length)))
}

fuzz_target!(|octets: &[u8]| {
    let (file, rest) = field(octets);
    let (typed, pdu) = field(rest);
    let network = imsi_key_of_file(&Secret::new(file)).ok();
    if let Some(key) = &network {
        assert!((1..=8).contains(&key.expose().len()));
    }
    let user = Secret::new(typed);
    if let Ok(key) = imsi_key(&user) {
        assert!((4..=8).contains(&key.expose().len()));
    }
    let Ok(push) = Push::read(pdu) else { return };
    assert!(push.mac.is_none() || push.sec.is_some());
    for network in [None, network.as_ref()] {
        for user in [None, Some(&user)] {
            let verdict = verify(&push, Keys { network, user });
            assert!(verdict.is_err() || network.is_some() || user.is_some());
        }
    }
});
