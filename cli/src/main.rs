//! `dmsc`: the DM client on the command line. Owns the arguments and the exit code; what a command
//! does is in `commands`.

mod answer;
mod card;
mod commands;
mod decode;
mod device;
mod encode;
mod event;
mod failure;
mod listener;
mod logger;
mod network;
mod output;
mod store;
mod tty;

use clap::{Parser, Subcommand};
use commands::audit::AuditCommand;
use commands::card::CardCommand;
use commands::decode::{DecodeArguments, EncodeCommand};
use commands::provision::ProvisionArguments;
use commands::sim::SimCommand;
use commands::{run::RunArguments, tree::TreeCommand};
use failure::Failure;
use output::Output;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[global_allocator]
static WIPING: dmsc::allocator::Wiping = dmsc::allocator::Wiping;

/// OMA Device Management Smart Card client: reads DM bootstrap data off a card, holds DM sessions
/// with it, shows the management tree, and what messages, pushes and card files say.
///
/// Exit code: 0 success, 1 failure (one line on standard error says which), 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "dmsc", version)]
struct Arguments {
    /// Print JSON instead of text: one object, or one on each line where things happen one by one
    #[arg(long, global = true)]
    json: bool,
    /// Write every exchange with the card to this file, as a capture for Wireshark (GSMTAP)
    #[arg(long, global = true, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Print the library's log to standard error; twice: all of it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Looks at a card and its DM bootstrap data
    #[command(subcommand)]
    Card(CardCommand),
    /// Applies a card's bootstrap data, runs its toolkit and holds DM sessions
    Run(RunArguments),
    /// Lends a simulated card to other programs
    #[command(subcommand)]
    Sim(SimCommand),
    /// Looks at the management tree of a store, and changes it
    #[command(subcommand)]
    Tree(TreeCommand),
    /// Shows, exports and verifies the audit journal
    #[command(subcommand)]
    Audit(AuditCommand),
    Provision(ProvisionArguments),
    Decode(DecodeArguments),
    /// Writes documents in the form that goes over the air
    #[command(subcommand)]
    Encode(EncodeCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logger::install(arguments.verbose);
    let output = Arc::new(Output::new(arguments.json));
    let done = run(&arguments, &output).and_then(|()| Ok(output.finish()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, output: &Arc<Output>) -> Result<(), Failure> {
    let pcap = arguments.pcap.as_deref();
    match &arguments.command {
        Command::Card(command) => commands::card::run(command, pcap, output)?,
        Command::Run(arguments) => commands::run::run(arguments, pcap, output)?,
        Command::Sim(command) => commands::sim::run(command)?,
        Command::Tree(command) => commands::tree::run(command, output)?,
        Command::Audit(command) => commands::audit::run(command, output)?,
        Command::Provision(arguments) => commands::provision::run(arguments, output)?,
        Command::Decode(arguments) => commands::decode::run(arguments, output)?,
        Command::Encode(command) => commands::decode::encode(command, output)?,
    }
    Ok(())
}
