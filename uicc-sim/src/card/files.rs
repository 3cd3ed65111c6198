//! The file system: MF, DFs, ADFs and EFs, how they are found, and their headers (TS 102 221
//! sections 8 and 11.1.1.3). Knows nothing of APDUs.

use super::tlv::{put, tlv};

/// Index of a file; the MF is [`MF`].
pub(crate) type FileId = usize;

/// The master file.
pub(crate) const MF: FileId = 0;

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// DF or ADF, with its name.
    Directory { aid: Option<Vec<u8>>, by_aid: bool, by_fid: bool },
    /// Transparent EF.
    Transparent(Vec<u8>),
    /// Linear fixed EF: records of one length.
    Linear { length: u8, records: Vec<Vec<u8>> },
}

/// Who may read an EF. Nobody but the issuer changes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Always,
    Pin1,
}

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) fid: u16,
    pub(crate) parent: FileId,
    pub(crate) sfi: Option<u8>,
    pub(crate) read: Read,
    pub(crate) content: Content,
}

impl File {
    /// A transparent EF without SFI, readable always.
    pub(crate) fn transparent(parent: FileId, fid: u16, content: Vec<u8>) -> Self {
        let content = Content::Transparent(content);
        Self { fid, parent, sfi: None, read: Read::Always, content }
    }

    fn is_directory(&self) -> bool {
        matches!(self.content, Content::Directory { .. })
    }
}

/// Where one logical channel stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    /// Current directory.
    pub(crate) directory: FileId,
    /// Current EF.
    pub(crate) file: Option<FileId>,
    /// Current application, which `7FFF` means.
    pub(crate) application: Option<FileId>,
    /// Current record, from 1; 0: none yet.
    pub(crate) record: u8,
}

/// All files of a card.
#[derive(Debug)]
pub(crate) struct FileSystem {
    files: Vec<File>,
    /// The MF says that TERMINAL CAPABILITY is taken.
    pub(crate) takes_capability: bool,
    /// Headers say twice the size.
    pub(crate) size_doubled: bool,
}

impl FileSystem {
    /// Only the MF.
    pub(crate) fn new() -> Self {
        let content = Content::Directory { aid: None, by_aid: false, by_fid: true };
        let mf = File { fid: 0x3F00, parent: MF, sfi: None, read: Read::Always, content };
        Self { files: vec![mf], takes_capability: false, size_doubled: false }
    }

