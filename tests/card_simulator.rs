//! The card side against the simulated card, an implementation that shares no code with it: every
//! combination of protocol, layout and quirk that the simulated card knows.

// Clippy takes only functions with #[test] for tests; these are their helpers.
#![allow(clippy::unwrap_used, clippy::panic)]

use dmsc::card::apdu::{Card, Mode};
use dmsc::card::pin::PinEntry;
use dmsc::card::pkcs15::{
    Content, Found, OID_CP_BOOTSTRAP, OID_CP_CONFIG1, OID_CP_CONFIG2, OID_DM_BOOTSTRAP, Options,
    PinRequest, read_known, read_objects,
};
use dmsc::card::transport::CardTransport;
use dmsc::card::uicc;
use dmsc::error::{Code, Error, Result};
use dmsc::secret::Secret;
use std::sync::{Arc, Mutex};
use uicc_sim::application::{Application, Finding, HttpOutput};
use uicc_sim::card::{
    BootstrapFault, Card as Simulated, CardConfig, DodfFault, DodfForm, Faults, Protocol,
};

const WANTED: [dmsc::card::pkcs15::ObjectIdentifier; 4] =
    [OID_DM_BOOTSTRAP, OID_CP_BOOTSTRAP, OID_CP_CONFIG1, OID_CP_CONFIG2];

/// No DM server: these tests only read files.
struct Nothing;

impl Application for Nothing {
    fn http_received(&mut self, _octets: &[u8]) -> HttpOutput {
        HttpOutput::default()
    }
    fn http_closed(&mut self) {}
    fn notification(&mut self) -> Vec<u8> {
        Vec::new()
    }
    fn reset(&mut self) {}
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
    fn good_sessions(&self) -> u32 {
        0
    }
    fn bad_sessions(&self) -> u32 {
        0
    }
}

/// The simulated card as a reader would show it: a T=0 reader drops the Le of case 4.
struct Reader {
    card: Arc<Mutex<Simulated>>,
    protocol: Protocol,
}

impl CardTransport for Reader {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let case_4 = command.len() > 5 && command.len() == 6 + usize::from(command[4]);
        let octets = command.len() - usize::from(case_4 && self.protocol == Protocol::T0);
        let answer = self.card.lock().unwrap().transmit(&command[..octets]);
        answer.map_err(|_| Error::new(Code::CardRemoved, "the simulated card is gone"))
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.card.lock().unwrap().atr().to_vec())
    }
}

fn card(config: CardConfig, bootstrap: &[u8]) -> (Card, Arc<Mutex<Simulated>>) {
    let protocol = config.protocol;
    let simulated = Simulated::new(config, bootstrap.to_vec(), Box::new(Nothing));
    let simulated = Arc::new(Mutex::new(simulated));
    let reader = Reader { card: Arc::clone(&simulated), protocol };
    (Card::new(Box::new(reader)), simulated)
}

/// Reads all wanted objects; no channel may stay open. Returns also the number of exchanges.
fn read(config: CardConfig, bootstrap: &[u8]) -> (Found, u64) {
    read_with(config, bootstrap, Options::default())
}

fn read_with(config: CardConfig, bootstrap: &[u8], options: Options<'_>) -> (Found, u64) {
    let (mut card, simulated) = card(config, bootstrap);
    let found = read_objects(&mut card, &WANTED, options).unwrap();
    let simulated = simulated.lock().unwrap();
    assert_eq!(simulated.open_channels(), [0; 0]);
    (found, simulated.apdus())
}

fn octets(found: &Found, index: usize) -> &[u8] {
    match &found.objects[index].content {
        Content::Octets(octets) => octets.expose(),
        other => panic!("{other:?}"),
    }
}

fn document(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 + 1).collect()
}

