//! `dmsc_log_set`: the library's only global state, where log lines go.

use super::callbacks::c_text;
use super::destroy::UserData;
use super::guard::guard;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use crate::error::{Code, Error, Result};
use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::RwLock;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Levels of log lines.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_log_level {
    /// Nothing.
    DMSC_LOG_OFF = 0,
    /// Something failed.
    DMSC_LOG_ERROR = 1,
    /// Something is odd but went on.
    DMSC_LOG_WARN = 2,
    /// Milestones.
    DMSC_LOG_INFO = 3,
    /// Each exchange, without its content.
    DMSC_LOG_DEBUG = 4,
}

/// Where log lines go. Lines hold no password, nonce, key or PIN and no full ICCID or IMSI.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_log_sink {
    /// sizeof(dmsc_log_sink); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// One line; called from any thread, possibly two at once. Must not call the library.
    pub log: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            level: u32,
            target: *const c_char,
            message: *const c_char,
        ),
    >,
    /// Called exactly once, when the sink was replaced and its last line is out; may be NULL.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

// SAFETY: pointers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_log_sink {
    const NAME: &'static str = "dmsc_log_sink";
}

struct Sink {
    c: dmsc_log_sink,
    user: UserData,
}

// SAFETY: the contract of dmsc_log_sink: any thread.
unsafe impl Send for Sink {}
// SAFETY: the contract of dmsc_log_sink: possibly two threads at once.
unsafe impl Sync for Sink {}

struct Forwarder(RwLock<Option<Arc<Sink>>>);

static FORWARDER: Forwarder = Forwarder(RwLock::new(None));

impl Log for Forwarder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // The lock is left before the callback, so that a sink may be replaced meanwhile.
        let Some(sink) = self.0.read().clone() else { return };
        let Some(log) = sink.c.log else { return };
        let level = match record.level() {
            Level::Error => 1,
            Level::Warn => 2,
            Level::Info => 3,
            Level::Debug | Level::Trace => 4,
        };
        let (target, message) = (c_text(record.target()), c_text(&record.args().to_string()));
        // SAFETY: the host's function with its own pointer; the texts live until it returns.
        unsafe { log(sink.user.pointer(), level, target.as_ptr(), message.as_ptr()) }
    }

    fn flush(&self) {}
}

/// Sends log lines up to `max_level` to `sink`, in place of the sink before; NULL sends them nowhere.
///
/// The only process-wide setting of the library. The struct is copied.
/// @pre `sink->struct_size` is set.
/// @param max_level a dmsc_log_level number.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG for an unknown level or a sink without `log`;
///         DMSC_ERR_STATE if the host program has a logger of its own in the same Rust runtime.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_log_set(sink: *const dmsc_log_sink, max_level: u32) -> dmsc_result {
    guard(|| {
        let level = level_filter(max_level)?;
        let sink = if sink.is_null() {
            None
        } else {
            // SAFETY: the caller's precondition.
            let sink = unsafe { handle::read_struct(sink) }?;
            if sink.log.is_none() {
                return Err(Error::new(Code::InvalidArg, "dmsc_log_sink.log is NULL"));
            }
            let user = UserData::new(sink.user_data, sink.destroy);
            Some(Sink { c: sink, user })
        };
        install()?;
        if let Some(sink) = &sink {
            sink.user.acceptance().accept();
        }
        let before = std::mem::replace(&mut *FORWARDER.0.write(), sink.map(Arc::new));
        log::set_max_level(level);
        drop(before);
        Ok(0)
    })
}

fn level_filter(level: u32) -> Result<LevelFilter> {
    match level {
        0 => Ok(LevelFilter::Off),
        1 => Ok(LevelFilter::Error),
        2 => Ok(LevelFilter::Warn),
        3 => Ok(LevelFilter::Info),
        4 => Ok(LevelFilter::Debug),
        _ => Err(Error::new(Code::InvalidArg, format!("max_level {level} is no dmsc_log_level"))),
    }
}

fn install() -> Result<()> {
    static INSTALLED: once_cell::sync::OnceCell<()> = once_cell::sync::OnceCell::new();
    INSTALLED
        .get_or_try_init(|| log::set_logger(&FORWARDER))
        .map(|_| ())
        .map_err(|_| Error::new(Code::State, "the process has another logger"))
}
