//! A TNDS object into the tree: Add, Replace, and placing by management object identifier
//! (OMA DM Tree and Description Serialization 1.2; DM Bootstrap 1.2.1, 5.4).
//!
//! Each import is done completely or not at all.

use super::acl::{Acl, Right};
use super::connectivity::Connection;
use super::ddf::{self, MO_DMACC, MO_DMACC_W7};
use super::edit::{Content, NewNode, Tree, node_of};
use super::format::Format;
use super::node::{Access, Node};
use super::query::access;
use super::refusal::Refusal;
use super::tnds::{Document, TndsNode};
use super::uri::{Path, Property, Uri, unescape};
use super::{Actor, dmacc, legacy, records};
use crate::limits;
use crate::store::ChangeKind;
use std::borrow::Cow;
use std::collections::BTreeMap;

type Done<T = ()> = Result<T, Refusal>;

/// How a reference to an object in the same document begins.
const INBOX: &str = "./Inbox/";

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The objects, in document order.
    pub placed: Vec<Placed>,
    /// Identifiers of the objects that a bootstrap skipped.
    pub skipped: Vec<String>,
}

/// An object that an import created or replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// URI of its root.
    pub uri: String,
    /// Its management object identifier; may be empty.
    pub mo: String,
    /// It took the place of an existing one.
    pub replaced: bool,
}

/// ServerIDs of the DM accounts in the document, wherever it is going to be placed.
pub fn server_ids(document: &Document<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<&TndsNode<'_>> = document.nodes.iter().rev().collect();
    while let Some(node) = open.pop() {
        if let Some(server_id) = legacy::server_id(node) {
            found.push(server_id.to_owned());
        } else if is_dmacc(mo_of(node)) {
            found.extend(server_id(node).map(str::to_owned));
        } else {
            open.extend(node.children.iter().rev());
        }
    }
    found
}

/// An object and the place it gets.
struct Plan<'d> {
    node: &'d TndsNode<'d>,
    to: Path,
    /// Where other objects of the document look for it.
    known_as: Option<Path>,
    /// What holds such objects, if it is placed by its identifier.
    holder: Option<Path>,
    replaces: bool,
}

/// One node of an object at its final place.
struct Flat<'d> {
    path: Path,
    node: &'d TndsNode<'d>,
    /// The value, with a reference to another object of the document resolved.
    value: Cow<'d, [u8]>,
}

