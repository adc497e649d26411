//! Power is lost inside a step of the disk: before it, or after it and before anybody heard of it.

use super::{Begun, Fault, Stage};
use consensus::NodeId;
use consensus::disk::{Area, HaltPoint, Moment, Operation};
use std::time::Duration;

/// Steps that a node does after its birth.
const STEPS: [(Area, &[Operation]); 3] = [
    (
        Area::Log,
        &[
            Operation::Write,
            Operation::Sync,
            Operation::Read,
            Operation::Truncate,
            Operation::Create,
            Operation::Remove,
            Operation::SyncDir,
        ],
    ),
    (
        Area::Snapshots,
        &[
            Operation::Write,
            Operation::Sync,
            Operation::Read,
            Operation::Create,
            Operation::Rename,
            Operation::Remove,
            Operation::SyncDir,
        ],
    ),
    (
        Area::Events,
        &[
            Operation::Write,
            Operation::Sync,
            Operation::Read,
            Operation::Truncate,
            Operation::Create,
            Operation::Remove,
            Operation::SyncDir,
        ],
    ),
];
/// A step that has not come after this long is given up for another.
const PATIENCE: Duration = Duration::from_secs(8);
/// Steps that are tried.
const TRIES: u32 = 5;

/// Every point at which a disk can stand still, with its name in the counts.
pub(super) fn points() -> impl Iterator<Item = (HaltPoint, String)> {
    STEPS.iter().flat_map(|(area, operations)| {
        operations.iter().flat_map(move |operation| {
            [Moment::Before, Moment::After].map(|moment| {
                let point = HaltPoint { area: Some(*area), operation: *operation, moment, skip: 0 };
                (point, name(point))
            })
        })
    })
}

fn name(point: HaltPoint) -> String {
    let area = point.area.map_or_else(|| "any".to_owned(), |area| area.to_string());
    let moment = match point.moment {
        Moment::Before => "before",
        Moment::After => "after",
    };
    format!("{area}.{}.{moment}", point.operation)
}

/// A node that is to lose power inside a step.
pub(super) struct DiskStep {
    node: NodeId,
    point: HaltPoint,
    tries: u32,
    lasts: Duration,
    phase: Phase,
}

enum Phase {
    /// Power is to be lost between a write and its flush, up to this moment: a torn end is what a start cuts off.
    Tearing(Duration),
    /// Without power until this moment, for the step is one of a start.
    Before(Duration),
    /// The step is to come, up to this moment; whether the node was down since it was armed.
    Armed(Duration, bool),
    /// The disk stands still; power is lost at this moment.
    Standing(Duration),
    /// Without power until this moment.
    Down(Duration),
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let node = stage.victim()?;
    if !stage.shared.disks.armed.insert(node) {
        return None;
    }
    stage.hurt_disk(node);
    let point = draw_point(stage);
    let mut fault = DiskStep { node, point, tries: TRIES, lasts, phase: Phase::Before(stage.now()) };
    fault.prepare(stage);
    Some(Box::new(fault))
}

fn draw_point(stage: &mut Stage<'_>) -> HaltPoint {
    let points: Vec<HaltPoint> = points().map(|(point, _)| point).collect();
    let mut point = *stage.draw.pick(&points);
    let most = *stage.draw.pick(&[0, 0, 3, 30]);
    point.skip = u32::try_from(stage.draw.range(0, most)).unwrap_or(0);
    if is_rare(point) {
        point.skip = point.skip.min(1);
    }
    point
}

/// Steps of starts, of new files and of snapshots: they do not come by the dozen.
fn is_rare(point: HaltPoint) -> bool {
    point.area == Some(Area::Snapshots) || !matches!(point.operation, Operation::Write | Operation::Sync)
}

/// Steps that a running node seldom does, and a starting one often.
fn is_of_starts(point: HaltPoint) -> bool {
    let steps =
        [Operation::Read, Operation::Truncate, Operation::SyncDir, Operation::Remove, Operation::Create];
    steps.contains(&point.operation)
}

impl DiskStep {
    /// Arms the disk; at times before a start.
    fn prepare(&mut self, stage: &mut Stage<'_>) {
        if self.point.operation == Operation::Truncate && stage.world.is_up(self.node) {
            let skip = u32::try_from(stage.draw.range(0, 5)).unwrap_or(0);
            let torn = HaltPoint { operation: Operation::Write, moment: Moment::After, skip, ..self.point };
            stage.world.disk(self.node).halt_at(torn);
            self.phase = Phase::Tearing(stage.now() + PATIENCE);
        } else if is_of_starts(self.point) && stage.world.is_up(self.node) && stage.draw.chance(0.6) {
            stage.crash(self.node);
            stage.note(&format!("{} loses power, to meet a step of its start", self.node));
            self.phase = Phase::Before(stage.now() + stage.draw.millis(10, 2_000));
        } else {
            self.arm(stage);
        }
    }

    fn arm(&mut self, stage: &mut Stage<'_>) {
        stage.world.disk(self.node).halt_at(self.point);
        self.phase = Phase::Armed(stage.now() + PATIENCE, false);
    }

    fn over(&self, stage: &mut Stage<'_>) -> bool {
        stage.world.disk(self.node).cancel_halt();
        stage.shared.disks.armed.remove(&self.node);
        stage.disk_recovers(self.node);
        true
    }
}

impl Fault for DiskStep {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let now = stage.now();
        match self.phase {
            Phase::Tearing(until) => {
                if stage.world.disk(self.node).halted().is_some() {
                    stage.crash(self.node);
                    stage.note(&format!("{} loses power between a write and its flush", self.node));
                    self.phase = Phase::Before(now + stage.draw.millis(10, 2_000));
                } else if now >= until || !stage.world.is_up(self.node) {
                    stage.world.disk(self.node).cancel_halt();
                    self.arm(stage);
                }
            }
            Phase::Before(until) if now >= until => {
                self.arm(stage);
                stage.release(self.node);
            }
            Phase::Armed(until, was_down) => {
                if stage.world.disk(self.node).halted().is_some() {
                    stage.done(&format!("{}'s disk stands still {}", self.node, self.point));
                    stage.count(&name(self.point));
                    // Mostly the power is gone at once. A disk that hangs for longer is found out, too.
                    let most = if stage.draw.chance(0.8) { 20 } else { 5_000 };
                    self.phase = Phase::Standing(now + stage.draw.millis(0, most));
                } else if !stage.world.is_up(self.node) {
                    self.phase = Phase::Armed(until, true);
                } else if was_down {
                    // The power took the plan with it.
                    stage.world.disk(self.node).halt_at(self.point);
                    self.phase = Phase::Armed(until, false);
                } else if now >= until {
                    stage.count("given-up");
                    stage.world.disk(self.node).cancel_halt();
                    self.tries -= 1;
                    if self.tries == 0 {
                        return self.over(stage);
                    }
                    self.point = draw_point(stage);
                    self.prepare(stage);
                }
            }
            Phase::Standing(until) if now >= until => {
                stage.crash(self.node);
                stage.note(&format!("{} loses power", self.node));
                self.phase = Phase::Down(now + self.lasts);
            }
            Phase::Down(until) if now >= until => {
                stage.release(self.node);
                return self.over(stage);
            }
            Phase::Before(_) | Phase::Standing(_) | Phase::Down(_) => {}
        }
        false
    }
}
