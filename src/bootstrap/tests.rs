//! What a card's objects do to the tree, and what their going does. The documents are written by the
//! simulated card, which is the other implementation.

mod documents;
mod provisioning;

use super::card::apply;
use super::*;
use crate::card::pkcs15::{Content, Found, OID_DM_BOOTSTRAP, ObjectData};
use crate::error::Code;
use crate::secret::Secret;
use crate::store::memory::MemoryStore;
use crate::store::{Batch, Database, Snapshot, Store};
use crate::time::Now;
use crate::tree::{DeviceInfo, Origin, Tree, dmacc, install};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uicc_sim::profile::Profile;

const CARD: [u8; 16] = [1; 16];
const OTHER_CARD: [u8; 16] = [2; 16];

/// A store that fails when it is told to.
#[derive(Default)]
struct Failing {
    store: MemoryStore,
    full: AtomicBool,
}

impl Store for Failing {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.store.snapshot()
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::new(Code::StorageFull, "no space"));
        }
        self.store.commit(batch)
    }
}

struct Device {
    db: Database,
    store: Arc<Failing>,
}

impl Device {
    fn new() -> Self {
        let store = Arc::new(Failing::default());
        let db = Database::new(store.clone()).unwrap();
        let mut txn = db.begin().unwrap();
        install(&mut txn, &DeviceInfo::default(), Now::default()).unwrap();
        txn.commit().unwrap();
        Self { db, store }
    }

    fn read(&self, slot: u32, card: [u8; 16], found: &Found) -> Result<Outcome> {
        let reading = Reading { slot, identity: card, found: found.clone() };
        apply(&reading, Consent::Given, &self.db, Now::default())
    }

    #[track_caller]
    fn good(&self, slot: u32, card: [u8; 16], objects: &[ObjectData]) -> Report {
        let outcome = self.read(slot, card, &found(objects)).unwrap();
        assert_eq!(outcome.error, None);
        outcome.report
    }

    /// ServerIDs of the accounts with their roots.
    fn accounts(&self) -> Vec<(String, String)> {
        let accounts = dmacc::list(&self.db.read().unwrap()).unwrap();
        accounts.into_iter().map(|account| (account.server_id, account.root_uri)).collect()
    }

    fn servers(&self) -> Vec<String> {
        let mut servers: Vec<String> =
            self.accounts().into_iter().map(|(server, _)| server).collect();
        servers.sort();
        servers
    }
}

fn found(objects: &[ObjectData]) -> Found {
    Found { present: true, objects: objects.to_vec(), ..Found::default() }
}

fn object(path: &str, octets: Vec<u8>) -> ObjectData {
    ObjectData {
        oid: OID_DM_BOOTSTRAP,
        label: None,
        path: path.to_owned(),
        content: Content::Octets(Secret::new(octets)),
    }
}

/// An object at `path` that brings the account of `server`, called `name`.
fn account(path: &str, server: &str, name: &str) -> ObjectData {
    object(path, profile(server, name).bootstrap_octets().unwrap())
}

/// A card that brings nothing but the account of `server`, called `name`.
fn profile(server: &str, name: &str) -> Profile {
    let mut profile = Profile::demo();
    profile.account.server_id = server.to_owned();
    profile.account.name = name.to_owned();
    profile.bootstrap.object.clear();
    profile
}

#[test]
fn an_object_is_applied_once_and_told_with_its_server() {
    let device = Device::new();
    let objects = [account("6433", "one", "")];
    let report = device.good(0, CARD, &objects);
    assert_eq!(report.accounts_added, 1);
    let root = device.accounts()[0].1.clone();
    let applied = News::Applied { uri: root, server_id: Some("one".into()) };
    assert_eq!(report.news, [News::Found { path: "6433".into() }, applied]);

    let again = device.good(0, CARD, &objects);
    assert_eq!((again.objects_unchanged, again.accounts_added), (1, 0));
    assert_eq!(again.news, [News::Found { path: "6433".into() }]);
}

#[test]
fn a_changed_object_replaces_its_account() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "old")]);
    let report = device.good(0, CARD, &[account("6433", "one", "new")]);
    assert_eq!((report.accounts_replaced, report.accounts_added), (1, 0));
    assert_eq!(dmacc::list(&device.db.read().unwrap()).unwrap()[0].name, "new");
}

