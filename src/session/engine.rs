//! The engine itself: its calls, its phases, and the way of a message from run to reply.

use super::address::is_secure;
use super::alert::{Answer, UserAlert};
use super::auth::Scheme;
use super::consent::Inquiry;
use super::execute::{Executor, Governed, Pause};
use super::host_alert::HostAlert;
use super::login::{Entry, Guard, Login};
use super::outbox::{Outbox, Purpose};
use super::package::{Answering, Device, Extent, Sent};
use super::run::{Outcome, Run, Turn};
use super::{Cause, Context, Outgoing, SessionEvent, Setup, Side, Step};
use crate::audit::Authentication;
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::store::{Change, Txn};
use crate::syncml::Encoding;
use crate::syncml::model::{Alert, Command, Item, Location};
use crate::syncml::status::{self, Status};
use crate::time::Now;
use crate::tree::dmacc;
use std::fmt;

/// What of the setup counts for the whole session.
#[derive(Debug)]
pub(super) struct Facts {
    /// SessionID as in the messages.
    pub(super) session_id: String,
    pub(super) session_number: u16,
    pub(super) server_id: String,
    pub(super) cause: Cause,
    pub(super) encoding: Encoding,
    pub(super) max_msg_size: u32,
    pub(super) max_obj_size: u32,
    pub(super) device: Device,
}

/// Where the engine stands.
#[derive(Debug)]
enum Phase {
    /// A message is with the server.
    Waiting,
    /// The host has to answer first.
    Paused(Box<Paused>),
    /// An error was returned: only an abort can follow.
    Failed,
    /// Nothing can follow.
    Over,
}

/// The commands of a message that wait for the host.
#[derive(Debug)]
struct Paused {
    run: Run<'static>,
    /// Open only inside an Atomic.
    txn: Option<Txn>,
    question: Question,
}

#[derive(Debug)]
enum Question {
    Ask(UserAlert),
    Consent(Inquiry),
    Execute { uri: String },
}

/// One DM session of the client, without any input or output of its own.
pub struct Engine {
    pub(super) facts: Facts,
    /// Address of the next message.
    pub(super) uri: String,
    /// Octets of the last message around its commands.
    pub(super) envelope: usize,
    /// MsgID of the last message sent.
    pub(super) msg_id: u32,
    pub(super) received: u32,
    pub(super) login: Login,
    pub(super) guard: Guard,
    pub(super) outbox: Outbox,
    pub(super) executor: Executor,
    /// Octets that a message may have.
    pub(super) max_msg_size: usize,
    /// The client may close its package: the server has closed its own.
    pub(super) may_close: bool,
    /// The server's message whose SyncHdr is to be answered.
    pub(super) answering: Option<Answering>,
    pub(super) sent: Vec<Sent>,
    /// The host's alerts without the server's Status.
    pub(super) alerts: Vec<HostAlert>,
    /// The server's answers to them, as long as it has not proved its identity.
    pub(super) alerts_heard: Vec<(u64, Status)>,
    /// The host knows that the server has proved its identity.
    pub(super) greeted: bool,
    /// The session ends with this once the last reply is out.
    pub(super) ending: Option<Error>,
    pub(super) events: Vec<SessionEvent>,
    phase: Phase,
}

