//! `dmsc tree ...`: the management tree of a store, without a card.

mod change;
mod dump;
mod show;
mod watch;

use crate::failure::Failure;
use crate::output::Output;
use clap::{Args, Subcommand};
use dmsc::error::Result;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum TreeCommand {
    /// Prints the value of a leaf or a property (URI?prop=ACL), or the names below an interior node
    Get(show::GetArguments),
    /// Prints the nodes right below a node, with their format, size and origin
    List(show::ListArguments),
    /// Prints a subtree; passwords and nonces are not shown
    Dump(dump::DumpArguments),
    /// Writes a subtree as a TNDS document, without passwords and nonces
    Export(show::ExportArguments),
    /// Sets the value of a leaf; makes it if it is not there
    Set(change::SetArguments),
    /// Deletes a node with all below it
    Delete(change::DeleteArguments),
    /// Adds the nodes of a TNDS document (XML or WBXML), all or none
    Import(change::ImportArguments),
    /// Prints or sets a node's access control list
    Acl(change::AclArguments),
    /// Prints what other programs change, until it is stopped
    Watch(watch::WatchArguments),
}

/// Which store.
#[derive(Debug, Args)]
struct StoreArguments {
    /// Directory of the phone's store
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
}

pub(crate) fn run(command: &TreeCommand, output: &Output) -> std::result::Result<(), Failure> {
    let done: Result<()> = match command {
        TreeCommand::Get(arguments) => show::get(arguments, output),
        TreeCommand::List(arguments) => show::list(arguments, output),
        TreeCommand::Dump(arguments) => dump::dump(arguments, output),
        TreeCommand::Export(arguments) => show::export(arguments, output),
        TreeCommand::Set(arguments) => change::set(arguments),
        TreeCommand::Delete(arguments) => change::delete(arguments),
        TreeCommand::Import(arguments) => return change::import(arguments),
        TreeCommand::Acl(arguments) => change::acl(arguments, output),
        TreeCommand::Watch(arguments) => watch::watch(arguments, output),
    };
    Ok(done?)
}
