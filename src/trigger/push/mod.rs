//! WSP connectionless push: the envelope of notifications and pushed bootstraps.
//!
//! Owns the headers (WAP-230-WSP 8.4, as the OMA DM and Client Provisioning texts use them). Must
//! not know what the body means, nor any key: a MAC is handed on, not checked.

#[cfg(test)]
mod tests;
mod value;

use super::fault;
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use value::{Cursor, Value};

/// PDU type Push.
pub(super) const PUSH: u8 = 0x06;
/// Header X-WAP-Application-ID.
const APPLICATION_ID: u8 = 0x2F;
const APPLICATION_ID_NAME: &[u8] = b"x-wap-application-id";

/// Application id of the DM client.
pub const APP_SYNCML_DM: &str = "x-wap-application:syncml.dm";
/// Application id of the browser; old gateways put it on provisioning pushes.
pub const APP_WML_UA: &str = "x-wap-application:wml.ua";

/// The media types that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `text/vnd.wap.connectivity-xml`
    ConnectivityXml,
    /// `application/vnd.wap.connectivity-wbxml`
    ConnectivityWbxml,
    /// `application/vnd.syncml.dm+wbxml`
    DmWbxml,
    /// `application/vnd.syncml.dm+xml`
    DmXml,
    /// `application/vnd.syncml.notification`
    Notification,
}

impl Media {
    const ALL: [(Self, u32, &'static str); 5] = [
        (Self::ConnectivityXml, 0x35, "text/vnd.wap.connectivity-xml"),
        (Self::ConnectivityWbxml, 0x36, "application/vnd.wap.connectivity-wbxml"),
        (Self::DmWbxml, 0x42, "application/vnd.syncml.dm+wbxml"),
        (Self::DmXml, 0x43, "application/vnd.syncml.dm+xml"),
        (Self::Notification, 0x44, "application/vnd.syncml.notification"),
    ];

    /// The registered name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(media, ..)| *media == self).map_or("", |(.., name)| name)
    }

    /// The media type of this name; case and blanks around it do not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(.., known)| known.eq_ignore_ascii_case(name.trim()))
            .map(|(media, ..)| *media)
    }

    fn from_code(code: u32) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map(|(media, ..)| *media)
    }

    /// True if a push of this type may be for `application`.
    fn serves(self, application: &str) -> bool {
        let provisioning = matches!(self, Self::ConnectivityXml | Self::ConnectivityWbxml);
        application.eq_ignore_ascii_case(APP_SYNCML_DM)
            || provisioning && application.eq_ignore_ascii_case(APP_WML_UA)
    }
}

/// How a pushed bootstrap is authenticated (parameter SEC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sec {
    /// A secret that network and device share.
    NetworkPin = 0,
    /// A PIN the user types.
    UserPin = 1,
    /// Both.
    UserNetworkPin = 2,
    /// The user types PIN and MAC; the push carries none.
    UserPinMac = 3,
}

impl Sec {
    const ALL: [Self; 4] =
        [Self::NetworkPin, Self::UserPin, Self::UserNetworkPin, Self::UserPinMac];

    /// The method of this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|sec| *sec as u32 == number)
    }

    /// The method of this name, in the words of Client Provisioning or of DM Security.
    fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "0" | "NETWPIN" | "NETWORKID" => Some(Self::NetworkPin),
            "1" | "USERPIN" => Some(Self::UserPin),
            "2" | "USERNETWPIN" | "USERPIN_NETWORKID" => Some(Self::UserNetworkPin),
            "3" | "USERPINMAC" => Some(Self::UserPinMac),
            _ => None,
        }
    }
}

/// A push PDU for this client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push<'a> {
    /// Transaction identifier; any value.
    pub tid: u8,
    /// The body's media type.
    pub media: Media,
    /// Character set, as MIBenum.
    pub charset: Option<u32>,
    /// Application the push is addressed to.
    pub app_id: Option<&'static str>,
    /// Authentication of a bootstrap; `None` on notifications and unauthenticated documents.
    pub sec: Option<Sec>,
    /// The HMAC-SHA1 that came with it, 20 octets; `None` without `sec` and with
    /// [`Sec::UserPinMac`].
    pub mac: Option<Secret>,
    /// Push-Flag: bit 0 initiator authenticated, bit 1 trusted, bit 2 last.
    pub push_flag: Option<u8>,
    /// The document, exactly the octets a MAC covers.
    pub body: &'a [u8],
}

