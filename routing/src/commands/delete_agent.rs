//! `DeleteAgent`: what it had goes on without it.

use super::checks::{About, Answer, Answered};
use crate::domain::{ConvNo, Cx, Domain, PlaceKind};
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
        .chain(
            domain
                .resting()
                .filter(|conv| conv.place == PlaceKind::Dedicated(no) || conv.named().contains(&no))
                .map(|conv| conv.no),
        )
        .collect();
    for conversation in &waiting {
        domain.leave_lines(*conversation);
    }
    let returns = domain.agent_mut(no).miss_return.take();
    if let Some(at) = returns {
        domain.index.0.deadlines.remove(at, crate::deadlines::Due::MissReturn(no));
    }
    domain.drop_pace(no);
    domain.emit(cx, EventKind::AgentDeleted(id));
    let version = domain.agent(no).version;
    domain.agents.remove(no.0);
    for conversation in waiting {
        if domain.conv(conversation).place == PlaceKind::Queues {
            // It was one of those named; where it was the last, the next step follows.
            domain.start_step(cx, conversation);
            domain.enter_lines(conversation);
        } else {
            domain.enter_place(cx, conversation, Requeued::OwnerGone);
        }
    }
    Ok(Answer { what: DoneWhat::Ok, about: About::Gone(version) })
}

#[cfg(test)]
mod tests {
    use crate::command::TransferFallback;
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::testing::DOMAIN;
    use crate::{AgentId, Command, Span};

    fn delete(s: &mut Scene) -> Command {
        Command::DeleteAgent { agent: s.a.agent }
    }

    fn only_for_a(s: &mut Scene, falls_back: bool) {
        let fallback = falls_back.then_some((s.plain, Span::seconds(60)));
        let touchpoint = s.dedicated(fallback);
        s.world.ok(Command::DeleteTouchpoint { touchpoint });
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("idle", as_it_is, delete, "done", "AgentDeleted"),
            ("unknown", as_it_is, |_| Command::DeleteAgent { agent: AgentId::new(DOMAIN, 9) }, "Unknown", ""),
            ("a touchpoint is dedicated to it", |s| _ = s.dedicated(None), delete, "InUse queued", ""),
            ("offered", Scene::offered, delete, "done queued", "OfferEnded Waiting AgentDeleted"),
            ("assigned", Scene::assigned, delete, "done queued", "Released Waiting AgentDeleted"),
            ("wrapping", Scene::wrapping, delete, "done closed", "Ended AgentDeleted"),
            (
                "dedicated, with a fallback",
                |s| only_for_a(s, true),
                delete,
                "done queued",
                "AgentDeleted Waiting",
            ),
            ("dedicated, without", |s| only_for_a(s, false), delete, "done closed", "AgentDeleted Ended"),
            (
                "the other takes over",
                |s| {
                    s.assigned();
                    s.ready(s.b);
                },
                delete,
                "done offered",
                "Released Waiting AgentDeleted Offered",
            ),
            (
                "a transfer to it fails",
                |s| s.moving(TransferFallback::Source),
                |s| Command::DeleteAgent { agent: s.b.agent },
                "done assigned",
                "OfferEnded TransferFailed AgentDeleted",
            ),
        ];
        play(rows);
    }

    /// The line is gone and its deadline with it: in the queue, an offer rings as long as any other.
    #[test]
    fn the_lines_deadline_goes_with_the_line() {
        let mut s = Scene::new();
        only_for_a(&mut s, true);
        let command = delete(&mut s);
        s.world.ok(command);
        s.pass(50);
        s.ready(s.b);
        let (offer, _) = s.world.offer_of(s.id).expect("offered from the fallback queue");
        // The line would have been over now; the offer is 10 s old of 20.
        s.pass(10);
        s.world.tick();
        assert_eq!(s.world.offer_of(s.id), Some((offer, s.b.agent)), "{:?}", s.world.events());
    }

    #[test]
    fn it_is_gone_for_its_desk() {
        let mut s = Scene::new();
        let command = delete(&mut s);
        s.world.ok(command.clone());
        assert!(s.world.shard.agent(s.a.agent).is_none());
        assert!(matches!(s.world.refused(Command::LoseLease { desk: s.a }), crate::Rejected::Unknown { .. }));
        assert!(matches!(s.world.refused(command), crate::Rejected::Unknown { .. }));
    }
}
