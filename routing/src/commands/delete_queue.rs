//! `DeleteQueue`: agents leave it, conversations lose it; those left with no place end.

use super::checks::{About, Answer, Answered};
use crate::deadlines::Due;
use crate::domain::{ConvNo, Cx, Domain, LineSet, PlaceKind};
use crate::event::EventKind;
use crate::outcome::DoneWhat;
use crate::settings::RoutingMode;
use crate::{QueueId, Rejected};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: QueueId) -> Answered {
    let no = domain.named_queue(id)?;
    let named = domain.touchpoints.iter().find(|touchpoint| match &touchpoint.settings.mode {
        RoutingMode::Simplified { queues } => queues.contains(&id),
        RoutingMode::Dedicated { fallback, .. } => fallback.is_some_and(|(queue, _)| queue == id),
        RoutingMode::ToQueue(step) => step.queues.contains(&id),
    });
    if let Some(touchpoint) = named {
        let why = format!("{} routes to it: change or delete that first", touchpoint.no.id(domain.id));
        return Err(Rejected::InUse { why });
    }
    if let Some(other) = domain.policy_that_names(no) {
        let why = format!("the policy of {} names it: change that first", other.id(domain.id));
        return Err(Rejected::InUse { why });
    }
    // Nothing is offered from it again: what its offers held waits and is met below.
    domain.queue_mut(no).paused = true;
    while !domain.queue(no).index.0.offers.is_empty() {
        domain.revoke_oldest(cx, no);
    }
    for agent in domain.queue(no).index.0.members.clone() {
        domain.unlist(agent);
        domain.leave_queues(agent);
        domain.agent_mut(agent).settings.queues.retain(|queue| *queue != id);
        domain.join_queues(agent);
        domain.refresh(agent);
    }
    domain.nobody_stands_under(no);
    domain.forget_hours(no);
    let index = &domain.queue(no).index.0;
    let waiting: Vec<ConvNo> = index
        .lines
        .iter()
        .flat_map(LineSet::iter)
        .chain([&index.inbox])
        .flat_map(|line| line.keys())
        .map(|key| key.conversation)
        .chain(
            domain
                .resting()
                .filter(|conv| conv.place == PlaceKind::Queues && conv.queues.contains(&no))
                .map(|conv| conv.no),
        )
        .collect();
    for conversation in &waiting {
        domain.leave_lines(*conversation);
    }
    domain.emit(cx, EventKind::QueueDeleted(id));
    let version = domain.queue(no).version;
    domain.queues.remove(no.0);
    for conversation in waiting {
        domain.enter_lines(conversation);
        if domain.present_queues(&domain.conv(conversation).queues).is_empty() {
            // Due at once: ended within this entry's bound of expiries, the rest by later entries.
            domain.clear_wait(conversation);
            domain.conv_mut(conversation).wait_deadline = Some(cx.now);
            domain.index.0.deadlines.add(cx.now, Due::Wait(conversation));
        }
    }
    Ok(Answer { what: DoneWhat::Ok, about: About::Gone(version) })
}

#[cfg(test)]
mod tests {
    use crate::Command;
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::testing::DOMAIN;
    use crate::{Channel, QueueId};

    fn delete(s: &mut Scene) -> Command {
        Command::DeleteQueue { queue: s.queue }
    }

    fn unrouted(s: &mut Scene) {
        for touchpoint in [s.voice, s.mail] {
            s.world.ok(Command::DeleteTouchpoint { touchpoint });
        }
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("a touchpoint names it", as_it_is, delete, "InUse", ""),
            (
                "a dedicated touchpoint's fallback",
                |s| {
                    unrouted(s);
                    s.dedicated(Some((s.queue, crate::Span::seconds(9))));
                },
                delete,
                "InUse queued",
                "",
            ),
            ("idle", unrouted, delete, "done", "QueueDeleted"),
            ("unknown", as_it_is, |_| Command::DeleteQueue { queue: QueueId::new(DOMAIN, 9) }, "Unknown", ""),
            (
                "deleted already",
                |s| {
                    unrouted(s);
                    let command = delete(s);
                    s.world.ok(command);
                },
                delete,
                "Unknown",
                "",
            ),
            (
                "what waits there alone ends",
                |s| {
                    s.waiting();
                    unrouted(s);
                },
                delete,
                "done closed",
                "QueueDeleted Ended",
            ),
            (
                "and in its inbox",
                |s| {
                    s.in_inbox();
                    unrouted(s);
                },
                delete,
                "done closed",
                "QueueDeleted Ended",
            ),
            (
                "an offer from it goes first",
                |s| {
                    s.offered();
                    unrouted(s);
                },
                delete,
                "done closed",
                "OfferEnded Waiting QueueDeleted Ended",
            ),
            (
                "what waits in two waits on",
                |s| {
                    let both = s.world.touchpoint(Channel::Voice, &[s.queue, s.plain]);
                    s.id = s.world.start(both);
                    s.world.ok(Command::DeleteTouchpoint { touchpoint: both });
                    unrouted(s);
                },
                delete,
                "done queued",
                "QueueDeleted",
            ),
            (
                "owned work goes on",
                |s| {
                    s.assigned();
                    unrouted(s);
                },
                delete,
                "done assigned",
                "QueueDeleted",
            ),
        ];
        play(rows);
    }

    #[test]
    fn agents_leave_it_and_work_that_comes_back_ends() {
        let mut s = Scene::new();
        s.assigned();
        unrouted(&mut s);
        let command = delete(&mut s);
        s.world.ok(command);
        assert_eq!(s.world.shard.agent(s.a.agent).expect("made").settings.queues, [s.plain]);
        s.world.ok(Command::LogOut { agent: s.a.agent, by: crate::command::By::System });
        assert_eq!(s.world.events(), ["LeaseLost", "Released", "Ended", "PresenceChanged"]);
    }
}
