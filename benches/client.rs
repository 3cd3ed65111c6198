//! Instructions, wall time and heap of a client and its card sessions, and many clients in one process.
//!
//! `cargo bench --bench client` prints the figures; it needs valgrind. The card is the demo profile of
//! `uicc-sim`. For the figures of one client its exchanges are written down first and played back then, so
//! that the simulated card costs nothing. `client CASE TIMES` plays one case.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench may fail loudly")]

#[path = "../tests/support/mod.rs"]
mod support;

mod common;

use common::callgrind::{instructions, number, output};
use common::heap::{self, Heap, measured};
use dmsc::card::transport::CardTransport;
use dmsc::driver::Ran;
use dmsc::error::{Code, Error, Result};
use std::process::Command;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};
use support::facade::Facade;
use support::sim::profile;
use uicc_sim::card::Card;

/// Phones of the last table.
const PHONES: usize = 1_000;
/// Sessions of each of them.
const SESSIONS: usize = 3;
/// Repetitions for the wall time.
const TIMES: u32 = 101;

/// Commands and responses in their order.
type Tape = Vec<(Vec<u8>, Vec<u8>)>;

fn exchange(card: &Mutex<Card>, command: &[u8]) -> Result<Vec<u8>> {
    let gone = |_| Error::new(Code::CardRemoved, "the card was removed");
    card.lock().unwrap().transmit(command).map_err(gone)
}

/// A card, and where its exchanges are written down.
struct Recorder(Arc<Mutex<Card>>, Option<Arc<Mutex<Tape>>>);

impl CardTransport for Recorder {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let response = exchange(&self.0, command)?;
        if let Some(tape) = &self.1 {
            tape.lock().unwrap().push((command.to_vec(), response.clone()));
        }
        Ok(response)
    }
    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.lock().unwrap().atr().to_vec())
    }
}

/// What was written down, without a card.
struct Player(std::vec::IntoIter<(Vec<u8>, Vec<u8>)>, Vec<u8>);

impl CardTransport for Player {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let (expected, response) = self.0.next().unwrap();
        assert!(command == expected, "the client does something else than before");
        Ok(response)
    }
    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.1.clone())
    }
}

/// Everything that a client and the card say from power on to the end of a session by push.
struct Recording {
    atr: Vec<u8>,
    tape: Tape,
    push: Vec<u8>,
    /// Steps of the client from the notification to the first octets for the server.
    first: usize,
    /// Exchanges of the session.
    exchanges: usize,
}

/// Card open, bootstrap applied, toolkit running and at rest.
fn boot(phone: &Facade, transport: Box<dyn CardTransport>) {
    let card = phone.client.open_card(0, transport).unwrap();
    phone.client.bootstrap_card(card).unwrap();
    phone.client.start_toolkit(card).unwrap();
    phone.settle();
}

impl Recording {
    fn new() -> Self {
        let card = Arc::new(Mutex::new(profile("demo").build().unwrap()));
        let (phone, tape) = (Facade::new(), Arc::new(Mutex::new(Tape::new())));
        boot(&phone, Box::new(Recorder(card.clone(), Some(tape.clone()))));
        let ready = tape.lock().unwrap().len();
        let push = card.lock().unwrap().notification();
        phone.deliver(push.clone()).unwrap();
        let has_begun = || {
            let tape = tape.lock().unwrap();
            let mut commands = tape[ready..].iter().map(|(command, _)| command);
            commands.any(|command| command.windows(5).any(|octets| octets == b"POST "))
        };
        let mut first = 0;
        while !has_begun() {
            first += 1;
            assert_eq!(phone.client.run_once(Duration::ZERO).unwrap(), Ran::Something);
        }
        phone.settle();
        assert_eq!(phone.ended(), [(0, String::new())]);
        let (atr, tape) = (card.lock().unwrap().atr().to_vec(), tape.lock().unwrap().clone());
        let exchanges = tape.len() - ready;
        Self { atr, tape, push, first, exchanges }
    }

    fn player(&self) -> Box<Player> {
        Box::new(Player(self.tape.clone().into_iter(), self.atr.clone()))
    }
}

/// A notification, and at most so many steps of what follows.
#[inline(never)]
fn work(phone: &Facade, push: Vec<u8>, steps: usize) {
    phone.deliver(push).unwrap();
    for _ in 0..steps {
        if phone.client.run_once(Duration::ZERO).unwrap() == Ran::Nothing {
            return;
        }
    }
}

