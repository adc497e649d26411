//! Who gets what where agents have skills and conversations ask for some.

use crate::command::{Arrival, By, Decline, TransferFallback, TransferTarget};
use crate::criteria::{Criteria, Step, StepStatus};
use crate::event::{EventKind, Place};
use crate::scene::{Scene, names, prefers, requires};
use crate::testing::{DOMAIN, supervisor, through_bytes};
use crate::view::{Gate, Stage};
use crate::{Command, ConversationId, LogTime, QueueId, Span};

fn raised() -> Scene {
    let mut s = Scene::new();
    s.raised();
    s
}

/// Both desks with skills, neither available.
fn skilled(a: &[(&str, u8)], b: &[(&str, u8)]) -> Scene {
    let mut s = raised();
    s.can(s.a, a);
    s.can(s.b, b);
    s
}

fn widening(mut step: Step, queues: &[QueueId]) -> Step {
    step.widen = queues.to_vec();
    step
}

fn pause(s: &mut Scene, queue: QueueId, paused: bool) {
    s.world.ok(Command::PauseQueue { queue, paused, by: supervisor() });
}

fn queues(s: &Scene) -> Vec<QueueId> {
    s.world.shard.conversation(s.id).expect("known").queues
}

fn tick_after(s: &mut Scene, seconds: u64) -> Vec<String> {
    s.pass(seconds);
    s.world.tick();
    s.world.events()
}

/// One worked example: docs/routing/skills.md goes through it with the same numbers.
#[test]
fn a_spanish_billing_caller() {
    let mut s = raised();
    let (lola, pau) = (s.a, s.b);
    s.can(lola, &[("es", 80), ("billing", 50)]);
    s.can(pau, &[("es", 60), ("billing", 70)]);
    let kim = s.world.agent(&[s.queue]);
    let kim = s.world.desk(kim);
    s.ready(kim);

    // Lola had the case and is on a break; Pau is on another call; Kim is free and has no skills.
    s.ready(pau);
    let other = s.asking(vec![names(&[pau], 20)]);
    s.world.accept(other);
    let steps =
        vec![names(&[lola], 20), requires(&[("es", 80), ("billing", 50)], 30), requires(&[("es", 50)], 60)];
    let call = s.asking(steps);
    let began = s.world.time;
    let until = |seconds: u64| Some(LogTime(began + seconds * 1_000_000));
    assert_eq!((s.rings(call), s.seeking().at, s.seeking().until), (None, 0, until(20)));
    let gate = |s: &Scene, desk: crate::command::Desk| {
        let all = s.world.shard.explain_wait(call).expect("known").agents;
        all.into_iter().find(|(agent, _)| *agent == desk.agent).map(|(_, gate)| gate)
    };
    assert_eq!(gate(&s, kim), Some(Gate::OthersNamed { until: until(20) }));

    // 20 s later: whoever has Spanish at 80 and billing at 50. Pau becomes free, and his Spanish is too low.
    assert_eq!(tick_after(&mut s, 20), ["Relaxed"]);
    assert_eq!((s.seeking().at, s.seeking().until), (1, until(50)));
    assert!(matches!(gate(&s, kim), Some(Gate::Skill { has: 0, .. })));
    s.world.ok(Command::EndContact { conversation: other, by: By::Customer });
    tick_after(&mut s, 29);
    let desk = s.world.present_desk(pau.agent);
    let done = Command::Complete { desk, conversation: other, disposition: None, notes: String::new() };
    s.world.ok(done);
    assert_eq!(s.rings(call), None);
    let required = crate::criteria::Skill { name: "es".to_owned(), level: 80 };
    assert_eq!(gate(&s, pau), Some(Gate::Skill { required, has: 60 }));

    // At 50 s: Spanish at 50 is enough, and Pau has 60.
    assert_eq!(tick_after(&mut s, 1), ["Relaxed", "Offered"]);
    assert_eq!(s.rings(call), Some(pau.agent));
    assert_eq!(s.seeking().until, until(110));

    // He declines and goes. At 110 s nothing is asked for any more, and Kim has it, at its age.
    let offer = s.world.offer_of(call).expect("offered").0;
    s.world.ok(Command::Reject { desk, offer, decline: Decline { reason: "busy".to_owned() } });
    s.away(pau);
    assert_eq!(tick_after(&mut s, 60), ["Relaxed", "Offered"]);
    assert_eq!(s.rings(call), Some(kim.agent));
    let seen = s.world.shard.conversation(call).expect("known");
    assert_eq!(seen.arrived_at, LogTime(began));
    assert_eq!(s.seeking().statuses().collect::<Vec<_>>(), [StepStatus::Expired; 3]);
}

