//! Bad hosts: transports and storages that fail.

use super::*;

#[test]
fn a_transports_own_negative_number_passes_through() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let own = |failure: &Failure, step: &str| {
        assert_eq!((failure.status, failure.os_error), (-4711, -4711), "{}", failure.message);
        assert_eq!(failure.message, format!("{step}transmit: callback returned -4711"));
    };
    let before = vault.entries();
    sim.script(|_| Instead::Return(-4711));
    own(&phone.open(&sim, 0).err().unwrap(), "reading EF.ICCID: ");
    assert_eq!((sim.destroyed(), changed(&before, &vault.entries())), (0, Vec::new()));

    sim.plain();
    let card = phone.open(&sim, 0).unwrap();
    let tree = phone.tree(".");
    // At the first exchange of the bootstrap, and at each later one.
    sim.script(|_| Instead::Return(-4711));
    own(&card.bootstrap().err().unwrap(), "reading the PKCS#15 objects: ");
    for good in 1..16 {
        let mut seen = 0;
        sim.script(move |_| {
            seen += 1;
            if seen > good { Instead::Return(-4711) } else { Instead::PassOn }
        });
        let failure = card.bootstrap().err().unwrap();
        assert_eq!(failure.status, -4711, "after {good}: {}", failure.message);
        assert!(failure.message.ends_with("transmit: callback returned -4711"));
        assert_eq!(phone.tree("."), tree, "after {good}");
        let events = failed(&phone.ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED);
        assert_eq!(
            (events.last().unwrap().0, &events.last().unwrap().2),
            (-4711, &failure.message)
        );
    }
    sim.script(|_| Instead::Return(-4711));
    own(&card.toolkit_start().unwrap_err(), "beginning the card session: ");
    own(&card.transmit(&[0, 0xA4, 0, 4, 2, 0x3F, 0]).unwrap_err(), "");
    // A positive number is no success, a number that is a dmsc_status has its meaning.
    sim.script(|_| Instead::Return(1));
    let failure = card.toolkit_start().unwrap_err();
    assert_failure(&failure, -12, "beginning the card session: transmit: callback returned 1");
    assert_eq!(failure.os_error, 1);
    sim.script(|_| Instead::Return(-9));
    let text = "reading the PKCS#15 objects: the host's transmit failed";
    assert_failure(&card.bootstrap().err().unwrap(), -9, text);
    sim.plain();
    assert_eq!(card.bootstrap().unwrap().accounts_added, 1);
    card.toolkit_start().unwrap();
}

#[test]
fn a_transport_that_fails_for_good_does_not_keep_the_client_busy() {
    let (sim, phone) = (Sim::named("demo"), Facade::new());
    phone.ready(&sim);
    let mut seen = 0;
    sim.script(move |_| {
        seen += 1;
        if seen > 5 { Instead::Return(-4711) } else { Instead::PassOn }
    });
    phone.deliver(sim.push()).unwrap();
    let exchanges = sim.exchanges();
    phone.settle();
    // Told once, with the callback's own number; tried again ever more seldom.
    let told = phone.of(EventKind::CardState);
    assert_eq!((told.len(), told[1].status), (2, -4711));
    assert_eq!(phone.ended(), []);
    for _ in 0..30 {
        phone.advance(1_000);
    }
    assert_eq!(phone.ended(), [(-9, "HTTP: the server is silent".to_owned())]);
    assert!(sim.exchanges() - exchanges < 15, "{}", sim.exchanges() - exchanges);
    assert_eq!(phone.of(EventKind::CardState).len(), 2);
    // The reader is mended: everything goes on.
    sim.plain();
    phone.advance(60_000);
    let id = phone.client.start_session(None).unwrap();
    phone.settle();
    phone.advance(30_000);
    let info = phone.client.session_info(id).unwrap();
    assert_eq!(info.state, dmsc::client::SessionState::Ended);
}

