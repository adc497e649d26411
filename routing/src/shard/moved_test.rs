//! A move step by step: what each is answered, early, twice and late.

use super::{Shard, Whereabouts};
use crate::command::MovePart;
use crate::domain::MovePiece;
use crate::entry::{Entry, Position, Request};
use crate::outcome::DoneWhat;
use crate::scene::Scene;
use crate::settings::DomainSettings;
use crate::testing::DOMAIN;
use crate::{AccountId, Command, DomainId, Effects, Event, LogTime, Rejected, ShardId, Span, level};

const THERE: ShardId = ShardId(2);
const OTHER: DomainId = DomainId(9);
/// The other shard's log time.
const TIME_THERE: LogTime = LogTime(77);

fn entry(time: LogTime, domain: DomainId, command: Command) -> Entry {
    let request = Request { id: None, domain, expected_version: None, command };
    Entry { position: Position::default(), time, wall_ms: 1, request }
}

fn tell(shard: &mut Shard, domain: DomainId, part: MovePart) -> (Result<DoneWhat, Rejected>, Vec<Event>) {
    let mut effects = Effects::default();
    let entry = entry(shard.now(), domain, Command::Move(Box::new(part)));
    let outcome = shard.apply(&entry, &mut effects);
    (outcome.map(|done| done.what), effects.events)
}

fn ask(shard: &mut Shard, domain: DomainId, part: MovePart) -> Result<DoneWhat, Rejected> {
    tell(shard, domain, part).0
}

fn create() -> Command {
    let settings = DomainSettings { name: "d".to_owned(), ..DomainSettings::default() };
    Command::CreateDomain { account: AccountId(1), settings }
}

/// A shard at a level, at its own log time.
fn empty(level: u32) -> Shard {
    let mut shard = Shard::new(THERE);
    let raise = entry(TIME_THERE, DomainId::SHARD, Command::SetLevel { level });
    shard.apply(&raise, &mut Effects::default()).expect("raised");
    shard
}

/// A shard with a domain at work, where domains move; and an empty one.
fn two() -> (Scene, Shard) {
    let mut scene = Scene::new();
    scene.offered();
    scene.world.ok(Command::SetLevel { level: level::MOVES });
    (scene, empty(level::MOVES))
}

/// The shard's log time goes on by so many microseconds.
fn pass(shard: &mut Shard, by_us: u64) {
    let late = entry(LogTime(shard.now().0 + by_us), DomainId::SHARD, Command::Tick);
    shard.apply(&late, &mut Effects::default()).expect("ticks");
}

fn take(number: u64, part: u32, last: bool, pieces: &[MovePiece]) -> MovePart {
    MovePart::Take { number, part, last, pieces: pieces.to_vec() }
}

fn freeze(number: u64) -> MovePart {
    MovePart::Freeze { number, to: THERE }
}

fn pieces(shard: &mut Shard) -> Vec<MovePiece> {
    // As they arrive: what is not encoded stays behind.
    let config = bincode::config::standard();
    let sent = |piece: MovePiece| {
        let bytes = bincode::serde::encode_to_vec(piece, config).expect("serialises");
        bincode::serde::decode_from_slice(&bytes, config).expect("deserialises").0
    };
    shard.leaving().expect("it rests").pieces().map(sent).collect()
}

fn invalid(outcome: &Result<DoneWhat, Rejected>) -> bool {
    matches!(outcome, Err(Rejected::Invalid { .. }))
}

