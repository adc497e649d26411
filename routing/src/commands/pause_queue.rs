//! `PauseQueue`: a queue stops making offers, or goes on.

use super::checks::{Answered, done, supervisors_only};
use crate::command::By;
use crate::deadlines::Due;
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::{Channel, LogTime, QueueId};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: QueueId, paused: bool, by: &By) -> Answered {
    domain.caller(by)?;
    let no = domain.named_queue(id)?;
    supervisors_only(by)?;
    if domain.queue(no).paused != paused {
        domain.queue_mut(no).paused = paused;
        domain.emit(cx, EventKind::QueuePaused { queue: id, paused, by: by.clone() });
        if paused {
            domain.follow_pause(no);
        } else {
            domain.index.0.deadlines.remove(LogTime(0), Due::Revoke(no));
            for channel in Channel::ALL {
                if domain.queue(no).index.0.channels & (1 << channel as u8) != 0 {
                    domain.dirty.line(no, channel as u8);
                }
            }
        }
    }
    done(DoneWhat::Ok, Subject::Queue(id))
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

    /// More offers than one entry revokes: the rest is revoked by later entries, and is over already.
    #[test]
    fn many_offers_are_revoked_by_continue() {
        let mut s = Scene::new();
        let desks: Vec<_> = (0..600).map(|_| s.world.ready(&[s.queue])).collect();
        let ids: Vec<_> = (0..600).map(|_| s.world.start(s.voice)).collect();
        let (offer, agent) = s.world.offer_of(ids[599]).expect("offered");
        paused(&mut s);
        assert_eq!(s.world.effects.events.len(), 1 + 2 * 256);
        assert!(s.world.shard.is_pending());
        let bytes = bincode::serde::encode_to_vec(&s.world.shard, bincode::config::standard());
        let restored: (crate::Shard, usize) =
            bincode::serde::decode_from_slice(&bytes.expect("serialises"), bincode::config::standard())
                .expect("deserialises");
        assert_eq!(restored.0.next_deadline(), s.world.shard.next_deadline());

        let desk = s.world.present_desk(agent);
        let refused = s.world.refused(Command::Accept { desk, offer });
        assert_eq!(refused, crate::Rejected::OfferOver { offer }, "revoked, though not yet told");
        s.world.ok(Command::Continue);
        assert!(!s.world.shard.is_pending());
        assert!(desks.iter().all(|desk| s.world.load(*desk) == 0));

        let mut world = crate::testing::World { shard: restored.0, ..s.world };
        world.ok(Command::PauseQueue { queue: s.queue, paused: false, by: supervisor() });
        let entries =
            (0..100).take_while(|_| world.shard.is_pending() && world.apply(Command::Continue).is_ok());
        assert!(entries.count() < 100, "comes to an end");
        assert!(ids.iter().all(|id| world.stage(*id) == "offered"));
        assert!(world.offer_of(ids[599]).is_some_and(|(kept, _)| kept == offer), "what was left goes on");
    }
}
