//! One DM session, from the server's side: octets of a message in, the next message out.
//!
//! Knows the protocol and the script; knows nothing of HTTP.

mod login;

use std::collections::VecDeque;

use super::encoding::Encoding;
use super::incoming::{self, Command as Received, Message};
use super::log::Log;
use super::memory::Memory;
use super::order;
use super::outgoing::{Answer, Body, Header, Sent};
use super::results::Owed;
use super::script::Command;
use super::setup::Setup;
use super::wbxml::Element;
use crate::profile::Profile;

/// More messages than this in a session are a loop.
const MAX_MESSAGES: u32 = 500;

/// What a session works with beside its own state.
pub(crate) struct Context<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) memory: &'a mut Memory,
    pub(crate) log: &'a mut Log,
}

/// How the session came about, as far as the server knows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// A notification with this session id went out.
    pub(crate) triggered: bool,
    /// That notification asked for nonce resynchronisation.
    pub(crate) resync: bool,
    /// That notification was wrong and has to be ignored by the terminal.
    pub(crate) forbidden: bool,
    /// The server shows wrong credentials in this session.
    pub(crate) wrong_credentials: bool,
}

/// A message of the terminal.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) root: &'a Element,
    pub(crate) encoding: Encoding,
    pub(crate) body: &'a [u8],
    /// The `x-syncml-hmac` header.
    pub(crate) hmac: Option<&'a str>,
}

/// A message of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) octets: Vec<u8>,
    pub(crate) encoding: Encoding,
    /// The `x-syncml-hmac` header.
    pub(crate) hmac: Option<String>,
}

/// What goes back for a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The next message.
    Message(Outgoing),
    /// Nothing more: the session is over.
    Empty,
    /// The request was no DM message.
    BadRequest,
}

/// Where the server stands with its own credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    /// They have to be in the next message.
    Due,
    /// The terminal took them for the whole session.
    Accepted,
}

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Session {
    id: String,
    origin: Origin,
    /// That of the terminal's last message.
    encoding: Encoding,
    number: u32,
    last_received: u32,
    last_sent: u32,
    address: String,
    device: String,
    client_accepted: bool,
    challenges: u32,
    login: Login,
    /// The last message of the server had its credentials in it.
    shown: bool,
    refusals: u32,
    setup: Option<Setup>,
    owed: Vec<Owed>,
    package: Vec<Command>,
    messages: VecDeque<Vec<Command>>,
    next_package: usize,
    failed: bool,
    over: bool,
    cut: bool,
}

impl Session {
    /// A session whose first message is about to be handed over.
    pub(crate) fn new(id: &str, origin: Origin, ctx: &mut Context<'_>) -> Self {
        let number = ctx.memory.begin_session();
        ctx.log.note(true, format!("session {id}: begins"));
        Self {
            id: id.to_owned(),
            origin,
            encoding: Encoding::Wbxml,
            number,
            last_received: 0,
            last_sent: 0,
            address: ctx.profile.account.address.clone(),
            device: String::new(),
            client_accepted: false,
            challenges: 0,
            login: Login::Due,
            shown: false,
            refusals: 0,
            setup: Some(Setup::default()),
            owed: Vec::new(),
            package: Vec::new(),
            messages: VecDeque::new(),
            next_package: 0,
            failed: false,
            over: false,
            cut: false,
        }
    }

