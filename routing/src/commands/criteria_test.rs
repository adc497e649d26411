//! Tables of the commands that bring criteria.

use super::STEPS_MAX;
use crate::command::{Arrival, By, TransferFallback, TransferTarget};
use crate::criteria::limits::CLASSES_MAX;
use crate::criteria::{Criteria, Step};
use crate::scene::{Row, Scene, name, names, play, prefers, requires, skills};
use crate::settings::{RoutingMode, ToQueue, TouchpointSettings};
use crate::testing::{DOMAIN, supervisor};
use crate::{AgentId, Channel, Command, ConversationId, DomainId, QueueId, Rejected, Span, TouchpointId};

/// The first desk can Spanish and billing, the second some Spanish.
fn skilled(s: &mut Scene) {
    s.raised();
    s.can(s.a, &[("es", 80), ("billing", 50)]);
    s.can(s.b, &[("es", 50)]);
}

fn waiting(s: &mut Scene) {
    skilled(s);
    s.waiting();
}

fn assigned(s: &mut Scene) {
    skilled(s);
    s.assigned();
}

fn spanish() -> Criteria {
    Criteria { steps: vec![requires(&[("es", 80)], 20), requires(&[("es", 50)], 0)] }
}

fn none() -> Criteria {
    Criteria::default()
}

fn set(criteria: Criteria, by: By, s: &Scene) -> Command {
    Command::SetCriteria { touchpoint: s.voice, criteria, by }
}

fn at_mail(criteria: Criteria, s: &Scene) -> Command {
    Command::SetCriteria { touchpoint: s.mail, criteria, by: supervisor() }
}

fn change(criteria: Criteria, by: By, s: &Scene) -> Command {
    Command::ChangeCriteria { conversation: s.id, criteria, by }
}

fn start(touchpoint: TouchpointId, criteria: Criteria) -> Command {
    let (customer, reference) = ("c".to_owned(), String::new());
    let arrival = Arrival { touchpoint, customer, reference, priority: None, continues: None };
    Command::StartWith { arrival, criteria }
}

fn transfer(target: TransferTarget, criteria: Criteria, by: By, s: &Scene) -> Command {
    let fallback = TransferFallback::Source;
    Command::TransferAnew { conversation: s.id, target, fallback, criteria, by }
}

fn to_plain(criteria: Criteria, by: By, s: &Scene) -> Command {
    transfer(TransferTarget::Queue(s.plain), criteria, by, s)
}

fn to_b(s: &Scene) -> Command {
    transfer(TransferTarget::Agent(s.b.agent), spanish(), supervisor(), s)
}

