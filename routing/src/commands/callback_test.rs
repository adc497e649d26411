//! Callbacks and resumed places (docs/routing/callback.md).

use crate::callback::{CallbackSettings, EXPIRED, NOT_REACHED};
use crate::command::{Arrival, By, Decline, Desk, Intent, TransferFallback, TransferTarget};
use crate::event::Ending;
use crate::outcome::DoneWhat;
use crate::policy::{Action, Policy, Rule};
use crate::scene::{Row, Scene, names, play, requires};
use crate::testing::{DOMAIN, supervisor};
use crate::view::{Gate, Stage};
use crate::{Channel, Command, ConversationId, LogTime, Priority, Rejected, Span, TouchpointId, level};

fn settings() -> CallbackSettings {
    CallbackSettings {
        attempts: 2,
        retry_after: Span::seconds(60),
        dial: Span::seconds(30),
        expires_after: Span::seconds(600),
        resume_within: Span::seconds(120),
    }
}

fn with(s: &mut Scene, callback: CallbackSettings) {
    s.world.ok(Command::SetLevel { level: level::CALLBACK });
    s.world.ok(Command::SetCallback { callback: Some(callback), by: supervisor() });
}

fn on(s: &mut Scene) {
    with(s, settings());
}

fn request(s: &Scene, seconds: u64) -> Command {
    let not_before = (seconds > 0).then(|| Span::seconds(seconds));
    Command::RequestCallback { conversation: s.id, contact: "+34 600".to_owned(), not_before }
}

fn now_please(s: &mut Scene) -> Command {
    request(s, 0)
}

fn cancel(s: &mut Scene) -> Command {
    Command::CancelCallback { conversation: s.id }
}

fn failed(s: &Scene, desk: Desk) -> Command {
    let offer = s.world.offer_of(s.id).expect("offered").0;
    Command::ConnectFailed { desk, offer, reason: "busy".to_owned() }
}

/// The scene's conversation waits and is to be called back.
fn called(s: &mut Scene) {
    on(s);
    s.waiting();
    let command = request(s, 0);
    s.world.ok(command);
}

/// The first desk has accepted it, and dials.
fn dialling(s: &mut Scene) {
    called(s);
    s.ready(s.a);
    s.offer = s.world.offer_of(s.id).expect("offered").0;
    s.world.ok(Command::Accept { desk: s.a, offer: s.offer });
}

fn start(touchpoint: TouchpointId, continues: ConversationId) -> Command {
    let (customer, reference) = ("c".to_owned(), String::new());
    Command::Start(Arrival { touchpoint, customer, reference, priority: None, continues: Some(continues) })
}

#[test]
fn settings_are_checked() {
    type Spoil = fn(&mut CallbackSettings);
    let rows: [(&str, Spoil); 10] = [
        ("no attempt", |c| c.attempts = 0),
        ("eleven", |c| c.attempts = 11),
        ("at once", |c| c.retry_after = Span::millis(999)),
        ("after more than a day", |c| c.retry_after = Span::seconds(86_401)),
        ("no time to dial", |c| c.dial = Span::millis(999)),
        ("too much of it", |c| c.dial = Span::seconds(301)),
        ("expires at once", |c| c.expires_after = Span::seconds(59)),
        ("after more than a week", |c| c.expires_after = Span::seconds(604_801)),
        ("resumed when it is forgotten", |c| c.resume_within = Span::seconds(301)),
        ("for ever", |c| c.resume_within = Span(u64::MAX)),
    ];
    let mut s = Scene::new();
    let set = |callback| Command::SetCallback { callback, by: supervisor() };
    assert_eq!(s.world.refused(set(Some(settings()))), Rejected::Level { level: 1 });
    s.world.ok(Command::SetLevel { level: level::CALLBACK });
    for (what, spoil) in rows {
        let mut callback = settings();
        spoil(&mut callback);
        assert!(matches!(s.world.refused(set(Some(callback))), Rejected::Invalid { .. }), "{what}");
    }
    let by = By::Agent(s.a);
    let by_agent = Command::SetCallback { callback: Some(settings()), by };
    assert!(matches!(s.world.refused(by_agent), Rejected::NotAllowed { .. }));
    s.world.ok(set(Some(settings())));
    assert_eq!(s.world.events(), ["CallbackChanged"]);
    s.world.ok(set(Some(settings())));
    assert_eq!(s.world.events(), [""; 0], "the same again");
    assert_eq!(s.world.shard.domain(DOMAIN).expect("made").callback, Some(settings()));
    s.world.ok(set(None));
    assert_eq!(s.world.shard.domain(DOMAIN).expect("made").callback, None);
}

