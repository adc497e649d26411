//! What all partitions are made of: directions that are cut for a time.

use super::{Begun, Fault, Stage};
use crate::world::Place;
use std::time::Duration;

/// Directions that are cut until a moment.
pub(super) struct Cuts {
    until: Duration,
    cuts: Vec<(Place, Place)>,
}

impl Cuts {
    /// Cuts these directions for so long.
    pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration, cuts: Vec<(Place, Place)>) -> Begun {
        for (from, to) in &cuts {
            stage.cut(*from, *to);
        }
        Some(Box::new(Cuts { until: stage.now() + lasts, cuts }))
    }
}

impl Fault for Cuts {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        if stage.now() < self.until {
            return false;
        }
        for (from, to) in self.cuts.drain(..) {
            stage.mend(from, to);
        }
        stage.note("mended");
        true
    }
}

/// Both directions between every place of one part and every place of the other.
pub(super) fn between(some: &[Place], others: &[Place]) -> Vec<(Place, Place)> {
    let pairs = some.iter().flat_map(|a| others.iter().map(move |b| (*a, *b)));
    pairs.flat_map(|(a, b)| [(a, b), (b, a)]).collect()
}

/// Places, for a report.
pub(super) fn list(places: &[Place]) -> String {
    places.iter().map(Place::to_string).collect::<Vec<_>>().join(" ")
}
