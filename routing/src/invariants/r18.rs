//! no orphans: every live conversation has an owner, a staffed waiting place or a deadline, and no deadline is overdue at applied time.

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::event::Place;
use crate::view::Stage;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-18",
    text: "no orphans: every live conversation has an owner, a staffed waiting place or a deadline, and no deadline is overdue at applied time",
    source: SOURCE,
    prevents: "waits for ever on a deleted queue",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let view = step.after;
    let mut broken = Vec::new();
    for c in step.conversations() {
        let home = match &c.stage {
            Stage::Waiting(place) | Stage::Offered(place) => {
                let place_exists = match place {
                    Place::Queues(queues) | Place::Inbox(queues) => {
                        !queues.is_empty() && queues.iter().all(|q| view.queues.contains_key(q))
                    }
                    Place::Dedicated(agent) => view.agents.contains_key(agent),
                };
                place_exists && c.deadline.is_some()
            }
            Stage::Assigned(agent) | Stage::Wrapping(agent) => view.agents.contains_key(agent),
            Stage::Ended(_) => true,
        };
        if !home {
            broken.push(format!("{} is {:?} with the deadline {:?}", c.id, c.stage, c.deadline));
        }
    }
    if !facts::settled(step, ghost) {
        return broken;
    }
    for c in step.conversations() {
        let offer = c.offer.as_ref().map(|offer| offer.deadline);
        if let Some(due) = [c.deadline, offer].into_iter().flatten().find(|due| *due <= view.now) {
            broken.push(format!("{} was due at {due:?}, it is {:?}", c.id, view.now));
        }
    }
    for agent in step.agents() {
        if let Some((held, until)) = agent.held_for.filter(|(_, until)| *until <= view.now) {
            broken.push(format!("{} held room for {held} until {until:?}, it is {:?}", agent.id, view.now));
        }
    }
    broken
}
