//! `dmsc tree get`, `list` and `export`: reading.

use super::StoreArguments;
use crate::output::{Output, hex, printable};
use crate::store;
use clap::Args;
use dmsc::bootstrap;
use dmsc::error::{Code, Error, Result};
use dmsc::tree::{Actor, Answer, Filter, Node, Origin, Path, Query, Refusal, Uri, escape, tnds};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The node, for example ./DevInfo/DevId or ./DMAcc?prop=ACL
    uri: String,
    /// Print the value's octets as they are, nothing else
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The node
    #[arg(default_value = ".")]
    uri: String,
    /// All nodes below, not only the next ones
    #[arg(short, long)]
    recursive: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The topmost node
    uri: String,
    /// Write WBXML instead of XML
    #[arg(long)]
    wbxml: bool,
    /// Write the access control list that counts for the topmost node at it, also if it is inherited
    #[arg(long)]
    inherited: bool,
    /// Write to this file [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn get(arguments: &GetArguments, output: &Output) -> Result<()> {
    let db = store::existing(&arguments.at.store)?;
    let view = db.read()?;
    let uri = Uri::parse(&arguments.uri)?;
    let answer = Query::new(&view, Actor::Host).get(&uri)?;
    if arguments.raw {
        match &answer {
            Answer::Leaf { value, .. } => output.write(value),
            Answer::Property(text) => output.write(text.as_bytes()),
            _ => {
                let text = format!("{}: only leaves and properties have octets", arguments.uri);
                return Err(Error::new(Code::NodeNotAllowed, text));
            }
        }
        return Ok(());
    }
    let mut object = Map::new();
    object.insert("uri".into(), json!(arguments.uri));
    let text = match answer {
        Answer::Leaf { format, mime, value } => {
            object.insert("format".into(), json!(format.name()));
            object.insert("type".into(), json!(mime));
            match String::from_utf8(value) {
                Ok(text) => {
                    object.insert("value".into(), json!(text));
                    printable(&text)
                }
                Err(octets) => {
                    object.insert("hex".into(), json!(hex(octets.as_bytes())));
                    format!("hex {}", hex(octets.as_bytes()))
                }
            }
        }
        Answer::Property(text) => {
            object.insert("value".into(), json!(text));
            printable(&text)
        }
        Answer::Children(names) => {
            object.insert("children".into(), json!(names));
            names.iter().map(|name| printable(name)).collect::<Vec<_>>().join("\n")
        }
        Answer::Nodes(_) | Answer::Tnds(_) => {
            let text = format!("{}: see `dmsc tree list` and `export`", arguments.uri);
            return Err(Error::new(Code::NotSupported, text));
        }
    };
    output.show(|| text, || Value::Object(object));
    Ok(())
}

pub(super) fn list(arguments: &ListArguments, output: &Output) -> Result<()> {
    let db = store::existing(&arguments.at.store)?;
    let view = db.read()?;
    let query = Query::new(&view, Actor::Host);
    let top = Path::parse(&arguments.uri)?;
    query.node(&top)?.ok_or(Refusal::NotFound)?;
    let mut left: Vec<Path> = children(&query, &top)?;
    while let Some(path) = left.pop() {
        let node = query.node(&path)?.ok_or(Refusal::NotFound)?;
        if arguments.recursive && node.format.is_interior() {
            left.extend(children(&query, &path)?);
        }
        let object = bootstrap::object_of(&view, &path)?;
        output
            .show(|| line(&path, &top, &node, object.as_deref()), || shown(&path, &node, &object));
    }
    Ok(())
}

/// The children that the host may see, the first one last.
fn children(query: &Query<'_>, path: &Path) -> Result<Vec<Path>> {
    match query.children(path) {
        Ok(children) => Ok(children.into_iter().rev().collect()),
        // Nothing of the Inbox can be read.
        Err(Refusal::NotAllowed) => Ok(Vec::new()),
        Err(refusal) => Err(refusal.into()),
    }
}

fn line(path: &Path, top: &Path, node: &Node, object: Option<&str>) -> String {
    let names: Vec<String> =
        path.names().skip(top.names().count()).map(|name| printable(&escape(name))).collect();
    let slash = if node.format.is_interior() { "/" } else { "" };
    let from = origin(&node.origin, object);
    format!("{}{slash}  {}  {}  {from}", names.join("/"), node.format.name(), node.size)
}

/// Who brought a node, in words.
pub(super) fn origin(origin: &Origin, object: Option<&str>) -> String {
    match origin {
        Origin::Host => "host".to_owned(),
        Origin::Factory => "factory".to_owned(),
        Origin::Bootstrap => "push".to_owned(),
        Origin::Card { slot, iccid_hash } => {
            let object = object.map(|path| format!(" object {path}")).unwrap_or_default();
            format!("card {} in slot {slot}{object}", hex(iccid_hash))
        }
        Origin::Server(server) => format!("server {}", printable(server)),
    }
}

fn shown(path: &Path, node: &Node, object: &Option<String>) -> Value {
    let mut shown = json!({
        "uri": path.to_string(),
        "format": node.format.name(),
        "type": node.mime,
        "size": node.size,
        "tstamp": node.tstamp,
        "version": node.ver_no,
        "acl": node.acl.to_string(),
        "origin": origin_json(&node.origin),
    });
    if let Some(object) = object {
        shown["origin"]["object"] = json!(object);
    }
    shown
}

/// As [`origin`], without the card's object.
pub(super) fn origin_json(origin: &Origin) -> Value {
    match origin {
        Origin::Host => json!({ "by": "host" }),
        Origin::Factory => json!({ "by": "factory" }),
        Origin::Bootstrap => json!({ "by": "push" }),
        Origin::Card { slot, iccid_hash } => {
            json!({ "by": "card", "slot": slot, "card": hex(iccid_hash) })
        }
        Origin::Server(server) => json!({ "by": "server", "server": server }),
    }
}

pub(super) fn export(arguments: &ExportArguments, output: &Output) -> Result<()> {
    let db = store::existing(&arguments.at.store)?;
    let view = db.read()?;
    let (query, path) = (Query::new(&view, Actor::Host), Path::parse(&arguments.uri)?);
    let document = match arguments.inherited {
        true => query.export_whole(&path)?,
        false => query.export(&path, Filter::ALL)?,
    };
    let mut octets = tnds::write(&document, arguments.wbxml)?;
    if !arguments.wbxml {
        octets.push(b'\n');
    }
    match &arguments.out {
        None => output.write(&octets),
        Some(file) => fs::write(file, &octets)
            .map_err(|error| Error::new(Code::Io, format!("{}: {error}", file.display())))?,
    }
    Ok(())
}
