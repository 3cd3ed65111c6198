//! Packages and their ends: DM-001 to DM-030.

use super::*;

const PACKAGE_1: [&str; 3] = [
    "Alert 1201",
    "Replace | ./DevInfo/DevId = IMEI:493005100592800 | ./DevInfo/Man = Maker \
     | ./DevInfo/Mod = One | ./DevInfo/DmV = 1.2.1 | ./DevInfo/Lang = en",
    "Final",
];

#[test]
fn dm_001_package_1_of_the_client() {
    both(|encoding| assert_eq!(Bench::new(encoding).start(), PACKAGE_1));
}

#[test]
fn dm_002_package_1_after_a_notification() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| setup.cause = Cause::ServerInitiated);
        assert_eq!(bench.start()[0], "Alert 1200");
    });
}

#[test]
fn dm_003_header_of_every_message() {
    let mut bench = Bench::new(Encoding::Xml);
    bench.start();
    let body = String::from_utf8(bench.sent.clone().unwrap().body).unwrap();
    let start = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD>\
                 <VerProto>DM/1.2</VerProto><SessionID>1234</SessionID><MsgID>1</MsgID>\
                 <Target><LocURI>http://dm.example:8080/dm</LocURI></Target>\
                 <Source><LocURI>IMEI:493005100592800</LocURI></Source>\
                 <Meta><MaxMsgSize xmlns=\"syncml:metinf\">16384</MaxMsgSize>\
                 <MaxObjSize xmlns=\"syncml:metinf\">10000</MaxObjSize></Meta></SyncHdr>";
    assert!(body.contains(start), "{body}");
    assert_eq!(bench.sent.unwrap().mime, "application/vnd.syncml.dm+xml");
}

#[test]
fn dm_004_session_id_is_hexadecimal() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| setup.session_id = 0x000A);
        bench.start();
        assert_eq!(bench.message().header.session_id, "A");
    });
}

#[test]
fn dm_005_message_ids_count_up() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        for number in 2..5 {
            bench.say(&get(2, "./DevInfo/Man"));
            let header = bench.message().header;
            assert_eq!(
                (header.msg_id, header.session_id),
                (number.to_string().into(), "1234".into())
            );
        }
    });
}

#[test]
fn dm_006_every_command_has_an_id_of_its_own() {
    both(|encoding| {
        let alert = HostAlert::event(1, "text/plain", "chr", "x");
        let mut bench = Bench::new(encoding).set(|setup| setup.alerts.push(alert));
        bench.start();
        let atomic = group("Atomic", 5, &[add(6, "./Lab/A", "1"), delete(7, "./None")]);
        let mut messages = vec![bench.message()];
        bench.say(&[get(2, "./DevInfo"), get(3, "./Lab"), atomic].concat());
        messages.push(bench.message());
        bench.say_more(&add(2, "./Lab/B", "1"));
        messages.push(bench.message());
        for message in messages {
            let ids: Vec<_> = message.commands.iter().map(|command| line(command).0).collect();
            let unique: std::collections::BTreeSet<_> = ids.iter().collect();
            assert_eq!(unique.len(), ids.len(), "{ids:?}");
            assert!(!ids.iter().any(|id| id.is_empty() || id == "0"), "{ids:?}");
        }
    });
}

#[test]
fn dm_008_dev_info_has_sources_and_leaves_only() {
    both(|encoding| {
        let bench = Bench::new(encoding).started();
        let message = bench.message();
        let Command::Action(replace) = &message.commands[1] else { panic!("no Replace") };
        assert_eq!(replace.verb, syncml::model::Verb::Replace);
        let uris: Vec<_> =
            replace.items.iter().map(|item| &*item.source.as_ref().unwrap().uri).collect();
        let leaves = ["DevId", "Man", "Mod", "DmV", "Lang"];
        assert_eq!(uris, leaves.map(|leaf| format!("./DevInfo/{leaf}")));
        for item in replace.items.iter() {
            assert_eq!((&item.target, item.meta.format.as_deref()), (&None, None));
            assert!(item.data.is_some() && !item.more_data);
        }
    });
}

#[test]
fn dm_007_source_is_the_device_id() {
    both(|encoding| {
        let bench = Bench::new(encoding).started();
        assert_eq!(bench.message().header.source.uri, "IMEI:493005100592800");
    });
}

