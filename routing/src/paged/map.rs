//! A map by numbers that are given out one after the other.

use super::page::Page;
use crate::fixed::FixedMap;
use std::marker::PhantomData;
use std::ops::Index;

/// A key that is a number.
pub(crate) trait Slot: Copy {
    fn number(self) -> u64;
    fn of_number(number: u64) -> Self;
}

/// Entries of a page. One that lives long may be the last of its page, and keeps all of its slots.
const PAGE: u64 = 64;

/// Entries by number. Numbers may be as far apart as they like; neighbours share a page.
#[derive(Debug)]
pub(crate) struct PagedMap<K, V> {
    pages: FixedMap<u64, Page<Slots<V>>>,
    len: usize,
    keys: PhantomData<fn(K) -> K>,
}

/// Entries whose numbers differ in the lowest bits alone.
#[derive(Debug, Clone)]
struct Slots<V> {
    /// How many there are.
    held: usize,
    slots: [Option<Box<V>>; PAGE as usize],
}

impl<V> Default for Slots<V> {
    fn default() -> Self {
        Self { held: 0, slots: [const { None }; PAGE as usize] }
    }
}

impl<K, V: Clone> Clone for PagedMap<K, V> {
    fn clone(&self) -> Self {
        Self { pages: self.pages.clone(), len: self.len, keys: PhantomData }
    }
}

impl<K, V> Default for PagedMap<K, V> {
    fn default() -> Self {
        Self { pages: FixedMap::default(), len: 0, keys: PhantomData }
    }
}

/// The page of a number, and its slot there.
const fn place(number: u64) -> (u64, usize) {
    (number / PAGE, (number % PAGE) as usize)
}

impl<K: Slot, V> PagedMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let (page, slot) = place(key.number());
        self.pages.get(&page)?.slots[slot].as_deref()
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// In the order of numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.iter_from(0)
    }

    /// In the order of numbers, from `first` on.
    pub(crate) fn iter_from(&self, first: u64) -> impl Iterator<Item = (K, &V)> {
        let pages = self.pages.iter().filter(|(no, _)| **no >= first / PAGE);
        let mut pages: Vec<(&u64, &Page<Slots<V>>)> = pages.collect();
        pages.sort_unstable_by_key(|(no, _)| **no);
        let all = pages.into_iter().flat_map(|(no, page)| (no * PAGE..).zip(&page.slots));
        let all = all.filter_map(|(number, slot)| Some((number, slot.as_deref()?)));
        let all = all.skip_while(move |(number, _)| *number < first);
        all.map(|(number, value)| (K::of_number(number), value))
    }

    /// In the order of numbers.
    pub(crate) fn keys(&self) -> impl Iterator<Item = K> {
        self.iter().map(|(key, _)| key)
    }

    /// In the order of numbers.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Slot, V: Clone> PagedMap<K, V> {
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let (page, slot) = place(key.number());
        let page = self.pages.get_mut(&page).filter(|page| page.slots[slot].is_some())?;
        page.get_mut().slots[slot].as_deref_mut()
    }

    pub(crate) fn remove(&mut self, key: &K) -> bool {
        let (no, slot) = place(key.number());
        let Some(page) = self.pages.get_mut(&no).filter(|page| page.slots[slot].is_some()) else {
            return false;
        };
        self.len -= 1;
        if page.held == 1 {
            self.pages.remove(&no);
        } else {
            let page = page.get_mut();
            page.slots[slot] = None;
            page.held -= 1;
        }
        true
    }

    /// A copy that shares its pages until they are changed here.
    pub(crate) fn share(&mut self) -> Self {
        let pages = self.pages.iter_mut().map(|(no, page)| (*no, page.share())).collect();
        Self { pages, len: self.len, keys: PhantomData }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        let (page, slot) = place(key.number());
        let page = self.pages.entry(page).or_default().get_mut();
        if page.slots[slot].replace(Box::new(value)).is_none() {
            page.held += 1;
            self.len += 1;
        }
    }
}

impl<K: Slot, V> Index<&K> for PagedMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("keys in indexes exist")
    }
}

impl<K: Slot, V: PartialEq> PartialEq for PagedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.values().eq(other.values()) && {
            self.keys().map(K::number).eq(other.keys().map(K::number))
        }
    }
}

impl<K: Slot, V: Eq> Eq for PagedMap<K, V> {}

impl<K: Slot, V: Clone> FromIterator<(K, V)> for PagedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        entries.into_iter().for_each(|(key, value)| map.insert(key, value));
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use std::collections::BTreeMap;

    impl Slot for u64 {
        fn number(self) -> u64 {
            self
        }
        fn of_number(number: u64) -> Self {
            number
        }
    }

    fn same(map: &PagedMap<u64, u32>, model: &BTreeMap<u64, u32>) {
        assert_eq!(map.len(), model.len());
        assert!(map.iter().eq(model.iter().map(|(key, value)| (*key, value))));
        assert!(map.keys().all(|key| map.get(&key) == model.get(&key)));
        for first in [0, 1, 63, 64, 65, 700, 97_000] {
            assert!(map.iter_from(first).eq(model.range(first..).map(|(key, value)| (*key, value))));
        }
    }

    /// Any course of changes is what an ordered map makes of it, and copies taken on the way stay
    /// as they were.
    #[test]
    fn as_an_ordered_map_and_copies_stay() {
        for seed in 0..200 {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let (mut map, mut model) = (PagedMap::default(), BTreeMap::new());
            let mut copies = Vec::new();
            let span = [10, 100, 1_000][rng.random_range(0..3)];
            for step in 0..600u32 {
                let key = rng.random_range(0..span) * [1, 1, 97][rng.random_range(0..3)];
                match rng.random_range(0..10) {
                    0..=3 => {
                        map.insert(key, step);
                        model.insert(key, step);
                    }
                    4..=6 => assert_eq!(map.remove(&key), model.remove(&key).is_some()),
                    7 => {
                        let (mine, its) = (map.get_mut(&key), model.get_mut(&key));
                        assert_eq!(mine, its);
                        mine.into_iter().chain(its).for_each(|value| *value += 1_000);
                    }
                    8 => copies.push((map.clone(), model.clone())),
                    _ => copies.push((map.share(), model.clone())),
                }
                assert_eq!(map.get(&key), model.get(&key));
            }
            same(&map, &model);
            copies.iter().for_each(|(map, model)| same(map, model));
            assert_eq!(map, model.iter().map(|(key, value)| (*key, *value)).collect());
        }
    }

    #[test]
    fn a_change_copies_its_page_alone() {
        let mut map: PagedMap<u64, u32> = (0..1_000).map(|key| (key, 0)).collect();
        let copy = map.share();
        let shared =
            |map: &PagedMap<u64, u32>, key: u64| std::ptr::eq(&raw const map[&key], &raw const copy[&key]);
        assert!(map.keys().all(|key| shared(&map, key)));
        *map.get_mut(&70).expect("is there") = 1;
        let (first, end) = (70 / PAGE * PAGE, (70 / PAGE + 1) * PAGE);
        assert!(map.keys().all(|key| shared(&map, key) != (first..end).contains(&key)));
        assert!(map != copy);
        // Nobody shares them any more: they are taken back as they are.
        let kept = &raw const map[&500];
        drop(copy);
        *map.get_mut(&500).expect("is there") = 1;
        assert!(std::ptr::eq(kept, &raw const map[&500]));
    }
}
