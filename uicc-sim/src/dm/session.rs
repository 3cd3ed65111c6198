//! One DM session, from the server's side: octets of a message in, the next message out.
//!
//! Knows the protocol and the script; knows nothing of HTTP.

mod answers;
mod login;
mod verdict;

use std::collections::VecDeque;

use super::encoding::Encoding;
use super::incoming::{self, Command as Received, Message};
use super::log::Log;
use super::memory::Memory;
use super::order;
use super::outgoing::{Answer, Body, Header, Part, Sent};
use super::results::Owed;
use super::script::{Command, Verb};
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
    /// Values that the server has left without an end: for each an Alert 1225 has to come.
    broken_off: Vec<String>,
    /// Values that the terminal has left without an end.
    endless: Vec<String>,
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
            broken_off: Vec::new(),
            endless: Vec::new(),
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
        // A terminal that has said all it can asks for the rest of the server's package.
        let asks = message.commands.iter().any(|one| one.name == "Alert" && one.code == "1222");
        if !(message.is_final || (server_unfinished && asks)) {
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
            self.endless.extend(owed.endless());
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

    /// Sends answers and the next commands; without commands it asks for the next message.
    fn send(
        &mut self,
        answers: Vec<Answer>,
        commands: Option<&[Command]>,
        ctx: &mut Context<'_>,
    ) -> Reply {
        let mut body = Body::default();
        answers.iter().for_each(|answer| body.answer(answer));
        std::mem::take(&mut self.endless).iter().for_each(|uri| body.no_end_of_data(uri));
        let Some(commands) = commands else {
            body.next_message();
            return self.write(body, false, true, ctx);
        };
        commands.iter().for_each(|command| body.command(command));
        let endless = commands.iter().filter_map(|command| command.verb.write());
        let endless = endless.filter(|write| write.endless).map(|write| write.uri.clone());
        self.broken_off.extend(endless);
        self.package = commands.to_vec();
        let is_final = self.messages.is_empty();
        let aborts = commands.iter().any(|command| matches!(command.verb, Verb::Abort));
        let ends = aborts || (is_final && commands.is_empty());
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
            parts: vec![Part {
                target: Some(self.device.clone()),
                source: Some(ctx.profile.account.address.clone()),
                command: None,
            }],
        };
        let owed = std::iter::once(header).chain(sent).map(|sent| Owed::new(self.last_sent, sent));
        self.owed.extend(owed);
        if let Some(uri) = resp_uri {
            self.address = uri;
        }
        Reply::Message(Outgoing { octets, encoding: self.encoding, hmac })
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
