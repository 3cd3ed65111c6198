//! What callbacks may call.

use super::*;

/// The handles of a test as a callback uses them.
#[derive(Default)]
struct Reach {
    client: AtomicUsize,
    card: AtomicUsize,
    session: AtomicUsize,
    seen: Mutex<BTreeSet<(String, i32)>>,
    done: AtomicBool,
}

impl Reach {
    fn client(&self) -> *mut dmsc_client {
        self.client.load(Ordering::SeqCst) as *mut dmsc_client
    }
    fn card(&self) -> *mut dmsc_card {
        self.card.load(Ordering::SeqCst) as *mut dmsc_card
    }
    fn session(&self) -> *mut dmsc_session {
        self.session.load(Ordering::SeqCst) as *mut dmsc_session
    }
    fn saw(&self, call: &str, number: i32) {
        self.seen.lock().unwrap().insert((call.to_owned(), number));
    }
    /// The different numbers that `call` gave.
    fn of(&self, call: &str) -> Vec<i32> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(name, _)| name == call).map(|(_, number)| *number).collect()
    }
}

/// The calls that a callback tries.
fn try_everything(reach: &Reach) {
    let (client, card, session) = (reach.client(), reach.card(), reach.session());
    if client.is_null() || card.is_null() || session.is_null() {
        return;
    }
    let uri = c("./DevInfo/DevId");
    unsafe {
        reach.saw("run_once", dmsc_client_run_once(client, 0));
        reach.saw("start", dmsc_client_start(client));
        reach.saw("stop", dmsc_client_stop(client, 0));
        reach.saw("session_wait", dmsc_session_wait(session, 0, null_mut()));
        let mut value = null_mut();
        reach.saw("tree_get", dmsc_tree_get(client, uri.as_ptr(), &raw mut value));
        dmsc_buffer_free(value);
        let mut node = blank();
        reach.saw("tree_info_get", dmsc_tree_info_get(client, uri.as_ptr(), &raw mut node));
        let mut out = null_mut();
        reach.saw("tree_export", dmsc_tree_export(client, uri.as_ptr(), 0, &raw mut out));
        dmsc_buffer_free(out);
        let mut info = blank();
        reach.saw("session_info_get", dmsc_session_info_get(session, &raw mut info));
        // These cause new events and exchanges, so they are tried once.
        if !reach.done.swap(true, Ordering::SeqCst) {
            reach.saw("card_notify", dmsc_card_notify(card, 3));
            let trigger = dmsc_trigger { ..blank() };
            let number = dmsc_client_deliver_trigger(client, &raw const trigger, null_mut());
            reach.saw("deliver_trigger", number);
        }
        let mut info = blank();
        reach.saw("card_info_get", dmsc_card_info_get(card, &raw mut info));
        let status = [0x80, 0xF2, 0x00, 0x0C, 0x00];
        let mut response = null_mut();
        let number = dmsc_card_transmit(card, status.as_ptr(), status.len(), &raw mut response);
        reach.saw("card_transmit", number);
        dmsc_buffer_free(response);
        let number = dmsc_card_toolkit_start(card);
        reach.saw("toolkit_start", number);
    }
}

#[test]
fn what_a_callback_of_the_client_may_call() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let reach = Arc::new(Reach::default());
    let inside = Arc::clone(&reach);
    phone.ears.hook(move |_| try_everything(&inside));
    reach.client.store(phone.client as usize, Ordering::SeqCst);
    reach.card.store(card.0 as usize, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    reach.session.store(session.0 as usize, Ordering::SeqCst);
    phone.settle();
    assert_eq!(session.info().unwrap().status, 0);
    for forbidden in ["run_once", "start", "stop", "session_wait"] {
        assert_eq!(reach.of(forbidden), [REENTRANT], "{forbidden}");
    }
    for allowed in [
        "tree_get",
        "tree_info_get",
        "tree_export",
        "session_info_get",
        "card_notify",
        "card_info_get",
        "card_transmit",
    ] {
        assert_eq!(reach.of(allowed), [0], "{allowed}");
    }
    assert_eq!(reach.of("deliver_trigger"), [-212]);
    assert_eq!(reach.of("toolkit_start"), [STATE]);
    session.free();
}

#[test]
fn what_a_callback_of_a_transport_may_call() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let reach = Arc::new(Reach::default());
    let inside = Arc::clone(&reach);
    reach.client.store(phone.client as usize, Ordering::SeqCst);
    reach.card.store(card.0 as usize, Ordering::SeqCst);
    sim.script(move |_| {
        try_everything(&inside);
        Instead::PassOn
    });
    let session = phone.start_session(None).unwrap();
    reach.session.store(session.0 as usize, Ordering::SeqCst);
    phone.settle();
    assert!(reach.done.load(Ordering::SeqCst));
    assert_eq!(session.info().unwrap().status, 0);
    for forbidden in [
        "run_once",
        "start",
        "stop",
        "session_wait",
        "card_info_get",
        "card_transmit",
        "deliver_trigger",
        "toolkit_start",
    ] {
        assert_eq!(reach.of(forbidden), [REENTRANT], "{forbidden}");
    }
    for allowed in ["tree_get", "tree_info_get", "tree_export", "session_info_get", "card_notify"] {
        assert_eq!(reach.of(allowed), [0], "{allowed}");
    }
    sim.plain();
    session.free();
    assert_eq!(sim.card().good_sessions(), 1);
}

