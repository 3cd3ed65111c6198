//! What the client still has to tell the server, and how much of it fits in one message.
//!
//! Owns the order (Status before Results before alerts), MaxMsgSize, and the cutting of large
//! objects into chunks (DM Protocol 1.2.1, 7 and 8.5). Must not know what the commands mean.

use crate::limits;
use crate::syncml::model::{Command, Data, DataForm, Item, Results, Status, Text};
use crate::syncml::{self, Encoding};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Room that is not worth to begin a chunk in, in octets.
const SMALLEST_CHUNK: usize = 64;

/// What a command is for, so that the server's Status finds its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Alert or DevInfo of package 1.
    Login,
    /// Results or a protocol alert: nobody waits for its Status.
    Reply,
    /// An alert of the host, with its number.
    HostAlert(u64),
}

#[derive(Debug)]
struct Entry {
    command: Command<'static>,
    purpose: Purpose,
    /// Octets of the first item's Data that were sent before.
    sent: usize,
}

/// One message being filled.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) commands: Vec<Command<'static>>,
    /// CmdID and purpose of what is not a Status.
    pub(super) sent: Vec<(u32, Purpose)>,
    /// Host alerts that can never be sent.
    pub(super) dropped: Vec<u64>,
    encoding: Encoding,
    /// Octets left.
    room: usize,
    /// Octets that a message with nothing but what every message has would leave.
    most: usize,
    /// Octets that [`close`](Self::close) may use in addition.
    kept: usize,
}

/// Everything that waits to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    statuses: VecDeque<Status<'static>>,
    entries: VecDeque<Entry>,
    /// Octets that the entries hold.
    octets: usize,
    /// Large objects may be cut into chunks.
    chunks: bool,
}

impl Filling {
    /// A message whose commands may take up `room` octets.
    pub(super) fn new(encoding: Encoding, room: usize) -> Self {
        let (commands, sent, dropped) = (Vec::new(), Vec::new(), Vec::new());
        Self { commands, sent, dropped, encoding, room, most: room, kept: 0 }
    }

    /// Adds a command that every message has.
    pub(super) fn open(&mut self, command: Command<'static>) -> Result<(), Command<'static>> {
        self.add(command, None)?;
        self.most = self.room;
        Ok(())
    }

    /// Keeps room for `command`, to be added with [`close`](Self::close).
    pub(super) fn keep_free(&mut self, command: &Command<'static>) {
        let mut command = command.clone();
        set_id(&mut command, u32::MAX);
        self.kept = syncml::size_of(&command, self.encoding);
        self.room = self.room.saturating_sub(self.kept);
        self.most = self.most.saturating_sub(self.kept);
    }

    /// Adds the command for which room was kept.
    pub(super) fn close(&mut self, command: Command<'static>) -> Result<(), Command<'static>> {
        self.room += std::mem::take(&mut self.kept);
        self.add(command, None)
    }

    fn next_id(&self) -> u32 {
        u32::try_from(self.commands.len() + 1).unwrap_or(u32::MAX)
    }

    /// Adds `command` if it fits; gives it back if not.
    fn add(
        &mut self,
        mut command: Command<'static>,
        purpose: Option<Purpose>,
    ) -> Result<(), Command<'static>> {
        let id = self.next_id();
        set_id(&mut command, id);
        let size = syncml::size_of(&command, self.encoding);
        if size > self.room {
            return Err(command);
        }
        self.room -= size;
        self.sent.extend(purpose.map(|purpose| (id, purpose)));
        self.commands.push(command);
        Ok(())
    }

    /// Octets that `command` would take up with the next CmdID.
    fn measure(&self, command: &mut Command<'static>) -> usize {
        set_id(command, self.next_id());
        syncml::size_of(command, self.encoding)
    }
}

impl Outbox {
    /// An empty one; with `chunks` large objects may be cut.
    pub(super) fn new(chunks: bool) -> Self {
        Self { chunks, ..Self::default() }
    }

    /// True if nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.statuses.is_empty() && self.entries.is_empty()
    }

    /// True if an answer that holds another `octets` may be taken.
    pub(super) fn has_room(&self, octets: usize) -> bool {
        self.octets == 0 || self.octets.saturating_add(octets) <= limits::SESSION_REPLY
    }

    /// Adds a Status.
    pub(super) fn push_status(&mut self, status: Status<'static>) {
        self.statuses.push_back(status);
    }

    /// Statuses that wait.
    pub(super) fn statuses(&self) -> usize {
        self.statuses.len()
    }

    /// Adds another command.
    pub(super) fn push(&mut self, command: Command<'static>, purpose: Purpose) {
        self.octets = self.octets.saturating_add(data_octets(&command));
        self.entries.push_back(Entry { command, purpose, sent: 0 });
    }

