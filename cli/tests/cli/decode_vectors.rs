//! `dmsc decode` over the rows of the byte vectors: the expected column is what is printed.

use crate::support::{Ran, dmsc};
use crate::vectors::{Row, card, group, row, smartcard};

fn decode(kind: &str, hex: &str) -> Ran {
    dmsc(&["decode", kind, "--hex", hex])
}

/// The row is refused with its class, at an octet that it has, and nothing is printed.
fn refused(ran: &Ran, row: &Row) {
    let at = ran.faulted(row.class().unwrap());
    assert!(at <= row.octets().len(), "{}: {ran:?}", row.name);
    assert_eq!(ran.stdout, "", "{}", row.name);
}

#[test]
fn documents_of_groups_a_b_c_and_x() {
    let mut rows = 0;
    for row in ['a', 'b', 'c', 'x'].into_iter().flat_map(group) {
        rows += 1;
        let kind = match row.meaning.split_once("expected document=") {
            Some((_, rest)) if rest.starts_with("SyncML1.2") => "syncml",
            Some((_, rest)) if rest.starts_with("DDF1.2") => "tnds",
            Some(_) => unreachable!("{}", row.name),
            None => "wbxml",
        };
        let padding: &[&str] =
            if row.meaning.contains("option padding=on") { &["--padding"] } else { &[] };
        let ran = dmsc(&[&["decode", kind, "--hex", row.hex], padding].concat());
        match row.class() {
            Some(_) => refused(&ran, &row),
            None => assert_eq!(ran.good().stdout, format!("{}\n", row.expected), "{}", row.name),
        }
    }
    assert_eq!(rows, 61 + 30 + 65 + 12);
}

#[test]
fn typed_kinds_print_the_same() {
    let messages = ["a11", "a12", "a13", "a48", "a49", "a53", "a54", "a55", "a56", "a57"];
    let others = [("tnds", "a50"), ("tnds", "a51"), ("ddf", "a61"), ("cp", "b26")];
    let typed = messages.map(|name| ("syncml", name)).into_iter().chain(others);
    for (kind, name) in typed {
        let row = row(name);
        let ran = decode(kind, row.hex);
        assert_eq!(ran.good().stdout, format!("{}\n", row.expected), "{kind} {name}");
    }
    // Another type than the kind says.
    for (kind, name) in [("tnds", "a11"), ("ddf", "b03"), ("cp", "a50"), ("syncml", "b03")] {
        decode(kind, row(name).hex).faulted("E_PUBLIC_ID_MISMATCH");
    }
}

#[test]
fn provisioning_documents_of_group_b() {
    let mut judged = Vec::new();
    for row in group('b') {
        let ran = decode("cp", row.hex);
        assert_eq!(ran.stdout, format!("{}\n", row.expected), "{}", row.name);
        if ran.code != 0 {
            ran.faulted("E_CP_PARM");
            judged.push(row.name.split_once('-').unwrap().0);
        }
    }
    // These show encodings, in documents that lack parms a client cannot do without.
    assert_eq!(judged, ["b17", "b19", "b20", "b22", "b23", "b24", "b25", "b29"]);
}

#[test]
fn sound_markup_with_wrong_meaning_is_shown_with_its_fault() {
    const HEADER: &str = "6C7103312E32000172\
        03444D2F312E3200016503310001\
        5B033100016E57035400010167570353000101\
        01";
    for row in group('s') {
        let (kind, class) = match row.name.split_once('-').unwrap().0 {
            "s07" | "s08" => ("cp", row.class()),
            // Whether the phone has what is referred to, nobody knows here.
            "s09" => ("cp", None),
            _ => ("syncml", row.class()),
        };
        // Three rows leave out SyncHdr, which is another fault than the one they show.
        let lacks_header = ["s01", "s02", "s06"].iter().any(|name| row.name.starts_with(name));
        let hex = match row.hex.split_at(12) {
            (start, rest) if lacks_header => format!("{start}{HEADER}{rest}"),
            _ => row.hex.to_owned(),
        };
        let ran = decode(kind, &hex);
        assert!(ran.stdout.starts_with('<') && ran.stdout.lines().count() == 1, "{ran:?}");
        match class {
            Some(class) => drop(ran.faulted(class)),
            None => drop(ran.good()),
        }
    }
}

