//! A phone as a C program would write it: the calls of `dmsc.h` with their callbacks, and what they
//! left behind.

use super::sim::Sim;
use dmsc::ffi::*;
use std::collections::{BTreeMap, HashSet};
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

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

// ---- the host's storage -----------------------------------------------------------------------------

/// The host's storage, in memory, where a test can see each octet.
#[derive(Default)]
pub(crate) struct Vault {
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What load returns instead of doing it, if not 0.
    pub(crate) load_fails: AtomicI32,
    /// The same for save.
    pub(crate) save_fails: AtomicI32,
    pub(crate) saves: AtomicUsize,
    pub(crate) destroyed: AtomicUsize,
}

/// The entries of a stored blob by table number and key; secrets included.
pub(crate) type Entries = BTreeMap<(u8, Vec<u8>), Vec<u8>>;

/// Numbers of the tables in a blob.
pub(crate) const TABLE_VALUE: u8 = 2;
pub(crate) const TABLE_REPLAY: u8 = 3;

impl Vault {
    /// Everything that is stored.
    pub(crate) fn dump(&self) -> BTreeMap<String, Vec<u8>> {
        self.blobs.lock().unwrap().clone()
    }

    /// The entries without the journal, which grows with everything that is refused, too.
    pub(crate) fn state(&self) -> Entries {
        let mut entries = self.entries();
        entries.retain(|(table, _), _| *table != dmsc::store::Table::Audit as u8);
        entries
    }

    pub(crate) fn put(&self, name: &str, blob: Vec<u8>) {
        self.blobs.lock().unwrap().insert(name.to_owned(), blob);
    }

    /// The one blob, taken apart: `DMSC`, version 1, then table, key and value with their lengths, then
    /// 32 octets of digest.
    pub(crate) fn entries(&self) -> Entries {
        let blobs = self.dump();
        let blob = &blobs["dmsc.tree"];
        let mut rest = &blob[5..blob.len() - 32];
        let mut entries = Entries::new();
        let part = |rest: &mut &[u8]| {
            let (length, tail) = rest.split_first_chunk::<4>().unwrap();
            let (part, tail) = tail.split_at(u32::from_be_bytes(*length) as usize);
            *rest = tail;
            part.to_vec()
        };
        while let Some((table, tail)) = rest.split_first() {
            rest = tail;
            let key = part(&mut rest);
            let value = part(&mut rest);
            entries.insert((*table, key), value);
        }
        entries
    }

    pub(crate) fn storage(self: &Arc<Self>) -> dmsc_storage {
        dmsc_storage {
            user_data: Arc::as_ptr(self).cast::<c_void>().cast_mut(),
            load: Some(vault_load),
            save: Some(vault_save),
            remove: Some(vault_remove),
            destroy: Some(vault_destroy),
            ..blank()
        }
    }
}

unsafe fn vault<'a>(user_data: *mut c_void) -> &'a Vault {
    unsafe { &*user_data.cast::<Vault>() }
}

unsafe extern "C" fn vault_load(
    user_data: *mut c_void,
    name: *const c_char,
    out: *mut *mut dmsc_buffer,
) -> i32 {
    let vault = unsafe { vault(user_data) };
    let number = vault.load_fails.load(Ordering::SeqCst);
    if number != 0 {
        return number;
    }
    match vault.blobs.lock().unwrap().get(&text(name)) {
        Some(blob) => unsafe { dmsc_buffer_new(blob.as_ptr(), blob.len(), out) },
        None => 0,
    }
}

unsafe extern "C" fn vault_save(
    user_data: *mut c_void,
    name: *const c_char,
    data: *const u8,
    len: usize,
) -> i32 {
    let vault = unsafe { vault(user_data) };
    let number = vault.save_fails.load(Ordering::SeqCst);
    if number != 0 {
        return number;
    }
    vault.saves.fetch_add(1, Ordering::SeqCst);
    vault.put(&text(name), octets(data, len));
    0
}

unsafe extern "C" fn vault_remove(user_data: *mut c_void, name: *const c_char) -> i32 {
    unsafe { vault(user_data) }.blobs.lock().unwrap().remove(&text(name));
    0
}

unsafe extern "C" fn vault_destroy(user_data: *mut c_void) {
    unsafe { vault(user_data) }.destroyed.fetch_add(1, Ordering::SeqCst);
}

