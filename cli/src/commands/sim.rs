//! `dmsc sim ...`: the simulated card for other programs.

use crate::failure::Failure;
use clap::{Args, Subcommand};
use dmsc::error::{Code, Error, Result};
use std::net::TcpListener;
use std::path::PathBuf;
use uicc_sim::card::{Card, Verdict};
use uicc_sim::link::{self, Observer};
use uicc_sim::profile::Profile;

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Serves a simulated card until the link ends, then prints what it found out about the terminal
    Serve(ServeArguments),
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("link").required(true)))]
pub(crate) struct ServeArguments {
    /// Profile file (docs/profiles.md), or "demo" for the embedded card
    #[arg(long, value_name = "FILE", default_value = "demo")]
    profile: PathBuf,
    /// Put the card into the vpcd reader at this address
    #[arg(long, value_name = "HOST:PORT", group = "link")]
    vpcd: Option<String>,
    /// Wait for terminals at this address (frames of two octets of length and an APDU)
    #[arg(long, value_name = "ADDR:PORT", group = "link")]
    listen: Option<String>,
    /// Print every APDU to standard error
    #[arg(long)]
    trace: bool,
}

struct Watch {
    trace: bool,
}

impl Observer for Watch {
    fn exchanged(&mut self, _: &Card, command: &[u8], response: &[u8]) {
        if self.trace {
            eprintln!(
                "> {}\n< {}",
                uicc_sim::hex::encode(command),
                uicc_sim::hex::encode(response)
            );
        }
    }
}

pub(crate) fn run(command: &SimCommand) -> std::result::Result<(), Failure> {
    let SimCommand::Serve(arguments) = command;
    Ok(serve(arguments)?)
}

fn serve(arguments: &ServeArguments) -> Result<()> {
    let unusable = |text: String| Error::new(Code::InvalidArg, format!("card profile: {text}"));
    let profile = match arguments.profile.to_str() {
        Some("demo") => Profile::demo(),
        _ => Profile::load(&arguments.profile).map_err(unusable)?,
    };
    let mut card = profile.build().map_err(unusable)?;
    let mut watch = Watch { trace: arguments.trace };
    let served = match (&arguments.vpcd, &arguments.listen) {
        (Some(reader), _) => link::vpcd::connect(reader.as_str())
            .and_then(|stream| link::vpcd::serve(stream, &mut card, &mut watch)),
        (None, Some(address)) => TcpListener::bind(address.as_str()).and_then(|listener| {
            // Port 0 lets the system choose; whoever started us has to learn which.
            println!("listening on {}", listener.local_addr()?);
            link::tcp::serve(&listener, &mut card, &mut watch)
        }),
        (None, None) => Ok(()),
    };
    eprint!("{}", card.report());
    served.map_err(|error| Error::new(Code::Io, format!("simulated card: {error}")))?;
    if card.verdict() == Verdict::Bad {
        return Err(Error::new(Code::Protocol, "the simulated card found faults: see its report"));
    }
    Ok(())
}
