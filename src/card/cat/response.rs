//! TERMINAL RESPONSE data: command details echoed, result, and the command's own objects.
//!
//! Owns result numbers (TS 102 223 section 8.12). Must not know how a command is carried out.

use super::command::{Details, tag};
use crate::bytes::ctlv;
use crate::card::bip::Fault;

/// Terminal to card, in device identities.
pub(super) const TO_CARD: [u8; 2] = [0x82, 0x81];

/// General result and its additional information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    result: u8,
    additional: Option<u8>,
}

impl Outcome {
    pub(super) const OK: Self = Self::new(0x00);
    pub(super) const MISSING_INFORMATION: Self = Self::new(0x02);
    pub(super) const ICON_NOT_SHOWN: Self = Self::new(0x04);
    pub(super) const MODIFIED: Self = Self::new(0x07);
    pub(super) const ENDED_BY_USER: Self = Self::new(0x10);
    pub(super) const BACK: Self = Self::new(0x11);
    pub(super) const NO_RESPONSE: Self = Self::new(0x12);
    pub(super) const HELP: Self = Self::new(0x13);
    pub(super) const BUSY: Self = Self::with(0x20, 0x00);
    pub(super) const SCREEN_BUSY: Self = Self::with(0x20, 0x01);
    pub(super) const BUSY_ON_CALL: Self = Self::with(0x20, 0x02);
    pub(super) const NO_SERVICE: Self = Self::with(0x20, 0x04);
    pub(super) const NETWORK_BUSY: Self = Self::with(0x21, 0x00);
    pub(super) const REFUSED_BY_USER: Self = Self::new(0x22);
    pub(super) const TIMER_CONTRADICTION: Self = Self::new(0x24);
    pub(super) const BROWSER_ERROR: Self = Self::with(0x26, 0x00);
    pub(super) const BROWSER_UNAVAILABLE: Self = Self::with(0x26, 0x02);
    pub(super) const BEYOND_CAPABILITIES: Self = Self::new(0x30);
    pub(super) const TYPE_NOT_UNDERSTOOD: Self = Self::new(0x31);
    pub(super) const NOT_UNDERSTOOD: Self = Self::new(0x32);
    pub(super) const SMS_ERROR: Self = Self::with(0x35, 0x00);
    pub(super) const VALUES_MISSING: Self = Self::new(0x36);

    const fn new(result: u8) -> Self {
        Self { result, additional: None }
    }

    const fn with(result: u8, additional: u8) -> Self {
        Self { result, additional: Some(additional) }
    }
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        Self::with(0x3A, fault as u8)
    }
}

/// One response before its command details are known.
#[derive(Debug)]
pub(super) struct Response {
    outcome: Outcome,
    objects: Vec<u8>,
}

impl Response {
    /// Adds an object with the comprehension required flag.
    #[must_use]
    pub(super) fn with(mut self, tag: u16, value: &[u8]) -> Self {
        ctlv::push(&mut self.objects, tag, true, value);
        self
    }

    /// Adds an object without the comprehension required flag.
    #[must_use]
    pub(super) fn with_optional(mut self, tag: u16, value: &[u8]) -> Self {
        ctlv::push(&mut self.objects, tag, false, value);
        self
    }

    /// The data of the TERMINAL RESPONSE.
    pub(super) fn encode(&self, details: Details) -> Vec<u8> {
        let Details { number, kind, qualifier } = details;
        let mut out = Vec::new();
        ctlv::push(&mut out, tag::DETAILS, true, &[number, kind, qualifier]);
        ctlv::push(&mut out, tag::DEVICES, true, &TO_CARD);
        let Outcome { result, additional } = self.outcome;
        match additional {
            Some(additional) => ctlv::push(&mut out, tag::RESULT, true, &[result, additional]),
            None => ctlv::push(&mut out, tag::RESULT, true, &[result]),
        }
        out.extend_from_slice(&self.objects);
        out
    }
}

impl From<Outcome> for Response {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, objects: Vec::new() }
    }
}
