//! The gateway to the card's web server: curl as the local application, the simulated card behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use dmsc::client::CardSignal;
use dmsc::error::Code;
use dmsc::event::ConnectionKind;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use support::facade::Facade;
use support::injector::Injector;
use support::local::{curl, free_port, meanwhile};
use support::sim::{Sim, profile};
use support::web::{Reply, Web};

fn dm(port: u16) -> String {
    format!("http://127.0.0.1:{port}/dm")
}

fn ready(sim: &Sim) -> (Facade, u16) {
    let phone = Facade::new();
    phone.ready(sim);
    let port = free_port();
    phone.client.start_gateway(0, port, None).unwrap();
    (phone, port)
}

#[test]
fn sc_122_curl_reads_what_the_card_answers_and_uploads_10000_octets() {
    let sim = Sim::named("demo");
    let (phone, port) = ready(&sim);
    // The card's only page is its DM server, which takes POST and nothing else.
    let answer = meanwhile(&phone, || curl(&dm(port), &[]));
    assert!(answer.ends_with("[405]"), "{answer}");
    let info = phone.connections.lock().unwrap()[0].clone();
    assert_eq!((info.kind, info.slot, info.local_port), (ConnectionKind::Gateway, 0, 3516));
    assert_eq!(info.address.to_string(), "127.0.0.1");
    assert_ne!(info.port, 0);
    // One after the other on one connection, and a body that needs many exchanges.
    let media = "Content-Type: application/vnd.syncml.dm+wbxml";
    let body = "x".repeat(10_000);
    let post = ["-H", media, "-H", "Expect:", "--data-binary", &body];
    let answer = meanwhile(&phone, || curl(&dm(port), &post));
    assert!(answer.ends_with("[400]"), "{answer}");
}

#[test]
fn curl_loads_a_page_of_the_card_with_all_that_belongs_to_it() {
    let page = profile("web-page");
    let sim = Sim::new(page.clone());
    let (phone, port) = ready(&sim);
    // On one connection, as a browser keeps it.
    let urls: Vec<_> =
        page.pages.iter().map(|page| format!("http://127.0.0.1:{port}{}", page.path)).collect();
    let arguments: Vec<_> = urls[1..].iter().map(String::as_str).collect();
    let before = sim.exchanges();
    let answer = meanwhile(&phone, || curl(&urls[0], &arguments));
    let bodies: String = page
        .pages
        .iter()
        .map(|page| String::from_utf8_lossy(page.body.as_slice()).into_owned() + "[200]")
        .collect();
    // Its own URL stands behind the others.
    let (first, others) = bodies.split_once("[200]").unwrap();
    assert_eq!(answer, format!("{others}{first}[200]"));
    assert_eq!(phone.connections.lock().unwrap().len(), 1);
    assert!(sim.exchanges() - before < 60, "{} exchanges", sim.exchanges() - before);
}

