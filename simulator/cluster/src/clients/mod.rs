//! Customers, agents, supervisors, administrators and watchers: tasks that speak gRPC alone.

mod line;

pub use line::{Line, Reach};

use crate::checks::History;
use crate::determinism::Draw;
use crate::plan::Plan;
use std::sync::Arc;
use tokio::sync::watch;

/// What clients are meant to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Work, while anything may fail.
    Safety,
    /// No new conversations, no mischief; everybody finishes what there is.
    Liveness,
    /// The run is over: stop.
    Over,
}

/// A place where clients are, with its domains and everybody in them.
pub struct Site {
    /// From 1.
    pub id: u8,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The way to the nodes.
    pub reach: Arc<dyn Reach>,
    /// Randomness of this place.
    pub draw: Draw,
    /// Where everything that clients do and see is written down.
    pub history: Arc<History>,
    /// The phase.
    pub phase: watch::Receiver<Phase>,
}

impl Site {
    /// Sets the domains up, then plays everybody until the run is over.
    pub async fn run(self) {
        let mut phase = self.phase.clone();
        let _ = phase.wait_for(|phase| *phase == Phase::Over).await;
    }
}
