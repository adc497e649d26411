//! Machines that stand still in the middle of an operation.

use super::step::{Area, Operation, Step};
use std::fmt;

/// Which side of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The operation does nothing.
    Before,
    /// The operation happens and is never answered.
    After,
}

/// Where a machine stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HaltPoint {
    /// In this area; in any when there is none.
    pub area: Option<Area>,
    /// In this operation.
    pub operation: Operation,
    /// On this side of it.
    pub moment: Moment,
    /// Operations that match are let pass first, this many.
    pub skip: u32,
}

impl fmt::Display for HaltPoint {
    /// As in `after the sync of log`, which is also a name to count by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        write!(f, "{moment} the {} of ", self.operation)?;
        match self.area {
            Some(area) => write!(f, "{area}"),
            None => f.write_str("anything"),
        }
    }
}

/// A halt that is planned, or has come.
#[derive(Debug, Default)]
pub(super) struct Halt {
    planned: Option<(HaltPoint, u32)>,
    halted: Option<(HaltPoint, Step)>,
}

impl Halt {
    pub(super) fn plan(&mut self, point: HaltPoint) {
        self.planned = Some((point, point.skip));
    }

    pub(super) fn cancel(&mut self) {
        self.planned = None;
    }

    pub(super) fn halted(&self) -> Option<(HaltPoint, Step)> {
        self.halted
    }

    /// On which side of an operation the machine stands still, if it does.
    pub(super) fn meet(&mut self, step: Option<Step>) -> Option<Moment> {
        if self.halted.is_some() {
            return Some(Moment::Before);
        }
        let step = step?;
        let (point, skip) =
            self.planned.as_mut().filter(|(point, _)| step.is(point.operation, point.area))?;
        if *skip > 0 {
            *skip -= 1;
            return None;
        }
        let point = *point;
        self.planned = None;
        self.halted = Some((point, step));
        Some(point.moment)
    }
}
