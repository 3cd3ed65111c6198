//! What is shown, both as text and as JSON: records of named fields, and records inside records.
//! Must not know what the fields mean.

use super::Fault;
use crate::output::{hex, is_steering, printable};
use serde_json::{Map, Value, json};
use std::fmt::{Display, Write as _};

/// The value of a field.
#[derive(Clone, Debug)]
enum Field {
    /// A word, the same in both forms.
    Word(String),
    /// Text in quotation marks.
    Text(String),
    Number(u64),
    /// `0` or `1` in text, `false` or `true` in JSON.
    Flag(bool),
    /// Only their number in text, hexadecimal in JSON.
    Octets(Vec<u8>),
    /// Words with commas between them in text, an array in JSON.
    List(Vec<String>),
}

/// Fields in one line of text or one JSON object, with what is inside.
#[derive(Debug, Default)]
pub(crate) struct Record {
    fields: Vec<(&'static str, Field)>,
    inside: Vec<Record>,
    nested: Vec<(&'static str, Decoded)>,
}

impl Record {
    /// The record with field `name` besides.
    fn with(mut self, name: &'static str, field: Field) -> Self {
        self.fields.push((name, field));
        self
    }

    pub(crate) fn word(self, name: &'static str, word: impl Display) -> Self {
        self.with(name, Field::Word(word.to_string()))
    }

    /// As [`word`](Self::word), if there is one.
    pub(crate) fn maybe(self, name: &'static str, word: Option<impl Display>) -> Self {
        match word {
            Some(word) => self.word(name, word),
            None => self,
        }
    }

    pub(crate) fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(name, Field::Text(text.into()))
    }

    pub(crate) fn number(self, name: &'static str, number: impl TryInto<u64>) -> Self {
        self.with(name, Field::Number(number.try_into().unwrap_or(u64::MAX)))
    }

    /// As [`number`](Self::number), if there is one.
    pub(crate) fn maybe_number(
        self,
        name: &'static str,
        number: Option<impl TryInto<u64>>,
    ) -> Self {
        match number {
            Some(number) => self.number(name, number),
            None => self,
        }
    }

    pub(crate) fn flag(self, name: &'static str, flag: bool) -> Self {
        self.with(name, Field::Flag(flag))
    }

    /// Octets in hexadecimal.
    pub(crate) fn hex(self, name: &'static str, octets: &[u8]) -> Self {
        self.word(name, hex(octets))
    }

    /// Octets of which the text tells the number only.
    pub(crate) fn octets(self, name: &'static str, octets: &[u8]) -> Self {
        self.with(name, Field::Octets(octets.to_vec()))
    }

    pub(crate) fn list(self, name: &'static str, words: Vec<String>) -> Self {
        self.with(name, Field::List(words))
    }

    /// The record with `records` below it: `objects` in JSON.
    pub(crate) fn containing(mut self, records: Vec<Record>) -> Self {
        self.inside = records;
        self
    }

    /// The record with what was decoded of one of its values, as `name`.
    pub(crate) fn nesting(mut self, name: &'static str, inner: Result<Decoded, Fault>) -> Self {
        let inner = inner.unwrap_or_else(|fault| Decoded::default().faulty(fault));
        self.nested.push((name, inner));
        self
    }

    fn lines(&self, indent: usize, out: &mut Vec<String>) {
        let words: Vec<String> =
            self.fields.iter().map(|(name, field)| format!("{name}={}", field.text())).collect();
        if !words.is_empty() {
            out.push(format!("{}{}", "  ".repeat(indent), words.join(" ")));
        }
        for record in &self.inside {
            record.lines(indent + 1, out);
        }
        for (_, inner) in &self.nested {
            let lines = inner.lines.iter().map(|line| format!("{}{line}", "  ".repeat(indent + 1)));
            out.extend(lines);
            if let Some(fault) = &inner.fault {
                out.push(format!("{}fault={fault}", "  ".repeat(indent + 1)));
            }
        }
    }

    fn json(&self) -> Map<String, Value> {
        let mut object: Map<String, Value> =
            self.fields.iter().map(|(name, field)| (key(name), field.json())).collect();
        if !self.inside.is_empty() {
            object.insert("objects".into(), array(&self.inside));
        }
        for (name, inner) in &self.nested {
            let mut json = inner.json.clone();
            if let Some(fault) = &inner.fault {
                json.insert("fault".into(), json!(fault.to_string()));
            }
            object.insert(key(name), Value::Object(json));
        }
        object
    }
}

/// A field's name in JSON.
fn key(name: &str) -> String {
    name.replace('-', "_")
}

fn array(records: &[Record]) -> Value {
    records.iter().map(|record| Value::Object(record.json())).collect()
}

impl Field {
    fn text(&self) -> String {
        match self {
            Self::Word(word) => printable(word),
            Self::Text(text) => {
                format!("\"{}\"", printable(&text.replace('\\', "\\\\").replace('"', "\\\"")))
            }
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => u8::from(*flag).to_string(),
            Self::Octets(octets) => format!("{} octets", octets.len()),
            Self::List(words) => printable(&words.join(",")),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Word(text) | Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Octets(octets) => json!(hex(octets)),
            Self::List(words) => json!(words),
        }
    }
}

/// What came out: lines of text, a JSON object, and what is wrong although it can be shown.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) lines: Vec<String>,
    pub(crate) json: Map<String, Value>,
    pub(crate) fault: Option<Fault>,
}

