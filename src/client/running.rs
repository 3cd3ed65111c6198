//! One DM session on its bearer: the engine's messages out, the server's in, and the clock over both.

mod events;

use super::bearer::{self, Bearer};
use super::consent;
use super::core::Core;
use super::pipe::look_again;
use super::schedule::Wanted;
use super::slot::CardId;
use crate::audit::{Authentication, Start};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::event::{Event, Purpose};
use crate::limits;
use crate::policy;
use crate::random::Random;
use crate::session::{
    Answer, Authority, Cause, Engine, HostAlert, Outgoing, Setup, Step, UserAlert,
};
use crate::store::Database;
use crate::syncml::Encoding;
use crate::time::Now;
use crate::transport::http::cookies::Cookies;
use crate::transport::http::login::{Credentials, Login};
use crate::transport::http::redirect::{self, MAX_REDIRECTS};
use crate::transport::http::{Exchange, Headers, Response};
use crate::tree::dmacc::{self, Account, Credential};
use crate::url::{Scheme, Url};
use std::time::Duration;

/// How soon a network connection without news is looked at again, in milliseconds: soon after the last
/// news, later when the server takes its time.
const NETWORK_POLL_MS: (u64, u64) = (2, 50);
/// Time for the card's web server to listen, in milliseconds.
const LISTEN_MS: u64 = limits::HTTP_SILENCE_MS;
/// `Accept` header: either encoding.
const ACCEPT: &str = "application/vnd.syncml.dm+wbxml, application/vnd.syncml.dm+xml";

/// How often one message is sent anew because the server asks for credentials: they, and a newer nonce.
const MAX_LOGINS: u8 = 2;

const USER_AGENT: &str = concat!("libdmsc/", env!("CARGO_PKG_VERSION"));

/// What a step came to.
#[derive(Debug)]
pub(super) enum Turn {
    /// Nothing moved.
    Idle,
    /// Something moved.
    Worked,
    /// The user is asked; [`Running::answer`] goes on.
    Ask(UserAlert, Purpose),
    /// Over.
    Ended(Result<()>),
}

enum Phase {
    /// A message is on its way, or its answer is.
    Exchange(Box<Post>),
    /// The user is asked.
    Asking { question: u64, until_ms: u64 },
    /// Something has come while the host writes to the tree; it waits for the end of that.
    Held(Input),
    /// Nothing more is to be done.
    Over,
}

/// A message on its way to the server.
struct Post {
    exchange: Exchange,
    letter: Letter,
    since_ms: u64,
    /// The connection was there before.
    reused: bool,
}

/// A message and where it goes.
struct Letter {
    request: Outgoing,
    url: Url,
    redirects: u8,
    /// How often the server has asked for credentials before it took it.
    logins: u8,
}

/// What the engine is given.
enum Input {
    Message(Response),
    Answer(Answer),
    /// The status of an Exec.
    Executed(u16),
}

/// A running session.
pub(super) struct Running {
    wanted: Wanted,
    bearer: Bearer,
    engine: Engine,
    phase: Phase,
    max_body: usize,
    slot: u32,
    messages: u32,
    /// How messages travel, for the journal.
    transport: &'static str,
    /// The card that the account came from.
    card_hash: Option<[u8; 16]>,
    cookies: Cookies,
    /// For a server that wants credentials in HTTP.
    login: Option<Login>,
    language: String,
    retry_after_s: Option<u32>,
    /// When the session has taken too long, on the monotonic clock.
    until_ms: u64,
    /// Ends the session with this error once the abort message is out.
    aborting: Option<Error>,
}

