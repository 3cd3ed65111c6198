//! A large object on its way to a node of the host, which takes it chunk by chunk.
//!
//! Owns base64 over the borders of chunks. Rights and rules of nodes are the tree's.

use super::TNDS;
use super::action::Done;
use super::assembly::{Facts, Key};
use crate::bytes::base64;
use crate::syncml::model::Verb;
use crate::syncml::status;
use crate::tree::{Content, Format, Incoming, Refusal, Tree, Uri};

/// Where the chunks of an object go.
#[derive(Debug)]
pub(super) struct Inflow {
    incoming: Incoming,
    format: Option<Format>,
    mime: Option<String>,
    /// The octets travel as base64.
    base64: Option<base64::Decoder>,
}

impl Inflow {
    /// Begins with an object of `size` octets as transmitted; `None` if it has to be collected.
    pub(super) fn open(
        tree: &mut Tree<'_>,
        key: &Key<'_>,
        facts: &Facts<'_>,
        size: u64,
    ) -> Done<Option<Self>> {
        let mime = facts.mime.as_deref().map(|mime| mime.trim().to_owned());
        let named = facts.format.as_deref().map(|name| Format::parse(name.trim())).transpose();
        // What is wrong with these is told when the object is whole, as for all others.
        let (Ok(uri), Ok(named)) = (Uri::parse(&key.uri), named) else { return Ok(None) };
        let is_tnds = mime.as_deref().is_some_and(|mime| mime.starts_with(TNDS));
        if is_tnds || !matches!(key.verb, Verb::Add | Verb::Replace) {
            return Ok(None);
        }
        let node = tree.query().node(&uri.path).map_err(Refusal::from)?;
        let holds_base64 = node.is_some_and(|node| node.format == Format::B64);
        let (format, base64, total) = match named {
            Some(Format::B64) if !holds_base64 => {
                (Some(Format::Bin), Some(base64::Decoder::default()), size / 4 * 3 + 3)
            }
            named => (named, None, size),
        };
        let content = Content { format, mime: mime.as_deref(), value: None };
        let incoming = tree.expect(&uri, key.verb == Verb::Add, &content, total)?;
        Ok(incoming.map(|incoming| Self { incoming, format, mime, base64 }))
    }

    /// Passes a chunk on.
    pub(super) fn write(&mut self, octets: &[u8]) -> Done<()> {
        match &mut self.base64 {
            None => self.incoming.write(octets)?,
            Some(decoder) => {
                let octets = decoder.decode(octets).map_err(|_| status::UNSUPPORTED_FORMAT)?;
                self.incoming.write(&octets)?;
            }
        }
        Ok(())
    }

    /// Stores the object, of which nothing is missing.
    pub(super) fn finish(mut self, tree: &mut Tree<'_>) -> Done<()> {
        if let Some(decoder) = self.base64.take() {
            let octets = decoder.finish().map_err(|_| status::UNSUPPORTED_FORMAT)?;
            self.incoming.write(&octets)?;
        }
        let content = Content { format: self.format, mime: self.mime.as_deref(), value: None };
        Ok(tree.store_incoming(self.incoming, &content)?)
    }
}
