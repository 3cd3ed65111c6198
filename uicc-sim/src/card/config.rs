//! What a simulated card holds and how it behaves: the `[card]` and `[toolkit]` parts of a profile.

use crate::hex;
use serde::{Deserialize, Deserializer};

/// One card: identity, protocol, the PKCS#15 application and the toolkit application.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CardConfig {
    /// ICCID, 18 to 20 decimal digits.
    pub iccid: String,
    /// IMSI, 6 to 15 decimal digits.
    pub imsi: String,
    /// How case 4 commands and wrong lengths are answered; chooses the ATR unless one is given.
    pub protocol: Protocol,
    /// Answer to reset (hexadecimal in a profile); empty: the usual one of `protocol`.
    #[serde(deserialize_with = "octets")]
    pub atr: Vec<u8>,
    /// Logical channels beside the basic one, 0 to 19. More than 3 only after TERMINAL CAPABILITY.
    pub logical_channels: u8,
    /// PIN1; none: PIN1 is disabled. 4 to 8 decimal digits.
    pub pin1: Option<String>,
    /// EF DM_Bootstrap needs PIN1, and its DODF entry says "private".
    pub bootstrap_private: bool,
    /// Identifier of EF DODF.
    pub dodf_fid: u16,
    /// Identifier of EF DM_Bootstrap.
    pub bootstrap_fid: u16,
    /// How the DODF describes the bootstrap object.
    pub dodf_form: DodfForm,
    /// The object's path says index and length of the content.
    pub path_length: bool,
    /// The object's path starts at the MF.
    pub absolute_path: bool,
    /// Octets `FF` behind the content of ODF, DODF and EF DM_Bootstrap.
    pub padding: usize,
    /// The PKCS#15 application answers to SELECT by AID.
    pub pkcs15_by_aid: bool,
    /// Its EF.DIR record carries the path.
    pub ef_dir_path: bool,
    /// A SIM of GSM 11.11 instead of a UICC: class A0, DF GSM instead of the USIM, no channels, no AIDs.
    pub gsm: bool,
    /// A card for cdma2000: a CSIM in place of the USIM, or with `gsm` an R-UIM, with DF CDMA in place of DF
    /// GSM. The IMSI has 15 digits then.
    pub cdma: bool,
    /// EF TokenInfo exists.
    pub token_info: bool,
    /// There is a DM bootstrap object, with its DODF.
    pub dm_object: bool,
    /// A second DM bootstrap object in a DODF of its own; empty: none. A profile makes it of its
    /// `second_account`.
    #[serde(skip)]
    pub second_bootstrap: Vec<u8>,
    /// ODF and DODF have short identifiers: the low bits of their file identifiers.
    pub short_ids: bool,
    /// Client provisioning documents: EF Bootstrap, Config1, Config2 (hexadecimal; empty: no such file).
    /// What a profile says under `provisioning` comes instead.
    #[serde(deserialize_with = "octets")]
    pub cp_bootstrap: Vec<u8>,
    /// See `cp_bootstrap`.
    #[serde(deserialize_with = "octets")]
    pub cp_config1: Vec<u8>,
    /// See `cp_bootstrap`.
    #[serde(deserialize_with = "octets")]
    pub cp_config2: Vec<u8>,
    /// The toolkit application.
    pub toolkit: ToolkitConfig,
    /// What the card does wrong.
    pub faults: Faults,
}

impl Default for CardConfig {
    fn default() -> Self {
        Self {
            iccid: "8988211000000430010".into(),
            imsi: "262011106487504".into(),
            protocol: Protocol::T1,
            atr: Vec::new(),
            logical_channels: 3,
            pin1: None,
            bootstrap_private: false,
            dodf_fid: 0x6430,
            bootstrap_fid: 0x6433,
            dodf_form: DodfForm::Opaque,
            path_length: true,
            absolute_path: false,
            padding: 16,
            pkcs15_by_aid: true,
            ef_dir_path: true,
            gsm: false,
            cdma: false,
            token_info: true,
            dm_object: true,
            second_bootstrap: Vec::new(),
            short_ids: false,
            cp_bootstrap: Vec::new(),
            cp_config1: Vec::new(),
            cp_config2: Vec::new(),
            toolkit: ToolkitConfig::default(),
            faults: Faults::default(),
        }
    }
}

impl CardConfig {
    /// Says what in this configuration no card could have. A profile is checked when it is built.
    pub fn check(&self) -> Result<(), String> {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !digits(&self.iccid) || !(18..=20).contains(&self.iccid.len()) {
            return Err("card.iccid: 18 to 20 decimal digits are needed".into());
        }
        if !digits(&self.imsi) || !(6..=15).contains(&self.imsi.len()) {
            return Err("card.imsi: 6 to 15 decimal digits are needed".into());
        }
        if self.cdma && self.imsi.len() != 15 {
            return Err("card.imsi: a card for cdma2000 has 15 digits".into());
        }
        if self.pin1.as_ref().is_some_and(|pin| !digits(pin) || !(4..=8).contains(&pin.len())) {
            return Err("card.pin1: 4 to 8 decimal digits are needed".into());
        }
        if self.logical_channels > 19 {
            return Err("card.logical_channels: at most 19".into());
        }
        if self.dodf_fid == self.bootstrap_fid {
            return Err("card.dodf_fid and card.bootstrap_fid are the same file".into());
        }
        for fid in [self.dodf_fid, self.bootstrap_fid] {
            if matches!(fid, 0x3F00 | 0x3FFF | 0x7FFF | 0xFFFF | 0x5031 | 0x5032 | 0x7F50) {
                return Err(format!("card: the file identifier {fid:04X} is taken or reserved"));
            }
        }
        if self.toolkit.timer_seconds >= 24 * 3600 {
            return Err("toolkit.timer_seconds: at most 86399".into());
        }
        Ok(())
    }
}

