//! Large values of the host on their way to the server: DM-029 and DM-039, read part by part.

use super::vault::{Host, bench, ready};
use super::*;
use crate::tree::{Format, Hosted, Path};

const BIG: &str = "./Vault/Big";

/// A started session with a server of small messages, about a host that keeps `value`.
fn keeps(encoding: Encoding, format: Format, value: &[u8]) -> (Bench, Host, Arc<Hosted>) {
    let (mut bench, host, hosted) = bench(encoding);
    host.keep(BIG, format, value);
    bench.header = metinf(&["MaxMsgSize=2000"]);
    (bench, host, hosted)
}

/// The server's word on the client's last message, all of whose commands it has got.
fn next(bench: &mut Bench) -> Vec<String> {
    bench.say_more(&format!("{}<Final/>", alert(2, 1222, &[])))
}

/// Data of all Results items up to the client's Final, and the first Meta.
fn fetch(bench: &mut Bench) -> (Vec<u8>, Meta<'static>) {
    let (mut octets, mut first) = (Vec::new(), None);
    loop {
        assert!(bench.sent.as_ref().unwrap().body.len() <= 2000);
        let message = bench.message();
        for command in message.commands {
            let Command::Results(results) = command else { continue };
            assert_eq!(results.items.len(), 1);
            for item in results.items {
                assert_eq!(item.source.unwrap().uri, BIG);
                assert_eq!(item.meta.size.is_some(), first.is_none());
                first.get_or_insert(item.meta);
                octets.extend_from_slice(&item.data.unwrap().octets);
                assert_eq!(item.more_data, !message.is_final);
            }
        }
        if message.is_final {
            return (octets, first.unwrap());
        }
        next(bench);
    }
}

/// The callbacks that read, without their repetitions.
fn reading(host: &Host) -> Vec<String> {
    let mut heard = host.heard();
    heard.retain(|call| ["get", "open", "read", "close"].iter().any(|name| call.starts_with(name)));
    heard.dedup();
    heard
}

#[test]
fn dm_029_and_dm_039_a_large_text_of_the_host_is_read_as_it_is_sent() {
    both(|encoding| {
        // Letters of one to four octets, and some that XML escapes.
        let value = "a\u{e4}\u{20ac}\u{1d11e}<&>".repeat(1500);
        let (mut bench, host, _) = keeps(encoding, Format::Chr, value.as_bytes());
        bench.say(&get(2, BIG));
        assert_eq!(reading(&host), ["open ./Vault/Big", "read 1"]);
        let (octets, meta) = fetch(&mut bench);
        assert_eq!(String::from_utf8(octets).unwrap(), value);
        assert_eq!(meta.size, Some(value.len() as u64));
        assert_eq!(reading(&host), ["read 1", "close 1"]);
        assert_eq!(bench.say(""), ["Done"]);
    });
}

#[test]
fn dm_035_octets_travel_as_base64_in_xml() {
    for rest in 0..3 {
        let value: Vec<u8> = (0..20_000 + rest).map(|at| (at * 7) as u8).collect();
        let (mut bench, _, _) = keeps(Encoding::Wbxml, Format::Bin, &value);
        bench.say(&get(2, BIG));
        let (octets, meta) = fetch(&mut bench);
        assert_eq!(octets, value);
        assert_eq!((meta.format.as_deref(), meta.size), (Some("bin"), Some(value.len() as u64)));

        let (mut bench, _, _) = keeps(Encoding::Xml, Format::Bin, &value);
        bench.say(&get(2, BIG));
        let (text, meta) = fetch(&mut bench);
        assert_eq!((meta.format.as_deref(), meta.size), (Some("b64"), Some(text.len() as u64)));
        let text = String::from_utf8(text).unwrap();
        assert_eq!(crate::bytes::base64::decode(&text).unwrap(), value);
    }
}

#[test]
fn the_value_is_that_at_the_time_of_the_get() {
    both(|encoding| {
        let (mut bench, host, _) = keeps(encoding, Format::Chr, "old".repeat(8000).as_bytes());
        let lines = bench.say(&format!("{}{}", get(2, BIG), replace(3, BIG, "new")));
        assert_eq!(
            lines[1..3],
            ["Status 1/2 Get 200 ./Vault/Big", "Status 1/3 Replace 200 ./Vault/Big"]
        );
        bench.host(|tree| tree.delete(&at(BIG)).unwrap());
        assert_eq!(fetch(&mut bench).0, "old".repeat(8000).as_bytes());
        assert_eq!(host.heard().last().unwrap(), "close 1");
    });
}

#[test]
fn short_values_and_those_of_a_list_are_read_as_a_whole() {
    both(|encoding| {
        let (mut bench, host, _) = keeps(encoding, Format::Chr, "x".repeat(16 * 1024).as_bytes());
        bench.say(&get(2, BIG));
        fetch(&mut bench);
        assert_eq!(reading(&host), ["get ./Vault/Big"]);
        host.keep(BIG, Format::Chr, "x".repeat(20_000).as_bytes());
        bench.say(&get(2, "./Vault?list=StructData"));
        assert_eq!(reading(&host), ["get ./Vault/Big"]);
    });
}

