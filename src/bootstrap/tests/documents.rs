//! Documents of a push and of the factory.

use super::provisioning::{document, nap, w7};
use super::*;
use crate::bootstrap::{Source, apply_document};
use crate::markup::Encoding;
use crate::tree::tnds::{self, TndsNode};

const PUSH: Source = Source::Push { replace: false };

impl Device {
    fn apply(&self, document: &[u8], source: Source) -> Result<Report> {
        apply_document(document, source, &self.db, Now::default())
    }

    fn origin(&self, server: &str) -> Origin {
        dmacc::find(&self.db.read().unwrap(), server).unwrap().unwrap().origin
    }
}

fn message(server: &str, name: &str) -> Vec<u8> {
    let mut profile = profile(server, name);
    profile.account.address = "http://dm.example/".to_owned();
    profile.bootstrap_octets().unwrap()
}

#[test]
fn both_profiles_bring_accounts_of_a_push() {
    let device = Device::new();
    let report = device.apply(&message("one", ""), PUSH).unwrap();
    assert_eq!(report.accounts_added, 1);
    let all = w7("two", &[("INIT", ""), ("TO-NAPID", "gprs")]) + &nap("gprs", "internet");
    let report = device.apply(&document(&all), PUSH).unwrap();
    assert_eq!((report.accounts_added, report.init), (1, vec!["two".to_owned()]));
    assert_eq!(device.servers(), ["one", "two"]);
    assert_eq!(
        (device.origin("one"), device.origin("two")),
        (Origin::Bootstrap, Origin::Bootstrap)
    );
}

#[test]
fn an_account_is_replaced_by_its_own_source_only_and_if_it_may() {
    let device = Device::new();
    for document in [message("one", "again"), document(&w7("one", &[("NAME", "again")]))] {
        device.good(0, CARD, &[account("6433", "one", "")]);
        let error = device.apply(&document, Source::Push { replace: true }).unwrap_err();
        assert_eq!(error.code(), Code::BootstrapRefused);
        device.good(0, CARD, &[account("6433", "other", "")]);
        device.apply(&message("one", ""), PUSH).unwrap();
        assert_eq!(device.apply(&document, PUSH).unwrap_err().code(), Code::BootstrapRefused);
        let report = device.apply(&document, Source::Push { replace: true }).unwrap();
        assert_eq!((report.accounts_replaced, report.accounts_added), (1, 0));
        let account = dmacc::find(&device.db.read().unwrap(), "one").unwrap().unwrap();
        assert_eq!(account.name, "again");
        let mut txn = device.db.begin().unwrap();
        let root = Uri::parse(&account.root_uri).unwrap();
        Tree::new(&mut txn, Actor::Host, Now::default()).delete(&root).unwrap();
        txn.commit().unwrap();
    }
}

#[test]
fn a_document_is_applied_completely_or_not_at_all() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    let before = device.accounts();
    let all = nap("gprs", "internet") + &w7("two", &[]) + &w7("one", &[]);
    assert_eq!(device.apply(&document(&all), PUSH).unwrap_err().code(), Code::BootstrapRefused);
    let dangling = w7("two", &[("TO-PROXY", "nowhere")]);
    let error = device.apply(&document(&dangling), PUSH).unwrap_err();
    assert_eq!(error.code(), Code::BootstrapFormat);
    assert!(error.what().contains("E_CP_REFERENCE"), "{error}");
    assert_eq!(device.accounts(), before);
    for useless in [&b"\x03\x0B\x6A\x00\x05"[..], b"", b"<a/>", &message("x", "")[..40]] {
        assert_eq!(device.apply(useless, PUSH).unwrap_err().code(), Code::BootstrapFormat);
    }
}

