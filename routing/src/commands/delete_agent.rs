//! `DeleteAgent`: what it had goes on without it.

use super::checks::{About, Answer, Answered};
use crate::domain::{ConvNo, Cx, Domain};
use crate::event::{EventKind, Requeued, Revoked};
use crate::outcome::DoneWhat;
use crate::settings::RoutingMode;
use crate::{AgentId, Rejected};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: AgentId) -> Answered {
    let no = domain.named_agent(id)?;
    let dedicated = domain.touchpoints.iter().find(
        |touchpoint| matches!(touchpoint.settings.mode, RoutingMode::Dedicated { agent, .. } if agent == id),
    );
    if let Some(touchpoint) = dedicated {
        let why = format!("{} is dedicated to it: change or delete that first", touchpoint.no.id(domain.id));
        return Err(Rejected::InUse { why });
    }
    domain.end_hold(no);
    domain.unlist(no);
    // Out of the way: without a queue nothing that follows comes back to it.
    domain.leave_queues(no);
    domain.revoke_offers(cx, no, Revoked::Unavailable);
    for held in domain.agent(no).holdings.clone() {
        domain.owner_gone(cx, held, Requeued::OwnerGone);
    }
    let waiting: Vec<ConvNo> = domain
        .agent(no)
        .index
        .0
        .dedicated
        .values()
        .flat_map(|line| line.keys())
        .map(|key| key.conversation)
        .collect();
    for conversation in &waiting {
        domain.leave_lines(*conversation);
    }
    let returns = domain.agent_mut(no).miss_return.take();
    if let Some(at) = returns {
        domain.index.0.deadlines.remove(at, crate::deadlines::Due::MissReturn(no));
    }
    domain.emit(cx, EventKind::AgentDeleted(id));
    let version = domain.agent(no).version;
    domain.agents.remove(no.0);
    for conversation in waiting {
        domain.enter_place(cx, conversation, Requeued::OwnerGone);
    }
    Ok(Answer { what: DoneWhat::Ok, about: About::Gone(version) })
}
