//! Everything around the client, and what the dice make of it.

use super::dice::Dice;
use super::heap;
use super::phone::Phone;
use super::servers::{self, CARD_SERVER, NET_SERVER, Net, Record, Spy, Weather};
use dmsc::client::{CardSignal, Delivery};
use dmsc::error::{Code, Error};
use dmsc::event::TriggerSource;
use dmsc::store::memory::MemoryStore;
use dmsc::tree::Format;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use uicc_sim::application::Application;
use uicc_sim::card::Card;
use uicc_sim::dm::notification::{self, Initiator, Trigger, UiMode};

/// Pushes that an attacker has recorded.
const RECORDED: usize = 32;

/// How often the client is ended and started again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lives {
    One,
    Many,
}

pub(crate) struct World {
    lives: Lives,
    dice: Dice,
    seed: u64,
    hand: Arc<AtomicU64>,
    pub(crate) store: Arc<MemoryStore>,
    card: Arc<Mutex<Card>>,
    pub(crate) card_record: Arc<Mutex<Record>>,
    pub(crate) net: Arc<Net>,
    pub(crate) net_record: Arc<Mutex<Record>>,
    pub(crate) phone: Phone,
    card_is_in: bool,
    recorded: Vec<Vec<u8>>,
    /// Alerts that the client has taken.
    pub(crate) alerts: BTreeSet<u64>,
    next_alert: u64,
    /// Sums over all lives of the client.
    pub(crate) ended: BTreeMap<i32, u32>,
    pub(crate) refused: BTreeMap<i32, u32>,
    did: BTreeMap<&'static str, u32>,
}

impl World {
    pub(crate) fn new(seed: u64, lives: Lives) -> Self {
        let (hand, store) = (Arc::new(AtomicU64::new(1_000)), Arc::new(MemoryStore::new()));
        let profile = servers::card_profile();
        let spy = Spy::new(profile.clone(), "Card");
        let card_record = spy.record();
        let card = servers::card(&profile, spy);
        let net = Net::new();
        let net_record = net.genuine.lock().unwrap().record();
        let phone = Phone::start(store.clone(), &hand, &net, seed, false);
        let mut world = Self {
            lives,
            dice: Dice(seed),
            seed,
            hand,
            store,
            card,
            card_record,
            net,
            net_record,
            phone,
            card_is_in: false,
            recorded: Vec::new(),
            alerts: BTreeSet::new(),
            next_alert: 1,
            ended: BTreeMap::new(),
            refused: BTreeMap::new(),
            did: BTreeMap::new(),
        };
        world.put_card_in();
        world.add_net_account();
        world
    }

    /// Lets the dice rule for `ms`.
    pub(crate) fn live(&mut self, ms: u64) {
        let mut left = ms;
        while left > 0 {
            self.something();
            let pause = (1 + self.dice.below(90_000)).min(left);
            left -= pause;
            self.phone.pass(&self.hand, pause);
        }
    }

    fn something(&mut self) {
        let (name, what): (_, fn(&mut Self)) = match self.dice.below(20) {
            0 | 1 => ("push of the card's server", Self::push_for_card),
            2 | 3 => ("push of the network's server", Self::push_for_net),
            4 | 5 => ("event on the card", Self::event_on_card),
            6 => ("session of the host", Self::session_of_host),
            7 | 8 => ("alert of the host", Self::alert_of_host),
            9 => ("card pulled", Self::pull_card),
            10 => ("card pulled in a session", Self::pull_card_in_session),
            11 | 12 => ("card put in", Self::put_card_in),
            13 => ("bad weather", Self::bad_weather),
            14 | 15 => ("fair weather", Self::fair_weather),
            16 => ("restart", Self::restart),
            17 => ("bad digest", Self::attack_digest),
            18 => ("replay", Self::attack_replay),
            _ => ("unknown server", Self::attack_unknown),
        };
        *self.did.entry(name).or_default() += 1;
        what(self);
    }

    // ---- what is right ------------------------------------------------------------------------------

    fn deliver(&mut self, octets: Vec<u8>) -> Result<u64, Error> {
        let source = TriggerSource::Push;
        self.phone.client.deliver_trigger(Delivery { source, slot: 0, content_type: None, octets })
    }

    fn genuine(&mut self, push: Vec<u8>) {
        if self.recorded.len() == RECORDED {
            self.recorded.remove(0);
        }
        self.recorded.push(push.clone());
        // Whether it is taken depends on what else goes on; it may be refused, not lost.
        let _ = self.deliver(push);
    }

