//! Random scripts of a server, and what it expects of the client.

use super::plain::*;
use super::*;

#[derive(Clone, Debug)]
pub(super) enum Op {
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
pub(super) struct Turn {
    pub(super) ops: Vec<Op>,
    pub(super) object: Option<(String, String, usize)>,
    pub(super) is_final: bool,
    pub(super) max_msg_size: Option<u32>,
}

/// A Status as it is expected: command, name, code, how many TargetRefs at most.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) msg: u32,
    pub(super) cmd: u32,
    pub(super) name: &'static str,
    pub(super) code: u16,
}

/// How far a No, a cancel or silence of the user reaches.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Reach {
    Nothing,
    Container,
    Message,
}

/// The server with its own idea of the device.
pub(super) struct Server {
    pub(super) model: Model,
    pub(super) msg: u32,
    pub(super) next_id: u32,
    pub(super) expected: Vec<Expected>,
    pub(super) results: Vec<(u32, u32, String, String)>,
    pub(super) answers: VecDeque<Answer>,
}

pub(super) const ANSWERS: [(Answer, u16); 4] = [
    (Answer::Accepted, 200),
    (Answer::Rejected, 304),
    (Answer::Cancelled, 214),
    (Answer::TimedOut, 408),
];

pub(super) fn text_item(uri: &str, value: Option<&str>) -> String {
    let content = match value {
        Some(value) => format!("<Data>{}</Data>", value.replace('&', "&amp;").replace('<', "&lt;")),
        None => metinf(&["Format=node"]),
    };
    format!("<Item><Target><LocURI>{uri}</LocURI></Target>{content}</Item>")
}

impl Server {
    /// The element for a command, and what has to come of it.
    pub(super) fn command(
        &mut self,
        op: &Op,
        atomic: Option<&mut bool>,
        skip: bool,
    ) -> (String, Reach) {
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

    pub(super) fn expect(&mut self, cmd: u32, name: &'static str, code: u16) {
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
    pub(super) fn commands(&mut self, ops: &[Op]) -> String {
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

pub(super) fn uri() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|names| format!("./Lab/{}", names.join("/")))
}

pub(super) fn value() -> impl Strategy<Value = String> {
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

pub(super) fn turn() -> impl Strategy<Value = Turn> {
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
