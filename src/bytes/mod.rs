//! Octet-level codecs that know nothing of what the octets are for.

pub mod base64;
pub mod bcd;
pub mod ctlv;
pub mod hex;
pub mod pack;
pub mod tlv;