#[test]
fn what_is_preferred_wins_over_idle_time_and_never_makes_wait() {
    let mut s = skilled(&[], &[("es", 50)]);
    s.ready(s.a);
    s.pass(5);
    s.ready(s.b);
    let first = s.asking(vec![prefers(&[("es", 50)], 0)]);
    assert_eq!(s.rings(first), Some(s.b.agent), "though the other is idle for longer");
    let second = s.asking(vec![prefers(&[("es", 50)], 0)]);
    assert_eq!(s.rings(second), Some(s.a.agent), "nobody better is free");
}

#[test]
fn the_longest_beginning_of_what_is_preferred_goes_first() {
    type Skills = &'static [(&'static str, u8)];
    let table: [(Skills, Skills, bool); 5] = [
        (&[("es", 9)], &[("es", 9), ("de", 9)], true),
        (&[("de", 9)], &[("es", 9)], true),
        (&[("es", 9)], &[("de", 9), ("vip", 9)], false),
        (&[("es", 8), ("de", 9), ("vip", 9)], &[("es", 9)], true),
        (&[("es", 9)], &[("es", 99)], false),
    ];
    for (a, b, second) in table {
        let mut s = skilled(a, b);
        let agent = s.world.agent(&[]);
        s.world.ok(Command::SetSkills {
            agent,
            skills: crate::scene::skills(&[("es", 1), ("de", 1), ("vip", 1)]),
            by: By::System,
        });
        s.ready(s.a);
        s.pass(5);
        s.ready(s.b);
        let id = s.asking(vec![prefers(&[("es", 9), ("de", 9), ("vip", 9)], 0)]);
        let expected = if second { s.b.agent } else { s.a.agent };
        assert_eq!(s.rings(id), Some(expected), "{a:?} {b:?}");
    }
}

#[test]
fn a_lower_level_is_not_offered_until_it_is_higher() {
    let mut s = skilled(&[("es", 50), ("de", 1)], &[]);
    s.ready(s.a);
    s.ready(s.b);
    let id = s.asking(vec![requires(&[("es", 51)], 0)]);
    assert_eq!(s.rings(id), None);
    s.can(s.a, &[("es", 51)]);
    assert_eq!(s.world.events(), ["SkillsChanged", "Offered"]);
    assert_eq!(s.rings(id), Some(s.a.agent));
    s.can(s.a, &[]);
    assert_eq!(s.rings(id), Some(s.a.agent), "a live offer stays");
}

#[test]
fn what_gives_way_keeps_its_place_in_line() {
    let steps = || vec![requires(&[("es", 80)], 10), requires(&[("es", 70)], 10)];
    let mut s = skilled(&[("es", 1)], &[]);
    let first = s.asking(steps());
    s.pass(1);
    let second = s.world.start(s.voice);
    s.ready(s.a);
    assert_eq!((s.rings(first), s.rings(second)), (None, Some(s.a.agent)), "it may not have the first");

    let mut s = skilled(&[("es", 1)], &[]);
    let first = s.asking(steps());
    let arrived_at = s.world.shard.conversation(first).expect("known").arrived_at;
    s.pass(1);
    let second = s.world.start(s.voice);
    assert_eq!(tick_after(&mut s, 9), ["Relaxed"]);
    assert_eq!(tick_after(&mut s, 10), ["Relaxed"]);
    s.ready(s.a);
    assert_eq!((s.rings(first), s.rings(second)), (Some(s.a.agent), None), "it is the older one");
    let seen = s.world.shard.conversation(first).expect("known");
    assert_eq!((seen.arrived_at, seen.priority.0), (arrived_at, 0));
}

#[test]
fn all_that_an_outage_let_expire_is_relaxed_by_one_tick() {
    let mut s = skilled(&[("es", 1)], &[]);
    let began = s.world.time;
    let steps = [5, 7, 11, 0].map(|seconds| requires(&[("es", 99)], seconds));
    let id = s.asking(steps.to_vec());
    assert_eq!(tick_after(&mut s, 13), ["Relaxed", "Relaxed"]);
    let seeking = s.seeking();
    // From the deadline of the one before, not from when the shard woke up.
    assert_eq!((seeking.at, seeking.until), (2, Some(LogTime(began + 23_000_000))));
    assert_eq!(
        seeking.statuses().collect::<Vec<_>>(),
        [StepStatus::Expired, StepStatus::Expired, StepStatus::Active, StepStatus::Inactive]
    );
    assert_eq!(tick_after(&mut s, 9), [""; 0]);
    assert_eq!(tick_after(&mut s, 1), ["Relaxed"]);
    assert_eq!((s.seeking().at, s.seeking().until), (3, None), "for ever");
    assert_eq!(tick_after(&mut s, 600), [""; 0]);
    assert_eq!(s.rings(id), None);
}

