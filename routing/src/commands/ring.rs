//! `SetRing`: to how many agents a queue offers a conversation at once.

use super::checks::{Answered, done, invalid, supervisors_only};
use crate::QueueId;
use crate::command::By;
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::RING_AGENTS_MAX;

pub(super) fn set(domain: &mut Domain, cx: &mut Cx<'_>, id: QueueId, agents: u8, by: &By) -> Answered {
    domain.caller(by)?;
    let no = domain.named_queue(id)?;
    if !(1..=RING_AGENTS_MAX).contains(&agents) {
        return invalid("ring.agents", format!("{agents}, use 1 to {RING_AGENTS_MAX}"));
    }
    supervisors_only(by)?;
    if domain.queue(no).ring != agents {
        domain.queue_mut(no).ring = agents;
        domain.emit(cx, EventKind::RingChanged { queue: id, agents, by: by.clone() });
    }
    done(DoneWhat::Ok, Subject::Queue(id))
}
