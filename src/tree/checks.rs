//! What a node must be like that is added or changed: place, format, value, type and number.
//!
//! Owns these checks. Rights by ACL, and in which order things are checked, are `edit`'s.

use super::above::Above;
use super::ddf::{self, Description, Occurrence, TEXT_PLAIN};
use super::described::{RuleRef, describe};
use super::edit::{Content, Tree};
use super::format::{Format, decode_base64};
use super::node::{Access, Origin};
use super::query::access;
use super::refusal::Refusal;
use super::uri::Path;
use super::{Actor, dmacc, records};
use crate::limits;
use crate::url::Url;
use std::borrow::Cow;

type Done<T = ()> = Result<T, Refusal>;

impl Tree<'_> {
    /// A server may add the node if its description, or else its parent, says so.
    pub(super) fn check_addable(
        &self,
        path: &Path,
        above: &Above,
        description: &Description,
    ) -> Done {
        let allowed = match description {
            Description::Undefined => false,
            Description::Rule(rule) => !rule.permanent && rule.access.contains(Access::ADD),
            Description::Free => {
                access(self.reader(), &above.path, &above.node).contains(Access::ADD)
            }
        };
        if allowed && !ddf::is_inbox(path) { Ok(()) } else { Err(Refusal::NotAllowed) }
    }

    /// Checks a value against format and description; returns both as they are to be stored.
    pub(super) fn fit<'c>(
        &self,
        path: &Path,
        rule: Option<&RuleRef>,
        format: Format,
        content: &Content<'c>,
    ) -> Done<(Format, Cow<'c, [u8]>)> {
        let value = content.value.unwrap_or_default();
        let (format, value) = match rule {
            // Base64 is how a binary value travels in XML.
            Some(rule) if rule.format == Format::Bin && format == Format::B64 => {
                (Format::Bin, Cow::Owned(decode_base64(value)?))
            }
            Some(rule) if rule.format != format && self.server().is_some() => {
                return Err(Refusal::Format);
            }
            _ => (format, Cow::Borrowed(value)),
        };
        format.check(&value)?;
        // A bootstrap document may leave the value out.
        let left_out = value.is_empty() && self.actor == Actor::Bootstrap;
        if let Some(check) = rule.and_then(|rule| rule.check)
            && !left_out
            && !check(&value)
        {
            return Err(Refusal::Format);
        }
        if value.len() > limits::MAX_OBJ_SIZE as usize {
            return Err(Refusal::TooLarge);
        }
        self.check_server_id(path, &value)?;
        self.check_address(path, &value)?;
        Ok((format, value))
    }

    /// A server may not give itself or others a second account under a known server identifier:
    /// its secret would then count for that server's notifications and sessions.
    fn check_server_id(&self, path: &Path, value: &[u8]) -> Done {
        if self.server().is_none() || !ddf::is_server_id(path) {
            return Ok(());
        }
        let server = std::str::from_utf8(value).map_err(|_| Refusal::Format)?;
        if dmacc::is_known(self.reader(), server)? { Err(Refusal::Exists) } else { Ok(()) }
    }

    /// The device's own addresses lead to its card, and are for what the card brought.
    fn check_address(&self, path: &Path, value: &[u8]) -> Done {
        if self.actor == Actor::Host {
            return Ok(());
        }
        let Some(account) = ddf::account_of_address(path) else { return Ok(()) };
        let text = std::str::from_utf8(value).map_err(|_| Refusal::Format)?;
        let origin = records::load(self.reader(), &account)?.map(|node| node.origin);
        let is_the_cards = [self.origin, origin.as_ref()]
            .iter()
            .any(|origin| matches!(origin, Some(Origin::Card { .. })));
        if Url::means_loopback(text) && !is_the_cards { Err(Refusal::Forbidden) } else { Ok(()) }
    }

    /// The Type property to be stored.
    pub(super) fn mime<'m>(
        &self,
        rule: Option<&'m RuleRef>,
        format: Format,
        mime: Option<&'m str>,
    ) -> Done<&'m str> {
        if mime.is_some_and(|mime| mime.len() > limits::TYPE_OCTETS) {
            return Err(Refusal::Format);
        }
        if format.is_interior() {
            // An interior node has no MIME type; some servers send the default one.
            return Ok(mime.filter(|mime| *mime != TEXT_PLAIN).unwrap_or_default());
        }
        let preset = rule.map_or(TEXT_PLAIN, RuleRef::preset_type);
        let mime = mime.filter(|mime| !mime.is_empty()).unwrap_or(preset);
        if self.server().is_some() && rule.is_some_and(|rule| !rule.takes_type(mime)) {
            return Err(Refusal::Format);
        }
        Ok(mime)
    }

    pub(super) fn check_room(&self, parent: &Path, rule: Option<&RuleRef>) -> Done {
        let Some(rule) = rule else { return Ok(()) };
        match rule.occurrence {
            Occurrence::ZeroToN(most) | Occurrence::OneToN(most) if most < u32::MAX => {
                let there = self.siblings(parent, rule)?;
                if there < most as usize { Ok(()) } else { Err(Refusal::Full) }
            }
            _ => Ok(()),
        }
    }

    /// How many nodes below `parent` there are that this rule describes.
    pub(super) fn siblings(&self, parent: &Path, rule: &RuleRef) -> Done<usize> {
        let children = records::children(self.reader(), parent)?;
        let same = |child: &&Path| {
            describe(self.reader(), child).rule().is_some_and(|other| other.is(rule))
        };
        Ok(children.iter().filter(same).count())
    }
}
