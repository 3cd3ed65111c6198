//! The toolkit engine against recorded and computed octets of `tests/data/smartcard-vectors.tsv`;
//! channels have their own file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod cat_common;

use cat_common::*;
use dmsc::bytes::hex;
use dmsc::card::cat::{
    Cat, Config, Effect, Failure, HostAnswer, LocalInfo, Location, RefreshMode, ScreenEvent,
};

#[test]
fn sc_082_every_object_of_every_command_may_have_or_lack_the_comprehension_flag() {
    const FLAG: u8 = 0x80;
    let react = |octets: &[u8]| {
        let mut cat = server();
        let client = cat.bip_mut().connect(3516).unwrap();
        write_all(cat.bip_mut(), client, &counting(300));
        cat.proactive(octets, at(0)).unwrap()
    };
    for (name, plain) in commands() {
        let (mut with, mut without) = (plain.clone(), plain.clone());
        let mut at = objects_at(&plain);
        while at < plain.len() {
            with[at] |= FLAG;
            without[at] &= !FLAG;
            at += match plain[at + 1] {
                0x81 => 3 + usize::from(plain[at + 2]),
                length => 2 + usize::from(length),
            };
        }
        assert_ne!(with, without);
        for other in [with, without] {
            assert_eq!(react(&other), react(&plain), "{name}");
        }
    }
}

#[test]
fn sc_083_objects_beyond_the_end_are_not_carried_out() {
    let mut cat = engine();
    let reaction = run(&mut cat, "neg-ctlv-overrun");
    assert_eq!(hex(reaction.terminal_response.as_deref()), "810301400082028281830132");
    assert!(reaction.effects.is_empty());
    check(&mut cat, "pc-get-channel-status", "tr-chstatus-none");
}

#[test]
fn sc_084_no_details_no_response_and_the_engine_is_idle() {
    let mut cat = engine();
    assert!(cat.proactive(&vector("neg-ber-len-80"), at(0)).is_err());
    for body in ["", "82028182", "8102010282028182", "8104010200008202818200"] {
        assert!(cat.proactive(&command(body), at(0)).is_err(), "{body}");
    }
    assert!(!cat.is_waiting());
    check(&mut cat, "pc-get-channel-status", "tr-chstatus-none");
}

#[test]
fn sc_085_unknown_types_are_not_understood() {
    check(&mut engine(), "neg-unknown-type", "neg-tr-unknown-type");
}

#[test]
fn sc_086_an_unknown_object_counts_only_with_the_comprehension_flag() {
    let mut cat = engine();
    let refused = run(&mut cat, "neg-unknown-cr");
    assert_eq!(hex(refused.terminal_response.as_deref()), "810301210082028281830132");
    let asked = run(&mut cat, "neg-unknown-nocr");
    assert!(matches!(asked.effects.as_slice(), [Effect::Ask(_)]));
    let done = cat.complete(HostAnswer::Done).unwrap();
    assert_eq!(hex(done.terminal_response.as_deref()), "810301210082028281830100");
}

#[test]
fn a_missing_object_is_told_apart_from_a_wrong_one() {
    let mut cat = engine();
    let missing = [
        ("810301030082028182", "810301030082028281830136"),
        ("8103010300", "810301030082028281830136"),
        ("810301050082028182", "810301050082028281830136"),
        ("810301270082028182A40101", "810301270082028281830136"),
        ("810301420082028121", "810301420082028281830136"),
        ("810301400082028182", "810301400082028281830136"),
        ("810301400082028182390205783C0103", "81030140008202828183013239020578"),
        ("8103010300820281828402FF14", "810301030082028281830132"),
        ("81030103008202818284020100", "810301030082028281830132"),
    ];
    for (body, response) in missing {
        check_octets(&mut cat, at(0), body, response);
    }
}

#[test]
fn sc_087_every_response_echoes_the_details_and_fits_a_short_apdu() {
    for (name, octets) in commands() {
        let mut cat = server();
        let client = cat.bip_mut().connect(3516).unwrap();
        write_all(cat.bip_mut(), client, &counting(1400));
        let reaction = cat.proactive(&octets, at(0)).expect(name);
        let give_up =
            |cat: &mut Cat| cat.complete(HostAnswer::Failed(Failure::NoResponse)).unwrap();
        let response = reaction.terminal_response;
        let response = response.or_else(|| give_up(&mut cat).terminal_response).expect(name);
        let start = objects_at(&octets);
        assert_eq!(response[..5], octets[start..start + 5], "{name}");
        assert_eq!(response[5..9], [0x82, 0x02, 0x82, 0x81], "{name}");
        assert!(response.len() <= 255, "{name}");
    }
}