#[test]
fn requests() {
    let rows: &[Row] = &[
        (
            "waiting",
            |s| {
                on(s);
                s.waiting()
            },
            now_please,
            "done queued",
            "CallbackRequested",
        ),
        (
            "it rings, and is matched again",
            |s| {
                on(s);
                s.offered()
            },
            now_please,
            "done offered",
            "OfferEnded CallbackRequested Waiting Offered",
        ),
        (
            "it rings, but is not to be called yet",
            |s| {
                on(s);
                s.offered()
            },
            |s| request(s, 5),
            "done queued",
            "OfferEnded CallbackRequested Waiting",
        ),
        (
            "for one agent alone",
            |s| {
                on(s);
                s.dedicated(None);
            },
            now_please,
            "done queued",
            "CallbackRequested",
        ),
        (
            "the domain calls nobody back",
            |s| {
                s.world.ok(Command::SetLevel { level: level::CALLBACK });
                s.waiting()
            },
            now_please,
            "NotAllowed queued",
            "",
        ),
        ("below the level", Scene::waiting, now_please, "Level queued", ""),
        ("twice", called, now_please, "WrongState queued", ""),
        (
            "in an inbox",
            |s| {
                on(s);
                s.in_inbox()
            },
            now_please,
            "WrongState in_inbox",
            "",
        ),
        (
            "assigned",
            |s| {
                on(s);
                s.assigned()
            },
            now_please,
            "WrongState assigned",
            "",
        ),
        (
            "abandoned",
            |s| {
                on(s);
                s.abandoned()
            },
            now_please,
            "WrongState abandoned",
            "",
        ),
        ("being dialled", dialling, now_please, "WrongState offered", ""),
        ("unknown", on, now_please, "Unknown", ""),
        (
            "later than it expires",
            |s| {
                on(s);
                s.waiting()
            },
            |s| request(s, 600),
            "Invalid queued",
            "",
        ),
        (
            "too long a contact",
            |s| {
                on(s);
                s.waiting()
            },
            |s| Command::RequestCallback { conversation: s.id, contact: "9".repeat(65), not_before: None },
            "Invalid queued",
            "",
        ),
        (
            "the customer hangs up",
            called,
            |s| Command::Abandon { conversation: s.id },
            "WrongState queued",
            "",
        ),
        ("cancelled", called, cancel, "done abandoned", "Ended"),
        ("cancelled while it is dialled", dialling, cancel, "done abandoned", "OfferEnded Ended"),
        (
            "cancelled, though nobody is to be called",
            |s| {
                on(s);
                s.waiting()
            },
            cancel,
            "WrongState queued",
            "",
        ),
        (
            "into an inbox",
            called,
            |s| {
                let target = TransferTarget::Inbox(s.plain);
                let fallback = TransferFallback::Source;
                Command::Transfer { conversation: s.id, target, fallback, by: supervisor() }
            },
            "WrongState queued",
            "",
        ),
        (
            "into another queue",
            called,
            |s| {
                let target = TransferTarget::Queue(s.plain);
                let fallback = TransferFallback::Source;
                Command::Transfer { conversation: s.id, target, fallback, by: supervisor() }
            },
            "done queued",
            "TransferStarted Waiting",
        ),
        (
            "a supervisor closes it",
            called,
            |s| Command::ForceClose { conversation: s.id, reason: "x".to_owned(), by: supervisor() },
            "done closed",
            "Ended",
        ),
    ];
    play(rows);
}

