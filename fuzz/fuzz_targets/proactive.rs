//! The toolkit engine under a run of proactive commands, each led by two octets: its length, and what the
//! host does before it.

#![no_main]

use dmsc::card::cat::{Capabilities, Cat, Config, Failure, HostAnswer};
use dmsc::time::Now;
use libfuzzer_sys::fuzz_target;

fn answer(choice: u8) -> HostAnswer {
    match choice % 4 {
        0 => HostAnswer::Failed(Failure::Back),
        1 => HostAnswer::YesNo(true),
        2 => HostAnswer::Text("12\u{20AC}".into()),
        _ => HostAnswer::Done,
    }
}

/// Takes all envelopes that are ready.
fn drain(cat: &mut Cat, choice: u8, now: Now) {
    for _ in 0..1000 {
        let Some(envelope) = cat.next_envelope(now) else { return };
        assert!(envelope.len() <= 255);
        cat.envelope_answered(if choice & 0x80 == 0 { 0x9000 } else { 0x9300 }, now);
        if choice & 0x80 != 0 {
            return;
        }
    }
    panic!("the envelopes never end");
}

fuzz_target!(|octets: &[u8]| {
    let mut cat = Cat::new(Config { capabilities: Capabilities::all(), ..Config::default() });
    let mut now = Now::default();
    let mut client = None;
    let mut rest = octets;
    while let [length, choice, more @ ..] = rest {
        let (command, after) = more.split_at(usize::from(*length).min(more.len()));
        rest = after;
        now.mono_ms += u64::from(*choice) * 700;
        if choice & 1 == 0 {
            client = cat.bip_mut().connect(3516).or(client);
        }
        if let Some(client) = client {
            cat.bip_mut().write(client, more);
            cat.bip_mut().read(client, &mut [0; 100]);
        }
        cat.expire(now);
        if cat.is_waiting() {
            continue;
        }
        if let Ok(mut reaction) = cat.proactive(command, now) {
            if cat.is_waiting() && choice & 2 == 0 {
                assert!(reaction.terminal_response.is_none());
                // An answer of another kind is refused, and the question stays open.
                match cat.complete(answer(choice >> 2)) {
                    Ok(done) => reaction = done,
                    Err(_) => reaction = cat.complete(HostAnswer::Failed(Failure::Back)).unwrap(),
                }
            }
            if let Some(response) = reaction.terminal_response {
                assert!(response.len() <= 255);
            }
        }
        if !cat.is_waiting() {
            drain(&mut cat, *choice, now);
        }
        let _ = cat.deadline();
    }
});
