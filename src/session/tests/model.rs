//! Random trees and random legal scripts of a server, against a plain map that knows the rules on its own:
//! the same statuses, the same Results, the same tree, and the rules of every message.

mod plain;
mod server;

use super::*;
use plain::{Model, Plain, parent};
use proptest::prelude::*;
use server::{Expected, Server, Turn, turn, uri, value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One run of the client against the server.
struct Play {
    bench: Bench,
    server: Server,
    limit: usize,
    server_is_final: bool,
    client_msg: u32,
    statuses: Vec<Expected>,
    results: Vec<(u32, u32, String, String)>,
    chunked: bool,
}

/// The session ended because MaxMsgSize is too small for anything.
struct TooSmall;

impl Play {
    fn new(encoding: Encoding, first: &[(String, Option<String>)]) -> Self {
        let mut model = Model::new();
        let mut bench = Bench::new(encoding);
        bench.host(|tree| {
            for (uri, node) in model.0.iter().filter(|(uri, _)| *uri != "./Lab") {
                match &node.value {
                    Some(value) => tree.add(&at(uri), &Content::text(value).into()).unwrap(),
                    None => tree.add(&at(uri), &Content::interior("").into()).unwrap(),
                }
            }
            for (uri, acl) in [("./Lab/fixed", "Add=*&Get=*"), ("./Lab/hidden", "Add=*")] {
                tree.replace(&at(&format!("{uri}?prop=ACL")), &Content::text(acl)).unwrap();
            }
            for (uri, value) in first {
                let content = value.as_ref().map_or(Content::interior(""), |v| Content::text(v));
                let done = tree.add(&at(uri), &content.into()).is_ok();
                // The host may add anywhere, and what it adds has no rights of its own.
                if done {
                    let mut at = uri.as_str();
                    let node = Plain { value: value.clone(), rights: None };
                    model.0.insert(at.to_owned(), node);
                    while !model.0.contains_key(parent(at)) {
                        at = parent(at);
                        model.0.insert(at.to_owned(), Plain { value: None, rights: None });
                    }
                }
            }
        });
        bench.start();
        let server = Server {
            model,
            msg: 0,
            next_id: 1,
            expected: Vec::new(),
            results: Vec::new(),
            answers: VecDeque::new(),
        };
        Self {
            bench,
            server,
            limit: 16 * 1024,
            server_is_final: false,
            client_msg: 1,
            statuses: Vec::new(),
            results: Vec::new(),
            chunked: false,
        }
    }

    /// Sends a message and takes the reply; `None` at the end of the session.
    fn exchange(&mut self, body: &str, is_final: bool) -> Result<Option<bool>, TooSmall> {
        self.server_is_final |= is_final;
        let end = if is_final { "<Final/>" } else { "" };
        let mut step = self.bench.give(&format!("{body}{end}"));
        while let Ok(Step::Ask(_)) = step {
            let answer = self.server.answers.pop_front().unwrap();
            let context = Bench::context(&self.bench.db, &mut self.bench.random);
            step = self.bench.engine.as_mut().unwrap().answer(context, answer);
        }
        match step {
            Ok(Step::Send(outgoing)) => self.bench.sent = Some(outgoing),
            Ok(Step::Done) => return Ok(None),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(error.code(), Code::TooLarge, "{error}");
                assert!(self.limit < 900, "{} octets and {error}", self.limit);
                return Err(TooSmall);
            }
        }
        let message = self.bench.message();
        self.check(&message);
        Ok(Some(message.is_final))
    }

    /// The rules of every message of the client, and what is in it.
    fn check(&mut self, message: &Message<'_>) {
        self.client_msg += 1;
        let octets = self.bench.sent.as_ref().unwrap().body.len();
        assert!(octets <= self.limit, "{octets} of {}", self.limit);
        assert_eq!(message.header.msg_id, self.client_msg.to_string());
        assert!(message.commands.len() > 1, "only a Status for the SyncHdr");
        let ids: BTreeSet<_> = message.commands.iter().map(|command| line(command).0).collect();
        assert_eq!(ids.len(), message.commands.len());
        assert!(!message.is_final || self.server_is_final, "Final before the server's");
        let mut seen_other = false;
        for (at, command) in message.commands.iter().enumerate() {
            match command {
                Command::Status(status) => {
                    assert!(!seen_other, "a Status behind something else");
                    let is_header = status.cmd == "SyncHdr";
                    assert_eq!(is_header, at == 0);
                    if is_header {
                        assert_eq!(status.cmd_ref, "0");
                        assert_eq!(status.msg_ref, self.bench.server_msg.to_string());
                        continue;
                    }
                    self.statuses.push(Expected {
                        msg: status.msg_ref.parse().unwrap(),
                        cmd: status.cmd_ref.parse().unwrap(),
                        name: known(&status.cmd),
                        code: status.code,
                    });
                }
                Command::Results(results) => {
                    seen_other = true;
                    self.take_results(results);
                }
                Command::Alert(alert) => {
                    seen_other = true;
                    let code = alert.code.unwrap();
                    assert!(matches!(code, 1222 | 1225), "{code}");
                    assert!(code != 1222 || !message.is_final);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn take_results(&mut self, results: &syncml::model::Results<'_>) {
        let msg: u32 = results.msg_ref.as_deref().unwrap().parse().unwrap();
        let cmd: u32 = results.cmd_ref.parse().unwrap();
        for item in &results.items {
            let data = item.data.as_ref().map_or("", |data| data.as_str().unwrap());
            let uri = item.source.as_ref().unwrap().uri.to_string();
            if std::mem::replace(&mut self.chunked, item.more_data) {
                let (before_msg, before_cmd, before, text) = self.results.last_mut().unwrap();
                assert_eq!((*before_msg, *before_cmd, &*before), (msg, cmd, &uri));
                assert_eq!(item.meta.size, None, "Size only in the first chunk");
                text.push_str(data);
            } else {
                assert_eq!(item.meta.size.is_some(), item.more_data);
                self.results.push((msg, cmd, uri, data.to_owned()));
            }
        }
    }

    /// Everything that the client owes.
    fn settle(&mut self, mut is_final: bool) -> Result<(), TooSmall> {
        for _ in 0..100 {
            let owes = self.statuses.len() < self.server.expected.len()
                || self.results.len() < self.server.results.len()
                || self.chunked;
            if !owes && (is_final || !self.server_is_final) {
                return Ok(());
            }
            self.server.msg = self.bench.server_msg + 1;
            self.server.expect(2, "Alert", 200);
            is_final = match self.exchange(&alert(2, 1222, &[]), false)? {
                Some(is_final) => is_final,
                None => return Ok(()),
            };
        }
        // The Status for each 1222 takes the place of another one.
        if self.limit < 800 {
            return Err(TooSmall);
        }
        panic!(
            "no end: {:?} of {:?}, Results {} of {}, {:?}",
            self.statuses.len(),
            self.server.expected.len(),
            self.results.len(),
            self.server.results.len(),
            lines(&self.bench.message()),
        );
    }

    /// One turn of the server; `false` if the session is over.
    fn turn(&mut self, turn: &Turn) -> Result<bool, TooSmall> {
        self.server_is_final = false;
        self.bench.header.clear();
        if let Some(size) = turn.max_msg_size {
            self.bench.header = metinf(&[&format!("MaxMsgSize={size}")]);
            self.limit = usize::try_from(size).unwrap();
        }
        self.server.msg = self.bench.server_msg + 1;
        let body = self.server.commands(&turn.ops);
        let in_one = turn.object.is_none();
        let Some(mut is_final) = self.exchange(&body, turn.is_final && in_one)? else {
            return Ok(false);
        };
        self.settle(is_final)?;
        self.bench.header.clear();
        if let Some((uri, value, size)) = &turn.object {
            is_final = self.object(uri, value, *size, turn.is_final)?;
            self.settle(is_final)?;
        }
        Ok(true)
    }

    /// Sends an object in chunks, a message for each.
    fn object(
        &mut self,
        uri: &str,
        value: &str,
        size: usize,
        is_final: bool,
    ) -> Result<bool, TooSmall> {
        let letters: Vec<char> = value.chars().collect();
        let chunks: Vec<String> = letters.chunks(size).map(|part| part.iter().collect()).collect();
        let mut client_is_final = false;
        for (number, chunk) in chunks.iter().enumerate() {
            let last = number + 1 == chunks.len();
            let meta = match number {
                0 if !last => metinf(&[&format!("Size={}", value.len())]),
                _ => String::new(),
            };
            let more = if last { "" } else { "<MoreData/>" };
            let data = chunk.replace('&', "&amp;");
            let body = command("Add", 2, uri, &format!("{meta}<Data>{data}</Data>{more}"));
            self.server.msg = self.bench.server_msg + 1;
            let code = if last { self.server.model.add(uri, Some(value)).code } else { 213 };
            self.server.expect(2, "Add", code);
            let reply = self.exchange(&body, is_final && last)?;
            client_is_final = reply.expect("the client has to answer");
        }
        Ok(client_is_final)
    }
}

fn known(name: &str) -> &'static str {
    let names = ["Add", "Replace", "Delete", "Get", "Copy", "Alert", "Put", "Atomic", "Sequence"];
    names.into_iter().find(|known| *known == name).unwrap()
}

/// What the tree holds below `./Lab`.
fn shown(bench: &Bench) -> BTreeMap<String, Option<String>> {
    let view = bench.db.read().unwrap();
    let query = Query::new(&view, Actor::Host);
    let Ok(tree::Answer::Nodes(nodes)) = query.get(&at("./Lab?list=StructData")) else { panic!() };
    let text = |value: Vec<u8>| String::from_utf8(value).unwrap();
    nodes.into_iter().map(|node| (node.uri, node.value.map(text))).collect()
}

fn run(encoding: Encoding, first: &[(String, Option<String>)], script: &[Turn]) {
    let mut play = Play::new(encoding, first);
    for turn in script {
        match play.turn(turn) {
            Ok(true) => {}
            Ok(false) => break,
            Err(TooSmall) => return,
        }
        assert_eq!(play.statuses, play.server.expected);
        assert_eq!(play.results, play.server.results);
        let model = play.server.model.0.iter();
        let model: BTreeMap<_, _> =
            model.map(|(uri, node)| (uri.clone(), node.value.clone())).collect();
        assert_eq!(shown(&play.bench), model);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_client_does_what_a_plain_map_does(
        wbxml in any::<bool>(),
        first in prop::collection::vec((uri(), prop::option::weighted(0.7, value())), 0..12),
        script in prop::collection::vec(turn(), 1..6),
    ) {
        run(if wbxml { Encoding::Wbxml } else { Encoding::Xml }, &first, &script);
    }
}
