//! A good history passes; for each promise, a bad one is caught.

use super::model::{
    Action, AgentFacts, Answer, Asked, Call, Event, Facts, History, Kind, Notice, OfferEnd, Outcome, Place,
    Policy, Rank, Rule, Said, Step, Why,
};
use super::{Promise, Verdict, check, from_wire};
use routing::{AgentId, Channel, ConversationId, DomainId, OfferId, QueueId, TouchpointId};
use std::collections::{BTreeMap, BTreeSet};

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
    Kind::Offered { conversation: conv(number), offer: offer(by), agent: agent(to), weight: 51, deadline_us }
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

fn second() -> QueueId {
    QueueId::new(D, 2)
}
fn policy_of(queue: QueueId, number: u32, rules: &[(u64, Action)]) -> Kind {
    let rule = |(after_s, then): &(u64, Action)| Rule { after_us: after_s * SECOND, then: then.clone() };
    let rules = rules.iter().map(rule).collect();
    Kind::PolicyChanged { queue, number, policy: Policy { rules, measured: false } }
}
fn policy(number: u32, rules: &[(u64, Action)]) -> Kind {
    policy_of(queue(), number, rules)
}
fn rule_of(queue: QueueId, number: u32, rule: u8, action: &Action) -> Kind {
    Kind::RuleApplied { conversation: conv(1), queue, number, rule, action: action.clone() }
}
fn rule(rule: u8, action: &Action) -> Kind {
    rule_of(queue(), 1, rule, action)
}
fn overflows(place: Place) -> Kind {
    Kind::Waiting { conversation: conv(1), place, again: true, owner_lost: false, overflow: true }
}
fn in_inbox() -> Kind {
    let place = Place::Inbox(vec![queue()]);
    Kind::Waiting { conversation: conv(1), place, again: true, owner_lost: false, overflow: false }
}
fn urgent(priority: u8) -> Kind {
    Kind::Reprioritised { conversation: conv(1), priority, by_rule: true }
}

/// What every rule does, and what follows it.
fn deeds() -> Vec<(Action, Vec<Kind>)> {
    let far = TouchpointId::new(DomainId(2), 1);
    vec![
        (Action::Prioritise(3), vec![urgent(3)]),
        (Action::AddQueue(second()), vec![]),
        (Action::MoveTo(second()), vec![overflows(Place::Queues(vec![second()]))]),
        (Action::ToInbox, vec![overflows(Place::Inbox(vec![queue()]))]),
        (Action::SendTo(far), vec![Kind::Departed { conversation: conv(1) }]),
        (Action::Close("too long".to_owned()), vec![ended(1)]),
    ]
}

/// One conversation waits from 2 s on under a policy with these rules; then these entries, one a second.
fn stands(rules: &[(u64, Action)], then: Vec<Vec<Kind>>) -> History {
    let begins = vec![vec![policy(1, rules)], vec![arrived(1), waiting(1)]];
    history(0, [begins, then].concat())
}

#[test]
fn rules_are_carried_out_and_what_they_say_follows() {
    for (action, follows) in deeds() {
        let done = [vec![rule(1, &action)], follows].concat();
        let verdict = check(&stands(&[(1, action)], vec![done]));
        assert_eq!(verdict.violations, []);
    }
}

#[test]
fn r18_what_follows_a_rule_is_another_thing_or_nothing() {
    let elsewhere = Place::Queues(vec![queue()]);
    let also = Place::Queues(vec![second(), queue()]);
    for (action, follows) in deeds() {
        let alone = vec![vec![rule(1, &action)], follows.clone()];
        let others = [vec![offered(1, 1, 1)], vec![overflows(elsewhere.clone())], vec![urgent(1)]];
        let mut wrong: Vec<Vec<Vec<Kind>>> =
            others.into_iter().map(|other| vec![[vec![rule(1, &action)], other].concat()]).collect();
        if follows.is_empty() {
            // It waits in one queue more, and nothing is told of it.
            wrong.remove(0);
        } else {
            wrong.push(alone);
        }
        wrong.push(vec![[vec![rule(1, &action)], vec![overflows(also.clone())]].concat()]);
        for entries in wrong {
            caught(&stands(&[(1, action.clone())], entries), Promise::R18);
        }
    }
    // And without a rule none of it happens.
    for alone in [overflows(elsewhere), urgent(2)] {
        caught(&stands(&[], vec![vec![alone]]), Promise::R18);
    }
}

