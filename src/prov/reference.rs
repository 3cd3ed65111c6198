//! References between characteristics: TO-PROXY and TO-NAPID (OMA ProvCont 1.1, 4.6).
//!
//! Must not know what uses the connection.

use super::Characteristic;
use super::value::NAME;
use crate::markup::Fault;

/// What a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A proxy: PROXY-ID of PXLOGICAL.
    Proxy,
    /// An access point: NAPID of NAPDEF.
    AccessPoint,
    /// Any access point to the Internet: TO-NAPID with the value `INTERNET`.
    Internet,
}

/// A reference. Several in one place are in the order of their priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'d> {
    /// What is named.
    pub target: Target,
    /// The identifier; `INTERNET` for [`Target::Internet`].
    pub id: &'d str,
    /// Octet of the document where the parm begins.
    pub at: usize,
}

/// All TO-PROXY of `characteristic`.
pub(super) fn to_proxy<'d>(
    characteristic: &'d Characteristic<'d>,
) -> Result<Vec<Reference<'d>>, Fault> {
    references(characteristic, "TO-PROXY", |_| Target::Proxy)
}

/// All TO-NAPID of `characteristic`.
pub(super) fn to_nap<'d>(
    characteristic: &'d Characteristic<'d>,
) -> Result<Vec<Reference<'d>>, Fault> {
    references(characteristic, "TO-NAPID", |id| match id {
        "INTERNET" => Target::Internet,
        _ => Target::AccessPoint,
    })
}

fn references<'d>(
    characteristic: &'d Characteristic<'d>,
    name: &'static str,
    target: fn(&str) -> Target,
) -> Result<Vec<Reference<'d>>, Fault> {
    let ids = characteristic.texts(name, NAME)?;
    let places = characteristic.parms_of(name).filter(|parm| parm.filled().is_some());
    let pairs = ids.into_iter().zip(places);
    Ok(pairs.map(|(id, parm)| Reference { target: target(id), id, at: parm.at }).collect())
}
