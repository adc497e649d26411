//! An ordered set with order statistics and a summary per subtree: a treap in a slab.
//!
//! Priorities are a hash of the key, so the shape depends on the content alone. Everything is
//! O(log n) expected; the smallest key is kept at hand.

use crate::fixed::fold;
use std::ops::ControlFlow;

const NIL: u32 = u32::MAX;

/// A key with the word its priority is made of.
pub(crate) trait Key: Ord + Copy {
    /// Well spread after mixing; usually the id in the key.
    fn seed(&self) -> u64;
}

/// What a subtree knows of its members.
pub(crate) trait Summary: Copy {
    /// Of both.
    #[must_use]
    fn join(self, other: Self) -> Self;
}

impl Summary for () {
    fn join(self, (): Self) -> Self {}
}

#[derive(Debug, Clone)]
struct Node<K, S> {
    key: K,
    own: S,
    all: S,
    count: u32,
    priority: u32,
    left: u32,
    right: u32,
}

/// The set.
#[derive(Debug, Clone)]
pub(crate) struct Tree<K, S = ()> {
    nodes: Vec<Node<K, S>>,
    free: Vec<u32>,
    root: u32,
    first: Option<K>,
}

impl<K, S> Default for Tree<K, S> {
    fn default() -> Self {
        Self { nodes: Vec::new(), free: Vec::new(), root: NIL, first: None }
    }
}

impl<K: Key, S: Summary> Tree<K, S> {
    fn at(&self, index: u32) -> &Node<K, S> {
        &self.nodes[index as usize]
    }

    fn at_mut(&mut self, index: u32) -> &mut Node<K, S> {
        &mut self.nodes[index as usize]
    }

    pub(crate) fn len(&self) -> usize {
        if self.root == NIL { 0 } else { self.at(self.root).count as usize }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.root == NIL
    }

    /// What is known of all members together.
    pub(crate) fn all(&self) -> Option<S> {
        if self.root == NIL { None } else { Some(self.at(self.root).all) }
    }

    /// The smallest key.
    pub(crate) fn first(&self) -> Option<K> {
        self.first
    }

    fn count(&self, index: u32) -> u32 {
        if index == NIL { 0 } else { self.at(index).count }
    }

    fn renew(&mut self, index: u32) {
        let (left, right) = (self.at(index).left, self.at(index).right);
        let mut all = self.at(index).own;
        let mut count = 1;
        for child in [left, right] {
            if child != NIL {
                all = all.join(self.at(child).all);
                count += self.at(child).count;
            }
        }
        let node = self.at_mut(index);
        node.all = all;
        node.count = count;
    }

    /// Adds a key that is not in the set.
    #[expect(clippy::cast_possible_truncation, reason = "a treap's priority may be any 32 bits")]
    pub(crate) fn insert(&mut self, key: K, own: S) {
        let priority = fold(key.seed(), 0x2d35_8dcc_aa6c_78a5) as u32;
        let node = Node { key, own, all: own, count: 1, priority, left: NIL, right: NIL };
        let index = if let Some(index) = self.free.pop() {
            self.nodes[index as usize] = node;
            index
        } else {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        };
        self.root = self.insert_below(self.root, index);
        if self.first.is_none_or(|first| key < first) {
            self.first = Some(key);
        }
    }

    fn insert_below(&mut self, top: u32, index: u32) -> u32 {
        if top == NIL {
            return index;
        }
        let key = self.at(index).key;
        if self.at(index).priority > self.at(top).priority {
            let (left, right) = self.split(top, &key);
            let node = self.at_mut(index);
            node.left = left;
            node.right = right;
            self.renew(index);
            return index;
        }
        if key < self.at(top).key {
            let left = self.insert_below(self.at(top).left, index);
            self.at_mut(top).left = left;
        } else {
            let right = self.insert_below(self.at(top).right, index);
            self.at_mut(top).right = right;
        }
        self.renew(top);
        top
    }

    fn split(&mut self, top: u32, key: &K) -> (u32, u32) {
        if top == NIL {
            return (NIL, NIL);
        }
        if self.at(top).key < *key {
            let (left, right) = self.split(self.at(top).right, key);
            self.at_mut(top).right = left;
            self.renew(top);
            (top, right)
        } else {
            let (left, right) = self.split(self.at(top).left, key);
            self.at_mut(top).left = right;
            self.renew(top);
            (left, top)
        }
    }

