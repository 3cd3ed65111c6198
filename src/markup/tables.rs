//! The vocabularies: element, attribute and value tokens of each code page (SyncML RepPro 1.2, MetInf 1.2,
//! DM TND 1.2, DevInf 1.2, OMA ProvCont 1.1).
//!
//! Owns constants; must not know how a document is coded.

use super::vocabulary::{Attr, AttrPage, Ns, Page, attr_page, tag_page};

tag_page! {
    /// SyncML 1.2 elements, code page 0; 1.0 and 1.1 are subsets.
    syncml: SyncMl 0
    0x05 ADD "Add", 0x06 ALERT "Alert", 0x07 ARCHIVE "Archive", 0x08 ATOMIC "Atomic",
    0x09 CHAL "Chal", 0x0A CMD "Cmd", 0x0B CMD_ID "CmdID", 0x0C CMD_REF "CmdRef",
    0x0D COPY "Copy", 0x0E CRED "Cred", 0x0F DATA "Data", 0x10 DELETE "Delete", 0x11 EXEC "Exec",
    0x12 FINAL "Final", 0x13 GET "Get", 0x14 ITEM "Item", 0x15 LANG "Lang",
    0x16 LOC_NAME "LocName", 0x17 LOC_URI "LocURI", 0x18 MAP "Map", 0x19 MAP_ITEM "MapItem",
    0x1A META "Meta", 0x1B MSG_ID "MsgID", 0x1C MSG_REF "MsgRef", 0x1D NO_RESP "NoResp",
    0x1E NO_RESULTS "NoResults", 0x1F PUT "Put", 0x20 REPLACE "Replace", 0x21 RESP_URI "RespURI",
    0x22 RESULTS "Results", 0x23 SEARCH "Search", 0x24 SEQUENCE "Sequence",
    0x25 SESSION_ID "SessionID", 0x26 SFT_DEL "SftDel", 0x27 SOURCE "Source",
    0x28 SOURCE_REF "SourceRef", 0x29 STATUS "Status", 0x2A SYNC "Sync",
    0x2B SYNC_BODY "SyncBody", 0x2C SYNC_HDR "SyncHdr", 0x2D SYNCML "SyncML",
    0x2E TARGET "Target", 0x2F TARGET_REF "TargetRef", 0x31 VER_DTD "VerDTD",
    0x32 VER_PROTO "VerProto", 0x33 NUMBER_OF_CHANGES "NumberOfChanges",
    0x34 MORE_DATA "MoreData", 0x35 FIELD "Field", 0x36 FILTER "Filter", 0x37 RECORD "Record",
    0x38 FILTER_TYPE "FilterType", 0x39 SOURCE_PARENT "SourceParent",
    0x3A TARGET_PARENT "TargetParent", 0x3B MOVE "Move", 0x3C CORRELATOR "Correlator",
}

tag_page! {
    /// MetInf 1.2 elements, code page 1.
    metinf: MetInf 1
    0x05 ANCHOR "Anchor", 0x06 EMI "EMI", 0x07 FORMAT "Format", 0x08 FREE_ID "FreeID",
    0x09 FREE_MEM "FreeMem", 0x0A LAST "Last", 0x0B MARK "Mark", 0x0C MAX_MSG_SIZE "MaxMsgSize",
    0x0D MEM "Mem", 0x0E MET_INF "MetInf", 0x0F NEXT "Next", 0x10 NEXT_NONCE "NextNonce",
    0x11 SHARED_MEM "SharedMem", 0x12 SIZE "Size", 0x13 TYPE "Type", 0x14 VERSION "Version",
    0x15 MAX_OBJ_SIZE "MaxObjSize", 0x16 FIELD_LEVEL "FieldLevel",
}

