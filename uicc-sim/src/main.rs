//! The simulated card as a program: behind a vpcd reader, a TCP port or a pipe.

use clap::{ArgGroup, Parser};
use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::PoisonError;
use uicc_sim::application::{self, Application as _, Verdict};
use uicc_sim::card::Card;
use uicc_sim::dm::listener::Listener;
use uicc_sim::hex;
use uicc_sim::link::{self, Observer, Power};
use uicc_sim::profile::Profile;

/// A simulated UICC with files, PKCS#15, toolkit, web server and on-card DM server.
///
/// Prints what it found out about the terminal when the link ends, and exits with 2 if something
/// was wrong.
#[derive(Debug, Parser)]
#[command(version, group(ArgGroup::new("link").required(true)))]
struct Arguments {
    /// Profile file, or "demo" for the embedded card
    #[arg(long, value_name = "FILE", default_value = "demo")]
    profile: PathBuf,
    /// Keep the card's nonces in this file when it is switched off
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
    /// Put the card into the vpcd reader at this address
    #[arg(long, value_name = "HOST:PORT", group = "link")]
    vpcd: Option<String>,
    /// Wait for terminals at this address
    #[arg(long, value_name = "ADDR:PORT", group = "link")]
    listen: Option<String>,
    /// Be no card but a DM server with plain HTTP at this address, for the profile's account and
    /// script; ends when --sessions have ended
    #[arg(long, value_name = "ADDR:PORT", group = "link")]
    serve_dm: Option<String>,
    /// How many DM sessions --serve-dm waits for
    #[arg(long, value_name = "COUNT", default_value_t = u32::MAX)]
    sessions: u32,
    /// Take APDUs in hexadecimal from standard input, one to a line
    #[arg(long, group = "link")]
    stdio: bool,
    /// Print every APDU to standard error
    #[arg(long)]
    trace: bool,
    /// Write the findings to this file after each session
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Traces APDUs and keeps the report file fresh.
struct Watch {
    trace: bool,
    report: Option<PathBuf>,
    sessions: (u32, u32),
}

impl Watch {
    fn write_report(&self, card: &Card) {
        let Some(path) = &self.report else { return };
        if let Err(error) = replace(path, &card.report()) {
            eprintln!("uicc-sim: {}: {error}", path.display());
        }
    }
}

/// Puts `text` into the file in one step, so that a reader never sees half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    fs::write(&draft, text)?;
    fs::rename(&draft, path)
}

impl Observer for Watch {
    fn exchanged(&mut self, card: &Card, command: &[u8], response: &[u8]) {
        if self.trace {
            eprintln!("> {}\n< {}", hex::encode(command), hex::encode(response));
        }
        let sessions = (card.good_sessions(), card.bad_sessions());
        if sessions != self.sessions {
            self.sessions = sessions;
            self.write_report(card);
        }
    }

    fn powered(&mut self, card: &Card, power: Power) {
        if self.trace {
            eprintln!("* {power:?}");
        }
        if power == Power::Off {
            self.write_report(card);
        }
    }

    fn removed(&mut self, card: &Card) {
        if self.trace {
            eprintln!("* Removed");
        }
        self.write_report(card);
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(Verdict::Bad) => ExitCode::from(2),
        Ok(_) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("uicc-sim: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Verdict, String> {
    let mut profile = match arguments.profile.to_str() {
        Some("demo") => Profile::demo(),
        _ => Profile::load(&arguments.profile)?,
    };
    if arguments.memory.is_some() {
        profile.server.memory_file.clone_from(&arguments.memory);
    }
    if let Some(address) = &arguments.serve_dm {
        return serve_dm(address, profile, arguments);
    }
    let mut card = profile.build()?;
    let mut watch =
        Watch { trace: arguments.trace, report: arguments.report.clone(), sessions: (0, 0) };
    let served = serve(arguments, &mut card, &mut watch);
    watch.write_report(&card);
    // Standard output carries the responses of the line protocol.
    eprint!("{}", card.report());
    served.map(|()| card.verdict()).map_err(|error| error.to_string())
}

/// A DM server that is no card.
fn serve_dm(address: &str, profile: Profile, arguments: &Arguments) -> Result<Verdict, String> {
    let listener = Listener::bind(address, profile)?;
    let bound = listener.address().map_err(|error| error.to_string())?;
    println!("listening on {bound}");
    listener.serve(arguments.sessions).map_err(|error| error.to_string())?;
    let server = listener.server();
    let server = server.lock().unwrap_or_else(PoisonError::into_inner);
    let (findings, good, bad) = (server.findings(), server.good_sessions(), server.bad_sessions());
    let report = application::report(&findings, good, bad);
    if let Some(path) = &arguments.report {
        replace(path, &report).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    eprint!("{report}");
    Ok(application::verdict(&findings, good, bad))
}

fn serve(arguments: &Arguments, card: &mut Card, watch: &mut Watch) -> io::Result<()> {
    if let Some(reader) = &arguments.vpcd {
        link::vpcd::serve(link::vpcd::connect(reader)?, card, watch)
    } else if let Some(address) = &arguments.listen {
        let listener = TcpListener::bind(address)?;
        // Port 0 lets the system choose; whoever started us has to learn which.
        println!("listening on {}", listener.local_addr()?);
        link::tcp::serve(&listener, card, watch)
    } else {
        link::stdio::serve(io::stdin().lock(), io::stdout().lock(), card, watch)
    }
}
