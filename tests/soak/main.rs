//! Hours of everything at once, on a clock of the test: triggers from the card's timer and by push, a card
//! that is pulled and put back, a network that breaks, a client that is started again on its store, and
//! attacks, mixed by a seed. In the end nothing is lost, nothing was done twice, nothing hangs.
//!
//! `DMSC_SOAK_HOURS` sets the simulated hours, `DMSC_SOAK_SEED` the first seed; `make soak` takes 24 hours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

#[path = "../support/dice.rs"]
mod dice;
#[path = "../../benches/common/heap.rs"]
mod heap;
mod model;
mod phone;
mod servers;
mod world;

use world::{Lives, World};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

const HOUR: u64 = 3_600_000;

// One test: the counters of the heap are those of the whole process.
#[test]
fn hours_of_everything_lose_nothing() {
    let hours = number("DMSC_SOAK_HOURS", 3);
    let first = number("DMSC_SOAK_SEED", 1);
    for seed in first..first + number("DMSC_SOAK_SEEDS", 2) {
        let mut world = World::new(seed, Lives::Many);
        world.live(hours * HOUR);
        world.calm_down();
        model::holds(&world);
        println!("seed {seed}, {hours} h: {}", world.summary());
    }
    // A client that nobody ends holds no more after all the hours than after the first.
    let held = [1, hours].map(|hours| {
        let mut world = World::new(first, Lives::One);
        world.live(hours * HOUR);
        world.octets_of_client()
    });
    println!("octets of one client after an hour and after {hours}: {held:?}");
    model::memory_is_flat(held);
}
