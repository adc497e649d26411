//! A node stops in good order and comes back; at times all of them, one after the other, as in an
//! upgrade.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use routing::level;
use std::time::Duration;

/// A node that has not stopped after this long is killed, as a Kubernetes would.
const GRACE: Duration = Duration::from_secs(10);
/// Probability of a rolling restart.
const ROLLING: f64 = 0.2;

/// A node that stops or is down, and those that follow.
pub(super) struct Restart {
    node: NodeId,
    next: Vec<NodeId>,
    lasts: Duration,
    phase: Phase,
    /// Whether they come back with the next release.
    upgrades: bool,
}

enum Phase {
    /// Told to stop; killed at this moment.
    Stopping(Duration),
    /// Down until this moment.
    Down(Duration),
    /// Up again; the next one stops at this moment.
    Between(Duration),
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let mut next = Vec::new();
    let node = if stage.draw.chance(ROLLING) {
        let up = stage.up();
        next = stage.some(&up, up.len());
        next.pop()?
    } else {
        stage.victim()?
    };
    // One that still starts cannot be told anything.
    stage.world.seen_by(node)?;
    if !next.is_empty() {
        stage.count("rolling");
    }
    stage.stop(node);
    stage.done(&format!("{node} is told to stop"));
    let phase = Phase::Stopping(stage.now() + GRACE);
    Some(Box::new(Restart { node, next, lasts, phase, upgrades: false }))
}

impl Restart {
    /// Of all these, one after the other, to come back with the next release.
    pub(super) fn upgrade(stage: &Stage<'_>, next: Vec<NodeId>, lasts: Duration) -> Restart {
        let node = next[0];
        Restart { node, next, lasts, phase: Phase::Between(stage.now()), upgrades: true }
    }

    /// The node does not run: it may be given another release.
    fn install(&self, stage: &mut Stage<'_>) {
        if self.upgrades {
            stage.world.install(self.node, level::REHEARSAL);
            stage.done(&format!("{} has the next release", self.node));
        }
    }
}

impl Fault for Restart {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let now = stage.now();
        match self.phase {
            Phase::Stopping(_) if !stage.world.is_up(self.node) => {
                stage.note(&format!("{} has stopped", self.node));
                self.install(stage);
                self.phase = Phase::Down(stage.after(self.lasts));
            }
            Phase::Stopping(until) if now >= until => {
                stage.count("killed");
                stage.note(&format!("{} does not stop and is killed", self.node));
                stage.crash(self.node);
                // Held once by the order to stop, once by the crash.
                stage.release(self.node);
                self.install(stage);
                self.phase = Phase::Down(stage.after(self.lasts));
            }
            Phase::Down(until) if now >= until => {
                stage.release(self.node);
                if self.next.is_empty() {
                    return true;
                }
                self.phase = Phase::Between(now + stage.draw.millis(500, 4_000));
            }
            Phase::Between(until) if now >= until => {
                let Some(node) = self.next.pop() else { return true };
                self.node = node;
                if stage.is_up(node) {
                    stage.stop(node);
                    stage.note(&format!("{node} is told to stop"));
                    self.phase = Phase::Stopping(now + GRACE);
                } else {
                    self.install(stage);
                }
            }
            Phase::Stopping(_) | Phase::Down(_) | Phase::Between(_) => {}
        }
        false
    }
}
