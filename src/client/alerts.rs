//! Alerts of the host for a server: kept in the store until a server has answered them.

use super::Client;
use super::core::Core;
use super::running::Running;
use crate::bytes::pack::{self, Unpack};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind};
use crate::limits;
use crate::session::HostAlert;
use crate::store::{Database, Reader, Table};
use crate::tree::Format;
use std::ops::ControlFlow;

/// First octet of a record.
const VERSION: u8 = 1;
/// The number given last, in [`Table::Meta`]: a number is never used twice.
const NUMBER_KEY: &[u8] = b"alerts";

/// What an alert of the host is about. The numbers are those of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum AlertKind {
    /// An event on the device or in the client (DM Protocol 1.2.1, 8.8).
    ClientEvent = 1224,
    /// A generic alert (DM Protocol 1.2.1, 8.7).
    Generic = 1226,
}

/// An alert of the host.
#[derive(Clone, PartialEq, Eq)]
pub struct QueuedAlert {
    /// The server it is for; empty: the first one that a session is held with.
    pub server_id: String,
    /// What it is about.
    pub kind: AlertKind,
    /// URI of the management object that raises it; empty if none does.
    pub source: String,
    /// Meta Type.
    pub mime: String,
    /// Meta Format.
    pub format: Format,
    /// Meta Mark, the importance; empty: informational.
    pub mark: String,
    /// The Correlator of the Exec whose end it reports; empty if the Exec had none.
    pub correlator: String,
    /// Its data.
    pub data: Vec<u8>,
}

impl std::fmt::Debug for QueuedAlert {
    /// The data is nobody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueuedAlert").field("mime", &self.mime).finish_non_exhaustive()
    }
}

impl QueuedAlert {
    fn check(&self) -> Result<()> {
        let texts = [&self.server_id, &self.source, &self.mime, &self.mark, &self.correlator];
        if self.data.len() > limits::ALERT_OCTETS
            || texts.iter().any(|text| text.len() > limits::URI_OCTETS)
        {
            let text = format!("an alert has {} octets of data at most", limits::ALERT_OCTETS);
            return Err(Error::new(Code::TooLarge, text));
        }
        if self.format.is_interior() || self.mime.is_empty() {
            return Err(Error::new(Code::InvalidArg, "an alert needs a type and a leaf's format"));
        }
        self.format.check(&self.data)?;
        self.host_alert(0).map(drop)
    }

    /// The same for the session engine.
    fn host_alert(&self, number: u64) -> Result<HostAlert> {
        let (format, data) = (self.format.name(), self.data.clone());
        let mut alert = match self.kind {
            AlertKind::Generic => HostAlert::generic(number, &self.mime, format, data)?,
            AlertKind::ClientEvent => HostAlert::event(number, &self.mime, format, data),
        };
        if !self.source.is_empty() {
            alert = alert.from_object(&self.source);
        }
        if !self.mark.is_empty() {
            alert = alert.with_mark(&self.mark);
        }
        if !self.correlator.is_empty() {
            alert = alert.with_correlator(&self.correlator);
        }
        Ok(alert)
    }

    fn is_for(&self, server_id: &str) -> bool {
        self.server_id.is_empty() || self.server_id == server_id
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.format as u8];
        out.extend_from_slice(&(self.kind as u16).to_be_bytes());
        for text in [&self.server_id, &self.source, &self.mime, &self.mark, &self.correlator] {
            pack::put(&mut out, text.as_bytes());
        }
        out.extend_from_slice(&self.data);
        out
    }

    fn decode(record: &[u8]) -> Option<Self> {
        let mut input = Unpack(record);
        let [VERSION, format] = input.array()? else { return None };
        let kind = match u16::from_be_bytes(input.array()?) {
            1224 => AlertKind::ClientEvent,
            1226 => AlertKind::Generic,
            _ => return None,
        };
        let mut text = || input.text().map(str::to_owned);
        let (server_id, source, mime) = (text()?, text()?, text()?);
        let (mark, correlator) = (text()?, text()?);
        let format = Format::from_number(format)?;
        let data = input.0.to_vec();
        Some(Self { server_id, kind, source, mime, format, mark, correlator, data })
    }
}

/// The alerts in the store for this server, oldest first.
fn waiting(reader: &dyn Reader, server_id: &str) -> Result<Vec<HostAlert>> {
    let mut found = Vec::new();
    let mut broken = Ok(());
    reader.scan(Table::Alert, b"", b"", &mut |key, record| match parse(key, record) {
        Ok((number, alert)) => {
            if alert.is_for(server_id) {
                found.push((number, alert));
            }
            ControlFlow::Continue(())
        }
        Err(error) => {
            broken = Err(error);
            ControlFlow::Break(())
        }
    })?;
    broken?;
    found.iter().map(|(number, alert)| alert.host_alert(*number)).collect()
}