impl Tree<'_> {
    /// Adds the nodes of `document` below `target`, or by identifier if that is `./Inbox`.
    ///
    /// Accounts in the layout of DM 1.1.2 are placed as those of 1.2, for everybody but servers. In a
    /// bootstrap an account takes the place of the one with the same ServerID, and objects of
    /// unknown kind are skipped. Errors: those of [`Tree::add`]; `At` names the node.
    pub fn import_add(&mut self, target: &Uri, document: &Document<'_>) -> Done<Imported> {
        let target = node_of(target)?;
        let upgraded = self.server().is_none().then(|| legacy::upgraded(document)).flatten();
        let document = upgraded.as_ref().unwrap_or(document);
        self.all_or_nothing(|tree| {
            let mut inbox = Inbox::default();
            if ddf::is_inbox(target) || upgraded.is_some() {
                if ddf::is_inbox(target) && target.depth() > 1 {
                    return Err(Refusal::NotAllowed);
                }
                tree.check_right(target, Right::Add)?;
                for node in &document.nodes {
                    let known_as = place_of(target, node)?;
                    tree.plan_by_identifier(node, known_as, &mut inbox)?;
                }
            } else {
                for node in &document.nodes {
                    let to = place_of(target, node)?;
                    inbox.plans.push(Plan {
                        node,
                        to,
                        known_as: None,
                        holder: None,
                        replaces: false,
                    });
                }
            }
            tree.carry_out(inbox)
        })
    }

    /// Replaces the subtree at `target` by the one of `document`: nodes it does not hold are
    /// removed, new ones created. A node that stays keeps its ACL unless the document names one.
    ///
    /// Errors: `NotFound` 404, and those of [`Tree::replace`], [`Tree::add`] and [`Tree::delete`];
    /// `At` names the node.
    pub fn import_replace(&mut self, target: &Uri, document: &Document<'_>) -> Done<Imported> {
        let target = node_of(target)?;
        if ddf::is_inbox(target) {
            return Err(Refusal::NotAllowed);
        }
        self.all_or_nothing(|tree| {
            let mut plans = Vec::new();
            for node in &document.nodes {
                // The object's first node is the addressed one, whether it repeats its name or not.
                let same = name_of(node)?.is_some_and(|name| name == target.name());
                let to = match (same, &node.path) {
                    (true, None) => target.clone(),
                    _ => place_of(target, node)?,
                };
                plans.push(Plan { node, to, known_as: None, holder: None, replaces: true });
            }
            tree.carry_out(Inbox { plans, skipped: Vec::new() })
        })
    }

    fn carry_out(&mut self, inbox: Inbox<'_>) -> Done<Imported> {
        let mut placed = Vec::new();
        for plan in &inbox.plans {
            let nodes = flatten(plan, &inbox.plans)?;
            if plan.replaces {
                self.replace_subtree(&plan.to, &nodes)?;
            } else {
                if let Some(holder) = &plan.holder {
                    self.add_holder(holder)?;
                }
                nodes.iter().try_for_each(|flat| self.add_flat(flat))?;
            }
            let (uri, mo) = (plan.to.to_string(), mo_of(plan.node).to_owned());
            placed.push(Placed { uri, mo, replaced: plan.replaces });
        }
        Ok(Imported { placed, skipped: inbox.skipped })
    }

    fn add_flat(&mut self, flat: &Flat<'_>) -> Done {
        let new = NewNode {
            content: flat.content()?,
            title: flat.node.title.as_deref().unwrap_or_default(),
            acl: flat.acl()?,
            ..NewNode::default()
        };
        self.add(&flat.path.clone().into(), &new).map_err(|refusal| flat.caused(refusal))
    }

    /// Makes the subtree at `top`, which exists, the same as `nodes`.
    fn replace_subtree(&mut self, top: &Path, nodes: &[Flat<'_>]) -> Done {
        let node = records::load(self.reader(), top)?.ok_or(Refusal::NotFound)?;
        if self.server().is_some() && !access(self.reader(), top, &node).contains(Access::REPLACE) {
            return Err(Refusal::NotAllowed);
        }
        self.check_right(top, Right::Replace)?;
        self.remove_others(top, nodes)?;
        for flat in nodes {
            match records::load(self.reader(), &flat.path)? {
                None => self.add_flat(flat)?,
                Some(old) => self.keep(flat, old).map_err(|refusal| flat.caused(refusal))?,
            }
        }
        if self.actor == Actor::Bootstrap {
            self.set_origin(top)?;
        }
        Ok(())
    }

    /// Removes what is below `top` and not among `nodes`, and what has to become a leaf or an
    /// interior node instead.
    fn remove_others(&mut self, top: &Path, nodes: &[Flat<'_>]) -> Done {
        let stay: BTreeMap<&Path, bool> =
            nodes.iter().map(|flat| (&flat.path, flat.node.is_interior())).collect();
        let mut removed: Vec<Path> = Vec::new();
        let mut roots: Vec<(Path, u32)> = Vec::new();
        for (path, node) in records::subtree(self.reader(), top)? {
            if stay.get(&path) == Some(&node.format.is_interior()) {
                continue;
            }
            if node.permanent && self.server().is_some() {
                return Err(Refusal::NotAllowed.caused_by(path.to_string()));
            }
            self.check_right(&path, Right::Delete)
                .map_err(|refusal| refusal.caused_by(path.to_string()))?;
            if !roots.last().is_some_and(|(root, _)| path.is_within(root)) {
                roots.push((path.clone(), node.size));
            }
            removed.push(path);
        }
        self.remove(removed)?;
        for (path, size) in &roots {
            self.note(path, ChangeKind::Deleted, *size, 0);
        }
        Ok(())
    }

    /// Brings a node that stays up to date.
    fn keep(&mut self, flat: &Flat<'_>, old: Node) -> Done {
        let content = flat.content()?;
        if old.format.is_interior() {
            let mo = content.mime.unwrap_or_default();
            if !mo.is_empty() && mo != old.mime {
                self.retype(&flat.path, mo)?;
            }
        } else if !self.is_same(&flat.path, &old, &content)? {
            self.replace_value(&flat.path, &content)?;
        }
        if let Some(title) = flat.node.title.as_deref().filter(|title| *title != old.title) {
            self.replace_property(&flat.path, Property::Title, title.as_bytes())?;
        }
        match flat.acl()? {
            Some(acl) if acl != old.acl => {
                self.replace_property(&flat.path, Property::Acl, acl.to_string().as_bytes())
            }
            _ => Ok(()),
        }
    }

    fn is_same(&self, path: &Path, old: &Node, content: &Content<'_>) -> Done<bool> {
        Ok(content.format == Some(old.format)
            && content.mime.is_none_or(|mime| mime == old.mime)
            && content.value == Some(records::value(self.reader(), path)?.as_slice()))
    }

    /// Gives an interior node another identifier.
    fn retype(&mut self, path: &Path, mo: &str) -> Done {
        let mut node = records::load(self.reader(), path)?.ok_or(Refusal::NotFound)?;
        if self.server().is_some()
            && (node.permanent || !access(self.reader(), path, &node).contains(Access::REPLACE))
        {
            return Err(Refusal::NotAllowed);
        }
        self.check_right(path, Right::Replace)?;
        if mo.len() > limits::TYPE_OCTETS {
            return Err(Refusal::Format);
        }
        node.mime = mo.to_owned();
        self.put_property(path, node);
        Ok(())
    }

    /// Finds the places of the objects at and below `node` by their identifiers.
    fn plan_by_identifier<'d>(
        &self,
        node: &'d TndsNode<'d>,
        known_as: Path,
        inbox: &mut Inbox<'d>,
    ) -> Done {
        let mo = mo_of(node);
        if is_dmacc(mo) {
            return self.plan_account(node, known_as, inbox);
        }
        if let Some(connection) = Connection::of_mo(mo) {
            return self.plan_new(node, &connection.holder(), known_as, inbox);
        }
        // A node that only holds objects.
        let holds = mo.is_empty() && node.is_interior() && !node.children.is_empty();
        if holds {
            for child in &node.children {
                let known_as = place_of(&known_as, child)?;
                self.plan_by_identifier(child, known_as, inbox)?;
            }
            return Ok(());
        }
        if self.actor != Actor::Bootstrap {
            return Err(Refusal::NotAllowed.caused_by(known_as.to_string()));
        }
        inbox.skipped.push(if mo.is_empty() { known_as.to_string() } else { mo.to_owned() });
        Ok(())
    }

    fn plan_account<'d>(
        &self,
        node: &'d TndsNode<'d>,
        known_as: Path,
        inbox: &mut Inbox<'d>,
    ) -> Done {
        let server = server_id(node).filter(|server| !server.is_empty());
        if self.server().is_none() {
            let server =
                server.ok_or_else(|| Refusal::Incomplete.caused_by(known_as.to_string()))?;
            if inbox.plans.iter().any(|plan| server_id(plan.node) == Some(server)) {
                inbox.skipped.push(mo_of(node).to_owned());
                return Ok(());
            }
            if let Some(to) = dmacc::root_of(self.reader(), server)? {
                let known_as = referable(known_as);
                inbox.plans.push(Plan { node, to, known_as, holder: None, replaces: true });
                return Ok(());
            }
        }
        self.plan_new(node, &dmacc::accounts(), known_as, inbox)
    }

    fn plan_new<'d>(
        &self,
        node: &'d TndsNode<'d>,
        holder: &Path,
        known_as: Path,
        inbox: &mut Inbox<'d>,
    ) -> Done {
        let taken: Vec<Path> = inbox.plans.iter().map(|plan| plan.to.clone()).collect();
        let name = name_of(node)?.unwrap_or_default();
        let to = dmacc::free_place(self.reader(), holder, &name, &taken)?;
        let holder = Some(holder.clone());
        inbox.plans.push(Plan { node, to, known_as: referable(known_as), holder, replaces: false });
        Ok(())
    }
}

