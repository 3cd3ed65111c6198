//! What the client still has to tell the server, and how much of it fits in one message.
//!
//! Owns the order (Status before Results before alerts), MaxMsgSize, and the cutting of large
//! objects into chunks (DM Protocol 1.2.1, 7 and 8.5). Must not know what the commands mean.

use super::filling::Filling;
use super::outflow::{Found, Outflow};
use crate::limits;
use crate::syncml::model::{Alert, Command, Data, DataForm, Item, Results, Status, Text};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Room that is not worth to begin a chunk in, in octets.
const SMALLEST_CHUNK: usize = 64;

/// What a command is for, so that the server's Status finds its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Alert or DevInfo of package 1.
    Login,
    /// An answer to the server, or a part of a larger one: nobody waits for its Status.
    Reply,
    /// An alert of the host, with its number.
    HostAlert(u64),
}

#[derive(Debug)]
struct Entry {
    command: Command<'static>,
    purpose: Purpose,
    /// Where the octets of the only item's Data come from, if they are not in it.
    outflow: Option<Box<Outflow>>,
    /// Octets of the first item's Data that were sent before.
    sent: usize,
    /// A message was closed without its first item, which should have fitted in the next one.
    waited: bool,
}

impl Entry {
    fn new(command: Command<'static>, purpose: Purpose) -> Self {
        Self { command, purpose, outflow: None, sent: 0, waited: false }
    }

    /// Octets of all its Data.
    fn octets(&self) -> usize {
        self.outflow.as_ref().map_or_else(|| data_octets(&self.command), |data| data.octets())
    }

    /// Form of the first item's Data, what of it is at hand and not sent yet, and octets of the whole.
    fn rest(&self) -> Option<(DataForm, &[u8], usize)> {
        let Data { form, octets } = items(&self.command).first()?.data.as_ref()?;
        Some(match &self.outflow {
            Some(outflow) => (*form, outflow.ahead(), outflow.octets()),
            None => (*form, octets.get(self.sent..)?, octets.len()),
        })
    }

    /// The next `octets` of the first item's Data.
    fn take(&mut self, octets: usize) -> Vec<u8> {
        match &mut self.outflow {
            Some(outflow) => outflow.take(octets),
            None => {
                self.rest().and_then(|(_, rest, _)| rest.get(..octets)).unwrap_or_default().to_vec()
            }
        }
    }
}

/// What became of the first entry.
#[derive(PartialEq, Eq)]
enum Moved {
    /// It is gone: the next one may follow.
    All,
    /// A part of it fills the message, or it has to wait.
    Full,
    /// It fits in no message.
    Never,
}

/// Everything that waits to be sent.
#[derive(Debug)]
pub(super) struct Outbox {
    statuses: VecDeque<Status<'static>>,
    entries: VecDeque<Entry>,
    /// Octets of Data that the entries hold.
    octets: usize,
    /// Large objects may be cut into chunks.
    chunks: bool,
    /// Octets of the largest object that the server takes.
    pub(super) max_object: usize,
}

impl Outbox {
    /// An empty one; with `chunks` large objects may be cut.
    pub(super) fn new(chunks: bool) -> Self {
        let (statuses, entries) = (VecDeque::new(), VecDeque::new());
        Self { statuses, entries, octets: 0, chunks, max_object: usize::MAX }
    }

