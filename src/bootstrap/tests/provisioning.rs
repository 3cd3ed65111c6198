//! Provisioning documents of a card.

use super::*;
use crate::card::pkcs15::{OID_CP_BOOTSTRAP, OID_CP_CONFIG1, OID_CP_CONFIG2, ObjectIdentifier};
use crate::prov::{self, Encoding};
use crate::tree::{Format, Query};

/// A document of these characteristics.
pub(super) fn document(characteristics: &str) -> Vec<u8> {
    let xml =
        format!("<wap-provisioningdoc version=\"1.1\">{characteristics}</wap-provisioningdoc>");
    prov::write(&prov::read(xml.as_bytes()).unwrap(), Encoding::Wbxml).unwrap()
}

pub(super) fn parms(parms: &[(&str, &str)]) -> String {
    parms.iter().map(|(name, value)| format!("<parm name=\"{name}\" value=\"{value}\"/>")).collect()
}

pub(super) fn characteristic(kind: &str, values: &[(&str, &str)], inner: &str) -> String {
    format!("<characteristic type=\"{kind}\">{}{inner}</characteristic>", parms(values))
}

/// An account of `server` that is reached by `more`.
pub(super) fn w7(server: &str, more: &[(&str, &str)]) -> String {
    let values = [("APPID", "w7"), ("PROVIDER-ID", server), ("ADDR", "http://dm.example/")];
    characteristic("APPLICATION", &[&values, more].concat(), &secrets())
}

fn secrets() -> String {
    let one = |level: &str, name: &str, secret: &str| {
        let values = [
            ("AAUTHLEVEL", level),
            ("AAUTHTYPE", "DIGEST"),
            ("AAUTHNAME", name),
            ("AAUTHSECRET", secret),
            ("AAUTHDATA", "bm9uY2U="),
        ];
        characteristic("APPAUTH", &values, "")
    };
    one("APPSRV", "phone", "to-server") + &one("CLIENT", "", "to-phone")
}

pub(super) fn nap(id: &str, apn: &str) -> String {
    let values = [("NAPID", id), ("NAME", apn), ("BEARER", "GSM-GPRS"), ("NAP-ADDRESS", apn)];
    let auth = [("AUTHTYPE", "PAP"), ("AUTHNAME", "user"), ("AUTHSECRET", "pass")];
    let auth = characteristic("NAPAUTHINFO", &auth, "");
    characteristic("NAPDEF", &[&values[..], &[("NAP-ADDRTYPE", "APN")]].concat(), &auth)
}

fn proxy(id: &str, nap: &str) -> String {
    let port = characteristic("PORT", &[("PORTNBR", "8080"), ("SERVICE", "CO-WSP")], "");
    let physical = [("PHYSICAL-PROXY-ID", "p"), ("PXADDR", "10.0.0.1"), ("TO-NAPID", nap)];
    let physical = characteristic("PXPHYSICAL", &physical, &port);
    let auth = [("PXAUTH-TYPE", "HTTP-BASIC"), ("PXAUTH-ID", "px"), ("PXAUTH-PW", "pw")];
    let inner = characteristic("PXAUTHINFO", &auth, "") + &physical;
    characteristic("PXLOGICAL", &[("PROXY-ID", id), ("NAME", "Proxy")], &inner)
}

fn on_card(oid: ObjectIdentifier, path: &str, octets: Vec<u8>) -> ObjectData {
    ObjectData { oid, ..object(path, octets) }
}

/// EF-Bootstrap, EF-Config1 and EF-Config2 with these characteristics.
fn card(documents: [&str; 3]) -> Vec<ObjectData> {
    let files = [(OID_CP_BOOTSTRAP, "4F01"), (OID_CP_CONFIG1, "4F02"), (OID_CP_CONFIG2, "4F03")];
    let files = files.into_iter().zip(documents).filter(|(_, text)| !text.is_empty());
    files.map(|((oid, path), text)| on_card(oid, path, document(text))).collect()
}

