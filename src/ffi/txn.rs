//! `dmsc_txn`: changes of the tree by the host, all or nothing.

use super::client::dmsc_client;
use super::guard::{guard, guard_value};
use super::handle::{self, CStruct, Handle};
use super::status::dmsc_result;
use super::tree::format_of;
use crate::client::{Client, TreeTxn};
use crate::error::{Code, Error, Result};
use crate::tree::Format;
use parking_lot::Mutex;
use std::ffi::c_char;

/// A transaction on the tree. One thread at a time. While it is open no DM session goes on, so keep it
/// short.
#[derive(Debug)]
pub struct dmsc_txn(Mutex<Option<TreeTxn>>);

impl Handle for dmsc_txn {
    const NAME: &'static str = "txn";
}

/// A node's value. Copied by the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_node_value {
    /// sizeof(dmsc_node_value); set by the caller.
    pub struct_size: usize,
    /// A dmsc_format number; DMSC_FORMAT_NODE makes an interior node.
    pub format: u32,
    /// MIME type of a leaf, MO identifier of an interior node; NULL: "text/plain" or none.
    pub r#type: *const c_char,
    /// The value's octets.
    pub data: *const u8,
    /// Number of octets at data.
    pub data_len: usize,
}

// SAFETY: pointers and integers; zero means "interior node".
unsafe impl CStruct for dmsc_node_value {
    const NAME: &'static str = "dmsc_node_value";
}

/// Begins a transaction. Its changes are seen by others when it is committed.
///
/// @param out written on success only; ended by @ref dmsc_txn_commit or @ref dmsc_txn_rollback.
/// @return DMSC_OK; DMSC_ERR_BUSY another transaction is open, a session writes, or its Atomic is open;
///         DMSC_ERR_INVALID_ARG; DMSC_ERR_STORAGE_*; DMSC_ERR_STATE.
/// Thread: any; also inside callbacks.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_txn_begin(
    client: *mut dmsc_client,
    out: *mut *mut dmsc_txn,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(out, "out")?;
        let txn = handle::give(dmsc_txn(Mutex::new(Some(client.begin()?))));
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(out, "out", txn) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Runs `body` on an open transaction.
///
/// # Safety
/// As for [`handle::get`].
unsafe fn with(txn: *mut dmsc_txn, body: impl FnOnce(&mut TreeTxn) -> Result<()>) -> i32 {
    guard(|| {
        // SAFETY: the caller's promise.
        let txn = unsafe { handle::get(txn) }?;
        let mut txn = txn.0.lock();
        let txn = txn.as_mut().ok_or_else(|| Error::new(Code::State, "the transaction is over"))?;
        body(txn).map(|()| 0)
    })
}

/// What `dmsc_txn_add` and `dmsc_txn_replace` have in common: `write` gets URI, format, type and value.
///
/// # Safety
/// As for the two.
unsafe fn write(
    txn: *mut dmsc_txn,
    uri: *const c_char,
    value: *const dmsc_node_value,
    write: impl FnOnce(&mut TreeTxn, &str, Format, Option<&str>, &[u8]) -> Result<()>,
) -> i32 {
    let body = |txn: &mut TreeTxn| {
        // SAFETY: the caller's promise.
        let uri = unsafe { handle::text(uri, "uri") }?;
        // SAFETY: the caller's promise.
        let c = unsafe { handle::read_struct(value) }?;
        // SAFETY: the caller's promise.
        let mime = unsafe { handle::optional_text(c.r#type, "type") }?;
        // SAFETY: the caller's promise.
        let data = unsafe { handle::octets(c.data, c.data_len, "data") }?;
        write(txn, uri, format_of(c.format)?, mime, data)
    };
    // SAFETY: the caller's promise.
    unsafe { with(txn, body) }
}

/// Adds a node; missing interior parents are made. The host is not bound by ACLs.
///
/// @pre `value->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_NODE_EXISTS; DMSC_ERR_NODE_NOT_ALLOWED; DMSC_ERR_NODE_FORMAT; DMSC_ERR_URI;
///         DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*. The transaction stays open.
/// Thread: one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_txn_add(
    txn: *mut dmsc_txn,
    uri: *const c_char,
    value: *const dmsc_node_value,
) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { write(txn, uri, value, TreeTxn::add) }
}

