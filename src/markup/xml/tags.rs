//! Start tags: namespaces, the element that a name stands for, and attributes.

use super::super::namespaces::Declared;
use super::super::reader::Event;
use super::super::vocabulary::{Attr, Ns, Tag};
use super::super::{Class, DocType, Fault, dmddf, prov, syncml};
use super::{Reader, is_xml_text};
use quick_xml::events::attributes::Attributes;
use std::borrow::Cow;

impl<'a> Reader<'a> {
    /// What is declared for a name's prefix, and the name without it.
    #[inline]
    pub(super) fn split(&self, name: &'a str) -> Result<(Declared, &'a str), Fault> {
        let (prefix, local) = match name.bytes().position(|b| b == b':') {
            Some(colon) => {
                (name.get(..colon).unwrap_or_default(), name.get(colon + 1..).unwrap_or_default())
            }
            None => ("", name),
        };
        let declared = self.namespaces.get(prefix);
        if !prefix.is_empty() && matches!(declared, Declared::Nothing) {
            return Err(self.syntax("a namespace prefix without declaration"));
        }
        Ok((declared, local))
    }

    /// Takes the namespace declarations among the attributes of the element that begins here.
    pub(super) fn declare(&mut self, attributes: &'a str) -> Result<(), Fault> {
        let inside = self.open.len() + 1;
        if self.namespaces.repeat(attributes, inside) {
            return Ok(());
        }
        for attribute in Attributes::new(attributes, 0).with_checks(false) {
            // A malformed list is the attributes' fault.
            let Ok(attribute) = attribute else { break };
            let prefix = match attribute.key.0.strip_prefix("xmlns") {
                Some("") => "",
                Some(prefix) => match prefix.strip_prefix(':') {
                    Some("" | "xml" | "xmlns") => {
                        return Err(self.syntax("a declaration that XML does not allow"));
                    }
                    Some(prefix) => prefix,
                    None => continue,
                },
                None => continue,
            };
            if !self.namespaces.declare(inside, prefix, &attribute.value) {
                return Err(self.fault(Class::Limit, "too many namespaces"));
            }
        }
        self.namespaces.note(attributes);
        Ok(())
    }

    /// The element's tag. Undeclared children of Meta and of a DDF tree are taken for what their
    /// place says, since many servers leave out their namespaces.
    #[inline]
    pub(super) fn resolve(&self, declared: Declared, name: &str) -> Tag {
        let doc = self.id.doc;
        let stated = match declared {
            Declared::Foreign => return Tag::OTHER,
            Declared::Known(id) => Some(root_ns(id.doc)),
            Declared::Nothing => None,
        };
        if doc == DocType::Prov {
            return [doc.root(), prov::CHARACTERISTIC, prov::PARM]
                .into_iter()
                .find(|tag| tag.name().eq_ignore_ascii_case(name))
                .unwrap_or(Tag::OTHER);
        }
        let parent = self.open.last().map(|open| open.tag);
        let place = match parent {
            Some(syncml::META) => Ns::MetInf,
            Some(parent) if parent.ns() != Ns::Other => parent.ns(),
            _ => root_ns(doc),
        };
        let root = root_ns(doc);
        // The root's namespace may only be inherited where another one was left out; not so where the
        // element declares it for itself.
        let declares = || self.namespaces.is_declared_at(self.open.len() + 1);
        let known = match stated {
            Some(ns) if ns != root => ns.tag(name).or_else(|| root.tag(name)),
            Some(_) if declares() => root.tag(name).or_else(|| place.tag(name)),
            _ => place.tag(name).or_else(|| root.tag(name)),
        };
        known.unwrap_or(match (parent, name) {
            (Some(syncml::DATA), "MgmtTree") => dmddf::MGMT_TREE,
            _ => Tag::OTHER,
        })
    }

    /// Reads the attributes ahead, without the namespace declarations.
    pub(super) fn attributes(&mut self, attributes: &'a str, tag: Tag) -> Result<(), Fault> {
        let (first, mut seen) = (self.ahead.len(), 0u8);
        for attribute in Attributes::new(attributes, 0).with_checks(false) {
            let attribute = attribute.map_err(|_| self.syntax("malformed attributes"))?;
            self.budget.node(self.event_at())?;
            let name = attribute.key.0;
            if name == "xmlns" || name.contains(':') || tag == Tag::OTHER {
                continue;
            }
            if tag.ns() != Ns::Prov {
                return Err(self.fault(Class::AttrUnexpected, "the element has no attributes"));
            }
            let Some(attr) = Attr::from_name(name) else {
                // `datatype`, which some vendors put beside the value.
                if tag == prov::PARM {
                    continue;
                }
                return Err(self.fault(Class::AttrUnknown, "unknown attribute"));
            };
            if seen & 1 << attr as u8 != 0 {
                return Err(self.fault(Class::AttrDuplicate, "the same attribute twice"));
            }
            seen |= 1 << attr as u8;
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Explicit1_0)
                .map_err(|_| self.syntax("malformed attribute value"))?;
            if !is_xml_text(value.as_bytes()) || attribute.value.contains('<') {
                return Err(self.syntax("malformed attribute value"));
            }
            self.ahead.push(Event::Attribute(attr, Cow::Owned(value.into_owned())));
        }
        self.ahead.get_mut(first..).unwrap_or_default().reverse();
        Ok(())
    }
}

/// The namespace of `doc`'s root.
fn root_ns(doc: DocType) -> Ns {
    doc.root().ns()
}
