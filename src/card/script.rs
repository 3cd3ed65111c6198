//! A card that plays a script, for tests: it expects exact commands and gives exact answers.
//! Not part of the library's interface.

use super::apdu::Card;
use super::transport::{CardTransport, TransportFlags};
use crate::bytes::hex;
use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

#[derive(Debug)]
enum Answer {
    Apdu(Vec<u8>),
    Fault(Code),
    Channel(u32),
}

#[derive(Debug, Default)]
struct State {
    steps: VecDeque<(String, Answer)>,
    sent: Vec<String>,
    mismatches: Vec<String>,
    locks: u32,
    unlocks: u32,
}

/// The script, written step by step.
#[derive(Debug, Default)]
pub struct Script {
    state: State,
    flags: TransportFlags,
    max_le: Option<u16>,
}

impl Script {
    /// A script without steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// The transport opens channels itself.
    #[must_use]
    pub fn owning_channels(self) -> Self {
        self.with_flags(TransportFlags::OWNS_CHANNELS)
    }

    /// The transport does these things itself, beside others.
    #[must_use]
    pub fn with_flags(mut self, flags: TransportFlags) -> Self {
        self.flags |= flags;
        self
    }

    /// The transport brings `octets` of data at once at most.
    #[must_use]
    pub fn with_max_le(mut self, octets: u16) -> Self {
        self.max_le = Some(octets);
        self
    }

    /// The next command is `command`, and the card answers with `answer` (data and status word);
    /// both in hexadecimal, with spaces where they help.
    #[must_use]
    pub fn on(self, command: &str, answer: &str) -> Self {
        let answer = hex::decode(&compact(answer)).unwrap_or_default();
        self.step(command, Answer::Apdu(answer))
    }

    /// The next command is `command`, and the transport fails with `code`.
    #[must_use]
    pub fn fail(self, command: &str, code: Code) -> Self {
        self.step(command, Answer::Fault(code))
    }

    /// The next call opens a channel on `aid` (hexadecimal) and gets `channel`.
    #[must_use]
    pub fn open(self, aid: &str, channel: u32) -> Self {
        self.step(&format!("open {}", compact(aid)), Answer::Channel(channel))
    }

    /// The next call opens a channel on `aid` (hexadecimal) and fails with `code`.
    #[must_use]
    pub fn open_fails(self, aid: &str, code: Code) -> Self {
        self.step(&format!("open {}", compact(aid)), Answer::Fault(code))
    }

    /// The next call closes `channel`.
    #[must_use]
    pub fn close(self, channel: u32) -> Self {
        self.step(&format!("close {channel}"), Answer::Channel(channel))
    }

    fn step(mut self, command: &str, answer: Answer) -> Self {
        let command = match command.split_once(' ') {
            Some(("open" | "close", _)) => command.to_owned(),
            _ => compact(command),
        };
        self.state.steps.push_back((command, answer));
        self
    }

    /// The card, and the means to see afterwards what happened.
    pub fn card(self) -> (Card, Play) {
        let (player, play) = self.transport();
        (Card::new(Box::new(player)), play)
    }

    /// The transport alone, and the means to see afterwards what happened.
    pub fn transport(self) -> (Player, Play) {
        let state = Arc::new(Mutex::new(self.state));
        let play = Play(Arc::clone(&state));
        (Player { state, flags: self.flags, max_le: self.max_le.unwrap_or(256) }, play)
    }
}

/// What happened.
#[derive(Debug)]
pub struct Play(Arc<Mutex<State>>);

impl Play {
    /// Every command that was sent, in hexadecimal.
    pub fn sent(&self) -> Vec<String> {
        self.0.lock().sent.clone()
    }

    /// How often the card was locked and unlocked.
    pub fn locks(&self) -> (u32, u32) {
        let state = self.0.lock();
        (state.locks, state.unlocks)
    }

    /// Fails with a description unless exactly the script was played.
    pub fn finish(self) -> core::result::Result<(), String> {
        let state = self.0.lock();
        let mut faults = state.mismatches.clone();
        faults.extend(state.steps.iter().map(|(command, _)| format!("never came: {command}")));
        if state.locks != state.unlocks {
            faults.push(format!("locked {} times, unlocked {}", state.locks, state.unlocks));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }
}

/// The transport that plays the script.
#[derive(Debug)]
pub struct Player {
    state: Arc<Mutex<State>>,
    flags: TransportFlags,
    max_le: u16,
}

impl Player {
    fn play(&self, call: String) -> Result<Answer> {
        let mut state = self.state.lock();
        state.sent.push(call.clone());
        match state.steps.pop_front() {
            Some((expected, answer)) if expected == call => match answer {
                Answer::Fault(code) => Err(Error::new(code, "scripted failure")),
                answer => Ok(answer),
            },
            expected => {
                let expected = expected.map_or("the end".to_owned(), |(command, _)| command);
                state.mismatches.push(format!("expected {expected}\n but got {call}"));
                Err(Error::new(Code::CardTransmit, "the script expects something else"))
            }
        }
    }
}

impl CardTransport for Player {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        match self.play(hex::encode(command))? {
            Answer::Apdu(answer) => Ok(answer),
            _ => Err(Error::new(Code::CardTransmit, "the script has no APDU here")),
        }
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn flags(&self) -> TransportFlags {
        self.flags
    }

    fn max_le(&self) -> u16 {
        self.max_le
    }

    fn open_channel(&mut self, aid: &[u8]) -> Result<u32> {
        match self.play(format!("open {}", hex::encode(aid)))? {
            Answer::Channel(channel) => Ok(channel),
            _ => Err(Error::new(Code::CardTransmit, "the script opens no channel here")),
        }
    }

    fn close_channel(&mut self, channel: u32) -> Result<()> {
        self.play(format!("close {channel}")).map(drop)
    }

    fn lock(&mut self) -> Result<()> {
        self.state.lock().locks += 1;
        Ok(())
    }

    fn unlock(&mut self) {
        self.state.lock().unlocks += 1;
    }
}

fn compact(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_uppercase()
}