#[test]
fn a_domain_rests_goes_and_is_known_to_be_gone() {
    let (mut scene, mut there) = two();
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    assert_eq!(ask(here, OTHER, freeze(5)), Err(Rejected::UnknownDomain));
    assert!(invalid(&ask(here, DOMAIN, MovePart::Freeze { number: 5, to: ShardId(1) })), "where it is");
    assert_eq!(ask(here, DOMAIN, freeze(5)), Ok(DoneWhat::Ok));
    assert_eq!(ask(here, DOMAIN, freeze(5)), Ok(DoneWhat::Ok), "again");
    assert!(matches!(ask(here, OTHER, freeze(6)), Err(Rejected::InUse { .. })), "one at a time");
    assert_eq!(here.check_here(DOMAIN), Err(Rejected::Moving));
    assert_eq!((here.next_deadline(), here.is_pending()), (None, false), "nothing is due of it");
    let late = entry(LogTime(u64::MAX / 4), DomainId::SHARD, Command::Tick);
    let mut effects = Effects::default();
    here.clone().apply(&late, &mut effects).expect("ticks");
    assert_eq!(effects.events, [], "it rests");

    pass(here, 3_600_000_000);

    let all = pieces(here);
    let take = |part: u32, pieces: &[MovePiece]| take(5, part, part == 1, pieces);
    assert_eq!(ask(&mut there, DOMAIN, take(3, &all[1..])), Ok(DoneWhat::Parts(0)), "too early");
    assert!(invalid(&ask(&mut there, DOMAIN, take(0, &all[1..]))), "without its head");
    assert_eq!(ask(&mut there, DOMAIN, take(0, &all[..1])), Ok(DoneWhat::Parts(1)));
    assert_eq!(ask(&mut there, DOMAIN, take(2, &all[1..])), Ok(DoneWhat::Parts(1)), "one is missing");
    assert_eq!(there.whereabouts(DOMAIN), Whereabouts::Moving);
    assert!(there.domains().is_empty(), "not to be seen before it is there");
    let end = MovePart::End { number: 5, placed: true };
    assert!(invalid(&ask(&mut there, DOMAIN, end.clone())), "not all of it is there");
    assert_eq!(ask(&mut there, DOMAIN, take(1, &all[1..])), Ok(DoneWhat::Parts(2)));
    assert_eq!(ask(&mut there, DOMAIN, take(0, &all[..1])), Ok(DoneWhat::Parts(2)), "again");

    assert_eq!(ask(&mut there, DOMAIN, end.clone()), Ok(DoneWhat::Ok));
    assert_eq!(ask(here, DOMAIN, end.clone()), Ok(DoneWhat::Ok));
    assert_eq!(there.view(DOMAIN), Some(before), "as it was, and at its own time");
    assert!(there.next_deadline().is_some_and(|due| due.0 < 60_000_000), "by the time of the shard");
    assert_eq!(here.whereabouts(DOMAIN), Whereabouts::Gone(THERE));
    let again = here.apply(&entry(here.now(), DOMAIN, create()), &mut Effects::default());
    assert_eq!(again, Err(Rejected::Moved { to: THERE }), "it is not made a second time");
    for late in [freeze(5), take(0, &all[..1]), MovePart::Record { number: 5, events: Vec::new() }] {
        assert!(invalid(&ask(&mut there, DOMAIN, late)), "it is over");
    }
    assert_eq!(ask(&mut there, DOMAIN, end), Ok(DoneWhat::Ok), "that it is over may be said again");
    assert!(there.now() < LogTime(1_000), "a shard's time is not moved by what comes");
}

#[test]
fn what_was_given_up_stays_where_it_was_and_what_comes_late_is_refused() {
    let (mut scene, mut there) = two();
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    ask(here, DOMAIN, freeze(5)).expect("rests");
    pass(here, 3_600_000_000);
    let all = pieces(here);
    let whole = take(5, 0, true, &all);
    ask(&mut there, DOMAIN, whole.clone()).expect("taken");
    let end = MovePart::End { number: 5, placed: false };
    for shard in [&mut *here, &mut there] {
        ask(shard, DOMAIN, end.clone()).expect("over");
    }
    assert_eq!(here.view(DOMAIN), Some(before));
    assert!(here.next_deadline().is_some());
    assert_eq!(there.whereabouts(DOMAIN), Whereabouts::Unknown);
    assert!(invalid(&ask(&mut there, DOMAIN, whole)) && invalid(&ask(here, DOMAIN, freeze(5))));
    // Given up before anything came: neither does it come later.
    ask(&mut there, DOMAIN, MovePart::End { number: 6, placed: false }).expect("over");
    let late = take(6, 0, true, &pieces_of(here, 6));
    assert!(invalid(&ask(&mut there, DOMAIN, late)));
}

fn pieces_of(shard: &mut Shard, number: u64) -> Vec<MovePiece> {
    ask(shard, DOMAIN, freeze(number)).expect("rests");
    pieces(shard)
}

