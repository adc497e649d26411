//! A good history passes; for each promise, a bad one is caught.

use super::model::{
    Action, AgentFacts, Answer, Asked, Call, Event, Facts, History, Kind, Notice, OfferEnd, Outcome, Place,
    Policy, Rank, Rule, Said, Step, Why,
};
use super::{Promise, Verdict, check, from_wire};
use routing::{AgentId, Channel, ConversationId, DomainId, OfferId, QueueId, TouchpointId};
use std::collections::{BTreeMap, BTreeSet};

mod blocks;
mod callback;
mod consult;
mod handling;
mod hours;
mod pace;
mod policies;
mod ring;

const D: DomainId = DomainId(1);
const SECOND: u64 = 1_000_000;

fn conv(number: u64) -> ConversationId {
    ConversationId::new(D, number)
}
fn agent(number: u64) -> AgentId {
    AgentId::new(D, number)
}
fn offer(number: u64) -> OfferId {
    OfferId::new(D, number)
}
fn queue() -> QueueId {
    QueueId::new(D, 1)
}

fn arrived(number: u64) -> Kind {
    let reference = format!("call {number}");
    Kind::Arrived { conversation: conv(number), channel: Channel::Voice, priority: 0, reference, from: None }
}
fn waiting(number: u64) -> Kind {
    Kind::Waiting {
        conversation: conv(number),
        place: Place::Queues(vec![queue()]),
        again: false,
        owner_lost: false,
        overflow: false,
    }
}
fn waiting_again(number: u64) -> Kind {
    Kind::Waiting {
        conversation: conv(number),
        place: Place::Queues(vec![queue()]),
        again: true,
        owner_lost: false,
        overflow: false,
    }
}
fn offered(number: u64, by: u64, to: u64) -> Kind {
    let deadline_us = 1_000_000 * SECOND;
    Kind::Offered {
        conversation: conv(number),
        offer: offer(by),
        agent: agent(to),
        weight: 51,
        deadline_us,
        consult: false,
    }
}
fn offer_ended(number: u64, by: u64, end: OfferEnd) -> Kind {
    Kind::OfferEnded { conversation: conv(number), offer: offer(by), end }
}
fn assigned(number: u64, by: u64, to: u64) -> Kind {
    let offer = Some(offer(by));
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

fn facts(agents: u64) -> Facts {
    let one = AgentFacts {
        capacity: 100,
        queues: BTreeSet::from([queue()]),
        channels: Channel::ALL.into_iter().collect(),
        caps: BTreeMap::new(),
    };
    Facts {
        domain: D,
        rank: Rank::Aging(BTreeMap::from([(2, 90 * SECOND)])),
        weights: Channel::ALL.into_iter().map(|channel| (channel, 51)).collect(),
        wrap_up_hold: None,
        agents: (1..=agents).map(|number| (agent(number), one.clone())).collect(),
    }
}

/// One entry a second, each with these events.
fn history(agents: u64, entries: Vec<Vec<Kind>>) -> History {
    let mut events = Vec::new();
    for (entry, kinds) in entries.into_iter().enumerate() {
        for kind in kinds {
            let sequence = events.len() as u64 + 1;
            let subject = kind
                .conversation()
                .map(|id| id.to_string())
                .or(kind.agent().map(|id| id.to_string()))
                .unwrap_or_default();
            let (entry, at_us) = ((entry as u64 + 1, 0), (entry as u64 + 1) * SECOND);
            events.push(Event { sequence, entry, at_us, subject, version: sequence, kind });
        }
    }
    let (calls, notices) = (Vec::new(), Vec::new());
    History { facts: facts(agents), events, first_sequence: 1, calls, notices, live: None }
}

/// Both agents on duty, then these entries.
fn on_duty(entries: Vec<Vec<Kind>>) -> History {
    let mut all = vec![vec![opened(1, 1), presence(1, true)], vec![opened(2, 1), presence(2, true)]];
    all.extend(entries);
    history(2, all)
}

fn call(request: u128, asked: Asked, outcome: Outcome) -> Call {
    Call { request, asked, sent_us: 0, returned_us: 1, outcome }
}
fn done(sequence: u64, conversation: Option<u64>, by: Option<u64>) -> Outcome {
    Outcome::Done(Answer { sequence, conversation: conversation.map(conv), offer: by.map(offer) })
}
fn start(number: u64) -> Asked {
    Asked::Start { reference: format!("call {number}") }
}

/// Two agents, three calls, one waits, one is declined and taken by the other agent.
fn good() -> History {
    let mut history = on_duty(vec![
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
        vec![arrived(2), waiting(2), offered(2, 2, 2)],
        vec![arrived(3), waiting(3)],
        vec![offer_ended(2, 2, OfferEnd::Rejected), waiting_again(2), offered(3, 3, 2)],
        vec![offer_ended(3, 3, OfferEnd::Accepted), assigned(3, 3, 2)],
        vec![ended(1), offered(2, 4, 1)],
        vec![offer_ended(2, 4, OfferEnd::Accepted), assigned(2, 4, 1)],
        vec![Kind::Wrapping { conversation: conv(3) }],
        vec![ended(3)],
    ]);
    history.calls = vec![
        call(1, start(1), done(7, Some(1), Some(1))),
        call(2, Asked::Accept { offer: offer(1), agent: agent(1), epoch: 1 }, done(9, Some(1), None)),
        call(3, start(2), Outcome::Unknown),
        call(3, start(2), done(12, Some(2), Some(2))),
        call(3, start(2), done(12, Some(2), Some(2))),
        call(4, start(3), done(14, Some(3), None)),
        call(5, Asked::EndContact { conversation: conv(3) }, done(24, None, None)),
        call(6, Asked::Abandon { conversation: conv(3) }, Outcome::Refused("WRONG_STATE".to_owned())),
    ];
    let notice = |cursor, said| Notice { agent: agent(2), epoch: 1, cursor, said };
    history.notices = vec![
        notice(4, Said::Welcome),
        notice(12, Said::Offered(offer(2), conv(2))),
        notice(17, Said::Offered(offer(3), conv(3))),
        notice(19, Said::Assigned(conv(3))),
    ];
    history.live = Some(BTreeSet::from([conv(2)]));
    history
}

fn caught(history: &History, promise: Promise) -> Verdict {
    let verdict = check(history);
    assert!(verdict.breaks(promise), "{promise} was not seen broken: {verdict:#?}");
    assert!(verdict.broken > 0);
    verdict
}

#[test]
fn a_good_history_passes() {
    let verdict = check(&good());
    assert_eq!(verdict.violations, []);
    assert_eq!(verdict.broken, 0);
    assert_eq!((verdict.events, verdict.calls), (25, 8));
}

#[test]
fn r1_two_live_offers() {
    let history = on_duty(vec![vec![arrived(1), waiting(1), offered(1, 1, 1)], vec![offered(1, 2, 2)]]);
    let verdict = caught(&history, Promise::R1);
    let text = verdict.violations[0].to_string();
    assert!(text.contains("offer_1_1 is live") && text.contains("#5"), "{text}");
    assert!(text.contains("conversation: conv_1_1"), "{text}");
}

#[test]
fn r1_two_owners() {
    let history = on_duty(vec![
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
        vec![assigned(1, 1, 2)],
    ]);
    caught(&history, Promise::R1);
}

#[test]
fn r1_an_offer_that_was_declined_is_taken() {
    let history = on_duty(vec![
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Rejected), waiting_again(1), offered(1, 2, 2)],
        vec![assigned(1, 1, 1)],
    ]);
    caught(&history, Promise::R1);
}

