//! One item of a command on the tree: from the message to the node, and from the node to Results.
//!
//! Owns how values stand in messages (DM Representation Protocol 1.2.1, 6.3 and 6.5). Rights and
//! rules of nodes are the tree's.

use super::assembly::{Chunk, Facts, Key, Piece};
use super::execute::{Executor, source, target};
use super::host_alert::wire;
use super::inflow::Inflow;
use super::outbox::Outbox;
use super::outflow::{Found, Outflow};
use super::{Execution, SessionEvent, TNDS, auth};
use crate::error::{Code, Result};
use crate::limits;
use crate::markup::DocType;
use crate::store::Txn;
use crate::syncml::model::{Action, Command, Data, Item, Location, Meta, Results, Text, Verb};
use crate::syncml::status::{self, Status};
use crate::syncml::{Encoding, size_of};
use crate::time::Now;
use crate::tree::{Actor, Answer, Content, Format, Listed, Query, Refusal, Tree, Uri, tnds};
use std::borrow::Cow;

/// Type of a leaf that names none.
const TEXT_PLAIN: &str = "text/plain";

/// What came of one item.
pub(super) enum Effect {
    Done {
        status: Status,
        /// Another node that was the reason of a failure.
        at: Option<String>,
        /// Items for Results.
        results: Vec<Found>,
    },
    /// The host has to execute this.
    Execute(Execution),
}

impl From<Status> for Effect {
    fn from(status: Status) -> Self {
        Self::Done { status, at: None, results: Vec::new() }
    }
}

/// Why an item was not executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Status(Status),
    Tree(Refusal),
}

impl Refused {
    /// The status of the item.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Status(status) => *status,
            Self::Tree(refusal) => refusal.status(),
        }
    }
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Tree(refusal)
    }
}

pub(super) type Done<T> = std::result::Result<T, Refused>;

/// The execution of one command's items.
pub(super) struct Work<'w> {
    pub(super) executor: &'w mut Executor,
    pub(super) txn: &'w mut Txn,
    pub(super) now: Now,
    pub(super) outbox: &'w Outbox,
    pub(super) in_group: bool,
}

