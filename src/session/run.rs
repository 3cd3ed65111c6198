//! The commands of one message as a flat list with an instruction pointer.
//!
//! Owns order, nesting, and what a failure, a rollback or a user's No does to the other commands
//! (DM Representation Protocol 1.2.1: Atomic, Sequence; DM Protocol 1.2.1, 10). Must not know how a
//! command is executed. Because the list is flat, a question to the user can stop it anywhere.

use super::alert::Kind;
use super::outbox::Outbox;
use super::outflow::Found;
use crate::store::Savepoint;
use crate::syncml::model::{Action, Alert, Command, Few, Item, Status, Text};
use crate::syncml::own_id;
use crate::syncml::status::{self, Status as Code};
use crate::tree::Uri;

/// TargetRefs of one Status that stands for several items.
const REFS: usize = 16;

/// One command of the message.
#[derive(Debug)]
pub(super) struct Task<'m> {
    op: Op<'m>,
    /// The Target of each item of an action; `None` where it has none or one that is no URI.
    targets: Few<Option<Uri>>,
    /// Name for Status/Cmd.
    name: Text<'static>,
    cmd_id: Text<'m>,
    outcomes: Outcomes<'m>,
    /// Items for Results.
    results: Vec<Found>,
}

/// What a task is.
#[derive(Debug)]
pub(super) enum Op<'m> {
    Action(Action<'m>),
    Alert(Alert<'m>),
    /// Atomic or Sequence; its commands are the tasks up to `end`.
    Group {
        atomic: bool,
        end: usize,
    },
    /// Cannot be executed, whatever happens.
    Refused(Code),
    /// Given out for its execution.
    Taken,
}

/// What came of one item, or of the whole command.
#[derive(Debug, Default)]
pub(super) struct Outcome<'m> {
    pub(super) status: Code,
    pub(super) target: Option<Text<'m>>,
    pub(super) source: Option<Text<'m>>,
    /// Items of the Status.
    pub(super) items: Vec<Item<'static>>,
}

impl Outcome<'_> {
    /// An outcome that concerns no particular node.
    pub(super) fn of(status: Code) -> Self {
        Self { status, ..Self::default() }
    }

    /// True if the command has had its effect.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.status, status::OK | status::ACCEPTED | status::CHUNK_ACCEPTED)
    }

    fn into_owned(self) -> Outcome<'static> {
        Outcome {
            status: self.status,
            target: self.target.map(owned),
            source: self.source.map(owned),
            items: self.items,
        }
    }
}

/// What came of a command: of nearly all, one outcome.
pub(super) type Outcomes<'m> = Few<Outcome<'m>>;

impl From<Code> for Outcomes<'_> {
    fn from(code: Code) -> Self {
        Outcome::of(code).into()
    }
}

/// An open Atomic or Sequence.
#[derive(Debug)]
struct Frame {
    task: usize,
    end: usize,
    /// For Atomic.
    savepoint: Option<Savepoint>,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Turn {
    /// Execute the present command and [`settle`](Run::settle) it.
    Execute,
    /// Set a savepoint and [`enter`](Run::enter) the Atomic.
    Enter {
        /// The Atomic asks the user: what was done before it must not wait for the answer.
        asks: bool,
    },
    /// An Atomic succeeded; [`undone`](Run::undone) if it cannot be kept all the same.
    Release(Savepoint, Group),
    /// An Atomic failed.
    RollBack(Savepoint),
    /// All done.
    End,
}

/// A group that has ended: its task.
#[derive(Debug)]
pub(super) struct Group(usize);

/// The commands of one message and how far they are.
#[derive(Debug)]
pub(super) struct Run<'m> {
    msg_id: Text<'m>,
    tasks: Vec<Task<'m>>,
    next: usize,
    /// What the tasks before this one did is durable.
    kept: usize,
    frames: Vec<Frame>,
    undo: Option<Savepoint>,
}

