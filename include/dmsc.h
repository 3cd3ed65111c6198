/* libdmsc: OMA Device Management Smart Card (DM_SC 1.0) client.
 *
 * Generated from src/ffi by `make header`. Do not edit.
 * SPDX-License-Identifier: Apache-2.0 OR MIT
 */

#ifndef DMSC_H
#define DMSC_H



#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
/** The compiler warns when the result is not looked at. */
#define DMSC_MUST_USE __attribute__((warn_unused_result))
#else
#define DMSC_MUST_USE
#endif

/**
 * @mainpage libdmsc
 *
 * A handset's DM client for OMA Device Management 1.2 with the smart card as bootstrap source, trigger
 * and DM server.
 *
 * @section names Names
 * dmsc_<noun>_<verb>; constants DMSC_*. Handles are opaque.
 *
 * @section parameters Parameters
 * Object, inputs, outputs last; outputs are written on success only. Octets are a pointer and a size_t;
 * NULL is allowed for size 0 only. Text in is NUL-terminated UTF-8 and checked (DMSC_ERR_UTF8). A struct
 * that crosses the boundary begins with struct_size = sizeof of what the caller was compiled with; it may
 * be shorter or longer than the library's own.
 *
 * @section ownership Ownership
 * A creating function has one freeing function of the same noun; handles are freed in any order. Owned
 * octets travel as dmsc_buffer in both directions; nothing is malloc'ed on one side and freed on the
 * other. What a callback is given is valid until it returns, except the alert of on_alert, which is given
 * away. destroy(user_data) is called exactly once per accepted struct, after the last other callback; when
 * the accepting function fails it is not called.
 *
 * @section threads Threads
 * Any function may be called from any thread. dmsc_client, dmsc_card and dmsc_session may be used by
 * several threads at once; dmsc_txn and dmsc_alert by one at a time. A free or close must be the last use.
 * Callbacks run on the driving thread only, one at a time, with no lock held: inside
 * dmsc_client_run_once, on the thread of dmsc_client_start, or, while neither drives, inside the call that
 * needs the card or session. Exception: dmsc_log_sink.log, any thread.
 *
 * @section reentry Re-entry
 * In a callback of dmsc_callbacks everything may be called except run_once, start, stop and session_wait of
 * the same client (DMSC_ERR_REENTRANT); dmsc_client_free and dmsc_card_close take effect when it has
 * returned. In a callback of a card transport what needs the card or session is DMSC_ERR_REENTRANT too.
 *
 * @section errors Errors
 * 0 or more is success or a state, less than 0 a failure. dmsc_last_error_message and dmsc_last_error_info
 * tell more, per thread; each call of the library clears them first. A negative number of a callback that
 * is no dmsc_status is passed through. A panic inside the library is caught, logged with its place,
 * returned as DMSC_ERR_PANIC, and makes that client unusable: its functions return DMSC_ERR_STATE from then
 * on, and it can be freed.
 *
 * @section init Initialisation
 * There is none.
 */

/**
 * Result of a call: 0 or more is success or a state, less than 0 a failure.
 *
 * The numbers are in bands by layer and are never reused. A negative number that is not in this list
 * is a host callback's own and is passed through. The text of the last failure on this thread is
 * @ref dmsc_last_error_message.
 */
enum dmsc_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Done.
   */
  DMSC_OK = 0,
  /**
   * Accepted; the outcome comes as an event.
   */
  DMSC_PENDING = 1,
  /**
   * Nothing happened in the time given.
   */
  DMSC_TIMED_OUT = 2,
  /**
   * An argument is NULL, out of range, or contradicts another one.
   */
  DMSC_ERR_INVALID_ARG = -1,
  /**
   * The library caught a panic of its own; the client is unusable from now on.
   */
  DMSC_ERR_PANIC = -2,
  /**
   * Memory could not be allocated.
   */
  DMSC_ERR_NO_MEMORY = -3,
  /**
   * This build or this object cannot do it.
   */
  DMSC_ERR_NOT_SUPPORTED = -4,
  /**
   * The object is not in a state that allows the call.
   */
  DMSC_ERR_STATE = -5,
  /**
   * The call is not allowed inside this callback.
   */
  DMSC_ERR_REENTRANT = -6,
  /**
   * Somebody else is using the resource; try again.
   */
  DMSC_ERR_BUSY = -7,
  /**
   * The host or the user cancelled.
   */
  DMSC_ERR_CANCELLED = -8,
  /**
   * The peer did not answer in time.
   */
  DMSC_ERR_TIMEOUT = -9,
  /**
   * The caller's buffer is too small.
   */
  DMSC_ERR_BUFFER_TOO_SMALL = -10,
  /**
   * Text is not UTF-8.
   */
  DMSC_ERR_UTF8 = -11,
  /**
   * A host callback failed with a positive number (a negative one is passed through as it is).
   */
  DMSC_ERR_CALLBACK = -12,
  /**
   * No card in the reader or slot.
   */
  DMSC_ERR_CARD_ABSENT = -100,
  /**
   * The card was taken out.
   */
  DMSC_ERR_CARD_REMOVED = -101,
  /**
   * The card was reset by somebody else.
   */
  DMSC_ERR_CARD_RESET = -102,
  /**
   * The exchange with the card failed below the APDU.
   */
  DMSC_ERR_CARD_TRANSMIT = -103,
  /**
   * The card refused with a status word.
   */
  DMSC_ERR_CARD_SW = -104,
  /**
   * The card has no free logical channel.
   */
  DMSC_ERR_CARD_NO_CHANNEL = -105,
  /**
   * The file or application is not on the card.
   */
  DMSC_ERR_CARD_FILE_NOT_FOUND = -106,
  /**
   * The card wants a PIN or another right first.
   */
  DMSC_ERR_CARD_ACCESS_DENIED = -107,
  /**
   * The card sent data that cannot be right.
   */
  DMSC_ERR_CARD_BAD_DATA = -108,
  /**
   * The card holds no bootstrap data.
   */
  DMSC_ERR_BOOTSTRAP_NONE = -200,
  /**
   * The bootstrap message's MAC is wrong or missing.
   */
  DMSC_ERR_BOOTSTRAP_MAC = -201,
  /**
   * The PIN for a bootstrap message is wrong or was not given.
   */
  DMSC_ERR_BOOTSTRAP_PIN = -202,
  /**
   * The bootstrap document cannot be decoded or used.
   */
  DMSC_ERR_BOOTSTRAP_FORMAT = -203,
  /**
   * Policy or user refused the bootstrap.
   */
  DMSC_ERR_BOOTSTRAP_REFUSED = -204,
  /**
   * The notification's digest is wrong.
   */
  DMSC_ERR_TRIGGER_DIGEST = -210,
  /**
   * The notification names a server without account.
   */
  DMSC_ERR_TRIGGER_SERVER = -211,
  /**
   * The notification or its push envelope is malformed.
   */
  DMSC_ERR_TRIGGER_FORMAT = -212,
  /**
   * The notification was seen before.
   */
  DMSC_ERR_TRIGGER_REPLAY = -213,
  /**
   * The connection could not be opened.
   */
  DMSC_ERR_CONNECT = -300,
  /**
   * The connection broke.
   */
  DMSC_ERR_IO = -301,
  /**
   * TLS failed.
   */
  DMSC_ERR_TLS = -302,
  /**
   * The HTTP answer is an error or malformed.
   */
  DMSC_ERR_HTTP = -303,
  /**
   * There is no network now.
   */
  DMSC_ERR_NO_NETWORK = -304,
  /**
   * A message is not well-formed.
   */
  DMSC_ERR_SYNTAX = -400,
  /**
   * A message breaks the DM protocol.
   */
  DMSC_ERR_PROTOCOL = -401,
  /**
   * The server failed to authenticate itself.
   */
  DMSC_ERR_AUTH_SERVER = -402,
  /**
   * The server did not accept the client's credentials.
   */
  DMSC_ERR_AUTH_CLIENT = -403,
  /**
   * A limit was reached.
   */
  DMSC_ERR_TOO_LARGE = -404,
  /**
   * The server ended the session with an abort.
   */
  DMSC_ERR_ABORTED = -405,
  /**
   * The node does not exist.
   */
  DMSC_ERR_NODE_NOT_FOUND = -500,
  /**
   * The node exists already.
   */
  DMSC_ERR_NODE_EXISTS = -501,
  /**
   * The access control list does not allow it.
   */
  DMSC_ERR_NODE_ACL = -502,
  /**
   * The node does not allow this operation.
   */
  DMSC_ERR_NODE_NOT_ALLOWED = -503,
  /**
   * The value does not fit the node's format or type.
   */
  DMSC_ERR_NODE_FORMAT = -504,
  /**
   * The URI is malformed or too long.
   */
  DMSC_ERR_URI = -505,
  /**
   * Reading or writing the store failed.
   */
  DMSC_ERR_STORAGE_IO = -520,
  /**
   * The store's content is damaged or of another version.
   */
  DMSC_ERR_STORAGE_CORRUPT = -521,
  /**
   * The store's medium is full.
   */
  DMSC_ERR_STORAGE_FULL = -522,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_status dmsc_status;
