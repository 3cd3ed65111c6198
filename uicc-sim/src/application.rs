//! The application on the card, as the card's operating system sees it.

use std::fmt;

/// What an application does with octets of an HTTP connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HttpOutput {
    /// Octets to send back, possibly none yet.
    pub octets: Vec<u8>,
    /// Close the connection once `octets` are out.
    pub close: bool,
}

/// One step of what the card found out about the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The card got what it expected.
    pub good: bool,
    /// One line of plain text.
    pub text: String,
}

/// The DM server application behind the card's web server.
pub trait Application: Send {
    /// Octets arrived on the web server's connection.
    fn http_received(&mut self, octets: &[u8]) -> HttpOutput;
    /// The terminal closed the web server's connection.
    fn http_closed(&mut self);
    /// The WSP push PDU (with package #0) that asks the terminal for a session.
    fn notification(&mut self) -> Vec<u8>;
    /// The card was reset or powered up: connections are gone, what is in files stays.
    fn reset(&mut self);
    /// What the application has found so far, oldest first.
    fn findings(&self) -> Vec<Finding>;
    /// Sessions that ended with every expectation met.
    fn good_sessions(&self) -> u32;
    /// Sessions that ended otherwise.
    fn bad_sessions(&self) -> u32;
}

/// What the card thinks of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was wrong, and no DM session took place.
    NoSession,
    /// Nothing was wrong, and every DM session met the expectations.
    Good,
    /// Something was wrong.
    Bad,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::NoSession => "no session",
            Verdict::Good => "good",
            Verdict::Bad => "bad",
        })
    }
}

/// The sum of findings and sessions.
pub fn verdict(findings: &[Finding], good_sessions: u32, bad_sessions: u32) -> Verdict {
    if bad_sessions > 0 || findings.iter().any(|finding| !finding.good) {
        Verdict::Bad
    } else if good_sessions > 0 {
        Verdict::Good
    } else {
        Verdict::NoSession
    }
}

/// Findings, session counts and verdict, one to a line.
pub fn report(findings: &[Finding], good_sessions: u32, bad_sessions: u32) -> String {
    let mut text = String::new();
    for finding in findings {
        text.push_str(if finding.good { "ok   " } else { "BAD  " });
        text.push_str(&finding.text);
        text.push('\n');
    }
    let verdict = verdict(findings, good_sessions, bad_sessions);
    text.push_str(&format!(
        "sessions: {good_sessions} good, {bad_sessions} bad\nverdict: {verdict}\n"
    ));
    text
}
