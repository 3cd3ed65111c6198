//! `dmsc_card`: one open card, through the host's transport or a PC/SC reader.

use super::buffer::{self, dmsc_buffer};
use super::client::dmsc_client;
use super::destroy::UserData;
use super::guard::{guard, guard_value};
use super::handle::{self, CStruct, Handle};
use super::provisioning::{dmsc_bootstrap_report, give_report};
use super::status::dmsc_result;
use super::storage::outcome;
use crate::card::transport::{Cancel, CardTransport, TransportFlags};
use crate::client::{CardId, CardSignal, Client};
use crate::error::{Code, Error, Result};
use crate::limits;
use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Duration;

/// Access to one card, given by the host. Copied when the card is opened; `transmit` must be there.
///
/// A callback returns DMSC_OK or a negative number: DMSC_ERR_CARD_ABSENT, _REMOVED, _RESET and _TRANSMIT
/// have their meaning, any other is passed through. They may block as long as the card does.
/// Thread: the driving thread, one at a time; `cancel` from any thread. Re-entry: nothing that needs the
/// card or the session (DMSC_ERR_REENTRANT); the tree functions are allowed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_card_transport {
    /// sizeof(dmsc_card_transport); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Sends a command APDU and gives the response APDU with its status word in `response`, at most
    /// `response_cap` (258 or more) octets; their number in `response_len`.
    pub transmit: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            command: *const u8,
            command_len: usize,
            response: *mut u8,
            response_cap: usize,
            response_len: *mut usize,
        ) -> i32,
    >,
    /// Selects the application `aid` on a new logical channel and gives its handle. For hosts that own the
    /// channels (AT+CCHO, Android); NULL: libdmsc uses MANAGE CHANNEL. Both of open and close or neither.
    pub open_channel: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            aid: *const u8,
            aid_len: usize,
            channel: *mut u32,
        ) -> i32,
    >,
    /// Closes a channel of `open_channel`.
    pub close_channel: Option<unsafe extern "C" fn(user_data: *mut c_void, channel: u32) -> i32>,
    /// Keeps other users of the card out; may be NULL with `unlock`.
    pub lock: Option<unsafe extern "C" fn(user_data: *mut c_void) -> i32>,
    /// Ends `lock`.
    pub unlock: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Gives the answer to reset, at most `cap` (33) octets; NULL where it is not known.
    pub get_atr: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            atr: *mut u8,
            cap: usize,
            len: *mut usize,
        ) -> i32,
    >,
    /// Called exactly once, after the last other callback; not called if the card was not opened.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Ends the callback that is running, which returns DMSC_ERR_CANCELLED at once; nothing while none runs,
    /// and nothing for the next one. NULL: a card that never answers keeps its caller for ever.
    ///
    /// Called by @ref dmsc_card_cancel, @ref dmsc_card_close and @ref dmsc_client_free, and by the library
    /// itself when a callback takes longer than `timeout_ms`. Thread: any, beside any other callback but
    /// `destroy`.
    pub cancel: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Bits of dmsc_transport_flags: what the transport does itself.
    pub flags: u32,
    /// Most octets of response data that one exchange can bring, 1 to 256; 0: 256.
    pub max_le: u32,
    /// Longest time for one callback, in milliseconds; then `cancel` is called and the call that waits
    /// fails with DMSC_ERR_TIMEOUT. 0: 10000. Without `cancel` it is not used.
    pub timeout_ms: u32,
}

/// What a card transport does itself, so that the library leaves it alone. Bits, to be joined with `|`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_transport_flags {
    /// It fetches the data behind 61XX and 9FXX and repeats a command after 6CXX; all answers are whole.
    DMSC_TRANSPORT_FETCHES_RESPONSES = 1,
    /// It gives no access to channel 0 (Android's Open Mobile API); `open_channel` must be there.
    DMSC_TRANSPORT_NO_BASIC_CHANNEL = 2,
}

/// Longest time for one exchange where the host names none, in milliseconds.
const TIMEOUT_MS: u32 = 10_000;

// SAFETY: pointers, integers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_card_transport {
    const NAME: &'static str = "dmsc_card_transport";
}

