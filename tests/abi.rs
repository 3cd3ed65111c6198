//! The contract of the C ABI itself: pointers, sizes, ownership, re-entry, threads, last error, symbols.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of them are calls that a C program would make; what they break is said at each"
)]

mod support;

use dmsc::error::Code;
use dmsc::ffi::*;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use support::abi::{
    Alert, DEVICE, Ears, Failure, Keep, Phone, Vault, answer, blank, c, check, last_message,
    take_buffer,
};
use support::facade::Facade;
use support::sim::{Instead, Sim};

const INVALID_ARG: i32 = -1;
const STATE: i32 = -5;
const REENTRANT: i32 = -6;
const UTF8: i32 = -11;
/// "caf" and an octet that begins no character.
const NOT_UTF8: &CStr = c"caf\xE9";

fn status(number: i32) -> i32 {
    check(number).unwrap_or_else(|failure| failure.status)
}

/// The status of a call that must fail, after a look at its text.
fn refused(number: i32, status: i32, text: &str) {
    let failure = check(number).unwrap_err();
    assert_eq!(failure.status, status, "{}", failure.message);
    assert!(failure.message.contains(text), "{:?} is not in {:?}", text, failure.message);
}

fn config(device_id: &CStr) -> dmsc_config {
    let mut config = blank::<dmsc_config>();
    unsafe { dmsc_config_init(&raw mut config, size_of::<dmsc_config>()) };
    config.device_id = device_id.as_ptr();
    config
}

/// A client without store, cards and callbacks.
fn bare() -> *mut dmsc_client {
    let device = c(DEVICE);
    let (config, mut client) = (config(&device), null_mut());
    check(unsafe { dmsc_client_new(&raw const config, null(), &raw mut client) }).unwrap();
    client
}

// ---- NULL -------------------------------------------------------------------------------------------

#[test]
fn null_handles_are_refused_by_name() {
    unsafe {
        let text = c("./DevInfo");
        let (mut buffer, mut txn, mut session, mut card) =
            (null_mut(), null_mut(), null_mut(), null_mut());
        let (transport, trigger, request, value) = (blank(), blank(), blank(), blank());
        let reply = blank();
        let client = null_mut::<dmsc_client>();
        let uri = text.as_ptr();
        for number in [
            dmsc_client_run_once(client, 0),
            dmsc_client_start(client),
            dmsc_client_stop(client, 0),
            dmsc_card_open(client, 0, &raw const transport, &raw mut card),
            dmsc_card_open_pcsc(client, 0, null(), &raw mut card),
            dmsc_session_start(client, &raw const request, &raw mut session),
            dmsc_tree_get(client, uri, &raw mut buffer),
            dmsc_tree_info_get(client, uri, &mut blank()),
            dmsc_tree_children(client, uri, None, null_mut()),
            dmsc_tree_export(client, uri, 0, &raw mut buffer),
            dmsc_client_deliver_trigger(client, &raw const trigger, null_mut()),
            dmsc_txn_begin(client, &raw mut txn),
        ] {
            assert_eq!(number, INVALID_ARG);
        }
        refused(dmsc_client_run_once(client, 0), INVALID_ARG, "client is NULL");
        let none = null_mut::<dmsc_card>();
        refused(dmsc_card_info_get(none, &mut blank()), INVALID_ARG, "card is NULL");
        refused(dmsc_card_transmit(none, null(), 0, &raw mut buffer), INVALID_ARG, "card is NULL");
        refused(dmsc_card_notify(none, 1), INVALID_ARG, "card is NULL");
        refused(dmsc_card_toolkit_start(none), INVALID_ARG, "card is NULL");
        refused(dmsc_card_bootstrap(none, null_mut()), INVALID_ARG, "card is NULL");
        let none = null_mut::<dmsc_session>();
        refused(dmsc_session_info_get(none, &mut blank()), INVALID_ARG, "session is NULL");
        refused(dmsc_session_wait(none, 0, null_mut()), INVALID_ARG, "session is NULL");
        let none = null_mut::<dmsc_alert>();
        refused(dmsc_alert_info_get(none, &mut blank()), INVALID_ARG, "alert is NULL");
        refused(dmsc_alert_answer(none, &raw const reply), INVALID_ARG, "alert is NULL");
        let none = null_mut::<dmsc_txn>();
        refused(dmsc_txn_add(none, uri, &raw const value), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_replace(none, uri, &raw const value), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_delete(none, uri), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_set_acl(none, uri, uri), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_import(none, uri, null(), 0), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_commit(none), INVALID_ARG, "txn is NULL");
        refused(dmsc_last_error_info(null_mut()), INVALID_ARG, "dmsc_error_info is NULL");
        // Nothing was written.
        assert!(buffer.is_null() && txn.is_null() && session.is_null() && card.is_null());
    }
}

#[test]
fn null_is_allowed_where_the_header_says_so() {
    unsafe {
        dmsc_buffer_free(null_mut());
        dmsc_card_close(null_mut());
        dmsc_client_free(null_mut());
        dmsc_client_wake(null_mut());
        dmsc_session_cancel(null_mut());
        dmsc_session_free(null_mut());
        dmsc_txn_rollback(null_mut());
        dmsc_config_init(null_mut(), size_of::<dmsc_config>());
        assert!(dmsc_buffer_data(null()).is_null());
        assert_eq!(dmsc_buffer_len(null()), 0);
        assert_eq!(dmsc_client_next_deadline_ms(null()), 0);
        assert_eq!(dmsc_session_id(null()), 0);
        assert!(dmsc_alert_item(null(), 0).is_null());
        assert!(!dmsc_has_feature(null()));
        assert_eq!(check(dmsc_log_set(null(), 0)).unwrap(), 0);
    }
}

