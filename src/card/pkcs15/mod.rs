//! PKCS#15 data objects on a card (PKCS#15 v1.1 with the card profiles of OMA DM and Client
//! Provisioning): finding the file structure, and reading the objects with given identifiers.
//! Must not know what is in the objects.

pub mod directory;
mod walk;

use super::apdu::Card;
use super::channel::Channel;
use super::file::{self, FilePath};
use super::pin::PinEntry;
use super::uicc::{self, CardIdentity};
use crate::bytes::hex;
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
pub use der::asn1::ObjectIdentifier;
use std::fmt;

/// OMA DM bootstrap data.
pub const OID_DM_BOOTSTRAP: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.43.7.1");
/// OMA Client Provisioning, EF-Bootstrap.
pub const OID_CP_BOOTSTRAP: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.43.5.1");
/// OMA Client Provisioning, EF-Config1.
pub const OID_CP_CONFIG1: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.43.5.2");
/// OMA Client Provisioning, EF-Config2.
pub const OID_CP_CONFIG2: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.43.5.3");

/// AID of the PKCS#15 application.
pub const AID: [u8; 12] = *b"\xA0\x00\x00\x00\x63PKCS-15";
/// File identifier of the ODF.
const EF_ODF: [u8; 2] = [0x50, 0x31];
/// Directories that are tried where EF.DIR does not help.
const USUAL_DIRECTORIES: [[u8; 2]; 2] = [[0x7F, 0x50], [0x50, 0x15]];

/// How objects are looked for.
pub struct Options<'a> {
    /// Channel 0 may be used when the card has no other channel to give.
    pub basic_channel: bool,
    /// Gives a PIN for an object that needs one; without it such an object is reported as locked.
    pub pin: Option<&'a mut PinPrompt<'a>>,
    /// The card's identity is read again at the end, as [`Found::identity`].
    pub confirm_identity: bool,
}

/// Asks the host for a PIN; `None` if it has none.
pub type PinPrompt<'a> = dyn FnMut(&PinRequest) -> Option<PinEntry> + 'a;

/// The PIN that an object needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinRequest {
    /// Key reference, for example `01` for PIN1.
    pub reference: u8,
    /// Attempts left, where the card tells.
    pub tries: Option<u8>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { basic_channel: true, pin: None, confirm_identity: false }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("basic_channel", &self.basic_channel)
            .finish_non_exhaustive()
    }
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Its octets: exactly the slice that the card names, or the file without trailing `FF`.
    Octets(Secret),
    /// Nothing but fill octets.
    Empty,
    /// The card wants a PIN first: its reference, where the card tells.
    Locked {
        /// Key reference.
        reference: Option<u8>,
    },
    /// It cannot be read.
    Unreadable(Error),
}

/// One object with a wanted identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectData {
    /// Which of the wanted identifiers it has.
    pub oid: ObjectIdentifier,
    /// Its label, where it has one.
    pub label: Option<String>,
    /// Where it is, as the card writes it, the same at every reading: the path in hexadecimal, with
    /// `@` and an offset for a later part of a file, or the directory with `#` and the number of
    /// the entry for an object that is written in the directory itself.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

/// Everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The card has a PKCS#15 file structure.
    pub present: bool,
    /// The wanted objects, in the card's order of priority.
    pub objects: Vec<ObjectData>,
    /// What was passed over, and why.
    pub faults: Vec<Error>,
    /// The card's identity after the last object was read, where [`Options::confirm_identity`] asks.
    pub identity: Option<CardIdentity>,
}

/// Where the PKCS#15 structure is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Base {
    /// The current application of the channel.
    Application,
    /// A directory: its path from the MF, without the MF.
    Directory(Vec<u8>),
}

impl Base {
    /// A PKCS#15 path as path for SELECT: absolute from `3F00`, else relative to this directory.
    fn resolve(&self, path: &[u8]) -> Result<FilePath> {
        const CURRENT_DF: [u8; 2] = [0x3F, 0xFF];
        if path.starts_with(&[0x3F, 0x00]) {
            return FilePath::new(path);
        }
        let relative = path.strip_prefix(&CURRENT_DF).unwrap_or(path);
        match self {
            Self::Application if relative.starts_with(&[0x7F, 0xFF]) => FilePath::new(relative),
            Self::Application => FilePath::new(&[&[0x7F, 0xFF], relative].concat()),
            Self::Directory(directory) => FilePath::new(&[directory, relative].concat()),
        }
    }
}

/// Reads the objects that have one of the identifiers `wanted`.
///
/// A card without PKCS#15 structure is no error, and neither is an object that cannot be read.
/// Fails when the card is gone or cannot be talked to, with `CardNoChannel` if channel 0 would be
/// needed and may not be used, and with `CardAccessDenied` if the ODF itself is locked.
pub fn read_objects(
    card: &mut Card,
    wanted: &[ObjectIdentifier],
    mut options: Options<'_>,
) -> Result<Found> {
    let mut card = card.lock()?;
    let mut channel = match by_aid(&mut card, wanted, &mut options)? {
        ByAid::Found(found) => return Ok(found),
        ByAid::NotThere => Channel::for_files(&mut card, options.basic_channel)?,
        ByAid::NoChannel => Channel::basic(&mut card)?,
    };
    for directory in directories(&mut channel)? {
        let base = Base::Directory(directory);
        if let Some(found) = in_base(&mut channel, base, wanted, &mut options)? {
            return Ok(found);
        }
    }
    Ok(Found::default())
}

