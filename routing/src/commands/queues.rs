//! `CreateQueue` and `UpdateQueue`.

use super::checks::{Answered, done};
use super::validate;
use crate::domain::{AgentNo, Cx, Derived, Domain, Queue, QueueNo};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::settings::QueueSettings;
use crate::settings::limits::QUEUES_MAX;
use crate::{QueueId, Rejected, Version};
use std::sync::Arc;

pub(super) fn create(domain: &mut Domain, cx: &mut Cx<'_>, settings: &QueueSettings) -> Answered {
    validate::queue(settings)?;
    if domain.queues.len() as u64 >= QUEUES_MAX {
        return Err(full("queues of the domain", QUEUES_MAX));
    }
    domain.counters.queue += 1;
    let no = QueueNo(domain.counters.queue);
    let index = Derived::default();
    domain.queues.insert(Queue {
        no,
        version: Version(0),
        settings: settings.clone(),
        paused: false,
        policies: Arc::default(),
        hours: None,
        ring: 1,
        index,
    });
    let id = no.id(domain.id);
    domain.emit(cx, EventKind::QueueCreated(id));
    done(DoneWhat::Queue(id), Subject::Queue(id))
}

pub(super) fn update(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: QueueId,
    settings: &QueueSettings,
) -> Answered {
    validate::queue(settings)?;
    let no = domain.named_queue(id)?;
    let repick = domain.queue(no).settings.pick != settings.pick;
    let listed: Vec<AgentNo> = if repick {
        domain.queue(no).index.0.ready.keys().iter().map(|key| key.agent).collect()
    } else {
        Vec::new()
    };
    for agent in &listed {
        domain.unlist(*agent);
    }
    domain.queue_mut(no).settings = settings.clone();
    for agent in listed {
        domain.refresh(agent);
    }
    domain.emit(cx, EventKind::QueueChanged(id));
    done(DoneWhat::Ok, Subject::Queue(id))
}

/// The refusal of one more.
pub(super) fn full(what: &str, limit: u64) -> Rejected {
    Rejected::Full { what: what.to_owned(), limit, remedy: "delete some, or use another domain".to_owned() }
}
