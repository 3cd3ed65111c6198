//! Standard objects and DM accounts.

use super::dmacc::{Account, AddrType, Address, Credential, Level, NewAccount};
use super::*;
use crate::limits;
use crate::secret::Secret;
use crate::store::Reader;

fn credential(name: &str, secret: &str, nonce: &str) -> Credential {
    Credential {
        auth_type: "DIGEST".into(),
        name: name.into(),
        secret: Secret::new(secret),
        nonce: Secret::new(nonce),
    }
}

fn account(server: &str) -> NewAccount {
    let addr = format!("http://{server}.example/dm");
    NewAccount {
        server_id: server.into(),
        name: "Operator".into(),
        addresses: vec![Address { addr, addr_type: AddrType::Uri, ports: vec![8080] }],
        con_refs: vec!["./NAP/1".into()],
        auth_pref: Some("DIGEST".into()),
        credentials: vec![
            (Level::Client, credential("user", "clpwd", "nonce-c")),
            (Level::Server, credential("", "srvpwd", "nonce-s")),
        ],
        grant: true,
    }
}

fn with_accounts(servers: &[&str]) -> Bed {
    let mut bed = Bed::new();
    for server in servers {
        let mut tree = bed.tree(Actor::Bootstrap);
        dmacc::create(&mut tree, &account(server)).unwrap();
    }
    bed
}

fn find(reader: &dyn Reader, server: &str) -> Account {
    dmacc::find(reader, server).unwrap().unwrap()
}

#[test]
fn an_account_is_read_back_as_it_was_created() {
    let bed = with_accounts(&["S1"]);
    let found = find(&bed.txn, "S1");
    let expected = Account {
        root_uri: "./DMAcc/1".into(),
        server_id: "S1".into(),
        name: "Operator".into(),
        addr: "http://S1.example/dm".into(),
        addr_type: AddrType::Uri,
        port: Some(8080),
        auth_pref: Some("DIGEST".into()),
        con_ref: Some("./NAP/1".into()),
        client: Some(credential("user", "clpwd", "nonce-c")),
        server: Some(credential("S1", "srvpwd", "nonce-s")),
        http: None,
        origin: Origin::Bootstrap,
    };
    assert_eq!(found, expected);
    assert_eq!(dmacc::list(&bed.txn).unwrap(), [expected]);
    assert_eq!(dmacc::find(&bed.txn, "S2").unwrap(), None);
    assert!(!format!("{found:?}").contains("pwd"));
}

#[test]
fn dm_196_a_granted_account_names_its_server() {
    let bed = with_accounts(&["S1"]);
    assert_eq!(bed.text("./DMAcc/1?prop=ACL"), "Delete=S1&Get=S1&Replace=S1");
    assert_eq!(bed.text("./DMAcc/1?prop=Type"), MO_DMACC);
    assert_eq!(bed.s1_gets("./DMAcc/1/Name").map(|_| ()), Ok(()));
    assert_eq!(status(bed.get(Actor::Server("S2"), "./DMAcc/1/Name")), 425);
}

#[test]
fn dm_062_secrets_cannot_be_read() {
    let mut bed = with_accounts(&["S1"]);
    for name in ["AAuthSecret", "AAuthData"] {
        let uri = format!("./DMAcc/1/AppAuth/1/{name}");
        assert_eq!(bed.s1_gets(&uri), Err(405));
        assert_eq!(status(bed.get(Actor::Host, &uri)), 405);
        assert_eq!(bed.s1_gets(&format!("{uri}?prop=Size")), Err(405));
        assert_eq!(status(bed.s1().copy(&at(&uri), &at("./Stolen"))), 405);
        assert_eq!(status(bed.tree(Actor::Host).copy(&at(&uri), &at("./Stolen"))), 405);
        assert_eq!(status(bed.s1().replace(&at(&uri), &text("AAECAw=="))), 200);
    }
}

#[test]
fn dm_105_nonces_are_stored_as_octets() {
    let mut bed = with_accounts(&["S1"]);
    dmacc::set_client_nonce(&mut bed.txn, "S1", &Secret::new([0xff, 0]), THEN).unwrap();
    assert_eq!(find(&bed.txn, "S1").client.unwrap().nonce.expose(), [0xff, 0]);
    assert_eq!(find(&bed.txn, "S1").server.unwrap().nonce.expose(), b"nonce-s");
    // A server that writes it over XML sends base64.
    let b64 = Content { format: Some(Format::B64), ..text("AQI=") };
    bed.s1().replace(&at("./DMAcc/1/AppAuth/1/AAuthData"), &b64).unwrap();
    assert_eq!(find(&bed.txn, "S1").client.unwrap().nonce.expose(), [1, 2]);
    assert_eq!(bed.text("./DMAcc/1/AppAuth/1?prop=Format"), "node");
}

