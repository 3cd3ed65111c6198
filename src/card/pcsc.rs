//! A card in a reader of this machine, through PC/SC. Must not know APDUs beyond what the T=0
//! protocol forces on a transport.

use super::apdu::is_case_4;
use super::transport::CardTransport;
use crate::error::{Code, Error, Result};
use crate::limits;
use pcsc::{Context, Disposition, Protocol, Protocols, ReaderState, Scope, ShareMode, State};
use std::ffi::{CStr, CString};
use std::fmt;
use std::time::Duration;

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
    /// None while there is no usable connection; the next exchange makes a new one.
    connection: Option<Connection>,
    /// While locked: the connection to go on with. Disconnecting is what ends the lock, nobody can
    /// connect during it, and a card without any connection would lose its power unnoticed.
    spare: Option<Connection>,
    locked: bool,
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
    /// Connects to the card in the first reader whose name contains `pattern`, one with a card
    /// before one without.
    ///
    /// Fails with `CardAbsent` if no such reader has a card or the PC/SC service does not run, and
    /// with `CardTransmit` if PC/SC does not work.
    pub fn open(pattern: Option<&str>) -> Result<Self> {
        let context = establish()?;
        let mut candidates = readers(&context)?;
        if let Some(pattern) = pattern {
            candidates.retain(|name| name.to_string_lossy().contains(pattern));
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
        let mut transport = Self { context, reader, connection: None, spare: None, locked: false };
        transport.connect()?;
        Ok(transport)
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
            None => connect(&self.context, &self.reader)?,
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

    fn lock(&mut self) -> Result<()> {
        self.connect()?;
        if self.spare.is_none() {
            self.spare = Some(connect(&self.context, &self.reader)?);
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

fn connect(context: &Context, reader: &CStr) -> Result<Connection> {
    let card = context
        .connect(reader, ShareMode::Shared, Protocols::ANY)
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
