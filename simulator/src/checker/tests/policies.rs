//! Policies and their rules, as told: sound histories pass, broken ones are seen.

use super::*;

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
