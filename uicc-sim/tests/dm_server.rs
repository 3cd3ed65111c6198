//! The DM server against a scripted terminal: one good session and many bad ones.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use support::*;
use uicc_sim::application::Application as _;
use uicc_sim::dm::wbxml::{Element, SYNCML};

const TWO_PACKAGES: &str = r#"
[[package]]
commands = [
    { get = "./DevDetail/SwV", results_prefix = "v" },
    { add = "./A", format = "node", expect = [200, 418] },
    { atomic = [ { add = "./A/B", value = "1" }, { replace = "./A/C", value = "{session}" } ] },
    { confirm = "Go on?" },
]
[[package]]
commands = [ { get = "./A/C", results = "{session}" } ]
"#;

const CODES: [&str; 6] = ["200", "200", "200", "200", "200", "200"];

/// Answers the first package of the script.
fn first_answer(terminal: &mut Terminal, package: &Element) -> Vec<Element> {
    assert!(terminal.server_is_right(package));
    let mut commands = terminal.statuses(package, &CODES);
    let get = value(commands_of(package)[0], &["CmdID"]);
    commands.insert(2, results(package, &get, "./DevDetail/SwV", "v1"));
    commands
}

/// Package 1, the answer to the first package; the second package comes back.
fn to_second_package(terminal: &mut Terminal) -> Element {
    let package = terminal.open("1200").unwrap();
    let answer = first_answer(terminal, &package);
    terminal.reply(answer, true).unwrap()
}

fn second_answer(package: &Element, result: &str) -> Vec<Element> {
    let get = value(commands_of(package)[0], &["CmdID"]);
    vec![
        status(package, "0", "SyncHdr", "212"),
        status(package, &get, "Get", "200"),
        results(package, &get, "./A/C", result),
    ]
}

fn good_session(terminal: &mut Terminal, number: &str) {
    terminal.triggered();
    let package = to_second_package(terminal);
    let end = terminal.reply(second_answer(&package, number), true).unwrap();
    assert!(commands_of(&end).is_empty());
    assert_eq!(all(&end, "Final").len(), 1);
}

#[test]
fn a_session_with_every_expectation_met_is_good() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    good_session(&mut terminal, "1");
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
    assert_eq!(terminal.missed(), Vec::<String>::new());
}

#[test]
fn nonces_go_on_from_session_to_session() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    for number in ["1", "2", "3"] {
        good_session(&mut terminal, number);
    }
    assert_eq!(terminal.verdicts(), (3, 0), "{}", terminal.report());
    assert_ne!(terminal.client_nonce, b"n1");
}

#[test]
fn the_next_notification_is_signed_with_the_terminals_nonce() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    good_session(&mut terminal, "1");
    let push = terminal.server.notification();
    let inner = base64(&md5(b"card:csec"));
    let trigger = base64(&md5(&push[22..]));
    let input = [inner.as_bytes(), b":", &terminal.server_nonce, b":", trigger.as_bytes()].concat();
    assert_eq!(push[6..22], md5(&input));
}

fn md5(octets: &[u8]) -> Vec<u8> {
    use md5::Digest as _;
    md5::Md5::digest(octets).to_vec()
}

#[test]
fn package_2_answers_the_header_the_alert_and_the_device_information() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    terminal.triggered();
    let package = terminal.open("1200").unwrap();
    let answers: Vec<_> = all(&package, "Status")
        .iter()
        .map(|status| {
            (value(status, &["CmdRef"]), value(status, &["Cmd"]), value(status, &["Data"]))
        })
        .collect();
    let expected = [("0", "SyncHdr", "212"), ("1", "Alert", "200"), ("2", "Replace", "200")]
        .map(|(id, cmd, code)| (id.to_owned(), cmd.to_owned(), code.to_owned()));
    assert_eq!(answers, expected);
    assert_eq!(value(&package, &["SyncHdr", "Meta", "MaxMsgSize"]), "4096");
    assert_eq!(value(&package, &["SyncHdr", "SessionID"]), terminal.session_id);
    let names: Vec<_> = commands_of(&package).iter().map(|command| command.name).collect();
    assert_eq!(names, ["Get", "Add", "Atomic", "Add", "Replace", "Alert"]);
}

