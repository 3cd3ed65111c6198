//! `dmsc tree set`, `delete`, `import` and `acl`: changing a store as its host.

use super::StoreArguments;
use crate::decode::input;
use crate::failure::Failure;
use crate::output::{Output, printable};
use crate::store;
use clap::Args;
use dmsc::client::Environment;
use dmsc::error::{Code, Error, Result};
use dmsc::tree::{
    Actor, Content, Format, NewNode, Part, Path, Property, Query, Refusal, Tree, Uri, tnds,
};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct SetArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The leaf; interior nodes above it are made
    uri: String,
    /// The value [default: an interior node with --format node, else nothing]
    value: Option<String>,
    /// Format [default: as the leaf has it; a new leaf is chr]
    #[arg(long)]
    format: Option<String>,
    /// MIME type of a leaf, identifier of an interior node [default: as it is]
    #[arg(long = "type", value_name = "TYPE")]
    mime: Option<String>,
    /// The value is in hexadecimal
    #[arg(long, conflicts_with = "file")]
    hex: bool,
    /// The value is the content of this file
    #[arg(long, value_name = "FILE", conflicts_with = "value")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The node
    uri: String,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The node to add below; ./Inbox places objects by their identifiers
    uri: String,
    /// The document, binary, XML or in hexadecimal
    file: PathBuf,
    /// Make the node itself what the document says: nodes that it does not hold are removed
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AclArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The node
    uri: String,
    /// The new list, for example "Get=*&Replace=com.example"; "" inherits
    acl: Option<String>,
    /// Print the list that counts for the node, from a node above if need be
    #[arg(long, conflicts_with = "acl")]
    effective: bool,
}

/// Runs `work` on the store's tree and commits it.
fn change(at: &StoreArguments, work: impl FnOnce(&mut Tree<'_>) -> Result<()>) -> Result<()> {
    let db = store::existing(&at.store)?;
    let mut txn = db.begin()?;
    let now = (Environment::system().clock)();
    work(&mut Tree::new(&mut txn, Actor::Host, now))?;
    txn.commit().map(drop)
}

pub(super) fn set(arguments: &SetArguments) -> Result<()> {
    let uri = Uri::parse(&arguments.uri)?;
    let format = arguments.format.as_deref().map(Format::parse).transpose()?;
    let value = match (&arguments.value, &arguments.file) {
        (Some(digits), _) if arguments.hex => {
            Some(dmsc::bytes::hex::decode(digits).map_err(|_| {
                Error::new(Code::InvalidArg, "the value is no pairs of hexadecimal digits")
            })?)
        }
        (Some(text), _) => Some(text.clone().into_bytes()),
        (None, Some(file)) => Some(read(file)?),
        (None, None) => None,
    };
    let is_interior = format == Some(Format::Node);
    let value = if is_interior { value } else { Some(value.unwrap_or_default()) };
    let content = Content { format, mime: arguments.mime.as_deref(), value: value.as_deref() };
    change(&arguments.at, |tree| {
        let exists = uri.part != Part::Node || tree.query().exists(&uri.path)?;
        match exists {
            true => tree.replace(&uri, &content)?,
            false => tree.add(&uri, &NewNode { content, ..NewNode::default() })?,
        }
        Ok(())
    })
}

pub(super) fn delete(arguments: &DeleteArguments) -> Result<()> {
    let uri = Uri::parse(&arguments.uri)?;
    change(&arguments.at, |tree| {
        let node = tree.query().node(&uri.path)?.ok_or(Refusal::NotFound)?;
        if node.permanent {
            return Err(Refusal::NotAllowed.into());
        }
        Ok(tree.delete(&uri)?)
    })
}

fn read(file: &std::path::Path) -> Result<Vec<u8>> {
    fs::read(file)
        .map_err(|error| Error::new(Code::InvalidArg, format!("{}: {error}", file.display())))
}

pub(super) fn import(arguments: &ImportArguments) -> std::result::Result<(), Failure> {
    let raw = read(&arguments.file)?;
    let octets = input::octets(&raw)?;
    let document = tnds::read(&octets).map_err(Error::from)?;
    let uri = Uri::parse(&arguments.uri).map_err(Error::from)?;
    change(&arguments.at, |tree| {
        match arguments.replace {
            true => tree.import_replace(&uri, &document)?,
            false => tree.import_add(&uri, &document)?,
        };
        Ok(())
    })?;
    Ok(())
}

pub(super) fn acl(arguments: &AclArguments, output: &Output) -> Result<()> {
    let path = Path::parse(&arguments.uri)?;
    if let Some(acl) = &arguments.acl {
        let uri = Uri { path, part: Part::Property(Property::Acl) };
        let content = Content { value: Some(acl.as_bytes()), ..Content::default() };
        return change(&arguments.at, |tree| Ok(tree.replace(&uri, &content)?));
    }
    let db = store::existing(&arguments.at.store)?;
    let view = db.read()?;
    let query = Query::new(&view, Actor::Host);
    let acl = match arguments.effective {
        true => query.effective_acl(&path)?.to_string(),
        false => query.property(&path, Property::Acl)?,
    };
    let shown = json!({ "uri": path.to_string(), "acl": acl, "effective": arguments.effective });
    output.show(|| printable(&acl), || shown);
    Ok(())
}
