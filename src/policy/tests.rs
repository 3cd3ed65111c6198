//! Policies as files, and what they say.

use super::*;
use crate::error::Code;

const CARD: Origin = Origin::Card([0xAB; 16]);

/// What `policy` says about one command on all of these places.
fn judge(
    policy: &Policy,
    command: &str,
    server: &str,
    origin: Origin,
    places: &[Place<'_>],
) -> Judgement {
    let operation = Operation { command, server, origin };
    places
        .iter()
        .fold(Judgement::default(), |before, place| policy.place(&operation, place, before))
}

fn place(path: &Path, subtree: bool) -> Place<'_> {
    Place { path, subtree, above: &[], own: None }
}

fn path(uri: &str) -> Path {
    Path::parse(uri).unwrap()
}

/// What `policy` says about one command.
fn says(policy: &str, command: &str, uri: &str, server: &str, origin: Origin) -> String {
    let subtree = matches!(command, "Delete" | "Copy");
    let (policy, path) = (Policy::read(policy).unwrap(), path(uri));
    let said = judge(&policy, command, server, origin, &[place(&path, subtree)]);
    format!("{} {}", said.class.name(), said.ruling)
}

fn built_in(command: &str, uri: &str, origin: Origin) -> String {
    says(DEFAULT, command, uri, "srv", origin)
}

#[test]
fn the_built_in_policy_asks_where_it_costs_or_concerns_the_user() {
    let remote = Origin::Remote;
    assert_eq!(built_in("Replace", "./NAP/1/NapAddr", remote), "connectivity ask");
    assert_eq!(built_in("Get", "./NAP/1/NapAddr", remote), "connectivity allow");
    assert_eq!(built_in("Add", "./NAP/1/NapAddr", CARD), "connectivity allow");
    assert_eq!(built_in("Get", "./Contacts/1/Name", CARD), "user-data ask");
    assert_eq!(built_in("Exec", "./FUMO/1/Update", CARD), "software ask");
    assert_eq!(built_in("Replace", "./Operator/Apn", remote), "other allow");
    let policy = Policy::built_in().unwrap();
    assert_eq!(policy.bootstrap(CARD), Ruling::Allow);
    assert_eq!(policy.bootstrap(Origin::Host), Ruling::Allow);
    let ask = Ruling::Ask(Ask { refuses: true, timeout_s: 300 });
    assert_eq!(policy.bootstrap(Origin::Push), ask);
    assert_eq!(policy.bootstrap(Origin::Remote), Ruling::Refuse);
    assert_eq!(policy.session("srv", remote), Ruling::Allow);
}

#[test]
fn a_subtree_touches_what_is_in_it() {
    let remote = Origin::Remote;
    for (command, uri) in [("Delete", "."), ("Delete", "./NAP"), ("Copy", "./FUMO")] {
        assert!(built_in(command, uri, remote).ends_with(" ask"), "{command} {uri}");
    }
    assert_eq!(built_in("Delete", "./Operator", remote), "other allow");
    // Without all below, the node above is not what the pattern means.
    let policy = "[classes]\nsoftware = \"./A/B/C\"\n[[rules]]\nclass = \"software\"\naction = \"refuse\"\n[[rules]]\naction = \"allow\"\n";
    assert_eq!(says(policy, "Replace", "./A/B", "s", remote), "other allow");
    assert_eq!(says(policy, "Delete", "./A/B", "s", remote), "software refuse");
    assert_eq!(says(policy, "Delete", "./A/B/C/D", "s", remote), "other allow");
}

#[test]
fn a_pattern_may_begin_with_a_star_or_be_the_root() {
    let policy = r#"
        [classes]
        software = ["./*/P", "./**/Q"]
        connectivity = "."
        [[rules]]
        class = ["software", "connectivity"]
        action = "refuse"
        [[rules]]
        action = "allow"
    "#;
    for (command, uri, said) in [
        ("Replace", "./A/P", "software refuse"),
        ("Replace", "./P", "other allow"),
        ("Replace", "./A/P/B", "other allow"),
        ("Delete", "./A", "software refuse"),
        ("Replace", "./A/B/Q", "software refuse"),
        ("Replace", "./Q", "software refuse"),
        ("Replace", ".", "connectivity refuse"),
        ("Replace", "./A", "other allow"),
    ] {
        assert_eq!(says(policy, command, uri, "s", Origin::Remote), said, "{command} {uri}");
    }
}

#[test]
fn an_object_is_known_by_its_identifier_wherever_it_is() {
    let policy = Policy::built_in().unwrap();
    let (object, path) = ("urn:oma:mo:oma-fumo:1.0", path("./Vendor/Fw/Update"));
    let above = [object.to_owned()];
    let inside = Place { above: &above, ..place(&path, false) };
    let top = Place { own: Some(object.into()), ..place(&path, false) };
    for place in [inside, top] {
        let said = judge(&policy, "Exec", "srv", Origin::Remote, &[place]);
        assert_eq!((said.class, said.ruling.to_string().as_str()), (Class::Software, "ask"));
    }
}

