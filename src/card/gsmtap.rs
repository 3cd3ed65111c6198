//! Exchanges with a card as a capture file: pcap with GSMTAP over UDP, as Wireshark's dissectors of SIM
//! and toolkit take them (libpcap's file format; Osmocom's GSMTAP, version 2).

use std::time::Duration;

/// Link type of packets that begin with their IP header.
const LINKTYPE_RAW: u32 = 101;
/// Longest packet that a reader has to expect.
const SNAP_LENGTH: u32 = 0x4_0000;
const PORT_GSMTAP: u16 = 4729;
/// Version 2, four words of header, type SIM, all else unused.
const GSMTAP: [u8; 16] = [2, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const UDP_OCTETS: u16 = 8;
const IP_OCTETS: u16 = 20;

/// What a capture file begins with.
pub fn file_header() -> Vec<u8> {
    let mut out = Vec::with_capacity(24);
    out.extend(0xA1B2_C3D4_u32.to_le_bytes());
    out.extend([2, 0, 4, 0]);
    out.extend([0; 8]);
    out.extend(SNAP_LENGTH.to_le_bytes());
    out.extend(LINKTYPE_RAW.to_le_bytes());
    out
}

/// One exchange: the command APDU and behind it its response. `time` is counted from 1970 (UTC). What
/// does not fit a datagram is left out.
pub fn packet(time: Duration, command: &[u8], response: &[u8]) -> Vec<u8> {
    let payload = [&GSMTAP, command, response].concat();
    let most = usize::from(u16::MAX - UDP_OCTETS - IP_OCTETS);
    let payload = payload.get(..most).unwrap_or(&payload);
    let datagram = UDP_OCTETS + payload.len() as u16;
    let packet = u32::from(IP_OCTETS + datagram);
    let mut out = Vec::with_capacity(16 + packet as usize);
    for word in [time.as_secs() as u32, time.subsec_micros(), packet, packet] {
        out.extend(word.to_le_bytes());
    }
    // IPv4 from loopback to loopback, without fragmentation; checksums are left out.
    out.extend([0x45, 0]);
    out.extend((IP_OCTETS + datagram).to_be_bytes());
    out.extend([0, 1, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    for word in [PORT_GSMTAP, PORT_GSMTAP, datagram, 0] {
        out.extend(word.to_be_bytes());
    }
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_time_of_a_packet() {
        let octets = packet(Duration::from_micros(1_700_000_000_000_007), &[0; 5], &[0x90, 0x00]);
        assert_eq!(octets[..4], 1_700_000_000_u32.to_le_bytes());
        assert_eq!(octets[4..8], 7u32.to_le_bytes());
        assert_eq!(octets[8..12], 51u32.to_le_bytes());
        assert_eq!(octets[16 + 2..16 + 4], [0, 51]);
        assert_eq!(octets.len(), 16 + 51);
        assert_eq!(packet(Duration::ZERO, &[0; 70_000], &[]).len(), 16 + 65_535);
        assert_eq!(file_header().len(), 24);
    }
}
