//! The toolkit loop over the APDU layer, against scripted cards.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

use dmsc::bytes::hex;
use dmsc::card::apdu::Card;
use dmsc::card::bip::ChannelId;
use dmsc::card::cat::{Capabilities, Cat, Config, Effect, HostAnswer};
use dmsc::card::script::{Play, Script};
use dmsc::card::toolkit::{Progress, Toolkit};
use dmsc::error::Code;
use dmsc::time::Now;
use std::cell::RefCell;

const VECTORS: &str = include_str!("data/smartcard-vectors.tsv");
const SELECT_MF: &str = "00A40004023F0000";
const STATUS: &str = "80F2000C00";

fn vector(name: &str) -> String {
    let line = VECTORS.lines().find(|line| line.split('\t').next() == Some(name));
    line.and_then(|line| line.split('\t').nth(2)).expect(name).to_owned()
}

fn at(milliseconds: u64) -> Now {
    Now { mono_ms: milliseconds, unix_s: 0 }
}

fn with_length(header: &str, data: &str) -> String {
    format!("{header}{:02X}{data}", data.len() / 2)
}

fn profile() -> String {
    let profile = Cat::new(Config::default()).terminal_profile();
    with_length("80100000", &hex::encode(&profile))
}

/// Writes a card's part of the play.
struct Writer(Script);

impl Writer {
    /// A UICC that has got the profile and answers it with `sw`.
    fn new(sw: &str) -> Self {
        Self(Script::new().on(SELECT_MF, "9000").on(&profile(), sw))
    }

    fn on(self, command: &str, answer: &str) -> Self {
        Self(self.0.on(command, answer))
    }

    /// FETCH of `command`, TERMINAL RESPONSE `response`, both from their first octet.
    fn command(self, command: &str, response: &str, sw: &str) -> Self {
        self.fetch(command).respond(response, sw)
    }

    fn fetch(self, command: &str) -> Self {
        self.on(&format!("80120000{:02X}", command.len() / 2), &format!("{command}9000"))
    }

    fn respond(self, response: &str, sw: &str) -> Self {
        self.on(&with_length("80140000", response), sw)
    }

    fn envelope(self, data: &str, sw: &str) -> Self {
        self.on(&with_length("80C20000", data), sw)
    }
}

struct Terminal {
    card: Card,
    play: Play,
    toolkit: Toolkit,
}

impl Terminal {
    fn start(writer: Writer) -> Self {
        let (card, play) = writer.0.card();
        let mut terminal = Self { card, play, toolkit: Toolkit::new(Cat::new(Config::default())) };
        terminal.toolkit.start(&mut terminal.card, at(0)).unwrap();
        terminal
    }

    fn step(&mut self, now: Now) -> Progress {
        self.toolkit.step(&mut self.card, now).unwrap()
    }

    /// Steps until nothing is done any more.
    fn settle(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        loop {
            let progress = self.step(now);
            effects.extend(progress.effects);
            if !progress.did_something {
                return effects;
            }
        }
    }

    #[track_caller]
    fn finish(self) {
        self.play.finish().unwrap();
    }
}

#[test]
fn sc_088_more_time_takes_two_steps_of_one_exchange() {
    let more_time = vector("apdu-term-resp-ok-more-time");
    let writer = Writer::new("910B").fetch(&vector("pc-more-time")).on(&more_time, "9000");
    let mut terminal = Terminal::start(writer);
    assert_eq!(terminal.toolkit.deadline(), Some(0));
    assert!(terminal.step(at(0)).did_something);
    assert!(terminal.step(at(0)).did_something);
    assert_eq!(terminal.step(at(0)), Progress::default());
    assert_eq!(terminal.toolkit.deadline(), Some(30_000));
    terminal.finish();
}

#[test]
fn a_card_without_toolkit_refuses_the_profile() {
    let (mut card, play) = Writer::new("6D00").0.card();
    let mut toolkit = Toolkit::new(Cat::new(Config::default()));
    let error = toolkit.start(&mut card, at(0)).unwrap_err();
    assert_eq!((error.code(), error.card_sw), (Code::CardSw, 0x6D00));
    play.finish().unwrap();
}

#[test]
fn a_sim_is_spoken_to_in_its_own_class() {
    let profile = profile().replacen("80", "A0", 1);
    let script = Script::new()
        .on(SELECT_MF, "6E00")
        .on("A0A40000023F00", "9F16")
        .on(&profile, "910B")
        .on("A01200000B", "D0098103010200820281829000")
        .on("A01400000C810301020082028281830100", "9000")
        .on("A0F2000016", "9000");
    let mut terminal = Terminal::start(Writer(script));
    terminal.settle(at(0));
    terminal.settle(at(30_000));
    terminal.finish();
}