#[test]
fn the_record_comes_along_dense_and_not_beyond_the_domain() {
    let (mut scene, mut there) = two();
    let events = scene.world.effects.events.clone();
    assert!(events.is_empty(), "of the raised level");
    scene.world.desk(scene.a.agent);
    let events = scene.world.effects.events.clone();
    let here = &mut scene.world.shard;
    let all = pieces_of(here, 5);
    let record = |events: &[Event]| MovePart::Record { number: 5, events: events.to_vec() };
    assert!(invalid(&ask(&mut there, DOMAIN, record(&events))), "before the domain");
    ask(&mut there, DOMAIN, take(5, 0, true, &all)).expect("taken");
    assert_eq!(tell(&mut there, DOMAIN, record(&events)), (Ok(DoneWhat::Ok), events.clone()));
    let mut beyond = events.clone();
    beyond.last_mut().expect("some").sequence.0 += 1;
    let mut other = events.clone();
    other[0].domain = OTHER;
    for wrong in [beyond, other] {
        let (outcome, told) = tell(&mut there, DOMAIN, record(&wrong));
        assert!(invalid(&outcome) && told.is_empty(), "{outcome:?}");
    }
}

#[test]
fn nothing_moves_below_the_level_nor_what_is_quarantined() {
    let (mut scene, _) = two();
    let mut low = empty(level::MOVES - 1);
    let refused = Err(Rejected::Level { level: level::MOVES - 1 });
    assert_eq!(ask(&mut low, DOMAIN, freeze(5)), refused);
    assert_eq!(ask(&mut low, DOMAIN, MovePart::End { number: 5, placed: false }), refused);
    scene.world.apply(Command::Panic { message: "on purpose".to_owned() }).expect_err("quarantined");
    assert_eq!(ask(&mut scene.world.shard, DOMAIN, freeze(5)), Err(Rejected::Quarantined));
}

/// What matching has still to look at comes along, however much of it there is.
#[test]
fn all_that_is_stored_of_a_domain_is_in_its_pieces() {
    let (mut scene, mut there) = two();
    let here = &mut scene.world.shard;
    let domain = here.domains.get_mut(&DOMAIN).expect("here");
    let agents: Vec<_> = domain.agents.iter().map(|agent| agent.no).collect();
    let queues: Vec<_> = domain.queues.iter().map(|queue| queue.no).collect();
    let conversations: Vec<_> = domain.conversations.keys().collect();
    domain.dirty.agents = agents;
    domain.dirty.conversations = conversations;
    domain.dirty.lines = (0..2_500).map(|n| (queues[0], (n % 7) as u8)).collect();
    let dirty = domain.dirty.clone();
    let all = pieces_of(here, 5);
    ask(&mut there, DOMAIN, take(5, 0, true, &all)).expect("taken");
    ask(&mut there, DOMAIN, MovePart::End { number: 5, placed: true }).expect("there");
    assert_eq!(there.domains[&DOMAIN], here.domains[&DOMAIN]);
    assert_eq!(there.domains[&DOMAIN].dirty, dirty);
    assert!(there.is_pending(), "there is work left");
}

/// The states of two shards at each moment of a move, taken apart from each other.
#[test]
fn shards_of_any_two_moments_have_it_once_or_say_that_it_is_lost() {
    let (mut scene, mut there) = two();
    let mut here = scene.world.shard.clone();
    let before = here.view(DOMAIN).expect("here");
    let (mut heres, mut theres) = (vec![here.clone()], vec![there.clone()]);
    let all = pieces_of(&mut here, 5);
    heres.push(here.clone());
    for (part, pieces) in [(0, &all[..3]), (1, &all[3..])] {
        ask(&mut there, DOMAIN, take(5, part, part == 1, pieces)).expect("taken");
        theres.push(there.clone());
    }
    for (shard, moments) in [(&mut there, &mut theres), (&mut here, &mut heres)] {
        ask(shard, DOMAIN, MovePart::End { number: 5, placed: true }).expect("over");
        moments.push(shard.clone());
    }
    for (h, here) in heres.iter().enumerate() {
        for (t, there) in theres.iter().enumerate() {
            let (mut here, mut there) = (here.clone(), there.clone());
            let gathered = Shard::gather(&mut [&mut here, &mut there]);
            let (found, lost) = match (h, t) {
                // It had gone, and these are not of one moment.
                (2, 0 | 1) => (None, 1),
                (2, _) | (_, 3) => (Some(&there), 0),
                _ => (Some(&here), 0),
            };
            assert_eq!(gathered.lost.len(), lost, "{h} {t}");
            assert_eq!(gathered.places.get(&DOMAIN), found.map(|shard| shard.id()).as_ref(), "{h} {t}");
            let copies = [&here, &there].map(|shard| shard.whereabouts(DOMAIN));
            let in_service = copies.iter().filter(|where_to| **where_to == Whereabouts::Here).count();
            assert_eq!(in_service, usize::from(found.is_some()), "{h} {t}: {copies:?}");
            if let Some(shard) = found {
                assert_eq!(shard.view(DOMAIN).as_ref(), Some(&before), "{h} {t}");
                assert!(shard.next_deadline().is_some(), "{h} {t}: it goes on");
            }
        }
    }
    scene.world.ok(Command::Tick);
}

