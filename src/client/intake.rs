//! From raw octets of a notification to a session that waits: judged, remembered, queued.

use super::consent::Asking;
use super::core::Core;
use super::running::Running;
use super::schedule::{self, Kept, Wanted};
use crate::audit::{Entry, Journal, Trigger, hash};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind, TriggerInfo, TriggerSource};
use crate::limits;
use crate::store::{Reader, Table};
use crate::tree::Origin;
use crate::tree::dmacc::{self, Account};
use crate::trigger::intake::{self, Delivery as Sorted};
use crate::trigger::notification::{self, Initiator, Notification};
use crate::trigger::replay;

/// A notification as it arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Where it came from.
    pub source: TriggerSource,
    /// The card's slot, or 0.
    pub slot: u32,
    /// The media type, where the envelope was taken off.
    pub content_type: Option<String>,
    /// The octets.
    pub octets: Vec<u8>,
}

impl Core {
    /// Judges a notification. A genuine one is remembered and shown to the host; the id of the session
    /// that will follow. A refusal is an event too; its sender is told nothing.
    pub(super) fn deliver(&mut self, delivery: &Delivery) -> Result<u64> {
        let mut server = None;
        let judged = self.judge(delivery, &mut server);
        if let Err(error) = &judged {
            let refused = arrived(delivery, server, None, Some(error));
            self.record_refusal(refused, self.now());
            let event = Event::new(EventKind::TriggerRefused).slot(delivery.slot);
            self.tell(event.failed(error));
        }
        judged
    }

    /// `server` is the one that the notification names, as soon as that is known.
    fn judge(&mut self, delivery: &Delivery, server: &mut Option<String>) -> Result<u64> {
        let sorted = intake::sort(&delivery.octets, delivery.content_type.as_deref())?;
        let Sorted::Notification(notification) = sorted else {
            return Err(Error::new(
                Code::NotSupported,
                "a provisioning push, not a notification: it is applied by itself",
            ));
        };
        *server = Some(notification.server_id.clone());
        let account = self.account_of(&notification, delivery)?;
        verify(&notification, &account)?;
        let server_id = notification.server_id.clone();
        let asking = self.asking.iter().map(Asking::wanted);
        let queued = self.schedule.iter().chain(&self.judging).chain(asking);
        if queued.filter(|wanted| wanted.server_id == server_id).count() >= limits::TRIGGER_QUEUE {
            let text = format!("a session with {server_id} waits already");
            return Err(Error::new(Code::Busy, text));
        }
        let now = self.now();
        if !self.trigger_rate.allows(&server_id, now.mono_ms) {
            let text = format!("{server_id} asks for sessions too often");
            return Err(Error::new(Code::Busy, text));
        }
        let next = Some(self.sessions.next_id());
        let accepted = arrived(delivery, Some(server_id.clone()), next, None);
        let mut kept = Kept::notification(
            TriggerInfo {
                source: delivery.source,
                slot: delivery.slot,
                session_id: 0,
                server_id,
                dm_session_id: notification.session_id,
                ui_mode: notification.ui_mode as u8,
                by_server: notification.initiator == Initiator::Server,
                vendor: notification.vendor().to_vec(),
            },
            now,
        );
        self.remember(&notification, &kept, accepted)?;
        self.trigger_rate.count(&kept.info.server_id, now.mono_ms);
        let id = self.sessions.add();
        kept.info.session_id = id;
        self.ask_about(kept.info.clone());
        self.judging.push(Wanted::of(kept, now));
        Ok(id)
    }

    fn account_of(&self, notification: &Notification, delivery: &Delivery) -> Result<Account> {
        let server_id = &notification.server_id;
        let account = dmacc::find(&self.db.read()?, server_id)?.ok_or_else(|| {
            Error::new(Code::TriggerServer, format!("no account for server {server_id}"))
        })?;
        // What a card sends speaks for that card's accounts only.
        let from_this_card =
            matches!(account.origin, Origin::Card { slot, .. } if slot == delivery.slot);
        if delivery.source == TriggerSource::Card && !from_this_card {
            let text = format!("the account of {server_id} is not from the card that asks");
            return Err(Error::new(Code::TriggerServer, text));
        }
        Ok(account)
    }

