//! Faults, repeated requests, bounds and levels.

use crate::command::{By, Intent};
use crate::entry::RequestId;
use crate::settings::{AgentSettings, DomainSettings};
use crate::testing::{DOMAIN, World};
use crate::view::Stage;
use crate::{AccountId, Alarm, Channel, ChannelSet, Command, DomainId, Effects, Rejected, Span};

#[test]
fn a_panic_quarantines_its_domain_only_and_a_restart_does_not_loop() {
    let mut world = World::new();
    let other = DomainId(2);
    let settings = DomainSettings { name: "other".to_owned(), ..DomainSettings::default() };
    let create = world.entry(other, Command::CreateDomain { account: AccountId(2), settings }, None);
    assert!(world.shard.apply(&create, &mut Effects::default()).is_ok());
    let before = world.shard.domain(DOMAIN).expect("made").sequence.0;
    assert_eq!(world.apply(Command::Panic { message: "boom".to_owned() }), Err(Rejected::Quarantined));
    assert_eq!(world.effects.alarms, [Alarm::Quarantined { domain: DOMAIN, reason: "boom".to_owned() }]);
    assert_eq!(world.events(), ["Quarantined"]);
    assert_eq!(world.effects.events[0].sequence.0, before + 1, "dense");
    let bytes = bincode::serde::encode_to_vec(&world.shard, bincode::config::standard()).expect("serialises");
    let (restored, _): (crate::Shard, _) =
        bincode::serde::decode_from_slice(&bytes, bincode::config::standard()).expect("deserialises");
    assert!(restored == world.shard);
    world.shard = restored;
    assert_eq!(
        world.refused(Command::Abandon { conversation: crate::ConversationId::new(DOMAIN, 1) }),
        Rejected::Quarantined
    );
    assert!(world.effects.alarms.is_empty(), "said once");
    let queue = crate::settings::QueueSettings { name: "q".to_owned(), ..Default::default() };
    let entry = world.entry(other, Command::CreateQueue { settings: queue }, None);
    assert!(world.shard.apply(&entry, &mut Effects::default()).is_ok(), "the other goes on");
}

#[test]
fn a_repeated_request_gets_the_first_answer() {
    let mut world = World::new();
    let made_ms = 1_700_000_000_000u128 + u128::from(world.time / 1_000);
    let id = RequestId(made_ms << 80 | 7);
    let settings =
        |name: &str| crate::settings::QueueSettings { name: name.to_owned(), ..Default::default() };
    let first = world.entry(DOMAIN, Command::CreateQueue { settings: settings("a") }, Some(id));
    let answer = world.shard.apply(&first, &mut world.effects);
    world.effects.clear();
    let again = world.entry(DOMAIN, Command::CreateQueue { settings: settings("a") }, Some(id));
    assert_eq!(world.shard.apply(&again, &mut world.effects), answer);
    assert!(world.effects.events.is_empty());
    let other = world.entry(DOMAIN, Command::CreateQueue { settings: settings("b") }, Some(id));
    assert_eq!(world.shard.apply(&other, &mut world.effects), Err(Rejected::RequestIdReused));
    world.pass(Span::seconds(301));
    let late = world.entry(DOMAIN, Command::CreateQueue { settings: settings("a") }, Some(id));
    assert!(matches!(world.shard.apply(&late, &mut world.effects), Err(Rejected::RequestTooOld { .. })));
    assert_eq!(world.shard.queues(DOMAIN, None, 9).len(), 1);
}

#[test]
fn much_to_do_goes_by_continue() {
    let mut world = World::with(DomainSettings {
        name: "d".to_owned(),
        wait_max: Span::seconds(60),
        ..DomainSettings::default()
    });
    let queue = world.queue();
    let touchpoint = world.touchpoint(Channel::Voice, &[queue]);
    world.ok(Command::PauseQueue { queue, paused: true, by: By::System });
    for _ in 0..600 {
        world.start(touchpoint);
        world.ready(&[queue]);
    }
    world.ok(Command::PauseQueue { queue, paused: false, by: By::System });
    let offered = |world: &World| {
        let all = world.shard.conversations(DOMAIN, None, 1_000);
        all.iter().filter(|conversation| matches!(conversation.stage, Stage::Offered(_))).count()
    };
    assert_eq!((offered(&world), world.shard.is_pending()), (256, true));
    world.ok(Command::Continue);
    assert_eq!((offered(&world), world.shard.is_pending()), (512, true));
    world.ok(Command::Continue);
    assert_eq!((offered(&world), world.shard.is_pending()), (600, false));
    world.pass(Span::seconds(61));
    world.tick();
    assert!(world.shard.is_pending(), "600 offers and as many waits are due");
    let mut entries = 1;
    while world.shard.is_pending() {
        world.ok(Command::Continue);
        entries += 1;
    }
    assert!(entries > 3, "{entries}");
    assert_eq!(world.shard.queue(queue).map(|queue| queue.waiting), Some(0));
}

