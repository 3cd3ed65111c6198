//! One message of the client while it is filled.
//!
//! Owns the CmdIDs and the room that is left. What is put in, and in which order, is `outbox`'s business.

use super::outbox::Purpose;
use crate::syncml::model::{Command, Status, Text};
use crate::syncml::{Draft, Encoding, Meter, number_text};

/// One message being filled.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) draft: Draft,
    /// CmdID and purpose of what the server may refer to.
    pub(super) sent: Vec<(u32, Purpose)>,
    /// Host alerts that can never be sent.
    pub(super) dropped: Vec<u64>,
    meter: Meter,
    /// Octets left.
    pub(super) room: usize,
    /// Octets left by what every message has.
    pub(super) most: usize,
    /// Octets that [`close`](Self::close) may use in addition.
    kept: usize,
}

impl Filling {
    /// A message whose commands may take up `room` octets.
    pub(super) fn new(draft: Draft, encoding: Encoding, room: usize) -> Self {
        let (sent, dropped, meter) = (Vec::new(), Vec::new(), Meter::new(encoding));
        Self { draft, sent, dropped, meter, room, most: room, kept: 0 }
    }

    /// Adds a Status that every message has; `false` if it does not fit.
    #[must_use]
    pub(super) fn open(&mut self, mut status: Status<'_>) -> bool {
        let fits = self.add_status(&mut status).is_ok();
        self.most = self.room;
        fits
    }

    /// Keeps room for `command`, to be added with [`close`](Self::close).
    pub(super) fn keep_free(&mut self, mut command: Command<'_>) {
        *id_of(&mut command) = number_text(u32::MAX);
        self.kept = self.meter.size_of(&command);
        self.room = self.room.saturating_sub(self.kept);
        self.most = self.most.saturating_sub(self.kept);
    }

    /// Adds the command for which room was kept; `false` if there was none.
    #[must_use]
    pub(super) fn close(&mut self, mut command: Command<'_>) -> bool {
        self.room += std::mem::take(&mut self.kept);
        self.add(&mut command, None).is_ok()
    }

    /// Number of commands so far.
    pub(super) fn commands(&self) -> usize {
        self.draft.commands()
    }

    /// Gives the command the next CmdID; the octets it takes up.
    pub(super) fn measure(&mut self, command: &mut Command<'_>) -> usize {
        *id_of(command) = self.next_id();
        self.meter.size_of(command)
    }

    /// Adds a command with the next CmdID. Errors: the octets that it needs and that are not there.
    pub(super) fn add(
        &mut self,
        command: &mut Command<'_>,
        purpose: Option<Purpose>,
    ) -> Result<(), usize> {
        *id_of(command) = self.next_id();
        self.room -= self.draft.add(command, self.room)?;
        let id = u32::try_from(self.commands()).unwrap_or(u32::MAX);
        self.sent.extend(purpose.map(|purpose| (id, purpose)));
        Ok(())
    }

    /// The same for a Status, to which the server will not refer.
    pub(super) fn add_status(&mut self, status: &mut Status<'_>) -> Result<(), usize> {
        status.cmd_id = self.next_id();
        self.room -= self.draft.add_status(status, self.room)?;
        Ok(())
    }

    fn next_id(&self) -> Text<'static> {
        number_text(u32::try_from(self.commands() + 1).unwrap_or(u32::MAX))
    }
}

fn id_of<'c, 'm>(command: &'c mut Command<'m>) -> &'c mut Text<'m> {
    match command {
        Command::Action(action) => &mut action.cmd_id,
        Command::Alert(alert) => &mut alert.cmd_id,
        Command::Status(status) => &mut status.cmd_id,
        Command::Results(results) => &mut results.cmd_id,
        Command::Group(group) => &mut group.cmd_id,
        Command::Unknown(unknown) => &mut unknown.cmd_id,
    }
}
