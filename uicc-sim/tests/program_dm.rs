//! The program as DM server of a phone: `uicc-sim --serve-dm` in a process of its own, and a client through
//! the C API, over plain HTTP, in both encodings.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of them are calls that a C program would make, with pointers to what outlives them"
)]

use dmsc::ffi::*;
use std::ffi::{CStr, CString, c_void};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::ptr::{null, null_mut};

const SERVER: &str = "com.example.dm";
/// The server's name for phones; addresses of the device itself are for accounts of cards.
const HOST: &str = "dm.example";

/// What the server does in each of its sessions.
const SCRIPT: &str = r#"
[[package]]
commands = [
    { get = "./DevInfo/Man", results = "Maker" },
    { get = "./DevInfo", results_children = ["DevId", "Man", "Mod", "DmV", "Lang"] },
    { add = "./Lab/{session}", format = "node" },
    { items = [
        { add = "./Lab/{session}/a", format = "b64", type = "image/png", value = "AQL/", meta = "command" },
        { add = "./Lab/{session}/b", value = "AwQ=" },
    ] },
    { items = [
        { get = "./Lab/{session}/a?prop=Type", results = "image/png" },
        { get = "./Lab/{session}/none", expect = 404 },
        { get = "./Lab/{session}/b?prop=Size", results = "2" },
    ] },
    { atomic = [
        { replace = "./Lab/{session}/a", format = "chr", value = "x", expect = 216 },
        { delete = "./Lab/{session}/none", expect = 404 },
    ], expect = 507 },
    { sequence = [ { copy = "./Lab/{session}/b", to = "./Lab/{session}/c" }, { delete = "./Lab/{session}/b" } ] },
    { put = "./Lab/{session}/d", value = "x" },
    { confirm = "Nobody is there to be asked", expect = 406 },
]
[[package]]
commands = [
    { add = "./Lab/{session}/big", fill = 30000, chunk = 3000 },
    { get = "./Lab/{session}/big", results_fill = 30000 },
    { add = "./Lab/{session}/cut", fill = 9000, chunk = 3000, cut = 2 },
    { message = "next" },
    { get = "./Lab/{session}/cut", expect = 404 },
    { get = "./Lab/{session}/big", refuse = 413 },
]
[[package]]
commands = [ { add = "./Lab/{session}/last", value = "was here" } ]
"#;

/// The program, killed if the test ends before it.
struct Program {
    child: Child,
    address: String,
    report: PathBuf,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Serves two sessions with these kinds of credentials.
    fn start(name: &str, client: &str, server: &str) -> Self {
        let files = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&files).unwrap();
        let (profile, report) = (files.join("profile.toml"), files.join("report"));
        let account = format!(
            "account = {{ server_id = '{SERVER}', address = 'http://{HOST}/dm', \
             client = {{ name = 'phone', secret = 'phone-secret', nonce = 'first', auth = '{client}' }}, \
             server = {{ name = '{SERVER}', secret = 'dm-secret', nonce = 'second', auth = '{server}' }} }}\n\
             server = {{ max_msg_size = 2000, max_obj_size = 100000, resp_query = 'dm={{session}}' }}\n"
        );
        std::fs::write(&profile, account + SCRIPT).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_uicc-sim"))
            .args(["--serve-dm", "127.0.0.1:0", "--sessions", "2", "--profile"])
            .arg(&profile)
            .arg("--report")
            .arg(&report)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, address, report }
    }

    /// Exit code and report of the program, which has ended by itself.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, std::fs::read_to_string(&self.report).unwrap())
    }
}

