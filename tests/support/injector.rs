//! Proactive commands of a test, put between the toolkit and the simulated card.

use super::sim::{Instead, Sim};
use dmsc::bytes::hex;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct State {
    commands: VecDeque<Vec<u8>>,
    responses: Vec<String>,
    envelopes: Vec<String>,
}

/// Announces commands when the toolkit looks, and keeps what the terminal says.
#[derive(Clone, Default)]
pub(crate) struct Injector(Arc<Mutex<State>>);

impl Injector {
    pub(crate) fn of(sim: &Sim) -> Self {
        let injector = Self::default();
        let own = injector.clone();
        sim.script(move |command| own.exchange(command));
        injector
    }

    /// A command with these objects after details and device identities; `device` is its destination.
    pub(crate) fn queue(&self, kind: u8, qualifier: u8, device: u8, objects: &str) {
        let body = format!("810301{kind:02X}{qualifier:02X}820281{device:02X}{objects}");
        let length = body.len() / 2;
        let length =
            if length > 0x7F { format!("81{length:02X}") } else { format!("{length:02X}") };
        let command = hex::decode(&format!("D0{length}{body}")).unwrap();
        self.0.lock().unwrap().commands.push_back(command);
    }

    /// The responses since the last call, from the result on.
    pub(crate) fn responses(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().responses)
    }

    /// The envelopes since the last call.
    pub(crate) fn envelopes(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().envelopes)
    }

    fn exchange(&self, command: &[u8]) -> Instead {
        let mut state = self.0.lock().unwrap();
        match command.get(1) {
            Some(0x12) => {
                let mut answer = state.commands.pop_front().unwrap_or_default();
                answer.extend([0x90, 0x00]);
                return Instead::Answer(answer);
            }
            // Details and device identities are nine octets.
            Some(0x14) => state.responses.push(hex::encode(&command[5 + 9..])),
            Some(0xC2) => state.envelopes.push(hex::encode(&command[5..])),
            Some(0xF2) => {}
            _ => return Instead::PassOn,
        }
        let next = state.commands.front().map(|command| command.len() as u8);
        Instead::Answer(next.map_or(vec![0x90, 0x00], |length| vec![0x91, length]))
    }
}
