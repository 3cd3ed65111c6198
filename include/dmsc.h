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
 * needs the card or session. Exceptions: dmsc_log_sink.log and dmsc_storage, any thread. A call for nodes
 * that a dmsc_node_handler keeps waits for the driving thread.
 *
 * @section reentry Re-entry
 * In a callback of dmsc_callbacks everything may be called except run_once, start, stop and session_wait of
 * the same client (DMSC_ERR_REENTRANT); dmsc_client_free and dmsc_card_close take effect when it has
 * returned. In a callback of a card transport or node handler what needs the card, the session or
 * nodes of a handler is DMSC_ERR_REENTRANT too.
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
 * Octets of a hash, and of the key of a record's value hashes.
 */
#define DMSC_AUDIT_HASH_SIZE 32

/**
 * Octets of a public key with its algorithm. Ed25519 (RFC 8032): 00 and the key. ECDSA with P-256: the
 * compressed point (SEC 1, 2.3.3), which begins with 02 or 03.
 */
#define DMSC_AUDIT_KEY_SIZE 33

/**
 * Octets of a signature.
 */
#define DMSC_AUDIT_SIGNATURE_SIZE 64

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
   * Policy or user refused it.
   */
  DMSC_ERR_DENIED = -13,
  /**
   * An export of the audit journal does not verify.
   */
  DMSC_ERR_AUDIT = -14,
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
   * The server refused what the client sent.
   */
  DMSC_ERR_REFUSED = -406,
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
   * The store's content is damaged, or the file is no store.
   */
  DMSC_ERR_STORAGE_CORRUPT = -521,
  /**
   * The store's medium is full.
   */
  DMSC_ERR_STORAGE_FULL = -522,
  /**
   * The key that seals the store's secrets is missing, is another one, or can be read by others.
   */
  DMSC_ERR_STORAGE_KEY = -523,
  /**
   * The store was written by a newer version of the library.
   */
  DMSC_ERR_STORAGE_VERSION = -524,
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
   * phase 2 (with DMSC_OK): a card was put into the reader of the one that is gone; close and open it, or
   * go on with the handle after DMSC_CARD_RESET.
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
  DMSC_EVENT_SESSION_DEFERRED = 50,
  /**
   * A session waits for @ref dmsc_client_network_changed. uri: server id; data: the connectivity that its
   * account asks for (PrefConRef or ConRef), none if any will do.
   */
  DMSC_EVENT_NETWORK_WANTED = 51,
  /**
   * A connection of the card into the network was refused or failed. uri: the server's address; status:
   * why; data: the error's text.
   */
  DMSC_EVENT_CONNECTION_REFUSED = 52,
  /**
   * A bootstrap that had to wait for the user (DMSC_PENDING) is over. status: how; data: the error's
   * text. What it brought was told by DMSC_EVENT_BOOTSTRAP_APPLIED before.
   */
  DMSC_EVENT_BOOTSTRAP_DONE = 40,
  /**
   * A callback of a dmsc_node_handler failed where its number is no answer of its own for the server,
   * which got 500. uri: the node, or the bound one for begin to rollback; status: the callback's number;
   * data: the error's text.
   */
  DMSC_EVENT_NODE_FAILED = 14,
  /**
   * An alert of @ref dmsc_client_queue_alert is done with and no longer kept. number: the alert's; uri:
   * the server; phase: its SyncML status. status: DMSC_OK the server has taken it; DMSC_ERR_REFUSED it
   * answered with a failure; DMSC_ERR_TOO_LARGE it was not sent, because the server takes no such size.
   * data: the error's text.
   */
  DMSC_EVENT_ALERT_DONE = 15,
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
  /**
   * The card's files have changed, or may have (a modem carried a REFRESH out, the issuer has written to
   * the card while the phone was off): the next bootstrap reads everything, also on a card that is known.
   */
  DMSC_CARD_FILES_CHANGED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_card_event dmsc_card_event;
#else
typedef uint32_t dmsc_card_event;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a card transport does itself, so that the library leaves it alone. Bits, to be joined with `|`.
 */
enum dmsc_transport_flags
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It fetches the data behind 61XX and 9FXX and repeats a command after 6CXX; all answers are whole.
   */
  DMSC_TRANSPORT_FETCHES_RESPONSES = 1,
  /**
   * It gives no access to channel 0 (Android's Open Mobile API); `open_channel` must be there.
   */
  DMSC_TRANSPORT_NO_BASIC_CHANNEL = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_transport_flags dmsc_transport_flags;
#else
typedef uint32_t dmsc_transport_flags;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What the host carries out for the card's toolkit. Bits, to be joined with `|`; TERMINAL PROFILE announces
 * exactly these, and the library answers every other command with "beyond the terminal's capabilities".
 */
enum dmsc_toolkit_capability
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * DISPLAY TEXT.
   */
  DMSC_TOOLKIT_DISPLAY_TEXT = 1,
  /**
   * GET INKEY.
   */
  DMSC_TOOLKIT_GET_INKEY = 2,
  /**
   * GET INPUT.
   */
  DMSC_TOOLKIT_GET_INPUT = 4,
  /**
   * SELECT ITEM.
   */
  DMSC_TOOLKIT_SELECT_ITEM = 8,
  /**
   * LAUNCH BROWSER; the host tells when the browser ends.
   */
  DMSC_TOOLKIT_BROWSER = 16,
  /**
   * SEND SHORT MESSAGE.
   */
  DMSC_TOOLKIT_SEND_SMS = 32,
  /**
   * The host tells of user activity and the idle screen.
   */
  DMSC_TOOLKIT_SCREEN_EVENTS = 64,
  /**
   * The host tells of changes of service and location.
   */
  DMSC_TOOLKIT_LOCATION_EVENTS = 128,
  /**
   * SET UP MENU; the host tells what is chosen.
   */
  DMSC_TOOLKIT_MENU = 256,
  /**
   * PLAY TONE.
   */
  DMSC_TOOLKIT_PLAY_TONE = 512,
  /**
   * SET UP CALL.
   */
  DMSC_TOOLKIT_CALLS = 1024,
  /**
   * SEND SS and SEND USSD.
   */
  DMSC_TOOLKIT_SERVICES = 2048,
  /**
   * SEND DTMF.
   */
  DMSC_TOOLKIT_DTMF = 4096,
  /**
   * SET UP IDLE MODE TEXT.
   */
  DMSC_TOOLKIT_IDLE_TEXT = 8192,
  /**
   * LANGUAGE NOTIFICATION.
   */
  DMSC_TOOLKIT_LANGUAGE = 16384,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_toolkit_capability dmsc_toolkit_capability;
#else
typedef uint32_t dmsc_toolkit_capability;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What the host's modem has to send to the card.
 */
enum dmsc_toolkit_outgoing
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The data of a TERMINAL RESPONSE.
   */
  DMSC_TOOLKIT_TERMINAL_RESPONSE = 1,
  /**
   * The data of an ENVELOPE; give the card's status word to @ref dmsc_card_envelope_answered.
   */
  DMSC_TOOLKIT_ENVELOPE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_toolkit_outgoing dmsc_toolkit_outgoing;
#else
typedef uint32_t dmsc_toolkit_outgoing;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a command of the card is meant. Bits of dmsc_toolkit_request_info.manner.
 */
enum dmsc_toolkit_manner
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * DISPLAY TEXT may interrupt what the user does.
   */
  DMSC_TOOLKIT_HIGH_PRIORITY = 1,
  /**
   * DISPLAY TEXT stays until the user acknowledges it, else for a moment.
   */
  DMSC_TOOLKIT_WAIT_FOR_USER = 2,
  /**
   * DISPLAY TEXT: answer at once, the text may stay.
   */
  DMSC_TOOLKIT_AT_ONCE = 4,
  /**
   * GET INKEY, GET INPUT: any character, else digits, `*`, `#` and `+`.
   */
  DMSC_TOOLKIT_ALPHABET = 8,
  /**
   * GET INKEY, GET INPUT: characters beyond the GSM default alphabet are wanted.
   */
  DMSC_TOOLKIT_UCS2 = 16,
  /**
   * GET INKEY: yes or no is wanted.
   */
  DMSC_TOOLKIT_YES_NO = 32,
  /**
   * GET INPUT: do not show what is typed.
   */
  DMSC_TOOLKIT_HIDDEN = 64,
  /**
   * Help may be asked for.
   */
  DMSC_TOOLKIT_HELP_AVAILABLE = 128,
  /**
   * SEND SHORT MESSAGE: the message has to be packed to seven bits.
   */
  DMSC_TOOLKIT_PACK = 256,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_toolkit_manner dmsc_toolkit_manner;
#else
typedef uint32_t dmsc_toolkit_manner;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What became of a command of the card.
 */
