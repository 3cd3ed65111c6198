//! Instructions of one repetition of a program's `work`, which repeat on a busy machine.

use std::process::Command;

/// What the program prints, or why it failed.
pub(crate) fn output(process: &mut Command) -> Result<String, String> {
    let ran = process.output().map_err(|error| format!("{process:?}: {error}"))?;
    let text = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if ran.status.success() { Ok(text.concat()) } else { Err(text.concat()) }
}

/// What `key=` says in `line`.
pub(crate) fn number(line: &str, key: &str) -> Option<u64> {
    line.split_whitespace().find_map(|word| word.strip_prefix(key)?.parse().ok())
}

/// Instructions inside `work` for one repetition, as half the difference between three and one, so
/// that set-up does not count. `bench` is the crate that holds the function; the program takes the
/// number of repetitions as its last argument.
pub(crate) fn instructions(bench: &str, program: &str, arguments: &[&str]) -> Result<u64, String> {
    let collected = |times: &str| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.args(["--collect-atstart=no", "--toggle-collect=work"]);
        valgrind.arg(format!("--toggle-collect={bench}::work*"));
        valgrind.arg(program).args(arguments).arg(times).env("LD_BIND_NOW", "1");
        let text = output(&mut valgrind)?;
        let line = text.lines().find_map(|line| line.split_once("Collected :"));
        line.and_then(|(_, count)| count.trim().parse::<u64>().ok()).ok_or(text)
    };
    Ok((collected("3")? - collected("1")?) / 2)
}