#[test]
fn a_step_goes_on_whatever_comes_of_an_offer_and_starts_anew_after_an_owner() {
    let mut s = skilled(&[("es", 50)], &[("es", 50)]);
    let began = s.world.time;
    s.ready(s.a);
    s.asking(vec![requires(&[("es", 50)], 30), requires(&[("es", 40)], 30)]);
    let after = |seconds: u64| Some(LogTime(began + seconds * 1_000_000));
    s.pass(10);
    let offer = s.world.offer_of(s.id).expect("offered").0;
    s.world.ok(Command::Reject { desk: s.a, offer, decline: Decline { reason: String::new() } });
    assert_eq!(s.seeking().until, after(30));
    s.away(s.a);
    s.pass(5);
    s.ready(s.b);
    assert_eq!(tick_after(&mut s, 15), ["Relaxed"], "a live offer stays");
    assert_eq!((s.stage(), s.seeking().at, s.seeking().until), ("offered", 1, after(60)));
    s.world.accept(s.id);
    let seeking = s.seeking();
    assert_eq!((seeking.at, seeking.until, seeking.joined), (1, None, true));
    assert_eq!(tick_after(&mut s, 70), [""; 0]);
    s.away(s.b);
    s.world.ok(Command::LogOut { agent: s.b.agent, by: supervisor() });
    let seeking = s.seeking();
    assert_eq!((s.stage(), seeking.at, seeking.until, seeking.joined), ("queued", 1, after(130), false));
    let target = TransferTarget::Queue(s.plain);
    let (conversation, fallback) = (s.id, TransferFallback::Source);
    s.world.ok(Command::Transfer { conversation, target, fallback, by: supervisor() });
    assert_eq!((s.seeking().at, s.seeking().until), (0, after(130)), "other people: the first step");
}

/// In an inbox nothing is asked for, and nobody owns it there.
#[test]
fn in_an_inbox_no_clock_runs_and_nobody_is_found() {
    let mut s = skilled(&[("es", 50)], &[]);
    s.ready(s.a);
    s.asking(vec![requires(&[("es", 50)], 30)]);
    s.world.accept(s.id);
    let target = TransferTarget::Inbox(s.plain);
    let (conversation, fallback) = (s.id, TransferFallback::Source);
    s.world.ok(Command::Transfer { conversation, target, fallback, by: supervisor() });
    let seeking = s.seeking();
    assert_eq!((s.stage(), seeking.until, seeking.joined), ("in_inbox", None, false));
}

#[test]
fn who_is_named_has_it_for_a_time_wherever_it_belongs_then_anyone() {
    let waits = || {
        let mut s = raised();
        s.ready(s.b);
        s.change(s.a.agent, |settings| settings.queues.clear());
        s.asking(vec![names(&[s.a], 20)]);
        s
    };
    let mut s = waits();
    assert_eq!(tick_after(&mut s, 19), [""; 0]);
    assert_eq!(tick_after(&mut s, 1), ["Relaxed", "Offered"]);
    assert_eq!(s.rings(s.id), Some(s.b.agent));
    assert!(matches!(s.world.effects.events[0].kind, EventKind::Relaxed { step: 0, until: None, .. }));

    // Neither its queues nor a pause matter.
    let mut s = waits();
    let queue = s.queue;
    pause(&mut s, queue, true);
    s.ready(s.a);
    let offer = s.world.shard.conversation(s.id).expect("known").offer.expect("offered");
    assert_eq!((offer.agent, offer.queue), (s.a.agent, None));
    let stage = s.world.shard.conversation(s.id).expect("known").stage;
    assert_eq!(stage, Stage::Offered(Place::Queues(vec![s.queue])), "its place is what it was");
}

#[test]
fn of_those_named_the_first_of_the_list_goes_first() {
    for turned in [false, true] {
        let mut s = raised();
        s.ready(s.a);
        s.pass(1);
        s.ready(s.b);
        let list = if turned { [s.b, s.a] } else { [s.a, s.b] };
        let first = s.asking(vec![names(&list, 20)]);
        let second = s.asking(vec![names(&list, 20)]);
        assert_eq!((s.rings(first), s.rings(second)), (Some(list[0].agent), Some(list[1].agent)));
    }
}

