//! What is said of waits that are to come.

use crate::command::{By, Decline, Desk, Intent};
use crate::domain::QueueNo;
use crate::expected::{Estimate, ExpectedWait, InQueue, Unknown, Way};
use crate::outcome::DoneWhat;
use crate::policy::{Policy, Target};
use crate::scene::{Scene, names, person, requires};
use crate::settings::{QueueSettings, RankPolicy};
use crate::testing::{DOMAIN, World, supervisor};
use crate::{Channel, Command, ConversationId, LogTime, Priority, QueueId, Span, TouchpointId, level};

/// A queue whose service is measured, and its only agent, who needs no wrap-up.
struct Line {
    world: World,
    queue: QueueId,
    voice: TouchpointId,
    agent: Desk,
    /// What the agent has.
    has: Option<ConversationId>,
}

impl Line {
    fn new(measured: bool) -> Self {
        let mut world = World::new();
        world.ok(Command::SetLevel { level: level::POLICIES });
        let settings =
            QueueSettings { name: "q".to_owned(), wrap_up_max: Span::ZERO, ..QueueSettings::default() };
        let queue = world.queue_with(settings);
        if measured {
            let target = Some(Target { within: Span::seconds(20), percent: 80 });
            let policy = Policy { rules: Vec::new(), target };
            world.ok(Command::SetPolicy { queue, policy, by: supervisor() });
        }
        let agent = world.agent_with(person(&[queue]));
        let agent = world.desk(agent);
        world.presence(agent, Intent::Available);
        let voice = world.touchpoint(Channel::Voice, &[queue]);
        Self { world, queue, voice, agent, has: None }
    }

    /// Goes on to a second of log time.
    fn at(&mut self, second: u64) {
        self.world.time = second * 1_000_000;
    }

    fn calls(&mut self, second: u64, priority: u8) -> ConversationId {
        self.at(second);
        self.world.started(self.voice, Some(Priority(priority))).0
    }

    /// The agent is done with what it has and takes what it is offered.
    fn goes_on(&mut self, second: u64) {
        self.at(second);
        if let Some(conversation) = self.has.take() {
            let by = By::Agent(self.agent);
            self.world.ok(Command::EndContact { conversation, by });
        }
        let offer = self.world.shard.agent(self.agent.agent).expect("made").offers.first().cloned();
        if let Some(offer) = offer {
            self.world.ok(Command::Accept { desk: self.agent, offer: offer.id });
            self.has = Some(offer.conversation);
        }
    }

    fn expected(&self, conversation: ConversationId) -> InQueue {
        only(self.world.shard.expected_wait(conversation).expect("known"))
    }

    fn on_arrival(&self, priority: u8) -> InQueue {
        let (queue, priority) = (self.queue, Priority(priority));
        let expected = self.world.shard.expected_on_arrival(queue, Channel::Voice, priority);
        only(expected.expect("made"))
    }

    fn measured(&self) -> (u64, Span) {
        let no = QueueNo::of(self.queue, DOMAIN).expect("of this domain");
        let domain = self.world.shard.of(DOMAIN).expect("made");
        domain.queue(no).policies.busy_exits(60, LogTime(self.world.time))
    }
}

fn only(expected: ExpectedWait) -> InQueue {
    let [queue] = &expected.queues[..] else { panic!("{expected:?}") };
    queue.clone()
}

fn length(seconds: u64) -> Estimate {
    Estimate { way: Way::QueueLength, wait: Span::seconds(seconds) }
}

fn head(seconds: u64) -> Estimate {
    Estimate { way: Way::HeadOfLine, wait: Span::seconds(seconds) }
}

fn said(expected: &InQueue) -> (u64, &[Estimate], Option<Unknown>) {
    (expected.position, &expected.estimates, expected.unknown)
}

fn two_busy_minutes(measured: bool) -> Line {
    two_busy_minutes_and(measured, []).0
}

/// Two busy minutes, in each of which three were answered after a wait: from 60 s to 180 s, one in 20 s. Others
/// arrive at these seconds.
fn two_busy_minutes_and<const N: usize>(measured: bool, others: [u64; N]) -> (Line, [ConversationId; N]) {
    let mut line = Line::new(measured);
    line.calls(50, 0);
    // Answered at once, in a minute in which nobody had waited: it is no busy one.
    line.goes_on(50);
    for second in 51..57 {
        line.calls(second, 0);
    }
    let mut others = others.into_iter().peekable();
    let mut arrived = Vec::new();
    for second in [60, 80, 100, 120, 140, 160] {
        while let Some(at) = others.next_if(|at| *at < second) {
            arrived.push(line.calls(at, 0));
        }
        line.goes_on(second);
    }
    (line, arrived.try_into().expect("all before 160 s"))
}

