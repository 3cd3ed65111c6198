//! Octet-level codecs that know nothing of what the octets are for.

pub mod ctlv;