#else
typedef int32_t dmsc_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Kinds of events.
 */
enum dmsc_event_type
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A notification was accepted; session `session_id` will follow. uri: server id.
   */
  DMSC_EVENT_SESSION_REQUESTED = 1,
  /**
   * A DM session begins. uri: server id.
   */
  DMSC_EVENT_SESSION_STARTED = 2,
  /**
   * A message for the server is ready and leaves. phase: its MsgID. uri: its address.
   */
  DMSC_EVENT_PACKAGE_SENT = 3,
  /**
   * A message came from the server. phase: messages received so far.
   */
  DMSC_EVENT_PACKAGE_RECEIVED = 4,
  /**
   * A server's command was done. uri: node; phase: SyncML status; data: the command's name.
   */
  DMSC_EVENT_COMMAND_DONE = 6,
  /**
   * A DM session ended. status: how; uri: server id; data: the error's text.
   */
  DMSC_EVENT_SESSION_ENDED = 7,
  /**
   * The card holds a bootstrap object. uri: its path on the card.
   */
  DMSC_EVENT_BOOTSTRAP_FOUND = 8,
  /**
   * A bootstrap object was dealt with. status: how. On success uri: the new node, data: an account's
   * server id. On failure uri: the object's path on the card, if it is about one; data: the error's text.
   */
  DMSC_EVENT_BOOTSTRAP_APPLIED = 9,
  /**
   * The card's state changed. status: DMSC_OK opened; DMSC_ERR_CARD_REMOVED, _ABSENT or _RESET gone, its
   * session and toolkit are ended; another error: it does not answer and is tried again.
   * phase 1 (with DMSC_ERR_CARD_RESET): it is there and asks to be read again (REFRESH).
   */
  DMSC_EVENT_CARD_STATE = 10,
  /**
   * A notification was refused. status: why; data: the error's text. The sender is told nothing.
   */
  DMSC_EVENT_TRIGGER_REFUSED = 12,
  /**
   * What a card brought went with it or with its object. uri: the node that is gone; data: an account's
   * server id.
   */
  DMSC_EVENT_BOOTSTRAP_REMOVED = 13,
  /**
   * A session could not be held and will be tried again. uri: server id; status: why; phase: attempts so
   * far; data: the error's text.
   */
  DMSC_EVENT_SESSION_DEFERRED = 14,
  /**
   * A session waits for @ref dmsc_client_network_changed. uri: server id; data: the connectivity that its
   * account asks for (PrefConRef or ConRef), none if any will do.
   */
  DMSC_EVENT_NETWORK_WANTED = 15,
  /**
   * A connection of the card into the network was refused or failed. uri: the server's address; status:
   * why; data: the error's text.
   */
  DMSC_EVENT_CONNECTION_REFUSED = 16,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_event_type dmsc_event_type;
#else
typedef uint32_t dmsc_event_type;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The host's answers to `on_trigger`.
 */
enum dmsc_trigger_verdict
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Start the session.
   */
  DMSC_TRIGGER_ACCEPT = 0,
  /**
   * No session; the sender is told nothing.
   */
  DMSC_TRIGGER_REFUSE = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_trigger_verdict dmsc_trigger_verdict;
#else
typedef int32_t dmsc_trigger_verdict;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a notification came from.
 */
enum dmsc_trigger_source
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A WAP push as the handset's SMS stack hands it over.
   */
  DMSC_TRIGGER_PUSH = 0,
  /**
   * The card; only the library itself reports this.
   */
  DMSC_TRIGGER_CARD = 1,
  /**
   * The host itself.
   */
  DMSC_TRIGGER_HOST = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_trigger_source dmsc_trigger_source;
#else
typedef uint32_t dmsc_trigger_source;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Levels of log lines.
 */
enum dmsc_log_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Nothing.
   */
  DMSC_LOG_OFF = 0,
  /**
   * Something failed.
   */
  DMSC_LOG_ERROR = 1,
  /**
   * Something is odd but went on.
   */
  DMSC_LOG_WARN = 2,
  /**
   * Milestones.
   */
  DMSC_LOG_INFO = 3,
  /**
   * Each exchange, without its content.
   */
  DMSC_LOG_DEBUG = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_log_level dmsc_log_level;
#else
typedef uint32_t dmsc_log_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What the host tells about a card with @ref dmsc_card_notify.
 */
enum dmsc_card_event
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The card was taken out: its session is aborted, nothing more is sent to it.
   */
  DMSC_CARD_REMOVED = 1,
  /**
   * The card was reset: its session, its channels and its toolkit are ended; start the toolkit again.
   * Also makes a card usable again that was reported gone (DMSC_EVENT_CARD_STATE).
   */
  DMSC_CARD_RESET = 2,
  /**
   * The card has something to say (the host saw a status word 91XX): look at once.
   */
  DMSC_CARD_PROACTIVE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_card_event dmsc_card_event;
#else
typedef uint32_t dmsc_card_event;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a session stands.
 */
enum dmsc_session_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Accepted, not begun.
   */
  DMSC_SESSION_WAITING = 0,
  /**
   * Messages are exchanged.
   */
  DMSC_SESSION_RUNNING = 1,
  /**
   * The user is asked.
   */
  DMSC_SESSION_ASKING = 2,
  /**
   * Over; `status` says how.
   */
  DMSC_SESSION_ENDED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_session_state dmsc_session_state;
#else
typedef uint32_t dmsc_session_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What the user did.
 */
enum dmsc_alert_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Seen, Yes, or the input is there.
   */
  DMSC_ALERT_ACCEPTED = 0,
  /**
   * No (1101).
   */
  DMSC_ALERT_REJECTED = 1,
  /**
   * Cancelled: the server's other commands are not executed.
   */
  DMSC_ALERT_CANCELLED = 2,
  /**
   * No answer in time.
   */
  DMSC_ALERT_TIMED_OUT = 3,
  /**
   * Cannot be shown, for example too long.
   */
  DMSC_ALERT_CANNOT_SHOW = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_alert_outcome dmsc_alert_outcome;
#else
typedef uint32_t dmsc_alert_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Formats of nodes (OMA DM Tree and Description 1.2.1, property Format).
 */
enum dmsc_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Interior node.
   */
  DMSC_FORMAT_NODE = 0,
  /**
   * Text.
   */
  DMSC_FORMAT_CHR = 1,
  /**
   * Octets.
   */
  DMSC_FORMAT_BIN = 2,
  /**
   * Signed 32-bit number in decimal.
   */
  DMSC_FORMAT_INT = 3,
  /**
   * "true" or "false".
   */
  DMSC_FORMAT_BOOL = 4,
  /**
   * Base64 text that is the value itself.
   */
  DMSC_FORMAT_B64 = 5,
  /**
   * XML text.
   */
  DMSC_FORMAT_XML = 6,
  /**
   * No value.
   */
  DMSC_FORMAT_NULL = 7,
  /**
   * ISO 8601 date.
   */
  DMSC_FORMAT_DATE = 8,
  /**
   * ISO 8601 time.
   */
  DMSC_FORMAT_TIME = 9,
  /**
   * XML Schema float.
   */
  DMSC_FORMAT_FLOAT = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_format dmsc_format;
#else
typedef uint32_t dmsc_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a subtree is written.
 */
