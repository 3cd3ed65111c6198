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
use crate::tree::{Actor, Path, Query};
use pattern::{Fit, Glob, Patterns};
use std::borrow::Cow;
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
pub struct Place<'p> {
    path: &'p Path,
    /// All below is touched too.
    subtree: bool,
    /// Types of the nodes above it: management object identifiers.
    above: &'p [String],
    /// Its own type.
    own: Option<Cow<'p, str>>,
}

impl Place<'_> {
    /// The objects that it may belong to.
    fn objects(&self) -> impl Iterator<Item = &str> {
        self.above.iter().map(String::as_str).chain(self.own.as_deref())
    }
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
    pub fn present<'p>(&'p mut self, path: &'p Path, subtree: bool) -> Result<Place<'p>> {
        let own = self.object(path)?.map(Cow::Owned);
        Ok(Place { path, subtree, above: self.above(path)?, own })
    }

    /// The node at `path` that is to be made, with the type `mime`.
    ///
    /// Errors: what the store gives.
    pub fn new_node<'p>(&'p mut self, path: &'p Path, mime: Option<&'p str>) -> Result<Place<'p>> {
        let own = mime.map(Cow::Borrowed);
        Ok(Place { path, subtree: false, above: self.above(path)?, own })
    }

    /// The identifiers of the nodes above.
    fn above(&mut self, path: &Path) -> Result<&[String]> {
        if !self.last.as_ref().is_some_and(|(last, _)| path.is_child_of(last)) {
            let mut objects = Vec::new();
            let parent = path.parent();
            let mut at = parent.clone();
            while let Some(path) = at {
                objects.extend(self.object(&path)?);
                at = path.parent();
            }
            self.last = parent.map(|parent| (parent, objects));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, objects)| objects))
    }

    fn object(&self, path: &Path) -> Result<Option<String>> {
        Query::new(self.reader, Actor::Host).object(path)
    }
}

/// A server's command, or one item of it.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'o> {
    /// Name of the command.
    pub command: &'o str,
    /// The server's identifier.
    pub server: &'o str,
    /// Where the server's account comes from.
    pub origin: Origin,
}

/// What is said about an operation, and the class that is the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The class.
    pub class: Class,
    /// What is said.
    pub ruling: Ruling,
}

impl Default for Judgement {
    /// About an operation that touches nothing.
    fn default() -> Self {
        Self { class: Class::Other, ruling: Ruling::Allow }
    }
}

impl Judgement {
    /// The stricter of the two rulings, and the class that is more of a reason for it.
    fn or(self, other: Self) -> Self {
        let is_reason = other.ruling > self.ruling || self == Self::default();
        let class = if is_reason { other.class } else { self.class };
        Self { class, ruling: self.ruling.stricter(other.ruling) }
    }
}

/// The rules.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The patterns of the classes of [`Class::OF_NODES`].
    classes: Patterns<Class>,
    rules: Vec<Rule>,
}

/// One rule: what it is about, and what it says. An empty list means "any".
#[derive(Clone, Debug, Default)]
struct Rule {
    classes: Vec<Class>,
    uris: Patterns<()>,
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
    place: Option<&'c Place<'c>>,
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

    /// What is said about an operation that touches this place, where `before` was said about the places
    /// before it. The strictest counts of what is said about each place and each class that it touches.
    pub fn place(
        &self,
        operation: &Operation<'_>,
        place: &Place<'_>,
        before: Judgement,
    ) -> Judgement {
        self.classes(place).fold(before, |strictest, class| {
            let ruling = self.rule(&Case {
                class,
                place: Some(place),
                command: Some(operation.command),
                server: Some(operation.server),
                origin: operation.origin,
            });
            strictest.or(Judgement { class, ruling })
        })
    }

    /// The classes that a place touches.
    fn classes(&self, place: &Place<'_>) -> impl Iterator<Item = Class> + use<> {
        let mut closest = Class::OF_NODES.map(|class| (class, Fit::No));
        self.classes.each_fitting(place, |class, fit| {
            for (_, known) in closest.iter_mut().filter(|(known, _)| *known == class) {
                *known = fit.max(*known);
            }
        });
        let is_of_one = closest.iter().any(|(_, fit)| *fit == Fit::Node);
        let touched = closest.into_iter().filter(|(_, fit)| *fit != Fit::No);
        touched.map(|(class, _)| class).chain((!is_of_one).then_some(Class::Other))
    }

    /// The first rule that fits decides; without one it is refused.
    fn rule(&self, case: &Case<'_>) -> Ruling {
        let fitting = self.rules.iter().find(|rule| rule.fits(case));
        fitting.and_then(|rule| rule.ruling).unwrap_or(Ruling::Refuse)
    }
}

impl Rule {
    fn fits(&self, case: &Case<'_>) -> bool {
        let uri = |place: Option<&Place<'_>>| {
            let mut fits = false;
            place.into_iter().for_each(|place| self.uris.each_fitting(place, |(), _| fits = true));
            fits
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
