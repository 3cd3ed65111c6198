//! What the terminal has to tell the card: events and expired timers, one at a time.
//!
//! Owns the queue, the ENVELOPE layout (TS 102 223 section 7) and the retries when the card is
//! busy. Must not know what caused an event.

use super::command::tag;
use super::response::TO_CARD;
use super::timer;
use crate::bytes::ctlv;
use crate::time::Now;
use std::collections::VecDeque;

const EVENT_DOWNLOAD: u8 = 0xD6;
const MENU_SELECTION: u8 = 0xD3;
const TIMER_EXPIRATION: u8 = 0xD7;
/// Keypad to card, in device identities.
const FROM_KEYPAD: [u8; 2] = [0x01, 0x81];
/// Status word of a card that is busy with the toolkit.
const SW_BUSY: u16 = 0x9300;
const FIRST_RETRY_MS: u64 = 100;
const LONGEST_RETRY_MS: u64 = 2000;
/// How often one envelope is sent at most.
const TRIES: u32 = 10;
/// Envelopes that may wait.
const WAITING: usize = 64;

/// Codes of the event list.
pub(super) mod event {
    pub(in super::super) const LOCATION_STATUS: u8 = 0x03;
    pub(in super::super) const USER_ACTIVITY: u8 = 0x04;
    pub(in super::super) const IDLE_SCREEN: u8 = 0x05;
    pub(in super::super) const LANGUAGE: u8 = 0x07;
    pub(in super::super) const BROWSER_TERMINATION: u8 = 0x08;
    pub(in super::super) const DATA_AVAILABLE: u8 = 0x09;
    pub(in super::super) const CHANNEL_STATUS: u8 = 0x0A;
    pub(in super::super) const ACCESS_TECHNOLOGY: u8 = 0x0B;
    pub(in super::super) const LOCAL_CONNECTION: u8 = 0x0D;
    /// Events that mean nothing once the channels are gone.
    pub(in super::super) const OF_CHANNELS: [u8; 3] =
        [DATA_AVAILABLE, CHANNEL_STATUS, LOCAL_CONNECTION];
}

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Timer `id` has expired after so many seconds.
    Timer { id: u8, elapsed_s: u64 },
    /// Octets wait on a channel; how many is said when it is sent.
    Data { number: u8, status: [u8; 2] },
    /// The user chose `item` of the card's menu, or wants help with it.
    Menu { item: u8, help: bool },
    /// Another event with its own data objects.
    Event { code: u8, devices: [u8; 2], objects: Vec<u8> },
}

impl Notice {
    /// An event of the terminal with one object after the device identities.
    pub(super) fn event(code: u8, tag: u16, value: &[u8]) -> Self {
        let mut objects = Vec::new();
        ctlv::push(&mut objects, tag, true, value);
        Self::Event { code, devices: TO_CARD, objects }
    }

    /// Location status: in service at `location`, or without service.
    pub(super) fn location(location: Option<&[u8]>) -> Self {
        const NORMAL_SERVICE: u8 = 0;
        const NO_SERVICE: u8 = 2;
        let mut objects = Vec::new();
        let status = if location.is_some() { NORMAL_SERVICE } else { NO_SERVICE };
        ctlv::push(&mut objects, tag::LOCATION_STATUS, true, &[status]);
        if let Some(location) = location {
            ctlv::push(&mut objects, tag::LOCATION, false, location);
        }
        Self::Event { code: event::LOCATION_STATUS, devices: TO_CARD, objects }
    }

    /// Somebody wants the declared service `record` at a transport level and port.
    pub(super) fn local_connection(record: &[u8], level: u8, port: u16) -> Self {
        let [high, low] = port.to_be_bytes();
        let mut objects = Vec::new();
        ctlv::push(&mut objects, tag::SERVICE, true, record);
        ctlv::push(&mut objects, tag::LEVEL, false, &[level, high, low]);
        Self::Event { code: event::LOCAL_CONNECTION, devices: TO_CARD, objects }
    }

    /// The code in the event list; none for a timer and the menu, which are always told.
    pub(super) fn event_code(&self) -> Option<u8> {
        match self {
            Self::Timer { .. } | Self::Menu { .. } => None,
            Self::Data { .. } => Some(event::DATA_AVAILABLE),
            Self::Event { code, .. } => Some(*code),
        }
    }

