//! `Reject`: the agent declines an offer.

use super::accept::{consulting, live_offer};
use super::checks::{Answered, done, text};
use crate::OfferId;
use crate::command::{Decline, Desk};
use crate::domain::{Cx, Domain};
use crate::event::{OfferEnd, Requeued, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::TEXT_BYTES_MAX;

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    desk: Desk,
    id: OfferId,
    decline: &Decline,
) -> Answered {
    domain.desk(desk)?;
    text("reason", &decline.reason, TEXT_BYTES_MAX)?;
    let (agent, no) = live_offer(domain, desk, id)?;
    if domain.conv(no).is_consulting() {
        return consulting();
    }
    domain.bring_forward(no, agent);
    let span = domain.settings.exclude_rejected;
    let offer = domain.take_offer(cx, no, OfferEnd::Rejected { reason: decline.reason.clone() });
    if domain.wait_after_offer(cx, no, &offer, Requeued::Rejected) {
        domain.exclude(cx.now, no, agent, span);
    }
    done(DoneWhat::Ok, Subject::Conversation(no.id(domain.id)))
}

#[cfg(test)]
mod tests {
    use crate::command::{Decline, TransferFallback};
    use crate::scene::{Row, Scene, play};
    use crate::{Command, Span};

    fn no(desk: crate::command::Desk, offer: crate::OfferId) -> Command {
        Command::Reject { desk, offer, decline: Decline { reason: "busy".to_owned() } }
    }

    fn reject(s: &mut Scene) -> Command {
        no(s.a, s.offer)
    }

    fn by_b(s: &mut Scene) -> Command {
        no(s.b, s.offer)
    }

    fn both(s: &mut Scene) {
        s.offered();
        s.ready(s.b);
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("nobody else: it waits", Scene::offered, reject, "done queued", "OfferEnded Waiting"),
            ("the next gets it at once", both, reject, "done offered", "OfferEnded Waiting Offered"),
            (
                "without exclusion it comes back",
                |s| {
                    s.set(|settings| settings.exclude_rejected = Span::ZERO);
                    s.offered();
                },
                reject,
                "done offered",
                "OfferEnded Waiting Offered",
            ),
            ("not its own", both, by_b, "OfferOver offered", ""),
            ("accepted already", Scene::assigned, reject, "OfferOver assigned", ""),
            (
                "late",
                |s| {
                    s.offered();
                    s.pass(20);
                },
                reject,
                "OfferOver queued",
                "OfferEnded Waiting",
            ),
            ("stale", Scene::offered, |s| no(s.stale(), s.offer), "StaleEpoch offered", ""),
            (
                "too long a reason",
                Scene::offered,
                |s| {
                    let decline = Decline { reason: "x".repeat(1_025) };
                    Command::Reject { desk: s.a, offer: s.offer, decline }
                },
                "Invalid offered",
                "",
            ),
            (
                "a transfer: the source keeps it",
                |s| s.moving(TransferFallback::Source),
                by_b,
                "done assigned",
                "OfferEnded TransferFailed",
            ),
            (
                "a transfer: its last queues, and the refuser is excluded",
                |s| {
                    s.moving(TransferFallback::LastQueues);
                    s.away(s.a);
                },
                by_b,
                "done queued",
                "OfferEnded TransferFailed Released Waiting",
            ),
            (
                "a transfer: the queue named, where its source may get it again",
                |s| s.moving(TransferFallback::Queue(s.plain)),
                by_b,
                "done offered",
                "OfferEnded TransferFailed Released Waiting Offered",
            ),
            (
                "a transfer: the queue named is deleted since, so its last queues",
                |s| {
                    s.moving(TransferFallback::Queue(s.plain));
                    s.away(s.a);
                    s.world.ok(Command::DeleteQueue { queue: s.plain });
                },
                by_b,
                "done queued",
                "OfferEnded TransferFailed Released Waiting",
            ),
        ];
        play(rows);
    }

    #[test]
    fn misses_count_rejections_do_not_and_acceptance_forgets_them() {
        let mut s = Scene::new();
        s.set(|settings| settings.exclude_missed = Span::ZERO);
        let misses = |s: &Scene| s.world.shard.agent(s.a.agent).expect("made").misses;
        s.offered();
        s.pass(20);
        s.world.tick();
        assert_eq!((misses(&s), s.stage()), (1, "offered"));
        s.offer = s.world.offer_of(s.id).expect("offered").0;
        let command = reject(&mut s);
        s.world.ok(command);
        assert_eq!(misses(&s), 1);
        s.pass(1);
        s.world.tick();
        assert_eq!(s.stage(), "offered", "excluded nobody is left: waived after 1 s");
        s.world.accept(s.id);
        assert_eq!(misses(&s), 0);
    }
}
