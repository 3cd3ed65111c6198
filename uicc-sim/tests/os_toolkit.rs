//! The toolkit application against a scripted terminal, octet by octet.

#![allow(clippy::unwrap_used)]

#[path = "os_toolkit/channels.rs"]
mod channels;
mod os_support;

use os_support::{
    Recorder, card, channel_2, envelope, fetch, numbered, receive, received, response, script,
    send, sending, to_channel_2, vector, vector_text,
};
use uicc_sim::card::{Card, CardConfig, Faults, Protocol, TriggerTransport, Verdict};
use uicc_sim::hex;

const EVENT_LIST: &str = "D00D810301050082028182 9902090A";

fn profile() -> String {
    vector_text("apdu-term-profile-dmsc")
}

fn findings(card: &Card) -> Vec<String> {
    card.findings()
        .into_iter()
        .map(|f| format!("{} {}", if f.good { "+" } else { "-" }, f.text))
        .collect()
}

#[track_caller]
fn complaint(card: &Card, part: &str) {
    let bad: Vec<_> = card.findings().into_iter().filter(|f| !f.good).map(|f| f.text).collect();
    assert!(bad.len() == 1 && bad[0].contains(part), "{bad:?} should be one with {part:?}");
    assert_eq!(card.verdict(), Verdict::Bad);
}

/// A card whose web server listens on channel 1.
fn listening(config: CardConfig) -> (Card, Recorder) {
    let (mut card, recorder) = card(config);
    script(
        &mut card,
        &[
            (&profile(), "910F"),
            (&fetch(15), &format!("{EVENT_LIST}9000")),
            (&response(&vector("tr-setup-event-list")), "9114"),
            (&fetch(20), &format!("{}9000", hex::encode(&numbered("srv-pc-open-3516", 2)))),
            (&response(&numbered("srv-tr-open-listen", 2)), "9000"),
        ],
    );
    (card, recorder)
}

#[test]
fn sc_109_to_116_one_http_exchange() {
    let (mut card, recorder) = listening(CardConfig::default());
    let request: Vec<u8> = (0..612u32).map(|n| (n % 253) as u8).collect();
    let answer: Vec<u8> = (0..500u32).map(|n| (n % 241) as u8).collect();
    {
        let mut record = recorder.0.lock().unwrap();
        record.request_end = request[600..].to_vec();
        record.answer = answer.clone();
        record.close = true;
    }
    script(
        &mut card,
        &[
            (&envelope("env-chstatus-established"), "9000"),
            (&envelope("env-data-available-ff"), "910E"),
            (&fetch(14), &receive(1)),
            (&received(1, &request[..237], 0xFF, 0), "910E"),
            (&fetch(14), &receive(2)),
            (&received(2, &request[237..474], 0x8A, 0), "910E"),
            (&fetch(14), &receive(3)),
            (&received(3, &request[474..], 0, 2), "91FC"),
            (&fetch(0xFC), &sending(4, &answer[..237])),
            (&response(&numbered("tr-send-ok", 4)), "91FC"),
            (&fetch(0xFC), &sending(5, &answer[237..474])),
            (&response(&numbered("tr-send-ok", 5)), "9127"),
            (&fetch(0x27), &sending(6, &answer[474..])),
            (&response(&numbered("tr-send-ok", 6)), "910B"),
            (&fetch(11), "D0098103074101820281219000"),
            (&response(&hex::decode("810307410182028281830100").unwrap()), "9000"),
        ],
    );
    let record = recorder.0.lock().unwrap();
    assert_eq!(record.received, request);
    assert_eq!(record.closed, 0, "the card closed it itself");
    drop(record);
    assert_eq!(
        findings(&card),
        ["+ TERMINAL PROFILE received", "+ web server listens on port 3516"]
    );
    assert_eq!(card.verdict(), Verdict::NoSession);
    recorder.0.lock().unwrap().good = 1;
    assert_eq!(card.verdict(), Verdict::Good);
    recorder.0.lock().unwrap().bad = 1;
    assert_eq!(card.verdict(), Verdict::Bad);

    // The next connection starts with a new proactive session.
    script(
        &mut card,
        &[
            (&envelope("env-chstatus-established"), "9000"),
            (&envelope("srv-env-data-available-42"), "910E"),
            (&fetch(14), &receive(1)),
            (&received(1, b"GET", 0, 2), "9000"),
            (&envelope("env-chstatus-listen"), "9000"),
        ],
    );
    assert_eq!(recorder.0.lock().unwrap().closed, 1);
}

