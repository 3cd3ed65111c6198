//! Atomic and Sequence: DM-078 to DM-090.

use super::*;

/// The lines after the SyncHdr's Status and before Final, in both encodings; then the check.
fn run(body: &str, expected: &[&str], check: impl Fn(&Bench)) {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/L", "old");
        bench.start();
        let lines = bench.say(body);
        assert_eq!(lines[1..lines.len() - 1], *expected);
        check(&bench);
    });
}

#[test]
fn dm_078_atomic_that_succeeds() {
    run(
        &group("Atomic", 2, &[add(3, "./Lab/A", "1"), replace(4, "./Lab/A", "2")]),
        &["Status 1/2 Atomic 200", "Status 1/3 Add 200 ./Lab/A", "Status 1/4 Replace 200 ./Lab/A"],
        |bench| assert_eq!(bench.value("./Lab/A"), "2"),
    );
}

#[test]
fn dm_079_atomic_that_fails_is_undone() {
    let atomic = [add(3, "./Lab/A", "1"), replace(4, "./Lab/X", "2"), delete(5, "./Lab/L")];
    run(
        &[group("Atomic", 2, &atomic), get(6, "./Lab/A"), add(7, "./Lab/B", "1")].concat(),
        &[
            "Status 1/2 Atomic 507",
            "Status 1/3 Add 216 ./Lab/A",
            "Status 1/4 Replace 404 ./Lab/X",
            "Status 1/5 Delete 215",
            "Status 1/6 Get 404 ./Lab/A",
            "Status 1/7 Add 200 ./Lab/B",
        ],
        |bench| assert_eq!(bench.value("./Lab"), "B/L"),
    );
}

#[test]
fn atomic_undoes_replace_and_delete() {
    let atomic = [replace(3, "./Lab/L", "new"), delete(4, "./Lab/L"), delete(5, "./Lab/X")];
    run(
        &group("Atomic", 2, &atomic),
        &[
            "Status 1/2 Atomic 507",
            "Status 1/3 Replace 216 ./Lab/L",
            "Status 1/4 Delete 216 ./Lab/L",
            "Status 1/5 Delete 404 ./Lab/X",
        ],
        |bench| assert_eq!(bench.value("./Lab/L"), "old"),
    );
}

#[test]
fn items_of_the_failing_command_in_an_atomic() {
    let items: String = ["./Lab/A", "./Lab/L", "./Lab/B"]
        .map(|uri| format!("<Item><Target><LocURI>{uri}</LocURI></Target><Data>1</Data></Item>"))
        .concat();
    run(
        &group("Atomic", 2, &[format!("<Add><CmdID>3</CmdID>{items}</Add>")]),
        &[
            "Status 1/2 Atomic 507",
            "Status 1/3 Add 216 ./Lab/A",
            "Status 1/3 Add 418 ./Lab/L",
            "Status 1/3 Add 215 ./Lab/B",
        ],
        |bench| assert_eq!(bench.value("./Lab"), "L"),
    );
}

#[test]
fn dm_081_get_in_an_atomic() {
    run(
        &group("Atomic", 2, &[add(3, "./Lab/A", "1"), get(4, "./Lab/A"), add(5, "./Lab/B", "1")]),
        &[
            "Status 1/2 Atomic 507",
            "Status 1/3 Add 216 ./Lab/A",
            "Status 1/4 Get 500 ./Lab/A",
            "Status 1/5 Add 215",
        ],
        |bench| assert_eq!(bench.value("./Lab"), "L"),
    );
}

#[test]
fn dm_082_atomic_in_an_atomic() {
    let inner = group("Atomic", 4, &[add(5, "./Lab/B", "1")]);
    run(
        &group("Atomic", 2, &[add(3, "./Lab/A", "1"), inner, add(6, "./Lab/C", "1")]),
        &[
            "Status 1/2 Atomic 507",
            "Status 1/3 Add 216 ./Lab/A",
            "Status 1/4 Atomic 500",
            "Status 1/5 Add 215",
            "Status 1/6 Add 215",
        ],
        |bench| assert_eq!(bench.value("./Lab"), "L"),
    );
}

#[test]
fn dm_083_exec_in_an_atomic() {
    run(
        &group("Atomic", 2, &[command("Exec", 3, "./Lab/L", ""), add(4, "./Lab/A", "1")]),
        &["Status 1/2 Atomic 507", "Status 1/3 Exec 500 ./Lab/L", "Status 1/4 Add 215"],
        |_| {},
    );
}

#[test]
fn dm_084_user_says_no_in_an_atomic() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let atomic =
            [add(4, "./Lab/B", "1"), alert(5, 1101, &["", "Sure?"]), add(6, "./Lab/C", "1")];
        let body = [add(2, "./Lab/A", "1"), group("Atomic", 3, &atomic), add(7, "./Lab/D", "1")];
        assert_eq!(bench.say(&body.concat()), ["Ask Confirm Sure?"]);
        // What came before the Atomic is durable, what is in it is not.
        assert_eq!(bench.value("./Lab"), "A");
        assert_eq!(
            bench.answer(Answer::Rejected)[1..],
            [
                "Status 1/2 Add 200 ./Lab/A",
                "Status 1/3 Atomic 507",
                "Status 1/4 Add 216 ./Lab/B",
                "Status 1/5 Alert 304",
                "Status 1/6 Add 215",
                "Status 1/7 Add 200 ./Lab/D",
                "Final",
            ]
        );
        assert_eq!(bench.value("./Lab"), "A/D");
    });
}

