//! Why a command failed, as it is told on standard error.

use crate::decode::Fault;
use crate::output::error_text;
use dmsc::error::Error;
use std::fmt;

/// A failure of what was done, or a fault in what was given.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `dmsc: what (DMSC_ERR_...)`
    Error(Error),
    /// `class at byte N: what`
    Fault(Fault),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => write!(f, "dmsc: {}", error_text(error)),
            Self::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