#[test]
fn a_session_of_the_terminals_own_begins_with_1201() {
    let mut terminal = Terminal::new("");
    terminal.session_id = "77".to_owned();
    let end = terminal.open("1201").unwrap();
    assert!(commands_of(&end).is_empty());
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
    terminal.session_id = "78".to_owned();
    terminal.msg_id = 0;
    terminal.open("1200").unwrap();
    assert_eq!(terminal.verdicts(), (1, 1));
}

#[test]
fn missing_credentials_are_challenged_once() {
    let mut terminal = Terminal::new("");
    terminal.triggered();
    let header = terminal.header(false);
    let message = Terminal::message(header, terminal.opening("1200"), true);
    let challenge = terminal.exchange(&message).unwrap();
    let codes: Vec<_> =
        all(&challenge, "Status").iter().map(|status| value(status, &["Data"])).collect();
    assert_eq!(codes, ["407", "407", "407"]);
    let mut commands = vec![status(&challenge, "0", "SyncHdr", "200")];
    commands.extend(terminal.opening("1200"));
    let header = terminal.header(true);
    let end = terminal.exchange(&Terminal::message(header, numbered(commands), true)).unwrap();
    assert_eq!(value(all(&end, "Status")[0], &["Data"]), "212");
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
}

#[test]
fn credentials_that_stay_wrong_end_the_session() {
    let mut terminal = Terminal::new("");
    terminal.triggered();
    for expected in ["401", "401", "401"] {
        terminal.client_nonce = b"never".to_vec();
        let header = terminal.header(true);
        let commands = terminal.opening("1200");
        let answer = terminal.exchange(&Terminal::message(header, commands, true)).unwrap();
        assert_eq!(value(all(&answer, "Status")[0], &["Data"]), expected);
    }
    assert_eq!(terminal.verdicts(), (0, 1));
}

/// Runs a session whose answer to the first package went through `change`, to its end.
fn changed(change: impl Fn(&mut Vec<Element>)) -> Terminal {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    terminal.triggered();
    let package = terminal.open("1200").unwrap();
    let mut answer = first_answer(&mut terminal, &package);
    change(&mut answer);
    let package = terminal.reply(answer, true).unwrap();
    terminal.reply(second_answer(&package, "1"), true).unwrap();
    terminal
}

fn set_code(status: &mut Element, code: &str) {
    status.content.pop();
    status.push(text("Data", code));
}

/// What is done to a list of commands.
type Change = fn(&mut Vec<Element>);

#[test]
fn each_wrong_answer_makes_the_session_bad() {
    let cases: [(&str, Change); 8] = [
        ("Add ./A: Status 405 instead of [200, 418]", |answer| set_code(&mut answer[3], "405")),
        ("Atomic: Status 507 instead of [200]", |answer| set_code(&mut answer[4], "507")),
        ("Add ./A/B: no Status", |answer| drop(answer.remove(5))),
        ("Status for Add out of order", |answer| answer.swap(3, 4)),
        ("Results without a Status 200 before them", |answer| answer.swap(1, 2)),
        ("Get ./DevDetail/SwV: no Results", |answer| drop(answer.remove(2))),
        ("the first Status is not the one for SyncHdr", |answer| answer.swap(0, 1)),
        ("that was not sent", |answer| {
            let mut extra = answer[3].clone();
            extra.content[2] = uicc_sim::dm::wbxml::Content::Element(text("CmdRef", "99"));
            answer.push(extra);
        }),
    ];
    for (fault, change) in cases {
        let terminal = changed(change);
        assert_eq!(terminal.verdicts(), (0, 1), "{fault}");
        let missed = terminal.missed();
        assert!(missed.iter().any(|line| line.contains(fault)), "{fault}: {missed:#?}");
    }
    assert_eq!(changed(|_| {}).verdicts(), (1, 0));
}

#[test]
fn another_result_makes_the_session_bad() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    terminal.triggered();
    let package = to_second_package(&mut terminal);
    terminal.reply(second_answer(&package, "other"), true).unwrap();
    assert_eq!(terminal.verdicts(), (0, 1));
    assert!(terminal.missed()[0].contains("Get ./A/C: 5 octets came that are not as wanted"));
}

