//! A wall clock jumps, and at times back again.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use std::time::Duration;

/// A clock that jumped.
pub(super) struct ClockJump {
    node: NodeId,
    by_ms: i64,
    /// When it jumps back; `None`: it stays wrong until the cluster is healed.
    until: Option<Duration>,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let nodes = stage.world.nodes();
    let node = stage.pick(&nodes)?;
    let most_s: u64 = *stage.draw.pick(&[5, 60, 3_600, 86_400]);
    let size = i64::try_from(stage.draw.range(1_000, most_s * 1_000)).unwrap_or(1_000);
    let by_ms = if stage.draw.chance(0.5) { size } else { -size };
    stage.world.clock(node).jump(by_ms);
    stage.done(&format!("{node} by {by_ms} ms"));
    let until = stage.draw.chance(0.5).then(|| stage.now() + lasts);
    Some(Box::new(ClockJump { node, by_ms, until }))
}

impl Fault for ClockJump {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        match self.until {
            None => true,
            Some(until) if stage.now() >= until => {
                stage.world.clock(self.node).jump(-self.by_ms);
                stage.note(&format!("{} is right again", self.node));
                true
            }
            Some(_) => false,
        }
    }
}
