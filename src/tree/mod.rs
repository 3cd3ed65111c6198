//! The management tree: nodes, properties, ACL and standard objects, on a store transaction.

pub mod tnds;