#[test]
fn a_storages_own_negative_number_passes_through() {
    let vault = Arc::new(Vault::default());
    vault.load_fails.store(-4711, Ordering::SeqCst);
    let ears = Arc::new(Ears::default());
    let failure = Phone::try_new(Keep::Vault(&vault), &ears).err().unwrap();
    assert_failure(&failure, -4711, "storage load: callback returned -4711");
    assert_eq!(failure.os_error, -4711);
    assert_eq!(ears.destroyed.load(Ordering::SeqCst), 0);
    assert_eq!(vault.destroyed.load(Ordering::SeqCst), 0);
    vault.load_fails.store(0, Ordering::SeqCst);

    vault.save_fails.store(-522, Ordering::SeqCst);
    let failure = Phone::try_new(Keep::Vault(&vault), &ears).err().unwrap();
    assert_failure(&failure, -522, "the host's storage save failed");
    vault.save_fails.store(0, Ordering::SeqCst);

    let phone = Phone::try_new(Keep::Vault(&vault), &ears).unwrap();
    let sim = Sim::named("demo");
    let card = phone.open(&sim, 0).unwrap();
    let (before, tree) = (vault.entries(), phone.tree("."));
    vault.save_fails.store(-4711, Ordering::SeqCst);
    let failure = card.bootstrap().err().unwrap();
    assert_failure(&failure, -4711, "storage save: callback returned -4711");
    assert_eq!((changed(&before, &vault.entries()), phone.tree(".")), (Vec::new(), tree));
    assert_eq!(failed(&ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED)[0].0, -4711);
    vault.save_fails.store(0, Ordering::SeqCst);
    assert_eq!(card.bootstrap().unwrap().accounts_added, 1);
    drop(phone);
    assert_eq!(vault.destroyed.load(Ordering::SeqCst), 1);
}

#[test]
fn a_store_that_fails_ends_the_session_and_nothing_is_half_done() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    let push = sim.push();
    vault.save_fails.store(-520, Ordering::SeqCst);
    let failure = phone.deliver(&push).unwrap_err();
    assert_failure(&failure, -520, "the host's storage save failed");
    vault.save_fails.store(0, Ordering::SeqCst);

    let tree = phone.tree(".");
    phone.deliver(&push).unwrap();
    vault.save_fails.store(-4711, Ordering::SeqCst);
    phone.settle();
    let ended = phone.ears.ended();
    assert_eq!((ended.len(), ended[0].0), (1, -4711), "{ended:?}");
    assert!(ended[0].2.ends_with("storage save: callback returned -4711"), "{ended:?}");
    assert_eq!(phone.tree("."), tree);
    vault.save_fails.store(0, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
}

#[test]
fn damaged_storage() {
    let (_, phone) = phone();
    phone.free();
    let vault = Arc::new(Vault::default());
    Phone::new(Keep::Vault(&vault)).free();
    let good: BTreeMap<_, _> = vault.dump();
    let ears = Arc::new(Ears::default());
    let blob = &good["dmsc.tree"];
    let flipped = |at: usize| {
        let mut blob = blob.clone();
        blob[at] ^= 1;
        blob
    };
    for bad in [
        Vec::new(),
        blob[..blob.len() - 1].to_vec(),
        flipped(0),
        flipped(4),
        flipped(blob.len() / 2),
    ] {
        vault.put("dmsc.tree", bad);
        let before = vault.dump();
        let failure = Phone::try_new(Keep::Vault(&vault), &ears).err().unwrap();
        assert_eq!(failure.status, -521, "{}", failure.message);
        assert!(failure.message.starts_with("store: blob of "), "{}", failure.message);
        assert!(vault.dump() == before);
    }
}

#[test]
fn damaged_built_in_store() {
    let path = directory("bad-redb");
    Phone::new(Keep::Directory(&path)).free();
    let file = path.join("dmsc.redb");
    std::fs::write(&file, b"this is no database").unwrap();
    let ears = Arc::new(Ears::default());
    let failure = Phone::try_new(Keep::Directory(&path), &ears).err().unwrap();
    assert_eq!(failure.status, -521, "{}", failure.message);
    assert!(failure.message.contains("dmsc.redb"), "{}", failure.message);
    assert_eq!(std::fs::read(&file).unwrap(), b"this is no database");
    // A file where the directory should be.
    let failure = Phone::try_new(Keep::Directory(&file), &ears).err().unwrap();
    assert_eq!(failure.status, -520, "{}", failure.message);
    assert_ne!(failure.os_error, 0);
}
