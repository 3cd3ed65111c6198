//! A card transport whose exchanges are cancelled when they take too long.

use crate::card::transport::{Cancel, CardTransport, PresenceWatch, TransportFlags};
use crate::driver::Watchdog;
use crate::error::{Code, Error, Result};
use std::time::Duration;

/// The same transport, with its limit kept if it has one that somebody else has to keep.
pub(super) fn watched(transport: Box<dyn CardTransport>) -> Result<Box<dyn CardTransport>> {
    let (Some(limit), Some(cancel)) = (transport.timeout(), transport.canceller()) else {
        return Ok(transport);
    };
    let dog = Watchdog::start(move || cancel())?;
    Ok(Box::new(Watched { transport, dog, limit }))
}

struct Watched {
    transport: Box<dyn CardTransport>,
    dog: Watchdog,
    limit: Duration,
}

impl Watched {
    fn guard<R>(&mut self, work: impl FnOnce(&mut dyn CardTransport) -> Result<R>) -> Result<R> {
        let (done, late) = self.dog.guard(self.limit, || work(&mut *self.transport));
        match done {
            Err(error) if late && !error.is_card_gone() => {
                let text = format!("the card did not answer in {} ms", self.limit.as_millis());
                Err(Error::new(Code::Timeout, text).context(error.what().to_owned()))
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
