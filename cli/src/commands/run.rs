//! `dmsc run`: a phone with a card: bootstrap, toolkit, DM sessions.

use super::card::{SLOT, open_traced, show_report};
use crate::answer::{Answerer, Manner};
use crate::card::{CARD_HELP, CardName, SimCard};
use crate::device::DeviceArguments;
use crate::listener::{Ear, Seen};
use crate::network::NetworkArguments;
use crate::output::{Output, hex, printable};
use crate::store;
use clap::Args;
use dmsc::client::{CardId, Client, Delivery, Environment};
use dmsc::error::{Code, Error, Result};
use dmsc::event::TriggerSource;
use serde_json::json;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uicc_sim::card::Verdict;

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[arg(long, help = CARD_HELP)]
    card: CardName,
    /// Directory of the phone's store; made if missing. A simulated card keeps its memory there too
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Fail if the sessions have not ended after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u32,
    /// End after so many sessions, whoever asked for them
    #[arg(long, value_name = "N", default_value = "1")]
    sessions: NonZeroUsize,
    /// Deliver a push as the SMS stack would: a file with a WSP push PDU, the PDU in hexadecimal, or
    /// "sim" for the one that the simulated card's issuer would send
    #[arg(long, value_name = "FILE|HEX|sim")]
    push: Option<PushSource>,
    /// Ask for a session with the server, or with the only one there is
    #[arg(long, value_name = "SERVER", num_args = 0..=1, require_equals = true)]
    request: Option<Option<String>>,
    /// How the server's questions to the user are answered
    #[arg(long, value_enum, default_value = "ask")]
    answer: Manner,
    /// Judge the server's commands by the policy in this file instead of the built-in one
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

/// Where a push comes from: the value of `--push`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum PushSource {
    /// The simulated card's issuer.
    Sim,
    /// Given octets.
    Octets(Vec<u8>),
    /// A file with the octets.
    File(PathBuf),
}

impl FromStr for PushSource {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if text == "sim" {
            return Ok(Self::Sim);
        }
        if Path::new(text).is_file() {
            return Ok(Self::File(text.into()));
        }
        match dmsc::bytes::hex::decode(text) {
            Ok(octets) if !octets.is_empty() => Ok(Self::Octets(octets)),
            _ => Err("neither a file, nor hexadecimal digits, nor \"sim\""),
        }
    }
}

pub(crate) fn run(
    arguments: &RunArguments,
    pcap: Option<&Path>,
    output: &Arc<Output>,
) -> Result<()> {
    let opened = arguments.card.open(Some(&arguments.store))?;
    let sim = opened.sim;
    let store = store::open(&arguments.store)?;
    // Not before there is a directory for the simulated card's memory.
    let push = arguments.push.as_ref().map(|push| push.octets(sim.as_ref())).transpose()?;
    let mut config = arguments.device.config(&arguments.store, &store)?;
    config.network = arguments.network.config()?;
    let seen = Seen::default();
    let answers = Answerer::new(arguments.answer, output.clone());
    let ear = Ear::new(output.clone(), seen.clone(), Some(answers));
    let client = Client::new(config, store, Environment::system(), Box::new(ear))?;
    if let Some(path) = &arguments.policy {
        let told = |error| Error::new(Code::InvalidArg, format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(told)?;
        client.set_policy(&text).map_err(|error| error.context(path.display()))?;
    }
    let held = open_traced(&client, opened.transport, pcap)
        .and_then(|card| Phone { client: &client, card, seen, output }.hold(arguments, push));
    client.close();
    let verdict = sim.as_ref().map(|sim| show_verdict(sim, output));
    held?;
    if verdict == Some(Verdict::Bad) {
        let text = "the simulated card found faults: see its report";
        return Err(Error::new(Code::Protocol, text));
    }
    Ok(())
}

impl PushSource {
    /// The PDU.
    fn octets(&self, sim: Option<&SimCard>) -> Result<Vec<u8>> {
        match (self, sim) {
            (Self::Octets(octets), _) => Ok(octets.clone()),
            (Self::File(path), _) => fs::read(path).map_err(|error| {
                Error::new(Code::InvalidArg, format!("{}: {error}", path.display()))
            }),
            (Self::Sim, Some(sim)) => Ok(sim.card().notification()),
            (Self::Sim, None) => {
                Err(Error::new(Code::InvalidArg, "--push sim needs a simulated card"))
            }
        }
    }
}

/// A client with its card.
struct Phone<'a> {
    client: &'a Client,
    card: CardId,
    seen: Seen,
    output: &'a Output,
}

