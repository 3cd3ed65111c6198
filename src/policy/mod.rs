//! The policy: which operations are allowed, refused, or asked for, by class, URI, command, server and
//! origin (threat 2 of DM_SC: charged operations and user data without consent).
//!
//! Owns the policy file, the classes, the rules and the words of the question. Must not know how a user
//! is asked nor what an answer does to a session.

mod pattern;
mod read;
mod summary;
#[cfg(test)]
mod tests;

pub use summary::{Change, Summary, bootstrap_question, command_question, session_question};

use crate::error::Result;
use crate::store::Reader;
use crate::tree::{Actor, Path, Query, is_kept_by_host};
use pattern::{Fit, Glob, Pattern};
use std::fmt;

/// The policy of a client that was given none.
pub const DEFAULT: &str = include_str!("default.toml");

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A card, a push or the factory sets the device up.
    Bootstrap,
    /// A DM session begins.
    Session,
    /// How the device reaches a network: can cost money.
    Connectivity,
    /// What belongs to the user.
    UserData,
    /// Firmware and applications.
    Software,
    /// Everything else.
    Other,
}

impl Class {
    /// Every class, in the order of the C API's numbers, from 0.
    pub const ALL: [Self; 6] = [
        Self::Bootstrap,
        Self::Session,
        Self::Connectivity,
        Self::UserData,
        Self::Software,
        Self::Other,
    ];
    /// The classes that URIs belong to.
    const OF_NODES: [Self; 3] = [Self::Connectivity, Self::UserData, Self::Software];

    /// Its name in a policy file and in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Session => "session",
            Self::Connectivity => "connectivity",
            Self::UserData => "user-data",
            Self::Software => "software",
            Self::Other => "other",
        }
    }
}

/// Where an operation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A card, by the hash of its ICCID; a server whose account came from that card.
    Card([u8; 16]),
    /// A pushed message.
    Push,
    /// A server in the network.
    Remote,
    /// The host or the factory.
    Host,
}

/// What the policy says; the order puts the stricter kind last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ruling {
    /// It may.
    Allow,
    /// The user decides.
    Ask(Ask),
    /// It must not.
    Refuse,
}

impl Ruling {
    /// The stricter of two that both count; of two questions what is stricter in either.
    pub fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ask(one), Self::Ask(two)) => Self::Ask(Ask {
                refuses: one.refuses || two.refuses,
                timeout_s: one.timeout_s.min(two.timeout_s),
            }),
            (one, two) => one.max(two),
        }
    }
}

/// How the user is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// What counts without an answer and without a user interface: true refuses.
    pub refuses: bool,
    /// How long the user has, in seconds.
    pub timeout_s: u32,
}

/// A place in the tree that an operation touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    path: Path,
    /// All below is touched too.
    subtree: bool,
    /// Types of the node and of the nodes above it: management object identifiers.
    objects: Vec<String>,
}

/// Makes places of one state of the tree.
pub struct Surveyor<'r> {
    reader: &'r dyn Reader,
    /// A node and the identifiers at and above it: the next place is often one of its children.
    last: Option<(Path, Vec<String>)>,
}

impl fmt::Debug for Surveyor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surveyor").finish_non_exhaustive()
    }
}

impl<'r> Surveyor<'r> {
    /// Looks at the tree through `reader`.
    pub fn new(reader: &'r dyn Reader) -> Self {
        Self { reader, last: None }
    }

    /// The node at `path` that is there already; with all below it if `subtree`.
    ///
    /// Errors: what the store gives.
    pub fn present(&mut self, path: Path, subtree: bool) -> Result<Place> {
        let mut objects = self.above(&path)?;
        objects.extend(self.object(&path)?);
        Ok(Place { path, subtree, objects })
    }

    /// The node at `path` that is to be made, with the type `mime`.
    ///
    /// Errors: what the store gives.
    pub fn new_node(&mut self, path: Path, mime: Option<&str>) -> Result<Place> {
        let mut objects = self.above(&path)?;
        objects.extend(mime.map(str::to_owned));
        Ok(Place { path, subtree: false, objects })
    }

    /// The identifiers of the nodes above.
    fn above(&mut self, path: &Path) -> Result<Vec<String>> {
        let Some(parent) = path.parent() else { return Ok(Vec::new()) };
        if let Some((last, objects)) = &self.last
            && *last == parent
        {
            return Ok(objects.clone());
        }
        let (mut objects, mut at) = (Vec::new(), Some(parent.clone()));
        while let Some(path) = at {
            objects.extend(self.object(&path)?);
            at = path.parent();
        }
        self.last = Some((parent, objects.clone()));
        Ok(objects)
    }

    /// The identifier of an interior node. What the host keeps has none below the root of its subtree.
    fn object(&self, path: &Path) -> Result<Option<String>> {
        if is_kept_by_host(self.reader, path) {
            return Ok(None);
        }
        let node = Query::new(self.reader, Actor::Host).node(path)?;
        let named = node.filter(|node| node.format.is_interior() && !node.mime.is_empty());
        Ok(named.map(|node| node.mime))
    }
}

