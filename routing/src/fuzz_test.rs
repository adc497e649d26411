//! Random commands in hostile order: nothing panics, a restored shard decides alike, and no
//! agent with room is left beside work that fits it.

use crate::command::{By, Decline, Desk, Intent, TransferFallback, TransferTarget};
use crate::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RankPolicy, RoutingMode, WrapUpHold,
};
use crate::testing::{DOMAIN, World, supervisor};
use crate::view::{DomainView, Gate, Stage};
use crate::{
    AgentId, Channel, ChannelSet, Command, ConversationId, Effects, Epoch, Frozen, OfferId, Picture, Points,
    Priority, QueueId, RequestId, Shard, Span, TouchpointId,
};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CONFIG: bincode::config::Configuration = bincode::config::standard();

fn stored(shard: &Shard) -> Vec<u8> {
    bincode::serde::encode_to_vec(shard, CONFIG).expect("serialises")
}

fn restored(shard: &Shard) -> Shard {
    bincode::serde::decode_from_slice(&stored(shard), CONFIG).expect("deserialises").0
}

fn in_pieces(frozen: &Frozen) -> Vec<u8> {
    let bytes =
        frozen.pieces().map(|piece| bincode::serde::encode_to_vec(piece, CONFIG).expect("serialises"));
    bytes.flatten().collect()
}

fn pick<T: Copy>(rng: &mut ChaCha8Rng, all: &[T]) -> Option<T> {
    if all.is_empty() { None } else { Some(all[rng.random_range(0..all.len())]) }
}

fn settings(rng: &mut ChaCha8Rng) -> DomainSettings {
    let mut weights = DomainSettings::default().weights;
    for weight in &mut weights[1..] {
        *weight = Points(rng.random_range(1..=60));
    }
    DomainSettings {
        name: "d".to_owned(),
        weights,
        rank: if rng.random_bool(0.5) {
            RankPolicy::Priority
        } else {
            RankPolicy::Aging {
                credits: vec![(Priority(1), Span::seconds(5)), (Priority(2), Span::seconds(20))],
            }
        },
        wrap_up_hold: pick(rng, &[WrapUpHold::All, WrapUpHold::Some(Points(10)), WrapUpHold::None])
            .expect("some"),
        overdraft: rng.random_bool(0.5),
        hold_max: Span::seconds(rng.random_range(0..6)),
        exclude_rejected: Span::seconds(rng.random_range(0..20)),
        exclude_missed: Span::seconds(rng.random_range(0..20)),
        miss_limit: rng.random_range(0..4),
        miss_return: rng.random_bool(0.5).then_some(Span::seconds(7)),
        wait_max: Span::seconds(rng.random_range(20..200)),
        assigned_max: rng.random_bool(0.3).then_some(Span::seconds(30)),
        closed_retention: Span::seconds(20),
        ..DomainSettings::default()
    }
}

struct Known {
    queues: Vec<QueueId>,
    agents: Vec<AgentId>,
    touchpoints: Vec<TouchpointId>,
    conversations: Vec<ConversationId>,
    offers: Vec<(OfferId, AgentId)>,
    epochs: std::collections::BTreeMap<AgentId, Epoch>,
}

fn known(view: &DomainView) -> Known {
    Known {
        queues: view.queues.keys().copied().collect(),
        agents: view.agents.keys().copied().collect(),
        touchpoints: view.touchpoints.keys().copied().collect(),
        conversations: view.conversations.keys().copied().collect(),
        offers: view
            .conversations
            .values()
            .filter_map(|conversation| conversation.offer.as_ref())
            .map(|offer| (offer.id, offer.agent))
            .collect(),
        epochs: view.agents.values().map(|agent| (agent.id, agent.epoch)).collect(),
    }
}

fn some_queues(rng: &mut ChaCha8Rng, known: &Known, max: usize) -> Vec<QueueId> {
    let mut queues = known.queues.clone();
    while queues.len() > max || (queues.len() > 1 && rng.random_bool(0.5)) {
        let gone = rng.random_range(0..queues.len());
        queues.swap_remove(gone);
    }
    queues
}