    fn push_for_card(&mut self) {
        let push = self.card.lock().unwrap().notification();
        self.genuine(push);
    }

    fn push_for_net(&mut self) {
        let push = self.net.genuine.lock().unwrap().notification();
        self.genuine(push);
    }

    fn event_on_card(&mut self) {
        self.card.lock().unwrap().trigger();
        self.signal(CardSignal::Proactive);
    }

    fn signal(&self, signal: CardSignal) {
        if let Some(card) = self.phone.card {
            self.phone.client.notify_card(card, signal).unwrap();
        }
    }

    fn session_of_host(&mut self) {
        let server = if self.dice.below(2) == 0 { CARD_SERVER } else { NET_SERVER };
        self.session_with(server);
    }

    /// Fails where one waits already.
    fn session_with(&mut self, server: &str) {
        match self.phone.client.start_session(Some(server.to_owned())) {
            Ok(_) => {}
            Err(error) => {
                assert!(matches!(error.code(), Code::Busy | Code::TriggerServer), "{error}");
            }
        }
    }

    fn alert_of_host(&mut self) {
        let number = self.next_alert;
        self.next_alert += 1;
        let server_id = [CARD_SERVER, NET_SERVER, ""][self.dice.below(3) as usize];
        match self.phone.client.queue_alert(servers::alert(server_id, number)) {
            Ok(_) => drop(self.alerts.insert(number)),
            // Too many wait already: the host is told.
            Err(error) => assert_eq!(error.code(), Code::TooLarge, "{error}"),
        }
    }

    // ---- what happens -------------------------------------------------------------------------------

    fn pull_card(&mut self) {
        if self.card_is_in {
            self.card.lock().unwrap().remove();
            self.card_is_in = false;
            if self.dice.below(2) == 0 {
                self.signal(CardSignal::Removed);
            }
        }
    }

    fn pull_card_in_session(&mut self) {
        if !self.card_is_in {
            return;
        }
        self.session_with(CARD_SERVER);
        for _ in 0..self.dice.below(120) {
            self.phone.client.run_once(std::time::Duration::ZERO).unwrap();
        }
        self.pull_card();
    }

    fn put_card_in(&mut self) {
        if self.card_is_in {
            return;
        }
        if let Some(card) = self.phone.card.take() {
            self.phone.client.close_card(card);
        }
        self.card.lock().unwrap().insert();
        self.card_is_in = true;
        self.phone.insert(&self.card).unwrap();
    }

    fn bad_weather(&mut self) {
        let weather = match self.dice.below(6) {
            0 => Weather::Down,
            1 | 2 => Weather::Breaking(self.dice.below(4_000) as usize),
            3 => Weather::Impostor,
            4 => Weather::Garbage,
            _ => Weather::Status([404, 500, 503][self.dice.below(3) as usize]),
        };
        *self.net.weather.lock().unwrap() = weather;
        self.phone.client.network_changed(weather != Weather::Down).unwrap();
        self.session_with(NET_SERVER);
    }

    fn fair_weather(&mut self) {
        *self.net.weather.lock().unwrap() = Weather::Fair;
        self.phone.client.network_changed(true).unwrap();
    }

    fn restart(&mut self) {
        if self.lives == Lives::Many {
            self.start_again(false);
        }
    }

    /// Ends the client wherever it is, and starts one on its store.
    fn start_again(&mut self, calm: bool) {
        self.seed += 1_000;
        self.take_sums();
        self.phone.client.close();
        // The phone's reader loses power with it.
        self.card.lock().unwrap().reset();
        self.phone = Phone::start(self.store.clone(), &self.hand, &self.net, self.seed, calm);
        if self.card_is_in {
            self.phone.insert(&self.card).unwrap();
        }
    }

    fn take_sums(&mut self) {
        let heard = self.phone.heard.lock().unwrap();
        assert!(heard.odd.is_empty(), "sessions {:?} ended twice", heard.odd);
        for (status, times) in &heard.ended {
            *self.ended.entry(*status).or_default() += times;
        }
        for (status, times) in &heard.refused {
            *self.refused.entry(*status).or_default() += times;
        }
    }

    /// Closes the client; what the heap gets back.
    pub(crate) fn octets_of_client(self) -> usize {
        let before = heap::now();
        let Self { phone: Phone { client, .. }, .. } = self;
        client.close();
        drop(client);
        before - heap::now()
    }

