//! A process is killed at random points of bootstraps by card and by push, of sessions by the card's event and by
//! push, and of sessions with a server in the network, and started again on its store: nothing is lost, nothing
//! doubled, and the next sessions are good.
//!
//! The network's server is in the process that lives on, behind real HTTP. `DMSC_KILL_ROUNDS` sets how often a
//! process is killed; `make kill` takes 200.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]
#![cfg(all(feature = "redb", unix))]

#[path = "../support/dice.rs"]
mod dice;
mod life;
#[path = "../soak/phone.rs"]
mod phone;
#[path = "../support/remote.rs"]
#[allow(dead_code, reason = "the server is another one here")]
mod remote;
mod said;
#[path = "../soak/servers.rs"]
#[allow(dead_code, reason = "the network and its weather are the soak's")]
mod servers;
#[path = "../support/web.rs"]
#[allow(dead_code, reason = "nobody looks at requests here")]
mod web;

use dice::Dice;
use dmsc::store::Table;
use life::{Life, PUSHED};
use said::Said;
use servers::{CARD_SERVER, NET_SERVER, Record, Spy};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uicc_sim::application::{Application, Finding};
use web::Web;

const TEST: &str = "a_killed_process_loses_nothing_and_does_nothing_twice";
const CHILD: &str = "DMSC_KILL_CHILD";
const ROUND: &str = "DMSC_KILL_ROUND";
const PORT: &str = "DMSC_KILL_PORT";
/// So many processes are killed on one store before the next begins with nothing.
const LIVES: u64 = 5;
/// Lines that a child says, one for each exchange with the card and more, before it is killed at the latest.
const LINES: u64 = 400;

/// The server in the network, which nobody kills.
struct Network {
    web: Web,
    spy: Arc<Mutex<Spy>>,
    record: Arc<Mutex<Record>>,
}

impl Network {
    fn new() -> Self {
        let spy = Spy::new(servers::net_profile(), "Net");
        let (record, spy) = (spy.record(), Arc::new(Mutex::new(spy)));
        let behind = spy.clone();
        let web = Web::plain(move |request| remote::answer(&behind, request));
        Self { web, spy, record }
    }
}

/// Kills a child somewhere in its work.
fn kill_one(place: &Place, round: u64, dice: &mut Dice, said: &mut Said) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, &place.directory)
        .env(PORT, place.network.web.port.to_string())
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

/// Starts the client again, lets it finish what it had begun, and holds four more sessions.
fn check(place: &Place, round: u64, said: &mut Said) {
    let life = Life::begin(&place.directory, place.network.web.port, 1_000_000 + round);
    life.pass(25 * 3_600_000);
    life.session();
    let before = life.completed();
    assert!(life.push(), "round {round}: after a good session the two agree on their nonces");
    life.event_on_card();
    let report = || life.card.lock().unwrap().report();
    assert_eq!(life.completed(), before + 2, "round {round}: {}", report());
    assert!(life.session_in_network(), "round {round}: {}", place.report());
    said.add(&life.record.lock().unwrap());
    let lost: Vec<_> = said.queued.difference(&said.came).collect();
    assert!(lost.is_empty(), "round {round}: alerts {lost:?} are lost");
    check_rest(&life, round);
    check_accounts(&life, round, said);
    let findings = [life.card.lock().unwrap().findings(), place.findings()].concat();
    let twice = findings.into_iter().find(|found| !found.good && found.text.contains("Status 418"));
    assert_eq!(twice, None, "round {round}: a command was applied twice");
    let wide = |numbers: &BTreeSet<u32>| numbers.iter().copied().map(u64::from).collect();
    let net = place.network.record.lock().unwrap();
    check_tree(&life, "Card", round, &said.offered, &said.completed);
    check_tree(&life, "Net", round, &wide(&net.offered), &wide(&net.completed));
}

/// Nothing waits any more, and the journal is whole.
fn check_rest(life: &Life, round: u64) {
    let heard = life.phone.heard.lock().unwrap();
    assert!(heard.open.is_empty() && heard.odd.is_empty(), "round {round}: a session hangs");
    for table in [Table::Schedule, Table::Alert] {
        let mut entries = 0;
        let mut count = |_: &[u8], _: &[u8]| {
            entries += 1;
            ControlFlow::Continue(())
        };
        life.store.snapshot().unwrap().scan(table, b"", b"", &mut count).unwrap();
        assert_eq!(entries, 0, "round {round}: {} has entries left", table.name());
    }
    let client = &life.phone.client;
    let (export, key) = (client.audit_export().unwrap(), client.audit_key().unwrap());
    let verified = dmsc::audit::verify(&export, &[key], Some(&client.audit_head().unwrap().0));
    assert!(verified.is_ok(), "round {round}: {verified:?}");
}

