//! Every row of the references has a test with its id in its name, an entry in
//! `tests/conformance/EXCEPTIONS.md`, or stands in `tests/conformance/OPEN.md` until it has.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROWS: &str = include_str!("data/rows.txt");
const EXCEPTIONS: &str = include_str!("conformance/EXCEPTIONS.md");
const OPEN: &str = include_str!("conformance/OPEN.md");

/// Ids such as `DM-042` in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    words.filter(|word| is_row(word)).map(str::to_owned).collect()
}

fn is_row(word: &str) -> bool {
    let number = word.strip_prefix("DM-").or_else(|| word.strip_prefix("SC-"));
    number.is_some_and(|number| number.len() == 3 && number.parse::<u16>().is_ok())
}

/// The rows in the name of a test: `dm_001_…`, `dm_001_and_dm_003_…`, `dm_001_to_dm_003_…`.
fn rows_of(name: &str) -> BTreeSet<String> {
    let words: Vec<&str> = name.split('_').collect();
    let mut rows = BTreeSet::new();
    let mut last = None;
    for (at, pair) in words.windows(2).enumerate() {
        let [kind @ ("dm" | "sc"), number] = pair else { continue };
        let Some(number) = number.parse::<u16>().ok().filter(|_| number.len() == 3) else {
            continue;
        };
        let is_range = at > 0 && words[at - 1] == "to";
        let first = last.filter(|_| is_range).unwrap_or(number);
        let kind = kind.to_uppercase();
        rows.extend((first..=number).map(|number| format!("{kind}-{number:03}")));
        last = Some(number);
    }
    rows
}

/// The rows that have a test, in all files below a folder.
fn tested(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tested(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for part in text.split("#[test]").skip(1) {
                let name = part.split_once("fn ").and_then(|(_, rest)| rest.split_once('('));
                found.extend(name.map(|(name, _)| rows_of(name)).unwrap_or_default());
            }
        }
    }
}

#[test]
fn every_row_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut have = BTreeSet::new();
    for folder in ["src", "tests", "uicc-sim/src", "uicc-sim/tests", "cli/src", "cli/tests"] {
        tested(&root.join(folder), &mut have);
    }
    let rows: BTreeSet<String> = ROWS.lines().map(str::to_owned).collect();
    assert_eq!(rows.len(), 363);
    let (excepted, open) = (named(EXCEPTIONS), named(OPEN));
    let nowhere: Vec<_> = rows
        .iter()
        .filter(|row| !have.contains(*row) && !excepted.contains(*row) && !open.contains(*row))
        .collect();
    assert_eq!(nowhere, Vec::<&String>::new(), "rows without a test");
    let done: Vec<_> = open.intersection(&have).collect();
    assert_eq!(done, Vec::<&String>::new(), "rows that are not open any more");
    let unknown: Vec<_> = open.union(&excepted).filter(|row| !rows.contains(*row)).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "rows that no reference has");
}

#[test]
fn rows_are_read_from_names() {
    let rows = |name| rows_of(name).into_iter().collect::<Vec<_>>();
    assert_eq!(rows("dm_001_package"), ["DM-001"]);
    assert_eq!(rows("dm_009_and_sc_010_x"), ["DM-009", "SC-010"]);
    assert_eq!(rows("dm_098_to_dm_101_x"), ["DM-098", "DM-099", "DM-100", "DM-101"]);
    assert_eq!(rows("a_dm_server_says_404"), Vec::<String>::new());
}
