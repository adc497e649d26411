//! All nodes are upgraded to the next release, one after the other; when they are, they only restart.
//! Meanwhile the cluster is of two releases. What joins from now on runs the next one.

use super::restart::Restart;
use super::{Begun, Stage};
use routing::level;
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    for spare in stage.world.spares() {
        stage.world.install(spare, level::REHEARSAL);
    }
    let nodes = stage.world.nodes();
    let next = stage.some(&nodes, nodes.len());
    Some(Box::new(Restart::upgrade(stage, next, lasts)))
}