#[test]
fn a_nonce_is_stored_where_none_was() {
    let mut bed = Bed::new();
    let mut new = account("S1");
    new.credentials[1].1.nonce = Secret::default();
    dmacc::create(&mut bed.tree(Actor::Bootstrap), &new).unwrap();
    dmacc::set_server_nonce(&mut bed.txn, "S1", &Secret::new(*b"n"), THEN).unwrap();
    assert_eq!(find(&bed.txn, "S1").server.unwrap().nonce.expose(), b"n");
    let error = dmacc::set_server_nonce(&mut bed.txn, "S9", &Secret::new(*b"n"), THEN).unwrap_err();
    assert_eq!(error.code(), crate::error::Code::NodeNotFound);
}

#[test]
fn dm_178_a_deleted_server_leaves_every_acl() {
    let mut bed = with_accounts(&["S1", "S2"]);
    bed.interior("./A");
    bed.interior("./B");
    bed.acl("./A", "Get=S1+S2&Replace=S1");
    bed.acl("./B", "Get=S1");
    bed.acl(".", "Add=S1&Get=*&Replace=S1");
    bed.s1().delete(&at("./DMAcc/1")).unwrap();
    assert_eq!(bed.text("./A?prop=ACL"), "Get=S2");
    assert_eq!(bed.text("./B?prop=ACL"), "");
    assert_eq!(bed.text(".?prop=ACL"), "Add=*&Get=*");
    assert_eq!(bed.text("./DMAcc/2?prop=ACL"), "Delete=S2&Get=S2&Replace=S2");
}

#[test]
fn a_server_with_another_account_keeps_its_rights() {
    let mut bed = with_accounts(&["S1", "S1"]);
    bed.interior("./A");
    bed.acl("./A", "Get=S1");
    bed.tree(Actor::Host).delete(&at("./DMAcc/1")).unwrap();
    assert_eq!(bed.text("./A?prop=ACL"), "Get=S1");
    bed.tree(Actor::Host).delete(&at("./DMAcc/2")).unwrap();
    assert_eq!(bed.text("./A?prop=ACL"), "");
}

#[test]
fn a_server_identifier_that_is_replaced_is_forgotten_too() {
    let mut bed = with_accounts(&["S1"]);
    bed.interior("./A");
    bed.acl("./A", "Get=S1");
    bed.tree(Actor::Host).replace(&at("./DMAcc/1/ServerID"), &text("S9")).unwrap();
    assert_eq!(bed.text("./A?prop=ACL"), "");
}

#[test]
fn dm_199_without_a_grant_no_server_gets_rights() {
    let mut bed = Bed::new();
    let new = NewAccount { grant: false, ..account("S1") };
    dmacc::create(&mut bed.tree(Actor::Bootstrap), &new).unwrap();
    assert_eq!(bed.text("./DMAcc/1?prop=ACL"), "");
}

#[test]
fn an_account_with_all_its_parts() {
    let mut bed = Bed::new();
    let address = |addr: &str, addr_type| Address { addr: addr.into(), addr_type, ports: vec![] };
    let new = NewAccount {
        addresses: vec![
            address("2001:db8::1", AddrType::Ipv6),
            address("192.0.2.1", AddrType::Ipv4),
        ],
        con_refs: vec!["a".into(), "b".into()],
        auth_pref: None,
        credentials: vec![
            (Level::Http, credential("h", "p", "")),
            (Level::Obex, credential("o", "p", "")),
        ],
        ..account("S1")
    };
    dmacc::create(&mut bed.tree(Actor::Bootstrap), &new).unwrap();
    let found = find(&bed.txn, "S1");
    assert_eq!(
        (found.addr.as_str(), found.addr_type, found.port),
        ("2001:db8::1", AddrType::Ipv6, None)
    );
    assert_eq!((found.con_ref.as_deref(), found.auth_pref), (Some("a"), None));
    assert_eq!((found.client, found.server), (None, None));
    assert_eq!(bed.text("./DMAcc/1/AppAddr/2/AddrType"), "IPv4");
    assert_eq!(bed.text("./DMAcc/1/ToConRef/2/ConRef"), "b");
    assert_eq!(bed.text("./DMAcc/1/AppAuth/1/AAuthLevel"), "HTTP");
}

#[test]
fn a_failed_creation_leaves_nothing() {
    let mut bed = Bed::new();
    let new = NewAccount { name: "a\0b".into(), ..account("S1") };
    let refusal = dmacc::create(&mut bed.tree(Actor::Bootstrap), &new).unwrap_err();
    assert_eq!(refusal, Refusal::Format);
    assert_eq!(bed.text("./DMAcc"), "");
}

#[test]
fn dm_184_accounts_are_limited() {
    let mut bed = Bed::new();
    for number in 0..limits::ACCOUNTS {
        bed.s1().add(&at(&format!("./DMAcc/n{number}")), &node()).unwrap();
    }
    assert_eq!(status(bed.s1().add(&at("./DMAcc/more"), &node())), 420);
    let refusal = bed.s1().add(&at("./DMAcc/more/AppID"), &text("w7").into()).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (420, Some("./DMAcc/more")));
}

