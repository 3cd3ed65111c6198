//! How many exchanges a card is troubled with, as docs/performance.md has it: bootstrap cold, warm and
//! unchanged, one HTTP POST over a channel, and a minute of nothing.

use super::phone::{Exchange, Phone};
use dmsc::client::CardSignal;
use dmsc::store::memory::MemoryStore;
use std::sync::Arc;
use uicc_sim::card::Protocol;
use uicc_sim::profile::Profile;

/// Exchanges that tell which card it is: the channel, EF.ICCID, the channel's end.
const IDENTITY: usize = 4;
/// EF.ICCID once more behind the last object.
const CONFIRMATION: usize = 2;

/// A card whose EF DM_Bootstrap takes this many READ BINARY: four are 1,024 octets.
const READS: usize = 5;

/// A card whose EF DM_Bootstrap is full.
fn large(short_ids: bool) -> Profile {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/uicc-sim/profiles/t1-oiddo.toml");
    let mut profile = Profile::load(file.as_ref()).unwrap();
    profile.card.short_ids = short_ids;
    profile.card.path_length = false;
    profile.card.toolkit.timer_seconds = 0;
    let document = profile.bootstrap_octets().unwrap().len();
    profile.card.padding = 256 * READS - document;
    profile
}

#[test]
fn a_bootstrap_cold_warm_and_unchanged() {
    for (short_ids, cold) in [(true, 7 + READS), (false, 8 + READS)] {
        let store = Arc::new(MemoryStore::new());
        let phone = Phone::new(large(short_ids), &store);
        assert_eq!(phone.take().len(), IDENTITY);
        assert_eq!(phone.bootstrap(), cold + CONFIRMATION, "cold");
        assert_eq!(phone.bootstrap(), 0, "unchanged");
        // Switched off and on: the place on the card is known.
        phone.client.close();
        let phone = Phone::new(large(short_ids), &store);
        assert_eq!(phone.take().len(), IDENTITY);
        let report = phone.client.bootstrap_card(phone.card).unwrap();
        assert_eq!((report.objects_unchanged, report.accounts_added), (1, 0));
        assert_eq!(phone.take().len(), 4 + READS + CONFIRMATION, "warm");
    }
}

#[test]
fn a_card_that_was_reset_is_read_again() {
    let store = Arc::new(MemoryStore::new());
    let phone = Phone::new(large(true), &store);
    phone.bootstrap();
    phone.client.notify_card(phone.card, CardSignal::Reset).unwrap();
    phone.run(1);
    phone.take();
    assert_eq!(phone.bootstrap(), IDENTITY + 4 + READS + CONFIRMATION);
}

#[test]
fn a_changed_file_is_seen_although_its_place_is_known() {
    let store = Arc::new(MemoryStore::new());
    Phone::new(large(true), &store).bootstrap();
    let mut other = large(true);
    other.account.name = "Another name".to_owned();
    let phone = Phone::new(other, &store);
    let report = phone.client.bootstrap_card(phone.card).unwrap();
    assert_eq!((report.objects_unchanged, report.accounts_replaced), (0, 1));
    // One that was moved too.
    let mut moved = large(true);
    moved.card.bootstrap_fid = 0x6435;
    let phone = Phone::new(moved, &store);
    let report = phone.client.bootstrap_card(phone.card).unwrap();
    assert_eq!((report.accounts_removed, report.accounts_added), (1, 1));
}

