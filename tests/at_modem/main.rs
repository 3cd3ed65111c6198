//! Cards behind modems: a modem simulated octet by octet, with the simulated card in it (TS 27.007; rows
//! SC-147 and SC-148).

// Clippy takes only functions with #[test] for tests; these are their helpers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod abi;
mod modem;

use dmsc::bytes::hex;
use dmsc::card::apdu::{Card, Mode};
use dmsc::card::at::{AtTransport, Options};
use dmsc::card::pkcs15::{self, Content, OID_DM_BOOTSTRAP, read_objects};
use dmsc::card::transport::{CardTransport, TransportFlags};
use dmsc::card::uicc;
use dmsc::error::{Code, Result};
use modem::{Lapse, Manners, Modem, Refusals};
use std::time::Duration;
use uicc_sim::profile::Profile;

fn vector(name: &str) -> String {
    let rows = include_str!("../data/smartcard-vectors.tsv");
    let row = rows.lines().find(|row| row.split('\t').next() == Some(name)).unwrap();
    let octets = hex::decode(row.split('\t').nth(2).unwrap()).unwrap();
    String::from_utf8(octets).unwrap()
}

fn modem(manners: Manners) -> Modem {
    Modem::new(Profile::demo().build().unwrap(), manners)
}

/// A modem whose card gives data with the answer, as most modems make it look.
fn t1_modem(manners: Manners) -> Modem {
    let mut profile = Profile::demo();
    profile.card.protocol = uicc_sim::card::Protocol::T1;
    Modem::new(profile.build().unwrap(), manners)
}

fn options() -> Options {
    Options { timeout: Duration::from_millis(300), max_le: 128 }
}

fn open(modem: &Modem) -> Result<AtTransport> {
    AtTransport::open(Box::new(modem.clone()), options())
}

/// The bootstrap object and the card's identity, as a client reads them.
fn read(modem: &Modem) -> (Vec<u8>, Mode) {
    let mut card = Card::new(Box::new(open(modem).unwrap()));
    let identity = uicc::read_identity(&mut card).unwrap();
    assert_eq!(identity.iccid(), "8988211000000430010");
    let wanted = pkcs15::Options { confirm_identity: true, ..pkcs15::Options::default() };
    let found = read_objects(&mut card, &[OID_DM_BOOTSTRAP], wanted).unwrap();
    assert_eq!((found.objects.len(), found.faults.len()), (1, 0), "{:?}", found.faults);
    let Content::Octets(octets) = &found.objects[0].content else { panic!("{found:?}") };
    let left_open = modem.with_card(|card| card.open_channels());
    assert_eq!(left_open, [0; 0]);
    (octets.expose().to_vec(), card.mode().unwrap())
}

fn document() -> Vec<u8> {
    Profile::demo().bootstrap_octets().unwrap()
}

#[test]
fn every_way_to_the_card_gives_the_same_document() {
    let ways =
        [(true, true, true), (true, false, false), (false, true, true), (false, false, true)];
    for (channels, generic, restricted) in ways {
        let modem = t1_modem(Manners { channels, generic, restricted, ..Manners::default() });
        assert_eq!(read(&modem), (document(), Mode::Uicc), "{channels} {generic} {restricted}");
        let commands = modem.commands();
        let used =
            |name| commands.iter().any(|line| line.starts_with(name) && !line.ends_with("?"));
        assert_eq!(used("AT+CGLA="), channels);
        // Channel 0 is the modem's own: it is used only where there is no other.
        assert_eq!(used("AT+CSIM="), !channels && generic);
        assert_eq!(used("AT+CRSM="), !channels && !generic);
    }
}

#[test]
fn only_what_is_needed_is_asked_for() {
    let modem = t1_modem(Manners::default());
    drop(open(&modem).unwrap());
    assert_eq!(modem.commands(), ["AT+CCHO=?"]);
    let modem = t1_modem(Manners { channels: false, ..Manners::default() });
    drop(open(&modem).unwrap());
    assert_eq!(modem.commands(), ["AT+CCHO=?", "AT+CSIM=?"]);
}

