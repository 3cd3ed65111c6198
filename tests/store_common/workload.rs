//! Random changes of a tree that are the same for the same seed and step.

use super::dice::Dice;
use super::{get, tree, uri};
use dmsc::error::Result;
use dmsc::store::{Database, Reader, Table, Txn};
use dmsc::tree::{Content, Tree};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The leaf that holds the number of the last step.
const STEP: &str = "./Work/Step";

/// Everything that is in the tables, secrets in clear, without what the store keeps for itself.
pub(crate) type State = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

pub(crate) fn state(reader: &dyn Reader) -> Result<State> {
    let mut found = State::new();
    for table in Table::ALL {
        reader.scan(table, b"", b"", &mut |key, value| {
            let own = table == Table::Meta && key != b"nodes";
            if !own {
                found.insert((table, key.to_vec()), value.to_vec());
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(found)
}

/// The number of the last step; 0 before the first.
pub(crate) fn last_step(database: &Database) -> u64 {
    get(database, STEP).map_or(0, |text| text.parse().unwrap())
}

/// Does step `step` of `seed` in one transaction.
pub(crate) fn step(database: &Database, seed: u64, step: u64) -> Result<()> {
    let mut dice = Dice(seed ^ step.wrapping_mul(0x2545_F491_4F6C_DD1D));
    let mut txn = database.begin()?;
    txn.put(Table::Replay, b"server", step.to_be_bytes().to_vec());
    txn.put(Table::Card, &[dice.below(4) as u8], vec![dice.below(256) as u8; 40]);
    for _ in 0..=dice.below(6) {
        // A savepoint that is undone leaves nothing either.
        let undone = dice.below(8) == 0;
        let savepoint = txn.savepoint();
        one_change(&mut tree(&mut txn), &mut dice);
        if undone { txn.rollback_to(savepoint) } else { txn.release(savepoint) }
    }
    note_step(&mut txn, step);
    txn.commit().map(drop)
}

fn note_step(txn: &mut Txn, step: u64) {
    let (text, at) = (step.to_string(), uri(STEP));
    let mut tree = tree(txn);
    let replaced = tree.replace(&at, &Content::text(&text));
    replaced.or_else(|_| tree.add(&at, &Content::text(&text).into())).unwrap();
}

/// One change, which may be refused: that is the same each time too.
fn one_change(tree: &mut Tree<'_>, dice: &mut Dice) {
    let place = format!("./Work/{}/{}", dice.below(5), dice.below(5));
    let leaf = ["Name", "AAuthSecret", "Blob"][dice.below(3) as usize];
    let leaf = format!("{place}/{leaf}");
    let value = vec![dice.below(256) as u8; [0, 9, 300, 5000][dice.below(4) as usize]];
    let _ = match dice.below(10) {
        0..=3 => tree.add(&uri(&leaf), &Content::bin(&value).into()),
        4..=6 => tree.replace(&uri(&leaf), &Content::bin(&value)),
        7 => tree.delete(&uri(&place)),
        8 => {
            let name = format!("{}", dice.below(7));
            let content = Content { value: Some(name.as_bytes()), ..Content::default() };
            tree.replace(&uri(&format!("{place}?prop=Name")), &content)
        }
        _ => {
            let content = Content { value: Some(b"Get=*&Replace=a"), ..Content::default() };
            tree.replace(&uri(&format!("{place}?prop=ACL")), &content)
        }
    };
}
