//! Protocol tests: a server's messages as text in, the client's messages as lines out.

mod alerts;
mod commands;
mod consent;
mod groups;
mod hostile;
mod large;
mod model;
mod packages;
mod reads;
mod security;
mod streams;
mod survival;
mod users;
mod vault;

use super::*;
use crate::markup::{DocType, Event, Options, Reader, Writer};
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::syncml;
use crate::syncml::model::{Command, Item, Message, Meta};
use crate::tree::dmacc::{self, Credential, Level, NewAccount};
use crate::tree::{self, Actor, Content, DeviceInfo, Query, Tree, Uri, install};
use std::sync::Arc;

pub(super) const NOW: Now = Now { mono_ms: 0, unix_s: 994_869_497 };
/// Address of the session.
pub(super) const ADDRESS: &str = "http://dm.example:8080/dm";

const DEVICE: DeviceInfo<'static> = DeviceInfo {
    dev_id: "IMEI:493005100592800",
    man: "Maker",
    model: "One",
    dm_v: "1.2.1",
    lang: "en",
    dev_typ: "phone",
    oem: "Maker",
    fw_v: "1",
    sw_v: "2",
    hw_v: "3",
};

/// Octets that count up.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            *octet = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// Credentials of one side: type, name, secret, nonce.
pub(super) fn credential(auth_type: &str, name: &str, secret: &str, nonce: &str) -> Credential {
    Credential {
        auth_type: auth_type.into(),
        name: name.into(),
        secret: crate::secret::Secret::new(secret),
        nonce: crate::secret::Secret::new(nonce),
    }
}

/// The standard objects, the account of S1 with these credentials, and ./Lab where everything is allowed.
fn fill(db: &Database, client: Option<Credential>, server: Option<Credential>) {
    let mut txn = db.begin().unwrap();
    install(&mut txn, &DEVICE, NOW).unwrap();
    let credentials = [(Level::Client, client), (Level::Server, server)];
    let credentials = credentials.into_iter().filter_map(|(level, one)| Some((level, one?)));
    let account = NewAccount {
        server_id: "S1".into(),
        credentials: credentials.collect(),
        ..NewAccount::default()
    };
    let mut tree = Tree::new(&mut txn, Actor::Host, NOW);
    dmacc::create(&mut tree, &account).unwrap();
    tree.add(&at("./Lab"), &Content::interior("").into()).unwrap();
    let acl = Content::text("Add=*&Get=*&Replace=*&Delete=*&Exec=*");
    tree.replace(&at("./Lab?prop=ACL"), &acl).unwrap();
    txn.commit().unwrap();
}

/// A client with a tree, and the server's side of its session.
pub(super) struct Bench {
    pub(super) db: Database,
    pub(super) engine: Option<Engine>,
    pub(super) setup: Option<Setup>,
    encoding: Encoding,
    random: Counting,
    server_msg: u32,
    /// The last message of the client.
    pub(super) sent: Option<Outgoing>,
    /// Code of the server's Status for the SyncHdr.
    pub(super) login: &'static str,
    /// Elements to add to the server's SyncHdr.
    pub(super) header: String,
    pub(super) hmac: Option<String>,
}

impl Bench {
    /// A session to a server whose identity the transport proves.
    pub(super) fn new(encoding: Encoding) -> Self {
        Self::with(encoding, None, None)
    }

    /// A session with these credentials of client and server.
    pub(super) fn with(
        encoding: Encoding,
        client: Option<Credential>,
        server: Option<Credential>,
    ) -> Self {
        Self::on(Arc::new(MemoryStore::new()), encoding, client, server)
    }