#[test]
fn r1_an_offer_id_used_twice() {
    let history = on_duty(vec![
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![arrived(2), waiting(2), offered(2, 1, 2)],
    ]);
    caught(&history, Promise::R1);
}

#[test]
fn r2_capacity_exceeded() {
    let history = on_duty(vec![
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![arrived(2), waiting(2), offered(2, 2, 1)],
    ]);
    caught(&history, Promise::R2);
}

#[test]
fn r2_a_pull_beside_a_live_offer_is_nobodys_fault() {
    let pulled =
        Kind::Assigned { conversation: conv(2), agent: agent(1), offer: None, weight: 51, overdraft: 2 };
    let inbox = Kind::Waiting {
        conversation: conv(2),
        place: Place::Inbox(vec![queue()]),
        again: false,
        owner_lost: false,
        overflow: false,
    };
    let mut taken = assigned(1, 1, 1);
    if let Kind::Assigned { overdraft, .. } = &mut taken {
        *overdraft = 2;
    }
    let history = on_duty(vec![
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![arrived(2), inbox],
        vec![pulled],
        vec![offer_ended(1, 1, OfferEnd::Accepted), taken],
    ]);
    assert_eq!(check(&history).violations, []);
}

#[test]
fn r3_an_acknowledged_start_is_gone() {
    let mut history = good();
    history.calls.push(call(9, start(9), done(20, Some(9), None)));
    caught(&history, Promise::R3);
}

