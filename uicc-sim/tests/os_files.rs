//! The card's files as a terminal reads them, octet by octet.

#![allow(clippy::unwrap_used)]

mod os_support;

use os_support::{bootstrap, card, script, send, vector, vector_text};
use uicc_sim::card::{
    BootstrapFault, Card, CardConfig, DodfFault, DodfForm, Faults, Gone, Protocol,
};
use uicc_sim::hex;

fn t1() -> Card {
    card(CardConfig::default()).0
}

fn t0() -> Card {
    card(CardConfig { protocol: Protocol::T0, ..CardConfig::default() }).0
}

fn with(edit: impl FnOnce(&mut CardConfig)) -> Card {
    let mut config = CardConfig::default();
    edit(&mut config);
    card(config).0
}

fn with_faults(faults: Faults) -> Card {
    with(|config| config.faults = faults)
}

const ADF: &str =
    "62278202782183027F50840CA000000063504B43532D31358A01058C0100C609900140830101 83010A";
const ODF: &str = "6223820241218302 50318A0105AB108001019000800102A40683010A9501088002 0018 8800";
const DODF: &str = "6223820241218302 64308A0105AB108001019000800102A40683010A9501088002 0039 8800";
const BOOTSTRAP: &str =
    "6223820241218302 64338A0105AB108001019000800102A40683010A9501088002 013C 8800";
const MF_HEADER: &str =
    "62248202782183023F00A50980017183040003A7388A01058C0100C60990014083010183010A";
const PADDING: &str = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";

#[test]
fn sc_071_pkcs15_by_aid_on_t1() {
    let mut card = t1();
    let document = bootstrap(300);
    script(
        &mut card,
        &[
            ("0070000001", &vector_text("apdu-mng-chan-open-rsp")),
            (&vector_text("apdu-select-pkcs15"), &format!("{ADF}9000")),
            (&vector_text("apdu-select-odf-path"), &format!("{ODF}9000")),
            ("01B0000018", &format!("{}{PADDING}9000", vector_text("odf-dodf-6430"))),
            ("01A40804047FFF643000", &format!("{DODF}9000")),
            ("01B0000000", &format!("{}{PADDING}9000", vector_text("dodf-dm-opaque-len"))),
            ("01A40804047FFF643300", &format!("{BOOTSTRAP}9000")),
            ("01B0000000", &format!("{}9000", hex::encode(&document[..256]))),
            ("01B001003C", &format!("{}{PADDING}9000", hex::encode(&document[256..]))),
            (&vector_text("apdu-mng-chan-close"), "9000"),
        ],
    );
    assert_eq!(card.apdus(), 10, "one more than for a file that fits one READ BINARY");
    assert!(card.open_channels().is_empty());
}

#[test]
fn sc_002_pkcs15_by_aid_on_t0() {
    let mut card = t0();
    let document = bootstrap(300);
    script(
        &mut card,
        &[
            ("0070000000", "6C01"),
            ("0070000001", "019000"),
            (&vector_text("apdu-select-pkcs15"), "6129"),
            ("01C0000029", &format!("{ADF}9000")),
            ("01A40804047FFF5031", "6125"),
            ("01C0000025", &format!("{ODF}9000")),
            ("01B0000000", "6C18"),
            ("01B0000018", &format!("{}{PADDING}9000", vector_text("odf-dodf-6430"))),
            ("01A40804047FFF6430", "6125"),
            ("01C0000000", "6C25"),
            ("01C0000010", &format!("{}6115", &DODF.replace(' ', "")[..32])),
            ("01C0000015", &format!("{}9000", &DODF.replace(' ', "")[32..])),
            ("01C0000000", "6985"),
            ("01B0000039", &format!("{}{PADDING}9000", vector_text("dodf-dm-opaque-len"))),
            ("01A4080C047FFF6433", "9000"),
            ("01B0000000", &format!("{}9000", hex::encode(&document[..256]))),
            ("01B0010000", "6C3C"),
            ("01B001003C", &format!("{}{PADDING}9000", hex::encode(&document[256..]))),
            ("01708001", "9000"),
        ],
    );
}

