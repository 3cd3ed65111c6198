//! The memory of accepted notifications: one short list per server.
//!
//! Owns the octets of that list. Must not know the store that keeps it: the caller reads the value
//! under [`key`] and writes what [`remember`] returns, in the transaction that accepts the trigger.

use super::notification::Notification;
use crate::error::{Code, Error, Result};
use crate::limits::REPLAY_MEMORY;

/// Version of the value's form, its first octet.
const FORM: u8 = 1;
/// Octets of one entry: session identifier, digest.
const ENTRY: usize = 2 + 16;

/// The store key of `server_id`'s list.
pub fn key(server_id: &str) -> Vec<u8> {
    server_id.as_bytes().to_vec()
}

/// The list with `notification` in it; the oldest of more than [`REPLAY_MEMORY`] entries goes.
///
/// `list` is the stored value, `None` for a server never heard of. Call it only for a notification
/// that passed [`verify`](super::notification::verify), else anybody could fill the list.
/// Fails with `TriggerReplay` when the digest or the session identifier is in the list, and with
/// `StorageCorrupt` when the value is none of ours.
pub fn remember(list: Option<&[u8]>, notification: &Notification) -> Result<Vec<u8>> {
    let entries = match list {
        None => &[][..],
        Some([FORM, entries @ ..]) if entries.len().is_multiple_of(ENTRY) => entries,
        Some(_) => return Err(Error::new(Code::StorageCorrupt, "replay list: unknown form")),
    };
    let session = notification.session_id.to_be_bytes();
    let known =
        |entry: &[u8]| entry.starts_with(&session) || entry.ends_with(notification.digest());
    if entries.chunks_exact(ENTRY).any(known) {
        return Err(Error::new(Code::TriggerReplay, "notification: seen before"));
    }
    let surplus = (entries.len() / ENTRY + 1).saturating_sub(REPLAY_MEMORY);
    let kept = entries.get(surplus * ENTRY..).unwrap_or_default();
    Ok([&[FORM], kept, &session, notification.digest()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(session: u16, digest: u8) -> Notification {
        let mut package = vec![digest; 16];
        package.extend_from_slice(b"\x02\xD8\x00\x00\x00");
        package.extend_from_slice(&session.to_be_bytes());
        package.extend_from_slice(b"\x03srv");
        Notification::read(&package).unwrap()
    }

    #[test]
    fn dm_133_the_same_trigger_twice_is_one_session() {
        let list = remember(None, &notification(7, 1)).unwrap();
        assert_eq!(list.len(), 1 + ENTRY);
        let again = remember(Some(&list), &notification(7, 1)).unwrap_err();
        assert_eq!(again.code(), Code::TriggerReplay);
        let same_digest = remember(Some(&list), &notification(8, 1)).unwrap_err();
        assert_eq!(same_digest.code(), Code::TriggerReplay);
    }

    #[test]
    fn sc_136_the_same_session_id_again_is_no_second_session() {
        let list = remember(None, &notification(7, 1)).unwrap();
        let again = remember(Some(&list), &notification(7, 2)).unwrap_err();
        assert_eq!(again.code(), Code::TriggerReplay);
        assert!(remember(Some(&list), &notification(8, 2)).is_ok());
    }

    #[test]
    fn the_oldest_of_seventeen_is_forgotten() {
        let mut list = None;
        for n in 1..=17 {
            list = Some(remember(list.as_deref(), &notification(n, n as u8)).unwrap());
        }
        let list = list.unwrap();
        assert_eq!(list.len(), 1 + REPLAY_MEMORY * ENTRY);
        assert!(remember(Some(&list), &notification(1, 1)).is_ok());
        assert!(remember(Some(&list), &notification(2, 99)).is_err());
    }

    #[test]
    fn a_damaged_list_is_no_free_pass() {
        for list in [&b""[..], b"\x02", b"\x01\x00\x07"] {
            let error = remember(Some(list), &notification(7, 1)).unwrap_err();
            assert_eq!(error.code(), Code::StorageCorrupt);
        }
    }
}
