//! Large objects: DM-029 and DM-031 to DM-042.

use super::*;

/// One chunk of an Add; `size` only in the first, `more` in all but the last.
fn chunk(id: u32, uri: &str, size: Option<usize>, data: &str, more: bool) -> String {
    let meta = size.map_or(String::new(), |size| metinf(&[&format!("Size={size}")]));
    let more = if more { "<MoreData/>" } else { "" };
    command("Add", id, uri, &format!("{meta}<Data>{data}</Data>{more}"))
}

#[test]
fn dm_031_and_dm_032_object_in_chunks() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(
            bench.say_more(&chunk(2, "./Lab/A", Some(10), "01234", true)),
            ["Status 1/0 SyncHdr 200", "Status 1/2 Add 213 ./Lab/A", "Alert 1222"]
        );
        assert_eq!(bench.value("./Lab/A"), "-");
        let progress = SessionEvent::Progress { uri: "./Lab/A".into(), received: 5, size: 10 };
        assert!(bench.engine().take_events().contains(&progress));
        assert_eq!(
            bench.say_more(&chunk(2, "./Lab/A", None, "56", true)),
            ["Status 2/0 SyncHdr 200", "Status 2/2 Add 213 ./Lab/A", "Alert 1222"]
        );
        assert_eq!(
            bench.say(&chunk(2, "./Lab/A", None, "789", false)),
            ["Status 3/0 SyncHdr 200", "Status 3/2 Add 200 ./Lab/A", "Final"]
        );
        assert_eq!(bench.value("./Lab/A"), "0123456789");
    });
}

#[test]
fn dm_033_sum_of_the_chunks_is_wrong() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.say_more(&chunk(2, "./Lab/A", Some(10), "01234", true));
        assert_eq!(
            bench.say(&chunk(2, "./Lab/A", None, "5678", false)),
            ["Status 2/0 SyncHdr 200", "Status 2/2 Add 424 ./Lab/A", "Final"]
        );
        assert_eq!(bench.value("./Lab/A"), "-");
    });
}

#[test]
fn dm_034_first_chunk_without_size() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(
            bench.say_more(&chunk(2, "./Lab/A", None, "01234", true))[1],
            "Status 1/2 Add 411 ./Lab/A"
        );
        // The rest must not pass for an object of its own.
        assert_eq!(
            bench.say(&chunk(2, "./Lab/A", None, "56789", false))[1],
            "Status 2/2 Add 411 ./Lab/A"
        );
        assert_eq!(bench.value("./Lab/A"), "-");
    });
}

#[test]
fn dm_035_size_counts_base64_text() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let first = metinf(&["Format=b64", "Type=image/png", "Size=8"]);
        let body = format!("{first}<Data>AQID</Data><MoreData/>");
        bench.say_more(&command("Add", 2, "./Lab/A", &body));
        let last = command("Add", 2, "./Lab/A", "<Data>BAU=</Data>");
        assert_eq!(bench.say(&last)[1], "Status 2/2 Add 200 ./Lab/A");
        assert_eq!(bench.value("./Lab/A?prop=Size"), "5");
        assert_eq!(bench.value("./Lab/A?prop=Type"), "image/png");
    });
}

#[test]
fn dm_036_another_command_before_the_last_chunk() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.say_more(&chunk(2, "./Lab/A", Some(10), "01234", true));
        assert_eq!(
            bench.say(&add(2, "./Lab/B", "1")),
            [
                "Status 2/0 SyncHdr 200",
                "Status 2/2 Add 200 ./Lab/B",
                "Alert 1225 | to ./Lab/A",
                "Final",
            ]
        );
        assert_eq!(bench.value("./Lab"), "B");
    });
}

#[test]
fn dm_036_every_kind_of_command_interrupts() {
    both(|encoding| {
        for body in [
            get(2, "./DevInfo/Man"),
            delete(2, "./Lab/A"),
            replace(2, "./Lab/A", "x"),
            alert(2, 1100, &["", "Hello"]),
            group("Sequence", 2, &[get(3, "./DevInfo/Man")]),
        ] {
            let mut bench = Bench::new(encoding).set(|setup| setup.ui = false).started();
            bench.say_more(&chunk(2, "./Lab/A", Some(10), "01234", true));
            let lines = bench.say(&body);
            assert!(lines.contains(&"Alert 1225 | to ./Lab/A".into()), "{lines:?}");
        }
    });
}

