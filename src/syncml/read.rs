//! Messages from the stream of elements: header, body, and the parts that commands share.
//!
//! Must not know the two encodings, nor what a command does.

use super::Encoding;
use super::model::{Command, Cred, Data, DataForm, Header, Item, Location, Message, Meta, Text};
use super::read_command::add_command;
use crate::limits;
use crate::markup::{Class, DocType, Fault, Form, Options, Reader, Tag, metinf, syncml, to_utf8};
use std::borrow::Cow;

/// Reads a message in either encoding, order tolerant. A command whose content is broken becomes
/// `Command::Unknown` with its fault, so that it can be answered.
///
/// # Errors
/// The document is malformed, is no SyncML message, or its header lacks something.
pub fn read(octets: &[u8]) -> Result<(Message<'_>, Encoding), Fault> {
    read_with(octets, false)
}

/// Like [`read`]; with `padding`, octets 00 or FF may follow, as in a card's file.
///
/// # Errors
/// As of [`read`].
pub fn read_with(octets: &[u8], padding: bool) -> Result<(Message<'_>, Encoding), Fault> {
    match to_utf8(octets)? {
        Cow::Borrowed(octets) => read_utf8(octets, padding),
        Cow::Owned(utf8) => {
            let read = read_utf8(&utf8, padding);
            let (message, encoding) = read.map_err(|fault| fault.in_latin1(octets))?;
            Ok((message.into_owned(), encoding))
        }
    }
}

fn read_utf8(octets: &[u8], padding: bool) -> Result<(Message<'_>, Encoding), Fault> {
    let options = Options { padding, expected: Some(DocType::SyncMl), ..Options::default() };
    let mut reader = Reader::new(octets, &options)?;
    reader.root()?;
    let mut message = Message::default();
    let (mut header, mut body) = (false, false);
    while let Some(tag) = reader.child()? {
        match tag {
            syncml::SYNC_HDR if !header && !body => {
                message.header = read_header(&mut reader)?;
                header = true;
            }
            syncml::SYNC_BODY if header && !body => {
                read_body(&mut reader, &mut message)?;
                body = true;
            }
            syncml::SYNC_HDR | syncml::SYNC_BODY => {
                return Err(reader.content_fault("one SyncHdr, then one SyncBody"));
            }
            _ => reader.skip()?,
        }
    }
    if !body {
        return Err(reader.content_fault("no SyncHdr or no SyncBody"));
    }
    reader.finish()?;
    Ok((message, reader.encoding()))
}

fn read_header<'a>(reader: &mut Reader<'a>) -> Result<Header<'a>, Fault> {
    let mut header = Header::default();
    let (mut ver_dtd, mut ver_proto, mut session_id, mut msg_id) = (None, None, None, None);
    let (mut target, mut source, mut meta) = (None, None, None);
    while let Some(tag) = reader.child()? {
        match tag {
            syncml::VER_DTD => text_once(reader, &mut ver_dtd)?,
            syncml::VER_PROTO => text_once(reader, &mut ver_proto)?,
            syncml::SESSION_ID => text_once(reader, &mut session_id)?,
            syncml::MSG_ID => text_once(reader, &mut msg_id)?,
            syncml::TARGET => location_once(reader, &mut target)?,
            syncml::SOURCE => location_once(reader, &mut source)?,
            syncml::RESP_URI => text_once(reader, &mut header.resp_uri)?,
            syncml::CRED => once(reader, &mut header.cred, read_cred)?,
            syncml::META => once(reader, &mut meta, read_meta)?,
            _ => reader.skip()?,
        }
    }
    header.ver_dtd = mandatory(reader, ver_dtd, "SyncHdr without VerDTD")?;
    header.ver_proto = mandatory(reader, ver_proto, "SyncHdr without VerProto")?;
    header.session_id = mandatory(reader, session_id, "SyncHdr without SessionID")?;
    header.msg_id = mandatory(reader, msg_id, "SyncHdr without MsgID")?;
    header.target = mandatory(reader, target, "SyncHdr without Target")?;
    header.source = mandatory(reader, source, "SyncHdr without Source")?;
    header.meta = meta.unwrap_or_default();
    Ok(header)
}

fn read_body<'a>(reader: &mut Reader<'a>, message: &mut Message<'a>) -> Result<(), Fault> {
    let begin = reader.position();
    while let Some(tag) = reader.child()? {
        if tag == syncml::FINAL {
            message.is_final = true;
            reader.skip()?;
        } else {
            if message.commands.len() == message.commands.capacity() {
                make_room(&mut message.commands, reader, begin);
            }
            add_command(reader, tag, &mut message.commands)?;
        }
    }
    Ok(())
}

/// Makes room for as many commands as the rest of the document holds if they are like those so far, but
/// for no more than a few times as many as there are: the document does not decide on memory.
fn make_room(commands: &mut Vec<Command<'_>>, reader: &Reader<'_>, begin: usize) {
    const GROWTH: usize = 8;
    let read = reader.position().saturating_sub(begin).max(1);
    let left = reader.octets().saturating_sub(reader.position());
    let likely = commands.len().saturating_mul(left) / read;
    let most = (commands.len() * GROWTH).clamp(4, limits::MARKUP_NODES);
    commands.reserve_exact((likely + likely / 32 + 1).min(most));
}

/// Reads a member that may stand only once.
pub(super) fn once<'a, T>(
    reader: &mut Reader<'a>,
    slot: &mut Option<T>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Fault>,
) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(twice(reader));
    }
    *slot = Some(read(reader)?);
    Ok(())
}

/// Reads a text member that may stand only once.
pub(super) fn text_once<'a>(
    reader: &mut Reader<'a>,
    slot: &mut Option<Text<'a>>,
) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(twice(reader));
    }
    reader.text_into(slot)
}

