//! A host that keeps ./Vault, takes large values chunk by chunk, and gives them part by part.

use super::*;
use crate::tree::{
    Access, Format, HostChunk, HostExec, HostNode, HostNodes, HostValue, Hosted, Path,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;

pub(super) type Leaves = BTreeMap<String, (Format, Vec<u8>)>;

#[derive(Default)]
pub(super) struct State {
    pub(super) leaves: Leaves,
    before: Leaves,
    aside: BTreeMap<String, Vec<u8>>,
    /// What is left to read of the open values.
    pub(super) open: BTreeMap<u64, Vec<u8>>,
    heard: Vec<String>,
    /// What this is asked ends with the number.
    pub(super) fails: Option<(&'static str, i32)>,
}

/// A host with leaves below ./Vault.
#[derive(Clone, Default)]
pub(super) struct Host(pub(super) Arc<Mutex<State>>);

impl Host {
    fn hear(&self, what: String) -> Result<(), Error> {
        let mut state = self.0.lock();
        let failed = state.fails.filter(|(name, _)| what.starts_with(name));
        state.heard.push(what);
        match failed {
            Some((name, number)) => Err(Error::new(Code::Callback, name).with_os_error(number)),
            None => Ok(()),
        }
    }

    pub(super) fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().heard)
    }

    fn put(&self, what: &str, uri: &str, format: Format, octets: &[u8]) -> Result<(), Error> {
        self.hear(format!("{what} {uri} {}", String::from_utf8_lossy(octets)))?;
        self.keep(uri, format, octets);
        Ok(())
    }

    pub(super) fn keep(&self, uri: &str, format: Format, octets: &[u8]) {
        self.0.lock().leaves.insert(uri.to_owned(), (format, octets.to_vec()));
    }
}

impl HostNodes for Host {
    fn abilities(&self) -> Access {
        Access::all()
    }
    fn info(&self, uri: &str) -> Result<Option<HostNode>, Error> {
        let node = |format, mime: &str, size| HostNode { format, mime: mime.to_owned(), size };
        let state = self.0.lock();
        let leaf = state.leaves.get(uri);
        let leaf = leaf.map(|(format, value)| node(*format, "text/plain", value.len() as u32));
        Ok(leaf.or((uri == "./Vault").then(|| node(Format::Node, "", 0))))
    }
    fn get(&self, uri: &str) -> Result<Vec<u8>, Error> {
        self.hear(format!("get {uri}"))?;
        Ok(self.0.lock().leaves[uri].1.clone())
    }
    fn open(&self, uri: &str) -> Result<Option<u64>, Error> {
        self.hear(format!("open {uri}"))?;
        let mut state = self.0.lock();
        let (handle, value) =
            (state.open.keys().last().map_or(1, |last| last + 1), state.leaves[uri].1.clone());
        state.open.insert(handle, value);
        Ok(Some(handle))
    }
    fn read(&self, handle: u64, place: &mut [u8]) -> Result<(), Error> {
        self.hear(format!("read {handle}"))?;
        let mut state = self.0.lock();
        let value = state.open.get_mut(&handle).unwrap();
        place.copy_from_slice(&value[..place.len()]);
        value.drain(..place.len());
        Ok(())
    }
    fn close(&self, handle: u64) {
        self.hear(format!("close {handle}")).unwrap();
        assert!(self.0.lock().open.remove(&handle).is_some());
    }
    fn children(&self, _: &str) -> Result<Vec<String>, Error> {
        let state = self.0.lock();
        Ok(state.leaves.keys().map(|uri| uri["./Vault/".len()..].to_owned()).collect())
    }
    fn add(&self, uri: &str, value: &HostValue<'_>) -> Result<(), Error> {
        self.put("add", uri, value.format, value.octets)
    }
    fn replace(&self, uri: &str, value: &HostValue<'_>) -> Result<(), Error> {
        self.put("replace", uri, value.format, value.octets)
    }
    fn takes_chunks(&self) -> bool {
        true
    }
    fn write(&self, chunk: &HostChunk<'_>) -> Result<(), Error> {
        let text = String::from_utf8_lossy(chunk.octets);
        self.hear(format!("write {} {} {text}/{}", chunk.uri, chunk.offset, chunk.total))?;
        self.0.lock().aside.entry(chunk.uri.to_owned()).or_default().extend(chunk.octets);
        Ok(())
    }
    fn store(&self, uri: &str, format: Format, _: &str, size: u32) -> Result<(), Error> {
        let octets = self.0.lock().aside[uri].clone();
        assert_eq!(octets.len(), size as usize);
        self.put("store", uri, format, &octets)
    }
    fn discard(&self, uri: &str) {
        self.hear(format!("discard {uri}")).unwrap();
        assert!(self.0.lock().aside.remove(uri).is_some());
    }
    fn remove(&self, uri: &str) -> Result<(), Error> {
        self.0.lock().leaves.remove(uri);
        self.hear(format!("remove {uri}"))
    }
    fn exec(&self, _: &HostExec<'_>) -> Result<u16, Error> {
        Ok(200)
    }
    fn begin(&self, _: u64) -> Result<(), Error> {
        let mut state = self.0.lock();
        state.before = state.leaves.clone();
        drop(state);
        self.hear("begin".into())
    }
    fn prepare(&self) -> Result<(), Error> {
        self.hear("prepare".into())
    }
    fn commit(&self) -> Result<(), Error> {
        self.hear("commit".into())
    }
    fn rollback(&self) -> Result<(), Error> {
        let mut state = self.0.lock();
        state.leaves = state.before.clone();
        drop(state);
        self.hear("rollback".into())
    }
    fn settle(&self, _: u64) -> Result<(), Error> {
        Ok(())
    }
}

/// A started session on a tree whose ./Vault is the host's.
pub(super) fn bench(encoding: Encoding) -> (Bench, Host, Arc<Hosted>) {
    let (mut bench, host, hosted) = ready(encoding);
    bench.start();
    (bench, host, hosted)
}

/// A session to be started, on such a tree.
pub(super) fn ready(encoding: Encoding) -> (Bench, Host, Arc<Hosted>) {
    let (host, hosted) = (Host::default(), Arc::new(Hosted::default()));
    let mut bench = Bench::new(encoding);
    bench.db.attach(hosted.clone());
    let mut txn = bench.db.begin().unwrap();
    let place = |root: &Path, abilities, mime: &str| {
        let mut tree = Tree::new(&mut txn, Actor::Host, NOW);
        tree.place_host_nodes(root, abilities, mime)?;
        Ok(tree.replace(&at("./Vault?prop=ACL"), &Content::text("Add=*&Get=*&Replace=*"))?)
    };
    let root = Path::parse("./Vault").unwrap();
    hosted.nodes.bind(root, Box::new(host.clone()), 0, place).unwrap();
    txn.commit().unwrap();
    (bench, host, hosted)
}