#[test]
fn an_object_that_moved_on_the_card_keeps_its_account() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    device.good(0, CARD, &[account("6434", "one", "")]);
    assert_eq!(device.servers(), ["one"]);
    let again = device.good(0, CARD, &[account("6434", "one", "")]);
    assert_eq!(again.objects_unchanged, 1);
}

#[test]
fn what_left_the_card_leaves_the_tree_and_is_told() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", ""), account("6434", "two", "")]);
    let report = device.good(0, CARD, &[account("6433", "one", "")]);
    assert_eq!((report.accounts_removed, report.objects_unchanged), (1, 1));
    assert!(report.news.iter().any(
        |news| matches!(news, News::Removed { server_id: Some(server), .. } if server == "two")
    ));
    assert_eq!(device.servers(), ["one"]);
}

#[test]
fn an_empty_card_takes_the_accounts_of_the_one_before_away_and_says_so() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    let outcome = device.read(0, OTHER_CARD, &Found::default()).unwrap();
    assert_eq!(outcome.error.unwrap().code(), Code::BootstrapNone);
    assert_eq!(outcome.report.accounts_removed, 1);
    assert!(matches!(outcome.report.news[..], [News::Removed { .. }]));
    assert!(device.servers().is_empty());
}

#[test]
fn a_card_in_another_slot_brings_its_accounts_along() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    let report = device.good(1, CARD, &[account("6433", "one", "")]);
    assert_eq!((report.accounts_removed, report.accounts_added), (1, 1));
    let account = dmacc::find(&device.db.read().unwrap(), "one").unwrap().unwrap();
    assert_eq!(account.origin, Origin::Card { slot: 1, iccid_hash: CARD });
}

#[test]
fn a_card_that_cannot_be_read_keeps_its_accounts() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", ""), account("6434", "two", "")]);
    let fault = Error::new(Code::CardBadData, "ODF 5031");
    let broken = Found { faults: vec![fault.clone()], ..found(&[]) };
    let outcome = device.read(0, CARD, &broken).unwrap();
    assert_eq!(outcome.error, Some(fault.clone()));
    assert_eq!(outcome.report.accounts_removed, 0);

    // One directory of two: what it held is not met, and stays.
    let half = Found { faults: vec![fault], ..found(&[account("6433", "one", "")]) };
    let outcome = device.read(0, CARD, &half).unwrap();
    assert_eq!(outcome.error, None);
    assert_eq!(device.servers(), ["one", "two"]);
    let whole = [account("6433", "one", ""), account("6434", "two", "")];
    assert_eq!(device.good(0, CARD, &whole).objects_unchanged, 2);
}

#[test]
fn a_locked_object_keeps_its_account() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    let locked = ObjectData {
        content: Content::Locked { reference: Some(1) },
        ..account("6433", "one", "")
    };
    let outcome = device.read(0, CARD, &found(&[locked])).unwrap();
    assert_eq!(outcome.error.unwrap().code(), Code::CardAccessDenied);
    assert_eq!(device.servers(), ["one"]);
}

#[test]
fn one_bad_object_does_not_spoil_the_others() {
    let device = Device::new();
    let objects = [object("6433", vec![1, 2, 3]), account("6434", "two", "")];
    let report = device.good(0, CARD, &objects);
    assert_eq!((report.objects_failed, report.accounts_added), (1, 1));
    assert!(report.news.iter().any(|news| matches!(
        news,
        News::Failed { path: Some(path), error } if path == "6433" && error.code() == Code::BootstrapFormat
    )));
    assert_eq!(device.servers(), ["two"]);
}

