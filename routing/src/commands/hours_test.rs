//! Opening hours: schedules set and kept to, what closes and opens, and when.

use crate::command::{By, Decline, Intent};
use crate::event::EventKind;
use crate::hours::limits::SCHEDULES_MAX;
use crate::hours::{Closing, Hours, HoursState, OfDate, Offset, Opening, Schedule, Weekday};
use crate::level;
use crate::policy::{Action, Bound, Condition, Measure, Policy, Rule};
use crate::scene::{Row, Scene, as_it_is, play, requires};
use crate::testing::{DOMAIN, supervisor, through_bytes};
use crate::view::Gate;
use crate::{Channel, Command, Outcome, Priority, QueueId, Span};

/// Wall time at the beginning of a scene, in seconds: Tuesday 2023-11-14, 22:13:20 UTC.
const BEGIN: u32 = 1_700_000_000;
/// Days since 1970 and seconds of that day.
const DATE: i32 = 19_675;
const SECOND: u32 = 80_000;

/// Open from one second to another, on that day alone; time zero of a scene is second 1.
fn open(times: &[(u32, u32)]) -> Schedule {
    let opening = |(from, to): &(u32, u32)| Opening { from: SECOND + from, to: SECOND + to };
    let openings = times.iter().map(opening).collect();
    let offsets = vec![Offset { from: 0, east: 0 }];
    Schedule {
        zone: "UTC".to_owned(),
        offsets,
        week: Vec::new(),
        dates: vec![OfDate { date: DATE, openings }],
    }
}

fn set(name: &str, schedule: Option<Schedule>, by: By) -> Command {
    Command::SetSchedule { name: name.to_owned(), schedule, by }
}

fn keep(queue: QueueId, closing: Closing) -> Command {
    let hours = Some(Hours { schedule: "office".to_owned(), closing });
    Command::SetHours { queue, hours, by: supervisor() }
}

fn raised() -> Scene {
    let mut s = Scene::new();
    up(&mut s);
    s
}

fn up(s: &mut Scene) {
    s.world.ok(Command::SetLevel { level: level::LATEST });
}

/// A scene whose queue is open at these times.
fn kept(times: &[(u32, u32)], closing: Closing) -> Scene {
    let mut s = raised();
    hours(&mut s, times, closing);
    s
}

fn hours(s: &mut Scene, times: &[(u32, u32)], closing: Closing) {
    s.world.ok(set("office", Some(open(times)), supervisor()));
    let queue = s.queue;
    s.world.ok(keep(queue, closing));
}

fn shut(s: &mut Scene) {
    up(s);
    hours(s, &[(500, 600)], Closing::Hold);
}

fn state(s: &Scene) -> HoursState {
    s.world.shard.queue(s.queue).expect("made").hours.expect("kept").state
}

fn until(s: &Scene) -> Option<u64> {
    s.world.shard.queue(s.queue).expect("made").hours.expect("kept").until_ms
}

/// Seconds after the beginning, in milliseconds of wall time.
fn at(seconds: u32) -> u64 {
    1_000 * u64::from(BEGIN + seconds)
}

fn tick_at(s: &mut Scene, second: u64) -> Vec<String> {
    s.world.time = second * 1_000_000;
    s.world.tick();
    s.world.events()
}

/// An entry that comes at this wall time, whatever log time is.
fn by_wall(s: &mut Scene, command: Command, wall_ms: u64) -> Outcome {
    let domain = if matches!(command, Command::Tick) { crate::DomainId::SHARD } else { DOMAIN };
    let mut entry = s.world.entry(domain, command, None);
    entry.wall_ms = wall_ms;
    s.world.effects.clear();
    s.world.shard.apply(&entry, &mut s.world.effects)
}

