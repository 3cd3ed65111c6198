//! What the tests of the card's operating system share: a scripted terminal, a DM server that only
//! records, and the byte vectors.

// Each test file uses its own part of this; in a test a panic is how a failure is told.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use uicc_sim::application::{Application, Finding, HttpOutput};
use uicc_sim::card::{Card, CardConfig};
use uicc_sim::hex;

/// What the recording DM server saw, and what it is to answer.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) received: Vec<u8>,
    pub(crate) closed: u32,
    pub(crate) resets: u32,
    /// Answered as soon as `received` ends with this.
    pub(crate) request_end: Vec<u8>,
    pub(crate) answer: Vec<u8>,
    pub(crate) close: bool,
    pub(crate) notification: Vec<u8>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) good: u32,
    pub(crate) bad: u32,
}

/// The recording DM server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(pub(crate) Arc<Mutex<Record>>);

impl Application for Recorder {
    fn http_received(&mut self, octets: &[u8]) -> HttpOutput {
        let mut record = self.0.lock().unwrap();
        record.received.extend_from_slice(octets);
        if record.request_end.is_empty() || !record.received.ends_with(&record.request_end) {
            return HttpOutput::default();
        }
        HttpOutput { octets: record.answer.clone(), close: record.close }
    }
    fn http_closed(&mut self) {
        self.0.lock().unwrap().closed += 1;
    }
    fn notification(&mut self) -> Vec<u8> {
        self.0.lock().unwrap().notification.clone()
    }
    fn reset(&mut self) {
        self.0.lock().unwrap().resets += 1;
    }
    fn findings(&self) -> Vec<Finding> {
        self.0.lock().unwrap().findings.clone()
    }
    fn good_sessions(&self) -> u32 {
        self.0.lock().unwrap().good
    }
    fn bad_sessions(&self) -> u32 {
        self.0.lock().unwrap().bad
    }
}

/// A document for EF DM_Bootstrap.
pub(crate) fn bootstrap(length: usize) -> Vec<u8> {
    let mut octets = vector("dm-bootstrap-ef-wbxml-head");
    octets.extend((0..).map(|n: u32| (n % 251) as u8).take(length - octets.len()));
    octets
}

/// A card with a bootstrap document of 300 octets and the recording DM server.
pub(crate) fn card(config: CardConfig) -> (Card, Recorder) {
    config.check().unwrap();
    let recorder = Recorder::default();
    (Card::new(config, bootstrap(300), Box::new(recorder.clone())), recorder)
}

/// The octets of a byte vector.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/smartcard-vectors.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let row = text.lines().find(|row| row.split('\t').next() == Some(name));
    hex::decode(row.unwrap_or_else(|| panic!("no vector {name}")).split('\t').nth(2).unwrap())
        .unwrap()
}

/// The same as hexadecimal text.
pub(crate) fn vector_text(name: &str) -> String {
    hex::encode(&vector(name))
}

/// Sends one command; hexadecimal both ways.
pub(crate) fn send(card: &mut Card, command: &str) -> String {
    hex::encode(&card.transmit(&hex::decode(command).unwrap()).unwrap())
}

/// Sends commands and compares each response.
#[track_caller]
pub(crate) fn script(card: &mut Card, exchanges: &[(&str, &str)]) {
    for (number, (command, response)) in exchanges.iter().enumerate() {
        let response = response.replace(' ', "");
        assert_eq!(send(card, command), response, "exchange {number}: {command}");
    }
}

/// FETCH of so many octets.
pub(crate) fn fetch(length: usize) -> String {
    format!("80120000{length:02X}")
}

/// A vector with another command number.
pub(crate) fn numbered(name: &str, number: u8) -> Vec<u8> {
    let mut octets = vector(name);
    let at = octets.windows(2).position(|w| w == [0x81, 0x03]).unwrap() + 2;
    octets[at] = number;
    octets
}

/// TERMINAL RESPONSE with `data`.
pub(crate) fn response(data: &[u8]) -> String {
    format!("80140000{:02X}{}", data.len(), hex::encode(data))
}

/// ENVELOPE with a vector.
pub(crate) fn envelope(name: &str) -> String {
    let data = vector(name);
    format!("80C20000{:02X}{}", data.len(), hex::encode(&data))
}

/// The channel status of a vector changed to channel 2.
pub(crate) fn channel_2(name: &str) -> Vec<u8> {
    let mut octets = vector(name);
    let at = octets.windows(2).position(|w| w == [0x38, 0x02]).unwrap() + 2;
    octets[at] += 1;
    octets
}

/// A proactive command for channel 1 turned to channel 2.
pub(crate) fn to_channel_2(command: &[u8]) -> Vec<u8> {
    let mut octets = command.to_vec();
    let at = octets.windows(3).position(|w| w == [0x82, 0x02, 0x81]).unwrap() + 3;
    octets[at] += 1;
    octets
}

/// TERMINAL RESPONSE to RECEIVE DATA.
pub(crate) fn received(number: u8, octets: &[u8], remaining: u8, result: u8) -> String {
    let mut data = vec![0x81, 0x03, number, 0x42, 0x00, 0x82, 0x02, 0x82, 0x81, 0x83, 0x01, result];
    if !octets.is_empty() {
        data.push(0xB6);
        if octets.len() > 0x7F {
            data.push(0x81);
        }
        data.push(octets.len() as u8);
        data.extend(octets);
    }
    data.extend([0xB7, 0x01, remaining]);
    response(&data)
}

/// What FETCH returns for RECEIVE DATA.
pub(crate) fn receive(number: u8) -> String {
    format!("{}9000", hex::encode(&numbered("srv-pc-receive-237", number)))
}

/// What FETCH returns for SEND DATA.
pub(crate) fn sending(number: u8, octets: &[u8]) -> String {
    let length = |n: usize| if n > 0x7F { format!("81{n:02X}") } else { format!("{n:02X}") };
    let body =
        format!("8103{number:02X}430182028121B6{}{}", length(octets.len()), hex::encode(octets));
    format!("D0{}{body}9000", length(body.len() / 2))
}
