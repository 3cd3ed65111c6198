//! Values that the host keeps, on their way to somebody who reads them part by part.
//!
//! Owns the order of it: the right to read, the host's handle, the parts, and the end. Must not know how
//! parts travel.

use super::described::canonical;
use super::format::{Format, whole_letters};
use super::host_nodes::{self, Bound};
use super::query::Query;
use super::refusal::Refusal;
use super::uri::{Part, Uri};
use crate::error::{Code, Error};
use std::fmt;
use std::sync::{Arc, Weak};

type Done<T> = core::result::Result<T, Refusal>;

/// A value that the host holds open, as it was when it was opened. Dropping it lets the host close it.
pub struct Outgoing {
    /// Weak: the host may take its subtree back in between.
    bound: Weak<Bound>,
    uri: String,
    handle: u64,
    format: Format,
    mime: String,
    /// Octets that the host has not given yet.
    left: u32,
    /// Of a text: the beginning of a letter whose end has not been read yet.
    letter: Vec<u8>,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("uri", &self.uri)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Query<'_> {
    /// Opens a leaf of more than `whole` octets for reading part by part. `None` if it has to be read with
    /// [`get`](Self::get): it is shorter, the host does not keep it, or gives values as a whole only.
    ///
    /// Errors: as [`get`](Self::get), and what the host gives.
    pub fn open(&self, uri: &Uri, whole: usize) -> Done<Option<Outgoing>> {
        let uri = &*canonical(self.reader(), uri)?;
        let Some(bound) = host_nodes::below_root(self.reader(), &uri.path) else { return Ok(None) };
        if uri.part != Part::Node {
            return Ok(None);
        }
        let node = self.readable(&uri.path)?;
        let is_short = usize::try_from(node.size).is_ok_and(|size| size <= whole);
        if node.format.is_interior() || is_short {
            return Ok(None);
        }
        let uri = uri.path.uri();
        let Some(handle) = bound.ask(&uri, bound.host.open(&uri))? else { return Ok(None) };
        Ok(Some(Outgoing {
            bound: Arc::downgrade(&bound),
            uri,
            handle,
            format: node.format,
            mime: node.mime,
            left: node.size,
            letter: Vec::new(),
        }))
    }
}

impl Outgoing {
    /// The node's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The node's MIME type.
    pub fn mime(&self) -> &str {
        &self.mime
    }

    /// Octets that the host has not given yet; at first, those of the whole value.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Reads up to `octets` more, of a text whole letters only.
    ///
    /// Errors: `NotFound` if the subtree is not bound any more; what the host gives, also for a text that is
    /// none. The host hears of them, because no status can tell the server any more.
    pub fn read(&mut self, octets: usize) -> Done<Vec<u8>> {
        let bound = self.bound.upgrade().ok_or(Refusal::NotFound)?;
        let length = u32::try_from(octets).unwrap_or(u32::MAX).min(self.left);
        let mut part = std::mem::take(&mut self.letter);
        let begin = part.len();
        part.resize(begin + usize::try_from(length).unwrap_or(0), 0);
        if length > 0 {
            let place = part.get_mut(begin..).unwrap_or_default();
            bound.ask_for_itself(&self.uri, bound.host.read(self.handle, place))?;
            self.left -= length;
        }
        if self.format != Format::Bin {
            let whole = bound.ask_for_itself(&self.uri, self.whole_letters(&part))?;
            self.letter = part.split_off(whole);
        }
        Ok(part)
    }

    /// Tells the host why nothing can be made of what it gave.
    pub fn refuse(&self, what: &'static str) -> Refusal {
        let error = Error::new(Code::Callback, what);
        if let Some(bound) = self.bound.upgrade() {
            bound.note(&self.uri, &error);
        }
        error.into()
    }

    fn whole_letters(&self, part: &[u8]) -> crate::error::Result<usize> {
        match whole_letters(part) {
            Ok(whole) if whole == part.len() || self.left > 0 => Ok(whole),
            _ => Err(Error::new(Code::Callback, "the host gives a text that is none")),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if let Some(bound) = self.bound.upgrade() {
            bound.host.close(self.handle);
        }
    }
}