#[test]
fn the_client_is_freed_inside_each_of_its_callbacks() {
    for name in ["event", "trigger", "alert"] {
        let (sim, ears) = (Sim::named("demo"), Arc::new(Ears::default()));
        let phone = Phone::try_new(Keep::Nothing, &ears).unwrap();
        let card = phone.ready(&sim);
        ears.keep.store(1, Ordering::SeqCst);
        let client = phone.client as usize;
        let freed = Arc::new(AtomicUsize::new(0));
        let (inside, weak) = (Arc::clone(&freed), Arc::downgrade(&ears));
        ears.hook(move |called| {
            if called == name && inside.fetch_add(1, Ordering::SeqCst) == 0 {
                let before = weak.upgrade().unwrap().destroyed.load(Ordering::SeqCst);
                unsafe { dmsc_client_free(client as *mut dmsc_client) };
                // It takes effect when this has returned.
                assert_eq!(weak.upgrade().unwrap().destroyed.load(Ordering::SeqCst), before);
            }
        });
        let push = sim.push();
        let trigger = dmsc_trigger { data: push.as_ptr(), data_len: push.len(), ..blank() };
        unsafe {
            let mut number =
                dmsc_client_deliver_trigger(phone.client, &raw const trigger, null_mut());
            assert_eq!(number, 1);
            for _ in 0..10_000 {
                if freed.load(Ordering::SeqCst) > 0 {
                    break;
                }
                number = dmsc_client_run_once(phone.client, 0);
                assert!(number >= 0, "{}", last_message());
            }
        }
        assert_eq!(freed.load(Ordering::SeqCst), 1, "{name}");
        assert_eq!((ears.destroyed.load(Ordering::SeqCst), sim.destroyed()), (1, 1), "{name}");
        assert_eq!(card.info().err().unwrap().status, STATE);
        card.close();
        let alert = ears.kept.lock().unwrap().pop();
        assert_eq!(alert.is_some(), name == "alert");
        if let Some(alert) = alert {
            assert_eq!(answer(alert.0, 0).unwrap_err().status, STATE);
        }
        // The handle is gone already.
        std::mem::forget(phone);
    }
}

#[test]
fn the_card_is_closed_inside_a_callback() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let pointer = card.0 as usize;
    let closed = Arc::new(AtomicBool::new(false));
    let inside = Arc::clone(&closed);
    phone.ears.hook(move |called| {
        if called == "alert" && !inside.swap(true, Ordering::SeqCst) {
            unsafe { dmsc_card_close(pointer as *mut dmsc_card) };
        }
    });
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    assert!(closed.load(Ordering::SeqCst));
    assert_eq!(sim.destroyed(), 1);
    let ended = phone.ears.ended();
    assert_eq!((ended.len(), ended[0].0, ended[0].2.as_str()), (1, -8, "the card was closed"));
}

#[test]
fn the_card_is_closed_inside_its_own_transmit() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let pointer = card.0 as usize;
    let counter = sim.clone();
    let mut seen = 0;
    sim.script(move |_| {
        seen += 1;
        if seen == 5 {
            unsafe { dmsc_card_close(pointer as *mut dmsc_card) };
            assert_eq!(counter.destroyed(), 0);
        }
        Instead::PassOn
    });
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    assert_eq!(sim.destroyed(), 1);
    assert_eq!(phone.ears.ended()[0].0, -8);
    sim.plain();
}

#[test]
fn the_client_is_freed_inside_a_transmit() {
    let (sim, ears) = (Sim::named("demo"), Arc::new(Ears::default()));
    let phone = Phone::try_new(Keep::Nothing, &ears).unwrap();
    let card = phone.open(&sim, 0).unwrap();
    let (client, counter) = (phone.client as usize, sim.clone());
    let mut seen = 0;
    sim.script(move |_| {
        seen += 1;
        if seen == 3 {
            unsafe { dmsc_client_free(client as *mut dmsc_client) };
            assert_eq!(counter.destroyed(), 0);
        }
        Instead::PassOn
    });
    let outcome = card.bootstrap();
    assert!(matches!(&outcome, Ok(_) | Err(Failure { status: STATE, .. })), "{outcome:?}");
    assert_eq!((ears.destroyed.load(Ordering::SeqCst), sim.destroyed()), (1, 1));
    sim.plain();
    card.close();
    std::mem::forget(phone);
}
