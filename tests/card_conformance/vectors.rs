//! Every row of `smartcard-vectors.tsv` is used: by a test that names it, or, where nothing but its reading
//! can be tested here, by the decoder's tests, which read all of them.

use super::vector_names;
use std::fs;
use std::path::Path;

/// Rows that only the decoder reads (`cli/tests/cli/decode_vectors.rs`), and why.
const DECODED: [(&str, &str); 11] = [
    ("lwm2m-bootstrap-ef", "LwM2M objects are passed over by their identifier"),
    ("lwm2m-bootstrap-ef-bare", "as above"),
    ("dm-bootstrap-ef-wbxml-head", "the head of what encoding-vectors.tsv has whole"),
    ("tr-poll-interval-1min", "another terminal's choice; ours grants what is asked"),
    ("tr-refresh-extra-ef", "another terminal's answer; ours reads no additional files"),
    ("tr-refresh-screen-busy", "ours is busy with a session, never with its screen"),
    ("tr-open-channel-ok", "a channel over the network"),
    ("env-sms-pp-secured", "the modem's business (reference, section 7.3)"),
    ("env-sms-pp-ota-real", "as above"),
    ("srv-pc-send-http200", "what a card writes, like any SEND DATA"),
    ("srv-env-closed", "a listener that closes by itself; ours closes when the card says so"),
];

fn texts(folder: &Path, out: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            texts(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("card_conformance/vectors.rs")
        {
            *out += &fs::read_to_string(&path).unwrap();
        }
    }
}

#[test]
fn every_vector_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["tests", "src", "cli/src", "cli/tests", "uicc-sim"] {
        texts(&root.join(folder), &mut sources);
    }
    let names: Vec<&str> = vector_names("").into_iter().filter(|name| *name != "name").collect();
    assert_eq!(names.len(), 184);
    let is_named = |name: &str| {
        let short = name.strip_prefix("apdu-").unwrap_or(name);
        [name, short].iter().any(|name| sources.contains(&format!("\"{name}\"")))
    };
    let unused: Vec<_> = names.into_iter().filter(|name| !is_named(name)).collect();
    let decoded: Vec<_> = DECODED.iter().map(|(name, _)| *name).collect();
    for name in &unused {
        assert!(decoded.contains(name), "nothing uses the vector {name}");
    }
    assert!(
        sources.contains("for row in smartcard() {"),
        "the decoder does not read all rows any more"
    );
}
