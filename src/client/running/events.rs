//! What the engine tells of a session, as the host hears it.

use super::{Phase, Running};
use crate::error::{Code, Error};
use crate::event::{Event, EventKind};
use crate::session::SessionEvent;

impl Running {
    pub(super) fn event(&self, event: SessionEvent) -> Option<Event> {
        let new = |kind| Event::new(kind).session(self.wanted.id).slot(self.slot);
        Some(match event {
            SessionEvent::PackageSent { msg_id, .. } => {
                let uri = match &self.phase {
                    Phase::Exchange(post) => Some(post.letter.request.uri.clone()),
                    _ => None,
                };
                Event { phase: msg_id, uri, ..new(EventKind::PackageSent) }
            }
            SessionEvent::PackageReceived { number, .. } => {
                Event { phase: number, ..new(EventKind::PackageReceived) }
            }
            SessionEvent::CommandDone { command, uri, status } => Event {
                phase: status.into(),
                uri,
                data: command.into_owned().into_bytes(),
                ..new(EventKind::CommandDone)
            },
            SessionEvent::AlertAnswered { number, status } => {
                let event = self.alert_done(number);
                let event = match status {
                    200..300 => event,
                    _ => {
                        let text = format!("the server answered the alert with {status}");
                        event.failed(&Error::new(Code::Refused, text))
                    }
                };
                Event { phase: status.into(), ..event }
            }
            SessionEvent::AlertNotSent { number } => {
                let text = "the alert is larger than the server takes";
                self.alert_done(number).failed(&Error::new(Code::TooLarge, text))
            }
            _ => return None,
        })
    }

    fn alert_done(&self, number: u64) -> Event {
        let event = Event::new(EventKind::AlertDone).session(self.wanted.id).slot(self.slot);
        Event { number, ..event.uri(self.wanted.server_id.clone()) }
    }
}
