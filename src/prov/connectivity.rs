//! Proxies and access points: PXLOGICAL and NAPDEF (OMA ProvCont 1.1, 4.6.1 and 4.6.7).
//!
//! Only identifiers are required: cardinalities of the specification are advisory, and what cannot be
//! used shows in use. Must not know the connectivity objects of the tree.

use super::Characteristic;
use super::reference::{self, Reference};
use super::value::{ADDRESS, NAME, unusable};
use crate::markup::Fault;
use crate::secret::Secret;

/// PORT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port<'d> {
    /// PORTNBR.
    pub number: u16,
    /// SERVICE, for example `OTA-HTTP-PO`.
    pub services: Vec<&'d str>,
}

/// PXLOGICAL: a proxy as applications name it.
#[derive(Clone, Debug)]
pub struct PxLogical<'d> {
    /// PROXY-ID.
    pub id: &'d str,
    /// NAME.
    pub name: Option<&'d str>,
    /// PROXY-PW.
    pub password: Option<Secret>,
    /// PPGAUTH-TYPE.
    pub ppg_auth_type: Option<&'d str>,
    /// PROXY-PROVIDER-ID.
    pub provider_id: Option<&'d str>,
    /// DOMAIN: what the proxy serves; empty for everything.
    pub domains: Vec<&'d str>,
    /// TRUST.
    pub trust: bool,
    /// MASTER.
    pub master: bool,
    /// STARTPAGE.
    pub start_page: Option<&'d str>,
    /// BASAUTH-ID.
    pub basic_auth_id: Option<&'d str>,
    /// BASAUTH-PW.
    pub basic_auth_password: Option<Secret>,
    /// WSP-VERSION.
    pub wsp_version: Option<&'d str>,
    /// PUSHENABLED.
    pub push_enabled: Option<bool>,
    /// PULLENABLED.
    pub pull_enabled: Option<bool>,
    /// PXAUTHINFO.
    pub auth: Vec<PxAuthInfo<'d>>,
    /// PORT, for all its physical proxies.
    pub ports: Vec<Port<'d>>,
    /// PXPHYSICAL in order of priority.
    pub physical: Vec<PxPhysical<'d>>,
    /// Octet of the document where it begins.
    pub at: usize,
}

/// PXAUTHINFO: a credential of a proxy.
#[derive(Clone, Debug)]
pub struct PxAuthInfo<'d> {
    /// PXAUTH-TYPE: `HTTP-BASIC`, `HTTP-DIGEST` or `WTLS-SS`.
    pub auth_type: Option<&'d str>,
    /// PXAUTH-ID.
    pub id: Option<&'d str>,
    /// PXAUTH-PW.
    pub password: Option<Secret>,
}

/// PXPHYSICAL: an address of a proxy.
#[derive(Clone, Debug)]
pub struct PxPhysical<'d> {
    /// PHYSICAL-PROXY-ID.
    pub id: Option<&'d str>,
    /// DOMAIN.
    pub domains: Vec<&'d str>,
    /// PXADDR.
    pub addr: &'d str,
    /// PXADDRTYPE; IPV4 if there is none.
    pub addr_type: Option<&'d str>,
    /// PXADDR-FQDN.
    pub fqdn: Option<&'d str>,
    /// WSP-VERSION.
    pub wsp_version: Option<&'d str>,
    /// PUSHENABLED.
    pub push_enabled: Option<bool>,
    /// PULLENABLED.
    pub pull_enabled: Option<bool>,
    /// TO-NAPID in order of priority.
    pub to_nap: Vec<Reference<'d>>,
    /// PORT.
    pub ports: Vec<Port<'d>>,
}

