use super::model::*;
use super::{Draft, Encoding, message_size, read, size_of, write};
use crate::markup::{Class, Options, canonical};
use proptest::prelude::*;
use std::borrow::Cow;

const SESSIONS: [(&[u8], &[u8]); 3] = [
    (
        include_bytes!("../../tests/data/sessions/a-get1/01.xml"),
        include_bytes!("../../tests/data/sessions/a-get1/01.wbxml"),
    ),
    (
        include_bytes!("../../tests/data/sessions/d-atomic20-ok/01.xml"),
        include_bytes!("../../tests/data/sessions/d-atomic20-ok/01.wbxml"),
    ),
    (
        include_bytes!("../../tests/data/sessions/f-lob1m-to-server/next.xml"),
        include_bytes!("../../tests/data/sessions/f-lob1m-to-server/next.wbxml"),
    ),
];

/// A message of text XML around `body`.
fn message(body: &str) -> String {
    format!(
        "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
         <SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>T</LocURI></Target>\
         <Source><LocURI>S</LocURI></Source></SyncHdr><SyncBody>{body}</SyncBody></SyncML>"
    )
}

/// The one command of a message of text XML with `body`.
fn command(body: &str) -> Command<'static> {
    let text = message(body);
    let (mut message, _) = read(text.as_bytes()).unwrap();
    assert_eq!(message.commands.len(), 1, "{body}");
    message.commands.remove(0).into_owned()
}

#[test]
fn server_messages_are_equal_in_both_encodings_and_survive_writing() {
    for (xml, wbxml) in SESSIONS {
        let (from_xml, encoding) = read(xml).unwrap();
        assert_eq!(encoding, Encoding::Xml);
        let (from_wbxml, encoding) = read(wbxml).unwrap();
        assert_eq!(encoding, Encoding::Wbxml);
        assert!(from_xml == from_wbxml);
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let octets = write(&from_xml, encoding).unwrap();
            assert!(read(&octets).unwrap().0 == from_xml);
            assert_eq!(octets.len(), message_size(&from_xml, encoding));
            let commands: usize = from_xml.commands.iter().map(|c| size_of(c, encoding)).sum();
            let envelope = Draft::new(&from_xml.header, encoding).envelope(from_xml.is_final);
            assert_eq!(octets.len(), envelope + commands);
        }
    }
}