    fn system_commands(&self) -> &'static [u8] {
        if self.takes_capability { &TERMINAL_CAPABILITY } else { &[] }
    }

    /// Adds a file and returns its index.
    pub(crate) fn add(&mut self, file: File) -> FileId {
        self.files.push(file);
        self.files.len() - 1
    }

    /// Gives the transparent file `fid`, wherever it is, another content.
    pub(crate) fn replace(&mut self, fid: u16, octets: Vec<u8>) {
        let found = self.files.iter_mut().find(|file| file.fid == fid && !file.is_directory());
        if let Some(file) = found {
            file.content = Content::Transparent(octets);
        }
    }

    /// The file of an index that this file system gave out.
    pub(crate) fn get(&self, id: FileId) -> &File {
        &self.files[id]
    }

    fn find(&self, wanted: impl Fn(FileId, &File) -> bool) -> Option<FileId> {
        self.files.iter().enumerate().find(|(id, file)| wanted(*id, file)).map(|(id, _)| id)
    }

    /// The file `fid` directly below `parent`.
    pub(crate) fn child(&self, parent: FileId, fid: u16) -> Option<FileId> {
        self.find(|id, file| {
            let reachable = match file.content {
                Content::Directory { by_fid, .. } => by_fid,
                _ => true,
            };
            id != MF && file.parent == parent && file.fid == fid && reachable
        })
    }

    /// How many directories and how many elementary files are directly below `parent`.
    pub(crate) fn counts(&self, parent: FileId) -> (usize, usize) {
        let below = self.files.iter().skip(MF + 1).filter(|file| file.parent == parent);
        let (directories, files): (Vec<_>, Vec<_>) = below.partition(|file| file.is_directory());
        (directories.len(), files.len())
    }

    /// What a file identifier means at `position`: MF, current application, child, parent, sibling DF.
    pub(crate) fn by_fid(&self, position: &Position, fid: u16) -> Option<FileId> {
        let parent = self.get(position.directory).parent;
        match fid {
            0x3F00 => Some(MF),
            0x7FFF => position.application,
            _ => self
                .child(position.directory, fid)
                .or_else(|| Some(parent).filter(|&id| self.get(id).fid == fid))
                .or_else(|| self.child(parent, fid).filter(|&id| self.get(id).is_directory())),
        }
    }

    /// Follows `path` from `start` through directories; an empty path is `start` itself.
    pub(crate) fn by_path(&self, start: FileId, path: &[u16]) -> Option<FileId> {
        path.iter().try_fold(start, |at, &fid| self.child(at, fid))
    }

    /// The application whose AID begins with `prefix`.
    pub(crate) fn by_aid(&self, prefix: &[u8]) -> Option<FileId> {
        self.find(|_, file| match &file.content {
            Content::Directory { aid: Some(aid), by_aid: true, .. } => aid.starts_with(prefix),
            _ => false,
        })
    }

    /// The EF with a short identifier in `directory`.
    pub(crate) fn by_sfi(&self, directory: FileId, sfi: u8) -> Option<FileId> {
        self.find(|_, file| file.parent == directory && file.sfi == Some(sfi))
    }

    /// Makes `id` current at `position`.
    pub(crate) fn enter(&self, position: &mut Position, id: FileId) {
        let file = self.get(id);
        position.record = 0;
        if file.is_directory() {
            position.directory = id;
            position.file = None;
        } else {
            position.directory = file.parent;
            position.file = Some(id);
        }
    }

    /// The header of a file in a template `tag` (`62` FCP, `6F` FCI).
    pub(crate) fn header(&self, id: FileId, tag: u8, pin1_enabled: bool) -> Vec<u8> {
        let file = self.get(id);
        let fid = tlv(0x83, &file.fid.to_be_bytes());
        let mut body = Vec::new();
        match &file.content {
            Content::Directory { aid, .. } => {
                put(&mut body, 0x82, &[0x78, 0x21]);
                body.extend(fid);
                if let Some(aid) = aid {
                    put(&mut body, 0x84, aid);
                }
                if id == MF {
                    put(&mut body, 0xA5, &[&MF_PROPERTIES[..], self.system_commands()].concat());
                }
                put(&mut body, 0x8A, &[0x05]);
                put(&mut body, 0x8C, &[0x00]);
                put(&mut body, 0xC6, &pin_status(pin1_enabled));
            }
            Content::Transparent(octets) => {
                put(&mut body, 0x82, &[0x41, 0x21]);
                let size = octets.len() * if self.size_doubled { 2 } else { 1 };
                elementary(&mut body, file, size);
            }
            Content::Linear { length, records } => {
                put(&mut body, 0x82, &[0x42, 0x21, 0x00, *length, records.len() as u8]);
                elementary(&mut body, file, usize::from(*length) * records.len());
            }
        }
        tlv(tag, &body)
    }
}

/// The terminal may send TERMINAL CAPABILITY.
const TERMINAL_CAPABILITY: [u8; 3] = [0x87, 0x01, 0x01];

/// UICC characteristics (clock stop allowed, 5 V to 1.8 V) and the free memory.
const MF_PROPERTIES: [u8; 9] = [0x80, 0x01, 0x71, 0x83, 0x04, 0x00, 0x03, 0xA7, 0x38];

/// PIN status template: PIN1 enabled or not, ADM1 enabled.
fn pin_status(pin1_enabled: bool) -> [u8; 9] {
    [0x90, 0x01, if pin1_enabled { 0xC0 } else { 0x40 }, 0x83, 0x01, 0x01, 0x83, 0x01, 0x0A]
}

