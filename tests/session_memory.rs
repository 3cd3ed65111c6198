//! What a hostile server can make a session allocate: little more than its own octets.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "../benches/common/heap.rs"]
mod heap;

mod corpus;

use dmsc::error::Code;
use dmsc::session::Step;
use dmsc::store::Database;
use dmsc::store::memory::MemoryStore;
use dmsc::syncml::Encoding;
use std::sync::Arc;

/// Octets of the largest message that is read at all.
const LARGEST: usize = 1 << 20;

fn message(commands: &str) -> String {
    format!(
        "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
         <SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>IMEI:490154203237518</LocURI>\
         </Target><Source><LocURI>http://127.0.0.1:8080/dm</LocURI></Source></SyncHdr><SyncBody>\
         <Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>212\
         </Data></Status>{commands}<Final/></SyncBody></SyncML>"
    )
}

/// The error of the session, if any, and the peak of the heap while the message was in work.
fn peak(commands: &str) -> (Option<Code>, usize) {
    let db = corpus::furnished(Database::new(Arc::new(MemoryStore::new())).unwrap());
    let (mut engine, _) = corpus::start(&db, Encoding::Xml).unwrap();
    let body = message(commands);
    let (step, heap) = heap::measured(|| corpus::receive(&mut engine, &db, body.as_bytes()));
    if let Ok(Step::Send(sent)) = &step {
        assert!(sent.body.len() <= 16_384);
    }
    (step.err().map(|error| error.code()), heap.peak)
}

// One test: the counters are those of the whole process.
#[test]
fn memory_is_bounded_by_what_the_server_sends() {
    let long = "x".repeat(LARGEST - 2000);
    let delete = |count: usize| {
        let one =
            "<Delete><CmdID>2</CmdID><Item><Target><LocURI>./x</LocURI></Target></Item></Delete>";
        one.repeat(count)
    };
    let cases = [
        ("20,000 commands", delete(20_000), Some(Code::TooLarge)),
        ("as many commands as are read", delete(3300), None),
        (
            "a name of 1 MiB",
            format!(
                "<Add><CmdID>2</CmdID><Item><Target><LocURI>./{long}</LocURI></Target><Data>1</Data></Item></Add>"
            ),
            None,
        ),
        (
            "a CmdID of 1 MiB",
            format!(
                "<Get><CmdID>{long}</CmdID><Item><Target><LocURI>./DevInfo/Man</LocURI></Target></Item></Get>"
            ),
            None,
        ),
        ("an unknown command", format!("<Put><CmdID>2</CmdID><Data>{long}</Data></Put>"), None),
        (
            "an object that is never sent",
            "<Add><CmdID>2</CmdID><Item><Target><LocURI>./Bench/Big</LocURI></Target><Meta><Size \
             xmlns='syncml:metinf'>2097152</Size></Meta><Data>x</Data><MoreData/></Item></Add>"
                .to_owned(),
            None,
        ),
        ("a message above the limit", "x".repeat(LARGEST), Some(Code::TooLarge)),
    ];
    for (what, commands, expected) in cases {
        let (error, octets) = peak(&commands);
        let known = expected.is_none() || error.is_some();
        assert!(known, "{what}: {error:?} instead of {expected:?}");
        assert!(octets <= 8 * LARGEST, "{what}: {octets} octets");
    }
}
