//! Messages to octets, in the order of the DTD, and their sizes.
//!
//! Must not know what a command does.

use super::Encoding;
use super::draft::Draft;
use super::model::{
    Action, Alert, Command, Cred, Data, DataForm, Group, Header, Item, Location, Message, Meta,
    Results, Status, Verb,
};
use crate::error::Result;
use crate::markup::{DocType, Tag, Writer, metinf, syncml};

/// Writes a message.
///
/// # Errors
/// `InvalidArg`: binary data, or a character that XML does not allow, in text XML.
pub fn write(message: &Message<'_>, encoding: Encoding) -> Result<Vec<u8>> {
    write_message(Writer::new(DocType::SyncMl, encoding), message).finish()
}

/// Octets of the whole message as [`write`] writes it.
pub fn message_size(message: &Message<'_>, encoding: Encoding) -> usize {
    write_message(Writer::counting(DocType::SyncMl, encoding), message).size()
}

/// Octets that `command` adds to a message, as [`Draft::add`] tells them.
pub fn size_of(command: &Command<'_>, encoding: Encoding) -> usize {
    Meter::new(encoding).size_of(command)
}

/// Measures many commands, one after the other.
#[derive(Debug)]
pub struct Meter(Writer);

impl Meter {
    /// For messages of this encoding.
    pub fn new(encoding: Encoding) -> Self {
        Self(Writer::counting_inside(DocType::SyncMl, encoding, syncml::SYNC_BODY))
    }

    /// The same as [`size_of`].
    pub fn size_of(&mut self, command: &Command<'_>) -> usize {
        let before = self.0.extent();
        write_command(&mut self.0, command);
        self.0.extent() - before
    }
}

fn write_message(writer: Writer, message: &Message<'_>) -> Writer {
    let mut draft = Draft::begin(writer, &message.header);
    for (at, command) in message.commands.iter().enumerate() {
        draft.expect(message.commands.len() - at);
        // All have room.
        let _ = draft.add(command, usize::MAX);
    }
    draft.end(message.is_final)
}

/// Begins the message and writes its header.
pub(super) fn write_header(writer: &mut Writer, header: &Header<'_>) {
    writer.start(syncml::SYNCML);
    writer.start(syncml::SYNC_HDR);
    writer.leaf(syncml::VER_DTD, &header.ver_dtd);
    writer.leaf(syncml::VER_PROTO, &header.ver_proto);
    writer.leaf(syncml::SESSION_ID, &header.session_id);
    writer.leaf(syncml::MSG_ID, &header.msg_id);
    write_location(writer, syncml::TARGET, &header.target);
    write_location(writer, syncml::SOURCE, &header.source);
    writer.optional(syncml::RESP_URI, header.resp_uri.as_deref());
    write_cred(writer, header.cred.as_ref());
    write_meta(writer, &header.meta);
    writer.end();
}

pub(super) fn write_command(writer: &mut Writer, command: &Command<'_>) {
    match command {
        Command::Action(action) => write_action(writer, action),
        Command::Alert(alert) => write_alert(writer, alert),
        Command::Group(group) => write_group(writer, group),
        Command::Status(status) => write_status(writer, status),
        Command::Results(results) => write_results(writer, results),
        // Nothing is known of it that could be written.
        Command::Unknown(_) => {}
    }
}

fn write_action(writer: &mut Writer, action: &Action<'_>) {
    writer.start(match action.verb {
        Verb::Add => syncml::ADD,
        Verb::Replace => syncml::REPLACE,
        Verb::Get => syncml::GET,
        Verb::Delete => syncml::DELETE,
        Verb::Copy => syncml::COPY,
        Verb::Exec => syncml::EXEC,
    });
    writer.leaf(syncml::CMD_ID, &action.cmd_id);
    write_meta(writer, action.meta());
    writer.optional(syncml::CORRELATOR, action.correlator.as_deref());
    write_items(writer, &action.items);
    writer.end();
}

fn write_alert(writer: &mut Writer, alert: &Alert<'_>) {
    writer.start(syncml::ALERT);
    writer.leaf(syncml::CMD_ID, &alert.cmd_id);
    if let Some(code) = alert.code {
        writer.number(syncml::DATA, code.into());
    }
    writer.optional(syncml::CORRELATOR, alert.correlator.as_deref());
    write_items(writer, &alert.items);
    writer.end();
}