impl Device {
    fn text(&self, uri: &str) -> String {
        let view = self.db.read().unwrap();
        match Query::new(&view, Actor::Host).with_secrets().get(&Uri::parse(uri).unwrap()) {
            Ok(Answer::Leaf { value, .. }) => String::from_utf8(value).unwrap(),
            Ok(Answer::Property(text)) => text,
            Ok(Answer::Children(names)) => names.join(" "),
            other => panic!("{uri}: {other:?}"),
        }
    }

    fn has(&self, uri: &str) -> bool {
        let view = self.db.read().unwrap();
        Query::new(&view, Actor::Host).exists(&Path::parse(uri).unwrap()).unwrap()
    }
}

#[test]
fn dm_196_w7_becomes_an_account_of_its_provider() {
    let device = Device::new();
    let all = w7("S1", &[("NAME", "Operator"), ("TO-NAPID", "gprs")]) + &nap("gprs", "internet");
    let report = device.good(0, CARD, &card([&all, "", ""]));
    assert_eq!((report.accounts_added, report.news.len()), (1, 3));
    let account = "./DMAcc/1";
    assert_eq!(device.text(&format!("{account}?prop=ACL")), "Delete=S1&Get=S1&Replace=S1");
    assert_eq!(device.text("./NAP/1?prop=ACL"), "Delete=S1&Get=S1&Replace=S1");
    for (leaf, value) in [
        ("AppID", "w7"),
        ("ServerID", "S1"),
        ("Name", "Operator"),
        ("PrefConRef", "./NAP/1"),
        ("AppAddr/1/Addr", "http://dm.example/"),
    ] {
        assert_eq!(device.text(&format!("{account}/{leaf}")), value, "{leaf}");
    }
    assert!(!device.has("./DMAcc/1/AAuthPref"));
}

#[test]
fn dm_197_appsrv_is_clcred_and_client_is_srvcred() {
    let device = Device::new();
    device.good(0, CARD, &card([&w7("S1", &[]), "", ""]));
    for (leaf, value) in [
        ("1/AAuthLevel", "CLCRED"),
        ("1/AAuthType", "DIGEST"),
        ("1/AAuthName", "phone"),
        ("1/AAuthSecret", "to-server"),
        ("1/AAuthData", "nonce"),
        ("2/AAuthLevel", "SRVCRED"),
        ("2/AAuthSecret", "to-phone"),
    ] {
        assert_eq!(device.text(&format!("./DMAcc/1/AppAuth/{leaf}")), value, "{leaf}");
    }
    assert!(!device.has("./DMAcc/1/AppAuth/2/AAuthName"));
    assert_eq!(device.text("./DMAcc/1/AppAuth/1/AAuthData?prop=Format"), "bin");
}

#[test]
fn dm_198_without_addrtype_an_address_is_a_uri() {
    let device = Device::new();
    let typed = characteristic("APPADDR", &[("ADDR", "10.0.0.1"), ("ADDRTYPE", "IPV4")], "");
    let plain = characteristic("APPADDR", &[("ADDR", "http://b.example/")], "");
    let telephone = characteristic("APPADDR", &[("ADDR", "+4912"), ("ADDRTYPE", "E164")], "");
    let values = [("APPID", "w7"), ("PROVIDER-ID", "S1")];
    let account = characteristic("APPLICATION", &values, &(telephone.clone() + &plain + &typed));
    device.good(0, CARD, &card([&account, "", ""]));
    assert_eq!(device.text("./DMAcc/1/AppAddr"), "1 2");
    assert_eq!(device.text("./DMAcc/1/AppAddr/1/AddrType"), "URI");
    assert_eq!(device.text("./DMAcc/1/AppAddr/2/AddrType"), "IPv4");
    // An account that nothing can reach is none.
    let account = characteristic("APPLICATION", &values, &telephone);
    let outcome = device.read(1, OTHER_CARD, &found(&card([&account, "", ""]))).unwrap();
    assert_eq!(outcome.error.unwrap().code(), Code::BootstrapFormat);
}

#[test]
fn dm_199_without_w7_no_server_gets_rights() {
    let device = Device::new();
    device.good(0, CARD, &card([&nap("gprs", "internet"), "", ""]));
    assert_eq!(device.text("./NAP/1?prop=ACL"), "");
}

