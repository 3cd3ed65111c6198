//! Instructions, octets, syncs and heap of the tree and its store, in trees of 100 to 1,000,000 nodes.
//!
//! `cargo bench --bench tree` prints the tables; it needs valgrind and 400 MB below `target/`. Instructions
//! are counted by callgrind inside [`work`] only, as half the difference between three repetitions and one.
//! The trees are made once, outside callgrind.

mod common;

use common::callgrind::{instructions, number, output};
use common::heap::measured;
use dmsc::markup::Encoding;
use dmsc::random::SystemRandom;
use dmsc::store::key_file::KeyFiles;
use dmsc::store::memory::MemoryStore;
use dmsc::store::redb::{FILE_NAME, RedbStore, StorageBackend};
use dmsc::store::{Database, Sealing, Store, View};
use dmsc::time::Now;
use dmsc::tree::tnds::{self, Document};
use dmsc::tree::{Actor, Content, DeviceInfo, Filter, Path, Query, SecretUris, Tree, Uri, install};
use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

const NOW: Now = Now { mono_ms: 0, unix_s: 1_700_000_000 };
const SERVER: &str = "com.example.dm";
/// Nodes of the trees that are compared.
const SIZES: [u64; 3] = [100, 10_000, 1_000_000];
/// Nodes of the tree that is opened.
const OPENED: u64 = 100_000;
/// Reads of different leaves in one repetition.
const READS: u64 = 100;
/// Nodes that a commit adds while a tree is made.
const BATCH: u64 = 20_000;

type Done<T = ()> = Result<T, String>;

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// A file with counters, locked like that of redb's own backend.
#[derive(Clone, Debug)]
struct Counted(Arc<File>);

static WRITTEN: AtomicU64 = AtomicU64::new(0);
static READ: AtomicU64 = AtomicU64::new(0);
static SYNCS: AtomicU64 = AtomicU64::new(0);

impl StorageBackend for Counted {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        READ.fetch_add(out.len() as u64, Relaxed);
        self.0.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        SYNCS.fetch_add(1, Relaxed);
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        WRITTEN.fetch_add(data.len() as u64, Relaxed);
        self.0.write_all_at(data, offset)
    }
}

/// Where the tree of this many nodes is.
fn directory(nodes: u64) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    target.join(format!("bench-tree-{nodes}"))
}

fn sealed(store: Arc<dyn Store>, nodes: u64) -> Done<Database> {
    let keys = Arc::new(KeyFiles::new(&directory(nodes)));
    let secrecy = Box::new(SecretUris::built_in().map_err(text)?);
    Database::open(store, Sealing { keys, secrecy, random: Box::new(SystemRandom) }).map_err(text)
}

/// The tree of this many nodes, with counters.
fn counted(nodes: u64) -> Done<Database> {
    let path = directory(nodes).join(FILE_NAME);
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(text)?;
    file.try_lock().map_err(text)?;
    let file = Counted(Arc::new(file));
    sealed(Arc::new(RedbStore::with_backend(move || file.clone()).map_err(text)?), nodes)
}

/// Names at each of the three steps from `./T` to a leaf.
fn width(nodes: u64) -> u64 {
    ((nodes as f64).cbrt().ceil() as u64).max(2)
}

fn leaf(nodes: u64, number: u64) -> Done<Uri> {
    let wide = width(nodes);
    uri(&format!("./T/{}/{}/n{}", number / (wide * wide), number / wide % wide, number % wide))
}

fn uri(at: &str) -> Done<Uri> {
    Uri::parse(at).map_err(text)
}

fn furnish(database: &Database) -> Done {
    let mut txn = database.begin().map_err(text)?;
    install(&mut txn, &DeviceInfo { dev_id: "bench", ..DeviceInfo::default() }, NOW)
        .map_err(text)?;
    txn.commit().map(drop).map_err(text)
}

/// Adds leaves with the nodes above them up to this many nodes; the number of leaves.
fn grow(database: &Database, nodes: u64) -> Done<u64> {
    let wide = width(nodes);
    // The standard objects are there, and the deep node with those above it.
    let (mut there, mut leaves) = (61, 0);
    while there < nodes {
        let mut txn = database.begin().map_err(text)?;
        let end = (there + BATCH).min(nodes);
        while there < end {
            let value = format!("value {leaves}");
            let mut tree = Tree::new(&mut txn, Actor::Host, NOW);
            tree.add(&leaf(nodes, leaves)?, &Content::text(&value).into()).map_err(text)?;
            let new = |every: u64| u64::from(leaves % every == 0);
            there += 1 + new(wide) + new(wide * wide);
            leaves += 1;
        }
        txn.commit().map_err(text)?;
    }
    Ok(leaves)
}

/// How the process ends that made a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    /// Without closing it, right behind a commit.
    Killed,
    /// The same, but at rest.
    KilledAtRest,
}

