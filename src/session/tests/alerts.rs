//! Alerts that are not for the user: DM-091 to DM-096.

use super::*;

fn generic(number: u64, data: &str) -> HostAlert {
    HostAlert::generic(number, "Reversed-Domain-Name:org.x.hot", "chr", data).unwrap()
}

#[test]
fn dm_091_alerts_that_a_server_may_not_send() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        let body: String = [1105, 1200, 1224, 1226, 1299]
            .iter()
            .zip(2..)
            .map(|(&code, id)| alert(id, code, &[]))
            .collect();
        let expected: Vec<_> = (2..7).map(|id| format!("Status 1/{id} Alert 406")).collect();
        assert_eq!(bench.say(&body)[1..6], expected);
    });
}

#[test]
fn dm_092_client_event() {
    both(|encoding| {
        let event = HostAlert::event(1, "application/x", "int", "5");
        let mut bench = Bench::new(encoding).set(|setup| setup.alerts.push(event));
        assert_eq!(bench.start()[2], "Alert 1224 | [int] [application/x] = 5");
    });
}

#[test]
fn dm_093_type_of_a_generic_alert() {
    assert!(HostAlert::generic(1, "Content-Type:text/plain", "chr", "").is_ok());
    for wrong in ["text/plain", "", "Content-Type:", "X-Content-Type:text/plain"] {
        let error = HostAlert::generic(1, wrong, "chr", "").unwrap_err();
        assert_eq!(error.code(), Code::InvalidArg, "{wrong}");
    }
}

#[test]
fn dm_093_binary_data_in_both_encodings() {
    for (encoding, format) in [(Encoding::Xml, "b64"), (Encoding::Wbxml, "bin")] {
        let alert = HostAlert::generic(1, "Content-Type:x/y", "bin", [1, 2, 255]).unwrap();
        let mut bench = Bench::new(encoding).set(|setup| setup.alerts.push(alert));
        assert!(bench.start()[2].contains(&format!("[{format}]")));
    }
}

#[test]
fn dm_094_importance_only_if_there_is_one() {
    both(|encoding| {
        let alerts = [generic(1, "a"), generic(2, "b").with_mark("fatal")];
        let mut bench = Bench::new(encoding).set(|setup| setup.alerts.extend(alerts));
        let lines = bench.start();
        assert_eq!(lines[2], "Alert 1226 | [chr] [Reversed-Domain-Name:org.x.hot] = a");
        assert_eq!(lines[3], "Alert 1226 | [chr] [Reversed-Domain-Name:org.x.hot] [fatal] = b");
    });
}

#[test]
fn dm_095_alert_is_repeated_with_the_login() {
    both(|encoding| {
        let client = credential("DIGEST", "Bruce2", "OhBehave", "stale");
        let mut bench = Bench::with(encoding, Some(client), None)
            .set(|setup| setup.alerts.push(generic(1, "a")));
        bench.start();
        bench.login = "<Chal><Meta><Format xmlns='syncml:metinf'>b64</Format><Type \
                       xmlns='syncml:metinf'>syncml:auth-md5</Type><NextNonce \
                       xmlns='syncml:metinf'>Tm9uY2U=</NextNonce></Meta></Chal><Data>401</Data>";
        let refused = "<Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>3</CmdRef><Cmd>Alert\
                       </Cmd><Data>401</Data></Status>";
        assert_eq!(
            bench.say(refused),
            [
                "Status 1/0 SyncHdr 200",
                "Alert 1201",
                "Replace | ./DevInfo/DevId = IMEI:493005100592800 | ./DevInfo/Man = Maker \
                 | ./DevInfo/Mod = One | ./DevInfo/DmV = 1.2.1 | ./DevInfo/Lang = en",
                "Alert 1226 | [chr] [Reversed-Domain-Name:org.x.hot] = a",
                "Final",
            ]
        );
        assert_eq!(bench.engine().unanswered_alerts().len(), 1);
    });
}

#[test]
fn dm_096_alert_that_is_too_large() {
    both(|encoding| {
        let alerts = [generic(1, &"x".repeat(2000)), generic(2, "small")];
        let mut bench = Bench::new(encoding).set(|setup| {
            setup.large_objects = false;
            setup.max_msg_size = 2000;
            setup.alerts.extend(alerts);
        });
        let lines = bench.start();
        assert_eq!(lines[2], "Alert 1226 | [chr] [Reversed-Domain-Name:org.x.hot] = small");
        let event = SessionEvent::AlertNotSent { number: 1 };
        assert!(bench.engine().take_events().contains(&event));
    });
}

#[test]
fn alert_above_the_servers_max_obj_size_is_not_sent() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.header = metinf(&["MaxObjSize=100"]);
        bench.engine().queue_alert(generic(1, &"x".repeat(101))).unwrap();
        bench.engine().queue_alert(generic(2, &"x".repeat(100))).unwrap();
        let lines = bench.say("");
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(bench.engine().take_events().contains(&SessionEvent::AlertNotSent { number: 1 }));
    });
}

#[test]
fn large_alert_goes_in_chunks() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| {
            setup.max_msg_size = 1000;
            setup.alerts.push(generic(1, &"x".repeat(2000)));
        });
        bench.start();
        let mut chunks = 0;
        while !bench.message().is_final {
            assert!(bench.sent.as_ref().unwrap().body.len() <= 1000);
            let lines = bench.say_more(&alert(2, 1222, &[]));
            chunks += usize::from(lines.iter().any(|line| line.ends_with(" ...")));
        }
        assert!(chunks >= 1, "{encoding:?} {:?}", bench.engine().take_events());
        let last = bench.msg_ref();
        let id = bench.message().commands.len();
        let status = format!(
            "<Status><CmdID>2</CmdID><MsgRef>{last}</MsgRef><CmdRef>{id}</CmdRef><Cmd>Alert</Cmd>\
         <Data>200</Data></Status>"
        );
        assert_eq!(bench.say(&status), ["Done"]);
        assert!(bench.engine().unanswered_alerts().is_empty());
    });
}

#[test]
fn no_alert_after_the_end() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.say("");
        assert_eq!(bench.engine().queue_alert(generic(1, "a")).unwrap_err().code(), Code::State);
    });
}