/// A server's command, or one item of it.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'o> {
    /// Name of the command.
    pub command: &'o str,
    /// What it touches.
    pub places: &'o [Place],
    /// The server's identifier.
    pub server: &'o str,
    /// Where the server's account comes from.
    pub origin: Origin,
}

/// The rules.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The patterns of each class of [`Class::OF_NODES`].
    classes: [Vec<Pattern>; 3],
    rules: Vec<Rule>,
}

/// One rule: what it is about, and what it says. An empty list means "any".
#[derive(Clone, Debug, Default)]
struct Rule {
    classes: Vec<Class>,
    uris: Vec<Pattern>,
    commands: Vec<String>,
    servers: Vec<Glob>,
    origins: Vec<Whence>,
    ruling: Option<Ruling>,
}

/// An origin as a rule names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whence {
    AnyCard,
    Origin(Origin),
}

/// What a rule is held against.
struct Case<'c> {
    class: Class,
    place: Option<&'c Place>,
    command: Option<&'c str>,
    server: Option<&'c str>,
    origin: Origin,
}

impl Policy {
    /// Reads a policy file; `docs/policy.md` has its form.
    ///
    /// Errors: `InvalidArg` with line and column of the first fault.
    pub fn read(text: &str) -> Result<Self> {
        read::read(text)
    }

    /// The built-in policy, [`DEFAULT`].
    ///
    /// Errors: none; a test reads it.
    pub fn built_in() -> Result<Self> {
        Self::read(DEFAULT)
    }

    /// What is said about a bootstrap from there.
    pub fn bootstrap(&self, origin: Origin) -> Ruling {
        self.rule(&Case {
            class: Class::Bootstrap,
            place: None,
            command: None,
            server: None,
            origin,
        })
    }

    /// What is said about a session with `server`, which comes from there.
    pub fn session(&self, server: &str, origin: Origin) -> Ruling {
        let server = Some(server);
        self.rule(&Case { class: Class::Session, place: None, command: None, server, origin })
    }

    /// What is said about a command, and the class that is the reason. The strictest counts of what is
    /// said about each place and each class that it touches.
    pub fn command(&self, operation: &Operation<'_>) -> (Class, Ruling) {
        let mut strictest = (Class::Other, Ruling::Allow);
        for place in operation.places {
            for class in self.classes(place) {
                let ruling = self.rule(&Case {
                    class,
                    place: Some(place),
                    command: Some(operation.command),
                    server: Some(operation.server),
                    origin: operation.origin,
                });
                if ruling > strictest.1 || strictest == (Class::Other, Ruling::Allow) {
                    strictest.0 = class;
                }
                strictest.1 = strictest.1.stricter(ruling);
            }
        }
        strictest
    }

    /// The classes that a place touches.
    fn classes(&self, place: &Place) -> Vec<Class> {
        let (mut classes, mut is_of_one) = (Vec::new(), false);
        for (class, patterns) in Class::OF_NODES.into_iter().zip(&self.classes) {
            let fits = || patterns.iter().map(|pattern| pattern.fit(place));
            let touched = fits().any(|fit| fit != Fit::No);
            is_of_one |= touched && fits().any(|fit| fit == Fit::Node);
            classes.extend(touched.then_some(class));
        }
        if !is_of_one {
            classes.push(Class::Other);
        }
        classes
    }

    /// The first rule that fits decides; without one it is refused.
    fn rule(&self, case: &Case<'_>) -> Ruling {
        let fitting = self.rules.iter().find(|rule| rule.fits(case));
        fitting.and_then(|rule| rule.ruling).unwrap_or(Ruling::Refuse)
    }
}

impl Rule {
    fn fits(&self, case: &Case<'_>) -> bool {
        let uri = |place: Option<&Place>| {
            place.is_some_and(|place| self.uris.iter().any(|pattern| pattern.fit(place) != Fit::No))
        };
        let command = |name: &str| self.commands.iter().any(|command| command == name);
        let server = |name: &str| self.servers.iter().any(|server| server.fits(name));
        (self.classes.is_empty() || self.classes.contains(&case.class))
            && (self.uris.is_empty() || uri(case.place))
            && (self.commands.is_empty() || case.command.is_some_and(command))
            && (self.servers.is_empty() || case.server.is_some_and(server))
            && (self.origins.is_empty() || self.origins.iter().any(|from| from.fits(case.origin)))
    }
}

impl Whence {
    fn fits(self, origin: Origin) -> bool {
        match self {
            Self::AnyCard => matches!(origin, Origin::Card(_)),
            Self::Origin(wanted) => wanted == origin,
        }
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Ask(_) => "ask",
            Self::Refuse => "refuse",
        })
    }
}
