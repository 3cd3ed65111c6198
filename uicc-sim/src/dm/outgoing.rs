//! Builds the server's messages.

use super::auth;
use super::auth::Scheme;
use super::script::{Alert, Command, Verb, Write};
use super::wbxml::{Element, METINF, SYNCML};

/// What SyncHdr of a server message holds.
#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) session_id: &'a str,
    pub(crate) msg_id: u32,
    pub(crate) device: &'a str,
    pub(crate) address: &'a str,
    pub(crate) resp_uri: Option<&'a str>,
    pub(crate) cred: Option<Cred<'a>>,
    pub(crate) max_msg_size: Option<usize>,
    pub(crate) max_obj_size: Option<usize>,
}

/// The server's own credentials.
#[derive(Clone, Debug)]
pub(crate) struct Cred<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) name: &'a str,
    /// `None` where they travel outside SyncML.
    pub(crate) data: Option<String>,
}

/// A challenge, or just the next nonce.
#[derive(Clone, Debug)]
pub(crate) struct Chal {
    pub(crate) scheme: Scheme,
    pub(crate) nonce: Option<Vec<u8>>,
}

/// The answer to one of the client's commands.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) msg_ref: String,
    /// `0` answers SyncHdr.
    pub(crate) cmd_ref: String,
    pub(crate) cmd: String,
    pub(crate) target_ref: Option<String>,
    pub(crate) source_ref: Option<String>,
    pub(crate) chal: Option<Chal>,
    pub(crate) code: u16,
}

/// One command that was sent and has to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) cmd_id: u32,
    pub(crate) name: &'static str,
    /// One for each item, at least one.
    pub(crate) parts: Vec<Part>,
}

/// One item of a command that was sent, or a command without items.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) target: Option<String>,
    pub(crate) source: Option<String>,
    /// What the script says about it.
    pub(crate) command: Option<Command>,
}

impl Part {
    fn of(command: &Command) -> Self {
        let source = match &command.verb {
            Verb::Copy { from, .. } => Some(from.clone()),
            _ => None,
        };
        let target = target_of(&command.verb).map(str::to_owned);
        Self { target, source, command: Some(command.clone()) }
    }
}

/// Collects the children of SyncBody and numbers the commands.
#[derive(Debug, Default)]
pub(crate) struct Body {
    elements: Vec<Element>,
    last_id: u32,
    sent: Vec<Sent>,
}

impl Body {
    fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    fn numbered(&mut self, name: &'static str) -> (u32, Element) {
        let id = self.next_id();
        (id, Element::new(SYNCML, name).with(text("CmdID", &id.to_string())))
    }

    /// Appends a Status.
    pub(crate) fn answer(&mut self, answer: &Answer) {
        let (_, mut status) = self.numbered("Status");
        status.push(text("MsgRef", &answer.msg_ref));
        status.push(text("CmdRef", &answer.cmd_ref));
        status.push(text("Cmd", &answer.cmd));
        if let Some(target) = &answer.target_ref {
            status.push(text("TargetRef", target));
        }
        if let Some(source) = &answer.source_ref {
            status.push(text("SourceRef", source));
        }
        if let Some(chal) = &answer.chal {
            let meta = Element::new(SYNCML, "Meta")
                .with(meta_text("Format", "b64"))
                .with(meta_text("Type", chal.scheme.meta_type()));
            let nonce = chal.nonce.as_deref();
            let nonce = nonce.map(|nonce| meta_text("NextNonce", &auth::base64(nonce)));
            let meta = extend(meta, nonce);
            status.push(Element::new(SYNCML, "Chal").with(meta));
        }
        status.push(text("Data", &answer.code.to_string()));
        self.elements.push(status);
    }

    /// Appends Alert 1222, which asks for the rest of the client's package.
    pub(crate) fn next_message(&mut self) {
        let (cmd_id, alert) = self.numbered("Alert");
        self.elements.push(alert.with(text("Data", "1222")));
        self.sent.push(Sent { cmd_id, name: "Alert", parts: vec![Part::default()] });
    }

    /// Appends Alert 1225: the end of the client's value is missing.
    pub(crate) fn no_end_of_data(&mut self, uri: &str) {
        let (cmd_id, alert) = self.numbered("Alert");
        let missed = Element::new(SYNCML, "Item").with(located("Source", uri));
        self.elements.push(alert.with(text("Data", "1225")).with(missed));
        self.sent.push(Sent { cmd_id, name: "Alert", parts: vec![Part::default()] });
    }

    /// Appends Alert 1223, by which the session ends.
    fn abort(&mut self) {
        let (_, alert) = self.numbered("Alert");
        self.elements.push(alert.with(text("Data", "1223")));
    }

    /// Appends a command of the script.
    pub(crate) fn command(&mut self, command: &Command) {
        if matches!(command.verb, Verb::Abort) {
            return self.abort();
        }
        let element = self.build(command);
        self.elements.push(element);
    }

    fn build(&mut self, command: &Command) -> Element {
        let items = match &command.verb {
            Verb::Items(items) => items,
            _ => std::slice::from_ref(command),
        };
        let name = items.first().map_or("", |item| name_of(&item.verb));
        let (cmd_id, element) = self.numbered(name);
        let parts = items.iter().map(Part::of).collect();
        self.sent.push(Sent { cmd_id, name, parts });
        let at_command =
            |item: &Command| item.verb.write().filter(|write| write.command_meta).and_then(meta_of);
        let element = extend(element, items.iter().find_map(at_command));
        let correlator = items.first().and_then(|item| match &item.verb {
            Verb::Exec { correlator, .. } => correlator.as_deref(),
            _ => None,
        });
        let element = extend(element, correlator.map(|found| text("Correlator", found)));
        items.iter().fold(element, |element, item| self.content(element, item))
    }

