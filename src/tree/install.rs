//! The standard objects of a fresh tree, and DevInfo and DevDetail kept as the host says
//! (DM Standardized Objects 1.2.1, 5).

use super::acl::Acl;
use super::edit::{Content, NewNode};
use super::node::{Node, Origin, Record};
use super::refusal::Refusal;
use super::uri::Path;
use super::{Actor, Format, MO_DEVDETAIL, MO_DEVINFO, MO_INBOX, Tree, records};
use crate::limits;
use crate::store::Txn;
use crate::time::Now;

/// What the device says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceInfo<'a> {
    /// Globally unique URN, for example `IMEI:493005100592800`.
    pub dev_id: &'a str,
    /// Manufacturer.
    pub man: &'a str,
    /// Model.
    pub model: &'a str,
    /// Version of the DM client.
    pub dm_v: &'a str,
    /// Language tag, for example `en-US`.
    pub lang: &'a str,
    /// Device type.
    pub dev_typ: &'a str,
    /// Original equipment manufacturer.
    pub oem: &'a str,
    /// Firmware version.
    pub fw_v: &'a str,
    /// Software version.
    pub sw_v: &'a str,
    /// Hardware version.
    pub hw_v: &'a str,
}

/// Creates what is missing of root, DevInfo, DevDetail, DMAcc and Inbox, and brings the values of
/// DevInfo and DevDetail up to date. Writes nothing when everything is as it should be.
pub fn install(txn: &mut Txn, device: &DeviceInfo<'_>, now: Now) -> Result<(), Refusal> {
    let mut tree = Tree::new(txn, Actor::Host, now).with_origin(&Origin::Factory);
    tree.all_or_nothing(|tree| {
        install_root(tree)?;
        tree.suspend_host_nodes()?;
        let interior = [
            ("DevInfo", MO_DEVINFO),
            ("DevDetail", MO_DEVDETAIL),
            ("DevDetail/URI", ""),
            // DMAcc is the identifier of each account below, not of the node that holds them.
            ("DMAcc", ""),
            ("Inbox", MO_INBOX),
            ("Ext", ""),
            ("Ext/DMSC", ""),
            ("Ext/DMSC/Audit", ""),
        ];
        for (uri, mo) in interior {
            keep(tree, uri, &Content::interior(mo))?;
        }
        // Its value is read from the journal; what is stored says how long it is.
        keep_size(tree, "Ext/DMSC/Audit/Head", 64)?;
        let leaves = [
            ("DevInfo/DevId", device.dev_id),
            ("DevInfo/Man", device.man),
            ("DevInfo/Mod", device.model),
            ("DevInfo/DmV", device.dm_v),
            ("DevInfo/Lang", device.lang),
            ("DevDetail/DevTyp", device.dev_typ),
            ("DevDetail/OEM", device.oem),
            ("DevDetail/FwV", device.fw_v),
            ("DevDetail/SwV", device.sw_v),
            ("DevDetail/HwV", device.hw_v),
            ("DevDetail/URI/MaxDepth", &limits::URI_DEPTH.to_string()),
            ("DevDetail/URI/MaxTotLen", &limits::URI_OCTETS.to_string()),
            ("DevDetail/URI/MaxSegLen", &limits::URI_SEGMENT.to_string()),
        ];
        for (uri, value) in leaves {
            keep(tree, uri, &Content::text(value))?;
        }
        let large_objects =
            Content { format: Some(Format::Bool), mime: None, value: Some(b"true") };
        keep(tree, "DevDetail/LrgObj", &large_objects)
    })
}

fn install_root(tree: &mut Tree<'_>) -> Result<(), Refusal> {
    let root = Path::root();
    if records::exists(tree.reader(), &root)? {
        return Ok(());
    }
    let node = Node {
        format: Format::Node,
        acl: Acl::factory(),
        tstamp: tree.now.unix_s,
        permanent: true,
        origin: Origin::Factory,
        ..Node::default()
    };
    records::create(tree.txn, &root, node.record(), b"")
}

/// Creates the permanent text leaf whose value is not stored.
fn keep_size(tree: &mut Tree<'_>, uri: &str, octets: u32) -> Result<(), Refusal> {
    let path = Path::parse(uri)?;
    if records::exists(tree.reader(), &path)? {
        return Ok(());
    }
    keep(tree, uri, &Content::text(""))?;
    let node = records::load(tree.reader(), &path)?.ok_or(Refusal::NotFound)?;
    records::update(tree.txn, &path, &Record { size: octets, ..node.record() });
    Ok(())
}

/// Creates the permanent node, or replaces its value if it differs.
fn keep(tree: &mut Tree<'_>, uri: &str, content: &Content<'_>) -> Result<(), Refusal> {
    let path = Path::parse(uri)?;
    match records::load(tree.reader(), &path)? {
        None => {
            let new = NewNode { permanent: true, ..NewNode::from(*content) };
            tree.add(&path.into(), &new)
        }
        Some(node) if node.format.is_interior() => Ok(()),
        Some(_) => {
            let same = Some(records::value(tree.reader(), &path)?.as_slice()) == content.value;
            if same { Ok(()) } else { tree.replace(&path.into(), content) }
        }
    }
}