#[test]
fn r3_an_acknowledged_accept_end_and_sequence_are_gone() {
    let accept = Asked::Accept { offer: offer(2), agent: agent(2), epoch: 1 };
    for (asked, sequence) in
        [(accept, 20), (Asked::EndContact { conversation: conv(2) }, 20), (start(1), 10_000)]
    {
        let mut history = good();
        history.calls.push(call(9, asked, done(sequence, Some(1), None)));
        caught(&history, Promise::R3);
    }
}

#[test]
fn r4_offered_without_session_or_while_unavailable() {
    let history_1 = history(2, vec![vec![presence(1, true)], vec![arrived(1), waiting(1), offered(1, 1, 1)]]);
    caught(&history_1, Promise::R4);
    let lost = Kind::LeaseLost { agent: agent(1) };
    caught(&on_duty(vec![vec![lost], vec![arrived(1), waiting(1), offered(1, 1, 1)]]), Promise::R4);
    let gone = presence(1, false);
    caught(&on_duty(vec![vec![gone], vec![arrived(1), waiting(1), offered(1, 1, 1)]]), Promise::R4);
}

#[test]
fn r4_accepted_after_the_deadline() {
    let mut history = on_duty(vec![
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
    ]);
    if let Kind::Offered { deadline_us, .. } = &mut history.events[6].kind {
        *deadline_us = 4 * SECOND;
    }
    caught(&history, Promise::R4);
}

#[test]
fn r6_something_happens_after_the_end() {
    let history = on_duty(vec![
        vec![arrived(1), waiting(1)],
        vec![Kind::Ended { conversation: conv(1), abandoned: true, owner_lost: false }],
        vec![offered(1, 1, 1)],
    ]);
    caught(&history, Promise::R6);
    let mut twice = good();
    let mut again = twice.events[24].clone();
    again.sequence += 1;
    again.version += 1;
    again.entry.0 += 1;
    twice.events.push(again);
    caught(&twice, Promise::R6);
}

#[test]
fn r7_the_offer_outlives_the_conversation() {
    let history = on_duty(vec![vec![arrived(1), waiting(1), offered(1, 1, 1)], vec![ended(1)]]);
    caught(&history, Promise::R7);
    let history = on_duty(vec![vec![arrived(1), waiting(1), offered(1, 1, 1)], vec![presence(1, false)]]);
    caught(&history, Promise::R7);
}

#[test]
fn r8_work_waits_beside_a_free_agent() {
    let history = on_duty(vec![
        vec![presence(2, false)],
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
        vec![arrived(2), waiting(2)],
        vec![ended(1)],
        vec![arrived(3), waiting(3)],
        vec![arrived(4), waiting(4)],
    ]);
    let verdict = caught(&history, Promise::R8);
    assert!(verdict.violations.iter().all(|v| v.promise == Promise::R8), "{verdict:#?}");
}

#[test]
fn r9_and_r10_the_newest_goes_first() {
    let busy = vec![
        vec![presence(2, false)],
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
        vec![arrived(2), waiting(2)],
        vec![arrived(3), waiting(3)],
    ];
    let mut newest = busy.clone();
    newest.push(vec![ended(1), offered(3, 2, 1)]);
    caught(&on_duty(newest), Promise::R9);

    let mut requeued = busy;
    requeued.push(vec![waiting_again(2)]);
    requeued.push(vec![ended(1), offered(3, 2, 1)]);
    caught(&on_duty(requeued), Promise::R10);
}

#[test]
fn r9_credit_overtakes_rightly() {
    let urgent = Kind::Arrived {
        conversation: conv(3),
        channel: Channel::Voice,
        priority: 2,
        reference: String::new(),
        from: None,
    };
    let history = on_duty(vec![
        vec![presence(2, false)],
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
        vec![arrived(2), waiting(2)],
        vec![urgent, waiting(3)],
        vec![ended(1), offered(3, 2, 1)],
    ]);
    assert_eq!(check(&history).violations, []);
}

fn able(of: u64, level: u8) -> Kind {
    Kind::SkillsChanged { agent: agent(of), skills: [("es".to_owned(), level)].into() }
}
fn asks(number: u64, steps: Vec<Step>) -> Kind {
    Kind::CriteriaChanged { conversation: conv(number), steps }
}
fn spanish(level: u8) -> Step {
    Step { required: [("es".to_owned(), level)].into(), ..Step::default() }
}
fn for_agent(of: u64) -> Step {
    Step { agents: vec![agent(of)], ..Step::default() }
}
fn relaxed(number: u64, step: u8) -> Kind {
    Kind::Relaxed { conversation: conv(number), step, queues: vec![queue()] }
}

