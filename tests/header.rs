//! `include/dmsc.h` is the generated one, stands alone in C99 and C++, and documents every item.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

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

/// The header without preprocessor lines, its `/** */` texts replaced by a mark.
fn marked(header: &str) -> String {
    let mut text = String::new();
    let mut rest = header;
    while let Some((code, comment)) = rest.split_once("/**") {
        text.push_str(code);
        text.push('\u{1}');
        rest = comment.split_once("*/").unwrap().1;
    }
    text.push_str(rest);
    let mut lines: Vec<&str> = Vec::new();
    let mut continued = false;
    for line in text.lines() {
        if !continued && !line.trim_start().starts_with('#') {
            lines.push(line.split("//").next().unwrap());
        }
        continued = line.ends_with('\\');
    }
    lines.join("\n").replace("extern \"C\" {", "")
}

/// Items in the header - functions, types, members, constants - that have no text before them.
fn undocumented(header: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let (mut item, mut depth, mut parentheses) = (String::new(), 0, 0);
    for c in marked(header).chars() {
        match c {
            '(' => parentheses += 1,
            ')' => parentheses -= 1,
            _ => {}
        }
        let ends = match c {
            ';' | '{' => true,
            ',' => depth == 1 && parentheses == 0,
            '}' => {
                depth -= 1;
                true
            }
            _ => false,
        };
        if !ends {
            item.push(c);
            continue;
        }
        depth += i32::from(c == '{');
        let name = item.split_whitespace().collect::<Vec<_>>().join(" ");
        // The second name that a type gets, and what closes it, are no items of their own.
        let alias = name.starts_with("typedef int32_t") || name.starts_with("typedef uint32_t");
        let alias = alias || name.starts_with("typedef enum") || name.starts_with("dmsc_");
        if !name.is_empty() && !name.contains('\u{1}') && !alias {
            missing.push(name);
        }
        item.clear();
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
    assert_eq!(undocumented(bare), ["int32_t dmsc_bare(int a)"]);
    let bare = "/** T. */\nstruct dmsc_s {\n  /** M. */\n  int a;\n  int b;\n};\n";
    assert_eq!(undocumented(bare), ["int b"]);
}