#[test]
fn dm_009_and_dm_010_statuses_in_order_with_references() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body = [add(7, "./Lab/A", "1"), replace(5, "./Lab/A", "2"), delete(9, "./Lab/B")];
        assert_eq!(
            bench.say(&body.concat()),
            [
                "Status 1/0 SyncHdr 200",
                "Status 1/7 Add 200 ./Lab/A",
                "Status 1/5 Replace 200 ./Lab/A",
                "Status 1/9 Delete 404 ./Lab/B",
                "Final",
            ]
        );
        assert_eq!(bench.value("./Lab/A"), "2");
    });
}

#[test]
fn dm_010_references_of_the_header() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.say(&get(2, "./DevInfo/Man"));
        let Command::Status(status) = &bench.message().commands[0] else { panic!("no Status") };
        assert_eq!(*status.target_refs, ["IMEI:493005100592800"]);
        assert_eq!(*status.source_refs, [ADDRESS]);
    });
}

#[test]
fn dm_011_and_dm_060_one_status_for_each_item() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let two = "<Get><CmdID>2</CmdID><Item><Target><LocURI>./DevInfo/Man</LocURI></Target></Item>\
               <Item><Target><LocURI>./Lab/X</LocURI></Target></Item></Get>";
        assert_eq!(
            bench.say(two),
            [
                "Status 1/0 SyncHdr 200",
                "Status 1/2 Get 200 ./DevInfo/Man",
                "Status 1/2 Get 404 ./Lab/X",
                "Results 1/2 | ./DevInfo/Man = Maker",
                "Final",
            ]
        );
        let same = two.replace("./Lab/X", "./DevInfo/Mod");
        assert_eq!(bench.say(&same)[1], "Status 2/2 Get 200 ./DevInfo/Man ./DevInfo/Mod");
    });
}

#[test]
fn dm_012_nothing_to_say_ends_the_session() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(bench.say(""), ["Done"]);
        assert_eq!(bench.give("<Final/>").unwrap_err().code(), Code::State);
    });
}

#[test]
fn dm_013_a_waiting_alert_is_sent_before_the_end() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let alert = HostAlert::generic(7, "Reversed-Domain-Name:org.x", "chr", "hot").unwrap();
        bench.engine().queue_alert(alert).unwrap();
        assert_eq!(
            bench.say(""),
            [
                "Status 1/0 SyncHdr 200",
                "Alert 1226 | [chr] [Reversed-Domain-Name:org.x] = hot",
                "Final",
            ]
        );
    });
}

#[test]
fn dm_014_and_dm_015_get_and_its_results() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(
            bench.say(&get(4, "./DevDetail/SwV")),
            [
                "Status 1/0 SyncHdr 200",
                "Status 1/4 Get 200 ./DevDetail/SwV",
                "Results 1/4 | ./DevDetail/SwV = 2",
                "Final",
            ]
        );
        assert_eq!(bench.say(""), ["Done"]);
    });
}

#[test]
fn dm_016_and_dm_017_no_final_before_the_server_has_closed() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(
            bench.say_more(&add(2, "./Lab/A", "1")),
            ["Status 1/0 SyncHdr 200", "Status 1/2 Add 200 ./Lab/A", "Alert 1222"]
        );
        assert_eq!(
            bench.say_more(&alert(2, 1222, &[])),
            ["Status 2/0 SyncHdr 200", "Status 2/2 Alert 200", "Alert 1222"]
        );
        assert_eq!(
            bench.say(&add(2, "./Lab/B", "1")),
            ["Status 3/0 SyncHdr 200", "Status 3/2 Add 200 ./Lab/B", "Final"]
        );
    });
}

/// Statuses and Results of all messages until the client's Final, and how many messages it took.
fn collect(bench: &mut Bench, first: Vec<String>, limit: usize) -> (Vec<String>, usize) {
    let (mut all, mut messages, mut lines) = (Vec::new(), 1, first);
    loop {
        assert!(bench.sent.as_ref().unwrap().body.len() <= limit);
        let last = lines.pop_if(|line| line == "Final").is_some();
        all.extend(
            lines.into_iter().filter(|line| !line.contains("SyncHdr") && !line.contains("Alert")),
        );
        if last {
            return (all, messages);
        }
        messages += 1;
        assert!(messages < 100);
        lines = bench.say_more(&alert(2, 1222, &[]));
    }
}