#[test]
fn what_asks_for_somebody_else_is_not_passed_over() {
    let enters = |number, steps| vec![arrived(number), asks(number, steps), waiting(number)];
    let history = on_duty(vec![
        vec![able(1, 80)],
        vec![presence(1, false)],
        enters(1, vec![spanish(50), spanish(10)]),
        enters(2, vec![for_agent(1)]),
        vec![arrived(3), waiting(3), offered(3, 1, 2)],
        vec![presence(1, true), offered(1, 2, 1)],
    ]);
    let verdict = check(&history);
    assert_eq!(verdict.violations, []);
}

#[test]
fn r4_offered_without_the_skill_or_past_the_agent_that_is_named() {
    for (skills, steps, to) in [
        (able(1, 49), vec![spanish(50)], 1),
        (able(2, 99), vec![spanish(50)], 1),
        (able(1, 99), vec![for_agent(2)], 1),
        (able(1, 49), vec![spanish(10), spanish(50)], 2),
    ] {
        let enters = vec![arrived(1), asks(1, steps), waiting(1), offered(1, 1, to)];
        caught(&on_duty(vec![vec![skills], enters]), Promise::R4);
    }
    // Once nothing is asked for any more anybody may have it.
    let relaxes = vec![relaxed(1, 0), offered(1, 1, 1)];
    let enters = vec![arrived(1), asks(1, vec![spanish(50)]), waiting(1)];
    let verdict = check(&on_duty(vec![enters, relaxes]));
    assert_eq!(verdict.violations, []);
}

#[test]
fn r8_and_r9_hold_for_those_who_have_what_is_asked_for() {
    let enters = vec![arrived(1), asks(1, vec![spanish(50)]), waiting(1)];
    let idle = vec![vec![Kind::Other("tick".to_owned())]; 5];
    let waits = [vec![vec![able(1, 50)], enters.clone()], idle].concat();
    caught(&on_duty(waits), Promise::R8);
    let passed = vec![vec![able(1, 50)], enters, vec![arrived(2), waiting(2), offered(2, 1, 1)]];
    caught(&on_duty(passed), Promise::R9);
}

#[test]
fn r10_steps_never_go_back_by_themselves() {
    let enters = vec![arrived(1), asks(1, vec![spanish(50), spanish(20)]), waiting(1)];
    let back = vec![enters.clone(), vec![relaxed(1, 2)], vec![relaxed(1, 1)]];
    caught(&on_duty(back), Promise::R10);
    let on = vec![enters, vec![relaxed(1, 2)], vec![relaxed(1, 0)]];
    let on = history(0, on);
    assert_eq!(check(&on).violations, []);
}

#[test]
fn r13_neither_ended_nor_live() {
    let mut history = good();
    history.live = Some(BTreeSet::new());
    caught(&history, Promise::R13);
}

#[test]
fn r15_a_gap_a_version_and_a_cursor_going_back() {
    let mut gap = good();
    gap.events.remove(10);
    caught(&gap, Promise::R15);

    let mut version = good();
    version.events[24].version = 1;
    caught(&version, Promise::R15);

    let mut cursor = good();
    cursor.notices[3].cursor = 5;
    caught(&cursor, Promise::R15);

    let mut hidden = good();
    hidden.notices.remove(1);
    caught(&hidden, Promise::R15);
}

#[test]
fn r16_a_retry_gets_another_answer_or_makes_another_conversation() {
    let mut other = good();
    other.calls.push(call(1, start(1), done(7, Some(2), None)));
    caught(&other, Promise::R16);

    let mut refused = good();
    refused.calls.push(call(1, start(1), Outcome::Refused("FULL".to_owned())));
    caught(&refused, Promise::R16);

    let mut twice = good();
    if let Kind::Arrived { reference, .. } = &mut twice.events[9].kind {
        *reference = "call 1".to_owned();
    }
    caught(&twice, Promise::R16);
}

#[test]
fn r19_a_stale_desk_accepts() {
    let mut history = good();
    history.events[3].kind = opened(1, 2);
    history.events[2].kind = opened(2, 1);
    let verdict = caught(&history, Promise::R19);
    assert!(verdict.violations.iter().any(|v| v.what.contains("epoch 1 acted after epoch 2")));
}
