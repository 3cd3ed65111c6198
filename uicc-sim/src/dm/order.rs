//! The order of children that the SyncML DTD prescribes inside each element.

use super::wbxml::{Element, SYNCML};

/// The children of an element in their order; `None` where the order is free.
fn children_of(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "SyncML" => &["SyncHdr", "SyncBody"],
        "SyncHdr" => &[
            "VerDTD",
            "VerProto",
            "SessionID",
            "MsgID",
            "Target",
            "Source",
            "RespURI",
            "NoResp",
            "Cred",
            "Meta",
        ],
        "Target" | "Source" => &["LocURI", "LocName"],
        "Cred" => &["Meta", "Data"],
        "Chal" => &["Meta"],
        "Item" => &["Target", "Source", "Meta", "Data", "MoreData"],
        "Replace" => &["CmdID", "NoResp", "Cred", "Meta", "Item"],
        "Alert" => &["CmdID", "NoResp", "Cred", "Data", "Correlator", "Item"],
        "Results" => &["CmdID", "MsgRef", "CmdRef", "Meta", "TargetRef", "SourceRef", "Item"],
        "Status" => &[
            "CmdID",
            "MsgRef",
            "CmdRef",
            "Cmd",
            "TargetRef",
            "SourceRef",
            "Cred",
            "Chal",
            "Data",
            "Item",
        ],
        _ => return None,
    })
}

/// The first place where the order is broken, in words.
pub(crate) fn first_disorder(root: &Element) -> Option<String> {
    if root.page != SYNCML {
        return None;
    }
    if root.name == "SyncBody" {
        let last = root.children().last().map(|child| child.name);
        if root.children().any(|child| child.name == "Final") && last != Some("Final") {
            return Some("Final is not the last child of SyncBody".to_owned());
        }
    }
    if let Some(allowed) = children_of(root.name) {
        let mut position = 0;
        for child in root.children() {
            let Some(found) = allowed.iter().position(|name| *name == child.name) else {
                return Some(format!("{} inside {}", child.name, root.name));
            };
            if found < position {
                return Some(format!("{} too late inside {}", child.name, root.name));
            }
            position = found;
        }
    }
    root.children().find_map(first_disorder)
}