/// Commands that are judged together, each with its number and its targets.
#[derive(Debug)]
pub(super) struct Upcoming<'r, 'm> {
    tasks: &'r [Task<'m>],
    /// Number of the next one.
    at: usize,
    end: usize,
    /// The group that they are.
    pub(super) group: Option<usize>,
}

impl<'r, 'm> Iterator for Upcoming<'r, 'm> {
    type Item = (usize, &'r Action<'m>, &'r [Option<Uri>]);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(task) = self.tasks.get(self.at).filter(|_| self.at < self.end) {
            let at = self.at;
            self.at += 1;
            match &task.op {
                Op::Action(action) => return Some((at, action, &task.targets)),
                Op::Group { atomic: true, end } => self.at = self.at.max(*end),
                _ => {}
            }
        }
        None
    }
}

/// What came of one item.
#[derive(Debug)]
pub(super) struct Settled<'r> {
    pub(super) task: usize,
    pub(super) item: usize,
    pub(super) name: &'r str,
    pub(super) target: Option<&'r str>,
    pub(super) status: Code,
}

impl<'m> Run<'m> {
    /// Takes the commands that have to be answered; Status elements are not among them.
    pub(super) fn new(msg_id: Text<'m>, commands: Vec<Command<'m>>) -> Self {
        let (tasks, frames) = (Vec::new(), Vec::new());
        let mut run = Self { msg_id, tasks, next: 0, kept: 0, frames, undo: None };
        run.flatten(commands);
        run
    }

    /// Depth is bounded by the markup reader's element depth.
    fn flatten(&mut self, commands: Vec<Command<'m>>) {
        self.tasks.reserve(commands.len());
        for command in commands {
            let Some((task, children)) = Task::new(command) else { continue };
            let at = self.tasks.len();
            self.tasks.push(task);
            self.flatten(children);
            let after = self.tasks.len();
            if let Some(Task { op: Op::Group { end, .. }, .. }) = self.tasks.get_mut(at) {
                *end = after;
            }
        }
    }

    /// Number of the present command among all of the message.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// True if a group is next.
    pub(super) fn is_at_group(&self) -> bool {
        matches!(self.tasks.get(self.next), Some(Task { op: Op::Group { .. }, .. }))
    }

    /// What is to be judged together with what is next: an Atomic with all in it, or a command with all
    /// that follow outside of an Atomic.
    pub(super) fn upcoming(&self) -> Upcoming<'_, 'm> {
        let (at, all) = (self.next, self.tasks.len());
        let (at, end, group) = match self.tasks.get(at).map(|task| &task.op) {
            Some(Op::Group { end, .. }) => (at + 1, *end, Some(at)),
            Some(Op::Action(_)) => (at, all, None),
            _ => (at, at, None),
        };
        Upcoming { tasks: &self.tasks, at, end, group }
    }

