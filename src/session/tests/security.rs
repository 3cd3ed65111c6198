//! Authentication: DM-097 to DM-122.

use super::auth;
use super::*;

const NONCE: &str = "Nonce";

fn client(auth_type: &str, nonce: &str) -> Option<Credential> {
    Some(credential(auth_type, "Bruce2", "OhBehave", nonce))
}

fn server(auth_type: &str, nonce: &str) -> Option<Credential> {
    Some(credential(auth_type, "S1", "srvpwd", nonce))
}

/// Chal of this type; `nonce` is encoded here.
fn chal(kind: &str, nonce: &str) -> String {
    let nonce = match nonce {
        "" => String::new(),
        nonce => format!("NextNonce={}", auth::encode(nonce.as_bytes())),
    };
    let kind = format!("Type=syncml:auth-{kind}");
    let mut fields = vec!["Format=b64", kind.as_str()];
    fields.extend((!nonce.is_empty()).then_some(nonce.as_str()));
    format!("<Chal>{}</Chal>", metinf(&fields))
}

/// A server's Status for the SyncHdr with a challenge.
pub(super) fn with_chal(kind: &str, nonce: &str, code: u16) -> &'static str {
    Box::leak(format!("{}<Data>{code}</Data>", chal(kind, nonce)).into_boxed_str())
}

/// A server's Cred for its SyncHdr.
fn cred(kind: &str, data: &str) -> String {
    let kind = format!("Type=syncml:auth-{kind}");
    format!("<Cred>{}<Data>{data}</Data></Cred>", metinf(&["Format=b64", &kind]))
}

pub(super) fn server_md5(nonce: &[u8]) -> String {
    cred("md5", &auth::md5("S1", b"srvpwd", nonce))
}

/// Type and data of the client's Cred.
fn sent_cred(bench: &Bench) -> Option<(String, String)> {
    let cred = bench.message().header.cred?;
    assert_eq!(cred.meta.format.as_deref(), Some("b64"));
    Some((cred.meta.mime?.into_owned(), cred.data.into_owned()))
}

fn md5_cred(nonce: &str) -> Option<(String, String)> {
    let data = auth::md5("Bruce2", b"OhBehave", nonce.as_bytes());
    Some(("syncml:auth-md5".into(), data))
}

/// The stored nonce of client (`CLCRED`) or server (`SRVCRED`).
fn stored(bench: &Bench) -> (Vec<u8>, Vec<u8>) {
    let view = bench.db.read().unwrap();
    let account = dmacc::find(&view, "S1").unwrap().unwrap();
    let nonce = |side: Option<Credential>| {
        side.map_or(Vec::new(), |credential| credential.nonce.expose().to_vec())
    };
    (nonce(account.client), nonce(account.server))
}

#[test]
fn dm_097_basic_in_package_1() {
    both(|encoding| {
        let bench = Bench::with(encoding, client("BASIC", ""), None).started();
        let expected = ("syncml:auth-basic".into(), "QnJ1Y2UyOk9oQmVoYXZl".into());
        assert_eq!(sent_cred(&bench), Some(expected));
    });
}

#[test]
fn dm_098_and_dm_119_md5_in_package_1() {
    both(|encoding| {
        let bench = Bench::with(encoding, client("DIGEST", NONCE), None).started();
        let expected = ("syncml:auth-md5".into(), "Zz6EivR3yeaaENcRN6lpAQ==".into());
        assert_eq!(sent_cred(&bench), Some(expected));
        assert_eq!(
            bench.message().header.source.name.as_deref().map(AsRef::as_ref),
            Some("Bruce2")
        );
    });
}

