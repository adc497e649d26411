//! What goes wrong elsewhere, one scenario each, by the name that the contract gives the failure
//! (the last column of its invariants). The cluster's own share of them, what survives crashes and failovers,
//! is in the simulator's swarm and in `node/tests`: docs/routing/TESTS.md says where.

use crate::command::{Arrival, By, Decline, Desk, Intent, TransferFallback, TransferTarget};
use crate::entry::RequestId;
use crate::event::Ending;
use crate::outcome::{DoneWhat, Landing, Rejected};
use crate::scene::{Scene, person};
use crate::settings::{DomainSettings, QueueSettings, RankPolicy, RoutingMode};
use crate::testing::{DOMAIN, World, supervisor};
use crate::view::{Gate, Stage};
use crate::{
    AccountId, Channel, Command, ConversationId, DomainId, Effects, EventKind, Points, Priority, QueueId,
    Shard, Span, TouchpointId,
};

fn arrival(touchpoint: TouchpointId) -> Arrival {
    let (customer, reference) = ("c".to_owned(), String::new());
    Arrival { touchpoint, customer, reference, priority: None, continues: None }
}

fn decline() -> Decline {
    Decline { reason: "busy".to_owned() }
}

/// A queue, its voice line and its chat line.
fn lines(world: &mut World) -> (QueueId, TouchpointId, TouchpointId) {
    let queue = world.queue();
    let voice = world.touchpoint(Channel::Voice, &[queue]);
    let chat = world.touchpoint(Channel::Chat, &[queue]);
    (queue, voice, chat)
}

/// Answers what rings at a desk, until nothing does.
fn takes_all(world: &mut World, desk: Desk) {
    for _ in 0..100 {
        let Some(offer) = world.shard.agent(desk.agent).expect("made").offers.first().cloned() else {
            return;
        };
        world.ok(Command::Accept { desk, offer: offer.id });
    }
    panic!("it rings and rings");
}

///
#[test]
fn two_agents_answer_one_customer() {
    let mut s = Scene::new();
    s.offered();
    let (first, offer) = (s.a, s.offer);
    s.ready(s.b);
    s.world.ok(Command::Reject { desk: first, offer, decline: decline() });
    let (second, to) = s.world.offer_of(s.id).expect("offered to the other one");
    assert_eq!(to, s.b.agent);
    assert!(s.world.shard.agent(first.agent).expect("made").offers.is_empty(), "one rings at a time");
    s.world.ok(Command::Accept { desk: s.b, offer: second });
    assert_eq!(s.world.refused(Command::Accept { desk: first, offer }), Rejected::OfferOver { offer });

    // And from an inbox: the first one has it, the other one is told who.
    s.in_inbox();
    let conversation = s.id;
    s.world.ok(Command::Assign { desk: s.b, conversation });
    let taken = s.world.refused(Command::Assign { desk: s.a, conversation });
    assert_eq!(taken, Rejected::Taken { by: s.b.agent });
    let holds = |desk: Desk| {
        let agent = s.world.shard.agent(desk.agent).expect("made");
        agent.holdings.iter().any(|held| held.conversation == conversation)
    };
    assert_eq!((holds(s.a), holds(s.b)), (false, true));
}

///
#[test]
fn three_instances_each_read_under_limit() {
    let mut world = World::new();
    let (queue, voice, chat) = lines(&mut world);
    let desk = world.ready(&[queue]);
    // Whoever asks, and however often: one log says what fits. 51 + 25 leave no room for another 25.
    for touchpoint in [voice, chat, chat, voice, chat] {
        world.start(touchpoint);
    }
    assert_eq!(world.load(desk), 76);
    takes_all(&mut world, desk);
    assert_eq!(world.load(desk), 76);
    let agent = world.shard.agent(desk.agent).expect("made");
    assert_eq!((agent.offers.len(), agent.holdings.len()), (0, 2));
}

