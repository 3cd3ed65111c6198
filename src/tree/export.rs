//! A subtree as a TNDS object (OMA DM Tree and Description Serialization 1.2; `?list=TNDS`).

use super::node::Node;
use super::query::Query;
use super::refusal::Refusal;
use super::tnds::{Document, TndsNode};
use super::uri::{Filter, Path, escape};
use super::{Format, records, tstamp};
use crate::limits;
use std::borrow::Cow;

/// VerDTD of the objects written.
const VER_DTD: &str = "1.2";

impl Query<'_> {
    /// The nodes at and below `top` that the actor may read, with the properties of `filter`.
    ///
    /// A node that may not be read hides what is below it. Errors: those of [`Query::get`] on the
    /// top node; `TooLarge` above [`limits::MAX_OBJ_SIZE`] or [`limits::TNDS_NODES`], so that what is
    /// exported can be imported.
    pub fn export(&self, top: &Path, filter: Filter) -> Result<Document<'static>, Refusal> {
        self.readable(top)?;
        let mut draft = Draft::default();
        self.walk(top, &mut |path, node| {
            let value = match filter.value && !node.format.is_interior() {
                true => Some(records::value(self.reader(), &path)?),
                false => None,
            };
            draft.enter(path, node, value, filter)
        })?;
        let nodes = draft.finish();
        Ok(Document { ver_dtd: VER_DTD.into(), nodes, ..Document::default() })
    }

    /// As [`Self::export`] with everything, and with the ACL that counts for the top node written at it:
    /// elsewhere the subtree has the same rights.
    pub fn export_whole(&self, top: &Path) -> Result<Document<'static>, Refusal> {
        let mut document = self.export(top, Filter::ALL)?;
        if let Some(node) = document.nodes.first_mut() {
            let acl = self.effective_acl(top)?.to_string();
            node.acl = (!acl.is_empty()).then_some(Cow::Owned(acl));
        }
        Ok(document)
    }
}

/// The way down to the node that came last.
#[derive(Default)]
struct Draft {
    nodes: usize,
    octets: usize,
    open: Vec<(Path, TndsNode<'static>)>,
    done: Vec<TndsNode<'static>>,
}

impl Draft {
    fn enter(
        &mut self,
        path: Path,
        node: Node,
        value: Option<Vec<u8>>,
        filter: Filter,
    ) -> Result<(), Refusal> {
        while self.open.last().is_some_and(|(last, _)| !path.is_within(last)) {
            self.close();
        }
        // A parent that was left out is not open; only the top node has none.
        let shown = match self.open.last() {
            Some((last, _)) => path.parent().as_ref() == Some(last),
            None => true,
        };
        if shown {
            let serialized = serialize(&path, node, value, filter);
            self.nodes += 1;
            self.octets += octets(&serialized);
            if self.nodes > limits::TNDS_NODES || self.octets > limits::MAX_OBJ_SIZE as usize {
                return Err(Refusal::TooLarge);
            }
            self.open.push((path, serialized));
        }
        Ok(())
    }

    fn close(&mut self) {
        let Some((_, node)) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some((_, parent)) => parent.children.push(node),
            None => self.done.push(node),
        }
    }

    fn finish(mut self) -> Vec<TndsNode<'static>> {
        while !self.open.is_empty() {
            self.close();
        }
        self.done
    }
}

/// Octets of what has no bound of its own.
fn octets(node: &TndsNode<'_>) -> usize {
    let texts = [&node.name, &node.acl, &node.title, &node.mime, &node.ddf_name];
    let octets: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
    octets + node.value.as_ref().map_or(0, |value| value.len())
}

fn serialize(path: &Path, node: Node, value: Option<Vec<u8>>, filter: Filter) -> TndsNode<'static> {
    let text =
        |wanted: bool, text: String| (wanted && !text.is_empty()).then_some(Cow::Owned(text));
    let interior = node.format.is_interior();
    // Without its format a binary value could not be told from text.
    let binary = node.format == Format::Bin && value.is_some();
    let mime = filter.mime.then_some(Cow::Owned(node.mime));
    let (mime, ddf_name) = if interior { (None, mime) } else { (mime, None) };
    TndsNode {
        name: Some(Cow::Owned(escape(path.name()))),
        acl: text(filter.acl, node.acl.to_string()),
        format: (filter.format || binary).then_some(Cow::Borrowed(node.format.name())),
        mime,
        ddf_name,
        title: text(filter.title, node.title),
        tstamp: text(filter.tstamp, tstamp::text(node.tstamp)),
        ver_no: text(filter.ver_no, node.ver_no.to_string()),
        value: value.map(Cow::Owned),
        ..TndsNode::default()
    }
}