#[cold]
fn twice(reader: &Reader<'_>) -> Fault {
    reader.content_fault("the same element twice")
}

fn mandatory<T>(reader: &Reader<'_>, slot: Option<T>, what: &'static str) -> Result<T, Fault> {
    slot.ok_or_else(|| reader.content_fault(what))
}

/// Target or Source, which may stand only once.
fn location_once<'a>(
    reader: &mut Reader<'a>,
    slot: &mut Option<Location<'a>>,
) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(twice(reader));
    }
    let (mut uri, mut name) = (None, None);
    while let Some(tag) = reader.child()? {
        match tag {
            syncml::LOC_URI => text_once(reader, &mut uri)?,
            syncml::LOC_NAME => text_once(reader, &mut name)?,
            _ => reader.skip()?,
        }
    }
    *slot = Some(Location { uri: uri.unwrap_or_default(), name: name.map(Box::new) });
    Ok(())
}

/// Meta, whose children may stand in an explicit MetInf.
pub(super) fn read_meta<'a>(reader: &mut Reader<'a>) -> Result<Meta<'a>, Fault> {
    let mut meta = Meta::default();
    read_meta_into(reader, &mut meta)?;
    Ok(meta)
}

fn read_meta_into<'a>(reader: &mut Reader<'a>, meta: &mut Meta<'a>) -> Result<(), Fault> {
    let mut wrapped = false;
    loop {
        match reader.child()? {
            Some(metinf::MET_INF) if !wrapped => wrapped = true,
            Some(tag) => read_meta_member(reader, tag, meta)?,
            None if wrapped => wrapped = false,
            None => return Ok(()),
        }
    }
}

fn read_meta_member<'a>(
    reader: &mut Reader<'a>,
    tag: Tag,
    meta: &mut Meta<'a>,
) -> Result<(), Fault> {
    match tag {
        metinf::FORMAT => text_once(reader, &mut meta.format),
        metinf::TYPE => text_once(reader, &mut meta.mime),
        metinf::SIZE => once(reader, &mut meta.size, |r| read_number(r).map(u64::from)),
        metinf::MARK => text_once(reader, &mut meta.extra_mut().mark),
        metinf::NEXT_NONCE => text_once(reader, &mut meta.extra_mut().next_nonce),
        metinf::MAX_MSG_SIZE => once(reader, &mut meta.extra_mut().max_msg_size, read_number),
        metinf::MAX_OBJ_SIZE => once(reader, &mut meta.extra_mut().max_obj_size, read_number),
        _ => reader.skip(),
    }
}

fn read_number(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    let at = reader.at();
    let text = reader.text()?;
    let digits = text.trim();
    // `parse` alone would take a sign.
    let number = if digits.starts_with('+') { None } else { digits.parse().ok() };
    number.ok_or(Fault::new(Class::ContentModel, at, "not a number of at most 32 bits"))
}

/// Cred.
pub(super) fn read_cred<'a>(reader: &mut Reader<'a>) -> Result<Cred<'a>, Fault> {
    let (mut meta, mut data) = (None, None);
    while let Some(tag) = reader.child()? {
        match tag {
            syncml::META => once(reader, &mut meta, read_meta)?,
            syncml::DATA => text_once(reader, &mut data)?,
            _ => reader.skip()?,
        }
    }
    Ok(Cred { meta: meta.unwrap_or_default(), data: data.unwrap_or_default() })
}

/// Chal, which is Meta with a wrapping.
pub(super) fn read_chal<'a>(reader: &mut Reader<'a>) -> Result<Meta<'a>, Fault> {
    let mut meta = None;
    while let Some(tag) = reader.child()? {
        match tag {
            syncml::META => once(reader, &mut meta, read_meta)?,
            _ => reader.skip()?,
        }
    }
    Ok(meta.unwrap_or_default())
}

/// Reads an item behind the others.
pub(super) fn add_item<'a>(
    reader: &mut Reader<'a>,
    items: &mut Vec<Item<'a>>,
) -> Result<(), Fault> {
    let mut item = Item::default();
    read_item(reader, &mut item)?;
    items.push(item);
    Ok(())
}

/// Reads an item into an empty one.
pub(super) fn read_item<'a>(reader: &mut Reader<'a>, item: &mut Item<'a>) -> Result<(), Fault> {
    let mut has_meta = false;
    while let Some(tag) = reader.child()? {
        match tag {
            syncml::TARGET => location_once(reader, &mut item.target)?,
            syncml::SOURCE => location_once(reader, &mut item.source)?,
            syncml::META if has_meta => return Err(twice(reader)),
            syncml::META => {
                has_meta = true;
                read_meta_into(reader, &mut item.meta)?;
            }
            syncml::DATA => once(reader, &mut item.data, read_data)?,
            syncml::MORE_DATA => {
                item.more_data = true;
                reader.skip()?;
            }
            _ => reader.skip()?,
        }
    }
    Ok(())
}

/// Data. Many encoders put all text into OPAQUE, so the octets decide whether it is text.
fn read_data<'a>(reader: &mut Reader<'a>) -> Result<Data<'a>, Fault> {
    if let Some(text) = reader.ascii_leaf() {
        return Ok(Data { form: DataForm::Text, octets: Cow::Borrowed(text) });
    }
    if let Some(text) = reader.leaf()? {
        return Ok(Data::text(text));
    }
    let content = reader.content()?;
    let octets = &content.octets;
    let form = match content.form {
        Form::Embedded => DataForm::Embedded,
        Form::Opaque if octets.contains(&0) || std::str::from_utf8(octets).is_err() => {
            DataForm::Opaque
        }
        Form::Opaque | Form::Text => DataForm::Text,
    };
    Ok(Data { form, octets: content.octets })
}
