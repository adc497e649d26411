//! what was answered OK stays true.
//!
//! A conversation keeps the priority that it arrived with, or that was asked for last, wherever it is:
//! waiting, held out to an agent, or taken. An agent's presence is what its desk or a supervisor asked
//! for last, and so are what it can, what a touchpoint and a conversation ask for, a queue's policy and the domain's rules between channels; the domain itself makes an agent available only when the break that it imposed for misses
//! is over and still stands.

use super::{Ghost, Promise, SOURCE, Step, callback, facts, hours, ring};
use crate::command::{By, Intent};
use crate::outcome::DoneWhat;
use crate::view::{AgentView, ConversationView, QueueView, TouchpointView};
use crate::{Command, EventKind};
use std::collections::BTreeSet;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-3",
    text: "what was answered OK stays true",
    source: SOURCE,
    prevents: "accepted, then gone",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = answered(step, ghost);
    let gone = |kind: &EventKind| step.events.iter().any(|event| event.kind == *kind);
    for queue in known(&ghost.queues, step.touched.map(|touched| &touched.queues)) {
        if !step.after.queues.contains_key(queue) && !gone(&EventKind::QueueDeleted(*queue)) {
            broken.push(format!("{queue} was made and is gone"));
        }
    }
    for agent in known(&ghost.agents, step.touched.map(|touched| &touched.agents)) {
        if !step.after.agents.contains_key(agent) && !gone(&EventKind::AgentDeleted(*agent)) {
            broken.push(format!("{agent} was made and is gone"));
        }
    }
    for touchpoint in known(&ghost.touchpoints, step.touched.map(|touched| &touched.touchpoints)) {
        if !step.after.touchpoints.contains_key(touchpoint)
            && !gone(&EventKind::TouchpointDeleted(*touchpoint))
        {
            broken.push(format!("{touchpoint} was made and is gone"));
        }
    }
    for c in step.conversations_before() {
        let Some(owner) = c.stage.owner() else { continue };
        let still = step.after.conversations.get(&c.id).and_then(|now| now.stage.owner());
        let told = step.events.iter().any(|event| {
            matches!(&event.kind, EventKind::Released { conversation, .. }
                | EventKind::Ended { conversation, .. } if *conversation == c.id)
        });
        if still != Some(owner) && !told {
            broken.push(format!("{} was {owner}'s, is {still:?}'s, and no event says why", c.id));
        }
    }
    broken.extend(step.conversations().filter_map(|c| priority(step, ghost, c)));
    broken.extend(step.agents().filter_map(|agent| skills(step, ghost, agent)));
    broken.extend(step.touchpoints().filter_map(|touchpoint| asked_at(step, ghost, touchpoint)));
    broken.extend(step.conversations().filter_map(|c| asked(step, ghost, c)));
    broken.extend(step.queues().filter_map(|queue| policy(step, ghost, queue)));
    broken.extend(channel_rules(step, ghost));
    broken.extend(handling(step, ghost));
    broken.extend(hours::kept(step, ghost));
    broken.extend(callback::kept(step, ghost));
    broken.extend(ring::kept(step, ghost));
    broken.extend(step.conversations_before().filter_map(|c| accepted(step, c)));
    broken.extend(returned(step, ghost));
    broken
}

/// Agents that were made available though nobody asked for it and no break was over.
fn returned(step: &Step<'_>, ghost: &Ghost) -> impl Iterator<Item = String> {
    step.events.iter().enumerate().filter_map(move |(at, event)| {
        let EventKind::PresenceChanged { agent, intent: Intent::Available, by: By::System } = &event.kind
        else {
            return None;
        };
        let asked = matches!(&step.entry.request.command,
            Command::SetPresence { agent: of, intent: Intent::Available, by: By::System } if of == agent);
        let earlier = step.events[..at].iter().rev().find(
            |earlier| matches!(&earlier.kind, EventKind::PresenceChanged { agent: of, .. } if of == agent),
        );
        let stands = match earlier {
            Some(earlier) => facts::break_begun(step, earlier),
            None => ghost.breaks.get(agent).copied(),
        };
        let over = stands.flatten().is_some_and(|until| until <= event.at);
        (!asked && !over).then(|| {
            format!("{agent} was made available, which nobody asked for; its break for misses: {stands:?}")
        })
    })
}

/// Whether a conversation has another priority than the one that was told last.
fn priority(step: &Step<'_>, ghost: &Ghost, c: &ConversationView) -> Option<String> {
    let told = step.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Arrived { conversation, priority, .. }
        | EventKind::ArrivedFrom { conversation, priority, .. }
        | EventKind::Reprioritised { conversation, priority, .. }
            if *conversation == c.id =>
        {
            Some(priority)
        }
        _ => None,
    });
    let told = told.or_else(|| ghost.priorities.get(&c.id))?;
    (*told != c.priority).then(|| format!("{} was given {told:?} and has {:?}", c.id, c.priority))
}