impl<'a> Push<'a> {
    /// Reads one PDU.
    ///
    /// Fails with `TriggerFormat` (classes `E_WSP_TRUNCATED`, `E_WSP_LENGTH`, `E_WSP_PDU_TYPE`,
    /// `E_WSP_CONTENT_TYPE`, `E_WSP_APP_ID`) or, for a bootstrap's parameters, with `BootstrapMac`
    /// (`E_CP_SEC_UNKNOWN`, `E_CP_MAC_MISSING`, `E_CP_MAC_FORMAT`).
    pub fn read(pdu: &'a [u8]) -> Result<Self> {
        let truncated = || refuse("E_WSP_TRUNCATED", pdu.len(), "the PDU ends in its head");
        let (tid, kind) = (pdu.first().ok_or_else(truncated)?, pdu.get(1).ok_or_else(truncated)?);
        if *kind != PUSH {
            return Err(refuse("E_WSP_PDU_TYPE", 1, "not a Push"));
        }
        let mut cursor = Cursor::new(pdu, 2);
        if cursor.rest().iter().all(|octet| octet & 0x80 != 0) {
            return Err(truncated());
        }
        let length = cursor.uintvar()?;
        let mut headers = cursor.part(length)?;
        let content = ContentType::read(&mut headers)?;
        let mut push = Self {
            tid: *tid,
            media: content.media,
            charset: content.charset,
            app_id: None,
            sec: None,
            mac: None,
            push_flag: None,
            body: cursor.rest(),
        };
        if push.media != Media::Notification {
            (push.sec, push.mac) = content.security()?;
        }
        while !headers.is_empty() {
            push.header(&mut headers)?;
        }
        Ok(push)
    }

    /// A push whose envelope somebody else has taken off: its Content-Type, perhaps with SEC and MAC in
    /// it, or those given apart, which count more. `mac` is 40 hexadecimal digits.
    ///
    /// Fails as [`read`](Self::read) does, with the place in `content_type`.
    pub fn of_parts(
        content_type: &str,
        sec: Option<Sec>,
        mac: Option<&str>,
        body: &'a [u8],
    ) -> Result<Self> {
        let mut content = ContentType::from_text(content_type.as_bytes(), 0)
            .ok_or_else(|| refuse("E_WSP_CONTENT_TYPE", 0, "no media type of this client"))?;
        content.sec = sec.map(|sec| (Some(sec), 0)).or(content.sec);
        content.mac = mac.map(|mac| (mac.as_bytes(), 0)).or(content.mac);
        let (media, charset) = (content.media, content.charset);
        let (sec, mac) = match media {
            Media::Notification => (None, None),
            _ => content.security()?,
        };
        Ok(Self { tid: 0, media, charset, app_id: None, sec, mac, push_flag: None, body })
    }

    /// Takes one header; unknown ones are skipped.
    fn header(&mut self, headers: &mut Cursor<'_>) -> Result<()> {
        const PUSH_FLAG: u8 = 0x34;
        let name = headers.value()?;
        let at = headers.at();
        let value = headers.value()?;
        match name {
            Value::Short(APPLICATION_ID) => self.application(&value, at),
            Value::Text(name) if name.eq_ignore_ascii_case(APPLICATION_ID_NAME) => {
                self.application(&value, at)
            }
            Value::Short(PUSH_FLAG) => {
                self.push_flag = value.integer().and_then(|flag| u8::try_from(flag).ok());
                Ok(())
            }
            Value::Short(_) | Value::Text(_) => Ok(()),
            Value::Block(_) => Err(refuse("E_WSP_LENGTH", at, "not a header name")),
        }
    }

    fn application(&mut self, value: &Value<'_>, at: usize) -> Result<()> {
        let named = match (value.integer(), value.text()) {
            (Some(0x02), _) => Some(APP_WML_UA),
            (Some(0x07), _) => Some(APP_SYNCML_DM),
            (_, Some(text)) => [APP_SYNCML_DM, APP_WML_UA]
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(text.trim())),
            _ => None,
        };
        self.app_id = named.filter(|application| self.media.serves(application));
        match self.app_id {
            Some(_) => Ok(()),
            None => Err(refuse("E_WSP_APP_ID", at, "addressed to another application")),
        }
    }
}

fn refuse(class: &str, at: usize, what: &str) -> Error {
    fault(Code::TriggerFormat, class, at, what)
}

/// Content-Type with the parameters that matter, the security ones not yet judged.
struct ContentType<'a> {
    media: Media,
    charset: Option<u32>,
    /// SEC as it was given, and where.
    sec: Option<(Option<Sec>, usize)>,
    mac: Option<(&'a [u8], usize)>,
}

