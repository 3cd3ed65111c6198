//! Commands as they are written in a profile.

use super::{Alert, Command, Verb, Wanted, Write};
use serde::Deserialize;

/// A command as it is written in a profile.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Spec {
    get: Option<String>,
    add: Option<String>,
    replace: Option<String>,
    delete: Option<String>,
    exec: Option<String>,
    copy: Option<String>,
    display: Option<String>,
    confirm: Option<String>,
    input: Option<String>,
    choice: Option<String>,
    choices: Option<String>,
    alert: Option<u16>,
    atomic: Option<Vec<Command>>,
    sequence: Option<Vec<Command>>,
    items: Option<Vec<Command>>,
    put: Option<String>,
    message: Option<Message>,

    to: Option<String>,
    format: Option<String>,
    #[serde(rename = "type")]
    mime: Option<String>,
    value: Option<String>,
    fill: Option<usize>,
    chunk: Option<usize>,
    cut: Option<usize>,
    meta: Option<MetaAt>,
    correlator: Option<String>,
    options: Option<String>,
    from: Vec<String>,
    answer: Option<OneOrMore<String>>,
    results: Option<String>,
    results_prefix: Option<String>,
    results_fill: Option<usize>,
    results_children: Option<Vec<String>>,
    refuse: Option<u16>,
    expect: Option<OneOrMore<u16>>,
}

/// What is said about messages, not about nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Message {
    /// The package goes on in the next one.
    Next,
    /// The session is given up with this one.
    Abort,
}

/// Where Format and Type stand, if not at the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MetaAt {
    Command,
}

/// A single value or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::More(values) => values,
        }
    }
}

impl TryFrom<Spec> for Command {
    type Error = String;

    fn try_from(mut spec: Spec) -> Result<Self, String> {
        let usual = if spec.put.is_some() { 406 } else { 200 };
        let expect = spec.expect.take().map_or_else(|| vec![usual], OneOrMore::into_vec);
        let verb = spec.verb()?;
        match spec.left_over() {
            Some(key) => Err(format!("a script command has nothing to do with `{key}`")),
            None => Ok(Self { verb, expect }),
        }
    }
}

impl Spec {
    /// Takes the one verb out, with the keys that belong to it.
    fn verb(&mut self) -> Result<Verb, String> {
        if let Some(uri) = self.get.take() {
            return Ok(Verb::Get { uri, results: self.wanted(), refuse: self.refuse.take() });
        }
        if let Some(uri) = self.add.take() {
            return Ok(Verb::Add(self.write(uri)?));
        }
        if let Some(uri) = self.replace.take() {
            return Ok(Verb::Replace(self.write(uri)?));
        }
        if let Some(uri) = self.put.take() {
            return Ok(Verb::Put(self.write(uri)?));
        }
        if let Some(uri) = self.delete.take() {
            return Ok(Verb::Delete { uri });
        }
        if let Some(uri) = self.exec.take() {
            let correlator = self.correlator.take();
            return Ok(Verb::Exec { write: self.write(uri)?, correlator });
        }
        if let Some(from) = self.copy.take() {
            let to = self.to.take().ok_or("a `copy` needs `to`")?;
            return Ok(Verb::Copy { from, to });
        }
        if let Some(children) = self.atomic.take() {
            return whole(children).map(Verb::Atomic);
        }
        if let Some(children) = self.sequence.take() {
            return whole(children).map(Verb::Sequence);
        }
        if let Some(children) = self.items.take() {
            return alike(whole(children)?).map(Verb::Items);
        }
        match self.message.take() {
            Some(Message::Next) => return Ok(Verb::Break),
            Some(Message::Abort) => return Ok(Verb::Abort),
            None => {}
        }
        self.alert_verb()
    }

    fn alert_verb(&mut self) -> Result<Verb, String> {
        let texts = [
            (1100, self.display.take()),
            (1101, self.confirm.take()),
            (1102, self.input.take()),
            (1103, self.choice.take()),
            (1104, self.choices.take()),
            (self.alert.unwrap_or_default(), self.alert.take().and(self.value.take())),
        ];
        let (code, text) = texts
            .into_iter()
            .find_map(|(code, text)| Some((code, text?)))
            .ok_or("a script command needs get, add, replace, delete, exec, copy, atomic, sequence, items, put, message, display, confirm, input, choice, choices, or alert with value")?;
        Ok(Verb::Alert(Alert {
            code,
            options: self.options.take().unwrap_or_default(),
            text,
            choices: std::mem::take(&mut self.from),
            answer: self.answer.take().map(OneOrMore::into_vec),
        }))
    }