/// The part of the header that transparent and record EFs share. The access rule is written in
/// expanded form, since the card has no EF.ARR to refer to.
fn elementary(body: &mut Vec<u8>, file: &File, size: usize) {
    const READ_ALWAYS: [u8; 5] = [0x80, 0x01, 0x01, 0x90, 0x00];
    const READ_PIN1: [u8; 11] = [0x80, 0x01, 0x01, 0xA4, 0x06, 0x83, 0x01, 0x01, 0x95, 0x01, 0x08];
    const UPDATE_ADM1: [u8; 11] =
        [0x80, 0x01, 0x02, 0xA4, 0x06, 0x83, 0x01, 0x0A, 0x95, 0x01, 0x08];
    let read: &[u8] = match file.read {
        Read::Always => &READ_ALWAYS,
        Read::Pin1 => &READ_PIN1,
    };
    put(body, 0x83, &file.fid.to_be_bytes());
    put(body, 0x8A, &[0x05]);
    put(body, 0xAB, &[read, &UPDATE_ADM1].concat());
    put(body, 0x80, &(size as u16).to_be_bytes());
    match file.sfi {
        Some(sfi) => put(body, 0x88, &[sfi << 3]),
        None => put(body, 0x88, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    #[test]
    fn headers_are_what_a_terminal_reads() {
        let mut files = FileSystem::new();
        assert_eq!(
            hex::encode(&files.header(MF, 0x62, false)),
            "62248202782183023F00A509800171830400\
             03A7388A01058C0100C609900140830101\
             83010A"
        );
        let mut imsi = File::transparent(MF, 0x6F07, vec![0; 9]);
        imsi.sfi = Some(7);
        imsi.read = Read::Pin1;
        let imsi = files.add(imsi);
        assert_eq!(
            hex::encode(&files.header(imsi, 0x62, false)),
            "622A8202412183026F078A0105AB16800101A40683010195010880\
             0102A40683010A95010880020009880138"
        );
        let content = Content::Linear { length: 14, records: vec![vec![0xFF; 14]; 2] };
        let ecc =
            files.add(File { fid: 0x6FB7, parent: MF, sfi: None, read: Read::Always, content });
        assert_eq!(
            hex::encode(&files.header(ecc, 0x6F, false)),
            "6F26820542\
             21000E0283026FB78A0105AB1080010190008001\
             02A40683010A9501088002001C8800"
        );
    }

    #[test]
    fn identifiers_find_children_parents_and_siblings() {
        let mut files = FileSystem::new();
        let directory = |fid, by_fid| File {
            fid,
            parent: MF,
            sfi: None,
            read: Read::Always,
            content: Content::Directory { aid: None, by_aid: false, by_fid },
        };
        let df = files.add(directory(0x7F50, true));
        let other = files.add(directory(0x7F10, true));
        files.add(directory(0x7FD0, false));
        let ef = files.add(File::transparent(df, 0x5031, vec![]));
        let top = files.add(File::transparent(MF, 0x2FE2, vec![]));
        let mut position = Position::default();
        assert_eq!(files.by_fid(&position, 0x2FE2), Some(top));
        assert_eq!(files.by_fid(&position, 0x7FD0), None);
        assert_eq!(files.by_fid(&position, 0x5031), None);
        files.enter(&mut position, df);
        assert_eq!(files.by_fid(&position, 0x5031), Some(ef));
        assert_eq!(files.by_fid(&position, 0x7F10), Some(other));
        assert_eq!(files.by_fid(&position, 0x2FE2), None, "an EF of the parent is out of reach");
        assert_eq!(files.by_fid(&position, 0x7FFF), None);
        files.enter(&mut position, ef);
        assert_eq!((position.directory, position.file), (df, Some(ef)));
        assert_eq!(files.by_path(MF, &[0x7F50, 0x5031]), Some(ef));
        assert_eq!(files.by_path(MF, &[0x7F50, 0x5031, 0x5031]), None);
    }
}
