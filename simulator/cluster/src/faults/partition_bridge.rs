//! The nodes fall into two parts that share one node.

use super::cuts::{Cuts, between, list};
use super::{Begun, Stage};
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let nodes = stage.node_places();
    if nodes.len() < 3 {
        return None;
    }
    let mixed = stage.some(&nodes, nodes.len());
    let (bridge, rest) = mixed.split_first()?;
    let (some, others) = rest.split_at(rest.len() / 2);
    stage.done(&format!("{} | {}, both see {bridge}", list(some), list(others)));
    let cuts = between(some, others);
    Cuts::begin(stage, lasts, cuts)
}