/// A struct of the C API with its size and nothing else.
fn blank<T: Copy>() -> T {
    unsafe {
        let mut blank = std::mem::zeroed::<T>();
        (&raw mut blank).cast::<usize>().write(size_of::<T>());
        blank
    }
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

#[track_caller]
fn good(number: i32) {
    assert!(number >= 0, "{number}: {:?}", unsafe { CStr::from_ptr(dmsc_last_error_message()) });
}

/// Connects to the address behind `user_data`, whatever name is asked for.
unsafe extern "C" fn connect(
    user_data: *mut c_void,
    _: *const dmsc_stream_target,
    stream: *mut *mut c_void,
) -> i32 {
    let address = unsafe { CStr::from_ptr(user_data.cast()) };
    let socket = TcpStream::connect(address.to_str().unwrap()).unwrap();
    socket.set_nonblocking(true).unwrap();
    unsafe { stream.write(Box::into_raw(Box::new(socket)).cast()) };
    0
}

fn moved(done: std::io::Result<usize>, out: *mut usize) -> i32 {
    match done {
        Ok(octets) => {
            unsafe { out.write(octets) };
            0
        }
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => 2,
        Err(_) => -301,
    }
}

unsafe extern "C" fn read(
    _: *mut c_void,
    stream: *mut c_void,
    buffer: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> i32 {
    let (socket, buffer) = unsafe {
        (&mut *stream.cast::<TcpStream>(), std::slice::from_raw_parts_mut(buffer, capacity))
    };
    moved(socket.read(buffer), len)
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
    moved(socket.write(data), written)
}

unsafe extern "C" fn close(_: *mut c_void, stream: *mut c_void) {
    drop(unsafe { Box::from_raw(stream.cast::<TcpStream>()) });
}

/// A client with nothing but memory.
struct Phone {
    client: *mut dmsc_client,
    /// Where all its connections go.
    address: CString,
}

impl Drop for Phone {
    fn drop(&mut self) {
        unsafe { dmsc_client_free(self.client) };
    }
}

impl Phone {
    /// A phone whose network leads to `program`.
    fn new(program: &Program, text_xml: bool) -> Self {
        let network = dmsc_network_config { plain_http: 2, text_xml: text_xml.into(), ..blank() };
        let (id, maker) = (c("IMEI:004999010640000"), c("Maker"));
        let mut config = blank::<dmsc_config>();
        unsafe { dmsc_config_init(&raw mut config, size_of::<dmsc_config>()) };
        (config.device_id, config.manufacturer) = (id.as_ptr(), maker.as_ptr());
        config.network = &raw const network;
        let (mut client, address) = (null_mut(), c(&program.address));
        let streams = dmsc_stream_transport {
            user_data: address.as_ptr().cast_mut().cast(),
            connect: Some(connect),
            read: Some(read),
            write: Some(write),
            close: Some(close),
            ..blank()
        };
        let policy = b"[[rules]]\naction = \"allow\"\n";
        unsafe {
            good(dmsc_client_new(&raw const config, null(), &raw mut client));
            good(dmsc_client_set_stream_transport(client, c"tcp".as_ptr(), &raw const streams));
            good(dmsc_client_set_policy(client, policy.as_ptr().cast(), policy.len()));
        }
        Self { client, address }
    }

    /// Makes the account of the server, and a place where it may do everything.
    fn know(&self, client: &str, server: &str, secret: &str) {
        let mut txn = null_mut();
        unsafe { good(dmsc_txn_begin(self.client, &raw mut txn)) };
        let add = |uri: &str, format: u32, value: &str| {
            let (uri, data) = (c(uri), value.as_bytes());
            let value =
                dmsc_node_value { format, data: data.as_ptr(), data_len: data.len(), ..blank() };
            unsafe { good(dmsc_txn_add(txn, uri.as_ptr(), &raw const value)) };
        };
        let port = self.address.to_str().unwrap().rsplit(':').next().unwrap();
        let url = format!("http://{HOST}:{port}/dm");
        add("./Lab", 0, "");
        add("./DMAcc/remote", 0, "");
        for (uri, value) in [
            ("AppID", "w7"),
            ("ServerID", SERVER),
            ("AppAddr/1/Addr", &url),
            ("AppAddr/1/AddrType", "URI"),
            ("AAuthPref", client),
            ("AppAuth/1/AAuthLevel", "CLCRED"),
            ("AppAuth/1/AAuthType", client),
            ("AppAuth/1/AAuthName", "phone"),
            ("AppAuth/1/AAuthSecret", secret),
            ("AppAuth/2/AAuthLevel", "SRVCRED"),
            ("AppAuth/2/AAuthType", server),
            ("AppAuth/2/AAuthName", SERVER),
            ("AppAuth/2/AAuthSecret", "dm-secret"),
        ] {
            add(&format!("./DMAcc/remote/{uri}"), 1, value);
        }
        add("./DMAcc/remote/AppAuth/1/AAuthData", 2, "first");
        add("./DMAcc/remote/AppAuth/2/AAuthData", 2, "second");
        let (uri, acl) = (c("./Lab"), c("Add=*&Delete=*&Get=*&Replace=*"));
        unsafe {
            good(dmsc_txn_set_acl(txn, uri.as_ptr(), acl.as_ptr()));
            good(dmsc_txn_commit(txn));
        }
    }

    /// How a session with the server ends.
    fn session(&self) -> i32 {
        let server = c(SERVER);
        let request = dmsc_session_request { server_id: server.as_ptr(), ..blank() };
        let (mut session, mut info) = (null_mut(), blank::<dmsc_session_info>());
        unsafe {
            good(dmsc_session_start(self.client, &raw const request, &raw mut session));
            good(dmsc_session_wait(session, 60_000, &raw mut info));
            dmsc_session_free(session);
        }
        info.status
    }

    fn value(&self, uri: &str) -> Option<String> {
        let (uri, mut value) = (c(uri), null_mut());
        if unsafe { dmsc_tree_get(self.client, uri.as_ptr(), &raw mut value) } < 0 {
            return None;
        }
        let octets = unsafe {
            std::slice::from_raw_parts(dmsc_buffer_data(value), dmsc_buffer_len(value)).to_vec()
        };
        unsafe { dmsc_buffer_free(value) };
        Some(String::from_utf8(octets).unwrap())
    }
}

/// Two sessions in which the program finds nothing wrong.
fn two_sessions(name: &str, text_xml: bool, client: (&str, &str), server: (&str, &str)) {
    let program = Program::start(name, client.0, server.0);
    let phone = Phone::new(&program, text_xml);
    phone.know(client.1, server.1, "phone-secret");
    for number in 1..=2 {
        assert_eq!(phone.session(), 0);
        let value = |name: &str| phone.value(&format!("./Lab/{number}/{name}"));
        assert_eq!(value("last").as_deref(), Some("was here"));
        assert_eq!(value("big").unwrap().len(), 30_000);
        assert_eq!((value("b"), value("cut"), value("d")), (None, None, None));
    }
    let (code, report) = program.end();
    assert_eq!(code, Some(0), "{report}");
    assert!(report.contains("sessions: 2 good, 0 bad"), "{report}");
}

#[test]
fn a_phone_and_the_program_speak_wbxml() {
    two_sessions("dm-wbxml", false, ("md5", "DIGEST"), ("md5", "DIGEST"));
}

#[test]
fn a_phone_and_the_program_speak_text_xml() {
    two_sessions("dm-xml", true, ("hmac", "HMAC"), ("hmac", "HMAC"));
}

#[test]
fn the_program_says_so_when_a_phone_is_wrong() {
    let program = Program::start("dm-wrong", "md5", "md5");
    let phone = Phone::new(&program, false);
    phone.know("DIGEST", "DIGEST", "another");
    assert!(phone.session() < 0);
    drop(phone);
    let phone = Phone::new(&program, false);
    phone.know("DIGEST", "DIGEST", "phone-secret");
    assert_eq!(phone.session(), 0);
    let (code, report) = program.end();
    assert_eq!(code, Some(2), "{report}");
    assert!(report.contains("sessions: 1 good, 1 bad"), "{report}");
}