#[test]
fn sc_063_a_file_that_is_no_wbxml_is_passed_over_and_reported() {
    let device = Device::new();
    let text = object("6433", b"<SyncML xmlns='SYNCML:SYNCML1.2'></SyncML>".to_vec());
    let report = device.good(0, CARD, &[text, account("6434", "two", "")]);
    assert_eq!((report.objects_failed, report.accounts_added), (1, 1));
    // A length in front is an issuer's mistake that can be put right; any other octets cannot.
    let Content::Octets(message) = account("6433", "one", "").content else { panic!("no octets") };
    let prefixed = |length: usize, padding: usize| {
        let length = u16::try_from(length).unwrap().to_be_bytes();
        [&length[..], message.expose(), &vec![0xFF; padding]].concat()
    };
    let length = message.expose().len();
    for file in [prefixed(length, 0), prefixed(length, 9), prefixed(length + 9, 9)] {
        let device = Device::new();
        assert_eq!(device.good(0, CARD, &[object("6433", file)]).accounts_added, 1);
    }
    // Another length, and what such files hold for lightweight M2M.
    let rows = include_str!("../../tests/data/smartcard-vectors.tsv");
    let vector = |name| {
        let row = rows.lines().find(|row| row.split('\t').next() == Some(name)).unwrap();
        crate::bytes::hex::decode(row.split('\t').nth(2).unwrap()).unwrap()
    };
    let others = ["lwm2m-bootstrap-ef", "lwm2m-bootstrap-ef-bare", "ef-imsi-1"].map(vector);
    for file in [prefixed(7, 0)].into_iter().chain(others) {
        let content = crate::bytes::hex::encode(&file);
        let outcome = device.read(1, OTHER_CARD, &found(&[object("6433", file)])).unwrap();
        let error = outcome.error.unwrap();
        assert_eq!(error.code(), Code::BootstrapFormat);
        // What it is, is nobody's business.
        assert!(!error.to_string().contains(&content[..8]), "{error}");
    }
}

#[test]
fn the_first_object_to_bring_a_server_keeps_it() {
    let device = Device::new();
    let objects = [account("6433", "one", "first"), account("6434", "one", "second")];
    let report = device.good(0, CARD, &objects);
    assert_eq!((report.objects_failed, report.accounts_added), (1, 1));
    assert_eq!(dmacc::list(&device.db.read().unwrap()).unwrap()[0].name, "first");
}

#[test]
fn an_account_from_elsewhere_is_not_taken_over() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    let outcome = device.read(1, OTHER_CARD, &found(&[account("6433", "one", "")])).unwrap();
    assert_eq!(outcome.error.unwrap().code(), Code::BootstrapRefused);
    assert_eq!(outcome.report.objects_failed, 1);
    let account = dmacc::find(&device.db.read().unwrap(), "one").unwrap().unwrap();
    assert_eq!(account.origin, Origin::Card { slot: 0, iccid_hash: CARD });
}

#[test]
fn a_node_that_somebody_put_in_the_place_of_an_account_stays() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    let root = device.accounts()[0].1.clone();
    let mut txn = device.db.begin().unwrap();
    let mut tree = Tree::new(&mut txn, Actor::Host, Now::default());
    tree.delete(&Uri::parse(&root).unwrap()).unwrap();
    let mut tree = Tree::new(&mut txn, Actor::Bootstrap, Now::default());
    let mut other = profile("other", "");
    other.account.address = "http://dm.example/".to_owned();
    let owner = dm::Owner { origin: &Origin::Bootstrap, taken: &[], replace: false };
    let placed = dm::apply(&mut tree, &other.bootstrap_octets().unwrap(), &owner).unwrap();
    assert_eq!(placed[0].uri, root);
    txn.commit().unwrap();

    let outcome = device.read(0, OTHER_CARD, &Found::default()).unwrap();
    assert_eq!(outcome.report.accounts_removed, 0);
    assert_eq!(device.servers(), ["other"]);
}

#[test]
fn a_store_that_fails_leaves_everything_as_it_was() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    device.store.full.store(true, Ordering::SeqCst);
    let error = device.read(0, CARD, &found(&[account("6433", "one", "new")])).unwrap_err();
    assert_eq!(error.code(), Code::StorageFull);
    assert!(!device.db.is_writing());
    assert_eq!(dmacc::list(&device.db.read().unwrap()).unwrap()[0].name, "");
}

#[test]
fn a_bootstrap_during_another_write_is_busy_and_changes_nothing() {
    let device = Device::new();
    let _open = device.db.begin().unwrap();
    let error = device.read(0, CARD, &found(&[account("6433", "one", "")])).unwrap_err();
    assert_eq!(error.code(), Code::Busy);
}