/// The table of docs/routing/callback.md.
#[test]
fn a_caller_who_hangs_up() {
    let mut s = Scene::new();
    on(&mut s);
    let began = s.world.time;
    let rosa = s.world.start(s.voice);
    s.id = rosa;
    s.pass(30);
    let next = s.world.start(s.voice);
    s.pass(30);
    let command = request(&s, 0);
    s.world.ok(command);
    s.pass(30);
    s.ready(s.a);
    assert_eq!(s.rings(rosa), Some(s.a.agent), "she was first, and is");
    let (offer, _) = s.world.offer_of(rosa).expect("offered");
    let dialled = s.world.ok(Command::Accept { desk: s.a, offer });
    assert!(matches!(dialled.what, DoneWhat::Connecting { .. }));
    s.pass(20);
    let command = failed(&s, s.a);
    s.world.ok(command);
    assert_eq!(s.world.events(), ["OfferEnded", "CallbackTried", "Waiting", "Offered"]);
    assert_eq!(
        (s.rings(rosa), s.rings(next)),
        (None, Some(s.a.agent)),
        "nobody waits for who does not answer"
    );
    let view = s.world.shard.conversation(rosa).expect("known");
    let callback = view.callback.expect("it stands");
    assert_eq!((callback.attempts, callback.not_before), (1, Some(LogTime(began + 170_000_000))));
    assert_eq!(s.world.shard.agent(s.a.agent).expect("made").misses, 0, "no miss");
    s.world.accept(next);
    s.ready(s.b);
    s.pass(59);
    s.world.tick();
    assert_eq!(s.rings(rosa), None);
    s.pass(1);
    s.world.tick();
    assert_eq!(s.rings(rosa), Some(s.b.agent));
    let (offer, _) = s.world.offer_of(rosa).expect("offered");
    s.world.ok(Command::Accept { desk: s.b, offer });
    s.world.ok(Command::Connected { desk: s.b, offer });
    let view = s.world.shard.conversation(rosa).expect("known");
    assert_eq!((view.stage.name(), view.callback), ("assigned", None));
    assert_eq!(view.arrived_at, LogTime(began), "her age is what it was");
}

#[test]
fn the_last_attempt_closes_it_and_silence_is_none() {
    let mut s = Scene::new();
    dialling(&mut s);
    s.pass(30);
    s.world.tick();
    assert_eq!(s.world.events(), ["OfferEnded", "Waiting"], "no word: a miss");
    let attempts =
        |s: &Scene| s.world.shard.conversation(s.id).expect("known").callback.expect("stands").attempts;
    assert_eq!((attempts(&s), s.world.shard.agent(s.a.agent).expect("made").misses), (0, 1));
    for _ in 0..2 {
        s.pass(61);
        s.world.tick();
        let (offer, agent) = s.world.offer_of(s.id).expect("offered");
        assert_eq!(agent, s.a.agent);
        s.world.ok(Command::Accept { desk: s.a, offer });
        let command = failed(&s, s.a);
        s.world.ok(command);
    }
    assert_eq!(s.world.events(), ["OfferEnded", "CallbackTried", "Ended"]);
    let stage = s.world.shard.conversation(s.id).expect("known").stage;
    assert_eq!(stage, Stage::Ended(Ending::Closed { reason: NOT_REACHED.to_owned(), by: By::System }));
    assert_eq!(s.world.load(s.a), 0);
}

