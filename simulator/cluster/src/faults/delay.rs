//! What passes takes long: between two places, or to and from one node. Other connections
//! overtake it.

use super::loss::pair;
use super::{Begun, Fault, Stage};
use crate::world::Place;
use std::time::Duration;

/// Pairs between which everything takes longer.
pub(super) struct Delay {
    pairs: Vec<(Place, Place)>,
    extra: Duration,
    until: Duration,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let most = *stage.draw.pick(&[30, 100, 250, 500]);
    let extra = stage.draw.millis(10, most);
    let pairs = if stage.draw.chance(0.6) {
        vec![pair(stage)?]
    } else {
        let one = Place::Node(stage.victim()?);
        stage.node_places().into_iter().filter(|other| *other != one).map(|other| (one, other)).collect()
    };
    for (a, b) in &pairs {
        stage.delay(*a, *b, extra);
    }
    let between: Vec<String> = pairs.iter().map(|(a, b)| format!("{a} and {b}")).collect();
    stage.done(&format!("{extra:?} more between {}", between.join(", ")));
    Some(Box::new(Delay { pairs, extra, until: stage.now() + lasts }))
}

impl Fault for Delay {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        if stage.now() < self.until {
            return false;
        }
        for (a, b) in self.pairs.drain(..) {
            stage.undelay(a, b, self.extra);
        }
        stage.note("as fast as before");
        true
    }
}
