//! A good tale passes; for each outside check, a breach is caught.

use super::call::{Answer, Asked, Call, Outcome, Seat};
use super::read::{Audit, ConversationSeen, Read, Stage};
use super::sight::{AgentSeen, Said, Shown, Sight};
use super::tale::{Entered, Tale};
use super::{History, judge};
use consensus::NodeId;
use proto::v1;
use routing::{AgentId, Channel, ConversationId, DomainId, OfferId, QueueId};
use simulator::checker::model::{Event, Kind, OfferEnd, Place, Why};
use std::sync::Arc;

const D: DomainId = DomainId(1);

fn conv(number: u64) -> ConversationId {
    ConversationId::new(D, number)
}
fn agent(number: u64) -> AgentId {
    AgentId::new(D, number)
}
fn offer(number: u64) -> OfferId {
    OfferId::new(D, number)
}
fn seat(number: u64) -> Seat {
    Seat { agent: agent(number), epoch: 1 }
}

fn arrived(number: u64) -> Kind {
    let reference = format!("customer {number}");
    Kind::Arrived { conversation: conv(number), channel: Channel::Voice, priority: 0, reference, from: None }
}
fn waiting(number: u64) -> Kind {
    let place = Place::Queues(vec![QueueId::new(D, 1)]);
    Kind::Waiting { conversation: conv(number), place, again: false, owner_lost: false, overflow: false }
}
fn offered(number: u64, to: u64) -> Kind {
    let deadline_us = 900_000_000;
    Kind::Offered {
        conversation: conv(number),
        offer: offer(number),
        agent: agent(to),
        weight: 51,
        deadline_us,
        consult: false,
    }
}
fn taken(number: u64) -> Kind {
    Kind::OfferEnded { conversation: conv(number), offer: offer(number), end: OfferEnd::Accepted }
}
fn assigned(number: u64, to: u64) -> Kind {
    let offer = Some(offer(number));
    Kind::Assigned { conversation: conv(number), agent: agent(to), offer, weight: 51, overdraft: 0 }
}
fn ended(number: u64) -> Kind {
    Kind::Ended { conversation: conv(number), abandoned: false, owner_lost: false }
}
fn opened(of: u64, epoch: u64) -> Kind {
    Kind::SessionOpened { agent: agent(of), epoch }
}
fn presence(of: u64, available: bool) -> Kind {
    Kind::Presence { agent: agent(of), available, why: Why::Asked }
}

/// Versions count the events about each entity, as the core's do.
fn tell(tale: &mut Tale, kinds: impl IntoIterator<Item = Kind>) {
    for kind in kinds {
        let sequence = tale.events.len() as u64 + 1;
        let subject = kind.conversation().map(|id| id.to_string());
        let subject = subject.or(kind.agent().map(|id| id.to_string())).unwrap_or_default();
        let version = 1 + tale.events.iter().filter(|event| event.subject == subject).count() as u64;
        // An accept and what comes of it are of one entry.
        let entry = match (&kind, tale.events.last()) {
            (Kind::Assigned { offer: Some(_), .. }, Some(accept)) => accept.entry,
            _ => (sequence, 0),
        };
        let at_us = sequence * 1_000_000;
        tale.record(Event { sequence, entry, at_us, subject, version, kind }, sequence);
    }
}

fn asks(tale: &mut Tale, request: u128, asked: Asked, outcome: Outcome) {
    tale.sent(&asked);
    let (sent_us, returned_us) = (0, 1);
    tale.call(Call { domain: Some(D), request, asked, node: NodeId(1), sent_us, returned_us, outcome });
}
fn done(sequence: u64) -> Outcome {
    Outcome::Done(Answer { sequence, ..Answer::default() })
}
fn started(sequence: u64, number: u64) -> Outcome {
    Outcome::Done(Answer { sequence, conversation: Some(conv(number)), ..Answer::default() })
}
fn start(number: u64) -> Asked {
    Asked::Start(format!("customer {number}"))
}