    /// The session's id, as in SyncHdr.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the verdict is out.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether it was the server that stopped.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut
    }

    /// Messages that the server sent.
    pub(crate) fn answers(&self) -> u32 {
        self.last_sent
    }

    /// Where the terminal has to send its next message.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Ends a session whose terminal went silent.
    pub(crate) fn abandon(&mut self, log: &mut Log) {
        if self.over {
            return;
        }
        let refused = self.origin.wrong_credentials && self.refusals > 0;
        self.judge(log, refused, "the terminal stopped in the middle");
        self.finish(log);
    }

    /// Ends the session without a verdict: it was the server that stopped.
    pub(crate) fn cut(&mut self, log: &mut Log) {
        self.over = true;
        self.cut = true;
        log.note(true, format!("session {}: the server stops, as its profile says", self.id));
    }

    /// Takes a message of this session, with what HTTP found wrong.
    pub(crate) fn receive(
        &mut self,
        incoming: &Incoming<'_>,
        faults: &[String],
        ctx: &mut Context<'_>,
    ) -> Reply {
        let (root, length) = (incoming.root, incoming.body.len());
        self.encoding = incoming.encoding;
        if self.over && !self.reopens(root, ctx.log) {
            self.late_message(ctx.log);
            return Reply::Empty;
        }
        faults.iter().for_each(|fault| self.fail(ctx.log, fault));
        if let Some(disorder) = order::first_disorder(root) {
            self.fail(ctx.log, &format!("order of elements: {disorder}"));
        }
        let limit = ctx.profile.server.max_msg_size.filter(|_| self.last_sent > 0);
        if let Some(limit) = limit.filter(|limit| length > *limit) {
            self.fail(ctx.log, &format!("{length} octets above MaxMsgSize {limit}"));
        }
        let message = match incoming::read(root) {
            Ok(message) => message,
            Err(fault) => return self.give_up(&fault, ctx.log),
        };
        self.check_header(&message, ctx);
        if self.last_received > MAX_MESSAGES {
            return self.give_up("too many messages", ctx.log);
        }
        self.respond(&message, incoming, ctx)
    }

    /// Ends the session because of a message that cannot be answered.
    pub(crate) fn give_up(&mut self, fault: &str, log: &mut Log) -> Reply {
        self.fail(log, fault);
        self.finish(log);
        Reply::BadRequest
    }

    fn respond(
        &mut self,
        message: &Message,
        incoming: &Incoming<'_>,
        ctx: &mut Context<'_>,
    ) -> Reply {
        let sync_hdr = match self.authenticate(message, incoming, ctx) {
            Ok(answer) => answer,
            Err(code) => return self.challenge(message, code, ctx),
        };
        let refusals = self.refusals;
        let mut answers = vec![sync_hdr];
        for command in &message.commands {
            answers.extend(self.take_command(command, ctx));
        }
        if self.over {
            return Reply::Empty;
        }
        if self.refusals > refusals {
            return self.after_refusal(answers, ctx);
        }
        self.continue_package(message, answers, ctx)
    }

    /// The client's package goes on, or it is complete and the server's next one begins.
    fn continue_package(
        &mut self,
        message: &Message,
        answers: Vec<Answer>,
        ctx: &mut Context<'_>,
    ) -> Reply {
        let server_unfinished = !self.messages.is_empty();
        if message.is_final && server_unfinished {
            self.fail(ctx.log, "Final before the server's own");
        }
        let owes = self.owed.iter().any(|owed| owed.code.is_none());
        if !message.is_final && (owes || !server_unfinished) {
            return self.send(answers, None, ctx);
        }
        self.close_answers(ctx);
        if !server_unfinished {
            self.next_package(ctx);
        }
        let commands = self.messages.pop_front().unwrap_or_default();
        self.send(answers, Some(&commands), ctx)
    }

    /// Everything that was sent has to be answered by now.
    fn close_answers(&mut self, ctx: &mut Context<'_>) {
        for owed in std::mem::take(&mut self.owed) {
            if let Some(missing) = owed.missing() {
                self.fail(ctx.log, &missing);
            }
        }
    }

    fn next_package(&mut self, ctx: &mut Context<'_>) {
        if let Some(setup) = self.setup.take() {
            let faults = setup.faults(self.origin.triggered, &self.device);
            let kind = if self.origin.triggered { "1200" } else { "1201" };
            if faults.is_empty() {
                self.note(ctx.log, &format!("package 1 with Alert {kind} and DevInfo"));
            }
            faults.iter().for_each(|fault| self.fail(ctx.log, &format!("package 1: {fault}")));
        }
        if let Some(package) = ctx.profile.script.get(self.next_package) {
            self.messages = package.messages(self.number).into();
        }
        self.next_package += 1;
    }

    // ---- the terminal's header

    fn check_header(&mut self, message: &Message, ctx: &mut Context<'_>) {
        let header = &message.header;
        let log = &mut *ctx.log;
        let failed = std::mem::take(&mut self.failed);
        if self.last_received == 0 {
            self.device = header.source.clone();
            if self.origin.forbidden {
                self.fail(log, "begins after a notification that had to be ignored");
            }
            if header.source.is_empty() {
                self.fail(log, "SyncHdr without Source");
            }
        }
        self.expect(log, "VerDTD", &header.ver_dtd, "1.2");
        self.expect(log, "VerProto", &header.ver_proto, "DM/1.2");
        let (address, device) = (self.address.clone(), self.device.clone());
        self.expect(log, "Target of SyncHdr", &header.target, &address);
        self.expect(log, "Source of SyncHdr", &header.source, &device);
        self.last_received += 1;
        let counted = self.last_received.to_string();
        self.expect(log, "MsgID", &header.msg_id, &counted);
        self.check_ids(message, log);
        if !self.failed {
            self.note(log, &format!("message {counted}: header and command ids"));
        }
        self.failed |= failed;
    }

    fn check_ids(&mut self, message: &Message, log: &mut Log) {
        let mut seen: Vec<&str> = Vec::new();
        for command in &message.commands {
            let id = command.cmd_id.as_str();
            if id.is_empty() || id == "0" || seen.contains(&id) {
                self.fail(log, &format!("CmdID {id:?} of {} is not unique", command.name));
            }
            if command.has_cred {
                self.fail(log, &format!("credentials inside {}", command.name));
            }
            seen.push(id);
        }
        let first = message.commands.iter().find(|command| command.name == "Status");
        if self.last_sent > 0 && first.is_none_or(|status| status.cmd_ref != "0") {
            self.fail(log, "the first Status is not the one for SyncHdr");
        }
    }

    // ---- what the terminal answers and sends

    fn take_status(&mut self, status: &Received, ctx: &mut Context<'_>) {
        let found = self.owed.iter().position(|owed| {
            Some(owed.msg_id.to_string()) == status.msg_ref
                && owed.sent.cmd_id.to_string() == status.cmd_ref
        });
        let (Some(index), Ok(code)) = (found, status.code.parse::<u16>()) else {
            return self.unexpected_status(status, ctx.log);
        };
        let mut owed = std::mem::take(&mut self.owed);
        let same_message = owed.get(index).map(|owed| owed.msg_id);
        let mut later = owed.iter().skip(index + 1);
        if later.any(|owed| Some(owed.msg_id) == same_message && owed.code.is_some()) {
            self.fail(ctx.log, &format!("Status for {} out of order", status.answered));
        }
        if status.cmd_ref == "0" {
            self.take_header_status(status, code, ctx);
        }
        if let Some(entry) = owed.get_mut(index) {
            self.judge_status(entry, status, code, ctx.log);
        }
        self.owed = owed;
    }

    fn judge_status(&mut self, entry: &mut Owed, status: &Received, code: u16, log: &mut Log) {
        let mut faults = entry.status(status, code);
        // While the server's own credentials are refused, every command shares that code.
        if self.refusals > 0 {
            faults = if matches!(code, 401 | 407) {
                Vec::new()
            } else {
                vec![format!("{}: Status {code} though credentials were refused", entry.label())]
            };
        }
        if faults.is_empty() {
            self.note(log, &format!("{}: Status {code}", entry.label()));
        }
        faults.iter().for_each(|fault| self.fail(log, fault));
    }

    fn unexpected_status(&mut self, status: &Received, log: &mut Log) {
        let text = format!(
            "Status {} for message {:?} command {} ({}) that was not sent",
            status.code, status.msg_ref, status.cmd_ref, status.answered
        );
        self.fail(log, &text);
    }

    fn take_command(&mut self, command: &Received, ctx: &mut Context<'_>) -> Option<Answer> {
        let msg_id = self.last_received;
        match (command.name, command.code.as_str()) {
            ("Status", _) => {
                self.take_status(command, ctx);
                None
            }
            ("Results", _) => self.take_results(command, ctx),
            ("Alert", "1223") => {
                let refused = self.origin.wrong_credentials && self.refusals > 0;
                self.judge(ctx.log, refused, "the terminal aborts the session");
                self.finish(ctx.log);
                None
            }
            ("Alert", code @ ("1200" | "1201")) => {
                match &mut self.setup {
                    Some(setup) => setup.alert(code),
                    None => self.fail(ctx.log, &format!("Alert {code} behind package 1")),
                }
                Some(answer_to(command, msg_id, 200))
            }
            ("Replace", _) => {
                match &mut self.setup {
                    Some(setup) => setup.replace(command),
                    None => self.fail(ctx.log, "Replace behind package 1"),
                }
                Some(answer_to(command, msg_id, 200))
            }
            ("Alert", "1222") => Some(answer_to(command, msg_id, 200)),
            ("Alert", code) if is_event(code) => {
                let fault = event_fault(command);
                let correlator = command.correlator.as_deref().unwrap_or("none");
                let text = format!("Alert {} is complete, correlator {correlator}", command.code);
                self.check(ctx.log, !fault, &text);
                Some(answer_to(command, msg_id, if fault { 412 } else { 200 }))
            }
            (name, code) => {
                self.fail(ctx.log, &format!("a terminal may not send {name} {code}"));
                Some(answer_to(command, msg_id, 405))
            }
        }
    }

    fn take_results(&mut self, results: &Received, ctx: &mut Context<'_>) -> Option<Answer> {
        let msg_ref = results.msg_ref.as_deref().unwrap_or("1");
        let mut owed = std::mem::take(&mut self.owed);
        let entry = owed.iter_mut().find(|owed| {
            owed.msg_id.to_string() == msg_ref && owed.sent.cmd_id.to_string() == results.cmd_ref
        });
        let (code, label, faults) = match entry {
            Some(entry) => {
                let (code, faults) = entry.results(results);
                (code, entry.label(), faults)
            }
            None => (400, String::new(), vec!["Results for nothing that was sent".to_owned()]),
        };
        self.owed = owed;
        if faults.is_empty() {
            self.note(ctx.log, &format!("{label}: Results as wanted"));
        }
        faults.iter().for_each(|fault| self.fail(ctx.log, fault));
        // Results are answered only when there is more to say than 200.
        (code != 200).then(|| answer_to(results, self.last_received, code))
    }

    // ---- what the server sends

    /// Sends answers and the next commands; without commands it asks for the next message.
    fn send(
        &mut self,
        answers: Vec<Answer>,
        commands: Option<&[Command]>,
        ctx: &mut Context<'_>,
    ) -> Reply {
        let mut body = Body::default();
        answers.iter().for_each(|answer| body.answer(answer));
        let Some(commands) = commands else {
            body.next_message();
            return self.write(body, false, true, ctx);
        };
        commands.iter().for_each(|command| body.command(command));
        self.package = commands.to_vec();
        let is_final = self.messages.is_empty();
        let ends = is_final && commands.is_empty();
        let reply = self.write(body, is_final, true, ctx);
        if ends {
            self.finish(ctx.log);
        }
        reply
    }

    fn write(&mut self, body: Body, is_final: bool, login: bool, ctx: &mut Context<'_>) -> Reply {
        self.last_sent += 1;
        self.shown = login && self.login == Login::Due;
        let cred = self.shown.then(|| self.credentials(ctx));
        let server = &ctx.profile.server;
        let resp_uri = server.resp_query.as_deref().map(|query| {
            format!("{}?{}", ctx.profile.account.address, query.replace("{session}", &self.id))
        });
        let header = Header {
            session_id: &self.id,
            msg_id: self.last_sent,
            device: &self.device,
            address: &ctx.profile.account.address,
            resp_uri: resp_uri.as_deref(),
            cred,
            max_msg_size: server.max_msg_size,
            max_obj_size: server.max_obj_size,
        };
        let (message, sent) = body.finish(&header, is_final);
        let octets = match self.encoding.encode(&message) {
            Ok(octets) => octets,
            Err(why) => {
                ctx.log.note(false, format!("the server cannot write its message: {why}"));
                return Reply::Empty;
            }
        };
        let hmac = self.shown.then(|| self.hmac(&octets, ctx)).flatten();
        let header = Sent {
            cmd_id: 0,
            name: "SyncHdr",
            target: Some(self.device.clone()),
            source: Some(ctx.profile.account.address.clone()),
            command: None,
        };
        let owed = std::iter::once(header).chain(sent).map(|sent| Owed::new(self.last_sent, sent));
        self.owed.extend(owed);
        if let Some(uri) = resp_uri {
            self.address = uri;
        }
        Reply::Message(Outgoing { octets, encoding: self.encoding, hmac })
    }

    // ---- findings and the verdict

    fn note(&self, log: &mut Log, text: &str) {
        log.note(true, format!("session {}: {text}", self.id));
    }

    fn fail(&mut self, log: &mut Log, text: &str) {
        self.failed = true;
        log.note(false, format!("session {}: {text}", self.id));
    }

    /// Notes something that happened, which is good or not.
    fn judge(&mut self, log: &mut Log, good: bool, text: &str) {
        if good { self.note(log, text) } else { self.fail(log, text) }
    }

    /// Notes a demand, met or not.
    fn check(&mut self, log: &mut Log, met: bool, text: &str) {
        if met { self.note(log, text) } else { self.fail(log, &format!("not so: {text}")) }
    }

    fn expect(&mut self, log: &mut Log, what: &str, found: &str, wanted: &str) {
        if found != wanted {
            self.fail(log, &format!("{what} is {found:?} instead of {wanted:?}"));
        }
    }

    fn finish(&mut self, log: &mut Log) {
        if self.over {
            return;
        }
        self.over = true;
        if self.failed {
            log.bad_sessions += 1;
        } else {
            log.good_sessions += 1;
        }
        let verdict = if self.failed { "bad" } else { "good" };
        log.note(!self.failed, format!("session {}: ends, {verdict}", self.id));
    }

    /// Whether a message behind the end brings a pending event, which goes on with the session.
    fn reopens(&mut self, root: &Element, log: &mut Log) -> bool {
        let events = |message: Message| {
            let mut commands = message.commands.into_iter();
            commands.any(|command| command.name == "Alert" && is_event(&command.code))
        };
        if self.cut || !incoming::read(root).is_ok_and(events) {
            return false;
        }
        let count = if self.failed { &mut log.bad_sessions } else { &mut log.good_sessions };
        *count = count.saturating_sub(1);
        self.over = false;
        self.note(log, "goes on for an event of the terminal");
        true
    }

    /// A message behind the end turns a good verdict into a bad one.
    fn late_message(&mut self, log: &mut Log) {
        if !self.failed {
            log.good_sessions = log.good_sessions.saturating_sub(1);
            log.bad_sessions += 1;
        }
        self.fail(log, "a message behind the end of the session");
    }
}

fn answer_to(command: &Received, msg_id: u32, code: u16) -> Answer {
    Answer {
        msg_ref: msg_id.to_string(),
        cmd_ref: command.cmd_id.clone(),
        cmd: command.name.to_owned(),
        target_ref: command.items.first().and_then(|item| item.target.clone()),
        source_ref: None,
        chal: None,
        code,
    }
}

/// Alert 1224, a client event, or 1226, a generic alert.
fn is_event(code: &str) -> bool {
    matches!(code, "1224" | "1226")
}

/// Whether an event or generic alert lacks something that it has to have.
fn event_fault(alert: &Received) -> bool {
    let generic = alert.code == "1226";
    let wrong = alert.items.iter().any(|item| {
        let mime = item.mime.as_deref().unwrap_or_default();
        // The types of SCOMO are registered as they are.
        let named = ["Content-Type:", "Reversed-Domain-Name:", "urn:oma:at:"]
            .iter()
            .any(|begin| mime.starts_with(begin));
        item.format.is_none() || item.data.is_none() || mime.is_empty() || (generic && !named)
    });
    alert.items.is_empty() || wrong
}
