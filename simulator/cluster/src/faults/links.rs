//! Cuts and delays between places, which several faults may want at once.

use crate::world::{Place, World};
use std::collections::BTreeMap;
use std::time::Duration;

/// A direction is mended when the last fault that cut it is over; of several delays the longest
/// holds.
#[derive(Debug, Default)]
pub(super) struct Links {
    cuts: BTreeMap<(Place, Place), u32>,
    delays: BTreeMap<(Place, Place), Vec<Duration>>,
}

impl Links {
    pub(super) fn cut(&mut self, world: &mut dyn World, from: Place, to: Place) {
        let wanted = self.cuts.entry((from, to)).or_default();
        *wanted += 1;
        if *wanted == 1 {
            world.cut(from, to);
        }
    }

    pub(super) fn mend(&mut self, world: &mut dyn World, from: Place, to: Place) {
        let Some(wanted) = self.cuts.get_mut(&(from, to)) else { return };
        *wanted -= 1;
        if *wanted == 0 {
            self.cuts.remove(&(from, to));
            world.mend(from, to);
        }
    }

    pub(super) fn delay(&mut self, world: &mut dyn World, a: Place, b: Place, extra: Duration) {
        self.delays.entry((a.min(b), a.max(b))).or_default().push(extra);
        self.show_delay(world, a, b);
    }

    pub(super) fn undelay(&mut self, world: &mut dyn World, a: Place, b: Place, extra: Duration) {
        let Some(wanted) = self.delays.get_mut(&(a.min(b), a.max(b))) else { return };
        if let Some(place) = wanted.iter().position(|one| *one == extra) {
            wanted.swap_remove(place);
        }
        self.show_delay(world, a, b);
    }

    fn show_delay(&mut self, world: &mut dyn World, a: Place, b: Place) {
        let pair = (a.min(b), a.max(b));
        let longest = self.delays.get(&pair).and_then(|wanted| wanted.iter().max().copied());
        world.delay(pair.0, pair.1, longest.unwrap_or_default());
        if longest.is_none() {
            self.delays.remove(&pair);
        }
    }

    /// Mends everything.
    pub(super) fn heal(&mut self, world: &mut dyn World) {
        for (from, to) in std::mem::take(&mut self.cuts).into_keys() {
            world.mend(from, to);
        }
        for (a, b) in std::mem::take(&mut self.delays).into_keys() {
            world.delay(a, b, Duration::ZERO);
        }
    }
}
