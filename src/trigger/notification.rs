//! Package #0: the notification that asks the client to open a session.
//!
//! Owns the layout and the digest of OMA DM Notification 1.2. Must not know where the octets came
//! from, nor where credentials are kept.

use super::fault;
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use std::fmt;
use std::hint::black_box;
use zeroize::Zeroizing;

/// Octets of the digest in front of the trigger.
const DIGEST: usize = 16;
/// Octets before the server identifier.
const HEADER: usize = 24;
/// Versions that are read: DM 1.2 servers send 1.1, older ones 1.0, and 1.2 is tolerated.
const VERSIONS: std::ops::RangeInclusive<u16> = 10..=12;
/// The nonce of a resynchronisation, printed as `0x00000000` in the notification text.
pub const RESYNC_NONCE: [u8; 4] = [0; 4];

/// How the server would like the user to be involved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UiMode {
    /// The device decides.
    NotSpecified = 0,
    /// Without disturbing the user.
    Background = 1,
    /// Announce, then start without waiting.
    Informative = 2,
    /// Ask the user first.
    UserInteraction = 3,
}

/// Who caused the session; information only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// The user or the client.
    Client = 0,
    /// The server.
    Server = 1,
}

/// A notification whose form is right. Its digest is not checked yet: see [`verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Notification {
    /// Version times ten; 11 for DM 1.2.
    pub version: u16,
    /// The user interaction asked for.
    pub ui_mode: UiMode,
    /// Who caused it.
    pub initiator: Initiator,
    /// SessionID of the session to open, never 0.
    pub session_id: u16,
    /// ServerID of the account; a single trailing NUL that old builders count is taken off.
    pub server_id: String,
    digest: [u8; DIGEST],
    trigger: Vec<u8>,
    vendor_at: usize,
}

impl Notification {
    /// Reads package #0 (OMA DM Notification 1.2, 6.2).
    ///
    /// Fails with `TriggerFormat` (classes `E_P0_TRUNCATED`, `E_P0_LENGTH`, `E_P0_VERSION`,
    /// `E_P0_SESSION`), or `TriggerServer` when the identifier can be nobody's (`E_P0_SERVER`).
    pub fn read(package: &[u8]) -> Result<Self> {
        let refuse = |class, at, what| Err(fault(Code::TriggerFormat, class, at, what));
        let Some((digest, trigger)) = package.split_first_chunk::<DIGEST>() else {
            return refuse("E_P0_TRUNCATED", package.len(), "the digest is incomplete");
        };
        let Some(([o16, o17, _, _, _, s1, s2, length], body)) = trigger.split_first_chunk() else {
            return refuse("E_P0_TRUNCATED", package.len(), "the header is incomplete");
        };
        let length = usize::from(*length);
        let Some((server, _)) = body.split_at_checked(length).filter(|_| length > 0) else {
            return refuse("E_P0_LENGTH", HEADER - 1, "no server identifier of that length");
        };
        let version = u16::from(*o16) << 2 | u16::from(*o17) >> 6;
        if !VERSIONS.contains(&version) {
            return refuse("E_P0_VERSION", DIGEST, "not a version of DM 1.2");
        }
        let session_id = u16::from_be_bytes([*s1, *s2]);
        if session_id == 0 {
            return refuse("E_P0_SESSION", 21, "session identifier 0");
        }
        Ok(Self {
            version,
            ui_mode: ui_mode(*o17),
            initiator: if o17 & 0x08 == 0 { Initiator::Client } else { Initiator::Server },
            session_id,
            server_id: server_id(server)?,
            digest: *digest,
            trigger: trigger.to_vec(),
            vendor_at: HEADER - DIGEST + length,
        })
    }

    /// SessionID as it is written into messages: hexadecimal, upper case, without leading zeros.
    pub fn session_text(&self) -> String {
        format!("{:X}", self.session_id)
    }

    /// The vendor-specific octets behind the server identifier.
    pub fn vendor(&self) -> &[u8] {
        self.trigger.get(self.vendor_at..).unwrap_or_default()
    }

    /// Everything behind the digest: what the digest is computed over.
    pub fn trigger(&self) -> &[u8] {
        &self.trigger
    }

    /// The digest, for the replay list only.
    pub(super) fn digest(&self) -> &[u8; DIGEST] {
        &self.digest
    }
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("version", &self.version)
            .field("ui_mode", &self.ui_mode)
            .field("initiator", &self.initiator)
            .field("session_id", &format_args!("{:04X}", self.session_id))
            .field("server_id", &self.server_id)
            .field("vendor_octets", &self.vendor().len())
            .finish_non_exhaustive()
    }
}

fn ui_mode(o17: u8) -> UiMode {
    match o17 >> 4 & 3 {
        0 => UiMode::NotSpecified,
        1 => UiMode::Background,
        2 => UiMode::Informative,
        _ => UiMode::UserInteraction,
    }
}

