//! The facade: one DM client with its cards, sessions, tree and store.
//!
//! What C and Java call. Owns the driving thread and the table of sessions; everything that happens is
//! in [`core`]. Must not know C or Java.

mod alerts;
mod bearer;
mod connecting;
mod consent;
mod core;
mod detached;
mod gateway;
mod hosting;
mod intake;
mod journal;
mod leftovers;
mod links;
mod network;
mod pipe;
mod provisioning;
mod running;
mod schedule;
mod sessions;
mod slot;
mod table;
#[cfg(test)]
mod tests;
mod toolkit;
mod trace;
mod tree;
mod watched;

pub use self::core::{Clock, Environment};
pub use crate::trigger::push::Sec;
pub use alerts::{AlertKind, QueuedAlert};
pub use intake::Delivery;
pub use network::StreamScheme;
pub use provisioning::Provisioning;
pub use slot::{CardId, CardInfo, CardSignal};
pub use table::{SessionInfo, SessionState};
pub use toolkit::{Capabilities, Outgoing, ToolkitEvent, ToolkitHost, ToolkitRequest};
pub use trace::{Exchange, TraceSink};
pub use tree::{NodeInfo, TreeTxn};

use self::core::{Core, Notice};
use self::network::Attempts;
use crate::bootstrap;
use crate::card::cat::HostAnswer;
use crate::card::transport::{Cancel, CardTransport, Presence, PresenceWatch};
use crate::config::Config;
use crate::driver::{Acceptor, Ran, Seat, Watcher, Worker};
use crate::error::{Code, Error, Result};
use crate::event::{AnswerSink, Listener};
use crate::session::Answer;
use crate::store::{Database, Store};
use crate::transport::Connector;
use crate::tree::Hosted;
use parking_lot::Mutex;
use std::net::IpAddr;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use table::SessionTable;
use toolkit::RequestSink;

/// A DM client. Clones are the same client.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    seat: Arc<Seat<Core>>,
    worker: Mutex<Option<Worker>>,
    sessions: Arc<SessionTable>,
    /// The host's attempts to connect, which are cancelled past the driving thread.
    attempts: Arc<Attempts>,
    /// `None` once the client is closed, so that its store is free although handles are left.
    db: Mutex<Option<Database>>,
    hosted: Arc<Hosted>,
    clock: Clock,
    closed: AtomicBool,
    /// The gateway's ports.
    ports: Mutex<Vec<Acceptor>>,
    /// What ends a running exchange of a card, without waiting for the driving thread.
    cancels: Mutex<Vec<(CardId, Cancel)>>,
    /// Who looks after the readers of open cards.
    watchers: Mutex<Vec<(CardId, Watcher)>>,
    /// Kept here because questions hold it weakly: with the client it goes.
    _answers: Arc<Answers>,
}

/// Takes answers to the seat of the client that asked.
struct Answers(Weak<Seat<Core>>);

impl AnswerSink for Answers {
    fn answer(&self, id: u64, answer: Answer) -> Result<()> {
        let gone = || Error::new(Code::State, "the client of this question is gone");
        self.0.upgrade().ok_or_else(gone)?.post(move |core| core.answer(id, answer))
    }
}

