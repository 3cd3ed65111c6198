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
        /// Shows the card's menu and tells what is chosen.
        const MENU = 1 << 8;
        /// Plays tones.
        const PLAY_TONE = 1 << 9;
        /// Sets up calls.
        const CALLS = 1 << 10;
        /// Sends supplementary service and USSD strings.
        const SERVICES = 1 << 11;
        /// Sends DTMF tones in a call.
        const DTMF = 1 << 12;
        /// Shows a text on the idle screen.
        const IDLE_TEXT = 1 << 13;
        /// Wants to know which language the card speaks.
        const LANGUAGE = 1 << 14;
        /// Makes links to servers in the network.
        const CONNECTIONS = 1 << 15;
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
    /// ENVELOPE (MENU SELECTION).
    MenuSelection,
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
    AccessTechnology,
}

/// One announcement: octet and bit (both counted from 1), what it needs, what it announces.
struct Row(usize, u8, Need, Feature);

const TABLE: &[Row] = {
    use Feature::{Command, Event, Local, Protocol, TimerExpiration};
    use Need::{AccessTechnology, Host, Imeisv, Language, Nothing};
    &[
        Row(1, 1, Nothing, Protocol),
        Row(1, 4, Host(Capabilities::MENU), Feature::MenuSelection),
        Row(1, 6, Nothing, TimerExpiration),
        Row(2, 1, Nothing, Protocol),
        Row(2, 6, Host(Capabilities::GET_INPUT), Command(kind::GET_INPUT)),
        Row(2, 7, Host(Capabilities::DISPLAY_TEXT), Command(kind::DISPLAY_TEXT)),
        Row(2, 8, Host(Capabilities::DISPLAY_TEXT), Command(kind::DISPLAY_TEXT)),
        Row(3, 1, Host(Capabilities::DISPLAY_TEXT), Command(kind::DISPLAY_TEXT)),
        Row(3, 2, Host(Capabilities::GET_INKEY), Command(kind::GET_INKEY)),
        Row(3, 3, Host(Capabilities::GET_INPUT), Command(kind::GET_INPUT)),
        Row(3, 4, Nothing, Command(kind::MORE_TIME)),
        Row(3, 5, Host(Capabilities::PLAY_TONE), Command(kind::PLAY_TONE)),
        Row(3, 6, Nothing, Command(kind::POLL_INTERVAL)),
        Row(3, 7, Nothing, Command(kind::POLLING_OFF)),
        Row(3, 8, Nothing, Command(kind::REFRESH)),
        Row(4, 1, Host(Capabilities::SELECT_ITEM), Command(kind::SELECT_ITEM)),
        Row(4, 2, Host(Capabilities::SEND_SMS), Command(kind::SEND_SMS)),
        Row(4, 3, Host(Capabilities::SERVICES), Command(kind::SEND_SS)),
        Row(4, 4, Host(Capabilities::SERVICES), Command(kind::SEND_USSD)),
        Row(4, 5, Host(Capabilities::CALLS), Command(kind::SET_UP_CALL)),
        Row(4, 6, Host(Capabilities::MENU), Command(kind::SET_UP_MENU)),
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
        Row(6, 5, AccessTechnology, Event(event::ACCESS_TECHNOLOGY)),
        Row(6, 7, Nothing, Event(event::LOCAL_CONNECTION)),
        Row(8, 1, Nothing, Command(kind::TIMER)),
        Row(8, 2, Nothing, Command(kind::TIMER)),
        Row(8, 3, Nothing, Local(qualifier::DATE_TIME)),
        Row(8, 4, Host(Capabilities::GET_INKEY), Command(kind::GET_INKEY)),
        Row(8, 5, Host(Capabilities::IDLE_TEXT), Command(kind::IDLE_TEXT)),
        Row(8, 7, Host(Capabilities::CALLS), Command(kind::SET_UP_CALL)),
        Row(9, 1, Host(Capabilities::DISPLAY_TEXT), Command(kind::DISPLAY_TEXT)),
        Row(9, 2, Host(Capabilities::DTMF), Command(kind::SEND_DTMF)),
        Row(9, 4, Language, Local(qualifier::LANGUAGE)),
        Row(9, 6, Host(Capabilities::LANGUAGE), Command(kind::LANGUAGE)),
        Row(9, 7, Host(Capabilities::BROWSER), Command(kind::LAUNCH_BROWSER)),
        Row(9, 8, AccessTechnology, Local(qualifier::ACCESS_TECHNOLOGY)),
        Row(12, 1, Nothing, Command(kind::OPEN_CHANNEL)),
        Row(12, 2, Nothing, Command(kind::CLOSE_CHANNEL)),
        Row(12, 3, Nothing, Command(kind::RECEIVE_DATA)),
        Row(12, 4, Nothing, Command(kind::SEND_DATA)),
        Row(12, 5, Nothing, Command(kind::CHANNEL_STATUS)),
        Row(12, 8, Nothing, Command(kind::DECLARE_SERVICE)),
        Row(13, 2, Host(Capabilities::CONNECTIONS), Feature::Level(Level::TcpRemote)),
        Row(17, 1, Host(Capabilities::CONNECTIONS), Feature::Level(Level::TcpRemote)),
        Row(17, 2, Host(Capabilities::CONNECTIONS), Feature::Level(Level::UdpRemote)),
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
    pub(super) access_technology: bool,
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
            Need::AccessTechnology => self.access_technology,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cat, Config, Effect, Imeisv, LocalInfo, Location, ScreenEvent};
    use super::*;
    use crate::bytes::hex;
    use crate::time::Now;

    fn everything() -> Config {
        let imeisv = Imeisv::from_digits("1234567890123456").ok();
        let local = LocalInfo {
            language: Some(*b"en"),
            imeisv,
            access_technology: Some(8),
            ..LocalInfo::default()
        };
        Config { capabilities: Capabilities::all(), local, ..Config::default() }
    }

    /// A command's data objects after details and device identities that make it succeed.
    fn sample(kind: u8) -> &'static str {
        match kind {
            kind::REFRESH => "9205013F002FE2",
            kind::POLL_INTERVAL => "84020114",
            kind::SET_UP_EVENT_LIST => "9900",
            kind::SEND_SMS => "8B0101",
            kind::LAUNCH_BROWSER => "3100",
            kind::DISPLAY_TEXT | kind::GET_INKEY => "8D020441",
            kind::GET_INPUT => "8D02044191020005",
            kind::SELECT_ITEM | kind::SET_UP_MENU => "8F020141",
            kind::SET_UP_CALL => "86029110",
            kind::SEND_SS => "890291AA",
            kind::SEND_USSD => "8A02F0AA",
            kind::SEND_DTMF => "AC0121",
            kind::IDLE_TEXT => "8D020441",
            kind::PLAY_TONE | kind::LANGUAGE => "",
            kind::TIMER => "A40101A503000050",
            kind::OPEN_CHANNEL => "390205783C03030DBC",
            kind::RECEIVE_DATA => "B70101",
            kind::SEND_DATA => "B60101",
            kind::DECLARE_SERVICE => "C1020001BC03030DBC",
            kind::MORE_TIME
            | kind::POLLING_OFF
            | kind::LOCAL_INFORMATION
            | kind::CLOSE_CHANNEL
            | kind::CHANNEL_STATUS => "",
            _ => panic!("no sample of command {kind:02X}"),
        }
    }

    fn command(kind: u8, qualifier: u8, device: u8, objects: &str) -> Vec<u8> {
        let body = format!("810301{kind:02X}{qualifier:02X}820281{device:02X}{objects}");
        hex::decode(&format!("D0{:02X}{body}", body.len() / 2)).unwrap()
    }

    /// The result of one command; `None` if the host is asked.
    fn result(cat: &mut Cat, octets: &[u8]) -> Option<Vec<u8>> {
        let reaction = cat.proactive(octets, Now::default()).unwrap();
        let Some(response) = reaction.terminal_response else {
            assert!(matches!(reaction.effects.as_slice(), [Effect::Ask(_)]));
            return None;
        };
        let length = usize::from(response[10]);
        Some(response[11..11 + length].to_vec())
    }

    /// OPEN CHANNEL at a transport level, on demand.
    fn opening(level: Level) -> Vec<u8> {
        let (bearer, destination) =
            if level.is_remote() { ("350103", "3E0521C0000207") } else { ("", "") };
        let objects = format!("{bearer}390205783C03{:02X}0B84{destination}", level as u8);
        command(kind::OPEN_CHANNEL, 0, 0x82, &objects)
    }

    fn listening(config: Config) -> Cat {
        let mut cat = Cat::new(config);
        let open = command(kind::OPEN_CHANNEL, 0, 0x82, "390205783C03030DBC");
        assert_eq!(result(&mut cat, &open), Some(vec![0]));
        cat
    }

    fn command_result(config: Config, kind: u8) -> Option<Vec<u8>> {
        let mut cat = listening(config);
        cat.bip_mut().connect(3516).unwrap();
        let on_channel = matches!(kind, kind::CLOSE_CHANNEL | kind::RECEIVE_DATA | kind::SEND_DATA);
        let device = if on_channel { 0x21 } else { 0x82 };
        let objects = match kind {
            kind::OPEN_CHANNEL => "390205783C03030DBD",
            _ => sample(kind),
        };
        let qualifier = u8::from(kind == kind::REFRESH);
        result(&mut cat, &command(kind, qualifier, device, objects))
    }

    /// Asks for one event, makes it happen, and returns the event code of the envelope.
    fn event_code(code: u8) -> Option<u8> {
        let mut cat = if code == event::LOCAL_CONNECTION {
            Cat::new(everything())
        } else {
            listening(everything())
        };
        let list = command(kind::SET_UP_EVENT_LIST, 0, 0x82, &format!("9901{code:02X}"));
        assert_eq!(result(&mut cat, &list), Some(vec![0]));
        let declare = command(kind::DECLARE_SERVICE, 0, 0x82, sample(kind::DECLARE_SERVICE));
        assert_eq!(result(&mut cat, &declare), Some(vec![0]));
        if let Some(client) = cat.bip_mut().connect(3516) {
            cat.bip_mut().write(client, b"x");
        }
        cat.screen_event(ScreenEvent::UserActivity);
        cat.screen_event(ScreenEvent::Idle);
        cat.browser_terminated(true);
        let location = Location::from_octets(&[0; 7]).ok();
        let local = LocalInfo {
            language: Some(*b"de"),
            location,
            access_technology: Some(3),
            ..LocalInfo::default()
        };
        cat.set_local_info(local);
        let envelope = cat.next_envelope(Now::default())?;
        assert_eq!(envelope[..4], [0xD6, envelope[1], 0x99, 0x01]);
        Some(envelope[4])
    }

    #[test]
    fn the_profile_of_a_bare_terminal_and_of_a_full_one() {
        let bare = Cat::new(Config::default()).terminal_profile();
        assert_eq!(hex::encode(&bare), "2101E840014C00070000009FE00000001C00");
        let full = Cat::new(everything()).terminal_profile();
        assert_eq!(hex::encode(&full), "29E1FF7F715F005FEB00009FE20000001F41");
    }

    #[test]
    fn each_announced_bit_has_a_handler() {
        for Row(octet, bit, _, feature) in TABLE {
            let at = format!("octet {octet} bit {bit}: {feature:?}");
            match *feature {
                Feature::Protocol => {}
                Feature::Command(kind) => {
                    let result = command_result(everything(), kind);
                    let refused = result.is_some_and(|result| result[0] >= 0x20);
                    // There is no location and no IMEI: busy, not refused.
                    assert!(!refused || kind == kind::LOCAL_INFORMATION, "{at}");
                }
                Feature::Local(qualifier) => {
                    let mut cat = Cat::new(everything());
                    let ask = command(kind::LOCAL_INFORMATION, qualifier, 0x82, "");
                    let result = result(&mut cat, &ask).unwrap();
                    assert!(matches!(result[0], 0x00 | 0x20), "{at}");
                }
                Feature::MenuSelection => {
                    let mut cat = Cat::new(everything());
                    cat.menu_selected(7, false);
                    let envelope = cat.next_envelope(Now::default()).unwrap();
                    assert_eq!(hex::encode(&envelope), "D30782020181900107", "{at}");
                }
                Feature::TimerExpiration => {
                    let mut cat = Cat::new(everything());
                    result(&mut cat, &command(kind::TIMER, 0, 0x82, sample(kind::TIMER)));
                    let later = Now { mono_ms: 5000, unix_s: 0 };
                    assert_eq!(cat.next_envelope(later).unwrap()[0], 0xD7, "{at}");
                }
                Feature::Event(code) => assert_eq!(event_code(code), Some(code), "{at}"),
                Feature::Level(level) => {
                    let mut cat = Cat::new(everything());
                    assert_eq!(result(&mut cat, &opening(level)), Some(vec![0]), "{at}");
                }
            }
        }
    }

    #[test]
    fn sc_108_nothing_is_done_that_is_not_announced() {
        let cat = Cat::new(Config::default());
        let missing = TABLE.iter().filter(|Row(.., feature)| !cat.profile.offers(*feature));
        let mut count = 0;
        for Row(octet, bit, _, feature) in missing {
            let ask = match *feature {
                Feature::Command(kind) => command(kind, 0, 0x82, sample(kind)),
                Feature::Local(qualifier) => command(kind::LOCAL_INFORMATION, qualifier, 0x82, ""),
                Feature::Event(code) => {
                    let list = format!("9901{code:02X}");
                    command(kind::SET_UP_EVENT_LIST, 0, 0x82, &list)
                }
                Feature::Level(level) => opening(level),
                Feature::MenuSelection => continue,
                _ => panic!("octet {octet} bit {bit} depends on the host"),
            };
            let mut cat = Cat::new(Config::default());
            assert_eq!(result(&mut cat, &ask), Some(vec![0x30]), "octet {octet} bit {bit}");
            count += 1;
        }
        assert_eq!(count, 33);
    }
}
