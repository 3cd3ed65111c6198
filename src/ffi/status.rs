//! `dmsc_status`: the numbers every fallible function returns.

/// Result of a call: 0 or more is success or a state, less than 0 a failure.
///
/// The numbers are in bands by layer and are never reused. A negative number that is not in this list
/// is a host callback's own and is passed through. The text of the last failure on this thread is
/// @ref dmsc_last_error_message.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_status {
    /// Done.
    DMSC_OK = 0,
    /// Accepted; the outcome comes as an event.
    DMSC_PENDING = 1,
    /// Nothing happened in the time given.
    DMSC_TIMED_OUT = 2,
    /// An argument is NULL, out of range, or contradicts another one.
    DMSC_ERR_INVALID_ARG = -1,
    /// The library caught a panic of its own; the client is unusable from now on.
    DMSC_ERR_PANIC = -2,
    /// Memory could not be allocated.
    DMSC_ERR_NO_MEMORY = -3,
    /// This build or this object cannot do it.
    DMSC_ERR_NOT_SUPPORTED = -4,
    /// The object is not in a state that allows the call.
    DMSC_ERR_STATE = -5,
    /// The call is not allowed inside this callback.
    DMSC_ERR_REENTRANT = -6,
    /// Somebody else is using the resource; try again.
    DMSC_ERR_BUSY = -7,
    /// The host or the user cancelled.
    DMSC_ERR_CANCELLED = -8,
    /// The peer did not answer in time.
    DMSC_ERR_TIMEOUT = -9,
    /// The caller's buffer is too small.
    DMSC_ERR_BUFFER_TOO_SMALL = -10,
    /// Text is not UTF-8.
    DMSC_ERR_UTF8 = -11,
    /// A host callback failed with a positive number (a negative one is passed through as it is).
    DMSC_ERR_CALLBACK = -12,
    /// Policy or user refused it.
    DMSC_ERR_DENIED = -13,
    /// An export of the audit journal does not verify.
    DMSC_ERR_AUDIT = -14,
    /// No card in the reader or slot.
    DMSC_ERR_CARD_ABSENT = -100,
    /// The card was taken out.
    DMSC_ERR_CARD_REMOVED = -101,
    /// The card was reset by somebody else.
    DMSC_ERR_CARD_RESET = -102,
    /// The exchange with the card failed below the APDU.
    DMSC_ERR_CARD_TRANSMIT = -103,
    /// The card refused with a status word.
    DMSC_ERR_CARD_SW = -104,
    /// The card has no free logical channel.
    DMSC_ERR_CARD_NO_CHANNEL = -105,
    /// The file or application is not on the card.
    DMSC_ERR_CARD_FILE_NOT_FOUND = -106,
    /// The card wants a PIN or another right first.
    DMSC_ERR_CARD_ACCESS_DENIED = -107,
    /// The card sent data that cannot be right.
    DMSC_ERR_CARD_BAD_DATA = -108,
    /// The card holds no bootstrap data.
    DMSC_ERR_BOOTSTRAP_NONE = -200,
    /// The bootstrap message's MAC is wrong or missing.
    DMSC_ERR_BOOTSTRAP_MAC = -201,
    /// The PIN for a bootstrap message is wrong or was not given.
    DMSC_ERR_BOOTSTRAP_PIN = -202,
    /// The bootstrap document cannot be decoded or used.
    DMSC_ERR_BOOTSTRAP_FORMAT = -203,
    /// Policy or user refused the bootstrap.
    DMSC_ERR_BOOTSTRAP_REFUSED = -204,
    /// The notification's digest is wrong.
    DMSC_ERR_TRIGGER_DIGEST = -210,
    /// The notification names a server without account.
    DMSC_ERR_TRIGGER_SERVER = -211,
    /// The notification or its push envelope is malformed.
    DMSC_ERR_TRIGGER_FORMAT = -212,
    /// The notification was seen before.
    DMSC_ERR_TRIGGER_REPLAY = -213,
    /// The connection could not be opened.
    DMSC_ERR_CONNECT = -300,
    /// The connection broke.
    DMSC_ERR_IO = -301,
    /// TLS failed.
    DMSC_ERR_TLS = -302,
    /// The HTTP answer is an error or malformed.
    DMSC_ERR_HTTP = -303,
    /// There is no network now.
    DMSC_ERR_NO_NETWORK = -304,
    /// A message is not well-formed.
    DMSC_ERR_SYNTAX = -400,
    /// A message breaks the DM protocol.
    DMSC_ERR_PROTOCOL = -401,
    /// The server failed to authenticate itself.
    DMSC_ERR_AUTH_SERVER = -402,
    /// The server did not accept the client's credentials.
    DMSC_ERR_AUTH_CLIENT = -403,
    /// A limit was reached.
    DMSC_ERR_TOO_LARGE = -404,
    /// The server ended the session with an abort.
    DMSC_ERR_ABORTED = -405,
    /// The server refused what the client sent.
    DMSC_ERR_REFUSED = -406,
    /// The node does not exist.
    DMSC_ERR_NODE_NOT_FOUND = -500,
    /// The node exists already.
    DMSC_ERR_NODE_EXISTS = -501,
    /// The access control list does not allow it.
    DMSC_ERR_NODE_ACL = -502,
    /// The node does not allow this operation.
    DMSC_ERR_NODE_NOT_ALLOWED = -503,
    /// The value does not fit the node's format or type.
    DMSC_ERR_NODE_FORMAT = -504,
    /// The URI is malformed or too long.
    DMSC_ERR_URI = -505,
    /// Reading or writing the store failed.
    DMSC_ERR_STORAGE_IO = -520,
    /// The store's content is damaged, or the file is no store.
    DMSC_ERR_STORAGE_CORRUPT = -521,
    /// The store's medium is full.
    DMSC_ERR_STORAGE_FULL = -522,
    /// The key that seals the store's secrets is missing, is another one, or can be read by others.
    DMSC_ERR_STORAGE_KEY = -523,
    /// The store was written by a newer version of the library.
    DMSC_ERR_STORAGE_VERSION = -524,
}