    /// The same with what is in this store; an empty one is filled first.
    pub(super) fn on(
        store: Arc<dyn Store>,
        encoding: Encoding,
        client: Option<Credential>,
        server: Option<Credential>,
    ) -> Self {
        let db = Database::new(store).unwrap();
        let trusted_transport = server.is_none();
        if dmacc::find(&db.read().unwrap(), "S1").unwrap().is_none() {
            fill(&db, client, server);
        }
        let policy = Arc::new(Policy::read("[[rules]]\naction = \"allow\"").unwrap());
        let setup = Setup {
            number: 7,
            authority: Authority { policy, origin: crate::policy::Origin::Remote },
            account: dmacc::find(&db.read().unwrap(), "S1").unwrap().unwrap(),
            address: ADDRESS.into(),
            session_id: 0x1234,
            cause: Cause::ClientInitiated,
            encoding,
            max_msg_size: 16 * 1024,
            max_obj_size: 10_000,
            large_objects: true,
            ui: true,
            exec: true,
            trusted_transport,
            require_tls: false,
            alerts: Vec::new(),
        };
        Self {
            db,
            engine: None,
            setup: Some(setup),
            encoding,
            random: Counting(0),
            server_msg: 0,
            sent: None,
            login: "200",
            header: String::new(),
            hmac: None,
        }
    }

    /// Changes the setup of the session that is not started yet.
    pub(super) fn set(mut self, change: impl FnOnce(&mut Setup)) -> Self {
        change(self.setup.as_mut().unwrap());
        self
    }

    /// The host works on the tree.
    pub(super) fn host(&mut self, work: impl FnOnce(&mut Tree<'_>)) {
        let mut txn = self.db.begin().unwrap();
        work(&mut Tree::new(&mut txn, Actor::Host, NOW));
        txn.commit().unwrap();
    }

    /// The host adds a text leaf.
    pub(super) fn leaf(&mut self, uri: &str, value: &str) {
        self.host(|tree| tree.add(&at(uri), &Content::text(value).into()).unwrap());
    }

    /// The value of a leaf, the children of an interior node, or `-`.
    pub(super) fn value(&self, uri: &str) -> String {
        let view = self.db.read().unwrap();
        match Query::new(&view, Actor::Host).with_secrets().get(&at(uri)) {
            Ok(tree::Answer::Leaf { value, .. }) => String::from_utf8_lossy(&value).into_owned(),
            Ok(tree::Answer::Children(names)) => names.join("/"),
            Ok(tree::Answer::Property(text)) => text,
            Ok(other) => panic!("{other:?}"),
            Err(_) => "-".to_owned(),
        }
    }

    fn context<'c>(db: &'c Database, random: &'c mut Counting) -> Context<'c> {
        Context { db, now: NOW, random }
    }

    /// Starts the session; the lines of package 1.
    pub(super) fn start(&mut self) -> Vec<String> {
        let step = self.try_start().unwrap();
        self.lines(step)
    }

    pub(super) fn try_start(&mut self) -> Result<Step, Error> {
        let setup = self.setup.take().unwrap();
        let (engine, step) = Engine::start(setup, Self::context(&self.db, &mut self.random))?;
        self.engine = Some(engine);
        Ok(step)
    }

    /// A started session.
    pub(super) fn started(mut self) -> Self {
        self.start();
        self
    }

    pub(super) fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().unwrap()
    }

    /// MsgID of the client's last message.
    pub(super) fn msg_ref(&self) -> String {
        self.message().header.msg_id.into_owned()
    }

    /// The server's message around `body`.
    pub(super) fn frame(&mut self, body: &str) -> String {
        self.server_msg += 1;
        let status = match self.login {
            "" => String::new(),
            code => format!(
                "<Status><CmdID>1</CmdID><MsgRef>{}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>\
                 {code}</Status>",
                self.msg_ref(),
                code = data_or_more(code),
            ),
        };
        format!(
            "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2\
             </VerProto><SessionID>1234</SessionID><MsgID>{}</MsgID><Target><LocURI>\
             IMEI:493005100592800</LocURI></Target><Source><LocURI>{ADDRESS}</LocURI></Source>{}\
             </SyncHdr><SyncBody>{status}{body}</SyncBody></SyncML>",
            self.server_msg, self.header
        )
    }

    /// Octets of a message in the encoding of the session, element for element.
    pub(super) fn encode(&self, text: &str) -> Vec<u8> {
        if self.encoding == Encoding::Xml {
            return text.as_bytes().to_vec();
        }
        let mut reader = Reader::new(text.as_bytes(), &Options::default()).unwrap();
        let mut writer = Writer::new(DocType::SyncMl, Encoding::Wbxml);
        loop {
            match reader.next().unwrap() {
                Event::Finish => return writer.finish().unwrap(),
                event => writer.event(&event),
            }
        }
    }