    fn write(&mut self, uri: String) -> Result<Write, String> {
        let filled = self.fill.take().map(fill);
        if self.cut.is_some() && self.chunk.is_none() {
            return Err("`cut` without `chunk`".to_owned());
        }
        Ok(Write {
            uri,
            format: self.format.take(),
            mime: self.mime.take(),
            value: self.value.take().or(filled),
            chunk: self.chunk.take(),
            size: None,
            more: false,
            cut: self.cut.take(),
            endless: false,
            command_meta: self.meta.take().is_some(),
        })
    }

    fn wanted(&mut self) -> Option<Wanted> {
        let filled = self.results_fill.take().map(fill);
        let text = self.results.take().or(filled).map(Wanted::Text);
        let prefix = self.results_prefix.take().map(Wanted::Prefix);
        text.or(prefix).or(self.results_children.take().map(Wanted::Children))
    }

    /// A key that the verb did not use.
    fn left_over(&self) -> Option<&'static str> {
        let keys = [
            ("get", self.get.is_some()),
            ("add", self.add.is_some()),
            ("replace", self.replace.is_some()),
            ("delete", self.delete.is_some()),
            ("exec", self.exec.is_some()),
            ("copy", self.copy.is_some()),
            ("display", self.display.is_some()),
            ("confirm", self.confirm.is_some()),
            ("input", self.input.is_some()),
            ("choice", self.choice.is_some()),
            ("choices", self.choices.is_some()),
            ("alert", self.alert.is_some()),
            ("atomic", self.atomic.is_some()),
            ("sequence", self.sequence.is_some()),
            ("items", self.items.is_some()),
            ("put", self.put.is_some()),
            ("message", self.message.is_some()),
            ("to", self.to.is_some()),
            ("format", self.format.is_some()),
            ("type", self.mime.is_some()),
            ("value", self.value.is_some()),
            ("fill", self.fill.is_some()),
            ("chunk", self.chunk.is_some()),
            ("cut", self.cut.is_some()),
            ("meta", self.meta.is_some()),
            ("correlator", self.correlator.is_some()),
            ("options", self.options.is_some()),
            ("from", !self.from.is_empty()),
            ("answer", self.answer.is_some()),
            ("results", self.results.is_some()),
            ("results_prefix", self.results_prefix.is_some()),
            ("results_fill", self.results_fill.is_some()),
            ("results_children", self.results_children.is_some()),
            ("refuse", self.refuse.is_some()),
        ];
        keys.into_iter().find_map(|(key, used)| used.then_some(key))
    }
}

/// A container has to fit in one message, so no value inside it may go in pieces, nor the package on.
fn whole(children: Vec<Command>) -> Result<Vec<Command>, String> {
    for child in &children {
        if child.verb.write().is_some_and(|write| write.chunk.is_some()) {
            return Err("`chunk` inside a container".to_owned());
        }
        if matches!(child.verb, Verb::Break | Verb::Abort) {
            return Err("`message` inside a container".to_owned());
        }
    }
    Ok(children)
}

/// The items of one command have the same verb, and a target each.
fn alike(children: Vec<Command>) -> Result<Vec<Command>, String> {
    let kinds: Vec<_> = children.iter().map(|child| std::mem::discriminant(&child.verb)).collect();
    let has_target = children.iter().all(|child| {
        matches!(child.verb, Verb::Get { .. } | Verb::Delete { .. } | Verb::Copy { .. })
            || child.verb.write().is_some()
    });
    if kinds.is_empty() || !has_target || kinds.iter().any(|kind| Some(kind) != kinds.first()) {
        return Err(
            "`items` takes get, add, replace, delete, copy, exec or put, all the same".to_owned()
        );
    }
    Ok(children)
}

/// Longest text that `fill` makes.
const MAX_FILL: usize = 1 << 20;

/// A text of so many letters that shows where pieces were lost or swapped.
pub(super) fn fill(length: usize) -> String {
    let mut text = String::new();
    while text.len() < length.min(MAX_FILL) {
        text.push_str(&format!("[{:06}]", text.len()));
    }
    text.truncate(length.min(MAX_FILL));
    text
}