#[test]
fn who_is_deleted_is_waited_for_no_longer() {
    let mut s = skilled(&[], &[]);
    let other = s.world.ready(&[s.queue]);
    s.can(other, &[("es", 9)]);
    let steps = vec![names(&[s.a, s.b], 20), names(&[s.a], 20), requires(&[("es", 9)], 20)];
    let id = s.asking(steps);
    s.world.ok(Command::DeleteAgent { agent: s.a.agent });
    assert_eq!((s.world.events(), s.seeking().at), (vec!["AgentDeleted".to_owned()], 0), "one is left");
    s.pass(3);
    let now = s.world.time;
    s.world.ok(Command::DeleteAgent { agent: s.b.agent });
    // Two steps in a row are passed over by one event.
    assert_eq!(s.world.events(), ["AgentDeleted", "Relaxed", "Offered"]);
    assert_eq!(s.rings(id), Some(other.agent));
    assert_eq!((s.seeking().at, s.seeking().until), (2, Some(LogTime(now + 20_000_000))));
    assert_eq!(s.seeking().criteria.steps[1].agents, [s.a.agent], "still named");
}

#[test]
fn a_step_adds_queues_and_their_agents() {
    let mut s = skilled(&[("es", 9)], &[]);
    let far = s.world.queue();
    let there = s.world.ready(&[far]);
    let step = widening(requires(&[("es", 1)], 60), &[s.queue, far]);
    let id = s.asking(vec![requires(&[("es", 1)], 5), step]);
    assert_eq!(tick_after(&mut s, 5), ["Relaxed"]);
    assert_eq!(queues(&s), [s.queue, far]);
    assert_eq!(s.rings(id), None, "of another queue, but without Spanish");
    s.can(there, &[("es", 1)]);
    let offer = s.world.shard.conversation(id).expect("known").offer.expect("offered");
    assert_eq!((offer.agent, offer.queue), (there.agent, Some(far)));
}

#[test]
fn it_waits_in_eight_queues_at_most_and_deleted_ones_are_not_of_them() {
    let mut s = raised();
    let more: Vec<QueueId> = (0..9).map(|_| s.world.queue()).collect();
    let steps = vec![
        widening(Step { lasts: Some(Span::seconds(5)), ..Step::default() }, &more[..8]),
        widening(Step { lasts: None, ..Step::default() }, &more[7..]),
    ];
    s.asking(steps);
    assert_eq!(queues(&s), [&[s.queue][..], &more[..7]].concat());
    s.world.ok(Command::DeleteQueue { queue: more[0] });
    assert_eq!(tick_after(&mut s, 5), ["Relaxed"]);
    assert_eq!(queues(&s), [&[s.queue][..], &more[1..8]].concat());
}

/// A supervisor holds it out to somebody; when that fails it waits in the queue that was said, and in those
/// of its step.
#[test]
fn a_transfer_that_fails_comes_back_to_the_steps_queues() {
    for lasts in [0, 60] {
        let mut s = skilled(&[("es", 1)], &[]);
        let far = s.world.queue();
        s.asking(vec![widening(requires(&[("es", 99)], lasts), &[far])]);
        let until = s.seeking().until;
        s.ready(s.b);
        s.pass(3);
        let (conversation, target) = (s.id, TransferTarget::Agent(s.b.agent));
        let fallback = TransferFallback::Queue(s.plain);
        s.world.ok(Command::Transfer { conversation, target, fallback, by: supervisor() });
        s.away(s.b);
        assert_eq!(queues(&s), [s.plain, far], "{lasts}");
        assert_eq!(s.seeking().until, until, "its clock went on: {lasts}");
    }
}

#[test]
fn the_head_of_one_class_is_in_nobodys_way() {
    let mut s = skilled(&[("billing", 10)], &[("es", 1)]);
    let first = s.asking(vec![requires(&[("es", 99)], 0)]);
    let second = s.asking(vec![requires(&[("billing", 10), ("es", 1)], 0)]);
    let third = s.asking(vec![requires(&[("billing", 10)], 0)]);
    let fourth = s.world.start(s.voice);
    s.ready(s.a);
    s.ready(s.b);
    let rings = [first, second, third, fourth].map(|id| s.rings(id));
    assert_eq!(rings, [None, None, Some(s.a.agent), Some(s.b.agent)]);
}

#[test]
fn a_queue_that_goes_on_matches_every_class_of_it() {
    let mut s = skilled(&[("billing", 10)], &[("es", 1)]);
    let queue = s.queue;
    pause(&mut s, queue, true);
    s.ready(s.a);
    s.ready(s.b);
    let other = s.world.ready(&[s.queue]);
    let nobody = s.asking(vec![requires(&[("es", 99)], 0)]);
    let billing = s.asking(vec![requires(&[("billing", 10)], 0)]);
    let spanish = s.asking(vec![requires(&[("es", 1)], 0)]);
    let anybody = s.world.start(s.voice);
    assert_eq!([nobody, billing, spanish, anybody].map(|id| s.rings(id)), [None; 4]);
    pause(&mut s, queue, false);
    let rings = [nobody, billing, spanish, anybody].map(|id| s.rings(id));
    assert_eq!(rings, [None, Some(s.a.agent), Some(s.b.agent), Some(other.agent)]);
}

