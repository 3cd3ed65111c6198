//! TERMINAL RESPONSE: taking it apart and checking what every response has to keep (TS 102 223
//! section 6.8).

use crate::card::tlv::{Ctlv, comprehension};

/// A well-formed TERMINAL RESPONSE.
#[derive(Debug)]
pub(crate) struct Response<'a> {
    /// General result.
    pub(crate) result: u8,
    /// First octet of additional information.
    pub(crate) additional: Option<u8>,
    rest: Vec<Ctlv<'a>>,
}

impl<'a> Response<'a> {
    /// Takes `data` apart; `details` are the command details that were sent.
    pub(crate) fn parse(data: &'a [u8], details: [u8; 3]) -> Result<Self, String> {
        let mut all = comprehension(data)?.into_iter();
        match all.next() {
            Some(Ctlv { tag: 0x01, required: true, value }) if value == details => {}
            Some(Ctlv { tag: 0x01, required: false, .. }) => {
                return Err("command details without the comprehension flag".into());
            }
            Some(Ctlv { tag: 0x01, .. }) => {
                return Err("command details that are not those of the command".into());
            }
            _ => return Err("no command details in front".into()),
        }
        match all.next() {
            Some(Ctlv { tag: 0x02, value: [0x82, 0x81], .. }) => {}
            _ => return Err("device identities are not terminal to UICC".into()),
        }
        match all.next() {
            Some(Ctlv { tag: 0x03, required: true, value: [result, more @ ..] }) => {
                Ok(Self { result: *result, additional: more.first().copied(), rest: all.collect() })
            }
            Some(Ctlv { tag: 0x03, required: false, .. }) => {
                Err("result without the comprehension flag".into())
            }
            _ => Err("no result behind the device identities".into()),
        }
    }

    /// The value of the first TLV with `tag` behind the result.
    pub(crate) fn value(&self, tag: u16) -> Option<&'a [u8]> {
        self.rest.iter().find(|tlv| tlv.tag == tag).map(|tlv| tlv.value)
    }

    /// The command was carried out, possibly with a limitation.
    pub(crate) fn performed(&self) -> bool {
        self.result < 0x10
    }

    /// General result and additional information as text.
    pub(crate) fn result_text(&self) -> String {
        match self.additional {
            Some(additional) => format!("{:02X} {additional:02X}", self.result),
            None => format!("{:02X}", self.result),
        }
    }

    /// BIP error 02 or 03: there is no such channel any more.
    pub(crate) fn channel_is_closed(&self) -> bool {
        self.result == 0x3A && matches!(self.additional, Some(0x02 | 0x03))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn parse(text: &str, details: [u8; 3]) -> Result<(u8, Option<u8>), String> {
        let data = hex::decode(text).unwrap();
        Response::parse(&data, details).map(|r| (r.result, r.additional))
    }

    #[test]
    fn responses_echo_the_command() {
        let open = [0x01, 0x40, 0x00];
        assert_eq!(parse("8103014000820282818301003802410039020578", open), Ok((0, None)));
        assert_eq!(parse("81030140008202828183023A1039020578", open), Ok((0x3A, Some(0x10))));
        for wrong in [
            "8103024000820282818301003802410039020578",
            "0103014000820282818301003802410039020578",
            "8103014000820281828301003802410039020578",
            "8103014000820282810301003802410039020578",
            "81030140008202828138024100",
            "810301400082028281830100390205",
            "",
        ] {
            assert!(parse(wrong, open).is_err(), "{wrong}");
        }
    }
}
