//! Channels of the bearer independent protocol: the card's commands on one side, a local client
//! on the other, in octets of `tests/data/smartcard-vectors.tsv`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod cat_common;

use cat_common::*;
use dmsc::bytes::hex;
use dmsc::card::bip::{Level, Listener};
use dmsc::card::cat::{Capabilities, Cat, Config, Effect, HostAnswer, HostRequest, RefreshMode};
use dmsc::time::Now;

/// Somebody wants a declared service, comes to the card's server, writes 42 octets and goes.
fn all_events(cat: &mut Cat) {
    assert_eq!(cat.bip_mut().connect(3516), None);
    run(cat, "srv-pc-open-3516");
    let client = cat.bip_mut().connect(3516).unwrap();
    write_all(cat.bip_mut(), client, &counting(42));
    cat.bip_mut().close(client);
}

#[test]
fn sc_098_an_event_list_replaces_the_former_one() {
    let mut cat = engine();
    check(&mut cat, "pc-setup-event-list-bip", "tr-setup-event-list");
    run(&mut cat, "local-pc-declare-service");
    all_events(&mut cat);
    for event in [
        "local-env-local-connection",
        "env-chstatus-established",
        "srv-env-data-available-42",
        "env-chstatus-listen",
    ] {
        check_envelope(&mut cat, at(0), event);
    }
    run(&mut cat, "srv-pc-close-full");
    check(&mut cat, "pc-setup-event-list-empty", "tr-setup-event-list");
    run(&mut cat, "local-pc-declare-service");
    all_events(&mut cat);
    assert_eq!(cat.next_envelope(at(0)), None);
}

#[test]
fn sc_098_an_unsupported_event_leaves_the_list_alone() {
    let mut cat = server();
    check_octets(&mut cat, at(0), "81030105008202818299020900", "810301050082028281830130");
    cat.bip_mut().connect(3516).unwrap();
    check_envelope(&mut cat, at(0), "env-chstatus-established");
}

#[test]
fn sc_103_a_card_reset_drops_channels_timers_and_events() {
    let (mut cat, client) = connected();
    run(&mut cat, "pc-timer1-start-5s");
    write_all(cat.bip_mut(), client, b"unread");
    let reaction = run(&mut cat, "pc-refresh-uicc-reset");
    let [Effect::Refresh(refresh)] = reaction.effects.as_slice() else { panic!() };
    assert_eq!(refresh.mode, RefreshMode::CardReset);
    assert!(refresh.touches(&[0x3F00, 0x7F50, 0x6433]));
    assert!(!cat.bip().is_open(client) && !cat.bip().is_listening(3516));
    assert_eq!(cat.next_envelope(at(10)), None);
    check(&mut cat, "pc-get-channel-status", "tr-chstatus-none");
    check(&mut cat, "pc-timer1-get", "tr-timer-conflict");
    // The event list went too.
    run(&mut cat, "srv-pc-open-3516");
    cat.bip_mut().connect(3516).unwrap();
    assert_eq!(cat.next_envelope(at(10)), None);
}

#[test]
fn a_file_change_leaves_channels_alone_and_an_initialisation_does_not() {
    let (mut cat, client) = connected();
    run(&mut cat, "pc-refresh-filechange-iccid");
    assert!(cat.bip().is_open(client));
    write_all(cat.bip_mut(), client, b"unread");
    check_octets(&mut cat, at(0), "810301010382028182", "810301010382028281830100");
    assert!(!cat.bip().is_open(client));
    assert_eq!(cat.next_envelope(at(0)), None);
}

#[test]
fn remote_client_modes_are_not_announced_and_their_parameters_come_back() {
    let refused = hex::encode(&vector("tr-open-channel-userreject")).replace("830122", "830130");
    for name in ["pc-open-gprs-tcp-or-udp", "pc-open-gprs-nan"] {
        let reaction = run(&mut engine(), name);
        assert_eq!(hex(reaction.terminal_response.as_deref()), refused);
    }
}

