//! Cards that go, fail or fall silent, in a session or beside one.

use super::*;

#[test]
fn a_card_taken_out_at_any_exchange_ends_its_session_once() {
    for apdus in 0..200 {
        let bench = Bench::new(profile(GET));
        bench.card_states();
        bench.hand.lock().remove_after = Some(apdus);
        let id = bench.start();
        let outcome = bench.end(id, 60);
        if outcome.is_none() {
            assert!(apdus > 10, "the session had {apdus} exchanges");
            return;
        }
        assert_eq!(outcome, Some(Code::CardRemoved), "after {apdus} exchanges");
        assert!(!bench.client.card_info(bench.card).unwrap().has_scws);
        let ended = |kind: &&EventKind| **kind == EventKind::SessionEnded;
        assert_eq!(bench.kinds(id).iter().filter(ended).count(), 1);
        assert_eq!(bench.card_states(), [(Code::CardRemoved as i32, 0)]);
    }
    panic!("the session never ends well");
}

#[test]
fn a_card_that_goes_without_a_toolkit_is_told_too_and_its_slot_is_free() {
    let bench = Bench::new(profile(GET));
    let hand = Arc::new(Mutex::new(Hand::default()));
    let reader = || SimReader { card: profile(GET).build().unwrap(), hand: hand.clone() };
    let card = bench.client.open_card(2, Box::new(reader())).unwrap();
    bench.card_states();
    hand.lock().remove_after = Some(0);
    let error = bench.client.card_transmit(card, vec![0, 0xA4, 0, 4, 2, 0x3F, 0]).unwrap_err();
    assert_eq!(error.code(), Code::CardRemoved);
    assert_eq!(bench.card_states(), [(Code::CardRemoved as i32, 0)]);
    hand.lock().remove_after = None;
    bench.client.open_card(2, Box::new(reader())).unwrap();
    assert_eq!(bench.client.card_info(card).unwrap_err().code(), Code::State);
}

#[test]
fn a_transport_that_keeps_failing_is_not_hammered() {
    let bench = Bench::new(profile(GET));
    bench.card_states();
    bench.hand.lock().broken = true;
    let before = bench.hand.lock().apdus;
    bench.run(3600, |_| false);
    let tries = bench.hand.lock().apdus - before;
    assert!((10..200).contains(&tries), "{tries} exchanges in an hour");
    assert_eq!(bench.card_states(), [(Code::CardTransmit as i32, 0)]);
    bench.hand.lock().broken = false;
    bench.run(60, |_| false);
    let id = bench.start();
    assert_eq!(bench.end(id, 5), None);
}

#[test]
fn a_card_that_never_answers_the_request_ends_the_session_by_silence() {
    let mut silent = profile(GET);
    silent.account.address = "http://127.0.0.1:3517/dm".into();
    let bench = Bench::new(silent);
    let id = bench.start();
    let begun = bench.now();
    assert_eq!(bench.end(id, 60), Some(Code::Connect));
    assert_eq!(bench.now() - begun, 30_000);
}

#[test]
fn a_reset_that_the_host_reports_ends_the_toolkit_until_it_is_started_again() {
    let bench = Bench::new(profile(GET));
    bench.card_states();
    bench.client.notify_card(bench.card, CardSignal::Reset).unwrap();
    bench.settle();
    assert_eq!(bench.card_states(), [(Code::CardReset as i32, 0)]);
    assert!(!bench.client.card_info(bench.card).unwrap().has_scws);
    bench.client.start_toolkit(bench.card).unwrap();
    assert_eq!(bench.client.bootstrap_card(bench.card).unwrap().objects_unchanged, 1);
}
