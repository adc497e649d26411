//! Entities of a domain by number.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An entity that knows its number.
pub(crate) trait Numbered {
    fn number(&self) -> u32;
}

/// Entities in a slab indexed by their number. Numbers are never reused; a deleted one leaves one
/// empty word.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    slots: Vec<Option<Box<T>>>,
    len: usize,
}

impl<T: Numbered + PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<T: Numbered + Eq> Eq for Table<T> {}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), len: 0 }
    }
}

impl<T: Numbered> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.slots.get(number as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.slots.get_mut(number as usize)?.as_deref_mut()
    }

    pub(crate) fn insert(&mut self, value: T) {
        let index = value.number() as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        if self.slots[index].replace(Box::new(value)).is_none() {
            self.len += 1;
        }
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let gone = self.slots.get_mut(number as usize)?.take()?;
        self.len -= 1;
        Some(*gone)
    }

    /// In the order of numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.as_deref())
    }

    /// In the order of numbers, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter_map(|slot| slot.as_deref_mut())
    }

    /// In the order of numbers, from `first` on.
    pub(crate) fn iter_from(&self, first: usize) -> impl Iterator<Item = &T> {
        self.slots.get(first..).unwrap_or(&[]).iter().filter_map(|slot| slot.as_deref())
    }
}

impl<T: Numbered + Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut list = serializer.serialize_seq(Some(self.len))?;
        for value in self.iter() {
            list.serialize_element(value)?;
        }
        list.end()
    }
}

impl<'de, T: Numbered + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::default();
        for value in Vec::<T>::deserialize(deserializer)? {
            table.insert(value);
        }
        Ok(table)
    }
}

/// Something that follows from the rest: never stored, never compared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Derived<T>(pub(crate) T);

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> Eq for Derived<T> {}
