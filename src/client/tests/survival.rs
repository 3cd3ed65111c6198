//! What outlives the end of the process, in order or not, and what a store that fails leaves behind.

use super::*;
use crate::limits;
use crate::store::{Batch, Snapshot, Table};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use uicc_sim::dm::notification::UiMode;

/// A store in memory that can be made to fail.
#[derive(Default)]
struct Fragile {
    content: MemoryStore,
    /// Nothing is written any more, as after a loss of power.
    off: AtomicBool,
    /// Records of sessions cannot be taken out.
    clings: AtomicBool,
    refused: AtomicU64,
}

impl Store for Fragile {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.content.snapshot()
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        let takes_out = batch.table(Table::Schedule).values().any(Option::is_none);
        let clings = self.clings.load(Ordering::SeqCst) && takes_out;
        if self.off.load(Ordering::SeqCst) || clings {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(Error::new(Code::StorageIo, "the store fails"));
        }
        self.content.commit(batch)
    }
}

impl Fragile {
    /// Number of sessions that are kept for a later life of the client.
    fn kept(&self) -> usize {
        let mut kept = 0;
        let snapshot = self.content.snapshot().unwrap();
        let mut count = |_: &[u8], _: &[u8]| {
            kept += 1;
            ControlFlow::Continue(())
        };
        snapshot.scan(Table::Schedule, b"", b"", &mut count).unwrap();
        kept
    }
}

/// A phone that loses its power once its session has sent something.
fn interrupted(store: &Arc<Fragile>) {
    let bench = Bench::on(store.clone(), profile(CONFIRM));
    let id = bench.start();
    assert!(bench.run(5, Bench::is_asked));
    assert!(!bench.has_ended(id));
    lose_power(store, bench);
}

fn lose_power(store: &Fragile, bench: Bench) {
    store.off.store(true, Ordering::SeqCst);
    drop(bench);
    store.off.store(false, Ordering::SeqCst);
}

/// Ids of the sessions whose events of this kind were heard.
fn sessions(bench: &Bench, kind: EventKind) -> Vec<u64> {
    let heard = bench.heard.lock();
    heard.events.iter().filter(|event| event.kind == kind).map(|event| event.session_id).collect()
}

#[test]
fn the_record_of_an_ended_session_goes_when_the_store_works_again() {
    let store = Arc::new(Fragile::default());
    let bench = Bench::on(store.clone(), profile(GET));
    store.clings.store(true, Ordering::SeqCst);
    let id = bench.start();
    assert_eq!(bench.end(id, 5), None);
    assert_eq!(store.kept(), 1);
    // 30 s, 60 s, 120 s and so on: nobody hammers the store, and nobody gives up.
    bench.run(3600, |_| false);
    assert_eq!(store.refused.load(Ordering::SeqCst), 7);
    // Another session is not held up, and its own record waits with the other.
    let second = bench.start();
    assert_eq!(bench.end(second, 5), None);
    store.clings.store(false, Ordering::SeqCst);
    assert!(bench.run(3600, |_| store.kept() == 0));
    drop(bench);
    let bench = Bench::on(store, profile(GET));
    assert_eq!(sessions(&bench, EventKind::SessionRequested), [] as [u64; 0]);
}

#[test]
fn a_record_that_is_left_over_goes_with_the_client_at_the_latest() {
    let store = Arc::new(Fragile::default());
    let bench = Bench::on(store.clone(), profile(GET));
    store.clings.store(true, Ordering::SeqCst);
    let id = bench.start();
    assert_eq!(bench.end(id, 5), None);
    bench.run(30, |_| false);
    store.clings.store(false, Ordering::SeqCst);
    drop(bench);
    assert_eq!(store.kept(), 0);
}

