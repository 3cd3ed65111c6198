//! `dmsc run`: both flows of the enabler, and what stops them.

use crate::support::{Ran, dmsc, dmsc_with, fresh, own, shipped};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use uicc_sim::profile::Profile;

/// Runs with JSON lines.
fn run(card: &str, store: &str, more: &[&str]) -> Ran {
    dmsc(&[&["run", "--json", "--card", card, "--store", store], more].concat())
}

fn value(store: &str, uri: &str) -> Value {
    let tree = dmsc(&["tree", "dump", "--json", "--store", store, uri]).good();
    tree.lines()[0]["nodes"][0]["value"].clone()
}

#[test]
fn both_flows_with_the_demo_card_and_again_after_a_restart() {
    let store = fresh("both-flows");
    let two = ["--answer", "yes", "--push", "sim", "--sessions", "2"];
    let first = run("sim:demo", &store, &two).good();
    let sources: Vec<Value> =
        first.events("trigger").iter().map(|event| event["source"].clone()).collect();
    assert_eq!(sources, ["push", "card"]);
    assert_eq!(first.event("bootstrap_report")["accounts_added"], 1);
    assert_eq!(
        first.event("result"),
        json!({ "event": "result", "wanted": 2, "ended": 2, "failed": 0 })
    );
    assert_eq!(first.event("card_report")["verdict"], "good");
    assert_eq!(first.event("card_report")["good_sessions"], 2);
    assert_eq!(value(&store, "./Operator/Apn"), "internet-2.example");

    // The phone and the card are switched on again: both know where they were.
    let again = run("sim:demo", &store, &["--answer", "yes", "--push", "sim"]).good();
    assert_eq!(again.event("bootstrap_report")["objects_unchanged"], 1);
    assert!(again.events("bootstrap_applied").is_empty());
    assert_eq!(again.event("card_report")["verdict"], "good");
    assert_eq!(value(&store, "./Operator/Apn"), "internet-3.example");
}

#[test]
fn every_event_is_a_readable_line() {
    let store = fresh("lines");
    let card = own("quick");
    let ran = dmsc(&["run", "--card", &card, "--store", &store, "--answer", "no"]);
    let ran = ran.failed("DMSC_ERR_PROTOCOL");
    let session = ran.stdout.find("session 1: the card asks for DM session ").unwrap();
    let lines: Vec<&str> = ran.stdout[session..].lines().skip(1).take(19).collect();
    assert_eq!(
        lines,
        [
            "session 1: wanted with com.example.sc",
            "session 1: begins with com.example.sc",
            "session 1: sent message 1",
            "session 1: received message 1",
            "session 1: display: Your card is being set up",
            "session 1: answered yes",
            "session 1: confirm: Go on?",
            "session 1: answered no",
            "session 1: text: How old are you?",
            "session 1: answered cancelled",
            "session 1: Add ./Operator -> 200",
            "session 1: Add ./Operator/Text -> 200",
            "session 1: Replace ./Operator/Text -> 200",
            "session 1: Alert -> 200",
            "session 1: Alert -> 304",
            "session 1: Alert -> 214",
            "session 1: Alert -> 215",
            "session 1: Alert -> 215",
            "session 1: sent message 2",
        ]
    );
    // The session went well, but the card did not get the answers that it wanted.
    assert!(ran.stdout.contains("\nsession 1: ended well\n"));
    assert!(ran.stdout.contains("\n  BAD  "));
    assert!(ran.stdout.ends_with("\n  verdict: bad\n"));
}

#[test]
fn a_session_is_json_lines_with_stable_names() {
    let store = fresh("json-lines");
    let ran = run(&shipped("t1-oiddo"), &store, &["--request"]).good();
    let names: Vec<String> = ran
        .lines()
        .iter()
        .map(|line| line["event"].as_str().unwrap().to_owned())
        .skip_while(|name| name != "bootstrap_report")
        .collect();
    assert_eq!(
        names,
        [
            "bootstrap_report",
            "session_requested",
            "session_started",
            "package_sent",
            "package_received",
            "command_done",
            "package_sent",
            "package_received",
            "session_ended",
            "result",
            "card_report",
        ]
    );
    assert_eq!(
        ran.event("command_done"),
        json!({
            "event": "command_done",
            "session": 1,
            "command": "Get",
            "uri": "./DevInfo/DevId",
            "status": 200,
        })
    );
    assert_eq!(
        ran.event("session_ended"),
        json!({
            "event": "session_ended",
            "session": 1,
            "server": "com.example.sc",
            "error": null,
        })
    );
    assert_eq!(ran.events("package_sent")[1]["message"], 2);
    let finding = &ran.event("card_report")["findings"][0];
    assert_eq!(*finding, json!({ "good": true, "text": "TERMINAL PROFILE received" }));
}

