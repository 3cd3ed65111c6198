//! The content of EF DM_Bootstrap: one DM message that adds a TNDS object to the Inbox.

use serde::Deserialize;

use super::auth;
use super::wbxml::{self, Content, DMDDF, DocType, Element, METINF, SYNCML, WbxmlError};
use crate::profile::{Account, Octets};

/// MO identifier of the account object.
const DMACC: &str = "urn:oma:mo:oma-dm-dmacc:1.0";

/// How the TNDS object travels inside the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A WBXML document of its own inside opaque data.
    #[default]
    Opaque,
    /// Elements of code page 2 inside Data.
    Inline,
    /// XML text inside Data.
    XmlText,
}

/// How a value of format `bin` is written inside the TNDS object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binary {
    /// Base64 text.
    #[default]
    Base64,
    /// Opaque octets; not possible in XML text, where base64 stays.
    Opaque,
}

/// What the bootstrap holds beside the account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bootstrap {
    /// Whether the card has a bootstrap at all.
    pub present: bool,
    /// How the TNDS object travels.
    pub form: Form,
    /// How binary values are written.
    pub binary: Binary,
    /// The name proposed for the account's node.
    pub node: String,
    /// The ACL of the account's node; `None` writes none.
    pub acl: Option<String>,
    /// More management objects, in the same TNDS object behind the account.
    pub object: Vec<Object>,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            present: true,
            form: Form::default(),
            binary: Binary::default(),
            node: "CardServer".to_owned(),
            acl: None,
            object: Vec::new(),
        }
    }
}

/// One further management object.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// The name of its topmost node.
    pub name: String,
    /// Where it goes.
    #[serde(default = "inbox")]
    pub path: String,
    /// Its MO identifier.
    #[serde(rename = "type")]
    pub mo_type: String,
    /// Its leaves and interior nodes, parents first.
    #[serde(default)]
    pub node: Vec<ObjectNode>,
}

/// A node below the topmost one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectNode {
    /// Its address below the topmost node, segments joined with `/`.
    pub path: String,
    /// Its format; `node` has no value.
    #[serde(default = "chr")]
    pub format: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
}

fn inbox() -> String {
    "./Inbox".to_owned()
}

fn chr() -> String {
    "chr".to_owned()
}

/// Writes the bootstrap message; empty when the profile has none.
///
/// # Errors
/// When a format or another name of the profile has no WBXML token.
pub fn build(bootstrap: &Bootstrap, account: &Account) -> Result<Vec<u8>, WbxmlError> {
    if !bootstrap.present {
        return Ok(Vec::new());
    }
    let tree = tnds(bootstrap, account)?;
    let (format, mime, data) = match bootstrap.form {
        Form::Opaque => {
            let document = wbxml::encode(&tree, DocType::Tnds)?;
            let data = Element::octets(SYNCML, "Data", document);
            ("bin", "application/vnd.syncml.dmtnds+wbxml", data)
        }
        Form::Inline => {
            let data = Element::new(SYNCML, "Data").with(tree);
            ("xml", "application/vnd.syncml.dmtnds+xml", data)
        }
        Form::XmlText => {
            let data = Element::text(SYNCML, "Data", xml(&tree));
            ("xml", "application/vnd.syncml.dmtnds+xml", data)
        }
    };
    let meta = Element::new(SYNCML, "Meta")
        .with(Element::text(METINF, "Format", format))
        .with(Element::text(METINF, "Type", mime));
    let item =
        Element::new(SYNCML, "Item").with(located("Target", "./Inbox")).with(meta).with(data);
    let add = Element::new(SYNCML, "Add").with(Element::text(SYNCML, "CmdID", "1")).with(item);
    let body = Element::new(SYNCML, "SyncBody").with(add).with(Element::new(SYNCML, "Final"));
    let message = Element::new(SYNCML, "SyncML").with(header(account)).with(body);
    wbxml::encode(&message, DocType::SyncMl)
}

/// A header that is there for the form only: a bootstrap belongs to no session.
fn header(account: &Account) -> Element {
    Element::new(SYNCML, "SyncHdr")
        .with(Element::text(SYNCML, "VerDTD", "1.2"))
        .with(Element::text(SYNCML, "VerProto", "DM/1.2"))
        .with(Element::text(SYNCML, "SessionID", "0"))
        .with(Element::text(SYNCML, "MsgID", "0"))
        .with(located("Target", "./"))
        .with(located("Source", &account.server_id))
}

fn located(name: &'static str, uri: &str) -> Element {
    Element::new(SYNCML, name).with(Element::text(SYNCML, "LocURI", uri))
}

fn tnds(bootstrap: &Bootstrap, account: &Account) -> Result<Element, WbxmlError> {
    let mut tree = Element::new(DMDDF, "MgmtTree").with(Element::text(DMDDF, "VerDTD", "1.2"));
    tree.push(dmacc(bootstrap, account));
    for object in &bootstrap.object {
        let mut root = interior(&object.name, Some(&object.path), None, Some(&object.mo_type));
        for node in &object.node {
            place(&mut root, node)?;
        }
        tree.push(root);
    }
    Ok(tree)
}

