//! REFRESH: what it disturbs, and what is read again behind it.

use super::*;

const INIT: &str = "D009810301010382028182";
const FILE_CHANGE_ICCID: &str = "D0108103010101820281829205013F002FE2";
const FILE_CHANGE_OTHER: &str = "D0108103010101820281829205013F002F05";
/// Of EF.ICCID and of a file in the PKCS#15 directory, to the display instead of the terminal.
const FILE_CHANGE_PKCS15: &str = "D016810301010182028102920B023F002FE23F007F506433";
const RESET: &str = "D009810301010482028182";
const RESPONSE_OK: &str = "810301010182028281830100";
const RESPONSE_BUSY: &str = "81030101038202828183022002";

const EF_ICCID: &str = "2FE2";
/// SELECT of the application, its ODF, its DODF and the object.
const PKCS15: [&str; 4] = ["A000000063504B43532D3135", "7FFF5031", "7FFF6430", "7FFF6433"];

#[test]
fn sc_104_a_refresh_waits_for_the_session_and_then_ends_it() {
    let bench = Bench::new(profile(r#"{ confirm = "?", expect = [200, 408] }"#));
    let id = bench.start();
    assert!(bench.run(5, Bench::is_asked));
    bench.card_states();
    bench.inject(INIT);
    assert_eq!(bench.hand.lock().responses, [RESPONSE_BUSY]);
    assert!(!bench.run(60, |bench| bench.has_ended(id)));
    assert!(bench.card_states().is_empty());
    bench.inject(INIT);
    assert!(bench.hand.lock().responses[1].ends_with("830100"));
    assert_eq!(bench.info(id).error.unwrap().code(), Code::CardReset);
    assert_eq!(bench.card_states(), [(Code::CardReset as i32, 1)]);
}

#[test]
fn after_the_session_a_refresh_is_carried_out_at_once() {
    let bench = Bench::new(profile(GET));
    let id = bench.start();
    assert_eq!(bench.end(id, 5), None);
    bench.card_states();
    bench.inject(INIT);
    assert!(bench.hand.lock().responses[0].ends_with("830100"));
    assert_eq!(bench.card_states(), [(Code::CardReset as i32, 1)]);
}

#[test]
fn sc_101_a_changed_file_is_told_if_the_library_reads_it_and_disturbs_no_session() {
    let bench = Bench::new(profile(CONFIRM));
    bench.card_states();
    let id = bench.start();
    assert!(bench.run(5, Bench::is_asked));
    bench.inject(FILE_CHANGE_OTHER);
    assert!(bench.card_states().is_empty());
    bench.inject(FILE_CHANGE_ICCID);
    assert_eq!(bench.card_states(), [(Code::CardReset as i32, 1)]);
    assert_eq!(bench.hand.lock().responses, [RESPONSE_OK, RESPONSE_OK]);
    bench.question().answer(Answer::Accepted).unwrap();
    assert_eq!(bench.end(id, 5), None);
    // The identity is read again, and as it is the same, nothing else.
    bench.selected();
    assert_eq!(bench.client.bootstrap_card(bench.card).unwrap().objects_unchanged, 1);
    assert_eq!(bench.selected(), [EF_ICCID]);
}

#[test]
fn sc_101_any_directory_but_those_of_telephony_may_hold_what_is_read() {
    let bench = Bench::new(profile(GET));
    let of = |path: &str| {
        let length = path.len() / 2;
        format!("D0{:02X}8103010101820281829 2{:02X}01{path}", 12 + length, length + 1)
            .replace(' ', "")
    };
    for (path, counts) in [
        ("3F002F00", true),
        ("3F007F50", true),
        ("3F007F806433", true),
        ("3F0050156430", true),
        ("7FFF6433", true),
        ("3F00", true),
        ("3F002F06", false),
        ("3F007F106F3A", false),
        ("3F007F206F07", false),
        ("3F007F256F22", false),
    ] {
        bench.card_states();
        bench.inject(&of(path));
        let told = if counts { vec![(Code::CardReset as i32, 1)] } else { Vec::new() };
        assert_eq!(bench.card_states(), told, "{path}");
    }
}

#[test]
fn sc_102_changed_bootstrap_files_are_read_again_with_their_directories() {
    let bench = Bench::new(profile(GET));
    bench.card_states();
    bench.selected();
    bench.inject(FILE_CHANGE_PKCS15);
    assert_eq!(bench.hand.lock().responses, [RESPONSE_OK]);
    assert_eq!(bench.card_states(), [(Code::CardReset as i32, 1)]);
    assert_eq!(bench.client.bootstrap_card(bench.card).unwrap().objects_unchanged, 1);
    let everything = [&[EF_ICCID], &PKCS15[..], &[EF_ICCID]].concat();
    assert_eq!(bench.selected(), everything);
    // What the host says counts as much, and without either there is nothing to do.
    bench.client.notify_card(bench.card, CardSignal::FilesChanged).unwrap();
    bench.client.bootstrap_card(bench.card).unwrap();
    assert_eq!(bench.selected(), everything);
    bench.client.bootstrap_card(bench.card).unwrap();
    assert_eq!(bench.selected(), [""; 0]);
}

#[test]
fn sc_103_a_reset_begins_the_toolkit_anew_after_its_response() {
    let bench = Bench::new(profile(GET));
    bench.card_states();
    assert_eq!(bench.hand.lock().profiles, 1);
    bench.inject(RESET);
    assert_eq!(bench.hand.lock().responses.len(), 1);
    assert_eq!(bench.hand.lock().profiles, 2);
    assert_eq!(bench.card_states(), [(Code::CardReset as i32, 1)]);
    bench.selected();
    assert_eq!(bench.client.bootstrap_card(bench.card).unwrap().objects_unchanged, 1);
    assert_eq!(bench.selected(), [&[EF_ICCID], &PKCS15[..], &[EF_ICCID]].concat());
}
