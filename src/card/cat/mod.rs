//! The card application toolkit, terminal side, as a pure engine: a fetched proactive command in,
//! TERMINAL RESPONSE data and effects out; events in, ENVELOPE data out.
//!
//! Owns what the card has set up: timers, events, polling, channels (ETSI TS 102 223). Must not
//! know APDUs, sockets, clocks, or what a client does with a channel.

mod channel;
mod command;
mod envelope;
mod host;
mod local;
mod profile;
mod reaction;
mod refresh;
mod remote;
mod response;
pub mod text;
mod timer;

#[cfg(test)]
mod tests;

use super::bip::{Bip, CHANNELS, ChannelEvent, Level, Listener};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::time::Now;
use command::{Command, Details, kind, tag};
use envelope::{Notice, Queue, event};
use profile::{Feature, Profile};
use remote::Opening;
use response::{Outcome, Response, TO_CARD};
use std::collections::VecDeque;
use timer::Timers;

pub use host::{
    DisplayText, Failure, GetInkey, GetInput, HostAnswer, HostRequest, LaunchBrowser, Menu,
    PlayTone, SelectItem, SendSms, SetUpCall, Transmission,
};
pub use local::{Imei, Imeisv, LocalInfo, Location};
pub use profile::Capabilities;
pub use reaction::{Effect, Reaction};
pub use refresh::{Refresh, RefreshMode};
pub use remote::Connect;

/// Port of connectionless WAP push, where notifications arrive.
pub const PUSH_PORT: u16 = 2948;
/// Spacing of STATUS while the card has not asked for another.
const POLL_MS: u64 = 30_000;
/// How long a REFRESH may be put off while the card is in use.
const REFRESH_DELAY_MS: u64 = 60_000;
/// Commands a minute that may take the user's attention.
const USER_COMMANDS: usize = 10;
const MINUTE_MS: u64 = 60_000;

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the host can do.
    pub capabilities: Capabilities,
    /// What the host tells about itself.
    pub local: LocalInfo,
    /// Local applications that the card may send to.
    pub listeners: Vec<Listener>,
    /// Channels at once, 1 to 7.
    pub channels: u8,
    /// Octets each way that a channel is granted at most.
    pub channel_buffer: usize,
    /// Spacing of STATUS while the card has not asked for another, in milliseconds.
    pub poll_ms: u64,
}

impl Default for Config {
    /// No host capabilities; notifications over UDP and TCP; seven channels; 30 s.
    fn default() -> Self {
        let on_push_port = |level| Listener { level, port: PUSH_PORT };
        Self {
            capabilities: Capabilities::empty(),
            local: LocalInfo::default(),
            listeners: [Level::UdpLocal, Level::TcpLocal].map(on_push_port).into(),
            channels: CHANNELS as u8,
            channel_buffer: limits::CHANNEL_BUFFER,
            poll_ms: POLL_MS,
        }
    }
}

/// Something that happened on the terminal's screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenEvent {
    /// The user did something.
    UserActivity,
    /// The idle screen came up.
    Idle,
}

#[derive(Debug)]
struct Asked {
    details: Details,
    request: HostRequest,
    success: Outcome,
    until_ms: u64,
}

/// The engine for one card.
#[derive(Debug)]
pub struct Cat {
    profile: Profile,
    local: LocalInfo,
    bip: Bip,
    timers: Timers,
    events: Vec<u8>,
    queue: Queue,
    /// Data available events that a busy card did not take; told again after a response.
    owed: Vec<Notice>,
    asked: Option<Asked>,
    user_commands: VecDeque<u64>,
    default_poll_ms: u64,
    poll_ms: Option<u64>,
    active_ms: u64,
    in_use: bool,
    refresh_since: Option<u64>,
}