impl RequestSink for Answers {
    fn answer(&self, card: CardId, id: u64, answer: HostAnswer) -> Result<()> {
        let gone = || Error::new(Code::State, "the client of this request is gone");
        self.0.upgrade().ok_or_else(gone)?.post(move |core| core.toolkit_answer(card, id, answer))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client over `store`; sets up or updates the standard objects of the tree.
    pub fn new(
        config: Config,
        store: Arc<dyn Store>,
        environment: Environment,
        listener: Box<dyn Listener>,
    ) -> Result<Self> {
        config.check()?;
        let (mut db, hosted) = (config.database(store)?, Arc::new(Hosted::default()));
        db.attach(hosted.clone());
        let sessions = Arc::new(SessionTable::default());
        let clock = environment.clock.clone();
        let attempts = Arc::new(Attempts::default());
        let tree = (db.clone(), hosted.clone());
        let core = Core::new(
            config,
            tree,
            environment,
            listener.into(),
            sessions.clone(),
            attempts.clone(),
        )?;
        let seat = Arc::new(Seat::new(core, Box::new(deliver)));
        let answers = Arc::new(Answers(Arc::downgrade(&seat)));
        let sink: Weak<dyn AnswerSink> = Arc::downgrade(&(answers.clone() as Arc<dyn AnswerSink>));
        let requests: Weak<dyn RequestSink> =
            Arc::downgrade(&(answers.clone() as Arc<dyn RequestSink>));
        seat.call(move |core| core.set_answer_sinks(sink, requests))?;
        Ok(Self(Arc::new(Shared {
            seat,
            worker: Mutex::new(None),
            sessions,
            attempts,
            db: Mutex::new(Some(db)),
            hosted,
            clock,
            closed: AtomicBool::new(false),
            ports: Mutex::default(),
            cancels: Mutex::new(Vec::new()),
            watchers: Mutex::new(Vec::new()),
            _answers: answers,
        })))
    }

    /// Runs `body`; if it panics the client is unusable from then on, and the panic goes on.
    pub fn poison_on_panic<R>(&self, body: impl FnOnce(&Self) -> R) -> R {
        panic::catch_unwind(AssertUnwindSafe(|| body(self))).unwrap_or_else(|payload| {
            self.0.seat.poison();
            panic::resume_unwind(payload)
        })
    }

    /// Handles what is due and waits for it at most `timeout`, on this thread.
    pub fn run_once(&self, timeout: Duration) -> Result<Ran> {
        self.0.seat.run_once(timeout)
    }

    /// Time until [`run_once`](Self::run_once) has something to do by itself.
    pub fn idle_time(&self) -> Option<Duration> {
        self.0.seat.idle_time()
    }

    /// Ends the wait of a `run_once`.
    pub fn wake(&self) {
        self.0.seat.wake();
    }

    /// Starts a thread that drives the client.
    pub fn start(&self) -> Result<()> {
        self.outside_callbacks("start")?;
        self.open()?;
        let mut worker = self.0.worker.lock();
        // One that was asked to stop may have ended since.
        if worker.as_ref().is_some_and(|worker| !worker.has_ended()) {
            return Err(Error::new(Code::State, "the client's thread runs already"));
        }
        *worker = Some(Worker::start(&self.0.seat)?);
        Ok(())
    }

    /// Ends the thread of [`start`](Self::start); false if it still works after `timeout`.
    pub fn stop(&self, timeout: Duration) -> Result<bool> {
        self.outside_callbacks("stop")?;
        Ok(self.stop_worker(timeout))
    }

    /// Holds the lock all the time, so that nobody starts a second thread meanwhile; no callback of
    /// the thread takes it.
    fn stop_worker(&self, timeout: Duration) -> bool {
        let mut place = self.0.worker.lock();
        let Some(worker) = place.take() else { return true };
        *place = worker.stop(&self.0.seat, timeout).err();
        place.is_none()
    }

    fn outside_callbacks(&self, what: &str) -> Result<()> {
        if self.0.seat.is_driving_thread() {
            return Err(Error::new(Code::Reentrant, format!("{what} inside a callback")));
        }
        Ok(())
    }

    fn open(&self) -> Result<()> {
        if self.0.closed.load(Ordering::SeqCst) {
            return Err(Error::new(Code::State, "the client is closed"));
        }
        Ok(())
    }

    /// Ends everything: thread, session, cards, callbacks. Inside a callback, when that returns.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        drop(self.0.db.lock().take());
        drop(std::mem::take(&mut *self.0.ports.lock()));
        drop(std::mem::take(&mut *self.0.watchers.lock()));
        let cancels = std::mem::take(&mut *self.0.cancels.lock());
        if self.0.seat.is_driving_thread() {
            self.0.seat.close();
            return;
        }
        self.0.attempts.cancel(None);
        for (_, cancel) in cancels {
            cancel();
        }
        self.0.seat.close();
        // The thread sees the closed seat and ends by itself, after what it is doing.
        self.stop_worker(Duration::from_secs(3600));
    }

