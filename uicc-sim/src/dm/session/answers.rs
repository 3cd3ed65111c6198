//! What the terminal's messages hold: header, answers, commands of its own.

use super::super::incoming::{Command as Received, Message};
use super::super::log::Log;
use super::super::outgoing::Answer;
use super::super::results::Owed;
use super::{Context, Session, answer_to};

impl Session {
    pub(super) fn check_header(&mut self, message: &Message, ctx: &mut Context<'_>) {
        let header = &message.header;
        let log = &mut *ctx.log;
        let failed = std::mem::take(&mut self.failed);
        if self.last_received == 0 {
            self.device = header.source.clone();
            if self.origin.forbidden {
                self.fail(log, "begins after a notification that had to be ignored");
            }
            if header.source.is_empty() {
                self.fail(log, "SyncHdr without Source");
            }
        }
        self.expect(log, "VerDTD", &header.ver_dtd, "1.2");
        self.expect(log, "VerProto", &header.ver_proto, "DM/1.2");
        let (address, device) = (self.address.clone(), self.device.clone());
        self.expect(log, "Target of SyncHdr", &header.target, &address);
        self.expect(log, "Source of SyncHdr", &header.source, &device);
        self.last_received += 1;
        let counted = self.last_received.to_string();
        self.expect(log, "MsgID", &header.msg_id, &counted);
        self.check_ids(message, log);
        if !self.failed {
            self.note(log, &format!("message {counted}: header and command ids"));
        }
        self.failed |= failed;
    }

    fn check_ids(&mut self, message: &Message, log: &mut Log) {
        let mut seen: Vec<&str> = Vec::new();
        for command in &message.commands {
            let id = command.cmd_id.as_str();
            if id.is_empty() || id == "0" || seen.contains(&id) {
                self.fail(log, &format!("CmdID {id:?} of {} is not unique", command.name));
            }
            if command.has_cred {
                self.fail(log, &format!("credentials inside {}", command.name));
            }
            seen.push(id);
        }
        let first = message.commands.iter().find(|command| command.name == "Status");
        if self.last_sent > 0 && first.is_none_or(|status| status.cmd_ref != "0") {
            self.fail(log, "the first Status is not the one for SyncHdr");
        }
    }

    pub(super) fn take_status(&mut self, status: &Received, ctx: &mut Context<'_>) {
        let found = self.owed.iter().position(|owed| {
            Some(owed.msg_id.to_string()) == status.msg_ref
                && owed.cmd_id.to_string() == status.cmd_ref
        });
        let (Some(index), Ok(code)) = (found, status.code.parse::<u16>()) else {
            return self.unexpected_status(status, ctx.log);
        };
        let mut owed = std::mem::take(&mut self.owed);
        let same_message = owed.get(index).map(|owed| owed.msg_id);
        let mut later = owed.iter().skip(index + 1);
        if later.any(|owed| Some(owed.msg_id) == same_message && owed.is_answered()) {
            self.fail(ctx.log, &format!("Status for {} out of order", status.answered));
        }
        if status.cmd_ref == "0" {
            self.take_header_status(status, code, ctx);
        }
        if let Some(entry) = owed.get_mut(index) {
            self.judge_status(entry, status, code, ctx.log);
        }
        self.owed = owed;
    }

    fn judge_status(&mut self, entry: &mut Owed, status: &Received, code: u16, log: &mut Log) {
        let mut faults = entry.status(status, code);
        // While the server's own credentials are refused, every command shares that code.
        if self.refusals > 0 {
            faults = if matches!(code, 401 | 407) {
                Vec::new()
            } else {
                vec![format!("{}: Status {code} though credentials were refused", entry.label())]
            };
        }
        if faults.is_empty() {
            self.note(log, &format!("{}: Status {code}", entry.label()));
        }
        faults.iter().for_each(|fault| self.fail(log, fault));
    }

    fn unexpected_status(&mut self, status: &Received, log: &mut Log) {
        let text = format!(
            "Status {} for message {:?} command {} ({}) that was not sent",
            status.code, status.msg_ref, status.cmd_ref, status.answered
        );
        self.fail(log, &text);
    }

