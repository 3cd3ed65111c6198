//! The layers of the library: every `crate::` path in `src/` points down, or stays in its module.
//!
//! Each module names what it may use; a module that is not in the list is an error, so that a new one
//! gets its place. Unit tests may look anywhere.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Plain values and helpers that know nothing of the rest, from the lowest.
const GROUND: &[&str] =
    &["allocator", "status_word", "error", "limits", "secret", "random", "time", "url", "bytes"];

/// What each module may use besides itself and the ground.
const MAY_USE: &[(&str, &[&str])] = &[
    ("markup", &[]),
    ("store", &[]),
    ("audit", &["store"]),
    ("card", &[]),
    ("transport", &[]),
    ("syncml", &["markup"]),
    ("prov", &["markup"]),
    ("tree", &["markup", "store", "audit"]),
    ("policy", &["store", "tree"]),
    ("trigger", &[]),
    ("session", &["markup", "syncml", "store", "audit", "tree", "policy"]),
    ("bootstrap", &["markup", "card", "audit", "syncml", "prov", "store", "tree", "trigger"]),
    ("config", &["transport", "tree", "store"]),
    ("event", &["session", "store"]),
    ("driver", &[]),
    (
        "client",
        &[
            "markup",
            "store",
            "card",
            "transport",
            "syncml",
            "prov",
            "tree",
            "trigger",
            "audit",
            "policy",
            "session",
            "bootstrap",
            "config",
            "event",
            "driver",
        ],
    ),
    // Over the facade; below it only the traits that the host implements and the values it gives.
    (
        "ffi",
        &[
            "audit",
            "bootstrap",
            "client",
            "config",
            "event",
            "driver",
            "card",
            "markup",
            "session",
            "store",
            "transport",
            "tree",
        ],
    ),
];

/// The rows of [`MAY_USE`] and [`GROUND`] with their place from the bottom.
fn modules() -> BTreeMap<&'static str, (usize, Vec<&'static str>)> {
    let ground = GROUND.iter().enumerate().map(|(at, name)| (*name, (at, GROUND[..at].to_vec())));
    let above = MAY_USE
        .iter()
        .enumerate()
        .map(|(at, (name, uses))| (*name, (GROUND.len() + at, [GROUND, *uses].concat())));
    ground.chain(above).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")))
}

/// The modules that a file's code names with `crate::`, comments and the unit tests at its end left out.
fn used(text: &str) -> Vec<(usize, String)> {
    // `mod tests;` is a file of its own; what follows that line counts.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code = code.lines().enumerate();
    let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for (number, line) in code {
        for (at, path) in line.match_indices("crate::") {
            let is_own =
                line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            let name: String = line[at + path.len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !is_own && !name.is_empty() {
                found.push((number + 1, name));
            }
            assert!(!line[at..].starts_with("crate::{"), "name each module on its own: {line}");
        }
    }
    found
}

/// Everything that is wrong with the arrows of one file of `module`.
fn faults(module: &str, text: &str) -> Vec<String> {
    let modules = modules();
    let Some((_, uses)) = modules.get(module) else {
        return vec![format!("module {module} has no place in the layers")];
    };
    used(text)
        .into_iter()
        .filter(|(_, name)| name != module && !uses.contains(&name.as_str()))
        .map(|(line, name)| format!("line {line}: {module} must not use {name}"))
        .collect()
}

#[test]
fn no_arrow_points_up() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files.iter().filter(|file| !is_test(file)) {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(file).unwrap();
        let faults = faults(module, &text).into_iter();
        wrong.extend(faults.map(|fault| format!("{}: {fault}", inside.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} files were looked at");
}

#[test]
fn the_layers_themselves_have_no_way_back() {
    let modules = modules();
    for (name, (place, uses)) in &modules {
        for used in uses {
            let (below, _) = modules.get(used).unwrap();
            assert!(below < place, "{name} uses {used}, which is not below it");
        }
    }
}

#[test]
fn an_arrow_that_points_up_is_seen() {
    let upwards = "use crate::error::Error;\nfn f() { crate::client::g(); }\n";
    assert_eq!(faults("tree", upwards), ["line 2: tree must not use client"]);
    let harmless = "/// As crate::client does.\n#[cfg(test)]\nmod tests { use crate::client; }\n";
    assert!(faults("tree", harmless).is_empty());
    let behind = "#[cfg(test)]\nmod tests;\nuse crate::client::Client;\n";
    assert_eq!(faults("tree", behind), ["line 3: tree must not use client"]);
    assert_eq!(faults("news", ""), ["module news has no place in the layers"]);
}