#[test]
fn null_arguments_and_outputs() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let (client, text) = (phone.client, c("./DevInfo/DevId"));
    let uri = text.as_ptr();
    unsafe {
        let device = c(DEVICE);
        let good = config(&device);
        let mut out = null_mut();
        refused(dmsc_client_new(null(), null(), &raw mut out), INVALID_ARG, "dmsc_config is NULL");
        refused(dmsc_client_new(&raw const good, null(), null_mut()), INVALID_ARG, "out is NULL");
        let anonymous = dmsc_config { device_id: null(), ..good };
        let refusal = dmsc_client_new(&raw const anonymous, null(), &raw mut out);
        refused(refusal, INVALID_ARG, "device_id is missing");
        assert!(out.is_null());

        let transport = sim.transport();
        let mut other = null_mut();
        refused(
            dmsc_card_open(client, 1, null(), &raw mut other),
            INVALID_ARG,
            "dmsc_card_transport is NULL",
        );
        refused(
            dmsc_card_open(client, 1, &raw const transport, null_mut()),
            INVALID_ARG,
            "out is NULL",
        );
        refused(dmsc_card_open_pcsc(client, 1, null(), null_mut()), INVALID_ARG, "out is NULL");
        refused(dmsc_pcsc_list_readers(null_mut()), INVALID_ARG, "out is NULL");
        refused(dmsc_card_info_get(card.0, null_mut()), INVALID_ARG, "dmsc_card_info is NULL");
        refused(
            dmsc_card_transmit(card.0, uri.cast(), 5, null_mut()),
            INVALID_ARG,
            "response is NULL",
        );
        let mut buffer = null_mut();
        refused(
            dmsc_card_transmit(card.0, null(), 5, &raw mut buffer),
            INVALID_ARG,
            "command is NULL",
        );
        check(dmsc_card_bootstrap(card.0, null_mut())).unwrap();

        refused(dmsc_buffer_new(null(), 1, &raw mut buffer), INVALID_ARG, "data is NULL");
        refused(dmsc_buffer_new(null(), 0, null_mut()), INVALID_ARG, "out is NULL");
        refused(
            dmsc_buffer_new(uri.cast(), usize::MAX, &raw mut buffer),
            INVALID_ARG,
            "data is longer than memory",
        );
        assert!(buffer.is_null());
        check(dmsc_buffer_new(null(), 0, &raw mut buffer)).unwrap();
        assert_eq!((dmsc_buffer_len(buffer), take_buffer(buffer)), (0, Vec::new()));

        let mut buffer = null_mut();
        refused(dmsc_tree_get(client, null(), &raw mut buffer), INVALID_ARG, "uri is NULL");
        refused(dmsc_tree_get(client, uri, null_mut()), INVALID_ARG, "value is NULL");
        refused(dmsc_tree_info_get(client, null(), &mut blank()), INVALID_ARG, "uri is NULL");
        refused(dmsc_tree_info_get(client, uri, null_mut()), INVALID_ARG, "dmsc_node_info is NULL");
        refused(dmsc_tree_children(client, uri, None, null_mut()), INVALID_ARG, "visit is NULL");
        refused(dmsc_tree_export(client, uri, 0, null_mut()), INVALID_ARG, "out is NULL");
        refused(dmsc_tree_export(client, null(), 0, &raw mut buffer), INVALID_ARG, "uri is NULL");
        assert!(buffer.is_null());

        let mut session = null_mut();
        let request = blank();
        refused(
            dmsc_session_start(client, null(), &raw mut session),
            INVALID_ARG,
            "dmsc_session_request is NULL",
        );
        refused(
            dmsc_session_start(client, &raw const request, null_mut()),
            INVALID_ARG,
            "out is NULL",
        );
        let running = phone.start_session(None).unwrap();
        refused(
            dmsc_session_info_get(running.0, null_mut()),
            INVALID_ARG,
            "dmsc_session_info is NULL",
        );
        assert_eq!(status(dmsc_session_wait(running.0, 10_000, null_mut())), 0);
        running.free();

        refused(
            dmsc_client_deliver_trigger(client, null(), null_mut()),
            INVALID_ARG,
            "dmsc_trigger is NULL",
        );
        let hollow = dmsc_trigger { data_len: 9, ..blank() };
        refused(
            dmsc_client_deliver_trigger(client, &raw const hollow, null_mut()),
            INVALID_ARG,
            "data is NULL",
        );

        refused(dmsc_txn_begin(client, null_mut()), INVALID_ARG, "out is NULL");
        let mut txn = null_mut();
        check(dmsc_txn_begin(client, &raw mut txn)).unwrap();
        let value = blank();
        refused(dmsc_txn_add(txn, null(), &raw const value), INVALID_ARG, "uri is NULL");
        refused(dmsc_txn_add(txn, uri, null()), INVALID_ARG, "dmsc_node_value is NULL");
        let hollow = dmsc_node_value { format: 1, data_len: 3, ..blank() };
        refused(dmsc_txn_add(txn, uri, &raw const hollow), INVALID_ARG, "data is NULL");
        refused(dmsc_txn_replace(txn, null(), &raw const value), INVALID_ARG, "uri is NULL");
        refused(dmsc_txn_replace(txn, uri, null()), INVALID_ARG, "dmsc_node_value is NULL");
        refused(dmsc_txn_delete(txn, null()), INVALID_ARG, "uri is NULL");
        refused(dmsc_txn_set_acl(txn, uri, null()), INVALID_ARG, "acl is NULL");
        refused(dmsc_txn_set_acl(txn, null(), uri), INVALID_ARG, "uri is NULL");
        refused(dmsc_txn_import(txn, null(), null(), 0), INVALID_ARG, "parent_uri is NULL");
        refused(dmsc_txn_import(txn, uri, null(), 1), INVALID_ARG, "tnds is NULL");
        dmsc_txn_rollback(txn);
    }
}

#[test]
fn structs_without_their_functions_are_refused() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    unsafe extern "C" fn open(_: *mut c_void, _: *const u8, _: usize, _: *mut u32) -> i32 {
        0
    }
    unsafe extern "C" fn close(_: *mut c_void, _: u32) -> i32 {
        0
    }
    let whole = sim.transport();
    for bad in [
        dmsc_card_transport { transmit: None, ..whole },
        dmsc_card_transport { open_channel: Some(open), ..whole },
        dmsc_card_transport { close_channel: Some(close), ..whole },
    ] {
        let mut card = null_mut();
        let number = unsafe { dmsc_card_open(phone.client, 0, &raw const bad, &raw mut card) };
        refused(number, INVALID_ARG, "dmsc_card_transport needs transmit, and both of");
        assert!(card.is_null());
    }
    let vault = Arc::new(Vault::default());
    let whole = vault.storage();
    let device = c(DEVICE);
    for bad in [
        dmsc_storage { load: None, ..whole },
        dmsc_storage { save: None, ..whole },
        dmsc_storage { remove: None, ..whole },
    ] {
        let config = dmsc_config { storage: &raw const bad, ..config(&device) };
        let mut client = null_mut();
        let number = unsafe { dmsc_client_new(&raw const config, null(), &raw mut client) };
        refused(number, INVALID_ARG, "dmsc_storage needs load, save and remove");
    }
    let sink = blank::<dmsc_log_sink>();
    refused(unsafe { dmsc_log_set(&raw const sink, 1) }, INVALID_ARG, "dmsc_log_sink.log is NULL");
    assert_eq!((sim.destroyed(), vault.destroyed.load(Ordering::SeqCst)), (0, 0));
}

// ---- struct_size ------------------------------------------------------------------------------------

/// A struct in memory of exactly `size` octets, so that a read or write beyond is one beyond the heap
/// block; a copy of the head of `whole` with its own size in it.
struct Exact<T> {
    memory: *mut u8,
    layout: Layout,
    kind: std::marker::PhantomData<T>,
}

impl<T: Copy> Exact<T> {
    fn new(whole: &T, size: usize) -> Self {
        let layout =
            Layout::from_size_align(size.max(size_of::<usize>()), align_of::<T>()).unwrap();
        unsafe {
            let memory = alloc_zeroed(layout);
            let head = size.min(size_of::<T>());
            memory.copy_from_nonoverlapping(std::ptr::from_ref(whole).cast(), head);
            memory.cast::<usize>().write(size);
            Self { memory, layout, kind: std::marker::PhantomData }
        }
    }

