//! Work on a thread of its own, whose owner may stop waiting for it.

use crate::error::{Code, Error, Result};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Work that may wait without anybody waiting for it.
const POSTED: usize = 16;

/// What is done behind work for which nobody waits any more.
type Undo<T> = Box<dyn FnOnce(&mut T)>;
type Work<T> = Box<dyn FnOnce(&mut T) -> Undo<T> + Send>;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// It takes longer than it may.
    Late,
    /// Somebody has cancelled it.
    Cancelled,
    /// Earlier work that was given up has not ended yet.
    Stuck,
    /// The thread has ended by a panic.
    Ended,
}

struct State<T> {
    queue: VecDeque<(u64, Work<T>)>,
    next: u64,
    /// The work that the owner waits for.
    awaited: Option<u64>,
    cancelled: bool,
    /// Work goes on that nobody waits for, and for which others had no patience.
    stuck: bool,
    ended: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

/// The thread with its tool. Dropping this waits for it, unless it is stuck: then it ends by itself, with
/// what it is at.
pub(crate) struct Errands<T> {
    shared: Arc<Shared<T>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl<T: Send + 'static> Errands<T> {
    /// Fails with `NoMemory` if there is no thread to be had.
    pub(crate) fn start(tool: T) -> Result<Self> {
        let state = State {
            queue: VecDeque::new(),
            next: 0,
            awaited: None,
            cancelled: false,
            stuck: false,
            ended: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let working = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("dmsc-errands".into())
            .spawn(move || Last(&working).0.run(tool))
            .map_err(|error| {
                Error::new(Code::NoMemory, "the thread for the reader could not be started")
                    .with_os_error(error.raw_os_error().unwrap_or(0))
            })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Waits for `work` as long as `limit`. If it ends when nobody waits any more, `undo` follows it.
    pub(crate) fn run<R: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&mut T) -> R + Send + 'static,
        undo: impl FnOnce(&mut T, R) + Send + 'static,
    ) -> core::result::Result<R, Unfinished> {
        let result = Arc::new(Mutex::new(None));
        let place = Arc::clone(&result);
        let work = move |tool: &mut T| -> Undo<T> {
            *place.lock() = Some(work(tool));
            Box::new(move |tool| {
                if let Some(result) = place.lock().take() {
                    undo(tool, result);
                }
            })
        };
        self.shared.wait_for(Box::new(work), limit)?;
        let taken = result.lock().take();
        taken.ok_or(Unfinished::Ended)
    }

    /// Has `work` done without waiting for it, behind what goes on. What comes when too much waits already is
    /// not done.
    pub(crate) fn post(&self, work: impl FnOnce(&mut T) + Send + 'static) {
        let mut state = self.shared.state.lock();
        if state.queue.len() < POSTED {
            state.push(Box::new(|tool| {
                work(tool);
                Box::new(|_| {})
            }));
            self.shared.changed.notify_all();
        }
    }

    /// Ends the waiting of a running [`run`](Self::run), from any thread.
    pub(crate) fn canceller(&self) -> Arc<dyn Fn() + Send + Sync> {
        let shared = Arc::downgrade(&self.shared);
        Arc::new(move || {
            if let Some(shared) = shared.upgrade() {
                shared.state.lock().cancelled = true;
                shared.changed.notify_all();
            }
        })
    }
}

impl<T> State<T> {
    fn push(&mut self, work: Work<T>) -> u64 {
        self.next += 1;
        self.queue.push_back((self.next, work));
        self.next
    }

    /// The owner waits no longer for what it waits for.
    fn give_up(&mut self) {
        let given_up = self.awaited.take();
        self.queue.retain(|(number, _)| Some(*number) != given_up);
        self.stuck = true;
    }
}

impl<T> Shared<T> {
    fn wait_for(&self, work: Work<T>, limit: Duration) -> core::result::Result<(), Unfinished> {
        let until = Instant::now().checked_add(limit);
        let mut state = self.state.lock();
        if state.stuck {
            return Err(Unfinished::Stuck);
        }
        state.cancelled = false;
        state.awaited = Some(state.push(work));
        self.changed.notify_all();
        while state.awaited.is_some() {
            let late = until.is_some_and(|until| Instant::now() >= until);
            if state.ended {
                return Err(Unfinished::Ended);
            } else if state.cancelled || late {
                state.give_up();
                return Err(if late { Unfinished::Late } else { Unfinished::Cancelled });
            }
            match until {
                Some(until) => {
                    self.changed.wait_until(&mut state, until);
                }
                None => self.changed.wait(&mut state),
            }
        }
        Ok(())
    }

    fn run(&self, mut tool: T) {
        while let Some((number, work)) = self.next() {
            let undo = work(&mut tool);
            let mut state = self.state.lock();
            if state.awaited == Some(number) {
                state.awaited = None;
                self.changed.notify_all();
            } else {
                drop(state);
                undo(&mut tool);
            }
        }
    }

