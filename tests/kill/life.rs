//! What a process does until it is killed: sessions with its card and with a server in the network, and
//! bootstraps by push.

use crate::phone::Phone;
use crate::remote::Detour;
use crate::said::{Loud, say};
use crate::servers::{self, CARD_SERVER, NET_SERVER, Net, Record, Spy};
use dmsc::client::{CardSignal, Delivery, Provisioning, Sec, SessionState};
use dmsc::error::Code;
use dmsc::event::TriggerSource;
use dmsc::secret::Secret;
use dmsc::store::Store;
use dmsc::store::redb::RedbStore;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uicc_sim::card::Card;
use uicc_sim::profile::Profile;

/// Time that passes with a session of the card: no more than five notifications within ten minutes.
const PAUSE_MS: u64 = 180_000;
/// What the network signs pushes with.
const NETWORK_SECRET: &[u8] = b"shared with the network";
/// What accounts are called that nobody holds sessions with; a number follows.
pub(crate) const PUSHED: &str = "com.example.pushed-";

pub(crate) struct Life {
    pub(crate) phone: Phone,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hand: Arc<AtomicU64>,
    pub(crate) card: Arc<Mutex<Card>>,
    pub(crate) record: Arc<Mutex<Record>>,
}

impl Life {
    /// The phone with its store in `directory` and its card's memory beside it; the network's server is
    /// behind `port`.
    pub(crate) fn begin(directory: &Path, port: u16, seed: u64) -> Self {
        let store: Arc<dyn Store> = Arc::new(RedbStore::open(directory).unwrap());
        let mut profile = servers::card_profile();
        profile.server.memory_file = Some(directory.with_extension("card"));
        let spy = Spy::new(profile.clone(), "Card");
        let record = spy.record();
        let card = servers::card(&profile, Loud::new(spy));
        let hand = Arc::new(AtomicU64::new(1_000));
        let phone = Phone::start(store.clone(), &hand, &Net::new(), seed, true);
        Detour::of(&phone.client, port);
        let mut life = Self { phone, store, hand, card, record };
        life.phone.insert(&life.card).unwrap();
        life.pass(1_000);
        if !life.has_account(NET_SERVER) {
            life.bootstrap_by_push(&servers::net_profile());
        }
        life
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.phone.pass(&self.hand, ms);
    }

    /// The servers that have accounts, with the accounts' URIs.
    pub(crate) fn accounts(&self) -> Vec<(String, String)> {
        let names = self.phone.client.tree_children("./DMAcc").unwrap();
        let uris = names.into_iter().map(|(name, _)| format!("./DMAcc/{name}"));
        uris.map(|uri| {
            let server = self.phone.client.tree_get(&format!("{uri}/ServerID")).unwrap();
            (String::from_utf8(server).unwrap(), uri)
        })
        .collect()
    }

    pub(crate) fn has_account(&self, server: &str) -> bool {
        self.accounts().iter().any(|(known, _)| known == server)
    }

    /// The account of this profile, in a message that the network has signed; the user agrees.
    fn bootstrap_by_push(&self, profile: &Profile) {
        let octets = profile.bootstrap_octets().unwrap();
        let mac = Hmac::<Sha1>::new_from_slice(NETWORK_SECRET).unwrap().chain_update(&octets);
        let message = Provisioning {
            content_type: Some("application/vnd.syncml.dm+wbxml".to_owned()),
            sec: Some(Sec::NetworkPin),
            mac: Some(dmsc::bytes::hex::encode(&mac.finalize().into_bytes())),
            network_secret: Some(Secret::new(NETWORK_SECRET)),
            octets: Secret::new(octets),
            ..Provisioning::default()
        };
        self.phone.client.provision(message).unwrap();
        self.phone.settle();
        assert!(self.has_account(&profile.account.server_id), "the push is not applied");
    }

    /// One more account by push, in place of those before.
    fn another_account(&self, number: u64) {
        let mut profile = servers::net_profile();
        profile.account.server_id = format!("{PUSHED}{number}");
        self.bootstrap_by_push(&profile);
        say(&format!("pushed {number}"));
        let mut txn = self.phone.client.begin().unwrap();
        for (server, uri) in self.accounts() {
            if server.starts_with(PUSHED) && server != profile.account.server_id {
                txn.delete(&uri).unwrap();
            }
        }
        txn.commit().unwrap();
    }

    fn queue_alert(&self, number: u64) {
        self.phone.client.queue_alert(servers::alert(CARD_SERVER, number)).unwrap();
        say(&format!("queued {number}"));
    }

    /// A session by the card's own event.
    pub(crate) fn event_on_card(&self) {
        self.card.lock().unwrap().trigger();
        self.phone.client.notify_card(self.phone.card.unwrap(), CardSignal::Proactive).unwrap();
        self.pass(PAUSE_MS);
    }

    /// A session with the card by push; false if the notification was refused.
    pub(crate) fn push(&self) -> bool {
        let octets = self.card.lock().unwrap().notification();
        let source = TriggerSource::Push;
        let delivery = Delivery { source, slot: 0, content_type: None, octets };
        let taken = self.phone.client.deliver_trigger(delivery);
        if let Err(error) = &taken {
            assert_eq!(error.code(), Code::TriggerDigest, "{error}");
        }
        self.pass(PAUSE_MS);
        taken.is_ok()
    }

    /// A session with the card by the host.
    pub(crate) fn session(&self) {
        self.phone.client.start_session(Some(CARD_SERVER.to_owned())).unwrap();
        self.pass(PAUSE_MS);
    }

    /// A session with the server in the network, over a real socket and in real time; true if it ended well.
    pub(crate) fn session_in_network(&self) -> bool {
        let id = self.phone.client.start_session(Some(NET_SERVER.to_owned())).unwrap();
        let info = self.phone.client.wait_session(id, Duration::from_secs(60)).unwrap();
        assert_eq!(info.state, SessionState::Ended, "the session in the network hangs");
        info.error.is_none()
    }

    pub(crate) fn completed(&self) -> usize {
        self.record.lock().unwrap().completed.len()
    }
}

/// Whole flows, until the process is killed.
pub(crate) fn live(directory: &Path, port: u16, round: u64) -> ! {
    let life = Life::begin(directory, port, round);
    let show = |_: &dmsc::client::Exchange<'_>| say("exchange");
    life.phone.client.set_trace(Some(Arc::new(show))).unwrap();
    for number in round * 1_000.. {
        life.queue_alert(number);
        life.event_on_card();
        life.another_account(number);
        say("network");
        life.session_in_network();
        if !life.push() {
            life.session();
        }
    }
    unreachable!()
}
