//! The toolkit application: asks the terminal for the web server's channel and for sessions, moves
//! octets between that channel and the [`Application`], and notes what the terminal does wrong.

mod envelope;
mod proactive;
mod profile;
mod response;

use super::apdu::{Command, Sw};
use super::config::{CardConfig, Protocol, ToolkitConfig};
use crate::application::{Application, Finding, HttpOutput};
use proactive::{CHUNK, Proactive};
use profile::{Facility, TerminalProfile};
use response::Response;
use std::collections::VecDeque;

/// Event codes.
const DATA_AVAILABLE: u8 = 0x09;
const CHANNEL_STATUS: u8 = 0x0A;
/// Result: REFRESH carried out, with additional files read.
const REFRESHED_MORE: u8 = 0x03;
/// Findings kept; a terminal in a loop must not fill the memory.
const MAX_FINDINGS: usize = 1000;
/// How often a command that the terminal was too busy for is tried again.
const MAX_RETRIES: u8 = 3;

/// A command whose length has been announced, or that was fetched.
#[derive(Debug)]
struct Issued {
    command: Proactive,
    number: u8,
    octets: Vec<u8>,
}

/// The web server's channel.
#[derive(Debug)]
struct Server {
    channel: u8,
    /// A client is connected.
    established: bool,
    /// The terminal said that data wait, and not all of them have been received.
    unread: bool,
    /// The client is gone, but its last octets wait still.
    draining: bool,
}

/// The application's state, from one reset to the next.
#[derive(Debug, Default)]
struct State {
    profile: Option<TerminalProfile>,
    queue: VecDeque<Proactive>,
    announced: Option<Issued>,
    fetched: Option<Issued>,
    number: u8,
    events: Vec<u8>,
    timer_running: bool,
    server: Option<Server>,
    /// Waits for a STATUS, after the terminal was busy.
    postponed: Option<Proactive>,
    retries: u8,
}

/// The toolkit application of a card.
#[derive(Debug)]
pub(crate) struct Toolkit {
    config: ToolkitConfig,
    ignore_http: bool,
    close_midway: bool,
    busy_envelopes: u32,
    endless: bool,
    state: State,
    /// Each with the number of findings that the DM server had before.
    findings: Vec<(usize, Finding)>,
}

impl Toolkit {
    pub(crate) fn new(config: &CardConfig) -> Self {
        Self {
            config: config.toolkit.clone(),
            ignore_http: config.faults.ignore_http,
            close_midway: config.faults.close_midway,
            busy_envelopes: config.faults.busy_envelopes,
            endless: config.faults.endless_proactive,
            state: State::default(),
            findings: Vec::new(),
        }
    }

    /// The card lost its state; what was found stays.
    pub(crate) fn reset(&mut self) {
        self.state = State::default();
    }

    /// The findings, each with the number of the DM server's findings before it.
    pub(crate) fn findings(&self) -> &[(usize, Finding)] {
        &self.findings
    }

