//! All that the phone talks to: the card, the server in the network, and the user; with all their secrets.

use crate::phone::{CAPTURE, JOURNAL, KEYS, LOG, SECRET_NODE, SOCKET, STORE};
use crate::scan::{Needles, memory_of};
use crate::support::certificates::{Authority, tls};
use crate::support::remote::{HOST, Remote, SERVER};
use crate::wire::{answer, asked};
use crate::{CHILD, TEST};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dmsc::bytes::hex;
use dmsc::config::Config;
use dmsc::store::key_file::KeyFiles;
use dmsc::store::redb::RedbStore;
use dmsc::store::{Reader, Table};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use uicc_sim::card::{Card, CardConfig};
use uicc_sim::cp::{Characteristic, Provisioning};
use uicc_sim::profile::{Credential, Profile};

pub(crate) const CANARY: &str = "the canary";
pub(crate) const STORE_KEY: &str = "the store's key";
pub(crate) const TLS_KEY: &str = "the client's key";

/// What nobody may find afterwards.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    fn add(&mut self, name: &str, octets: &[u8]) {
        if !self.0.iter().any(|(_, known)| known == octets) {
            self.0.push((name.to_owned(), octets.to_vec()));
        }
    }

    /// A new one that nobody has heard of.
    fn make(&mut self, name: &str) -> String {
        self.make_of(b"abcdefghijkmnpqrstuvwxyz", name, 24)
    }

    fn make_of(&mut self, letters: &[u8], name: &str, length: usize) -> String {
        let mut octets = vec![0; length];
        getrandom::fill(&mut octets).unwrap();
        let letter = |octet: u8| char::from(letters[usize::from(octet) % letters.len()]);
        let text: String = octets.into_iter().map(letter).collect();
        self.add(name, text.as_bytes());
        text
    }

    fn make_pin(&mut self, name: &str, length: usize) -> String {
        self.make_of(b"0123456789", name, length)
    }

    pub(crate) fn needles(&self) -> Needles {
        Self::of(self.0.iter())
    }

    /// The PINs alone.
    pub(crate) fn pins(&self) -> Needles {
        Self::of(self.0.iter().filter(|(name, _)| name.contains("PIN")))
    }

    fn of<'a>(secrets: impl Iterator<Item = &'a (String, Vec<u8>)>) -> Needles {
        let mut needles = Needles::default();
        secrets.for_each(|(name, octets)| needles.add(name, octets));
        needles
    }
}

pub(crate) struct World {
    folder: PathBuf,
    secrets: Secrets,
    card: Card,
    remote: Remote,
    /// What a phone is given when it asks.
    given: BTreeMap<&'static str, Vec<u8>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("dmsc-wiping-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut secrets = Secrets::default();
        let mut given = BTreeMap::new();
        let mut give =
            |what: &'static str, octets: &[u8]| drop(given.insert(what, octets.to_vec()));

        let (card_pin, push_pin) =
            (secrets.make_pin("the card's PIN", 8), secrets.make_pin("the push's PIN", 12));
        give("card-pin", card_pin.as_bytes());
        give("push-pin", push_pin.as_bytes());
        give("canary", secrets.make(CANARY).as_bytes());

        let command = "{ get = \"./DevInfo/DevId\" }";
        let mut on_card =
            profile("com.example.sc", "http://127.0.0.1:3516/dm", command, &mut secrets);
        on_card.card.pin1 = Some(card_pin);
        on_card.server.memory_file = Some(folder.join("com.example.sc"));

        let value = secrets.make("the value from a server");
        let command =
            format!("{{ add = \"{SECRET_NODE}\", value = \"{value}\", expect = [200, 418] }}");
        let mut in_network = profile(SERVER, "https://dm.example/dm", &command, &mut secrets);
        in_network.server.memory_file = Some(folder.join(SERVER));
        let push = document(&in_network, &mut secrets);
        let mac = Hmac::<Sha1>::new_from_slice(push_pin.as_bytes()).unwrap().chain_update(&push);
        give("mac", hex::encode(&mac.finalize().into_bytes()).as_bytes());
        give("push", &push);