#[test]
fn results_of_one_get_stay_in_order() {
    both(|encoding| {
        let (mut bench, host, _) = keeps(encoding, Format::Chr, "x".repeat(17_000).as_bytes());
        host.keep("./Vault/A", Format::Chr, b"first");
        host.keep("./Vault/B", Format::Chr, b"second");
        host.keep("./Vault/C", Format::Chr, b"last");
        bench.header = String::new();
        let item = |uri: &str| format!("<Item><Target><LocURI>{uri}</LocURI></Target></Item>");
        let items = ["./Vault/A", "./Vault/B", BIG, "./Vault/C"].map(item).concat();
        let lines = bench.say(&format!("<Get><CmdID>2</CmdID>{items}</Get>"));
        assert_eq!(lines[2], "Results 1/2 | ./Vault/A = first | ./Vault/B = second");
        assert!(lines[3].starts_with("Results 1/2 | ./Vault/Big size 17000 = "), "{lines:?}");
        assert_eq!(lines.len(), 4);
        let lines = next(&mut bench);
        assert!(lines[2].starts_with("Results 1/2 | ./Vault/Big = "), "{lines:?}");
        assert_eq!(lines[3..], ["Results 1/2 | ./Vault/C = last", "Final"]);
    });
}

#[test]
fn dm_040_what_the_server_may_not_or_cannot_have_is_not_read() {
    both(|encoding| {
        let value = "x".repeat(20_000);
        let (mut bench, host, _) = keeps(encoding, Format::Chr, value.as_bytes());
        bench.header = metinf(&["MaxMsgSize=2000", "MaxObjSize=19999"]);
        assert_eq!(bench.say(&get(2, BIG))[1], "Status 1/2 Get 413 ./Vault/Big");
        assert_eq!(reading(&host), ["open ./Vault/Big", "close 1"]);

        let (mut bench, host, _) = keeps(encoding, Format::Chr, value.as_bytes());
        bench.host(|tree| {
            tree.replace(&at("./Vault?prop=ACL"), &Content::text("Add=*")).unwrap();
        });
        assert_eq!(bench.say(&get(2, BIG))[1], "Status 1/2 Get 425 ./Vault/Big");
        assert_eq!(reading(&host), [] as [String; 0]);

        let (bench, host, _) = ready(encoding);
        let mut bench = bench.set(|setup| setup.large_objects = false).started();
        host.keep(BIG, Format::Chr, value.as_bytes());
        assert_eq!(bench.say(&get(2, BIG))[1], "Status 1/2 Get 413 ./Vault/Big");
        assert_eq!(reading(&host), ["get ./Vault/Big"]);
    });
}

#[test]
fn a_host_that_cannot_open_gives_its_status() {
    both(|encoding| {
        let (mut bench, host, _) = keeps(encoding, Format::Chr, &[b'x'; 20_000]);
        host.0.lock().fails = Some(("open", 404));
        assert_eq!(bench.say(&get(2, BIG))[1], "Status 1/2 Get 404 ./Vault/Big");
        assert_eq!(reading(&host), ["open ./Vault/Big"]);
    });
}

/// A session in which the host cannot go on behind the first message of a value; the lines of the reply.
fn broken_off(encoding: Encoding, number: i32, told: i32) -> (Bench, Vec<String>) {
    let (mut bench, host, hosted) = keeps(encoding, Format::Chr, &[b'x'; 20_000]);
    bench.say(&format!("{}{}", get(2, BIG), get(3, "./DevInfo/Man")));
    reading(&host);
    host.0.lock().fails = Some(("read", number));
    let lines = next(&mut bench);
    assert_eq!(reading(&host), ["read 1", "close 1"]);
    let failures = hosted.nodes.take_failures();
    let heard: Vec<_> = failures.iter().map(|one| (&*one.uri, one.error.number())).collect();
    assert_eq!(heard, [(BIG, told)]);
    (bench, lines)
}

#[test]
fn a_host_that_cannot_go_on_leaves_the_value_without_an_end() {
    both(|encoding| {
        // A status of its own, or a failure: no status can tell the server any more.
        for (number, told) in [(404, Code::Callback as i32), (-523, -523)] {
            let (mut bench, lines) = broken_off(encoding, number, told);
            let rest = ["Status 2/2 Alert 200", "Results 1/3 | ./DevInfo/Man = Maker", "Final"];
            assert_eq!(lines[1..], rest);
            // As servers do (DM Protocol 1.2.1, 7).
            let lines = bench.say(&alert(2, 1225, &[]));
            assert_eq!(lines[1..], ["Status 3/2 Alert 200", "Final"]);
            assert_eq!(bench.say(""), ["Done"]);
        }
    });
}

