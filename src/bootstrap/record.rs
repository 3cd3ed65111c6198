//! What a card brought into the tree, as the store remembers it.

use crate::bytes::pack::{self, Unpack};
use crate::error::{Code, Error, Result};

/// Version of the record's form. The first one knew DM objects only.
const FORM: u8 = 2;
const FORM_DM_ONLY: u8 = 1;

/// What kind of document an object of a card holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Profile {
    /// A DM message.
    Dm = 0,
    /// A provisioning document.
    Cp = 1,
}

/// Everything that came from the card in one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CardRecord {
    /// Hash of the card's ICCID.
    pub(super) identity: [u8; 16],
    pub(super) objects: Vec<Applied>,
}

/// One object of the card that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    /// What it holds.
    pub(super) profile: Profile,
    /// Where it is on the card.
    pub(super) path: String,
    /// SHA-256 of its octets, for a provisioning document of all that decides what comes of it.
    pub(super) hash: [u8; 32],
    /// URIs of the objects it created.
    pub(super) roots: Vec<String>,
}

/// Key of a slot's record in the table of cards.
pub(super) fn key(slot: u32) -> [u8; 4] {
    slot.to_be_bytes()
}

/// The slot of a key.
pub(super) fn slot(key: &[u8]) -> Result<u32> {
    key.try_into().map(u32::from_be_bytes).map_err(|_| damaged())
}

fn damaged() -> Error {
    Error::new(Code::StorageCorrupt, "store: the record of a card is damaged")
}

impl CardRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        out.extend_from_slice(&self.identity);
        for object in &self.objects {
            out.push(object.profile as u8);
            pack::put(&mut out, object.path.as_bytes());
            out.extend_from_slice(&object.hash);
            let roots = u16::try_from(object.roots.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&roots.to_be_bytes());
            for root in object.roots.iter().take(roots.into()) {
                pack::put(&mut out, root.as_bytes());
            }
        }
        out
    }

    pub(super) fn decode(record: &[u8]) -> Result<Self> {
        decode(record).ok_or_else(damaged)
    }
}

fn decode(record: &[u8]) -> Option<CardRecord> {
    let mut input = Unpack(record);
    let [form] = input.array()?;
    if !matches!(form, FORM | FORM_DM_ONLY) {
        return None;
    }
    let identity = input.array()?;
    let mut objects = Vec::new();
    while !input.0.is_empty() {
        let profile = match form {
            FORM_DM_ONLY => Profile::Dm,
            _ => match input.array()? {
                [0] => Profile::Dm,
                [1] => Profile::Cp,
                _ => return None,
            },
        };
        let path = input.text()?.to_owned();
        let hash = input.array()?;
        let roots = u16::from_be_bytes(input.array()?);
        let roots = (0..roots).map(|_| input.text().map(str::to_owned)).collect::<Option<_>>()?;
        objects.push(Applied { profile, path, hash, roots });
    }
    Some(CardRecord { identity, objects })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_a_damaged_one_is_an_error() {
        let applied = |path: &str, profile: Profile, roots: &[&str]| Applied {
            profile,
            path: path.into(),
            hash: [7; 32],
            roots: roots.iter().map(|root| (*root).to_owned()).collect(),
        };
        let record = CardRecord {
            identity: [9; 16],
            objects: vec![
                applied("6433", Profile::Dm, &["./DMAcc/1", "./Con/x"]),
                applied("4F01", Profile::Cp, &[]),
            ],
        };
        let octets = record.encode();
        assert_eq!(CardRecord::decode(&octets).unwrap(), record);
        for end in 0..octets.len() {
            // A cut between two objects is a shorter record; every other cut is seen.
            if let Ok(shorter) = CardRecord::decode(&octets[..end]) {
                assert!(shorter.objects.len() < 2);
            }
        }
        assert_eq!(CardRecord::decode(&[3]).unwrap_err().code(), Code::StorageCorrupt);
    }

    #[test]
    fn a_record_of_the_first_form_is_one_of_dm_objects() {
        let octets = [&[1][..], &[9; 16], &[0, 1], b"A", &[7; 32], &[0, 0]].concat();
        let record = CardRecord::decode(&octets).unwrap();
        assert_eq!((record.objects.len(), record.objects[0].profile), (1, Profile::Dm));
    }
}