#[test]
fn a_channel_into_the_network_is_told_when_its_link_stands() {
    let config = Config { capabilities: Capabilities::CONNECTIONS, ..config() };
    for name in ["pc-open-gprs-tcp-or-udp", "pc-open-gprs-nan"] {
        let mut cat = Cat::new(config.clone());
        let asked = run(&mut cat, name);
        assert!(matches!(asked.effects.as_slice(), [Effect::Ask(HostRequest::Connect(_))]));
        let done = cat.complete(HostAnswer::Done).unwrap();
        assert_eq!(done.terminal_response, Some(vector("tr-open-channel-ok")), "{name}");
    }
}

#[test]
fn sc_109_a_server_channel_listens() {
    let mut cat = engine();
    assert_eq!(cat.bip_mut().connect(3516), None);
    let effects = check(&mut cat, "srv-pc-open-3516", "srv-tr-open-listen");
    assert_eq!(effects, [Effect::Listening { port: 3516 }]);
    assert!(cat.bip().is_listening(3516) && !cat.bip().is_listening(3517));
}

#[test]
fn sc_087_what_would_not_fit_is_refused() {
    let oversized = [
        &[0xD0, 0x81, 0xF8, 0x81, 3, 1, 0x40, 0, 0x82, 2, 0x81, 0x82, 0x39, 2, 1, 0][..],
        &[0x3C, 3, 3, 0x0D, 0xBC, 0xB5, 0x81, 0xE3],
        &[0x02; 0xE3],
    ];
    let mut octets = oversized.concat();
    let open = engine().proactive(&octets, at(0)).unwrap();
    assert_eq!(hex(open.terminal_response.as_deref()), "810301400082028281830132");
    // The same octets as a service record, which an envelope would have to carry.
    octets[6] = 0x47;
    octets[21] = 0x41;
    let declare = engine().proactive(&octets, at(0)).unwrap();
    assert_eq!(hex(declare.terminal_response.as_deref()), "81030147008202828183023A08");
}

#[test]
fn sc_110_open_fails_or_shrinks() {
    let mut cat = server();
    check(&mut cat, "srv-pc-open-3516", "srv-tr-open-port-used");
    let mut cat = Cat::new(Config { channel_buffer: 1024, channels: 1, ..config() });
    check(&mut cat, "srv-pc-open-3516", "srv-tr-open-smaller");
    let other_port = "810301400082028182390205783C03030DBD";
    let nochannel = hex::encode(&vector("srv-tr-open-nochannel"));
    check_octets(&mut cat, at(0), other_port, &nochannel);
    let unknown_level = "810301400082028182390205783C03070DBD";
    check_octets(&mut cat, at(0), unknown_level, "81030140008202828183023A0639020578");
    let mut cat = engine();
    let no_buffer = "810301400082028182390200003C03030DBD";
    check_octets(&mut cat, at(0), no_buffer, "81030140008202828183023A0439020000");
}

#[test]
fn sc_111_sc_112_events_of_a_client() {
    let mut cat = server();
    let client = cat.bip_mut().connect(3516).unwrap();
    write_all(cat.bip_mut(), client, &counting(300));
    check_envelope(&mut cat, at(0), "env-chstatus-established");
    check_envelope(&mut cat, at(0), "env-data-available-ff");
    write_all(cat.bip_mut(), client, &counting(10));
    assert_eq!(cat.next_envelope(at(0)), None);
}

#[test]
fn sc_112_an_emptied_buffer_is_told_again() {
    let (mut cat, client) = connected();
    write_all(cat.bip_mut(), client, b"abc");
    cat.next_envelope(at(0)).unwrap();
    cat.envelope_answered(0x9000, at(0));
    run(&mut cat, "srv-pc-receive-237");
    write_all(cat.bip_mut(), client, &counting(42));
    check_envelope(&mut cat, at(0), "srv-env-data-available-42");
}

#[test]
fn sc_113_sc_114_receive_data() {
    let (mut cat, client) = connected();
    write_all(cat.bip_mut(), client, &counting(279));
    check(&mut cat, "srv-pc-receive-237", "srv-tr-receive-237");
    run(&mut cat, "srv-pc-receive-237");
    write_all(cat.bip_mut(), client, b"\r\n\r\n");
    let short = hex::encode(&vector("srv-tr-receive-short"));
    check_octets(&mut cat, at(0), "810303420082028121B701ED", &short);
    check_octets(&mut cat, at(0), "810303420082028121B701ED", "810303420082028281830102B70100");
}