fn action(command: Command<'static>) -> Action<'static> {
    match command {
        Command::Action(action) => action,
        other => panic!("{other:?}"),
    }
}

fn unknown(command: Command<'static>) -> Unknown<'static> {
    match command {
        Command::Unknown(unknown) => unknown,
        other => panic!("{other:?}"),
    }
}

#[test]
fn dm_003_versions_and_namespace_of_what_is_written() {
    let header = Header { ver_dtd: "1.2".into(), ver_proto: "DM/1.2".into(), ..Header::default() };
    let message = Message { header, ..Message::default() };
    let xml = write(&message, Encoding::Xml).unwrap();
    let wbxml = write(&message, Encoding::Wbxml).unwrap();
    let expected = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD>\
        <VerProto>DM/1.2</VerProto><SessionID/><MsgID/><Target><LocURI/></Target>\
        <Source><LocURI/></Source></SyncHdr><SyncBody/></SyncML>";
    assert_eq!(canonical(&xml, &Options::default()).unwrap(), expected);
    assert_eq!(canonical(&wbxml, &Options::default()).unwrap(), expected);
    assert_eq!(wbxml[..5], [0x02, 0xA4, 0x01, 0x6A, 0x00]);
    assert_eq!(Encoding::Wbxml.mime(), "application/vnd.syncml.dm+wbxml");
    assert_eq!(Encoding::Xml.mime(), "application/vnd.syncml.dm+xml");
}

#[test]
fn header_members_are_mandatory() {
    let whole = message("<Final/>");
    assert!(read(whole.as_bytes()).unwrap().0.is_final);
    for member in [
        "<VerDTD>1.2</VerDTD>",
        "<VerProto>DM/1.2</VerProto>",
        "<SessionID>1</SessionID>",
        "<MsgID>1</MsgID>",
        "<Target><LocURI>T</LocURI></Target>",
        "<Source><LocURI>S</LocURI></Source>",
        "<SyncBody><Final/></SyncBody>",
    ] {
        let without = whole.replace(member, "");
        assert_eq!(read(without.as_bytes()).unwrap_err().class, Class::ContentModel, "{member}");
        let twice = whole.replace(member, &member.repeat(2));
        assert_eq!(read(twice.as_bytes()).unwrap_err().class, Class::ContentModel, "{member}");
    }
}

#[test]
fn members_come_in_any_order_and_unknown_ones_are_skipped() {
    let read = action(command(
        "<Add> <Item><MoreData/><Data>d</Data><Foo><Bar/></Foo><Meta><Type>t</Type><EMI>x</EMI></Meta>\
         <Target><LocName>n</LocName><LocURI>./A</LocURI></Target></Item><!-- c -->\
         <Archive/><CmdID>a-1</CmdID></Add>",
    ));
    let expected = Item {
        target: Some(Location { uri: "./A".into(), name: Some(Box::new("n".into())) }),
        meta: Meta { mime: Some("t".into()), ..Meta::default() },
        data: Some(Data::text("d")),
        more_data: true,
        ..Item::default()
    };
    assert_eq!((read.verb, &*read.cmd_id, read.items), (Verb::Add, "a-1", Items::from(expected)));
}

#[test]
fn a_missing_cmd_id_is_empty() {
    assert_eq!(action(command("<Get><Item/></Get>")).cmd_id, "");
    assert_eq!(unknown(command("<Foo/>")).cmd_id, "");
}

#[test]
fn dm_025_unknown_and_unused_commands() {
    let put = unknown(command("<Put><CmdID>4</CmdID><Item><Data>x</Data></Item></Put>"));
    assert_eq!((&*put.name, &*put.cmd_id, put.known, put.fault), ("Put", "4", true, None));
    let foo = unknown(command("<Foo><CmdID>5</CmdID><Baz a='b'/></Foo>"));
    assert_eq!((&*foo.name, &*foo.cmd_id, foo.known, foo.fault), ("Foo", "5", false, None));
    let item = unknown(command("<Item><Data>x</Data></Item>"));
    assert_eq!((&*item.name, item.known), ("Item", false));
}

#[test]
fn a_broken_command_does_not_break_the_message() {
    let text = message(
        "<Add><CmdID>1</CmdID><Item>text<Target><LocURI>./A</LocURI></Target></Item></Add>\
         <Atomic><CmdID>2</CmdID><Replace><CmdID>3</CmdID><Meta><Size>-1</Size></Meta></Replace>\
         <Get><CmdID>4</CmdID></Get></Atomic><Status><CmdID>5</CmdID><Data>OK</Data></Status><Final/>",
    );
    let (message, _) = read(text.as_bytes()).unwrap();
    assert!(message.is_final);
    let [Command::Unknown(add), Command::Group(atomic), Command::Unknown(status)] =
        &message.commands[..]
    else {
        panic!("{:?}", message.commands);
    };
    let fault = add.fault.unwrap();
    assert_eq!((&*add.name, &*add.cmd_id, add.known), ("Add", "1", false));
    assert_eq!((fault.class, fault.what), (Class::ContentModel, "text between elements"));
    assert_eq!(&text[fault.at..fault.at + 4], "text");
    let [Command::Unknown(replace), Command::Action(get)] = &atomic.commands[..] else {
        panic!("{:?}", atomic.commands);
    };
    assert_eq!((&*replace.name, &*replace.cmd_id), ("Replace", "3"));
    assert_eq!(replace.fault.unwrap().what, "not a number of at most 32 bits");
    assert_eq!((get.verb, &*get.cmd_id), (Verb::Get, "4"));
    assert_eq!((&*status.name, &*status.cmd_id), ("Status", "5"));
}

#[test]
fn groups_nest_only_so_deep() {
    let nested = |depth: usize| {
        let body = "<Sequence>".repeat(depth) + &"</Sequence>".repeat(depth);
        let mut commands = vec![command(&body)];
        let mut found = 0;
        while let Some(Command::Group(group)) = commands.pop() {
            found += 1;
            commands = group.commands;
        }
        found
    };
    assert_eq!((nested(2), nested(8), nested(40)), (2, 8, 8));
}

#[test]
fn dm_077_cdata_is_the_value() {
    let add =
        action(command("<Add><Item><Data><![CDATA[<a b='&amp;'>]]>&amp;</Data></Item></Add>"));
    assert_eq!(add.items[0].data, Some(Data::text("<a b='&amp;'>&")));
}

#[test]
fn inline_elements_in_data() {
    let other = "<Replace><Item><Data><a b='1'>x<c/></a> <d/></Data></Item></Replace>";
    let data = action(command(other)).items[0].data.clone().unwrap();
    assert_eq!(data, Data::text("<a b='1'>x<c/></a> <d/>"));
    let tnds = "<Add><Item><Data> <MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD>\
                <v:X xmlns:v='urn:v'>no</v:X><Node/></MgmtTree>\n</Data></Item></Add>";
    let data = action(command(tnds)).items[0].data.clone().unwrap();
    assert_eq!(data.form, DataForm::Embedded);
    assert_eq!(
        data.as_str(),
        Some("<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD><Node/></MgmtTree>")
    );
    for mixed in ["x<MgmtTree/>", "<MgmtTree/>x", "<MgmtTree/><MgmtTree/>"] {
        let body = format!("<Add><Item><Data>{mixed}</Data></Item></Add>");
        assert_eq!(unknown(command(&body)).fault.unwrap().class, Class::ContentModel);
    }
}

#[test]
fn a_message_in_latin_1_is_read_into_text_of_its_own() {
    let text = message("<Alert><Data>1223</Data><Correlator>\u{e9}</Correlator></Alert>");
    let mut octets = b"<?xml version='1.0' encoding='ISO-8859-1'?>".to_vec();
    octets.extend(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()));
    let (message, encoding) = read(&octets).unwrap();
    assert_eq!(encoding, Encoding::Xml);
    let Command::Alert(alert) = &message.commands[0] else { panic!() };
    assert_eq!((alert.code, alert.correlator.as_deref()), (Some(1223), Some("\u{e9}")));
}

#[test]
fn text_borrows_from_the_message() {
    let text = message("<Get><CmdID>17</CmdID></Get>");
    let (message, _) = read(text.as_bytes()).unwrap();
    let Command::Action(get) = &message.commands[0] else { panic!() };
    assert!(matches!(get.cmd_id, Cow::Borrowed("17")));
}

#[test]
fn secrets_do_not_show_in_debug() {
    let text = message("<Add><Item><Data>GEHEIM</Data></Item></Add>").replace(
        "</SyncHdr>",
        "<Cred><Meta><NextNonce>GEHEIM</NextNonce></Meta><Data>GEHEIM</Data></Cred></SyncHdr>",
    );
    let shown = format!("{:?}", read(text.as_bytes()).unwrap());
    assert!(shown.contains("next_nonce: Some(6)"), "{shown}");
    assert!(!shown.contains("GEHEIM"), "{shown}");
}

#[test]
fn octets_that_are_no_text_cannot_be_written_as_xml() {
    let item = Item { data: Some(Data::opaque(&b"\xFF\0"[..])), ..Item::default() };
    let action = Action {
        verb: Verb::Add,
        cmd_id: "1".into(),
        meta: None,
        correlator: None,
        items: item.into(),
    };
    let message = Message { commands: vec![Command::Action(action)], ..Message::default() };
    let code = write(&message, Encoding::Xml).unwrap_err().code();
    assert_eq!(code, crate::error::Code::InvalidArg);
    assert!(
        write(&message, Encoding::Wbxml)
            .unwrap()
            .ends_with(b"\x4F\xC3\x02\xFF\0\x01\x01\x01\x01\x01")
    );
}

fn any_text() -> BoxedStrategy<Text<'static>> {
    prop_oneof![Just(String::new()), "[ -~]{1,12}", "[é漢😀&<>\"'\\]\r\n\t ]{1,6}"]
        .prop_map(Cow::Owned)
        .boxed()
}

