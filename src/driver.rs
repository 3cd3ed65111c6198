//! Who may touch the core, when, and on which thread: the driving thread, its jobs, and its waiting.
//!
//! The core is moved out of the [`Seat`] by the thread that drives and put back before the host is
//! told anything, so no lock is held in a callback. The only place that owns a thread or waits. Must
//! not know what the core does.

mod acceptor;
mod background;
mod errands;
mod watchdog;
mod watcher;
mod worker;

pub(crate) use acceptor::Acceptor;
pub(crate) use background::Background;
pub(crate) use errands::{Errands, Unfinished};
pub(crate) use watchdog::Watchdog;
pub(crate) use watcher::Watcher;
pub(crate) use worker::Worker;

use crate::error::{Code, Error, Result};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What the driver needs of the core it drives.
pub(crate) trait Drive: Send + 'static {
    /// Something to tell the host once the core is back in its seat.
    type Notice: Send;
    /// Does what is due; true if anything was done.
    fn step(&mut self) -> bool;
    /// Time until something is due without a new job; `None` if never.
    fn idle_time(&self) -> Option<Duration>;
    /// What the host is to be told, oldest first.
    fn take_notices(&mut self) -> Vec<Self::Notice>;
}

/// Tells the host; called on the driving thread with no lock held.
pub(crate) type Deliver<C> = Box<dyn Fn(&Seat<C>, <C as Drive>::Notice) + Send + Sync>;

type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

/// A running thread. `thread::current` would allocate in threads that Rust did not start, and leave that
/// to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Caller(usize);

impl Caller {
    fn this() -> Self {
        thread_local! { static MARK: u8 = const { 0 } }
        Self(MARK.with(|mark| std::ptr::from_ref(mark).addr()))
    }
}

struct State<C> {
    /// `None` while the driving thread has it.
    core: Option<Box<C>>,
    driving: Option<Caller>,
    jobs: VecDeque<Job<C>>,
    /// A job came since the last look.
    woken: bool,
    /// The last look did something: the next one may have something to do at once.
    busy: bool,
    /// The next wait of `run_once` is to end at once.
    interrupted: bool,
    /// Closed for good; the core is dropped as soon as it is in its seat.
    closing: bool,
}

/// The core's place: at most one thread drives it.
pub(crate) struct Seat<C: Drive> {
    state: Mutex<State<C>>,
    changed: Condvar,
    deliver: Deliver<C>,
    poisoned: AtomicBool,
}

/// What a `run_once` came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// Something was done.
    Something,
    /// Nothing was due in the time given.
    Nothing,
}

impl<C: Drive> Seat<C> {
    pub(crate) fn new(core: C, deliver: Deliver<C>) -> Self {
        Self {
            state: Mutex::new(State {
                core: Some(Box::new(core)),
                driving: None,
                jobs: VecDeque::new(),
                woken: false,
                busy: false,
                interrupted: false,
                closing: false,
            }),
            changed: Condvar::new(),
            deliver,
            poisoned: AtomicBool::new(false),
        }
    }

    /// Makes every later use fail: the core may be half changed after a panic.
    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Ends the wait of `run_once`, or its next one.
    pub(crate) fn wake(&self) {
        self.state.lock().interrupted = true;
        self.changed.notify_all();
    }

