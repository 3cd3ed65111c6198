//! A simulated card in a slot of the vpcd reader, served by a thread of the test.

use super::daemon::{PATIENCE, PORT, READERS, until};
use pcsc::{Context, ReaderState, Scope, State};
use std::ffi::CString;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Instant;
use uicc_sim::application::{Application, Finding, HttpOutput};
use uicc_sim::card::{Card, Protocol};
use uicc_sim::dm::server::DmServer;
use uicc_sim::link::{Observer, vpcd};
use uicc_sim::profile::Profile;

/// The embedded card with transmission protocol `protocol`, which asks for a session after a second.
pub(crate) fn demo(protocol: Protocol) -> Profile {
    let mut profile = Profile::demo();
    profile.card.protocol = protocol;
    profile.card.toolkit.timer_seconds = 1;
    profile
}

/// The card's DM server, for the card and for the test.
#[derive(Clone)]
pub(crate) struct SharedServer(Arc<Mutex<DmServer>>);

impl SharedServer {
    pub(crate) fn get(&self) -> MutexGuard<'_, DmServer> {
        self.0.lock().unwrap()
    }
}

impl Application for SharedServer {
    fn http_received(&mut self, octets: &[u8]) -> HttpOutput {
        self.get().http_received(octets)
    }
    fn http_closed(&mut self) {
        self.get().http_closed();
    }
    fn notification(&mut self) -> Vec<u8> {
        self.get().notification()
    }
    fn reset(&mut self) {
        self.get().reset();
    }
    fn findings(&self) -> Vec<Finding> {
        self.get().findings()
    }
    fn good_sessions(&self) -> u32 {
        self.get().good_sessions()
    }
    fn bad_sessions(&self) -> u32 {
        self.get().bad_sessions()
    }
}

/// A card that `profile` describes, and its DM server.
pub(crate) fn card(profile: Profile) -> (Card, SharedServer) {
    profile.card.check().unwrap();
    let (config, bootstrap) = (profile.card.clone(), profile.bootstrap_octets().unwrap());
    let server = SharedServer(Arc::new(Mutex::new(DmServer::new(profile).unwrap())));
    (Card::new(config, bootstrap, Box::new(server.clone())), server)
}

/// A card in the reader.
pub(crate) struct Inserted {
    slot: usize,
    stream: TcpStream,
    thread: JoinHandle<Card>,
}

impl Inserted {
    /// Puts `card` into slot `slot` and waits until the reader sees it.
    pub(crate) fn new(slot: usize, card: Card) -> Self {
        Self::observed(slot, card, ())
    }

    /// The same, with somebody who watches.
    pub(crate) fn observed(
        slot: usize,
        mut card: Card,
        mut observer: impl Observer + Send + 'static,
    ) -> Self {
        let address = ("127.0.0.1", PORT + slot as u16);
        let stream = until("vpcd listens", || vpcd::connect(address).ok());
        let (ours, theirs) = (stream.try_clone().unwrap(), stream.try_clone().unwrap());
        let thread = thread::spawn(move || {
            // An error is what a pulled card sees of its reader.
            let _ = vpcd::serve(stream, &mut card, &mut observer);
            // `ours` would keep the connection, and the card in the reader.
            let _ = theirs.shutdown(Shutdown::Both);
            card
        });
        wait_for(slot, State::PRESENT);
        Self { slot, stream: ours, thread }
    }

    /// Pulls the card when it is called; for a moment in the middle of something.
    pub(crate) fn puller(&self) -> impl Fn() + 'static {
        let stream = self.stream.try_clone().unwrap();
        move || {
            // Somebody else may have been faster.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Pulls the card, if it is not out yet, and waits until the reader sees that.
    pub(crate) fn pull(self) -> Card {
        self.puller()();
        let card = self.thread.join().unwrap();
        wait_for(self.slot, State::EMPTY);
        card
    }
}

/// Waits until the reader of `slot` is in `state`.
fn wait_for(slot: usize, state: State) {
    let context = Context::establish(Scope::User).unwrap();
    let mut states = [ReaderState::new(CString::new(READERS[slot]).unwrap(), State::UNAWARE)];
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let changed = context.get_status_change(left, &mut states);
        if states[0].event_state().contains(state) {
            return;
        }
        changed.unwrap_or_else(|error| panic!("reader {slot} is not {state:?}: {error}"));
        states[0].sync_current_state();
    }
}
