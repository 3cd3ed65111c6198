//! Descriptions that the host registers: DDF documents, as rules of the same kind as the built-in ones.
//!
//! Owns the tree of registered nodes and the way to the one that describes a place. What a rule does to a
//! command is in `edit`.

use super::ddf::{self, Description, Occurrence, Rule};
use super::ddf_document::{self as document, CaseSense, DdfDocument, DdfNode, Scope};
use super::format::Format;
use super::node::Access;
use super::records;
use super::refusal::Refusal;
use super::uri::{Path, Uri, unescape};
use crate::error::{Code, Error, Result};
use crate::store::Reader;
use parking_lot::RwLock;
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// A rule of a registered document, with what only such a one can say.
#[derive(Debug)]
pub(super) struct Registered {
    rule: Rule,
    /// Media types that a leaf takes; empty: any.
    types: Vec<String>,
    /// The value of a leaf that is added without one.
    default_value: Option<Vec<u8>>,
}

/// The rule of a node, wherever it comes from.
#[derive(Clone, Debug)]
pub(super) enum RuleRef {
    /// Of a standard object.
    BuiltIn(&'static Rule),
    /// Of a document of the host.
    Registered(Arc<Registered>),
}

impl Deref for RuleRef {
    type Target = Rule;

    fn deref(&self) -> &Rule {
        match self {
            Self::BuiltIn(rule) => rule,
            Self::Registered(registered) => &registered.rule,
        }
    }
}

impl RuleRef {
    /// True for the same rule, not only an equal one.
    pub(super) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(&raw const **self, &raw const **other)
    }

    /// True if the node may have this media type.
    pub(super) fn takes_type(&self, mime: &str) -> bool {
        match self {
            Self::BuiltIn(rule) => rule.format != Format::Chr || mime == ddf::TEXT_PLAIN,
            Self::Registered(registered) => {
                let types = &registered.types;
                types.is_empty() || types.iter().any(|known| known.eq_ignore_ascii_case(mime))
            }
        }
    }

    /// Type of a leaf that names none.
    pub(super) fn preset_type(&self) -> &str {
        match self {
            Self::BuiltIn(_) => ddf::TEXT_PLAIN,
            Self::Registered(registered) => {
                registered.types.first().map_or(ddf::TEXT_PLAIN, String::as_str)
            }
        }
    }

    /// Value of a leaf that is added without one.
    pub(super) fn default_value(&self) -> Option<&[u8]> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Registered(registered) => registered.default_value.as_deref(),
        }
    }
}

/// A node of a registered document.
#[derive(Debug)]
struct Described {
    /// `None`: any name.
    name: Option<String>,
    rule: Arc<Registered>,
    /// Names below are compared without regard to case.
    insensitive: bool,
    children: Vec<Described>,
}

impl Described {
    fn child(&self, name: &str) -> Option<&Self> {
        pick(&self.children, name, self.insensitive)
    }
}

/// The node that describes `name`: the one with this name, or else the one for any.
fn pick<'d>(nodes: &'d [Described], name: &str, insensitive: bool) -> Option<&'d Described> {
    let fits = |node: &&Described| match &node.name {
        Some(known) if insensitive => known.eq_ignore_ascii_case(name),
        Some(known) => known == name,
        None => false,
    };
    nodes.iter().find(fits).or_else(|| nodes.iter().find(|node| node.name.is_none()))
}

/// What a document describes below one node.
#[derive(Debug)]
struct Root {
    /// What the document was registered for.
    registered_at: Path,
    /// The node that the top nodes of the document stand below.
    parent: Path,
    nodes: Vec<Described>,
}

/// The documents that the host has registered.
#[derive(Debug, Default)]
pub struct Descriptions(RwLock<Vec<Root>>);