#[test]
fn the_first_rule_that_fits_counts_and_none_refuses() {
    let policy = r#"
        [[rules]]
        uri = ["./A/*", "./B/**/x*z"]
        command = ["Add", "Replace"]
        server = ["*.example.com", "srv"]
        origin = "card:ABABABABABABABABABABABABABABABAB"
        action = "allow"
        [[rules]]
        uri = "./A/1"
        action = "ask"
        timeout = 7
        default = "allow"
    "#;
    let ruling = |command, uri, server, origin| says(policy, command, uri, server, origin);
    assert_eq!(ruling("Add", "./A/1", "dm.example.com", CARD), "other allow");
    assert_eq!(ruling("Add", "./B/xyz", "srv", CARD), "other allow");
    assert_eq!(ruling("Add", "./B/1/2/xz", "srv", CARD), "other allow");
    assert_eq!(ruling("Add", "./B/1/2/xzy", "srv", CARD), "other refuse");
    assert_eq!(ruling("Get", "./A/1", "srv", CARD), "other ask");
    assert_eq!(ruling("Add", "./A/1", "srv2", CARD), "other ask");
    assert_eq!(ruling("Add", "./A/1", "srv", Origin::Card([1; 16])), "other ask");
    assert_eq!(ruling("Add", "./A/1/2", "srv", CARD), "other refuse");
    assert_eq!(Policy::read(policy).unwrap().bootstrap(CARD), Ruling::Refuse);
}

#[test]
fn the_strictest_of_several_places_counts() {
    let policy = Policy::built_in().unwrap();
    let (free, users) = (path("./Operator/Apn"), path("./Contacts/1"));
    let places = [place(&free, false), place(&users, true)];
    let said = judge(&policy, "Copy", "srv", Origin::Remote, &places);
    assert_eq!(said.class, Class::UserData);
    assert!(Ruling::Allow < Ruling::Ask(Ask { refuses: false, timeout_s: 600 }));
    let strict = Ruling::Ask(Ask { refuses: true, timeout_s: 1 });
    assert!(
        Ruling::Ask(Ask { refuses: false, timeout_s: 600 }) < strict && strict < Ruling::Refuse
    );
    // Of two questions both bounds count.
    let ask = |refuses, timeout_s| Ruling::Ask(Ask { refuses, timeout_s });
    assert_eq!(ask(true, 600).stricter(ask(false, 5)), ask(true, 5));
    assert_eq!(ask(false, 5).stricter(Ruling::Allow), ask(false, 5));
    assert_eq!(ask(false, 5).stricter(Ruling::Refuse), Ruling::Refuse);
}

#[test]
fn a_fault_is_told_with_its_line_and_column() {
    for (policy, what) in [
        ("", "line 1, column 1: there are no [[rules]]"),
        ("x = 1", "line 1, column 1: there is no member \"x\""),
        ("[[rules]]\n", "line 1, column 1: the rule has no action"),
        ("[[rules]]\naction = \"perhaps\"", "line 2, column 10: one of allow, ask, refuse"),
        (
            "[[rules]]\naction = \"allow\"\ntimeout = 5",
            "line 3, column 1: only the action \"ask\" has this",
        ),
        (
            "[[rules]]\naction = \"ask\"\ntimeout = 0",
            "line 3, column 11: a number of seconds from 1 to 600",
        ),
        (
            "[[rules]]\n  uri = [\"./A\",\n   \"A\"]\naction = \"ask\"",
            "line 3, column 4: a pattern begins with \"./\" or \"mo:\"",
        ),
        (
            "[[rules]]\nuri = []\naction = \"ask\"",
            "line 2, column 7: an empty list fits nothing: leave the member out for \"any\"",
        ),
        (
            "[[rules]]\norigin = \"card:12\"\naction = \"ask\"",
            "line 2, column 10: the origins are card, push, remote, host, or card: and 32 hexadecimal digits",
        ),
        (
            "[classes]\nbootstrap = \"./A\"",
            "line 2, column 1: the classes of nodes are connectivity, user-data, software",
        ),
        ("[[rules]]\ncolour = 1", "line 2, column 1: a rule has no member \"colour\""),
        ("rules = 3", "line 1, column 9: rules are written as [[rules]]"),
    ] {
        let error = Policy::read(policy).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArg);
        assert_eq!(error.what(), format!("policy: {what}"), "{policy}");
    }
    let syntax = Policy::read("[[rules]]\naction = ").unwrap_err();
    assert!(syntax.what().starts_with("policy: line 2, column "), "{syntax}");
    assert_eq!(Policy::read(&"#".repeat(70_000)).unwrap_err().code(), Code::TooLarge);
    let many = "[[rules]]\naction = \"allow\"\n".repeat(300);
    assert!(Policy::read(&many).unwrap_err().what().ends_with("more than 256 rules"));
}

#[test]
fn a_question_says_how_many_and_which_and_keeps_secrets() {
    let change = |uri: &str, value: &[u8], secret| {
        Change::new(Class::Connectivity, "Replace", uri, Some(value), secret)
    };
    let question = command_question(
        "srv\u{1b}",
        &[
            change("./NAP/1/NapAddr", b"internet\nexample", false),
            change("./NAP/1/AuthSecret", b"hunter2", false),
            change("./NAP/1/X", b"hunter2", true),
            change("./NAP/1/Bin", b"\xFF\x00", false),
            change("./NAP/1/Long", "ä".repeat(99).as_bytes(), false),
            Change::new(Class::UserData, "Get", "./Contacts", None, false),
        ],
    );
    assert_eq!(
        question.text,
        "Allow srv  6 operations on network settings, which can cost money and personal data?"
    );
    assert_eq!(question.lines[0], "Replace ./NAP/1/NapAddr = internet example");
    assert_eq!(question.lines[1], "Replace ./NAP/1/AuthSecret = ***");
    assert_eq!(question.lines[2], "Replace ./NAP/1/X = ***");
    assert_eq!(question.lines[3], "Replace ./NAP/1/Bin = (2 octets)");
    assert!(question.lines[4].ends_with("ää…"));
    assert_eq!(question.lines[5], "Get ./Contacts");
    let many = vec![change("./NAP/1", b"1", false); 40];
    let question = command_question("srv", &many);
    assert_eq!((question.lines.len(), question.lines[16].as_str()), (17, "and 24 more"));
}
