//! A place of clients loses its network: to all nodes at once, or to all but one.

use super::cuts::{Cuts, between, list};
use super::{Begun, Stage};
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let sites = stage.site_places();
    let site = stage.pick(&sites)?;
    let mut nodes = stage.node_places();
    if nodes.len() > 1 && stage.draw.chance(0.4) {
        let spared = stage.pick(&nodes)?;
        nodes.retain(|node| *node != spared);
    }
    stage.done(&format!("{site} | {}", list(&nodes)));
    Cuts::begin(stage, lasts, between(&[site], &nodes))
}