#[test]
fn table() {
    let rows: &[Row] = &[
        ("below the level", as_it_is, |_| set("office", Some(open(&[(0, 10)])), supervisor()), "Level", ""),
        ("hours below the level", as_it_is, |s| keep(s.queue, Closing::Hold), "Level", ""),
        ("made", up, |_| set("office", Some(open(&[])), supervisor()), "done", "ScheduleChanged"),
        ("again", shut, |_| set("office", Some(open(&[(500, 600)])), supervisor()), "done", ""),
        ("by an agent", up, |s| set("office", Some(open(&[])), By::Agent(s.a)), "NotAllowed", ""),
        ("by the customer", up, |_| set("office", None, By::Customer), "NotAllowed", ""),
        ("without a name", up, |_| set("", Some(open(&[])), supervisor()), "Invalid", ""),
        ("of a long name", up, |_| set(&"x".repeat(65), None, supervisor()), "Invalid", ""),
        ("with an end before it", up, |_| set("x", Some(open(&[(9, 8)])), supervisor()), "Invalid", ""),
        ("with an unknown one deleted", up, |_| set("x", None, supervisor()), "done", ""),
        ("kept to and deleted", shut, |_| set("office", None, supervisor()), "InUse", ""),
        (
            "deleted",
            |s| {
                up(s);
                s.world.ok(set("office", Some(open(&[])), supervisor()));
            },
            |_| set("office", None, supervisor()),
            "done",
            "ScheduleChanged",
        ),
        ("hours of an unknown schedule", up, |s| keep(s.queue, Closing::Hold), "Unknown", ""),
        ("hours of an unknown queue", shut, |_| keep(QueueId::new(DOMAIN, 9), Closing::Hold), "Unknown", ""),
        (
            "hours by an agent",
            shut,
            |s| Command::SetHours { queue: s.queue, hours: None, by: By::Agent(s.a) },
            "NotAllowed",
            "",
        ),
        ("hours again", shut, |s| keep(s.queue, Closing::Hold), "done", ""),
        (
            "closed, what rings goes on ringing",
            |s| {
                up(s);
                s.offered();
                s.world.ok(set("office", Some(open(&[])), supervisor()));
            },
            |s| keep(s.queue, Closing::Hold),
            "done offered",
            "HoursChanged QueueHours",
        ),
        (
            "without hours again, what waits is offered",
            |s| {
                shut(s);
                s.ready(s.a);
                s.waiting();
            },
            |s| Command::SetHours { queue: s.queue, hours: None, by: supervisor() },
            "done offered",
            "HoursChanged QueueHours Offered",
        ),
        (
            "a schedule that opens it now",
            |s| {
                shut(s);
                s.ready(s.a);
                s.waiting();
            },
            |_| set("office", Some(open(&[(0, 9)])), supervisor()),
            "done offered",
            "ScheduleChanged QueueHours Offered",
        ),
        (
            "closed, what waits in its inbox is pulled",
            |s| {
                shut(s);
                s.in_inbox();
            },
            |s| Command::Assign { desk: s.a, conversation: s.id },
            "done assigned",
            "Assigned",
        ),
        (
            "a policy that asks whether it is open, below the level",
            as_it_is,
            |s| Command::SetPolicy { queue: s.queue, policy: turns_away(Bound::Below(1)), by: By::System },
            "Level",
            "",
        ),
        (
            "that asks for more than open",
            up,
            |s| Command::SetPolicy { queue: s.queue, policy: turns_away(Bound::AtLeast(2)), by: By::System },
            "Invalid",
            "",
        ),
    ];
    play(rows);
}

/// Whoever comes is turned away at once where the queue is open by this bound.
fn turns_away(is: Bound) -> Policy {
    let when = vec![Condition { of: None, measure: Measure::Open, is }];
    let then = Action::Close { reason: "closed".to_owned() };
    Policy { rules: vec![Rule { after: Span::ZERO, when, then }], target: None }
}