impl Running {
    /// Opens the session and prepares its first message.
    pub(super) fn begin(
        core: &mut Core,
        wanted: &Wanted,
        ui: bool,
        now: Now,
    ) -> Result<(Self, Turn)> {
        let account = dmacc::find(&core.db.read()?, &wanted.server_id)?.ok_or_else(|| {
            Error::new(Code::TriggerServer, format!("no account for server {}", wanted.server_id))
        })?;
        let url = bearer::address(&account)?;
        let address = url.to_string();
        let bearer = Bearer::choose(core, &account, &url, wanted.id)?;
        let transport = if bearer.is_card() { "card" } else { url.scheme.name() };
        let origin = consent::origin(&account.origin);
        let card_hash = match origin {
            policy::Origin::Card(hash) => Some(hash),
            _ => None,
        };
        let authority = Authority { policy: core.policy.clone(), origin };
        let cookies = Cookies::new(bearer.cookie_bounds());
        let login = login(account.http.as_ref(), bearer.is_card() || url.scheme == Scheme::Https);
        let exec = core.hosted.nodes.can_exec();
        let can = (bearer.is_card(), ui, exec);
        let mut setup = setup(&core.config, account, address, wanted, can, authority);
        setup.alerts = core.alerts_for(&wanted.server_id)?;
        let max_msg_size = setup.max_msg_size;
        let slot = bearer.card().and_then(|card| core.slot(card).ok().map(|slot| slot.number()));
        let (engine, step) = Engine::start(setup, core.context(now))?;
        let mut running = Self {
            wanted: wanted.clone(),
            bearer,
            engine,
            phase: Phase::Over,
            max_body: usize::try_from(max_msg_size).unwrap_or(usize::MAX) / 4 * 5,
            slot: slot.unwrap_or(0),
            messages: 0,
            transport,
            card_hash,
            cookies,
            login,
            language: core.config.device.language.clone(),
            retry_after_s: None,
            until_ms: now.mono_ms.saturating_add(limits::SESSION_MS),
            aborting: None,
        };
        let turn = running.follow(core, Ok(step), now);
        Ok((running, turn))
    }

    pub(super) fn id(&self) -> u64 {
        self.wanted.id
    }

    pub(super) fn server_id(&self) -> &str {
        &self.wanted.server_id
    }

    /// What the session was wanted for.
    pub(super) fn into_wanted(self) -> Wanted {
        self.wanted
    }

    pub(super) fn card(&self) -> Option<CardId> {
        self.bearer.card()
    }

    pub(super) fn messages(&self) -> u32 {
        self.messages
    }

    /// How each side has proved who it is.
    pub(super) fn authentication(&self) -> Authentication {
        self.engine.authentication()
    }

    /// What the journal tells about the beginning.
    pub(super) fn begun(&self) -> Start {
        Start {
            session: self.id(),
            server: self.server_id().to_owned(),
            dm_session: self.wanted.dm_session_id,
            by_server: self.wanted.cause == Cause::ServerInitiated,
            transport: self.transport,
            card: self.card_hash,
        }
    }

    /// Seconds that the server wants to be left alone, from its last answer.
    /// The session as it was wanted.
    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(super) fn retry_after_s(&self) -> Option<u32> {
        self.retry_after_s
    }

    pub(super) fn is_asking(&self, question: u64) -> bool {
        matches!(self.phase, Phase::Asking { question: asked, .. } if asked == question)
    }

    /// Sends an alert of the host with the next message.
    pub(super) fn queue_alert(&mut self, alert: HostAlert) -> Result<()> {
        self.engine.queue_alert(alert)
    }

    /// The question of the last [`Turn::Ask`] is out under this number.
    pub(super) fn asked(&mut self, number: u64) {
        if let Phase::Asking { question, .. } = &mut self.phase {
            *question = number;
        }
    }

    pub(super) fn take_events(&mut self) -> Vec<Event> {
        let events = self.engine.take_events();
        events.into_iter().filter_map(|event| self.event(event)).collect()
    }

    pub(super) fn disconnect(&mut self, core: &mut Core) {
        self.bearer.disconnect(core);
    }

    /// When [`step`](Self::step) has something to do, on the monotonic clock.
    pub(super) fn deadline(&self, db: &Database, now: Now) -> Option<u64> {
        let next = self.next_step(db, now)?;
        Some(next.min(self.until_ms))
    }