/// The words of a line but those with these keys.
fn words_without<'a>(line: &'a str, keys: &[&str]) -> Vec<&'a str> {
    let key = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
    line.split(' ').filter(|word| !keys.contains(&key(word).as_str())).collect()
}

#[test]
fn pushes_of_group_d() {
    // What a key, the user, or headers without use for this client say.
    let unshown = ["mac-check", "user-input", "initiator-uri", "x-foo"];
    for row in group('d') {
        let ran = decode("push", row.hex);
        // Without the key nobody can see that a MAC is wrong.
        if row.class().is_some_and(|class| class != "E_CP_MAC_MISMATCH") {
            refused(&ran, &row);
            continue;
        }
        let ran = ran.good();
        let (head, inside) = ran.stdout.split_once('\n').unwrap();
        let Some((fields, body)) = row.expected.split_once(" body=") else {
            assert!(row.name.starts_with("d22"), "{ran:?}");
            assert!(inside.starts_with("  fault=E_UNCLOSED at byte 241: "), "{inside}");
            continue;
        };
        let fields = fields.replace(
            "mac=3b9f70440f2d53d8600ae78b5d0cbde4c7301c48",
            "mac=3B9F70440F2D53D8600AE78B5D0CBDE4C7301C48",
        );
        let (shown, octets) = head.split_once(" body=").unwrap();
        let without_sec = |line: &str| line.replace(" sec=none", "");
        assert_eq!(
            without_sec(shown),
            words_without(&without_sec(&fields), &unshown).join(" "),
            "{}",
            row.name
        );
        let name = body.rsplit(['(', ' ']).next().unwrap().trim_end_matches(')');
        let carried = self::row(name);
        assert_eq!(octets, format!("{} octets", carried.octets().len()), "{}", row.name);
        let json = dmsc(&["decode", "push", "--hex", row.hex, "--json"]).good().lines();
        assert_eq!(json[0]["body"], carried.hex, "{}", row.name);
        let expected = without_digest(carried.expected);
        assert!(inside.starts_with(&format!("  {expected}")), "{}: {inside}", row.name);
    }
}

/// A row of group f as it is shown without credentials.
fn without_digest(expected: &str) -> String {
    match expected.split_once("digest=") {
        Some((fields, _)) => format!("{fields}digest=not-checked\n"),
        None => format!("{expected}\n"),
    }
}

#[test]
fn short_messages_of_group_e() {
    for row in group('e') {
        let ran = decode("sms", row.hex);
        if row.class().is_some() {
            refused(&ran, &row);
            continue;
        }
        let ran = ran.good();
        let (head, inside) = ran.stdout.split_once('\n').unwrap();
        let fields = row.expected.split([';']).next().unwrap().replace(" payload=d01", "");
        let (shown, payload) = head.split_once(" payload=").unwrap();
        assert_eq!(shown, fields, "{}", row.name);
        if fields.contains("segments=1/1") {
            let carried = self::row("d01");
            assert_eq!(payload, format!("{} octets", carried.octets().len()), "{}", row.name);
            let push = decode("push", carried.hex).good().stdout;
            let indented: String = push.lines().map(|line| format!("  {line}\n")).collect();
            assert_eq!(inside, indented, "{}", row.name);
        } else {
            let part = inside.trim().strip_prefix("part=").unwrap();
            assert!(row.hex.ends_with(part), "{}", row.name);
        }
    }
    let parts = |names: [&str; 3]| -> String {
        let part = |name| {
            let shown = decode("sms", row(name).hex).good().stdout;
            shown.lines().nth(1).unwrap().trim().strip_prefix("part=").unwrap().to_owned()
        };
        names.map(part).concat()
    };
    assert_eq!(parts(["e03", "e04", "e05"]), row("d04").hex);
    assert_eq!(parts(["e06", "e07", "e08"]), row("d04").hex);
}

