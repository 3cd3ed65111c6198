//! What the client owes for the commands of a package, and whether it came.

use super::incoming::{Command as Received, Item};
use super::outgoing::Sent;
use super::script::{Verb, Wanted};

/// A command that was sent, with what came back for it so far.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) msg_id: u32,
    pub(crate) sent: Sent,
    pub(crate) code: Option<u16>,
    /// The first piece of a value of which more is to come, its data growing.
    partial: Option<Item>,
    has_results: bool,
}

impl Owed {
    /// A command that went out in message `msg_id`.
    pub(crate) fn new(msg_id: u32, sent: Sent) -> Self {
        Self { msg_id, sent, code: None, partial: None, has_results: false }
    }

    /// How people call the command.
    pub(crate) fn label(&self) -> String {
        match &self.sent.target {
            Some(target) if self.sent.cmd_id != 0 => format!("{} {target}", self.sent.name),
            _ => self.sent.name.to_owned(),
        }
    }

    /// Takes the command's Status; what is wrong with it comes back.
    pub(crate) fn status(&mut self, status: &Received, code: u16) -> Vec<String> {
        let mut faults = Vec::new();
        let label = self.label();
        if self.code.replace(code).is_some() {
            faults.push(format!("{label}: a second Status"));
        }
        if status.answered != self.sent.name {
            faults.push(format!("{label}: Cmd of the Status is {}", status.answered));
        }
        let references = [
            ("TargetRef", &status.target_ref, &self.sent.target),
            ("SourceRef", &status.source_ref, &self.sent.source),
        ];
        for (name, found, sent) in references {
            if found.is_some() && found != sent {
                faults.push(format!("{label}: {name} of the Status is {found:?}"));
            }
        }
        if let Some(expect) = self.expected().filter(|expect| !expect.contains(&code)) {
            faults.push(format!("{label}: Status {code} instead of {expect:?}"));
        }
        faults.extend(self.answer_fault(status, code));
        faults
    }

    /// The codes that are right.
    fn expected(&self) -> Option<&[u16]> {
        match &self.sent.command {
            Some(command) => Some(&command.expect),
            // Alert 1222 is the only command that is not the script's.
            None if self.sent.name == "Alert" => Some(&[200]),
            None => None,
        }
    }

    /// What the user should have answered, in any order.
    fn answer_fault(&self, status: &Received, code: u16) -> Option<String> {
        let Some(Verb::Alert(alert)) = self.sent.command.as_ref().map(|command| &command.verb)
        else {
            return None;
        };
        let mut wanted: Vec<&[u8]> = alert.answer.as_ref()?.iter().map(String::as_bytes).collect();
        let mut found: Vec<&[u8]> =
            status.items.iter().map(|item| item.data.as_deref().unwrap_or_default()).collect();
        wanted.sort_unstable();
        found.sort_unstable();
        (code == 200 && wanted != found).then(|| format!("{}: another answer", self.label()))
    }

    /// Takes Results; the code of their Status and what is wrong with them come back.
    pub(crate) fn results(&mut self, results: &Received) -> (u16, Vec<String>) {
        let label = self.label();
        if self.sent.name != "Get" && self.sent.name != "Exec" {
            return (400, vec![format!("{label}: Results for it")]);
        }
        let mut faults = Vec::new();
        if self.code != Some(200) {
            faults.push(format!("{label}: Results without a Status 200 before them"));
        }
        let Some(item) = results.items.first() else {
            return (400, vec![format!("{label}: Results without an Item")]);
        };
        if item.source.as_deref() != self.sent.target.as_deref() {
            faults.push(format!("{label}: Source of the Results is {:?}", item.source));
        }
        if item.more {
            faults.extend(self.piece(item));
            return (213, faults);
        }
        let whole = match self.whole(item) {
            Ok(whole) => whole,
            Err(fault) => return (424, vec![format!("{label}: {fault}")]),
        };
        self.has_results = true;
        faults.extend(self.value_fault(&whole).map(|fault| format!("{label}: {fault}")));
        (200, faults)
    }

    /// Takes a piece of a large object.
    fn piece(&mut self, item: &Item) -> Option<String> {
        let label = self.label();
        let Some(first) = &mut self.partial else {
            self.partial = Some(item.clone());
            let missing = item.size.is_none();
            return missing.then(|| format!("{label}: first piece without Size"));
        };
        append(first, item);
        let again = item.size.is_some();
        again.then(|| format!("{label}: Size again behind the first piece"))
    }

    /// The whole item, of one or of several pieces.
    fn whole(&mut self, item: &Item) -> Result<Item, String> {
        let Some(mut whole) = self.partial.take() else { return Ok(item.clone()) };
        append(&mut whole, item);
        let length = whole.data.as_deref().unwrap_or_default().len();
        if whole.size.as_deref() != Some(length.to_string().as_str()) {
            return Err(format!("{length} octets came, announced were {:?}", whole.size));
        }
        Ok(whole)
    }

    fn value_fault(&self, item: &Item) -> Option<String> {
        let Some(Verb::Get { results: Some(wanted), .. }) =
            self.sent.command.as_ref().map(|command| &command.verb)
        else {
            return None;
        };
        let Some(value) = item.value() else {
            return Some("Results without readable Data".to_owned());
        };
        let right = match wanted {
            Wanted::Text(text) => value == text.as_bytes(),
            Wanted::Prefix(prefix) => value.starts_with(prefix.as_bytes()),
            Wanted::Children(names) => {
                let found: Vec<&[u8]> = value.split(|octet| *octet == b'/').collect();
                names.iter().all(|name| found.contains(&name.as_bytes()))
            }
        };
        (!right).then(|| {
            let start: String = String::from_utf8_lossy(&value).chars().take(60).collect();
            format!("{} octets came that are not as wanted: {start:?}", value.len())
        })
    }

    /// What is missing now that the client's package is complete.
    pub(crate) fn missing(&self) -> Option<String> {
        let label = self.label();
        match self.code {
            None => Some(format!("{label}: no Status")),
            Some(200) if self.sent.name == "Get" && !self.has_results => {
                Some(format!("{label}: no Results"))
            }
            Some(_) => None,
        }
    }
}

fn append(whole: &mut Item, piece: &Item) {
    let data = whole.data.get_or_insert_default();
    data.extend_from_slice(piece.data.as_deref().unwrap_or_default());
}
