//! Whether a session may begin: the policy, and the ui-mode of its notification
//! (DM Notification 1.2.1, 6.2.2).

use super::Client;
use super::core::Core;
use super::schedule::Wanted;
use crate::audit::{Decision, Entry};
use crate::error::{Code, Error, Result};
use crate::event::{Purpose, TriggerInfo};
use crate::limits;
use crate::policy::{self, Ask, Class, Policy, Ruling, Summary};
use crate::session::{Answer, Kind, UserAlert};
use crate::time::Now;
use crate::tree::{Origin, dmacc};
use std::sync::Arc;

/// The ui-modes that say what the user is to notice.
mod ui_mode {
    pub(super) const INFORMATIVE: u8 = 2;
    pub(super) const INTERACTION: u8 = 3;
}

/// A session that waits for the user's consent.
pub(super) struct Asking {
    question: u64,
    text: String,
    wanted: Wanted,
    info: TriggerInfo,
    refuses: bool,
    until_ms: u64,
}

impl Asking {
    /// When no answer counts as one, on the monotonic clock.
    pub(super) fn deadline(&self) -> u64 {
        self.until_ms
    }

    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }
}

/// Where a server's account comes from, as the policy sees it.
pub(super) fn origin(account: &Origin) -> policy::Origin {
    match account {
        Origin::Card { iccid_hash, .. } => policy::Origin::Card(*iccid_hash),
        _ => policy::Origin::Remote,
    }
}

impl Core {
    /// Lets the session of an accepted notification begin, asks the user first, or refuses it.
    pub(super) fn authorize(&mut self, wanted: Wanted, info: &TriggerInfo, now: Now) {
        let account = self.db.read().and_then(|view| dmacc::find(&view, &wanted.server_id));
        let from = account
            .ok()
            .flatten()
            .map_or(policy::Origin::Remote, |account| origin(&account.origin));
        let ruling = self.policy.session(&wanted.server_id, from);
        let asks = info.ui_mode == ui_mode::INTERACTION;
        let patience_s = u32::try_from(limits::UI_PATIENCE_MS / 1000).unwrap_or(u32::MAX);
        let interaction = Ruling::Ask(Ask { refuses: true, timeout_s: patience_s });
        match if asks { ruling.stricter(interaction) } else { ruling } {
            Ruling::Refuse => {
                self.declined(wanted, info, "refuse", "the policy refuses the session")
            }
            Ruling::Ask(ask) if self.has_user() => self.ask_for(wanted, info, ask, now),
            Ruling::Ask(ask) if ask.refuses => {
                let why = "the user has to be asked, and cannot be";
                self.declined(wanted, info, "default-refuse", why);
            }
            Ruling::Ask(_) | Ruling::Allow => self.admit(wanted, info),
        }
    }

    fn ask_for(&mut self, wanted: Wanted, info: &TriggerInfo, ask: Ask, now: Now) {
        self.decided(&wanted, "ask");
        let summary = policy::session_question(&wanted.server_id);
        let (text, info) = (summary.text.clone(), info.clone());
        let question = self.ask(
            UserAlert::consent(summary, Some(ask.timeout_s)),
            wanted.id,
            Purpose::SessionConsent,
        );
        let until_ms = now.mono_ms.saturating_add(u64::from(ask.timeout_s) * 1000);
        let refuses = ask.refuses;
        self.asking.push(Asking { question, text, wanted, info, refuses, until_ms });
    }

    fn admit(&mut self, wanted: Wanted, info: &TriggerInfo) {
        if info.ui_mode == ui_mode::INFORMATIVE && self.has_user() {
            // Nobody waits for the answer.
            let text = format!("Device management by {}", wanted.server_id);
            let notice = UserAlert::consent(Summary { text, lines: Vec::new() }, None);
            let notice = UserAlert { kind: Kind::Display, ..notice };
            self.ask(notice, wanted.id, Purpose::SessionConsent);
        }
        self.enqueue(wanted);
    }

    fn declined(
        &mut self,
        wanted: Wanted,
        info: &TriggerInfo,
        action: &'static str,
        why: &'static str,
    ) {
        self.decided(&wanted, action);
        self.turn_down(wanted, info, Error::new(Code::Denied, why));
    }

    fn decided(&mut self, wanted: &Wanted, action: &'static str) {
        self.record(Entry::Decision(Decision {
            session: Some(wanted.id),
            class: Class::Session.name(),
            command: String::new(),
            subject: wanted.server_id.clone(),
            action,
        }));
    }

    /// Takes the answer to the question of that number; false if it is about no session's beginning.
    pub(super) fn session_answered(&mut self, question: u64, answer: &Answer) -> bool {
        let Some(at) = self.asking.iter().position(|asking| asking.question == question) else {
            return false;
        };
        let asking = self.asking.remove(at);
        self.decide(asking, answer);
        true
    }

    /// Ends the questions that nobody has answered in time; true if there was one.
    pub(super) fn step_asking(&mut self, now: Now) -> bool {
        let due = self.asking.iter().position(|asking| asking.until_ms <= now.mono_ms);
        let Some(asking) = due.map(|at| self.asking.remove(at)) else { return false };
        self.decide(asking, &Answer::TimedOut);
        true
    }

    fn decide(&mut self, asking: Asking, answer: &Answer) {
        let Asking { wanted, info, text, refuses, .. } = asking;
        self.record(Entry::answer(Some(wanted.id), "consent", &text, answer.name()));
        let accepted = match answer {
            Answer::Accepted => true,
            Answer::TimedOut | Answer::CannotShow => !refuses,
            _ => false,
        };
        if accepted {
            self.admit(wanted, &info);
        } else {
            self.turn_down(wanted, &info, Error::new(Code::Denied, "the user refused the session"));
        }
    }

    fn set_policy(&mut self, policy: Policy) {
        self.policy = Arc::new(policy);
    }
}

impl Client {
    /// Judges everything from now on by this policy file; sessions that run keep the one they began with.
    pub fn set_policy(&self, text: &str) -> Result<()> {
        let policy = Policy::read(text)?;
        self.0.seat.call(move |core| core.set_policy(policy))
    }
}
