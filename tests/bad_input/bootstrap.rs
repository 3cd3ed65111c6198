//! Bad bootstrap data.

use super::*;

/// A bootstrap that fails: what the call says, and that the store is untouched. The events have to say
/// the same.
fn bad_bootstrap(edit: impl FnOnce(&mut Profile)) -> Failure {
    let (sim, (vault, phone)) = (demo(edit), phone());
    let card = phone.open(&sim, 0).unwrap();
    // The card is remembered as one without objects, and nothing else is written.
    let before = vault.entries();
    let tree = phone.tree(".");
    let failure = card.bootstrap().err().unwrap();
    assert_eq!(phone.tree("."), tree);
    assert_eq!(
        changed(&before, &vault.entries()).iter().filter(|(table, _)| *table != 4).count(),
        0
    );
    let applied = failed(&phone.ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED);
    assert_eq!(applied.last().unwrap().0, failure.status);
    assert_eq!(applied.last().unwrap().2, failure.message);
    assert_eq!(phone.start_session(None).err().unwrap().status, -211);
    failure
}

#[test]
fn no_pkcs15_application() {
    let failure = bad_bootstrap(|demo| demo.card.faults.no_pkcs15 = true);
    assert_failure(&failure, -200, "the card has no PKCS#15 application, or none with an ODF");
}

#[test]
fn no_odf() {
    let failure = bad_bootstrap(|demo| demo.card.faults.odf_missing = true);
    assert_failure(&failure, -200, "the card has no PKCS#15 application, or none with an ODF");
}

#[test]
fn broken_dodf() {
    let failure = bad_bootstrap(|demo| demo.card.faults.dodf = Some(DodfFault::Broken));
    assert_failure(&failure, -108, "6430: DODF: E_TLV_LENGTH at byte 0");
}

#[test]
fn empty_bootstrap_file() {
    let failure = bad_bootstrap(|demo| demo.card.faults.bootstrap = Some(BootstrapFault::Empty));
    assert_failure(&failure, -200, "bootstrap object 6433: the file is empty");
}

#[test]
fn bootstrap_file_of_ff() {
    let failure = bad_bootstrap(|demo| demo.card.faults.bootstrap = Some(BootstrapFault::Ff));
    assert_failure(&failure, -200, "bootstrap object 6433: the file is empty");
}

#[test]
fn broken_wbxml() {
    let failure = bad_bootstrap(|demo| demo.card.faults.bootstrap = Some(BootstrapFault::Broken));
    let text =
        "bootstrap object 6433: OPAQUE is longer than the document (E_OPAQUE_LENGTH at byte 137)";
    assert_failure(&failure, -203, text);
}

#[test]
fn bootstrap_file_longer_than_can_be_read() {
    let failure = bad_bootstrap(|demo| {
        demo.card.faults.bootstrap = Some(BootstrapFault::Long);
        demo.card.path_length = false;
    });
    let text =
        "bootstrap object 6433: reading 7FFF6433: a file of more than 32768 octets is not read";
    assert_failure(&failure, -404, text);
}

#[test]
fn bootstrap_file_behind_a_pin() {
    let failure = bad_bootstrap(|demo| {
        demo.card.pin1 = Some("1234".to_owned());
        demo.card.bootstrap_private = true;
    });
    assert_failure(&failure, -107, "bootstrap object 6433: needs the PIN with reference 01");
}

#[test]
fn bootstrap_that_would_take_over_an_account_of_the_host() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    host_account(&phone, SERVER, "http://dm.example/");
    let card = phone.open(&sim, 0).unwrap();
    let (before, tree) = (vault.entries(), phone.tree("."));
    let failure = card.bootstrap().err().unwrap();
    let text =
        "bootstrap object 6433: server com.example.sc has an account that is not from this card";
    assert_failure(&failure, -204, text);
    assert_eq!(phone.tree("."), tree);
    assert_eq!(
        changed(&before, &vault.entries()).iter().filter(|(table, _)| *table != 4).count(),
        0
    );
    assert_eq!(
        failed(&phone.ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED).last().unwrap(),
        &(-204, "6433".to_owned(), text.to_owned())
    );
}

#[test]
fn bootstrap_that_would_take_over_an_account_of_another_card() {
    let (first, second) =
        (Sim::named("demo"), demo(|demo| demo.card.iccid = "8988211000000430028".to_owned()));
    let (_, phone) = phone();
    phone.ready(&first);
    let tree = phone.tree(".");
    let failure = phone.open(&second, 1).unwrap().bootstrap().err().unwrap();
    assert_eq!(failure.status, -204, "{}", failure.message);
    assert_eq!(phone.tree("."), tree);
    // The account still works, with its own card.
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
    assert_eq!((first.card().good_sessions(), second.card().good_sessions()), (1, 0));
}

#[test]
fn bootstrap_while_the_host_has_a_transaction_open() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let card = phone.open(&sim, 0).unwrap();
    let mut txn = std::ptr::null_mut();
    // SAFETY: the client lives.
    support::abi::check(unsafe { dmsc::ffi::dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
    let before = vault.state();
    let failure = card.bootstrap().err().unwrap();
    assert_failure(&failure, -7, "store: another write transaction is open");
    assert!(vault.state() == before);
    // SAFETY: the transaction is open.
    unsafe { dmsc::ffi::dmsc_txn_rollback(txn) };
    assert_eq!(card.bootstrap().unwrap().accounts_added, 1);
}
