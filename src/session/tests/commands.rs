//! Commands on nodes: DM-043 to DM-077.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The Status of one command without its references, in both encodings.
fn status_of(prepare: impl Fn(&mut Bench), body: &str) -> Vec<String> {
    let mut replies = Vec::new();
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        prepare(&mut bench);
        bench.start();
        let lines = bench.say(body);
        replies.push(lines[1..lines.len() - 1].to_vec());
    });
    assert_eq!(replies[0], replies[1]);
    replies.remove(0)
}

#[test]
fn dm_043_add_of_a_plain_leaf() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(bench.say(&add(2, "./Lab/A", "1"))[1], "Status 1/2 Add 200 ./Lab/A");
        assert_eq!(bench.value("./Lab/A?prop=Format"), "chr");
        assert_eq!(bench.value("./Lab/A?prop=Type"), "text/plain");
    });
}

#[test]
fn dm_044_add_of_an_interior_node() {
    let node = metinf(&["Format=node"]);
    assert_eq!(
        status_of(|_| {}, &[command("Add", 2, "./Lab/A", &node), get(3, "./Lab/A")].concat()),
        [
            "Status 1/2 Add 200 ./Lab/A",
            "Status 1/3 Get 200 ./Lab/A",
            "Results 1/3 | ./Lab/A [node] [text/plain] = ",
        ]
    );
}

#[test]
fn dm_045_to_dm_050_add_that_fails() {
    let prepare = |bench: &mut Bench| bench.leaf("./Lab/L", "1");
    for (body, status) in [
        (add(2, "./Lab/L", "1"), "418 ./Lab/L"),
        (add(2, "./Lab/L/M", "1"), "405 ./Lab/L/M"),
        (add(2, "./Lab/L?prop=ACL", "1"), "405 ./Lab/L?prop=ACL"),
        (command("Add", 2, "./Lab/A", ""), "412 ./Lab/A"),
        (command("Add", 2, "./Lab/A", &metinf(&["Format=chr"])), "412 ./Lab/A"),
        (add(2, "./Lab//A", "1"), "400 ./Lab//A"),
        ("<Add><CmdID>2</CmdID><Item><Data>1</Data></Item></Add>".into(), "400"),
        ("<Add><CmdID>2</CmdID></Add>".into(), "412"),
    ] {
        assert_eq!(status_of(prepare, &body), [format!("Status 1/2 Add {status}")]);
    }
}

#[test]
fn dm_047_missing_parents_are_created() {
    assert_eq!(
        status_of(|_| {}, &[add(2, "./Lab/A/B/C", "1"), get(3, "./Lab/A/B")].concat()),
        [
            "Status 1/2 Add 200 ./Lab/A/B/C",
            "Status 1/3 Get 200 ./Lab/A/B",
            "Results 1/3 | ./Lab/A/B [node] [text/plain] = C",
        ]
    );
}

#[test]
fn dm_048_ancestor_that_cannot_be_created_is_named() {
    assert_eq!(
        status_of(|_| {}, &add(2, "./DevInfo/New/A", "1")),
        ["Status 1/2 Add 405 ./DevInfo/New/A | to ./DevInfo/New"]
    );
}

#[test]
fn dm_051_replace_of_a_leaf() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/A", "1");
        bench.start();
        let version: u32 = bench.value("./Lab/A?prop=VerNo").parse().unwrap();
        assert_eq!(bench.say(&replace(2, "./Lab/A", "2"))[1], "Status 1/2 Replace 200 ./Lab/A");
        assert_eq!(bench.value("./Lab/A"), "2");
        assert_eq!(bench.value("./Lab/A?prop=VerNo"), (version + 1).to_string());
    });
}

