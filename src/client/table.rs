//! The sessions of a client as others may see them, without waiting for the driving thread.

use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Sessions that are remembered after their end.
const REMEMBERED: usize = 256;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Accepted, not begun.
    Waiting,
    /// Messages are exchanged.
    Running,
    /// The user is asked.
    Asking,
    /// Over.
    Ended,
}

/// A session's state.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// The session's id, as in events.
    pub id: u64,
    /// Where it stands.
    pub state: SessionState,
    /// Messages received so far.
    pub messages: u32,
    /// Why it failed, once it has ended.
    pub error: Option<Error>,
}

/// All sessions of a client, by id.
#[derive(Debug, Default)]
pub(super) struct SessionTable {
    sessions: Mutex<BTreeMap<u64, SessionInfo>>,
}

impl SessionTable {
    /// A new session that waits; the oldest ended ones are forgotten.
    pub(super) fn add(&self) -> u64 {
        let mut sessions = self.sessions.lock();
        let id = sessions.last_key_value().map_or(1, |(last, _)| last + 1);
        sessions
            .insert(id, SessionInfo { id, state: SessionState::Waiting, messages: 0, error: None });
        while sessions.len() > REMEMBERED {
            let ended = |(_, info): &(&u64, &SessionInfo)| info.state == SessionState::Ended;
            let Some(oldest) = sessions.iter().find(ended).map(|(id, _)| *id) else { break };
            sessions.remove(&oldest);
        }
        id
    }

    /// The id that [`add`](Self::add) gives next.
    pub(super) fn next_id(&self) -> u64 {
        self.sessions.lock().last_key_value().map_or(1, |(last, _)| last + 1)
    }

    pub(super) fn get(&self, id: u64) -> Result<SessionInfo> {
        self.sessions
            .lock()
            .get(&id)
            .cloned()
            .ok_or_else(|| Error::new(Code::State, format!("session {id} is forgotten")))
    }

    pub(super) fn update(&self, id: u64, change: impl FnOnce(&mut SessionInfo)) {
        if let Some(info) = self.sessions.lock().get_mut(&id) {
            change(info);
        }
    }

    /// True if the session is over or forgotten.
    pub(super) fn has_ended(&self, id: u64) -> bool {
        self.sessions.lock().get(&id).is_none_or(|info| info.state == SessionState::Ended)
    }

    /// Ends what has not ended: the client closes.
    pub(super) fn end_all(&self, error: &Error) {
        for info in self.sessions.lock().values_mut() {
            if info.state != SessionState::Ended {
                info.state = SessionState::Ended;
                info.error = Some(error.clone());
            }
        }
    }
}
