//! What a broken or hostile server can send: the engine returns, and the store stays usable.

use super::*;
use super::{auth, security};
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
            Ok(Step::Ask(alert) | Step::Consent(alert)) => {
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

/// Gives the same body until the session ends; the error and how many messages it took.
fn until_the_end(bench: &mut Bench, body: &str) -> (Code, u32) {
    for number in 1.. {
        match bench.give(body) {
            Ok(Step::Done) => panic!("it ended well"),
            Ok(_) => {}
            Err(error) => return (error.code(), number),
        }
    }
    unreachable!()
}

#[test]
fn endless_challenges_end_after_one_retry() {
    both(|encoding| {
        let client = credential("DIGEST", "Bruce2", "OhBehave", "Nonce");
        for code in [401, 407] {
            let mut bench = Bench::with(encoding, Some(client.clone()), None).started();
            bench.login = security::with_chal("md5", "fresh", code);
            assert_eq!(until_the_end(&mut bench, "<Final/>"), (Code::AuthClient, 2));
        }
    });
}

#[test]
fn endless_next_messages_end_at_the_limit() {
    both(|encoding| {
        for body in [alert(2, 1222, &[]), alert(2, 1222, &[]) + "<Final/>"] {
            let mut bench = Bench::new(encoding).started();
            let limit = crate::limits::SESSION_MESSAGES;
            assert_eq!(until_the_end(&mut bench, &body), (Code::TooLarge, limit + 1));
        }
    });
}

#[test]
fn references_to_other_messages_count_for_nothing() {
    both(|encoding| {
        let client = credential("DIGEST", "Bruce2", "OhBehave", "Nonce");
        let mut bench = Bench::with(encoding, Some(client), None)
            .set(|setup| setup.alerts.push(HostAlert::event(1, "x", "chr", "y")))
            .started();
        bench.login = "";
        let chal = security::with_chal("md5", "spoilt", 212);
        let status = |msg: &str, cmd: &str, name: &str, rest: &str| {
            format!(
                "<Status><CmdID>9</CmdID><MsgRef>{msg}</MsgRef><CmdRef>{cmd}</CmdRef><Cmd>{name}\
                 </Cmd>{rest}</Status>"
            )
        };
        let body = [
            status("7", "0", "SyncHdr", chal),
            status("x", "0", "SyncHdr", "<Data>401</Data>"),
            status("7", "3", "Alert", "<Data>200</Data>"),
            status("1", "77", "Alert", "<Data>200</Data>"),
            status("1", "", "", "<Data>200</Data>"),
            get(2, "./DevInfo/Man"),
        ];
        assert_eq!(bench.say(&body.concat())[1], "Status 1/2 Get 200 ./DevInfo/Man");
        assert_eq!(bench.engine().unanswered_alerts().len(), 1);
        let view = bench.db.read().unwrap();
        let account = dmacc::find(&view, "S1").unwrap().unwrap();
        assert_eq!(account.client.unwrap().nonce.expose(), b"Nonce");
    });
}

#[test]
fn a_replayed_message_is_executed_again_but_not_of_an_hmac_server() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let text = bench.frame(&(add(2, "./Lab/A", "1") + "<Final/>"));
        let step = bench.give_text(&text).unwrap();
        assert_eq!(bench.lines(step)[1], "Status 1/2 Add 200 ./Lab/A");
        let step = bench.give_text(&text).unwrap();
        assert_eq!(bench.lines(step)[1], "Status 1/2 Add 418 ./Lab/A");

        let server = credential("HMAC", "S1", "srvpwd", "theirs");
        let mut bench = Bench::with(encoding, None, Some(server)).started();
        let text = bench.frame(&(add(2, "./Lab/A", "1") + "<Final/>"));
        let octets = bench.encode(&text);
        let mac = auth::mac("S1", b"srvpwd", b"theirs", &octets);
        bench.hmac = Some(auth::hmac_header("S1", &mac));
        let step = bench.give_octets(&octets).unwrap();
        assert_eq!(bench.lines(step)[1], "Status 1/2 Add 200 ./Lab/A");
        let step = bench.give_octets(&octets).unwrap();
        assert_eq!(bench.lines(step)[1], "Status 1/2 Add 401");
        assert_eq!(bench.give_octets(&octets).unwrap_err().code(), Code::AuthServer);
    });
}

#[test]
fn a_second_header_is_no_message() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let text = bench.frame(&add(2, "./Lab/A", "1"));
        let (start, end) = (text.find("<SyncHdr>").unwrap(), text.find("</SyncHdr>").unwrap() + 10);
        let header = text[start..end].to_owned();
        let inside = text.replace("<SyncBody>", &format!("<SyncBody>{header}"));
        let before = text.replace("<SyncBody>", &format!("{header}<SyncBody>"));
        for text in [inside, before] {
            let mut bench = Bench::new(encoding).started();
            match bench.give_text(&text) {
                Err(error) => assert_eq!(error.code(), Code::Syntax),
                // As an unknown command it is refused like any other.
                Ok(step) => assert_eq!(bench.lines(step)[1], "Status 1/ SyncHdr 400"),
            }
        }
    });
}