/// NAPDEF: an access point.
#[derive(Clone, Debug)]
pub struct NapDef<'d> {
    /// NAPID.
    pub id: &'d str,
    /// BEARER, for example `GSM-GPRS`.
    pub bearers: Vec<&'d str>,
    /// NAME.
    pub name: Option<&'d str>,
    /// INTERNET.
    pub internet: bool,
    /// NAP-ADDRESS.
    pub address: Option<&'d str>,
    /// NAP-ADDRTYPE, for example `APN`.
    pub address_type: Option<&'d str>,
    /// DNS-ADDR.
    pub dns: Vec<&'d str>,
    /// CALLTYPE.
    pub call_type: Option<&'d str>,
    /// LOCAL-ADDR.
    pub local_addr: Option<&'d str>,
    /// LOCAL-ADDRTYPE.
    pub local_addr_type: Option<&'d str>,
    /// LINKSPEED: a number or `AUTOBAUDING`.
    pub link_speed: Option<&'d str>,
    /// DNLINKSPEED.
    pub down_link_speed: Option<&'d str>,
    /// LINGER in seconds.
    pub linger: Option<u32>,
    /// Quality of service as 3GPP TS 24.008 codes it: name of the parm and number.
    pub quality: Vec<(&'static str, u32)>,
    /// MAX-NUM-RETRY.
    pub max_retries: Option<u32>,
    /// FIRST-RETRY-TIMEOUT.
    pub first_retry_timeout: Option<u32>,
    /// REREG-THRESHOLD.
    pub reregister_threshold: Option<u32>,
    /// T-BIT.
    pub t_bit: bool,
    /// NAPAUTHINFO.
    pub auth: Vec<NapAuthInfo<'d>>,
    /// VALIDITY: where and how long it may be used; empty for everywhere.
    pub validity: Vec<Validity<'d>>,
    /// Octet of the document where it begins.
    pub at: usize,
}

/// NAPAUTHINFO: a credential of an access point.
#[derive(Clone, Debug)]
pub struct NapAuthInfo<'d> {
    /// AUTHTYPE: `PAP`, `CHAP` or `MD5`.
    pub auth_type: Option<&'d str>,
    /// AUTHNAME.
    pub name: Option<&'d str>,
    /// AUTHSECRET.
    pub secret: Option<Secret>,
    /// AUTH-ENTITY: `AAA` or `HA`.
    pub entities: Vec<&'d str>,
    /// SPI.
    pub spi: Option<&'d str>,
}

/// VALIDITY: a network and a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity<'d> {
    /// COUNTRY, the mobile country code.
    pub country: Option<&'d str>,
    /// NETWORK, the mobile network code.
    pub network: Option<&'d str>,
    /// SID.
    pub sid: Option<&'d str>,
    /// SOC.
    pub soc: Option<&'d str>,
    /// VALIDUNTIL, an ISO 8601 date and time.
    pub until: Option<&'d str>,
}

/// The parms of quality of service.
const QUALITY: [&str; 12] = [
    "DELIVERY-ERR-SDU",
    "DELIVERY-ORDER",
    "TRAFFIC-CLASS",
    "MAX-SDU-SIZE",
    "MAX-BITRATE-UPLINK",
    "MAX-BITRATE-DNLINK",
    "RESIDUAL-BER",
    "SDU-ERROR-RATIO",
    "TRAFFIC-HANDL-PRIO",
    "TRANSFER-DELAY",
    "GUARANTEED-BITRATE-UPLINK",
    "GUARANTEED-BITRATE-DNLINK",
];

/// All PORT of `around`.
pub(super) fn ports<'d>(around: &'d Characteristic<'d>) -> Result<Vec<Port<'d>>, Fault> {
    around
        .characteristics_of("PORT")
        .map(|port| {
            let number = port.number("PORTNBR", u16::MAX.into())?;
            let number = number.and_then(|number| u16::try_from(number).ok());
            let number = number.ok_or_else(|| unusable(port.at, "PORT without PORTNBR"))?;
            Ok(Port { number, services: port.texts("SERVICE", NAME)? })
        })
        .collect()
}

impl<'d> PxLogical<'d> {
    pub(super) fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        Ok(Self {
            id: from.needed("PROXY-ID", NAME, "PXLOGICAL without PROXY-ID")?,
            name: from.text("NAME", NAME)?,
            password: from.secret("PROXY-PW")?,
            ppg_auth_type: from.text("PPGAUTH-TYPE", NAME)?,
            provider_id: from.text("PROXY-PROVIDER-ID", NAME)?,
            domains: from.texts("DOMAIN", ADDRESS)?,
            trust: from.has("TRUST"),
            master: from.has("MASTER"),
            start_page: from.text("STARTPAGE", ADDRESS)?,
            basic_auth_id: from.text("BASAUTH-ID", NAME)?,
            basic_auth_password: from.secret("BASAUTH-PW")?,
            wsp_version: from.text("WSP-VERSION", NAME)?,
            push_enabled: from.switch("PUSHENABLED")?,
            pull_enabled: from.switch("PULLENABLED")?,
            auth: from
                .characteristics_of("PXAUTHINFO")
                .map(PxAuthInfo::of)
                .collect::<Result<_, _>>()?,
            ports: ports(from)?,
            physical: from
                .characteristics_of("PXPHYSICAL")
                .map(PxPhysical::of)
                .collect::<Result<_, _>>()?,
            at: from.at,
        })
    }
}

