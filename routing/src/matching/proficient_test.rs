//! The most proficient first.

use crate::command::{Decline, Desk};
use crate::criteria::Skill;
use crate::picked::{Candidate, Order, Picked, Way};
use crate::scene::{Scene, prefers, requires};
use crate::settings::limits::PULLS_MAX;
use crate::settings::{PickPolicy, QueueSettings};
use crate::testing::through_bytes;
use crate::view::Gate;
use crate::{Command, LogTime, Rejected, level};

fn scene() -> Scene {
    let mut s = Scene::new();
    s.world.ok(Command::SetLevel { level: level::PROFICIENT });
    change(&mut s, PickPolicy::MostProficient);
    s
}

fn change(s: &mut Scene, pick: PickPolicy) {
    let queue = s.queue;
    let settings = QueueSettings { pick, ..s.world.shard.queue(queue).expect("made").settings };
    s.world.ok(Command::UpdateQueue { queue, settings });
}

/// Of the only offer in the events of the last command: to whom, and why.
fn last(s: &Scene) -> (crate::AgentId, Picked) {
    let made: Vec<_> = s.world.effects.events.iter().filter_map(|event| event.kind.offered()).collect();
    let [(offered, Some(picked))] = made[..] else { panic!("{made:?}") };
    (offered.agent, picked.clone())
}

fn another(s: &mut Scene, can: &[(&str, u8)]) -> Desk {
    let agent = s.world.agent(&[s.queue]);
    let desk = s.world.desk(agent);
    s.can(desk, can);
    desk
}

/// One worked example: docs/routing/skills.md goes through it with the same numbers.
#[test]
fn the_one_who_knows_most_of_it() {
    let mut s = scene();
    let (lola, pau) = (s.a, s.b);
    s.can(lola, &[("es", 90), ("billing", 40)]);
    s.can(pau, &[("es", 60), ("billing", 80)]);
    let kim = another(&mut s, &[("es", 100)]);
    let ola = another(&mut s, &[("es", 70), ("billing", 70)]);
    let mut since = Vec::new();
    for desk in [lola, pau, kim, ola] {
        s.pass(10);
        s.ready(desk);
        since.push(LogTime(s.world.time));
    }
    s.pass(5);
    // Spanish alone: Kim. Spanish and billing: Pau and Ola have 140, Pau is idle for longer; Lola has 130.
    let one = s.asking(vec![requires(&[("es", 50)], 60)]);
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.order), (kim.agent, Some(Order::Proficiency(100, since[2]))));
    let candidate = |desk: Desk, levels, at: usize| Candidate {
        agent: desk.agent,
        order: Some(Order::Proficiency(levels, since[at])),
    };
    assert_eq!(picked.next, [candidate(lola, 90, 0), candidate(ola, 70, 3)]);
    assert_eq!(s.rings(one), Some(kim.agent));
    let two = s.asking(vec![requires(&[("es", 50), ("billing", 30)], 60)]);
    let (agent, picked) = last(&s);
    let expected = Picked {
        order: Some(Order::Proficiency(140, since[1])),
        next: vec![candidate(ola, 140, 3), candidate(lola, 130, 0)],
        ..Picked::by(Way::Policy(PickPolicy::MostProficient), picked.priority, picked.arrived_at)
    };
    assert_eq!((agent, picked), (pau.agent, expected));

    // He declines: Ola, and it says that he was asked already.
    let offer = s.world.offer_of(two).expect("offered").0;
    s.world.ok(Command::Reject { desk: pau, offer, decline: Decline { reason: String::new() } });
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.order), (ola.agent, Some(Order::Proficiency(140, since[3]))));
    assert!(matches!(picked.passed_over[..], [(first, Gate::ExcludedUntil(_))] if first == pau.agent));
}

#[test]
fn what_is_required_comes_first_and_without_skills_it_is_the_longest_idle() {
    let mut s = scene();
    s.can(s.a, &[("es", 100), ("billing", 20)]);
    s.can(s.b, &[("es", 10), ("billing", 60)]);
    for desk in [s.b, s.a] {
        s.ready(desk);
        s.pass(1);
    }
    let began = LogTime(s.world.time - 2_000_000);
    // 120 in all do not make up for a level that is missing.
    s.asking(vec![requires(&[("es", 5), ("billing", 50)], 0)]);
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.order), (s.b.agent, Some(Order::Proficiency(70, began))));
    let required = Skill { name: "billing".to_owned(), level: 50 };
    assert_eq!(picked.passed_over, [(s.a.agent, Gate::Skill { required, has: 20 })]);
    s.world.ok(Command::Abandon { conversation: s.id });
    // It asks for nothing.
    s.waiting();
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.order), (s.b.agent, Some(Order::Proficiency(0, began))));
    s.world.ok(Command::Abandon { conversation: s.id });
    another(&mut s, &[("fr", 1)]);
    // What is preferred counts as what is required does, as far as somebody has it.
    s.asking(vec![prefers(&[("es", 5), ("fr", 1)], 0)]);
    let (agent, picked) = last(&s);
    assert_eq!((agent, picked.preferred), (s.a.agent, 1));
    assert!(matches!(picked.order, Some(Order::Proficiency(100, _))));
}