impl Cat {
    /// An engine for a card that has just been reset.
    pub fn new(config: Config) -> Self {
        let channels = usize::from(config.channels).clamp(1, CHANNELS);
        Self {
            profile: Profile {
                capabilities: config.capabilities,
                language: config.local.language.is_some(),
                imeisv: config.local.imeisv.is_some(),
                access_technology: config.local.access_technology.is_some(),
                channels: channels as u8,
            },
            local: config.local,
            bip: Bip::new(channels, config.channel_buffer, config.listeners),
            timers: Timers::default(),
            events: Vec::new(),
            queue: Queue::default(),
            owed: Vec::new(),
            asked: None,
            user_commands: VecDeque::new(),
            default_poll_ms: config.poll_ms,
            poll_ms: Some(config.poll_ms),
            active_ms: 0,
            in_use: false,
            refresh_since: None,
        }
    }

    /// The data of TERMINAL PROFILE: exactly what this engine and its host carry out.
    pub fn terminal_profile(&self) -> Vec<u8> {
        self.profile.encode()
    }

    /// Carries out one fetched proactive command (`D0 ...`).
    ///
    /// Fails with `CardBadData` when the octets hold nothing that a response could echo (nothing
    /// has happened then), and with `State` while the host's answer to another one is awaited.
    pub fn proactive(&mut self, octets: &[u8], now: Now) -> Result<Reaction> {
        if self.asked.is_some() {
            return Err(Error::new(Code::State, "proactive command while another one is open"));
        }
        let (details, objects) = Details::read(octets)?;
        self.collect(now);
        let mut effects = Vec::new();
        let response = self
            .check(details)
            .and_then(|()| Command::read(details, objects))
            .and_then(|command| self.execute(&command, now, &mut effects))
            .unwrap_or_else(|outcome| Some(outcome.into()));
        let terminal_response = response.map(|response| self.finish(details, &response));
        Ok(Reaction { terminal_response, effects })
    }

    /// Answers the host's open question.
    ///
    /// Fails with `State` when there is none and with `InvalidArg` when the answer does not fit;
    /// the question stays open then.
    pub fn complete(&mut self, answer: HostAnswer) -> Result<Reaction> {
        let none = || Error::new(Code::State, "no proactive command waits for the host");
        let asked = self.asked.as_ref().ok_or_else(none)?;
        let is_done = matches!(answer, HostAnswer::Done);
        let (details, response) = (asked.details, asked.request.respond(answer, asked.success)?);
        if let HostRequest::Connect(connect) = &asked.request {
            match is_done {
                true => self.bip.linked(connect.channel, true),
                false => self.bip.abandon(connect.channel),
            }
        }
        self.asked = None;
        let terminal_response = Some(self.finish(details, &response));
        Ok(Reaction { terminal_response, effects: Vec::new() })
    }

    /// Ends the host's open question when its time is up.
    pub fn expire(&mut self, now: Now) -> Option<Reaction> {
        let asked = self.asked.take_if(|asked| asked.until_ms <= now.mono_ms)?;
        let response = asked.request.overdue();
        if let HostRequest::Connect(connect) = &asked.request {
            self.bip.abandon(connect.channel);
        }
        let terminal_response = Some(self.finish(asked.details, &response));
        Some(Reaction { terminal_response, effects: vec![Effect::AskWithdrawn] })
    }

    /// The data of the next ENVELOPE (`D6 ...`, `D7 ...`) if one is due; the card's status word
    /// has to be given to [`envelope_answered`](Self::envelope_answered).
    pub fn next_envelope(&mut self, now: Now) -> Option<Vec<u8>> {
        if self.asked.is_some() {
            return None;
        }
        self.collect(now);
        self.queue.next(now, |number| self.bip.available(number))
    }

    /// Takes the status word of the last envelope: a busy card (`9300`) is asked again after 100
    /// ms, 200 ms and so on up to 2 s, ten times at most.
    pub fn envelope_answered(&mut self, sw: u16, now: Now) {
        match self.queue.answered(sw, now) {
            Some(notice @ Notice::Data { .. }) => self.owed.push(notice),
            Some(_) => log::warn!("toolkit: the card stayed busy, an event is lost"),
            None => {}
        }
    }

    /// True if nothing has been exchanged with the card for the polling interval, so that STATUS
    /// gives it a chance to announce a proactive command.
    pub fn poll_due(&self, now: Now) -> bool {
        self.poll_at().is_some_and(|at| at <= now.mono_ms)
    }

    /// Notes that something was exchanged with the card.
    pub fn active(&mut self, now: Now) {
        self.active_ms = now.mono_ms;
    }

