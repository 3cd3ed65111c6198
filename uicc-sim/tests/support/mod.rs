//! A terminal in miniature: builds DM messages by hand and sends them to the server's HTTP side.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use md5::{Digest as _, Md5};
use uicc_sim::application::{Application as _, HttpOutput};
use uicc_sim::dm::server::DmServer;
use uicc_sim::dm::wbxml::{self, Content, DocType, Element, METINF, SYNCML};
use uicc_sim::profile::Profile;

pub(crate) const MEDIA_TYPE: &str = "application/vnd.syncml.dm+wbxml";

pub(crate) fn text(name: &'static str, value: &str) -> Element {
    Element::text(SYNCML, name, value)
}

pub(crate) fn located(name: &'static str, uri: &str) -> Element {
    Element::new(SYNCML, name).with(text("LocURI", uri))
}

pub(crate) fn meta(values: &[(&'static str, &str)]) -> Element {
    values.iter().fold(Element::new(SYNCML, "Meta"), |meta, (name, value)| {
        meta.with(Element::text(METINF, name, *value))
    })
}

/// Base64, written once more so that the server's own is not trusted.
pub(crate) fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in octets.chunks(3) {
        let word = group.iter().fold(0u32, |word, octet| word << 8 | u32::from(*octet));
        let word = word << (8 * (3 - group.len()));
        for place in 0..4 {
            let index = word >> (18 - 6 * place) & 0x3F;
            out.push(if place <= group.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    out
}

pub(crate) fn from_base64(text: &[u8]) -> Vec<u8> {
    let value = |octet: &u8| match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for group in text.chunks(4) {
        let letters: Vec<u32> = group
            .iter()
            .filter(|octet| **octet != b'=')
            .map(|octet| u32::from(value(octet)))
            .collect();
        let word = letters.iter().fold(0, |word, letter| word << 6 | letter);
        let word = word << (6 * (4 - letters.len()));
        out.extend_from_slice(&word.to_be_bytes()[1..letters.len()]);
    }
    out
}

pub(crate) fn credential(name: &str, secret: &str, nonce: &[u8]) -> String {
    let inner = base64(&Md5::digest(format!("{name}:{secret}")));
    base64(&Md5::digest([inner.as_bytes(), b":", nonce].concat()))
}

/// Every element of that name, at any depth, in document order.
pub(crate) fn all<'a>(element: &'a Element, name: &str) -> Vec<&'a Element> {
    let mut found = Vec::new();
    for child in element.children() {
        if child.name == name {
            found.push(child);
        }
        found.extend(all(child, name));
    }
    found
}

pub(crate) fn value(element: &Element, path: &[&str]) -> String {
    let mut found = element;
    for name in path {
        match found.children().find(|child| child.name == *name) {
            Some(child) => found = child,
            None => return String::new(),
        }
    }
    String::from_utf8(found.value()).unwrap()
}

/// The terminal.
pub(crate) struct Terminal {
    pub(crate) server: DmServer,
    pub(crate) session_id: String,
    pub(crate) msg_id: u32,
    pub(crate) device: String,
    pub(crate) address: String,
    pub(crate) client_nonce: Vec<u8>,
    pub(crate) server_nonce: Vec<u8>,
    /// NextNonce values that this terminal will issue.
    pub(crate) issued: u8,
}

pub(crate) const ADDRESS: &str = "http://127.0.0.1:3516/dm";
pub(crate) const DEVICE: &str = "IMEI:490154203237518";

impl Terminal {
    /// A terminal that was bootstrapped with the account of these tests.
    pub(crate) fn new(script: &str) -> Self {
        Self::with("", script)
    }

    /// The same with more lines of the profile before the script.
    pub(crate) fn with(more: &str, script: &str) -> Self {
        let account = "account = { server_id = 'card', address = 'http://127.0.0.1:3516/dm', \
             client = { name = 'term', secret = 'tsec', nonce = 'n1' }, \
             server = { name = 'card', secret = 'csec', nonce = 'n2' } }\n";
        let profile = Profile::parse(&format!("{account}{more}\n{script}")).unwrap();
        Self {
            server: DmServer::new(profile).unwrap(),
            session_id: String::new(),
            msg_id: 0,
            device: DEVICE.to_owned(),
            address: ADDRESS.to_owned(),
            client_nonce: b"n1".to_vec(),
            server_nonce: b"n2".to_vec(),
            issued: 0,
        }
    }

    /// Lets the server ask for a session and takes its id over.
    pub(crate) fn triggered(&mut self) {
        let push = self.server.notification();
        let id = u16::from_be_bytes([push[6 + 21], push[6 + 22]]);
        self.session_id = format!("{id:X}");
        self.msg_id = 0;
        self.address = ADDRESS.to_owned();
    }

    pub(crate) fn header(&mut self, with_cred: bool) -> Element {
        self.msg_id += 1;
        let mut source = located("Source", &self.device);
        if with_cred {
            source.push(text("LocName", "term"));
        }
        let mut header = Element::new(SYNCML, "SyncHdr")
            .with(text("VerDTD", "1.2"))
            .with(text("VerProto", "DM/1.2"))
            .with(text("SessionID", &self.session_id))
            .with(text("MsgID", &self.msg_id.to_string()))
            .with(located("Target", &self.address))
            .with(source);
        if with_cred {
            let data = credential("term", "tsec", &self.client_nonce);
            let meta = meta(&[("Format", "b64"), ("Type", "syncml:auth-md5")]);
            header.push(Element::new(SYNCML, "Cred").with(meta).with(text("Data", &data)));
        }
        header
    }

    pub(crate) fn message(header: Element, commands: Vec<Element>, is_final: bool) -> Vec<u8> {
        let mut body = Element::new(SYNCML, "SyncBody");
        commands.into_iter().for_each(|command| body.push(command));
        if is_final {
            body.push(Element::new(SYNCML, "Final"));
        }
        let root = Element::new(SYNCML, "SyncML").with(header).with(body);
        wbxml::encode(&root, DocType::SyncMl).unwrap()
    }

    pub(crate) fn post(&mut self, body: &[u8]) -> (String, Vec<u8>, bool) {
        let path = self.address.strip_prefix("http://127.0.0.1:3516").unwrap().to_owned();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:3516\r\nContent-Type: {MEDIA_TYPE}\r\n\
             Accept: {MEDIA_TYPE}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let output = self.server.http_received(&[head.as_bytes(), body].concat());
        split_answer(&output)
    }

    /// Sends a message and takes the server's answer with its nonce, if it is one.
    pub(crate) fn exchange(&mut self, message: &[u8]) -> Option<Element> {
        let (status, body, _) = self.post(message);
        assert!(status.starts_with("HTTP/1.1 200"), "{status}\n{}", self.report());
        if body.is_empty() {
            return None;
        }
        let (root, _) = wbxml::decode(&body).unwrap();
        if let Some(nonce) = all(&root, "NextNonce").first() {
            self.client_nonce = from_base64(&nonce.value());
        }
        let respond = value(&root, &["SyncHdr", "RespURI"]);
        if !respond.is_empty() {
            self.address = respond;
        }
        Some(root)
    }

    pub(crate) fn opening(&self, alert: &str) -> Vec<Element> {
        let alert =
            Element::new(SYNCML, "Alert").with(text("CmdID", "1")).with(text("Data", alert));
        let mut replace = Element::new(SYNCML, "Replace").with(text("CmdID", "2"));
        let leaves =
            [("DevId", DEVICE), ("Man", "M"), ("Mod", "X1"), ("DmV", "1"), ("Lang", "en-US")];
        for (leaf, value) in leaves {
            let source = located("Source", &format!("./DevInfo/{leaf}"));
            replace.push(Element::new(SYNCML, "Item").with(source).with(text("Data", value)));
        }
        vec![alert, replace]
    }

    /// Sends package 1 as it should be.
    pub(crate) fn open(&mut self, alert: &str) -> Option<Element> {
        let header = self.header(true);
        let message = Self::message(header, self.opening(alert), true);
        self.exchange(&message)
    }

    /// Whether the server's credentials in a message are right.
    pub(crate) fn server_is_right(&self, answer: &Element) -> bool {
        value(answer, &["SyncHdr", "Cred", "Data"])
            == credential("card", "csec", &self.server_nonce)
    }

    /// The Status for SyncHdr that logs the server in and gives it a new nonce.
    pub(crate) fn header_status(&mut self, answer: &Element, code: &str) -> Element {
        self.issued += 1;
        let nonce = [b"fresh-nonce".as_slice(), &[self.issued]].concat();
        let meta =
            meta(&[("Format", "b64"), ("Type", "syncml:auth-md5"), ("NextNonce", &base64(&nonce))]);
        self.server_nonce = nonce;
        let mut status = status(answer, "0", "SyncHdr", code);
        let data = status.content.pop().unwrap();
        status.push(Element::new(SYNCML, "Chal").with(meta));
        status.content.push(data);
        status
    }

    /// A Status for each command of the answer with the codes given, in order.
    pub(crate) fn statuses(&mut self, answer: &Element, codes: &[&str]) -> Vec<Element> {
        let mut commands = vec![self.header_status(answer, "212")];
        for (command, code) in commands_of(answer).iter().zip(codes) {
            commands.push(status(answer, &value(command, &["CmdID"]), command.name, code));
        }
        commands
    }

    pub(crate) fn reply(&mut self, commands: Vec<Element>, is_final: bool) -> Option<Element> {
        let header = self.header(false);
        let message = Self::message(header, numbered(commands), is_final);
        self.exchange(&message)
    }

    pub(crate) fn verdicts(&self) -> (u32, u32) {
        (self.server.good_sessions(), self.server.bad_sessions())
    }

    /// The findings that are not good.
    pub(crate) fn missed(&self) -> Vec<String> {
        let findings = self.server.findings().into_iter();
        findings.filter(|finding| !finding.good).map(|finding| finding.text).collect()
    }

    pub(crate) fn report(&self) -> String {
        let lines = self.server.findings().into_iter();
        lines.map(|line| format!("{} {}\n", if line.good { "+" } else { "-" }, line.text)).collect()
    }
}

/// The commands of a server's message that need a Status, children behind their container.
pub(crate) fn commands_of(answer: &Element) -> Vec<&Element> {
    fn collect<'a>(parent: &'a Element, found: &mut Vec<&'a Element>) {
        for child in parent.children() {
            if child.child(SYNCML, "CmdID").is_some() && child.name != "Status" {
                found.push(child);
                collect(child, found);
            }
        }
    }
    let mut found = Vec::new();
    collect(answer.child(SYNCML, "SyncBody").unwrap(), &mut found);
    found
}

pub(crate) fn status(answer: &Element, cmd_ref: &str, cmd: &str, code: &str) -> Element {
    Element::new(SYNCML, "Status")
        .with(text("CmdID", "0"))
        .with(text("MsgRef", &value(answer, &["SyncHdr", "MsgID"])))
        .with(text("CmdRef", cmd_ref))
        .with(text("Cmd", cmd))
        .with(text("Data", code))
}

pub(crate) fn results(answer: &Element, cmd_ref: &str, source: &str, data: &str) -> Element {
    let item =
        Element::new(SYNCML, "Item").with(located("Source", source)).with(text("Data", data));
    Element::new(SYNCML, "Results")
        .with(text("CmdID", "0"))
        .with(text("MsgRef", &value(answer, &["SyncHdr", "MsgID"])))
        .with(text("CmdRef", cmd_ref))
        .with(item)
}

/// The commands with CmdID 1, 2, 3 and so on.
pub(crate) fn numbered(mut commands: Vec<Element>) -> Vec<Element> {
    for (index, command) in commands.iter_mut().enumerate() {
        command.content[0] = Content::Element(text("CmdID", &(index + 1).to_string()));
    }
    commands
}

/// Status line, body and whether the connection is closed. Chunks are joined.
pub(crate) fn split_answer(output: &HttpOutput) -> (String, Vec<u8>, bool) {
    let at = output.octets.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(at) = at else { return (String::new(), Vec::new(), output.close) };
    let head = String::from_utf8(output.octets[..at].to_vec()).unwrap();
    let mut body = output.octets[at + 4..].to_vec();
    if head.contains("chunked") {
        let mut joined = Vec::new();
        let mut rest = body.as_slice();
        loop {
            let end = rest.windows(2).position(|window| window == b"\r\n").unwrap();
            let size = std::str::from_utf8(&rest[..end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                break;
            }
            joined.extend_from_slice(&rest[end + 2..end + 2 + size]);
            rest = &rest[end + 4 + size..];
        }
        body = joined;
    }
    let line = head.lines().next().unwrap_or_default().to_owned();
    (line, body, output.close)
}