    /// True if nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.statuses.is_empty() && self.entries.is_empty()
    }

    /// True if another `more` octets may be kept besides those here and `queued` elsewhere. One
    /// answer alone always may.
    pub(super) fn has_room(&self, queued: usize, more: usize) -> bool {
        let held = self.octets.saturating_add(queued);
        held == 0 || held.saturating_add(more) <= limits::SESSION_REPLY
    }

    /// Puts a Status, with about `left` more behind it, in the message; keeps it if it does not fit or others
    /// wait.
    pub(super) fn answer(&mut self, filling: &mut Filling, mut status: Status<'_>, left: usize) {
        filling.draft.expect(left);
        if !self.statuses.is_empty() || !add_status(filling, &mut status) {
            self.statuses.push_back(status.into_owned());
        }
    }

    /// True if a Status waits.
    pub(super) fn has_statuses(&self) -> bool {
        !self.statuses.is_empty()
    }

    /// Adds another command.
    pub(super) fn push(&mut self, command: Command<'static>, purpose: Purpose) {
        self.push_entry(Entry::new(command, purpose));
    }

    /// Adds the Results of one command, if it has any: what is read while it is sent stands alone.
    pub(super) fn push_results(
        &mut self,
        msg_ref: Option<Text<'static>>,
        cmd_ref: Text<'static>,
        found: Vec<Found>,
    ) {
        let mut found = found.into_iter().peekable();
        while let Some(Found { item, outflow }) = found.next() {
            let mut items = vec![item];
            while outflow.is_none()
                && let Some(next) = found.next_if(|next| next.outflow.is_none())
            {
                items.push(next.item);
            }
            let (msg_ref, cmd_ref) = (msg_ref.clone(), cmd_ref.clone());
            let results = Results { msg_ref, cmd_ref, items, ..Results::default() };
            let entry = Entry::new(Command::Results(results), Purpose::Reply);
            self.push_entry(Entry { outflow, ..entry });
        }
    }

    fn push_entry(&mut self, entry: Entry) {
        self.octets = self.octets.saturating_add(entry.octets());
        self.entries.push_back(entry);
    }

    /// Takes back what `unwanted` names and is not yet sent.
    pub(super) fn remove(&mut self, unwanted: impl Fn(Purpose) -> bool) {
        self.entries.retain(|entry| !unwanted(entry.purpose));
        self.octets = self.entries.iter().map(Entry::octets).sum();
    }

    /// Gives up the object of which chunks were sent already: the server does not want the rest.
    pub(super) fn drop_started(&mut self) {
        if self.entries.front().is_some_and(|entry| entry.sent > 0) {
            self.drop_item();
        }
    }

    /// Moves what fits besides Status elements into `filling`. `false` if the first thing fits in no message.
    #[must_use]
    pub(super) fn fill(&mut self, filling: &mut Filling) -> bool {
        while self.statuses.is_empty() && !self.entries.is_empty() {
            match self.fill_entry(filling) {
                Moved::All => {}
                Moved::Full => break,
                Moved::Never => return false,
            }
        }
        true
    }

    /// Moves the Status elements that fit.
    pub(super) fn fill_statuses(&mut self, filling: &mut Filling) {
        filling.draft.expect(self.statuses.len());
        while let Some(status) = self.statuses.front_mut()
            && add_status(filling, status)
        {
            self.statuses.pop_front();
        }
    }

    fn fill_entry(&mut self, filling: &mut Filling) -> Moved {
        let Some(mut entry) = self.entries.pop_front() else { return Moved::Full };
        let is_alert = matches!(entry.purpose, Purpose::HostAlert(_));
        if is_alert && data_octets(&entry.command) > self.max_object {
            self.entries.push_front(entry);
            return self.refuse(filling);
        }
        let in_chunks = entry.sent > 0 || entry.outflow.is_some();
        // What is larger than the room as it is need not be measured.
        if !in_chunks
            && data_octets(&entry.command) <= filling.room
            && filling.add(&mut entry.command, Some(entry.purpose)).is_ok()
        {
            self.octets = self.octets.saturating_sub(data_octets(&entry.command));
            return Moved::All;
        }
        self.entries.push_front(entry);
        if in_chunks { self.fill_chunk(filling) } else { self.fill_part(filling) }
    }

    /// Moves the first items of Results, or begins a large object.
    fn fill_part(&mut self, filling: &mut Filling) -> Moved {
        let Some(entry) = self.entries.front_mut() else { return Moved::Full };
        let Some(first) = items(&entry.command).first() else { return self.refuse(filling) };
        let octets = first.data.as_ref().map_or(0, |data| data.octets.len());
        let has_data = first.data.is_some();
        let size = if octets > filling.most {
            octets
        } else {
            filling.measure(&mut with_item(&entry.command, first.clone()))
        };
        let begins = filling.sent.is_empty();
        if size > filling.most || (entry.waited && begins && size > filling.room) {
            return if self.chunks && has_data {
                self.fill_chunk(filling)
            } else {
                self.refuse(filling)
            };
        }
        entry.waited |= begins;
        let Command::Results(results) = &mut entry.command else { return Moved::Full };
        let fitting = fitting(results, filling);
        if fitting > 0 {
            entry.waited = false;
            let items = results.items.drain(..fitting).collect();
            let mut part = Command::Results(Results { items, ..head(results) });
            self.octets = self.octets.saturating_sub(data_octets(&part));
            // It fits.
            let _ = filling.add(&mut part, Some(Purpose::Reply));
        }
        Moved::Full
    }

    /// The first entry can never be sent.
    fn refuse(&mut self, filling: &mut Filling) -> Moved {
        let Some(Entry { purpose: Purpose::HostAlert(number), .. }) = self.entries.front() else {
            return Moved::Never;
        };
        filling.dropped.push(*number);
        self.drop_item();
        Moved::All
    }

    /// Moves one chunk of the first item. Nothing may follow it in the message but its own end.
    fn fill_chunk(&mut self, filling: &mut Filling) -> Moved {
        let Some(entry) = self.entries.front_mut() else { return Moved::Full };
        if let Some(outflow) = &mut entry.outflow
            && outflow.read_ahead(filling.room).is_err()
        {
            // The host knows why. The server notices that an end is missing by what comes next.
            self.drop_item();
            return Moved::All;
        }
        let Some(Cut { octets, last }) = cut(entry, filling) else {
            let begins = filling.sent.is_empty();
            if begins && entry.waited {
                return self.refuse(filling);
            }
            entry.waited |= begins;
            return Moved::Full;
        };
        let data = entry.take(octets).into();
        let Some(mut chunk) = with_chunk(entry, data, last) else { return Moved::Full };
        entry.sent += octets;
        entry.waited = false;
        // Only the end of the object says how an alert of the host was received.
        let purpose = if last { entry.purpose } else { Purpose::Reply };
        // It fits.
        let _ = filling.add(&mut chunk, Some(purpose));
        if !last {
            return Moved::Full;
        }
        self.drop_item();
        Moved::All
    }

    /// Removes the first item of the first entry, and the entry with its last item.
    fn drop_item(&mut self) {
        let Some(entry) = self.entries.front_mut() else { return };
        let octets = entry.octets();
        entry.sent = 0;
        entry.waited = false;
        let mut left = 0;
        match &mut entry.command {
            Command::Results(results) if results.items.len() > 1 => {
                results.items.remove(0);
                left = data_octets(&entry.command);
            }
            _ => drop(self.entries.pop_front()),
        }
        self.octets = self.octets.saturating_sub(octets - left);
    }
}

