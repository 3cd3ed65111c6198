//! `dmsc_callbacks`: how the host hears of events, questions and notifications.

use super::alert::dmsc_alert;
use super::destroy::UserData;
use super::handle::{self, CStruct};
use crate::error::Result;
use crate::event::{ConnectionInfo, Event, Listener, Question, TriggerInfo, TriggerVerdict};
use crate::store::{By, Change, ChangeKind};
use std::ffi::{CString, c_char, c_void};

/// Kinds of events.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_event_type {
    /// A notification was accepted; session `session_id` will follow. uri: server id.
    DMSC_EVENT_SESSION_REQUESTED = 1,
    /// A DM session begins. uri: server id.
    DMSC_EVENT_SESSION_STARTED = 2,
    /// A message for the server is ready and leaves. phase: its MsgID. uri: its address.
    DMSC_EVENT_PACKAGE_SENT = 3,
    /// A message came from the server. phase: messages received so far.
    DMSC_EVENT_PACKAGE_RECEIVED = 4,
    /// A server's command was done. uri: node; phase: SyncML status; data: the command's name.
    DMSC_EVENT_COMMAND_DONE = 6,
    /// A DM session ended. status: how; uri: server id; data: the error's text.
    DMSC_EVENT_SESSION_ENDED = 7,
    /// The card holds a bootstrap object. uri: its path on the card.
    DMSC_EVENT_BOOTSTRAP_FOUND = 8,
    /// A bootstrap object was dealt with. status: how. On success uri: the new node, data: an account's
    /// server id. On failure uri: the object's path on the card, if it is about one; data: the error's text.
    DMSC_EVENT_BOOTSTRAP_APPLIED = 9,
    /// The card's state changed. status: DMSC_OK opened; DMSC_ERR_CARD_REMOVED, _ABSENT or _RESET gone, its
    /// session and toolkit are ended; another error: it does not answer and is tried again.
    /// phase 1 (with DMSC_ERR_CARD_RESET): it is there and asks to be read again (REFRESH).
    /// phase 2 (with DMSC_OK): a card was put into the reader of the one that is gone; close and open it, or
    /// go on with the handle after DMSC_CARD_RESET.
    DMSC_EVENT_CARD_STATE = 10,
    /// A notification was refused. status: why; data: the error's text. The sender is told nothing.
    DMSC_EVENT_TRIGGER_REFUSED = 12,
    /// What a card brought went with it or with its object. uri: the node that is gone; data: an account's
    /// server id.
    DMSC_EVENT_BOOTSTRAP_REMOVED = 13,
    /// A session could not be held and will be tried again. uri: server id; status: why; phase: attempts so
    /// far; data: the error's text.
    DMSC_EVENT_SESSION_DEFERRED = 50,
    /// A session waits for @ref dmsc_client_network_changed. uri: server id; data: the connectivity that its
    /// account asks for (PrefConRef or ConRef), none if any will do.
    DMSC_EVENT_NETWORK_WANTED = 51,
    /// A connection of the card into the network was refused or failed. uri: the server's address; status:
    /// why; data: the error's text.
    DMSC_EVENT_CONNECTION_REFUSED = 52,
    /// A bootstrap that had to wait for the user (DMSC_PENDING) is over. status: how; data: the error's
    /// text. What it brought was told by DMSC_EVENT_BOOTSTRAP_APPLIED before.
    DMSC_EVENT_BOOTSTRAP_DONE = 40,
    /// A callback of a dmsc_node_handler failed where its number is no answer of its own for the server,
    /// which got 500. uri: the node, or the bound one for begin to rollback; status: the callback's number;
    /// data: the error's text.
    DMSC_EVENT_NODE_FAILED = 14,
    /// An alert of @ref dmsc_client_queue_alert is done with and no longer kept. number: the alert's; uri:
    /// the server; phase: its SyncML status. status: DMSC_OK the server has taken it; DMSC_ERR_REFUSED it
    /// answered with a failure; DMSC_ERR_TOO_LARGE it was not sent, because the server takes no such size.
    /// data: the error's text.
    DMSC_EVENT_ALERT_DONE = 15,
}

/// An event. Borrowed: valid during the callback only.
#[repr(C)]
#[derive(Debug)]
pub struct dmsc_event {
    /// sizeof(dmsc_event) of the library.
    pub struct_size: usize,
    /// A dmsc_event_type number; ignore numbers you do not know.
    pub r#type: u32,
    /// The card's slot, 0 if the event belongs to none.
    pub slot: u32,
    /// The DM session's id, 0 if the event belongs to none.
    pub session_id: u64,
    /// DMSC_OK or the failure.
    pub status: i32,
    /// A count or code, by type.
    pub phase: u32,
    /// Node, server id or path, by type; may be NULL.
    pub uri: *const c_char,
    /// Octets by type (an error's text is UTF-8 without NUL); may be NULL.
    pub data: *const u8,
    /// Number of octets at data.
    pub data_len: usize,
    /// Number of an alert of the host, 0 if the event is about none.
    pub number: u64,
}

