//! Random trees and random legal scripts of a server, against a plain map that knows the rules on its own:
//! the same statuses, the same Results, the same tree, and the rules of every message.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const ADD: u8 = 1;
const DELETE: u8 = 2;
const GET: u8 = 4;
const REPLACE: u8 = 8;
const ALL: u8 = ADD | DELETE | GET | REPLACE;

/// A node: a leaf has a value. Without rights of its own it has those of its parent.
#[derive(Clone, Debug, PartialEq)]
struct Plain {
    value: Option<String>,
    rights: Option<u8>,
}

/// What the server may find below `./Lab`.
#[derive(Clone, Debug, PartialEq)]
struct Model(BTreeMap<String, Plain>);

/// What comes of an item, and if its Status names another node as the reason: then it stands alone.
#[derive(Clone, Copy)]
struct Outcome {
    code: u16,
    names_another: bool,
}

impl From<u16> for Outcome {
    fn from(code: u16) -> Self {
        Self { code, names_another: false }
    }
}

fn parent(uri: &str) -> &str {
    uri.rsplit_once('/').unwrap().0
}

fn is_below(uri: &str, top: &str) -> bool {
    uri.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
}

impl Model {
    fn new() -> Self {
        let interior = |rights| Plain { value: None, rights };
        let leaf = Plain { value: Some("kept".into()), rights: None };
        Self(BTreeMap::from([
            ("./Lab".to_owned(), interior(Some(ALL))),
            ("./Lab/fixed".to_owned(), interior(Some(ADD | GET))),
            ("./Lab/fixed/a".to_owned(), leaf.clone()),
            ("./Lab/hidden".to_owned(), interior(Some(ADD))),
            ("./Lab/hidden/a".to_owned(), leaf),
        ]))
    }

    fn rights(&self, uri: &str) -> u8 {
        match self.0.get(uri) {
            Some(Plain { rights: Some(rights), .. }) => *rights,
            _ => self.rights(parent(uri)),
        }
    }

    fn may(&self, uri: &str, right: u8) -> bool {
        self.rights(uri) & right != 0
    }

    fn create(&mut self, uri: &str, value: Option<&str>) -> u16 {
        if !self.may(parent(uri), ADD) {
            return 425;
        }
        // Who may not replace the parent gets the node for itself.
        let own = value.is_none() && !self.may(parent(uri), REPLACE);
        let above = self.rights(parent(uri)) & GET;
        let rights = own.then_some(ADD | DELETE | REPLACE | above);
        self.0.insert(uri.to_owned(), Plain { value: value.map(str::to_owned), rights });
        200
    }

    fn add(&mut self, uri: &str, value: Option<&str>) -> Outcome {
        if self.0.contains_key(uri) {
            return 418.into();
        }
        let mut missing = Vec::new();
        let mut above = parent(uri);
        loop {
            match self.0.get(above) {
                Some(Plain { value: None, .. }) => break,
                Some(_) => return 405.into(),
                None => missing.push(above.to_owned()),
            }
            above = parent(above);
        }
        let before = self.clone();
        for ancestor in missing.iter().rev() {
            let code = self.create(ancestor, None);
            if code != 200 {
                *self = before;
                return Outcome { code, names_another: true };
            }
        }
        self.create(uri, value).into()
    }

    fn replace(&mut self, uri: &str, value: &str) -> u16 {
        let may = self.0.contains_key(uri) && self.may(uri, REPLACE);
        match self.0.get_mut(uri) {
            None => 404,
            Some(Plain { value: None, .. }) => 405,
            Some(_) if !may => 425,
            Some(node) => {
                node.value = Some(value.to_owned());
                200
            }
        }
    }

    fn delete(&mut self, uri: &str) -> Outcome {
        if !self.0.contains_key(uri) {
            return 404.into();
        }
        let forbids = |(at, node): (&String, &Plain)| {
            is_below(at, uri) && node.rights.is_some_and(|rights| rights & DELETE == 0)
        };
        if !self.may(uri, DELETE) {
            return 425.into();
        }
        if self.0.iter().any(forbids) {
            return Outcome { code: 425, names_another: true };
        }
        self.0.retain(|at, _| at != uri && !is_below(at, uri));
        200.into()
    }