#[test]
fn a_callback_has_a_limit_of_its_own_which_waits_for_an_offer() {
    let mut s = Scene::new();
    s.set(|domain| domain.wait_max = Span::seconds(100));
    called(&mut s);
    s.pass(599);
    s.world.tick();
    assert_eq!(s.stage(), "queued", "longer than anybody else may wait");
    s.ready(s.a);
    let (offer, _) = s.world.offer_of(s.id).expect("offered");
    s.world.ok(Command::Accept { desk: s.a, offer });
    s.pass(10);
    s.world.tick();
    assert_eq!(s.stage(), "offered", "somebody dials");
    let command = failed(&s, s.a);
    s.world.ok(command);
    assert_eq!(s.world.events(), ["OfferEnded", "CallbackTried", "Waiting", "Ended"]);
    let stage = s.world.shard.conversation(s.id).expect("known").stage;
    assert_eq!(stage, Stage::Ended(Ending::Closed { reason: EXPIRED.to_owned(), by: By::System }));
}

#[test]
fn what_rests_is_in_no_line_and_comes_back_at_its_age() {
    let mut s = Scene::new();
    on(&mut s);
    s.waiting();
    let first = s.id;
    s.pass(1);
    let second = s.world.start(s.voice);
    let command = request(&s, 50);
    s.world.ok(command);
    let until = LogTime(s.world.time + 50_000_000);
    let queue = s.world.shard.queue(s.queue).expect("made");
    assert_eq!(queue.waiting, 1);
    let explained = s.world.shard.explain_wait(first).expect("known");
    assert!(explained.agents.iter().all(|(_, gate)| *gate == Gate::Rests { until }), "{explained:?}");
    let expected = s.world.shard.expected_wait(first).expect("known");
    assert_eq!(expected.unknown, Some(crate::expected::Unknown::Rests(until)));
    assert_eq!(s.world.shard.explain_wait(second).expect("known").position, 1);
    s.ready(s.a);
    assert_eq!((s.rings(first), s.rings(second)), (None, Some(s.a.agent)));
    s.world.accept(second);
    s.pass(50);
    let third = s.world.start(s.voice);
    s.ready(s.b);
    assert_eq!((s.rings(first), s.rings(third)), (Some(s.b.agent), None), "it is the oldest");
}

#[test]
fn a_rejected_callback_is_offered_to_the_next_and_what_is_under_way_keeps_its_settings() {
    let mut s = Scene::new();
    called(&mut s);
    s.world.ok(Command::SetCallback { callback: None, by: supervisor() });
    s.ready(s.a);
    let (offer, _) = s.world.offer_of(s.id).expect("offered");
    s.ready(s.b);
    s.world.ok(Command::Reject { desk: s.a, offer, decline: Decline { reason: String::new() } });
    assert_eq!(s.rings(s.id), Some(s.b.agent));
    let (offer, _) = s.world.offer_of(s.id).expect("offered");
    s.world.ok(Command::Accept { desk: s.b, offer });
    let command = failed(&s, s.b);
    s.world.ok(command);
    assert_eq!(s.world.shard.conversation(s.id).expect("known").callback.expect("stands").attempts, 1);
}

#[test]
fn a_rule_makes_callbacks_and_none_takes_them_away() {
    let mut s = Scene::new();
    s.world.ok(Command::SetLevel { level: level::CALLBACK });
    let rule = |seconds, then| Rule { after: Span::seconds(seconds), when: Vec::new(), then };
    let close = Action::Close { reason: "too long".to_owned() };
    let rules = vec![
        rule(10, Action::CallBack),
        rule(20, Action::CallBack),
        rule(30, Action::Prioritise(Priority(7))),
        rule(40, close),
    ];
    let policy = Policy { rules, target: None };
    s.world.ok(Command::SetPolicy { queue: s.queue, policy, by: supervisor() });
    s.waiting();
    s.pass(10);
    s.world.tick();
    assert_eq!(s.world.events(), [""; 0], "passed over: the domain calls nobody back");
    s.world.ok(Command::SetCallback { callback: Some(settings()), by: supervisor() });
    s.pass(10);
    s.world.tick();
    assert_eq!(s.world.events(), ["RuleApplied", "CallbackRequested"]);
    s.pass(10);
    s.world.tick();
    assert_eq!(s.world.events(), ["RuleApplied", "Reprioritised"]);
    s.pass(10);
    s.world.tick();
    assert_eq!((s.world.events(), s.stage()), (Vec::new(), "queued"), "what was promised is kept");
}

