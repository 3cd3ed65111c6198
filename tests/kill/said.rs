//! What a process says before it is killed: one line for each thing that has happened.

use crate::servers::{Record, Spy};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use uicc_sim::application::{Application, Finding, HttpOutput};

/// What the processes on one store have said.
#[derive(Default)]
pub(crate) struct Said {
    /// Sessions of the card's server whose commands went out, and those that it was content with.
    pub(crate) offered: BTreeSet<u64>,
    pub(crate) completed: BTreeSet<u64>,
    /// Alerts of the host that were queued, and those that came.
    pub(crate) queued: BTreeSet<u64>,
    pub(crate) came: BTreeSet<u64>,
    /// Bootstraps by push that were reported as done.
    pub(crate) pushed: BTreeSet<u64>,
}

impl Said {
    pub(crate) fn hear(&mut self, line: &str) {
        let Some((what, number)) = line.split_once(' ') else { return };
        let Ok(number) = number.parse() else { return };
        match what {
            "offered" => drop(self.offered.insert(number)),
            "completed" => drop(self.completed.insert(number)),
            "queued" => drop(self.queued.insert(number)),
            "came" => drop(self.came.insert(number)),
            "pushed" => drop(self.pushed.insert(number)),
            _ => {}
        }
    }

    /// What the card's server says itself.
    pub(crate) fn add(&mut self, record: &Record) {
        self.offered.extend(record.offered.iter().copied().map(u64::from));
        self.completed.extend(record.completed.iter().copied().map(u64::from));
        self.came.extend(&record.alerts);
    }
}

/// One write: a killed process has said a line or not.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Says what went through the server, before its answer goes out.
pub(crate) struct Loud {
    spy: Spy,
    record: Arc<Mutex<Record>>,
    said: BTreeSet<String>,
}

impl Loud {
    pub(crate) fn new(spy: Spy) -> Self {
        Self { record: spy.record(), spy, said: BTreeSet::new() }
    }
}

impl Application for Loud {
    fn http_received(&mut self, octets: &[u8]) -> HttpOutput {
        let output = self.spy.http_received(octets);
        let record = self.record.lock().unwrap();
        let lines = record.alerts.iter().map(|number| format!("came {number}"));
        let lines = lines.chain(record.offered.iter().map(|number| format!("offered {number}")));
        let lines =
            lines.chain(record.completed.iter().map(|number| format!("completed {number}")));
        for line in lines {
            if self.said.insert(line.clone()) {
                say(&line);
            }
        }
        output
    }
    fn http_closed(&mut self) {
        self.spy.http_closed();
    }
    fn notification(&mut self) -> Vec<u8> {
        self.spy.notification()
    }
    fn reset(&mut self) {
        self.spy.reset();
    }
    fn findings(&self) -> Vec<Finding> {
        self.spy.findings()
    }
    fn good_sessions(&self) -> u32 {
        self.spy.good_sessions()
    }
    fn bad_sessions(&self) -> u32 {
        self.spy.bad_sessions()
    }
}
