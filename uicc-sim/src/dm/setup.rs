//! Package 1 of the client: the alert that opens the session and the DevInfo.

use super::incoming::{Command, Item};

/// The leaves of DevInfo that have to come.
const LEAVES: [&str; 5] = ["DevId", "Man", "Mod", "DmV", "Lang"];

/// What package 1 brought so far.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    alerts: Vec<String>,
    replaces: usize,
    items: Vec<Item>,
}

impl Setup {
    /// Takes Alert 1200 or 1201.
    pub(crate) fn alert(&mut self, code: &str) {
        self.alerts.push(code.to_owned());
    }

    /// Takes a Replace.
    pub(crate) fn replace(&mut self, replace: &Command) {
        self.replaces += 1;
        self.items.extend(replace.items.iter().cloned());
    }

    /// Everything that is wrong with package 1; nothing when it is complete.
    pub(crate) fn faults(&self, triggered: bool, device: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let wanted = if triggered { "1200" } else { "1201" };
        if self.alerts != [wanted] {
            faults.push(format!("alerts {:?} instead of {wanted}", self.alerts));
        }
        if self.replaces == 0 {
            faults.push("no Replace with DevInfo".to_owned());
        }
        for leaf in LEAVES {
            match self.leaf(leaf) {
                None => faults.push(format!("no DevInfo/{leaf}")),
                Some(item) => faults.extend(item_fault(leaf, item, device)),
            }
        }
        let foreign = self
            .items
            .iter()
            .filter_map(|item| item.source.as_deref())
            .find(|source| !source.trim_start_matches("./").starts_with("DevInfo/"));
        faults.extend(foreign.map(|source| format!("{source} is not in DevInfo")));
        if self.items.iter().any(|item| item.target.is_some()) {
            faults.push("DevInfo item with Target".to_owned());
        }
        if self.items.iter().any(|item| item.format.as_deref() == Some("node")) {
            faults.push("DevInfo item that is an interior node".to_owned());
        }
        faults
    }

    fn leaf(&self, name: &str) -> Option<&Item> {
        let mut items = self.items.iter();
        items.find(|item| {
            let source = item.source.as_deref().unwrap_or_default();
            source.trim_start_matches("./").strip_prefix("DevInfo/") == Some(name)
        })
    }
}

fn item_fault(leaf: &str, item: &Item, device: &str) -> Option<String> {
    let value = item.data.as_deref().unwrap_or_default();
    if value.is_empty() {
        return Some(format!("DevInfo/{leaf} without a value"));
    }
    let differs = leaf == "DevId" && value != device.as_bytes();
    differs.then(|| "DevInfo/DevId differs from the header's Source".to_owned())
}
