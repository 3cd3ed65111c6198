//! `dmsc_client`: the DM client and who drives it.

use super::callbacks::{Callbacks, dmsc_callbacks};
use super::config::{self, dmsc_config};
use super::destroy::Acceptance;
use super::guard::{guard, guard_value};
use super::handle::{self, Handle};
use super::keys::HostKeys;
use super::status::{dmsc_result, dmsc_status};
use super::storage::HostStorage;
use crate::client::{Client, Environment};
use crate::config::Config;
use crate::driver::Ran;
use crate::error::Result;
#[cfg(not(feature = "redb"))]
use crate::error::{Code, Error};
use crate::store::Store;
use crate::store::blob::{BlobKeys, BlobStorage, BlobStore};
use crate::store::key_file::KeyFiles;
use crate::store::memory::MemoryStore;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The DM client: cards, sessions, management tree and store. Any thread may use it at the same time.
#[derive(Debug)]
pub struct dmsc_client {
    pub(super) client: Client,
}

impl Handle for dmsc_client {
    const NAME: &'static str = "client";
}

impl dmsc_client {
    /// Runs `body` on the client of a handle; a panic makes this client unusable.
    ///
    /// # Safety
    /// As for [`handle::get`].
    pub(super) unsafe fn guard(
        client: *const Self,
        body: impl FnOnce(&Client) -> Result<i32>,
    ) -> i32 {
        // SAFETY: the caller's promise.
        guard(|| unsafe { handle::get(client) }?.client.poison_on_panic(body))
    }
}

/// Makes a client and opens its store.
///
/// Both structs are copied with everything they point to; nothing has to outlive the call but what
/// `user_data` stands for.
/// @pre `config->struct_size` and `callbacks->struct_size` are set; `callbacks` may be NULL.
/// @param out the new client; written on success only; free it with @ref dmsc_client_free.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, no device_id, a size out of range); DMSC_ERR_UTF8;
///         DMSC_ERR_NOT_SUPPORTED (data_dir without the feature "redb");
///         DMSC_ERR_BUSY (another process uses the store); DMSC_ERR_STORAGE_IO, _CORRUPT, _FULL;
///         DMSC_ERR_STORAGE_VERSION (written by a newer library); DMSC_ERR_STORAGE_KEY (its key is missing
///         or another one, or others may read the key's file); DMSC_ERR_URI (a malformed pattern);
///         DMSC_ERR_TOO_LARGE (too many patterns); a negative number of the host's storage or keys.
///         On failure no destroy function is called, and a store that was there is as it was.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_new(
    config: *const dmsc_config,
    callbacks: *const dmsc_callbacks,
    out: *mut *mut dmsc_client,
) -> dmsc_result {
    guard(|| {
        handle::not_null(out, "out")?;
        // SAFETY: the caller's precondition.
        let c_config = unsafe { handle::read_struct(config) }?;
        // SAFETY: the caller's precondition.
        let mut config = unsafe { config::read(&c_config) }?;
        // SAFETY: the caller's precondition.
        let callbacks = unsafe { Callbacks::read(callbacks) }?;
        let mut accepted = vec![callbacks.user.acceptance()];
        // SAFETY: the caller's precondition.
        let store = unsafe { open_store(&c_config, &mut config, &mut accepted) }?;
        let client = Client::new(config, store, Environment::system(), Box::new(callbacks))?;
        for user_data in accepted {
            user_data.accept();
        }
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(out, "out", handle::give(dmsc_client { client })) }?;
        Ok(0)
    })
}

/// Opens the store of `c`, and notes in `config` where its keys are.
///
/// # Safety
/// The pointers of `c` are NULL or valid.
unsafe fn open_store(
    c: &dmsc_config,
    config: &mut Config,
    accepted: &mut Vec<Acceptance>,
) -> Result<Arc<dyn Store>> {
    // SAFETY: the caller's promise.
    let data_dir = unsafe { handle::optional_text(c.data_dir, "data_dir") }?.map(Path::new);
    let storage: Option<Arc<dyn BlobStorage>> = match data_dir {
        None if !c.storage.is_null() => {
            // SAFETY: the caller's promise.
            let storage = unsafe { HostStorage::read(c.storage) }?;
            accepted.push(storage.user.acceptance());
            Some(Arc::new(storage))
        }
        _ => None,
    };
    config.keys = match (data_dir, &storage) {
        _ if !c.keys.is_null() => {
            // SAFETY: the caller's promise.
            let keys = unsafe { HostKeys::read(c.keys) }?;
            accepted.push(keys.user.acceptance());
            Some(Arc::new(keys))
        }
        (Some(directory), _) => Some(Arc::new(KeyFiles::new(directory))),
        (None, Some(storage)) => Some(Arc::new(BlobKeys::new(storage.clone()))),
        (None, None) => None,
    };
    match (data_dir, storage) {
        (Some(directory), _) => built_in_store(directory),
        (None, Some(storage)) => Ok(Arc::new(BlobStore::open(storage)?)),
        (None, None) => Ok(Arc::new(MemoryStore::default())),
    }
}

