//! Bootstraps from cards, pushes and the factory: whether they may, whether the user is asked, and what
//! follows. A push is applied only when it is proved genuine (OMA DM Security 1.2, 5.7).

use super::core::Core;
use super::slot::CardId;
use crate::audit::{Bootstrap, Entry, Hash, hash};
use crate::bootstrap::security::{self, Keys};
use crate::bootstrap::{self, Consent, Known, News, Outcome, Reading, Report, Source};
use crate::config::BootstrapPolicy;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind, Purpose};
use crate::limits;
use crate::policy::{self, Ask, Ruling};
use crate::secret::Secret;
use crate::session::{Answer, Input, Kind, Preset, UserAlert};
use crate::time::Now;
use crate::trigger::push::{Media, Push, Sec};

/// A pushed bootstrap, or a document of the factory.
#[derive(Clone, Debug, Default)]
pub struct Provisioning {
    /// The media type, where the envelope was taken off; may carry SEC and MAC. `None`: the octets are
    /// a WSP push PDU.
    pub content_type: Option<String>,
    /// SEC, where it was given apart.
    pub sec: Option<Sec>,
    /// MAC, where it was given apart: 40 hexadecimal digits.
    pub mac: Option<String>,
    /// The subscription's IMSI in digits, for a push signed with the network's secret.
    pub imsi: Option<Secret>,
    /// The network's secret itself, for example an ESN.
    pub network_secret: Option<Secret>,
    /// The octets.
    pub octets: Secret,
    /// The device's maker gives it: nothing is checked, nobody is asked.
    pub factory: bool,
}

impl Provisioning {
    fn push(&self) -> Result<Push<'_>> {
        let octets = self.octets.expose();
        let push = match &self.content_type {
            None => Push::read(octets),
            Some(stated) => Push::of_parts(stated, self.sec, self.mac.as_deref(), octets),
        };
        push.map_err(|error| match error.code() {
            Code::TriggerFormat => error.with_code(Code::BootstrapFormat),
            _ => error,
        })
    }

    /// The keys that the network's secret may have been used as, the likelier first. For the DM profile
    /// the form of the IMSI is not written down: its digits are tried as well.
    fn network_keys(&self, media: Media) -> Result<Vec<Secret>> {
        let mut keys = Vec::new();
        if let Some(imsi) = &self.imsi {
            keys.push(security::imsi_key(imsi)?);
            if media == Media::DmWbxml {
                keys.push(imsi.clone());
            }
        }
        keys.extend(self.network_secret.clone());
        Ok(keys)
    }

    /// Fails as [`security::verify`] does if no key fits.
    fn verify(&self, user: Option<&Secret>) -> Result<()> {
        let push = self.push()?;
        let mut verdict = security::verify(&push, Keys { network: None, user });
        for network in &self.network_keys(push.media)? {
            if verdict.is_ok() {
                break;
            }
            verdict = security::verify(&push, Keys { network: Some(network), user });
        }
        verdict
    }
}

/// A bootstrap that waits for the user, or for the end of a write transaction.
pub(super) struct Pending {
    what: What,
    /// The question.
    text: String,
    stage: Stage,
}

enum What {
    Card { card: CardId, reading: Reading },
    Push(Box<Provisioning>),
}

enum Stage {
    Asking { question: u64, purpose: Purpose, ask: Ask, until_ms: u64 },
    Ready,
}

impl Pending {
    /// True if nothing but a writer keeps it waiting.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready)
    }

    pub(super) fn is_asking(&self, number: u64) -> bool {
        matches!(self.stage, Stage::Asking { question, .. } if question == number)
    }

    /// When the user's patience ends, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<u64> {
        match self.stage {
            Stage::Asking { until_ms, .. } => Some(until_ms),
            Stage::Ready => None,
        }
    }
}

impl Core {
    /// Reads a card and applies what is new, or asks the user first.
    pub(super) fn bootstrap_card(&mut self, id: CardId) -> Result<Report> {
        let ruling = self.card_ruling(id)?;
        let consent = match ruling {
            Ruling::Ask(_) => Consent::Needed,
            Ruling::Allow | Ruling::Refuse => Consent::Given,
        };
        if consent == Consent::Needed {
            self.check_no_question()?;
        }
        let refused = (ruling == Ruling::Refuse).then(|| {
            Error::new(Code::BootstrapRefused, "the bootstrap from cards is switched off")
        });
        let number = self.slot(id)?.number();
        let settled = self.slot(id)?.settled().filter(|_| refused.is_none());
        if let Some(identity) = settled
            && let Some(report) = bootstrap::unchanged(&self.db.read()?, number, identity)?
        {
            return self.conclude(Some((id, number)), Outcome { report, error: None });
        }
        // A record that cannot be read is reported when it is to be written.
        let known =
            self.db.read().and_then(|reader| Known::of(&reader, number)).unwrap_or_default();
        let reading = self.slot(id)?.read_bootstrap(refused, &known);
        let now = self.now();
        let outcome = match &reading {
            Ok(reading) => bootstrap::from_card(reading, consent, &self.db, now),
            Err(error) => error.clone().into(),
        };
        self.slot(id)?.bootstrapped(&outcome);
        let outcome = match reading {
            Ok(reading) if outcome.report.waiting > 0 => {
                self.ask_about_card(id, reading, outcome, patience(ruling))
            }
            _ => outcome,
        };
        self.conclude(Some((id, number)), outcome)
    }

