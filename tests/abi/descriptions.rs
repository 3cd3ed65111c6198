//! Description documents that the host registers: what a server may do is what they say.

use super::*;

/// Shaped like what vendors publish: no namespace, elements of their own, names when they are made.
const WIFI: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE MgmtTree PUBLIC " -//OMA//DTD-DM-DDF 1.2//EN" "http://www.openmobilealliance.org/tech/DTD/DM_DDF-V1_2.dtd" [<?oma-dm-ddf-ver supported-versions="1.2"?>]>
<MgmtTree xmlns:MSFT="http://schemas.microsoft.com/MobileDevice/DM">
  <VerDTD>1.2</VerDTD>
  <Node>
    <NodeName>Wi-Fi</NodeName>
    <Path>./Vendor</Path>
    <DFProperties>
      <AccessType><Get/></AccessType>
      <DFFormat><node/></DFFormat>
      <Occurrence><One/></Occurrence>
      <Scope><Permanent/></Scope>
      <DFType><DDFName/></DFType>
      <MSFT:Applicability><MSFT:OsBuildVersion>10.0</MSFT:OsBuildVersion></MSFT:Applicability>
    </DFProperties>
    <Node>
      <NodeName></NodeName>
      <DFProperties>
        <AccessType><Add/><Delete/><Get/></AccessType>
        <DFFormat><node/></DFFormat>
        <Occurrence><OneOrN>2</OneOrN></Occurrence>
        <Scope><Dynamic/></Scope>
        <DFType><DDFName/></DFType>
        <CaseSense><CIS/></CaseSense>
      </DFProperties>
      <Node>
        <NodeName>Ssid</NodeName>
        <DFProperties>
          <AccessType><Add/><Get/><Replace/></AccessType>
          <DFFormat><chr/></DFFormat>
          <DFType><MIME>text/plain</MIME></DFType>
        </DFProperties>
      </Node>
      <Node>
        <NodeName>Channel</NodeName>
        <DFProperties>
          <AccessType><Add/><Get/></AccessType>
          <DefaultValue>6</DefaultValue>
          <DFFormat><int/></DFFormat>
          <DFType><MIME>text/plain</MIME></DFType>
        </DFProperties>
      </Node>
      <Node>
        <NodeName>Profile</NodeName>
        <DFProperties>
          <AccessType><Add/><Delete/><Replace/></AccessType>
          <DFFormat><xml/></DFFormat>
          <DFType><MIME>text/xml</MIME><MIME>application/xml</MIME></DFType>
        </DFProperties>
      </Node>
      <Node>
        <NodeName>Ext</NodeName>
        <DFProperties>
          <AccessType><Add/><Get/></AccessType>
          <DFFormat><node/></DFFormat>
        </DFProperties>
      </Node>
    </Node>
  </Node>
</MgmtTree>
"#;

fn describe(phone: &Phone, uri: &str, document: &str) -> Result<i32, Failure> {
    let (uri, octets) = (c(uri), document.as_bytes());
    check(unsafe { dmsc_tree_describe(phone.client, uri.as_ptr(), octets.as_ptr(), octets.len()) })
}

/// A phone with the document above and its permanent node, where servers may do what that allows.
fn phone(sim: &Sim) -> Phone {
    let phone = Phone::new(Keep::Nothing);
    phone.ready(sim);
    describe(&phone, ".", WIFI).unwrap();
    phone.change(|txn| {
        txn.add("./Vendor/Wi-Fi/home/Ssid", "Home");
        txn.acl("./Vendor", "Add=*&Delete=*&Exec=*&Get=*&Replace=*");
    });
    phone
}