    /// The data of the ENVELOPE; `available` counts the octets that wait on a channel.
    fn encode(&self, available: usize) -> Vec<u8> {
        let mut body = Vec::new();
        if let Some(code) = self.event_code() {
            ctlv::push(&mut body, tag::EVENT_LIST, true, &[code]);
        }
        let devices = match self {
            Self::Event { devices, .. } => devices,
            Self::Menu { .. } => &FROM_KEYPAD,
            Self::Timer { .. } | Self::Data { .. } => &TO_CARD,
        };
        ctlv::push(&mut body, tag::DEVICES, true, devices);
        match self {
            Self::Timer { id, elapsed_s } => {
                ctlv::push(&mut body, tag::TIMER_ID, true, &[*id]);
                ctlv::push(&mut body, tag::TIMER_VALUE, true, &timer::encode_value(*elapsed_s));
            }
            Self::Menu { item, help } => {
                ctlv::push(&mut body, tag::ITEM_ID, true, &[*item]);
                if *help {
                    ctlv::push(&mut body, tag::HELP_REQUEST, false, &[]);
                }
            }
            Self::Data { status, .. } => {
                ctlv::push(&mut body, tag::CHANNEL_STATUS, true, status);
                ctlv::push(&mut body, tag::DATA_LENGTH, true, &[data_length(available)]);
            }
            Self::Event { objects, .. } => body.extend_from_slice(objects),
        }
        let outer = match self {
            Self::Timer { .. } => TIMER_EXPIRATION,
            Self::Menu { .. } => MENU_SELECTION,
            Self::Data { .. } | Self::Event { .. } => EVENT_DOWNLOAD,
        };
        let mut out = Vec::new();
        ctlv::push_ber(&mut out, outer, &body);
        out
    }
}

/// Channel data length: exact below 255, else 255 (TS 102 223 section 8.54).
pub(super) fn data_length(octets: usize) -> u8 {
    u8::try_from(octets).unwrap_or(u8::MAX)
}

/// Envelopes that wait, and the one that was sent last.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Notice>,
    sent: Option<Notice>,
    tries: u32,
    retry_ms: Option<u64>,
}

impl Queue {
    /// Adds a notice; one about data of the same channel that still waits is enough.
    pub(super) fn push(&mut self, notice: Notice) {
        let same_data = |other: &Notice| match (other, &notice) {
            (Notice::Data { number: one, .. }, Notice::Data { number: two, .. }) => one == two,
            _ => false,
        };
        if self.waiting.iter().any(same_data) {
            return;
        }
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(notice);
    }

    /// Keeps timers, choices from the menu, and events with these codes.
    pub(super) fn retain_events(&mut self, keep: impl Fn(u8) -> bool) {
        self.waiting.retain(|notice| notice.event_code().is_none_or(&keep));
    }

    /// The next envelope; `available` counts the octets on a channel. Data that the card has read
    /// in the meantime is not told.
    pub(super) fn next(&mut self, now: Now, available: impl Fn(u8) -> usize) -> Option<Vec<u8>> {
        if self.sent.is_some() || self.retry_ms.is_some_and(|retry| now.mono_ms < retry) {
            return None;
        }
        while let Some(notice) = self.waiting.pop_front() {
            let octets = match notice {
                Notice::Data { number, .. } => available(number),
                _ => 0,
            };
            if matches!(notice, Notice::Data { .. }) && octets == 0 {
                self.settle();
                continue;
            }
            self.tries += 1;
            return Some(self.sent.insert(notice).encode(octets));
        }
        None
    }

    /// Takes the card's answer to the last envelope; returns a notice that was given up.
    pub(super) fn answered(&mut self, sw: u16, now: Now) -> Option<Notice> {
        let notice = self.sent.take()?;
        if sw == SW_BUSY && self.tries < TRIES {
            let wait = FIRST_RETRY_MS << (self.tries - 1);
            self.retry_ms = Some(now.mono_ms.saturating_add(wait.min(LONGEST_RETRY_MS)));
            self.waiting.push_front(notice);
            return None;
        }
        self.settle();
        (sw == SW_BUSY).then_some(notice)
    }

    /// When the next envelope may be sent, in monotonic milliseconds.
    pub(super) fn deadline(&self) -> Option<u64> {
        (!self.waiting.is_empty() && self.sent.is_none()).then(|| self.retry_ms.unwrap_or(0))
    }

    fn settle(&mut self) {
        self.tries = 0;
        self.retry_ms = None;
    }
}
