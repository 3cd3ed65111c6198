//! Package #0: builds the notification of DM 1.2 and the WSP push that carries it.

use serde::Deserialize;

use super::auth;

/// Connectionless WSP push: TID 01, Push 06, three octets of headers, Content-Type
/// `application/vnd.syncml.notification` (C4), X-WAP-Application-ID (AF) `syncml.dm` (87).
const WSP_PUSH: [u8; 6] = [0x01, 0x06, 0x03, 0xC4, 0xAF, 0x87];

/// How the terminal should treat its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UiMode {
    /// The terminal decides.
    NotSpecified,
    /// Without the user.
    #[default]
    Background,
    /// The user is told.
    Informative,
    /// The user is asked first.
    UserInteraction,
}

/// Who caused the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initiator {
    /// The end user.
    User,
    /// The server.
    #[default]
    Server,
}

/// The fields behind the digest.
#[derive(Clone, Debug)]
pub struct Trigger<'a> {
    /// Version times ten; 11 is what DM 1.2 prescribes.
    pub version: u16,
    /// How the terminal should treat its user.
    pub ui_mode: UiMode,
    /// Who caused the session.
    pub initiator: Initiator,
    /// The session id, never zero.
    pub session_id: u16,
    /// The server identifier, at most 255 octets.
    pub server_id: &'a str,
    /// Vendor octets at the end.
    pub vendor: &'a [u8],
}

/// The version field of DM 1.2.
pub const VERSION_DM_12: u16 = 11;

impl Trigger<'_> {
    /// Header and body, what the digest covers.
    pub fn octets(&self) -> Vec<u8> {
        let ui_mode = match self.ui_mode {
            UiMode::NotSpecified => 0,
            UiMode::Background => 1,
            UiMode::Informative => 2,
            UiMode::UserInteraction => 3,
        };
        let initiator = u16::from(self.initiator == Initiator::Server);
        let first = self.version << 6 | ui_mode << 4 | initiator << 3;
        let server_id: Vec<u8> = self.server_id.bytes().take(255).collect();
        let mut octets = first.to_be_bytes().to_vec();
        octets.extend_from_slice(&[0, 0, 0]);
        octets.extend_from_slice(&self.session_id.to_be_bytes());
        octets.push(server_id.len() as u8);
        octets.extend_from_slice(&server_id);
        octets.extend_from_slice(self.vendor);
        octets
    }

    /// The complete package #0 with its digest.
    pub fn package(&self, secret: &str, nonce: &[u8]) -> Vec<u8> {
        let trigger = self.octets();
        let digest = auth::notification_digest(self.server_id, secret, nonce, &trigger);
        [digest.as_slice(), &trigger].concat()
    }
}

/// Package #0 as a WSP push PDU for port 2948.
pub fn push(package: &[u8]) -> Vec<u8> {
    [&WSP_PUSH[..], package].concat()
}
