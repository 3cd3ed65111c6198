//! `docs/security.md` names no test that does not exist.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// The test names in a row: the words between backticks in its last column.
fn tests(row: &str) -> Vec<&str> {
    let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    last.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_row_of_the_attack_table_has_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let mut code = String::new();
    for folder in ["src", "tests", "cli/tests"] {
        sources(&root.join(folder), &mut code);
    }
    let is_test = |name: &str| {
        code.match_indices(&format!("fn {name}(")).any(|(at, _)| {
            // The attribute stands within the few lines before.
            let before = code.get(at.saturating_sub(300)..at).unwrap_or_default();
            let since = before.rsplit_once("#[test]").map(|(_, since)| since);
            since.is_some_and(|since| !since.contains("fn ") && !since.contains("#[ignore"))
        })
    };
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack"));
    let mut seen = 0;
    for row in rows {
        let names = tests(row);
        assert!(!names.is_empty(), "no test in: {row}");
        for name in names {
            assert!(is_test(name), "there is no test {name}: {row}");
        }
        seen += 1;
    }
    assert!(seen > 30, "only {seen} rows");
}
