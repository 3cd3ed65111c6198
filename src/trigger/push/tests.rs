use super::*;
use proptest::prelude::*;

/// A push of these headers and the body `body`.
fn pdu(headers: &[u8]) -> Vec<u8> {
    let length = u8::try_from(headers.len()).unwrap();
    assert!(length < 0x80, "the tests write short lengths only");
    [&[0x01, PUSH, length], headers, b"body"].concat()
}

/// Content-Type in the general form with these parameters behind code 36.
fn provisioning(parameters: &[u8]) -> Vec<u8> {
    let length = u8::try_from(parameters.len() + 1).unwrap();
    pdu(&[&[0x1F, length, 0xB6], parameters].concat())
}

fn refusal(pdu: &[u8]) -> String {
    Push::read(pdu).unwrap_err().what().to_owned()
}

const MAC: &[u8; 40] = b"0bb3bb551f0a93359ec29e6ceac1440e4a617489";

fn mac_octets() -> Secret {
    Secret::new([
        0x0b, 0xb3, 0xbb, 0x55, 0x1f, 0x0a, 0x93, 0x35, 0x9e, 0xc2, 0x9e, 0x6c, 0xea, 0xc1, 0x44,
        0x0e, 0x4a, 0x61, 0x74, 0x89,
    ])
}

#[test]
fn media_types_by_code_name_and_integer() {
    for (media, code, name) in Media::ALL {
        let code = u8::try_from(code).unwrap();
        let length = u8::try_from(name.len() + 1).unwrap();
        let forms = [
            vec![code | 0x80],
            [name.to_ascii_uppercase().as_bytes(), b"\0"].concat(),
            vec![0x01, code | 0x80],
            vec![0x02, 0x01, code],
            [&[0x1F, length], name.as_bytes(), b"\0"].concat(),
        ];
        for form in forms {
            let octets = pdu(&form);
            let push = Push::read(&octets).unwrap();
            assert_eq!((push.media, push.media.name(), push.body), (media, name, &b"body"[..]));
        }
    }
}

#[test]
fn security_in_every_form() {
    let read = |pdu: &[u8]| {
        let push = Push::read(pdu).unwrap();
        (push.sec, push.mac)
    };
    let user_pin = (Some(Sec::UserPin), Some(mac_octets()));
    assert_eq!(read(&provisioning(&[b"\x91\x81\x92", &MAC[..], b"\0"].concat())), user_pin);
    assert_eq!(read(&provisioning(&[b"\x92", &MAC[..], b"\0\x91\x81"].concat())), user_pin);
    assert_eq!(read(&provisioning(&[b"\x91\x01\x01\x92\"", &MAC[..], b"\0"].concat())), user_pin);
    assert_eq!(read(&provisioning(&[b"SEC\0\x81mac\0", &MAC[..], b"\0"].concat())), user_pin);
    let typed = [b"\x85name\0\x91\x81\x92", &MAC[..], b"\0"].concat();
    assert_eq!(read(&provisioning(&typed)), user_pin);
    for (name, sec) in [
        ("NETWORKID", Sec::NetworkPin),
        ("userpin", Sec::UserPin),
        ("USERPIN_NETWORKID", Sec::UserNetworkPin),
        ("2", Sec::UserNetworkPin),
    ] {
        let text = format!(
            "application/vnd.syncml.dm+wbxml; SEC={name}; MAC=\"{}\"\0",
            std::str::from_utf8(MAC).unwrap()
        );
        assert_eq!(read(&pdu(text.as_bytes())), (Some(sec), Some(mac_octets())));
    }
    assert_eq!(read(&provisioning(b"\x91\x83")), (Some(Sec::UserPinMac), None));
    assert_eq!(read(&provisioning(b"")), (None, None));
}

#[test]
fn security_that_does_not_fit() {
    let code = |pdu: &[u8]| {
        let error = Push::read(pdu).unwrap_err();
        assert_eq!(error.code(), Code::BootstrapMac);
        error.what().to_owned()
    };
    let no_sec = provisioning(&[b"\x92", &MAC[..], b"\0"].concat());
    assert!(code(&no_sec).starts_with("E_CP_SEC_UNKNOWN at byte 7: "));
    let unknown = provisioning(&[b"\x91\x84\x92", &MAC[..], b"\0"].concat());
    assert!(code(&unknown).starts_with("E_CP_SEC_UNKNOWN at byte 7: "));
    assert!(code(&provisioning(b"\x91\x82")).starts_with("E_CP_MAC_MISSING at byte 7: "));
    let letter = provisioning(&[b"\x91\x81\x92g", &MAC[1..], b"\0"].concat());
    assert!(code(&letter).starts_with("E_CP_MAC_FORMAT at byte 9: "));
    let sign = provisioning(&[b"\x91\x81\x92+", &MAC[1..], b"\0"].concat());
    assert!(code(&sign).starts_with("E_CP_MAC_FORMAT at byte 9: "));
    let long = provisioning(&[b"\x91\x81\x92ab", &MAC[..], b"\0"].concat());
    assert!(code(&long).starts_with("E_CP_MAC_FORMAT at byte 9: "));
    assert!(code(&provisioning(b"\x91\x81\x92\x85")).starts_with("E_CP_MAC_FORMAT at byte 9: "));
}

