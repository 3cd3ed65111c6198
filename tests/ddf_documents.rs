//! Device description documents: both encodings, what vendors publish, and the round trip.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not inside them

use dmsc::markup::{Class, Encoding, Options, canonical};
use dmsc::syncml;
use dmsc::tree::Access;
use dmsc::tree::ddf_document::{
    self, CaseSense, DdfDocument, DdfNode, DfProperties, Occurrence, Scope,
};
use dmsc::tree::tnds;
use proptest::prelude::*;

/// Shaped like the files that a vendor publishes with its documentation.
const VENDOR: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE MgmtTree PUBLIC " -//OMA//DTD-DM-DDF 1.2//EN" "http://www.openmobilealliance.org/tech/DTD/DM_DDF-V1_2.dtd" [<?oma-dm-ddf-ver supported-versions="1.2"?>
  <!ENTITY unused "a > b">
]>
<MgmtTree xmlns:MSFT="http://schemas.microsoft.com/MobileDevice/DM">
  <VerDTD>1.2</VerDTD>
  <MSFT:Diagnostics/>
  <!-- the one object -->
  <Node>
    <NodeName>Wi-Fi Setting</NodeName>
    <Path>./Vendor/MSFT</Path>
    <DFProperties>
      <AccessType>
        <Get /><Add/>
      </AccessType>
      <Description>Profiles &amp; networks</Description>
      <DFFormat>
        <node />
      </DFFormat>
      <Occurrence><One /></Occurrence>
      <Scope><Permanent /></Scope>
      <DFType><DDFName></DDFName></DFType>
      <MSFT:Applicability>
        <MSFT:OsBuildVersion>10.0.10240</MSFT:OsBuildVersion>
      </MSFT:Applicability>
    </DFProperties>
    <Node>
      <NodeName></NodeName>
      <DFProperties>
        <AccessType><Add/><Delete/><Get/><Replace/></AccessType>
        <DefaultValue>0</DefaultValue>
        <DFFormat><chr/></DFFormat>
        <Occurrence><ZeroOrN>16</ZeroOrN></Occurrence>
        <Scope><Dynamic/></Scope>
        <DFTitle>Profile</DFTitle>
        <DFType><MIME>text/plain</MIME><MIME>text/xml</MIME></DFType>
        <CaseSense><CIS/></CaseSense>
        <MSFT:AllowedValues ValueType="Range"><MSFT:Value>[0-1]</MSFT:Value></MSFT:AllowedValues>
        <MSFT:DynamicNodeNaming><MSFT:ServerGeneratedUniqueIdentifier/></MSFT:DynamicNodeNaming>
      </DFProperties>
    </Node>
  </Node>
</MgmtTree>
"#;

fn vendor() -> DdfDocument<'static> {
    ddf_document::read(VENDOR.as_bytes()).unwrap()
}

#[test]
fn a_vendor_file_is_read() {
    let document = vendor();
    assert_eq!((&*document.ver_dtd, document.nodes.len()), ("1.2", 1));
    let node = &document.nodes[0];
    assert_eq!(node.name.as_deref(), Some("Wi-Fi Setting"));
    assert_eq!(node.path.as_deref(), Some("./Vendor/MSFT"));
    let properties = node.properties.as_ref().unwrap();
    assert_eq!(properties.access, Some(Access::GET | Access::ADD));
    assert_eq!(properties.description.as_deref(), Some("Profiles & networks"));
    assert_eq!(properties.format.as_deref(), Some("node"));
    assert_eq!(properties.occurrence, Some(Occurrence::One));
    assert_eq!(properties.scope, Some(Scope::Permanent));
    assert_eq!(properties.ddf_name.as_deref(), Some(""));
    let leaf = &node.children[0];
    assert_eq!(leaf.name.as_deref(), Some(""));
    let expected = DfProperties {
        access: Some(Access::ADD | Access::DELETE | Access::GET | Access::REPLACE),
        default_value: Some(b"0".into()),
        format: Some("chr".into()),
        occurrence: Some(Occurrence::ZeroOrN(16)),
        scope: Some(Scope::Dynamic),
        title: Some("Profile".into()),
        mime: vec!["text/plain".into(), "text/xml".into()],
        case_sense: Some(CaseSense::Insensitive),
        ..DfProperties::default()
    };
    assert_eq!(leaf.properties.as_ref(), Some(&expected));
}

