//! A client's message, taken out of its element tree. No judgement beyond what a reader needs.

use super::auth;
use super::wbxml::{Element, METINF, SYNCML};

/// One message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) header: Header,
    pub(crate) commands: Vec<Command>,
    pub(crate) is_final: bool,
}

/// SyncHdr.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    pub(crate) ver_dtd: String,
    pub(crate) ver_proto: String,
    pub(crate) session_id: String,
    pub(crate) msg_id: String,
    pub(crate) target: String,
    pub(crate) source: String,
    pub(crate) source_name: Option<String>,
    pub(crate) cred: Option<Cred>,
}

/// Credentials in SyncHdr.
#[derive(Clone, Default)]
pub(crate) struct Cred {
    pub(crate) auth_type: String,
    pub(crate) format: String,
    pub(crate) data: String,
}

impl std::fmt::Debug for Cred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cred").field("auth_type", &self.auth_type).finish_non_exhaustive()
    }
}

/// Any child of SyncBody but Final; fields that its kind does not have are empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) cmd_id: String,
    pub(crate) msg_ref: Option<String>,
    pub(crate) cmd_ref: String,
    /// `Cmd` of a Status.
    pub(crate) answered: String,
    pub(crate) target_refs: Vec<String>,
    pub(crate) source_refs: Vec<String>,
    /// `Data` of a Status or an Alert.
    pub(crate) code: String,
    pub(crate) correlator: Option<String>,
    pub(crate) has_cred: bool,
    pub(crate) chal: Option<Chal>,
    pub(crate) items: Vec<Item>,
}

/// A challenge, or only a next nonce.
#[derive(Clone, Default)]
pub(crate) struct Chal {
    pub(crate) auth_type: String,
    pub(crate) format: String,
    /// The decoded nonce; `None` when there is none or it is no base64.
    pub(crate) next_nonce: Option<Vec<u8>>,
}

impl std::fmt::Debug for Chal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chal").field("auth_type", &self.auth_type).finish_non_exhaustive()
    }
}

/// An Item, with the command's Meta where it has none of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Item {
    pub(crate) target: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) mime: Option<String>,
    pub(crate) size: Option<String>,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) more: bool,
}

impl Item {
    /// The value in octets: base64 taken off when the format says so.
    pub(crate) fn value(&self) -> Option<Vec<u8>> {
        let data = self.data.as_deref()?;
        match self.format.as_deref() {
            Some("b64") => auth::from_base64(data),
            _ => Some(data.to_vec()),
        }
    }
}

/// Takes a message out of its tree.
///
/// # Errors
/// When SyncHdr or SyncBody is missing, or a value that has to be text is none.
pub(crate) fn read(root: &Element) -> Result<Message, String> {
    let header = root.child(SYNCML, "SyncHdr").ok_or("message without SyncHdr")?;
    let body = root.child(SYNCML, "SyncBody").ok_or("message without SyncBody")?;
    let mut message = Message { header: read_header(header)?, ..Message::default() };
    for child in body.children() {
        match child.name {
            "Final" => message.is_final = true,
            _ => message.commands.push(read_command(child)?),
        }
    }
    Ok(message)
}

fn read_header(header: &Element) -> Result<Header, String> {
    let source = header.child(SYNCML, "Source");
    Ok(Header {
        ver_dtd: text_of(header, "VerDTD")?,
        ver_proto: text_of(header, "VerProto")?,
        session_id: text_of(header, "SessionID")?,
        msg_id: text_of(header, "MsgID")?,
        target: location(header, "Target")?.unwrap_or_default(),
        source: location(header, "Source")?.unwrap_or_default(),
        source_name: source.map_or(Ok(None), |source| optional_text(source, SYNCML, "LocName"))?,
        cred: header.child(SYNCML, "Cred").map(read_cred).transpose()?,
    })
}

fn read_cred(cred: &Element) -> Result<Cred, String> {
    let meta = Meta::of(cred)?;
    Ok(Cred {
        auth_type: meta.mime.unwrap_or_default(),
        format: meta.format.unwrap_or_default(),
        data: text_of(cred, "Data")?,
    })
}

fn read_command(command: &Element) -> Result<Command, String> {
    let meta = Meta::of(command)?;
    let items = command.children().filter(|child| child.name == "Item");
    Ok(Command {
        name: command.name,
        cmd_id: text_of(command, "CmdID")?,
        msg_ref: optional_text(command, SYNCML, "MsgRef")?,
        cmd_ref: text_of(command, "CmdRef")?,
        answered: text_of(command, "Cmd")?,
        target_refs: texts(command, "TargetRef")?,
        source_refs: texts(command, "SourceRef")?,
        code: text_of(command, "Data")?,
        correlator: optional_text(command, SYNCML, "Correlator")?,
        has_cred: command.child(SYNCML, "Cred").is_some(),
        chal: command.child(SYNCML, "Chal").map(read_chal).transpose()?,
        items: items.map(|item| read_item(item, &meta)).collect::<Result<_, _>>()?,
    })
}

fn read_chal(chal: &Element) -> Result<Chal, String> {
    let meta = Meta::of(chal)?;
    Ok(Chal {
        auth_type: meta.mime.unwrap_or_default(),
        format: meta.format.unwrap_or_default(),
        next_nonce: meta.next_nonce.and_then(|nonce| auth::from_base64(nonce.as_bytes())),
    })
}

fn read_item(item: &Element, outer: &Meta) -> Result<Item, String> {
    let meta = Meta::of(item)?;
    Ok(Item {
        target: location(item, "Target")?,
        source: location(item, "Source")?,
        format: meta.format.or_else(|| outer.format.clone()),
        mime: meta.mime.or_else(|| outer.mime.clone()),
        size: meta.size.or_else(|| outer.size.clone()),
        data: item.child(SYNCML, "Data").map(Element::value),
        more: item.child(SYNCML, "MoreData").is_some(),
    })
}

/// The children of Meta that a DM server reads.
#[derive(Default)]
struct Meta {
    format: Option<String>,
    mime: Option<String>,
    size: Option<String>,
    next_nonce: Option<String>,
}

impl Meta {
    /// The Meta child of an element, its values directly in it or inside MetInf.
    fn of(element: &Element) -> Result<Self, String> {
        let Some(meta) = element.child(SYNCML, "Meta") else { return Ok(Self::default()) };
        let meta = meta.child(METINF, "MetInf").unwrap_or(meta);
        Ok(Self {
            format: optional_text(meta, METINF, "Format")?,
            mime: optional_text(meta, METINF, "Type")?,
            size: optional_text(meta, METINF, "Size")?,
            next_nonce: optional_text(meta, METINF, "NextNonce")?,
        })
    }
}

fn location(parent: &Element, name: &str) -> Result<Option<String>, String> {
    parent.child(SYNCML, name).map_or(Ok(None), |found| optional_text(found, SYNCML, "LocURI"))
}

fn optional_text(parent: &Element, page: u8, name: &str) -> Result<Option<String>, String> {
    let Some(child) = parent.child(page, name) else { return Ok(None) };
    String::from_utf8(child.value()).map(Some).map_err(|_| format!("{name} is no text"))
}

/// The texts of all children of this name.
fn texts(parent: &Element, name: &str) -> Result<Vec<String>, String> {
    let found = parent.children().filter(|child| child.page == SYNCML && child.name == name);
    let found = found.map(|child| String::from_utf8(child.value()));
    found.collect::<Result<_, _>>().map_err(|_| format!("{name} is no text"))
}

fn text_of(parent: &Element, name: &str) -> Result<String, String> {
    Ok(optional_text(parent, SYNCML, name)?.unwrap_or_default())
}
