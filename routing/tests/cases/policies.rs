//! What random commands hardly ever come to: as many versions of a policy in use as there may be, moves through
//! as many queues as rules may lead through, service counted for longer than it is kept, and a rule that
//! would send a conversation on once too often. Engine and model agree on each, and do what is said.

use crate::support::machine::{Engine, Machine};
use crate::support::run::{disagreement, listed};
use routing::command::{Arrival, By, Desk, Intent, TransferFallback, TransferTarget};
use routing::entry::Request;
use routing::event::{Ending, EventKind, Place};
use routing::policy::{Action, Bound, Condition, Measure, Policy, Rule, Service, Target};
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
};
use routing::view::{DomainView, Stage};
use routing::{
    AccountId, AgentId, Channel, ChannelSet, Command, ConversationId, DomainId, Entry, Epoch, LogTime,
    OfferId, Outcome, Points, Position, Priority, QueueId, Rejected, Span, TouchpointId, level,
};

const DOMAIN: DomainId = DomainId(1);
const DAY: Span = Span::seconds(86_400);

fn queue(number: u64) -> QueueId {
    QueueId { domain: DOMAIN, number }
}

fn conversation(number: u64) -> ConversationId {
    ConversationId { domain: DOMAIN, number }
}

fn supervisor() -> By {
    By::Supervisor("s".to_owned())
}

fn rule(after: Span, then: Action) -> Rule {
    Rule { after, when: Vec::new(), then }
}

/// A log in the making, with its time.
struct Log(Vec<Entry>, u64);

impl Log {
    /// A domain at the level of policies with so many queues, and a touchpoint for each.
    fn with_queues(queues: u64) -> Self {
        let mut log = Self(Vec::new(), 1_000_000);
        log.then(Command::SetLevel { level: level::POLICIES });
        let settings = DomainSettings {
            name: "d".to_owned(),
            wait_max: DAY,
            closed_retention: Span::seconds(1),
            ..DomainSettings::default()
        };
        log.then(Command::CreateDomain { account: AccountId(1), settings });
        for number in 1..=queues {
            let settings = QueueSettings { name: "q".to_owned(), ..QueueSettings::default() };
            log.then(Command::CreateQueue { settings });
            let accept = AcceptMode::Manual { ring: Span::seconds(20) };
            let step = ToQueue { queues: vec![queue(number)], priority: Priority(0), accept };
            let (address, channel, mode) = (format!("+{number}"), Channel::Email, RoutingMode::ToQueue(step));
            log.then(Command::CreateTouchpoint { settings: TouchpointSettings { address, channel, mode } });
        }
        log
    }

    fn then(&mut self, command: Command) {
        let index = self.0.len() as u64 + 1;
        let of_the_shard = matches!(command, Command::Tick | Command::SetLevel { .. });
        let domain = if of_the_shard { DomainId::SHARD } else { DOMAIN };
        self.0.push(Entry {
            position: Position { index, ordinal: 0 },
            time: LogTime(self.1),
            wall_ms: 1_700_000_000_000 + self.1 / 1_000,
            request: Request { id: None, domain, expected_version: None, command },
        });
    }

    fn later(&mut self, span: Span) {
        self.1 += span.0;
    }

    fn policy(&mut self, number: u64, rules: Vec<Rule>, target: Option<Target>) {
        let policy = Policy { rules, target };
        self.then(Command::SetPolicy { queue: queue(number), policy, by: supervisor() });
    }

    fn arrives(&mut self, number: u64) {
        self.then(Command::Start(Arrival {
            touchpoint: TouchpointId { domain: DOMAIN, number },
            customer: "c".to_owned(),
            reference: String::new(),
            priority: None,
            continues: None,
        }));
    }

    /// Both agree on all of it; what the engine says to the last entry, and how it stands then.
    fn carried_out(&self) -> (Outcome, Vec<EventKind>, DomainView) {
        let parted = disagreement(&self.0);
        assert!(parted.is_none(), "{parted:?}\n{}", listed(&self.0));
        let mut engine = Engine::new();
        let answers: Vec<_> = self.0.iter().map(|entry| engine.apply(entry)).collect();
        let (outcome, events) = answers.last().cloned().expect("an entry");
        (outcome, events.into_iter().map(|event| event.kind).collect(), engine.views()[&DOMAIN].clone())
    }
}

