//! What is found in the field and has to be read: documents and objects that are not as they should be.
//! What is particular to provisioning documents and descriptions is in `prov_documents` and
//! `ddf_documents`, what is particular to cards in `card_conformance`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panic")]

use dmsc::bytes::ctlv;
use dmsc::card::pkcs15::directory::{Place, read_dodf, read_odf};
use dmsc::card::pkcs15::{OID_CP_BOOTSTRAP, OID_DM_BOOTSTRAP};
use dmsc::markup::{Class, Encoding, Options, canonical};
use dmsc::syncml::model::{Action, Command, Data, DataForm, Message};
use dmsc::syncml::{self, write};
use dmsc::time::Now;
use dmsc::tree::Path;
use dmsc::trigger::sms::{Reassembler, Segment};

/// A message of text XML with this root attribute, header members and body.
fn message(xmlns: &str, ids: &str, body: &str) -> String {
    format!(
        "<SyncML{xmlns}><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>{ids}<Target><LocURI>T\
         </LocURI></Target><Source><LocURI>S</LocURI></Source></SyncHdr><SyncBody>{body}<Final/></SyncBody>\
         </SyncML>"
    )
}

const IDS: &str = "<SessionID>1</SessionID><MsgID>1</MsgID>";

/// The message, which has to read the same from text XML and from WBXML.
fn read(text: &str) -> Message<'static> {
    let (message, encoding) = syncml::read(text.as_bytes()).unwrap();
    assert_eq!(encoding, Encoding::Xml);
    let wbxml = write(&message, Encoding::Wbxml).unwrap();
    assert!(syncml::read(&wbxml).unwrap().0 == message, "{text}");
    message.into_owned()
}