#[test]
fn sc_113_a_recorded_exchange_of_200_octets() {
    let (mut cat, client) = connected();
    let expected = vector("tr-receive-200");
    let start = expected.len() - 203;
    write_all(cat.bip_mut(), client, &expected[start..start + 200]);
    write_all(cat.bip_mut(), client, &[0; 300]);
    check(&mut cat, "pc-receive-200", "tr-receive-200");
}

#[test]
fn a_card_that_wants_more_than_fits_gets_237_octets() {
    let (mut cat, client) = connected();
    write_all(cat.bip_mut(), client, &counting(240));
    let reaction = cat.proactive(&command("810302420082028121B701FF"), at(0)).unwrap();
    let response = reaction.terminal_response.unwrap();
    assert_eq!(response[9..15], [0x83, 0x01, 0x00, 0xB6, 0x81, 0xED]);
    assert_eq!((response.len(), &response[252..]), (255, &[0xB7, 0x01, 0x03][..]));
}

#[test]
fn sc_115_stored_octets_leave_with_the_next_ones() {
    let (mut cat, client) = connected();
    let stored = hex::encode(&vector("tr-send-ok")).replacen("014301", "014300", 1);
    let reaction = run(&mut cat, "pc-send-200-store");
    assert_eq!(hex(reaction.terminal_response.as_deref()), stored);
    assert_eq!(read_all(cat.bip_mut(), client), b"");
    check(&mut cat, "pc-send-8-now", "tr-send-ok");
    let expected = [counting(200), counting(8)].concat();
    assert_eq!(read_all(cat.bip_mut(), client), expected);
}

#[test]
fn sc_115_what_the_card_sends_now_is_what_its_client_reads() {
    let (mut cat, client) = connected();
    let reaction = run(&mut cat, "srv-pc-send-http200");
    assert_eq!(hex(reaction.terminal_response.as_deref()), "810304430182028281830100B701FF");
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\
                   Content-Type: application/vnd.syncml.dm+wbxml\r\n\r\n\x02\xA4\x01\x6A\x00";
    assert_eq!(read_all(cat.bip_mut(), client), answer);
}

#[test]
fn sending_more_than_is_free_takes_nothing() {
    let mut cat = server();
    check_octets(
        &mut cat,
        at(0),
        "810301400082028182390201003C03031000",
        "8103014000820282818301003802420039020100",
    );
    let client = cat.bip_mut().connect(0x1000).unwrap();
    let send = |qualifier: u8| {
        let mut octets = vector("pc-send-200-store");
        octets[7] = qualifier;
        octets[11] = 0x22;
        octets
    };
    let first = cat.proactive(&send(0), at(0)).unwrap();
    assert_eq!(hex(first.terminal_response.as_deref()), "810301430082028281830100B70138");
    let second = cat.proactive(&send(1), at(0)).unwrap();
    let refused = "81030143018202828183023A00B70138";
    assert_eq!(hex(second.terminal_response.as_deref()), refused);
    check_octets(&mut cat, at(0), "810301430182028122B60161", "810301430182028281830100B701FF");
    assert_eq!(read_all(cat.bip_mut(), client).len(), 201);
}

#[test]
fn sc_116_closing_to_listen_and_closing_for_good() {
    let (mut cat, client) = connected();
    check(&mut cat, "pc-send-8-now", "tr-send-ok");
    let effects = run(&mut cat, "srv-pc-close-listen").effects;
    assert!(effects.is_empty());
    assert_eq!(cat.next_envelope(at(0)), None);
    assert!(cat.bip().is_open(client), "octets are still unread");
    assert!(!cat.bip().is_connected(client));
    assert_eq!(read_all(cat.bip_mut(), client), counting(8));
    assert!(!cat.bip().is_open(client));
    assert!(cat.bip().is_listening(3516));
    let reaction = run(&mut cat, "srv-pc-close-full");
    assert_eq!(reaction.effects, [Effect::ListenerClosed { port: 3516 }]);
    assert!(!cat.bip().is_listening(3516));
    assert_eq!(cat.bip_mut().connect(3516), None);
}