fn good_session(phone: &Phone, sim: &Sim) {
    let session = phone.start_session(None).unwrap();
    phone.settle();
    assert_eq!(session.info().unwrap().status, 0);
    session.free();
    let bad: Vec<_> = sim.card().findings().into_iter().filter(|finding| !finding.good).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn a_server_is_held_to_a_registered_document() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            # Scope and AccessType
            { delete = "./Vendor/Wi-Fi", expect = 405 },
            { add = "./Vendor/Wi-Fi/home/Unknown", value = "x", expect = 405 },
            { replace = "./Vendor/Wi-Fi/home/Ssid", value = "Home 2" },
            { delete = "./Vendor/Wi-Fi/home/Ssid", expect = 405 },
            { exec = "./Vendor/Wi-Fi/home/Ssid", expect = 405 },
            # Occurrence: one to two
            { delete = "./Vendor/Wi-Fi/home", expect = 405 },
            { add = "./Vendor/Wi-Fi/work", format = "node" },
            { add = "./Vendor/Wi-Fi/third", format = "node", expect = 420 },
            # DFFormat and DFType
            { add = "./Vendor/Wi-Fi/work/Ssid", format = "int", value = "5", expect = 415 },
            { add = "./Vendor/Wi-Fi/work/Ssid", value = "Work" },
            { replace = "./Vendor/Wi-Fi/work/Ssid", type = "text/html", value = "x", expect = 415 },
            { add = "./Vendor/Wi-Fi/work/Profile", format = "xml", type = "text/html", value = "<a/>", expect = 415 },
            { add = "./Vendor/Wi-Fi/work/Profile", format = "xml", type = "application/xml", value = "<a/>" },
            { get = "./Vendor/Wi-Fi/work/Profile", expect = 405 },
            # DefaultValue
            { add = "./Vendor/Wi-Fi/work/Channel", format = "int" },
            { replace = "./Vendor/Wi-Fi/work/Channel", format = "int", value = "7", expect = 405 },
            # CaseSense: names below a connection, not its own
            { add = "./Vendor/Wi-Fi/work/SSID", value = "x", expect = 418 },
            { replace = "./Vendor/Wi-Fi/work/ssid", value = "Work 2" },
            { get = "./Vendor/Wi-Fi/WORK/Ssid", expect = 404 },
            # What the document leaves open
            { add = "./Vendor/Wi-Fi/work/Ext", format = "node" },
            { add = "./Vendor/Wi-Fi/work/Ext/Any/Thing", value = "x" },
            { delete = "./Vendor/Wi-Fi/home" },
        ]
        [[package]]
        commands = [
            { get = "./Vendor/Wi-Fi/work/channel", results = "6" },
            { get = "./Vendor/Wi-Fi/work/sSiD", results = "Work 2" },
            { get = "./Vendor/Wi-Fi/work/Ext/Any/Thing", results = "x" },
        ]
        "#,
    );
    good_session(&phone(&sim), &sim);
}

#[test]
fn nodes_that_the_host_keeps_are_held_to_it_too() {
    use support::host::HostTree;
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { replace = "./Vendor/Wi-Fi/home/Channel", format = "int", value = "7", expect = 405 },
            { replace = "./Vendor/Wi-Fi/home/Ssid", format = "int", value = "5", expect = 415 },
            { replace = "./Vendor/Wi-Fi/home/SSID", value = "Home 2" },
            { add = "./Vendor/Wi-Fi/home/Other", value = "x", expect = 405 },
        ]
        "#,
    );
    let host = HostTree::with(&[
        ("./Vendor/Wi-Fi", None),
        ("./Vendor/Wi-Fi/home", None),
        ("./Vendor/Wi-Fi/home/Ssid", Some("Home")),
        ("./Vendor/Wi-Fi/home/Channel", Some("6")),
    ]);
    let phone = Phone::new(Keep::Nothing);
    phone.ready(&sim);
    describe(&phone, ".", WIFI).unwrap();
    host.serve(&phone, "./Vendor/Wi-Fi");
    good_session(&phone, &sim);
    assert_eq!(host.value("./Vendor/Wi-Fi/home/Ssid").unwrap(), "Home 2");
}

#[test]
fn a_document_is_replaced_and_removed() {
    let open = Sim::scripted(
        r#"
        [[package]]
        commands = [{ add = "./Vendor/Wi-Fi/home/Unknown", value = "x" }]
        "#,
    );
    let phone = phone(&open);
    describe(&phone, ".", "").unwrap();
    good_session(&phone, &open);
}