tag_page! {
    /// DM DDF and TNDS elements, code page 2.
    dmddf: DmDdf 2
    0x05 ACCESS_TYPE "AccessType", 0x06 ACL "ACL", 0x07 ADD "Add", 0x08 B64 "b64", 0x09 BIN "bin",
    0x0A BOOL "bool", 0x0B CHR "chr", 0x0C CASE_SENSE "CaseSense", 0x0D CIS "CIS",
    0x0E COPY "Copy", 0x0F CS "CS", 0x10 DATE "date", 0x11 DDF_NAME "DDFName",
    0x12 DEFAULT_VALUE "DefaultValue", 0x13 DELETE "Delete", 0x14 DESCRIPTION "Description",
    0x15 DF_FORMAT "DFFormat", 0x16 DF_PROPERTIES "DFProperties", 0x17 DF_TITLE "DFTitle",
    0x18 DF_TYPE "DFType", 0x19 DYNAMIC "Dynamic", 0x1A EXEC "Exec", 0x1B FLOAT "float",
    0x1C FORMAT "Format", 0x1D GET "Get", 0x1E INT "int", 0x1F MAN "Man",
    0x20 MGMT_TREE "MgmtTree", 0x21 MIME "MIME", 0x22 MOD "Mod", 0x23 NAME "Name",
    0x24 NODE "Node", 0x25 NODE_FORMAT "node", 0x26 NODE_NAME "NodeName", 0x27 NULL "null",
    0x28 OCCURRENCE "Occurrence", 0x29 ONE "One", 0x2A ONE_OR_MORE "OneOrMore",
    0x2B ONE_OR_N "OneOrN", 0x2C PATH "Path", 0x2D PERMANENT "Permanent", 0x2E REPLACE "Replace",
    0x2F RT_PROPERTIES "RTProperties", 0x30 SCOPE "Scope", 0x31 SIZE "Size", 0x32 TIME "time",
    0x33 TITLE "Title", 0x34 T_STAMP "TStamp", 0x35 TYPE "Type", 0x36 VALUE "Value",
    0x37 VER_DTD "VerDTD", 0x38 VER_NO "VerNo", 0x39 XML "xml", 0x3A ZERO_OR_MORE "ZeroOrMore",
    0x3B ZERO_OR_N "ZeroOrN", 0x3C ZERO_OR_ONE "ZeroOrOne",
}

tag_page! {
    /// DevInf 1.2 elements, code page 0 of its own documents.
    devinf: DevInf 0
    0x05 CT_CAP "CTCap", 0x06 CT_TYPE "CTType", 0x07 DATA_STORE "DataStore",
    0x08 DATA_TYPE "DataType", 0x09 DEV_ID "DevID", 0x0A DEV_INF "DevInf", 0x0B DEV_TYP "DevTyp",
    0x0C DISPLAY_NAME "DisplayName", 0x0D DS_MEM "DSMem", 0x0E EXT "Ext", 0x0F FW_V "FwV",
    0x10 HW_V "HwV", 0x11 MAN "Man", 0x12 MAX_GUID_SIZE "MaxGUIDSize", 0x13 MAX_ID "MaxID",
    0x14 MAX_MEM "MaxMem", 0x15 MOD "Mod", 0x16 OEM "OEM", 0x17 PARAM_NAME "ParamName",
    0x18 PROP_NAME "PropName", 0x19 RX "Rx", 0x1A RX_PREF "Rx-Pref", 0x1B SHARED_MEM "SharedMem",
    0x1C MAX_SIZE "MaxSize", 0x1D SOURCE_REF "SourceRef", 0x1E SW_V "SwV",
    0x1F SYNC_CAP "SyncCap", 0x20 SYNC_TYPE "SyncType", 0x21 TX "Tx", 0x22 TX_PREF "Tx-Pref",
    0x23 VAL_ENUM "ValEnum", 0x24 VER_CT "VerCT", 0x25 VER_DTD "VerDTD", 0x26 X_NAM "XNam",
    0x27 X_VAL "XVal", 0x28 UTC "UTC", 0x29 SUPPORT_NUMBER_OF_CHANGES "SupportNumberOfChanges",
    0x2A SUPPORT_LARGE_OBJS "SupportLargeObjs", 0x2B PROPERTY "Property",
    0x2C PROP_PARAM "PropParam", 0x2D MAX_OCCUR "MaxOccur", 0x2E NO_TRUNCATE "NoTruncate",
    0x30 FILTER_RX "Filter-Rx", 0x31 FILTER_CAP "FilterCap", 0x32 FILTER_KEYWORD "FilterKeyword",
    0x33 FIELD_LEVEL "FieldLevel", 0x34 SUPPORT_HIERARCHICAL_SYNC "SupportHierarchicalSync",
}

