//! Reading the tree as somebody: Get with its property and list forms
//! (DM Tree and Description 1.2.1, 6 and 7; DM Representation Protocol 1.2.1, 6.5.5).

use super::acl::{Acl, Right};
use super::ddf::{self, Description};
use super::described::{canonical, describe};
use super::format::Format;
use super::node::{Access, Node, Origin};
use super::refusal::Refusal;
use super::tnds::Document;
use super::uri::{List, Part, Path, Property, Uri, escape};
use super::{Actor, records, tstamp};
use crate::error::Result;
use crate::limits;
use crate::store::{Reader, Table};
use std::fmt;
use std::ops::ControlFlow;

/// What a Get answers.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The value of a leaf.
    Leaf {
        /// Its format.
        format: Format,
        /// Its MIME type.
        mime: String,
        /// Its value.
        value: Vec<u8>,
    },
    /// Names of the children of an interior node, escaped as in a URI.
    Children(Vec<String>),
    /// A property as text.
    Property(String),
    /// The nodes of a subtree, parents first.
    Nodes(Vec<Listed>),
    /// A subtree as a TNDS object.
    Tnds(Document<'static>),
}

/// One node of a `?list=Struct` or `?list=StructData`.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// URI of the node.
    pub uri: String,
    /// Its format.
    pub format: Format,
    /// Its type.
    pub mime: String,
    /// Its value: of a leaf, with `?list=StructData`.
    pub value: Option<Vec<u8>>,
}

impl fmt::Debug for Answer {
    /// Values may be secrets: only their length is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf { format, mime, value } => f
                .debug_struct("Leaf")
                .field("format", format)
                .field("mime", mime)
                .field("value", &value.len())
                .finish(),
            Self::Children(names) => f.debug_tuple("Children").field(names).finish(),
            Self::Property(text) => f.debug_tuple("Property").field(text).finish(),
            Self::Nodes(nodes) => f.debug_tuple("Nodes").field(nodes).finish(),
            Self::Tnds(document) => f.debug_tuple("Tnds").field(document).finish(),
        }
    }
}

impl fmt::Debug for Listed {
    /// Values may be secrets: only their length is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed")
            .field("uri", &self.uri)
            .field("format", &self.format)
            .field("mime", &self.mime)
            .field("value", &self.value.as_ref().map(Vec::len))
            .finish()
    }
}

/// Read access to the tree as `actor`.
#[derive(Clone, Copy)]
pub struct Query<'r> {
    reader: &'r dyn Reader,
    actor: Actor<'r>,
    secrets: bool,
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("actor", &self.actor).finish_non_exhaustive()
    }
}

impl<'r> Query<'r> {
    /// Reads from `reader`, a [`View`](crate::store::View) or a [`Txn`](crate::store::Txn).
    pub fn new(reader: &'r dyn Reader, actor: Actor<'r>) -> Self {
        Self { reader, actor, secrets: false }
    }

    /// Lets the host, never a server, read AAuthSecret and AAuthData as well.
    #[must_use]
    pub fn with_secrets(mut self) -> Self {
        self.secrets = true;
        self
    }