fn any_location() -> BoxedStrategy<Location<'static>> {
    (any_text(), prop::option::of(any_text()))
        .prop_map(|(uri, name)| Location { uri, name: name.map(Box::new) })
        .boxed()
}

fn any_meta() -> BoxedStrategy<Meta<'static>> {
    let texts = prop::array::uniform4(prop::option::of(any_text()));
    let numbers = prop::array::uniform3(prop::option::of(any::<u32>()));
    (texts, numbers)
        .prop_map(|([format, mime, mark, next_nonce], [size, max_msg_size, max_obj_size])| {
            let extra = MetaExtra { mark, next_nonce, max_msg_size, max_obj_size };
            let extra = (extra != MetaExtra::default()).then(|| Box::new(extra));
            Meta { format, mime, size: size.map(u64::from), extra }
        })
        .boxed()
}

fn any_cred() -> BoxedStrategy<Cred<'static>> {
    (any_meta(), any_text()).prop_map(|(meta, data)| Cred { meta, data }).boxed()
}

/// Data, with octets that are no text only if `binary`.
fn any_data(binary: bool) -> BoxedStrategy<Data<'static>> {
    let text = any_text().prop_map(Data::text);
    if !binary {
        return text.boxed();
    }
    let octets = prop::collection::vec(any::<u8>(), 0..200).prop_map(|mut octets| {
        octets.push(0xFF);
        Data::opaque(octets)
    });
    prop_oneof![text, octets].boxed()
}

fn any_item(binary: bool) -> BoxedStrategy<Item<'static>> {
    let locations = prop::array::uniform2(prop::option::of(any_location()));
    (locations, any_meta(), prop::option::of(any_data(binary)), any::<bool>())
        .prop_map(|([target, source], meta, data, more_data)| Item {
            target,
            source,
            meta,
            data,
            more_data,
        })
        .boxed()
}

fn any_items(binary: bool) -> BoxedStrategy<Vec<Item<'static>>> {
    prop::collection::vec(any_item(binary), 0..3).boxed()
}