        let (servers, clients) = (Authority::new("root"), Authority::new("clients"));
        let client = clients.issue("phone.example", (2020, 2035));
        give("roots", servers.pem().as_bytes());
        give("chain", client.chain_pem.as_bytes());
        give("key", client.key_pem.as_bytes());
        note_private_key(&client.key_pem, &mut secrets);
        let identity = servers.issue(HOST, (2020, 2035));
        let wrap = tls(&identity, Some(&clients), &[&rustls::version::TLS13]);
        let remote = Remote::start(in_network, wrap);
        give("port", remote.web.port.to_string().as_bytes());
        Self { folder, secrets, card: on_card.build().unwrap(), remote, given }
    }

    /// Runs the phone; its memory when its client has nothing to do, and when there is none any more.
    pub(crate) fn play(&mut self) -> [Vec<u8>; 2] {
        let listener = UnixListener::bind(self.folder.join(SOCKET)).unwrap();
        let mut phone = Command::new(std::env::current_exe().unwrap())
            .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, &self.folder)
            .spawn()
            .unwrap();
        let mut wire = listener.accept().unwrap().0;
        let mut memory = [const { Vec::new() }; 2];
        while let Some((what, octets)) = asked(&mut wire) {
            let mut reply = Vec::new();
            match &*what {
                "apdu" => reply = self.card.transmit(&octets).unwrap(),
                "atr" => reply = self.card.atr().to_vec(),
                "notification" => reply = self.remote.push(),
                "trigger" => self.card.trigger(),
                "session-over" => self.note_nonces(),
                "idle" => memory[0] = memory_of(phone.id()),
                "over" => memory[1] = memory_of(phone.id()),
                _ => reply.clone_from(&self.given[&*what]),
            }
            answer(&mut wire, &reply);
        }
        assert!(phone.wait().unwrap().success());
        assert_eq!(self.remote.verdict(), (2, 0));
        assert_eq!(self.card.good_sessions(), 1, "{}", self.card.report());
        self.note_keys();
        memory
    }

    /// The nonces that the servers agreed on with the phone.
    fn note_nonces(&mut self) {
        for server in ["com.example.sc", SERVER] {
            let Ok(text) = fs::read_to_string(self.folder.join(server)) else { continue };
            for line in text.lines() {
                let Some((name, value)) = line.split_once("_nonce = ") else { continue };
                let nonce = hex::decode(value.trim_matches('"')).unwrap();
                self.secrets.add(&format!("a nonce of {server} for the {name}"), &nonce);
            }
        }
    }

    /// The keys that the phone made itself: of its store, and of its journal.
    fn note_keys(&mut self) {
        let keys = KeyFiles::new(&self.folder.join(KEYS));
        self.secrets.add(STORE_KEY, &fs::read(keys.path(1)).unwrap());
        let config = Config { keys: Some(Arc::new(keys)), ..Config::new("any") };
        let store = Arc::new(RedbStore::open(&self.folder.join(STORE)).unwrap());
        let view = config.database(store).unwrap().read().unwrap();
        let keys = view.get(Table::Secret, b"\0audit").unwrap().unwrap();
        let (values, signatures) = keys.split_at(32);
        self.secrets.add("the journal's key of values", values);
        self.secrets.add("the journal's key of signatures", signatures);
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn capture_mode(&self) -> u32 {
        fs::metadata(self.folder.join(CAPTURE)).unwrap().permissions().mode()
    }

    /// What the phone has left in files, with their names.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let read = |path: PathBuf| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
        };
        let own = [LOG, CAPTURE, JOURNAL].map(|name| self.folder.join(name));
        let store =
            fs::read_dir(self.folder.join(STORE)).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<_> = store.chain(own).map(read).collect();
        assert!(files.len() > 3 && files.iter().all(|(_, octets)| !octets.is_empty()));
        files
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // It is the system's temporary folder: what stays there goes some day.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The lines of a key as they came, and the number in it.
fn note_private_key(pem: &str, secrets: &mut Secrets) {
    /// Where the private number of a P-256 key is in PKCS#8 (RFC 5208, RFC 5915).
    const NUMBER: std::ops::Range<usize> = 36..68;
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for line in &lines {
        secrets.add(TLS_KEY, line.as_bytes());
    }
    secrets.add(TLS_KEY, &STANDARD.decode(lines.concat()).unwrap()[NUMBER]);
}

/// A server whose account nobody knows.
fn profile(server: &str, address: &str, command: &str, secrets: &mut Secrets) -> Profile {
    let mut new = |what: &str| secrets.make(&format!("{server}: {what}"));
    let (client, nonce) = (new("the client's password"), new("the client's first nonce"));
    let (own, own_nonce) = (new("the server's password"), new("the server's first nonce"));
    let text = format!(
        r#"
        [card.toolkit]
        timer_seconds = 0
        [account]
        server_id = "{server}"
        address = "{address}"
        auth_pref = "DIGEST"
        client = {{ name = "phone", secret = "{client}", nonce = "{nonce}" }}
        server = {{ name = "{server}", secret = "{own}", nonce = "{own_nonce}" }}
        [[package]]
        commands = [ {command} ]
        "#
    );
    Profile::parse(&text).unwrap()
}

/// A provisioning document with the account of `server` and an access point with a password.
fn document(server: &Profile, secrets: &mut Secrets) -> Vec<u8> {
    let account = &server.account;
    let element = |kind: &str, parms: &[(&str, &str)], inner: Vec<Characteristic>| Characteristic {
        kind: kind.to_owned(),
        parms: parms
            .iter()
            .map(|(name, value)| vec![(*name).to_owned(), (*value).to_owned()])
            .collect(),
        inner,
    };
    let login = |level: &str, credential: &Credential| {
        let nonce = STANDARD.encode(credential.nonce.as_ref().unwrap().as_slice());
        let parms = [
            ("AAUTHLEVEL", level),
            ("AAUTHTYPE", "DIGEST"),
            ("AAUTHNAME", &credential.name),
            ("AAUTHSECRET", &credential.secret),
            ("AAUTHDATA", &nonce),
        ];
        element("APPAUTH", &parms, Vec::new())
    };
    let password = secrets.make("the access point's password");
    let access = [("AUTHTYPE", "PAP"), ("AUTHNAME", "phone"), ("AUTHSECRET", &password)];
    let point = [
        ("NAPID", "internet"),
        ("NAME", "Internet"),
        ("BEARER", "GSM-GPRS"),
        ("NAP-ADDRESS", "internet.example"),
        ("NAP-ADDRTYPE", "APN"),
    ];
    let application = [
        ("APPID", "w7"),
        ("PROVIDER-ID", account.server_id.as_str()),
        ("TO-NAPID", "internet"),
        ("ADDR", account.address.as_str()),
    ];
    let bootstrap = vec![
        element("NAPDEF", &point, vec![element("NAPAUTHINFO", &access, Vec::new())]),
        element(
            "APPLICATION",
            &application,
            vec![login("APPSRV", &account.client), login("CLIENT", &account.server)],
        ),
    ];
    let mut card = CardConfig::default();
    Provisioning { bootstrap, ..Provisioning::default() }.write(&mut card).unwrap();
    card.cp_bootstrap
}