/// What a card is.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_card_info {
    /// sizeof(dmsc_card_info); set by the caller.
    pub struct_size: usize,
    /// ICCID in digits, NUL-terminated; empty if the card has none.
    pub iccid: [c_char; 24],
    /// Answer to reset.
    pub atr: [u8; 33],
    /// Number of octets of atr.
    pub atr_len: u8,
    /// 1 for a UICC, 0 for a SIM of GSM 11.11.
    pub is_uicc: u8,
    /// 1 if the card listens for its web server (after @ref dmsc_card_toolkit_start).
    pub has_scws: u8,
    /// 1 if the last @ref dmsc_card_bootstrap found DM bootstrap data.
    pub has_dm_bootstrap: u8,
}

// SAFETY: integers only.
unsafe impl CStruct for dmsc_card_info {
    const NAME: &'static str = "dmsc_card_info";
}

/// What the host tells about a card with @ref dmsc_card_notify.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_card_event {
    /// The card was taken out: its session is aborted, nothing more is sent to it.
    DMSC_CARD_REMOVED = 1,
    /// The card was reset: its session, its channels and its toolkit are ended; start the toolkit again.
    /// Also makes a card usable again that was reported gone (DMSC_EVENT_CARD_STATE).
    DMSC_CARD_RESET = 2,
    /// The card has something to say (the host saw a status word 91XX): look at once.
    DMSC_CARD_PROACTIVE = 3,
    /// The card's files have changed, or may have (a modem carried a REFRESH out, the issuer has written to
    /// the card while the phone was off): the next bootstrap reads everything, also on a card that is known.
    DMSC_CARD_FILES_CHANGED = 4,
}

/// One open card session. Any thread may use it at the same time.
#[derive(Debug)]
pub struct dmsc_card {
    client: Client,
    id: CardId,
}

impl Handle for dmsc_card {
    const NAME: &'static str = "card";
}

impl dmsc_card {
    /// Runs `body` on the card of a handle.
    ///
    /// # Safety
    /// As for [`handle::get`].
    pub(super) unsafe fn guard(
        card: *const Self,
        body: impl FnOnce(&Client, CardId) -> Result<i32>,
    ) -> i32 {
        guard(|| {
            // SAFETY: the caller's promise.
            let card = unsafe { handle::get(card) }?;
            card.client.poison_on_panic(|client| body(client, card.id))
        })
    }
}

struct HostCard {
    c: dmsc_card_transport,
    /// Shared with whoever is about to cancel.
    user: Arc<UserData>,
}

// SAFETY: the contract of dmsc_card_transport: the driving thread, whichever it is, one at a time.
unsafe impl Send for HostCard {}