    /// What came of the commands from number `from` to the present one.
    pub(super) fn settled(&self, from: usize) -> impl Iterator<Item = Settled<'_>> {
        let tasks = self.tasks.iter().enumerate().take(self.next).skip(from);
        tasks.flat_map(|(at, task)| {
            task.outcomes.iter().enumerate().map(move |(item, outcome)| Settled {
                task: at,
                item,
                name: &task.name,
                target: outcome.target.as_deref(),
                status: outcome.status,
            })
        })
    }

    /// True without any command.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Takes the present command, with its targets, for its execution; [`settle`](Self::settle) has to follow.
    pub(super) fn take_op(&mut self) -> Option<(Op<'m>, Few<Option<Uri>>)> {
        let task = self.tasks.get_mut(self.next)?;
        Some((std::mem::replace(&mut task.op, Op::Taken), std::mem::take(&mut task.targets)))
    }

    /// True while an Atomic is open.
    pub(super) fn in_atomic(&self) -> bool {
        self.atomic().is_some()
    }

    fn atomic(&self) -> Option<usize> {
        self.frames.iter().position(|frame| frame.savepoint.is_some())
    }

    /// True if the present command stands in a group.
    pub(super) fn in_group(&self) -> bool {
        !self.frames.is_empty()
    }

    /// The next thing to do.
    pub(super) fn turn(&mut self) -> Turn {
        loop {
            if let Some(savepoint) = self.undo.take() {
                return Turn::RollBack(savepoint);
            }
            if let Some(frame) = self.frames.pop_if(|frame| frame.end <= self.next) {
                match frame.savepoint {
                    Some(savepoint) => return Turn::Release(savepoint, Group(frame.task)),
                    None => continue,
                }
            }
            let in_atomic = self.in_atomic();
            let Some(task) = self.tasks.get(self.next) else { return Turn::End };
            match task.op {
                _ if task.cmd_id.is_empty() => self.refuse(status::BAD_REQUEST),
                Op::Refused(code) => self.refuse(code),
                Op::Group { atomic: true, .. } if in_atomic => self.refuse(status::COMMAND_FAILED),
                Op::Group { atomic: true, end } => {
                    return Turn::Enter { asks: self.asks(self.next + 1, end) };
                }
                Op::Group { atomic: false, .. } => self.enter(None),
                Op::Action(_) | Op::Alert(_) | Op::Taken => return Turn::Execute,
            }
        }
    }

    /// True if one of these tasks is an alert for the user.
    fn asks(&self, from: usize, to: usize) -> bool {
        let tasks = self.tasks.get(from..to).unwrap_or_default();
        tasks.iter().any(|task| match &task.op {
            Op::Alert(alert) => alert.code.and_then(Kind::from_code).is_some(),
            _ => false,
        })
    }

    /// Opens the group that is next.
    pub(super) fn enter(&mut self, savepoint: Option<Savepoint>) {
        let task = self.next;
        let Some(Task { op: Op::Group { end, .. }, outcomes, .. }) = self.tasks.get_mut(task)
        else {
            return;
        };
        outcomes.push(Outcome::of(status::OK));
        self.frames.push(Frame { task, end: *end, savepoint });
        self.next += 1;
    }

    /// Notes what came of the present command; a failure ends the Atomic around it.
    pub(super) fn settle(&mut self, outcomes: Outcomes<'m>, results: Vec<Found>) {
        let failed = !outcomes.iter().all(Outcome::is_done);
        if let Some(task) = self.tasks.get_mut(self.next) {
            task.outcomes = outcomes;
            task.results = results;
            self.next += 1;
        }
        if failed {
            self.fail_atomic();
        }
    }

    /// Answers the present command, or the group and all in it, without executing it.
    pub(super) fn refuse(&mut self, code: Code) {
        let end = match self.tasks.get(self.next) {
            Some(Task { op: Op::Group { end, .. }, .. }) => *end,
            _ => self.next,
        };
        self.settle(code.into(), Vec::new());
        self.skip_to(end);
    }

    /// Answers the present command, or the group and all in it, without executing it, and says which
    /// node it was about.
    pub(super) fn forbid(&mut self, code: Code) {
        let target = match self.tasks.get(self.next).map(|task| &task.op) {
            Some(Op::Action(action)) => action.items.first().and_then(|item| item.target.as_ref()),
            _ => None,
        };
        let Some(target) = target.map(|target| target.uri.clone().into_owned()) else {
            return self.refuse(code);
        };
        self.settle(
            Outcome { target: Some(target.into()), ..Outcome::of(code) }.into(),
            Vec::new(),
        );
    }

    /// Notes the user's answer; No, cancel and silence reach beyond the alert itself.
    pub(super) fn answered(&mut self, outcome: Outcome<'m>) {
        let (code, in_atomic, all) = (outcome.status, self.in_atomic(), self.tasks.len());
        self.settle(outcome.into(), Vec::new());
        let container = self.frames.last().map(|frame| frame.end);
        match code {
            status::CANCELLED => self.skip_to(all),
            status::NOT_MODIFIED if !in_atomic => self.skip_to(container.unwrap_or(0)),
            status::REQUEST_TIMEOUT if !in_atomic => self.skip_to(container.unwrap_or(all)),
            _ => {}
        }
    }

    /// Answers everything that is left with 215 and undoes an open Atomic.
    pub(super) fn give_up(&mut self) {
        self.fail_atomic();
        self.skip_to(self.tasks.len());
    }

    /// Answers every command with `code`.
    pub(super) fn refuse_all(&mut self, code: Code) {
        self.tasks.iter_mut().for_each(|task| task.outcomes = code.into());
        self.next = self.tasks.len();
    }

    fn skip_to(&mut self, end: usize) {
        for task in self.tasks.get_mut(self.next..end).unwrap_or_default() {
            task.outcomes = status::NOT_EXECUTED.into();
        }
        self.next = self.next.max(end);
    }

    fn fail_atomic(&mut self) {
        let Some(at) = self.atomic() else { return };
        let Some(frame) = self.frames.drain(at..).next() else { return };
        self.undone(&Group(frame.task));
        self.skip_to(frame.end);
        self.undo = frame.savepoint;
    }

    /// Notes that what the commands of an Atomic did so far is undone.
    pub(super) fn undone(&mut self, group: &Group) {
        for task in self.tasks.get_mut(group.0 + 1..self.next).unwrap_or_default() {
            task.results.clear();
            for outcome in task.outcomes.iter_mut().filter(|outcome| outcome.is_done()) {
                outcome.status = status::ROLLED_BACK;
            }
        }
        if let Some(task) = self.tasks.get_mut(group.0) {
            task.outcomes = status::ATOMIC_FAILED.into();
        }
    }

    /// Notes that what the commands did so far is becoming durable.
    pub(super) fn kept(&mut self) {
        self.kept = self.next;
    }

    /// Notes that what the commands did since [`kept`](Self::kept) is undone: changes have failed, and what
    /// was read may never have been there. What was run or asked stays done.
    pub(super) fn lost(&mut self) {
        let mut atomic_end = 0;
        for at in self.kept..self.next {
            let Some(task) = self.tasks.get_mut(at) else { break };
            let code = match &task.op {
                Op::Group { atomic: true, end } => {
                    atomic_end = *end;
                    status::ATOMIC_FAILED
                }
                Op::Taken if matches!(&*task.name, "Exec" | "Alert") => continue,
                Op::Taken if at < atomic_end => status::ROLLED_BACK,
                Op::Taken => status::COMMAND_FAILED,
                _ => continue,
            };
            task.results.clear();
            let done = task.outcomes.iter_mut().filter(|outcome| outcome.status == status::OK);
            done.for_each(|outcome| outcome.status = code);
        }
        self.kept();
    }

    /// Name, URI and status of each item, in the order of the message.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&Text<'static>, Option<&str>, Code)> {
        self.tasks.iter().flat_map(|task| {
            let outcomes = task.outcomes.iter();
            outcomes.map(|outcome| (&task.name, outcome.target.as_deref(), outcome.status))
        })
    }

    /// True if there is a Status to be sent.
    pub(super) fn has_statuses(&self) -> bool {
        self.tasks.iter().any(|task| !task.outcomes.is_empty())
    }

    /// Queues the Results elements in the order of the commands.
    pub(super) fn queue_results(&mut self, outbox: &mut Outbox) {
        for task in self.tasks.iter_mut().filter(|task| !task.results.is_empty()) {
            let (msg_ref, cmd_ref) = (own_id(self.msg_id.clone()), own_id(task.cmd_id.clone()));
            outbox.push_results(Some(msg_ref), cmd_ref, std::mem::take(&mut task.results));
        }
    }

    /// Gives the Status elements in the order of the commands, each with the number of commands that are left.
    pub(super) fn answer(self, mut give: impl FnMut(Status<'m>, usize)) {
        let all = self.tasks.len();
        for (at, task) in self.tasks.into_iter().enumerate() {
            task.answer(&self.msg_id, |status| give(status, all - at));
        }
    }

    /// The same without borrowing from the message.
    pub(super) fn into_owned(self) -> Run<'static> {
        Run {
            msg_id: own_id(self.msg_id),
            tasks: self.tasks.into_iter().map(Task::into_owned).collect(),
            next: self.next,
            kept: self.kept,
            frames: self.frames,
            undo: self.undo,
        }
    }
}

