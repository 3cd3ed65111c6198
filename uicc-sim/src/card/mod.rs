//! The card's operating system: command APDUs in, response APDUs out. Owns the files, the logical
//! channels and the toolkit; knows the DM server only as an [`Application`].

mod apdu;
mod channels;
mod commands;
mod config;
mod content;
mod files;
mod gsm;
mod pin;
mod tlv;
mod toolkit;

pub use config::{
    BootstrapFault, CardConfig, DodfFault, DodfForm, Faults, Protocol, ToolkitConfig,
    TriggerTransport,
};

pub use crate::application::Verdict;
use crate::application::{self, Application, Finding};
use apdu::{Answer, Class, Command, Sw};
use channels::Channels;
use commands::Desk;
use files::FileSystem;
use pin::Pin;
use std::fmt;
use toolkit::Toolkit;

/// The card is not in the reader any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the card was removed")
    }
}

impl std::error::Error for Gone {}

/// A simulated UICC.
pub struct Card {
    protocol: Protocol,
    atr: Vec<u8>,
    files: FileSystem,
    /// Identifier of EF DM_Bootstrap.
    bootstrap: u16,
    channels: Channels,
    pin: Pin,
    toolkit: Toolkit,
    application: Box<dyn Application>,
    removed: bool,
    apdus: u64,
    gsm: bool,
    remove_after: Option<u32>,
    short_answer_at: Option<u32>,
    mute_at: Option<u32>,
    slow_ms: u32,
    refuse_le: bool,
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card")
            .field("protocol", &self.protocol)
            .field("removed", &self.removed)
            .field("apdus", &self.apdus)
            .finish_non_exhaustive()
    }
}

impl Card {
    /// A card in the reader, powered. `bootstrap` is the content of EF DM_Bootstrap; `application`
    /// is the DM server behind the card's web server. The configuration should have passed
    /// [`CardConfig::check`]; one that has not makes a strange card, not an error.
    pub fn new(config: CardConfig, bootstrap: Vec<u8>, application: Box<dyn Application>) -> Self {
        let atr = match (&config.atr[..], config.protocol) {
            ([], Protocol::T0) => ATR_T0.to_vec(),
            ([], Protocol::T1) => ATR_T1.to_vec(),
            (given, _) => given.to_vec(),
        };
        Self {
            protocol: config.protocol,
            atr,
            files: content::personalise(&config, &bootstrap),
            bootstrap: config.bootstrap_fid,
            channels: Channels::new(config.logical_channels.min(19)),
            pin: Pin::new(config.pin1.as_deref()),
            toolkit: Toolkit::new(&config),
            application,
            removed: false,
            apdus: 0,
            remove_after: config.faults.remove_after_apdus,
            gsm: config.gsm,
            short_answer_at: config.faults.short_answer_at,
            mute_at: config.faults.mute_at,
            slow_ms: config.faults.slow_ms,
            refuse_le: config.faults.refuse_le,
        }
    }

    /// The answer to reset.
    pub fn atr(&self) -> &[u8] {
        &self.atr
    }

    /// Carries out one command APDU and returns the response APDU.
    pub fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Gone> {
        if !self.removed && self.remove_after.is_some_and(|n| self.apdus >= u64::from(n)) {
            self.remove_after = None;
            self.remove();
        }
        if self.removed {
            return Err(Gone);
        }
        self.apdus += 1;
        let mut response = self.execute(command);
        if self.short_answer_at.is_some_and(|n| self.apdus == u64::from(n)) {
            response.truncate(1);
        }
        if self.mute_at.is_some_and(|n| self.apdus == u64::from(n)) {
            response.clear();
        }
        Ok(response)
    }

