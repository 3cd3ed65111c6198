//! A card in a reader of this machine, through PC/SC. Must not know APDUs beyond what the T=0
//! protocol forces on a transport.

use super::apdu::is_case_4;
use super::transport::{Cancel, CardTransport, Presence, PresenceWatch};
use crate::error::{Code, Error, Result};
use crate::limits;
use pcsc::{Context, Disposition, Protocol, Protocols, ReaderState, Scope, ShareMode, State};
use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Longest time for one exchange, where nobody says something else.
const EXCHANGE: Duration = Duration::from_secs(10);
/// How long a reader may take to notice that a card whose exchange failed is not there any more.
const REMOVAL_NOTICE: Duration = Duration::from_millis(600);
/// Reader events that are looked at in that time.
const REMOVAL_EVENTS: usize = 4;

/// The names of the readers, with and without card.
pub fn list_readers() -> Result<Vec<String>> {
    let context = establish()?;
    Ok(readers(&context)?.iter().map(|name| name.to_string_lossy().into_owned()).collect())
}

/// The card in one reader, shared with other programs except while it is locked.
///
/// Never resets the card: the telephony side of a test bench, or another program, may be using it.
pub struct PcscTransport {
    context: Context,
    reader: CString,
    sharing: Sharing,
    /// None while there is no usable connection; the next exchange makes a new one.
    connection: Option<Connection>,
    /// While locked: the connection to go on with. Disconnecting is what ends the lock, nobody can
    /// connect during it, and a card without any connection would lose its power unnoticed.
    spare: Option<Connection>,
    locked: bool,
    timeout: Duration,
}

struct Connection {
    card: pcsc::Card,
    protocol: Option<Protocol>,
    atr: Vec<u8>,
}

impl fmt::Debug for PcscTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcscTransport")
            .field("reader", &self.reader)
            .field("connected", &self.connection.is_some())
            .field("locked", &self.locked)
            .finish()
    }
}

impl PcscTransport {
    /// Connects to the card in the first reader with a card whose name fits `pattern`: contains it, or,
    /// where it has a `*` or `?`, is what it says as a whole (any octets, any one character). Others may
    /// use the card as well.
    ///
    /// Fails with `CardAbsent` if no such reader has a card or the PC/SC service does not run, with `Busy`
    /// if somebody else has the card alone, and with `CardTransmit` if PC/SC does not work.
    pub fn open(pattern: Option<&str>) -> Result<Self> {
        Self::open_as(pattern, Sharing::Shared)
    }

    /// As [`open`](Self::open); exclusive: fails with `Busy` if anybody else uses the card, and nobody
    /// can while this lives.
    pub fn open_as(pattern: Option<&str>, sharing: Sharing) -> Result<Self> {
        let context = establish()?;
        let mut candidates = readers(&context)?;
        if let Some(pattern) = pattern {
            candidates.retain(|name| fits(&name.to_string_lossy(), pattern));
        }
        let mut with_card = None;
        for name in candidates {
            if is_present(&context, &name)? {
                with_card = Some(name);
                break;
            }
        }
        let reader = with_card
            .ok_or_else(|| Error::new(Code::CardAbsent, "no matching reader with a card"))?;
        let (connection, spare, timeout) = (None, None, EXCHANGE);
        let mut transport =
            Self { context, reader, sharing, connection, spare, locked: false, timeout };
        transport.connect()?;
        Ok(transport)
    }

    /// The same, and one exchange may take so long; 10 s unless this says something else.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The reader's name.
    pub fn reader(&self) -> String {
        self.reader.to_string_lossy().into_owned()
    }

    /// True if a card is in the reader now.
    pub fn is_card_present(&self) -> Result<bool> {
        is_present(&self.context, &self.reader)
    }

    /// The connection; made anew after the card was gone.
    fn connect(&mut self) -> Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.context, &self.reader, self.sharing)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// The library's error for a failed call; a connection that is of no more use is given up.
    fn failed(&mut self, error: pcsc::Error, what: &str) -> Error {
        let mut failure = failure(error, what);
        let maybe_removed = matches!(error, pcsc::Error::NotTransacted | pcsc::Error::CommError);
        if maybe_removed && self.is_card_removed() {
            failure = failure.with_code(Code::CardRemoved);
        }
        if failure.is_card_gone() {
            self.disconnect();
            self.locked = false;
        }
        failure
    }

    fn disconnect(&mut self) {
        for connection in [self.connection.take(), self.spare.take()].into_iter().flatten() {
            connection.leave();
        }
    }

    /// Waits until the reader notices that the card is gone, or long enough to know that it is not.
    fn is_card_removed(&self) -> bool {
        let mut states = [ReaderState::new(self.reader.clone(), State::UNAWARE)];
        for _ in 0..REMOVAL_EVENTS {
            if self.context.get_status_change(REMOVAL_NOTICE, &mut states).is_err() {
                return false;
            }
            for state in &mut states {
                if !state.event_state().contains(State::PRESENT) {
                    return true;
                }
                state.sync_current_state();
            }
        }
        false
    }
}

