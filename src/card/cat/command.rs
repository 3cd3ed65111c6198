//! Proactive commands as octets: command details, known data objects, and the first checks.
//!
//! Owns the layout and the tag numbers (TS 102 223 sections 6.6 and 9.3). Must not know what a
//! command does.

use super::response::Outcome;
use crate::bytes::ctlv::{self, Ctlv};
use crate::error::{Code, Error, Result};

/// Tag of the BER-TLV around a proactive command.
const PROACTIVE: u8 = 0xD0;
/// Octets of one fetched command; FETCH cannot return more.
const COMMAND_OCTETS: usize = 256;

/// Type of command numbers.
pub(super) mod kind {
    pub(in super::super) const REFRESH: u8 = 0x01;
    pub(in super::super) const MORE_TIME: u8 = 0x02;
    pub(in super::super) const POLL_INTERVAL: u8 = 0x03;
    pub(in super::super) const POLLING_OFF: u8 = 0x04;
    pub(in super::super) const SET_UP_EVENT_LIST: u8 = 0x05;
    pub(in super::super) const SET_UP_CALL: u8 = 0x10;
    pub(in super::super) const SEND_SS: u8 = 0x11;
    pub(in super::super) const SEND_USSD: u8 = 0x12;
    pub(in super::super) const SEND_SMS: u8 = 0x13;
    pub(in super::super) const SEND_DTMF: u8 = 0x14;
    pub(in super::super) const LAUNCH_BROWSER: u8 = 0x15;
    pub(in super::super) const PLAY_TONE: u8 = 0x20;
    pub(in super::super) const DISPLAY_TEXT: u8 = 0x21;
    pub(in super::super) const GET_INKEY: u8 = 0x22;
    pub(in super::super) const GET_INPUT: u8 = 0x23;
    pub(in super::super) const SELECT_ITEM: u8 = 0x24;
    pub(in super::super) const SET_UP_MENU: u8 = 0x25;
    pub(in super::super) const LOCAL_INFORMATION: u8 = 0x26;
    pub(in super::super) const TIMER: u8 = 0x27;
    pub(in super::super) const IDLE_TEXT: u8 = 0x28;
    pub(in super::super) const LANGUAGE: u8 = 0x35;
    pub(in super::super) const OPEN_CHANNEL: u8 = 0x40;
    pub(in super::super) const CLOSE_CHANNEL: u8 = 0x41;
    pub(in super::super) const RECEIVE_DATA: u8 = 0x42;
    pub(in super::super) const SEND_DATA: u8 = 0x43;
    pub(in super::super) const CHANNEL_STATUS: u8 = 0x44;
    pub(in super::super) const DECLARE_SERVICE: u8 = 0x47;
}

/// Comprehension tags, without the comprehension required flag.
pub(super) mod tag {
    pub(in super::super) const DETAILS: u16 = 0x01;
    pub(in super::super) const DEVICES: u16 = 0x02;
    pub(in super::super) const RESULT: u16 = 0x03;
    pub(in super::super) const DURATION: u16 = 0x04;
    pub(in super::super) const ALPHA: u16 = 0x05;
    pub(in super::super) const ADDRESS: u16 = 0x06;
    pub(in super::super) const CONFIGURATION: u16 = 0x07;
    pub(in super::super) const SUBADDRESS: u16 = 0x08;
    pub(in super::super) const SS_STRING: u16 = 0x09;
    pub(in super::super) const USSD_STRING: u16 = 0x0A;
    pub(in super::super) const SMS_TPDU: u16 = 0x0B;
    pub(in super::super) const TEXT: u16 = 0x0D;
    pub(in super::super) const TONE: u16 = 0x0E;
    pub(in super::super) const ITEM: u16 = 0x0F;
    pub(in super::super) const ITEM_ID: u16 = 0x10;
    pub(in super::super) const RESPONSE_LENGTH: u16 = 0x11;
    pub(in super::super) const FILE_LIST: u16 = 0x12;
    pub(in super::super) const LOCATION: u16 = 0x13;
    pub(in super::super) const IMEI: u16 = 0x14;
    pub(in super::super) const DEFAULT_TEXT: u16 = 0x17;
    pub(in super::super) const NEXT_ACTION: u16 = 0x18;
    pub(in super::super) const EVENT_LIST: u16 = 0x19;
    pub(in super::super) const LOCATION_STATUS: u16 = 0x1B;
    pub(in super::super) const ICON: u16 = 0x1E;
    pub(in super::super) const ICON_LIST: u16 = 0x1F;
    pub(in super::super) const HELP_REQUEST: u16 = 0x15;
    pub(in super::super) const TIMER_ID: u16 = 0x24;
    pub(in super::super) const TIMER_VALUE: u16 = 0x25;
    pub(in super::super) const DATE_TIME: u16 = 0x26;
    pub(in super::super) const IMMEDIATE: u16 = 0x2B;
    pub(in super::super) const DTMF_STRING: u16 = 0x2C;
    pub(in super::super) const LANGUAGE: u16 = 0x2D;
    pub(in super::super) const AID: u16 = 0x2F;
    pub(in super::super) const BROWSER: u16 = 0x30;
    pub(in super::super) const URL: u16 = 0x31;
    pub(in super::super) const BEARERS: u16 = 0x32;
    pub(in super::super) const PROVISIONING_FILE: u16 = 0x33;
    pub(in super::super) const BROWSER_CAUSE: u16 = 0x34;
    pub(in super::super) const BEARER: u16 = 0x35;
    pub(in super::super) const CHANNEL_DATA: u16 = 0x36;
    pub(in super::super) const DATA_LENGTH: u16 = 0x37;
    pub(in super::super) const CHANNEL_STATUS: u16 = 0x38;
    pub(in super::super) const BUFFER_SIZE: u16 = 0x39;
    pub(in super::super) const REFRESH_POLICY: u16 = 0x3A;
    pub(in super::super) const LEVEL: u16 = 0x3C;
    pub(in super::super) const ACCESS_TECHNOLOGY: u16 = 0x3F;
    pub(in super::super) const OTHER_ADDRESS: u16 = 0x3E;
    pub(in super::super) const SERVICE: u16 = 0x41;
    pub(in super::super) const ACCESS_NAME: u16 = 0x47;
    pub(in super::super) const REMOTE_ENTITY: u16 = 0x49;
    pub(in super::super) const TEXT_ATTRIBUTE: u16 = 0x50;
    pub(in super::super) const ITEM_ATTRIBUTES: u16 = 0x51;
    pub(in super::super) const IMEISV: u16 = 0x62;
    pub(in super::super) const FRAME: u16 = 0x68;
}

