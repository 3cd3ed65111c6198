//! The names of the status words that a card answers with (ISO 7816-4, ETSI TS 102 221 clause 10.2,
//! GSM 11.11 clause 9.4): the one table that error texts and the decoder share.

use std::borrow::Cow;

/// What a status word (`SW1 << 8 | SW2`) says, in a few words; "unknown" for one in no standard.
pub fn name(sw: u16) -> Cow<'static, str> {
    let low = sw & 0x00FF;
    let length = if low == 0 { 256 } else { low };
    let text = match sw {
        0x9000 => "success",
        0x9100..=0x91FF => {
            return format!("success, a proactive command of {length} octets waits").into();
        }
        0x9200..=0x920F => return format!("success after {low} internal retries").into(),
        0x9240 => "memory problem",
        0x9210..=0x92FF => "success, information about the data transfer session",
        0x9300 => "toolkit is busy",
        0x9400 => "no EF selected",
        0x9402 => "address out of range",
        0x9404 => "file not found",
        0x9408 => "file does not fit the command",
        0x9802 => "no PIN initialised",
        0x9804 => "access condition not fulfilled or PIN wrong",
        0x9808 => "contradiction with the PIN's state",
        0x9810 => "contradiction with the file's invalidation",
        0x9840 => "PIN blocked",
        0x9850 => "increase not possible, maximum reached",
        0x9862 => "authentication error",
        0x9863 => "security session or association expired",
        0x9864 => "suspension time is too short",
        0x9E00..=0x9EFF => return format!("data download error, {length} octets wait").into(),
        0x9F00..=0x9FFF | 0x6100..=0x61FF => {
            return format!("success, {length} octets of answer wait").into();
        }
        0x6281 => "warning: part of the data may be corrupt",
        0x6282 => "warning: end of file before Le octets",
        0x6283 => "warning: file deactivated",
        0x6284 | 0x6285 => "warning: file terminated",
        0x62F1 => "success, more data are available",
        0x62F2 => "success, more data are available and a proactive command waits",
        0x62F3 => "success, response data are available",
        0x6200..=0x62FF => "warning: nothing was changed",
        0x63C0..=0x63CF => return format!("warning: {} tries left", sw & 0x000F).into(),
        0x63F1 => "success, more data are expected",
        0x63F2 => "success, more data are expected and a proactive command waits",
        0x6300..=0x63FF => "warning: something was changed",
        0x6400..=0x64FF => "execution error, nothing was changed",
        0x6581 => "memory problem",
        0x6500..=0x65FF => "execution error, something was changed",
        0x6700..=0x67FF => "wrong length",
        0x6881 => "logical channel not supported",
        0x6882 => "secure messaging not supported",
        0x6800..=0x68FF => "function of the class byte not supported",
        0x6981 => "command does not fit the file structure",
        0x6982 => "security status not fulfilled",
        0x6983 => "authentication method blocked",
        0x6984 => "data invalidated",
        0x6985 => "conditions of use not satisfied",
        0x6986 => "no EF selected",
        0x6989 => "secure channel needed",
        0x6999 => "selection failed",
        0x6900..=0x69FF => "command not allowed",
        0x6A80 => "wrong data",
        0x6A81 => "function not supported",
        0x6A82 => "file or application not found",
        0x6A83 => "record not found",
        0x6A84 => "not enough memory",
        0x6A86 => "wrong P1 or P2",
        0x6A87 => "Lc does not fit P1 and P2",
        0x6A88 => "referenced data not found",
        0x6B00..=0x6BFF => "wrong P1 or P2: offset outside the file",
        0x6C00..=0x6CFF => return format!("wrong Le: {length} octets are there").into(),
        0x6D00..=0x6DFF => "instruction not supported",
        0x6E00..=0x6EFF => "class not supported",
        0x6F00..=0x6FFF => "technical problem",
        _ => "unknown",
    };
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every status word of the reference's tables has a name of its own or of its range.
    #[test]
    fn every_status_word_in_use_has_a_name() {
        let uicc = [
            0x9000, 0x910B, 0x9201, 0x9300, 0x6110, 0x6200, 0x6281, 0x6282, 0x6283, 0x6284, 0x6285,
            0x62F1, 0x62F2, 0x62F3, 0x63C3, 0x63F1, 0x63F2, 0x6400, 0x6500, 0x6581, 0x6700, 0x6705,
            0x6800, 0x6881, 0x6882, 0x6981, 0x6982, 0x6983, 0x6984, 0x6985, 0x6986, 0x6989, 0x6A80,
            0x6A81, 0x6A82, 0x6A83, 0x6A84, 0x6A86, 0x6A87, 0x6A88, 0x6B00, 0x6C10, 0x6D00, 0x6E00,
            0x6F00, 0x9850, 0x9862, 0x9863, 0x9864,
        ];
        let gsm = [
            0x9E10, 0x9F16, 0x9240, 0x9400, 0x9402, 0x9404, 0x9408, 0x9802, 0x9804, 0x9808, 0x9810,
            0x9840,
        ];
        for sw in uicc.into_iter().chain(gsm) {
            assert_ne!(name(sw), "unknown", "{sw:04X}");
        }
        assert_eq!(name(0x1234), "unknown");
        assert_eq!(name(0x9100), "success, a proactive command of 256 octets waits");
        assert_eq!(name(0x63C1), "warning: 1 tries left");
    }
}
