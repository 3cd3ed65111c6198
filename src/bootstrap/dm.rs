//! The DM profile: a DM message that is applied without an answer (OMA DM Bootstrap 1.2, 5.4.3).

use crate::bytes::base64;
use crate::error::{Code, Error, Result};
use crate::syncml::model::{Action, Command, Data, DataForm, Item, Message, Verb};
use crate::syncml::{self, Encoding};
use crate::tree::dmacc;
use crate::tree::import::{self, Placed};
use crate::tree::tnds::{self, Document, TndsNode};
use crate::tree::{Content, Format, NewNode, Origin, Tree, Uri};
use std::borrow::Cow;

/// In whose name a document is applied.
pub(super) struct Owner<'o> {
    pub(super) origin: &'o Origin,
    /// Roots of its other documents, which count more.
    pub(super) taken: &'o [String],
    /// An account of the same origin may be replaced.
    pub(super) replace: bool,
}

/// Applies the document; what it created.
///
/// Fails with `BootstrapFormat` for a document that is no WBXML DM message or brings nothing, with
/// `BootstrapRefused` if it would take an account over that came from elsewhere, and with the tree's
/// error. The caller rolls back.
pub(super) fn apply(
    tree: &mut Tree<'_>,
    document: &[u8],
    owner: &Owner<'_>,
) -> Result<Vec<Placed>> {
    let message = read(document)?;
    let mut placed = Vec::new();
    let mut legacy = LegacyAccounts::default();
    for (action, item) in items(&message) {
        if !legacy.takes(action, item)? {
            placed.extend(apply_item(tree, action, item, owner)?);
        }
    }
    if let Some(document) = legacy.finish() {
        placed.extend(import(tree, &inbox()?, &document, owner)?);
    }
    if placed.is_empty() {
        return Err(Error::new(Code::BootstrapFormat, "the document brings nothing usable"));
    }
    Ok(placed)
}

/// Servers whose accounts the document brings, without applying it. Fails with `BootstrapFormat`.
pub(super) fn servers(document: &[u8]) -> Result<Vec<String>> {
    let message = read(document)?;
    let mut servers = Vec::new();
    for (action, item) in items(&message) {
        if let Some((octets, mime)) = tnds_of(action, item)? {
            servers.extend(import::server_ids(&read_tnds(&octets, mime)?));
        }
    }
    Ok(servers)
}

/// The message in a file which its issuer has begun with the length, in two octets; the file itself where
/// it begins with the message, as it should.
pub(super) fn without_length(file: &[u8]) -> &[u8] {
    let Some((length, rest)) = file.split_first_chunk::<2>() else { return file };
    let length = usize::from(u16::from_be_bytes(*length));
    let unpadded = rest.iter().rposition(|octet| !matches!(octet, 0x00 | 0xFF));
    let is_length = length == rest.len() || Some(length) == unpadded.map(|last| last + 1);
    match rest.get(..length) {
        Some(message) if is_length && syncml::read_with(file, true).is_err() => {
            log::info!("bootstrap: the file begins with a length, which it should not");
            message
        }
        _ => file,
    }
}

fn read(document: &[u8]) -> Result<Message<'_>> {
    let (message, encoding) = syncml::read_with(document, true)
        .map_err(|fault| Error::from(fault).with_code(Code::BootstrapFormat))?;
    if encoding != Encoding::Wbxml {
        return Err(Error::new(Code::BootstrapFormat, "the document is not WBXML"));
    }
    Ok(message)
}

/// What sets up the device. The rest is passed over: nobody waits for a Status.
fn items<'m, 'd>(message: &'m Message<'d>) -> impl Iterator<Item = (&'m Action<'d>, &'m Item<'d>)> {
    let actions = message.commands.iter().filter_map(|command| match command {
        Command::Action(action) if matches!(action.verb, Verb::Add | Verb::Replace) => Some(action),
        _ => None,
    });
    actions.flat_map(|action| action.items.iter().map(move |item| (action, item)))
}

fn inbox() -> Result<Uri> {
    Ok(Uri::parse("./Inbox")?)
}

/// The TNDS object that an item brings, with its type.
#[allow(clippy::type_complexity)]
fn tnds_of<'i>(
    action: &'i Action<'_>,
    item: &'i Item<'_>,
) -> Result<Option<(Cow<'i, [u8]>, Option<&'i str>)>> {
    let mime = item.meta.mime.as_deref().or(action.meta().mime.as_deref());
    let format = item.meta.format.as_deref().or(action.meta().format.as_deref());
    match &item.data {
        Some(data) if is_tnds(data, mime) => Ok(Some((decoded(data, format)?, mime))),
        _ => Ok(None),
    }
}

fn read_tnds<'o>(octets: &'o [u8], mime: Option<&str>) -> Result<Document<'o>> {
    tnds::read_embedded(octets, mime)
        .map_err(|fault| Error::from(fault).with_code(Code::BootstrapFormat))
}