    fn pointer(&self) -> *mut T {
        self.memory.cast()
    }

    fn octets(&self) -> &[u8] {
        unsafe { std::slice::from_raw_parts(self.memory, self.layout.size()) }
    }
}

impl<T> Drop for Exact<T> {
    fn drop(&mut self) {
        unsafe { dealloc(self.memory, self.layout) };
    }
}

/// Every size at which a struct of this type may come: from its size alone to more than ours.
fn sizes<T>() -> impl Iterator<Item = usize> {
    (size_of::<usize>()..=size_of::<T>() + 24).step_by(4)
}

/// An output of each size gets the head of what a whole one gets, keeps its size, and nothing behind our
/// own end is touched.
///
/// Where the compiler puts padding (`hole`) there is nothing to compare.
fn output<T: Copy>(name: &str, hole: std::ops::Range<usize>, call: impl Fn(*mut T) -> i32) {
    let mut whole = blank::<T>();
    assert_eq!(status(call(&raw mut whole)), 0, "{name}");
    let ours =
        unsafe { std::slice::from_raw_parts((&raw const whole).cast::<u8>(), size_of::<T>()) };
    for size in sizes::<T>() {
        let exact = Exact::new(&blank::<T>(), size);
        assert_eq!(status(call(exact.pointer())), 0, "{name} of {size}");
        let octets = exact.octets();
        assert_eq!(octets[..8], size.to_ne_bytes(), "{name} of {size}");
        let head = size.min(size_of::<T>());
        let same = (8..head).all(|at| hole.contains(&at) || octets[at] == ours[at]);
        assert!(same, "{name} of {size}");
        assert!(octets[head..].iter().all(|octet| *octet == 0), "{name} of {size}");
    }
    for size in [0, 1, 7] {
        let exact = Exact::new(&blank::<T>(), size);
        refused(call(exact.pointer()), INVALID_ARG, &format!("{name}.struct_size is {size}"));
    }
}

#[test]
fn output_structs_of_every_size() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    phone.settle();
    let alert = phone.ears.kept.lock().unwrap().pop().unwrap();
    let uri = c("./DevInfo/DevId");
    unsafe {
        output("dmsc_card_info", 69..72, |info| dmsc_card_info_get(card.0, info));
        output("dmsc_node_info", 20..24, |info| {
            dmsc_tree_info_get(phone.client, uri.as_ptr(), info)
        });
        output("dmsc_session_info", 0..0, |info| dmsc_session_info_get(session.0, info));
        output("dmsc_alert_info", 36..40, |info| dmsc_alert_info_get(alert.0, info));
        output("dmsc_error_info", 28..32, |info| {
            dmsc_buffer_free(null_mut());
            dmsc_last_error_info(info)
        });
    }
    answer(alert.0, 0).unwrap();
    phone.settle();
    unsafe {
        output("dmsc_session_info", 0..0, |info| dmsc_session_wait(session.0, 0, info));
        output("dmsc_bootstrap_report", 28..32, |report| dmsc_card_bootstrap(card.0, report));
    }
    session.free();
}

/// An input of each size is read as far as it goes; `least` octets are needed for the call to succeed.
fn input<T: Copy>(name: &str, whole: &T, least: usize, call: impl Fn(*const T) -> i32) {
    // No compiler ends a struct inside a pointer.
    for size in sizes::<T>().step_by(2) {
        let exact = Exact::new(whole, size);
        let number = call(exact.pointer());
        assert_eq!(number >= 0, size >= least, "{name} of {size}: {number}");
    }
    for size in [0, 7] {
        let exact = Exact::new(whole, size);
        assert_eq!(call(exact.pointer()), INVALID_ARG, "{name} of {size}");
    }
}

#[test]
fn input_structs_of_every_size() {
    use std::mem::offset_of;
    let ears = Arc::new(Ears::default());
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let device = c(DEVICE);
    let free = |client: *mut dmsc_client| unsafe { dmsc_client_free(client) };
    unsafe {
        let good = config(&device);
        let least = offset_of!(dmsc_config, device_id) + 8;
        input("dmsc_config", &good, least, |config| {
            let mut client = null_mut();
            let number = dmsc_client_new(config, null(), &raw mut client);
            free(client);
            number
        });
        input("dmsc_callbacks", &ears.callbacks(), 8, |callbacks| {
            let mut client = null_mut();
            let number = dmsc_client_new(&raw const good, callbacks, &raw mut client);
            free(client);
            number
        });
        let vault = Arc::new(Vault::default());
        let least = offset_of!(dmsc_storage, remove) + 8;
        input("dmsc_storage", &vault.storage(), least, |storage| {
            let config = dmsc_config { storage, ..good };
            let mut client = null_mut();
            let number = dmsc_client_new(&raw const config, null(), &raw mut client);
            free(client);
            number
        });
        let least = offset_of!(dmsc_card_transport, transmit) + 8;
        let plain = dmsc_card_transport { lock: None, unlock: None, ..sim.transport() };
        input("dmsc_card_transport", &plain, least, |transport| {
            let mut card = null_mut();
            let number = dmsc_card_open(phone.client, 0, transport, &raw mut card);
            dmsc_card_close(card);
            number
        });
        phone.ready(&sim);
        let session = dmsc_session_request { server_id: null(), ..blank() };
        input("dmsc_session_request", &session, 8, |request| {
            let mut session = null_mut();
            let number = dmsc_session_start(phone.client, request, &raw mut session);
            if number == 0 {
                assert_eq!(dmsc_session_wait(session, 10_000, null_mut()), 0);
            }
            dmsc_session_free(session);
            number
        });
        // Without its last members a trigger is one of no octets.
        let push = sim.push();
        let trigger = dmsc_trigger { data: push.as_ptr(), data_len: push.len(), ..blank() };
        for size in sizes::<dmsc_trigger>().step_by(2) {
            let exact = Exact::new(&trigger, size);
            let number = dmsc_client_deliver_trigger(phone.client, exact.pointer(), null_mut());
            let whole = size >= offset_of!(dmsc_trigger, data_len) + 8;
            // The first whole one is taken, and after it the rest is too many.
            assert!(if whole { [1, -7, -210, -213].contains(&number) } else { number == -212 });
        }
        let mut txn = null_mut();
        check(dmsc_txn_begin(phone.client, &raw mut txn)).unwrap();
        let (uri, node) = (c("./Sized"), dmsc_node_value { format: 0, ..blank() });
        input("dmsc_node_value", &node, 8, |value| {
            let number = dmsc_txn_add(txn, uri.as_ptr(), value);
            if number == 0 {
                assert_eq!(dmsc_txn_delete(txn, uri.as_ptr()), 0);
            }
            number
        });
        dmsc_txn_rollback(txn);
        let sink = dmsc_log_sink { log: Some(no_log), ..blank() };
        let least = offset_of!(dmsc_log_sink, log) + 8;
        input("dmsc_log_sink", &sink, least, |sink| dmsc_log_set(sink, 0));
        check(dmsc_log_set(null(), 0)).unwrap();
    }
}