    // ---- attacks ------------------------------------------------------------------------------------

    fn attack_digest(&mut self) {
        let mut push = self.net.genuine.lock().unwrap().notification();
        // Digest, header and server identifier: what is before them is the envelope.
        let at = push.len() - 1 - self.dice.below(24 + NET_SERVER.len() as u64) as usize;
        push[at] ^= 1 << self.dice.below(8);
        self.refuses(push);
    }

    fn attack_replay(&mut self) {
        if self.recorded.is_empty() {
            return;
        }
        let at = self.dice.below(self.recorded.len() as u64) as usize;
        let push = self.recorded[at].clone();
        let begun = self.sessions();
        // One that was never accepted may still be: the first time, like a late delivery.
        if self.deliver(push.clone()).is_ok() {
            self.refuses(push);
        } else {
            assert_eq!(self.sessions(), begun, "a refused notification asks for a session");
        }
    }

    fn attack_unknown(&mut self) {
        let trigger = Trigger {
            version: notification::VERSION_DM_12,
            ui_mode: UiMode::Background,
            initiator: Initiator::Server,
            session_id: 1 + self.dice.below(60_000) as u16,
            server_id: "com.evil",
            vendor: &[],
        };
        self.refuses(notification::push(&trigger.package("server-secret", b"second")));
    }

    /// How many sessions wait or run.
    fn sessions(&self) -> usize {
        self.phone.heard.lock().unwrap().open.len()
    }

    fn refuses(&mut self, push: Vec<u8>) {
        let error = self.deliver(push).expect_err("an attack was taken for a notification");
        let code = error.code() as i32;
        assert!((-299..=-200).contains(&code) || code == Code::Busy as i32, "{error}");
    }

    // ---- the end ------------------------------------------------------------------------------------

    /// The card is in, the network is there, the user agrees, and nothing new happens: what waits is done.
    pub(crate) fn calm_down(&mut self) {
        self.start_again(true);
        self.put_card_in();
        self.fair_weather();
        // Longer than any pause between attempts, and than any patience.
        self.phone.pass(&self.hand, 25 * 3_600_000);
        for server in [CARD_SERVER, NET_SERVER] {
            self.session_with(server);
            self.phone.pass(&self.hand, 60_000);
        }
        self.take_sums();
    }

    pub(crate) fn bad_findings(&self) -> Vec<String> {
        let (card, net) = (self.card.lock().unwrap(), self.net.genuine.lock().unwrap());
        let all = card.findings().into_iter().chain(net.findings());
        all.filter(|finding| !finding.good).map(|finding| finding.text).collect()
    }

    pub(crate) fn summary(&self) -> String {
        let (card, net) = (self.card_record.lock().unwrap(), self.net_record.lock().unwrap());
        format!(
            "{} sessions of the card's server complete of {}, {} of the network's of {}; {} alerts; \
             ended {:?}; refused {:?}; {:?}",
            card.completed.len(),
            card.offered.len(),
            net.completed.len(),
            net.offered.len(),
            self.alerts.len(),
            self.ended,
            self.refused,
            self.did
        )
    }

    fn add_net_account(&mut self) {
        let mut txn = self.phone.client.begin().unwrap();
        let mut put = |uri: &str, format: Format, value: &str| {
            txn.add(&format!("./DMAcc/net{uri}"), format, None, value.as_bytes()).unwrap();
        };
        put("", Format::Node, "");
        for (uri, value) in [
            ("/AppID", "w7"),
            ("/ServerID", NET_SERVER),
            ("/AppAddr/1/Addr", servers::NET_ADDRESS),
            ("/AppAddr/1/AddrType", "URI"),
            ("/AAuthPref", "DIGEST"),
            ("/AppAuth/1/AAuthLevel", "CLCRED"),
            ("/AppAuth/1/AAuthType", "DIGEST"),
            ("/AppAuth/1/AAuthName", "phone"),
            ("/AppAuth/1/AAuthSecret", "phone-secret"),
            ("/AppAuth/2/AAuthLevel", "SRVCRED"),
            ("/AppAuth/2/AAuthType", "DIGEST"),
            ("/AppAuth/2/AAuthName", NET_SERVER),
            ("/AppAuth/2/AAuthSecret", "server-secret"),
        ] {
            put(uri, Format::Chr, value);
        }
        put("/AppAuth/1/AAuthData", Format::Bin, "first");
        put("/AppAuth/2/AAuthData", Format::Bin, "second");
        txn.commit().unwrap();
    }
}