fn apply_item(
    tree: &mut Tree<'_>,
    action: &Action<'_>,
    item: &Item<'_>,
    owner: &Owner<'_>,
) -> Result<Vec<Placed>> {
    let incomplete =
        |what| Error::new(Code::BootstrapFormat, format!("{}: {what}", action.verb.name()));
    let target = item.target.as_ref().ok_or_else(|| incomplete("an item without Target"))?;
    let uri = Uri::parse(&target.uri)?;
    if let Some((octets, mime)) = tnds_of(action, item)? {
        return import(tree, &uri, &read_tnds(&octets, mime)?, owner);
    }
    let mime = item.meta.mime.as_deref().or(action.meta().mime.as_deref());
    let format = item.meta.format.as_deref().or(action.meta().format.as_deref());
    let octets = item.data.as_ref().map(|data| decoded(data, format)).transpose()?;
    let format = format.map(Format::parse).transpose()?;
    let format = if format == Some(Format::B64) { Some(Format::Bin) } else { format };
    let content = Content { format, mime, value: octets.as_deref() };
    tree.add(&uri, &NewNode { content, ..NewNode::default() })?;
    Ok(vec![Placed { uri: uri.path.to_string(), mo: String::new(), replaced: false }])
}

/// Imports a TNDS object in the owner's name.
pub(super) fn import(
    tree: &mut Tree<'_>,
    target: &Uri,
    document: &Document<'_>,
    owner: &Owner<'_>,
) -> Result<Vec<Placed>> {
    check_accounts(tree, document, owner)?;
    Ok(tree.import_add(target, document)?.placed)
}

/// Accounts that a message brings leaf by leaf in the layout of DM 1.1.2, below `./SyncML/DMAcc/<x>`.
#[derive(Default)]
struct LegacyAccounts(Vec<TndsNode<'static>>);

impl LegacyAccounts {
    /// Takes the item if it belongs to such an account.
    fn takes(&mut self, action: &Action<'_>, item: &Item<'_>) -> Result<bool> {
        let Some(target) = &item.target else { return Ok(false) };
        let path = Uri::parse(&target.uri)?.path;
        let names: Vec<&str> = path.names().collect();
        let (account, leaf) = match names[..] {
            ["SyncML"] | ["SyncML", "DMAcc"] => return Ok(true),
            ["SyncML", "DMAcc", account] => (account, None),
            ["SyncML", "DMAcc", account, leaf] => (account, Some(leaf)),
            _ => return Ok(false),
        };
        let format = item.meta.format.as_deref().or(action.meta().format.as_deref());
        let known = self.0.iter().position(|node| node.name.as_deref() == Some(account));
        let at = known.unwrap_or_else(|| {
            self.0.push(TndsNode { name: Some(account.to_owned().into()), ..TndsNode::default() });
            self.0.len() - 1
        });
        if let (Some(leaf), Some(data), Some(node)) = (leaf, &item.data, self.0.get_mut(at)) {
            let value = Some(Cow::Owned(decoded(data, format)?.into_owned()));
            let name = Some(leaf.to_owned().into());
            node.children.push(TndsNode { name, value, ..TndsNode::default() });
        }
        Ok(true)
    }

    fn finish(self) -> Option<Document<'static>> {
        let nodes = self.0;
        (!nodes.is_empty()).then(|| Document { nodes, ..Document::default() })
    }
}

fn is_tnds(data: &Data<'_>, mime: Option<&str>) -> bool {
    data.form == DataForm::Embedded
        || mime.is_some_and(|mime| mime.starts_with("application/vnd.syncml.dmtnds"))
}

/// The octets that Data stands for: base64 text is the wire form of a binary value.
fn decoded<'a>(data: &'a Data<'_>, format: Option<&str>) -> Result<Cow<'a, [u8]>> {
    match (format, data.as_str()) {
        (Some("b64"), Some(text)) => base64::decode(text)
            .map(Cow::Owned)
            .map_err(|error| error.with_code(Code::BootstrapFormat)),
        _ => Ok(Cow::Borrowed(&data.octets)),
    }
}

/// An account of another origin must not be taken over, nor that of a document which counts more: the
/// first to bring a server keeps it.
fn check_accounts(tree: &Tree<'_>, document: &Document<'_>, owner: &Owner<'_>) -> Result<()> {
    for server_id in import::server_ids(document) {
        let Some(account) = dmacc::find(tree.reader(), &server_id)? else { continue };
        let from = match () {
            () if account.origin != *owner.origin => match owner.origin {
                Origin::Card { .. } => "that is not from this card",
                _ => "that is not from this source",
            },
            () if owner.taken.contains(&account.root_uri) => "from another object of this card",
            () if !owner.replace => "already",
            () => continue,
        };
        let text = format!("server {server_id} has an account {from}");
        return Err(Error::new(Code::BootstrapRefused, text));
    }
    Ok(())
}
