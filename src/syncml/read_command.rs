//! Commands from the stream of elements.
//!
//! Must not know the two encodings, nor what a command does.

use super::model::{Action, Alert, Command, Group, Items, Results, Status, Text, Unknown, Verb};
use super::read::{add_item, once, read_chal, read_cred, read_item, read_meta, text_once};
use crate::markup::{Class, Fault, Reader, Tag, syncml};

/// Groups inside groups. DM needs two (Sequence in Atomic).
const GROUP_DEPTH: usize = 8;

/// Reads the command that has just begun with `tag` behind the others.
pub(super) fn add_command<'a>(
    reader: &mut Reader<'a>,
    tag: Tag,
    commands: &mut Vec<Command<'a>>,
) -> Result<(), Fault> {
    add_nested(reader, tag, commands, GROUP_DEPTH)
}

fn add_nested<'a>(
    reader: &mut Reader<'a>,
    tag: Tag,
    commands: &mut Vec<Command<'a>>,
    groups: usize,
) -> Result<(), Fault> {
    let (depth, at) = (reader.depth(), reader.at());
    let name = reader.name_of(tag);
    let (place, mut cmd_id) = (commands.len(), None);
    let read = match (verb(tag), tag) {
        (Some(verb), _) => add_action(reader, verb, commands, &mut cmd_id),
        (_, syncml::STATUS) => add_status(reader, at, commands, &mut cmd_id),
        (_, syncml::ALERT) => add_alert(reader, commands, &mut cmd_id),
        (_, syncml::RESULTS) => add_results(reader, commands, &mut cmd_id),
        (_, syncml::ATOMIC | syncml::SEQUENCE) => {
            add_group(reader, tag == syncml::ATOMIC, groups, commands, &mut cmd_id)
        }
        _ => add_unknown(reader, name, is_unused(tag), commands, &mut cmd_id),
    };
    match read {
        // The document is sound, only this command is not: go on behind it.
        Err(fault) if fault.class == Class::ContentModel => {
            reader.skip_to_end(depth)?;
            commands.truncate(place);
            let (name, cmd_id) = (name.into(), cmd_id.unwrap_or_default());
            let unknown = Unknown { name, cmd_id, known: false, fault: Some(fault) };
            commands.push(Command::Unknown(unknown));
            Ok(())
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

fn add_action<'a>(
    reader: &mut Reader<'a>,
    verb: Verb,
    commands: &mut Vec<Command<'a>>,
    cmd_id: &mut CmdId<'a>,
) -> Result<(), Fault> {
    let empty = Text::Borrowed("");
    let action = Action { verb, cmd_id: empty, meta: None, correlator: None, items: Items::new() };
    // Most commands are actions: they are read where they stay.
    commands.push(Command::Action(action));
    match commands.last_mut() {
        Some(Command::Action(action)) => read_action(reader, action, cmd_id),
        _ => Ok(()),
    }
}

fn read_action<'a>(
    reader: &mut Reader<'a>,
    action: &mut Action<'a>,
    cmd_id: &mut CmdId<'a>,
) -> Result<(), Fault> {
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            syncml::ITEM => read_item(reader, action.items.add())?,
            syncml::META => once(reader, &mut action.meta, |r| read_meta(r).map(Box::new))?,
            syncml::CORRELATOR => text_once(reader, &mut action.correlator)?,
            _ => reader.skip()?,
        }
    }
    if action.meta().is_empty() {
        action.meta = None;
    }
    action.cmd_id = cmd_id.take().unwrap_or_default();
    Ok(())
}

fn add_alert<'a>(
    reader: &mut Reader<'a>,
    commands: &mut Vec<Command<'a>>,
    cmd_id: &mut CmdId<'a>,
) -> Result<(), Fault> {
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
    commands.push(Command::Alert(alert));
    Ok(())
}

/// A Status that began at octet `at`.
fn add_status<'a>(
    reader: &mut Reader<'a>,
    at: usize,
    commands: &mut Vec<Command<'a>>,
    cmd_id: &mut CmdId<'a>,
) -> Result<(), Fault> {
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
    commands.push(Command::Status(status));
    Ok(())
}

fn add_results<'a>(
    reader: &mut Reader<'a>,
    commands: &mut Vec<Command<'a>>,
    cmd_id: &mut CmdId<'a>,
) -> Result<(), Fault> {
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
    commands.push(Command::Results(results));
    Ok(())
}

/// Atomic or Sequence: what is not a member of it is a command in it.
fn add_group<'a>(
    reader: &mut Reader<'a>,
    atomic: bool,
    groups: usize,
    commands: &mut Vec<Command<'a>>,
    cmd_id: &mut CmdId<'a>,
) -> Result<(), Fault> {
    let Some(groups) = groups.checked_sub(1) else {
        return Err(reader.content_fault("groups are nested too deep"));
    };
    let (mut meta, mut inner) = (None, Vec::new());
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            syncml::META => once(reader, &mut meta, read_meta)?,
            syncml::NO_RESP => reader.skip()?,
            _ => add_nested(reader, member, &mut inner, groups)?,
        }
    }
    let (cmd_id, meta) = (cmd_id.take().unwrap_or_default(), meta.unwrap_or_default());
    commands.push(Command::Group(Group { atomic, cmd_id, meta, commands: inner }));
    Ok(())
}

/// An element that is no DM command.
fn add_unknown<'a>(
    reader: &mut Reader<'a>,
    name: &'a str,
    known: bool,
    commands: &mut Vec<Command<'a>>,
    cmd_id: &mut CmdId<'a>,
) -> Result<(), Fault> {
    while let Some(member) = reader.child()? {
        match member {
            syncml::CMD_ID => text_once(reader, cmd_id)?,
            _ => reader.skip()?,
        }
    }
    let cmd_id = cmd_id.take().unwrap_or_default();
    commands.push(Command::Unknown(Unknown { name: name.into(), cmd_id, known, fault: None }));
    Ok(())
}

/// A code: three or four digits, blanks around them ignored.
fn number(text: &str) -> Option<u16> {
    let digits = text.trim();
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}
