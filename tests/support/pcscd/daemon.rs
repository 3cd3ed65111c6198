//! A pcscd for one test, where nobody else sees it.
//!
//! pcscd's socket has a fixed path, and vpcd listens on every address. So a test runs in mount,
//! network and process namespaces of its own: it starts its own binary again there, for this one
//! test. When the namespace's first process ends, so does everything in it, however the test ends.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// Set in the namespace.
const INSIDE: &str = "DMSC_TEST_PRIVATE_PCSCD";
/// The driver of virtual readers (Debian package vsmartcard-vpcd).
const DRIVER: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
/// The port of the first slot; the second one has the next port.
pub(crate) const PORT: u16 = 40_000;
/// The readers: one for each of vpcd's slots.
pub(crate) const READERS: [&str; 2] = ["DMSC test 00 00", "DMSC test 00 01"];
/// Longest wait for anything that another process does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Seconds after which a test is killed, where the environment does not say it with [`PATIENT`].
const LONGEST_TEST: &str = "90";
const PATIENT: &str = "DMSC_TEST_SECONDS";

/// Prepares the namespaces and becomes the command in `$@`. Nothing else under /run is needed.
const PREPARE: &str = "
    PATH=$PATH:/usr/sbin:/sbin
    mount -t tmpfs none /run
    mkdir /run/pcscd
    ip link set lo up
    exec \"$@\"";

/// Runs the calling test's `body` with a pcscd of its own.
pub(crate) fn with_pcscd<F: FnOnce(Daemon)>(body: F) {
    alone(std::any::type_name::<F>(), possible, || body(Daemon::start()));
}

/// Runs the calling test's `body` where there is no pcscd.
pub(crate) fn without_pcscd<F: FnOnce()>(body: F) {
    alone(std::any::type_name::<F>(), possible, body);
}

/// Runs the calling test's `body` in namespaces of its own, unless `possible` says why not.
///
/// `closure` is the type name of the closure that the test has passed: crate, path of the test.
pub(crate) fn alone(
    closure: &str,
    possible: impl FnOnce() -> Result<(), String>,
    body: impl FnOnce(),
) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    if let Err(reason) = possible() {
        assert!(std::env::var_os("CI").is_none(), "no test with pcscd: {reason}");
        // Not with eprintln: the output of a test that passes is swallowed.
        let line = format!("skipped, no test with pcscd: {reason}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    }
    let test = closure.split_once("::").unwrap().1.trim_end_matches("::{{closure}}");
    let binary = std::env::current_exe().unwrap();
    let longest = std::env::var(PATIENT).unwrap_or_else(|_| LONGEST_TEST.to_owned());
    let limited = ["timeout", "--signal=KILL", &longest];
    let arguments = [test, "--exact", "--nocapture", "--test-threads=1"];
    let command = limited.iter().map(OsStr::new).chain([binary.as_os_str()]);
    let output = in_namespace(command.chain(arguments.iter().map(OsStr::new))).unwrap();
    let text = text(&output);
    print!("{text}");
    // A name that matches no test would give success.
    assert!(output.status.success() && text.contains("test result: ok. 1 passed"), "{test} failed");
}

/// Why a pcscd of our own cannot be run.
pub(crate) fn possible() -> Result<(), String> {
    static ANSWER: OnceLock<Result<(), String>> = OnceLock::new();
    let ask = || {
        if !Path::new(DRIVER).exists() {
            return Err(format!("{DRIVER} is missing"));
        }
        let version = ["pcscd", "--version"].iter().map(OsStr::new);
        let tried = in_namespace(version).map_err(|error| format!("setpriv, unshare: {error}"))?;
        if tried.status.success() { Ok(()) } else { Err(text(&tried).trim().replace('\n', "; ")) }
    };
    ANSWER.get_or_init(ask).clone()
}

/// Runs `command` in namespaces of its own, which end with the calling thread.
fn in_namespace<'a>(command: impl Iterator<Item = &'a OsStr>) -> std::io::Result<Output> {
    let mut unshare = Command::new("setpriv");
    unshare.args(["--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork"]);
    unshare.arg("--kill-child");
    if fs::metadata("/proc/self")?.uid() != 0 {
        unshare.arg("--map-root-user");
    }
    unshare.args(["sh", "-e", "-c", PREPARE, "sh"]).args(command);
    unshare.env(INSIDE, "1").stdin(Stdio::null()).output()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// The running pcscd; dropping it ends it.
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts pcscd with one vpcd reader and waits until it answers.
    pub(crate) fn start() -> Self {
        let reader = format!(
            "FRIENDLYNAME \"DMSC test\"\nDEVICENAME /dev/null:{PORT:#06X}\nLIBPATH {DRIVER}\n\
             CHANNELID {PORT:#06X}\n"
        );
        fs::create_dir("/run/readers").unwrap();
        fs::write("/run/readers/vpcd", reader).unwrap();
        let mut pcscd = Command::new("pcscd");
        pcscd.args(["--foreground", "--critical", "--config", "/run/readers"]);
        let mut daemon = Self(pcscd.stdin(Stdio::null()).spawn().unwrap());
        until("pcscd answers", || {
            assert_eq!(daemon.0.try_wait().unwrap(), None, "pcscd has ended");
            pcsc::Context::establish(pcsc::Scope::User).ok()
        });
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tries until it works, for what gives no sign when it is ready.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(Instant::now() < end, "not in time: {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}