#[test]
fn package_1_is_checked_in_every_detail() {
    let cases: [(&str, Change); 5] = [
        ("alerts [] instead of 1200", |commands| drop(commands.remove(0))),
        ("no Replace with DevInfo", |commands| drop(commands.remove(1))),
        ("no DevInfo/Lang", |commands| drop(commands[1].content.pop())),
        ("DevInfo item with Target", |commands| {
            let item = Element::new(SYNCML, "Item")
                .with(located("Target", "./DevInfo/Ext"))
                .with(text("Data", "x"));
            commands[1].push(item);
        }),
        ("is not unique", |commands| {
            commands[1].content[0] = uicc_sim::dm::wbxml::Content::Element(text("CmdID", "1"));
        }),
    ];
    for (fault, change) in cases {
        let mut terminal = Terminal::new("");
        terminal.triggered();
        let mut commands = terminal.opening("1200");
        change(&mut commands);
        let header = terminal.header(true);
        terminal.exchange(&Terminal::message(header, commands, true));
        assert_eq!(terminal.verdicts(), (0, 1), "{fault}");
        let missed = terminal.missed();
        assert!(missed.iter().any(|line| line.contains(fault)), "{fault}: {missed:#?}");
    }
}

#[test]
fn the_header_is_checked_in_every_detail() {
    let cases: [(&str, usize, &str); 4] =
        [("VerDTD", 0, "1.1"), ("VerProto", 1, "DM/1.1"), ("MsgID", 3, "2"), ("Target", 4, "")];
    for (name, index, wrong) in cases {
        let mut terminal = Terminal::new("");
        terminal.triggered();
        let mut header = terminal.header(true);
        let element = match name {
            "Target" => located("Target", "http://127.0.0.1:3516/other"),
            "VerDTD" => text("VerDTD", wrong),
            "VerProto" => text("VerProto", wrong),
            _ => text("MsgID", wrong),
        };
        header.content[index] = uicc_sim::dm::wbxml::Content::Element(element);
        terminal.exchange(&Terminal::message(header, terminal.opening("1200"), true));
        assert_eq!(terminal.verdicts(), (0, 1), "{name}");
        assert!(terminal.missed()[0].contains(name), "{:?}", terminal.missed());
    }
}

#[test]
fn elements_out_of_order_are_found() {
    let mut terminal = Terminal::new("");
    terminal.triggered();
    let mut commands = terminal.opening("1200");
    commands[0].content.swap(0, 1);
    let header = terminal.header(true);
    terminal.exchange(&Terminal::message(header, commands, true));
    assert!(
        terminal.missed()[0].contains("CmdID too late inside Alert"),
        "{:?}",
        terminal.missed()
    );
}

#[test]
fn a_package_in_several_messages_is_asked_for() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    terminal.triggered();
    let package = terminal.open("1200").unwrap();
    let mut answer = first_answer(&mut terminal, &package);
    let rest = answer.split_off(4);
    let more = terminal.reply(answer, false).unwrap();
    let names: Vec<_> = commands_of(&more).iter().map(|command| command.name).collect();
    assert_eq!(names, ["Alert"]);
    assert_eq!(value(commands_of(&more)[0], &["Data"]), "1222");
    assert!(all(&more, "Final").is_empty());
    let next = value(commands_of(&more)[0], &["CmdID"]);
    let mut commands =
        vec![status(&more, "0", "SyncHdr", "212"), status(&more, &next, "Alert", "200")];
    commands.extend(rest);
    let package = terminal.reply(commands, true).unwrap();
    terminal.reply(second_answer(&package, "1"), true).unwrap();
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
}

#[test]
fn results_in_pieces_are_joined() {
    let script = "[[package]]\ncommands = [ { get = './Big', results_fill = 20 } ]";
    for (size, verdict) in [("20", (1, 0)), ("21", (0, 1))] {
        let mut terminal = Terminal::new(script);
        terminal.triggered();
        let package = terminal.open("1200").unwrap();
        let get = value(commands_of(&package)[0], &["CmdID"]);
        let mut first = results(&package, &get, "./Big", "[000000][000");
        let Some(uicc_sim::dm::wbxml::Content::Element(item)) = first.content.last_mut() else {
            panic!("no item")
        };
        let data = item.content.pop().unwrap();
        item.push(meta(&[("Size", size)]));
        item.content.push(data);
        item.push(Element::new(SYNCML, "MoreData"));
        let mut commands = terminal.statuses(&package, &["200"]);
        commands.push(first);
        let more = terminal.reply(commands, false).unwrap();
        let accepted = all(&more, "Status");
        let accepted = accepted.iter().find(|status| value(status, &["Cmd"]) == "Results").unwrap();
        assert_eq!(value(accepted, &["Data"]), "213");
        let next = value(commands_of(&more)[0], &["CmdID"]);
        let commands = vec![
            status(&more, "0", "SyncHdr", "212"),
            status(&more, &next, "Alert", "200"),
            results(&package, &get, "./Big", "008][000"),
        ];
        terminal.reply(commands, true).unwrap();
        assert_eq!(terminal.verdicts(), verdict, "{}", terminal.report());
    }
}

