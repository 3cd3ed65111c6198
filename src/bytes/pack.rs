//! Length-prefixed fields of records in the store.

/// Appends `octets` behind their length (two octets, big-endian).
///
/// Longer ones cannot occur: every caller's octets are bounded far below 64 KiB. They would be cut.
pub fn put(out: &mut Vec<u8>, octets: &[u8]) {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(octets.get(..length.into()).unwrap_or(octets));
}

/// Reads what [`put`] and plain arrays wrote; `None` where the record is too short.
#[derive(Clone, Copy, Debug)]
pub struct Unpack<'a>(pub &'a [u8]);

impl<'a> Unpack<'a> {
    /// The next `N` octets.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    /// The next length-prefixed field.
    pub fn octets(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(self.array()?);
        let (octets, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        Some(octets)
    }

    /// The next length-prefixed field as text.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.octets()?).ok()
    }

    /// `value` if nothing is left.
    pub fn end<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_and_a_short_record_is_none() {
        let mut record = vec![7];
        put(&mut record, b"abc");
        put(&mut record, b"");
        let mut input = Unpack(&record);
        assert_eq!(input.array(), Some([7]));
        assert_eq!(input.text(), Some("abc"));
        assert_eq!(input.octets(), Some(&b""[..]));
        assert_eq!(input.end(()), Some(()));
        assert_eq!(Unpack(&record[1..4]).text(), None);
    }
}
