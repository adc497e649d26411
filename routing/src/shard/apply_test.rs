//! Faults, bounds and levels.

use crate::command::{By, Intent};
use crate::settings::{AgentSettings, DomainSettings};
use crate::testing::{DOMAIN, World};
use crate::view::Stage;
use crate::{
    AccountId, AgentId, Alarm, Channel, ChannelSet, Command, DomainId, Effects, Rejected, Span, level,
};

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
    world.ok(Command::SetLevel { level: level::LATEST });
    assert_eq!(world.shard.level(), level::LATEST);
    let above = Command::SetLevel { level: level::REHEARSAL + 1 };
    assert_eq!(world.refused(above), Rejected::Level { level: level::LATEST });
    assert!(matches!(world.refused(Command::SetLevel { level: 1 }), Rejected::Invalid { .. }));
}

/// Who of three agents that tie is picked, in a shard at a level.
fn picked_at(level: u32) -> AgentId {
    let mut world = World::new();
    world.ok(Command::SetLevel { level });
    let queue = world.queue();
    for _ in 0..3 {
        world.ready(&[queue]);
    }
    let touchpoint = world.touchpoint(Channel::Voice, &[queue]);
    let conversation = world.start(touchpoint);
    world.offer_of(conversation).expect("all are free").1
}

#[test]
fn a_tie_goes_another_way_from_the_level_on_that_says_so() {
    let agents = [level::FIRST, level::LATEST, level::REHEARSAL].map(picked_at);
    assert_eq!(agents[0], agents[1]);
    assert_ne!(agents[1], agents[2]);
}
