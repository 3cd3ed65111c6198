//! What the client owes for the commands of a package, and whether it came.

use super::incoming::{Command as Received, Item};
use super::outgoing::{Part, Sent};
use super::script::{Verb, Wanted};

/// A command that was sent, with what came back for it so far.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) msg_id: u32,
    pub(crate) cmd_id: u32,
    name: &'static str,
    items: Vec<OwedItem>,
}

/// One item of it.
#[derive(Debug)]
struct OwedItem {
    part: Part,
    code: Option<u16>,
    /// The first piece of a value of which more is to come, its data growing.
    partial: Option<Item>,
    /// All Results are there, or the server does not want the rest.
    has_results: bool,
}

impl Owed {
    /// A command that went out in message `msg_id`.
    pub(crate) fn new(msg_id: u32, sent: Sent) -> Self {
        let item = |part| OwedItem { part, code: None, partial: None, has_results: false };
        let items = sent.parts.into_iter().map(item).collect();
        Self { msg_id, cmd_id: sent.cmd_id, name: sent.name, items }
    }

    /// How people call the command.
    pub(crate) fn label(&self) -> String {
        match self.items.first().and_then(|item| item.part.target.as_deref()) {
            Some(target) if self.cmd_id != 0 => format!("{} {target}", self.name),
            _ => self.name.to_owned(),
        }
    }

    /// True once an item has its Status.
    pub(crate) fn is_answered(&self) -> bool {
        self.items.iter().any(|item| item.code.is_some())
    }

    /// Takes a Status of the command, or of the items that it refers to; what is wrong with it comes back.
    pub(crate) fn status(&mut self, status: &Received, code: u16) -> Vec<String> {
        let mut faults = Vec::new();
        let label = self.label();
        if status.answered != self.name {
            faults.push(format!("{label}: Cmd of the Status is {}", status.answered));
        }
        let (meant, foreign) = self.meant(&status.target_refs);
        faults.extend(foreign.map(|uri| format!("{label}: TargetRef of the Status is {uri:?}")));
        for source in &status.source_refs {
            if !self.items.iter().any(|item| item.part.source.as_ref() == Some(source)) {
                faults.push(format!("{label}: SourceRef of the Status is {source:?}"));
            }
        }
        for at in meant {
            if let Some(item) = self.items.get_mut(at) {
                faults.extend(
                    item.status(self.name, status, code)
                        .into_iter()
                        .map(|fault| format!("{label}: {fault}")),
                );
            }
        }
        faults
    }

    /// The items that a Status is for, in the order of its references, and a reference to none of them.
    fn meant(&self, refs: &[String]) -> (Vec<usize>, Option<String>) {
        if refs.is_empty() {
            return ((0..self.items.len()).collect(), None);
        }
        let mut meant: Vec<usize> = Vec::new();
        for uri in refs {
            let is_it = |item: &OwedItem| item.part.target.as_ref() == Some(uri);
            let items = || self.items.iter().enumerate().filter(|(_, item)| is_it(item));
            // The same node may be the target of several items.
            let next = items().find(|(at, item)| item.code.is_none() && !meant.contains(at));
            match next.or_else(|| items().next()) {
                Some((at, _)) => meant.push(at),
                None => return (meant, Some(uri.clone())),
            }
        }
        (meant, None)
    }

    /// Takes Results; the code of their Status and what is wrong with them come back.
    pub(crate) fn results(&mut self, results: &Received) -> (u16, Vec<String>) {
        let label = self.label();
        if self.name != "Get" && self.name != "Exec" {
            return (400, vec![format!("{label}: Results for it")]);
        }
        if results.items.is_empty() {
            return (400, vec![format!("{label}: Results without an Item")]);
        }
        let (mut code, mut faults) = (200, Vec::new());
        for item in &results.items {
            let source = item.source.as_deref().unwrap_or_default();
            let owed = self.items.iter_mut().filter(|owed| owed.is_about(source));
            let Some(owed) = owed.min_by_key(|owed| owed.has_results) else {
                faults.push(format!("{label}: Source of the Results is {source:?}"));
                continue;
            };
            let (of_item, found) = owed.results(item);
            code = if of_item == 200 { code } else { of_item };
            faults.extend(found.into_iter().map(|fault| format!("{label}: {fault}")));
        }
        (code, faults)
    }

