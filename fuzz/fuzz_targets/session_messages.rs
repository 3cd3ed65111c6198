//! A whole session with valid messages in arbitrary order: the input chooses commands, nodes, credentials,
//! references, sizes and answers. The rules of the client's messages are checked.

#![no_main]

mod bed;

use bed::{Counting, DEVICE, answer, context, setup, store};
use dmsc::session::{Engine, Outgoing, Step};
use dmsc::store::Database;
use dmsc::syncml::model::{
    Action, Alert, Command, Cred, Data, Group, Header, Item, Items, Location, Message, Meta,
    MetaExtra, Results, Status, Text, Unknown, Verb,
};
use dmsc::syncml::{self, Encoding};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

/// Choices taken from the input; zero once it is used up.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.next()) % count
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn is_one_in(&mut self, count: usize) -> bool {
        self.below(count) == 1
    }

    fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

const URIS: &[&str] = &[
    "./A",
    "./A/B",
    "./A/B/C",
    "./A/D",
    "./E",
    ".",
    "./DevInfo/Man",
    "./DevDetail",
    "./DMAcc",
    "./DMAcc/1/AppAuth/1/AAuthData",
    "./Inbox",
    "./Inbox/x",
    "./A?prop=ACL",
    "./A?prop=Name",
    "./A/B?prop=Size",
    "./A?list=Struct",
    "./A?list=StructData",
    "./A?list=TNDS",
    ".?list=TNDS+Value",
    "./A//B",
    "",
    "./*",
    "./A%2FB",
    "./A?prop=X",
];
const FORMATS: &[Option<&str>] = &[
    None,
    None,
    None,
    Some("chr"),
    Some("node"),
    Some("bin"),
    Some("b64"),
    Some("int"),
    Some("null"),
    Some("xml"),
    Some("float"),
    Some("x"),
];
const TYPES: &[Option<&str>] =
    &[None, None, None, Some("text/plain"), Some("application/vnd.syncml.dmtnds+xml"), Some("x/y")];
const DATA: &[&str] = &[
    "",
    "1",
    "value",
    "AQID",
    "Get=*&Add=S1&Replace=S1",
    "new name",
    "a&b<c>",
    "MINDT=1&MAXDT=2&DR=1",
    "<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD><Node><NodeName>N</NodeName><Value>1</Value>\
     </Node></MgmtTree>",
];
const ALERTS: &[u16] = &[1100, 1101, 1102, 1103, 1104, 1222, 1222, 1223, 1224, 1225, 1226, 1105, 0];
const CODES: &[u16] = &[200, 200, 200, 202, 212, 212, 213, 401, 407, 424, 500, 0];
const SIZES: &[u32] = &[0, 100, 512, 600, 1000, 2048, 5000, u32::MAX];