    fn merge(&mut self, left: u32, right: u32) -> u32 {
        if left == NIL {
            return right;
        }
        if right == NIL {
            return left;
        }
        if self.at(left).priority > self.at(right).priority {
            let merged = self.merge(self.at(left).right, right);
            self.at_mut(left).right = merged;
            self.renew(left);
            left
        } else {
            let merged = self.merge(left, self.at(right).left);
            self.at_mut(right).left = merged;
            self.renew(right);
            right
        }
    }

    /// Takes a key out; whether it was there.
    pub(crate) fn remove(&mut self, key: &K) -> bool {
        let Some(root) = self.remove_below(self.root, key) else { return false };
        self.root = root;
        if self.first == Some(*key) {
            self.first = self.leftmost();
        }
        true
    }

    fn remove_below(&mut self, top: u32, key: &K) -> Option<u32> {
        if top == NIL {
            return None;
        }
        match key.cmp(&self.at(top).key) {
            std::cmp::Ordering::Equal => {
                let merged = self.merge(self.at(top).left, self.at(top).right);
                self.free.push(top);
                return Some(merged);
            }
            std::cmp::Ordering::Less => {
                let left = self.remove_below(self.at(top).left, key)?;
                self.at_mut(top).left = left;
            }
            std::cmp::Ordering::Greater => {
                let right = self.remove_below(self.at(top).right, key)?;
                self.at_mut(top).right = right;
            }
        }
        self.renew(top);
        Some(top)
    }

    fn leftmost(&self) -> Option<K> {
        let mut index = self.root;
        let mut found = None;
        while index != NIL {
            found = Some(self.at(index).key);
            index = self.at(index).left;
        }
        found
    }

    /// Changes what the summaries know of one key; whether it is there.
    pub(crate) fn set(&mut self, key: &K, own: S) -> bool {
        self.set_below(self.root, key, own)
    }

    fn set_below(&mut self, top: u32, key: &K, own: S) -> bool {
        if top == NIL {
            return false;
        }
        let found = match key.cmp(&self.at(top).key) {
            std::cmp::Ordering::Equal => {
                self.at_mut(top).own = own;
                true
            }
            std::cmp::Ordering::Less => self.set_below(self.at(top).left, key, own),
            std::cmp::Ordering::Greater => self.set_below(self.at(top).right, key, own),
        };
        if found {
            self.renew(top);
        }
        found
    }

    /// How many keys are smaller, and whether this one is in the set.
    pub(crate) fn rank(&self, key: &K) -> (usize, bool) {
        let mut index = self.root;
        let mut before = 0;
        while index != NIL {
            let node = self.at(index);
            match key.cmp(&node.key) {
                std::cmp::Ordering::Less => index = node.left,
                std::cmp::Ordering::Equal => return (before + self.count(node.left) as usize, true),
                std::cmp::Ordering::Greater => {
                    before += self.count(node.left) as usize + 1;
                    index = node.right;
                }
            }
        }
        (before, false)
    }

    /// The smallest key that is not in `without`, a subset of this set. Counts nodes in `visited`.
    pub(crate) fn first_without<T: Summary>(&self, without: &Tree<K, T>, visited: &mut u64) -> Option<K> {
        if without.len() >= self.len() {
            return None;
        }
        let mut index = self.root;
        // Members of `without` smaller than everything below `index`.
        let mut before = 0;
        while index != NIL {
            *visited += 1;
            let node = self.at(index);
            let (smaller, within) = without.rank(&node.key);
            if smaller - before < self.count(node.left) as usize {
                index = node.left;
            } else if !within {
                return Some(node.key);
            } else {
                before = smaller + 1;
                index = node.right;
            }
        }
        None
    }

    /// The smallest key after `after` that passes. `pass` is asked of summaries too: it must pass
    /// for a join whenever it passes for a part.
    pub(crate) fn find(&self, after: Option<&K>, pass: &impl Fn(&S) -> bool, visited: &mut u64) -> Option<K> {
        self.find_below(self.root, after, pass, visited)
    }

