//! SyncML status and alert codes that a DM 1.2 client meets (SyncML Representation Protocol 10).

/// A SyncML status code.
pub type Status = u16;

/// Done.
pub const OK: Status = 200;
/// Accepted, goes on asynchronously.
pub const ACCEPTED: Status = 202;
/// Authenticated for the session.
pub const AUTHENTICATED: Status = 212;
/// Chunk of a large object stored.
pub const CHUNK_ACCEPTED: Status = 213;
/// The user cancelled.
pub const CANCELLED: Status = 214;
/// Not executed.
pub const NOT_EXECUTED: Status = 215;
/// Undone after a failure inside Atomic.
pub const ROLLED_BACK: Status = 216;
/// The user answered No.
pub const NOT_MODIFIED: Status = 304;
/// Malformed command or URI.
pub const BAD_REQUEST: Status = 400;
/// Wrong credentials.
pub const UNAUTHORIZED: Status = 401;
/// The node is in use, or cannot be copied.
pub const FORBIDDEN: Status = 403;
/// No such node.
pub const NOT_FOUND: Status = 404;
/// The node does not allow this command.
pub const NOT_ALLOWED: Status = 405;
/// Optional feature that is not there.
pub const UNSUPPORTED_FEATURE: Status = 406;
/// Credentials are missing.
pub const CREDENTIALS_MISSING: Status = 407;
/// The user did not answer in time.
pub const REQUEST_TIMEOUT: Status = 408;
/// The first chunk carries no Size.
pub const SIZE_REQUIRED: Status = 411;
/// The command lacks something.
pub const INCOMPLETE: Status = 412;
/// The object is too large.
pub const TOO_LARGE: Status = 413;
/// URI too long or too deep.
pub const URI_TOO_LONG: Status = 414;
/// Type or format not allowed here.
pub const UNSUPPORTED_FORMAT: Status = 415;
/// Cannot be shown.
pub const CANNOT_SHOW: Status = 416;
/// The node exists.
pub const EXISTS: Status = 418;
/// No room.
pub const DEVICE_FULL: Status = 420;
/// Chunks do not add up to Size.
pub const SIZE_MISMATCH: Status = 424;
/// The ACL forbids it.
pub const PERMISSION_DENIED: Status = 425;
/// Failed for another reason.
pub const COMMAND_FAILED: Status = 500;
/// VerDTD is not one of ours.
pub const DTD_NOT_SUPPORTED: Status = 505;
/// The message cannot be processed.
pub const PROCESSING_ERROR: Status = 506;
/// A child of the Atomic failed.
pub const ATOMIC_FAILED: Status = 507;
/// The store failed.
pub const DATA_STORE_FAILURE: Status = 510;
/// VerProto is not one of ours.
pub const PROTOCOL_NOT_SUPPORTED: Status = 513;
/// A child of the Atomic could not be undone.
pub const ROLL_BACK_FAILED: Status = 516;
/// The Atomic's statuses do not fit one message.
pub const ATOMIC_TOO_LARGE: Status = 517;

/// A SyncML alert code.
pub type AlertCode = u16;

/// Show a text.
pub const ALERT_DISPLAY: AlertCode = 1100;
/// Ask for Yes or No.
pub const ALERT_CONFIRM: AlertCode = 1101;
/// Ask for a text.
pub const ALERT_TEXT_INPUT: AlertCode = 1102;
/// Choose one.
pub const ALERT_SINGLE_CHOICE: AlertCode = 1103;
/// Choose any number.
pub const ALERT_MULTIPLE_CHOICE: AlertCode = 1104;
/// The server asked for this session.
pub const ALERT_SERVER_INITIATED: AlertCode = 1200;
/// The client asked for this session.
pub const ALERT_CLIENT_INITIATED: AlertCode = 1201;
/// Send the next message of the package.
pub const ALERT_NEXT_MESSAGE: AlertCode = 1222;
/// The session is aborted.
pub const ALERT_ABORT: AlertCode = 1223;
/// Something happened on the client.
pub const ALERT_CLIENT_EVENT: AlertCode = 1224;
/// A large object did not end.
pub const ALERT_NO_END_OF_DATA: AlertCode = 1225;
/// Something happened on the device.
pub const ALERT_GENERIC: AlertCode = 1226;
