//! A host program that uses the library through its C API, as a C program would.

use crate::support::daemon::PATIENCE;
use dmsc::ffi::*;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::ptr::{null, null_mut};
use std::time::Instant;

/// A failed call.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: i32,
    pub(crate) text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.status, self.text)
    }
}

/// The outcome of a call that returned `status`.
fn outcome(status: i32) -> Result<(), Failure> {
    let text = text(dmsc_last_error_message());
    if status < 0 { Err(Failure { status, text }) } else { Ok(()) }
}

/// A text of the library; empty for NULL.
fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: every text that the library gives ends with NUL, and is valid here.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// The octets of `buffer`, which is freed.
fn octets(buffer: *mut dmsc_buffer) -> Vec<u8> {
    // SAFETY: the buffer is ours, and this is its last use.
    unsafe {
        let data = dmsc_buffer_data(buffer);
        let octets = std::slice::from_raw_parts(data, dmsc_buffer_len(buffer)).to_vec();
        dmsc_buffer_free(buffer);
        octets
    }
}

/// The names of the readers.
pub(crate) fn readers() -> Result<Vec<String>, Failure> {
    let mut out = null_mut();
    // SAFETY: `out` is valid for the call.
    outcome(unsafe { dmsc_pcsc_list_readers(&raw mut out) })?;
    Ok(String::from_utf8(octets(out)).unwrap().lines().map(str::to_owned).collect())
}

/// An event that was heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// A dmsc_event_type number.
    pub(crate) kind: u32,
    pub(crate) slot: u32,
    pub(crate) status: i32,
    pub(crate) phase: u32,
    pub(crate) text: String,
}

/// What the callbacks heard.
#[derive(Default)]
pub(crate) struct Ears {
    pub(crate) events: Vec<Heard>,
    pub(crate) triggers: Vec<(u32, String)>,
    pub(crate) questions: Vec<String>,
    /// What to do in the callback of the next event of this kind.
    reaction: Option<(dmsc_event_type, Box<dyn FnOnce()>)>,
}

impl Ears {
    /// The events of one kind.
    pub(crate) fn of(&self, kind: dmsc_event_type) -> impl Iterator<Item = &Heard> {
        self.events.iter().filter(move |event| event.kind == kind as u32)
    }
}

unsafe extern "C" fn on_event(ears: *mut c_void, event: *const dmsc_event) {
    // SAFETY: `ears` is what Phone::new gave, and lives as long as the client.
    let ears = unsafe { &*ears.cast::<RefCell<Ears>>() };
    // SAFETY: the event is valid until this function returns.
    let event = unsafe { &*event };
    let kind = event.r#type;
    let text = match event.data_len {
        0 => String::new(),
        // SAFETY: the event's octets are valid until this function returns.
        len => String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(event.data, len) })
            .into_owned(),
    };
    let mut ears = ears.borrow_mut();
    let (status, phase) = (event.status, event.phase);
    ears.events.push(Heard { kind, slot: event.slot, status, phase, text });
    let is_awaited = ears.reaction.as_ref().is_some_and(|(awaited, _)| *awaited as u32 == kind);
    let reaction = if is_awaited { ears.reaction.take() } else { None };
    drop(ears);
    if let Some((_, act)) = reaction {
        act();
    }
}

unsafe extern "C" fn on_alert(ears: *mut c_void, alert: *mut dmsc_alert) {
    // SAFETY: `ears` is what Phone::new gave, and lives as long as the client.
    let ears = unsafe { &*ears.cast::<RefCell<Ears>>() };
    // SAFETY: integers and pointers, for which zero is a value.
    let (mut info, mut reply) =
        unsafe { (std::mem::zeroed::<dmsc_alert_info>(), std::mem::zeroed::<dmsc_alert_reply>()) };
    info.struct_size = size_of::<dmsc_alert_info>();
    reply.struct_size = size_of::<dmsc_alert_reply>();
    reply.outcome = dmsc_alert_outcome::DMSC_ALERT_ACCEPTED as u32;
    // SAFETY: the alert is ours until it is answered, and the structs have their sizes.
    unsafe {
        outcome(dmsc_alert_info_get(alert, &raw mut info)).unwrap();
        ears.borrow_mut().questions.push(text(info.text));
        outcome(dmsc_alert_answer(alert, &raw const reply)).unwrap();
    }
}