#[test]
fn dm_052_to_dm_055_replace_that_fails() {
    let number = |tree: &mut Tree<'_>| {
        let content = Content { format: Some(tree::Format::Int), ..Content::text("7") };
        tree.add(&at("./Lab/N"), &content.into()).unwrap();
    };
    for (body, status) in [
        (replace(2, "./Lab/A", "1"), "404 ./Lab/A"),
        (replace(2, "./Lab", "1"), "405 ./Lab"),
        (replace(2, "./Lab/N", "abc"), "415 ./Lab/N"),
        (replace(2, "./Lab/N?prop=Size", "1"), "405 ./Lab/N?prop=Size"),
        (replace(2, "./DevInfo/Man", "x"), "405 ./DevInfo/Man"),
        (command("Replace", 2, "./Lab/N", &metinf(&["Format=chrr"])), "412 ./Lab/N"),
    ] {
        let lines = status_of(|bench| bench.host(number), &body);
        if body.contains("chrr") {
            assert!(lines[0].contains(" 412 ") || lines[0].contains(" 415 "), "{lines:?}");
        } else {
            assert_eq!(lines, [format!("Status 1/2 Replace {status}")]);
        }
    }
}

#[test]
fn dm_056_leaf_with_format_and_type() {
    let prepare = |bench: &mut Bench| {
        bench.host(|tree| {
            let xml = Content {
                format: Some(tree::Format::Xml),
                mime: Some("application/x"),
                value: Some(b"<a/>"),
            };
            tree.add(&at("./Lab/X"), &xml.into()).unwrap();
        });
    };
    assert_eq!(
        status_of(prepare, &get(2, "./Lab/X")),
        ["Status 1/2 Get 200 ./Lab/X", "Results 1/2 | ./Lab/X [xml] [application/x] = <a/>"]
    );
}

#[test]
fn dm_057_binary_leaf_in_both_encodings() {
    let prepare = |bench: &mut Bench| {
        bench.host(|tree| {
            let octets = Content { mime: Some("image/png"), ..Content::bin(&[1, 2, 255]) };
            tree.add(&at("./Lab/B"), &octets.into()).unwrap();
        });
    };
    let mut xml = Bench::new(Encoding::Xml);
    prepare(&mut xml);
    xml.start();
    assert_eq!(xml.say(&get(2, "./Lab/B"))[2], "Results 1/2 | ./Lab/B [b64] [image/png] = AQL/");
    let mut wbxml = Bench::new(Encoding::Wbxml);
    prepare(&mut wbxml);
    wbxml.start();
    wbxml.say(&get(2, "./Lab/B"));
    let Command::Results(results) = &wbxml.message().commands[2] else { panic!("no Results") };
    assert_eq!(results.items[0].meta.format.as_deref(), Some("bin"));
    assert_eq!(results.items[0].data.as_ref().unwrap().octets[..], [1, 2, 255]);
}

#[test]
fn dm_057_binary_leaf_comes_as_base64() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let item = format!("{}<Data>AQL/</Data>", metinf(&["Format=b64", "Type=image/png"]));
        assert_eq!(
            bench.say(&command("Add", 2, "./Lab/B", &item))[1],
            "Status 1/2 Add 200 ./Lab/B"
        );
        assert_eq!(bench.value("./Lab/B?prop=Format"), "bin");
        assert_eq!(bench.value("./Lab/B?prop=Size"), "3");
        let broken = item.replace("AQL/", "A?");
        assert_eq!(
            bench.say(&command("Replace", 2, "./Lab/B", &broken))[1],
            "Status 2/2 Replace 415 ./Lab/B"
        );
    });
}

#[test]
fn dm_058_interior_node_lists_its_children() {
    let prepare = |bench: &mut Bench| {
        bench.leaf("./Lab/b", "1");
        bench.leaf("./Lab/a", "1");
    };
    assert_eq!(
        status_of(prepare, &get(2, "./Lab")),
        ["Status 1/2 Get 200 ./Lab", "Results 1/2 | ./Lab [node] [text/plain] = a/b"]
    );
}

