//! An operation of a disk that is going to fail, whichever.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use consensus::disk::{Area, Operation};
use std::time::Duration;

/// Time for the operation to come, and for the node to stop.
const TIME: Duration = Duration::from_secs(10);

/// A node one of whose next operations fails. It stops by itself, or goes on: then it loses power,
/// which shows what it took for safe.
pub(super) struct DiskFailure {
    node: NodeId,
    phase: Phase,
    lasts: Duration,
}

enum Phase {
    /// The operation is to come, up to this moment.
    Armed(Duration),
    /// Without power until this moment.
    Down(Duration),
}

impl DiskFailure {
    pub(super) fn begin(
        stage: &mut Stage<'_>,
        lasts: Duration,
        operation: Operation,
        area: Option<Area>,
    ) -> Begun {
        let node = stage.victim()?;
        stage.hurt_disk(node).fail_next(operation, area);
        let of = area.map_or_else(String::new, |area| format!(" of its {area}"));
        stage.done(&format!("{node}: the next {operation}{of} fails"));
        let phase = Phase::Armed(stage.now() + TIME);
        Some(Box::new(DiskFailure { node, phase, lasts }))
    }

    fn over(&self, stage: &mut Stage<'_>) -> bool {
        stage.disk_recovers(self.node);
        true
    }
}

impl Fault for DiskFailure {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let now = stage.now();
        match self.phase {
            Phase::Armed(_) if stage.world.failure(self.node).is_some() => {
                stage.count("stopped");
                stage.world.disk(self.node).cancel_failures();
                // The process starts again on what it wrote; or the machine loses power, too.
                if stage.draw.chance(0.5) {
                    stage.crash(self.node);
                    stage.note(&format!("{} loses power, too", self.node));
                    self.phase = Phase::Down(stage.after(self.lasts));
                    return false;
                }
                self.over(stage)
            }
            // Another fault has crashed it, and with the power the failure to come is gone; or it was stopped in
            // good order, and must find a sound disk when it starts.
            Phase::Armed(_) if !stage.world.is_up(self.node) => {
                stage.world.disk(self.node).cancel_failures();
                self.over(stage)
            }
            Phase::Armed(until) if now >= until => {
                stage.count("went-on");
                stage.world.disk(self.node).cancel_failures();
                stage.crash(self.node);
                stage.note(&format!("{} runs on and loses power", self.node));
                self.phase = Phase::Down(stage.after(self.lasts));
                false
            }
            Phase::Down(until) if now >= until => {
                stage.release(self.node);
                self.over(stage)
            }
            Phase::Armed(_) | Phase::Down(_) => false,
        }
    }
}