enum dmsc_toolkit_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It is done; the input is there.
   */
  DMSC_TOOLKIT_DONE = 0,
  /**
   * The user ended the card's session.
   */
  DMSC_TOOLKIT_ENDED_BY_USER = 1,
  /**
   * The user went back.
   */
  DMSC_TOOLKIT_BACK = 2,
  /**
   * The user did nothing.
   */
  DMSC_TOOLKIT_NO_RESPONSE = 3,
  /**
   * The user wants help.
   */
  DMSC_TOOLKIT_HELP_WANTED = 4,
  /**
   * The user refused.
   */
  DMSC_TOOLKIT_REFUSED = 5,
  /**
   * The screen is in use.
   */
  DMSC_TOOLKIT_SCREEN_BUSY = 6,
  /**
   * Something else is in the way for now.
   */
  DMSC_TOOLKIT_BUSY = 7,
  /**
   * There is no browser.
   */
  DMSC_TOOLKIT_NO_BROWSER = 8,
  /**
   * The short message was not sent.
   */
  DMSC_TOOLKIT_SMS_NOT_SENT = 9,
  /**
   * The network is busy or refused it.
   */
  DMSC_TOOLKIT_NETWORK_BUSY = 10,
  /**
   * There is no service.
   */
  DMSC_TOOLKIT_NO_SERVICE = 11,
  /**
   * The host cannot do it after all.
   */
  DMSC_TOOLKIT_NOT_SUPPORTED = 12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_toolkit_outcome dmsc_toolkit_outcome;
#else
typedef uint32_t dmsc_toolkit_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Something that the host tells the card's toolkit with @ref dmsc_card_toolkit_event.
 */
enum dmsc_toolkit_event
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The user did something.
   */
  DMSC_TOOLKIT_USER_ACTIVITY = 1,
  /**
   * The idle screen came up.
   */
  DMSC_TOOLKIT_IDLE_SCREEN = 2,
  /**
   * The user closed the browser.
   */
  DMSC_TOOLKIT_BROWSER_ENDED = 3,
  /**
   * The browser ended with an error.
   */
  DMSC_TOOLKIT_BROWSER_FAILED = 4,
  /**
   * The user chose from the card's menu; `value` is the item's identifier.
   */
  DMSC_TOOLKIT_MENU_SELECTED = 5,
  /**
   * The user wants help with an item of the card's menu; `value` is its identifier.
   */
  DMSC_TOOLKIT_MENU_HELP = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_toolkit_event dmsc_toolkit_event;
#else
typedef uint32_t dmsc_toolkit_event;
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
  /**
   * Added to one of the others: the access control list that counts for the top node is written at
   * it, also if it is inherited, so that the subtree has the same rights elsewhere.
   */
  DMSC_EXPORT_INHERITED = 256,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_export_format dmsc_export_format;
#else
typedef uint32_t dmsc_export_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Bits of bootstrap_flags in @ref dmsc_config.
 */
enum dmsc_bootstrap_flag
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Cards are not read: @ref dmsc_card_bootstrap gives DMSC_ERR_BOOTSTRAP_REFUSED. What the card
   * brought before stays until it goes.
   */
  DMSC_BOOTSTRAP_NO_CARD = 1,
  /**
   * The user is asked before new data of a card is applied.
   */
  DMSC_BOOTSTRAP_ASK_FOR_CARD = 2,
  /**
   * The user is asked before a push is applied, unless its PIN is asked for anyway.
   */
  DMSC_BOOTSTRAP_ASK_FOR_PUSH = 4,
  /**
   * A push without SEC is taken if the user says so; else it is DMSC_ERR_BOOTSTRAP_MAC.
   */
  DMSC_BOOTSTRAP_UNSIGNED_PUSH = 8,
  /**
   * A push may replace an account that a push brought before; else it is
   * DMSC_ERR_BOOTSTRAP_REFUSED. An account from elsewhere is never replaced.
   */
  DMSC_BOOTSTRAP_REPLACE_BY_PUSH = 16,
  /**
   * A session with the server of each new account is started as soon as possible (OMA DM Bootstrap
   * 1.2, 5.3); else only where the document says so (w7, INIT). Start the toolkit of a card first
   * whose server is on the card itself.
   */
  DMSC_BOOTSTRAP_START_SESSIONS = 32,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_bootstrap_flag dmsc_bootstrap_flag;
#else
typedef uint32_t dmsc_bootstrap_flag;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What an answer of the user is for.
 */
enum dmsc_alert_purpose
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A server asks in a DM session.
   */
  DMSC_ALERT_SESSION = 0,
  /**
   * May the device be set up with what a card or a push brings? Code 1101, session_id 0.
   */
  DMSC_ALERT_BOOTSTRAP_CONSENT = 1,
  /**
   * The PIN of a pushed bootstrap, or the digits of PIN and MAC. Code 1102, hidden, session_id 0.
   */
  DMSC_ALERT_BOOTSTRAP_PIN = 2,
  /**
   * May a session begin? Code 1101: it waits for the answer. Code 1100: it begins all the same.
   */
  DMSC_ALERT_SESSION_CONSENT = 3,
  /**
   * The policy asks whether a server may do this; the items, which are not to be chosen from, say what
   * it is about. Code 1101.
   */
  DMSC_ALERT_COMMAND_CONSENT = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_alert_purpose dmsc_alert_purpose;
#else
typedef uint32_t dmsc_alert_purpose;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a push says that it is authenticated (parameter SEC of its Content-Type), where the host has
 * taken off the envelope.
 */
enum dmsc_sec
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Not given here: as content_type says, else unauthenticated.
   */
  DMSC_SEC_NOT_GIVEN = 0,
  /**
   * 0, NETWPIN, NETWORKID: with the network's secret, of GSM the IMSI.
   */
  DMSC_SEC_NETWPIN = 1,
  /**
   * 1, USERPIN: with a PIN that the user types.
   */
  DMSC_SEC_USERPIN = 2,
  /**
   * 2, USERNETWPIN, USERPIN_NETWORKID: with both.
   */
  DMSC_SEC_USERNETWPIN = 3,
  /**
   * 3, USERPINMAC: the user types PIN and MAC. Not for the DM profile.
   */
  DMSC_SEC_USERPINMAC = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_sec dmsc_sec;
#else
typedef uint32_t dmsc_sec;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Bits of flags in @ref dmsc_provisioning.
 */
enum dmsc_provisioning_flag
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The device's maker gives the document, which is not in a push: a provisioning document, a DM
   * message (WBXML) or a TNDS object. Nothing is checked and nobody is asked. The same document is
   * applied once for the life of the store; a later one replaces accounts of an earlier one.
   */
  DMSC_PROVISIONING_FACTORY = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_provisioning_flag dmsc_provisioning_flag;
#else
typedef uint32_t dmsc_provisioning_flag;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Who brought a node into the tree.
 */
enum dmsc_origin
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The library or the host.
   */
  DMSC_ORIGIN_HOST = 0,
  /**
   * A document of the device's maker, or the standard objects of a new store.
   */
  DMSC_ORIGIN_FACTORY = 1,
  /**
   * A pushed bootstrap.
   */
  DMSC_ORIGIN_BOOTSTRAP = 2,
  /**
   * The card in a slot: the node goes with the card.
   */
  DMSC_ORIGIN_CARD = 3,
  /**
   * A DM server.
   */
  DMSC_ORIGIN_SERVER = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_origin dmsc_origin;
#else
typedef uint32_t dmsc_origin;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What happened to a node of the tree.
 */
enum dmsc_change_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It was created.
   */
  DMSC_CHANGE_ADDED = 1,
  /**
   * Its value was replaced.
   */
  DMSC_CHANGE_REPLACED = 2,
  /**
   * It was deleted with all below it, which is not told one by one.
   */
  DMSC_CHANGE_DELETED = 3,
  /**
   * It has the name of `uri` now instead of that of `from`; what is below it came along.
   */
  DMSC_CHANGE_RENAMED = 4,
  /**
   * Its ACL, Title or Type was replaced.
   */
  DMSC_CHANGE_PROPERTY = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_change_kind dmsc_change_kind;
#else
typedef uint32_t dmsc_change_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Who changed a node.
 */
enum dmsc_change_by
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The host, or the library itself (the nonces of accounts, an ACL that loses a server).
   */
  DMSC_BY_HOST = 0,
  /**
   * A bootstrap document, of a card or pushed.
   */
  DMSC_BY_BOOTSTRAP = 1,
  /**
   * The server `server_id`.
   */
  DMSC_BY_SERVER = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum dmsc_change_by dmsc_change_by;
#else
typedef uint32_t dmsc_change_by;
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
 * A proactive command for the host (ETSI TS 102 223).
 *
 * Owned by the host from `request` to @ref dmsc_toolkit_answer. One thread at a time.
 */
