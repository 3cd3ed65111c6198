//! `dmsc tree watch`: what other programs change in a store.
//!
//! One process at a time has a store open. So this one looks, closes it, and looks again when the file has
//! changed; while somebody else has it open it waits. It sees what has been committed between two looks,
//! not each commit.

use super::StoreArguments;
use super::show::{origin, origin_json};
use crate::output::{Output, printable};
use crate::store;
use clap::Args;
use dmsc::error::{Code, Result};
use dmsc::store::redb::FILE_NAME;
use dmsc::tree::{Actor, Answer, Node, Origin, Path, Query, Uri};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    #[command(flatten)]
    at: StoreArguments,
    /// The topmost node to watch
    #[arg(default_value = ".")]
    uri: String,
    /// Milliseconds between two looks
    #[arg(long, value_name = "MS", default_value = "500")]
    every: NonZeroU32,
    /// End after so many changes [default: never]
    #[arg(long, value_name = "N")]
    changes: Option<usize>,
    /// End after so many seconds [default: never]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
}

/// What a node is like, as far as a change of it can be told.
#[derive(Clone, PartialEq, Eq)]
struct Mark {
    ver_no: u16,
    tstamp: i64,
    acl: String,
    value: u64,
    origin: Origin,
}

type Marks = BTreeMap<Path, Mark>;

/// When the store's file was written last, and its length.
type Stamp = Option<(SystemTime, u64)>;

pub(super) fn watch(arguments: &WatchArguments, output: &Output) -> Result<()> {
    let top = Path::parse(&arguments.uri)?;
    let until = arguments
        .timeout
        .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds.into())));
    let mut known: Option<Marks> = None;
    let (mut seen, mut stamp, mut told_busy) = (0, None, false);
    loop {
        if known.is_none() || file(arguments) != stamp {
            match look(arguments, &top) {
                Ok(marks) => {
                    let ready = known.is_none();
                    seen +=
                        known.replace(marks.clone()).map_or(0, |old| tell(&old, &marks, output));
                    if ready {
                        output.show(|| "watching".to_owned(), || json!({ "event": "watching" }));
                    }
                    // Looking may have written to the file too.
                    stamp = file(arguments);
                    told_busy = false;
                }
                Err(error) if error.code() == Code::Busy => {
                    if !std::mem::replace(&mut told_busy, true) {
                        eprintln!("dmsc: another program has the store open: waiting for its end");
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let over = until.is_some_and(|until| until <= Instant::now());
        if over || arguments.changes.is_some_and(|wanted| seen >= wanted) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(arguments.every.get().into()));
    }
}

fn file(arguments: &WatchArguments) -> Stamp {
    let metadata = arguments.at.store.join(FILE_NAME).metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The nodes at and below `top`; none if that is not there.
fn look(arguments: &WatchArguments, top: &Path) -> Result<Marks> {
    let db = store::existing(&arguments.at.store)?;
    let view = db.read()?;
    let query = Query::new(&view, Actor::Host).with_secrets();
    let mut marks = Marks::new();
    let mut left = vec![top.clone()];
    while let Some(path) = left.pop() {
        let Some(node) = query.node(&path)? else { continue };
        if node.format.is_interior() {
            // Nothing of the Inbox can be read, and nothing stays in it.
            left.extend(query.children(&path).unwrap_or_default());
        }
        let mark = mark(&query, &path, node)?;
        marks.insert(path, mark);
    }
    Ok(marks)
}

fn mark(query: &Query<'_>, path: &Path, node: Node) -> Result<Mark> {
    let mut hasher = DefaultHasher::new();
    (&node.mime, &node.title, node.format as u8).hash(&mut hasher);
    if !node.format.is_interior()
        && let Answer::Leaf { value, .. } = query.get(&Uri::from(path.clone()))?
    {
        value.hash(&mut hasher);
    }
    let Node { ver_no, tstamp, acl, origin, .. } = node;
    Ok(Mark { ver_no, tstamp, acl: acl.to_string(), value: hasher.finish(), origin })
}

/// Prints the differences; how many there are.
fn tell(old: &Marks, new: &Marks, output: &Output) -> usize {
    let gone = old.iter().filter(|(path, _)| !new.contains_key(*path));
    let gone = gone.map(|(path, mark)| ("deleted", path, mark));
    let there = new.iter().filter_map(|(path, mark)| match old.get(path) {
        None => Some(("added", path, mark)),
        Some(before) if before != mark => Some(("changed", path, mark)),
        Some(_) => None,
    });
    let changes: Vec<_> = gone.chain(there).collect();
    for (kind, path, mark) in &changes {
        output.show(|| line(kind, path, mark), || shown(kind, path, mark));
    }
    changes.len()
}

fn line(kind: &str, path: &Path, mark: &Mark) -> String {
    format!("{kind} {}  {}", printable(&path.to_string()), origin(&mark.origin, None))
}

fn shown(kind: &str, path: &Path, mark: &Mark) -> Value {
    json!({
        "event": "change",
        "kind": kind,
        "uri": path.to_string(),
        "version": mark.ver_no,
        "origin": origin_json(&mark.origin),
    })
}
