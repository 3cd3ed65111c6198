//! The PC/SC transport itself: locking, sharing, and what it says when the card is gone.

use crate::support::daemon::{READERS, with_pcscd};
use crate::support::inserted::{Inserted, card, demo};
use dmsc::card::pcsc::{PcscTransport, list_readers};
use dmsc::card::transport::CardTransport;
use dmsc::error::Code;
use uicc_sim::card::Protocol;

const SELECT_MF: [u8; 8] = [0x00, 0xA4, 0x00, 0x04, 0x02, 0x3F, 0x00, 0x00];

/// The transport drops Le of case 4 where the protocol is T=0, and only there.
fn selects(transport: &mut PcscTransport, protocol: Protocol) {
    let answer = transport.transmit(&SELECT_MF).unwrap();
    match protocol {
        Protocol::T0 => assert_eq!((answer.len(), answer[0]), (2, 0x61)),
        Protocol::T1 => {
            assert_eq!((answer[0], &answer[answer.len() - 2..]), (0x62, &[0x90, 0][..]))
        }
    }
}

fn shared_and_left_alone(protocol: Protocol) {
    let inserted = Inserted::new(0, card(demo(protocol)).0);
    let mut first = PcscTransport::open(None).unwrap();
    assert_eq!(first.reader(), READERS[0]);
    assert!(list_readers().unwrap().contains(&first.reader()));
    assert!(first.is_card_present().unwrap());

    first.lock().unwrap();
    selects(&mut first, protocol);
    first.unlock();

    // What a reset would undo.
    assert_eq!(first.transmit(&[0x00, 0x70, 0x00, 0x00, 0x01]).unwrap(), [0x01, 0x90, 0x00]);

    // The second user gets its turn after the first one's unlock, and nobody resets the card.
    let mut second = PcscTransport::open(None).unwrap();
    second.lock().unwrap();
    selects(&mut second, protocol);
    second.unlock();
    drop(second);
    first.lock().unwrap();
    selects(&mut first, protocol);
    first.unlock();
    selects(&mut first, protocol);

    let atr = first.atr().unwrap();
    drop(first);
    assert_eq!(PcscTransport::open(Some(READERS[0])).unwrap().atr().unwrap(), atr);
    let card = inserted.pull();
    assert_eq!(card.atr(), atr);
}

#[test]
fn a_t0_card_is_found_locked_shared_and_left_alone() {
    with_pcscd(|_pcscd| shared_and_left_alone(Protocol::T0));
}

#[test]
fn a_t1_card_is_found_locked_shared_and_left_alone() {
    with_pcscd(|_pcscd| shared_and_left_alone(Protocol::T1));
}

#[test]
fn sc_072_a_locked_card_taken_out_is_noticed() {
    with_pcscd(|_pcscd| {
        let inserted = Inserted::new(0, card(demo(Protocol::T0)).0);
        let mut transport = PcscTransport::open(None).unwrap();
        transport.lock().unwrap();
        transport.transmit(&SELECT_MF).unwrap();
        inserted.puller()();
        let error = transport.transmit(&SELECT_MF).unwrap_err();
        transport.unlock();
        assert_eq!(error.code(), Code::CardRemoved, "{error}");
        assert!(!transport.is_card_present().unwrap());
        assert_eq!(transport.transmit(&SELECT_MF).unwrap_err().code(), Code::CardAbsent);

        let inserted = Inserted::new(0, inserted.pull());
        selects(&mut transport, Protocol::T0);
        inserted.pull();
    });
}
