//! destroy, and handles freed in any order.

use super::*;

#[test]
fn destroy_is_called_once_for_what_was_accepted_and_never_for_what_was_not() {
    let (sim, refused_sim) = (Sim::named("demo"), Sim::named("demo"));
    let (ears, vault) = (Arc::new(Ears::default()), Arc::new(Vault::default()));
    let phone = Phone::try_new(Keep::Vault(&vault), &ears).unwrap();
    let card = phone.ready(&sim);
    refused_sim.script(|_| Instead::Return(-100));
    assert_eq!(phone.open(&refused_sim, 1).err().unwrap().status, -100);
    assert_eq!(phone.open(&refused_sim, 0).err().unwrap().status, -7);
    let counts = || {
        let order = Ordering::SeqCst;
        (sim.destroyed(), ears.destroyed.load(order), vault.destroyed.load(order))
    };
    assert_eq!(counts(), (0, 0, 0));
    card.close();
    assert_eq!(counts(), (1, 0, 0));
    phone.free();
    assert_eq!((counts(), refused_sim.destroyed()), ((1, 1, 1), 0));
    // A client whose last argument is wrong has accepted nothing.
    let device = c(DEVICE);
    let storage = vault.storage();
    let config = dmsc_config { storage: &raw const storage, max_msg_size: 1, ..config(&device) };
    let callbacks = ears.callbacks();
    let mut client = null_mut();
    let number =
        unsafe { dmsc_client_new(&raw const config, &raw const callbacks, &raw mut client) };
    assert_eq!(status(number), INVALID_ARG);
    assert_eq!(counts(), (1, 1, 1));
}

#[test]
fn locks_are_balanced() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let (locks, unlocks) = sim.locks();
    assert_eq!(locks, unlocks);
    card.close();
    let (locks, unlocks) = sim.locks();
    assert_eq!(locks, unlocks);
}

#[test]
fn the_log_sink_is_destroyed_when_it_is_replaced() {
    let _turn = LOG.lock().unwrap();
    static DESTROYED: AtomicUsize = AtomicUsize::new(0);
    unsafe extern "C" fn log(_: *mut c_void, _: u32, target: *const c_char, _: *const c_char) {
        assert!(!target.is_null());
    }
    unsafe extern "C" fn destroy(_: *mut c_void) {
        DESTROYED.fetch_add(1, Ordering::SeqCst);
    }
    let sink = dmsc_log_sink { log: Some(log), destroy: Some(destroy), ..blank() };
    unsafe {
        check(dmsc_log_set(&raw const sink, 4)).unwrap();
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 0);
        assert_eq!(status(dmsc_log_set(&raw const sink, 9)), INVALID_ARG);
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 0);
        check(dmsc_log_set(null(), 0)).unwrap();
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 1);
    }
}

/// All orders of `items`.
fn permutations(items: &[u8]) -> Vec<Vec<u8>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(at);
        all.extend(permutations(&rest).into_iter().map(|mut tail| {
            tail.insert(0, *first);
            tail
        }));
    }
    all
}

#[test]
fn handles_are_freed_in_any_order() {
    let orders = permutations(&[0, 1, 2, 3, 4]);
    assert_eq!(orders.len(), 120);
    for order in orders {
        let sim = Sim::named("demo");
        let (ears, vault) = (Arc::new(Ears::default()), Arc::new(Vault::default()));
        let phone = Phone::try_new(Keep::Vault(&vault), &ears).unwrap();
        let card = phone.ready(&sim);
        ears.keep.store(1, Ordering::SeqCst);
        let session = phone.start_session(None).unwrap();
        phone.settle();
        let alert = ears.kept.lock().unwrap().pop().unwrap();
        let mut txn = null_mut();
        check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
        let mut phone = Some(phone);
        for handle in &order {
            match handle {
                0 => phone.take().unwrap().free(),
                1 => card.close(),
                2 => session.free(),
                3 => {
                    let answered = answer(alert.0, 0);
                    let closed = phone.is_none();
                    assert_eq!(answered.err().map(|f| f.status), closed.then_some(STATE));
                }
                _ => unsafe { dmsc_txn_rollback(txn) },
            }
        }
        let order_of = Ordering::SeqCst;
        let counts =
            (sim.destroyed(), ears.destroyed.load(order_of), vault.destroyed.load(order_of));
        assert_eq!(counts, (1, 1, 1), "{order:?}");
    }
}

#[test]
fn handles_that_outlive_their_client_answer_state() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    phone.settle();
    let Alert(alert) = phone.ears.kept.lock().unwrap().pop().unwrap();
    let mut txn = null_mut();
    check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
    let ears = Arc::clone(&phone.ears);
    phone.free();
    // No callback comes after destroy.
    let events = ears.events().len();
    assert_eq!(card.info().err().unwrap().status, STATE);
    assert_eq!(card.bootstrap().err().unwrap().status, STATE);
    assert_eq!(card.toolkit_start().unwrap_err().status, STATE);
    assert_eq!(card.transmit(&[0, 0xA4, 0, 4]).unwrap_err().status, STATE);
    assert_eq!(card.notify(dmsc_card_event::DMSC_CARD_REMOVED).unwrap_err().status, STATE);
    let info = session.info().unwrap();
    assert_eq!((info.state, info.status), (3, STATE));
    assert_eq!(session.wait(1000).unwrap().1.status, STATE);
    session.cancel();
    assert_eq!(status(unsafe { dmsc_txn_commit(txn) }), STATE);
    assert_eq!(answer(alert, 0).unwrap_err().status, STATE);
    card.close();
    session.free();
    assert_eq!((ears.events().len(), ears.destroyed.load(Ordering::SeqCst)), (events, 1));
}
