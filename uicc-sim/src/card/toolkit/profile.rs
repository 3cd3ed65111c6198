//! TERMINAL PROFILE: what the terminal can do (TS 102 223 section 5.2).

/// The octets of TERMINAL PROFILE.
#[derive(Clone, Debug, Default)]
pub(crate) struct TerminalProfile(Vec<u8>);

/// A facility of the terminal: octet and bit, both from 1, and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facility(usize, u8, &'static str);

impl Facility {
    pub(crate) const PROFILE_DOWNLOAD: Self = Self(1, 1, "profile download");
    pub(crate) const TIMER_EXPIRATION: Self = Self(1, 6, "timer expiration");
    pub(crate) const REFRESH: Self = Self(3, 8, "REFRESH");
    pub(crate) const MORE_TIME: Self = Self(3, 4, "MORE TIME");
    pub(crate) const EVENT_LIST: Self = Self(5, 1, "SET UP EVENT LIST");
    pub(crate) const DATA_AVAILABLE: Self = Self(6, 3, "event data available");
    pub(crate) const CHANNEL_STATUS: Self = Self(6, 4, "event channel status");
    pub(crate) const TIMERS: Self = Self(8, 1, "TIMER MANAGEMENT start");
    pub(crate) const OPEN: Self = Self(12, 1, "OPEN CHANNEL");
    pub(crate) const CLOSE: Self = Self(12, 2, "CLOSE CHANNEL");
    pub(crate) const RECEIVE: Self = Self(12, 3, "RECEIVE DATA");
    pub(crate) const SEND: Self = Self(12, 4, "SEND DATA");
    pub(crate) const UICC_SERVER: Self = Self(17, 3, "TCP, UICC in server mode");
    pub(crate) const TCP_LOCAL: Self = Self(17, 4, "TCP, UICC in client mode, local connection");
    pub(crate) const UDP_LOCAL: Self = Self(17, 5, "UDP, UICC in client mode, local connection");
}

impl TerminalProfile {
    pub(crate) fn new(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// Octets that are missing announce nothing.
    pub(crate) fn has(&self, Facility(octet, bit, _): Facility) -> bool {
        self.0.get(octet - 1).is_some_and(|bits| bits >> (bit - 1) & 1 == 1)
    }

    /// Channels the terminal supports, 0 to 7.
    pub(crate) fn channels(&self) -> u8 {
        self.0.get(12).map_or(0, |octet| octet >> 5)
    }

    /// Names of those `facilities` that are not announced.
    pub(crate) fn lacks(&self, facilities: &[Facility]) -> Vec<&'static str> {
        facilities
            .iter()
            .filter(|&&facility| !self.has(facility))
            .map(|facility| facility.2)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    #[test]
    fn bits_of_a_known_profile() {
        let octets = hex::decode("33E1EF43114F00074900009F420000001C40").unwrap();
        let profile = TerminalProfile::new(&octets);
        let all = [
            Facility::PROFILE_DOWNLOAD,
            Facility::TIMER_EXPIRATION,
            Facility::EVENT_LIST,
            Facility::DATA_AVAILABLE,
            Facility::CHANNEL_STATUS,
            Facility::TIMERS,
            Facility::OPEN,
            Facility::CLOSE,
            Facility::RECEIVE,
            Facility::SEND,
            Facility::UICC_SERVER,
            Facility::TCP_LOCAL,
            Facility::UDP_LOCAL,
        ];
        assert!(profile.lacks(&all).is_empty());
        assert_eq!(profile.channels(), 2);
        let short = TerminalProfile::new(&octets[..16]);
        assert_eq!(
            short.lacks(&[Facility::SEND, Facility::UICC_SERVER]),
            [Facility::UICC_SERVER.2]
        );
        assert_eq!(TerminalProfile::default().channels(), 0);
    }
}
