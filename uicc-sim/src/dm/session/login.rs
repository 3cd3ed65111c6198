//! Both logins of a session: the terminal's credentials, and the server's own.

use super::super::auth::{self, Scheme};
use super::super::incoming::{Command as Received, Message};
use super::super::outgoing::{Answer, Body, Chal, Cred};
use super::{Context, Incoming, Login, Reply, Session, answer_to};
use crate::profile::CredentialsFor;

impl Session {
    /// The Status for SyncHdr, or the code of the challenge.
    pub(super) fn authenticate(
        &mut self,
        message: &Message,
        incoming: &Incoming<'_>,
        ctx: &mut Context<'_>,
    ) -> Result<Answer, u16> {
        let scheme = ctx.profile.account.client.auth;
        // HMAC proves one message only.
        let for_message =
            ctx.profile.server.credentials == CredentialsFor::Message || scheme == Scheme::Hmac;
        if self.client_accepted && !for_message {
            return Ok(self.answer_header(message, 212, None));
        }
        if !self.is_right(message, incoming, ctx)? {
            return Err(401);
        }
        if !self.client_accepted {
            self.note(ctx.log, "the terminal's credentials are right");
        }
        self.client_accepted = true;
        let chal = (scheme != Scheme::Basic)
            .then(|| Chal { scheme, nonce: Some(ctx.memory.issue_client_nonce()) });
        Ok(self.answer_header(message, if for_message { 200 } else { 212 }, chal))
    }

    /// Whether the terminal's credentials are right. Errors: 407 without any.
    fn is_right(
        &mut self,
        message: &Message,
        incoming: &Incoming<'_>,
        ctx: &mut Context<'_>,
    ) -> Result<bool, u16> {
        let client = &ctx.profile.account.client;
        let resync = self.origin.resync && !self.client_accepted && self.challenges == 0;
        let stored = ctx.memory.client_nonce().unwrap_or_default();
        let nonce = if resync { &auth::RESYNC_NONCE[..] } else { stored };
        let wanted = match client.auth {
            Scheme::Basic => auth::basic_credential(&client.name, &client.secret),
            Scheme::Md5 => auth::md5_credential(&client.name, &client.secret, nonce),
            Scheme::Hmac => {
                let given = incoming.hmac.ok_or(407_u16)?;
                let body = incoming.body;
                if message.header.cred.is_some() {
                    self.fail(ctx.log, "Cred in a message with x-syncml-hmac");
                }
                return Ok(given == auth::hmac_header(&client.name, &client.secret, nonce, body));
            }
        };
        let Some(cred) = &message.header.cred else { return Err(407) };
        Ok(cred.auth_type == client.auth.meta_type()
            && cred.format == "b64"
            && cred.data == wanted
            && message.header.source_name.as_deref() == Some(client.name.as_str()))
    }

    fn answer_header(&self, message: &Message, code: u16, chal: Option<Chal>) -> Answer {
        Answer {
            msg_ref: message.header.msg_id.clone(),
            cmd_ref: "0".to_owned(),
            cmd: "SyncHdr".to_owned(),
            target_ref: Some(message.header.target.clone()),
            source_ref: Some(message.header.source.clone()),
            chal,
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
        let scheme = ctx.profile.account.client.auth;
        let nonce = (scheme != Scheme::Basic).then(|| ctx.memory.issue_client_nonce());
        let mut answers = vec![self.answer_header(message, code, Some(Chal { scheme, nonce }))];
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
            let scheme = ctx.profile.account.server.auth;
            let fits = chal.auth_type == scheme.meta_type() && chal.format == "b64";
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
                let needs_nonce = ctx.profile.account.server.auth != Scheme::Basic;
                let usable = had_nonce == needs_nonce;
                self.check(ctx.log, usable, "the challenge has the NextNonce that it needs");
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

    /// The server's own credentials for the next message.
    pub(super) fn credentials<'a>(&self, ctx: &Context<'a>) -> Cred<'a> {
        let server = &ctx.profile.account.server;
        let (secret, nonce) = self.own_secret(ctx);
        let data = match server.auth {
            Scheme::Basic => Some(auth::basic_credential(&server.name, &secret)),
            Scheme::Md5 => Some(auth::md5_credential(&server.name, &secret, nonce)),
            Scheme::Hmac => None,
        };
        Cred { scheme: server.auth, name: &server.name, data }
    }

    /// `x-syncml-hmac` for a message of the server, if it proves itself so.
    pub(super) fn hmac(&self, message: &[u8], ctx: &Context<'_>) -> Option<String> {
        let server = &ctx.profile.account.server;
        let (secret, nonce) = self.own_secret(ctx);
        let is_hmac = server.auth == Scheme::Hmac;
        is_hmac.then(|| auth::hmac_header(&server.name, &secret, nonce, message))
    }

    /// The secret that is shown, right or wrong, and the nonce for it.
    fn own_secret<'c>(&self, ctx: &'c Context<'_>) -> (String, &'c [u8]) {
        let stored = ctx.memory.server_nonce();
        let nonce = if self.origin.resync { &auth::RESYNC_NONCE[..] } else { stored };
        let wrong = if self.origin.wrong_credentials { "wrong" } else { "" };
        (format!("{}{wrong}", ctx.profile.account.server.secret), nonce)
    }
}