impl Descriptions {
    /// Registers a document in place of the ones before at the same `uri`: its top nodes stand at `uri`,
    /// below their own Path. One without nodes only removes.
    ///
    /// Errors: `NotAllowed` where a standard object describes the place, `Exists` where another document
    /// does; `InvalidArg` for a node that contradicts itself; `Uri` for an unusable name.
    pub fn register(&self, at: &Path, document: &DdfDocument<'_>) -> Result<()> {
        let mut roots: Vec<Root> = Vec::new();
        for node in &document.nodes {
            let parent = parent_of(at, node)?;
            let described = described(node, false)?;
            let place = match &described.name {
                Some(name) => parent.child(name)?,
                None => parent.child("x")?,
            };
            if !matches!(ddf::standard(&place), Description::Free) {
                let refusal = Refusal::NotAllowed.caused_by(place.to_string());
                return Err(refusal.into());
            }
            match roots.iter_mut().find(|root| root.parent == parent) {
                Some(root) => root.nodes.push(described),
                None => {
                    let registered_at = at.clone();
                    roots.push(Root { registered_at, parent, nodes: vec![described] });
                }
            }
        }
        let mut present = self.0.write();
        let others = present.iter().filter(|root| root.registered_at != *at);
        for other in others {
            if let Some(root) = roots.iter().find(|root| clash(root, other)) {
                return Err(Refusal::Exists.caused_by(root.parent.to_string()).into());
            }
        }
        present.retain(|root| root.registered_at != *at);
        present.extend(roots);
        Ok(())
    }

    /// What the documents say about the node at `path`; `None` if they do not speak of it.
    fn describe(&self, path: &Path) -> Option<Description> {
        let roots = self.0.read();
        let (described, left) = roots.iter().find_map(|root| find(root, path))?;
        Some(match left {
            false => Description::Rule(RuleRef::Registered(Arc::clone(&described.rule))),
            // An interior node without described nodes is the vendor's to fill.
            true if described.children.is_empty() && described.rule.rule.format == Format::Node => {
                Description::Free
            }
            true => Description::Undefined,
        })
    }

    /// True if names below the node at `path` are compared without regard to case.
    fn is_insensitive(&self, path: &Path) -> bool {
        let roots = self.0.read();
        let found = roots.iter().find_map(|root| find(root, path));
        found.is_some_and(|(described, _)| described.insensitive)
    }

    fn has_insensitive(&self) -> bool {
        fn any(nodes: &[Described]) -> bool {
            nodes.iter().any(|node| node.insensitive || any(&node.children))
        }
        self.0.read().iter().any(|root| any(&root.nodes))
    }
}

/// True if the two describe the same place.
fn clash(one: &Root, other: &Root) -> bool {
    let same_name = |a: &Described, b: &Described| match (&a.name, &b.name) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    let both = || one.nodes.iter().any(|a| other.nodes.iter().any(|b| same_name(a, b)));
    let inside = |a: &Root, b: &Root| {
        a.parent != b.parent && a.parent.is_within(&b.parent) && find(b, &a.parent).is_some()
    };
    (one.parent == other.parent && both()) || inside(one, other) || inside(other, one)
}

/// The lowest node of `root` on the way to `path`; true with it if the way goes on below it.
fn find<'r>(root: &'r Root, path: &Path) -> Option<(&'r Described, bool)> {
    if !path.is_within(&root.parent) {
        return None;
    }
    let mut names = path.names().skip(root.parent.depth());
    let mut at = pick(&root.nodes, names.next()?, false)?;
    for name in names {
        match at.child(name) {
            Some(child) => at = child,
            None => return Some((at, true)),
        }
    }
    Some((at, false))
}

fn parent_of(at: &Path, node: &DdfNode<'_>) -> Result<Path> {
    let path = node.path.as_deref().unwrap_or_default().trim();
    let path = path.strip_prefix('.').unwrap_or(path);
    let path = path.strip_prefix('/').unwrap_or(path);
    Ok(at.join(path.strip_suffix('/').unwrap_or(path))?)
}

