//! REFRESH: which files of the card have changed.
//!
//! Owns the file list (TS 102 223 sections 6.4.7 and 8.18). Must not know what is in the files.

use super::command::{Command, tag};
use super::response::Outcome;

const MF: u16 = 0x3F00;
const ADF: u16 = 0x7FFF;

/// What a card asks for with REFRESH (the command qualifier).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshMode {
    /// `00`: initialise again, every file may have changed.
    InitAndFullFileChange,
    /// `01`: the listed files have changed.
    FileChange,
    /// `02`: initialise again, the listed files have changed.
    InitAndFileChange,
    /// `03`: initialise again.
    Init,
    /// `04`: reset the card.
    CardReset,
    /// `05`: reset one application.
    ApplicationReset,
    /// `06`: reset the application's session.
    SessionReset,
    /// `07`, `08`: steering of roaming; no concern of device management.
    SteeringOfRoaming,
    /// `09`, `0A`: the card's profile or an application has been exchanged.
    CardChange,
}

impl RefreshMode {
    fn from_qualifier(qualifier: u8) -> Option<Self> {
        Some(match qualifier {
            0x00 => Self::InitAndFullFileChange,
            0x01 => Self::FileChange,
            0x02 => Self::InitAndFileChange,
            0x03 => Self::Init,
            0x04 => Self::CardReset,
            0x05 => Self::ApplicationReset,
            0x06 => Self::SessionReset,
            0x07 | 0x08 => Self::SteeringOfRoaming,
            0x09 | 0x0A => Self::CardChange,
            _ => return None,
        })
    }

    /// True if timers and the event list end with it, as with a new card.
    pub fn ends_card_session(self) -> bool {
        matches!(self, Self::CardReset | Self::CardChange)
    }

    /// True if it disturbs nobody who uses the card: its channels stay.
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::FileChange | Self::SteeringOfRoaming)
    }
}

/// A REFRESH that is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// What has to be done.
    pub mode: RefreshMode,
    /// Changed files: file identifiers from `3F00`, or from `7FFF` of the application `aid`.
    pub files: Vec<Vec<u16>>,
    /// The application concerned.
    pub aid: Option<Vec<u8>>,
}

impl Refresh {
    /// True if what was read from the file or directory `path` (from `3F00` or `7FFF`) has to be
    /// read again. A listed directory covers what is below it, and `path` what is listed below.
    pub fn touches(&self, path: &[u16]) -> bool {
        self.concerns(|file| file.starts_with(path) || path.starts_with(file))
    }

    /// True if one of the listed files or directories (from `3F00` or `7FFF`) is one that counts, or if the mode
    /// is about all files.
    pub fn concerns(&self, counts: impl Fn(&[u16]) -> bool) -> bool {
        match self.mode {
            RefreshMode::SteeringOfRoaming => false,
            RefreshMode::FileChange
            | RefreshMode::InitAndFileChange
            | RefreshMode::SessionReset => self.files.iter().any(|file| counts(file)),
            _ => true,
        }
    }

    /// Reads the command's mode, file list and application.
    pub(super) fn read(command: &Command<'_>) -> Result<Self, Outcome> {
        let mode = RefreshMode::from_qualifier(command.details.qualifier)
            .ok_or(Outcome::NOT_UNDERSTOOD)?;
        let files = match command.object(tag::FILE_LIST) {
            Some(list) => file_list(list).ok_or(Outcome::NOT_UNDERSTOOD)?,
            None if mode == RefreshMode::FileChange => return Err(Outcome::VALUES_MISSING),
            None => Vec::new(),
        };
        Ok(Self { mode, files, aid: command.object(tag::AID).map(<[u8]>::to_vec) })
    }

    /// True if the card does not accept "busy".
    pub(super) fn is_forced(command: &Command<'_>) -> bool {
        matches!(command.object(tag::REFRESH_POLICY), Some([policy, ..]) if *policy != 0)
    }
}

/// Paths one after the other; each begins with the MF or the current application.
fn file_list(list: &[u8]) -> Option<Vec<Vec<u16>>> {
    let (&count, octets) = list.split_first()?;
    let (identifiers, rest) = octets.as_chunks::<2>();
    let mut files: Vec<Vec<u16>> = Vec::new();
    for identifier in identifiers.iter().map(|octets| u16::from_be_bytes(*octets)) {
        if matches!(identifier, MF | ADF) {
            files.push(vec![identifier]);
        } else {
            files.last_mut()?.push(identifier);
        }
    }
    (rest.is_empty() && files.len() == usize::from(count)).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_where_the_next_begins() {
        let list = [2, 0x7F, 0xFF, 0x6F, 0x07, 0x3F, 0x00, 0x7F, 0x50, 0x64, 0x33];
        let files = vec![vec![ADF, 0x6F07], vec![MF, 0x7F50, 0x6433]];
        assert_eq!(file_list(&list), Some(files));
    }

    #[test]
    fn lists_that_do_not_add_up_are_refused() {
        for list in [&[][..], &[1, 0x3F], &[1, 0x2F, 0xE2], &[2, 0x3F, 0, 0x2F, 0xE2]] {
            assert_eq!(file_list(list), None, "{list:02X?}");
        }
        assert_eq!(file_list(&[0]), Some(vec![]));
    }

    #[test]
    fn a_listed_directory_covers_its_files() {
        let files = vec![vec![MF, 0x7F50]];
        let refresh = Refresh { mode: RefreshMode::FileChange, files, aid: None };
        assert!(refresh.touches(&[MF, 0x7F50, 0x6433]));
        assert!(refresh.touches(&[MF]));
        assert!(!refresh.touches(&[MF, 0x2F00]));
    }
}