    /// How long each answer takes, for links.
    pub fn pace(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.slow_ms.into())
    }

    /// The issuer changes EF DM_Bootstrap over the air; the card tells the terminal with REFRESH (file
    /// change notification) as soon as it may.
    pub fn update_bootstrap(&mut self, content: Vec<u8>) {
        self.files.replace(self.bootstrap, content);
        self.toolkit.refresh(&content::bootstrap_path(self.bootstrap), self.application.as_ref());
    }

    /// Warm or cold reset: channels, PIN states and the toolkit's state are gone.
    pub fn reset(&mut self) {
        self.channels.reset();
        self.pin.reset();
        self.toolkit.reset();
        self.application.reset();
    }

    /// The reader takes the power away.
    pub fn power_off(&mut self) {
        self.reset();
    }

    /// Pulls the card: every command fails until [`insert`](Self::insert).
    pub fn remove(&mut self) {
        self.removed = true;
        self.reset();
    }

    /// Puts the card back, powered.
    pub fn insert(&mut self) {
        self.removed = false;
    }

    /// A local event on the card: it asks for a DM session as soon as the terminal lets it.
    pub fn trigger(&mut self) {
        self.toolkit.trigger(self.application.as_ref());
    }

    /// The WSP push PDU that asks for a session, as the issuer would send it by SMS.
    pub fn notification(&mut self) -> Vec<u8> {
        self.application.notification()
    }

    /// Everything found so far by the card and its application, oldest first.
    pub fn findings(&self) -> Vec<Finding> {
        let mut theirs = self.application.findings().into_iter();
        let mut all = Vec::new();
        let mut taken = 0;
        for (before, own) in self.toolkit.findings() {
            all.extend(theirs.by_ref().take(before.saturating_sub(taken)));
            taken = taken.max(*before);
            all.push(own.clone());
        }
        all.extend(theirs);
        all
    }

    /// The sum of the findings and of the sessions.
    pub fn verdict(&self) -> Verdict {
        application::verdict(&self.findings(), self.good_sessions(), self.bad_sessions())
    }

    /// DM sessions that met every expectation.
    pub fn good_sessions(&self) -> u32 {
        self.application.good_sessions()
    }

    /// DM sessions that did not.
    pub fn bad_sessions(&self) -> u32 {
        self.application.bad_sessions()
    }

    /// Findings, session counts and verdict, one to a line.
    pub fn report(&self) -> String {
        application::report(&self.findings(), self.good_sessions(), self.bad_sessions())
    }

    /// Command APDUs carried out since the card was made.
    pub fn apdus(&self) -> u64 {
        self.apdus
    }

    /// Numbers of the logical channels that the terminal has left open.
    pub fn open_channels(&self) -> Vec<u8> {
        self.channels.numbers()
    }

    fn execute(&mut self, raw: &[u8]) -> Vec<u8> {
        let (mut response, sw) = match Command::parse(raw) {
            Ok(command) => match self.dispatch(&command) {
                Ok(done) => done,
                Err(sw) => (Vec::new(), sw),
            },
            Err(sw) => (Vec::new(), sw),
        };
        let sw = match sw {
            Sw::OK => match self.toolkit.waiting() {
                Some(length) => Sw::with_length(0x91, length),
                None => Sw::OK,
            },
            other => other,
        };
        response.extend(sw.0.to_be_bytes());
        response
    }

    fn dispatch(&mut self, command: &Command<'_>) -> Result<(Vec<u8>, Sw), Sw> {
        if self.refuse_le && command.ins == INS_READ_BINARY {
            let other = command.le.map_or(0, |le| le as u8 ^ 0x01);
            return Err(Sw::with_length(0x6C, usize::from(other)));
        }
        if self.gsm {
            return gsm::dispatch(self, command);
        }
        let class = Class::of(command.cla)?;
        let channel = self.channels.get(class.channel)?;
        if (class.etsi, command.ins) == (false, INS_GET_RESPONSE) {
            return get_response(&mut channel.waiting, command);
        }
        // Data that were not fetched are lost with the next command on the channel.
        channel.waiting.clear();
        let answer = match (class.etsi, command.ins) {
            (true, INS_TERMINAL_PROFILE | INS_FETCH | INS_TERMINAL_RESPONSE | INS_ENVELOPE) => {
                if class.channel != 0 {
                    return Err(Sw::CLASS);
                }
                self.toolkit_command(command)?
            }
            (true, INS_TERMINAL_CAPABILITY) => self.channels.terminal_capability(command)?,
            (false, INS_MANAGE_CHANNEL) => {
                self.channels.manage(class.channel, command, self.protocol)?
            }
            (false, INS_VERIFY) => self.pin.verify(command)?,
            _ => self.file_command(&class, command)?,
        };
        self.answer(class.channel, command, answer)
    }

    fn file_command(&mut self, class: &Class, command: &Command<'_>) -> Result<Answer, Sw> {
        let channel = self.channels.get(class.channel)?;
        let mut desk = Desk {
            protocol: self.protocol,
            files: &self.files,
            pin: &self.pin,
            position: &mut channel.position,
        };
        match (class.etsi, command.ins) {
            (false, INS_SELECT) => desk.select(command),
            (false, INS_READ_BINARY) => desk.read_binary(command),
            (false, INS_READ_RECORD) => desk.read_record(command),
            (false, INS_UPDATE_BINARY | INS_UPDATE_RECORD) => desk.update(),
            (true, INS_STATUS) => {
                self.toolkit.polled();
                desk.status(command)
            }
            (_, ins) if KNOWN.contains(&ins) => Err(Sw::CLASS),
            _ => Err(Sw::INSTRUCTION),
        }
    }

    fn toolkit_command(&mut self, command: &Command<'_>) -> Result<Answer, Sw> {
        if (command.p1, command.p2) != (0, 0) {
            return Err(Sw::P1_P2);
        }
        let application = self.application.as_mut();
        match command.ins {
            INS_TERMINAL_PROFILE => self.toolkit.terminal_profile(command.data, application),
            INS_FETCH => {
                let fetched = self.toolkit.fetch(command, self.protocol, application);
                return fetched.map(Answer::Exact);
            }
            INS_TERMINAL_RESPONSE => self.toolkit.terminal_response(command.data, application),
            _ => self.toolkit.envelope(command.data, application),
        }
        .map(|()| Answer::Done)
    }

    /// Applies the rules of the transmission protocol (TS 102 221 section 7.3).
    fn answer(
        &mut self,
        channel: u8,
        command: &Command<'_>,
        answer: Answer,
    ) -> Result<(Vec<u8>, Sw), Sw> {
        match answer {
            Answer::Done => Ok((Vec::new(), Sw::OK)),
            Answer::Out(data) if self.protocol == Protocol::T0 => {
                let sw = Sw::with_length(0x61, data.len());
                self.channels.get(channel)?.waiting = data;
                Err(sw)
            }
            Answer::Out(mut data) => {
                let Some(le) = command.le else { return Ok((Vec::new(), Sw::OK)) };
                if le >= data.len() {
                    return Ok((data, Sw::OK));
                }
                let rest = data.split_off(le);
                let sw = Sw::with_length(0x61, rest.len());
                self.channels.get(channel)?.waiting = rest;
                Ok((data, sw))
            }
            Answer::Exact(data) => {
                command.expects(data.len(), self.protocol)?;
                Ok((data, Sw::OK))
            }
            Answer::UpTo(mut data) => match command.wanted(self.protocol)? {
                le if le <= data.len() => {
                    data.truncate(le);
                    Ok((data, Sw::OK))
                }
                _ if self.protocol == Protocol::T0 => Err(Sw::with_length(0x6C, data.len())),
                256 => Ok((data, Sw::OK)),
                _ => Ok((data, Sw::END_OF_FILE)),
            },
        }
    }
}

