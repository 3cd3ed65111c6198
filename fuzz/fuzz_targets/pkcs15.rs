//! A card whose files are the input: EF.DIR, ODF, DODF and object, each led by two octets of length; and a
//! card that answers with the input as it comes.

#![no_main]

use dmsc::card::apdu::Card;
use dmsc::card::cat::{Cat, Config};
use dmsc::card::pkcs15::{OID_CP_BOOTSTRAP, OID_DM_BOOTSTRAP, Options, read_objects};
use dmsc::card::toolkit::Toolkit;
use dmsc::card::transport::CardTransport;
use dmsc::card::uicc;
use dmsc::error::Result;
use dmsc::time::Now;
use libfuzzer_sys::fuzz_target;

/// Exchanges after which a reading must have come to its end.
const EXCHANGES: usize = 20_000;

/// A card of transparent files.
struct Files {
    /// EF.DIR, ODF, DODF, object.
    files: [Vec<u8>; 4],
    selected: usize,
    exchanges: usize,
}

impl Files {
    fn new(mut octets: &[u8]) -> Self {
        let files = std::array::from_fn(|_| {
            let [high, low, rest @ ..] = octets else { return Vec::new() };
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
            let (file, after) = rest.split_at(length);
            octets = after;
            file.to_vec()
        });
        Self { files, selected: 0, exchanges: 0 }
    }

    fn select(&mut self, path: &[u8]) -> Vec<u8> {
        self.selected = match path {
            [.., 0x2F, 0x00] => 0,
            [.., 0x50, 0x31] => 1,
            [.., 0x64, 0x30] => 2,
            [0xA0, ..] if self.files[0].is_empty() => return vec![0x6A, 0x82],
            _ => 3,
        };
        let [high, low] = (self.files[self.selected].len() as u16).to_be_bytes();
        vec![0x62, 0x07, 0x82, 0x01, 0x01, 0x80, 0x02, high, low, 0x90, 0x00]
    }

    fn read(&self, offset: usize, expected: usize) -> Vec<u8> {
        let file = &self.files[self.selected];
        let rest = file.get(offset..).unwrap_or_default();
        let part = &rest[..rest.len().min(expected)];
        let word = if part.is_empty() { [0x6B, 0x00] } else { [0x90, 0x00] };
        [part, &word].concat()
    }
}

impl CardTransport for Files {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        self.exchanges += 1;
        assert!(self.exchanges < EXCHANGES, "the reading never ends");
        Ok(match command {
            [_, 0xA4, _, _, length, rest @ ..] => {
                self.select(&rest[..rest.len().min(usize::from(*length))])
            }
            [_, 0xB0, p1, p2, le] => {
                let offset = if p1 & 0x80 != 0 {
                    usize::from(*p2)
                } else {
                    usize::from(u16::from_be_bytes([*p1, *p2]))
                };
                self.read(offset, if *le == 0 { 256 } else { usize::from(*le) })
            }
            [_, 0x70, 0x00, ..] => vec![0x01, 0x90, 0x00],
            [_, 0x70, ..] => vec![0x90, 0x00],
            _ => vec![0x6D, 0x00],
        })
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// A card that answers with the input, each answer led by an octet of length, over and over.
struct Anything {
    octets: Vec<u8>,
    at: usize,
    exchanges: usize,
}

impl CardTransport for Anything {
    fn transmit(&mut self, _command: &[u8]) -> Result<Vec<u8>> {
        self.exchanges += 1;
        assert!(self.exchanges < EXCHANGES, "the card is asked for ever");
        let Some(length) = self.octets.get(self.at) else {
            self.at = 0;
            return Ok(vec![0x90, 0x00]);
        };
        let rest = &self.octets[self.at + 1..];
        let answer = rest[..rest.len().min(usize::from(*length))].to_vec();
        self.at += 1 + answer.len();
        Ok(answer)
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

fn read_all(transport: impl Fn() -> Box<dyn CardTransport>) {
    let wanted = [OID_DM_BOOTSTRAP, OID_CP_BOOTSTRAP];
    let _ = read_objects(&mut Card::new(transport()), &wanted, Options::default());
    let _ = uicc::read_identity(&mut Card::new(transport()));
    let _ = uicc::read_imsi(&mut Card::new(transport()));
}

fuzz_target!(|octets: &[u8]| {
    read_all(|| Box::new(Files::new(octets)));
    let anything = || Anything { octets: octets.to_vec(), at: 0, exchanges: 0 };
    read_all(|| Box::new(anything()));
    let mut card = Card::new(Box::new(anything()));
    let mut toolkit = Toolkit::new(Cat::new(Config::default()));
    let _ = toolkit.start(&mut card, Now::default());
    for step in 0..300 {
        let _ = toolkit.step(&mut card, Now { mono_ms: step * 100, unix_s: 0 });
    }
});