/// How many of the first items fit.
fn fitting(results: &Results<'static>, filling: &mut Filling) -> usize {
    let empty = filling.measure(&mut Command::Results(head(results)));
    let (mut size, mut fitting) = (empty, 0);
    for item in &results.items {
        let one = Results { items: vec![item.clone()], ..head(results) };
        let more = filling.measure(&mut Command::Results(one)).saturating_sub(empty);
        if size + more > filling.room {
            break;
        }
        size += more;
        fitting += 1;
    }
    fitting
}

/// The size of one chunk of an object.
struct Cut {
    /// Octets of its Data.
    octets: usize,
    last: bool,
}

/// The next chunk of the entry's first item, as long as the room allows.
fn cut(entry: &Entry, filling: &mut Filling) -> Option<Cut> {
    let (form, rest, total) = entry.rest()?;
    let room = filling.room;
    let mut octets = rest.len().min(room);
    loop {
        octets = whole_letters(form, rest, octets);
        let last = entry.sent + octets == total;
        if octets == 0 || (!last && octets < SMALLEST_CHUNK) {
            return None;
        }
        let data = Cow::Borrowed(rest.get(..octets)?);
        let size = filling.measure(&mut with_chunk(entry, data, last)?);
        if size <= room {
            return Some(Cut { octets, last });
        }
        // Escapes make the text longer than its octets: approach from above.
        octets = (octets * room / size).min(octets - 1);
    }
}

/// The greatest length up to `length` that cuts no letter of a text.
fn whole_letters(form: DataForm, octets: &[u8], length: usize) -> usize {
    let inside = |at: usize| octets.get(at).is_some_and(|octet| octet & 0xC0 == 0x80);
    match form {
        DataForm::Text => (0..=length).rev().find(|&at| !inside(at)).unwrap_or(0),
        DataForm::Opaque | DataForm::Embedded => length,
    }
}

/// The command with the octets as its item's only Data.
fn with_chunk<'d>(entry: &Entry, octets: Cow<'d, [u8]>, last: bool) -> Option<Command<'d>> {
    let (form, _, total) = entry.rest()?;
    let item = items(&entry.command).first()?;
    let mut meta = item.meta.clone();
    meta.size = (entry.sent == 0).then(|| u64::try_from(total).unwrap_or(u64::MAX));
    let chunk = Item {
        target: item.target.clone(),
        source: item.source.clone(),
        meta,
        data: Some(Data { form, octets }),
        more_data: !last,
    };
    Some(with_item(&entry.command, chunk))
}

/// The command with `item` as its only one.
fn with_item<'d>(command: &Command<'static>, item: Item<'d>) -> Command<'d> {
    let items = vec![item];
    match command {
        Command::Results(results) => Command::Results(Results { items, ..head(results) }),
        Command::Alert(alert) => Command::Alert(Alert {
            cmd_id: alert.cmd_id.clone(),
            code: alert.code,
            correlator: alert.correlator.clone(),
            items,
        }),
        other => other.clone(),
    }
}

/// Results without their items.
fn head<'d>(results: &Results<'static>) -> Results<'d> {
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

/// Adds a Status; `false` if it does not fit. One that fits in no message at all does without its references,
/// which are optional.
fn add_status(filling: &mut Filling, status: &mut Status<'_>) -> bool {
    match filling.add_status(status) {
        Err(octets) if octets > filling.most => {
            status.target_refs.clear();
            status.source_refs.clear();
            filling.add_status(status).is_ok()
        }
        added => added.is_ok(),
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

fn data_octets(command: &Command<'static>) -> usize {
    items(command).iter().filter_map(|item| Some(item.data.as_ref()?.octets.len())).sum()
}