/// The identifier as text. No account's ServerID holds a NUL, so the exact lookup and the retry
/// without the NUL that old builders count come to one lookup.
fn server_id(octets: &[u8]) -> Result<String> {
    let octets = octets.strip_suffix(&[0]).unwrap_or(octets);
    match std::str::from_utf8(octets) {
        Ok(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(fault(Code::TriggerServer, "E_P0_SERVER", HEADER, "not a server identifier")),
    }
}

/// Which nonce the digest was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The account's stored server nonce.
    Stored,
    /// The resynchronisation nonce: both sides lost step, and package 1 must renew both nonces.
    Resync,
}

/// Checks the digest against one server credential of the account, in constant time.
///
/// `nonce` is the decoded nonce. With `resync`, a digest over [`RESYNC_NONCE`] is accepted too.
/// Fails with `TriggerDigest` (`E_P0_DIGEST`); an account with several credentials tries each.
pub fn verify(
    notification: &Notification,
    password: &Secret,
    nonce: &Secret,
    resync: bool,
) -> Result<Verdict> {
    let matches = |nonce: &[u8]| {
        let expected =
            digest(&notification.server_id, password.expose(), nonce, &notification.trigger);
        same(&expected, &notification.digest)
    };
    if matches(nonce.expose()) {
        Ok(Verdict::Stored)
    } else if resync && matches(&RESYNC_NONCE) {
        Ok(Verdict::Resync)
    } else {
        Err(Error::new(Code::TriggerDigest, "E_P0_DIGEST at byte 0: the digest does not match"))
    }
}

/// The digest of OMA DM Notification 1.2:
/// `MD5(B64(MD5(server-id ":" password)) ":" nonce ":" B64(MD5(trigger)))`.
fn digest(server_id: &str, password: &[u8], nonce: &[u8], trigger: &[u8]) -> [u8; DIGEST] {
    let credential = Md5::new().chain_update(server_id).chain_update(b":").chain_update(password);
    let credential = Zeroizing::new(STANDARD.encode(credential.finalize()));
    Md5::new()
        .chain_update(credential.as_bytes())
        .chain_update(b":")
        .chain_update(nonce)
        .chain_update(b":")
        .chain_update(STANDARD.encode(Md5::digest(trigger)))
        .finalize()
        .into()
}

