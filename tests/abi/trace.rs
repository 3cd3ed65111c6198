//! Looking on: `dmsc_client_trace` and `dmsc_client_trace_pcap`.

use super::*;

#[derive(Default)]
struct Watch {
    seen: Vec<(u32, Vec<u8>, Vec<u8>)>,
    times: Vec<u64>,
    destroyed: u32,
}

unsafe extern "C" fn show(user_data: *mut c_void, apdu: *const dmsc_apdu) {
    unsafe {
        let (watch, apdu) = (&mut *user_data.cast::<Watch>(), &*apdu);
        let octets = |data, len| std::slice::from_raw_parts(data, len).to_vec();
        assert_eq!(apdu.struct_size, size_of::<dmsc_apdu>());
        let command = octets(apdu.command, apdu.command_len);
        watch.seen.push((apdu.slot, command, octets(apdu.response, apdu.response_len)));
        watch.times.push(apdu.unix_ms);
    }
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    unsafe { (*user_data.cast::<Watch>()).destroyed += 1 }
}

#[test]
fn every_exchange_of_every_card_is_shown_and_no_pin() {
    let (sim, other, phone) =
        (Sim::named("demo"), Sim::named("t1-oiddo"), Phone::new(Keep::Nothing));
    let mut watch = Watch::default();
    let trace = dmsc_apdu_trace {
        user_data: (&raw mut watch).cast(),
        exchange: Some(show),
        destroy: Some(destroy),
        ..blank()
    };
    // A card that is open already, and one that is opened afterwards.
    let card = phone.open(&sim, 3).unwrap();
    unsafe { assert_eq!(status(dmsc_client_trace(phone.client, &raw const trace)), 0) };
    let before = sim.exchanges();
    card.transmit(b"\x00\x20\x00\x01\x081234\xFF\xFF\xFF\xFF").unwrap();
    let opened = phone.open(&other, 4).unwrap();
    assert_eq!(watch.seen.len(), sim.exchanges() - before + other.exchanges());
    let (slot, command, response) = &watch.seen[0];
    assert_eq!((*slot, &command[..6]), (3, &[0x00, 0x20, 0x00, 0x01, 0x08, 0xFF][..]));
    assert!(!command.windows(2).any(|digits| digits == b"12"));
    assert_eq!(response.len(), 2);
    assert_eq!(watch.seen.last().unwrap().0, 4);
    assert!(watch.times.is_sorted() && watch.times[0] > 1_600_000_000_000);
    let shown = watch.seen.len();
    unsafe { assert_eq!(status(dmsc_client_trace(phone.client, null())), 0) };
    assert_eq!(watch.destroyed, 1);
    opened.transmit(&[0x80, 0xF2, 0x00, 0x0C, 0x00]).unwrap();
    assert_eq!(watch.seen.len(), shown);
    let bad = dmsc_apdu_trace { exchange: None, ..trace };
    let number = unsafe { dmsc_client_trace(phone.client, &raw const bad) };
    refused(number, INVALID_ARG, "dmsc_apdu_trace.exchange is NULL");
    assert_eq!(watch.destroyed, 1);
}

#[test]
fn a_capture_file_grows_with_each_exchange() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let directory = support::abi::directory("trace");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("a.pcap");
    let path = c(file.to_str().unwrap());
    unsafe { assert_eq!(status(dmsc_client_trace_pcap(phone.client, path.as_ptr())), 0) };
    let size = || std::fs::metadata(&file).unwrap().len();
    assert_eq!(size(), 24);
    let card = phone.open(&sim, 0).unwrap();
    let opened = size();
    assert!(opened > 24 + 5 * 16);
    unsafe { assert_eq!(status(dmsc_client_trace_pcap(phone.client, null())), 0) };
    card.transmit(&[0x80, 0xF2, 0x00, 0x0C, 0x00]).unwrap();
    assert_eq!(size(), opened);
    let number = unsafe { dmsc_client_trace_pcap(phone.client, c"/no/such/file/x".as_ptr()) };
    refused(number, -301, "/no/such/file/x");
}