#[test]
fn dm_119_preference_of_the_account() {
    both(|encoding| {
        for (preferred, expected) in [
            ("DIGEST", "syncml:auth-md5"),
            ("BASIC", "syncml:auth-basic"),
            ("", "syncml:auth-basic"),
        ] {
            let bench = Bench::with(encoding, client("BASIC", NONCE), None)
                .set(|setup| setup.account.auth_pref = Some(preferred.into()))
                .started();
            assert_eq!(sent_cred(&bench).unwrap().0, expected);
        }
        // A preference cannot weaken what the credentials are meant for.
        let bench = Bench::with(encoding, client("DIGEST", NONCE), None)
            .set(|setup| setup.account.auth_pref = Some("BASIC".into()))
            .started();
        assert_eq!(sent_cred(&bench).unwrap().0, "syncml:auth-md5");
    });
}

#[test]
fn dm_099_hmac_covers_the_message() {
    both(|encoding| {
        let bench = Bench::with(encoding, client("HMAC", NONCE), None).started();
        let sent = bench.sent.as_ref().unwrap();
        let mac = auth::mac("Bruce2", b"OhBehave", b"Nonce", &sent.body);
        let header = format!("algorithm=MD5, username=\"Bruce2\", mac={mac}");
        assert_eq!(sent.hmac.as_deref(), Some(header.as_str()));
        assert_eq!(sent_cred(&bench), None);
    });
}

#[test]
fn dm_101_login_after_407() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, client("DIGEST", ""), None);
        bench = bench.set(|setup| setup.cause = Cause::ServerInitiated).started();
        assert_eq!(sent_cred(&bench), None);
        bench.login = with_chal("md5", "fresh", 407);
        let lines = bench.say("");
        assert_eq!(lines[..2], ["Status 1/0 SyncHdr 200", "Alert 1200"]);
        assert_eq!((lines[2].split(' ').next(), lines.len()), (Some("Replace"), 4));
        assert_eq!(sent_cred(&bench), md5_cred("fresh"));
        let header = bench.message().header;
        assert_eq!((&*header.session_id, &*header.msg_id), ("1234", "2"));
        bench.login = "212";
        assert_eq!(bench.say(""), ["Done"]);
    });
}

#[test]
fn dm_102_second_refusal_ends_the_session() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, client("DIGEST", NONCE), None).started();
        bench.login = with_chal("md5", "fresh", 401);
        bench.say("");
        assert_eq!(sent_cred(&bench), md5_cred("fresh"));
        let error = bench.give("<Final/>").unwrap_err();
        assert_eq!((error.code(), error.syncml_status), (Code::AuthClient, 401));
        assert_eq!(bench.abort(&error), ["nothing"]);
    });
}

#[test]
fn dm_103_challenge_that_the_account_does_not_allow() {
    both(|encoding| {
        for kind in ["basic", "X509"] {
            let mut bench = Bench::with(encoding, client("DIGEST", NONCE), None).started();
            bench.login = with_chal(kind, "", 401);
            assert_eq!(bench.give("<Final/>").unwrap_err().code(), Code::AuthClient, "{kind}");
        }
        let mut bench = Bench::with(encoding, client("HMAC", NONCE), None).started();
        bench.login = with_chal("md5", "fresh", 401);
        assert_eq!(bench.give("<Final/>").unwrap_err().code(), Code::AuthClient);
    });
}

#[test]
fn challenge_without_what_it_needs() {
    both(|encoding| {
        for login in ["401", with_chal("md5", "", 401)] {
            let mut bench = Bench::with(encoding, client("DIGEST", ""), None).started();
            bench.login = login;
            assert_eq!(bench.give("<Final/>").unwrap_err().code(), Code::AuthClient, "{login}");
        }
        let mut bench = Bench::with(encoding, None, None).started();
        bench.login = with_chal("md5", "fresh", 407);
        assert_eq!(bench.give("<Final/>").unwrap_err().code(), Code::AuthClient);
    });
}

#[test]
fn a_stronger_type_than_the_accounts_is_used_when_asked_for() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, client("BASIC", ""), None).started();
        bench.login = with_chal("md5", "fresh", 401);
        bench.say("");
        assert_eq!(sent_cred(&bench), md5_cred("fresh"));
    });
}

