//! The proactive commands of this card and their octets (TS 102 223 section 6.6).

use super::profile::Facility;
use crate::card::config::TriggerTransport;
use crate::card::tlv::{put, tlv};

/// The most octets one SEND DATA or RECEIVE DATA carries.
pub(crate) const CHUNK: usize = 237;
/// The timer the local trigger runs on.
pub(crate) const TIMER: u8 = 1;
/// Buffer size asked for with the notification's channel.
pub(crate) const TRIGGER_BUFFER: u16 = 256;

/// A proactive command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proactive {
    MoreTime,
    /// File change notification for one file.
    Refresh {
        path: Vec<u8>,
    },
    SetUpEventList(Vec<u8>),
    StartTimer {
        seconds: u32,
    },
    OpenServer {
        port: u16,
        buffer: u16,
    },
    OpenTrigger {
        transport: TriggerTransport,
        port: u16,
    },
    Receive {
        channel: u8,
    },
    /// Sends at once; `trigger` tells the notification from the web server's octets.
    Send {
        channel: u8,
        octets: Vec<u8>,
        trigger: bool,
    },
    /// Closes the channel of a notification.
    CloseTrigger {
        channel: u8,
    },
    /// Drops the web server's connection and goes on listening.
    CloseConnection {
        channel: u8,
    },
}

impl Proactive {
    /// Type and qualifier of the command details.
    fn kind(&self) -> (u8, u8) {
        match self {
            Self::MoreTime => (0x02, 0x00),
            Self::Refresh { .. } => (0x01, 0x01),
            Self::SetUpEventList(_) => (0x05, 0x00),
            Self::StartTimer { .. } => (0x27, 0x00),
            Self::OpenServer { .. } | Self::OpenTrigger { .. } => (0x40, 0x00),
            Self::CloseTrigger { .. } => (0x41, 0x00),
            Self::CloseConnection { .. } => (0x41, 0x01),
            Self::Receive { .. } => (0x42, 0x00),
            Self::Send { .. } => (0x43, 0x01),
        }
    }

    /// The command's name, for findings.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::MoreTime => "MORE TIME",
            Self::Refresh { .. } => "REFRESH",
            Self::SetUpEventList(_) => "SET UP EVENT LIST",
            Self::StartTimer { .. } => "TIMER MANAGEMENT",
            Self::OpenServer { .. } => "OPEN CHANNEL (web server)",
            Self::OpenTrigger { .. } => "OPEN CHANNEL (notification)",
            Self::CloseTrigger { .. } => "CLOSE CHANNEL (notification)",
            Self::CloseConnection { .. } => "CLOSE CHANNEL (connection)",
            Self::Receive { .. } => "RECEIVE DATA",
            Self::Send { trigger: true, .. } => "SEND DATA (notification)",
            Self::Send { .. } => "SEND DATA",
        }
    }

    /// What the terminal must have announced before this command may be used.
    pub(crate) fn needs(&self) -> &'static [Facility] {
        use Facility as F;
        match self {
            Self::MoreTime => &[F::MORE_TIME],
            Self::Refresh { .. } => &[F::REFRESH],
            Self::SetUpEventList(_) => &[F::EVENT_LIST],
            Self::StartTimer { .. } => &[F::TIMERS, F::TIMER_EXPIRATION],
            Self::OpenServer { .. } => &[
                F::OPEN,
                F::CLOSE,
                F::RECEIVE,
                F::SEND,
                F::UICC_SERVER,
                F::DATA_AVAILABLE,
                F::CHANNEL_STATUS,
            ],
            Self::OpenTrigger { transport: TriggerTransport::Udp, .. } => {
                &[F::OPEN, F::CLOSE, F::SEND, F::UDP_LOCAL]
            }
            Self::OpenTrigger { transport: TriggerTransport::Tcp, .. } => {
                &[F::OPEN, F::CLOSE, F::SEND, F::TCP_LOCAL]
            }
            // Only ever used on a channel that one of the above opened.
            _ => &[],
        }
    }

    /// The command details a TERMINAL RESPONSE has to echo.
    pub(crate) fn details(&self, number: u8) -> [u8; 3] {
        let (kind, qualifier) = self.kind();
        [number, kind, qualifier]
    }

    /// The BER-TLV that FETCH returns.
    pub(crate) fn encode(&self, number: u8) -> Vec<u8> {
        let mut body = tlv(0x81, &self.details(number));
        let destination = match self {
            Self::Receive { channel }
            | Self::Send { channel, .. }
            | Self::CloseTrigger { channel }
            | Self::CloseConnection { channel } => 0x20 | channel,
            _ => 0x82,
        };
        put(&mut body, 0x82, &[0x81, destination]);
        match self {
            Self::MoreTime => {}
            Self::Refresh { path } => put(&mut body, 0x92, &[&[1], &path[..]].concat()),
            Self::SetUpEventList(events) => put(&mut body, 0x99, events),
            Self::StartTimer { seconds } => {
                put(&mut body, 0xA4, &[TIMER]);
                put(&mut body, 0xA5, &timer_value(*seconds));
            }
            Self::OpenServer { port, buffer } => open_server(&mut body, 0x03, *port, *buffer),
            Self::OpenTrigger { transport, port } => {
                let transport = match transport {
                    TriggerTransport::Udp => 0x04,
                    TriggerTransport::Tcp => 0x05,
                };
                open_server(&mut body, transport, *port, TRIGGER_BUFFER);
            }
            Self::Receive { .. } => put(&mut body, 0xB7, &[CHUNK as u8]),
            Self::Send { octets, .. } => put(&mut body, 0xB6, octets),
            Self::CloseTrigger { .. } | Self::CloseConnection { .. } => {}
        }
        tlv(0xD0, &body)
    }
}

