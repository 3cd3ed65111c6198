//! What the DM server does with a device: packages of commands, and what it expects back.
//!
//! Only data; sending and checking is the session's.

mod spec;

use serde::Deserialize;
use spec::Spec;

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
        /// The code by which the server refuses the first piece of large Results.
        refuse: Option<u16>,
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
    /// One command with an item for each of these, which have the same verb and one target each.
    Items(Vec<Command>),
    /// A command of SyncML that DM does not have.
    Put(Write),
    /// The package goes on in another message.
    Break,
    /// The server gives the session up.
    Abort,
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
    /// Send so many pieces and never the rest.
    pub cut: Option<usize>,
    /// The last piece that is sent, of a value without an end.
    pub endless: bool,
    /// Format and Type stand at the command, not at the item.
    pub command_meta: bool,
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
            if matches!(command.verb, Verb::Break) {
                messages.push(Vec::new());
                continue;
            }
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

impl Verb {
    /// What has a value; none for other commands.
    pub fn write(&self) -> Option<&Write> {
        match self {
            Self::Add(write)
            | Self::Replace(write)
            | Self::Put(write)
            | Self::Exec { write, .. } => Some(write),
            _ => None,
        }
    }
}

impl Command {
    /// The command with the session's number in its texts.
    fn for_session(&self, session: u32) -> Self {
        let fill_in = |text: &mut String| *text = text.replace(SESSION_MARK, &session.to_string());
        let mut command = self.clone();
        match &mut command.verb {
            Verb::Get { uri, results, .. } => {
                fill_in(uri);
                match results {
                    Some(Wanted::Text(text) | Wanted::Prefix(text)) => fill_in(text),
                    Some(Wanted::Children(names)) => names.iter_mut().for_each(fill_in),
                    None => {}
                }
            }
            Verb::Delete { uri } => fill_in(uri),
            Verb::Add(write)
            | Verb::Replace(write)
            | Verb::Put(write)
            | Verb::Exec { write, .. } => {
                fill_in(&mut write.uri);
                write.value.iter_mut().for_each(fill_in);
            }
            Verb::Copy { from, to } => [from, to].into_iter().for_each(fill_in),
            Verb::Alert(alert) => fill_in(&mut alert.text),
            Verb::Break | Verb::Abort => {}
            Verb::Atomic(children) | Verb::Sequence(children) | Verb::Items(children) => {
                children.iter_mut().for_each(|child| *child = child.for_session(session));
            }
        }
        command
    }

    /// The command, or a chain of them with a piece of its value each.
    fn pieces(self) -> Vec<Self> {
        let Some(write) = self.verb.write() else { return vec![self] };
        let (Some(chunk), Some(value)) = (write.chunk, write.value.as_deref()) else {
            return vec![self];
        };
        let parts = split_text(value, chunk);
        let last = parts.len().saturating_sub(1);
        let cut = write.cut.unwrap_or(parts.len());
        let pieces = parts.iter().take(cut).enumerate().map(|(index, part)| {
            let mut piece = self.clone();
            if let Verb::Add(write) | Verb::Replace(write) | Verb::Exec { write, .. } =
                &mut piece.verb
            {
                write.value = Some((*part).to_owned());
                write.size = (index == 0 && last > 0).then_some(value.len());
                write.more = index < last;
                write.endless = write.more && index + 1 == cut;
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

#[cfg(test)]
mod tests {
    use super::spec::fill;
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
            "commands = [ { items = [] } ]",
            "commands = [ { items = [ { get = \"./A\" }, { delete = \"./B\" } ] } ]",
            "commands = [ { items = [ { items = [ { get = \"./A\" } ] } ] } ]",
            "commands = [ { items = [ { add = \"./A\", fill = 9, chunk = 4 } ] } ]",
            "commands = [ { add = \"./A\", value = \"x\", meta = \"item\" } ]",
            "commands = [ { add = \"./A\", fill = 9, cut = 1 } ]",
            "commands = [ { atomic = [ { message = \"next\" } ] } ]",
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
    fn a_value_that_is_cut_and_a_package_of_two_messages() {
        let text = r#"commands = [
            { add = "./A", fill = 100, chunk = 10, cut = 2 },
            { message = "next" },
            { get = "./A", refuse = 413 },
            { message = "abort" },
        ]"#;
        let messages = package(text).unwrap().messages(1);
        assert_eq!(messages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 2]);
        let ends =
            |command: &Command| command.verb.write().map(|write| (write.more, write.endless));
        assert_eq!(ends(&messages[0][0]), Some((true, false)));
        assert_eq!(ends(&messages[1][0]), Some((true, true)));
        assert_eq!(messages[1][0].expect, [213]);
        assert!(matches!(messages[2][1].verb, Verb::Abort));
    }

    #[test]
    fn fill_has_its_length_and_no_repetition() {
        assert_eq!(fill(20), "[000000][000008][000");
        assert_eq!(fill(2048).len(), 2048);
    }
}
