//! Open cards, sessions and transactions.

use super::{Failure, blank, c, check, take_buffer};
use dmsc::ffi::*;
use std::ptr::null_mut;

/// An open card.
#[derive(Clone, Copy)]
pub(crate) struct OpenCard(pub(crate) *mut dmsc_card);

// dmsc_card may be used by several threads at once.
unsafe impl Send for OpenCard {}
unsafe impl Sync for OpenCard {}

/// A session of the host.
#[derive(Clone, Copy)]
pub(crate) struct OpenSession(pub(crate) *mut dmsc_session);

// dmsc_session may be used by several threads at once.
unsafe impl Send for OpenSession {}
unsafe impl Sync for OpenSession {}

impl OpenCard {
    pub(crate) fn bootstrap(self) -> Result<dmsc_bootstrap_report, Failure> {
        let mut report = blank();
        check(unsafe { dmsc_card_bootstrap(self.0, &raw mut report) })?;
        Ok(report)
    }

    pub(crate) fn toolkit_start(self) -> Result<i32, Failure> {
        check(unsafe { dmsc_card_toolkit_start(self.0) })
    }

    pub(crate) fn info(self) -> Result<dmsc_card_info, Failure> {
        let mut info = blank();
        check(unsafe { dmsc_card_info_get(self.0, &raw mut info) })?;
        Ok(info)
    }

    pub(crate) fn transmit(self, command: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut response = null_mut();
        check(unsafe {
            dmsc_card_transmit(self.0, command.as_ptr(), command.len(), &raw mut response)
        })?;
        Ok(take_buffer(response))
    }

    pub(crate) fn cancel(self) -> Result<i32, Failure> {
        check(unsafe { dmsc_card_cancel(self.0) })
    }

    pub(crate) fn notify(self, event: dmsc_card_event) -> Result<i32, Failure> {
        check(unsafe { dmsc_card_notify(self.0, event as u32) })
    }

    pub(crate) fn close(self) {
        unsafe { dmsc_card_close(self.0) };
    }
}

impl OpenSession {
    pub(crate) fn id(self) -> u64 {
        unsafe { dmsc_session_id(self.0) }
    }

    pub(crate) fn info(self) -> Result<dmsc_session_info, Failure> {
        let mut info = blank();
        check(unsafe { dmsc_session_info_get(self.0, &raw mut info) })?;
        Ok(info)
    }

    /// The call's number and the state it gave.
    pub(crate) fn wait(self, timeout_ms: u32) -> Result<(i32, dmsc_session_info), Failure> {
        let mut info = blank();
        let number = check(unsafe { dmsc_session_wait(self.0, timeout_ms, &raw mut info) })?;
        Ok((number, info))
    }

    pub(crate) fn cancel(self) {
        unsafe { dmsc_session_cancel(self.0) };
    }

    pub(crate) fn free(self) {
        unsafe { dmsc_session_free(self.0) };
    }
}

/// A transaction of the host; its calls have to succeed, but for those named `try_`.
pub(crate) struct OpenTxn(pub(crate) *mut dmsc_txn);

impl OpenTxn {
    pub(crate) fn try_add(&self, uri: &str, value: &str) -> Result<i32, Failure> {
        let (uri, value) = (c(uri), leaf(value));
        check(unsafe { dmsc_txn_add(self.0, uri.as_ptr(), &raw const value) })
    }

    pub(crate) fn try_replace(&self, uri: &str, value: &str) -> Result<i32, Failure> {
        let (uri, value) = (c(uri), leaf(value));
        check(unsafe { dmsc_txn_replace(self.0, uri.as_ptr(), &raw const value) })
    }

    pub(crate) fn try_delete(&self, uri: &str) -> Result<i32, Failure> {
        let uri = c(uri);
        check(unsafe { dmsc_txn_delete(self.0, uri.as_ptr()) })
    }

    pub(crate) fn add(&self, uri: &str, value: &str) {
        self.try_add(uri, value).unwrap();
    }

    pub(crate) fn replace(&self, uri: &str, value: &str) {
        self.try_replace(uri, value).unwrap();
    }

    pub(crate) fn delete(&self, uri: &str) {
        self.try_delete(uri).unwrap();
    }

    pub(crate) fn acl(&self, uri: &str, acl: &str) {
        let (uri, acl) = (c(uri), c(acl));
        check(unsafe { dmsc_txn_set_acl(self.0, uri.as_ptr(), acl.as_ptr()) }).unwrap();
    }

    pub(crate) fn commit(self) -> Result<i32, Failure> {
        check(unsafe { dmsc_txn_commit(self.0) })
    }

    pub(crate) fn rollback(self) {
        unsafe { dmsc_txn_rollback(self.0) };
    }
}

/// A text leaf; valid as long as `text`.
fn leaf(text: &str) -> dmsc_node_value {
    dmsc_node_value { format: 1, data: text.as_ptr(), data_len: text.len(), ..blank() }
}