    fn next(&self) -> Option<(u64, Work<T>)> {
        let mut state = self.state.lock();
        loop {
            state.stuck = false;
            match state.queue.pop_front() {
                Some(work) => return Some(work),
                None if state.ended => return None,
                None => self.changed.wait(&mut state),
            }
        }
    }
}

/// Says that the thread has ended, however it ends.
struct Last<'a, T>(&'a Shared<T>);

impl<T> Drop for Last<'_, T> {
    fn drop(&mut self) {
        self.0.state.lock().ended = true;
        self.0.changed.notify_all();
    }
}

impl<T> Drop for Errands<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.ended = true;
        let stuck = state.stuck;
        drop(state);
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take().filter(|_| !stuck) {
            // A panic on it has nobody to go to.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(3600);

    fn add(octets: &mut Vec<u8>, octet: u8) -> usize {
        octets.push(octet);
        octets.len()
    }

    #[test]
    fn work_is_done_in_order_on_one_tool() {
        let errands = Errands::start(Vec::new()).unwrap();
        assert_eq!(errands.run(LONG, |tool| add(tool, 1), |_, _| ()), Ok(1));
        errands.post(|tool| tool.push(2));
        assert_eq!(errands.run(LONG, |tool| tool.clone(), |_, _| ()), Ok(vec![1, 2]));
    }

    #[test]
    fn work_that_hangs_is_given_up_and_undone_when_it_ends() {
        for cancelled in [false, true] {
            let errands = Errands::start(Vec::new()).unwrap();
            let (begun, begins) = mpsc::channel();
            let (end, ends) = mpsc::channel::<()>();
            let hang = move |tool: &mut Vec<u8>| {
                begun.send(()).unwrap();
                ends.recv().unwrap();
                add(tool, 1)
            };
            let undo = |tool: &mut Vec<u8>, length| assert_eq!(tool.drain(..).len(), length);
            let cancel = errands.canceller();
            let limit = if cancelled { LONG } else { Duration::from_millis(200) };
            let given_up = thread::scope(|scope| {
                let waiting = scope.spawn(|| errands.run(limit, hang, undo));
                begins.recv().unwrap();
                if cancelled {
                    cancel();
                }
                waiting.join().unwrap()
            });
            let reason = if cancelled { Unfinished::Cancelled } else { Unfinished::Late };
            assert_eq!(given_up, Err(reason));
            assert_eq!(errands.run(LONG, |tool| add(tool, 2), |_, _| ()), Err(Unfinished::Stuck));
            let (done, is_done) = mpsc::channel();
            errands.post(move |tool| done.send(tool.clone()).unwrap());
            end.send(()).unwrap();
            assert!(is_done.recv().unwrap().is_empty());
            assert_eq!(errands.run(LONG, |tool| add(tool, 3), |_, _| ()), Ok(1));
        }
    }

    #[test]
    fn what_waits_behind_work_that_hangs_is_never_done() {
        let errands = Errands::start(Vec::new()).unwrap();
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        errands.post(move |_| {
            begun.send(()).unwrap();
            ends.recv().unwrap();
        });
        begins.recv().unwrap();
        let late = errands.run(Duration::from_millis(1), |tool| add(tool, 1), |_, _| ());
        assert_eq!(late, Err(Unfinished::Late));
        assert_eq!(errands.run(LONG, |tool| add(tool, 2), |_, _| ()), Err(Unfinished::Stuck));
        let (done, is_done) = mpsc::channel();
        errands.post(move |tool| done.send(tool.clone()).unwrap());
        end.send(()).unwrap();
        assert!(is_done.recv().unwrap().is_empty());
        assert_eq!(errands.run(LONG, |tool| add(tool, 3), |_, _| ()), Ok(1));
    }

    #[test]
    fn dropping_does_not_wait_for_work_that_hangs() {
        let (end, ends) = mpsc::channel::<()>();
        let (dropped, is_dropped) = mpsc::channel::<()>();
        let errands = Errands::start(dropped).unwrap();
        let hang = move |_: &mut _| ends.recv().unwrap_or_default();
        let given_up = errands.run(Duration::ZERO, hang, |_, ()| ());
        // It may not even have begun: then it never does.
        assert_eq!(given_up, Err(Unfinished::Late));
        drop(errands);
        drop(end);
        assert!(is_dropped.recv().is_err(), "the tool goes with the thread");
    }

    #[test]
    fn a_panic_is_the_end() {
        let errands = Errands::start(()).unwrap();
        let panics = |(): &mut ()| std::panic::resume_unwind(Box::new(()));
        assert_eq!(errands.run(LONG, panics, |(), ()| ()), Err(Unfinished::Ended));
        assert_eq!(errands.run(LONG, |()| (), |(), ()| ()), Err(Unfinished::Ended));
    }
}
