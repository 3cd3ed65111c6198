//! What the documents show a C programmer is what compiles.

use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let program = fs::read_to_string(root().join("examples/session.c")).unwrap();
    assert!(readme.contains(&format!("```c\n{program}```\n")), "README.md shows an old session.c");
}

#[test]
fn the_examples_compile_as_c99_without_a_warning() {
    let mut examples = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "c") {
            continue;
        }
        examples += 1;
        let output = Command::new("cc")
            .args(["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"])
            .arg("-I")
            .arg(root().join("include"))
            .arg("-I")
            .arg(root().join("uicc-sim/include"))
            .arg(&path)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {errors}", path.display());
    }
    assert!(examples >= 2, "the examples are gone");
}