#[test]
fn sc_130_a_timer_makes_the_card_ask_for_a_session() {
    let mut config = CardConfig::default();
    config.toolkit.timer_seconds = 5;
    let (mut card, recorder) = card(config);
    recorder.0.lock().unwrap().notification = vector("wsp-push-dm-notification");
    let open = vector("trg-pc-open-udp-local-2948");
    let send = vector("trg-pc-send-notification");
    script(
        &mut card,
        &[
            (&profile(), "910F"),
            (&fetch(15), &format!("{EVENT_LIST}9000")),
            (&response(&vector("tr-setup-event-list")), "9114"),
            (&fetch(20), &format!("{}9000", hex::encode(&numbered("srv-pc-open-3516", 2)))),
            (&response(&numbered("srv-tr-open-smaller", 2)), "9113"),
            (&fetch(19), &format!("{}9000", hex::encode(&numbered("pc-timer1-start-5s", 3)))),
            (&response(&numbered("tr-timer-start", 3)), "9000"),
            ("80F2000C00", "9000"),
            ("80C200000ED70C82028281A40101A503000050", "9114"),
            // Said again until it is fetched.
            ("80F2000C00", "9114"),
            (&fetch(20), &format!("{}9000", hex::encode(&open))),
            ("80F2000C00", "9000"),
            (&response(&channel_2("trg-tr-open-udp-local")), "9139"),
            (&fetch(0x39), &format!("{}9000", hex::encode(&to_channel_2(&send)))),
            (&response(&vector("trg-tr-send-notification")), "910B"),
            (&fetch(11), "D0098103034100820281229000"),
            (&response(&hex::decode("810303410082028281830100").unwrap()), "9000"),
        ],
    );
    assert_eq!(
        findings(&card),
        [
            "+ TERMINAL PROFILE received",
            "+ web server listens on port 3516",
            "+ timer expired",
            "+ notification sent"
        ]
    );
}

#[test]
fn a_local_event_sends_the_notification_on_channel_1_without_a_web_server() {
    let mut config = CardConfig { protocol: Protocol::T0, ..CardConfig::default() };
    config.toolkit.scws = false;
    let (mut card, recorder) = card(config);
    recorder.0.lock().unwrap().notification = vector("wsp-push-dm-notification");
    script(
        &mut card,
        &[
            (&profile(), "910F"),
            ("8012000000", "6C0F"),
            (&fetch(15), &format!("{EVENT_LIST}9000")),
            (&response(&vector("tr-setup-event-list")), "9000"),
        ],
    );
    card.trigger();
    script(
        &mut card,
        &[
            // Any command that ends well tells it, also the last part of a T=0 exchange.
            ("00A4000C021234", "6A82"),
            ("00A40004022FE2", "6126"),
            ("00C0000026", &format!("{}9114", ICCID_HEADER)),
            (&fetch(20), &format!("{}9000", vector_text("trg-pc-open-udp-local-2948"))),
            (&response(&vector("trg-tr-open-udp-local")), "9139"),
            (&fetch(0x39), &format!("{}9000", vector_text("trg-pc-send-notification"))),
            (&response(&vector("trg-tr-send-notification")), "910B"),
            (&fetch(11), "D0098103034100820281219000"),
            (&response(&hex::decode("810303410082028281830100").unwrap()), "9000"),
        ],
    );
}

const ICCID_HEADER: &str =
    "6224820241218302 2FE28A0105AB108001019000800102A40683010A9501088002000A880110";

#[test]
fn tcp_carries_the_notification_if_so_configured() {
    let mut config = CardConfig::default();
    config.toolkit.scws = false;
    config.toolkit.trigger_transport = TriggerTransport::Tcp;
    config.toolkit.trigger_port = 3000;
    let (mut card, _) = card(config);
    send(&mut card, &profile());
    send(&mut card, &fetch(15));
    send(&mut card, &response(&vector("tr-setup-event-list")));
    card.trigger();
    script(
        &mut card,
        &[("80F2000C00", "9114"), (&fetch(20), "D012810301400082028182390201003C03050BB89000")],
    );
}

#[test]
fn sc_131_no_listener_is_a_finding() {
    let mut config = CardConfig::default();
    config.toolkit.scws = false;
    let (mut card, _) = card(config);
    send(&mut card, &profile());
    send(&mut card, &fetch(15));
    send(&mut card, &response(&vector("tr-setup-event-list")));
    card.trigger();
    send(&mut card, "80F2000C00");
    send(&mut card, &fetch(20));
    assert_eq!(send(&mut card, &response(&vector("trg-tr-transport-unavail"))), "9000");
    complaint(&card, "OPEN CHANNEL (notification): result 3A 06");
}

