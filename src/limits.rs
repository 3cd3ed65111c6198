//! Every bound of the library in one place. Reaching one is an error, never a truncation.
//!
//! Owns plain numbers; must not know any other module.

/// MaxMsgSize announced to a remote server, in octets.
pub const MAX_MSG_SIZE: u32 = 16 * 1024;
/// MaxMsgSize announced to the card as DM server, in octets.
pub const MAX_MSG_SIZE_CARD: u32 = 4 * 1024;
/// Smallest MaxMsgSize of a server that is obeyed; below it no Status fits.
pub const MIN_MSG_SIZE: u32 = 512;
/// MaxObjSize announced, in octets.
pub const MAX_OBJ_SIZE: u32 = 1024 * 1024;

/// Element depth of an XML or WBXML document.
pub const MARKUP_DEPTH: usize = 64;
/// Elements and attributes of one document.
pub const MARKUP_NODES: usize = 20_000;
/// Octets of one document.
pub const MARKUP_OCTETS: usize = 1024 * 1024;
/// Nodes of one TNDS object or device description.
pub const TNDS_NODES: usize = 20_000;
/// Elements and attributes of one: a node with all its properties is 13 elements.
pub const TNDS_ELEMENTS: usize = 14 * TNDS_NODES;
/// Octets of one: as many nodes with [`MAX_OBJ_SIZE`] octets of names, properties and values fit into it
/// in either encoding, all of it escaped.
pub const TNDS_OCTETS: usize = 16 * 1024 * 1024;
/// Octets of expanded text a document may always have; above it, four times its own size.
pub const MARKUP_TEXT: usize = 64 * 1024;

/// Segments of a node's URI, the root not counted.
pub const URI_DEPTH: usize = 32;
/// Octets of a URI.
pub const URI_OCTETS: usize = 1023;
/// Octets of one segment.
pub const URI_SEGMENT: usize = 127;
/// Nodes of the tree.
pub const TREE_NODES: usize = 1_000_000;
/// Patterns of URIs whose values are sealed, the built-in ones included.
pub const SECRET_URIS: usize = 64;
/// Octets of one ACL.
pub const ACL_OCTETS: usize = 4096;
/// Octets of one Title.
pub const TITLE_OCTETS: usize = 255;
/// Octets of one Type property.
pub const TYPE_OCTETS: usize = 255;
/// DM accounts (DMAcc/<x>).
pub const ACCOUNTS: u32 = 64;
/// Access points (NAP/<x>), and proxies (PX/<x>).
pub const CONNECTIONS: u32 = 256;
/// Addresses, ports, connectivity references or credentials of one account.
pub const ACCOUNT_PARTS: u32 = 16;

/// Octets of one card file.
pub const CARD_FILE: usize = 32 * 1024;
/// Octets read from one card.
pub const CARD_TOTAL: usize = 128 * 1024;
/// READ BINARY for one file: a card that gives next to nothing at a time is not waited for.
pub const CARD_FILE_READS: usize = 512;
/// Commands, repetitions and GET RESPONSE included, after which no further file of a card is read.
pub const CARD_COMMANDS: usize = 8192;
/// Data objects of one DODF.
pub const DODF_OBJECTS: usize = 32;
/// DODFs of one card.
pub const DODFS: usize = 8;
/// Consecutive GET RESPONSE for one command.
pub const GET_RESPONSES: usize = 16;
/// Octets of a short command APDU.
pub const SHORT_APDU: usize = 5 + 255 + 1;
/// Octets a modem may say in answer to one AT command.
pub const AT_REPLY: usize = 16 * 1024;
/// Octets one command may return.
pub const RESPONSE_OCTETS: usize = 4096;
/// Proactive commands without the card coming to rest.
pub const PROACTIVE_COMMANDS: usize = 256;
/// Octets each way that one BIP channel buffers.
pub const CHANNEL_BUFFER: usize = 1400;

/// Time that a connection may take to come about, in milliseconds, where the host says nothing.
pub const CONNECT_MS: u64 = 10_000;
/// Octets of an HTTP response head.
pub const HTTP_HEAD: usize = 4 * 1024;
/// Time without a single octet from the server before the exchange fails, in milliseconds.
pub const HTTP_SILENCE_MS: u64 = 30_000;

/// Attempts that the user has to type the PIN of a pushed bootstrap.
pub const BOOTSTRAP_PIN_TRIES: u32 = 3;
/// Characters of that PIN, and of the digits of its MAC.
pub const BOOTSTRAP_PIN: u32 = 40;

/// Notifications that may wait for one server.
pub const TRIGGER_QUEUE: usize = 1;
/// Notifications of one server that are accepted within [`TRIGGER_RATE_MS`].
pub const TRIGGER_RATE: usize = 5;
/// The time in which they are counted, in milliseconds.
pub const TRIGGER_RATE_MS: u64 = 600_000;
/// Notifications of cards that may wait for the end of a write transaction.
pub const TRIGGERS_HELD: usize = 8;
/// Digests remembered for one account against replay.
pub const REPLAY_MEMORY: usize = 16;

/// Further attempts of a session that a host may ask for.
pub const SESSION_RETRIES: u32 = 10;
/// Times that a session is begun again after the client ended in the middle of it.
pub const SESSION_RESTARTS: u8 = 3;
/// Shortest and longest time between two attempts of a session, in milliseconds.
pub const RETRY_MS: (u64, u64) = (30_000, 3_600_000);
/// Time after which a session that could not be held is given up, in seconds.
pub const SESSION_PATIENCE_S: i64 = 24 * 3600;
/// Time that one attempt of a session may take, in milliseconds.
pub const SESSION_MS: u64 = 3_600_000;
/// Alerts of the host that may wait for a server.
pub const ALERTS: usize = 256;
/// Octets of data of one alert of the host.
pub const ALERT_OCTETS: usize = 64 * 1024;

/// Messages of one DM session.
pub const SESSION_MESSAGES: u32 = 1000;
/// Octets that the answers not yet sent to the server may hold.
pub const SESSION_REPLY: usize = 4 * 1024 * 1024;
/// Octets up to which a value of the host is read as a whole.
pub const READ_WHOLE: usize = 16 * 1024;
/// Octets of one text of an alert for the user.
pub const UI_TEXT: usize = 4096;
/// Choices of one alert for the user.
pub const UI_CHOICES: usize = 64;
/// Time that the user has for one answer, whatever the server allows, in milliseconds.
pub const UI_PATIENCE_MS: u64 = 600_000;

/// Octets of the audit journal; the oldest records above that are dropped.
pub const AUDIT_OCTETS: u64 = 1024 * 1024;
/// Least octets that the audit journal may be bounded to.
pub const AUDIT_OCTETS_MIN: u64 = 16 * 1024;
/// The commands of one session take this part of the audit journal at most; further ones are added up.
pub const AUDIT_SHARES: u64 = 16;
/// Refused notifications of one hour that have a record of their own.
pub const AUDIT_REFUSALS: usize = 32;
/// Records that may wait for the end of a write transaction.
pub const AUDIT_WAITING: usize = 256;

/// Octets of a policy file.
pub const POLICY_OCTETS: usize = 64 * 1024;
/// Rules of a policy.
pub const POLICY_RULES: usize = 256;
/// Entries of one list in a policy.
pub const POLICY_PATTERNS: usize = 64;
