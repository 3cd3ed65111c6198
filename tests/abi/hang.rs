//! A card that never answers: the limit of one exchange, and cancelling from another thread.

use super::*;

const CANCELLED: i32 = -8;
const TIMEOUT: i32 = -9;
/// STATUS.
const STATUS: [u8; 5] = [0x80, 0xF2, 0x00, 0x0C, 0x00];
/// Longer than any test waits.
const FOR_EVER: u32 = u32::MAX;

#[test]
fn an_exchange_that_takes_too_long_is_a_timeout_and_the_next_one_works() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.open_transport(&sim.cancellable(20), 0).unwrap();
    assert_eq!(sim.cancels(), 0);
    sim.script(|_| Instead::Hang);
    let failure = card.transmit(&STATUS).unwrap_err();
    assert_eq!(failure.status, TIMEOUT, "{}", failure.message);
    assert!(failure.message.contains("did not answer in 20 ms"), "{}", failure.message);
    sim.plain();
    assert_eq!(card.transmit(&STATUS).unwrap(), [0x90, 0x00]);
    assert_eq!(sim.cancels(), 1);
    // A card that hangs while it is opened is not opened.
    sim.script(|_| Instead::Hang);
    let failure = phone.open_transport(&sim.cancellable(20), 1).err().unwrap();
    assert_eq!(failure.status, TIMEOUT, "{}", failure.message);
}

#[test]
fn an_exchange_is_cancelled_from_another_thread() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.open_transport(&sim.cancellable(FOR_EVER), 0).unwrap();
    sim.script(|_| Instead::Hang);
    thread::scope(|scope| {
        let hanging = scope.spawn(move || card.transmit(&STATUS).unwrap_err().status);
        sim.wait_for_hang();
        card.cancel().unwrap();
        assert_eq!(hanging.join().unwrap(), CANCELLED);
    });
    sim.plain();
    assert_eq!(card.transmit(&STATUS).unwrap(), [0x90, 0x00]);
    assert_eq!(card.bootstrap().unwrap().accounts_added, 1);
}

#[test]
fn closing_a_card_or_a_client_does_not_wait_for_a_card_that_hangs() {
    for whole_client in [false, true] {
        let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
        let card = phone.open_transport(&sim.cancellable(FOR_EVER), 0).unwrap();
        sim.script(|_| Instead::Hang);
        thread::scope(|scope| {
            let hanging = scope.spawn(move || card.transmit(&STATUS).unwrap_err().status);
            sim.wait_for_hang();
            if whole_client {
                phone.free();
            } else {
                card.close();
            }
            let status = hanging.join().unwrap();
            assert!([CANCELLED, STATE].contains(&status), "{status}");
        });
        assert_eq!(sim.destroyed(), 1);
    }
}

#[test]
fn what_cannot_be_interrupted_says_so() {
    // A card has to outlive its client.
    let other = Sim::named("demo");
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.open(&sim, 0).unwrap();
    assert_eq!(card.cancel().unwrap_err().status, -4);
    // With nothing to cancel it is harmless.
    let card = phone.open_transport(&other.cancellable(0), 1).unwrap();
    card.cancel().unwrap();
    assert_eq!(card.transmit(&STATUS).unwrap(), [0x90, 0x00]);
}

#[test]
fn flags_and_limits_of_a_transport_are_kept() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let transport = dmsc_card_transport { max_le: 100, flags: 1, ..sim.transport() };
    let longest = Arc::new(AtomicUsize::new(0));
    let most = Arc::clone(&longest);
    sim.script(move |command| {
        if command[1] == 0xB0 {
            let wanted = if command[4] == 0 { 256 } else { usize::from(command[4]) };
            most.fetch_max(wanted, Ordering::SeqCst);
        }
        Instead::PassOn
    });
    let card = phone.open_transport(&transport, 0).unwrap();
    assert_eq!(card.bootstrap().unwrap().accounts_added, 1);
    assert_eq!(longest.load(Ordering::SeqCst), 100);
}