/// Whether others may use the card at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Yes, except while it is locked.
    Shared,
    /// No.
    Exclusive,
}

/// True if a reader's name fits a pattern: see [`PcscTransport::open`].
fn fits(name: &str, pattern: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return name.contains(pattern);
    }
    // `reach[at]`: the pattern so far can end behind `at` characters of the name.
    let name: Vec<char> = name.chars().collect();
    let mut reach = vec![false; name.len() + 1];
    reach[0] = true;
    for wanted in pattern.chars() {
        if wanted == '*' {
            let first = reach.iter().position(|reached| *reached).unwrap_or(reach.len());
            reach.iter_mut().skip(first).for_each(|reached| *reached = true);
            continue;
        }
        let step = |at: usize| reach[at] && (wanted == '?' || name[at] == wanted);
        let next: Vec<bool> = (0..name.len()).map(step).collect();
        reach[0] = false;
        reach[1..].copy_from_slice(&next);
    }
    reach.last() == Some(&true)
}

/// Looks at one reader through a context of its own.
struct ReaderWatch {
    context: Context,
    state: [ReaderState; 1],
    /// A card is in, and the reader's count of changes; `None` before the first look.
    seen: Option<(bool, u32)>,
}

/// Longest wait for a change; an interrupt that comes before the wait is not seen by it.
const WATCH: Duration = Duration::from_millis(500);

impl PresenceWatch for ReaderWatch {
    fn wait(&mut self) -> Result<Vec<Presence>> {
        match self.context.get_status_change(WATCH, &mut self.state) {
            Ok(()) => {}
            Err(pcsc::Error::Timeout | pcsc::Error::Cancelled) => return Ok(Vec::new()),
            Err(error) => return Err(failure(error, "watching the reader")),
        }
        let [state] = &mut self.state;
        let now = (state.event_state().contains(State::PRESENT), state.event_count());
        let gone = state.event_state().intersects(State::UNKNOWN | State::UNAVAILABLE);
        state.sync_current_state();
        let before = self.seen.replace(now);
        Ok(match before {
            None => Vec::new(),
            // A reader that is gone takes its card with it, and is not looked at again.
            Some((true, _)) if !now.0 => vec![Presence::Removed],
            Some(_) if gone => return Err(Error::new(Code::CardAbsent, "the reader is gone")),
            Some((false, _)) if now.0 => vec![Presence::Inserted],
            // Out and in between two looks.
            Some((true, count)) if count != now.1 => vec![Presence::Removed, Presence::Inserted],
            Some(_) => Vec::new(),
        })
    }

    fn interrupt(&self) -> Cancel {
        let context = self.context.clone();
        Arc::new(move || {
            // A context that is gone waits for nothing.
            let _ = context.cancel();
        })
    }
}

impl CardTransport for PcscTransport {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let connection = self.connect()?;
        // T=0 has no case 4: the card announces its data with 61XX.
        let command = match command.split_last() {
            Some((_, short)) if connection.protocol == Some(Protocol::T0) && is_case_4(command) => {
                short
            }
            _ => command,
        };
        let mut buffer = vec![0; limits::RESPONSE_OCTETS + 2];
        match connection.card.transmit(command, &mut buffer) {
            // What some drivers make of a card that went away before it answered.
            Ok([]) => Err(self.failed(pcsc::Error::NotTransacted, "transmit")),
            Ok(answer) => Ok(answer.to_vec()),
            Err(error) => Err(self.failed(error, "transmit")),
        }
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.connect()?.atr.clone())
    }

    fn card_ready(&mut self) {
        self.disconnect();
        self.locked = false;
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.timeout)
    }

    /// PC/SC cannot end an exchange: SCardCancel is for those who wait for a change only.
    fn may_be_left(&self) -> bool {
        true
    }

    fn presence(&self) -> Option<Box<dyn PresenceWatch>> {
        let context = establish().ok()?;
        let state = [ReaderState::new(self.reader.clone(), State::UNAWARE)];
        Some(Box::new(ReaderWatch { context, state, seen: None }))
    }

    fn lock(&mut self) -> Result<()> {
        self.connect()?;
        if self.sharing == Sharing::Exclusive {
            // Nobody else can be kept out who is not already.
            return Ok(());
        }
        if self.spare.is_none() {
            self.spare = Some(connect(&self.context, &self.reader, self.sharing)?);
        }
        // The guard would borrow the connection; `unlock` ends the transaction instead.
        let begun = self.connect()?.card.transaction().map(std::mem::forget);
        match begun {
            Ok(()) => {
                self.locked = true;
                Ok(())
            }
            Err(error) => Err(self.failed(error, "begin transaction")),
        }
    }

    fn unlock(&mut self) {
        if !std::mem::take(&mut self.locked) {
            return;
        }
        if let Some(locked) = std::mem::replace(&mut self.connection, self.spare.take()) {
            locked.leave();
        }
    }
}

