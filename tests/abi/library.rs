//! The library as a file: its symbols, and programs in C that link with it.

use super::*;

/// The shared library that Cargo built with this test.
fn library(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let beside = here.parent().unwrap();
    for directory in [beside, beside.parent().unwrap()] {
        let library = directory.join(format!("lib{name}.so"));
        if library.exists() {
            return library;
        }
    }
    panic!("lib{name}.so is not beside {}", here.display());
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command:?}\n{text}{errors}");
    text
}

#[test]
fn the_library_exports_the_functions_of_the_header_and_nothing_else() {
    let text = run(Command::new("nm").args(["-D", "--defined-only"]).arg(library("dmsc")));
    let exported: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next_back()).collect();
    let golden: Vec<&str> = include_str!("../data/symbols.txt").lines().collect();
    assert_eq!(exported, golden);
    let header = include_str!("../../include/dmsc.h");
    let declared: BTreeSet<&str> = header
        .lines()
        .filter(|line| !line.trim_start().starts_with(['*', '/']))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("dmsc_"))
        .collect();
    assert_eq!(declared, golden.into_iter().collect());
}

/// Compiles `tests/c/<name>.c` as strict C99 against the shared libraries and runs it.
fn run_c(name: &str) -> String {
    run_program("tests/c", name, &[])
}

/// The same for `<folder>/<name>.c`, with arguments.
fn run_program(folder: &str, name: &str, arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // The loader looks for the library by its SONAME.
    let libraries = support::abi::directory(&format!("c-{name}"));
    let [dmsc, sim] =
        [("dmsc", "libdmsc.so.0"), ("uicc_sim", "libuicc_sim.so")].map(|(name, file)| {
            let link = libraries.join(file);
            std::os::unix::fs::symlink(library(name), &link).unwrap();
            link
        });
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-I"])
        .arg(root.join("include"))
        .arg("-I")
        .arg(root.join("uicc-sim/include"))
        .arg(root.join(format!("{folder}/{name}.c")))
        .args([&dmsc, &sim])
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .arg("-o")
        .arg(&program);
    run(&mut cc);
    run(Command::new(&program).args(arguments).current_dir(root))
}

#[test]
#[cfg(all(target_pointer_width = "64", target_os = "linux"))]
fn a_c_program_sees_the_same_structs() {
    assert_eq!(run_c("layout"), "layout OK\n");
}

#[test]
fn a_c_program_walks_the_happy_path() {
    let text = run_c("happy");
    assert_eq!(text.lines().last(), Some("happy OK"), "{text}");
}

#[test]
fn an_example_keeps_nodes_of_its_own() {
    let (profile, files) =
        ("uicc-sim/profiles/host-tree.toml", support::abi::directory("host-tree"));
    let text = run_program("examples", "host_tree", &[profile, files.to_str().unwrap()]);
    assert_eq!(text.lines().last(), Some("host_tree: OK"), "{text}");
    assert!(text.contains("  ring! (Classic, volume 7)"), "{text}");
    assert!(text.contains("changed by com.example.sc: ./Vendor/Ring/Volume"), "{text}");
    assert!(text.contains("  the sound came in 20 chunks and went in 11 parts"), "{text}");
    assert_eq!(std::fs::read_dir(files).unwrap().count(), 1);
}

#[test]
fn dm_211_dm_212_dm_213_an_example_updates_the_firmware() {
    let store = support::abi::directory("firmware-example");
    let profile = "uicc-sim/profiles/firmware.toml";
    let text = run_program("examples", "firmware", &[store.to_str().unwrap(), profile]);
    assert_eq!(text.lines().last(), Some("firmware: OK"), "{text}");
    let steps: Vec<&str> = text.lines().collect();
    let wanted = [
        "switched on, state 10",
        "  ./FwUpdate/Download accepted, correlator download",
        "downloading https://fw.example/phone-2.0.bin",
        "switched on, state 50",
        "  ./FwUpdate/Update accepted, correlator update",
        "  report 1: DMSC_OK",
        "switched on, state 60",
        "installing https://fw.example/phone-2.0.bin",
        "  report 2: DMSC_OK",
        "firmware: OK",
    ];
    assert_eq!(steps, wanted);
}