#[test]
fn sc_117_closed_channels_and_wrong_channels() {
    let mut cat = server();
    let nobody = run(&mut cat, "pc-send-8-now").terminal_response;
    assert_eq!(hex(nobody.as_deref()), "81030143018202828183023A02");
    run(&mut cat, "pc-close-channel1");
    check(&mut cat, "pc-close-channel1", "tr-close-already-closed");
    let mut cat = engine();
    check(&mut cat, "pc-close-channel1", "tr-close-invalid-id");
    check(&mut cat, "pc-send-8-now", "tr-send-invalid-id");
    let terminal = "810301410082028182";
    check_octets(&mut cat, at(0), terminal, "81030141008202828183023A03");
}

#[test]
fn sc_118_channel_status() {
    let (mut cat, _client) = connected();
    check(&mut cat, "pc-get-channel-status", "tr-chstatus-est");
    run(&mut cat, "trg-pc-open-udp-local-2948");
    let both = "810301440082028281830100B8028100B8028200";
    check_octets(&mut cat, at(0), "810301440082028182", both);
}

#[test]
fn sc_119_a_client_that_leaves_leaves_its_octets() {
    let (mut cat, client) = connected();
    write_all(cat.bip_mut(), client, &counting(42));
    cat.bip_mut().close(client);
    check_envelope(&mut cat, at(0), "srv-env-data-available-42");
    check_envelope(&mut cat, at(0), "env-chstatus-listen");
    assert_eq!(cat.bip_mut().write(client, b"late"), 0);
    let reaction = run(&mut cat, "srv-pc-receive-237");
    let response = reaction.terminal_response.unwrap();
    assert_eq!(response[12..14], [0xB6, 42]);
}

#[test]
fn a_new_client_does_not_inherit_octets() {
    let (mut cat, client) = connected();
    write_all(cat.bip_mut(), client, b"old");
    cat.bip_mut().close(client);
    let second = cat.bip_mut().connect(3516).unwrap();
    assert_ne!(client, second);
    check_envelope(&mut cat, at(0), "env-chstatus-listen");
    check_envelope(&mut cat, at(0), "env-chstatus-established");
    write_all(cat.bip_mut(), second, &counting(42));
    check_envelope(&mut cat, at(0), "srv-env-data-available-42");
}

#[test]
fn sc_120_a_busy_card_is_asked_again() {
    let (mut cat, client) = connected();
    write_all(cat.bip_mut(), client, &counting(42));
    let mut now = Now::default();
    for wait in [100, 200, 400, 800, 1600, 2000, 2000, 2000, 2000] {
        assert_eq!(cat.next_envelope(now), Some(vector("srv-env-data-available-42")));
        cat.envelope_answered(0x9300, now);
        assert_eq!(cat.deadline(), Some(now.mono_ms + wait));
        now.mono_ms += wait - 1;
        assert_eq!(cat.next_envelope(now), None);
        now.mono_ms += 1;
    }
    assert!(cat.next_envelope(now).is_some());
    cat.envelope_answered(0x9300, now);
    assert_eq!(cat.next_envelope(Now { mono_ms: now.mono_ms + 60_000, ..now }), None);
    run(&mut cat, "pc-more-time");
    check_envelope(&mut cat, now, "srv-env-data-available-42");
}

#[test]
fn sc_121_a_second_client_is_refused() {
    let (mut cat, client) = connected();
    assert_eq!(cat.bip_mut().connect(3516), None);
    write_all(cat.bip_mut(), client, b"first");
    assert!(cat.bip().is_open(client));
}