#[test]
fn a_vendor_file_comes_out_in_both_encodings() {
    let document = vendor();
    let expected = "<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD><Node>\
        <NodeName>Wi-Fi Setting</NodeName><Path>./Vendor/MSFT</Path><DFProperties><AccessType>\
        <Add/><Get/></AccessType><Description>Profiles &amp; networks</Description><DFFormat>\
        <node/></DFFormat><Occurrence><One/></Occurrence><Scope><Permanent/></Scope><DFType>\
        <DDFName/></DFType></DFProperties><Node><NodeName/><DFProperties><AccessType><Add/>\
        <Delete/><Get/><Replace/></AccessType><DefaultValue>0</DefaultValue><DFFormat><chr/>\
        </DFFormat><Occurrence><ZeroOrN>16</ZeroOrN></Occurrence><Scope><Dynamic/></Scope>\
        <DFTitle>Profile</DFTitle><DFType><MIME>text/plain</MIME><MIME>text/xml</MIME></DFType>\
        <CaseSense><CIS/></CaseSense></DFProperties></Node></Node></MgmtTree>";
    for encoding in [Encoding::Wbxml, Encoding::Xml] {
        let written = ddf_document::write(&document, encoding).unwrap();
        assert_eq!(Encoding::detect(&written), encoding);
        assert_eq!(ddf_document::read(&written).as_ref(), Ok(&document));
        assert_eq!(canonical(&written, &Options::default()).as_deref(), Ok(expected));
    }
}

#[test]
fn an_internal_subset_is_for_descriptions_only() {
    let class = |text: &str| ddf_document::read(text.as_bytes()).map(drop).map_err(|f| f.class);
    let subset = "<!DOCTYPE MgmtTree [<!ENTITY a \"x\">]>";
    let object = format!("{subset}<MgmtTree><VerDTD>1.2</VerDTD></MgmtTree>");
    assert_eq!(class(&object), Ok(()));
    assert_eq!(tnds::read(object.as_bytes()).unwrap_err().class, Class::XmlDtd);
    let message = format!("{subset}<SyncML/>");
    assert_eq!(syncml::read(message.as_bytes()).unwrap_err().class, Class::XmlDtd);
    // What it declares stays unknown: nothing is expanded, nothing fetched.
    let used = format!("{subset}<MgmtTree><VerDTD>&a;</VerDTD></MgmtTree>");
    assert_eq!(class(&used), Err(Class::XmlSyntax));
    let external = "<!DOCTYPE MgmtTree [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>\
        <MgmtTree><Man>&a;</Man></MgmtTree>";
    assert_eq!(class(external), Err(Class::XmlSyntax));
    assert_eq!(class("<!DOCTYPE MgmtTree [<!ENTITY a"), Err(Class::XmlSyntax));
}

#[test]
fn choices_that_are_none_are_refused_with_their_octet() {
    let fault = |properties: &str| {
        let head = "<MgmtTree><Node><NodeName>a</NodeName><DFProperties>";
        let text = format!("{head}{properties}</DFProperties></Node></MgmtTree>");
        let fault = ddf_document::read(text.as_bytes()).unwrap_err();
        assert_eq!(fault.class, Class::ContentModel);
        (fault.at - head.len(), fault.what)
    };
    assert_eq!(fault("<Occurrence><Two/></Occurrence>"), (12, "a choice that is not defined"));
    let number = "a number of occurrences is no number";
    assert_eq!(fault("<Occurrence><OneOrN>x</OneOrN></Occurrence>"), (12, number));
    assert_eq!(fault("<Occurrence><OneOrN/></Occurrence>"), (12, number));
    assert_eq!(fault("<Scope></Scope>"), (7, "an empty choice"));
    assert_eq!(fault("<Scope><Dynamic/><Permanent/></Scope>").1, "the same element twice");
    assert_eq!(fault("<DFFormat/>").1, "Format without a format");
    assert_eq!(fault("<DFTitle/><DFTitle/>").1, "the same element twice");
}

#[test]
fn run_time_properties_values_and_unknown_formats() {
    let text = "<MgmtTree><Node><NodeName>a</NodeName><RTProperties><ACL/><Format/><Title/>\
        <X:y xmlns:X='z'/></RTProperties><DFProperties><DFFormat><string/></DFFormat>\
        </DFProperties><Value>v</Value></Node></MgmtTree>";
    let mut document = ddf_document::read(text.as_bytes()).unwrap();
    let node = &mut document.nodes[0];
    let names = node.rt_properties.as_ref().unwrap();
    assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["ACL", "Format", "Title"]);
    assert_eq!(node.value.as_deref(), Some(&b"v"[..]));
    let properties = node.properties.as_mut().unwrap();
    assert_eq!((properties.format.as_deref(), properties.access), (Some("string"), None));
    // Such a format can be read, but nobody could read it in WBXML.
    assert!(ddf_document::write(&document, Encoding::Wbxml).is_err());
}

#[test]
fn octets_that_are_no_text_need_wbxml() {
    let node = DdfNode { value: Some(vec![0xFF, 0x00].into()), ..DdfNode::default() };
    let document = DdfDocument { ver_dtd: "1.2".into(), nodes: vec![node], ..Default::default() };
    let written = ddf_document::write(&document, Encoding::Wbxml).unwrap();
    assert_eq!(ddf_document::read(&written), Ok(document.clone()));
    assert!(ddf_document::write(&document, Encoding::Xml).is_err());
}

