//! A large value of the host on its way to the server, read from the host as it is sent.
//!
//! Owns how its octets stand in messages, base64 included, and what was read ahead of them. Where messages
//! end is `outbox`'s business, rights are the tree's.

use super::action::Done;
use crate::bytes::base64;
use crate::markup;
use crate::syncml::Encoding;
use crate::syncml::model::Item;
use crate::syncml::status;
use crate::tree::{Format, Outgoing};

/// What an item of Get found.
#[derive(Debug)]
pub(super) struct Found {
    /// For Results; its Data is empty if the octets come from `outflow`.
    pub(super) item: Item<'static>,
    pub(super) outflow: Option<Box<Outflow>>,
}

impl Found {
    /// Octets of the Data as transmitted.
    pub(super) fn octets(&self) -> usize {
        match &self.outflow {
            Some(outflow) => outflow.octets,
            None => self.item.data.as_ref().map_or(0, |data| data.octets.len()),
        }
    }
}

impl From<Item<'static>> for Found {
    fn from(item: Item<'static>) -> Self {
        Self { item, outflow: None }
    }
}

/// The octets of one Data, which are still with the host.
#[derive(Debug)]
pub(super) struct Outflow {
    value: Outgoing,
    encoding: Encoding,
    /// Octets of the whole as transmitted.
    octets: usize,
    /// Read and not sent yet, as transmitted.
    ahead: Vec<u8>,
}

impl Outflow {
    /// The octets of `value`, which the host has just opened. Errors: 413 if there is no number for them.
    pub(super) fn new(value: Outgoing, encoding: Encoding) -> Done<Self> {
        let octets = usize::try_from(value.left()).ok();
        let octets = match is_base64(value.format(), encoding) {
            true => octets.and_then(|octets| octets.div_ceil(3).checked_mul(4)),
            false => octets,
        };
        let octets = octets.ok_or(status::TOO_LARGE)?;
        Ok(Self { value, encoding, octets, ahead: Vec::new() })
    }

    /// Octets of the whole as transmitted.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// Octets that were read and not [taken](Self::take); they end with a whole letter.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// Reads until about `octets` are ahead, or all that is left. Errors: nothing more can be had.
    pub(super) fn read_ahead(&mut self, octets: usize) -> Done<()> {
        let missing = octets.saturating_sub(self.ahead.len());
        if is_base64(self.value.format(), self.encoding) {
            let text = base64::encode(&self.value.read(missing / 4 * 3)?);
            self.ahead.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let part = self.value.read(missing)?;
        if self.encoding == Encoding::Xml && !markup::is_xml_text(&part) {
            return Err(self.value.refuse("a character that XML does not allow").into());
        }
        self.ahead.extend_from_slice(&part);
        Ok(())
    }

    /// The first `octets` of what is ahead.
    pub(super) fn take(&mut self, octets: usize) -> Vec<u8> {
        let rest = self.ahead.split_off(octets.min(self.ahead.len()));
        std::mem::replace(&mut self.ahead, rest)
    }
}

/// Text XML carries no octets but as base64 (DM Representation Protocol 1.2.1, 6.3).
fn is_base64(format: Format, encoding: Encoding) -> bool {
    format == Format::Bin && encoding == Encoding::Xml
}
