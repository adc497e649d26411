//! What policies are taken, and what their rules do.

use crate::command::{By, Decline, TransferFallback, TransferTarget};
use crate::event::{EventKind, Place};
use crate::policy::limits::{CONDITIONS_MAX, MOVES_MAX, REASON_BYTES_MAX, RULES_MAX, VERSIONS_MAX};
use crate::policy::{Action, Bound, Condition, Measure, Policy, Rule, Service, Standing, Target};
use crate::scene::{Row, Scene, name, play, requires};
use crate::settings::limits::HOPS_MAX;
use crate::settings::{RoutingMode, ToQueue};
use crate::testing::{DOMAIN, supervisor};
use crate::view::{QueueView, Stage};
use crate::{Channel, Command, DomainId, LogTime, Priority, QueueId, Rejected, Span, TouchpointId, level};

/// At the level of policies.
fn raised(s: &mut Scene) {
    s.world.ok(Command::SetLevel { level: level::POLICIES });
}

fn rule(after: u64, then: Action) -> Rule {
    Rule { after: Span::seconds(after), when: Vec::new(), then }
}

fn when(after: u64, measure: Measure, is: Bound, then: Action) -> Rule {
    Rule { when: vec![Condition { of: None, measure, is }], ..rule(after, then) }
}

fn close(reason: &str) -> Action {
    Action::Close { reason: reason.to_owned() }
}

fn rules(rules: Vec<Rule>) -> Policy {
    Policy { rules, target: None }
}

fn only(rule: Rule) -> Policy {
    rules(vec![rule])
}

fn target(within: u64, percent: u8) -> Policy {
    Policy { rules: Vec::new(), target: Some(Target { within: Span::seconds(within), percent }) }
}

fn set(queue: QueueId, policy: Policy) -> Command {
    Command::SetPolicy { queue, policy, by: supervisor() }
}

/// The voice queue has this policy.
fn with(s: &mut Scene, policy: impl FnOnce(&Scene) -> Policy) {
    raised(s);
    let policy = policy(s);
    s.world.ok(set(s.queue, policy));
}

fn queue(s: &Scene, queue: QueueId) -> QueueView {
    s.world.shard.queue(queue).expect("made")
}

fn standing(s: &Scene) -> Option<Standing> {
    s.world.shard.conversation(s.id).expect("known").standing.map(|standing| *standing)
}

fn place(s: &Scene) -> Option<Place> {
    match s.world.shard.conversation(s.id).expect("known").stage {
        Stage::Waiting(place) | Stage::Offered(place) => Some(place),
        _ => None,
    }
}

/// After so many seconds, what happened by itself.
fn later(s: &mut Scene, seconds: u64) -> String {
    s.pass(seconds);
    s.world.tick();
    s.world.events().join(" ")
}

/// The counts of the last hour.
fn served(s: &Scene) -> (u64, u64, u64, u64) {
    let view = queue(s, s.queue);
    let Service { within, answered, abandoned, overflowed, .. } = view.policy.last(60, s.world.shard.now());
    (within, answered, abandoned, overflowed)
}