/// The objects of one document on their way to their places.
#[derive(Default)]
struct Inbox<'d> {
    plans: Vec<Plan<'d>>,
    skipped: Vec<String>,
}

impl Flat<'_> {
    fn content(&self) -> Done<Content<'_>> {
        let node = self.node;
        if node.is_interior() {
            return Ok(Content::interior(node.ddf_name.as_deref().unwrap_or_default()));
        }
        let format = node.format.as_deref().map_or(Ok(Format::Chr), Format::parse);
        let format = format.map_err(|refusal| self.caused(refusal))?;
        Ok(Content { format: Some(format), mime: node.mime.as_deref(), value: Some(&self.value) })
    }

    fn acl(&self) -> Done<Option<Acl>> {
        let acl = self.node.acl.as_deref().map(Acl::parse).transpose();
        acl.map_err(|refusal| self.caused(refusal))
    }

    fn caused(&self, refusal: Refusal) -> Refusal {
        refusal.caused_by(self.path.to_string())
    }
}

impl TndsNode<'_> {
    /// True for an interior node; without Format, one with nodes or an identifier, or without value.
    fn is_interior(&self) -> bool {
        match self.format.as_deref() {
            Some(format) => format == Format::Node.name(),
            None => {
                !self.children.is_empty()
                    || (self.value.is_none() && (self.mime.is_none() || self.ddf_name.is_some()))
            }
        }
    }
}

