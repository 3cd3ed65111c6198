//! The DM server application: HTTP requests in, sessions run, notifications out.

use std::collections::VecDeque;

use super::auth;
use super::encoding::Encoding;
use super::http::{self, Parsed, Request};
use super::incoming;
use super::log::Log;
use super::memory::Memory;
use super::notification::{self, Trigger};
use super::session::{Context, Incoming, Origin, Reply, Session};
use super::wbxml::Element;
use crate::application::{Application, Finding, HttpOutput};
use crate::profile::{Connection, NotificationDigest, Page, Profile};

/// Notifications without a session that the server remembers.
const MAX_ISSUED: usize = 16;

/// The on-card DM server.
#[derive(Debug)]
pub struct DmServer {
    profile: Profile,
    memory: Memory,
    log: Log,
    /// Octets of a request that is not complete yet.
    input: Vec<u8>,
    session: Option<Session>,
    issued: VecDeque<Issued>,
    notifications: u32,
    hits: Hits,
}

/// A notification that went out.
#[derive(Debug)]
struct Issued {
    session_id: String,
    resync: bool,
    forbidden: bool,
}

/// How often each fault of the profile was played.
#[derive(Debug, Default)]
struct Hits {
    http: u32,
    credentials: u32,
    closed: u32,
}

impl DmServer {
    /// A server as the profile says.
    ///
    /// # Errors
    /// When its memory file cannot be read.
    pub fn new(profile: Profile) -> Result<Self, String> {
        let memory = match &profile.server.memory_file {
            Some(path) => Memory::load(path, &profile)?,
            None => Memory::new(&profile),
        };
        Ok(Self {
            profile,
            memory,
            log: Log::default(),
            input: Vec::new(),
            session: None,
            issued: VecDeque::new(),
            notifications: 0,
            hits: Hits::default(),
        })
    }

    /// Answers the requests that are complete.
    fn run(&mut self) -> HttpOutput {
        let mut output = HttpOutput::default();
        while !output.close {
            let (part, taken) = match http::parse(&self.input) {
                Parsed::Incomplete => break,
                Parsed::Refused(status, why) => (self.refuse(status, why), self.input.len()),
                Parsed::Complete(request, taken) => (self.request(&request), taken),
            };
            self.input.drain(..taken);
            output.octets.extend_from_slice(&part.octets);
            output.close = part.close;
        }
        if output.close {
            self.input.clear();
        }
        output
    }

    fn request(&mut self, request: &Request) -> HttpOutput {
        let fault = &self.profile.server.fault;
        if let Some(status) = fault.http_status.filter(|_| plays(self.hits.http, fault.times)) {
            self.hits.http += 1;
            self.log.note(true, format!("HTTP: answered {status}, as the profile says"));
            return self.without_body(status, request);
        }
        if let Some(page) = self.page(request) {
            return page;
        }
        if let Some((status, why)) = self.unfit(request) {
            return self.refuse(status, &why);
        }
        let encoding = Encoding::of(content_type(request)).unwrap_or(Encoding::Wbxml);
        let reply = match decode(&request.body, encoding) {
            Ok((root, session_id, first)) => {
                self.select_session(&session_id, first);
                if self.is_silent() {
                    return HttpOutput { octets: Vec::new(), close: true };
                }
                self.hand_over(&root, encoding, request)
            }
            Err(why) => match &mut self.session {
                Some(session) if !session.is_over() => session.give_up(&why, &mut self.log),
                _ => {
                    self.log.note(false, why);
                    Reply::BadRequest
                }
            },
        };
        self.answer(reply, request)
    }

    /// The answer to a browser.
    fn page(&mut self, request: &Request) -> Option<HttpOutput> {
        let is_asked = |page: &&Page| request.method == "GET" && request.target == page.path;
        let page = self.profile.pages.iter().find(is_asked)?;
        let close = self.closes(request);
        let (media_type, body) = (page.media_type.as_str(), page.body.as_slice());
        let content = Some(http::Content { media_type, hmac: None, body });
        let octets = http::response(200, content, self.profile.server.framing, close);
        self.log.note(true, format!("HTTP: page {} read", page.path));
        Some(HttpOutput { octets, close })
    }

