//! From messages to what the checks look at.

use crate::checks::{AgentSeen, ConversationSeen, Shown, Stage};
use proto::v1;

/// A conversation; `None` when its ids or its stage cannot be read.
pub(super) fn conversation(wire: &v1::Conversation) -> Option<ConversationSeen> {
    let stage = match v1::Stage::try_from(wire.stage).ok()? {
        v1::Stage::Queued => Stage::Waiting,
        v1::Stage::InInbox => Stage::Inbox,
        v1::Stage::Offered | v1::Stage::Connecting => Stage::Offered,
        v1::Stage::Assigned => Stage::Assigned,
        v1::Stage::Wrapping => Stage::Wrapping,
        v1::Stage::Closed => Stage::Ended { abandoned: false },
        v1::Stage::Abandoned => Stage::Ended { abandoned: true },
        v1::Stage::Transferring => Stage::Transferring,
        v1::Stage::Unspecified => return None,
    };
    // Of one that waits on a line of its own it is the agent who is waited for.
    let owned = matches!(stage, Stage::Assigned | Stage::Wrapping);
    Some(ConversationSeen {
        id: wire.id.parse().ok()?,
        version: wire.version,
        stage,
        owner: if owned { Some(wire.agent.parse().ok()?) } else { None },
        priority: wire.priority,
        arrived_at_us: wire.arrived_at_us,
        reference: wire.reference.clone(),
    })
}

/// An agent; `None` when an id cannot be read.
pub(super) fn agent(wire: &v1::Agent) -> Option<AgentSeen> {
    let mut offers: Vec<_> = wire.offers.iter().map(|offer| offer.id.parse().ok()).collect::<Option<_>>()?;
    offers.sort_unstable();
    let held = |holding: &v1::Holding| Some((holding.conversation.parse().ok()?, holding.wrapping));
    let mut holdings: Vec<_> = wire.holdings.iter().map(held).collect::<Option<_>>()?;
    holdings.sort_unstable();
    Some(AgentSeen {
        agent: wire.id.parse().ok()?,
        version: wire.version,
        epoch: wire.epoch,
        live: wire.lease == "live",
        available: is_available(wire.intent.as_ref()),
        offers,
        holdings,
    })
}

/// An offer; `None` when an id cannot be read.
pub(super) fn offer(wire: &v1::Offer) -> Option<Shown> {
    Some(Shown {
        offer: wire.id.parse().ok()?,
        conversation: wire.conversation.parse().ok()?,
        agent: wire.agent.parse().ok()?,
        made_at_us: wire.made_at_us,
        deadline_us: wire.deadline_us,
        connecting: wire.connecting,
        consult: wire.consult,
    })
}

/// Whether an intent is to take offers.
pub(super) fn is_available(intent: Option<&v1::Intent>) -> bool {
    intent.is_some_and(|intent| matches!(intent.intent, Some(v1::intent::Intent::Available(_))))
}

/// Whether an intent is the break that the domain imposes for misses.
pub(super) fn is_missed(intent: &v1::Intent) -> bool {
    matches!(&intent.intent, Some(v1::intent::Intent::Unavailable(unavailable)) if unavailable.reason == "missed")
}