#[test]
fn a_value_in_pieces_goes_out_message_by_message() {
    let script = "[[package]]\ncommands = [ { replace = './Big', fill = 30, chunk = 16 } ]";
    let mut terminal = Terminal::new(script);
    terminal.triggered();
    let first = terminal.open("1200").unwrap();
    assert!(all(&first, "Final").is_empty());
    assert_eq!(all(&first, "MoreData").len(), 1);
    assert_eq!(value(commands_of(&first)[0], &["Item", "Meta", "Size"]), "30");
    let mut commands = terminal.statuses(&first, &["213"]);
    commands
        .push(Element::new(SYNCML, "Alert").with(text("CmdID", "0")).with(text("Data", "1222")));
    let second = terminal.reply(commands, false).unwrap();
    assert_eq!(all(&second, "Final").len(), 1);
    assert!(all(&second, "MoreData").is_empty());
    let commands = vec![
        status(&second, "0", "SyncHdr", "212"),
        status(&second, &value(commands_of(&second)[0], &["CmdID"]), "Replace", "200"),
    ];
    terminal.reply(commands, true).unwrap();
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
}

#[test]
fn a_session_left_in_the_middle_is_bad_when_the_next_begins() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    terminal.triggered();
    terminal.open("1200").unwrap();
    assert_eq!(terminal.verdicts(), (0, 0));
    good_session(&mut terminal, "2");
    assert_eq!(terminal.verdicts(), (1, 1), "{}", terminal.report());
}

#[test]
fn an_aborted_session_is_bad() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    terminal.triggered();
    let package = terminal.open("1200").unwrap();
    let abort = Element::new(SYNCML, "Alert").with(text("CmdID", "0")).with(text("Data", "1223"));
    let commands = vec![terminal.header_status(&package, "212"), abort];
    assert!(terminal.reply(commands, true).is_none());
    assert_eq!(terminal.verdicts(), (0, 1));
}

#[test]
fn a_message_behind_the_end_takes_the_good_verdict_back() {
    let mut terminal = Terminal::new("");
    terminal.triggered();
    let end = terminal.open("1200").unwrap();
    assert_eq!(terminal.verdicts(), (1, 0));
    assert!(terminal.reply(vec![status(&end, "0", "SyncHdr", "212")], true).is_none());
    assert_eq!(terminal.verdicts(), (0, 1));
}

#[test]
fn nonces_in_a_memory_file_outlive_the_program() {
    let name = format!("uicc-sim-memory-{}", std::process::id());
    let file = std::env::temp_dir().join(name);
    let settings = format!("server = {{ memory_file = '{}' }}", file.display());
    let mut terminal = Terminal::with(&settings, TWO_PACKAGES);
    good_session(&mut terminal, "1");
    let mut again = Terminal::with(&settings, TWO_PACKAGES);
    again.client_nonce = terminal.client_nonce;
    again.server_nonce = terminal.server_nonce;
    again.issued = terminal.issued;
    good_session(&mut again, "2");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(again.verdicts(), (1, 0), "{}", again.report());
    assert!(!again.report().contains("challenged"));
}

#[test]
fn an_event_behind_the_end_goes_on_with_the_session() {
    for (mime, verdict) in [("Content-Type: text/plain", (1, 0)), ("text/plain", (0, 1))] {
        let mut terminal = Terminal::new("");
        terminal.triggered();
        let end = terminal.open("1200").unwrap();
        let item = Element::new(SYNCML, "Item")
            .with(meta(&[("Type", mime), ("Format", "chr")]))
            .with(text("Data", "x"));
        let alert = Element::new(SYNCML, "Alert")
            .with(text("CmdID", "0"))
            .with(text("Data", "1226"))
            .with(item);
        let commands = vec![terminal.header_status(&end, "212"), alert];
        let end = terminal.reply(commands, true).unwrap();
        assert_eq!(all(&end, "Final").len(), 1);
        assert_eq!(terminal.verdicts(), verdict, "{}", terminal.report());
    }
}