/// Whether an agent has other skills than were told last.
fn skills(step: &Step<'_>, ghost: &Ghost, agent: &AgentView) -> Option<String> {
    let told = step.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::SkillsChanged { agent: of, skills, .. } if *of == agent.id => Some(skills),
        _ => None,
    });
    let told = told.or_else(|| ghost.skills.get(&agent.id))?;
    (*told != agent.skills).then(|| format!("{} was given {told:?} and has {:?}", agent.id, agent.skills))
}

/// Whether a touchpoint asks for something else than was told last.
fn asked_at(step: &Step<'_>, ghost: &Ghost, touchpoint: &TouchpointView) -> Option<String> {
    let told = step.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::TouchpointCriteriaChanged { touchpoint: of, criteria, .. } if *of == touchpoint.id => {
            Some(criteria)
        }
        _ => None,
    });
    let told = told.or_else(|| ghost.asked_at.get(&touchpoint.id))?;
    let (id, asks) = (touchpoint.id, &touchpoint.criteria);
    (told != asks).then(|| format!("{id} was to ask for {told:?} and asks for {asks:?}"))
}

/// The same of a conversation.
fn asked(step: &Step<'_>, ghost: &Ghost, c: &ConversationView) -> Option<String> {
    let told = step.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::CriteriaChanged { conversation: of, criteria, .. } if *of == c.id => Some(criteria),
        _ => None,
    });
    let told = told.or_else(|| ghost.asked.get(&c.id))?;
    let asks = c.seeking.as_deref().map(|seeking| &seeking.criteria);
    let same = asks.map_or(told.steps.is_empty(), |asks| asks == told);
    (!same).then(|| format!("{} was to ask for {told:?} and asks for {asks:?}", c.id))
}

/// Whether a queue has another policy than was told last.
fn policy(step: &Step<'_>, ghost: &Ghost, queue: &QueueView) -> Option<String> {
    let told = step.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::PolicyChanged { queue: of, number, policy, .. } if *of == queue.id => {
            Some((number, policy))
        }
        _ => None,
    });
    let told = told.or_else(|| ghost.policies.get(&queue.id)?.last_key_value())?;
    let has = (&queue.policy.number, &queue.policy.policy);
    (told != has).then(|| format!("{} was given the policy {told:?} and has {has:?}", queue.id))
}

/// Whether the domain has other rules between channels than were told last.
fn channel_rules(step: &Step<'_>, ghost: &Ghost) -> Option<String> {
    let told = step.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::ChannelRulesChanged { rules, .. } => Some(rules),
        _ => None,
    });
    let told = told.or(ghost.channel_rules.as_ref())?;
    let has = &step.after.summary.channel_rules;
    (told != has).then(|| format!("the domain was given the rules {told:?} and has {has:?}"))
}

/// Whether the domain handles contacts in another way than was told last.
fn handling(step: &Step<'_>, ghost: &Ghost) -> Option<String> {
    let told = step.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::HandlingChanged { handling, .. } => Some(handling),
        _ => None,
    });
    let told = told.or(ghost.handling.as_ref())?;
    let has = &step.after.summary.handling;
    (told != has).then(|| format!("the domain was to handle contacts by {told:?} and does by {has:?}"))
}

/// Whether an offer that was accepted is not being connected any more, although no event ended it.
fn accepted(step: &Step<'_>, c: &ConversationView) -> Option<String> {
    let offer = c.offer.as_ref().filter(|offer| offer.connecting)?;
    let now = step.after.conversations.get(&c.id).and_then(|now| now.offer.as_ref());
    let same = now.is_some_and(|now| now.id == offer.id && now.connecting && now.deadline == offer.deadline);
    let told = step
        .events
        .iter()
        .any(|event| matches!(&event.kind, EventKind::OfferEnded { offer: ended, .. } if *ended == offer.id));
    (!same && !told).then(|| format!("{} of {} was being connected and is {now:?}", offer.id, c.id))
}

/// All of a set, or those of its members that are among these.
fn known<'a, T: Ord>(all: &'a BTreeSet<T>, among: Option<&'a Vec<T>>) -> impl Iterator<Item = &'a T> {
    let everything = among.is_none().then(|| all.iter()).into_iter().flatten();
    everything.chain(among.into_iter().flatten().filter(|id| all.contains(id)))
}

