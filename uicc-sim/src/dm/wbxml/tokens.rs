//! The tag tokens of SyncML 1.2: one table for each code page. Token 05 is the first of each.

/// Code page of SyncML itself.
pub const SYNCML: u8 = 0;
/// Code page of the meta information (`syncml:metinf`).
pub const METINF: u8 = 1;
/// Code page of the DM description framework and TNDS (`syncml:dmddf1.2`).
pub const DMDDF: u8 = 2;

/// The lowest tag token.
const FIRST: u8 = 0x05;

/// Page 0, tokens 05 to 3C; token 30 is reserved.
const PAGE_SYNCML: &[&str] = &[
    "Add",
    "Alert",
    "Archive",
    "Atomic",
    "Chal",
    "Cmd",
    "CmdID",
    "CmdRef",
    "Copy",
    "Cred",
    "Data",
    "Delete",
    "Exec",
    "Final",
    "Get",
    "Item",
    "Lang",
    "LocName",
    "LocURI",
    "Map",
    "MapItem",
    "Meta",
    "MsgID",
    "MsgRef",
    "NoResp",
    "NoResults",
    "Put",
    "Replace",
    "RespURI",
    "Results",
    "Search",
    "Sequence",
    "SessionID",
    "SftDel",
    "Source",
    "SourceRef",
    "Status",
    "Sync",
    "SyncBody",
    "SyncHdr",
    "SyncML",
    "Target",
    "TargetRef",
    "",
    "VerDTD",
    "VerProto",
    "NumberOfChanges",
    "MoreData",
    "Field",
    "Filter",
    "Record",
    "FilterType",
    "SourceParent",
    "TargetParent",
    "Move",
    "Correlator",
];

/// Page 1, tokens 05 to 16.
const PAGE_METINF: &[&str] = &[
    "Anchor",
    "EMI",
    "Format",
    "FreeID",
    "FreeMem",
    "Last",
    "Mark",
    "MaxMsgSize",
    "Mem",
    "MetInf",
    "Next",
    "NextNonce",
    "SharedMem",
    "Size",
    "Type",
    "Version",
    "MaxObjSize",
    "FieldLevel",
];

/// Page 2, tokens 05 to 3C.
const PAGE_DMDDF: &[&str] = &[
    "AccessType",
    "ACL",
    "Add",
    "b64",
    "bin",
    "bool",
    "chr",
    "CaseSense",
    "CIS",
    "Copy",
    "CS",
    "date",
    "DDFName",
    "DefaultValue",
    "Delete",
    "Description",
    "DFFormat",
    "DFProperties",
    "DFTitle",
    "DFType",
    "Dynamic",
    "Exec",
    "float",
    "Format",
    "Get",
    "int",
    "Man",
    "MgmtTree",
    "MIME",
    "Mod",
    "Name",
    "Node",
    "node",
    "NodeName",
    "null",
    "Occurrence",
    "One",
    "OneOrMore",
    "OneOrN",
    "Path",
    "Permanent",
    "Replace",
    "RTProperties",
    "Scope",
    "Size",
    "time",
    "Title",
    "TStamp",
    "Type",
    "Value",
    "VerDTD",
    "VerNo",
    "xml",
    "ZeroOrMore",
    "ZeroOrN",
    "ZeroOrOne",
];

fn page(number: u8) -> &'static [&'static str] {
    match number {
        SYNCML => PAGE_SYNCML,
        METINF => PAGE_METINF,
        DMDDF => PAGE_DMDDF,
        _ => &[],
    }
}

/// Whether the code page exists.
pub(super) fn page_exists(number: u8) -> bool {
    number <= DMDDF
}

/// The name behind a tag token (its low six bits) on a code page.
pub(super) fn name_of(page_number: u8, token: u8) -> Option<&'static str> {
    let index = usize::from(token.checked_sub(FIRST)?);
    page(page_number).get(index).copied().filter(|name| !name.is_empty())
}

/// The token of a name on a code page.
pub(super) fn token_of(page_number: u8, name: &str) -> Option<u8> {
    let index = page(page_number).iter().position(|known| *known == name && !name.is_empty())?;
    u8::try_from(index).ok()?.checked_add(FIRST)
}

/// The same name for as long as one likes, if the page has it.
pub(crate) fn known_name(page_number: u8, name: &str) -> Option<&'static str> {
    page(page_number).iter().copied().find(|known| *known == name && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_end_where_the_standard_says() {
        assert_eq!(name_of(SYNCML, 0x3C), Some("Correlator"));
        assert_eq!(name_of(SYNCML, 0x30), None);
        assert_eq!(name_of(SYNCML, 0x31), Some("VerDTD"));
        assert_eq!(name_of(SYNCML, 0x2D), Some("SyncML"));
        assert_eq!(name_of(METINF, 0x16), Some("FieldLevel"));
        assert_eq!(name_of(METINF, 0x10), Some("NextNonce"));
        assert_eq!(name_of(DMDDF, 0x24), Some("Node"));
        assert_eq!(name_of(DMDDF, 0x25), Some("node"));
        assert_eq!(name_of(DMDDF, 0x3C), Some("ZeroOrOne"));
        assert_eq!(name_of(DMDDF, 0x3D), None);
        assert_eq!(name_of(3, 0x05), None);
        assert_eq!(token_of(SYNCML, ""), None);
        assert_eq!(token_of(DMDDF, "Type"), Some(0x35));
    }
}
