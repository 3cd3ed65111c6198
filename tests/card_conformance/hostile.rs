//! Cards that answer anything: every parser and the whole walk come to an end, with bounded
//! traffic, and leave no channel open behind.

use dmsc::card::access::read_need;
use dmsc::card::apdu::Card;
use dmsc::card::fcp::FileHeader;
use dmsc::card::pkcs15::{OID_DM_BOOTSTRAP, Options, read_objects};
use dmsc::card::transport::CardTransport;
use dmsc::card::uicc::{self, CardIdentity, Imsi};
use dmsc::error::{Code, Result};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More than the limits allow: 8,192 commands to one card, and one file of 512 pieces more with every
/// answer fetched in 16 parts.
const MOST_EXCHANGES: usize = 20_000;

/// Plays its answers in a circle.
struct Parrot {
    answers: Vec<Vec<u8>>,
    exchanges: Arc<AtomicUsize>,
}

impl CardTransport for Parrot {
    fn transmit(&mut self, _command: &[u8]) -> Result<Vec<u8>> {
        let at = self.exchanges.fetch_add(1, Ordering::Relaxed);
        assert!(at < MOST_EXCHANGES, "no end");
        Ok(self.answers[at % self.answers.len()].clone())
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// Answers that lead somewhere now and then: a channel, a directory, a header, or rubbish.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![
        4 => Just([0x90, 0x00]),
        1 => any::<u8>().prop_map(|low| [0x61, low]),
        1 => any::<u8>().prop_map(|low| [0x6C, low]),
        1 => prop_oneof![Just([0x6A, 0x82]), Just([0x62, 0x82]), Just([0x6B, 0x00])],
        1 => any::<[u8; 2]>(),
    ];
    let fixed = [
        &[0x01][..],
        &[0xA7, 0x06, 0x30, 0x04, 0x04, 0x02, 0x64, 0x30],
        b"\x30\x14\x30\x00\x30\x06\x06\x04\x67\x2B\x07\x01\xA1\x08\x30\x06\x04\x02\x64\x33\xFF\xFF",
        &[0x62, 0x08, 0x82, 0x02, 0x41, 0x21, 0x80, 0x02, 0x00, 0x20],
        &[0x62, 0x07, 0x82, 0x05, 0x42, 0x21, 0x00, 0x10, 0x02],
    ];
    let data = prop_oneof![
        3 => proptest::sample::select(fixed.map(<[u8]>::to_vec).to_vec()),
        2 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    (data, status).prop_map(|(data, status)| [data, status.to_vec()].concat())
}

/// Every file is as large as can be, and comes in pieces of one octet.
struct Drip {
    exchanges: Arc<AtomicUsize>,
}

impl CardTransport for Drip {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        Ok(match command.get(1) {
            Some(0xB0) => vec![0x42, 0x90, 0x00],
            Some(0x70) => vec![0x01, 0x90, 0x00],
            _ => vec![0x62, 0x08, 0x82, 0x02, 0x41, 0x21, 0x80, 0x02, 0x7F, 0xFF, 0x90, 0x00],
        })
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

#[test]
fn a_card_that_gives_an_octet_at_a_time_is_not_waited_for() {
    let exchanges = Arc::new(AtomicUsize::new(0));
    let mut card = Card::new(Box::new(Drip { exchanges: Arc::clone(&exchanges) }));
    let error = uicc::read_imsi(&mut card).unwrap_err();
    assert_eq!(error.code(), Code::TooLarge, "{error}");
    assert!((512..600).contains(&exchanges.load(Ordering::Relaxed)), "{exchanges:?}");
}

proptest! {
    #[test]
    fn any_card_is_survived(answers in proptest::collection::vec(answer(), 1..24)) {
        let exchanges = Arc::new(AtomicUsize::new(0));
        let parrot = Parrot { answers, exchanges: Arc::clone(&exchanges) };
        let mut card = Card::new(Box::new(parrot));
        let _ = uicc::read_identity(&mut card);
        let _ = read_objects(&mut card, &[OID_DM_BOOTSTRAP], Options::default());
        let _ = uicc::read_imsi(&mut card);
        prop_assert!(exchanges.load(Ordering::Relaxed) > 0);
    }

    #[test]
    fn any_octets_are_survived(octets: Vec<u8>) {
        let _ = FileHeader::from_fcp(&octets);
        let _ = FileHeader::from_gsm(&octets);
        let _ = read_need(&octets);
        let _ = uicc::applications(&octets);
        let _ = CardIdentity::from_ef(&octets);
        let _ = Imsi::from_ef(&octets);
        let _ = Imsi::from_ef_m(&octets);
    }

    #[test]
    fn any_template_is_survived(octets in proptest::collection::vec(any::<u8>(), 0..100)) {
        let template = dmsc::bytes::tlv::encode(0x62, &octets);
        let _ = FileHeader::from_fcp(&template);
        let directory = dmsc::bytes::tlv::encode(0x61, &octets);
        let _ = uicc::applications(&directory);
    }
}
