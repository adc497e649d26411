//! no orphans: every live conversation has an owner, a staffed waiting place or a deadline, and no deadline is overdue at applied time.
//!
//! What a conversation asks for gives way in its time: while its place is its queues the clock of its
//! active step runs, if the step has an end, and no other clock does. Steps follow one another, each told;
//! only a transfer, a rule that moves it, or a change of the criteria begins with the first one again.

use super::{Ghost, Promise, SOURCE, Step, consult, facts, hours, standing};
use crate::command::TransferTarget;
use crate::event::{EventKind, Place};
use crate::policy::Action;
use crate::view::{ConversationView, Stage};

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
                // Held out to an agent by a transfer, or since it named that agent, it lives by that offer, taken or
                // not, even if its place is gone.
                let held_out =
                    c.offer.as_ref().is_some_and(|offer| offer.transfer.is_some() || offer.queue.is_none());
                (place_exists || held_out) && c.deadline.is_some()
            }
            Stage::Assigned(agent) | Stage::Wrapping(agent) => view.agents.contains_key(agent),
            Stage::Ended(_) => true,
            // The outbox has it, until it is called back and settled.
            Stage::Transferring => {
                c.departure.as_ref().is_some_and(|way| way.recall.is_some() || c.deadline.is_some())
            }
        };
        if !home {
            broken.push(format!("{} is {:?} with the deadline {:?}", c.id, c.stage, c.deadline));
        }
    }
    broken.extend(step.conversations().filter_map(clock));
    broken.extend(step.conversations().filter_map(|c| passed(step, c)));
    broken.extend(standing::check(step, ghost));
    broken.extend(consult::left_alone(step));
    if !facts::settled(step, ghost) {
        return broken;
    }
    broken.extend(hours::late(step));
    for c in step.conversations() {
        let offer = c.offer.as_ref().map(|offer| offer.deadline);
        let relaxed = c.seeking.as_ref().and_then(|seeking| seeking.until);
        if let Some(due) = [c.deadline, offer, relaxed].into_iter().flatten().find(|due| *due <= view.now) {
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

/// Whether the clock of a conversation's active step stands still though it should run, or runs though it
/// should not.
fn clock(c: &ConversationView) -> Option<String> {
    let seeking = c.seeking.as_deref()?;
    let should = facts::wanted(c).is_some_and(|wanted| wanted.lasts.is_some());
    let deadline_knows = seeking.until.is_none_or(|until| c.deadline.is_some_and(|first| first <= until));
    (should != seeking.until.is_some() || !deadline_knows).then(|| {
        format!(
            "{} is {:?} in step {} of {:?}, whose clock runs until {:?}",
            c.id,
            c.stage,
            seeking.at + 1,
            seeking.criteria,
            seeking.until
        )
    })
}

/// Whether a conversation's steps did not follow one another as events say.
fn passed(step: &Step<'_>, c: &ConversationView) -> Option<String> {
    let before = step.before?.conversations.get(&c.id)?.seeking.as_deref();
    let mut steps = before.map_or(0, |seeking| seeking.criteria.steps.len());
    let after = c.seeking.as_deref().map(|seeking| seeking.at);
    // From event to event: the first step, or a later one than before.
    let mut told = before.map(|seeking| seeking.at);
    for event in step.events {
        match &event.kind {
            EventKind::CriteriaChanged { conversation, criteria, .. } if *conversation == c.id => {
                steps = criteria.steps.len();
                told = (steps > 0).then_some(0);
            }
            EventKind::TransferStarted { conversation, target, .. } if *conversation == c.id => {
                if matches!(target, TransferTarget::Queue(_) | TransferTarget::Inbox(_)) {
                    told = told.map(|_| 0);
                }
            }
            EventKind::RuleApplied { conversation, action: Action::MoveTo(_), .. }
                if *conversation == c.id =>
            {
                told = told.map(|_| 0);
            }
            EventKind::Relaxed { conversation, step: number, .. } if *conversation == c.id => {
                let next = if *number == 0 { steps } else { usize::from(*number) - 1 };
                if told.is_none_or(|at| at >= next) {
                    return Some(format!("{} went from step {told:?} to {next} as if that came later", c.id));
                }
                told = Some(next);
            }
            _ => {}
        }
    }
    (told != after).then(|| format!("{} is in step {after:?}, told was {told:?}", c.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;
    use crate::command::{By, Decline, TransferFallback};
    use crate::scene::{Scene, names};
    use crate::testing::DOMAIN;

    /// A conversation of a queue that is deleted while a supervisor's transfer holds it out to an agent.
    fn held_out() -> Scene {
        let mut s = Scene::new();
        s.waiting();
        let target = TransferTarget::Agent(s.b.agent);
        let by = By::Supervisor("s".to_owned());
        let fallback = TransferFallback::Source;
        s.ready(s.b);
        s.away(s.b);
        s.world.ok(Command::DeleteTouchpoint { touchpoint: s.voice });
        s.world.ok(Command::DeleteTouchpoint { touchpoint: s.mail });
        s.world.ok(Command::PauseQueue { queue: s.queue, paused: true, by: By::System });
        s.ready(s.b);
        s.world.ok(Command::Transfer { conversation: s.id, target, fallback, by });
        s
    }

    /// The same where the conversation names the agent.
    fn named() -> Scene {
        let mut s = Scene::new();
        s.raised();
        s.ready(s.b);
        s.id = s.asking(vec![names(&[s.b], 100)]);
        s.world.ok(Command::DeleteTouchpoint { touchpoint: s.voice });
        s.world.ok(Command::DeleteTouchpoint { touchpoint: s.mail });
        s
    }

    #[test]
    fn a_transfers_offer_is_a_deadline_and_a_queue_that_is_gone_is_no_place() {
        deleted_under(held_out());
        deleted_under(named());
    }

    fn deleted_under(mut s: Scene) {
        let before = s.world.shard.view(DOMAIN).expect("made");
        let entry = s.world.entry(DOMAIN, Command::DeleteQueue { queue: s.queue }, None);
        s.world.effects.clear();
        let outcome = s.world.shard.apply(&entry, &mut s.world.effects);
        let mut after = s.world.shard.view(DOMAIN).expect("made");
        let events = &s.world.effects.events;
        let look = |after: &_| {
            let step = Step {
                before: Some(&before),
                entry: &entry,
                outcome: &outcome,
                after,
                events,
                touched: None,
            };
            check(&step, &Ghost::default())
        };
        assert_eq!(after.conversations[&s.id].stage, Stage::Offered(Place::Queues(Vec::new())));
        assert_eq!(look(&after), [""; 0]);

        after.conversations.get_mut(&s.id).expect("made").offer = None;
        assert_eq!(look(&after).len(), 1, "without the offer nobody has it");
    }

    #[test]
    fn when_that_offer_fails_it_ends() {
        type Fail = fn(&Scene) -> Option<Command>;
        let fails: [(&str, Fail); 3] = [
            ("rejected", |s| {
                let offer = s.world.offer_of(s.id)?.0;
                Some(Command::Reject { desk: s.b, offer, decline: Decline { reason: "busy".to_owned() } })
            }),
            ("timed out", |_| None),
            ("the agent is gone", |s| Some(Command::LogOut { agent: s.b.agent, by: By::System })),
        ];
        let scenes: [fn() -> Scene; 2] = [held_out, named];
        for (what, fail, scene) in
            fails.iter().flat_map(|(what, fail)| scenes.map(|scene| (what, fail, scene)))
        {
            let mut s = scene();
            s.world.ok(Command::DeleteQueue { queue: s.queue });
            match fail(&s) {
                Some(command) => drop(s.world.ok(command)),
                None => {
                    s.pass(3_600);
                    s.world.tick();
                }
            }
            assert_eq!(s.stage(), "closed", "{what}");
        }
        for scene in scenes {
            let mut s = scene();
            s.world.ok(Command::DeleteQueue { queue: s.queue });
            s.world.accept(s.id);
            assert_eq!(s.stage(), "assigned");
        }
    }
}