fn any_command(binary: bool) -> BoxedStrategy<Command<'static>> {
    let verb = prop::sample::select(vec![
        Verb::Add,
        Verb::Replace,
        Verb::Get,
        Verb::Delete,
        Verb::Copy,
        Verb::Exec,
    ]);
    let action = (verb, any_text(), any_meta(), prop::option::of(any_text()), any_items(binary))
        .prop_map(|(verb, cmd_id, meta, correlator, items)| {
            let meta = (!meta.is_empty()).then(|| Box::new(meta));
            Command::Action(Action { verb, cmd_id, meta, correlator, items: items.into() })
        })
        .boxed();
    let code = prop::option::of(any::<u16>());
    let alert = (any_text(), code, prop::option::of(any_text()), any_items(binary)).prop_map(
        |(cmd_id, code, correlator, items)| {
            Command::Alert(Alert { cmd_id, code, correlator, items })
        },
    );
    let refs = || prop::collection::vec(any_text(), 0..3);
    let boxed_cred = any_cred().prop_map(Box::new);
    let creds = (prop::option::of(boxed_cred), prop::option::of(any_meta().prop_map(Box::new)));
    let ids = prop::array::uniform4(any_text());
    let status = (ids, refs(), refs(), creds, any::<u16>(), any_items(binary)).prop_map(
        |([cmd_id, msg_ref, cmd_ref, cmd], target_refs, source_refs, (cred, chal), code, items)| {
            Command::Status(Status {
                cmd_id,
                msg_ref,
                cmd_ref,
                cmd,
                target_refs: target_refs.into(),
                source_refs: source_refs.into(),
                cred,
                chal,
                code,
                items,
            })
        },
    );
    let optional = prop::array::uniform3(prop::option::of(any_text()));
    let results = (any_text(), any_text(), optional, any_meta(), any_items(binary)).prop_map(
        |(cmd_id, cmd_ref, [msg_ref, target_ref, source_ref], meta, items)| {
            Command::Results(Results {
                cmd_id,
                msg_ref,
                cmd_ref,
                meta,
                target_ref,
                source_ref,
                items,
            })
        },
    );
    let leaf = prop_oneof![action, alert.boxed(), status.boxed(), results.boxed()].boxed();
    leaf.prop_recursive(3, 8, 3, |inner| {
        let commands = prop::collection::vec(inner, 0..3);
        (any::<bool>(), any_text(), any_meta(), commands).prop_map(
            |(atomic, cmd_id, meta, commands)| {
                Command::Group(Group { atomic, cmd_id, meta, commands })
            },
        )
    })
    .boxed()
}

fn any_message(binary: bool) -> BoxedStrategy<Message<'static>> {
    let header = (
        prop::array::uniform4(any_text()),
        any_location(),
        any_location(),
        prop::option::of(any_text()),
        prop::option::of(any_cred()),
        any_meta(),
    )
        .prop_map(|(texts, target, source, resp_uri, cred, meta)| {
            let [ver_dtd, ver_proto, session_id, msg_id] = texts;
            Header { ver_dtd, ver_proto, session_id, msg_id, target, source, resp_uri, cred, meta }
        });
    let commands = prop::collection::vec(any_command(binary), 0..4);
    (header, commands, any::<bool>())
        .prop_map(|(header, commands, is_final)| Message { header, commands, is_final })
        .boxed()
}

/// Writes and reads `message`, and checks the predicted sizes.
fn round_trip(message: &Message<'_>, encoding: Encoding) {
    let octets = write(message, encoding).unwrap();
    let (again, found) = read(&octets).unwrap();
    assert_eq!(found, encoding);
    assert_eq!(&again, message);
    assert_eq!(octets.len(), message_size(message, encoding));
    let commands: usize = message.commands.iter().map(|c| size_of(c, encoding)).sum();
    let envelope = Draft::new(&message.header, encoding).envelope(message.is_final);
    let predicted = commands + envelope;
    let mut draft = Draft::new(&message.header, encoding);
    for command in &message.commands {
        let size = size_of(command, encoding);
        assert_eq!(draft.add(command, size - 1), Err(size));
        assert_eq!(draft.add(command, size), Ok(size));
    }
    assert_eq!(draft.finish(message.is_final).unwrap(), octets);
    let closing = !message.commands.is_empty() && !message.is_final;
    if closing && encoding == Encoding::Wbxml {
        assert!(predicted == octets.len() || predicted == octets.len() + 2);
    } else if !message.commands.is_empty() || message.is_final {
        assert_eq!(predicted, octets.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_message_survives_wbxml(message in any_message(true)) {
        round_trip(&message, Encoding::Wbxml);
    }

    #[test]
    fn a_message_survives_xml(message in any_message(false)) {
        round_trip(&message, Encoding::Xml);
    }
}