fn shown(number: u64, to: u64) -> Shown {
    let (conversation, agent) = (conv(number), agent(to));
    let (made_at_us, deadline_us, connecting, consult) = (7_000_000, 900_000_000, false, false);
    Shown { offer: offer(number), conversation, agent, made_at_us, deadline_us, connecting, consult }
}
fn sees(tale: &mut Tale, stream: u64, of: u64, cursor: u64, said: Said) {
    tale.sights.push(Sight { agent: agent(of), epoch: 1, stream, at_us: cursor, cursor, said });
}
fn welcome(of: u64, version: u64) -> AgentSeen {
    let (offers, holdings) = (Vec::new(), Vec::new());
    AgentSeen { agent: agent(of), version, epoch: 1, live: true, available: true, offers, holdings }
}
fn shows(number: u64, version: u64, stage: Stage) -> ConversationSeen {
    let (owner, reference) = (None, format!("customer {number}"));
    let (id, arrived_at_us) = (conv(number), 5_000_000);
    ConversationSeen { id, version, stage, owner, priority: 0, arrived_at_us, reference }
}

/// Two agents; one conversation is taken and ended, all is acknowledged, shown and read.
fn good() -> Tale {
    let mut tale = Tale::new(D, false);
    tell(&mut tale, [opened(1, 1), presence(1, true), opened(2, 1), presence(2, true)]);
    tell(&mut tale, [arrived(1), waiting(1), offered(1, 1), taken(1), assigned(1, 1), ended(1)]);
    let nowhere = Outcome::Unknown;
    asks(&mut tale, 1, start(1), nowhere);
    asks(&mut tale, 1, start(1), started(7, 1));
    asks(&mut tale, 2, Asked::Accept(seat(1), offer(1)), done(9));
    asks(&mut tale, 3, Asked::EndContact(seat(1), conv(1)), done(10));
    asks(&mut tale, 4, Asked::DeskPresence(seat(1), true), done(2));
    sees(&mut tale, 1, 1, 4, Said::Welcome(Box::new(welcome(1, 2)), Vec::new()));
    sees(&mut tale, 1, 1, 7, Said::Offered(shown(1, 1)));
    sees(&mut tale, 1, 1, 9, Said::Assigned(conv(1)));
    sees(&mut tale, 1, 1, 10, Said::Ended(conv(1)));
    let over = Stage::Ended { abandoned: false };
    tale.reads.push(Read { sent_us: 20, returned_us: 30, seen: shows(1, 6, over) });
    let (conversations, agents) = (vec![shows(1, 6, over)], vec![welcome(1, 2), welcome(2, 2)]);
    tale.audit = Some(Audit { sequence: 10, conversations, agents });
    tale
}

fn broken(tale: &Tale) -> Vec<crate::report::Broken> {
    let mut broken = Vec::new();
    judge::tale(tale, &mut broken);
    broken
}

fn broken_of(tale: &Tale, promise: &str) -> usize {
    broken(tale).iter().filter(|one| one.promise == promise).count()
}

fn caught(tale: &Tale, promise: &str, words: &str) {
    let broken = broken(tale);
    let found = broken.iter().any(|one| one.promise == promise && one.seen.contains(words));
    assert!(found, "{promise} '{words}' is not among {broken:#?}");
}

#[test]
fn a_good_tale_passes() {
    let tale = good();
    assert_eq!(broken(&tale), []);
    assert_eq!((tale.unfinished(), tale.reached()), (0, 10));
}

#[test]
fn r1_two_desks_own_at_once_and_one_offer_is_shown_to_two() {
    let mut tale = good();
    sees(&mut tale, 2, 2, 9, Said::Assigned(conv(1)));
    caught(&tale, "R-1", "as both desks were told");

    let mut after = good();
    sees(&mut after, 2, 2, 11, Said::Assigned(conv(1)));
    assert!(!broken(&after).iter().any(|one| one.promise == "R-1"), "one after the other is no breach");

    let mut tale = good();
    sees(&mut tale, 2, 2, 7, Said::Offered(shown(1, 2)));
    caught(&tale, "R-1", "is shown to");
}