enum dmsc_export_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * TNDS in XML (application/vnd.syncml.dmtnds+xml).
   */
  DMSC_EXPORT_TNDS_XML = 0,
  /**
   * TNDS in WBXML (application/vnd.syncml.dmtnds+wbxml).
   */
  DMSC_EXPORT_TNDS_WBXML = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_export_format dmsc_export_format;
#else
typedef uint32_t dmsc_export_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A question of a DM server to the user (OMA DM Protocol 1.2.1, section 10).
 *
 * Owned by the host from `on_alert` to @ref dmsc_alert_answer. One thread at a time.
 */
typedef struct dmsc_alert dmsc_alert;

/**
 * Octets that one side owns and the other reads; the single way to hand owned octets over.
 *
 * Immutable. Freed with @ref dmsc_buffer_free by whoever owns it. Any thread may use it.
 */
typedef struct dmsc_buffer dmsc_buffer;

/**
 * One open card session. Any thread may use it at the same time.
 */
typedef struct dmsc_card dmsc_card;

/**
 * The DM client: cards, sessions, management tree and store. Any thread may use it at the same time.
 */
typedef struct dmsc_client dmsc_client;

/**
 * One DM session of the host. Any thread may use it at the same time.
 */
typedef struct dmsc_session dmsc_session;

/**
 * A transaction on the tree. One thread at a time. While it is open no DM session goes on, so keep it
 * short.
 */
typedef struct dmsc_txn dmsc_txn;

/**
 * What to ask.
 */
typedef struct dmsc_alert_info {
  /**
   * sizeof(dmsc_alert_info); set by the caller.
   */
  size_t struct_size;
  /**
   * 1100 display, 1101 confirm, 1102 text input, 1103 single choice, 1104 multiple choice.
   */
  uint32_t code;
  /**
   * Show it at least so long, in seconds; 0 if not said (MINDT).
   */
  uint32_t min_display_s;
  /**
   * Wait at most so long, in seconds; 0 if not said (MAXDT). Afterwards, and after ten minutes in any
   * case, the library takes "no answer".
   */
  uint32_t max_display_s;
  /**
   * 1102: most characters to take; 0 if not said (MAXLEN).
   */
  uint32_t max_len;
  /**
   * 1102: what may be typed, as the letter of the option IT: 'A' (also if not said), 'N', 'D', 'T', 'P', 'I'.
   */
  uint32_t input_type;
  /**
   * 1102: 1 if the input must not be shown (ET=P).
   */
  uint32_t hidden;
  /**
   * Number of options of @ref dmsc_alert_item.
   */
  uint32_t item_count;
  /**
   * The session's id.
   */
  uint64_t session_id;
  /**
   * The text, question, prompt or title. Valid until the alert is answered.
   */
  const char *text;
  /**
   * The answer shown at first, as the option DR has it; "" if none. Valid until the alert is answered.
   */
  const char *default_response;
} dmsc_alert_info;

/**
 * The user's answer. Copied by the call.
 */
typedef struct dmsc_alert_reply {
  /**
   * sizeof(dmsc_alert_reply); set by the caller.
   */
  size_t struct_size;
  /**
   * A dmsc_alert_outcome number.
   */
  uint32_t outcome;
  /**
   * 1102: the input, UTF-8; NULL: empty.
   */
  const char *text;
  /**
   * 1103, 1104: bit 0 is the first option, and so on.
   */
  uint64_t choices;
} dmsc_alert_reply;

/**
 * Access to one card, given by the host. Copied when the card is opened; `transmit` must be there.
 *
 * A callback returns DMSC_OK or a negative number: DMSC_ERR_CARD_ABSENT, _REMOVED, _RESET and _TRANSMIT
 * have their meaning, any other is passed through. They may block as long as the card does.
 * Thread: the driving thread, one at a time; `cancel` from any thread. Re-entry: nothing that needs the
 * card or the session (DMSC_ERR_REENTRANT); the tree functions are allowed.
 */
typedef struct dmsc_card_transport {
  /**
   * sizeof(dmsc_card_transport); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Sends a command APDU and gives the response APDU with its status word in `response`, at most
   * `response_cap` (258 or more) octets; their number in `response_len`.
   */
  int32_t (*transmit)(void *user_data,
                      const uint8_t *command,
                      size_t command_len,
                      uint8_t *response,
                      size_t response_cap,
                      size_t *response_len);
  /**
   * Selects the application `aid` on a new logical channel and gives its handle. For hosts that own the
   * channels (AT+CCHO, Android); NULL: libdmsc uses MANAGE CHANNEL. Both of open and close or neither.
   */
  int32_t (*open_channel)(void *user_data, const uint8_t *aid, size_t aid_len, uint32_t *channel);
  /**
   * Closes a channel of `open_channel`.
   */
  int32_t (*close_channel)(void *user_data, uint32_t channel);
  /**
   * Keeps other users of the card out; may be NULL with `unlock`.
   */
  int32_t (*lock)(void *user_data);
  /**
   * Ends `lock`.
   */
  void (*unlock)(void *user_data);
  /**
   * Gives the answer to reset, at most `cap` (33) octets; NULL where it is not known.
   */
  int32_t (*get_atr)(void *user_data, uint8_t *atr, size_t cap, size_t *len);
  /**
   * Called exactly once, after the last other callback; not called if the card was not opened.
   */
  void (*destroy)(void *user_data);
} dmsc_card_transport;

/**
 * What a card is.
 */
typedef struct dmsc_card_info {
  /**
   * sizeof(dmsc_card_info); set by the caller.
   */
  size_t struct_size;
  /**
   * ICCID in digits, NUL-terminated; empty if the card has none.
   */
  char iccid[24];
  /**
   * Answer to reset.
   */
  uint8_t atr[33];
  /**
   * Number of octets of atr.
   */
  uint8_t atr_len;
  /**
   * 1 for a UICC, 0 for a SIM of GSM 11.11.
   */
  uint8_t is_uicc;
  /**
   * 1 if the card listens for its web server (after @ref dmsc_card_toolkit_start).
   */
  uint8_t has_scws;
  /**
   * 1 if the last @ref dmsc_card_bootstrap found DM bootstrap data.
   */
  uint8_t has_dm_bootstrap;
} dmsc_card_info;

/**
 * What a bootstrap came to.
 */
typedef struct dmsc_bootstrap_report {
  /**
   * sizeof(dmsc_bootstrap_report); set by the caller.
   */
  size_t struct_size;
  /**
   * Accounts that are new.
   */
  uint32_t accounts_added;
  /**
   * Accounts whose card data changed and that were made anew.
   */
  uint32_t accounts_replaced;
  /**
   * Accounts that are gone because the card no longer holds them.
   */
  uint32_t accounts_removed;
  /**
   * Objects applied before with the same content: nothing was done.
   */
  uint32_t objects_unchanged;
  /**
   * Objects that could not be read or used; the last error's text is in the event.
   */
  uint32_t objects_failed;
} dmsc_bootstrap_report;

/**
 * Storage of named blobs by the host. Copied by @ref dmsc_client_new. All three functions must be there.
 *
 * A callback returns DMSC_OK or a negative number, which is passed through to the call that caused it.
 * Thread: any, one at a time.
 */
typedef struct dmsc_storage {
  /**
   * sizeof(dmsc_storage); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Gives the blob `name` in a new buffer (@ref dmsc_buffer_new), or leaves `*out` NULL if there is none.
   */
  int32_t (*load)(void *user_data, const char *name, struct dmsc_buffer **out);
  /**
   * Replaces the blob `name`; atomic and durable when it returns DMSC_OK.
   */
  int32_t (*save)(void *user_data, const char *name, const uint8_t *data, size_t len);
  /**
   * Removes the blob `name`; DMSC_OK if there was none.
   */
  int32_t (*remove)(void *user_data, const char *name);
  /**
   * Called exactly once, after the last other callback; may be NULL.
   */
  void (*destroy)(void *user_data);
} dmsc_storage;

/**
 * How a client reaches servers, see `network` of dmsc_config. Copied; zero everywhere is the default.
 *
 * Without roots and pins the system's roots are trusted. With pins alone a server is trusted that shows a
 * pinned certificate, or one that a pinned authority issued. With roots and pins both have to agree. The
 * certificate's name and dates count in every case; TLS is 1.2 or 1.3. The members about TLS need the
 * feature "tls".
 */
