//! Attribute lists of WBXML documents.
//!
//! Owns the attribute token space; must not know what an attribute means.

use super::vocabulary::{Attr, AttrPage};
use super::wbxml::{Reader, token};
use super::{Class, Fault};
use std::borrow::Cow;

/// An attribute start: a known attribute with the beginning of its value, or `xmlns`, which the code
/// pages say already.
type Start = Option<(Attr, &'static str)>;

impl<'a> Reader<'a> {
    /// The next attribute of the list that is open, or `None` behind its end.
    pub(super) fn next_attribute(&mut self) -> Result<Option<(Attr, Cow<'a, str>)>, Fault> {
        loop {
            self.mark();
            match self.octet("the document ends in an attribute list")? {
                token::END if self.attrs_any => return Ok(None),
                token::END => return Err(self.fault(Class::AttrSyntax, "empty attribute list")),
                token::SWITCH_PAGE => self.switch_attr_page()?,
                octet => {
                    let start = self.attribute_start(octet)?;
                    self.attrs_any = true;
                    self.budget.node(self.event_at())?;
                    let (at, value) = (self.event_at(), self.attribute_value(start)?);
                    if let Some((attr, _)) = start {
                        self.note(attr, at)?;
                        return Ok(Some((attr, value)));
                    }
                }
            }
        }
    }

    fn note(&mut self, attr: Attr, at: usize) -> Result<(), Fault> {
        let bit = 1 << attr as u8;
        if self.attrs_seen & bit != 0 {
            return Err(Fault::new(Class::AttrDuplicate, at, "the same attribute twice"));
        }
        self.attrs_seen |= bit;
        Ok(())
    }

    fn switch_attr_page(&mut self) -> Result<(), Fault> {
        let number = self.octet("a code page")?;
        let page = self.public_id().doc.attr_page(number);
        if page.is_none() && number != 0 {
            return Err(self.fault(Class::CodepageUnknown, "no such attribute code page"));
        }
        self.attr_page = page;
        Ok(())
    }

    /// What page 0 has for a token that the current page does not have. Senders forget to switch back
    /// to page 0; it stays current then.
    fn back<T>(&mut self, find: impl FnOnce(&AttrPage) -> Option<T>) -> Option<T> {
        let first = self.public_id().doc.attr_page(0)?;
        let found = find(first)?;
        self.attr_page = Some(first);
        Some(found)
    }

    fn attribute_start(&mut self, octet: u8) -> Result<Start, Fault> {
        match octet {
            token::LITERAL => self.literal_attribute(),
            token::EXT_I_0..=token::EXT_I_2
            | token::EXT_T_0..=token::EXT_T_2
            | token::EXT_0..=token::EXT_2 => Err(self.extension(octet)),
            _ if octet >= 0x80 || octet & token::IDENTITY <= token::LITERAL => {
                Err(self.fault(Class::AttrSyntax, "a value before any attribute"))
            }
            _ => match self.attr_page {
                None => Err(self.fault(Class::AttrUnexpected, "the element has no attributes")),
                Some(page) => {
                    match page.start(octet).or_else(|| self.back(|p| p.start(octet))) {
                        Some(start) => Ok(Some(start)),
                        None => Err(self
                            .fault(Class::AttrUnknown, "token is no attribute of the code page")),
                    }
                }
            },
        }
    }

    /// A named attribute. `xmlns` repeats what is known; an offset 0 without table means it as well.
    fn literal_attribute(&mut self) -> Result<Start, Fault> {
        if self.skip_null_reference() {
            return Ok(None);
        }
        let name = self.table_reference()?;
        if name == "xmlns" {
            return Ok(None);
        }
        match (self.attr_page, Attr::from_name(&name)) {
            (None, _) => Err(self.fault(Class::AttrUnexpected, "the element has no attributes")),
            (Some(_), Some(attr)) => Ok(Some((attr, ""))),
            (Some(_), None) => Err(self.fault(Class::AttrUnknown, "literal is no attribute")),
        }
    }

    /// The value: `start`'s beginning and all fragments up to the next start or the end of the list.
    fn attribute_value(&mut self, start: Start) -> Result<Cow<'a, str>, Fault> {
        let mut value = Cow::Borrowed(start.map_or("", |(_, prefix)| prefix));
        loop {
            self.mark();
            let Some(&octet) = self.data.get(self.at) else {
                return Err(self.fault(Class::Truncated, "the document ends in an attribute list"));
            };
            let starts = octet < 0x80
                && !matches!(octet, token::SWITCH_PAGE | token::ENTITY | token::STR_I)
                && !(token::EXT_I_0..=token::EXT_I_2).contains(&octet);
            if starts {
                return Ok(value);
            }
            self.at += 1;
            let piece = match octet {
                token::SWITCH_PAGE => {
                    self.switch_attr_page()?;
                    continue;
                }
                token::ENTITY => self.entity()?,
                token::STR_I => self.inline_string()?,
                token::STR_T => self.table_string()?,
                token::OPAQUE => self.opaque_text()?,
                _ => Cow::Borrowed(self.value_token(octet)?),
            };
            if value.is_empty() { value = piece } else { value.to_mut().push_str(&piece) }
        }
    }

    fn value_token(&mut self, octet: u8) -> Result<&'static str, Fault> {
        if octet & token::IDENTITY <= token::LITERAL {
            return Err(match octet {
                token::LITERAL_A | token::LITERAL_AC => {
                    self.fault(Class::AttrSyntax, "an element in an attribute list")
                }
                _ => self.extension(octet),
            });
        }
        let found = self.attr_page.and_then(|page| page.value(octet));
        let text = found.or_else(|| self.back(|page| page.value(octet))).ok_or_else(|| {
            self.fault(Class::AttrValueUnknown, "token is no value of the code page")
        })?;
        self.budget.text(text.len(), self.event_at())?;
        Ok(text)
    }
}
