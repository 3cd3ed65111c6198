//! Several threads at once, and who drives.

use super::*;

#[test]
fn calls_of_several_threads_at_once() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    phone.start().unwrap();
    let begin = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let (phone, begin) = (&phone, &begin);
            scope.spawn(move || {
                begin.wait();
                for _ in 0..20 {
                    match number % 4 {
                        0 => assert_eq!(phone.get("./DevInfo/DevId").unwrap(), DEVICE),
                        1 => assert_eq!(card.info().unwrap().is_uicc, 1),
                        2 => {
                            let failure = phone.deliver(b"no notification").unwrap_err();
                            assert_eq!(failure.status, -212);
                        }
                        _ => match phone.start_session(None) {
                            Ok(session) => {
                                assert_eq!(session.wait(60_000).unwrap().1.status, 0);
                                session.free();
                            }
                            Err(failure) => assert_eq!(failure.status, -7, "{}", failure.message),
                        },
                    }
                }
            });
        }
    });
    assert_eq!(phone.stop(60_000).unwrap(), 0);
    let card = sim.card();
    assert!(card.good_sessions() >= 20, "{}", card.report());
    assert_eq!(card.bad_sessions(), 0, "{}", card.report());
}

#[test]
fn callbacks_come_one_at_a_time_on_the_driving_thread() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let inside = Arc::new(AtomicI32::new(0));
    let most = Arc::new(AtomicI32::new(0));
    let (now, max) = (Arc::clone(&inside), Arc::clone(&most));
    phone.ears.hook(move |_| {
        max.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::yield_now();
        now.fetch_sub(1, Ordering::SeqCst);
    });
    phone.ears.threads.lock().unwrap().clear();
    thread::scope(|scope| {
        for _ in 0..4 {
            let phone = &phone;
            scope.spawn(move || {
                for _ in 0..10 {
                    let _ = phone.start_session(None).map(|session| {
                        let _ = session.wait(60_000).unwrap();
                        session.free();
                    });
                }
            });
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), 1);
    assert!(!phone.ears.threads.lock().unwrap().is_empty());
    assert_eq!(sim.card().bad_sessions(), 0);
}

#[test]
fn a_wait_is_ended_by_wake_and_two_drivers_are_one_too_many() {
    let phone = Phone::new(Keep::Nothing);
    let waiting = AtomicBool::new(false);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            waiting.store(true, Ordering::SeqCst);
            let begin = Instant::now();
            // The other thread may be the one that drives, for a moment.
            let number = loop {
                match phone.run_once(60_000) {
                    Err(failure) if failure.status == -7 => thread::yield_now(),
                    done => break done.unwrap(),
                }
            };
            (number, begin.elapsed())
        });
        while !waiting.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        // Until the other thread drives this one may find the seat free.
        let until = Instant::now() + Duration::from_secs(20);
        let busy = loop {
            match phone.run_once(0) {
                Err(failure) => break failure,
                Ok(_) => assert!(Instant::now() < until),
            }
        };
        assert_eq!(busy.status, -7);
        assert_eq!(busy.message, "another thread drives the client");
        unsafe { dmsc_client_wake(phone.client) };
        let (number, time) = waiter.join().unwrap();
        assert_eq!(number, 2);
        assert!(time < Duration::from_secs(30), "{time:?}");
    });
}

#[test]
fn the_next_deadline() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let deadline = || unsafe { dmsc_client_next_deadline_ms(phone.client) };
    phone.settle();
    assert_eq!(deadline(), u64::MAX);
    phone.ready(&sim);
    // The card is polled from time to time.
    assert!((1..=30_000).contains(&deadline()), "{}", deadline());
    phone.deliver(&sim.push()).unwrap();
    assert_eq!(deadline(), 0);
    phone.settle();
    assert!(deadline() > 0, "nothing is due");
}

#[test]
fn the_client_is_freed_while_its_thread_and_others_use_it() {
    for _ in 0..20 {
        let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
        let card = phone.ready(&sim);
        phone.start().unwrap();
        let session = phone.start_session(None).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                // The end of the client is an end of the session.
                let outcome = session.wait(60_000);
                assert!(
                    matches!(&outcome, Ok((0, _)) | Err(Failure { status: STATE, .. })),
                    "{outcome:?}"
                );
            });
            scope.spawn(|| while card.info().is_ok() {});
            phone.free();
        });
        card.close();
        session.free();
        assert_eq!(sim.destroyed(), 1);
    }
}