#[test]
fn r18_a_rule_that_was_never_told_or_says_another_thing() {
    let told = [(1, Action::Prioritise(3)), (1, Action::Prioritise(2))];
    let applied = |number, of, rule, priority| {
        vec![vec![rule_of(of, number, rule, &Action::Prioritise(priority)), urgent(priority)]]
    };
    assert_eq!(check(&stands(&told, applied(1, queue(), 2, 2))).violations, []);
    for wrong in [
        applied(1, queue(), 1, 2),
        applied(1, queue(), 0, 3),
        applied(1, queue(), 3, 3),
        applied(2, queue(), 1, 3),
        applied(1, second(), 1, 3),
    ] {
        caught(&stands(&told, wrong), Promise::R18);
    }
    // The number of a change is one more than that of the one before.
    caught(&stands(&told, vec![vec![policy(3, &told)]]), Promise::R15);
}

#[test]
fn r18_a_rule_before_its_time_twice_or_out_of_order() {
    let rules: Vec<_> = [(2, 3), (2, 2), (4, 1)].map(|(s, p)| (s, Action::Prioritise(p))).into();
    let applied = |number: u8| {
        let action = &rules[usize::from(number) - 1].1;
        let Action::Prioritise(priority) = action else { unreachable!() };
        vec![rule(number, action), urgent(*priority)]
    };
    let idle = || vec![Kind::Other("tick".to_owned())];
    let good = vec![idle(), applied(1), applied(2), applied(3)];
    assert_eq!(check(&stands(&rules, good)).violations, []);
    for wrong in [
        vec![applied(1)],
        vec![idle(), applied(3)],
        vec![idle(), applied(1), applied(1)],
        vec![idle(), applied(2), applied(1)],
    ] {
        caught(&stands(&rules, wrong), Promise::R18);
    }
}

#[test]
fn r18_a_rule_while_it_is_on_offer_owned_or_not_in_queues() {
    let action = Action::Prioritise(3);
    let rules = [(0, action.clone())];
    let late = || vec![rule(1, &action), urgent(3)];
    let take = || vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)];
    let on_duty = || vec![vec![policy(1, &rules)], vec![opened(1, 1), presence(1, true)]];
    let enters = || vec![vec![arrived(1), waiting(1), offered(1, 1, 1)]];
    let all = |then: Vec<Vec<Kind>>| history(1, [on_duty(), enters(), then].concat());
    caught(&all(vec![late()]), Promise::R18);
    caught(&all(vec![take(), late()]), Promise::R18);
    let pulled = vec![offer_ended(1, 1, OfferEnd::Revoked), in_inbox()];
    caught(&all(vec![pulled, late()]), Promise::R18);
    // Once the offer is over it is in time.
    let over = vec![offer_ended(1, 1, OfferEnd::Rejected), waiting_again(1)];
    let verdict = check(&all(vec![[over, late()].concat()]));
    assert_eq!(verdict.violations, []);
}

#[test]
fn r18_who_stands_under_a_policy_keeps_its_version_until_it_waits_anew() {
    let (old, new) = (Action::Prioritise(3), Action::Prioritise(2));
    let rules = [(1, old.clone())];
    let changed = || vec![policy(2, &[(1, new.clone())])];
    let by_old = || vec![rule(1, &old), urgent(3)];
    let by_new = || vec![rule_of(queue(), 2, 1, &new), urgent(2)];
    assert_eq!(check(&stands(&rules, vec![changed(), by_old()])).violations, []);
    caught(&stands(&rules, vec![changed(), by_new()]), Promise::R18);
    // In another place and back it stands under the new one, and its time begins anew.
    let back = || vec![changed(), vec![in_inbox()], vec![waiting_again(1)]];
    assert_eq!(check(&stands(&rules, [back(), vec![by_new()]].concat())).violations, []);
    caught(&stands(&rules, [back(), vec![by_old()]].concat()), Promise::R18);
    let at_once = vec![changed(), vec![in_inbox()], [vec![waiting_again(1)], by_new()].concat()];
    caught(&stands(&rules, at_once), Promise::R18);
    // With the queue its policies are gone.
    let gone = vec![Kind::QueueDeleted(queue())];
    caught(&stands(&rules, vec![gone, by_old()]), Promise::R18);
}

