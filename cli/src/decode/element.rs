//! The elements of a document as JSON. Must not know what an element means.

use super::Fault;
use crate::output::hex;
use dmsc::markup::{Event, Reader};
use serde_json::{Map, Value, json};

/// An element whose end is still to come.
struct Open {
    name: String,
    attributes: Map<String, Value>,
    content: Vec<u8>,
    children: Vec<Value>,
}

/// The root element: `name`, and what there is of `attributes`, `children`, and `text` or, for octets
/// that are no text, `hex`.
pub(super) fn tree(mut reader: Reader<'_>) -> Result<Value, Fault> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = Value::Null;
    loop {
        let event = reader.next()?;
        match (event, open.last_mut()) {
            (Event::Start(tag), _) => open.push(Open {
                name: reader.name_of(tag).to_owned(),
                attributes: Map::new(),
                content: Vec::new(),
                children: Vec::new(),
            }),
            (Event::Attribute(attr, value), Some(element)) => {
                element.attributes.insert(attr.name().to_owned(), json!(value));
            }
            (Event::Text(text), Some(element)) => element.content.extend(text.bytes()),
            (Event::Opaque(octets), Some(element)) => element.content.extend(octets),
            (Event::End, _) => {
                let ended = open.pop().map_or(Value::Null, Open::json);
                match open.last_mut() {
                    Some(parent) => parent.children.push(ended),
                    None => root = ended,
                }
            }
            (Event::Finish, _) => return Ok(root),
            (_, None) => {}
        }
    }
}

impl Open {
    fn json(self) -> Value {
        let mut object = Map::new();
        object.insert("name".into(), json!(self.name));
        if !self.attributes.is_empty() {
            object.insert("attributes".into(), Value::Object(self.attributes));
        }
        // White space between elements is no content.
        let blank = self.content.iter().all(u8::is_ascii_whitespace);
        if !self.content.is_empty() && (!blank || self.children.is_empty()) {
            match String::from_utf8(self.content) {
                Ok(text) => object.insert("text".into(), json!(text)),
                Err(error) => object.insert("hex".into(), json!(hex(error.as_bytes()))),
            };
        }
        if !self.children.is_empty() {
            object.insert("children".into(), Value::Array(self.children));
        }
        Value::Object(object)
    }
}
