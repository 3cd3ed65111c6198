use super::model::*;
use super::{Encoding, envelope_size, message_size, read, size_of, write};
use crate::markup::{Class, canonical};

const SESSIONS: [(&[u8], &[u8]); 3] = [
    (
        include_bytes!("../../tests/data/sessions/a-get1-01.xml"),
        include_bytes!("../../tests/data/sessions/a-get1-01.wbxml"),
    ),
    (
        include_bytes!("../../tests/data/sessions/d-atomic20-ok-01.xml"),
        include_bytes!("../../tests/data/sessions/d-atomic20-ok-01.wbxml"),
    ),
    (
        include_bytes!("../../tests/data/sessions/f-lob1m-next.xml"),
        include_bytes!("../../tests/data/sessions/f-lob1m-next.wbxml"),
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
            let envelope = envelope_size(&from_xml.header, from_xml.is_final, encoding);
            assert_eq!(octets.len(), envelope + commands);
        }
    }
}