#[test]
fn every_layout_gives_the_same_document() {
    for protocol in [Protocol::T0, Protocol::T1] {
        for dodf_form in [DodfForm::Opaque, DodfForm::OidDo, DodfForm::OidDoNested] {
            for switches in 0..64u8 {
                let switch = |bit: u8| switches & (1 << bit) != 0;
                let config = CardConfig {
                    protocol,
                    dodf_form,
                    path_length: switch(0),
                    absolute_path: switch(1),
                    pkcs15_by_aid: switch(2),
                    ef_dir_path: switch(3),
                    token_info: switch(4),
                    logical_channels: if switch(5) { 3 } else { 0 },
                    ..CardConfig::default()
                };
                for length in [1, 255, 256, 257, 600] {
                    let document = document(length);
                    let (found, _) = read(config.clone(), &document);
                    assert_eq!(octets(&found, 0), document, "{config:?}");
                    assert_eq!((found.objects.len(), found.faults.len()), (1, 0));
                }
            }
        }
    }
}

#[test]
fn sc_071_exchanges_for_one_object_by_aid() {
    let exchanges = |protocol, length| {
        let config = CardConfig { protocol, padding: 0, ..CardConfig::default() };
        read(config, &document(length)).1
    };
    assert_eq!(exchanges(Protocol::T1, 200), 8 + 1);
    assert_eq!(exchanges(Protocol::T1, 600), 8 + 3);
    assert_eq!(exchanges(Protocol::T0, 200), 12 + 1);
    assert_eq!(exchanges(Protocol::T0, 600), 12 + 3);
}

#[test]
fn a_file_of_1024_octets_takes_eleven_exchanges_cold_and_eight_warm() {
    for (short_ids, cold) in [(true, 11), (false, 12)] {
        let config =
            CardConfig { protocol: Protocol::T1, padding: 0, short_ids, ..CardConfig::default() };
        let (found, exchanges) = read(config.clone(), &document(1024));
        assert_eq!((octets(&found, 0), exchanges), (&document(1024)[..], cold));
        let (mut card, simulated) = card(config, &document(1024));
        let path = found.objects[0].path.as_str();
        let (contents, _) = read_known(&mut card, &[path]).unwrap().unwrap();
        assert_eq!(contents[0].expose(), document(1024));
        // Two of them confirm the card's identity.
        assert_eq!(simulated.lock().unwrap().apdus(), 8 + 2);
        assert_eq!(read_known(&mut card, &["6499"]).unwrap(), None);
    }
}

#[test]
fn a_sim_of_gsm_11_11_is_read_by_its_directories() {
    for (path_length, ef_dir_path, length) in
        [(true, true, 600), (false, true, 255), (true, false, 256), (false, false, 1)]
    {
        let config = CardConfig {
            gsm: true,
            protocol: Protocol::T0,
            path_length,
            ef_dir_path,
            ..CardConfig::default()
        };
        let (iccid, imsi) = (config.iccid.clone(), config.imsi.clone());
        let (mut card, simulated) = card(config, &document(length));
        let found = read_objects(&mut card, &WANTED, Options::default()).unwrap();
        assert_eq!(octets(&found, 0), document(length));
        assert_eq!(card.known_mode(), Some(Mode::Gsm));
        assert_eq!(uicc::read_identity(&mut card).unwrap().iccid(), iccid);
        assert_eq!(uicc::read_imsi(&mut card).unwrap().digits(), imsi);
        assert_eq!(simulated.lock().unwrap().open_channels(), [0; 0]);
    }
    let pin = CardConfig {
        gsm: true,
        protocol: Protocol::T0,
        pin1: Some("1234".into()),
        bootstrap_private: true,
        ..CardConfig::default()
    };
    let (found, _) = read(pin, &document(300));
    assert_eq!(found.objects[0].content, Content::Locked { reference: Some(1) });
}

