//! The way through one PKCS#15 structure: ODF, its DODFs, their objects. Bounded by the number of
//! directories and objects, by octets, and by never entering a directory twice.

use super::directory::{self, Entry, Path, Place};
use super::{Base, Content, EF_ODF, Found, ObjectData, Options, PinRequest, is_fatal};
use crate::bytes::hex;
use crate::card::access::{self, Access, Need};
use crate::card::apdu::Mode;
use crate::card::channel::Channel;
use crate::card::fcp::{FileHeader, Sfi};
use crate::card::file::{self, Body, FilePath, Slice};
use crate::card::pin::{self, PinState};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::secret::Secret;
use der::asn1::ObjectIdentifier;

/// Status word of a card on which no file is selected.
const SW_NO_EF: u16 = 0x6986;

/// One walk. Made for one structure on one channel.
pub(super) struct Walk<'a, 'c, 'o> {
    channel: &'a mut Channel<'c>,
    base: Base,
    wanted: &'a [ObjectIdentifier],
    options: &'a mut Options<'o>,
    /// Directory files that were read.
    directories: Vec<FilePath>,
    /// PINs that the host did not give, or not rightly.
    refused_pins: Vec<u8>,
    /// The card gives files the short identifier that the low bits of their file identifier are.
    short_ids: bool,
    found: Found,
}