#[test]
fn data_not_fetched_are_lost_with_the_next_command_on_that_channel_only() {
    let mut card = t0();
    script(
        &mut card,
        &[
            ("0070000001", "019000"),
            ("01A40004023F00", "6126"),
            ("00A40004023F00", "6126"),
            ("80F2000C00", "9000"),
            ("00C0000026", "6985"),
            ("01C0000026", &format!("{}9000", MF_HEADER)),
        ],
    );
}

#[test]
fn sc_040_to_043_pkcs15_by_ef_dir() {
    let mut card = with(|config| config.pkcs15_by_aid = false);
    let own = format!("{}{}9000", vector_text("efdir-pkcs15-own"), "FF".repeat(48 - 26));
    script(
        &mut card,
        &[
            ("0070000001", "019000"),
            (&vector_text("apdu-select-pkcs15"), "6A82"),
            ("01708001", "9000"),
            ("00A4000C022F00", "9000"),
            (
                "00B2010430",
                &format!(
                    "61194F10A0000000871002FFFFFFFF890709000050055553696D31{}9000",
                    "FF".repeat(21)
                ),
            ),
            ("00B2020430", &own),
            ("00B2030430", "6A83"),
            ("00A40804047F50503100", &format!("{ODF}9000")),
            ("00A4080C047F506433", "9000"),
        ],
    );
}

#[test]
fn ef_dir_has_no_path_if_so_configured_and_no_record_without_pkcs15() {
    let mut card = with(|config| config.ef_dir_path = false);
    let record = send(&mut card, "00A4000C022F00") + &send(&mut card, "00B2020430");
    assert!(record.starts_with("900061124F0CA000000063504B43532D31355002444DFFFF"), "{record}");
    let mut card = with_faults(Faults { no_pkcs15: true, ..Faults::default() });
    script(
        &mut card,
        &[
            ("00A4000C022F00", "9000"),
            ("00B2020430", "6A83"),
            ("00A404040CA000000063504B43532D313500", "6A82"),
            ("00A4000C027F50", "6A82"),
        ],
    );
}

#[test]
fn sc_036_sc_037_identities() {
    let mut card = t1();
    let iccid = format!("{}9000", vector_text("ef-iccid"));
    // Without header, so that T=1 has nothing to return.
    let select_usim = vector_text("apdu-select-usim").replace("00A40404", "00A4040C");
    script(
        &mut card,
        &[
            (&vector_text("apdu-readbin-sfi"), &iccid),
            ("00A4080C022FE2", "9000"),
            ("00B000000A", &iccid),
            (&select_usim, "9000"),
            ("00A4080C047FFF6F07", "9000"),
            ("00B0000009", &format!("{}9000", vector_text("ef-imsi-2"))),
            ("00B0870000", &format!("{}9000", vector_text("ef-imsi-2"))),
        ],
    );
}

#[test]
fn sc_030_to_034_pin1_guards_what_the_header_says() {
    let mut card = with(|config| {
        config.pin1 = Some("1234".into());
        config.bootstrap_private = true;
    });
    let guarded = "AB168001 01A406830101950108 800102A40683010A950108".replace(' ', "");
    let header = send(&mut card, "00A40804047F50643300");
    assert!(header.contains(&guarded), "{header}");
    script(
        &mut card,
        &[
            ("00B0000010", "6982"),
            (&vector_text("apdu-verify-pin1-query"), "63C3"),
            ("0020000108FFFFFFFFFFFFFFFF", "63C2"),
            (&vector_text("apdu-verify-pin1-1234"), "9000"),
            (&vector_text("apdu-verify-pin1-query"), "9000"),
        ],
    );
    assert!(send(&mut card, "00B0000010").ends_with("9000"));
    card.reset();
    script(&mut card, &[("00A4080C047F506433", "9000"), ("00B0000010", "6982")]);
}