#[test]
fn faults_of_length_do_not_deceive() {
    let faults = |faults| CardConfig { faults, path_length: false, ..CardConfig::default() };
    let config = faults(Faults { size_doubled: true, ..Faults::default() });
    assert_eq!(octets(&read(config, &document(300)).0, 0), document(300));
    let (mut stubborn, simulated) =
        card(faults(Faults { refuse_le: true, ..Faults::default() }), &document(300));
    let error = read_objects(&mut stubborn, &WANTED, Options::default()).unwrap_err();
    assert_eq!((error.code(), error.card_sw >> 8), (Code::CardSw, 0x6C));
    assert_eq!(simulated.lock().unwrap().open_channels(), [0; 0]);
    let mute = faults(Faults { mute_at: Some(4), ..Faults::default() });
    let (mut mute, _) = card(mute, &document(300));
    let error = read_objects(&mut mute, &WANTED, Options::default()).unwrap_err();
    assert_eq!(error.code(), Code::CardTransmit);
}

#[test]
fn a_short_identifier_that_means_another_file_is_not_believed() {
    // The DODF's low bits are those of the ODF.
    for dodf_fid in [0x6411, 0x6400, 0x641F, 0x6433 - 0x20] {
        for protocol in [Protocol::T0, Protocol::T1] {
            let short_ids = true;
            let config = CardConfig { protocol, dodf_fid, short_ids, ..CardConfig::default() };
            let (found, _) = read(config, &document(300));
            assert_eq!(octets(&found, 0), document(300), "{dodf_fid:04X}");
            assert_eq!((found.objects.len(), found.faults.len()), (1, 0));
        }
    }
}

#[test]
fn sc_073_confirming_the_identity_costs_two_exchanges() {
    for (protocol, least) in [(Protocol::T1, 8 + 3), (Protocol::T0, 12 + 3)] {
        let config = CardConfig { protocol, padding: 0, ..CardConfig::default() };
        let iccid = config.iccid.clone();
        let options = Options { confirm_identity: true, ..Options::default() };
        let (found, exchanges) = read_with(config, &document(600), options);
        assert_eq!(found.identity.unwrap().iccid(), iccid);
        assert_eq!(exchanges, least + 2);
    }
}

#[test]
fn sc_074_the_provisioning_documents_come_too() {
    let config = CardConfig {
        cp_bootstrap: vec![0x03, 0x0B, 0x6A, 0x01],
        cp_config1: vec![0x03, 0x0B, 0x6A, 0x02],
        cp_config2: vec![0x03, 0x0B, 0x6A, 0x03],
        ..CardConfig::default()
    };
    let (found, _) = read(config, &document(10));
    let oids: Vec<_> = found.objects.iter().map(|object| object.oid).collect();
    assert_eq!(oids, WANTED);
    assert_eq!(octets(&found, 3), [0x03, 0x0B, 0x6A, 0x03]);
}

#[test]
fn sc_037_the_subscriber_of_a_csim_and_of_an_r_uim() {
    for (gsm, protocol) in [(false, Protocol::T0), (false, Protocol::T1), (true, Protocol::T0)] {
        for imsi in ["466050081062861", "310001234567890", "000000000000000", "999999999999999"] {
            let imsi = imsi.to_owned();
            let config = CardConfig { cdma: true, gsm, protocol, imsi, ..CardConfig::default() };
            let expected = config.imsi.clone();
            let (mut card, simulated) = card(config, &document(300));
            assert_eq!(uicc::read_imsi(&mut card).unwrap().digits(), expected);
            let found = read_objects(&mut card, &WANTED, Options::default()).unwrap();
            assert_eq!(octets(&found, 0), document(300));
            assert_eq!(simulated.lock().unwrap().open_channels(), [0; 0]);
        }
    }
}

#[test]
fn the_identity_and_the_subscriber() {
    for protocol in [Protocol::T0, Protocol::T1] {
        for logical_channels in [0, 3] {
            let config = CardConfig { protocol, logical_channels, ..CardConfig::default() };
            let (mut card, simulated) = card(config, &[]);
            let identity = uicc::read_identity(&mut card).unwrap();
            assert_eq!(identity.iccid(), "8988211000000430010");
            if logical_channels > 0 {
                assert_eq!(uicc::read_imsi(&mut card).unwrap().digits(), "262011106487504");
            }
            assert_eq!(simulated.lock().unwrap().open_channels(), [0; 0]);
        }
    }
}