unsafe extern "C" fn on_trigger(ears: *mut c_void, trigger: *const dmsc_trigger_info) -> i32 {
    // SAFETY: `ears` is what Phone::new gave, and lives as long as the client.
    let ears = unsafe { &*ears.cast::<RefCell<Ears>>() };
    // SAFETY: the struct is valid until this function returns.
    let trigger = unsafe { &*trigger };
    ears.borrow_mut().triggers.push((trigger.source, text(trigger.server_id)));
    dmsc_trigger_verdict::DMSC_TRIGGER_ACCEPT as i32
}

/// An open card.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CardHandle(*mut dmsc_card);

// SAFETY: any thread may use a card, by contract of its functions.
unsafe impl Send for CardHandle {}

impl CardHandle {
    pub(crate) fn transmit(self, apdu: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut response = null_mut();
        // SAFETY: an open card, octets with their length, and `response` is valid for the call.
        let status =
            unsafe { dmsc_card_transmit(self.0, apdu.as_ptr(), apdu.len(), &raw mut response) };
        outcome(status).map(|()| octets(response))
    }

    pub(crate) fn cancel(self) -> Result<(), Failure> {
        // SAFETY: an open card.
        outcome(unsafe { dmsc_card_cancel(self.0) })
    }

    pub(crate) fn close(self) {
        // SAFETY: a card that was opened, and this is its last use.
        unsafe { dmsc_card_close(self.0) }
    }
}

/// The host program: one client with a store in memory.
pub(crate) struct Phone {
    client: *mut dmsc_client,
    ears: Box<RefCell<Ears>>,
}

impl Phone {
    pub(crate) fn new() -> Self {
        let ears = Box::new(RefCell::new(Ears::default()));
        let callbacks = dmsc_callbacks {
            struct_size: size_of::<dmsc_callbacks>(),
            user_data: (&raw const *ears).cast_mut().cast(),
            on_event: Some(on_event),
            on_alert: Some(on_alert),
            on_trigger: Some(on_trigger),
            destroy: None,
            on_changes: None,
            on_connection: None,
        };
        // SAFETY: integers and pointers, for which zero is a value.
        let mut config: dmsc_config = unsafe { std::mem::zeroed() };
        let mut client = null_mut();
        // SAFETY: the structs have their sizes, and the texts end with NUL.
        let status = unsafe {
            dmsc_config_init(&raw mut config, size_of::<dmsc_config>());
            config.device_id = c"IMEI:004999010640000".as_ptr();
            config.software_version = c"1.0".as_ptr();
            dmsc_client_new(&raw const config, &raw const callbacks, &raw mut client)
        };
        outcome(status).unwrap();
        Self { client, ears }
    }