typedef struct dmsc_network_config {
  /**
   * sizeof(dmsc_network_config); set by the caller.
   */
  size_t struct_size;
  /**
   * Certificates of the authorities to trust, PEM.
   */
  const uint8_t *tls_roots_pem;
  /**
   * Number of octets at tls_roots_pem.
   */
  size_t tls_roots_pem_len;
  /**
   * Hashes of 32 octets each, one behind the other: SHA-256 of a certificate's SubjectPublicKeyInfo or
   * of the whole certificate (DER).
   */
  const uint8_t *tls_pins;
  /**
   * Number of hashes at tls_pins, at most 64.
   */
  size_t tls_pin_count;
  /**
   * The client's certificate, for servers that ask for one, with its chain, PEM.
   */
  const uint8_t *tls_client_pem;
  /**
   * Number of octets at tls_client_pem.
   */
  size_t tls_client_pem_len;
  /**
   * Its private key, PEM (PKCS#8, PKCS#1 or SEC 1). The library's copy is wiped when the client goes.
   */
  const uint8_t *tls_client_key_pem;
  /**
   * Number of octets at tls_client_key_pem.
   */
  size_t tls_client_key_pem_len;
  /**
   * A dmsc_plain_http number.
   */
  uint32_t plain_http;
  /**
   * Further attempts, 0 to 10, of a session whose server cannot be reached or has no time: after 30 s,
   * 60 s, ... 1 h, each a quarter longer or shorter by chance, and not before the server's Retry-After.
   */
  uint32_t retries;
  /**
   * 1: a card may open connections into the network (ETSI TS 102 223, OPEN CHANNEL as client), each
   * with the consent of on_connection in dmsc_callbacks. 0: it may not, and is told so in the
   * terminal's profile.
   */
  uint32_t card_connections;
} dmsc_network_config;

/**
 * What a client is. Everything is copied by @ref dmsc_client_new. Texts are UTF-8; NULL or 0 means the
 * default named at the member.
 */
typedef struct dmsc_config {
  /**
   * sizeof(dmsc_config); set by @ref dmsc_config_init.
   */
  size_t struct_size;
  /**
   * Directory of the built-in store, made with mode 0700 if missing. One process at a time. Needs the
   * feature "redb". NULL: `storage` is used.
   */
  const char *data_dir;
  /**
   * The host's own storage, used when `data_dir` is NULL. Both NULL: nothing is kept.
   */
  const struct dmsc_storage *storage;
  /**
   * ./DevInfo/DevId, for example "IMEI:004999010640000". Must be given.
   */
  const char *device_id;
  /**
   * ./DevInfo/Man and ./DevDetail/OEM. NULL: "unknown".
   */
  const char *manufacturer;
  /**
   * ./DevInfo/Mod. NULL: "unknown".
   */
  const char *model;
  /**
   * ./DevInfo/Lang, RFC 1766. NULL: "en".
   */
  const char *language;
  /**
   * ./DevInfo/DmV, the version of the DM client. NULL: the library's name and version.
   */
  const char *dm_version;
  /**
   * ./DevDetail/DevTyp. NULL: "phone".
   */
  const char *device_type;
  /**
   * ./DevDetail/FwV. NULL: "".
   */
  const char *firmware_version;
  /**
   * ./DevDetail/SwV. NULL: "".
   */
  const char *software_version;
  /**
   * ./DevDetail/HwV. NULL: "".
   */
  const char *hardware_version;
  /**
   * Largest message taken from a remote server, in octets, 512 to 1048576. 0: 16384.
   */
  uint32_t max_msg_size;
  /**
   * Largest message taken from a card as DM server, in octets, 512 to 65536. 0: 4096.
   */
  uint32_t max_msg_size_card;
  /**
   * Largest object taken, in octets, 512 to 16777216. 0: 1048576.
   */
  uint32_t max_obj_size;
  /**
   * How servers are reached. NULL: over https only, with the system's roots, without a second attempt.
   */
  const struct dmsc_network_config *network;
} dmsc_config;

/**
 * An event. Borrowed: valid during the callback only.
 */
typedef struct dmsc_event {
  /**
   * sizeof(dmsc_event) of the library.
   */
  size_t struct_size;
  /**
   * A dmsc_event_type number; ignore numbers you do not know.
   */
  uint32_t type;
  /**
   * The card's slot, 0 if the event belongs to none.
   */
  uint32_t slot;
  /**
   * The DM session's id, 0 if the event belongs to none.
   */
  uint64_t session_id;
  /**
   * DMSC_OK or the failure.
   */
  int32_t status;
  /**
   * A count or code, by type.
   */
  uint32_t phase;
  /**
   * Node, server id or path, by type; may be NULL.
   */
  const char *uri;
  /**
   * Octets by type (an error's text is UTF-8 without NUL); may be NULL.
   */
  const uint8_t *data;
  /**
   * Number of octets at data.
   */
  size_t data_len;
} dmsc_event;

/**
 * A verified notification. Borrowed: valid during the callback only.
 */
typedef struct dmsc_trigger_info {
  /**
   * sizeof(dmsc_trigger_info) of the library.
   */
  size_t struct_size;
  /**
   * A dmsc_trigger_source number: where it came from.
   */
  uint32_t source;
  /**
   * The card's slot when the card sent it.
   */
  uint32_t slot;
  /**
   * The id of the session that will follow.
   */
  uint64_t session_id;
  /**
   * The server that wants a session.
   */
  const char *server_id;
  /**
   * SessionID of the DM session, 1 to 65535.
   */
  uint32_t dm_session_id;
  /**
   * 0 not specified, 1 background, 2 informative, 3 ask the user first (DM Notification 1.2.1, 6.2.2).
   */
  uint32_t ui_mode;
  /**
   * 1 if the server caused it, 0 if the user did.
   */
  uint32_t by_server;
  /**
   * Vendor octets of the notification; may be NULL.
   */
  const uint8_t *vendor;
  /**
   * Number of octets at vendor.
   */
  size_t vendor_len;
} dmsc_trigger_info;

/**
 * A connection that needs the host's consent. Borrowed: valid during the callback only.
 */
typedef struct dmsc_connection_info {
  /**
   * sizeof(dmsc_connection_info) of the library.
   */
  size_t struct_size;
  /**
   * A dmsc_connection_kind number.
   */
  uint32_t kind;
  /**
   * The card's slot.
   */
  uint32_t slot;
  /**
   * The server's address, or the local application's (a loopback address).
   */
  const char *address;
  /**
   * The server's port, or the local application's, by which the system can tell whose it is.
   */
  uint32_t port;
  /**
   * The card's port that a local application wants, 3516 or 4116; else 0.
   */
  uint32_t local_port;
  /**
   * The network that the card wants to use (access point name); NULL: any.
   */
  const char *network;
  /**
   * What the card wants the user to be asked; NULL: nothing.
   */
  const char *text;
} dmsc_connection_info;

/**
 * The host's ears. Copied by @ref dmsc_client_new; a NULL member means "not wanted".
 *
 * Thread: called on the driving thread only (inside @ref dmsc_client_run_once or a call that drives, or
 * on the thread of @ref dmsc_client_start), one at a time, with no lock held.
 * Re-entry: everything may be called except run_once, start, stop and session_wait of the same client;
 * dmsc_client_free takes effect when the callback has returned, and no other callback is called then.
 */
typedef struct dmsc_callbacks {
  /**
   * sizeof(dmsc_callbacks); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Something happened.
   */
  void (*on_event)(void *user_data, const struct dmsc_event *event);
  /**
   * The user is asked (Alert 1100 to 1104). The callee owns `alert` and must give it to
   * @ref dmsc_alert_answer exactly once, now or later, from any thread. NULL: the device has no user
   * interface, and servers get 406.
   */
  void (*on_alert)(void *user_data, struct dmsc_alert *alert);
  /**
   * A notification is genuine; return a dmsc_trigger_verdict. NULL: every genuine one starts a session.
   */
  int32_t (*on_trigger)(void *user_data, const struct dmsc_trigger_info *trigger);
  /**
   * Called exactly once, after the last other callback; not called if dmsc_client_new fails.
   */
  void (*destroy)(void *user_data);
  /**
   * The card wants to reach a server, or a local application the card: return a
   * dmsc_connection_verdict; anything but DMSC_CONNECTION_ALLOW refuses. NULL: all are refused. A card
   * never gets this device's own addresses.
   */
  int32_t (*on_connection)(void *user_data, const struct dmsc_connection_info *connection);
} dmsc_callbacks;