#[test]
fn a_busy_terminal_is_asked_again_when_it_polls() {
    let (mut card, _) = card(CardConfig::default());
    send(&mut card, &profile());
    send(&mut card, &fetch(15));
    send(&mut card, &response(&vector("tr-setup-event-list")));
    send(&mut card, &fetch(20));
    let busy = hex::decode("81030240008202828183022001").unwrap();
    script(
        &mut card,
        &[
            (&response(&busy), "9000"),
            ("80F2000C00", "9114"),
            (&fetch(20), &format!("{}9000", vector_text("srv-pc-open-3516"))),
            (&response(&vector("srv-tr-open-listen")), "9000"),
        ],
    );
    assert_eq!(findings(&card)[1], "+ OPEN CHANNEL (web server) put off: 20 01");
    assert_eq!(card.verdict(), Verdict::NoSession);
}

#[test]
fn a_terminal_that_stays_busy_is_a_finding() {
    let (mut card, _) = card(CardConfig::default());
    send(&mut card, &profile());
    send(&mut card, &fetch(15));
    send(&mut card, &response(&vector("tr-setup-event-list")));
    for number in [2, 1, 1, 1] {
        assert_eq!(send(&mut card, &fetch(20))[6..12], format!("03{number:02X}40"));
        let busy = [0x81, 3, number, 0x40, 0, 0x82, 2, 0x82, 0x81, 0x83, 2, 0x20, 1];
        assert_eq!(send(&mut card, &response(&busy)), "9000");
        send(&mut card, "80F2000C00");
    }
    complaint(&card, "OPEN CHANNEL (web server): result 20 01");
    assert_eq!(send(&mut card, "80F2000C00"), "9000", "the card gives up");
}

#[test]
fn a_notification_longer_than_one_datagram_is_not_sent() {
    let mut config = CardConfig::default();
    config.toolkit.scws = false;
    let (mut card, recorder) = card(config);
    recorder.0.lock().unwrap().notification = vec![0; 238];
    send(&mut card, &profile());
    send(&mut card, &fetch(15));
    send(&mut card, &response(&vector("tr-setup-event-list")));
    card.trigger();
    send(&mut card, "80F2000C00");
    send(&mut card, &fetch(20));
    script(
        &mut card,
        &[
            (&response(&vector("trg-tr-open-udp-local")), "910B"),
            (&fetch(11), "D0098103024100820281219000"),
        ],
    );
    complaint(&card, "238 octets");
}

#[test]
fn sc_108_only_announced_commands_are_used() {
    let announce = |edit: fn(&mut Vec<u8>)| {
        let mut data = vector("apdu-term-profile-dmsc")[5..].to_vec();
        edit(&mut data);
        let mut config = CardConfig::default();
        config.toolkit.timer_seconds = 9;
        let (mut card, _) = card(config);
        let apdu = format!("80100000{:02X}{}", data.len(), hex::encode(&data));
        (send(&mut card, &apdu), card)
    };
    let (sw, card) = announce(|data| data[16] &= !0x04);
    assert_eq!(sw, "910F");
    complaint(&card, "web server) not used: not announced: TCP, UICC in server mode");
    complaint(&announce(|data| data[7] &= !0x01).1, "TIMER MANAGEMENT not used");
    complaint(&announce(|data| data[12] &= 0x1F).1, "not announced: any channel");
    complaint(&announce(|data| data[0] &= !0x01).1, "does not announce profile download");
    let (_, card) = announce(|data| data.truncate(4));
    assert_eq!(card.findings().iter().filter(|finding| !finding.good).count(), 3);
    let (mut card, _) = os_support::card(CardConfig::default());
    card.trigger();
    complaint(&card, "not announced: TERMINAL PROFILE");
}

#[test]
fn an_event_that_is_not_announced_is_not_asked_for() {
    let mut config = CardConfig::default();
    config.toolkit.scws = false;
    let (mut card, _) = card(config);
    let mut data = vector("apdu-term-profile-dmsc");
    data[5 + 5] &= !0x04;
    script(
        &mut card,
        &[(&hex::encode(&data), "910E"), (&fetch(14), "D00C8103010500820281829901 0A9000")],
    );
}

