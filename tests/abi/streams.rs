//! `dmsc_stream_transport`: the host's connections, who calls them when, and what they may claim.

use super::*;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use support::abi::text;
use support::remote::{HOST, SERVER, profile};
use support::web::{Reply, Web};

const CONNECT: i32 = -300;
const CANCELLED: i32 = -8;
const NO_NETWORK: i32 = -304;
const CALLBACK: i32 = -12;

type Hook = Box<dyn Fn(&dmsc_stream_target) -> i32 + Send + Sync>;

/// The host's connections, all to one port of this device.
struct Network {
    port: u16,
    /// What connect returns instead of connecting; 0: it connects.
    hook: Hook,
    targets: Mutex<Vec<(String, String, String, u32)>>,
    open: AtomicUsize,
    closed: AtomicUsize,
    destroyed: AtomicUsize,
    cancelled: Mutex<Vec<u64>>,
    /// Added to what read and write say.
    lie: AtomicUsize,
    read_fails: AtomicI32,
}

impl Network {
    fn new(
        port: u16,
        hook: impl Fn(&dmsc_stream_target) -> i32 + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            port,
            hook: Box::new(hook),
            targets: Mutex::default(),
            open: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
            destroyed: AtomicUsize::new(0),
            cancelled: Mutex::default(),
            lie: AtomicUsize::new(0),
            read_fails: AtomicI32::new(0),
        })
    }

    fn transport(self: &Arc<Self>) -> dmsc_stream_transport {
        dmsc_stream_transport {
            struct_size: size_of::<dmsc_stream_transport>(),
            user_data: Arc::as_ptr(self).cast::<c_void>().cast_mut(),
            connect: Some(connect),
            read: Some(read),
            write: Some(write),
            close: Some(close),
            cancel: Some(cancel),
            destroy: Some(destroy),
        }
    }

    fn install(self: &Arc<Self>, phone: &Phone, scheme: &CStr) {
        let transport = self.transport();
        let number = unsafe {
            dmsc_client_set_stream_transport(phone.client, scheme.as_ptr(), &raw const transport)
        };
        check(number).unwrap();
    }
}

unsafe fn network<'a>(user_data: *mut c_void) -> &'a Network {
    unsafe { &*user_data.cast::<Network>() }
}

unsafe extern "C" fn connect(
    user_data: *mut c_void,
    target: *const dmsc_stream_target,
    stream: *mut *mut c_void,
) -> i32 {
    let (network, target) = unsafe { (network(user_data), &*target) };
    network.targets.lock().unwrap().push((
        text(target.uri),
        text(target.server_id),
        text(target.con_ref),
        target.timeout_ms,
    ));
    let number = (network.hook)(target);
    if number != 0 {
        return number;
    }
    let socket = TcpStream::connect(("127.0.0.1", network.port)).unwrap();
    socket.set_nonblocking(true).unwrap();
    network.open.fetch_add(1, Ordering::SeqCst);
    unsafe { stream.write(Box::into_raw(Box::new(socket)).cast()) };
    0
}