#[test]
fn sixteen_older_versions_are_in_use_and_no_more() {
    let mut log = Log::with_queues(1);
    let target = |seconds| Some(Target { within: Span::seconds(seconds), percent: 80 });
    for number in 1..=16 {
        log.policy(1, Vec::new(), target(number));
        log.arrives(1);
    }
    log.policy(1, Vec::new(), target(17));
    let (outcome, _, view) = log.carried_out();
    assert!(matches!(outcome, Err(Rejected::Full { .. })), "{outcome:?}");
    assert_eq!(view.queues[&queue(1)].policy.number, 16);
    log.policy(1, Vec::new(), target(16));
    assert!(log.carried_out().0.is_ok(), "the present one again");
    log.then(Command::Abandon { conversation: conversation(3) });
    log.policy(1, Vec::new(), target(17));
    let (outcome, _, view) = log.carried_out();
    assert!(outcome.is_ok(), "{outcome:?}");
    let shown = &view.queues[&queue(1)].policy;
    assert_eq!((shown.number, shown.older.len()), (17, 15));
    assert!(!shown.older.contains(&3), "nothing stands under the third any more: {:?}", shown.older);
}

#[test]
fn rules_move_through_eight_queues_in_one_entry_and_no_further() {
    let mut log = Log::with_queues(10);
    let to = |number| vec![rule(Span::ZERO, Action::MoveTo(queue(number)))];
    for number in 1..=8 {
        log.policy(number, to(number + 1), None);
    }
    for (from, into) in [(9, 10), (9, 1), (9, 5), (10, 1)] {
        let mut refused = Log(log.0.clone(), log.1);
        refused.policy(from, to(into), None);
        let (outcome, _, _) = refused.carried_out();
        assert!(matches!(outcome, Err(Rejected::Invalid { .. })), "{from} to {into}: {outcome:?}");
    }
    log.arrives(1);
    let (_, events, view) = log.carried_out();
    let moves = events.iter().filter(|kind| matches!(kind, EventKind::RuleApplied { .. })).count();
    assert_eq!(moves, 8, "{events:?}");
    let it = &view.conversations[&conversation(1)];
    assert_eq!(it.stage, Stage::Waiting(Place::Queues(vec![queue(9)])));
    assert_eq!(it.standing, None, "the last has no policy");
    // A shorter way leaves room at its end.
    log.policy(4, Vec::new(), None);
    log.policy(9, to(10), None);
    let (outcome, _, _) = log.carried_out();
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn what_an_outage_held_up_is_moved_as_if_it_had_been_on_time() {
    let mut log = Log::with_queues(3);
    let after = Span::seconds(10);
    log.policy(1, vec![rule(after, Action::MoveTo(queue(2)))], None);
    log.policy(
        2,
        vec![rule(after, Action::Prioritise(Priority(7))), rule(after, Action::MoveTo(queue(3)))],
        None,
    );
    log.policy(3, vec![rule(Span::seconds(100), Action::Close { reason: "late".to_owned() })], None);
    log.arrives(1);
    let began = log.1;
    log.later(Span::seconds(60));
    log.then(Command::Tick);
    let (_, _, view) = log.carried_out();
    let standing = view.conversations[&conversation(1)].standing.as_deref().copied();
    let standing = standing.expect("it stands under the third");
    assert_eq!((standing.queue, standing.since), (queue(3), LogTime(began + 2 * after.0)));
    log.later(Span::seconds(60));
    log.then(Command::Tick);
    let (_, events, _) = log.carried_out();
    let closed = |kind: &EventKind| {
        matches!(kind, EventKind::Ended { ending: Ending::Closed { by: By::System, .. }, .. })
    };
    assert!(events.iter().any(closed), "{events:?}");
}

#[test]
fn service_is_forgotten_after_an_hour() {
    let desk = Desk { agent: AgentId { domain: DOMAIN, number: 1 }, epoch: Epoch(1) };
    let mut log = Log::with_queues(2);
    log.then(Command::CreateAgent {
        settings: AgentSettings {
            name: "a".to_owned(),
            capacity: Points(100),
            channels: ChannelSet::ALL,
            queues: vec![queue(1)],
            ..AgentSettings::default()
        },
    });
    log.then(Command::OpenSession { agent: desk.agent });
    log.then(Command::SetPresence { agent: desk.agent, intent: Intent::Available, by: By::Agent(desk) });
    log.policy(1, Vec::new(), Some(Target { within: Span::seconds(2), percent: 80 }));
    let level = |is| Condition { of: Some(queue(1)), measure: Measure::ServiceLevel, is };
    let rules = (1..=9).map(|tenth| Rule {
        after: Span::ZERO,
        when: vec![level(Bound::AtLeast(10 * u32::from(tenth)))],
        then: Action::Prioritise(Priority(tenth)),
    });
    log.policy(2, rules.collect(), None);
    let mut number = 0;
    let mut levels = std::collections::BTreeSet::new();
    for round in 0..30_u64 {
        // Good times and bad ones, so that the level of the last minutes goes up and down.
        let bad = round / 8 % 2 == 1;
        log.arrives(1);
        number += 1;
        log.later(Span::seconds(if bad && round % 3 > 0 { 3 } else { 1 }));
        let offer = OfferId { domain: DOMAIN, number: round + 1 };
        if round % 5 == 4 {
            log.then(Command::Abandon { conversation: conversation(number) });
        } else {
            log.then(Command::Accept { desk, offer });
            log.then(Command::EndContact { conversation: conversation(number), by: By::Customer });
        }
        log.arrives(2);
        number += 1;
        let (_, _, view) = log.carried_out();
        levels.insert(view.conversations[&conversation(number)].priority);
        log.later(Span::seconds(240));
    }
    let (_, _, view) = log.carried_out();
    let minutes = &view.queues[&queue(1)].policy.minutes;
    let (first, last) = (minutes[0].minute, minutes[minutes.len() - 1].minute);
    assert!(last - first < 60, "from {first} to {last}");
    let hour = Service::sum(minutes, 60, view.now);
    assert!(hour.answered > 9 && hour.abandoned > 1 && hour.within < hour.answered, "{hour:?}");
    assert!(levels.len() > 3, "a level that never changes decides nothing: {levels:?}");
}

#[test]
fn a_rule_does_not_send_on_what_came_too_far() {
    let mut log = Log::with_queues(2);
    let far = TouchpointId { domain: DomainId(2), number: 1 };
    let rules = vec![
        rule(Span::seconds(5), Action::SendTo(far)),
        rule(Span::seconds(6), Action::Close { reason: "nowhere".to_owned() }),
    ];
    log.policy(1, rules.clone(), None);
    log.policy(2, rules, None);
    log.arrives(1);
    let mut sent = Log(log.0.clone(), log.1);
    sent.later(Span::seconds(8));
    sent.then(Command::Tick);
    let (_, events, view) = sent.carried_out();
    assert_eq!(view.conversations[&conversation(1)].stage, Stage::Transferring, "{events:?}");
    for hop in 0..11 {
        let target = TransferTarget::Queue(queue(2 - hop % 2));
        let (conversation, fallback) = (conversation(1), TransferFallback::Source);
        log.then(Command::Transfer { conversation, target, fallback, by: supervisor() });
    }
    log.later(Span::seconds(8));
    log.then(Command::Tick);
    let (_, events, view) = log.carried_out();
    assert!(view.conversations[&conversation(1)].stage.is_terminal(), "{events:?}");
    let applied = events.iter().filter(|kind| matches!(kind, EventKind::RuleApplied { .. })).count();
    assert_eq!(applied, 1, "{events:?}");
}

#[test]
fn rules_that_name_a_deleted_queue_are_passed_over() {
    let mut log = Log::with_queues(2);
    let gone = Some(queue(2));
    let few = |of| vec![Condition { of, measure: Measure::SignedOn, is: Bound::Below(5) }];
    let seconds = Span::seconds;
    let close = Action::Close { reason: "nobody".to_owned() };
    let rules = vec![
        Rule { after: seconds(5), when: few(gone), then: Action::Prioritise(Priority(9)) },
        rule(seconds(5), Action::AddQueue(queue(2))),
        rule(seconds(6), Action::Prioritise(Priority(3))),
        Rule { after: seconds(6), when: few(None), then: Action::MoveTo(queue(2)) },
        Rule { after: seconds(7), when: few(None), then: close },
    ];
    log.policy(1, rules, None);
    log.arrives(1);
    log.then(Command::DeleteTouchpoint { touchpoint: TouchpointId { domain: DOMAIN, number: 2 } });
    log.then(Command::DeleteQueue { queue: queue(2) });
    let (outcome, _, _) = log.carried_out();
    assert!(matches!(outcome, Err(Rejected::InUse { .. })), "{outcome:?}");
    log.policy(1, Vec::new(), None);
    log.then(Command::DeleteQueue { queue: queue(2) });
    let (outcome, _, _) = log.carried_out();
    assert!(outcome.is_ok(), "what stands under an older version keeps no queue: {outcome:?}");
    log.later(seconds(8));
    log.then(Command::Tick);
    let (_, events, _) = log.carried_out();
    let applied: Vec<_> = events
        .iter()
        .filter_map(|kind| match kind {
            EventKind::RuleApplied { rule, .. } => Some(*rule),
            _ => None,
        })
        .collect();
    assert_eq!(applied, [3, 5], "{events:?}");
}
