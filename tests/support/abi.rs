//! A phone as a C program would write it: the calls of `dmsc.h` with their callbacks, and what they
//! left behind.

mod ears;
mod handles;
mod vault;

pub(crate) use ears::*;
pub(crate) use handles::*;
pub(crate) use vault::*;

use super::sim::Sim;
use dmsc::ffi::*;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Arc;

/// A struct of the C API with nothing in it but its size.
pub(crate) fn blank<T: Copy>() -> T {
    assert!(size_of::<T>() >= size_of::<usize>());
    unsafe {
        let mut blank = std::mem::zeroed::<T>();
        (&raw mut blank).cast::<usize>().write(size_of::<T>());
        blank
    }
}

pub(crate) fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

pub(crate) fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned()
}

fn octets(data: *const u8, len: usize) -> Vec<u8> {
    if len == 0 {
        return Vec::new();
    }
    unsafe { std::slice::from_raw_parts(data, len) }.to_vec()
}

/// The octets of a buffer, which is freed.
pub(crate) fn take_buffer(buffer: *mut dmsc_buffer) -> Vec<u8> {
    unsafe {
        let taken = octets(dmsc_buffer_data(buffer), dmsc_buffer_len(buffer));
        dmsc_buffer_free(buffer);
        taken
    }
}

/// A failed call with all that the library says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: i32,
    pub(crate) message: String,
    pub(crate) card_sw: u32,
    pub(crate) http_status: u32,
    pub(crate) os_error: i32,
}

/// This thread's last error text.
pub(crate) fn last_message() -> String {
    text(dmsc_last_error_message())
}

/// The number of a successful call, or what the library says of its failure.
pub(crate) fn check(number: i32) -> Result<i32, Failure> {
    let mut info = blank::<dmsc_error_info>();
    let message = last_message();
    assert_eq!(unsafe { dmsc_last_error_info(&raw mut info) }, 0);
    if number >= 0 {
        assert_eq!((message.as_str(), info.status), ("", 0), "a call that went well left an error");
        return Ok(number);
    }
    assert_eq!(info.status, number, "{message}");
    assert_ne!(message, "", "no text for {number}");
    Err(Failure {
        status: number,
        message,
        card_sw: info.card_sw,
        http_status: info.http_status,
        os_error: info.os_error,
    })
}

