//! Services that the card declares, and for which it opens a channel only when somebody comes (TS 102 223 6.4.35).

use super::{Bip, ChannelEvent, Fault, Level};

/// Services that the card may declare.
const SERVICES: usize = 8;
/// Octets of a service record that fits an ENVELOPE.
const RECORD_OCTETS: usize = 200;

/// A service of DECLARE SERVICE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Service {
    /// Technology, identifier, and the record's own octets.
    pub(in super::super) record: Vec<u8>,
    pub(in super::super) level: u8,
    pub(in super::super) port: u16,
}

impl Service {
    fn key(&self) -> Option<&[u8]> {
        self.record.get(..2)
    }
}

impl Bip {
    /// Declares a service, in place of an earlier one with the same technology and identifier.
    pub(in super::super) fn declare(&mut self, service: Service) -> Result<(), Fault> {
        self.services.retain(|other| other.key() != service.key());
        if self.services.len() == SERVICES || service.record.len() > RECORD_OCTETS {
            return Err(Fault::Service);
        }
        self.forget_wish(service.port);
        self.services.push(service);
        Ok(())
    }

    /// Takes the service with this record's technology and identifier back.
    pub(in super::super) fn withdraw(&mut self, record: &[u8]) -> Result<(), Fault> {
        let before = self.services.len();
        self.services.retain(|service| service.key() != record.get(..2));
        if self.services.len() == before { Err(Fault::ServiceUnknown) } else { Ok(()) }
    }

    pub(super) fn want_service(&mut self, port: u16) {
        let wanted =
            |service: &&Service| service.level == Level::TcpServer as u8 && service.port == port;
        let Some(service) = self.services.iter().find(wanted).cloned() else { return };
        if self.told.contains(&port) {
            return;
        }
        self.told.push(port);
        let Service { record, level, port } = service;
        self.tell(ChannelEvent::LocalConnection { record, level, port });
    }

    /// Nobody waits for the card's service on `port` any more; who comes next is told to the card anew.
    pub fn forget_wish(&mut self, port: u16) {
        self.told.retain(|told| *told != port);
    }
}