    fn note(&mut self, good: bool, application: &dyn Application, text: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            let before = application.findings().len();
            self.findings.push((before, Finding { good, text: text.into() }));
        }
    }

    /// Length of the proactive command that waits to be fetched.
    pub(crate) fn waiting(&mut self) -> Option<usize> {
        let state = &mut self.state;
        if state.fetched.is_some() {
            return None;
        }
        if self.endless && state.profile.is_some() && state.queue.is_empty() {
            state.queue.push_back(Proactive::MoreTime);
        }
        if state.announced.is_none() {
            match state.queue.pop_front() {
                // The proactive session ends here; the next one counts from 1 again.
                None => state.number = 0,
                Some(command) => {
                    state.number = if state.number >= 0xFE { 1 } else { state.number + 1 };
                    let octets = command.encode(state.number);
                    state.announced = Some(Issued { command, number: state.number, octets });
                }
            }
        }
        state.announced.as_ref().map(|issued| issued.octets.len())
    }

    /// TERMINAL PROFILE: the application starts.
    pub(crate) fn terminal_profile(
        &mut self,
        data: &[u8],
        application: &mut dyn Application,
    ) -> Result<(), Sw> {
        if data.is_empty() {
            self.note(false, application, "TERMINAL PROFILE is empty");
            return Err(Sw::WRONG_LENGTH);
        }
        if self.connected() {
            application.http_closed();
        }
        let profile = TerminalProfile::new(data);
        self.state = State { profile: Some(profile.clone()), ..State::default() };
        self.note(true, application, "TERMINAL PROFILE received");
        if !profile.has(Facility::PROFILE_DOWNLOAD) {
            self.note(false, application, "TERMINAL PROFILE does not announce profile download");
        }
        let events = [
            (DATA_AVAILABLE, Facility::DATA_AVAILABLE),
            (CHANNEL_STATUS, Facility::CHANNEL_STATUS),
        ];
        let events = events.into_iter().filter(|&(_, f)| profile.has(f)).map(|(e, _)| e).collect();
        self.propose(Proactive::SetUpEventList(events), application);
        if self.config.scws {
            let (port, buffer) = (self.config.scws_port, self.config.scws_buffer);
            self.propose(Proactive::OpenServer { port, buffer }, application);
        }
        if self.config.timer_seconds > 0 {
            let seconds = self.config.timer_seconds;
            self.propose(Proactive::StartTimer { seconds }, application);
        }
        Ok(())
    }

    /// Queues a command if the terminal has announced all it needs; a finding otherwise.
    fn propose(&mut self, command: Proactive, application: &dyn Application) {
        let profile = self.state.profile.as_ref();
        let mut lacks = profile.map_or(vec!["TERMINAL PROFILE"], |p| p.lacks(command.needs()));
        let opens = matches!(command, Proactive::OpenServer { .. } | Proactive::OpenTrigger { .. });
        if opens && profile.is_some_and(|p| p.channels() == 0) {
            lacks.push("any channel");
        }
        if lacks.is_empty() {
            self.state.queue.push_back(command);
        } else {
            let text = format!("{} not used: not announced: {}", command.name(), lacks.join(", "));
            self.note(false, application, text);
        }
    }

    /// A file has changed.
    pub(crate) fn refresh(&mut self, path: &[u8], application: &dyn Application) {
        self.propose(Proactive::Refresh { path: path.to_vec() }, application);
    }

    /// Something on the card wants a session.
    pub(crate) fn trigger(&mut self, application: &dyn Application) {
        let transport = self.config.trigger_transport;
        let port = self.config.trigger_port;
        self.propose(Proactive::OpenTrigger { transport, port }, application);
    }

    /// STATUS: what the terminal was too busy for is tried again.
    pub(crate) fn polled(&mut self) {
        self.state.queue.extend(self.state.postponed.take());
    }

    /// FETCH: hands out the announced command.
    pub(crate) fn fetch(
        &mut self,
        command: &Command<'_>,
        protocol: Protocol,
        application: &dyn Application,
    ) -> Result<Vec<u8>, Sw> {
        if !command.data.is_empty() {
            return Err(Sw::WRONG_LENGTH);
        }
        let Some(issued) = self.state.announced.take() else {
            self.note(false, application, "FETCH, but no proactive command waits");
            return Err(Sw::CONDITIONS);
        };
        if let Err(sw) = command.expects(issued.octets.len(), protocol) {
            self.state.announced = Some(issued);
            return Err(sw);
        }
        let octets = issued.octets.clone();
        self.state.fetched = Some(issued);
        Ok(octets)
    }

    /// TERMINAL RESPONSE.
    pub(crate) fn terminal_response(
        &mut self,
        data: &[u8],
        application: &mut dyn Application,
    ) -> Result<(), Sw> {
        let Some(issued) = self.state.fetched.take() else {
            self.note(
                false,
                application,
                "TERMINAL RESPONSE, but no proactive command was fetched",
            );
            return Err(Sw::CONDITIONS);
        };
        let details = issued.command.details(issued.number);
        let checked = Response::parse(data, details)
            .and_then(|response| self.performed(&issued.command, &response, application));
        if let Err(text) = checked {
            let text = format!("TERMINAL RESPONSE to {}: {text}", issued.command.name());
            self.note(false, application, text);
        }
        Ok(())
    }

    /// Acts on a response; fails with what is wrong with it.
    fn performed(
        &mut self,
        command: &Proactive,
        response: &Response<'_>,
        application: &mut dyn Application,
    ) -> Result<(), String> {
        if !response.performed() {
            return self.refused(command, response, application);
        }
        match command {
            Proactive::MoreTime => plain(response),
            Proactive::Refresh { .. } => {
                self.note(true, application, "REFRESH carried out");
                match response.result {
                    REFRESHED_MORE => Ok(()),
                    _ => plain(response),
                }
            }
            Proactive::SetUpEventList(events) => {
                self.state.events.clone_from(events);
                plain(response)
            }
            Proactive::StartTimer { .. } => {
                self.state.timer_running = true;
                match response.value(0x24) {
                    Some(&[proactive::TIMER]) => plain(response),
                    _ => Err("no identifier of the timer".into()),
                }
            }
            Proactive::OpenServer { port, buffer } => {
                let channel = opened(response, 0x40, *buffer)?;
                self.state.server =
                    Some(Server { channel, established: false, unread: false, draining: false });
                self.note(true, application, format!("web server listens on port {port}"));
                Ok(())
            }
            Proactive::OpenTrigger { .. } => {
                let channel = opened(response, 0x80, proactive::TRIGGER_BUFFER)?;
                self.send_notification(channel, application);
                Ok(())
            }
            Proactive::Send { trigger, .. } => {
                if *trigger {
                    self.note(true, application, "notification sent");
                }
                match response.value(0x37) {
                    Some([_]) => plain(response),
                    _ => Err("no channel data length".into()),
                }
            }
            Proactive::Receive { .. } => self.received(response, application),
            Proactive::CloseTrigger { .. } => plain(response),
            Proactive::CloseConnection { .. } => {
                if let Some(server) = &mut self.state.server {
                    server.established = false;
                    server.unread = false;
                }
                plain(response)
            }
        }
    }

    /// The terminal did not carry the command out.
    fn refused(
        &mut self,
        command: &Proactive,
        response: &Response<'_>,
        application: &mut dyn Application,
    ) -> Result<(), String> {
        let on_connection = match command {
            Proactive::Receive { .. } | Proactive::CloseConnection { .. } => true,
            Proactive::Send { trigger, .. } => !trigger,
            _ => false,
        };
        // The client may close the connection while the card is still busy with it.
        if on_connection && (response.channel_is_closed() || !self.connected()) {
            self.connection_lost(application);
            if matches!(command, Proactive::Receive { .. }) {
                self.all_read(application);
            }
            return Ok(());
        }
        let temporary = response.result & 0xF0 == 0x20;
        if temporary && self.state.retries < MAX_RETRIES {
            self.state.retries += 1;
            self.state.postponed = Some(command.clone());
            let text = format!("{} put off: {}", command.name(), response.result_text());
            self.note(true, application, text);
            return Ok(());
        }
        if let Proactive::Send { channel, trigger: true, .. } = command {
            self.state.queue.push_front(Proactive::CloseTrigger { channel: *channel });
        }
        Err(format!("result {}", response.result_text()))
    }

    fn send_notification(&mut self, channel: u8, application: &mut dyn Application) {
        let octets = application.notification();
        // Pushed in front, the last one first.
        self.state.queue.push_front(Proactive::CloseTrigger { channel });
        if octets.len() > CHUNK {
            let text = format!("notification of {} octets does not fit one datagram", octets.len());
            self.note(false, application, text);
        } else {
            self.state.queue.push_front(Proactive::Send { channel, octets, trigger: true });
        }
    }

    fn connected(&self) -> bool {
        self.state.server.as_ref().is_some_and(|server| server.established)
    }

    /// Octets of the web server's connection.
    fn received(
        &mut self,
        response: &Response<'_>,
        application: &mut dyn Application,
    ) -> Result<(), String> {
        let octets = response.value(0x36).unwrap_or_default();
        let Some(&[remaining]) = response.value(0x37) else {
            // Without it the card cannot know; it stops reading.
            self.all_read(application);
            return Err("no channel data length".into());
        };
        let short = octets.len() < CHUNK;
        let complaint = match (octets.len(), remaining, response.result) {
            (_, 1.., _) if short => Some("fewer octets than asked for, though more remain"),
            (_, 0, result) if short && result != 0x02 => {
                Some("fewer octets than asked for, but the result is not 02")
            }
            (CHUNK, _, 0x02) => Some("result 02, though all octets asked for are there"),
            _ => None,
        };
        if remaining > 0
            && !octets.is_empty()
            && let Some(server) = &self.state.server
        {
            self.state.queue.push_front(Proactive::Receive { channel: server.channel });
        }
        self.serve(octets, application);
        if remaining == 0 || octets.is_empty() {
            self.all_read(application);
        }
        complaint.map_or(Ok(()), |text| Err(text.into()))
    }

    fn all_read(&mut self, application: &mut dyn Application) {
        let Some(server) = &mut self.state.server else { return };
        server.unread = false;
        if std::mem::take(&mut server.draining) {
            application.http_closed();
        }
    }

    /// Gives octets to the application and queues its answer.
    fn serve(&mut self, octets: &[u8], application: &mut dyn Application) {
        if octets.is_empty() || self.ignore_http {
            return;
        }
        let HttpOutput { octets, close } = application.http_received(octets);
        let Some(Server { channel, established: true, .. }) = self.state.server else { return };
        let midway = self.close_midway && !octets.is_empty();
        let octets = if midway { &octets[..octets.len() / 2] } else { &octets[..] };
        for chunk in octets.chunks(CHUNK) {
            let octets = chunk.to_vec();
            self.state.queue.push_back(Proactive::Send { channel, octets, trigger: false });
        }
        if close || midway {
            self.state.queue.push_back(Proactive::CloseConnection { channel });
        }
        if midway {
            application.http_closed();
        }
    }

    /// The client closed the connection, or it broke: what was to be sent is dropped.
    fn connection_lost(&mut self, application: &mut dyn Application) {
        let Some(server) = &mut self.state.server else { return };
        if !std::mem::take(&mut server.established) {
            return;
        }
        self.state.queue.retain(|command| {
            !matches!(
                command,
                Proactive::Send { trigger: false, .. } | Proactive::CloseConnection { .. }
            )
        });
        if server.unread {
            server.draining = true;
        } else {
            application.http_closed();
        }
    }
}

/// A result of `00`, where nothing else is a proper answer.
fn plain(response: &Response<'_>) -> Result<(), String> {
    match response.result {
        0x00 => Ok(()),
        _ => Err(format!("result {}", response.result_text())),
    }
}

/// Checks the answer to OPEN CHANNEL; returns the channel.
fn opened(response: &Response<'_>, state: u8, asked: u16) -> Result<u8, String> {
    let Some(&[status, _]) = response.value(0x38) else {
        return Err("no channel status".into());
    };
    let channel = status & 0x07;
    if channel == 0 || status & 0xF8 != state {
        return Err(format!("channel status {status:02X}"));
    }
    let Some(&[high, low]) = response.value(0x39) else { return Err("no buffer size".into()) };
    let granted = u16::from_be_bytes([high, low]);
    match response.result {
        0x00 if granted == asked => Ok(channel),
        0x07 if granted < asked => Ok(channel),
        _ => Err(format!("result {}, buffer {granted} of {asked}", response.result_text())),
    }
}
