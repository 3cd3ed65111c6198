//! The content of elements that may hold text, octets, or an inline document (Data, Value).
//!
//! Owns how the forms are told apart; must not know what the content is for.

use super::reader::is_blank;
use super::{DocType, Encoding, Event, Fault, Reader, Writer, dmddf};
use std::borrow::Cow;

/// In which form the content stood in the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Text.
    #[default]
    Text,
    /// OPAQUE, at least in part.
    Opaque,
    /// An inline `MgmtTree`.
    Embedded,
}

/// Content of an element.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content<'a> {
    /// The form it stood in.
    pub form: Form,
    /// Text or octets; an inline `MgmtTree` as a document of its own in the same encoding; other inline
    /// elements of text XML as their source.
    pub octets: Cow<'a, [u8]>,
}

impl std::fmt::Debug for Content<'_> {
    /// The content may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({:?}, {} octets)", self.form, self.octets.len())
    }
}

impl<'a> Reader<'a> {
    /// The whole content of the element that has just begun, up to and with its end.
    ///
    /// # Errors
    /// The content is malformed, or mixes text and elements.
    pub fn content(&mut self) -> Result<Content<'a>, Fault> {
        if self.encoding() == Encoding::Xml
            && let Some(text) = self.leaf()?
        {
            return Ok(Content { form: Form::Text, octets: into_octets(text) });
        }
        let (from, depth) = (self.position(), self.depth());
        let mut content = Content::default();
        loop {
            match self.next()? {
                Event::Text(text) => append(&mut content, into_octets(text)),
                Event::Opaque(octets) => {
                    if !octets.is_empty() {
                        content.form = Form::Opaque;
                    }
                    append(&mut content, Cow::Borrowed(octets));
                }
                Event::Start(dmddf::MGMT_TREE) => {
                    if !self.is_space(&content) {
                        return Err(self.content_fault("text beside an inline document"));
                    }
                    return self.embedded();
                }
                Event::Start(_) if self.encoding() == Encoding::Xml => {
                    self.skip_to_end(depth)?;
                    let source = self.source_since(from).unwrap_or_default();
                    let octets = Cow::Borrowed(source.as_bytes());
                    return Ok(Content { form: Form::Text, octets });
                }
                Event::Attribute(..) => {}
                Event::End => return Ok(content),
                Event::Start(_) | Event::Finish => {
                    return Err(self.content_fault("an element that must not be here"));
                }
            }
        }
    }

    /// Only what an XML author put between elements.
    fn is_space(&self, content: &Content<'_>) -> bool {
        content.form == Form::Text && std::str::from_utf8(&content.octets).is_ok_and(is_blank)
    }

    /// An inline TNDS object, whose root has just begun, and the end of the element around it.
    fn embedded(&mut self) -> Result<Content<'a>, Fault> {
        let mut writer = Writer::new(DocType::Tnds, self.encoding());
        writer.start(dmddf::MGMT_TREE);
        let outside = self.depth();
        while self.depth() >= outside {
            match self.next()? {
                Event::Start(super::Tag::OTHER) => self.skip()?,
                event => writer.event(&event),
            }
        }
        if self.child()?.is_some() {
            return Err(self.content_fault("an element beside an inline document"));
        }
        let octets = writer.finish().map_err(|_| self.content_fault("unusable inline document"))?;
        Ok(Content { form: Form::Embedded, octets: Cow::Owned(octets) })
    }
}

/// Text as octets.
pub(crate) fn into_octets(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn append<'a>(content: &mut Content<'a>, piece: Cow<'a, [u8]>) {
    if content.octets.is_empty() {
        content.octets = piece;
    } else {
        content.octets.to_mut().extend_from_slice(&piece);
    }
}