#[test]
fn sc_147_the_session_number_is_kept_as_it_is() {
    for bare_session in [false, true] {
        let modem = t1_modem(Manners { bare_session, ..Manners::default() });
        let mut transport = open(&modem).unwrap();
        assert_eq!(transport.flags(), TransportFlags::OWNS_CHANNELS);
        modem.forget_commands();
        assert_eq!(transport.open_channel(&pkcs15::AID).unwrap(), 101);
        transport.transmit(&hex::decode("00A40804047FFF503100").unwrap()).unwrap();
        transport.close_channel(101).unwrap();
        let expected =
            [&vector("at-ccho-pkcs15"), "AT+CGLA=101,20,\"00A40804047FFF503100\"", "AT+CCHC=101"];
        assert_eq!(modem.commands(), expected);
    }
}

#[test]
fn sc_148_selecting_by_aid_over_csim() {
    let modem = t1_modem(Manners { channels: false, ..Manners::default() });
    read(&modem);
    assert!(modem.commands().contains(&vector("at-csim-select")), "{:?}", modem.commands());
}

#[test]
fn a_read_in_a_session_is_written_as_the_vector_has_it() {
    let modem = t1_modem(Manners::default());
    let mut transport = open(&modem).unwrap();
    transport.open_channel(&pkcs15::AID).unwrap();
    transport.transmit(&hex::decode("00B0000080").unwrap()).unwrap();
    let expected = vector("at-cgla-read").replace("=1,", "=101,");
    assert_eq!(modem.commands().last().unwrap(), &expected);
}

#[test]
fn the_habits_of_modems_change_nothing() {
    let habits: [fn(&mut Manners); 9] = [
        |manners| manners.echo = true,
        |manners| manners.line_end = "\n",
        |manners| manners.line_end = "\r",
        |manners| manners.talkative = true,
        |manners| manners.bare_session = true,
        |manners| manners.counts_octets = true,
        |manners| manners.piece = 1,
        |manners| manners.fetches = true,
        |manners| manners.refusals = Refusals::Bare,
    ];
    for channels in [true, false] {
        for set in 0..habits.len() + 1 {
            let mut manners = Manners { channels, ..Manners::default() };
            // The last round has them all at once.
            for (at, habit) in habits.iter().enumerate() {
                if at == set || set == habits.len() {
                    habit(&mut manners);
                }
            }
            assert_eq!(read(&t1_modem(manners.clone())).0, document(), "{manners:?}");
        }
    }
}

#[test]
fn a_card_of_t0_behind_a_modem() {
    for channels in [true, false] {
        // With Le behind the data, T=0 answers 6700; a modem drops it.
        let modem = modem(Manners { channels, fetches: true, ..Manners::default() });
        assert_eq!(read(&modem).0, document());
    }
}

#[test]
fn a_modem_without_any_way_says_so() {
    let none = Manners { channels: false, generic: false, restricted: false, ..Manners::default() };
    for refusals in [Refusals::Numbers, Refusals::Texts] {
        let error = open(&t1_modem(Manners { refusals, ..none.clone() })).unwrap_err();
        assert_eq!(error.code(), Code::NotSupported);
    }
    let silent = t1_modem(Manners::default());
    silent.lapse_after(0, Lapse::Silent);
    // One lost answer is no lost modem.
    drop(open(&silent).unwrap());
}