/// Plays one case so many times, and tells what the last one did to the heap, and the middle of the times.
fn repeat(case: &str, times: u32) {
    let recording = Recording::new();
    let steps = if case == "first" { recording.first } else { usize::MAX };
    let mut wall = Vec::new();
    let (mut heap, mut idle) = (Heap::default(), 0);
    for _ in 0..times {
        let player = recording.player();
        let before = heap::now();
        let phone = Facade::new();
        boot(&phone, player);
        // The exchanges that were played are gone from the heap.
        let played: usize = recording.tape[..recording.tape.len() - recording.exchanges]
            .iter()
            .map(|(command, response)| command.len() + response.len())
            .sum();
        idle = heap::now() + played - before;
        let push = recording.push.clone();
        let begun = Instant::now();
        heap = measured(|| work(&phone, push, steps)).1;
        wall.push(begun.elapsed().as_micros());
        if case == "session" {
            assert_eq!(phone.ended(), [(0, String::new())]);
        }
    }
    wall.sort_unstable();
    let (middle, exchanges) = (wall[wall.len() / 2], recording.exchanges);
    let Heap { calls, peak, .. } = heap;
    println!("{case} wall={middle} idle={idle} calls={calls} peak={peak} exchanges={exchanges}");
}

fn row(own: &str, case: &str, what: &str) -> std::result::Result<(), String> {
    let count = instructions("client", own, &[case])?;
    let line = output(Command::new(own).args([case, &TIMES.to_string()]))?;
    let of = |key| number(&line, key).ok_or_else(|| line.clone());
    println!(
        "{what:<28} {:>7.2} {:>6} {:>6} {:>7} {:>7} {:>7}",
        count as f64 / 1e6,
        of("wall=")?,
        of("calls=")?,
        of("peak=")?,
        of("idle=")?,
        of("exchanges=")?,
    );
    Ok(())
}

/// A phone with a card of its own.
struct Pair(Facade, Arc<Mutex<Card>>);

impl Pair {
    fn new() -> Self {
        let (phone, card) = (Facade::new(), Arc::new(Mutex::new(profile("demo").build().unwrap())));
        boot(&phone, Box::new(Recorder(card.clone(), None)));
        Self(phone, card)
    }

    fn trigger(&self) {
        let push = self.1.lock().unwrap().notification();
        self.0.deliver(push).unwrap();
    }

    fn step(&self) -> bool {
        self.0.client.run_once(Duration::ZERO).unwrap() == Ran::Something
    }
}

/// One thread's phones: all of them hold their sessions at the same time.
fn farm(phones: usize, barrier: &Barrier) {
    let pairs: Vec<Pair> = (0..phones).map(|_| Pair::new()).collect();
    barrier.wait();
    barrier.wait();
    for _ in 0..SESSIONS {
        pairs.iter().for_each(Pair::trigger);
        while pairs.iter().fold(false, |did, pair| pair.step() | did) {}
    }
    barrier.wait();
    barrier.wait();
    for Pair(phone, card) in pairs {
        assert_eq!(phone.ended().len(), SESSIONS);
        assert_eq!(card.lock().unwrap().good_sessions() as usize, SESSIONS);
    }
}

/// Many phones at once, on so many threads.
fn many(threads: usize) {
    let barrier = Arc::new(Barrier::new(threads + 1));
    let before = heap::now();
    let farms: Vec<_> = (0..threads)
        .map(|_| {
            let barrier = barrier.clone();
            std::thread::spawn(move || farm(PHONES / threads, &barrier))
        })
        .collect();
    barrier.wait();
    let idle = heap::now() - before;
    let begun = Instant::now();
    let ((), heap) = measured(|| {
        barrier.wait();
        barrier.wait();
    });
    let per_second = (PHONES * SESSIONS) as f64 / begun.elapsed().as_secs_f64();
    barrier.wait();
    farms.into_iter().for_each(|farm| farm.join().unwrap());
    println!(
        "{PHONES} phones with cards, {threads} threads: {per_second:.0} sessions/s; octets of the heap \
         per phone and card: {} idle, {} at most in sessions",
        idle / PHONES,
        (idle + heap.peak) / PHONES
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|word| word != "--bench").collect();
    match arguments.as_slice() {
        [_, case, times] => repeat(case, times.parse().unwrap_or(1)),
        [own] => {
            println!("{:<28}  MInstr     µs  calls    peak    idle exchanges", "");
            let rows = [("first", "trigger to first octet"), ("session", "whole card session")];
            for (case, what) in rows {
                row(own, case, what).unwrap();
            }
            many(1);
            many(2);
        }
        _ => {
            eprintln!("usage: client [CASE TIMES]");
            std::process::exit(1);
        }
    }
}
