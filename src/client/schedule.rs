//! Which session is next, and what becomes of one that could not be held.
//!
//! Owns the queue, the rules of trying again, and the records by which a server's request outlives the
//! end of the process. One session runs at a time, so a server and a card never have two.

use crate::bytes::pack::{Unpack, put};
use crate::error::{Code, Error, Result};
use crate::event::{TriggerInfo, TriggerSource};
use crate::limits;
use crate::random::Random;
use crate::session::Cause;
use crate::store::{Reader, Table, Txn};
use crate::time::Now;
use std::ops::ControlFlow;

/// Version of a record's form, its first octet.
const FORM: u8 = 1;
/// HTTP statuses of a server that may do better later.
const PASSING: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];

/// Who waits for a session; the first goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Priority {
    /// A user, or the host.
    User,
    /// A server.
    Server,
    /// Nobody any more: an earlier attempt has failed.
    Later,
}

/// When a session may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    /// On the monotonic clock.
    At(u64),
    /// When the host says that there is a network.
    Network,
    /// When a card's toolkit runs.
    Card,
}

/// A session that will begin.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) id: u64,
    pub(super) server_id: String,
    pub(super) dm_session_id: u16,
    pub(super) cause: Cause,
    pub(super) priority: Priority,
    pub(super) due: Due,
    /// Attempts that have failed.
    pub(super) attempts: u32,
    /// After this nothing more is tried, on the monotonic clock.
    pub(super) until_ms: u64,
    /// What the store keeps of it until its end.
    pub(super) kept: Kept,
}

/// What the store keeps of a session: of one for a notification from its arrival on, of one that the host
/// asked for from its first beginning on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// The notification, or [what stands for it](Kept::request).
    pub(super) info: TriggerInfo,
    pub(super) until_s: i64,
    /// Times that a session for it was begun and not ended.
    pub(super) begun: u8,
}

impl Kept {
    /// A notification that has come.
    pub(super) fn notification(info: TriggerInfo, now: Now) -> Self {
        let until_s = now.unix_s.saturating_add(limits::SESSION_PATIENCE_S);
        Self { info, until_s, begun: 0 }
    }

    /// The host's own wish.
    fn request(server_id: String, now: Now) -> Self {
        let info = TriggerInfo {
            source: TriggerSource::Host,
            slot: 0,
            session_id: 0,
            server_id,
            // No notification has this number (DM Notification 1.2.1, 6.2).
            dm_session_id: 0,
            ui_mode: 0,
            by_server: false,
            vendor: Vec::new(),
        };
        Self::notification(info, now)
    }

    /// The record's key: a server has one for each of its session numbers, and one for the host's wish.
    pub(super) fn key(&self) -> Vec<u8> {
        [&self.info.dm_session_id.to_be_bytes(), self.info.server_id.as_bytes()].concat()
    }

    /// True for the host's own wish.
    pub(super) fn is_request(&self) -> bool {
        self.info.dm_session_id == 0
    }
}

impl Wanted {
    /// One that the host asks for; it may begin at once.
    pub(super) fn requested(id: u64, server_id: String, dm_session_id: u16, now: Now) -> Self {
        let mut kept = Kept::request(server_id, now);
        kept.info.session_id = id;
        Self { dm_session_id, ..Self::of(kept, now) }
    }

    /// The session of which this is kept; of the host's own the number is still to be given.
    pub(super) fn of(kept: Kept, now: Now) -> Self {
        /// The server wants the user to be asked first (DM Notification 1.2.1, 6.2.2).
        const INTERACTIVE: u8 = 3;
        let info = &kept.info;
        let left_s = u64::try_from(kept.until_s.saturating_sub(now.unix_s)).unwrap_or(0);
        let (cause, priority) = match info.ui_mode {
            _ if kept.is_request() => (Cause::ClientInitiated, Priority::User),
            INTERACTIVE => (Cause::ServerInitiated, Priority::User),
            _ => (Cause::ServerInitiated, Priority::Server),
        };
        Self {
            id: info.session_id,
            server_id: info.server_id.clone(),
            dm_session_id: info.dm_session_id,
            cause,
            priority,
            due: Due::Now,
            attempts: 0,
            until_ms: now.mono_ms.saturating_add(left_s.saturating_mul(1000)),
            kept,
        }
    }

