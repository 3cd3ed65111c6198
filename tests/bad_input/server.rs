//! Bad servers and addresses.

use super::*;

/// A session by push that fails on its own: its status and text, and what it changed in the store.
fn bad_session(sim: &Sim) -> (i32, String, Vec<(u8, String)>) {
    let (vault, phone) = phone();
    phone.ready(sim);
    let (before, tree) = (vault.entries(), phone.tree("."));
    let id = phone.deliver(&sim.push()).unwrap();
    phone.settle();
    let ended = phone.ears.of(event::DMSC_EVENT_SESSION_ENDED);
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!((ended[0].session_id, ended[0].uri.as_str()), (id, SERVER));
    assert_eq!(phone.tree("."), tree);
    let changed = changed(&before, &vault.entries());
    // The session is over: nothing hangs, and the same session as the host's says the same.
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, ended[0].status));
    session.free();
    (ended[0].status, ended[0].data.clone(), changed)
}

#[test]
fn server_that_fails_authentication() {
    let (status, text, changed) = bad_session(&Sim::named("bad-server-auth"));
    assert_eq!(
        (status, text.as_str()),
        (-402, "server: wrong or missing credentials after the retry")
    );
    assert_eq!(changed, [(TABLE_REPLAY, SERVER.to_owned())]);
}

#[test]
fn http_error() {
    let (status, text, changed) = bad_session(&Sim::named("http-500"));
    assert_eq!((status, text.as_str()), (-303, "the server answered with HTTP status 500"));
    assert_eq!(changed, [(TABLE_REPLAY, SERVER.to_owned())]);
}

#[test]
fn http_error_404() {
    let (status, text, _) = bad_session(&demo(|demo| demo.server.fault.http_status = Some(404)));
    assert_eq!((status, text.as_str()), (-303, "the server answered with HTTP status 404"));
}

#[test]
fn session_that_stops_half_way() {
    let (status, text, _) = bad_session(&Sim::named("stops-half-way"));
    assert_eq!(
        (status, text.as_str()),
        (-301, "HTTP: the server closed before its answer was whole")
    );
}

#[test]
fn server_that_closes_in_the_middle_of_an_answer() {
    let sim = demo(|demo| demo.card.faults.close_midway = true);
    let (status, text, changed) = bad_session(&sim);
    assert_eq!(
        (status, text.as_str()),
        (-301, "HTTP: the server closed before its answer was whole")
    );
    assert_eq!(changed, [(TABLE_REPLAY, SERVER.to_owned())]);
}

#[test]
fn web_server_that_never_answers() {
    let sim = demo(|demo| demo.card.faults.ignore_http = true);
    let phone = Facade::new();
    phone.ready(&sim);
    let before = phone.dump();
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    phone.advance(29_999);
    assert_eq!(phone.ended(), []);
    phone.advance(1);
    assert_eq!(phone.ended(), [(-9, "HTTP: the server is silent".to_owned())]);
    let after = phone.dump();
    let changed: Vec<_> =
        after.iter().filter(|(key, value)| before.get(*key) != Some(*value)).collect();
    assert_eq!(changed.len(), 1, "{:?}", changed[0].0);
    assert_eq!(changed[0].0.0, dmsc::store::Table::Replay);
}

#[test]
fn card_account_with_a_port_where_the_card_does_not_listen() {
    let sim = demo(|demo| demo.account.address = "http://127.0.0.1:9999/dm".to_owned());
    let phone = Facade::new();
    phone.ready(&sim);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    phone.advance(29_999);
    assert_eq!(phone.ended(), []);
    phone.advance(1);
    let text = "the card's web server does not listen, or serves somebody else";
    assert_eq!(phone.ended(), [(-300, text.to_owned())]);
}

#[test]
fn loopback_addresses_are_for_accounts_of_cards() {
    for address in [
        "http://127.0.0.1:3516/dm",
        "http://127.1.2.3:3516/dm",
        "http://localhost:3516/dm",
        "http://LOCALHOST.:3516/dm",
        "http://[::1]:3516/dm",
        "http://[::ffff:127.0.0.1]:3516/dm",
        "http://0.0.0.0:3516/dm",
    ] {
        let (sim, (_, phone)) = (Sim::named("demo"), phone());
        phone.ready(&sim);
        let exchanges = sim.exchanges();
        host_account(&phone, "com.example.host", address);
        let session = phone.start_session(Some("com.example.host")).unwrap();
        let info = session.wait(10_000).unwrap().1;
        assert_eq!((info.state, info.status), (3, -300), "{address}");
        session.free();
        assert_eq!(
            phone.ears.ended()[0].2,
            "account com.example.host: only a card's account may have a loopback address"
        );
        assert_eq!(sim.exchanges(), exchanges, "{address}");
    }
}

#[test]
fn a_remote_address_without_tls_is_not_reached() {
    let (_, phone) = phone();
    host_account(&phone, "com.example.host", "http://dm.example/");
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, -300));
    session.free();
    assert_eq!(phone.ears.ended()[0].2, "account com.example.host: plain http is not allowed");
}