unsafe extern "C" fn no_log(_: *mut c_void, _: u32, _: *const c_char, _: *const c_char) {}

#[test]
fn config_init_fills_what_the_caller_has() {
    for size in sizes::<dmsc_config>() {
        let exact = Exact::new(&blank::<dmsc_config>(), size);
        unsafe {
            exact.memory.write_bytes(0xEE, size);
            dmsc_config_init(exact.pointer(), size);
        }
        assert_eq!(exact.octets()[..8], size.to_ne_bytes());
        assert!(exact.octets()[8..].iter().all(|octet| *octet == 0), "{size}");
    }
    let mut small = [0xEEEE_EEEE_EEEE_EEEE_u64; 1];
    unsafe { dmsc_config_init(small.as_mut_ptr().cast(), 7) };
    assert_eq!(small, [0xEEEE_EEEE_EEEE_EEEE]);
}

// ---- numbers and texts that are none ----------------------------------------------------------------

#[test]
fn numbers_outside_their_enums() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let uri = c("./DevInfo");
    unsafe {
        for number in [0, 4, u32::MAX] {
            let text = format!("card_event {number} is no dmsc_card_event");
            refused(dmsc_card_notify(card.0, number), INVALID_ARG, &text);
        }
        for number in [2, u32::MAX] {
            let mut out = null_mut();
            let text = format!("format {number} is no dmsc_export_format");
            let export = dmsc_tree_export(phone.client, uri.as_ptr(), number, &raw mut out);
            refused(export, INVALID_ARG, &text);
        }
        for source in [1, 3, u32::MAX] {
            let trigger = dmsc_trigger { source, ..blank() };
            let text = format!("source {source}: only PUSH and HOST can be delivered");
            let delivered =
                dmsc_client_deliver_trigger(phone.client, &raw const trigger, null_mut());
            refused(delivered, INVALID_ARG, &text);
        }
        for level in [5, u32::MAX] {
            let text = format!("max_level {level} is no dmsc_log_level");
            refused(dmsc_log_set(null(), level), INVALID_ARG, &text);
        }
        let mut txn = null_mut();
        check(dmsc_txn_begin(phone.client, &raw mut txn)).unwrap();
        for format in [11, u32::MAX] {
            let value = dmsc_node_value { format, ..blank() };
            let text = format!("format {format} is no dmsc_format");
            refused(dmsc_txn_add(txn, uri.as_ptr(), &raw const value), INVALID_ARG, &text);
            refused(dmsc_txn_replace(txn, uri.as_ptr(), &raw const value), INVALID_ARG, &text);
        }
        dmsc_txn_rollback(txn);
        for (name, size) in [("max_msg_size", 511), ("max_msg_size", 1_048_577)] {
            let device = c(DEVICE);
            let config = dmsc_config { max_msg_size: size, ..config(&device) };
            let mut client = null_mut();
            let made = dmsc_client_new(&raw const config, null(), &raw mut client);
            refused(made, INVALID_ARG, &format!("{name} {size} is outside 512 to 1048576"));
        }
    }
}

#[test]
fn an_alert_with_a_wrong_outcome_counts_as_cancelled() {
    for (reply, refusal) in [(5, INVALID_ARG), (u32::MAX, INVALID_ARG)] {
        let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
        phone.ready(&sim);
        phone.ears.keep.store(1, Ordering::SeqCst);
        let session = phone.start_session(None).unwrap();
        phone.settle();
        let alert = phone.ears.kept.lock().unwrap().pop().unwrap();
        let failure = answer(alert.0, reply).unwrap_err();
        assert_eq!(failure.status, refusal);
        assert_eq!(failure.message, format!("outcome {reply} is no dmsc_alert_outcome"));
        let (number, info) = session.wait(10_000).unwrap();
        assert_eq!((number, info.state, info.status), (0, 3, 0));
        session.free();
        let done = phone.ears.of(dmsc_event_type::DMSC_EVENT_COMMAND_DONE);
        let alert = done.iter().find(|event| event.data == "Alert").unwrap();
        assert_eq!(alert.phase, 214);
    }
}

#[test]
fn text_that_is_not_utf8() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let (client, bad) = (phone.client, NOT_UTF8.as_ptr());
    let good = c("./Text");
    unsafe {
        let device = c(DEVICE);
        let base = config(&device);
        type Member = fn(&mut dmsc_config) -> &mut *const c_char;
        let members: [(&str, Member); 10] = [
            ("data_dir", |c| &mut c.data_dir),
            ("device_id", |c| &mut c.device_id),
            ("manufacturer", |c| &mut c.manufacturer),
            ("model", |c| &mut c.model),
            ("language", |c| &mut c.language),
            ("dm_version", |c| &mut c.dm_version),
            ("device_type", |c| &mut c.device_type),
            ("firmware_version", |c| &mut c.firmware_version),
            ("software_version", |c| &mut c.software_version),
            ("hardware_version", |c| &mut c.hardware_version),
        ];
        for (name, member) in members {
            let mut config = base;
            *member(&mut config) = bad;
            let mut out = null_mut();
            refused(
                dmsc_client_new(&raw const config, null(), &raw mut out),
                UTF8,
                &format!("{name}: "),
            );
        }
        let mut buffer = null_mut();
        refused(dmsc_tree_get(client, bad, &raw mut buffer), UTF8, "uri: ");
        refused(dmsc_tree_info_get(client, bad, &mut blank()), UTF8, "uri: ");
        refused(dmsc_tree_export(client, bad, 0, &raw mut buffer), UTF8, "uri: ");
        let request = dmsc_session_request { server_id: bad, ..blank() };
        let mut session = null_mut();
        refused(
            dmsc_session_start(client, &raw const request, &raw mut session),
            UTF8,
            "server_id: ",
        );
        let trigger = dmsc_trigger { content_type: bad, ..blank() };
        let delivered = dmsc_client_deliver_trigger(client, &raw const trigger, null_mut());
        refused(delivered, UTF8, "content_type: ");
        let mut card = null_mut();
        refused(dmsc_card_open_pcsc(client, 9, bad, &raw mut card), UTF8, "reader: ");
        assert!(!dmsc_has_feature(bad));
        let mut txn = null_mut();
        check(dmsc_txn_begin(client, &raw mut txn)).unwrap();
        let value = dmsc_node_value { format: 1, ..blank() };
        refused(dmsc_txn_add(txn, bad, &raw const value), UTF8, "uri: ");
        let value = dmsc_node_value { r#type: bad, ..value };
        refused(dmsc_txn_add(txn, good.as_ptr(), &raw const value), UTF8, "type: ");
        refused(dmsc_txn_replace(txn, bad, &raw const value), UTF8, "uri: ");
        refused(dmsc_txn_delete(txn, bad), UTF8, "uri: ");
        refused(dmsc_txn_set_acl(txn, good.as_ptr(), bad), UTF8, "acl: ");
        refused(dmsc_txn_import(txn, bad, null(), 0), UTF8, "parent_uri: ");
        dmsc_txn_rollback(txn);
    }
}

// ---- ownership --------------------------------------------------------------------------------------