#[test]
fn sc_096_status_comes_after_20_s_without_exchange() {
    let writer = Writer::new("910F")
        .command(&vector("pc-poll-interval-20s"), &vector("tr-poll-interval-20s"), "9000")
        .on(STATUS, "9000")
        .on(STATUS, "910B")
        .command(&vector("pc-polling-off"), &vector("tr-polling-off"), "9000");
    let mut terminal = Terminal::start(writer);
    terminal.settle(at(500));
    assert_eq!(terminal.toolkit.deadline(), Some(20_500));
    assert!(!terminal.step(at(20_499)).did_something);
    terminal.settle(at(20_500));
    terminal.settle(at(40_500));
    assert_eq!(terminal.toolkit.deadline(), None);
    assert!(!terminal.step(at(4_000_000)).did_something);
    terminal.finish();
}

#[test]
fn a_command_announced_to_another_user_of_the_card_is_fetched() {
    let writer = Writer::new("9000").on("00B0000001", "AA910B").command(
        &vector("pc-more-time"),
        "810301020082028281830100",
        "9000",
    );
    let mut terminal = Terminal::start(writer);
    terminal.card.exchange(&[0x00, 0xB0, 0, 0, 1]).unwrap();
    terminal.settle(at(0));
    terminal.finish();
}

thread_local! {
    /// What this test's thread has logged.
    static LOGGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct ToThread;

impl log::Log for ToThread {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        LOGGED.with_borrow_mut(|logged| logged.push(record.args().to_string()));
    }
    fn flush(&self) {}
}

#[test]
fn sc_084_a_command_without_details_is_logged_and_gets_no_response() {
    log::set_logger(&ToThread).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let writer = Writer::new("910A")
        .fetch(&vector("neg-ber-len-80")[..20])
        .on(STATUS, "9109")
        .fetch("D00782028182830100")
        .on(STATUS, "9000");
    let mut terminal = Terminal::start(writer);
    terminal.settle(at(0));
    assert!(!terminal.toolkit.cat().is_waiting());
    terminal.settle(at(30_000));
    terminal.settle(at(60_000));
    terminal.finish();
    let logged = LOGGED.take();
    assert_eq!(logged.len(), 2, "{logged:?}");
    assert!(logged.iter().all(|line| line.starts_with("toolkit: ")), "{logged:?}");
}

#[test]
fn sc_092_sc_093_a_timer_expires_after_the_response() {
    let writer = Writer::new("9113")
        .command("D011810301270082028182A40101A503000001", "810301270082028281830100A40101", "910B")
        .fetch(&vector("pc-more-time"))
        .respond("810301020082028281830100", "9000")
        .envelope(&vector("env-timer-expiration-1"), "9000");
    let mut terminal = Terminal::start(writer);
    for _ in 0..3 {
        terminal.step(at(0));
    }
    terminal.settle(at(10_000));
    terminal.finish();
}

#[test]
fn sc_120_a_busy_card_gets_the_envelope_again() {
    let timer = vector("env-timer-expiration-1");
    let writer = Writer::new("9113")
        .command("D011810301270082028182A40101A503000001", "810301270082028281830100A40101", "9000")
        .envelope(&timer, "9300")
        .envelope(&timer, "9300")
        .envelope(&timer, "9000");
    let mut terminal = Terminal::start(writer);
    terminal.settle(at(0));
    terminal.settle(at(10_000));
    assert_eq!(terminal.toolkit.deadline(), Some(10_100));
    terminal.settle(at(10_099));
    terminal.settle(at(10_100));
    assert_eq!(terminal.toolkit.deadline(), Some(10_300));
    terminal.settle(at(10_300));
    terminal.finish();
}

#[test]
fn a_response_waits_for_the_host_and_nothing_else_is_sent() {
    let writer = Script::new().on(SELECT_MF, "9000");
    let config = Config { capabilities: Capabilities::DISPLAY_TEXT, ..Config::default() };
    let cat = Cat::new(config);
    let profile = with_length("80100000", &hex::encode(&cat.terminal_profile()));
    let writer = Writer(writer.on(&profile, "911C"))
        .fetch(&vector("pc-display-text"))
        .respond("810301218082028281830100", "9000");
    let (mut card, play) = writer.0.card();
    let mut toolkit = Toolkit::new(cat);
    toolkit.start(&mut card, at(0)).unwrap();
    let progress = toolkit.step(&mut card, at(0)).unwrap();
    assert!(matches!(progress.effects.as_slice(), [Effect::Ask(_)]));
    assert_eq!(toolkit.deadline(), Some(60_000));
    assert!(!toolkit.step(&mut card, at(45_000)).unwrap().did_something);
    assert!(toolkit.complete(HostAnswer::Done).unwrap().is_empty());
    assert!(toolkit.step(&mut card, at(45_000)).unwrap().did_something);
    play.finish().unwrap();
}

#[test]
fn a_response_that_did_not_get_through_is_sent_again() {
    let response = vector("apdu-term-resp-ok-more-time");
    let writer = Writer::new("910B").fetch(&vector("pc-more-time"));
    let writer = Writer(writer.0.fail(&response, Code::CardTransmit)).on(&response, "9000");
    let mut terminal = Terminal::start(writer);
    terminal.step(at(0));
    let error = terminal.toolkit.step(&mut terminal.card, at(0)).unwrap_err();
    assert_eq!(error.code(), Code::CardTransmit);
    terminal.settle(at(0));
    terminal.finish();
}