    pub(super) fn reader(&self) -> &'r dyn Reader {
        self.reader
    }

    /// True if the node is there, whoever asks.
    pub fn exists(&self, path: &Path) -> Result<bool> {
        records::exists(self.reader, path)
    }

    /// The node's record, whoever asks; for the host's own use.
    pub fn node(&self, path: &Path) -> Result<Option<Node>> {
        records::load(self.reader, path)
    }

    /// The management object identifier of an interior node, whoever asks; `None` for what the host keeps
    /// below the root of its subtree.
    pub fn object(&self, path: &Path) -> Result<Option<String>> {
        records::object(self.reader, path)
    }

    /// The commands the node allows by its description.
    pub fn access(&self, path: &Path) -> core::result::Result<Access, Refusal> {
        let node = records::load(self.reader, path)?.ok_or(Refusal::NotFound)?;
        Ok(access(self.reader, path, &node))
    }

    /// The ACL that counts for the node: its own, or that of the nearest node above with one.
    ///
    /// Errors: as [`Self::get`].
    pub fn effective_acl(&self, path: &Path) -> core::result::Result<Acl, Refusal> {
        self.readable(path)?;
        Ok(records::effective_acl(self.reader, path)?)
    }

    /// Checks that the actor may execute the node.
    ///
    /// Errors: `NotFound` 404, `NotAllowed` 405, `Permission` 425.
    pub fn check_exec(&self, uri: &Uri) -> core::result::Result<(), Refusal> {
        let uri = &*canonical(self.reader, uri)?;
        let path = &uri.path;
        if uri.part != Part::Node || !self.access(path)?.contains(Access::EXEC) {
            return Err(Refusal::NotAllowed);
        }
        let Actor::Server(server) = self.actor else { return Ok(()) };
        let acl = records::effective_acl(self.reader, path)?;
        if acl.allows(Right::Exec, server) { Ok(()) } else { Err(Refusal::Permission) }
    }

    /// URIs of the topmost nodes whose origin is `wanted`, whoever asks.
    pub fn originated(&self, wanted: &dyn Fn(&Origin) -> bool) -> Result<Vec<Path>> {
        let mut found: Vec<Path> = Vec::new();
        records::walk_stored(self.reader, Table::Node, &Path::root(), &mut |path, node| {
            let inside = found.last().is_some_and(|top| path.is_within(top));
            if !inside && wanted(&node.origin) {
                found.push(path);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Get of a URI in all its forms.
    ///
    /// Errors: `NotFound` 404, `NotAllowed` 405, `Unsupported` 406, `TooLarge` 413, `Permission` 425.
    pub fn get(&self, uri: &Uri) -> core::result::Result<Answer, Refusal> {
        let uri = &*canonical(self.reader, uri)?;
        match uri.part {
            Part::Node => self.leaf_or_children(&uri.path),
            Part::Property(property) => self.property(&uri.path, property).map(Answer::Property),
            Part::List(List::Tnds(filter)) => self.export(&uri.path, filter).map(Answer::Tnds),
            Part::List(list) => self.list(&uri.path, list == List::StructData).map(Answer::Nodes),
        }
    }

    fn leaf_or_children(&self, path: &Path) -> core::result::Result<Answer, Refusal> {
        let node = self.readable(path)?;
        if node.format.is_interior() {
            let children = records::children(self.reader, path)?;
            return Ok(Answer::Children(
                children.iter().map(|child| escape(child.name())).collect(),
            ));
        }
        let value = records::value(self.reader, path)?;
        Ok(Answer::Leaf { format: node.format, mime: node.mime, value })
    }

    /// Paths of the children of a node, in order of their names.
    ///
    /// Errors: `NotFound`, `NotAllowed`, `Permission`. A leaf has none.
    pub fn children(&self, path: &Path) -> core::result::Result<Vec<Path>, Refusal> {
        self.readable(path)?;
        Ok(records::children(self.reader, path)?)
    }

    /// A property as text. An unset ACL is empty, never an ancestor's.
    ///
    /// Errors: as [`Self::get`]; `Unsupported` for the size of an interior node.
    pub fn property(
        &self,
        path: &Path,
        property: Property,
    ) -> core::result::Result<String, Refusal> {
        let node = self.readable(path)?;
        Ok(match property {
            Property::Acl => node.acl.to_string(),
            Property::Format => node.format.name().to_owned(),
            Property::Name if path.is_root() => ".".to_owned(),
            Property::Name => escape(path.name()),
            Property::Size if node.format.is_interior() => return Err(Refusal::Unsupported),
            Property::Size => node.size.to_string(),
            Property::Title => node.title,
            Property::TStamp => tstamp::text(node.tstamp),
            Property::Type => node.mime,
            Property::VerNo => node.ver_no.to_string(),
        })
    }

    fn list(&self, path: &Path, values: bool) -> core::result::Result<Vec<Listed>, Refusal> {
        self.readable(path)?;
        let mut listed = Vec::new();
        let mut octets = 0;
        self.walk(path, &mut |path, node| {
            let uri = path.uri();
            let value = (values && !node.format.is_interior())
                .then(|| records::value(self.reader, &path))
                .transpose()?;
            octets += uri.len() + node.mime.len() + value.as_ref().map_or(0, Vec::len);
            if octets > limits::MAX_OBJ_SIZE as usize {
                return Err(Refusal::TooLarge);
            }
            listed.push(Listed { uri, format: node.format, mime: node.mime, value });
            Ok(())
        })?;
        Ok(listed)
    }

    /// Visits the readable nodes at and below `top`, parents first. Others are left out.
    pub(super) fn walk(
        &self,
        top: &Path,
        visit: &mut dyn FnMut(Path, Node) -> core::result::Result<(), Refusal>,
    ) -> core::result::Result<(), Refusal> {
        let mut acls = Inherited::above(self.reader, top)?;
        let mut outcome = Ok(());
        records::walk(self.reader, top, &mut |path, node| {
            let acl = acls.enter(&path, &node);
            if self.may_read(&path, &node, acl).is_err() {
                return ControlFlow::Continue(());
            }
            outcome = visit(path, node);
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        outcome
    }

    /// The node, if the actor may read it.
    pub(super) fn readable(&self, path: &Path) -> core::result::Result<Node, Refusal> {
        if matches!(self.actor, Actor::Server(_)) && ddf::is_inbox(path) {
            return Err(Refusal::NotAllowed);
        }
        let node = records::load(self.reader, path)?.ok_or(Refusal::NotFound)?;
        match self.actor {
            Actor::Server(_) if node.acl.is_empty() => {
                self.may_read(path, &node, &records::inherited_acl(self.reader, path)?)?;
            }
            _ => self.may_read(path, &node, &node.acl)?,
        }
        Ok(node)
    }

    fn may_read(&self, path: &Path, node: &Node, acl: &Acl) -> core::result::Result<(), Refusal> {
        let Actor::Server(server) = self.actor else {
            let hidden = !self.secrets && ddf::is_secret(path);
            return if hidden { Err(Refusal::NotAllowed) } else { Ok(()) };
        };
        if !access(self.reader, path, node).contains(Access::GET) {
            return Err(Refusal::NotAllowed);
        }
        if acl.allows(Right::Get, server) { Ok(()) } else { Err(Refusal::Permission) }
    }
}

/// The commands a node allows: by its description if it has one, else by its record.
pub(super) fn access(reader: &dyn Reader, path: &Path, node: &Node) -> Access {
    match describe(reader, path) {
        Description::Free => node.access,
        Description::Rule(rule) => rule.access,
        // Only the host or a bootstrap can have made it: a server may read and delete it.
        Description::Undefined => Access::GET.union(Access::DELETE),
    }
}

/// The effective ACLs on the way down a walk.
struct Inherited(Vec<(Path, Acl)>);

impl Inherited {
    fn above(reader: &dyn Reader, top: &Path) -> Result<Self> {
        Ok(Self(vec![(Path::root(), records::inherited_acl(reader, top)?)]))
    }

    /// The ACL that counts for this node, which comes next on the walk.
    fn enter(&mut self, path: &Path, node: &Node) -> &Acl {
        while self.0.len() > 1 && self.0.last().is_some_and(|(top, _)| !path.is_within(top)) {
            self.0.pop();
        }
        if !node.acl.is_empty() {
            self.0.push((path.clone(), node.acl.clone()));
        }
        static NONE: Acl = Acl::none();
        self.0.last().map_or(&NONE, |(_, acl)| acl)
    }
}
