//! The C interface of `include/uicc_sim.h`, and the one socket option that std does not offer. The
//! only file with `unsafe`.

use crate::card::Card;
use crate::profile::Profile;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

const OK: i32 = 0;
const ERR_ARGUMENT: i32 = -22;
const ERR_NO_CARD: i32 = -19;
const ERR_SPACE: i32 = -28;
const ERR_INTERNAL: i32 = -5;

/// `uicc_sim` of the header.
#[derive(Debug)]
pub struct Handle {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    card: Card,
    /// The card is not in the reader.
    removed: bool,
    report: CString,
}

impl Handle {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work` on the handle; a NULL handle or a panic gives the error that `refuse` makes of it.
///
/// # Safety
/// `handle` is NULL or came from [`uicc_sim_open`] and was not closed.
unsafe fn with<T>(
    handle: *const Handle,
    refuse: impl FnOnce(i32) -> T,
    work: impl FnOnce(&mut Inner) -> T,
) -> T {
    // SAFETY: by the caller's promise the pointer is NULL or points to a live handle, which is only
    // ever used through shared references and its mutex.
    let Some(handle) = (unsafe { handle.as_ref() }) else { return refuse(ERR_ARGUMENT) };
    match catch_unwind(AssertUnwindSafe(|| work(&mut handle.lock()))) {
        Ok(value) => value,
        Err(_) => refuse(ERR_INTERNAL),
    }
}

/// Copies `octets` to the caller's buffer.
///
/// # Safety
/// `out` is NULL or has room for `cap` octets; `out_len` is NULL or points to a `size_t`.
unsafe fn give(octets: &[u8], out: *mut u8, cap: usize, out_len: *mut usize) -> i32 {
    // SAFETY: by the caller's promise `out_len` points to a `size_t`; NULL was sorted out.
    unsafe { out_len.write(octets.len()) };
    if octets.len() > cap {
        return ERR_SPACE;
    }
    if !octets.is_empty() {
        // SAFETY: `out` is not NULL (a NULL has `cap` 0) and has room for `cap` octets, which are no
        // fewer than there are; the source is our own memory, so they do not overlap.
        unsafe { out.copy_from_nonoverlapping(octets.as_ptr(), octets.len()) };
    }
    OK
}

/// Checks the output parameters and clears the length.
///
/// # Safety
/// As for [`give`].
unsafe fn clear(out: *const u8, cap: usize, out_len: *mut usize) -> bool {
    if out_len.is_null() || (out.is_null() && cap > 0) {
        return false;
    }
    // SAFETY: `out_len` is not NULL and by the caller's promise points to a `size_t`.
    unsafe { out_len.write(0) };
    true
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `profile` is NULL or a text that ends with NUL; `error` is NULL or has room for `error_cap` octets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_open(
    profile: *const c_char,
    memory_file: *const c_char,
    error: *mut c_char,
    error_cap: usize,
) -> *mut Handle {
    let text = |text: *const c_char| {
        // SAFETY: NULL is sorted out, and by the caller's promise the text ends with NUL.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
    };
    let (path, memory) = (text(profile), text(memory_file));
    let made =
        catch_unwind(|| make(path, memory)).unwrap_or_else(|_| Err("internal failure".into()));
    match made {
        Ok(card) => {
            let inner = Inner { card, removed: false, report: CString::default() };
            Box::into_raw(Box::new(Handle { inner: Mutex::new(inner) }))
        }
        Err(text) => {
            // SAFETY: by the caller's promise `error` is NULL or has room for `error_cap` octets.
            unsafe { give_text(&text, error, error_cap) };
            std::ptr::null_mut()
        }
    }
}

fn make(path: Option<&CStr>, memory: Option<&CStr>) -> Result<Card, String> {
    let mut profile = match path {
        None => Profile::demo(),
        Some(path) => {
            let path = path.to_str().map_err(|_| "the profile's path is not UTF-8")?;
            Profile::load(Path::new(path))?
        }
    };
    if let Some(memory) = memory {
        let memory = memory.to_str().map_err(|_| "the memory file's path is not UTF-8")?;
        profile.server.memory_file = Some(memory.into());
    }
    profile.build()
}

/// Writes as much of `text` as fits, at a character boundary, and a NUL.
///
/// # Safety
/// `out` is NULL or has room for `cap` octets.
unsafe fn give_text(text: &str, out: *mut c_char, cap: usize) {
    let Some(room) = cap.checked_sub(1) else { return };
    if out.is_null() {
        return;
    }
    let fits = |&length: &usize| text.is_char_boundary(length);
    let length = (0..=room.min(text.len())).rev().find(fits).unwrap_or_default();
    // SAFETY: `out` is not NULL and has room for `cap` octets; `length` is less than `cap`, so the
    // text and the NUL behind it fit.
    unsafe {
        out.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), length);
        out.add(length).write(0);
    }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open; `cmd` is NULL or has `len` octets; `rsp` is NULL or has room for `cap`
/// octets; `rsp_len` is NULL or points to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_transmit(
    sim: *mut Handle,
    cmd: *const u8,
    len: usize,
    rsp: *mut u8,
    cap: usize,
    rsp_len: *mut usize,
) -> i32 {
    // SAFETY: the caller's promise is the one `clear` asks for.
    if !unsafe { clear(rsp, cap, rsp_len) } || (cmd.is_null() && len > 0) {
        return ERR_ARGUMENT;
    }
    let command = match len {
        0 => Vec::new(),
        // SAFETY: `cmd` is not NULL and by the caller's promise has `len` octets. They are copied, so
        // that the response may go where the command is.
        _ => unsafe { std::slice::from_raw_parts(cmd, len) }.to_vec(),
    };
    let work = |inner: &mut Inner| {
        let Ok(response) = inner.card.transmit(&command) else {
            inner.removed = true;
            return ERR_NO_CARD;
        };
        // SAFETY: the caller's promise is the one `give` asks for; `rsp_len` is not NULL.
        unsafe { give(&response, rsp, cap, rsp_len) }
    };
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |error| error, work) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open; `atr` is NULL or has room for `cap` octets; `atr_len` is NULL or points to
/// a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_atr(
    sim: *mut Handle,
    atr: *mut u8,
    cap: usize,
    atr_len: *mut usize,
) -> i32 {
    // SAFETY: the caller's promise is the one `clear` asks for.
    if !unsafe { clear(atr, cap, atr_len) } {
        return ERR_ARGUMENT;
    }
    let work = |inner: &mut Inner| {
        if inner.removed {
            return ERR_NO_CARD;
        }
        // SAFETY: the caller's promise is the one `give` asks for; `atr_len` is not NULL.
        unsafe { give(inner.card.atr(), atr, cap, atr_len) }
    };
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |error| error, work) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open; `pdu` is NULL or has room for `cap` octets; `pdu_len` is NULL or points to
/// a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_notification(
    sim: *mut Handle,
    pdu: *mut u8,
    cap: usize,
    pdu_len: *mut usize,
) -> i32 {
    // SAFETY: the caller's promise is the one `clear` asks for.
    if !unsafe { clear(pdu, cap, pdu_len) } {
        return ERR_ARGUMENT;
    }
    let work = |inner: &mut Inner| {
        let octets = inner.card.notification();
        // SAFETY: the caller's promise is the one `give` asks for; `pdu_len` is not NULL.
        unsafe { give(&octets, pdu, cap, pdu_len) }
    };
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |error| error, work) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_reset(sim: *mut Handle) {
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |_| (), |inner| inner.card.reset()) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_remove(sim: *mut Handle) {
    let work = |inner: &mut Inner| {
        inner.removed = true;
        inner.card.remove();
    };
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |_| (), work) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_insert(sim: *mut Handle) {
    let work = |inner: &mut Inner| {
        inner.removed = false;
        inner.card.insert();
    };
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |_| (), work) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_trigger(sim: *mut Handle) {
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |_| (), |inner| inner.card.trigger()) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_good_sessions(sim: *const Handle) -> u32 {
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |_| 0, |inner| inner.card.good_sessions()) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_bad_sessions(sim: *const Handle) -> u32 {
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |_| 0, |inner| inner.card.bad_sessions()) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open; the text of the former call is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_report(sim: *mut Handle) -> *const c_char {
    let work = |inner: &mut Inner| {
        let text = inner.card.report().replace('\0', " ");
        inner.report = CString::new(text).unwrap_or_default();
        inner.report.as_ptr()
    };
    // SAFETY: the caller's promise is the one `with` asks for.
    unsafe { with(sim, |_| std::ptr::null(), work) }
}

/// See `uicc_sim.h`.
///
/// # Safety
/// `sim` is NULL or open, and no other call with it runs or follows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uicc_sim_close(sim: *mut Handle) {
    if sim.is_null() {
        return;
    }
    // SAFETY: not NULL, so it came from `Box::into_raw` in `uicc_sim_open`; by the caller's promise
    // it was not closed before and nobody uses it now.
    let handle = unsafe { Box::from_raw(sim) };
    // A panic while the card is dropped must not leave the library.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
}

/// Asks the kernel to acknowledge what comes next without delay. The kernel forgets it again, so it
/// is asked before each read.
#[cfg(target_os = "linux")]
pub(crate) fn acknowledge_quickly(stream: &std::net::TcpStream) -> std::io::Result<()> {
    use std::os::fd::AsRawFd;
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open for as long as `stream` is borrowed, and the option's value is
    // a `c_int` of the size given.
    let outcome = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_QUICKACK,
            std::ptr::from_ref(&on).cast(),
            std::mem::size_of_val(&on) as libc::socklen_t,
        )
    };
    if outcome == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::{null, null_mut};

    struct Sim(*mut Handle);

    impl Sim {
        fn demo() -> Self {
            // SAFETY: NULL is allowed for each parameter.
            let handle = unsafe { uicc_sim_open(null(), null(), null_mut(), 0) };
            assert!(!handle.is_null());
            Self(handle)
        }

        fn transmit(&self, command: &[u8], cap: usize) -> (i32, usize, Vec<u8>) {
            let mut response = [0xEE; UICC_SIM_MAX_RESPONSE];
            let (mut length, cap) = (usize::MAX, cap.min(response.len()));
            // SAFETY: the handle is open, the slices have the lengths given.
            let status = unsafe {
                uicc_sim_transmit(
                    self.0,
                    command.as_ptr(),
                    command.len(),
                    response.as_mut_ptr(),
                    cap,
                    &mut length,
                )
            };
            let written = response.iter().rposition(|&b| b != 0xEE).map_or(0, |at| at + 1);
            (status, length, response[..written].to_vec())
        }

        fn report(&self) -> String {
            // SAFETY: the handle is open and the text is copied before the next call.
            unsafe { CStr::from_ptr(uicc_sim_report(self.0)) }.to_str().unwrap().to_owned()
        }
    }

    impl Drop for Sim {
        fn drop(&mut self) {
            // SAFETY: the handle is open and not used again.
            unsafe { uicc_sim_close(self.0) };
        }
    }

    const UICC_SIM_MAX_RESPONSE: usize = 258;
    const STATUS: [u8; 5] = [0x80, 0xF2, 0x00, 0x0C, 0x00];

    #[test]
    fn commands_go_in_and_responses_come_out() {
        let sim = Sim::demo();
        let open = [0x00, 0x70, 0x00, 0x00, 0x01];
        assert_eq!(sim.transmit(&open, 258), (OK, 3, vec![0x01, 0x90, 0x00]));
        // Carried out, though the caller has no room for the response.
        assert_eq!(sim.transmit(&open, 2), (ERR_SPACE, 3, vec![]));
        assert_eq!(sim.transmit(&open, 258), (OK, 3, vec![0x03, 0x90, 0x00]));
        assert_eq!(sim.transmit(&[], 258), (OK, 2, vec![0x67, 0x00]));
        let mut atr = [0; 33];
        let mut length = 0;
        // SAFETY: the handle is open, the array has the length given.
        assert_eq!(unsafe { uicc_sim_atr(sim.0, atr.as_mut_ptr(), 33, &mut length) }, OK);
        assert_eq!(atr[0], 0x3B);
        assert!((2..=33).contains(&length));
        // SAFETY: NULL is allowed with no room.
        assert_eq!(unsafe { uicc_sim_atr(sim.0, null_mut(), 0, &mut length) }, ERR_SPACE);
    }

    #[test]
    fn a_card_is_pulled_and_put_back() {
        let sim = Sim::demo();
        assert_eq!(sim.transmit(&STATUS, 258).0, OK);
        // SAFETY: the handle is open.
        unsafe { uicc_sim_remove(sim.0) };
        assert_eq!(sim.transmit(&STATUS, 258), (ERR_NO_CARD, 0, vec![]));
        let (mut atr, mut length) = ([0; 33], 7);
        // SAFETY: the handle is open, the array has the length given.
        let status = unsafe { uicc_sim_atr(sim.0, atr.as_mut_ptr(), 33, &mut length) };
        assert_eq!((status, length), (ERR_NO_CARD, 0));
        // SAFETY: the handle is open.
        unsafe { uicc_sim_insert(sim.0) };
        assert_eq!(sim.transmit(&STATUS, 258), (OK, 2, vec![0x90, 0x00]));
        // SAFETY: the handle is open.
        unsafe { uicc_sim_reset(sim.0) };
        assert_eq!(sim.transmit(&STATUS, 258).0, OK);
    }

    #[test]
    fn findings_and_notifications_are_given_out() {
        let sim = Sim::demo();
        assert_eq!(sim.report(), "sessions: 0 good, 0 bad\nverdict: no session\n");
        // SAFETY: the handle is open.
        unsafe { uicc_sim_trigger(sim.0) };
        let report = sim.report();
        assert!(report.starts_with("BAD  OPEN CHANNEL (notification) not used"), "{report}");
        assert!(report.ends_with("verdict: bad\n"));
        // SAFETY: the handle is open.
        let sessions = unsafe { (uicc_sim_good_sessions(sim.0), uicc_sim_bad_sessions(sim.0)) };
        assert_eq!(sessions, (0, 0));
        let (mut pdu, mut length) = ([0; 512], 0);
        // SAFETY: the handle is open, the array has the length given.
        let status = unsafe { uicc_sim_notification(sim.0, pdu.as_mut_ptr(), 512, &mut length) };
        assert_eq!(status, OK);
        // The TID is the server's choice.
        assert_eq!(pdu[1..6], [0x06, 0x03, 0xC4, 0xAF, 0x87]);
    }

    #[test]
    fn null_is_an_error_and_never_a_crash() {
        let sim = Sim::demo();
        let mut length = 9;
        let command = STATUS.as_ptr();
        // SAFETY: every pointer is NULL or valid; that NULL is allowed is what is shown.
        unsafe {
            let transmit = uicc_sim_transmit;
            assert_eq!(transmit(null_mut(), command, 5, null_mut(), 0, &mut length), ERR_ARGUMENT);
            assert_eq!(length, 0);
            assert_eq!(transmit(sim.0, command, 5, null_mut(), 0, null_mut()), ERR_ARGUMENT);
            assert_eq!(transmit(sim.0, command, 5, null_mut(), 8, &mut length), ERR_ARGUMENT);
            assert_eq!(transmit(sim.0, null(), 5, null_mut(), 0, &mut length), ERR_ARGUMENT);
            assert_eq!(transmit(sim.0, null(), 0, null_mut(), 0, &mut length), ERR_SPACE);
            assert_eq!(length, 2);
            assert_eq!(uicc_sim_atr(null_mut(), null_mut(), 0, &mut length), ERR_ARGUMENT);
            assert_eq!(uicc_sim_notification(null_mut(), null_mut(), 0, &mut length), ERR_ARGUMENT);
            uicc_sim_reset(null_mut());
            uicc_sim_remove(null_mut());
            uicc_sim_insert(null_mut());
            uicc_sim_trigger(null_mut());
            assert_eq!(uicc_sim_good_sessions(null()), 0);
            assert_eq!(uicc_sim_bad_sessions(null()), 0);
            assert!(uicc_sim_report(null_mut()).is_null());
            uicc_sim_close(null_mut());
        }
    }

    #[test]
    fn a_profile_that_cannot_be_read_says_why() {
        let mut error = [0x55 as c_char; 12];
        // SAFETY: the texts end with NUL, the array has the length given.
        unsafe {
            assert!(uicc_sim_open(c"/no/such/profile".as_ptr(), null(), null_mut(), 0).is_null());
            assert!(uicc_sim_open(c"/\xFF".as_ptr(), null(), error.as_mut_ptr(), 12).is_null());
        }
        // SAFETY: the function has ended the text with NUL.
        assert_eq!(unsafe { CStr::from_ptr(error.as_ptr()) }, c"the profile");
    }

    #[test]
    fn text_is_cut_between_characters() {
        let mut out = [0x55 as c_char; 8];
        // SAFETY: the array has room for the number of octets given.
        unsafe { give_text("aé", out.as_mut_ptr(), 3) };
        assert_eq!(out[..3], [b'a' as c_char, 0, 0x55]);
        // SAFETY: as above; NULL and no room are allowed.
        unsafe {
            give_text("aé", out.as_mut_ptr(), 8);
            give_text("aé", null_mut(), 8);
            give_text("aé", out.as_mut_ptr(), 0);
        }
        // SAFETY: the function has ended the text with NUL.
        assert_eq!(unsafe { CStr::from_ptr(out.as_ptr()) }, c"aé");
    }

    #[test]
    fn one_handle_serves_many_threads() {
        struct Shared(*mut Handle);
        // SAFETY: the header allows any thread to use a handle.
        unsafe impl Sync for Shared {}
        let sim = Sim::demo();
        let shared = Shared(sim.0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let shared = &shared;
                scope.spawn(move || {
                    let sim = std::mem::ManuallyDrop::new(Sim(shared.0));
                    for _ in 0..200 {
                        assert_eq!(sim.transmit(&STATUS, 258), (OK, 2, vec![0x90, 0x00]));
                    }
                });
            }
        });
    }

    #[test]
    fn the_header_and_this_file_name_the_same_functions() {
        let names = |text: &str, end: &str| {
            let mut names: Vec<String> = text
                .split("uicc_sim_")
                .skip(1)
                .filter_map(|rest| rest.split_once(end).map(|(name, _)| name))
                .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
                .map(str::to_owned)
                .collect();
            names.sort();
            names.dedup();
            names
        };
        let header: String = include_str!("../include/uicc_sim.h")
            .lines()
            .filter(|line| !line.starts_with(" *") && !line.starts_with("/*"))
            .collect();
        let ours: String = include_str!("capi.rs")
            .lines()
            .filter(|line| line.starts_with("pub unsafe extern"))
            .collect();
        assert_eq!(names(&header, "("), names(&ours, "("));
        assert_eq!(names(&header, "(").len(), 12);
    }
}