#[test]
fn r3_answered_and_not_in_the_record() {
    for (asked, words) in [
        (Asked::ForceClose(conv(7)), "did not end"),
        (Asked::Assign(seat(1), conv(1)), "was not assigned"),
        (Asked::Transfer(conv(1), None), "no transfer started"),
        (Asked::Reject(seat(1), offer(1)), "did not end by it"),
        (Asked::DeskPresence(seat(1), false), "available is true"),
        (Asked::Pause(QueueId::new(D, 1), true), "paused is false"),
        (Asked::Reprioritise(conv(1), 9), "it has Some(0)"),
        (Asked::DeleteQueue(QueueId::new(D, 1)), "was not deleted"),
        (Asked::DeleteAgent(agent(1)), "was not deleted"),
    ] {
        let mut tale = good();
        asks(&mut tale, 9, asked.clone(), Outcome::Unknown);
        assert_eq!(broken(&tale), [], "{asked:?}: unknown is neither");
        asks(&mut tale, 9, asked, done(10));
        caught(&tale, "R-3", words);
    }
}

#[test]
fn r3_refused_or_never_asked_and_yet_in_the_record() {
    let mut tale = good();
    tell(&mut tale, [arrived(2), waiting(2), offered(2, 1)]);
    asks(&mut tale, 9, start(2), Outcome::Refused("FULL".to_owned()));
    caught(&tale, "R-3", "'customer 2' arrived");
    asks(&mut tale, 10, Asked::Accept(seat(1), offer(2)), Outcome::Refused("OFFER_OVER".to_owned()));
    tell(&mut tale, [taken(2), assigned(2, 1)]);
    caught(&tale, "R-3", "offer_1_2 was taken");
    // That a node said so of every attempt is as good as a refusal.
    let mut tale = good();
    tell(&mut tale, [arrived(2), waiting(2)]);
    asks(&mut tale, 9, start(2), Outcome::NotDone);
    caught(&tale, "R-3", "'customer 2' arrived");
    asks(&mut tale, 9, start(2), Outcome::Unknown);
    assert!(!broken(&tale).iter().any(|one| one.promise == "R-3"));
    tale.calls.last_mut().unwrap().sent_us = 1_000_000_000;
    caught(&tale, "R-3", "'customer 2' arrived");
    let mut tale = good();
    tell(&mut tale, [arrived(2), waiting(2), offered(2, 1), taken(2), assigned(2, 1)]);
    asks(&mut tale, 9, start(2), Outcome::NotDone);
    asks(&mut tale, 10, Asked::Accept(seat(1), offer(2)), Outcome::NotDone);
    caught(&tale, "R-3", "offer_1_2 was taken");
    // An attempt that never returned may have done it.
    tale.sent(&Asked::Accept(seat(1), offer(2)));
    tale.sent(&start(2));
    assert!(!broken(&tale).iter().any(|one| one.promise == "R-3"));
}

/// A second call, which the first agent accepts: what is said of it then, and what becomes of it.
fn in_two_steps(calls: &[(Asked, Outcome)], then: Vec<Kind>) -> Tale {
    let mut tale = good();
    let (conversation, offer, agent, deadline_us) = (conv(2), offer(2), agent(1), 900_000_000);
    let accepted = Kind::Connecting { conversation, offer, agent, deadline_us };
    tell(&mut tale, [arrived(2), waiting(2), offered(2, 1), accepted]);
    tell(&mut tale, then);
    tale.audit = None;
    asks(&mut tale, 11, start(2), started(13, 2));
    asks(&mut tale, 12, Asked::Accept(seat(1), offer), done(14));
    for (place, (asked, outcome)) in calls.iter().enumerate() {
        asks(&mut tale, 13 + place as u128, asked.clone(), outcome.clone());
    }
    sees(&mut tale, 1, 1, 13, Said::Offered(shown(2, 1)));
    sees(&mut tale, 1, 1, 17, Said::Other);
    tale
}