#[test]
fn dm_104_no_credentials_after_212() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, client("DIGEST", NONCE), None).started();
        bench.login = "212";
        bench.say(&get(2, "./DevInfo/Man"));
        assert_eq!(sent_cred(&bench), None);
    });
}

#[test]
fn dm_105_nonce_for_the_next_session() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, client("DIGEST", NONCE), None).started();
        bench.login = with_chal("md5", "next", 212);
        assert_eq!(bench.say(""), ["Done"]);
        assert_eq!(stored(&bench).0, b"next");
        let event = SessionEvent::NonceRenewed(Side::Client);
        assert!(bench.engine().take_events().contains(&event));
    });
}

#[test]
fn dm_106_and_dm_107_credentials_after_200() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, client("DIGEST", NONCE), None).started();
        bench.login = "200";
        bench.say(&get(2, "./DevInfo/Man"));
        assert_eq!(sent_cred(&bench), md5_cred(NONCE));
        bench.login = with_chal("md5", "fresh", 200);
        bench.say(&get(2, "./DevInfo/Man"));
        assert_eq!(sent_cred(&bench), md5_cred("fresh"));
    });
}

#[test]
fn dm_108_hmac_session_without_fresh_nonce() {
    both(|encoding| {
        for login in ["200", "212", "", with_chal("MAC", "fresh", 212)] {
            let mut bench = Bench::with(encoding, client("HMAC", NONCE), None).started();
            bench.login = login;
            let error = bench.give(&format!("{}<Final/>", get(2, "./DevInfo/Man"))).unwrap_err();
            assert_eq!(error.code(), Code::Protocol, "{login}");
        }
    });
}

/// The server's HMAC header for a message.
fn server_hmac(bench: &Bench, nonce: &[u8], text: &str) -> String {
    let mac = auth::mac("S1", b"srvpwd", nonce, &bench.encode(text));
    auth::hmac_header("S1", &mac)
}

/// The nonce in the Chal of the client's last message.
fn issued(bench: &Bench) -> Vec<u8> {
    let Command::Status(status) = &bench.message().commands[0] else { panic!("no Status") };
    let nonce = status.chal.as_ref().unwrap().next_nonce().unwrap();
    let nonce = auth::decode(nonce).unwrap();
    assert!(nonce.len() >= 16);
    nonce
}

#[test]
fn dm_109_hmac_on_every_message() {
    both(|encoding| {
        let mut bench =
            Bench::with(encoding, client("HMAC", NONCE), server("HMAC", "theirs")).started();
        let mut theirs = b"theirs".to_vec();
        for ours in ["one", "two", "three"] {
            bench.login = with_chal("MAC", ours, 200);
            let text = bench.frame(&format!("{}<Final/>", get(2, "./DevInfo/Man")));
            bench.hmac = Some(server_hmac(&bench, &theirs, &text));
            let octets = bench.encode(&text);
            bench.give_octets(&octets).unwrap();
            let lines = lines(&bench.message());
            assert!(lines[0].contains("SyncHdr 200 chal syncml:auth-MAC"), "{lines:?}");
            assert!(lines[1].contains("Get 200"), "{lines:?}");
            theirs = issued(&bench);
            let sent = bench.sent.as_ref().unwrap();
            let mac = auth::mac("Bruce2", b"OhBehave", ours.as_bytes(), &sent.body);
            assert_eq!(sent.hmac, Some(auth::hmac_header("Bruce2", &mac)));
        }
        assert_eq!(stored(&bench).0, b"three");
    });
}

