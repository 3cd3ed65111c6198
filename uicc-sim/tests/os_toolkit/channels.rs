//! The card's channels in use: octets that come and go, and clients and servers that leave.

use super::*;

#[test]
fn sc_113_sc_114_answers_to_receive_data_are_checked() {
    let full = vec![7; 237];
    for (answer, part) in [
        (received(1, &[7; 100], 5, 0), "though more remain"),
        (received(1, &[7; 100], 0, 0), "result is not 02"),
        (received(1, &full, 0, 2), "all octets asked for are there"),
        (
            response(&hex::decode("810301420082028281830100B60107").unwrap()),
            "no channel data length",
        ),
    ] {
        let (mut card, _) = listening(CardConfig::default());
        send(&mut card, &envelope("env-chstatus-established"));
        send(&mut card, &envelope("env-data-available-ff"));
        send(&mut card, &fetch(14));
        send(&mut card, &answer);
        complaint(&card, part);
    }
}

#[test]
fn sc_119_the_last_octets_of_a_client_that_left_are_still_read() {
    let (mut card, recorder) = listening(CardConfig::default());
    recorder.0.lock().unwrap().request_end = b"!".to_vec();
    recorder.0.lock().unwrap().answer = b"too late".to_vec();
    script(
        &mut card,
        &[
            (&envelope("env-chstatus-established"), "9000"),
            (&envelope("env-data-available-ff"), "910E"),
            (&envelope("env-chstatus-listen"), "910E"),
            (&fetch(14), &receive(1)),
            (&received(1, b"bye!", 0, 2), "9000"),
        ],
    );
    let record = recorder.0.lock().unwrap();
    assert_eq!((record.received.as_slice(), record.closed), (&b"bye!"[..], 1));
    drop(record);
    assert!(card.findings().iter().all(|finding| finding.good));
}

#[test]
fn a_client_that_leaves_during_the_answer_is_no_fault() {
    let (mut card, recorder) = listening(CardConfig::default());
    recorder.0.lock().unwrap().request_end = b"?".to_vec();
    recorder.0.lock().unwrap().answer = vec![1; 600];
    script(
        &mut card,
        &[
            (&envelope("env-chstatus-established"), "9000"),
            (&envelope("srv-env-data-available-42"), "910E"),
            (&fetch(14), &receive(1)),
            (&received(1, b"what?", 0, 2), "91FC"),
            (&fetch(0xFC), &sending(2, &[1; 237])),
            (&response(&hex::decode("81030243018202828183023A02").unwrap()), "9000"),
            (&envelope("env-chstatus-listen"), "9000"),
        ],
    );
    assert_eq!(recorder.0.lock().unwrap().closed, 1);
    assert!(card.findings().iter().all(|finding| finding.good));
}

#[test]
fn a_web_server_that_never_answers() {
    let faults = Faults { ignore_http: true, ..Faults::default() };
    let (mut card, recorder) = listening(CardConfig { faults, ..CardConfig::default() });
    script(
        &mut card,
        &[
            (&envelope("env-chstatus-established"), "9000"),
            (&envelope("srv-env-data-available-42"), "910E"),
            (&fetch(14), &receive(1)),
            (&received(1, &[b'a'; 42], 0, 2), "9000"),
        ],
    );
    assert!(recorder.0.lock().unwrap().received.is_empty());
}

#[test]
fn sc_117_a_web_server_that_hangs_up_midway() {
    let faults = Faults { close_midway: true, ..Faults::default() };
    let (mut card, recorder) = listening(CardConfig { faults, ..CardConfig::default() });
    recorder.0.lock().unwrap().request_end = b"?".to_vec();
    recorder.0.lock().unwrap().answer = b"12345678".to_vec();
    script(
        &mut card,
        &[
            (&envelope("env-chstatus-established"), "9000"),
            (&envelope("srv-env-data-available-42"), "910E"),
            (&fetch(14), &receive(1)),
            (&received(1, b"?", 0, 2), "9111"),
            (&fetch(17), &sending(2, b"1234")),
            (&response(&numbered("tr-send-ok", 2)), "910B"),
            (&fetch(11), "D0098103034101820281219000"),
            (&response(&hex::decode("810303410182028281830100").unwrap()), "9000"),
        ],
    );
    assert_eq!(recorder.0.lock().unwrap().closed, 1);
}
