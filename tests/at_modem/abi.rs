//! The same through the C API: `dmsc_card_open_at` with the host's callbacks.

#![allow(clippy::undocumented_unsafe_blocks, reason = "all of them are calls of a C program")]

use super::modem::{Lapse, Manners, Modem};
use super::t1_modem;
use dmsc::card::at::AtPort;
use dmsc::ffi::*;
use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};
use std::time::Duration;

struct Line {
    modem: Modem,
    destroyed: u32,
    fails: i32,
}

unsafe extern "C" fn read(
    user_data: *mut c_void,
    buffer: *mut u8,
    cap: usize,
    timeout_ms: u32,
    len: *mut usize,
) -> i32 {
    unsafe {
        let line = &mut *user_data.cast::<Line>();
        assert!(timeout_ms <= 1000);
        let buffer = std::slice::from_raw_parts_mut(buffer, cap);
        len.write(line.modem.read(buffer, Duration::ZERO).unwrap());
        line.fails
    }
}

unsafe extern "C" fn write(user_data: *mut c_void, data: *const u8, len: usize) -> i32 {
    unsafe {
        let line = &mut *user_data.cast::<Line>();
        line.modem.write(std::slice::from_raw_parts(data, len)).unwrap();
    }
    0
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    unsafe { (*user_data.cast::<Line>()).destroyed += 1 }
}

fn blank<T: Copy>() -> T {
    unsafe {
        let mut blank = std::mem::zeroed::<T>();
        (&raw mut blank).cast::<usize>().write(size_of::<T>());
        blank
    }
}

fn client() -> *mut dmsc_client {
    let mut config = blank::<dmsc_config>();
    let mut client = null_mut();
    unsafe {
        dmsc_config_init(&raw mut config, size_of::<dmsc_config>());
        config.device_id = c"IMEI:004999010640000".as_ptr();
        assert_eq!(dmsc_client_new(&raw const config, null(), &raw mut client), 0);
    }
    client
}

fn port(line: &mut Line) -> dmsc_at_port {
    dmsc_at_port {
        user_data: std::ptr::from_mut(line).cast(),
        read: Some(read),
        write: Some(write),
        destroy: Some(destroy),
        timeout_ms: 300,
        ..blank()
    }
}

fn message() -> String {
    unsafe { CStr::from_ptr(dmsc_last_error_message()) }.to_str().unwrap().to_owned()
}

#[test]
fn a_c_program_bootstraps_from_the_card_in_a_modem() {
    let modem = t1_modem(Manners { talkative: true, ..Manners::default() });
    let mut line = Line { modem: modem.clone(), destroyed: 0, fails: 0 };
    let client = client();
    let port = port(&mut line);
    let mut card = null_mut();
    let mut report = blank::<dmsc_bootstrap_report>();
    unsafe {
        assert_eq!(
            dmsc_card_open_at(client, 3, &raw const port, &raw mut card),
            0,
            "{}",
            message()
        );
        assert_eq!(dmsc_card_bootstrap(card, &raw mut report), 0, "{}", message());
        assert_eq!((report.accounts_added, report.objects_failed), (1, 0));
        // An answer that does not come does not end the card.
        modem.lapse_after(0, Lapse::Silent);
        let (status, mut buffer) = ([0x80_u8, 0xF2, 0x00, 0x0C, 0x00], null_mut());
        let number = dmsc_card_transmit(card, status.as_ptr(), status.len(), &raw mut buffer);
        assert_eq!(number, dmsc_status::DMSC_ERR_TIMEOUT as i32, "{}", message());
        assert_eq!(dmsc_card_transmit(card, status.as_ptr(), status.len(), &raw mut buffer), 0);
        dmsc_buffer_free(buffer);
        assert_eq!(dmsc_card_cancel(card), 0);
        dmsc_card_close(card);
        dmsc_client_free(client);
    }
    assert_eq!(line.destroyed, 1);
}

#[test]
fn what_is_no_port_is_refused_and_left_to_the_host() {
    let mut line = Line { modem: t1_modem(Manners::default()), destroyed: 0, fails: 0 };
    let client = client();
    let good = port(&mut line);
    let refused = |port: dmsc_at_port, status: dmsc_status, text: &str| {
        let mut card = null_mut();
        let number = unsafe { dmsc_card_open_at(client, 0, &raw const port, &raw mut card) };
        assert_eq!(number, status as i32, "{}", message());
        assert!(message().contains(text), "{}", message());
        assert!(card.is_null());
    };
    let invalid = dmsc_status::DMSC_ERR_INVALID_ARG;
    refused(dmsc_at_port { read: None, ..good }, invalid, "needs read and write");
    refused(dmsc_at_port { write: None, ..good }, invalid, "needs read and write");
    refused(dmsc_at_port { max_le: 257, ..good }, invalid, "max_le 257");
    line.fails = dmsc_status::DMSC_ERR_CARD_ABSENT as i32;
    let gone = port(&mut line);
    refused(gone, dmsc_status::DMSC_ERR_CARD_ABSENT, "AT port read");
    unsafe { dmsc_client_free(client) };
    assert_eq!(line.destroyed, 0);
}
