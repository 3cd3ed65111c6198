//! `dmsc encode wbxml`.

use crate::support::{dmsc, dmsc_octets, dmsc_with};
use crate::vectors::{group, row};

/// The hexadecimal digits of `xml` in WBXML.
fn encode(xml: &str) -> String {
    let ran = dmsc_with(xml, &["encode", "wbxml", "-", "--hex"]).good();
    ran.stdout.trim_end().to_owned()
}

#[test]
fn documents_come_back_as_they_were() {
    let (mut back, mut binary) = (0, 0);
    for row in ['a', 'b', 'x'].into_iter().flat_map(group) {
        if row.class().is_some() {
            continue;
        }
        // Octets that are no text have no form in XML.
        if row.expected.contains("{hex:") || row.expected.contains("{wbxml:") {
            binary += 1;
            continue;
        }
        back += 1;
        let wbxml = encode(row.expected);
        let shown = dmsc(&["decode", "wbxml", "--hex", &wbxml]).good().stdout;
        // Only the current version is written.
        let expected = row.expected.replace("SYNCML:SYNCML1.1", "SYNCML:SYNCML1.2");
        assert_eq!(shown, format!("{expected}\n"), "{}", row.name);
    }
    assert_eq!((back, binary), (93, 5));
}

#[test]
fn exact_octets() {
    assert_eq!(encode(row("a02").expected), row("a02").hex);
    let (code, octets, stderr) =
        dmsc_octets(row("a02").expected.as_bytes(), &["encode", "wbxml", "-"]);
    assert_eq!((code, octets, stderr.as_str()), (0, row("a02").octets(), ""));
    let json = dmsc_with(row("a02").expected, &["encode", "wbxml", "-", "--json"]).good().lines();
    assert_eq!(json, [serde_json::json!({ "kind": "wbxml", "hex": row("a02").hex })]);
}

#[test]
fn a_string_table_if_it_makes_the_document_shorter() {
    let path =
        |name: &str| format!("{}/../tests/data/codec/sync-{name}", env!("CARGO_MANIFEST_DIR"));
    for (name, libwbxml) in [("1k", 440), ("16k", 6_543), ("256k", 106_042)] {
        let xml = path(&format!("{name}.xml"));
        let plain = dmsc_octets(b"", &["encode", "wbxml", &xml]).1;
        let compact = dmsc_octets(b"", &["encode", "wbxml", "--string-table", &xml]).1;
        assert!(
            compact.len() < plain.len() && compact.len() <= libwbxml,
            "{name}: {}",
            compact.len()
        );
        let hex = dmsc::bytes::hex::encode(&compact);
        let shown = dmsc_octets(hex.as_bytes(), &["decode", "syncml", "-"]).1;
        assert_eq!(shown, dmsc_octets(b"", &["decode", "syncml", &xml]).1);
    }
    let short =
        dmsc_with(row("a02").expected, &["encode", "wbxml", "-", "--string-table", "--hex"]);
    assert_eq!(short.good().stdout.trim_end(), row("a02").hex);
}

#[test]
fn white_space_between_elements_is_left_out_and_in_values_kept() {
    let pretty = "<?xml version=\"1.0\"?>\n<SyncML xmlns=\"SYNCML:SYNCML1.2\">\n  <SyncHdr>\n    \
                  <VerDTD>1.2</VerDTD>\n  </SyncHdr>\n  <!-- none -->\n  <SyncBody>\n    <Final/>\n  \
                  </SyncBody>\n</SyncML>\n";
    assert_eq!(encode(pretty), row("a02").hex);
    let blank = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncBody><Alert><Data> \n</Data></Alert></SyncBody></SyncML>";
    let shown = dmsc(&["decode", "wbxml", "--hex", &encode(blank)]).good().stdout;
    assert!(shown.contains("<Data> &#10;</Data>"), "{shown}");
}

#[test]
fn what_cannot_be_written_is_a_fault() {
    let vendor = "<MgmtTree><VerDTD>1.2</VerDTD><Vendor/></MgmtTree>";
    let at = dmsc_with(vendor, &["encode", "wbxml", "-"]).faulted("E_TAG_UNKNOWN");
    assert_eq!(at, vendor.find("<Vendor").unwrap());
    dmsc_with("<html/>", &["encode", "wbxml", "-"]).faulted("E_PUBLIC_ID_UNKNOWN");
    dmsc_with("<SyncML><SyncBody></SyncML>", &["encode", "wbxml", "-"]).faulted("E_XML_SYNTAX");
    dmsc_with("", &["encode", "wbxml", "-"]).faulted("E_EMPTY");
    dmsc(&["encode", "wbxml", "/no/such/file"]).failed("DMSC_ERR_INVALID_ARG");
}
