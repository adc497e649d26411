//! The nodes fall into two parts; places of clients are in one of them, or reach both.

use super::cuts::{Cuts, between, list};
use super::{Begun, Stage};
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let nodes = stage.node_places();
    if nodes.len() < 2 {
        return None;
    }
    let half = (nodes.len() / 2).max(1);
    let mut some = stage.some(&nodes, half);
    let mut others: Vec<_> = nodes.into_iter().filter(|node| !some.contains(node)).collect();
    // Places of clients see both parts through each other's networks if they are in none, but
    // nothing passes between the parts through them: nodes do not speak through clients.
    let mut cuts = between(&some, &others);
    for site in stage.site_places() {
        match stage.draw.range(0, 3) {
            0 => {
                cuts.extend(between(&[site], &others));
                some.push(site);
            }
            1 => {
                let nodes: Vec<_> = some.iter().copied().filter(|place| !is_site(*place)).collect();
                cuts.extend(between(&[site], &nodes));
                others.push(site);
            }
            _ => {}
        }
    }
    stage.done(&format!("{} | {}", list(&some), list(&others)));
    Cuts::begin(stage, lasts, cuts)
}

fn is_site(place: crate::world::Place) -> bool {
    matches!(place, crate::world::Place::Site(_))
}
