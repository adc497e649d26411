//! Nothing passes in one direction: from one node to another, or between one node and all.

use super::cuts::Cuts;
use super::{Begun, Stage};
use crate::world::Place;
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let one = Place::Node(stage.victim()?);
    let others: Vec<_> = stage.node_places().into_iter().filter(|place| *place != one).collect();
    let from_it: Vec<_> = others.iter().map(|other| (one, *other)).collect();
    let to_it: Vec<_> = others.iter().map(|other| (*other, one)).collect();
    let cuts = match stage.draw.range(0, 3) {
        0 => {
            stage.done(&format!("{one} is not heard"));
            from_it
        }
        1 => {
            stage.done(&format!("{one} hears nothing"));
            to_it
        }
        _ => {
            let both: Vec<_> = from_it.into_iter().chain(to_it).collect();
            let (from, to) = stage.pick(&both)?;
            stage.done(&format!("{to} does not hear {from}"));
            vec![(from, to)]
        }
    };
    Cuts::begin(stage, lasts, cuts)
}