/// Moves the domain piece by piece; what has arrived is stored and loaded after each.
fn move_encoded(here: &mut Shard, there: &mut Shard) {
    let all = pieces_of(here, 5);
    for (part, piece) in all.chunks(1).enumerate() {
        let part = u32::try_from(part).expect("few");
        ask(there, DOMAIN, take(5, part, part as usize + 1 == all.len(), piece)).expect("taken");
        let config = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec(&*there, config).expect("serialises");
        let again = bincode::serde::decode_from_slice::<Shard, _>(&bytes, config).expect("deserialises").0;
        assert_eq!(again, *there, "part {part}");
        *there = again;
    }
    for shard in [there, here] {
        ask(shard, DOMAIN, MovePart::End { number: 5, placed: true }).expect("over");
    }
}

/// Skills, and what is asked for and how far that has given way, come along; the clocks go on there.
#[test]
fn skills_and_criteria_come_along() {
    use crate::scene::{names, requires};
    let mut scene = Scene::new();
    scene.raised();
    scene.can(scene.a, &[("es", 80), ("billing", 50)]);
    scene.can(scene.b, &[("es", 50)]);
    let criteria = crate::criteria::Criteria { steps: vec![requires(&[("billing", 1)], 0)] };
    let by = crate::testing::supervisor();
    scene.world.ok(Command::SetCriteria { touchpoint: scene.voice, criteria, by });
    scene.asking(vec![names(&[scene.a], 5), requires(&[("es", 60)], 20), requires(&[("es", 50)], 20)]);
    scene.world.start(scene.voice);
    scene.ready(scene.b);
    scene.pass(6);
    scene.world.tick();
    let mut there = empty(level::SKILLS);
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    let asks = before.conversations[&scene.id].seeking.clone().expect("it asks for something");
    assert_eq!(asks.at, 1, "somewhere on its way");
    move_encoded(here, &mut there);
    assert_eq!(there.view(DOMAIN), Some(before));
    // 19 s are left of the step; the second desk has what the third one asks for.
    let before_it = LogTime(there.now().0 + 18_999_999);
    let mut effects = Effects::default();
    there.apply(&entry(before_it, DomainId::SHARD, Command::Tick), &mut effects).expect("ticks");
    let stage = |there: &Shard| there.conversation(scene.id).expect("known").stage.name();
    assert_eq!(stage(&there), "queued");
    there
        .apply(&entry(LogTime(before_it.0 + 1), DomainId::SHARD, Command::Tick), &mut effects)
        .expect("ticks");
    assert_eq!(stage(&there), "offered");
}

/// Policies with the versions that something stands under, and what was counted, come along; rules go on there.
#[test]
fn policies_come_along() {
    use crate::Span;
    use crate::policy::{Action, Policy, Rule, Target};
    let mut scene = Scene::new();
    scene.world.ok(Command::SetLevel { level: level::POLICIES });
    let (queue, by) = (scene.queue, crate::testing::supervisor());
    let closes = |after| Rule {
        after: Span::seconds(after),
        when: Vec::new(),
        then: Action::Close { reason: "late".to_owned() },
    };
    let target = Some(Target { within: Span::seconds(20), percent: 80 });
    let first = Policy { rules: vec![closes(20)], target };
    scene.world.ok(Command::SetPolicy { queue, policy: first, by: by.clone() });
    scene.abandoned();
    scene.waiting();
    scene.world.ok(Command::SetPolicy { queue, policy: Policy { rules: vec![closes(90)], target }, by });
    scene.pass(6);
    scene.world.tick();
    let mut there = empty(level::POLICIES);
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    let policy = &before.queues[&queue].policy;
    assert_eq!((policy.number, &policy.older[..], policy.minutes.len()), (2, &[1][..], 1));
    move_encoded(here, &mut there);
    assert_eq!(there.view(DOMAIN), Some(before));
    let stage = |there: &Shard| there.conversation(scene.id).expect("known").stage.name();
    let mut effects = Effects::default();
    for (micros, expected) in [(13_999_999, "queued"), (1, "closed")] {
        let now = LogTime(there.now().0 + micros);
        there.apply(&entry(now, DomainId::SHARD, Command::Tick), &mut effects).expect("ticks");
        assert_eq!(stage(&there), expected);
    }
    assert_eq!(
        there.queue(queue).expect("made").policy.older,
        [0; 0],
        "nothing stands under the first any more"
    );
}