#[test]
fn r18_what_is_moved_stands_under_the_other_policy_from_the_rules_time_on() {
    let there = Action::MoveTo(second());
    let next = Action::Prioritise(3);
    let moved = || vec![rule(1, &there), overflows(Place::Queues(vec![second()]))];
    let applied = || vec![rule_of(second(), 1, 1, &next), urgent(3)];
    let all = |after_s, then: Vec<Vec<Kind>>| {
        let told = vec![vec![policy_of(second(), 1, &[(after_s, next.clone())])]];
        let first = vec![vec![policy(1, &[(1, there.clone())])], vec![arrived(1), waiting(1)]];
        history(0, [told, first, then].concat())
    };
    let idle = || vec![Kind::Other("tick".to_owned())];
    // Held up for a second: what would have followed by now does at once.
    let late = |after_s| all(after_s, vec![idle(), [moved(), applied()].concat()]);
    assert_eq!(check(&late(1)).violations, []);
    caught(&late(2), Promise::R18);
    let by_the_first = vec![moved(), vec![rule(1, &there), overflows(Place::Queues(vec![second()]))]];
    caught(&all(1, by_the_first), Promise::R18);
}

#[test]
fn policies_and_rules_are_read_from_the_wire() {
    let read = |kind: &str, json: &str| {
        let (r#type, json) = (kind.to_owned(), json.to_owned());
        from_wire(&proto::v1::Event { r#type, json, ..Default::default() }).map(|event| event.kind)
    };
    let all = r#"{"queue": "queue_1_1", "number": 2, "by": "system", "policy": {"target": {}, "rules": [
        {"after_ms": 0, "when": [], "prioritise": 3}, {"after_ms": 1, "when": [], "add_queue": "queue_1_2"},
        {"after_ms": 2, "when": [], "move_to": "queue_1_2"}, {"after_ms": 3, "when": [], "to_inbox": true},
        {"after_ms": 4, "when": [], "send_to": "touchpoint_2_1"}, {"after_ms": 5, "when": [], "close": "late"}]}}"#;
    let far = TouchpointId::new(DomainId(2), 1);
    let actions = [
        Action::Prioritise(3),
        Action::AddQueue(second()),
        Action::MoveTo(second()),
        Action::ToInbox,
        Action::SendTo(far),
        Action::Close("late".to_owned()),
    ];
    let all = all.replace("touchpoint_2_1", &far.to_string());
    let timed = (0_u64..).zip(&actions).map(|(ms, then)| Rule { after_us: ms * 1_000, then: then.clone() });
    let policy = Policy { rules: timed.collect(), measured: true };
    assert_eq!(read("policy_changed", &all), Ok(Kind::PolicyChanged { queue: queue(), number: 2, policy }));
    let none = r#"{"queue": "queue_1_1", "number": 3, "policy": {"target": null, "rules": []}}"#;
    let policy = Policy::default();
    assert_eq!(read("policy_changed", none), Ok(Kind::PolicyChanged { queue: queue(), number: 3, policy }));
    let applied =
        r#"{"conversation": "conv_1_1", "queue": "queue_1_1", "number": 2, "rule": 6, "action": ACTION}"#;
    let close = applied.replace("ACTION", r#"{"close": "late"}"#);
    assert_eq!(read("rule_applied", &close), Ok(rule_of(queue(), 2, 6, &actions[5])));
    for (kind, unreadable) in [
        ("rule_applied", applied.replace("ACTION", r#"{"fly": true}"#)),
        ("policy_changed", all.replace("prioritise", "fly")),
        ("policy_changed", none.replace("rules", "rulez")),
    ] {
        assert!(read(kind, &unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn r4_a_rule_adds_those_who_may_have_it_or_changes_them() {
    let serves_second = |then: Vec<Vec<Kind>>, rules: &[(u64, Action)]| {
        let mut all = stands(rules, [vec![vec![opened(1, 1), presence(1, true)]], then].concat());
        all.facts = facts(1);
        all.facts.agents.get_mut(&agent(1)).unwrap().queues = BTreeSet::from([second()]);
        all
    };
    let offer = || vec![offered(1, 1, 1)];
    caught(&serves_second(vec![offer()], &[]), Promise::R4);
    let add = Action::AddQueue(second());
    let added = [vec![rule(1, &add)], offer()].concat();
    assert_eq!(check(&serves_second(vec![added], &[(1, add)])).violations, []);
    let there = Action::MoveTo(second());
    let moved = [vec![rule(1, &there), overflows(Place::Queues(vec![second()]))], offer()].concat();
    assert_eq!(check(&serves_second(vec![moved], &[(1, there)])).violations, []);
    // The other way round: whoever had it before has it no more.
    let back = Action::MoveTo(queue());
    let mut away = serves_second(
        vec![[vec![rule(1, &back), overflows(Place::Queues(vec![queue()]))], offer()].concat()],
        &[(1, back)],
    );
    if let Kind::Waiting { place, .. } = &mut away.events[2].kind {
        *place = Place::Queues(vec![queue(), second()]);
    }
    caught(&away, Promise::R4);
}

#[test]
fn what_is_moved_begins_its_search_anew() {
    let there = Action::MoveTo(second());
    let moved = |queues: Vec<QueueId>| vec![rule(1, &there), overflows(Place::Queues(queues))];
    let all = |then: Vec<Kind>| {
        let steps = vec![Step { widen: vec![queue()], ..spanish(50) }, spanish(10)];
        let waits = vec![vec![arrived(1), asks(1, steps), waiting(1)], vec![relaxed(1, 2)]];
        let serves = vec![vec![policy(1, &[(1, there.clone())])], vec![able(1, 20)]];
        let mut all =
            history(1, [serves, vec![vec![opened(1, 1), presence(1, true)]], waits, vec![then]].concat());
        all.facts.agents.get_mut(&agent(1)).unwrap().queues = BTreeSet::from([second()]);
        all
    };
    // What its first step is widened by it waits in too.
    assert_eq!(check(&all(moved(vec![second(), queue()]))).violations, []);
    caught(&all([moved(vec![second(), queue()]), vec![offered(1, 1, 1)]].concat()), Promise::R4);
    // Its steps may be for nobody there.
    let passed = vec![rule(1, &there), relaxed(1, 2), overflows(Place::Queues(vec![second(), queue()]))];
    let offer = vec![offered(1, 1, 1)];
    assert_eq!(check(&all([passed, offer].concat())).violations, []);
}

#[test]
fn what_is_widened_by_the_queue_it_stood_under_may_stand_under_the_other() {
    let (here, there) = (Action::Prioritise(3), Action::Prioritise(2));
    let third = QueueId::new(D, 3);
    let told = vec![policy_of(second(), 1, &[(1, there.clone())]), policy(1, &[(1, here.clone())])];
    let all = |widen: Vec<QueueId>, at: Vec<QueueId>, then: Vec<Kind>| {
        let steps = vec![Step { widen, ..spanish(50) }];
        let first = vec![told.clone(), vec![arrived(1), asks(1, steps), waiting(1)]];
        let transfer = Kind::TransferStarted { conversation: conv(1), agent: None };
        let mut waits = waiting_again(1);
        if let Kind::Waiting { place, .. } = &mut waits {
            *place = Place::Queues(at);
        }
        history(0, [first, vec![vec![transfer, waits], then]].concat())
    };
    let by_first = || vec![rule(1, &here), urgent(3)];
    let by_second = || vec![rule_of(second(), 1, 1, &there), urgent(2)];
    for then in [by_first(), by_second()] {
        let both = all(vec![queue()], vec![second(), queue()], then);
        assert_eq!(check(&both).violations, []);
    }
    // It is one of both, and where nothing widens it, it is known which.
    caught(&all(vec![queue()], vec![second(), queue()], [by_second(), by_first()].concat()), Promise::R18);
    caught(&all(vec![third], vec![second(), queue()], by_second()), Promise::R18);
    caught(&all(vec![third], vec![second(), third], by_first()), Promise::R18);
    assert_eq!(check(&all(vec![third], vec![second(), third], by_second())).violations, []);
}

#[test]
fn r10_what_a_rule_moves_keeps_its_age() {
    let there = Action::MoveTo(queue());
    let elsewhere = |number| Kind::Waiting {
        conversation: conv(number),
        place: Place::Queues(vec![second()]),
        again: false,
        owner_lost: false,
        overflow: false,
    };
    let begins = vec![
        vec![policy_of(second(), 1, &[(1, there.clone())])],
        vec![arrived(1), elsewhere(1)],
        vec![arrived(2), waiting(2)],
        vec![rule_of(second(), 1, 1, &there), overflows(Place::Queues(vec![queue()]))],
    ];
    let comes = |number| vec![vec![opened(1, 1), presence(1, true), offered(number, 1, 1)]];
    assert_eq!(check(&history(1, [begins.clone(), comes(1)].concat())).violations, []);
    caught(&history(1, [begins, comes(2)].concat()), Promise::R10);
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
