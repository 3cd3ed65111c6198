//! Octet-level codecs that know nothing of what the octets are for.

pub mod base64;
pub mod bcd;
pub mod hex;
pub mod tlv;
pub mod ctlv;
