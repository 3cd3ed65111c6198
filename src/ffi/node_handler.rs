//! `dmsc_node_handler`: subtrees whose nodes the host keeps.

use super::buffer::{self, dmsc_buffer};
use super::callbacks::{c_text, pointer};
use super::client::dmsc_client;
use super::destroy::UserData;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use super::tree::{format_number, format_of};
use super::txn::dmsc_node_value;
use crate::client::Client;
use crate::error::{Code, Error, Result};
use crate::tree::{Access, Format, HostChunk, HostExec, HostNode, HostNodes, HostValue};
use std::ffi::{CString, c_char, c_void};

/// What a node of the host is; filled in by `info` of a dmsc_node_handler.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_host_node {
    /// sizeof(dmsc_host_node) of the library; members behind it do not exist.
    pub struct_size: usize,
    /// A dmsc_format number. Preset: DMSC_FORMAT_CHR.
    pub format: u32,
    /// Octets of the value (property Size); 0 for interior nodes. Preset: 0.
    pub size: u32,
    /// MIME type of a leaf, MO identifier of an interior node; NULL: "text/plain" or none. The host's, and
    /// to stay valid until the next callback of the handler. Preset: NULL.
    pub r#type: *const c_char,
}

/// What a server wants run. Borrowed: valid during the callback only.
#[repr(C)]
#[derive(Debug)]
pub struct dmsc_exec_request {
    /// sizeof(dmsc_exec_request) of the library.
    pub struct_size: usize,
    /// The node.
    pub uri: *const c_char,
    /// Data of the Exec command; NULL if there is none.
    pub argument: *const u8,
    /// Number of octets at argument.
    pub argument_len: usize,
    /// The server's Correlator, or NULL. Copy it: it belongs into the generic alert that reports the end of
    /// what goes on in the background.
    pub correlator: *const c_char,
    /// The server that asks.
    pub server_id: *const c_char,
    /// The DM session's id, as in events.
    pub session_id: u64,
}

/// A part of a value on its way. Borrowed: valid during the callback only.
#[repr(C)]
#[derive(Debug)]
pub struct dmsc_value_chunk {
    /// sizeof(dmsc_value_chunk) of the library.
    pub struct_size: usize,
    /// The leaf, which need not be there yet.
    pub uri: *const c_char,
    /// Octets of the value that came before; 0 begins anew, whatever came earlier.
    pub offset: u64,
    /// Octets that the whole value has at most. The exact number comes with `store`; it is this one unless the
    /// value travels as base64.
    pub total: u64,
    /// The octets that follow.
    pub data: *const u8,
    /// Number of octets at data; 0 only for a value without any.
    pub data_len: usize,
}