impl<'m> Task<'m> {
    /// The task for one command, and the commands inside it. `None` for a Status.
    fn new(command: Command<'m>) -> Option<(Self, Vec<Command<'m>>)> {
        let (mut children, mut targets) = (Vec::new(), Few::new());
        let (op, name, cmd_id) = match command {
            Command::Status(_) => return None,
            Command::Action(action) => {
                targets = action.items.iter().map(parsed_target).collect();
                let (name, cmd_id) = (action.verb.name().into(), action.cmd_id.clone());
                (Op::Action(action), name, cmd_id)
            }
            Command::Alert(alert) => {
                let cmd_id = alert.cmd_id.clone();
                (Op::Alert(alert), "Alert".into(), cmd_id)
            }
            Command::Group(group) => {
                children = group.commands;
                let name = if group.atomic { "Atomic" } else { "Sequence" };
                (Op::Group { atomic: group.atomic, end: 0 }, name.into(), group.cmd_id)
            }
            Command::Results(results) => {
                (Op::Refused(status::UNSUPPORTED_FEATURE), "Results".into(), results.cmd_id)
            }
            Command::Unknown(unknown) if unknown.known && unknown.fault.is_none() => {
                (Op::Refused(status::UNSUPPORTED_FEATURE), owned(unknown.name), unknown.cmd_id)
            }
            Command::Unknown(unknown) => {
                (Op::Refused(status::BAD_REQUEST), owned(unknown.name), unknown.cmd_id)
            }
        };
        Some((
            Self { op, targets, name, cmd_id, outcomes: Outcomes::default(), results: Vec::new() },
            children,
        ))
    }