/// Equality without a data-dependent exit.
fn same(a: &[u8; DIGEST], b: &[u8; DIGEST]) -> bool {
    black_box(a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn package(trigger: &[u8], password: &str, nonce: &[u8]) -> Vec<u8> {
        let server = std::str::from_utf8(&trigger[8..8 + usize::from(trigger[7])]).unwrap();
        let mut package = digest(server, password.as_bytes(), nonce, trigger).to_vec();
        package.extend_from_slice(trigger);
        package
    }

    const TRIGGER: &[u8] = b"\x02\xD0\x00\x00\x00\x12\x34\x12com.mgmtsrv.manage";

    #[test]
    fn dm_123_specification_header() {
        let read = Notification::read(&[&[0; 16], TRIGGER].concat()).unwrap();
        assert_eq!(read.version, 11);
        assert_eq!(read.ui_mode, UiMode::Background);
        assert_eq!(read.initiator, Initiator::Client);
        assert_eq!(read.session_text(), "1234");
        assert_eq!(read.server_id, "com.mgmtsrv.manage");
        assert_eq!(read.vendor(), b"");
    }

    #[test]
    fn dm_124_digest_of_the_specification_trigger() {
        let published = [
            0x10, 0x36, 0x9e, 0x83, 0xe3, 0xfc, 0x71, 0x03, 0xa4, 0xa2, 0x1a, 0xcc, 0xe6, 0xe2,
            0x42, 0xae,
        ];
        assert_eq!(digest("com.mgmtsrv.manage", b"srvpwd", b"Nonce", TRIGGER), published);
        let read = Notification::read(&[&published, TRIGGER].concat()).unwrap();
        let verdict = verify(&read, &Secret::new(*b"srvpwd"), &Secret::new(*b"Nonce"), false);
        assert_eq!(verdict, Ok(Verdict::Stored));
    }

    #[test]
    fn dm_125_every_flipped_trigger_bit_is_noticed() {
        let good = package(TRIGGER, "srvpwd", b"Nonce");
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 0x80 >> (bit % 8);
            let Ok(read) = Notification::read(&bad) else { continue };
            let verdict = verify(&read, &Secret::new(*b"srvpwd"), &Secret::new(*b"Nonce"), true);
            assert_eq!(verdict.unwrap_err().code(), Code::TriggerDigest, "bit {bit}");
        }
    }

    #[test]
    fn dm_126_vendor_octets_are_covered_and_handed_on() {
        let trigger = [TRIGGER, b"\xDE\xAD"].concat();
        let read = Notification::read(&package(&trigger, "srvpwd", b"n")).unwrap();
        assert_eq!(read.vendor(), b"\xDE\xAD");
        assert_eq!(read.trigger(), trigger);
        let (password, nonce) = (Secret::new(*b"srvpwd"), Secret::new(*b"n"));
        assert_eq!(verify(&read, &password, &nonce, false), Ok(Verdict::Stored));
        let mut cut = package(&trigger, "srvpwd", b"n");
        cut.pop();
        let cut = Notification::read(&cut).unwrap();
        assert_eq!(verify(&cut, &password, &nonce, false).unwrap_err().code(), Code::TriggerDigest);
    }

    #[test]
    fn dm_129_other_versions_are_refused() {
        for version in [0u16, 9, 13, 20, 0x3FF] {
            let mut package = [&[0; 16], TRIGGER].concat();
            package[16] = (version >> 2) as u8;
            package[17] = (version << 6) as u8;
            let error = Notification::read(&package).unwrap_err();
            assert!(error.what().starts_with("E_P0_VERSION at byte 16"), "{version}: {error}");
        }
    }

    #[test]
    fn dm_131_and_dm_132_resync_nonce_only_when_allowed() {
        let read = Notification::read(&package(TRIGGER, "srvpwd", &RESYNC_NONCE)).unwrap();
        let (password, nonce) = (Secret::new(*b"srvpwd"), Secret::new(*b"Nonce"));
        assert_eq!(verify(&read, &password, &nonce, true), Ok(Verdict::Resync));
        assert_eq!(
            verify(&read, &password, &nonce, false).unwrap_err().code(),
            Code::TriggerDigest
        );
    }

    #[test]
    fn dm_139_the_user_name_of_the_digest_is_the_server_id() {
        let mut package = digest("aauthname", b"srvpwd", b"Nonce", TRIGGER).to_vec();
        package.extend_from_slice(TRIGGER);
        let read = Notification::read(&package).unwrap();
        let verdict = verify(&read, &Secret::new(*b"srvpwd"), &Secret::new(*b"Nonce"), false);
        assert_eq!(verdict.unwrap_err().code(), Code::TriggerDigest);
    }

    #[test]
    fn counted_nul_is_no_part_of_the_server() {
        let trigger = b"\x02\xD0\x00\x00\x00\x00\x01\x04srv\x00";
        let mut bytes = digest("srv", b"pw", b"n", trigger).to_vec();
        bytes.extend_from_slice(trigger);
        let read = Notification::read(&bytes).unwrap();
        assert_eq!(read.server_id, "srv");
        let verdict = verify(&read, &Secret::new(*b"pw"), &Secret::new(*b"n"), false);
        assert_eq!(verdict, Ok(Verdict::Stored));
        for nobody in [&b"\x01\x00"[..], b"\x02\xFF\xFE"] {
            let bytes = [&[0; 16][..], b"\x02\xD0\x00\x00\x00\x00\x01", nobody].concat();
            assert_eq!(Notification::read(&bytes).unwrap_err().code(), Code::TriggerServer);
        }
    }

    #[test]
    fn debug_shows_neither_digest_nor_trigger() {
        let read = Notification::read(&package(TRIGGER, "srvpwd", b"Nonce")).unwrap();
        assert_eq!(
            format!("{read:?}"),
            "Notification { version: 11, ui_mode: Background, initiator: Client, \
             session_id: 1234, server_id: \"com.mgmtsrv.manage\", vendor_octets: 0, .. }"
        );
    }

    proptest! {
        #[test]
        fn dm_130_every_field_is_read_back_whatever_the_future_bits(
            ui in 0..4u8,
            initiator in 0..2u8,
            future in 0..0x800_0000u32,
            session in 1..=u16::MAX,
            server in "[!-~]{1,60}",
            vendor in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let [f0, f1, f2, f3] = future.to_be_bytes();
            let mut trigger = vec![0x02, 0xC0 | ui << 4 | initiator << 3 | f0, f1, f2, f3];
            trigger.extend(session.to_be_bytes());
            trigger.push(server.len() as u8);
            trigger.extend(server.bytes());
            trigger.extend(&vendor);
            let read = Notification::read(&package(&trigger, "pw", b"n")).unwrap();
            prop_assert_eq!((read.version, read.session_id), (11, session));
            prop_assert_eq!((read.ui_mode as u8, read.initiator as u8), (ui, initiator));
            prop_assert_eq!((&read.server_id, read.vendor()), (&server, &vendor[..]));
            let verdict = verify(&read, &Secret::new(*b"pw"), &Secret::new(*b"n"), false);
            prop_assert_eq!(verdict, Ok(Verdict::Stored));
        }

        #[test]
        fn no_package_panics(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Notification::read(&octets);
        }
    }
}
