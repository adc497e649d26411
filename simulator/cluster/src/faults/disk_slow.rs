//! A disk is slow: every operation takes long.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use std::time::Duration;

/// A disk that is slow.
pub(super) struct DiskSlow {
    node: NodeId,
    delay: (Duration, u64),
    until: Duration,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let node = stage.victim()?;
    let most = *stage.draw.pick(&[5, 20, 60, 200]);
    let longest = stage.draw.millis(1, most);
    let delay = (longest, stage.draw.bits());
    stage.shared.disks.slow(stage.world, node, delay);
    stage.done(&format!("{node}'s disk takes up to {longest:?} for everything"));
    Some(Box::new(DiskSlow { node, delay, until: stage.now() + lasts }))
}

impl Fault for DiskSlow {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let over = stage.now() >= self.until;
        if over {
            stage.shared.disks.unslow(stage.world, self.node, self.delay);
            stage.note(&format!("{}'s disk is as fast as before", self.node));
        }
        over
    }
}
