//! Command APDUs as the card reads them, and status words (TS 102 221 sections 10.1 and 10.2).

use super::config::Protocol;

/// A status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sw(pub(crate) u16);

impl Sw {
    pub(crate) const OK: Sw = Sw(0x9000);
    pub(crate) const TOOLKIT_BUSY: Sw = Sw(0x9300);
    pub(crate) const END_OF_FILE: Sw = Sw(0x6282);
    pub(crate) const WRONG_LENGTH: Sw = Sw(0x6700);
    pub(crate) const CHANNEL: Sw = Sw(0x6881);
    pub(crate) const SECURE_MESSAGING: Sw = Sw(0x6882);
    pub(crate) const FILE_STRUCTURE: Sw = Sw(0x6981);
    pub(crate) const SECURITY: Sw = Sw(0x6982);
    pub(crate) const BLOCKED: Sw = Sw(0x6983);
    pub(crate) const INVALIDATED: Sw = Sw(0x6984);
    pub(crate) const CONDITIONS: Sw = Sw(0x6985);
    pub(crate) const NO_EF: Sw = Sw(0x6986);
    pub(crate) const DATA: Sw = Sw(0x6A80);
    pub(crate) const NOT_SUPPORTED: Sw = Sw(0x6A81);
    pub(crate) const NOT_FOUND: Sw = Sw(0x6A82);
    pub(crate) const RECORD_NOT_FOUND: Sw = Sw(0x6A83);
    pub(crate) const P1_P2: Sw = Sw(0x6A86);
    pub(crate) const LC: Sw = Sw(0x6A87);
    pub(crate) const REFERENCE: Sw = Sw(0x6A88);
    pub(crate) const OFFSET: Sw = Sw(0x6B00);
    pub(crate) const INSTRUCTION: Sw = Sw(0x6D00);
    pub(crate) const CLASS: Sw = Sw(0x6E00);

    /// `61XX`, `6CXX` or `91XX` with a length of 1 to 256.
    pub(crate) fn with_length(first: u8, length: usize) -> Sw {
        // 256 and more are written 00: "at least 256".
        let last = if length < 256 { length as u8 } else { 0 };
        Sw(u16::from(first) << 8 | u16::from(last))
    }
}

/// A command in short coding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command<'a> {
    pub(crate) cla: u8,
    pub(crate) ins: u8,
    pub(crate) p1: u8,
    pub(crate) p2: u8,
    pub(crate) data: &'a [u8],
    /// Octets expected, 1 to 256; none: the command ends without Le.
    pub(crate) le: Option<usize>,
}

impl<'a> Command<'a> {
    /// Splits an APDU. Extended lengths are not used between terminal and card: `6700`.
    pub(crate) fn parse(raw: &'a [u8]) -> Result<Self, Sw> {
        let [cla, ins, p1, p2, rest @ ..] = raw else { return Err(Sw::WRONG_LENGTH) };
        let expected = |le: u8| Some(if le == 0 { 256 } else { usize::from(le) });
        let (data, le) = match rest {
            [] => (&[][..], None),
            [le] => (&[][..], expected(*le)),
            [lc, body @ ..] if *lc > 0 && body.len() == usize::from(*lc) => (body, None),
            [lc, data @ .., le] if *lc > 0 && data.len() == usize::from(*lc) => {
                (data, expected(*le))
            }
            _ => return Err(Sw::WRONG_LENGTH),
        };
        Ok(Self { cla: *cla, ins: *ins, p1: *p1, p2: *p2, data, le })
    }

    /// There is no command data; a lone `00` may be the P3 of a TPDU that has neither.
    pub(crate) fn empty_body(&self) -> bool {
        self.data.is_empty() && matches!(self.le, None | Some(256))
    }

    /// Le of a case 2 command. On T=0 a header without P3 stands for P3 `00`.
    pub(crate) fn wanted(&self, protocol: Protocol) -> Result<usize, Sw> {
        match (self.le, protocol) {
            (Some(le), _) => Ok(le),
            (None, Protocol::T0) => Ok(256),
            (None, Protocol::T1) => Err(Sw::WRONG_LENGTH),
        }
    }

    /// Checks Le against data that are `length` octets long and read as a whole. Commands with an
    /// effect ask before they have it, since `6CXX` makes the terminal repeat them.
    pub(crate) fn expects(&self, length: usize, protocol: Protocol) -> Result<(), Sw> {
        let le = self.wanted(protocol)?;
        if le == length || (le > length && protocol == Protocol::T1) {
            Ok(())
        } else {
            Err(Sw::with_length(0x6C, length))
        }
    }
}

/// The class byte taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// `8X`, `CX`: commands of TS 102 221 itself, not of ISO 7816-4.
    pub(crate) etsi: bool,
    /// Logical channel, 0 to 19.
    pub(crate) channel: u8,
}

impl Class {
    pub(crate) fn of(cla: u8) -> Result<Self, Sw> {
        let etsi = cla & 0x80 != 0;
        match cla & 0x7F {
            low @ 0x00..=0x03 => Ok(Self { etsi, channel: low }),
            0x04..=0x0F | 0x60..=0x6F => Err(Sw::SECURE_MESSAGING),
            low @ 0x40..=0x4F => Ok(Self { etsi, channel: 4 + (low & 0x0F) }),
            _ => Err(Sw::CLASS),
        }
    }
}

/// What a command leads to, before the rules of the transmission protocol are applied.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Only the status word.
    Done,
    /// Data of a case 4 command.
    Out(Vec<u8>),
    /// Data of a case 2 command that are read as a whole.
    Exact(Vec<u8>),
    /// The rest of a file, of which a case 2 command takes what it wants.
    UpTo(Vec<u8>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_cases() {
        let parse = |raw: &'static [u8]| Command::parse(raw).unwrap();
        assert_eq!(
            (parse(&[0, 0x20, 0, 1]).le, parse(&[0, 0x20, 0, 1]).empty_body()),
            (None, true)
        );
        assert_eq!(parse(&[0, 0xB0, 0, 0, 0]).le, Some(256));
        let case3 = parse(&[0, 0xA4, 0, 0, 2, 0x3F, 0]);
        assert_eq!((case3.data, case3.le), (&[0x3F, 0][..], None));
        let case4 = parse(&[0, 0xA4, 0, 0, 2, 0x3F, 0, 5]);
        assert_eq!((case4.data, case4.le), (&[0x3F, 0][..], Some(5)));
        for bad in [&[0, 0, 0][..], &[0, 0xA4, 0, 0, 3, 1], &[0, 0xB0, 0, 0, 0, 1, 0]] {
            assert_eq!(Command::parse(bad), Err(Sw::WRONG_LENGTH));
        }
    }

    #[test]
    fn sc_009_channels_in_the_class_byte() {
        for (cla, etsi, channel) in [
            (0x00, false, 0),
            (0x03, false, 3),
            (0x40, false, 4),
            (0x4F, false, 19),
            (0x80, true, 0),
            (0x83, true, 3),
            (0xC0, true, 4),
            (0xCF, true, 19),
        ] {
            assert_eq!(Class::of(cla), Ok(Class { etsi, channel }));
        }
        for cla in [0x10, 0x20, 0x3F, 0xA0, 0x70, 0xFF] {
            assert_eq!(Class::of(cla), Err(Sw::CLASS));
        }
        for cla in [0x04, 0x0C, 0x60, 0x8C, 0xE0] {
            assert_eq!(Class::of(cla), Err(Sw::SECURE_MESSAGING));
        }
    }
}
