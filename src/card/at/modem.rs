//! The dialogue with a modem over a byte stream: one command, its lines, its final result code (ITU-T
//! V.250). Survives echo on and off, lines of the modem's own in between, any line ends, answers in any
//! pieces, and answers that come too late. Must not know what a command is for.

use super::reply::Refusal;
use crate::error::{Code, Error, Result};
use crate::limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A byte stream to a modem. Used by one thread at a time.
pub trait AtPort: Send {
    /// Reads what is there; waits at most `timeout` for the first octet. 0: nothing came.
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize>;

    /// Writes all of `octets`.
    fn write(&mut self, octets: &[u8]) -> Result<()>;
}

/// Longest wait for one read, so that a cancel is seen.
const SLICE: Duration = Duration::from_millis(100);
/// A modem that says nothing for so long has said everything.
const QUIET: Duration = Duration::from_millis(200);
/// How long a modem may keep talking before it is taken for something else.
const CHATTER: Duration = Duration::from_secs(3);
/// Time for the answer to a bare AT.
const SHORT: Duration = Duration::from_secs(1);
/// Tries to get the modem's attention.
const TRIES: u32 = 3;

/// Information lines of a command, or the refusal.
pub(super) type Answer = core::result::Result<Vec<String>, Refusal>;

/// The modem on the other end.
pub(super) struct Modem {
    port: Box<dyn AtPort>,
    timeout: Duration,
    /// Octets of a line that has not ended yet.
    line: Vec<u8>,
    /// An answer may still be on its way that belongs to nobody any more.
    stale: bool,
    cancelled: Arc<AtomicBool>,
}

impl Modem {
    pub(super) fn new(port: Box<dyn AtPort>, timeout: Duration) -> Self {
        Self { port, timeout, line: Vec::new(), stale: true, cancelled: Arc::default() }
    }

    /// The switch that ends a running command.
    pub(super) fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Gets the modem's attention, its echo switched off and its refusals numbered.
    pub(super) fn wake(&mut self) -> Result<()> {
        self.cancelled.store(false, Ordering::SeqCst);
        self.recover()?;
        for setting in ["ATE0V1", "AT+CMEE=1"] {
            // A modem may lack either; both only make its answers clearer.
            if let Err(refusal) = self.run(setting, "", self.timeout)? {
                log::debug!("{setting}: the modem answers {refusal}");
            }
        }
        Ok(())
    }

    /// Sends `command` and waits for its final result code. The answer has the lines that begin with
    /// `prefix`, or are a bare number.
    ///
    /// Fails with `Timeout`, `Cancelled`, `CardTransmit` when a modem sends no end of lines, and as the
    /// port fails.
    pub(super) fn command(&mut self, command: &str, prefix: &str) -> Result<Answer> {
        self.cancelled.store(false, Ordering::SeqCst);
        if self.stale {
            self.recover()?;
        }
        self.run(command, prefix, self.timeout)
    }

    fn run(&mut self, command: &str, prefix: &str, timeout: Duration) -> Result<Answer> {
        self.stale = true;
        self.line.clear();
        self.port.write(format!("{command}\r").as_bytes())?;
        let end = Instant::now() + timeout;
        let mut lines = Vec::new();
        let mut octets = 0;
        loop {
            let Some(line) = self.next_line(end)? else {
                let name = command.split_once('=').map_or(command, |(name, _)| name);
                let text = format!("{name}: no answer in {} ms", timeout.as_millis());
                return Err(Error::new(Code::Timeout, text));
            };
            octets += line.len();
            if octets > limits::AT_REPLY {
                return Err(Error::new(Code::CardTransmit, "the modem does not stop talking"));
            }
            if line == "OK" {
                self.stale = false;
                return Ok(Ok(lines));
            }
            if let Some(refusal) = Refusal::read(&line) {
                self.stale = false;
                return Ok(Err(refusal));
            }
            let is_number = line.bytes().all(|octet| octet.is_ascii_digit());
            if is_number || (!prefix.is_empty() && line.starts_with(prefix)) {
                lines.push(line);
            }
            // Else the echo, or something that the modem says by itself.
        }
    }

    /// The next line that is not empty; `None` at `end`.
    fn next_line(&mut self, end: Instant) -> Result<Option<String>> {
        let mut buffer = [0; 256];
        loop {
            while let Some(at) = self.line.iter().position(|octet| matches!(octet, b'\r' | b'\n')) {
                let line: Vec<u8> = self.line.drain(..=at).collect();
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                if !text.is_empty() {
                    return Ok(Some(text));
                }
            }
            if self.line.len() > limits::AT_REPLY {
                return Err(Error::new(Code::CardTransmit, "the modem sends a line without end"));
            }
            if self.cancelled.load(Ordering::SeqCst) {
                return Err(Error::new(Code::Cancelled, "the command was cancelled"));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let octets = self.read(&mut buffer, left.min(SLICE))?;
            self.line.extend_from_slice(buffer.get(..octets).unwrap_or_default());
        }
    }

    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize> {
        let octets = self.port.read(buffer, timeout)?;
        if octets > buffer.len() {
            let text = format!("the port claims {octets} octets of {}", buffer.len());
            return Err(Error::new(Code::BufferTooSmall, text));
        }
        Ok(octets)
    }

    /// Waits until the modem is silent and then answers a bare AT, so that what was asked before is
    /// over and done with.
    fn recover(&mut self) -> Result<()> {
        for _ in 0..TRIES {
            self.drain()?;
            match self.run("AT", "", SHORT) {
                Ok(_) => {
                    // It may have been the end of the command before.
                    self.drain()?;
                    self.stale = false;
                    return Ok(());
                }
                Err(error) if error.code() == Code::Timeout => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(Code::CardTransmit, "no modem answers"))
    }

    fn drain(&mut self) -> Result<()> {
        let end = Instant::now() + CHATTER;
        let mut buffer = [0; 256];
        while Instant::now() < end {
            if self.cancelled.load(Ordering::SeqCst) {
                return Err(Error::new(Code::Cancelled, "the command was cancelled"));
            }
            if self.read(&mut buffer, QUIET)? == 0 {
                self.line.clear();
                return Ok(());
            }
        }
        Err(Error::new(Code::CardTransmit, "the modem does not stop talking"))
    }
}
