//! A program that keeps nodes of its own: a map with one undo, behind the callbacks of dmsc_node_handler.

use super::abi::{Failure, Phone, blank, c, check};
use dmsc::ffi::*;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Nodes by URI; `None` is an interior one.
type Nodes = BTreeMap<String, Option<Vec<u8>>>;

type Hook = Arc<dyn Fn(&str) + Send + Sync>;

/// The nodes below one URI as the host has them.
#[derive(Default)]
pub(crate) struct HostTree {
    nodes: Mutex<Nodes>,
    before: Mutex<Option<Nodes>>,
    /// Every callback but the reading ones, with its URI or number.
    calls: Mutex<Vec<String>>,
    /// What a callback returns instead of doing its work, by its name, or its name and URI.
    fails: Mutex<BTreeMap<String, i32>>,
    hook: Mutex<Option<Hook>>,
    /// Values that come in chunks; `None`: this host takes none.
    aside: Mutex<Option<BTreeMap<String, Vec<u8>>>>,
    /// What is left to read of open values, by handle; `None`: this host gives values as a whole.
    open: Mutex<Option<BTreeMap<u64, Vec<u8>>>>,
    pub(crate) destroyed: AtomicUsize,
}

impl HostTree {
    /// A host with these nodes; a name without value is an interior node.
    pub(crate) fn with(nodes: &[(&str, Option<&str>)]) -> Arc<Self> {
        let host = Self::default();
        let nodes = nodes
            .iter()
            .map(|(uri, value)| ((*uri).to_owned(), value.map(|value| value.as_bytes().to_vec())));
        host.nodes.lock().unwrap().extend(nodes);
        Arc::new(host)
    }

    pub(crate) fn value(&self, uri: &str) -> Option<String> {
        let nodes = self.nodes.lock().unwrap();
        let value = nodes.get(uri)?.clone()?;
        Some(String::from_utf8(value).unwrap())
    }

    pub(crate) fn uris(&self) -> Vec<String> {
        self.nodes.lock().unwrap().keys().cloned().collect()
    }

    /// The callbacks since the last call.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// Lets a callback return `number`; 0 ends that.
    pub(crate) fn fail(&self, call: &str, number: i32) {
        self.fails.lock().unwrap().insert(call.to_owned(), number);
    }

    /// Calls `hook` in each callback with its name.
    pub(crate) fn hook(&self, hook: impl Fn(&str) + Send + Sync + 'static) {
        *self.hook.lock().unwrap() = Some(Arc::new(hook));
    }

    /// Takes values in chunks from now on; for a host that is not bound yet.
    pub(crate) fn takes_chunks(self: Arc<Self>) -> Arc<Self> {
        self.aside.lock().unwrap().get_or_insert_default();
        self
    }

    /// The nodes whose values are kept aside.
    pub(crate) fn aside(&self) -> Vec<String> {
        self.aside.lock().unwrap().iter().flatten().map(|(uri, _)| uri.clone()).collect()
    }

    /// Gives large values part by part from now on; for a host that is not bound yet.
    pub(crate) fn gives_parts(self: Arc<Self>) -> Arc<Self> {
        self.open.lock().unwrap().get_or_insert_default();
        self
    }

    /// Number of values that are open.
    pub(crate) fn open(&self) -> usize {
        self.open.lock().unwrap().iter().flatten().count()
    }

    pub(crate) fn handler(self: &Arc<Self>) -> dmsc_node_handler {
        let mut handler = self.handler_of_whole_values();
        if self.aside.lock().unwrap().is_some() {
            handler.write = Some(write);
            handler.store = Some(store);
            handler.discard = Some(discard);
        }
        if self.open.lock().unwrap().is_some() {
            handler.open = Some(open);
            handler.read = Some(read);
            handler.close = Some(close);
        }
        handler
    }

    fn handler_of_whole_values(self: &Arc<Self>) -> dmsc_node_handler {
        dmsc_node_handler {
            user_data: Arc::as_ptr(self).cast::<c_void>().cast_mut(),
            info: Some(info),
            get: Some(get),
            children: Some(children),
            add: Some(add),
            replace: Some(replace),
            remove: Some(remove),
            exec: Some(exec),
            begin: Some(begin),
            prepare: Some(prepare),
            commit: Some(commit),
            rollback: Some(rollback),
            settle: Some(settle),
            destroy: Some(destroy),
            ..blank()
        }
    }

    /// Gives the subtree at `uri` to this host, which has to outlive the phone.
    pub(crate) fn bind(self: &Arc<Self>, phone: &Phone, uri: &str) -> Result<i32, Failure> {
        let (uri, handler) = (c(uri), self.handler());
        check(unsafe { dmsc_tree_bind(phone.client, uri.as_ptr(), &raw const handler) })
    }

    /// As [`bind`](Self::bind), and every server may do everything there.
    pub(crate) fn serve(self: &Arc<Self>, phone: &Phone, uri: &str) {
        self.bind(phone, uri).unwrap();
        phone.change(|txn| txn.acl(uri, "Add=*&Delete=*&Exec=*&Get=*&Replace=*"));
        self.take_calls();
    }

