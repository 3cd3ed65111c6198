//! One thing that may take long, done by a thread of its own while its owner goes on.

use crate::error::{Code, Error, Result};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The running thread. Who drops it does not wait for it: what comes of it is dropped when it is there.
#[derive(Debug)]
pub(crate) struct Background<T> {
    result: Receiver<T>,
    limit: Duration,
    until: Option<Instant>,
}

impl<T: Send + 'static> Background<T> {
    /// Starts `work`, which has `limit` for it.
    ///
    /// Fails with `NoMemory` if there is no thread to be had.
    pub(crate) fn start(
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Self> {
        let (done, result) = channel();
        let run = move || {
            // Nobody may be waiting any more.
            let _ = done.send(work());
        };
        thread::Builder::new().name("dmsc-background".into()).spawn(run).map_err(|error| {
            Error::new(Code::NoMemory, "a thread could not be started")
                .with_os_error(error.raw_os_error().unwrap_or(0))
        })?;
        Ok(Self { result, limit, until: Instant::now().checked_add(limit) })
    }

    /// What came of it; `None` while it lasts, and after it was given once.
    ///
    /// Fails with `Timeout` after the limit, and with `Panic` if `work` has panicked.
    pub(crate) fn poll(&self) -> Result<Option<T>> {
        match self.result.try_recv() {
            Ok(result) => Ok(Some(result)),
            Err(TryRecvError::Disconnected) => Err(Error::new(Code::Panic, "the work has failed")),
            Err(TryRecvError::Empty) if self.until.is_some_and(|until| until <= Instant::now()) => {
                let text = format!("it takes more than {} ms", self.limit.as_millis());
                Err(Error::new(Code::Timeout, text))
            }
            Err(TryRecvError::Empty) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn the_result_comes_once_it_is_there() {
        let (go, wait) = channel();
        let background = Background::start(LONG, move || wait.recv()).unwrap();
        assert_eq!(background.poll(), Ok(None));
        go.send(7).unwrap();
        let result = loop {
            match background.poll().unwrap() {
                Some(result) => break result,
                None => thread::yield_now(),
            }
        };
        assert_eq!(result, Ok(7));
    }

    #[test]
    fn what_takes_too_long_is_left_alone() {
        let (go, wait) = channel();
        let (tell, told) = channel();
        let work = move || tell.send(wait.recv());
        let background = Background::start(Duration::ZERO, work).unwrap();
        let error = background.poll().unwrap_err();
        assert_eq!(error.code(), Code::Timeout);
        assert_eq!(error.to_string(), "it takes more than 0 ms");
        drop(background);
        // The thread goes on by itself.
        go.send(7).unwrap();
        assert_eq!(told.recv().unwrap(), Ok(7));
    }
}