/// A node of the document as it counts. Depth is bounded by the markup reader.
fn described(node: &DdfNode<'_>, insensitive: bool) -> Result<Described> {
    // Published files are indented: a name that is nothing but white space is none.
    let text = node.name.as_deref().unwrap_or_default().trim();
    let name = match text {
        "" => None,
        name => Some(unescape(name)?),
    };
    let wrong = |what: &str| {
        let name = if text.is_empty() { "without name" } else { text };
        Error::new(Code::InvalidArg, format!("description of node {name}: {what}"))
    };
    let given = node.properties.clone().unwrap_or_default();
    let format = match given.format.as_deref() {
        Some(format) => Format::parse(format).map_err(|_| wrong("a format that does not exist"))?,
        None if node.children.is_empty() => Format::Chr,
        None => Format::Node,
    };
    if format != Format::Node && !node.children.is_empty() {
        return Err(wrong("a leaf with nodes below it"));
    }
    let fits = |value: &[u8]| format != Format::Node && format.check(value).is_ok();
    let stated = given.default_value.map(Cow::into_owned);
    // Makers write remarks there, or a value of another format: the node is described all the same.
    let default_value = stated.filter(|value| {
        let fits = fits(value);
        if !fits && !value.iter().all(u8::is_ascii_whitespace) {
            log::warn!("{}", wrong("its default value does not have its format, and is left out"));
        }
        fits
    });
    let insensitive = match given.case_sense {
        Some(sense) => sense == CaseSense::Insensitive,
        None => insensitive,
    };
    let rule = Rule {
        names: &[],
        format,
        access: given.access.unwrap_or(Access::GET),
        permanent: given.scope == Some(Scope::Permanent),
        occurrence: occurrence(name.is_some(), given.occurrence),
        check: None,
    };
    // They also have an empty MIME where any type will do.
    let types = given.mime.iter().map(|mime| mime.trim()).filter(|mime| !mime.is_empty());
    let types = types.map(str::to_owned).collect();
    let children: Result<Vec<Described>> =
        node.children.iter().map(|child| described(child, insensitive)).collect();
    let children = children?;
    for (at, child) in children.iter().enumerate() {
        if children.iter().skip(at + 1).any(|other| other.name == child.name) {
            return Err(wrong("two nodes below it with the same name"));
        }
    }
    let rule = Arc::new(Registered { rule, types, default_value });
    Ok(Described { name, rule, insensitive, children })
}

fn occurrence(named: bool, given: Option<document::Occurrence>) -> Occurrence {
    use document::Occurrence::*;
    match given.unwrap_or(One) {
        _ if named => Occurrence::Named,
        One => Occurrence::OneToN(1),
        ZeroOrOne => Occurrence::ZeroToN(1),
        ZeroOrMore => Occurrence::ZeroToN(u32::MAX),
        OneOrMore => Occurrence::OneToN(u32::MAX),
        ZeroOrN(most) => Occurrence::ZeroToN(most),
        OneOrN(most) => Occurrence::OneToN(most),
    }
}

fn of(reader: &dyn Reader) -> Option<&Descriptions> {
    reader.attachment()?.downcast_ref::<super::Hosted>().map(|hosted| &hosted.descriptions)
}

/// What is said about the node at `path`: by a document of the host, or else by the standard objects.
pub(super) fn describe(reader: &dyn Reader, path: &Path) -> Description {
    let registered = of(reader).and_then(|descriptions| descriptions.describe(path));
    registered.unwrap_or_else(|| ddf::standard(path))
}

/// `uri` with the names of existing nodes where only their case differs and their description does not
/// mind.
pub(super) fn canonical<'u>(
    reader: &dyn Reader,
    uri: &'u Uri,
) -> core::result::Result<Cow<'u, Uri>, Refusal> {
    let Some(descriptions) = of(reader).filter(|descriptions| descriptions.has_insensitive())
    else {
        return Ok(Cow::Borrowed(uri));
    };
    let mut path = Path::root();
    for name in uri.path.names() {
        let exact = path.child(name)?;
        let loose = descriptions.is_insensitive(&path) && records::load(reader, &exact)?.is_none();
        let same = match loose {
            true => records::children(reader, &path)?
                .into_iter()
                .find(|child| child.name().eq_ignore_ascii_case(name)),
            false => None,
        };
        path = same.unwrap_or(exact);
    }
    Ok(Cow::Owned(Uri { path, part: uri.part }))
}
