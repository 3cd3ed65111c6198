//! The two forms of a message.

use super::wbxml::{self, DocType, Element};
use super::xml;

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Text.
    Xml,
    /// Tokens.
    Wbxml,
}

impl Encoding {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/vnd.syncml.dm+xml",
            Self::Wbxml => "application/vnd.syncml.dm+wbxml",
        }
    }

    /// The one of a media type without parameters.
    pub fn of(media_type: &str) -> Option<Self> {
        [Self::Xml, Self::Wbxml].into_iter().find(|known| known.media_type() == media_type)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// One line saying what is wrong and where.
    pub fn decode(self, octets: &[u8]) -> Result<Element, String> {
        match self {
            Self::Xml => xml::decode(octets),
            Self::Wbxml => match wbxml::decode(octets) {
                Ok((root, DocType::SyncMl)) => Ok(root),
                Ok(_) => Err("the document is no SyncML message".to_owned()),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Writes a message.
    ///
    /// # Errors
    /// What cannot be written in this form.
    pub fn encode(self, root: &Element) -> Result<Vec<u8>, String> {
        match self {
            Self::Xml => xml::encode(root).map_err(str::to_owned),
            Self::Wbxml => wbxml::encode(root, DocType::SyncMl).map_err(|error| error.to_string()),
        }
    }
}