/// Makes the tree of this many nodes anew.
fn make(nodes: u64, end: End) -> Done {
    let directory = directory(nodes);
    let _ = std::fs::remove_dir_all(&directory);
    let database = sealed(Arc::new(RedbStore::open(&directory).map_err(text)?), nodes)?;
    furnish(&database)?;
    let mut txn = database.begin().map_err(text)?;
    let deep = (1..31).fold("./Deep".to_owned(), |path, step| format!("{path}/{step}"));
    let content = Content::text("deep");
    Tree::new(&mut txn, Actor::Host, NOW).add(&uri(&deep)?, &content.into()).map_err(text)?;
    txn.commit().map_err(text)?;
    let leaves = grow(&database, nodes)?;
    std::fs::write(directory.join("leaves"), leaves.to_string()).map_err(text)?;
    if end == End::KilledAtRest {
        database.settle();
    }
    if end != End::Closed {
        std::process::exit(0);
    }
    Ok(())
}

/// What the operations work on.
struct Bench {
    database: Database,
    view: View,
    leaves: Vec<Uri>,
    deep: Uri,
    round: u64,
    /// The 10,000 nodes of a TNDS object, as the operation needs them.
    octets: Vec<u8>,
    encoding: Encoding,
}

impl Bench {
    fn new(operation: &str, nodes: u64) -> Done<Self> {
        let database = counted(nodes)?;
        let leaves = std::fs::read_to_string(directory(nodes).join("leaves")).map_err(text)?;
        let leaves: u64 = leaves.parse().map_err(text)?;
        let step = (leaves / READS).max(1);
        let leaves = (0..READS).map(|n| leaf(nodes, n * step % leaves)).collect::<Done<_>>()?;
        let deep = (1..31).fold("./Deep".to_owned(), |path, step| format!("{path}/{step}"));
        let mut bench = Self {
            view: database.read().map_err(text)?,
            database,
            leaves,
            deep: uri(&deep)?,
            round: 0,
            octets: Vec::new(),
            encoding: if operation.ends_with("-xml") { Encoding::Xml } else { Encoding::Wbxml },
        };
        if operation.starts_with("tnds") {
            bench.octets = bench.write(&bench.export()?)?;
        }
        Ok(bench)
    }

    fn export(&self) -> Done<Document<'static>> {
        let top = Path::parse("./T").map_err(text)?;
        Query::new(&self.view, Actor::Host).export(&top, Filter::ALL).map_err(text)
    }

    fn write(&self, document: &Document<'_>) -> Done<Vec<u8>> {
        tnds::write(document, self.encoding == Encoding::Wbxml).map_err(text)
    }

    fn get(&self, uri: &Uri, actor: Actor<'_>) -> Done {
        black_box(Query::new(&self.view, actor).get(uri)).map(drop).map_err(text)
    }

    /// Adds the document at a place of its own, and undoes it.
    fn import(&self, document: &Document<'_>) -> Done {
        let mut txn = self.database.begin().map_err(text)?;
        let mut tree = Tree::new(&mut txn, Actor::Host, NOW);
        let at = uri("./Imported")?;
        tree.add(&at, &Content::interior("").into()).map_err(text)?;
        tree.import_add(&at, document).map(|done| drop(black_box(done))).map_err(text)
    }

    /// One commit that replaces one leaf.
    fn replace(&mut self) -> Done {
        self.round += 1;
        let value = format!("round {}", self.round);
        let mut txn = self.database.begin().map_err(text)?;
        let mut tree = Tree::new(&mut txn, Actor::Host, NOW);
        let leaf = &self.leaves[self.leaves.len() / 2];
        tree.replace(leaf, &Content::text(&value)).map_err(text)?;
        txn.commit().map(drop).map_err(text)
    }
}

/// One repetition.
#[inline(never)]
fn work(operation: &str, bench: &mut Bench, document: &Document<'_>) -> Done {
    let shallow = uri("./T")?;
    match operation {
        "get" => bench.leaves.iter().try_for_each(|leaf| bench.get(leaf, Actor::Host)),
        "get-as-server" => {
            bench.leaves.iter().try_for_each(|leaf| bench.get(leaf, Actor::Server(SERVER)))
        }
        "children" => bench.get(&shallow, Actor::Host),
        "acl-depth-32" => bench.get(&bench.deep, Actor::Server(SERVER)),
        "depth-32" => bench.get(&bench.deep, Actor::Host),
        "replace" => bench.replace(),
        "tnds-read" | "tnds-read-xml" => {
            tnds::read(&bench.octets).map(|read| drop(black_box(read))).map_err(text)
        }
        "tnds-import" => bench.import(document),
        "tnds-export" => bench.export().map(|made| drop(black_box(made))),
        "tnds-write" | "tnds-write-xml" => {
            bench.write(document).map(|octets| drop(black_box(octets)))
        }
        _ => Err(format!("there is no operation {operation}")),
    }
}

/// Opens a store that nobody has open, and reads one node.
#[inline(never)]
fn work_open(nodes: u64) -> Done {
    let view = counted(nodes)?.read().map_err(text)?;
    black_box(Query::new(&view, Actor::Host).get(&uri("./DevInfo/DevId")?)).map(drop).map_err(text)
}

