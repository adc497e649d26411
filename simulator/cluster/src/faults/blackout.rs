//! Every node loses power at the same instant; they come back one by one.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use std::time::Duration;

/// Nodes that are down, and when each comes back.
pub(super) struct Blackout {
    down: Vec<(NodeId, Duration)>,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    if stage.up().is_empty() {
        return None;
    }
    // At times the power comes back for all at the same instant, too.
    let together = stage.draw.chance(0.3);
    let all = stage.now() + lasts;
    let mut down = Vec::new();
    for node in stage.world.nodes() {
        stage.crash(node);
        let until = if together { all } else { stage.after(lasts) };
        down.push((node, until));
    }
    stage.done("every node loses power");
    Some(Box::new(Blackout { down }))
}

impl Fault for Blackout {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let now = stage.now();
        self.down.retain(|(node, until)| {
            let down = now < *until;
            if !down {
                stage.release(*node);
            }
            down
        });
        self.down.is_empty()
    }
}