/// `make browser`: a real browser, whose path the environment gives, loads the page, its style, image and script.
#[test]
fn a_browser_loads_a_page_of_the_card() {
    let Some(browser) = std::env::var_os("DMSC_BROWSER") else { return };
    let sim = Sim::named("web-page");
    let (phone, port) = ready(&sim);
    let home = std::env::temp_dir().join(format!("dmsc-browser-{}", std::process::id()));
    let (before, begun) = (sim.exchanges(), std::time::Instant::now());
    let output = meanwhile(&phone, || {
        Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"])
            .arg(format!("--user-data-dir={}", home.display()))
            .arg(format!("http://127.0.0.1:{port}/"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    });
    let took = begun.elapsed();
    std::fs::remove_dir_all(&home).unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let everything = "Everything is there: image 48, style rgb(200, 60, 20)";
    assert!(dom.contains(everything), "{dom}{}", String::from_utf8_lossy(&output.stderr));
    let report = sim.card().report();
    for path in ["/ read", "/style.css read", "/logo.svg read", "/page.js read"] {
        assert!(report.contains(&format!("HTTP: page {path}")), "{report}");
    }
    let (connections, exchanges) =
        (phone.connections.lock().unwrap().len(), sim.exchanges() - before);
    println!("browser: {took:?}, {connections} connections, {exchanges} exchanges");
}

fn connect(port: u16) -> TcpStream {
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    client
}

/// Asks for the style of the card's page.
fn ask(client: &mut TcpStream) {
    client.write_all(b"GET /style.css HTTP/1.1\r\nHost: 127.0.0.1:3516\r\n\r\n").unwrap();
}

/// Waits for the whole answer to [`ask`].
fn answered(phone: &Facade, client: &mut TcpStream) {
    let page = profile("web-page").pages.swap_remove(1);
    let (mut answer, mut buffer) = (Vec::new(), [0; 100]);
    meanwhile(phone, || {
        while !answer.ends_with(page.body.as_slice()) {
            let octets = client.read(&mut buffer).unwrap();
            assert_ne!(octets, 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend(&buffer[..octets]);
        }
    });
}

#[test]
fn sc_121_one_at_a_time_and_others_wait() {
    let sim = Sim::named("web-page");
    let (phone, port) = ready(&sim);
    let mut first = connect(port);
    begin_request(&phone, &sim, &mut first);
    let silent: Vec<_> = (0..6).map(|_| connect(port)).collect();
    let mut second = connect(port);
    ask(&mut second);
    phone.until(|phone| phone.connections.lock().unwrap().len() == 8);
    // One more is closed at once, without a question to the host.
    let mut third = connect(port);
    meanwhile(&phone, || assert_eq!(third.read(&mut [0; 9]).unwrap_or(0), 0));
    assert_eq!(phone.connections.lock().unwrap().len(), 8);
    // Nothing of the second reaches the card while the first is at it.
    let before = sim.exchanges();
    phone.advance(20_000);
    assert_eq!(sim.exchanges(), before);
    drop(first);
    phone.advance(1);
    phone.advance(30_000);
    // Those before the second have said nothing, and never get to the card.
    answered(&phone, &mut second);
    drop(silent);
}

#[test]
fn a_client_that_keeps_its_connection_makes_room_when_others_wait() {
    let sim = Sim::named("web-page");
    let (phone, port) = ready(&sim);
    let mut first = connect(port);
    for _ in 0..2 {
        ask(&mut first);
        answered(&phone, &mut first);
        phone.advance(3_000);
    }
    let mut second = connect(port);
    ask(&mut second);
    answered(&phone, &mut second);
    meanwhile(&phone, || while first.read(&mut [0; 99]).unwrap() > 0 {});
}

/// Sends the beginning of a request, and drives until the card has fetched it.
fn begin_request(phone: &Facade, sim: &Sim, client: &mut TcpStream) {
    let before = sim.exchanges();
    client.write_all(b"POST /dm HTTP/1.1\r\n").unwrap();
    phone.until(|phone| {
        phone.advance(1);
        sim.exchanges() > before + 3
    });
}

#[test]
fn without_consent_nothing_reaches_the_card() {
    let sim = Sim::named("demo");
    let (phone, port) = ready(&sim);
    phone.allows.store(false, Ordering::SeqCst);
    let before = sim.exchanges();
    let answer = meanwhile(&phone, || curl(&dm(port), &[]));
    assert!(answer.contains("[000]"), "{answer}");
    assert!(sim.exchanges() - before <= 1, "polling at most");
}

#[test]
fn sc_109_sc_129_only_the_loopback_interface_listens() {
    let sim = Sim::named("demo");
    let (phone, port) = ready(&sim);
    // Another address of this very device finds nobody.
    assert!(TcpStream::connect(("127.0.0.2", port)).is_err());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(phone);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn ports_that_are_taken_and_gateways_that_end() {
    let (sim, phone) = (Sim::named("demo"), Facade::new());
    phone.ready(&sim);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let start = |port| phone.client.start_gateway(0, port, None).map_err(|error| error.code());
    assert_eq!(start(port), Err(Code::Busy));
    drop(taken);
    assert_eq!(start(port), Ok(()));
    assert_eq!(start(port), Err(Code::State));
    phone.client.stop_gateway().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert_eq!(start(port), Ok(()));
}

#[test]
fn a_session_and_the_gateway_wait_for_each_other() {
    let sim = Sim::named("demo");
    let (phone, port) = ready(&sim);
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    begin_request(&phone, &sim, &mut client);
    phone.advance(20_000);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.ended(), []);
    drop(client);
    // That the client has gone shows when the system says so, which may be after this line.
    phone.until(|phone| {
        phone.advance(100);
        !phone.ended().is_empty()
    });
    assert_eq!(phone.ended(), [(0, String::new())]);
}

#[test]
fn a_card_that_opens_its_channel_when_somebody_comes() {
    const OPEN_CHANNEL: u8 = 0x40;
    let sim = Sim::named("demo");
    let phone = Facade::new();
    let card = phone.ready(&sim);
    let injector = Injector::of(&sim);
    let look = || {
        phone.client.notify_card(card, CardSignal::Proactive).unwrap();
        phone.settle();
    };
    // The card closes its port and declares the service instead, with the events it wants.
    injector.queue(0x41, 0, 0x21, "");
    injector.queue(0x05, 0, 0x82, "990309 0A0D".replace(' ', "").as_str());
    injector.queue(0x47, 0, 0x82, "C1020001BC03030DBC");
    look();
    assert_eq!(injector.responses(), ["830100"; 3]);
    let port = free_port();
    phone.client.start_gateway(0, port, None).unwrap();
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(b"hello").unwrap();
    phone.until(|phone| {
        phone.advance(1);
        !injector.envelopes().is_empty()
    });
    injector.queue(OPEN_CHANNEL, 0, 0x82, "390205783C03030DBC");
    look();
    phone.until(|phone| {
        phone.advance(1);
        !injector.envelopes().is_empty()
    });
    injector.queue(0x42, 0, 0x21, "B701ED");
    injector.queue(0x43, 1, 0x21, "B6026869");
    injector.queue(0x41, 1, 0x21, "");
    look();
    let responses = injector.responses();
    assert_eq!(responses[1], "830102B60568656C6C6FB70100");
    let mut answer = Vec::new();
    meanwhile(&phone, || client.read_to_end(&mut answer).unwrap());
    assert_eq!(answer, b"hi");
}

#[test]
fn a_card_with_an_address_of_its_own() {
    let sim = Sim::new(profile("demo"));
    let phone = Facade::new();
    let card = phone.ready(&sim);
    let web = Web::plain(|_| Reply::http("404 No", "", b""));
    phone.client.set_card_address(card, Some([127, 0, 0, 1].into())).unwrap();
    let port = web.port;
    // The account's port is the card's.
    let mut txn = phone.client.begin().unwrap();
    let address = format!("http://127.0.0.1:{port}/dm");
    let uri = "./DMAcc/CardServer/AppAddr/1/Addr";
    txn.replace(uri, dmsc::tree::Format::Chr, None, address.as_bytes()).unwrap();
    txn.commit().unwrap();
    phone.client.start_session(None).unwrap();
    let (status, _) = phone.wait_ended(1);
    assert_eq!(status, Code::Http as i32);
    let request = web.requests()[0].clone();
    assert_eq!(request.header("host"), Some(format!("127.0.0.1:{port}").as_str()));
    assert!(request.head.len() <= 400, "{}", request.head);
}
