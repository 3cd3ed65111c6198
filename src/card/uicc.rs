//! The card itself: its identity (EF.ICCID), its applications (EF.DIR), its subscriber (EF.IMSI);
//! ETSI TS 102 221 clause 13, 3GPP TS 31.102. Must not know what is provisioned on it.

use super::apdu::{Card, Mode};
use super::channel::{Channel, USIM_AID};
use super::fcp::FileHeader;
use super::file::{self, FilePath};
use crate::bytes::bcd;
use crate::bytes::tlv::{Reader, Tlv};
use crate::error::{Code, Error, Result};
use std::fmt;

const EF_DIR: u16 = 0x2F00;
const EF_ICCID: u16 = 0x2FE2;
const EF_IMSI: u16 = 0x6F07;
/// DF.GSM and EF.IMSI below the MF of a SIM.
const GSM_IMSI: [u8; 4] = [0x7F, 0x20, 0x6F, 0x07];
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

/// A subscriber's IMSI. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Imsi(String);

impl Imsi {
    /// The IMSI in the content of EF.IMSI: a length, then a parity nibble and the digits.
    ///
    /// Fails with `CardBadData` unless it has 6 to 15 digits.
    pub fn from_ef(content: &[u8]) -> Result<Self> {
        let bad = || Error::new(Code::CardBadData, "EF.IMSI: length or digits");
        let (length, rest) = content.split_first().ok_or_else(bad)?;
        let identity = rest.get(..usize::from(*length)).ok_or_else(bad)?;
        let (first, rest) = identity.split_first().ok_or_else(bad)?;
        // The parity nibble makes place for a filler, so that the first digit stands alone.
        let mut digits = bcd::decode_swapped(&[first >> 4 | 0xF0]).map_err(|_| bad())?;
        digits += &bcd::decode_swapped(rest).map_err(|_| bad())?;
        if (6..=15).contains(&digits.len()) { Ok(Self(digits)) } else { Err(bad()) }
    }

    /// All digits. Each caller answers for where they go.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imsi(..)")
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

/// Reads the subscriber's IMSI from the USIM, or from the SIM. Needs PIN1 to have been shown.
pub fn read_imsi(card: &mut Card) -> Result<Imsi> {
    let mut card = card.lock()?;
    let mut channel = if card.owns_channels() {
        Channel::open_owned(&mut card, &USIM_AID)?
    } else {
        Channel::for_files(&mut card, true)?
    };
    let path = match channel.mode() {
        Mode::Gsm => FilePath::new(&GSM_IMSI)?,
        Mode::Uicc if channel.is_basic() => {
            // Selecting the application again would end the telephony stack's use of it.
            FilePath::in_adf(EF_IMSI)
        }
        Mode::Uicc => {
            if !channel.is_owned() {
                file::select_aid(&mut channel, &USIM_AID)?;
            }
            FilePath::in_adf(EF_IMSI)
        }
    };
    Imsi::from_ef(&read_ef(&mut channel, &path)?)
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