#[test]
fn destroy_is_called_once_for_what_was_accepted_and_never_for_what_was_not() {
    let (sim, refused_sim) = (Sim::named("demo"), Sim::named("demo"));
    let (ears, vault) = (Arc::new(Ears::default()), Arc::new(Vault::default()));
    let phone = Phone::try_new(Keep::Vault(&vault), &ears).unwrap();
    let card = phone.ready(&sim);
    refused_sim.script(|_| Instead::Return(-100));
    assert_eq!(phone.open(&refused_sim, 1).err().unwrap().status, -100);
    assert_eq!(phone.open(&refused_sim, 0).err().unwrap().status, -7);
    let counts = || {
        let order = Ordering::SeqCst;
        (sim.destroyed(), ears.destroyed.load(order), vault.destroyed.load(order))
    };
    assert_eq!(counts(), (0, 0, 0));
    card.close();
    assert_eq!(counts(), (1, 0, 0));
    phone.free();
    assert_eq!((counts(), refused_sim.destroyed()), ((1, 1, 1), 0));
    // A client whose last argument is wrong has accepted nothing.
    let device = c(DEVICE);
    let storage = vault.storage();
    let config = dmsc_config { storage: &raw const storage, max_msg_size: 1, ..config(&device) };
    let callbacks = ears.callbacks();
    let mut client = null_mut();
    let number =
        unsafe { dmsc_client_new(&raw const config, &raw const callbacks, &raw mut client) };
    assert_eq!(status(number), INVALID_ARG);
    assert_eq!(counts(), (1, 1, 1));
}

#[test]
fn locks_are_balanced() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let (locks, unlocks) = sim.locks();
    assert_eq!(locks, unlocks);
    card.close();
    let (locks, unlocks) = sim.locks();
    assert_eq!(locks, unlocks);
}

#[test]
fn the_log_sink_is_destroyed_when_it_is_replaced() {
    static DESTROYED: AtomicUsize = AtomicUsize::new(0);
    unsafe extern "C" fn log(_: *mut c_void, _: u32, target: *const c_char, _: *const c_char) {
        assert!(!target.is_null());
    }
    unsafe extern "C" fn destroy(_: *mut c_void) {
        DESTROYED.fetch_add(1, Ordering::SeqCst);
    }
    let sink = dmsc_log_sink { log: Some(log), destroy: Some(destroy), ..blank() };
    unsafe {
        check(dmsc_log_set(&raw const sink, 4)).unwrap();
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 0);
        assert_eq!(status(dmsc_log_set(&raw const sink, 9)), INVALID_ARG);
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 0);
        check(dmsc_log_set(null(), 0)).unwrap();
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 1);
    }
}

/// All orders of `items`.
fn permutations(items: &[u8]) -> Vec<Vec<u8>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(at);
        all.extend(permutations(&rest).into_iter().map(|mut tail| {
            tail.insert(0, *first);
            tail
        }));
    }
    all
}

#[test]
fn handles_are_freed_in_any_order() {
    let orders = permutations(&[0, 1, 2, 3, 4]);
    assert_eq!(orders.len(), 120);
    for order in orders {
        let sim = Sim::named("demo");
        let (ears, vault) = (Arc::new(Ears::default()), Arc::new(Vault::default()));
        let phone = Phone::try_new(Keep::Vault(&vault), &ears).unwrap();
        let card = phone.ready(&sim);
        ears.keep.store(1, Ordering::SeqCst);
        let session = phone.start_session(None).unwrap();
        phone.settle();
        let alert = ears.kept.lock().unwrap().pop().unwrap();
        let mut txn = null_mut();
        check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
        let mut phone = Some(phone);
        for handle in &order {
            match handle {
                0 => phone.take().unwrap().free(),
                1 => card.close(),
                2 => session.free(),
                3 => {
                    let answered = answer(alert.0, 0);
                    let closed = phone.is_none();
                    assert_eq!(answered.err().map(|f| f.status), closed.then_some(STATE));
                }
                _ => unsafe { dmsc_txn_rollback(txn) },
            }
        }
        let order_of = Ordering::SeqCst;
        let counts =
            (sim.destroyed(), ears.destroyed.load(order_of), vault.destroyed.load(order_of));
        assert_eq!(counts, (1, 1, 1), "{order:?}");
    }
}

#[test]
fn handles_that_outlive_their_client_answer_state() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    phone.settle();
    let Alert(alert) = phone.ears.kept.lock().unwrap().pop().unwrap();
    let mut txn = null_mut();
    check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
    let ears = Arc::clone(&phone.ears);
    phone.free();
    // No callback comes after destroy.
    let events = ears.events().len();
    assert_eq!(card.info().err().unwrap().status, STATE);
    assert_eq!(card.bootstrap().err().unwrap().status, STATE);
    assert_eq!(card.toolkit_start().unwrap_err().status, STATE);
    assert_eq!(card.transmit(&[0, 0xA4, 0, 4]).unwrap_err().status, STATE);
    assert_eq!(card.notify(dmsc_card_event::DMSC_CARD_REMOVED).unwrap_err().status, STATE);
    let info = session.info().unwrap();
    assert_eq!((info.state, info.status), (3, STATE));
    assert_eq!(session.wait(1000).unwrap().1.status, STATE);
    session.cancel();
    assert_eq!(status(unsafe { dmsc_txn_commit(txn) }), STATE);
    assert_eq!(answer(alert, 0).unwrap_err().status, STATE);
    card.close();
    session.free();
    assert_eq!((ears.events().len(), ears.destroyed.load(Ordering::SeqCst)), (events, 1));
}

// ---- re-entry ---------------------------------------------------------------------------------------

/// The handles of a test as a callback uses them.
#[derive(Default)]
struct Reach {
    client: AtomicUsize,
    card: AtomicUsize,
    session: AtomicUsize,
    seen: Mutex<BTreeSet<(String, i32)>>,
    done: AtomicBool,
}

impl Reach {
    fn client(&self) -> *mut dmsc_client {
        self.client.load(Ordering::SeqCst) as *mut dmsc_client
    }
    fn card(&self) -> *mut dmsc_card {
        self.card.load(Ordering::SeqCst) as *mut dmsc_card
    }
    fn session(&self) -> *mut dmsc_session {
        self.session.load(Ordering::SeqCst) as *mut dmsc_session
    }
    fn saw(&self, call: &str, number: i32) {
        self.seen.lock().unwrap().insert((call.to_owned(), number));
    }
    /// The different numbers that `call` gave.
    fn of(&self, call: &str) -> Vec<i32> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(name, _)| name == call).map(|(_, number)| *number).collect()
    }
}

