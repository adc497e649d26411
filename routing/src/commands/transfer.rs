//! `Transfer`: to an agent, a queue or an inbox of the domain, or to another domain.

use super::assign::check_room;
use super::checks::{Answered, done, invalid, not_allowed, supervises};
use super::request_callback::called_back;
use super::wrong_state;
use crate::command::{By, TransferFallback, TransferTarget};
use crate::criteria::Criteria;
use crate::domain::{AgentNo, Asked, ConvNo, Cx, Domain, PlaceKind, QueueNo, State};
use crate::event::{EventKind, Requeued, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::HOPS_MAX;
use crate::{ConversationId, PlantedBug, Rejected, TouchpointId};

enum Target {
    Agent(AgentNo),
    Place(PlaceKind, QueueNo),
    /// A touchpoint of another domain.
    Away(TouchpointId),
}

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    target: TransferTarget,
    fallback: TransferFallback,
    by: &By,
    criteria: Option<&Criteria>,
) -> Answered {
    let caller = domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    let owner = match domain.conv(no).state {
        State::Assigned(owner) => Some(owner),
        State::Waiting | State::Offered => None,
        _ => return wrong_state(domain, no, "only a waiting or an assigned one can be moved"),
    };
    if !supervises(by) && (caller.is_none() || owner != caller) {
        return not_allowed("only its owner or a supervisor moves it");
    }
    let hop = domain.conv(no).hops + 1;
    if hop > HOPS_MAX {
        return Err(Rejected::HopLimit { limit: HOPS_MAX });
    }
    let to = match target {
        TransferTarget::Agent(agent) => Target::Agent(domain.named_agent(agent)?),
        TransferTarget::Queue(queue) => Target::Place(PlaceKind::Queues, domain.named_queue(queue)?),
        TransferTarget::Inbox(queue) => Target::Place(PlaceKind::Inbox, domain.named_queue(queue)?),
        TransferTarget::Touchpoint(touchpoint) if touchpoint.domain == domain.id => {
            return invalid(
                "target",
                "a touchpoint of this domain: name a queue, an inbox or an agent of it",
            );
        }
        TransferTarget::Touchpoint(touchpoint) => {
            if criteria.is_some() {
                return invalid(
                    "criteria",
                    "they mean nothing in another domain: its touchpoint has its own",
                );
            }
            domain.crossings.check_room(touchpoint.domain)?;
            Target::Away(touchpoint)
        }
    };
    if domain.conv(no).calling.is_some() && matches!(to, Target::Place(PlaceKind::Inbox, _) | Target::Away(_))
    {
        return called_back("transfer it to a queue or an agent, or end the callback with CancelCallback");
    }
    match fallback {
        TransferFallback::Source | TransferFallback::LastQueues => {}
        TransferFallback::Queue(queue) => {
            domain.named_queue(queue)?;
        }
        TransferFallback::Advice { .. } => return invalid("fallback", "to ask for advice, use Consult"),
    }
    if let Target::Agent(agent) = to {
        check_agent(domain, no, agent, owner)?;
    }

    let seeks = match criteria {
        Some(criteria) => Some(super::criteria::numbered(domain, criteria)?),
        None => None,
    };

    if domain.conv(no).offer.is_some() {
        domain.take_offers(cx, no, Revoked::Transferred);
    }
    domain.conv_mut(no).hops = hop;
    domain.emit(cx, EventKind::TransferStarted { conversation: id, target, fallback, hop, by: by.clone() });
    match to {
        Target::Away(touchpoint) => domain.depart(cx, no, touchpoint, fallback),
        Target::Agent(agent) => {
            if domain.conv(no).state == State::Waiting {
                domain.leave_lines(no);
            }
            if owner.is_none() {
                domain.conv_mut(no).state = State::Offered;
            }
            if change_criteria(domain, cx, no, seeks, by) && owner.is_none() {
                domain.start_step(cx, no);
            }
            domain.make_offer(cx, no, agent, None, Some(fallback), None);
        }
        Target::Place(place, queue) => {
            if domain.conv(no).state == State::Waiting {
                domain.leave_lines(no);
            }
            let weight = u32::from(domain.conv(no).weight.0);
            domain.release_to_wait(cx, no);
            if let Some(owner) = owner
                && cx.planted(PlantedBug::PointsKeptOnTransfer)
            {
                domain.change_load(owner, |agent| agent.load += weight);
            }
            let conversation = domain.conv_mut(no);
            conversation.place = place;
            conversation.queues = Box::new([queue]);
            // The other queue has other people.
            domain.seek_anew(no);
            change_criteria(domain, cx, no, seeks, by);
            domain.enter_place(cx, no, Requeued::Transferred);
        }
    }
    done(DoneWhat::Ok, Subject::Conversation(id))
}

/// Gives a conversation that stands in no line other criteria, where there are any; whether there are.
fn change_criteria(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    no: ConvNo,
    seeks: Option<Box<[Asked]>>,
    by: &By,
) -> bool {
    let Some(seeks) = seeks else { return false };
    let (conversation, criteria) = (no.id(domain.id), domain.criteria_view(&seeks));
    domain.seek(no, seeks);
    domain.emit(cx, EventKind::CriteriaChanged { conversation, criteria, by: by.clone() });
    true
}

