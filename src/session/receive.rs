//! The server's messages before their commands: header, credentials, and answers to what the client
//! sent (DM Protocol 1.2.1, 8 and 9).

use super::address::may_move;
use super::answered;
use super::engine::{Engine, size};
use super::login::{Next, Verdict};
use super::outbox::Purpose;
use super::package::{Answering, Extent, VER_DTD, VER_PROTO};
use super::run::Run;
use super::{Context, SessionEvent, Step};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::store::Txn;
use crate::syncml::model::{Command, Header, Message, Meta, Status};
use crate::syncml::{self, status};

impl Engine {
    /// Takes one message from its octets to the reply.
    pub(super) fn take_message(
        &mut self,
        ctx: Context<'_>,
        txn: Txn,
        body: &[u8],
        hmac: Option<&str>,
    ) -> Result<Step> {
        if let Some(error) = self.ending.take() {
            return Err(error);
        }
        self.count()?;
        let (message, _) = syncml::read(body)?;
        self.check_session(&message.header)?;
        let (number, octets, is_final) = (self.received, body.len(), message.is_final);
        self.events.push(SessionEvent::PackageReceived { number, octets, is_final });
        self.guard.check(message.header.cred.as_ref(), hmac, body);
        self.note_guard();
        let next = self.login.heard(header_answer(&message, self.msg_id))?;
        if has_alert(&message.commands, status::ALERT_ABORT) {
            return Err(Error::new(Code::Aborted, "session: the server has aborted it"));
        }
        self.may_close |= is_final;
        self.take_header(&message.header);
        self.executor.room = self.room();
        self.take_statuses(&message.commands);
        if has_alert(&message.commands, status::ALERT_NO_END_OF_DATA) {
            self.outbox.drop_started();
        }
        if next == Next::Again {
            self.events.push(SessionEvent::LoginRepeated);
            self.queue_login();
            self.may_close = true;
        }
        self.executor.turn_page(&txn)?;
        let run = Run::new(message.header.msg_id, message.commands);
        self.dispatch(ctx, txn, run, next)
    }

    /// Executes the commands, or answers them without executing any.
    fn dispatch(
        &mut self,
        ctx: Context<'_>,
        txn: Txn,
        mut run: Run<'_>,
        next: Next,
    ) -> Result<Step> {
        if self.guard.verdict() != Verdict::Accepted {
            self.events.push(SessionEvent::ServerRefused);
            if !run.is_empty() {
                run.refuse_all(self.guard.refuse()?);
                self.report(&mut run);
            }
            let extent = match next {
                Next::Again => Extent::Everything,
                Next::Proceed => Extent::Statuses,
            };
            return self.send(ctx.random, extent, Some(run));
        }
        if self.ending.is_some() {
            self.outbox.remove(|_| true);
            run.refuse_all(status::NOT_EXECUTED);
            self.report(&mut run);
            return self.send(ctx.random, Extent::Statuses, Some(run));
        }
        self.work(ctx, run, txn)
    }

    fn count(&mut self) -> Result<()> {
        self.received += 1;
        if self.received <= limits::SESSION_MESSAGES {
            return Ok(());
        }
        let what = format!("session: more than {} messages", limits::SESSION_MESSAGES);
        Err(Error::new(Code::TooLarge, what))
    }

    fn check_session(&self, header: &Header<'_>) -> Result<()> {
        let id = header.session_id.trim();
        if u16::from_str_radix(id, 16) == Ok(self.facts.session_number) {
            return Ok(());
        }
        Err(Error::new(Code::Protocol, "session: the server's message has another SessionID"))
    }

    fn note_guard(&mut self) {
        if self.guard.is_fresh() && !self.greeted {
            self.greeted = true;
            self.events.push(SessionEvent::ServerAuthenticated);
        }
    }