#[test]
fn rules_rest_with_it() {
    let mut s = Scene::new();
    on(&mut s);
    let rules =
        vec![Rule { after: Span::seconds(5), when: Vec::new(), then: Action::Prioritise(Priority(7)) }];
    let policy = Policy { rules, target: None };
    s.world.ok(Command::SetPolicy { queue: s.queue, policy, by: supervisor() });
    s.waiting();
    let command = request(&s, 30);
    s.world.ok(command);
    s.pass(20);
    s.world.tick();
    assert_eq!(s.world.events(), [""; 0]);
    s.pass(10);
    s.world.tick();
    assert_eq!(s.world.events(), ["RuleApplied", "Reprioritised"]);
}

#[test]
fn what_rests_loses_a_queue_or_an_agent_like_any() {
    let mut s = Scene::new();
    on(&mut s);
    s.waiting();
    let command = request(&s, 60);
    s.world.ok(command);
    s.world.ok(Command::DeleteTouchpoint { touchpoint: s.voice });
    s.world.ok(Command::DeleteTouchpoint { touchpoint: s.mail });
    s.world.ok(Command::DeleteQueue { queue: s.queue });
    assert_eq!(s.world.events(), ["QueueDeleted", "Ended"]);

    let mut s = Scene::new();
    on(&mut s);
    let touchpoint = s.dedicated(Some((s.plain, Span::seconds(900))));
    let command = request(&s, 60);
    s.world.ok(command);
    s.world.ok(Command::DeleteTouchpoint { touchpoint });
    s.world.ok(Command::DeleteAgent { agent: s.a.agent });
    assert_eq!(s.world.events(), ["AgentDeleted", "Waiting"]);
    s.ready(s.b);
    assert_eq!(s.rings(s.id), None);
    s.pass(60);
    s.world.tick();
    assert_eq!(s.rings(s.id), Some(s.b.agent));

    let mut s = Scene::new();
    on(&mut s);
    s.can(s.b, &[("es", 5)]);
    s.id = s.asking(vec![names(&[s.a], 900), requires(&[("es", 5)], 900)]);
    let command = request(&s, 60);
    s.world.ok(command);
    s.world.ok(Command::DeleteAgent { agent: s.a.agent });
    assert_eq!(s.world.events(), ["AgentDeleted", "Relaxed"]);
    s.ready(s.b);
    s.pass(60);
    s.world.tick();
    assert_eq!(s.rings(s.id), Some(s.b.agent));
}

#[test]
fn a_supervisor_may_have_it_called_before() {
    let mut s = Scene::new();
    on(&mut s);
    s.waiting();
    s.ready(s.b);
    s.away(s.b);
    let command = request(&s, 60);
    s.world.ok(command);
    s.world.presence(s.b, Intent::Available);
    assert_eq!(s.rings(s.id), None);
    let (target, fallback) = (TransferTarget::Agent(s.b.agent), TransferFallback::Source);
    s.world.ok(Command::Transfer { conversation: s.id, target, fallback, by: supervisor() });
    let (offer, _) = s.world.offer_of(s.id).expect("offered");
    s.world.ok(Command::Accept { desk: s.b, offer });
    let command = failed(&s, s.b);
    s.world.ok(command);
    assert_eq!(s.world.events(), ["OfferEnded", "CallbackTried", "TransferFailed", "Waiting"]);
    assert_eq!(s.rings(s.id), None, "it rests again");
}