typedef struct dmsc_toolkit_request dmsc_toolkit_request;

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
  /**
   * A dmsc_alert_purpose number: what the answer is for.
   */
  uint32_t purpose;
  /**
   * DMSC_ALERT_BOOTSTRAP_PIN: attempts left, this one included; else 0.
   */
  uint32_t tries_left;
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
 * A byte stream to a modem, given by the host: a serial line, a USB endpoint, a multiplexer's channel.
 * Copied when the card is opened; `read` and `write` must be there. Nobody else may use the stream.
 *
 * A callback returns DMSC_OK or a negative number, as with @ref dmsc_card_transport.
 * Thread: the driving thread, one at a time. Re-entry: as with @ref dmsc_card_transport.
 */
typedef struct dmsc_at_port {
  /**
   * sizeof(dmsc_at_port); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Reads what is there, at most `cap` octets, their number in `len`; waits for the first one at most
   * `timeout_ms`. 0 octets: nothing came in that time.
   */
  int32_t (*read)(void *user_data, uint8_t *buffer, size_t cap, uint32_t timeout_ms, size_t *len);
  /**
   * Writes all of the octets.
   */
  int32_t (*write)(void *user_data, const uint8_t *data, size_t len);
  /**
   * Called exactly once, after the last other callback; not called if the card was not opened.
   */
  void (*destroy)(void *user_data);
  /**
   * Longest time for one AT command, in milliseconds. 0: 10000.
   */
  uint32_t timeout_ms;
  /**
   * Most octets of card data to ask for at once, 1 to 256: many modems cut lines of more than 256 or 512
   * characters, and an octet takes two. 0: 128.
   */
  uint32_t max_le;
} dmsc_at_port;

/**
 * Somebody who signs the journal in place of its own key: Android Keystore, a secure element, the card.
 * Copied by @ref dmsc_client_set_signer. Both functions must be there.
 *
 * A callback returns DMSC_OK or a negative number. If it fails, the records stay unsigned until the next
 * signature, which covers them as well.
 * Thread: the driving thread, or the one that calls @ref dmsc_audit_export, one at a time. Re-entry:
 * functions of the same client that need it return DMSC_ERR_REENTRANT or DMSC_ERR_BUSY.
 */
typedef struct dmsc_signer {
  /**
   * sizeof(dmsc_signer); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Writes the public key, DMSC_AUDIT_KEY_SIZE octets, to `key`. It says what kind of signature is made.
   */
  int32_t (*public_key)(void *user_data, uint8_t *key);
  /**
   * Writes the signature of `message`, DMSC_AUDIT_SIGNATURE_SIZE octets, to `signature`: pure Ed25519, or
   * for P-256 `r` and `s` of ECDSA over the SHA-256 of `message`, 32 octets each, big-endian.
   */
  int32_t (*sign)(void *user_data, const uint8_t *message, size_t message_len, uint8_t *signature);
  /**
   * Called exactly once, after the last other callback; may be NULL.
   */
  void (*destroy)(void *user_data);
} dmsc_signer;

/**
 * Where the journal stands.
 */
typedef struct dmsc_audit_info {
  /**
   * sizeof(dmsc_audit_info); set by the caller.
   */
  size_t struct_size;
  /**
   * Number of the first record that is there.
   */
  uint64_t first;
  /**
   * Number of the last record.
   */
  uint64_t last;
  /**
   * Number of the last record that is signed; 0 if none is.
   */
  uint64_t signed_to;
  /**
   * Octets of all records; 0 in the answer of @ref dmsc_audit_verify.
   */
  uint64_t octets;
  /**
   * Hash of the last record, as in node ./Ext/DMSC/Audit/Head.
   */
  uint8_t head[32];
} dmsc_audit_info;

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
  /**
   * Ends the callback that is running, which returns DMSC_ERR_CANCELLED at once; nothing while none runs,
   * and nothing for the next one. NULL: a card that never answers keeps its caller for ever.
   *
   * Called by @ref dmsc_card_cancel, @ref dmsc_card_close and @ref dmsc_client_free, and by the library
   * itself when a callback takes longer than `timeout_ms`. Thread: any, beside any other callback but
   * `destroy`.
   */
  void (*cancel)(void *user_data);
  /**
   * Bits of dmsc_transport_flags: what the transport does itself.
   */
  uint32_t flags;
  /**
   * Most octets of response data that one exchange can bring, 1 to 256; 0: 256.
   */
  uint32_t max_le;
  /**
   * Longest time for one callback, in milliseconds; then `cancel` is called and the call that waits
   * fails with DMSC_ERR_TIMEOUT. 0: 10000. Without `cancel` it is not used.
   */
  uint32_t timeout_ms;
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
   * Accounts that were made anew because their data changed.
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
  /**
   * Objects with new content that wait for the user's answer.
   */
  uint32_t objects_waiting;
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
 * Keys kept by the host, for example in the platform's key store. Copied by @ref dmsc_client_new.
 *
 * Values of the tree that are secret are sealed with XChaCha20-Poly1305 under a key of 32 octets. Keys
 * have numbers: 1 is made at the first use of a store, each @ref dmsc_client_rotate_key makes the next.
 * `load` and `make` must be there. A callback returns DMSC_OK or a negative number, which is passed
 * through to the call that caused it. Thread: any, one at a time.
 */
typedef struct dmsc_keys {
  /**
   * sizeof(dmsc_keys); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Writes the key `number` to the 32 octets at `key`; DMSC_ERR_STORAGE_KEY if there is none.
   */
  int32_t (*load)(void *user_data, uint32_t number, uint8_t *key);
  /**
   * Makes the key `number` and keeps it durably, in place of one that may be there. The 32 octets at
   * `key` are random and may be taken as they are; what they are on return is the key.
   */
  int32_t (*make)(void *user_data, uint32_t number, uint8_t *key);
  /**
   * Forgets the key `number`, with which nothing is sealed any more; DMSC_OK if there was none. May be
   * NULL.
   */
  int32_t (*remove)(void *user_data, uint32_t number);
  /**
   * Called exactly once, after the last other callback; may be NULL.
   */
  void (*destroy)(void *user_data);
} dmsc_keys;

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
  /**
   * Longest time, in milliseconds, from the look-up of a server's name to the connection, 1 to 30000; the
   * library goes on meanwhile. 0: 10000. A host that opens connections itself is told this limit.
   */
  uint32_t connect_timeout_ms;
  /**
   * 1: messages to servers in the network are text XML, for servers that do not read WBXML. 0: WBXML. With a
   * card it is always WBXML.
   */
  uint32_t text_xml;
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
   * What may bootstrap the device and who is asked: dmsc_bootstrap_flag bits. 0: cards without
   * question, pushes with a good MAC; no account is replaced by a push.
   */
  uint32_t bootstrap_flags;
  /**
   * Where the keys are that seal secret values in the store. NULL: files "dmsc-1.key" with mode 0600 in
   * `data_dir`, or blobs "dmsc.key.1" in `storage`, made at the first use.
   */
  const struct dmsc_keys *keys;
  /**
   * URIs of nodes whose values are sealed like the passwords and nonces of accounts, access points and
   * proxies. They are patterns: a name that is one asterisk stands for any name, two asterisks stand for
   * any number of names, once in a pattern. A pattern stays with the store once it was opened with it;
   * a store has at most 64 with the built-in ones. Sealed values are read and written as others. May be
   * NULL.
   */
  const char *const *secret_uris;
  /**
   * Number of patterns at secret_uris.
   */
  size_t secret_uri_count;
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
  /**
   * Number of an alert of the host, 0 if the event is about none.
   */
  uint64_t number;
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
 * One changed node. Changes of one commit that follow each other are one: a node that came and went is
 * not told, a value that was replaced several times is told once. Borrowed: valid during the callback only.
 */
typedef struct dmsc_change {
  /**
   * sizeof(dmsc_change) of the library.
   */
  size_t struct_size;
  /**
   * A dmsc_change_kind number; ignore numbers you do not know.
   */
  uint32_t kind;
  /**
   * A dmsc_change_by number.
   */
  uint32_t by;
  /**
   * The node, for example "./DMAcc/x/Name".
   */
  const char *uri;
  /**
   * The URI it had before it was renamed; else NULL.
   */
  const char *from;
  /**
   * The server's identifier, if a server did it; else NULL.
   */
  const char *server_id;
  /**
   * Octets of the value before the commit; 0 if there was none.
   */
  uint32_t old_size;
  /**
   * Octets of the value now; 0 if there is none.
   */
  uint32_t new_size;
} dmsc_change;

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
   * The user is asked (Alert 1100 to 1104; whether a bootstrap may be applied, and its PIN: see
   * dmsc_alert_info.purpose). The callee owns `alert` and must give it to
   * @ref dmsc_alert_answer exactly once, now or later, from any thread. NULL: the device has no user
   * interface, servers get 406, and a bootstrap that needs the user is refused.
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
   * A commit has changed the tree: one call for each commit, whoever made it - a session, a bootstrap, a
   * dmsc_txn - with all its changes in order. Told once they are durable, before the events of the same
   * step; nothing is told of what was rolled back, nor of what dmsc_client_new itself sets up. The array
   * and what it points to are borrowed: valid during the callback only.
   */
  void (*on_changes)(void *user_data, const struct dmsc_change *const *changes, size_t count);
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
 * An alert of the host for a server. Copied by the call. Texts are UTF-8.
 */
