//! `dmsc card ...`: what a card is, and its bootstrap data into a store.

use super::card_files::{self, ApduArguments, FilesArguments};
use crate::card::{CARD_HELP, CardName};
use crate::device::{self, DeviceArguments};
use crate::event;
use crate::listener::{Deaf, Ear, Seen};
use crate::output::{Output, error_json, error_text, hex};
use crate::store;
use clap::{Args, Subcommand};
use dmsc::bootstrap::{News, Report};
use dmsc::card::transport::CardTransport;
use dmsc::client::{CardId, CardInfo, Client, Environment};
use dmsc::error::{Code, Error, Result};
use dmsc::store::memory::MemoryStore;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(crate) enum CardCommand {
    /// Prints what a card is and whether it holds DM bootstrap data; changes nothing
    Info(InfoArguments),
    /// Applies what is new in a card's DM bootstrap data to the tree of a store
    Bootstrap(BootstrapArguments),
    /// Shows the applications of a card (EF.DIR), or what the files named are
    Files(FilesArguments),
    /// Sends command APDUs as they are and shows the answers
    Apdu(ApduArguments),
}

#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    #[arg(long, help = CARD_HELP)]
    card: CardName,
    /// Print the whole ICCID, not its last four digits only
    #[arg(long)]
    show_iccid: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BootstrapArguments {
    #[arg(long, help = CARD_HELP)]
    card: CardName,
    /// Directory of the phone's store; made if missing
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(command: &CardCommand, pcap: Option<&Path>, output: &Arc<Output>) -> Result<()> {
    match command {
        CardCommand::Info(arguments) => info(arguments, pcap, output),
        CardCommand::Bootstrap(arguments) => bootstrap(arguments, pcap, output),
        CardCommand::Files(arguments) => card_files::files(arguments, pcap, output),
        CardCommand::Apdu(arguments) => card_files::apdu(arguments, pcap, output),
    }
}

/// Number of the slot of the one card.
pub(crate) const SLOT: u32 = 0;

/// Opens the one card, with a capture of all that is said to it if one is wanted.
pub(crate) fn open_traced(
    client: &Client,
    transport: Box<dyn CardTransport>,
    pcap: Option<&Path>,
) -> Result<CardId> {
    if let Some(path) = pcap {
        client.trace_to_pcap(path)?;
    }
    client.open_card(SLOT, transport)
}

fn info(arguments: &InfoArguments, pcap: Option<&Path>, output: &Output) -> Result<()> {
    let opened = arguments.card.open(None)?;
    // The bootstrap reads the card as it would for a phone, into a store that is forgotten.
    let store = Arc::new(MemoryStore::default());
    let client = Client::new(device::anonymous(), store, Environment::system(), Box::new(Deaf))?;
    let card = open_traced(&client, opened.transport, pcap)?;
    let bootstrap = client.bootstrap_card(card);
    if let Err(error) = &bootstrap
        && error.is_card_gone()
    {
        return Err(error.clone());
    }
    let info = client.card_info(card)?;
    client.close();
    show_info(&info, arguments.show_iccid, &bootstrap, output);
    Ok(())
}

fn show_info(info: &CardInfo, whole: bool, bootstrap: &Result<Report>, output: &Output) {
    let iccid = if whole { info.iccid.clone() } else { masked(&info.iccid) };
    let (present, error) = match bootstrap {
        Ok(_) => (Some(info.has_dm_bootstrap), None),
        Err(error) if error.code() == Code::BootstrapNone => (Some(false), None),
        // Data that cannot be used is data; what could not be read may be anything.
        Err(error) => (info.has_dm_bootstrap.then_some(true), Some(error)),
    };
    let kind = if info.is_uicc { "UICC" } else { "SIM" };
    let text = || {
        let known = match present {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        let trouble = error.map(|error| format!(": {}", error_text(error))).unwrap_or_default();
        let or_unknown = |text: String| if text.is_empty() { "unknown".to_owned() } else { text };
        format!(
            "kind: {kind}\nATR: {}\nICCID: {}\nDM bootstrap data: {known}{trouble}\n\
             web server: unknown, the toolkit was not started",
            or_unknown(hex(&info.atr)),
            or_unknown(iccid.clone()),
        )
    };
    let json = || {
        json!({
            "kind": kind,
            "atr": hex(&info.atr),
            "iccid": iccid,
            "dm_bootstrap": present,
            "dm_bootstrap_error": error.map(error_json),
            "scws": null,
        })
    };
    output.show(text, json);
}

/// All but the last four digits hidden.
fn masked(iccid: &str) -> String {
    let hidden = iccid.chars().count().saturating_sub(4);
    iccid.chars().enumerate().map(|(at, c)| if at < hidden { '*' } else { c }).collect()
}

fn bootstrap(
    arguments: &BootstrapArguments,
    pcap: Option<&Path>,
    output: &Arc<Output>,
) -> Result<()> {
    let opened = arguments.card.open(Some(&arguments.store))?;
    let store = store::open(&arguments.store)?;
    let config = arguments.device.config(&arguments.store, &store)?;
    let ear = Ear::new(output.clone(), Seen::default(), None);
    let client = Client::new(config, store, Environment::system(), Box::new(ear))?;
    let card = open_traced(&client, opened.transport, pcap)?;
    let report = client.bootstrap_card(card)?;
    client.close();
    show_report(&report, output);
    complete(&report)
}

pub(crate) fn show_report(report: &Report, output: &Output) {
    output.show(|| event::report_text(report), || event::report_json(report));
}

/// Fails with the last object's error if an object could not be used.
fn complete(report: &Report) -> Result<()> {
    if report.objects_failed == 0 {
        return Ok(());
    }
    let mut failures = report.news.iter().filter_map(|news| match news {
        News::Failed { error, .. } => Some(error.clone()),
        _ => None,
    });
    let error = failures.next_back();
    Err(error.unwrap_or_else(|| Error::new(Code::BootstrapFormat, "an object cannot be used")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_left_of_an_iccid() {
        assert_eq!(masked("8988211000000430010"), "***************0010");
        assert_eq!(masked("0010"), "0010");
        assert_eq!(masked(""), "");
    }
}