/// Somebody excluded from the head of a class may have what stands behind it there.
#[test]
fn who_is_excluded_from_a_classs_head_gets_the_next() {
    let mut s = skilled(&[("es", 9)], &[]);
    s.ready(s.a);
    let first = s.asking(vec![requires(&[("es", 9)], 0)]);
    let second = s.asking(vec![requires(&[("es", 9)], 0)]);
    let offer = s.world.offer_of(first).expect("offered").0;
    s.world.ok(Command::Reject { desk: s.a, offer, decline: Decline { reason: String::new() } });
    assert_eq!((s.rings(first), s.rings(second)), (None, Some(s.a.agent)));
}

/// All kinds of what is stored of skills and criteria, somewhere on their way.
fn at_work() -> Scene {
    let mut s = skilled(&[("es", 80), ("billing", 50)], &[("billing", 70), ("de", 1)]);
    let criteria = Criteria { steps: vec![requires(&[("de", 90)], 30), prefers(&[("es", 1)], 0)] };
    s.world.ok(Command::SetCriteria { touchpoint: s.voice, criteria, by: supervisor() });
    s.asking(vec![names(&[s.a, s.b], 20), widening(requires(&[("de", 2)], 20), &[s.plain])]);
    s.world.start(s.voice);
    s.pass(21);
    s.world.tick();
    s.ready(s.a);
    s
}

#[test]
fn a_snapshot_has_all_of_it_and_goes_on_alike() {
    let mut s = at_work();
    let again = through_bytes(&mut s.world.shard);
    assert_eq!(again, s.world.shard);
    assert_eq!(again.state_hash(), s.world.shard.state_hash());
    assert_eq!(again.view(DOMAIN), s.world.shard.view(DOMAIN));
    let seen = s.world.shard.view(DOMAIN).expect("here");
    assert_eq!(seen.agents[&s.b.agent].skills, crate::scene::skills(&[("billing", 70), ("de", 1)]));
    assert_eq!(seen.touchpoints[&s.voice].criteria.steps.len(), 2);
    assert_eq!(s.seeking().at, 1);
    // It relaxes at the same time, and knows the same names.
    let mut other = Scene::new();
    std::mem::swap(&mut other.world, &mut s.world);
    let (time, index) = (other.world.time, other.world.index);
    let events = [other.world.shard, again].map(|shard| {
        (s.world.shard, s.world.time, s.world.index) = (shard, time, index);
        s.ready(s.b);
        let mut all = s.world.effects.events.clone();
        for _ in 0..10 {
            s.pass(5);
            s.world.tick();
            all.extend(s.world.effects.events.clone());
        }
        let arrival = Arrival {
            touchpoint: s.voice,
            customer: String::new(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        let criteria = Criteria { steps: vec![requires(&[("de", 1)], 0)] };
        s.world.ok(Command::StartWith { arrival, criteria });
        all.extend(s.world.effects.events.clone());
        (all, s.world.shard.state_hash())
    });
    assert!(events[0].0.iter().any(|event| matches!(event.kind, EventKind::Relaxed { .. })));
    assert_eq!(events[0], events[1]);
}

/// What differs in skills or criteria alone differs in the hash.
#[test]
fn the_hash_tells_skills_and_criteria_apart() {
    type Change = fn(&mut Scene);
    let changes: [Change; 4] = [
        |s| s.can(s.b, &[("billing", 70), ("de", 2)]),
        |s| s.can(s.b, &[("billing", 70), ("fr", 1)]),
        |s| {
            let (touchpoint, criteria) = (s.voice, Criteria::default());
            s.world.ok(Command::SetCriteria { touchpoint, criteria, by: supervisor() });
        },
        |s| {
            let conversation = ConversationId::new(DOMAIN, 1);
            let criteria = Criteria { steps: vec![requires(&[("de", 2)], 0)] };
            s.world.ok(Command::ChangeCriteria { conversation, criteria, by: supervisor() });
        },
    ];
    let mut hashes = vec![at_work().world.shard.state_hash()];
    for change in changes {
        let mut s = at_work();
        change(&mut s);
        hashes.push(s.world.shard.state_hash());
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 5);
}