    /// Makes sure that the same notification never starts a second session, also after a restart.
    fn remember(
        &mut self,
        notification: &Notification,
        kept: &Kept,
        accepted: Trigger,
    ) -> Result<()> {
        let now = self.now();
        // What happened before has to stand before.
        if self.recorder.is_due() {
            self.step_journal(now);
        }
        let mut txn = self.db.begin()?;
        let key = replay::key(&notification.server_id);
        let list = replay::remember(txn.get(Table::Replay, &key)?.as_deref(), notification)?;
        txn.put(Table::Replay, &key, list);
        if let Some(mut journal) = Journal::existing(&mut txn, now)? {
            journal.append(&Entry::Trigger(accepted))?;
        }
        schedule::keep(&mut txn, kept);
        self.leftovers.keep(Table::Schedule, &kept.key());
        txn.commit().map(drop)
    }

    /// Puts a client-initiated session in line; its id. One that an earlier life of the client had begun is
    /// taken over.
    pub(super) fn request_session(&mut self, server_id: Option<&str>) -> Result<u64> {
        let account = match server_id {
            Some(server_id) => dmacc::find(&self.db.read()?, server_id)?,
            None => {
                let mut accounts = dmacc::list(&self.db.read()?)?;
                if accounts.len() == 1 { accounts.pop() } else { None }
            }
        };
        let server_id = account.map(|account| account.server_id).ok_or_else(|| {
            Error::new(
                Code::TriggerServer,
                match server_id {
                    Some(server_id) => format!("no account for server {server_id}"),
                    None => "there is not exactly one account: name the server".to_owned(),
                },
            )
        })?;
        if let Some(id) = self.take_over(&server_id) {
            return Ok(id);
        }
        if self.schedule.iter().any(|wanted| wanted.server_id == server_id) {
            let text = format!("a session with {server_id} waits already");
            return Err(Error::new(Code::Busy, text));
        }
        let (id, dm_session_id) = (self.sessions.add(), self.new_dm_session_id());
        let now = self.now();
        self.enqueue(Wanted::requested(id, server_id, dm_session_id, now));
        Ok(id)
    }

    fn take_over(&mut self, server_id: &str) -> Option<u64> {
        let running = self.running.as_ref().map(Running::wanted);
        // Its present beginning is counted too.
        let is_it = |wanted: &&Wanted| {
            wanted.kept.is_request() && wanted.kept.begun > 1 && wanted.server_id == server_id
        };
        let running = running.filter(is_it).map(|wanted| wanted.id);
        running.or_else(|| self.schedule.take_over(server_id))
    }
}

/// The record of a notification.
fn arrived(
    delivery: &Delivery,
    server: Option<String>,
    session: Option<u64>,
    error: Option<&Error>,
) -> Trigger {
    Trigger {
        source: match delivery.source {
            TriggerSource::Push => "push",
            TriggerSource::Card => "card",
            TriggerSource::Host => "host",
        },
        slot: delivery.slot,
        digest: hash(&delivery.octets),
        server,
        session,
        outcome: error.into(),
        unrecorded: 0,
    }
}

/// The digest, with the secret of the account's server credential.
fn verify(notification: &Notification, account: &Account) -> Result<()> {
    let Some(server) = &account.server else {
        let text = format!("the account of {} has no server credential", account.server_id);
        return Err(Error::new(Code::TriggerDigest, text));
    };
    // The resynchronisation nonce makes a digest replayable for ever: not accepted.
    notification::verify(notification, &server.secret, &server.nonce, false).map(drop)
}
