//! Shows what goes over the contacts of all cards of a client: to the host, or into a capture file.

use super::core::{Clock, Core};
use crate::card::gsmtap;
use crate::card::trace::Trace;
use crate::error::{Code, Error, Result};
use crate::store::private;
use crate::time::Now;
use parking_lot::Mutex;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// One exchange with a card, PINs made unreadable.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The card's slot.
    pub slot: u32,
    /// When the response was there, counted from 1970 (UTC).
    pub time: Duration,
    /// The command APDU.
    pub command: &'a [u8],
    /// The response APDU with its status word.
    pub response: &'a [u8],
}

/// Sees each exchange, on the driving thread and inside it: nothing that needs the card is possible.
pub type TraceSink = Arc<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// A sink that writes a capture file, made anew, which only its owner can read: what cards say is in it.
///
/// Fails with `Io` if the file cannot be made. One that cannot be written later is given up with a word
/// in the log: looking on must not disturb.
pub(super) fn capture(path: &Path) -> Result<TraceSink> {
    let failed = |error: &std::io::Error| {
        Error::new(Code::Io, format!("{}: {error}", path.display()))
            .with_os_error(error.raw_os_error().unwrap_or(0))
    };
    let mut options = private::options();
    let mut file =
        options.create(true).truncate(true).open(path).map_err(|error| failed(&error))?;
    private::restrict(&file).map_err(|error| failed(&error))?;
    file.write_all(&gsmtap::file_header()).map_err(|error| failed(&error))?;
    let file = Mutex::new(Some(file));
    Ok(Arc::new(move |exchange| {
        let mut file = file.lock();
        let packet = gsmtap::packet(exchange.time, exchange.command, exchange.response);
        if let Some(Err(error)) = file.as_mut().map(|file| file.write_all(&packet)) {
            log::warn!("the capture file is given up: {error}");
            *file = None;
        }
    }))
}

/// The trace of the card in `slot` for a sink.
fn trace(slot: u32, (sink, start): (TraceSink, Now), clock: Clock) -> Trace {
    Box::new(move |command, response| {
        let unix_s = u64::try_from(start.unix_s).unwrap_or(0);
        let since = Duration::from_millis(clock().mono_ms.saturating_sub(start.mono_ms));
        let time = Duration::from_secs(unix_s) + since;
        sink(&Exchange { slot, time, command, response });
    })
}

impl Core {
    /// Shows every exchange of every card to `sink` from now on.
    pub(super) fn set_trace(&mut self, sink: Option<TraceSink>) {
        // One beginning for all cards: the system's time is in whole seconds.
        self.trace = sink.map(|sink| (sink, self.now()));
        let numbers: Vec<u32> = self.slots().iter().map(super::slot::Slot::number).collect();
        let traces: Vec<_> = numbers.into_iter().map(|number| self.trace_of(number)).collect();
        for (slot, trace) in self.slots_mut().iter_mut().zip(traces) {
            slot.set_trace(trace);
        }
    }

    /// The trace for the card in slot `number`, if somebody looks on.
    pub(super) fn trace_of(&self, number: u32) -> Option<Trace> {
        self.trace.clone().map(|begun| trace(number, begun, self.clock()))
    }
}
