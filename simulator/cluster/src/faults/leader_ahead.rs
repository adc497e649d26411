//! A leader's wall clock is an hour ahead, then leadership moves: time must not go back.

use super::{Begun, Fault, Stage};
use crate::world::Order;
use consensus::{GroupId, NodeId};
use std::time::Duration;

/// How far ahead the clock is, in milliseconds.
const AHEAD_MS: i64 = 3_600_000;

/// A leader with a clock that is ahead.
pub(super) struct LeaderAhead {
    group: GroupId,
    leader: NodeId,
    /// When the leadership moves; `None`: it has moved.
    move_at: Option<Duration>,
    until: Duration,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let (group, leader) = stage.leader()?;
    if !stage.is_up(leader) {
        return None;
    }
    stage.world.clock(leader).jump(AHEAD_MS);
    stage.done(&format!("{leader}, which leads {group}, is an hour ahead"));
    let now = stage.now();
    let move_at = now + stage.draw.millis(200, 3_000);
    Some(Box::new(LeaderAhead { group, leader, move_at: Some(move_at), until: move_at + lasts }))
}

impl Fault for LeaderAhead {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let now = stage.now();
        if self.move_at.is_some_and(|at| now >= at) {
            self.move_at = None;
            let others: Vec<_> = stage.up().into_iter().filter(|node| *node != self.leader).collect();
            if let Some(to) = stage.pick(&others).filter(|_| stage.is_up(self.leader)) {
                stage.world.order(self.leader, Order::Transfer(self.group, to));
                stage.note(&format!("{} is to lead {} from now on", to, self.group));
            }
        }
        let over = now >= self.until;
        if over {
            stage.world.clock(self.leader).jump(-AHEAD_MS);
            stage.note(&format!("{} is right again", self.leader));
        }
        over
    }
}
