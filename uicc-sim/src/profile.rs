//! Stand-in for the profile loader.

use crate::application::{Application, Finding, HttpOutput};
use crate::card::{Card, CardConfig};
use std::path::Path;

/// A card profile.
#[derive(Debug)]
pub struct Profile {
    /// The card's part.
    pub card: CardConfig,
}

impl Profile {
    /// Reads a profile file.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
        Ok(Self { card: toml::from_str(&text).map_err(|e| e.to_string())? })
    }

    /// The embedded demonstration card.
    pub fn demo() -> Self {
        Self { card: CardConfig::default() }
    }

    /// Makes the card.
    pub fn build(self) -> Result<Card, String> {
        self.card.check()?;
        Ok(Card::new(self.card, vec![0x02; 300], Box::new(Nothing)))
    }
}

struct Nothing;

impl Application for Nothing {
    fn http_received(&mut self, _octets: &[u8]) -> HttpOutput {
        HttpOutput::default()
    }
    fn http_closed(&mut self) {}
    fn notification(&mut self) -> Vec<u8> {
        b"\x01\x06\x03\xC4\xAF\x87".to_vec()
    }
    fn reset(&mut self) {}
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
    fn good_sessions(&self) -> u32 {
        0
    }
    fn bad_sessions(&self) -> u32 {
        0
    }
}