impl CardTransport for HostCard {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let Some(transmit) = self.c.transmit else {
            return Err(Error::new(Code::InvalidArg, "dmsc_card_transport.transmit is NULL"));
        };
        let mut response = vec![0; limits::RESPONSE_OCTETS];
        let mut len = 0;
        // SAFETY: the host's function with its own pointer; the arrays live until it returns.
        let number = unsafe {
            transmit(
                self.user.pointer(),
                command.as_ptr(),
                command.len(),
                response.as_mut_ptr(),
                response.len(),
                &raw mut len,
            )
        };
        outcome(number, "transmit")?;
        filled(response, len, "transmit")
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        let Some(get_atr) = self.c.get_atr else { return Ok(Vec::new()) };
        let mut atr = vec![0; 33];
        let mut len = 0;
        // SAFETY: the host's function with its own pointer; the array lives until it returns.
        let number =
            unsafe { get_atr(self.user.pointer(), atr.as_mut_ptr(), atr.len(), &raw mut len) };
        outcome(number, "get_atr")?;
        filled(atr, len, "get_atr")
    }

    fn flags(&self) -> TransportFlags {
        use dmsc_transport_flags::*;
        let mut flags = TransportFlags::empty();
        flags.set(TransportFlags::OWNS_CHANNELS, self.c.open_channel.is_some());
        let says = |flag| self.c.flags & flag as u32 != 0;
        let fetches = says(DMSC_TRANSPORT_FETCHES_RESPONSES);
        flags.set(TransportFlags::FETCHES_RESPONSES, fetches);
        flags.set(TransportFlags::NO_BASIC_CHANNEL, says(DMSC_TRANSPORT_NO_BASIC_CHANNEL));
        flags
    }

    fn max_le(&self) -> u16 {
        let octets = u16::try_from(self.c.max_le).ok();
        octets.filter(|octets| (1..=256).contains(octets)).unwrap_or(256)
    }

    fn canceller(&self) -> Option<Cancel> {
        let cancel = self.c.cancel?;
        let user = Arc::downgrade(&self.user);
        Some(Arc::new(move || {
            // Not after destroy: the transport may go at any time.
            if let Some(user) = user.upgrade() {
                // SAFETY: the host's function with its own pointer, from any thread by contract.
                unsafe { cancel(user.pointer()) }
            }
        }))
    }

    fn timeout(&self) -> Option<Duration> {
        let given = self.c.timeout_ms;
        let limit = if given == 0 { TIMEOUT_MS } else { given };
        self.c.cancel.map(|_| Duration::from_millis(limit.into()))
    }

    fn open_channel(&mut self, aid: &[u8]) -> Result<u32> {
        let Some(open_channel) = self.c.open_channel else {
            return Err(Error::new(Code::NotSupported, "no open_channel"));
        };
        let mut channel = 0;
        // SAFETY: the host's function with its own pointer; the AID lives until it returns.
        let number =
            unsafe { open_channel(self.user.pointer(), aid.as_ptr(), aid.len(), &raw mut channel) };
        outcome(number, "open_channel").map(|()| channel)
    }

    fn close_channel(&mut self, channel: u32) -> Result<()> {
        let Some(close_channel) = self.c.close_channel else { return Ok(()) };
        // SAFETY: the host's function with its own pointer.
        outcome(unsafe { close_channel(self.user.pointer(), channel) }, "close_channel")
    }

    fn lock(&mut self) -> Result<()> {
        let Some(lock) = self.c.lock else { return Ok(()) };
        // SAFETY: the host's function with its own pointer.
        outcome(unsafe { lock(self.user.pointer()) }, "lock")
    }

    fn unlock(&mut self) {
        if let Some(unlock) = self.c.unlock {
            // SAFETY: the host's function with its own pointer.
            unsafe { unlock(self.user.pointer()) }
        }
    }
}

/// What a callback wrote into our array.
fn filled(mut array: Vec<u8>, len: usize, what: &str) -> Result<Vec<u8>> {
    if len > array.len() {
        let text = format!("{what}: callback claims {len} octets of {}", array.len());
        return Err(Error::new(Code::BufferTooSmall, text));
    }
    array.truncate(len);
    Ok(array)
}

/// Opens the card behind the host's transport: reads what it is, nothing else.
///
/// @pre `transport->struct_size` is set.
/// @param slot the host's number for this card, used in events; one card per slot.
/// @param out the card; written on success only; close it with @ref dmsc_card_close.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, no transmit, only one of open_channel and close_channel,
///         unknown flags, max_le above 256, no channel 0 without open_channel);
///         DMSC_ERR_BUSY the slot has an open card; DMSC_ERR_CARD_ABSENT, _REMOVED, _RESET, _TRANSMIT;
///         DMSC_ERR_CARD_SW, _BAD_DATA; DMSC_ERR_TIMEOUT; DMSC_ERR_REENTRANT; DMSC_ERR_STATE; the callback's
///         own number.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_open(
    client: *mut dmsc_client,
    slot: u32,
    transport: *const dmsc_card_transport,
    out: *mut *mut dmsc_card,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(out, "out")?;
        // SAFETY: the caller's precondition.
        let c = unsafe { handle::read_struct(transport) }?;
        if c.transmit.is_none() || c.open_channel.is_some() != c.close_channel.is_some() {
            let text = "dmsc_card_transport needs transmit, and both of open_channel and close_channel or none";
            return Err(Error::new(Code::InvalidArg, text));
        }
        check_numbers(&c)?;
        let user = Arc::new(UserData::new(c.user_data, c.destroy));
        let acceptance = user.acceptance();
        let id = client.open_card(slot, Box::new(HostCard { c, user }))?;
        acceptance.accept();
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { give_card(client, id, out) }
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Fails for members that mean nothing.
fn check_numbers(c: &dmsc_card_transport) -> Result<()> {
    use dmsc_transport_flags::*;
    const ALL: u32 =
        DMSC_TRANSPORT_FETCHES_RESPONSES as u32 | DMSC_TRANSPORT_NO_BASIC_CHANNEL as u32;
    let invalid = |text: String| Err(Error::new(Code::InvalidArg, text));
    if c.flags & !ALL != 0 {
        return invalid(format!("dmsc_card_transport.flags {:#X} has unknown bits", c.flags));
    }
    if c.flags & DMSC_TRANSPORT_NO_BASIC_CHANNEL as u32 != 0 && c.open_channel.is_none() {
        return invalid("a card without channel 0 needs open_channel".to_owned());
    }
    if c.max_le > 256 {
        return invalid(format!("dmsc_card_transport.max_le {} is above 256", c.max_le));
    }
    Ok(())
}

