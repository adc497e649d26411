//! The shards are to have more or fewer replicas.

use super::fault::Over;
use super::{Begun, Stage};
use crate::world::Order;
use std::time::Duration;

/// What a cluster can be set to. With one, a shard does nothing while its node is away.
const CHOICE: [u8; 4] = [1, 3, 3, 5];

pub(super) fn begin(stage: &mut Stage<'_>, _lasts: Duration) -> Begun {
    let asked = stage.up_node()?;
    let replicas = *stage.draw.pick(&CHOICE);
    stage.world.order(asked, Order::Replicas(replicas));
    stage.done(&format!("{replicas}, asked for at {asked}"));
    Some(Box::new(Over))
}