/// The account object: who the server is, where it is, and both credentials.
fn dmacc(bootstrap: &Bootstrap, account: &Account) -> Element {
    let acl = bootstrap.acl.as_deref();
    let mut root = interior(&bootstrap.node, Some("./Inbox"), acl, Some(DMACC));
    root.push(leaf("AppID", "w7"));
    root.push(leaf("ServerID", &account.server_id));
    root.push(leaf("Name", &account.name));
    if let Some(reference) = &account.pref_con_ref {
        root.push(leaf("PrefConRef", reference));
    }
    let mut address = interior("1", None, None, None)
        .with(leaf("Addr", &account.address))
        .with(leaf("AddrType", "URI"));
    if let Some(port) = account.port {
        let numbered = interior("1", None, None, None).with(leaf("PortNbr", &port.to_string()));
        address.push(interior("Port", None, None, None).with(numbered));
    }
    root.push(interior("AppAddr", None, None, None).with(address));
    if let Some(scheme) = &account.auth_pref {
        root.push(leaf("AAuthPref", scheme));
    }
    let mut auth = interior("AppAuth", None, None, None);
    let entries = [("1", "CLCRED", &account.client), ("2", "SRVCRED", &account.server)];
    for (name, level, credential) in entries {
        let mut entry = interior(name, None, None, None)
            .with(leaf("AAuthLevel", level))
            .with(leaf("AAuthType", credential.auth.account_type()))
            .with(leaf("AAuthName", &credential.name))
            .with(leaf("AAuthSecret", &credential.secret));
        if let Some(nonce) = &credential.nonce {
            entry.push(binary("AAuthData", nonce, bootstrap));
        }
        auth.push(entry);
    }
    root.push(auth);
    root
}

fn interior(name: &str, path: Option<&str>, acl: Option<&str>, mo: Option<&str>) -> Element {
    let mut node = Element::new(DMDDF, "Node").with(Element::text(DMDDF, "NodeName", name));
    if let Some(path) = path {
        node.push(Element::text(DMDDF, "Path", path));
    }
    let mut properties = Element::new(DMDDF, "RTProperties");
    if let Some(acl) = acl {
        properties.push(Element::text(DMDDF, "ACL", acl));
    }
    properties.push(format_of("node"));
    let ddf_name = match mo {
        Some(mo) => Element::text(DMDDF, "DDFName", mo),
        None => Element::new(DMDDF, "DDFName"),
    };
    properties.push(Element::new(DMDDF, "Type").with(ddf_name));
    node.with(properties)
}

fn format_of(format: &'static str) -> Element {
    Element::new(DMDDF, "Format").with(Element::new(DMDDF, format))
}

fn leaf(name: &str, value: &str) -> Element {
    leaf_with(name, "chr", "text/plain", Element::text(DMDDF, "Value", value))
}

fn binary(name: &str, value: &Octets, bootstrap: &Bootstrap) -> Element {
    let opaque = bootstrap.binary == Binary::Opaque && bootstrap.form != Form::XmlText;
    let value = if opaque {
        Element::octets(DMDDF, "Value", value.as_slice())
    } else {
        Element::text(DMDDF, "Value", auth::base64(value.as_slice()))
    };
    leaf_with(name, "bin", "application/octet-stream", value)
}

fn leaf_with(name: &str, format: &'static str, mime: &str, value: Element) -> Element {
    let mime = Element::new(DMDDF, "Type").with(Element::text(DMDDF, "MIME", mime));
    let properties = Element::new(DMDDF, "RTProperties").with(format_of(format)).with(mime);
    Element::new(DMDDF, "Node")
        .with(Element::text(DMDDF, "NodeName", name))
        .with(properties)
        .with(value)
}

/// Puts a node of the profile at its place, which its parents have to be at already.
fn place(root: &mut Element, node: &ObjectNode) -> Result<(), WbxmlError> {
    let missing = WbxmlError { at: 0, what: "bootstrap node without its parent" };
    let (parents, name) = node.path.rsplit_once('/').unwrap_or(("", &node.path));
    let mut parent = root;
    for segment in parents.split('/').filter(|segment| !segment.is_empty()) {
        parent = child_node(parent, segment).ok_or(missing.clone())?;
    }
    let format = FORMATS.iter().find(|known| **known == node.format);
    let Some(format) = format else {
        return Err(WbxmlError { at: 0, what: "bootstrap node of unknown format" });
    };
    parent.push(match *format {
        "node" => interior(name, None, None, None),
        _ => leaf_with(name, format, "text/plain", Element::text(DMDDF, "Value", &node.value)),
    });
    Ok(())
}

/// The formats of the management tree.
const FORMATS: [&str; 11] =
    ["b64", "bin", "bool", "chr", "int", "node", "null", "xml", "date", "time", "float"];

fn child_node<'a>(parent: &'a mut Element, name: &str) -> Option<&'a mut Element> {
    parent.content.iter_mut().find_map(|content| match content {
        Content::Element(child) if is_node_named(child, name) => Some(child),
        _ => None,
    })
}

fn is_node_named(element: &Element, name: &str) -> bool {
    let node_name = element.child(DMDDF, "NodeName");
    element.name == "Node" && node_name.is_some_and(|found| found.value() == name.as_bytes())
}

/// The tree as XML text of the DDF namespace.
fn xml(tree: &Element) -> String {
    let mut text = String::from("<MgmtTree xmlns=\"syncml:dmddf1.2\">");
    tree.children().for_each(|child| write_xml(child, &mut text));
    text.push_str("</MgmtTree>");
    text
}

fn write_xml(element: &Element, text: &mut String) {
    if element.content.is_empty() {
        text.push_str(&format!("<{}/>", element.name));
        return;
    }
    text.push_str(&format!("<{}>", element.name));
    for content in &element.content {
        match content {
            Content::Element(child) => write_xml(child, text),
            Content::Text(value) => {
                let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                text.push_str(&value);
            }
            Content::Octets(octets) => text.push_str(&auth::base64(octets)),
        }
    }
    text.push_str(&format!("</{}>", element.name));
}
