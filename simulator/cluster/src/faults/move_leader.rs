//! Leadership is moved by order: of one group, or of all that a node leads; at times to a node
//! that does not run.

use super::fault::Over;
use super::{Begun, Stage};
use crate::world::Order;
use consensus::NodeId;
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, _lasts: Duration) -> Begun {
    let (group, leader) = stage.leader()?;
    if !stage.is_up(leader) {
        return None;
    }
    let others: Vec<NodeId> = stage.world.nodes().into_iter().filter(|node| *node != leader).collect();
    let groups = if stage.draw.chance(0.7) {
        vec![group]
    } else {
        let seen = stage.world.seen_by(leader)?;
        seen.shards.iter().filter(|shard| shard.leading).map(|shard| shard.group).collect()
    };
    let mut moved = Vec::new();
    for group in groups {
        let to = stage.pick(&others)?;
        stage.world.order(leader, Order::Transfer(group, to));
        moved.push(format!("{group} to {to}"));
    }
    if moved.is_empty() {
        return None;
    }
    stage.done(&format!("from {leader}: {}", moved.join(", ")));
    Some(Box::new(Over))
}
