//! Entities of a domain by number.

use crate::paged::Page;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Slots of a page.
const PAGE: usize = 64;

/// An entity that knows its number.
pub(crate) trait Numbered {
    fn number(&self) -> u32;
}

/// Entities in a slab indexed by their number. Numbers are never reused; a deleted one leaves one
/// empty word. Copies may share their pages, as those of [`crate::paged`].
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    pages: Vec<Page<Slots<T>>>,
    len: usize,
}

/// Slots whose numbers differ in the lowest bits alone; those at the end that were never used are
/// left out.
type Slots<T> = Vec<Option<Box<T>>>;

impl<T: Numbered + PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<T: Numbered + Eq> Eq for Table<T> {}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Numbered> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.pages.get(number / PAGE)?.get(number % PAGE)?.as_deref()
    }

    /// In the order of numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.iter_from(0)
    }

    /// In the order of numbers, from `first` on.
    pub(crate) fn iter_from(&self, first: usize) -> impl Iterator<Item = &T> {
        let pages = self.pages.get(first / PAGE..).unwrap_or(&[]).iter().enumerate();
        let slots = pages.flat_map(move |(page, slots)| {
            slots.get(if page == 0 { first % PAGE } else { 0 }..).unwrap_or(&[])
        });
        slots.filter_map(Option::as_deref)
    }
}

impl<T: Numbered + Clone> Table<T> {
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let number = number as usize;
        self.pages.get_mut(number / PAGE)?.get_mut().get_mut(number % PAGE)?.as_deref_mut()
    }

    pub(crate) fn insert(&mut self, value: T) {
        let number = value.number() as usize;
        if self.pages.len() <= number / PAGE {
            self.pages.resize_with(number / PAGE + 1, Page::default);
        }
        let page = self.pages[number / PAGE].get_mut();
        if page.len() <= number % PAGE {
            page.resize_with(number % PAGE + 1, || None);
        }
        if page[number % PAGE].replace(Box::new(value)).is_none() {
            self.len += 1;
        }
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let number = number as usize;
        let gone = self.pages.get_mut(number / PAGE)?.get_mut().get_mut(number % PAGE)?.take()?;
        self.len -= 1;
        Some(*gone)
    }

    /// In the order of numbers, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let slots = self.pages.iter_mut().flat_map(|page| page.get_mut().iter_mut());
        slots.filter_map(|slot| slot.as_deref_mut())
    }

    /// A copy that shares its pages until they are changed here.
    pub(crate) fn share(&mut self) -> Self {
        Self { pages: self.pages.iter_mut().map(Page::share).collect(), len: self.len }
    }
}

impl<T: Numbered + Clone> FromIterator<T> for Table<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut table = Self::default();
        values.into_iter().for_each(|value| table.insert(value));
        table
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

impl<'de, T: Numbered + Clone + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<T>::deserialize(deserializer)?.into_iter().collect())
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