#[test]
fn notifications_of_group_f() {
    for row in group('f') {
        let ran = decode("pkg0", row.hex);
        match row.class() {
            // Nobody knows the accounts here, nor their secrets.
            Some("E_P0_DIGEST" | "E_P0_SERVER") => {
                assert!(ran.good().stdout.ends_with(" digest=not-checked\n"), "{}", row.name);
            }
            Some(_) => refused(&ran, &row),
            None => assert_eq!(ran.good().stdout, without_digest(row.expected), "{}", row.name),
        }
    }
}

#[test]
fn objects_of_group_h() {
    for row in group('h') {
        let kind = if row.name < "h10" { "tlv" } else { "cat" };
        let ran = decode(kind, row.hex);
        if row.class().is_some() {
            refused(&ran, &row);
            continue;
        }
        let ran = ran.good();
        // What an object of the toolkit means follows behind it.
        let head = ran.stdout.lines().next().unwrap();
        let rest = head.strip_prefix(row.expected).unwrap_or("-");
        // Long values are left out in the column; what an object of the toolkit means follows it.
        let more = if kind == "tlv" { " value=0000" } else { " name=" };
        assert!(rest.is_empty() || rest.starts_with(more), "{}: {head}", row.name);
        let others = ran.stdout.lines().skip(1);
        assert!(others.into_iter().all(|line| line.starts_with("  ")), "{}", row.name);
    }
}

/// The lines that say what the library makes of a card's file: all before the first object.
fn findings(kind: &str, name: &str) -> String {
    let stdout = decode(kind, card(name).hex).good().stdout;
    let lines: Vec<&str> = stdout.lines().take_while(|line| !line.starts_with("tag=")).collect();
    lines.join("\n")
}

#[test]
fn file_headers() {
    const PINS: &str = "pins=01:disabled,0A:enabled,0B:enabled";
    let usim = "pins=01:disabled,81:enabled,0A:enabled,0B:enabled";
    for (name, expected) in [
        ("fcp-mf", format!("structure=directory fid=3F00 life=activated read=rule:2F06/1 {PINS}")),
        (
            "fcp-adf-usim",
            format!(
                "structure=directory fid=7FD0 aid=A0000000871002FF49FF0589 life=activated \
                 read=rule:2F06/1 {usim}"
            ),
        ),
        (
            "fcp-ef-imsi",
            "structure=transparent fid=6F07 size=9 sfi=7 life=activated read=rule:6F06/10".into(),
        ),
        (
            "fcp-ef-ecc",
            "structure=linear fid=6FB7 size=28 record-length=14 records=2 sfi=1 life=activated \
             read=rule:6F06/8"
                .into(),
        ),
        (
            "fcp-ef-pl-sfi",
            "structure=transparent fid=2F05 size=10 sfi=5 life=activated read=rule:2F06/15".into(),
        ),
        (
            "fcp-ef-msisdn-nosfi",
            "structure=linear fid=6F40 size=128 record-length=32 records=4 life=activated \
             read=rule:6F06/7"
                .into(),
        ),
        (
            "fcp-ef-dir-expanded-ac",
            "structure=linear fid=2F00 size=42 record-length=42 records=1 sfi=30 life=activated \
             read=always"
                .into(),
        ),
        (
            "fcp-compact-ac-adf",
            format!(
                "structure=directory aid=A0000000871002FFFFFFFF8907090000 life=activated \
                 read=unknown {usim}"
            ),
        ),
        (
            "gsm-resp-mf",
            "structure=directory fid=3F00 life=activated read=unknown pins=01:disabled,02:enabled"
                .into(),
        ),
        (
            "gsm-resp-df-telecom",
            "structure=directory fid=7F10 life=activated read=unknown pins=01:disabled,02:enabled"
                .into(),
        ),
        (
            "gsm-resp-ef-transparent",
            "structure=transparent fid=2FE2 size=10 life=activated read=always".into(),
        ),
        (
            "gsm-resp-ef-linear",
            "structure=linear fid=6F40 size=52 record-length=26 records=2 life=activated \
             read=pin:01"
                .into(),
        ),
    ] {
        assert_eq!(findings("fcp", name), expected, "{name}");
    }
    let rows = |prefix: &str| smartcard().iter().filter(|r| r.name.starts_with(prefix)).count();
    assert_eq!((rows("fcp-"), rows("gsm-resp-")), (8, 4));
}

