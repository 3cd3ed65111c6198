//! A scripted card with a PKCS#15 structure, and plain views of what was found on it.

use super::vector_hex;
use dmsc::bytes::{hex, tlv};
use dmsc::card::pkcs15::{
    Content, Found, OID_DM_BOOTSTRAP, ObjectIdentifier, Options, read_objects,
};
use dmsc::card::script::{Play, Script};
use dmsc::error::Result;

pub(crate) const DM: &[ObjectIdentifier] = &[OID_DM_BOOTSTRAP];
pub(crate) const ODF: &str = "7FFF5031";
pub(crate) const DODF: &str = "7FFF6430";
pub(crate) const TARGET: &str = "7FFF6433";

/// The beginning of a bootstrap document, and its end.
pub(crate) const BOOTSTRAP: &str = "02A4016A006D6C7101";

/// The answer to SELECT of a transparent EF of `size` octets.
pub(crate) fn fcp(size: usize) -> String {
    format!("620B 82024121 8002{size:04X} 8A0105 9000")
}

pub(crate) fn select(channel: u8, path: &str) -> String {
    format!("{channel:02X}A40804{:02X}{path}00", path.len() / 2)
}

/// A script of a card with files, on one channel.
pub(crate) struct Files {
    pub(crate) script: Script,
    pub(crate) channel: u8,
}

impl Files {
    /// Channel 1 opened and the PKCS#15 application selected.
    pub(crate) fn by_aid() -> Self {
        let script = Script::new()
            .on("0070000001", "019000")
            .on(vector_hex("apdu-select-pkcs15"), vector_hex("apdu-select-pkcs15-rsp"));
        Self { script, channel: 1 }
    }

    pub(crate) fn on(mut self, command: &str, answer: &str) -> Self {
        self.script = self.script.on(command, answer);
        self
    }

    /// SELECT of `path`, and READ BINARY of all of `content`, at most 256 octets.
    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        let octets = content.len() / 2;
        let select = select(self.channel, path);
        let read = format!("{:02X}B00000{:02X}", self.channel, octets & 0xFF);
        self.on(&select, &fcp(octets)).on(&read, &format!("{content}9000"))
    }

    pub(crate) fn odf(self) -> Self {
        self.file(ODF, vector_hex("odf-dodf-6430"))
    }

    pub(crate) fn close(self) -> Script {
        self.script.on("01708001", "9000")
    }
}

pub(crate) fn run(script: Script, wanted: &[ObjectIdentifier]) -> (Result<Found>, Play) {
    let (mut card, play) = script.card();
    let found = read_objects(&mut card, wanted, Options::default());
    assert_eq!(play.locks(), (1, 1));
    (found, play)
}

/// Runs the whole script and returns what was found.
pub(crate) fn found(script: Script) -> Found {
    let (found, play) = run(script, DM);
    play.finish().unwrap();
    found.unwrap()
}

/// Path and octets of every object, or what happened to it.
pub(crate) fn objects(found: &Found) -> Vec<(&str, String)> {
    let show = |content: &Content| match content {
        Content::Octets(octets) => hex::encode(octets.expose()),
        Content::Unreadable(error) => format!("{error}"),
        other => format!("{other:?}"),
    };
    found.objects.iter().map(|object| (object.path.as_str(), show(&object.content))).collect()
}

pub(crate) fn faults(found: &Found) -> Vec<String> {
    found.faults.iter().map(ToString::to_string).collect()
}

/// A DODF entry of the opaque form for `oid` (DER value) with a path SEQUENCE.
pub(crate) fn opaque(oid: &str, path: &str) -> String {
    let oid = tlv::encode(0x06, &hex::decode(oid).unwrap());
    let path = tlv::encode(0x30, &hex::decode(path).unwrap());
    let parts = [tlv::encode(0x30, &[]), tlv::encode(0x30, &oid), tlv::encode(0xA1, &path)];
    hex::encode(&tlv::encode(0x30, &parts.concat()))
}

pub(crate) fn dm(path: &str) -> String {
    opaque("672B0701", path)
}

/// Objects found in a DODF of this content when nothing else is to be read.
pub(crate) fn found_in(dodf: &str) -> Found {
    found(Files::by_aid().odf().file(DODF, dodf).close())
}
