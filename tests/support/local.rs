//! Local applications that come to the gateway: curl, and whatever a test runs beside the phone.

use super::facade::Facade;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Drives the phone, its clock with it, while `work` runs on another thread.
pub(crate) fn meanwhile<R: Send>(phone: &Facade, work: impl FnOnce() -> R + Send) -> R {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let value = work();
            done.store(true, Ordering::SeqCst);
            value
        });
        while !done.load(Ordering::SeqCst) && !thread.is_finished() {
            phone.client.run_once(std::time::Duration::from_millis(5)).unwrap();
            phone.advance(1);
        }
        thread.join().unwrap()
    })
}

/// Output of curl for `url`: the body, then the status.
pub(crate) fn curl(url: &str, arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["-s", "-S", "--noproxy", "*", "--max-time", "20", "-w", "[%{http_code}]"])
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .expect("curl is there (scripts/deps.sh)");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