    /// Opens a card.
    pub fn open_card(&self, slot: u32, transport: Box<dyn CardTransport>) -> Result<CardId> {
        self.open_card_with(slot, move || Ok(transport))
    }

    /// Opens a card whose transport is made by `open` on the driving thread, like all else that talks to
    /// the card.
    pub fn open_card_with(
        &self,
        slot: u32,
        open: impl FnOnce() -> Result<Box<dyn CardTransport>> + Send + 'static,
    ) -> Result<CardId> {
        let opened = self.0.seat.call(move |core| {
            let transport = open()?;
            let watch = transport.presence();
            let transport = watched::watched(transport)?;
            let cancel = transport.canceller();
            let id = core.open_card(slot, transport)?;
            Ok::<_, Error>((id, cancel, watch))
        });
        let (id, cancel, watch) = opened??;
        if let Some(watch) = watch {
            let watcher = self.watch_reader(id, watch)?;
            self.0.watchers.lock().push((id, watcher));
        }
        self.0.cancels.lock().extend(cancel.map(|cancel| (id, cancel)));
        Ok(id)
    }

    /// Tells the core what happens in a card's reader.
    fn watch_reader(&self, id: CardId, mut watch: Box<dyn PresenceWatch>) -> Result<Watcher> {
        let seat = Arc::downgrade(&self.0.seat);
        let interrupt = watch.interrupt();
        let look = move || {
            let Ok(news) = watch.wait() else { return false };
            news.into_iter().all(|presence| {
                let signal = match presence {
                    Presence::Removed => CardSignal::Removed,
                    Presence::Inserted => CardSignal::Inserted,
                };
                let told =
                    seat.upgrade().map(|seat| seat.post(move |core| core.notify_card(id, signal)));
                matches!(told, Some(Ok(())))
            })
        };
        Watcher::start(look, Box::new(move || interrupt()))
    }

    /// Ends the exchange that a card is in, which fails with `Cancelled`; nothing if it is in none.
    ///
    /// Fails with `NotSupported` where the card's transport cannot be interrupted, and with `State` if
    /// the card is closed.
    pub fn cancel_card(&self, id: CardId) -> Result<()> {
        self.open()?;
        let cancels = self.0.cancels.lock();
        let cancel = cancels.iter().find(|(card, _)| *card == id).map(|(_, cancel)| cancel.clone());
        drop(cancels);
        let no = || Error::new(Code::NotSupported, "the card's transport cannot be interrupted");
        cancel.ok_or_else(no)?();
        Ok(())
    }

    /// Closes a card; its session is aborted, a running exchange cancelled where that is possible.
    pub fn close_card(&self, id: CardId) {
        let mut watchers = self.0.watchers.lock();
        let at = watchers.iter().position(|(card, _)| *card == id);
        let watcher = at.map(|at| watchers.swap_remove(at));
        drop(watchers);
        drop(watcher);
        let mut cancels = self.0.cancels.lock();
        let at = cancels.iter().position(|(card, _)| *card == id);
        let cancel = at.map(|at| cancels.swap_remove(at).1);
        drop(cancels);
        if let Some(cancel) = cancel.filter(|_| !self.0.seat.is_driving_thread()) {
            cancel();
        }
        // Inside a card's own callback the core is in use: then it is done right afterwards.
        if self.0.seat.call(move |core| core.close_card(id)).is_err() {
            // A closed client has closed its cards.
            let _ = self.0.seat.post(move |core| core.close_card(id));
        }
    }

    /// What a card is.
    pub fn card_info(&self, id: CardId) -> Result<CardInfo> {
        self.0.seat.call(move |core| core.slot(id).map(|slot| slot.info()))?
    }

    /// Sends one command APDU to a card as it is.
    pub fn card_transmit(&self, id: CardId, command: Vec<u8>) -> Result<Vec<u8>> {
        self.0.seat.call(move |core| core.transmit(id, &command))?
    }

