//! The links between card and terminal: frames over loopback sockets, lines of text.

#![allow(clippy::unwrap_used)]

mod os_support;

use os_support::{card, vector};
use std::io::{Cursor, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use uicc_sim::card::{Card, CardConfig, Faults};
use uicc_sim::link::{Observer, Power, stdio, tcp, vpcd};

/// Writes down what it is told.
#[derive(Debug, Default)]
struct Log(Vec<String>);

impl Observer for Log {
    fn exchanged(&mut self, card: &Card, command: &[u8], response: &[u8]) {
        self.0.push(format!("{} {command:02X?} {response:02X?}", card.apdus()));
    }
    fn powered(&mut self, _card: &Card, power: Power) {
        self.0.push(format!("{power:?}"));
    }
    fn removed(&mut self, _card: &Card) {
        self.0.push("removed".into());
    }
}

fn small(config: CardConfig) -> Card {
    card(config).0
}

fn write(stream: &mut TcpStream, frame: &[u8]) {
    // As vpcd does it: length and octets in two segments.
    stream.write_all(&(frame.len() as u16).to_be_bytes()).unwrap();
    stream.write_all(frame).unwrap();
}

fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut frame = vec![0; usize::from(u16::from_be_bytes(head))];
    stream.read_exact(&mut frame).unwrap();
    frame
}

#[test]
fn a_vpcd_reader_controls_power_and_sends_commands() {
    let reader = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reader.local_addr().unwrap();
    let served = thread::spawn(move || {
        let mut log = Log::default();
        let mut card = small(CardConfig::default());
        vpcd::serve(vpcd::connect(address).unwrap(), &mut card, &mut log).unwrap();
        log.0
    });
    let (mut stream, _) = reader.accept().unwrap();
    write(&mut stream, &[4]);
    assert_eq!(read(&mut stream), [0x3B, 0x84, 0x01, 0x55, 0x49, 0x43, 0x43, 0x99]);
    write(&mut stream, &[1]);
    write(&mut stream, &[0x00, 0x70, 0x00, 0x00, 0x01]);
    assert_eq!(read(&mut stream), [0x01, 0x90, 0x00]);
    write(&mut stream, &[2]);
    // One octet that is no control code is a command, though a bad one.
    write(&mut stream, &[3]);
    assert_eq!(read(&mut stream), [0x67, 0x00]);
    write(&mut stream, &[0x01, 0xB0, 0x00, 0x00, 0x01]);
    assert_eq!(read(&mut stream), [0x68, 0x81], "the reset closed the channel");
    write(&mut stream, &[0]);
    drop(stream);
    assert_eq!(
        served.join().unwrap(),
        [
            "On",
            "1 [00, 70, 00, 00, 01] [01, 90, 00]",
            "Reset",
            "2 [03] [67, 00]",
            "3 [01, B0, 00, 00, 01] [68, 81]",
            "Off"
        ]
    );
}

#[test]
fn a_pulled_card_leaves_the_vpcd_reader() {
    let reader = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reader.local_addr().unwrap();
    let served = thread::spawn(move || {
        let faults = Faults { remove_after_apdus: Some(1), ..Faults::default() };
        let mut log = Log::default();
        let mut card = small(CardConfig { faults, ..CardConfig::default() });
        vpcd::serve(vpcd::connect(address).unwrap(), &mut card, &mut log).unwrap();
        log.0
    });
    let (mut stream, _) = reader.accept().unwrap();
    write(&mut stream, &[0x80, 0xF2, 0x00, 0x0C, 0x00]);
    assert_eq!(read(&mut stream), [0x90, 0x00]);
    write(&mut stream, &[0x80, 0xF2, 0x00, 0x0C, 0x00]);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(served.join().unwrap().last().unwrap(), "removed");
}

