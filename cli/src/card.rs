//! Cards by name: a reader or modem of this machine, or a simulated card in this process.

use crate::tty::Tty;
use dmsc::card::at::{AtTransport, Options};
use dmsc::card::pcsc::PcscTransport;
use dmsc::card::transport::CardTransport;
use dmsc::error::{Code, Error, Result};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uicc_sim::card::Card;
use uicc_sim::profile::Profile;

/// Name of the file with what a simulated card remembers, beside the phone's store.
const MEMORY: &str = "card-memory";

/// Which card: the value of `--card`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CardName {
    /// A simulated card; `None` is the embedded profile.
    Sim(Option<PathBuf>),
    /// The first reader with a card whose name contains the text; `None`: any reader.
    Pcsc(Option<String>),
    /// The card in the modem behind this device.
    At(PathBuf),
}

/// How a card is named on the command line.
pub(crate) const CARD_HELP: &str = "sim:demo, sim:PROFILE-FILE, pcsc: (first reader with a card), \
    pcsc:PART-OF-READER-NAME or at:DEVICE (a modem's AT port)";

impl FromStr for CardName {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text.split_once(':').unwrap_or((text, "")) {
            ("sim", "demo") => Ok(Self::Sim(None)),
            ("sim", path) if !path.is_empty() => Ok(Self::Sim(Some(path.into()))),
            ("pcsc", "") => Ok(Self::Pcsc(None)),
            ("pcsc", reader) => Ok(Self::Pcsc(Some(reader.into()))),
            ("at", device) if !device.is_empty() => Ok(Self::At(device.into())),
            _ => Err("a card is sim:demo, sim:PROFILE-FILE, pcsc:, pcsc:READER or at:DEVICE"),
        }
    }
}

/// A card to be used.
pub(crate) struct Opened {
    /// The card's door.
    pub(crate) transport: Box<dyn CardTransport>,
    /// The simulated card itself.
    pub(crate) sim: Option<SimCard>,
}

impl CardName {
    /// Opens the card. A simulated one remembers its nonces in `store`, if that is given.
    pub(crate) fn open(&self, store: Option<&Path>) -> Result<Opened> {
        match self {
            Self::Sim(profile) => {
                let sim = SimCard::new(profile.as_deref(), store)?;
                Ok(Opened { transport: Box::new(sim.clone()), sim: Some(sim) })
            }
            Self::Pcsc(reader) => {
                let transport = PcscTransport::open(reader.as_deref())?;
                Ok(Opened { transport: Box::new(transport), sim: None })
            }
            Self::At(device) => {
                let port = Box::new(Tty::open(device)?);
                let transport = AtTransport::open(port, Options::default())?;
                Ok(Opened { transport: Box::new(transport), sim: None })
            }
        }
    }
}

/// A simulated card, shared between its door and whoever asks it for its verdict.
#[derive(Clone)]
pub(crate) struct SimCard(Arc<Mutex<Card>>);

impl SimCard {
    fn new(profile: Option<&Path>, store: Option<&Path>) -> Result<Self> {
        let unusable = |text: String| {
            let text = text.lines().map(str::trim).collect::<Vec<_>>().join("; ");
            Error::new(Code::InvalidArg, format!("card profile: {text}"))
        };
        let mut profile = match profile {
            None => Profile::demo(),
            Some(path) => Profile::load(path).map_err(unusable)?,
        };
        if let Some(store) = store {
            profile.server.memory_file = Some(store.join(MEMORY));
        }
        Ok(Self(Arc::new(Mutex::new(profile.build().map_err(unusable)?))))
    }

    /// The card, while nobody else uses it.
    pub(crate) fn card(&self) -> MutexGuard<'_, Card> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CardTransport for SimCard {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let answer = self.card().transmit(command);
        answer.map_err(|gone| Error::new(Code::CardRemoved, gone.to_string()))
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.card().atr().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cards() {
        let reader = |name: &str| Ok(CardName::Pcsc(Some(name.into())));
        assert_eq!("sim:demo".parse(), Ok(CardName::Sim(None)));
        assert_eq!("sim:./demo".parse(), Ok(CardName::Sim(Some("./demo".into()))));
        assert_eq!("pcsc:".parse(), Ok(CardName::Pcsc(None)));
        assert_eq!("pcsc".parse(), Ok(CardName::Pcsc(None)));
        assert_eq!("pcsc:Virtual PCD 00".parse(), reader("Virtual PCD 00"));
        assert_eq!("pcsc:a:b".parse(), reader("a:b"));
        assert_eq!("at:/dev/ttyUSB2".parse(), Ok(CardName::At("/dev/ttyUSB2".into())));
        for wrong in ["", "sim", "sim:", "demo", "SIM:demo", "usb:1", "at:", "at"] {
            assert!(wrong.parse::<CardName>().is_err(), "{wrong}");
        }
    }
}
