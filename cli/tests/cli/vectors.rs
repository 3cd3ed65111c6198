//! The rows of the byte vectors.

const ENCODINGS: &str = include_str!("../../../tests/data/encoding-vectors.tsv");
const SMARTCARD: &str = include_str!("../../../tests/data/smartcard-vectors.tsv");

/// A row of `encoding-vectors.tsv`, or of `smartcard-vectors.tsv` with its prose as `meaning`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) hex: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) expected: &'static str,
}

impl Row {
    /// The class if the row is to be refused.
    pub(crate) fn class(&self) -> Option<&'static str> {
        self.expected.strip_prefix("ERROR:")
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        dmsc::bytes::hex::decode(self.hex).unwrap()
    }
}

/// The rows of one group.
pub(crate) fn group(letter: char) -> Vec<Row> {
    let rows = ENCODINGS.lines().skip(1).filter(|line| line.starts_with(letter));
    rows.map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, hex, meaning, expected] = columns[..] else { unreachable!("{line}") };
        Row { name, hex, meaning, expected }
    })
    .collect()
}

/// The row whose name begins with `short`, for example `b03`.
pub(crate) fn row(short: &str) -> Row {
    let rows = group(short.chars().next().unwrap());
    rows.into_iter().find(|row| row.name.starts_with(short)).unwrap()
}

/// All rows of the card and toolkit vectors.
pub(crate) fn smartcard() -> Vec<Row> {
    SMARTCARD
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [name, _, hex, meaning, _] = columns[..] else { unreachable!("{line}") };
            Row { name, hex, meaning, expected: "" }
        })
        .collect()
}

/// The card or toolkit row of this name.
pub(crate) fn card(name: &str) -> Row {
    smartcard().into_iter().find(|row| row.name == name).unwrap()
}