fn outcome(moved: std::io::Result<usize>, out: *mut usize, lie: usize) -> i32 {
    match moved {
        Ok(octets) => {
            unsafe { out.write(octets + lie) };
            0
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => 2,
        Err(_) => -301,
    }
}

unsafe extern "C" fn read(
    user_data: *mut c_void,
    stream: *mut c_void,
    buffer: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> i32 {
    let network = unsafe { network(user_data) };
    let number = network.read_fails.load(Ordering::SeqCst);
    if number != 0 {
        return number;
    }
    let lie = network.lie.load(Ordering::SeqCst);
    let (socket, buffer) = unsafe {
        (&mut *stream.cast::<TcpStream>(), std::slice::from_raw_parts_mut(buffer, capacity))
    };
    outcome(socket.read(buffer), len, lie)
}

unsafe extern "C" fn write(
    _: *mut c_void,
    stream: *mut c_void,
    data: *const u8,
    len: usize,
    written: *mut usize,
) -> i32 {
    let (socket, data) =
        unsafe { (&mut *stream.cast::<TcpStream>(), std::slice::from_raw_parts(data, len)) };
    outcome(socket.write(data), written, 0)
}

unsafe extern "C" fn close(user_data: *mut c_void, stream: *mut c_void) {
    unsafe {
        network(user_data).closed.fetch_add(1, Ordering::SeqCst);
        drop(Box::from_raw(stream.cast::<TcpStream>()));
    }
}

unsafe extern "C" fn cancel(user_data: *mut c_void, id: u64) {
    unsafe { network(user_data) }.cancelled.lock().unwrap().push(id);
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    unsafe { network(user_data) }.destroyed.fetch_add(1, Ordering::SeqCst);
}

/// The DM server of a profile, plain.
fn server(address: &str) -> Web {
    use uicc_sim::dm::server::DmServer;
    let get = r#"{ get = "./DevInfo/DevId" }"#;
    let server = Mutex::new(DmServer::new(profile(address, "DIGEST", get)).unwrap());
    Web::plain(move |request| support::remote::answer(&server, request))
}

/// A phone with the account of the server at `address`.
fn phone(address: &str) -> Phone {
    let phone = Phone::new(Keep::Nothing);
    let leaves = BTreeMap::from([
        ("AppID", "w7"),
        ("ServerID", SERVER),
        ("PrefConRef", "./NAP/operator"),
        ("AppAddr/1/Addr", address),
        ("AAuthPref", "DIGEST"),
        ("AppAuth/1/AAuthLevel", "CLCRED"),
        ("AppAuth/1/AAuthType", "DIGEST"),
        ("AppAuth/1/AAuthName", "phone"),
        ("AppAuth/1/AAuthSecret", "phone-secret"),
        ("AppAuth/2/AAuthLevel", "SRVCRED"),
        ("AppAuth/2/AAuthType", "DIGEST"),
        ("AppAuth/2/AAuthName", SERVER),
        ("AppAuth/2/AAuthSecret", "server-secret"),
    ]);
    let mut txn = null_mut();
    check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
    let add = |uri: &str, format: dmsc_format, octets: &str| {
        let uri = c(&format!("./DMAcc/remote/{uri}"));
        let (data, data_len) = (octets.as_ptr(), octets.len());
        let value = dmsc_node_value { format: format as u32, data, data_len, ..blank() };
        check(unsafe { dmsc_txn_add(txn, uri.as_ptr(), &raw const value) }).unwrap();
    };
    for (uri, value) in leaves {
        add(uri, dmsc_format::DMSC_FORMAT_CHR, value);
    }
    add("AppAuth/1/AAuthData", dmsc_format::DMSC_FORMAT_BIN, "first");
    add("AppAuth/2/AAuthData", dmsc_format::DMSC_FORMAT_BIN, "second");
    check(unsafe { dmsc_txn_commit(txn) }).unwrap();
    phone
}

const HTTPS: &str = "https://dm.example/dm";

#[test]
fn the_host_does_tls_and_the_library_the_rest() {
    let web = server(HTTPS);
    let network = Network::new(web.port, |_| 0);
    let phone = phone(HTTPS);
    network.install(&phone, c"https");
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    let target = network.targets.lock().unwrap()[0].clone();
    let uri = format!("https://{HOST}:443");
    assert_eq!(target, (uri, SERVER.to_owned(), "./NAP/operator".to_owned(), 10_000));
    assert_eq!(web.requests()[0].header("host"), Some(HOST));
    session.free();
    let (open, closed) =
        (network.open.load(Ordering::SeqCst), network.closed.load(Ordering::SeqCst));
    assert_eq!((open, closed, network.destroyed.load(Ordering::SeqCst)), (1, 1, 0));
    drop(phone);
    assert_eq!(network.destroyed.load(Ordering::SeqCst), 1);
}

#[test]
fn a_transport_that_is_replaced_or_taken_back_is_destroyed_once() {
    let phone = phone(HTTPS);
    let (first, second) = (Network::new(1, |_| CONNECT), Network::new(1, |_| CONNECT));
    first.install(&phone, c"https");
    second.install(&phone, c"https");
    assert_eq!(first.destroyed.load(Ordering::SeqCst), 1);
    let number =
        unsafe { dmsc_client_set_stream_transport(phone.client, c"https".as_ptr(), null()) };
    check(number).unwrap();
    assert_eq!(second.destroyed.load(Ordering::SeqCst), 1);
}

#[test]
fn transports_that_are_not_accepted_stay_the_hosts() {
    let phone = Phone::new(Keep::Nothing);
    let network = Network::new(1, |_| 0);
    let good = network.transport();
    let set = |scheme: &CStr, transport: &dmsc_stream_transport| unsafe {
        dmsc_client_set_stream_transport(phone.client, scheme.as_ptr(), transport)
    };
    refused(set(c"ftp", &good), INVALID_ARG, "scheme ftp is not tcp, udp or https");
    let bad = dmsc_stream_transport { read: None, ..good };
    refused(set(c"tcp", &bad), INVALID_ARG, "needs connect, read, write and close");
    let short = dmsc_stream_transport { struct_size: 16, ..good };
    refused(set(c"tcp", &short), INVALID_ARG, "needs connect, read, write and close");
    refused(
        unsafe { dmsc_client_network_changed(phone.client, 2) },
        INVALID_ARG,
        "neither 0 nor 1",
    );
    drop(phone);
    assert_eq!(network.destroyed.load(Ordering::SeqCst), 0);
}

#[test]
fn numbers_of_connect_reach_the_sessions_end() {
    for number in [CONNECT, -302, -4711] {
        let phone = phone(HTTPS);
        let network = Network::new(1, move |_| number);
        network.install(&phone, c"https");
        let session = phone.start_session(None).unwrap();
        assert_eq!(session.wait(10_000).unwrap().1.status, number);
        session.free();
    }
}

#[test]
fn without_a_network_the_session_waits_for_the_hosts_word() {
    let web = server(HTTPS);
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let network = Network::new(web.port, move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => NO_NETWORK,
        _ => 0,
    });
    let phone = phone(HTTPS);
    network.install(&phone, c"https");
    let session = phone.start_session(None).unwrap();
    phone.settle();
    let wanted = phone.ears.of(dmsc_event_type::DMSC_EVENT_NETWORK_WANTED);
    assert_eq!((wanted[0].uri.as_str(), wanted[0].data.as_str()), (SERVER, "./NAP/operator"));
    assert_eq!(session.info().unwrap().state, 0);
    check(unsafe { dmsc_client_network_changed(phone.client, 1) }).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
}

#[test]
fn a_connect_that_takes_long_is_cancelled_from_another_thread() {
    let (entered, wait) = mpsc::channel();
    let (give_up, given_up) = mpsc::channel::<()>();
    let (entered, given_up) = (Mutex::new(entered), Mutex::new(given_up));
    let network = Network::new(1, move |target| {
        entered.lock().unwrap().send(target.id).unwrap();
        given_up.lock().unwrap().recv().unwrap();
        CANCELLED
    });
    let phone = phone(HTTPS);
    network.install(&phone, c"https");
    check(unsafe { dmsc_client_start(phone.client) }).unwrap();
    let session = phone.start_session(None).unwrap();
    let id = wait.recv().unwrap();
    unsafe { dmsc_session_cancel(session.0) };
    assert_eq!(*network.cancelled.lock().unwrap(), [id]);
    give_up.send(()).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, CANCELLED);
    session.free();
    check(unsafe { dmsc_client_stop(phone.client, 10_000) }).unwrap();
}