/**
 * A gateway. Copied by the call; zero means the default named at the member.
 */
typedef struct dmsc_gateway_config {
  /**
   * sizeof(dmsc_gateway_config); set by the caller.
   */
  size_t struct_size;
  /**
   * The card's slot. The card may come later and be exchanged.
   */
  uint32_t slot;
  /**
   * The port of 127.0.0.1 from which the card's web server (its port 3516) is reached. 0: 3516.
   */
  uint32_t port;
  /**
   * The port of 127.0.0.1 from which the card's web server behind TLS (its port 4116) is reached; the
   * octets are passed on as they are. 0: none. The usual one is 4116.
   */
  uint32_t tls_port;
} dmsc_gateway_config;

/**
 * Details of this thread's last failure.
 */
typedef struct dmsc_error_info {
  /**
   * sizeof(dmsc_error_info); set by the caller.
   */
  size_t struct_size;
  /**
   * The status that was returned (a dmsc_status number), 0 if there was no failure.
   */
  int32_t status;
  /**
   * The card's status word, SW1 << 8 | SW2; 0 if none.
   */
  uint32_t card_sw;
  /**
   * The server's HTTP status; 0 if none.
   */
  uint32_t http_status;
  /**
   * The SyncML status code; 0 if none.
   */
  uint32_t syncml_status;
  /**
   * errno, or the number a host callback returned; 0 if none.
   */
  int32_t os_error;
} dmsc_error_info;

/**
 * Where log lines go. Lines hold no password, nonce, key or PIN and no full ICCID or IMSI.
 */
typedef struct dmsc_log_sink {
  /**
   * sizeof(dmsc_log_sink); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * One line; called from any thread, possibly two at once. Must not call the library.
   */
  void (*log)(void *user_data, uint32_t level, const char *target, const char *message);
  /**
   * Called exactly once, when the sink was replaced and its last line is out; may be NULL.
   */
  void (*destroy)(void *user_data);
} dmsc_log_sink;

/**
 * What session to start. Copied by the call.
 */
typedef struct dmsc_session_request {
  /**
   * sizeof(dmsc_session_request); set by the caller.
   */
  size_t struct_size;
  /**
   * The server; NULL: the only account there is.
   */
  const char *server_id;
} dmsc_session_request;

/**
 * A session's state.
 */
typedef struct dmsc_session_info {
  /**
   * sizeof(dmsc_session_info); set by the caller.
   */
  size_t struct_size;
  /**
   * The session's id, as in events.
   */
  uint64_t id;
  /**
   * A dmsc_session_state number.
   */
  uint32_t state;
  /**
   * Messages received so far.
   */
  uint32_t messages;
  /**
   * How it ended: DMSC_OK or the failure; DMSC_PENDING before its end.
   */
  int32_t status;
  /**
   * The SyncML status behind `status`, or 0.
   */
  uint32_t syncml_status;
} dmsc_session_info;

/**
 * What a connection is wanted for. Borrowed: valid during the callback only.
 */
typedef struct dmsc_stream_target {
  /**
   * sizeof(dmsc_stream_target) of the library.
   */
  size_t struct_size;
  /**
   * The number of this attempt, for cancel.
   */
  uint64_t id;
  /**
   * "tcp://host:port", "udp://host:port" or "https://host:port"; an IPv6 address is in brackets.
   */
  const char *uri;
  /**
   * The DM server that a session is with; NULL for a connection that the card opens.
   */
  const char *server_id;
  /**
   * The connectivity that the account asks for (PrefConRef or ConRef: the URI of a connectivity object
   * in the tree, or a name that the device knows), or the card's network access name. NULL: any.
   */
  const char *con_ref;
  /**
   * The slot of the card that it is about; 0 if none.
   */
  uint32_t slot;
  /**
   * Longest time that connect may take, in milliseconds.
   */
  uint32_t timeout_ms;
} dmsc_stream_target;

/**
 * Connections by the host, for example through a proxy, or bound to one network. Copied by
 * @ref dmsc_client_set_stream_transport. connect, read, write and close must be there.
 *
 * A callback returns DMSC_OK, a dmsc_status named at it, or a negative number of the host's own, which
 * ends the session with that number.
 * Thread: the driving thread, one call at a time, with no lock held; cancel from any.
 * Re-entry: what needs the client's core is DMSC_ERR_REENTRANT inside these callbacks; allowed are
 * @ref dmsc_client_wake, @ref dmsc_session_cancel, @ref dmsc_client_network_changed and the functions of
 * buffers, the library and the last error.
 */
typedef struct dmsc_stream_transport {
  /**
   * sizeof(dmsc_stream_transport); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Opens a connection and gives the host's pointer for it. DMSC_ERR_NO_NETWORK: the session waits for
   * @ref dmsc_client_network_changed. DMSC_ERR_CONNECT or DMSC_ERR_TIMEOUT: the server cannot be reached
   * (tried again as `retries` of dmsc_network_config says). DMSC_ERR_TLS: the host's TLS refuses.
   */
  int32_t (*connect)(void *user_data, const struct dmsc_stream_target *target, void **stream);
  /**
   * Reads without waiting: at least one octet, of datagrams a whole one. DMSC_OK with *len 0: the peer
   * has closed. DMSC_TIMED_OUT: nothing is there now. @ref dmsc_client_wake when something has come
   * makes the library look at once, else it looks by itself every 2 to 50 ms.
   */
  int32_t (*read)(void *user_data, void *stream, uint8_t *buffer, size_t capacity, size_t *len);
  /**
   * Writes without waiting: at least one octet, of datagrams all. DMSC_TIMED_OUT: there is no room now.
   */
  int32_t (*write)(void *user_data, void *stream, const uint8_t *data, size_t len, size_t *written);
  /**
   * Ends a connection; the last call with this stream.
   */
  void (*close)(void *user_data, void *stream);
  /**
   * Makes the connect with this number return soon (DMSC_ERR_CANCELLED); a number that is over is to be
   * ignored. From any thread, also while connect runs; must neither wait nor call the library. NULL: a
   * connect cannot be interrupted.
   */
  void (*cancel)(void *user_data, uint64_t id);
  /**
   * Called exactly once, after the last other callback; may be NULL.
   */
  void (*destroy)(void *user_data);
} dmsc_stream_transport;

/**
 * What a node is.
 */
typedef struct dmsc_node_info {
  /**
   * sizeof(dmsc_node_info); set by the caller.
   */
  size_t struct_size;
  /**
   * A dmsc_format number.
   */
  uint32_t format;
  /**
   * Octets of the value; 0 for interior nodes.
   */
  uint32_t size;
  /**
   * Changes of the node so far, modulo 65536 (property VerNo).
   */
  uint32_t version;
  /**
   * Time of the last change, seconds since 1970-01-01 UTC (property TStamp).
   */
  int64_t tstamp;
} dmsc_node_info;

/**
 * Called for each child; return false to end. `name` and `info` are valid during the call.
 */
typedef bool (*dmsc_node_visit_fn)(void *user_data,
                                   const char *name,
                                   const struct dmsc_node_info *info);

/**
 * A notification to deliver. Copied by the call.
 */
typedef struct dmsc_trigger {
  /**
   * sizeof(dmsc_trigger); set by the caller.
   */
  size_t struct_size;
  /**
   * DMSC_TRIGGER_PUSH or DMSC_TRIGGER_HOST.
   */
  uint32_t source;
  /**
   * The slot of the card that the message came in by; 0 if none.
   */
  uint32_t slot;
  /**
   * Media type of `data` where the host has taken off the envelope, for example
   * "application/vnd.syncml.notification" for a bare package #0; NULL: `data` is a whole WSP push PDU
   * or a bare package #0, which the library finds out.
   */
  const char *content_type;
  /**
   * The octets.
   */
  const uint8_t *data;
  /**
   * Number of octets at data.
   */
  size_t data_len;
} dmsc_trigger;