impl Decoded {
    /// A record whose fields are the JSON object's own.
    pub(crate) fn of(record: &Record) -> Self {
        let mut decoded = Self { json: record.json(), ..Self::default() };
        record.lines(0, &mut decoded.lines);
        decoded
    }

    /// The same with a record, as `name` in JSON.
    pub(crate) fn with_record(mut self, name: &'static str, record: &Record) -> Self {
        record.lines(0, &mut self.lines);
        self.json.insert(key(name), Value::Object(record.json()));
        self
    }

    /// The same with records, as `name` in JSON.
    pub(crate) fn with_records(mut self, name: &'static str, records: &[Record]) -> Self {
        for record in records {
            record.lines(0, &mut self.lines);
        }
        self.json.insert(key(name), array(records));
        self
    }

    /// The same with a word about the status word 9000 that was taken off, if it was.
    pub(crate) fn with_status(mut self, taken_off: bool) -> Self {
        if taken_off {
            self.lines.push("status-word=9000".to_owned());
            self.json.insert("status_word".into(), "9000".into());
        }
        self
    }

    /// The same with `fault`.
    pub(crate) fn faulty(mut self, fault: impl Into<Option<Fault>>) -> Self {
        self.fault = fault.into();
        self
    }
}

/// XML that cannot steer a terminal: the characters that could are references, which mean the same.
pub(crate) fn visible_xml(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len());
    for c in xml.chars() {
        if is_steering(c) {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_in_both_forms() {
        let inner = Record::default().hex("value", &[0xAB]).flag("cr", true);
        let record = Record::default()
            .word("content-type", "a/b")
            .text("label", "a \"b\"\n\\")
            .number("len", 2u8)
            .octets("body", &[1, 2])
            .list("pins", vec!["01".into(), "0A".into()])
            .maybe("none", None::<u8>)
            .containing(vec![inner])
            .nesting("inner", Err(Fault::new("E_X", 3, "what")));
        let decoded = Decoded::of(&record);
        assert_eq!(
            decoded.lines,
            [
                r#"content-type=a/b label="a \"b\"\n\\" len=2 body=2 octets pins=01,0A"#,
                "  value=AB cr=1",
                "  fault=E_X at byte 3: what",
            ]
        );
        let expected = json!({
            "content_type": "a/b", "label": "a \"b\"\n\\", "len": 2, "body": "0102",
            "pins": ["01", "0A"], "objects": [{ "value": "AB", "cr": true }],
            "inner": { "fault": "E_X at byte 3: what" },
        });
        assert_eq!(Value::Object(decoded.json), expected);
    }

    #[test]
    fn xml_cannot_steer_a_terminal() {
        assert_eq!(visible_xml("<a>é\u{9b}\u{202e}</a>"), "<a>é&#155;&#8238;</a>");
    }
}
