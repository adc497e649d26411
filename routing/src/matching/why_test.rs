//! Why an agent was picked, as the event of its offer says.

use crate::command::{Decline, Desk, TransferFallback, TransferTarget};
use crate::picked::{Candidate, Order, Picked, Way};
use crate::scene::{Scene, names, prefers, requires};
use crate::settings::{PickPolicy, QueueSettings, RoutingMode};
use crate::testing::supervisor;
use crate::view::Gate;
use crate::{Channel, Command, EventKind, LogTime, Points, Priority, Rejected, level};

fn raised(policy: PickPolicy) -> Scene {
    let mut s = Scene::new();
    s.world.ok(Command::SetLevel { level: level::PICKS });
    let queue = s.queue;
    let settings = QueueSettings { pick: policy, ..s.world.shard.queue(queue).expect("made").settings };
    s.world.ok(Command::UpdateQueue { queue, settings });
    s
}

/// Of the only offer in the events of the last command: to whom, and why.
fn last(s: &Scene) -> (crate::AgentId, Picked) {
    let made: Vec<_> = s.world.effects.events.iter().filter_map(|event| event.kind.offered()).collect();
    let [(offered, Some(picked))] = made[..] else { panic!("{made:?}") };
    (offered.agent, picked.clone())
}

fn another(s: &mut Scene) -> Desk {
    let agent = s.world.agent(&[s.queue]);
    s.world.desk(agent)
}

fn idle(at: u64) -> Option<Order> {
    Some(Order::IdleSince(LogTime(at)))
}

/// One worked example: docs/routing/explain.md goes through it with the same numbers.
#[test]
fn why_pau_and_not_lola() {
    let mut s = raised(PickPolicy::LongestIdle);
    let (lola, pau) = (s.a, s.b);
    let (kim, ola) = (another(&mut s), another(&mut s));
    s.can(lola, &[("es", 40)]);
    s.can(pau, &[("es", 60)]);
    s.can(ola, &[("es", 90)]);
    // In this order they become idle: Lola, Pau, Kim, who has no Spanish, and Ola.
    let mut since = Vec::new();
    for desk in [lola, pau, kim, ola] {
        s.pass(10);
        s.ready(desk);
        since.push(s.world.time);
    }
    s.pass(5);
    let call = s.asking(vec![requires(&[("es", 50)], 60)]);
    let required = crate::criteria::Skill { name: "es".to_owned(), level: 50 };
    let expected = Picked {
        way: Way::Policy(PickPolicy::LongestIdle),
        priority: Priority(0),
        arrived_at: LogTime(s.world.time),
        preferred: 0,
        order: idle(since[1]),
        passed_over: vec![(lola.agent, Gate::Skill { required, has: 40 })],
        next: vec![Candidate { agent: ola.agent, order: idle(since[3]) }],
    };
    assert_eq!(last(&s), (pau.agent, expected));

    // He declines. Ola is next, and it says that he was asked already.
    let offer = s.world.offer_of(call).expect("offered").0;
    s.world.ok(Command::Reject { desk: pau, offer, decline: Decline { reason: "busy".to_owned() } });
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.order), (ola.agent, idle(since[3])));
    assert!(matches!(picked.passed_over[..], [
        (first, Gate::Skill { has: 40, .. }),
        (second, Gate::ExcludedUntil(_))
    ] if first == lola.agent && second == pau.agent));
    assert_eq!(picked.next, []);
}

#[test]
fn below_its_level_offers_say_nothing_and_the_order_is_refused() {
    let mut s = Scene::new();
    s.world.ok(Command::SetLevel { level: level::PICKS - 1 });
    let (queue, settings) =
        (s.queue, QueueSettings { pick: PickPolicy::LeastFlexible, ..QueueSettings::default() });
    let at = level::PICKS - 1;
    let create = Command::CreateQueue { settings: settings.clone() };
    assert_eq!(s.world.refused(create), Rejected::Level { level: at });
    assert_eq!(s.world.refused(Command::UpdateQueue { queue, settings }), Rejected::Level { level: at });
    s.offered();
    assert!(matches!(s.world.effects.events.last().expect("some").kind, EventKind::Offered(_)));
}

#[test]
fn the_least_flexible_goes_first_and_what_it_learns_counts_at_once() {
    let mut s = raised(PickPolicy::LeastFlexible);
    let third = another(&mut s);
    s.can(s.a, &[("es", 9), ("de", 9)]);
    s.can(s.b, &[("es", 9)]);
    s.can(third, &[("fr", 1), ("de", 1), ("es", 1)]);
    for desk in [third, s.a, s.b] {
        s.pass(1);
        s.ready(desk);
    }
    let now = s.world.time;
    s.waiting();
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.order), (s.b.agent, Some(Order::Skills(1, LogTime(now)))));
    let next: Vec<_> = picked.next.iter().map(|one| one.agent).collect();
    assert_eq!(next, [s.a.agent, third.agent]);
    // It learns: those with two skills tie, and who is idle for longer goes first.
    let offer = s.world.offer_of(s.id).expect("offered").0;
    s.world.ok(Command::Reject { desk: s.b, offer, decline: Decline { reason: String::new() } });
    s.away(s.a);
    s.can(third, &[("fr", 1)]);
    s.can(s.b, &[("es", 9), ("fr", 1)]);
    s.pass(1);
    s.ready(s.a);
    s.world.ok(Command::Abandon { conversation: s.id });
    let id = s.world.start(s.voice);
    assert_eq!(s.rings(id), Some(third.agent));
    let next: Vec<_> = last(&s).1.next.iter().map(|one| one.agent).collect();
    assert_eq!(next, [s.b.agent, s.a.agent]);
}