    /// What policy and configuration together say about a card; without a user, the default.
    fn card_ruling(&mut self, id: CardId) -> Result<Ruling> {
        let flags = self.config.bootstrap;
        let hash = self.slot(id)?.identity_hash().unwrap_or_default();
        let asks = flags.contains(BootstrapPolicy::ASK_FOR_CARD);
        let ruling = self.bootstrap_ruling(policy::Origin::Card(hash), asks);
        Ok(if flags.contains(BootstrapPolicy::NO_CARD) { Ruling::Refuse } else { ruling })
    }

    /// What the policy says, and the configuration by `asks`; without a user, allowed if that is the
    /// default.
    fn bootstrap_ruling(&self, origin: policy::Origin, asks: bool) -> Ruling {
        let asked = Ruling::Ask(PATIENCE);
        let ruling = self.policy.bootstrap(origin);
        match if asks { ruling.stricter(asked) } else { ruling } {
            Ruling::Ask(ask) if !self.has_user() && !ask.refuses => Ruling::Allow,
            ruling => ruling,
        }
    }

    /// Asks whether what the card brings may be applied; without user it may not.
    fn ask_about_card(
        &mut self,
        card: CardId,
        reading: Reading,
        mut outcome: Outcome,
        ask: Ask,
    ) -> Outcome {
        if self.has_user() {
            let text = "The card brings new settings for this device. Use them?".to_owned();
            self.put_off(What::Card { card, reading }, text, Purpose::BootstrapConsent, ask);
        } else {
            outcome.report.waiting = 0;
            outcome.error = Some(nobody_to_ask(Code::BootstrapRefused));
        }
        outcome
    }

    /// Judges a push or a document of the factory, and applies it or asks the user first.
    pub(super) fn provision(&mut self, message: Provisioning) -> Result<Report> {
        let (digest, object) = (hash(message.octets.expose()), message.content_type.clone());
        let outcome = match self.judge_push(message) {
            Ok(Some(message)) => self.apply_message(&message),
            Ok(None) => return Ok(Report { waiting: 1, ..Report::default() }),
            Err(error) => {
                self.record_refused_push(digest, object, &error);
                error.into()
            }
        };
        self.conclude(None, outcome)
    }

    fn record_refused_push(&mut self, digest: Hash, object: Option<String>, error: &Error) {
        let refused = Bootstrap {
            origin: "push",
            slot: 0,
            card: None,
            digest: Some(digest),
            object: object.unwrap_or_else(|| "push".into()),
            uris: Vec::new(),
            outcome: Some(error).into(),
        };
        self.record_refused_bootstrap(refused, self.now());
    }

    /// The message if it can be applied now; `None` if the user is asked.
    fn judge_push(&mut self, message: Provisioning) -> Result<Option<Provisioning>> {
        if message.factory {
            return Ok(Some(message));
        }
        let push = message.push()?;
        let flags = self.config.bootstrap;
        let asks = flags.contains(BootstrapPolicy::ASK_FOR_PUSH);
        let ruling = self.bootstrap_ruling(policy::Origin::Push, asks);
        if ruling == Ruling::Refuse {
            return Err(Error::new(Code::BootstrapRefused, "the policy refuses pushed bootstraps"));
        }
        let unsigned = push.sec.is_none();
        let pin = push.sec.is_some_and(security::needs_user);
        let mac = push.sec == Some(Sec::UserPinMac);
        let taken_unsigned = unsigned && flags.contains(BootstrapPolicy::UNSIGNED_PUSH);
        if !pin && !taken_unsigned {
            message.verify(None)?;
        }
        // Before the user is troubled with it.
        let servers = bootstrap::judge_push(&push, self.push_source())?;
        if !pin && !unsigned && ruling == Ruling::Allow {
            return Ok(Some(message));
        }
        self.check_no_question()?;
        if !self.has_user() {
            let code = if pin { Code::BootstrapPin } else { Code::BootstrapRefused };
            return Err(nobody_to_ask(code));
        }
        let (what, ask) = (What::Push(Box::new(message)), patience(ruling));
        if pin {
            let purpose = Purpose::BootstrapPin { tries: limits::BOOTSTRAP_PIN_TRIES };
            self.put_off(what, pin_text(mac, &servers), purpose, ask);
        } else {
            let text = format!("Use the settings {} for this device?", from(&servers));
            self.put_off(what, text, Purpose::BootstrapConsent, ask);
        }
        Ok(None)
    }