    /// When something is due next, in monotonic milliseconds (0: at once): an envelope, a poll, or
    /// the end of the host's time.
    pub fn deadline(&self) -> Option<u64> {
        if let Some(asked) = &self.asked {
            return Some(asked.until_ms);
        }
        let event = self.bip.has_event().then_some(0);
        let due = [event, self.queue.deadline(), self.timers.deadline(), self.poll_at()];
        due.into_iter().flatten().min()
    }

    /// True while a proactive command waits for the host's answer.
    pub fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }

    /// Forgets all that the card had set up: it was reset or exchanged. A response or envelope
    /// that has not been sent yet must not be sent any more.
    pub fn reset(&mut self) {
        self.bip.reset();
        self.timers = Timers::default();
        self.events.clear();
        self.queue = Queue::default();
        self.owed.clear();
        self.asked = None;
        self.poll_ms = Some(self.default_poll_ms);
        self.refresh_since = None;
    }

    /// The channels, for clients of the card's servers.
    pub fn bip(&self) -> &Bip {
        &self.bip
    }

    /// The channels, for clients of the card's servers.
    pub fn bip_mut(&mut self) -> &mut Bip {
        &mut self.bip
    }

    /// Says whether a REFRESH that ends channels would disturb somebody, such as a DM session with
    /// the card. The card is put off for 60 s at most.
    pub fn set_in_use(&mut self, in_use: bool) {
        self.in_use = in_use;
        if !in_use {
            self.refresh_since = None;
        }
    }

    /// Replaces what the host tells about itself; the card hears of a new language or location if
    /// it wants to. What was not announced in the profile stays unannounced.
    pub fn set_local_info(&mut self, local: LocalInfo) {
        let before = std::mem::replace(&mut self.local, local);
        if let Some(language) =
            self.local.language.filter(|_| self.local.language != before.language)
        {
            self.tell(Notice::event(event::LANGUAGE, tag::LANGUAGE, &language));
        }
        if let Some(technology) = self.local.access_technology
            && self.local.access_technology != before.access_technology
        {
            let object = [technology];
            self.tell(Notice::event(event::ACCESS_TECHNOLOGY, tag::ACCESS_TECHNOLOGY, &object));
        }
        if self.local.location != before.location {
            let location = self.local.location.as_ref().map(Location::octets);
            self.tell(Notice::location(location));
        }
    }

    /// Tells the card, once for each time it asked, what happened on the screen.
    pub fn screen_event(&mut self, screen: ScreenEvent) {
        /// Display to card, in device identities.
        const FROM_DISPLAY: [u8; 2] = [0x02, 0x81];
        let (code, devices) = match screen {
            ScreenEvent::UserActivity => (event::USER_ACTIVITY, TO_CARD),
            ScreenEvent::Idle => (event::IDLE_SCREEN, FROM_DISPLAY),
        };
        self.tell(Notice::Event { code, devices, objects: Vec::new() });
    }

    /// Tells the card what the user chose from its menu, or wants help with; nothing if it has none.
    pub fn menu_selected(&mut self, item: u8, help: bool) {
        if self.profile.offers(Feature::MenuSelection) {
            self.queue.push(Notice::Menu { item, help });
        }
    }

    /// Tells the card that the browser has ended, by the user or by an error.
    pub fn browser_terminated(&mut self, by_error: bool) {
        let cause = [u8::from(by_error)];
        self.tell(Notice::event(event::BROWSER_TERMINATION, tag::BROWSER_CAUSE, &cause));
    }

    /// A type of command that does not exist or was not announced is not even read.
    fn check(&self, details: Details) -> core::result::Result<(), Outcome> {
        if !command::is_known(details.kind) {
            return Err(Outcome::TYPE_NOT_UNDERSTOOD);
        }
        let offered = self.profile.offers(Feature::Command(details.kind));
        if offered { Ok(()) } else { Err(Outcome::BEYOND_CAPABILITIES) }
    }

    /// The response of a command that is done, or `None` if the host was asked.
    fn execute(
        &mut self,
        command: &Command<'_>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> core::result::Result<Option<Response>, Outcome> {
        if let Some(request) = HostRequest::read(command)? {
            self.ask(command, request, now, effects)?;
            return Ok(None);
        }
        let bip = &mut self.bip;
        Ok(Some(match command.details.kind {
            kind::REFRESH => self.refresh(command, now, effects)?,
            kind::MORE_TIME => Outcome::OK.into(),
            kind::POLL_INTERVAL => self.poll_interval(command)?,
            kind::POLLING_OFF => {
                self.poll_ms = None;
                Outcome::OK.into()
            }
            kind::SET_UP_EVENT_LIST => self.set_up_events(command)?,
            kind::LOCAL_INFORMATION => self.local_information(command.details.qualifier, now)?,
            kind::TIMER => self.timer(command, now)?,
            kind::OPEN_CHANNEL => return self.open_channel(command, now, effects),
            kind::CLOSE_CHANNEL => channel::close(bip, command, effects)?,
            kind::RECEIVE_DATA => channel::receive(bip, command)?,
            kind::SEND_DATA => channel::send(bip, command, effects)?,
            kind::CHANNEL_STATUS => channel::status(bip),
            kind::DECLARE_SERVICE => channel::declare(bip, command)?,
            _ => return Err(Outcome::TYPE_NOT_UNDERSTOOD),
        }))
    }

    fn open_channel(
        &mut self,
        command: &Command<'_>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> core::result::Result<Option<Response>, Outcome> {
        match remote::open(&mut self.bip, &self.profile, command)? {
            None => channel::open(&mut self.bip, &self.profile, command, effects).map(Some),
            Some(Opening::OnDemand(response)) => Ok(Some(response)),
            Some(Opening::Immediate(connect)) => {
                self.ask(command, HostRequest::Connect(connect), now, effects)?;
                Ok(None)
            }
        }
    }

    /// Closes the command: what the card was too busy to hear may be told again.
    fn finish(&mut self, details: Details, response: &Response) -> Vec<u8> {
        for notice in std::mem::take(&mut self.owed) {
            self.queue.push(notice);
        }
        response.encode(details)
    }

    fn ask(
        &mut self,
        command: &Command<'_>,
        request: HostRequest,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> core::result::Result<(), Outcome> {
        if request.needs_user() {
            self.user_commands.retain(|at| now.mono_ms.saturating_sub(*at) < MINUTE_MS);
            if self.user_commands.len() >= USER_COMMANDS {
                return Err(Outcome::SCREEN_BUSY);
            }
            self.user_commands.push_back(now.mono_ms);
        }
        let has_icon = command.object(tag::ICON).is_some();
        effects.push(Effect::Ask(request.clone()));
        self.asked = Some(Asked {
            details: command.details,
            success: if has_icon { Outcome::ICON_NOT_SHOWN } else { Outcome::OK },
            until_ms: now.mono_ms.saturating_add(request.patience_ms()),
            request,
        });
        Ok(())
    }

    fn refresh(
        &mut self,
        command: &Command<'_>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> core::result::Result<Response, Outcome> {
        let refresh = Refresh::read(command)?;
        if self.in_use && !refresh.mode.is_harmless() && !Refresh::is_forced(command) {
            let since = *self.refresh_since.get_or_insert(now.mono_ms);
            let until_ms = since.saturating_add(REFRESH_DELAY_MS);
            if now.mono_ms < until_ms {
                effects.push(Effect::RefreshDelayed { refresh, until_ms });
                return Err(Outcome::BUSY_ON_CALL);
            }
        }
        self.refresh_since = None;
        if refresh.mode.ends_card_session() {
            self.reset();
        } else if !refresh.mode.is_harmless() {
            self.bip.reset();
            self.owed.clear();
            self.queue.retain_events(|code| !event::OF_CHANNELS.contains(&code));
        }
        effects.push(Effect::Refresh(refresh));
        Ok(Outcome::OK.into())
    }

    fn poll_interval(&mut self, command: &Command<'_>) -> core::result::Result<Response, Outcome> {
        const SHORTEST: ([u8; 2], u64) = ([1, 1], 1000);
        let wanted = command.needed(tag::DURATION)?;
        let (granted, poll_ms) = match host::decode_duration(wanted) {
            Some(poll_ms) if poll_ms >= SHORTEST.1 => (wanted, poll_ms),
            Some(_) => (&SHORTEST.0[..], SHORTEST.1),
            None => return Err(Outcome::NOT_UNDERSTOOD),
        };
        self.poll_ms = Some(poll_ms);
        Ok(Response::from(Outcome::OK).with(tag::DURATION, granted))
    }

    fn set_up_events(&mut self, command: &Command<'_>) -> core::result::Result<Response, Outcome> {
        let list = command.needed(tag::EVENT_LIST)?;
        if !list.iter().all(|code| self.profile.offers(Feature::Event(*code))) {
            return Err(Outcome::BEYOND_CAPABILITIES);
        }
        self.events = list.to_vec();
        self.queue.retain_events(|code| list.contains(&code));
        if !list.contains(&event::DATA_AVAILABLE) {
            self.owed.clear();
        }
        Ok(Outcome::OK.into())
    }

    fn local_information(
        &self,
        qualifier: u8,
        now: Now,
    ) -> core::result::Result<Response, Outcome> {
        if !self.profile.offers(Feature::Local(qualifier)) {
            return Err(Outcome::BEYOND_CAPABILITIES);
        }
        local::provide(&self.local, qualifier, now)
    }

    fn timer(
        &mut self,
        command: &Command<'_>,
        now: Now,
    ) -> core::result::Result<Response, Outcome> {
        const START: u8 = 0;
        const DEACTIVATE: u8 = 1;
        const GET_VALUE: u8 = 2;
        let &[id] = command.needed(tag::TIMER_ID)? else { return Err(Outcome::NOT_UNDERSTOOD) };
        let remaining = match command.details.qualifier & 3 {
            START => {
                let value = timer::decode_value(command.needed(tag::TIMER_VALUE)?);
                let started = value.and_then(|seconds| self.timers.start(id, seconds, now));
                started.ok_or(Outcome::NOT_UNDERSTOOD)?;
                return Ok(Response::from(Outcome::OK).with(tag::TIMER_ID, &[id]));
            }
            DEACTIVATE => self.timers.stop(id, now),
            GET_VALUE => self.timers.remaining(id, now),
            _ => None,
        };
        Ok(match remaining.ok_or(Outcome::NOT_UNDERSTOOD)? {
            Some(seconds) => Response::from(Outcome::OK)
                .with(tag::TIMER_ID, &[id])
                .with(tag::TIMER_VALUE, &timer::encode_value(seconds)),
            None => Response::from(Outcome::TIMER_CONTRADICTION).with(tag::TIMER_ID, &[id]),
        })
    }

    /// Queues an event of the host if the card wants it; those of the screen are told once.
    fn tell(&mut self, notice: Notice) {
        let Some(code) = notice.event_code().filter(|code| self.events.contains(code)) else {
            return;
        };
        self.queue.push(notice);
        if matches!(code, event::USER_ACTIVITY | event::IDLE_SCREEN) {
            self.events.retain(|other| *other != code);
        }
    }

    /// Queues what has happened since, as long as the present event list holds.
    fn collect(&mut self, now: Now) {
        while let Some((id, elapsed_s)) = self.timers.take_expired(now) {
            self.queue.push(Notice::Timer { id, elapsed_s });
        }
        while let Some(event) = self.bip.take_event() {
            let notice = Notice::from(event);
            if notice.event_code().is_some_and(|code| self.events.contains(&code)) {
                self.queue.push(notice);
            }
        }
    }

    fn poll_at(&self) -> Option<u64> {
        self.poll_ms.map(|poll_ms| self.active_ms.saturating_add(poll_ms))
    }
}

impl From<ChannelEvent> for Notice {
    fn from(event: ChannelEvent) -> Self {
        match event {
            ChannelEvent::Status(status) => {
                Self::event(event::CHANNEL_STATUS, tag::CHANNEL_STATUS, &status)
            }
            ChannelEvent::Data { number, status } => Self::Data { number, status },
            ChannelEvent::LocalConnection { record, level, port } => {
                Self::local_connection(&record, level, port)
            }
        }
    }
}
