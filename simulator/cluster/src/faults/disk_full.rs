//! A disk is full. Its node stops by itself, or refuses; when there is space again it starts anew.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use std::time::Duration;

/// A disk that is full.
pub(super) struct DiskFull {
    node: NodeId,
    until: Duration,
    stopped: bool,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let node = stage.victim()?;
    stage.hurt_disk(node);
    stage.shared.disks.fill(stage.world, node);
    stage.done(&format!("{node}'s disk is full"));
    Some(Box::new(DiskFull { node, until: stage.now() + lasts, stopped: false }))
}

impl Fault for DiskFull {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        if !self.stopped && stage.world.failure(self.node).is_some() {
            self.stopped = true;
            stage.count("stopped");
        }
        if stage.now() < self.until {
            return false;
        }
        stage.shared.disks.free(stage.world, self.node);
        stage.disk_recovers(self.node);
        stage.note(&format!("{}'s disk has space again", self.node));
        // One that still runs may go on, or start anew as the others do.
        if stage.is_up(self.node) && stage.draw.chance(0.5) {
            stage.crash(self.node);
            stage.release(self.node);
        }
        true
    }
}
