//! Values that come in chunks, on their way to the host that keeps the node.
//!
//! Owns the order of it: the checks that need no value, the chunks that the host keeps aside, the change of
//! the node, and the end. No octet stays here. Must not know how chunks travel.

use super::described::{canonical, describe};
use super::edit::{Content, Tree, Value};
use super::format::{Format, whole_letters};
use super::host_nodes::{self, Bound, HostChunk};
use super::node::Record;
use super::records;
use super::refusal::Refusal;
use super::uri::{Path, Uri};
use crate::error::{Code, Error};
use crate::store::{Operation, Participant, Table, Txn};
use std::fmt;
use std::sync::{Arc, Weak};

type Done<T = ()> = core::result::Result<T, Refusal>;

/// A value that the host keeps aside until it is whole. Dropping it lets the host throw it away.
pub struct Incoming {
    /// Weak: the host may take its subtree back in between.
    bound: Weak<Bound>,
    uri: Uri,
    is_new: bool,
    total: u64,
    written: u64,
    /// The host has taken the first chunk.
    begun: bool,
    /// For a text: its last letter, if the chunks so far end inside it.
    letter: Option<Vec<u8>>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("uri", &self.uri.path)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl Tree<'_> {
    /// Prepares an Add (`is_new`) or a Replace whose value, of at most `total` octets, comes in chunks;
    /// `content` without it. All is checked that can be without the value.
    ///
    /// `None` if the value has to come as a whole: the node is not the host's, the host takes no chunks or
    /// still keeps another value for it aside, an interior node above is missing, or the value can only be
    /// checked as a whole. Errors: those of
    /// [`add`](Self::add) or [`replace`](Self::replace).
    pub fn expect(
        &mut self,
        uri: &Uri,
        is_new: bool,
        content: &Content<'_>,
        total: u64,
    ) -> Done<Option<Incoming>> {
        let uri = canonical(self.reader(), uri)?.into_owned();
        let Some(bound) = self.taker_of_chunks(&uri.path, is_new)? else { return Ok(None) };
        let there = records::load(self.reader(), &uri.path)?;
        let format = content.format.or(there.map(|node| node.format)).unwrap_or_default();
        let letter = match format {
            Format::Bin => None,
            Format::Chr | Format::Xml => Some(Vec::new()),
            _ => return Ok(None),
        };
        self.write_later(&uri, is_new, content, Value::Expected)?;
        if u32::try_from(total).is_err() {
            return Err(Refusal::TooLarge);
        }
        let bound = Arc::downgrade(&bound);
        Ok(Some(Incoming { bound, uri, is_new, total, written: 0, begun: false, letter }))
    }

    fn taker_of_chunks(&self, path: &Path, is_new: bool) -> Done<Option<Arc<Bound>>> {
        let bound = host_nodes::below_root(self.reader(), path);
        let is_checked =
            describe(self.reader(), path).rule().is_some_and(|rule| rule.check.is_some());
        let takes = |bound: &Arc<Bound>| {
            bound.host.takes_chunks() && !is_checked && !bound.aside.lock().contains(path)
        };
        match bound.filter(takes) {
            Some(bound) if !is_new || self.has_parent(path)? => Ok(Some(bound)),
            _ => Ok(None),
        }
    }

    fn has_parent(&self, path: &Path) -> Done<bool> {
        let Some(parent) = path.parent() else { return Ok(false) };
        Ok(records::load(self.reader(), &parent)?.is_some_and(|node| node.format.is_interior()))
    }

    /// Adds or replaces the node whose value has come; `content` as for [`expect`](Self::expect).
    ///
    /// Errors: those of [`add`](Self::add) or [`replace`](Self::replace): rights and nodes may have changed.
    pub fn store_incoming(&mut self, mut incoming: Incoming, content: &Content<'_>) -> Done {
        if incoming.letter.as_ref().is_some_and(|letter| !letter.is_empty()) {
            return Err(Refusal::Format);
        }
        if !incoming.begun {
            incoming.pass_on(&[])?;
        }
        let (uri, is_new) = (incoming.uri.clone(), incoming.is_new);
        if is_new && !self.has_parent(&uri.path)? {
            return Err(Refusal::NotFound);
        }
        self.write_later(&uri, is_new, content, Value::Arrived(incoming))
    }