#[test]
fn what_is_no_sound_criteria_is_refused_by_each_command() {
    let step = || requires(&[("es", 1)], 20);
    let last = |change: fn(&mut Step)| {
        let mut step = requires(&[("es", 1)], 20);
        change(&mut step);
        Criteria { steps: vec![step] }
    };
    let many = |n: u64| (1..=n).map(|number| AgentId::new(DOMAIN, number)).collect::<Vec<_>>();
    let nowhere = |n: u64| (1..=n).map(|number| QueueId::new(DOMAIN, number)).collect::<Vec<_>>();
    let only = |step: Step| Criteria { steps: vec![step] };
    let agents = |agents| only(Step { agents, lasts: None, ..Step::default() });
    let widens = |widen| only(Step { widen, lasts: None, ..Step::default() });
    let table: Vec<(&str, Criteria, &str)> = vec![
        ("as it should be", spanish(), "done"),
        ("none", none(), "done"),
        ("as many as there may be", Criteria { steps: vec![step(); STEPS_MAX] }, "done"),
        ("too many", Criteria { steps: vec![step(); STEPS_MAX + 1] }, "Invalid"),
        ("for nothing", last(|step| step.required.clear()), "Invalid"),
        ("agents and skills", last(|step| step.agents.push(AgentId::new(DOMAIN, 1))), "Invalid"),
        ("for a second", last(|step| step.lasts = Some(Span::seconds(1))), "done"),
        ("for less", last(|step| step.lasts = Some(Span::millis(999))), "Invalid"),
        ("for a day", last(|step| step.lasts = Some(Span::seconds(86_400))), "done"),
        ("for more", last(|step| step.lasts = Some(Span::millis(86_400_001))), "Invalid"),
        ("never reached", Criteria { steps: vec![requires(&[("es", 1)], 0), step()] }, "Invalid"),
        ("agents", agents(many(2)), "done"),
        ("an agent twice", agents([many(1), many(1)].concat()), "Invalid"),
        ("an unknown agent", agents(many(3)), "Unknown"),
        ("too many agents, some unknown", agents(many(9)), "Invalid"),
        ("queues", widens(nowhere(2)), "done"),
        ("a queue twice", widens([nowhere(1), nowhere(1)].concat()), "Invalid"),
        ("an unknown queue", widens(nowhere(3)), "Unknown"),
        ("too many queues, some unknown", widens(nowhere(9)), "Invalid"),
        ("an unknown skill", only(requires(&[("fr", 1)], 0)), "Unknown"),
        ("an unknown skill is preferred", only(prefers(&[("fr", 1)], 0)), "Unknown"),
        ("a skill twice", only(requires(&[("es", 1), ("es", 2)], 0)), "Invalid"),
        ("no level", only(prefers(&[("es", 0)], 0)), "Invalid"),
        ("a level that nobody has", only(requires(&[("es", 101)], 0)), "Invalid"),
        (
            "too many skills, most unknown",
            only(Step {
                required: (0..9).map(|n| skills(&[(&format!("s{n}"), 1)]).remove(0)).collect(),
                ..Step::default()
            }),
            "Invalid",
        ),
    ];
    let mut wrong = Vec::new();
    for (what, criteria, expected) in table {
        let mut s = Scene::new();
        waiting(&mut s);
        let commands = [
            set(criteria.clone(), supervisor(), &s),
            start(s.voice, criteria.clone()),
            change(criteria.clone(), supervisor(), &s),
            to_plain(criteria, supervisor(), &s),
        ];
        for command in commands {
            let before = s.world.shard.clone();
            let outcome = s.world.apply(command.clone());
            let seen = outcome.as_ref().map_or_else(name, |_| "done".to_owned());
            let kept = outcome.is_ok() || before == s.world.shard;
            if seen != expected || !kept {
                wrong.push(format!("{what}: {seen}, should be {expected}: {command:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn of_a_touchpoint() {
    let rows: &[Row] = &[
        ("below the level", |_| {}, |s| set(none(), supervisor(), s), "Level", ""),
        ("sound", skilled, |s| set(spanish(), supervisor(), s), "done", "TouchpointCriteriaChanged"),
        ("none", skilled, |s| set(none(), By::System, s), "done", "TouchpointCriteriaChanged"),
        ("by an agent", skilled, |s| set(spanish(), By::Agent(s.a), s), "NotAllowed", ""),
        ("by the customer", skilled, |s| set(spanish(), By::Customer, s), "NotAllowed", ""),
        ("by a stale desk", skilled, |s| set(spanish(), By::Agent(s.stale()), s), "StaleEpoch", ""),
        (
            "unknown",
            skilled,
            |_| {
                let touchpoint = TouchpointId::new(DOMAIN, 9);
                Command::SetCriteria { touchpoint, criteria: spanish(), by: By::Customer }
            },
            "Unknown",
            "",
        ),
        ("of an inbox", skilled, |s| at_mail(spanish(), s), "Invalid", ""),
        ("none, of an inbox", skilled, |s| at_mail(none(), s), "done", "TouchpointCriteriaChanged"),
    ];
    play(rows);
}

#[test]
fn of_a_conversation() {
    let by_boss = |s: &mut Scene| change(spanish(), supervisor(), s);
    let rows: &[Row] = &[
        ("below the level", Scene::waiting, by_boss, "Level queued", ""),
        ("waiting", waiting, by_boss, "done queued", "CriteriaChanged"),
        ("by the system", waiting, |s| change(spanish(), By::System, s), "done queued", "CriteriaChanged"),
        ("by an agent", waiting, |s| change(spanish(), By::Agent(s.a), s), "NotAllowed queued", ""),
        ("by the customer", waiting, |s| change(spanish(), By::Customer, s), "NotAllowed queued", ""),
        ("by a stale desk", waiting, |s| change(spanish(), By::Agent(s.stale()), s), "StaleEpoch queued", ""),
        ("unknown", skilled, by_boss, "Unknown", ""),
        (
            "offered: the offer stays, though its agent would not do",
            |s| {
                skilled(s);
                s.ready(s.b);
                s.waiting();
            },
            by_boss,
            "done offered",
            "CriteriaChanged",
        ),
        ("assigned", assigned, by_boss, "WrongState assigned", ""),
        (
            "wrapping",
            |s| {
                skilled(s);
                s.wrapping();
            },
            by_boss,
            "WrongState wrapping",
            "",
        ),
        (
            "ended",
            |s| {
                skilled(s);
                s.abandoned();
            },
            by_boss,
            "WrongState abandoned",
            "",
        ),
        (
            "in an inbox",
            |s| {
                skilled(s);
                s.in_inbox();
            },
            by_boss,
            "Invalid in_inbox",
            "",
        ),
        (
            "dedicated: it asks when it falls back",
            |s| {
                skilled(s);
                s.dedicated(Some((s.queue, Span::seconds(9))));
            },
            by_boss,
            "done queued",
            "CriteriaChanged",
        ),
        (
            "somebody who waits for nobody but the second desk",
            |s| {
                skilled(s);
                s.asking(vec![requires(&[("billing", 1)], 0)]);
                s.ready(s.b);
            },
            by_boss,
            "done queued",
            "CriteriaChanged",
        ),
        (
            "none: anybody may have it",
            |s| {
                skilled(s);
                s.asking(vec![requires(&[("billing", 1)], 0)]);
                s.ready(s.b);
            },
            |s| change(none(), supervisor(), s),
            "done offered",
            "CriteriaChanged Offered",
        ),
        (
            "nobody is left of those named",
            |s| {
                waiting(s);
                s.world.ok(Command::DeleteAgent { agent: s.b.agent });
            },
            |s| change(Criteria { steps: vec![names(&[s.b], 9)] }, supervisor(), s),
            "Unknown queued",
            "",
        ),
    ];
    play(rows);
}

#[test]
fn of_what_arrives() {
    let plainly = |s: &mut Scene| match start(s.voice, none()) {
        Command::StartWith { arrival, .. } => Command::Start(arrival),
        other => other,
    };
    let rows: &[Row] = &[
        ("below the level", |_| {}, |s| start(s.voice, none()), "Level", ""),
        ("nobody can it", skilled, |s| start(s.voice, spanish()), "done", "Arrived CriteriaChanged Waiting"),
        (
            "somebody can it",
            |s| {
                skilled(s);
                s.ready(s.a);
            },
            |s| start(s.voice, spanish()),
            "done",
            "Arrived CriteriaChanged Waiting Offered",
        ),
        ("without any", skilled, |s| start(s.voice, none()), "done", "Arrived Waiting"),
        (
            "its touchpoint's",
            |s| {
                skilled(s);
                let command = set(spanish(), supervisor(), s);
                s.world.ok(command);
            },
            plainly,
            "done",
            "Arrived CriteriaChanged Waiting",
        ),
        (
            "none instead of its touchpoint's",
            |s| {
                skilled(s);
                let command = set(spanish(), supervisor(), s);
                s.world.ok(command);
            },
            |s| start(s.voice, none()),
            "done",
            "Arrived Waiting",
        ),
        ("at an inbox", skilled, |s| start(s.mail, spanish()), "Invalid", ""),
        ("without any, at an inbox", skilled, |s| start(s.mail, none()), "done", "Arrived Waiting"),
        (
            "its touchpoint's, which became an inbox",
            |s| {
                skilled(s);
                let queues = vec![s.queue];
                let accept = crate::settings::AcceptMode::Manual { ring: Span::seconds(20) };
                let step = ToQueue { queues: queues.clone(), priority: crate::Priority(0), accept };
                s.voice = s.world.touchpoint_with(Channel::Email, RoutingMode::ToQueue(step));
                let command = set(spanish(), supervisor(), s);
                s.world.ok(command);
                let mode = RoutingMode::Simplified { queues };
                let settings = TouchpointSettings { address: "i".to_owned(), channel: Channel::Email, mode };
                s.world.ok(Command::UpdateTouchpoint { touchpoint: s.voice, settings });
            },
            plainly,
            "done",
            "Arrived Waiting",
        ),
        (
            "at an unknown touchpoint, and not sound either",
            skilled,
            |_| start(TouchpointId::new(DOMAIN, 9), Criteria { steps: vec![Step::default()] }),
            "Unknown",
            "",
        ),
        (
            "full, and not sound either",
            |s| {
                let mut settings = s.world.shard.queue(s.queue).expect("made").settings;
                settings.waiting_max = 1;
                s.world.ok(Command::UpdateQueue { queue: s.queue, settings });
                waiting(s);
            },
            |s| start(s.voice, Criteria { steps: vec![Step::default()] }),
            "Invalid",
            "",
        ),
        (
            "full",
            |s| {
                let mut settings = s.world.shard.queue(s.queue).expect("made").settings;
                settings.waiting_max = 1;
                s.world.ok(Command::UpdateQueue { queue: s.queue, settings });
                waiting(s);
            },
            |s| start(s.voice, spanish()),
            "Full",
            "",
        ),
        (
            "for somebody who is gone",
            |s| {
                skilled(s);
                let criteria = Criteria { steps: vec![names(&[s.b], 9), requires(&[("es", 1)], 0)] };
                let command = set(criteria, supervisor(), s);
                s.world.ok(command);
                s.world.ok(Command::DeleteAgent { agent: s.b.agent });
            },
            plainly,
            "done",
            "Arrived CriteriaChanged Relaxed Waiting",
        ),
    ];
    play(rows);
}

#[test]
fn of_what_is_transferred() {
    let rows: &[Row] = &[
        ("below the level", Scene::assigned, |s| to_plain(none(), By::Agent(s.a), s), "Level assigned", ""),
        (
            "to a queue",
            |s| {
                assigned(s);
                s.away(s.a);
            },
            |s| to_plain(spanish(), By::Agent(s.a), s),
            "done queued",
            "TransferStarted Released CriteriaChanged Waiting",
        ),
        (
            "to a queue, asking for the source",
            assigned,
            |s| to_plain(spanish(), By::Agent(s.a), s),
            "done offered",
            "TransferStarted Released CriteriaChanged Waiting Offered",
        ),
        (
            "to a queue, asking for nothing any more",
            |s| {
                skilled(s);
                s.asking(vec![requires(&[("billing", 99)], 0)]);
                s.ready(s.b);
            },
            |s| to_plain(none(), supervisor(), s),
            "done offered",
            "TransferStarted CriteriaChanged Waiting Offered",
        ),
        (
            "to an inbox",
            assigned,
            |s| transfer(TransferTarget::Inbox(s.plain), spanish(), By::Agent(s.a), s),
            "done in_inbox",
            "TransferStarted Released CriteriaChanged Waiting",
        ),
        (
            "to an agent, who need not have it",
            |s| {
                assigned(s);
                s.ready(s.b);
            },
            |s| to_b(s),
            "done assigned",
            "TransferStarted CriteriaChanged Offered",
        ),
        (
            "to an agent, from waiting",
            |s| {
                skilled(s);
                s.asking(vec![requires(&[("billing", 99)], 0)]);
                s.ready(s.b);
            },
            |s| to_b(s),
            "done offered",
            "TransferStarted CriteriaChanged Offered",
        ),
        (
            "to an agent without room, and not sound either",
            |s| {
                skilled(s);
                s.set(|settings| settings.overdraft = false);
                s.assigned();
                s.waiting();
            },
            |s| {
                let criteria = Criteria { steps: vec![Step::default()] };
                transfer(TransferTarget::Agent(s.a.agent), criteria, supervisor(), s)
            },
            "NoCapacity queued",
            "",
        ),
        (
            "to another domain",
            assigned,
            |s| {
                let there = TouchpointId::new(DomainId(2), 1);
                transfer(TransferTarget::Touchpoint(there), none(), By::Agent(s.a), s)
            },
            "Invalid assigned",
            "",
        ),
        ("by another", assigned, |s| to_plain(spanish(), By::Agent(s.b), s), "NotAllowed assigned", ""),
        ("by the customer", assigned, |s| to_plain(spanish(), By::Customer, s), "NotAllowed assigned", ""),
        (
            "waiting, by an agent",
            waiting,
            |s| to_plain(spanish(), By::Agent(s.a), s),
            "NotAllowed queued",
            "",
        ),
        (
            "by a stale desk",
            assigned,
            |s| to_plain(spanish(), By::Agent(s.stale()), s),
            "StaleEpoch assigned",
            "",
        ),
        (
            "in wrap-up",
            |s| {
                skilled(s);
                s.wrapping();
            },
            |s| to_plain(spanish(), supervisor(), s),
            "WrongState wrapping",
            "",
        ),
        ("unknown", skilled, |s| to_plain(spanish(), supervisor(), s), "Unknown", ""),
    ];
    play(rows);
}

#[test]
fn sets_of_required_skills_are_bounded_and_free_again_when_conversations_end() {
    let mut s = Scene::new();
    skilled(&mut s);
    s.can(s.b, &[("es", 50), ("de", 1)]);
    let mut sets = (1..=100u8).flat_map(|es| (1..=100u8).map(move |de| [("es", es), ("de", de)]));
    let mut calls: Vec<ConversationId> = Vec::new();
    for _ in 0..CLASSES_MAX / STEPS_MAX {
        let steps = sets.by_ref().take(STEPS_MAX).map(|set| requires(&set, 60)).collect();
        calls.push(s.asking(steps));
    }
    let more = Criteria { steps: vec![requires(&sets.next().expect("one more"), 0)] };
    // The order of a list is nothing new.
    let known = Criteria { steps: vec![requires(&[("de", 1), ("es", 1)], 0)] };
    let full = |rejected: Rejected| matches!(rejected, Rejected::Full { limit: 1_024, .. });
    let refused = [
        start(s.voice, more.clone()),
        change(more.clone(), supervisor(), &s),
        to_plain(more.clone(), supervisor(), &s),
    ];
    for command in refused {
        assert!(full(s.world.refused(command)));
    }
    s.world.ok(start(s.voice, known));
    let of_touchpoint = set(more.clone(), supervisor(), &s);
    s.world.ok(of_touchpoint);
    let Command::StartWith { arrival, .. } = start(s.voice, none()) else { unreachable!("just made") };
    assert!(full(s.world.refused(Command::Start(arrival))), "what its touchpoint asks for");
    s.world.ok(Command::Abandon { conversation: calls[9] });
    s.world.ok(start(s.voice, more));
}
