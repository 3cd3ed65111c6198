//! Many phones with a card each in one process, their sessions interleaved on several threads: nothing is
//! shared between them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use dmsc::client::CardSignal;
use dmsc::driver::Ran;
use std::time::Duration;
use support::facade::Facade;
use support::sim::{Sim, scripted};

const THREADS: usize = 5;
const PHONES: usize = 10;

/// A phone whose card says which phone it belongs to.
struct Pair {
    number: usize,
    phone: Facade,
    sim: Sim,
}

impl Pair {
    fn new(number: usize) -> Self {
        let mut profile = scripted(&format!(
            r#"[[package]]
            commands = [
                {{ get = "./DevInfo/DevId", results = "IMEI:{number:015}" }},
                {{ add = "./Owner", format = "node", expect = [200, 418] }},
                {{ add = "./Owner/Name", value = "none", expect = [200, 418] }},
                {{ replace = "./Owner/Name", value = "{number} in session {{session}}" }},
            ]"#
        ));
        profile.card.iccid = format!("898821{number:013}");
        profile.account.client.secret = format!("secret of {number}");
        profile.server.seed = Some(number as u64);
        let device = format!("IMEI:{number:015}");
        let phone = Facade::configured(&|config| config.device.device_id.clone_from(&device));
        let sim = Sim::new(profile);
        let card = phone.ready(&sim);
        sim.card().trigger();
        phone.client.notify_card(card, CardSignal::Proactive).unwrap();
        Self { number, phone, sim }
    }

    fn verify(&self, sessions: usize) {
        let (number, report) = (self.number, self.sim.card().report());
        assert_eq!(self.phone.ended(), vec![(0, String::new()); sessions], "{number}: {report}");
        let wanted = format!("{number} in session {sessions}");
        assert_eq!(self.phone.text("./Owner/Name"), Some(wanted), "{report}");
        let card = self.sim.card();
        assert_eq!((card.good_sessions() as usize, card.bad_sessions()), (sessions, 0), "{report}");
    }
}

/// Lets each phone do one step in turn until all are at rest.
fn interleave(pairs: &[Pair]) {
    loop {
        let steps = pairs.iter().map(|pair| pair.phone.client.run_once(Duration::ZERO).unwrap());
        if steps.filter(|ran| *ran != Ran::Nothing).count() == 0 {
            return;
        }
    }
}

#[test]
fn many_phones_in_one_process_share_nothing() {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let numbers = thread * PHONES..(thread + 1) * PHONES;
                let pairs: Vec<Pair> = numbers.map(Pair::new).collect();
                interleave(&pairs);
                pairs.iter().for_each(|pair| pair.verify(1));
                for pair in &pairs {
                    pair.phone.deliver(pair.sim.push()).unwrap();
                }
                interleave(&pairs);
                pairs.iter().for_each(|pair| pair.verify(2));
            });
        }
    });
}
