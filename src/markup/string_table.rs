//! A WBXML document with its repeated strings in a string table, where that saves octets.
//!
//! Owns which strings go there and in which order; must not know what they are.

use super::wbxml::{mb_u32, token};
use super::writer::MultiByte;
use super::{DocType, scan};
use std::collections::HashMap;

/// A string that stands inline more than once.
struct Repeated<'d> {
    text: &'d [u8],
    /// Offsets of its tokens in the body.
    places: Vec<usize>,
}

/// The same as `document`, which our writer wrote as a `doc`, in fewer octets; `None` if a string table
/// saves none.
pub(super) fn compact(document: &[u8], doc: DocType) -> Option<Vec<u8>> {
    let (head, old_table, body) = split(document, doc)?;
    let mut strings = repeated(body)?;
    // The most frequent get the shortest references, and the order is always the same.
    strings.sort_unstable_by_key(|string| (usize::MAX - string.places.len(), string.places[0]));
    let mut table = old_table.to_vec();
    let mut references = Vec::new();
    for string in strings {
        let reference = MultiByte::of(u32::try_from(table.len()).ok()?);
        // Token and NUL, or token and reference.
        let (inline, referred) = (string.text.len() + 2, reference.octets().len() + 1);
        if inline.saturating_sub(referred) * string.places.len() > string.text.len() + 1 {
            table.extend_from_slice(string.text);
            table.push(0);
            references.extend(string.places.iter().map(|at| (*at, at + inline, reference)));
        }
    }
    references.sort_unstable_by_key(|(at, ..)| *at);
    let mut out = head.to_vec();
    out.extend_from_slice(MultiByte::of(u32::try_from(table.len()).ok()?).octets());
    out.append(&mut table);
    let mut from = 0;
    for (at, behind, reference) in references {
        out.extend_from_slice(body.get(from..at)?);
        out.push(token::STR_T);
        out.extend_from_slice(reference.octets());
        from = behind;
    }
    out.extend_from_slice(body.get(from..)?);
    (out.len() < document.len()).then_some(out)
}

/// The header up to the length of the string table, the table, and what follows.
fn split(document: &[u8], doc: DocType) -> Option<(&[u8], &[u8], &[u8])> {
    let id = doc.public_id().number;
    // A textual identifier is announced by 0 and stands at offset 0 of the table.
    let id_octets = if id == 0 { 2 } else { MultiByte::of(id).octets().len() };
    let length_at = 1 + id_octets + 1;
    let mut at = length_at;
    let length = usize::try_from(mb_u32(document, &mut at).ok()?).ok()?;
    let (table, body) = document.get(at..)?.split_at_checked(length)?;
    Some((document.get(..length_at)?, table, body))
}

/// The strings that stand in `body` more than once; `None` at a token that our writer does not write.
fn repeated(body: &[u8]) -> Option<Vec<Repeated<'_>>> {
    let mut found: HashMap<&[u8], Vec<usize>> = HashMap::new();
    let mut at = 0;
    while let Some(&octet) = body.get(at) {
        let token_at = at;
        at += 1;
        match octet {
            token::SWITCH_PAGE => at += 1,
            token::END => {}
            token::STR_I => {
                let rest = body.get(at..)?;
                let length = scan::nul(rest)?;
                found.entry(rest.get(..length)?).or_default().push(token_at);
                at += length + 1;
            }
            token::OPAQUE => {
                let length = usize::try_from(mb_u32(body, &mut at).ok()?).ok()?;
                at = at.checked_add(length)?;
            }
            _ if octet & token::IDENTITY <= token::LITERAL => return None,
            // An element, an attribute, or a value: one octet.
            _ => {}
        }
    }
    let strings = found.into_iter().filter(|(_, places)| places.len() > 1);
    Some(strings.map(|(text, places)| Repeated { text, places }).collect())
}
