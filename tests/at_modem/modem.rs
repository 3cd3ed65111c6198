//! A modem at the level of octets, with the simulated card behind it and the habits of real modems.

use dmsc::card::at::AtPort;
use dmsc::error::{Code, Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uicc_sim::card::Card;
use uicc_sim::hex;

/// What kind of modem it is.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    pub(crate) channels: bool,
    pub(crate) generic: bool,
    pub(crate) restricted: bool,
    /// Test forms are refused although the command works.
    pub(crate) no_test_forms: bool,
    /// Echo is on, and stays on whatever is asked.
    pub(crate) echo: bool,
    /// What ends a line.
    pub(crate) line_end: &'static str,
    /// Says things of its own before, between and behind the lines of an answer.
    pub(crate) talkative: bool,
    /// +CCHO gives a bare number.
    pub(crate) bare_session: bool,
    /// Lengths count octets instead of digits.
    pub(crate) counts_octets: bool,
    /// Refusals are texts, numbers, or only ERROR.
    pub(crate) refusals: Refusals,
    /// Octets that one read of the port gives at most.
    pub(crate) piece: usize,
    /// Longest line; what is beyond it is cut off.
    pub(crate) longest_line: usize,
    /// The modem fetches the data behind 61XX itself.
    pub(crate) fetches: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusals {
    Numbers,
    Texts,
    Bare,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            channels: true,
            generic: true,
            restricted: true,
            no_test_forms: false,
            echo: false,
            line_end: "\r\n",
            talkative: false,
            bare_session: false,
            counts_octets: false,
            refusals: Refusals::Numbers,
            piece: usize::MAX,
            longest_line: 2048,
            fetches: false,
        }
    }
}

/// How the modem treats the next command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lapse {
    /// It says nothing at all.
    Silent,
    /// It answers only when the next command comes.
    Late,
}

struct State {
    card: Card,
    manners: Manners,
    /// What the terminal has written and no command has ended yet.
    input: Vec<u8>,
    output: VecDeque<u8>,
    commands: Vec<String>,
    lapse: Option<(usize, Lapse)>,
    late: String,
}

/// The modem; clones are the same one.
#[derive(Clone)]
pub(crate) struct Modem(Arc<Mutex<State>>);

impl Modem {
    pub(crate) fn new(card: Card, manners: Manners) -> Self {
        Self(Arc::new(Mutex::new(State {
            card,
            manners,
            input: Vec::new(),
            output: VecDeque::new(),
            commands: Vec::new(),
            lapse: None,
            late: String::new(),
        })))
    }

    /// All commands so far, without those that begin the dialogue.
    pub(crate) fn commands(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let setting = ["AT", "ATE0V1", "AT+CMEE=1"];
        state.commands.iter().filter(|line| !setting.contains(&line.as_str())).cloned().collect()
    }

    pub(crate) fn forget_commands(&self) {
        self.0.lock().unwrap().commands.clear();
    }

    pub(crate) fn with_card<R>(&self, look: impl FnOnce(&mut Card) -> R) -> R {
        look(&mut self.0.lock().unwrap().card)
    }

    /// After `commands` more commands the modem has a lapse.
    pub(crate) fn lapse_after(&self, commands: usize, lapse: Lapse) {
        self.0.lock().unwrap().lapse = Some((commands, lapse));
    }

    /// Says something by itself.
    pub(crate) fn say(&self, text: &str) {
        self.0.lock().unwrap().output.extend(text.bytes());
    }
}

impl AtPort for Modem {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<usize> {
        let mut state = self.0.lock().unwrap();
        let count = state.output.len().min(buffer.len()).min(state.manners.piece);
        for (to, octet) in buffer.iter_mut().zip(state.output.drain(..count)) {
            *to = octet;
        }
        Ok(count)
    }

    fn write(&mut self, octets: &[u8]) -> Result<()> {
        let mut state = self.0.lock().unwrap();
        for &octet in octets {
            if !octet.is_ascii() {
                return Err(Error::new(Code::Io, "that is no text"));
            }
            state.input.push(octet);
            if octet == b'\r' {
                let line = std::mem::take(&mut state.input);
                let line = String::from_utf8(line).unwrap().trim().to_owned();
                state.command(&line);
            }
        }
        Ok(())
    }
}

impl State {
    fn command(&mut self, line: &str) {
        self.commands.push(line.to_owned());
        let late = std::mem::take(&mut self.late);
        self.output.extend(late.bytes());
        if self.manners.echo {
            self.output.extend(format!("{line}\r").bytes());
        }
        let answer = self.lines(line);
        match self.lapse {
            Some((0, lapse)) => {
                self.lapse = None;
                if lapse == Lapse::Late {
                    self.late = answer;
                }
                return;
            }
            Some((left, lapse)) => self.lapse = Some((left - 1, lapse)),
            None => {}
        }
        self.output.extend(answer.bytes());
    }

    fn lines(&mut self, line: &str) -> String {
        let end = self.manners.line_end;
        let answer = self.answer(line);
        let mut lines = Vec::new();
        let chatter = |lines: &mut Vec<String>, text: &str| lines.push(text.to_owned());
        if self.manners.talkative {
            chatter(&mut lines, "+CREG: 1,\"00C3\",\"0000A1B2\",7");
        }
        match answer {
            Ok(Some(information)) => {
                let cut = information.chars().take(self.manners.longest_line).collect();
                lines.push(cut);
                if self.manners.talkative {
                    chatter(&mut lines, "+CUSATP: \"D009810301020082028182\"");
                }
                lines.push("OK".to_owned());
            }
            Ok(None) => lines.push("OK".to_owned()),
            Err(number) => lines.push(self.refusal(number)),
        }
        if self.manners.talkative {
            chatter(&mut lines, "RING");
        }
        lines.iter().map(|line| format!("{end}{line}{end}")).collect()
    }

