//! The items of a command: one without an allocation, or several.
//!
//! Owns the container; must not know what an item is for.

use super::model::Item;
use std::ops::{Deref, DerefMut};

/// The items of a command, used as a slice. Nearly all commands have exactly one, which stands in the
/// command itself.
#[derive(Clone)]
pub struct Items<'a>(Held<'a>);

// The variant is as large as the item on purpose: it saves one allocation a command.
#[allow(clippy::large_enum_variant)]
#[derive(Clone)]
enum Held<'a> {
    None,
    One(Item<'a>),
    Many(Vec<Item<'a>>),
}

impl<'a> Items<'a> {
    /// Without an item.
    pub const fn new() -> Self {
        Self(Held::None)
    }

    /// Adds an empty item behind the others.
    pub fn add(&mut self) -> &mut Item<'a> {
        self.push(Item::default());
        let last = self.len() - 1;
        &mut self[last]
    }

    /// Adds an item behind the others.
    pub fn push(&mut self, item: Item<'a>) {
        match &mut self.0 {
            Held::None => self.0 = Held::One(item),
            Held::Many(items) => items.push(item),
            Held::One(_) => {
                let mut items = Vec::with_capacity(4);
                items.extend(std::mem::take(self));
                items.push(item);
                self.0 = Held::Many(items);
            }
        }
    }
}

impl Default for Items<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Deref for Items<'a> {
    type Target = [Item<'a>];

    fn deref(&self) -> &[Item<'a>] {
        match &self.0 {
            Held::None => &[],
            Held::One(item) => std::slice::from_ref(item),
            Held::Many(items) => items,
        }
    }
}

impl DerefMut for Items<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.0 {
            Held::None => &mut [],
            Held::One(item) => std::slice::from_mut(item),
            Held::Many(items) => items,
        }
    }
}

impl<'a> From<Item<'a>> for Items<'a> {
    fn from(item: Item<'a>) -> Self {
        Self(Held::One(item))
    }
}

impl<'a> From<Vec<Item<'a>>> for Items<'a> {
    fn from(items: Vec<Item<'a>>) -> Self {
        Self(Held::Many(items))
    }
}

impl<'a> FromIterator<Item<'a>> for Items<'a> {
    fn from_iter<I: IntoIterator<Item = Item<'a>>>(items: I) -> Self {
        let mut all = Self::new();
        items.into_iter().for_each(|item| all.push(item));
        all
    }
}

impl<'a> IntoIterator for Items<'a> {
    type Item = Item<'a>;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Item<'a>>, std::vec::IntoIter<Item<'a>>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self.0 {
            Held::None => (None, Vec::new()),
            Held::One(item) => (Some(item), Vec::new()),
            Held::Many(items) => (None, items),
        };
        one.into_iter().chain(many)
    }
}

impl<'i, 'a> IntoIterator for &'i Items<'a> {
    type Item = &'i Item<'a>;
    type IntoIter = std::slice::Iter<'i, Item<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Items<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Items<'_> {}

impl std::fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(more_data: bool) -> Item<'static> {
        Item { more_data, ..Item::default() }
    }

    #[test]
    fn items_keep_their_order_however_many() {
        let flags = [true, false, false, true, true, false];
        for count in 0..=flags.len() {
            let flags = &flags[..count];
            let mut items: Items<'_> = flags.iter().map(|flag| item(*flag)).collect();
            assert_eq!(items.iter().map(|item| item.more_data).collect::<Vec<_>>(), flags);
            assert_eq!(items, Items::from(items.to_vec()));
            items.iter_mut().for_each(|item| item.more_data ^= true);
            assert!(items.into_iter().map(|item| !item.more_data).eq(flags.iter().copied()));
        }
        assert_eq!(Items::from(item(true)).len(), 1);
    }

    #[test]
    fn one_item_takes_no_more_room_than_an_item() {
        assert_eq!(size_of::<Items<'_>>(), size_of::<Item<'_>>());
    }
}