typedef struct dmsc_generic_alert {
  /**
   * sizeof(dmsc_generic_alert); set by the caller.
   */
  size_t struct_size;
  /**
   * 1226 or 0: a generic alert; 1224: a client event (DM Protocol 1.2.1, 8.7 and 8.8).
   */
  uint32_t code;
  /**
   * A dmsc_format number, the format of the data; 0: DMSC_FORMAT_CHR.
   */
  uint32_t format;
  /**
   * The server it is for; NULL: the first server that a session is held with.
   */
  const char *server_id;
  /**
   * URI of the management object that raises it, or NULL.
   */
  const char *source_uri;
  /**
   * Type of the data. That of a generic alert begins with "Reversed-Domain-Name:", "Content-Type:",
   * "org.openmobilealliance." or "urn:oma:at:". Must be given.
   */
  const char *type;
  /**
   * Importance: "fatal", "critical", "minor", "warning", "informational", "harmless" or "indeterminate".
   * NULL: none is sent, which means informational.
   */
  const char *mark;
  /**
   * The Correlator of the Exec whose end this reports, or NULL if it had none.
   */
  const char *correlator;
  /**
   * The data.
   */
  const uint8_t *data;
  /**
   * Number of octets at data, 65536 at most.
   */
  size_t data_len;
} dmsc_generic_alert;

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
 * What a node of the host is; filled in by `info` of a dmsc_node_handler.
 */
typedef struct dmsc_host_node {
  /**
   * sizeof(dmsc_host_node) of the library; members behind it do not exist.
   */
  size_t struct_size;
  /**
   * A dmsc_format number. Preset: DMSC_FORMAT_CHR.
   */
  uint32_t format;
  /**
   * Octets of the value (property Size); 0 for interior nodes. Preset: 0.
   */
  uint32_t size;
  /**
   * MIME type of a leaf, MO identifier of an interior node; NULL: "text/plain" or none. The host's, and
   * to stay valid until the next callback of the handler. Preset: NULL.
   */
  const char *type;
} dmsc_host_node;

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

/**
 * What a server wants run. Borrowed: valid during the callback only.
 */
typedef struct dmsc_exec_request {
  /**
   * sizeof(dmsc_exec_request) of the library.
   */
  size_t struct_size;
  /**
   * The node.
   */
  const char *uri;
  /**
   * Data of the Exec command; NULL if there is none.
   */
  const uint8_t *argument;
  /**
   * Number of octets at argument.
   */
  size_t argument_len;
  /**
   * The server's Correlator, or NULL. Copy it: it belongs into the generic alert that reports the end of
   * what goes on in the background.
   */
  const char *correlator;
  /**
   * The server that asks.
   */
  const char *server_id;
  /**
   * The DM session's id, as in events.
   */
  uint64_t session_id;
} dmsc_exec_request;

/**
 * A part of a value on its way. Borrowed: valid during the callback only.
 */
typedef struct dmsc_value_chunk {
  /**
   * sizeof(dmsc_value_chunk) of the library.
   */
  size_t struct_size;
  /**
   * The leaf, which need not be there yet.
   */
  const char *uri;
  /**
   * Octets of the value that came before; 0 begins anew, whatever came earlier.
   */
  uint64_t offset;
  /**
   * Octets that the whole value has at most. The exact number comes with `store`; it is this one unless the
   * value travels as base64.
   */
  uint64_t total;
  /**
   * The octets that follow.
   */
  const uint8_t *data;
  /**
   * Number of octets at data; 0 only for a value without any.
   */
  size_t data_len;
} dmsc_value_chunk;

/**
 * A subtree that the host keeps. Copied by @ref dmsc_tree_bind. `info` must be there; with any of `add`,
 * `replace` and `remove` also `begin`, `commit` and `rollback`. A NULL member for a command means that the
 * nodes do not allow it (server: 405).
 *
 * The library checks rights, formats and descriptions before it asks the handler, and keeps ACL, Title,
 * TStamp and VerNo of its nodes in the store. URIs are complete, escaped as in messages, for example
 * "./Vendor/Fw/Update".
 *
 * A callback returns 0, or a SyncML status from 400 to 599 that the server gets, or a negative number:
 * DMSC_ERR_NODE_NOT_FOUND (server: 404), _NODE_NOT_ALLOWED (405), _NOT_SUPPORTED (406), _TOO_LARGE (413),
 * _NODE_FORMAT (415), _NODE_EXISTS (418), _STORAGE_FULL (420), _NODE_ACL (425); any other gives the server
 * 500, and the host a DMSC_EVENT_NODE_FAILED with the number. One that fails has changed nothing.
 *
 * Transactions: before the first change `begin` is called, then the changes as the commands come, each
 * visible to `info`, `get` and `children` at once; then `prepare` and `commit`, or `rollback`, which undoes
 * everything since `begin`. An Atomic that fails is rolled back like that, and what was done before it is
 * then made again. All subtrees and the library's own store commit as one: when everybody is prepared, the
 * store commits, and with it all is decided; then each `commit` is called. A failure of `prepare` undoes
 * everything (an Atomic: 507; outside of one all that the server's message has changed: 500); a failure of `commit` or `rollback` is only told as an event. A process that
 * dies between prepare and commit is settled by `settle` at the next start.
 *
 * Large values: with `write`, `store` and `discard` a value that a server sends in several messages (DM
 * Protocol 1.2.1, section 7) is not collected by the library, up to its `max_obj_size`, but handed over as it
 * comes: `write` for each chunk, which the host keeps aside, outside of any transaction, because each message
 * is one of its own and a half value must not be kept; behind the last one `store`, a change like `add` or
 * `replace`; then `discard`. Rights and formats are checked before the first chunk and again before `store`.
 * When the object is interrupted (the server sends something else, its Size was wrong, the session ends, a
 * callback fails) `discard` comes without `store`. What is kept aside need not outlive the process: at
 * `settle` and `destroy` the host throws away what `prepare` has not promised. Values that come in one
 * message, those of other formats than bin, chr and xml, and new leaves whose parent is missing too come as a
 * whole, with `add` or `replace`.
 *
 * Large values the other way: with `open`, `read` and `close` a leaf whose value fits in no message to the
 * server, and has more than 16 KiB, is not asked for with `get`, but opened when the server's Get is executed,
 * and read as the messages are made; one session may have several open. An open value stays what it was when
 * it was opened, whatever is done to its node: keep the old file, or let `read` fail. Behind a failure nothing
 * more is read: the server misses the end of the value, the host gets a DMSC_EVENT_NODE_FAILED. When the
 * subtree is unbound or the client closed, values may be open still; `destroy` closes them.
 *
 * Thread: the driving thread, one at a time; the caller waits, so be quick: what takes longer than a
 * session can wait for belongs into the background (202). Re-entry: nothing that needs the client's core -
 * cards, sessions, nodes bound like these - (DMSC_ERR_REENTRANT); dmsc_client_queue_alert and the functions
 * on other nodes of the tree are allowed (DMSC_ERR_BUSY for writing while a session writes).
 */