#[test]
fn dm_018_and_dm_019_reply_is_split_at_max_msg_size() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.header = metinf(&["MaxMsgSize=2000"]);
        let adds: String = (2..102).map(|id| add(id, &format!("./Lab/Node{id}"), "x")).collect();
        let first = bench.say(&adds);
        assert_ne!(first.last().unwrap(), "Final");
        let (all, messages) = collect(&mut bench, first, 2000);
        let expected: Vec<_> =
            (2..102).map(|id| format!("Status 1/{id} Add 200 ./Lab/Node{id}")).collect();
        assert_eq!(all, expected);
        assert!(messages >= 3, "{messages}");
    });
}

#[test]
fn dm_018_items_of_results_are_split_between_messages() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        for number in 10..60 {
            bench.leaf(&format!("./Lab/N{number}"), "0123456789");
        }
        bench.start();
        bench.header = metinf(&["MaxMsgSize=1500"]);
        let first = bench.say(&get(2, "./Lab?list=StructData"));
        let (all, messages) = collect(&mut bench, first, 1500);
        assert!(messages >= 2, "{messages}");
        let nodes: usize = all.iter().map(|line| line.matches(" = 0123456789").count()).sum();
        assert_eq!(nodes, 50);
    });
}

#[test]
fn dm_019_the_smaller_limit_counts() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| setup.max_msg_size = 5000).started();
        bench.header = metinf(&["MaxMsgSize=100000"]);
        let adds: String = (2..102).map(|id| add(id, &format!("./Lab/Node{id}"), "x")).collect();
        let first = bench.say(&adds);
        let (all, messages) = collect(&mut bench, first, 5000);
        assert_eq!(all.len(), 100);
        assert!(messages > 1);
    });
}

#[test]
fn dm_020_object_above_the_servers_max_obj_size() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/Big", &"x".repeat(1500));
        bench.start();
        bench.header = metinf(&["MaxObjSize=1000"]);
        assert_eq!(
            bench.say(&get(2, "./Lab/Big")),
            ["Status 1/0 SyncHdr 200", "Status 1/2 Get 413 ./Lab/Big", "Final"]
        );
    });
}

#[test]
fn dm_021_resp_uri_is_followed() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.header = "<RespURI>http://dm.example:8080/dm?sid=42</RespURI>".into();
        bench.say(&get(2, "./DevInfo/Man"));
        assert_eq!(bench.sent.as_ref().unwrap().uri, "http://dm.example:8080/dm?sid=42");
        assert_eq!(bench.message().header.target.uri, "http://dm.example:8080/dm?sid=42");
    });
}

#[test]
fn resp_uri_to_another_host_is_refused() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.header = "<RespURI>http://evil.example:8080/dm</RespURI>".into();
        assert_eq!(
            bench.say(&add(2, "./Lab/A", "1")),
            ["Status 1/0 SyncHdr 506", "Status 1/2 Add 215", "Final"]
        );
        assert_eq!(bench.sent.as_ref().unwrap().uri, ADDRESS);
        assert_eq!(bench.value("./Lab/A"), "-");
        bench.header.clear();
        assert_eq!(bench.give("<Final/>").unwrap_err().syncml_status, 506);
    });
}

#[test]
fn dm_022_another_session_id_fails() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let text = bench.frame(&add(2, "./Lab/A", "1")).replace(">1234<", ">1235<");
        let error = bench.give_text(&text).unwrap_err();
        assert_eq!(error.code(), Code::Protocol);
        assert_eq!(bench.value("./Lab/A"), "-");
        assert_eq!(bench.abort(&error), ["Alert 1223", "Final"]);
    });
}