/// Why a file could not be read.
enum Failure {
    Locked(Option<u8>),
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl<'a, 'c, 'o> Walk<'a, 'c, 'o> {
    pub(super) fn new(
        channel: &'a mut Channel<'c>,
        base: Base,
        wanted: &'a [ObjectIdentifier],
        options: &'a mut Options<'o>,
    ) -> Self {
        Self {
            channel,
            base,
            wanted,
            options,
            directories: Vec::new(),
            refused_pins: Vec::new(),
            short_ids: false,
            found: Found { present: true, ..Found::default() },
        }
    }

    /// Walks from the ODF, which is selected and has `header`.
    pub(super) fn run(mut self, odf: &FilePath, header: &FileHeader) -> Result<Found> {
        self.short_ids =
            self.channel.mode() == Mode::Uicc && header.sfi == Sfi::Is(short_id(EF_ODF));
        self.directories.push(odf.clone());
        let body = self.read_selected(odf, header, None).map_err(|failure| match failure {
            Failure::Locked(_) => Error::card_sw(0x6982, "reading ODF"),
            Failure::Other(error) => error.context("reading ODF"),
        })?;
        let mut places = Vec::new();
        for content in chunks(&body) {
            let mut listing = directory::read_odf(content);
            places.append(&mut listing.entries);
            self.found.faults.append(&mut listing.faults);
        }
        for (index, place) in places.into_iter().enumerate() {
            if index == limits::DODFS {
                let what = format!("ODF names more than {} DODFs", limits::DODFS);
                self.found.faults.push(Error::new(Code::TooLarge, what));
                break;
            }
            self.dodf(place)?;
        }
        Ok(self.found)
    }

    /// Reads one DODF and its objects. Fails only when nothing else is worth a try.
    fn dodf(&mut self, place: Place) -> Result<()> {
        let (name, body) = match place {
            Place::Direct(content) => ("5031".to_owned(), Body::Octets(content)),
            Place::File(path) => {
                let name = hex::encode(&path.octets);
                match self.read_directory(&path) {
                    Ok(body) => (name, body),
                    Err(error) if is_fatal(&error) => return Err(error),
                    Err(error) => {
                        self.found.faults.push(error.context(format!("DODF {name}")));
                        return Ok(());
                    }
                }
            }
        };
        for content in chunks(&body) {
            let listing = directory::read_dodf(content, limits::DODF_OBJECTS);
            let faults = listing.faults.into_iter();
            self.found.faults.extend(faults.map(|error| error.context(&name)));
            for entry in listing.entries {
                self.object(&name, entry)?;
            }
        }
        Ok(())
    }

    fn read_directory(&mut self, path: &Path) -> Result<Body> {
        let file = self.base.resolve(&path.octets)?;
        if self.directories.contains(&file) {
            return Err(Error::new(Code::CardBadData, "the directory was read already"));
        }
        self.directories.push(file.clone());
        if let Some(content) = self.read_short(path)? {
            return Ok(Body::Octets(content));
        }
        self.read_file(&file, path.slice).map_err(|failure| match failure {
            Failure::Locked(_) => Error::card_sw(0x6982, "reading"),
            Failure::Other(error) => error,
        })
    }

    /// The directory file beside the ODF by its short identifier, where the ODF's shows how the card gives
    /// them: that spares the SELECT. `None` if that is no way, or brings no directory of objects.
    fn read_short(&mut self, path: &Path) -> Result<Option<Vec<u8>>> {
        let (&[high, low], None) = (&path.octets[..], path.slice) else { return Ok(None) };
        let sfi = short_id([high, low]);
        if !self.short_ids || !(1..=30).contains(&sfi) {
            return Ok(None);
        }
        let content = file::read_short(self.channel, sfi)?.filter(|content| {
            let listing = directory::read_dodf(content, limits::DODF_OBJECTS);
            listing.faults.is_empty() && !listing.entries.is_empty()
        });
        Ok(content)
    }

    fn object(&mut self, dodf: &str, entry: Entry) -> Result<()> {
        let Some(oid) = entry.oids.iter().find(|oid| self.wanted.contains(oid)) else {
            return Ok(());
        };
        let path = match &entry.place {
            Place::Direct(_) => format!("{dodf}#{}", entry.number),
            Place::File(Path { octets, slice }) => match slice {
                Some(Slice { index: index @ 1.., .. }) => {
                    format!("{}@{index}", hex::encode(octets))
                }
                _ => hex::encode(octets),
            },
        };
        if self.found.objects.iter().any(|object| object.path == path) {
            let what = format!("DODF {dodf}: object {path} is named twice");
            self.found.faults.push(Error::new(Code::CardBadData, what));
            return Ok(());
        }
        let content = match entry.place {
            Place::Direct(octets) => content(octets),
            Place::File(path) => self.read_object(&path)?,
        };
        self.found.objects.push(ObjectData { oid: *oid, label: entry.label, path, content });
        Ok(())
    }

    fn read_object(&mut self, path: &Path) -> Result<Content> {
        let file = match self.base.resolve(&path.octets) {
            Ok(file) => file,
            Err(error) => return Ok(Content::Unreadable(error)),
        };
        if self.directories.contains(&file) {
            let what = format!("object {file} is a directory of objects");
            return Ok(Content::Unreadable(Error::new(Code::CardBadData, what)));
        }
        match self.read_file(&file, path.slice) {
            Ok(body) if path.slice.is_some() => Ok(exact_content(body.into_octets())),
            Ok(body) => Ok(content(body.into_octets())),
            Err(Failure::Locked(reference)) => Ok(Content::Locked { reference }),
            Err(Failure::Other(error)) if is_fatal(&error) => Err(error),
            Err(Failure::Other(error)) => Ok(Content::Unreadable(error)),
        }
    }

    fn read_file(
        &mut self,
        file: &FilePath,
        slice: Option<Slice>,
    ) -> core::result::Result<Body, Failure> {
        self.check_total()?;
        let header = file::select(self.channel, file)?;
        self.read_selected(file, &header, slice)
    }

    fn check_total(&self) -> Result<()> {
        if self.channel.received() <= limits::CARD_TOTAL {
            return Ok(());
        }
        let what = format!("more than {} octets from one card", limits::CARD_TOTAL);
        Err(Error::new(Code::TooLarge, what))
    }

    /// Reads the file that is selected; asks for a PIN if the card wants one.
    fn read_selected(
        &mut self,
        file: &FilePath,
        header: &FileHeader,
        slice: Option<Slice>,
    ) -> core::result::Result<Body, Failure> {
        if let (Some(Slice { index: 0, .. }), Some(0)) = (slice, header.size) {
            return Ok(Body::Octets(Vec::new()));
        }
        if let (Some(slice), Some(size)) = (slice, header.size)
            && slice.index >= size
        {
            let what = format!("{file}: offset {} in a file of {size} octets", slice.index);
            return Err(Error::new(Code::CardBadData, what).into());
        }
        let mut body = file::read(self.channel, header, slice);
        if let Err(error) = &body
            && error.code() == Code::CardAccessDenied
        {
            let reference = self.pin_reference(header)?;
            if !self.unlock(reference)? {
                return Err(Failure::Locked(reference));
            }
            // Looking up the reference may have selected another file.
            let header = file::select(self.channel, file)?;
            body = file::read(self.channel, &header, slice);
        }
        if let Err(error) = &body
            && error.card_sw == SW_NO_EF
        {
            // On a channel that others use as well somebody has selected another file meanwhile.
            let header = file::select(self.channel, file)?;
            body = file::read(self.channel, &header, slice);
        }
        let body = body.map_err(|error| error.context(format!("reading {file}")))?;
        self.check_total()?;
        Ok(body)
    }

    /// The PIN that reading the file with `header` takes, as far as the card tells.
    fn pin_reference(&mut self, header: &FileHeader) -> Result<Option<u8>> {
        let need = match &header.access {
            Access::Unknown => None,
            Access::Read(need) => Some(*need),
            Access::Reference { fid, record } => match self.rule(*fid, *record) {
                Ok(rule) => rule.as_deref().and_then(access::read_need),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(_) => None,
            },
        };
        Ok(match need {
            Some(Need::Pin(reference)) => Some(reference),
            Some(Need::Always | Need::Never) | None => None,
        })
    }

    /// A record of the EF.ARR `fid`: `2FXX` is below the MF, `6FXX` in the directory.
    fn rule(&mut self, fid: u16, record: u8) -> Result<Option<Vec<u8>>> {
        let path = match fid >> 8 {
            0x2F => FilePath::in_mf(fid),
            _ => self.base.resolve(&fid.to_be_bytes())?,
        };
        let header = file::select(self.channel, &path)?;
        let slice = Slice { index: usize::from(record), length: 0 };
        Ok(match file::read(self.channel, &header, Some(slice))? {
            Body::Records(records) => records.into_iter().next(),
            Body::Octets(_) => None,
        })
    }

    /// Shows the PIN that the host gives; false if there is none to show, or it did not help.
    fn unlock(&mut self, reference: Option<u8>) -> Result<bool> {
        let (Some(prompt), Some(reference)) = (&mut self.options.pin, reference) else {
            return Ok(false);
        };
        if self.refused_pins.contains(&reference) {
            return Ok(false);
        }
        let tries = match pin::state(self.channel, reference)? {
            PinState::Tries(tries) => Some(tries),
            PinState::Unknown => None,
            // Nothing that the host could give would change it.
            PinState::Verified | PinState::Blocked => return Ok(false),
        };
        let verified = match prompt(&PinRequest { reference, tries }) {
            None => false,
            Some(entry) => match pin::verify(self.channel, reference, &entry) {
                Ok(()) => true,
                Err(error) if is_fatal(&error) => return Err(error),
                Err(error) => {
                    self.found.faults.push(error);
                    false
                }
            },
        };
        if !verified {
            self.refused_pins.push(reference);
        }
        Ok(verified)
    }
}

/// The short identifier of a file for which the card gives no other (TS 102 221 11.1.1.4.8).
fn short_id(fid: [u8; 2]) -> u8 {
    fid[1] & 0x1F
}

/// The runs of TLV data in a directory file: records are padded one by one.
fn chunks(body: &Body) -> Vec<&[u8]> {
    match body {
        Body::Octets(octets) => vec![octets],
        Body::Records(records) => records.iter().map(Vec::as_slice).collect(),
    }
}

/// A file's octets without the `FF` of memory that was never written. `00` at the end may belong
/// to the document: its decoder knows.
pub(super) fn content(mut octets: Vec<u8>) -> Content {
    let end = octets.iter().rposition(|octet| *octet != 0xFF).map_or(0, |last| last + 1);
    octets.truncate(end);
    exact_content(octets)
}

fn exact_content(octets: Vec<u8>) -> Content {
    if octets.iter().all(|octet| matches!(octet, 0x00 | 0xFF)) {
        Content::Empty
    } else {
        Content::Octets(Secret::new(octets))
    }
}
