//! Notifications: which are refused, and what the host hears of the others.

use super::*;
use uicc_sim::dm::notification::{self, Trigger, UiMode};

/// Package #0 of the card's server as it comes by push.
fn notification(server_id: &str, ui_mode: UiMode, session_id: u16, nonce: &[u8]) -> Delivery {
    let trigger = Trigger {
        version: notification::VERSION_DM_12,
        ui_mode,
        initiator: notification::Initiator::Server,
        session_id,
        server_id,
        vendor: &[],
    };
    let octets = notification::push(&trigger.package("card-secret", nonce));
    Delivery { source: TriggerSource::Push, slot: 0, content_type: None, octets }
}

impl Bench {
    pub(super) fn deliver(
        &self,
        server_id: &str,
        ui_mode: UiMode,
        session_id: u16,
        nonce: &[u8],
    ) -> Result<u64> {
        let done = self.client.deliver_trigger(notification(server_id, ui_mode, session_id, nonce));
        self.settle();
        done
    }

    /// No session came of a notification, and nothing was sent to anybody.
    fn stays_silent(&self) -> bool {
        let sent = [EventKind::SessionStarted, EventKind::PackageSent];
        self.run(30, |_| false);
        !self.heard.lock().events.iter().any(|event| sent.contains(&event.kind))
    }
}

#[test]
fn dm_127_an_unknown_server_is_ignored() {
    let bench = Bench::new(profile(GET));
    let refused = bench.deliver("unknown", UiMode::Background, 1, b"second").unwrap_err();
    assert_eq!(refused.code(), Code::TriggerServer);
    assert!(bench.stays_silent());
    assert_eq!(bench.heard.lock().triggers, 0);
}

#[test]
fn dm_132_the_resynchronisation_nonce_starts_nothing() {
    let bench = Bench::new(profile(GET));
    let refused = bench.deliver("sc", UiMode::Background, 1, &[0; 4]).unwrap_err();
    assert_eq!(refused.code(), Code::TriggerDigest);
    assert!(bench.stays_silent());
}

#[test]
fn dm_133_the_same_notification_twice_is_one_session() {
    let bench = Bench::new(profile(GET));
    let id = bench.deliver("sc", UiMode::Background, 0x1234, b"second").unwrap();
    assert_eq!(bench.end(id, 5), None);
    let again = bench.deliver("sc", UiMode::Background, 0x1234, b"second").unwrap_err();
    assert!(matches!(again.code(), Code::TriggerReplay | Code::TriggerDigest), "{again:?}");
    assert_eq!(bench.heard.lock().triggers, 1);
}

#[test]
fn dm_134_the_user_refuses_the_session() {
    let bench = Bench::new(profile(GET));
    bench.heard.lock().refuses = true;
    bench.deliver("sc", UiMode::UserInteraction, 1, b"second").unwrap();
    assert_eq!(bench.heard.lock().ui_modes, [3]);
    assert!(bench.stays_silent());
}

#[test]
fn dm_135_an_informative_notification_is_announced_and_starts() {
    let bench = Bench::new(profile(GET));
    let id = bench.deliver("sc", UiMode::Informative, 1, b"second").unwrap();
    assert_eq!(bench.heard.lock().ui_modes, [2]);
    assert_eq!(bench.end(id, 5), None);
}

#[test]
fn dm_136_a_background_notification_asks_nobody() {
    let bench = Bench::new(profile(GET));
    let id = bench.deliver("sc", UiMode::Background, 1, b"second").unwrap();
    assert_eq!(bench.end(id, 5), None);
    assert_eq!(bench.heard.lock().ui_modes, [1]);
    assert!(!bench.is_asked());
}
