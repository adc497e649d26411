//! `PauseQueue`: a queue stops making offers, or goes on.

use super::checks::{Answered, done, supervisors_only};
use crate::command::By;
use crate::domain::{ConvNo, Cx, Domain, QueueNo};
use crate::event::{EventKind, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::{Channel, QueueId};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: QueueId, paused: bool, by: &By) -> Answered {
    domain.caller(by)?;
    let no = domain.named_queue(id)?;
    supervisors_only(by)?;
    if domain.queue(no).paused != paused {
        domain.queue_mut(no).paused = paused;
        domain.emit(cx, EventKind::QueuePaused { queue: id, paused, by: by.clone() });
        if paused {
            revoke_offers_from(domain, cx, no);
        } else {
            for channel in Channel::ALL {
                if domain.queue(no).index.0.channels & (1 << channel as u8) != 0 {
                    domain.dirty.line(no, channel as u8);
                }
            }
        }
    }
    done(DoneWhat::Ok, Subject::Queue(id))
}

/// Revokes the live offers that were made from a queue.
pub(super) fn revoke_offers_from(domain: &mut Domain, cx: &mut Cx<'_>, queue: QueueNo) {
    let mut offered: Vec<ConvNo> = domain
        .queue(queue)
        .index
        .0
        .members
        .iter()
        .flat_map(|member| domain.agent(*member).offers.iter().copied())
        .filter(|no| domain.conv(*no).offer.as_ref().is_some_and(|offer| offer.queue == Some(queue)))
        .collect();
    offered.sort_unstable_by_key(|no| domain.conv(*no).offer.as_ref().map(|offer| offer.number));
    for no in offered {
        domain.revoke_offer(cx, no, Revoked::QueueGone);
    }
}