fn accept(rng: &mut ChaCha8Rng) -> AcceptMode {
    if rng.random_bool(0.7) {
        AcceptMode::Manual { ring: Span::seconds(rng.random_range(1..9)) }
    } else {
        AcceptMode::Automatic { confirm: Span::seconds(2) }
    }
}

fn agent_settings(rng: &mut ChaCha8Rng, known: &Known) -> AgentSettings {
    let mut caps = [None; 7];
    caps[rng.random_range(0..7)] = Some(rng.random_range(0..3));
    AgentSettings {
        name: "a".to_owned(),
        capacity: Points(rng.random_range(40..=100)),
        channels: if rng.random_bool(0.7) { ChannelSet::ALL } else { ChannelSet(rng.random_range(1..128)) },
        caps,
        queues: some_queues(rng, known, 4),
    }
}

fn by(rng: &mut ChaCha8Rng, desk: Desk) -> By {
    match rng.random_range(0..4) {
        0 => By::Customer,
        1 => supervisor(),
        _ => By::Agent(desk),
    }
}

fn command(rng: &mut ChaCha8Rng, known: &Known, shard: &Shard) -> Option<Command> {
    let agent = pick(rng, &known.agents);
    let desk = agent.map(|agent| {
        let mut epoch = known.epochs[&agent];
        epoch.0 -= u64::from(epoch.0 > 0 && rng.random_bool(0.02));
        Desk { agent, epoch }
    });
    let conversation = pick(rng, &known.conversations);
    let owned = conversation.and_then(|id| shard.conversation(id)).and_then(|view| view.stage.owner());
    let owner = owned.map(|agent| Desk { agent, epoch: known.epochs[&agent] });
    Some(match rng.random_range(0..100) {
        0 => Command::UpdateDomain { settings: settings(rng) },
        1..3 => Command::PauseQueue {
            queue: pick(rng, &known.queues)?,
            paused: rng.random_bool(0.5),
            by: supervisor(),
        },
        3 => Command::DeleteQueue { queue: pick(rng, &known.queues)? },
        4 => Command::CreateQueue {
            settings: QueueSettings {
                name: "q".to_owned(),
                pick: pick(
                    rng,
                    &[
                        crate::settings::PickPolicy::LongestIdle,
                        crate::settings::PickPolicy::LeastLoaded,
                        crate::settings::PickPolicy::RoundRobin,
                    ],
                )?,
                wrap_up_max: Span::seconds(rng.random_range(0..10)),
                waiting_max: rng.random_range(5..60),
                ..QueueSettings::default()
            },
        },
        5..7 => Command::CreateAgent { settings: agent_settings(rng, known) },
        7..9 => Command::UpdateAgent { agent: agent?, settings: agent_settings(rng, known) },
        9 => Command::DeleteAgent { agent: agent? },
        10..12 => {
            let mode = match rng.random_range(0..4) {
                0 => RoutingMode::Simplified { queues: some_queues(rng, known, 3) },
                1 => RoutingMode::Dedicated {
                    agent: agent?,
                    accept: accept(rng),
                    fallback: pick(rng, &known.queues)
                        .filter(|_| rng.random_bool(0.5))
                        .map(|q| (q, Span::seconds(5))),
                },
                _ => RoutingMode::ToQueue(crate::settings::ToQueue {
                    queues: some_queues(rng, known, 3),
                    priority: Priority(rng.random_range(0..3)),
                    accept: accept(rng),
                }),
            };
            let settings = crate::settings::TouchpointSettings {
                address: format!("t{}", rng.next_u32()),
                channel: pick(rng, &Channel::ALL)?,
                mode,
            };
            Command::CreateTouchpoint { settings }
        }
        12 => Command::DeleteTouchpoint { touchpoint: pick(rng, &known.touchpoints)? },
        13..18 => Command::OpenSession { agent: agent? },
        18 => Command::CloseSession { desk: desk? },
        19..21 => Command::LoseLease { desk: desk? },
        21 => Command::LogOut { agent: agent?, by: supervisor() },
        22..32 => {
            let intent = match rng.random_range(0..6) {
                0 => Intent::Unavailable { reason: "r".to_owned() },
                1 => Intent::Draining { next: "n".to_owned() },
                _ => Intent::Available,
            };
            Command::SetPresence { agent: agent?, intent, by: supervisor() }
        }
        32..50 => Command::Start(crate::command::Arrival {
            touchpoint: pick(rng, &known.touchpoints)?,
            customer: "c".to_owned(),
            reference: String::new(),
            priority: rng.random_bool(0.3).then(|| Priority(rng.random_range(0..4))),
            continues: None,
        }),
        50..52 => Command::Abandon { conversation: conversation? },
        52..66 => {
            let (offer, agent) = pick(rng, &known.offers)?;
            Command::Accept { desk: Desk { agent, epoch: known.epochs[&agent] }, offer }
        }
        66..70 => {
            let (offer, agent) = pick(rng, &known.offers)?;
            let decline = Decline { reason: String::new() };
            Command::Reject { desk: Desk { agent, epoch: known.epochs[&agent] }, offer, decline }
        }
        70..74 => Command::Assign { desk: desk?, conversation: conversation? },
        74..82 => Command::EndContact { conversation: conversation?, by: By::Agent(owner?) },
        82..88 => Command::Complete {
            desk: owner?,
            conversation: conversation?,
            disposition: None,
            notes: String::new(),
        },
        88..94 => {
            let queue = pick(rng, &known.queues)?;
            let fallback = match rng.random_range(0..3) {
                0 => TransferFallback::Source,
                1 => TransferFallback::LastQueues,
                _ => TransferFallback::Queue(queue),
            };
            let target = match rng.random_range(0..4) {
                0 => TransferTarget::Queue(queue),
                1 => TransferTarget::Inbox(queue),
                _ => TransferTarget::Agent(agent?),
            };
            Command::Transfer { conversation: conversation?, target, fallback, by: supervisor() }
        }
        94 => Command::Close { conversation: conversation?, reason: String::new(), by: by(rng, desk?) },
        95 => Command::ForceClose { conversation: conversation?, reason: String::new(), by: supervisor() },
        96..98 => Command::Reprioritise {
            conversation: conversation?,
            priority: Priority(rng.random_range(0..4)),
            by: supervisor(),
        },
        98 => Command::Continue,
        _ => Command::Tick,
    })
}