/// A verified notification. Borrowed: valid during the callback only.
#[repr(C)]
#[derive(Debug)]
pub struct dmsc_trigger_info {
    /// sizeof(dmsc_trigger_info) of the library.
    pub struct_size: usize,
    /// A dmsc_trigger_source number: where it came from.
    pub source: u32,
    /// The card's slot when the card sent it.
    pub slot: u32,
    /// The id of the session that will follow.
    pub session_id: u64,
    /// The server that wants a session.
    pub server_id: *const c_char,
    /// SessionID of the DM session, 1 to 65535.
    pub dm_session_id: u32,
    /// 0 not specified, 1 background, 2 informative, 3 ask the user first (DM Notification 1.2.1, 6.2.2).
    pub ui_mode: u32,
    /// 1 if the server caused it, 0 if the user did.
    pub by_server: u32,
    /// Vendor octets of the notification; may be NULL.
    pub vendor: *const u8,
    /// Number of octets at vendor.
    pub vendor_len: usize,
}

/// What happened to a node of the tree.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_change_kind {
    /// It was created.
    DMSC_CHANGE_ADDED = 1,
    /// Its value was replaced.
    DMSC_CHANGE_REPLACED = 2,
    /// It was deleted with all below it, which is not told one by one.
    DMSC_CHANGE_DELETED = 3,
    /// It has the name of `uri` now instead of that of `from`; what is below it came along.
    DMSC_CHANGE_RENAMED = 4,
    /// Its ACL, Title or Type was replaced.
    DMSC_CHANGE_PROPERTY = 5,
}

/// Who changed a node.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_change_by {
    /// The host, or the library itself (the nonces of accounts, an ACL that loses a server).
    DMSC_BY_HOST = 0,
    /// A bootstrap document, of a card or pushed.
    DMSC_BY_BOOTSTRAP = 1,
    /// The server `server_id`.
    DMSC_BY_SERVER = 2,
}

/// One changed node. Changes of one commit that follow each other are one: a node that came and went is
/// not told, a value that was replaced several times is told once. Borrowed: valid during the callback only.
#[repr(C)]
#[derive(Debug)]
pub struct dmsc_change {
    /// sizeof(dmsc_change) of the library.
    pub struct_size: usize,
    /// A dmsc_change_kind number; ignore numbers you do not know.
    pub kind: u32,
    /// A dmsc_change_by number.
    pub by: u32,
    /// The node, for example "./DMAcc/x/Name".
    pub uri: *const c_char,
    /// The URI it had before it was renamed; else NULL.
    pub from: *const c_char,
    /// The server's identifier, if a server did it; else NULL.
    pub server_id: *const c_char,
    /// Octets of the value before the commit; 0 if there was none.
    pub old_size: u32,
    /// Octets of the value now; 0 if there is none.
    pub new_size: u32,
}

/// A change with the texts that C sees.
struct CChange {
    uri: CString,
    from: Option<CString>,
    server_id: Option<CString>,
}

impl CChange {
    fn new(change: &Change) -> Self {
        let server_id = match &change.by {
            By::Server(server) => Some(c_text(server)),
            By::Bootstrap | By::Host => None,
        };
        Self { uri: c_text(&change.uri), from: change.from.as_deref().map(c_text), server_id }
    }

    /// The struct, valid as long as this.
    fn entry(&self, change: &Change) -> dmsc_change {
        use dmsc_change_by::*;
        use dmsc_change_kind::*;
        let kind = match change.kind {
            ChangeKind::Added => DMSC_CHANGE_ADDED,
            ChangeKind::Replaced => DMSC_CHANGE_REPLACED,
            ChangeKind::Deleted => DMSC_CHANGE_DELETED,
            ChangeKind::Renamed => DMSC_CHANGE_RENAMED,
            ChangeKind::Property => DMSC_CHANGE_PROPERTY,
        };
        let by = match change.by {
            By::Host => DMSC_BY_HOST,
            By::Bootstrap => DMSC_BY_BOOTSTRAP,
            By::Server(_) => DMSC_BY_SERVER,
        };
        dmsc_change {
            struct_size: size_of::<dmsc_change>(),
            kind: kind as u32,
            by: by as u32,
            uri: self.uri.as_ptr(),
            from: text_pointer(self.from.as_ref()),
            server_id: text_pointer(self.server_id.as_ref()),
            old_size: change.old_size,
            new_size: change.new_size,
        }
    }
}