fn location(uri: &'static str) -> Option<Location<'static>> {
    Some(Location { uri: uri.into(), name: None })
}

fn item(choices: &mut Choices<'_>) -> Item<'static> {
    let data = choices.pick(DATA);
    let more_data = choices.is_one_in(6);
    let size = (more_data || choices.is_one_in(9)).then(|| u64::from(choices.next()));
    Item {
        target: if choices.is_one_in(12) { None } else { location(choices.pick(URIS)) },
        source: if choices.is_one_in(4) { location(choices.pick(URIS)) } else { None },
        meta: Meta {
            format: choices.pick(FORMATS).map(Text::Borrowed),
            mime: choices.pick(TYPES).map(Text::Borrowed),
            size,
            extra: None,
        },
        data: (!choices.is_one_in(5)).then(|| Data::text(data)),
        more_data,
    }
}

fn id(choices: &mut Choices<'_>) -> Text<'static> {
    match choices.below(20) {
        0 => "".into(),
        1 => "uuid-1".into(),
        number => number.to_string().into(),
    }
}

fn command(choices: &mut Choices<'_>, depth: usize) -> Command<'static> {
    let cmd_id = id(choices);
    let count = [1, 1, 1, 2, 0, 4][choices.below(6)];
    match choices.below(16) {
        0 if depth < 4 => Command::Group(Group {
            atomic: choices.is_one_in(2),
            cmd_id,
            meta: Meta::default(),
            commands: (0..choices.below(5)).map(|_| command(choices, depth + 1)).collect(),
        }),
        1 => Command::Status(Status {
            cmd_id,
            msg_ref: id(choices),
            cmd_ref: id(choices),
            cmd: choices.pick(&["SyncHdr", "Alert", "Results", "Replace"]).into(),
            chal: choices.is_one_in(4).then(|| Box::new(challenge(choices))),
            code: choices.pick(CODES),
            ..Status::default()
        }),
        2 => Command::Results(Results { cmd_id, items: vec![item(choices)], ..Results::default() }),
        3 => Command::Unknown(Unknown { cmd_id, name: "Put".into(), ..Unknown::default() }),
        4..=6 => Command::Alert(Alert {
            cmd_id,
            code: Some(choices.pick(ALERTS)),
            correlator: None,
            items: (0..choices.below(5)).map(|_| item(choices)).collect(),
        }),
        _ => Command::Action(Action {
            verb: choices.pick(&[
                Verb::Add,
                Verb::Add,
                Verb::Replace,
                Verb::Get,
                Verb::Get,
                Verb::Delete,
                Verb::Copy,
                Verb::Exec,
            ]),
            cmd_id,
            meta: None,
            correlator: choices.is_one_in(8).then(|| "X".into()),
            items: (0..count).map(|_| item(choices)).collect::<Items<'static>>(),
        }),
    }
}

fn challenge(choices: &mut Choices<'_>) -> Meta<'static> {
    let nonce = choices.pick(&[None, Some("Tm9uY2U="), Some("?"), Some("")]);
    Meta {
        format: Some("b64".into()),
        mime: Some(
            choices.pick(&["syncml:auth-basic", "syncml:auth-md5", "syncml:auth-MAC", "x"]).into(),
        ),
        size: None,
        extra: Some(Box::new(MetaExtra {
            next_nonce: nonce.map(Text::Borrowed),
            ..MetaExtra::default()
        })),
    }
}

fn message(choices: &mut Choices<'_>, number: usize) -> Message<'static> {
    let sizes = choices.is_one_in(3).then(|| {
        Box::new(MetaExtra {
            max_msg_size: Some(choices.pick(SIZES)),
            max_obj_size: Some(choices.pick(SIZES)),
            ..MetaExtra::default()
        })
    });
    let meta = || Meta { mime: Some("syncml:auth-basic".into()), ..Meta::default() };
    let cred = choices.is_one_in(4).then(|| Cred { meta: meta(), data: "UzE6c3J2".into() });
    let header = Header {
        ver_dtd: "1.2".into(),
        ver_proto: "DM/1.2".into(),
        session_id: "1234".into(),
        msg_id: if choices.is_one_in(10) { "1".into() } else { number.to_string().into() },
        target: Location { uri: DEVICE.dev_id.into(), name: None },
        source: Location { uri: "S1".into(), name: None },
        resp_uri: choices.is_one_in(20).then(|| "http://dm.example:8080/other".into()),
        cred,
        meta: Meta { extra: sizes, ..Meta::default() },
    };
    let status = Command::Status(Status {
        cmd_id: "99".into(),
        msg_ref: number.to_string().into(),
        cmd_ref: "0".into(),
        cmd: "SyncHdr".into(),
        code: if choices.is_one_in(10) { choices.pick(CODES) } else { 200 },
        ..Status::default()
    });
    let commands = (0..choices.below(8)).map(|_| command(choices, 0));
    let commands = std::iter::once(status).chain(commands).collect();
    Message { header, commands, is_final: !choices.is_one_in(3) }
}

/// Every message of the client obeys the rules.
fn check(sent: &Outgoing, number: usize, encoding: Encoding) {
    assert!(sent.body.len() <= 2048, "{} octets", sent.body.len());
    let (message, found) = syncml::read(&sent.body).unwrap();
    assert_eq!(found, encoding);
    assert_eq!(message.header.msg_id, number.to_string());
    let mut others = 0;
    for (at, command) in message.commands.iter().enumerate() {
        match command {
            Command::Status(status) => {
                let is_header = status.cmd == "SyncHdr" && status.cmd_ref == "0";
                assert!(!is_header || at == 0, "Status of the SyncHdr is not the first");
                others += usize::from(!is_header);
            }
            Command::Results(_) | Command::Alert(_) => others += 1,
            Command::Action(action) => {
                assert_eq!(action.verb, Verb::Replace);
                others += 1;
            }
            other => panic!("a client may not send {other:?}"),
        }
    }
    assert!(others > 0, "only a Status for the SyncHdr");
}

fuzz_target!(|octets: &[u8]| {
    let mut choices = Choices(octets);
    let db = Database::new(Arc::new(store())).unwrap();
    let encoding = if choices.is_one_in(2) { Encoding::Xml } else { Encoding::Wbxml };
    let setup = setup(&db, encoding);
    let mut random = Counting(1);
    let (mut engine, mut step) = Engine::start(setup, context(&db, &mut random)).unwrap();
    let (mut sent, mut received) = (0, 0);
    while !choices.is_over() {
        let next = match step {
            Step::Done => break,
            Step::Ask(_) | Step::Consent(_) => {
                let wanted = answer(choices.next());
                engine.answer(context(&db, &mut random), wanted).or_else(|_| {
                    engine.answer(context(&db, &mut random), dmsc::session::Answer::Cancelled)
                })
            }
            Step::Execute(_) => {
                engine.executed(context(&db, &mut random), choices.pick(&[200, 202, 500]))
            }
            Step::Send(outgoing) => {
                sent += 1;
                check(&outgoing, sent, encoding);
                received += 1;
                let body = syncml::write(&message(&mut choices, received), encoding).unwrap();
                engine.receive(context(&db, &mut random), &body, None)
            }
        };
        engine.take_events();
        match next {
            Ok(next) => step = next,
            Err(why) => {
                engine.abort(context(&db, &mut random), &why);
                break;
            }
        }
    }
    drop(engine);
    assert!(db.begin().is_ok(), "the store is left open");
});
