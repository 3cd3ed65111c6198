//! Structs of every size.

use super::*;

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
    let _turn = LOG.lock().unwrap();
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
