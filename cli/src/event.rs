//! Events of the client as lines for people and as JSON with stable names.

use crate::output::{error_json, error_text, printable};
use dmsc::bootstrap::Report;
use dmsc::error::{Code, Error};
use dmsc::event::{Event, EventKind, TriggerInfo, TriggerSource};
use dmsc::session::{Answer, Kind, UserAlert};
use serde_json::{Map, Value, json};

/// The failure that an event tells of.
pub(crate) fn failure(event: &Event) -> Option<Error> {
    let code = Code::from_number(event.status)?;
    Some(Error::new(code, String::from_utf8_lossy(&event.data).into_owned()))
}

fn subject(event: &Event) -> String {
    printable(event.uri.as_deref().unwrap_or_default())
}

fn verb(event: &Event) -> String {
    printable(&String::from_utf8_lossy(&event.data))
}

/// An event in one line.
pub(crate) fn text(event: &Event) -> String {
    let (id, uri, number) = (event.session_id, subject(event), event.phase);
    let failure = failure(event);
    let outcome = |good: &str| failure.as_ref().map_or_else(|| good.to_owned(), error_text);
    match event.kind {
        EventKind::CardState => format!("card: {}", outcome("opened")),
        EventKind::BootstrapFound => format!("bootstrap: found object {uri}"),
        EventKind::BootstrapApplied => {
            format!("bootstrap: {}", outcome(&format!("made {uri}")))
        }
        EventKind::BootstrapRemoved => format!("bootstrap: removed {uri}"),
        EventKind::BootstrapDone => format!("bootstrap: {}", outcome("done")),
        EventKind::TriggerRefused => format!("trigger: refused: {}", outcome("")),
        EventKind::SessionDeferred => {
            format!("session {id}: attempt {number} failed, tried again later: {}", outcome(""))
        }
        EventKind::NetworkWanted => format!("session {id}: waits for a network"),
        EventKind::ConnectionRefused => {
            format!("card: no connection to {uri}: {}", outcome(""))
        }
        EventKind::SessionRequested => format!("session {id}: wanted with {uri}"),
        EventKind::SessionStarted => format!("session {id}: begins with {uri}"),
        EventKind::PackageSent => format!("session {id}: sent message {number}"),
        EventKind::PackageReceived => format!("session {id}: received message {number}"),
        EventKind::CommandDone => {
            let verb = verb(event);
            let at = if uri.is_empty() { uri } else { format!(" {uri}") };
            format!("session {id}: {verb}{at} -> {number}")
        }
        EventKind::SessionEnded => match &failure {
            None => format!("session {id}: ended well"),
            Some(error) => format!("session {id}: failed: {}", error_text(error)),
        },
        EventKind::NodeFailed => format!("node {uri}: {}", outcome("")),
        EventKind::AlertDone => {
            format!("session {id}: alert {}: {}", event.number, outcome("taken"))
        }
    }
}

/// An event as JSON: `event` is its name; other members as far as the event has them.
pub(crate) fn json(event: &Event) -> Value {
    let uri = json!(event.uri);
    let number = json!(event.phase);
    let (name, details) = match event.kind {
        EventKind::CardState => ("card_state", vec![("slot", json!(event.slot))]),
        EventKind::BootstrapFound => ("bootstrap_found", vec![("object", uri)]),
        EventKind::BootstrapApplied if event.status < 0 => {
            ("bootstrap_applied", vec![("object", uri)])
        }
        EventKind::BootstrapApplied => ("bootstrap_applied", vec![("uri", uri)]),
        EventKind::BootstrapRemoved => ("bootstrap_removed", vec![("uri", uri)]),
        EventKind::BootstrapDone => ("bootstrap_done", Vec::new()),
        EventKind::TriggerRefused => ("trigger_refused", vec![("server", uri)]),
        EventKind::SessionDeferred => {
            ("session_deferred", vec![("server", uri), ("attempts", number)])
        }
        EventKind::NetworkWanted => {
            let con_ref = json!(String::from_utf8_lossy(&event.data));
            ("network_wanted", vec![("server", uri), ("con_ref", con_ref)])
        }
        EventKind::ConnectionRefused => ("connection_refused", vec![("address", uri)]),
        EventKind::SessionRequested => ("session_requested", vec![("server", uri)]),
        EventKind::SessionStarted => ("session_started", vec![("server", uri)]),
        EventKind::PackageSent => ("package_sent", vec![("message", number)]),
        EventKind::PackageReceived => ("package_received", vec![("message", number)]),
        EventKind::CommandDone => {
            let command = json!(String::from_utf8_lossy(&event.data));
            ("command_done", vec![("command", command), ("uri", uri), ("status", number)])
        }
        EventKind::SessionEnded => ("session_ended", vec![("server", uri)]),
        EventKind::NodeFailed => ("node_failed", vec![("uri", uri)]),
        EventKind::AlertDone => {
            let alert = json!(event.number);
            ("alert_done", vec![("alert", alert), ("server", uri), ("status", number)])
        }
    };
    let mut object = Map::new();
    object.insert("event".into(), json!(name));
    if event.session_id != 0 {
        object.insert("session".into(), json!(event.session_id));
    }
    for (name, value) in details {
        object.insert(name.into(), value);
    }
    if can_fail(event.kind) {
        let error = failure(event).as_ref().map_or(Value::Null, error_json);
        object.insert("error".into(), error);
    }
    Value::Object(object)
}