impl<'d> PxAuthInfo<'d> {
    fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        Ok(Self {
            auth_type: from.text("PXAUTH-TYPE", NAME)?,
            id: from.text("PXAUTH-ID", NAME)?,
            password: from.secret("PXAUTH-PW")?,
        })
    }
}

impl<'d> PxPhysical<'d> {
    fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        Ok(Self {
            id: from.text("PHYSICAL-PROXY-ID", NAME)?,
            domains: from.texts("DOMAIN", ADDRESS)?,
            addr: from.needed("PXADDR", ADDRESS, "PXPHYSICAL without PXADDR")?,
            addr_type: from.text("PXADDRTYPE", NAME)?,
            fqdn: from.text("PXADDR-FQDN", ADDRESS)?,
            wsp_version: from.text("WSP-VERSION", NAME)?,
            push_enabled: from.switch("PUSHENABLED")?,
            pull_enabled: from.switch("PULLENABLED")?,
            to_nap: reference::to_nap(from)?,
            ports: ports(from)?,
        })
    }
}

impl<'d> NapDef<'d> {
    pub(super) fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        Ok(Self {
            // First, since a forgotten switch to code page 1 shows here.
            quality: quality(from)?,
            id: from.needed("NAPID", NAME, "NAPDEF without NAPID")?,
            bearers: from.texts("BEARER", NAME)?,
            name: from.text("NAME", NAME)?,
            internet: from.has("INTERNET"),
            address: from.text("NAP-ADDRESS", ADDRESS)?,
            address_type: from.text("NAP-ADDRTYPE", NAME)?,
            dns: from.texts("DNS-ADDR", ADDRESS)?,
            call_type: from.text("CALLTYPE", NAME)?,
            local_addr: from.text("LOCAL-ADDR", ADDRESS)?,
            local_addr_type: from.text("LOCAL-ADDRTYPE", NAME)?,
            link_speed: from.text("LINKSPEED", NAME)?,
            down_link_speed: from.text("DNLINKSPEED", NAME)?,
            linger: from.number("LINGER", u32::MAX)?,
            max_retries: from.number("MAX-NUM-RETRY", u32::MAX)?,
            first_retry_timeout: from.number("FIRST-RETRY-TIMEOUT", u32::MAX)?,
            reregister_threshold: from.number("REREG-THRESHOLD", u32::MAX)?,
            t_bit: from.has("T-BIT"),
            auth: from
                .characteristics_of("NAPAUTHINFO")
                .map(NapAuthInfo::of)
                .collect::<Result<_, _>>()?,
            validity: from
                .characteristics_of("VALIDITY")
                .map(Validity::of)
                .collect::<Result<_, _>>()?,
            at: from.at,
        })
    }
}

fn quality(from: &Characteristic<'_>) -> Result<Vec<(&'static str, u32)>, Fault> {
    let numbers = QUALITY
        .into_iter()
        .filter_map(|name| from.hexadecimal(name).map(|number| Some((name, number?))).transpose());
    numbers.collect()
}

impl<'d> NapAuthInfo<'d> {
    fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        Ok(Self {
            auth_type: from.text("AUTHTYPE", NAME)?,
            name: from.text("AUTHNAME", NAME)?,
            secret: from.secret("AUTHSECRET")?,
            entities: from.texts("AUTH-ENTITY", NAME)?,
            spi: from.text("SPI", NAME)?,
        })
    }
}

impl<'d> Validity<'d> {
    fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        Ok(Self {
            country: from.text("COUNTRY", NAME)?,
            network: from.text("NETWORK", NAME)?,
            sid: from.text("SID", NAME)?,
            soc: from.text("SOC", NAME)?,
            until: from.text("VALIDUNTIL", NAME)?,
        })
    }
}
