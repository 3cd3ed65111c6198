//! Short messages that carry a push: TPDU, user data header, ports.
//!
//! Owns the octets of 3GPP TS 23.040 as far as a push on port 2948 needs them, and (in
//! [`Reassembler`]) the joining of segments. Must not know what a push is.

mod reassembly;

pub use reassembly::Reassembler;

use super::fault;
use crate::error::{Code, Error, Result};

/// Destination port of a connectionless push, the only one that is taken.
pub const PUSH_PORT: u16 = 2948;

/// Information elements of the user data header.
const CONCATENATION_8: u8 = 0x00;
const PORTS_16: u8 = 0x05;
const CONCATENATION_16: u8 = 0x08;

/// Place of a segment in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The sender's reference.
    pub reference: u16,
    /// True if the reference is of 16 bits; both widths count on their own.
    pub wide: bool,
    /// Segments of the message, at least 1.
    pub total: u8,
    /// Number of this one, `1..=total`.
    pub sequence: u8,
}

/// One short message for the push port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The other side's address as it stands in the TPDU: length, type, digits.
    pub address: &'a [u8],
    /// Port it came from; any value.
    pub source_port: u16,
    /// `None` for a message of a single segment.
    pub part: Option<Part>,
    /// User data behind its header.
    pub data: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Reads an SMS-DELIVER or SMS-SUBMIT TPDU (TS 23.040 9.2.2), without service centre address.
    ///
    /// Fails with `TriggerFormat`, classes `E_SMS_TRUNCATED`, `E_SMS_UDH`, and `E_SMS_PORT` for
    /// everything that is no binary message to [`PUSH_PORT`]: that one is somebody else's.
    pub fn read(tpdu: &'a [u8]) -> Result<Self> {
        let mut fields = Fields { tpdu, at: 0 };
        let first = fields.octet()?;
        let submit = match first & 0x03 {
            0 => false,
            1 => true,
            _ => return Err(refuse("E_SMS_PORT", 0, "neither SMS-DELIVER nor SMS-SUBMIT")),
        };
        if submit {
            fields.octet()?; // message reference
        }
        let address = fields.address()?;
        fields.octet()?; // protocol identifier
        let coding = fields.octet()?;
        let coding_at = fields.at - 1;
        match (submit, first >> 3 & 0x03) {
            (false, _) => fields.take(7)?, // service centre time stamp
            (true, 0) => &[],
            (true, 2) => fields.take(1)?, // relative validity period
            (true, _) => fields.take(7)?,
        };
        let length = fields.octet()?;
        let user_data_at = fields.at;
        if !is_octets(coding) {
            return Err(refuse("E_SMS_PORT", coding_at, "the user data are no octets"));
        }
        let user_data = fields.take(length.into())?;
        if first & 0x40 == 0 {
            return Err(refuse("E_SMS_PORT", 0, "no user data header"));
        }
        let header = UserDataHeader::read_at(user_data, user_data_at)?;
        match header.ports {
            Some((PUSH_PORT, source_port)) => {
                Ok(Self { address, source_port, part: header.part, data: header.data })
            }
            _ => Err(refuse("E_SMS_PORT", user_data_at, "not for the push port")),
        }
    }
}

/// The TPDU of a PDU that begins with a service centre address, as modems print it.
///
/// Fails with `TriggerFormat` (`E_SMS_TRUNCATED`).
pub fn without_service_centre(pdu: &[u8]) -> Result<&[u8]> {
    let mut fields = Fields { tpdu: pdu, at: 0 };
    let length = fields.octet()?;
    fields.take(length.into())?;
    Ok(pdu.get(fields.at..).unwrap_or_default())
}

/// What the user data header says, and the user data behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserDataHeader<'a> {
    /// Every element in order: identifier and data.
    pub elements: Vec<(u8, &'a [u8])>,
    /// Destination and source of the last 16-bit port element.
    pub ports: Option<(u16, u16)>,
    /// The last concatenation element that makes sense.
    pub part: Option<Part>,
    /// What follows the header.
    pub data: &'a [u8],
}