    fn copy(&mut self, from: &str, to: &str) -> u16 {
        let value = match self.0.get(from) {
            None => return 404,
            Some(Plain { value: None, .. }) => return 405,
            Some(_) if !self.may(from, GET) => return 425,
            Some(Plain { value, .. }) => value.clone().unwrap(),
        };
        if self.0.contains_key(to) {
            return self.replace(to, &value);
        }
        match self.0.get(parent(to)) {
            None => 404,
            Some(Plain { value: Some(_), .. }) => 405,
            Some(_) => self.create(to, Some(&value)),
        }
    }

    fn get(&self, uri: &str) -> Result<String, u16> {
        match self.0.get(uri) {
            None => Err(404),
            Some(_) if !self.may(uri, GET) => Err(425),
            Some(Plain { value: Some(value), .. }) => Ok(value.clone()),
            Some(_) => {
                let children = self.0.keys().filter(|at| parent(at) == uri);
                let names: Vec<_> = children.map(|at| &at[uri.len() + 1..]).collect();
                Ok(names.join("/"))
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add(Vec<(String, Option<String>)>),
    Replace(Vec<(String, String)>),
    Delete(String),
    Get(Vec<String>),
    Copy(String, String),
    Ask(u16),
    Put,
    Atomic(Vec<Op>),
    Sequence(Vec<Op>),
}

/// One message of the server, its limits, and an object that begins behind its commands.
#[derive(Clone, Debug)]
struct Turn {
    ops: Vec<Op>,
    object: Option<(String, String, usize)>,
    is_final: bool,
    max_msg_size: Option<u32>,
}

/// A Status as it is expected: command, name, code, how many TargetRefs at most.
#[derive(Clone, Debug, PartialEq)]
struct Expected {
    msg: u32,
    cmd: u32,
    name: &'static str,
    code: u16,
}

/// How far a No, a cancel or silence of the user reaches.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    Nothing,
    Container,
    Message,
}

/// The server with its own idea of the device.
struct Server {
    model: Model,
    msg: u32,
    next_id: u32,
    expected: Vec<Expected>,
    results: Vec<(u32, u32, String, String)>,
    answers: VecDeque<Answer>,
}

const ANSWERS: [(Answer, u16); 4] = [
    (Answer::Accepted, 200),
    (Answer::Rejected, 304),
    (Answer::Cancelled, 214),
    (Answer::TimedOut, 408),
];

fn text_item(uri: &str, value: Option<&str>) -> String {
    let content = match value {
        Some(value) => format!("<Data>{}</Data>", value.replace('&', "&amp;").replace('<', "&lt;")),
        None => metinf(&["Format=node"]),
    };
    format!("<Item><Target><LocURI>{uri}</LocURI></Target>{content}</Item>")
}

impl Server {
    /// The element for a command, and what has to come of it.
    fn command(&mut self, op: &Op, atomic: Option<&mut bool>, skip: bool) -> (String, Reach) {
        self.next_id += 1;
        let id = self.next_id;
        let mut reach = Reach::Nothing;
        let head = format!("<CmdID>{id}</CmdID>");
        let (name, inner): (&'static str, String) = match op {
            Op::Add(items) => {
                let texts = items.iter().map(|(uri, value)| text_item(uri, value.as_deref()));
                let inner = texts.collect();
                self.each(id, "Add", items, atomic, skip, |model, (uri, value)| {
                    model.add(uri, value.as_deref())
                });
                ("Add", inner)
            }
            Op::Replace(items) => {
                let inner = items.iter().map(|(uri, value)| text_item(uri, Some(value))).collect();
                self.each(id, "Replace", items, atomic, skip, |model, (uri, value)| {
                    model.replace(uri, value).into()
                });
                ("Replace", inner)
            }
            Op::Delete(uri) => {
                let uris = [uri.clone()];
                self.each(id, "Delete", &uris, atomic, skip, |model, uri| model.delete(uri));
                ("Delete", format!("<Item><Target><LocURI>{uri}</LocURI></Target></Item>"))
            }
            Op::Copy(from, to) => {
                let pair = [(from.clone(), to.clone())];
                self.each(id, "Copy", &pair, atomic, skip, |model, (from, to)| {
                    model.copy(from, to).into()
                });
                let source = format!("<Source><LocURI>{from}</LocURI></Source>");
                let inner = format!("<Target><LocURI>{to}</LocURI></Target>{source}");
                ("Copy", format!("<Item>{inner}</Item>"))
            }
            Op::Get(uris) => {
                let item =
                    |uri: &String| format!("<Item><Target><LocURI>{uri}</LocURI></Target></Item>");
                let inner = uris.iter().map(item).collect();
                self.get(id, uris, atomic, skip);
                ("Get", inner)
            }
            Op::Ask(which) => {
                let (answer, code) = ANSWERS[usize::from(*which) % 4].clone();
                if skip {
                    self.expect(id, "Alert", 215);
                } else {
                    self.answers.push_back(answer);
                    self.expect(id, "Alert", code);
                    reach = match code {
                        214 => Reach::Message,
                        304 | 408 if atomic.is_some() => Reach::Container,
                        304 => Reach::Container,
                        408 => Reach::Container,
                        _ => Reach::Nothing,
                    };
                    if code != 200
                        && let Some(failed) = atomic
                    {
                        *failed = true;
                    }
                }
                ("Alert", "<Data>1101</Data><Item></Item><Item><Data>Sure?</Data></Item>".into())
            }
            Op::Put => {
                self.expect(id, "Put", if skip { 215 } else { 406 });
                if let Some(failed) = atomic {
                    *failed |= !skip;
                }
                ("Put", String::new())
            }
            Op::Atomic(ops) => ("Atomic", self.atomic(id, ops, atomic, skip, &mut reach)),
            Op::Sequence(ops) => ("Sequence", self.sequence(id, ops, atomic, skip, &mut reach)),
        };
        (format!("<{name}>{head}{inner}</{name}>"), reach)
    }

    fn expect(&mut self, cmd: u32, name: &'static str, code: u16) {
        self.expected.push(Expected { msg: self.msg, cmd, name, code });
    }

    /// One Status for all items if their codes are the same, else one each.
    fn each<T>(
        &mut self,
        id: u32,
        name: &'static str,
        items: &[T],
        atomic: Option<&mut bool>,
        skip: bool,
        mut work: impl FnMut(&mut Model, &T) -> Outcome,
    ) {
        if skip {
            return self.expect(id, name, 215);
        }
        let mut codes: Vec<Outcome> = Vec::new();
        for item in items {
            let stopped = atomic.is_some() && codes.iter().any(|done| done.code != 200);
            let before = self.model.clone();
            let done = if stopped { 215.into() } else { work(&mut self.model, item) };
            assert!(done.code == 200 || before == self.model);
            codes.push(done);
        }
        if let Some(failed) = atomic {
            *failed |= codes.iter().any(|done| done.code != 200);
        }
        if codes.iter().all(|done| done.code == codes[0].code && !done.names_another) {
            codes.truncate(1);
        }
        codes.iter().for_each(|done| self.expect(id, name, done.code));
    }

    fn get(&mut self, id: u32, uris: &[String], atomic: Option<&mut bool>, skip: bool) {
        if skip {
            return self.expect(id, "Get", 215);
        }
        if let Some(failed) = atomic {
            *failed = true;
            return self.expect(id, "Get", 500);
        }
        let found: Vec<_> = uris.iter().map(|uri| self.model.get(uri)).collect();
        for (uri, value) in uris.iter().zip(&found) {
            if let Ok(value) = value {
                self.results.push((self.msg, id, uri.clone(), value.clone()));
            }
        }
        let code = |value: &Result<String, u16>| value.as_ref().err().copied().unwrap_or(200);
        let mut codes: Vec<_> = found.iter().map(code).collect();
        codes.dedup();
        if codes.len() > 1 {
            codes = found.iter().map(code).collect();
        }
        codes.into_iter().for_each(|code| self.expect(id, "Get", code));
    }

    fn atomic(
        &mut self,
        id: u32,
        ops: &[Op],
        outer: Option<&mut bool>,
        skip: bool,
        reach: &mut Reach,
    ) -> String {
        let at = self.expected.len();
        self.expect(id, "Atomic", 200);
        if skip || outer.is_some() {
            self.expected[at].code = if skip { 215 } else { 500 };
            if let Some(failed) = outer {
                *failed |= !skip;
            }
            return ops.iter().map(|op| self.command(op, Some(&mut true), true).0).collect();
        }
        let (before, results) = (self.model.clone(), self.results.len());
        let (mut failed, mut text) = (false, String::new());
        for op in ops {
            let skip = failed;
            let (one, far) = self.command(op, Some(&mut failed), skip);
            if far == Reach::Message {
                *reach = far;
            }
            text += &one;
        }
        if failed {
            self.model = before;
            self.results.truncate(results);
            self.expected[at].code = 507;
            for status in &mut self.expected[at + 1..] {
                if status.code == 200 {
                    status.code = 216;
                }
            }
        }
        text
    }

    fn sequence(
        &mut self,
        id: u32,
        ops: &[Op],
        mut atomic: Option<&mut bool>,
        skip: bool,
        reach: &mut Reach,
    ) -> String {
        self.expect(id, "Sequence", if skip { 215 } else { 200 });
        let (mut stopped, mut text) = (skip, String::new());
        for op in ops {
            let (one, far) = self.command(op, atomic.as_deref_mut(), stopped);
            stopped |= far != Reach::Nothing || atomic.as_deref().is_some_and(|failed| *failed);
            if far == Reach::Message || (atomic.is_some() && far == Reach::Container) {
                *reach = far;
            }
            text += &one;
        }
        text
    }

    /// The commands of one message.
    fn commands(&mut self, ops: &[Op]) -> String {
        self.next_id = 1;
        let mut skip = false;
        let mut text = String::new();
        for op in ops {
            let alone = matches!(op, Op::Ask(_));
            let answer = match op {
                Op::Ask(which) => ANSWERS[usize::from(*which) % 4].1,
                _ => 200,
            };
            let (one, reach) = self.command(op, None, skip);
            // Outside a group a No has no effect, silence is as a cancel.
            skip |= reach == Reach::Message || (alone && answer == 408);
            text += &one;
        }
        text
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("a"), 4 => Just("b"), 2 => Just("cc"), 1 => Just("fixed"), 1 => Just("hidden")]
}

fn uri() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|names| format!("./Lab/{}", names.join("/")))
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[a-z&<>ä ]{0,12}".boxed(), 1 => "[a-z&<ä]{0,900}".boxed()]
}