    /// Says who carries out what cards' toolkits ask of the host. What a toolkit announced when it started
    /// stays as it is.
    pub fn set_toolkit_host(&self, host: Option<Arc<dyn ToolkitHost>>) -> Result<()> {
        self.0.seat.call(move |core| core.set_toolkit_host(host))
    }

    /// Carries out one proactive command that the host's modem has fetched; the data of the TERMINAL
    /// RESPONSE, or `None` while the host is asked: then it is sent by [`ToolkitHost::send`].
    ///
    /// The first call makes the host the owner of the card's toolkit. Fails with `State` if the library
    /// owns it or another command is open, and with `CardBadData` for what is no command.
    pub fn proactive_command(&self, id: CardId, command: Vec<u8>) -> Result<Option<Vec<u8>>> {
        self.0.seat.call(move |core| core.proactive(id, &command))?
    }

    /// The data of TERMINAL PROFILE for a modem that owns the toolkit. Makes the host its owner.
    pub fn terminal_profile(&self, id: CardId) -> Result<Vec<u8>> {
        self.0.seat.call(move |core| core.terminal_profile(id))?
    }

    /// Tells a card's toolkit what happened. `State` if it was not started.
    pub fn toolkit_event(&self, id: CardId, event: ToolkitEvent) -> Result<()> {
        self.0.seat.call(move |core| core.toolkit_event(id, event))?
    }

    /// Shows every exchange with every card to `sink` from now on; `None` ends it.
    pub fn set_trace(&self, sink: Option<TraceSink>) -> Result<()> {
        self.0.seat.call(move |core| core.set_trace(sink))
    }

    /// Writes every exchange with every card to a capture file from now on (pcap with GSMTAP).
    ///
    /// Fails with `Io` if the file cannot be made.
    pub fn trace_to_pcap(&self, path: &Path) -> Result<()> {
        self.set_trace(Some(trace::capture(path)?))
    }

    /// Tells what happened to a card, without waiting for the driving thread.
    pub fn notify_card(&self, id: CardId, signal: CardSignal) -> Result<()> {
        self.0.seat.post(move |core| core.notify_card(id, signal))
    }

    /// Makes the library the owner of a card's toolkit.
    pub fn start_toolkit(&self, id: CardId) -> Result<()> {
        self.0.seat.call(move |core| core.start_toolkit(id))?
    }

    /// Applies what is new in a card's bootstrap data, or asks the user first (`Report::waiting`).
    pub fn bootstrap_card(&self, id: CardId) -> Result<bootstrap::Report> {
        self.0.seat.call(move |core| core.bootstrap_card(id))?
    }

    /// Seals the store's secrets with a new key. `Busy` while somebody writes.
    pub fn rotate_key(&self) -> Result<()> {
        self.db()?.rotate_key()
    }

    /// Applies a pushed bootstrap or a document of the factory, or asks the user first
    /// (`Report::waiting`).
    pub fn provision(&self, message: Provisioning) -> Result<bootstrap::Report> {
        self.0.seat.call(move |core| core.provision(message))?
    }

    /// Judges a notification; the id of the session that will follow.
    pub fn deliver_trigger(&self, delivery: Delivery) -> Result<u64> {
        self.0.seat.call(move |core| core.deliver(&delivery))?
    }

    /// Asks for a session with a server; its id.
    pub fn start_session(&self, server_id: Option<String>) -> Result<u64> {
        self.0.seat.call(move |core| core.request_session(server_id.as_deref()))?
    }

    /// Where a session stands.
    pub fn session_info(&self, id: u64) -> Result<SessionInfo> {
        self.0.sessions.get(id)
    }