#[test]
fn dm_037_final_before_the_last_chunk() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(
            bench.say(&chunk(2, "./Lab/A", Some(10), "01234", true)),
            [
                "Status 1/0 SyncHdr 200",
                "Status 1/2 Add 213 ./Lab/A",
                "Alert 1225 | to ./Lab/A",
                "Final",
            ]
        );
    });
}

#[test]
fn dm_038_object_above_the_own_maximum() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        assert_eq!(
            bench.say_more(&chunk(2, "./Lab/A", Some(10_001), "01234", true))[1],
            "Status 1/2 Add 413 ./Lab/A"
        );
        assert_eq!(bench.say(&add(2, "./Lab/B", "1"))[1], "Status 2/2 Add 200 ./Lab/B");
    });
}

/// Text of the Results' items, checked for the rules of chunks.
fn fetch(bench: &mut Bench, total: usize, next: impl Fn(&mut Bench) -> Step) -> String {
    let (mut text, mut first) = (String::new(), true);
    for _ in 0..1000 {
        let sent = bench.sent.as_ref().unwrap();
        assert!(sent.body.len() <= 2000, "{}", sent.body.len());
        let message = bench.message();
        let results: Vec<_> = message
            .commands
            .iter()
            .filter_map(|command| match command {
                Command::Results(results) => Some(results),
                _ => None,
            })
            .collect();
        let [results] = results[..] else { panic!("{:?}", lines(&message)) };
        let [item] = &results.items[..] else { panic!("{:?}", lines(&message)) };
        let size = first.then(|| u64::try_from(total).unwrap());
        assert_eq!(item.meta.size, size);
        assert_eq!(item.source.as_ref().unwrap().uri, "./Lab/Big");
        text += item.data.as_ref().unwrap().as_str().unwrap();
        assert_eq!(message.is_final, !item.more_data);
        if message.is_final {
            return text;
        }
        first = false;
        next(bench);
    }
    panic!("no end")
}

#[test]
fn dm_029_and_dm_039_large_results() {
    both(|encoding| {
        let value: String = ("äöü & <x> ").repeat(700);
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/Big", &value);
        bench.start();
        bench.header = metinf(&["MaxMsgSize=2000"]);
        assert_eq!(bench.say(&get(2, "./Lab/Big"))[1], "Status 1/2 Get 200 ./Lab/Big");
        let text = fetch(&mut bench, value.len(), |bench| {
            let status = format!(
                "<Status><CmdID>2</CmdID><MsgRef>{}</MsgRef><CmdRef>3</CmdRef><Cmd>Results</Cmd>\
                 <Data>213</Data></Status>",
                bench.msg_ref()
            );
            bench.give(&format!("{status}{}", alert(3, 1222, &[]))).unwrap()
        });
        assert_eq!(text, value);
        assert_eq!(bench.say(""), ["Done"]);
    });
}

#[test]
fn large_results_to_a_server_that_only_says_1222_and_final() {
    both(|encoding| {
        let value = "A".repeat(20_000);
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/Big", &value);
        bench.start();
        bench.header = metinf(&["MaxMsgSize=2000"]);
        bench.say(&get(2, "./Lab/Big"));
        let text = fetch(&mut bench, value.len(), |bench| {
            bench.give(&format!("{}<Final/>", alert(2, 1222, &[]))).unwrap()
        });
        assert_eq!(text, value);
    });
}

#[test]
fn server_that_does_not_want_the_rest() {
    both(|encoding| {
        for refusal in [
            "<Status><CmdID>2</CmdID><MsgRef>2</MsgRef><CmdRef>3</CmdRef><Cmd>Results</Cmd>\
         <Data>424</Data></Status>"
                .to_owned(),
            alert(2, 1225, &[]),
        ] {
            let mut bench = Bench::new(encoding);
            bench.leaf("./Lab/Big", &"A".repeat(9000));
            bench.start();
            bench.header = metinf(&["MaxMsgSize=2000"]);
            assert!(bench.say(&get(2, "./Lab/Big"))[2].ends_with("octets ..."));
            let lines = bench.say(&format!("{refusal}{}", alert(3, 1222, &[])));
            assert!(!lines.iter().any(|line| line.starts_with("Results")), "{lines:?}");
            assert_eq!(lines.last().unwrap(), "Final");
        }
    });
}

