//! What several checks ask of a picture: written from the rules, by scanning.

use super::{Ghost, Step, callback};
use crate::blocks::blocked_by;
use crate::command::{By, Intent};
use crate::criteria::Step as Wanted;
use crate::event::Place;
use crate::hours::HoursState;
use crate::settings::{DomainSettings, RankPolicy};
use crate::view::{AgentView, ConversationView, DomainView, OfferView, QueueView, Stage};
use crate::{Channel, Command, ConversationId, DomainId, Event, EventKind, LogTime, QueueId, Rejected};

/// Rank key, smallest first.
pub type Rank = (i128, u64, ConversationId);

/// The rank of a conversation under its domain's policy.
pub fn rank(view: &DomainView, conversation: &ConversationView) -> Rank {
    let arrived = conversation.arrived_at.0;
    let first = match &view.summary.settings.rank {
        RankPolicy::Priority => i128::from(255 - conversation.priority.0),
        RankPolicy::Aging { credits } => {
            let credit = credits
                .iter()
                .find(|(priority, _)| *priority == conversation.priority)
                .map_or(0, |(_, span)| span.0);
            i128::from(arrived) - i128::from(credit)
        }
    };
    (first, arrived, conversation.id)
}

/// Whether a conversation waits for an offer, without one.
pub fn waits(conversation: &ConversationView) -> bool {
    matches!(conversation.stage, Stage::Waiting(Place::Queues(_) | Place::Dedicated(_)))
        && !callback::rests(conversation)
}

/// Conversations that wait for an offer, without one.
pub fn waiting(view: &DomainView) -> impl Iterator<Item = &ConversationView> {
    view.conversations.values().filter(|c| waits(c))
}

/// Queues of a list that exist and make offers.
pub fn open_queues<'a>(view: &'a DomainView, queues: &'a [QueueId]) -> impl Iterator<Item = QueueId> + 'a {
    let closed =
        |queue: &QueueView| queue.hours.as_ref().is_some_and(|hours| hours.state == HoursState::Closed);
    queues
        .iter()
        .copied()
        .filter(move |id| view.queues.get(id).is_some_and(|queue| !queue.paused && !closed(queue)))
}

/// Whether a conversation's place is its queues, waiting there or on offer from there.
pub fn is_in_queues(conversation: &ConversationView) -> bool {
    matches!(conversation.stage, Stage::Waiting(Place::Queues(_)) | Stage::Offered(Place::Queues(_)))
}

/// What a conversation asks of agents now: the active step of its criteria, while its place is its queues.
pub fn wanted(conversation: &ConversationView) -> Option<&Wanted> {
    let seeking = conversation.seeking.as_deref().filter(|_| is_in_queues(conversation))?;
    seeking.criteria.steps.get(seeking.at)
}

/// Whether a conversation is for some agents alone now.
pub fn is_for_named(conversation: &ConversationView) -> bool {
    wanted(conversation).is_some_and(|wanted| !wanted.agents.is_empty())
}

/// Whether an agent is one that a conversation asks for: named, where any are, and with all that is required.
pub fn is_wanted(agent: &AgentView, conversation: &ConversationView) -> bool {
    wanted(conversation).is_none_or(|wanted| {
        let named = wanted.agents.is_empty() || wanted.agents.contains(&agent.id);
        let mut lacks = wanted.required.iter().filter(|required| {
            !agent.skills.iter().any(|has| has.name == required.name && has.level >= required.level)
        });
        named && lacks.next().is_none()
    })
}

/// Whether its place lets the agent have a conversation that waits there: of those named, whatever the
/// queues are.
pub fn place_reaches(
    view: &DomainView,
    conversation: &ConversationView,
    place: &Place,
    agent: &AgentView,
) -> bool {
    match place {
        Place::Queues(_) if is_for_named(conversation) => true,
        Place::Queues(queues) => open_queues(view, queues).any(|q| agent.settings.queues.contains(&q)),
        Place::Dedicated(dedicated) => *dedicated == agent.id,
        Place::Inbox(_) => false,
    }
}

/// Work of a channel an agent has in hand or on offer.
pub fn count_of_channel(view: &DomainView, agent: &AgentView, channel: Channel) -> usize {
    let held = agent.holdings.iter().filter(|h| h.channel == channel).count();
    let offered = agent
        .offers
        .iter()
        .filter(|o| view.conversations.get(&o.conversation).is_some_and(|c| c.channel == channel))
        .count();
    held + offered
}

/// Every gate but capacity, the channel's cap, blocks and holds, for a waiting conversation at its place.
pub fn passes_person_gates(view: &DomainView, agent: &AgentView, conversation: &ConversationView) -> bool {
    let Stage::Waiting(place) = &conversation.stage else { return false };
    agent.takes_offers()
        && place_reaches(view, conversation, place, agent)
        && is_wanted(agent, conversation)
        && agent.settings.channels.contains(conversation.channel)
        && conversation.excluded.get(&agent.id).is_none_or(|until| *until <= view.now)
}