/// Whether an agent can be offered a conversation by hand.
pub(super) fn check_agent(
    domain: &Domain,
    no: ConvNo,
    agent: AgentNo,
    owner: Option<AgentNo>,
) -> Result<(), Rejected> {
    if owner == Some(agent) {
        return invalid("target", "the agent owns it already");
    }
    if !domain.agent(agent).takes_offers() {
        return not_allowed("the agent takes no offers");
    }
    check_room(domain, agent, no)
}

#[cfg(test)]
mod tests {
    use crate::command::{By, Decline, Intent, TransferFallback, TransferTarget};
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::settings::limits::HOPS_MAX;
    use crate::testing::{DOMAIN, supervisor};
    use crate::{AgentId, Channel, Command, QueueId, Rejected, Span};

    type Given = fn(&mut Scene);

    const SOURCE: TransferFallback = TransferFallback::Source;

    fn to(target: TransferTarget, fallback: TransferFallback, by: By, s: &Scene) -> Command {
        Command::Transfer { conversation: s.id, target, fallback, by }
    }

    fn to_b(s: &mut Scene) -> Command {
        to(TransferTarget::Agent(s.b.agent), SOURCE, By::Agent(s.a), s)
    }

    fn to_plain(s: &mut Scene) -> Command {
        to(TransferTarget::Queue(s.plain), SOURCE, By::Agent(s.a), s)
    }

    fn moved_by(by: By, s: &Scene) -> Command {
        to(TransferTarget::Queue(s.plain), SOURCE, by, s)
    }

    fn assigned_b_ready(s: &mut Scene) {
        s.assigned();
        s.ready(s.b);
    }

    /// As before, and the second desk has another call.
    fn busy(s: &mut Scene, overdraft: bool) {
        s.set(|settings| settings.overdraft = overdraft);
        s.assigned();
        let id = s.id;
        s.ready(s.b);
        s.waiting();
        s.world.accept(s.id);
        s.id = id;
    }

    #[test]
    fn to_a_queue_or_an_inbox() {
        let rows: &[Row] = &[
            (
                "by its owner",
                |s| {
                    s.assigned();
                    s.away(s.a);
                },
                to_plain,
                "done queued",
                "TransferStarted Released Waiting",
            ),
            (
                "the source may get it",
                Scene::assigned,
                to_plain,
                "done offered",
                "TransferStarted Released Waiting Offered",
            ),
            (
                "to an inbox",
                Scene::assigned,
                |s| to(TransferTarget::Inbox(s.plain), SOURCE, By::Agent(s.a), s),
                "done in_inbox",
                "TransferStarted Released Waiting",
            ),
            (
                "waiting, by a supervisor",
                Scene::waiting,
                |s| moved_by(supervisor(), s),
                "done queued",
                "TransferStarted Waiting",
            ),
            (
                "waiting, by the system",
                Scene::waiting,
                |s| moved_by(By::System, s),
                "done queued",
                "TransferStarted Waiting",
            ),
            (
                "waiting, by an agent",
                Scene::waiting,
                |s| moved_by(By::Agent(s.a), s),
                "NotAllowed queued",
                "",
            ),
            (
                "offered, by a supervisor",
                |s| {
                    s.offered();
                    s.away(s.a);
                    s.ready(s.a);
                },
                |s| moved_by(supervisor(), s),
                "done offered",
                "OfferEnded TransferStarted Waiting Offered",
            ),
            ("by the customer", Scene::assigned, |s| moved_by(By::Customer, s), "NotAllowed assigned", ""),
            ("by another", Scene::assigned, |s| moved_by(By::Agent(s.b), s), "NotAllowed assigned", ""),
            (
                "by a stale desk",
                Scene::assigned,
                |s| moved_by(By::Agent(s.stale()), s),
                "StaleEpoch assigned",
                "",
            ),
            ("in wrap-up", Scene::wrapping, to_plain, "WrongState wrapping", ""),
            ("ended", Scene::closed, to_plain, "WrongState closed", ""),
            ("unknown", as_it_is, to_plain, "Unknown", ""),
            (
                "unknown queue",
                Scene::assigned,
                |s| to(TransferTarget::Queue(QueueId::new(DOMAIN, 9)), SOURCE, By::Agent(s.a), s),
                "Unknown assigned",
                "",
            ),
            (
                "unknown fallback queue",
                assigned_b_ready,
                |s| {
                    let fallback = TransferFallback::Queue(QueueId::new(DOMAIN, 9));
                    to(TransferTarget::Agent(s.b.agent), fallback, By::Agent(s.a), s)
                },
                "Unknown assigned",
                "",
            ),
            (
                "a live transfer is dropped without failing",
                |s| s.moving(TransferFallback::LastQueues),
                |s| to(TransferTarget::Inbox(s.plain), SOURCE, By::Agent(s.a), s),
                "done in_inbox",
                "OfferEnded TransferStarted Released Waiting",
            ),
        ];
        play(rows);
    }

