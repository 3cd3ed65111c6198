//! Reading the management tree.

use super::buffer::{self, dmsc_buffer};
use super::callbacks::c_text;
use super::client::dmsc_client;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use crate::client::{Client, NodeInfo};
use crate::error::{Code, Error};
use crate::markup::Encoding;
use crate::tree::{Format, Origin};
use std::ffi::{c_char, c_void};

/// Formats of nodes (OMA DM Tree and Description 1.2.1, property Format).
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_format {
    /// Interior node.
    DMSC_FORMAT_NODE = 0,
    /// Text.
    DMSC_FORMAT_CHR = 1,
    /// Octets.
    DMSC_FORMAT_BIN = 2,
    /// Signed 32-bit number in decimal.
    DMSC_FORMAT_INT = 3,
    /// "true" or "false".
    DMSC_FORMAT_BOOL = 4,
    /// Base64 text that is the value itself.
    DMSC_FORMAT_B64 = 5,
    /// XML text.
    DMSC_FORMAT_XML = 6,
    /// No value.
    DMSC_FORMAT_NULL = 7,
    /// ISO 8601 date.
    DMSC_FORMAT_DATE = 8,
    /// ISO 8601 time.
    DMSC_FORMAT_TIME = 9,
    /// XML Schema float.
    DMSC_FORMAT_FLOAT = 10,
}

/// The dmsc_format number of a format.
pub(super) fn format_number(format: Format) -> u32 {
    FORMATS.iter().zip(0..).find(|(known, _)| **known == format).map_or(0, |(_, number)| number)
}

/// The format of a dmsc_format number.
pub(super) fn format_of(number: u32) -> Result<Format, Error> {
    let known = usize::try_from(number).ok().and_then(|number| FORMATS.get(number));
    known
        .copied()
        .ok_or_else(|| Error::new(Code::InvalidArg, format!("format {number} is no dmsc_format")))
}

const FORMATS: [Format; 11] = [
    Format::Node,
    Format::Chr,
    Format::Bin,
    Format::Int,
    Format::Bool,
    Format::B64,
    Format::Xml,
    Format::Null,
    Format::Date,
    Format::Time,
    Format::Float,
];

/// What a node is.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_node_info {
    /// sizeof(dmsc_node_info); set by the caller.
    pub struct_size: usize,
    /// A dmsc_format number.
    pub format: u32,
    /// Octets of the value; 0 for interior nodes.
    pub size: u32,
    /// Changes of the node so far, modulo 65536 (property VerNo).
    pub version: u32,
    /// Time of the last change, seconds since 1970-01-01 UTC (property TStamp).
    pub tstamp: i64,
    /// A dmsc_origin number: who brought the node.
    pub origin: u32,
    /// DMSC_ORIGIN_CARD: the card's slot; else 0.
    pub origin_slot: u32,
}

/// Who brought a node into the tree.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_origin {
    /// The library or the host.
    DMSC_ORIGIN_HOST = 0,
    /// A document of the device's maker, or the standard objects of a new store.
    DMSC_ORIGIN_FACTORY = 1,
    /// A pushed bootstrap.
    DMSC_ORIGIN_BOOTSTRAP = 2,
    /// The card in a slot: the node goes with the card.
    DMSC_ORIGIN_CARD = 3,
    /// A DM server.
    DMSC_ORIGIN_SERVER = 4,
}

// SAFETY: integers only.
unsafe impl CStruct for dmsc_node_info {
    const NAME: &'static str = "dmsc_node_info";
}

fn c_info(node: &NodeInfo) -> dmsc_node_info {
    let (origin, origin_slot) = match &node.origin {
        Origin::Host => (dmsc_origin::DMSC_ORIGIN_HOST, 0),
        Origin::Factory => (dmsc_origin::DMSC_ORIGIN_FACTORY, 0),
        Origin::Bootstrap => (dmsc_origin::DMSC_ORIGIN_BOOTSTRAP, 0),
        Origin::Card { slot, .. } => (dmsc_origin::DMSC_ORIGIN_CARD, *slot),
        Origin::Server(_) => (dmsc_origin::DMSC_ORIGIN_SERVER, 0),
    };
    dmsc_node_info {
        struct_size: size_of::<dmsc_node_info>(),
        format: format_number(node.format),
        size: node.size,
        version: node.version.into(),
        tstamp: node.tstamp,
        origin: origin as u32,
        origin_slot,
    }
}

/// Called for each child; return false to end. `name` and `info` are valid during the call.
pub type dmsc_node_visit_fn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        name: *const c_char,
        info: *const dmsc_node_info,
    ) -> bool,
>;

/// How a subtree is written.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_export_format {
    /// TNDS in XML (application/vnd.syncml.dmtnds+xml).
    DMSC_EXPORT_TNDS_XML = 0,
    /// TNDS in WBXML (application/vnd.syncml.dmtnds+wbxml).
    DMSC_EXPORT_TNDS_WBXML = 1,
    /// Added to one of the others: the access control list that counts for the top node is written at
    /// it, also if it is inherited, so that the subtree has the same rights elsewhere.
    DMSC_EXPORT_INHERITED = 0x100,
}