#[test]
fn an_access_point_and_a_proxy_have_the_nodes_of_their_objects() {
    let device = Device::new();
    let documents = proxy("wap", "gprs") + &nap("gprs", "internet");
    device.good(0, CARD, &card([&documents, "", ""]));
    for (uri, value) in [
        ("./NAP/1?prop=Type", "urn:oma:mo:oma-connmo-nap:1.0"),
        ("./NAP/1/NAPID", "gprs"),
        ("./NAP/1/Bearer/BearerType", "3GPP-PS"),
        ("./NAP/1/Addr", "internet"),
        ("./NAP/1/AddrType", "APN"),
        ("./NAP/1/AuthInfo/1/AuthSecret", "pass"),
        ("./PX/1?prop=Type", "urn:oma:mo:oma-connmo-proxy:1.0"),
        ("./PX/1/ProxyID", "wap"),
        ("./PX/1/Addr", "10.0.0.1"),
        ("./PX/1/AddrType", "IPV4"),
        ("./PX/1/Ports/1/PortNbr", "8080"),
        ("./PX/1/Ports/1/Services/1/ServiceName", "CO-WSP"),
        ("./PX/1/ConRefs/1/ConRef", "./NAP/1"),
        ("./PX/1/AuthInfo/1/AuthName", "px"),
        ("./PX/1/AuthInfo/1/AuthSecret", "pw"),
    ] {
        assert_eq!(device.text(uri), value, "{uri}");
    }
    let view = device.db.read().unwrap();
    let secret = Uri::parse("./NAP/1/AuthInfo/1/AuthSecret").unwrap();
    for actor in [Actor::Host, Actor::Server("S1")] {
        assert_eq!(Query::new(&view, actor).get(&secret).unwrap_err().status(), 405);
    }
    assert_eq!(
        Query::new(&view, Actor::Host).node(&secret.path).unwrap().unwrap().format,
        Format::Chr
    );
}

#[test]
fn references_have_an_order_and_lead_into_the_other_documents() {
    let device = Device::new();
    let account = w7("S1", &[("TO-NAPID", "gprs"), ("TO-PROXY", "wap"), ("TO-NAPID", "INTERNET")]);
    let internet = nap("any", "web")
        .replace("<parm name=\"NAME\"", "<parm name=\"INTERNET\"/><parm name=\"NAME\"");
    let config = proxy("wap", "gprs") + &nap("gprs", "operator") + &internet;
    device.good(0, CARD, &card([&account, &config, ""]));
    let con_refs = ["1", "2", "3"].map(|n| device.text(&format!("./DMAcc/1/ToConRef/{n}/ConRef")));
    assert_eq!(con_refs, ["./PX/1", "./NAP/1", "./NAP/2"]);
    assert_eq!(device.text("./NAP/2/Ext/Internet"), "true");
}

#[test]
fn a_reference_that_leads_nowhere_spoils_its_document_only() {
    let device = Device::new();
    let documents = [nap("gprs", "internet"), w7("S1", &[("TO-NAPID", "nowhere")])];
    let report = device.good(0, CARD, &card([&documents[0], &documents[1], ""]));
    assert_eq!((report.objects_failed, report.accounts_added), (1, 0));
    assert!(report.news.iter().any(|news| matches!(
        news,
        News::Failed { path: Some(path), error }
            if path == "4F02" && error.what().contains("E_CP_REFERENCE")
    )));
    // What is on the device already serves as well.
    let host = nap("nowhere", "host");
    device.good(0, CARD, &card([&host, &documents[1], ""]));
    assert_eq!(device.servers(), ["S1"]);
    // The same once more changes nothing.
    let again = device.good(0, CARD, &card([&host, &documents[1], ""]));
    assert_eq!((again.objects_unchanged, again.objects_failed), (2, 0));
}