#[test]
fn records_of_ef_dir() {
    for (name, expected) in [
        (
            "efdir-usim",
            "applications=1\n\
             application=usim aid=A0000000871002FFFFFFFF8907090000 label=\"USim1\"",
        ),
        (
            "efdir-isim",
            "applications=1\n\
             application=isim aid=A0000000871004FFFFFFFF8907090000 label=\"ISim1\"",
        ),
        (
            "efdir-usim-then-pkcs15",
            "applications=2\n\
             application=usim aid=A0000000871002FFFFFFFF8905080000\n\
             application=pkcs15 aid=A000000063504B43532D3135 label=\"MIDPfiles\" path=3F007F80",
        ),
        (
            "efdir-csim",
            "applications=1\n\
             application=csim aid=A0000003431002FF86FF0389FFFFFFFF label=\"CSIM\"",
        ),
        (
            "efdir-pkcs15-own",
            "applications=1\n\
             application=pkcs15 aid=A000000063504B43532D3135 label=\"DM\" path=3F007F50",
        ),
    ] {
        assert_eq!(findings("efdir", name), expected, "{name}");
    }
    assert_eq!(smartcard().iter().filter(|row| row.name.starts_with("efdir-")).count(), 5);
}

#[test]
fn directories_of_pkcs15() {
    for (name, expected) in [
        ("odf-dodf-6430", "entries=1\npath=6430"),
        ("odf-two-dodf-padded", "entries=1\npath=4407"),
        (
            "dodf-lwm2m-oid-nested",
            "entries=1\nentry=1 label=\"LwM2M Bootstrap\" oids=2.23.43.9.1 path=6432",
        ),
        ("dodf-all-ff", "entries=0"),
        (
            "dodf-dm-opaque-len",
            "entries=1\nentry=1 label=\"DM Bootstrap\" oids=2.23.43.7.1 holds=dm-bootstrap \
             path=6433 index=0 length=300",
        ),
        (
            "dodf-dm-opaque-private",
            "entries=1\nentry=1 label=\"DM Bootstrap\" oids=2.23.43.7.1 holds=dm-bootstrap \
             path=3F007F506433",
        ),
        (
            "dodf-dm-oiddo",
            "entries=1\nentry=1 label=\"DM\" oids=2.23.43.7.1 holds=dm-bootstrap path=6433",
        ),
        (
            "dodf-dm-oiddo-nested",
            "entries=1\nentry=1 label=\"DM\" oids=2.23.43.7.1 holds=dm-bootstrap path=6433",
        ),
        (
            "dodf-prov-three",
            "entries=3\n\
             entry=1 label=\"Bootstrap\" oids=2.23.43.5.1 holds=cp-bootstrap path=4F01\n\
             entry=2 label=\"Config1\" oids=2.23.43.5.2 holds=cp-config1 path=4F02\n\
             entry=3 label=\"Config2\" oids=2.23.43.5.3 holds=cp-config2 path=4F03",
        ),
        (
            "dodf-gp-ac-shape",
            "entries=1\nentry=1 label=\"GP SE Acc Ctl\" oids=1.2.840.114283.200.1.1 path=4200",
        ),
    ] {
        let kind = name.split('-').next().unwrap();
        assert_eq!(findings(kind, name), expected, "{name}");
    }
    // A path alone is no object; the objects in it are shown all the same.
    let ran = decode("dodf", card("dodf-path-length-int").hex);
    assert_eq!(ran.faulted("DODF entry"), 0);
    assert!(ran.stdout.starts_with("entries=0\ntag=30 len=10 "), "{ran:?}");
}

