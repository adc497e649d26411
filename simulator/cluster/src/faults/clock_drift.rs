//! A clock runs too fast or too slow.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use std::time::Duration;

/// A clock that drifts.
pub(super) struct ClockDrift {
    node: NodeId,
    ppm: i32,
    until: Duration,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let nodes = stage.world.nodes();
    let node = stage.pick(&nodes)?;
    let most = *stage.draw.pick(&[200, 2_000, 20_000, 100_000]);
    let size = i32::try_from(stage.draw.range(most / 2, most)).unwrap_or(200);
    let ppm = if stage.draw.chance(0.5) { size } else { -size };
    stage.shared.clocks.drift(stage.world, node, ppm);
    stage.done(&format!("{node} by {ppm} ppm"));
    Some(Box::new(ClockDrift { node, ppm, until: stage.now() + lasts }))
}

impl Fault for ClockDrift {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let over = stage.now() >= self.until;
        if over {
            stage.shared.clocks.undrift(stage.world, self.node, self.ppm);
            stage.note(&format!("{} runs as before", self.node));
        }
        over
    }
}