/// A subtree that the host keeps. Copied by @ref dmsc_tree_bind. `info` must be there; with any of `add`,
/// `replace` and `remove` also `begin`, `commit` and `rollback`. A NULL member for a command means that the
/// nodes do not allow it (server: 405).
///
/// The library checks rights, formats and descriptions before it asks the handler, and keeps ACL, Title,
/// TStamp and VerNo of its nodes in the store. URIs are complete, escaped as in messages, for example
/// "./Vendor/Fw/Update".
///
/// A callback returns 0, or a SyncML status from 400 to 599 that the server gets, or a negative number:
/// DMSC_ERR_NODE_NOT_FOUND (server: 404), _NODE_NOT_ALLOWED (405), _NOT_SUPPORTED (406), _TOO_LARGE (413),
/// _NODE_FORMAT (415), _NODE_EXISTS (418), _STORAGE_FULL (420), _NODE_ACL (425); any other gives the server
/// 500, and the host a DMSC_EVENT_NODE_FAILED with the number. One that fails has changed nothing.
///
/// Transactions: before the first change `begin` is called, then the changes as the commands come, each
/// visible to `info`, `get` and `children` at once; then `prepare` and `commit`, or `rollback`, which undoes
/// everything since `begin`. An Atomic that fails is rolled back like that, and what was done before it is
/// then made again. All subtrees and the library's own store commit as one: when everybody is prepared, the
/// store commits, and with it all is decided; then each `commit` is called. A failure of `prepare` undoes
/// everything (an Atomic: 507; outside of one all that the server's message has changed: 500); a failure of `commit` or `rollback` is only told as an event. A process that
/// dies between prepare and commit is settled by `settle` at the next start.
///
/// Large values: with `write`, `store` and `discard` a value that a server sends in several messages (DM
/// Protocol 1.2.1, section 7) is not collected by the library, up to its `max_obj_size`, but handed over as it
/// comes: `write` for each chunk, which the host keeps aside, outside of any transaction, because each message
/// is one of its own and a half value must not be kept; behind the last one `store`, a change like `add` or
/// `replace`; then `discard`. Rights and formats are checked before the first chunk and again before `store`.
/// When the object is interrupted (the server sends something else, its Size was wrong, the session ends, a
/// callback fails) `discard` comes without `store`. What is kept aside need not outlive the process: at
/// `settle` and `destroy` the host throws away what `prepare` has not promised. Values that come in one
/// message, those of other formats than bin, chr and xml, and new leaves whose parent is missing too come as a
/// whole, with `add` or `replace`.
///
/// Large values the other way: with `open`, `read` and `close` a leaf whose value fits in no message to the
/// server, and has more than 16 KiB, is not asked for with `get`, but opened when the server's Get is executed,
/// and read as the messages are made; one session may have several open. An open value stays what it was when
/// it was opened, whatever is done to its node: keep the old file, or let `read` fail. Behind a failure nothing
/// more is read: the server misses the end of the value, the host gets a DMSC_EVENT_NODE_FAILED. When the
/// subtree is unbound or the client closed, values may be open still; `destroy` closes them.
///
/// Thread: the driving thread, one at a time; the caller waits, so be quick: what takes longer than a
/// session can wait for belongs into the background (202). Re-entry: nothing that needs the client's core -
/// cards, sessions, nodes bound like these - (DMSC_ERR_REENTRANT); dmsc_client_queue_alert and the functions
/// on other nodes of the tree are allowed (DMSC_ERR_BUSY for writing while a session writes).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_node_handler {
    /// sizeof(dmsc_node_handler); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Says what `uri` is in `node`; DMSC_ERR_NODE_NOT_FOUND if there is no such node. Asked for the bound
    /// node itself only once, for its type.
    pub info: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            uri: *const c_char,
            node: *mut dmsc_host_node,
        ) -> i32,
    >,
    /// Gives the value of leaf `uri` in a new buffer (@ref dmsc_buffer_new); left NULL it is empty.
    pub get: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            uri: *const c_char,
            value: *mut *mut dmsc_buffer,
        ) -> i32,
    >,
    /// Gives the names of the nodes directly below `uri`, not escaped, each ended by a line feed, in a new
    /// buffer; left NULL there are none. NULL member: only nodes asked for by name are found.
    pub children: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            uri: *const c_char,
            names: *mut *mut dmsc_buffer,
        ) -> i32,
    >,
    /// Creates node `uri`, whose parent is there.
    pub add: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            uri: *const c_char,
            value: *const dmsc_node_value,
        ) -> i32,
    >,
    /// Replaces the value of leaf `uri`.
    pub replace: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            uri: *const c_char,
            value: *const dmsc_node_value,
        ) -> i32,
    >,
    /// Deletes node `uri` with all below it.
    pub remove: Option<unsafe extern "C" fn(user_data: *mut c_void, uri: *const c_char) -> i32>,
    /// Runs a node. Returns 0 done (server: 200); 202 accepted: it goes on in the background, and its end is
    /// reported with @ref dmsc_client_queue_alert; or a failure as above.
    pub exec: Option<
        unsafe extern "C" fn(user_data: *mut c_void, request: *const dmsc_exec_request) -> i32,
    >,
    /// Changes follow. `number` is higher than that of every transaction that was committed before.
    pub begin: Option<unsafe extern "C" fn(user_data: *mut c_void, number: u64) -> i32>,
    /// Makes sure that `commit` cannot fail, also after a restart if the host keeps its nodes durably. May
    /// be called again after further changes. NULL: the handler is always ready.
    pub prepare: Option<unsafe extern "C" fn(user_data: *mut c_void) -> i32>,
    /// Makes the changes since `begin` last.
    pub commit: Option<unsafe extern "C" fn(user_data: *mut c_void) -> i32>,
    /// Undoes the changes since `begin`, prepared or not.
    pub rollback: Option<unsafe extern "C" fn(user_data: *mut c_void) -> i32>,
    /// Called once, inside dmsc_tree_bind: what was prepared in transactions up to `number` is committed,
    /// what was prepared in a later one is not. May be NULL. A failure makes dmsc_tree_bind fail.
    pub settle: Option<unsafe extern "C" fn(user_data: *mut c_void, number: u64) -> i32>,
    /// Called exactly once, after the last other callback: when the subtree is unbound or the client closed.
    /// Not called if dmsc_tree_bind fails. May be NULL.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Keeps a chunk of a value aside; `info` and `get` go on to show what was there. A failure ends it: the
    /// server gets the status. NULL, with the next two: values come as a whole.
    pub write:
        Option<unsafe extern "C" fn(user_data: *mut c_void, chunk: *const dmsc_value_chunk) -> i32>,
    /// Gives leaf `uri`, which is created if it is not there, the octets that were kept aside for it. `value`
    /// has format and type, NULL as data, and in data_len how many octets they are. They have to stay aside
    /// until `discard`: behind a `rollback` this may come again.
    pub store: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            uri: *const c_char,
            value: *const dmsc_node_value,
        ) -> i32,
    >,
    /// The octets kept aside for `uri` are not needed any more. Once for each value of which `write` took the
    /// first chunk; if it was stored, behind the `commit` or `rollback` that decides about it.
    pub discard: Option<unsafe extern "C" fn(user_data: *mut c_void, uri: *const c_char)>,
    /// Opens the value of leaf `uri`, of which `info` has just said size and format, for `read`. `handle` gets
    /// a number of the host's own, for example a pointer. NULL, with the next two: values are read as a whole.
    pub open: Option<
        unsafe extern "C" fn(user_data: *mut c_void, uri: *const c_char, handle: *mut u64) -> i32,
    >,
    /// Fills `data` with the next `data_len` octets of an open value, in order, never beyond the size that
    /// `info` said; of a text they are UTF-8. `data` is valid during the callback only.
    pub read: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            handle: u64,
            data: *mut u8,
            data_len: usize,
        ) -> i32,
    >,
    /// Closes an open value, read to its end or not: once for each successful `open`.
    pub close: Option<unsafe extern "C" fn(user_data: *mut c_void, handle: u64)>,
}

