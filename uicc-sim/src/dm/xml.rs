//! Text XML of SyncML messages, as the same tree of elements as WBXML.
//!
//! Knows tags, namespaces and entities; knows nothing of what the elements mean. No declarations.

use super::wbxml::{Content, DMDDF, Element, METINF, SYNCML, tokens};

/// Namespace of each code page.
const NAMESPACES: [(u8, &str); 3] =
    [(SYNCML, "SYNCML:SYNCML1.2"), (METINF, "syncml:metinf"), (DMDDF, "syncml:dmddf1.2")];
/// Deepest nesting of elements.
const MAX_DEPTH: usize = 64;

/// Reads a document.
///
/// # Errors
/// One line saying what is wrong and at which octet.
pub fn decode(octets: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(octets).map_err(|_| "XML: not UTF-8".to_owned())?;
    let mut reader = Reader { text, at: 0 };
    reader.misc()?;
    let root = reader.element(SYNCML, 0)?;
    reader.misc()?;
    if reader.at == text.len() { Ok(root) } else { Err(reader.fault("more behind the root")) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn fault(&self, what: &str) -> String {
        format!("XML: {what} at octet {}", self.at)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn takes(&mut self, wanted: &str) -> bool {
        let there = self.rest().starts_with(wanted);
        self.at += if there { wanted.len() } else { 0 };
        there
    }

    /// Everything up to `end`, which is taken too.
    fn until(&mut self, end: &str) -> Result<&'t str, String> {
        let (before, _) = self.rest().split_once(end).ok_or_else(|| self.fault("no end"))?;
        self.at += before.len() + end.len();
        Ok(before)
    }

    fn blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Declaration, comments and white space outside the root.
    fn misc(&mut self) -> Result<(), String> {
        loop {
            self.blank();
            let end = match self.rest() {
                rest if rest.starts_with("<?") => "?>",
                rest if rest.starts_with("<!--") => "-->",
                rest if rest.starts_with("<!") => return Err(self.fault("declaration")),
                _ => return Ok(()),
            };
            self.until(end)?;
        }
    }

    fn element(&mut self, outer: u8, depth: usize) -> Result<Element, String> {
        if depth > MAX_DEPTH {
            return Err(self.fault("nested too deep"));
        }
        if !self.takes("<") {
            return Err(self.fault("no element"));
        }
        let tag = self.until(">")?;
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, attributes) = tag.split_once([' ', '\t', '\n', '\r']).unwrap_or((tag, ""));
        let page = self.page(attributes, outer)?;
        let name = tokens::known_name(page, name).ok_or_else(|| self.fault("unknown element"))?;
        let mut element = Element::new(page, name);
        if !is_empty {
            self.content(&mut element, depth)?;
        }
        Ok(element)
    }

    /// The page that `xmlns` says, or the one around.
    fn page(&self, attributes: &str, outer: u8) -> Result<u8, String> {
        let Some((_, value)) = attributes.split_once("xmlns=") else { return Ok(outer) };
        let quoted = value.chars().next().and_then(|quote| value.split(quote).nth(1));
        let found = NAMESPACES.into_iter().find(|(_, namespace)| Some(*namespace) == quoted);
        found.map(|(page, _)| page).ok_or_else(|| self.fault("unknown namespace"))
    }

    fn content(&mut self, element: &mut Element, depth: usize) -> Result<(), String> {
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(['<', '&']).ok_or_else(|| self.fault("no end tag"))?;
            text.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.takes("<![CDATA[") {
                text.push_str(self.until("]]>")?);
            } else if self.takes("<!--") {
                self.until("-->")?;
            } else if self.takes("</") {
                if self.until(">")?.trim_end() != element.name {
                    return Err(self.fault("another end tag"));
                }
                let has_children = element.children().next().is_some();
                if !(text.is_empty() || has_children && text.trim().is_empty()) {
                    element.content.push(Content::Text(text));
                }
                return Ok(());
            } else if self.takes("&") {
                let name = self.until(";")?;
                text.push(entity(name).ok_or_else(|| self.fault("unknown entity"))?);
            } else {
                let child = self.element(element.page, depth + 1)?;
                element.push(child);
            }
        }
    }
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// Writes a document.
///
/// # Errors
/// When there are octets that XML cannot carry.
pub fn encode(root: &Element) -> Result<Vec<u8>, &'static str> {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
    write(&mut out, root, None)?;
    Ok(out.into_bytes())
}

fn write(out: &mut String, element: &Element, outer: Option<u8>) -> Result<(), &'static str> {
    out.push('<');
    out.push_str(element.name);
    if outer != Some(element.page) {
        let namespace = NAMESPACES.into_iter().find(|(page, _)| *page == element.page);
        let (_, namespace) = namespace.ok_or("no such page")?;
        out.push_str(&format!(" xmlns=\"{namespace}\""));
    }
    if element.content.is_empty() {
        out.push_str("/>");
        return Ok(());
    }
    out.push('>');
    for content in &element.content {
        match content {
            Content::Element(child) => write(out, child, Some(element.page))?,
            Content::Text(text) => escape(out, text),
            Content::Octets(octets) => {
                escape(out, std::str::from_utf8(octets).map_err(|_| "octets in text XML")?);
            }
        }
    }
    out.push_str(&format!("</{}>", element.name));
    Ok(())
}

fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let meta = Element::new(SYNCML, "Meta").with(Element::text(METINF, "Type", "a&<b>"));
        let item = Element::new(SYNCML, "Item").with(meta).with(Element::new(SYNCML, "MoreData"));
        let root = Element::new(SYNCML, "SyncML").with(item);
        let octets = encode(&root).unwrap();
        let text = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><Item><Meta><Type xmlns=\"syncml:metinf\">\
                    a&amp;&lt;b&gt;</Type></Meta><MoreData/></Item></SyncML>";
        assert!(String::from_utf8(octets.clone()).unwrap().ends_with(text));
        assert_eq!(decode(&octets).unwrap(), root);
    }

    #[test]
    fn blanks_comments_and_references() {
        let text = b" <?xml version='1.0'?>\n<!-- c --><SyncML xmlns='SYNCML:SYNCML1.2'>\n \
                     <Data>a<![CDATA[<&]]>&#65;&#x42;</Data><!-- d --> </SyncML>\n";
        let root = decode(text).unwrap();
        assert_eq!(root.children().next().unwrap().value(), b"a<&AB");
        assert_eq!(root.content.len(), 1);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "<SyncML>",
            "<SyncML></Data>",
            "<Nothing/>",
            "<SyncML/><SyncML/>",
            "<SyncML xmlns='x'/>",
            "<SyncML>&x;</SyncML>",
            "<!DOCTYPE SyncML><SyncML/>",
        ] {
            assert!(decode(text.as_bytes()).is_err(), "{text}");
        }
        assert!(decode("<Data>".repeat(100_000).as_bytes()).is_err());
    }
}