/// The value of leaf `uri`, for example "./DevInfo/DevId".
///
/// Passwords and nonces of accounts are not given (DMSC_ERR_NODE_NOT_ALLOWED); passwords of access points and
/// proxies are, since the host connects with them.
/// @param value written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK; DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_NODE_NOT_ALLOWED also for an interior
///         node; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_tree_get(
    client: *mut dmsc_client,
    uri: *const c_char,
    value: *mut *mut dmsc_buffer,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(value, "value")?;
        // SAFETY: the caller's precondition.
        let octets = client.tree_get(unsafe { handle::text(uri, "uri") }?)?;
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(value, "value", buffer::give(octets)) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// What node `uri` is.
///
/// @pre `info->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8;
///         DMSC_ERR_STORAGE_*.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_tree_info_get(
    client: *mut dmsc_client,
    uri: *const c_char,
    info: *mut dmsc_node_info,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let node = client.tree_info(unsafe { handle::text(uri, "uri") }?)?;
        // SAFETY: the caller's precondition.
        unsafe { handle::write_struct(info, &c_info(&node)) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Visits the children of interior node `uri`, in order of their names.
///
/// @param visit called for each child on this thread; must not be NULL.
/// @return DMSC_OK (also when `visit` ended it); DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND;
///         DMSC_ERR_NODE_NOT_ALLOWED for a leaf; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_tree_children(
    client: *mut dmsc_client,
    uri: *const c_char,
    visit: dmsc_node_visit_fn,
    user_data: *mut c_void,
) -> dmsc_result {
    let body = |client: &Client| {
        let visit = visit.ok_or_else(|| Error::new(Code::InvalidArg, "visit is NULL"))?;
        // SAFETY: the caller's precondition.
        for (name, node) in client.tree_children(unsafe { handle::text(uri, "uri") }?)? {
            let (name, info) = (c_text(&name), c_info(&node));
            // SAFETY: the host's function with its own pointer; name and info live until it returns.
            if !unsafe { visit(user_data, name.as_ptr(), &raw const info) } {
                break;
            }
        }
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Writes the subtree `uri` as TNDS, without passwords and nonces.
///
/// @param format a dmsc_export_format number, perhaps with DMSC_EXPORT_INHERITED.
/// @param out written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK; DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8;
///         DMSC_ERR_STORAGE_*.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_tree_export(
    client: *mut dmsc_client,
    uri: *const c_char,
    format: u32,
    out: *mut *mut dmsc_buffer,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(out, "out")?;
        const INHERITED: u32 = dmsc_export_format::DMSC_EXPORT_INHERITED as u32;
        let encoding = match format & !INHERITED {
            0 => Encoding::Xml,
            1 => Encoding::Wbxml,
            _ => {
                let text = format!("format {format} is no dmsc_export_format");
                return Err(Error::new(Code::InvalidArg, text));
            }
        };
        // SAFETY: the caller's precondition.
        let document = client.tree_export(
            unsafe { handle::text(uri, "uri") }?,
            encoding,
            format & INHERITED != 0,
        )?;
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(out, "out", buffer::give(document)) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// The access control list of node `uri`, for example "Get=*&Replace=com.example"; "" if it has none of its
/// own.
///
/// @param effective 0: the node's own list; else the one that counts for it, from a node above if need be.
/// @param acl text without NUL; written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK; DMSC_ERR_URI; DMSC_ERR_NODE_NOT_FOUND; DMSC_ERR_NODE_NOT_ALLOWED below ./Inbox;
///         DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; DMSC_ERR_STORAGE_*.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_tree_acl_get(
    client: *mut dmsc_client,
    uri: *const c_char,
    effective: u32,
    acl: *mut *mut dmsc_buffer,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(acl, "acl")?;
        // SAFETY: the caller's precondition.
        let text = client.tree_acl(unsafe { handle::text(uri, "uri") }?, effective != 0)?;
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(acl, "acl", buffer::give(text.into_bytes())) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Registers a device description document (DDF, XML or WBXML; OMA DM Tree and Description 1.2.1, 9) for the
/// nodes below `uri`, in place of the one registered before for the same `uri`.
///
/// The document's top nodes stand at `uri`, below their own Path: with "." that is the Path alone. A node
/// without name describes nodes of any name. From now on servers are held to it, whether the nodes are
/// stored or kept by a dmsc_node_handler: AccessType, Occurrence, Scope, DFFormat, DFType, DefaultValue and
/// CaseSense (ASCII letters). A DefaultValue that does not have its DFFormat is left out, with a line in the
/// log. Below an interior node that describes nothing below it everything is free;
/// elsewhere a node that is not described cannot be added. The host is bound by formats only. Not kept in the
/// store: register it again after each start, before the client is driven.
/// @param ddf the document; NULL with `len` 0 only removes the one before.
/// @return DMSC_OK; DMSC_ERR_SYNTAX no DDF document; DMSC_ERR_INVALID_ARG a description that contradicts
///         itself, or NULL; DMSC_ERR_NODE_NOT_ALLOWED a standard object describes the place;
///         DMSC_ERR_NODE_EXISTS a document registered for another `uri` does; DMSC_ERR_URI; DMSC_ERR_UTF8;
///         DMSC_ERR_STATE the client is closed.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_tree_describe(
    client: *mut dmsc_client,
    uri: *const c_char,
    ddf: *const u8,
    len: usize,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let uri = unsafe { handle::text(uri, "uri") }?;
        // SAFETY: the caller's precondition.
        client.describe(uri, unsafe { handle::octets(ddf, len, "ddf") }?)?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}