#[test]
fn each_order_says_what_it_went_by() {
    for policy in [PickPolicy::LeastLoaded, PickPolicy::RoundRobin] {
        let mut s = raised(policy);
        s.ready(s.b);
        let mail = s.world.touchpoint(Channel::Email, &[s.queue]);
        s.world.start(mail);
        let began = s.world.time;
        let first = last(&s).1.order;
        s.pass(3);
        s.ready(s.a);
        let now = s.world.time;
        s.waiting();
        let (agent, picked) = last(&s);
        assert_eq!(agent, s.a.agent, "{policy:?}");
        let weight = u32::from(crate::settings::DomainSettings::default().weights[Channel::Email.index()].0);
        let (one, two, three) = match policy {
            PickPolicy::LeastLoaded => (
                Order::Load(0, LogTime(began)),
                Order::Load(0, LogTime(now)),
                Order::Load(weight, LogTime(began)),
            ),
            _ => (Order::LastOffer(0), Order::LastOffer(0), Order::LastOffer(1)),
        };
        assert_eq!((first, picked.order), (Some(one), Some(two)), "{policy:?}");
        assert_eq!(picked.next, [Candidate { agent: s.b.agent, order: Some(three) }]);
    }
}

#[test]
fn a_preference_passes_over_and_two_of_a_kind_are_shown() {
    let mut s = raised(PickPolicy::LongestIdle);
    let more = [(); 4].map(|()| another(&mut s));
    s.can(more[3], &[("es", 50)]);
    for desk in [s.a, s.b].into_iter().chain(more) {
        s.ready(desk);
        s.pass(1);
    }
    s.asking(vec![prefers(&[("es", 50)], 0)]);
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.preferred), (more[3].agent, 1));
    assert_eq!(picked.passed_over, [(s.a.agent, Gate::None), (s.b.agent, Gate::None)]);
    s.asking(vec![prefers(&[("es", 50)], 0)]);
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.preferred, picked.passed_over), (s.a.agent, 0, vec![]));
    let next: Vec<_> = picked.next.iter().map(|one| one.agent).collect();
    assert_eq!(next, [s.b.agent, more[0].agent]);
}

/// Of those after it four are looked at, whatever comes of them.
#[test]
fn who_stands_far_behind_is_not_looked_for() {
    for lacking in [3, 4] {
        let mut s = raised(PickPolicy::LongestIdle);
        let more: Vec<Desk> = (0..=lacking).map(|_| another(&mut s)).collect();
        let last_one = more[more.len() - 1];
        for desk in [s.a, last_one] {
            s.can(desk, &[("es", 50)]);
        }
        for desk in [s.a].into_iter().chain(more) {
            s.ready(desk);
            s.pass(1);
        }
        s.asking(vec![requires(&[("es", 50)], 0)]);
        let next: Vec<_> = last(&s).1.next.iter().map(|one| one.agent).collect();
        let expected = if lacking == 3 { vec![last_one.agent] } else { Vec::new() };
        assert_eq!(next, expected, "{lacking}");
    }
}

#[test]
fn those_who_are_named_dedicated_or_chosen() {
    let mut s = raised(PickPolicy::LongestIdle);
    s.ready(s.b);
    s.asking(vec![names(&[s.a, s.b], 20)]);
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.way, picked.order), (s.b.agent, Way::Named(2), None));
    assert_eq!(
        picked.passed_over,
        [(s.a.agent, Gate::Intent(s.world.shard.agent(s.a.agent).expect("made").intent))]
    );
    s.world.ok(Command::Abandon { conversation: s.id });
    s.ready(s.a);
    s.asking(vec![names(&[s.a, s.b], 20)]);
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.way), (s.a.agent, Way::Named(1)));
    assert_eq!(picked.next, [Candidate { agent: s.b.agent, order: None }]);
    s.world.ok(Command::Abandon { conversation: s.id });

    s.dedicated(None);
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.way), (s.a.agent, Way::Dedicated));
    s.world.ok(Command::Abandon { conversation: s.id });

    s.waiting();
    let target = TransferTarget::Agent(s.b.agent);
    let (conversation, fallback) = (s.id, TransferFallback::LastQueues);
    s.world.ok(Command::Transfer { conversation, target, fallback, by: supervisor() });
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.way, picked.passed_over.len()), (s.b.agent, Way::Transfer, 0));
}

/// An agent with 60 points and a chat holds them for a call; nobody else can take the call that is ranked better
/// than that one.
#[test]
fn who_gives_up_the_room_that_it_held() {
    let mut s = raised(PickPolicy::LongestIdle);
    s.change(s.a.agent, |settings| settings.capacity = Points(60));
    let chat = s.world.touchpoint_with(
        Channel::Chat,
        RoutingMode::ToQueue(crate::settings::ToQueue {
            queues: vec![s.queue],
            priority: Priority(0),
            accept: crate::settings::AcceptMode::Manual { ring: crate::Span::seconds(60) },
        }),
    );
    s.ready(s.a);
    s.world.start(chat);
    s.pass(1);
    s.waiting();
    let held = s.id;
    s.pass(1);
    let second = s.world.start(chat);
    assert_eq!(s.rings(second), None, "its room is held for the call");
    let (better, _) = s.world.started(chat, Some(Priority(9)));
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.way), (s.a.agent, Way::Held(held)));
    assert_eq!((picked.priority, picked.order, picked.next), (Priority(9), None, vec![]));
    assert!(s.rings(better).is_some());
}