/**
 * A node's value. Copied by the call.
 */
typedef struct dmsc_node_value {
  /**
   * sizeof(dmsc_node_value); set by the caller.
   */
  size_t struct_size;
  /**
   * A dmsc_format number; DMSC_FORMAT_NODE makes an interior node.
   */
  uint32_t format;
  /**
   * MIME type of a leaf, MO identifier of an interior node; NULL: "text/plain" or none.
   */
  const char *type;
  /**
   * The value's octets.
   */
  const uint8_t *data;
  /**
   * Number of octets at data.
   */
  size_t data_len;
} dmsc_node_value;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * What to ask.
 *
 * @pre `info->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG.
 * Thread: any, one at a time.
 */
DMSC_MUST_USE
dmsc_status dmsc_alert_info_get(const struct dmsc_alert *alert,
                                struct dmsc_alert_info *info);

/**
 * Text of option `index`, counted from 0; NULL if there is none. Valid until the alert is answered.
 *
 * Thread: any, one at a time.
 */
const char *dmsc_alert_item(const struct dmsc_alert *alert, uint32_t index);

/**
 * Hands over the user's answer and frees the alert, also on failure.
 *
 * @pre `reply->struct_size` is set.
 * @return DMSC_OK (also when the session no longer waits for it); DMSC_ERR_INVALID_ARG for NULL, an
 *         unknown outcome, or an answer that does not fit the question (longer than max_len, not of
 *         input_type, no or several options where one is asked for, rejected where nothing can be), and
 *         DMSC_ERR_UTF8: the alert then counts as cancelled; DMSC_ERR_STATE the client is closed.
 * Thread: any; also inside callbacks.
 */
DMSC_MUST_USE
dmsc_status dmsc_alert_answer(struct dmsc_alert *alert,
                              const struct dmsc_alert_reply *reply);

/**
 * Makes a buffer with a copy of `len` octets at `data`; used by callbacks that return octets.
 *
 * @pre `data` is valid for `len` octets; NULL is allowed for `len` 0.
 * @param out the new buffer; written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG for NULL.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_buffer_new(const uint8_t *data,
                            size_t len,
                            struct dmsc_buffer **out);

/**
 * The octets of `buffer`; NULL for a NULL buffer. Valid until the buffer is freed.
 *
 * Thread: any.
 */
const uint8_t *dmsc_buffer_data(const struct dmsc_buffer *buffer);

/**
 * Number of octets of `buffer`; 0 for a NULL buffer.
 *
 * Thread: any.
 */
size_t dmsc_buffer_len(const struct dmsc_buffer *buffer);

/**
 * Frees `buffer`; NULL is allowed. The octets are wiped: they may be a password of the tree's owner.
 *
 * Thread: any.
 */
void dmsc_buffer_free(struct dmsc_buffer *buffer);

/**
 * Opens the card behind the host's transport: reads what it is, nothing else.
 *
 * @pre `transport->struct_size` is set.
 * @param slot the host's number for this card, used in events; one card per slot.
 * @param out the card; written on success only; close it with @ref dmsc_card_close.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, no transmit, only one of open_channel and close_channel);
 *         DMSC_ERR_BUSY the slot has an open card; DMSC_ERR_CARD_ABSENT, _REMOVED, _RESET, _TRANSMIT;
 *         DMSC_ERR_CARD_SW, _BAD_DATA; DMSC_ERR_REENTRANT; DMSC_ERR_STATE; the callback's own number.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_open(struct dmsc_client *client,
                           uint32_t slot,
                           const struct dmsc_card_transport *transport,
                           struct dmsc_card **out);

/**
 * Opens the card in a PC/SC reader.
 *
 * @param slot as in @ref dmsc_card_open.
 * @param reader a part of the reader's name; NULL: the first reader with a card.
 * @param out the card; written on success only; close it with @ref dmsc_card_close.
 * @return as @ref dmsc_card_open; DMSC_ERR_CARD_ABSENT also when there is no such reader or no PC/SC
 *         service; DMSC_ERR_NOT_SUPPORTED without the feature "pcsc".
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_open_pcsc(struct dmsc_client *client,
                                uint32_t slot,
                                const char *reader,
                                struct dmsc_card **out);

/**
 * The names of the PC/SC readers, each ended by a line feed.
 *
 * @param out the text; written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK (also without any reader); DMSC_ERR_CARD_ABSENT no PC/SC service;
 *         DMSC_ERR_NOT_SUPPORTED without the feature "pcsc"; DMSC_ERR_INVALID_ARG.
 * Thread: any.
 */
DMSC_MUST_USE dmsc_status dmsc_pcsc_list_readers(struct dmsc_buffer **out);

/**
 * Closes the card and frees its handle; NULL is allowed. A session with this card is aborted.
 *
 * Must be the last use of `card`. Takes effect at once, but inside a callback of a card transport when
 * that has returned.
 * Thread: any.
 */
void dmsc_card_close(struct dmsc_card *card);

/**
 * What the card is.
 *
 * @pre `info->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_REENTRANT; DMSC_ERR_STATE the client is closed.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_info_get(const struct dmsc_card *card,
                               struct dmsc_card_info *info);

/**
 * Sends one command APDU as it is and gives the response APDU with its status word. For tests and tools.
 *
 * @param response written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_CARD_REMOVED, _RESET, _TRANSMIT; DMSC_ERR_REENTRANT;
 *         DMSC_ERR_STATE; the callback's own number.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_transmit(struct dmsc_card *card,
                               const uint8_t *command,
                               size_t len,
                               struct dmsc_buffer **response);

/**
 * Tells the library what happened to the card.
 *
 * @param card_event a dmsc_card_event number.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE the card or client is closed.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE dmsc_status dmsc_card_notify(struct dmsc_card *card, uint32_t card_event);

/**
 * Tells the IP address of a card that has an IP stack of its own, under which its web server is reached
 * instead of through the toolkit's channels.
 *
 * @param address "10.64.0.2" or "fe80::1"; NULL: the card has none.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG no address; DMSC_ERR_UTF8; DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_set_address(struct dmsc_card *card,
                                  const char *address);

/**
 * Makes libdmsc the owner of the card's toolkit: sends TERMINAL PROFILE and serves proactive commands,
 * timers and the card's channels from now on (ETSI TS 102 223).
 *
 * Only where no modem owns it. Needed for notifications from the card and for a session with the card
 * through its web server.
 * @return DMSC_OK; DMSC_ERR_STATE it runs already; DMSC_ERR_CARD_SW the card refuses; card errors;
 *         DMSC_ERR_REENTRANT.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_toolkit_start(struct dmsc_card *card);

/**
 * Reads the DM bootstrap data of the card and applies what is new (OMA DM Bootstrap 1.2, smart card).
 *
 * All changes are one transaction of the store. The same data of the same card is applied once, however
 * often this is called; data that is gone from the card takes its accounts with it; another card takes
 * away the accounts of the card before in this slot, also when it holds none itself. An account that a
 * server has from elsewhere is not replaced. Each object and each account is told as an event.
 * @param report may be NULL; written on success only; `report->struct_size` must be set.
 * @return DMSC_OK (also when everything was known, or only a part could be used); if none of the objects
 *         can be used the reason of the last: DMSC_ERR_BOOTSTRAP_FORMAT, DMSC_ERR_BOOTSTRAP_REFUSED the
 *         server has another account, DMSC_ERR_CARD_ACCESS_DENIED it needs a PIN, a DMSC_ERR_NODE_* of the
 *         tree; DMSC_ERR_BOOTSTRAP_NONE the card holds none; DMSC_ERR_CARD_BAD_DATA the card cannot be
 *         read, or has no ICCID; DMSC_ERR_CARD_REMOVED and other card errors; DMSC_ERR_STORAGE_*;
 *         DMSC_ERR_BUSY a transaction is open; DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_bootstrap(struct dmsc_card *card,
                                struct dmsc_bootstrap_report *report);

/**
 * Makes a client and opens its store.
 *
 * Both structs are copied with everything they point to; nothing has to outlive the call but what
 * `user_data` stands for.
 * @pre `config->struct_size` and `callbacks->struct_size` are set; `callbacks` may be NULL.
 * @param out the new client; written on success only; free it with @ref dmsc_client_free.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, no device_id, a size out of range); DMSC_ERR_UTF8;
 *         DMSC_ERR_NOT_SUPPORTED (data_dir without the feature "redb");
 *         DMSC_ERR_BUSY (another process uses the store); DMSC_ERR_STORAGE_IO, _CORRUPT, _FULL;
 *         a negative number of the host's storage. On failure no destroy function is called.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_new(const struct dmsc_config *config,
                            const struct dmsc_callbacks *callbacks,
                            struct dmsc_client **out);

/**
 * Closes the client: ends its thread, aborts its session, closes its cards; NULL is allowed.
 *
 * Handles of its cards, sessions, alerts and transactions stay valid to be freed, in any order; their
 * other functions return DMSC_ERR_STATE from now on. Must be the last use of `client`. Inside a callback
 * of this client it takes effect when the callback has returned.
 * Thread: any.
 */
