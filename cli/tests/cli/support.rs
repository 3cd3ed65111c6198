//! Runs the program. Every run is searched for the secrets of the simulated cards.

use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Secrets and nonces of the test profiles, as text, as base64 and as hexadecimal, and the IMSI.
pub(crate) const SECRETS: [&str; 13] = [
    "terminal-secret",
    "card-secret",
    "first-client-nonce",
    "first-server-nonce",
    "dGVybWluYWwtc2VjcmV0",
    "Y2FyZC1zZWNyZXQ",
    "Zmlyc3QtY2xpZW50LW5vbmNl",
    "AAECAwQFBgf9/v8",
    "7465726D696E616C2D736563726574",
    "636172642D736563726574",
    "66697273742D636C69656E742D6E6F6E6365",
    "0001020304050607FDFEFF",
    "262011106487504",
];
pub(crate) const ICCID: &str = "8988211000000430010";

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `dmsc` with nothing on its standard input.
pub(crate) fn dmsc(arguments: &[&str]) -> Ran {
    dmsc_with("", arguments)
}

/// Runs `dmsc` with `input` on its standard input.
pub(crate) fn dmsc_with(input: &str, arguments: &[&str]) -> Ran {
    let ran = run(input, arguments);
    assert!(!ran.shows(ICCID), "the ICCID is shown: {ran:?}");
    ran
}

/// As [`dmsc`], where the ICCID may be shown.
pub(crate) fn dmsc_showing_iccid(arguments: &[&str]) -> Ran {
    run("", arguments)
}

fn run(input: &str, arguments: &[&str]) -> Ran {
    let (code, stdout, stderr) = dmsc_octets(input.as_bytes(), arguments);
    let ran = Ran { code, stdout: String::from_utf8(stdout).unwrap(), stderr };
    for secret in SECRETS {
        assert!(!ran.shows(secret), "{secret} is shown: {ran:?}");
    }
    ran
}

/// Runs `dmsc` with octets in and octets out: exit code, standard output, standard error.
pub(crate) fn dmsc_octets(input: &[u8], arguments: &[&str]) -> (i32, Vec<u8>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dmsc"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end without having read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), output.stdout, stderr)
}

impl Ran {
    fn shows(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        [&self.stdout, &self.stderr].iter().any(|out| out.to_ascii_lowercase().contains(&text))
    }

    /// The run was a success without a word on standard error.
    pub(crate) fn good(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self
    }

    /// The run failed with one line on standard error that ends with the code's name.
    pub(crate) fn failed(self, name: &str) -> Self {
        assert_eq!(self.code, 1, "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.starts_with("dmsc: "), "{self:?}");
        assert!(self.stderr.ends_with(&format!(" ({name})\n")), "{self:?}");
        self
    }

    /// The run failed with one line on standard error, `class at byte N: what`; gives N.
    pub(crate) fn faulted(&self, class: &str) -> usize {
        assert_eq!((self.code, self.stderr.lines().count()), (1, 1), "{self:?}");
        let rest = self.stderr.strip_prefix(class).and_then(|rest| rest.strip_prefix(" at byte "));
        let (at, what) = rest.and_then(|rest| rest.split_once(": ")).unwrap_or_default();
        assert!(what.len() > 1, "{class}: {self:?}");
        at.parse().unwrap()
    }

    /// Standard output as JSON lines.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The JSON lines of one kind.
    pub(crate) fn events(&self, name: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["event"] == name).collect()
    }

    /// The one JSON line of a kind.
    pub(crate) fn event(&self, name: &str) -> Value {
        let mut events = self.events(name);
        assert_eq!(events.len(), 1, "{name}: {}", self.stdout);
        events.remove(0)
    }
}

/// A directory for one test that is not there yet.
pub(crate) fn fresh(test: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    path.to_str().unwrap().to_owned()
}

/// The value of `--card` for a profile of this test's own.
pub(crate) fn own(profile: &str) -> String {
    card(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"), profile)
}

/// The value of `--card` for a profile that comes with the simulator.
pub(crate) fn shipped(profile: &str) -> String {
    card(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../uicc-sim/profiles"), profile)
}

fn card(directory: &Path, profile: &str) -> String {
    format!("sim:{}", directory.join(profile).with_extension("toml").display())
}