    /// True for the host's own session that an earlier life of the client had begun.
    pub(super) fn is_resumed_request(&self) -> bool {
        self.kept.is_request() && self.kept.begun > 0
    }

    fn is_due(&self, now: Now) -> bool {
        match self.due {
            Due::Now => true,
            Due::At(at_ms) => at_ms <= now.mono_ms,
            Due::Network | Due::Card => false,
        }
    }
}

/// Sessions that wait.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    waiting: Vec<Wanted>,
}

impl Schedule {
    pub(super) fn push(&mut self, wanted: Wanted) {
        self.waiting.push(wanted);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Wanted> {
        self.waiting.iter()
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Wanted> {
        let at = self.waiting.iter().position(|wanted| wanted.id == id)?;
        Some(self.waiting.remove(at))
    }

    /// The session that begins now: the most urgent, of equals the oldest.
    pub(super) fn next(&mut self, now: Now) -> Option<Wanted> {
        let due = self.waiting.iter().enumerate().filter(|(_, wanted)| wanted.is_due(now));
        let (at, _) = due.min_by_key(|(_, wanted)| wanted.priority)?;
        Some(self.waiting.remove(at))
    }

    /// One that has waited too long.
    pub(super) fn overdue(&mut self, now: Now) -> Option<Wanted> {
        let at = self.waiting.iter().position(|wanted| wanted.until_ms <= now.mono_ms)?;
        Some(self.waiting.remove(at))
    }

    /// When [`next`](Self::next) or [`overdue`](Self::overdue) has one, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<u64> {
        let of = |wanted: &Wanted| match wanted.due {
            Due::Now => 0,
            Due::At(at_ms) => at_ms.min(wanted.until_ms),
            Due::Network | Due::Card => wanted.until_ms,
        };
        self.waiting.iter().map(of).min()
    }

    /// What waited for this may begin.
    pub(super) fn came(&mut self, what: Due) {
        for wanted in self.waiting.iter_mut().filter(|wanted| wanted.due == what) {
            wanted.due = Due::Now;
        }
    }

    /// The host's own session with this server that an earlier life of the client had begun, made due at once:
    /// whoever asks for it anew shall have it.
    pub(super) fn take_over(&mut self, server_id: &str) -> Option<u64> {
        let is_it =
            |wanted: &&mut Wanted| wanted.is_resumed_request() && wanted.server_id == server_id;
        let wanted = self.waiting.iter_mut().find(is_it)?;
        wanted.due = Due::Now;
        Some(wanted.id)
    }
}

/// What becomes of a session after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    End,
    Wait(Due),
}

/// The rules of trying again. Only what may pass by itself is worth it: a server that cannot be reached
/// or has no time. `retry_after_s` is the server's own wish.
pub(super) fn after(
    error: &Error,
    wanted: &Wanted,
    retries: u32,
    retry_after_s: Option<u32>,
    now: Now,
    random: &mut dyn Random,
) -> Then {
    let passing = match error.code() {
        Code::NoNetwork => return Then::Wait(Due::Network),
        Code::Connect | Code::Io | Code::Timeout => true,
        Code::Http => PASSING.contains(&error.http_status),
        _ => false,
    };
    if !passing || wanted.attempts >= retries {
        return Then::End;
    }
    let wish_ms = u64::from(retry_after_s.unwrap_or(0)) * 1000;
    let pause_ms = pause_ms(wanted.attempts, random).max(wish_ms);
    let at_ms = now.mono_ms.saturating_add(pause_ms);
    if at_ms >= wanted.until_ms { Then::End } else { Then::Wait(Due::At(at_ms)) }
}

/// Twice as long after each failure, and a quarter more or less by chance, so that the phones of a
/// network do not come back all at once.
fn pause_ms(attempts: u32, random: &mut dyn Random) -> u64 {
    let (least, most) = limits::RETRY_MS;
    let plain = least.saturating_mul(1 << attempts.min(16)).min(most);
    let mut dice = [0; 2];
    random.fill(&mut dice);
    let spread = plain / 2;
    plain - spread / 2 + spread * u64::from(u16::from_be_bytes(dice)) / u64::from(u16::MAX)
}

