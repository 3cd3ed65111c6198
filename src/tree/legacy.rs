//! DM accounts in the layout of SyncML DM 1.1.2 (`./SyncML/DMAcc/<x>/{Addr, ServerId, ...}`), read as
//! accounts of DM 1.2. Only read, never written.

use super::ddf::MO_DMACC;
use super::tnds::{Document, TndsNode};
use std::borrow::Cow;

/// The document with the accounts of the old layout in the new one; `None` if it holds none.
pub(super) fn upgraded(document: &Document<'_>) -> Option<Document<'static>> {
    if !document.nodes.iter().any(holds_account) {
        return None;
    }
    let mut document = document.clone().into_owned();
    document.nodes.iter_mut().for_each(upgrade);
    Some(document)
}

/// ServerId, if the node is an account of the old layout.
pub(super) fn server_id<'d>(node: &'d TndsNode<'_>) -> Option<&'d str> {
    leaf(node, "Addr")?;
    leaf(node, "ServerId")
}

fn holds_account(node: &TndsNode<'_>) -> bool {
    server_id(node).is_some() || node.children.iter().any(holds_account)
}

fn leaf<'d>(node: &'d TndsNode<'_>, name: &str) -> Option<&'d str> {
    std::str::from_utf8(octets(node, name)?).ok()
}

fn octets<'d>(node: &'d TndsNode<'_>, name: &str) -> Option<&'d [u8]> {
    let leaf = node.children.iter().find(|child| child.name.as_deref() == Some(name))?;
    leaf.value.as_deref().filter(|value| !value.is_empty())
}

/// Depth is that of the document, which its reader bounds.
fn upgrade(node: &mut TndsNode<'static>) {
    if server_id(node).is_some() {
        node.ddf_name = Some(Cow::Borrowed(MO_DMACC));
        node.children = account(node);
    } else {
        node.children.iter_mut().for_each(upgrade);
    }
}

/// The nodes of the same account in the layout of DM 1.2. AddrType named the transport there: HTTP, WSP
/// or OBEX, each with a URI as address.
fn account(old: &TndsNode<'_>) -> Vec<TndsNode<'static>> {
    let copied = |from, to| leaf(old, from).map(|value| chr(to, value));
    let mut address = vec![chr("AddrType", "URI")];
    address.extend(copied("Addr", "Addr"));
    if let Some(port) = leaf(old, "PortNbr") {
        address.push(interior("Port", vec![interior("1", vec![chr("PortNbr", port)])]));
    }
    let method = leaf(old, "AuthPref").map(method);
    let mut nodes = vec![chr("AppID", "w7")];
    nodes.extend(copied("ServerId", "ServerID"));
    nodes.extend(copied("Name", "Name"));
    nodes.extend(copied("ConRef", "PrefConRef"));
    nodes.push(interior("AppAddr", vec![interior("1", address)]));
    nodes.extend(method.map(|method| chr("AAuthPref", method)));
    let method = method.unwrap_or("DIGEST");
    let client = ["UserName", "ClientPW", "ClientNonce"];
    let server = ["ServerId", "ServerPW", "ServerNonce"];
    let credentials = [("CLCRED", client), ("SRVCRED", server)].into_iter();
    let credentials: Vec<_> = credentials
        .filter(|(_, [_, secret, _])| octets(old, secret).is_some())
        .zip(["1", "2"])
        .map(|((level, from), number)| interior(number, credential(old, level, method, from)))
        .collect();
    if !credentials.is_empty() {
        nodes.push(interior("AppAuth", credentials));
    }
    nodes
}

fn credential(
    old: &TndsNode<'_>,
    level: &'static str,
    method: &'static str,
    [name, secret, nonce]: [&str; 3],
) -> Vec<TndsNode<'static>> {
    let mut nodes = vec![chr("AAuthLevel", level), chr("AAuthType", method)];
    nodes.extend(leaf(old, name).map(|name| chr("AAuthName", name)));
    nodes.extend(leaf(old, secret).map(|secret| chr("AAuthSecret", secret)));
    nodes.extend(octets(old, nonce).map(|nonce| TndsNode {
        format: Some(Cow::Borrowed("bin")),
        value: Some(Cow::Owned(nonce.to_vec())),
        ..named("AAuthData")
    }));
    nodes
}

/// AAuthType of an AuthPref such as `syncml:auth-md5`.
fn method(pref: &str) -> &'static str {
    let pref = pref.to_ascii_lowercase();
    match pref.strip_prefix("syncml:auth-").unwrap_or(&pref) {
        "basic" => "BASIC",
        "mac" | "hmac" => "HMAC",
        _ => "DIGEST",
    }
}

fn named(name: &'static str) -> TndsNode<'static> {
    TndsNode { name: Some(Cow::Borrowed(name)), ..TndsNode::default() }
}

fn chr(name: &'static str, value: &str) -> TndsNode<'static> {
    let value = Some(Cow::Owned(value.as_bytes().to_vec()));
    TndsNode { format: Some(Cow::Borrowed("chr")), value, ..named(name) }
}

fn interior(name: &'static str, children: Vec<TndsNode<'static>>) -> TndsNode<'static> {
    TndsNode { format: Some(Cow::Borrowed("node")), children, ..named(name) }
}