#[test]
fn no_octets_make_the_server_panic() {
    let mut terminal = Terminal::new(TWO_PACKAGES);
    terminal.triggered();
    let header = terminal.header(true);
    let body = Terminal::message(header, terminal.opening("1200"), true);
    for at in 0..body.len() {
        let mut changed = body.clone();
        changed[at] = changed[at].wrapping_add(at as u8).wrapping_add(1);
        terminal.post(&changed);
        terminal.server.http_received(&changed);
        terminal.server.http_closed();
    }
}

#[test]
fn resp_uri_has_to_be_followed() {
    let settings = "server = { resp_query = 's={session}' }";
    for (follows, verdict) in [(true, (1, 0)), (false, (0, 1))] {
        let mut terminal = Terminal::with(settings, TWO_PACKAGES);
        terminal.triggered();
        let package = terminal.open("1200").unwrap();
        assert_eq!(terminal.address, format!("{ADDRESS}?s={}", terminal.session_id));
        if !follows {
            terminal.address = ADDRESS.to_owned();
        }
        let answer = first_answer(&mut terminal, &package);
        let package = terminal.reply(answer, true).unwrap();
        terminal.reply(second_answer(&package, "1"), true).unwrap();
        assert_eq!(terminal.verdicts(), verdict, "{}", terminal.report());
    }
}

#[test]
fn credentials_for_each_message_when_the_profile_says_so() {
    let mut terminal = Terminal::with("server = { credentials = 'message' }", TWO_PACKAGES);
    terminal.triggered();
    let package = terminal.open("1200").unwrap();
    assert_eq!(value(all(&package, "Status")[0], &["Data"]), "200");
    let answer = first_answer(&mut terminal, &package);
    let header = terminal.header(true);
    let package = terminal.exchange(&Terminal::message(header, numbered(answer), true)).unwrap();
    let header = terminal.header(true);
    let answer = numbered(second_answer(&package, "1"));
    terminal.exchange(&Terminal::message(header, answer, true)).unwrap();
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
}

#[test]
fn wrong_server_credentials_have_to_be_refused_twice() {
    let script = "[[package]]\ncommands = [ { get = './A' } ]";
    let settings = "server = { fault = { server_credentials = true } }";
    let mut terminal = Terminal::with(settings, script);
    terminal.triggered();
    let mut package = terminal.open("1200").unwrap();
    for last in [false, true] {
        assert!(!terminal.server_is_right(&package));
        let get = value(commands_of(&package)[0], &["CmdID"]);
        let commands =
            vec![terminal.header_status(&package, "401"), status(&package, &get, "Get", "401")];
        match terminal.reply(commands, true) {
            Some(again) => package = again,
            None => assert!(last),
        }
    }
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
}

#[test]
fn wrong_server_credentials_that_are_accepted_make_the_session_bad() {
    let settings = "server = { fault = { server_credentials = true } }";
    let mut terminal = Terminal::with(settings, "[[package]]\ncommands = [ { get = './A' } ]");
    terminal.triggered();
    let package = terminal.open("1200").unwrap();
    let get = value(commands_of(&package)[0], &["CmdID"]);
    let mut commands = terminal.statuses(&package, &["200"]);
    commands.push(results(&package, &get, "./A", ""));
    terminal.reply(commands, true).unwrap();
    assert_eq!(terminal.verdicts(), (0, 1));
}

#[test]
fn a_stale_server_nonce_is_renewed_by_the_terminals_challenge() {
    let mut terminal = Terminal::new("[[package]]\ncommands = [ { delete = './A' } ]");
    terminal.server_nonce = b"another".to_vec();
    terminal.triggered();
    let package = terminal.open("1200").unwrap();
    assert!(!terminal.server_is_right(&package));
    let id = value(commands_of(&package)[0], &["CmdID"]);
    let commands =
        vec![terminal.header_status(&package, "401"), status(&package, &id, "Delete", "401")];
    let package = terminal.reply(commands, true).unwrap();
    assert!(terminal.server_is_right(&package));
    let commands = terminal.statuses(&package, &["200"]);
    terminal.reply(commands, true).unwrap();
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
}

