//! Which command may run now, and what stops until the host has answered.
//!
//! Owns the checks of a command as a whole and the question to the user. What an item does to the
//! tree is in `action`.

use super::action::{Effect, Work};
use super::alert::{Answer, Kind, UserAlert};
use super::assembly::Assembly;
use super::consent::{Consent, Inquiry};
use super::ledger::Ledger;
use super::outbox::Outbox;
use super::outflow::Found;
use super::run::{Op, Outcome, Outcomes, Run};
use super::{Execution, SessionEvent, Setup};
use crate::error::Result;
use crate::store::{Reader, Txn};
use crate::syncml::Encoding;
use crate::syncml::model::{Action, Alert, Item, Location, Text, Verb};
use crate::syncml::status::{self, Status};
use crate::time::Now;
use crate::tree::{Origin, Uri};

/// What stops the execution until the host has answered.
#[derive(Debug)]
pub(super) enum Pause {
    Ask(UserAlert),
    Execute(Execution),
}

/// Executes commands in the name of the server.
#[derive(Debug)]
pub(super) struct Executor {
    pub(super) server_id: String,
    /// What the nodes are noted with that the server creates.
    pub(super) origin: Origin,
    pub(super) encoding: Encoding,
    pub(super) exec: bool,
    pub(super) large_objects: bool,
    /// Octets of the largest object that is taken.
    pub(super) max_obj_size: u64,
    /// The server's MaxObjSize.
    pub(super) max_sent_object: Option<u32>,
    /// Octets that Results may have in one message.
    pub(super) room: usize,
    /// Octets of the results of this message's commands.
    pub(super) queued: usize,
    pub(super) assembly: Assembly,
    /// URIs of the objects that were given up.
    pub(super) broken: Vec<String>,
    pub(super) events: Vec<SessionEvent>,
    pub(super) ledger: Ledger,
    consent: Consent,
    ui: bool,
}

/// The place of the command that is executed.
#[derive(Clone, Copy)]
struct Place {
    in_atomic: bool,
    in_group: bool,
}

impl Executor {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            server_id: setup.account.server_id.clone(),
            origin: Origin::Server(setup.account.server_id.clone()),
            encoding: setup.encoding,
            exec: setup.exec,
            large_objects: setup.large_objects,
            max_obj_size: u64::from(setup.max_obj_size),
            max_sent_object: None,
            room: 0,
            queued: 0,
            assembly: Assembly::default(),
            broken: Vec::new(),
            events: Vec::new(),
            ledger: Ledger::new(setup.number),
            consent: Consent::new(setup.authority.clone(), &setup.account.server_id, setup.ui),
            ui: setup.ui,
        }
    }

    /// Executes the run's present command and settles it, unless the host has to answer first.
    ///
    /// Errors: what the store gives.
    pub(super) fn execute(
        &mut self,
        run: &mut Run<'_>,
        txn: &mut Txn,
        now: Now,
        outbox: &Outbox,
    ) -> Result<Option<Pause>> {
        let place = Place { in_atomic: run.in_atomic(), in_group: run.in_group() };
        match run.take_op() {
            Some((Op::Alert(alert), _)) => match self.alert(&alert, place) {
                Ok(question) => return Ok(Some(Pause::Ask(question))),
                Err(code) => run.settle(code.into(), Vec::new()),
            },
            Some((Op::Action(action), targets)) => {
                let task = run.position();
                let work = Work { executor: self, txn, now, outbox, in_group: place.in_group };
                match run_action(work, action, &targets, place, task)? {
                    Ok((outcomes, results)) => run.settle(outcomes, results),
                    Err(execution) => return Ok(Some(Pause::Execute(execution))),
                }
            }
            // Groups are the run's own business.
            _ => run.refuse(status::COMMAND_FAILED),
        }
        Ok(None)
    }

    /// A new message of the server has come.
    ///
    /// Errors: what the store gives.
    pub(super) fn turn_page(&mut self, reader: &dyn Reader) -> Result<()> {
        self.consent.turn_page();
        self.ledger.turn_page(reader)
    }

    /// Asks the policy about what is next; answers it here and now if it must not run.
    ///
    /// Errors: what the store gives.
    pub(super) fn govern(&mut self, run: &mut Run<'_>, txn: &Txn) -> Result<Governed> {
        if let Some(inquiry) = self.consent.consider(run, txn, &mut self.ledger)? {
            return Ok(Governed::Ask(inquiry));
        }
        let Some(code) = self.consent.refusal(run) else { return Ok(Governed::Free) };
        self.interrupt();
        run.forbid(code);
        Ok(Governed::Forbidden)
    }

    /// Takes the user's answer to what [`govern`](Self::govern) asked.
    pub(super) fn consented(&mut self, inquiry: &Inquiry, answer: &Answer) {
        self.consent.answered(inquiry, answer, &mut self.ledger);
    }

    /// Gives up an object on its way.
    pub(super) fn interrupt(&mut self) {
        self.broken.extend(self.assembly.interrupt(None));
    }

    /// The question to the user, or the alert's status.
    fn alert(&mut self, alert: &Alert<'_>, place: Place) -> std::result::Result<UserAlert, Status> {
        let code = alert.code.ok_or(status::INCOMPLETE)?;
        if code == status::ALERT_NEXT_MESSAGE && !place.in_group {
            return Err(status::OK);
        }
        self.interrupt();
        if code == status::ALERT_NO_END_OF_DATA && !place.in_group {
            return Err(status::OK);
        }
        match Kind::from_code(code) {
            Some(kind) if self.ui => UserAlert::read(kind, &alert.items),
            _ => Err(status::UNSUPPORTED_FEATURE),
        }
    }
}

