//! Package #0 and its digest.

#![no_main]

use dmsc::secret::Secret;
use dmsc::trigger::notification::{Notification, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(notification) = Notification::read(octets) else { return };
    assert_ne!(notification.session_id, 0);
    assert!(octets.ends_with(notification.trigger()));
    assert!(octets.ends_with(notification.vendor()));
    assert_eq!(u16::from_str_radix(&notification.session_text(), 16), Ok(notification.session_id));
    let secret = |text: &str| Secret::new(text.as_bytes());
    let _ = verify(&notification, &secret("srvpwd"), &secret("nonce"), true);
});