/// One worked example: docs/routing/expected-wait.md goes through it with the same numbers.
#[test]
fn third_in_line_behind_two_busy_minutes() {
    let (mut line, [first, second, ana]) = two_busy_minutes_and(true, [110, 130, 150]);
    line.at(180);
    line.world.tick();
    assert_eq!(line.measured(), (6, Span::seconds(120)));
    let of_ana = line.world.shard.expected_wait(ana).expect("known");
    assert_eq!((of_ana.waited, of_ana.unknown), (Span::seconds(30), None));
    assert_eq!(said(&only(of_ana)), (3, &[length(60), head(40)][..], None));
    assert_eq!(said(&line.expected(second)), (2, &[length(40), head(20)][..], None));
    assert_eq!(said(&line.expected(first)), (1, &[length(20)][..], None));
    // Who arrives now, and with a priority.
    assert_eq!(said(&line.on_arrival(0)), (4, &[length(80), head(70)][..], None));
    assert_eq!(said(&line.on_arrival(1)), (1, &[length(20)][..], None));
}

#[test]
fn where_nothing_is_measured_the_head_of_the_line_says_it() {
    let mut line = two_busy_minutes(false);
    let first = line.calls(170, 0);
    let second = line.calls(175, 0);
    let nothing = Some(Unknown::NothingToGoBy);
    assert_eq!(said(&line.expected(first)), (1, &[][..], nothing));
    assert_eq!(said(&line.expected(second)), (2, &[head(5)][..], None));
    line.at(180);
    line.world.tick();
    assert_eq!(said(&line.on_arrival(0)), (3, &[head(10)][..], None));
    assert_eq!(said(&line.on_arrival(1)), (1, &[][..], nothing));
}

/// By priority a head is of the same priority; by aging it is the first of all, and credit counts as waited.
#[test]
fn a_head_is_one_that_says_something_of_this_one() {
    let mut line = two_busy_minutes(false);
    let urgent = line.calls(170, 1);
    line.calls(172, 0);
    let plain = line.calls(175, 0);
    assert_eq!(said(&line.expected(plain)), (3, &[head(3)][..], None));
    assert_eq!(said(&line.expected(urgent)), (1, &[][..], Some(Unknown::NothingToGoBy)));

    let mut settings = line.world.shard.domain(DOMAIN).expect("made").settings;
    settings.rank = RankPolicy::Aging { credits: vec![(Priority(1), Span::seconds(90))] };
    line.world.ok(Command::UpdateDomain { settings });
    assert_eq!(said(&line.expected(plain)), (3, &[head(95)][..], None));
    // Another urgent one is 15 s behind the first, a plain one those and the 90 s that the credit is worth.
    line.at(185);
    line.world.tick();
    assert_eq!(said(&line.on_arrival(1)), (2, &[head(15)][..], None));
    assert_eq!(said(&line.on_arrival(0)), (4, &[head(105)][..], None));
}

#[test]
fn busy_minutes_are_those_with_waits_and_over_and_not_too_old() {
    let mut line = Line::new(true);
    // Answered at once, all of a minute: that says nothing of how many could be.
    for second in [60, 70, 80, 90, 100, 110] {
        line.calls(second, 0);
        line.goes_on(second);
        line.goes_on(second + 5);
    }
    line.at(120);
    assert_eq!(line.measured(), (0, Span::ZERO));
    // Five in a minute: four had waited for 15 s on average, one has left.
    let last: Vec<_> = (0..6).map(|_| line.calls(120, 0)).collect();
    line.world.ok(Command::Abandon { conversation: last[5] });
    for second in [120, 130, 140, 150] {
        line.goes_on(second);
    }
    line.at(179);
    assert_eq!(line.measured(), (0, Span::ZERO), "the running minute");
    line.at(180);
    line.world.tick();
    assert_eq!(line.measured(), (5, Span::seconds(60)));
    assert_eq!(line.expected(last[4]).estimates, [length(12)]);
    line.at(62 * 60 + 59);
    assert_eq!(line.measured(), (5, Span::seconds(60)));
    line.at(63 * 60);
    assert_eq!(line.measured(), (0, Span::ZERO), "an hour later");
}

#[test]
fn four_exits_are_no_rate() {
    let mut line = Line::new(true);
    let all: Vec<_> = (0..7).map(|_| line.calls(60, 0)).collect();
    for second in [60, 70, 80, 90] {
        line.goes_on(second);
    }
    line.at(120);
    line.world.tick();
    assert_eq!(line.measured(), (4, Span::seconds(60)));
    assert_eq!(line.expected(all[4]).estimates, []);
    assert_eq!(line.expected(all[5]).estimates, [head(0)]);
}