    /// What was heard so far. Let go of it before the next call of the library.
    pub(crate) fn heard(&self) -> std::cell::Ref<'_, Ears> {
        self.ears.borrow()
    }

    /// Does `act` in the callback of the next event of `kind`.
    pub(crate) fn at_next(&self, kind: dmsc_event_type, act: impl FnOnce() + 'static) {
        self.ears.borrow_mut().reaction = Some((kind, Box::new(act)));
    }

    pub(crate) fn open(&self, slot: u32, reader: Option<&str>) -> Result<CardHandle, Failure> {
        let reader = reader.map(|reader| CString::new(reader).unwrap());
        let reader = reader.as_ref().map_or(null(), |reader| reader.as_ptr());
        let mut card = null_mut();
        // SAFETY: the client lives, the text ends with NUL, `card` is valid for the call.
        outcome(unsafe { dmsc_card_open_pcsc(self.client, slot, reader, &raw mut card) })?;
        Ok(CardHandle(card))
    }

    /// For this program alone.
    pub(crate) fn open_alone(&self, slot: u32) -> Result<CardHandle, Failure> {
        let mut card = null_mut();
        // SAFETY: the client lives, `card` is valid for the call.
        outcome(unsafe {
            dmsc_card_open_pcsc_exclusive(self.client, slot, null(), &raw mut card)
        })?;
        Ok(CardHandle(card))
    }

    /// Tells of a reset.
    pub(crate) fn reset(&self, card: CardHandle) {
        // SAFETY: an open card.
        outcome(unsafe { dmsc_card_notify(card.0, dmsc_card_event::DMSC_CARD_RESET as u32) })
            .unwrap();
    }

    pub(crate) fn card_info(&self, card: CardHandle) -> dmsc_card_info {
        // SAFETY: integers, for which zero is a value.
        let mut info: dmsc_card_info = unsafe { std::mem::zeroed() };
        info.struct_size = size_of::<dmsc_card_info>();
        // SAFETY: an open card, and the struct has its size.
        outcome(unsafe { dmsc_card_info_get(card.0, &raw mut info) }).unwrap();
        info
    }

    pub(crate) fn bootstrap(&self, card: CardHandle) -> Result<dmsc_bootstrap_report, Failure> {
        // SAFETY: integers, for which zero is a value.
        let mut report: dmsc_bootstrap_report = unsafe { std::mem::zeroed() };
        report.struct_size = size_of::<dmsc_bootstrap_report>();
        // SAFETY: an open card, and the struct has its size.
        outcome(unsafe { dmsc_card_bootstrap(card.0, &raw mut report) })?;
        Ok(report)
    }

    pub(crate) fn start_toolkit(&self, card: CardHandle) -> Result<(), Failure> {
        // SAFETY: an open card.
        outcome(unsafe { dmsc_card_toolkit_start(card.0) })
    }

    /// Asks for a session with the only server.
    pub(crate) fn start_session(&self) -> Result<(), Failure> {
        // SAFETY: integers and pointers, for which zero is a value.
        let mut request: dmsc_session_request = unsafe { std::mem::zeroed() };
        request.struct_size = size_of::<dmsc_session_request>();
        let mut session = null_mut();
        // SAFETY: the client lives, the struct has its size, and the handle is freed as soon as it is there.
        unsafe {
            outcome(dmsc_session_start(self.client, &raw const request, &raw mut session))?;
            dmsc_session_free(session);
        }
        Ok(())
    }

    /// Hands over a push, as it comes by SMS.
    pub(crate) fn push(&self, pdu: &[u8]) -> Result<(), Failure> {
        // SAFETY: integers and pointers, for which zero is a value.
        let mut trigger: dmsc_trigger = unsafe { std::mem::zeroed() };
        trigger.struct_size = size_of::<dmsc_trigger>();
        trigger.source = dmsc_trigger_source::DMSC_TRIGGER_PUSH as u32;
        (trigger.data, trigger.data_len) = (pdu.as_ptr(), pdu.len());
        // SAFETY: the struct has its size, the octets theirs; the session's id is not wanted.
        outcome(unsafe { dmsc_client_deliver_trigger(self.client, &raw const trigger, null_mut()) })
    }

    /// Drives the client until `done` is true of what was heard.
    pub(crate) fn run_until(&self, what: &str, done: impl Fn(&Ears) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(&self.heard()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not in time: {what}; heard {:?}", self.heard().events);
            let left = u32::try_from(left.as_millis()).unwrap();
            // SAFETY: the client lives.
            outcome(unsafe { dmsc_client_run_once(self.client, left) }).unwrap();
        }
    }

    /// Drives the client until `count` sessions have ended, and gives their statuses.
    pub(crate) fn run_sessions(&self, count: usize) -> Vec<i32> {
        let ended = dmsc_event_type::DMSC_EVENT_SESSION_ENDED;
        self.run_until("sessions end", |ears| ears.of(ended).count() >= count);
        self.heard().of(ended).map(|event| event.status).collect()
    }

    /// The text of a leaf; none if it does not exist.
    pub(crate) fn leaf(&self, uri: &str) -> Option<String> {
        let uri = CString::new(uri).unwrap();
        let mut value = null_mut();
        // SAFETY: the client lives, the text ends with NUL, `value` is valid for the call.
        let status = unsafe { dmsc_tree_get(self.client, uri.as_ptr(), &raw mut value) };
        match outcome(status) {
            Ok(()) => Some(String::from_utf8(octets(value)).unwrap()),
            Err(failure) => {
                assert_eq!(failure.status, dmsc_status::DMSC_ERR_NODE_NOT_FOUND as i32);
                None
            }
        }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // SAFETY: the last use of the client. Handles of its cards may stay.
        unsafe { dmsc_client_free(self.client) }
    }
}
