//! APPLICATION of device management, `w7` (OMA AC w7; OMA DM Bootstrap 1.2, 5.4.2).
//!
//! Owns what an account can be made of. Must not know DMAcc.

use super::Characteristic;
use super::connectivity::{Port, ports};
use super::reference::{self, Reference};
use super::value::{ADDRESS, NAME, unusable};
use crate::markup::Fault;
use crate::secret::Secret;

/// APPID of device management.
const DEVICE_MANAGEMENT: &str = "w7";

/// APPLICATION with APPID `w7`: a DM account.
#[derive(Clone, Debug)]
pub struct DmApplication<'d> {
    /// PROVIDER-ID: the server's identifier, who also owns what comes with the account.
    pub provider_id: &'d str,
    /// NAME.
    pub name: Option<&'d str>,
    /// TO-PROXY in order of priority.
    pub to_proxy: Vec<Reference<'d>>,
    /// TO-NAPID in order of priority.
    pub to_nap: Vec<Reference<'d>>,
    /// APPADDR in order of preference, an ADDR right in APPLICATION first; at least one.
    pub addresses: Vec<AppAddr<'d>>,
    /// APPAUTH in order of preference.
    pub auth: Vec<AppAuth<'d>>,
    /// INIT: a session is wanted right after provisioning.
    pub init: bool,
    /// Octet of the document where it begins.
    pub at: usize,
}

/// APPADDR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppAddr<'d> {
    /// ADDR.
    pub addr: &'d str,
    /// ADDRTYPE.
    pub addr_type: AddrType,
    /// PORT.
    pub ports: Vec<Port<'d>>,
}

/// ADDRTYPE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddrType {
    /// None is given.
    #[default]
    Uri,
    /// `IPV4`
    Ipv4,
    /// `IPV6`
    Ipv6,
    /// `E164`: a telephone number.
    E164,
    /// `ALPHA`
    Alpha,
}

/// APPAUTH.
#[derive(Clone, Debug)]
pub struct AppAuth<'d> {
    /// AAUTHLEVEL; `None` for the credential of the transport.
    pub level: Option<AuthLevel>,
    /// AAUTHTYPE: the list of types, the first supported one wins; empty means DIGEST.
    pub types: Vec<&'d str>,
    /// AAUTHNAME.
    pub name: Option<&'d str>,
    /// AAUTHSECRET.
    pub secret: Option<Secret>,
    /// AAUTHDATA, for example the first nonce, its base64 undone.
    pub data: Option<Secret>,
}

/// AAUTHLEVEL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthLevel {
    /// `APPSRV`: the client authenticates to the server.
    AppSrv,
    /// `CLIENT`: the server authenticates to the client.
    Client,
    /// `OBEX`
    Obex,
}

const ADDR_TYPES: [(&str, AddrType); 5] = [
    ("URI", AddrType::Uri),
    ("IPV4", AddrType::Ipv4),
    ("IPV6", AddrType::Ipv6),
    ("E164", AddrType::E164),
    ("ALPHA", AddrType::Alpha),
];

const LEVELS: [(&str, AuthLevel); 3] =
    [("APPSRV", AuthLevel::AppSrv), ("CLIENT", AuthLevel::Client), ("OBEX", AuthLevel::Obex)];

/// True for an APPLICATION of device management.
pub(super) fn is_device_management(characteristic: &Characteristic<'_>) -> bool {
    let app_id = characteristic.value("APPID");
    characteristic.is("APPLICATION")
        && app_id.is_some_and(|id| id.eq_ignore_ascii_case(DEVICE_MANAGEMENT))
}

impl<'d> DmApplication<'d> {
    pub(super) fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        let application = Self {
            provider_id: from.needed("PROVIDER-ID", NAME, "w7 without PROVIDER-ID")?,
            name: from.text("NAME", NAME)?,
            to_proxy: reference::to_proxy(from)?,
            to_nap: reference::to_nap(from)?,
            addresses: addresses(from)?,
            auth: from.characteristics_of("APPAUTH").map(AppAuth::of).collect::<Result<_, _>>()?,
            init: from.has("INIT"),
            at: from.at,
        };
        if application.addresses.is_empty() {
            return Err(unusable(from.at, "w7 without ADDR"));
        }
        Ok(application)
    }
}

/// ADDR of the application itself, which is the short form of APPADDR, then all APPADDR with one.
fn addresses<'d>(from: &'d Characteristic<'d>) -> Result<Vec<AppAddr<'d>>, Fault> {
    let short = from.texts("ADDR", ADDRESS)?.into_iter();
    let mut addresses: Vec<AppAddr<'d>> = short
        .map(|addr| AppAddr { addr, addr_type: AddrType::default(), ports: Vec::new() })
        .collect();
    for inner in from.characteristics_of("APPADDR") {
        let addr_type = inner.choice("ADDRTYPE", &ADDR_TYPES)?.unwrap_or_default();
        let ports = ports(inner)?;
        if let Some(addr) = inner.text("ADDR", ADDRESS)? {
            addresses.push(AppAddr { addr, addr_type, ports });
        }
    }
    Ok(addresses)
}

impl<'d> AppAuth<'d> {
    fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        let types = from.text("AAUTHTYPE", NAME)?.unwrap_or_default();
        Ok(Self {
            level: from.choice("AAUTHLEVEL", &LEVELS)?,
            types: types.split(',').map(str::trim).filter(|word| !word.is_empty()).collect(),
            name: from.text("AAUTHNAME", NAME)?,
            secret: from.secret("AAUTHSECRET")?,
            data: from.octets("AAUTHDATA")?,
        })
    }
}