#[test]
fn r3_and_r19_the_second_step_of_an_accept() {
    let connected = || Asked::Connected(seat(1), offer(2));
    let failed = || Asked::ConnectFailed(seat(1), offer(2));
    let taken = || vec![taken(2), assigned(2, 1)];
    let lost =
        || vec![Kind::OfferEnded { conversation: conv(2), offer: offer(2), end: OfferEnd::NotConnected }];
    let sound = |tale: &Tale| assert_eq!(broken(tale), []);
    sound(&in_two_steps(&[(connected(), done(16))], taken()));
    sound(&in_two_steps(&[(failed(), done(15))], lost()));
    sound(&in_two_steps(&[], lost()));
    // An attempt that nobody answered may have done it; one that was refused has not.
    sound(&in_two_steps(&[(connected(), Outcome::Unknown)], taken()));
    let refused = || Outcome::Refused("WRONG_STATE".to_owned());
    caught(&in_two_steps(&[(connected(), refused())], taken()), "R-3", "nobody can have said");
    caught(&in_two_steps(&[], taken()), "R-3", "nobody can have said");
    caught(&in_two_steps(&[(connected(), done(14))], Vec::new()), "R-3", "it was nobody's by it");
    caught(&in_two_steps(&[(failed(), done(14))], Vec::new()), "R-3", "the offer did not end by it");
    let renewed = [vec![opened(1, 2)], taken()].concat();
    caught(&in_two_steps(&[(connected(), done(17))], renewed), "R-19", "after epoch 2 was opened");
}

/// The second agent is asked about a call that the first one has: what is said of it then, and what becomes of it.
fn with_advice(calls: &[(Asked, Outcome)], then: Vec<Kind>) -> Tale {
    let mut tale = good();
    let (conversation, owner, agent, deadline_us) = (conv(2), agent(1), agent(2), 900_000_000);
    let part = Kind::Offered { conversation, offer: offer(3), agent, weight: 51, deadline_us, consult: true };
    let accepted = Kind::Consulting { conversation, owner, offer: offer(3), agent, deadline_us };
    tell(&mut tale, [opened(2, 1), presence(2, true), arrived(2), waiting(2), offered(2, 1)]);
    tell(&mut tale, [taken(2), assigned(2, 1)]);
    tell(&mut tale, [Kind::ConsultStarted { conversation, agent }, part, accepted]);
    tell(&mut tale, then);
    let last = tale.reached();
    tale.audit = None;
    asks(&mut tale, 11, start(2), Outcome::Unknown);
    asks(&mut tale, 12, Asked::Accept(seat(1), offer(2)), Outcome::Unknown);
    for (place, (asked, outcome)) in calls.iter().enumerate() {
        asks(&mut tale, 13 + place as u128, asked.clone(), outcome.clone());
    }
    sees(&mut tale, 1, 1, last, Said::Offered(shown(2, 1)));
    tale
}

#[test]
fn r3_consultations_as_they_were_asked_for() {
    let (id, over) = (conv(2), OfferEnd::ConsultOver);
    let (conversation, owner, asked) = (conv(2), agent(1), agent(2));
    let second = Seat { agent: asked, epoch: 1 };
    let accept = |outcome: Outcome| (Asked::Accept(second, offer(3)), outcome);
    let ends = || {
        let end = Kind::OfferEnded { conversation, offer: offer(3), end: over };
        vec![end, Kind::ConsultEnded { conversation, owner, agent: asked, end: over, leaves: false }]
    };
    let handed = || {
        vec![
            Kind::TransferStarted { conversation, agent: Some(asked) },
            Kind::OfferEnded { conversation, offer: offer(3), end: OfferEnd::Accepted },
            Kind::Released { conversation, agent: owner },
            Kind::Assigned { conversation, agent: asked, offer: Some(offer(3)), weight: 51, overdraft: 0 },
        ]
    };
    let last = |then: Vec<Kind>| with_advice(&[], then).reached();
    let (ended, had) = (last(ends()), last(handed()));
    let of_r3 = |tale: &Tale| {
        let broken = broken(tale).into_iter().filter(|one| one.promise == "R-3");
        broken.map(|one| one.seen).collect::<Vec<_>>()
    };
    let unknown = || accept(Outcome::Unknown);
    let asks = (Asked::Consult(seat(1), id), done(ended - 2));
    let end = |at| (Asked::EndConsult(seat(1), id), done(at));
    let complete = |at| (Asked::CompleteConsult(seat(1), id), done(at));
    assert_eq!(of_r3(&with_advice(&[unknown(), asks, end(ended)], ends())), [""; 0]);
    assert_eq!(of_r3(&with_advice(&[unknown(), complete(had)], handed())), [""; 0], "nobody says connected");
    let early = |calls: &[(Asked, Outcome)], then| of_r3(&with_advice(calls, then)).join(" ");
    assert!(early(&[unknown(), end(ended - 2)], ends()).contains("no consultation ended by it"));
    assert!(early(&[unknown(), complete(had - 4)], handed()).contains("no transfer started"));
    assert!(early(&[unknown(), (Asked::Consult(seat(1), id), done(3))], ends()).contains("nobody was asked"));
    let refused = accept(Outcome::Refused("WRONG_STATE".to_owned()));
    assert!(early(&[refused], ends()).contains("offer_1_3 was taken, but every accept"));
}

