//! A process is killed at random points of bootstrap, sessions by the card's event and sessions by push,
//! and started again on its store: nothing is lost, nothing doubled, and the next sessions are good.
//!
//! `DMSC_KILL_ROUNDS` sets how often; `make kill` takes 200.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]
#![cfg(all(feature = "redb", unix))]

#[path = "support/dice.rs"]
mod dice;
#[path = "soak/phone.rs"]
mod phone;
#[path = "soak/servers.rs"]
#[allow(dead_code, reason = "the network and its weather are the soak's")]
mod servers;

use dice::Dice;
use dmsc::client::{AlertKind, CardSignal, Delivery, QueuedAlert};
use dmsc::error::Code;
use dmsc::event::TriggerSource;
use dmsc::store::redb::RedbStore;
use dmsc::store::{Store, Table};
use dmsc::tree::Format;
use phone::Phone;
use servers::{ALERT_MARK, CARD_SERVER, Net, Record, Spy};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uicc_sim::application::{Application, Finding, HttpOutput};
use uicc_sim::card::Card;

const TEST: &str = "a_killed_process_loses_nothing_and_does_nothing_twice";
const CHILD: &str = "DMSC_KILL_CHILD";
const ROUND: &str = "DMSC_KILL_ROUND";
/// So many processes are killed on one store before the next begins with nothing.
const LIVES: u64 = 5;
/// Lines that a child says, one for each exchange with the card, before it is killed at the latest.
const LINES: u64 = 400;

/// What the processes on one store have said before they were killed.
#[derive(Default)]
struct Said {
    offered: BTreeSet<u64>,
    completed: BTreeSet<u64>,
    queued: BTreeSet<u64>,
    came: BTreeSet<u64>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let Some((what, number)) = line.split_once(' ') else { return };
        let Ok(number) = number.parse() else { return };
        match what {
            "offered" => drop(self.offered.insert(number)),
            "completed" => drop(self.completed.insert(number)),
            "queued" => drop(self.queued.insert(number)),
            "came" => drop(self.came.insert(number)),
            _ => {}
        }
    }
}

/// One write: a killed process has said a line or not.
fn say(line: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Says what went through the server, before its answer goes out.
struct Loud {
    spy: Spy,
    record: Arc<Mutex<Record>>,
    said: BTreeSet<String>,
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

/// The card, whose memory is a file beside the store.
fn card(directory: &Path) -> (Arc<Mutex<Card>>, Arc<Mutex<Record>>) {
    let mut profile = servers::card_profile();
    profile.server.memory_file = Some(directory.with_extension("card"));
    let spy = Spy::new(profile.clone(), "Card");
    let record = spy.record();
    let loud = Loud { spy, record: record.clone(), said: BTreeSet::new() };
    (servers::card(&profile, loud), record)
}

struct Set {
    phone: Phone,
    store: Arc<dyn Store>,
    hand: Arc<AtomicU64>,
    card: Arc<Mutex<Card>>,
    record: Arc<Mutex<Record>>,
}

impl Set {
    fn new(directory: &Path, seed: u64) -> Self {
        let store: Arc<dyn Store> = Arc::new(RedbStore::open(directory).unwrap());
        let (card, record) = card(directory);
        let hand = Arc::new(AtomicU64::new(1_000));
        let phone = Phone::start(store.clone(), &hand, &Net::new(), seed, true);
        Self { phone, store, hand, card, record }
    }

    fn insert(&mut self) {
        self.phone.insert(&self.card).unwrap();
        self.phone.pass(&self.hand, 1_000);
    }

    fn queue_alert(&self, number: u64) {
        let alert = QueuedAlert {
            server_id: CARD_SERVER.to_owned(),
            kind: AlertKind::Generic,
            source: String::new(),
            mime: "Reversed-Domain-Name:org.example.soak".to_owned(),
            format: Format::Chr,
            mark: String::new(),
            correlator: String::new(),
            data: format!("{ALERT_MARK}{number}.").into_bytes(),
        };
        self.phone.client.queue_alert(alert).unwrap();
    }

    /// A session by the card's own event.
    fn event_on_card(&self) {
        self.card.lock().unwrap().trigger();
        self.phone.client.notify_card(self.phone.card.unwrap(), CardSignal::Proactive).unwrap();
        self.phone.pass(&self.hand, 60_000);
    }

    /// A session by push; false if the notification was refused.
    fn push(&self) -> bool {
        let octets = self.card.lock().unwrap().notification();
        let source = TriggerSource::Push;
        let delivery = Delivery { source, slot: 0, content_type: None, octets };
        let taken = self.phone.client.deliver_trigger(delivery);
        if let Err(error) = &taken {
            assert_eq!(error.code(), Code::TriggerDigest, "{error}");
        }
        self.phone.pass(&self.hand, 60_000);
        taken.is_ok()
    }

    /// A session by the host.
    fn session(&self) {
        self.phone.client.start_session(Some(CARD_SERVER.to_owned())).unwrap();
        self.phone.pass(&self.hand, 60_000);
    }

    fn completed(&self) -> usize {
        self.record.lock().unwrap().completed.len()
    }
}

/// The child: whole flows, until it is killed.
fn work(directory: &Path, round: u64) -> ! {
    let mut set = Set::new(directory, round);
    let show = |_: &dmsc::client::Exchange<'_>| say("exchange");
    set.phone.client.set_trace(Some(Arc::new(show))).unwrap();
    set.insert();
    for number in round * 1_000.. {
        set.queue_alert(number);
        say(&format!("queued {number}"));
        set.event_on_card();
        if !set.push() {
            set.session();
        }
    }
    unreachable!()
}

/// Kills a child somewhere in its work.
fn kill_one(directory: &Path, round: u64, dice: &mut Dice, said: &mut Said) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, directory)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let wanted = dice.below(LINES);
    for _ in 0..wanted {
        said.hear(&lines.next().expect("the child ended by itself"));
    }
    let until = Instant::now() + Duration::from_micros(dice.below(2_000));
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "the child ended by itself");
    lines.for_each(|line| said.hear(&line));
}