#[test]
fn sc_075_the_more_important_document_counts() {
    let device = Device::new();
    let documents = [
        nap("gprs", "first"),
        nap("gprs", "second") + &nap("mms", "mms") + &w7("S1", &[("NAME", "one")]),
        w7("S1", &[("NAME", "two")]),
    ];
    let report = device.good(0, CARD, &card(documents.each_ref().map(String::as_str)));
    assert_eq!((report.accounts_added, report.objects_failed), (1, 0));
    assert_eq!(device.text("./NAP"), "1 2");
    assert_eq!(
        (device.text("./NAP/1/Addr"), device.text("./NAP/2/Addr")),
        ("first".into(), "mms".into())
    );
    assert_eq!(device.text("./DMAcc/1/Name"), "one");
    // EF-Bootstrap no longer has it: Config1, itself unchanged, brings it now.
    let report =
        device.good(0, CARD, &card([&nap("other", "other"), &documents[1], &documents[2]]));
    assert_eq!((report.accounts_replaced, report.accounts_added), (1, 0));
    let addresses = ["1", "2", "3"].map(|number| device.text(&format!("./NAP/{number}/Addr")));
    assert_eq!(addresses, ["other", "second", "mms"]);
}

#[test]
fn sc_065_the_same_documents_again_change_nothing() {
    let device = Device::new();
    let all = w7("S1", &[("TO-NAPID", "gprs")]) + &nap("gprs", "internet");
    let objects = card([&all, &nap("mms", "mms"), ""]);
    device.good(0, CARD, &objects);
    let nonce = Secret::new(*b"newer");
    let mut txn = device.db.begin().unwrap();
    dmacc::set_server_nonce(&mut txn, "S1", &nonce, Now::default()).unwrap();
    txn.commit().unwrap();
    let report = device.good(0, CARD, &objects);
    assert_eq!(
        (report.objects_unchanged, report.accounts_added, report.accounts_replaced),
        (2, 0, 0)
    );
    assert_eq!(device.text("./DMAcc/1/AppAuth/2/AAuthData"), "newer");
    let view = device.db.read().unwrap();
    let of = |uri: &str| object_of(&view, &Path::parse(uri).unwrap()).unwrap();
    assert_eq!((of("./NAP/1/Addr"), of("./NAP/2")), (Some("4F01".into()), Some("4F02".into())));
    assert_eq!(of("./DevInfo"), None);
}

#[test]
fn sc_066_changed_documents_replace_what_they_brought_and_nothing_else() {
    let device = Device::new();
    let before = w7("S1", &[("TO-NAPID", "gprs")]) + &nap("gprs", "before");
    device.good(0, CARD, &card([&before, "", ""]));
    let mut txn = device.db.begin().unwrap();
    let mut tree = Tree::new(&mut txn, Actor::Server("S1"), Now::default());
    let value = crate::tree::Content::text("by the server").into();
    tree.add(&Uri::parse("./Operator/Setting").unwrap(), &value).unwrap();
    txn.commit().unwrap();
    let after = w7("S1", &[]) + &nap("other", "after");
    let report = device.good(0, CARD, &card([&after, "", ""]));
    assert_eq!((report.accounts_replaced, report.accounts_removed), (1, 0));
    assert_eq!(device.text("./NAP/1/Addr"), "after");
    assert!(!device.has("./DMAcc/1/PrefConRef"));
    assert_eq!(device.text("./Operator/Setting"), "by the server");
}

#[test]
fn sc_067_sc_081_what_left_the_card_or_came_with_another_goes() {
    let device = Device::new();
    let config = w7("S1", &[]);
    device.good(0, CARD, &card([&nap("gprs", "internet"), &config, ""]));
    let report = device.good(0, CARD, &card([&nap("gprs", "internet"), "", ""]));
    assert_eq!(report.accounts_removed, 1);
    assert!(device.servers().is_empty() && device.has("./NAP/1"));
    let outcome = device.read(0, OTHER_CARD, &Found { present: true, ..Found::default() }).unwrap();
    assert_eq!(outcome.error.unwrap().code(), Code::BootstrapNone);
    assert!(matches!(&outcome.report.news[..], [News::Removed { uri, .. }] if uri == "./NAP/1"));
    assert!(!device.has("./NAP/1"));
}

