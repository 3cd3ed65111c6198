//! Bad notifications.

use super::*;

/// A push that is refused without a trace in the store, and without a word to the card.
fn refused(phone: &Phone, vault: &Vault, sim: &Sim, push: &[u8]) -> Failure {
    let (before, exchanges) = (vault.state(), sim.exchanges());
    phone.ears.clear();
    let failure = phone.deliver(push).unwrap_err();
    phone.settle();
    assert!(vault.state() == before, "{}", failure.message);
    assert_eq!(sim.exchanges(), exchanges, "{}", failure.message);
    let events: Vec<_> = phone.ears.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].kind, event::DMSC_EVENT_TRIGGER_REFUSED as u32);
    assert_eq!((events[0].status, &events[0].data), (failure.status, &failure.message));
    assert_eq!(phone.ears.triggers.lock().unwrap().len(), 0);
    failure
}

#[test]
fn wrong_digest() {
    let (sim, (vault, phone)) = (Sim::named("wrong-digest"), phone());
    let card = phone.ready(&sim);
    let failure = refused(&phone, &vault, &sim, &sim.push());
    assert_failure(&failure, -210, "E_P0_DIGEST at byte 0: the digest does not match");
    // The card's own notification is no better.
    let before = vault.state();
    phone.ears.clear();
    sim.card().trigger();
    card.notify(dmsc_card_event::DMSC_CARD_PROACTIVE).unwrap();
    phone.settle();
    let events = failed(&phone.ears, event::DMSC_EVENT_TRIGGER_REFUSED);
    assert_eq!(events, [(-210, String::new(), failure.message)]);
    assert!(vault.state() == before);
    assert_eq!(sim.card().bad_sessions(), 0);
}

#[test]
fn nonce_resynchronisation_is_no_way_around_the_digest() {
    let (sim, (vault, phone)) = (Sim::named("resync"), phone());
    phone.ready(&sim);
    assert_eq!(refused(&phone, &vault, &sim, &sim.push()).status, -210);
}

#[test]
fn unknown_server() {
    let (sim, (vault, phone)) = (Sim::named("unknown-server"), phone());
    phone.ready(&sim);
    let failure = refused(&phone, &vault, &sim, &sim.push());
    assert_failure(&failure, -211, "no account for server com.example.unknown");
}

#[test]
fn notification_before_any_bootstrap() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let failure = refused(&phone, &vault, &sim, &sim.push());
    assert_failure(&failure, -211, "no account for server com.example.sc");
}

#[test]
fn a_card_speaks_for_its_own_accounts_only() {
    let first = Sim::named("demo");
    let second = demo(|demo| {
        demo.card.iccid = "8988211000000430028".to_owned();
        demo.account.server_id = "com.example.other".to_owned();
        demo.account.server.name = "com.example.other".to_owned();
        demo.notification.server_id = Some(SERVER.to_owned());
    });
    let (_, phone) = phone();
    phone.ready(&first);
    let card = phone.open(&second, 1).unwrap();
    card.bootstrap().unwrap();
    card.toolkit_start().unwrap();
    phone.settle();
    second.card().trigger();
    card.notify(dmsc_card_event::DMSC_CARD_PROACTIVE).unwrap();
    phone.settle();
    let text = "the account of com.example.sc is not from the card that asks".to_owned();
    let events = failed(&phone.ears, event::DMSC_EVENT_TRIGGER_REFUSED);
    assert_eq!(events, [(-211, String::new(), text)]);
    assert_eq!(phone.ears.of(event::DMSC_EVENT_TRIGGER_REFUSED)[0].slot, 1);
    assert_eq!(phone.ears.ended(), []);
}

#[test]
fn replayed_notification_also_after_a_restart() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    // The host does not want it, so that the nonce stays: only the memory tells it from a new one.
    phone.ears.verdict.store(1, Ordering::SeqCst);
    let push = sim.push();
    phone.deliver(&push).unwrap();
    phone.settle();
    let failure = refused(&phone, &vault, &sim, &push);
    assert_failure(&failure, -213, "notification: seen before");
    phone.free();

    let phone = Phone::new(Keep::Vault(&vault));
    sim.card().reset();
    phone.ready(&sim);
    let failure = refused(&phone, &vault, &sim, &push);
    assert_failure(&failure, -213, "notification: seen before");
    // A new one is taken.
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.ears.ended()[0].0, 0);
    // And what started a session has a stale nonce afterwards.
    assert_eq!(refused(&phone, &vault, &sim, &push).status, -210);
}