/// What docs/adr/0094-what-a-known-card-hides.md says of a card to which the issuer wrote while the phone was off.
#[test]
fn an_object_added_beside_a_known_one_is_found_when_the_host_says_that_files_have_changed() {
    let store = Arc::new(MemoryStore::new());
    Phone::new(large(true), &store).bootstrap();
    let mut more = large(true);
    let mut second = more.account.clone();
    second.server_id = "com.example.second".to_owned();
    more.second_account = Some(second);
    let phone = Phone::new(more, &store);
    let report = phone.client.bootstrap_card(phone.card).unwrap();
    assert_eq!((report.objects_unchanged, report.accounts_added), (1, 0));
    phone.client.notify_card(phone.card, CardSignal::FilesChanged).unwrap();
    phone.run(1);
    let report = phone.client.bootstrap_card(phone.card).unwrap();
    assert_eq!((report.objects_unchanged, report.accounts_added), (1, 1));
    // From then on both are known.
    phone.take();
    assert_eq!(phone.bootstrap(), 0);
}

/// The type of a proactive command that a FETCH brought, its qualifier and its data objects' octets.
fn fetched(exchange: &Exchange) -> Option<u8> {
    let (command, response) = exchange;
    (command[1] == 0x12).then(|| {
        let at = response.windows(2).position(|octets| octets == [0x81, 0x03]).unwrap();
        response[at + 3]
    })
}

#[test]
fn one_post_over_a_channel_costs_what_the_formula_says() {
    let mut profile = Profile::demo();
    profile.card.protocol = Protocol::T1;
    profile.card.toolkit.timer_seconds = 0;
    let store = Arc::new(MemoryStore::new());
    let phone = Phone::new(profile, &store);
    phone.bootstrap();
    phone.client.start_toolkit(phone.card).unwrap();
    phone.run(1);
    phone.take();
    phone.client.start_session(None).unwrap();
    phone.run(2000);
    let seen = phone.take();
    let (mut posts, mut request, mut response) = (0, Vec::new(), Vec::new());
    let (mut receives, mut sends, mut envelopes) = (0, 0, 0);
    for exchange in &seen {
        match (exchange.0[1], fetched(exchange)) {
            (0xC2, _) => envelopes += 1,
            (_, Some(0x42)) => receives += 1,
            (_, Some(0x43)) => sends += 1,
            _ => {}
        }
        if let (0x14, data) = (exchange.0[1], &exchange.0[5..])
            && data[3] == 0x42
        {
            // What the terminal gives to RECEIVE DATA: the request, in pieces of 237 octets.
            let at = data.iter().position(|octet| *octet == 0xB6).unwrap();
            let (skip, length) = match data[at + 1] {
                0x81 => (3, usize::from(data[at + 2])),
                length => (2, usize::from(length)),
            };
            assert_eq!(data.len(), at + skip + length + 3);
            request.push(length);
            posts += usize::from(data[at + skip..].starts_with(b"POST"));
        }
        if fetched(exchange) == Some(0x43) {
            response.push(exchange.1.len());
        }
    }
    assert!(posts >= 2, "{posts} posts");
    assert_eq!(receives, request.len());
    // Every piece but the last of each request is full, so that none is asked for in vain.
    let full = request.iter().filter(|length| **length == 237).count();
    assert!(receives - full <= posts, "{request:?}");
    // One event says that the connection is there, one for each request that data wait, and one that the
    // terminal closed it.
    assert_eq!(envelopes, 2 + posts);
    assert_eq!(sends, response.len());
    // Nothing else: a fetch and a response for each piece, and the events.
    assert_eq!(seen.len(), envelopes + 2 * receives + 2 * sends);
}

#[test]
fn a_minute_of_nothing_costs_two_exchanges() {
    let mut profile = Profile::demo();
    profile.card.toolkit.timer_seconds = 0;
    profile.card.protocol = Protocol::T1;
    let phone = Phone::new(profile, &Arc::new(MemoryStore::new()));
    phone.run(60_000);
    phone.take();
    phone.run(3_600_000);
    assert_eq!(phone.take().len(), 0, "without a toolkit nothing is polled");
    phone.client.start_toolkit(phone.card).unwrap();
    phone.run(3_660_000);
    phone.take();
    phone.run(3_720_000);
    let seen = phone.take();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|(command, _)| command[..] == [0x80, 0xF2, 0x00, 0x0C, 0x00]));
}