#[test]
fn select_takes_every_form_of_ts_102_221() {
    let mut card = t1();
    let fci = format!("6F{}9000", &ODF[2..]);
    let mf = format!("{}9000", MF_HEADER);
    script(
        &mut card,
        &[
            (&vector_text("apdu-select-mf-3g"), &mf),
            ("00A4000400", &mf),
            ("00A4000C027F50", "9000"),
            ("00A40100025031", "6A82"),
            ("00A4000C025031", "9000"),
            ("00A4030C", "9000"),
            ("00A4010C027F50", "9000"),
            ("00A4090C025031", "9000"),
            ("00A40800047F50503100", &fci),
            // Without Le there is no data on T=1.
            ("00A40800047F505031", "9000"),
            ("00A4080C047FFF5031", "6A82"),
            ("00A4040C07A000000063504B", "9000"),
            ("00A4080C047FFF5031", "9000"),
            ("00A4040D07A000000063504B", "9000"),
            ("00A4040E07A000000063504B", "6A82"),
            ("80F2000100", "840CA000000063504B43532D31359000"),
            ("00A404440CA000000063504B43532D3135", "9000"),
            ("80F2000100", "6A88"),
            ("80F2000000", &mf),
            ("80F2000C00", "9000"),
            (&vector_text("apdu-status-app-init"), "9000"),
        ],
    );
}

#[test]
fn wrong_commands_get_the_right_status_word() {
    let mut card = t1();
    script(
        &mut card,
        &[
            ("00B0000001", "6986"),
            ("00B2010430", "6986"),
            ("00D600000100", "6986"),
            ("00A4000C021234", "6A82"),
            ("00A4000C023F", "6700"),
            ("00A4000C0112", "6A87"),
            ("00A4000C033F0000", "6A87"),
            ("00A4040C04A0000000", "6A87"),
            ("00A4020C023F00", "6A86"),
            ("00A40008023F00", "6A86"),
            ("00A4008C023F00", "6A86"),
            ("00A4000D023F00", "6A86"),
            ("00A4030C", "6A82"),
            ("00A4000C022FE2", "9000"),
            ("00B2010430", "6981"),
            ("00B0000A01", "6B00"),
            ("00B07FFF01", "6B00"),
            ("00B00008FF", "10F06282"),
            ("00B00000", "6700"),
            ("00B0C20000", "6A86"),
            ("00B0830000", "6A82"),
            ("00D600000100", "6982"),
            ("00A4000C022F00", "9000"),
            ("00B0000001", "6981"),
            ("00B201042F", "6C30"),
            ("00B2010130", "6A86"),
            ("00B2010230", "6A86"),
            ("00B2000430", "6A83"),
            ("00DC01040100", "6982"),
            ("80F2030C00", "6A86"),
            ("80F2000300", "6A86"),
            ("0084000008", "6D00"),
            ("00F2000C00", "6E00"),
            ("80A4000C023F00", "6E00"),
            ("A0A40000023F00", "6E00"),
            ("20B0000001", "6E00"),
            ("04B0000001", "6882"),
            ("01B0000001", "6881"),
            ("8112000001", "6881"),
            ("00B000000001", "6700"),
            ("00B0", "6700"),
            ("", "6700"),
        ],
    );
}

#[test]
fn records_are_read_forwards_and_backwards() {
    let mut card = t1();
    assert_eq!(send(&mut card, "00A4000C022F00"), "9000");
    let first = send(&mut card, "00B2010430");
    let second = send(&mut card, "00B2020430");
    assert_ne!(first, second);
    script(
        &mut card,
        &[
            ("00B2000330", &second),
            ("00B2000330", &first),
            ("00B2000330", "6A83"),
            ("00B2000430", &first),
            ("00B2000230", &second),
            ("00B2000230", "6A83"),
            // SFI 1E selects the file anew only when another one is current.
            ("00B201F430", &first),
        ],
    );
    let mut card = t0();
    script(
        &mut card,
        &[
            ("00A4000C022F00", "9000"),
            // The wrong length does not move the pointer.
            ("00B2000200", "6C30"),
            ("00B2000230", &first),
            ("00B2000230", &second),
        ],
    );
}

