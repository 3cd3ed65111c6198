//! TERMINAL PROFILE: one table says what is announced and what is carried out.
//!
//! Owns the bits (TS 102 223 section 5.2). The engine asks the same table before it carries a
//! command out, so that nothing is done that was not announced.

use super::command::kind;
use super::envelope::event;
use super::local::qualifier;
use crate::card::bip::Level;
use bitflags::bitflags;

bitflags! {
    /// What the host can do for the card beyond what the engine does itself.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Capabilities: u32 {
        /// Shows texts.
        const DISPLAY_TEXT = 1;
        /// Reads one key.
        const GET_INKEY = 1 << 1;
        /// Reads a line.
        const GET_INPUT = 1 << 2;
        /// Lets the user choose from a list.
        const SELECT_ITEM = 1 << 3;
        /// Starts a browser and tells when it ends.
        const BROWSER = 1 << 4;
        /// Sends short messages.
        const SEND_SMS = 1 << 5;
        /// Tells about user activity and the idle screen.
        const SCREEN_EVENTS = 1 << 6;
        /// Tells about changes of service and location.
        const LOCATION_EVENTS = 1 << 7;
    }
}

/// Something that a bit announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    /// TERMINAL PROFILE and TERMINAL RESPONSE themselves.
    Protocol,
    /// A type of command.
    Command(u8),
    /// A qualifier of PROVIDE LOCAL INFORMATION.
    Local(u8),
    /// ENVELOPE (TIMER EXPIRATION).
    TimerExpiration,
    /// An event of the event list.
    Event(u8),
    /// A transport level of OPEN CHANNEL.
    Level(Level),
}

/// What has to be there for a feature.
#[derive(Clone, Copy, Debug)]
enum Need {
    Nothing,
    Host(Capabilities),
    Language,
    Imeisv,
}

/// One announcement: octet and bit (both counted from 1), what it needs, what it announces.
struct Row(usize, u8, Need, Feature);

const TABLE: &[Row] = {
    use Feature::{Command, Event, Local, Protocol, TimerExpiration};
    use Need::{Host, Imeisv, Language, Nothing};
    &[
        Row(1, 1, Nothing, Protocol),
        Row(1, 6, Nothing, TimerExpiration),
        Row(2, 1, Nothing, Protocol),
        Row(2, 6, Host(Capabilities::GET_INPUT), Command(kind::GET_INPUT)),
        Row(2, 7, Host(Capabilities::DISPLAY_TEXT), Command(kind::DISPLAY_TEXT)),
        Row(2, 8, Host(Capabilities::DISPLAY_TEXT), Command(kind::DISPLAY_TEXT)),
        Row(3, 1, Host(Capabilities::DISPLAY_TEXT), Command(kind::DISPLAY_TEXT)),
        Row(3, 2, Host(Capabilities::GET_INKEY), Command(kind::GET_INKEY)),
        Row(3, 3, Host(Capabilities::GET_INPUT), Command(kind::GET_INPUT)),
        Row(3, 4, Nothing, Command(kind::MORE_TIME)),
        Row(3, 6, Nothing, Command(kind::POLL_INTERVAL)),
        Row(3, 7, Nothing, Command(kind::POLLING_OFF)),
        Row(3, 8, Nothing, Command(kind::REFRESH)),
        Row(4, 1, Host(Capabilities::SELECT_ITEM), Command(kind::SELECT_ITEM)),
        Row(4, 2, Host(Capabilities::SEND_SMS), Command(kind::SEND_SMS)),
        Row(4, 7, Nothing, Command(kind::LOCAL_INFORMATION)),
        Row(4, 7, Nothing, Local(qualifier::LOCATION)),
        Row(4, 7, Nothing, Local(qualifier::IMEI)),
        Row(5, 1, Nothing, Command(kind::SET_UP_EVENT_LIST)),
        Row(5, 5, Host(Capabilities::LOCATION_EVENTS), Event(event::LOCATION_STATUS)),
        Row(5, 6, Host(Capabilities::SCREEN_EVENTS), Event(event::USER_ACTIVITY)),
        Row(5, 7, Host(Capabilities::SCREEN_EVENTS), Event(event::IDLE_SCREEN)),
        Row(6, 1, Language, Event(event::LANGUAGE)),
        Row(6, 2, Host(Capabilities::BROWSER), Event(event::BROWSER_TERMINATION)),
        Row(6, 3, Nothing, Event(event::DATA_AVAILABLE)),
        Row(6, 4, Nothing, Event(event::CHANNEL_STATUS)),
        Row(6, 7, Nothing, Event(event::LOCAL_CONNECTION)),
        Row(8, 1, Nothing, Command(kind::TIMER)),
        Row(8, 2, Nothing, Command(kind::TIMER)),
        Row(8, 3, Nothing, Local(qualifier::DATE_TIME)),
        Row(9, 4, Language, Local(qualifier::LANGUAGE)),
        Row(9, 7, Host(Capabilities::BROWSER), Command(kind::LAUNCH_BROWSER)),
        Row(12, 1, Nothing, Command(kind::OPEN_CHANNEL)),
        Row(12, 2, Nothing, Command(kind::CLOSE_CHANNEL)),
        Row(12, 3, Nothing, Command(kind::RECEIVE_DATA)),
        Row(12, 4, Nothing, Command(kind::SEND_DATA)),
        Row(12, 5, Nothing, Command(kind::CHANNEL_STATUS)),
        Row(12, 8, Nothing, Command(kind::DECLARE_SERVICE)),
        Row(17, 3, Nothing, Feature::Level(Level::TcpServer)),
        Row(17, 4, Nothing, Feature::Level(Level::TcpLocal)),
        Row(17, 5, Nothing, Feature::Level(Level::UdpLocal)),
        Row(18, 1, Host(Capabilities::DISPLAY_TEXT), Command(kind::DISPLAY_TEXT)),
        Row(18, 7, Imeisv, Local(qualifier::IMEISV)),
    ]
};

/// Octets of the profile.
const OCTETS: usize = 18;
/// Where the number of channels stands: octet 13, bits 8 to 6.
const CHANNELS_AT: usize = 12;

/// What was there when the card session began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    pub(super) capabilities: Capabilities,
    pub(super) language: bool,
    pub(super) imeisv: bool,
    /// 1 to 7.
    pub(super) channels: u8,
}

impl Profile {
    /// True if `feature` is announced.
    pub(super) fn offers(&self, feature: Feature) -> bool {
        TABLE.iter().any(|Row(.., need, row)| *row == feature && self.has(*need))
    }

    /// The data of TERMINAL PROFILE.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut octets = vec![0; OCTETS];
        for Row(octet, bit, need, _) in TABLE {
            if let Some(octet) = octets.get_mut(octet - 1).filter(|_| self.has(*need)) {
                *octet |= 1 << (bit - 1);
            }
        }
        if let Some(octet) = octets.get_mut(CHANNELS_AT) {
            *octet |= self.channels << 5;
        }
        octets
    }

    fn has(&self, need: Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Host(capability) => self.capabilities.contains(capability),
            Need::Language => self.language,
            Need::Imeisv => self.imeisv,
        }
    }
}

#[cfg(test)]
pub(super) fn features() -> impl Iterator<Item = Feature> {
    TABLE.iter().map(|Row(.., feature)| *feature)
}
