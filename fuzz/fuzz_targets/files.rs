//! What single files and headers of a card hold: FCP, GSM headers, EF.DIR, EF.ICCID, EF.IMSI, EF.IMSI_M.

#![no_main]

use dmsc::card::fcp::FileHeader;
use dmsc::card::uicc::{CardIdentity, Imsi, applications};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let _ = FileHeader::from_fcp(octets);
    let _ = FileHeader::from_gsm(octets);
    for application in applications(octets) {
        assert!(application.aid.len() <= octets.len());
    }
    if let Ok(identity) = CardIdentity::from_ef(octets) {
        assert!(identity.iccid().bytes().all(|digit| digit.is_ascii_digit()));
    }
    for imsi in [Imsi::from_ef(octets), Imsi::from_ef_m(octets)].into_iter().flatten() {
        assert!((6..=15).contains(&imsi.digits().len()));
        assert!(imsi.digits().bytes().all(|digit| digit.is_ascii_digit()));
    }
});
