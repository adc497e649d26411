//! A node stays away for so long that the others may have thrown its next entries away.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use std::time::Duration;

/// A node that is down.
pub(super) struct LongCrash {
    node: NodeId,
    until: Duration,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let node = stage.up_node()?;
    stage.crash(node);
    stage.done(&format!("{node} loses power for {:.1} s", lasts.as_secs_f64()));
    Some(Box::new(LongCrash { node, until: stage.now() + lasts }))
}

impl Fault for LongCrash {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let over = stage.now() >= self.until;
        if over {
            stage.release(self.node);
        }
        over
    }
}