/// `dmsc_status` as functions return it: a callback may return any negative number, which no Rust enum
/// can hold.
pub type dmsc_result = i32;

#[cfg(test)]
mod tests {
    use super::dmsc_status::{self, *};
    use crate::error::Code;

    #[test]
    fn the_enum_has_every_code_under_its_name() {
        let all: &[dmsc_status] = &[
            DMSC_ERR_INVALID_ARG,
            DMSC_ERR_PANIC,
            DMSC_ERR_NO_MEMORY,
            DMSC_ERR_NOT_SUPPORTED,
            DMSC_ERR_STATE,
            DMSC_ERR_REENTRANT,
            DMSC_ERR_BUSY,
            DMSC_ERR_CANCELLED,
            DMSC_ERR_TIMEOUT,
            DMSC_ERR_BUFFER_TOO_SMALL,
            DMSC_ERR_UTF8,
            DMSC_ERR_CALLBACK,
            DMSC_ERR_DENIED,
            DMSC_ERR_AUDIT,
            DMSC_ERR_CARD_ABSENT,
            DMSC_ERR_CARD_REMOVED,
            DMSC_ERR_CARD_RESET,
            DMSC_ERR_CARD_TRANSMIT,
            DMSC_ERR_CARD_SW,
            DMSC_ERR_CARD_NO_CHANNEL,
            DMSC_ERR_CARD_FILE_NOT_FOUND,
            DMSC_ERR_CARD_ACCESS_DENIED,
            DMSC_ERR_CARD_BAD_DATA,
            DMSC_ERR_BOOTSTRAP_NONE,
            DMSC_ERR_BOOTSTRAP_MAC,
            DMSC_ERR_BOOTSTRAP_PIN,
            DMSC_ERR_BOOTSTRAP_FORMAT,
            DMSC_ERR_BOOTSTRAP_REFUSED,
            DMSC_ERR_TRIGGER_DIGEST,
            DMSC_ERR_TRIGGER_SERVER,
            DMSC_ERR_TRIGGER_FORMAT,
            DMSC_ERR_TRIGGER_REPLAY,
            DMSC_ERR_CONNECT,
            DMSC_ERR_IO,
            DMSC_ERR_TLS,
            DMSC_ERR_HTTP,
            DMSC_ERR_NO_NETWORK,
            DMSC_ERR_SYNTAX,
            DMSC_ERR_PROTOCOL,
            DMSC_ERR_AUTH_SERVER,
            DMSC_ERR_AUTH_CLIENT,
            DMSC_ERR_TOO_LARGE,
            DMSC_ERR_ABORTED,
            DMSC_ERR_REFUSED,
            DMSC_ERR_NODE_NOT_FOUND,
            DMSC_ERR_NODE_EXISTS,
            DMSC_ERR_NODE_ACL,
            DMSC_ERR_NODE_NOT_ALLOWED,
            DMSC_ERR_NODE_FORMAT,
            DMSC_ERR_URI,
            DMSC_ERR_STORAGE_IO,
            DMSC_ERR_STORAGE_CORRUPT,
            DMSC_ERR_STORAGE_FULL,
            DMSC_ERR_STORAGE_KEY,
            DMSC_ERR_STORAGE_VERSION,
        ];
        assert_eq!(all.len(), Code::ALL.len());
        for (status, code) in all.iter().zip(Code::ALL) {
            assert_eq!(*status as i32, *code as i32);
            assert_eq!(format!("{status:?}"), code.name());
        }
    }
}
