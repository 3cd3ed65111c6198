//! The commands that work on files, on one logical channel (TS 102 221 section 11.1).

use super::apdu::{Answer, Command, Sw};
use super::config::Protocol;
use super::files::{Content, File, FileId, FileSystem, MF, Position, Read};
use super::pin::Pin;

/// The files and the access state a command works with.
pub(crate) struct Desk<'a> {
    pub(crate) protocol: Protocol,
    pub(crate) files: &'a FileSystem,
    pub(crate) pin: &'a Pin,
    pub(crate) position: &'a mut Position,
}

impl Desk<'_> {
    /// SELECT by file identifier, path or application identifier.
    pub(crate) fn select(&mut self, command: &Command<'_>) -> Result<Answer, Sw> {
        let by_name = command.p1 == 0x04;
        let returned = match (command.p2 & 0x1C, command.p2 & 0x63) {
            (0x04, 0x40) if by_name => return self.end_application(command.data),
            (returned @ (0x00 | 0x04 | 0x0C), 0) => returned,
            // One application of a name at most: "first" and "last" are that one.
            (returned @ (0x00 | 0x04 | 0x0C), 0x01) if by_name => returned,
            (0x00 | 0x04 | 0x0C, 0x02 | 0x03) if by_name => return Err(Sw::NOT_FOUND),
            _ => return Err(Sw::P1_P2),
        };
        if command.p2 & 0x80 != 0 {
            return Err(Sw::P1_P2);
        }
        let id = self.target(command)?;
        self.files.enter(self.position, id);
        if by_name {
            self.position.application = Some(id);
        }
        Ok(match returned {
            0x04 => Answer::Out(self.files.header(id, 0x62, self.pin.enabled())),
            0x00 => Answer::Out(self.files.header(id, 0x6F, self.pin.enabled())),
            _ => Answer::Done,
        })
    }

    fn target(&self, command: &Command<'_>) -> Result<FileId, Sw> {
        let current = self.position.directory;
        let found = match (command.p1, command.data) {
            (0x00, []) => Some(MF),
            (0x00, &[high, low]) => {
                self.files.by_fid(self.position, u16::from_be_bytes([high, low]))
            }
            (0x01, &[high, low]) => self
                .files
                .child(current, u16::from_be_bytes([high, low]))
                .filter(|&id| matches!(self.files.get(id).content, Content::Directory { .. })),
            (0x03, []) if current != MF => Some(self.files.get(current).parent),
            (0x03, []) => None,
            (0x04, aid) if (5..=16).contains(&aid.len()) => self.files.by_aid(aid),
            (0x08 | 0x09, path) if !path.is_empty() && path.len() % 2 == 0 => {
                let path: Vec<u16> =
                    path.chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]])).collect();
                self.by_path(command.p1, &path)
            }
            (0x00 | 0x01 | 0x03 | 0x04 | 0x08 | 0x09, _) => return Err(Sw::LC),
            _ => return Err(Sw::P1_P2),
        };
        found.ok_or(Sw::NOT_FOUND)
    }

    fn by_path(&self, p1: u8, path: &[u16]) -> Option<FileId> {
        match (p1, path) {
            (0x08, [0x7FFF, below @ ..]) => self.files.by_path(self.position.application?, below),
            (0x08, path) => self.files.by_path(MF, path),
            (_, path) => self.files.by_path(self.position.directory, path),
        }
    }

    /// SELECT with "terminate application": the channel goes back to the MF.
    fn end_application(&mut self, aid: &[u8]) -> Result<Answer, Sw> {
        let id = self.files.by_aid(aid).ok_or(Sw::NOT_FOUND)?;
        if self.position.application != Some(id) {
            return Err(Sw::CONDITIONS);
        }
        *self.position = Position::default();
        Ok(Answer::Done)
    }

    /// STATUS: header of the current directory, name of the current application, or nothing.
    pub(crate) fn status(&self, command: &Command<'_>) -> Result<Answer, Sw> {
        if !command.data.is_empty() {
            return Err(Sw::WRONG_LENGTH);
        }
        if command.p1 > 0x02 {
            return Err(Sw::P1_P2);
        }
        match command.p2 {
            0x00 => {
                let current = self.position.directory;
                Ok(Answer::Exact(self.files.header(current, 0x62, self.pin.enabled())))
            }
            0x01 => {
                let application = self.position.application.ok_or(Sw::REFERENCE)?;
                match &self.files.get(application).content {
                    Content::Directory { aid: Some(aid), .. } => {
                        Ok(Answer::Exact(super::tlv::tlv(0x84, aid)))
                    }
                    _ => Err(Sw::REFERENCE),
                }
            }
            0x0C => Ok(Answer::Done),
            _ => Err(Sw::P1_P2),
        }
    }

    /// READ BINARY, by offset or with a short file identifier.
    pub(crate) fn read_binary(&mut self, command: &Command<'_>) -> Result<Answer, Sw> {
        if !command.data.is_empty() {
            return Err(Sw::WRONG_LENGTH);
        }
        let offset = if command.p1 & 0x80 == 0 {
            usize::from(command.p1) << 8 | usize::from(command.p2)
        } else {
            if command.p1 & 0x60 != 0 {
                return Err(Sw::P1_P2);
            }
            self.enter_by_sfi(command.p1 & 0x1F)?;
            usize::from(command.p2)
        };
        let file = self.current()?;
        let Content::Transparent(octets) = &file.content else { return Err(Sw::FILE_STRUCTURE) };
        self.may_read(file)?;
        match octets.get(offset..) {
            Some(rest) if !rest.is_empty() => Ok(Answer::UpTo(rest.to_vec())),
            _ => Err(Sw::OFFSET),
        }
    }

    /// READ RECORD: absolute, next, previous.
    pub(crate) fn read_record(&mut self, command: &Command<'_>) -> Result<Answer, Sw> {
        if !command.data.is_empty() {
            return Err(Sw::WRONG_LENGTH);
        }
        match command.p2 >> 3 {
            0 => {}
            0x1F => return Err(Sw::P1_P2),
            sfi => self.enter_by_sfi(sfi)?,
        }
        let file = self.current()?;
        let Content::Linear { records, .. } = &file.content else {
            return Err(Sw::FILE_STRUCTURE);
        };
        self.may_read(file)?;
        let current = self.position.record;
        let number = match (command.p2 & 0x07, command.p1) {
            (0x04, 0) => current,
            (0x04, absolute) => absolute,
            (0x02, 0) => current.saturating_add(1),
            (0x03, 0) if current == 0 => records.len() as u8,
            (0x03, 0) => current - 1,
            _ => return Err(Sw::P1_P2),
        };
        let record = usize::from(number).checked_sub(1).and_then(|index| records.get(index));
        let record = record.ok_or(Sw::RECORD_NOT_FOUND)?.clone();
        command.expects(record.len(), self.protocol)?;
        // Absolute addressing leaves the record pointer alone.
        if command.p2 & 0x07 != 0x04 {
            self.position.record = number;
        }
        Ok(Answer::Exact(record))
    }

    /// UPDATE BINARY and UPDATE RECORD: only the issuer may, and the issuer never comes.
    pub(crate) fn update(&mut self) -> Result<Answer, Sw> {
        self.current()?;
        Err(Sw::SECURITY)
    }

    fn enter_by_sfi(&mut self, sfi: u8) -> Result<(), Sw> {
        let id = self.files.by_sfi(self.position.directory, sfi).ok_or(Sw::NOT_FOUND)?;
        if self.position.file != Some(id) {
            self.files.enter(self.position, id);
        }
        Ok(())
    }

    fn current(&self) -> Result<&File, Sw> {
        self.position.file.map(|id| self.files.get(id)).ok_or(Sw::NO_EF)
    }

    fn may_read(&self, file: &File) -> Result<(), Sw> {
        match file.read {
            Read::Pin1 if !self.pin.satisfied() => Err(Sw::SECURITY),
            _ => Ok(()),
        }
    }
}