    fn next_step(&self, db: &Database, now: Now) -> Option<u64> {
        match &self.phase {
            Phase::Exchange(post) => {
                let silence = post.exchange.deadline().unwrap_or(post.since_ms + LISTEN_MS);
                if self.bearer.is_network() {
                    let last = silence.saturating_sub(limits::HTTP_SILENCE_MS);
                    return Some(look_again(now.mono_ms, last, NETWORK_POLL_MS));
                }
                Some(self.bearer.deadline().map_or(silence, |closed| closed.min(silence)))
            }
            Phase::Asking { until_ms, .. } => Some(*until_ms),
            // The end of the host's transaction wakes the driving thread.
            Phase::Held(_) if db.is_writing() => None,
            Phase::Held(_) | Phase::Over => Some(now.mono_ms),
        }
    }

    /// Moves what can be moved without waiting.
    pub(super) fn step(&mut self, core: &mut Core, now: Now) -> Turn {
        if self.until_ms <= now.mono_ms && !matches!(self.phase, Phase::Held(_)) {
            self.until_ms = u64::MAX;
            let text = "the session takes too long";
            return self.abort(core, Error::new(Code::Timeout, text), now);
        }
        match &self.phase {
            Phase::Exchange(_) => self.step_exchange(core, now),
            Phase::Asking { until_ms, .. } if *until_ms <= now.mono_ms => {
                self.answer(core, Answer::TimedOut, now)
            }
            Phase::Held(_) if !core.db.is_writing() => {
                match std::mem::replace(&mut self.phase, Phase::Over) {
                    Phase::Held(input) => self.take(core, input, now),
                    _ => Turn::Idle,
                }
            }
            Phase::Asking { .. } | Phase::Held(_) => Turn::Idle,
            Phase::Over => Turn::Ended(Ok(())),
        }
    }

    fn step_exchange(&mut self, core: &mut Core, now: Now) -> Turn {
        let Phase::Exchange(post) = &mut self.phase else { return Turn::Idle };
        let before = (post.exchange.moved(), self.bearer.moved());
        let since_ms = post.since_ms;
        let exchange = &mut post.exchange;
        let polled = self
            .bearer
            .with_stream(core, now, |stream| exchange.poll(stream, Duration::ZERO, now.mono_ms));
        match polled {
            Ok(None) if now.mono_ms >= since_ms + LISTEN_MS => {
                let text = "the card's web server does not listen, or serves somebody else";
                self.failed(core, Error::new(Code::Connect, text), now)
            }
            Ok(None) => Turn::Idle,
            Ok(Some(None)) if (exchange.moved(), self.bearer.moved()) == before => Turn::Idle,
            Ok(Some(None)) => Turn::Worked,
            Ok(Some(Some(response))) => self.answered(core, response, now),
            Err(error) => self.failed(core, error, now),
        }
    }

