//! What must hold when all is over. The model of the tree comes from the servers' wires alone.

use super::phone::Phone;
use super::servers::Record;
use super::world::World;
use dmsc::audit::verify;
use dmsc::store::{Store, Table};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Fails with what does not hold.
pub(crate) fn holds(world: &World) {
    nothing_hangs(world);
    audit_verifies(&world.phone);
    alerts_have_come(world);
    let (card, net) = (world.card_record.lock().unwrap(), world.net_record.lock().unwrap());
    tree_is_as_the_servers_left_it(&world.phone, "Card", &card);
    tree_is_as_the_servers_left_it(&world.phone, "Net", &net);
    assert!(world.phone.client.tree_info("./Evil").is_err(), "an impostor's command was executed");
    let accounts = world.phone.client.tree_children("./DMAcc").unwrap();
    assert_eq!(accounts.len(), 2, "accounts");
    // A node that a server adds twice is there already the second time.
    let twice = world.bad_findings().into_iter().find(|text| text.contains("Status 418"));
    assert_eq!(twice, None, "a command was applied twice");
}

/// The journal of all lives of the client is one unbroken chain.
fn audit_verifies(phone: &Phone) {
    let export = phone.client.audit_export().unwrap();
    let (key, head) = (phone.client.audit_key().unwrap(), phone.client.audit_head().unwrap().0);
    let verified = verify(&export, &[key], Some(&head)).unwrap();
    assert!(verified.last > 100, "{verified:?}");
}

fn nothing_hangs(world: &World) {
    let heard = world.phone.heard.lock().unwrap();
    assert!(heard.open.is_empty(), "sessions {:?} hang", heard.open);
    for table in [Table::Schedule, Table::Alert] {
        assert_eq!(entries(world, table), 0, "{} has entries left", table.name());
    }
    assert_eq!(entries(world, Table::Replay), 2, "one list for each server");
}

fn entries(world: &World, table: Table) -> usize {
    let mut number = 0;
    let mut count = |_: &[u8], _: &[u8]| {
        number += 1;
        ControlFlow::Continue(())
    };
    world.store.snapshot().unwrap().scan(table, b"", b"", &mut count).unwrap();
    number
}

fn alerts_have_come(world: &World) {
    let (card, net) = (world.card_record.lock().unwrap(), world.net_record.lock().unwrap());
    let came: BTreeSet<u64> = card.alerts.union(&net.alerts).copied().collect();
    let lost: Vec<_> = world.alerts.difference(&came).collect();
    assert!(lost.is_empty(), "alerts {lost:?} of {} never came", world.alerts.len());
}

fn tree_is_as_the_servers_left_it(phone: &Phone, folder: &str, record: &Record) {
    let children = phone.client.tree_children(&format!("./{folder}")).unwrap();
    let numbers = |letter: char| -> BTreeSet<u32> {
        let names = children.iter().filter_map(|(name, _)| name.strip_prefix(letter));
        names.map(|number| number.parse().unwrap()).collect()
    };
    let (plain, atomic) = (numbers('s'), numbers('a'));
    assert_eq!(plain, atomic, "{folder}: half a message was applied");
    assert!(record.completed.is_subset(&plain), "{folder}: a completed session left nothing");
    assert!(plain.is_subset(&record.offered), "{folder}: a node that no server has added");
    let last = phone.client.tree_get(&format!("./{folder}/Last")).unwrap();
    let wanted = plain.last().unwrap().to_string();
    assert_eq!(String::from_utf8(last).unwrap(), wanted, "{folder}: an older session came later");
    for number in plain {
        let value = phone.client.tree_get(&format!("./{folder}/a{number}")).unwrap();
        assert_eq!(value, number.to_string().into_bytes());
    }
    let newest = record.completed.last();
    assert_eq!(newest, record.offered.last(), "{folder}: the last session was not good");
    assert!(record.completed.len() > 2, "{folder}: too little went on");
}

/// What a client holds at most however long it lives, beside what it holds after an hour: the sessions that
/// have ended, of which it remembers 256.
const REMEMBERED: usize = 256 * 320;

/// The client has not grown.
pub(crate) fn memory_is_flat([early, late]: [usize; 2]) {
    assert!(late <= early + REMEMBERED, "the client grows from {early} to {late} octets");
}