    /// Notes a callback; the number that it has to return, if any.
    fn called(&self, name: &str, about: &str) -> Option<i32> {
        let hook = self.hook.lock().unwrap().clone();
        if let Some(hook) = hook {
            hook(name);
        }
        let call = format!("{name} {about}").trim_end().to_owned();
        let fails = self.fails.lock().unwrap();
        let number = fails.get(&call).or(fails.get(name)).copied().filter(|number| *number != 0);
        if !matches!(name, "info" | "get" | "children") {
            self.calls.lock().unwrap().push(call);
        }
        number
    }
}

pub(crate) fn unbind(phone: &Phone, uri: &str) -> Result<i32, Failure> {
    let uri = c(uri);
    check(unsafe { dmsc_tree_unbind(phone.client, uri.as_ptr()) })
}

unsafe fn host<'a>(user_data: *mut c_void) -> &'a HostTree {
    unsafe { &*user_data.cast::<HostTree>() }
}

fn text<'a>(text: *const c_char) -> &'a str {
    unsafe { CStr::from_ptr(text) }.to_str().unwrap()
}

unsafe extern "C" fn info(
    user_data: *mut c_void,
    uri: *const c_char,
    node: *mut dmsc_host_node,
) -> i32 {
    let (host, uri) = (unsafe { host(user_data) }, text(uri));
    if let Some(number) = host.called("info", uri) {
        return number;
    }
    let nodes = host.nodes.lock().unwrap();
    let node = unsafe { &mut *node };
    match nodes.get(uri) {
        None => return -500,
        Some(None) => node.format = 0,
        Some(Some(value)) => node.size = value.len() as u32,
    }
    0
}

unsafe fn give(octets: &[u8], out: *mut *mut dmsc_buffer) -> i32 {
    unsafe { dmsc_buffer_new(octets.as_ptr(), octets.len(), out) }
}

unsafe extern "C" fn get(
    user_data: *mut c_void,
    uri: *const c_char,
    value: *mut *mut dmsc_buffer,
) -> i32 {
    let (host, uri) = (unsafe { host(user_data) }, text(uri));
    if let Some(number) = host.called("get", uri) {
        return number;
    }
    let found = host.nodes.lock().unwrap().get(uri).cloned();
    match found {
        Some(Some(octets)) => unsafe { give(&octets, value) },
        _ => -500,
    }
}

unsafe extern "C" fn open(user_data: *mut c_void, uri: *const c_char, handle: *mut u64) -> i32 {
    let (host, uri) = (unsafe { host(user_data) }, text(uri));
    if let Some(number) = host.called("open", uri) {
        return number;
    }
    let value = host.nodes.lock().unwrap()[uri].clone().unwrap();
    let mut open = host.open.lock().unwrap();
    let open = open.as_mut().unwrap();
    let next = open.keys().last().map_or(7, |last| last + 1);
    open.insert(next, value);
    unsafe { handle.write(next) };
    0
}

unsafe extern "C" fn read(
    user_data: *mut c_void,
    handle: u64,
    data: *mut u8,
    data_len: usize,
) -> i32 {
    let host = unsafe { host(user_data) };
    if let Some(number) = host.called("read", &handle.to_string()) {
        return number;
    }
    let mut open = host.open.lock().unwrap();
    let rest = open.as_mut().unwrap().get_mut(&handle).unwrap();
    assert!(data_len > 0 && data_len <= rest.len());
    unsafe { std::slice::from_raw_parts_mut(data, data_len) }.copy_from_slice(&rest[..data_len]);
    rest.drain(..data_len);
    0
}

unsafe extern "C" fn close(user_data: *mut c_void, handle: u64) {
    let host = unsafe { host(user_data) };
    host.called("close", &handle.to_string());
    assert!(host.open.lock().unwrap().as_mut().unwrap().remove(&handle).is_some());
}

unsafe extern "C" fn children(
    user_data: *mut c_void,
    uri: *const c_char,
    names: *mut *mut dmsc_buffer,
) -> i32 {
    let (host, uri) = (unsafe { host(user_data) }, text(uri));
    if let Some(number) = host.called("children", uri) {
        return number;
    }
    let nodes = host.nodes.lock().unwrap();
    let below = format!("{uri}/");
    // In no order: the library sorts.
    let found = nodes.keys().rev().filter_map(|node| node.strip_prefix(&below));
    let listed: String =
        found.filter(|name| !name.contains('/')).flat_map(|name| [name, "\n"]).collect();
    unsafe { give(listed.as_bytes(), names) }
}

unsafe fn change(
    user_data: *mut c_void,
    name: &str,
    uri: *const c_char,
    value: *const dmsc_node_value,
) -> i32 {
    let (host, uri, value) = (unsafe { host(user_data) }, text(uri), unsafe { &*value });
    if let Some(number) = host.called(name, uri) {
        return number;
    }
    assert!(host.before.lock().unwrap().is_some(), "{name} outside a transaction");
    assert_eq!(value.struct_size, size_of::<dmsc_node_value>());
    let octets = match value.data_len {
        0 => Vec::new(),
        len => unsafe { std::slice::from_raw_parts(value.data, len) }.to_vec(),
    };
    host.nodes.lock().unwrap().insert(uri.to_owned(), (value.format != 0).then_some(octets));
    0
}