    /// A request that failed unheard on a connection used before met a server that had closed it
    /// meanwhile: it is sent once more, on a new one.
    fn failed(&mut self, core: &mut Core, error: Error, now: Now) -> Turn {
        self.bearer.disconnect(core);
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Exchange(post)
                if post.reused && !post.exchange.heard() && error.code() == Code::Io =>
            {
                self.send_to(core, post.letter, now)
            }
            _ => self.ended(error),
        }
    }

    /// The end by `error`, unless an earlier one is the reason.
    fn ended(&mut self, error: Error) -> Turn {
        Turn::Ended(Err(self.aborting.take().unwrap_or(error)))
    }

    fn answered(&mut self, core: &mut Core, response: Response, now: Now) -> Turn {
        if !response.reusable {
            self.bearer.server_closes(now);
        }
        let Phase::Exchange(post) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return Turn::Idle;
        };
        for cookie in &response.cookies {
            self.cookies.take(&post.letter.url, cookie);
        }
        self.retry_after_s = response.retry_after_s;
        if let Some(error) = self.aborting.take() {
            return Turn::Ended(Err(error));
        }
        match redirect::target(&post.letter.url, &response) {
            Ok(Some(url)) => return self.redirected(core, post.letter, url, now),
            Ok(None) => {}
            Err(error) => return Turn::Ended(Err(error)),
        }
        match response.status {
            200 if !response.body.is_empty() => {
                self.messages += 1;
                self.take(core, Input::Message(response), now)
            }
            // An empty answer is how a server ends what it has begun.
            200 | 204 if self.messages > 0 => Turn::Ended(Ok(())),
            200 | 204 => {
                let text = "the server answered without a message";
                Turn::Ended(Err(Error::new(Code::Protocol, text)))
            }
            401 => self.challenged(core, post.letter, &response, now),
            number => {
                let text = format!("the server answered with HTTP status {number}");
                Turn::Ended(Err(Error::new(Code::Http, text).with_http_status(number)))
            }
        }
    }

    /// The server wants the same message at another of its places.
    fn redirected(&mut self, core: &mut Core, letter: Letter, url: Url, now: Now) -> Turn {
        if letter.redirects == MAX_REDIRECTS {
            let text = format!("the server redirects more than {MAX_REDIRECTS} times");
            return Turn::Ended(Err(Error::new(Code::Http, text)));
        }
        let redirects = letter.redirects + 1;
        self.send_to(core, Letter { url, redirects, ..letter }, now)
    }

    /// The server wants to know in HTTP who the client is: the same message goes once more, if the account has
    /// credentials that help.
    fn challenged(&mut self, core: &mut Core, letter: Letter, by: &Response, now: Now) -> Turn {
        let failed = |code, text| Turn::Ended(Err(Error::new(code, text).with_http_status(401)));
        let Some(login) = &mut self.login else {
            let text =
                "the server wants credentials in HTTP, and the account has none (AAuthLevel HTTP)";
            return failed(Code::Http, text);
        };
        if letter.logins == MAX_LOGINS || !login.challenged(&letter.url, &by.challenges) {
            let text = "the server refuses the account's credentials in HTTP, or asks for more than may be shown";
            return failed(Code::AuthClient, text);
        }
        let logins = letter.logins + 1;
        self.send_to(core, Letter { logins, ..letter }, now)
    }

    /// Takes the user's answer.
    pub(super) fn answer(&mut self, core: &mut Core, answer: Answer, now: Now) -> Turn {
        self.phase = Phase::Over;
        self.take(core, Input::Answer(answer), now)
    }

    /// Gives the engine what came, or keeps it while somebody else writes to the store.
    fn take(&mut self, core: &mut Core, mut input: Input, now: Now) -> Turn {
        loop {
            let ctx = core.context(now);
            let step = match &input {
                Input::Message(response) => {
                    self.engine.receive(ctx, &response.body, response.hmac.as_deref())
                }
                Input::Answer(answer) => self.engine.answer(ctx, answer.clone()),
                Input::Executed(status) => self.engine.executed(ctx, *status),
            };
            match step {
                Err(error) if error.code() == Code::Busy => {
                    self.phase = Phase::Held(input);
                    return Turn::Idle;
                }
                Ok(Step::Execute(execution)) => {
                    input = Input::Executed(core.execute(
                        &execution,
                        self.wanted.id,
                        &self.wanted.server_id,
                    ));
                }
                step => return self.follow(core, step, now),
            }
        }
    }

    /// Gives the session up because of `why`, which the server is told if it can be.
    pub(super) fn abort(&mut self, core: &mut Core, why: Error, now: Now) -> Turn {
        if let Phase::Exchange(post) = &self.phase {
            let nothing_is_out = self.messages == 0 && post.exchange.moved() == 0;
            self.bearer.disconnect(core);
            if nothing_is_out {
                // The server knows of no session that it could be told the end of.
                return self.ended(why);
            }
        }
        self.phase = Phase::Over;
        match self.engine.abort(core.context(now), &why) {
            Some(outgoing) => {
                self.aborting = Some(why);
                self.send(core, outgoing, now)
            }
            None => self.ended(why),
        }
    }

    fn follow(&mut self, core: &mut Core, step: Result<Step>, now: Now) -> Turn {
        match step {
            Ok(Step::Send(outgoing)) => self.send(core, outgoing, now),
            Ok(Step::Ask(alert)) => {
                let wanted =
                    alert.max_display_s.map_or(u64::MAX, |seconds| u64::from(seconds) * 1000);
                let until_ms = now.mono_ms.saturating_add(wanted.min(limits::UI_PATIENCE_MS));
                self.phase = Phase::Asking { question: 0, until_ms };
                Turn::Ask(alert, Purpose::Session)
            }
            Ok(Step::Consent(alert)) => {
                let seconds = alert.max_display_s.unwrap_or(u32::MAX);
                let until_ms = now.mono_ms.saturating_add(u64::from(seconds) * 1000);
                self.phase = Phase::Asking { question: 0, until_ms };
                Turn::Ask(alert, Purpose::CommandConsent)
            }
            Ok(Step::Execute(execution)) => {
                let status = core.execute(&execution, self.wanted.id, &self.wanted.server_id);
                self.take(core, Input::Executed(status), now)
            }
            Ok(Step::Done) => Turn::Ended(Ok(())),
            Err(error) => self.abort(core, error, now),
        }
    }

    fn send(&mut self, core: &mut Core, request: Outgoing, now: Now) -> Turn {
        match Url::parse(&request.uri) {
            Ok(url) => self.send_to(core, Letter { request, url, redirects: 0, logins: 0 }, now),
            Err(error) => self.ended(error),
        }
    }

    fn send_to(&mut self, core: &mut Core, letter: Letter, now: Now) -> Turn {
        let aimed = self.bearer.aim(&letter.url);
        match aimed.and_then(|()| self.exchange(&letter, &mut *core.random)) {
            Ok(exchange) => {
                let (reused, since_ms) = (self.bearer.is_connected(), now.mono_ms);
                self.phase = Phase::Exchange(Box::new(Post { exchange, letter, since_ms, reused }));
                Turn::Worked
            }
            Err(error) => self.ended(error),
        }
    }

    fn exchange(&mut self, letter: &Letter, random: &mut dyn Random) -> Result<Exchange> {
        let Letter { request, url, .. } = letter;
        let authorization = self.login.as_mut().and_then(|login| login.header(url, random));
        let cookie = self.cookies.header(url);
        let mut more = Vec::new();
        // A card has little room for a head (SCWS profile), and no use for these.
        if !self.bearer.is_card() {
            more.push(("Accept-Charset", "utf-8"));
            more.push(("Accept-Language", self.language.as_str()));
        }
        more.extend(request.hmac.as_deref().map(|value| ("x-syncml-hmac", value)));
        more.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        more.extend(cookie.as_deref().map(|value| ("Cookie", value)));
        let headers = Headers {
            content_type: request.mime,
            accept: ACCEPT,
            user_agent: USER_AGENT,
            more: &more,
        };
        Exchange::post(url, &headers, &request.body, self.max_body)
    }
}