    /// The server sends this message.
    pub(super) fn give_text(&mut self, text: &str) -> Result<Step, Error> {
        let octets = self.encode(text);
        self.give_octets(&octets)
    }

    /// The server sends `body`; what the engine makes of it.
    pub(super) fn give(&mut self, body: &str) -> Result<Step, Error> {
        let text = self.frame(body);
        self.give_text(&text)
    }

    pub(super) fn give_octets(&mut self, octets: &[u8]) -> Result<Step, Error> {
        let context = Self::context(&self.db, &mut self.random);
        let hmac = self.hmac.as_deref();
        let step = self.engine.as_mut().unwrap().receive(context, octets, hmac)?;
        if let Step::Send(outgoing) = &step {
            self.sent = Some(outgoing.clone());
        }
        Ok(step)
    }

    /// The server sends commands and Final; the lines of the reply.
    pub(super) fn say(&mut self, commands: &str) -> Vec<String> {
        self.say_more(&format!("{commands}<Final/>"))
    }

    /// The same without Final.
    pub(super) fn say_more(&mut self, body: &str) -> Vec<String> {
        let step = self.give(body).unwrap();
        self.lines(step)
    }

    pub(super) fn answer(&mut self, answer: Answer) -> Vec<String> {
        let context = Self::context(&self.db, &mut self.random);
        let step = self.engine.as_mut().unwrap().answer(context, answer).unwrap();
        self.lines(step)
    }

    pub(super) fn executed(&mut self, status: Status) -> Vec<String> {
        let context = Self::context(&self.db, &mut self.random);
        let step = self.engine.as_mut().unwrap().executed(context, status).unwrap();
        self.lines(step)
    }

    pub(super) fn abort(&mut self, why: &Error) -> Vec<String> {
        let context = Self::context(&self.db, &mut self.random);
        match self.engine.as_mut().unwrap().abort(context, why) {
            Some(outgoing) => self.lines(Step::Send(outgoing)),
            None => vec!["nothing".into()],
        }
    }

    /// The client's last message, decoded.
    pub(super) fn message(&self) -> Message<'static> {
        let body = &self.sent.as_ref().unwrap().body;
        let (message, encoding) = syncml::read(body).unwrap();
        assert_eq!(encoding, self.encoding);
        message.into_owned()
    }

    pub(super) fn lines(&mut self, step: Step) -> Vec<String> {
        match step {
            Step::Send(outgoing) => {
                self.sent = Some(outgoing);
                lines(&self.message())
            }
            Step::Consent(alert) => {
                let (patience, lines) =
                    (alert.max_display_s.unwrap_or(0), alert.choices.join(", "));
                vec![format!("Consent {} [{lines}] {patience}", alert.text)]
            }
            Step::Ask(alert) => vec![format!("Ask {:?} {}", alert.kind, alert.text)],
            Step::Execute(execution) => {
                let argument = execution.argument.map(|octets| String::from_utf8(octets).unwrap());
                vec![format!("Execute {} {argument:?} {:?}", execution.uri, execution.correlator)]
            }
            Step::Done => vec!["Done".into()],
        }
    }
}

fn data_or_more(code: &str) -> String {
    match code.strip_prefix('<') {
        Some(_) => code.to_owned(),
        None => format!("<Data>{code}</Data>"),
    }
}

pub(super) fn at(uri: &str) -> Uri {
    Uri::parse(uri).unwrap()
}

/// The session runs the same in both encodings.
pub(super) fn both(mut test: impl FnMut(Encoding)) {
    test(Encoding::Xml);
    test(Encoding::Wbxml);
}

/// The commands of a message, one a line, and Final. CmdIDs are checked and left out.
pub(super) fn lines(message: &Message<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (command, number) in message.commands.iter().zip(1..) {
        let (id, line) = line(command);
        assert_eq!(id, number.to_string(), "CmdID of {line}");
        lines.push(line);
    }
    if message.is_final {
        lines.push("Final".into());
    }
    lines
}