/// Each account is there once and whole, and the last one that a push brought is there.
fn check_accounts(life: &Life, round: u64, said: &Said) {
    let accounts = life.accounts();
    let count = |wanted: &str| accounts.iter().filter(|(server, _)| server == wanted).count();
    assert_eq!((count(CARD_SERVER), count(NET_SERVER)), (1, 1), "round {round}: {accounts:?}");
    let number = |(server, _): &(String, String)| server.strip_prefix(PUSHED)?.parse().ok();
    let pushed: BTreeSet<u64> = accounts.iter().filter_map(number).collect();
    assert_eq!(pushed.len() + 2, accounts.len(), "round {round}: {accounts:?}");
    // One that was being replaced, and one that was killed before it could say so.
    assert!(pushed.len() <= 2 && pushed.last() >= said.pushed.last(), "round {round}: {pushed:?}");
    for (server, uri) in &accounts {
        let leaf = |name: &str| life.phone.client.tree_get(&format!("{uri}/{name}"));
        assert!(leaf("AAuthPref").is_ok(), "round {round}: half an account of {server}");
        let children = |name: &str| life.phone.client.tree_children(&format!("{uri}/{name}"));
        let sizes = ["AppAddr", "AppAuth"].map(|name| children(name).unwrap().len());
        assert_eq!(sizes, [1, 2], "round {round}: half an account of {server}");
    }
}

/// The tree has what completed sessions brought, and nothing that no session did.
fn check_tree(
    life: &Life,
    folder: &str,
    round: u64,
    offered: &BTreeSet<u64>,
    completed: &BTreeSet<u64>,
) {
    let children = life.phone.client.tree_children(&format!("./{folder}")).unwrap();
    let numbers = |letter: char| -> BTreeSet<u64> {
        let names = children.iter().filter_map(|(name, _)| name.strip_prefix(letter));
        names.map(|number| number.parse().unwrap()).collect()
    };
    let (plain, atomic) = (numbers('s'), numbers('a'));
    assert_eq!(plain, atomic, "round {round}: half a message was applied");
    assert!(completed.is_subset(&plain), "round {round}: a completed session is lost");
    assert!(plain.is_subset(offered), "round {round}: nodes of no session");
    let last = life.phone.client.tree_get(&format!("./{folder}/Last")).unwrap();
    assert_eq!(last, plain.last().unwrap().to_string().into_bytes(), "round {round}");
}

/// A place for store and card, with a server in the network; goes away with the test.
struct Place {
    directory: PathBuf,
    network: Network,
}

impl Place {
    fn new(number: u64) -> Self {
        let name = format!("dmsc-kill-{}-{number}", std::process::id());
        Self { directory: std::env::temp_dir().join(name), network: Network::new() }
    }

    fn findings(&self) -> Vec<Finding> {
        self.network.spy.lock().unwrap().findings()
    }

    fn report(&self) -> String {
        let spy = self.network.spy.lock().unwrap();
        uicc_sim::application::report(&spy.findings(), spy.good_sessions(), spy.bad_sessions())
    }

    fn completed(&self, said: &Said) -> [usize; 2] {
        [said.completed.len(), self.network.record.lock().unwrap().completed.len()]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Neither may have been made.
        let _ = std::fs::remove_dir_all(&self.directory);
        let _ = std::fs::remove_file(self.directory.with_extension("card"));
    }
}

#[test]
fn a_killed_process_loses_nothing_and_does_nothing_twice() {
    if let Some(directory) = std::env::var_os(CHILD) {
        let number = |name| std::env::var(name).unwrap();
        let (port, round) = (number(PORT).parse().unwrap(), number(ROUND).parse().unwrap());
        life::live(Path::new(&directory), port, round);
    }
    let rounds = std::env::var("DMSC_KILL_ROUNDS").map_or(20, |text| text.parse().unwrap());
    let mut dice = Dice(20_261_129);
    let (mut sessions, mut pushed) = ([0, 0], 0);
    let mut round = 0;
    while round < rounds {
        let (place, mut said) = (Place::new(round), Said::default());
        for _ in 0..LIVES.min(rounds - round) {
            round += 1;
            kill_one(&place, round, &mut dice, &mut said);
            check(&place, round, &mut said);
        }
        let more = place.completed(&said);
        sessions = [sessions[0] + more[0], sessions[1] + more[1]];
        pushed += said.pushed.len();
    }
    println!(
        "{rounds} kills; {} sessions with the card and {} in the network complete, {pushed} bootstraps by \
         push; nothing lost, nothing doubled",
        sessions[0], sessions[1]
    );
}