impl<'a> ContentType<'a> {
    /// Reads the first header, which has no name: code alone, text, or length with parameters.
    fn read(headers: &mut Cursor<'a>) -> Result<Self> {
        let at = headers.at();
        let unknown = || refuse("E_WSP_CONTENT_TYPE", at, "no media type of this client");
        if headers.is_empty() {
            return Err(unknown());
        }
        let mut general = match headers.value()? {
            Value::Short(code) => {
                let media = Media::from_code(code.into()).ok_or_else(unknown)?;
                return Ok(Self::new(media));
            }
            Value::Text(text) => return Self::from_text(text, at).ok_or_else(unknown),
            Value::Block(block) => headers.within(block),
        };
        if general.is_empty() {
            return Err(unknown());
        }
        let media = general.value()?;
        let mut content = match (media.integer(), media) {
            (Some(code), _) => Self::new(Media::from_code(code).ok_or_else(unknown)?),
            (_, Value::Text(text)) => Self::from_text(text, at).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        while !general.is_empty() {
            content.parameter(&mut general)?;
        }
        Ok(content)
    }

    fn new(media: Media) -> Self {
        Self { media, charset: None, sec: None, mac: None }
    }

    /// A media type in text form, perhaps with `; SEC=...; MAC=...` behind it.
    fn from_text(text: &'a [u8], at: usize) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut parts = text.split(';');
        let mut content = Self::new(Media::from_name(parts.next()?)?);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            content.named(name.trim().as_bytes(), &Value::Text(value.trim().as_bytes()), at);
        }
        Some(content)
    }

    fn parameter(&mut self, general: &mut Cursor<'a>) -> Result<()> {
        let name = general.value()?;
        let at = general.at();
        let value = general.value()?;
        match name {
            Value::Short(0x01) => self.named(b"charset", &value, at),
            Value::Short(0x11) => self.named(b"sec", &value, at),
            Value::Short(0x12) => self.named(b"mac", &value, at),
            Value::Text(name) => self.named(name, &value, at),
            _ => {}
        }
        Ok(())
    }

    fn named(&mut self, name: &[u8], value: &Value<'a>, at: usize) {
        if name.eq_ignore_ascii_case(b"charset") {
            self.charset = value.integer().or_else(|| charset(value.text()?));
        } else if name.eq_ignore_ascii_case(b"sec") {
            let sec = match value.integer() {
                Some(number) => Sec::from_number(number),
                None => value.text().and_then(Sec::from_name),
            };
            self.sec = Some((sec, at));
        } else if name.eq_ignore_ascii_case(b"mac") {
            self.mac = Some((value.octets(), at));
        }
    }

    /// SEC and MAC, if they fit together (OMA Provisioning Bootstrap 5.2).
    fn security(&self) -> Result<(Option<Sec>, Option<Secret>)> {
        let refuse = |class, at, what| Err(fault(Code::BootstrapMac, class, at, what));
        let (sec, at) = match (self.sec, self.mac) {
            (None, None) => return Ok((None, None)),
            (Some((Some(sec), at)), _) => (sec, at),
            (Some((None, at)), _) | (None, Some((_, at))) => {
                return refuse("E_CP_SEC_UNKNOWN", at, "unknown authentication method");
            }
        };
        match self.mac {
            _ if sec == Sec::UserPinMac => Ok((Some(sec), None)),
            None => refuse("E_CP_MAC_MISSING", at, "SEC without MAC"),
            Some((digits, at)) => match mac(digits) {
                Some(mac) => Ok((Some(sec), Some(mac))),
                None => refuse("E_CP_MAC_FORMAT", at, "MAC is not 40 hexadecimal digits"),
            },
        }
    }
}

/// MIBenum of the character sets that text parameters name.
fn charset(name: &str) -> Option<u32> {
    const UTF_8: u32 = 106;
    const US_ASCII: u32 = 3;
    match name.trim_matches('"').to_ascii_lowercase().as_str() {
        "utf-8" => Some(UTF_8),
        "us-ascii" => Some(US_ASCII),
        _ => None,
    }
}

/// The 20 octets of 40 hexadecimal digits, quotes around them taken off.
fn mac(digits: &[u8]) -> Option<Secret> {
    let digits = digits.strip_prefix(b"\"").unwrap_or(digits);
    let digits = digits.strip_suffix(b"\"").unwrap_or(digits);
    let nibble = |digit: &u8| char::from(*digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let nibbles: Vec<u8> = digits.iter().map(nibble).collect::<Option<_>>()?;
    let octets: Vec<u8> =
        nibbles.chunks_exact(2).map(|pair| pair.iter().fold(0, |o, n| o << 4 | n)).collect();
    (digits.len() == 40).then(|| Secret::new(octets))
}
