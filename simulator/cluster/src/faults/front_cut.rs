//! A node that clients reach is cut off from a leader, and only from it: whoever is connected to
//! it is far from what it works with.

use super::cuts::Cuts;
use super::{Begun, Stage};
use crate::world::Place;
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let (group, leader) = stage.leader()?;
    let fronts: Vec<_> = stage.up().into_iter().filter(|node| *node != leader).collect();
    let sessions = |node| stage.world.seen_by(node).map_or(0, |seen| seen.figures.sessions_here);
    let busy: Vec<_> = fronts.iter().copied().filter(|node| sessions(*node) > 0).collect();
    let front = stage.pick(if busy.is_empty() { &fronts } else { &busy })?;
    stage.count(if busy.is_empty() { "without-sessions" } else { "with-sessions" });
    stage.done(&format!("{front} | {leader}, which leads {group}"));
    let (front, leader) = (Place::Node(front), Place::Node(leader));
    let cuts = match stage.draw.range(0, 5) {
        0 => vec![(front, leader)],
        1 => vec![(leader, front)],
        _ => vec![(front, leader), (leader, front)],
    };
    Cuts::begin(stage, lasts, cuts)
}