unsafe extern "C" fn add(
    user_data: *mut c_void,
    uri: *const c_char,
    value: *const dmsc_node_value,
) -> i32 {
    unsafe { change(user_data, "add", uri, value) }
}

unsafe extern "C" fn replace(
    user_data: *mut c_void,
    uri: *const c_char,
    value: *const dmsc_node_value,
) -> i32 {
    unsafe { change(user_data, "replace", uri, value) }
}

unsafe extern "C" fn write(user_data: *mut c_void, chunk: *const dmsc_value_chunk) -> i32 {
    let (host, chunk) = (unsafe { host(user_data) }, unsafe { &*chunk });
    assert_eq!(chunk.struct_size, size_of::<dmsc_value_chunk>());
    let uri = text(chunk.uri);
    let about = format!("{uri} {}+{} of {}", chunk.offset, chunk.data_len, chunk.total);
    if let Some(number) = host.called("write", &about) {
        return number;
    }
    let mut aside = host.aside.lock().unwrap();
    let value = aside.as_mut().unwrap().entry(uri.to_owned()).or_default();
    value.truncate(if chunk.offset == 0 { 0 } else { usize::MAX });
    assert_eq!(value.len() as u64, chunk.offset);
    if chunk.data_len > 0 {
        value.extend(unsafe { std::slice::from_raw_parts(chunk.data, chunk.data_len) });
    }
    assert!(value.len() as u64 <= chunk.total);
    0
}

unsafe extern "C" fn store(
    user_data: *mut c_void,
    uri: *const c_char,
    value: *const dmsc_node_value,
) -> i32 {
    let (host, uri, value) = (unsafe { host(user_data) }, text(uri), unsafe { &*value });
    if let Some(number) = host.called("store", uri) {
        return number;
    }
    assert!(host.before.lock().unwrap().is_some(), "store outside a transaction");
    let octets = host.aside.lock().unwrap().as_ref().unwrap()[uri].clone();
    assert!(value.data.is_null() && value.data_len == octets.len());
    host.nodes.lock().unwrap().insert(uri.to_owned(), Some(octets));
    0
}

unsafe extern "C" fn discard(user_data: *mut c_void, uri: *const c_char) {
    let (host, uri) = (unsafe { host(user_data) }, text(uri));
    host.called("discard", uri);
    let gone = host.aside.lock().unwrap().as_mut().unwrap().remove(uri);
    assert!(gone.is_some(), "nothing of {uri} is kept aside");
}

unsafe extern "C" fn remove(user_data: *mut c_void, uri: *const c_char) -> i32 {
    let (host, uri) = (unsafe { host(user_data) }, text(uri));
    if let Some(number) = host.called("remove", uri) {
        return number;
    }
    let below = format!("{uri}/");
    host.nodes.lock().unwrap().retain(|node, _| node != uri && !node.starts_with(&below));
    0
}

unsafe extern "C" fn exec(user_data: *mut c_void, request: *const dmsc_exec_request) -> i32 {
    let (host, request) = (unsafe { host(user_data) }, unsafe { &*request });
    let correlator = if request.correlator.is_null() { "none" } else { text(request.correlator) };
    let argument = match request.argument_len {
        0 => Vec::new(),
        len => unsafe { std::slice::from_raw_parts(request.argument, len) }.to_vec(),
    };
    let argument = String::from_utf8(argument).unwrap();
    let about =
        format!("{} {argument:?} {correlator} {}", text(request.uri), text(request.server_id));
    assert_ne!(request.session_id, 0);
    host.called("exec", &about).unwrap_or(0)
}

unsafe extern "C" fn begin(user_data: *mut c_void, number: u64) -> i32 {
    let host = unsafe { host(user_data) };
    if let Some(number) = host.called("begin", &number.to_string()) {
        return number;
    }
    let nodes = host.nodes.lock().unwrap().clone();
    assert!(host.before.lock().unwrap().replace(nodes).is_none(), "begun twice");
    0
}

unsafe extern "C" fn prepare(user_data: *mut c_void) -> i32 {
    let host = unsafe { host(user_data) };
    assert!(host.before.lock().unwrap().is_some());
    host.called("prepare", "").unwrap_or(0)
}

unsafe extern "C" fn commit(user_data: *mut c_void) -> i32 {
    let host = unsafe { host(user_data) };
    assert!(host.before.lock().unwrap().take().is_some());
    host.called("commit", "").unwrap_or(0)
}

unsafe extern "C" fn rollback(user_data: *mut c_void) -> i32 {
    let host = unsafe { host(user_data) };
    *host.nodes.lock().unwrap() = host.before.lock().unwrap().take().unwrap();
    host.called("rollback", "").unwrap_or(0)
}

unsafe extern "C" fn settle(user_data: *mut c_void, number: u64) -> i32 {
    unsafe { host(user_data) }.called("settle", &number.to_string()).unwrap_or(0)
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    unsafe { host(user_data) }.destroyed.fetch_add(1, Ordering::SeqCst);
}