/// Repeats one operation, and tells what the last repetition did.
fn repeat(operation: &str, nodes: u64, times: u32) -> Done {
    if operation == "open" {
        return repeated(operation, times, 0, || work_open(nodes));
    }
    let mut bench = Bench::new(operation, nodes)?;
    let octets = bench.octets.clone();
    let document = match operation.starts_with("tnds") {
        true => tnds::read(&octets).map_err(text)?,
        false => Document::default(),
    };
    repeated(operation, times, octets.len(), || work(operation, &mut bench, &document))
}

fn repeated(operation: &str, times: u32, octets: usize, mut work: impl FnMut() -> Done) -> Done {
    let mut line = String::new();
    for _ in 0..times {
        let before = [&WRITTEN, &READ, &SYNCS].map(|counter| counter.load(Relaxed));
        let start = Instant::now();
        let (done, heap) = measured(&mut work);
        let micros = start.elapsed().as_micros();
        done?;
        let now = [&WRITTEN, &READ, &SYNCS].map(|counter| counter.load(Relaxed));
        let [written, read, syncs] = [0, 1, 2].map(|at| now[at] - before[at]);
        line = format!(
            "{operation} us={micros} written={written} read={read} syncs={syncs} calls={} peak={} octets={}",
            heap.calls, heap.peak, octets
        );
    }
    println!("{line}");
    Ok(())
}

/// One line of the table.
fn measure(own: &str, operation: &str, nodes: u64, per: u64) -> Done {
    let count = instructions("tree", own, &[operation, &nodes.to_string()])?;
    let line = output(Command::new(own).args([operation, &nodes.to_string(), "5"]))?;
    let of = |key| number(&line, key).ok_or_else(|| line.clone());
    println!(
        "{operation:<14} {nodes:>9} {:>11} {:>9.1} {:>10} {:>10} {:>5} {:>8} {:>10}",
        count / per,
        of("us=")? as f64 / per as f64,
        of("written=")?,
        of("read=")?,
        of("syncs=")?,
        of("calls=")? / per,
        of("peak=")?,
    );
    Ok(())
}

fn table(own: &str) -> Done {
    for nodes in SIZES.into_iter().chain([OPENED]) {
        if !directory(nodes).join("leaves").exists() {
            let started = Instant::now();
            output(Command::new(own).args(["make", &nodes.to_string(), "1"]))?;
            let octets = std::fs::metadata(directory(nodes).join(FILE_NAME)).map_err(text)?.len();
            println!("made {nodes} nodes in {:?}: {octets} octets", started.elapsed());
        }
    }
    println!(
        "operation          nodes          Ir        us    written       read syncs heap calls  peak heap"
    );
    for operation in ["get", "get-as-server"] {
        SIZES.into_iter().try_for_each(|nodes| measure(own, operation, nodes, READS))?;
    }
    for operation in ["children", "replace"] {
        SIZES.into_iter().try_for_each(|nodes| measure(own, operation, nodes, 1))?;
    }
    for operation in ["depth-32", "acl-depth-32"] {
        measure(own, operation, 100, 1)?;
    }
    for operation in
        ["tnds-read", "tnds-read-xml", "tnds-import", "tnds-export", "tnds-write", "tnds-write-xml"]
    {
        measure(own, operation, 10_000, 1)?;
    }
    measure(own, "open", OPENED, 1)?;
    for how in ["make-killed", "make-killed-at-rest"] {
        output(Command::new(own).args([how, &OPENED.to_string(), "1"]))?;
        let line = output(Command::new(own).args(["open", &OPENED.to_string(), "1"]))?;
        println!("after {how}: {}", line.trim());
    }
    memory()
}

/// Octets of heap of a tree in memory, and of the file, for each node.
fn memory() -> Done {
    for nodes in [100, 10_000, 100_000] {
        let database = Database::new(Arc::new(MemoryStore::new())).map_err(text)?;
        furnish(&database)?;
        let (done, heap) = measured(|| grow(&database, nodes));
        done?;
        println!("{nodes} nodes in memory: {} octets each", heap.kept as u64 / nodes);
    }
    for nodes in SIZES {
        let octets = std::fs::metadata(directory(nodes).join(FILE_NAME)).map_err(text)?.len();
        println!("{nodes} nodes in a file: {} octets each", octets / nodes);
    }
    Ok(())
}

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let nodes = |text: &str| text.parse().unwrap_or(0);
    let done = match words.as_slice() {
        [_, "make", size, _] => make(nodes(size), End::Closed),
        [_, "make-killed", size, _] => make(nodes(size), End::Killed),
        [_, "make-killed-at-rest", size, _] => make(nodes(size), End::KilledAtRest),
        [_, operation, size, times] => repeat(operation, nodes(size), times.parse().unwrap_or(1)),
        [own] => table(own),
        _ => Err("usage: tree [OPERATION NODES TIMES]".into()),
    };
    if let Err(what) = done {
        eprintln!("{what}");
        std::process::exit(1);
    }
}