/// Starts the client again, lets it finish what it had begun, and holds three more sessions.
fn check(directory: &Path, round: u64, said: &mut Said) {
    let mut set = Set::new(directory, 1_000_000 + round);
    set.insert();
    set.phone.pass(&set.hand, 25 * 3_600_000);
    set.session();
    let before = set.completed();
    assert!(set.push(), "round {round}: after a good session the two agree on their nonces");
    set.event_on_card();
    assert_eq!(set.completed(), before + 2, "round {round}: {}", set.card.lock().unwrap().report());
    let record = set.record.lock().unwrap();
    said.offered.extend(record.offered.iter().copied().map(u64::from));
    said.completed.extend(record.completed.iter().copied().map(u64::from));
    said.came.extend(&record.alerts);
    let lost: Vec<_> = said.queued.difference(&said.came).collect();
    assert!(lost.is_empty(), "round {round}: alerts {lost:?} are lost");
    let heard = set.phone.heard.lock().unwrap();
    assert!(heard.open.is_empty() && heard.odd.is_empty(), "round {round}: a session hangs");
    for table in [Table::Schedule, Table::Alert] {
        let mut entries = 0;
        let mut count = |_: &[u8], _: &[u8]| {
            entries += 1;
            ControlFlow::Continue(())
        };
        set.store.snapshot().unwrap().scan(table, b"", b"", &mut count).unwrap();
        assert_eq!(entries, 0, "round {round}: {} has entries left", table.name());
    }
    let accounts = set.phone.client.tree_children("./DMAcc").unwrap();
    assert_eq!(accounts.len(), 1, "round {round}: accounts");
    let twice = set.card.lock().unwrap().findings();
    let twice = twice.into_iter().find(|found| !found.good && found.text.contains("Status 418"));
    assert_eq!(twice, None, "round {round}: a command was applied twice");
    let client = &set.phone.client;
    let (export, key) = (client.audit_export().unwrap(), client.audit_key().unwrap());
    let verified = dmsc::audit::verify(&export, &[key], Some(&client.audit_head().unwrap().0));
    assert!(verified.is_ok(), "round {round}: {verified:?}");
    tree(&set.phone, round, said);
}

/// The tree has what completed sessions brought, and nothing that no session did.
fn tree(phone: &Phone, round: u64, said: &Said) {
    let children = phone.client.tree_children("./Card").unwrap();
    let numbers = |letter: char| -> BTreeSet<u64> {
        let names = children.iter().filter_map(|(name, _)| name.strip_prefix(letter));
        names.map(|number| number.parse().unwrap()).collect()
    };
    let (plain, atomic) = (numbers('s'), numbers('a'));
    assert_eq!(plain, atomic, "round {round}: half a message was applied");
    assert!(said.completed.is_subset(&plain), "round {round}: a completed session is lost");
    assert!(plain.is_subset(&said.offered), "round {round}: nodes of no session");
    let last = phone.client.tree_get("./Card/Last").unwrap();
    assert_eq!(last, plain.last().unwrap().to_string().into_bytes(), "round {round}");
}

/// A place for store and card that goes away with the test.
struct Place(PathBuf);

impl Place {
    fn new(number: u64) -> Self {
        let name = format!("dmsc-kill-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Neither may have been made.
        let _ = std::fs::remove_dir_all(&self.0);
        let _ = std::fs::remove_file(self.0.with_extension("card"));
    }
}

#[test]
fn a_killed_process_loses_nothing_and_does_nothing_twice() {
    if let Some(directory) = std::env::var_os(CHILD) {
        work(Path::new(&directory), std::env::var(ROUND).unwrap().parse().unwrap());
    }
    let rounds = std::env::var("DMSC_KILL_ROUNDS").map_or(20, |text| text.parse().unwrap());
    let mut dice = Dice(20_261_129);
    let (mut place, mut said, mut sessions) = (Place::new(0), Said::default(), 0);
    for round in 0..rounds {
        if round % LIVES == 0 {
            sessions += said.completed.len();
            (place, said) = (Place::new(round), Said::default());
        }
        kill_one(&place.0, round + 1, &mut dice, &mut said);
        check(&place.0, round + 1, &mut said);
    }
    sessions += said.completed.len();
    println!("{rounds} kills, {sessions} sessions complete, nothing lost, nothing doubled");
}
