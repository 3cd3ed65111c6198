//! Octet scans, eight octets at a time, for the hot paths of readers and writers.
//!
//! Owns the arithmetic; must not know either encoding's syntax.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of each octet of `word` that is 0. Octets above the first hit may be wrong.
#[inline(always)]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// The high bit of each octet of `word` that is `octet`. Octets above the first hit may be wrong.
#[inline(always)]
const fn equal(word: u64, octet: u8) -> u64 {
    zeros(word ^ (LOW * octet as u64))
}

/// Where the first octet is for which `is` is true; `words` marks it in eight octets at once, exact
/// up to the first hit.
#[inline(always)]
fn find(octets: &[u8], words: impl Fn(u64) -> u64, is: impl Fn(u8) -> bool) -> Option<usize> {
    let (chunks, rest) = octets.as_chunks::<8>();
    let mut at = 0;
    for chunk in chunks {
        let hits = words(u64::from_le_bytes(*chunk));
        if hits != 0 {
            return Some(at + (hits.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    rest.iter().position(|octet| is(*octet)).map(|rest| at + rest)
}

/// Where the first NUL is.
#[inline]
pub(super) fn nul(octets: &[u8]) -> Option<usize> {
    find(octets, zeros, |octet| octet == 0)
}

/// Where the first octet is that is not US-ASCII.
#[inline]
pub(super) fn not_ascii(octets: &[u8]) -> Option<usize> {
    find(octets, |word| word & HIGH, |octet| !octet.is_ascii())
}

/// Where the first octet is that is NUL or not US-ASCII.
#[inline]
pub(super) fn not_plain(octets: &[u8]) -> Option<usize> {
    let is = |octet: u8| octet == 0 || !octet.is_ascii();
    find(octets, |word| (word.wrapping_sub(LOW) | word) & HIGH, is)
}

/// Where the first octet is that XML text does not take as it is: `<`, `>`, `&`, a control, or the
/// first octet of U+F000 to U+FFFF, where the two characters are that XML does not allow.
#[inline]
pub(super) fn special(octets: &[u8]) -> Option<usize> {
    let words = |word: u64| {
        // `<` and `>` differ in one bit.
        let brackets = equal(word | (LOW * 2), b'>');
        let controls = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
        brackets | equal(word, b'&') | controls | equal(word, 0xEF)
    };
    find(octets, words, |octet| matches!(octet, b'<' | b'>' | b'&' | 0..0x20 | 0xEF))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn scans_find_what_a_look_at_every_octet_finds(
            octets in prop::collection::vec(prop_oneof![any::<u8>(), 0x20..0x7Fu8, Just(b'a')], 0..70),
        ) {
            prop_assert_eq!(nul(&octets), octets.iter().position(|b| *b == 0));
            prop_assert_eq!(not_ascii(&octets), octets.iter().position(|b| !b.is_ascii()));
            let plain = |b: &u8| *b == 0 || !b.is_ascii();
            prop_assert_eq!(not_plain(&octets), octets.iter().position(plain));
            let special_octet = |b: &u8| matches!(b, b'<' | b'>' | b'&' | 0..0x20 | 0xEF);
            prop_assert_eq!(special(&octets), octets.iter().position(special_octet));
        }
    }

    #[test]
    fn every_octet_is_classed_at_every_place() {
        for octet in 0..=u8::MAX {
            for place in 0..16 {
                let mut octets = [b'a'; 16];
                octets[place] = octet;
                let found = matches!(octet, b'<' | b'>' | b'&' | 0..0x20 | 0xEF).then_some(place);
                assert_eq!(special(&octets), found, "{octet:02X}");
                assert_eq!(nul(&octets), (octet == 0).then_some(place), "{octet:02X}");
            }
        }
    }
}