#[test]
fn sc_011_sc_012_logical_channels_are_apart() {
    let mut card = t1();
    script(
        &mut card,
        &[
            ("0070000001", "019000"),
            ("01A4040C0CA000000063504B43532D3135", "9000"),
            ("01A4000C025031", "9000"),
            // Opened from channel 1: its file is current here too.
            ("0170000001", "029000"),
            ("02B0000008", &format!("{}9000", vector_text("odf-dodf-6430"))),
            ("0070000000", "039000"),
            ("03B0000008", "6986"),
            ("0070000001", "6A81"),
            ("0270800300", "6985"),
            ("0070800300", "9000"),
            ("03B0000008", "6881"),
            ("00708003", "6881"),
            ("00708000", "6A86"),
            ("0070000101", "6A86"),
            ("02708002", "9000"),
        ],
    );
    assert_eq!(card.open_channels(), [1]);
    card.reset();
    assert!(card.open_channels().is_empty());
}

#[test]
fn channels_above_3_need_terminal_capability() {
    let mut card = with(|config| config.logical_channels = 19);
    for number in 1..=3 {
        assert_eq!(send(&mut card, "0070000001"), format!("{number:02X}9000"));
    }
    script(
        &mut card,
        &[
            ("0070000001", "6A81"),
            ("80AA000003A90181", "6A80"),
            ("80AA000004A8028100", "6A80"),
            ("80AA000004A9028100", "9000"),
        ],
    );
    for number in 4..=19 {
        assert_eq!(send(&mut card, "0070000001"), format!("{number:02X}9000"));
    }
    script(
        &mut card,
        &[("0070000001", "6A81"), ("4FA4000C027F50", "9000"), ("CFF2000C00", "9000")],
    );
    let mut card = with(|config| config.logical_channels = 0);
    assert_eq!(send(&mut card, "0070000001"), "6881");
}

#[test]
fn dodf_forms_and_paths() {
    let read = |edit: fn(&mut CardConfig)| {
        let mut card = with(edit);
        assert_eq!(send(&mut card, "00A4080C047F506430"), "9000");
        send(&mut card, "00B0000000")
    };
    let plain = |config: &mut CardConfig, form| {
        config.dodf_form = form;
        config.path_length = false;
        config.padding = 0;
    };
    assert_eq!(
        hex::decode(&read(|c| c.padding = 0)).unwrap(),
        [vector("dodf-dm-opaque-len"), vec![0x90, 0x00]].concat()
    );
    let mut config = CardConfig::default();
    for (form, name) in
        [(DodfForm::OidDo, "dodf-dm-oiddo"), (DodfForm::OidDoNested, "dodf-dm-oiddo-nested")]
    {
        plain(&mut config, form);
        let mut card = card(config.clone()).0;
        assert_eq!(send(&mut card, "00A4080C047F506430"), "9000");
        assert_eq!(send(&mut card, "00B0000000"), vector_text(name) + "9000");
    }
}

#[test]
fn sc_074_provisioning_documents_have_their_own_dodf() {
    let mut card = with(|config| {
        config.cp_bootstrap = vec![0x03, 0x0B, 0x6A, 0x00];
        config.cp_config1 = vec![0x03, 0x0B, 0x6A, 0x01];
        config.cp_config2 = vec![0x03, 0x0B, 0x6A, 0x02];
        config.padding = 2;
    });
    script(
        &mut card,
        &[
            ("00A4080C047F505031", "9000"),
            ("00B0000000", "A706300404026430A706300404026440FFFF9000"),
            ("00A4080C047F506440", "9000"),
            ("00B0000000", &format!("{}9000", vector_text("dodf-prov-three"))),
            ("00A4080C047F504F03", "9000"),
            ("00B0000000", "030B6A02FFFF9000"),
        ],
    );
}