/// Command details: echoed in the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) number: u8,
    pub(super) kind: u8,
    pub(super) qualifier: u8,
}

impl Details {
    /// The details at the start of a fetched command, and the data objects after them.
    ///
    /// Fails with `CardBadData` when there is nothing that a response could echo.
    pub(super) fn read(octets: &[u8]) -> Result<(Self, ctlv::Reader<'_>)> {
        if octets.len() > COMMAND_OCTETS {
            let what = format!("proactive command: {} octets", octets.len());
            return Err(Error::new(Code::CardBadData, what));
        }
        let within = |error: Error| error.context("proactive command");
        let mut objects = ctlv::Reader::new(ctlv::ber_value(octets, PROACTIVE).map_err(within)?);
        match objects.read().map_err(within)? {
            Some(Ctlv { tag: tag::DETAILS, value: &[number, kind, qualifier], .. }) => {
                Ok((Self { number, kind, qualifier }, objects))
            }
            _ => Err(Error::new(Code::CardBadData, "proactive command: no command details")),
        }
    }
}

/// A command whose data objects are all understood.
#[derive(Debug)]
pub(super) struct Command<'a> {
    pub(super) details: Details,
    /// Destination device.
    pub(super) destination: u8,
    objects: Vec<Ctlv<'a>>,
}

impl<'a> Command<'a> {
    /// Reads the objects after the details; an unknown one with the comprehension required flag is
    /// refused, without it ignored.
    pub(super) fn read(
        details: Details,
        mut reader: ctlv::Reader<'a>,
    ) -> core::result::Result<Self, Outcome> {
        let known = tags(details.kind).unwrap_or_default();
        let mut command = Self { details, destination: 0, objects: Vec::new() };
        while let Some(object) = reader.read().map_err(|_| Outcome::NOT_UNDERSTOOD)? {
            if object.tag == tag::DEVICES || known.contains(&object.tag) {
                command.objects.push(object);
            } else if object.required {
                return Err(Outcome::NOT_UNDERSTOOD);
            }
        }
        match *command.needed(tag::DEVICES)? {
            [_source, destination] => command.destination = destination,
            _ => return Err(Outcome::NOT_UNDERSTOOD),
        }
        Ok(command)
    }

    /// The first object with this tag.
    pub(super) fn object(&self, tag: u16) -> Option<&'a [u8]> {
        self.all(tag).next()
    }

    /// The first object with this mandatory tag.
    pub(super) fn needed(&self, tag: u16) -> core::result::Result<&'a [u8], Outcome> {
        self.object(tag).ok_or(Outcome::VALUES_MISSING)
    }

    /// All objects with this tag, in order.
    pub(super) fn all(&self, tag: u16) -> impl Iterator<Item = &'a [u8]> {
        self.objects.iter().filter(move |object| object.tag == tag).map(|object| object.value)
    }

    /// The channel that the destination device names, if it names one.
    pub(super) fn channel(&self) -> Option<u8> {
        matches!(self.destination, 0x21..=0x27).then_some(self.destination & 0x0F)
    }
}