    /// Notes what the header asks for; what cannot be followed ends the session after the reply.
    fn take_header(&mut self, header: &Header<'_>) {
        let mut failed = None;
        if header.ver_proto.trim() != VER_PROTO {
            failed = Some((status::PROTOCOL_NOT_SUPPORTED, "VerProto is not DM/1.2"));
        } else if header.ver_dtd.trim() != VER_DTD {
            failed = Some((status::DTD_NOT_SUPPORTED, "VerDTD is not 1.2"));
        } else if let Some(uri) = header.resp_uri.as_deref() {
            if may_move(&self.uri, uri.trim()) {
                self.uri = uri.trim().to_owned();
            } else {
                failed = Some((status::PROCESSING_ERROR, "RespURI leads to another place"));
            }
        }
        if let Some(octets) = header.meta.max_msg_size() {
            let octets = octets.max(limits::MIN_MSG_SIZE).min(self.facts.max_msg_size);
            self.max_msg_size = size(octets);
        }
        if let Some(octets) = header.meta.max_obj_size() {
            self.executor.max_sent_object = Some(octets);
            self.outbox.max_object = size(octets);
        }
        self.answering = Some(Answering {
            msg_id: header.msg_id.clone().into_owned(),
            target: header.target.uri.clone().into_owned(),
            source: header.source.uri.clone().into_owned(),
            status: failed.map(|(code, _)| code),
        });
        self.ending = failed
            .map(|(code, what)| answered(Code::Protocol, code, what).context("server's message"));
    }

    /// Takes the server's Status elements for alerts and Results.
    fn take_statuses(&mut self, commands: &[Command<'_>]) {
        for status in statuses(commands).filter(|status| !is_for_header(status)) {
            let purpose = self.sent.iter().find(|sent| {
                status.msg_ref.trim().parse() == Ok(sent.msg_id)
                    && status.cmd_ref.trim().parse() == Ok(sent.cmd_id)
            });
            let failed = status.code >= 300;
            match purpose.map(|sent| sent.purpose) {
                Some(Purpose::HostAlert(number)) => self.alerts_heard.push((number, status.code)),
                Some(Purpose::Reply) if failed => self.outbox.drop_started(),
                _ => {}
            }
        }
        self.note_answers();
    }

    /// Takes the answers to alerts once the server has proved itself: nobody else may make the host's alerts
    /// disappear.
    fn note_answers(&mut self) {
        if self.guard.verdict() == Verdict::Accepted {
            let heard = std::mem::take(&mut self.alerts_heard);
            heard.into_iter().for_each(|(number, code)| self.alert_answered(number, code));
        } else if self.guard.proves_each_message() {
            self.alerts_heard.clear();
        }
    }

    fn alert_answered(&mut self, number: u64, code: status::Status) {
        // Of a login that failed nothing counts as delivered.
        if matches!(code, status::UNAUTHORIZED | status::CREDENTIALS_MISSING) {
            return;
        }
        let before = self.alerts.len();
        self.alerts.retain(|alert| alert.number() != number);
        if self.alerts.len() < before {
            self.events.push(SessionEvent::AlertAnswered { number, status: code });
        }
    }
}

fn statuses<'c, 'm>(commands: &'c [Command<'m>]) -> impl Iterator<Item = &'c Status<'m>> {
    commands.iter().filter_map(|command| match command {
        Command::Status(status) => Some(status),
        _ => None,
    })
}

fn is_for_header(status: &Status<'_>) -> bool {
    status.cmd == "SyncHdr" || status.cmd_ref.trim() == "0"
}

/// The Status that tells how the login with message `msg_id` went: that of the SyncHdr, or else a
/// challenge on a command of package 1. What refers to another message counts for nothing.
fn header_answer<'c, 'm>(
    message: &'c Message<'m>,
    msg_id: u32,
) -> Option<(status::Status, Option<&'c Meta<'m>>)> {
    let statuses = |commands| {
        statuses(commands).filter(move |status| status.msg_ref.trim().parse() == Ok(msg_id))
    };
    let refused = |status: &&Status<'_>| {
        matches!(status.code, status::UNAUTHORIZED | status::CREDENTIALS_MISSING)
            && status.chal.is_some()
    };
    let header = statuses(&message.commands).find(|status| is_for_header(status));
    let answer = match header {
        Some(header) if header.code >= 300 => header,
        header => statuses(&message.commands).find(refused).or(header)?,
    };
    Some((answer.code, answer.chal.as_deref()))
}

/// True if one of the commands, at any depth, is this alert. Depth is bounded by the markup reader.
fn has_alert(commands: &[Command<'_>], code: status::AlertCode) -> bool {
    commands.iter().any(|command| match command {
        Command::Alert(alert) => alert.code == Some(code),
        Command::Group(group) => has_alert(&group.commands, code),
        _ => false,
    })
}