/// Replaces the value of an existing leaf, with format and type if `value->type` is not NULL.
///
/// @pre `value->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_NODE_NOT_ALLOWED; DMSC_ERR_NODE_FORMAT;
///         DMSC_ERR_URI; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*. The transaction stays open.
/// Thread: one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_txn_replace(
    txn: *mut dmsc_txn,
    uri: *const c_char,
    value: *const dmsc_node_value,
) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { write(txn, uri, value, TreeTxn::replace) }
}

/// Deletes a node with its subtree.
///
/// @return DMSC_OK; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_NODE_NOT_ALLOWED a permanent node; DMSC_ERR_URI;
///         DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*. The transaction stays open.
/// Thread: one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_txn_delete(txn: *mut dmsc_txn, uri: *const c_char) -> dmsc_result {
    // SAFETY: the caller's precondition, for both.
    unsafe { with(txn, |txn| txn.delete(handle::text(uri, "uri")?)) }
}

/// Sets a node's access control list, for example "Get=*&Replace=com.example"; "" inherits.
///
/// @return DMSC_OK; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_INVALID_ARG also for a malformed list;
///         DMSC_ERR_NODE_NOT_ALLOWED an empty list for the root; DMSC_ERR_URI; DMSC_ERR_UTF8;
///         DMSC_ERR_STORAGE_*. The transaction stays open.
/// Thread: one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_txn_set_acl(
    txn: *mut dmsc_txn,
    uri: *const c_char,
    acl: *const c_char,
) -> dmsc_result {
    let body = |txn: &mut TreeTxn| {
        // SAFETY: the caller's precondition, for both.
        let (uri, acl) = unsafe { (handle::text(uri, "uri")?, handle::text(acl, "acl")?) };
        txn.set_acl(uri, acl)
    };
    // SAFETY: the caller's precondition.
    unsafe { with(txn, body) }
}

/// Adds the nodes of a TNDS document (XML or WBXML) below `parent_uri`, all or none.
///
/// @return DMSC_OK; DMSC_ERR_SYNTAX; DMSC_ERR_NODE_EXISTS and the other errors of @ref dmsc_txn_add.
///         The transaction stays open, without any of the nodes.
/// Thread: one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_txn_import(
    txn: *mut dmsc_txn,
    parent_uri: *const c_char,
    tnds: *const u8,
    len: usize,
) -> dmsc_result {
    let body = |txn: &mut TreeTxn| {
        // SAFETY: the caller's precondition.
        let parent = unsafe { handle::text(parent_uri, "parent_uri") }?;
        // SAFETY: the caller's precondition.
        let document = unsafe { handle::octets(tnds, len, "tnds") }?;
        txn.import(parent, document)
    };
    // SAFETY: the caller's precondition.
    unsafe { with(txn, body) }
}

/// Makes the subtree `uri`, which has to be there, what a TNDS document (XML or WBXML) says: nodes that it
/// does not hold are removed, new ones made, all or nothing.
///
/// @return DMSC_OK; DMSC_ERR_SYNTAX; DMSC_ERR_NODE_NOT_FOUND and the other errors of @ref dmsc_txn_replace and
///         @ref dmsc_txn_add. The transaction stays open, without any of the changes.
/// Thread: one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_txn_import_replace(
    txn: *mut dmsc_txn,
    uri: *const c_char,
    tnds: *const u8,
    len: usize,
) -> dmsc_result {
    let body = |txn: &mut TreeTxn| {
        // SAFETY: the caller's precondition.
        let uri = unsafe { handle::text(uri, "uri") }?;
        // SAFETY: the caller's precondition.
        let document = unsafe { handle::octets(tnds, len, "tnds") }?;
        txn.import_replace(uri, document)
    };
    // SAFETY: the caller's precondition.
    unsafe { with(txn, body) }
}

/// Makes the changes durable and frees the transaction, also on failure (then nothing is changed).
///
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE the client is closed; DMSC_ERR_STORAGE_*.
/// Thread: one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_txn_commit(txn: *mut dmsc_txn) -> dmsc_result {
    guard(|| {
        // SAFETY: the caller's precondition.
        let txn = unsafe { handle::take(txn) }
            .ok_or_else(|| Error::new(Code::InvalidArg, "txn is NULL"))?;
        let open = txn.0.lock().take();
        open.ok_or_else(|| Error::new(Code::State, "the transaction is over"))?.commit()?;
        Ok(0)
    })
}

/// Drops the changes and frees the transaction; NULL is allowed.
///
/// Thread: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_txn_rollback(txn: *mut dmsc_txn) {
    guard_value((), || {
        // SAFETY: the caller's precondition.
        drop(unsafe { handle::take(txn) });
        Ok(())
    });
}