tag_page! {
    /// Provisioning document elements; 06 and 07 are on code page 1 as well.
    prov: Prov 0
    0x05 WAP_PROVISIONINGDOC "wap-provisioningdoc", 0x06 CHARACTERISTIC "characteristic",
    0x07 PARM "parm",
}

attr_page! {
    /// Provisioning attributes and values, code page 0.
    PROV_0
    starts
    0x05 Name "", 0x06 Value "", 0x07 Name "NAME", 0x08 Name "NAP-ADDRESS",
    0x09 Name "NAP-ADDRTYPE", 0x0A Name "CALLTYPE", 0x0B Name "VALIDUNTIL", 0x0C Name "AUTHTYPE",
    0x0D Name "AUTHNAME", 0x0E Name "AUTHSECRET", 0x0F Name "LINGER", 0x10 Name "BEARER",
    0x11 Name "NAPID", 0x12 Name "COUNTRY", 0x13 Name "NETWORK", 0x14 Name "INTERNET",
    0x15 Name "PROXY-ID", 0x16 Name "PROXY-PROVIDER-ID", 0x17 Name "DOMAIN", 0x18 Name "PROVURL",
    0x19 Name "PXAUTH-TYPE", 0x1A Name "PXAUTH-ID", 0x1B Name "PXAUTH-PW", 0x1C Name "STARTPAGE",
    0x1D Name "BASAUTH-ID", 0x1E Name "BASAUTH-PW", 0x1F Name "PUSHENABLED", 0x20 Name "PXADDR",
    0x21 Name "PXADDRTYPE", 0x22 Name "TO-NAPID", 0x23 Name "PORTNBR", 0x24 Name "SERVICE",
    0x25 Name "LINKSPEED", 0x26 Name "DNLINKSPEED", 0x27 Name "LOCAL-ADDR",
    0x28 Name "LOCAL-ADDRTYPE", 0x29 Name "CONTEXT-ALLOW", 0x2A Name "TRUST", 0x2B Name "MASTER",
    0x2C Name "SID", 0x2D Name "SOC", 0x2E Name "WSP-VERSION", 0x2F Name "PHYSICAL-PROXY-ID",
    0x30 Name "CLIENT-ID", 0x31 Name "DELIVERY-ERR-SDU", 0x32 Name "DELIVERY-ORDER",
    0x33 Name "TRAFFIC-CLASS", 0x34 Name "MAX-SDU-SIZE", 0x35 Name "MAX-BITRATE-UPLINK",
    0x36 Name "MAX-BITRATE-DNLINK", 0x37 Name "RESIDUAL-BER", 0x38 Name "SDU-ERROR-RATIO",
    0x39 Name "TRAFFIC-HANDL-PRIO", 0x3A Name "TRANSFER-DELAY",
    0x3B Name "GUARANTEED-BITRATE-UPLINK", 0x3C Name "GUARANTEED-BITRATE-DNLINK",
    0x3D Name "PXADDR-FQDN", 0x3E Name "PROXY-PW", 0x3F Name "PPGAUTH-TYPE", 0x45 Version "",
    0x46 Version "1.0", 0x47 Name "PULLENABLED", 0x48 Name "DNS-ADDR", 0x49 Name "MAX-NUM-RETRY",
    0x4A Name "FIRST-RETRY-TIMEOUT", 0x4B Name "REREG-THRESHOLD", 0x4C Name "T-BIT",
    0x4E Name "AUTH-ENTITY", 0x4F Name "SPI", 0x50 Type "", 0x51 Type "PXLOGICAL",
    0x52 Type "PXPHYSICAL", 0x53 Type "PORT", 0x54 Type "VALIDITY", 0x55 Type "NAPDEF",
    0x56 Type "BOOTSTRAP", 0x57 Type "VENDORCONFIG", 0x58 Type "CLIENTIDENTITY",
    0x59 Type "PXAUTHINFO", 0x5A Type "NAPAUTHINFO", 0x5B Type "ACCESS",
    values
    0x85 "IPV4", 0x86 "IPV6", 0x87 "E164", 0x88 "ALPHA", 0x89 "APN", 0x8A "SCODE",
    0x8B "TETRA-ITSI", 0x8C "MAN", 0x90 "ANALOG-MODEM", 0x91 "V.120", 0x92 "V.110", 0x93 "X.31",
    0x94 "BIT-TRANSPARENT", 0x95 "DIRECT-ASYNCHRONOUS-DATA-SERVICE", 0x9A "PAP", 0x9B "CHAP",
    0x9C "HTTP-BASIC", 0x9D "HTTP-DIGEST", 0x9E "WTLS-SS", 0x9F "MD5", 0xA2 "GSM-USSD",
    0xA3 "GSM-SMS", 0xA4 "ANSI-136-GUTS", 0xA5 "IS-95-CDMA-SMS", 0xA6 "IS-95-CDMA-CSD",
    0xA7 "IS-95-CDMA-PACKET", 0xA8 "ANSI-136-CSD", 0xA9 "ANSI-136-GPRS", 0xAA "GSM-CSD",
    0xAB "GSM-GPRS", 0xAC "AMPS-CDPD", 0xAD "PDC-CSD", 0xAE "PDC-PACKET", 0xAF "IDEN-SMS",
    0xB0 "IDEN-CSD", 0xB1 "IDEN-PACKET", 0xB2 "FLEX/REFLEX", 0xB3 "PHS-SMS", 0xB4 "PHS-CSD",
    0xB5 "TETRA-SDS", 0xB6 "TETRA-PACKET", 0xB7 "ANSI-136-GHOST", 0xB8 "MOBITEX-MPAK",
    0xB9 "CDMA2000-1X-SIMPLE-IP", 0xBA "CDMA2000-1X-MOBILE-IP", 0xC5 "AUTOBAUDING", 0xCA "CL-WSP",
    0xCB "CO-WSP", 0xCC "CL-SEC-WSP", 0xCD "CO-SEC-WSP", 0xCE "CL-SEC-WTA", 0xCF "CO-SEC-WTA",
    0xD0 "OTA-HTTP-TO", 0xD1 "OTA-HTTP-TLS-TO", 0xD2 "OTA-HTTP-PO", 0xD3 "OTA-HTTP-TLS-PO",
    0xE0 "AAA", 0xE1 "HA",
}