#[test]
fn host_refuses_the_trigger() {
    for verdict in [1, 99, -1] {
        let (sim, (vault, phone)) = (Sim::named("demo"), phone());
        phone.ready(&sim);
        let (before, exchanges) = (vault.entries(), sim.exchanges());
        phone.ears.verdict.store(verdict, Ordering::SeqCst);
        let id = phone.deliver(&sim.push()).unwrap();
        phone.settle();
        let refused = phone.ears.of(event::DMSC_EVENT_TRIGGER_REFUSED);
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].status, refused[0].session_id), (-8, id));
        assert_eq!((refused[0].uri.as_str(), refused[0].slot), (SERVER, 0));
        assert_eq!(refused[0].data, "the host refused the notification");
        assert_eq!(phone.ears.triggers.lock().unwrap().len(), 1);
        assert_eq!((phone.ears.ended(), sim.exchanges()), (Vec::new(), exchanges));
        // It is remembered all the same.
        assert_eq!(changed(&before, &vault.entries()), [(TABLE_REPLAY, SERVER.to_owned())]);
    }
}

#[test]
fn queue_full() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    let [first, second] = [sim.push(), sim.push()];
    phone.deliver(&first).unwrap();
    let before = vault.state();
    let failure = phone.deliver(&second).unwrap_err();
    assert_failure(&failure, -7, "a session with com.example.sc waits already");
    // What the first one asks for is kept; nothing of the second is.
    let kept = (dmsc::store::Table::Schedule as u8, format!("\0\u{1}{SERVER}"));
    assert_eq!(changed(&before, &vault.state()), [kept]);
    phone.settle();
    let refused = failed(&phone.ears, event::DMSC_EVENT_TRIGGER_REFUSED);
    assert_eq!(refused, [(-7, String::new(), failure.message)]);
    let ended = phone.ears.ended();
    assert_eq!((ended.len(), ended[0].0), (1, 0));
}

#[test]
fn malformed_push_pdus() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    let push = sim.push();
    for end in 0..push.len() {
        let failure = refused(&phone, &vault, &sim, &push[..end]);
        assert_eq!(failure.status, -212, "{end} octets: {}", failure.message);
        assert!(failure.message.starts_with("E_"), "{}", failure.message);
        assert!(failure.message.contains(" at byte "), "{}", failure.message);
    }
    let with = |at: usize, octet: u8| {
        let mut push = push.clone();
        push[at] = octet;
        push
    };
    let cases = [
        (with(1, 0x07), -212, "E_P0_"),
        (with(2, 0x7F), -212, "E_WSP_"),
        (with(2, 0x00), -212, "E_WSP_"),
        (with(3, 0xFF), -212, "E_WSP_CONTENT_TYPE at byte "),
        (with(5, 0x85), -212, "E_WSP_APP_ID at byte "),
    ];
    for (push, status, text) in cases {
        let failure = refused(&phone, &vault, &sim, &push);
        assert_eq!(failure.status, status, "{}", failure.message);
        assert!(failure.message.starts_with(text), "{}", failure.message);
    }
    // Each bit matters, but for the transaction identifier and for a header that is not X-WAP-Application-Id
    // any more.
    for at in (1..push.len()).filter(|at| *at != 4) {
        for bit in 0..8 {
            let failure = refused(&phone, &vault, &sim, &with(at, push[at] ^ 1 << bit));
            assert!(
                [-4, -210, -211, -212].contains(&failure.status),
                "byte {at}, bit {bit}: {} {}",
                failure.status,
                failure.message
            );
        }
    }
    // After all that the right one is as good as ever.
    phone.deliver(&push).unwrap();
    phone.settle();
    assert_eq!(phone.ears.ended()[0].0, 0);
}
