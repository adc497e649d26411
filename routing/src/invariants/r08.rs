//! work conservation: no available eligible agent with room while a conversation waits, room held for a bounded time excepted.

use super::{Ghost, Promise, SOURCE, Step};
use super::{facts, pace};

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-8",
    text: "work conservation: no available eligible agent with room while a conversation waits, room held for a bounded time excepted",
    source: SOURCE,
    prevents: "freed slot, queued chat left waiting",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let view = step.after;
    let mut broken = Vec::new();
    for agent in view.agents.values() {
        let Some((held, until)) = agent.held_for else { continue };
        let since = ghost.holds.get(&(agent.id, held)).copied().unwrap_or(view.now);
        let longest = ghost.hold_max.max(view.summary.settings.hold_max);
        if until > since + longest && !ghost.holds.contains_key(&(agent.id, held)) {
            broken.push(format!("{} holds room for {held} until {until:?}, from {since:?}", agent.id));
        }
        if !view.conversations.get(&held).is_some_and(facts::waits) {
            broken.push(format!("{} holds room for {held}, which does not wait", agent.id));
        }
    }
    if !facts::settled(step, ghost) {
        return broken;
    }
    broken.extend(pace::unduly(step, ghost));
    for c in facts::waiting(view) {
        let room = match step.touched {
            // An agent that did not change and a conversation that did not are no closer than before.
            Some(touched) if touched.conversations.binary_search(&c.id).is_err() => {
                step.agents().find(|agent| facts::eligible(view, agent, c))
            }
            _ => view.agents.values().find(|agent| facts::eligible(view, agent, c)),
        };
        if let Some(agent) = room {
            broken.push(format!(
                "{} ({} points, {}) waits while {} has {} free",
                c.id,
                c.weight.0,
                c.channel,
                agent.id,
                facts::free(agent)
            ));
        }
    }
    broken
}