attr_page! {
    /// Provisioning attributes and values, code page 1.
    PROV_1
    starts
    0x05 Name "", 0x06 Value "", 0x07 Name "NAME", 0x14 Name "INTERNET", 0x1C Name "STARTPAGE",
    0x22 Name "TO-NAPID", 0x23 Name "PORTNBR", 0x24 Name "SERVICE", 0x2E Name "AACCEPT",
    0x2F Name "AAUTHDATA", 0x30 Name "AAUTHLEVEL", 0x31 Name "AAUTHNAME", 0x32 Name "AAUTHSECRET",
    0x33 Name "AAUTHTYPE", 0x34 Name "ADDR", 0x35 Name "ADDRTYPE", 0x36 Name "APPID",
    0x37 Name "APROTOCOL", 0x38 Name "PROVIDER-ID", 0x39 Name "TO-PROXY", 0x3A Name "URI",
    0x3B Name "RULE", 0x50 Type "", 0x53 Type "PORT", 0x55 Type "APPLICATION",
    0x56 Type "APPADDR", 0x57 Type "APPAUTH", 0x58 Type "CLIENTIDENTITY", 0x59 Type "RESOURCE",
    values
    0x86 "IPV6", 0x87 "E164", 0x88 "ALPHA", 0x8D "APPSRV", 0x8E "OBEX", 0x90 ",", 0x91 "HTTP-",
    0x92 "BASIC", 0x93 "DIGEST",
}
