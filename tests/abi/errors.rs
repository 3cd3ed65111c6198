//! Panics, last errors, names of numbers.

use super::*;

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
    for unknown in [3, -15, -4711, i32::MIN, i32::MAX] {
        assert_eq!(name(unknown), "DMSC_STATUS_UNKNOWN");
    }
    // The header has the same numbers.
    let header = include_str!("../../include/dmsc.h");
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