/// The second table of docs/routing/callback.md.
#[test]
fn who_was_cut_off_has_the_place_again() {
    let mut s = Scene::new();
    on(&mut s);
    let began = s.world.time;
    s.waiting();
    let first = s.id;
    s.pass(60);
    let other = s.world.start(s.voice);
    s.world.ok(Command::Abandon { conversation: first });
    s.pass(30);
    let command = start(s.voice, first);
    let done = s.world.ok(command.clone());
    assert_eq!(s.world.events(), ["Arrived", "Resumed", "Waiting"]);
    let DoneWhat::Resumed { id, .. } = done.what else { panic!("{done:?}") };
    assert_eq!(s.world.shard.conversation(id).expect("known").arrived_at, LogTime(began));
    s.ready(s.a);
    assert_eq!((s.rings(id), s.rings(other)), (Some(s.a.agent), None));
    let again = s.world.ok(command);
    assert!(matches!(again.what, DoneWhat::Conversation { .. }), "nobody has it twice");
}

#[test]
fn a_place_is_kept_for_a_time_by_its_channel_and_only_if_it_was_left() {
    type Given = fn(&mut Scene);
    let rows: [(&str, Given, bool); 7] = [
        (
            "in time",
            |s| {
                s.abandoned();
                s.pass(120)
            },
            true,
        ),
        (
            "a callback that was cancelled",
            |s| {
                s.waiting();
                for c in [request(s, 0), cancel(s)] {
                    s.world.ok(c);
                }
            },
            true,
        ),
        (
            "too late",
            |s| {
                s.abandoned();
                s.pass(121)
            },
            false,
        ),
        (
            "forgotten",
            |s| {
                s.abandoned();
                s.pass(300)
            },
            false,
        ),
        ("it still waits", Scene::waiting, false),
        ("it was closed", Scene::closed, false),
        (
            "by another channel",
            |s| {
                s.abandoned();
                s.voice = s.world.touchpoint(Channel::Chat, &[s.queue])
            },
            false,
        ),
    ];
    for (what, given, resumed) in rows {
        let mut s = Scene::new();
        on(&mut s);
        given(&mut s);
        let done = s.world.ok(start(s.voice, s.id));
        assert_eq!(matches!(done.what, DoneWhat::Resumed { .. }), resumed, "{what}: {done:?}");
    }
    let mut s = Scene::new();
    with(&mut s, CallbackSettings { resume_within: Span::ZERO, ..settings() });
    s.abandoned();
    let done = s.world.ok(start(s.voice, s.id));
    assert!(matches!(done.what, DoneWhat::Conversation { .. }), "nothing is resumed here");
}

#[test]
fn limits_and_rules_count_from_its_own_start() {
    let mut s = Scene::new();
    s.set(|domain| domain.wait_max = Span::seconds(100));
    on(&mut s);
    let rules =
        vec![Rule { after: Span::seconds(50), when: Vec::new(), then: Action::Prioritise(Priority(7)) }];
    let policy = Policy { rules, target: None };
    s.world.ok(Command::SetPolicy { queue: s.queue, policy, by: supervisor() });
    s.waiting();
    s.pass(40);
    s.world.ok(Command::Abandon { conversation: s.id });
    s.pass(20);
    let done = s.world.ok(start(s.voice, s.id));
    let DoneWhat::Resumed { id, .. } = done.what else { panic!("{done:?}") };
    s.id = id;
    s.pass(49);
    s.world.tick();
    assert_eq!(s.world.events(), [""; 0]);
    s.pass(1);
    s.world.tick();
    assert_eq!(s.world.events(), ["RuleApplied", "Reprioritised"]);
    s.pass(49);
    s.world.tick();
    assert_eq!(s.stage(), "queued");
    s.pass(1);
    s.world.tick();
    assert_eq!(s.stage(), "closed");
}
