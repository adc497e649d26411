//! Who acts.

use super::draw::Draw;
use crate::model::Dom;
use routing::Epoch;
use routing::command::{By, Desk};

/// Somebody who may do what supervisors do, as a rule.
pub fn by(draw: &mut Draw, dom: &Dom) -> By {
    match draw.number(1, 20) {
        1 => By::Customer,
        2 => {
            let people: Vec<_> = dom.people.values().collect();
            let Some(person) = draw.one(&people) else { return By::System };
            let stale = draw.chance(50);
            let epoch = if stale { Epoch(person.epoch.0 + 1) } else { person.epoch };
            By::Agent(Desk { agent: person.id, epoch })
        }
        3..=5 => By::System,
        _ => By::Supervisor("sue".to_owned()),
    }
}