fn private() -> CardConfig {
    CardConfig { pin1: Some("1234".into()), bootstrap_private: true, ..CardConfig::default() }
}

#[test]
fn sc_051_a_private_object_is_locked_without_pin() {
    let (found, _) = read(private(), &document(100));
    assert_eq!(found.objects[0].content, Content::Locked { reference: Some(1) });
}

#[test]
fn sc_030_a_private_object_opens_with_the_pin_of_the_host() {
    let (mut card, _simulated) = card(private(), &document(100));
    let mut prompt = |request: &PinRequest| {
        assert_eq!(*request, PinRequest { reference: 1, tries: Some(3) });
        Some(PinEntry { pin: Secret::new(*b"1234"), last_attempt: false })
    };
    let options = Options { pin: Some(&mut prompt), ..Options::default() };
    let found = read_objects(&mut card, &WANTED, options).unwrap();
    assert_eq!(octets(&found, 0), document(100));
}

#[test]
fn sc_072_a_card_taken_out_at_any_moment_is_left_alone() {
    let config = |after| {
        let mut config = CardConfig::default();
        config.faults.remove_after_apdus = after;
        config
    };
    let (_, exchanges) = read(config(None), &document(600));
    for after in 0..exchanges - 1 {
        let (mut card, simulated) = card(config(u32::try_from(after).ok()), &document(600));
        let error = read_objects(&mut card, &WANTED, Options::default()).unwrap_err();
        assert_eq!(error.code(), Code::CardRemoved);
        assert_eq!(simulated.lock().unwrap().apdus(), after);
    }
}

#[test]
fn an_answer_cut_short_at_any_moment_leaves_no_channel_open() {
    for at in 1..=11 {
        let mut config = CardConfig::default();
        config.faults.short_answer_at = Some(at);
        let (mut card, simulated) = card(config, &document(600));
        let result = read_objects(&mut card, &WANTED, Options::default());
        // The last one answers the close, when everything has been read.
        assert_eq!(result.is_ok(), at == 11, "{at}: {result:?}");
        // The number of a channel whose opening was cut short is not known to anybody.
        let open: &[u8] = if at == 1 { &[1] } else { &[] };
        assert_eq!(simulated.lock().unwrap().open_channels(), open, "{at}");
    }
}

#[test]
fn sc_044_no_pkcs15_or_no_odf_is_no_error() {
    let mut config = CardConfig::default();
    config.faults.no_pkcs15 = true;
    assert_eq!(read(config, &document(10)).0, Found::default());
}

#[test]
fn faults_of_one_file_are_told_of_that_file() {
    let with = |set: fn(&mut CardConfig)| {
        let mut config = CardConfig { path_length: false, ..CardConfig::default() };
        set(&mut config);
        read(config, &document(100)).0
    };
    let empty = with(|config| config.faults.bootstrap = Some(BootstrapFault::Empty));
    assert_eq!(empty.objects[0].content, Content::Empty);
    let erased = with(|config| config.faults.bootstrap = Some(BootstrapFault::Ff));
    assert_eq!(erased.objects[0].content, Content::Empty);
    let long = with(|config| config.faults.bootstrap = Some(BootstrapFault::Long));
    let content = &long.objects[0].content;
    assert!(matches!(content, Content::Unreadable(error) if error.code() == Code::TooLarge));
    let broken = with(|config| config.faults.dodf = Some(DodfFault::Broken));
    assert_eq!((broken.present, broken.objects.len(), broken.faults.len()), (true, 0, 1));
    assert_eq!(with(|config| config.faults.odf_missing = true), Found::default());
}
