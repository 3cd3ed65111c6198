//! `dmsc provision`: a pushed bootstrap, or a document of the maker, into a store.

use super::card::show_report;
use crate::answer::{Answerer, Manner};
use crate::decode::input;
use crate::device::DeviceArguments;
use crate::failure::Failure;
use crate::listener::{Ear, Seen};
use crate::output::Output;
use crate::store;
use clap::{Args, ValueEnum};
use dmsc::client::{Client, Environment, Provisioning, Sec};
use dmsc::config::BootstrapPolicy;
use dmsc::error::{Code, Error, Result};
use dmsc::markup::{Options, Reader, to_utf8};
use dmsc::secret::Secret;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Applies a pushed bootstrap (Client Provisioning, or a DM message), or a document of the device's maker
#[derive(Debug, Args)]
pub(crate) struct ProvisionArguments {
    /// The WSP push PDU, or the document alone, binary or in hexadecimal
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Directory of the phone's store; made if missing
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Content-Type of a document that stands alone, perhaps with SEC and MAC [default: by the document]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// How a document that stands alone is authenticated
    #[arg(long, value_enum)]
    sec: Option<SecName>,
    /// Its MAC: 40 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    mac: Option<String>,
    /// The subscription's IMSI, for a push that is signed with the network's secret
    #[arg(long, value_name = "DIGITS")]
    imsi: Option<String>,
    /// The network's secret itself, for example an ESN
    #[arg(long, value_name = "HEX")]
    network_secret: Option<String>,
    /// What the user types as PIN, or as PIN and MAC; asked for if it is not given
    #[arg(long, value_name = "PIN")]
    pin: Option<String>,
    /// The document is the maker's: nothing is checked, and it is applied once
    #[arg(long, conflicts_with_all = ["sec", "mac", "imsi", "network_secret", "pin"])]
    factory: bool,
    /// Take a push that is not authenticated, if the user says so
    #[arg(long)]
    unsigned: bool,
    /// Let it replace an account that an earlier push brought
    #[arg(long)]
    replace: bool,
    /// How the user answers
    #[arg(long, value_enum, default_value = "ask")]
    answer: Manner,
    #[command(flatten)]
    device: DeviceArguments,
}

/// SEC by name: the value of `--sec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SecName {
    /// With the network's secret (0, NETWORKID)
    Netwpin,
    /// With a PIN (1)
    Userpin,
    /// With both (2, USERPIN_NETWORKID)
    Usernetwpin,
    /// The user types PIN and MAC (3)
    Userpinmac,
}

impl SecName {
    fn sec(self) -> Sec {
        match self {
            Self::Netwpin => Sec::NetworkPin,
            Self::Userpin => Sec::UserPin,
            Self::Usernetwpin => Sec::UserNetworkPin,
            Self::Userpinmac => Sec::UserPinMac,
        }
    }
}

pub(crate) fn run(
    arguments: &ProvisionArguments,
    output: &Arc<Output>,
) -> std::result::Result<(), Failure> {
    let message = message(arguments)?;
    let store = store::open(&arguments.store)?;
    let mut config = arguments.device.config(&arguments.store, &store)?;
    config.bootstrap.set(BootstrapPolicy::UNSIGNED_PUSH, arguments.unsigned);
    config.bootstrap.set(BootstrapPolicy::REPLACE_BY_PUSH, arguments.replace);
    let seen = Seen::default();
    let answers = Answerer::new(arguments.answer, output.clone()).with_pin(arguments.pin.clone());
    let ear = Ear::new(output.clone(), seen.clone(), Some(answers));
    let client = Client::new(config, store, Environment::system(), Box::new(ear))?;
    let done = client.provision(message).and_then(|report| {
        if report.waiting == 0 {
            show_report(&report, output);
            return Ok(());
        }
        wait(&client, &seen)
    });
    // What was told last is still to be delivered.
    let told = client.run_once(Duration::ZERO);
    client.close();
    Ok(done.and(told.map(drop))?)
}

/// Drives the client until the user has answered, at most as long as the library waits for him.
fn wait(client: &Client, seen: &Seen) -> Result<()> {
    loop {
        if let Some(done) = seen.lock().bootstrap_done.take() {
            return done;
        }
        client.run_once(Duration::from_secs(3600))?;
    }
}

fn message(arguments: &ProvisionArguments) -> std::result::Result<Provisioning, Failure> {
    let raw = fs::read(&arguments.file).map_err(|error| {
        Error::new(Code::InvalidArg, format!("{}: {error}", arguments.file.display()))
    })?;
    let octets = input::octets(&raw)?.into_owned();
    let network = arguments.network_secret.as_deref().map(dmsc::bytes::hex::decode).transpose();
    let network = network
        .map_err(|_| Error::new(Code::InvalidArg, "--network-secret: no hexadecimal digits"))?;
    let content_type = match &arguments.content_type {
        Some(stated) => Some(stated.clone()),
        None if arguments.factory => None,
        None => stands_alone(&octets),
    };
    if content_type.is_none() && (arguments.sec.is_some() || arguments.mac.is_some()) {
        let text = "--sec and --mac are for a document that stands alone: this is a push";
        return Err(Error::new(Code::InvalidArg, text).into());
    }
    Ok(Provisioning {
        content_type,
        sec: arguments.sec.map(SecName::sec),
        mac: arguments.mac.clone(),
        imsi: arguments.imsi.clone().map(Secret::new),
        network_secret: network.map(Secret::new),
        octets: Secret::new(octets),
        factory: arguments.factory,
    })
}

/// The media type of a document; `None` for what is none, which a push PDU is not either.
fn stands_alone(octets: &[u8]) -> Option<String> {
    let utf8 = to_utf8(octets).ok()?;
    let options = Options { padding: true, ..Options::default() };
    let reader = Reader::new(&utf8, &options).ok()?;
    Some(reader.public_id().doc.mime(reader.encoding()).to_owned())
}