#[test]
fn an_answer_that_does_not_come_is_a_timeout_and_one_that_comes_late_is_nobodys() {
    for lapse in [Lapse::Silent, Lapse::Late] {
        let modem = t1_modem(Manners { channels: false, ..Manners::default() });
        let mut transport = open(&modem).unwrap();
        let status = hex::decode("80F2000C00").unwrap();
        assert_eq!(transport.transmit(&status).unwrap(), [0x90, 0x00]);
        modem.lapse_after(0, lapse);
        let error = transport.transmit(&hex::decode("00A4000C023F00").unwrap()).unwrap_err();
        assert_eq!(error.code(), Code::Timeout, "{error}");
        let read = hex::decode("00B0820000").unwrap();
        let iccid = hex::decode("988812010000400310F09000").unwrap();
        assert_eq!(transport.transmit(&read).unwrap(), iccid, "{lapse:?}");
    }
}

#[test]
fn a_line_that_was_cut_off_is_an_error_and_not_a_short_answer() {
    let modem = t1_modem(Manners { channels: false, longest_line: 100, ..Manners::default() });
    let mut transport = open(&modem).unwrap();
    transport.transmit(&hex::decode("00A4080C022F00").unwrap()).unwrap();
    let error = transport.transmit(&hex::decode("00B2010430").unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::CardTransmit);
    assert!(error.what().contains("digits where 100 are announced"), "{error}");
    // The limit on Le is what keeps lines short.
    let options = Options { max_le: 32, ..options() };
    let transport = AtTransport::open(Box::new(modem), options).unwrap();
    assert_eq!(transport.max_le(), 32);
}

#[test]
fn a_card_that_is_not_there_or_no_longer() {
    for refusals in [Refusals::Numbers, Refusals::Texts] {
        let modem = t1_modem(Manners { channels: false, refusals, ..Manners::default() });
        modem.with_card(|card| card.remove());
        let mut card = Card::new(Box::new(open(&modem).unwrap()));
        assert_eq!(uicc::read_identity(&mut card).unwrap_err().code(), Code::CardAbsent);
        modem.with_card(|card| card.insert());
        card.card_ready();
        uicc::read_identity(&mut card).unwrap();
        modem.with_card(|card| card.remove());
        assert_eq!(uicc::read_identity(&mut card).unwrap_err().code(), Code::CardRemoved);
        let sent = modem.commands().len();
        assert_eq!(uicc::read_identity(&mut card).unwrap_err().code(), Code::CardRemoved);
        assert_eq!(modem.commands().len(), sent, "nothing is sent to a card that is gone");
    }
}

#[test]
fn what_the_modem_says_by_itself_is_no_answer() {
    let modem = t1_modem(Manners { channels: false, ..Manners::default() });
    let mut transport = open(&modem).unwrap();
    modem.say("\r\n+CSQ: 21,99\r\n\r\nRING\r\n\r\nRI");
    assert_eq!(transport.transmit(&hex::decode("80F2000C00").unwrap()).unwrap(), [0x90, 0x00]);
}

#[test]
fn a_cancel_ends_a_command_and_the_next_one_works() {
    let modem = t1_modem(Manners { channels: false, ..Manners::default() });
    let options = Options { timeout: Duration::from_secs(3600), ..options() };
    let mut transport = AtTransport::open(Box::new(modem.clone()), options).unwrap();
    let cancel = transport.canceller().unwrap();
    modem.lapse_after(0, Lapse::Late);
    let status = hex::decode("80F2000C00").unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| transport.transmit(&status).unwrap_err().code());
        while !waiting.is_finished() {
            cancel();
            std::thread::yield_now();
        }
        assert_eq!(waiting.join().unwrap(), Code::Cancelled);
    });
    assert_eq!(transport.transmit(&status).unwrap(), [0x90, 0x00]);
}

#[test]
fn a_modem_that_does_not_stop_is_not_listened_to_for_ever() {
    struct Babble;
    impl dmsc::card::at::AtPort for Babble {
        fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<usize> {
            buffer.fill(b'x');
            Ok(buffer.len())
        }
        fn write(&mut self, _: &[u8]) -> Result<()> {
            Ok(())
        }
    }
    let error = AtTransport::open(Box::new(Babble), options()).unwrap_err();
    assert_eq!(error.code(), Code::CardTransmit);
}
