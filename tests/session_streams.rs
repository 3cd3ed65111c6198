//! What a session needs in memory for an object that the host takes or gives chunk by chunk.

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

/// A host that only counts what goes over, for one leaf.
struct Counter {
    format: Format,
    octets: AtomicU64,
    /// Octets of the leaf's value.
    stored: AtomicU64,
    open: AtomicU64,
}

impl Counter {
    fn new(format: Format, stored: u64) -> Arc<Self> {
        let none = || AtomicU64::new(0);
        Arc::new(Self { format, octets: none(), stored: stored.into(), open: none() })
    }
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
            _ if size > 0 => Some(node(self.0.format)),
            _ => None,
        })
    }
    fn get(&self, uri: &str) -> Result<Vec<u8>> {
        panic!("{uri} as a whole")
    }
    fn open(&self, _: &str) -> Result<Option<u64>> {
        Ok(Some(self.0.open.fetch_add(1, Relaxed)))
    }
    fn read(&self, _: u64, place: &mut [u8]) -> Result<()> {
        place.fill(b'A');
        self.0.octets.fetch_add(place.len() as u64, Relaxed);
        Ok(())
    }
    fn close(&self, _: u64) {
        self.0.open.fetch_sub(1, Relaxed);
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

/// Most octets of heap while a session of `case`, about `node` instead of `usual`, goes over.
fn peak(encoding: Encoding, counter: &Arc<Counter>, case: &str, usual: &str, node: &str) -> usize {
    let (hosted, now) = (Arc::new(Hosted::default()), Now { mono_ms: 0, unix_s: 0 });
    let mut db = corpus::furnished(Database::new(Arc::new(MemoryStore::new())).unwrap());
    db.attach(hosted.clone());
    let root = Path::parse("./Vault").unwrap();
    let mut txn = db.begin().unwrap();
    let place = |root: &Path, abilities, mime: &str| {
        let mut tree = Tree::new(&mut txn, Actor::Host, now);
        tree.place_host_nodes(root, abilities, mime)?;
        Ok(tree.replace(&uri("./Vault?prop=ACL"), &Content::text("Add=*&Get=*"))?)
    };
    hosted.nodes.bind(root, Box::new(Keeper(Arc::clone(counter))), 0, place).unwrap();
    txn.commit().unwrap();
    let script = Script::load(case, encoding).about(usual, node);
    let setup = corpus::setup(&db, encoding).unwrap();
    let mut largest = 0;
    let mut sent = |body: &[u8]| largest = largest.max(body.len());
    let (done, heap) = heap::measured(|| play(setup, &db, &script, &mut sent));
    done.unwrap();
    assert!(largest <= corpus::MAX_MSG_SIZE as usize);
    println!("{encoding:?} {:?} {case}: {} octets of heap at most", counter.format, heap.peak);
    heap.peak
}

// One test: the counters are those of the whole process.
#[test]
fn an_object_that_goes_in_chunks_to_or_from_the_host_is_never_in_memory() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let taker = Counter::new(Format::Chr, 0);
        let case = "e-lob1m-from-server";
        assert!(peak(encoding, &taker, case, "./Bench/Big", "./Vault/Big") <= LIMIT);
        assert_eq!(taker.stored.load(Relaxed), SIZE);
        for format in [Format::Chr, Format::Bin] {
            let giver = Counter::new(format, SIZE);
            let case = "f-lob1m-to-server";
            assert!(peak(encoding, &giver, case, "./Bench/Stored", "./Vault/Stored") <= LIMIT);
            assert_eq!(giver.octets.load(Relaxed), SIZE);
            assert_eq!(giver.open.load(Relaxed), 0);
        }
    }
}
