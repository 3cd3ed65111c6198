//! SC-030 to SC-034: which PIN a file takes, and showing it.

use super::{vector, vector_hex};
use dmsc::bytes::hex;
use dmsc::card::access::{Access, Need, read_need};
use dmsc::card::apdu::{Card, Mode};
use dmsc::card::channel::Channel;
use dmsc::card::fcp::FileHeader;
use dmsc::card::pin::{self, PinEntry, PinState};
use dmsc::card::script::{Play, Script};
use dmsc::error::{Code, Result};
use dmsc::secret::Secret;

const UICC: (&str, &str) = ("00A40004023F0000", "62009000");

fn entry(pin: &str, last_attempt: bool) -> PinEntry {
    PinEntry { pin: Secret::new(pin.as_bytes()), last_attempt }
}

fn on_basic<T>(script: Script, task: impl FnOnce(&mut Channel<'_>) -> T) -> (T, Card, Play) {
    let (mut card, play) = script.card();
    let mut channel = Channel::basic(&mut card).unwrap();
    let result = task(&mut channel);
    drop(channel);
    (result, card, play)
}

fn uicc() -> Script {
    Script::new().on(UICC.0, UICC.1)
}

fn verify(script: Script, entry: &PinEntry) -> (Result<()>, Card, Play) {
    on_basic(script, |channel| pin::verify(channel, 0x01, entry))
}

#[test]
fn sc_031_the_query_costs_no_try() {
    let script = uicc().on(vector_hex("apdu-verify-pin1-query"), "63C3");
    let (state, _, play) = on_basic(script, |channel| pin::state(channel, 0x01).unwrap());
    assert_eq!(state, PinState::Tries(3));
    play.finish().unwrap();
    for (sw, expected) in
        [("9000", PinState::Verified), ("6983", PinState::Blocked), ("6700", PinState::Unknown)]
    {
        let script = uicc().on("00200001", sw);
        let (state, _, _) = on_basic(script, |channel| pin::state(channel, 0x01).unwrap());
        assert_eq!(state, expected);
    }
}

#[test]
fn sc_032_the_last_try_is_for_the_host_to_risk() {
    let (result, _, play) = verify(uicc().on("00200001", "63C1"), &entry("1234", false));
    let error = result.unwrap_err();
    assert_eq!((error.code(), error.card_sw), (Code::CardAccessDenied, 0x63C1));
    play.finish().unwrap();
    let script = uicc().on("00200001", "63C1").on("002000010831323334FFFFFFFF", "9000");
    let (result, _, play) = verify(script, &entry("1234", true));
    result.unwrap();
    play.finish().unwrap();
}

#[test]
fn sc_033_the_pin_is_padded() {
    let script = uicc().on("00200001", "63C3").on(vector_hex("apdu-verify-pin1-1234"), "9000");
    let (result, _, play) = verify(script, &entry("1234", false));
    result.unwrap();
    play.finish().unwrap();
}

#[test]
fn sc_034_a_blocked_pin_is_never_tried_again() {
    let script = uicc().on("00200001", "63C2").on("002000010831323334FFFFFFFF", "6983");
    let (result, mut card, play) = verify(script, &entry("1234", false));
    assert_eq!(result.unwrap_err().card_sw, 0x6983);
    let mut channel = Channel::basic(&mut card).unwrap();
    let error = pin::verify(&mut channel, 0x01, &entry("1234", true)).unwrap_err();
    assert_eq!((error.code(), error.card_sw), (Code::CardAccessDenied, 0x6983));
    assert_eq!(pin::state(&mut channel, 0x01).unwrap(), PinState::Blocked);
    play.finish().unwrap();
}

#[test]
fn a_wrong_pin_is_shown_once_and_not_in_the_error() {
    let script = uicc().on("00200001", "63C3").on("002000010831323334FFFFFFFF", "63C2");
    let (result, _, play) = verify(script, &entry("1234", false));
    let error = result.unwrap_err();
    assert_eq!(error.what(), "PIN 01 is wrong: SW 63C2 (warning: 2 tries left)");
    assert_eq!(error.code(), Code::CardAccessDenied);
    play.finish().unwrap();
    assert!(!format!("{:?}", entry("1234", false)).contains("1234"));
}

#[test]
fn a_verified_pin_is_not_shown_again_and_what_is_no_pin_not_at_all() {
    let (result, _, play) = verify(uicc().on("00200001", "9000"), &entry("1234", false));
    result.unwrap();
    play.finish().unwrap();
    for no_pin in ["", "123", "123456789", "12a4"] {
        let (result, _, play) = verify(uicc(), &entry(no_pin, false));
        assert_eq!(result.unwrap_err().code(), Code::InvalidArg);
        play.finish().unwrap();
    }
}

#[test]
fn a_sim_is_not_asked_before() {
    let script = || Script::new().on("00A40004023F0000", "6E00").on("A0A40000023F00", "9F16");
    let (result, mut card, play) =
        verify(script().on("A02000010831323334FFFFFFFF", "9804"), &entry("1234", false));
    assert_eq!(result.unwrap_err().code(), Code::CardAccessDenied);
    assert_eq!(card.mode().unwrap(), Mode::Gsm);
    play.finish().unwrap();
    let (result, _, play) =
        verify(script().on("A02000010831323334FFFFFFFF", "9840"), &entry("1234", false));
    assert_eq!(result.unwrap_err().what(), "PIN 01 is blocked: SW 9840 (PIN blocked)");
    play.finish().unwrap();
}

#[test]
fn the_read_condition_of_an_expanded_rule() {
    let need = |rule: &str| read_need(&hex::decode(rule).unwrap());
    // READ: PIN1; UPDATE: ADM1.
    assert_eq!(need("800101A406830101950108800102A40683010A950108"), Some(Need::Pin(0x01)));
    assert_eq!(need("800102A40683010A950108800101A406830181950108"), Some(Need::Pin(0x81)));
    assert_eq!(need("8001019000"), Some(Need::Always));
    assert_eq!(need("8001019700"), Some(Need::Never));
    // One of two keys.
    assert_eq!(need("800103A010A406830101950108A40683010A950108FFFF"), Some(Need::Pin(0x01)));
    // A rule for other commands; a rule that ends early.
    assert_eq!(need("800102A40683010A950108"), None);
    assert_eq!(need("8401D4A40683010A9501088001019000"), Some(Need::Always));
    assert_eq!(need("800101"), None);
    assert_eq!(need("800101A4068301"), None);
    assert_eq!(need("FFFFFFFF"), None);
}

#[test]
fn rules_in_the_header() {
    let access = |rule: &str| {
        let rule = hex::decode(rule).unwrap();
        let template = [&[0x62, rule.len() as u8][..], &rule].concat();
        FileHeader::from_fcp(&template).unwrap().access
    };
    assert_eq!(access("8B036F0604"), Access::Reference { fid: 0x6F06, record: 4 });
    assert_eq!(access("8B066F0600020104"), Access::Reference { fid: 0x6F06, record: 2 });
    assert_eq!(access("8B026F06"), Access::Unknown);
    assert_eq!(access("8C020100"), Access::Read(Need::Always));
    assert_eq!(access("8C0303FF00"), Access::Read(Need::Always));
    assert_eq!(access("8C0201FF"), Access::Read(Need::Never));
    assert_eq!(access("8C020110"), Access::Unknown);
    assert_eq!(access("8C020200"), Access::Unknown);
    assert_eq!(access("8C00"), Access::Unknown);
    let mut gsm = vector("gsm-resp-ef-transparent");
    for (nibble, expected) in [
        (0x2F, Access::Read(Need::Pin(2))),
        (0x4F, Access::Unknown),
        (0xFF, Access::Read(Need::Never)),
    ] {
        gsm[8] = nibble;
        assert_eq!(FileHeader::from_gsm(&gsm).unwrap().access, expected);
    }
}
