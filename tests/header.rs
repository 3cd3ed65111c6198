//! `include/dmsc.h` is the generated one, stands alone in C99 and C++, and documents every item.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header() -> String {
    fs::read_to_string(root().join("include/dmsc.h")).unwrap()
}

fn generate() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    let ffi = fs::read_to_string(root().join("src/ffi/mod.rs")).unwrap();
    // The order of the modules in ffi/mod.rs is the order of the header.
    for line in ffi.lines().filter_map(|line| line.strip_prefix("mod ")) {
        let name = line.trim_end_matches(';');
        builder = builder.with_src(root().join(format!("src/ffi/{name}.rs")));
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_header_is_fresh() {
    let fresh = generate();
    if std::env::var_os("DMSC_WRITE_HEADER").is_some() {
        fs::write(root().join("include/dmsc.h"), &fresh).unwrap();
    }
    assert!(header() == fresh, "include/dmsc.h is not what src/ffi gives: run `make header`");
}

fn compile(compiler: &str, flags: &[&str], name: &str) {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let source = directory.join(name);
    fs::write(&source, "#include <dmsc.h>\n#include <dmsc.h>\nint main(void) { return 0; }\n")
        .unwrap();
    let output = Command::new(compiler)
        .args(flags)
        .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-I"])
        .arg(root().join("include"))
        .arg(&source)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_header_stands_alone_in_c99() {
    compile("cc", &["-std=c99"], "alone99.c");
}

#[test]
fn the_header_stands_alone_in_c11() {
    compile("cc", &["-std=c11"], "alone11.c");
}

#[test]
fn the_header_stands_alone_in_cpp() {
    compile("c++", &["-std=c++11", "-x", "c++"], "alone.cpp");
}

/// Names of items in the header that have no text before them.
fn undocumented(header: &str) -> Vec<String> {
    let lines: Vec<&str> = header.lines().collect();
    let mut missing = Vec::new();
    let mut depth = 0_i32;
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim();
        let is_item = code.starts_with("typedef struct")
            || code.starts_with("enum dmsc_")
            || code.starts_with("typedef enum")
            || (depth == 0 && code.starts_with("DMSC_MUST_USE"))
            || (depth == 0
                && code.contains("dmsc_")
                && code.contains('(')
                && !code.starts_with('*')
                && !code.starts_with("/*")
                && !code.starts_with('#')
                && !lines[at - 1].trim().starts_with("DMSC_MUST_USE")
                && !lines[at - 1].trim().ends_with(','))
            || (depth > 0
                && (code.ends_with(';') || code.ends_with(',') && code.starts_with("DMSC_")));
        let forward = code.starts_with("typedef struct") && code.ends_with(';');
        let documented = lines[..at].iter().rev().find(|line| !line.trim().is_empty());
        let documented = documented.is_some_and(|line| line.trim().ends_with("*/"));
        let generated = code.starts_with("typedef int32_t") || code.starts_with("typedef uint32_t");
        let closing = code.starts_with('}') || code.starts_with(')');
        let continued = lines[..at].last().is_some_and(|line| {
            let line = line.trim();
            line.ends_with('(') || (line.ends_with(',') && !line.starts_with("DMSC_"))
        });
        if is_item && !documented && !generated && !closing && !continued {
            missing.push(format!("{}: {code}", at + 1));
        }
        let _ = forward;
        if !code.starts_with('*') && !code.starts_with("/*") {
            depth += i32::try_from(code.matches('{').count()).unwrap();
            depth -= i32::try_from(code.matches('}').count()).unwrap();
            if code.starts_with("extern \"C\"") || (code == "}" && depth < 0) {
                depth = 0;
            }
        }
    }
    missing
}

#[test]
fn every_item_of_the_header_has_its_text() {
    assert_eq!(undocumented(&header()), Vec::<String>::new());
}

#[test]
fn the_check_for_texts_finds_a_missing_one() {
    let bare = "/** Text. */\nint32_t dmsc_documented(int a);\n\nint32_t dmsc_bare(int a);\n";
    assert_eq!(undocumented(bare), ["4: int32_t dmsc_bare(int a);"]);
}