/// The host's answers to `on_trigger`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_trigger_verdict {
    /// Start the session.
    DMSC_TRIGGER_ACCEPT = 0,
    /// No session; the sender is told nothing.
    DMSC_TRIGGER_REFUSE = 1,
}

/// Who wants a connection.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_connection_kind {
    /// The card, over TCP to a server in the network (needs card_connections of dmsc_network_config).
    DMSC_CONNECTION_CARD_TCP = 1,
    /// The card, over UDP to a server in the network.
    DMSC_CONNECTION_CARD_UDP = 2,
    /// A local application, over the gateway to the card's web server.
    DMSC_CONNECTION_GATEWAY = 3,
}

/// A connection that needs the host's consent. Borrowed: valid during the callback only.
#[repr(C)]
#[derive(Debug)]
pub struct dmsc_connection_info {
    /// sizeof(dmsc_connection_info) of the library.
    pub struct_size: usize,
    /// A dmsc_connection_kind number.
    pub kind: u32,
    /// The card's slot.
    pub slot: u32,
    /// The server's address, or the local application's (a loopback address).
    pub address: *const c_char,
    /// The server's port, or the local application's, by which the system can tell whose it is.
    pub port: u32,
    /// The card's port that a local application wants, 3516 or 4116; else 0.
    pub local_port: u32,
    /// The network that the card wants to use (access point name); NULL: any.
    pub network: *const c_char,
    /// What the card wants the user to be asked; NULL: nothing.
    pub text: *const c_char,
}

/// The host's answers to `on_connection`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_connection_verdict {
    /// No connection.
    DMSC_CONNECTION_REFUSE = 0,
    /// It may be made.
    DMSC_CONNECTION_ALLOW = 1,
}

/// The host's ears. Copied by @ref dmsc_client_new; a NULL member means "not wanted".
///
/// Thread: called on the driving thread only (inside @ref dmsc_client_run_once or a call that drives, or
/// on the thread of @ref dmsc_client_start), one at a time, with no lock held.
/// Re-entry: everything may be called except run_once, start, stop and session_wait of the same client;
/// dmsc_client_free takes effect when the callback has returned, and no other callback is called then.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_callbacks {
    /// sizeof(dmsc_callbacks); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Something happened.
    pub on_event: Option<unsafe extern "C" fn(user_data: *mut c_void, event: *const dmsc_event)>,
    /// The user is asked (Alert 1100 to 1104; whether a bootstrap may be applied, and its PIN: see
    /// dmsc_alert_info.purpose). The callee owns `alert` and must give it to
    /// @ref dmsc_alert_answer exactly once, now or later, from any thread. NULL: the device has no user
    /// interface, servers get 406, and a bootstrap that needs the user is refused.
    pub on_alert: Option<unsafe extern "C" fn(user_data: *mut c_void, alert: *mut dmsc_alert)>,
    /// A notification is genuine; return a dmsc_trigger_verdict. NULL: every genuine one starts a session.
    pub on_trigger: Option<
        unsafe extern "C" fn(user_data: *mut c_void, trigger: *const dmsc_trigger_info) -> i32,
    >,
    /// Called exactly once, after the last other callback; not called if dmsc_client_new fails.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// A commit has changed the tree: one call for each commit, whoever made it - a session, a bootstrap, a
    /// dmsc_txn - with all its changes in order. Told once they are durable, before the events of the same
    /// step; nothing is told of what was rolled back, nor of what dmsc_client_new itself sets up. The array
    /// and what it points to are borrowed: valid during the callback only.
    pub on_changes: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            changes: *const *const dmsc_change,
            count: usize,
        ),
    >,
    /// The card wants to reach a server, or a local application the card: return a
    /// dmsc_connection_verdict; anything but DMSC_CONNECTION_ALLOW refuses. NULL: all are refused. A card
    /// never gets this device's own addresses.
    pub on_connection: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            connection: *const dmsc_connection_info,
        ) -> i32,
    >,
}

// SAFETY: pointers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_callbacks {
    const NAME: &'static str = "dmsc_callbacks";
}

/// The callbacks as the facade's listener.
pub(super) struct Callbacks {
    c: dmsc_callbacks,
    pub(super) user: UserData,
}

// SAFETY: the contract of dmsc_callbacks: called on the driving thread whichever it is, one at a time.
unsafe impl Send for Callbacks {}
// SAFETY: as above; the library never calls two at once.
unsafe impl Sync for Callbacks {}