    /// What makes a request unfit for the DM server.
    fn unfit(&self, request: &Request) -> Option<(u16, String)> {
        let (authority, path) = split_address(&self.profile.account.address);
        let later = self.session.as_ref().map(Session::address).map(split_address);
        let known = request.target == path || later.is_some_and(|(_, path)| request.target == path);
        if !known {
            return Some((404, format!("path {:?}", request.target)));
        }
        if request.method != "POST" {
            return Some((405, format!("method {:?}", request.method)));
        }
        match request.header("host") {
            None => return Some((400, "no Host".to_owned())),
            Some(host) if !host.eq_ignore_ascii_case(authority) => {
                return Some((400, format!("Host {host:?} instead of {authority:?}")));
            }
            Some(_) => {}
        }
        let content_type = content_type(request);
        let wrong = Encoding::of(content_type).is_none();
        wrong.then(|| (415, format!("Content-Type {content_type:?}")))
    }

    /// Makes the session of that id the current one.
    fn select_session(&mut self, session_id: &str, first: bool) {
        let current = self.session.as_ref().is_some_and(|session| {
            session.id() == session_id && !(session.is_over() && first && session.answers() > 0)
        });
        if current {
            return;
        }
        if let Some(session) = &mut self.session {
            session.abandon(&mut self.log);
        }
        let origin = self.origin(session_id);
        let mut ctx =
            Context { profile: &self.profile, memory: &mut self.memory, log: &mut self.log };
        self.session = Some(Session::new(session_id, origin, &mut ctx));
    }

    fn origin(&mut self, session_id: &str) -> Origin {
        let index = self.issued.iter().position(|issued| issued.session_id == session_id);
        let issued = index.and_then(|index| self.issued.remove(index));
        let fault = &self.profile.server.fault;
        let wrong = fault.server_credentials && plays(self.hits.credentials, fault.times);
        self.hits.credentials += u32::from(wrong);
        Origin {
            triggered: issued.is_some(),
            resync: issued.as_ref().is_some_and(|issued| issued.resync),
            forbidden: issued.as_ref().is_some_and(|issued| issued.forbidden),
            wrong_credentials: wrong,
        }
    }

    /// Whether the server has stopped talking in the current session.
    fn is_silent(&self) -> bool {
        let limit = self.profile.server.fault.close_after;
        let session = self.session.as_ref();
        limit.zip(session).is_some_and(|(limit, session)| {
            session.is_over() && session.was_cut() && session.answers() >= limit
        })
    }

    fn hand_over(&mut self, root: &Element, encoding: Encoding, request: &Request) -> Reply {
        let Some(session) = &mut self.session else { return Reply::BadRequest };
        let (_, path) = split_address(session.address());
        let mut faults = Vec::new();
        if request.target != path {
            faults.push(format!("HTTP: path {:?} instead of {path:?}", request.target));
        }
        let accept = request.header("accept").unwrap_or_default();
        let takes = |wanted: &str| accept.split(',').any(|found| media_type(found) == wanted);
        let wanted = encoding.media_type();
        if !takes(wanted) && !takes("*/*") {
            faults.push(format!("HTTP: Accept {accept:?} without {wanted}"));
        }
        let hmac = request.header("x-syncml-hmac");
        let incoming = Incoming { root, encoding, body: &request.body, hmac };
        let mut ctx =
            Context { profile: &self.profile, memory: &mut self.memory, log: &mut self.log };
        session.receive(&incoming, &faults, &mut ctx)
    }

    fn answer(&mut self, reply: Reply, request: &Request) -> HttpOutput {
        let message = match reply {
            Reply::Message(message) => message,
            Reply::Empty => return self.without_body(200, request),
            Reply::BadRequest => return self.without_body(400, request),
        };
        let stops = self.stops_here();
        let close = stops || self.closes(request);
        let content = Some(http::Content {
            media_type: message.encoding.media_type(),
            hmac: message.hmac.as_deref(),
            body: &message.octets,
        });
        let octets = http::response(200, content, self.profile.server.framing, close);
        HttpOutput { octets, close }
    }

    /// Whether the server closes behind this answer and is silent from then on.
    fn stops_here(&mut self) -> bool {
        let fault = &self.profile.server.fault;
        let Some(session) = &mut self.session else { return false };
        let reached = fault.close_after == Some(session.answers());
        let stops = reached && !session.is_over() && plays(self.hits.closed, fault.times);
        if stops {
            self.hits.closed += 1;
            session.cut(&mut self.log);
        }
        stops
    }

