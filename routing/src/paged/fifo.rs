//! A queue whose entries can be found by the number that each got.

use std::collections::VecDeque;
use std::sync::Arc;

/// Entries of a page.
const PAGE: u64 = 64;

/// What comes last goes last. Each entry has a number, one more than the one before it.
#[derive(Debug, Clone)]
pub(crate) struct Fifo<T> {
    /// Full pages, each beginning with a multiple of [`PAGE`]. Never changed, so copies share them.
    pages: VecDeque<Arc<Vec<T>>>,
    /// The last page, not full.
    last: Vec<T>,
    /// Number of the first entry.
    first: u64,
    /// Number that the next entry gets.
    next: u64,
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self { pages: VecDeque::new(), last: Vec::new(), first: 0, next: 0 }
    }
}

fn at(number: u64) -> usize {
    (number % PAGE) as usize
}

impl<T> Fifo<T> {
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.next - self.first).expect("what is in memory is counted by a word")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first == self.next
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.get(self.first)
    }

    /// The entry with this number, if it is still there.
    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        if number < self.first {
            return None;
        }
        let page = usize::try_from(number / PAGE - self.first / PAGE).ok()?;
        match self.pages.get(page) {
            Some(full) => full.get(at(number)),
            None if page == self.pages.len() => self.last.get(at(number)),
            None => None,
        }
    }

    /// Removes the first entry, if there is one.
    pub(crate) fn pop_front(&mut self) {
        if self.is_empty() {
            return;
        }
        self.first += 1;
        if self.is_empty() {
            // Pages begin with their first number: the next one does so too.
            self.pages.clear();
            self.last.clear();
            self.next = self.next.next_multiple_of(PAGE);
            self.first = self.next;
        } else if self.first.is_multiple_of(PAGE) {
            self.pages.pop_front();
        }
    }

    /// From first to last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flat_map(|page| page.iter()).chain(&self.last).skip(at(self.first))
    }

    /// Adds an entry; its number.
    pub(crate) fn push_back(&mut self, value: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.last.push(value);
        if self.next.is_multiple_of(PAGE) {
            self.pages.push_back(Arc::new(std::mem::take(&mut self.last)));
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    fn same(fifo: &Fifo<(u64, u32)>, model: &VecDeque<(u64, u32)>) {
        assert_eq!((fifo.len(), fifo.is_empty()), (model.len(), model.is_empty()));
        assert!(fifo.iter().eq(model));
        assert_eq!(fifo.front(), model.front());
        for (number, value) in model {
            assert_eq!(fifo.get(*number), Some(&(*number, *value)));
        }
        assert_eq!(fifo.get(fifo.next), None);
        assert!(fifo.first == 0 || fifo.get(fifo.first - 1).is_none());
    }

    /// Any course is what a plain queue makes of it, and copies taken on the way stay as they were.
    #[test]
    fn as_a_plain_queue_and_copies_stay() {
        for seed in 0..200 {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let (mut fifo, mut model) = (Fifo::default(), VecDeque::new());
            let mut copies = Vec::new();
            // Mostly filling, then mostly emptying.
            for step in 0..800u32 {
                let push = if step % 400 < 200 { 7 } else { 3 };
                match rng.random_range(0..11) {
                    0 if step % 5 == 0 => copies.push((fifo.clone(), model.clone())),
                    draw if draw <= push => {
                        let number = fifo.next;
                        assert_eq!(fifo.push_back((number, step)), number);
                        model.push_back((number, step));
                    }
                    _ => {
                        fifo.pop_front();
                        model.pop_front();
                    }
                }
            }
            same(&fifo, &model);
            copies.iter().for_each(|(fifo, model)| same(fifo, model));
        }
    }
}
