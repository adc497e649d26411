//! What R-18 asks of policies: rules are decided in their time, and carried out when they are to be.

use super::{Ghost, Step, callback, facts};
use crate::EventKind;
use crate::event::Place;
use crate::policy::{Action, Policy, Rule};
use crate::view::{ConversationView, Stage};

/// What is wrong with how conversations stand under policies.
pub(super) fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let standing = step.conversations().filter_map(|c| stands(step, ghost, c));
    let begun = step.conversations().filter_map(|c| begins(step, c));
    standing.chain(begun).chain(applied(step, ghost)).collect()
}

fn version<'a>(
    step: &'a Step<'_>,
    ghost: &'a Ghost,
    queue: crate::QueueId,
    number: u32,
) -> Option<&'a Policy> {
    let told = step.events.iter().find_map(|event| match &event.kind {
        EventKind::PolicyChanged { queue: of, number: told, policy, .. }
            if *of == queue && *told == number =>
        {
            Some(policy)
        }
        _ => None,
    });
    told.or_else(|| ghost.policies.get(&queue)?.get(&number))
}

/// Whether a conversation stands under a policy that it should not, or whose next rule has not its time.
fn stands(step: &Step<'_>, ghost: &Ghost, c: &ConversationView) -> Option<String> {
    let standing = *c.standing.as_deref()?;
    let wrong = |what: &str| Some(format!("{} is {:?} and stands under {standing:?}: {what}", c.id, c.stage));
    if !facts::is_in_queues(c) && c.stage != Stage::Transferring {
        return wrong("it waits in no queue");
    }
    let Some(queue) = step.after.queues.get(&standing.queue) else { return wrong("that queue is gone") };
    if queue.policy.number != standing.number && !queue.policy.older.contains(&standing.number) {
        return wrong("that version is gone");
    }
    // What the checker did not see from the beginning it cannot judge.
    let policy = version(step, ghost, standing.queue, standing.number)?;
    let decided = usize::from(standing.decided);
    let ends =
        |rule: &Rule| rule.when.is_empty() && matches!(rule.then, Action::ToInbox | Action::Close { .. });
    // What is to be called back is left where it is.
    if c.callback.is_none() && policy.rules.iter().take(decided).any(ends) {
        return wrong("a rule without conditions was not carried out");
    }
    let next = policy.rules.get(decided).map(|rule| standing.since + rule.after);
    let waits = matches!(c.stage, Stage::Waiting(_)) && !callback::rests(c);
    let known = standing.due == next || (!waits && standing.due.is_none());
    if !known {
        return wrong(&format!("its next rule is due at {next:?}"));
    }
    let shown = standing.due.is_none_or(|due| c.deadline.is_some_and(|first| first <= due));
    if shown { None } else { wrong("its deadline is later") }
}

/// Whether a conversation that came to wait in queues does not stand under the policy of the first.
fn begins(step: &Step<'_>, c: &ConversationView) -> Option<String> {
    let came = step.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Waiting { conversation, place: Place::Queues(queues), .. } if *conversation == c.id => {
            queues.first()
        }
        _ => None,
    });
    let queue = step.after.queues.get(came?)?;
    let same = step.before?.queues.get(&queue.id)?.policy.number == queue.policy.number;
    let should = same && !queue.policy.policy.is_empty() && facts::is_in_queues(c);
    (should && c.standing.is_none())
        .then(|| format!("{} came to wait in {} and does not stand under its policy", c.id, queue.id))
}

/// Rules that were carried out before their time, twice, or otherwise than they say.
fn applied(step: &Step<'_>, ghost: &Ghost) -> impl Iterator<Item = String> {
    step.events.iter().filter_map(move |event| {
        let EventKind::RuleApplied { conversation, queue, number, rule, action } = &event.kind else {
            return None;
        };
        let wrong =
            |what: &str| Some(format!("rule {rule} of {queue} was applied to {conversation}: {what}"));
        let policy = version(step, ghost, *queue, *number)?;
        let Some(says) = usize::from(*rule).checked_sub(1).and_then(|at| policy.rules.get(at)) else {
            return wrong("there is no such rule");
        };
        if says.then != *action {
            return wrong(&format!("it says {:?}, done was {action:?}", says.then));
        }
        let before = step.before.and_then(|before| before.conversations.get(conversation));
        let standing = before.and_then(|c| c.standing.as_deref())?;
        if (standing.queue, standing.number) != (*queue, *number) {
            return None;
        }
        if standing.decided >= *rule {
            return wrong("it was decided before");
        }
        let due = standing.since + says.after;
        if due > event.at { wrong(&format!("it is not due before {due:?}")) } else { None }
    })
}