typedef struct dmsc_node_handler {
  /**
   * sizeof(dmsc_node_handler); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Says what `uri` is in `node`; DMSC_ERR_NODE_NOT_FOUND if there is no such node. Asked for the bound
   * node itself only once, for its type.
   */
  int32_t (*info)(void *user_data, const char *uri, struct dmsc_host_node *node);
  /**
   * Gives the value of leaf `uri` in a new buffer (@ref dmsc_buffer_new); left NULL it is empty.
   */
  int32_t (*get)(void *user_data, const char *uri, struct dmsc_buffer **value);
  /**
   * Gives the names of the nodes directly below `uri`, not escaped, each ended by a line feed, in a new
   * buffer; left NULL there are none. NULL member: only nodes asked for by name are found.
   */
  int32_t (*children)(void *user_data, const char *uri, struct dmsc_buffer **names);
  /**
   * Creates node `uri`, whose parent is there.
   */
  int32_t (*add)(void *user_data, const char *uri, const struct dmsc_node_value *value);
  /**
   * Replaces the value of leaf `uri`.
   */
  int32_t (*replace)(void *user_data, const char *uri, const struct dmsc_node_value *value);
  /**
   * Deletes node `uri` with all below it.
   */
  int32_t (*remove)(void *user_data, const char *uri);
  /**
   * Runs a node. Returns 0 done (server: 200); 202 accepted: it goes on in the background, and its end is
   * reported with @ref dmsc_client_queue_alert; or a failure as above.
   */
  int32_t (*exec)(void *user_data, const struct dmsc_exec_request *request);
  /**
   * Changes follow. `number` is higher than that of every transaction that was committed before.
   */
  int32_t (*begin)(void *user_data, uint64_t number);
  /**
   * Makes sure that `commit` cannot fail, also after a restart if the host keeps its nodes durably. May
   * be called again after further changes. NULL: the handler is always ready.
   */
  int32_t (*prepare)(void *user_data);
  /**
   * Makes the changes since `begin` last.
   */
  int32_t (*commit)(void *user_data);
  /**
   * Undoes the changes since `begin`, prepared or not.
   */
  int32_t (*rollback)(void *user_data);
  /**
   * Called once, inside dmsc_tree_bind: what was prepared in transactions up to `number` is committed,
   * what was prepared in a later one is not. May be NULL. A failure makes dmsc_tree_bind fail.
   */
  int32_t (*settle)(void *user_data, uint64_t number);
  /**
   * Called exactly once, after the last other callback: when the subtree is unbound or the client closed.
   * Not called if dmsc_tree_bind fails. May be NULL.
   */
  void (*destroy)(void *user_data);
  /**
   * Keeps a chunk of a value aside; `info` and `get` go on to show what was there. A failure ends it: the
   * server gets the status. NULL, with the next two: values come as a whole.
   */
  int32_t (*write)(void *user_data, const struct dmsc_value_chunk *chunk);
  /**
   * Gives leaf `uri`, which is created if it is not there, the octets that were kept aside for it. `value`
   * has format and type, NULL as data, and in data_len how many octets they are. They have to stay aside
   * until `discard`: behind a `rollback` this may come again.
   */
  int32_t (*store)(void *user_data, const char *uri, const struct dmsc_node_value *value);
  /**
   * The octets kept aside for `uri` are not needed any more. Once for each value of which `write` took the
   * first chunk; if it was stored, behind the `commit` or `rollback` that decides about it.
   */
  void (*discard)(void *user_data, const char *uri);
  /**
   * Opens the value of leaf `uri`, of which `info` has just said size and format, for `read`. `handle` gets
   * a number of the host's own, for example a pointer. NULL, with the next two: values are read as a whole.
   */
  int32_t (*open)(void *user_data, const char *uri, uint64_t *handle);
  /**
   * Fills `data` with the next `data_len` octets of an open value, in order, never beyond the size that
   * `info` said; of a text they are UTF-8. `data` is valid during the callback only.
   */
  int32_t (*read)(void *user_data, uint64_t handle, uint8_t *data, size_t data_len);
  /**
   * Closes an open value, read to its end or not: once for each successful `open`.
   */
  void (*close)(void *user_data, uint64_t handle);
} dmsc_node_handler;

/**
 * A bootstrap to apply. Copied by the call.
 */
typedef struct dmsc_provisioning {
  /**
   * sizeof(dmsc_provisioning); set by the caller.
   */
  size_t struct_size;
  /**
   * Content-Type of `data` where the host has taken off the envelope, for example
   * "application/vnd.wap.connectivity-wbxml; SEC=1; MAC=0BB3...". NULL: `data` is a WSP push PDU.
   */
  const char *content_type;
  /**
   * A dmsc_sec number that counts instead of the one in content_type.
   */
  uint32_t sec;
  /**
   * A dmsc_provisioning_flag number or 0.
   */
  uint32_t flags;
  /**
   * The MAC, 40 hexadecimal digits, instead of the one in content_type; NULL: not given here.
   */
  const char *mac;
  /**
   * The subscription's IMSI in digits, for a push signed with the network's secret; NULL: not known.
   */
  const char *imsi;
  /**
   * The network's secret itself, for example an ESN; NULL: not known.
   */
  const uint8_t *network_secret;
  /**
   * Number of octets at network_secret.
   */
  size_t network_secret_len;
  /**
   * The octets.
   */
  const uint8_t *data;
  /**
   * Number of octets at data.
   */
  size_t data_len;
} dmsc_provisioning;

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
 * The host's side of the toolkit. Copied by @ref dmsc_client_set_toolkit_host; NULL members mean "not
 * wanted", but `request` must be there if `capabilities` is not 0.
 *
 * Thread and re-entry: as with @ref dmsc_callbacks.
 */
typedef struct dmsc_toolkit_host {
  /**
   * sizeof(dmsc_toolkit_host); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * Bits of dmsc_toolkit_capability.
   */
  uint32_t capabilities;
  /**
   * The card wants something. The callee owns `request` and must give it to @ref dmsc_toolkit_answer
   * exactly once, now or later, from any thread. After a minute, and what the card allows more, the
   * library answers the card itself.
   */
  void (*request)(void *user_data, struct dmsc_toolkit_request *request);
  /**
   * The card's open request in this slot is void: its time is up or the card is gone. It is still to be
   * given to @ref dmsc_toolkit_answer.
   */
  void (*withdrawn)(void *user_data, uint32_t slot);
  /**
   * Where the host's modem owns the toolkit: it has to send this; `what` is a dmsc_toolkit_outgoing.
   */
  void (*send)(void *user_data, uint32_t slot, uint32_t what, const uint8_t *data, size_t len);
  /**
   * Called exactly once, after the last other callback; not called if the struct was refused.
   */
  void (*destroy)(void *user_data);
} dmsc_toolkit_host;

/**
 * What the host tells about itself (PROVIDE LOCAL INFORMATION and the events of it). Copied.
 */
typedef struct dmsc_local_info {
  /**
   * sizeof(dmsc_local_info); set by the caller.
   */
  size_t struct_size;
  /**
   * 15 digits; NULL: not told.
   */
  const char *imei;
  /**
   * 16 digits; NULL: not told.
   */
  const char *imeisv;
  /**
   * Two lower case letters of ISO 639-1; NULL: not told.
   */
  const char *language;
  /**
   * MCC, MNC, LAC and cell as the network codes them, 7 octets, or 9 with an extended cell; NULL: no
   * service.
   */
  const uint8_t *location;
  /**
   * Number of octets at location.
   */
  size_t location_len;
  /**
   * 1 if `access_technology` is known.
   */
  uint32_t has_access_technology;
  /**
   * 0 GSM, 3 UTRAN, 8 E-UTRAN, 10 NG-RAN ... (TS 102 223, 8.61).
   */
  uint32_t access_technology;
  /**
   * 1 if `utc_offset_quarters` is known.
   */
  uint32_t has_utc_offset;
  /**
   * Local time minus UTC in quarters of an hour, -79 to 79.
   */
  int32_t utc_offset_quarters;
} dmsc_local_info;

/**
 * What the card wants.
 */
typedef struct dmsc_toolkit_request_info {
  /**
   * sizeof(dmsc_toolkit_request_info); set by the caller.
   */
  size_t struct_size;
  /**
   * The card's slot.
   */
  uint32_t slot;
  /**
   * Type of command (TS 102 223, 9.4): 0x10 SET UP CALL, 0x11 SEND SS, 0x12 SEND USSD, 0x13 SEND SHORT
   * MESSAGE, 0x14 SEND DTMF, 0x15 LAUNCH BROWSER, 0x20 PLAY TONE, 0x21 DISPLAY TEXT, 0x22 GET INKEY, 0x23
   * GET INPUT, 0x24 SELECT ITEM, 0x25 SET UP MENU, 0x28 SET UP IDLE MODE TEXT, 0x35 LANGUAGE NOTIFICATION.
   */
  uint32_t command;
  /**
   * How it is meant: bits of dmsc_toolkit_manner. For LAUNCH BROWSER and SET UP CALL the qualifier itself.
   */
  uint32_t manner;
  /**
   * Text, question or title; "" if none. SET UP CALL: the question before the call. Valid until the request
   * is answered, as all pointers here.
   */
  const char *text;
  /**
   * GET INPUT: what stands in the field; LAUNCH BROWSER: the URL; SET UP CALL: what to show during the
   * call; LANGUAGE NOTIFICATION: two letters. "" if none.
   */
  const char *second;
  /**
   * SEND SHORT MESSAGE: the TPDU; SEND SS, USSD, DTMF: the string; SET UP CALL: the address; PLAY TONE: one
   * octet, the tone; NULL if none.
   */
  const uint8_t *data;
  /**
   * Number of octets at data.
   */
  size_t data_len;
  /**
   * SEND SHORT MESSAGE: the service centre, type of number, then swapped digits; NULL: the default one.
   */
  const uint8_t *address;
  /**
   * Number of octets at address.
   */
  size_t address_len;
  /**
   * How long it shall be shown, played or waited for, in milliseconds; 0 if not said.
   */
  uint32_t duration_ms;
  /**
   * GET INPUT: fewest characters.
   */
  uint32_t min_len;
  /**
   * GET INPUT: most characters; 255: no limit.
   */
  uint32_t max_len;
  /**
   * SELECT ITEM, SET UP MENU: number of items of @ref dmsc_toolkit_item.
   */
  uint32_t item_count;
  /**
   * SELECT ITEM: identifier of the item to begin with; 0 if none.
   */
  uint32_t default_item;
} dmsc_toolkit_request_info;