#[test]
fn other_documents_are_refused() {
    assert_eq!(ddf_document::read(b"").unwrap_err().class, Class::Empty);
    let message = b"<SyncML xmlns='SYNCML:SYNCML1.2'/>";
    assert_eq!(ddf_document::read(message).unwrap_err().class, Class::PublicIdMismatch);
    assert_eq!(ddf_document::mime(Encoding::Xml), "application/vnd.syncml.dmddf+xml");
    assert_eq!(ddf_document::mime(Encoding::Wbxml), "application/vnd.syncml.dmddf+wbxml");
}

#[test]
fn any_prefix_and_any_changed_octet_end_in_a_value_or_an_error() {
    let wbxml = ddf_document::write(&vendor(), Encoding::Wbxml).unwrap();
    for document in [VENDOR.trim_end().as_bytes(), &wbxml] {
        for end in 0..document.len() {
            assert!(ddf_document::read(&document[..end]).is_err());
        }
        let mut changed = document.to_vec();
        for (at, original) in document.iter().enumerate() {
            for octet in [0x00, 0x01, b'<', b'>', b'&', 0x7F, 0x80, 0xFF, original ^ 0x01] {
                changed[at] = octet;
                let _ = ddf_document::read(&changed);
            }
            changed[at] = *original;
        }
    }
}

#[test]
fn nesting_ends_in_an_error() {
    let text = format!("<MgmtTree>{}", "<Node>".repeat(100_000));
    assert_eq!(ddf_document::read(text.as_bytes()).unwrap_err().class, Class::Depth);
}

fn text() -> impl Strategy<Value = std::borrow::Cow<'static, str>> {
    "[ -~\u{e9}\n\t]{0,10}".prop_map(Into::into)
}

fn octets() -> impl Strategy<Value = std::borrow::Cow<'static, [u8]>> {
    "[ -~]{0,8}".prop_map(|text| text.into_bytes().into())
}

fn occurrence() -> impl Strategy<Value = Occurrence> {
    prop_oneof![
        Just(Occurrence::One),
        Just(Occurrence::ZeroOrOne),
        Just(Occurrence::ZeroOrMore),
        Just(Occurrence::OneOrMore),
        any::<u32>().prop_map(Occurrence::ZeroOrN),
        any::<u32>().prop_map(Occurrence::OneOrN),
    ]
}

fn properties() -> impl Strategy<Value = DfProperties<'static>> {
    use proptest::option::of;
    let formats = vec!["node", "chr", "bin", "int", "bool", "xml", "null", "b64", "float", "date"];
    let head = (of(0u8..64), of(octets()), of(text()), of(proptest::sample::select(formats)));
    let scope = of(prop_oneof![Just(Scope::Permanent), Just(Scope::Dynamic)]);
    let case = of(prop_oneof![Just(CaseSense::Sensitive), Just(CaseSense::Insensitive)]);
    let tail = (of(text()), proptest::collection::vec(text(), 0..3), of(text()), case);
    (head, of(occurrence()), scope, tail).prop_map(|(head, occurrence, scope, tail)| DfProperties {
        access: head.0.map(Access::from_bits_truncate),
        default_value: head.1,
        description: head.2,
        format: head.3.map(Into::into),
        occurrence,
        scope,
        title: tail.0,
        mime: tail.1,
        ddf_name: tail.2,
        case_sense: tail.3,
    })
}

fn node() -> impl Strategy<Value = DdfNode<'static>> {
    use proptest::option::of;
    let plain = || (of(text()), of(text()), of(properties()), of(octets()));
    let run_time = proptest::sample::subsequence(vec!["ACL", "Format", "Name", "Title"], 0..4);
    let run_time = run_time.prop_map(|names| names.into_iter().map(Into::into).collect());
    let leaf = (plain(), of(run_time)).prop_map(|((name, path, properties, value), run_time)| {
        DdfNode { name, path, rt_properties: run_time, properties, value, children: Vec::new() }
    });
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let children = proptest::collection::vec(inner, 0..3);
        (plain(), children).prop_map(|((name, path, properties, value), children)| DdfNode {
            name,
            path,
            rt_properties: None,
            properties,
            value,
            children,
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        ver_dtd in text(),
        man in proptest::option::of(text()),
        nodes in proptest::collection::vec(node(), 0..3),
    ) {
        let document = DdfDocument { ver_dtd, man, mod_: None, nodes };
        for encoding in [Encoding::Wbxml, Encoding::Xml] {
            let written = ddf_document::write(&document, encoding).unwrap();
            prop_assert_eq!(ddf_document::read(&written).unwrap(), document.clone());
        }
    }
}
