//! The policy at work in a session: each command is judged before it runs, and the user is asked once
//! for a group, and once for all other commands of a message.
//!
//! Owns the verdicts of the present message. What a policy says is `policy`'s, how a user is asked the
//! host's.

use super::alert::{Answer, UserAlert};
use super::execute::{source, target};
use super::ledger::Ledger;
use super::run::Run;
use super::{Authority, TNDS};
use crate::audit::Decision;
use crate::error::Result;
use crate::policy::{self, Ask, Change, Class, Judgement, Operation, Place, Ruling, Surveyor};
use crate::store::Reader;
use crate::syncml::model::{Action, Item, Verb};
use crate::syncml::status::{self, Status};
use crate::tree::{Part, Path, Property, Uri, is_secret};

/// What is decided about a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Allowed,
    /// The policy forbids it.
    Forbidden,
    /// The user does not want it.
    Declined,
}

/// The judgement of one session's commands.
#[derive(Debug)]
pub(super) struct Consent {
    authority: Authority,
    server_id: String,
    ui: bool,
    /// By command of the present message; `None` for those that are not judged yet.
    verdicts: Vec<Option<Verdict>>,
    /// The object that was allowed and whose other chunks are on their way.
    continued: Option<(Verb, String)>,
}

/// A question to the user, and what hangs on it.
#[derive(Debug)]
pub(super) struct Inquiry {
    pub(super) alert: UserAlert,
    asked: Vec<(usize, Ask, Class)>,
    /// The group that is asked about as a whole.
    group: Option<usize>,
}

impl Consent {
    pub(super) fn new(authority: Authority, server_id: &str, ui: bool) -> Self {
        let server_id = server_id.to_owned();
        Self { authority, server_id, ui, verdicts: Vec::new(), continued: None }
    }

    /// A new message of the server has come.
    pub(super) fn turn_page(&mut self) {
        self.verdicts.clear();
    }

