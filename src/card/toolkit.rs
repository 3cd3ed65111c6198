//! The toolkit loop: runs the engine over the APDU layer, one exchange at a time.
//!
//! Owns FETCH, TERMINAL RESPONSE, ENVELOPE, polling with STATUS, and the brake for a card that
//! never comes to rest. Must not know what a proactive command does.

use super::apdu::{CLA_GSM, Card, Command, Mode, Response};
use super::cat::{Cat, Effect, HostAnswer, Reaction};
use crate::error::Result;
use crate::limits;
use crate::time::Now;

const CLA_TOOLKIT: u8 = 0x80;
const INS_TERMINAL_PROFILE: u8 = 0x10;
const INS_FETCH: u8 = 0x12;
const INS_TERMINAL_RESPONSE: u8 = 0x14;
const INS_ENVELOPE: u8 = 0xC2;
/// STATUS without data (TS 102 221 11.1.2): presence and a chance to announce a command.
const STATUS: [u8; 5] = [CLA_TOOLKIT, 0xF2, 0x00, 0x0C, 0x00];
/// STATUS of a SIM (GSM 11.11 9.2.2), which always returns the directory's header.
const STATUS_GSM: [u8; 5] = [CLA_GSM, 0xF2, 0x00, 0x00, 0x16];
const SW_TOOLKIT_BUSY: u16 = 0x9300;
/// A card that has not come to rest for so long is slowed down, in milliseconds.
const RESTLESS_MS: u64 = 120_000;
/// Time between two commands of a card that is slowed down, in milliseconds.
const PAUSE_MS: u64 = 1000;

/// What one step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Something was exchanged with the card: call again at once.
    pub did_something: bool,
    /// The card does not come to rest (too many commands, or for too long): it gets one command a
    /// second. The owner may stop calling.
    pub throttled: bool,
    /// What the owner has to do or to know, in order.
    pub effects: Vec<Effect>,
}

/// The toolkit of one card.
#[derive(Debug)]
pub struct Toolkit {
    cat: Cat,
    class: u8,
    announced: Option<u8>,
    response: Option<Vec<u8>>,
    /// Commands since the card was at rest.
    commands: usize,
    restless_since: Option<u64>,
    fetched_ms: u64,
    throttled: bool,
    /// The card is to be given a chance to speak before the polling interval is over.
    ask: bool,
}

impl Toolkit {
    /// The loop around `cat`; nothing is sent yet.
    pub fn new(cat: Cat) -> Self {
        Self {
            cat,
            class: CLA_TOOLKIT,
            announced: None,
            response: None,
            commands: 0,
            restless_since: None,
            fetched_ms: 0,
            throttled: false,
            ask: false,
        }
    }

    /// Begins a card session with TERMINAL PROFILE, behind TERMINAL CAPABILITY where the card takes it.
    ///
    /// Fails with the card's refusal, for example of a card without a toolkit (`6D00`).
    pub fn start(&mut self, card: &mut Card, now: Now) -> Result<()> {
        self.reset();
        let begun = card.begin_as_terminal();
        self.class = match begun.map_err(|error| error.context("beginning the card session"))? {
            Mode::Uicc => CLA_TOOLKIT,
            Mode::Gsm => CLA_GSM,
        };
        let profile = self.cat.terminal_profile();
        let profile = Command::new(INS_TERMINAL_PROFILE, 0, 0).with_data(&profile);
        self.exchange(card, &profile, now)?.success("TERMINAL PROFILE")?;
        Ok(())
    }

    /// Does what is due, with one exchange at most: TERMINAL RESPONSE, FETCH, ENVELOPE or STATUS.
    ///
    /// Fails when the transport fails; the same is tried again then, unless the card is gone.
    pub fn step(&mut self, card: &mut Card, now: Now) -> Result<Progress> {
        self.note_announced(card);
        self.throttled = self.is_restless(now);
        let mut effects = Vec::new();
        if let Some(reaction) = self.cat.expire(now) {
            self.react(reaction, &mut effects);
        }
        let did_something = if self.response.is_some() {
            self.respond(card, now)?
        } else if self.cat.is_waiting() {
            false
        } else if self.announced.is_some() {
            self.fetch(card, now, &mut effects)?
        } else {
            self.tell(card, now)? || self.poll(card, now)?
        };
        if self.announced.is_none() && self.response.is_none() && !self.cat.is_waiting() {
            self.rest();
        }
        Ok(Progress { did_something, throttled: self.throttled, effects })
    }

    /// Answers the host's open question; the next step sends the response. Fails as
    /// [`Cat::complete`].
    pub fn complete(&mut self, answer: HostAnswer) -> Result<Vec<Effect>> {
        let reaction = self.cat.complete(answer)?;
        let mut effects = Vec::new();
        self.react(reaction, &mut effects);
        Ok(effects)
    }