impl Work<'_> {
    /// Executes one item, whose Target is `uri` if it is a URI at all. Errors: what the store gives.
    pub(super) fn item(
        &mut self,
        action: &Action<'_>,
        item: Item<'_>,
        uri: Option<&Uri>,
    ) -> Result<Effect> {
        let done = match action.verb {
            Verb::Add | Verb::Replace => self.write(action, item, uri),
            Verb::Get => self.get(&item, uri),
            Verb::Delete => self.delete(&item, uri),
            Verb::Copy => self.copy(&item, uri),
            Verb::Exec => self.exec(action, item, uri),
        };
        match done {
            Ok(effect) => Ok(effect),
            Err(Refused::Status(status)) => Ok(status.into()),
            Err(Refused::Tree(refusal)) => {
                let (status, at) = (refusal.status(), refusal.at().map(str::to_owned));
                store_failure(refusal)?;
                Ok(Effect::Done { status, at, results: Vec::new() })
            }
        }
    }

    fn tree(&mut self) -> Tree<'_> {
        let Executor { server_id, origin, .. } = &*self.executor;
        Tree::new(self.txn, Actor::Server(server_id), self.now).with_origin(origin)
    }

    fn query(&self) -> Query<'_> {
        Query::new(self.txn, Actor::Server(&self.executor.server_id))
    }

    fn write(
        &mut self,
        action: &Action<'_>,
        mut item: Item<'_>,
        uri: Option<&Uri>,
    ) -> Done<Effect> {
        let target = item.target.take().ok_or(status::BAD_REQUEST)?.uri;
        let key = Key { verb: action.verb, uri: target };
        match self.collect(&key, action, item)? {
            Collected::Kept(received, size) => {
                let uri = key.uri.into_owned();
                self.executor.events.push(SessionEvent::Progress { uri, received, size });
                Ok(status::CHUNK_ACCEPTED.into())
            }
            Collected::Whole(value, facts) => {
                self.store(key.verb, &*parsed(uri, &key.uri)?, &facts, value)?;
                Ok(status::OK.into())
            }
            Collected::Passed(inflow) => {
                inflow.finish(&mut self.tree())?;
                Ok(status::OK.into())
            }
        }
    }

    /// The item's Data, put together with the chunks before it.
    fn collect<'d>(
        &mut self,
        key: &Key<'_>,
        action: &'d Action<'_>,
        item: Item<'d>,
    ) -> Done<Collected<'d>> {
        let broken = self.executor.assembly.interrupt(Some(key));
        self.executor.broken.extend(broken);
        let more = item.more_data;
        if more && !self.executor.large_objects {
            return Err(status::UNSUPPORTED_FEATURE.into());
        }
        // A group has to fit in one message, so no object in it may go on in the next.
        if more && self.in_group {
            return Err(status::INCOMPLETE.into());
        }
        let size = item.meta.size.or(action.meta().size);
        let facts = facts(action, item.meta);
        let data = match item.data {
            None if !more && !self.executor.assembly.is_open() => {
                return Ok(Collected::Whole(None, facts));
            }
            data => data.unwrap_or_default(),
        };
        let chunk = Chunk { size, more, octets: data.octets, facts };
        let Executor { assembly, server_id, origin, max_obj_size, .. } = &mut *self.executor;
        let mut tree = Tree::new(self.txn, Actor::Server(server_id), self.now).with_origin(origin);
        let open = |facts: &Facts<'_>, size| Inflow::open(&mut tree, key, facts, size);
        Ok(match assembly.take(key, chunk, *max_obj_size, open)? {
            Piece::Whole { octets, facts } => Collected::Whole(Some(octets), facts),
            Piece::Kept { received, size } => Collected::Kept(received, size),
            Piece::Passed(inflow) => Collected::Passed(inflow),
        })
    }

    fn store(
        &mut self,
        verb: Verb,
        uri: &Uri,
        facts: &Facts<'_>,
        value: Option<Cow<'_, [u8]>>,
    ) -> Done<()> {
        let mime = facts.mime.as_deref().map(str::trim);
        if mime.is_some_and(|mime| mime.starts_with(TNDS)) {
            return self.import(verb, uri, facts, value);
        }
        let named = facts.format.as_deref().map(|name| Format::parse(name.trim())).transpose()?;
        let (format, value) = match value {
            Some(text) if named == Some(Format::B64) && !self.holds_base64(uri)? => {
                (Some(Format::Bin), Some(Cow::Owned(from_base64(&text)?)))
            }
            value => (named, value),
        };
        let content = Content { format, mime, value: value.as_deref() };
        match verb {
            Verb::Add => self.tree().add(uri, &content.into())?,
            _ => self.tree().replace(uri, &content)?,
        }
        Ok(())
    }

    /// Stores a serialized subtree.
    fn import(
        &mut self,
        verb: Verb,
        uri: &Uri,
        facts: &Facts<'_>,
        value: Option<Cow<'_, [u8]>>,
    ) -> Done<()> {
        let octets = value.ok_or(status::INCOMPLETE)?;
        let octets = match facts.is_base64() {
            true => Cow::Owned(from_base64(&octets)?),
            false => octets,
        };
        let mime = facts.mime.as_deref().map(str::trim);
        let document =
            tnds::read_embedded(&octets, mime).map_err(|_| status::UNSUPPORTED_FORMAT)?;
        match verb {
            Verb::Add => self.tree().import_add(uri, &document)?,
            _ => self.tree().import_replace(uri, &document)?,
        };
        Ok(())
    }

    /// True if the node's own value is base64 text; otherwise base64 is just the way octets travel.
    fn holds_base64(&self, uri: &Uri) -> Done<bool> {
        let node = self.query().node(&uri.path).map_err(Refusal::from)?;
        Ok(node.is_some_and(|node| node.format == Format::B64))
    }

    fn delete(&mut self, item: &Item<'_>, uri: Option<&Uri>) -> Done<Effect> {
        self.executor.interrupt();
        let uri = parsed(uri, target(item).ok_or(status::BAD_REQUEST)?)?;
        self.tree().delete(&uri)?;
        Ok(status::OK.into())
    }

    fn copy(&mut self, item: &Item<'_>, uri: Option<&Uri>) -> Done<Effect> {
        self.executor.interrupt();
        let from = Uri::parse(source(item).ok_or(status::BAD_REQUEST)?)?;
        let to = parsed(uri, target(item).ok_or(status::BAD_REQUEST)?)?;
        self.tree().copy(&from, &to)?;
        Ok(status::OK.into())
    }

    fn exec(&mut self, action: &Action<'_>, mut item: Item<'_>, uri: Option<&Uri>) -> Done<Effect> {
        let target = item.target.take().ok_or(status::BAD_REQUEST)?.uri;
        let key = Key { verb: Verb::Exec, uri: target };
        let (argument, facts) = match self.collect(&key, action, item)? {
            Collected::Kept(..) => return Ok(status::CHUNK_ACCEPTED.into()),
            Collected::Whole(argument, facts) => (argument, facts),
            // Only values of nodes are passed on.
            Collected::Passed(_) => return Err(status::COMMAND_FAILED.into()),
        };
        self.query().check_exec(&*parsed(uri, &key.uri)?)?;
        if !self.executor.exec {
            return Err(status::UNSUPPORTED_FEATURE.into());
        }
        let argument = match argument {
            Some(text) if facts.is_base64() => Some(from_base64(&text)?),
            argument => argument.map(Cow::into_owned),
        };
        let correlator = facts.correlator.map(Cow::into_owned);
        Ok(Effect::Execute(Execution { uri: key.uri.into_owned(), argument, correlator }))
    }

    fn get(&mut self, item: &Item<'_>, uri: Option<&Uri>) -> Done<Effect> {
        self.executor.interrupt();
        let target = target(item).ok_or(status::BAD_REQUEST)?;
        if !self.outbox.has_room(self.executor.queued, 1) {
            return Err(status::TOO_LARGE.into());
        }
        let results = self.found(target, &*parsed(uri, target)?)?;
        let octets = self.check_sizes(&results)?;
        if !self.outbox.has_room(self.executor.queued, octets) {
            // Nothing more in this message: the values would be read in vain.
            self.executor.queued = limits::SESSION_REPLY;
            return Err(status::TOO_LARGE.into());
        }
        self.executor.queued += octets;
        Ok(Effect::Done { status: status::OK, at: None, results })
    }

    /// What is at `uri`: the octets of a large value of the host stay with it until they are sent.
    fn found(&self, uri: &str, parsed: &Uri) -> Done<Vec<Found>> {
        let Executor { encoding, large_objects, room, .. } = *self.executor;
        let whole = if large_objects { room.max(limits::READ_WHOLE) } else { usize::MAX };
        Ok(match self.query().open(parsed, whole)? {
            Some(value) => {
                let (format, mime) = (value.format(), value.mime().to_owned());
                let outflow = Some(Box::new(Outflow::new(value, encoding)?));
                vec![Found { item: self.leaf(uri, format, mime, Vec::new()), outflow }]
            }
            None => self.results(uri, parsed)?.into_iter().map(Found::from).collect(),
        })
    }

    fn results(&self, uri: &str, parsed: &Uri) -> Done<Vec<Item<'static>>> {
        let own = Some(Location { uri: Text::Owned(uri.to_owned()), name: None });
        Ok(match self.query().get(parsed)? {
            Answer::Leaf { format, mime, value } => vec![self.leaf(uri, format, mime, value)],
            Answer::Children(names) => vec![Item {
                source: own,
                meta: interior(Some(TEXT_PLAIN.into())),
                data: Some(Data::text(names.join("/"))),
                ..Item::default()
            }],
            Answer::Property(text) => {
                vec![Item { source: own, data: Some(Data::text(text)), ..Item::default() }]
            }
            Answer::Nodes(nodes) => nodes.into_iter().map(|node| self.listed(node)).collect(),
            Answer::Tnds(document) => {
                let (meta, data) = self.serialized(&document)?;
                let source = parsed.path.to_string();
                let source = Some(Location { uri: source.into(), name: None });
                vec![Item { source, meta, data: Some(data), ..Item::default() }]
            }
        })
    }

    /// A serialized subtree in the encoding of the session.
    fn serialized(&self, document: &tnds::Document<'_>) -> Done<(Meta<'static>, Data<'static>)> {
        let encoding = self.executor.encoding;
        let octets = tnds::write(document, encoding == Encoding::Wbxml).map_err(Refusal::from)?;
        let format = match encoding {
            Encoding::Wbxml => Format::Bin,
            Encoding::Xml => Format::Xml,
        };
        let (format, data) = wire(format.name(), octets.into(), encoding);
        let meta = Meta {
            format: Some(Text::Owned(format.to_owned())),
            mime: Some(DocType::Tnds.mime(encoding).into()),
            ..Meta::default()
        };
        Ok((meta, data))
    }

    fn listed(&self, node: Listed) -> Item<'static> {
        let Listed { uri, format, mime, value } = node;
        match value {
            Some(value) => self.leaf(&uri, format, mime, value),
            None if format.is_interior() => Item {
                source: Some(Location { uri: uri.into(), name: None }),
                meta: interior((!mime.is_empty()).then_some(mime.into())),
                ..Item::default()
            },
            None => Item { data: None, ..self.leaf(&uri, format, mime, Vec::new()) },
        }
    }

    fn leaf(&self, uri: &str, format: Format, mime: String, value: Vec<u8>) -> Item<'static> {
        let (format_name, data) = wire(format.name(), value.into(), self.executor.encoding);
        let is_default = format_name == Format::Chr.name();
        let is_plain = mime.is_empty() || mime == TEXT_PLAIN;
        Item {
            source: Some(Location { uri: Text::Owned(uri.to_owned()), name: None }),
            meta: Meta {
                format: (!is_default).then(|| Text::Owned(format_name.to_owned())),
                mime: (!is_plain).then_some(mime.into()),
                ..Meta::default()
            },
            data: (format != Format::Null).then_some(data),
            ..Item::default()
        }
    }

    /// Octets of the results. Errors: 413 if the server or one message cannot take one of them.
    fn check_sizes(&self, results: &[Found]) -> Done<usize> {
        let most = self.executor.max_sent_object.map_or(usize::MAX, super::engine::size);
        let mut total = 0_usize;
        for found in results {
            let octets = found.octets();
            if octets > most || !(self.executor.large_objects || self.fits(&found.item)) {
                return Err(status::TOO_LARGE.into());
            }
            total = total.saturating_add(octets);
        }
        Ok(total)
    }

    /// True if Results with this item fit in one message.
    fn fits(&self, item: &Item<'static>) -> bool {
        let results = Results { items: vec![item.clone()], ..Results::default() };
        size_of(&Command::Results(results), self.executor.encoding) <= self.executor.room
    }
}