fn run(seed: u64, steps: u32) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World::with(settings(&mut rng));
    for _ in 0..3 {
        world.queue();
    }
    let queues = known(&world.shard.view(DOMAIN).expect("made")).queues;
    for channel in [Channel::Voice, Channel::Chat, Channel::Email] {
        world.touchpoint(channel, &queues[..1]);
        world.touchpoint(channel, &queues);
        world.ready(&queues);
    }
    let (mut done, mut all) = (0u32, 0u32);
    let mut other = restored(&world.shard);
    let mut frozen: Vec<(Frozen, Vec<u8>)> = Vec::new();
    let mut pictures: Vec<(Picture, DomainView)> = Vec::new();
    for step in 0..steps {
        let view = world.shard.view(DOMAIN).expect("made");
        if rng.random_bool(0.3) {
            world.time += rng.random_range(0..3_000_000);
        }
        let Some(command) = command(&mut rng, &known(&view), &world.shard) else { continue };
        let domain = match command {
            Command::Tick | Command::Continue => crate::DomainId::SHARD,
            _ => DOMAIN,
        };
        // Some bear an id, and some of those one of a clock that is far ahead.
        let made_ms = 1_700_000_000_000 + world.time / 1_000 + [0, 0, 0, 60_000][rng.random_range(0..4)];
        let id = (domain == DOMAIN && rng.random_bool(0.7))
            .then(|| RequestId(u128::from(made_ms) << 80 | u128::from(step)));
        let entry = world.entry(domain, command, id);
        let (mut effects, mut others) = (Effects::default(), Effects::default());
        let outcome = world.shard.apply(&entry, &mut effects);
        assert!(
            effects.alarms.is_empty(),
            "seed {seed} step {step}: {:?}: {:?}",
            entry.request,
            effects.alarms
        );
        let again = other.apply(&entry, &mut others);
        assert_eq!((&outcome, &effects.events), (&again, &others.events), "seed {seed} step {step}");
        assert_eq!(
            world.shard.state_hash(),
            other.state_hash(),
            "seed {seed} step {step}: {:?}",
            entry.request
        );
        all += 1;
        done += u32::from(outcome.is_ok());
        check(&world.shard, seed, step, &entry.request.command);
        if rng.random_bool(0.1) {
            other = restored(&world.shard);
            assert!(other == world.shard, "seed {seed} step {step}: restored differs");
        }
        if rng.random_bool(0.05) {
            frozen.push((world.shard.freeze(), stored(&world.shard)));
        }
        if rng.random_bool(0.05) {
            let view = world.shard.view(DOMAIN).expect("the domain");
            pictures.push((world.shard.picture(DOMAIN).expect("the domain"), view));
        }
        if rng.random_bool(0.02) {
            check_frozen(&mut frozen, seed, step);
            check_pictures(&mut pictures, seed, step);
        }
    }
    check_frozen(&mut frozen, seed, steps);
    check_pictures(&mut pictures, seed, steps);
    assert!(done * 2 > all, "seed {seed}: only {done} of {all} accepted");
}