#[test]
fn each_tcp_connection_is_a_card_session() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = thread::spawn(move || {
        let faults = Faults { remove_after_apdus: Some(3), ..Faults::default() };
        let mut log = Log::default();
        let mut card = small(CardConfig { faults, ..CardConfig::default() });
        tcp::serve(&listener, &mut card, &mut log).unwrap();
        log.0
    });
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).unwrap();
        write(&mut stream, &[0x00, 0x70, 0x00, 0x00, 0x01]);
        assert_eq!(read(&mut stream), [0x01, 0x90, 0x00], "a new session has no channel open");
        // A command that is cut off ends the session.
        stream.write_all(&[0x00, 0x05, 0x00]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }
    let mut stream = TcpStream::connect(address).unwrap();
    write(&mut stream, &[4]);
    assert_eq!(read(&mut stream), [0x67, 0x00], "there are no control codes here");
    write(&mut stream, &[0x80, 0xF2, 0x00, 0x0C, 0x00]);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    let log = served.join().unwrap();
    let powers: Vec<_> = log.iter().filter(|line| line.len() < 8).map(String::as_str).collect();
    assert_eq!(powers, ["On", "Off", "On", "Off", "On", "removed", "Off"]);
}

#[test]
fn lines_of_text() {
    let mut log = Log::default();
    let mut output = Vec::new();
    let input = "# a remark\n\n00 70 00 00 01\nreset\n0070000001\r\n00700000zz\n007\n";
    let mut card = small(CardConfig::default());
    stdio::serve(Cursor::new(input), &mut output, &mut card, &mut log).unwrap();
    assert_eq!(
        String::from_utf8(output).unwrap(),
        "019000\n3B84015549434399\n019000\n! not hexadecimal text\n\
         ! an odd number of hexadecimal digits\n"
    );
    assert_eq!(log.0.first().unwrap(), "On");
    assert_eq!(log.0.last().unwrap(), "Off");
}

#[test]
fn lines_end_when_the_card_is_pulled_or_a_line_has_no_end() {
    let faults = Faults { remove_after_apdus: Some(0), ..Faults::default() };
    let mut card = small(CardConfig { faults, ..CardConfig::default() });
    let mut output = Vec::new();
    stdio::serve(Cursor::new("80F2000C00\n80F2000C00\n"), &mut output, &mut card, &mut ()).unwrap();
    assert_eq!(output, b"! the card was removed\n");
    let long = "0".repeat(5000);
    let mut card = small(CardConfig::default());
    assert!(stdio::serve(Cursor::new(long), &mut Vec::new(), &mut card, &mut ()).is_err());
}

#[test]
fn the_program_serves_lines_and_reports() {
    let report = std::env::temp_dir().join(format!("uicc-sim-report-{}", std::process::id()));
    let mut program = Command::new(env!("CARGO_BIN_EXE_uicc-sim"))
        .args(["--stdio", "--trace", "--report"])
        .arg(&report)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(b"0070000001\n8012000001\n").unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "019000\n6985\n");
    let findings = "BAD  FETCH, but no proactive command waits\n\
                    sessions: 0 good, 0 bad\nverdict: bad\n";
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!("* On\n> 0070000001\n< 019000\n> 8012000001\n< 6985\n* Off\n{findings}")
    );
    assert_eq!(std::fs::read_to_string(&report).unwrap(), findings);
    std::fs::remove_file(&report).unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn no_octets_bring_the_card_down() {
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 16) % below
    };
    let seeds: Vec<Vec<u8>> = [
        "apdu-select-pkcs15",
        "apdu-select-odf-path",
        "apdu-term-profile-dmsc",
        "apdu-readbin-128",
        "apdu-readrec-1",
        "apdu-mng-chan-open",
        "apdu-fetch",
        "apdu-term-resp-ok-more-time",
        "apdu-envelope-sms-pp",
        "apdu-verify-pin1-1234",
        "apdu-getresponse",
    ]
    .map(vector)
    .into_iter()
    .chain([
        b"\x80\xC2\x00\x00\x0D\xD6\x0B\x99\x01\x0A\x82\x02\x82\x81\xB8\x02\x81\x00".to_vec(),
        b"\x80\x14\x00\x00\x0C\x81\x03\x01\x05\x00\x82\x02\x82\x81\x83\x01\x00".to_vec(),
        b"\x80\xAA\x00\x00\x04\xA9\x02\x81\x00".to_vec(),
    ])
    .collect();
    let mut card = small(CardConfig::default());
    for _ in 0..20_000 {
        let mut apdu = seeds[random(seeds.len() as u64) as usize].clone();
        for _ in 0..random(4) {
            let at = random(apdu.len() as u64) as usize;
            apdu[at] = random(256) as u8;
        }
        apdu.truncate(apdu.len() - random(4) as usize % 3);
        let response = card.transmit(&apdu).unwrap();
        assert!((2..=258).contains(&response.len()));
    }
    assert!(card.findings().len() <= 1000);
}