#[test]
fn questions_are_answered_from_standard_input() {
    let store = fresh("ask");
    let arguments =
        ["run", "--json", "--card", &own("quick"), "--store", &store, "--answer", "ask"];
    // What is no answer is asked for again.
    let ran = dmsc_with("perhaps\ny\nold\n42\n3\n2\n1 3\n", &arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.event("card_report")["verdict"], "good");
    let questions = ran.events("question");
    assert_eq!(
        questions[3],
        json!({
            "event": "question",
            "session": 1,
            "kind": "choice",
            "text": "Which plan?",
            "choices": ["small", "large"],
            "seconds": null,
        })
    );
    let outcomes: Vec<Value> =
        ran.events("answer").iter().map(|answer| answer["outcome"].clone()).collect();
    assert_eq!(outcomes, ["yes", "yes", "text", "choices", "choices"]);
    assert_eq!(ran.events("answer")[4]["choices"], json!([1, 3]));
    assert_eq!(ran.stderr.matches("dmsc: that is no answer to this question\n").count(), 3);
}

#[test]
fn the_end_of_standard_input_cancels() {
    let store = fresh("ask-nobody");
    let ran = run("sim:demo", &store, &["--push", "sim", "--answer", "ask"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.event("answer")["outcome"], "cancelled");
    assert_eq!(ran.event("card_report")["verdict"], "bad");
}

#[test]
fn yes_takes_what_the_server_suggests() {
    let store = fresh("suggests");
    run(&own("suggests"), &store, &["--request", "--answer", "yes"]).good();
}

#[test]
fn no_is_what_the_user_may_say() {
    let store = fresh("no");
    let ran = run(&shipped("user-rejects"), &store, &["--push", "sim", "--answer", "no"]).good();
    assert_eq!(ran.event("card_report")["verdict"], "good");
}

#[test]
fn profiles_that_go_well() {
    for profile in ["atomic-rollback", "large", "t1-oiddo"] {
        let store = fresh(profile);
        run(&shipped(profile), &store, &["--push", "sim"]).good();
    }
}

#[test]
fn sessions_that_fail_are_failures() {
    for (profile, name, status) in [
        // The card is content with a phone that refuses it.
        ("bad-server-auth", "DMSC_ERR_AUTH_SERVER", "good"),
        ("http-500", "DMSC_ERR_HTTP", "no_session"),
        ("stops-half-way", "DMSC_ERR_IO", "no_session"),
    ] {
        let store = fresh(profile);
        let ran = run(&shipped(profile), &store, &["--push", "sim"]).failed(name);
        assert_eq!(ran.event("session_ended")["error"]["name"], name);
        assert_eq!(ran.event("result")["failed"], 1);
        assert_eq!(ran.event("card_report")["verdict"], status, "{profile}");
    }
}

#[test]
fn pushes_that_are_refused_are_failures() {
    for (profile, name) in [
        ("wrong-digest", "DMSC_ERR_TRIGGER_DIGEST"),
        ("resync", "DMSC_ERR_TRIGGER_DIGEST"),
        ("unknown-server", "DMSC_ERR_TRIGGER_SERVER"),
    ] {
        let store = fresh(profile);
        let ran = run(&shipped(profile), &store, &["--push", "sim"]).failed(name);
        assert_eq!(ran.event("trigger_refused")["error"]["name"], name);
        assert!(ran.events("session_requested").is_empty());
    }
    let store = fresh("push-garbage");
    run("sim:demo", &store, &["--push", "0106"]).failed("DMSC_ERR_TRIGGER_FORMAT");
}

#[test]
fn a_push_as_file_or_digits_is_delivered_once() {
    let store = fresh("push-file");
    let card = shipped("t1-oiddo");
    // The issuer makes the push from what the card and the phone both know at first.
    let push = Profile::load(card.strip_prefix("sim:").unwrap().as_ref())
        .unwrap()
        .build()
        .unwrap()
        .notification();
    fs::create_dir(&store).unwrap();
    let file = format!("{store}/push.bin");
    fs::write(&file, &push).unwrap();
    let ran = run(&card, &store, &["--push", &file]);
    assert_eq!(ran.event("trigger")["source"], "push");
    assert_eq!(ran.event("session_ended")["error"], Value::Null);
    // All went well but that this card did not expect a session: it knows nothing of the push.
    let ran = ran.failed("DMSC_ERR_PROTOCOL");
    assert!(ran.stdout.contains("alerts [\\\"1200\\\"] instead of 1201"), "{}", ran.stdout);
    let digits: String = push.iter().map(|octet| format!("{octet:02x}")).collect();
    // The nonce is another one by now.
    run(&card, &store, &["--push", &digits]).failed("DMSC_ERR_TRIGGER_DIGEST");
}

#[test]
fn a_session_can_be_asked_for_by_server() {
    let store = fresh("request");
    let card = shipped("t1-oiddo");
    run(&card, &store, &["--request=com.example.sc"]).good();
    run(&card, &store, &["--request=com.example.other"]).failed("DMSC_ERR_TRIGGER_SERVER");
}

#[test]
fn time_runs_out_when_nobody_asks_for_a_session() {
    let store = fresh("timeout");
    let ran = run(&own("suggests"), &store, &["--timeout", "1"]).failed("DMSC_ERR_TIMEOUT");
    assert_eq!(ran.stderr, "dmsc: 0 of 1 sessions ended in 1 s (DMSC_ERR_TIMEOUT)\n");
    assert_eq!(ran.event("card_report")["verdict"], "no_session");
    // What was bootstrapped stays.
    assert_eq!(value(&store, "./DMAcc/CardServer/ServerID"), "com.example.sc");
}

#[test]
fn a_card_that_is_pulled_out_ends_the_run_at_once() {
    let store = fresh("pulled-later");
    let card = own("pulled-later");
    let more = ["--request", "--sessions", "2", "--timeout", "600"];
    let ran = run(&card, &store, &more).failed("DMSC_ERR_CARD_REMOVED");
    let error = ran.event("session_ended")["error"]["name"].clone();
    assert_eq!(error, "DMSC_ERR_CARD_REMOVED");
    assert_eq!(ran.events("card_state")[1]["error"]["name"], "DMSC_ERR_CARD_REMOVED");
    assert_eq!(
        ran.event("result"),
        json!({ "event": "result", "wanted": 2, "ended": 1, "failed": 1 })
    );
}

#[test]
fn a_card_without_bootstrap_data_is_not_run() {
    let store = fresh("run-plain");
    let ran = run(&own("plain"), &store, &[]).failed("DMSC_ERR_BOOTSTRAP_NONE");
    assert_eq!(ran.event("card_report")["findings"], json!([]));
}

#[test]
fn the_store_survives_a_run_that_is_killed() {
    let store = fresh("killed");
    let mut child = Command::new(env!("CARGO_BIN_EXE_dmsc"))
        .args(["run", "--card", &own("suggests"), "--store", &store, "--timeout", "600"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("bootstrap: accounts: 1 added")));
    // One process at a time.
    dmsc(&["tree", "dump", "--store", &store]).failed("DMSC_ERR_BUSY");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(value(&store, "./DMAcc/CardServer/ServerID"), "com.example.sc");
}

#[test]
fn a_policy_asks_before_the_command_and_the_answer_counts() {
    let (store, policy) = (fresh("policy"), fresh("policy-file"));
    fs::create_dir_all(&policy).unwrap();
    let file = format!("{policy}/policy.toml");
    fs::write(
        &file,
        "[classes]\nconnectivity = \"./Operator/Name\"\n[[rules]]\nclass = \"connectivity\"\naction = \"ask\"\n[[rules]]\naction = \"allow\"\n",
    )
    .unwrap();
    let ran = dmsc_with(
        "no\nyes\n",
        &[
            "run", "--card", "sim:demo", "--store", &store, "--push", "sim", "--policy", &file,
            "--json",
        ],
    );
    let questions = ran.events("question");
    assert_eq!(questions[0]["choices"][0], "Add ./Operator/Name = Example Mobile");
    assert_eq!(ran.events("answer")[0]["outcome"], "no");
    assert_eq!(value(&store, "./Operator/Apn"), "internet-1.example");
    let tree = dmsc(&["tree", "dump", "--store", &store, "./Operator"]).good();
    assert!(!tree.stdout.contains("Name"), "{}", tree.stdout);
    fs::write(&file, "[[rules]]\naction = 1").unwrap();
    let bad = ["run", "--card", "sim:demo", "--store", &store, "--policy", &file];
    let bad = dmsc(&bad).failed("DMSC_ERR_INVALID_ARG");
    assert!(bad.stderr.contains("policy: line 2, column 10"), "{}", bad.stderr);
}
