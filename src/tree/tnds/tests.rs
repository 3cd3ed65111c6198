use super::*;
use crate::error::Code;
use crate::markup::canonical;
use proptest::prelude::*;

fn named(name: &str) -> TndsNode<'_> {
    TndsNode { name: Some(name.into()), ..TndsNode::default() }
}

fn leaf<'a>(name: &'a str, format: &'a str, value: &'a [u8]) -> TndsNode<'a> {
    TndsNode { format: Some(format.into()), value: Some(value.into()), ..named(name) }
}

fn document(nodes: Vec<TndsNode<'_>>) -> Document<'_> {
    Document { ver_dtd: "1.2".into(), nodes, ..Document::default() }
}

/// The nodes of text XML.
fn nodes(text: &str) -> std::result::Result<Vec<TndsNode<'static>>, Fault> {
    let xml = format!("<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD>{text}</MgmtTree>");
    read(xml.as_bytes()).map(|document| document.into_owned().nodes)
}

#[test]
fn all_properties_in_the_order_of_the_dtd() {
    let node = TndsNode {
        path: Some("./Inbox".into()),
        acl: Some("Get=a&Add=*".into()),
        format: Some("chr".into()),
        mime: Some("text/plain".into()),
        title: Some("T".into()),
        tstamp: Some("20200101T000000Z".into()),
        ver_no: Some("3".into()),
        value: Some(b"v"[..].into()),
        ..named("N")
    };
    let document =
        Document { man: Some("M".into()), mod_: Some("X1".into()), ..document(vec![node]) };
    let expected = "<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD><Man>M</Man><Mod>X1</Mod>\
        <Node><NodeName>N</NodeName><Path>./Inbox</Path><RTProperties><ACL>Get=a&amp;Add=*</ACL>\
        <Format><chr/></Format><Title>T</Title><TStamp>20200101T000000Z</TStamp>\
        <Type><MIME>text/plain</MIME></Type><VerNo>3</VerNo></RTProperties><Value>v</Value></Node>\
        </MgmtTree>";
    let xml = write(&document, false).unwrap();
    assert_eq!(std::str::from_utf8(&xml), Ok(expected));
    assert_eq!(read(&xml).unwrap(), document);
    let wbxml = write(&document, true).unwrap();
    assert_eq!(canonical(&wbxml, &Options::default()).unwrap(), expected);
    assert_eq!(read(&wbxml).unwrap(), document);
}

#[test]
fn wbxml_begins_with_the_textual_identifier_and_a_page_switch() {
    let wbxml = write(&document(Vec::new()), true).unwrap();
    let expected = b"\x02\0\0\x6A\x1B-//OMA//DTD-DM-DDF 1.2//EN\0\0\x02\x60\x77\x031.2\0\x01\x01";
    assert_eq!(wbxml, expected);
}

#[test]
fn bin_values_are_base64_in_xml_and_octets_in_wbxml() {
    let document = document(vec![leaf("B", "bin", &[0, 0xFF, 0x10])]);
    let xml = write(&document, false).unwrap();
    assert!(std::str::from_utf8(&xml).unwrap().contains("<Value>AP8Q</Value>"));
    let wbxml = write(&document, true).unwrap();
    assert!(wbxml.windows(6).any(|w| w == [0x76, 0xC3, 0x03, 0x00, 0xFF, 0x10]));
    assert_eq!(read(&xml).unwrap(), document);
    assert_eq!(read(&wbxml).unwrap(), document);
    let bin = |value: &str| {
        nodes(&format!(
            "<Node><Value>{value}</Value><RTProperties><Format><bin/></Format></RTProperties></Node>"
        ))
    };
    assert_eq!(bin(" AP\n8Q ").unwrap()[0].value.as_deref(), Some(&[0, 0xFF, 0x10][..]));
    assert_eq!(bin("A*").unwrap_err().class, Class::ContentModel);
}

#[test]
fn nodes_nest_and_keep_their_order() {
    let found = nodes(
        "<Node><NodeName>A</NodeName><Node><NodeName>B</NodeName><Value/></Node>\
         <Node><NodeName>C</NodeName></Node></Node><Node><NodeName/></Node>",
    )
    .unwrap();
    let below = vec![TndsNode { value: Some(b""[..].into()), ..named("B") }, named("C")];
    assert_eq!(found, [TndsNode { children: below, ..named("A") }, named("")]);
}