/// what was answered stays, also in a snapshot and in what follows from it. (Failovers: the swarm.)
#[test]
fn accepted_then_gone_after_failover() {
    let mut s = Scene::new();
    s.assigned();
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(&s.world.shard, config).expect("stored");
    let shard = bincode::serde::decode_from_slice::<Shard, _>(&bytes, config).expect("loaded").0;
    let mut world = World { shard, ..s.world };
    assert_eq!(world.stage(s.id), "assigned");
    world.tick();
    let view = world.shard.conversation(s.id).expect("known");
    assert_eq!(view.stage, Stage::Assigned(s.a.agent));
}

///
#[test]
fn ringing_into_a_closed_browser() {
    let mut s = Scene::new();
    s.ready(s.a);
    s.lose();
    s.waiting();
    assert_eq!(s.stage(), "queued", "available, but nobody hears it ring");
    let desk = s.world.desk(s.a.agent);
    assert_eq!(s.rings(s.id), Some(s.a.agent), "there again");
    s.world.presence(desk, Intent::Unavailable { reason: "lunch".to_owned() });
    assert_eq!((s.stage(), s.rings(s.id)), ("queued", None), "gone for lunch");
    s.world.presence(desk, Intent::Available);
    s.world.ok(Command::CloseSession { desk });
    assert_eq!((s.stage(), s.rings(s.id)), ("queued", None), "in the same entry");
}

///
#[test]
fn agents_stuck_in_reserved() {
    let mut s = Scene::new();
    s.offered();
    // The offer goes every way that it can go, and the points with it.
    s.world.ok(Command::Abandon { conversation: s.id });
    assert_eq!(s.world.load(s.a), 0);
    s.waiting();
    let offer = s.world.offer_of(s.id).expect("rings again at once").0;
    s.world.ok(Command::Reject { desk: s.a, offer, decline: decline() });
    assert_eq!(s.world.load(s.a), 0);
    s.ready(s.b);
    s.pass(30);
    s.world.tick();
    assert_eq!(s.world.load(s.b), 0, "missed");
    let agent = s.world.shard.agent(s.b.agent).expect("made");
    assert_eq!((agent.offers.len(), agent.takes_offers()), (0, true));

    let mut s = Scene::new();
    s.assigned();
    s.away(s.a);
    let target = TransferTarget::Inbox(s.plain);
    let (fallback, by) = (TransferFallback::Source, By::Agent(s.a));
    s.world.ok(Command::Transfer { conversation: s.id, target, fallback, by });
    assert_eq!(s.world.load(s.a), 0, "sent on");
}

///
#[test]
fn a_late_write_revives_an_ended_call() {
    let mut s = Scene::new();
    s.offered();
    let (offer, conversation, desk) = (s.offer, s.id, s.a);
    s.world.ok(Command::Abandon { conversation });
    let by = By::Agent(desk);
    let late = [
        Command::Accept { desk, offer },
        Command::Assign { desk, conversation },
        Command::EndContact { conversation, by: By::Customer },
        Command::Abandon { conversation },
        Command::Reprioritise { conversation, priority: Priority(9), by: supervisor() },
        Command::ForceClose { conversation, reason: "late".to_owned(), by: supervisor() },
        Command::Transfer {
            conversation,
            target: TransferTarget::Queue(s.plain),
            fallback: TransferFallback::Source,
            by,
        },
    ];
    let before = s.world.shard.conversation(conversation);
    for command in late {
        s.world.refused(command);
    }
    assert_eq!(s.world.shard.conversation(conversation), before);
    assert_eq!(s.stage(), "abandoned");
}