fn write_group(writer: &mut Writer, group: &Group<'_>) {
    writer.start(if group.atomic { syncml::ATOMIC } else { syncml::SEQUENCE });
    writer.leaf(syncml::CMD_ID, &group.cmd_id);
    write_meta(writer, &group.meta);
    for command in &group.commands {
        write_command(writer, command);
    }
    writer.end();
}

pub(super) fn write_status(writer: &mut Writer, status: &Status<'_>) {
    writer.start(syncml::STATUS);
    writer.leaf(syncml::CMD_ID, &status.cmd_id);
    writer.leaf(syncml::MSG_REF, &status.msg_ref);
    writer.leaf(syncml::CMD_REF, &status.cmd_ref);
    writer.leaf(syncml::CMD, &status.cmd);
    for target in &status.target_refs {
        writer.leaf(syncml::TARGET_REF, target);
    }
    for source in &status.source_refs {
        writer.leaf(syncml::SOURCE_REF, source);
    }
    write_cred(writer, status.cred.as_deref());
    if let Some(chal) = &status.chal {
        writer.start(syncml::CHAL);
        write_meta(writer, chal);
        writer.end();
    }
    writer.number(syncml::DATA, status.code.into());
    write_items(writer, &status.items);
    writer.end();
}

fn write_results(writer: &mut Writer, results: &Results<'_>) {
    writer.start(syncml::RESULTS);
    writer.leaf(syncml::CMD_ID, &results.cmd_id);
    writer.optional(syncml::MSG_REF, results.msg_ref.as_deref());
    writer.leaf(syncml::CMD_REF, &results.cmd_ref);
    write_meta(writer, &results.meta);
    writer.optional(syncml::TARGET_REF, results.target_ref.as_deref());
    writer.optional(syncml::SOURCE_REF, results.source_ref.as_deref());
    write_items(writer, &results.items);
    writer.end();
}

fn write_items(writer: &mut Writer, items: &[Item<'_>]) {
    for item in items {
        writer.start(syncml::ITEM);
        if let Some(target) = &item.target {
            write_location(writer, syncml::TARGET, target);
        }
        if let Some(source) = &item.source {
            write_location(writer, syncml::SOURCE, source);
        }
        write_meta(writer, &item.meta);
        if let Some(data) = &item.data {
            write_data(writer, data);
        }
        if item.more_data {
            writer.empty(syncml::MORE_DATA);
        }
        writer.end();
    }
}

fn write_data(writer: &mut Writer, data: &Data<'_>) {
    writer.start(syncml::DATA);
    match data.as_str() {
        Some(text) if data.form == DataForm::Text => writer.text(text),
        _ => writer.opaque(&data.octets),
    }
    writer.end();
}

fn write_location(writer: &mut Writer, tag: Tag, location: &Location<'_>) {
    writer.start(tag);
    writer.leaf(syncml::LOC_URI, &location.uri);
    writer.optional(syncml::LOC_NAME, location.name.as_ref().map(|name| &***name));
    writer.end();
}

fn write_cred(writer: &mut Writer, cred: Option<&Cred<'_>>) {
    if let Some(cred) = cred {
        writer.start(syncml::CRED);
        write_meta(writer, &cred.meta);
        writer.leaf(syncml::DATA, &cred.data);
        writer.end();
    }
}

fn write_meta(writer: &mut Writer, meta: &Meta<'_>) {
    if meta.is_empty() {
        return;
    }
    writer.start(syncml::META);
    writer.optional(metinf::FORMAT, meta.format.as_deref());
    writer.optional(metinf::TYPE, meta.mime.as_deref());
    write_number(writer, metinf::SIZE, meta.size);
    if let Some(extra) = &meta.extra {
        writer.optional(metinf::MARK, extra.mark.as_deref());
        writer.optional(metinf::NEXT_NONCE, extra.next_nonce.as_deref());
        write_number(writer, metinf::MAX_MSG_SIZE, extra.max_msg_size.map(u64::from));
        write_number(writer, metinf::MAX_OBJ_SIZE, extra.max_obj_size.map(u64::from));
    }
    writer.end();
}

fn write_number(writer: &mut Writer, tag: Tag, number: Option<u64>) {
    if let Some(number) = number {
        writer.number(tag, number);
    }
}