impl Phone<'_> {
    /// Everything from the bootstrap to the end of the last session.
    fn hold(&self, arguments: &RunArguments, push: Option<Vec<u8>>) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(arguments.timeout.into());
        self.bootstrap()?;
        self.client.start_toolkit(self.card)?;
        if let Some(octets) = push {
            self.output.show(
                || format!("push: {} octets", octets.len()),
                || json!({ "event": "push", "octets": hex(&octets) }),
            );
            let source = TriggerSource::Push;
            let delivery = Delivery { source, slot: SLOT, content_type: None, octets };
            self.client.deliver_trigger(delivery)?;
        }
        if let Some(server) = &arguments.request {
            self.client.start_session(server.clone())?;
        }
        let waited = self.wait(arguments.sessions.get(), until);
        let judged = self.judge(arguments.sessions.get(), arguments.timeout);
        waited.and(judged)
    }

    fn bootstrap(&self) -> Result<()> {
        let report = self.client.bootstrap_card(self.card)?;
        show_report(&report, self.output);
        Ok(())
    }

    /// Drives the client until `sessions` have ended or it is `until`.
    fn wait(&self, sessions: usize, until: Instant) -> Result<()> {
        while self.seen.lock().ended.len() < sessions {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.client.run_once(left)?;
            self.read_again(sessions)?;
        }
        Ok(())
    }

    /// Reads the card again if it asks for it; fails if it is gone.
    fn read_again(&self, sessions: usize) -> Result<()> {
        let mut seen = self.seen.lock();
        if seen.in_session || seen.ended.len() >= sessions {
            return Ok(());
        }
        let Some(news) = seen.card_news.take() else { return Ok(()) };
        drop(seen);
        if news.code() == Code::CardReset { self.bootstrap() } else { Err(news) }
    }

    /// Fails with the first session that failed, or if there were too few.
    fn judge(&self, wanted: usize, timeout: u32) -> Result<()> {
        let ended = self.seen.lock().ended.clone();
        let ended = ended.get(..wanted).unwrap_or(&ended);
        let mut failures = Vec::new();
        for id in ended {
            let error = self.client.session_info(*id)?.error;
            failures.extend(error.map(|error| error.context(format_args!("session {id}"))));
        }
        let (ended, failed) = (ended.len(), failures.len());
        self.output.show(
            || format!("sessions: {wanted} wanted, {ended} ended, {failed} failed"),
            || json!({ "event": "result", "wanted": wanted, "ended": ended, "failed": failed }),
        );
        match failures.into_iter().next() {
            Some(error) => Err(error),
            None if ended < wanted => {
                let text = format!("{ended} of {wanted} sessions ended in {timeout} s");
                Err(Error::new(Code::Timeout, text))
            }
            None => Ok(()),
        }
    }
}

/// Shows what the simulated card found out about the phone.
fn show_verdict(sim: &SimCard, output: &Output) -> Verdict {
    let card = sim.card();
    let text = || {
        let report = card.report();
        let lines: Vec<_> = report.lines().map(|line| format!("  {}", printable(line))).collect();
        format!("the card reports:\n{}", lines.join("\n"))
    };
    let json = || {
        let findings = card.findings().into_iter();
        let findings: Vec<_> =
            findings.map(|finding| json!({ "good": finding.good, "text": finding.text })).collect();
        let verdict = match card.verdict() {
            Verdict::Good => "good",
            Verdict::Bad => "bad",
            Verdict::NoSession => "no_session",
        };
        json!({
            "event": "card_report",
            "findings": findings,
            "good_sessions": card.good_sessions(),
            "bad_sessions": card.bad_sessions(),
            "verdict": verdict,
        })
    };
    output.show(text, json);
    card.verdict()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_a_push() {
        assert_eq!("sim".parse(), Ok(PushSource::Sim));
        assert_eq!("0106fF".parse(), Ok(PushSource::Octets(vec![1, 6, 0xFF])));
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert_eq!(file.parse(), Ok(PushSource::File(file.into())));
        assert!("".parse::<PushSource>().is_err());
        assert!("0106f".parse::<PushSource>().is_err());
        assert!("no-such-file".parse::<PushSource>().is_err());
    }
}
