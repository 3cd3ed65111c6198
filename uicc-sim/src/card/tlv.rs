//! BER lengths, and the comprehension TLVs of the toolkit (TS 101 220 section 7.1.1).

/// Appends tag, definite length and value. Values are shorter than 65,536 octets.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    match value.len() {
        n @ 0..=0x7F => out.push(n as u8),
        n @ 0x80..=0xFF => out.extend([0x81, n as u8]),
        n => out.extend([0x82, (n >> 8) as u8, n as u8]),
    }
    out.extend_from_slice(value);
}

/// One TLV as octets of its own.
pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 4);
    put(&mut out, tag, value);
    out
}

/// A comprehension TLV the terminal sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ctlv<'a> {
    /// Tag number without the comprehension flag.
    pub(crate) tag: u16,
    /// Comprehension required.
    pub(crate) required: bool,
    /// Value.
    pub(crate) value: &'a [u8],
}

/// Splits `data` into comprehension TLVs; fails with what is wrong.
pub(crate) fn comprehension(mut data: &[u8]) -> Result<Vec<Ctlv<'_>>, &'static str> {
    let mut all = Vec::new();
    while let Some((&first, rest)) = data.split_first() {
        let (tag, required, rest) = match (first, rest) {
            (0x00 | 0x80 | 0xFF, _) => return Err("a TLV has an invalid tag"),
            (0x7F, [high, low, rest @ ..]) => {
                (u16::from(high & 0x7F) << 8 | u16::from(*low), high & 0x80 != 0, rest)
            }
            (0x7F, _) => return Err("a three-octet tag is cut off"),
            _ => (u16::from(first & 0x7F), first & 0x80 != 0, rest),
        };
        let (value, rest) = take_value(rest)?;
        all.push(Ctlv { tag, required, value });
        data = rest;
    }
    Ok(all)
}

/// Takes the single BER-TLV that `data` has to be; returns its tag and value.
pub(crate) fn only(data: &[u8]) -> Result<(u8, &[u8]), &'static str> {
    let (&tag, rest) = data.split_first().ok_or("no data")?;
    match take_value(rest)? {
        (value, []) => Ok((tag, value)),
        _ => Err("octets behind the TLV"),
    }
}

/// Reads length and value; returns the value and what follows it.
pub(crate) fn take_value(data: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let (length, rest) = match data {
        [n @ 0..=0x7F, rest @ ..] => (usize::from(*n), rest),
        [0x81, n @ 0x80..=0xFF, rest @ ..] => (usize::from(*n), rest),
        [0x82, high @ 1..=0xFF, low, rest @ ..] => {
            (usize::from(*high) << 8 | usize::from(*low), rest)
        }
        [0x81 | 0x82, _, ..] => return Err("a length is cut off or not in its shortest form"),
        _ => return Err("a length is missing or of an invalid form"),
    };
    rest.split_at_checked(length).ok_or("a length runs over the end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_their_shortest_form_both_ways() {
        for (length, head) in
            [(0x7F, &[0x36, 0x7F][..]), (0x80, &[0x36, 0x81, 0x80]), (256, &[0x36, 0x82, 1, 0])]
        {
            let octets = tlv(0x36, &vec![7; length]);
            assert_eq!(&octets[..head.len()], head);
            assert_eq!(only(&octets).unwrap(), (0x36, &vec![7; length][..]));
        }
        assert!(only(&[0x36, 0x81, 0x01, 7]).is_err());
        assert!(only(&[0x36, 0x80]).is_err());
        assert!(only(&[0x36, 0x02, 7]).is_err());
        assert!(only(&[0x36, 0x01, 7, 8]).is_err());
        assert!(only(&[]).is_err());
    }

    #[test]
    fn comprehension_tags_have_one_or_three_octets() {
        let all = comprehension(&[0xB8, 1, 9, 0x7F, 0x81, 0x02, 0]).unwrap();
        assert_eq!(all[0], Ctlv { tag: 0x38, required: true, value: &[9] });
        assert_eq!(all[1], Ctlv { tag: 0x102, required: true, value: &[] });
        for bad in [&[0x80, 0][..], &[0x7F, 1], &[0x38], &[0x38, 2, 0]] {
            assert!(comprehension(bad).is_err(), "{bad:02X?}");
        }
    }
}
