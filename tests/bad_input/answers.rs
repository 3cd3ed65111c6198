//! Answers that cannot be right.

use super::*;

/// A card that cuts one answer down to one octet, at each place of the whole flow.
#[test]
fn answer_with_a_wrong_length_at_each_exchange() {
    let [opened, read, toolkit, _, done] = exchanges();
    for at in 1..=done {
        let sim = demo(|demo| demo.card.faults.short_answer_at = Some(u32::try_from(at).unwrap()));
        let phone = Facade::new();
        let before = phone.accounts_and_tree();
        let outcome = phone.client.open_card(0, sim.boxed());
        let card = match outcome {
            Ok(card) => card,
            Err(error) => {
                assert!(at <= opened, "at {at}");
                assert_eq!(error.code() as i32, -103, "at {at}: {error}");
                assert!(error.what().ends_with("response APDU of 1 octets"), "{error}");
                assert!(phone.accounts_and_tree() == before);
                continue;
            }
        };
        if let Err(error) = phone.client.bootstrap_card(card) {
            assert!((opened..=read).contains(&at), "at {at}");
            assert_eq!(error.code() as i32, -103, "at {at}: {error}");
            let text = error.what();
            assert!(text.starts_with("reading the PKCS#15 objects: "), "{text}");
            assert!(text.ends_with("response APDU of 1 octets"), "{text}");
            assert!(phone.accounts_and_tree() == before);
            let applied = phone.of(EventKind::BootstrapApplied);
            assert_eq!((applied.len(), applied[0].status), (1, -103));
            // It was once: the next try goes well.
            assert_eq!(phone.client.bootstrap_card(card).unwrap().accounts_added, 1);
        }
        if let Err(error) = phone.client.start_toolkit(card) {
            assert!((read + 1..=toolkit).contains(&at), "at {at}");
            assert!(fails_at_the_start(error.what(), "response APDU of 1 octets"), "{error}");
            phone.client.start_toolkit(card).unwrap();
        }
        phone.settle();
        phone.deliver(sim.push()).unwrap();
        phone.settle();
        if phone.ended().is_empty() {
            phone.advance(30_000);
        }
        // A command that was lost is repeated, or its session ends when nothing comes any more.
        let ended = phone.ended();
        assert_eq!(ended.len(), 1, "at {at}: {ended:?}");
        assert!(
            [
                (0, ""),
                (-9, "HTTP: the server is silent"),
                (-300, "the card's web server does not listen, or serves somebody else")
            ]
            .contains(&(ended[0].0, &ended[0].1)),
            "at {at}: {ended:?}"
        );
        assert!(ended[0].0 == 0 || at > read + 1, "at {at}: {ended:?}");
    }
}

#[test]
fn answer_without_octets_and_answer_longer_than_the_array() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let card = phone.open(&sim, 0).unwrap();
    let status = [0x80, 0xF2, 0x00, 0x0C, 0x00];
    sim.script(|_| Instead::Answer(Vec::new()));
    assert_failure(&card.transmit(&status).unwrap_err(), -103, "response APDU of 0 octets");
    for claim in [4097, usize::MAX] {
        sim.script(move |_| Instead::Claim(claim));
        let text = format!("transmit: callback claims {claim} octets of 4096");
        assert_failure(&card.transmit(&status).unwrap_err(), -10, &text);
    }
    sim.plain();
    assert_eq!(card.transmit(&status).unwrap(), [0x90, 0x00]);
}

#[test]
fn a_card_that_refuses_everything() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let before = vault.state();
    sim.script(|_| Instead::Answer(vec![0x6F, 0x00]));
    let failure = phone.open(&sim, 0).err().unwrap();
    assert_eq!((failure.status, failure.card_sw), (-104, 0x6F00), "{}", failure.message);
    assert_eq!(
        failure.message,
        "reading EF.ICCID: SELECT 2FE2: SELECT: SW 6F00 (technical problem)"
    );
    assert!(vault.state() == before);
}

#[test]
fn a_card_without_a_toolkit() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let card = phone.open(&sim, 0).unwrap();
    card.bootstrap().unwrap();
    sim.script(|command| match command[1] {
        0x10 => Instead::Answer(vec![0x6D, 0x00]),
        _ => Instead::PassOn,
    });
    let failure = card.toolkit_start().unwrap_err();
    assert_eq!((failure.status, failure.card_sw), (-104, 0x6D00));
    assert_eq!(failure.message, "TERMINAL PROFILE: SW 6D00 (instruction not supported)");
    // A session with the card's web server is not possible then.
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, -5));
    session.free();
    assert_eq!(phone.ears.ended()[0].2, "the card's toolkit was not started");
}
