//! BER-TLV objects with the objects inside them, one line each. Must not know what a tag means.

use super::Fault;
use super::shown::Record;
use dmsc::bytes::tlv::{Fill, Reader};

/// Objects inside objects that are looked at; deeper ones are shown as values.
const DEPTH: usize = 12;

/// One object.
#[derive(Debug)]
pub(super) struct Object<'a> {
    pub(super) tag: u32,
    pub(super) value: &'a [u8],
    pub(super) inside: Vec<Object<'a>>,
}

/// How objects are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// What fill octets between objects mean.
    pub(super) fill: Fill,
    /// Down to this depth damaged objects are a fault; below, they are not shown as objects.
    pub(super) strict: usize,
}

/// The objects of `data`.
pub(super) fn read(data: &[u8], style: Style) -> Result<Vec<Object<'_>>, Fault> {
    read_at(data, 0, 0, style)
}

fn read_at(data: &[u8], base: usize, depth: usize, style: Style) -> Result<Vec<Object<'_>>, Fault> {
    let fill = if depth == 0 { style.fill } else { Fill::Skip };
    let mut objects = Vec::new();
    for object in Reader::with_fill(data, fill) {
        let object = object.map_err(|fault| Fault::from(fault).behind(base))?;
        let inside = if object.constructed && depth < DEPTH {
            let at = base + place(data, object.value);
            match read_at(object.value, at, depth + 1, style) {
                Err(fault) if depth < style.strict => return Err(fault),
                inside => inside.unwrap_or_default(),
            }
        } else {
            Vec::new()
        };
        objects.push(Object { tag: object.tag, value: object.value, inside });
    }
    Ok(objects)
}

/// Offset of `part`, which is a part of `whole`.
pub(super) fn place(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}

/// `content` without the status word 9000 that a dump of a card's answer ends with, and whether there
/// was one. What is in front of it has to be whole by itself.
pub(super) fn without_status(
    content: &[u8],
    is_whole: impl FnOnce(&[u8]) -> bool,
) -> (&[u8], bool) {
    match content.split_last_chunk::<2>() {
        Some((front, [0x90, 0x00])) if is_whole(front) => (front, true),
        _ => (content, false),
    }
}

impl Object<'_> {
    /// The object with its name by `names` (of the tags around it and its own), and those inside it.
    pub(super) fn record(&self, names: fn(&[u32]) -> &'static str) -> Record {
        self.record_in(&mut Vec::new(), names)
    }

    fn record_in(&self, around: &mut Vec<u32>, names: fn(&[u32]) -> &'static str) -> Record {
        around.push(self.tag);
        let name = names(around);
        let record = self.head();
        let record = if name.is_empty() { record } else { record.word("name", name) };
        let record = if self.inside.is_empty() { record.hex("value", self.value) } else { record };
        let inside = self.inside.iter().map(|object| object.record_in(around, names)).collect();
        around.pop();
        record.containing(inside)
    }

    /// The object with its whole value, whatever is inside.
    pub(super) fn plain(&self) -> Record {
        let inside = self.inside.iter().map(Object::plain).collect();
        self.head().hex("value", self.value).containing(inside)
    }

    fn head(&self) -> Record {
        let tag = format_args!("{:02X}", self.tag);
        Record::default().word("tag", tag).number("len", self.value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Style = Style { fill: Fill::Skip, strict: DEPTH };

    #[test]
    fn faults_are_counted_from_the_beginning() {
        // 30 { 02 } { 30 { 04 with a length beyond the end } }
        let data = [0x30, 0x07, 0x02, 0x01, 0x05, 0x30, 0x02, 0x04, 0x05];
        let fault = read(&data, STRICT).unwrap_err().to_string();
        assert!(fault.starts_with("E_TLV_LENGTH at byte 7: "), "{fault}");
        let lenient = read(&data, Style { strict: 1, ..STRICT }).unwrap();
        assert_eq!((lenient[0].inside.len(), lenient[0].inside[1].inside.len()), (2, 0));
    }

    #[test]
    fn nesting_is_bounded() {
        let mut data = vec![];
        for _ in 0..5000 {
            data = dmsc::bytes::tlv::encode(0x30, &data);
        }
        let mut objects = read(&data, STRICT).unwrap();
        let mut depth = 0;
        while let Some(object) = objects.pop() {
            depth += 1;
            objects = object.inside;
        }
        assert_eq!(depth, DEPTH + 1);
    }

    #[test]
    fn a_status_word_is_taken_off_only_behind_something_whole() {
        let whole = |front: &[u8]| read(front, STRICT).is_ok();
        assert_eq!(without_status(&[0x80, 1, 7, 0x90, 0], whole), (&[0x80, 1, 7][..], true));
        let value = [0x80, 3, 7, 0x90, 0];
        assert_eq!(without_status(&value, whole), (&value[..], false));
    }
}