#[test]
fn dm_059_to_dm_062_get_that_fails() {
    for (uri, status) in [
        ("./Lab/None", 404),
        ("./Lab/*", 404),
        ("./DMAcc/1/AppAuth/1/AAuthSecret", 405),
        ("./Lab?prop=Foo", 406),
        ("./Lab?list=Foo", 406),
        ("./Inbox", 405),
        ("./", 400),
    ] {
        let prepare = |bench: &mut Bench| {
            bench.host(|tree| {
                let secret = Content::text("s");
                tree.add(&at("./DMAcc/1/AppAuth/1/AAuthSecret"), &secret.into()).unwrap();
            });
        };
        assert_eq!(status_of(prepare, &get(2, uri)), [format!("Status 1/2 Get {status} {uri}")],);
    }
}

#[test]
fn dm_063_delete_of_a_subtree() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/A/B/C", "1");
        bench.start();
        assert_eq!(bench.say(&delete(2, "./Lab/A"))[1], "Status 1/2 Delete 200 ./Lab/A");
        assert_eq!(bench.value("./Lab"), "");
    });
}

#[test]
fn dm_064_to_dm_067_delete_that_fails() {
    let prepare = |bench: &mut Bench| {
        bench.leaf("./Lab/A", "1");
        bench.host(|tree| tree.replace(&at("./Lab/A?prop=ACL"), &Content::text("Get=*")).unwrap());
    };
    for (uri, status) in [
        ("./DevInfo", 405),
        (".", 405),
        ("./Lab/A", 425),
        ("./Lab/X", 404),
        ("./Lab?prop=ACL", 405),
    ] {
        assert_eq!(
            status_of(prepare, &delete(2, uri)),
            [format!("Status 1/2 Delete {status} {uri}")]
        );
    }
}

/// A node that can be executed.
fn executable(bench: &mut Bench) {
    bench.host(|tree| {
        let node =
            tree::NewNode { access: tree::Access::all(), ..tree::NewNode::from(Content::text("")) };
        tree.add(&at("./Lab/Run"), &node).unwrap();
    });
}

fn exec(id: u32, rest: &str) -> String {
    command("Exec", id, "./Lab/Run", rest)
}

#[test]
fn dm_068_and_dm_069_exec_that_fails() {
    assert_eq!(
        status_of(|bench| bench.leaf("./Lab/Run", ""), &exec(2, "")),
        ["Status 1/2 Exec 405 ./Lab/Run"]
    );
    let prepare = |bench: &mut Bench| {
        executable(bench);
        bench.setup.as_mut().unwrap().exec = false;
    };
    assert_eq!(status_of(prepare, &exec(2, "")), ["Status 1/2 Exec 406 ./Lab/Run"]);
    let prepare = |bench: &mut Bench| {
        executable(bench);
        bench.host(|tree| {
            tree.replace(&at("./Lab/Run?prop=ACL"), &Content::text("Get=*")).unwrap();
        });
    };
    assert_eq!(status_of(prepare, &exec(2, "")), ["Status 1/2 Exec 425 ./Lab/Run"]);
}

#[test]
fn dm_070_exec_that_goes_on_in_the_background() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        executable(&mut bench);
        bench.start();
        let body =
            exec(3, "<Data>now</Data>").replace("</CmdID>", "</CmdID><Correlator>X</Correlator>");
        assert_eq!(
            bench.say(&[add(2, "./Lab/A", "1"), body, get(4, "./Lab/A")].concat()),
            ["Execute ./Lab/Run Some(\"now\") Some(\"X\")"]
        );
        // The store is free while the host works, and holds what was done before.
        assert_eq!(bench.value("./Lab/A"), "1");
        bench.leaf("./Lab/Host", "1");
        assert_eq!(
            bench.executed(202),
            [
                "Status 1/0 SyncHdr 200",
                "Status 1/2 Add 200 ./Lab/A",
                "Status 1/3 Exec 202 ./Lab/Run",
                "Status 1/4 Get 200 ./Lab/A",
                "Results 1/4 | ./Lab/A = 1",
                "Final",
            ]
        );
        let end = HostAlert::generic(1, "Reversed-Domain-Name:org.x", "chr", "200").unwrap();
        let end = end.from_object("./Lab").with_correlator("X").with_mark("critical");
        bench.engine().queue_alert(end).unwrap();
        assert_eq!(
            bench.say("")[1],
            "Alert 1226 correlator X | ./Lab [chr] [Reversed-Domain-Name:org.x] [critical] = 200"
        );
    });
}