#[test]
fn room_is_held_for_a_better_ranked_bigger_one_for_a_time() {
    let mut world = World::new();
    let queue = world.queue();
    let (voice, chat) =
        (world.touchpoint(Channel::Voice, &[queue]), world.touchpoint(Channel::Chat, &[queue]));
    let agent = world.agent_with(AgentSettings {
        name: "a".to_owned(),
        queues: vec![queue],
        channels: ChannelSet::ALL,
        ..AgentSettings::default()
    });
    let desk = world.desk(agent);
    world.presence(desk, Intent::Available);
    let chats: Vec<_> = (0..4).map(|_| world.start(chat)).collect();
    let (call, late_chat) = (world.start(voice), world.start(chat));
    assert_eq!(world.load(desk), 100);
    world.ok(Command::Abandon { conversation: chats[0] });
    assert_eq!((world.stage(call), world.stage(late_chat)), ("queued", "queued"));
    assert_eq!(world.shard.agent(agent).and_then(|agent| agent.held_for).map(|(held, _)| held), Some(call));
    assert!(!world.shard.is_pending());
    let mut other =
        World { shard: world.shard.clone(), effects: Effects::default(), time: world.time, index: 999 };
    world.ok(Command::Abandon { conversation: chats[1] });
    world.ok(Command::Abandon { conversation: chats[2] });
    assert_eq!((world.stage(call), world.stage(late_chat)), ("offered", "queued"));
    for conversation in &chats {
        if let Some((offer, agent)) = other.offer_of(*conversation) {
            let desk = other.present_desk(agent);
            other.ok(Command::Accept { desk, offer });
        }
    }
    other.pass(Span::seconds(30));
    other.tick();
    assert_eq!((other.stage(call), other.stage(late_chat)), ("queued", "offered"), "bounded");
}

#[test]
fn levels_only_rise_as_far_as_the_build_knows() {
    let mut world = World::new();
    assert_eq!(world.shard.level(), 1);
    world.ok(Command::SetLevel { level: 1 });
    assert!(matches!(world.refused(Command::SetLevel { level: 0 }), Rejected::Invalid { .. }));
    assert_eq!(world.refused(Command::SetLevel { level: 2 }), Rejected::Level { level: 1 });
}

/// An id made at a wall time, in milliseconds after the world's first entry.
fn made_at(ms: u64) -> RequestId {
    RequestId(u128::from(1_700_000_001_000 + ms) << 80 | 1)
}

fn with_id(world: &mut World, id: RequestId, command: Command) -> crate::Outcome {
    let entry = world.entry(DOMAIN, command, Some(id));
    world.effects.clear();
    world.shard.apply(&entry, &mut world.effects)
}

#[test]
fn a_refusal_is_remembered_too() {
    let mut world = World::new();
    let queue = crate::QueueId::new(DOMAIN, 1);
    let command = Command::DeleteQueue { queue };
    let refused = with_id(&mut world, made_at(0), command.clone());
    assert!(matches!(refused, Err(Rejected::Unknown { .. })));
    assert_eq!(world.queue(), queue);
    assert_eq!(with_id(&mut world, made_at(0), command.clone()), refused, "though it exists by now");
    assert!(with_id(&mut world, made_at(1), command).is_ok(), "another intent");
}

#[test]
fn an_answer_is_known_for_the_window_and_its_id_refused_ever_after() {
    let window = DomainSettings::default().request_window;
    for (span, known) in [(Span(window.0 - 1), true), (window, false), (Span(window.0 * 9), false)] {
        let mut world = World::new();
        let pause = Command::PauseQueue { queue: world.queue(), paused: true, by: By::System };
        let first = with_id(&mut world, made_at(0), pause.clone());
        assert!(first.is_ok());
        world.pass(span);
        let again = with_id(&mut world, made_at(0), pause.clone());
        if known {
            assert_eq!(again, first);
        } else {
            assert_eq!(again, Err(Rejected::RequestTooOld { window_s: window.0 / 1_000_000 }));
            let slow_wall = made_at(0);
            let mut entry = world.entry(DOMAIN, pause, Some(slow_wall));
            entry.wall_ms = slow_wall.made_at_ms();
            let outcome = world.shard.apply(&entry, &mut Effects::default());
            assert_eq!(outcome, again, "a wall clock that stood still makes no duplicate");
        }
    }
}