    /// Puts `job` in line for the driving thread without waiting for it. `State` once the core is
    /// gone.
    pub(crate) fn post(&self, job: impl FnOnce(&mut C) + Send + 'static) -> Result<()> {
        let mut state = self.state.lock();
        self.usable(&state)?;
        state.jobs.push_back(Box::new(job));
        state.woken = true;
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Runs `job` on the core and returns its result: by this thread if nobody drives, else by the
    /// driving thread. `Reentrant` inside a callback that a card, stream or node is waiting for.
    pub(crate) fn call<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut C) -> R + Send + 'static,
    ) -> Result<R> {
        let slot = Arc::new(Mutex::new(None));
        let result = Arc::clone(&slot);
        let mut state = self.state.lock();
        self.usable(&state)?;
        if state.driving == Some(Caller::this()) {
            let Some(mut core) = state.core.take() else {
                return Err(Error::new(
                    Code::Reentrant,
                    "not allowed inside a card, stream or node callback",
                ));
            };
            drop(state);
            let value = job(&mut core);
            self.state.lock().core = Some(core);
            return Ok(value);
        }
        state.jobs.push_back(Box::new(move |core| *slot.lock() = Some(job(core))));
        state.woken = true;
        self.changed.notify_all();
        loop {
            if let Some(value) = result.lock().take() {
                return Ok(value);
            }
            self.usable(&state)?;
            if state.driving.is_none() {
                let role = self.enter(&mut state);
                drop(state);
                self.drive();
                drop(role);
                state = self.state.lock();
            } else {
                self.changed.wait(&mut state);
            }
        }
    }

    /// Handles what is due; waits for it at most `timeout`, in the driving role, so that calls of
    /// other threads are done here.
    pub(crate) fn run_once(&self, timeout: Duration) -> Result<Ran> {
        let until = Instant::now().checked_add(timeout);
        let mut state = self.state.lock();
        self.usable(&state)?;
        match state.driving {
            Some(id) if id == Caller::this() => {
                return Err(Error::new(Code::Reentrant, "run_once inside a callback"));
            }
            Some(_) => return Err(Error::new(Code::Busy, "another thread drives the client")),
            None => {}
        }
        let _role = self.enter(&mut state);
        drop(state);
        loop {
            self.state.lock().woken = false;
            if self.drive() {
                return Ok(Ran::Something);
            }
            if !self.wait(until)? {
                return Ok(Ran::Nothing);
            }
        }
    }

    /// Takes the driving role for this thread until the guard is dropped.
    fn enter(&self, state: &mut State<C>) -> Leave<'_, C> {
        state.driving = Some(Caller::this());
        Leave(self)
    }

    /// Waits until something is due or posted; false at `until` or when interrupted.
    fn wait(&self, until: Option<Instant>) -> Result<bool> {
        let mut state = self.state.lock();
        self.usable(&state)?;
        if std::mem::take(&mut state.interrupted) {
            return Ok(false);
        }
        if state.woken {
            return Ok(true);
        }
        let now = Instant::now();
        if until.is_some_and(|until| until <= now) {
            return Ok(false);
        }
        let due = state.core.as_ref().and_then(|core| core.idle_time());
        let due = due.and_then(|due| now.checked_add(due));
        match due.into_iter().chain(until).min() {
            Some(instant) => {
                self.changed.wait_until(&mut state, instant);
            }
            None => self.changed.wait(&mut state),
        }
        Ok(true)
    }

    /// Waits while another thread drives, until `over` or `until`. What `over` looks at may change in a
    /// step or a job only.
    pub(crate) fn wait_for_turn(&self, until: Option<Instant>, over: impl Fn() -> bool) {
        let mut state = self.state.lock();
        while state.driving.is_some() && !over() {
            match until {
                Some(until) => {
                    if self.changed.wait_until(&mut state, until).timed_out() {
                        return;
                    }
                }
                None => self.changed.wait(&mut state),
            }
        }
    }

    /// In the driving role: runs the jobs and one step on the core, then tells the host.
    fn drive(&self) -> bool {
        let mut state = self.state.lock();
        let mut did = false;
        while let Some(job) = state.jobs.pop_front() {
            did = true;
            self.with_core(&mut state, |core| job(core));
            self.changed.notify_all();
        }
        did |= self.with_core(&mut state, C::step).unwrap_or(false);
        drop(state);
        did |= self.tell();
        self.state.lock().busy = did;
        if did {
            self.changed.notify_all();
        }
        did
    }

    fn with_core<R>(
        &self,
        state: &mut parking_lot::MutexGuard<'_, State<C>>,
        work: impl FnOnce(&mut C) -> R,
    ) -> Option<R> {
        let mut core = state.core.take()?;
        let value = parking_lot::MutexGuard::unlocked(state, || work(&mut core));
        state.core = Some(core);
        Some(value)
    }

    /// Delivers notices until there are none: a callback may cause new ones. After a callback that
    /// closed the client no other is called.
    fn tell(&self) -> bool {
        let mut told = false;
        loop {
            let mut state = self.state.lock();
            let notices = state.core.as_mut().map(|core| core.take_notices()).unwrap_or_default();
            drop(state);
            if notices.is_empty() {
                return told;
            }
            for notice in notices {
                if self.state.lock().closing {
                    return told;
                }
                told = true;
                (self.deliver)(self, notice);
            }
        }
    }

    /// Fails once the client is poisoned or closed.
    fn usable(&self, state: &State<C>) -> Result<()> {
        if self.poisoned.load(Ordering::SeqCst) {
            return Err(Error::new(Code::State, "the client is unusable after an internal error"));
        }
        if state.closing {
            return Err(Error::new(Code::State, "the client is closed"));
        }
        Ok(())
    }

    /// True on the thread that drives now, that is, inside a callback.
    pub(crate) fn is_driving_thread(&self) -> bool {
        self.state.lock().driving == Some(Caller::this())
    }

    /// Time until something is due; zero while another thread is at it, which may leave more to do.
    pub(crate) fn idle_time(&self) -> Option<Duration> {
        let state = self.state.lock();
        if state.interrupted || state.busy || !state.jobs.is_empty() {
            return Some(Duration::ZERO);
        }
        match &state.core {
            Some(core) => core.idle_time(),
            None => state.driving.map(|_| Duration::ZERO),
        }
    }

    /// Closes for good. The core (with every card and stream in it) is dropped now, or, inside a
    /// callback, when the callback has returned.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closing = true;
        if state.driving == Some(Caller::this()) {
            return;
        }
        self.changed.notify_all();
        while state.driving.is_some() {
            self.changed.wait(&mut state);
        }
        let core = state.core.take();
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        drop((core, jobs));
    }

    /// Drives until `stop` is set; the body of the client's own thread.
    fn run(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            match self.run_once(Duration::from_secs(3600)) {
                Ok(_) => {}
                // Another thread drives just now: look again when it leaves.
                Err(error) if error.code() == Code::Busy => {
                    let mut state = self.state.lock();
                    // `stop` is set before the lock is taken to notify: no wake-up is lost.
                    if state.driving.is_some() && !stop.load(Ordering::SeqCst) {
                        self.changed.wait(&mut state);
                    }
                }
                Err(_) => return,
            }
        }
    }
}

/// Gives the driving role back, whatever happened.
struct Leave<'a, C: Drive>(&'a Seat<C>);

impl<C: Drive> Drop for Leave<'_, C> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.poison();
        }
        let mut state = self.0.state.lock();
        if state.closing {
            // Before the role is given back: who waits for it in `close` relies on the core's end.
            let core = state.core.take();
            let jobs = std::mem::take(&mut state.jobs);
            drop(state);
            drop((core, jobs));
            state = self.0.state.lock();
        }
        state.driving = None;
        drop(state);
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
