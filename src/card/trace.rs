//! What goes over the card's contacts, for people who look on: every command APDU with its response,
//! without the PINs in them. Must not know where it is shown.

use crate::bytes::ctlv;
use std::borrow::Cow;

/// Sees every command APDU and its response APDU, PINs made unreadable. What else the card holds
/// (credentials in bootstrap data, identities) is in there as it is.
pub type Trace = Box<dyn FnMut(&[u8], &[u8]) + Send>;

const INS_TERMINAL_RESPONSE: u8 = 0x14;
/// VERIFY, CHANGE, DISABLE, ENABLE and UNBLOCK PIN: all of their data is PINs.
const PIN_COMMANDS: [u8; 5] = [0x20, 0x24, 0x26, 0x28, 0x2C];
const GET_INPUT: u8 = 0x23;
/// Qualifier of GET INPUT: what is typed is not shown.
const HIDDEN: u8 = 0x04;
const TAG_DETAILS: u16 = 0x01;
const TAG_TEXT: u16 = 0x0D;
/// What stands in place of a secret octet.
const MASK: u8 = 0xFF;

/// The command with `FF` in place of each octet of a PIN, and of what a user typed unseen.
pub fn masked(command: &[u8]) -> Cow<'_, [u8]> {
    let &[_, ins, _, _, lc, ..] = command else { return command.into() };
    let end = 5 + usize::from(lc).min(command.len() - 5);
    if PIN_COMMANDS.contains(&ins) && command.len() > 5 {
        let mut command = command.to_vec();
        command.get_mut(5..end).unwrap_or_default().fill(MASK);
        return command.into();
    }
    if ins == INS_TERMINAL_RESPONSE {
        return hidden_input(command, end);
    }
    command.into()
}

/// A TERMINAL RESPONSE whose data ends at `end`, the text behind its data coding scheme masked if the
/// card had asked for it to be typed unseen.
fn hidden_input(command: &[u8], end: usize) -> Cow<'_, [u8]> {
    let data = command.get(5..end).unwrap_or_default();
    let mut objects = ctlv::Reader::new(data);
    let mut is_hidden = false;
    while let Ok(Some(object)) = objects.read() {
        match (object.tag, object.value) {
            (TAG_DETAILS, &[_, GET_INPUT, qualifier]) => is_hidden = qualifier & HIDDEN != 0,
            (TAG_TEXT, [_, text @ ..]) if is_hidden && !text.is_empty() => {
                // Where the text stands: the reader lends parts of `data`.
                let at = text.as_ptr().addr() - data.as_ptr().addr();
                let mut command = command.to_vec();
                let text = 5 + at..5 + at + text.len();
                command.get_mut(text).unwrap_or_default().fill(MASK);
                return command.into();
            }
            _ => {}
        }
    }
    command.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::hex;

    fn shown(command: &str) -> String {
        hex::encode(&masked(&hex::decode(command).unwrap()))
    }

    #[test]
    fn pins_are_masked_and_nothing_else() {
        for (command, expected) in [
            ("002000010831323334FFFFFFFF", "0020000108FFFFFFFFFFFFFFFF"),
            ("A02000010831323334FFFFFFFF", "A020000108FFFFFFFFFFFFFFFF"),
            ("0024000102313233", "0024000102FFFF33"),
            ("002C0001083132", "002C000108FFFF"),
            ("00200001", "00200001"),
            ("0020000100", "0020000100"),
            ("00A40004023F0000", "00A40004023F0000"),
            ("0020", "0020"),
        ] {
            assert_eq!(shown(command), expected);
        }
    }

    #[test]
    fn what_was_typed_unseen_is_masked() {
        let response = |qualifier: &str| {
            format!("8014000014810301 23{qualifier} 82028281 830100 8D0504313233 34")
                .replace(' ', "")
        };
        assert_eq!(shown(&response("00")), response("00"));
        assert_eq!(shown(&response("04")), response("04").replace("31323334", "FFFFFFFF"));
        assert_eq!(shown("80140000028103"), "80140000028103");
    }
}