#[test]
fn what_somebody_learns_counts_at_once_and_so_does_another_order() {
    let mut s = scene();
    s.can(s.a, &[("es", 50)]);
    s.can(s.b, &[("es", 40)]);
    let picks = |s: &mut Scene| {
        let id = s.asking(vec![requires(&[("es", 1)], 0)]);
        let to = s.rings(id);
        s.world.ok(Command::Abandon { conversation: id });
        to
    };
    for desk in [s.b, s.a] {
        s.ready(desk);
        s.pass(1);
    }
    assert_eq!(picks(&mut s), Some(s.a.agent));
    s.can(s.b, &[("es", 60)]);
    assert_eq!(picks(&mut s), Some(s.b.agent));
    s.can(s.b, &[("fr", 60)]);
    assert_eq!(picks(&mut s), Some(s.a.agent));
    s.can(s.b, &[("es", 10)]);
    change(&mut s, PickPolicy::LongestIdle);
    assert_eq!(picks(&mut s), Some(s.b.agent));
    change(&mut s, PickPolicy::MostProficient);
    assert_eq!(picks(&mut s), Some(s.a.agent));
    s.world.shard = through_bytes(&mut s.world.shard);
    assert_eq!(picks(&mut s), Some(s.a.agent));
}

/// When the best one met has as much as anybody unmet could have, somebody unmet may have as much and be idle for longer.
#[test]
fn who_is_as_good_and_idle_for_longer_is_found_behind_others() {
    let mut s = scene();
    let early = another(&mut s, &[("es", 80), ("fr", 1)]);
    let other = another(&mut s, &[("es", 1), ("fr", 70)]);
    let longer = another(&mut s, &[("es", 80), ("fr", 70)]);
    let first = another(&mut s, &[("es", 90), ("fr", 60)]);
    for desk in [early, other, longer, first] {
        s.ready(desk);
        s.pass(1);
    }
    s.asking(vec![requires(&[("es", 1), ("fr", 1)], 0)]);
    let (agent, picked) = last(&s);
    assert_eq!(agent, longer.agent);
    assert_eq!(picked.next[0].agent, first.agent);
}

/// Half of them know much of one skill and little of the other, half the other way round; one knows a fair amount of
/// both, and is the best. Nobody met early says so: the search ends all the same, with one of the best it met.
#[test]
fn a_search_among_opposites_is_bounded() {
    let mut s = scene();
    for number in 0..400u32 {
        let few = u8::try_from(number % 40).expect("small") + 1;
        let skills = if number % 2 == 0 { [("es", 100), ("fr", few)] } else { [("es", few), ("fr", 100)] };
        let desk = another(&mut s, &skills);
        s.ready(desk);
    }
    let fair = another(&mut s, &[("es", 72), ("fr", 72)]);
    s.ready(fair);
    s.asking(vec![requires(&[("es", 1), ("fr", 1)], 0)]);
    let (agent, picked) = last(&s);
    assert_ne!(agent, fair.agent);
    assert!(matches!(picked.order, Some(Order::Proficiency(139..=140, _))), "{:?}", picked.order);
    let visited = s.world.effects.visited;
    assert!(visited < 40 * PULLS_MAX as u64, "{visited} visits");
    // Of one skill it is exact, however many have it.
    s.can(fair, &[("es", 72), ("it", 1)]);
    s.asking(vec![requires(&[("it", 1)], 0)]);
    assert_eq!(last(&s).0, fair.agent);
}

#[test]
fn below_its_level_it_is_refused() {
    let mut s = Scene::new();
    let at = level::PROFICIENT - 1;
    s.world.ok(Command::SetLevel { level: at });
    let settings = QueueSettings { pick: PickPolicy::MostProficient, ..QueueSettings::default() };
    let queue = s.queue;
    assert_eq!(
        s.world.refused(Command::UpdateQueue { queue, settings: settings.clone() }),
        Rejected::Level { level: at }
    );
    assert_eq!(s.world.refused(Command::CreateQueue { settings }), Rejected::Level { level: at });
}
