//! One node is cut off from all others; clients may still reach it.

use super::cuts::{Cuts, between, list};
use super::{Begun, Stage};
use crate::world::Place;
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let one = Place::Node(stage.victim()?);
    let mut others: Vec<_> = stage.node_places().into_iter().filter(|place| *place != one).collect();
    for site in stage.site_places() {
        if stage.draw.chance(0.5) {
            others.push(site);
        }
    }
    stage.done(&format!("{one} | {}", list(&others)));
    Cuts::begin(stage, lasts, between(&[one], &others))
}
