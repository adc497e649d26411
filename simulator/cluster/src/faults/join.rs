//! A spare machine's node asks to be taken in, again and again until it was.

use super::fault::Over;
use super::{Begun, Stage};
use crate::world::Order;
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, _lasts: Duration) -> Begun {
    // In order, so that machines and nodes have the same numbers.
    let spare = *stage.world.spares().first()?;
    let asked = stage.up_node()?;
    stage.world.seen_by(asked)?;
    stage.shared.asking = Some(spare);
    stage.world.order(asked, Order::Join(spare));
    stage.done(&format!("{spare} asks {asked}"));
    Some(Box::new(Over))
}