/// Where a phone keeps its data.
#[derive(Clone, Copy)]
pub(crate) enum Keep<'a> {
    Nothing,
    Directory(&'a Path),
    Vault(&'a Arc<Vault>),
}

/// A client with its callbacks. The cards it uses have to outlive it.
pub(crate) struct Phone {
    pub(crate) client: *mut dmsc_client,
    pub(crate) ears: Arc<Ears>,
    /// What the storage's callbacks point to.
    _vault: Option<Arc<Vault>>,
}

// dmsc_client may be used by several threads at once.
unsafe impl Send for Phone {}
unsafe impl Sync for Phone {}

pub(crate) const DEVICE: &str = "IMEI:004999010640000";

impl Phone {
    pub(crate) fn new(keep: Keep<'_>) -> Self {
        Self::try_new(keep, &Arc::new(Ears::default())).unwrap()
    }

    pub(crate) fn try_new(keep: Keep<'_>, ears: &Arc<Ears>) -> Result<Self, Failure> {
        Self::configured(keep, ears, |_| {})
    }

    /// A phone with another configuration.
    pub(crate) fn configured(
        keep: Keep<'_>,
        ears: &Arc<Ears>,
        configure: impl FnOnce(&mut dmsc_config),
    ) -> Result<Self, Failure> {
        let directory = match keep {
            Keep::Directory(path) => Some(c(path.to_str().unwrap())),
            _ => None,
        };
        let storage = match keep {
            Keep::Vault(vault) => Some(vault.storage()),
            _ => None,
        };
        let texts = [DEVICE, "Example", "Phone", "en-US", "1.0"].map(c);
        let mut config = blank::<dmsc_config>();
        unsafe { dmsc_config_init(&raw mut config, size_of::<dmsc_config>()) };
        config.data_dir = directory.as_ref().map_or(null(), |text| text.as_ptr());
        config.storage = storage.as_ref().map_or(null(), std::ptr::from_ref);
        config.device_id = texts[0].as_ptr();
        config.manufacturer = texts[1].as_ptr();
        config.model = texts[2].as_ptr();
        config.language = texts[3].as_ptr();
        config.software_version = texts[4].as_ptr();
        configure(&mut config);
        let callbacks = ears.callbacks();
        let mut client = null_mut();
        check(unsafe {
            dmsc_client_new(&raw const config, &raw const callbacks, &raw mut client)
        })?;
        assert!(!client.is_null());
        let _vault = match keep {
            Keep::Vault(vault) => Some(Arc::clone(vault)),
            _ => None,
        };
        Ok(Self { client, ears: Arc::clone(ears), _vault })
    }

    pub(crate) fn open(&self, sim: &Sim, slot: u32) -> Result<OpenCard, Failure> {
        self.open_transport(&sim.transport(), slot)
    }

    pub(crate) fn open_transport(
        &self,
        transport: &dmsc_card_transport,
        slot: u32,
    ) -> Result<OpenCard, Failure> {
        let mut card = null_mut();
        check(unsafe { dmsc_card_open(self.client, slot, transport, &raw mut card) })?;
        Ok(OpenCard(card))
    }

    /// Card open, bootstrap applied, toolkit running and at rest.
    pub(crate) fn ready(&self, sim: &Sim) -> OpenCard {
        let card = self.open(sim, 0).unwrap();
        card.bootstrap().unwrap();
        card.toolkit_start().unwrap();
        self.settle();
        card
    }

    pub(crate) fn run_once(&self, timeout_ms: u32) -> Result<i32, Failure> {
        check(unsafe { dmsc_client_run_once(self.client, timeout_ms) })
    }

    /// Handles everything that is due.
    pub(crate) fn settle(&self) {
        for _ in 0..100_000 {
            match self.run_once(0).unwrap() {
                0 => {}
                2 => return,
                other => panic!("run_once gave {other}"),
            }
        }
        panic!("the client never comes to rest");
    }

    /// Hands over a push; the id of the session that follows.
    pub(crate) fn deliver(&self, push: &[u8]) -> Result<u64, Failure> {
        let mut id = 0;
        let trigger =
            dmsc_trigger { source: 0, data: push.as_ptr(), data_len: push.len(), ..blank() };
        let number =
            unsafe { dmsc_client_deliver_trigger(self.client, &raw const trigger, &raw mut id) };
        assert_eq!(check(number)?, 1);
        Ok(id)
    }

    /// Asks for a session; `None`: with the only account.
    pub(crate) fn start_session(&self, server_id: Option<&str>) -> Result<OpenSession, Failure> {
        let server_id = server_id.map(c);
        let server_id = server_id.as_ref().map_or(null(), |text| text.as_ptr());
        let request = dmsc_session_request { server_id, ..blank() };
        let mut session = null_mut();
        check(unsafe { dmsc_session_start(self.client, &raw const request, &raw mut session) })?;
        Ok(OpenSession(session))
    }

    pub(crate) fn get(&self, uri: &str) -> Result<String, Failure> {
        let (uri, mut value) = (c(uri), null_mut());
        check(unsafe { dmsc_tree_get(self.client, uri.as_ptr(), &raw mut value) })?;
        Ok(String::from_utf8(take_buffer(value)).unwrap())
    }

    /// The names below `uri`, with the formats.
    pub(crate) fn children(&self, uri: &str) -> Result<Vec<(String, u32)>, Failure> {
        unsafe extern "C" fn visit(
            list: *mut c_void,
            name: *const c_char,
            info: *const dmsc_node_info,
        ) -> bool {
            let list = unsafe { &mut *list.cast::<Vec<(String, u32)>>() };
            list.push((text(name), unsafe { (*info).format }));
            true
        }
        let (uri, mut list) = (c(uri), Vec::<(String, u32)>::new());
        check(unsafe {
            let list = (&raw mut list).cast::<c_void>();
            dmsc_tree_children(self.client, uri.as_ptr(), Some(visit), list)
        })?;
        Ok(list)
    }

    pub(crate) fn names(&self, uri: &str) -> Vec<String> {
        self.children(uri).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    /// Every leaf below `uri` with its value; those that are not given away as `(hidden)`. Without the
    /// library's own part, where the journal shows.
    pub(crate) fn tree(&self, uri: &str) -> BTreeMap<String, String> {
        let mut leaves = BTreeMap::new();
        for (name, format) in self.children(uri).unwrap() {
            let child = format!("{uri}/{name}");
            if child == "./Ext/DMSC" {
                continue;
            }
            if format == 0 {
                leaves.extend(self.tree(&child));
                leaves.insert(child + "/", String::new());
                continue;
            }
            let value = match self.get(&child) {
                Ok(value) => value,
                Err(failure) => {
                    assert_eq!(failure.status, -503, "{}", failure.message);
                    "(hidden)".to_owned()
                }
            };
            leaves.insert(child, value);
        }
        leaves
    }

    pub(crate) fn export(&self, uri: &str, format: u32) -> Result<Vec<u8>, Failure> {
        let (uri, mut out) = (c(uri), null_mut());
        check(unsafe { dmsc_tree_export(self.client, uri.as_ptr(), format, &raw mut out) })?;
        Ok(take_buffer(out))
    }

    /// Queues a generic alert of this type with text as data; its number.
    pub(crate) fn queue(
        &self,
        server_id: Option<&str>,
        kind: &str,
        data: &str,
        more: impl FnOnce(&mut dmsc_generic_alert),
    ) -> Result<u64, Failure> {
        let (server_id, kind) = (server_id.map(c), c(kind));
        let mut alert = dmsc_generic_alert {
            server_id: server_id.as_ref().map_or(null(), |text| text.as_ptr()),
            r#type: kind.as_ptr(),
            data: data.as_ptr(),
            data_len: data.len(),
            ..blank()
        };
        more(&mut alert);
        let mut number = 0;
        check(unsafe { dmsc_client_queue_alert(self.client, &raw const alert, &raw mut number) })?;
        Ok(number)
    }

    pub(crate) fn begin(&self) -> OpenTxn {
        let mut txn = null_mut();
        check(unsafe { dmsc_txn_begin(self.client, &raw mut txn) }).unwrap();
        OpenTxn(txn)
    }

    /// Commits what `work` does.
    pub(crate) fn change(&self, work: impl FnOnce(&OpenTxn)) {
        let txn = self.begin();
        work(&txn);
        txn.commit().unwrap();
    }

    pub(crate) fn start(&self) -> Result<i32, Failure> {
        check(unsafe { dmsc_client_start(self.client) })
    }

    pub(crate) fn stop(&self, timeout_ms: u32) -> Result<i32, Failure> {
        check(unsafe { dmsc_client_stop(self.client, timeout_ms) })
    }

    /// Frees the client now instead of at the end.
    pub(crate) fn free(mut self) {
        unsafe { dmsc_client_free(std::mem::replace(&mut self.client, null_mut())) };
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        unsafe { dmsc_client_free(self.client) };
        for Alert(alert) in self.ears.kept.lock().unwrap().drain(..) {
            let _ = answer(alert, 2);
        }
    }
}

/// An empty directory for one test.
pub(crate) fn directory(name: &str) -> std::path::PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}