impl Callbacks {
    /// Copies the host's struct; NULL gives callbacks that want nothing.
    ///
    /// # Safety
    /// `callbacks` is NULL or a struct whose first member is its size.
    pub(super) unsafe fn read(callbacks: *const dmsc_callbacks) -> Result<Self> {
        let c = if callbacks.is_null() {
            dmsc_callbacks {
                struct_size: 0,
                user_data: std::ptr::null_mut(),
                on_event: None,
                on_alert: None,
                on_trigger: None,
                destroy: None,
                on_connection: None,
                on_changes: None,
            }
        } else {
            // SAFETY: the caller's promise.
            unsafe { handle::read_struct(callbacks) }?
        };
        Ok(Self { user: UserData::new(c.user_data, c.destroy), c })
    }
}

/// Text for C; a NUL inside ends it.
pub(super) fn c_text(text: &str) -> CString {
    let octets: Vec<u8> = text.bytes().take_while(|&octet| octet != 0).collect();
    CString::new(octets).unwrap_or_default()
}

fn text_pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// The octets for C; NULL if there are none.
pub(super) fn pointer(octets: &[u8]) -> *const u8 {
    if octets.is_empty() { std::ptr::null() } else { octets.as_ptr() }
}

impl Listener for Callbacks {
    fn event(&self, event: &Event) {
        let Some(on_event) = self.c.on_event else { return };
        let uri = event.uri.as_deref().map(c_text);
        let c_event = dmsc_event {
            struct_size: size_of::<dmsc_event>(),
            r#type: event.kind as u32,
            slot: event.slot,
            session_id: event.session_id,
            status: event.status,
            phase: event.phase,
            uri: text_pointer(uri.as_ref()),
            data: pointer(&event.data),
            data_len: event.data.len(),
            number: event.number,
        };
        // SAFETY: the host's function with its own pointer; the event lives until it returns.
        unsafe { on_event(self.user.pointer(), &raw const c_event) }
    }

    fn question(&self, question: Question) {
        let Some(on_alert) = self.c.on_alert else { return };
        let alert = dmsc_alert::give(question);
        // SAFETY: the host's function with its own pointer; it owns the alert from now on.
        unsafe { on_alert(self.user.pointer(), alert) }
    }

    fn trigger(&self, info: &TriggerInfo) -> TriggerVerdict {
        let Some(on_trigger) = self.c.on_trigger else { return TriggerVerdict::Accept };
        let server_id = c_text(&info.server_id);
        let c_info = dmsc_trigger_info {
            struct_size: size_of::<dmsc_trigger_info>(),
            source: info.source as u32,
            slot: info.slot,
            session_id: info.session_id,
            server_id: server_id.as_ptr(),
            dm_session_id: info.dm_session_id.into(),
            ui_mode: info.ui_mode.into(),
            by_server: info.by_server.into(),
            vendor: pointer(&info.vendor),
            vendor_len: info.vendor.len(),
        };
        // SAFETY: the host's function with its own pointer; the struct lives until it returns.
        match unsafe { on_trigger(self.user.pointer(), &raw const c_info) } {
            0 => TriggerVerdict::Accept,
            _ => TriggerVerdict::Refuse,
        }
    }

    fn connection(&self, info: &ConnectionInfo) -> bool {
        let Some(on_connection) = self.c.on_connection else { return false };
        let address = c_text(&info.address.to_string());
        let (network, text) =
            (info.network.as_deref().map(c_text), info.text.as_deref().map(c_text));
        let optional =
            |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        let c_info = dmsc_connection_info {
            struct_size: size_of::<dmsc_connection_info>(),
            kind: info.kind as u32,
            slot: info.slot,
            address: address.as_ptr(),
            port: info.port.into(),
            local_port: info.local_port.into(),
            network: optional(&network),
            text: optional(&text),
        };
        // SAFETY: the host's function with its own pointer; the struct lives until it returns.
        let verdict = unsafe { on_connection(self.user.pointer(), &raw const c_info) };
        verdict == dmsc_connection_verdict::DMSC_CONNECTION_ALLOW as i32
    }

    fn has_user(&self) -> bool {
        self.c.on_alert.is_some()
    }

    fn changes(&self, changes: &[Change]) {
        let Some(on_changes) = self.c.on_changes else { return };
        let texts: Vec<CChange> = changes.iter().map(CChange::new).collect();
        let entries: Vec<dmsc_change> =
            texts.iter().zip(changes).map(|(texts, change)| texts.entry(change)).collect();
        let array: Vec<*const dmsc_change> = entries.iter().map(std::ptr::from_ref).collect();
        // SAFETY: the host's function with its own pointer; array and entries live until it returns.
        unsafe { on_changes(self.user.pointer(), array.as_ptr(), array.len()) }
    }

    fn wants_changes(&self) -> bool {
        self.c.on_changes.is_some()
    }
}
