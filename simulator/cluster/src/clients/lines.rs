//! Lines to all nodes, and who is asked next.

use super::Reach;
use super::way::Way;
use crate::determinism::Draw;
use crate::machine::Machine;
use consensus::NodeId;
use std::sync::Arc;

/// One line per machine, shared by some clients as they would share a backend. Only those whose
/// nodes are members are drawn: a name service drops a node that was removed, and learns of one
/// that has joined.
pub(super) struct Lines {
    lines: Vec<(Machine, Way)>,
}

impl Lines {
    pub(super) fn new(machines: &[Machine], reach: &dyn Reach) -> Arc<Self> {
        let line = |machine: &Machine| (machine.clone(), Way(reach.line(machine.node)));
        Arc::new(Self { lines: machines.iter().map(line).collect() })
    }

    /// A drawn member, another than this one if there is another.
    pub(super) fn draw(&self, draw: &mut Draw, other_than: Option<NodeId>) -> (NodeId, Way) {
        let members: Vec<_> = self.lines.iter().filter(|(machine, _)| machine.is_member()).collect();
        let (machine, line) = *draw.pick(&members);
        if Some(machine.node) != other_than || members.len() == 1 {
            return (machine.node, line.clone());
        }
        let place = members.iter().position(|(of, _)| of.node == machine.node).unwrap_or(0);
        let (machine, line) = members[(place + 1) % members.len()];
        (machine.node, line.clone())
    }
}
