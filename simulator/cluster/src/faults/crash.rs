//! A node loses power, or its process is killed, and comes back soon.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use std::time::Duration;

/// Probability that the node loses power again while it starts.
const AGAIN: f64 = 0.25;

/// Probability that only the process is killed: what it wrote and had not flushed is there when it
/// starts again, and lost if the power goes before it is flushed.
const KILLED: f64 = 0.3;

/// A node that is down, or has just been started and goes down again.
pub(super) struct Crash {
    node: NodeId,
    phase: Phase,
}

enum Phase {
    /// Down until this moment.
    Down(Duration),
    /// Starting; power is lost again at this moment.
    Starting(Duration),
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let node = stage.victim()?;
    if stage.draw.chance(KILLED) {
        stage.kill(node);
        stage.done(&format!("{node} is killed"));
        stage.count("killed");
    } else {
        stage.crash(node);
        stage.done(&format!("{node} loses power"));
    }
    Some(Box::new(Crash { node, phase: Phase::Down(stage.now() + lasts) }))
}

impl Fault for Crash {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let now = stage.now();
        match self.phase {
            Phase::Down(until) if now >= until => {
                stage.release(self.node);
                if !stage.draw.chance(AGAIN) {
                    return true;
                }
                self.phase = Phase::Starting(now + stage.draw.millis(1, 300));
            }
            Phase::Starting(until) if now >= until => {
                if !stage.world.is_up(self.node) {
                    return true;
                }
                stage.crash(self.node);
                stage.count("while-starting");
                stage.note(&format!("{} loses power while it starts", self.node));
                self.phase = Phase::Down(now + stage.draw.millis(1, 2_000));
            }
            Phase::Down(_) | Phase::Starting(_) => {}
        }
        false
    }
}