/// # Safety
/// `out` is valid for a write.
pub(super) unsafe fn give_card(
    client: &Client,
    id: CardId,
    out: *mut *mut dmsc_card,
) -> Result<i32> {
    let card = handle::give(dmsc_card { client: client.clone(), id });
    // SAFETY: the caller's promise.
    unsafe { handle::put(out, "out", card) }?;
    Ok(0)
}

/// Closes the card and frees its handle; NULL is allowed. A session with this card is aborted.
///
/// Must be the last use of `card`. Takes effect at once, but inside a callback of a card transport when
/// that has returned.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_card_close(card: *mut dmsc_card) {
    guard_value((), || {
        // SAFETY: the caller's precondition.
        if let Some(card) = unsafe { handle::take(card) } {
            card.client.close_card(card.id);
        }
        Ok(())
    });
}

/// What the card is.
///
/// @pre `info->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_REENTRANT; DMSC_ERR_STATE the client is closed.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_info_get(
    card: *const dmsc_card,
    info: *mut dmsc_card_info,
) -> dmsc_result {
    let body = |client: &Client, id| {
        let card = client.card_info(id)?;
        let mut ours = dmsc_card_info {
            struct_size: size_of::<dmsc_card_info>(),
            iccid: [0; 24],
            atr: [0; 33],
            atr_len: 0,
            is_uicc: card.is_uicc.into(),
            has_scws: card.has_scws.into(),
            has_dm_bootstrap: card.has_dm_bootstrap.into(),
        };
        for (to, from) in ours.iccid.iter_mut().take(23).zip(card.iccid.bytes()) {
            *to = from.cast_signed() as c_char;
        }
        for (to, from) in ours.atr.iter_mut().zip(&card.atr) {
            *to = *from;
            ours.atr_len += 1;
        }
        // SAFETY: the caller's precondition.
        unsafe { handle::write_struct(info, &ours) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// Sends one command APDU as it is and gives the response APDU with its status word. For tests and tools.
///
/// @param response written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_CARD_REMOVED, _RESET, _TRANSMIT; DMSC_ERR_REENTRANT;
///         DMSC_ERR_STATE; the callback's own number.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_transmit(
    card: *mut dmsc_card,
    command: *const u8,
    len: usize,
    response: *mut *mut dmsc_buffer,
) -> dmsc_result {
    let body = |client: &Client, id| {
        handle::not_null(response, "response")?;
        // SAFETY: the caller's precondition.
        let command = unsafe { handle::octets(command, len, "command") }?;
        let answer = client.card_transmit(id, command.to_vec())?;
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(response, "response", buffer::give(answer)) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// Ends the exchange that the card is in, if it is in one: the call that waits for it fails with
/// DMSC_ERR_CANCELLED. For a card that hangs; the toolkit and a session try again by their own rules.
///
/// @return DMSC_OK; DMSC_ERR_NOT_SUPPORTED the transport cannot be interrupted (no `cancel`);
///         DMSC_ERR_STATE the client is closed; DMSC_ERR_INVALID_ARG.
/// Thread: any; also inside callbacks.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_cancel(card: *const dmsc_card) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, |client, id| client.cancel_card(id).map(|()| 0)) }
}

/// Tells the library what happened to the card.
///
/// @param card_event a dmsc_card_event number.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE the card or client is closed.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_notify(card: *mut dmsc_card, card_event: u32) -> dmsc_result {
    let body = |client: &Client, id| {
        let signal = match card_event {
            1 => CardSignal::Removed,
            2 => CardSignal::Reset,
            3 => CardSignal::Proactive,
            4 => CardSignal::FilesChanged,
            _ => {
                let text = format!("card_event {card_event} is no dmsc_card_event");
                return Err(Error::new(Code::InvalidArg, text));
            }
        };
        client.notify_card(id, signal)?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// Tells the IP address of a card that has an IP stack of its own, under which its web server is reached
/// instead of through the toolkit's channels.
///
/// @param address "10.64.0.2" or "fe80::1"; NULL: the card has none.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG no address; DMSC_ERR_UTF8; DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_set_address(
    card: *mut dmsc_card,
    address: *const c_char,
) -> dmsc_result {
    let body = |client: &Client, id| {
        // SAFETY: the caller's precondition.
        let text = unsafe { handle::optional_text(address, "address") }?;
        let address = text.map(|text| {
            let wrong = |_| Error::new(Code::InvalidArg, format!("address {text} is none"));
            text.parse().map_err(wrong)
        });
        client.set_card_address(id, address.transpose()?).map(|()| 0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// Makes libdmsc the owner of the card's toolkit: sends TERMINAL PROFILE and serves proactive commands,
/// timers and the card's channels from now on (ETSI TS 102 223).
///
/// Only where no modem owns it. Needed for notifications from the card and for a session with the card
/// through its web server.
/// @return DMSC_OK; DMSC_ERR_STATE it runs already; DMSC_ERR_CARD_SW the card refuses; card errors;
///         DMSC_ERR_REENTRANT.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_toolkit_start(card: *mut dmsc_card) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, |client, id| client.start_toolkit(id).map(|()| 0)) }
}

/// Reads the bootstrap data of the card, DM message and provisioning documents, and applies what is new
/// (OMA DM Bootstrap 1.2, smart card; OMA Provisioning Smartcard 1.1).
///
/// All changes are one transaction of the store. The same data of the same card is applied once, however
/// often this is called; data that is gone from the card takes its accounts with it; another card takes
/// away the accounts of the card before in this slot, also when it holds none itself. An account that a
/// server has from elsewhere is not replaced. Each object and each account is told as an event.
/// @param report may be NULL; written on success only; `report->struct_size` must be set.
/// @return DMSC_OK (also when everything was known, or only a part could be used); DMSC_PENDING new data
///         waits for the user (DMSC_BOOTSTRAP_ASK_FOR_CARD), DMSC_EVENT_BOOTSTRAP_DONE follows; if none of
///         the objects can be used the reason of the last: DMSC_ERR_BOOTSTRAP_FORMAT,
///         DMSC_ERR_BOOTSTRAP_REFUSED the server has another account, cards are switched off, or nobody
///         can be asked, DMSC_ERR_CARD_ACCESS_DENIED it needs a PIN, a DMSC_ERR_NODE_* of the tree; DMSC_ERR_BOOTSTRAP_NONE the card holds none; DMSC_ERR_CARD_BAD_DATA the card cannot be
///         read, or has no ICCID; DMSC_ERR_CARD_REMOVED and other card errors; DMSC_ERR_STORAGE_*;
///         DMSC_ERR_BUSY a transaction is open; DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_bootstrap(
    card: *mut dmsc_card,
    report: *mut dmsc_bootstrap_report,
) -> dmsc_result {
    let body = |client: &Client, id| {
        // SAFETY: the caller's precondition.
        unsafe { give_report(&client.bootstrap_card(id)?, report) }
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}
