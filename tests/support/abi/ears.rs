//! The host's callbacks, and what they heard.

use super::{Failure, blank, check, octets, text};
use dmsc::ffi::*;
use std::collections::HashSet;
use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

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