#[test]
fn dm_040_large_results_without_large_objects() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| setup.large_objects = false);
        bench.leaf("./Lab/Big", &"A".repeat(3000));
        bench.start();
        bench.header = metinf(&["MaxMsgSize=2000"]);
        assert_eq!(
            bench.say(&get(2, "./Lab/Big")),
            ["Status 1/0 SyncHdr 200", "Status 1/2 Get 413 ./Lab/Big", "Final"]
        );
    });
}

#[test]
fn dm_041_large_objects_are_advertised() {
    assert_eq!(Bench::new(Encoding::Xml).value("./DevDetail/LrgObj"), "true");
}

#[test]
fn dm_042_chunk_without_large_objects() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| setup.large_objects = false).started();
        assert_eq!(
            bench.say(&chunk(2, "./Lab/A", Some(10), "01234", true)),
            ["Status 1/0 SyncHdr 200", "Status 1/2 Add 406 ./Lab/A", "Final"]
        );
    });
}

#[test]
fn chunk_in_a_group() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body = group("Atomic", 2, &[chunk(3, "./Lab/A", Some(10), "01234", true)]);
        assert_eq!(
            bench.say(&body)[1..],
            ["Status 1/2 Atomic 507", "Status 1/3 Add 412 ./Lab/A", "Final"]
        );
    });
}

#[test]
fn object_in_chunks_for_exec() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.host(|tree| {
            let access = tree::Access::all();
            let node = tree::NewNode { access, ..tree::NewNode::from(Content::text("")) };
            tree.add(&at("./Lab/Run"), &node).unwrap();
        });
        bench.start();
        let chunk = |rest: &str| command("Exec", 2, "./Lab/Run", rest);
        let first = format!("{}<Data>abc</Data><MoreData/>", metinf(&["Size=5"]));
        assert_eq!(bench.say_more(&chunk(&first))[1], "Status 1/2 Exec 213 ./Lab/Run");
        let lines = bench.say(&chunk("<Data>de</Data>"));
        assert_eq!(lines, ["Execute ./Lab/Run Some(\"abcde\") None"]);
    });
}

#[test]
fn answers_that_would_fill_the_memory_are_refused() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/Big", &"A".repeat(1_000_000));
        bench.start();
        bench.header = metinf(&["MaxMsgSize=2000"]);
        let gets: String = (2..12).map(|id| get(id, "./Lab/Big")).collect();
        let mut lines = bench.say(&gets);
        let mut statuses = Vec::new();
        while statuses.len() < 11 {
            statuses.extend(lines.into_iter().filter(|line| line.contains(" Get ")));
            if statuses.len() == 10 {
                break;
            }
            lines = bench.say_more(&alert(2, 1222, &[]));
        }
        let refused = statuses.iter().filter(|line| line.contains(" 413 ")).count();
        assert_eq!(refused, 6);
    });
}

#[test]
fn value_that_fits_only_in_a_message_without_statuses() {
    both(|encoding| {
        for length in 900..1100 {
            let value = "x".repeat(length);
            let mut bench = Bench::new(encoding);
            bench.leaf("./Lab/Big", &value);
            bench.start();
            bench.header = metinf(&["MaxMsgSize=2000"]);
            bench.say(&get(2, "./Lab/Big"));
            let mut messages = 1;
            while !bench.message().is_final {
                bench.say_more(&alert(2, 1222, &[]));
                messages += 1;
                assert!(messages < 5, "{length}");
            }
        }
    });
}

#[test]
fn message_size_in_which_no_chunk_fits_is_an_error() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/Big", &"x".repeat(5000));
        bench.start();
        let size = if encoding == Encoding::Xml { 600 } else { 512 };
        bench.header = metinf(&[&format!("MaxMsgSize={size}")]);
        bench.header += &format!(
            "<RespURI>{ADDRESS}/{}</RespURI>",
            "x".repeat(if size == 512 { 240 } else { 80 })
        );
        let mut step = bench.give(&format!("{}<Final/>", get(2, "./Lab/Big")));
        for _ in 0..3 {
            if step.is_err() {
                break;
            }
            step = bench.give(&alert(2, 1222, &[]));
        }
        assert_eq!(step.unwrap_err().code(), Code::TooLarge);
    });
}