    /// What is missing now that the client's package is complete.
    pub(crate) fn missing(&self) -> Option<String> {
        let label = self.label();
        self.items.iter().find_map(|item| match item.code {
            None => Some(format!("{label}: no Status")),
            Some(200) if self.name == "Get" && !item.has_results => {
                Some(format!("{label}: no Results"))
            }
            Some(_) => None,
        })
    }

    /// The nodes whose Results have begun and not ended.
    pub(crate) fn endless(self) -> impl Iterator<Item = String> {
        let begun = self.items.into_iter().filter(|item| item.partial.is_some());
        begun.filter_map(|item| item.part.target)
    }
}

impl OwedItem {
    /// Takes the code of the item's Status.
    fn status(&mut self, name: &str, status: &Received, code: u16) -> Vec<String> {
        let mut faults = Vec::new();
        if self.code.replace(code).is_some() {
            faults.push("a second Status".to_owned());
        }
        if let Some(expect) = self.expected(name).filter(|expect| !expect.contains(&code)) {
            faults.push(format!("Status {code} instead of {expect:?}"));
        }
        faults.extend(self.answer_fault(status, code));
        faults
    }

    /// The codes that are right.
    fn expected(&self, name: &str) -> Option<&[u16]> {
        match &self.part.command {
            Some(command) => Some(&command.expect),
            // Alert 1222 is the only command that is not the script's.
            None if name == "Alert" => Some(&[200]),
            None => None,
        }
    }

    /// What the user should have answered, in any order.
    fn answer_fault(&self, status: &Received, code: u16) -> Option<String> {
        let Some(Verb::Alert(alert)) = self.verb() else { return None };
        let mut wanted: Vec<&[u8]> = alert.answer.as_ref()?.iter().map(String::as_bytes).collect();
        let mut found: Vec<&[u8]> =
            status.items.iter().map(|item| item.data.as_deref().unwrap_or_default()).collect();
        wanted.sort_unstable();
        found.sort_unstable();
        (code == 200 && wanted != found).then(|| "another answer".to_owned())
    }

    fn verb(&self) -> Option<&Verb> {
        self.part.command.as_ref().map(|command| &command.verb)
    }

    /// Whether Results with this Source are for the item: its own URI, or that of a node in the list it asked for.
    fn is_about(&self, source: &str) -> bool {
        let target = self.part.target.as_deref().unwrap_or_default();
        match target.split_once("?list=") {
            Some((top, _)) => source
                .strip_prefix(top)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            None => source == target,
        }
    }

    /// Takes an item of Results; the code of their Status and what is wrong with it come back.
    fn results(&mut self, item: &Item) -> (u16, Vec<String>) {
        let mut faults = Vec::new();
        if self.code != Some(200) {
            faults.push("Results without a Status 200 before them".to_owned());
        }
        if item.more {
            if let Some(Verb::Get { refuse: Some(code), .. }) = self.verb() {
                let code = *code;
                if std::mem::replace(&mut self.has_results, true) {
                    faults.push("another piece of Results that were refused".to_owned());
                }
                return (code, faults);
            }
            faults.extend(self.piece(item));
            return (213, faults);
        }
        let whole = match self.whole(item) {
            Ok(whole) => whole,
            Err(fault) => return (424, vec![fault]),
        };
        self.has_results = true;
        faults.extend(self.value_fault(&whole));
        (200, faults)
    }

    /// Takes a piece of a large object.
    fn piece(&mut self, item: &Item) -> Option<String> {
        let Some(first) = &mut self.partial else {
            self.partial = Some(item.clone());
            let missing = item.size.is_none();
            return missing.then(|| "first piece without Size".to_owned());
        };
        append(first, item);
        item.size.is_some().then(|| "Size again behind the first piece".to_owned())
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
        let Some(Verb::Get { results: Some(wanted), .. }) = self.verb() else { return None };
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
}

fn append(whole: &mut Item, piece: &Item) {
    let data = whole.data.get_or_insert_default();
    data.extend_from_slice(piece.data.as_deref().unwrap_or_default());
}