#[test]
fn sc_088_more_time() {
    let reaction = run(&mut engine(), "pc-more-time");
    let apdu = vector("apdu-term-resp-ok-more-time");
    assert_eq!(reaction.terminal_response.as_deref(), apdu.get(5..));
}

#[test]
fn sc_089_sc_090_sc_091_timers_start_tell_and_stop() {
    let mut cat = engine();
    run(&mut cat, "pc-polling-off");
    check(&mut cat, "pc-timer1-start-5min", "tr-timer-start");
    assert_eq!(cat.deadline(), Some(300_000));
    let told = cat.proactive(&vector("pc-timer1-get"), at(61)).unwrap();
    assert_eq!(told.terminal_response, Some(vector("tr-timer-value")));
    let stopped = cat.proactive(&vector("pc-timer1-stop"), at(61)).unwrap();
    let expected = "810301270182028281830100A40101A503003095";
    assert_eq!(hex(stopped.terminal_response.as_deref()), expected);
    check(&mut cat, "pc-timer1-get", "tr-timer-conflict");
}

#[test]
fn timers_may_run_for_a_day_and_start_anew() {
    let mut cat = engine();
    run(&mut cat, "pc-timer2-start-max");
    run(&mut cat, "pc-timer1-start-5s");
    cat.proactive(&vector("pc-timer1-start-5min"), at(4)).unwrap();
    assert_eq!(cat.next_envelope(at(303)), None);
    assert!(cat.next_envelope(at(304)).is_some());
    cat.envelope_answered(0x9000, at(304));
    assert_eq!(cat.next_envelope(at(86_398)), None);
    let day = "D70C82028281A40102A503329595";
    assert_eq!(hex(cat.next_envelope(at(86_399)).as_deref()), day);
}

#[test]
fn sc_092_an_expired_timer_is_told_once() {
    let mut cat = engine();
    check_octets(
        &mut cat,
        at(0),
        "810301270082028182A40101A503000001",
        "810301270082028281830100A40101",
    );
    assert_eq!(cat.next_envelope(at(9)), None);
    check_envelope(&mut cat, at(10), "env-timer-expiration-1");
    assert_eq!(cat.next_envelope(at(20)), None);
    check(&mut cat, "pc-timer1-get", "tr-timer-conflict");
}

#[test]
fn sc_093_no_envelope_while_a_command_is_open() {
    let mut cat = engine();
    run(&mut cat, "pc-timer1-start-5s");
    run(&mut cat, "pc-display-text");
    assert_eq!(cat.next_envelope(at(6)), None);
    cat.complete(HostAnswer::Done).unwrap();
    assert_eq!(hex(cat.next_envelope(at(6)).as_deref()), "D70C82028281A40101A503000060");
}

#[test]
fn sc_094_there_are_timers_1_to_8_only() {
    let mut cat = engine();
    run(&mut cat, "pc-timer1-start-5s");
    for id in ["00", "09", "FF"] {
        for (qualifier, value) in [("00", "A503000050"), ("01", ""), ("02", "")] {
            let body = format!("81030127{qualifier}82028182A401{id}{value}");
            let response = format!("81030127{qualifier}82028281830132");
            check_octets(&mut cat, at(0), &body, &response);
        }
    }
    assert!(cat.next_envelope(at(5)).is_some());
}

#[test]
fn sc_095_a_reset_card_hears_nothing_of_its_timers() {
    let mut cat = engine();
    for id in 1..=8 {
        let start = format!("810301270082028182A4010{id}A503000050");
        let response = format!("810301270082028281830100A4010{id}");
        check_octets(&mut cat, at(0), &start, &response);
    }
    cat.reset();
    assert_eq!(cat.next_envelope(at(10)), None);
    for id in 1..=8 {
        let value = format!("810301270282028182A4010{id}");
        let response = format!("810301270282028281830124A4010{id}");
        check_octets(&mut cat, at(10), &value, &response);
    }
}

#[test]
fn sc_096_sc_097_polling_follows_the_card() {
    let mut cat = engine();
    cat.active(at(0));
    assert!(!cat.poll_due(at(29)) && cat.poll_due(at(30)));
    check(&mut cat, "pc-poll-interval-20s", "tr-poll-interval-20s");
    assert_eq!(cat.deadline(), Some(20_000));
    assert!(!cat.poll_due(at(19)) && cat.poll_due(at(20)));
    cat.active(at(20));
    assert!(!cat.poll_due(at(39)) && cat.poll_due(at(40)));
    check(&mut cat, "pc-polling-off", "tr-polling-off");
    assert!(!cat.poll_due(at(4000)));
    assert_eq!(cat.deadline(), None);
}