#[test]
fn dm_055_a_text_that_is_none_ends_where_it_begins_to_be_none() {
    both(|encoding| {
        let fill = "x".repeat(20_000).into_bytes();
        // Octets that are no letter; a letter that is cut off; no encoding has this one, and XML not that one.
        for wrong in [&b"\xff"[..], b"\xe2\x82", b"\0", b"\x01"] {
            let value = [&fill[..], wrong].concat();
            let (mut bench, host, hosted) = keeps(encoding, Format::Chr, &value);
            let mut lines = bench.say(&get(2, BIG));
            let mut octets = 0;
            while let Some(Command::Results(results)) = bench.message().commands.last() {
                octets += results.items[0].data.as_ref().unwrap().octets.len();
                assert!(
                    results.items[0].more_data || wrong == b"\x01" && encoding == Encoding::Wbxml
                );
                if !results.items[0].more_data {
                    break;
                }
                lines = next(&mut bench);
            }
            assert_eq!(lines.last().unwrap(), "Final");
            assert!(octets <= value.len());
            let good = wrong == b"\x01" && encoding == Encoding::Wbxml;
            assert_eq!(octets == value.len(), good, "{wrong:?}");
            assert_eq!(hosted.nodes.take_failures().len(), usize::from(!good), "{wrong:?}");
            assert_eq!(host.heard().last().unwrap(), "close 1");
        }
    });
}

#[test]
fn a_server_that_does_not_want_the_rest_lets_the_host_close() {
    both(|encoding| {
        let refusal = "<Status><CmdID>2</CmdID><MsgRef>2</MsgRef><CmdRef>3</CmdRef><Cmd>Results</Cmd>\
                       <Data>413</Data></Status>";
        for word in [refusal.to_owned(), alert(2, 1225, &[])] {
            let (mut bench, host, _) = keeps(encoding, Format::Chr, &[b'x'; 20_000]);
            bench.say(&get(2, BIG));
            let lines = bench.say(&format!("{word}{}", alert(3, 1222, &[])));
            assert!(!lines.iter().any(|line| line.starts_with("Results")), "{lines:?}");
            assert_eq!(reading(&host), ["open ./Vault/Big", "read 1", "close 1"]);
        }
    });
}

#[test]
fn the_end_of_a_session_lets_the_host_close() {
    both(|encoding| {
        let (mut bench, host, _) = keeps(encoding, Format::Chr, &[b'x'; 20_000]);
        bench.say(&get(2, BIG));
        bench.engine = None;
        assert_eq!(host.heard().last().unwrap(), "close 1");
        let (mut bench, host, _) = keeps(encoding, Format::Chr, &[b'x'; 20_000]);
        bench.say(&get(2, BIG));
        bench.abort(&Error::new(Code::Timeout, "the host's"));
        assert_eq!(host.heard().last().unwrap(), "close 1");
    });
}

#[test]
fn a_message_that_cannot_be_kept_answers_no_value() {
    both(|encoding| {
        let (mut bench, host, _) = keeps(encoding, Format::Chr, &[b'x'; 20_000]);
        host.0.lock().fails = Some(("prepare", -523));
        let lines = bench.say(&format!("{}{}", get(2, BIG), add(3, "./Vault/A", "1")));
        assert_eq!(
            lines[1..],
            ["Status 1/2 Get 500 ./Vault/Big", "Status 1/3 Add 500 ./Vault/A", "Final"]
        );
        assert_eq!(reading(&host), ["open ./Vault/Big", "close 1"]);
    });
}

#[test]
fn a_subtree_that_is_taken_back_ends_the_value() {
    both(|encoding| {
        let (mut bench, host, hosted) = keeps(encoding, Format::Chr, &[b'x'; 20_000]);
        bench.say(&get(2, BIG));
        host.heard();
        assert!(hosted.nodes.remove(&Path::parse("./Vault").unwrap()));
        assert_eq!(next(&mut bench)[1..], ["Status 2/2 Alert 200", "Final"]);
        assert_eq!(host.heard(), [] as [String; 0]);
    });
}

#[test]
fn values_that_are_open_are_counted_as_if_they_were_in_memory() {
    both(|encoding| {
        let (mut bench, host, _) = keeps(encoding, Format::Chr, &vec![b'x'; 3_000_000]);
        let lines = bench.say(&format!("{}{}", get(2, BIG), get(3, BIG)));
        assert_eq!(
            lines[1..3],
            ["Status 1/2 Get 200 ./Vault/Big", "Status 1/3 Get 413 ./Vault/Big"]
        );
        assert_eq!(host.0.lock().open.len(), 1);
    });
}

#[test]
fn a_stored_text_that_xml_does_not_allow_travels_as_octets() {
    let mut bench = Bench::new(Encoding::Xml);
    bench.leaf("./Lab/Odd", "a\u{1}b");
    bench.start();
    let lines = bench.say(&get(2, "./Lab/Odd"));
    assert_eq!(lines[2], "Results 1/2 | ./Lab/Odd [b64] = YQFi");
}