fn mo_of<'d>(node: &'d TndsNode<'_>) -> &'d str {
    node.ddf_name.as_deref().unwrap_or_default()
}

fn is_dmacc(mo: &str) -> bool {
    mo == MO_DMACC || mo == MO_DMACC_W7
}

fn server_id<'d>(node: &'d TndsNode<'_>) -> Option<&'d str> {
    let leaf = node.children.iter().find(|child| child.name.as_deref() == Some("ServerID"))?;
    std::str::from_utf8(leaf.value.as_deref()?).ok()
}

/// The node's name; `None` if it is empty or absent. Errors: `BadUri` if it is several names.
fn name_of(node: &TndsNode<'_>) -> Done<Option<String>> {
    match node.name.as_deref() {
        None | Some("") => Ok(None),
        Some(name) if name.contains('/') => Err(Refusal::BadUri),
        Some(name) => unescape(name).map(Some),
    }
}

/// Where a node stands that is found at `base`: base, Path, and NodeName if there is one.
fn place_of(base: &Path, node: &TndsNode<'_>) -> Done<Path> {
    let path = node.path.as_deref().unwrap_or_default();
    let path = path.strip_prefix('.').unwrap_or(path);
    let base = base.join(path.strip_prefix('/').unwrap_or(path))?;
    match name_of(node)? {
        Some(name) => base.child(&name),
        None => Ok(base),
    }
}

/// Other objects can refer to an object below `./Inbox`, not to one that has no name there.
fn referable(known_as: Path) -> Option<Path> {
    (known_as.depth() > 1).then_some(known_as)
}

/// The nodes of a planned object in document order.
fn flatten<'d>(plan: &Plan<'d>, plans: &[Plan<'_>]) -> Done<Vec<Flat<'d>>> {
    let mut flat = Vec::new();
    let mut open = vec![(plan.to.clone(), plan.node)];
    while let Some((path, node)) = open.pop() {
        for child in node.children.iter().rev() {
            open.push((place_of(&path, child)?, child));
        }
        flat.push(Flat { path, node, value: resolved(node, plans) });
    }
    Ok(flat)
}

/// The node's value. A reference `./Inbox/...` to an object of the same document becomes the URI of
/// the object's place.
fn resolved<'d>(node: &'d TndsNode<'_>, plans: &[Plan<'_>]) -> Cow<'d, [u8]> {
    let value = node.value.as_deref().unwrap_or_default();
    let reference = std::str::from_utf8(value).ok().filter(|text| text.starts_with(INBOX));
    let Some(reference) = reference.and_then(|text| Path::parse(text).ok()) else {
        return Cow::Borrowed(value);
    };
    plans
        .iter()
        .filter_map(|plan| reference.moved(plan.known_as.as_ref()?, &plan.to)?.ok())
        .next()
        .map_or(Cow::Borrowed(value), |path| Cow::Owned(path.to_string().into_bytes()))
}