#[test]
fn what_is_not_sound_is_refused_and_says_what_to_do() {
    type Spoils = fn(&mut Schedule);
    let table: &[(&str, Spoils)] = &[
        ("schedule.zone", |s| s.zone = "z".repeat(65)),
        ("schedule.offsets", |s| s.offsets.clear()),
        ("schedule.offsets", |s| s.offsets = (0..129).map(|from| Offset { from, east: 0 }).collect()),
        ("schedule.offsets", |s| s.offsets[0].east = 26 * 3_600 + 1),
        ("schedule.offsets", |s| s.offsets[0].east = -26 * 3_600 - 1),
        ("schedule.offsets", |s| s.offsets.push(Offset { from: 0, east: 3_600 })),
        ("schedule.week", |s| s.week = vec![(Weekday::Monday, Opening { from: 0, to: 1 }); 65]),
        ("schedule.week[0]", |s| s.week = vec![(Weekday::Monday, Opening { from: 86_400, to: 86_401 })]),
        ("schedule.week[0]", |s| s.week = vec![(Weekday::Monday, Opening { from: 5, to: 5 })]),
        ("schedule.week[0]", |s| s.week = vec![(Weekday::Monday, Opening { from: 5, to: 172_801 })]),
        ("schedule.dates", |s| s.dates.push(s.dates[0].clone())),
        ("schedule.dates", |s| {
            s.dates = (0..367).map(|date| OfDate { date, openings: Vec::new() }).collect();
        }),
        ("schedule.dates[0].date", |s| s.dates[0].date = -1),
        ("schedule.dates[0].date", |s| s.dates[0].date = 2_932_897),
        ("schedule.dates[0].openings", |s| s.dates[0].openings = vec![Opening { from: 0, to: 1 }; 17]),
        ("schedule.dates[0].openings", |s| s.dates[0].openings = vec![Opening { from: 2, to: 1 }]),
    ];
    let mut s = raised();
    for (expected, spoil) in table {
        let mut schedule = open(&[(0, 10)]);
        spoil(&mut schedule);
        match s.world.refused(set("office", Some(schedule), supervisor())) {
            crate::Rejected::Invalid { field, problem } => {
                assert_eq!((field.as_str(), problem.len() > 20), (*expected, true), "{problem}");
            }
            other => panic!("{expected}: {other}"),
        }
    }
    for number in 0..SCHEDULES_MAX {
        s.world.ok(set(&format!("s{number}"), Some(open(&[])), supervisor()));
    }
    let full = s.world.refused(set("one more", Some(open(&[])), supervisor()));
    assert!(matches!(full, crate::Rejected::Full { limit: 64, .. }), "{full}");
    s.world.ok(set("s3", Some(open(&[(1, 2)])), supervisor()));
}

#[test]
fn it_opens_by_itself_and_what_waits_is_offered_in_the_same_entry() {
    let mut s = kept(&[(30, 40)], Closing::Hold);
    assert_eq!((state(&s), until(&s)), (HoursState::Closed, Some(at(30))));
    s.ready(s.a);
    s.waiting();
    assert_eq!(s.world.stage(s.id), "queued");
    assert_eq!(s.world.shard.next_deadline(), Some(crate::LogTime(30_000_000)));
    assert_eq!(tick_at(&mut s, 29), [""; 0]);
    assert_eq!(tick_at(&mut s, 30), ["QueueHours", "Offered"]);
    assert_eq!((state(&s), until(&s)), (HoursState::Open, Some(at(40))));
    // It closes: what rings goes on ringing, and what comes back waits.
    assert_eq!(tick_at(&mut s, 40), ["QueueHours"]);
    assert_eq!((state(&s), until(&s), s.world.stage(s.id)), (HoursState::Closed, None, "offered"));
    let (offer, _) = s.world.offer_of(s.id).expect("rings");
    s.ready(s.b);
    s.world.ok(Command::Reject { desk: s.a, offer, decline: Decline { reason: "no".to_owned() } });
    assert_eq!(s.world.events(), ["OfferEnded", "Waiting"]);
    assert_eq!(s.world.stage(s.id), "queued");
}

#[test]
fn whoever_waits_when_hours_end_is_served_out() {
    let mut s = kept(&[(0, 10)], Closing::ServeOut);
    s.waiting();
    let second = s.world.start(s.voice);
    assert_eq!(tick_at(&mut s, 10), ["QueueHours"]);
    assert_eq!((state(&s), until(&s)), (HoursState::Closing, None));
    s.ready(s.a);
    assert_eq!(s.world.stage(s.id), "offered");
    s.ready(s.b);
    assert_eq!((s.world.stage(second), state(&s)), ("offered", HoursState::Closing), "both ring");
    // One of them comes back: nobody waits that was there in time, and it is still served.
    let (offer, agent) = s.world.offer_of(second).expect("rings");
    let desk = s.world.present_desk(agent);
    s.world.accept(s.id);
    s.world.ok(Command::Reject { desk, offer, decline: Decline { reason: "no".to_owned() } });
    assert_eq!((s.world.stage(second), state(&s)), ("queued", HoursState::Closing));
    s.world.ok(Command::Abandon { conversation: second });
    assert_eq!(s.world.events(), ["Ended", "QueueHours"]);
    assert_eq!(state(&s), HoursState::Closed);
    s.ready(s.b);
    let late = s.world.start(s.voice);
    assert_eq!(s.world.stage(late), "queued", "too late");
}