// SAFETY: pointers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_node_handler {
    const NAME: &'static str = "dmsc_node_handler";
}

/// The host's handler as the tree's.
struct Handler {
    c: dmsc_node_handler,
    user: UserData,
}

// SAFETY: the contract of dmsc_node_handler: the driving thread, whichever it is, one at a time.
unsafe impl Send for Handler {}
// SAFETY: as above; the library never calls two at once.
unsafe impl Sync for Handler {}

type OnUri<T> = Option<unsafe extern "C" fn(*mut c_void, *const c_char, T) -> i32>;

/// A command that the handler has no callback for.
fn not_taken(what: &str) -> Error {
    let number = Code::NodeNotAllowed as i32;
    Error::new(Code::Callback, format!("the host's nodes take no {what}")).with_os_error(number)
}

/// The outcome of a callback: 0, or the host's number as it is.
fn outcome(number: i32, what: &str) -> Result<()> {
    match number {
        0 => Ok(()),
        _ => {
            let text = format!("{what}: callback returned {number}");
            Err(Error::new(Code::Callback, text).with_os_error(number))
        }
    }
}

impl Handler {
    /// Copies the host's struct.
    ///
    /// # Safety
    /// `handler` is NULL or points to a struct whose first member is its size.
    unsafe fn read(handler: *const dmsc_node_handler) -> Result<Self> {
        // SAFETY: the caller's promise.
        let c: dmsc_node_handler = unsafe { handle::read_struct(handler) }?;
        let changes = c.add.is_some() || c.replace.is_some() || c.remove.is_some();
        let undoes = c.begin.is_some() && c.commit.is_some() && c.rollback.is_some();
        if c.info.is_none() || (changes && !undoes) {
            let text = "dmsc_node_handler needs info; with add, replace or remove also begin, commit and rollback";
            return Err(Error::new(Code::InvalidArg, text));
        }
        let streams = [c.write.is_some(), c.store.is_some(), c.discard.is_some()];
        if streams.contains(&true) && (streams.contains(&false) || !undoes) {
            let text = "dmsc_node_handler needs write, store and discard together, with begin, commit and rollback";
            return Err(Error::new(Code::InvalidArg, text));
        }
        let reads = [c.open.is_some(), c.read.is_some(), c.close.is_some()];
        if reads.contains(&true) && (reads.contains(&false) || c.get.is_none()) {
            let text = "dmsc_node_handler needs open, read and close together, with get";
            return Err(Error::new(Code::InvalidArg, text));
        }
        Ok(Self { user: UserData::new(c.user_data, c.destroy), c })
    }

