//! The C header compiles alone, as C99 and as C++, with every warning an error.

#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::Command;

fn compiles(language: &str, standard: &str) {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/uicc_sim.h");
    let compiler = if language == "c" { "cc" } else { "c++" };
    let output = Command::new(compiler)
        .args(["-x", language, standard, "-pedantic", "-Wall", "-Wextra", "-Werror"])
        .arg("-fsyntax-only")
        .arg(header)
        .output()
        .expect("a C and a C++ compiler are needed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn as_c99() {
    compiles("c", "-std=c99");
}

#[test]
fn as_cpp() {
    compiles("c++", "-std=c++11");
}