// ---- the host's ears --------------------------------------------------------------------------------

/// An event, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) kind: u32,
    pub(crate) slot: u32,
    pub(crate) session_id: u64,
    pub(crate) status: i32,
    pub(crate) phase: u32,
    pub(crate) uri: String,
    pub(crate) data: String,
    pub(crate) number: u64,
}

/// A question, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) code: u32,
    pub(crate) text: String,
    pub(crate) default_response: String,
    pub(crate) max_display_s: u32,
    pub(crate) session_id: u64,
}

/// A change of the tree, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) kind: u32,
    pub(crate) by: u32,
    pub(crate) uri: String,
    pub(crate) from: String,
    pub(crate) server_id: String,
    pub(crate) sizes: (u32, u32),
}

/// A notification as `on_trigger` saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notified {
    pub(crate) source: u32,
    pub(crate) slot: u32,
    pub(crate) session_id: u64,
    pub(crate) server_id: String,
    pub(crate) dm_session_id: u32,
    pub(crate) ui_mode: u32,
    pub(crate) by_server: u32,
}

type Hook = Arc<dyn Fn(&str) + Send + Sync>;

/// What the callbacks heard, and how they answer.
#[derive(Default)]
pub(crate) struct Ears {
    pub(crate) events: Mutex<Vec<Heard>>,
    pub(crate) questions: Mutex<Vec<Asked>>,
    pub(crate) triggers: Mutex<Vec<Notified>>,
    /// The change set of each commit.
    pub(crate) changes: Mutex<Vec<Vec<Changed>>>,
    pub(crate) threads: Mutex<HashSet<ThreadId>>,
    /// The answer to each question.
    pub(crate) outcome: AtomicU32,
    /// 1: questions are kept in `kept` instead of answered.
    pub(crate) keep: AtomicU32,
    pub(crate) kept: Mutex<Vec<Alert>>,
    pub(crate) verdict: AtomicI32,
    /// Kind, slot and address of each connection that needed consent, and the answer to it.
    pub(crate) connections: Mutex<Vec<(u32, u32, String)>>,
    pub(crate) allows: AtomicI32,
    pub(crate) destroyed: AtomicUsize,
    hook: Mutex<Option<Hook>>,
}

/// An alert that the host owns.
pub(crate) struct Alert(pub(crate) *mut dmsc_alert);

// One thread at a time, by the tests' own locks.
unsafe impl Send for Alert {}

impl Ears {
    /// Calls `hook` in each callback with its name.
    pub(crate) fn hook(&self, hook: impl Fn(&str) + Send + Sync + 'static) {
        *self.hook.lock().unwrap() = Some(Arc::new(hook));
    }

    fn called(&self, name: &str) {
        self.threads.lock().unwrap().insert(thread::current().id());
        let hook = self.hook.lock().unwrap().clone();
        if let Some(hook) = hook {
            hook(name);
        }
    }

    pub(crate) fn events(&self) -> Vec<Heard> {
        self.events.lock().unwrap().clone()
    }

    /// The events of this kind.
    pub(crate) fn of(&self, kind: dmsc_event_type) -> Vec<Heard> {
        self.events().into_iter().filter(|event| event.kind == kind as u32).collect()
    }

    /// Status, server and text of each session that has ended.
    pub(crate) fn ended(&self) -> Vec<(i32, String, String)> {
        let ended = self.of(dmsc_event_type::DMSC_EVENT_SESSION_ENDED).into_iter();
        ended.map(|event| (event.status, event.uri, event.data)).collect()
    }

    pub(crate) fn clear(&self) {
        self.events.lock().unwrap().clear();
        self.questions.lock().unwrap().clear();
        self.triggers.lock().unwrap().clear();
        self.changes.lock().unwrap().clear();
    }

    /// The change sets since the last call.
    pub(crate) fn take_changes(&self) -> Vec<Vec<Changed>> {
        std::mem::take(&mut *self.changes.lock().unwrap())
    }