#[test]
fn security_of_a_notification_means_nothing() {
    let octets = pdu(b"\x03\xC4\x91\x87");
    assert_eq!(Push::read(&octets).unwrap().sec, None);
}

#[test]
fn charset_by_number_and_name() {
    for parameters in [&b"\x81\xEA"[..], b"\x81\x01\x6A", b"charset\0UTF-8\0", b"\x81\"utf-8\0"] {
        assert_eq!(Push::read(&provisioning(parameters)).unwrap().charset, Some(106));
    }
    assert_eq!(Push::read(&provisioning(b"\x81\x02\x03\xE8")).unwrap().charset, Some(1000));
}

#[test]
fn dm_138_application_ids() {
    let app_id = |headers: &[u8]| Push::read(&pdu(headers)).map(|push| push.app_id);
    let dm = Ok(Some(APP_SYNCML_DM));
    assert_eq!(app_id(b"\xC4\xAF\x87"), dm);
    assert_eq!(app_id(b"\xC4\xAF\x01\x07"), dm);
    assert_eq!(app_id(b"\xC4\xAF\x02\x00\x07"), dm);
    assert_eq!(app_id(b"\xC4X-Wap-Application-Id\0x-wap-application:syncml.DM\0"), dm);
    assert_eq!(app_id(b"\xC4"), Ok(None));
    assert_eq!(app_id(b"\xB6\xAF\x82"), Ok(Some(APP_WML_UA)));
    for other in [&b"\xC4\xAF\x82"[..], b"\xC2\xAF\x82", b"\xC4\xAF\x9A", b"\xC4\xAFsyncml.dm\0"] {
        let error = app_id(other).unwrap_err();
        assert!(error.what().starts_with("E_WSP_APP_ID at byte 5: "), "{error}");
    }
    let second = app_id(b"\xC4\xAF\x87\xAF\x85").unwrap_err();
    assert!(second.what().starts_with("E_WSP_APP_ID at byte 7: "), "{second}");
}

#[test]
fn values_of_unknown_headers_are_skipped() {
    let octets = pdu(&[
        &b"\xC4\x99\x03\x01\xAF\x85\x9A\xFF\x8DLatin \xE9\0"[..],
        b"\x90\x1F\x01\xAFX-A\0\x00\xB4\x81\xAF\x87",
    ]
    .concat());
    let push = Push::read(&octets).unwrap();
    assert_eq!((push.app_id, push.push_flag), (Some(APP_SYNCML_DM), Some(1)));
}

#[test]
fn ends_in_the_wrong_place() {
    assert!(refusal(b"").starts_with("E_WSP_TRUNCATED at byte 0: "));
    assert!(refusal(b"\x01").starts_with("E_WSP_TRUNCATED at byte 1: "));
    assert!(refusal(b"\x01\x06\x81").starts_with("E_WSP_TRUNCATED at byte 3: "));
    assert!(refusal(b"\x01\x06\x9F\xFF\xFF\xFF\x7F").starts_with("E_WSP_LENGTH at byte 2: "));
    assert!(refusal(b"\x01\x06\x81\x80\x80\x80\x80\x01").starts_with("E_WSP_LENGTH at byte 2: "));
    assert!(refusal(&pdu(b"\xC4\xAF")).starts_with("E_WSP_LENGTH at byte 5: "));
    assert!(refusal(&pdu(b"\xC4\xAF\x02\x07")).starts_with("E_WSP_LENGTH at byte 6: "));
    assert!(refusal(&pdu(b"\xC4\x8Dtext")).starts_with("E_WSP_LENGTH at byte 5: "));
    assert!(refusal(&pdu(b"\xC4\x01\x8D\x81")).starts_with("E_WSP_LENGTH at byte 6: "));
    assert!(refusal(&pdu(b"\x05\xC4")).starts_with("E_WSP_LENGTH at byte 4: "));
    assert!(refusal(&pdu(b"\x02\xB6\x91\x81")).starts_with("E_WSP_LENGTH at byte 6: "));
    for none in [&b""[..], b"\x00", b"text/plain\0", b"\xD8", b"\x02\x81\x81", b"\x05\x04\0\0\0\0"]
    {
        assert!(refusal(&pdu(none)).starts_with("E_WSP_CONTENT_TYPE at byte 3: "), "{none:?}");
    }
}

proptest! {
    #[test]
    fn no_pdu_panics(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Push::read(&octets);
        let _ = Push::read(&[&[1, PUSH], &octets[..]].concat());
        if octets.len() < 0x80 {
            let _ = Push::read(&pdu(&[&[0xC4], &octets[..]].concat()));
        }
        if octets.len() < 0x70 {
            let _ = Push::read(&provisioning(&octets));
        }
    }
}
