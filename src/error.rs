//! The library's one error type: a stable code, what failed and where, and the layer's own number.
//!
//! Owns the codes (they are the C API's `dmsc_status` numbers). Must not know any other module but the
//! names of status words.

use crate::status_word;
use std::borrow::Cow;
use std::fmt;

/// Result of everything fallible in the library.
pub type Result<T> = core::result::Result<T, Error>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $c:literal;)*) => {
        /// Stable error codes, in bands by layer. The numbers are the C API's and are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name = $number,)* }

        impl Code {
            /// The C constant's name, for example `DMSC_ERR_CARD_SW`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $c,)* }
            }

            /// The code with this number, if there is one.
            pub fn from_number(number: i32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// Every code, in the order of the header.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

codes! {
    /// An argument is NULL, out of range, or contradicts another one.
    InvalidArg = -1, "DMSC_ERR_INVALID_ARG";
    /// The library caught a panic of its own; the client is unusable from now on.
    Panic = -2, "DMSC_ERR_PANIC";
    /// Memory could not be allocated.
    NoMemory = -3, "DMSC_ERR_NO_MEMORY";
    /// This build or this object cannot do it.
    NotSupported = -4, "DMSC_ERR_NOT_SUPPORTED";
    /// The object is not in a state that allows the call.
    State = -5, "DMSC_ERR_STATE";
    /// The call is not allowed inside this callback.
    Reentrant = -6, "DMSC_ERR_REENTRANT";
    /// Somebody else is using the resource; try again.
    Busy = -7, "DMSC_ERR_BUSY";
    /// The host or the user cancelled.
    Cancelled = -8, "DMSC_ERR_CANCELLED";
    /// The peer did not answer in time.
    Timeout = -9, "DMSC_ERR_TIMEOUT";
    /// The caller's buffer is too small.
    BufferTooSmall = -10, "DMSC_ERR_BUFFER_TOO_SMALL";
    /// Text is not UTF-8.
    Utf8 = -11, "DMSC_ERR_UTF8";
    /// A host callback failed.
    Callback = -12, "DMSC_ERR_CALLBACK";
    /// Policy or user refused it.
    Denied = -13, "DMSC_ERR_DENIED";
    /// An export of the audit journal does not verify.
    Audit = -14, "DMSC_ERR_AUDIT";

    /// No card in the reader or slot.
    CardAbsent = -100, "DMSC_ERR_CARD_ABSENT";
    /// The card was taken out.
    CardRemoved = -101, "DMSC_ERR_CARD_REMOVED";
    /// The card was reset by somebody else.
    CardReset = -102, "DMSC_ERR_CARD_RESET";
    /// The exchange with the card failed below the APDU.
    CardTransmit = -103, "DMSC_ERR_CARD_TRANSMIT";
    /// The card refused with a status word.
    CardSw = -104, "DMSC_ERR_CARD_SW";
    /// The card has no free logical channel.
    CardNoChannel = -105, "DMSC_ERR_CARD_NO_CHANNEL";
    /// The file or application is not on the card.
    CardFileNotFound = -106, "DMSC_ERR_CARD_FILE_NOT_FOUND";
    /// The card wants a PIN or another right first.
    CardAccessDenied = -107, "DMSC_ERR_CARD_ACCESS_DENIED";
    /// The card sent data that cannot be right.
    CardBadData = -108, "DMSC_ERR_CARD_BAD_DATA";

    /// The card holds no bootstrap data.
    BootstrapNone = -200, "DMSC_ERR_BOOTSTRAP_NONE";
    /// The bootstrap message's MAC is wrong or missing.
    BootstrapMac = -201, "DMSC_ERR_BOOTSTRAP_MAC";
    /// The PIN for a bootstrap message is wrong or was not given.
    BootstrapPin = -202, "DMSC_ERR_BOOTSTRAP_PIN";
    /// The bootstrap document cannot be decoded or used.
    BootstrapFormat = -203, "DMSC_ERR_BOOTSTRAP_FORMAT";
    /// Policy or user refused the bootstrap.
    BootstrapRefused = -204, "DMSC_ERR_BOOTSTRAP_REFUSED";
    /// The notification's digest is wrong.
    TriggerDigest = -210, "DMSC_ERR_TRIGGER_DIGEST";
    /// The notification names a server without account.
    TriggerServer = -211, "DMSC_ERR_TRIGGER_SERVER";
    /// The notification or its push envelope is malformed.
    TriggerFormat = -212, "DMSC_ERR_TRIGGER_FORMAT";
    /// The notification was seen before.
    TriggerReplay = -213, "DMSC_ERR_TRIGGER_REPLAY";

    /// The connection could not be opened.
    Connect = -300, "DMSC_ERR_CONNECT";
    /// The connection broke.
    Io = -301, "DMSC_ERR_IO";
    /// TLS failed.
    Tls = -302, "DMSC_ERR_TLS";
    /// The HTTP answer is an error or malformed.
    Http = -303, "DMSC_ERR_HTTP";
    /// There is no network now.
    NoNetwork = -304, "DMSC_ERR_NO_NETWORK";

    /// A message is not well-formed.
    Syntax = -400, "DMSC_ERR_SYNTAX";
    /// A message breaks the DM protocol.
    Protocol = -401, "DMSC_ERR_PROTOCOL";
    /// The server failed to authenticate itself.
    AuthServer = -402, "DMSC_ERR_AUTH_SERVER";
    /// The server did not accept the client's credentials.
    AuthClient = -403, "DMSC_ERR_AUTH_CLIENT";
    /// A limit was reached.
    TooLarge = -404, "DMSC_ERR_TOO_LARGE";
    /// The server ended the session with an abort.
    Aborted = -405, "DMSC_ERR_ABORTED";
    /// The server refused what the client sent.
    Refused = -406, "DMSC_ERR_REFUSED";

    /// The node does not exist.
    NodeNotFound = -500, "DMSC_ERR_NODE_NOT_FOUND";
    /// The node exists already.
    NodeExists = -501, "DMSC_ERR_NODE_EXISTS";
    /// The access control list does not allow it.
    NodeAcl = -502, "DMSC_ERR_NODE_ACL";
    /// The node does not allow this operation.
    NodeNotAllowed = -503, "DMSC_ERR_NODE_NOT_ALLOWED";
    /// The value does not fit the node's format or type.
    NodeFormat = -504, "DMSC_ERR_NODE_FORMAT";
    /// The URI is malformed or too long.
    Uri = -505, "DMSC_ERR_URI";
    /// Reading or writing the store failed.
    StorageIo = -520, "DMSC_ERR_STORAGE_IO";
    /// The store's content is damaged, or the file is no store.
    StorageCorrupt = -521, "DMSC_ERR_STORAGE_CORRUPT";
    /// The store's medium is full.
    StorageFull = -522, "DMSC_ERR_STORAGE_FULL";
    /// The key that seals the store's secrets is missing, is another one, or can be read by others.
    StorageKey = -523, "DMSC_ERR_STORAGE_KEY";
    /// The store was written by a newer version of the library.
    StorageVersion = -524, "DMSC_ERR_STORAGE_VERSION";
}

/// What failed, where, and why. The text never holds a secret, a PIN, or a full ICCID or IMSI.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    what: Cow<'static, str>,
    /// Card status word, `SW1 << 8 | SW2`; 0 if none.
    pub card_sw: u16,
    /// HTTP status; 0 if none.
    pub http_status: u16,
    /// SyncML status; 0 if none.
    pub syncml_status: u16,
    /// errno or the host callback's return value; 0 if none.
    pub os_error: i32,
}

impl Error {
    /// An error of `code`; `what` says what was being done, where, and what was wrong.
    pub fn new(code: Code, what: impl Into<Cow<'static, str>>) -> Self {
        Self { code, what: what.into(), card_sw: 0, http_status: 0, syncml_status: 0, os_error: 0 }
    }

    /// The card's refusal `sw` of the command named in `what`.
    pub fn card_sw(sw: u16, what: impl fmt::Display) -> Self {
        let code = match sw {
            0x6A82 | 0x9404 => Code::CardFileNotFound,
            0x6982 | 0x6983 | 0x9804 | 0x9840 => Code::CardAccessDenied,
            _ => Code::CardSw,
        };
        let name = status_word::name(sw);
        Self { card_sw: sw, ..Self::new(code, format!("{what}: SW {sw:04X} ({name})")) }
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The number that C sees: the code's, or a failed callback's own if it is negative.
    pub fn number(&self) -> i32 {
        match self.code {
            Code::Callback if self.os_error < 0 => self.os_error,
            code => code as i32,
        }
    }

    /// The text without the code's name.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The same error with `outer: ` before its text.
    #[must_use]
    pub fn context(mut self, outer: impl fmt::Display) -> Self {
        self.what = format!("{outer}: {}", self.what).into();
        self
    }

    /// The same error under another code.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// The same error with the server's HTTP status.
    #[must_use]
    pub fn with_http_status(self, http_status: u16) -> Self {
        Self { http_status, ..self }
    }

    /// The same error with errno or a callback's return value.
    #[must_use]
    pub fn with_os_error(self, os_error: i32) -> Self {
        Self { os_error, ..self }
    }

    /// True if the card is gone: nothing more may be sent to it, not even a close.
    pub fn is_card_gone(&self) -> bool {
        matches!(self.code, Code::CardAbsent | Code::CardRemoved | Code::CardReset)
    }

    /// True if the store failed: whatever else is tried now fails as well.
    pub fn is_storage(&self) -> bool {
        matches!(
            self.code,
            Code::StorageIo
                | Code::StorageCorrupt
                | Code::StorageFull
                | Code::StorageKey
                | Code::StorageVersion
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.what)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_map_back() {
        for code in Code::ALL {
            assert_eq!(Code::from_number(*code as i32), Some(*code), "{}", code.name());
        }
    }

    #[test]
    fn context_keeps_the_code() {
        let error = Error::card_sw(0x6A82, "SELECT 5031").context("reading ODF");
        assert_eq!(error.code(), Code::CardFileNotFound);
        assert_eq!(
            error.to_string(),
            "reading ODF: SELECT 5031: SW 6A82 (file or application not found)"
        );
    }
}
