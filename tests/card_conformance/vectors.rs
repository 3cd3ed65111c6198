//! Every row of `smartcard-vectors.tsv` is used by a test of library or simulator that names it; the decoder's
//! tests read all of them as well.

use super::vector_names;
use std::fs;
use std::path::Path;

fn texts(folder: &Path, out: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            texts(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *out += &fs::read_to_string(&path).unwrap();
        }
    }
}

#[test]
fn every_vector_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["tests", "src", "uicc-sim"] {
        texts(&root.join(folder), &mut sources);
    }
    let names: Vec<&str> = vector_names("").into_iter().filter(|name| *name != "name").collect();
    assert_eq!(names.len(), 184);
    let is_named = |name: &str| {
        // A table of APDUs need not say so in each row.
        let short = name.strip_prefix("apdu-").unwrap_or(name);
        [name, short].iter().any(|name| sources.contains(&format!("\"{name}\"")))
    };
    let unused: Vec<_> = names.into_iter().filter(|name| !is_named(name)).collect();
    assert_eq!(unused, [""; 0], "vectors that nothing uses");
    let decoder = fs::read_to_string(root.join("cli/tests/cli/decode_vectors.rs")).unwrap();
    assert!(decoder.contains("for row in smartcard() {"), "the decoder does not read all rows");
}