/// What the policy has to say about what is next.
#[derive(Debug)]
pub(super) enum Governed {
    /// Nothing.
    Free,
    /// It is answered already.
    Forbidden,
    /// The user decides.
    Ask(Inquiry),
}

type Done<'m> = (Outcomes<'m>, Vec<Found>);

/// Executes the items in order; inside an Atomic the first failure ends it. The inner error is what
/// the host has to execute.
fn run_action<'m>(
    mut work: Work<'_>,
    mut action: Action<'m>,
    targets: &[Option<Uri>],
    place: Place,
    task: usize,
) -> Result<std::result::Result<Done<'m>, Execution>> {
    let items = std::mem::take(&mut action.items);
    if let Some(code) = refusal(&action, &items, place) {
        work.executor.interrupt();
        let target = items.first().and_then(|item| uri_of(&item.target));
        return Ok(Ok((Outcome { target, ..Outcome::of(code) }.into(), Vec::new())));
    }
    let (mut outcomes, mut results) = (Outcomes::default(), Vec::new());
    let mut failed = false;
    for (number, (item, uri)) in items.into_iter().zip(targets).enumerate() {
        let uri = uri.as_ref();
        let (target, source) = (uri_of(&item.target), uri_of(&item.source));
        let mut outcome = Outcome { target, source, ..Outcome::of(status::NOT_EXECUTED) };
        if !(failed && place.in_atomic) {
            work.executor.consent.executed(action.verb, &item);
            let ledger = &work.executor.ledger;
            let before = ledger.before(work.txn, action.verb, uri);
            match work.item(&action, item, uri)? {
                Effect::Execute(execution) => return Ok(Err(execution)),
                Effect::Done { status, at, results: items } => {
                    outcome.status = status;
                    outcome.items.extend(at.map(at_node));
                    results.extend(items);
                }
            }
            let ledger = &mut work.executor.ledger;
            let after = ledger.after(work.txn, action.verb, uri);
            ledger.note(task, number, (before, after));
            failed |= !outcome.is_done();
        }
        outcomes.push(outcome);
    }
    Ok(Ok((outcomes, results)))
}

/// Why the command cannot be executed whatever its items are.
fn refusal(action: &Action<'_>, items: &[Item<'_>], place: Place) -> Option<Status> {
    match action.verb {
        Verb::Get | Verb::Exec if place.in_atomic => Some(status::COMMAND_FAILED),
        Verb::Exec if items.len() > 1 => Some(status::BAD_REQUEST),
        _ if items.is_empty() => Some(status::INCOMPLETE),
        _ => None,
    }
}

fn uri_of<'m>(location: &Option<Location<'m>>) -> Option<Text<'m>> {
    location.as_ref().map(|location| location.uri.clone())
}

/// The node that was the reason of a failure.
fn at_node(uri: String) -> Item<'static> {
    Item { target: Some(Location { uri: uri.into(), name: None }), ..Item::default() }
}

/// URI of the item's Target.
pub(super) fn target<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    item.target.as_ref().map(|target| &*target.uri)
}

/// URI of the item's Source.
pub(super) fn source<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    item.source.as_ref().map(|source| &*source.uri)
}