#[cfg(feature = "redb")]
fn built_in_store(directory: &Path) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(crate::store::redb::RedbStore::open(directory)?))
}

#[cfg(not(feature = "redb"))]
fn built_in_store(_: &Path) -> Result<Arc<dyn Store>> {
    Err(Error::new(Code::NotSupported, "this build has no built-in store: give a storage"))
}

/// Closes the client: ends its thread, aborts its session, closes its cards; NULL is allowed.
///
/// Handles of its cards, sessions, alerts and transactions stay valid to be freed, in any order; their
/// other functions return DMSC_ERR_STATE from now on. Must be the last use of `client`. Inside a callback
/// of this client it takes effect when the callback has returned.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_client_free(client: *mut dmsc_client) {
    guard_value((), || {
        // SAFETY: the caller's precondition.
        if let Some(client) = unsafe { handle::take(client) } {
            client.client.close();
        }
        Ok(())
    });
}

/// Makes a new key and seals the store's secrets with it, all or nothing; then forgets the old key.
///
/// The old key stays in use when this fails. What was sealed with the old key is also taken from the
/// built-in store's file, as far as the file system lets go of it.
/// @return DMSC_OK; DMSC_ERR_BUSY a transaction is open or a session writes; DMSC_ERR_NOT_SUPPORTED nothing
///         is kept; DMSC_ERR_STORAGE_*; a negative number of the host's storage or keys; DMSC_ERR_STATE.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_rotate_key(client: *mut dmsc_client) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, |client| client.rotate_key().map(|()| 0)) }
}

/// Handles what is due - card, timers, session, answers - and waits for it at most `timeout_ms`.
///
/// For a host with an event loop of its own; makes this thread the driving thread until it returns.
/// @param timeout_ms longest wait in milliseconds; 0 only looks.
/// @return DMSC_OK something was done (call again); DMSC_TIMED_OUT nothing was due;
///         DMSC_ERR_BUSY another thread drives; DMSC_ERR_REENTRANT inside a callback; DMSC_ERR_STATE.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_run_once(
    client: *mut dmsc_client,
    timeout_ms: u32,
) -> dmsc_result {
    let timeout = Duration::from_millis(timeout_ms.into());
    let body = |client: &Client| {
        Ok(match client.run_once(timeout)? {
            Ran::Something => dmsc_status::DMSC_OK as i32,
            Ran::Nothing => dmsc_status::DMSC_TIMED_OUT as i32,
        })
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Milliseconds until @ref dmsc_client_run_once has something to do by itself; UINT64_MAX if only an
/// outside call can give it something. 0 for NULL.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_client_next_deadline_ms(client: *const dmsc_client) -> u64 {
    guard_value(0, || {
        // SAFETY: the caller's precondition.
        let client = unsafe { handle::get(client) }?;
        let time = client.client.idle_time();
        Ok(time.map_or(u64::MAX, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    })
}

/// Ends the wait of a @ref dmsc_client_run_once in another thread; NULL is allowed.
///
/// Thread: any, also a signal-handling thread (not a signal handler).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_client_wake(client: *mut dmsc_client) {
    guard_value((), || {
        // SAFETY: the caller's precondition.
        unsafe { handle::get(client) }?.client.wake();
        Ok(())
    });
}

/// Starts a thread of the library that drives the client until @ref dmsc_client_stop.
///
/// @return DMSC_OK; DMSC_ERR_STATE it runs already; DMSC_ERR_NO_MEMORY no thread could be made;
///         DMSC_ERR_REENTRANT inside a callback.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_start(client: *mut dmsc_client) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, |client| client.start().map(|()| 0)) }
}

/// Ends the thread of @ref dmsc_client_start when it has finished what it is doing.
///
/// A session is not aborted; it goes on with the next start or run_once.
/// @param timeout_ms longest wait in milliseconds.
/// @return DMSC_OK (also when no thread runs); DMSC_TIMED_OUT it still works on something and will end
///         after it; DMSC_ERR_REENTRANT inside a callback.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_stop(
    client: *mut dmsc_client,
    timeout_ms: u32,
) -> dmsc_result {
    let timeout = Duration::from_millis(timeout_ms.into());
    let body = |client: &Client| {
        let ended = client.stop(timeout)?;
        Ok(if ended { dmsc_status::DMSC_OK } else { dmsc_status::DMSC_TIMED_OUT } as i32)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}