#[test]
fn dm_071_exec_without_correlator() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        executable(&mut bench);
        bench.start();
        assert_eq!(bench.say(&exec(2, "")), ["Execute ./Lab/Run None None"]);
        assert_eq!(bench.executed(200)[1], "Status 1/2 Exec 200 ./Lab/Run");
    });
}

#[test]
fn executed_needs_a_status_of_its_kind() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        executable(&mut bench);
        bench.start();
        bench.say(&exec(2, ""));
        for code in [0, 199, 213, 304, 600] {
            let context = Context { db: &bench.db, now: NOW, random: &mut Counting(0) };
            let error = bench.engine.as_mut().unwrap().executed(context, code).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArg, "{code}");
        }
        assert_eq!(bench.executed(510)[1], "Status 1/2 Exec 510 ./Lab/Run");
    });
}

#[test]
fn dm_072_copy_of_a_leaf() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/A", "1");
        bench.leaf("./Lab/B", "2");
        bench.start();
        let body = [copy(2, "./Lab/A", "./Lab/B"), replace(3, "./Lab/A", "9")];
        assert_eq!(bench.say(&body.concat())[1], "Status 1/2 Copy 200 ./Lab/B from ./Lab/A");
        assert_eq!(bench.value("./Lab/B"), "1");
    });
}

#[test]
fn dm_073_copy_of_an_interior_node() {
    let prepare = |bench: &mut Bench| bench.leaf("./Lab/A/B", "1");
    assert_eq!(
        status_of(prepare, &copy(2, "./Lab/A", "./Lab/C")),
        ["Status 1/2 Copy 405 ./Lab/C from ./Lab/A"]
    );
    assert_eq!(
        status_of(prepare, &command("Copy", 2, "./Lab/C", "")),
        ["Status 1/2 Copy 400 ./Lab/C"]
    );
}

#[test]
fn dm_076_escaped_and_plain_names_are_the_same_node() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.say(&add(2, "./Lab/B%C3%BCro%20A", "1"));
        assert_eq!(bench.say(&get(2, "./Lab/Büro%20A"))[2], "Results 2/2 | ./Lab/Büro%20A = 1");
        assert_eq!(bench.say(&get(2, "./Lab/büro%20A"))[1], "Status 3/2 Get 404 ./Lab/büro%20A");
    });
}

#[test]
fn dm_077_cdata() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.say(&add(2, "./Lab/A", "<![CDATA[<a>&amp;]]>"));
        assert_eq!(bench.value("./Lab/A"), "<a>&amp;");
    });
}

#[test]
fn meta_of_the_command_counts_for_its_items() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let meta = metinf(&["Format=int", "Type=text/x"]);
        let body = format!(
            "<Add><CmdID>2</CmdID>{meta}<Item><Target><LocURI>./Lab/A</LocURI></Target>\
             <Data>5</Data></Item><Item><Target><LocURI>./Lab/B</LocURI></Target>{}\
             <Data>five</Data></Item></Add>",
            metinf(&["Format=chr"])
        );
        assert_eq!(bench.say(&body)[1], "Status 1/2 Add 200 ./Lab/A ./Lab/B");
        assert_eq!(bench.value("./Lab/A?prop=Format"), "int");
        assert_eq!(bench.value("./Lab/B?prop=Format"), "chr");
        assert_eq!(bench.value("./Lab/B?prop=Type"), "text/x");
    });
}