    fn write_later(
        &mut self,
        uri: &Uri,
        is_new: bool,
        content: &Content<'_>,
        value: Value,
    ) -> Done {
        let content = Content { value: Some(&[]), ..*content };
        self.value = value;
        let done = match is_new {
            true => self.add(uri, &content.into()),
            false => self.replace(uri, &content),
        };
        self.value = Value::Given;
        done
    }
}

impl Incoming {
    /// Passes on what follows. Errors: `Format` in a text that is none, `NotFound` if the subtree is not
    /// bound any more, what the host gives.
    pub fn write(&mut self, octets: &[u8]) -> Done {
        if let Some(letter) = &mut self.letter {
            *letter = unfinished_letter(std::mem::take(letter), octets)?;
        }
        if self.begun && octets.is_empty() {
            return Ok(());
        }
        self.pass_on(octets)
    }

    fn pass_on(&mut self, octets: &[u8]) -> Done {
        let bound = self.bound.upgrade().ok_or(Refusal::NotFound)?;
        let uri = self.uri.path.to_string();
        let (offset, total) = (self.written, self.total);
        let chunk = HostChunk { uri: &uri, offset, total, octets };
        bound.ask(&uri, bound.host.write(&chunk))?;
        if !self.begun {
            self.begun = true;
            bound.aside.lock().insert(self.uri.path.clone());
        }
        self.written = self.written.saturating_add(octets.len() as u64);
        Ok(())
    }

    /// Lets the host change the node, and stores the properties that it does not keep. Returns the octets
    /// of the value.
    pub(super) fn store(self, txn: &mut Txn, path: &Path, record: Record<'_>) -> Done<u32> {
        let bound = self.bound.upgrade().ok_or(Refusal::NotFound)?;
        let size = u32::try_from(self.written).map_err(|_| Refusal::TooLarge)?;
        let record = Record { size, ..record };
        let (uri, format, mime) = (path.to_string(), record.format, record.mime.to_owned());
        // With the operation goes what the host keeps aside.
        let operation: Operation = Box::new(move || {
            let bound = self.bound.upgrade().ok_or_else(unbound)?;
            bound.ask(&uri, bound.host.store(&uri, format, &mime, size))
        });
        txn.perform(bound as Arc<dyn Participant>, operation)?;
        txn.put(Table::Host, path.key(), record.encode());
        Ok(size)
    }
}

fn unbound() -> Error {
    Error::new(Code::NodeNotFound, "the subtree is not bound any more")
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(bound) = self.bound.upgrade().filter(|_| self.begun) {
            bound.aside.lock().remove(&self.uri.path);
            bound.host.discard(&self.uri.path.to_string());
        }
    }
}

/// Checks a part of a text, which may end inside a letter; returns the octets of that.
fn unfinished_letter(before: Vec<u8>, octets: &[u8]) -> Done<Vec<u8>> {
    let joined = [before.as_slice(), octets].concat();
    let whole = whole_letters(&joined)?;
    Ok(joined.get(whole..).unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dm_055_a_text_is_checked_over_its_chunks() {
        let text = "aä€𝄞z".as_bytes();
        for cut in 0..=text.len() {
            for end in cut..=text.len() {
                let parts = [&text[..cut], &text[cut..end], &text[end..]];
                let left = parts.iter().try_fold(Vec::new(), |l, part| unfinished_letter(l, part));
                assert_eq!(left, Ok(Vec::new()), "{cut} {end}");
            }
        }
        assert_eq!(unfinished_letter(Vec::new(), b"\xe2\x82"), Ok(b"\xe2\x82".to_vec()));
        for bad in [&b"\xff"[..], b"a\0", b"\xe2a"] {
            assert_eq!(unfinished_letter(Vec::new(), bad), Err(Refusal::Format));
        }
        assert_eq!(unfinished_letter(b"\xe2\x82".to_vec(), b"a"), Err(Refusal::Format));
    }
}
