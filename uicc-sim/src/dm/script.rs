//! What the DM server does with a device: packages of commands, and what it expects back.
//!
//! Only data and its reading from a profile; sending and checking is the session's.

use serde::Deserialize;

/// One server package: everything the server sends until its next `Final`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The commands, in order.
    pub commands: Vec<Command>,
}

/// One command and the status codes that are right for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Spec")]
pub struct Command {
    /// What to send.
    pub verb: Verb,
    /// The codes of which the device has to answer one.
    pub expect: Vec<u16>,
}

/// What a command does.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Reads a node, a property or a list.
    Get {
        /// The node.
        uri: String,
        /// What the Results have to hold.
        results: Option<Wanted>,
    },
    /// Creates a node.
    Add(Write),
    /// Overwrites a leaf or a property.
    Replace(Write),
    /// Removes a node.
    Delete {
        /// The node.
        uri: String,
    },
    /// Runs the process behind a node.
    Exec {
        /// The node and its argument.
        write: Write,
        /// Sent with the command when the answer may come later.
        correlator: Option<String>,
    },
    /// Copies a leaf.
    Copy {
        /// The node to read.
        from: String,
        /// The node to write.
        to: String,
    },
    /// A user interaction or another alert.
    Alert(Alert),
    /// All or nothing.
    Atomic(Vec<Command>),
    /// In this order.
    Sequence(Vec<Command>),
}

/// A node and its new value.
#[derive(Clone, Debug)]
pub struct Write {
    /// The node.
    pub uri: String,
    /// Meta Format, when not the default.
    pub format: Option<String>,
    /// Meta Type, when not the default.
    pub mime: Option<String>,
    /// The value; none for interior nodes.
    pub value: Option<String>,
    /// Send the value in pieces of this many octets, each in its own message.
    pub chunk: Option<usize>,
    /// The size of the whole object, on its first piece.
    pub size: Option<usize>,
    /// More pieces follow.
    pub more: bool,
}

/// An alert to the device.
#[derive(Clone, Debug)]
pub struct Alert {
    /// The alert code, such as 1101.
    pub code: u16,
    /// The option string of the first item, possibly empty.
    pub options: String,
    /// The text of the second item.
    pub text: String,
    /// The choices behind it.
    pub choices: Vec<String>,
    /// What the status items have to hold, in any order.
    pub answer: Option<Vec<String>>,
}

/// What Results have to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Exactly this text.
    Text(String),
    /// Text beginning so.
    Prefix(String),
    /// A child list with at least these names.
    Children(Vec<String>),
}

/// Stands in texts of a script for the number of the session.
const SESSION_MARK: &str = "{session}";

impl Package {
    /// The messages of the package: one, or more where a value goes in pieces.
    pub fn messages(&self, session: u32) -> Vec<Vec<Command>> {
        let mut messages = vec![Vec::new()];
        for command in &self.commands {
            let pieces = command.for_session(session).pieces();
            let last = pieces.len().saturating_sub(1);
            for (index, piece) in pieces.into_iter().enumerate() {
                if let Some(message) = messages.last_mut() {
                    message.push(piece);
                }
                if index < last {
                    messages.push(Vec::new());
                }
            }
        }
        messages
    }
}

impl Command {
    /// The command with the session's number in its texts.
    fn for_session(&self, session: u32) -> Self {
        let fill_in = |text: &mut String| *text = text.replace(SESSION_MARK, &session.to_string());
        let mut command = self.clone();
        match &mut command.verb {
            Verb::Get { uri, results } => {
                fill_in(uri);
                match results {
                    Some(Wanted::Text(text) | Wanted::Prefix(text)) => fill_in(text),
                    Some(Wanted::Children(names)) => names.iter_mut().for_each(fill_in),
                    None => {}
                }
            }
            Verb::Delete { uri } => fill_in(uri),
            Verb::Add(write) | Verb::Replace(write) | Verb::Exec { write, .. } => {
                fill_in(&mut write.uri);
                write.value.iter_mut().for_each(fill_in);
            }
            Verb::Copy { from, to } => [from, to].into_iter().for_each(fill_in),
            Verb::Alert(alert) => fill_in(&mut alert.text),
            Verb::Atomic(children) | Verb::Sequence(children) => {
                children.iter_mut().for_each(|child| *child = child.for_session(session));
            }
        }
        command
    }

    /// The command, or a chain of them with a piece of its value each.
    fn pieces(self) -> Vec<Self> {
        let (Verb::Add(write) | Verb::Replace(write) | Verb::Exec { write, .. }) = &self.verb
        else {
            return vec![self];
        };
        let (Some(chunk), Some(value)) = (write.chunk, write.value.as_deref()) else {
            return vec![self];
        };
        let parts = split_text(value, chunk);
        let last = parts.len().saturating_sub(1);
        let pieces = parts.iter().enumerate().map(|(index, part)| {
            let mut piece = self.clone();
            if let Verb::Add(write) | Verb::Replace(write) | Verb::Exec { write, .. } =
                &mut piece.verb
            {
                write.value = Some((*part).to_owned());
                write.size = (index == 0 && last > 0).then_some(value.len());
                write.more = index < last;
            }
            if index < last {
                piece.expect = vec![213];
            }
            piece
        });
        pieces.collect()
    }
}