#[test]
fn wrong_versions_are_answered_and_end_the_session() {
    both(|encoding| {
        for (from, to, code) in [("DM/1.2", "DM/1.3", 513), (">1.2<", ">1.1<", 505)] {
            let mut bench = Bench::new(encoding).started();
            let text =
                bench.frame(&format!("{}<Final/>", add(2, "./Lab/A", "1"))).replace(from, to);
            let step = bench.give_text(&text).unwrap();
            let expected =
                [format!("Status 1/0 SyncHdr {code}"), "Status 1/2 Add 215".into(), "Final".into()];
            assert_eq!(bench.lines(step), expected);
            assert_eq!(bench.value("./Lab/A"), "-");
            assert_eq!(bench.give("<Final/>").unwrap_err().code(), Code::Protocol);
        }
    });
}

#[test]
fn dm_023_no_resp_is_ignored() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body = add(2, "./Lab/A", "1").replace("</CmdID>", "</CmdID><NoResp/>");
        assert_eq!(bench.say(&body)[1], "Status 1/2 Add 200 ./Lab/A");
    });
}

#[test]
fn dm_024_command_without_cmd_id() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body = add(2, "./Lab/A", "1").replace("<CmdID>2</CmdID>", "");
        assert_eq!(bench.say(&body), ["Status 1/0 SyncHdr 200", "Status 1/ Add 400", "Final"]);
        assert_eq!(bench.value("./Lab/A"), "-");
    });
}

#[test]
fn dm_025_and_dm_075_unknown_and_unused_commands() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body: Vec<_> = ["Put", "Search", "Map", "Sync"]
            .iter()
            .zip(2..)
            .map(|(name, id)| format!("<{name}><CmdID>{id}</CmdID></{name}>"))
            .collect();
        let sequence = group("Sequence", 6, &["<Put><CmdID>7</CmdID></Put>".into()]);
        assert_eq!(
            bench.say(&[body.concat(), sequence].concat())[1..],
            [
                "Status 1/2 Put 406",
                "Status 1/3 Search 406",
                "Status 1/4 Map 406",
                "Status 1/5 Sync 406",
                "Status 1/6 Sequence 200",
                "Status 1/7 Put 406",
                "Final"
            ]
        );
        // An element of SyncML that is no command at all.
        assert_eq!(
            bench.say("<Record><CmdID>2</CmdID></Record>")[1..],
            ["Status 2/2 Record 400", "Final"]
        );
        assert_eq!(bench.value("./Lab"), "");
    });
}

#[test]
fn dm_025_element_of_no_vocabulary() {
    let mut bench = Bench::new(Encoding::Xml).started();
    assert_eq!(
        bench.say(&command("Frobnicate", 2, "./Lab/A", ""))[1..],
        ["Status 1/2 Frobnicate 400", "Final"]
    );
    // In WBXML there is no token for it, and a literal is refused with the whole message.
    let mut bench = Bench::new(Encoding::Wbxml).started();
    let text = bench.frame(&command("Put", 2, "./Lab/A", ""));
    let octets = bench.encode(&text);
    // Version, public id (two octets), character set, and an empty string table.
    let (head, body) = octets.split_at(5);
    assert_eq!(head, [0x02, 0xA4, 0x01, 0x6A, 0x00]);
    let at = body.iter().position(|octet| *octet == 0x5F).unwrap();
    let literal: &[u8] = &[0x44, 0x00];
    let octets = [&head[..4], b"\x0BFrobnicate\0", &body[..at], literal, &body[at + 1..]].concat();
    assert_eq!(bench.give_octets(&octets).unwrap_err().code(), Code::Syntax);
}

#[test]
fn dm_026_server_aborts() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let error = bench.give(&format!("{}<Final/>", alert(2, 1223, &[]))).unwrap_err();
        assert_eq!(error.code(), Code::Aborted);
        assert_eq!(bench.abort(&error), ["nothing"]);
    });
}

#[test]
fn dm_027_user_aborts_while_the_server_answers() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let why = Error::new(Code::Cancelled, "the user");
        assert_eq!(bench.abort(&why), ["Alert 1223", "Final"]);
        assert_eq!(bench.abort(&why), ["nothing"]);
    });
}

