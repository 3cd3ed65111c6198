//! A web server on the loopback interface that answers what a test tells it to, plain or over TLS.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

/// What came to the server.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The connection's number, from 1.
    pub(crate) connection: usize,
    /// First line and headers, as sent.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        let mut pairs = lines.filter_map(|line| line.split_once(':'));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The path of the first line.
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

/// What the server does.
pub(crate) enum Reply {
    /// Sends these octets and reads on.
    Octets(Vec<u8>),
    /// Sends these octets and closes.
    Last(Vec<u8>),
}

impl Reply {
    /// A whole answer of HTTP/1.1.
    pub(crate) fn http(status: &str, headers: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
        Self::Octets([head.as_bytes(), body].concat())
    }

    /// 200 with a DM message.
    pub(crate) fn message(body: &[u8]) -> Self {
        Self::http("200 OK", "Content-Type: application/vnd.syncml.dm+wbxml\r\n", body)
    }
}

type Handler = Box<dyn FnMut(&Request) -> Reply + Send>;

/// Makes the encrypted side of a connection.
pub(crate) type Wrap = Box<dyn Fn(TcpStream) -> Box<dyn Pipe> + Send>;

/// Both directions of a connection.
pub(crate) trait Pipe: Read + Write {}
impl<T: Read + Write> Pipe for T {}

pub(crate) struct Web {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    /// The connection that is served.
    current: Arc<Mutex<Option<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    pub(crate) fn plain(handler: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        Self::start(Box::new(|socket| Box::new(socket)), Box::new(handler))
    }

    /// One connection after the other, in a thread of its own.
    pub(crate) fn start(wrap: Wrap, mut handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (requests, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let current = Arc::new(Mutex::new(None));
        let (seen, ends, place) = (requests.clone(), stop.clone(), current.clone());
        let thread = std::thread::spawn(move || {
            for (number, socket) in listener.incoming().enumerate() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let socket = socket.unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                *place.lock().unwrap() = Some(socket.try_clone().unwrap());
                serve(number + 1, &mut *wrap(socket), &mut handler, &seen);
                *place.lock().unwrap() = None;
            }
        });
        Self { port, requests, stop, current, thread: Some(thread) }
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(socket) = self.current.lock().unwrap().take() {
            // The peer may have been faster.
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
        // Wakes the thread that accepts; it may have ended.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let joined = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            joined.expect("the web server's thread has failed");
        }
    }
}

fn serve(number: usize, pipe: &mut dyn Pipe, handler: &mut Handler, seen: &Mutex<Vec<Request>>) {
    while let Some(request) = read_request(number, pipe) {
        seen.lock().unwrap().push(request.clone());
        let (octets, last) = match handler(&request) {
            Reply::Octets(octets) => (octets, false),
            Reply::Last(octets) => (octets, true),
        };
        // A client that has gone is a matter for the test's assertions.
        if pipe.write_all(&octets).and_then(|()| pipe.flush()).is_err() || last {
            return;
        }
    }
}

fn read_request(connection: usize, pipe: &mut dyn Pipe) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        if pipe.read(&mut octet).ok()? == 0 {
            return None;
        }
        head.push(octet[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut request = Request { connection, head, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    pipe.read_exact(&mut request.body).ok()?;
    Some(request)
}
