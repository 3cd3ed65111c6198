//! The card itself: its identity (EF.ICCID), its applications (EF.DIR), its subscriber (EF.IMSI, EF.IMSI_M);
//! ETSI TS 102 221 clause 13, 3GPP TS 31.102, 3GPP2 C.S0065 and C.S0023. Must not know what is provisioned on it.

use super::apdu::{Card, Mode};
use super::channel::{CSIM_AID, Channel, USIM_AID};
use super::fcp::FileHeader;
use super::file::{self, FilePath};
pub use super::imsi::Imsi;
use crate::bytes::bcd;
use crate::bytes::tlv::{Reader, Tlv};
use crate::error::{Code, Error, Result};
use std::fmt;

const EF_DIR: u16 = 0x2F00;
const EF_ICCID: u16 = 0x2FE2;
/// Where an application keeps its subscriber, and how.
struct Subscriber {
    aid: [u8; 7],
    /// Of the file in that application.
    fid: u16,
    /// From the MF of a card of class A0.
    path: [u8; 4],
    decode: fn(&[u8]) -> Result<Imsi>,
}

/// EF.IMSI of a USIM, or of a SIM in DF.GSM.
const GSM: Subscriber = Subscriber {
    aid: USIM_AID,
    fid: 0x6F07,
    path: [0x7F, 0x20, 0x6F, 0x07],
    decode: Imsi::from_ef,
};
/// EF.IMSI_M of a CSIM, or of an R-UIM in DF.CDMA.
const CDMA: Subscriber = Subscriber {
    aid: CSIM_AID,
    fid: 0x6F22,
    path: [0x7F, 0x25, 0x6F, 0x22],
    decode: Imsi::from_ef_m,
};
/// Octets of EF.ICCID.
const ICCID_OCTETS: usize = 10;

/// A card's ICCID. `Debug` shows its last four digits only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CardIdentity(String);

impl CardIdentity {
    /// The identity in the content of EF.ICCID.
    ///
    /// Fails with `CardBadData` unless it has 18 to 20 digits.
    pub fn from_ef(content: &[u8]) -> Result<Self> {
        let content = content.get(..ICCID_OCTETS).unwrap_or(content);
        let digits = bcd::decode_swapped(content).map_err(|error| error.context("EF.ICCID"))?;
        match digits.len() {
            18..=20 => Ok(Self(digits)),
            count => Err(Error::new(Code::CardBadData, format!("EF.ICCID of {count} digits"))),
        }
    }

    /// All digits. Each caller answers for where they go.
    pub fn iccid(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CardIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardIdentity(..{})", self.0.get(self.0.len() - 4..).unwrap_or_default())
    }
}

/// One application of EF.DIR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// AID.
    pub aid: Vec<u8>,
    /// Label, as far as it is text.
    pub label: Option<String>,
    /// Path of its directory, with or without the MF's identifier.
    pub path: Option<Vec<u8>>,
}

/// The applications in one record of EF.DIR, or in several of them run together.
///
/// Padding, unknown objects and what follows a damaged object are passed over.
pub fn applications(record: &[u8]) -> Vec<Application> {
    Reader::new(record)
        .intact()
        .filter(|template| template.tag == 0x61)
        .filter_map(|template| application(&template))
        .collect()
}

fn application(template: &Tlv<'_>) -> Option<Application> {
    let mut aid = None;
    let mut label = None;
    let mut path = None;
    for object in template.children().intact() {
        match object.tag {
            0x4F => aid = Some(object.value.to_vec()),
            0x50 => label = std::str::from_utf8(object.value).ok().map(str::to_owned),
            0x51 => path = Some(object.value.to_vec()),
            _ => {}
        }
    }
    aid.map(|aid| Application { aid, label, path })
}

/// Reads the card's identity, on a channel of its own where the card has one.
pub fn read_identity(card: &mut Card) -> Result<CardIdentity> {
    let mut card = card.lock()?;
    let mut channel = Channel::for_files(&mut card, true)?;
    CardIdentity::from_ef(&read_ef(&mut channel, &FilePath::in_mf(EF_ICCID))?)
}

/// The card's identity again, on a channel that is open for something else: two exchanges on a UICC.
pub fn confirm_identity(channel: &mut Channel<'_>) -> Result<CardIdentity> {
    file::select_known(channel, &FilePath::in_mf(EF_ICCID))?;
    let known = FileHeader { size: Some(ICCID_OCTETS), ..FileHeader::unknown() };
    CardIdentity::from_ef(&file::read(channel, &known, None)?.into_octets())
}

/// Reads the subscriber's IMSI from the USIM or the SIM, else from the CSIM or the R-UIM. Needs PIN1 to have
/// been shown.
pub fn read_imsi(card: &mut Card) -> Result<Imsi> {
    let mut card = card.lock()?;
    match read_subscriber(&mut card, &GSM) {
        Err(error) if error.code() == Code::CardFileNotFound => read_subscriber(&mut card, &CDMA),
        done => done,
    }
}

fn read_subscriber(card: &mut Card, place: &Subscriber) -> Result<Imsi> {
    let mut channel = if card.owns_channels() {
        Channel::open_owned(card, &place.aid)?
    } else {
        Channel::for_files(card, true)?
    };
    let path = match channel.mode() {
        Mode::Gsm => FilePath::new(&place.path)?,
        Mode::Uicc if channel.is_basic() => {
            // Selecting the application again would end the telephony stack's use of it.
            FilePath::in_adf(place.fid)
        }
        Mode::Uicc => {
            if !channel.is_owned() {
                file::select_aid(&mut channel, &place.aid)?;
            }
            FilePath::in_adf(place.fid)
        }
    };
    (place.decode)(&read_ef(&mut channel, &path)?)
}

/// The applications of EF.DIR; none if the card has no EF.DIR.
pub fn read_dir(channel: &mut Channel<'_>) -> Result<Vec<Application>> {
    match read_ef_records(channel) {
        Ok(records) => Ok(records.iter().flat_map(|record| applications(record)).collect()),
        Err(error) if error.code() == Code::CardFileNotFound => Ok(Vec::new()),
        Err(error) => Err(error.context("EF.DIR")),
    }
}

fn read_ef_records(channel: &mut Channel<'_>) -> Result<Vec<Vec<u8>>> {
    let header = file::select(channel, &FilePath::in_mf(EF_DIR))?;
    Ok(match file::read(channel, &header, None)? {
        file::Body::Records(records) => records,
        file::Body::Octets(octets) => vec![octets],
    })
}

fn read_ef(channel: &mut Channel<'_>, path: &FilePath) -> Result<Vec<u8>> {
    let header = file::select(channel, path)?;
    Ok(file::read(channel, &header, None)?.into_octets())
}
