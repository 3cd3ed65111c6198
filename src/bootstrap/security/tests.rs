//! Groups d and g of the byte vectors as far as they are about MACs, and the conformance rows.

use super::*;

const VECTORS: &str = include_str!("../../../tests/data/encoding-vectors.tsv");
const CARD_VECTORS: &str = include_str!("../../../tests/data/smartcard-vectors.tsv");
const IMSI: &str = "123456789012345";

/// Octets and expected column of a row.
fn row(short: &str) -> (Vec<u8>, &'static str) {
    let name = format!("{short}-");
    let line = VECTORS.lines().find(|line| line.starts_with(&name)).unwrap();
    let columns: Vec<&str> = line.split('\t').collect();
    (crate::bytes::hex::decode(columns[1]).unwrap(), columns[3])
}

fn octets(short: &str) -> Vec<u8> {
    row(short).0
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn hex(text: &str) -> Secret {
    Secret::new(crate::bytes::hex::decode(text).unwrap())
}

/// What `imsi` and `user` make of a push; empty is none.
fn outcome(push: &Push<'_>, imsi: &str, user: &str) -> Result<()> {
    let network = (!imsi.is_empty()).then(|| imsi_key(&secret(imsi)).unwrap());
    let user = (!user.is_empty()).then(|| secret(user));
    verify(push, Keys { network: network.as_ref(), user: user.as_ref() })
}

fn check(short: &str, imsi: &str, user: &str) -> Result<()> {
    outcome(&Push::read(&octets(short)).unwrap(), imsi, user)
}

/// Code and class.
fn refused(result: Result<()>) -> (Code, String) {
    let error = result.unwrap_err();
    let (class, rest) = error.what().split_once(" at byte 0: ").unwrap();
    assert!(!rest.is_empty());
    (error.code(), class.to_owned())
}

fn mismatch(code: Code) -> (Code, String) {
    (code, "E_CP_MAC_MISMATCH".to_owned())
}

/// `document` with the MAC `mac`, as a push.
fn signed<'a>(media: Media, sec: Sec, mac: &str, document: &'a [u8]) -> Push<'a> {
    let mac = (!mac.is_empty()).then(|| hex(mac));
    Push {
        tid: 0,
        media,
        charset: None,
        app_id: None,
        sec: Some(sec),
        mac,
        push_flag: None,
        body: document,
    }
}

/// The MAC of the key in hexadecimal.
fn mac_of(key: &[u8], document: &[u8]) -> String {
    let mac = hmac_sha1(key, document).unwrap().finalize().into_bytes();
    mac.iter().map(|octet| format!("{octet:02X}")).collect()
}

#[test]
fn pushed_documents_of_group_d() {
    for (short, imsi, user) in [
        ("d04", "", "1234"),
        ("d05", IMSI, ""),
        ("d06", IMSI, "1234"),
        ("d07", "", "3141538562"),
        ("d09", "", "1234"),
        ("d10", "", "1234"),
        ("d11", IMSI, ""),
    ] {
        assert!(row(short).1.contains("mac-check=ok"), "{short}");
        assert_eq!(check(short, imsi, user), Ok(()), "{short}");
    }
}

#[test]
fn dm_194_a_wrong_or_missing_mac_is_refused() {
    // d22: the document was altered after signing.
    assert!(row("d22").1.contains("E_CP_MAC_MISMATCH"));
    assert_eq!(refused(check("d22", "", "1234")), mismatch(Code::BootstrapPin));
    assert_eq!(refused(check("d04", "", "1235")), mismatch(Code::BootstrapPin));
    assert_eq!(refused(check("d05", "123456789012346", "")), mismatch(Code::BootstrapMac));
    assert_eq!(refused(check("d06", IMSI, "4321")), mismatch(Code::BootstrapPin));
    assert_eq!(refused(check("d07", "", "3141538563")), mismatch(Code::BootstrapPin));
    // d08: neither SEC nor MAC.
    let missing = (Code::BootstrapMac, "E_CP_MAC_MISSING".to_owned());
    assert_eq!(refused(check("d08", IMSI, "1234")), missing);
    let push = signed(Media::ConnectivityWbxml, Sec::UserPin, "", b"x");
    assert_eq!(refused(outcome(&push, "", "1234")), missing);
    for wrong in ["00", &"00".repeat(21)] {
        let push = signed(Media::ConnectivityWbxml, Sec::UserPin, wrong, b"x");
        assert_eq!(refused(outcome(&push, "", "1234")), mismatch(Code::BootstrapPin));
    }
}