/// Rules between channels come along, and decide there what an agent is offered.
#[test]
fn channel_rules_come_along() {
    use crate::Channel;
    use crate::blocks::{ChannelRule, Effect};
    let set = |channel| crate::ChannelSet::default().with(channel);
    let rule =
        ChannelRule { effect: Effect::Block, channels: set(Channel::Chat), during: set(Channel::Voice) };
    let mut scene = Scene::new();
    scene.world.ok(Command::SetLevel { level: level::BLOCKS });
    let by = crate::testing::supervisor();
    scene.world.ok(Command::SetChannelRules { rules: vec![rule], by });
    scene.assigned();
    let touchpoint = scene.world.touchpoint(Channel::Chat, &[scene.queue]);
    let chat = scene.world.start(touchpoint);
    let mut there = empty(level::BLOCKS);
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    assert_eq!(before.summary.channel_rules, [rule]);
    move_encoded(here, &mut there);
    assert_eq!(there.view(DOMAIN), Some(before));
    let rings = |there: &Shard| there.conversation(chat).expect("known").offer.is_some();
    // Looked at once more: it would ring but for the rule.
    let mut effects = Effects::default();
    let (conversation, priority, by) = (chat, crate::Priority(9), crate::testing::supervisor());
    let first = Command::Reprioritise { conversation, priority, by: by.clone() };
    let over = Command::ForceClose { conversation: scene.id, reason: String::new(), by };
    for (command, expected) in [(first, false), (over, true)] {
        there.apply(&entry(there.now(), DOMAIN, command), &mut effects).expect("done");
        assert_eq!(rings(&there), expected, "once the call is over nothing blocks it");
    }
}

/// What is being connected, what waits on its customer, and how contacts are handled come along, and go on there.
#[test]
fn handling_comes_along() {
    use crate::Channel;
    use crate::command::By;
    use crate::handling::Handling;
    let mut scene = Scene::new();
    scene.world.ok(Command::SetLevel { level: level::HANDLING });
    let mut handling = Handling { extend_max: Span::seconds(60), ..Handling::default() };
    handling.connect[Channel::Voice.index()] = Some(Span::seconds(9));
    handling.idle[Channel::Email.index()] = Some(crate::Points(3));
    let by = crate::testing::supervisor();
    scene.world.ok(Command::SetHandling { handling, by: by.clone() });
    scene.pulled();
    let mail = scene.id;
    scene.world.ok(Command::SetIdle { conversation: mail, idle: true, by: by.clone() });
    scene.offered();
    let (call, offer) = (scene.id, scene.offer);
    scene.world.accept(call);
    let mut there = empty(level::HANDLING);
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    assert!(before.conversations[&call].offer.as_ref().is_some_and(|offer| offer.connecting));
    assert!(before.conversations[&mail].idle && before.summary.handling.extend_max == Span::seconds(60));
    move_encoded(here, &mut there);
    assert_eq!(there.view(DOMAIN), Some(before));
    let mut effects = Effects::default();
    let desk = scene.a;
    for command in [
        Command::Connected { desk, offer },
        Command::SetIdle { conversation: mail, idle: false, by: By::Customer },
    ] {
        there.apply(&entry(there.now(), DOMAIN, command), &mut effects).expect("it goes on");
    }
    assert_eq!(there.agent(desk.agent).expect("made").load, 51 + 20);
}

/// What rings at several goes on ringing there, and the first who accepts has it.
#[test]
fn what_rings_at_several_comes_along() {
    let mut scene = Scene::new();
    scene.world.ok(Command::SetLevel { level: level::RING });
    let (queue, by) = (scene.queue, crate::testing::supervisor());
    scene.world.ok(Command::SetRing { queue, agents: 2, by });
    scene.ready(scene.b);
    scene.offered();
    let mut there = empty(level::RING);
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    assert_eq!((before.conversations[&scene.id].offers().count(), before.queues[&queue].ring), (2, 2));
    let second = before.conversations[&scene.id].also[0].clone();
    move_encoded(here, &mut there);
    assert_eq!(there.view(DOMAIN), Some(before));
    let desk = if second.agent == scene.a.agent { scene.a } else { scene.b };
    let accept = entry(there.now(), DOMAIN, Command::Accept { desk, offer: second.id });
    there.apply(&accept, &mut Effects::default()).expect("live");
    let offers: usize = there.view(DOMAIN).expect("there").agents.values().map(|a| a.offers.len()).sum();
    assert_eq!(offers, 0);
}

