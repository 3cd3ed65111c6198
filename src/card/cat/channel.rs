//! The bearer independent protocol's commands, carried out on the channel table.
//!
//! Owns what the card says and hears about channels (TS 102 223 sections 6.4.27 to 6.4.31 and
//! 6.4.35). Must not know how a client uses a channel.

use super::Effect;
use super::command::{Command, tag};
use super::envelope::data_length;
use super::profile::{Feature, Profile};
use super::response::{Outcome, Response};
use crate::card::bip::{Bip, Ended, Fault, Level, Opened, Service};

/// Octets of a bearer description, which the response has to echo; the longest defined has 18.
const BEARER_OCTETS: usize = 32;

type Answer = Result<Response, Outcome>;

/// OPEN CHANNEL: who is at the other end is said by the transport level alone.
pub(super) fn open(
    bip: &mut Bip,
    profile: &Profile,
    command: &Command<'_>,
    effects: &mut Vec<Effect>,
) -> Answer {
    let &[high, low] = command.needed(tag::BUFFER_SIZE)? else {
        return Err(Outcome::NOT_UNDERSTOOD);
    };
    if command.object(tag::BEARER).is_some_and(|bearer| bearer.len() > BEARER_OCTETS) {
        return Err(Outcome::NOT_UNDERSTOOD);
    }
    let wanted = usize::from(u16::from_be_bytes([high, low]));
    let response = match connect(bip, profile, command, wanted, effects) {
        Ok(Opened { number, granted }) => {
            let outcome = if granted < wanted { Outcome::MODIFIED } else { Outcome::OK };
            let status = bip.statuses().find(|[status, _]| status & 0x07 == number);
            let response = Response::from(outcome)
                .with_optional(tag::CHANNEL_STATUS, &status.unwrap_or_default());
            let [.., high, low] = granted.to_be_bytes();
            return Ok(with_bearer(response, command).with_optional(tag::BUFFER_SIZE, &[high, low]));
        }
        Err(outcome) => Response::from(outcome),
    };
    Ok(with_bearer(response, command).with_optional(tag::BUFFER_SIZE, &[high, low]))
}

fn connect(
    bip: &mut Bip,
    profile: &Profile,
    command: &Command<'_>,
    wanted: usize,
    effects: &mut Vec<Effect>,
) -> Result<Opened, Outcome> {
    let (number, port) = match command.object(tag::LEVEL) {
        Some(value) => level(value)?,
        None => {
            command.needed(tag::BEARER)?;
            return Err(Outcome::BEYOND_CAPABILITIES);
        }
    };
    let level = Level::from_number(number);
    if level.is_some_and(Level::is_remote) {
        return Err(Outcome::BEYOND_CAPABILITIES);
    }
    let level = level
        .filter(|level| profile.offers(Feature::Level(*level)))
        .ok_or(Fault::LevelUnavailable)?;
    if level != Level::TcpServer {
        return Ok(bip.open_local(level, port, wanted)?);
    }
    let opened = bip.open_server(port, wanted)?;
    effects.push(Effect::Listening { port });
    Ok(opened)
}

/// A bearer that the command named comes back, on success and on failure.
fn with_bearer(response: Response, command: &Command<'_>) -> Response {
    match command.object(tag::BEARER) {
        Some(bearer) => response.with_optional(tag::BEARER, bearer),
        None => response,
    }
}

/// CLOSE CHANNEL.
pub(super) fn close(bip: &mut Bip, command: &Command<'_>, effects: &mut Vec<Effect>) -> Answer {
    let keep_listening = command.details.qualifier & 1 == 1;
    match bip.end(channel(command)?, keep_listening)? {
        Ended::Silently => {}
        Ended::Listener { port } => effects.push(Effect::ListenerClosed { port }),
        Ended::Stream { port, octets } => effects.push(Effect::StreamClosed { port, octets }),
    }
    Ok(Outcome::OK.into())
}

/// RECEIVE DATA.
pub(super) fn receive(bip: &mut Bip, command: &Command<'_>) -> Answer {
    let &[wanted] = command.needed(tag::DATA_LENGTH)? else {
        return Err(Outcome::NOT_UNDERSTOOD);
    };
    let received = bip.receive(channel(command)?, usize::from(wanted))?;
    let is_short = received.remaining == 0 && received.octets.len() < usize::from(wanted);
    let outcome = if is_short { Outcome::MISSING_INFORMATION } else { Outcome::OK };
    let mut response = Response::from(outcome);
    if !received.octets.is_empty() {
        response = response.with(tag::CHANNEL_DATA, &received.octets);
    }
    Ok(response.with(tag::DATA_LENGTH, &[data_length(received.remaining)]))
}

/// SEND DATA.
pub(super) fn send(bip: &mut Bip, command: &Command<'_>, effects: &mut Vec<Effect>) -> Answer {
    let now = command.details.qualifier & 1 == 1;
    let number = channel(command)?;
    match bip.send(number, command.needed(tag::CHANNEL_DATA)?, now) {
        Ok(sent) => {
            if let Some((channel, remote)) = now.then(|| bip.take_demand(number)).flatten() {
                effects.push(Effect::Demand { channel, remote });
            }
            if let Some(datagram) = sent.datagram {
                let (channel, port) = (datagram.channel, datagram.port);
                effects.push(Effect::Datagram { channel, port, octets: datagram.octets });
            }
            Ok(Response::from(Outcome::OK).with(tag::DATA_LENGTH, &[data_length(sent.free)]))
        }
        Err(unsent) => {
            let response = Response::from(Outcome::from(unsent.fault));
            Ok(match unsent.free {
                Some(free) => response.with(tag::DATA_LENGTH, &[data_length(free)]),
                None => response,
            })
        }
    }
}

/// GET CHANNEL STATUS.
pub(super) fn status(bip: &Bip) -> Response {
    let mut response = Response::from(Outcome::OK);
    let mut statuses = bip.statuses().peekable();
    if statuses.peek().is_none() {
        return response.with(tag::CHANNEL_STATUS, &[0, 0]);
    }
    for status in statuses {
        response = response.with(tag::CHANNEL_STATUS, &status);
    }
    response
}

/// DECLARE SERVICE.
pub(super) fn declare(bip: &mut Bip, command: &Command<'_>) -> Answer {
    let record = command.needed(tag::SERVICE)?;
    if record.len() < 2 {
        return Err(Outcome::NOT_UNDERSTOOD);
    }
    if command.details.qualifier & 1 == 1 {
        bip.withdraw(record)?;
    } else {
        let (level, port) = level(command.needed(tag::LEVEL)?)?;
        bip.declare(Service { record: record.to_vec(), level, port })?;
    }
    Ok(Outcome::OK.into())
}

/// Transport level and port.
fn level(value: &[u8]) -> Result<(u8, u16), Outcome> {
    match *value {
        [level, high, low] => Ok((level, u16::from_be_bytes([high, low]))),
        _ => Err(Outcome::NOT_UNDERSTOOD),
    }
}

fn channel(command: &Command<'_>) -> Result<u8, Outcome> {
    command.channel().ok_or(Outcome::from(Fault::InvalidId))
}
