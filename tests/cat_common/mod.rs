//! What the toolkit tests share: vectors by name, and an engine with every capability.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "test helpers")]

use dmsc::bytes::hex;
use dmsc::card::bip::{Bip, ChannelId};
use dmsc::card::cat::{Capabilities, Cat, Config, Effect, Imei, Imeisv, LocalInfo, Reaction};
use dmsc::time::Now;

pub(crate) const VECTORS: &str = include_str!("../data/smartcard-vectors.tsv");

pub(crate) fn vector(name: &str) -> Vec<u8> {
    let line = VECTORS.lines().find(|line| line.split('\t').next() == Some(name));
    hex::decode(line.and_then(|line| line.split('\t').nth(2)).expect(name)).expect(name)
}

pub(crate) fn at(seconds: u64) -> Now {
    Now { mono_ms: seconds * 1000, unix_s: 1_020_780_497 + seconds as i64 }
}

pub(crate) fn local() -> LocalInfo {
    LocalInfo {
        imei: Some(Imei::from_digits("123456789012345").unwrap()),
        imeisv: Some(Imeisv::from_digits("1234567890123456").unwrap()),
        language: Some(*b"en"),
        location: None,
        access_technology: None,
        utc_offset_quarters: None,
    }
}

pub(crate) fn config() -> Config {
    // Links into the network are off by default (tests/card_links.rs has them).
    let capabilities = Capabilities::all().difference(Capabilities::CONNECTIONS);
    Config { capabilities, local: local(), ..Config::default() }
}

pub(crate) fn engine() -> Cat {
    Cat::new(config())
}

/// Carries out the command `name` at second 0.
pub(crate) fn run(cat: &mut Cat, name: &str) -> Reaction {
    cat.proactive(&vector(name), at(0)).expect(name)
}

/// Carries out `command` and checks its response, both by name.
#[track_caller]
pub(crate) fn check(cat: &mut Cat, command: &str, response: &str) -> Vec<Effect> {
    let reaction = run(cat, command);
    assert_eq!(hex(reaction.terminal_response.as_deref()), hex(Some(&vector(response))));
    reaction.effects
}

#[track_caller]
pub(crate) fn check_envelope(cat: &mut Cat, now: Now, name: &str) {
    assert_eq!(hex(cat.next_envelope(now).as_deref()), hex(Some(&vector(name))));
    cat.envelope_answered(0x9000, now);
}

pub(crate) fn hex(octets: Option<&[u8]>) -> String {
    octets.map_or("nothing".to_owned(), hex::encode)
}

/// A command from its octets after the BER tag and length.
pub(crate) fn command(body: &str) -> Vec<u8> {
    let body = hex::decode(body).unwrap();
    let mut octets = vec![0xD0, body.len() as u8];
    octets.extend(body);
    octets
}

#[track_caller]
pub(crate) fn check_octets(cat: &mut Cat, now: Now, body: &str, response: &str) -> Vec<Effect> {
    let reaction = cat.proactive(&command(body), now).unwrap();
    assert_eq!(hex(reaction.terminal_response.as_deref()), response);
    reaction.effects
}

/// The proactive commands among the vectors.
pub(crate) fn commands() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let names = VECTORS.lines().filter_map(|line| line.split('\t').next());
    names
        .filter(|name| name.contains("pc-"))
        .map(|name| (name, vector(name)))
        .filter(|row| row.1[0] == 0xD0)
}

/// Where the data objects of a command begin.
pub(crate) fn objects_at(command: &[u8]) -> usize {
    if command[1] == 0x81 { 3 } else { 2 }
}

/// An engine with the events of the bearer independent protocol and a server on port 3516.
pub(crate) fn server() -> Cat {
    let mut cat = engine();
    check(&mut cat, "pc-setup-event-list-bip", "tr-setup-event-list");
    let effects = check(&mut cat, "srv-pc-open-3516", "srv-tr-open-listen");
    assert_eq!(effects, [Effect::Listening { port: 3516 }]);
    cat
}

/// A server with a client whose connection the card knows of.
pub(crate) fn connected() -> (Cat, ChannelId) {
    let mut cat = server();
    let client = cat.bip_mut().connect(3516).unwrap();
    check_envelope(&mut cat, at(0), "env-chstatus-established");
    (cat, client)
}

pub(crate) fn write_all(bip: &mut Bip, client: ChannelId, octets: &[u8]) {
    assert_eq!(bip.write(client, octets), octets.len());
}

pub(crate) fn read_all(bip: &mut Bip, client: ChannelId) -> Vec<u8> {
    let mut buffer = vec![0; 4096];
    let count = bip.read(client, &mut buffer);
    buffer.truncate(count);
    buffer
}

/// 0, 1, 2 ... as far as `count`, over and over.
pub(crate) fn counting(count: usize) -> Vec<u8> {
    (0..count).map(|n| n as u8).collect()
}
