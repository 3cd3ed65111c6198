//! uicc-sim: a simulated UICC with everything the DM smart-card enabler needs of a card. It shares
//! no code with the client it tests; both follow the standards, each from its own side.

pub mod application;
pub mod capi;
pub mod card;
pub mod cp;
pub mod dm;
pub mod hex;
pub mod link;
pub mod profile;
