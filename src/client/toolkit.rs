//! The card's toolkit as the host sees it: the questions of the card, who sends the answers, and what the
//! host tells the card.

use super::core::{Core, Notice};
use super::slot::CardId;
use crate::card::cat::{Effect, Failure, HostAnswer, HostRequest, LocalInfo, ScreenEvent};
use crate::error::{Code, Error, Result};
use crate::time::Now;
use std::fmt;
use std::sync::{Arc, Weak};

pub use crate::card::cat::Capabilities;

/// What the host's modem has to send to the card, where the modem owns the toolkit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Outgoing {
    /// Data of a TERMINAL RESPONSE.
    TerminalResponse = 1,
    /// Data of an ENVELOPE; the card's status word is wanted back.
    Envelope = 2,
}

/// The host's side of the toolkit. Called on the driving thread only, one call at a time, with no lock held.
pub trait ToolkitHost: Send + Sync {
    /// What the host can carry out; asked when a toolkit starts.
    fn capabilities(&self) -> Capabilities;
    /// The card asks; an answer is wanted.
    fn request(&self, request: ToolkitRequest);
    /// The card's open question in this slot is void.
    fn withdrawn(&self, slot: u32);
    /// The host's modem has something to send to the card.
    fn send(&self, slot: u32, what: Outgoing, data: &[u8]);
}

/// Takes the answer to one request.
pub(super) trait RequestSink: Send + Sync {
    fn answer(&self, card: CardId, id: u64, answer: HostAnswer) -> Result<()>;
}

/// A question of a card, given away to the host; answer it once, from any thread.
pub struct ToolkitRequest {
    /// The card's slot.
    pub slot: u32,
    /// What the card wants.
    pub request: HostRequest,
    card: CardId,
    id: u64,
    sink: Weak<dyn RequestSink>,
}

impl ToolkitRequest {
    /// Hands the answer over. `State` if the client is gone; `InvalidArg` if it does not fit the question,
    /// which stays open then.
    pub fn answer(&self, answer: HostAnswer) -> Result<()> {
        self.request.check(&answer)?;
        let gone = || Error::new(Code::State, "the client of this request is gone");
        self.sink.upgrade().ok_or_else(gone)?.answer(self.card, self.id, answer)
    }
}

impl fmt::Debug for ToolkitRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolkitRequest").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Something that the host tells a card's toolkit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolkitEvent {
    /// Something happened on the screen.
    Screen(ScreenEvent),
    /// The browser has ended, by the user or by an error.
    BrowserEnded {
        /// By an error.
        by_error: bool,
    },
    /// The user chose from the card's menu, or wants help with an item.
    Menu {
        /// The item.
        item: u8,
        /// Help is wanted.
        help: bool,
    },
    /// The card's answer to the last ENVELOPE of [`ToolkitHost::send`].
    EnvelopeAnswered {
        /// Status word.
        sw: u16,
    },
    /// What the host tells about itself; the card hears what it wants to hear.
    Local(LocalInfo),
}

impl Core {
    pub(super) fn set_toolkit_host(&mut self, host: Option<Arc<dyn ToolkitHost>>) {
        self.toolkit_host = host;
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let host = self.toolkit_host.as_ref();
        let mut can = host.map_or(Capabilities::empty(), |host| host.capabilities());
        // That is the configuration's business.
        can.set(Capabilities::CONNECTIONS, self.config.network.card_connections);
        can
    }

    /// Asks the host on behalf of a card.
    pub(super) fn ask_host(&mut self, card: CardId, slot: u32, request: HostRequest) {
        let id = self.next_question();
        if let Ok(slot) = self.slot(card) {
            slot.asked(id);
        }
        let Some(host) = self.toolkit_host.clone() else {
            // It was announced, but whoever could do it has gone.
            return self.toolkit_answer(card, id, HostAnswer::Failed(Failure::Busy));
        };
        let sink = self.requests.clone();
        self.notify(Notice::Toolkit(host, ToolkitRequest { slot, request, card, id, sink }));
    }

    pub(super) fn withdraw(&mut self, slot: u32) {
        if let Some(host) = self.toolkit_host.clone() {
            self.notify(Notice::Withdrawn(host, slot));
        }
    }

    pub(super) fn send_by_host(&mut self, slot: u32, what: Outgoing, data: Vec<u8>) {
        if let Some(host) = self.toolkit_host.clone() {
            self.notify(Notice::Send(host, slot, what, data));
        }
    }

    /// The host's answer; one to a question that is not open any more has no meaning.
    pub(super) fn toolkit_answer(&mut self, card: CardId, id: u64, answer: HostAnswer) {
        let Ok(slot) = self.slot(card) else { return };
        let number = slot.number();
        match slot.complete(id, answer) {
            Ok(effects) => self.card_effects(card, number, effects),
            Err(error) => log::debug!("toolkit: {error}"),
        }
    }

    /// Carries out one proactive command that the host's modem has fetched; the data of its TERMINAL
    /// RESPONSE, or `None` if that comes later.
    pub(super) fn proactive(&mut self, card: CardId, command: &[u8]) -> Result<Option<Vec<u8>>> {
        self.attach(card)?;
        let now = self.now();
        let slot = self.slot(card)?;
        let number = slot.number();
        let reaction = slot.feed(command, now)?;
        self.card_effects(card, number, reaction.effects);
        Ok(reaction.terminal_response)
    }

    /// The data of TERMINAL PROFILE for a modem that owns the toolkit.
    pub(super) fn terminal_profile(&mut self, card: CardId) -> Result<Vec<u8>> {
        self.attach(card)?;
        self.slot(card)?.profile()
    }

    fn attach(&mut self, card: CardId) -> Result<()> {
        let (capabilities, device_id) = (self.capabilities(), self.config.device.device_id.clone());
        let language = self.config.device.language.clone();
        self.slot(card)?.attach(capabilities, &device_id, &language)
    }

    pub(super) fn toolkit_event(&mut self, card: CardId, event: ToolkitEvent) -> Result<()> {
        let now = self.now();
        self.slot(card)?.toolkit_event(event, now)
    }

    pub(super) fn card_effects(&mut self, card: CardId, number: u32, effects: Vec<Effect>) {
        for effect in effects {
            self.card_effect(card, number, effect);
        }
    }
}

/// Sends what is due of a toolkit that the host's modem owns; true if there was anything.
pub(super) fn outgoing(core: &mut Core, card: CardId, now: Now) -> bool {
    let Ok(slot) = core.slot(card) else { return false };
    let number = slot.number();
    let (sends, effects) = slot.outgoing(now);
    let worked = !sends.is_empty() || !effects.is_empty();
    for (what, data) in sends {
        core.send_by_host(number, what, data);
    }
    core.card_effects(card, number, effects);
    worked
}
