//! Messages are lost between two places. Connections carry them, so they stall for as long as
//! sending again takes, or break.

use super::{Begun, Fault, Stage};
use crate::world::Place;
use std::time::Duration;

/// Mean time between two losses.
const EVERY: Duration = Duration::from_millis(300);
/// Longest stall, in milliseconds.
const STALL_MS_MAX: u64 = 400;
/// Probability that a loss breaks the connections.
const BREAKS: f64 = 0.15;

/// Two places between which messages are lost.
pub(super) struct Loss {
    a: Place,
    b: Place,
    until: Duration,
    next: Duration,
    /// The direction that stalls, and until when.
    stalled: Option<(Place, Place, Duration)>,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let (a, b) = pair(stage)?;
    stage.done(&format!("messages between {a} and {b} are lost"));
    let now = stage.now();
    Some(Box::new(Loss { a, b, until: now + lasts, next: now, stalled: None }))
}

/// Two nodes, or at times a node and a place of clients.
pub(super) fn pair(stage: &mut Stage<'_>) -> Option<(Place, Place)> {
    let nodes = stage.node_places();
    let sites = stage.site_places();
    let a = stage.pick(&nodes)?;
    let b = if nodes.len() < 2 || (!sites.is_empty() && stage.draw.chance(0.3)) {
        stage.pick(&sites)?
    } else {
        let others: Vec<_> = nodes.into_iter().filter(|node| *node != a).collect();
        stage.pick(&others)?
    };
    Some((a, b))
}

impl Fault for Loss {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        let now = stage.now();
        if let Some((from, to, until)) = self.stalled {
            if now < until && now < self.until {
                return false;
            }
            stage.mend(from, to);
            self.stalled = None;
        }
        if now >= self.until {
            stage.note("messages pass again");
            return true;
        }
        if now >= self.next {
            self.next = stage.after(EVERY);
            if stage.draw.chance(BREAKS) {
                stage.world.drop_connections(self.a, self.b);
                stage.count("broken");
            } else {
                let (from, to) = if stage.draw.chance(0.5) { (self.a, self.b) } else { (self.b, self.a) };
                stage.cut(from, to);
                stage.count("stalled");
                self.stalled = Some((from, to, now + stage.draw.millis(5, STALL_MS_MAX)));
            }
        }
        false
    }
}
