//! Lines to all nodes, and who is asked next.

use super::Reach;
use super::way::Way;
use crate::determinism::Draw;
use crate::plan::Plan;
use consensus::NodeId;
use std::sync::Arc;

/// One line per node, shared by some clients as they would share a backend.
pub(super) struct Lines {
    lines: Vec<(NodeId, Way)>,
}

impl Lines {
    pub(super) fn new(plan: &Plan, reach: &dyn Reach) -> Arc<Self> {
        Arc::new(Self { lines: plan.members().map(|node| (node, Way(reach.line(node)))).collect() })
    }

    /// A drawn node, another than this one if there is another.
    pub(super) fn draw(&self, draw: &mut Draw, other_than: Option<NodeId>) -> (NodeId, Way) {
        let (node, line) = draw.pick(&self.lines);
        if Some(*node) != other_than || self.lines.len() == 1 {
            return (*node, line.clone());
        }
        let place = self.lines.iter().position(|(of, _)| of == node).unwrap_or(0);
        let (node, line) = &self.lines[(place + 1) % self.lines.len()];
        (*node, line.clone())
    }
}
