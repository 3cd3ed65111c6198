//! Hexadecimal text, for profiles, traces and the line protocol.

/// The octets that `text` spells; blanks are allowed between them.
///
/// Fails with a sentence that says what is wrong, never repeating the text.
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|b| !b.is_ascii_whitespace())
        .map(|b| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()
        .ok_or("not hexadecimal text")?;
    if !digits.len().is_multiple_of(2) {
        return Err("an odd number of hexadecimal digits".into());
    }
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// `octets` as upper-case text without blanks.
pub fn encode(octets: &[u8]) -> String {
    octets.iter().map(|b| format!("{b:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_octets_match_both_ways() {
        assert_eq!(decode("00 a4\tFf").unwrap(), [0x00, 0xA4, 0xFF]);
        assert_eq!(encode(&[0x00, 0xA4, 0xFF]), "00A4FF");
        assert!(decode("0").is_err() && decode("0g").is_err() && decode("é0").is_err());
    }
}