#[test]
fn unknown_elements_and_other_namespaces_are_skipped() {
    let found = nodes(
        "<Node><NodeName>A</NodeName><DFProperties><AccessType><Get/></AccessType></DFProperties>\
         <m:X xmlns:m='urn:m'><m:Y/></m:X><RTProperties><Name>n</Name><Size>1</Size></RTProperties>\
         </Node>",
    );
    assert_eq!(found.unwrap(), [named("A")]);
    let plain = read(b"<MgmtTree><Node><NodeName>A</NodeName></Node></MgmtTree>").unwrap();
    assert_eq!(plain.nodes, [named("A")]);
}

#[test]
fn what_breaks_the_structure_is_refused() {
    for text in [
        "<Node><Value>1</Value><Node/></Node>",
        "<Node><NodeName>A</NodeName><NodeName>B</NodeName></Node>",
        "<Node>text</Node>",
        "<Node><RTProperties><Format/></RTProperties></Node>",
        "<Node><RTProperties><Format><chr/><int/></Format></RTProperties></Node>",
    ] {
        assert_eq!(nodes(text).unwrap_err().class, Class::ContentModel, "{text}");
    }
}

#[test]
fn nodes_nest_only_so_deep() {
    let nested = |depth: usize| nodes(&("<Node>".repeat(depth) + &"</Node>".repeat(depth)));
    assert!(nested(64).is_ok());
    assert_eq!(nested(10_000).unwrap_err().class, Class::Depth);
}

#[test]
fn embedded_documents_are_what_their_type_says() {
    let wbxml = write(&document(Vec::new()), true).unwrap();
    let xml = write(&document(Vec::new()), false).unwrap();
    let (said_wbxml, said_xml) =
        (Some("application/vnd.syncml.dmtnds+wbxml"), Some("application/vnd.syncml.dmtnds+xml"));
    assert!(read_embedded(&wbxml, said_wbxml).is_ok());
    assert!(read_embedded(&wbxml, said_xml).is_ok());
    assert!(read_embedded(&xml, said_xml).is_ok());
    assert!(read_embedded(&xml, None).is_ok());
    assert_eq!(read_embedded(&xml, said_wbxml).unwrap_err().class, Class::NestedDoc);
    let cut = &wbxml[..wbxml.len() - 1];
    assert_eq!(read_embedded(cut, said_wbxml).unwrap_err().class, Class::NestedDoc);
}

#[test]
fn identifier_unknown_is_enough_where_tnds_is_expected() {
    let wbxml = b"\x02\x01\x6A\0\0\x02\x60\x77\x031.2\0\x01\x01";
    assert_eq!(&*read(wbxml).unwrap().ver_dtd, "1.2");
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let format = document(vec![leaf("A", "nonsense", b"")]);
    assert_eq!(write(&format, true).unwrap_err().code(), Code::InvalidArg);
    let octets = document(vec![leaf("A", "chr", b"\xFF")]);
    assert_eq!(write(&octets, false).unwrap_err().code(), Code::InvalidArg);
    assert_eq!(read(&write(&octets, true).unwrap()).unwrap(), octets);
}

fn any_text() -> BoxedStrategy<Option<Text<'static>>> {
    prop::option::of("[ -~é<&\r\n]{0,8}".prop_map(Cow::Owned)).boxed()
}

fn any_node() -> BoxedStrategy<TndsNode<'static>> {
    let formats = vec!["node", "chr", "bin", "b64", "int", "bool", "xml", "null", "date", "float"];
    let format = prop::option::of(prop::sample::select(formats));
    let texts = prop::array::uniform8(any_text());
    let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
    let node = (texts, format, value).prop_map(|(texts, format, value)| {
        let [name, path, acl, mime, ddf_name, title, tstamp, ver_no] = texts;
        let value = value.map(|octets| match format {
            Some("bin") => octets,
            _ => octets.iter().map(|b| char::from(b % 95 + 32)).collect::<String>().into(),
        });
        TndsNode {
            name,
            path,
            acl,
            format: format.map(Into::into),
            mime,
            ddf_name,
            title,
            tstamp,
            ver_no,
            value: value.map(Cow::Owned),
            children: Vec::new(),
        }
    });
    node.boxed()
        .prop_recursive(4, 16, 4, |inner| {
            (inner.clone(), prop::collection::vec(inner, 1..4))
                .prop_map(|(node, children)| TndsNode { value: None, children, ..node })
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_document_survives_both_encodings(nodes in prop::collection::vec(any_node(), 0..4)) {
        let document = document(nodes);
        for wbxml in [true, false] {
            let octets = write(&document, wbxml).unwrap();
            prop_assert_eq!(&read(&octets).unwrap(), &document);
        }
    }
}