fn op() -> impl Strategy<Value = Op> {
    let new = || (uri(), prop::option::weighted(0.7, value()));
    let simple = prop_oneof![
        5 => prop::collection::vec(new(), 1..4).prop_map(Op::Add),
        3 => prop::collection::vec((uri(), value()), 1..3).prop_map(Op::Replace),
        3 => uri().prop_map(Op::Delete),
        4 => prop::collection::vec(uri(), 1..3).prop_map(Op::Get),
        2 => (uri(), uri()).prop_map(|(from, to)| Op::Copy(from, to)),
        1 => any::<u16>().prop_map(Op::Ask),
        1 => Just(Op::Put),
    ];
    simple.prop_recursive(2, 12, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..5).prop_map(Op::Atomic),
            prop::collection::vec(inner, 1..5).prop_map(Op::Sequence),
        ]
    })
}

fn turn() -> impl Strategy<Value = Turn> {
    let object = (uri(), "[a-z&ä]{1,2000}", 20..900usize);
    (
        prop::collection::vec(op(), 0..8),
        prop::option::weighted(0.3, object),
        any::<bool>(),
        prop::option::weighted(0.4, 512..4000u32),
    )
        .prop_map(|(ops, object, is_final, max_msg_size)| Turn {
            ops,
            object,
            is_final,
            max_msg_size,
        })
}

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
