//! No card, and a card that goes.

use super::*;

#[test]
fn card_absent() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let before = vault.state();
    sim.script(|_| Instead::Return(-100));
    let failure = phone.open(&sim, 0).err().unwrap();
    assert_failure(&failure, -100, "reading EF.ICCID: the host's transmit failed");
    assert!(vault.state() == before && sim.destroyed() == 0);
    assert_eq!(phone.ears.events(), []);
    // Once it is there it can be opened.
    sim.plain();
    phone.open(&sim, 0).unwrap();
    assert_eq!(phone.ears.of(event::DMSC_EVENT_CARD_STATE).len(), 1);
}

#[test]
fn the_slot_is_taken() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let other = Sim::named("demo");
    phone.open(&sim, 0).unwrap();
    assert_failure(&phone.open(&other, 0).err().unwrap(), -7, "slot 0 has an open card");
    assert_eq!((other.exchanges(), other.destroyed()), (0, 0));
    phone.open(&other, 1).unwrap();
}

fn removed_after(apdus: usize) -> (Sim, Arc<Vault>, Phone) {
    let apdus = u32::try_from(apdus).unwrap();
    let sim = demo(|demo| demo.card.faults.remove_after_apdus = Some(apdus));
    let (vault, phone) = phone();
    (sim, vault, phone)
}

/// The card is put back: the phone opens it anew, and a session with it is a good one.
fn works_again(phone: &Phone, sim: &Sim) {
    sim.card().insert();
    phone.ears.clear();
    let card = phone.open(sim, 0).unwrap();
    let report = card.bootstrap().unwrap();
    assert_eq!((report.accounts_added + report.objects_unchanged, report.objects_failed), (1, 0));
    card.toolkit_start().unwrap();
    phone.settle();
    // A session of the host, because the two may differ about the server's nonce by now.
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.ears.ended().iter().map(|ended| ended.0).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn card_removed_while_it_is_opened() {
    for apdus in 0..exchanges()[0] {
        let (sim, vault, phone) = removed_after(apdus);
        let before = vault.entries();
        let failure = phone.open(&sim, 0).err().unwrap();
        assert_eq!(failure.status, -101, "after {apdus}: {}", failure.message);
        let read = failure.message.starts_with("reading EF.ICCID: ");
        assert!(
            read || failure.message == "the card went while it was opened",
            "{}",
            failure.message
        );
        assert_eq!(changed(&before, &vault.entries()), [], "after {apdus}");
        assert_eq!(sim.destroyed(), 0);
        assert_eq!(phone.ears.events(), [], "after {apdus}");
        works_again(&phone, &sim);
    }
}

#[test]
fn card_removed_while_its_bootstrap_is_read() {
    let [opened, done, ..] = exchanges();
    let mut applied = 0;
    for apdus in opened..done {
        let (sim, vault, phone) = removed_after(apdus);
        let card = phone.open(&sim, 0).unwrap();
        let before = vault.entries();
        match card.bootstrap() {
            Err(failure) => {
                assert_eq!(failure.status, -101, "after {apdus}: {}", failure.message);
                assert!(failure.message.starts_with("reading the PKCS#15 objects: "));
                assert_eq!(changed(&before, &vault.entries()), [], "after {apdus}");
                let said = [(-101, String::new(), failure.message.clone())];
                assert_eq!(failed(&phone.ears, event::DMSC_EVENT_CARD_STATE), said);
                assert_eq!(failed(&phone.ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED), said);
            }
            // Everything was read by then.
            Ok(report) => {
                assert_eq!((report.accounts_added, report.objects_failed), (1, 0));
                phone.settle();
                let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
                let text = "the card went in the last exchange with it".to_owned();
                assert_eq!(gone, [(-101, String::new(), text)]);
                applied += 1;
            }
        }
        // Nothing more is sent to a card that is gone, and it is told once.
        let exchanges = sim.exchanges();
        assert_eq!(card.bootstrap().err().unwrap().status, -101);
        assert_eq!(card.toolkit_start().unwrap_err().status, -101);
        assert_eq!(card.transmit(&[0, 0xA4, 0, 4, 2, 0x3F, 0]).unwrap_err().status, -101);
        assert_eq!(sim.exchanges(), exchanges);
        assert_eq!(phone.ears.of(event::DMSC_EVENT_CARD_STATE).len(), 2);
        works_again(&phone, &sim);
    }
    assert!(applied <= 1, "{applied}");
}

#[test]
fn card_removed_while_the_toolkit_starts() {
    let [_, read, _, rest, _] = exchanges();
    for apdus in read..rest {
        let (sim, vault, phone) = removed_after(apdus);
        let card = phone.open(&sim, 0).unwrap();
        card.bootstrap().unwrap();
        let before = vault.entries();
        match card.toolkit_start() {
            Err(failure) => {
                assert_eq!(failure.status, -101);
                assert!(fails_at_the_start(&failure.message, "the host's transmit failed"));
            }
            Ok(_) => assert!(apdus > read),
        }
        phone.settle();
        let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
        assert_eq!((gone.len(), gone[0].0), (1, -101), "after {apdus}: {gone:?}");
        assert!(gone[0].2.ends_with(": the host's transmit failed"), "{gone:?}");
        assert_eq!(changed(&before, &vault.entries()), [], "after {apdus}");
        assert_eq!(card.info().unwrap().has_scws, 0);
        works_again(&phone, &sim);
    }
}

#[test]
fn card_removed_before_its_session() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    let push = sim.push();
    sim.card().remove();
    // Nobody has noticed yet: the first exchange of the session does.
    let before = vault.entries();
    phone.deliver(&push).unwrap();
    phone.settle();
    let ended = phone.ears.ended();
    assert_eq!((ended.len(), ended[0].0), (1, -101), "{ended:?}");
    assert_eq!(changed(&before, &vault.entries()), [(TABLE_REPLAY, SERVER.to_owned())]);
    // From now on it is known.
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, -100));
    session.free();
    assert_eq!(phone.ears.ended()[1].2, "account com.example.sc: its card is not open in slot 0");
    works_again(&phone, &sim);
}