    pub(crate) fn callbacks(self: &Arc<Self>) -> dmsc_callbacks {
        dmsc_callbacks {
            struct_size: size_of::<dmsc_callbacks>(),
            user_data: Arc::as_ptr(self).cast::<c_void>().cast_mut(),
            on_event: Some(on_event),
            on_alert: Some(on_alert),
            on_trigger: Some(on_trigger),
            destroy: Some(on_destroy),
            on_changes: Some(on_changes),
            on_connection: Some(on_connection),
        }
    }
}

unsafe fn ears<'a>(user_data: *mut c_void) -> &'a Ears {
    unsafe { &*user_data.cast::<Ears>() }
}

unsafe extern "C" fn on_event(user_data: *mut c_void, event: *const dmsc_event) {
    let (ears, event) = unsafe { (ears(user_data), &*event) };
    ears.events.lock().unwrap().push(Heard {
        kind: event.r#type,
        slot: event.slot,
        session_id: event.session_id,
        status: event.status,
        phase: event.phase,
        uri: text(event.uri),
        data: String::from_utf8(octets(event.data, event.data_len)).unwrap(),
        number: event.number,
    });
    ears.called("event");
}

unsafe extern "C" fn on_alert(user_data: *mut c_void, alert: *mut dmsc_alert) {
    let ears = unsafe { ears(user_data) };
    let mut info = blank::<dmsc_alert_info>();
    check(unsafe { dmsc_alert_info_get(alert, &raw mut info) }).unwrap();
    ears.questions.lock().unwrap().push(Asked {
        code: info.code,
        text: text(info.text),
        default_response: text(info.default_response),
        max_display_s: info.max_display_s,
        session_id: info.session_id,
    });
    ears.called("alert");
    if ears.keep.load(Ordering::SeqCst) == 1 {
        ears.kept.lock().unwrap().push(Alert(alert));
    } else {
        // Another thread may have closed the client meanwhile.
        if let Err(failure) = answer(alert, ears.outcome.load(Ordering::SeqCst)) {
            assert_eq!(failure.status, -5, "{}", failure.message);
        }
    }
}

unsafe extern "C" fn on_trigger(user_data: *mut c_void, trigger: *const dmsc_trigger_info) -> i32 {
    let (ears, trigger) = unsafe { (ears(user_data), &*trigger) };
    ears.triggers.lock().unwrap().push(Notified {
        source: trigger.source,
        slot: trigger.slot,
        session_id: trigger.session_id,
        server_id: text(trigger.server_id),
        dm_session_id: trigger.dm_session_id,
        ui_mode: trigger.ui_mode,
        by_server: trigger.by_server,
    });
    ears.called("trigger");
    ears.verdict.load(Ordering::SeqCst)
}

unsafe extern "C" fn on_connection(
    user_data: *mut c_void,
    connection: *const dmsc_connection_info,
) -> i32 {
    let (ears, info) = unsafe { (ears(user_data), &*connection) };
    let place = format!("{}:{}", text(info.address), info.port);
    ears.connections.lock().unwrap().push((info.kind, info.slot, place));
    ears.called("connection");
    ears.allows.load(Ordering::SeqCst)
}

unsafe extern "C" fn on_changes(
    user_data: *mut c_void,
    changes: *const *const dmsc_change,
    count: usize,
) {
    let ears = unsafe { ears(user_data) };
    let changes = unsafe { std::slice::from_raw_parts(changes, count) };
    let copied = changes.iter().map(|change| {
        let change = unsafe { &**change };
        Changed {
            kind: change.kind,
            by: change.by,
            uri: text(change.uri),
            from: text(change.from),
            server_id: text(change.server_id),
            sizes: (change.old_size, change.new_size),
        }
    });
    ears.changes.lock().unwrap().push(copied.collect());
    ears.called("changes");
}

unsafe extern "C" fn on_destroy(user_data: *mut c_void) {
    unsafe { ears(user_data) }.destroyed.fetch_add(1, Ordering::SeqCst);
}

/// Answers an alert with a dmsc_alert_outcome number.
pub(crate) fn answer(alert: *mut dmsc_alert, outcome: u32) -> Result<i32, Failure> {
    let reply = dmsc_alert_reply { outcome, ..blank() };
    check(unsafe { dmsc_alert_answer(alert, &raw const reply) })
}

// ---- the phone --------------------------------------------------------------------------------------

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

/// An empty directory for one test.
pub(crate) fn directory(name: &str) -> std::path::PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}