///
#[test]
fn zombie_offers() {
    let mut s = Scene::new();
    s.offered();
    let ends: [fn(&Scene) -> Command; 3] = [
        |s| Command::Abandon { conversation: s.id },
        |s| Command::ForceClose { conversation: s.id, reason: "x".to_owned(), by: supervisor() },
        |s| Command::Transfer {
            conversation: s.id,
            target: TransferTarget::Inbox(s.plain),
            fallback: TransferFallback::Source,
            by: supervisor(),
        },
    ];
    for end in ends {
        let offer = s.world.offer_of(s.id).expect("rings").0;
        let command = end(&s);
        s.world.ok(command);
        assert_eq!(s.world.events()[0], "OfferEnded", "in the same entry");
        let agent = s.world.shard.agent(s.a.agent).expect("made");
        assert_eq!((agent.load, agent.offers.len()), (0, 0));
        assert_eq!(s.world.refused(Command::Accept { desk: s.a, offer }), Rejected::OfferOver { offer });
        s.waiting();
    }
}

///
#[test]
fn freed_slot_queued_chat_left_waiting() {
    let mut world = World::new();
    let (queue, voice, chat) = lines(&mut world);
    let desk = world.ready(&[queue]);
    let call = world.start(voice);
    world.accept(call);
    let chats = [(); 3].map(|()| world.start(chat));
    assert_eq!(world.load(desk), 76, "room for one of them");
    world.ok(Command::EndContact { conversation: call, by: By::Customer });
    let offered = chats.iter().filter(|chat| world.offer_of(**chat).is_some()).count();
    assert_eq!(offered, 3, "the entry that freed the room gave it to those who waited for it");
}

///
#[test]
fn newest_chat_takes_the_slot() {
    let mut world = World::new();
    let (queue, _, chat) = lines(&mut world);
    let older = world.start(chat);
    world.pass(Span::seconds(9));
    let newer = world.start(chat);
    let small = person(&[queue]);
    let agent = world.agent_with(crate::settings::AgentSettings { capacity: Points(25), ..small });
    let desk = world.desk(agent);
    world.presence(desk, Intent::Available);
    assert!(world.offer_of(older).is_some() && world.offer_of(newer).is_none());
}

///
#[test]
fn back_of_the_line_after_a_transfer() {
    let mut s = Scene::new();
    s.assigned();
    let transferred = s.id;
    s.pass(60);
    let there = s.world.touchpoint(Channel::Voice, &[s.plain]);
    let younger = s.world.start(there);
    s.pass(1);
    s.away(s.a);
    let target = TransferTarget::Queue(s.plain);
    let (fallback, by) = (TransferFallback::Source, By::Agent(s.a));
    s.world.ok(Command::Transfer { conversation: transferred, target, fallback, by });
    s.ready(s.b);
    assert_eq!((s.rings(transferred), s.rings(younger)), (Some(s.b.agent), None));
}

/// a priority is worth a stated time, so nobody waits for ever behind a stream of better ones.
#[test]
fn starved_queues() {
    let credits = vec![(Priority(2), Span::seconds(90))];
    let settings = DomainSettings {
        name: "d".to_owned(),
        rank: RankPolicy::Aging { credits },
        wrap_up_hold: crate::settings::WrapUpHold::None,
        ..DomainSettings::default()
    };
    let mut world = World::with(settings);
    let (queue, voice, _) = lines(&mut world);
    let desk = world.ready(&[queue]);
    let mut now = world.started(voice, Some(Priority(2))).0;
    world.accept(now);
    let (plain, _) = world.started(voice, None);
    let mut before_it = 0;
    while world.offer_of(plain).is_none() {
        assert!(before_it < 10, "starved");
        // There is always a better one.
        world.pass(Span::seconds(15));
        let (next, _) = world.started(voice, Some(Priority(2)));
        world.ok(Command::EndContact { conversation: now, by: By::Agent(desk) });
        if world.offer_of(next).is_some() {
            world.accept(next);
            (now, before_it) = (next, before_it + 1);
        }
    }
    assert_eq!(before_it, 5, "those that came within 90 s, and then it was its turn");
}

