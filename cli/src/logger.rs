//! `-v`: the library's log lines on standard error.

use crate::output::printable;
use log::{LevelFilter, Log, Metadata, Record};

struct Stderr;

static STDERR: Stderr = Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("dmsc")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = printable(&record.args().to_string());
            eprintln!("{:5} {}: {text}", record.level(), record.target());
        }
    }

    fn flush(&self) {}
}

/// Shows as much as the number of `-v` asks for; without any, nothing.
pub(crate) fn install(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    // Nobody else sets a logger in this program.
    if log::set_logger(&STDERR).is_ok() {
        log::set_max_level(level);
    }
}