#[test]
fn sc_096_minutes_are_granted_as_minutes() {
    let mut cat = engine();
    let minute = hex::encode(&vector("tr-poll-interval-1min"));
    check_octets(&mut cat, at(0), "81030103008202818284020001", &minute);
    assert!(!cat.poll_due(at(59)) && cat.poll_due(at(60)));
}

#[test]
fn sc_096_an_interval_below_a_second_becomes_a_second() {
    let response = "81030103008202828183010084020101";
    check_octets(&mut engine(), at(0), "81030103008202818284020205", response);
}

#[test]
fn sc_099_local_information() {
    let mut cat = engine();
    check(&mut cat, "pc-pli-imei", "tr-pli-imei");
    check(&mut cat, "pc-pli-imeisv", "tr-pli-imeisv");
    check(&mut cat, "pc-pli-datetime", "tr-pli-datetime");
    let language = hex::encode(&vector("tr-pli-language"));
    check_octets(&mut cat, at(0), "810301260482028182", &language);
}

#[test]
fn sc_100_location_needs_service() {
    let mut cat = engine();
    check_octets(&mut cat, at(0), "810301260082028182", "81030126008202828183022004");
    let location = Location::from_octets(&[0x00, 0xF1, 0x10, 0, 1, 0, 1]).ok();
    cat.set_local_info(LocalInfo { location, ..local() });
    let known = hex::encode(&vector("tr-pli-location"));
    check_octets(&mut cat, at(0), "810301260082028182", &known);
}