/// The calls that a callback tries.
fn try_everything(reach: &Reach) {
    let (client, card, session) = (reach.client(), reach.card(), reach.session());
    if client.is_null() || card.is_null() || session.is_null() {
        return;
    }
    let uri = c("./DevInfo/DevId");
    unsafe {
        reach.saw("run_once", dmsc_client_run_once(client, 0));
        reach.saw("start", dmsc_client_start(client));
        reach.saw("stop", dmsc_client_stop(client, 0));
        reach.saw("session_wait", dmsc_session_wait(session, 0, null_mut()));
        let mut value = null_mut();
        reach.saw("tree_get", dmsc_tree_get(client, uri.as_ptr(), &raw mut value));
        dmsc_buffer_free(value);
        let mut node = blank();
        reach.saw("tree_info_get", dmsc_tree_info_get(client, uri.as_ptr(), &raw mut node));
        let mut out = null_mut();
        reach.saw("tree_export", dmsc_tree_export(client, uri.as_ptr(), 0, &raw mut out));
        dmsc_buffer_free(out);
        let mut info = blank();
        reach.saw("session_info_get", dmsc_session_info_get(session, &raw mut info));
        // These cause new events and exchanges, so they are tried once.
        if !reach.done.swap(true, Ordering::SeqCst) {
            reach.saw("card_notify", dmsc_card_notify(card, 3));
            let trigger = dmsc_trigger { ..blank() };
            let number = dmsc_client_deliver_trigger(client, &raw const trigger, null_mut());
            reach.saw("deliver_trigger", number);
        }
        let mut info = blank();
        reach.saw("card_info_get", dmsc_card_info_get(card, &raw mut info));
        let status = [0x80, 0xF2, 0x00, 0x0C, 0x00];
        let mut response = null_mut();
        let number = dmsc_card_transmit(card, status.as_ptr(), status.len(), &raw mut response);
        reach.saw("card_transmit", number);
        dmsc_buffer_free(response);
        let number = dmsc_card_toolkit_start(card);
        reach.saw("toolkit_start", number);
    }
}

#[test]
fn what_a_callback_of_the_client_may_call() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let reach = Arc::new(Reach::default());
    let inside = Arc::clone(&reach);
    phone.ears.hook(move |_| try_everything(&inside));
    reach.client.store(phone.client as usize, Ordering::SeqCst);
    reach.card.store(card.0 as usize, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    reach.session.store(session.0 as usize, Ordering::SeqCst);
    phone.settle();
    assert_eq!(session.info().unwrap().status, 0);
    for forbidden in ["run_once", "start", "stop", "session_wait"] {
        assert_eq!(reach.of(forbidden), [REENTRANT], "{forbidden}");
    }
    for allowed in [
        "tree_get",
        "tree_info_get",
        "tree_export",
        "session_info_get",
        "card_notify",
        "card_info_get",
        "card_transmit",
    ] {
        assert_eq!(reach.of(allowed), [0], "{allowed}");
    }
    assert_eq!(reach.of("deliver_trigger"), [-212]);
    assert_eq!(reach.of("toolkit_start"), [STATE]);
    session.free();
}

#[test]
fn what_a_callback_of_a_transport_may_call() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let reach = Arc::new(Reach::default());
    let inside = Arc::clone(&reach);
    reach.client.store(phone.client as usize, Ordering::SeqCst);
    reach.card.store(card.0 as usize, Ordering::SeqCst);
    sim.script(move |_| {
        try_everything(&inside);
        Instead::PassOn
    });
    let session = phone.start_session(None).unwrap();
    reach.session.store(session.0 as usize, Ordering::SeqCst);
    phone.settle();
    assert!(reach.done.load(Ordering::SeqCst));
    assert_eq!(session.info().unwrap().status, 0);
    for forbidden in [
        "run_once",
        "start",
        "stop",
        "session_wait",
        "card_info_get",
        "card_transmit",
        "deliver_trigger",
        "toolkit_start",
    ] {
        assert_eq!(reach.of(forbidden), [REENTRANT], "{forbidden}");
    }
    for allowed in ["tree_get", "tree_info_get", "tree_export", "session_info_get", "card_notify"] {
        assert_eq!(reach.of(allowed), [0], "{allowed}");
    }
    sim.plain();
    session.free();
    assert_eq!(sim.card().good_sessions(), 1);
}

#[test]
fn the_client_is_freed_inside_each_of_its_callbacks() {
    for name in ["event", "trigger", "alert"] {
        let (sim, ears) = (Sim::named("demo"), Arc::new(Ears::default()));
        let phone = Phone::try_new(Keep::Nothing, &ears).unwrap();
        let card = phone.ready(&sim);
        ears.keep.store(1, Ordering::SeqCst);
        let client = phone.client as usize;
        let freed = Arc::new(AtomicUsize::new(0));
        let (inside, weak) = (Arc::clone(&freed), Arc::downgrade(&ears));
        ears.hook(move |called| {
            if called == name && inside.fetch_add(1, Ordering::SeqCst) == 0 {
                let before = weak.upgrade().unwrap().destroyed.load(Ordering::SeqCst);
                unsafe { dmsc_client_free(client as *mut dmsc_client) };
                // It takes effect when this has returned.
                assert_eq!(weak.upgrade().unwrap().destroyed.load(Ordering::SeqCst), before);
            }
        });
        let push = sim.push();
        let trigger = dmsc_trigger { data: push.as_ptr(), data_len: push.len(), ..blank() };
        unsafe {
            let mut number =
                dmsc_client_deliver_trigger(phone.client, &raw const trigger, null_mut());
            assert_eq!(number, 1);
            for _ in 0..10_000 {
                if freed.load(Ordering::SeqCst) > 0 {
                    break;
                }
                number = dmsc_client_run_once(phone.client, 0);
                assert!(number >= 0, "{}", last_message());
            }
        }
        assert_eq!(freed.load(Ordering::SeqCst), 1, "{name}");
        assert_eq!((ears.destroyed.load(Ordering::SeqCst), sim.destroyed()), (1, 1), "{name}");
        assert_eq!(card.info().err().unwrap().status, STATE);
        card.close();
        let alert = ears.kept.lock().unwrap().pop();
        assert_eq!(alert.is_some(), name == "alert");
        if let Some(alert) = alert {
            assert_eq!(answer(alert.0, 0).unwrap_err().status, STATE);
        }
        // The handle is gone already.
        std::mem::forget(phone);
    }
}

#[test]
fn the_card_is_closed_inside_a_callback() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let pointer = card.0 as usize;
    let closed = Arc::new(AtomicBool::new(false));
    let inside = Arc::clone(&closed);
    phone.ears.hook(move |called| {
        if called == "alert" && !inside.swap(true, Ordering::SeqCst) {
            unsafe { dmsc_card_close(pointer as *mut dmsc_card) };
        }
    });
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    assert!(closed.load(Ordering::SeqCst));
    assert_eq!(sim.destroyed(), 1);
    let ended = phone.ears.ended();
    assert_eq!((ended.len(), ended[0].0, ended[0].2.as_str()), (1, -8, "the card was closed"));
}

#[test]
fn the_card_is_closed_inside_its_own_transmit() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let pointer = card.0 as usize;
    let counter = sim.clone();
    let mut seen = 0;
    sim.script(move |_| {
        seen += 1;
        if seen == 5 {
            unsafe { dmsc_card_close(pointer as *mut dmsc_card) };
            assert_eq!(counter.destroyed(), 0);
        }
        Instead::PassOn
    });
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    assert_eq!(sim.destroyed(), 1);
    assert_eq!(phone.ears.ended()[0].0, -8);
    sim.plain();
}