/// The transmission protocol whose rules the card keeps (TS 102 221 section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// `61XX` and GET RESPONSE for case 4, `6CXX` for a wrong Le.
    T0,
    /// Data come with the answer.
    T1,
}

/// The forms of DODF entries seen on real cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DodfForm {
    /// opaqueDO with applicationOID.
    Opaque,
    /// oidDO.
    OidDo,
    /// oidDO whose OID value is itself a TLV, as mistaken issuers write it.
    #[serde(rename = "oiddo-nested")]
    OidDoNested,
}

/// The toolkit application: the web server's channel and the local trigger.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolkitConfig {
    /// Open the web server's channel after profile download.
    pub scws: bool,
    /// TCP port of the web server.
    pub scws_port: u16,
    /// Buffer size asked for with the web server's channel, octets.
    pub scws_buffer: u16,
    /// Seconds after profile download at which the card asks for a session; 0: never.
    pub timer_seconds: u32,
    /// How the notification travels.
    pub trigger_transport: TriggerTransport,
    /// Port the notification goes to.
    pub trigger_port: u16,
}

impl Default for ToolkitConfig {
    fn default() -> Self {
        Self {
            scws: true,
            scws_port: 3516,
            scws_buffer: 1400,
            timer_seconds: 0,
            trigger_transport: TriggerTransport::Udp,
            trigger_port: 2948,
        }
    }
}

/// The local connection that carries a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TriggerTransport {
    /// UDP, UICC in client mode, local connection.
    Udp,
    /// TCP, UICC in client mode, local connection.
    Tcp,
}

/// What the card does wrong, for tests of the terminal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The card is pulled after so many command APDUs; once.
    pub remove_after_apdus: Option<u32>,
    /// The answer to the N-th command APDU (from 1) is cut down to its first octet; once.
    pub short_answer_at: Option<u32>,
    /// No PKCS#15 application and no EF.DIR record of one.
    pub no_pkcs15: bool,
    /// EF ODF does not exist.
    pub odf_missing: bool,
    /// What is wrong with EF DODF.
    pub dodf: Option<DodfFault>,
    /// What is wrong with EF DM_Bootstrap.
    pub bootstrap: Option<BootstrapFault>,
    /// The web server reads requests and never answers.
    pub ignore_http: bool,
    /// The web server closes the connection in the middle of each answer.
    pub close_midway: bool,
    /// The N-th command APDU (from 1) gets no answer at all; once. In a program there is an empty one.
    pub mute_at: Option<u32>,
    /// Every answer takes so many milliseconds (over a link).
    pub slow_ms: u32,
    /// Every READ BINARY is answered with another wrong Le (`6CXX`).
    pub refuse_le: bool,
    /// File headers say twice the size.
    pub size_doubled: bool,
    /// Behind the profile there is always another proactive command (MORE TIME), without end.
    pub endless_proactive: bool,
    /// So many ENVELOPE commands are answered `9300` (toolkit busy).
    pub busy_envelopes: u32,
}

/// Wrong contents of EF DODF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DodfFault {
    /// A length runs over the end of the file.
    Broken,
}

/// Wrong contents of EF DM_Bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BootstrapFault {
    /// A file of no octets.
    Empty,
    /// Only `FF`.
    Ff,
    /// The second half of the document is missing.
    Broken,
    /// 40,000 octets: more than READ BINARY can address.
    Long,
}

fn octets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    hex::decode(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_sets_what_it_names_and_nothing_else() {
        let config: CardConfig = toml::from_str(
            "protocol = 't0'\ndodf_form = 'oiddo-nested'\ndodf_fid = 0x4407\natr = '3B 00'\n\
             [toolkit]\ntimer_seconds = 5\ntrigger_transport = 'tcp'\n\
             [faults]\nbootstrap = 'long'\nremove_after_apdus = 7\n",
        )
        .unwrap();
        assert_eq!(config.protocol, Protocol::T0);
        assert_eq!(config.dodf_form, DodfForm::OidDoNested);
        assert_eq!((config.dodf_fid, config.bootstrap_fid), (0x4407, 0x6433));
        assert_eq!(config.atr, [0x3B, 0x00]);
        assert_eq!(config.toolkit.timer_seconds, 5);
        assert_eq!(config.toolkit.scws_port, 3516);
        assert_eq!(config.faults.bootstrap, Some(BootstrapFault::Long));
        assert!(toml::from_str::<CardConfig>("iccid_ = '1'").is_err());
    }

    #[test]
    fn impossible_cards_are_refused() {
        CardConfig::default().check().unwrap();
        let broken = |edit: fn(&mut CardConfig)| {
            let mut config = CardConfig::default();
            edit(&mut config);
            config.check().is_err()
        };
        assert!(broken(|c| c.iccid = "89".into()));
        assert!(broken(|c| c.imsi = "26201110648750A".into()));
        assert!(broken(|c| c.pin1 = Some("12".into())));
        assert!(broken(|c| c.logical_channels = 20));
        assert!(broken(|c| c.dodf_fid = 0x6433));
        assert!(broken(|c| c.bootstrap_fid = 0x5031));
        assert!(broken(|c| c.toolkit.timer_seconds = 86_400));
    }
}