/// The channels of an agent's work that holds points, but for these offers.
pub fn works_on<'a>(
    view: &'a DomainView,
    agent: &'a AgentView,
    but_for: impl Fn(&OfferView) -> bool + 'a,
) -> impl Iterator<Item = Channel> + 'a {
    let held = agent.holdings.iter().filter(|holding| holding.weight.0 > 0).map(|holding| holding.channel);
    let offers = agent.offers.iter().filter(move |offer| !but_for(offer));
    held.chain(offers.filter_map(|offer| Some(view.conversations.get(&offer.conversation)?.channel)))
}

/// Whether rules between channels block a channel for an agent, if these offers are not counted.
pub fn is_blocked(
    view: &DomainView,
    agent: &AgentView,
    channel: Channel,
    but_for: impl Fn(&OfferView) -> bool,
) -> bool {
    blocked_by(&view.summary.channel_rules, channel, works_on(view, agent, but_for)).is_some()
}

/// Free points.
pub fn free(agent: &AgentView) -> u32 {
    u32::from(agent.settings.capacity.0).saturating_sub(agent.load)
}

/// Eligible for an automatic offer, now, held points respected.
pub fn eligible(view: &DomainView, agent: &AgentView, conversation: &ConversationView) -> bool {
    let paced = agent.paced_until.is_some();
    if !agent.takes_offers() || paced || u32::from(conversation.weight.0) > free(agent) {
        return false;
    }
    let held_for_another = agent.held_for.is_some_and(|(held, until)| {
        until > view.now
            && held != conversation.id
            && view.conversations.get(&held).is_some_and(|c| rank(view, c) < rank(view, conversation))
    });
    let capped = agent.settings.caps[conversation.channel.index()]
        .is_some_and(|cap| count_of_channel(view, agent, conversation.channel) >= usize::from(cap));
    passes_person_gates(view, agent, conversation)
        && !capped
        && !held_for_another
        && !is_blocked(view, agent, conversation.channel, |_| false)
}

/// Offers this entry made that are still live, direct transfers included.
pub fn offers_made<'a>(step: &Step<'a>) -> Vec<(&'a ConversationView, &'a OfferView)> {
    let made = step.events.iter().filter_map(|event| match &event.kind {
        EventKind::Offered(offered) | EventKind::OfferedBecause(offered, _) => Some(offered),
        _ => None,
    });
    made.filter_map(|made| {
        let conversation = step.after.conversations.get(&made.conversation)?;
        Some((conversation, conversation.offers().find(|offer| offer.id == made.offer)?))
    })
    .collect()
}

/// When work in hand ends by itself, by the last event that said so: wrap-up, or the longest time of a
/// contact. `None` where no such event was seen.
pub fn work_ends(step: &Step<'_>, ghost: &Ghost, id: ConversationId) -> Option<Option<LogTime>> {
    let settings = &step.after.summary.settings;
    let told = step.events.iter().rev().find_map(|event| work_ends_by(event, settings, id));
    told.or_else(|| ghost.work_ends.get(&id).copied())
}

/// The same, as one event says it of this conversation.
pub fn work_ends_by(event: &Event, settings: &DomainSettings, id: ConversationId) -> Option<Option<LogTime>> {
    match &event.kind {
        EventKind::Assigned { conversation, .. } if *conversation == id => {
            Some(settings.assigned_max.map(|longest| event.at + longest))
        }
        EventKind::Wrapping { conversation, deadline, .. }
        | EventKind::WrapUpExtended { conversation, deadline, .. }
            if *conversation == id =>
        {
            Some(Some(*deadline))
        }
        _ => None,
    }
}

/// The time before which the break is not over that a change of presence began for misses; `None` if it
/// began no such break.
pub fn break_begun(step: &Step<'_>, event: &Event) -> Option<Option<LogTime>> {
    let EventKind::PresenceChanged { intent: Intent::Unavailable { reason }, by: By::System, .. } =
        &event.kind
    else {
        return None;
    };
    // It began before what the entry changed of the settings, or after.
    let settings = step.before.into_iter().chain([step.after]).map(|view| &view.summary.settings);
    let shortest = settings.filter_map(|settings| settings.miss_return).min();
    (reason == "missed").then_some(shortest.map(|span| event.at + span))
}

/// Whether the entry's request id was answered before, or refused for its age or content: such an
/// entry must change nothing at all. True long after the window too: then it is refused.
pub fn is_repeat(step: &Step<'_>, ghost: &Ghost) -> bool {
    matches!(step.outcome, Err(Rejected::RequestTooOld { .. } | Rejected::RequestIdReused))
        || step.entry.request.id.is_some_and(|id| ghost.answers.contains_key(&id) && !ghost.ages.is_lost(id))
}

/// Whether the entry was this domain's to work on, so that nothing due may be left in it.
pub fn concerns(step: &Step<'_>, ghost: &Ghost) -> bool {
    let target = step.entry.request.domain;
    let sweeps = matches!(step.entry.request.command, Command::Tick | Command::Continue);
    let ours = target == step.after.summary.id || (target == DomainId::SHARD && sweeps);
    ours && !is_repeat(step, ghost) && step.after.summary.quarantined.is_none()
}

/// Whether the domain has come to rest: in service and nothing left for a `Continue`.
pub fn settled(step: &Step<'_>, ghost: &Ghost) -> bool {
    concerns(step, ghost) && !step.after.summary.pending
}
