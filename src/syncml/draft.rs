//! A message written command by command, as long as there is room: each command is written once, and taken
//! back if it turns out to be too large.
//!
//! Owns header, body and end of a message. How a command is written is `write`'s, which command comes next
//! the caller's.

use super::Encoding;
use super::model::{Command, Header, Status};
use super::write::{write_command, write_header, write_status};
use crate::error::Result;
use crate::markup::{DocType, Writer, syncml};

/// A message that has its header and gets its commands.
#[derive(Debug)]
pub struct Draft {
    writer: Writer,
    /// Octets before the first command.
    begin: usize,
    commands: usize,
}

impl Draft {
    /// A message without commands.
    pub fn new(header: &Header<'_>, encoding: Encoding) -> Self {
        Self::begin(Writer::new(DocType::SyncMl, encoding), header)
    }

    pub(super) fn begin(mut writer: Writer, header: &Header<'_>) -> Self {
        write_header(&mut writer, header);
        writer.start(syncml::SYNC_BODY);
        let begin = writer.extent();
        Self { writer, begin, commands: 0 }
    }

    /// Octets of the message around its commands, as [`finish`](Self::finish) will end it.
    pub fn envelope(&self, is_final: bool) -> usize {
        let mut end = Writer::counting(DocType::SyncMl, self.writer.encoding());
        end.start(syncml::SYNCML);
        end.start(syncml::SYNC_BODY);
        let before = end.extent();
        // It makes the body one that is not empty.
        end.empty(syncml::FINAL);
        let of_final = end.extent() - before;
        end.end();
        end.end();
        self.begin + end.size() - before - if is_final { 0 } else { of_final }
    }

    /// Number of commands so far.
    pub fn commands(&self) -> usize {
        self.commands
    }

    /// Makes room ahead for `left` more commands. It is only a guess that saves copies and memory.
    pub fn expect(&mut self, left: usize) {
        self.writer.make_room(self.writer.extent() - self.begin, self.commands, left);
    }

    /// Adds a command if it takes no more than `room` octets; how many it takes, with `Err` if it was not
    /// added. With [`envelope`](Self::envelope) the sum over a message is exact; only a WBXML message without
    /// Final whose last command ends in Meta is two octets shorter.
    pub fn add(&mut self, command: &Command<'_>, room: usize) -> std::result::Result<usize, usize> {
        self.write(room, |writer| write_command(writer, command))
    }

    /// The same for a Status that is no [`Command`] yet.
    pub fn add_status(
        &mut self,
        status: &Status<'_>,
        room: usize,
    ) -> std::result::Result<usize, usize> {
        self.write(room, |writer| write_status(writer, status))
    }

    fn write(
        &mut self,
        room: usize,
        write: impl FnOnce(&mut Writer),
    ) -> std::result::Result<usize, usize> {
        let (mark, before) = (self.writer.mark(), self.writer.extent());
        write(&mut self.writer);
        let octets = self.writer.extent() - before;
        if octets > room {
            self.writer.rewind(mark);
            return Err(octets);
        }
        self.commands += 1;
        Ok(octets)
    }

    /// The message.
    ///
    /// Errors: `InvalidArg` for binary data, or a character that XML does not allow, in text XML.
    pub fn finish(self, is_final: bool) -> Result<Vec<u8>> {
        self.end(is_final).finish()
    }

    pub(super) fn end(mut self, is_final: bool) -> Writer {
        if is_final {
            self.writer.empty(syncml::FINAL);
        }
        self.writer.end();
        self.writer.end();
        self.writer
    }
}