/// What this answer itself claims must be so, unless it repeats an earlier one.
fn answered(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let Ok(done) = step.outcome else { return Vec::new() };
    let after = step.after;
    let is_repeat = step.entry.request.id.is_some_and(|id| ghost.answers.contains_key(&id));
    if step.entry.request.domain != after.summary.id || is_repeat {
        return Vec::new();
    }
    let true_now = match &done.what {
        DoneWhat::Ok | DoneWhat::Session(_) | DoneWhat::Parts(_) => true,
        // What came long ago may be over and forgotten; R-17 looks at what comes now.
        DoneWhat::Landed(_) => true,
        DoneWhat::Queue(queue) => after.queues.contains_key(queue),
        DoneWhat::Agent(agent) => after.agents.contains_key(agent),
        DoneWhat::Touchpoint(touchpoint) => after.touchpoints.contains_key(touchpoint),
        DoneWhat::Conversation { id, offer, agent } | DoneWhat::Resumed { id, offer, agent } => {
            after.conversations.get(id).is_some_and(|c| {
                c.offer.as_ref().map(|o| o.id) == *offer && c.offer.as_ref().map(|o| o.agent) == *agent
            })
        }
        DoneWhat::Assigned { conversation, agent } => {
            after.conversations.get(conversation).and_then(|c| c.stage.owner()) == Some(*agent)
        }
        DoneWhat::Connecting { conversation, agent, deadline }
        | DoneWhat::Consulting { conversation, agent, deadline } => {
            let offer = after.conversations.get(conversation).and_then(|c| c.offer.as_ref());
            offer.is_some_and(|o| o.connecting && o.agent == *agent && o.deadline == *deadline)
        }
    };
    if !true_now {
        return vec![format!("answered {:?}, which is not so", done.what)];
    }
    match &step.entry.request.command {
        Command::Reprioritise { conversation, priority, .. } => {
            let has = after.conversations.get(conversation).map(|c| c.priority);
            let lost = has != Some(*priority);
            lost.then(|| format!("{conversation} was to have {priority:?} and has {has:?}"))
                .into_iter()
                .collect()
        }
        Command::SetPresence { agent, intent, .. } => {
            let is = after.agents.get(agent).map(|agent| &agent.intent);
            let drained = matches!((intent, is), (Intent::Draining { next }, Some(Intent::Unavailable { reason }))
                if next == reason);
            let lost = is != Some(intent) && !drained;
            lost.then(|| format!("{agent} was to be {intent:?} and is {is:?}")).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handling::Handling;
    use crate::scene::Scene;
    use crate::testing::{DOMAIN, supervisor};
    use crate::{Channel, Span, level};

    #[test]
    fn what_is_connected_does_not_vanish_and_handling_is_what_was_told() {
        let mut s = Scene::new();
        s.world.ok(Command::SetLevel { level: level::HANDLING });
        let mut handling = Handling::default();
        handling.connect[Channel::Voice.index()] = Some(Span::seconds(9));
        s.world.ok(Command::SetHandling { handling: handling.clone(), by: supervisor() });
        s.offered();
        s.world.accept(s.id);
        let before = s.world.shard.view(DOMAIN).expect("made");
        let entry = s.world.entry(DOMAIN, Command::DeleteTouchpoint { touchpoint: s.mail }, None);
        s.world.effects.clear();
        let outcome = s.world.shard.apply(&entry, &mut s.world.effects);
        let sound = s.world.shard.view(DOMAIN).expect("made");
        let events = &s.world.effects.events;
        let mut ghost = Ghost::default();
        ghost.handling = Some(handling);
        let look = |after: &_| {
            let (before, entry, outcome) = (Some(&before), &entry, &outcome);
            check(&Step { before, entry, outcome, after, events, touched: None }, &ghost)
        };
        assert_eq!(look(&sound), [""; 0]);

        type Spoil = fn(&mut crate::view::DomainView, crate::ConversationId);
        let spoilt: [(&str, Spoil); 4] = [
            ("the offer is gone", |view, id| view.conversations.get_mut(&id).expect("made").offer = None),
            ("it rings again", |view, id| offer(view, id).connecting = false),
            ("it has more time", |view, id| offer(view, id).deadline.0 += 1),
            ("another handling", |view, _| view.summary.handling = Handling::default()),
        ];
        for (what, spoil) in spoilt {
            let mut after = sound.clone();
            spoil(&mut after, s.id);
            assert_eq!(look(&after).len(), 1, "{what}");
        }
    }

    fn offer(view: &mut crate::view::DomainView, id: crate::ConversationId) -> &mut crate::view::OfferView {
        view.conversations.get_mut(&id).and_then(|c| c.offer.as_mut()).expect("live")
    }
}