fn get_response(waiting: &mut Vec<u8>, command: &Command<'_>) -> Result<(Vec<u8>, Sw), Sw> {
    if (command.p1, command.p2) != (0, 0) {
        return Err(Sw::P1_P2);
    }
    if !command.data.is_empty() {
        return Err(Sw::WRONG_LENGTH);
    }
    if waiting.is_empty() {
        return Err(Sw::CONDITIONS);
    }
    let le = command.le.unwrap_or(256);
    if le > waiting.len() {
        return Err(Sw::with_length(0x6C, waiting.len()));
    }
    let rest = waiting.split_off(le);
    let data = std::mem::replace(waiting, rest);
    let sw = match waiting.len() {
        0 => Sw::OK,
        left => Sw::with_length(0x61, left),
    };
    Ok((data, sw))
}

/// T=0 only, historical bytes of a UICC that end with "uicc-sim".
const ATR_T0: [u8; 22] = [
    0x3B, 0x9F, 0x96, 0x80, 0x1F, 0xC7, 0x80, 0x31, 0xA0, 0x73, 0xBE, 0x21, 0x13, 0x75, 0x69, 0x63,
    0x63, 0x2D, 0x73, 0x69, 0x6D, 0xF9,
];
/// T=1 only.
const ATR_T1: [u8; 8] = [0x3B, 0x84, 0x01, 0x55, 0x49, 0x43, 0x43, 0x99];

const INS_TERMINAL_PROFILE: u8 = 0x10;
const INS_FETCH: u8 = 0x12;
const INS_TERMINAL_RESPONSE: u8 = 0x14;
const INS_VERIFY: u8 = 0x20;
const INS_MANAGE_CHANNEL: u8 = 0x70;
const INS_SELECT: u8 = 0xA4;
const INS_TERMINAL_CAPABILITY: u8 = 0xAA;
const INS_READ_BINARY: u8 = 0xB0;
const INS_READ_RECORD: u8 = 0xB2;
const INS_GET_RESPONSE: u8 = 0xC0;
const INS_ENVELOPE: u8 = 0xC2;
const INS_UPDATE_BINARY: u8 = 0xD6;
const INS_UPDATE_RECORD: u8 = 0xDC;
const INS_STATUS: u8 = 0xF2;
/// Every instruction of this card, to tell a wrong class from an unknown instruction.
const KNOWN: [u8; 14] = [
    INS_TERMINAL_PROFILE,
    INS_FETCH,
    INS_TERMINAL_RESPONSE,
    INS_VERIFY,
    INS_MANAGE_CHANNEL,
    INS_SELECT,
    INS_TERMINAL_CAPABILITY,
    INS_READ_BINARY,
    INS_READ_RECORD,
    INS_GET_RESPONSE,
    INS_ENVELOPE,
    INS_UPDATE_BINARY,
    INS_UPDATE_RECORD,
    INS_STATUS,
];