#[test]
fn dm_110_and_dm_111_wrong_or_missing_hmac() {
    both(|encoding| {
        for wrong in [None, Some("username=\"S1\", mac=AAAAAAAAAAAAAAAAAAAAAA=="), Some("?")] {
            let mut bench =
                Bench::with(encoding, client("HMAC", NONCE), server("HMAC", "theirs")).started();
            bench.login = with_chal("MAC", "one", 200);
            bench.hmac = wrong.map(str::to_owned);
            let lines = bench.say(&add(2, "./Lab/A", "1"));
            assert!(lines[0].contains("SyncHdr 401 chal syncml:auth-MAC"), "{lines:?}");
            assert_eq!(lines[1..], ["Status 1/2 Add 401", "Final"]);
            assert_eq!(bench.value("./Lab/A"), "-");
            // The retry proves the identity with the new nonce.
            let nonce = issued(&bench);
            bench.login = with_chal("MAC", "two", 200);
            let text = bench.frame(&format!("{}<Final/>", add(2, "./Lab/A", "1")));
            bench.hmac = Some(server_hmac(&bench, &nonce, &text));
            let step = bench.give_text(&text).unwrap();
            assert_eq!(bench.lines(step)[1], "Status 2/2 Add 200 ./Lab/A");
        }
    });
}

#[test]
fn dm_112_server_proves_itself_with_md5() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, None, server("DIGEST", NONCE)).started();
        bench.header = server_md5(NONCE.as_bytes());
        let lines = bench.say(&get(2, "./DevInfo/Man"));
        assert!(lines[0].contains("SyncHdr 212 chal syncml:auth-md5"), "{lines:?}");
        assert_eq!(lines[2], "Results 1/2 | ./DevInfo/Man = Maker");
        let nonce = issued(&bench);
        assert!(bench.engine().take_events().contains(&SessionEvent::ServerAuthenticated));
        // Not yet known to have arrived.
        assert_eq!(stored(&bench).1, NONCE.as_bytes());
        bench.header.clear();
        assert_eq!(bench.say(""), ["Done"]);
        assert_eq!(stored(&bench).1, nonce);
    });
}

#[test]
fn once_proven_is_enough_for_md5() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, None, server("DIGEST", NONCE)).started();
        bench.header = server_md5(NONCE.as_bytes());
        bench.say(&get(2, "./DevInfo/Man"));
        bench.header.clear();
        assert_eq!(bench.say(&get(2, "./DevInfo/Man"))[0], "Status 2/0 SyncHdr 200");
    });
}

#[test]
fn dm_113_to_dm_115_missing_or_wrong_credentials() {
    both(|encoding| {
        let wrong = server_md5(b"stale");
        let basic = cred("basic", &auth::encode(b"S1:srvpwd"));
        for (header, code) in [("", 407), (wrong.as_str(), 401), (basic.as_str(), 401)] {
            let mut bench = Bench::with(encoding, None, server("DIGEST", NONCE)).started();
            bench.header = header.to_owned();
            let body = [group("Atomic", 2, &[add(3, "./Lab/A", "1")]), get(4, "./DevInfo/Man")];
            let lines = bench.say(&body.concat());
            let start = format!("Status 1/0 SyncHdr {code} chal syncml:auth-md5 ");
            assert!(lines[0].starts_with(&start), "{lines:?}");
            let refused = [
                format!("Status 1/2 Atomic {code}"),
                format!("Status 1/3 Add {code}"),
                format!("Status 1/4 Get {code}"),
                "Final".into(),
            ];
            assert_eq!(lines[1..], refused);
            assert_eq!(bench.value("./Lab/A"), "-");
            bench.header = server_md5(&issued(&bench));
            let lines = bench.say(&body.concat());
            assert!(lines[0].contains("SyncHdr 212"), "{lines:?}");
            assert_eq!(bench.value("./Lab/A"), "1");
        }
    });
}

#[test]
fn dm_114_wrong_credentials_get_a_new_nonce() {
    both(|encoding| {
        for kind in ["DIGEST", "HMAC"] {
            let mut bench = Bench::with(encoding, None, server(kind, NONCE)).started();
            bench.header = server_md5(b"stale");
            let lines = bench.say(&[add(2, "./Lab/A", "1"), get(3, "./Lab")].concat());
            assert!(lines[0].starts_with("Status 1/0 SyncHdr 401 chal "), "{lines:?}");
            assert_eq!(lines[1..], ["Status 1/2 Add 401", "Status 1/3 Get 401", "Final"]);
            assert_ne!(issued(&bench), NONCE.as_bytes());
            assert_eq!(bench.value("./Lab"), "");
        }
    });
}

