//! What the tests of the card's operating system share: a scripted terminal, a DM server that only
//! records, and the byte vectors.

// Each test file uses its own part of this.
#![allow(dead_code)]

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
    let mut octets = hex::decode("02A4016A00").unwrap();
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