#[test]
fn inside_a_stream_callback_the_core_is_out() {
    let place = Arc::new(Mutex::new(None::<usize>));
    let inside = place.clone();
    let network = Network::new(1, move |_| {
        let client = inside.lock().unwrap().unwrap() as *mut dmsc_client;
        let request = blank::<dmsc_session_request>();
        let mut session = null_mut();
        unsafe {
            let number = dmsc_session_start(client, &raw const request, &raw mut session);
            assert_eq!(number, REENTRANT);
            assert_eq!(dmsc_client_run_once(client, 0), REENTRANT);
            dmsc_client_wake(client);
            assert_eq!(dmsc_client_network_changed(client, 1), 0);
        }
        CONNECT
    });
    let phone = phone(HTTPS);
    *place.lock().unwrap() = Some(phone.client as usize);
    network.install(&phone, c"https");
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, CONNECT);
    session.free();
}

#[test]
fn octets_that_cannot_be_are_an_error_of_the_callback() {
    let web = Web::plain(|_| Reply::message(b"x"));
    let network = Network::new(web.port, |_| 0);
    network.lie.store(1_000_000, Ordering::SeqCst);
    let phone = phone(HTTPS);
    network.install(&phone, c"https");
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, CALLBACK);
    session.free();
    network.lie.store(0, Ordering::SeqCst);
    network.read_fails.store(-301, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, -301);
    session.free();
}