#[test]
fn toolkit_rows() {
    let (mut commands, mut others) = (0, 0);
    for row in smartcard() {
        let kind = row.name.trim_start_matches("srv-").trim_start_matches("trg-");
        let kind = kind.trim_start_matches("local-").split('-').next().unwrap();
        let (start, outer) = match kind {
            "pc" => ("tag=D0 ", true),
            "env" => ("tag=D", true),
            "tr" => ("tag=01 cr=1 len=3 ", false),
            _ => continue,
        };
        let shown = decode("cat", row.hex).good().stdout;
        assert!(shown.starts_with(start), "{}: {shown}", row.name);
        assert_eq!(shown.lines().skip(1).all(|line| line.starts_with("  ")), outer, "{}", row.name);
        assert!(shown.contains(" name=device-identities from="), "{}: {shown}", row.name);
        let command = shown.split("command=\"").nth(1).and_then(|rest| rest.split('"').next());
        match kind {
            "pc" if row.meaning.starts_with("same ") => commands += 1,
            "pc" => {
                commands += 1;
                assert!(row.meaning.starts_with(command.unwrap()), "{}: {shown}", row.name);
            }
            "tr" => assert!(shown.contains(" name=result result=\""), "{}: {shown}", row.name),
            _ => assert_eq!(command, None),
        }
        others += usize::from(kind != "pc");
    }
    assert_eq!((commands, others), (38, 60));
}

#[test]
fn toolkit_rows_that_are_damaged() {
    let at = |name: &str, class: &str| decode("cat", card(name).hex).faulted(class);
    assert_eq!(at("neg-ctlv-overrun", "E_TLV_LENGTH"), 12);
    assert_eq!(at("neg-ber-len-80", "E_TLV_INDEFINITE"), 1);
    let unknown = decode("cat", card("neg-unknown-type").hex).good().stdout;
    assert!(unknown.contains(" number=1 command=\"7E\" qualifier=00\n"), "{unknown}");
    let unknown = decode("cat", card("neg-unknown-cr").hex).good().stdout;
    assert!(
        unknown.ends_with("  tag=6F cr=1 len=1 value=01 name=multimedia-message-notification\n")
    );
}

#[test]
fn apdu_rows() {
    let mut rows = 0;
    for row in smartcard().into_iter().filter(|row| row.name.starts_with("apdu-")) {
        rows += 1;
        let shown = decode("apdu", row.hex).good().stdout;
        let head = shown.lines().next().unwrap();
        let response = row.name.ends_with("-rsp") || row.name.ends_with("-notfound");
        if response {
            let sw = &row.hex[row.hex.len() - 4..];
            assert!(head.contains(&format!("sw={sw} status=\"")), "{}: {head}", row.name);
            continue;
        }
        let cla = format!("cla={} class=", &row.hex[..2]);
        assert!(head.starts_with(&cla) && head.contains(" command=\""), "{}: {head}", row.name);
        let (class, channel) = match &row.hex[..2] {
            "A0" => ("gsm", None),
            "80" => ("etsi", Some(0)),
            "01" => ("interindustry", Some(1)),
            _ => ("interindustry", Some(0)),
        };
        assert!(head.contains(&format!(" class={class} ")), "{}: {head}", row.name);
        let channel = channel.map(|channel| format!(" channel={channel} "));
        assert_eq!(channel.is_some_and(|channel| head.contains(&channel)), class != "gsm");
    }
    assert_eq!(rows, 30);
}