///
#[test]
fn declined_once_never_offered_again() {
    let mut s = Scene::new();
    s.offered();
    s.ready(s.b);
    s.waiting();
    s.world.accept(s.id);
    let (other, offer) = (ConversationId::new(DOMAIN, 1), s.offer);
    s.world.ok(Command::Reject { desk: s.a, offer, decline: decline() });
    assert_eq!(s.world.stage(other), "queued", "the other desk is busy");
    let explained = s.world.shard.explain_wait(other).expect("known");
    assert!(matches!(explained.agents[0], (agent, Gate::ExcludedUntil(_)) if agent == s.a.agent));
    s.pass(59);
    s.world.tick();
    assert_eq!(s.rings(other), None);
    s.pass(1);
    s.world.tick();
    assert_eq!(s.rings(other), Some(s.a.agent), "a minute later it is forgotten");
}

/// a full line says so before anything is acknowledged, and what was acknowledged ends once.
#[test]
fn items_lost_past_a_limit() {
    let mut world = World::new();
    let settings = QueueSettings { name: "q".to_owned(), waiting_max: 3, ..QueueSettings::default() };
    let queue = world.queue_with(settings);
    let voice = world.touchpoint(Channel::Voice, &[queue]);
    let taken: Vec<_> = (0..3).map(|_| world.start(voice)).collect();
    assert!(matches!(world.refused(Command::Start(arrival(voice))), Rejected::Full { limit: 3, .. }));
    let desk = world.ready(&[queue]);
    let mut ends = 0;
    for _ in &taken {
        takes_all(&mut world, desk);
        let held = world.shard.agent(desk.agent).expect("made").holdings[0].conversation;
        world.ok(Command::EndContact { conversation: held, by: By::Customer });
        ends += world.events().iter().filter(|event| *event == "Ended").count();
    }
    assert_eq!(ends, 3, "each of them once");
    let ended = |id: &ConversationId| {
        let stage = world.shard.conversation(*id).expect("known").stage;
        matches!(stage, Stage::Ended(Ending::Completed { .. }))
    };
    assert!(taken.iter().all(ended));
}

///
#[test]
fn divergence() {
    let play = |shard: Shard, after: usize| {
        let mut world = World { shard, effects: Effects::default(), time: 1_000_000, index: 0 };
        let entries = script();
        for entry in &entries[after..] {
            drop(world.shard.apply(entry, &mut world.effects));
        }
        (world.shard.state_hash(), world.effects.events)
    };
    let entries = script();
    let (hash, events) = play(Shard::new(crate::ShardId(1)), 0);
    assert_eq!(play(Shard::new(crate::ShardId(1)), 0), (hash, events), "on another replica");
    // And on one that begins with a snapshot from the middle.
    let half = entries.len() / 2;
    let mut world =
        World { shard: Shard::new(crate::ShardId(1)), effects: Effects::default(), time: 0, index: 0 };
    for entry in &entries[..half] {
        drop(world.shard.apply(entry, &mut world.effects));
    }
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(&world.shard, config).expect("stored");
    let loaded = bincode::serde::decode_from_slice::<Shard, _>(&bytes, config).expect("loaded").0;
    assert_eq!(play(loaded, half).0, hash);
}