    #[test]
    fn to_an_agent() {
        let rows: &[Row] = &[
            ("free", assigned_b_ready, to_b, "done assigned", "TransferStarted Offered"),
            (
                "to itself",
                Scene::assigned,
                |s| to(TransferTarget::Agent(s.a.agent), SOURCE, By::Agent(s.a), s),
                "Invalid assigned",
                "",
            ),
            ("takes no offers", Scene::assigned, to_b, "NotAllowed assigned", ""),
            (
                "channel not handled",
                |s| {
                    assigned_b_ready(s);
                    s.change(s.b.agent, |settings| settings.channels = [Channel::Chat].into_iter().collect());
                },
                to_b,
                "NotAllowed assigned",
                "",
            ),
            (
                "of no common queue all the same",
                |s| {
                    assigned_b_ready(s);
                    s.change(s.b.agent, |b| b.queues.clear());
                },
                to_b,
                "done assigned",
                "TransferStarted Offered",
            ),
            ("busy, no overdraft", |s| busy(s, false), to_b, "NoCapacity assigned", ""),
            ("busy, overdraft", |s| busy(s, true), to_b, "done assigned", "TransferStarted Offered"),
            (
                "unknown",
                Scene::assigned,
                |s| to(TransferTarget::Agent(AgentId::new(DOMAIN, 9)), SOURCE, By::Agent(s.a), s),
                "Unknown assigned",
                "",
            ),
            (
                "a second one revokes the first",
                |s| s.moving(SOURCE),
                to_b,
                "done assigned",
                "OfferEnded TransferStarted Offered",
            ),
            (
                "from waiting",
                |s| {
                    s.change(s.b.agent, |b| b.queues.clear());
                    s.ready(s.b);
                    s.waiting();
                },
                |s| to(TransferTarget::Agent(s.b.agent), SOURCE, supervisor(), s),
                "done offered",
                "TransferStarted Offered",
            ),
        ];
        play(rows);
    }

    /// Transfers to the second desk end in each way, with each fallback.
    #[test]
    fn failures_and_fallbacks() {
        let answers: [(&str, Given); 3] = [
            ("refused", |s| {
                let decline = Decline { reason: String::new() };
                s.world.ok(Command::Reject { desk: s.b, offer: s.offer, decline });
            }),
            ("missed", |s| {
                s.pass(20);
                s.world.tick();
            }),
            ("revoked", |s| s.away(s.b)),
        ];
        for (how, answer) in answers {
            for fallback in 0..3 {
                let mut s = Scene::new();
                let target =
                    [SOURCE, TransferFallback::LastQueues, TransferFallback::Queue(s.plain)][fallback];
                s.moving(target);
                s.world.presence(s.a, Intent::Draining { next: String::new() });
                answer(&mut s);
                let queues = s.world.shard.conversation(s.id).expect("known").queues;
                let events: Vec<String> =
                    s.world.events().into_iter().filter(|event| event != "PresenceChanged").collect();
                let failed = ["OfferEnded", "TransferFailed"];
                let seen = format!("{how}, {target:?}: {events:?}");
                assert!(events.starts_with(&failed.map(str::to_owned)), "{seen}");
                if fallback == 0 {
                    assert_eq!((s.stage(), s.world.load(s.a), events.len()), ("assigned", 51, 2), "{seen}");
                } else {
                    assert_eq!(&events[2..], ["Released", "Waiting"], "{seen}");
                    assert_eq!((s.stage(), s.world.load(s.a)), ("queued", 0), "{seen}");
                    assert_eq!(queues, [if fallback == 1 { s.queue } else { s.plain }], "{seen}");
                }
                assert_eq!(s.world.load(s.b), 0);
            }
        }
    }

    #[test]
    fn age_survives_and_the_twelfth_hop_is_refused() {
        let mut s = Scene::new();
        s.waiting();
        let arrived_at = s.world.shard.conversation(s.id).expect("known").arrived_at;
        for hop in 1..=HOPS_MAX {
            s.pass(1);
            let target = TransferTarget::Queue(if hop % 2 == 0 { s.queue } else { s.plain });
            let command = to(target, SOURCE, supervisor(), &s);
            s.world.ok(command);
        }
        let command = moved_by(supervisor(), &s);
        assert_eq!(s.world.refused(command), Rejected::HopLimit { limit: 11 });
        let seen = s.world.shard.conversation(s.id).expect("known");
        assert_eq!((seen.hops, seen.arrived_at), (11, arrived_at));
        assert_eq!(
            seen.deadline,
            Some(arrived_at + Span::seconds(24 * 3_600)),
            "waiting has its end all the same"
        );
    }

    #[test]
    fn a_source_that_is_gone_does_not_keep_a_failed_transfer() {
        let mut s = Scene::new();
        s.moving(SOURCE);
        s.world.ok(Command::LogOut { agent: s.a.agent, by: supervisor() });
        assert_eq!(
            s.world.events(),
            ["LeaseLost", "OfferEnded", "Released", "Waiting", "PresenceChanged", "Offered"]
        );
        assert_eq!(s.world.offer_of(s.id).map(|(_, agent)| agent), Some(s.b.agent), "from the queue now");
    }
}