#[test]
fn card_removed_at_each_exchange_of_a_session() {
    let [.., rest, done] = exchanges();
    let (mut nothing, mut all) = (0, 0);
    for apdus in rest..done {
        let (sim, vault, phone) = removed_after(apdus);
        phone.ready(&sim);
        let before = vault.entries();
        phone.deliver(&sim.push()).unwrap();
        phone.settle();
        let ended = phone.ears.ended();
        assert_eq!(ended.len(), 1, "after {apdus}: {ended:?}");
        let over = ended[0].0 == 0;
        if !over {
            assert_eq!((ended[0].0, ended[0].1.as_str()), (-101, SERVER), "after {apdus}");
            assert!(ended[0].2.ends_with(": the host's transmit failed"), "{ended:?}");
        }
        let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
        assert_eq!((gone.len(), gone[0].0), (1, -101), "after {apdus}: {gone:?}");
        // The changes of one message are one transaction: all are there or none.
        match operator(&phone) {
            tree if tree == after_1() => all += 1,
            tree => {
                assert_eq!(tree, [], "after {apdus}");
                assert!(!over);
                assert_eq!(changed(&before, &vault.entries()), [(TABLE_REPLAY, SERVER.to_owned())]);
                nothing += 1;
            }
        }
        works_again(&phone, &sim);
    }
    assert!(nothing > 10 && all > 10, "{nothing} {all}");
}

#[test]
fn card_reported_as_removed_in_a_session() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let card = phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    let exchanges = sim.exchanges();
    card.notify(dmsc_card_event::DMSC_CARD_REMOVED).unwrap();
    card.notify(dmsc_card_event::DMSC_CARD_REMOVED).unwrap();
    phone.settle();
    let text = "the host reports that the card is out".to_owned();
    assert_eq!(phone.ears.ended(), [(-101, SERVER.to_owned(), text.clone())]);
    let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
    assert_eq!(gone, [(-101, String::new(), text)]);
    assert_eq!(sim.exchanges(), exchanges);
}

#[test]
fn card_reset_in_a_session() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let card = phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    sim.card().reset();
    card.notify(dmsc_card_event::DMSC_CARD_RESET).unwrap();
    phone.settle();
    let text = "the host reports a reset of the card".to_owned();
    assert_eq!(phone.ears.ended(), [(-102, SERVER.to_owned(), text.clone())]);
    let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
    assert_eq!(gone, [(-102, String::new(), text)]);
    // The same handle goes on after a reset.
    phone.ears.keep.store(0, Ordering::SeqCst);
    card.toolkit_start().unwrap();
    phone.settle();
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
}

#[test]
fn another_card_takes_the_account_of_the_one_before_away() {
    let (first, (_, phone)) = (Sim::named("demo"), phone());
    phone.ready(&first).close();
    let second = demo(|demo| {
        demo.card.iccid = "8988211000000430028".to_owned();
        demo.account.server_id = "com.example.other".to_owned();
        demo.account.server.name = "com.example.other".to_owned();
    });
    let card = phone.open(&second, 0).unwrap();
    // Before the bootstrap the old account is there, but not for this card.
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, -100));
    session.free();
    let report = card.bootstrap().unwrap();
    assert_eq!((report.accounts_added, report.accounts_removed), (1, 1));
    let accounts: Vec<_> =
        phone.tree("./DMAcc").into_iter().filter(|(uri, _)| uri.ends_with("/ServerID")).collect();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].1, "com.example.other");
}