#[test]
fn sc_087_wrong_terminal_responses_are_findings() {
    for (wrong, part) in [
        ("810302050082028281830100", "not those of the command"),
        ("810301050182028281830100", "not those of the command"),
        ("810301050082028182830100", "device identities"),
        ("010301050082028281830100", "comprehension flag"),
        ("810301050082028281030100", "result without the comprehension flag"),
        ("8103010500 82028281", "no result"),
        ("8103010500 82028281 8300", "no result"),
        ("8103010500 82028281 830130", "result 30"),
        ("8103010500 82028281 830101", "result 01"),
        ("8103010500 82028281 830100 B9", "length is missing"),
    ] {
        let (mut card, _) = card(CardConfig::default());
        send(&mut card, &profile());
        send(&mut card, &fetch(15));
        let sw = send(&mut card, &response(&hex::decode(wrong).unwrap()));
        assert_eq!(sw, "9114", "the card goes on");
        complaint(&card, part);
    }
}

#[test]
fn sc_110_answers_to_open_channel_are_checked() {
    for (data, part) in [
        ("81030240008202828183023A1039020578", "result 3A 10"),
        ("81030240008202828183010039020578", "no channel status"),
        ("8103024000820282818301003802810039020578", "channel status 81"),
        ("8103024000820282818301003802400039020578", "channel status 40"),
        ("81030240008202828183010038024100", "no buffer size"),
        ("8103024000820282818301003802410039020400", "buffer 1024 of 1400"),
        ("8103024000820282818301073802410039020578", "buffer 1400 of 1400"),
    ] {
        let (mut card, _) = card(CardConfig::default());
        send(&mut card, &profile());
        send(&mut card, &fetch(15));
        send(&mut card, &response(&vector("tr-setup-event-list")));
        send(&mut card, &fetch(20));
        assert_eq!(send(&mut card, &response(&hex::decode(data).unwrap())), "9000");
        complaint(&card, part);
    }
}

#[test]
fn commands_out_of_turn_are_findings() {
    let fresh = || card(CardConfig::default()).0;
    let mut card = fresh();
    script(&mut card, &[("8012000001", "6985")]);
    complaint(&card, "FETCH");
    let mut card = fresh();
    script(&mut card, &[(&response(&vector("tr-setup-event-list")), "6985")]);
    complaint(&card, "no proactive command was fetched");
    let mut card = fresh();
    script(&mut card, &[(&envelope("env-chstatus-listen"), "6985")]);
    complaint(&card, "before TERMINAL PROFILE");
    let mut card = fresh();
    script(&mut card, &[("8010000000", "6700")]);
    complaint(&card, "is empty");
    let mut card = fresh();
    script(
        &mut card,
        &[
            ("0070000001", "019000"),
            (&profile().replacen("80", "81", 1), "6E00"),
            (&profile().replacen("80", "00", 1), "6E00"),
            (&profile().replacen("8010000", "8010010", 1), "6A86"),
        ],
    );
    assert!(card.findings().is_empty());
}

#[test]
fn sc_112_sc_123_events_are_checked() {
    let data = |length: &str| format!("80C2000010D60E99010982028281B8028100B701{length}");
    let check = |before: &[&str], wrong: &str, part: &str| {
        let (mut card, _) = listening(CardConfig::default());
        for apdu in before {
            assert!(send(&mut card, apdu).starts_with('9'), "{apdu}");
        }
        assert_eq!(send(&mut card, wrong), "6A80", "{wrong}");
        complaint(&card, part);
    };
    let established = envelope("env-chstatus-established");
    let available = envelope("env-data-available-ff");
    check(&[], &available, "not established");
    check(&[&established, &available], &available, "buffer was not empty");
    check(&[&established], &data("00"), "length is 0");
    check(&[&established], "80C200000DD60B99010982028281B8028100", "without a channel data length");
    check(&[&established], &data("05").replace("B8028100", "B8024100"), "channel status 41");
    check(&[], &data("05").replace("B8028100", "B8028200"), "not open");
    check(&[], &data("05").replace("82028281", "82028182"), "device identities");
    check(&[], "80C200000DD60B99010782028281AD026465", "event 07 is not in the event list");
    check(&[], "80C2000005D603990109", "begin with one event");
    check(&[], "80C200000BD60999010A820282818300", "without a channel status");
    check(&[], "80C2000003D6049901", "runs over the end");
    check(&[&established], &established, "former connection");
    check(&[], &envelope("env-timer-expiration-1"), "timer that does not run");
    check(&[], &envelope("env-timer-expiration-1").replace("A40101", "A40102"), "never started");
}

