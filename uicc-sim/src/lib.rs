//! uicc-sim: a simulated UICC.

pub mod application;