    fn closes(&self, request: &Request) -> bool {
        let asked = request.header("connection").unwrap_or_default();
        self.profile.server.connection == Connection::Close || asked.eq_ignore_ascii_case("close")
    }

    fn without_body(&self, status: u16, request: &Request) -> HttpOutput {
        let close = self.closes(request);
        let octets = http::response(status, None, self.profile.server.framing, close);
        HttpOutput { octets, close }
    }

    fn refuse(&mut self, status: u16, why: &str) -> HttpOutput {
        self.log.note(false, format!("HTTP: {why}, answered {status}"));
        let octets = http::response(status, None, self.profile.server.framing, true);
        HttpOutput { octets, close: true }
    }

    /// Package #0 with the profile's fault in it, or without.
    fn build_notification(&mut self) -> Vec<u8> {
        let settings = &self.profile.notification;
        let faulty = plays(self.notifications, settings.wrong_times);
        self.notifications += 1;
        let account = &self.profile.account;
        let digest = if faulty { settings.digest } else { NotificationDigest::Right };
        let other = settings.server_id.as_deref().filter(|_| faulty);
        let session_id = self.memory.next_session_id();
        let trigger = Trigger {
            version: notification::VERSION_DM_12,
            ui_mode: settings.ui_mode,
            initiator: settings.initiator,
            session_id,
            server_id: other.unwrap_or(&account.server_id),
            vendor: settings.vendor.as_ref().map_or(&[], |vendor| vendor.as_slice()),
        };
        let resync = digest == NotificationDigest::Resync;
        let stored = self.memory.server_nonce();
        let nonce = if resync { &auth::RESYNC_NONCE[..] } else { stored };
        let mut package = trigger.package(&account.server.secret, nonce);
        if digest == NotificationDigest::Wrong
            && let Some(first) = package.first_mut()
        {
            *first ^= 0x01;
        }
        let forbidden = digest == NotificationDigest::Wrong || other.is_some();
        let session_id = format!("{session_id:X}");
        let kind = if forbidden { "wrong" } else { "right" };
        self.log.note(true, format!("notification for session {session_id}, {kind}"));
        if self.issued.len() == MAX_ISSUED {
            self.issued.pop_front();
        }
        self.issued.push_back(Issued { session_id, resync, forbidden });
        notification::push(&package)
    }

    fn save(&mut self) {
        let Some(path) = &self.profile.server.memory_file else { return };
        if let Err(error) = self.memory.save(path) {
            self.log.note(false, error);
        }
    }
}

impl Application for DmServer {
    fn http_received(&mut self, octets: &[u8]) -> HttpOutput {
        self.input.extend_from_slice(octets);
        let output = self.run();
        self.save();
        output
    }

    fn http_closed(&mut self) {
        if !self.input.is_empty() {
            self.log.note(false, "HTTP: connection closed inside a request");
        }
        self.input.clear();
    }

    fn notification(&mut self) -> Vec<u8> {
        let push = self.build_notification();
        self.save();
        push
    }

    fn reset(&mut self) {
        self.input.clear();
    }

    fn findings(&self) -> Vec<Finding> {
        self.log.lines()
    }

    fn good_sessions(&self) -> u32 {
        self.log.good_sessions
    }

    fn bad_sessions(&self) -> u32 {
        self.log.bad_sessions
    }
}

/// Whether a fault that was played so often is played again. Zero times means always.
fn plays(played: u32, times: u32) -> bool {
    times == 0 || played < times
}

/// The message's tree, its session id, and whether it calls itself the first one.
fn decode(body: &[u8], encoding: Encoding) -> Result<(Element, String, bool), String> {
    let root = encoding.decode(body)?;
    let header = incoming::read(&root)?.header;
    Ok((root, header.session_id, header.msg_id == "1"))
}

/// Authority and path of an `http` address.
fn split_address(address: &str) -> (&str, &str) {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    }
}

/// The media type of the body, without its parameters.
fn content_type(request: &Request) -> &str {
    media_type(request.header("content-type").unwrap_or_default())
}

/// A media type without its parameters.
fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}