    /// Waits for a session's end, driving the client if nobody does.
    pub fn wait_session(&self, id: u64, timeout: Duration) -> Result<SessionInfo> {
        self.outside_callbacks("session_wait")?;
        let until = Instant::now().checked_add(timeout);
        loop {
            let info = self.0.sessions.get(id)?;
            let left = until
                .map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if info.state == SessionState::Ended || left.is_zero() {
                return Ok(info);
            }
            match self.0.seat.run_once(left) {
                Ok(_) => {}
                // Whoever drives may leave when its own business is done: then it is this thread's turn.
                Err(error) if error.code() == Code::Busy => {
                    self.0.seat.wait_for_turn(until, || self.0.sessions.has_ended(id));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Aborts a session. `State` if the client is closed.
    pub fn cancel_session(&self, id: u64) -> Result<()> {
        self.0.seat.post(move |core| core.cancel_session(id))?;
        // The driving thread may be waiting for a connection of this session.
        self.0.attempts.cancel(Some(id));
        Ok(())
    }

    /// Lets the host open the connections of `scheme` itself; `None` takes that back. Connections that
    /// are open stay.
    pub fn set_connector(
        &self,
        scheme: StreamScheme,
        connector: Option<Arc<dyn Connector>>,
    ) -> Result<()> {
        self.0.seat.call(move |core| core.network.set_connector(scheme, connector))
    }

    /// Tells whether there is a network; sessions that wait for one begin. Without waiting for the
    /// driving thread.
    pub fn network_changed(&self, is_up: bool) -> Result<()> {
        self.0.seat.post(move |core| core.network_changed(is_up))
    }

    /// Lets local applications reach the web server of the card in `slot` at 127.0.0.1:`port`, and what is
    /// behind TLS at `tls_port`.
    ///
    /// Fails with `State` when there is a gateway, `Busy` when a port is taken.
    pub fn start_gateway(&self, slot: u32, port: u16, tls_port: Option<u16>) -> Result<()> {
        self.open()?;
        self.0.seat.call(move |core| core.start_gateway(slot))??;
        let wanted = [Some((port, false)), tls_port.map(|port| (port, true))];
        let opened = wanted.into_iter().flatten().map(|(port, tls)| self.accept(port, tls));
        match opened.collect::<Result<Vec<_>>>() {
            Ok(ports) => {
                *self.0.ports.lock() = ports;
                Ok(())
            }
            Err(error) => {
                self.0.seat.call(Core::stop_gateway)?;
                Err(error)
            }
        }
    }

    fn accept(&self, port: u16, tls: bool) -> Result<Acceptor> {
        let seat = Arc::downgrade(&self.0.seat);
        let take = move |socket, peer| {
            if let Some(seat) = seat.upgrade() {
                // A closed client serves nobody.
                let _ = seat.post(move |core: &mut Core| core.visited(socket, peer, tls));
            }
        };
        Acceptor::start(port, Box::new(take))
    }

    /// Ends the gateway with its connections; nothing if there is none.
    pub fn stop_gateway(&self) -> Result<()> {
        drop(std::mem::take(&mut *self.0.ports.lock()));
        self.0.seat.call(Core::stop_gateway)
    }

    /// Tells the address of a card that has an IP stack of its own; `None`: it has none.
    pub fn set_card_address(&self, id: CardId, address: Option<IpAddr>) -> Result<()> {
        let address = address.map(|address| address.to_string());
        self.0.seat.call(move |core| core.slot(id).map(|slot| slot.set_ip_address(address)))?
    }
}

/// Tells the host one thing, on the driving thread.
fn deliver(seat: &Seat<Core>, notice: Notice) {
    match notice {
        Notice::Event(listener, event) => listener.event(&event),
        Notice::Changes(listener, changes) => listener.changes(&changes),
        Notice::Question(listener, question) => listener.question(question),
        Notice::Connection(listener, info) => {
            let allowed = listener.connection(&info);
            // As below.
            let _ = seat.post(move |core| core.connection_judged(info.id, allowed));
        }
        Notice::Toolkit(host, request) => host.request(request),
        Notice::Withdrawn(host, slot) => host.withdrawn(slot),
        Notice::Send(host, slot, what, data) => host.send(slot, what, &data),
        Notice::Trigger(listener, info) => {
            let verdict = listener.trigger(&info);
            // A client that was closed in the callback has no use for the verdict.
            let _ = seat.post(move |core| core.trigger_judged(&info, verdict));
        }
    }
}