#[test]
fn sc_076_a_document_that_cannot_be_read_leaves_the_others() {
    let device = Device::new();
    let mut objects = card([&nap("a", "a"), &nap("b", "b"), &nap("c", "c")]);
    let missing = Content::Unreadable(Error::card_sw(0x6A82, "SELECT 4F02"));
    objects[1].content = missing.clone();
    let report = device.good(0, CARD, &objects);
    assert_eq!(report.objects_failed, 1);
    assert_eq!(device.text("./NAP"), "1 2");
    // What was read once stays while it cannot be read, and the others with it.
    let mut objects = card([&nap("a", "changed"), &nap("b", "b"), &nap("c", "c")]);
    device.good(0, CARD, &objects);
    assert_eq!(device.text("./NAP"), "1 2 3");
    objects[1].content = missing;
    let report = device.good(0, CARD, &objects);
    assert_eq!((report.objects_failed, report.accounts_removed), (1, 0));
    assert_eq!(device.text("./NAP"), "1 2 3");
}

#[test]
fn sc_079_another_document_in_a_provisioning_file_is_refused() {
    let device = Device::new();
    let Content::Octets(message) = account("6433", "S1", "").content else { panic!("no octets") };
    let objects = [on_card(OID_CP_BOOTSTRAP, "4F01", message.expose().to_vec())];
    let outcome = device.read(0, CARD, &found(&objects)).unwrap();
    assert_eq!(outcome.error.unwrap().code(), Code::BootstrapFormat);
}

#[test]
fn sc_080_the_dm_object_counts_more_than_w7() {
    let device = Device::new();
    let all = w7("one", &[("NAME", "from w7")]) + &nap("gprs", "internet");
    let mut objects = card([&all, "", ""]);
    objects.push(account("6433", "one", "from DM"));
    let report = device.good(0, CARD, &objects);
    assert_eq!((report.accounts_added, report.objects_failed), (1, 0));
    assert_eq!(dmacc::list(&device.db.read().unwrap()).unwrap()[0].name, "from DM");
    assert!(device.has("./NAP/1"));
    assert_eq!(device.good(0, CARD, &objects).objects_unchanged, 2);
    // Without the DM object w7 brings the account, and the other way round.
    objects.pop();
    device.good(0, CARD, &objects);
    assert_eq!(dmacc::list(&device.db.read().unwrap()).unwrap()[0].name, "from w7");
    objects.push(account("6433", "one", "from DM"));
    device.good(0, CARD, &objects);
    let accounts = dmacc::list(&device.db.read().unwrap()).unwrap();
    assert_eq!((accounts.len(), accounts[0].name.as_str()), (1, "from DM"));
}

#[test]
fn an_account_from_elsewhere_is_not_provisioned_over() {
    let device = Device::new();
    device.good(0, CARD, &[account("6433", "one", "")]);
    let objects = card([&w7("one", &[]), &nap("gprs", "internet"), ""]);
    let outcome = device.read(1, OTHER_CARD, &found(&objects)).unwrap();
    assert_eq!((outcome.report.objects_failed, outcome.error), (1, None));
    assert!(device.has("./NAP/1"));
    assert_eq!(device.accounts().len(), 1);
}

#[test]
fn new_data_waits_for_consent_and_what_is_gone_does_not() {
    let device = Device::new();
    device.good(0, OTHER_CARD, &[account("6433", "old", "")]);
    let mut objects = card([&nap("gprs", "internet"), "", ""]);
    objects.push(account("6433", "new", ""));
    let reading = Reading { slot: 0, identity: CARD, found: found(&objects) };
    let outcome = apply(&reading, Consent::Needed, &device.db, Now::default()).unwrap();
    assert_eq!((outcome.report.waiting, outcome.report.accounts_removed), (2, 1));
    assert!(device.servers().is_empty() && !device.has("./NAP/1"));
    device.good(0, CARD, &objects);
    let outcome = apply(&reading, Consent::Needed, &device.db, Now::default()).unwrap();
    assert_eq!((outcome.report.waiting, outcome.report.objects_unchanged), (0, 2));
}