#[test]
fn r4_what_was_accepted_is_shown_to_who_left_and_what_rings_is_not() {
    for (connecting, broken) in [(true, 0), (false, 1)] {
        let mut tale = good();
        let away = AgentSeen { available: false, offers: vec![offer(9)], ..welcome(1, 2) };
        let shown = Shown { connecting, ..shown(9, 1) };
        sees(&mut tale, 3, 1, 4, Said::Welcome(Box::new(away), vec![shown]));
        assert_eq!(broken_of(&tale, "R-4"), broken);
    }
}

#[test]
fn r3_a_read_shows_another_priority_than_was_given() {
    let given = Kind::Reprioritised { conversation: conv(2), priority: 3, by_rule: false };
    let told = || {
        let mut tale = good();
        asks(&mut tale, 9, start(2), Outcome::Unknown);
        tale.sent(&start(2));
        tell(&mut tale, [arrived(2), waiting(2), offered(2, 1), given.clone()]);
        tale
    };
    let reads = |tale: &mut Tale, version, priority| {
        let seen = ConversationSeen { priority, ..shows(2, version, Stage::Offered) };
        let seen = ConversationSeen { arrived_at_us: 11_000_000, ..seen };
        tale.reads.push(Read { sent_us: 31, returned_us: 40, seen });
    };
    let mut tale = told();
    reads(&mut tale, 3, 0);
    reads(&mut tale, 4, 3);
    reads(&mut tale, 9, 7);
    assert_eq!(broken(&tale), [], "before it, after it, and of a version that is not in the record");
    reads(&mut tale, 4, 0);
    caught(&tale, "R-3", "conv_1_2 is shown with priority 0 at version 4, by the record it has Some(3)");
}

#[test]
fn r3_a_rule_may_change_a_priority_that_was_asked_for() {
    let given = |priority, by_rule| Kind::Reprioritised { conversation: conv(2), priority, by_rule };
    let told = |then: Vec<Kind>| {
        let mut tale = good();
        tell(&mut tale, [arrived(2), waiting(2)]);
        tell(&mut tale, then);
        let last = tale.events.len() as u64;
        asks(&mut tale, 9, Asked::Reprioritise(conv(2), 3), done(last));
        broken(&tale).iter().filter(|one| one.seen.contains("it has")).count()
    };
    assert_eq!(told(vec![given(3, false)]), 0);
    assert_eq!(told(vec![given(3, false), given(1, true), given(2, true)]), 0);
    assert_eq!(told(vec![given(3, true)]), 0, "it had that already");
    assert_eq!(told(vec![given(3, false), given(1, false)]), 1);
    assert_eq!(told(vec![given(1, true)]), 1);
}

#[test]
fn r3_an_agent_is_made_available_whom_nobody_asked() {
    let by = |available, why| Kind::Presence { agent: agent(1), available, why };
    let mut tale = good();
    tell(&mut tale, [by(false, Why::Missed), by(true, Why::Itself), by(false, Why::Itself)]);
    assert_eq!(broken_of(&tale, "R-3"), 0, "the break for misses is over, and draining is done");
    for first in [by(true, Why::Asked), by(false, Why::Asked)] {
        let mut tale = good();
        tell(&mut tale, [by(false, Why::Missed), first, by(true, Why::Itself)]);
        caught(
            &tale,
            "R-3",
            "agent_1_1 was made available by the domain itself; its intent was last set at 12",
        );
    }
}

