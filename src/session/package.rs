//! The client's messages: header, package 1, and what closes a package
//! (DM Protocol 1.2.1, 8; DM Representation Protocol 1.2.1, 5).

use super::engine::Engine;
use super::filling::Filling;
use super::outbox::Purpose;
use super::run::Run;
use super::{Cause, Outgoing, SessionEvent, Step};
use crate::error::{Code, Error, Result};
use crate::random::Random;
use crate::store::Reader;
use crate::syncml::model::{
    Action, Alert, Command, Data, Header, Item, Location, Meta, MetaExtra, Status, Text, Verb,
};
use crate::syncml::{self, Draft, status};
use crate::tree::{Actor, Answer, Query, Refusal, Uri};

/// VerDTD of DM 1.2.
pub(super) const VER_DTD: &str = "1.2";
/// VerProto of DM 1.2.
pub(super) const VER_PROTO: &str = "DM/1.2";
/// Octets of the Status of the SyncHdr with a challenge and of the Status of an Alert 1222, at most
/// and without their references.
const HEADER_STATUS: usize = 600;
/// Octets besides the header below which a message does without what is optional.
const NARROW: usize = 1024;
/// The leaves of `./DevInfo` that package 1 tells.
const DEV_INFO: [&str; 5] = ["DevId", "Man", "Mod", "DmV", "Lang"];

/// The device as package 1 tells it.
#[derive(Debug)]
pub(super) struct Device {
    /// URI and value of each leaf of DevInfo.
    leaves: Vec<(String, String)>,
}

impl Device {
    /// Reads `./DevInfo`. Errors: `State` without DevId.
    pub(super) fn read(reader: &dyn Reader) -> Result<Self> {
        let query = Query::new(reader, Actor::Host);
        let mut leaves = Vec::new();
        for name in DEV_INFO {
            let uri = format!("./DevInfo/{name}");
            match query.get(&Uri::parse(&uri)?) {
                Ok(Answer::Leaf { value, .. }) => {
                    let value = String::from_utf8(value).map_err(|_| broken(&uri))?;
                    leaves.push((uri, value));
                }
                Ok(_) => return Err(broken(&uri)),
                Err(Refusal::NotFound) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        let device = Self { leaves };
        if device.id().is_empty() {
            return Err(broken("./DevInfo/DevId"));
        }
        Ok(device)
    }

    /// DevId.
    fn id(&self) -> &str {
        match self.leaves.first() {
            Some((uri, value)) if uri == "./DevInfo/DevId" => value,
            _ => "",
        }
    }
}

fn broken(uri: &str) -> Error {
    Error::new(Code::State, format!("session: the tree has no text in {uri}"))
}

/// A message of the server that has to be answered.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) msg_id: String,
    pub(super) target: String,
    pub(super) source: String,
    /// Status of the SyncHdr if it is not that of the authentication.
    pub(super) status: Option<status::Status>,
}

/// A command that the server may refer to.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) msg_id: u32,
    pub(super) cmd_id: u32,
    pub(super) purpose: Purpose,
}

/// How much of what waits goes into a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// As much as fits.
    Everything,
    /// Nothing but Status elements.
    Statuses,
    /// Status elements as far as they fit, and the session's abort.
    Abort,
}

impl Engine {
    /// Queues the commands of package 1.
    pub(super) fn queue_login(&mut self) {
        self.outbox.remove(|purpose| !matches!(purpose, Purpose::Reply));
        let code = match self.facts.cause {
            Cause::ServerInitiated => status::ALERT_SERVER_INITIATED,
            Cause::ClientInitiated => status::ALERT_CLIENT_INITIATED,
        };
        self.outbox.push(alert(code), Purpose::Login);
        let items = self.facts.device.leaves.iter().map(|(uri, value)| Item {
            source: Some(Location { uri: uri.clone().into(), name: None }),
            data: Some(Data::text(value.clone())),
            ..Item::default()
        });
        let replace = Action {
            verb: Verb::Replace,
            cmd_id: "".into(),
            meta: None,
            correlator: None,
            items: items.collect(),
        };
        self.outbox.push(Command::Action(replace), Purpose::Login);
        for alert in &self.alerts {
            let command = Command::Alert(alert.command(self.facts.encoding));
            self.outbox.push(command, Purpose::HostAlert(alert.number()));
        }
    }

