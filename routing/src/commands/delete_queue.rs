//! `DeleteQueue`: agents leave it, conversations lose it; those left with no place end.

use super::checks::{About, Answer, Answered};
use super::pause_queue::revoke_offers_from;
use crate::deadlines::Due;
use crate::domain::{ConvNo, Cx, Domain};
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
    // Nothing is offered from it again: what its offers held waits and is met below.
    domain.queue_mut(no).paused = true;
    revoke_offers_from(domain, cx, no);
    for agent in domain.queue(no).index.0.members.clone() {
        domain.unlist(agent);
        domain.leave_queues(agent);
        domain.agent_mut(agent).settings.queues.retain(|queue| *queue != id);
        domain.join_queues(agent);
        domain.refresh(agent);
    }
    let index = &domain.queue(no).index.0;
    let waiting: Vec<ConvNo> = index
        .lines
        .iter()
        .chain([&index.inbox])
        .flat_map(|line| line.keys())
        .map(|key| key.conversation)
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