#[test]
fn r4_offers_that_the_desk_cannot_understand() {
    let mut tale = good();
    sees(&mut tale, 1, 1, 8, Said::Presence(false));
    sees(&mut tale, 1, 1, 8, Said::Offered(shown(1, 1)));
    caught(&tale, "R-4", "it is unavailable");

    let mut tale = good();
    sees(&mut tale, 1, 2, 8, Said::Offered(shown(1, 1)));
    caught(&tale, "R-4", "is made to agent_1_1");

    let mut tale = good();
    sees(&mut tale, 1, 1, 8, Said::Offered(Shown { deadline_us: 7_000_000, ..shown(1, 1) }));
    caught(&tale, "R-4", "has deadline");
}

#[test]
fn r6_and_r15_a_later_read_goes_back() {
    let mut tale = good();
    tale.reads.push(Read { sent_us: 31, returned_us: 40, seen: shows(1, 6, Stage::Assigned) });
    caught(&tale, "R-6", "was read as Ended");

    let mut tale = good();
    let over = Stage::Ended { abandoned: false };
    tale.reads.push(Read { sent_us: 31, returned_us: 40, seen: shows(1, 5, over) });
    caught(&tale, "R-15", "and later as");

    let mut tale = good();
    tale.reads.push(Read { sent_us: 25, returned_us: 40, seen: shows(1, 5, Stage::Assigned) });
    assert_eq!(broken(&tale), [], "asked before the other had returned");
}

#[test]
fn r7_a_welcome_and_the_last_picture_differ_from_the_record() {
    let mut tale = good();
    let mut held = welcome(1, 2);
    held.holdings.push((conv(1), false));
    sees(&mut tale, 3, 1, 10, Said::Welcome(Box::new(held), Vec::new()));
    caught(&tale, "R-7", "holds [conv_1_1], by the record []");

    let mut tale = good();
    if let Some(audit) = &mut tale.audit {
        audit.conversations[0].version = 5;
    }
    caught(&tale, "R-3", "version 5, by the record 6");

    let mut tale = good();
    tell(&mut tale, [arrived(2), waiting(2)]);
    asks(&mut tale, 9, start(2), started(12, 2));
    if let Some(audit) = &mut tale.audit {
        audit.sequence = 12;
    }
    caught(&tale, "R-13", "and not listed");
    caught(&tale, "R-13", "acknowledged and has not ended");
    assert_eq!(tale.unfinished(), 1);
}

#[test]
fn r7_what_is_shown_of_a_domain_in_quarantine_may_be_torn() {
    let mut tale = good();
    tale.poisoned = true;
    tell(&mut tale, [Kind::Quarantined]);
    let mut held = welcome(1, 2);
    held.holdings.push((conv(1), false));
    sees(&mut tale, 3, 1, 11, Said::Welcome(Box::new(held.clone()), Vec::new()));
    assert_eq!(broken(&tale), [], "the entry that panicked may have got so far");
    sees(&mut tale, 4, 1, 10, Said::Welcome(Box::new(held), Vec::new()));
    caught(&tale, "R-7", "holds [conv_1_1], by the record []");
}

#[test]
fn r7_a_desk_is_welcomed_after_the_last_picture() {
    let mut tale = good();
    tell(&mut tale, [opened(2, 2)]);
    let again = AgentSeen { epoch: 2, ..welcome(2, 3) };
    sees(&mut tale, 2, 2, 11, Said::Welcome(Box::new(again), Vec::new()));
    assert_eq!(broken(&tale), [], "the picture is that of its own moment");
}

#[test]
fn r10_another_arrival_is_shown() {
    let mut tale = good();
    tale.reads[0].seen.arrived_at_us = 6_000_000;
    caught(&tale, "R-10", "to have arrived at 6000000");
}

#[test]
fn r13_two_ends() {
    let mut tale = good();
    tell(&mut tale, [ended(1)]);
    caught(&tale, "R-13", "ends 2 times");
}

#[test]
fn r15_two_nodes_tell_different_stories() {
    let wire = |json: &str| v1::Event {
        domain: "dom_1".to_owned(),
        sequence: 1,
        index: 1,
        version: 1,
        subject: "dom_1".to_owned(),
        r#type: "domain_created".to_owned(),
        json: json.to_owned(),
        ..v1::Event::default()
    };
    let mut tale = Tale::new(D, false);
    assert_eq!(tale.event(&wire("{}"), 1), Entered::New(false));
    assert_eq!(tale.event(&wire("{}"), 2), Entered::Again);
    assert!(matches!(tale.event(&wire("{ }"), 3), Entered::Wrong(_)));

    let history = Arc::new(History::default());
    history.domain(D, false);
    history.event(D, &wire("{}"), "node_1");
    history.event(D, &wire("{ }"), "node_2");
    let found = history.judge();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].promise, "R-15");
}