    /// The octets that a callback gives for `uri`.
    fn octets(
        &self,
        callback: OnUri<*mut *mut dmsc_buffer>,
        uri: &str,
        what: &str,
    ) -> Result<Vec<u8>> {
        let callback = callback.ok_or_else(|| not_taken(what))?;
        let (uri, mut out) = (c_text(uri), std::ptr::null_mut());
        // SAFETY: the host's function with its own pointer; URI and place live until it returns.
        let number = unsafe { callback(self.user.pointer(), uri.as_ptr(), &raw mut out) };
        // SAFETY: NULL or a buffer that the host made with dmsc_buffer_new, by contract.
        let octets = unsafe { buffer::take_back(out) };
        outcome(number, what)?;
        Ok(octets.unwrap_or_default())
    }

    fn change(
        &self,
        callback: OnUri<*const dmsc_node_value>,
        uri: &str,
        value: &HostValue<'_>,
        what: &str,
    ) -> Result<()> {
        let (data, len) = (pointer(value.octets), value.octets.len());
        self.change_to(callback, uri, (value.format, value.mime), (data, len), what)
    }

    fn change_to(
        &self,
        callback: OnUri<*const dmsc_node_value>,
        uri: &str,
        (format, mime): (Format, &str),
        (data, data_len): (*const u8, usize),
        what: &str,
    ) -> Result<()> {
        let callback = callback.ok_or_else(|| not_taken(what))?;
        let (uri, mime) = (c_text(uri), c_text(mime));
        let value = dmsc_node_value {
            struct_size: size_of::<dmsc_node_value>(),
            format: format_number(format),
            r#type: mime.as_ptr(),
            data,
            data_len,
        };
        // SAFETY: the host's function with its own pointer; URI and value live until it returns.
        let number = unsafe { callback(self.user.pointer(), uri.as_ptr(), &raw const value) };
        outcome(number, what)
    }

    fn turn(
        &self,
        callback: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
        what: &str,
    ) -> Result<()> {
        let Some(callback) = callback else { return Ok(()) };
        // SAFETY: the host's function with its own pointer.
        outcome(unsafe { callback(self.user.pointer()) }, what)
    }

    fn numbered(
        &self,
        callback: Option<unsafe extern "C" fn(*mut c_void, u64) -> i32>,
        number: u64,
        what: &str,
    ) -> Result<()> {
        let Some(callback) = callback else { return Ok(()) };
        // SAFETY: the host's function with its own pointer.
        outcome(unsafe { callback(self.user.pointer(), number) }, what)
    }
}

impl HostNodes for Handler {
    fn abilities(&self) -> Access {
        let c = &self.c;
        let given = [
            (c.get.is_some() || c.children.is_some(), Access::GET.union(Access::COPY)),
            (c.add.is_some(), Access::ADD),
            (c.replace.is_some(), Access::REPLACE),
            (c.remove.is_some(), Access::DELETE),
            (c.exec.is_some(), Access::EXEC),
        ];
        given.iter().filter(|(given, _)| *given).map(|(_, access)| *access).collect()
    }