/// The pace, who had as much as it allows, schedules, and how queues keep to them come along, and go on there.
#[test]
fn pace_and_opening_hours_come_along() {
    use crate::hours::{Closing, Hours, Offset, Opening, Schedule, Weekday};
    use crate::pace::Pace;
    let mut scene = Scene::new();
    scene.world.ok(Command::SetLevel { level: level::PACE.max(level::HOURS) });
    let by = crate::testing::supervisor();
    let pace = Some(Pace { offers: 1, per: Span::seconds(60) });
    scene.world.ok(Command::SetPace { pace, by: by.clone() });
    let week = Weekday::ALL.map(|day| (day, Opening { from: 0, to: 86_400 })).to_vec();
    let offsets = vec![Offset { from: 0, east: 0 }];
    let schedule = Some(Schedule { zone: "UTC".to_owned(), offsets, week, dates: Vec::new() });
    scene.world.ok(Command::SetSchedule { name: "always".to_owned(), schedule, by: by.clone() });
    let hours = Some(Hours { schedule: "always".to_owned(), closing: Closing::ServeOut });
    scene.world.ok(Command::SetHours { queue: scene.plain, hours, by });
    scene.offered();
    let agent = scene.a.agent;
    let mut there = empty(level::PACE.max(level::HOURS));
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    let until = before.agents[&agent].paced_until.expect("it had its one");
    assert!(before.queues[&scene.plain].hours.is_some() && before.summary.schedules.len() == 1);
    move_encoded(here, &mut there);
    assert_eq!(there.view(DOMAIN), Some(before));
    // It ends there in its time, however far the clocks of the two are apart.
    let mut effects = Effects::default();
    let left = until.since(there.view(DOMAIN).expect("there").now);
    let mut tick = entry(there.now(), DomainId::SHARD, Command::Tick);
    tick.time = there.now() + left + Span::seconds(1);
    let _ = there.apply(&tick, &mut effects);
    assert_eq!(there.agent(agent).expect("made").paced_until, None);
}

/// How customers are called back, who rests, who is dialled, and that a place was resumed come along, and go on there.
#[test]
fn callbacks_come_along() {
    use crate::callback::CallbackSettings;
    use crate::command::Arrival;
    let mut scene = Scene::new();
    scene.world.ok(Command::SetLevel { level: level::CALLBACK });
    let callback = Some(CallbackSettings {
        attempts: 3,
        retry_after: Span::seconds(60),
        dial: Span::seconds(30),
        expires_after: Span::seconds(600),
        resume_within: Span::seconds(60),
    });
    scene.world.ok(Command::SetCallback { callback, by: crate::testing::supervisor() });
    scene.abandoned();
    let left = scene.id;
    let again = |touchpoint| {
        let (customer, reference) = ("c".to_owned(), String::new());
        Command::Start(Arrival { touchpoint, customer, reference, priority: None, continues: Some(left) })
    };
    let voice = scene.voice;
    let resumed = scene.world.ok(again(voice));
    assert!(matches!(resumed.what, DoneWhat::Resumed { .. }));
    let rests = scene.world.start(voice);
    let not_before = Some(Span::seconds(50));
    scene.world.ok(Command::RequestCallback { conversation: rests, contact: "9".to_owned(), not_before });
    let mut there = empty(level::CALLBACK);
    let here = &mut scene.world.shard;
    let before = here.view(DOMAIN).expect("here");
    assert!(
        before.conversations[&rests].callback.as_ref().is_some_and(|callback| callback.not_before.is_some())
    );
    move_encoded(here, &mut there);
    assert_eq!(there.view(DOMAIN), Some(before));
    let mut effects = Effects::default();
    let twice = there.apply(&entry(there.now(), DOMAIN, again(voice)), &mut effects).map(|done| done.what);
    assert!(matches!(twice, Ok(DoneWhat::Conversation { .. })), "{twice:?}");
    // It stands in line again in its time, however far the clocks of the two are apart.
    let waiting = |there: &Shard| there.queue(scene.queue).expect("made").waiting;
    let in_line = waiting(&there);
    for (seconds, more) in [(49, 0), (1, 1)] {
        let mut tick = entry(there.now(), DomainId::SHARD, Command::Tick);
        tick.time = there.now() + Span::seconds(seconds);
        let _ = there.apply(&tick, &mut effects);
        assert_eq!(waiting(&there), in_line + more, "after {seconds} s more");
    }
}