/**
 * The answer to a command of the card. Copied by the call.
 */
typedef struct dmsc_toolkit_reply {
  /**
   * sizeof(dmsc_toolkit_reply); set by the caller.
   */
  size_t struct_size;
  /**
   * A dmsc_toolkit_outcome number.
   */
  uint32_t outcome;
  /**
   * SELECT ITEM: the chosen item's identifier. GET INKEY with yes or no: 1 or 0.
   */
  uint32_t choice;
  /**
   * GET INKEY, GET INPUT: what was typed, UTF-8. SEND USSD: what the network said; NULL: nothing.
   */
  const char *text;
} dmsc_toolkit_reply;

/**
 * One exchange with a card. Borrowed: valid during the callback only.
 */
typedef struct dmsc_apdu {
  /**
   * sizeof(dmsc_apdu) of the library.
   */
  size_t struct_size;
  /**
   * The card's slot.
   */
  uint32_t slot;
  /**
   * When the response was there, in milliseconds since 1970 (UTC).
   */
  uint64_t unix_ms;
  /**
   * The command APDU. PINs, and what a user typed unseen, are octets FF.
   */
  const uint8_t *command;
  /**
   * Number of octets at command.
   */
  size_t command_len;
  /**
   * The response APDU with its status word.
   */
  const uint8_t *response;
  /**
   * Number of octets at response.
   */
  size_t response_len;
} dmsc_apdu;

/**
 * Sees the exchanges with the cards. Copied; `exchange` must be there.
 *
 * Thread: the driving thread, one call at a time. Re-entry: as in a callback of a card transport.
 */
typedef struct dmsc_apdu_trace {
  /**
   * sizeof(dmsc_apdu_trace); set by the caller.
   */
  size_t struct_size;
  /**
   * Handed to each callback.
   */
  void *user_data;
  /**
   * An exchange is over. One that failed has no response and is not shown.
   */
  void (*exchange)(void *user_data, const struct dmsc_apdu *apdu);
  /**
   * Called exactly once, after the last other callback; not called if the struct was refused.
   */
  void (*destroy)(void *user_data);
} dmsc_apdu_trace;

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
  /**
   * A dmsc_origin number: who brought the node.
   */
  uint32_t origin;
  /**
   * DMSC_ORIGIN_CARD: the card's slot; else 0.
   */
  uint32_t origin_slot;
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
 * Opens the card behind a modem's AT commands (3GPP TS 27.007): +CCHO, +CGLA and +CCHC where the modem
 * has them, else +CSIM, else +CRSM.
 *
 * The modem's own toolkit keeps running, so that @ref dmsc_card_toolkit_start has no place here; feed
 * @ref dmsc_card_proactive_command instead where the modem hands commands out. Switches the echo off and
 * numbered errors on (ATE0V1, AT+CMEE=1), and asks the modem only for the commands that are needed.
 * @pre `port->struct_size` is set.
 * @param slot as in @ref dmsc_card_open.
 * @param out the card; written on success only; close it with @ref dmsc_card_close.
 * @return as @ref dmsc_card_open; DMSC_ERR_CARD_TRANSMIT also when no modem answers;
 *         DMSC_ERR_NOT_SUPPORTED the modem has none of the commands; DMSC_ERR_CARD_ABSENT no card in it;
 *         DMSC_ERR_CARD_ACCESS_DENIED the modem wants the PIN first; DMSC_ERR_TIMEOUT.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_open_at(struct dmsc_client *client,
                              uint32_t slot,
                              const struct dmsc_at_port *port,
                              struct dmsc_card **out);

/**
 * Lets the host sign the audit journal; NULL: the journal's own key again.
 *
 * @pre `signer` is NULL or `signer->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (a function is missing); DMSC_ERR_REENTRANT; DMSC_ERR_STATE. On
 *         failure destroy is not called.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_set_signer(struct dmsc_client *client,
                                   const struct dmsc_signer *signer);

/**
 * Signs the journal up to its end and gives all its records as JSON Lines (docs/audit.md).
 *
 * @param out written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_BUSY a transaction is open: try again;
 *         DMSC_ERR_AUDIT the signer's signature is wrong; the signer's own negative number;
 *         DMSC_ERR_REENTRANT; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
 * Thread: any.
 */
DMSC_MUST_USE dmsc_status dmsc_audit_export(struct dmsc_client *client, struct dmsc_buffer **out);

/**
 * Drops the records up to number `seq`, for example because an export holds them; a signed record notes
 * where the chain goes on.
 *
 * @return DMSC_OK (also when they are dropped already); DMSC_ERR_INVALID_ARG there is no record `seq`
 *         yet; otherwise as @ref dmsc_audit_export.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_audit_discard(struct dmsc_client *client,
                               uint64_t seq);

/**
 * Bounds the journal to `octets`, which is kept in the store; the oldest records above that are dropped.
 * At first it is 1 MiB; less than 16 KiB counts as 16 KiB.
 *
 * @return as @ref dmsc_audit_export.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_audit_set_limit(struct dmsc_client *client,
                                 uint64_t octets);

/**
 * Where the journal stands.
 *
 * @pre `info->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE
dmsc_status dmsc_audit_info_get(struct dmsc_client *client,
                                struct dmsc_audit_info *info);

/**
 * The public key of whoever signs the journal: the key that @ref dmsc_audit_verify needs.
 *
 * @param key DMSC_AUDIT_KEY_SIZE octets, written on success only.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; the signer's own negative number; DMSC_ERR_REENTRANT;
 *         DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
 * Thread: any.
 */
DMSC_MUST_USE dmsc_status dmsc_audit_key(struct dmsc_client *client, uint8_t *key);