    fn info(&self, uri: &str) -> Result<Option<HostNode>> {
        let Some(info) = self.c.info else { return Ok(None) };
        let uri = c_text(uri);
        let mut node = dmsc_host_node {
            struct_size: size_of::<dmsc_host_node>(),
            format: 1,
            size: 0,
            r#type: std::ptr::null(),
        };
        // SAFETY: the host's function with its own pointer; URI and node live until it returns.
        let number = unsafe { info(self.user.pointer(), uri.as_ptr(), &raw mut node) };
        if number == Code::NodeNotFound as i32 {
            return Ok(None);
        }
        outcome(number, "info")?;
        let format = format_of(node.format)?;
        // SAFETY: NULL or text that the host keeps until its next callback, by contract.
        let mime = unsafe { handle::optional_text(node.r#type, "type of a host node") }?;
        let preset = if format.is_interior() { "" } else { "text/plain" };
        Ok(Some(HostNode { format, mime: mime.unwrap_or(preset).to_owned(), size: node.size }))
    }

    fn get(&self, uri: &str) -> Result<Vec<u8>> {
        self.octets(self.c.get, uri, "get")
    }

    fn open(&self, uri: &str) -> Result<Option<u64>> {
        let Some(open) = self.c.open else { return Ok(None) };
        let (uri, mut handle) = (c_text(uri), 0);
        // SAFETY: the host's function with its own pointer; URI and place live until it returns.
        let number = unsafe { open(self.user.pointer(), uri.as_ptr(), &raw mut handle) };
        outcome(number, "open").map(|()| Some(handle))
    }

    fn read(&self, handle: u64, place: &mut [u8]) -> Result<()> {
        let read = self.c.read.ok_or_else(|| not_taken("read"))?;
        let (data, len) = (place.as_mut_ptr(), place.len());
        // SAFETY: the host's function with its own pointer; the place lives until it returns.
        outcome(unsafe { read(self.user.pointer(), handle, data, len) }, "read")
    }

    fn close(&self, handle: u64) {
        let Some(close) = self.c.close else { return };
        // SAFETY: the host's function with its own pointer.
        unsafe { close(self.user.pointer(), handle) };
    }

    fn children(&self, uri: &str) -> Result<Vec<String>> {
        if self.c.children.is_none() {
            return Ok(Vec::new());
        }
        let names = self.octets(self.c.children, uri, "children")?;
        let names = String::from_utf8(names)
            .map_err(|_| Error::new(Code::Utf8, "the names of a host node's children"))?;
        Ok(names.split('\n').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    fn add(&self, uri: &str, value: &HostValue<'_>) -> Result<()> {
        self.change(self.c.add, uri, value, "add")
    }

    fn replace(&self, uri: &str, value: &HostValue<'_>) -> Result<()> {
        self.change(self.c.replace, uri, value, "replace")
    }

    fn takes_chunks(&self) -> bool {
        self.c.write.is_some()
    }

    fn write(&self, chunk: &HostChunk<'_>) -> Result<()> {
        let write = self.c.write.ok_or_else(|| not_taken("write"))?;
        let uri = c_text(chunk.uri);
        let chunk = dmsc_value_chunk {
            struct_size: size_of::<dmsc_value_chunk>(),
            uri: uri.as_ptr(),
            offset: chunk.offset,
            total: chunk.total,
            data: pointer(chunk.octets),
            data_len: chunk.octets.len(),
        };
        // SAFETY: the host's function with its own pointer; the chunk lives until it returns.
        outcome(unsafe { write(self.user.pointer(), &raw const chunk) }, "write")
    }

    fn store(&self, uri: &str, format: Format, mime: &str, size: u32) -> Result<()> {
        let len = usize::try_from(size).unwrap_or(usize::MAX);
        self.change_to(self.c.store, uri, (format, mime), (std::ptr::null(), len), "store")
    }

    fn discard(&self, uri: &str) {
        let Some(discard) = self.c.discard else { return };
        let uri = c_text(uri);
        // SAFETY: the host's function with its own pointer; the URI lives until it returns.
        unsafe { discard(self.user.pointer(), uri.as_ptr()) };
    }

    fn remove(&self, uri: &str) -> Result<()> {
        let remove = self.c.remove.ok_or_else(|| not_taken("remove"))?;
        let uri = c_text(uri);
        // SAFETY: the host's function with its own pointer; the URI lives until it returns.
        outcome(unsafe { remove(self.user.pointer(), uri.as_ptr()) }, "remove")
    }

    fn exec(&self, request: &HostExec<'_>) -> Result<u16> {
        let exec = self.c.exec.ok_or_else(|| not_taken("exec"))?;
        let (uri, server_id) = (c_text(request.uri), c_text(request.server_id));
        let correlator: Option<CString> = request.correlator.map(c_text);
        let request = dmsc_exec_request {
            struct_size: size_of::<dmsc_exec_request>(),
            uri: uri.as_ptr(),
            argument: pointer(request.argument),
            argument_len: request.argument.len(),
            correlator: correlator.as_ref().map_or(std::ptr::null(), |text| text.as_ptr()),
            server_id: server_id.as_ptr(),
            session_id: request.session_id,
        };
        // SAFETY: the host's function with its own pointer; the request lives until it returns.
        match unsafe { exec(self.user.pointer(), &raw const request) } {
            0 | 200 => Ok(200),
            202 => Ok(202),
            number => outcome(number, "exec").map(|()| 200),
        }
    }

    fn begin(&self, number: u64) -> Result<()> {
        self.numbered(self.c.begin, number, "begin")
    }

    fn prepare(&self) -> Result<()> {
        self.turn(self.c.prepare, "prepare")
    }

    fn commit(&self) -> Result<()> {
        self.turn(self.c.commit, "commit")
    }

    fn rollback(&self) -> Result<()> {
        self.turn(self.c.rollback, "rollback")
    }

    fn settle(&self, number: u64) -> Result<()> {
        self.numbered(self.c.settle, number, "settle")
    }
}

/// Gives the subtree at `uri` to the host: the node is made if it is missing, with the interior nodes above
/// it, and everything below it is what the handler says.
///
/// What servers may do there is said by the ACL: the root's lets them read and add at first; give more with
/// @ref dmsc_txn_set_acl. Binding is for the life of the client; bind again after each start. The node and the properties kept for
/// what is below it stay in the store; as long as they have no handler the node is there without children
/// and takes nothing.
/// @pre `handler->struct_size` is set.
/// @param uri the interior node, for example "./Vendor/Fw"; not the root, nor a place that a standard object
///        defines.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, no info, changes without begin, commit and rollback, or only
///         some of write, store and discard, or of open, read, close and get);
///         DMSC_ERR_NODE_EXISTS the place holds stored nodes, or is at, above or below a bound one;
///         DMSC_ERR_NODE_NOT_ALLOWED the root or a standard object, or a leaf above; DMSC_ERR_URI;
///         DMSC_ERR_UTF8; DMSC_ERR_BUSY a transaction is open; DMSC_ERR_REENTRANT in a callback of a card or
///         node; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*; the number of settle or info.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_tree_bind(
    client: *mut dmsc_client,
    uri: *const c_char,
    handler: *const dmsc_node_handler,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let uri = unsafe { handle::text(uri, "uri") }?;
        // SAFETY: the caller's precondition.
        let handler = unsafe { Handler::read(handler) }?;
        let acceptance = handler.user.acceptance();
        client.bind(uri, Box::new(handler))?;
        acceptance.accept();
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Takes the subtree at `uri` back: the node is gone, with all properties kept for what was below it, and
/// the handler is destroyed.
///
/// @return DMSC_OK; DMSC_ERR_NODE_NOT_FOUND it is not bound; DMSC_ERR_INVALID_ARG; DMSC_ERR_URI;
///         DMSC_ERR_UTF8; DMSC_ERR_BUSY a transaction is open; DMSC_ERR_REENTRANT in a callback of a card or
///         node; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_tree_unbind(
    client: *mut dmsc_client,
    uri: *const c_char,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        client.unbind(unsafe { handle::text(uri, "uri") }?)?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}