    /// Judges what is next, and all that is to be asked about together with it. The question, if there is
    /// one: [`answered`](Self::answered) has to follow.
    ///
    /// Errors: what the store gives.
    pub(super) fn consider(
        &mut self,
        run: &Run<'_>,
        reader: &dyn Reader,
        ledger: &mut Ledger,
    ) -> Result<Option<Inquiry>> {
        let at = run.position();
        if self.verdict(at).is_some() {
            return Ok(None);
        }
        let upcoming = run.upcoming();
        let group = upcoming.group;
        let mut asked: Vec<(usize, &Action<'_>, Class, Ask)> = Vec::new();
        let mut surveyor = Surveyor::new(reader);
        for (task, action, targets) in upcoming {
            if self.verdict(task).is_some() {
                continue;
            }
            let Judgement { class, ruling } = match self.is_continued(action) {
                true => Judgement::default(),
                false => self.judge(action, targets, &mut surveyor)?,
            };
            match ruling {
                Ruling::Allow => self.decide(task, Verdict::Allowed),
                Ruling::Refuse => {
                    ledger.decided(decision(action, class, "refuse"));
                    self.decide(task, Verdict::Forbidden);
                }
                Ruling::Ask(ask) if self.ui => asked.push((task, action, class, ask)),
                Ruling::Ask(ask) => {
                    ledger.decided(decision(action, class, default_name(ask)));
                    let allowed = if ask.refuses { Verdict::Forbidden } else { Verdict::Allowed };
                    self.decide(task, allowed);
                }
            }
        }
        if let Some(group) = group {
            self.decide(group, Verdict::Allowed);
        }
        // Not before it is its turn: until then an alert of the server may have skipped it.
        let is_due = asked.first().is_some_and(|(task, ..)| group.is_some() || *task == at);
        Ok(is_due.then(|| self.inquire(reader, &asked, group, ledger)))
    }

    fn inquire(
        &self,
        reader: &dyn Reader,
        asked: &[(usize, &Action<'_>, Class, Ask)],
        group: Option<usize>,
        ledger: &mut Ledger,
    ) -> Inquiry {
        let mut changes = Vec::new();
        for (_, action, class, _) in asked {
            ledger.decided(decision(action, *class, "ask"));
            changes.extend(action.items.iter().map(|item| change(*class, action, item, reader)));
        }
        let summary = policy::command_question(&self.server_id, &changes);
        let patience = asked.iter().map(|(.., ask)| ask.timeout_s).min();
        let asked = asked.iter().map(|(task, _, class, ask)| (*task, *ask, *class)).collect();
        Inquiry { alert: UserAlert::consent(summary, patience), asked, group }
    }

    /// The status of what is next if it must not run.
    pub(super) fn refusal(&self, run: &Run<'_>) -> Option<Status> {
        match self.verdict(run.position())? {
            Verdict::Allowed => None,
            Verdict::Forbidden => Some(status::FORBIDDEN),
            Verdict::Declined if run.is_at_group() => Some(status::ATOMIC_FAILED),
            Verdict::Declined => Some(status::NOT_EXECUTED),
        }
    }

    /// Takes the user's answer.
    pub(super) fn answered(&mut self, inquiry: &Inquiry, answer: &Answer, ledger: &mut Ledger) {
        ledger.answered("consent", &inquiry.alert, answer);
        let mut declined = false;
        for (task, ask, class) in &inquiry.asked {
            let verdict = match answer {
                Answer::Accepted => Verdict::Allowed,
                Answer::TimedOut | Answer::CannotShow => {
                    let (command, subject) = (String::new(), self.server_id.clone());
                    let (class, action) = (class.name(), default_name(*ask));
                    ledger.decided(Decision { session: None, class, command, subject, action });
                    if ask.refuses { Verdict::Declined } else { Verdict::Allowed }
                }
                _ => Verdict::Declined,
            };
            declined |= verdict == Verdict::Declined;
            self.decide(*task, verdict);
        }
        if let Some(group) = inquiry.group.filter(|_| declined) {
            self.decide(group, Verdict::Declined);
        }
    }

    /// Notes that an object of this command goes on in the next message, or ends in this one.
    pub(super) fn executed(&mut self, verb: Verb, item: &Item<'_>) {
        let uri = target(item).filter(|_| item.more_data);
        self.continued = uri.map(|uri| (verb, uri.to_owned()));
    }

    fn verdict(&self, task: usize) -> Option<Verdict> {
        self.verdicts.get(task).copied().flatten()
    }

    fn decide(&mut self, task: usize, verdict: Verdict) {
        if self.verdicts.len() <= task {
            self.verdicts.resize(task + 1, None);
        }
        if let Some(known) = self.verdicts.get_mut(task) {
            *known = Some(verdict);
        }
    }

    fn is_continued(&self, action: &Action<'_>) -> bool {
        let Some((verb, uri)) = &self.continued else { return false };
        let same = |item: &Item<'_>| target(item) == Some(uri.as_str());
        action.verb == *verb && action.items.len() == 1 && action.items.iter().all(same)
    }

    fn judge(
        &self,
        action: &Action<'_>,
        targets: &[Option<Uri>],
        surveyor: &mut Surveyor<'_>,
    ) -> Result<Judgement> {
        let operation = Operation {
            command: action.verb.name(),
            server: &self.server_id,
            origin: self.authority.origin,
        };
        let mut judgement = Judgement::default();
        let mut touch = |place: Place<'_>| {
            judgement = self.authority.policy.place(&operation, &place, judgement);
        };
        for (item, uri) in action.items.iter().zip(targets) {
            visit_places(action, item, uri.as_ref(), surveyor, &mut touch)?;
        }
        Ok(judgement)
    }
}

/// Visits what an item touches. A URI that is none touches nothing: the command fails on it.
fn visit_places(
    action: &Action<'_>,
    item: &Item<'_>,
    uri: Option<&Uri>,
    surveyor: &mut Surveyor<'_>,
    touch: &mut dyn FnMut(Place<'_>),
) -> Result<()> {
    let mime = item.meta.mime.as_deref().or(action.meta().mime.as_deref()).map(str::trim);
    let serialized = mime.is_some_and(|mime| mime.starts_with(TNDS));
    if let Some(Uri { path, part }) = uri {
        let moved = *part == Part::Property(Property::Name);
        let whole = match action.verb {
            Verb::Delete | Verb::Copy => true,
            Verb::Get => matches!(part, Part::List(_)),
            _ => serialized || moved,
        };
        if moved && let Some(sibling) = new_name(path, item) {
            touch(surveyor.present(&sibling, true)?);
        }
        touch(match action.verb {
            Verb::Add if !whole => surveyor.new_node(path, mime)?,
            _ => surveyor.present(path, whole)?,
        });
    }
    if action.verb == Verb::Copy
        && let Some(uri) = source(item).and_then(|uri| Uri::parse(uri).ok())
    {
        touch(surveyor.present(&uri.path, true)?);
    }
    Ok(())
}

/// Where a node goes whose property Name is replaced.
fn new_name(path: &Path, item: &Item<'_>) -> Option<Path> {
    let name = item.data.as_ref()?.as_str()?;
    path.parent()?.child(name).ok()
}

fn decision(action: &Action<'_>, class: Class, said: &'static str) -> Decision {
    Decision {
        session: None,
        class: class.name(),
        command: action.verb.name().to_owned(),
        subject: action.items.first().and_then(target).unwrap_or_default().to_owned(),
        action: said,
    }
}

fn default_name(ask: Ask) -> &'static str {
    if ask.refuses { "default-refuse" } else { "default-allow" }
}

fn change(class: Class, action: &Action<'_>, item: &Item<'_>, reader: &dyn Reader) -> Change {
    let uri = target(item).unwrap_or_default();
    let path = uri.split('?').next().and_then(|uri| Path::parse(uri).ok());
    let secret = path.is_some_and(|path| is_secret(reader, &path));
    let value = item.data.as_ref().map(|data| data.octets.as_ref());
    Change::new(class, action.verb.name(), uri, value, secret)
}
