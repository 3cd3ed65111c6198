//! Alerts from the device to the server: client events (1224) and generic alerts (1226).

use crate::error::{Code, Error, Result};
use crate::markup::is_xml_text;
use crate::syncml::Encoding;
use crate::syncml::model::{Alert, Data, Item, Location, Meta, MetaExtra};
use crate::syncml::status::{self, AlertCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// How the Type of a generic alert may begin: the two namespaces of DM Protocol 1.2.1, 8.7, and
/// the types that were registered without one.
const TYPES: [&str; 4] =
    ["Content-Type:", "Reversed-Domain-Name:", "org.openmobilealliance.", "urn:oma:at:"];

/// Something that the device has to tell the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAlert {
    number: u64,
    code: AlertCode,
    source: Option<String>,
    mime: String,
    format: String,
    mark: Option<String>,
    correlator: Option<String>,
    data: Vec<u8>,
}

impl HostAlert {
    /// A client event (1224). `number` is the host's own and comes back in the events.
    pub fn event(number: u64, mime: &str, format: &str, data: impl Into<Vec<u8>>) -> Self {
        Self {
            number,
            code: status::ALERT_CLIENT_EVENT,
            source: None,
            mime: mime.to_owned(),
            format: format.to_owned(),
            mark: None,
            correlator: None,
            data: data.into(),
        }
    }

    /// A generic alert (1226). `format` is a format name of the tree, for example `chr` or `bin`.
    ///
    /// Errors: `InvalidArg` if `mime` begins with none of the allowed namespaces.
    pub fn generic(
        number: u64,
        mime: &str,
        format: &str,
        data: impl Into<Vec<u8>>,
    ) -> Result<Self> {
        if !TYPES.iter().any(|start| mime.starts_with(start) && mime.len() > start.len()) {
            let what = "generic alert: Type begins neither with Content-Type: nor with \
                        Reversed-Domain-Name:";
            return Err(Error::new(Code::InvalidArg, what));
        }
        let code = status::ALERT_GENERIC;
        Ok(Self { code, ..Self::event(number, mime, format, data) })
    }

    /// The same alert, raised by the management object at `uri`.
    #[must_use]
    pub fn from_object(mut self, uri: &str) -> Self {
        self.source = Some(uri.to_owned());
        self
    }

    /// The same alert with an importance, for example `critical`; `informational` if none is given.
    #[must_use]
    pub fn with_mark(mut self, mark: &str) -> Self {
        self.mark = Some(mark.to_owned());
        self
    }

    /// The same alert as the end of the Exec that had this Correlator.
    #[must_use]
    pub fn with_correlator(mut self, correlator: &str) -> Self {
        self.correlator = Some(correlator.to_owned());
        self
    }

    /// The host's own number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The alert as a command.
    pub(super) fn command(&self, encoding: Encoding) -> Alert<'static> {
        let (format, data) = wire(&self.format, Cow::Borrowed(&self.data), encoding);
        let source = self.source.clone();
        let item = Item {
            source: source.map(|uri| Location { uri: uri.into(), name: None }),
            meta: Meta {
                format: Some(format.to_owned().into()),
                mime: Some(self.mime.clone().into()),
                extra: self.mark.clone().map(|mark| {
                    Box::new(MetaExtra { mark: Some(mark.into()), ..MetaExtra::default() })
                }),
                ..Meta::default()
            },
            data: Some(data),
            ..Item::default()
        };
        Alert {
            code: Some(self.code),
            correlator: self.correlator.clone().map(Cow::Owned),
            items: vec![item],
            ..Alert::default()
        }
    }
}

/// Format and Data of a value in a message: XML carries octets as base64 text (DM Representation
/// Protocol 1.2.1, 6.3), and text with characters that XML does not allow as octets.
pub(super) fn wire<'f>(
    format: &'f str,
    value: Cow<'_, [u8]>,
    encoding: Encoding,
) -> (&'f str, Data<'static>) {
    match (format, encoding) {
        ("bin", Encoding::Xml) => ("b64", Data::text(STANDARD.encode(&value))),
        ("bin", Encoding::Wbxml) => ("bin", Data::opaque(value.into_owned())),
        _ => match String::from_utf8(value.into_owned()) {
            Ok(text) if encoding == Encoding::Wbxml || is_xml_text(text.as_bytes()) => {
                (format, Data::text(text))
            }
            Ok(text) => wire("bin", text.into_bytes().into(), encoding),
            Err(broken) => wire("bin", broken.into_bytes().into(), encoding),
        },
    }
}