#[test]
fn secrets_that_are_not_at_hand() {
    assert_eq!(refused(check("d04", IMSI, "")), mismatch(Code::BootstrapPin));
    assert_eq!(refused(check("d05", "", "1234")), mismatch(Code::BootstrapMac));
    assert_eq!(refused(check("d06", IMSI, "")), mismatch(Code::BootstrapPin));
    assert_eq!(refused(check("d06", "", "1234")), mismatch(Code::BootstrapMac));
    assert_eq!(refused(check("d07", IMSI, "")), mismatch(Code::BootstrapPin));
    let needs = |sec| (needs_network(sec), needs_user(sec));
    assert_eq!(needs(Sec::NetworkPin), (true, false));
    assert_eq!(needs(Sec::UserPin), (false, true));
    assert_eq!(needs(Sec::UserNetworkPin), (true, true));
    assert_eq!(needs(Sec::UserPinMac), (false, true));
}

#[test]
fn dm_192_a_dm_message_in_text_is_no_bootstrap() {
    // d12 is text XML of the DM profile.
    let class = "E_WSP_CONTENT_TYPE".to_owned();
    assert_eq!(refused(check("d12", IMSI, "1234")), (Code::BootstrapFormat, class));
}

#[test]
fn dm_193_userpin_of_the_specification() {
    let mac = "818C70A483454846F09D28A43C7301F1235208B7";
    let push = signed(Media::ConnectivityWbxml, Sec::UserPin, mac, &[0x03, 0x0B, 0x6A, 0x00]);
    assert_eq!(outcome(&push, "", "1234"), Ok(()));
}

#[test]
fn dm_195_imsi_as_key_octets() {
    let key = |digits: &str| imsi_key(&secret(digits)).map(|key| key.expose().to_vec());
    assert_eq!(key("310150123456789").unwrap(), hex("3901511032547698").expose());
    // g06 and g07: an odd and an even number of digits.
    for short in ["g06", "g07"] {
        let (digits, expected) = row(short);
        let digits = String::from_utf8(digits).unwrap();
        let expected = hex(expected.strip_prefix("key=").unwrap());
        assert_eq!(key(&digits).unwrap(), expected.expose(), "{short}");
    }
    for bad in ["", "12345", "1234567890123456", "12345678901234a", "12345\u{e9}"] {
        assert_eq!(key(bad).unwrap_err().code(), Code::InvalidArg);
    }
}

#[test]
fn the_card_file_gives_the_same_key() {
    let key = |content: &str| imsi_key_of_file(&hex(content)).map(|key| key.expose().to_vec());
    assert_eq!(key("083901511032547698").unwrap(), hex("3901511032547698").expose());
    assert_eq!(key("0821062021436587F9").unwrap(), hex("21062021436587F9").expose());
    assert_eq!(key("08193254769810FFFF").unwrap(), hex("193254769810").expose());
    assert_eq!(key("0619325476981032FF").unwrap(), hex("193254769810").expose());
    for bad in ["", "08", "0839015110325476", "00FFFFFFFFFFFFFFFF", "08FFFFFFFFFFFFFFFF"] {
        assert_eq!(key(bad).unwrap_err().code(), Code::CardBadData, "{bad}");
    }
}

