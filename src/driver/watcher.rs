//! A thread that waits for something outside and tells of it, until it is dropped.

use crate::error::{Code, Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// The running thread.
pub(crate) struct Watcher {
    stop: Arc<AtomicBool>,
    interrupt: Box<dyn Fn() + Send + Sync>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watcher {
    /// Calls `look` again and again until it returns false. It may wait, but not for ever;
    /// `interrupt` ends its wait.
    ///
    /// Fails with `NoMemory` if there is no thread to be had.
    pub(crate) fn start(
        mut look: impl FnMut() -> bool + Send + 'static,
        interrupt: Box<dyn Fn() + Send + Sync>,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("dmsc-watcher".into())
            .spawn(move || while !stopped.load(Ordering::SeqCst) && look() {})
            .map_err(|error| {
                Error::new(Code::NoMemory, "the watching thread could not be started")
                    .with_os_error(error.raw_os_error().unwrap_or(0))
            })?;
        Ok(Self { stop, interrupt, thread: Some(thread) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        (self.interrupt)();
        if let Some(thread) = self.thread.take() {
            // It only looks; a panic in it has nobody to go to.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_watcher_looks_until_it_is_dropped() {
        let (tell, told) = mpsc::channel();
        let watcher = Watcher::start(move || tell.send(()).is_ok(), Box::new(|| {})).unwrap();
        told.recv().unwrap();
        drop(watcher);
        while told.try_recv().is_ok() {}
        assert_eq!(told.recv(), Err(mpsc::RecvError), "the thread has not ended");
    }
}