#[test]
fn the_client_is_freed_inside_a_transmit() {
    let (sim, ears) = (Sim::named("demo"), Arc::new(Ears::default()));
    let phone = Phone::try_new(Keep::Nothing, &ears).unwrap();
    let card = phone.open(&sim, 0).unwrap();
    let (client, counter) = (phone.client as usize, sim.clone());
    let mut seen = 0;
    sim.script(move |_| {
        seen += 1;
        if seen == 3 {
            unsafe { dmsc_client_free(client as *mut dmsc_client) };
            assert_eq!(counter.destroyed(), 0);
        }
        Instead::PassOn
    });
    let outcome = card.bootstrap();
    assert!(matches!(&outcome, Ok(_) | Err(Failure { status: STATE, .. })), "{outcome:?}");
    assert_eq!((ears.destroyed.load(Ordering::SeqCst), sim.destroyed()), (1, 1));
    sim.plain();
    card.close();
    std::mem::forget(phone);
}

// ---- threads ----------------------------------------------------------------------------------------

#[test]
fn calls_of_several_threads_at_once() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    phone.start().unwrap();
    let begin = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let (phone, begin) = (&phone, &begin);
            scope.spawn(move || {
                begin.wait();
                for _ in 0..20 {
                    match number % 4 {
                        0 => assert_eq!(phone.get("./DevInfo/DevId").unwrap(), DEVICE),
                        1 => assert_eq!(card.info().unwrap().is_uicc, 1),
                        2 => {
                            let failure = phone.deliver(b"no notification").unwrap_err();
                            assert_eq!(failure.status, -212);
                        }
                        _ => match phone.start_session(None) {
                            Ok(session) => {
                                assert_eq!(session.wait(60_000).unwrap().1.status, 0);
                                session.free();
                            }
                            Err(failure) => assert_eq!(failure.status, -7, "{}", failure.message),
                        },
                    }
                }
            });
        }
    });
    assert_eq!(phone.stop(60_000).unwrap(), 0);
    let card = sim.card();
    assert!(card.good_sessions() >= 20, "{}", card.report());
    assert_eq!(card.bad_sessions(), 0, "{}", card.report());
}

#[test]
fn callbacks_come_one_at_a_time_on_the_driving_thread() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let inside = Arc::new(AtomicI32::new(0));
    let most = Arc::new(AtomicI32::new(0));
    let (now, max) = (Arc::clone(&inside), Arc::clone(&most));
    phone.ears.hook(move |_| {
        max.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::yield_now();
        now.fetch_sub(1, Ordering::SeqCst);
    });
    phone.ears.threads.lock().unwrap().clear();
    thread::scope(|scope| {
        for _ in 0..4 {
            let phone = &phone;
            scope.spawn(move || {
                for _ in 0..10 {
                    let _ = phone.start_session(None).map(|session| {
                        let _ = session.wait(60_000).unwrap();
                        session.free();
                    });
                }
            });
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), 1);
    assert!(!phone.ears.threads.lock().unwrap().is_empty());
    assert_eq!(sim.card().bad_sessions(), 0);
}

#[test]
fn a_wait_is_ended_by_wake_and_two_drivers_are_one_too_many() {
    let phone = Phone::new(Keep::Nothing);
    let waiting = AtomicBool::new(false);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            waiting.store(true, Ordering::SeqCst);
            let begin = Instant::now();
            let number = phone.run_once(60_000).unwrap();
            (number, begin.elapsed())
        });
        while !waiting.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        // Until the other thread drives this one may find the seat free.
        let until = Instant::now() + Duration::from_secs(20);
        let busy = loop {
            match phone.run_once(0) {
                Err(failure) => break failure,
                Ok(_) => assert!(Instant::now() < until),
            }
        };
        assert_eq!(busy.status, -7);
        assert_eq!(busy.message, "another thread drives the client");
        unsafe { dmsc_client_wake(phone.client) };
        let (number, time) = waiter.join().unwrap();
        assert_eq!(number, 2);
        assert!(time < Duration::from_secs(30), "{time:?}");
    });
}

#[test]
fn the_next_deadline() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let deadline = || unsafe { dmsc_client_next_deadline_ms(phone.client) };
    phone.settle();
    assert_eq!(deadline(), u64::MAX);
    phone.ready(&sim);
    // The card is polled from time to time.
    assert!((1..=30_000).contains(&deadline()), "{}", deadline());
    phone.deliver(&sim.push()).unwrap();
    assert_eq!(deadline(), 0);
    phone.settle();
    assert!(deadline() > 0, "nothing is due");
}

#[test]
fn the_client_is_freed_while_its_thread_and_others_use_it() {
    for _ in 0..20 {
        let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
        let card = phone.ready(&sim);
        phone.start().unwrap();
        let session = phone.start_session(None).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                // The end of the client is an end of the session.
                let outcome = session.wait(60_000);
                assert!(
                    matches!(&outcome, Ok((0, _)) | Err(Failure { status: STATE, .. })),
                    "{outcome:?}"
                );
            });
            scope.spawn(|| while card.info().is_ok() {});
            phone.free();
        });
        card.close();
        session.free();
        assert_eq!(sim.destroyed(), 1);
    }
}

// ---- panics and last errors -------------------------------------------------------------------------

/// No function of the C ABI panics by any input known, so the clock of the facade has to.
#[test]
fn a_panic_inside_makes_the_client_unusable_and_nothing_else() {
    let broken = Arc::new(AtomicBool::new(false));
    let (clock, switch) = (Arc::new(AtomicU64::new(0)), Arc::clone(&broken));
    let read: dmsc::client::Clock = Arc::new(move || {
        assert!(!switch.load(Ordering::SeqCst), "the clock is broken");
        dmsc::time::Now::default()
    });
    let phone = Facade::with(read, clock, false).unwrap();
    let sim = Sim::named("demo");
    phone.ready(&sim);
    broken.store(true, Ordering::SeqCst);
    let client = phone.client.clone();
    let call = std::panic::AssertUnwindSafe(|| {
        client.poison_on_panic(|client| client.run_once(Duration::ZERO).map(drop))
    });
    assert!(std::panic::catch_unwind(call).is_err());
    broken.store(false, Ordering::SeqCst);
    let text = "the client is unusable after an internal error";
    let failures = [
        client.run_once(Duration::ZERO).err(),
        client.start_session(None).err(),
        phone.deliver(Vec::new()).err(),
    ];
    for failure in failures {
        let failure = failure.unwrap();
        assert_eq!((failure.code(), failure.what()), (Code::State, text));
    }
    client.close();
}

