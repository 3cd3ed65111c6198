//! `--card at:DEVICE`: a pseudo terminal with the simulated modem of the library's tests behind it.

#[allow(dead_code, clippy::panic)]
#[path = "../../../tests/at_modem/modem.rs"]
mod modem;

use crate::support::{dmsc, fresh};
use dmsc::card::at::AtPort as _;
use modem::{Manners, Modem};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::{read, write};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use uicc_sim::profile::Profile;

/// A modem behind a device of this machine, until it is dropped.
struct Device {
    path: String,
    done: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Device {
    fn new(modem: Modem) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        // As long as this end is open nobody finds the line hung up.
        let kept =
            rustix::fs::open(&*path, OFlags::RDWR | OFlags::NOCTTY, rustix::fs::Mode::empty())
                .unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&done);
        let serving = std::thread::spawn(move || serve(&master, modem, &over, kept));
        Self { path, done, serving: Some(serving) }
    }
}

fn serve(master: &OwnedFd, mut modem: Modem, over: &AtomicBool, kept: OwnedFd) {
    let mut buffer = [0; 512];
    let slice = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    while !over.load(Ordering::SeqCst) {
        if poll(&mut [PollFd::new(master, PollFlags::IN)], Some(&slice)).unwrap() == 0 {
            continue;
        }
        let count = read(master, &mut buffer).unwrap();
        modem.write(&buffer[..count]).unwrap();
        loop {
            let count = modem.read(&mut buffer, Duration::ZERO).unwrap();
            if count == 0 {
                break;
            }
            let mut octets = &buffer[..count];
            while !octets.is_empty() {
                octets = &octets[write(master, octets).unwrap()..];
            }
        }
    }
    drop(kept);
}

impl Drop for Device {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        self.serving.take().unwrap().join().unwrap();
    }
}

#[test]
fn a_card_in_a_modem_is_looked_at_and_bootstrapped() {
    for channels in [true, false] {
        let manners = Manners { channels, echo: true, talkative: true, ..Manners::default() };
        let device = Device::new(Modem::new(Profile::demo().build().unwrap(), manners));
        let card = format!("at:{}", device.path);
        let info = dmsc(&["card", "info", "--card", &card]).good();
        assert!(info.stdout.contains("kind: UICC\nATR: unknown\n"), "{}", info.stdout);
        assert!(info.stdout.contains("DM bootstrap data: yes"), "{}", info.stdout);
        let store = fresh(&format!("at-{channels}"));
        let arguments = ["card", "bootstrap", "--card", &card, "--store", &store, "--json"];
        assert!(dmsc(&arguments).good().stdout.contains("\"accounts_added\":1"));
    }
}

#[test]
fn a_device_that_is_no_modem() {
    let failed = |device: &str| {
        let ran = dmsc(&["card", "info", "--card", device]);
        assert_eq!(ran.code, 1, "{ran:?}");
        ran.stderr
    };
    assert!(failed("at:/no/such/device").contains("/no/such/device"));
    assert!(failed("at:/dev/null").contains("/dev/null: no serial device"));
}