#[test]
fn sc_101_a_changed_iccid_does_not_touch_pkcs15() {
    let effects = check(&mut engine(), "pc-refresh-filechange-iccid", "tr-refresh-ok");
    let [Effect::Refresh(refresh)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(refresh.mode, RefreshMode::FileChange);
    assert_eq!(refresh.files, [[0x3F00, 0x2FE2]]);
    assert!(refresh.touches(&[0x3F00, 0x2FE2]));
    assert!(!refresh.touches(&[0x3F00, 0x7F50]));
}

#[test]
fn sc_102_an_odd_destination_is_accepted() {
    let effects = check(&mut engine(), "pc-refresh-dest-display", "tr-refresh-ok");
    let [Effect::Refresh(refresh)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(refresh.touches(&[0x3F00, 0x7F50, 0x6433]));
}

#[test]
fn sc_104_a_refresh_waits_60_s_for_a_session() {
    let mut cat = engine();
    cat.set_in_use(true);
    let (body, done) = ("810301010682028182", "810301010682028281830100");
    let busy = hex::encode(&vector("tr-refresh-busy-call"));
    let effects = check_octets(&mut cat, at(0), body, &busy);
    assert!(matches!(effects[..], [Effect::RefreshDelayed { until_ms: 60_000, .. }]));
    check_octets(&mut cat, at(59), body, &busy);
    let effects = check_octets(&mut cat, at(60), body, done);
    assert!(matches!(effects[..], [Effect::Refresh(_)]));
}

#[test]
fn sc_104_a_forced_refresh_does_not_wait() {
    let mut cat = engine();
    cat.set_in_use(true);
    let effects =
        check_octets(&mut cat, at(0), "8103010106820281823A0102", "810301010682028281830100");
    assert!(matches!(effects[..], [Effect::Refresh(_)]));
}

#[test]
fn sc_105_display_text_ends_in_four_ways() {
    let ends = [
        (Failure::Back, "tr-display-text-back"),
        (Failure::EndedByUser, "tr-display-text-abort"),
        (Failure::NoResponse, "tr-display-text-noresp"),
    ];
    for (failure, response) in ends {
        let mut cat = engine();
        let asked = run(&mut cat, "pc-display-text");
        assert!(asked.terminal_response.is_none() && cat.is_waiting());
        let done = cat.complete(HostAnswer::Failed(failure)).unwrap();
        assert_eq!(done.terminal_response, Some(vector(response)));
    }
    let mut cat = engine();
    run(&mut cat, "pc-display-text");
    assert_eq!(cat.expire(at(59)), None);
    let overdue = cat.expire(at(60)).unwrap();
    assert_eq!(overdue.terminal_response, Some(vector("tr-display-text-noresp")));
    assert!(cat.complete(HostAnswer::Done).is_err());
}

#[test]
fn display_text_without_text_but_with_an_icon_is_not_understood() {
    let expected = hex::encode(&vector("tr-display-text-32"));
    check_octets(&mut engine(), at(0), "8103012180820281028D009E020001", &expected);
}

#[test]
fn an_eleventh_text_within_a_minute_finds_the_screen_busy() {
    let mut cat = engine();
    for _ in 0..10 {
        let busy = HostAnswer::Failed(Failure::ScreenBusy);
        assert!(run(&mut cat, "pc-display-text").terminal_response.is_none());
        assert_eq!(
            cat.complete(busy).unwrap().terminal_response,
            Some(vector("tr-display-text-busy"))
        );
    }
    check(&mut cat, "pc-display-text", "tr-display-text-busy");
    let later = cat.proactive(&vector("pc-display-text"), at(60)).unwrap();
    assert_eq!(later.terminal_response, None);
}

#[test]
fn sc_106_input_and_choice() {
    let answers = [
        ("pc-get-inkey", HostAnswer::Text("+".into()), "tr-get-inkey"),
        ("pc-get-input", HostAnswer::Text("12345".into()), "tr-get-input"),
        ("pc-select-item", HostAnswer::Item(2), "tr-select-item"),
    ];
    for (command, answer, response) in answers {
        let mut cat = engine();
        assert!(run(&mut cat, command).terminal_response.is_none());
        let done = cat.complete(answer).unwrap();
        assert_eq!(done.terminal_response, Some(vector(response)), "{command}");
    }
    let mut cat = engine();
    cat.proactive(&command("8103012204820281828D0404416765"), at(0)).unwrap();
    let yes = cat.complete(HostAnswer::YesNo(true)).unwrap();
    assert_eq!(yes.terminal_response, Some(vector("tr-get-inkey-yes")));
}

#[test]
fn an_answer_that_does_not_fit_leaves_the_question_open() {
    let mut cat = engine();
    run(&mut cat, "pc-get-input");
    for answer in [
        HostAnswer::Done,
        HostAnswer::Item(1),
        HostAnswer::Text("1234".into()),
        HostAnswer::Text("abcde".into()),
    ] {
        assert!(cat.complete(answer).is_err());
    }
    assert!(cat.is_waiting());
    assert!(cat.proactive(&vector("pc-more-time"), at(0)).is_err());
    cat.complete(HostAnswer::Text("00000".into())).unwrap();
}

#[test]
fn sc_107_no_browser() {
    let mut cat = engine();
    let asked = run(&mut cat, "pc-launch-browser-url");
    assert!(matches!(asked.effects.as_slice(), [Effect::Ask(_)]));
    let failed = cat.complete(HostAnswer::Failed(Failure::NoBrowser)).unwrap();
    assert_eq!(failed.terminal_response, Some(vector("tr-launch-browser-err")));
}

#[test]
fn sc_108_what_is_not_announced_is_beyond_the_capabilities() {
    let mut cat = Cat::new(Config::default());
    for name in [
        "pc-display-text",
        "pc-get-inkey",
        "pc-get-input",
        "pc-select-item",
        "pc-launch-browser-url",
        "pc-send-sms",
        "pc-pli-imeisv",
        "pc-setup-event-list-2",
    ] {
        let response = run(&mut cat, name).terminal_response.unwrap();
        assert_eq!(response[9..], [0x83, 0x01, 0x30], "{name}");
    }
    check_octets(&mut cat, at(0), "810301250082028182", "810301250082028281830130");
}

#[test]
fn events_of_the_host() {
    let mut cat = engine();
    let list = "81030105008202818299050304050708";
    check_octets(&mut cat, at(0), list, "810301050082028281830100");
    cat.set_local_info(LocalInfo { language: Some(*b"de"), ..local() });
    check_envelope(&mut cat, at(0), "env-language-de");
    cat.browser_terminated(false);
    check_envelope(&mut cat, at(0), "env-browser-term");
    let octets = [0x00, 0xF1, 0x10, 0, 2, 0, 2, 0, 1];
    let location = Location::from_octets(&octets).ok();
    cat.set_local_info(LocalInfo { language: Some(*b"de"), location, ..local() });
    check_envelope(&mut cat, at(0), "env-location");
    cat.screen_event(ScreenEvent::Idle);
    assert_eq!(hex(cat.next_envelope(at(0)).as_deref()), "D60799010582020281");
    cat.envelope_answered(0x9000, at(0));
    cat.screen_event(ScreenEvent::Idle);
    assert_eq!(cat.next_envelope(at(0)), None, "told once only");
}