impl<'a> UserDataHeader<'a> {
    /// Reads user data that begin with a header (TS 23.040 9.2.3.24).
    ///
    /// Unknown elements are skipped by their length. Of a repeated element the last counts. A
    /// concatenation element with impossible numbers is ignored, as the standard asks.
    /// Fails with `TriggerFormat` (`E_SMS_UDH`).
    pub fn read(user_data: &'a [u8]) -> Result<Self> {
        Self::read_at(user_data, 0)
    }

    /// As [`read`](Self::read), with the octets' place in the TPDU for the error text.
    fn read_at(user_data: &'a [u8], at: usize) -> Result<Self> {
        let broken = |offset, what| refuse("E_SMS_UDH", at + offset, what);
        let split = user_data
            .split_first()
            .and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)));
        let Some((mut rest, data)) = split else {
            return Err(broken(0, "the header is longer than the user data"));
        };
        let header_end = 1 + rest.len();
        let mut header = Self { elements: Vec::new(), ports: None, part: None, data };
        while !rest.is_empty() {
            let offset = header_end - rest.len();
            let element = match rest {
                [id, length, tail @ ..] => {
                    tail.split_at_checked(usize::from(*length)).map(|split| (*id, split))
                }
                _ => None,
            };
            let Some((id, (octets, tail))) = element else {
                return Err(broken(offset, "an element runs past the header"));
            };
            header.element(id, octets);
            rest = tail;
        }
        Ok(header)
    }

    /// Takes one element. One of a known kind but another length is as good as unknown.
    fn element(&mut self, id: u8, octets: &'a [u8]) {
        self.elements.push((id, octets));
        match (id, octets) {
            (PORTS_16, &[d1, d2, s1, s2]) => {
                self.ports = Some((u16::from_be_bytes([d1, d2]), u16::from_be_bytes([s1, s2])));
            }
            (CONCATENATION_8, &[reference, total, sequence]) => {
                self.concatenation(reference.into(), false, total, sequence);
            }
            (CONCATENATION_16, &[r1, r2, total, sequence]) => {
                self.concatenation(u16::from_be_bytes([r1, r2]), true, total, sequence);
            }
            _ => {}
        }
    }

    fn concatenation(&mut self, reference: u16, wide: bool, total: u8, sequence: u8) {
        if (1..=total).contains(&sequence) {
            self.part = Some(Part { reference, wide, total, sequence });
        }
    }
}

/// True for the data codings of plain 8-bit data (TS 23.038 4).
fn is_octets(coding: u8) -> bool {
    match coding >> 4 {
        // General groups, also marked for automatic deletion; bit 5 would mean compressed.
        0x0 | 0x1 | 0x4 | 0x5 => coding & 0x0C == 0x04,
        0xF => coding & 0x04 != 0,
        _ => false,
    }
}

fn refuse(class: &str, at: usize, what: &str) -> Error {
    fault(Code::TriggerFormat, class, at, what)
}

