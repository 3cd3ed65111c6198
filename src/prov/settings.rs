//! A document's content, judged: what a DM client can use of it.
//!
//! Owns which characteristics matter. Must not know what is on the device.

use super::application::{self, DmApplication};
use super::connectivity::{NapDef, PxLogical};
use super::reference::{self, Reference, Target};
use super::value::{ADDRESS, NAME};
use super::{Characteristic, Document};
use crate::markup::{Class, Fault};

/// What a document provisions. Everything borrows from the document.
#[derive(Clone, Debug, Default)]
pub struct Settings<'d> {
    /// DM accounts.
    pub accounts: Vec<DmApplication<'d>>,
    /// Proxies.
    pub proxies: Vec<PxLogical<'d>>,
    /// Access points.
    pub access_points: Vec<NapDef<'d>>,
    /// BOOTSTRAP.
    pub bootstraps: Vec<Bootstrap<'d>>,
    /// ACCESS.
    pub access: Vec<Access<'d>>,
    /// CLIENT-ID of CLIENTIDENTITY.
    pub client_id: Option<&'d str>,
    /// VENDORCONFIG.
    pub vendor: Vec<VendorConfig<'d>>,
    /// Other applications, and characteristics that ProvCont does not have.
    pub others: Vec<&'d Characteristic<'d>>,
}

/// BOOTSTRAP: who may provision, and where the device belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap<'d> {
    /// NAME.
    pub name: Option<&'d str>,
    /// NETWORK.
    pub networks: Vec<&'d str>,
    /// COUNTRY.
    pub country: Option<&'d str>,
    /// PROXY-ID.
    pub proxy_ids: Vec<&'d str>,
    /// PROVURL.
    pub prov_url: Option<&'d str>,
    /// CONTEXT-ALLOW, 0 to 254.
    pub context_allow: Option<u32>,
}

/// ACCESS: which connections serve what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access<'d> {
    /// RULE.
    pub rules: Vec<&'d str>,
    /// APPID.
    pub app_ids: Vec<&'d str>,
    /// PORTNBR.
    pub ports: Vec<u32>,
    /// DOMAIN.
    pub domains: Vec<&'d str>,
    /// TO-NAPID in order of priority.
    pub to_nap: Vec<Reference<'d>>,
    /// TO-PROXY in order of priority.
    pub to_proxy: Vec<Reference<'d>>,
}

/// VENDORCONFIG.
#[derive(Clone, Copy, Debug)]
pub struct VendorConfig<'d> {
    /// NAME: whose it is.
    pub name: Option<&'d str>,
    /// All of it.
    pub characteristic: &'d Characteristic<'d>,
}

impl<'d> Settings<'d> {
    /// What `document` provisions.
    ///
    /// # Errors
    /// `E_CP_PARM`: a characteristic that a DM client uses has an unusable parm, or lacks one that it
    /// cannot be used without. Then nothing of the document should be applied.
    pub fn of(document: &'d Document<'d>) -> Result<Self, Fault> {
        let mut settings = Self::default();
        for from in &document.characteristics {
            settings.take(from)?;
        }
        Ok(settings)
    }

    fn take(&mut self, from: &'d Characteristic<'d>) -> Result<(), Fault> {
        match from.kind.to_ascii_uppercase().as_str() {
            "PXLOGICAL" => self.proxies.push(PxLogical::of(from)?),
            "NAPDEF" => self.access_points.push(NapDef::of(from)?),
            "BOOTSTRAP" => self.bootstraps.push(Bootstrap::of(from)?),
            "ACCESS" => self.access.push(Access::of(from)?),
            "CLIENTIDENTITY" => {
                let what = "CLIENTIDENTITY without CLIENT-ID";
                self.client_id = Some(from.needed("CLIENT-ID", NAME, what)?);
            }
            "VENDORCONFIG" => {
                let name = from.text("NAME", NAME)?;
                self.vendor.push(VendorConfig { name, characteristic: from });
            }
            _ if application::is_device_management(from) => {
                self.accounts.push(DmApplication::of(from)?);
            }
            _ => self.others.push(from),
        }
        Ok(())
    }

    /// The document's proxy with PROXY-ID `id`.
    pub fn proxy(&self, id: &str) -> Option<&PxLogical<'d>> {
        self.proxies.iter().find(|proxy| proxy.id == id)
    }

    /// The document's access point with NAPID `id`.
    pub fn access_point(&self, id: &str) -> Option<&NapDef<'d>> {
        self.access_points.iter().find(|point| point.id == id)
    }

    /// The document's access points to the Internet.
    pub fn internet(&self) -> impl Iterator<Item = &NapDef<'d>> {
        self.access_points.iter().filter(|point| point.internet)
    }

    /// All references of accounts and proxies, in that order.
    pub fn references(&self) -> impl Iterator<Item = Reference<'d>> {
        let accounts = self.accounts.iter().flat_map(|a| a.to_proxy.iter().chain(&a.to_nap));
        let physical = self.proxies.iter().flat_map(|proxy| &proxy.physical);
        accounts.chain(physical.flat_map(|physical| &physical.to_nap)).copied()
    }

    /// Checks that the references of accounts and proxies lead somewhere: inside the document, or to
    /// what is `on_device` already. Any access point to the Internet serves [`Target::Internet`].
    ///
    /// # Errors
    /// `E_CP_REFERENCE` at the first one that does not.
    pub fn check_references(&self, on_device: impl Fn(Reference<'_>) -> bool) -> Result<(), Fault> {
        let dangling = self.references().find(|reference| {
            let inside = match reference.target {
                Target::Proxy => self.proxy(reference.id).is_some(),
                Target::AccessPoint => self.access_point(reference.id).is_some(),
                Target::Internet => true,
            };
            !inside && !on_device(*reference)
        });
        match dangling {
            None => Ok(()),
            Some(Reference { target: Target::Proxy, at, .. }) => {
                Err(Fault::new(Class::CpReference, at, "TO-PROXY names no proxy"))
            }
            Some(Reference { at, .. }) => {
                Err(Fault::new(Class::CpReference, at, "TO-NAPID names no access point"))
            }
        }
    }
}

impl<'d> Bootstrap<'d> {
    fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        const CONTEXTS: u32 = 254;
        Ok(Self {
            name: from.text("NAME", NAME)?,
            networks: from.texts("NETWORK", NAME)?,
            country: from.text("COUNTRY", NAME)?,
            proxy_ids: from.texts("PROXY-ID", NAME)?,
            prov_url: from.text("PROVURL", ADDRESS)?,
            context_allow: from.number("CONTEXT-ALLOW", CONTEXTS)?,
        })
    }
}

impl<'d> Access<'d> {
    fn of(from: &'d Characteristic<'d>) -> Result<Self, Fault> {
        Ok(Self {
            rules: from.texts("RULE", NAME)?,
            app_ids: from.texts("APPID", NAME)?,
            ports: from.numbers("PORTNBR", u16::MAX.into())?,
            domains: from.texts("DOMAIN", ADDRESS)?,
            to_nap: reference::to_nap(from)?,
            to_proxy: reference::to_proxy(from)?,
        })
    }
}