/// The account's credentials for HTTP, if they are of a kind that is known here.
fn login(credential: Option<&Credential>, is_private: bool) -> Option<Login> {
    let credential = credential?;
    let is_basic = match credential.auth_type.as_str() {
        "HTTP-BASIC" => true,
        "HTTP-DIGEST" => false,
        _ => return None,
    };
    Some(Login::new(Credentials {
        name: credential.name.clone(),
        secret: credential.secret.clone(),
        // On an open way everybody would read the password.
        basic: is_basic && is_private,
    }))
}

fn setup(
    config: &Config,
    account: Account,
    address: String,
    wanted: &Wanted,
    (is_card, ui, exec): (bool, bool, bool),
    authority: Authority,
) -> Setup {
    Setup {
        number: wanted.id,
        authority,
        account,
        address,
        session_id: wanted.dm_session_id,
        cause: wanted.cause,
        encoding: match config.network.text_xml && !is_card {
            true => Encoding::Xml,
            false => Encoding::Wbxml,
        },
        max_msg_size: if is_card { config.max_msg_size_card } else { config.max_msg_size },
        max_obj_size: config.max_obj_size,
        large_objects: true,
        ui,
        exec,
        trusted_transport: false,
        require_tls: false,
        alerts: Vec::new(),
    }
}
