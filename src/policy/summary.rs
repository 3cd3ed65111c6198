//! The words of a question: who wants to do what, with secrets left out.

use super::Class;

/// Changes that are listed one by one.
const LISTED: usize = 16;
/// Characters of a value that are shown.
const SHOWN: usize = 60;
/// Parts of the last name of a URI that make its value a secret.
const SECRET_NAMES: [&str; 7] =
    ["secret", "password", "passwd", "aauthdata", "pin", "key", "token"];

/// One operation of a server that the user is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Why the user is asked.
    pub class: Class,
    /// Name of the command.
    pub command: String,
    /// URI of the node.
    pub uri: String,
    /// The value it gets, as far as it may be shown.
    pub value: Option<String>,
}

impl Change {
    /// What `command` does to the node at `uri`; `value` is what it gets, `secret` if that is known to
    /// be one.
    pub fn new(class: Class, command: &str, uri: &str, value: Option<&[u8]>, secret: bool) -> Self {
        let name = uri.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let secret = secret || SECRET_NAMES.iter().any(|part| name.contains(part));
        let value = value.map(|value| match std::str::from_utf8(value) {
            _ if secret => "***".to_owned(),
            Ok(text) => shown(text),
            Err(_) => format!("({} octets)", value.len()),
        });
        Self { class, command: command.to_owned(), uri: uri.to_owned(), value }
    }

    fn line(&self) -> String {
        let Self { command, uri, .. } = self;
        let uri = clean(uri);
        match &self.value {
            Some(value) => format!("{command} {uri} = {value}"),
            None => format!("{command} {uri}"),
        }
    }
}

/// A question to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The question in one sentence.
    pub text: String,
    /// The operations one by one; the last line may say how many more there are.
    pub lines: Vec<String>,
}

/// May `server` do all this?
pub fn command_question(server: &str, changes: &[Change]) -> Summary {
    let mut classes: Vec<Class> = changes.iter().map(|change| change.class).collect();
    classes.sort_unstable();
    classes.dedup();
    let subjects: Vec<&str> = classes.into_iter().map(subject).collect();
    let count = match changes.len() {
        1 => "1 operation".to_owned(),
        count => format!("{count} operations"),
    };
    let text = format!("Allow {} {count} on {}?", clean(server), subjects.join(" and "));
    let mut lines: Vec<String> = changes.iter().take(LISTED).map(Change::line).collect();
    if changes.len() > LISTED {
        lines.push(format!("and {} more", changes.len() - LISTED));
    }
    Summary { text, lines }
}

/// May a session with `server` begin?
pub fn session_question(server: &str) -> Summary {
    let text = format!("Allow a device management session with {}?", clean(server));
    Summary { text, lines: Vec::new() }
}

/// May the device be set up from there?
pub fn bootstrap_question(origin: &str) -> Summary {
    Summary { text: format!("Set up this device with what {origin} brings?"), lines: Vec::new() }
}

fn subject(class: Class) -> &'static str {
    match class {
        Class::Bootstrap => "the set-up of this device",
        Class::Session => "this device",
        Class::Connectivity => "network settings, which can cost money",
        Class::UserData => "personal data",
        Class::Software => "software",
        Class::Other => "settings",
    }
}

fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    clean(&shown)
}

/// Text of a server in one line.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