#[test]
fn the_last_one_that_is_accepted_closes_it() {
    let mut s = kept(&[(0, 10)], Closing::ServeOut);
    s.offered();
    assert_eq!(tick_at(&mut s, 10), ["QueueHours"]);
    assert_eq!(state(&s), HoursState::Closing);
    s.world.accept(s.id);
    assert_eq!(s.world.events(), ["OfferEnded", "Assigned", "QueueHours"]);
    assert_eq!(state(&s), HoursState::Closed);
    // With nobody there when hours end, it is closed at once.
    let mut s = kept(&[(0, 10)], Closing::ServeOut);
    tick_at(&mut s, 10);
    assert_eq!(state(&s), HoursState::Closed);
}

#[test]
fn after_an_outage_it_is_as_it_is_now_with_one_event() {
    let mut s = kept(&[(2, 5), (10, 20), (30, 40), (50, 90)], Closing::Hold);
    s.ready(s.a);
    s.waiting();
    // Log time stood still meanwhile, so the leader goes by its own clock.
    assert_eq!(s.world.shard.next_change_ms(), Some(at(2)));
    by_wall(&mut s, Command::Tick, at(55)).expect("done");
    assert_eq!(s.world.events(), ["QueueHours", "Offered"]);
    assert_eq!((state(&s), until(&s)), (HoursState::Open, Some(at(90))));
}

#[test]
fn a_clock_that_was_wrong_is_put_right_by_the_next_one() {
    let mut s = kept(&[(0, 3_600)], Closing::Hold);
    let presence =
        |s: &Scene| Command::SetPresence { agent: s.a.agent, intent: Intent::Available, by: supervisor() };
    let command = presence(&s);
    by_wall(&mut s, command, at(4_000)).expect("done");
    assert_eq!(state(&s), HoursState::Closed, "a leader whose clock is ahead closes too early");
    // A little behind is what clocks are, and changes nothing.
    let command = presence(&s);
    by_wall(&mut s, command, at(3_941)).expect("done");
    assert_eq!(state(&s), HoursState::Closed);
    let command = presence(&s);
    by_wall(&mut s, command, at(60)).expect("done");
    assert_eq!(s.world.events(), ["QueueHours"]);
    assert_eq!((state(&s), until(&s)), (HoursState::Open, Some(at(3_600))));
}

/// Who is served out and only changes places in line is no reason to look at the clock, which may have gone back a
/// little since.
#[test]
fn who_changes_places_while_it_closes_changes_nothing() {
    let mut s = kept(&[(0, 10), (30, 40)], Closing::ServeOut);
    s.can(s.b, &[("es", 1)]);
    s.asking(vec![requires(&[("es", 1)], 20)]);
    let tick = |s: &mut Scene, second: u64, wall: u32| {
        s.world.time = second * 1_000_000;
        by_wall(s, Command::Tick, at(wall)).expect("done");
        s.world.events()
    };
    assert_eq!(tick(&mut s, 11, 11), ["QueueHours"]);
    assert_eq!(state(&s), HoursState::Closing);
    let up = Command::Reprioritise { conversation: s.id, priority: Priority(7), by: supervisor() };
    by_wall(&mut s, up, at(9)).expect("done");
    assert_eq!(s.world.events(), ["Reprioritised"]);
    assert_eq!(tick(&mut s, 22, 9), ["Relaxed"]);
    assert_eq!((state(&s), until(&s)), (HoursState::Closing, Some(at(30))));
    // An offer that is declined goes back to the line.
    s.ready(s.a);
    let offer = s.world.offer_of(s.id).expect("offered").0;
    let decline = Decline { reason: "no".to_owned() };
    let reject = Command::Reject { desk: s.a, offer, decline };
    by_wall(&mut s, reject, at(9)).expect("done");
    assert_eq!(
        (s.world.events(), state(&s)),
        (vec!["OfferEnded".to_owned(), "Waiting".to_owned()], HoursState::Closing)
    );
    let gone = Command::Abandon { conversation: s.id };
    by_wall(&mut s, gone, at(12)).expect("done");
    assert_eq!(
        (s.world.events(), state(&s)),
        (vec!["Ended".to_owned(), "QueueHours".to_owned()], HoursState::Closed)
    );
}

