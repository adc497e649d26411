//! Connections break: of a pair of places, or all of one node.

use super::fault::Over;
use super::loss::pair;
use super::{Begun, Stage};
use crate::world::Place;
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, _lasts: Duration) -> Begun {
    if stage.draw.chance(0.6) {
        let (a, b) = pair(stage)?;
        stage.world.drop_connections(a, b);
        stage.done(&format!("{a} and {b}"));
    } else {
        let one = Place::Node(stage.victim()?);
        let mut others = stage.node_places();
        others.extend(stage.site_places());
        for other in others.into_iter().filter(|other| *other != one) {
            stage.world.drop_connections(one, other);
        }
        stage.done(&format!("{one} and all others"));
    }
    Some(Box::new(Over))
}