#[test]
fn the_last_address_of_an_account_stays() {
    let mut bed = with_accounts(&["S1"]);
    assert_eq!(status(bed.s1().delete(&at("./DMAcc/1/AppAddr/1"))), 405);
    assert_eq!(status(bed.s1().delete(&at("./DMAcc/1/AppAuth/1"))), 200);
    assert_eq!(status(bed.s1().delete(&at("./DMAcc/1/AppAuth/2"))), 405);
}

#[test]
fn a_server_cannot_take_anothers_identifier() {
    let mut bed = with_accounts(&["S2"]);
    assert_eq!(status(bed.s1().add(&at("./DMAcc/x/ServerID"), &text("S2").into())), 418);
    assert!(!bed.has("./DMAcc/x"));
    assert_eq!(status(bed.s1().add(&at("./DMAcc/x/ServerID"), &text("S3").into())), 200);
    bed.acl("./DMAcc/x", "Get=*&Replace=S1");
    assert_eq!(status(bed.s1().replace(&at("./DMAcc/x/ServerID"), &text("S2"))), 405);
}

#[test]
fn dm_205_devinfo_and_devdetail_are_read_only() {
    let mut bed = Bed::new();
    bed.acl(".", "Add=*&Delete=*&Get=*&Replace=*");
    for uri in ["./DevInfo/Man", "./DevDetail/FwV", "./DevDetail/URI/MaxDepth", "./DevDetail"] {
        assert_eq!(status(bed.s1().replace(&at(uri), &text("x"))), 405, "{uri}");
        assert_eq!(status(bed.s1().delete(&at(uri))), 405, "{uri}");
    }
    assert_eq!(status(bed.s1().add(&at("./DevInfo/New"), &text("x").into())), 405);
    assert_eq!(status(bed.s1().add(&at("./DevInfo/Ext/New"), &text("x").into())), 405);
}

#[test]
fn dm_206_the_inbox_cannot_be_read() {
    let mut bed = Bed::new();
    for uri in ["./Inbox", "./Inbox/x", "./Inbox?prop=ACL", "./Inbox?list=Struct"] {
        assert_eq!(bed.s1_gets(uri), Err(405), "{uri}");
    }
    assert_eq!(status(bed.s1().add(&at("./Inbox/x"), &text("v").into())), 405);
}

#[test]
fn dm_208_an_account_without_address_type() {
    let mut bed = Bed::new();
    for (name, value) in [("ServerID", "S1"), ("AppAddr/x/Addr", "http://a.example")] {
        bed.leaf(&format!("./DMAcc/a/{name}"), value);
    }
    assert_eq!(find(&bed.txn, "S1").addr_type, AddrType::Uri);
    bed.leaf("./DMAcc/a/AppAddr/x/AddrType", "IPV4");
    assert_eq!(find(&bed.txn, "S1").addr_type, AddrType::Ipv4);
}

#[test]
fn dm_209_a_port_out_of_range() {
    let mut bed = Bed::new();
    for (port, code) in [("70000", 415), ("-1", 415), ("+5", 415), ("", 415), ("65535", 200)] {
        let new = text(port).into();
        assert_eq!(status(bed.s1().add(&at("./DMAcc/a/AppAddr/x/Port/y/PortNbr"), &new)), code);
    }
}

#[test]
fn dm_210_two_accounts_have_nothing_in_common() {
    let mut bed = with_accounts(&["S1", "S2"]);
    dmacc::set_server_nonce(&mut bed.txn, "S2", &Secret::new(*b"new"), THEN).unwrap();
    assert_eq!(find(&bed.txn, "S1").server.unwrap().nonce.expose(), b"nonce-s");
    assert_eq!(find(&bed.txn, "S2").server.unwrap().nonce.expose(), b"new");
    assert_eq!(bed.s1_gets("./DMAcc/2"), Err(425));
}

#[test]
fn dm_041_and_the_limits_are_announced() {
    let bed = Bed::new();
    assert_eq!(bed.text("./DevDetail/LrgObj"), "true");
    assert_eq!(bed.text("./DevDetail/URI/MaxDepth"), "32");
    assert_eq!(bed.text("./DevDetail/URI/MaxTotLen"), "1023");
    assert_eq!(bed.text("./DevDetail/URI/MaxSegLen"), "127");
    assert_eq!(bed.text("./DevInfo"), "DevId/DmV/Lang/Man/Mod");
}

#[test]
fn installing_again_changes_only_what_differs() {
    let (_, database) = Bed::new().commit();
    let mut txn = database.begin().unwrap();
    install(&mut txn, &DEVICE, THEN).unwrap();
    assert!(txn.commit().unwrap().is_empty());
    let mut txn = database.begin().unwrap();
    install(&mut txn, &DeviceInfo { lang: "de-DE", ..DEVICE }, THEN).unwrap();
    let uris: Vec<_> = txn.commit().unwrap().into_iter().map(|change| change.uri).collect();
    assert_eq!(uris, ["./DevInfo/Lang"]);
    let view = database.read().unwrap();
    let lang = Query::new(&view, Actor::Host).get(&at("./DevInfo/Lang")).unwrap();
    assert!(matches!(lang, Answer::Leaf { value, .. } if value == b"de-DE"));
}
