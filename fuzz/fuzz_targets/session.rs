//! A whole session with a server that sends the input: messages led by two octets of length and one of
//! form, either as they are or as the commands of a message with the right header.

#![no_main]

mod bed;

use bed::{Counting, DEVICE, answer, context, setup, store};
use dmsc::session::{Answer, Engine, Step};
use dmsc::store::Database;
use dmsc::syncml::Encoding;
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

/// `commands` as message `number` of the server, in text XML.
fn wrapped(commands: &[u8], number: usize, is_final: bool) -> Vec<u8> {
    let head = format!(
        "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
         <SessionID>1234</SessionID><MsgID>{number}</MsgID><Target><LocURI>{}</LocURI></Target>\
         <Source><LocURI>S1</LocURI></Source></SyncHdr><SyncBody><Status><CmdID>1</CmdID>\
         <MsgRef>{number}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>212</Data></Status>",
        DEVICE.dev_id
    );
    let tail = if is_final { "<Final/></SyncBody></SyncML>" } else { "</SyncBody></SyncML>" };
    [head.as_bytes(), commands, tail.as_bytes()].concat()
}

fuzz_target!(|octets: &[u8]| {
    let [first, rest @ ..] = octets else { return };
    let mut rest = rest;
    let db = Database::new(Arc::new(store())).unwrap();
    let encoding = if first & 1 == 0 { Encoding::Xml } else { Encoding::Wbxml };
    let setup = setup(&db, encoding);
    let mut random = Counting(*first);
    let (mut engine, mut step) = Engine::start(setup, context(&db, &mut random)).unwrap();
    let mut number = 0;
    let mut choice = *first;
    // Every round takes a message or answers a question; a message cannot ask for ever.
    for _ in 0..1000 {
        let next = match step {
            Step::Done => return,
            Step::Ask(_) | Step::Consent(_) => {
                choice = choice.wrapping_add(1);
                engine
                    .answer(context(&db, &mut random), answer(choice))
                    .or_else(|_| engine.answer(context(&db, &mut random), Answer::Cancelled))
            }
            Step::Execute(_) => {
                engine.executed(context(&db, &mut random), if choice & 1 == 0 { 200 } else { 500 })
            }
            Step::Send(_) => {
                let [high, low, form, more @ ..] = rest else { break };
                let length = usize::from(u16::from_be_bytes([*high, *low])).min(more.len());
                let (octets, after) = more.split_at(length);
                rest = after;
                number += 1;
                let body = match form % 4 {
                    0 => octets.to_vec(),
                    form => wrapped(octets, number, form > 1),
                };
                engine.receive(context(&db, &mut random), &body, None)
            }
        };
        engine.take_events();
        match next {
            Ok(next) => step = next,
            Err(why) => {
                engine.abort(context(&db, &mut random), &why);
                return;
            }
        }
    }
});
