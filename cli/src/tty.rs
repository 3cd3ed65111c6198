//! A serial device as the byte stream to a modem.

use dmsc::card::at::AtPort;
use dmsc::error::{Code, Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, read, write};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

/// Speed of the line where the device has one; USB modems take any.
const BAUD: u32 = 115_200;
/// A modem takes what is written to it well within this.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// An open serial device in raw mode, which gets its settings back when it is closed.
pub(crate) struct Tty {
    device: OwnedFd,
    before: Termios,
}

impl fmt::Debug for Tty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tty").field("device", &self.device).finish_non_exhaustive()
    }
}

impl Tty {
    /// Opens the device and makes it a plain byte stream.
    ///
    /// Fails with `Connect` if it cannot be opened or is no serial device.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = |error| failed(Code::Connect, &path.display().to_string(), error);
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let device = open(path, flags, Mode::empty()).map_err(failed)?;
        if !isatty(&device) {
            let text = format!("{}: no serial device", path.display());
            return Err(Error::new(Code::Connect, text));
        }
        let before = tcgetattr(&device).map_err(failed)?;
        let mut raw = before.clone();
        raw.make_raw();
        raw.set_speed(BAUD).map_err(failed)?;
        tcsetattr(&device, OptionalActions::Flush, &raw).map_err(failed)?;
        Ok(Self { device, before })
    }

    /// True if `wanted` is possible within `timeout`.
    fn wait(&self, wanted: PollFlags, timeout: Duration) -> Result<bool> {
        let timeout = Timespec::try_from(timeout).ok();
        let mut fds = [PollFd::new(&self.device, wanted)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(failed(Code::Io, "waiting for the modem", error)),
        }
    }
}

fn failed(code: Code, what: &str, error: Errno) -> Error {
    Error::new(code, format!("{what}: {error}")).with_os_error(error.raw_os_error())
}

impl AtPort for Tty {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize> {
        if !self.wait(PollFlags::IN, timeout)? {
            return Ok(0);
        }
        match read(&self.device, &mut *buffer) {
            // Readable without octets: the device is gone.
            Ok(0) => Err(Error::new(Code::CardAbsent, "the modem is gone")),
            Ok(octets) => Ok(octets),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(error) => Err(failed(Code::CardAbsent, "reading from the modem", error)),
        }
    }

    fn write(&mut self, mut octets: &[u8]) -> Result<()> {
        while !octets.is_empty() {
            if !self.wait(PollFlags::OUT, WRITE_TIMEOUT)? {
                return Err(Error::new(Code::Timeout, "the modem takes nothing"));
            }
            match write(&self.device, octets) {
                Ok(count) => octets = octets.get(count..).unwrap_or_default(),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => {
                    return Err(failed(Code::CardAbsent, "writing to the modem", error));
                }
            }
        }
        Ok(())
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        // The device may be gone; then it has no settings either.
        let _ = tcsetattr(&self.device, OptionalActions::Now, &self.before);
    }
}
