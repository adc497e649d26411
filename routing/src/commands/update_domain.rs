//! `UpdateDomain`: other settings, which count from now on.

use super::checks::{Answered, done};
use super::validate;
use crate::Channel;
use crate::domain::{AgentNo, Cx, Domain, QueueNo};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::settings::DomainSettings;

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, settings: &DomainSettings) -> Answered {
    validate::domain(settings)?;
    for holder in domain.index.0.holders.clone() {
        domain.end_hold(holder);
    }
    let before = std::mem::replace(&mut domain.settings, settings.clone());
    if before.rank == settings.rank {
        domain.index.0.follow(settings);
    } else {
        domain.rerank(|domain| domain.index.0.follow(settings));
    }
    for channel in Channel::ALL {
        let index = channel.index();
        if settings.weights[index] < before.weights[index] {
            look_at_lines(domain, channel as u8);
        }
    }
    domain.emit(cx, EventKind::DomainChanged);
    done(DoneWhat::Ok, Subject::Domain(domain.id))
}

/// What waits by this channel weighs less, or is blocked less, and may fit somebody.
pub(super) fn look_at_lines(domain: &mut Domain, channel: u8) {
    let lines: Vec<QueueNo> = domain
        .queues
        .iter()
        .filter(|queue| queue.index.0.channels & (1 << channel) != 0)
        .map(|queue| queue.no)
        .collect();
    for queue in lines {
        domain.dirty.line(queue, channel);
    }
    let dedicated: Vec<AgentNo> = domain
        .agents
        .iter()
        .filter(|agent| agent.index.0.dedicated.contains_key(&channel))
        .map(|agent| agent.no)
        .collect();
    for agent in dedicated {
        domain.dirty.agent(agent);
    }
}
