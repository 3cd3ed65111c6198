//! Both logins of a session: the terminal's credentials, and the server's own.

use super::super::auth;
use super::super::incoming::{Command as Received, Message};
use super::super::outgoing::{Answer, Body};
use super::{Context, Login, Reply, Session, answer_to};
use crate::profile::CredentialsFor;

impl Session {
    /// The Status for SyncHdr, or the code of the challenge.
    pub(super) fn authenticate(
        &mut self,
        message: &Message,
        ctx: &mut Context<'_>,
    ) -> Result<Answer, u16> {
        let for_message = ctx.profile.server.credentials == CredentialsFor::Message;
        if self.client_accepted && !for_message {
            return Ok(self.answer_header(message, 212, None));
        }
        let Some(cred) = &message.header.cred else { return Err(407) };
        let client = &ctx.profile.account.client;
        let resync = self.origin.resync && !self.client_accepted && self.challenges == 0;
        let stored = ctx.memory.client_nonce().unwrap_or_default();
        let nonce = if resync { &auth::RESYNC_NONCE[..] } else { stored };
        let wanted = auth::md5_credential(&client.name, &client.secret, nonce);
        let right = cred.auth_type == auth::AUTH_MD5
            && cred.format == "b64"
            && cred.data == wanted
            && message.header.source_name.as_deref() == Some(client.name.as_str());
        if !right {
            return Err(401);
        }
        if !self.client_accepted {
            self.note(ctx.log, "the terminal's credentials are right");
        }
        self.client_accepted = true;
        let next = ctx.memory.issue_client_nonce();
        Ok(self.answer_header(message, if for_message { 200 } else { 212 }, Some(next)))
    }

    fn answer_header(&self, message: &Message, code: u16, next_nonce: Option<Vec<u8>>) -> Answer {
        Answer {
            msg_ref: message.header.msg_id.clone(),
            cmd_ref: "0".to_owned(),
            cmd: "SyncHdr".to_owned(),
            target_ref: Some(message.header.target.clone()),
            source_ref: Some(message.header.source.clone()),
            next_nonce,
            code,
        }
    }

    /// Refuses every command of the message and asks for credentials.
    pub(super) fn challenge(
        &mut self,
        message: &Message,
        code: u16,
        ctx: &mut Context<'_>,
    ) -> Reply {
        self.challenges += 1;
        // A terminal that was told the nonce has no excuse any more.
        let excused = self.challenges == 1 || (code == 401 && self.challenges == 2);
        let text = match code {
            407 => "credentials missing, challenged",
            _ => "credentials do not fit the nonce, challenged",
        };
        self.judge(ctx.log, excused && !self.client_accepted, text);
        let statuses = message.commands.iter().filter(|command| command.name == "Status");
        statuses.for_each(|status| self.take_status(status, ctx));
        self.owed.clear();
        let nonce = ctx.memory.issue_client_nonce();
        let mut answers = vec![self.answer_header(message, code, Some(nonce))];
        let commands = message.commands.iter().filter(|command| command.name != "Status");
        answers.extend(commands.map(|command| answer_to(command, self.last_received, code)));
        let mut body = Body::default();
        answers.iter().for_each(|answer| body.answer(answer));
        let reply = self.write(body, true, false, ctx);
        if !excused {
            self.finish(ctx.log);
        }
        reply
    }

    /// The terminal's word about the server's credentials, and its next nonce.
    pub(super) fn take_header_status(
        &mut self,
        status: &Received,
        code: u16,
        ctx: &mut Context<'_>,
    ) {
        let nonce = status.chal.as_ref().and_then(|chal| {
            let fits = chal.auth_type == auth::AUTH_MD5 && chal.format == "b64";
            chal.next_nonce.clone().filter(|_| fits)
        });
        let had_nonce = nonce.is_some();
        if let Some(nonce) = nonce {
            let new = nonce != ctx.memory.server_nonce();
            self.check(ctx.log, new, "NextNonce of the terminal is a new one");
            ctx.memory.take_server_nonce(nonce);
            self.origin.resync = false;
        }
        if !self.shown {
            // Nothing was shown, so nothing was judged.
            return;
        }
        match code {
            200 | 212 => {
                let right = !self.origin.wrong_credentials;
                self.judge(ctx.log, right, "the terminal accepts the server's credentials");
                self.login = if code == 212 { Login::Accepted } else { Login::Due };
                self.refusals = 0;
            }
            401 | 407 => {
                self.refusals += 1;
                self.login = Login::Due;
                self.check(ctx.log, had_nonce, "the challenge has a usable NextNonce");
            }
            _ => self.fail(ctx.log, &format!("Status {code} for SyncHdr")),
        }
    }

    /// The terminal refused the server: once more with the new nonce, then no more.
    pub(super) fn after_refusal(&mut self, answers: Vec<Answer>, ctx: &mut Context<'_>) -> Reply {
        self.owed.clear();
        if self.refusals > 1 {
            let wrong = self.origin.wrong_credentials;
            self.judge(ctx.log, wrong, "the terminal refuses the server's credentials twice");
            self.finish(ctx.log);
            return Reply::Empty;
        }
        self.note(ctx.log, "the terminal refuses the server's credentials");
        let commands = std::mem::take(&mut self.package);
        self.send(answers, Some(&commands), ctx)
    }

    pub(super) fn credentials<'a>(&self, ctx: &Context<'a>) -> (&'a str, String) {
        let server = &ctx.profile.account.server;
        let stored = ctx.memory.server_nonce();
        let nonce = if self.origin.resync { &auth::RESYNC_NONCE[..] } else { stored };
        let wrong = if self.origin.wrong_credentials { "wrong" } else { "" };
        let secret = format!("{}{wrong}", server.secret);
        (&server.name, auth::md5_credential(&server.name, &secret, nonce))
    }
}