    pub(super) fn take_command(
        &mut self,
        command: &Received,
        ctx: &mut Context<'_>,
    ) -> Option<Answer> {
        let msg_id = self.last_received;
        match (command.name, command.code.as_str()) {
            ("Status", _) => {
                self.take_status(command, ctx);
                None
            }
            ("Results", _) => self.take_results(command, ctx),
            ("Alert", "1223") => {
                let refused = self.origin.wrong_credentials && self.refusals > 0;
                self.judge(ctx.log, refused, "the terminal aborts the session");
                self.finish(ctx.log);
                None
            }
            ("Alert", code @ ("1200" | "1201")) => {
                match &mut self.setup {
                    Some(setup) => setup.alert(code),
                    None => self.fail(ctx.log, &format!("Alert {code} behind package 1")),
                }
                Some(answer_to(command, msg_id, 200))
            }
            ("Replace", _) => {
                match &mut self.setup {
                    Some(setup) => setup.replace(command),
                    None => self.fail(ctx.log, "Replace behind package 1"),
                }
                Some(answer_to(command, msg_id, 200))
            }
            ("Alert", "1222") => Some(answer_to(command, msg_id, 200)),
            ("Alert", "1225") => {
                self.take_no_end(command, ctx.log);
                Some(answer_to(command, msg_id, 200))
            }
            ("Alert", code) if is_event(code) => {
                let fault = event_fault(command);
                let correlator = command.correlator.as_deref().unwrap_or("none");
                let text = format!("Alert {} is complete, correlator {correlator}", command.code);
                self.check(ctx.log, !fault, &text);
                Some(answer_to(command, msg_id, if fault { 412 } else { 200 }))
            }
            (name, code) => {
                self.fail(ctx.log, &format!("a terminal may not send {name} {code}"));
                Some(answer_to(command, msg_id, 405))
            }
        }
    }

    /// The terminal misses the end of a value.
    fn take_no_end(&mut self, alert: &Received, log: &mut Log) {
        let target = alert.items.first().and_then(|item| item.target.as_deref());
        let at = self.broken_off.iter().position(|uri| Some(uri.as_str()) == target);
        let text = format!("the terminal misses the end of {target:?}");
        self.judge(log, at.is_some(), &text);
        if let Some(at) = at {
            self.broken_off.remove(at);
        }
    }

    fn take_results(&mut self, results: &Received, ctx: &mut Context<'_>) -> Option<Answer> {
        let msg_ref = results.msg_ref.as_deref().unwrap_or("1");
        let mut owed = std::mem::take(&mut self.owed);
        let entry = owed.iter_mut().find(|owed| {
            owed.msg_id.to_string() == msg_ref && owed.cmd_id.to_string() == results.cmd_ref
        });
        let (code, label, faults) = match entry {
            Some(entry) => {
                let (code, faults) = entry.results(results);
                (code, entry.label(), faults)
            }
            None => (400, String::new(), vec!["Results for nothing that was sent".to_owned()]),
        };
        self.owed = owed;
        if faults.is_empty() {
            self.note(ctx.log, &format!("{label}: Results as wanted"));
        }
        faults.iter().for_each(|fault| self.fail(ctx.log, fault));
        // Results are answered only when there is more to say than 200.
        (code != 200).then(|| answer_to(results, self.last_received, code))
    }
}

/// Alert 1224, a client event, or 1226, a generic alert.
pub(super) fn is_event(code: &str) -> bool {
    matches!(code, "1224" | "1226")
}

/// Whether an event or generic alert lacks something that it has to have.
fn event_fault(alert: &Received) -> bool {
    let generic = alert.code == "1226";
    let wrong = alert.items.iter().any(|item| {
        let mime = item.mime.as_deref().unwrap_or_default();
        // The types of SCOMO are registered as they are.
        let named = ["Content-Type:", "Reversed-Domain-Name:", "urn:oma:at:"]
            .iter()
            .any(|begin| mime.starts_with(begin));
        item.format.is_none() || item.data.is_none() || mime.is_empty() || (generic && !named)
    });
    alert.items.is_empty() || wrong
}
