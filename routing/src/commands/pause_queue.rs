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

#[cfg(test)]
mod tests {
    use crate::Command;
    use crate::command::By;
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::testing::{DOMAIN, supervisor};
    use crate::{Channel, QueueId};

    fn set(s: &Scene, paused: bool, by: By) -> Command {
        Command::PauseQueue { queue: s.queue, paused, by }
    }

    fn pause(s: &mut Scene) -> Command {
        set(s, true, supervisor())
    }

    fn resume(s: &mut Scene) -> Command {
        set(s, false, supervisor())
    }

    fn paused(s: &mut Scene) {
        let command = pause(s);
        s.world.ok(command);
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("idle", as_it_is, pause, "done", "QueuePaused"),
            (
                "offers from it are revoked",
                Scene::offered,
                pause,
                "done queued",
                "QueuePaused OfferEnded Waiting",
            ),
            ("work goes on", Scene::assigned, pause, "done assigned", "QueuePaused"),
            (
                "the other queue takes over",
                |s| {
                    s.voice = s.world.touchpoint(Channel::Voice, &[s.queue, s.plain]);
                    s.offered();
                },
                pause,
                "done offered",
                "QueuePaused OfferEnded Waiting Offered",
            ),
            ("paused already", paused, pause, "done", ""),
            ("not paused", as_it_is, resume, "done", ""),
            (
                "resumed: what waits is offered",
                |s| {
                    paused(s);
                    s.ready(s.a);
                    s.waiting();
                },
                resume,
                "done offered",
                "QueuePaused Offered",
            ),
            ("by an agent", as_it_is, |s| set(s, true, By::Agent(s.a)), "NotAllowed", ""),
            ("by the customer", as_it_is, |s| set(s, true, By::Customer), "NotAllowed", ""),
            (
                "unknown",
                as_it_is,
                |_| Command::PauseQueue { queue: QueueId::new(DOMAIN, 9), paused: true, by: By::System },
                "Unknown",
                "",
            ),
        ];
        play(rows);
    }
}