/// What the files published with Windows' documentation have besides: two top nodes with a Path each, one
/// with a slash at its end, names with spaces, a name that is an indented line break, an empty MIME, elements
/// of the vendor at every level, an internal subset.
const DIALECTS: &str = r#"<?xml version="1.0" encoding="utf-8" ?>
<!DOCTYPE MgmtTree PUBLIC "-//OMA//DTD-DM-DDF 1.2//EN" "http://www.openmobilealliance.org/tech/DTD/DM_DDF-V1_2.dtd" [
  <?oma-dm-ddf-ver supported-versions="1.2"?>
  <!ENTITY unused "]>">
]>
<MgmtTree xmlns:MSFT="http://schemas.microsoft.com/MobileDevice/MDM">
  <VerDTD>1.2</VerDTD>
  <MSFT:Diagnostics><MSFT:Anything><Node/></MSFT:Anything></MSFT:Diagnostics>
  <Node>
    <NodeName>Wi-Fi Setting</NodeName>
    <Path>./User/Vendor</Path>
    <DFProperties>
      <AccessType><Get /></AccessType>
      <DFFormat><node /></DFFormat>
      <Occurrence><One /></Occurrence>
      <Scope><Permanent /></Scope>
      <DFType><MIME /></DFType>
      <MSFT:Applicability><MSFT:CspVersion>1.0</MSFT:CspVersion></MSFT:Applicability>
    </DFProperties>
    <Node>
      <NodeName>Max Retries</NodeName>
      <DFProperties>
        <AccessType><Add /><Get /><Replace /></AccessType>
        <DefaultValue>3</DefaultValue>
        <Description>How often; "quoted" &amp; escaped</Description>
        <DFFormat><int /></DFFormat>
        <Occurrence><ZeroOrOne /></Occurrence>
        <Scope><Dynamic /></Scope>
        <DFTitle>Retries</DFTitle>
        <DFType><MIME /></DFType>
        <MSFT:AllowedValues ValueType="Range"><MSFT:Value>[0-10]</MSFT:Value></MSFT:AllowedValues>
      </DFProperties>
    </Node>
  </Node>
  <!-- the same for all users -->
  <Node>
    <NodeName>Wi-Fi Setting</NodeName>
    <Path>./Device/Vendor/</Path>
    <DFProperties>
      <AccessType><Get/><Exec/></AccessType>
      <DFFormat><node/></DFFormat>
      <Scope><Permanent/></Scope>
      <DFType><DDFName></DDFName></DFType>
    </DFProperties>
    <Node>
      <NodeName>
      </NodeName>
      <DFProperties>
        <AccessType><Add/><Delete/><Get/></AccessType>
        <DFFormat><bool/></DFFormat>
        <Occurrence><OneOrMore/></Occurrence>
        <DFType><MIME>text/plain</MIME></DFType>
        <MSFT:DynamicNodeNaming><MSFT:UniqueName/></MSFT:DynamicNodeNaming>
        <MSFT:Deprecated />
      </DFProperties>
    </Node>
  </Node>
</MgmtTree>
"#;

