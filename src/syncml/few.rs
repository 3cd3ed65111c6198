//! The items of a command and the like: one without an allocation, or several.
//!
//! Owns the container; must not know what an item is for.

use std::ops::{Deref, DerefMut};

/// A list, used as a slice, of which nearly all have at most one entry: that stands in the list itself.
#[derive(Clone)]
pub struct Few<T>(Held<T>);

// The variant is as large as an entry on purpose: it saves one allocation a command.
#[allow(clippy::large_enum_variant)]
#[derive(Clone)]
enum Held<T> {
    None,
    One(T),
    Many(Vec<T>),
}

impl<T> Few<T> {
    /// Without an entry.
    pub const fn new() -> Self {
        Self(Held::None)
    }

    /// Adds an entry behind the others.
    pub fn push(&mut self, entry: T) {
        match &mut self.0 {
            Held::None => self.0 = Held::One(entry),
            Held::Many(entries) => entries.push(entry),
            Held::One(_) => {
                let mut entries = Vec::with_capacity(4);
                entries.extend(std::mem::take(self));
                entries.push(entry);
                self.0 = Held::Many(entries);
            }
        }
    }

    /// Takes all entries away.
    pub fn clear(&mut self) {
        self.0 = Held::None;
    }
}

impl<T: Default> Few<T> {
    /// Adds an empty entry behind the others.
    pub fn add(&mut self) -> &mut T {
        if matches!(self.0, Held::None) {
            self.0 = Held::One(T::default());
        } else {
            self.push(T::default());
        }
        let last = self.len() - 1;
        &mut self[last]
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Held::None => &[],
            Held::One(entry) => std::slice::from_ref(entry),
            Held::Many(entries) => entries,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.0 {
            Held::None => &mut [],
            Held::One(entry) => std::slice::from_mut(entry),
            Held::Many(entries) => entries,
        }
    }
}

impl<T> From<T> for Few<T> {
    fn from(entry: T) -> Self {
        Self(Held::One(entry))
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(entries: Vec<T>) -> Self {
        Self(Held::Many(entries))
    }
}

impl<T> Extend<T> for Few<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, entries: I) {
        entries.into_iter().for_each(|entry| self.push(entry));
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let mut all = Self::new();
        all.extend(entries);
        all
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self.0 {
            Held::None => (None, Vec::new()),
            Held::One(entry) => (Some(entry), Vec::new()),
            Held::Many(entries) => (None, entries),
        };
        one.into_iter().chain(many)
    }
}

impl<'f, T> IntoIterator for &'f Few<T> {
    type Item = &'f T;
    type IntoIter = std::slice::Iter<'f, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T: std::fmt::Debug> std::fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{Item, Items};

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