/// Some entries of a shard, from its first on.
fn script() -> Vec<crate::Entry> {
    let mut world = World { shard: Shard::new(crate::ShardId(1)), index: 0, ..World::new() };
    let (queue, agent) = (QueueId::new(DOMAIN, 1), crate::AgentId::new(DOMAIN, 1));
    let settings = DomainSettings { name: "d".to_owned(), ..DomainSettings::default() };
    let at = |channel: Channel| crate::settings::TouchpointSettings {
        address: channel.name().to_owned(),
        channel,
        mode: RoutingMode::ToQueue(crate::settings::ToQueue {
            queues: vec![queue],
            priority: Priority(0),
            accept: crate::settings::AcceptMode::Manual { ring: Span::seconds(20) },
        }),
    };
    let desk = Desk { agent, epoch: crate::Epoch(1) };
    let mut commands = vec![
        Command::CreateDomain { account: AccountId(1), settings },
        Command::CreateQueue { settings: QueueSettings { name: "q".to_owned(), ..QueueSettings::default() } },
        Command::CreateAgent { settings: person(&[queue]) },
        Command::OpenSession { agent },
        Command::SetPresence { agent, intent: Intent::Available, by: By::Agent(desk) },
        Command::CreateTouchpoint { settings: at(Channel::Voice) },
        Command::CreateTouchpoint { settings: at(Channel::Chat) },
    ];
    for number in 0..12 {
        let touchpoint = TouchpointId::new(DOMAIN, 1 + number % 2);
        commands.push(Command::Start(arrival(touchpoint)));
        commands.push(Command::Accept { desk, offer: crate::OfferId::new(DOMAIN, number) });
    }
    let entry = |command| {
        world.pass(Span::seconds(1));
        world.entry(DOMAIN, command, None)
    };
    commands.into_iter().map(entry).collect()
}

///
#[test]
fn lossy_unordered_webhooks() {
    let mut s = Scene::new();
    let mut last = None;
    let mut versions = std::collections::BTreeMap::new();
    // Entry by entry in one domain: dense, whatever happened.
    for _ in 0..5 {
        for command in [
            Command::SetPresence { agent: s.a.agent, intent: Intent::Available, by: supervisor() },
            Command::Start(arrival(s.voice)),
            Command::PauseQueue { queue: s.queue, paused: true, by: supervisor() },
            Command::PauseQueue { queue: s.queue, paused: false, by: supervisor() },
            Command::LoseLease { desk: s.a },
            Command::OpenSession { agent: s.a.agent },
        ] {
            drop(s.world.apply(command));
            for event in &s.world.effects.events {
                let expected = last.map_or(event.sequence.0, |last: u64| last + 1);
                assert_eq!(event.sequence.0, expected, "a gap");
                last = Some(event.sequence.0);
                let version = versions.insert(event.kind.subject(DOMAIN), event.version);
                assert!(version.is_none_or(|before| event.version.0 == before.0 + 1), "{event:?}");
            }
        }
    }
    assert!(last.is_some_and(|last| last > 20));
}