    fn find_below(
        &self,
        top: u32,
        after: Option<&K>,
        pass: &impl Fn(&S) -> bool,
        visited: &mut u64,
    ) -> Option<K> {
        if top == NIL {
            return None;
        }
        *visited += 1;
        let node = self.at(top);
        if !pass(&node.all) {
            return None;
        }
        if after.is_some_and(|after| node.key <= *after) {
            return self.find_below(node.right, after, pass, visited);
        }
        if let Some(found) = self.find_below(node.left, after, pass, visited) {
            return Some(found);
        }
        if pass(&node.own) {
            return Some(node.key);
        }
        self.find_below(node.right, None, pass, visited)
    }

    /// Shows the keys after `after` that pass, in order, until told to stop: what [`Tree::find`] finds
    /// one by one, for the price of the first.
    pub(crate) fn walk(
        &self,
        after: Option<&K>,
        pass: &impl Fn(&S) -> bool,
        visited: &mut u64,
        show: &mut impl FnMut(K) -> ControlFlow<()>,
    ) {
        let _ = self.walk_below(self.root, after, pass, visited, show);
    }

    fn walk_below(
        &self,
        top: u32,
        after: Option<&K>,
        pass: &impl Fn(&S) -> bool,
        visited: &mut u64,
        show: &mut impl FnMut(K) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if top == NIL {
            return ControlFlow::Continue(());
        }
        *visited += 1;
        let node = self.at(top);
        if !pass(&node.all) {
            return ControlFlow::Continue(());
        }
        if after.is_some_and(|after| node.key <= *after) {
            return self.walk_below(node.right, after, pass, visited, show);
        }
        self.walk_below(node.left, after, pass, visited, show)?;
        if pass(&node.own) {
            show(node.key)?;
        }
        self.walk_below(node.right, None, pass, visited, show)
    }

    /// All keys in order; for reads and rebuilding only.
    pub(crate) fn keys(&self) -> Vec<K> {
        let mut keys = Vec::with_capacity(self.len());
        let mut stack = Vec::new();
        let mut index = self.root;
        loop {
            while index != NIL {
                stack.push(index);
                index = self.at(index).left;
            }
            let Some(top) = stack.pop() else { return keys };
            keys.push(self.at(top).key);
            index = self.at(top).right;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Summary, Tree};
    use std::collections::BTreeMap;

    impl Key for u64 {
        fn seed(&self) -> u64 {
            *self
        }
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Max(u8);

    impl Summary for Max {
        fn join(self, other: Self) -> Self {
            Max(self.0.max(other.0))
        }
    }

    #[test]
    fn agrees_with_a_plain_map() {
        let mut tree = Tree::<u64, Max>::default();
        let mut excluded = Tree::<u64>::default();
        let mut map = BTreeMap::<u64, (Max, bool)>::new();
        let mut state = 7u64;
        for _ in 0..5_000 {
            state = crate::fixed::fold(state, 99);
            let (key, value, action) = (state % 97, Max((state >> 20) as u8), (state >> 40) % 4);
            match (action, map.contains_key(&key)) {
                (0 | 1, false) => {
                    tree.insert(key, value);
                    map.insert(key, (value, false));
                }
                (0, true) => {
                    assert!(tree.remove(&key));
                    excluded.remove(&key);
                    map.remove(&key);
                }
                (1, true) => {
                    assert!(tree.set(&key, value));
                    map.insert(key, (value, map[&key].1));
                }
                (2, true) if !map[&key].1 => {
                    excluded.insert(key, ());
                    map.insert(key, (map[&key].0, true));
                }
                _ => {}
            }
            assert_eq!(tree.keys(), map.keys().copied().collect::<Vec<_>>());
            assert_eq!(tree.first(), map.keys().next().copied());
            assert_eq!(tree.rank(&50).0, map.range(..50).count());
            let mut visited = 0;
            let free = map.iter().find(|(_, (_, excluded))| !excluded).map(|(key, _)| *key);
            assert_eq!(tree.first_without(&excluded, &mut visited), free);
            let big = map.range(31..).find(|(_, (max, _))| max.0 >= 200).map(|(key, _)| *key);
            assert_eq!(tree.find(Some(&30), &|max| max.0 >= 200, &mut visited), big);
        }
    }
}
