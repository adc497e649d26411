//! Offers to several agents at once: queues offer to as many as was told last.

use super::{Ghost, Step};
use crate::EventKind;

/// For R-3: queues that offer to another number of agents than was told last.
pub(super) fn kept(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let differs = step.queues().filter_map(|queue| {
        let told = step.events.iter().rev().find_map(|event| match &event.kind {
            EventKind::RingChanged { queue: of, agents, .. } if *of == queue.id => Some(*agents),
            _ => None,
        });
        let told = told.or_else(|| ghost.rings.get(&queue.id).copied())?;
        let has = queue.ring;
        (told != has).then(|| format!("{} was to offer to {told} at once and offers to {has}", queue.id))
    });
    differs.collect()
}