/// Text in pieces of at most so many octets, never inside a character.
fn split_text(text: &str, octets: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > octets {
        let cut = (1..=octets).rev().find(|at| rest.is_char_boundary(*at));
        let Some((piece, behind)) = cut.and_then(|at| rest.split_at_checked(at)) else { break };
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

/// A command as it is written in a profile.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Spec {
    get: Option<String>,
    add: Option<String>,
    replace: Option<String>,
    delete: Option<String>,
    exec: Option<String>,
    copy: Option<String>,
    display: Option<String>,
    confirm: Option<String>,
    input: Option<String>,
    choice: Option<String>,
    choices: Option<String>,
    alert: Option<u16>,
    atomic: Option<Vec<Command>>,
    sequence: Option<Vec<Command>>,

    to: Option<String>,
    format: Option<String>,
    #[serde(rename = "type")]
    mime: Option<String>,
    value: Option<String>,
    fill: Option<usize>,
    chunk: Option<usize>,
    correlator: Option<String>,
    options: Option<String>,
    from: Vec<String>,
    answer: Option<OneOrMore<String>>,
    results: Option<String>,
    results_prefix: Option<String>,
    results_fill: Option<usize>,
    results_children: Option<Vec<String>>,
    expect: Option<OneOrMore<u16>>,
}

/// A single value or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::More(values) => values,
        }
    }
}

impl TryFrom<Spec> for Command {
    type Error = String;

    fn try_from(mut spec: Spec) -> Result<Self, String> {
        let expect = spec.expect.take().map_or_else(|| vec![200], OneOrMore::into_vec);
        let verb = spec.verb()?;
        match spec.left_over() {
            Some(key) => Err(format!("a script command has nothing to do with `{key}`")),
            None => Ok(Self { verb, expect }),
        }
    }
}

impl Spec {
    /// Takes the one verb out, with the keys that belong to it.
    fn verb(&mut self) -> Result<Verb, String> {
        if let Some(uri) = self.get.take() {
            return Ok(Verb::Get { uri, results: self.wanted() });
        }
        if let Some(uri) = self.add.take() {
            return Ok(Verb::Add(self.write(uri)));
        }
        if let Some(uri) = self.replace.take() {
            return Ok(Verb::Replace(self.write(uri)));
        }
        if let Some(uri) = self.delete.take() {
            return Ok(Verb::Delete { uri });
        }
        if let Some(uri) = self.exec.take() {
            let correlator = self.correlator.take();
            return Ok(Verb::Exec { write: self.write(uri), correlator });
        }
        if let Some(from) = self.copy.take() {
            let to = self.to.take().ok_or("a `copy` needs `to`")?;
            return Ok(Verb::Copy { from, to });
        }
        if let Some(children) = self.atomic.take() {
            return whole(children).map(Verb::Atomic);
        }
        if let Some(children) = self.sequence.take() {
            return whole(children).map(Verb::Sequence);
        }
        self.alert_verb()
    }

    fn alert_verb(&mut self) -> Result<Verb, String> {
        let texts = [
            (1100, self.display.take()),
            (1101, self.confirm.take()),
            (1102, self.input.take()),
            (1103, self.choice.take()),
            (1104, self.choices.take()),
            (self.alert.unwrap_or_default(), self.alert.take().and(self.value.take())),
        ];
        let (code, text) = texts
            .into_iter()
            .find_map(|(code, text)| Some((code, text?)))
            .ok_or("a script command needs get, add, replace, delete, exec, copy, atomic, sequence, display, confirm, input, choice, choices, or alert with value")?;
        Ok(Verb::Alert(Alert {
            code,
            options: self.options.take().unwrap_or_default(),
            text,
            choices: std::mem::take(&mut self.from),
            answer: self.answer.take().map(OneOrMore::into_vec),
        }))
    }

    fn write(&mut self, uri: String) -> Write {
        let filled = self.fill.take().map(fill);
        Write {
            uri,
            format: self.format.take(),
            mime: self.mime.take(),
            value: self.value.take().or(filled),
            chunk: self.chunk.take(),
            size: None,
            more: false,
        }
    }

    fn wanted(&mut self) -> Option<Wanted> {
        let filled = self.results_fill.take().map(fill);
        let text = self.results.take().or(filled).map(Wanted::Text);
        let prefix = self.results_prefix.take().map(Wanted::Prefix);
        text.or(prefix).or(self.results_children.take().map(Wanted::Children))
    }