#[test]
fn documents_of_group_g() {
    for (short, sec, imsi, user) in [
        ("g08", Sec::UserPin, "", "1234"),
        ("g09", Sec::NetworkPin, IMSI, ""),
        ("g10", Sec::UserNetworkPin, IMSI, "1234"),
    ] {
        let (document, expected) = row(short);
        let mac = expected.strip_prefix("mac=").unwrap();
        let push = signed(Media::ConnectivityWbxml, sec, mac, &document);
        assert_eq!(outcome(&push, imsi, user), Ok(()), "{short}");
    }
    let (document, expected) = row("g11");
    let typed = expected.strip_prefix("user-input=").unwrap();
    let push = signed(Media::ConnectivityWbxml, Sec::UserPinMac, "", &document);
    assert_eq!(outcome(&push, "", typed), Ok(()));
}

#[test]
fn userpinmac_digits_have_a_form() {
    let document = octets("g11");
    let push = signed(Media::ConnectivityWbxml, Sec::UserPinMac, "", &document);
    let typed = |pin: &str| {
        let mac = hmac_sha1(pin.as_bytes(), &document).unwrap().finalize().into_bytes();
        let digits = mac.iter().take(pin.len()).map(|octet| char::from(octet % 10 + b'0'));
        format!("{pin}{}", digits.collect::<String>())
    };
    assert_eq!(outcome(&push, "", &typed("31415")), Ok(()));
    assert_eq!(outcome(&push, "", &typed(&"7".repeat(20))), Ok(()));
    for bad in [&typed("3141"), &typed(&"7".repeat(21)), "314158285", "31415828541", "31415 8285"] {
        assert_eq!(refused(outcome(&push, "", bad)), mismatch(Code::BootstrapPin), "{bad}");
    }
    // The DM profile has no such method.
    let push = signed(Media::DmWbxml, Sec::UserPinMac, "", &document);
    let class = "E_CP_SEC_UNKNOWN".to_owned();
    assert_eq!(refused(outcome(&push, "", &typed("31415"))), (Code::BootstrapMac, class));
}

#[test]
fn both_orders_of_both_secrets_are_tried() {
    let document = octets("b03");
    let network = imsi_key(&secret(IMSI)).unwrap();
    let joined = mac_of(&[network.expose(), b"1234"].concat(), &document);
    let written = mac_of(&[b"1234:", network.expose()].concat(), &document);
    assert!(row("d06").1.contains(&joined));
    for media in [Media::ConnectivityWbxml, Media::ConnectivityXml, Media::DmWbxml] {
        for mac in [&joined, &written] {
            let push = signed(media, Sec::UserNetworkPin, mac, &document);
            assert_eq!(outcome(&push, IMSI, "1234"), Ok(()), "{media:?}");
            assert!(outcome(&push, IMSI, "1235").is_err());
        }
    }
}

#[test]
fn each_profile_has_its_order_first() {
    let [first, second] = Profile::Cp.combined(b"N", b"P");
    assert_eq!((&first[..], &second[..]), (&b"NP"[..], &b"P:N"[..]));
    let [first, second] = Profile::Dm.combined(b"N", b"P");
    assert_eq!((&first[..], &second[..]), (&b"P:N"[..], &b"NP"[..]));
}

#[test]
fn card_vector_with_a_mac_of_nothing() {
    let line = CARD_VECTORS.lines().find(|l| l.starts_with("wsp-push-cp-userpin\t")).unwrap();
    let pdu = crate::bytes::hex::decode(line.split('\t').nth(2).unwrap()).unwrap();
    let push = Push::read(&pdu).unwrap();
    assert_eq!((push.sec, push.body), (Some(Sec::UserPin), &[][..]));
    let sent = push.mac.as_ref().unwrap();
    assert_eq!(sent, &hex("0123456789ABCDEF0123456789ABCDEF01234567"));
    assert_eq!(refused(outcome(&push, "", "1234")), mismatch(Code::BootstrapPin));
}

#[test]
fn errors_and_debug_show_no_secret() {
    let (network, user) = (secret("imsi"), secret("4711"));
    let keys = Keys { network: Some(&network), user: Some(&user) };
    assert!(!format!("{keys:?}").contains("4711"));
    let error = check("d04", "", "4711").unwrap_err();
    assert!(!format!("{error:?}{error}").contains("4711"));
}
