//! What the card keeps from one session to the next: nonces and counters.

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

use serde::Deserialize;

use super::auth;
use crate::hex;
use crate::profile::Profile;

/// The part of the card's non-volatile memory that belongs to the DM server.
#[derive(Clone)]
pub(crate) struct Memory {
    /// The nonce that the terminal's next credentials have to be made with; `None`: no nonce yet.
    client_nonce: Option<Vec<u8>>,
    /// The nonce for the server's own credentials and package #0.
    server_nonce: Vec<u8>,
    /// Sessions begun so far.
    sessions: u32,
    /// The session id of the last notification.
    session_id: u16,
    /// Makes this card's nonces differ from another one's.
    seed: u64,
    /// Nonces made so far.
    draws: u64,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

impl Memory {
    /// The memory of a card fresh from its issuer.
    pub(crate) fn new(profile: &Profile) -> Self {
        // Nobody attacks a simulated card: it is enough that runs differ.
        let seed = profile.server.seed.unwrap_or_else(|| RandomState::new().hash_one(0u8));
        let octets = |credential: &crate::profile::Credential| {
            credential.nonce.as_ref().map(|nonce| nonce.as_slice().to_vec())
        };
        Self {
            client_nonce: octets(&profile.account.client),
            server_nonce: octets(&profile.account.server).unwrap_or_default(),
            sessions: 0,
            session_id: if profile.server.seed.is_some() { 0 } else { (seed >> 48) as u16 },
            seed,
            draws: 0,
        }
    }

    /// The memory as it was saved, or a fresh one when there is no file.
    ///
    /// # Errors
    /// When the file is there but unreadable.
    pub(crate) fn load(path: &Path, profile: &Profile) -> Result<Self, String> {
        if !path.exists() {
            return Ok(Self::new(profile));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Self::from_text(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let saved: Saved = toml::from_str(text).map_err(|error| error.to_string())?;
        let number = |hex: &str| u64::from_str_radix(hex, 16).map_err(|error| error.to_string());
        Ok(Self {
            client_nonce: saved.client_nonce.as_deref().map(hex::decode).transpose()?,
            server_nonce: hex::decode(&saved.server_nonce)?,
            sessions: saved.sessions,
            session_id: saved.session_id,
            seed: number(&saved.seed)?,
            draws: number(&saved.draws)?,
        })
    }

    fn to_text(&self) -> String {
        let client = self.client_nonce.as_deref().map(hex::encode);
        let client = client.map_or(String::new(), |nonce| format!("client_nonce = \"{nonce}\"\n"));
        format!(
            "{client}server_nonce = \"{}\"\nsessions = {}\nsession_id = {}\nseed = \"{:x}\"\ndraws = \"{:x}\"\n",
            hex::encode(&self.server_nonce),
            self.sessions,
            self.session_id,
            self.seed,
            self.draws
        )
    }

    /// Writes the memory to its file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save(&self, path: &Path) -> Result<(), String> {
        let beside = path.with_extension("new");
        std::fs::write(&beside, self.to_text())
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// A nonce of 16 octets that was not used before.
    fn fresh_nonce(&mut self) -> Vec<u8> {
        self.draws = self.draws.wrapping_add(1);
        auth::md5(&[self.seed.to_be_bytes(), self.draws.to_be_bytes()].concat()).to_vec()
    }

    /// Counts a session.
    pub(crate) fn begin_session(&mut self) -> u32 {
        self.sessions = self.sessions.wrapping_add(1);
        self.sessions
    }

    /// A session id for a notification, never zero and not the last one.
    pub(crate) fn next_session_id(&mut self) -> u16 {
        self.session_id = self.session_id.checked_add(1).unwrap_or(1);
        self.session_id
    }

    /// The nonce of the terminal's next credentials.
    pub(crate) fn client_nonce(&self) -> Option<&[u8]> {
        self.client_nonce.as_deref()
    }

    /// Replaces the client nonce; the new one has to go out as NextNonce.
    pub(crate) fn issue_client_nonce(&mut self) -> Vec<u8> {
        let nonce = self.fresh_nonce();
        self.client_nonce = Some(nonce.clone());
        nonce
    }

    /// The nonce of the server's credentials and of package #0.
    pub(crate) fn server_nonce(&self) -> &[u8] {
        &self.server_nonce
    }

    /// Takes the nonce that the terminal issued.
    pub(crate) fn take_server_nonce(&mut self, nonce: Vec<u8>) {
        self.server_nonce = nonce;
    }
}

/// The memory as it stands in its file; octets and large numbers are hexadecimal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    client_nonce: Option<String>,
    server_nonce: String,
    sessions: u32,
    session_id: u16,
    seed: String,
    draws: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_comes_back() {
        let mut memory = Memory::new(&Profile::demo());
        let nonce = memory.issue_client_nonce();
        memory.take_server_nonce(vec![0, 0xFF]);
        memory.begin_session();
        let id = memory.next_session_id();
        let back = Memory::from_text(&memory.to_text()).unwrap();
        assert_eq!(back.client_nonce(), Some(nonce.as_slice()));
        assert_eq!(back.server_nonce(), [0, 0xFF]);
        assert_eq!((back.sessions, back.session_id, back.seed), (1, id, memory.seed));
        let mut back = back;
        assert_ne!(back.issue_client_nonce(), nonce);
        assert!(Memory::from_text("sessions = 1").is_err());
    }
}
