//! A card transport whose exchanges are cancelled, or left, when they take too long.

use super::detached::Detached;
use crate::card::transport::{Cancel, CardTransport, PresenceWatch, TransportFlags};
use crate::driver::Watchdog;
use crate::error::{Code, Error, Result};
use std::time::Duration;

/// The same transport, with its limit kept if it has one that somebody else has to keep.
pub(super) fn watched(transport: Box<dyn CardTransport>) -> Result<Box<dyn CardTransport>> {
    Ok(match (transport.timeout(), transport.canceller()) {
        (Some(limit), Some(cancel)) => {
            let dog = Watchdog::start(move || cancel())?;
            Box::new(Watched { transport, dog, limit })
        }
        (Some(limit), None) if transport.may_be_left() => {
            Box::new(Detached::new(transport, limit)?)
        }
        _ => transport,
    })
}

/// An exchange has taken longer than `limit`.
pub(super) fn late(limit: Duration) -> Error {
    Error::new(Code::Timeout, format!("the card did not answer in {} ms", limit.as_millis()))
}

struct Watched {
    transport: Box<dyn CardTransport>,
    dog: Watchdog,
    limit: Duration,
}

impl Watched {
    fn guard<R>(&mut self, work: impl FnOnce(&mut dyn CardTransport) -> Result<R>) -> Result<R> {
        let (done, is_late) = self.dog.guard(self.limit, || work(&mut *self.transport));
        match done {
            Err(error) if is_late && !error.is_card_gone() => {
                Err(late(self.limit).context(error.what().to_owned()))
            }
            done => done,
        }
    }
}

impl CardTransport for Watched {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        self.guard(|transport| transport.transmit(command))
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        self.guard(|transport| transport.atr())
    }

    fn flags(&self) -> TransportFlags {
        self.transport.flags()
    }

    fn max_le(&self) -> u16 {
        self.transport.max_le()
    }

    fn canceller(&self) -> Option<Cancel> {
        self.transport.canceller()
    }

    fn presence(&self) -> Option<Box<dyn PresenceWatch>> {
        self.transport.presence()
    }

    fn card_ready(&mut self) {
        self.transport.card_ready();
    }

    fn open_channel(&mut self, aid: &[u8]) -> Result<u32> {
        self.guard(|transport| transport.open_channel(aid))
    }

    fn close_channel(&mut self, channel: u32) -> Result<()> {
        self.guard(|transport| transport.close_channel(channel))
    }

    fn lock(&mut self) -> Result<()> {
        self.guard(|transport| transport.lock())
    }

    fn unlock(&mut self) {
        self.transport.unlock();
    }
}