#[test]
fn settings_of_the_network_are_checked() {
    let device = c(DEVICE);
    let refuse = |network: dmsc_network_config, text: &str| {
        let config = dmsc_config { network: &raw const network, ..config(&device) };
        let mut out = null_mut();
        let number = unsafe { dmsc_client_new(&raw const config, null(), &raw mut out) };
        refused(number, INVALID_ARG, text);
    };
    let good = blank::<dmsc_network_config>();
    refuse(dmsc_network_config { plain_http: 3, ..good }, "plain_http 3");
    refuse(dmsc_network_config { retries: 11, ..good }, "retries: more than 10");
    let late = dmsc_network_config { connect_timeout_ms: 30_001, ..good };
    refuse(late, "connect_timeout: not 1 to 30000 ms");
    refuse(dmsc_network_config { tls_pin_count: 65, ..good }, "more than 64");
    refuse(dmsc_network_config { tls_pin_count: 1, ..good }, "tls_pins is NULL");
    #[cfg(feature = "tls")]
    refuse(
        dmsc_network_config { tls_roots_pem: c"x".as_ptr().cast(), tls_roots_pem_len: 1, ..good },
        "TLS settings: roots: no PEM of a certificate",
    );
}

#[test]
fn a_gateway_through_the_c_abi() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = dmsc_gateway_config { port: port.into(), ..blank() };
    let start = || unsafe { dmsc_gateway_start(phone.client, &raw const config) };
    check(start()).unwrap();
    refused(start(), -5, "the gateway runs already");
    let mut visitor = TcpStream::connect(("127.0.0.1", port)).unwrap();
    visitor.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:3516\r\n\r\n").unwrap();
    // Without consent the visitor is sent away.
    while phone.ears.connections.lock().unwrap().is_empty() {
        phone.run_once(10).unwrap();
    }
    phone.settle();
    assert_eq!(visitor.read(&mut [0; 9]).unwrap_or(0), 0);
    let heard = phone.ears.connections.lock().unwrap()[0].clone();
    assert_eq!((heard.0, heard.1), (3, 0));
    check(unsafe { dmsc_gateway_stop(phone.client) }).unwrap();
    check(unsafe { dmsc_gateway_stop(phone.client) }).unwrap();
    let high = dmsc_gateway_config { port: 65_536, ..blank() };
    refused(
        unsafe { dmsc_gateway_start(phone.client, &raw const high) },
        INVALID_ARG,
        "port 65536 is above 65535",
    );
    let set = |address: &CStr| unsafe { dmsc_card_set_address(card.0, address.as_ptr()) };
    refused(set(c"card.local"), INVALID_ARG, "address card.local is none");
    check(set(c"fe80::1")).unwrap();
    check(unsafe { dmsc_card_set_address(card.0, null()) }).unwrap();
}
