//! What octets of one kind say: a decoder for each kind that a phone, a card or a network hands over.
//!
//! Owns how the library's readers are shown. Must not know where the octets came from nor where the
//! text goes to. Everything given is shown, secrets included.

mod apdu;
mod apdu_names;
mod card;
mod cat;
mod cat_names;
mod document;
mod element;
mod fault;
pub(crate) mod input;
mod objects;
mod shown;
mod trigger;

pub(crate) use fault::Fault;
pub(crate) use input::{Apdu, apdus, dump, octets};
pub(crate) use shown::{Decoded, visible_xml};

use document::Document;

/// What the octets are said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Document of any known type in WBXML or text XML, its structure alone
    Wbxml,
    /// SyncML DM message in WBXML or XML, with the TNDS objects in it
    Syncml,
    /// TNDS object (MgmtTree) in WBXML or XML
    Tnds,
    /// Device description document (DDF) in WBXML or XML
    Ddf,
    /// Client Provisioning document in WBXML or XML; whether references lead anywhere is not judged
    Cp,
    /// WSP connectionless push and what is in it; a MAC is not checked
    Push,
    /// SMS-DELIVER or SMS-SUBMIT for the push port, with or without service centre address
    Sms,
    /// Package #0 (notification); its digest is not checked
    Pkg0,
    /// File header: FCP or FCI template of a UICC, or a SIM's answer to SELECT
    Fcp,
    /// Records of EF.DIR
    Efdir,
    /// PKCS#15 EF(ODF)
    Odf,
    /// PKCS#15 EF(DODF)
    Dodf,
    /// BER-TLV objects of any other card file
    Tlv,
    /// Toolkit: proactive command, envelope, or data of a terminal response
    Cat,
    /// Command APDUs and response APDUs, one a line
    Apdu,
}

impl Kind {
    /// True for the documents that stand in card files.
    pub(crate) fn is_in_files(self) -> bool {
        matches!(self, Self::Wbxml | Self::Syncml | Self::Tnds | Self::Cp)
    }
}

/// What `octets` of `kind` say; for [`Kind::Apdu`] see [`exchange`]. A document from a
/// `card_file` may be followed by padding and a status word.
pub(crate) fn decode(kind: Kind, octets: &[u8], card_file: bool) -> Result<Decoded, Fault> {
    let document = |document| match card_file {
        true => document::in_file(document, octets),
        false => document::decode(document, octets, false),
    };
    match kind {
        Kind::Wbxml => document(Document::Any),
        Kind::Syncml => document(Document::SyncMl),
        Kind::Tnds => document(Document::Tnds),
        Kind::Ddf => document(Document::Ddf),
        Kind::Cp => document(Document::Prov),
        Kind::Push => trigger::push(octets),
        Kind::Sms => trigger::sms(octets),
        Kind::Pkg0 => trigger::notification(octets),
        Kind::Fcp => card::fcp(octets),
        Kind::Efdir => card::efdir(octets),
        Kind::Odf => card::odf(octets),
        Kind::Dodf => card::dodf(octets),
        Kind::Tlv => card::tlv(octets),
        Kind::Cat => cat::decode(octets),
        Kind::Apdu => exchange(&[Apdu::command(octets.to_vec())]),
    }
}

/// What APDUs say, in their order.
pub(crate) fn exchange(apdus: &[Apdu]) -> Result<Decoded, Fault> {
    apdu::decode(apdus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    /// The octets of the rows whose names begin with one of `groups`.
    fn rows(groups: &[&str]) -> Vec<Vec<u8>> {
        let encodings = include_str!("../../../tests/data/encoding-vectors.tsv");
        let smartcard = include_str!("../../../tests/data/smartcard-vectors.tsv");
        let columns = encodings.lines().map(|line| (line, 1));
        columns
            .chain(smartcard.lines().map(|line| (line, 2)))
            .filter(|(line, _)| groups.iter().any(|group| line.starts_with(group)))
            .filter_map(|(line, column)| line.split('\t').nth(column))
            .map(|digits| dmsc::bytes::hex::decode(digits).unwrap())
            .collect()
    }

    fn groups(kind: Kind) -> &'static [&'static str] {
        match kind {
            Kind::Wbxml => &["c", "x"],
            Kind::Syncml => &["a1", "a4", "a53", "s0"],
            Kind::Tnds => &["a50", "a51"],
            Kind::Ddf => &["a61"],
            Kind::Cp => &["b0", "s07"],
            Kind::Push => &["d", "wsp-"],
            Kind::Sms => &["e0", "e1", "sms-"],
            Kind::Pkg0 => &["f", "pkg0-"],
            Kind::Fcp => &["fcp-", "gsm-"],
            Kind::Efdir => &["efdir-"],
            Kind::Odf => &["odf-"],
            Kind::Dodf => &["dodf-"],
            Kind::Tlv => &["h0", "ef-"],
            Kind::Cat => &["pc-", "tr-", "env-", "srv-", "trg-", "local-", "neg-", "h1"],
            Kind::Apdu => &["apdu-"],
        }
    }

    #[test]
    fn every_cut_and_every_changed_octet_is_decoded_or_refused() {
        for kind in Kind::value_variants() {
            let mut tried = 0;
            for row in rows(groups(*kind)) {
                for at in 0..row.len() {
                    let _ = decode(*kind, &row[..at], false);
                    let mut changed = row.clone();
                    // The readers of documents have the same test of their own.
                    let masks: &[u8] = match kind.is_in_files() {
                        true => &[0x81],
                        false => &[0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF],
                    };
                    for mask in masks {
                        changed[at] = row[at] ^ mask;
                        let _ = decode(*kind, &changed, true);
                    }
                    tried += 1;
                }
            }
            assert!(tried > 0, "{kind:?}");
        }
    }
}
