//! uicc-sim: a simulated UICC.

pub mod application;
pub mod dm;
pub mod profile;