fn open_server(body: &mut Vec<u8>, transport: u8, port: u16, buffer: u16) {
    put(body, 0x39, &buffer.to_be_bytes());
    let [high, low] = port.to_be_bytes();
    put(body, 0x3C, &[transport, high, low]);
}

/// Hours, minutes and seconds as decimal digits with swapped nibbles.
fn timer_value(seconds: u32) -> [u8; 3] {
    let swapped = |n: u32| ((n % 10) << 4 | (n / 10 % 10)) as u8;
    [swapped(seconds / 3600), swapped(seconds / 60 % 60), swapped(seconds % 60)]
}

/// Seconds of a timer value; none if it is not decimal.
pub(crate) fn timer_seconds(value: &[u8]) -> Option<u32> {
    let &[hours, minutes, seconds] = value else { return None };
    let digits = |octet: u8| {
        let (tens, units) = (u32::from(octet & 0x0F), u32::from(octet >> 4));
        (tens < 10 && units < 10).then_some(tens * 10 + units)
    };
    Some(digits(hours)? * 3600 + digits(minutes)? * 60 + digits(seconds)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    #[test]
    fn commands_are_the_known_octets() {
        let encode = |command: Proactive, number| hex::encode(&command.encode(number));
        assert_eq!(
            encode(Proactive::SetUpEventList(vec![0x09, 0x0A, 0x0D]), 1),
            "D00E8103010500820281829903090A0D"
        );
        assert_eq!(
            encode(Proactive::StartTimer { seconds: 300 }, 1),
            "D011810301270082028182A40101A503005000"
        );
        assert_eq!(
            encode(Proactive::OpenServer { port: 3516, buffer: 1400 }, 1),
            "D012810301400082028182390205783C03030DBC"
        );
        let udp = Proactive::OpenTrigger { transport: TriggerTransport::Udp, port: 2948 };
        assert_eq!(encode(udp, 1), "D012810301400082028182390201003C03040B84");
        assert_eq!(encode(Proactive::Receive { channel: 1 }, 2), "D00C810302420082028121B701ED");
        let send = Proactive::Send { channel: 1, octets: (0..8).collect(), trigger: false };
        assert_eq!(encode(send, 1), "D013810301430182028121B6080001020304050607");
        assert_eq!(encode(Proactive::CloseConnection { channel: 1 }, 5), "D009810305410182028121");
        assert_eq!(encode(Proactive::CloseTrigger { channel: 1 }, 6), "D009810306410082028121");
    }

    #[test]
    fn the_largest_command_fits_one_fetch() {
        let send = Proactive::Send { channel: 7, octets: vec![0; CHUNK], trigger: false };
        assert!(send.encode(0xFE).len() <= 256);
    }

    #[test]
    fn timer_values_are_swapped_decimal() {
        assert_eq!(timer_value(86_399), [0x32, 0x95, 0x95]);
        assert_eq!(timer_seconds(&[0x32, 0x95, 0x95]), Some(86_399));
        assert_eq!(timer_seconds(&[0x00, 0x00, 0x01]), Some(10));
        assert_eq!(timer_seconds(&[0x0A, 0, 0]), None);
        assert_eq!(timer_seconds(&[0, 0]), None);
    }
}