#[test]
fn a_session_of_the_host_that_lost_its_power_is_held_again() {
    let store = Arc::new(Fragile::default());
    interrupted(&store);
    assert_eq!(store.kept(), 1);
    let bench = Bench::on(store.clone(), profile(GET));
    let [id] = sessions(&bench, EventKind::SessionRequested)[..] else { panic!("none") };
    assert_eq!(bench.end(id, 5), None);
    assert_eq!(store.kept(), 0);
    drop(bench);
    let bench = Bench::on(store, profile(GET));
    assert_eq!(sessions(&bench, EventKind::SessionRequested), [] as [u64; 0]);
}

#[test]
fn who_asks_anew_gets_the_session_that_was_interrupted() {
    let store = Arc::new(Fragile::default());
    interrupted(&store);
    let mut bench = Bench::without_card(store.clone());
    let [id] = sessions_after(&bench, 0)[..] else { panic!("none") };
    assert_eq!(bench.client.start_session(Some("sc".into())).unwrap(), id);
    // Without the card it waits for it, as it would have without being asked for.
    bench.settle();
    assert!(!bench.has_ended(id));
    bench.insert(profile(CONFIRM));
    assert!(bench.run(5, Bench::is_asked));
    assert_eq!(bench.start(), id);
    bench.question().answer(Answer::Accepted).unwrap();
    assert_eq!(bench.end(id, 5), None);
    assert_eq!(sessions(&bench, EventKind::SessionRequested), [id]);
    assert_ne!(bench.start(), id);
}

/// As [`sessions`] of those that were requested, once everything due has been done.
fn sessions_after(bench: &Bench, limit_s: u64) -> Vec<u64> {
    bench.run(limit_s, |_| false);
    sessions(bench, EventKind::SessionRequested)
}

#[test]
fn a_session_that_always_ends_the_process_is_given_up() {
    let store = Arc::new(Fragile::default());
    interrupted(&store);
    for _ in 0..limits::SESSION_RESTARTS {
        let bench = Bench::on(store.clone(), profile(CONFIRM));
        assert!(bench.run(5, Bench::is_asked));
        lose_power(&store, bench);
        assert_eq!(store.kept(), 1);
    }
    let bench = Bench::on(store.clone(), profile(CONFIRM));
    let [id] = sessions(&bench, EventKind::SessionRequested)[..] else { panic!("none") };
    assert_eq!(bench.end(id, 5), Some(Code::Aborted));
    assert_eq!(store.kept(), 0);
}

#[test]
fn a_client_that_is_closed_in_order_ends_the_sessions_of_its_host() {
    let store = Arc::new(Fragile::default());
    let bench = Bench::on(store.clone(), profile(CONFIRM));
    bench.start();
    assert!(bench.run(5, Bench::is_asked));
    assert_eq!(store.kept(), 1);
    drop(bench);
    assert_eq!(store.kept(), 0);
}

#[test]
fn what_a_server_asked_for_outlives_a_client_that_is_closed_in_order() {
    let store = Arc::new(Fragile::default());
    let bench = Bench::on(store.clone(), profile(CONFIRM));
    bench.deliver("sc", UiMode::Background, 0x77, b"second").unwrap();
    assert!(bench.run(5, Bench::is_asked));
    drop(bench);
    assert_eq!(store.kept(), 1);
    let bench = Bench::on(store, profile(GET));
    let [id] = sessions(&bench, EventKind::SessionRequested)[..] else { panic!("none") };
    assert_eq!(bench.end(id, 5), None);
}

#[test]
fn a_session_that_waits_for_another_attempt_outlives_the_process() {
    let mut silent = profile(GET);
    silent.account.address = "http://127.0.0.1:3517/dm".into();
    let store = Arc::new(Fragile::default());
    let mut bench = Bench::configured(store.clone(), |config| config.network.retries = 2);
    bench.insert(silent);
    let id = bench.start();
    let is_deferred = |bench: &Bench| !sessions(bench, EventKind::SessionDeferred).is_empty();
    assert!(bench.run(60, is_deferred));
    assert!(!bench.has_ended(id));
    lose_power(&store, bench);
    assert_eq!(store.kept(), 1);
}