/**
 * The key of the value hashes in record `seq`, to prove which values that record means (docs/audit.md).
 * Whoever has it can find short values of this record by trying; it says nothing about other records.
 *
 * @param key DMSC_AUDIT_HASH_SIZE octets, written on success only.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE
dmsc_status dmsc_audit_reveal(struct dmsc_client *client,
                              uint64_t seq,
                              uint8_t *key);

/**
 * Verifies an export of a journal. Needs no client and no device.
 *
 * @param keys `key_count` public keys one after the other, of DMSC_AUDIT_KEY_SIZE octets each, that may
 *        have signed; with `key_count` 0 any key may, which proves only that nobody else has changed it.
 * @param head a head hash that the export has to hold, DMSC_AUDIT_HASH_SIZE octets; NULL: the export has
 *        to end with a signature, and what was cut off behind one is not noticed.
 * @param info what the export proves; written on success only; may be NULL.
 * @param broken number of the first broken record; written with DMSC_ERR_AUDIT only; may be NULL.
 * @pre `info` is NULL or `info->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_AUDIT the export is broken, the last error's text says where and how;
 *         DMSC_ERR_INVALID_ARG.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_audit_verify(const uint8_t *export_data,
                              size_t export_len,
                              const uint8_t *keys,
                              size_t key_count,
                              const uint8_t *head,
                              struct dmsc_audit_info *info,
                              uint64_t *broken);

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
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, no transmit, only one of open_channel and close_channel,
 *         unknown flags, max_le above 256, no channel 0 without open_channel);
 *         DMSC_ERR_BUSY the slot has an open card; DMSC_ERR_CARD_ABSENT, _REMOVED, _RESET, _TRANSMIT;
 *         DMSC_ERR_CARD_SW, _BAD_DATA; DMSC_ERR_TIMEOUT; DMSC_ERR_REENTRANT; DMSC_ERR_STATE; the callback's
 *         own number.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_open(struct dmsc_client *client,
                           uint32_t slot,
                           const struct dmsc_card_transport *transport,
                           struct dmsc_card **out);

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
 * Ends the exchange that the card is in, if it is in one: the call that waits for it fails with
 * DMSC_ERR_CANCELLED. For a card that hangs; the toolkit and a session try again by their own rules.
 *
 * @return DMSC_OK; DMSC_ERR_NOT_SUPPORTED the transport cannot be interrupted (no `cancel`);
 *         DMSC_ERR_STATE the client is closed; DMSC_ERR_INVALID_ARG.
 * Thread: any; also inside callbacks.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_cancel(const struct dmsc_card *card);

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
 * Reads the bootstrap data of the card, DM message and provisioning documents, and applies what is new
 * (OMA DM Bootstrap 1.2, smart card; OMA Provisioning Smartcard 1.1).
 *
 * All changes are one transaction of the store. The same data of the same card is applied once, however
 * often this is called; data that is gone from the card takes its accounts with it; another card takes
 * away the accounts of the card before in this slot, also when it holds none itself. An account that a
 * server has from elsewhere is not replaced. Each object and each account is told as an event.
 * @param report may be NULL; written on success only; `report->struct_size` must be set.
 * @return DMSC_OK (also when everything was known, or only a part could be used); DMSC_PENDING new data
 *         waits for the user (DMSC_BOOTSTRAP_ASK_FOR_CARD), DMSC_EVENT_BOOTSTRAP_DONE follows; if none of
 *         the objects can be used the reason of the last: DMSC_ERR_BOOTSTRAP_FORMAT,
 *         DMSC_ERR_BOOTSTRAP_REFUSED the server has another account, cards are switched off, or nobody
 *         can be asked, DMSC_ERR_CARD_ACCESS_DENIED it needs a PIN, a DMSC_ERR_NODE_* of the tree; DMSC_ERR_BOOTSTRAP_NONE the card holds none; DMSC_ERR_CARD_BAD_DATA the card cannot be
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
 *         DMSC_ERR_STORAGE_VERSION (written by a newer library); DMSC_ERR_STORAGE_KEY (its key is missing
 *         or another one, or others may read the key's file); DMSC_ERR_URI (a malformed pattern);
 *         DMSC_ERR_TOO_LARGE (too many patterns); a negative number of the host's storage or keys.
 *         On failure no destroy function is called, and a store that was there is as it was.
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
 * Makes a new key and seals the store's secrets with it, all or nothing; then forgets the old key.
 *
 * The old key stays in use when this fails. What was sealed with the old key is also taken from the
 * built-in store's file, as far as the file system lets go of it.
 * @return DMSC_OK; DMSC_ERR_BUSY a transaction is open or a session writes; DMSC_ERR_NOT_SUPPORTED nothing
 *         is kept; DMSC_ERR_STORAGE_*; a negative number of the host's storage or keys; DMSC_ERR_STATE.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_rotate_key(struct dmsc_client *client);

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
 * served alone, and is slowed down to the card's pace; seven more wait for their turn, others are closed.
 * Who has sent something comes before who has not; a connection that is kept open behind an answer makes
 * room for others after half a second. A DM session with the card and the gateway wait for each other. A
 * connection that waits for a card, says nothing, or gets no answer while others wait, is closed after 30 s.
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
 * Keeps an alert for a server, over a restart too, until one has answered it. It goes out with the next
 * message of a session that runs, or with package 1 of the next one; no session is started for it.
 *
 * The outcome comes as DMSC_EVENT_ALERT_DONE. An alert without answer is sent again in the next session, so
 * a server may see one twice.
 * @pre `alert->struct_size` is set.
 * @param number the alert's number, as in the event, never used twice; may be NULL; written on success only.
 * @return DMSC_OK it is kept; DMSC_ERR_INVALID_ARG (NULL, code, format, type); DMSC_ERR_NODE_FORMAT the data
 *         does not have the format; DMSC_ERR_TOO_LARGE its data, or 256 alerts wait already;
 *         DMSC_ERR_BUSY a transaction is open; DMSC_ERR_REENTRANT in a callback of a card or node while a
 *         session writes; DMSC_ERR_UTF8; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
 * Thread: any; also inside callbacks.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_queue_alert(struct dmsc_client *client,
                                    const struct dmsc_generic_alert *alert,
                                    uint64_t *number);

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
 * Gives the subtree at `uri` to the host: the node is made if it is missing, with the interior nodes above
 * it, and everything below it is what the handler says.
 *
 * What servers may do there is said by the ACL: the root's lets them read and add at first; give more with
 * @ref dmsc_txn_set_acl. Binding is for the life of the client; bind again after each start. The node and the properties kept for
 * what is below it stay in the store; as long as they have no handler the node is there without children
 * and takes nothing.
 * @pre `handler->struct_size` is set.
 * @param uri the interior node, for example "./Vendor/Fw"; not the root, nor a place that a standard object
 *        defines.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, no info, changes without begin, commit and rollback, or only
 *         some of write, store and discard, or of open, read, close and get);
 *         DMSC_ERR_NODE_EXISTS the place holds stored nodes, or is at, above or below a bound one;
 *         DMSC_ERR_NODE_NOT_ALLOWED the root or a standard object, or a leaf above; DMSC_ERR_URI;
 *         DMSC_ERR_UTF8; DMSC_ERR_BUSY a transaction is open; DMSC_ERR_REENTRANT in a callback of a card or
 *         node; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*; the number of settle or info.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_tree_bind(struct dmsc_client *client,
                           const char *uri,
                           const struct dmsc_node_handler *handler);

/**
 * Takes the subtree at `uri` back: the node is gone, with all properties kept for what was below it, and
 * the handler is destroyed.
 *
 * @return DMSC_OK; DMSC_ERR_NODE_NOT_FOUND it is not bound; DMSC_ERR_INVALID_ARG; DMSC_ERR_URI;
 *         DMSC_ERR_UTF8; DMSC_ERR_BUSY a transaction is open; DMSC_ERR_REENTRANT in a callback of a card or
 *         node; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_tree_unbind(struct dmsc_client *client,
                             const char *uri);

/**
 * Opens the card in a PC/SC reader, shared with other programs except while a task works on it.
 *
 * The library looks after the reader: removal and insertion are events (DMSC_EVENT_CARD_STATE) at once.
 * One exchange may take 10 s; then, or when it is cancelled (@ref dmsc_card_cancel), it is left: PC/SC
 * cannot end it. A thread of the library waits for its end, until then every other exchange with this
 * card fails with DMSC_ERR_TIMEOUT, and closing the card or the client does not wait.
 * @param slot as in @ref dmsc_card_open.
 * @param reader a part of the reader's name, or with `*` (any octets) or `?` (one character) all of it;
 *        NULL: the first reader with a card.
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
 * Opens the card in a PC/SC reader for this program alone, until it is closed.
 *
 * Parameters, result and thread as of @ref dmsc_card_open_pcsc; DMSC_ERR_BUSY also while another program uses
 * the card.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_open_pcsc_exclusive(struct dmsc_client *client,
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
 * Judges bootstraps, sessions and servers' commands by this policy from now on; sessions that run keep
 * the one they began with.
 *
 * Without this call the built-in policy counts (docs/policy.md has both its text and the form). The user
 * is asked through `on_alert`; @ref dmsc_alert_info says that the policy asks, and the items of the
 * alert say what about.
 * @param text the policy file, UTF-8, not necessarily NUL-terminated; at most 65536 octets.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG the last error's text names line and column; DMSC_ERR_UTF8;
 *         DMSC_ERR_TOO_LARGE; DMSC_ERR_REENTRANT; DMSC_ERR_STATE. The policy before stays then.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_set_policy(struct dmsc_client *client,
                                   const char *text,
                                   size_t text_len);

/**
 * Applies a bootstrap that was pushed (OMA DM Bootstrap 1.2, DM profile and CP profile; OMA Provisioning
 * Bootstrap 1.1), or a document of the device's maker, completely or not at all.
 *
 * A push has to be signed with a secret of the network or of the user. Where that is the user's PIN, or
 * the user's consent is wanted, `on_alert` asks, at most three times for the PIN; a push with wrong
 * secrets is discarded. Nothing is ever answered to the sender. Each account and object is told as
 * DMSC_EVENT_BOOTSTRAP_APPLIED, a failure too. One bootstrap at a time waits for the user.
 * @pre `message->struct_size` is set.
 * @param report may be NULL; written on success only; `report->struct_size` must be set.
 * @return DMSC_OK applied; DMSC_PENDING the user is asked, DMSC_EVENT_BOOTSTRAP_DONE follows;
 *         DMSC_ERR_BOOTSTRAP_FORMAT the document or its envelope cannot be used; DMSC_ERR_BOOTSTRAP_MAC
 *         it is not signed, the network's secret is missing, or the MAC is wrong;
 *         DMSC_ERR_BOOTSTRAP_PIN a PIN is needed and nobody can be asked; DMSC_ERR_BOOTSTRAP_REFUSED
 *         the server has an account that may not be replaced, or nobody can be asked; DMSC_ERR_BUSY a
 *         transaction is open or another bootstrap waits for the user: try again;
 *         DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; a DMSC_ERR_NODE_* of the tree; DMSC_ERR_STORAGE_*;
 *         DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_apply_provisioning(struct dmsc_client *client,
                                           const struct dmsc_provisioning *message,
                                           struct dmsc_bootstrap_report *report);

/**
 * Asks for a session with a server (Alert 1201); it begins when the client is driven.
 *
 * In a client with a store that is kept, one that was interrupted by the end of the process is held again by
 * the next client by itself (event DMSC_EVENT_SESSION_REQUESTED, then the card of its account is waited for);
 * whoever asks for a session with its server gets that one. Closing the client ends it for good.
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
 * Says who carries out what the cards' toolkits ask of the host, for toolkits that start from now on; NULL:
 * nobody.
 *
 * @pre `host` is NULL or `host->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL client, unknown capabilities, capabilities without `request`);
 *         DMSC_ERR_REENTRANT; DMSC_ERR_STATE the client is closed.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_set_toolkit_host(struct dmsc_client *client,
                                         const struct dmsc_toolkit_host *host);

/**
 * The data of TERMINAL PROFILE for a modem that owns the card's toolkit: what the library and the host can do.
 * Makes the host the owner; its modem has to merge these bits into its own and to hand over the proactive
 * commands that the profile announces.
 *
 * @param profile written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK; DMSC_ERR_STATE the library owns the toolkit (@ref dmsc_card_toolkit_start), or the client
 *         is closed; DMSC_ERR_INVALID_ARG; DMSC_ERR_REENTRANT.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_terminal_profile(struct dmsc_card *card,
                                       struct dmsc_buffer **profile);

/**
 * Carries out one proactive command that the host's modem has fetched (`D0 ...`), as the engine of a toolkit
 * that the library does not own. The library sends nothing to the card by itself then: timers, channels and
 * events come to `send` of dmsc_toolkit_host.
 *
 * @param terminal_response the data of the TERMINAL RESPONSE to send; NULL with DMSC_OK while the host is
 *        asked: it comes to `send` then. Written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK; DMSC_ERR_CARD_BAD_DATA nothing that could be answered: send nothing; DMSC_ERR_STATE the
 *         library owns the toolkit, another command is open, or the client is closed; DMSC_ERR_INVALID_ARG;
 *         DMSC_ERR_REENTRANT.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_proactive_command(struct dmsc_card *card,
                                        const uint8_t *command,
                                        size_t len,
                                        struct dmsc_buffer **terminal_response);

/**
 * The card's status word for the ENVELOPE that `send` of dmsc_toolkit_host brought last: 9300 (busy) brings it
 * again later. Without it no other one comes.
 *
 * @return DMSC_OK; DMSC_ERR_STATE the host does not own the toolkit; DMSC_ERR_INVALID_ARG; DMSC_ERR_REENTRANT.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_envelope_answered(struct dmsc_card *card,
                                        uint32_t sw);

/**
 * Tells the card's toolkit what happened. The card hears of it if it wants to.
 *
 * @param event a dmsc_toolkit_event number.
 * @param value as the event says, else 0.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE the toolkit was not started; DMSC_ERR_REENTRANT.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_toolkit_event(struct dmsc_card *card,
                                    uint32_t event,
                                    uint32_t value);

/**
 * Replaces what the card may ask about the terminal. Changes of location, language and access technology are
 * events that the card hears of if it wants to. What was unknown when the toolkit started stays unannounced.
 *
 * @pre `info->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, or a member that is not what it should be); DMSC_ERR_UTF8;
 *         DMSC_ERR_STATE the toolkit was not started; DMSC_ERR_REENTRANT.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_card_set_local_info(struct dmsc_card *card,
                                     const struct dmsc_local_info *info);

/**
 * What the card wants.
 *
 * @pre `info->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG.
 * Thread: any, one at a time.
 */
