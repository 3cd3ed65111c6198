//! `dmsc card files` and `dmsc card apdu`: what is on a card, octet by octet.

use super::card::open_traced;
use crate::card::CardName;
use crate::device;
use crate::listener::Deaf;
use crate::output::{Output, hex, printable};
use clap::Args;
use dmsc::card::apdu::Card;
use dmsc::card::channel::Channel;
use dmsc::card::fcp::{FileHeader, FileKind};
use dmsc::card::file::{self, FilePath};
use dmsc::card::transport::CardTransport;
use dmsc::card::uicc::{self, Application};
use dmsc::client::{CardId, Client, Environment};
use dmsc::error::Result;
use dmsc::store::memory::MemoryStore;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(crate) struct FilesArguments {
    #[arg(long, help = crate::card::CARD_HELP)]
    card: CardName,
    /// Show these files: paths from the MF in hexadecimal, such as 2FE2 or 7F506433; none: the applications
    #[arg(value_name = "PATH", value_parser = octets)]
    paths: Vec<Octets>,
    /// Print what is in the files, not only what they are
    #[arg(long)]
    content: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApduArguments {
    #[arg(long, help = crate::card::CARD_HELP)]
    card: CardName,
    /// Command APDUs in hexadecimal
    #[arg(value_name = "APDU", required = true, value_parser = octets)]
    commands: Vec<Octets>,
}

/// Octets of the command line.
#[derive(Clone, Debug)]
struct Octets(Vec<u8>);

fn octets(text: &str) -> std::result::Result<Octets, String> {
    dmsc::bytes::hex::decode(text).map(Octets).map_err(|error| error.to_string())
}

/// A client that keeps nothing, with the card open.
fn opened(card: &CardName, pcap: Option<&Path>) -> Result<(Client, CardId)> {
    let opened = card.open(None)?;
    let store = Arc::new(MemoryStore::default());
    let client = Client::new(device::anonymous(), store, Environment::system(), Box::new(Deaf))?;
    let card = open_traced(&client, opened.transport, pcap)?;
    Ok((client, card))
}

/// Sends each command and shows its answer.
pub(crate) fn apdu(arguments: &ApduArguments, pcap: Option<&Path>, output: &Output) -> Result<()> {
    let (client, card) = opened(&arguments.card, pcap)?;
    for Octets(command) in &arguments.commands {
        let answer = client.card_transmit(card, command.clone())?;
        let (data, sw) = answer.split_at(answer.len().saturating_sub(2));
        let number = sw.iter().fold(0, |sum, octet| sum << 8 | u16::from(*octet));
        let name = dmsc::status_word::name(number);
        output.show(
            || format!("{} {number:04X} ({name})", hex(data)).trim_start().to_owned(),
            || json!({ "command": hex(command), "data": hex(data), "sw": hex(sw), "status": name }),
        );
    }
    client.close();
    Ok(())
}

/// The card of a client, for the file layer.
struct Door(Client, CardId);

impl CardTransport for Door {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        self.0.card_transmit(self.1, command.to_vec())
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// Shows the card's applications, or the files named.
pub(crate) fn files(
    arguments: &FilesArguments,
    pcap: Option<&Path>,
    output: &Output,
) -> Result<()> {
    let (client, id) = opened(&arguments.card, pcap)?;
    let mut card = Card::new(Box::new(Door(client.clone(), id)));
    let mut channel = Channel::for_files(&mut card, true)?;
    if arguments.paths.is_empty() {
        for application in uicc::read_dir(&mut channel)? {
            show_application(&application, output);
        }
    }
    for Octets(path) in &arguments.paths {
        let path = FilePath::new(path)?;
        let header = file::select(&mut channel, &path)?;
        let content = match arguments.content {
            true => Some(file::read(&mut channel, &header, None)?.into_octets()),
            false => None,
        };
        show_file(&path, &header, content.as_deref(), output);
    }
    drop(channel);
    client.close();
    Ok(())
}

fn show_application(application: &Application, output: &Output) {
    let label = application.label.clone().unwrap_or_default();
    let path = application.path.as_deref().map(hex).unwrap_or_default();
    output.show(
        || {
            let line = format!("{} {} {path}", hex(&application.aid), printable(&label));
            line.trim_end().to_owned()
        },
        || json!({ "aid": hex(&application.aid), "label": label, "path": path }),
    );
}

fn show_file(path: &FilePath, header: &FileHeader, content: Option<&[u8]>, output: &Output) {
    let kind = match header.kind {
        FileKind::Directory => "directory".to_owned(),
        FileKind::Transparent => "transparent".to_owned(),
        FileKind::Linear { length, .. } => format!("records of {length}"),
        FileKind::Cyclic { length, .. } => format!("cyclic records of {length}"),
        FileKind::BerTlv => "BER-TLV".to_owned(),
        FileKind::Unknown => "unknown".to_owned(),
    };
    output.show(
        || {
            let size = header.size.map(|size| format!(", {size} octets")).unwrap_or_default();
            let octets = content.map(|octets| format!(": {}", hex(octets))).unwrap_or_default();
            format!("{path} {kind}{size}{octets}")
        },
        || {
            json!({
                "path": path.to_string(),
                "kind": kind,
                "size": header.size,
                "content": content.map(hex),
            })
        },
    );
}