void dmsc_client_free(struct dmsc_client *client);

/**
 * Handles what is due - card, timers, session, answers - and waits for it at most `timeout_ms`.
 *
 * For a host with an event loop of its own; makes this thread the driving thread until it returns.
 * @param timeout_ms longest wait in milliseconds; 0 only looks.
 * @return DMSC_OK something was done (call again); DMSC_TIMED_OUT nothing was due;
 *         DMSC_ERR_BUSY another thread drives; DMSC_ERR_REENTRANT inside a callback; DMSC_ERR_STATE.
 * Thread: any, one at a time.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_run_once(struct dmsc_client *client,
                                 uint32_t timeout_ms);

/**
 * Milliseconds until @ref dmsc_client_run_once has something to do by itself; UINT64_MAX if only an
 * outside call can give it something. 0 for NULL.
 *
 * Thread: any.
 */
uint64_t dmsc_client_next_deadline_ms(const struct dmsc_client *client);

/**
 * Ends the wait of a @ref dmsc_client_run_once in another thread; NULL is allowed.
 *
 * Thread: any, also a signal-handling thread (not a signal handler).
 */
void dmsc_client_wake(struct dmsc_client *client);

/**
 * Starts a thread of the library that drives the client until @ref dmsc_client_stop.
 *
 * @return DMSC_OK; DMSC_ERR_STATE it runs already; DMSC_ERR_NO_MEMORY no thread could be made;
 *         DMSC_ERR_REENTRANT inside a callback.
 * Thread: any.
 */
DMSC_MUST_USE dmsc_status dmsc_client_start(struct dmsc_client *client);

/**
 * Ends the thread of @ref dmsc_client_start when it has finished what it is doing.
 *
 * A session is not aborted; it goes on with the next start or run_once.
 * @param timeout_ms longest wait in milliseconds.
 * @return DMSC_OK (also when no thread runs); DMSC_TIMED_OUT it still works on something and will end
 *         after it; DMSC_ERR_REENTRANT inside a callback.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_stop(struct dmsc_client *client,
                             uint32_t timeout_ms);

/**
 * Sets every member to its default and struct_size to `struct_size` (pass sizeof(dmsc_config)).
 *
 * @pre `config` is NULL (nothing is done) or valid for `struct_size` octets.
 * Thread: any.
 */
void dmsc_config_init(struct dmsc_config *config, size_t struct_size);

/**
 * Lets local applications (a browser, for instance) reach the web server of a card.
 *
 * It listens on 127.0.0.1 only. Each connection needs the consent of on_connection in dmsc_callbacks, is
 * served alone, and is slowed down to the card's pace; one more waits for its turn, others are closed.
 * A DM session with the card and the gateway wait for each other. A connection that waits for a card,
 * or for its turn while nothing moves, is closed after 30 s.
 * @pre `config->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_BUSY a port is taken; DMSC_ERR_CONNECT;
 *         DMSC_ERR_STATE there is a gateway already; DMSC_ERR_REENTRANT inside a card or stream callback.
 * Thread: any. The library waits for connections on threads of its own, which call nothing of the host.
 */
DMSC_MUST_USE
dmsc_status dmsc_gateway_start(struct dmsc_client *client,
                               const struct dmsc_gateway_config *config);

/**
 * Ends the gateway and the connections over it. @ref dmsc_client_free does the same.
 *
 * @return DMSC_OK, also when there is none; DMSC_ERR_INVALID_ARG; DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_gateway_stop(struct dmsc_client *client);

/**
 * The library's version, for example "0.1.0". Static text.
 *
 * Thread: any.
 */
const char *dmsc_version(void);

/**
 * The library's version as a number that grows with it: major << 16 | minor << 8 | patch.
 *
 * Thread: any.
 */
uint32_t dmsc_version_number(void);

/**
 * True if this build has the feature: "pcsc" (card readers), "redb" (built-in store).
 *
 * A function of an absent feature exists all the same and returns DMSC_ERR_NOT_SUPPORTED.
 * @pre `name` is NULL (gives false) or NUL-terminated.
 * Thread: any.
 */
bool dmsc_has_feature(const char *name);

/**
 * The name of a status number, for example "DMSC_ERR_CARD_SW"; "DMSC_STATUS_UNKNOWN" for a number that
 * is not the library's. Static text.
 *
 * Thread: any.
 */
const char *dmsc_status_name(int32_t status);

/**
 * What failed in this thread's last call of a function with a status; "" if it did not fail. Never NULL.
 *
 * Valid until this thread's next call of the library. Holds no secret and no full ICCID or IMSI.
 * Thread: any (each has its own).
 */
const char *dmsc_last_error_message(void);

/**
 * Numbers that belong to this thread's last failure.
 *
 * @pre `info->struct_size` is set.
 * @param info filled; all zero when the last call did not fail.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG for NULL or a struct_size that is too small.
 * Thread: any (each has its own). Does not clear the last error unless it fails itself.
 */
DMSC_MUST_USE dmsc_status dmsc_last_error_info(struct dmsc_error_info *info);

/**
 * Sends log lines up to `max_level` to `sink`, in place of the sink before; NULL sends them nowhere.
 *
 * The only process-wide setting of the library. The struct is copied.
 * @pre `sink->struct_size` is set.
 * @param max_level a dmsc_log_level number.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG for an unknown level or a sink without `log`;
 *         DMSC_ERR_STATE if the host program has a logger of its own in the same Rust runtime.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_log_set(const struct dmsc_log_sink *sink,
                         uint32_t max_level);

/**
 * Asks for a session with a server (Alert 1201); it begins when the client is driven.
 *
 * @pre `request->struct_size` is set.
 * @param out the session; written on success only; free it with @ref dmsc_session_free.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_TRIGGER_SERVER no such account, or several and none
 *         named; DMSC_ERR_BUSY a session with this server waits already; DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_session_start(struct dmsc_client *client,
                               const struct dmsc_session_request *request,
                               struct dmsc_session **out);

/**
 * The session's id, as in events; 0 for NULL.
 *
 * Thread: any.
 */
uint64_t dmsc_session_id(const struct dmsc_session *session);

/**
 * Where the session stands.
 *
 * @pre `info->struct_size` is set.
 * @return DMSC_OK (also when the client is closed: the session has ended then); DMSC_ERR_INVALID_ARG;
 *         DMSC_ERR_STATE it has ended and 256 others have begun since.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_session_info_get(const struct dmsc_session *session,
                                  struct dmsc_session_info *info);

/**
 * Waits for the end of the session. Drives the client if nobody else does.
 *
 * @pre `info` is NULL or `info->struct_size` is set.
 * @param timeout_ms longest wait in milliseconds.
 * @param info the state at the return; written on DMSC_OK and DMSC_TIMED_OUT.
 * @return DMSC_OK it has ended (info->status says how); DMSC_TIMED_OUT; DMSC_ERR_REENTRANT inside a
 *         callback; DMSC_ERR_STATE the client was closed meanwhile, or as @ref dmsc_session_info_get.
 * Thread: any but in callbacks.
 */