const TNDS: &str = "<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD><Node><NodeName>T</NodeName>\
    <RTProperties><Format><node/></Format><Type><DDFName/></Type></RTProperties>\
    <Node><NodeName>A</NodeName><RTProperties><Format><chr/></Format><Type><MIME>text/plain</MIME>\
    </Type></RTProperties><Value>one</Value></Node></Node></MgmtTree>";

#[test]
fn dm_186_serialized_subtree_is_added() {
    let meta = metinf(&["Format=xml", "Type=application/vnd.syncml.dmtnds+xml"]);
    let item = format!("{meta}<Data><![CDATA[{TNDS}]]></Data>");
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(bench.say(&command("Add", 2, "./Lab", &item))[1], "Status 1/2 Add 200 ./Lab");
        assert_eq!(bench.value("./Lab/T/A"), "one");
    });
}

#[test]
fn dm_186_serialized_subtree_in_wbxml() {
    both(|encoding| {
        let document = tree::tnds::read(TNDS.as_bytes()).unwrap();
        let octets = STANDARD.encode(tree::tnds::write(&document, true).unwrap());
        let meta = metinf(&["Format=b64", "Type=application/vnd.syncml.dmtnds+wbxml"]);
        let item = format!("{meta}<Data>{octets}</Data>");
        let mut bench = Bench::new(encoding).started();
        assert_eq!(bench.say(&command("Add", 2, "./Lab", &item))[1], "Status 1/2 Add 200 ./Lab");
        assert_eq!(bench.value("./Lab/T/A"), "one");
    });
}

#[test]
fn broken_serialized_subtree() {
    let meta = metinf(&["Format=xml", "Type=application/vnd.syncml.dmtnds+xml"]);
    let item = format!("{meta}<Data>&lt;MgmtTree></Data>");
    assert_eq!(status_of(|_| {}, &command("Add", 2, "./Lab", &item)), ["Status 1/2 Add 415 ./Lab"]);
}

#[test]
fn dm_181_serialized_subtree_is_read() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/A", "one");
        bench.start();
        bench.say(&get(2, "./Lab?list=TNDS+Value"));
        let Command::Results(results) = &bench.message().commands[2] else { panic!("no Results") };
        let item = &results.items[0];
        assert_eq!(item.source.as_ref().unwrap().uri, "./Lab");
        let (format, mime) = match encoding {
            Encoding::Xml => ("xml", "application/vnd.syncml.dmtnds+xml"),
            Encoding::Wbxml => ("bin", "application/vnd.syncml.dmtnds+wbxml"),
        };
        assert_eq!(item.meta.format.as_deref(), Some(format));
        assert_eq!(item.meta.mime.as_deref(), Some(mime));
        let document = &item.data.as_ref().unwrap().octets;
        let shown = crate::tree::tnds::read_embedded(document, Some(mime)).unwrap();
        let expected = "<NodeName>A</NodeName><Value>one</Value>";
        let text = crate::tree::tnds::write(&shown, false).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(expected) && !text.contains("Format"), "{text}");
    });
}

#[test]
fn what_the_server_does_is_told_to_the_host() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.engine().take_events();
        bench.say(&[add(2, "./Lab/A", "1"), delete(3, "./Lab/B")].concat());
        let events = bench.engine().take_events();
        let done = |command: &'static str, uri: &str, status| SessionEvent::CommandDone {
            command: command.into(),
            uri: Some(uri.into()),
            status,
        };
        assert!(events.contains(&done("Add", "./Lab/A", 200)));
        assert!(events.contains(&done("Delete", "./Lab/B", 404)));
        let changed = events.iter().any(
            |event| matches!(event, SessionEvent::TreeChanged(change) if change.uri == "./Lab/A"),
        );
        assert!(changed, "{events:?}");
    });
}