fn only_action(message: Message<'static>) -> Action<'static> {
    match message.commands.into_iter().next() {
        Some(Command::Action(action)) => action,
        other => panic!("{other:?}"),
    }
}

#[test]
fn namespaces_missing_or_written_otherwise() {
    let body = "<Add><CmdID>1</CmdID><Item><Target><LocURI>./A</LocURI></Target><Meta><Format>chr</Format>\
                <Type>text/plain</Type></Meta><Data>x</Data></Item></Add>";
    let expected = read(&message(" xmlns='SYNCML:SYNCML1.2'", IDS, body));
    for xmlns in ["", " xmlns='SYNCML: SYNCML1.2'", " xmlns=\"SYNCML:SYNCML1.1\""] {
        assert_eq!(read(&message(xmlns, IDS, body)), expected, "{xmlns}");
    }
    let declared = body.replace("<Format>", "<Format xmlns='syncml:metinf'>");
    assert_eq!(read(&message("", IDS, &declared)), expected);
    let item = &only_action(expected).items[0];
    assert_eq!(item.meta.format.as_deref(), Some("chr"));
    assert_eq!(item.meta.mime.as_deref(), Some("text/plain"));
}

#[test]
fn identifiers_of_every_form() {
    for session in ["b", "2DF", "D", "FFFF", "00b"] {
        let ids = format!("<SessionID>{session}</SessionID><MsgID>0</MsgID>");
        let header = read(&message("", &ids, "")).header;
        assert_eq!((&*header.session_id, &*header.msg_id), (session, "0"));
    }
    let uuid = "1f3b7c52-9d0e-4a51-8a6f-0c55d1ce2f11";
    let get = format!("<Get><CmdID>{uuid}</CmdID><Item/></Get>");
    assert_eq!(only_action(read(&message("", IDS, &get))).cmd_id, uuid);
}

#[test]
fn comments_and_members_in_another_order() {
    let body = "<!-- a --><Replace><!-- b --><Item><MoreData/><!-- c --><Data>ab<!-- d -->cd</Data><Meta>\
                <!-- e --><Size>9</Size></Meta><Target><LocURI>./<!-- f -->A</LocURI></Target></Item>\
                <CmdID>2<!-- g --></CmdID></Replace><!-- h -->";
    let action = only_action(read(&message("", IDS, body)));
    let item = &action.items[0];
    assert_eq!((&*action.cmd_id, item.more_data, item.meta.size), ("2", true, Some(9)));
    assert_eq!(item.data, Some(Data::text("abcd")));
    assert_eq!(item.target.as_ref().unwrap().uri, "./A");
}

#[test]
fn meta_on_the_command() {
    let body = "<Add><CmdID>1</CmdID><Meta><Format>node</Format></Meta><Item><Target><LocURI>./A</LocURI>\
                </Target></Item></Add>";
    let action = only_action(read(&message("", IDS, body)));
    assert_eq!(action.meta().format.as_deref(), Some("node"));
    assert!(action.items[0].meta.is_empty());
}

#[test]
fn names_in_uris() {
    for (written, names) in [
        ("./Vendor/{1f3b-7c52}/Value", vec!["Vendor", "{1f3b-7c52}", "Value"]),
        ("./Vendor/My Node", vec!["Vendor", "My Node"]),
        ("./Vendor/a%2Fb", vec!["Vendor", "a/b"]),
        ("Vendor/A", vec!["Vendor", "A"]),
        ("./Vendor/A", vec!["Vendor", "A"]),
    ] {
        let body = format!(
            "<Get><CmdID>1</CmdID><Item><Target><LocURI>{written}</LocURI></Target></Item></Get>"
        );
        let action = only_action(read(&message("", IDS, &body)));
        let found = &action.items[0].target.as_ref().unwrap().uri;
        assert_eq!(found, written);
        let path = Path::parse(found).unwrap_or_else(|refusal| panic!("{written}: {refusal:?}"));
        assert_eq!(path.names().collect::<Vec<_>>(), names, "{written}");
    }
}

#[test]
fn an_unescaped_ampersand_is_no_xml_and_its_place_is_told() {
    let text = message("", IDS, "<Alert><Data>a & b</Data></Alert>");
    let fault = syncml::read(text.as_bytes()).unwrap_err();
    assert_eq!((fault.class, fault.at), (Class::XmlSyntax, text.find('&').unwrap()));
}

/// `text` as WBXML octets.
fn octets(digits: &str) -> Vec<u8> {
    dmsc::bytes::hex::decode(&digits.replace(' ', "")).unwrap()
}

/// A message of WBXML, all of whose strings `string` makes, with the public identifier `id`.
fn wbxml(id: &str, string: impl Fn(&str) -> Vec<u8>, data: &[u8]) -> Vec<u8> {
    let leaf = |tag: u8, text: &str| [&[tag], &string(text)[..], &[1]].concat();
    let uri = |tag: u8, text: &str| [&[tag], &leaf(0x57, text)[..], &[1]].concat();
    let header = [
        leaf(0x71, "1.2"),
        leaf(0x72, "DM/1.2"),
        leaf(0x65, "1"),
        leaf(0x5B, "1"),
        uri(0x6E, "T"),
        uri(0x67, "S"),
    ];
    let item =
        [&uri(0x6E, "./A")[..], b"\x5A\0\x01", &leaf(0x47, "bin"), b"\0\0\x01\x4F", data].concat();
    [
        &octets(id)[..],
        b"\x6D\x6C",
        &header.concat(),
        b"\x01\x6B\x60",
        &leaf(0x4B, "7"),
        b"\x54",
        &item,
        b"\x01\x01\x01\x12\x01\x01",
    ]
    .concat()
}

fn opaque(text: &[u8]) -> Vec<u8> {
    [&[0xC3, u8::try_from(text.len()).unwrap()], text].concat()
}

#[test]
fn strings_as_opaque_and_binary_data() {
    let inline = |text: &str| [b"\x03", text.as_bytes(), b"\0"].concat();
    let binary = opaque(b"\x00\xFF\x01");
    let expected = syncml::read(&wbxml("02A4016A00", inline, &binary)).unwrap().0.into_owned();
    let data = only_action(expected.clone()).items[0].data.clone().unwrap();
    assert_eq!((data.form, &*data.octets), (DataForm::Opaque, &b"\x00\xFF\x01"[..]));
    let all_opaque = wbxml("02A4016A00", |text| opaque(text.as_bytes()), &binary);
    assert!(syncml::read(&all_opaque).unwrap().0 == expected);
    // Some encoders count a NUL.
    let with_nul = wbxml("02A4016A00", |text| opaque(format!("{text}\0").as_bytes()), &binary);
    assert!(syncml::read(&with_nul).unwrap().0 == expected);
    // Text in OPAQUE is text.
    let text = wbxml("02A4016A00", inline, &opaque(b"abc"));
    let message = syncml::read(&text).unwrap().0.into_owned();
    assert_eq!(only_action(message).items[0].data, Some(Data::text("abc")));
}

#[test]
fn public_identifiers_that_contradict_the_version() {
    let inline = |text: &str| [b"\x03", text.as_bytes(), b"\0"].concat();
    let expected = wbxml("02A4016A00", inline, b"\x03x\0");
    let expected = syncml::read(&expected).unwrap().0.into_owned();
    let textual = |text: &str| {
        let length = format!("{:02X}", text.len());
        format!("0200006A{length}{}", dmsc::bytes::hex::encode(text.as_bytes()))
    };
    for id in [
        "029F536A00".to_owned(),
        "019F516A00".to_owned(),
        "03A4016A00".to_owned(),
        // Version 1.0 has no character set.
        "00A40100".to_owned(),
        textual("-//SYNCML//DTD SyncML 1.1//EN"),
        textual(" -//SYNCML//DTD SYNCML 1.2//EN\0"),
    ] {
        let document = wbxml(&id, inline, b"\x03x\0");
        assert!(syncml::read(&document).unwrap().0 == expected, "{id}");
    }
}

#[test]
fn a_switch_of_page_before_an_end() {
    // The switch back to page 0 stands before END of Meta above; here behind it as well.
    let plain = octets("02A4016A00 6D 6B 60 4B033100 01 5A 0001 4703636872 00 01 0000 01 01 01 01");
    let behind =
        octets("02A4016A00 6D 6B 60 4B033100 01 5A 0001 4703636872 00 01 01 0000 01 01 0000 01");
    let form = |octets: &[u8]| canonical(octets, &Options::default()).unwrap();
    assert_eq!(form(&plain), form(&behind));
}

#[test]
fn gateways_that_repeat_their_reference() {
    let part = |sequence: u8, text: &[u8]| {
        let head = octets("44 04 81 2143 00 04 00000000000000");
        let header = [0x0B, 0x05, 0x04, 0x0B, 0x84, 0x23, 0xF0, 0x00, 0x03, 0x04, 0x02, sequence];
        let length = u8::try_from(header.len() + text.len()).unwrap();
        [&head[..], &[length], &header, text].concat()
    };
    let mut open = Reassembler::new();
    let mut push = |sequence, text: &[u8]| {
        open.push(&Segment::read(&part(sequence, text)).unwrap(), Now::default())
    };
    for (first, second) in [(&b"one"[..], &b"1"[..]), (b"two", b"2"), (b"three", b"3")] {
        assert_eq!(push(1, first), None);
        assert_eq!(push(2, second), Some([first, second].concat()));
    }
    // Of a message that never came, only the part that is sent again is replaced by nothing else.
    assert_eq!(push(2, b"late"), None);
    assert_eq!(push(2, b"late"), None);
    assert_eq!(push(1, b"four"), Some(b"fourlate".to_vec()));
}

#[test]
fn directories_with_a_sequence_too_many_and_padding() {
    let path = octets("30 04 04 02 6430");
    let plain = [&octets("A7 06")[..], &path].concat();
    let wrapped = [&octets("A7 08 30 06")[..], &path].concat();
    for odf in [plain, wrapped] {
        for fill in [&[][..], &[0xFF; 30], &[0; 30]] {
            let listing = read_odf(&[&odf[..], fill].concat());
            let [Place::File(path)] = &listing.entries[..] else { panic!("{listing:?}") };
            assert_eq!((&path.octets[..], listing.faults.len()), (&[0x64, 0x30][..], 0));
        }
    }
}

#[test]
fn identifiers_inside_identifiers() {
    for (oid, value) in [(OID_DM_BOOTSTRAP, "672B0701"), (OID_CP_BOOTSTRAP, "672B0501")] {
        // The value of the identifier is another identifier, tag and length included.
        for id in [format!("06 04 {value}"), format!("06 06 06 04 {value}")] {
            let id = octets(&id);
            let inner = [&id[..], &octets("30 04 04 02 6433")].concat();
            let length = |octets: &[u8]| u8::try_from(octets.len()).unwrap();
            let within = [&[0x30, length(&inner)], &inner[..]].concat();
            let kind = [&[0xA1, length(&within)], &within[..]].concat();
            let members = [&octets("30 04 0C 02 444D")[..], &octets("30 00"), &kind].concat();
            let dodf = [&[0xA1, length(&members)], &members[..]].concat();
            let listing = read_dodf(&dodf, 8);
            assert_eq!(listing.faults.len(), 0, "{listing:?}");
            assert_eq!(listing.entries[0].oids, [oid], "{listing:?}");
        }
    }
}

#[test]
fn the_comprehension_bit_is_no_part_of_the_tag() {
    for tag in [0x01, 0x81] {
        let octets = [tag, 0x01, 0x05];
        let object = ctlv::Reader::new(&octets).read().unwrap().unwrap();
        assert_eq!((object.tag, object.required, object.value), (1, tag == 0x81, &[5][..]));
    }
}
