//! Alerts of the host: kept until a server has answered them.

use super::*;

const ALERT_DONE: dmsc_event_type = dmsc_event_type::DMSC_EVENT_ALERT_DONE;
const TYPE: &str = "Reversed-Domain-Name:org.example.done";
const SERVER: &str = "com.example.sc";

/// A server that only listens.
fn listener() -> Sim {
    Sim::scripted("[[package]]\ncommands = [{ get = \"./DevInfo/DevId\" }]")
}

/// What the card's server found out about alerts.
fn taken(sim: &Sim) -> Vec<String> {
    let findings = sim.card().findings().into_iter().map(|finding| finding.text);
    findings.filter(|text| text.contains("Alert 122")).collect()
}

fn session(phone: &Phone) -> i32 {
    let session = phone.start_session(None).unwrap();
    phone.settle();
    let status = session.info().unwrap().status;
    session.free();
    status
}

/// Number, SyncML status and status of each alert that is done with.
fn done(phone: &Phone) -> Vec<(u64, u32, i32)> {
    let events = phone.ears.of(ALERT_DONE).into_iter();
    events.map(|event| (event.number, event.phase, event.status)).collect()
}

#[test]
fn dm_030_an_alert_goes_out_once_and_is_forgotten_when_the_server_has_taken_it() {
    let (sim, phone) = (listener(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let first = phone.queue(Some(SERVER), TYPE, "200", |_| {}).unwrap();
    let second = phone.queue(None, TYPE, "201", |_| {}).unwrap();
    let other = phone.queue(Some("com.example.other"), TYPE, "202", |_| {}).unwrap();
    assert_eq!((first, second, other), (1, 2, 3));
    assert_eq!(session(&phone), 0);
    assert_eq!(done(&phone), [(1, 200, 0), (2, 200, 0)]);
    assert_eq!(phone.ears.of(ALERT_DONE)[0].uri, SERVER);
    assert_eq!(taken(&sim).len(), 2);
    assert_eq!(session(&phone), 0);
    assert_eq!((done(&phone).len(), taken(&sim).len()), (2, 2));
    // A number is never used twice.
    assert_eq!(phone.queue(None, TYPE, "203", |_| {}).unwrap(), 4);
}

#[test]
fn dm_212_an_alert_with_its_correlator_survives_a_restart() {
    let (sim, vault) = (listener(), Arc::new(Vault::default()));
    let phone = Phone::new(Keep::Vault(&vault));
    phone.ready(&sim);
    let (correlator, source, mark) = (c("X1"), c("./Fw"), c("critical"));
    phone
        .queue(Some(SERVER), TYPE, "200", |alert| {
            alert.correlator = correlator.as_ptr();
            alert.source_uri = source.as_ptr();
            alert.mark = mark.as_ptr();
        })
        .unwrap();
    phone.free();
    let sim = listener();
    let phone = Phone::new(Keep::Vault(&vault));
    phone.ready(&sim);
    assert_eq!(session(&phone), 0);
    let text = taken(&sim);
    assert_eq!(text.len(), 1);
    assert!(text[0].ends_with("Alert 1226 is complete, correlator X1"), "{text:?}");
    assert_eq!(done(&phone), [(1, 200, 0)]);
    // Also after the answer it is the same store.
    phone.free();
    let sim = listener();
    let phone = Phone::new(Keep::Vault(&vault));
    phone.ready(&sim);
    assert_eq!(session(&phone), 0);
    assert_eq!(taken(&sim), [] as [String; 0]);
}

#[test]
fn dm_013_an_alert_queued_in_a_session_goes_out_in_it() {
    let (sim, phone) = (listener(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let client = phone.client as usize;
    let queued = Arc::new(AtomicU64::new(0));
    let inside = Arc::clone(&queued);
    phone.ears.hook(move |name| {
        if name == "event" && inside.load(Ordering::SeqCst) == 0 {
            let kind = c(TYPE);
            let alert = dmsc_generic_alert { r#type: kind.as_ptr(), ..blank() };
            let mut number = 0;
            let client = client as *mut dmsc_client;
            let done =
                unsafe { dmsc_client_queue_alert(client, &raw const alert, &raw mut number) };
            assert_eq!(done, 0, "{}", last_message());
            inside.store(number, Ordering::SeqCst);
        }
    });
    assert_eq!(session(&phone), 0);
    assert_eq!(done(&phone), [(queued.load(Ordering::SeqCst), 200, 0)]);
    assert_eq!(taken(&sim).len(), 1);
}

#[test]
fn dm_092_a_client_event_goes_out_as_1224() {
    let (sim, phone) = (listener(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    phone
        .queue(None, "application/x-event", "5", |alert| (alert.code, alert.format) = (1224, 3))
        .unwrap();
    assert_eq!(session(&phone), 0);
    assert!(taken(&sim)[0].contains("Alert 1224 is complete"), "{:?}", taken(&sim));
    assert_eq!(done(&phone), [(1, 200, 0)]);
}

#[test]
fn an_alert_that_nobody_answers_goes_out_again() {
    let mut profile =
        support::sim::scripted("[[package]]\ncommands = [{ get = \"./DevInfo/DevId\" }]");
    profile.server.fault.http_status = Some(500);
    profile.server.fault.times = 1;
    let (sim, phone) = (Sim::new(profile), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    phone.queue(None, TYPE, "200", |_| {}).unwrap();
    assert_eq!(session(&phone), -303);
    assert_eq!(done(&phone), []);
    assert_eq!(session(&phone), 0);
    assert_eq!(done(&phone), [(1, 200, 0)]);
}

#[test]
fn what_no_server_would_take_is_refused_at_once() {
    let phone = Phone::new(Keep::Nothing);
    let status = |kind: &str, data: &str, more: fn(&mut dmsc_generic_alert)| {
        phone.queue(None, kind, data, more).map_err(|failure| failure.status)
    };
    assert_eq!(status("text/plain", "", |_| {}), Err(INVALID_ARG));
    assert_eq!(status("", "", |_| {}), Err(INVALID_ARG));
    assert_eq!(status(TYPE, "", |alert| alert.code = 1225), Err(INVALID_ARG));
    assert_eq!(status(TYPE, "", |alert| alert.format = 99), Err(INVALID_ARG));
    assert_eq!(status(TYPE, "x", |alert| alert.format = 3), Err(-504));
    assert_eq!(status(TYPE, &"x".repeat(65_537), |_| {}), Err(-404));
    for number in 1..=256 {
        assert_eq!(status(TYPE, "", |_| {}), Ok(number));
    }
    assert_eq!(status(TYPE, "", |_| {}), Err(-404));
    let txn = phone.begin();
    assert_eq!(status(TYPE, "", |_| {}), Err(-7));
    txn.rollback();
}

#[test]
fn an_alert_that_the_server_refuses_is_told_and_forgotten() {
    let (sim, phone) = (listener(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    // The card's server wants the prefix that the registered types were given without.
    let kind = "org.openmobilealliance.dm.firmwareupdate.update";
    phone.queue(None, kind, "200", |_| {}).unwrap();
    assert_eq!(session(&phone), 0);
    let event = phone.ears.of(ALERT_DONE).remove(0);
    assert_eq!((event.number, event.phase, event.status), (1, 412, -406));
    assert_eq!(event.data, "the server answered the alert with 412");
    assert_eq!(session(&phone), 0);
    assert_eq!(done(&phone).len(), 1);
}

#[test]
fn dm_096_an_alert_larger_than_the_server_takes_is_told_and_not_sent() {
    let mut profile =
        support::sim::scripted("[[package]]\ncommands = [{ get = \"./DevInfo/DevId\" }]");
    profile.server.max_obj_size = Some(1000);
    let (sim, phone) = (Sim::new(profile), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    // The server says what it takes in its first message, after package 1.
    let client = phone.client as usize;
    let queued = Arc::new(AtomicU64::new(0));
    let inside = Arc::clone(&queued);
    phone.ears.hook(move |_| {
        if inside.fetch_add(1, Ordering::SeqCst) == 4 {
            let (kind, data) = (c(TYPE), vec![b'x'; 5000]);
            let alert = dmsc_generic_alert {
                r#type: kind.as_ptr(),
                data: data.as_ptr(),
                data_len: data.len(),
                ..blank()
            };
            let client = client as *mut dmsc_client;
            assert_eq!(unsafe { dmsc_client_queue_alert(client, &raw const alert, null_mut()) }, 0);
        }
    });
    assert_eq!(session(&phone), 0);
    assert_eq!(done(&phone), [(1, 0, -404)]);
    assert_eq!(taken(&sim), [] as [String; 0]);
}