#[test]
fn what_is_no_sound_policy_is_refused() {
    let s = Scene::new();
    let (own, other) = (s.queue, s.plain);
    let nowhere = QueueId::new(DOMAIN, 99);
    let wait = || Action::Prioritise(Priority(1));
    let of = |queue: QueueId| Rule {
        when: vec![Condition { of: Some(queue), measure: Measure::Waiting, is: Bound::Below(1) }],
        ..rule(0, wait())
    };
    let far = TouchpointId::new(DomainId(2), 1);
    let many = Rule { when: of(own).when.repeat(CONDITIONS_MAX + 1), ..rule(0, wait()) };
    let level = |is| only(when(0, Measure::ServiceLevel, is, wait()));
    let table: Vec<(&str, Policy, &str)> = vec![
        ("nothing", Policy::default(), "done"),
        ("as many rules as there may be", rules(vec![rule(1, wait()); RULES_MAX]), "done"),
        ("too many", rules(vec![rule(1, wait()); RULES_MAX + 1]), "Invalid"),
        ("after a day", only(rule(86_400, wait())), "done"),
        ("after more", only(rule(86_401, wait())), "Invalid"),
        ("out of order", rules(vec![rule(2, wait()), rule(1, wait())]), "Invalid"),
        ("never reached", rules(vec![rule(1, Action::ToInbox), rule(2, wait())]), "Invalid"),
        (
            "never reached after a move",
            rules(vec![rule(1, Action::MoveTo(other)), rule(1, wait())]),
            "Invalid",
        ),
        ("never reached after an end", rules(vec![rule(1, close("x")), rule(1, wait())]), "Invalid"),
        ("reached if that fails", rules(vec![rule(1, Action::SendTo(far)), rule(1, wait())]), "done"),
        (
            "reached if that does not hold",
            rules(vec![when(1, Measure::Waiting, Bound::AtLeast(9), close("x")), rule(1, wait())]),
            "done",
        ),
        ("too many conditions", only(many), "Invalid"),
        ("of its own queue", only(of(own)), "done"),
        ("of an unknown queue", only(of(nowhere)), "Unknown"),
        ("below 0", only(when(0, Measure::Waiting, Bound::Below(0), wait())), "Invalid"),
        ("at least 0", only(when(0, Measure::Position, Bound::AtLeast(0), wait())), "Invalid"),
        ("all of a hundred", level(Bound::AtLeast(100)), "done"),
        ("more than a hundred", level(Bound::AtLeast(101)), "Invalid"),
        ("below more than a hundred", level(Bound::Below(101)), "Invalid"),
        ("to where it is", only(rule(1, Action::MoveTo(own))), "Invalid"),
        ("to where it is too", only(rule(1, Action::AddQueue(own))), "Invalid"),
        ("to nowhere", only(rule(1, Action::AddQueue(nowhere))), "Unknown"),
        ("to another", only(rule(1, Action::MoveTo(other))), "done"),
        ("to a touchpoint of this domain", only(rule(1, Action::SendTo(s.voice))), "Invalid"),
        ("without a reason", only(rule(1, close(""))), "Invalid"),
        ("with a long reason", only(rule(1, close(&"x".repeat(REASON_BYTES_MAX)))), "done"),
        ("with too long a reason", only(rule(1, close(&"x".repeat(REASON_BYTES_MAX + 1)))), "Invalid"),
        ("within a second", target(1, 1), "done"),
        ("within less", target(0, 80), "Invalid"),
        ("within a day", target(86_400, 100), "done"),
        ("within more", target(86_401, 80), "Invalid"),
        ("none of a hundred", target(20, 0), "Invalid"),
        ("more of a hundred", target(20, 101), "Invalid"),
    ];
    for (what, policy, answer) in table {
        let mut s = Scene::new();
        raised(&mut s);
        let outcome = s.world.apply(set(s.queue, policy.clone()));
        assert_eq!(outcome.as_ref().map_or_else(name, |_| "done".to_owned()), answer, "{what}: {outcome:?}");
        let there = queue(&s, s.queue).policy;
        let changed = answer == "done" && !policy.is_empty();
        assert_eq!((there.number, there.policy == policy), (u32::from(changed), answer == "done"), "{what}");
    }
}

#[test]
fn table() {
    let busy = || only(when(0, Measure::Waiting, Bound::AtLeast(1), close("busy")));
    let rows: &[Row] = &[
        ("below its level", |_| {}, |s| set(s.queue, target(20, 80)), "Level", ""),
        ("set", raised, |s| set(s.queue, target(20, 80)), "done", "PolicyChanged"),
        ("the same", |s| with(s, |_| target(20, 80)), |s| set(s.queue, target(20, 80)), "done", ""),
        ("none where there is none", raised, |s| set(s.queue, Policy::default()), "done", ""),
        (
            "taken away",
            |s| with(s, |_| target(20, 80)),
            |s| set(s.queue, Policy::default()),
            "done",
            "PolicyChanged",
        ),
        ("of no queue", raised, |_| set(QueueId::new(DOMAIN, 99), Policy::default()), "Unknown", ""),
        (
            "by an agent",
            raised,
            |s| Command::SetPolicy { queue: s.queue, policy: target(20, 80), by: By::Agent(s.a) },
            "NotAllowed",
            "",
        ),
        (
            "by a desk that is no more",
            raised,
            |s| Command::SetPolicy { queue: s.queue, policy: target(20, 80), by: By::Agent(s.stale()) },
            "StaleEpoch",
            "",
        ),
        (
            "a queue that another's policy names stays",
            |s| {
                with(s, |s| only(rule(5, Action::AddQueue(s.plain))));
            },
            |s| Command::DeleteQueue { queue: s.plain },
            "InUse",
            "",
        ),
        (
            "on the way in",
            |s| with(s, |s| only(rule(0, Action::MoveTo(s.plain)))),
            |s| {
                s.ready(s.a);
                s.waiting();
                Command::Tick
            },
            "done offered",
            "",
        ),
    ];
    play(rows);
    let mut s = Scene::new();
    with(&mut s, |_| busy());
    s.waiting();
    assert_eq!(s.stage(), "queued", "itself is not counted");
    s.waiting();
    assert_eq!(s.stage(), "closed");
    assert_eq!(s.world.events(), ["Arrived", "Waiting", "RuleApplied", "Ended"]);
}

