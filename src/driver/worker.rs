//! A thread that drives a client by itself.

use super::{Drive, Seat};
use crate::error::{Code, Error, Result};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The client's own driving thread.
pub(crate) struct Worker {
    stop: Arc<AtomicBool>,
    done: Arc<(Mutex<bool>, Condvar)>,
    thread: thread::JoinHandle<()>,
}

impl Worker {
    pub(crate) fn start<C: Drive>(seat: &Arc<Seat<C>>) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = {
            let (seat, stop, done) = (Arc::clone(seat), Arc::clone(&stop), Arc::clone(&done));
            thread::Builder::new().name("dmsc-driver".into()).spawn(move || {
                let run = std::panic::AssertUnwindSafe(|| seat.run(&stop));
                if std::panic::catch_unwind(run).is_err() {
                    seat.poison();
                }
                *done.0.lock() = true;
                done.1.notify_all();
            })
        };
        let thread = thread.map_err(|error| {
            Error::new(Code::NoMemory, "the driving thread could not be started")
                .with_os_error(error.raw_os_error().unwrap_or(0))
        })?;
        Ok(Self { stop, done, thread })
    }

    /// Asks the thread to end and waits; gives the worker back if it did not end in time.
    pub(crate) fn stop<C: Drive>(
        self,
        seat: &Seat<C>,
        timeout: Duration,
    ) -> core::result::Result<(), Self> {
        self.stop.store(true, Ordering::SeqCst);
        seat.wake();
        let mut done = self.done.0.lock();
        if !*done {
            self.done.1.wait_while_for(&mut done, |done| !*done, timeout);
        }
        let ended = *done;
        drop(done);
        if !ended {
            return Err(self);
        }
        // The thread has left its loop; a panic in it was reported by poisoning the seat.
        let _ = self.thread.join();
        Ok(())
    }

    /// True once the thread has left its loop, asked to or not.
    pub(crate) fn has_ended(&self) -> bool {
        *self.done.0.lock()
    }
}
