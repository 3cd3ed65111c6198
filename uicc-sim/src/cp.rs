//! Client provisioning documents on the card, in the form that goes into a file: WBXML 1.3 with literal
//! names and values (OMA ProvCont 1.1).

use crate::card::CardConfig;
use serde::Deserialize;

/// The documents of the three files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provisioning {
    /// EF Bootstrap.
    pub bootstrap: Vec<Characteristic>,
    /// EF Config1.
    pub config1: Vec<Characteristic>,
    /// EF Config2.
    pub config2: Vec<Characteristic>,
}

/// `characteristic`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Characteristic {
    /// Its type, for example `NAPDEF`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its parms: name and value, or a name alone.
    #[serde(default)]
    pub parms: Vec<Vec<String>>,
    /// The characteristics in it.
    #[serde(default)]
    pub inner: Vec<Characteristic>,
}

const END: u8 = 0x01;
const STR_I: u8 = 0x03;

impl Provisioning {
    /// Puts the documents on the card; a file without characteristics stays as it is.
    ///
    /// # Errors
    /// A parm that is neither a name nor a name with its value.
    pub fn write(&self, card: &mut CardConfig) -> Result<(), String> {
        let files = [
            (&self.bootstrap, &mut card.cp_bootstrap),
            (&self.config1, &mut card.cp_config1),
            (&self.config2, &mut card.cp_config2),
        ];
        for (characteristics, file) in files {
            if !characteristics.is_empty() {
                *file = document(characteristics)?;
            }
        }
        Ok(())
    }
}

/// A whole document.
///
/// # Errors
/// As of [`Provisioning::write`].
pub fn document(characteristics: &[Characteristic]) -> Result<Vec<u8>, String> {
    // WBXML 1.3, public identifier of PROV 1.0, UTF-8, no string table; the root with version 1.0.
    let mut out = vec![0x03, 0x0B, 0x6A, 0x00, 0xC5, 0x46, END];
    characteristics.iter().try_for_each(|one| one.write(&mut out))?;
    out.push(END);
    Ok(out)
}

impl Characteristic {
    fn write(&self, out: &mut Vec<u8>) -> Result<(), String> {
        let text = |out: &mut Vec<u8>, text: &str| {
            out.push(STR_I);
            out.extend(text.bytes().filter(|&byte| byte != 0));
            out.push(0);
        };
        out.extend([0xC6, 0x50]);
        text(out, &self.kind);
        out.push(END);
        for parm in &self.parms {
            let (name, value) = match parm.as_slice() {
                [name] => (name, None),
                [name, value] => (name, Some(value)),
                _ => return Err(format!("{}: a parm is a name, or a name and a value", self.kind)),
            };
            out.extend([0x87, 0x05]);
            text(out, name);
            if let Some(value) = value {
                out.push(0x06);
                text(out, value);
            }
            out.push(END);
        }
        self.inner.iter().try_for_each(|one| one.write(out))?;
        out.push(END);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    #[test]
    fn sc_078_a_document_begins_as_provisioning_documents_do() {
        let parms = vec![vec!["NAPID".into(), "a".into()], vec!["INTERNET".into()]];
        let one = Characteristic { kind: "NAPDEF".into(), parms, inner: Vec::new() };
        assert_eq!(
            hex::encode(&document(&[one]).unwrap()),
            "030B6A00C54601C650034E415044454600018705034E4150494400060361000187\
             0503494E5445524E455400010101"
        );
        let wrong = Characteristic { parms: vec![Vec::new()], ..Characteristic::default() };
        assert!(document(&[wrong]).is_err());
    }
}