/// Keeps a session for after the end of the process.
pub(super) fn keep(txn: &mut Txn, kept: &Kept) {
    let info = &kept.info;
    let mut record = vec![FORM, info.source as u8, info.ui_mode, info.by_server.into(), kept.begun];
    record.extend(info.slot.to_be_bytes());
    record.extend(kept.until_s.to_be_bytes());
    put(&mut record, &info.vendor);
    txn.put(Table::Schedule, &kept.key(), record);
}

/// Every session that was kept, without the number of its session, which is new each time.
pub(super) fn kept(reader: &dyn Reader) -> Result<Vec<Kept>> {
    let mut found = Vec::new();
    let mut faulty = false;
    reader.scan(Table::Schedule, b"", b"", &mut |key, value| {
        match read(key, value) {
            Some(kept) => found.push(kept),
            None => faulty = true,
        }
        ControlFlow::Continue(())
    })?;
    if faulty {
        return Err(Error::new(Code::StorageCorrupt, "schedule: a record of unknown form"));
    }
    Ok(found)
}

fn read(key: &[u8], value: &[u8]) -> Option<Kept> {
    let (dm_session_id, server_id) = key.split_first_chunk()?;
    let mut input = Unpack(value);
    let [form, source, ui_mode, by_server, begun] = input.array()?;
    let slot = u32::from_be_bytes(input.array()?);
    let until_s = i64::from_be_bytes(input.array()?);
    let vendor = input.octets()?.to_vec();
    let info = TriggerInfo {
        source: TriggerSource::from_number(source.into())?,
        slot,
        session_id: 0,
        server_id: std::str::from_utf8(server_id).ok()?.to_owned(),
        dm_session_id: u16::from_be_bytes(*dm_session_id),
        ui_mode,
        by_server: by_server == 1,
        vendor,
    };
    input.end((form == FORM).then_some(Kept { info, until_s, begun }))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;
    use crate::store::memory::MemoryStore;
    use std::sync::Arc;

    const NOW: Now = Now { mono_ms: 1000, unix_s: 1_700_000_000 };

    /// The same octets each time.
    struct Loaded(u8);

    impl Random for Loaded {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn info(server_id: &str, dm_session_id: u16, ui_mode: u8) -> TriggerInfo {
        TriggerInfo {
            source: TriggerSource::Card,
            slot: 2,
            session_id: 0,
            server_id: server_id.into(),
            dm_session_id,
            ui_mode,
            by_server: true,
            vendor: vec![1, 2, 3],
        }
    }

    fn kept_of(info: TriggerInfo) -> Kept {
        Kept { info, until_s: NOW.unix_s + 60, begun: 1 }
    }

    fn host(id: u64) -> Wanted {
        Wanted::requested(id, "a".into(), 1, NOW)
    }

    fn next(attempts: u32, error: &Error, wish: Option<u32>, dice: u8) -> Then {
        let wanted = Wanted { attempts, ..host(1) };
        after(error, &wanted, 3, wish, NOW, &mut Loaded(dice))
    }

    #[test]
    fn pauses_double_and_vary_by_a_quarter() {
        let error = Error::new(Code::Connect, "");
        let at = |ms: u64| Then::Wait(Due::At(NOW.mono_ms + ms));
        assert_eq!(next(0, &error, None, 0), at(22_500));
        assert_eq!(next(0, &error, None, 0xFF), at(37_500));
        assert_eq!(next(1, &error, None, 0xFF), at(75_000));
        assert_eq!(next(2, &error, None, 0), at(90_000));
        assert_eq!(next(3, &error, None, 0), Then::End);
        assert_eq!(pause_ms(40, &mut Loaded(0)), limits::RETRY_MS.1 / 4 * 3);
        assert_eq!(next(0, &error, Some(600), 0), at(600_000));
        assert_eq!(next(0, &error, Some(48 * 3600), 0), Then::End);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let http = |status| Error::new(Code::Http, "").with_http_status(status);
        for error in [Error::new(Code::Io, ""), Error::new(Code::Timeout, ""), http(503), http(408)]
        {
            assert_ne!(next(0, &error, None, 0), Then::End, "{error:?}");
        }
        for error in [
            http(404),
            http(302),
            Error::new(Code::Tls, ""),
            Error::new(Code::CardRemoved, ""),
            Error::new(Code::AuthServer, ""),
            Error::new(Code::Cancelled, ""),
        ] {
            assert_eq!(next(0, &error, None, 0), Then::End, "{error:?}");
        }
        let no_network = Error::new(Code::NoNetwork, "");
        assert_eq!(next(9, &no_network, None, 0), Then::Wait(Due::Network));
    }

    #[test]
    fn the_most_urgent_goes_first_and_of_equals_the_oldest() {
        let mut schedule = Schedule::default();
        let notified =
            |id, ui_mode| Wanted { id, ..Wanted::of(kept_of(info("s", 1, ui_mode)), NOW) };
        schedule.push(Wanted { due: Due::At(NOW.mono_ms + 5), ..host(1) });
        schedule.push(Wanted { priority: Priority::Later, ..host(2) });
        schedule.push(notified(3, 1));
        schedule.push(Wanted { due: Due::Network, ..host(4) });
        schedule.push(notified(5, 3));
        schedule.push(host(6));
        assert_eq!(schedule.deadline(), Some(0));
        let mut order = Vec::new();
        while let Some(wanted) = schedule.next(NOW) {
            order.push(wanted.id);
        }
        assert_eq!(order, [5, 6, 3, 2]);
        assert_eq!(schedule.deadline(), Some(NOW.mono_ms + 5));
        schedule.came(Due::Network);
        assert_eq!(schedule.next(NOW).unwrap().id, 4);
        assert_eq!(schedule.next(Now { mono_ms: NOW.mono_ms + 5, ..NOW }).unwrap().id, 1);
    }

    #[test]
    fn nothing_waits_for_ever() {
        let mut schedule = Schedule::default();
        schedule.push(Wanted { due: Due::Card, ..Wanted::of(kept_of(info("s", 1, 1)), NOW) });
        assert_eq!(schedule.deadline(), Some(NOW.mono_ms + 60_000));
        assert!(schedule.overdue(NOW).is_none());
        assert!(schedule.overdue(Now { mono_ms: NOW.mono_ms + 60_000, ..NOW }).is_some());
    }

    #[test]
    fn records_come_back_each_under_its_key() {
        let db = Database::new(Arc::new(MemoryStore::new())).unwrap();
        let request = Kept { begun: 2, ..host(7).kept };
        let mut all = [request, kept_of(info("a", 1, 1)), kept_of(info("b", 0x1234, 3))];
        let mut txn = db.begin().unwrap();
        all.iter().for_each(|one| keep(&mut txn, one));
        txn.commit().unwrap();
        // The number of a session is new each time.
        all[0].info.session_id = 0;
        assert_eq!(kept(&db.read().unwrap()).unwrap(), all);
        let resumed = Wanted::of(all[0].clone(), NOW);
        assert_eq!((resumed.cause, resumed.priority), (Cause::ClientInitiated, Priority::User));
        let mut txn = db.begin().unwrap();
        txn.delete(Table::Schedule, &all[1].key());
        txn.put(Table::Schedule, b"\0\x01x", vec![9]);
        txn.commit().unwrap();
        assert_eq!(kept(&db.read().unwrap()).unwrap_err().code(), Code::StorageCorrupt);
    }

    #[test]
    fn a_resumed_session_of_the_host_is_taken_over_by_who_asks_anew() {
        let mut schedule = Schedule::default();
        schedule.push(host(1));
        assert_eq!(schedule.take_over("a"), None);
        let resumed = Kept { begun: 1, ..host(2).kept };
        schedule.push(Wanted { due: Due::Card, ..Wanted::of(resumed, NOW) });
        assert_eq!(schedule.take_over("b"), None);
        assert_eq!(schedule.take_over("a"), Some(2));
        assert!(schedule.iter().all(|wanted| wanted.due == Due::Now));
    }
}