    /// When [`step`](Self::step) has something to do, in monotonic milliseconds (0: at once). What
    /// others exchange with the card may make a step due earlier.
    pub fn deadline(&self) -> Option<u64> {
        if self.response.is_some() {
            return Some(0);
        }
        if self.announced.is_some() && !self.cat.is_waiting() {
            return Some(self.fetch_at());
        }
        if self.ask && !self.cat.is_waiting() {
            return Some(0);
        }
        self.cat.deadline()
    }

    /// Makes the next idle step a STATUS, so that the card can announce what it has to say.
    pub fn ask(&mut self) {
        self.ask = true;
    }

    /// Forgets the card session: the card was reset, removed or exchanged.
    pub fn reset(&mut self) {
        self.cat.reset();
        self.announced = None;
        self.response = None;
        self.ask = false;
        self.rest();
    }

    /// The engine.
    pub fn cat(&self) -> &Cat {
        &self.cat
    }

    /// The engine, for its channels and for events of the host.
    pub fn cat_mut(&mut self) -> &mut Cat {
        &mut self.cat
    }

    fn respond(&mut self, card: &mut Card, now: Now) -> Result<bool> {
        let Some(data) = self.response.take() else { return Ok(false) };
        let command = Command::new(INS_TERMINAL_RESPONSE, 0, 0).with_data(&data);
        let answer = self.exchange(card, &command, now);
        let answer = answer.inspect_err(|error| {
            self.response = (!error.is_card_gone()).then_some(data);
        })?;
        if !answer.is_success() {
            log::warn!("toolkit: TERMINAL RESPONSE refused with {:04X}", answer.sw);
        }
        Ok(true)
    }

    fn fetch(&mut self, card: &mut Card, now: Now, effects: &mut Vec<Effect>) -> Result<bool> {
        if now.mono_ms < self.fetch_at() {
            return Ok(false);
        }
        let Some(length) = self.announced.take() else { return Ok(false) };
        self.commands += 1;
        self.restless_since.get_or_insert(now.mono_ms);
        self.fetched_ms = now.mono_ms;
        let octets = if length == 0 { 256 } else { u16::from(length) };
        let answer = self.exchange(card, &Command::new(INS_FETCH, 0, 0).expecting(octets), now);
        let answer = answer.inspect_err(|error| {
            self.announced = (!error.is_card_gone()).then_some(length);
        })?;
        match answer.success("FETCH").and_then(|command| self.cat.proactive(&command, now)) {
            Ok(reaction) => self.react(reaction, effects),
            Err(error) => log::warn!("toolkit: {error}"),
        }
        Ok(true)
    }

    fn tell(&mut self, card: &mut Card, now: Now) -> Result<bool> {
        let Some(envelope) = self.cat.next_envelope(now) else { return Ok(false) };
        let command = Command::new(INS_ENVELOPE, 0, 0).with_data(&envelope);
        let answer = self.exchange(card, &command, now);
        // What did not get through is tried again as with a busy card.
        let sw = answer.as_ref().map_or(SW_TOOLKIT_BUSY, |answer| answer.sw);
        self.cat.envelope_answered(sw, now);
        answer.map(|_| true)
    }

    fn poll(&mut self, card: &mut Card, now: Now) -> Result<bool> {
        if !std::mem::take(&mut self.ask) && !self.cat.poll_due(now) {
            return Ok(false);
        }
        let status = if self.class == CLA_GSM { STATUS_GSM } else { STATUS };
        let answer = card.exchange(&status);
        self.exchanged(card, now);
        answer.map(|_| true).map_err(|error| error.context("STATUS"))
    }

    fn exchange(&mut self, card: &mut Card, command: &Command<'_>, now: Now) -> Result<Response> {
        let answer = card.exchange(&command.encode(self.class)?);
        self.exchanged(card, now);
        answer.map_err(|error| error.context(name(command.ins)))
    }

    fn exchanged(&mut self, card: &mut Card, now: Now) {
        self.ask = false;
        self.cat.active(now);
        self.note_announced(card);
    }

    fn note_announced(&mut self, card: &mut Card) {
        self.announced = card.take_proactive().or(self.announced);
    }

    fn react(&mut self, reaction: Reaction, effects: &mut Vec<Effect>) {
        self.response = reaction.terminal_response;
        effects.extend(reaction.effects);
    }

    fn rest(&mut self) {
        self.commands = 0;
        self.restless_since = None;
        self.throttled = false;
    }

    fn is_restless(&self, now: Now) -> bool {
        let since = self.restless_since.unwrap_or(now.mono_ms);
        self.commands >= limits::PROACTIVE_COMMANDS
            || now.mono_ms.saturating_sub(since) >= RESTLESS_MS
    }

    /// When the next command may be fetched.
    fn fetch_at(&self) -> u64 {
        if self.throttled { self.fetched_ms.saturating_add(PAUSE_MS) } else { 0 }
    }
}

/// A toolkit command's name, for messages.
fn name(ins: u8) -> &'static str {
    match ins {
        INS_TERMINAL_PROFILE => "TERMINAL PROFILE",
        INS_FETCH => "FETCH",
        INS_TERMINAL_RESPONSE => "TERMINAL RESPONSE",
        _ => "ENVELOPE",
    }
}
