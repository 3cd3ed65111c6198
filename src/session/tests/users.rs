//! Alerts for the user: DM-140 to DM-156. What their options mean is tested beside the code.

use super::*;

/// Asks with one alert and answers; the lines after the SyncHdr's Status.
fn ask(code: u16, texts: &[&str], answer: Answer) -> Vec<String> {
    let mut replies = Vec::new();
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let lines = bench.say(&[alert(2, code, texts), add(3, "./Lab/A", "1")].concat());
        assert!(lines[0].starts_with("Ask "), "{lines:?}");
        replies.push(bench.answer(answer.clone())[1..].to_vec());
    });
    assert_eq!(replies[0], replies[1]);
    replies.remove(0)
}

const ADDED: [&str; 2] = ["Status 1/3 Add 200 ./Lab/A", "Final"];
const SKIPPED: [&str; 2] = ["Status 1/3 Add 215", "Final"];

#[test]
fn dm_140_display() {
    let lines = ask(1100, &["MINDT=10", "Hello"], Answer::Accepted);
    assert_eq!(lines, ["Status 1/2 Alert 200", ADDED[0], ADDED[1]]);
}

#[test]
fn dm_141_and_dm_155_yes_and_no_go_on() {
    let ask = |answer| ask(1101, &["", "Sure?"], answer);
    assert_eq!(ask(Answer::Accepted), ["Status 1/2 Alert 200", ADDED[0], ADDED[1]]);
    assert_eq!(ask(Answer::Rejected), ["Status 1/2 Alert 304", ADDED[0], ADDED[1]]);
}

#[test]
fn dm_141_and_dm_154_cancel_and_silence_stop_the_message() {
    let ask = |answer| ask(1101, &["", "Sure?"], answer);
    assert_eq!(ask(Answer::Cancelled), ["Status 1/2 Alert 214", SKIPPED[0], SKIPPED[1]]);
    assert_eq!(ask(Answer::TimedOut), ["Status 1/2 Alert 408", SKIPPED[0], SKIPPED[1]]);
}

#[test]
fn cancel_in_a_sequence_stops_the_message_and_silence_the_sequence() {
    both(|encoding| {
        for (answer, code, after) in
            [(Answer::Cancelled, 214, "215"), (Answer::TimedOut, 408, "200 ./Lab/B")]
        {
            let mut bench = Bench::new(encoding).started();
            let sequence = [alert(3, 1101, &["", "Sure?"]), add(4, "./Lab/A", "1")];
            bench.say(&[group("Sequence", 2, &sequence), add(5, "./Lab/B", "1")].concat());
            assert_eq!(
                bench.answer(answer)[1..],
                [
                    "Status 1/2 Sequence 200".to_owned(),
                    format!("Status 1/3 Alert {code}"),
                    "Status 1/4 Add 215".into(),
                    format!("Status 1/5 Add {after}"),
                    "Final".into(),
                ]
            );
        }
    });
}

#[test]
fn cancel_in_an_atomic_undoes_it_and_stops_the_message() {
    both(|encoding| {
        for (answer, code, after) in
            [(Answer::Cancelled, 214, "215"), (Answer::TimedOut, 408, "200 ./Lab/B")]
        {
            let mut bench = Bench::new(encoding).started();
            let atomic = [add(3, "./Lab/A", "1"), alert(4, 1101, &["", "Sure?"])];
            bench.say(&[group("Atomic", 2, &atomic), add(5, "./Lab/B", "1")].concat());
            assert_eq!(
                bench.answer(answer)[1..],
                [
                    "Status 1/2 Atomic 507".to_owned(),
                    "Status 1/3 Add 216 ./Lab/A".into(),
                    format!("Status 1/4 Alert {code}"),
                    format!("Status 1/5 Add {after}"),
                    "Final".into(),
                ]
            );
            assert_eq!(bench.value("./Lab/A"), "-");
        }
    });
}

#[test]
fn dm_142_text_input() {
    let lines = ask(1102, &["", "Channel?"], Answer::Text("CNN & <x>".into()));
    assert_eq!(lines[0], "Status 1/2 Alert 200 | = CNN & <x>");
}

#[test]
fn dm_147_single_choice() {
    let lines = ask(1103, &["", "Pick", "a", "b"], Answer::Choices(vec![2]));
    assert_eq!(lines[0], "Status 1/2 Alert 200 | = 2");
}

#[test]
fn dm_148_multiple_choice() {
    let lines = ask(1104, &["", "Pick", "a", "b", "c"], Answer::Choices(vec![2, 3]));
    assert_eq!(lines[0], "Status 1/2 Alert 200 | = 2 | = 3");
}

#[test]
fn dm_151_and_dm_152_incomplete_alerts() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body = [
            alert(2, 1101, &["Sure?"]),
            alert(3, 1103, &["", "Pick"]),
            "<Alert><CmdID>4</CmdID></Alert>".into(),
        ];
        assert_eq!(
            bench.say(&body.concat())[1..4],
            ["Status 1/2 Alert 412", "Status 1/3 Alert 412", "Status 1/4 Alert 412"]
        );
    });
}

#[test]
fn dm_153_nobody_to_ask() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| setup.ui = false).started();
        let body = [alert(2, 1100, &["", "Hello"]), add(3, "./Lab/A", "1")];
        assert_eq!(bench.say(&body.concat())[1..], ["Status 1/2 Alert 406", ADDED[0], ADDED[1]]);
    });
}

#[test]
fn dm_156_text_that_cannot_be_shown() {
    let lines = ask(1100, &["", "Hello"], Answer::CannotShow);
    assert_eq!(lines, ["Status 1/2 Alert 416", ADDED[0], ADDED[1]]);
}

#[test]
fn what_came_before_a_question_is_durable() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body = [add(2, "./Lab/A", "1"), alert(3, 1101, &["", "Sure?"]), add(4, "./Lab/B", "1")];
        bench.say(&body.concat());
        assert_eq!(bench.value("./Lab"), "A");
        bench.leaf("./Lab/Host", "1");
        assert_eq!(bench.answer(Answer::Accepted).len(), 5);
        assert_eq!(bench.value("./Lab"), "A/B/Host");
    });
}

#[test]
fn an_answer_of_the_wrong_kind_may_be_corrected() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.say(&alert(2, 1103, &["", "Pick", "a", "b"]));
        let context = Context { db: &bench.db, now: NOW, random: &mut Counting(0) };
        let wrong = bench.engine.as_mut().unwrap().answer(context, Answer::Choices(vec![3]));
        assert_eq!(wrong.unwrap_err().code(), Code::InvalidArg);
        assert_eq!(bench.answer(Answer::Choices(vec![1]))[1], "Status 1/2 Alert 200 | = 1");
        let context = Context { db: &bench.db, now: NOW, random: &mut Counting(0) };
        let late = bench.engine.as_mut().unwrap().answer(context, Answer::Accepted);
        assert_eq!(late.unwrap_err().code(), Code::State);
    });
}