/// True if TS 102 223 defines this type of command at all.
pub(super) fn is_known(kind: u8) -> bool {
    /// Defined, but never offered: card readers, AT commands, frames and so on.
    const OTHERS: [u8; 17] = [
        0x16, 0x30, 0x31, 0x32, 0x33, 0x34, 0x45, 0x46, 0x50, 0x51, 0x60, 0x61, 0x62, 0x70, 0x71,
        0x72, 0x73,
    ];
    tags(kind).is_some() || OTHERS.contains(&kind)
}

/// The data objects that may follow the device identities of a command that is implemented.
fn tags(kind: u8) -> Option<&'static [u16]> {
    Some(match kind {
        kind::REFRESH => &[tag::FILE_LIST, tag::AID, tag::ALPHA, tag::ICON, tag::REFRESH_POLICY],
        kind::MORE_TIME | kind::POLLING_OFF | kind::LOCAL_INFORMATION | kind::CHANNEL_STATUS => &[],
        kind::POLL_INTERVAL => &[tag::DURATION],
        kind::SET_UP_EVENT_LIST => &[tag::EVENT_LIST],
        kind::SEND_SMS => &[tag::ALPHA, tag::ADDRESS, tag::SMS_TPDU, tag::ICON],
        kind::LAUNCH_BROWSER => &[
            tag::BROWSER,
            tag::URL,
            tag::BEARERS,
            tag::PROVISIONING_FILE,
            tag::TEXT,
            tag::ALPHA,
            tag::ICON,
            tag::ACCESS_NAME,
        ],
        kind::DISPLAY_TEXT => {
            &[tag::TEXT, tag::ICON, tag::IMMEDIATE, tag::DURATION, tag::TEXT_ATTRIBUTE]
        }
        kind::GET_INKEY => &[tag::TEXT, tag::ICON, tag::DURATION, tag::TEXT_ATTRIBUTE],
        kind::GET_INPUT => &[
            tag::TEXT,
            tag::RESPONSE_LENGTH,
            tag::DEFAULT_TEXT,
            tag::ICON,
            tag::DURATION,
            tag::TEXT_ATTRIBUTE,
        ],
        kind::SELECT_ITEM => &[
            tag::ALPHA,
            tag::ITEM,
            tag::NEXT_ACTION,
            tag::ITEM_ID,
            tag::ICON,
            tag::ICON_LIST,
            tag::TEXT_ATTRIBUTE,
            tag::ITEM_ATTRIBUTES,
        ],
        kind::SET_UP_MENU => &[
            tag::ALPHA,
            tag::ITEM,
            tag::NEXT_ACTION,
            tag::ICON,
            tag::ICON_LIST,
            tag::TEXT_ATTRIBUTE,
            tag::ITEM_ATTRIBUTES,
        ],
        kind::PLAY_TONE => &[tag::ALPHA, tag::TONE, tag::DURATION, tag::ICON, tag::TEXT_ATTRIBUTE],
        kind::SET_UP_CALL => &[
            tag::ALPHA,
            tag::ADDRESS,
            tag::CONFIGURATION,
            tag::SUBADDRESS,
            tag::DURATION,
            tag::ICON,
            tag::TEXT_ATTRIBUTE,
        ],
        kind::SEND_SS => &[tag::ALPHA, tag::SS_STRING, tag::ICON, tag::TEXT_ATTRIBUTE],
        kind::SEND_USSD => &[tag::ALPHA, tag::USSD_STRING, tag::ICON, tag::TEXT_ATTRIBUTE],
        kind::SEND_DTMF => &[tag::ALPHA, tag::DTMF_STRING, tag::ICON, tag::TEXT_ATTRIBUTE],
        kind::IDLE_TEXT => &[tag::TEXT, tag::ICON, tag::TEXT_ATTRIBUTE],
        kind::LANGUAGE => &[tag::LANGUAGE],
        kind::TIMER => &[tag::TIMER_ID, tag::TIMER_VALUE],
        kind::OPEN_CHANNEL => &[
            tag::ALPHA,
            tag::ICON,
            tag::ADDRESS,
            tag::BEARER,
            tag::BUFFER_SIZE,
            tag::ACCESS_NAME,
            tag::OTHER_ADDRESS,
            tag::TEXT,
            tag::LEVEL,
            tag::DURATION,
            tag::REMOTE_ENTITY,
            tag::TEXT_ATTRIBUTE,
            tag::FRAME,
        ],
        kind::CLOSE_CHANNEL => &[tag::ALPHA, tag::ICON, tag::TEXT_ATTRIBUTE, tag::FRAME],
        kind::RECEIVE_DATA => {
            &[tag::ALPHA, tag::ICON, tag::DATA_LENGTH, tag::TEXT_ATTRIBUTE, tag::FRAME]
        }
        kind::SEND_DATA => {
            &[tag::ALPHA, tag::ICON, tag::CHANNEL_DATA, tag::TEXT_ATTRIBUTE, tag::FRAME]
        }
        kind::DECLARE_SERVICE => &[tag::SERVICE, tag::LEVEL],
        _ => return None,
    })
}