/// A picture shows what was to be seen when it was taken, whatever came after; some of them go.
fn check_pictures(pictures: &mut Vec<(Picture, DomainView)>, seed: u64, step: u32) {
    for (at, (picture, view)) in pictures.iter().enumerate() {
        let (mut agents, mut touchpoints, mut conversations) = (vec![], vec![], vec![]);
        loop {
            let page = picture.agents(agents.last().map(|(id, _)| *id), 3);
            if page.is_empty() {
                break;
            }
            agents.extend(page.into_iter().map(|agent| (agent.id, agent)));
        }
        loop {
            let page = picture.touchpoints(touchpoints.last().map(|(id, _)| *id), 2);
            if page.is_empty() {
                break;
            }
            touchpoints.extend(page.into_iter().map(|touchpoint| (touchpoint.id, touchpoint)));
        }
        loop {
            let page = picture.conversations(conversations.last().map(|(id, _)| *id), 5);
            if page.is_empty() {
                break;
            }
            conversations.extend(page.into_iter().map(|conversation| (conversation.id, conversation)));
        }
        let shown = DomainView {
            summary: picture.domain().clone(),
            now: picture.now(),
            queues: picture.queues().iter().map(|queue| (queue.id, queue.clone())).collect(),
            agents: agents.into_iter().collect(),
            touchpoints: touchpoints.into_iter().collect(),
            conversations: conversations.into_iter().collect(),
        };
        assert_eq!(shown, *view, "seed {seed} step {step}: the picture {at} is not as it was");
    }
    pictures.retain(|(picture, _)| picture.sequence().0 % 3 != 0);
}

/// What was frozen is as it was, whatever came after; some of it goes.
fn check_frozen(frozen: &mut Vec<(Frozen, Vec<u8>)>, seed: u64, step: u32) {
    for (at, (frozen, bytes)) in frozen.iter().enumerate() {
        assert!(in_pieces(frozen) == *bytes, "seed {seed} step {step}: the copy {at} is not as it was");
        let then: Shard = bincode::serde::decode_from_slice(bytes, CONFIG).expect("deserialises").0;
        assert_eq!(frozen.state_hash(), then.state_hash(), "seed {seed} step {step}: the copy {at}");
    }
    frozen.truncate(frozen.len() / 2);
}

/// Load, and no eligible agent beside waiting work.
fn check(shard: &Shard, seed: u64, step: u32, command: &Command) {
    let view = shard.view(DOMAIN).expect("made");
    let at = format!("seed {seed} step {step} after {command:?}");
    for agent in view.agents.values() {
        let load: u32 = agent.offers.iter().map(|offer| u32::from(offer.weight.0)).sum::<u32>()
            + agent.holdings.iter().map(|held| u32::from(held.weight.0)).sum::<u32>();
        assert_eq!(load, agent.load, "{at}: {agent:?}");
    }
    if shard.is_pending() {
        return;
    }
    for conversation in view.conversations.values() {
        let Stage::Waiting(place) = &conversation.stage else { continue };
        if matches!(place, crate::event::Place::Inbox(_)) {
            continue;
        }
        let explained = shard.explain_wait(conversation.id).expect("waits");
        let free = explained.agents.iter().find(|(_, gate)| *gate == Gate::None);
        assert_eq!(free, None, "{at}: {conversation:?}");
    }
}

#[test]
fn random_commands() {
    for seed in 0..60 {
        run(seed, 400);
    }
}
