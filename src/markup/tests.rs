use super::*;
use crate::limits;
use proptest::prelude::*;

const VECTORS: &str = include_str!("../../tests/data/encoding-vectors.tsv");
const PLAIN: Options = Options { padding: false, expected: None, internal_subset: false };
/// Header of WBXML 1.2, SyncML 1.2, UTF-8, up to the length of the string table.
const HEADER: [u8; 4] = [0x02, 0xA4, 0x01, 0x6A];

fn class(octets: &[u8]) -> Class {
    canonical(octets, &PLAIN).unwrap_err().class
}

fn form(xml: &str) -> std::result::Result<String, Class> {
    canonical(xml.as_bytes(), &PLAIN).map_err(|fault| fault.class)
}

/// All documents of the vectors that decode, without options.
fn documents() -> Vec<Vec<u8>> {
    VECTORS
        .lines()
        .filter(|line| line.starts_with(['a', 'b', 'x', 's']))
        .filter_map(|line| line.split('\t').nth(1).map(unhex))
        .collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Every reader of the library sees `octets`; none may panic.
fn feed(octets: &[u8]) {
    for padding in [false, true] {
        for expected in [None, Some(DocType::Tnds)] {
            let _ = canonical(octets, &Options { padding, expected, ..PLAIN });
        }
    }
    let _ = crate::syncml::read(octets);
    let _ = crate::tree::tnds::read(octets);
}

#[test]
fn every_prefix_and_every_changed_octet_gives_a_value_or_an_error() {
    for document in documents() {
        for length in 0..document.len() {
            feed(&document[..length]);
        }
        let mut changed = document.clone();
        for at in 0..document.len() {
            for mask in [0x01, 0x02, 0x40, 0x80, 0xFF] {
                changed[at] = document[at] ^ mask;
                let _ = canonical(&changed, &PLAIN);
                let _ = crate::syncml::read(&changed);
                let _ = crate::tree::tnds::read(&changed);
            }
            changed[at] = document[at];
        }
    }
}

proptest! {
    #[test]
    fn any_octets_give_a_value_or_an_error(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        feed(&octets);
        let mut body = HEADER.to_vec();
        body.push(0);
        body.extend(&octets);
        feed(&body);
        let mut text = b"<SyncML>".to_vec();
        text.extend(&octets);
        feed(&text);
    }
}

#[test]
fn nesting_ends_in_an_error_not_in_the_stack() {
    for depth in [20_000, 200_000] {
        let mut octets = HEADER.to_vec();
        octets.extend([0, 0x6D]);
        octets.extend(std::iter::repeat_n(0x6B, depth));
        octets.extend(std::iter::repeat_n(0x01, depth + 1));
        assert_eq!(class(&octets), Class::Depth);
        assert_eq!(crate::syncml::read(&octets).unwrap_err().class, Class::ContentModel);
        let xml = format!("<SyncML>{}", "<Atomic>".repeat(depth / 2));
        assert_eq!(form(&xml), Err(Class::Depth));
    }
}

#[test]
fn string_table_amplification_ends_in_an_error() {
    let mut octets = HEADER.to_vec();
    octets.extend([0x84, 0x80, 0x00]);
    octets.extend(std::iter::repeat_n(b'A', 65_535));
    octets.extend([0, 0x6D, 0x6B, 0x4F]);
    for _ in 0..4_000 {
        octets.extend([0x83, 0]);
    }
    octets.extend([1, 1, 1]);
    let fault = canonical(&octets, &PLAIN).unwrap_err();
    assert_eq!(fault.class, Class::Limit);
    assert!(fault.at < 65_600, "stopped after a handful of references, at {}", fault.at);
}

#[test]
fn announced_lengths_are_compared_not_trusted() {
    let with = |operand: &[u8]| {
        let mut octets = HEADER.to_vec();
        octets.extend([0, 0x6D, 0x6B, 0x46, 0x4F, 0xC3]);
        octets.extend(operand);
        class(&octets)
    };
    assert_eq!(with(&[0x84, 0x80, 0x80, 0x80, 0x00, b'x']), Class::OpaqueLength); // 1 GiB
    assert_eq!(with(&[0x90, 0x80, 0x80, 0x80, 0x01, b'x']), Class::MbintOverflow); // 33 bits
    assert_eq!(with(&[0x8F, 0xFF, 0xFF, 0xFF]), Class::Truncated);
}

#[test]
fn too_many_elements_and_too_large_documents_are_refused() {
    let mut octets = HEADER.to_vec();
    octets.extend([0, 0x6D, 0x6B]);
    octets.extend(std::iter::repeat_n(0x12, limits::MARKUP_NODES));
    assert_eq!(class(&octets), Class::Limit);
    let xml = format!("<SyncML>{}", "<Final/>".repeat(limits::MARKUP_NODES));
    assert_eq!(form(&xml), Err(Class::Limit));
    let attributes = " a:b='c'".repeat(limits::MARKUP_NODES);
    assert_eq!(form(&format!("<SyncML{attributes}/>")), Err(Class::Limit));
    let large = Reader::new(&vec![b' '; limits::MARKUP_OCTETS + 1], &PLAIN).unwrap_err();
    assert_eq!(large.class, Class::Limit);
}

#[test]
fn faults_say_where() {
    let octets = [&HEADER[..], &[0, 0x6D, 0x6C, 0x70, 0x01, 0x01, 0x01]].concat();
    let fault = canonical(&octets, &PLAIN).unwrap_err();
    assert_eq!(fault.to_string(), "token is no element of the code page (E_TAG_UNKNOWN at byte 7)");
    let error = crate::error::Error::from(fault);
    assert_eq!(error.code(), crate::error::Code::Syntax);
    let fault = canonical(b"<SyncML>\n<SyncBody>a & b</SyncBody></SyncML>", &PLAIN).unwrap_err();
    assert_eq!((fault.class, fault.at), (Class::XmlSyntax, 21));
}

#[test]
fn namespaces_of_the_field_are_understood() {
    let expected = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncBody><Alert><Item><Meta>\
                    <Type xmlns=\"syncml:metinf\">t</Type></Meta></Item></Alert></SyncBody></SyncML>";
    for (root, prefix, meta, kind) in [
        (" xmlns='SYNCML:SYNCML1.2'", "", "", " xmlns='syncml:metinf'"),
        (" xmlns='SYNCML: SYNCML1.2'", "", "", ""),
        ("", "", "", ""),
        (" xmlns='syncml:syncml1.2'", "", " xmlns='syncml:metinf'", ""),
        (" xmlns:s='SYNCML:SYNCML1.2'", "s:", "", ""),
    ] {
        let p = prefix;
        let xml = format!(
            "<{p}SyncML{root}> <{p}SyncBody>\n<!-- c --><{p}Alert><{p}Item><{p}Meta{meta}><?p i?>\
             <{p}Type{kind}>t</{p}Type></{p}Meta></{p}Item></{p}Alert></{p}SyncBody></{p}SyncML>\n"
        );
        assert_eq!(form(&xml).as_deref(), Ok(expected), "{xml}");
    }
}

#[test]
fn a_name_of_two_namespaces_is_what_its_own_declaration_says() {
    let get = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncBody><AccessType xmlns=\"syncml:dmddf1.2\">\
               <Get xmlns=\"SYNCML:SYNCML1.2\"/><Get/></AccessType></SyncBody></SyncML>";
    assert_eq!(form(get).as_deref(), Ok(get));
    // A name that only its place knows stays that.
    let format = "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncBody><Get><Meta>\
                  <Format xmlns='SYNCML:SYNCML1.2'>chr</Format></Meta></Get></SyncBody></SyncML>";
    assert!(form(format).unwrap().contains("<Format xmlns=\"syncml:metinf\">chr</Format>"));
}

#[test]
fn elements_outside_the_vocabulary_keep_their_name() {
    let xml = "<SyncML><SyncBody><x:Foo xmlns:x='urn:x' a='b'>1</x:Foo><Bar/></SyncBody></SyncML>";
    let mut reader = Reader::new(xml.as_bytes(), &PLAIN).unwrap();
    reader.root().unwrap();
    assert_eq!(reader.child().unwrap(), Some(syncml::SYNC_BODY));
    for name in ["Foo", "Bar"] {
        let tag = reader.child().unwrap().unwrap();
        assert_eq!((tag, reader.name_of(tag)), (Tag::OTHER, name));
        reader.skip().unwrap();
    }
    assert_eq!(reader.child().unwrap(), None);
    assert_eq!(reader.child().unwrap(), None);
    reader.finish().unwrap();
    assert_eq!(reader.next().unwrap(), Event::Finish);
}

#[test]
fn ill_formed_text_is_refused() {
    for xml in [
        "<SyncML><SyncBody></SyncML>",
        "<SyncML><SyncBody/>",
        "<SyncML>&unknown;</SyncML>",
        "<SyncML>&#0;</SyncML>",
        "<SyncML>&#xFFFE;</SyncML>",
        "<SyncML>&#55296;</SyncML>",
        "<SyncML>a & b</SyncML>",
        "<SyncML><p:Final/></SyncML>",
        "<SyncML><![CDATA[a]]</SyncML>",
        "<SyncML>\u{1}</SyncML>",
        "<SyncML><?xml version='1.0'?></SyncML>",
        "<!-- -->text<SyncML/>",
        "<wap-provisioningdoc version='1<0'/>",
    ] {
        assert_eq!(form(xml), Err(Class::XmlSyntax), "{xml}");
    }
    assert_eq!(form("<SyncML/><SyncML/>"), Err(Class::TrailingData));
    assert_eq!(form("<SyncML/>text"), Err(Class::TrailingData));
    assert_eq!(form("<!-- nothing -->"), Err(Class::Truncated));
    assert_eq!(form("<SyncBody xmlns='SYNCML:SYNCML1.2'/>"), Err(Class::Root));
    assert_eq!(form("<SyncML a='b'/>"), Err(Class::AttrUnexpected));
    assert_eq!(form("<wap-provisioningdoc a='b'/>"), Err(Class::AttrUnknown));
    let twice = "<wap-provisioningdoc version='1' version='1'/>";
    assert_eq!(form(twice), Err(Class::AttrDuplicate));
}

#[test]
fn character_sets() {
    let declared = |name: &str, text: &[u8]| {
        let head = format!("<?xml version='1.0' encoding='{name}'?><SyncML><SyncBody>");
        let octets = [head.as_bytes(), text, b"</SyncBody></SyncML>"].concat();
        canonical(&octets, &PLAIN).map_err(|fault| fault.class)
    };
    assert!(declared("iso-8859-1", b"\xE9").unwrap().contains("é"));
    assert!(declared("utf-8", "é".as_bytes()).unwrap().contains("é"));
    assert_eq!(declared("utf-8", b"\xE9"), Err(Class::StrEncoding));
    assert_eq!(declared("us-ascii", b"\xE9"), Err(Class::StrEncoding));
    assert_eq!(declared("utf-16", b"x"), Err(Class::Charset));
    // The place of a fault is that of the document as it is.
    let latin1 =
        b"<?xml version='1.0' encoding='latin1'?><SyncML>\xE9\xE9<Data>\xE9 &</Data></SyncML>";
    let place = |octet: u8| latin1.iter().position(|found| *found == octet).unwrap();
    assert_eq!(canonical(latin1, &PLAIN).unwrap_err().at, place(b'&'));
    assert_eq!(crate::syncml::read(latin1).unwrap_err().at, place(0xE9));
    assert_eq!(class(b"\xFF\xFE<\0"), Class::Charset);
}

#[test]
fn sc_064_padding_of_a_card_file() {
    let options = Options { padding: true, expected: Some(DocType::SyncMl), ..PLAIN };
    let body = [&HEADER[..], &[0, 0x6D, 0x2B, 0x01]].concat();
    let plain = canonical(&body, &options).unwrap();
    for fill in [0x00, 0xFF] {
        let padded = [&body[..], &[fill; 40]].concat();
        assert_eq!(canonical(&padded, &options).unwrap(), plain);
        assert_eq!(class(&padded), Class::TrailingData);
        let xml = [&b"<SyncML><SyncBody/></SyncML>"[..], &[fill; 40]].concat();
        assert_eq!(canonical(&xml, &options).unwrap(), plain);
        let empty = Reader::new(&[fill; 64], &options).unwrap_err();
        assert_eq!(empty.class, Class::Empty);
    }
    let mixed = [&body[..], &[0xFF, 0x00]].concat();
    assert_eq!(canonical(&mixed, &options).unwrap_err().class, Class::TrailingData);
}

#[test]
fn sc_079_another_document_type_than_announced() {
    let message = [&HEADER[..], &[0, 0x6D, 0x01]].concat();
    let expected = Some(DocType::Prov);
    let fault = Reader::new(&message, &Options { expected, ..PLAIN }).unwrap_err();
    assert_eq!(fault.class, Class::PublicIdMismatch);
    let fault = Reader::new(b"<SyncML/>", &Options { expected, ..PLAIN }).unwrap_err();
    assert_eq!(fault.class, Class::PublicIdMismatch);
}

#[test]
fn attributes_can_be_pulled_without_losing_the_content() {
    let wbxml = [0x03, 0x0B, 0x6A, 0x00, 0xC5, 0x46, 0x01, 0x86, 0x55, 0x01, 0x01];
    let xml =
        b"<wap-provisioningdoc version='1.0'><characteristic type='NAPDEF'/></wap-provisioningdoc>";
    for octets in [&wbxml[..], xml] {
        let mut reader = Reader::new(octets, &PLAIN).unwrap();
        assert_eq!(reader.root().unwrap(), prov::WAP_PROVISIONINGDOC);
        assert_eq!(reader.attribute().unwrap(), Some((Attr::Version, "1.0".into())));
        assert_eq!(reader.attribute().unwrap(), None);
        assert_eq!(reader.child().unwrap(), Some(prov::CHARACTERISTIC));
        assert_eq!(reader.attribute().unwrap(), Some((Attr::Type, "NAPDEF".into())));
        assert_eq!(reader.attribute().unwrap(), None);
        assert_eq!(reader.child().unwrap(), None);
        assert_eq!(reader.attribute().unwrap(), None);
        assert_eq!(reader.child().unwrap(), None);
        reader.finish().unwrap();
    }
}

#[test]
fn elements_of_provisioning_text_in_capitals() {
    let xml = "<wap-provisioningdoc><Characteristic type='X'><PARM name='N'/></Characteristic>\
               </wap-provisioningdoc>";
    let expected = "<wap-provisioningdoc><characteristic type=\"X\"><parm name=\"N\"/>\
                    </characteristic></wap-provisioningdoc>";
    assert_eq!(form(xml).as_deref(), Ok(expected));
}

#[test]
fn wbxml_is_written_to_the_octet() {
    let mut writer = Writer::new(DocType::SyncMl, Encoding::Wbxml);
    writer.start(syncml::SYNCML);
    writer.start(syncml::SYNC_BODY);
    writer.start(syncml::REPLACE);
    writer.start(syncml::META);
    writer.leaf(metinf::FORMAT, "bin");
    writer.leaf(metinf::TYPE, "");
    writer.end();
    writer.start(syncml::DATA);
    writer.opaque(&[0, 1]);
    writer.text("a\0");
    writer.end();
    writer.end();
    writer.empty(syncml::FINAL);
    writer.end();
    writer.end();
    assert_eq!(
        writer.finish().unwrap(),
        unhex("02A4016A006D6B605A0001470362696E0001130100004FC3020001C30261000101120101")
    );
}

#[test]
fn xml_is_written_to_the_octet() {
    let mut writer = Writer::new(DocType::SyncMl, Encoding::Xml);
    writer.start(syncml::SYNCML);
    writer.start(syncml::META);
    writer.leaf(metinf::MARK, "<&>\"\r\n\t");
    writer.empty(metinf::EMI);
    writer.end();
    writer.empty(syncml::FINAL);
    writer.end();
    assert_eq!(
        String::from_utf8(writer.finish().unwrap()).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SyncML xmlns=\"SYNCML:SYNCML1.2\"><Meta>\
         <Mark xmlns=\"syncml:metinf\">&lt;&amp;&gt;\"&#13;\n\t</Mark>\
         <EMI xmlns=\"syncml:metinf\"/></Meta><Final/></SyncML>"
    );
    for octets in [&b"\xFF"[..], b"\x01", b"a\0"] {
        let mut writer = Writer::new(DocType::SyncMl, Encoding::Xml);
        writer.start(syncml::SYNCML);
        writer.opaque(octets);
        writer.end();
        assert_eq!(writer.finish().unwrap_err().code(), crate::error::Code::InvalidArg);
    }
}

/// The document of `xml` as it is written with a string table where that is shorter, and without.
fn compact_and_plain(xml: &str) -> [Vec<u8>; 2] {
    [true, false].map(|compact| {
        let mut reader = Reader::new(xml.as_bytes(), &PLAIN).unwrap();
        let mut writer = Writer::new(reader.public_id().doc, Encoding::Wbxml);
        loop {
            match reader.next().unwrap() {
                Event::Finish if compact => return writer.finish_compact().unwrap(),
                Event::Finish => return writer.finish().unwrap(),
                event => writer.event(&event),
            }
        }
    })
}

#[test]
fn a_string_table_holds_what_it_makes_shorter() {
    let alerts = |texts: &[&str]| {
        let alert = |text: &&str| format!("<Correlator>{text}</Correlator>");
        let inside: String = texts.iter().map(alert).collect();
        format!("<SyncML><SyncBody><Alert>{inside}</Alert></SyncBody></SyncML>")
    };
    // The most frequent comes first; "a" twice would take as much in the table.
    let texts = ["text/plain", "a", "chr", "text/plain", "chr", "a", "chr"];
    let [compact, plain] = compact_and_plain(&alerts(&texts));
    assert_eq!(plain.len() - compact.len(), (2 * 12 + 3 * 5) - (11 + 4 + 5 * 2));
    let body = "6D6B46 7C830401 7C03610001 7C830001 7C830401 7C830001 7C03610001 7C830001 010101";
    let expected = format!("02A4016A 0F 63687200 746578742F706C61696E00 {body}").replace(' ', "");
    assert_eq!(compact, unhex(&expected));
    for texts in [&["a", "a"][..], &["longer than that"], &["", ""], &[]] {
        let [compact, plain] = compact_and_plain(&alerts(texts));
        assert_eq!(compact, plain, "{texts:?}");
    }
}

#[test]
fn a_string_table_stands_behind_the_public_identifier_and_serves_attributes() {
    let node = "<Node><NodeName>Something</NodeName></Node>".repeat(3);
    let tnds = format!("<MgmtTree><VerDTD>1.2</VerDTD>{node}</MgmtTree>");
    let parm = "<parm name='X-VENDOR' value='OPAQUE'/>".repeat(2);
    let prov = format!(
        "<wap-provisioningdoc><characteristic type='PORT'>{parm}</characteristic></wap-provisioningdoc>"
    );
    for (xml, saved) in [(tnds, 3 * 11 - 10 - 3 * 2), (prov, 2 * (10 + 8) - (9 + 7) - 4 * 2)] {
        let [compact, plain] = compact_and_plain(&xml);
        assert_eq!(plain.len() - compact.len(), saved, "{xml}");
        assert_eq!(canonical(&compact, &PLAIN), canonical(&plain, &PLAIN));
    }
}

#[test]
fn multi_byte_lengths_of_opaque() {
    for (length, coded) in [(127, &[0x7F][..]), (128, &[0x81, 0]), (16_384, &[0x81, 0x80, 0])] {
        let mut writer = Writer::new(DocType::SyncMl, Encoding::Wbxml);
        writer.start(syncml::SYNCML);
        writer.opaque(&vec![7; length]);
        writer.end();
        let octets = writer.finish().unwrap();
        assert_eq!(&octets[7..7 + coded.len()], coded);
        assert_eq!(octets.len(), 7 + coded.len() + length + 1);
    }
}

/// What quick-xml's own events say of a document: `(name`, text, `)`; `None` if it is malformed.
fn events_of_quick_xml(document: &str) -> Option<String> {
    use quick_xml::events::Event as Xml;
    let (mut reader, mut out, mut depth) =
        (quick_xml::NsReader::from_str(document), String::new(), 0);
    loop {
        let (namespace, event) = reader.read_resolved_event().ok()?;
        if matches!(namespace, quick_xml::name::ResolveResult::Unknown(_)) {
            return None;
        }
        if let Xml::Start(start) | Xml::Empty(start) = &event
            && start.attributes().with_checks(false).any(|attribute| attribute.is_err())
        {
            return None;
        }
        match event {
            Xml::Start(start) => {
                depth += 1;
                out += &format!("({}", start.local_name().as_ref());
            }
            Xml::Empty(start) => out += &format!("({})", start.local_name().as_ref()),
            Xml::End(_) => {
                depth -= 1;
                out.push(')');
            }
            Xml::Text(text) => out += &text.xml10_content(),
            Xml::CData(text) => out += &text.xml10_content(),
            Xml::GeneralRef(reference) => match reference.as_ref() {
                "lt" => out.push('<'),
                "amp" => out.push('&'),
                _ => out.push(reference.resolve_char_ref().ok()??),
            },
            Xml::Comment(_) | Xml::PI(_) => {}
            Xml::Decl(_) | Xml::DocType(_) => return None,
            Xml::Eof => return (depth == 0).then_some(out),
        }
    }
}

/// The same of this library's reader.
fn events_of_reader(document: &str) -> Option<String> {
    let mut reader = Reader::new(document.as_bytes(), &PLAIN).ok()?;
    let mut out = String::new();
    loop {
        match reader.next().ok()? {
            Event::Start(tag) => out += &format!("({}", reader.name_of(tag)),
            Event::Text(text) => out += &text,
            Event::End => out.push(')'),
            Event::Finish => return Some(out),
            Event::Attribute(..) | Event::Opaque(_) => unreachable!("not in this document"),
        }
    }
}

/// The texts of leaves, read at once and by their pieces.
fn leaves(document: &str) -> [Option<Vec<String>>; 2] {
    [true, false].map(|at_once| {
        let mut reader = Reader::new(document.as_bytes(), &PLAIN).ok()?;
        let mut texts = Vec::new();
        reader.root().ok()?;
        while reader.child().ok()?.is_some() {
            let mut text = String::new();
            if at_once {
                text = reader.text().ok()?.into_owned();
            } else {
                loop {
                    match reader.next().ok()? {
                        Event::Text(piece) => text += &piece,
                        Event::End => break,
                        _ => return None,
                    }
                }
            }
            texts.push(text);
        }
        reader.finish().ok()?;
        Some(texts)
    })
}

#[rustfmt::skip]
const PIECES: [&str; 40] = [
    "<a>", "</a>", "</a>", "<b>", "</b>", "</b >", "</ b>", "<a/>", "<a />", "< a>", "<b x='>'>", "<b x=\"'\"/>",
    "<v:a xmlns:v='urn:v'>", "</v:a>", "<v:a>", "<a xmlns=''>", "<a xmlns=\"urn:w\">", "<a/b>", "</a/>", "<a:>",
    "text", "t\r\nx\r", " ", "\t", "\u{e9}\u{feff}\u{f000}", ">", "]]>", "&lt;", "&#x41;", "&amp;", "&bad;", "&", "&#0;",
    "<!-- c -->", "<!-- <a> -->", "<![CDATA[<a>&]]>", "<?p i?>", "<", "</", "'\"",
];

proptest! {
    #[test]
    fn tags_and_text_are_found_where_quick_xml_finds_them(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12),
    ) {
        let document = format!("<SyncML xmlns='SYNCML:SYNCML1.2'>{}</SyncML>", pieces.concat());
        prop_assert_eq!(events_of_reader(&document), events_of_quick_xml(&document), "{}", document);
    }

    #[test]
    fn a_leaf_is_the_sum_of_its_pieces(
        texts in prop::collection::vec(
            prop::collection::vec(prop::sample::select(&PIECES[20..]), 0..5), 1..4),
    ) {
        let leaf = |pieces: &Vec<&str>| format!("<Cmd>{}</Cmd>", pieces.concat());
        let inside: String = texts.iter().map(leaf).collect();
        let [at_once, by_pieces] = leaves(&format!("<SyncML xmlns='SYNCML:SYNCML1.2'>{inside}</SyncML>"));
        prop_assert_eq!(at_once, by_pieces, "{}", inside);
    }
}
