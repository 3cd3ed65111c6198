//! Commands from the stream of elements.
//!
//! Must not know the two encodings, nor what a command does.

use super::model::{
    Action, Alert, Command, Cred, Group, Item, Meta, Results, Status, Text, Unknown, Verb,
};
use super::read::{once, or_empty, read_chal, read_cred, read_item, read_meta};
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
    let mut parts = Parts::default();
    let read = parts.read(reader, tag, groups).and_then(|()| parts.build(tag, at));
    let fault = match read {
        Ok(Some(command)) => return Ok(command),
        Ok(None) => None,
        // The document is sound, only this command is not: go on behind it.
        Err(fault) if fault.class == Class::ContentModel => {
            reader.skip_to_end(depth)?;
            Some(fault)
        }
        Err(fault) => return Err(fault),
    };
    let (cmd_id, known) = (or_empty(parts.cmd_id), fault.is_none() && is_unused(tag));
    Ok(Command::Unknown(Unknown { name: name.into(), cmd_id, known, fault }))
}

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

/// The members of all commands together; each command takes those it has.
#[derive(Default)]
struct Parts<'a> {
    cmd_id: Option<Text<'a>>,
    msg_ref: Option<Text<'a>>,
    cmd_ref: Option<Text<'a>>,
    cmd: Option<Text<'a>>,
    target_refs: Vec<Text<'a>>,
    source_refs: Vec<Text<'a>>,
    cred: Option<Cred<'a>>,
    chal: Option<Meta<'a>>,
    meta: Option<Meta<'a>>,
    data: Option<Text<'a>>,
    correlator: Option<Text<'a>>,
    items: Vec<Item<'a>>,
    commands: Vec<Command<'a>>,
}

impl<'a> Parts<'a> {
    /// Reads the members of command `tag`. Others are skipped, except that a group holds commands.
    fn read(&mut self, reader: &mut Reader<'a>, tag: Tag, groups: usize) -> Result<(), Fault> {
        let group = matches!(tag, syncml::ATOMIC | syncml::SEQUENCE);
        if group && groups == 0 {
            return Err(reader.content_fault("groups are nested too deep"));
        }
        while let Some(member) = reader.child()? {
            match member {
                syncml::CMD_ID => once(reader, &mut self.cmd_id, Reader::text)?,
                syncml::META => once(reader, &mut self.meta, read_meta)?,
                syncml::ITEM if !group => self.items.push(read_item(reader)?),
                syncml::DATA if !group => once(reader, &mut self.data, Reader::text)?,
                syncml::CORRELATOR => once(reader, &mut self.correlator, Reader::text)?,
                syncml::MSG_REF => once(reader, &mut self.msg_ref, Reader::text)?,
                syncml::CMD_REF => once(reader, &mut self.cmd_ref, Reader::text)?,
                syncml::CMD => once(reader, &mut self.cmd, Reader::text)?,
                syncml::TARGET_REF => self.target_refs.push(reader.text()?),
                syncml::SOURCE_REF => self.source_refs.push(reader.text()?),
                syncml::CRED => once(reader, &mut self.cred, read_cred)?,
                syncml::CHAL => once(reader, &mut self.chal, read_chal)?,
                syncml::NO_RESP | syncml::LANG | syncml::ARCHIVE | syncml::SFT_DEL => {
                    reader.skip()?;
                }
                _ if group => self.commands.push(read_nested(reader, member, groups - 1)?),
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    /// The command `tag`, which began at octet `at`, or `None` if it is no DM command.
    fn build(&mut self, tag: Tag, at: usize) -> Result<Option<Command<'a>>, Fault> {
        if let Some(verb) = verb(tag) {
            return Ok(Some(Command::Action(Action {
                verb,
                cmd_id: or_empty(self.cmd_id.take()),
                meta: self.meta.take().unwrap_or_default(),
                correlator: self.correlator.take(),
                items: std::mem::take(&mut self.items),
            })));
        }
        Ok(Some(match tag {
            syncml::ALERT => Command::Alert(self.alert()),
            syncml::STATUS => Command::Status(self.status(at)?),
            syncml::RESULTS => Command::Results(self.results()),
            syncml::ATOMIC | syncml::SEQUENCE => Command::Group(Group {
                atomic: tag == syncml::ATOMIC,
                cmd_id: or_empty(self.cmd_id.take()),
                meta: self.meta.take().unwrap_or_default(),
                commands: std::mem::take(&mut self.commands),
            }),
            _ => return Ok(None),
        }))
    }

    fn alert(&mut self) -> Alert<'a> {
        Alert {
            cmd_id: or_empty(self.cmd_id.take()),
            code: self.data.take().and_then(|data| number(&data)),
            correlator: self.correlator.take(),
            items: std::mem::take(&mut self.items),
        }
    }

    fn status(&mut self, at: usize) -> Result<Status<'a>, Fault> {
        let code = self.data.take().and_then(|data| number(&data)).ok_or(Fault::new(
            Class::ContentModel,
            at,
            "Status without a numeric code",
        ))?;
        Ok(Status {
            cmd_id: or_empty(self.cmd_id.take()),
            msg_ref: or_empty(self.msg_ref.take()),
            cmd_ref: or_empty(self.cmd_ref.take()),
            cmd: or_empty(self.cmd.take()),
            target_refs: std::mem::take(&mut self.target_refs),
            source_refs: std::mem::take(&mut self.source_refs),
            cred: self.cred.take(),
            chal: self.chal.take(),
            code,
            items: std::mem::take(&mut self.items),
        })
    }

    fn results(&mut self) -> Results<'a> {
        Results {
            cmd_id: or_empty(self.cmd_id.take()),
            msg_ref: self.msg_ref.take(),
            cmd_ref: or_empty(self.cmd_ref.take()),
            meta: self.meta.take().unwrap_or_default(),
            target_ref: self.target_refs.drain(..).next(),
            source_ref: self.source_refs.drain(..).next(),
            items: std::mem::take(&mut self.items),
        }
    }
}

/// A code: three or four digits, blanks around them ignored.
fn number(text: &str) -> Option<u16> {
    let digits = text.trim();
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}