#[test]
fn faults_of_files() {
    let mut card = with_faults(Faults { odf_missing: true, ..Faults::default() });
    script(&mut card, &[("00A4080C047F505031", "6A82"), ("00A4080C047F506430", "9000")]);

    let broken = Faults { dodf: Some(DodfFault::Broken), ..Faults::default() };
    let mut card = with_faults(broken);
    let good = vector_text("dodf-dm-opaque-len");
    script(
        &mut card,
        &[("00A4080C047F506430", "9000"), ("00B0000000", &format!("{}{}9000", "3037", &good[4..]))],
    );

    for (fault, size, head) in [
        (BootstrapFault::Empty, "80020000", "6B00"),
        (BootstrapFault::Ff, "8002012C", "FFFFFFFF9000"),
        (BootstrapFault::Broken, "80020096", "02A4016A9000"),
        (BootstrapFault::Long, "80029C40", "02A4016A9000"),
    ] {
        let mut card = with_faults(Faults { bootstrap: Some(fault), ..Faults::default() });
        let header = send(&mut card, "00A40804047F50643300");
        assert!(header.contains(size), "{fault:?}: {header}");
        assert_eq!(send(&mut card, "00B0000004"), head, "{fault:?}");
    }
}

#[test]
fn sc_072_the_card_is_pulled_after_so_many_commands() {
    let mut card = with_faults(Faults { remove_after_apdus: Some(2), ..Faults::default() });
    script(&mut card, &[("0070000001", "019000"), ("80F2000C00", "9000")]);
    assert_eq!(card.transmit(&[0x80, 0xF2, 0x00, 0x0C, 0x00]), Err(Gone));
    assert_eq!(card.transmit(&[0x80, 0xF2, 0x00, 0x0C, 0x00]), Err(Gone));
    card.insert();
    assert!(card.open_channels().is_empty());
    // The fault happens once.
    for _ in 0..5 {
        assert_eq!(send(&mut card, "80F2000C00"), "9000");
    }
    card.remove();
    assert_eq!(card.transmit(&[0x80, 0xF2, 0x00, 0x0C, 0x00]), Err(Gone));
}

#[test]
fn one_answer_is_cut_short() {
    let mut card = with_faults(Faults { short_answer_at: Some(2), ..Faults::default() });
    script(&mut card, &[("80F2000C00", "9000"), ("80F2000C00", "90"), ("80F2000C00", "9000")]);
}

#[test]
fn the_atr_follows_the_protocol_unless_one_is_given() {
    assert_eq!(hex::encode(t0().atr()), "3B9F96801FC78031A073BE2113756963632D73696DF9");
    assert_eq!(hex::encode(t1().atr()), "3B84015549434399");
    assert_eq!(with(|config| config.atr = vec![0x3B, 0x00]).atr(), [0x3B, 0x00]);
}

#[test]
fn a_sim_tells_in_the_header_of_a_directory_what_is_in_it() {
    let (mut card, _) =
        card(CardConfig { gsm: true, protocol: Protocol::T0, ..CardConfig::default() });
    let header = |fid: &str, kind: &str, counts: &str| {
        format!("00000000{fid}{kind}00000000000981{counts}0400838A838A9000")
    };
    // MF: DF GSM and PKCS#15, EF.DIR and EF.ICCID. DF GSM: EF.IMSI.
    for (fid, kind, counts) in
        [("3F00", "01", "0202"), ("7F20", "02", "0001"), ("7F50", "02", "0004")]
    {
        assert_eq!(send(&mut card, &format!("A0A4000002{fid}")), "9F16");
        assert_eq!(send(&mut card, "A0C0000016"), header(fid, kind, counts));
    }
}