fn parse(key: &[u8], record: &[u8]) -> Result<(u64, QueuedAlert)> {
    let number = <[u8; 8]>::try_from(key).ok().map(u64::from_be_bytes);
    number.zip(QueuedAlert::decode(record)).ok_or_else(|| {
        Error::new(Code::StorageCorrupt, "alerts: the record of an alert in the store is damaged")
    })
}

/// Stores an alert; its number.
fn store(db: &Database, alert: &QueuedAlert) -> Result<u64> {
    let mut txn = db.begin()?;
    let mut waiting = 0;
    txn.scan(Table::Alert, b"", b"", &mut |_, _| {
        waiting += 1;
        ControlFlow::Continue(())
    })?;
    if waiting >= limits::ALERTS {
        let text = format!("{waiting} alerts wait already for a server");
        return Err(Error::new(Code::TooLarge, text));
    }
    let last = txn.get(Table::Meta, NUMBER_KEY)?.and_then(|last| (*last).try_into().ok());
    let number = last.map_or(0, u64::from_be_bytes) + 1;
    txn.put(Table::Meta, NUMBER_KEY, number.to_be_bytes().to_vec());
    txn.put(Table::Alert, &number.to_be_bytes(), alert.encode());
    txn.commit()?;
    Ok(number)
}

impl Client {
    /// Keeps an alert for a server until one has answered it; its number.
    pub fn queue_alert(&self, alert: QueuedAlert) -> Result<u64> {
        alert.check()?;
        let number = match store(&self.db()?, &alert) {
            // The driving thread is at it, or will say why not.
            Err(error) if error.code() == Code::Busy => {
                self.0.seat.call(move |core| store(&core.db, &alert))??
            }
            stored => stored?,
        };
        self.0.seat.post(move |core| core.alert_stored(number))?;
        Ok(number)
    }
}

impl Core {
    /// Hands an alert to the session that runs, if it is for its server.
    fn alert_stored(&mut self, number: u64) {
        let Some(running) = &mut self.running else { return };
        let handed = hand_over(&self.db, running, number);
        if let Err(error) = handed {
            // It stays in the store for the next session.
            log::warn!("alert {number}: {error}");
        }
    }

    /// Notes what the server or the engine said of an alert.
    pub(super) fn note_alert(&mut self, event: &Event) {
        if event.kind == EventKind::AlertDone {
            self.leftovers.push(Table::Alert, event.number.to_be_bytes().to_vec());
        }
    }

    /// The alerts that wait for this server, oldest first.
    pub(super) fn alerts_for(&self, server_id: &str) -> Result<Vec<HostAlert>> {
        let mut alerts = waiting(&self.db.read()?, server_id)?;
        let is_answered = |alert: &HostAlert| {
            self.leftovers.contains(Table::Alert, &alert.number().to_be_bytes())
        };
        alerts.retain(|alert| !is_answered(alert));
        Ok(alerts)
    }
}

fn hand_over(db: &Database, running: &mut Running, number: u64) -> Result<()> {
    let view = db.read()?;
    let Some(record) = view.get(Table::Alert, &number.to_be_bytes())? else { return Ok(()) };
    let (_, alert) = parse(&number.to_be_bytes(), &record)?;
    if alert.is_for(running.server_id()) {
        running.queue_alert(alert.host_alert(number)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> QueuedAlert {
        QueuedAlert {
            server_id: "com.example".into(),
            kind: AlertKind::Generic,
            source: "./Fw".into(),
            mime: "Reversed-Domain-Name:org.example.done".into(),
            format: Format::Chr,
            mark: "critical".into(),
            correlator: "X1".into(),
            data: b"200".to_vec(),
        }
    }

    #[test]
    fn a_record_survives_the_store_and_a_damaged_one_is_an_error() {
        let event = QueuedAlert { kind: AlertKind::ClientEvent, data: Vec::new(), ..alert() };
        for alert in [alert(), event] {
            let record = alert.encode();
            assert_eq!(QueuedAlert::decode(&record), Some(alert.clone()));
            let texts = record.len() - alert.data.len();
            for end in 0..texts {
                assert_eq!(QueuedAlert::decode(&record[..end]), None);
            }
        }
    }

    #[test]
    fn what_no_server_would_take_is_not_queued() {
        let code = |alert: QueuedAlert| alert.check().unwrap_err().code();
        assert!(alert().check().is_ok());
        assert_eq!(code(QueuedAlert { mime: "text/plain".into(), ..alert() }), Code::InvalidArg);
        assert_eq!(code(QueuedAlert { mime: String::new(), ..alert() }), Code::InvalidArg);
        assert_eq!(code(QueuedAlert { format: Format::Node, ..alert() }), Code::InvalidArg);
        assert_eq!(
            code(QueuedAlert { format: Format::Int, data: b"x".into(), ..alert() }),
            Code::NodeFormat
        );
        let data = vec![0; limits::ALERT_OCTETS + 1];
        assert_eq!(code(QueuedAlert { data, format: Format::Bin, ..alert() }), Code::TooLarge);
    }
}