#[test]
fn the_last_error_is_cleared_by_the_next_call_and_is_each_threads_own() {
    let client = bare();
    let (uri, mut value) = (c("./Nothing"), null_mut());
    let fail = || unsafe { dmsc_tree_get(client, uri.as_ptr(), &raw mut value) };
    let mut fail = fail;
    let mut info = blank::<dmsc_error_info>();
    assert_eq!(fail(), -500);
    assert_ne!(last_message(), "");
    // Looking at it does not clear it.
    assert_eq!(unsafe { dmsc_last_error_info(&raw mut info) }, 0);
    assert_eq!(info.status, -500);
    assert_ne!(last_message(), "");
    thread::spawn(|| assert_eq!(last_message(), "")).join().unwrap();
    // A function without a status clears it as well.
    unsafe { dmsc_buffer_free(null_mut()) };
    assert_eq!(last_message(), "");
    assert_eq!(fail(), -500);
    check(unsafe { dmsc_client_run_once(client, 0) }).unwrap();
    assert_eq!(last_message(), "");
    assert_eq!(unsafe { dmsc_last_error_info(&raw mut info) }, 0);
    assert_eq!((info.status, info.os_error), (0, 0));
    unsafe { dmsc_client_free(client) };
}

#[test]
fn names_versions_and_features() {
    let name = |number| unsafe { CStr::from_ptr(dmsc_status_name(number)) }.to_str().unwrap();
    assert_eq!((name(0), name(1), name(2)), ("DMSC_OK", "DMSC_PENDING", "DMSC_TIMED_OUT"));
    for code in Code::ALL {
        assert_eq!(name(*code as i32), code.name());
    }
    for unknown in [3, -13, -4711, i32::MIN, i32::MAX] {
        assert_eq!(name(unknown), "DMSC_STATUS_UNKNOWN");
    }
    // The header has the same numbers.
    let header = include_str!("../include/dmsc.h");
    for code in Code::ALL {
        let line = format!("  {} = {},", code.name(), *code as i32);
        assert!(header.lines().any(|known| known == line), "{line}");
    }
    let version = unsafe { CStr::from_ptr(dmsc_version()) }.to_str().unwrap();
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert_eq!(dmsc_version_number(), parts[0] << 16 | parts[1] << 8 | parts[2]);
    unsafe {
        assert!(dmsc_has_feature(c"pcsc".as_ptr()) && dmsc_has_feature(c"redb".as_ptr()));
        assert!(!dmsc_has_feature(c"".as_ptr()) && !dmsc_has_feature(c"PCSC".as_ptr()));
    }
}

// ---- transactions of the host -----------------------------------------------------------------------

#[test]
fn a_transaction_is_all_or_nothing() {
    let phone = Phone::new(Keep::Nothing);
    let (a, b) = (c("./Host/A"), c("./Host/B"));
    let leaf = |text: &'static str| dmsc_node_value {
        format: 1,
        data: text.as_ptr(),
        data_len: text.len(),
        ..blank()
    };
    let begin = || {
        let mut txn = null_mut();
        check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
        txn
    };
    let before = phone.tree(".");
    unsafe {
        let txn = begin();
        let one = leaf("1");
        check(dmsc_txn_add(txn, a.as_ptr(), &raw const one)).unwrap();
        refused(dmsc_txn_add(txn, a.as_ptr(), &raw const one), -501, "");
        refused(dmsc_txn_replace(txn, b.as_ptr(), &raw const one), -500, "");
        refused(dmsc_txn_delete(txn, b.as_ptr()), -500, "");
        let mut other = null_mut();
        refused(
            dmsc_txn_begin(phone.client, &raw mut other),
            -7,
            "another write transaction is open",
        );
        assert!(other.is_null());
        assert_eq!(phone.tree("."), before);
        dmsc_txn_rollback(txn);
        assert_eq!(phone.tree("."), before);

        let txn = begin();
        check(dmsc_txn_add(txn, a.as_ptr(), &raw const one)).unwrap();
        let two = leaf("2");
        check(dmsc_txn_replace(txn, a.as_ptr(), &raw const two)).unwrap();
        check(dmsc_txn_add(txn, b.as_ptr(), &raw const one)).unwrap();
        refused(dmsc_txn_set_acl(txn, a.as_ptr(), c("Nonsense").as_ptr()), INVALID_ARG, "");
        check(dmsc_txn_set_acl(txn, a.as_ptr(), c("Get=*").as_ptr())).unwrap();
        check(dmsc_txn_commit(txn)).unwrap();
        assert_eq!(phone.get("./Host/A").unwrap(), "2");
        assert_eq!(phone.get("./Host/A?prop=ACL").unwrap(), "Get=*");
        // A document with a mistake at its end leaves nothing of its beginning.
        let export = phone.export("./Host", 1).unwrap();
        let txn = begin();
        let (root, host) = (c("."), c("./Host"));
        refused(dmsc_txn_import(txn, root.as_ptr(), export.as_ptr(), export.len()), -501, "");
        refused(dmsc_txn_import(txn, root.as_ptr(), export.as_ptr(), export.len() / 2), -400, "");
        check(dmsc_txn_delete(txn, host.as_ptr())).unwrap();
        check(dmsc_txn_import(txn, root.as_ptr(), export.as_ptr(), export.len())).unwrap();
        check(dmsc_txn_commit(txn)).unwrap();
        assert_eq!(phone.get("./Host/A").unwrap(), "2");
    }
}

#[test]
fn no_session_goes_on_while_a_transaction_is_open() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let mut txn = null_mut();
    check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
    let session = phone.start_session(None).unwrap();
    phone.settle();
    assert_eq!(session.info().unwrap().state, 0);
    check(unsafe { dmsc_txn_commit(txn) }).unwrap();
    phone.settle();
    assert_eq!(session.info().unwrap().status, 0);
    session.free();
    assert_eq!(sim.card().good_sessions(), 1);
}

#[test]
fn children_end_when_the_visitor_says_so_and_a_leaf_has_none() {
    let phone = Phone::new(Keep::Nothing);
    unsafe extern "C" fn first(
        count: *mut c_void,
        name: *const c_char,
        info: *const dmsc_node_info,
    ) -> bool {
        unsafe {
            *count.cast::<u32>() += 1;
            assert_eq!((CStr::from_ptr(name), (*info).format), (c"DevId", 1));
        }
        false
    }
    let (uri, mut count) = (c("./DevInfo"), 0_u32);
    let number = unsafe {
        let count = (&raw mut count).cast::<c_void>();
        dmsc_tree_children(phone.client, uri.as_ptr(), Some(first), count)
    };
    assert_eq!((status(number), count), (0, 1));
    assert_eq!(phone.children("./DevInfo/DevId").unwrap_err().status, -503);
    assert_eq!(phone.children("./None").unwrap_err().status, -500);
    assert_eq!(phone.get("./DevInfo").unwrap_err().status, -503);
    assert_eq!(phone.get("DevInfo//").unwrap_err().status, -505);
}

// ---- the library as a file --------------------------------------------------------------------------

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
    let golden: Vec<&str> = include_str!("data/symbols.txt").lines().collect();
    assert_eq!(exported, golden);
    let header = include_str!("../include/dmsc.h");
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
        .arg(root.join(format!("tests/c/{name}.c")))
        .args([&dmsc, &sim])
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .arg("-o")
        .arg(&program);
    run(&mut cc);
    run(&mut Command::new(&program))
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