#[test]
fn rules_that_move_round_are_refused_and_long_ways_too() {
    let mut s = Scene::new();
    raised(&mut s);
    let queues: Vec<QueueId> = (0..=MOVES_MAX + 1).map(|_| s.world.queue()).collect();
    for pair in queues[..=MOVES_MAX].windows(2) {
        // The condition does not matter.
        let rule = when(1, Measure::Available, Bound::Below(1), Action::MoveTo(pair[1]));
        s.world.ok(set(pair[0], only(rule)));
    }
    let refused =
        s.world.refused(set(queues[MOVES_MAX], only(rule(1, Action::MoveTo(queues[MOVES_MAX + 1])))));
    assert!(refused.to_string().contains("9 moves one after the other"), "{refused}");
    let before_all = s.world.refused(set(s.plain, only(rule(1, Action::MoveTo(queues[0])))));
    assert!(before_all.to_string().contains(&s.plain.to_string()), "{before_all}");
    let refused = s.world.refused(set(queues[2], only(rule(1, Action::MoveTo(queues[0])))));
    let way = [0, 1, 2].map(|at| queues[at].to_string());
    assert!(refused.to_string().contains(&format!("{} to {} to {}", way[0], way[1], way[2])), "{refused}");
    s.world.ok(set(queues[2], only(rule(1, Action::AddQueue(queues[0])))));
    s.world.ok(set(queues[MOVES_MAX], only(rule(1, Action::MoveTo(queues[0])))));
}

/// The example of docs/routing/policies.md.
#[test]
fn a_line_that_overflows() {
    let mut s = Scene::new();
    let nights = s.world.queue();
    with(&mut s, |s| Policy {
        rules: vec![
            when(0, Measure::SignedOn, Bound::Below(1), Action::MoveTo(nights)),
            when(20, Measure::Position, Bound::AtLeast(2), Action::AddQueue(s.plain)),
            rule(60, Action::Prioritise(Priority(9))),
            when(120, Measure::Available, Bound::Below(1), close("nobody is free")),
        ],
        target: Some(Target { within: Span::seconds(30), percent: 80 }),
    });
    s.waiting();
    let first = s.id;
    s.pass(1);
    s.waiting();
    assert_eq!(standing(&s).map(|standing| (standing.decided, standing.number)), Some((1, 1)));
    assert_eq!(place(&s), Some(Place::Queues(vec![s.queue])), "two are signed on");
    assert_eq!(later(&mut s, 19), "", "the first one is first: passed over");
    assert_eq!(later(&mut s, 1), "RuleApplied");
    assert_eq!(place(&s), Some(Place::Queues(vec![s.queue, s.plain])));
    assert_eq!(later(&mut s, 40), "RuleApplied Reprioritised RuleApplied Reprioritised");
    s.ready(s.a);
    assert_eq!(s.rings(first), Some(s.a.agent), "as old as it was");
    s.away(s.a);
    assert_eq!(later(&mut s, 60), "RuleApplied Ended RuleApplied Ended");
    assert_eq!(served(&s), (0, 0, 0, 2));
    for desk in [s.a, s.b] {
        s.world.ok(Command::LogOut { agent: desk.agent, by: supervisor() });
    }
    s.waiting();
    assert_eq!(s.world.events(), ["Arrived", "Waiting", "RuleApplied", "Waiting"]);
    assert_eq!(place(&s), Some(Place::Queues(vec![nights])));
    assert_eq!(standing(&s), None, "that queue has no policy");
    assert_eq!(served(&s), (0, 0, 0, 3));
}