    /// A key that the verb did not use.
    fn left_over(&self) -> Option<&'static str> {
        let keys = [
            ("get", self.get.is_some()),
            ("add", self.add.is_some()),
            ("replace", self.replace.is_some()),
            ("delete", self.delete.is_some()),
            ("exec", self.exec.is_some()),
            ("copy", self.copy.is_some()),
            ("display", self.display.is_some()),
            ("confirm", self.confirm.is_some()),
            ("input", self.input.is_some()),
            ("choice", self.choice.is_some()),
            ("choices", self.choices.is_some()),
            ("alert", self.alert.is_some()),
            ("atomic", self.atomic.is_some()),
            ("sequence", self.sequence.is_some()),
            ("to", self.to.is_some()),
            ("format", self.format.is_some()),
            ("type", self.mime.is_some()),
            ("value", self.value.is_some()),
            ("fill", self.fill.is_some()),
            ("chunk", self.chunk.is_some()),
            ("correlator", self.correlator.is_some()),
            ("options", self.options.is_some()),
            ("from", !self.from.is_empty()),
            ("answer", self.answer.is_some()),
            ("results", self.results.is_some()),
            ("results_prefix", self.results_prefix.is_some()),
            ("results_fill", self.results_fill.is_some()),
            ("results_children", self.results_children.is_some()),
        ];
        keys.into_iter().find_map(|(key, used)| used.then_some(key))
    }
}

/// A container has to fit in one message, so no value inside it may go in pieces.
fn whole(children: Vec<Command>) -> Result<Vec<Command>, String> {
    let in_pieces = children.iter().any(|child| match &child.verb {
        Verb::Add(write) | Verb::Replace(write) | Verb::Exec { write, .. } => write.chunk.is_some(),
        _ => false,
    });
    if in_pieces { Err("`chunk` inside a container".to_owned()) } else { Ok(children) }
}

/// Longest text that `fill` makes.
const MAX_FILL: usize = 1 << 20;

/// A text of so many letters that shows where pieces were lost or swapped.
fn fill(length: usize) -> String {
    let mut text = String::new();
    while text.len() < length.min(MAX_FILL) {
        text.push_str(&format!("[{:06}]", text.len()));
    }
    text.truncate(length.min(MAX_FILL));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(text: &str) -> Result<Package, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn commands_with_defaults_and_lists() {
        let text = r#"commands = [
            { get = "./DevInfo/DevId", results_prefix = "IMEI:" },
            { add = "./A", format = "node", expect = [200, 418] },
            { atomic = [ { delete = "./A/B", expect = 215 } ], expect = 507 },
            { confirm = "Go on?", options = "MAXDT=10", expect = 304 },
        ]"#;
        let commands = package(text).unwrap().commands;
        assert_eq!(commands[0].expect, [200]);
        assert!(
            matches!(&commands[0].verb, Verb::Get { results: Some(Wanted::Prefix(p)), .. } if p == "IMEI:")
        );
        assert_eq!(commands[1].expect, [200, 418]);
        assert!(matches!(&commands[2].verb, Verb::Atomic(c) if c[0].expect == [215]));
        assert!(matches!(&commands[3].verb, Verb::Alert(a) if a.code == 1101));
    }

    #[test]
    fn mistakes_are_errors() {
        for text in [
            "commands = [ { expect = 200 } ]",
            "commands = [ { get = \"./A\", delete = \"./B\" } ]",
            "commands = [ { get = \"./A\", value = \"x\" } ]",
            "commands = [ { copy = \"./A\" } ]",
            "commands = [ { atomic = [ { add = \"./A\", fill = 9, chunk = 4 } ] } ]",
            "commands = [ { fetch = \"./A\" } ]",
            "order = []",
        ] {
            assert!(package(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_in_pieces_takes_a_message_for_each() {
        let text = r#"commands = [
            { delete = "./A/{session}" },
            { replace = "./A/B", value = "abcde", chunk = 2 },
            { get = "./A/B" },
        ]"#;
        let messages = package(text).unwrap().messages(7);
        let shape: Vec<usize> = messages.iter().map(Vec::len).collect();
        assert_eq!(shape, [2, 1, 2]);
        assert!(matches!(&messages[0][0].verb, Verb::Delete { uri } if uri == "./A/7"));
        let writes: Vec<_> = messages
            .iter()
            .flatten()
            .filter_map(|command| match &command.verb {
                Verb::Replace(write) => {
                    Some((write.value.as_deref(), write.size, write.more, command.expect[0]))
                }
                _ => None,
            })
            .collect();
        assert_eq!(
            writes,
            [
                (Some("ab"), Some(5), true, 213),
                (Some("cd"), None, true, 213),
                (Some("e"), None, false, 200)
            ]
        );
    }

    #[test]
    fn fill_has_its_length_and_no_repetition() {
        assert_eq!(fill(20), "[000000][000008][000");
        assert_eq!(fill(2048).len(), 2048);
    }
}