#[test]
fn a_rule_turns_away_who_comes_outside_hours() {
    let mut s = kept(&[(0, 10), (30, 40)], Closing::ServeOut);
    let policy = turns_away(Bound::Below(1));
    s.world.ok(Command::SetPolicy { queue: s.queue, policy, by: supervisor() });
    s.waiting();
    assert_eq!(s.world.stage(s.id), "queued");
    tick_at(&mut s, 10);
    let late = s.world.start(s.voice);
    assert_eq!((state(&s), s.world.stage(late)), (HoursState::Closing, "closed"), "not open while it closes");
    assert_eq!(s.world.stage(s.id), "queued", "who was there is served out");
    s.world.ok(Command::Abandon { conversation: s.id });
    let later = s.world.start(s.voice);
    assert_eq!((state(&s), s.world.stage(later)), (HoursState::Closed, "closed"));
    tick_at(&mut s, 30);
    let morning = s.world.start(s.voice);
    assert_eq!(s.world.stage(morning), "queued");
}

#[test]
fn who_asks_is_told_that_it_is_closed_and_until_when() {
    let mut s = kept(&[(30, 40)], Closing::Hold);
    s.ready(s.a);
    s.waiting();
    let closed = Gate::QueueClosed { queue: s.queue, opens_ms: Some(at(30)) };
    let gate = |s: &Scene| {
        let all = s.world.shard.explain_wait(s.id).expect("known").agents;
        all.into_iter().find(|(agent, _)| *agent == s.a.agent).map(|(_, gate)| gate)
    };
    assert_eq!(gate(&s), Some(closed.clone()));
    let seen = s.world.shard.explain_queue(s.queue).expect("made");
    assert!(seen.gates.iter().any(|group| group.examples[0].1 == closed), "{seen:?}");
    let expected = s.world.shard.expected_wait(s.id).expect("known");
    assert_eq!(expected.queues[0].unknown, Some(crate::expected::Unknown::Closed(Some(at(30)))));
    // A pause comes first.
    s.world.ok(Command::PauseQueue { queue: s.queue, paused: true, by: supervisor() });
    assert_eq!(gate(&s), Some(Gate::QueuePaused(s.queue)));
    s.world.ok(Command::PauseQueue { queue: s.queue, paused: false, by: supervisor() });
    assert_eq!(s.world.stage(s.id), "queued", "resumed, and still closed");
    assert_eq!(tick_at(&mut s, 30), ["QueueHours", "Offered"]);
}

#[test]
fn the_other_queue_takes_over() {
    let mut s = kept(&[(30, 40)], Closing::Hold);
    s.voice = s.world.touchpoint(Channel::Voice, &[s.queue, s.plain]);
    s.offered();
    let offer = s.world.shard.conversation(s.id).expect("known").offer.expect("rings");
    assert_eq!(offer.queue, Some(s.plain));
}

#[test]
fn many_queues_that_change_at_once_do_so_within_the_bound_of_entries() {
    let mut s = kept(&[(10, 20)], Closing::Hold);
    for _ in 0..299 {
        let queue = s.world.queue();
        s.world.ok(keep(queue, Closing::Hold));
    }
    assert_eq!(tick_at(&mut s, 10).len(), 256);
    assert!(s.world.shard.is_pending());
    let mut restored = through_bytes(&mut s.world.shard);
    assert!(restored.is_pending(), "what is left is not forgotten");
    std::mem::swap(&mut s.world.shard, &mut restored);
    s.world.ok(Command::Continue);
    assert_eq!(s.world.effects.events.len(), 44);
    assert!(!s.world.shard.is_pending());
    // And a schedule that is replaced.
    s.world.ok(set("office", Some(open(&[(50, 60)])), supervisor()));
    let closed = s
        .world
        .effects
        .events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::QueueHours { state: HoursState::Closed, .. }));
    assert_eq!(closed.count(), 256);
    s.world.ok(Command::Continue);
    assert_eq!(s.world.effects.events.len(), 44);
}