#[test]
fn sc_122_a_long_upload_arrives_in_order() {
    let (mut cat, client) = connected();
    let upload: Vec<u8> = (0..10_000u32).map(|n| (n % 251) as u8).collect();
    let (mut sent, mut received) = (0, Vec::<u8>::new());
    while received.len() < upload.len() {
        sent += cat.bip_mut().write(client, &upload[sent..]);
        let paused = sent - received.len();
        assert!(paused <= 1400);
        let response = run(&mut cat, "srv-pc-receive-237").terminal_response.unwrap();
        let (length, start) =
            if response[13] == 0x81 { (response[14], 15) } else { (response[13], 14) };
        received.extend(&response[start..start + usize::from(length)]);
    }
    assert_eq!(received, upload);
}

#[test]
fn sc_123_an_event_that_is_not_wanted_changes_the_status_all_the_same() {
    let mut cat = engine();
    run(&mut cat, "srv-pc-open-3516");
    cat.bip_mut().connect(3516).unwrap();
    assert_eq!(cat.next_envelope(at(0)), None);
    check(&mut cat, "pc-get-channel-status", "tr-chstatus-est");
}

#[test]
fn sc_130_a_notification_over_a_local_datagram() {
    let mut cat = engine();
    check(&mut cat, "trg-pc-open-udp-local-2948", "trg-tr-open-udp-local");
    let effects = check(&mut cat, "trg-pc-send-notification", "trg-tr-send-notification");
    let [Effect::Datagram { port, octets, .. }] = effects.as_slice() else { panic!() };
    assert_eq!((*port, octets), (2948, &vector("wsp-push-dm-notification")));
    let effects = run(&mut cat, "pc-close-channel1").effects;
    assert!(effects.is_empty());
}

#[test]
fn sc_130_a_notification_over_a_local_stream() {
    let mut cat = engine();
    let open = "810301400082028182390201003C03050B84";
    let opened = hex::encode(&vector("trg-tr-open-udp-local"));
    check_octets(&mut cat, at(0), open, &opened);
    let effects = check(&mut cat, "trg-pc-send-notification", "trg-tr-send-notification");
    assert!(effects.is_empty());
    let octets = vector("wsp-push-dm-notification");
    let effects = run(&mut cat, "pc-close-channel1").effects;
    assert_eq!(effects, [Effect::StreamClosed { port: 2948, octets }]);
}

#[test]
fn sc_131_no_listener() {
    let mut cat = Cat::new(Config { listeners: Vec::new(), ..config() });
    check(&mut cat, "trg-pc-open-udp-local-2948", "trg-tr-transport-unavail");
    let listeners = vec![Listener { level: Level::TcpLocal, port: 2948 }];
    let mut cat = Cat::new(Config { listeners, ..config() });
    check(&mut cat, "trg-pc-open-udp-local-2948", "trg-tr-transport-unavail");
}

#[test]
fn a_local_application_that_leaves_drops_the_link() {
    let mut cat = engine();
    run(&mut cat, "pc-setup-event-list-bip");
    run(&mut cat, "trg-pc-open-udp-local-2948");
    let effects = run(&mut cat, "trg-pc-send-notification").effects;
    let [Effect::Datagram { channel, .. }] = effects.as_slice() else { panic!() };
    cat.bip_mut().close(*channel);
    check_envelope(&mut cat, at(0), "env-chstatus-drop");
    check(&mut cat, "pc-get-channel-status", "tr-chstatus-dropped");
}

#[test]
fn a_declared_service_is_asked_to_listen() {
    let mut cat = engine();
    run(&mut cat, "pc-setup-event-list-bip");
    let declared = "810301470082028281830100";
    let reaction = run(&mut cat, "local-pc-declare-service");
    assert_eq!(hex(reaction.terminal_response.as_deref()), declared);
    assert_eq!(cat.bip_mut().connect(3516), None);
    assert_eq!(cat.bip_mut().connect(3516), None);
    check_envelope(&mut cat, at(0), "local-env-local-connection");
    assert_eq!(cat.next_envelope(at(0)), None);
    run(&mut cat, "srv-pc-open-3516");
    assert!(cat.bip_mut().connect(3516).is_some());
    let remove = "810301470182028182C1020001";
    check_octets(&mut cat, at(0), remove, "810301470182028281830100");
    check_octets(&mut cat, at(0), remove, "81030147018202828183023A09");
}
