//! Commands from the stream of elements.
//!
//! Must not know the two encodings, nor what a command does.

use super::model::{Action, Alert, Command, Group, Items, Results, Status, Text, Unknown, Verb};
use super::read::{add_item, once, read_chal, read_cred, read_item, read_meta, text_once};
use crate::markup::{Class, Fault, Reader, Tag, syncml};

/// Groups inside groups. DM needs two (Sequence in Atomic).
const GROUP_DEPTH: usize = 8;

/// Reads the command that has just begun with `tag`.
pub(super) fn read_command<'a>(reader: &mut Reader<'a>, tag: Tag) -> Result<Command<'a>, Fault> {
    read_nested(reader, tag, GROUP_DEPTH)
}

fn read_nested<'a>(reader: &mut Reader<'a>, tag: Tag, groups: usize) -> Result<Command<'a>, Fault> {
    let (depth, at) = (reader.depth(), reader.at());
    let name = reader.name_of(tag);
    let mut cmd_id = None;
    let read = match (verb(tag), tag) {
        (Some(verb), _) => read_action(reader, verb, &mut cmd_id),
        (_, syncml::STATUS) => read_status(reader, at, &mut cmd_id),
        (_, syncml::ALERT) => read_alert(reader, &mut cmd_id),
        (_, syncml::RESULTS) => read_results(reader, &mut cmd_id),
        (_, syncml::ATOMIC | syncml::SEQUENCE) => {
            read_group(reader, tag == syncml::ATOMIC, groups, &mut cmd_id)
        }
        _ => read_unknown(reader, tag, name, &mut cmd_id),
    };
    match read {
        // The document is sound, only this command is not: go on behind it.
        Err(fault) if fault.class == Class::ContentModel => {
            reader.skip_to_end(depth)?;
            let (name, cmd_id) = (name.into(), cmd_id.unwrap_or_default());
            Ok(Command::Unknown(Unknown { name, cmd_id, known: false, fault: Some(fault) }))
        }
        read => read,
    }
}

/// A command's CmdID, which also a broken command is answered with.
type CmdId<'a> = Option<Text<'a>>;

/// SyncML commands that DM does not use.
fn is_unused(tag: Tag) -> bool {
    matches!(tag, syncml::PUT | syncml::SEARCH | syncml::MAP | syncml::SYNC | syncml::MOVE)
}

fn verb(tag: Tag) -> Option<Verb> {
    Some(match tag {
        syncml::ADD => Verb::Add,
        syncml::REPLACE => Verb::Replace,
        syncml::GET => Verb::Get,
        syncml::DELETE => Verb::Delete,
        syncml::COPY => Verb::Copy,
        syncml::EXEC => Verb::Exec,
        _ => return None,
    })
}

fn read_action<'a>(
    reader: &mut Reader<'a>,
    verb: Verb,
    cmd_id: &mut CmdId<'a>,
) -> Result<Command<'a>, Fault> {
    let (mut meta, mut correlator, mut items) = (None, None, Items::new());
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            syncml::ITEM => read_item(reader, items.add())?,
            syncml::META => once(reader, &mut meta, |r| read_meta(r).map(Box::new))?,
            syncml::CORRELATOR => text_once(reader, &mut correlator)?,
            _ => reader.skip()?,
        }
    }
    let meta = meta.filter(|meta| !meta.is_empty());
    let cmd_id = cmd_id.take().unwrap_or_default();
    Ok(Command::Action(Action { verb, cmd_id, meta, correlator, items }))
}

fn read_alert<'a>(reader: &mut Reader<'a>, cmd_id: &mut CmdId<'a>) -> Result<Command<'a>, Fault> {
    let (mut alert, mut data) = (Alert::default(), None);
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            syncml::DATA => text_once(reader, &mut data)?,
            syncml::CORRELATOR => text_once(reader, &mut alert.correlator)?,
            syncml::ITEM => add_item(reader, &mut alert.items)?,
            _ => reader.skip()?,
        }
    }
    alert.cmd_id = cmd_id.take().unwrap_or_default();
    alert.code = data.and_then(|data| number(&data));
    Ok(Command::Alert(alert))
}

