//! The DM profile: a DM message that is applied without an answer (OMA DM Bootstrap 1.2, 5.4.3).

use crate::bytes::base64;
use crate::error::{Code, Error, Result};
use crate::syncml::model::{Action, Command, Data, DataForm, Item, Verb};
use crate::syncml::{self, Encoding};
use crate::tree::dmacc;
use crate::tree::import::{self, Placed};
use crate::tree::tnds::{self, Document};
use crate::tree::{Content, Format, NewNode, Origin, Tree, Uri};
use std::borrow::Cow;

/// Applies the document in the name of `origin`, whose other documents hold the roots `taken`; what it
/// created.
///
/// Fails with `BootstrapFormat` for a document that is no WBXML DM message or brings nothing, with
/// `BootstrapRefused` if it would take an account over that came from elsewhere, and with the tree's
/// error. The caller rolls back.
pub(super) fn apply(
    tree: &mut Tree<'_>,
    document: &[u8],
    origin: &Origin,
    taken: &[&str],
) -> Result<Vec<Placed>> {
    let malformed = |error: Error| error.with_code(Code::BootstrapFormat);
    let (message, encoding) =
        syncml::read_with(document, true).map_err(|fault| malformed(fault.into()))?;
    if encoding != Encoding::Wbxml {
        return Err(Error::new(Code::BootstrapFormat, "the document is not WBXML"));
    }
    let mut placed = Vec::new();
    for command in &message.commands {
        // What does not set up the device is passed over: nobody waits for a Status.
        let Command::Action(action) = command else { continue };
        if matches!(action.verb, Verb::Add | Verb::Replace) {
            for item in &action.items {
                placed.extend(apply_item(tree, action, item, (origin, taken))?);
            }
        }
    }
    if placed.is_empty() {
        return Err(Error::new(Code::BootstrapFormat, "the document brings nothing usable"));
    }
    Ok(placed)
}

fn apply_item(
    tree: &mut Tree<'_>,
    action: &Action<'_>,
    item: &Item<'_>,
    owner: (&Origin, &[&str]),
) -> Result<Vec<Placed>> {
    let incomplete =
        |what| Error::new(Code::BootstrapFormat, format!("{}: {what}", action.verb.name()));
    let target = item.target.as_ref().ok_or_else(|| incomplete("an item without Target"))?;
    let uri = Uri::parse(&target.uri)?;
    let mime = item.meta.mime.as_deref().or(action.meta().mime.as_deref());
    let format = item.meta.format.as_deref().or(action.meta().format.as_deref());
    match &item.data {
        Some(data) if is_tnds(data, mime) => {
            let octets = decoded(data, format)?;
            let document = tnds::read_embedded(&octets, mime)
                .map_err(|fault| Error::from(fault).with_code(Code::BootstrapFormat))?;
            check_accounts(tree, &document, owner)?;
            Ok(tree.import_add(&uri, &document)?.placed)
        }
        data => {
            let octets = data.as_ref().map(|data| decoded(data, format)).transpose()?;
            let format = format.map(Format::parse).transpose()?;
            let format = if format == Some(Format::B64) { Some(Format::Bin) } else { format };
            let content = Content { format, mime, value: octets.as_deref() };
            tree.add(&uri, &NewNode { content, ..NewNode::default() })?;
            Ok(vec![Placed { uri: uri.path.to_string(), mo: String::new(), replaced: false }])
        }
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

/// An account of another origin must not be taken over, nor that of a document which the card ranks
/// higher: the first to bring a server keeps it.
fn check_accounts(
    tree: &Tree<'_>,
    document: &Document<'_>,
    (origin, taken): (&Origin, &[&str]),
) -> Result<()> {
    for server_id in import::server_ids(document) {
        let Some(account) = dmacc::find(tree.reader(), &server_id)? else { continue };
        let from = match () {
            () if account.origin != *origin => "that is not from this card",
            () if taken.contains(&account.root_uri.as_str()) => "from another object of this card",
            () => continue,
        };
        let text = format!("server {server_id} has an account {from}");
        return Err(Error::new(Code::BootstrapRefused, text));
    }
    Ok(())
}