DMSC_MUST_USE
dmsc_status dmsc_toolkit_request_info_get(const struct dmsc_toolkit_request *request,
                                          struct dmsc_toolkit_request_info *info);

/**
 * Text of item `index`, counted from 0, and its identifier in `item` (may be NULL); NULL if there is none.
 * Valid until the request is answered.
 *
 * Thread: any, one at a time.
 */
const char *dmsc_toolkit_item(const struct dmsc_toolkit_request *request,
                              uint32_t index,
                              uint32_t *item);

/**
 * Hands over the answer to the card and frees the request, also on failure.
 *
 * @pre `reply->struct_size` is set.
 * @return DMSC_OK (also when the card no longer waits for it); DMSC_ERR_INVALID_ARG for NULL, an unknown
 *         outcome, or an answer that does not fit the command (no or too long an input, not an item), and
 *         DMSC_ERR_UTF8: the card is told that the terminal is busy then; DMSC_ERR_STATE the client is
 *         closed.
 * Thread: any; also inside callbacks.
 */
DMSC_MUST_USE
dmsc_status dmsc_toolkit_answer(struct dmsc_toolkit_request *request,
                                const struct dmsc_toolkit_reply *reply);

/**
 * Shows every exchange with every card of the client to `trace`, from now on and in place of what looked
 * on before; NULL ends it.
 *
 * What a card holds is shown as it is, credentials in bootstrap data and identities included; only PINs are
 * not. For tests and tools.
 * @pre `trace` is NULL or `trace->struct_size` is set.
 * @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL client, no `exchange`); DMSC_ERR_REENTRANT;
 *         DMSC_ERR_STATE the client is closed.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_trace(struct dmsc_client *client,
                              const struct dmsc_apdu_trace *trace);

/**
 * Writes every exchange with every card of the client to a capture file (pcap, GSMTAP), from now on and in
 * place of what looked on before; NULL ends it. Wireshark shows commands, files and toolkit in it.
 *
 * The file is made anew. It holds what @ref dmsc_client_trace shows; keep it as secret as the card. When it
 * cannot be written any more that is logged, and nothing else changes.
 * @return DMSC_OK; DMSC_ERR_IO the file cannot be made; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8;
 *         DMSC_ERR_REENTRANT; DMSC_ERR_STATE the client is closed.
 * Thread: any.
 */
DMSC_MUST_USE
dmsc_status dmsc_client_trace_pcap(struct dmsc_client *client,
                                   const char *path);

/**
 * The value of leaf `uri`, for example "./DevInfo/DevId".
 *
 * Passwords and nonces of accounts are not given (DMSC_ERR_NODE_NOT_ALLOWED); passwords of access points and
 * proxies are, since the host connects with them.
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
 * @param format a dmsc_export_format number, perhaps with DMSC_EXPORT_INHERITED.
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
 * The access control list of node `uri`, for example "Get=*&Replace=com.example"; "" if it has none of its
 * own.
 *
 * @param effective 0: the node's own list; else the one that counts for it, from a node above if need be.
 * @param acl text without NUL; written on success only; free it with @ref dmsc_buffer_free.
 * @return DMSC_OK; DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_NODE_NOT_ALLOWED below ./Inbox;
 *         DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE
dmsc_status dmsc_tree_acl_get(struct dmsc_client *client,
                              const char *uri,
                              uint32_t effective,
                              struct dmsc_buffer **acl);

/**
 * Registers a device description document (DDF, XML or WBXML; OMA DM Tree and Description 1.2.1, 9) for the
 * nodes below `uri`, in place of the one registered before for the same `uri`.
 *
 * The document's top nodes stand at `uri`, below their own Path: with "." that is the Path alone. A node
 * without name describes nodes of any name. From now on servers are held to it, whether the nodes are
 * stored or kept by a dmsc_node_handler: AccessType, Occurrence, Scope, DFFormat, DFType, DefaultValue and
 * CaseSense (ASCII letters). A DefaultValue that does not have its DFFormat is left out, with a line in the
 * log. Below an interior node that describes nothing below it everything is free;
 * elsewhere a node that is not described cannot be added. The host is bound by formats only. Not kept in the
 * store: register it again after each start, before the client is driven.
 * @param ddf the document; NULL with `len` 0 only removes the one before.
 * @return DMSC_OK; DMSC_ERR_SYNTAX no DDF document; DMSC_ERR_INVALID_ARG a description that contradicts
 *         itself, or NULL; DMSC_ERR_NODE_NOT_ALLOWED a standard object describes the place;
 *         DMSC_ERR_NODE_EXISTS a document registered for another `uri` does; DMSC_ERR_URI; DMSC_ERR_UTF8;
 *         DMSC_ERR_STATE the client is closed.
 * Thread: any; also inside every callback.
 */
DMSC_MUST_USE
dmsc_status dmsc_tree_describe(struct dmsc_client *client,
                               const char *uri,
                               const uint8_t *ddf,
                               size_t len);

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
 *         the server waits already, five within ten minutes were accepted, or a transaction is open: try
 *         again; DMSC_ERR_NOT_SUPPORTED a push that is no notification but a bootstrap: give it to
 *         @ref dmsc_client_apply_provisioning; DMSC_ERR_REENTRANT; DMSC_ERR_STORAGE_*.
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
 * Makes the subtree `uri`, which has to be there, what a TNDS document (XML or WBXML) says: nodes that it
 * does not hold are removed, new ones made, all or nothing.
 *
 * @return DMSC_OK; DMSC_ERR_SYNTAX; DMSC_ERR_NODE_NOT_FOUND and the other errors of @ref dmsc_txn_replace and
 *         @ref dmsc_txn_add. The transaction stays open, without any of the changes.
 * Thread: one at a time.
 */
DMSC_MUST_USE
dmsc_status dmsc_txn_import_replace(struct dmsc_txn *txn,
                                    const char *uri,
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