    fn push_source(&self) -> Source {
        let replace = self.config.bootstrap.contains(BootstrapPolicy::REPLACE_BY_PUSH);
        Source::Push { replace }
    }

    fn apply_message(&mut self, message: &Provisioning) -> Outcome {
        let now = self.now();
        let applied = match message.factory {
            true => {
                bootstrap::apply_document(message.octets.expose(), Source::Factory, &self.db, now)
            }
            false => message.push().and_then(|push| {
                bootstrap::apply_document(push.body, self.push_source(), &self.db, now)
            }),
        };
        match applied {
            Ok(report) => Outcome { report, error: None },
            Err(error) => error.into(),
        }
    }

    /// Tells what a bootstrap came to, and starts the sessions that follow from it.
    fn conclude(&mut self, card: Option<(CardId, u32)>, outcome: Outcome) -> Result<Report> {
        let Outcome { report, error } = outcome;
        let slot = card.map_or(0, |(_, slot)| slot);
        let mut told = false;
        for news in &report.news {
            told |= matches!(news, News::Failed { .. });
            self.tell(event_of(news).slot(slot));
        }
        self.start_sessions(&report);
        self.sign_soon();
        let Some(error) = error else { return Ok(report) };
        if !told {
            self.tell(Event::new(EventKind::BootstrapApplied).slot(slot).failed(&error));
        }
        match card {
            Some((id, _)) => self.card_failed(id, &error),
            None => log::warn!("bootstrap: {error}"),
        }
        Err(error)
    }

    /// A session with each new server at the next opportunity, where the policy or its document says so
    /// (OMA DM Bootstrap 1.2, 5.3).
    fn start_sessions(&mut self, report: &Report) {
        let always = self.config.bootstrap.contains(BootstrapPolicy::START_SESSIONS);
        for server in report.servers() {
            if always || report.init.iter().any(|wanted| wanted == server) {
                // One that waits already serves as well.
                if let Err(error) = self.request_session(Some(server)) {
                    log::warn!("no session with the new server: {error}");
                }
            }
        }
    }

    // ---- the user -------------------------------------------------------------------------------

    fn check_no_question(&self) -> Result<()> {
        match self.pending {
            Some(_) => Err(Error::new(Code::Busy, "another bootstrap waits for the user")),
            None => Ok(()),
        }
    }

    fn put_off(&mut self, what: What, text: String, purpose: Purpose, ask: Ask) {
        let is_pin = purpose != Purpose::BootstrapConsent;
        let alert = UserAlert {
            kind: if is_pin { Kind::TextInput } else { Kind::Confirm },
            text: text.clone(),
            choices: Vec::new(),
            min_display_s: None,
            max_display_s: Some(ask.timeout_s),
            preset: Preset::None,
            max_len: is_pin.then_some(limits::BOOTSTRAP_PIN),
            input: Input::Alphanumeric,
            hidden: is_pin,
        };
        let question = self.ask(alert, 0, purpose);
        let until_ms = self.now().mono_ms.saturating_add(u64::from(ask.timeout_s) * 1000);
        let stage = Stage::Asking { question, purpose, ask, until_ms };
        self.pending = Some(Pending { what, text, stage });
    }

    /// The user's answer to the question of the bootstrap that waits.
    pub(super) fn bootstrap_answered(&mut self, answer: Answer) {
        let Some(Pending { what, text, stage: Stage::Asking { purpose, ask, .. } }) =
            self.pending.take()
        else {
            return;
        };
        let about = if purpose == Purpose::BootstrapConsent { "consent" } else { "pin" };
        self.record(Entry::answer(None, about, &text, answer.name()));
        match (answer, what, purpose) {
            (Answer::Accepted, what, Purpose::BootstrapConsent) => self.ready(what),
            (Answer::TimedOut | Answer::CannotShow, what, Purpose::BootstrapConsent)
                if !ask.refuses =>
            {
                self.ready(what);
            }
            (Answer::Text(pin), What::Push(message), Purpose::BootstrapPin { tries }) => {
                self.pin_typed(message, text, &Secret::new(pin), tries, ask);
            }
            (Answer::TimedOut, what, _) => {
                self.over(&what, Err(Error::new(Code::Timeout, "the user did not answer")));
            }
            (_, what, _) => {
                let error = Error::new(Code::BootstrapRefused, "the user refused the bootstrap");
                self.over(&what, Err(error));
            }
        }
    }

