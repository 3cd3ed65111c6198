//! Small numbers as text: identifiers of messages and commands, without an allocation each.

use super::model::Text;

/// Numbers below this need none.
const COUNT: usize = 1000;

static DIGITS: [[u8; 3]; COUNT] = digits();

const fn digits() -> [[u8; 3]; COUNT] {
    let mut all = [[b'0'; 3]; COUNT];
    let mut number = 0;
    while number < COUNT {
        all[number] = [
            b'0' + (number / 100) as u8,
            b'0' + (number / 10 % 10) as u8,
            b'0' + (number % 10) as u8,
        ];
        number += 1;
    }
    all
}

/// The number in decimal digits.
pub fn number_text(number: u32) -> Text<'static> {
    let short = usize::try_from(number).ok().and_then(|at| DIGITS.get(at));
    let leading = if number < 10 { 2 } else { usize::from(number < 100) };
    let text = short.and_then(|digits| std::str::from_utf8(digits.get(leading..)?).ok());
    text.map_or_else(|| number.to_string().into(), Text::Borrowed)
}

/// The same text for as long as one likes; an identifier is mostly a small number.
pub fn own_id(text: Text<'_>) -> Text<'static> {
    let number = if text.len() <= 3 { text.parse().ok().map(number_text) } else { None };
    number.filter(|number| *number == text).unwrap_or_else(|| text.into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_ever() {
        for number in (0..1100).chain([u32::MAX]) {
            assert_eq!(number_text(number), number.to_string());
        }
    }

    #[test]
    fn an_identifier_stays_as_it_is() {
        for text in ["", "0", "7", "07", "+7", "999", "1000", "ä", "0f3c-uuid"] {
            assert_eq!(own_id(text.into()), text);
        }
    }
}