fn line(command: &Command<'_>) -> (String, String) {
    match command {
        Command::Status(status) => {
            let mut line = format!(
                "Status {}/{} {} {}",
                status.msg_ref, status.cmd_ref, status.cmd, status.code
            );
            if status.cmd != "SyncHdr" {
                status.target_refs.iter().for_each(|uri| line += &format!(" {uri}"));
                status.source_refs.iter().for_each(|uri| line += &format!(" from {uri}"));
            }
            if let Some(chal) = &status.chal {
                let nonce = chal.next_nonce().unwrap_or("-");
                line += &format!(" chal {} {nonce}", chal.mime.as_deref().unwrap());
            }
            status.items.iter().for_each(|one| line += &item(one));
            (status.cmd_id.to_string(), line)
        }
        Command::Results(results) => {
            let message = results.msg_ref.as_deref().unwrap();
            let mut line = format!("Results {message}/{}", results.cmd_ref);
            results.items.iter().for_each(|one| line += &item(one));
            (results.cmd_id.to_string(), line)
        }
        Command::Alert(alert) => {
            let mut line = format!("Alert {}", alert.code.unwrap());
            if let Some(correlator) = &alert.correlator {
                line += &format!(" correlator {correlator}");
            }
            alert.items.iter().for_each(|one| line += &item(one));
            (alert.cmd_id.to_string(), line)
        }
        Command::Action(action) => {
            let mut line = action.verb.name().to_owned();
            action.items.iter().for_each(|one| line += &item(one));
            (action.cmd_id.to_string(), line)
        }
        other => panic!("the client may not send {other:?}"),
    }
}

fn item(item: &Item<'_>) -> String {
    let mut text = " |".to_owned();
    if let Some(target) = &item.target {
        text += &format!(" to {}", target.uri);
    }
    if let Some(source) = &item.source {
        text += &format!(" {}", source.uri);
    }
    text += &meta(&item.meta);
    if let Some(data) = &item.data {
        text += &match data.octets.len() {
            0..=200 => format!(" = {}", String::from_utf8_lossy(&data.octets)),
            octets => format!(" = {octets} octets"),
        };
    }
    if item.more_data {
        text += " ...";
    }
    text
}

fn meta(meta: &Meta<'_>) -> String {
    let mut text = String::new();
    let texts = [meta.format.as_deref(), meta.mime.as_deref(), meta.mark()];
    for value in texts.into_iter().flatten() {
        text += &format!(" [{value}]");
    }
    if let Some(size) = meta.size {
        text += &format!(" size {size}");
    }
    text
}

/// A command with one item: name, CmdID, target, and more of the item.
pub(super) fn command(name: &str, id: u32, uri: &str, rest: &str) -> String {
    format!(
        "<{name}><CmdID>{id}</CmdID><Item><Target><LocURI>{uri}</LocURI></Target>{rest}</Item>\
         </{name}>"
    )
}

pub(super) fn get(id: u32, uri: &str) -> String {
    command("Get", id, uri, "")
}

pub(super) fn add(id: u32, uri: &str, value: &str) -> String {
    command("Add", id, uri, &format!("<Data>{value}</Data>"))
}

pub(super) fn replace(id: u32, uri: &str, value: &str) -> String {
    command("Replace", id, uri, &format!("<Data>{value}</Data>"))
}

pub(super) fn copy(id: u32, from: &str, to: &str) -> String {
    let source = format!("<Source><LocURI>{from}</LocURI></Source>");
    command("Copy", id, to, &source)
}

pub(super) fn delete(id: u32, uri: &str) -> String {
    command("Delete", id, uri, "")
}

pub(super) fn group(name: &str, id: u32, commands: &[String]) -> String {
    format!("<{name}><CmdID>{id}</CmdID>{}</{name}>", commands.concat())
}

pub(super) fn alert(id: u32, code: u16, texts: &[&str]) -> String {
    let items: String =
        texts.iter().map(|text| format!("<Item><Data>{text}</Data></Item>")).collect();
    format!("<Alert><CmdID>{id}</CmdID><Data>{code}</Data>{items}</Alert>")
}

/// A Meta with these metinf elements, written `Name=value`.
pub(super) fn metinf(fields: &[&str]) -> String {
    let fields: String = fields
        .iter()
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap();
            format!("<{name} xmlns='syncml:metinf'>{value}</{name}>")
        })
        .collect();
    format!("<Meta>{fields}</Meta>")
}