/// A TNDS object of one account.
fn object(server: &str, legacy: bool) -> Vec<u8> {
    let leaf = |name: &'static str, value: &str| TndsNode {
        name: Some(name.into()),
        format: Some("chr".into()),
        value: Some(value.as_bytes().to_vec().into()),
        ..TndsNode::default()
    };
    let id = if legacy { "ServerId" } else { "ServerID" };
    let mut children = vec![leaf(id, server), leaf("Addr", "http://old.example/")];
    if legacy {
        children.extend([
            leaf("AddrType", "1"),
            leaf("PortNbr", "8080"),
            leaf("UserName", "phone"),
            leaf("ClientPW", "client"),
            leaf("ServerPW", "server"),
            leaf("AuthPref", "syncml:auth-md5"),
        ]);
    } else {
        children.pop();
    }
    let account = TndsNode {
        name: Some("Factory".into()),
        ddf_name: Some(if legacy { "" } else { "urn:oma:mo:oma-dm-dmacc:1.0" }.into()),
        format: Some("node".into()),
        children,
        ..TndsNode::default()
    };
    let document =
        tnds::Document { ver_dtd: "1.2".into(), nodes: vec![account], ..Default::default() };
    tnds::write(&document, false).unwrap()
}

#[test]
fn the_factory_brings_documents_of_every_kind_once() {
    let device = Device::new();
    let documents = [message("one", ""), document(&w7("two", &[])), object("three", false)];
    for document in &documents {
        assert_eq!(device.apply(document, Source::Factory).unwrap().accounts_added, 1);
    }
    assert_eq!(device.servers(), ["one", "three", "two"]);
    assert!(device.servers().iter().all(|server| device.origin(server) == Origin::Factory));
    for document in &documents {
        let again = device.apply(document, Source::Factory).unwrap();
        assert_eq!((again.objects_unchanged, again.accounts_added), (1, 0));
    }
    let later = device.apply(&message("one", "later"), Source::Factory).unwrap();
    assert_eq!((later.accounts_replaced, later.accounts_added), (1, 0));
    let error = device.apply(&object("three", false), PUSH).unwrap_err();
    assert_eq!(error.code(), Code::BootstrapFormat);
}

#[test]
fn an_account_of_dm_1_1_2_is_read_as_one_of_1_2() {
    let device = Device::new();
    device.apply(&object("S1", true), Source::Factory).unwrap();
    let account = dmacc::find(&device.db.read().unwrap(), "S1").unwrap().unwrap();
    assert_eq!(account.root_uri, "./DMAcc/Factory");
    assert_eq!((account.addr.as_str(), account.port), ("http://old.example/", Some(8080)));
    assert_eq!(account.auth_pref.as_deref(), Some("DIGEST"));
    let (client, server) = (account.client.unwrap(), account.server.unwrap());
    assert_eq!((client.name.as_str(), client.secret.expose()), ("phone", &b"client"[..]));
    assert_eq!((server.name.as_str(), server.secret.expose()), ("S1", &b"server"[..]));
}

#[test]
fn a_message_of_dm_1_1_2_brings_its_account_leaf_by_leaf() {
    let add = |uri: &str, value: &str| {
        format!("<Item><Target><LocURI>{uri}</LocURI></Target><Data>{value}</Data></Item>")
    };
    let root = "./SyncML/DMAcc/Operator";
    let leaves = [
        ("Addr", "http://old.example/"),
        ("ServerId", "S1"),
        ("ServerPW", "server"),
        ("UserName", "phone"),
        ("ClientPW", "client"),
    ];
    let items: String =
        leaves.iter().map(|(name, value)| add(&format!("{root}/{name}"), value)).collect();
    let xml = format!(
        "<SyncML xmlns=\"SYNCML:SYNCML1.1\"><SyncHdr><VerDTD>1.1</VerDTD><VerProto>DM/1.1</VerProto>\
         <SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>p</LocURI></Target>\
         <Source><LocURI>s</LocURI></Source></SyncHdr><SyncBody><Add><CmdID>1</CmdID>{items}</Add>\
         <Final/></SyncBody></SyncML>"
    );
    let (message, _) = crate::syncml::read_with(xml.as_bytes(), false).unwrap();
    let octets = crate::syncml::write(&message, Encoding::Wbxml).unwrap();
    let device = Device::new();
    assert_eq!(device.apply(&octets, PUSH).unwrap().accounts_added, 1);
    let account = dmacc::find(&device.db.read().unwrap(), "S1").unwrap().unwrap();
    assert_eq!(
        (account.root_uri.as_str(), account.addr.as_str()),
        ("./DMAcc/Operator", "http://old.example/")
    );
    assert_eq!(account.client.unwrap().secret.expose(), b"client");
}