impl fmt::Debug for Engine {
    // Messages and credentials are not to be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Waiting => "waiting",
            Phase::Paused(_) => "paused",
            Phase::Failed => "failed",
            Phase::Over => "over",
        };
        f.debug_struct("Engine")
            .field("session_id", &self.facts.session_id)
            .field("server_id", &self.facts.server_id)
            .field("sent", &self.msg_id)
            .field("received", &self.received)
            .field("phase", &phase)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens a session and makes package 1.
    ///
    /// Errors: `AuthServer` if nothing could prove the server's identity; `Tls` if the address is
    /// not `https` although it has to be; `State` if the tree has no `./DevInfo/DevId`; what the
    /// store gives.
    pub fn start(setup: Setup, ctx: Context<'_>) -> Result<(Self, Step)> {
        if setup.require_tls && !is_secure(&setup.address) {
            return Err(Error::new(Code::Tls, "session: the server's address is not https"));
        }
        let account = &setup.account;
        let preferred = account.auth_pref.as_deref().and_then(Scheme::from_account);
        let login = Login::new(account.client.as_ref().and_then(Entry::new), preferred);
        let server = account.server.as_ref().and_then(Entry::new);
        let guard = Guard::new(server, setup.trusted_transport)?;
        let facts = Facts {
            session_id: format!("{:X}", setup.session_id),
            session_number: setup.session_id,
            server_id: account.server_id.clone(),
            cause: setup.cause,
            encoding: setup.encoding,
            max_msg_size: setup.max_msg_size.max(limits::MIN_MSG_SIZE),
            max_obj_size: setup.max_obj_size,
            device: Device::read(&ctx.db.read()?)?,
        };
        let mut engine = Self {
            uri: setup.address.clone(),
            envelope: 0,
            msg_id: 0,
            received: 0,
            login,
            guard,
            outbox: Outbox::new(setup.large_objects),
            executor: Executor::new(&setup),
            max_msg_size: size(facts.max_msg_size),
            may_close: true,
            answering: None,
            sent: Vec::new(),
            alerts: setup.alerts,
            alerts_heard: Vec::new(),
            greeted: false,
            ending: None,
            events: Vec::new(),
            phase: Phase::Waiting,
            facts,
        };
        engine.queue_login();
        let step = engine.send(ctx.random, Extent::Everything, None)?;
        Ok((engine, step))
    }

    /// Takes the server's answer to the last message; `hmac` is its `x-syncml-hmac` header.
    ///
    /// All changes of the tree are durable when this returns. Errors: `Busy` if somebody else
    /// writes to the store: nothing has happened, try again; otherwise the session has failed:
    /// `Syntax`, `Protocol`, `AuthClient`, `AuthServer`, `Aborted`, `TooLarge`, and what the store
    /// gives. Then only [`abort`](Self::abort) can follow.
    pub fn receive(&mut self, ctx: Context<'_>, body: &[u8], hmac: Option<&str>) -> Result<Step> {
        if !matches!(self.phase, Phase::Waiting) {
            return Err(wrong_phase("no message of the server is due"));
        }
        let txn = ctx.db.begin()?;
        let step = self.take_message(ctx, txn, body, hmac);
        self.settle(step)
    }

    /// Takes the user's answer after [`Step::Ask`].
    ///
    /// Errors: `InvalidArg` if it does not answer the question, `Busy` as for
    /// [`receive`](Self::receive): answer again; otherwise as for `receive`.
    pub fn answer(&mut self, ctx: Context<'_>, answer: Answer) -> Result<Step> {
        let Phase::Paused(paused) = &self.phase else {
            return Err(wrong_phase("nothing is asked"));
        };
        let alert = match &paused.question {
            Question::Ask(alert) => alert,
            Question::Consent(inquiry) => {
                inquiry.alert.check(&answer)?;
                return self.consented(ctx, &answer);
            }
            Question::Execute { .. } => {
                return Err(wrong_phase("a command is being executed, nothing is asked"));
            }
        };
        let reply = alert.reply(&answer)?;
        let items = reply.texts.into_iter().map(answer_item).collect();
        self.resume(ctx, Outcome { items, ..Outcome::of(reply.status) }, Some(&answer))
    }

    /// Goes on with the user's answer to what the policy asked.
    fn consented(&mut self, ctx: Context<'_>, answer: &Answer) -> Result<Step> {
        let txn = ctx.db.begin()?;
        let Phase::Paused(paused) = std::mem::replace(&mut self.phase, Phase::Waiting) else {
            return Err(wrong_phase("not paused"));
        };
        if let Question::Consent(inquiry) = &paused.question {
            self.executor.consented(inquiry, answer);
        }
        let step = self.work(ctx, paused.run, txn);
        self.settle(step)
    }

    /// Takes the status of what [`Step::Execute`] asked for: 200, 202 if it goes on in the
    /// background, or a failure from 400 to 599.
    ///
    /// Errors: as for [`answer`](Self::answer).
    pub fn executed(&mut self, ctx: Context<'_>, code: Status) -> Result<Step> {
        let Phase::Paused(paused) = &self.phase else {
            return Err(wrong_phase("nothing is being executed"));
        };
        let Question::Execute { uri } = &paused.question else {
            return Err(wrong_phase("the user is asked, nothing is being executed"));
        };
        if !matches!(code, status::OK | status::ACCEPTED | 400..600) {
            return Err(Error::new(Code::InvalidArg, format!("Exec of {uri}: status {code}")));
        }
        let target = Some(uri.clone().into());
        self.resume(ctx, Outcome { target, ..Outcome::of(code) }, None)
    }

    /// Gives the session up: the message for the server, if it still makes sense to send one.
    pub fn abort(&mut self, ctx: Context<'_>, why: &Error) -> Option<Outgoing> {
        let phase = std::mem::replace(&mut self.phase, Phase::Over);
        let useless = matches!(
            why.code(),
            Code::Aborted | Code::AuthClient | Code::Connect | Code::Io | Code::Tls | Code::Http
        );
        if useless || matches!(phase, Phase::Over) {
            return None;
        }
        let run = match phase {
            Phase::Paused(paused) => {
                let Paused { mut run, txn, .. } = *paused;
                drop(txn);
                run.give_up();
                self.report(&mut run);
                Some(run)
            }
            _ => None,
        };
        self.outbox.remove(|_| true);
        match self.send(ctx.random, Extent::Abort, run) {
            Ok(Step::Send(outgoing)) => Some(outgoing),
            _ => None,
        }
    }

    /// Adds an alert of the host to the next message that can take it.
    ///
    /// Errors: `State` if the session is over.
    pub fn queue_alert(&mut self, alert: HostAlert) -> Result<()> {
        if matches!(self.phase, Phase::Over | Phase::Failed) || self.ending.is_some() {
            return Err(wrong_phase("the session is over"));
        }
        let command = Command::Alert(alert.command(self.facts.encoding));
        self.outbox.push(command, Purpose::HostAlert(alert.number()));
        self.alerts.push(alert);
        Ok(())
    }

    /// What has happened since the last call.
    pub fn take_events(&mut self) -> Vec<SessionEvent> {
        std::mem::take(&mut self.events)
    }

    /// The alerts that the server has not answered; they are for the next session.
    pub fn unanswered_alerts(&self) -> &[HostAlert] {
        &self.alerts
    }

    /// How each side has proved who it is, so far.
    pub fn authentication(&self) -> Authentication {
        Authentication { server: self.guard.proof(), client: self.login.proof() }
    }

    /// The server's identifier.
    pub fn server_id(&self) -> &str {
        &self.facts.server_id
    }

    /// Notes how a call ended.
    fn settle(&mut self, step: Result<Step>) -> Result<Step> {
        match &step {
            Ok(Step::Done) => self.phase = Phase::Over,
            Err(_) => self.phase = Phase::Failed,
            Ok(_) => {}
        }
        step
    }

    fn resume(
        &mut self,
        ctx: Context<'_>,
        outcome: Outcome<'static>,
        answer: Option<&Answer>,
    ) -> Result<Step> {
        let Phase::Paused(paused) = &mut self.phase else { return Err(wrong_phase("not paused")) };
        let txn = match paused.txn.take() {
            Some(txn) => txn,
            None => ctx.db.begin()?,
        };
        let Phase::Paused(paused) = std::mem::replace(&mut self.phase, Phase::Waiting) else {
            return Err(wrong_phase("not paused"));
        };
        let Paused { mut run, question, .. } = *paused;
        match question {
            Question::Ask(alert) => {
                let ledger = &mut self.executor.ledger;
                answer.iter().for_each(|answer| ledger.answered(alert.kind.name(), &alert, answer));
                run.answered(outcome);
            }
            Question::Execute { .. } => run.settle(outcome.into(), Vec::new()),
            Question::Consent(_) => return Err(wrong_phase("the policy asks, not a command")),
        }
        let step = self.work(ctx, run, txn);
        self.settle(step)
    }

    /// Executes commands until the end of the message or until the host has to answer.
    pub(super) fn work(
        &mut self,
        ctx: Context<'_>,
        mut run: Run<'_>,
        mut txn: Txn,
    ) -> Result<Step> {
        loop {
            let turn = run.turn();
            if matches!(turn, Turn::Enter { .. } | Turn::Execute) {
                match self.executor.govern(&mut run, &txn)? {
                    Governed::Free => {}
                    Governed::Forbidden => continue,
                    Governed::Ask(inquiry) => {
                        let step = Step::Consent(inquiry.alert.clone());
                        return self.pause(ctx.now, run, txn, Question::Consent(inquiry), step);
                    }
                }
            }
            match turn {
                Turn::End => return self.finish(ctx, run, txn),
                Turn::Release(savepoint, group) => match txn.prepare() {
                    Ok(()) => txn.release(savepoint),
                    // Somebody outside the store cannot keep it; who was told why.
                    Err(_) => {
                        txn.rollback_to(savepoint);
                        run.undone(&group);
                    }
                },
                Turn::RollBack(savepoint) => txn.rollback_to(savepoint),
                Turn::Enter { asks: false } => run.enter(Some(txn.savepoint())),
                Turn::Enter { asks: true } => {
                    self.complete(&mut run, &mut txn, ctx.now)?;
                    let changes = txn.checkpoint()?;
                    self.note_changes(changes);
                    run.enter(Some(txn.savepoint()));
                }
                Turn::Execute => {
                    match self.executor.execute(&mut run, &mut txn, ctx.now, &self.outbox)? {
                        None => {}
                        Some(Pause::Ask(alert)) => {
                            let step = Step::Ask(alert.clone());
                            return self.pause(ctx.now, run, txn, Question::Ask(alert), step);
                        }
                        Some(Pause::Execute(execution)) => {
                            let question = Question::Execute { uri: execution.uri.clone() };
                            let step = Step::Execute(execution);
                            return self.pause(ctx.now, run, txn, question, step);
                        }
                    }
                }
            }
        }
    }

    fn pause(
        &mut self,
        now: Now,
        mut run: Run<'_>,
        txn: Txn,
        question: Question,
        step: Step,
    ) -> Result<Step> {
        let txn = if run.in_atomic() {
            Some(txn)
        } else {
            self.commit(&mut run, txn, now)?;
            None
        };
        let paused = Paused { run: run.into_owned(), txn, question };
        self.phase = Phase::Paused(Box::new(paused));
        Ok(step)
    }

    /// Makes everything durable, then makes the reply.
    fn finish(&mut self, ctx: Context<'_>, mut run: Run<'_>, txn: Txn) -> Result<Step> {
        self.commit(&mut run, txn, ctx.now)?;
        self.report(&mut run);
        if self.may_close {
            self.executor.interrupt();
        }
        for uri in std::mem::take(&mut self.executor.broken) {
            self.outbox.push(no_end_of_data(uri), Purpose::Reply);
        }
        self.send(ctx.random, Extent::Everything, Some(run))
    }

    fn commit(&mut self, run: &mut Run<'_>, mut txn: Txn, now: Now) -> Result<()> {
        self.complete(run, &mut txn, now)?;
        let changes = txn.commit()?;
        self.note_changes(changes);
        Ok(())
    }

    /// Makes a transaction ready for its commit, and adds what has to become durable with it: nonces and the
    /// journal's records. If somebody outside the store cannot keep it (who was told why), it is undone and
    /// its commands have failed; the session goes on.
    fn complete(&mut self, run: &mut Run<'_>, txn: &mut Txn, now: Now) -> Result<()> {
        match txn.prepare() {
            Ok(()) => run.kept(),
            Err(_) => {
                txn.undo();
                run.lost();
            }
        }
        self.store_nonces(txn, now)?;
        self.executor.ledger.write(run, self.received, txn, now)
    }

    /// Stores the renewed nonces, if the server has a right to that.
    fn store_nonces(&mut self, txn: &mut Txn, now: Now) -> Result<()> {
        if !self.guard.is_satisfied() {
            return Ok(());
        }
        let server_id = &self.facts.server_id;
        if let Some(nonce) = self.login.take_renewed() {
            let stored = dmacc::set_client_nonce(txn, server_id, &nonce, now);
            self.events.extend(renewed(stored, Side::Client)?);
        }
        if let Some(nonce) = self.guard.take_renewed() {
            let stored = dmacc::set_server_nonce(txn, server_id, &nonce, now);
            self.events.extend(renewed(stored, Side::Server)?);
        }
        Ok(())
    }

    fn note_changes(&mut self, changes: Vec<Change>) {
        // About as many commands as changes will be told.
        self.events.reserve(2 * changes.len());
        self.events.append(&mut self.executor.events);
        self.events.extend(changes.into_iter().map(SessionEvent::TreeChanged));
    }

    /// Tells what came of a message's commands, and queues their Results. [`send`](Self::send) gets the run for
    /// the Status elements.
    pub(super) fn report(&mut self, run: &mut Run<'_>) {
        for (command, uri, status) in run.outcomes() {
            let (command, uri) = (command.clone(), uri.map(str::to_owned));
            self.events.push(SessionEvent::CommandDone { command, uri, status });
        }
        self.executor.queued = 0;
        run.queue_results(&mut self.outbox);
    }
}

/// A nonce of an account that the server has deleted meanwhile has nowhere to go.
fn renewed(stored: Result<()>, side: Side) -> Result<Option<SessionEvent>> {
    match stored {
        Ok(()) => Ok(Some(SessionEvent::NonceRenewed(side))),
        Err(error) if error.code() == Code::NodeNotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn answer_item(text: String) -> Item<'static> {
    let data = Some(crate::syncml::model::Data::text(text));
    Item { data, ..Item::default() }
}

fn no_end_of_data(uri: String) -> Command<'static> {
    let target = Some(Location { uri: uri.into(), name: None });
    Command::Alert(Alert {
        code: Some(status::ALERT_NO_END_OF_DATA),
        items: vec![Item { target, ..Item::default() }],
        ..Alert::default()
    })
}

fn wrong_phase(what: &'static str) -> Error {
    Error::new(Code::State, what).context("session")
}

/// A size of 32 bits in memory.
pub(super) fn size(octets: u32) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}