impl Drop for PcscTransport {
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl Connection {
    /// Disconnects and leaves the card as it is, where dropping would reset it.
    fn leave(self) {
        if let Err((card, error)) = self.card.disconnect(Disposition::LeaveCard) {
            log::debug!("disconnecting from the card: {error}");
            drop(card);
        }
    }
}

fn establish() -> Result<Context> {
    Context::establish(Scope::User).map_err(|error| failure(error, "connect to PC/SC"))
}

fn readers(context: &Context) -> Result<Vec<CString>> {
    match context.list_readers_owned() {
        Ok(names) => Ok(names),
        Err(pcsc::Error::NoReadersAvailable) => Ok(Vec::new()),
        Err(error) => Err(failure(error, "list readers")),
    }
}

fn is_present(context: &Context, reader: &CStr) -> Result<bool> {
    let mut states = [ReaderState::new(reader, State::UNAWARE)];
    context
        .get_status_change(Duration::ZERO, &mut states)
        .map_err(|error| failure(error, "reader state"))?;
    Ok(states.iter().all(|state| state.event_state().contains(State::PRESENT)))
}

fn connect(context: &Context, reader: &CStr, sharing: Sharing) -> Result<Connection> {
    let mode = match sharing {
        Sharing::Shared => ShareMode::Shared,
        Sharing::Exclusive => ShareMode::Exclusive,
    };
    let card = context
        .connect(reader, mode, Protocols::ANY)
        .map_err(|error| failure(error, "connect to the card"))?;
    match card.status2_owned() {
        Ok(status) => {
            Ok(Connection { protocol: status.protocol2(), atr: status.atr().to_vec(), card })
        }
        Err(error) => {
            Connection { card, protocol: None, atr: Vec::new() }.leave();
            Err(failure(error, "card status"))
        }
    }
}

fn failure(error: pcsc::Error, what: &str) -> Error {
    use pcsc::Error as E;
    let code = match error {
        E::NoSmartcard | E::NoReadersAvailable | E::UnknownReader | E::ReaderUnavailable => {
            Code::CardAbsent
        }
        // Without the service there is no reader either.
        E::NoService | E::ServiceStopped => Code::CardAbsent,
        E::RemovedCard => Code::CardRemoved,
        E::ResetCard | E::UnpoweredCard => Code::CardReset,
        E::SharingViolation => Code::Busy,
        E::Timeout => Code::Timeout,
        E::Cancelled => Code::Cancelled,
        _ => Code::CardTransmit,
    };
    let mut failure = Error::new(code, format!("PC/SC, {what}: {error}"));
    failure.os_error = error as u32 as i32;
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_by_part_and_by_pattern() {
        let name = "Virtual PCD 00 01";
        for pattern in ["PCD", "", "Virtual*", "*01", "*PCD*", "Virtual PCD ?? 01", "*", "V*D*1"] {
            assert!(fits(name, pattern), "{pattern}");
        }
        for pattern in ["pcd", "Virtual?", "*00", "?", "*PCD", "V*X*1", "Virtual PCD 00 01?"] {
            assert!(!fits(name, pattern), "{pattern}");
        }
    }

    #[test]
    fn removal_and_reset_are_told_apart() {
        let code = |error| failure(error, "transmit").code();
        assert_eq!(code(pcsc::Error::RemovedCard), Code::CardRemoved);
        assert_eq!(code(pcsc::Error::ResetCard), Code::CardReset);
        assert_eq!(code(pcsc::Error::NoSmartcard), Code::CardAbsent);
        assert_eq!(code(pcsc::Error::NoService), Code::CardAbsent);
        assert_eq!(code(pcsc::Error::NotTransacted), Code::CardTransmit);
        assert_eq!(failure(pcsc::Error::RemovedCard, "x").os_error as u32, 0x8010_0069);
    }
}
