//! `CreateAgent` and `UpdateAgent`.

use super::checks::{Answered, done};
use super::queues::full;
use super::validate;
use crate::command::{By, Intent};
use crate::domain::{Agent, AgentNo, ConvNo, Cx, Derived, Domain};
use crate::event::{EventKind, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::settings::AgentSettings;
use crate::settings::limits::AGENTS_MAX;
use crate::view::Lease;
use crate::{AgentId, Epoch, Version};

pub(super) fn create(domain: &mut Domain, cx: &mut Cx<'_>, settings: &AgentSettings) -> Answered {
    validate::agent(domain, settings)?;
    if domain.agents.len() as u64 >= AGENTS_MAX {
        return Err(full("agents of the domain", AGENTS_MAX));
    }
    domain.counters.agent += 1;
    let no = AgentNo(domain.counters.agent);
    domain.agents.insert(Agent {
        no,
        version: Version(0),
        settings: settings.clone(),
        intent: Intent::Unavailable { reason: "new".to_owned() },
        intent_by: By::System,
        lease: Lease::None,
        epoch: Epoch(0),
        load: 0,
        offers: Vec::new(),
        holdings: Vec::new(),
        misses: 0,
        miss_return: None,
        paced: None,
        idle_since: cx.now,
        last_offer: 0,
        hold: None,
        skills: Box::default(),
        index: Derived::default(),
    });
    domain.join_queues(no);
    let id = no.id(domain.id);
    domain.emit(cx, EventKind::AgentCreated(id));
    done(DoneWhat::Agent(id), Subject::Agent(id))
}

pub(super) fn update(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: AgentId,
    settings: &AgentSettings,
) -> Answered {
    validate::agent(domain, settings)?;
    let no = domain.named_agent(id)?;
    domain.end_hold(no);
    domain.unlist(no);
    domain.leave_queues(no);
    domain.agent_mut(no).settings = settings.clone();
    domain.join_queues(no);
    domain.refresh(no);
    domain.emit(cx, EventKind::AgentChanged(id));
    let gone: Vec<ConvNo> =
        domain.agent(no).offers.iter().copied().filter(|offered| !still_fits(domain, no, *offered)).collect();
    for offered in gone {
        domain.bring_forward(offered, no);
        domain.revoke_offer(cx, offered, Revoked::QueueGone);
    }
    domain.dirty.agent(no);
    done(DoneWhat::Ok, Subject::Agent(id))
}

/// Whether an agent may keep a live offer: it has accepted it, or handles the channel and belongs to its queue.
fn still_fits(domain: &Domain, agent: AgentNo, offered: ConvNo) -> bool {
    let conversation = domain.conv(offered);
    let queue = conversation.offer_to(agent).and_then(|offer| offer.queue);
    let agent = domain.agent(agent);
    conversation.is_connecting()
        || agent.settings.channels.contains(conversation.channel)
            && queue.is_none_or(|queue| agent.index.0.queues.contains(&queue))
}
