//! What the DM server demands for commands of several items, for values that have no end, and for those
//! that it refuses.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use support::*;
use uicc_sim::dm::wbxml::{Element, METINF, SYNCML};

/// The first package of a script of one.
fn opened(commands: &str) -> (Terminal, Element) {
    let mut terminal = Terminal::new(&format!("[[package]]\ncommands = [ {commands} ]"));
    terminal.triggered();
    let package = terminal.open("1200").unwrap();
    (terminal, package)
}

/// A Status for the items with these targets.
fn about(package: &Element, targets: &[&str], code: &str) -> Element {
    let command = commands_of(package)[0];
    let mut whole = status(package, &value(command, &["CmdID"]), command.name, code);
    let data = whole.content.pop().unwrap();
    targets.iter().for_each(|target| whole.push(text("TargetRef", target)));
    whole.content.push(data);
    whole
}

/// What the server misses when a terminal answers the package with these.
fn missed(terminal: &mut Terminal, package: &Element, answers: Vec<Element>) -> Vec<String> {
    let mut commands = vec![terminal.header_status(package, "212")];
    commands.extend(answers);
    terminal.reply(commands, true).unwrap();
    terminal.missed()
}

/// Statuses: the targets that each is about, and its code.
type Statuses<'a> = &'a [(&'a [&'a str], &'a str)];

const TWO: &str = "{ items = [ { delete = './A' }, { delete = './B', expect = 404 } ] }";

#[test]
fn a_command_of_several_items_is_one_element() {
    let (_, package) = opened(
        "{ items = [ { add = './A', format = 'bin', value = 'x', meta = 'command' }, \
                     { add = './B', value = 'y' } ] }",
    );
    let [add] = commands_of(&package)[..] else { panic!("{package:?}") };
    let names: Vec<_> = add.children().map(|child| child.name).collect();
    assert_eq!(names, ["CmdID", "Meta", "Item", "Item"]);
    assert_eq!(add.child(SYNCML, "Meta").unwrap().child(METINF, "Format").unwrap().value(), b"bin");
    assert!(all(add, "Item").iter().all(|item| item.child(SYNCML, "Meta").is_none()));
}

#[test]
fn each_item_needs_its_status() {
    let good: [Statuses<'_>; 2] =
        [&[(&["./A"], "200"), (&["./B"], "404")], &[(&["./B"], "404"), (&["./A"], "200")]];
    for answers in good {
        let (mut terminal, package) = opened(TWO);
        let answers =
            answers.iter().map(|(targets, code)| about(&package, targets, code)).collect();
        assert_eq!(missed(&mut terminal, &package, answers), [] as [String; 0]);
        assert_eq!(terminal.verdicts(), (1, 0));
    }
    let bad: [(Statuses<'_>, &str); 5] = [
        (&[(&["./A"], "200")], "no Status"),
        (&[(&["./A", "./B"], "200")], "Status 200 instead of [404]"),
        (&[(&[], "404")], "Status 404 instead of [200]"),
        (&[(&["./A"], "200"), (&["./A"], "200")], "a second Status"),
        (&[(&["./C"], "200")], "TargetRef of the Status is"),
    ];
    for (answers, fault) in bad {
        let (mut terminal, package) = opened(TWO);
        let answers =
            answers.iter().map(|(targets, code)| about(&package, targets, code)).collect();
        let missed = missed(&mut terminal, &package, answers);
        assert!(missed.iter().any(|text| text.contains(fault)), "{fault}: {missed:?}");
        assert_eq!(terminal.verdicts(), (0, 1));
    }
}

#[test]
fn each_item_needs_its_results() {
    let script = "{ items = [ { get = './A', results = 'a' }, { get = './B', results = 'b' } ] }";
    for (source, data, fault) in
        [("./B", "b", None), ("./B", "x", Some("not as wanted")), ("./C", "b", Some("Source of"))]
    {
        let (mut terminal, package) = opened(script);
        let id = value(commands_of(&package)[0], &["CmdID"]);
        let mut both = results(&package, &id, "./A", "a");
        both.push(
            Element::new(SYNCML, "Item").with(located("Source", source)).with(text("Data", data)),
        );
        let answers = vec![about(&package, &["./A", "./B"], "200"), both];
        let missed = missed(&mut terminal, &package, answers);
        assert_eq!(missed.is_empty(), fault.is_none(), "{missed:?}");
        assert!(fault.is_none_or(|fault| missed[0].contains(fault)), "{missed:?}");
    }
}

/// Alert 1225 for a node.
fn no_end(uri: &str) -> Element {
    let item = Element::new(SYNCML, "Item").with(located("Target", uri));
    Element::new(SYNCML, "Alert").with(text("CmdID", "0")).with(text("Data", "1225")).with(item)
}

#[test]
fn a_value_without_an_end_has_to_be_missed() {
    let script = "{ add = './A', fill = 100, chunk = 40, cut = 1 }";
    for (alerts, good) in
        [(vec!["./A"], true), (vec![], false), (vec!["./B"], false), (vec!["./A", "./A"], false)]
    {
        let (mut terminal, package) = opened(script);
        assert_eq!(all(&package, "MoreData").len(), 1);
        assert_eq!(all(&package, "Final").len(), 1);
        let mut answers = vec![about(&package, &["./A"], "213")];
        answers.extend(alerts.iter().map(|uri| no_end(uri)));
        let missed = missed(&mut terminal, &package, answers);
        assert_eq!(missed.is_empty(), good, "{alerts:?}: {missed:?}");
        assert_eq!(terminal.verdicts(), (u32::from(good), u32::from(!good)));
    }
}

/// The first piece of Results for the only command.
fn piece(package: &Element) -> Element {
    let id = value(commands_of(package)[0], &["CmdID"]);
    let size = Element::new(SYNCML, "Meta").with(Element::text(METINF, "Size", "10"));
    let item = Element::new(SYNCML, "Item")
        .with(located("Source", "./A"))
        .with(size)
        .with(text("Data", "01234"))
        .with(Element::new(SYNCML, "MoreData"));
    let mut results = results(package, &id, "./A", "");
    results.content.pop();
    results.with(item)
}

#[test]
fn results_without_an_end_are_missed() {
    let (mut terminal, package) = opened("{ get = './A' }");
    let answers = vec![about(&package, &["./A"], "200"), piece(&package)];
    let mut commands = vec![terminal.header_status(&package, "212")];
    commands.extend(answers);
    let next = terminal.reply(commands, true).unwrap();
    let alerts = all(&next, "Alert");
    assert_eq!(value(alerts[0], &["Data"]), "1225");
    assert_eq!(value(alerts[0], &["Item", "Source", "LocURI"]), "./A");
}

#[test]
fn results_that_are_refused_have_to_end() {
    for goes_on in [false, true] {
        let (mut terminal, package) = opened("{ get = './A', refuse = 413 }");
        let mut commands = vec![terminal.header_status(&package, "212")];
        commands.extend([about(&package, &["./A"], "200"), piece(&package)]);
        let refusal = terminal.reply(commands, false).unwrap();
        let of_results = |status: &&Element| value(status, &["Cmd"]) == "Results";
        let code = all(&refusal, "Status").into_iter().find(of_results).unwrap();
        assert_eq!(value(code, &["Data"]), "413");
        let alert = commands_of(&refusal)[0];
        let mut commands = vec![
            status(&refusal, "0", "SyncHdr", "212"),
            status(&refusal, &value(alert, &["CmdID"]), "Alert", "200"),
        ];
        commands.extend(goes_on.then(|| piece(&package)));
        terminal.reply(commands, true);
        assert_eq!(terminal.missed().is_empty(), !goes_on, "{:?}", terminal.missed());
    }
}
