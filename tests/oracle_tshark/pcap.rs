//! Captures for tshark, and the fields it found in them.

use super::oracle_common::run;

/// Link type of packets that begin with their IP header.
const LINKTYPE_RAW: u32 = 101;
/// First link type for private use: here short messages, without anything around them.
const LINKTYPE_USER0: u32 = 147;
/// What tshark does with that one.
const USER0_IS_SMS: &str = r#"uat:user_dlts:"User 0 (DLT=147)","gsm_sms","0","","0","""#;

const PORT_PUSH: u16 = 2948;
const PORT_GSMTAP: u16 = 4729;

/// A capture file, one packet a second.
pub(crate) struct Capture {
    octets: Vec<u8>,
    packets: usize,
}

impl Capture {
    fn new(link: u32, packets: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut octets = Vec::new();
        octets.extend(0xA1B2_C3D4_u32.to_le_bytes());
        octets.extend([2, 0, 4, 0]);
        octets.extend([0; 8]);
        octets.extend(0x4_0000_u32.to_le_bytes());
        octets.extend(link.to_le_bytes());
        let mut capture = Self { octets, packets: 0 };
        packets.into_iter().for_each(|packet| capture.push(&packet));
        capture
    }

    fn push(&mut self, packet: &[u8]) {
        let length = u32::try_from(packet.len()).unwrap();
        for word in [1000 + u32::try_from(self.packets).unwrap(), 0, length, length] {
            self.octets.extend(word.to_le_bytes());
        }
        self.octets.extend(packet);
        self.packets += 1;
    }

    /// A capture file of somebody else with so many packets.
    pub(crate) fn written(octets: Vec<u8>, packets: usize) -> Self {
        Self { octets, packets }
    }

    /// WSP pushes, each in a datagram.
    pub(crate) fn pushes(pdus: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::new(LINKTYPE_RAW, pdus.into_iter().map(|pdu| datagram(PORT_PUSH, &pdu)))
    }

    /// Short messages as TPDUs.
    pub(crate) fn messages(tpdus: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::new(LINKTYPE_USER0, tpdus)
    }

    /// Exchanges with a card as GSMTAP, the response behind its command.
    pub(crate) fn exchanges<'a>(list: impl IntoIterator<Item = &'a (Vec<u8>, Vec<u8>)>) -> Self {
        // Version 2, four words of header, type SIM.
        const HEADER: [u8; 16] = [2, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let packet = |(command, response): &(Vec<u8>, Vec<u8>)| {
            datagram(PORT_GSMTAP, &[&HEADER, &command[..], &response[..]].concat())
        };
        Self::new(LINKTYPE_RAW, list.into_iter().map(packet))
    }

    /// For each packet the values of `fields` as tshark shows them, several values with `,` between;
    /// the last value tells whether it found the packet malformed.
    pub(crate) fn fields<const N: usize>(&self, fields: [&str; N]) -> Vec<(Vec<String>, bool)> {
        let mut arguments = vec!["-r", "-", "-n", "-o", USER0_IS_SMS, "-T", "fields"];
        for field in fields.iter().chain(&["_ws.malformed"]) {
            arguments.extend(["-e", field]);
        }
        let output = String::from_utf8(run("tshark", &arguments, &self.octets).unwrap()).unwrap();
        let rows: Vec<_> = output.lines().map(row).collect();
        assert_eq!(rows.len(), self.packets);
        rows
    }
}

fn row(line: &str) -> (Vec<String>, bool) {
    let mut values: Vec<String> = line.split('\t').map(str::to_owned).collect();
    let malformed = values.pop().is_some_and(|value| !value.is_empty());
    (values, malformed)
}

/// A datagram on the loopback interface; checksums are left out.
fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let mut octets = vec![0x45, 0];
    octets.extend((length + 20).to_be_bytes());
    octets.extend([0, 1, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    for word in [9200, port, length, 0] {
        octets.extend(word.to_be_bytes());
    }
    octets.extend(payload);
    octets
}
