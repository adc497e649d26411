//! A node is removed, whether it runs or not; asked for again at another node while it has not left.

use super::fault::Over;
use super::{Begun, Stage};
use crate::world::Order;
use consensus::NodeId;
use std::time::Duration;

/// Nodes that always stay.
const STAY: usize = 2;

pub(super) fn begin(stage: &mut Stage<'_>, _lasts: Duration) -> Begun {
    let nodes = stage.world.nodes();
    let leaving: Vec<NodeId> =
        nodes.iter().copied().filter(|node| stage.shared.outages.is_leaving(*node)).collect();
    let node = match leaving.first() {
        Some(node) => *node,
        None if nodes.len() > STAY => {
            // Clients know the founders alone; two of them stay.
            let may_go = &nodes[STAY..];
            *stage.draw.pick(may_go)
        }
        None => return None,
    };
    let asked = stage.up_node()?;
    stage.world.seen_by(asked)?;
    stage.shared.outages.leaves(node);
    stage.world.order(asked, Order::Remove(node));
    stage.done(&format!("{node}, asked for at {asked}"));
    Some(Box::new(Over))
}
