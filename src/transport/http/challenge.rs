//! Challenges of a server in `WWW-Authenticate` (RFC 9110, 11.6.1).

/// One challenge: a scheme and its parameters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// True if its scheme has this name, whatever the case.
    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The first parameter of this name, whatever the case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The challenges of one header. What is none is left out.
pub(super) fn challenges(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for part in parts(header) {
        let (word, rest) = match part.find(|letter: char| letter.is_whitespace() || letter == '=') {
            Some(at) => part.split_at(at),
            None => (part, ""),
        };
        // A word and no `=` behind it is a scheme; its first parameter may follow.
        let parameter = match rest.trim_start().strip_prefix('=') {
            Some(value) => Some((word, value)),
            None => {
                found.push(Challenge { scheme: word.to_owned(), parameters: Vec::new() });
                rest.trim_start().split_once('=')
            }
        };
        if let (Some((name, value)), Some(last)) = (parameter, found.last_mut()) {
            last.parameters.push((name.trim().to_owned(), unquoted(value.trim())));
        }
    }
    found
}

/// The header cut at its commas, but for those inside quotes.
fn parts(header: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let cut = move |letter: char| {
        let is_escaped = std::mem::take(&mut escaped);
        match letter {
            '\\' if quoted && !is_escaped => escaped = true,
            '"' if !is_escaped => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    };
    header.split(cut).map(str::trim).filter(|part| !part.is_empty())
}

/// A token as it is, a quoted string without its quotes and escapes.
fn unquoted(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"') else { return value.to_owned() };
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    let mut letters = inside.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> Challenge {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Challenge { scheme: scheme.into(), parameters: parameters.iter().map(own).collect() }
    }

    #[test]
    fn several_challenges_in_one_header() {
        let header = r#"Negotiate, Basic realm="a, b=\"c\\", charset="UTF-8",Digest realm = x ,nonce= "", stale=true"#;
        assert_eq!(
            challenges(header),
            [
                challenge("Negotiate", &[]),
                challenge("Basic", &[("realm", r#"a, b="c\"#), ("charset", "UTF-8")]),
                challenge("Digest", &[("realm", "x"), ("nonce", ""), ("stale", "true")]),
            ]
        );
        let found = challenges(header);
        assert!(found[2].is("DIGEST") && found[2].get("STALE") == Some("true"));
    }

    #[test]
    fn what_is_none_does_no_harm() {
        assert_eq!(challenges(""), []);
        assert_eq!(challenges(" , ,,"), []);
        assert_eq!(challenges("realm=\"x\""), []);
        assert_eq!(challenges("Basic realm=\"x"), [challenge("Basic", &[("realm", "x")])]);
        assert_eq!(challenges("Basic \\"), [challenge("Basic", &[])]);
    }

    proptest! {
        #[test]
        fn any_header_is_read(header: String) {
            challenges(&header);
        }
    }
}