    /// Takes back what `unwanted` names and is not yet sent.
    pub(super) fn remove(&mut self, unwanted: impl Fn(Purpose) -> bool) {
        self.entries.retain(|entry| !unwanted(entry.purpose));
        self.octets = self.entries.iter().map(|entry| data_octets(&entry.command)).sum();
    }

    /// Gives up the object of which chunks were sent already: the server does not want the rest.
    pub(super) fn drop_started(&mut self) {
        if self.entries.front().is_some_and(|entry| entry.sent > 0) {
            self.pop_item();
        }
    }

    /// Moves as much as fits into `filling`. `false` if not even the first thing fits.
    pub(super) fn fill(&mut self, filling: &mut Filling) -> bool {
        let before = filling.commands.len();
        let progress = self.fill_statuses(filling);
        while self.statuses.is_empty() && !self.entries.is_empty() && self.fill_entry(filling) {}
        progress && (self.entries.is_empty() || filling.commands.len() > before)
    }

    /// The same for Status elements alone.
    pub(super) fn fill_statuses(&mut self, filling: &mut Filling) -> bool {
        let before = filling.commands.len();
        while let Some(status) = self.statuses.pop_front() {
            if let Err(status) = add_status(filling, status) {
                self.statuses.push_front(status);
                break;
            }
        }
        self.statuses.is_empty() || filling.commands.len() > before
    }

    /// Moves the first entry or a part of it; `false` when the message is full.
    fn fill_entry(&mut self, filling: &mut Filling) -> bool {
        let Some(entry) = self.entries.pop_front() else { return false };
        if entry.sent > 0 {
            self.entries.push_front(entry);
            return self.fill_chunk(filling);
        }
        let Entry { command, purpose, .. } = entry;
        let octets = data_octets(&command);
        match filling.add(command, Some(purpose)) {
            Ok(()) => {
                self.octets = self.octets.saturating_sub(octets);
                true
            }
            Err(command) => {
                self.entries.push_front(Entry { command, purpose, sent: 0 });
                self.fill_part(filling)
            }
        }
    }

    /// Moves the first items of Results, or begins a large object.
    fn fill_part(&mut self, filling: &mut Filling) -> bool {
        let Some(entry) = self.entries.front_mut() else { return false };
        let mut first = with_first_item(&entry.command);
        if filling.measure(&mut first) > filling.most {
            if self.chunks && has_data(&first) {
                return self.fill_chunk(filling);
            }
            return self.give_up(filling);
        }
        let Command::Results(results) = &mut entry.command else { return false };
        let mut part = Results { items: Vec::new(), ..clone_head(results) };
        let empty = filling.measure(&mut Command::Results(part.clone()));
        let (mut room, mut fitting) = (filling.room.saturating_sub(empty), 0);
        for item in &results.items {
            let one = Results { items: vec![item.clone()], ..clone_head(results) };
            let size = filling.measure(&mut Command::Results(one)).saturating_sub(empty);
            if size > room {
                break;
            }
            room -= size;
            fitting += 1;
        }
        if fitting == 0 {
            return false;
        }
        part.items = results.items.drain(..fitting).collect();
        let part = Command::Results(part);
        self.octets = self.octets.saturating_sub(data_octets(&part));
        // The sum of the parts is never below the size of the whole, so this fits.
        filling.add(part, Some(Purpose::Reply)).is_ok()
    }

    /// The first entry can never be sent.
    fn give_up(&mut self, filling: &mut Filling) -> bool {
        if let Some(Entry { purpose: Purpose::HostAlert(number), .. }) = self.entries.front() {
            filling.dropped.push(*number);
            self.pop_item();
            return true;
        }
        false
    }

    /// Moves one chunk of the first item. Nothing may follow it in the message but its own end.
    fn fill_chunk(&mut self, filling: &mut Filling) -> bool {
        let Some(entry) = self.entries.front_mut() else { return false };
        let purpose = entry.purpose;
        let Some((mut chunk, end, last)) = cut(entry, filling) else { return false };
        entry.sent = end;
        set_id(&mut chunk, filling.next_id());
        // Only the end of the object says how the host's alert was received.
        let purpose = if last { purpose } else { Purpose::Reply };
        let added = filling.add(chunk, Some(purpose)).is_ok();
        if last {
            self.pop_item();
        }
        added && last
    }

    /// Removes the first item of the first entry, and the entry with its last item.
    fn pop_item(&mut self) {
        let Some(entry) = self.entries.front_mut() else { return };
        let before = data_octets(&entry.command);
        entry.sent = 0;
        let after = match &mut entry.command {
            Command::Results(results) if results.items.len() > 1 => {
                results.items.remove(0);
                data_octets(&entry.command)
            }
            _ => {
                self.entries.pop_front();
                0
            }
        };
        self.octets = self.octets.saturating_sub(before - after);
    }
}