///
#[test]
fn duplicate_conversations() {
    let mut s = Scene::new();
    let id = RequestId(1_700_000_001_000 << 80 | 7);
    let mut answers = Vec::new();
    for _ in 0..3 {
        let entry = s.world.entry(DOMAIN, Command::Start(arrival(s.voice)), Some(id));
        s.world.effects.clear();
        answers.push(s.world.shard.apply(&entry, &mut s.world.effects));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert!(matches!(&answers[0], Ok(done) if matches!(done.what, DoneWhat::Conversation { .. })));
    assert_eq!(s.world.shard.conversations(DOMAIN, None, 9).len(), 1);
}

/// told twice that it arrived, there is one, and none here. (Asked twice to arrive: `what_is_sent_again_arrives_once`; crashes: the swarm.)
#[test]
fn lost_or_doubled_in_transfer() {
    let mut s = Scene::new();
    s.waiting();
    let to = TouchpointId::new(DomainId(2), 1);
    let (fallback, by) = (TransferFallback::LastQueues, supervisor());
    let target = TransferTarget::Touchpoint(to);
    s.world.ok(Command::Transfer { conversation: s.id, target, fallback, by });
    assert_eq!(s.stage(), "transferring", "nobody's here until it is settled");
    s.ready(s.a);
    assert_eq!(s.rings(s.id), None);
    let there = ConversationId::new(DomainId(2), 5);
    let settled =
        Command::Settle { conversation: s.id, number: 1, recall: None, landing: Landing::Arrived(there) };
    s.world.ok(settled.clone());
    s.world.refused(settled);
    let stage = s.world.shard.conversation(s.id).expect("known").stage;
    assert_eq!(stage, Stage::Ended(Ending::Moved { to: there }));
}

///
#[test]
fn waits_for_ever_on_a_deleted_queue() {
    let mut s = Scene::new();
    s.waiting();
    for touchpoint in [s.voice, s.mail] {
        s.world.ok(Command::DeleteTouchpoint { touchpoint });
    }
    s.world.ok(Command::DeleteQueue { queue: s.queue });
    assert_eq!(s.world.shard.conversation(s.id).expect("known").stage, Stage::Ended(Ending::Expired));
    // And where nobody ever comes, the wait has an end.
    let there = s.world.touchpoint(Channel::Voice, &[s.plain]);
    let pulled = RoutingMode::Simplified { queues: vec![s.plain] };
    let inbox = s.world.touchpoint_with(Channel::Email, pulled);
    let both = [s.world.start(there), s.world.start(inbox)];
    s.pass(24 * 3_600);
    s.world.tick();
    assert_eq!(both.map(|id| s.world.stage(id)), ["closed"; 2]);
}

///
#[test]
fn a_stale_tab_accepts() {
    let mut s = Scene::new();
    s.offered();
    let (tab, offer) = (s.a, s.offer);
    let other_tab = s.world.desk(s.a.agent);
    let refused = s.world.refused(Command::Accept { desk: tab, offer });
    assert_eq!(refused, Rejected::StaleEpoch { current: other_tab.epoch });
    assert_eq!(s.stage(), "offered", "and it still rings where the agent is now");
    s.world.ok(Command::Accept { desk: other_tab, offer });

    let mut s = Scene::new();
    s.offered();
    let (desk, offer) = (s.a, s.offer);
    s.pass(20);
    let late = s.world.apply(Command::Accept { desk, offer });
    assert_eq!(late, Err(Rejected::OfferOver { offer }), "what rang before lunch");
}

///
#[test]
fn one_poisoned_tenant_takes_all_down() {
    let mut s = Scene::new();
    let other = DomainId(2);
    let settings = DomainSettings { name: "other".to_owned(), ..DomainSettings::default() };
    let make = Command::CreateDomain { account: AccountId(2), settings };
    let poison = Command::Panic { message: "poison".to_owned() };
    for command in [make, poison] {
        let entry = s.world.entry(other, command, None);
        drop(s.world.shard.apply(&entry, &mut s.world.effects));
    }
    let poisoned = s.world.shard.domain(other).expect("made");
    assert!(poisoned.quarantined.is_some());
    s.assigned();
    assert_eq!(s.stage(), "assigned", "the neighbour works on");
    let mut effects = Effects::default();
    let command =
        Command::CreateQueue { settings: QueueSettings { name: "q".to_owned(), ..Default::default() } };
    let entry = s.world.entry(other, command, None);
    assert_eq!(s.world.shard.apply(&entry, &mut effects), Err(Rejected::Quarantined));
    assert!(!effects.events.iter().any(|event| matches!(event.kind, EventKind::QueueCreated(_))));
}

/// a domain's crowd costs itself the waiting, not its neighbour's agents.
#[test]
fn noisy_neighbour() {
    let mut s = Scene::new();
    let other = DomainId(2);
    let settings = DomainSettings { name: "other".to_owned(), ..DomainSettings::default() };
    let entry = s.world.entry(other, Command::CreateDomain { account: AccountId(2), settings }, None);
    s.world.shard.apply(&entry, &mut s.world.effects).expect("made");
    s.ready(s.a);
    // Names of the other domain mean nothing here, nor this one's there.
    let foreign = QueueId::new(DOMAIN, s.queue.number);
    let command = Command::PauseQueue { queue: foreign, paused: true, by: supervisor() };
    let entry = s.world.entry(other, command, None);
    let refused = s.world.shard.apply(&entry, &mut s.world.effects);
    assert!(matches!(refused, Err(Rejected::Unknown { .. })), "{refused:?}");
    s.waiting();
    assert_eq!(s.rings(s.id), Some(s.a.agent));
}