DMSC_MUST_USE
dmsc_status dmsc_session_wait(struct dmsc_session *session,
                              uint32_t timeout_ms,
                              struct dmsc_session_info *info);

/**
 * Aborts the session: the server is told (Alert 1223) if a message can still be sent; NULL is allowed.
 *
 * What the server's commands have done stays; an open Atomic is undone.
 * Thread: any.
 */
void dmsc_session_cancel(struct dmsc_session *session);

/**
 * Frees the handle; NULL is allowed. The session goes on by itself.
 *
 * Thread: any.
 */
void dmsc_session_free(struct dmsc_session *session);

/**
 * Lets the host open the client's connections of one kind.
 *
 * "tcp": all TCP connections, over which the library does HTTP and its own TLS, and connections that the
 * card opens. "https": connections to https addresses; the host does TLS and checks the server, plain
 * octets of HTTP go in and come out; also for a card's web server behind TLS (port 4116). "udp":
 * datagrams that the card sends into the network.
 * @pre `transport` is NULL (the library opens connections of this kind itself again) or
 *      `transport->struct_size` is set.
 * @param scheme "tcp", "udp" or "https".
 * @param transport copied; the one set before for this scheme is destroyed when its last connection ends.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (unknown scheme, a function is missing); DMSC_ERR_UTF8;
 *         DMSC_ERR_REENTRANT inside a card or stream callback; DMSC_ERR_STATE. On failure destroy is not
 *         called.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_set_stream_transport(struct dmsc_client *client,
                                             const char *scheme,
                                             const struct dmsc_stream_transport *transport);

/**
 * Tells whether there is a network. Sessions that wait for one (DMSC_EVENT_NETWORK_WANTED) begin when
 * there is; while there is none no connection into the network is tried.
 *
 * A new client assumes that there is one.
 * @param available 1 or 0.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE.
 * Thread: any, also in callbacks.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_network_changed(struct dmsc_client *client,
                                        uint32_t available);

/**
 * The value of leaf `uri`, for example "./DevInfo/DevId".
 *
 * Passwords and nonces of accounts are not given (DMSC_ERR_NODE_NOT_ALLOWED).
 * @param value written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK; DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_NODE_NOT_ALLOWED also for an interior
 *         node; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE
dmsc_status dmsc_tree_get(struct dmsc_client *client,
                          const char *uri,
                          struct dmsc_buffer **value);

/**
 * What node `uri` is.
 *
 * @pre `info->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8;
 *         DMSC_ERR_STORAGE_*.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE
dmsc_status dmsc_tree_info_get(struct dmsc_client *client,
                               const char *uri,
                               struct dmsc_node_info *info);

/**
 * Visits the children of interior node `uri`, in order of their names.
 *
 * @param visit called for each child on this thread; must not be NULL.
 * @return DMSC_OK (also when `visit` ended it); DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND;
 *         DMSC_ERR_NODE_NOT_ALLOWED for a leaf; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE
dmsc_status dmsc_tree_children(struct dmsc_client *client,
                               const char *uri,
                               dmsc_node_visit_fn visit,
                               void *user_data);

/**
 * Writes the subtree `uri` as TNDS, without passwords and nonces.
 *
 * @param format a dmsc_export_format number.
 * @param out written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK; DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8;
 *         DMSC_ERR_STORAGE_*.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE
dmsc_status dmsc_tree_export(struct dmsc_client *client,
                             const char *uri,
                             uint32_t format,
                             struct dmsc_buffer **out);

/**
 * Delivers a notification (package #0 of OMA DM Notification 1.2.1, bare or in a WSP push).
 *
 * A genuine one is shown to `on_trigger` and then starts a DM session; a wrong one is dropped: the
 * sender is told nothing, the caller gets the reason here and as DMSC_EVENT_TRIGGER_REFUSED.
 * @pre `trigger->struct_size` is set.
 * @param session_id the id of the session that will follow; may be NULL; written on success only.
 * @return DMSC_PENDING the session was asked for and its events follow; DMSC_ERR_INVALID_ARG;
 *         DMSC_ERR_TRIGGER_FORMAT; DMSC_ERR_TRIGGER_SERVER no account for this server;
 *         DMSC_ERR_TRIGGER_DIGEST; DMSC_ERR_TRIGGER_REPLAY seen before; DMSC_ERR_BUSY a session with
 *         the server waits already, or a transaction is open: try again; DMSC_ERR_NOT_SUPPORTED a push that is no notification; DMSC_ERR_REENTRANT;
 *         DMSC_ERR_STORAGE_*.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_deliver_trigger(struct dmsc_client *client,
                                        const struct dmsc_trigger *trigger,
                                        uint64_t *session_id);

/**
 * Begins a transaction. Its changes are seen by others when it is committed.
 *
 * @param out written on success only; ended by @ref dmsc_txn_commit or @ref dmsc_txn_rollback.
 * @return DMSC_OK; DMSC_ERR_BUSY another transaction is open, a session writes, or its Atomic is open;
 *         DMSC_ERR_INVALID_ARG; DMSC_ERR_STORAGE_*; DMSC_ERR_STATE.
 * Thread: any; also inside callbacks.
 */
DMSC_MUST_USE
dmsc_status dmsc_txn_begin(struct dmsc_client *client,
                           struct dmsc_txn **out);

/**
 * Adds a node; missing interior parents are made. The host is not bound by ACLs.
 *
 * @pre `value->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_NODE_EXISTS; DMSC_ERR_NODE_NOT_ALLOWED; DMSC_ERR_NODE_FORMAT; DMSC_ERR_URI;
 *         DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*. The transaction stays open.
 * Thread: one at a time.
 */
DMSC_MUST_USE
dmsc_status dmsc_txn_add(struct dmsc_txn *txn,
                         const char *uri,
                         const struct dmsc_node_value *value);

/**
 * Replaces the value of an existing leaf, with format and type if `value->type` is not NULL.
 *
 * @pre `value->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_NODE_NOT_ALLOWED; DMSC_ERR_NODE_FORMAT;
 *         DMSC_ERR_URI; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*. The transaction stays open.
 * Thread: one at a time.
 */
DMSC_MUST_USE
dmsc_status dmsc_txn_replace(struct dmsc_txn *txn,
                             const char *uri,
                             const struct dmsc_node_value *value);

/**
 * Deletes a node with its subtree.
 *
 * @return DMSC_OK; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_NODE_NOT_ALLOWED a permanent node; DMSC_ERR_URI;
 *         DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*. The transaction stays open.
 * Thread: one at a time.
 */
DMSC_MUST_USE
dmsc_status dmsc_txn_delete(struct dmsc_txn *txn,
                            const char *uri);

/**
 * Sets a node's access control list, for example "Get=*&Replace=com.example"; "" inherits.
 *
 * @return DMSC_OK; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_INVALID_ARG also for a malformed list;
 *         DMSC_ERR_NODE_NOT_ALLOWED an empty list for the root; DMSC_ERR_URI; DMSC_ERR_UTF8;
 *         DMSC_ERR_STORAGE_*. The transaction stays open.
 * Thread: one at a time.
 */
DMSC_MUST_USE dmsc_status dmsc_txn_set_acl(struct dmsc_txn *txn, const char *uri, const char *acl);

/**
 * Adds the nodes of a TNDS document (XML or WBXML) below `parent_uri`, all or none.
 *
 * @return DMSC_OK; DMSC_ERR_SYNTAX; DMSC_ERR_NODE_EXISTS and the other errors of @ref dmsc_txn_add.
 *         The transaction stays open, without any of the nodes.
 * Thread: one at a time.
 */
DMSC_MUST_USE
dmsc_status dmsc_txn_import(struct dmsc_txn *txn,
                            const char *parent_uri,
                            const uint8_t *tnds,
                            size_t len);

/**
 * Makes the changes durable and frees the transaction, also on failure (then nothing is changed).
 *
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE the client is closed; DMSC_ERR_STORAGE_*.
 * Thread: one at a time.
 */
DMSC_MUST_USE dmsc_status dmsc_txn_commit(struct dmsc_txn *txn);

/**
 * Drops the changes and frees the transaction; NULL is allowed.
 *
 * Thread: one at a time.
 */
void dmsc_txn_rollback(struct dmsc_txn *txn);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* DMSC_H */