/// A Status that began at octet `at`.
fn read_status<'a>(
    reader: &mut Reader<'a>,
    at: usize,
    cmd_id: &mut CmdId<'a>,
) -> Result<Command<'a>, Fault> {
    let mut status = Status::default();
    let (mut msg_ref, mut cmd_ref, mut cmd, mut data) = (None, None, None, None);
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            syncml::MSG_REF => text_once(reader, &mut msg_ref)?,
            syncml::CMD_REF => text_once(reader, &mut cmd_ref)?,
            syncml::CMD => text_once(reader, &mut cmd)?,
            syncml::TARGET_REF => status.target_refs.push(reader.text()?),
            syncml::SOURCE_REF => status.source_refs.push(reader.text()?),
            syncml::DATA => text_once(reader, &mut data)?,
            syncml::CRED => once(reader, &mut status.cred, |r| read_cred(r).map(Box::new))?,
            syncml::CHAL => once(reader, &mut status.chal, |r| read_chal(r).map(Box::new))?,
            syncml::ITEM => add_item(reader, &mut status.items)?,
            _ => reader.skip()?,
        }
    }
    let what = "Status without a numeric code";
    let code = data.and_then(|data| number(&data));
    status.code = code.ok_or(Fault::new(Class::ContentModel, at, what))?;
    status.cmd_id = cmd_id.take().unwrap_or_default();
    status.msg_ref = msg_ref.unwrap_or_default();
    status.cmd_ref = cmd_ref.unwrap_or_default();
    status.cmd = cmd.unwrap_or_default();
    Ok(Command::Status(status))
}

fn read_results<'a>(reader: &mut Reader<'a>, cmd_id: &mut CmdId<'a>) -> Result<Command<'a>, Fault> {
    let (mut results, mut meta, mut cmd_ref) = (Results::default(), None, None);
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            syncml::MSG_REF => text_once(reader, &mut results.msg_ref)?,
            syncml::CMD_REF => text_once(reader, &mut cmd_ref)?,
            syncml::META => once(reader, &mut meta, read_meta)?,
            syncml::TARGET_REF => text_once(reader, &mut results.target_ref)?,
            syncml::SOURCE_REF => text_once(reader, &mut results.source_ref)?,
            syncml::ITEM => add_item(reader, &mut results.items)?,
            _ => reader.skip()?,
        }
    }
    results.cmd_id = cmd_id.take().unwrap_or_default();
    results.cmd_ref = cmd_ref.unwrap_or_default();
    results.meta = meta.unwrap_or_default();
    Ok(Command::Results(results))
}

/// Atomic or Sequence: what is not a member of it is a command in it.
fn read_group<'a>(
    reader: &mut Reader<'a>,
    atomic: bool,
    groups: usize,
    cmd_id: &mut CmdId<'a>,
) -> Result<Command<'a>, Fault> {
    let Some(groups) = groups.checked_sub(1) else {
        return Err(reader.content_fault("groups are nested too deep"));
    };
    let (mut meta, mut commands) = (None, Vec::new());
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            syncml::META => once(reader, &mut meta, read_meta)?,
            syncml::NO_RESP => reader.skip()?,
            _ => commands.push(read_nested(reader, member, groups)?),
        }
    }
    let (cmd_id, meta) = (cmd_id.take().unwrap_or_default(), meta.unwrap_or_default());
    Ok(Command::Group(Group { atomic, cmd_id, meta, commands }))
}

/// An element that is no DM command.
fn read_unknown<'a>(
    reader: &mut Reader<'a>,
    tag: Tag,
    name: &'a str,
    cmd_id: &mut CmdId<'a>,
) -> Result<Command<'a>, Fault> {
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            _ => reader.skip()?,
        }
    }
    let cmd_id = cmd_id.take().unwrap_or_default();
    Ok(Command::Unknown(Unknown { name: name.into(), cmd_id, known: is_unused(tag), fault: None }))
}

/// A code: three or four digits, blanks around them ignored.
fn number(text: &str) -> Option<u16> {
    let digits = text.trim();
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}
