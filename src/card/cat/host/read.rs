//! The host's commands as the card writes them: their data objects, read into the questions to the host.

use super::super::command::{Command, kind, tag};
use super::super::response::Outcome;
use super::super::text;
use super::{
    DisplayText, GetInkey, GetInput, HostRequest, LaunchBrowser, Menu, PlayTone, SelectItem,
    SendSms, SetUpCall, Transmission,
};

type Read<T> = core::result::Result<T, Outcome>;

impl HostRequest {
    /// Reads a command of the host's kinds; `None` for other kinds.
    pub(in super::super) fn read(command: &Command<'_>) -> Read<Option<Self>> {
        Ok(Some(match command.details.kind {
            kind::DISPLAY_TEXT => Self::DisplayText(display_text(command)?),
            kind::GET_INKEY => Self::GetInkey(get_inkey(command)?),
            kind::GET_INPUT => Self::GetInput(get_input(command)?),
            kind::SELECT_ITEM => Self::SelectItem(select_item(command)?),
            kind::SET_UP_MENU => Self::SetUpMenu(set_up_menu(command)?),
            kind::PLAY_TONE => Self::PlayTone(play_tone(command)?),
            kind::IDLE_TEXT => Self::IdleText { text: needed_text(command)? },
            kind::LAUNCH_BROWSER => Self::LaunchBrowser(launch_browser(command)?),
            kind::SEND_SMS => Self::SendSms(send_sms(command)?),
            kind::SEND_SS => Self::SendSs(transmission(command, tag::SS_STRING)?),
            kind::SEND_USSD => Self::SendUssd(transmission(command, tag::USSD_STRING)?),
            kind::SEND_DTMF => Self::SendDtmf(transmission(command, tag::DTMF_STRING)?),
            kind::SET_UP_CALL => Self::SetUpCall(set_up_call(command)?),
            kind::LANGUAGE => Self::Language { language: language(command)? },
            _ => return Ok(None),
        }))
    }
}

fn display_text(command: &Command<'_>) -> Read<DisplayText> {
    let text = needed_text(command)?;
    if text.is_empty() && command.object(tag::ICON).is_some() {
        return Err(Outcome::NOT_UNDERSTOOD);
    }
    Ok(DisplayText {
        text,
        high_priority: flag(command, 1),
        wait_for_user: flag(command, 8),
        immediate_response: command.object(tag::IMMEDIATE).is_some(),
        duration_ms: duration_ms(command)?,
    })
}

fn get_inkey(command: &Command<'_>) -> Read<GetInkey> {
    Ok(GetInkey {
        text: needed_text(command)?,
        alphabet: flag(command, 1),
        ucs2: flag(command, 2),
        yes_no: flag(command, 3),
        help: flag(command, 8),
        duration_ms: duration_ms(command)?,
    })
}

fn get_input(command: &Command<'_>) -> Read<GetInput> {
    let &[min, max] = command.needed(tag::RESPONSE_LENGTH)? else {
        return Err(Outcome::NOT_UNDERSTOOD);
    };
    let default = command.object(tag::DEFAULT_TEXT);
    Ok(GetInput {
        text: needed_text(command)?,
        min,
        max,
        default: default.map(text::decode).map(understood).transpose()?,
        alphabet: flag(command, 1),
        ucs2: flag(command, 2),
        hidden: flag(command, 3),
        packed: flag(command, 4),
        help: flag(command, 8),
    })
}

fn select_item(command: &Command<'_>) -> Read<SelectItem> {
    Ok(SelectItem {
        title: title(command)?,
        items: items(command)?,
        default_item: command.object(tag::ITEM_ID).and_then(|id| id.first().copied()),
        help: flag(command, 8),
    })
}

fn launch_browser(command: &Command<'_>) -> Read<LaunchBrowser> {
    let url = std::str::from_utf8(command.needed(tag::URL)?).ok().filter(|url| url.is_ascii());
    let confirmation = command.object(tag::ALPHA).map(text::decode_alpha);
    Ok(LaunchBrowser {
        url: understood(url)?.to_owned(),
        confirmation: confirmation.map(understood).transpose()?,
        mode: command.details.qualifier,
    })
}

fn send_sms(command: &Command<'_>) -> Read<SendSms> {
    Ok(SendSms {
        service_centre: command.object(tag::ADDRESS).map(<[u8]>::to_vec),
        tpdu: command.needed(tag::SMS_TPDU)?.to_vec(),
        pack: flag(command, 1),
    })
}

fn needed_text(command: &Command<'_>) -> Read<String> {
    understood(text::decode(command.needed(tag::TEXT)?))
}

fn duration_ms(command: &Command<'_>) -> Read<Option<u64>> {
    command.object(tag::DURATION).map(|value| understood(decode_duration(value))).transpose()
}

/// A duration object in milliseconds; `None` if it is none, or zero.
pub(in super::super) fn decode_duration(value: &[u8]) -> Option<u64> {
    let unit_ms = match value {
        [0, _] => 60_000,
        [1, _] => 1000,
        [2, _] => 100,
        _ => return None,
    };
    value.get(1).filter(|count| **count > 0).map(|count| unit_ms * u64::from(*count))
}

/// Bit `bit` of the qualifier, counted from 1.
fn flag(command: &Command<'_>, bit: u32) -> bool {
    command.details.qualifier >> (bit - 1) & 1 == 1
}

fn understood<T>(value: Option<T>) -> Read<T> {
    value.ok_or(Outcome::NOT_UNDERSTOOD)
}

fn title(command: &Command<'_>) -> Read<String> {
    understood(command.object(tag::ALPHA).map_or(Some(String::new()), text::decode_alpha))
}

fn items(command: &Command<'_>) -> Read<Vec<(u8, String)>> {
    let item = |value: &[u8]| {
        let (&id, name) = value.split_first()?;
        Some((id, text::decode_alpha(name)?))
    };
    command.needed(tag::ITEM)?;
    understood(command.all(tag::ITEM).map(item).collect())
}

/// A menu; one empty item alone takes it away (TS 102 223 section 6.6.7).
fn set_up_menu(command: &Command<'_>) -> Read<Menu> {
    let items = match command.needed(tag::ITEM)? {
        [] => Vec::new(),
        _ => items(command)?,
    };
    Ok(Menu { title: title(command)?, items, help: flag(command, 8) })
}

fn play_tone(command: &Command<'_>) -> Read<PlayTone> {
    Ok(PlayTone {
        tone: command.object(tag::TONE).and_then(|tone| tone.first().copied()),
        text: title(command)?,
        duration_ms: duration_ms(command)?,
    })
}

fn transmission(command: &Command<'_>, tag: u16) -> Read<Transmission> {
    Ok(Transmission { text: title(command)?, octets: command.needed(tag)?.to_vec() })
}

/// The first alpha identifier asks the user, the second one is shown during the call.
fn set_up_call(command: &Command<'_>) -> Read<SetUpCall> {
    let mut texts = command.all(tag::ALPHA).map(|text| understood(text::decode_alpha(text)));
    Ok(SetUpCall {
        address: command.needed(tag::ADDRESS)?.to_vec(),
        confirmation: texts.next().transpose()?,
        text: texts.next().transpose()?.unwrap_or_default(),
        mode: command.details.qualifier,
        duration_ms: duration_ms(command)?,
    })
}

/// The language to be used from now on, or none for "the terminal's own" again.
fn language(command: &Command<'_>) -> Read<Option<[u8; 2]>> {
    if !flag(command, 1) {
        return Ok(None);
    }
    let letters = command.needed(tag::LANGUAGE)?;
    understood(letters.try_into().ok()).map(Some)
}
