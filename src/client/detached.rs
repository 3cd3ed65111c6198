//! A card transport on a thread of its own, so that an exchange that nothing can end is left behind.

use super::watched::late;
use crate::card::transport::{Cancel, CardTransport, TransportFlags};
use crate::driver::{Errands, Unfinished};
use crate::error::{Code, Error, Result};
use std::time::Duration;

/// The transport behind the thread. While an exchange that was left goes on, every other one fails.
pub(super) struct Detached {
    errands: Errands<Box<dyn CardTransport>>,
    limit: Duration,
    flags: TransportFlags,
    max_le: u16,
}

impl Detached {
    /// Fails with `NoMemory` if there is no thread to be had.
    pub(super) fn new(transport: Box<dyn CardTransport>, limit: Duration) -> Result<Self> {
        let (flags, max_le) = (transport.flags(), transport.max_le());
        Ok(Self { errands: Errands::start(transport)?, limit, flags, max_le })
    }

    /// Does `work`; what it has got when nobody waits for it any more goes to `undo`.
    fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn CardTransport) -> Result<R> + Send + 'static,
        undo: impl FnOnce(&mut dyn CardTransport, R) + Send + 'static,
    ) -> Result<R> {
        let undone = |transport: &mut Box<dyn CardTransport>, got: Result<R>| {
            if let Ok(got) = got {
                undo(&mut **transport, got);
            }
        };
        let done = self.errands.run(self.limit, move |transport| work(&mut **transport), undone);
        done.unwrap_or_else(|unfinished| {
            Err(match unfinished {
                Unfinished::Late => late(self.limit),
                Unfinished::Cancelled => Error::new(Code::Cancelled, "the exchange was cancelled"),
                Unfinished::Stuck => {
                    Error::new(Code::Timeout, "the card has not answered the exchange before")
                }
                Unfinished::Ended => Error::new(Code::CardTransmit, "the card's thread has ended"),
            })
        })
    }
}

impl CardTransport for Detached {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let command = command.to_vec();
        self.run(move |transport| transport.transmit(&command), |_, _| ())
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        self.run(|transport| transport.atr(), |_, _| ())
    }

    fn flags(&self) -> TransportFlags {
        self.flags
    }

    fn max_le(&self) -> u16 {
        self.max_le
    }

    fn canceller(&self) -> Option<Cancel> {
        Some(self.errands.canceller())
    }

    fn card_ready(&mut self) {
        self.errands.post(|transport| transport.card_ready());
    }

    fn open_channel(&mut self, aid: &[u8]) -> Result<u32> {
        let aid = aid.to_vec();
        let close = |transport: &mut dyn CardTransport, channel| {
            // Nobody is left who could be told.
            let _ = transport.close_channel(channel);
        };
        self.run(move |transport| transport.open_channel(&aid), close)
    }

    fn close_channel(&mut self, channel: u32) -> Result<()> {
        self.run(move |transport| transport.close_channel(channel), |_, ()| ())
    }

    fn lock(&mut self) -> Result<()> {
        self.run(|transport| transport.lock(), |transport, ()| transport.unlock())
    }

    fn unlock(&mut self) {
        self.errands.post(|transport| transport.unlock());
    }
}