/// A reader over a TPDU.
struct Fields<'a> {
    tpdu: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let taken = self.tpdu.get(self.at..).and_then(|rest| rest.get(..length));
        let Some(taken) = taken else {
            return Err(refuse("E_SMS_TRUNCATED", self.at, "a field runs past the TPDU"));
        };
        self.at += length;
        Ok(taken)
    }

    fn octet(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// Length in digits, type, two digits an octet.
    fn address(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        let digits = usize::from(self.octet()?);
        self.at = start;
        self.take(2 + digits.div_ceil(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PORTS: &[u8] = b"\x06\x05\x04\x0B\x84\x23\xF0";

    /// An SMS-DELIVER of one-digit address with this first octet, coding and user data.
    fn deliver(first: u8, coding: u8, user_data: &[u8]) -> Vec<u8> {
        let length = u8::try_from(user_data.len()).unwrap();
        [&[first, 1, 0x81, 0xF5, 0, coding], &[0x11; 7][..], &[length], user_data].concat()
    }

    fn refusal(tpdu: &[u8]) -> String {
        let error = Segment::read(tpdu).unwrap_err();
        assert_eq!(error.code(), Code::TriggerFormat);
        error.what().split(':').next().unwrap().to_owned()
    }

    #[test]
    fn only_plain_octets_are_data() {
        let user_data = [PORTS, b"push"].concat();
        for coding in 0..=u8::MAX {
            let tpdu = deliver(0x44, coding, &user_data);
            let taken = matches!(
                coding,
                0x04..=0x07 | 0x14..=0x17 | 0x44..=0x47 | 0x54..=0x57 | 0xF4..=0xF7 | 0xFC..=0xFF
            );
            assert_eq!(Segment::read(&tpdu).is_ok(), taken, "{coding:02X}");
            if !taken {
                assert_eq!(refusal(&tpdu), "E_SMS_PORT at byte 5");
            }
        }
    }

    #[test]
    fn messages_for_somebody_else() {
        let user_data = [PORTS, b"push"].concat();
        assert_eq!(refusal(&deliver(0x04, 0x04, &user_data)), "E_SMS_PORT at byte 0");
        assert_eq!(refusal(&deliver(0x42, 0x04, &user_data)), "E_SMS_PORT at byte 0");
        let ports_8 = deliver(0x44, 0x04, b"\x04\x04\x02\xF9\xF9x");
        assert_eq!(refusal(&ports_8), "E_SMS_PORT at byte 14");
        assert_eq!(refusal(&deliver(0x44, 0x04, b"\x00x")), "E_SMS_PORT at byte 14");
        assert_eq!(refusal(&deliver(0x44, 0x04, b"")), "E_SMS_UDH at byte 14");
    }

    #[test]
    fn the_last_element_of_a_kind_counts() {
        let header = UserDataHeader::read(
            b"\x1B\x05\x04\x00\x01\x00\x02\x08\x04\x12\x34\x03\x01\x00\x03\x07\x02\x02\
              \x04\x02\x01\x02\x05\x04\x0B\x84\x23\xF0x",
        )
        .unwrap();
        assert_eq!(header.ports, Some((PUSH_PORT, 9200)));
        let part = Part { reference: 7, wide: false, total: 2, sequence: 2 };
        assert_eq!((header.part, header.data), (Some(part), &b"x"[..]));
    }

    #[test]
    fn an_element_of_another_length_is_unknown() {
        let header = UserDataHeader::read(b"\x08\x05\x03\x0B\x84\x23\x00\x01\x07").unwrap();
        assert_eq!((header.ports, header.part, header.elements.len()), (None, None, 2));
    }

    #[test]
    fn submit_with_each_validity_period() {
        for (first, validity) in [(0x41, 0), (0x51, 1), (0x49, 7), (0x59, 7)] {
            let user_data = [PORTS, b"push"].concat();
            let tpdu = [
                &[first, 0x07, 3, 0x91, 0x21, 0xF3, 0, 0x04][..],
                &[0xA7; 7][..validity],
                &[u8::try_from(user_data.len()).unwrap()],
                &user_data,
            ]
            .concat();
            let segment = Segment::read(&tpdu).unwrap();
            assert_eq!(segment.address, [3, 0x91, 0x21, 0xF3]);
            assert_eq!(segment.data, b"push");
        }
    }

    #[test]
    fn a_service_centre_in_front_is_taken_off() {
        assert_eq!(without_service_centre(b"\x02\x91\x21rest"), Ok(&b"rest"[..]));
        assert_eq!(without_service_centre(b"\x00rest"), Ok(&b"rest"[..]));
        assert!(without_service_centre(b"\x09\x91").is_err());
        assert!(without_service_centre(b"").is_err());
    }

    #[test]
    fn every_cut_is_truncated() {
        let whole = deliver(0x44, 0x04, &[PORTS, b"push"].concat());
        for length in 0..whole.len() {
            assert!(refusal(&whole[..length]).starts_with("E_SMS_TRUNCATED"), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_tpdu_panics(octets in prop::collection::vec(any::<u8>(), 0..180)) {
            let _ = Segment::read(&octets);
            let _ = UserDataHeader::read(&octets);
            let _ = without_service_centre(&octets);
            let _ = Segment::read(&deliver(0x44, 0x04, &octets));
        }
    }
}
