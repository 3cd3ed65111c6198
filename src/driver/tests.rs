//! The seat with a core that counts.

use super::*;

#[derive(Default)]
struct Counter {
    steps: u32,
    notices: Vec<u32>,
}

impl Drive for Counter {
    type Notice = u32;
    fn step(&mut self) -> bool {
        false
    }
    fn idle_time(&self) -> Option<Duration> {
        None
    }
    fn take_notices(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.notices)
    }
}

fn seat(deliver: impl Fn(u32) + Send + Sync + 'static) -> Arc<Seat<Counter>> {
    Arc::new(Seat::new(Counter::default(), Box::new(move |_, n| deliver(n))))
}

#[test]
fn a_call_without_driver_runs_on_the_caller_and_tells() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let seat = seat(move |n| ear.lock().push((n, Caller::this())));
    let id = seat
        .call(|core| {
            core.notices.push(7);
            Caller::this()
        })
        .unwrap();
    assert_eq!(id, Caller::this());
    assert_eq!(*heard.lock(), [(7, Caller::this())]);
}

#[test]
fn a_call_with_a_worker_runs_on_its_thread() {
    let seat = seat(|_| {});
    let worker = Worker::start(&seat).unwrap();
    // The worker may not have taken its seat at the first call.
    let mut id = Caller::this();
    for _ in 0..1_000_000 {
        id = seat.call(|_| Caller::this()).unwrap();
        if id != Caller::this() {
            break;
        }
    }
    assert_ne!(id, Caller::this());
    assert!(worker.stop(&seat, Duration::from_secs(10)).is_ok());
}

#[test]
fn run_once_times_out_when_nothing_is_due() {
    assert_eq!(seat(|_| {}).run_once(Duration::from_millis(1)).unwrap(), Ran::Nothing);
}

#[test]
fn a_call_inside_a_step_is_reentrant_and_inside_a_notice_it_is_not() {
    let seat = seat(|_| {});
    let inner = Arc::clone(&seat);
    let outcome = seat
        .call(move |core| {
            core.steps += 1;
            inner.call(|_| ())
        })
        .unwrap();
    assert_eq!(outcome.unwrap_err().code(), Code::Reentrant);

    let outcome = Arc::new(Mutex::new(None));
    let result = Arc::clone(&outcome);
    let deliver = move |seat: &Seat<Counter>, _| {
        *result.lock() = Some(seat.call(|core| core.steps));
    };
    let seat = Seat::new(Counter::default(), Box::new(deliver));
    seat.call(|core| {
        core.steps = 5;
        core.notices.push(1);
    })
    .unwrap();
    assert_eq!(outcome.lock().take().unwrap().unwrap(), 5);
}

#[test]
fn a_panic_poisons_and_frees_the_seat() {
    let seat = seat(|_| {});
    let call = std::panic::AssertUnwindSafe(|| seat.call(|_| panic!("bug")));
    assert!(std::panic::catch_unwind(call).is_err());
    assert_eq!(seat.call(|_| ()).unwrap_err().code(), Code::State);
    seat.close();
}

#[test]
fn closing_inside_a_notice_is_the_last_one_and_drops_the_core_afterwards() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&told);
    let deliver = move |seat: &Seat<Counter>, number| {
        ear.lock().push(number);
        seat.close();
        assert!(seat.state.lock().core.is_some(), "the core is gone inside the callback");
    };
    let seat = Seat::new(Counter::default(), Box::new(deliver));
    seat.call(|core| core.notices.extend([1, 2])).unwrap();
    assert!(seat.state.lock().core.is_none());
    assert_eq!(*told.lock(), [1]);
    assert_eq!(seat.post(|_| {}).unwrap_err().code(), Code::State);
}

#[test]
fn after_work_the_next_look_is_due_at_once() {
    let seat = seat(|_| {});
    assert_eq!(seat.idle_time(), None);
    seat.call(|_| ()).unwrap();
    assert_eq!(seat.idle_time(), Some(Duration::ZERO));
    assert_eq!(seat.run_once(Duration::ZERO).unwrap(), Ran::Nothing);
    assert_eq!(seat.idle_time(), None);
}

/// Says when it has ended, slowly.
struct Slow(Arc<AtomicBool>);

impl Drive for Slow {
    type Notice = ();
    fn step(&mut self) -> bool {
        false
    }
    fn idle_time(&self) -> Option<Duration> {
        None
    }
    fn take_notices(&mut self) -> Vec<()> {
        Vec::new()
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        for _ in 0..1000 {
            thread::yield_now();
        }
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn the_core_has_ended_when_close_returns_whoever_drives() {
    let ended = Arc::new(AtomicBool::new(false));
    let seat = Arc::new(Seat::new(Slow(Arc::clone(&ended)), Box::new(|_, ()| {})));
    let worker = Worker::start(&seat).unwrap();
    while seat.state.lock().driving.is_none() {
        thread::yield_now();
    }
    seat.close();
    assert!(ended.load(Ordering::SeqCst));
    assert!(worker.stop(&seat, Duration::from_secs(10)).is_ok());
}

#[test]
fn a_worker_that_waits_for_another_driver_can_be_stopped() {
    let seat = seat(|_| {});
    let role = seat.enter(&mut seat.state.lock());
    let worker = Worker::start(&seat).unwrap();
    assert!(worker.stop(&seat, Duration::from_secs(10)).is_ok());
    drop(role);
}
