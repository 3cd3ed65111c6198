//! The PC/SC transport against a reader. Ignored by default: it needs pcscd and a card that answers
//! SELECT, for example a virtual card in a vpcd reader.
#![cfg(feature = "pcsc")]

use dmsc::card::pcsc::{PcscTransport, list_readers};
use dmsc::card::transport::CardTransport;
use dmsc::error::Code;

const SELECT_MF: [u8; 8] = [0x00, 0xA4, 0x00, 0x04, 0x02, 0x3F, 0x00, 0x00];

#[test]
#[ignore = "needs a reader with a card"]
fn a_card_is_found_locked_shared_and_left_alone() {
    let mut first = PcscTransport::open(None).unwrap();
    assert!(list_readers().unwrap().contains(&first.reader()));
    assert!(first.is_card_present().unwrap());
    assert_ne!(first.atr().unwrap(), []);

    first.lock().unwrap();
    assert!(first.transmit(&SELECT_MF).unwrap().len() >= 2);
    first.unlock();

    // The second user gets its turn after the first one's unlock, and nobody resets the card.
    let mut second = PcscTransport::open(None).unwrap();
    second.lock().unwrap();
    assert!(second.transmit(&SELECT_MF).unwrap().len() >= 2);
    second.unlock();
    drop(second);
    first.lock().unwrap();
    assert!(first.transmit(&SELECT_MF).unwrap().len() >= 2);
    first.unlock();
    assert!(first.transmit(&SELECT_MF).unwrap().len() >= 2);
}

#[test]
#[ignore = "needs a reader with a card"]
fn a_reader_that_is_not_there_has_no_card() {
    let error = PcscTransport::open(Some("no reader has this name")).unwrap_err();
    assert_eq!(error.code(), Code::CardAbsent);
}

#[test]
#[ignore = "needs a reader whose card is taken out while this runs"]
fn a_card_taken_out_is_noticed() {
    let mut transport = PcscTransport::open(None).unwrap();
    transport.lock().unwrap();
    let error = loop {
        if let Err(error) = transport.transmit(&SELECT_MF) {
            break error;
        }
    };
    transport.unlock();
    assert_eq!(error.code(), Code::CardRemoved, "{error}");
    assert!(!transport.is_card_present().unwrap());
    assert_eq!(transport.transmit(&SELECT_MF).unwrap_err().code(), Code::CardAbsent);
}
