use super::*;
use proptest::prelude::*;

/// Octets that look like a command of some kind with some objects.
fn commands() -> impl Strategy<Value = Vec<u8>> {
    let object = (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..12));
    let objects = proptest::collection::vec(object, 0..6);
    let kinds = prop_oneof![0u8..0x28, 0x40u8..0x48, any::<u8>()];
    (kinds, any::<u8>(), 0x20u8..0x29, objects).prop_map(|(kind, qualifier, device, objects)| {
        let mut body = vec![0x81, 3, 1, kind, qualifier, 0x82, 2, 0x81, device];
        for (tag, value) in objects {
            body.extend([tag, value.len() as u8]);
            body.extend(value);
        }
        let mut octets = vec![0xD0];
        if body.len() > 0x7F {
            octets.push(0x81);
        }
        octets.push(body.len() as u8);
        octets.extend(body);
        octets
    })
}

fn engine() -> Cat {
    Cat::new(Config { capabilities: Capabilities::all(), ..Config::default() })
}

proptest! {
    #[test]
    fn sc_087_any_commands_are_answered_or_asked(
        list in proptest::collection::vec(commands(), 1..20),
    ) {
        let mut cat = engine();
        let mut now = Now::default();
        for octets in list {
            now.mono_ms += 7000;
            let mut reaction = cat.proactive(&octets, now).unwrap();
            if cat.is_waiting() {
                prop_assert!(reaction.terminal_response.is_none());
                prop_assert!(cat.next_envelope(now).is_none());
                reaction = cat.complete(HostAnswer::Failed(Failure::Back)).unwrap();
            }
            let response = reaction.terminal_response.unwrap();
            prop_assert!(response.len() <= 255);
            prop_assert_eq!(&response[..3], &[0x81, 3, 1]);
            if let Some(client) = cat.bip_mut().connect(3516) {
                cat.bip_mut().write(client, &octets);
            }
            while cat.next_envelope(now).is_some() {
                cat.envelope_answered(0x9000, now);
            }
        }
    }

    #[test]
    fn any_octets_are_answered_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut cat = engine();
        let whole = [&[0xD0, octets.len() as u8, 0x81, 3, 1, 0x40, 0][..], &octets].concat();
        let _ = cat.proactive(&octets, Now::default());
        cat.reset();
        let _ = cat.proactive(&whole, Now::default());
    }
}