    /// Gives its Status elements.
    fn answer(self, msg_ref: &Text<'m>, mut give: impl FnMut(Status<'m>)) {
        let first = self.outcomes.first().map(|outcome| outcome.status);
        let one = |outcome: &Outcome| Some(outcome.status) == first && outcome.items.is_empty();
        let size = if self.outcomes.iter().all(one) { REFS } else { 1 };
        let mut outcomes = self.outcomes.into_iter().peekable();
        while outcomes.peek().is_some() {
            let mut status = Status {
                msg_ref: msg_ref.clone(),
                cmd_ref: self.cmd_id.clone(),
                cmd: self.name.clone(),
                ..Status::default()
            };
            for outcome in outcomes.by_ref().take(size) {
                status.code = outcome.status;
                status.target_refs.extend(outcome.target);
                status.source_refs.extend(outcome.source);
                status.items.extend(outcome.items);
            }
            give(status);
        }
    }

    fn into_owned(self) -> Task<'static> {
        Task {
            targets: self.targets,
            op: match self.op {
                Op::Action(action) => Op::Action(action.into_owned()),
                Op::Alert(alert) => Op::Alert(alert.into_owned()),
                Op::Group { atomic, end } => Op::Group { atomic, end },
                Op::Refused(code) => Op::Refused(code),
                Op::Taken => Op::Taken,
            },
            name: self.name,
            cmd_id: own_id(self.cmd_id),
            outcomes: self.outcomes.into_iter().map(Outcome::into_owned).collect(),
            results: self.results,
        }
    }
}

fn parsed_target(item: &Item<'_>) -> Option<Uri> {
    Uri::parse(&item.target.as_ref()?.uri).ok()
}

fn owned(text: Text<'_>) -> Text<'static> {
    text.into_owned().into()
}
