//! A read fails: in a running node, or in one that starts, which then starts again.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use std::time::Duration;

/// Time for the next read to come.
const TIME: Duration = Duration::from_secs(10);

/// A read that is going to fail.
pub(super) struct DiskRead {
    node: NodeId,
    phase: Phase,
}

enum Phase {
    /// Without power until this moment; then it starts with a read that fails.
    Down(Duration),
    /// The next read fails, up to this moment.
    Waiting(Duration),
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let node = stage.victim()?;
    let now = stage.now();
    let disk = stage.hurt_disk(node);
    // A node that runs seldom reads: what it needs is in memory.
    let phase = if stage.draw.chance(0.7) {
        stage.crash(node);
        stage.done(&format!("{node} loses power, and the first read of its next start fails"));
        Phase::Down(now + lasts)
    } else {
        disk.fail_next_read();
        stage.done(&format!("the next read of {node} fails"));
        Phase::Waiting(now + TIME)
    };
    Some(Box::new(DiskRead { node, phase }))
}

impl Fault for DiskRead {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let now = stage.now();
        match self.phase {
            Phase::Down(until) if now >= until => {
                stage.world.disk(self.node).fail_next_read();
                stage.release(self.node);
                self.phase = Phase::Waiting(now + TIME);
            }
            Phase::Waiting(until) => {
                let failed = stage.world.failure(self.node).is_some();
                if failed || now >= until {
                    if failed {
                        stage.count("stopped");
                    }
                    stage.world.disk(self.node).cancel_failures();
                    stage.disk_recovers(self.node);
                    return true;
                }
            }
            Phase::Down(_) => {}
        }
        false
    }
}