#[test]
fn a_version_is_kept_while_something_stands_under_it() {
    let mut s = Scene::new();
    with(&mut s, |_| only(rule(50, close("one"))));
    s.waiting();
    let first = s.id;
    s.world.ok(set(s.queue, only(rule(60, close("two")))));
    s.world.ok(set(s.queue, only(rule(10, close("three")))));
    assert_eq!(queue(&s, s.queue).policy.older, [1], "nothing stood under the second");
    s.waiting();
    assert_eq!(standing(&s).map(|standing| standing.number), Some(3));
    later(&mut s, 10);
    assert_eq!((s.stage(), s.world.stage(first)), ("closed", "queued"));
    later(&mut s, 40);
    assert_eq!(s.world.stage(first), "closed");
    let there = queue(&s, s.queue).policy;
    assert_eq!((there.number, there.older), (3, Vec::new()));

    for number in 0..VERSIONS_MAX {
        s.world.ok(set(s.queue, only(rule(1_000 + number as u64, Action::ToInbox))));
        s.waiting();
    }
    let refused = s.world.refused(set(s.queue, target(20, 80)));
    assert!(matches!(refused, Rejected::Full { .. }), "{refused:?}");
    s.world.ok(Command::Abandon { conversation: s.id });
    s.world.ok(set(s.queue, target(20, 80)));
    assert_eq!(queue(&s, s.queue).policy.older.len(), VERSIONS_MAX - 1);
}

#[test]
fn while_an_offer_is_live_a_rule_waits_for_its_outcome() {
    for taken in [false, true] {
        let mut s = Scene::new();
        with(&mut s, |s| only(rule(5, Action::MoveTo(s.plain))));
        s.offered();
        assert_eq!(later(&mut s, 5), "");
        assert_eq!(standing(&s).map(|standing| (standing.decided, standing.due)), Some((0, None)));
        let (desk, offer) = (s.a, s.offer);
        if taken {
            s.world.accept(s.id);
            assert_eq!(standing(&s), None);
        } else {
            let decline = Decline { reason: "busy".to_owned() };
            s.world.ok(Command::Reject { desk, offer, decline });
            assert_eq!(s.world.events(), ["OfferEnded", "Waiting", "RuleApplied", "Waiting"]);
            assert_eq!(place(&s), Some(Place::Queues(vec![s.plain])));
        }
    }
}

#[test]
fn an_outage_is_made_up_for_as_if_all_had_been_on_time() {
    let mut s = Scene::new();
    let last = s.world.queue();
    with(&mut s, |s| only(rule(10, Action::MoveTo(s.plain))));
    s.world.ok(set(s.plain, only(rule(10, Action::MoveTo(last)))));
    s.world.ok(set(last, only(rule(10, close("late")))));
    s.waiting();
    assert_eq!(later(&mut s, 29), "RuleApplied Waiting RuleApplied Waiting");
    assert_eq!(
        standing(&s).and_then(|standing| standing.due),
        Some(LogTime(s.world.shard.now().0 + 1_000_000))
    );
    assert_eq!(later(&mut s, 1), "RuleApplied Ended");
}

#[test]
fn it_waits_there_at_its_age() {
    let mut s = Scene::new();
    let arrived = |s: &Scene| s.world.shard.conversation(s.id).expect("known").arrived_at;
    with(&mut s, |s| only(rule(5, Action::MoveTo(s.plain))));
    s.world.ok(Command::SetSkills {
        agent: s.a.agent,
        skills: crate::scene::skills(&[("es", 9)]),
        by: supervisor(),
    });
    s.asking(vec![requires(&[("es", 9)], 3), requires(&[("es", 5)], 100)]);
    let before = arrived(&s);
    later(&mut s, 4);
    assert_eq!(s.seeking().at, 1);
    later(&mut s, 1);
    assert_eq!((arrived(&s), s.seeking().at), (before, 0), "there it begins with the first step");
}