#[test]
fn dm_027_abort_tells_what_was_done() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body = [
            add(2, "./Lab/A", "1"),
            group("Atomic", 3, &[add(4, "./Lab/B", "1"), alert(5, 1101, &["", "Sure?"])]),
            add(6, "./Lab/C", "1"),
        ];
        assert_eq!(bench.say(&body.concat()), ["Ask Confirm Sure?"]);
        assert_eq!(
            bench.abort(&Error::new(Code::Cancelled, "the user")),
            [
                "Status 1/0 SyncHdr 200",
                "Status 1/2 Add 200 ./Lab/A",
                "Status 1/3 Atomic 507",
                "Status 1/4 Add 216 ./Lab/B",
                "Status 1/5 Alert 215",
                "Status 1/6 Add 215",
                "Alert 1223",
                "Final",
            ]
        );
        assert_eq!((bench.value("./Lab/A"), bench.value("./Lab/B")), ("1".into(), "-".into()));
        assert!(bench.db.begin().is_ok());
    });
}

#[test]
fn dm_028_connection_lost_in_mid_session() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.say(&add(2, "./Lab/A", "1"));
        assert_eq!(bench.abort(&Error::new(Code::Io, "lost")), ["nothing"]);
        assert_eq!(bench.value("./Lab/A"), "1");
    });
}

#[test]
fn dm_030_alert_answered_by_the_server() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        let alert = HostAlert::generic(7, "Content-Type:text/plain", "chr", "hot").unwrap();
        bench = bench.set(|setup| setup.alerts.push(alert));
        assert_eq!(bench.start()[2], "Alert 1226 | [chr] [Content-Type:text/plain] = hot");
        assert_eq!(bench.engine().unanswered_alerts().len(), 1);
        bench.engine().take_events();
        let status = "<Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>3</CmdRef><Cmd>Alert</Cmd>\
                  <Data>200</Data></Status>";
        assert_eq!(bench.say(status), ["Done"]);
        assert_eq!(bench.engine().unanswered_alerts().len(), 0);
        let event = SessionEvent::AlertAnswered { number: 7, status: 200 };
        assert!(bench.engine().take_events().contains(&event));
    });
}

#[test]
fn malformed_message_is_a_syntax_error() {
    let mut bench = Bench::new(Encoding::Xml).started();
    let error = bench.give_octets(b"<SyncML").unwrap_err();
    assert_eq!(error.code(), Code::Syntax);
    assert_eq!(bench.abort(&error), ["Alert 1223", "Final"]);
}

#[test]
fn a_busy_store_changes_nothing() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let writer = bench.db.begin().unwrap();
        let text = bench.frame(&format!("{}<Final/>", add(2, "./Lab/A", "1")));
        assert_eq!(bench.give_text(&text).unwrap_err().code(), Code::Busy);
        drop(writer);
        let step = bench.give_text(&text).unwrap();
        assert_eq!(bench.lines(step)[1], "Status 1/2 Add 200 ./Lab/A");
    });
}

#[test]
fn endless_sessions_end() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        for _ in 0..limits() {
            bench.say(&get(2, "./DevInfo/Man"));
        }
        let error = bench.give(&get(2, "./DevInfo/Man")).unwrap_err();
        assert_eq!(error.code(), Code::TooLarge);
    });
}

fn limits() -> u32 {
    crate::limits::SESSION_MESSAGES
}

#[test]
fn a_message_size_in_which_nothing_fits_is_an_error() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        // The address alone, in the header and in the Status for it, takes up most of 512 octets.
        bench.header = format!("<RespURI>{ADDRESS}/{}</RespURI>", "x".repeat(400));
        bench.header += &metinf(&["MaxMsgSize=10"]);
        let error = bench.give(&format!("{}<Final/>", get(2, "./DevInfo/Man"))).unwrap_err();
        assert_eq!(error.code(), Code::TooLarge);
    });
}

#[test]
fn an_engine_may_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Engine>();
}

#[test]
fn an_alert_that_fits_nowhere_is_no_reason_for_a_message() {
    both(|encoding| {
        let mut bench = Bench::new(encoding)
            .set(|setup| {
                setup.large_objects = false;
                setup.max_msg_size = 2000;
            })
            .started();
        let alert = HostAlert::event(9, "text/plain", "chr", "x".repeat(2000));
        bench.engine().queue_alert(alert).unwrap();
        assert_eq!(bench.say(""), ["Done"]);
        assert!(bench.engine().take_events().contains(&SessionEvent::AlertNotSent { number: 9 }));
    });
}