/// Adds a Status; one that fits no message at all loses its references, which are optional.
fn add_status(filling: &mut Filling, status: Status<'static>) -> Result<(), Status<'static>> {
    let back = |command| match command {
        Command::Status(status) => status,
        _ => Status::default(),
    };
    let mut status = match filling.add(Command::Status(status), None) {
        Ok(()) => return Ok(()),
        Err(command) => back(command),
    };
    if filling.measure(&mut Command::Status(status.clone())) > filling.most {
        status.target_refs.clear();
        status.source_refs.clear();
    }
    filling.add(Command::Status(status), None).map_err(back)
}

/// The next chunk of the entry's first item, where it ends, and whether it is the last one.
fn cut(entry: &Entry, filling: &Filling) -> Option<(Command<'static>, usize, bool)> {
    let data = first_item(&entry.command)?.data.as_ref()?;
    let rest = data.octets.get(entry.sent..)?;
    let room = filling.room;
    let mut length = rest.len().min(room);
    loop {
        length = whole_letters(data.form, rest, length);
        let last = length == rest.len();
        if length == 0 || (!last && length < SMALLEST_CHUNK) {
            return None;
        }
        let mut chunk = with_chunk(entry, rest.get(..length)?, last);
        let size = filling.measure(&mut chunk);
        if size <= room {
            return Some((chunk, entry.sent + length, last));
        }
        // Escapes make the text longer than its octets: approach from above.
        length = (length * room / size).min(length - 1);
    }
}

/// The greatest length up to `length` that cuts no letter of a text.
fn whole_letters(form: DataForm, octets: &[u8], length: usize) -> usize {
    let inside = |at: usize| octets.get(at).is_some_and(|octet| octet & 0xC0 == 0x80);
    match form {
        DataForm::Text => (0..=length).rev().find(|&at| !inside(at)).unwrap_or(0),
        _ => length,
    }
}

fn set_id(command: &mut Command<'static>, id: u32) {
    let id: Text<'static> = id.to_string().into();
    match command {
        Command::Action(action) => action.cmd_id = id,
        Command::Alert(alert) => alert.cmd_id = id,
        Command::Status(status) => status.cmd_id = id,
        Command::Results(results) => results.cmd_id = id,
        Command::Group(group) => group.cmd_id = id,
        Command::Unknown(unknown) => unknown.cmd_id = id,
    }
}

fn items<'c>(command: &'c Command<'static>) -> &'c [Item<'static>] {
    match command {
        Command::Action(action) => &action.items,
        Command::Alert(alert) => &alert.items,
        Command::Results(results) => &results.items,
        Command::Status(status) => &status.items,
        Command::Group(_) | Command::Unknown(_) => &[],
    }
}

fn first_item<'c>(command: &'c Command<'static>) -> Option<&'c Item<'static>> {
    items(command).first()
}

fn has_data(command: &Command<'static>) -> bool {
    first_item(command).is_some_and(|item| item.data.is_some())
}

fn data_octets(command: &Command<'static>) -> usize {
    items(command).iter().filter_map(|item| Some(item.data.as_ref()?.octets.len())).sum()
}

fn clone_head(results: &Results<'static>) -> Results<'static> {
    Results {
        cmd_id: results.cmd_id.clone(),
        msg_ref: results.msg_ref.clone(),
        cmd_ref: results.cmd_ref.clone(),
        meta: results.meta.clone(),
        target_ref: results.target_ref.clone(),
        source_ref: results.source_ref.clone(),
        items: Vec::new(),
    }
}

/// The command with `item` as its only one.
fn with_item(command: &Command<'static>, item: Item<'static>) -> Command<'static> {
    match command {
        Command::Results(results) => {
            Command::Results(Results { items: vec![item], ..clone_head(results) })
        }
        Command::Alert(alert) => {
            let mut alert = crate::syncml::model::Alert {
                cmd_id: alert.cmd_id.clone(),
                code: alert.code,
                correlator: alert.correlator.clone(),
                items: Vec::new(),
            };
            alert.items.push(item);
            Command::Alert(alert)
        }
        other => other.clone(),
    }
}

fn with_first_item(command: &Command<'static>) -> Command<'static> {
    match first_item(command) {
        Some(item) => with_item(command, item.clone()),
        None => command.clone(),
    }
}

fn with_chunk(entry: &Entry, octets: &[u8], last: bool) -> Command<'static> {
    let Some(item) = first_item(&entry.command) else { return entry.command.clone() };
    let total = item.data.as_ref().map_or(0, |data| data.octets.len());
    let form = item.data.as_ref().map_or(DataForm::Text, |data| data.form);
    let mut meta = item.meta.clone();
    meta.size = (entry.sent == 0).then(|| u64::try_from(total).unwrap_or(u64::MAX));
    let chunk = Item {
        target: item.target.clone(),
        source: item.source.clone(),
        meta,
        data: Some(Data { form, octets: Cow::Owned(octets.to_vec()) }),
        more_data: !last,
    };
    with_item(&entry.command, chunk)
}
