//! Ends what takes too long: one thread that waits beside the driving one.

use crate::error::{Code, Error, Result};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Bites when guarded work takes longer than it may. Its thread ends with it.
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// When the guarded work is to be over; `None` while nothing is guarded.
    until: Option<Instant>,
    /// The present work has been bitten.
    bitten: bool,
    /// The bite is going on: nothing else may begin that it could hit.
    biting: bool,
    ended: bool,
}

impl Watchdog {
    /// Starts the thread. `bite` makes guarded work end; it is called from that thread.
    ///
    /// Fails with `NoMemory` if there is no thread to be had.
    pub(crate) fn start(bite: impl Fn() + Send + 'static) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("dmsc-watchdog".into())
            .spawn(move || watched.run(&bite))
            .map_err(|error| {
                Error::new(Code::NoMemory, "the watchdog thread could not be started")
                    .with_os_error(error.raw_os_error().unwrap_or(0))
            })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Runs `work`; true with its result if it took longer than `limit` and was bitten.
    pub(crate) fn guard<R>(&self, limit: Duration, work: impl FnOnce() -> R) -> (R, bool) {
        let mut state = self.shared.state.lock();
        state.until = Instant::now().checked_add(limit);
        state.bitten = false;
        drop(state);
        self.shared.changed.notify_all();
        let result = work();
        let mut state = self.shared.state.lock();
        state.until = None;
        while state.biting {
            self.shared.changed.wait(&mut state);
        }
        (result, state.bitten)
    }
}

impl Shared {
    fn run(&self, bite: &dyn Fn()) {
        let mut state = self.state.lock();
        while !state.ended {
            match state.until {
                None => self.changed.wait(&mut state),
                Some(until) if Instant::now() < until => {
                    self.changed.wait_until(&mut state, until);
                }
                Some(_) => {
                    (state.until, state.bitten, state.biting) = (None, true, true);
                    parking_lot::MutexGuard::unlocked(&mut state, bite);
                    state.biting = false;
                    self.changed.notify_all();
                }
            }
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.state.lock().ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It only waits and bites; a panic in the bite has nobody to go to.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn work_in_time_is_left_alone_and_work_that_hangs_is_ended() {
        let (bite, bitten) = mpsc::channel();
        let dog = Watchdog::start(move || bite.send(()).unwrap_or_default()).unwrap();
        assert_eq!(dog.guard(Duration::from_secs(3600), || 7), (7, false));
        let hangs = || bitten.recv().is_ok();
        assert_eq!(dog.guard(Duration::ZERO, hangs), (true, true));
        assert_eq!(dog.guard(Duration::from_millis(1), hangs), (true, true));
        assert_eq!(dog.guard(Duration::from_secs(3600), || 8), (8, false));
        assert!(bitten.try_recv().is_err());
    }
}
