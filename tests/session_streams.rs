//! What a session needs in memory for an object that the host takes chunk by chunk.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "../benches/common/heap.rs"]
mod heap;

mod corpus;

use corpus::{Script, play, uri};
use dmsc::error::Result;
use dmsc::store::{Database, memory::MemoryStore};
use dmsc::syncml::Encoding;
use dmsc::time::Now;
use dmsc::tree::{
    Access, Actor, Content, Format, HostChunk, HostExec, HostNode, HostNodes, HostValue, Hosted,
    Path, Tree,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Octets of the object.
const SIZE: u64 = 1 << 20;

/// Octets of heap that a session may take for it.
const LIMIT: usize = 64 * 1024;

/// A host that only counts what it gets, for one leaf.
#[derive(Default)]
struct Counter {
    octets: AtomicU64,
    stored: AtomicU64,
}

/// The host as the tree's.
struct Keeper(Arc<Counter>);

impl HostNodes for Keeper {
    fn abilities(&self) -> Access {
        Access::all()
    }
    fn info(&self, uri: &str) -> Result<Option<HostNode>> {
        let size = u32::try_from(self.0.stored.load(Relaxed)).unwrap();
        let node = |format| HostNode { format, mime: String::new(), size };
        Ok(match uri {
            "./Vault" => Some(node(Format::Node)),
            _ if size > 0 => Some(node(Format::Chr)),
            _ => None,
        })
    }
    fn get(&self, _: &str) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
    fn children(&self, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    fn add(&self, _: &str, value: &HostValue<'_>) -> Result<()> {
        panic!("{value:?} as a whole")
    }
    fn replace(&self, _: &str, value: &HostValue<'_>) -> Result<()> {
        panic!("{value:?} as a whole")
    }
    fn takes_chunks(&self) -> bool {
        true
    }
    fn write(&self, chunk: &HostChunk<'_>) -> Result<()> {
        assert_eq!((chunk.offset, chunk.total), (self.0.octets.load(Relaxed), SIZE));
        self.0.octets.fetch_add(chunk.octets.len() as u64, Relaxed);
        Ok(())
    }
    fn store(&self, _: &str, _: Format, _: &str, size: u32) -> Result<()> {
        self.0.stored.store(u64::from(size), Relaxed);
        Ok(())
    }
    fn discard(&self, _: &str) {}
    fn remove(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn exec(&self, _: &HostExec<'_>) -> Result<u16> {
        Ok(200)
    }
    fn begin(&self, _: u64) -> Result<()> {
        Ok(())
    }
    fn prepare(&self) -> Result<()> {
        Ok(())
    }
    fn commit(&self) -> Result<()> {
        Ok(())
    }
    fn rollback(&self) -> Result<()> {
        Ok(())
    }
    fn settle(&self, _: u64) -> Result<()> {
        Ok(())
    }
}

/// Most octets of heap while the server sends the object of case e to a node of `counter`.
fn peak(encoding: Encoding, counter: &Arc<Counter>) -> usize {
    let (hosted, now) = (Arc::new(Hosted::default()), Now { mono_ms: 0, unix_s: 0 });
    let mut db = corpus::furnished(Database::new(Arc::new(MemoryStore::new())).unwrap());
    db.attach(hosted.clone());
    let root = Path::parse("./Vault").unwrap();
    let mut txn = db.begin().unwrap();
    let place = |root: &Path, abilities, mime: &str| {
        let mut tree = Tree::new(&mut txn, Actor::Host, now);
        tree.place_host_nodes(root, abilities, mime)?;
        Ok(tree.replace(&uri("./Vault?prop=ACL"), &Content::text("Add=*"))?)
    };
    hosted.nodes.bind(root, Box::new(Keeper(Arc::clone(counter))), 0, place).unwrap();
    txn.commit().unwrap();
    let script = Script::load("e-lob1m-from-server", encoding).about("./Bench/Big", "./Vault/Big");
    let setup = corpus::setup(&db, encoding).unwrap();
    let (done, heap) = heap::measured(|| play(setup, &db, &script, &mut |_| {}));
    done.unwrap();
    heap.peak
}

// One test: the counters are those of the whole process.
#[test]
fn an_object_that_the_host_takes_in_chunks_is_never_in_memory() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let counter = Arc::default();
        let octets = peak(encoding, &counter);
        println!("{encoding:?}: {octets} octets of heap at most");
        assert_eq!(counter.stored.load(Relaxed), SIZE);
        assert!(octets <= LIMIT, "{encoding:?}: {octets} octets");
    }
}
