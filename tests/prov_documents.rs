//! Client Provisioning documents: groups b and s of the byte vectors, what is found in the field, and
//! the round trip of any document.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not inside them

use dmsc::markup::{Class, Fault, Options, canonical};
use dmsc::prov::{
    self, AddrType, AuthLevel, Characteristic, Document, Encoding, Member, Parm, Reference,
    Settings, Target,
};
use proptest::prelude::*;

const VECTORS: &str = include_str!("data/encoding-vectors.tsv");

struct Vector {
    name: &'static str,
    octets: Vec<u8>,
    expected: &'static str,
}

fn group(letter: char) -> Vec<Vector> {
    VECTORS.lines().skip(1).filter(|line| line.starts_with(letter)).map(parse).collect()
}

fn parse(line: &'static str) -> Vector {
    let columns: Vec<&str> = line.split('\t').collect();
    Vector { name: columns[0], octets: hex(columns[1]), expected: columns[3] }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let octet = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn vector(short: &str) -> Vec<u8> {
    let name = format!("{short}-");
    let found = VECTORS.lines().find(|line| line.starts_with(&name)).map(parse);
    found.unwrap_or_else(|| panic!("no vector {short}")).octets
}

/// What a client without any connection makes of a document.
fn judge(octets: &[u8]) -> Result<(), Fault> {
    let document = prov::read(octets)?;
    Settings::of(&document)?.check_references(|_| false)
}

fn class(result: Result<(), Fault>) -> Option<Class> {
    result.err().map(|fault| fault.class)
}

#[test]
fn group_b_is_one_model_in_both_encodings() {
    let vectors = group('b');
    assert_eq!(vectors.len(), 30);
    for Vector { name, octets, expected } in &vectors {
        let document = prov::read(octets).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(prov::read(expected.as_bytes()).as_ref(), Ok(&document), "{name} as XML");
        for encoding in [Encoding::Wbxml, Encoding::Xml] {
            let written = prov::write(&document, encoding).unwrap();
            let form = canonical(&written, &Options::default());
            assert_eq!(form.as_deref(), Ok(*expected), "{name} {encoding:?}");
            assert_eq!(prov::read(&written).as_ref(), Ok(&document), "{name} {encoding:?}");
        }
    }
}

#[test]
fn group_b_rows_that_are_no_use_to_a_client() {
    let useless: Vec<(&str, Class)> = group('b')
        .iter()
        .filter_map(|row| Some((&row.name[..3], class(judge(&row.octets))?)))
        .collect();
    assert_eq!(
        useless,
        [
            // The access point of these accounts is in another document.
            ("b03", Class::CpReference),
            ("b04", Class::CpReference),
            ("b05", Class::CpReference),
            // Rows that show one token each leave out what identifies their object.
            ("b17", Class::CpParm),
            ("b19", Class::CpParm),
            ("b20", Class::CpParm),
            ("b22", Class::CpParm),
            ("b23", Class::CpParm),
            ("b24", Class::CpParm),
            ("b25", Class::CpParm),
            ("b27", Class::CpReference),
            ("b29", Class::CpParm),
        ]
    );
}

#[test]
fn group_s_provisioning_rows() {
    let rows = group('s').into_iter().filter(|row| row.expected.contains("E_CP_"));
    let mut count = 0;
    for Vector { name, octets, expected } in rows {
        let found = judge(&octets).map_err(|fault| format!("ERROR:{}", fault.class.name()));
        assert_eq!(found, Err(expected.to_owned()), "{name}");
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn faults_name_the_octet_of_the_parm() {
    // Header 4, root with its attributes 3, characteristic with its attributes 3.
    let fault = judge(&vector("s07")).unwrap_err();
    assert_eq!((fault.class, fault.at), (Class::CpParm, 10));
    assert_eq!(fault.what, "a parm is no hexadecimal number");
    let fault = judge(&vector("s08")).unwrap_err();
    assert_eq!((fault.at, fault.what), (7, "w7 without PROVIDER-ID"));
    let fault = judge(&vector("s09")).unwrap_err();
    assert_eq!((fault.at, fault.what), (27, "TO-NAPID names no access point"));
    let xml = "<wap-provisioningdoc><parm name='A'/></wap-provisioningdoc>";
    let fault = prov::read(xml.as_bytes()).unwrap_err();
    assert_eq!((fault.class, fault.at), (Class::ContentModel, 21));
}

#[test]
fn a_dm_account_with_all_it_has() {
    let octets = vector("b26");
    let document = prov::read(&octets).unwrap();
    let settings = Settings::of(&document).unwrap();
    settings.check_references(|_| false).unwrap();
    let [account] = &settings.accounts[..] else { panic!("one account") };
    assert_eq!(account.provider_id, "com.mgmtsrv.manage");
    assert_eq!(account.name, Some("Operator DM"));
    assert!(!account.init);
    assert_eq!((account.to_proxy[0].target, account.to_proxy[0].id), (Target::Proxy, "PX1"));
    assert_eq!((account.to_nap[0].target, account.to_nap[0].id), (Target::AccessPoint, "NAP1"));
    assert_eq!(account.addresses.len(), 1);
    assert_eq!(account.addresses[0].addr, "https://dm.example.com/srv");
    assert_eq!(account.addresses[0].addr_type, AddrType::Uri);
    assert_eq!(account.addresses[0].ports[0].number, 443);
    let levels: Vec<_> = account.auth.iter().map(|auth| auth.level).collect();
    assert_eq!(levels, [Some(AuthLevel::AppSrv), Some(AuthLevel::Client)]);
    assert_eq!(account.auth[0].types, ["DIGEST"]);
    assert_eq!(account.auth[0].name, Some("dev1"));
    assert_eq!(account.auth[0].secret.as_ref().unwrap().expose(), b"devpw");
    assert_eq!(account.auth[0].data.as_ref().unwrap().expose(), b"nonce");
    assert!(!format!("{settings:?}{document:?}").contains("devpw"));
}

#[test]
fn proxy_and_access_point_with_all_they_have() {
    let octets = vector("b26");
    let document = prov::read(&octets).unwrap();
    let settings = Settings::of(&document).unwrap();
    let proxy = settings.proxy("PX1").unwrap();
    assert_eq!((proxy.name, proxy.trust, proxy.master), (Some("Proxy"), true, true));
    assert_eq!(proxy.password.as_ref().unwrap().expose(), b"pw");
    assert_eq!(proxy.ppg_auth_type, Some("HTTP-DIGEST"));
    assert_eq!(proxy.domains, ["example.com"]);
    assert_eq!(proxy.auth[0].auth_type, Some("HTTP-DIGEST"));
    assert_eq!((proxy.ports[0].number, &proxy.ports[0].services[..]), (8080, &["OTA-HTTP-PO"][..]));
    let physical = &proxy.physical[0];
    assert_eq!((physical.addr, physical.addr_type), ("192.0.2.1", Some("IPV4")));
    assert_eq!((physical.push_enabled, physical.pull_enabled), (Some(true), Some(true)));
    assert_eq!(physical.to_nap[0].id, "NAP1");
    let point = settings.access_point("NAP1").unwrap();
    assert_eq!(point.bearers, ["GSM-GPRS"]);
    assert_eq!((point.address, point.address_type), (Some("apn.example"), Some("APN")));
    assert_eq!(point.auth[0].secret.as_ref().unwrap().expose(), b"s");
    assert_eq!(point.validity[0].until, Some("2030-12-31T23:59:59Z"));
    let internet: Vec<&str> = settings.internet().map(|point| point.id).collect();
    assert_eq!(internet, ["NAP1"]);
}

#[test]
fn quality_of_service_is_hexadecimal() {
    let document = xml("<characteristic type='NAPDEF'><parm name='NAPID' value='N'/>\
        <parm name='TRAFFIC-CLASS' value='4'/><parm name='MAX-SDU-SIZE' value='9A'/>\
        <parm name='LINGER' value='30'/><parm name='T-BIT'/></characteristic>");
    let settings = Settings::of(&document).unwrap();
    let point = &settings.access_points[0];
    assert_eq!(point.quality, [("TRAFFIC-CLASS", 4), ("MAX-SDU-SIZE", 0x9A)]);
    assert_eq!((point.linger, point.t_bit), (Some(30), true));
}

#[test]
fn of_two_applications_the_one_of_device_management_is_an_account() {
    let octets = vector("b27");
    let document = prov::read(&octets).unwrap();
    let settings = Settings::of(&document).unwrap();
    assert_eq!(settings.accounts.len(), 1);
    assert_eq!(settings.others.len(), 1);
    assert_eq!(settings.others[0].value("APPID"), Some("w5"));
    let asked = std::cell::RefCell::new(Vec::new());
    let known = settings.check_references(|reference| {
        asked.borrow_mut().push((reference.target, reference.id.to_owned()));
        true
    });
    assert_eq!(known, Ok(()));
    assert_eq!(asked.into_inner(), [(Target::AccessPoint, "NAP1".to_owned())]);
}

/// A document of `characteristics` in text XML.
fn xml(characteristics: &str) -> Document<'static> {
    let text =
        format!("<wap-provisioningdoc version='1.1'>{characteristics}</wap-provisioningdoc>");
    prov::read(text.as_bytes()).unwrap().into_owned()
}

/// A w7 account with `more` in it.
fn account(more: &str) -> Document<'static> {
    xml(&format!(
        "<characteristic type='APPLICATION'><parm name='APPID' value='w7'/>\
         <parm name='PROVIDER-ID' value='srv'/>{more}</characteristic>"
    ))
}

fn fault_of(document: &Document<'_>) -> Option<&'static str> {
    let fault = Settings::of(document).err()?;
    assert_eq!(fault.class, Class::CpParm);
    Some(fault.what)
}

#[test]
fn parms_that_make_an_account_unusable() {
    let addr = "<parm name='ADDR' value='http://a/'/>";
    let inside = |more: &str| account(&format!("{addr}{more}"));
    assert_eq!(fault_of(&account("")), Some("w7 without ADDR"));
    assert_eq!(fault_of(&account(addr)), None);
    let part = |kind: &str, name: &str, value: &str| {
        inside(&format!(
            "<characteristic type='{kind}'><parm name='{name}' value='{value}'/></characteristic>"
        ))
    };
    assert_eq!(
        fault_of(&part("APPADDR", "ADDRTYPE", "FAX")),
        Some("a parm has a value that is not defined")
    );
    assert_eq!(fault_of(&part("APPADDR", "ADDRTYPE", "ipv4")), None);
    assert_eq!(
        fault_of(&part("APPAUTH", "AAUTHLEVEL", "1")),
        Some("a parm has a value that is not defined")
    );
    assert_eq!(fault_of(&part("APPAUTH", "AAUTHDATA", "!")), Some("a parm is no base64"));
    assert_eq!(
        fault_of(&part("APPAUTH", "AAUTHNAME", &"x".repeat(256))),
        Some("a parm is too long")
    );
    let port = |value: &str| {
        inside(&format!(
            "<characteristic type='APPADDR'><parm name='ADDR' value='a'/><characteristic \
             type='PORT'><parm name='PORTNBR' value='{value}'/></characteristic></characteristic>"
        ))
    };
    for bad in ["65536", "-1", "+80", "8O", "99999999999999999999"] {
        assert_eq!(fault_of(&port(bad)), Some("a parm is no decimal number of its range"), "{bad}");
    }
    assert_eq!(fault_of(&port("")), Some("PORT without PORTNBR"));
    assert_eq!(fault_of(&port("65535")), None);
}

#[test]
fn addr_right_in_the_application_comes_first() {
    let document = account(
        "<characteristic type='APPADDR'><parm name='ADDR' value='b'/></characteristic>\
         <parm name='ADDR' value='a'/><parm name='INIT'/>",
    );
    let settings = Settings::of(&document).unwrap();
    let found: Vec<&str> = settings.accounts[0].addresses.iter().map(|a| a.addr).collect();
    assert_eq!(found, ["a", "b"]);
    assert!(settings.accounts[0].init);
}

#[test]
fn aauthtype_is_a_list() {
    let document = account(
        "<parm name='ADDR' value='a'/><characteristic type='APPAUTH'>\
         <parm name='AAUTHTYPE' value='HMAC, DIGEST,BASIC'/></characteristic>",
    );
    let settings = Settings::of(&document).unwrap();
    assert_eq!(settings.accounts[0].auth[0].types, ["HMAC", "DIGEST", "BASIC"]);
    assert_eq!(settings.accounts[0].auth[0].level, None);
}

#[test]
fn references_lead_to_the_document_first_and_then_to_the_device() {
    let document = account(
        "<parm name='ADDR' value='a'/><parm name='TO-PROXY' value='PX1'/>\
         <parm name='TO-NAPID' value='INTERNET'/><parm name='TO-NAPID' value=''/>",
    );
    let settings = Settings::of(&document).unwrap();
    let all: Vec<Target> = settings.references().map(|reference| reference.target).collect();
    assert_eq!(all, [Target::Proxy, Target::Internet]);
    let fault = settings.check_references(|_| false).unwrap_err();
    assert_eq!((fault.class, fault.what), (Class::CpReference, "TO-PROXY names no proxy"));
    let on_device = |reference: Reference<'_>| reference.id == "PX1";
    assert_eq!(settings.check_references(on_device), Ok(()));
}

#[test]
fn bootstrap_access_and_vendor_characteristics() {
    let document = xml("<characteristic type='BOOTSTRAP'><parm name='NAME' value='B'/>\
           <parm name='NETWORK' value='01'/><parm name='NETWORK' value='02'/>\
           <parm name='PROXY-ID' value='P'/><parm name='CONTEXT-ALLOW' value='254'/></characteristic>\
         <characteristic type='ACCESS'><parm name='RULE' value='1'/><parm name='PORTNBR' value='80'/>\
           <parm name='APPID' value='w2'/><parm name='TO-NAPID' value='N'/></characteristic>\
         <characteristic type='CLIENTIDENTITY'><parm name='CLIENT-ID' value='c'/></characteristic>\
         <characteristic type='VENDORCONFIG'><parm name='NAME' value='V'/>\
           <characteristic type='X'><parm name='y' value='z'/></characteristic></characteristic>\
         <characteristic type='com.example/odd'><parm name='q'/></characteristic>");
    let settings = Settings::of(&document).unwrap();
    let bootstrap = &settings.bootstraps[0];
    assert_eq!(bootstrap.networks, ["01", "02"]);
    assert_eq!((bootstrap.proxy_ids[0], bootstrap.context_allow), ("P", Some(254)));
    let access = &settings.access[0];
    assert_eq!((&access.rules[..], &access.ports[..]), (&["1"][..], &[80][..]));
    assert_eq!((access.app_ids[0], access.to_nap[0].id), ("w2", "N"));
    assert_eq!(settings.client_id, Some("c"));
    let vendor = settings.vendor[0];
    assert_eq!(vendor.name, Some("V"));
    let inner = vendor.characteristic.characteristics_of("X").next().unwrap();
    assert_eq!(inner.value("y"), Some("z"));
    assert_eq!(settings.others[0].kind, "com.example/odd");
    // An ACCESS rule that leads nowhere rules nothing; the account does not depend on it.
    assert_eq!(settings.check_references(|_| false), Ok(()));
}

#[test]
fn found_in_the_field() {
    // Version missing, empty inline strings between elements, WBXML 1.2.
    let octets = hex("020B6A00 45 0300 C65801 0300 87300603633100 01 0300 01 01");
    let document = prov::read(&octets).unwrap();
    assert_eq!((document.version.as_ref(), document.characteristics.len()), (None, 1));
    assert_eq!(document.characteristics[0].value("CLIENT-ID"), Some("c1"));
    // The version named by a literal.
    let octets = hex("030B6A 08 76657273696F6E00 C5 0400 03312E3100 01 C65801 01 01");
    assert_eq!(prov::read(&octets).unwrap().version.as_deref(), Some("1.1"));
    // Octets after a card's document.
    let mut octets = vector("b26");
    let expected = prov::read(&octets).unwrap().into_owned();
    octets.extend([0xFF; 64]);
    assert_eq!(prov::read(&octets).unwrap_err().class, Class::TrailingData);
    assert_eq!(prov::read_with(&octets, true), Ok(expected));
    // Capitals, and an attribute of some vendors.
    let text = "<?xml version='1.0'?><!DOCTYPE wap-provisioningdoc PUBLIC \
        '-//WAPFORUM//DTD PROV 1.0//EN' 'http://www.wapforum.org/DTD/prov.dtd'>\
        <wap-provisioningdoc>\n <Characteristic type='APPLICATION'>\n  \
        <Parm name='APPID' value='w7' datatype='string'/></Characteristic></wap-provisioningdoc>";
    let document = prov::read(text.as_bytes()).unwrap();
    assert_eq!(document.characteristics[0].value("appid"), Some("w7"));
    // Values that say nothing are none.
    let document = account(
        "<parm name='ADDR' value='a'/><parm name='NAME' value=''/><parm name='TO-PROXY'/>\
         <characteristic type='APPAUTH'><parm name='AAUTHSECRET' value=''/>\
         <parm name='AAUTHLEVEL' value=''/></characteristic>",
    );
    let settings = Settings::of(&document).unwrap();
    assert_eq!((settings.accounts[0].name, settings.references().count()), (None, 0));
    let auth = &settings.accounts[0].auth[0];
    assert_eq!((&auth.secret, auth.level), (&None, None));
}

/// APPLICATION on attribute page 1, and behind it something of page 0 without a switch back.
fn without_switch_back(rest: &str) -> Document<'static> {
    let octets = hex(&format!("030B6A00 C54601 C600015501 87360603773500 01 01 {rest} 01"));
    prov::read(&octets).unwrap().into_owned()
}

#[test]
fn missing_switch_back_to_attribute_page_0() {
    let nap = "C65501 87110603 4E00 01 870806 03612E6200 01 870906 89 01 \
               C65A01 870C069A01 01 01";
    let document = without_switch_back(nap);
    let point = &document.characteristics[1];
    assert_eq!((&*point.kind, point.value("NAPID")), ("NAPDEF", Some("N")));
    assert_eq!(point.value("NAP-ADDRTYPE"), Some("APN"));
    let auth = point.characteristics_of("NAPAUTHINFO").next().unwrap();
    assert_eq!(auth.value("AUTHTYPE"), Some("PAP"));
    let document = without_switch_back("C65101 8715060350 00 01 C65201 872F06033100 01 01 01");
    let proxy = &document.characteristics[1];
    assert_eq!((&*proxy.kind, proxy.value("PROXY-ID")), ("PXLOGICAL", Some("P")));
    let physical = proxy.characteristics_of("PXPHYSICAL").next().unwrap();
    assert_eq!(physical.value("PHYSICAL-PROXY-ID"), Some("1"));
    let document = without_switch_back("C65601 870706034200 01 01");
    assert_eq!(document.characteristics[1].kind, "BOOTSTRAP");
    let document = without_switch_back("C65701 870706035600 01 01");
    assert_eq!(document.characteristics[1].kind, "VENDORCONFIG");
    let document = without_switch_back("C65801 873006036300 01 01");
    assert_eq!(document.characteristics[1].value("CLIENT-ID"), Some("c"));
    // A second application is one.
    let document = without_switch_back("C65501 873606037737 00 01 01");
    assert_eq!(document.characteristics[1].kind, "APPLICATION");
}

#[test]
fn the_element_structure_is_strict() {
    let class = |text: &str| {
        let text = format!("<wap-provisioningdoc>{text}</wap-provisioningdoc>");
        prov::read(text.as_bytes()).map(drop).map_err(|fault| fault.class)
    };
    assert_eq!(class("<characteristic/>"), Err(Class::ContentModel));
    assert_eq!(class("<characteristic name='A'/>"), Err(Class::ContentModel));
    let within = |text: &str| class(&format!("<characteristic type='A'>{text}</characteristic>"));
    assert_eq!(within("<parm value='A'/>"), Err(Class::ContentModel));
    assert_eq!(within("<parm name='A'><parm name='B'/></parm>"), Err(Class::ContentModel));
    assert_eq!(within("text"), Err(Class::ContentModel));
    assert_eq!(within("<noparm/>"), Ok(()));
    assert_eq!(prov::read(b"").unwrap_err().class, Class::Empty);
    assert_eq!(prov::read(b"<SyncML/>").unwrap_err().class, Class::PublicIdMismatch);
}

#[test]
fn what_an_encoding_cannot_hold_is_refused() {
    let mut document = xml("<characteristic type='A'/>");
    document.characteristics[0].kind = "a\u{1}".into();
    assert!(prov::write(&document, Encoding::Xml).is_err());
    assert!(prov::write(&document, Encoding::Wbxml).is_ok());
    document.characteristics[0].kind = "a\0".into();
    assert!(prov::write(&document, Encoding::Wbxml).is_err());
}

#[test]
fn any_prefix_and_any_changed_octet_end_in_a_value_or_an_error() {
    for Vector { octets, .. } in group('b') {
        for end in 0..octets.len() {
            assert!(prov::read(&octets[..end]).is_err());
        }
        let mut changed = octets.clone();
        for (at, original) in octets.iter().enumerate() {
            for octet in [0x00, 0x01, 0x40, 0x7F, 0x80, 0xFF, original ^ 0x01, original ^ 0x80] {
                changed[at] = octet;
                let _ = judge(&changed);
            }
            changed[at] = *original;
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[ -~\u{e9}\u{20ac}\t\n\r]{0,12}",
        proptest::sample::select(vec![
            "APN", "HTTP-", "BASIC", "INTERNET", "IPV6", "IPV4", "1.0", "APPSRV", ",", "AAA",
            "CO-WSP",
        ])
        .prop_map(str::to_owned),
    ]
}

fn parm() -> impl Strategy<Value = Member<'static>> {
    let name = prop_oneof![
        text(),
        proptest::sample::select(vec![
            "NAPID",
            "APPID",
            "NAME",
            "TO-NAPID",
            "PORTNBR",
            "AAUTHTYPE",
            "INTERNET",
            "T-BIT",
        ])
        .prop_map(str::to_owned),
    ];
    (name, proptest::option::of(text())).prop_map(|(name, value)| {
        Member::Parm(Parm { name: name.into(), value: value.map(Into::into), at: 0 })
    })
}

fn characteristic() -> impl Strategy<Value = Characteristic<'static>> {
    let kind = || {
        let known = proptest::sample::select(vec![
            "PXLOGICAL",
            "PORT",
            "NAPDEF",
            "VALIDITY",
            "RESOURCE",
            "ACCESS",
        ]);
        prop_oneof![known.prop_map(str::to_owned), "[a-z.]{1,8}"]
    };
    let of = |(kind, members): (String, Vec<Member<'static>>)| Characteristic {
        kind: kind.into(),
        members,
        at: 0,
    };
    let leaf = (kind(), proptest::collection::vec(parm(), 0..4)).prop_map(of);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let member = prop_oneof![parm(), inner.prop_map(Member::Characteristic)];
        (kind(), proptest::collection::vec(member, 0..4)).prop_map(of)
    })
}

fn document() -> impl Strategy<Value = Document<'static>> {
    (proptest::option::of(text()), proptest::collection::vec(characteristic(), 0..4)).prop_map(
        |(version, characteristics)| Document { version: version.map(Into::into), characteristics },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(document in document()) {
        for encoding in [Encoding::Wbxml, Encoding::Xml] {
            let written = prov::write(&document, encoding).unwrap();
            prop_assert_eq!(prov::read(&written).unwrap(), document.clone());
        }
    }

    #[test]
    fn any_octets_end_in_a_value_or_an_error(octets: Vec<u8>) {
        let _ = judge(&octets);
        let mut document = vec![0x03, 0x0B, 0x6A, 0x00, 0xC5];
        document.extend(octets);
        let _ = judge(&document);
    }
}
