//! ENVELOPE: timer expiration and events of the web server's channel (TS 102 223 section 7).

use super::proactive::{Proactive, TIMER, timer_seconds};
use super::{DATA_AVAILABLE, Toolkit};
use crate::application::Application;
use crate::card::apdu::Sw;
use crate::card::tlv::{Ctlv, comprehension, only};

const TIMER_EXPIRATION: u8 = 0xD7;
const EVENT_DOWNLOAD: u8 = 0xD6;

impl Toolkit {
    /// ENVELOPE.
    pub(crate) fn envelope(
        &mut self,
        data: &[u8],
        application: &mut dyn Application,
    ) -> Result<(), Sw> {
        if self.busy_envelopes > 0 {
            self.busy_envelopes -= 1;
            return Err(Sw::TOOLKIT_BUSY);
        }
        if self.state.profile.is_none() {
            self.note(false, application, "ENVELOPE before TERMINAL PROFILE");
            return Err(Sw::CONDITIONS);
        }
        let parsed = only(data).and_then(|(tag, body)| Ok((tag, comprehension(body)?)));
        let outcome = match parsed {
            Ok((TIMER_EXPIRATION, tlvs)) => self.timer_expired(&tlvs, application),
            Ok((EVENT_DOWNLOAD, tlvs)) => self.event(&tlvs, application),
            // Data downloads and menus are for other applications.
            Ok(_) => return Ok(()),
            Err(text) => Err(text.into()),
        };
        outcome.map_err(|text| {
            self.note(false, application, format!("ENVELOPE: {text}"));
            Sw::DATA
        })
    }

    fn timer_expired(
        &mut self,
        tlvs: &[Ctlv<'_>],
        application: &mut dyn Application,
    ) -> Result<(), String> {
        let [devices, rest @ ..] = tlvs else { return Err("timer expiration is empty".into()) };
        from_terminal(devices)?;
        match value(rest, 0x24) {
            Some([TIMER]) if self.state.timer_running => {}
            Some([TIMER]) => return Err("a timer that does not run has expired".into()),
            _ => return Err("a timer that was never started has expired".into()),
        }
        self.state.timer_running = false;
        if self.state.fetched.is_some() {
            self.note(false, application, "timer expiration while a proactive command is open");
        }
        match value(rest, 0x25).and_then(timer_seconds) {
            Some(elapsed) if elapsed >= self.config.timer_seconds => {
                self.note(true, application, "timer expired");
            }
            Some(elapsed) => {
                let wanted = self.config.timer_seconds;
                let text = format!("timer of {wanted} s expired after {elapsed} s");
                self.note(false, application, text);
            }
            None => self.note(false, application, "timer expiration without a timer value"),
        }
        self.trigger(application);
        Ok(())
    }

    fn event(
        &mut self,
        tlvs: &[Ctlv<'_>],
        application: &mut dyn Application,
    ) -> Result<(), String> {
        let [Ctlv { tag: 0x19, value: [event], .. }, devices, rest @ ..] = tlvs else {
            return Err(
                "an event download has to begin with one event and device identities".into()
            );
        };
        from_terminal(devices)?;
        if !self.state.events.contains(event) {
            return Err(format!("event {event:02X} is not in the event list"));
        }
        let Some(&[status, more]) = value(rest, 0x38) else {
            return Err(format!("event {event:02X} without a channel status"));
        };
        let server = self.state.server.as_ref();
        if server.is_none_or(|server| server.channel != status & 0x07) {
            return Err(format!("event {event:02X} for a channel that is not open"));
        }
        if *event == DATA_AVAILABLE {
            self.data_available(status, value(rest, 0x37))
        } else {
            self.channel_status(status & 0xF8, more, application)
        }
    }

    fn data_available(&mut self, status: u8, length: Option<&[u8]>) -> Result<(), String> {
        let Some(server) = &mut self.state.server else { return Ok(()) };
        match length {
            Some([0]) => return Err("data available, but their length is 0".into()),
            Some([_]) => {}
            _ => return Err("data available without a channel data length".into()),
        }
        if !server.established {
            return Err("data available on a connection that is not established".into());
        }
        if status & 0xF8 != 0x80 {
            return Err(format!("data available with channel status {status:02X}"));
        }
        if server.unread {
            return Err("data available again, though the buffer was not empty".into());
        }
        server.unread = true;
        self.state.queue.push_back(Proactive::Receive { channel: server.channel });
        Ok(())
    }

    fn channel_status(
        &mut self,
        state: u8,
        more: u8,
        application: &mut dyn Application,
    ) -> Result<(), String> {
        let Some(server) = &mut self.state.server else { return Ok(()) };
        match (state, more) {
            (0x80, 0x00) if server.established => {
                self.connection_lost(application);
                if let Some(server) = &mut self.state.server {
                    server.established = true;
                }
                Err("ESTABLISHED, but the former connection was not reported closed".into())
            }
            (0x80, 0x00) => {
                // What the former client sent last is out of reach now.
                let unread = std::mem::take(&mut server.unread);
                server.established = true;
                if unread {
                    self.state.queue.retain(|c| !matches!(c, Proactive::Receive { .. }));
                    self.all_read(application);
                }
                Ok(())
            }
            (0x40, 0x00) => {
                self.connection_lost(application);
                Ok(())
            }
            (0x00, _) => {
                self.connection_lost(application);
                self.state.server = None;
                self.note(true, application, "the terminal closed the web server's channel");
                Ok(())
            }
            _ => Err(format!("channel status {state:02X} {more:02X}")),
        }
    }
}

/// The value of the first TLV with `tag`.
fn value<'a>(tlvs: &[Ctlv<'a>], tag: u16) -> Option<&'a [u8]> {
    tlvs.iter().find(|tlv| tlv.tag == tag).map(|tlv| tlv.value)
}

fn from_terminal(devices: &Ctlv<'_>) -> Result<(), String> {
    match (devices.tag, devices.value) {
        (0x02, [0x82, 0x81]) => Ok(()),
        _ => Err("device identities are not terminal to UICC".into()),
    }
}