#[test]
fn a_session_after_a_wrong_notification_is_bad() {
    for settings in
        ["notification = { digest = 'wrong' }", "notification = { server_id = 'other' }"]
    {
        let mut terminal = Terminal::with(settings, "");
        terminal.triggered();
        assert_eq!(terminal.verdicts(), (0, 0));
        terminal.open("1200").unwrap();
        assert_eq!(terminal.verdicts(), (0, 1), "{settings}");
    }
}

#[test]
fn resynchronisation_uses_the_zero_nonce_both_ways() {
    let mut terminal = Terminal::with("notification = { digest = 'resync' }", TWO_PACKAGES);
    terminal.triggered();
    terminal.client_nonce = vec![0; 4];
    terminal.server_nonce = vec![0; 4];
    let package = to_second_package(&mut terminal);
    terminal.reply(second_answer(&package, "1"), true).unwrap();
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
}

#[test]
fn http_500_as_often_as_the_profile_says() {
    let settings = "server = { fault = { http_status = 500, times = 2 } }";
    let mut terminal = Terminal::with(settings, "");
    terminal.triggered();
    let header = terminal.header(true);
    let message = Terminal::message(header, terminal.opening("1200"), true);
    for expected in ["HTTP/1.1 500", "HTTP/1.1 500", "HTTP/1.1 200"] {
        assert!(terminal.post(&message).0.starts_with(expected));
    }
    assert_eq!(terminal.verdicts(), (1, 0));
}

#[test]
fn a_server_that_stops_closes_and_says_nothing_more() {
    let settings = "server = { fault = { close_after = 1, times = 1 } }";
    let mut terminal = Terminal::with(settings, TWO_PACKAGES);
    terminal.triggered();
    let header = terminal.header(true);
    let message = Terminal::message(header, terminal.opening("1200"), true);
    let (status, body, closed) = terminal.post(&message);
    assert!(status.starts_with("HTTP/1.1 200") && !body.is_empty() && closed);
    let header = terminal.header(false);
    let silence = terminal.post(&Terminal::message(header, Vec::new(), true));
    assert_eq!(silence, (String::new(), Vec::new(), true));
    assert_eq!(terminal.verdicts(), (0, 0));
    let nonce = all(&uicc_sim::dm::wbxml::decode(&body).unwrap().0, "NextNonce")[0].value();
    terminal.client_nonce = from_base64(&nonce);
    good_session(&mut terminal, "2");
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
}

#[test]
fn http_requests_that_are_none_of_ours_are_refused() {
    let request = |line: &str, host: &str, mime: &str| {
        format!("{line} HTTP/1.1\r\n{host}Content-Type: {mime}\r\nContent-Length: 1\r\n\r\nx")
    };
    let host = "Host: 127.0.0.1:3516\r\n";
    let cases = [
        (request("POST /other", host, MEDIA_TYPE), "404"),
        (request("GET /dm", host, MEDIA_TYPE), "405"),
        (request("POST /dm", "", MEDIA_TYPE), "400"),
        (request("POST /dm", "Host: example.com\r\n", MEDIA_TYPE), "400"),
        (request("POST /dm", host, "application/vnd.syncml+wbxml"), "415"),
        (request("POST /dm", host, MEDIA_TYPE), "400"),
    ];
    for (octets, code) in cases {
        let mut terminal = Terminal::new("");
        let (status, ..) = split_answer(&terminal.server.http_received(octets.as_bytes()));
        assert_eq!(&status[9..12], code, "{octets}");
        assert_eq!(terminal.missed().len(), 1);
    }
}

#[test]
fn chunked_answers_and_closed_connections_by_profile() {
    let settings = "server = { framing = 'chunked', connection = 'close' }";
    let mut terminal = Terminal::with(settings, TWO_PACKAGES);
    good_session(&mut terminal, "1");
    assert_eq!(terminal.verdicts(), (1, 0), "{}", terminal.report());
    let header = terminal.header(true);
    let (.., closed) = terminal.post(&Terminal::message(header, Vec::new(), true));
    assert!(closed);
}