/// Events of these kinds always have the member `error`, null where all went well.
fn can_fail(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::CardState
            | EventKind::BootstrapApplied
            | EventKind::BootstrapDone
            | EventKind::TriggerRefused
            | EventKind::SessionDeferred
            | EventKind::ConnectionRefused
            | EventKind::SessionEnded
            | EventKind::NodeFailed
            | EventKind::AlertDone
    )
}

/// A notification that was accepted.
pub(crate) fn trigger_text(info: &TriggerInfo) -> String {
    let from = match info.source {
        TriggerSource::Push => "a push",
        TriggerSource::Card => "the card",
        TriggerSource::Host => "the host",
    };
    let server = printable(&info.server_id);
    format!(
        "session {}: {from} asks for DM session {:04X} with {server}",
        info.session_id, info.dm_session_id
    )
}

/// As [`trigger_text`].
pub(crate) fn trigger_json(info: &TriggerInfo) -> Value {
    let source = match info.source {
        TriggerSource::Push => "push",
        TriggerSource::Card => "card",
        TriggerSource::Host => "host",
    };
    json!({
        "event": "trigger",
        "session": info.session_id,
        "source": source,
        "server": info.server_id,
        "dm_session": format!("{:X}", info.dm_session_id),
        "ui_mode": info.ui_mode,
        "by_server": info.by_server,
    })
}

/// Who asks: a bootstrap belongs to no session.
fn asker(session: u64) -> String {
    match session {
        0 => "bootstrap".to_owned(),
        session => format!("session {session}"),
    }
}

/// A question to the user.
pub(crate) fn question_text(session: u64, alert: &UserAlert) -> String {
    let asker = asker(session);
    let mut text = format!("{asker}: {}: {}", kind(alert.kind), printable(&alert.text));
    for (number, choice) in (1..).zip(&alert.choices) {
        let choice = printable(choice);
        text.push_str(&match alert.kind {
            Kind::SingleChoice | Kind::MultipleChoice => format!(" [{number}] {choice}"),
            // What the policy asks about is not chosen from.
            _ => format!("\n    {choice}"),
        });
    }
    text
}

/// As [`question_text`].
pub(crate) fn question_json(session: u64, alert: &UserAlert) -> Value {
    json!({
        "event": "question",
        "session": session,
        "kind": kind(alert.kind),
        "text": alert.text,
        "choices": alert.choices,
        "seconds": alert.max_display_s,
    })
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Display => "display",
        Kind::Confirm => "confirm",
        Kind::TextInput => "text",
        Kind::SingleChoice => "choice",
        Kind::MultipleChoice => "choices",
    }
}

/// What the user did. A text is not shown: it may be a password.
pub(crate) fn answer_text(session: u64, answer: &Answer) -> String {
    let detail = match answer {
        Answer::Choices(numbers) => format!(" {numbers:?}"),
        _ => String::new(),
    };
    format!("{}: answered {}{detail}", asker(session), outcome(answer))
}

/// As [`answer_text`].
pub(crate) fn answer_json(session: u64, answer: &Answer) -> Value {
    let choices = match answer {
        Answer::Choices(numbers) => numbers.as_slice(),
        _ => &[],
    };
    json!({
        "event": "answer",
        "session": session,
        "outcome": outcome(answer),
        "choices": choices,
    })
}

fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted => "yes",
        Answer::Rejected => "no",
        Answer::Text(_) => "text",
        Answer::Choices(_) => "choices",
        Answer::Cancelled => "cancelled",
        Answer::TimedOut => "timed_out",
        Answer::CannotShow => "cannot_show",
    }
}

/// What a bootstrap came to.
pub(crate) fn report_text(report: &Report) -> String {
    let news = report.accounts_added
        + report.accounts_replaced
        + report.accounts_removed
        + report.objects_failed;
    let nothing = if news == 0 { ", nothing new" } else { "" };
    format!(
        "bootstrap: accounts: {} added, {} replaced, {} removed; objects: {} unchanged, {} failed{nothing}",
        report.accounts_added,
        report.accounts_replaced,
        report.accounts_removed,
        report.objects_unchanged,
        report.objects_failed,
    )
}

/// As [`report_text`].
pub(crate) fn report_json(report: &Report) -> Value {
    json!({
        "event": "bootstrap_report",
        "accounts_added": report.accounts_added,
        "accounts_replaced": report.accounts_replaced,
        "accounts_removed": report.accounts_removed,
        "objects_unchanged": report.objects_unchanged,
        "objects_failed": report.objects_failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_without_node_and_one_with() {
        let mut event = Event::new(EventKind::CommandDone).session(3);
        event.phase = 200;
        event.data = b"Alert".to_vec();
        assert_eq!(text(&event), "session 3: Alert -> 200");
        let event = event.uri("./A\u{1b}");
        assert_eq!(text(&event), "session 3: Alert ./A\\u{1b} -> 200");
    }

    #[test]
    fn a_failure_is_named_in_both_forms() {
        let error = Error::new(Code::TriggerDigest, "wrong digest");
        let event = Event::new(EventKind::TriggerRefused).failed(&error);
        assert_eq!(text(&event), "trigger: refused: wrong digest (DMSC_ERR_TRIGGER_DIGEST)");
        assert_eq!(json(&event)["error"]["name"], "DMSC_ERR_TRIGGER_DIGEST");
        assert_eq!(json(&Event::new(EventKind::SessionEnded))["error"], Value::Null);
    }

    #[test]
    fn what_was_typed_is_not_shown() {
        let answer = Answer::Text("hunter2".into());
        assert_eq!(answer_text(1, &answer), "session 1: answered text");
        assert!(!answer_json(1, &answer).to_string().contains("hunter2"));
    }
}