#[test]
fn envelopes_for_other_applications_are_accepted() {
    let (mut card, _) = listening(CardConfig::default());
    script(
        &mut card,
        &[
            (&envelope("env-sms-pp-161"), "9000"),
            (&envelope("env-sms-pp-secured"), "9000"),
            (&envelope("env-sms-pp-ota-real"), "9000"),
            (&envelope("env-menu-selection"), "9000"),
        ],
    );
    assert!(card.findings().iter().all(|finding| finding.good));
}

#[test]
fn a_terminal_that_closes_the_web_servers_port_leaves_no_channel() {
    let (mut card, recorder) = listening(CardConfig::default());
    script(
        &mut card,
        &[
            (&envelope("env-chstatus-established"), "9000"),
            (&envelope("srv-env-closed"), "9000"),
            (&envelope("env-chstatus-established"), "6A80"),
        ],
    );
    assert_eq!(recorder.0.lock().unwrap().closed, 1);
    complaint(&card, "not open");
    let closed = "+ the terminal closed the web server's channel";
    assert!(findings(&card).iter().any(|finding| finding == closed));
}

/// An answer to a REFRESH of any mode, as the answer to this card's.
fn refreshed(name: &str) -> String {
    let mut data = vector(name);
    data[4] = 0x01;
    response(&data)
}

#[test]
fn sc_104_a_refresh_is_put_off_and_then_carried_out() {
    let (mut card, _) = listening(CardConfig::default());
    card.update_bootstrap(os_support::bootstrap(20));
    let refresh = "D0128103010101820281829207013F007F506433";
    script(
        &mut card,
        &[
            ("80F2000C00", "9114"),
            (&fetch(20), &format!("{refresh}9000")),
            (&refreshed("tr-refresh-screen-busy"), "9000"),
            ("80F2000C00", "9114"),
            (&fetch(20), &format!("{refresh}9000")),
            (&refreshed("tr-refresh-extra-ef"), "9000"),
            ("80F2000C00", "9000"),
        ],
    );
    let told = findings(&card);
    assert_eq!(told[2..], ["+ REFRESH put off: 20 01", "+ REFRESH carried out"], "{told:?}");
}

#[test]
fn sc_092_a_timer_must_not_expire_early() {
    let mut config = CardConfig::default();
    config.toolkit.scws = false;
    config.toolkit.timer_seconds = 11;
    let (mut card, _) = card(config);
    send(&mut card, &profile());
    send(&mut card, &fetch(15));
    send(&mut card, &response(&vector("tr-setup-event-list")));
    send(&mut card, &fetch(19));
    send(&mut card, &response(&numbered("tr-timer-start", 2)));
    assert_eq!(send(&mut card, &envelope("env-timer-expiration-1")), "9114");
    complaint(&card, "timer of 11 s expired after 10 s");
}

#[test]
fn sc_120_a_busy_toolkit_answers_9300() {
    let faults = Faults { busy_envelopes: 2, ..Faults::default() };
    let (mut card, _) = listening(CardConfig { faults, ..CardConfig::default() });
    let established = envelope("env-chstatus-established");
    script(&mut card, &[(&established, "9300"), (&established, "9300"), (&established, "9000")]);
}

#[test]
fn sc_095_a_reset_forgets_the_toolkit_and_keeps_the_findings() {
    let (mut card, recorder) = listening(CardConfig::default());
    recorder
        .0
        .lock()
        .unwrap()
        .findings
        .push(uicc_sim::application::Finding { good: true, text: "alert 1200 received".into() });
    card.power_off();
    card.reset();
    assert_eq!(recorder.0.lock().unwrap().resets, 2);
    script(
        &mut card,
        &[
            ("80F2000C00", "9000"),
            (&envelope("env-chstatus-established"), "6985"),
            (&profile(), "910F"),
        ],
    );
    assert_eq!(
        findings(&card),
        [
            "+ TERMINAL PROFILE received",
            "+ web server listens on port 3516",
            "+ alert 1200 received",
            "- ENVELOPE before TERMINAL PROFILE",
            "+ TERMINAL PROFILE received",
        ]
    );
    assert_eq!(
        card.report(),
        "ok   TERMINAL PROFILE received\nok   web server listens on port 3516\n\
         ok   alert 1200 received\nBAD  ENVELOPE before TERMINAL PROFILE\n\
         ok   TERMINAL PROFILE received\nsessions: 0 good, 0 bad\nverdict: bad\n"
    );
}
