//! `Accept`: the agent takes an offer.

use super::checks::{Answered, done};
use crate::command::Desk;
use crate::domain::{AgentNo, ConvNo, Cx, Domain};
use crate::event::Subject;
use crate::outcome::DoneWhat;
use crate::{OfferId, PlantedBug, Rejected};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, desk: Desk, id: OfferId) -> Answered {
    let (agent, no) = live_offer(domain, desk, id)?;
    if cx.planted(PlantedBug::AnswerWithoutDeed) {
        let conversation = no.id(domain.id);
        return done(
            DoneWhat::Assigned { conversation, agent: desk.agent },
            Subject::Conversation(conversation),
        );
    }
    if domain.conv(no).is_consulting() {
        return consulting();
    }
    if domain.conv(no).is_connecting() {
        let needed = "say that agent and customer are connected, or that they could not be".to_owned();
        return Err(Rejected::WrongState { state: "connecting".to_owned(), needed });
    }
    domain.bring_forward(no, agent);
    domain.withdraw_others(cx, no);
    let conversation = domain.conv(no);
    if let Some(lasts) = domain.advises_for(no) {
        let deadline = domain.connect(cx, no, lasts);
        let conversation = no.id(domain.id);
        return done(
            DoneWhat::Consulting { conversation, agent: desk.agent, deadline },
            Subject::Conversation(conversation),
        );
    }
    if let Some(within) = domain.connects_within(no) {
        let deadline = domain.connect(cx, no, within);
        let conversation = no.id(domain.id);
        return done(
            DoneWhat::Connecting { conversation, agent: desk.agent, deadline },
            Subject::Conversation(conversation),
        );
    }
    let queue = conversation.offer.as_ref().and_then(|offer| offer.queue);
    domain.conv_mut(no).from_queue = queue;
    take(domain, cx, no)
}

/// The conversation of a live offer becomes its agent's.
pub(super) fn take(domain: &mut Domain, cx: &mut Cx<'_>, no: ConvNo) -> Answered {
    let agent = domain.take_over(cx, no).id(domain.id);
    let conversation = no.id(domain.id);
    done(DoneWhat::Assigned { conversation, agent }, Subject::Conversation(conversation))
}

/// The refusal of what ends an offer otherwise: a consultation is ended as one.
pub(super) fn consulting<T>() -> Result<T, Rejected> {
    let needed = "end it with EndConsult, or have its owner hand the conversation over with CompleteConsult";
    Err(Rejected::WrongState { state: "consulting".to_owned(), needed: needed.to_owned() })
}

/// The agent of a desk and the conversation of an offer that is live and this agent's; not always its first one.
pub(super) fn live_offer(domain: &Domain, desk: Desk, id: OfferId) -> Result<(AgentNo, ConvNo), Rejected> {
    let agent = domain.desk(desk)?;
    domain
        .offered(id)
        .filter(|no| domain.conv(*no).offer_to(agent).is_some_and(|offer| offer.id(domain.id) == id))
        .map(|no| (agent, no))
        .ok_or(Rejected::OfferOver { offer: id })
}

#[cfg(test)]
mod tests {
    use crate::command::{By, Desk, TransferFallback};
    use crate::scene::{Row, Scene, play};
    use crate::{AgentId, Command, Epoch, OfferId};

    fn accept(s: &mut Scene) -> Command {
        Command::Accept { desk: s.a, offer: s.offer }
    }

    fn by_b(s: &mut Scene) -> Command {
        Command::Accept { desk: s.b, offer: s.offer }
    }

    #[test]
    fn table() {
        let domain = crate::testing::DOMAIN;
        assert_eq!(domain.0, 1, "ids below name it");
        let rows: &[Row] = &[
            ("live", Scene::offered, accept, "done assigned", "OfferEnded Assigned"),
            ("unknown offer", Scene::waiting, accept, "OfferOver queued", ""),
            (
                "of another domain",
                Scene::offered,
                |s| Command::Accept { desk: s.a, offer: OfferId::new(crate::DomainId(2), 1) },
                "OfferOver offered",
                "",
            ),
            ("of another agent", Scene::offered, by_b, "OfferOver offered", ""),
            ("accepted already, by its owner", Scene::assigned, accept, "OfferOver assigned", ""),
            (
                "one moment before its time",
                |s| {
                    s.offered();
                    s.world.time += 20_000_000 - 1;
                },
                accept,
                "done assigned",
                "OfferEnded Assigned",
            ),
            (
                "late, without a tick",
                |s| {
                    s.offered();
                    s.pass(20);
                },
                accept,
                "OfferOver queued",
                "OfferEnded Waiting",
            ),
            (
                "revoked",
                |s| {
                    s.offered();
                    s.away(s.a);
                },
                accept,
                "OfferOver queued",
                "",
            ),
            (
                "stale desk",
                Scene::offered,
                |s| Command::Accept { desk: s.stale(), offer: s.offer },
                "StaleEpoch offered",
                "",
            ),
            (
                "a new session owns the offers of the old one",
                |s| {
                    s.offered();
                    s.a = s.world.desk(s.a.agent);
                },
                accept,
                "done assigned",
                "OfferEnded Assigned",
            ),
            (
                "without a lease",
                |s| {
                    s.offered();
                    s.lose();
                },
                accept,
                "NoLease queued",
                "",
            ),
            (
                "unknown agent",
                Scene::offered,
                |s| {
                    let desk = Desk { agent: AgentId::new(crate::testing::DOMAIN, 9), epoch: Epoch(1) };
                    Command::Accept { desk, offer: s.offer }
                },
                "Unknown offered",
                "",
            ),
            (
                "a transfer: the source is released at once",
                |s| s.moving(TransferFallback::Source),
                by_b,
                "done assigned",
                "OfferEnded Released Assigned",
            ),
            (
                "a transfer whose conversation ended",
                |s| {
                    s.moving(TransferFallback::Source);
                    s.world.ok(Command::EndContact { conversation: s.id, by: By::Customer });
                },
                by_b,
                "OfferOver wrapping",
                "",
            ),
        ];
        play(rows);
    }

    #[test]
    fn a_draining_source_is_done_when_its_transfer_is_accepted() {
        let mut s = Scene::new();
        s.moving(TransferFallback::Source);
        s.world.presence(s.a, crate::command::Intent::Draining { next: "home".to_owned() });
        assert_eq!(s.world.events(), ["PresenceChanged"]);
        let command = by_b(&mut s);
        s.world.ok(command);
        assert_eq!(s.world.events(), ["OfferEnded", "Released", "PresenceChanged", "Assigned"]);
        assert_eq!((s.world.load(s.a), s.world.load(s.b)), (0, 51));
    }
}