#[test]
fn somebody_free_is_no_wait_for_who_arrives() {
    let mut line = Line::new(true);
    let at_once = Estimate { way: Way::AtOnce, wait: Span::ZERO };
    assert_eq!(said(&line.on_arrival(0)), (1, &[at_once][..], None));
    line.calls(10, 0);
    line.goes_on(10);
    assert_eq!(said(&line.on_arrival(0)), (1, &[][..], Some(Unknown::NothingToGoBy)));
    // Half of the agent's points are left, which is enough for a chat.
    let chat = line.world.shard.expected_on_arrival(line.queue, Channel::Email, Priority(0));
    assert_eq!(only(chat.expect("made")).estimates, [at_once]);
}

/// What it is, how it comes about, and why there is no estimate.
type Row = (&'static str, fn(&mut Scene), Unknown);

#[test]
fn what_is_not_known_is_said() {
    let why = |s: &Scene| {
        let expected = s.world.shard.expected_wait(s.id).expect("known");
        expected.unknown.or_else(|| only(expected).unknown)
    };
    let rows: [Row; 10] = [
        ("nobody is signed on", |s| s.waiting(), Unknown::NobodyAvailable),
        ("offered", |s| s.offered(), Unknown::NotWaiting),
        ("assigned", |s| s.assigned(), Unknown::NotWaiting),
        ("abandoned", |s| s.abandoned(), Unknown::NotWaiting),
        ("in an inbox", |s| s.in_inbox(), Unknown::ToBePulled),
        (
            "dedicated",
            |s| {
                s.dedicated(None);
            },
            Unknown::ForCertainAgents,
        ),
        (
            "names an agent who is away",
            |s| {
                s.raised();
                let step = names(&[s.a], 60);
                s.ready(s.b);
                s.asking(vec![step]);
            },
            Unknown::ForCertainAgents,
        ),
        (
            "paused",
            |s| {
                s.ready(s.a);
                s.world.ok(Command::PauseQueue { queue: s.queue, paused: true, by: supervisor() });
                s.waiting();
            },
            Unknown::Paused,
        ),
        (
            "declined by the only one, who is free for others",
            |s| {
                s.offered();
                let (offer, decline) = (s.offer, Decline { reason: "busy".to_owned() });
                s.world.ok(Command::Reject { desk: s.a, offer, decline });
            },
            Unknown::NothingToGoBy,
        ),
        (
            "the first in line, and nothing measured",
            |s| {
                s.assigned();
                s.waiting();
            },
            Unknown::NothingToGoBy,
        ),
    ];
    for (what, given, wanted) in rows {
        let mut scene = Scene::new();
        given(&mut scene);
        assert_eq!(why(&scene), Some(wanted), "{what}");
    }
    let s = Scene::new();
    assert_eq!(s.world.shard.expected_wait(ConversationId::new(DOMAIN, 77)), None);
    assert_eq!(
        s.world.shard.expected_on_arrival(QueueId::new(DOMAIN, 77), Channel::Voice, Priority(0)),
        None
    );
}

/// What requires a skill is compared with its own line alone: the others' exits say nothing of it.
#[test]
fn what_requires_a_skill_goes_by_its_own_line() {
    let mut line = two_busy_minutes(true);
    line.world.ok(Command::SetSkills {
        agent: line.agent.agent,
        skills: crate::scene::skills(&[("es", 50)]),
        by: supervisor(),
    });
    let asking = |line: &mut Line, second: u64| {
        line.at(second);
        let (touchpoint, customer, reference) = (line.voice, "c".to_owned(), String::new());
        let arrival =
            crate::command::Arrival { touchpoint, customer, reference, priority: None, continues: None };
        let criteria = crate::criteria::Criteria { steps: vec![requires(&[("es", 50)], 0)] };
        match line.world.ok(Command::StartWith { arrival, criteria }).what {
            DoneWhat::Conversation { id, .. } => id,
            other => panic!("{other:?}"),
        }
    };
    line.calls(170, 0);
    let first = asking(&mut line, 171);
    let second = asking(&mut line, 178);
    line.at(180);
    line.world.tick();
    assert_eq!(said(&line.expected(first)), (2, &[][..], Some(Unknown::NothingToGoBy)));
    assert_eq!(said(&line.expected(second)), (3, &[head(7)][..], None));
}

#[test]
fn of_several_queues_the_shortest_counts() {
    let mut line = two_busy_minutes(true);
    let other = line.world.queue();
    line.calls(165, 0);
    line.calls(166, 0);
    let both = line.world.touchpoint(Channel::Voice, &[other, line.queue]);
    line.at(170);
    let call = line.world.start(both);
    line.at(180);
    line.world.tick();
    let expected = line.world.shard.expected_wait(call).expect("known");
    let seen: Vec<_> = expected.queues.iter().map(|one| (one.queue, one.position, one.unknown)).collect();
    assert_eq!(seen, [(other, 1, Some(Unknown::NobodyAvailable)), (line.queue, 3, None)]);
    let best = expected.best().expect("two");
    assert_eq!((best.queue, best.estimate()), (line.queue, Some(length(60))));
}