#[test]
fn nothing_late_is_sent_to_a_card_that_was_reset() {
    let response = vector("apdu-term-resp-ok-more-time");
    let writer = Writer::new("910B").fetch(&vector("pc-more-time"));
    let writer = Writer(writer.0.fail(&response, Code::CardReset))
        .on(SELECT_MF, "9000")
        .on(&profile(), "9000");
    let mut terminal = Terminal::start(writer);
    terminal.step(at(0));
    let error = terminal.toolkit.step(&mut terminal.card, at(0)).unwrap_err();
    assert!(error.is_card_gone());
    terminal.card.card_ready();
    terminal.toolkit.start(&mut terminal.card, at(5)).unwrap();
    assert!(!terminal.step(at(5)).did_something);
    terminal.finish();
}

#[test]
fn a_card_without_rest_gets_one_command_a_second() {
    let mut writer = Writer::new("910B");
    for _ in 0..258 {
        writer = writer.command(&vector("pc-more-time"), "810301020082028281830100", "910B");
    }
    let mut terminal = Terminal::start(writer);
    for _ in 0..256 {
        assert!(!terminal.step(at(0)).throttled);
        terminal.step(at(0));
    }
    assert!(terminal.step(at(0)).throttled);
    assert_eq!(terminal.toolkit.deadline(), Some(1000));
    assert!(!terminal.step(at(999)).did_something);
    assert_eq!(terminal.settle(at(1000)), []);
    assert_eq!(terminal.toolkit.deadline(), Some(2000));
    terminal.settle(at(2000));
    terminal.finish();
}

#[test]
fn a_card_without_rest_for_two_minutes_is_slowed_down() {
    let mut writer = Writer::new("910B");
    for _ in 0..3 {
        writer = writer.command(&vector("pc-more-time"), "810301020082028281830100", "910B");
    }
    let mut terminal = Terminal::start(writer);
    terminal.step(at(0));
    terminal.step(at(0));
    terminal.step(at(119_999));
    assert!(!terminal.step(at(119_999)).throttled);
    let progress = terminal.step(at(120_000));
    assert!(progress.throttled && !progress.did_something);
    terminal.step(at(120_999));
    terminal.step(at(121_000));
    terminal.finish();
}

/// The card's octets of section 5.3 of the reference: one POST of 612 octets, answered with 500.
fn card_of_one_post(request: &[u8], answer: &[u8]) -> Writer {
    let receive = vector("srv-pc-receive-237");
    let received = |octets: &[u8], result: u8, left: u8| {
        let mut response = hex::decode("8103024200820282818301").unwrap();
        response.extend([result, 0xB6]);
        if octets.len() > 0x7F {
            response.push(0x81);
        }
        response.push(octets.len() as u8);
        response.extend(octets);
        response.extend([0xB7, 0x01, left]);
        hex::encode(&response)
    };
    let mut writer = Writer::new("9110")
        .command(&vector("pc-setup-event-list-bip"), &vector("tr-setup-event-list"), "9114")
        .command(&vector("srv-pc-open-3516"), &vector("srv-tr-open-listen"), "9000")
        .envelope(&vector("env-chstatus-established"), "9000")
        .envelope(&vector("env-data-available-ff"), "910E")
        .command(&receive, &received(&request[..237], 0, 0xFF), "910E")
        .command(&receive, &received(&request[237..474], 0, 138), "910E")
        .command(&receive, &received(&request[474..], 2, 0), "91FC");
    for (octets, sw) in
        [(&answer[..237], "91FC"), (&answer[237..474], "9127"), (&answer[474..], "910B")]
    {
        let length = if octets.len() > 0x7F { "81" } else { "" };
        let body =
            format!("810304430182028121B6{length}{:02X}{}", octets.len(), hex::encode(octets));
        let command = format!("D0{length}{:02X}{body}", body.len() / 2);
        writer = writer.command(&command, "810304430182028281830100B701FF", sw);
    }
    writer.command(&vector("srv-pc-close-listen"), "810305410182028281830100", "9000")
}

#[test]
fn sc_111_sc_113_sc_116_one_post_to_the_server_in_the_card() {
    let request: Vec<u8> = (0..612u32).map(|n| (n % 253) as u8).collect();
    let answer: Vec<u8> = (0..500u32).map(|n| (n % 241) as u8).collect();
    let mut terminal = Terminal::start(card_of_one_post(&request, &answer));
    assert_eq!(terminal.settle(at(0)), [Effect::Listening { port: 3516 }]);
    let client: ChannelId = terminal.toolkit.cat_mut().bip_mut().connect(3516).unwrap();
    assert_eq!(terminal.toolkit.cat_mut().bip_mut().write(client, &request), 612);
    assert_eq!(terminal.toolkit.deadline(), Some(0));
    terminal.settle(at(10));
    let bip = terminal.toolkit.cat_mut().bip_mut();
    let mut buffer = [0; 600];
    assert_eq!(bip.read(client, &mut buffer), 500);
    assert_eq!(&buffer[..500], answer);
    assert!(!bip.is_open(client) && bip.is_listening(3516));
    terminal.finish();
}
