//! `dmsc decode ...` and `dmsc encode ...`: octets to something readable and back, without card or store.

use crate::decode::{self, Fault, Kind};
use crate::encode;
use crate::failure::Failure;
use crate::output::{Output, hex};
use clap::{Args, Subcommand};
use dmsc::error::{Code, Error, Result};
use serde_json::json;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Shows what octets say. What is given is shown as it is, passwords, keys and PINs included.
///
/// A file may be binary or a hex dump: nothing but hexadecimal digits, white space, newlines, colons,
/// commas and 0x. Behind a card's data (fcp, efdir, odf, dodf, cat) the status word 9000 may follow. For
/// apdu, each line of a hex dump is one APDU; `>` may mark commands and `<` responses.
///
/// Documents are printed as canonical XML in one line. What is wrong is printed to standard error as
/// `class at byte N: what`, and the exit code is 1; what is readable nevertheless is printed all the same.
/// What is carried inside (by a push, an SMS, an APDU) and cannot be decoded is only told: fault=...
#[derive(Debug, Args)]
pub(crate) struct DecodeArguments {
    /// What the octets are
    #[arg(value_enum)]
    kind: Kind,
    /// The octets in hexadecimal
    #[arg(long, conflicts_with = "file", required_unless_present = "file")]
    hex: Option<String>,
    /// A file with the octets; - is standard input
    file: Option<PathBuf>,
    /// The octets are a document in a card's file: 00 or FF may follow it, and the status word 9000
    #[arg(long)]
    padding: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EncodeCommand {
    /// Writes an XML document of a known type as WBXML
    Wbxml(EncodeArguments),
}

#[derive(Debug, Args)]
pub(crate) struct EncodeArguments {
    /// A file with the document; - is standard input
    file: PathBuf,
    /// Print hexadecimal digits instead of the octets themselves
    #[arg(long)]
    hex: bool,
    /// Put repeated texts into a string table if that makes the document shorter
    #[arg(long)]
    string_table: bool,
}

pub(crate) fn run(
    arguments: &DecodeArguments,
    output: &Output,
) -> std::result::Result<(), Failure> {
    if arguments.padding && !arguments.kind.is_in_files() {
        let what = "--padding is for wbxml, syncml, tnds and cp";
        return Err(Error::new(Code::InvalidArg, what).into());
    }
    let given = match (&arguments.hex, &arguments.file) {
        (Some(hex), _) => Given::Hex(hex),
        (None, Some(file)) => Given::File(read(file)?),
        (None, None) => return Err(Error::new(Code::InvalidArg, "nothing to decode").into()),
    };
    let mut decoded = match arguments.kind {
        Kind::Apdu => decode::exchange(&given.apdus()?)?,
        kind => decode::decode(kind, &given.octets()?, arguments.padding)?,
    };
    let kind = clap::ValueEnum::to_possible_value(&arguments.kind);
    let kind = kind.map(|kind| kind.get_name().to_owned());
    decoded.json.insert("kind".into(), json!(kind));
    output.show(|| decoded.lines.join("\n"), || json!(decoded.json));
    decoded.fault.map_or(Ok(()), |fault| Err(fault.into()))
}

pub(crate) fn encode(command: &EncodeCommand, output: &Output) -> std::result::Result<(), Failure> {
    let EncodeCommand::Wbxml(arguments) = command;
    let wbxml = encode::wbxml(&read(&arguments.file)?, arguments.string_table)?;
    if arguments.hex || output.is_json() {
        output.show(|| hex(&wbxml), || json!({ "kind": "wbxml", "hex": hex(&wbxml) }));
    } else {
        output.write(&wbxml);
    }
    Ok(())
}

/// What was given, as it was given.
enum Given<'a> {
    Hex(&'a str),
    File(Vec<u8>),
}

impl Given<'_> {
    fn octets(&self) -> std::result::Result<Vec<u8>, Fault> {
        match self {
            Self::Hex(text) => decode::dump(text),
            Self::File(raw) => Ok(decode::octets(raw)?.into_owned()),
        }
    }

    fn apdus(&self) -> std::result::Result<Vec<decode::Apdu>, Fault> {
        match self {
            Self::Hex(text) => decode::apdus(text.as_bytes()),
            Self::File(raw) => decode::apdus(raw),
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let fault =
        |error: io::Error| Error::new(Code::InvalidArg, format!("{}: {error}", file.display()));
    if file == Path::new("-") {
        let mut octets = Vec::new();
        io::stdin().lock().read_to_end(&mut octets).map_err(fault)?;
        return Ok(octets);
    }
    fs::read(file).map_err(fault)
}