    fn header(&self) -> Header<'_> {
        let name = self.login.name().map(|name| Box::new(name.into()));
        let announced = MetaExtra {
            max_msg_size: Some(self.facts.max_msg_size),
            max_obj_size: Some(self.facts.max_obj_size),
            ..MetaExtra::default()
        };
        Header {
            ver_dtd: VER_DTD.into(),
            ver_proto: VER_PROTO.into(),
            session_id: self.facts.session_id.as_str().into(),
            msg_id: syncml::number_text(self.msg_id),
            target: Location { uri: self.uri.as_str().into(), name: None },
            source: Location { uri: self.facts.device.id().into(), name },
            resp_uri: None,
            cred: self.login.cred(),
            meta: Meta { extra: Some(Box::new(announced)), ..Meta::default() },
        }
    }

    /// Status for the SyncHdr of the server's message.
    fn header_status(&mut self, random: &mut dyn Random) -> Option<Status<'static>> {
        let answering = self.answering.take()?;
        Some(Status {
            msg_ref: answering.msg_id.into(),
            cmd_ref: "0".into(),
            cmd: "SyncHdr".into(),
            target_refs: Text::from(answering.target).into(),
            source_refs: Text::from(answering.source).into(),
            chal: self.guard.challenge(random).map(Box::new),
            code: answering.status.unwrap_or(self.guard.status()),
            ..Status::default()
        })
    }

    /// Octets that Results may have in the reply if they come alone, a little underestimated.
    pub(super) fn room(&self) -> usize {
        // The next header differs from the last one by its MsgID and, after a RespURI, the address.
        let envelope = self.envelope + self.uri.len() + 16;
        let answering = self.answering.as_ref();
        let status = answering.map_or(0, |one| one.target.len() + one.source.len()) + HEADER_STATUS;
        self.max_msg_size.saturating_sub(envelope + status)
    }

    /// Makes the next message, or ends the session if there is nothing to say. `run` is the one that was
    /// [`report`](Self::report)ed.
    ///
    /// Errors: `TooLarge` if not even one Status fits in the server's MaxMsgSize.
    pub(super) fn send(
        &mut self,
        random: &mut dyn Random,
        extent: Extent,
        run: Option<Run<'_>>,
    ) -> Result<Step> {
        if self.has_nothing_to_say(extent, run.as_ref()) {
            return self.ending.take().map_or(Ok(Step::Done), Err);
        }
        self.msg_id += 1;
        let mut filling = self.open(random)?;
        let closes = self.fill(&mut filling, extent, run)?;
        let Filling { draft, sent, dropped, .. } = filling;
        self.note_sent(sent, dropped);
        // What there was to say was too large for any message.
        if closes && matches!(extent, Extent::Everything) && draft.commands() == 1 {
            return Ok(Step::Done);
        }
        let body = draft.finish(closes)?;
        if body.len() > self.max_msg_size {
            return Err(too_small(self.max_msg_size));
        }
        self.may_close &= !closes;
        let (msg_id, octets) = (self.msg_id, body.len());
        self.events.push(SessionEvent::PackageSent { msg_id, octets, is_final: closes });
        let (hmac, mime) = (self.login.header(&body), self.facts.encoding.mime());
        Ok(Step::Send(Outgoing { uri: self.uri.clone(), body, mime, hmac }))
    }

    /// The rule for the end of a session: no message of the SyncHdr's Status alone.
    fn has_nothing_to_say(&self, extent: Extent, run: Option<&Run<'_>>) -> bool {
        let has_statuses = run.is_some_and(Run::has_statuses) || self.outbox.has_statuses();
        match extent {
            Extent::Everything => self.may_close && !has_statuses && self.outbox.is_empty(),
            Extent::Statuses => !has_statuses,
            Extent::Abort => false,
        }
    }

    /// A message with the SyncHdr's Status, and the room that is left in it.
    fn open(&mut self, random: &mut dyn Random) -> Result<Filling> {
        let encoding = self.facts.encoding;
        let mut status = self.header_status(random);
        let mut header = self.header();
        let mut draft = Draft::new(&header, encoding);
        if self.msg_id > 1 && self.max_msg_size < draft.envelope(true) + NARROW {
            // What may be left out makes room; the sizes were announced before.
            header.meta = Meta::default();
            if let Some(status) = &mut status {
                status.target_refs.clear();
                status.source_refs.clear();
            }
            draft = Draft::new(&header, encoding);
        }
        self.envelope = draft.envelope(true);
        let room = self.max_msg_size.checked_sub(self.envelope);
        let mut filling = Filling::new(draft, encoding, room.ok_or(too_small(self.max_msg_size))?);
        if status.is_none_or(|status| filling.open(status)) {
            Ok(filling)
        } else {
            Err(too_small(self.max_msg_size))
        }
    }

    /// Fills the message; true if it closes the client's package.
    fn fill(
        &mut self,
        filling: &mut Filling,
        extent: Extent,
        run: Option<Run<'_>>,
    ) -> Result<bool> {
        let last = match extent {
            Extent::Abort => Some(status::ALERT_ABORT),
            Extent::Everything if !self.may_close => Some(status::ALERT_NEXT_MESSAGE),
            _ => None,
        };
        last.into_iter().for_each(|code| filling.keep_free(alert(code)));
        let (begin, outbox) = (filling.commands(), &mut self.outbox);
        outbox.fill_statuses(filling);
        if let Some(run) = run {
            run.answer(|status, left| outbox.answer(filling, status, left));
        }
        let (fits, done) = match extent {
            Extent::Everything => (outbox.fill(filling), outbox.is_empty()),
            Extent::Statuses => (true, !outbox.has_statuses()),
            Extent::Abort => (true, true),
        };
        let mut fits = fits && (done || filling.commands() > begin);
        if let Some(code) = last.filter(|_| done) {
            fits &= filling.close(alert(code));
        }
        if !fits {
            return Err(too_small(self.max_msg_size));
        }
        Ok(done && (self.may_close || matches!(extent, Extent::Abort)))
    }

    fn note_sent(&mut self, sent: Vec<(u32, Purpose)>, dropped: Vec<u64>) {
        self.sent.retain(|sent| matches!(sent.purpose, Purpose::HostAlert(_)));
        let msg_id = self.msg_id;
        let sent = sent.into_iter();
        self.sent.extend(sent.map(|(cmd_id, purpose)| Sent { msg_id, cmd_id, purpose }));
        for number in dropped {
            self.alerts.retain(|alert| alert.number() != number);
            self.events.push(SessionEvent::AlertNotSent { number });
        }
    }
}

/// An alert of the protocol itself.
fn alert(code: status::AlertCode) -> Command<'static> {
    Command::Alert(Alert { code: Some(code), ..Alert::default() })
}

fn too_small(max_msg_size: usize) -> Error {
    let what = format!("session: nothing fits in a message of {max_msg_size} octets");
    Error::new(Code::TooLarge, what)
}