#[test]
fn to_an_inbox_and_no_further() {
    let mut s = Scene::new();
    with(&mut s, |_| {
        rules(vec![when(5, Measure::Waiting, Bound::Below(1), Action::ToInbox), rule(6, close("x"))])
    });
    s.waiting();
    assert_eq!(later(&mut s, 5), "RuleApplied Waiting");
    assert_eq!((s.stage(), standing(&s)), ("in_inbox", None));
    assert_eq!(later(&mut s, 5), "");
    s.world.ok(Command::Assign { desk: s.a, conversation: s.id });
}

#[test]
fn in_the_inbox_nothing_gives_way() {
    let mut s = Scene::new();
    with(&mut s, |_| only(rule(5, Action::ToInbox)));
    s.world.ok(Command::SetSkills {
        agent: s.a.agent,
        skills: crate::scene::skills(&[("es", 9)]),
        by: supervisor(),
    });
    s.asking(vec![requires(&[("es", 10)], 9), requires(&[("es", 5)], 100)]);
    later(&mut s, 5);
    assert_eq!((s.stage(), s.seeking().until), ("in_inbox", None));
    assert_eq!(later(&mut s, 10), "");
}

#[test]
fn to_another_domain_and_when_that_fails_the_next_rule_follows() {
    let mut s = Scene::new();
    let far = TouchpointId::new(DomainId(7), 1);
    with(&mut s, |_| rules(vec![rule(5, Action::SendTo(far)), rule(6, Action::ToInbox)]));
    s.waiting();
    assert_eq!(later(&mut s, 5), "RuleApplied TransferStarted");
    assert_eq!(s.stage(), "transferring");
    assert_eq!(standing(&s).map(|standing| (standing.decided, standing.due)), Some((1, None)));
    let landing = crate::outcome::Landing::Refused(crate::outcome::NotTaken::Full);
    s.world.ok(Command::Settle { conversation: s.id, number: 1, recall: None, landing });
    assert_eq!(s.world.events(), ["TransferRefused", "TransferFailed", "Waiting"]);
    assert_eq!(later(&mut s, 1), "RuleApplied Waiting");
    assert_eq!((s.stage(), s.world.shard.conversation(s.id).expect("known").hops), ("in_inbox", 1));

    let mut s = Scene::new();
    s.assigned();
    for hop in 0..HOPS_MAX {
        let target = TransferTarget::Queue(if hop % 2 == 0 { s.plain } else { s.queue });
        let (fallback, by) = (TransferFallback::Source, supervisor());
        s.away(s.a);
        s.world.ok(Command::Transfer { conversation: s.id, target, fallback, by });
    }
    raised(&mut s);
    s.world.ok(set(s.plain, rules(vec![rule(5, Action::SendTo(far)), rule(6, Action::ToInbox)])));
    // It stands under the policy once it comes to wait again.
    s.ready(s.a);
    let offer = s.world.offer_of(s.id).expect("offered").0;
    s.world.ok(Command::Reject { desk: s.a, offer, decline: Decline { reason: String::new() } });
    s.away(s.a);
    assert_eq!(later(&mut s, 5), "", "that would be one hop too many");
    assert_eq!(later(&mut s, 1), "RuleApplied Waiting");
}

#[test]
fn a_full_queue_and_too_many_queues_are_passed_over() {
    let mut s = Scene::new();
    let mut settings = queue(&s, s.plain).settings;
    settings.waiting_max = 1;
    s.world.ok(Command::UpdateQueue { queue: s.plain, settings });
    with(&mut s, |s| only(rule(5, Action::MoveTo(s.plain))));
    s.waiting();
    s.waiting();
    assert_eq!(later(&mut s, 5), "RuleApplied Waiting", "there was room for one");
    assert_eq!(place(&s), Some(Place::Queues(vec![s.queue])));

    let mut s = Scene::new();
    let others: Vec<QueueId> = (0..8).map(|_| s.world.queue()).collect();
    let all = others.iter().map(|queue| rule(1, Action::AddQueue(*queue))).collect();
    with(&mut s, |_| rules(all));
    s.waiting();
    assert_eq!(later(&mut s, 1).split(' ').count(), 7, "eight in all");
}