    /// The element with what one item, or one container, has in it.
    fn content(&mut self, element: Element, command: &Command) -> Element {
        match &command.verb {
            Verb::Get { uri, .. } | Verb::Delete { uri } => element.with(item(uri)),
            Verb::Add(write)
            | Verb::Replace(write)
            | Verb::Put(write)
            | Verb::Exec { write, .. } => element.with(write_item(write)),
            Verb::Copy { from, to } => element.with(item(to).with(located("Source", from))),
            Verb::Alert(alert) => alert_items(element, alert),
            Verb::Atomic(children) | Verb::Sequence(children) => {
                children.iter().fold(element, |element, child| element.with(self.build(child)))
            }
            Verb::Items(_) | Verb::Break | Verb::Abort => element,
        }
    }

    /// The message; the commands in it come back for checking the answers.
    pub(crate) fn finish(self, header: &Header<'_>, is_final: bool) -> (Element, Vec<Sent>) {
        let mut body = Element::new(SYNCML, "SyncBody");
        self.elements.into_iter().for_each(|element| body.push(element));
        if is_final {
            body.push(Element::new(SYNCML, "Final"));
        }
        let message = Element::new(SYNCML, "SyncML").with(sync_hdr(header)).with(body);
        (message, self.sent)
    }
}

fn sync_hdr(header: &Header<'_>) -> Element {
    let mut source = located("Source", header.address);
    if let Some(cred) = &header.cred {
        source.push(text("LocName", cred.name));
    }
    let mut element = Element::new(SYNCML, "SyncHdr")
        .with(text("VerDTD", "1.2"))
        .with(text("VerProto", "DM/1.2"))
        .with(text("SessionID", header.session_id))
        .with(text("MsgID", &header.msg_id.to_string()))
        .with(located("Target", header.device))
        .with(source);
    if let Some(uri) = header.resp_uri {
        element.push(text("RespURI", uri));
    }
    if let Some(Cred { scheme, data: Some(data), .. }) = &header.cred {
        let meta = Element::new(SYNCML, "Meta")
            .with(meta_text("Format", "b64"))
            .with(meta_text("Type", scheme.meta_type()));
        element.push(Element::new(SYNCML, "Cred").with(meta).with(text("Data", data)));
    }
    let sizes = [("MaxMsgSize", header.max_msg_size), ("MaxObjSize", header.max_obj_size)];
    let mut meta = Element::new(SYNCML, "Meta");
    for (name, size) in sizes {
        if let Some(size) = size {
            meta.push(meta_text(name, &size.to_string()));
        }
    }
    if meta.content.is_empty() { element } else { element.with(meta) }
}

fn name_of(verb: &Verb) -> &'static str {
    match verb {
        Verb::Get { .. } => "Get",
        Verb::Add(_) => "Add",
        Verb::Replace(_) => "Replace",
        Verb::Delete { .. } => "Delete",
        Verb::Exec { .. } => "Exec",
        Verb::Copy { .. } => "Copy",
        Verb::Alert(_) => "Alert",
        Verb::Atomic(_) => "Atomic",
        Verb::Sequence(_) => "Sequence",
        Verb::Put(_) => "Put",
        Verb::Items(_) | Verb::Break | Verb::Abort => "",
    }
}

fn target_of(verb: &Verb) -> Option<&str> {
    match verb {
        Verb::Get { uri, .. } | Verb::Delete { uri } => Some(uri),
        Verb::Copy { to, .. } => Some(to),
        other => other.write().map(|write| write.uri.as_str()),
    }
}

fn alert_items(mut element: Element, alert: &Alert) -> Element {
    element.push(text("Data", &alert.code.to_string()));
    let data = [&alert.options, &alert.text].into_iter().chain(&alert.choices);
    for value in data {
        let item = Element::new(SYNCML, "Item");
        let data = (!value.is_empty()).then(|| text("Data", value));
        element.push(extend(item, data));
    }
    element
}

/// Format and Type of a value, if they are said.
fn meta_of(write: &Write) -> Option<Element> {
    let mut meta = Element::new(SYNCML, "Meta");
    for (name, value) in [("Format", &write.format), ("Type", &write.mime)] {
        if let Some(value) = value {
            meta.push(meta_text(name, value));
        }
    }
    (!meta.content.is_empty()).then_some(meta)
}

fn write_item(write: &Write) -> Element {
    let own = if write.command_meta { None } else { meta_of(write) };
    let size = write.size.map(|size| meta_text("Size", &size.to_string()));
    let meta = match (own, size) {
        (own, None) => own,
        (own, Some(size)) => Some(own.unwrap_or_else(|| Element::new(SYNCML, "Meta")).with(size)),
    };
    let data = write.value.as_ref().map(|value| text("Data", value));
    let more = write.more.then(|| Element::new(SYNCML, "MoreData"));
    extend(extend(extend(item(&write.uri), meta), data), more)
}

fn extend(element: Element, child: Option<Element>) -> Element {
    match child {
        Some(child) => element.with(child),
        None => element,
    }
}

fn item(target: &str) -> Element {
    Element::new(SYNCML, "Item").with(located("Target", target))
}

fn located(name: &'static str, uri: &str) -> Element {
    Element::new(SYNCML, name).with(text("LocURI", uri))
}

fn text(name: &'static str, value: &str) -> Element {
    Element::text(SYNCML, name, value)
}

fn meta_text(name: &'static str, value: &str) -> Element {
    Element::text(METINF, name, value)
}
