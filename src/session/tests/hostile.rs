//! What a broken or hostile server can send: the engine returns, and the store stays usable.

use super::*;
use proptest::prelude::*;

/// A message with something of everything.
fn rich_message(bench: &mut Bench) -> Vec<u8> {
    let atomic =
        [add(5, "./Lab/A", "1"), alert(6, 1101, &["DR=1", "Sure?"]), replace(7, "./Lab/A", "2")];
    let body = [
        get(2, "./Lab?list=StructData"),
        command("Add", 3, "./Lab/B", &format!("{}<Data>x</Data>", metinf(&["Size=1"]))),
        group("Atomic", 4, &atomic),
        group("Sequence", 8, &[delete(9, "./Lab/A"), command("Exec", 10, "./Lab/B", "")]),
        command("Copy", 11, "./Lab/C", "<Source><LocURI>./Lab/B</LocURI></Source>"),
        alert(12, 1222, &[]),
    ];
    let text = bench.frame(&format!("{}<Final/>", body.concat()));
    bench.encode(&text)
}

/// Gives a message and answers whatever is asked, until the engine sends, ends or fails.
fn drive(bench: &mut Bench, octets: &[u8]) {
    let mut step = bench.give_octets(octets);
    for _ in 0..100 {
        let context = Context { db: &bench.db, now: NOW, random: &mut Counting(0) };
        let engine = bench.engine.as_mut().unwrap();
        step = match step {
            Ok(Step::Ask(alert)) => {
                let answer = match alert.kind {
                    Kind::Display | Kind::Confirm => Answer::Accepted,
                    _ => Answer::Cancelled,
                };
                engine.answer(context, answer)
            }
            Ok(Step::Execute(_)) => engine.executed(context, 200),
            Ok(Step::Send(outgoing)) => {
                syncml::read(&outgoing.body).unwrap();
                break;
            }
            Ok(Step::Done) => break,
            Err(error) => {
                engine.abort(context, &error);
                break;
            }
        };
    }
    assert!(bench.db.begin().is_ok(), "the store is left open");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_messages(
        wbxml in any::<bool>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 0..6),
    ) {
        let encoding = if wbxml { Encoding::Wbxml } else { Encoding::Xml };
        let mut bench = Bench::new(encoding).started();
        let mut octets = rich_message(&mut bench);
        for (at, octet, kind) in edits {
            let at = at.index(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                _ => drop(octets.remove(at)),
            }
        }
        drive(&mut bench, &octets);
    }

    #[test]
    fn commands_in_any_order(
        wbxml in any::<bool>(),
        picks in prop::collection::vec((0..10usize, any::<bool>(), any::<bool>()), 1..30),
    ) {
        let encoding = if wbxml { Encoding::Wbxml } else { Encoding::Xml };
        let mut bench = Bench::new(encoding).started();
        bench.header = metinf(&["MaxMsgSize=1500"]);
        let commands: Vec<_> = (2..).zip(&picks).map(|(id, (kind, grouped, atomic))| {
            let chunk = format!("{}<Data>x</Data><MoreData/>", metinf(&["Size=2"]));
            let command = match kind {
                0 => add(id, "./Lab/A", "1"),
                1 => replace(id, "./Lab/A", "2"),
                2 => delete(id, "./Lab/A"),
                3 => get(id, "./Lab"),
                4 => command("Add", id, "./Lab/A", &chunk),
                5 => command("Add", id, "./Lab/A", "<Data>y</Data>"),
                6 => alert(id, 1101, &["", "Sure?"]),
                7 => alert(id, 1103, &["", "Pick", "a"]),
                8 => command("Exec", id, "./Lab/A", ""),
                _ => alert(id, 1225, &[]),
            };
            let name = if *atomic { "Atomic" } else { "Sequence" };
            if *grouped { group(name, id + 1000, &[command]) } else { command }
        }).collect();
        let text = bench.frame(&commands.concat());
        let octets = bench.encode(&text);
        drive(&mut bench, &octets);
        prop_assert!(bench.sent.as_ref().unwrap().body.len() <= 16 * 1024);
    }

    #[test]
    fn large_values_arrive_whole(
        wbxml in any::<bool>(),
        value in "(a|&|<|ä|\u{1F600}| ){0,3000}",
        limit in 1200..4000u32,
    ) {
        let encoding = if wbxml { Encoding::Wbxml } else { Encoding::Xml };
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/Big", &value);
        bench.start();
        bench.header = metinf(&[&format!("MaxMsgSize={limit}")]);
        bench.say(&get(2, "./Lab/Big"));
        let mut text = String::new();
        for _ in 0..200 {
            let message = bench.message();
            prop_assert!(bench.sent.as_ref().unwrap().body.len() <= limit as usize);
            for command in &message.commands {
                let Command::Results(results) = command else { continue };
                for item in &results.items {
                    text += item.data.as_ref().and_then(|data| data.as_str()).unwrap_or_default();
                }
            }
            if message.is_final {
                break;
            }
            bench.say_more(&alert(2, 1222, &[]));
        }
        prop_assert_eq!(text, value);
    }
}

#[test]
fn deep_groups_are_refused_or_executed() {
    for depth in [10, 50, 70] {
        let mut bench = Bench::new(Encoding::Xml).started();
        let mut body = add(1000, "./Lab/A", "1");
        for id in 2..depth {
            body = group("Sequence", id, &[body]);
        }
        let text = bench.frame(&format!("{body}<Final/>"));
        drive(&mut bench, text.as_bytes());
    }
}