#[test]
fn the_service_is_counted_where_it_stands() {
    let mut s = Scene::new();
    s.world.ok(Command::UpdateDomain {
        settings: crate::settings::DomainSettings {
            miss_limit: 0,
            ..s.world.shard.domain(DOMAIN).expect("made").settings
        },
    });
    with(&mut s, |_| Policy { rules: vec![rule(90, Action::ToInbox)], ..target(20, 80) });
    // In time, too late, left, and taken elsewhere.
    for (wait, answered) in [(20, true), (21, true), (5, false)] {
        s.waiting();
        s.pass(wait);
        if answered {
            s.ready(s.a);
            s.world.accept(s.id);
            s.world.ok(Command::ForceClose { conversation: s.id, reason: "done".into(), by: supervisor() });
            s.away(s.a);
        } else {
            s.world.ok(Command::Abandon { conversation: s.id });
        }
    }
    assert_eq!(served(&s), (1, 2, 1, 0));
    let policy = queue(&s, s.queue).policy;
    let sum = policy.last(60, s.world.shard.now());
    assert_eq!((sum.percent(), sum.mean_wait()), (Some(33), Some(Span::millis(20_500))));
    s.waiting();
    later(&mut s, 90);
    assert_eq!(served(&s), (1, 2, 1, 1));
    later(&mut s, 3_600);
    assert_eq!(served(&s), (0, 0, 0, 0), "an hour later");
    assert_eq!(queue(&s, s.queue).policy.last(60, s.world.shard.now()).percent(), None);

    // A rule asks for it.
    let low = when(1, Measure::ServiceLevel, Bound::Below(50), close("overrun"));
    s.world.ok(set(s.queue, Policy { rules: vec![low], ..target(20, 80) }));
    s.waiting();
    assert_eq!(later(&mut s, 1), "", "nothing was measured: a hundred");
    s.world.ok(Command::Abandon { conversation: s.id });
    s.waiting();
    assert_eq!(later(&mut s, 1), "RuleApplied Ended");
}

#[test]
fn with_its_queue_all_standing_ends() {
    let mut s = Scene::new();
    let both = RoutingMode::ToQueue(ToQueue {
        queues: vec![s.queue, s.plain],
        priority: Priority(0),
        accept: crate::settings::AcceptMode::Manual { ring: Span::seconds(20) },
    });
    with(&mut s, |_| only(rule(5, close("late"))));
    s.world.ok(set(s.plain, only(rule(7, Action::ToInbox))));
    let touchpoint = s.world.touchpoint_with(Channel::Chat, both);
    s.id = s.world.start(touchpoint);
    for touchpoint in [touchpoint, s.voice, s.mail] {
        s.world.ok(Command::DeleteTouchpoint { touchpoint });
    }
    s.world.ok(Command::DeleteQueue { queue: s.queue });
    assert_eq!((s.stage(), standing(&s)), ("queued", None));
    assert_eq!(later(&mut s, 30), "");
    s.ready(s.a);
    let offer = s.world.offer_of(s.id).expect("offered").0;
    s.world.ok(Command::Reject { desk: s.a, offer, decline: Decline { reason: String::new() } });
    assert_eq!(standing(&s).map(|standing| standing.queue), Some(s.plain), "from now on under the other's");
}

#[test]
fn what_is_stored_says_all() {
    let mut s = Scene::new();
    with(&mut s, |s| Policy {
        rules: vec![rule(5, Action::AddQueue(s.plain)), rule(50, close("late"))],
        ..target(20, 80)
    });
    s.waiting();
    s.world.ok(Command::Abandon { conversation: s.id });
    s.waiting();
    s.world.ok(set(s.queue, target(9, 9)));
    later(&mut s, 5);
    let again = crate::testing::through_bytes(&mut s.world.shard);
    assert_eq!(again.view(DOMAIN), s.world.shard.view(DOMAIN));
    assert_eq!(again.state_hash(), s.world.shard.state_hash());
    let mut world = crate::testing::World { shard: again, ..s.world };
    world.pass(Span::seconds(45));
    world.tick();
    assert_eq!(world.stage(s.id), "closed");
    assert!(
        world.effects.events.iter().any(|event| matches!(event.kind, EventKind::RuleApplied { rule: 2, .. }))
    );
}