#[test]
fn a_snapshot_goes_on_with_hours() {
    let mut s = kept(&[(30, 40)], Closing::ServeOut);
    s.ready(s.a);
    s.waiting();
    let restored = through_bytes(&mut s.world.shard);
    assert_eq!(restored, s.world.shard);
    assert_eq!(restored.next_change_ms(), Some(at(30)));
    s.world.shard = restored;
    assert_eq!(tick_at(&mut s, 30), ["QueueHours", "Offered"]);
}

#[test]
fn a_deleted_queue_leaves_nothing_of_its_hours() {
    let mut s = kept(&[(30, 40)], Closing::Hold);
    let queue = s.world.queue();
    s.world.ok(keep(queue, Closing::Hold));
    s.world.ok(Command::SetHours { queue: s.queue, hours: None, by: supervisor() });
    s.world.ok(Command::DeleteQueue { queue });
    assert_eq!(s.world.shard.next_change_ms(), None);
    s.world.ok(set("office", None, supervisor()));
    assert!(level::HOURS <= s.world.shard.level());
}

/// The worked example of docs/routing/opening-hours.md.
#[test]
fn a_desk_in_madrid_over_a_weekend_of_summer_time() {
    let mut s = raised();
    let [summer, winter] = [7_200, 3_600];
    // 2027-10-31, 01:00 UTC.
    let offsets = vec![Offset { from: 0, east: summer }, Offset { from: 1_824_944_400, east: winter }];
    let time = Opening { from: 9 * 3_600, to: 18 * 3_600 };
    let workdays = &Weekday::ALL[..5];
    let week = workdays.iter().map(|day| (*day, time)).collect();
    let zone = "Europe/Madrid".to_owned();
    // Monday 2027-11-01 is a holiday.
    let dates = vec![OfDate { date: 21_123, openings: Vec::new() }];
    let office = Schedule { zone, offsets, week, dates };
    // Friday 2027-10-29, 15:00 UTC: 17:00 in Madrid.
    let friday = 1_824_822_000_000;
    by_wall(&mut s, set("office", Some(office), supervisor()), friday).expect("done");
    let command = keep(s.queue, Closing::ServeOut);
    by_wall(&mut s, command, friday).expect("done");
    let hour = 3_600_000;
    assert_eq!((state(&s), until(&s)), (HoursState::Open, Some(friday + hour)));
    // At 17:50 somebody waits; at 18:00 the desk closes for others, and serves that one.
    let arrival = |s: &Scene| {
        Command::Start(crate::command::Arrival {
            touchpoint: s.voice,
            customer: "c".to_owned(),
            reference: String::new(),
            priority: None,
            continues: None,
        })
    };
    let start = arrival(&s);
    by_wall(&mut s, start, friday + hour - 600_000).expect("done");
    s.id = crate::ConversationId::new(DOMAIN, 1);
    by_wall(&mut s, Command::Tick, friday + hour).expect("done");
    // Tuesday, 09:00 by winter time, is 08:00 UTC: Monday is a holiday, and the weekend is an hour longer.
    let tuesday = 1_825_142_400_000;
    assert_eq!((state(&s), until(&s)), (HoursState::Closing, Some(tuesday)));
    let ready = Command::SetPresence { agent: s.a.agent, intent: Intent::Available, by: supervisor() };
    by_wall(&mut s, ready, friday + hour + 1).expect("done");
    let (offer, _) = s.world.offer_of(s.id).expect("served out");
    let accept = Command::Accept { desk: s.a, offer };
    by_wall(&mut s, accept, friday + hour + 5_000).expect("done");
    assert_eq!((state(&s), s.world.stage(s.id)), (HoursState::Closed, "assigned"));
    // Who comes on Saturday waits until Tuesday.
    let start = arrival(&s);
    by_wall(&mut s, start, friday + 20 * hour).expect("done");
    let ready = Command::SetPresence { agent: s.b.agent, intent: Intent::Available, by: supervisor() };
    by_wall(&mut s, ready, tuesday - 1).expect("done");
    assert_eq!(s.world.events(), ["PresenceChanged"]);
    by_wall(&mut s, Command::Tick, tuesday).expect("done");
    assert_eq!(s.world.events(), ["QueueHours", "Offered"]);
    assert_eq!(until(&s), Some(tuesday + 9 * hour));
}