#[test]
fn the_dialects_of_vendors_are_understood() {
    let script = r#"
        [[package]]
        commands = [
            { delete = "./User/Vendor/Wi-Fi%20Setting", expect = 405 },
            { add = "./User/Vendor/Wi-Fi%20Setting/Max%20Retries", format = "int" },
            { add = "./User/Vendor/Wi-Fi%20Setting/Other", value = "x", expect = 405 },
            { replace = "./User/Vendor/Wi-Fi%20Setting/Max%20Retries", format = "int", value = "many", expect = 415 },
            { replace = "./User/Vendor/Wi-Fi%20Setting/Max%20Retries", format = "int", type = "text/x-retries", value = "4" },
            { add = "./Device/Vendor/Wi-Fi%20Setting/On", format = "bool", value = "true" },
            { add = "./Device/Vendor/Wi-Fi%20Setting/Off", format = "bool", value = "no", expect = 415 },
            { delete = "./Device/Vendor/Wi-Fi%20Setting/On", expect = 405 },
        ]
        [[package]]
        commands = [{ get = "./User/Vendor/Wi-Fi%20Setting/Max%20Retries", results = "4" }]
        "#;
    for (number, document) in [
        DIALECTS.to_owned(),
        format!("\u{feff}{DIALECTS}"),
        DIALECTS.replace("<MgmtTree ", "<MgmtTree xmlns='syncml:dmddf1.2' "),
        DIALECTS.replace('\n', "\r\n"),
    ]
    .iter()
    .enumerate()
    {
        let (sim, phone) = (Sim::scripted(script), Phone::new(Keep::Nothing));
        phone.ready(&sim);
        describe(&phone, ".", document).unwrap_or_else(|failure| panic!("{number}: {failure:?}"));
        phone.change(|txn| {
            for whose in ["./User", "./Device"] {
                let first = format!("{whose}/Vendor/Wi-Fi%20Setting/First");
                txn.add(&first, "true");
                txn.delete(&first);
                txn.acl(whose, "Add=*&Delete=*&Exec=*&Get=*&Replace=*");
            }
        });
        good_session(&phone, &sim);
    }
}

#[test]
fn a_default_value_of_another_format_is_left_out_and_the_rest_counts() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { add = "./Vendor/Wi-Fi/home/Channel", format = "int", expect = 412 },
            { add = "./Vendor/Wi-Fi/home/Channel", format = "int", value = "7" },
            { add = "./Vendor/Wi-Fi/home/Unknown", value = "x", expect = 405 },
        ]
        "#,
    );
    let phone = phone(&sim);
    let remark = "<DefaultValue>chosen by the device</DefaultValue>";
    let document = WIFI.replace("<DefaultValue>6</DefaultValue>", remark);
    describe(&phone, ".", &document).unwrap();
    good_session(&phone, &sim);
}

fn node(name: &str, inside: &str) -> String {
    format!(
        "<MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName>{name}</NodeName>{inside}</Node></MgmtTree>"
    )
}

#[test]
fn documents_that_cannot_be_registered() {
    let phone = Phone::new(Keep::Nothing);
    let status = |uri: &str, document: &str| describe(&phone, uri, document).map_err(|f| f.status);
    let format = "<DFProperties><DFFormat><node/></DFFormat></DFProperties>";
    assert_eq!(status(".", "<MgmtTree><Node>"), Err(-400));
    assert_eq!(status(".", "no document"), Err(-400));
    assert_eq!(status(".", &node("DevInfo", format)), Err(-503));
    assert_eq!(status("./DMAcc/x", &node("Ext", format)), Err(-503));
    assert_eq!(status("./DevDetail/Ext", &node("Vendor", format)), Ok(0));
    assert_eq!(
        status(".", &node("A", "<DFProperties><DFFormat><odd/></DFFormat></DFProperties>")),
        Err(INVALID_ARG)
    );
    let twice = "<Node><NodeName>X</NodeName></Node><Node><NodeName>X</NodeName></Node>";
    assert_eq!(status(".", &node("A", twice)), Err(INVALID_ARG));
    let leaf = "<DFProperties><DFFormat><chr/></DFFormat></DFProperties><Node><NodeName>X</NodeName></Node>";
    assert_eq!(status(".", &node("A", leaf)), Err(INVALID_ARG));
    // Two documents about one place.
    assert_eq!(status("./Vendor", &node("A", format)), Ok(0));
    assert_eq!(status("./Vendor", &node("A", format)), Ok(0));
    assert_eq!(
        status(".", &node("Vendor", &format!("{format}{}", "<Node><NodeName>A</NodeName></Node>"))),
        Err(-501)
    );
    assert_eq!(status("./Vendor/A", &node("B", format)), Err(-501));
    assert_eq!(status("./Other", &node("A", format)), Ok(0));
}