#[test]
fn dm_084_user_says_yes_in_an_atomic() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let atomic = [
            alert(3, 1101, &["", "First?"]),
            add(4, "./Lab/B", "1"),
            alert(5, 1101, &["", "Second?"]),
        ];
        assert_eq!(bench.say(&group("Atomic", 2, &atomic)), ["Ask Confirm First?"]);
        assert_eq!(bench.answer(Answer::Accepted), ["Ask Confirm Second?"]);
        assert_eq!(bench.value("./Lab"), "");
        assert_eq!(
            bench.answer(Answer::Accepted)[1..],
            [
                "Status 1/2 Atomic 200",
                "Status 1/3 Alert 200",
                "Status 1/4 Add 200 ./Lab/B",
                "Status 1/5 Alert 200",
                "Final",
            ]
        );
        assert_eq!(bench.value("./Lab"), "B");
    });
}

#[test]
fn dm_087_sequence() {
    run(
        &group("Sequence", 2, &[add(3, "./Lab/A", "1"), get(4, "./Lab/A")]),
        &[
            "Status 1/2 Sequence 200",
            "Status 1/3 Add 200 ./Lab/A",
            "Status 1/4 Get 200 ./Lab/A",
            "Results 1/4 | ./Lab/A = 1",
        ],
        |_| {},
    );
}

#[test]
fn dm_088_sequence_goes_on_after_a_failure() {
    run(
        &group("Sequence", 2, &[replace(3, "./Lab/X", "1"), add(4, "./Lab/A", "1")]),
        &[
            "Status 1/2 Sequence 200",
            "Status 1/3 Replace 404 ./Lab/X",
            "Status 1/4 Add 200 ./Lab/A",
        ],
        |_| {},
    );
}

#[test]
fn dm_089_user_says_no_in_a_sequence() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let sequence = [alert(3, 1101, &["", "Sure?"]), add(4, "./Lab/A", "1")];
        bench.say(&[group("Sequence", 2, &sequence), add(5, "./Lab/B", "1")].concat());
        assert_eq!(
            bench.answer(Answer::Rejected)[1..],
            [
                "Status 1/2 Sequence 200",
                "Status 1/3 Alert 304",
                "Status 1/4 Add 215",
                "Status 1/5 Add 200 ./Lab/B",
                "Final",
            ]
        );
        assert_eq!(bench.value("./Lab"), "B");
    });
}

#[test]
fn no_in_an_inner_sequence_leaves_the_outer_one_alone() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let inner = [alert(4, 1101, &["", "Sure?"]), add(5, "./Lab/A", "1")];
        let outer = [group("Sequence", 3, &inner), add(6, "./Lab/B", "1")];
        bench.say(&group("Sequence", 2, &outer));
        assert_eq!(
            bench.answer(Answer::Rejected)[1..],
            [
                "Status 1/2 Sequence 200",
                "Status 1/3 Sequence 200",
                "Status 1/4 Alert 304",
                "Status 1/5 Add 215",
                "Status 1/6 Add 200 ./Lab/B",
                "Final",
            ]
        );
    });
}

#[test]
fn sequence_inside_an_atomic_is_undone_with_it() {
    let inner = group("Sequence", 4, &[add(5, "./Lab/B", "1"), add(6, "./Lab/L", "1")]);
    let atomic = group("Atomic", 2, &[add(3, "./Lab/A", "1"), inner, add(7, "./Lab/C", "1")]);
    run(
        &atomic,
        &[
            "Status 1/2 Atomic 507",
            "Status 1/3 Add 216 ./Lab/A",
            "Status 1/4 Sequence 216",
            "Status 1/5 Add 216 ./Lab/B",
            "Status 1/6 Add 418 ./Lab/L",
            "Status 1/7 Add 215",
        ],
        |bench| assert_eq!(bench.value("./Lab"), "L"),
    );
}

#[test]
fn atomic_inside_a_sequence_fails_alone() {
    let inner = group("Atomic", 3, &[add(4, "./Lab/A", "1"), add(5, "./Lab/L", "1")]);
    run(
        &group("Sequence", 2, &[inner, add(6, "./Lab/B", "1")]),
        &[
            "Status 1/2 Sequence 200",
            "Status 1/3 Atomic 507",
            "Status 1/4 Add 216 ./Lab/A",
            "Status 1/5 Add 418 ./Lab/L",
            "Status 1/6 Add 200 ./Lab/B",
        ],
        |bench| assert_eq!(bench.value("./Lab"), "B/L"),
    );
}

#[test]
fn group_without_cmd_id_is_not_executed() {
    let body = group("Atomic", 2, &[add(3, "./Lab/A", "1")]).replace("<CmdID>2</CmdID>", "");
    run(
        &[body, add(4, "./Lab/B", "1")].concat(),
        &["Status 1/ Atomic 400", "Status 1/3 Add 215", "Status 1/4 Add 200 ./Lab/B"],
        |bench| assert_eq!(bench.value("./Lab"), "B/L"),
    );
}

#[test]
fn dm_085_statuses_of_an_atomic_may_be_split() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.header = metinf(&["MaxMsgSize=1200"]);
        let adds: Vec<_> = (3..33).map(|id| add(id, &format!("./Lab/N{id}"), "1")).collect();
        let first = bench.say(&group("Atomic", 2, &adds));
        assert_eq!(first[1], "Status 1/2 Atomic 200");
        assert_ne!(first.last().unwrap(), "Final");
        assert_eq!(bench.value("./Lab").split('/').count(), 30);
    });
}

#[test]
fn dm_090_commands_outside_groups_are_all_executed() {
    run(
        &[add(2, "./Lab/L", "1"), delete(3, "./Lab/X"), add(4, "./Lab/A", "1")].concat(),
        &[
            "Status 1/2 Add 418 ./Lab/L",
            "Status 1/3 Delete 404 ./Lab/X",
            "Status 1/4 Add 200 ./Lab/A",
        ],
        |_| {},
    );
}