#[test]
fn second_refusal_of_the_server_ends_the_session() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, None, server("DIGEST", NONCE)).started();
        bench.header = server_md5(b"wrong");
        bench.say(&add(2, "./Lab/A", "1"));
        let error = bench.give(&format!("{}<Final/>", add(2, "./Lab/A", "1"))).unwrap_err();
        assert_eq!((error.code(), error.syncml_status), (Code::AuthServer, 401));
        assert_eq!(bench.value("./Lab/A"), "-");
        let lines = bench.abort(&error);
        assert_eq!(lines[lines.len() - 2..], ["Alert 1223", "Final"]);
        // Somebody without the secret cannot spoil the nonce of the real server.
        assert_eq!(stored(&bench).1, NONCE.as_bytes());
    });
}

#[test]
fn dm_116_nothing_but_statuses_without_credentials() {
    both(|encoding| {
        for header in [String::new(), server_md5(b"wrong")] {
            let mut bench = Bench::with(encoding, None, server("DIGEST", NONCE))
                .set(|setup| setup.alerts.push(HostAlert::event(1, "x", "chr", "")))
                .started();
            bench.header = header;
            assert_eq!(bench.say(""), ["Done"]);
        }
    });
}

#[test]
fn dm_117_nonce_of_an_unproven_server_is_not_stored() {
    both(|encoding| {
        let mut bench =
            Bench::with(encoding, client("DIGEST", NONCE), server("DIGEST", "theirs")).started();
        bench.login = with_chal("md5", "fresh", 401);
        let lines = bench.say("");
        assert!(lines[0].contains("SyncHdr 407 chal"), "{lines:?}");
        assert_eq!(lines[1], "Alert 1201");
        assert_eq!(sent_cred(&bench), md5_cred("fresh"));
        assert_eq!(stored(&bench), (NONCE.as_bytes().to_vec(), b"theirs".to_vec()));
        bench.header = server_md5(&issued(&bench));
        bench.login = "212";
        bench.say(&get(2, "./DevInfo/Man"));
        assert_eq!(stored(&bench).0, b"fresh");
    });
}

#[test]
fn dm_118_nonce_that_was_not_delivered_is_not_stored() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, None, server("DIGEST", NONCE)).started();
        bench.header = server_md5(NONCE.as_bytes());
        bench.say(&get(2, "./DevInfo/Man"));
        bench.abort(&Error::new(Code::Io, "lost"));
        assert_eq!(stored(&bench).1, NONCE.as_bytes());
    });
}

#[test]
fn dm_120_new_secret_counts_from_the_next_session() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, client("DIGEST", NONCE), None).started();
        bench.host(|tree| {
            let uri = at("./DMAcc/1/AppAuth/1/AAuthSecret");
            tree.replace(&uri, &Content::text("Changed")).unwrap();
        });
        bench.say(&get(2, "./DevInfo/Man"));
        assert_eq!(sent_cred(&bench), md5_cred(NONCE));
    });
}

#[test]
fn dm_121_rights_are_those_of_the_server_id() {
    both(|encoding| {
        let mut bench = Bench::new(encoding);
        bench.leaf("./Lab/Mine", "1");
        bench.leaf("./Lab/Theirs", "1");
        bench.host(|tree| {
            for (uri, acl) in [("./Lab/Mine", "Get=S1"), ("./Lab/Theirs", "Get=S2")] {
                tree.replace(&at(&format!("{uri}?prop=ACL")), &Content::text(acl)).unwrap();
            }
        });
        bench.start();
        let lines = bench.say(&[get(2, "./Lab/Mine"), get(3, "./Lab/Theirs")].concat());
        assert_eq!(
            lines[1..3],
            ["Status 1/2 Get 200 ./Lab/Mine", "Status 1/3 Get 425 ./Lab/Theirs"]
        );
    });
}