    fn pin_typed(
        &mut self,
        message: Box<Provisioning>,
        text: String,
        pin: &Secret,
        tries: u32,
        ask: Ask,
    ) {
        let Err(error) = message.verify(Some(pin)) else { return self.ready(What::Push(message)) };
        let left = tries.saturating_sub(1);
        if left == 0 || error.code() != Code::BootstrapPin {
            return self.over(&What::Push(message), Err(error));
        }
        let text = match tries {
            limits::BOOTSTRAP_PIN_TRIES => format!("That was not right. {text}"),
            _ => text,
        };
        self.put_off(What::Push(message), text, Purpose::BootstrapPin { tries: left }, ask);
    }

    fn ready(&mut self, what: What) {
        self.pending = Some(Pending { what, text: String::new(), stage: Stage::Ready });
    }

    /// Applies what has been agreed to, once nobody else writes; ends the user's patience.
    pub(super) fn step_pending(&mut self, now: Now) -> bool {
        match &self.pending {
            Some(pending) if pending.is_ready() && !self.db.is_writing() => {}
            Some(pending) if pending.deadline().is_some_and(|until| until <= now.mono_ms) => {
                self.bootstrap_answered(Answer::TimedOut);
                return true;
            }
            _ => return false,
        }
        let Some(Pending { what, .. }) = self.pending.take() else { return false };
        let outcome = match &what {
            What::Push(message) => self.apply_message(message),
            What::Card { card, reading } => self.apply_reading(*card, reading, now),
        };
        let concluded = self.conclude(card_of(&what), outcome).map(drop);
        self.done(&what, concluded);
        true
    }

    /// What the user has agreed to must still be in the slot.
    fn apply_reading(&mut self, card: CardId, reading: &Reading, now: Now) -> Outcome {
        let there = self
            .slot(card)
            .is_ok_and(|slot| !slot.is_gone() && slot.identity_hash() == Some(reading.identity));
        if !there {
            return Error::new(Code::CardRemoved, "the card went before the user agreed").into();
        }
        let outcome = bootstrap::from_card(reading, Consent::Given, &self.db, now);
        if let Ok(slot) = self.slot(card) {
            slot.bootstrapped(&outcome);
        }
        outcome
    }

    /// The bootstrap ends without having been applied.
    fn over(&mut self, what: &What, end: Result<()>) {
        if let Err(error) = &end {
            log::warn!("bootstrap: {error}");
        }
        self.done(what, end);
    }

    fn done(&mut self, what: &What, end: Result<()>) {
        let slot = card_of(what).map_or(0, |(_, slot)| slot);
        let event = Event::new(EventKind::BootstrapDone).slot(slot);
        self.tell(match &end {
            Err(error) => event.failed(error),
            Ok(()) => event,
        });
    }
}

fn card_of(what: &What) -> Option<(CardId, u32)> {
    match what {
        What::Card { card, reading } => Some((*card, reading.slot)),
        What::Push(_) => None,
    }
}

fn nobody_to_ask(code: Code) -> Error {
    Error::new(code, "the user has to be asked, and nobody can do that")
}

/// `from a and b`, for a question.
fn from(servers: &[String]) -> String {
    match servers {
        [] => "that were sent".to_owned(),
        servers => format!("from {}", servers.join(", ")),
    }
}

/// How the user is asked where the policy allows without a question.
const PATIENCE: Ask = Ask { refuses: true, timeout_s: (limits::UI_PATIENCE_MS / 1000) as u32 };

/// How the user is asked; a PIN is asked for also where the policy says "allow".
fn patience(ruling: Ruling) -> Ask {
    match ruling {
        Ruling::Ask(ask) => ask,
        Ruling::Allow | Ruling::Refuse => PATIENCE,
    }
}

fn pin_text(mac: bool, servers: &[String]) -> String {
    let what = if mac { "the digits" } else { "the PIN" };
    format!("Settings {} for this device: type {what} that you were given.", from(servers))
}

fn event_of(news: &News) -> Event {
    let about = |kind, uri: &str| Event::new(kind).uri(uri);
    let account = |event: Event, server_id: &Option<String>| Event {
        data: server_id.clone().unwrap_or_default().into_bytes(),
        ..event
    };
    match news {
        News::Found { path } => about(EventKind::BootstrapFound, path),
        News::Applied { uri, server_id } => {
            account(about(EventKind::BootstrapApplied, uri), server_id)
        }
        News::Removed { uri, server_id } => {
            account(about(EventKind::BootstrapRemoved, uri), server_id)
        }
        News::Failed { path, error } => {
            let event = Event::new(EventKind::BootstrapApplied).failed(error);
            Event { uri: path.clone(), ..event }
        }
    }
}