    fn refusal(&self, number: u16) -> String {
        let text = match number {
            3 => "operation not allowed",
            4 => "operation not supported",
            10 => "SIM not inserted",
            _ => "unknown",
        };
        match self.manners.refusals {
            Refusals::Numbers => format!("+CME ERROR: {number}"),
            Refusals::Texts => format!("+CME ERROR: {text}"),
            Refusals::Bare => "ERROR".to_owned(),
        }
    }

    /// The information line, if there is one; or the number of the refusal.
    fn answer(&mut self, line: &str) -> std::result::Result<Option<String>, u16> {
        if matches!(line, "AT" | "ATE0V1" | "AT+CMEE=1") {
            return Ok(None);
        }
        let (name, value) = line.split_once('=').ok_or(4u16)?;
        let offered = match name {
            "AT+CCHO" | "AT+CGLA" | "AT+CCHC" => self.manners.channels,
            "AT+CSIM" => self.manners.generic,
            "AT+CRSM" => self.manners.restricted,
            _ => false,
        };
        if !offered || (value == "?" && self.manners.no_test_forms) {
            return Err(4);
        }
        if value == "?" {
            return Ok(None);
        }
        let parts: Vec<&str> = value.split(',').map(|part| part.trim_matches('"')).collect();
        match (name, &parts[..]) {
            ("AT+CCHO", [aid]) => self.open(aid).map(Some),
            ("AT+CGLA", [session, length, apdu]) => {
                let channel = session.parse::<u8>().map_err(|_| 3u16)?.wrapping_sub(100);
                let mut apdu = self.octets(length, apdu)?;
                apdu[0] |= channel;
                self.exchange("+CGLA", &apdu).map(Some)
            }
            ("AT+CCHC", [session]) => {
                let channel = session.parse::<u8>().map_err(|_| 3u16)?.wrapping_sub(100);
                let answer = self.send(&[0x00, 0x70, 0x80, channel])?;
                if answer == [0x90, 0x00] { Ok(None) } else { Err(3) }
            }
            ("AT+CSIM", [length, apdu]) => {
                let apdu = self.octets(length, apdu)?;
                self.exchange("+CSIM", &apdu).map(Some)
            }
            ("AT+CRSM", [command, file, p1, p2, p3, _, path]) => {
                let number = |text: &str| text.parse::<u16>().map_err(|_| 3u16);
                let p = [number(p1)? as u8, number(p2)? as u8, number(p3)? as u8];
                self.restricted(number(command)?, number(file)?, p, path).map(Some)
            }
            _ => Err(3),
        }
    }

    fn octets(&self, length: &str, digits: &str) -> std::result::Result<Vec<u8>, u16> {
        assert_eq!(length.parse(), Ok(digits.len()), "the length counts digits");
        hex::decode(digits).map_err(|_| 3)
    }

    fn send(&mut self, command: &[u8]) -> std::result::Result<Vec<u8>, u16> {
        self.card.transmit(command).map_err(|_| 10)
    }

    fn exchange(&mut self, name: &str, command: &[u8]) -> std::result::Result<String, u16> {
        let mut answer = self.send(command)?;
        while self.manners.fetches && answer.len() >= 2 && answer[answer.len() - 2] == 0x61 {
            let left = answer.pop().unwrap();
            answer.pop();
            answer.extend(self.send(&[command[0] & 0x0F, 0xC0, 0, 0, left])?);
        }
        let length = answer.len() * if self.manners.counts_octets { 1 } else { 2 };
        Ok(format!("{name}: {length},\"{}\"", hex::encode(&answer)))
    }

    /// MANAGE CHANNEL and SELECT, as the modem's SIM stack does it; the session is no channel number.
    fn open(&mut self, aid: &str) -> std::result::Result<String, u16> {
        let opened = self.send(&[0x00, 0x70, 0x00, 0x00, 0x01])?;
        let &[channel, 0x90, 0x00] = &opened[..] else { return Err(3) };
        let aid = hex::decode(aid).map_err(|_| 3u16)?;
        let select = [&[channel, 0xA4, 0x04, 0x0C, aid.len() as u8][..], &aid].concat();
        if !self.send(&select)?.ends_with(&[0x90, 0x00]) {
            self.send(&[0x00, 0x70, 0x80, channel])?;
            return Err(22);
        }
        let session = 100 + u16::from(channel);
        Ok(if self.manners.bare_session {
            session.to_string()
        } else {
            format!("+CCHO: {session}")
        })
    }

    /// SELECT by path and what was asked for, on channel 0.
    fn restricted(
        &mut self,
        command: u16,
        file: u16,
        p: [u8; 3],
        path: &str,
    ) -> std::result::Result<String, u16> {
        let directory = if path == "3F00" { Vec::new() } else { hex::decode(path).unwrap() };
        let path = [&directory[..], &file.to_be_bytes()].concat();
        let select = match file {
            0x3F00 => vec![0x00, 0xA4, 0x00, 0x04, 0x02, 0x3F, 0x00, 0x00],
            _ => [&[0x00, 0xA4, 0x08, 0x04, path.len() as u8][..], &path, &[0x00]].concat(),
        };
        let mut answer = self.send(&select)?;
        if answer.ends_with(&[0x90, 0x00]) && command != 192 {
            let ins = if command == 176 { 0xB0 } else { 0xB2 };
            answer = self.send(&[0x00, ins, p[0], p[1], p[2]])?;
        }
        let sw = answer.split_off(answer.len() - 2);
        let data = match &answer[..] {
            [] => String::new(),
            data => format!(",\"{}\"", hex::encode(data)),
        };
        Ok(format!("+CRSM: {},{}{data}", sw[0], sw[1]))
    }
}
