//! `dmsc tree dump`: a subtree as people read it.

use super::StoreArguments;
use crate::output::{Output, hex, printable};
use crate::store;
use clap::Args;
use dmsc::error::Result;
use dmsc::tree::{Actor, Answer, Filter, Format, Path, Query, Refusal, Uri, tnds};
use serde_json::{Map, Value, json};

#[derive(Debug, Args)]
pub(crate) struct DumpArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The topmost node to print
    #[arg(default_value = ".")]
    uri: String,
    /// Print a TNDS document
    #[arg(long, conflicts_with = "json")]
    tnds: bool,
}

pub(super) fn dump(arguments: &DumpArguments, output: &Output) -> Result<()> {
    let db = store::existing(&arguments.at.store)?;
    let view = db.read()?;
    let query = Query::new(&view, Actor::Host);
    let top = Path::parse(&arguments.uri)?;
    if arguments.tnds {
        let mut document = tnds::write(&query.export(&top, Filter::ALL)?, false)?;
        document.push(b'\n');
        output.write(&document);
        return Ok(());
    }
    let nodes = nodes(&query, top.clone())?;
    output.show(
        || nodes.iter().map(|node| node.line(&top)).collect::<Vec<_>>().join("\n"),
        || json!({ "uri": top.to_string(), "nodes": nodes.iter().map(Shown::json).collect::<Vec<_>>() }),
    );
    Ok(())
}

/// A node as it is shown.
struct Shown {
    path: Path,
    format: Format,
    mime: String,
    size: u32,
    content: Content,
}

enum Content {
    Interior,
    Text(String),
    Binary(Vec<u8>),
    Secret,
}

/// The nodes at and below `top`, parents first, children in order of their names.
fn nodes(query: &Query<'_>, top: Path) -> Result<Vec<Shown>> {
    let mut shown = Vec::new();
    let mut left = vec![top];
    while let Some(path) = left.pop() {
        let node = query.node(&path)?.ok_or(Refusal::NotFound)?;
        let content = if node.format.is_interior() {
            left.extend(query.children(&path)?.into_iter().rev());
            Content::Interior
        } else {
            leaf(query, &path, node.format)?
        };
        shown.push(Shown { path, format: node.format, mime: node.mime, size: node.size, content });
    }
    Ok(shown)
}

fn leaf(query: &Query<'_>, path: &Path, format: Format) -> Result<Content> {
    let value = match query.get(&Uri::from(path.clone())) {
        Ok(Answer::Leaf { value, .. }) => value,
        // The host may read every leaf but passwords and nonces.
        Ok(_) | Err(Refusal::NotAllowed) => return Ok(Content::Secret),
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(match String::from_utf8(value) {
        Ok(text) if format != Format::Bin => Content::Text(text),
        Ok(text) => Content::Binary(text.into_bytes()),
        Err(error) => Content::Binary(error.into_bytes()),
    })
}

impl Shown {
    fn line(&self, top: &Path) -> String {
        let indent = "  ".repeat(self.path.names().count() - top.names().count());
        let name = if self.path == *top {
            printable(&self.path.to_string())
        } else {
            printable(&dmsc::tree::escape(self.path.name()))
        };
        match &self.content {
            Content::Interior => format!("{indent}{name}/"),
            Content::Text(text) => format!("{indent}{name} = {}", printable(text)),
            Content::Binary(octets) => format!("{indent}{name} = hex {}", hex(octets)),
            Content::Secret => format!("{indent}{name} ({} octets, not shown)", self.size),
        }
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("uri".into(), json!(self.path.to_string()));
        object.insert("format".into(), json!(self.format.name()));
        object.insert("type".into(), json!(self.mime));
        let content = match &self.content {
            Content::Interior => None,
            Content::Text(text) => Some(("value", json!(text))),
            Content::Binary(octets) => Some(("hex", json!(hex(octets)))),
            Content::Secret => Some(("secret", json!(true))),
        };
        if let Some((name, value)) = content {
            object.insert("size".into(), json!(self.size));
            object.insert(name.into(), value);
        }
        Value::Object(object)
    }
}