#[test]
fn r16_another_answer_to_the_same_request() {
    let mut tale = good();
    let other = Answer { sequence: 7, conversation: Some(conv(1)), at_us: 5, ..Answer::default() };
    asks(&mut tale, 1, start(1), Outcome::Done(other));
    caught(&tale, "R-16", "was answered");

    let mut tale = good();
    asks(&mut tale, 1, start(1), Outcome::Refused("REQUEST_TOO_OLD".to_owned()));
    assert_eq!(broken(&tale), [], "forgotten, not another answer");
}

#[test]
fn r19_an_older_session_acts() {
    let mut tale = good();
    tell(&mut tale, [opened(1, 2)]);
    asks(&mut tale, 9, Asked::DeskPresence(seat(1), true), done(11));
    caught(&tale, "R-19", "after epoch 2 was opened at 11");
}

#[test]
fn r19_a_lost_lease_costs_work_although_the_agent_is_back() {
    let place = || Place::Queues(vec![QueueId::new(D, 1)]);
    let requeued = || Kind::Waiting {
        conversation: conv(2),
        place: place(),
        again: true,
        owner_lost: true,
        overflow: false,
    };
    let closed = || Kind::Ended { conversation: conv(2), abandoned: false, owner_lost: true };
    for cost in [requeued(), closed()] {
        for comes_back in [false, true] {
            let mut tale = good();
            tell(&mut tale, [arrived(2), waiting(2), offered(2, 1), taken(2), assigned(2, 1)]);
            tell(&mut tale, [Kind::LeaseLost { agent: agent(1) }]);
            if comes_back {
                tell(&mut tale, [opened(1, 2)]);
            }
            tell(&mut tale, [Kind::Released { conversation: conv(2), agent: agent(1) }, cost.clone()]);
            if comes_back {
                caught(&tale, "R-19", "conv_1_2 was taken from agent_1_1 as of a lost lease");
            } else {
                assert_eq!(broken_of(&tale, "R-19"), 0);
            }
        }
    }
}

#[test]
fn r20_a_domain_that_nobody_poisoned_is_in_quarantine() {
    let mut tale = good();
    tell(&mut tale, [Kind::Quarantined]);
    caught(&tale, "R-20", "nobody made it panic");
    tale.poisoned = true;
    assert_eq!(broken(&tale), []);
}

#[test]
fn the_history_waits_for_what_is_under_way() {
    let history = Arc::new(History::default());
    let open = history.open("a task");
    assert_eq!(history.unfinished(), 1);
    assert!(history.describe_unfinished().contains("1 × a task"));
    drop(open);
    assert_eq!((history.unfinished(), history.progress()), (0, 1));
    history.domain(D, false);
    let (asked, outcome) = (start(1), started(7, 1));
    let hash = history.hash();
    let call =
        Call { domain: Some(D), request: 1, asked, node: NodeId(1), sent_us: 0, returned_us: 1, outcome };
    history.call(call);
    assert_eq!(history.unfinished(), 1, "acknowledged, and not in the record");
    assert_ne!(history.hash(), hash);
    assert!(history.describe_unfinished().contains("conv_1_1 not in the record"));
}

#[test]
fn the_history_checker_judges_the_record() {
    let mut tale = good();
    tale.facts = Some(simulator::checker::Facts {
        domain: D,
        rank: simulator::checker::model::Rank::Priority,
        weights: Default::default(),
        wrap_up_hold: None,
        agents: Default::default(),
    });
    assert_eq!(broken(&tale), []);
    tell(&mut tale, [waiting(1)]);
    caught(&tale, "R-6", "Waiting after the end");
    let trail = &broken(&tale)[0].before;
    assert!(trail.iter().any(|line| line.contains("Ended { conversation: conv_1_1")), "{trail:#?}");
}
