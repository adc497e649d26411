//! What waits in a queue by one channel: a line per class of what is required, and the best of each.

use super::keys::{Line, RankKey};
use super::skills::ClassNo;
use crate::LogTime;
use std::collections::{BTreeMap, BTreeSet};

/// The lines of one queue and channel.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineSet {
    /// Those that require nothing.
    plain: Line,
    /// The others, by what they require. None is empty.
    classes: BTreeMap<ClassNo, Line>,
    /// The first of each of those.
    heads: BTreeSet<(RankKey, ClassNo)>,
    /// Those that named agents have to themselves for a time: they stand in these agents' lines, and are
    /// here to be counted.
    named: Line,
}

impl LineSet {
    /// All lines.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Line> {
        [&self.plain, &self.named].into_iter().chain(self.classes.values())
    }

    /// Those whose conversations any agent may have that meets their class.
    pub(crate) fn open_classes(&self) -> impl Iterator<Item = ClassNo> {
        let plain = (!self.plain.is_empty()).then_some(ClassNo::PLAIN);
        plain.into_iter().chain(self.classes.keys().copied())
    }

    /// Whether there is none of those.
    pub(crate) fn is_closed(&self) -> bool {
        self.plain.is_empty() && self.classes.is_empty()
    }

    /// A line.
    pub(crate) fn line(&self, class: ClassNo) -> Option<&Line> {
        if class == ClassNo::PLAIN { Some(&self.plain) } else { self.classes.get(&class) }
    }

    /// The first of each class that requires something, the best first.
    pub(crate) fn heads(&self) -> impl Iterator<Item = (RankKey, ClassNo)> {
        self.heads.iter().copied()
    }

    /// Adds a conversation to its class.
    pub(crate) fn enter(&mut self, class: ClassNo, key: RankKey, arrived_at: LogTime) {
        self.change(class, |line| line.enter(key, arrived_at));
    }

    /// Takes a conversation out of its class.
    pub(crate) fn leave(&mut self, class: ClassNo, key: &RankKey) {
        self.change(class, |line| {
            line.remove(key);
        });
    }

    fn change(&mut self, class: ClassNo, change: impl FnOnce(&mut Line)) {
        if class == ClassNo::PLAIN {
            change(&mut self.plain);
            return;
        }
        let line = self.classes.entry(class).or_default();
        let before = line.first();
        change(line);
        let after = line.first();
        if line.is_empty() {
            self.classes.remove(&class);
        }
        if before != after {
            if let Some(head) = before {
                self.heads.remove(&(head, class));
            }
            if let Some(head) = after {
                self.heads.insert((head, class));
            }
        }
    }

    /// Counts one that named agents have to themselves.
    pub(crate) fn enter_named(&mut self, key: RankKey, arrived_at: LogTime) {
        self.named.enter(key, arrived_at);
    }

    /// Counts it no more.
    pub(crate) fn leave_named(&mut self, key: &RankKey) {
        self.named.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConvNo;
    use super::super::keys::Ranking;
    use super::*;
    use crate::Priority;
    use crate::settings::RankPolicy;

    #[test]
    fn heads_are_the_first_of_each_class() {
        let ranking = Ranking::new(&RankPolicy::Priority);
        let key = |number: u64| ranking.key(Priority(0), LogTime(number), ConvNo(number));
        let mut set = LineSet::default();
        let (a, b) = (ClassNo(1), ClassNo(2));
        for (class, number) in [(a, 5), (b, 3), (a, 1), (ClassNo::PLAIN, 2)] {
            set.enter(class, key(number), LogTime(number));
        }
        set.enter_named(key(9), LogTime(9));
        assert_eq!(set.heads().collect::<Vec<_>>(), [(key(1), a), (key(3), b)]);
        assert_eq!(set.iter().map(Line::len).sum::<usize>(), 5);
        set.leave(a, &key(1));
        assert_eq!(set.heads().collect::<Vec<_>>(), [(key(3), b), (key(5), a)]);
        set.leave(b, &key(3));
        assert_eq!(set.open_classes().collect::<Vec<_>>(), [ClassNo::PLAIN, a]);
        set.leave(a, &key(5));
        set.leave(ClassNo::PLAIN, &key(2));
        assert!(set.is_closed() && set.heads().next().is_none());
        set.leave_named(&key(9));
        assert_eq!(set.iter().map(Line::len).sum::<usize>(), 0);
    }
}