#[test]
fn dm_122_no_session_without_tls_if_it_is_required() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| setup.require_tls = true);
        assert_eq!(bench.try_start().unwrap_err().code(), Code::Tls);
        let mut bench = Bench::new(encoding).set(|setup| {
            setup.require_tls = true;
            setup.address = "https://dm.example/".into();
        });
        assert!(bench.try_start().is_ok());
    });
}

#[test]
fn no_session_if_nothing_could_prove_the_server() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).set(|setup| setup.trusted_transport = false);
        assert_eq!(bench.try_start().unwrap_err().code(), Code::AuthServer);
    });
}

#[test]
fn transport_proves_a_server_that_could_prove_itself() {
    both(|encoding| {
        let mut bench = Bench::with(encoding, None, server("DIGEST", NONCE))
            .set(|setup| setup.trusted_transport = true)
            .started();
        assert_eq!(bench.say(&get(2, "./DevInfo/Man"))[0], "Status 1/0 SyncHdr 200");
    });
}

#[test]
fn failure_status_for_the_header_ends_the_session() {
    both(|encoding| {
        let mut bench = Bench::new(encoding).started();
        bench.login = "503";
        let error = bench.give("<Final/>").unwrap_err();
        assert_eq!((error.code(), error.syncml_status), (Code::Protocol, 503));
    });
}

#[test]
fn nothing_secret_in_debug_texts() {
    both(|encoding| {
        let bench =
            Bench::with(encoding, client("BASIC", NONCE), server("DIGEST", "theirs")).started();
        let text = format!("{:?} {:?}", bench.engine, bench.sent);
        for secret in ["OhBehave", "srvpwd", "QnJ1Y2UyOk9oQmVoYXZl", "theirs"] {
            assert!(!text.contains(secret), "{secret}");
        }
    });
}

#[test]
fn dm_131_session_with_the_default_nonce_renews_both() {
    both(|encoding| {
        let zeros = "\0\0\0\0";
        let mut bench = Bench::with(encoding, client("DIGEST", NONCE), server("DIGEST", NONCE))
            .set(|setup| {
                for side in [&mut setup.account.client, &mut setup.account.server] {
                    side.as_mut().unwrap().nonce = crate::secret::Secret::new(zeros);
                }
            })
            .started();
        assert_eq!(sent_cred(&bench), md5_cred(zeros));
        bench.login = with_chal("md5", "fresh", 212);
        bench.header = server_md5(zeros.as_bytes());
        bench.say(&get(2, "./DevInfo/Man"));
        let nonce = issued(&bench);
        bench.header.clear();
        bench.login = "200";
        assert_eq!(bench.say(""), ["Done"]);
        assert_eq!(stored(&bench), (b"fresh".to_vec(), nonce));
    });
}

#[test]
fn only_a_proven_server_answers_the_hosts_alerts() {
    const TAKEN: &str = "<Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>3</CmdRef><Cmd>Alert</Cmd>\
                         <Data>200</Data></Status>";
    both(|encoding| {
        for (kind, wanted) in [("DIGEST", 0), ("HMAC", 1)] {
            let mut bench = Bench::with(encoding, None, server(kind, NONCE))
                .set(|setup| setup.alerts.push(HostAlert::event(1, "x", "chr", "")))
                .started();
            bench.say(&format!("{TAKEN}{}", get(3, "./DevInfo/Man")));
            assert_eq!(bench.engine().unanswered_alerts().len(), 1, "{kind}");
            // A server that waits to be asked for its credentials does not say it again.
            let nonce = issued(&bench);
            let text = if kind == "HMAC" {
                let text = bench.frame(&format!("{}<Final/>", get(2, "./DevInfo/Man")));
                bench.hmac = Some(server_hmac(&bench, &nonce, &text));
                text
            } else {
                bench.header = server_md5(&nonce);
                bench.frame(&format!("{}<Final/>", get(2, "./DevInfo/Man")))
            };
            bench.give_text(&text).unwrap();
            assert_eq!(bench.engine().unanswered_alerts().len(), wanted, "{kind}");
        }
    });
}