/// Reads files of the PKCS#15 application whose `paths` are known as [`ObjectData::path`] has them, and the
/// card's identity behind them; both without looking at any directory. Trailing `FF` is cut off.
///
/// `None` where the card does not give all of it: then [`read_objects`] is the way. Fails when the card is
/// gone or cannot be talked to.
pub fn read_known(card: &mut Card, paths: &[&str]) -> Result<Option<(Vec<Secret>, CardIdentity)>> {
    let mut card = card.lock()?;
    let owned = card.owns_channels();
    let opened =
        if owned { Channel::open_owned(&mut card, &AID) } else { Channel::open(&mut card) };
    let Some(mut channel) = refused(opened)? else { return Ok(None) };
    if !owned && refused(file::select_aid(&mut channel, &AID))?.is_none() {
        return Ok(None);
    }
    let mut contents = Vec::new();
    for path in paths {
        let file = hex::decode(path).and_then(|path| Base::Application.resolve(&path));
        let Ok(file) = file else { return Ok(None) };
        let read = file::select(&mut channel, &file)
            .and_then(|header| file::read(&mut channel, &header, None));
        let body = match read {
            Ok(body) => body,
            Err(error) if is_fatal(&error) => return Err(error),
            Err(_) => return Ok(None),
        };
        let Content::Octets(octets) = walk::content(body.into_octets()) else { return Ok(None) };
        contents.push(octets);
    }
    let identity = uicc::confirm_identity(&mut channel)?;
    Ok(Some((contents, identity)))
}

/// What came of looking for the application.
enum ByAid {
    Found(Found),
    /// The card does not know the AID.
    NotThere,
    /// There is no channel for it, and channel 0 may be used.
    NoChannel,
}

/// By AID on a channel of its own. Channel 0 is never used for that: selecting an application
/// there would end the telephony stack's.
fn by_aid(
    card: &mut Card,
    wanted: &[ObjectIdentifier],
    options: &mut Options<'_>,
) -> Result<ByAid> {
    let owned = card.owns_channels();
    let opened = if owned { Channel::open_owned(card, &AID) } else { Channel::open(card) };
    let mut channel = match opened {
        Ok(channel) => channel,
        Err(error) if error.code() == Code::CardNoChannel && options.basic_channel => {
            return Ok(ByAid::NoChannel);
        }
        Err(error) if owned && error.code() != Code::CardNoChannel => {
            // What a host answers for an unknown AID is not told apart from other refusals.
            return refused(Err(error)).map(|_: Option<()>| ByAid::NotThere);
        }
        Err(error) => return Err(error),
    };
    if !owned && refused(file::select_aid(&mut channel, &AID))?.is_none() {
        return Ok(ByAid::NotThere);
    }
    let found = in_base(&mut channel, Base::Application, wanted, options)?;
    Ok(found.map_or(ByAid::NotThere, ByAid::Found))
}

/// Directories that may hold the structure: what EF.DIR says, else the usual ones.
fn directories(channel: &mut Channel<'_>) -> Result<Vec<Vec<u8>>> {
    let applications = refused(uicc::read_dir(channel))?.unwrap_or_default();
    let told = applications
        .into_iter()
        .filter(|application| application.aid == AID)
        .filter_map(|application| application.path)
        .filter_map(|path| FilePath::new(&path).ok())
        .map(|path| path.octets().to_vec());
    let mut directories: Vec<Vec<u8>> = Vec::new();
    for directory in told.chain(USUAL_DIRECTORIES.map(Vec::from)) {
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    Ok(directories)
}

/// The structure in `base`; `None` if there is none.
fn in_base(
    channel: &mut Channel<'_>,
    base: Base,
    wanted: &[ObjectIdentifier],
    options: &mut Options<'_>,
) -> Result<Option<Found>> {
    let odf = base.resolve(&EF_ODF)?;
    let header = match refused(file::select(channel, &odf))? {
        None => return Ok(None),
        Some(header) => header,
    };
    let mut found = walk::Walk::new(channel, base, wanted, options).run(&odf, &header)?;
    if options.confirm_identity {
        found.identity = Some(uicc::confirm_identity(channel)?);
    }
    Ok(Some(found))
}

/// `None` where the card refused, which means "not here": the next method is tried. Other failures
/// stay failures, as does a refusal for want of a PIN.
fn refused<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_fatal(&error) || error.code() == Code::CardAccessDenied => Err(error),
        Err(_) => Ok(None),
    }
}

/// True if the exchange itself failed, so that no other file is worth a try.
fn is_fatal(error: &Error) -> bool {
    error.is_card_gone() || error.code() == Code::CardTransmit
}
