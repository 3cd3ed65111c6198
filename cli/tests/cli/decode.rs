//! `dmsc decode`: where octets come from, the form of JSON, faults, usage.

use crate::support::{Ran, dmsc, dmsc_octets, dmsc_with, fresh};
use crate::vectors::{card, row};
use serde_json::{Value, json};
use std::fs;

fn decode(kind: &str, hex: &str) -> Ran {
    dmsc(&["decode", kind, "--hex", hex])
}

fn json_of(kind: &str, hex: &str) -> Value {
    let mut lines = dmsc(&["decode", kind, "--hex", hex, "--json"]).good().lines();
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

/// A file of this test with `content`.
fn file(test: &str, content: &[u8]) -> String {
    let directory = fresh(test);
    fs::create_dir(&directory).unwrap();
    let path = format!("{directory}/input");
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn octets_come_from_arguments_files_and_standard_input() {
    let row = row("a02");
    let expected = format!("{}\n", row.expected);
    let dump: Vec<String> = row.octets().iter().map(|octet| format!("0x{octet:02x}")).collect();
    let lines = dump.chunks(8).map(|line| line.join(", ")).collect::<Vec<_>>().join(",\r\n");
    for (index, content) in
        [row.octets(), row.hex.into(), row.hex.to_lowercase().into(), lines.into()]
            .iter()
            .enumerate()
    {
        let path = file(&format!("decode-input-{index}"), content);
        assert_eq!(dmsc(&["decode", "wbxml", &path]).good().stdout, expected, "{index}");
        let (code, stdout, stderr) = dmsc_octets(content, &["decode", "wbxml", "-"]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{index}");
        assert_eq!(String::from_utf8(stdout).unwrap(), expected, "{index}");
    }
    assert_eq!(decode("wbxml", &dump.join(":")).good().stdout, expected);
    let xml = dmsc_with(row.expected, &["decode", "syncml", "-"]);
    assert_eq!(xml.stdout, expected);
}

#[test]
fn binary_files_of_every_kind() {
    for (kind, octets) in [
        ("push", row("d01").octets()),
        ("sms", row("e01").octets()),
        ("pkg0", row("f01").octets()),
        ("fcp", card("fcp-mf").octets()),
        ("efdir", card("efdir-usim").octets()),
        ("odf", card("odf-dodf-6430").octets()),
        ("dodf", card("dodf-dm-oiddo").octets()),
        ("tlv", row("h04").octets()),
        ("cat", card("pc-more-time").octets()),
        ("apdu", card("apdu-select-pkcs15").octets()),
    ] {
        let hex = dmsc::bytes::hex::encode(&octets);
        let (code, stdout, stderr) = dmsc_octets(&octets, &["decode", kind, "-"]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{kind}");
        assert_eq!(decode(kind, &hex).good().stdout.as_bytes(), stdout, "{kind}");
    }
}

#[test]
fn hexadecimal_that_is_none() {
    assert_eq!(decode("wbxml", "03A4zz").faulted("hex"), 4);
    assert_eq!(decode("pkg0", "03A").faulted("hex"), 3);
    assert_eq!(decode("apdu", "00B0 0").faulted("hex"), 5);
    // A file that is no dump is what it is.
    assert_eq!(dmsc_with("03A4zz", &["decode", "wbxml", "-"]).faulted("E_VERSION"), 0);
}

#[test]
fn nothing_is_a_fault_of_its_class() {
    for (kind, class) in [
        ("wbxml", "E_EMPTY"),
        ("syncml", "E_EMPTY"),
        ("tnds", "E_EMPTY"),
        ("ddf", "E_EMPTY"),
        ("cp", "E_EMPTY"),
        ("push", "E_WSP_TRUNCATED"),
        ("sms", "E_SMS_TRUNCATED"),
        ("pkg0", "E_P0_TRUNCATED"),
        ("fcp", "E_EMPTY"),
        ("cat", "E_EMPTY"),
        ("apdu", "E_EMPTY"),
    ] {
        assert_eq!(dmsc(&["decode", kind, "-"]).faulted(class), 0, "{kind}");
        let ran = dmsc(&["decode", kind, "--json", "--hex", ""]);
        assert_eq!((ran.faulted(class), ran.stdout.as_str()), (0, ""), "{kind}");
    }
    // Directories without entries.
    for kind in ["efdir", "odf", "dodf", "tlv"] {
        dmsc(&["decode", kind, "-"]).good();
    }
}

#[test]
fn a_status_word_behind_a_dump_is_taken_off_and_told() {
    for (kind, name) in [
        ("fcp", "fcp-mf"),
        ("fcp", "gsm-resp-ef-linear"),
        ("efdir", "efdir-csim"),
        ("odf", "odf-two-dodf-padded"),
        ("dodf", "dodf-prov-three"),
        ("dodf", "dodf-all-ff"),
        ("cat", "pc-more-time"),
        ("cat", "tr-timer-value"),
    ] {
        let alone = decode(kind, card(name).hex).good().stdout;
        let hex = format!("{} 9000", card(name).hex);
        let with_status = decode(kind, &hex).good().stdout;
        assert_eq!(with_status, format!("{alone}status-word=9000\n"), "{kind} {name}");
        assert_eq!(json_of(kind, &hex)["status_word"], "9000", "{kind} {name}");
        assert_eq!(json_of(kind, card(name).hex).get("status_word"), None, "{kind} {name}");
    }
    // A value that ends like one is a value.
    let value = decode("odf", "A706300404029000").good().stdout;
    assert!(value.starts_with("entries=1\npath=9000\n") && !value.contains("status"), "{value}");
}

#[test]
fn documents_in_card_files_may_have_padding_and_a_status_word() {
    let row = row("a02");
    let expected = format!("{}\n", row.expected);
    for (tail, lines) in [
        ("", ""),
        ("FFFF", ""),
        ("000000", ""),
        ("9000", "status-word=9000\n"),
        ("FF9000", "status-word=9000\n"),
    ] {
        let hex = format!("{}{tail}", row.hex);
        let shown = dmsc(&["decode", "wbxml", "--padding", "--hex", &hex]).good().stdout;
        assert_eq!(shown, format!("{expected}{lines}"), "{tail}");
        if !tail.is_empty() {
            decode("wbxml", &hex).faulted("E_TRAILING_DATA");
        }
    }
    let wrong = ["decode", "pkg0", "--padding", "--hex", "00"];
    dmsc(&wrong).failed("DMSC_ERR_INVALID_ARG");
}

#[test]
fn documents_as_json() {
    let cp = json_of("cp", row("b03").hex);
    assert_eq!(cp["kind"], "cp");
    assert_eq!(cp["encoding"], "wbxml");
    assert_eq!(cp["public_id"], "-//WAPFORUM//DTD PROV 1.0//EN");
    assert_eq!(cp["xml"], row("b03").expected);
    assert_eq!(cp["root"]["name"], "wap-provisioningdoc");
    assert_eq!(cp["root"]["attributes"], json!({ "version": "1.0" }));
    let application = &cp["root"]["children"][0];
    assert_eq!(
        application["children"][0],
        json!({ "name": "parm", "attributes": { "name": "APPID", "value": "w7" } })
    );
    let xml = "<SyncML xmlns='SYNCML:SYNCML1.2'> <SyncBody><Final/></SyncBody> </SyncML>";
    let text = dmsc_with(xml, &["decode", "wbxml", "-", "--json"]).good().lines();
    assert_eq!(text[0]["encoding"], "xml");
    let body = json!({ "name": "SyncBody", "children": [{ "name": "Final" }] });
    assert_eq!(text[0]["root"], json!({ "name": "SyncML", "children": [body] }));
    // The data of a20 are octets that are no text.
    let chunk = json_of("wbxml", row("a20").hex).to_string();
    assert!(chunk.contains(r#"{"hex":"00010203FFFE","name":"Data"}"#), "{chunk}");
}

#[test]
fn deliveries_as_json() {
    let notification = json!({
        "version": 11, "ui_mode": 1, "initiator": 1, "future": "0", "session_id": "1234",
        "server_id": "com.mgmtsrv.manage", "vendor": "-", "digest": "not-checked",
        "digest_octets": "8CDBCE80CFF9E1F0C717CB20DD463C5A",
    });
    let mut alone = notification.clone();
    alone["kind"] = json!("pkg0");
    assert_eq!(json_of("pkg0", row("f01").hex), alone);
    let mut push = json!({
        "tid": "01", "type": "06", "content_type": "application/vnd.syncml.notification",
        "app_id": "x-wap-application:syncml.dm", "body": row("f01").hex,
        "notification": notification,
    });
    let sms = json_of("sms", row("e01").hex);
    assert_eq!(sms["push"], push);
    assert_eq!((&sms["dst_port"], &sms["src_port"]), (&json!(2948), &json!(9200)));
    assert_eq!((&sms["segments"], &sms["payload"]), (&json!("1/1"), &json!(row("d01").hex)));
    push["kind"] = json!("push");
    assert_eq!(json_of("push", row("d01").hex), push);
    let part = json_of("sms", row("e06").hex);
    assert_eq!((&part["ref"], &part["segment"]), (&json!("1234"), &json!("1/3")));
    let provisioning = json_of("push", row("d05").hex);
    assert_eq!(provisioning["document"]["xml"], row("b03").expected);
    assert_eq!(provisioning["sec"], "0");
}

#[test]
fn card_files_as_json() {
    assert_eq!(
        json_of("fcp", "620B 8202412183026F078801389000"),
        json!({
            "kind": "fcp", "status_word": "9000",
            "header": {
                "structure": "transparent", "fid": "6F07", "sfi": 7, "life": "activated",
                "read": "unknown",
            },
            "objects": [{ "tag": "62", "len": 11, "name": "fcp", "objects": [
                { "tag": "82", "len": 2, "name": "file-descriptor", "value": "4121" },
                { "tag": "83", "len": 2, "name": "file-id", "value": "6F07" },
                { "tag": "88", "len": 1, "name": "short-file-id", "value": "38" },
            ] }],
        })
    );
    let dodf = json_of("dodf", card("dodf-dm-opaque-len").hex);
    assert_eq!(
        dodf["entries"],
        json!([{
            "entry": 1, "label": "DM Bootstrap", "oids": ["2.23.43.7.1"], "holds": "dm-bootstrap",
            "path": "6433", "index": 0, "length": 300,
        }])
    );
    assert_eq!(dodf["objects"][0]["objects"][2]["tag"], "A1");
    assert_eq!(json_of("odf", card("odf-dodf-6430").hex)["entries"], json!([{ "path": "6430" }]));
    let efdir = json_of("efdir", card("efdir-pkcs15-own").hex);
    assert_eq!(efdir["summary"], json!({ "applications": 1 }));
    assert_eq!(efdir["applications"][0]["label"], "DM");
    let mf = json_of("fcp", card("fcp-mf").hex);
    assert_eq!(mf["header"]["pins"], json!(["01:disabled", "0A:enabled", "0B:enabled"]));
}

#[test]
fn the_toolkit_as_json() {
    assert_eq!(
        json_of("cat", row("h16").hex),
        json!({
            "kind": "cat", "tag": "D1", "len": 15, "name": "sms-pp-download",
            "inner": ["02:8381", "06:91840610F0", "0B:4142"],
            "objects": [
                { "tag": "02", "cr": true, "len": 2, "value": "8381", "name": "device-identities",
                  "from": "network", "to": "uicc" },
                { "tag": "06", "cr": false, "len": 5, "value": "91840610F0", "name": "address" },
                { "tag": "0B", "cr": true, "len": 2, "value": "4142", "name": "sms-tpdu" },
            ],
        })
    );
    let response = json_of("cat", card("tr-receive-200").hex);
    assert_eq!(response["objects"][2]["result"], "performed");
    assert_eq!(response["objects"][4]["octets"], 255);
}

#[test]
fn toolkit_objects_say_what_they_mean() {
    for (name, words) in [
        ("pc-timer1-start-5min", "timer-value time=00:05:00"),
        ("pc-poll-interval-20s", "duration seconds=20"),
        ("pc-setup-event-list-bip", "events=data-available,channel-status,local-connection"),
        ("pc-refresh-dest-display", "count=2 files=3F002FE2,3F007F506433"),
        ("pc-display-text", "text-string text=\"Toolkit Test 1\""),
        ("pc-select-item", "item item=4 text=\"Item 4\""),
        ("pc-get-input", "response-length least=5 most=5"),
        ("pc-launch-browser-url", "url text=\"http://xxx.yyy.zzz\""),
        ("srv-pc-open-3516", "transport=tcp-server port=3516"),
        ("pc-open-gprs-nan", "other-address address=1.1.1.1"),
        ("pc-open-gprs-nan", "bearer-description bearer=packet"),
        ("env-chstatus-drop", "channel=1 state=closed-or-no-link info=link-dropped"),
        ("env-chstatus-listen", "channel=1 state=listen"),
        ("env-language-de", "language text=\"de\""),
        ("env-menu-selection", "item-identifier item=2"),
        ("tr-close-invalid-id", "result=\"bearer independent protocol error\" additional=03"),
    ] {
        let shown = decode("cat", card(name).hex).good().stdout;
        assert!(shown.contains(words), "{name}: {shown}");
    }
}

#[test]
fn an_exchange_with_a_card() {
    let lines = "-> 00 A4 00 04 02 2F 00\n<- 61 0B\n\n00C000000B\n\
                 62 09 82 05 42 21 00 26 02 8A 00 9000\n8012000009\nD009810301020082028182 9000\n\
                 801400000C810301020082028281830100\n9110\n";
    let shown = dmsc_with(lines, &["decode", "apdu", "-"]).good().stdout;
    let device = "tag=02 cr=1 len=2";
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        [
            "cla=00 class=interindustry channel=0 ins=A4 command=\"SELECT\" p1=00 p2=04 lc=2 data=2F00",
            "sw=610B status=\"success, 11 octets of answer wait\"",
            "cla=00 class=interindustry channel=0 ins=C0 command=\"GET RESPONSE\" p1=00 p2=00 le=11",
            "data=6209820542210026028A00 sw=9000 status=\"success\"",
            "  structure=linear record-length=38 records=2 life=activated read=unknown",
            "  tag=62 len=9 name=fcp",
            "    tag=82 len=5 name=file-descriptor value=4221002602",
            "    tag=8A len=0 name=life-cycle value=",
            "cla=80 class=etsi channel=0 ins=12 command=\"FETCH\" p1=00 p2=00 le=9",
            "data=D009810301020082028182 sw=9000 status=\"success\"",
            "  tag=D0 len=9 inner=01:010200,02:8182 name=proactive-command",
            "    tag=01 cr=1 len=3 value=010200 name=command-details number=1 command=\"MORE TIME\" qualifier=00",
            &format!("    {device} value=8182 name=device-identities from=uicc to=terminal"),
            "cla=80 class=etsi channel=0 ins=14 command=\"TERMINAL RESPONSE\" p1=00 p2=00 lc=12 \
             data=810301020082028281830100",
            "  tag=01 cr=1 len=3 value=010200 name=command-details number=1 command=\"MORE TIME\" qualifier=00",
            &format!("  {device} value=8281 name=device-identities from=terminal to=uicc"),
            "  tag=03 cr=1 len=1 value=00 name=result result=\"performed\"",
            "sw=9110 status=\"success, a proactive command of 16 octets waits\"",
        ]
    );
    let json = dmsc_with("00A40004022F00\n6A82", &["decode", "apdu", "-", "--json"]).good().lines();
    assert_eq!(
        json[0]["exchange"],
        json!([
            { "cla": "00", "class": "interindustry", "channel": 0, "ins": "A4", "command": "SELECT",
              "p1": "00", "p2": "04", "lc": 2, "data": "2F00" },
            { "sw": "6A82", "status": "file or application not found" },
        ])
    );
}

#[test]
fn class_bytes() {
    for (cla, words) in [
        ("00", "class=interindustry channel=0 ins"),
        ("03", "class=interindustry channel=3 ins"),
        ("40", "class=interindustry channel=4 ins"),
        ("4F", "class=interindustry channel=19 ins"),
        ("81", "class=etsi channel=1 ins"),
        ("C1", "class=etsi channel=5 ins"),
        ("0C", "class=interindustry channel=0 secure-messaging=yes ins"),
        ("65", "class=interindustry channel=9 secure-messaging=yes ins"),
        ("11", "class=interindustry channel=1 chaining=yes ins"),
        ("A0", "class=gsm ins"),
        ("B0", "class=proprietary ins"),
    ] {
        let shown = decode("apdu", &format!("{cla}F20000")).good().stdout;
        assert!(shown.starts_with(&format!("cla={cla} {words}=F2 command=\"STATUS\" ")), "{shown}");
    }
    assert_eq!(decode("apdu", "FFF20000").faulted("apdu-class"), 0);
}

#[test]
fn lengths_of_apdus() {
    for (hex, words) in [
        ("00A40004", "p1=00 p2=04\n"),
        ("00B0000000", "p2=00 le=256\n"),
        ("00B000000000FF", "p2=00 le=255\n"),
        ("00B00000000000", "p2=00 le=65536\n"),
        ("00A40004023F00", "lc=2 data=3F00\n"),
        ("00A40004023F0010", "lc=2 data=3F00 le=16\n"),
        ("00D60000000002ABCD", "lc=2 data=ABCD\n"),
        ("00D60000000002ABCD0100", "lc=2 data=ABCD le=256\n"),
    ] {
        let shown = decode("apdu", hex).good().stdout;
        assert!(shown.ends_with(words), "{hex}: {shown}");
    }
    for (hex, at) in [("00A4", 2), ("00A40004033F00", 4), ("00A40004013F0010", 4)] {
        assert_eq!(decode("apdu", hex).faulted("apdu-length"), at, "{hex}");
    }
    let second = dmsc_with("> 00A40004\n< 90\n", &["decode", "apdu", "-"]);
    assert_eq!(second.faulted("apdu-length"), 1);
    assert!(second.stderr.ends_with(" (APDU 2)\n"), "{}", second.stderr);
}

#[test]
fn faults_are_counted_in_what_was_given() {
    // In the second record, in its second object.
    let record = "610A 4F05A000000001 500141";
    let damaged = "610A 4F05A000000001 500941";
    assert_eq!(decode("efdir", &format!("{record} {damaged}")).faulted("E_TLV_LENGTH"), 21);
    // Behind a service centre address of eight octets.
    let pdu = format!("0791947122725014{}", row("e10").hex);
    assert_eq!(decode("sms", &pdu).faulted("E_SMS_UDH"), 8 + 19);
    assert_eq!(decode("push", row("d19").hex).faulted("E_WSP_LENGTH"), 3);
    assert_eq!(decode("cat", "D00A81030140008202818239 FF").faulted("E_TLV_LENGTH"), 12);
    assert_eq!(decode("cat", "D009810301020082028182 01").faulted("E_TRAILING_DATA"), 11);
    assert_eq!(decode("fcp", "6204 83023F00 8A0105").faulted("E_TRAILING_DATA"), 6);
    assert_eq!(decode("fcp", "0102").faulted("E_TLV_TAG"), 0);
}

#[test]
fn what_is_carried_is_told_when_it_cannot_be_decoded() {
    let mms = decode("sms", card("sms-deliver-wap-mms").hex).good().stdout;
    assert_eq!(
        mms,
        "dst-port=2948 src-port=9200 segments=1/1 payload=107 octets\n  \
         fault=E_WSP_CONTENT_TYPE at byte 3: no media type of this client\n"
    );
    let empty = json_of("push", card("wsp-push-cp-userpin").hex);
    assert_eq!(empty["document"], json!({ "fault": "E_EMPTY at byte 0: the document is empty" }));
}

#[test]
fn device_descriptions_of_vendors() {
    let ddf = "<?xml version=\"1.0\"?><!DOCTYPE MgmtTree SYSTEM \"x.dtd\" [<!ELEMENT MSFT (#PCDATA)>]>\
               <MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName>A b</NodeName><DFProperties><AccessType>\
               <Get/></AccessType><DFFormat><chr/></DFFormat><MSFT>1</MSFT></DFProperties></Node></MgmtTree>";
    let shown = dmsc_with(ddf, &["decode", "ddf", "-"]).good().stdout;
    assert!(shown.contains("<NodeName>A b</NodeName>") && shown.contains(">1</MSFT>"), "{shown}");
    dmsc_with(ddf, &["decode", "tnds", "-"]).faulted("E_XML_DTD");
}

#[test]
fn output_cannot_steer_the_terminal_and_stays_the_same_document() {
    let xml = "<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD><Man>a\u{9b}2J\u{202e}b</Man></MgmtTree>";
    let shown = dmsc_with(xml, &["decode", "tnds", "-"]).good().stdout;
    assert!(shown.contains("<Man>a&#155;2J&#8238;b</Man>"), "{shown}");
    assert_eq!(dmsc_with(&shown, &["decode", "tnds", "-"]).good().stdout, shown);
    // An EF.DIR whose label has an escape sequence in it.
    let label = decode("efdir", "610C 4F05A000000001 50031B5B4A").good().stdout;
    assert!(label.contains("label=\"\\u{1b}[J\""), "{label}");
}

#[test]
fn wrong_usage() {
    for arguments in [
        &["decode"][..],
        &["decode", "wbxml"],
        &["decode", "wml", "-"],
        &["decode", "wbxml", "file", "--hex", "00"],
        &["encode", "xml", "-"],
        &["encode", "wbxml"],
    ] {
        assert_eq!(dmsc(arguments).code, 2, "{arguments:?}");
    }
    let missing = dmsc(&["decode", "wbxml", "/no/such/file"]).failed("DMSC_ERR_INVALID_ARG");
    assert!(missing.stderr.contains("/no/such/file: "), "{}", missing.stderr);
    let help = dmsc(&["decode", "--help"]).good().stdout;
    assert!(
        help.contains("passwords, keys and PINs included") && help.contains("--json"),
        "{help}"
    );
}