/// The URI that `text` is: `known` if it is one. Errors: why it is none.
fn parsed<'u>(known: Option<&'u Uri>, text: &str) -> Done<Cow<'u, Uri>> {
    known.map_or_else(|| Ok(Cow::Owned(Uri::parse(text)?)), |uri| Ok(Cow::Borrowed(uri)))
}

/// Data of an item with all its chunks.
enum Collected<'d> {
    Whole(Option<Cow<'d, [u8]>>, Facts<'d>),
    Kept(u64, u64),
    /// The host has it already.
    Passed(Inflow),
}

/// Meta of the item, or else of the command.
fn facts<'d>(action: &'d Action<'_>, meta: Meta<'d>) -> Facts<'d> {
    fn or<'d>(item: Option<Text<'d>>, command: &'d Option<Text<'_>>) -> Option<Text<'d>> {
        item.or_else(|| command.as_deref().map(Cow::Borrowed))
    }
    Facts {
        format: or(meta.format, &action.meta().format),
        mime: or(meta.mime, &action.meta().mime),
        correlator: action.correlator.as_deref().map(Cow::Borrowed),
    }
}

fn interior(mime: Option<Text<'static>>) -> Meta<'static> {
    Meta { format: Some(Format::Node.name().into()), mime, ..Meta::default() }
}

fn from_base64(text: &[u8]) -> Done<Vec<u8>> {
    let text = std::str::from_utf8(text).ok();
    Ok(text.and_then(auth::decode).ok_or(status::UNSUPPORTED_FORMAT)?)
}

/// A store that fails ends the session; one that is full only the command.
fn store_failure(refusal: Refusal) -> Result<()> {
    match refusal {
        Refusal::Store(error) if error.code() != Code::StorageFull => Err(error),
        Refusal::At { cause, .. } => store_failure(*cause),
        _ => Ok(()),
    }
}
