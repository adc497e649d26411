//! Ranges of configuration, and what changed settings do.

use crate::scene::{Row, Scene, as_it_is, name, person, play};
use crate::settings::{
    AcceptMode, AgentSettings, DomainSettings, LeasePolicy, QueueSettings, RankPolicy, RoutingMode, ToQueue,
    TouchpointSettings,
};
use crate::testing::DOMAIN;
use crate::{AccountId, AgentId, Channel, Command, Points, Priority, QueueId, Span};

/// What it is called, what is changed, the answer.
type Case<S> = (&'static str, fn(&mut S), &'static str);

/// How the answers of changed settings differ from what they should be.
fn refused<S>(make: impl Fn() -> (Scene, S), command: impl Fn(&mut Scene, S) -> Command, cases: &[Case<S>]) {
    let mut wrong = Vec::new();
    for (what, change, answer) in cases {
        let (mut scene, mut settings) = make();
        change(&mut settings);
        let command = command(&mut scene, settings);
        let seen = scene.world.apply(command).map_or_else(|rejected| name(&rejected), |_| "done".to_owned());
        if seen != *answer {
            wrong.push(format!("{what}: {seen}, should be {answer}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

const TOO_LONG: Span = Span(30 * 24 * 3_600_000_000 + 1);

#[test]
fn domains() {
    let settings = || DomainSettings { name: "d".to_owned(), ..DomainSettings::default() };
    let cases: &[Case<DomainSettings>] = &[
        ("as it is", |_| (), "done"),
        ("weight 0", |s| s.weights[Channel::Chat.index()] = Points(0), "Invalid"),
        ("weight 1", |s| s.weights[Channel::Chat.index()] = Points(1), "done"),
        ("weight 100", |s| s.weights[Channel::Chat.index()] = Points(100), "done"),
        ("weight 101", |s| s.weights[Channel::Chat.index()] = Points(101), "Invalid"),
        ("voice 50", |s| s.weights[Channel::Voice.index()] = Points(50), "Invalid"),
        ("voice 52", |s| s.weights[Channel::Voice.index()] = Points(52), "Invalid"),
        ("no name", |s| s.name.clear(), "Invalid"),
        ("name of 1,024 bytes", |s| s.name = "x".repeat(1_024), "done"),
        ("name of 1,025 bytes", |s| s.name = "x".repeat(1_025), "Invalid"),
        ("30 days", |s| s.wait_max = Span(TOO_LONG.0 - 1), "done"),
        ("more than 30 days", |s| s.wait_max = TOO_LONG, "Invalid"),
        ("hold", |s| s.hold_max = TOO_LONG, "Invalid"),
        ("exclusion", |s| s.exclude_missed = TOO_LONG, "Invalid"),
        ("exclusion of the rejected", |s| s.exclude_rejected = TOO_LONG, "Invalid"),
        ("return", |s| s.miss_return = Some(TOO_LONG), "Invalid"),
        ("assigned", |s| s.assigned_max = Some(TOO_LONG), "Invalid"),
        ("retention", |s| s.closed_retention = TOO_LONG, "Invalid"),
        ("window", |s| s.request_window = TOO_LONG, "Invalid"),
        ("grace", |s| s.lease[3] = LeasePolicy { grace: TOO_LONG, ..s.lease[3] }, "Invalid"),
        ("a priority's credit twice", |s| s.rank = aging(&[1, 1]), "Invalid"),
        ("credits", |s| s.rank = aging(&[1, 2]), "done"),
    ];
    refused(|| (Scene::new(), settings()), |_, settings| Command::UpdateDomain { settings }, cases);
}

fn aging(priorities: &[u8]) -> RankPolicy {
    RankPolicy::Aging { credits: priorities.iter().map(|p| (Priority(*p), Span::seconds(60))).collect() }
}

#[test]
fn queues() {
    let settings = || QueueSettings { name: "n".to_owned(), ..QueueSettings::default() };
    let cases: &[Case<QueueSettings>] = &[
        ("as it is", |_| (), "done"),
        ("no name", |s| s.name.clear(), "Invalid"),
        ("wrap-up", |s| s.wrap_up_max = TOO_LONG, "Invalid"),
        ("an empty disposition", |s| s.dispositions = vec![String::new()], "Invalid"),
        ("257 dispositions", |s| s.dispositions = vec!["x".to_owned(); 257], "Invalid"),
    ];
    refused(|| (Scene::new(), settings()), |_, settings| Command::CreateQueue { settings }, cases);
    let update = |s: &mut Scene, settings| Command::UpdateQueue { queue: s.queue, settings };
    refused(|| (Scene::new(), settings()), update, cases);
}

#[test]
fn agents() {
    let make = || {
        let scene = Scene::new();
        let settings = person(&[scene.queue, scene.plain]);
        (scene, settings)
    };
    let cases: &[Case<AgentSettings>] = &[
        ("as it is", |_| (), "done"),
        ("no queue", |s| s.queues.clear(), "done"),
        ("a queue twice", |s| s.queues = vec![s.queues[0], s.queues[0]], "Invalid"),
        ("an unknown queue", |s| s.queues.push(QueueId::new(DOMAIN, 9)), "Invalid"),
        ("a queue of another domain", |s| s.queues.push(QueueId::new(crate::DomainId(2), 1)), "Invalid"),
        ("65 queues", |s| s.queues = (1..=65).map(|no| QueueId::new(DOMAIN, no)).collect(), "Invalid"),
        ("no name", |s| s.name.clear(), "Invalid"),
        ("capacity 0", |s| s.capacity = Points(0), "Invalid"),
        ("capacity 1", |s| s.capacity = Points(1), "done"),
        ("capacity 101", |s| s.capacity = Points(101), "Invalid"),
    ];
    refused(make, |_, settings| Command::CreateAgent { settings }, cases);
    refused(make, |s, settings| Command::UpdateAgent { agent: s.a.agent, settings }, cases);
}

fn stepping(queues: &[QueueId], accept: AcceptMode) -> RoutingMode {
    RoutingMode::ToQueue(ToQueue { queues: queues.to_vec(), priority: Priority(0), accept })
}

#[test]
fn touchpoints() {
    fn mode(settings: &mut TouchpointSettings, accept: AcceptMode) {
        settings.mode = stepping(&[QueueId::new(DOMAIN, 1)], accept);
    }
    let make = || {
        let scene = Scene::new();
        let mode = stepping(&[scene.queue], AcceptMode::Manual { ring: Span::seconds(20) });
        (scene, TouchpointSettings { address: "new".to_owned(), channel: Channel::Voice, mode })
    };
    let cases: &[Case<TouchpointSettings>] = &[
        ("as it is", |_| (), "done"),
        ("no address", |s| s.address.clear(), "Invalid"),
        ("ring too short", |s| mode(s, AcceptMode::Manual { ring: Span::millis(999) }), "Invalid"),
        ("ring shortest", |s| mode(s, AcceptMode::Manual { ring: Span::seconds(1) }), "done"),
        ("ring longest", |s| mode(s, AcceptMode::Manual { ring: Span::seconds(600) }), "done"),
        ("ring too long", |s| mode(s, AcceptMode::Manual { ring: Span::millis(600_001) }), "Invalid"),
        ("confirm too short", |s| mode(s, AcceptMode::Automatic { confirm: Span::millis(499) }), "Invalid"),
        ("confirm shortest", |s| mode(s, AcceptMode::Automatic { confirm: Span::millis(500) }), "done"),
        ("confirm too long", |s| mode(s, AcceptMode::Automatic { confirm: Span::millis(60_001) }), "Invalid"),
        (
            "voice in an inbox",
            |s| s.mode = RoutingMode::Simplified { queues: vec![QueueId::new(DOMAIN, 1)] },
            "Invalid",
        ),
        ("no queue", |s| s.mode = stepping(&[], AcceptMode::Manual { ring: Span::seconds(20) }), "Invalid"),
        (
            "nine queues",
            |s| {
                let queues: Vec<QueueId> = (1..=9).map(|no| QueueId::new(DOMAIN, no)).collect();
                s.mode = stepping(&queues, AcceptMode::Manual { ring: Span::seconds(20) });
            },
            "Invalid",
        ),
        (
            "an unknown agent",
            |s| {
                let accept = AcceptMode::Manual { ring: Span::seconds(20) };
                let agent = AgentId::new(DOMAIN, 9);
                s.mode = RoutingMode::Dedicated { agent, accept, fallback: None };
            },
            "Invalid",
        ),
        (
            "an unknown fallback",
            |s| {
                let accept = AcceptMode::Manual { ring: Span::seconds(20) };
                let fallback = Some((QueueId::new(DOMAIN, 9), Span::seconds(1)));
                s.mode = RoutingMode::Dedicated { agent: AgentId::new(DOMAIN, 1), accept, fallback };
            },
            "Invalid",
        ),
    ];
    refused(make, |_, settings| Command::CreateTouchpoint { settings }, cases);
    let update = |s: &mut Scene, settings| Command::UpdateTouchpoint { touchpoint: s.voice, settings };
    refused(make, update, cases);
}

fn touchpoint_like(s: &Scene, channel: Channel) -> TouchpointSettings {
    TouchpointSettings { channel, ..s.world.shard.touchpoint(s.voice).expect("made").settings }
}

#[test]
fn table() {
    let rows: &[Row] = &[
        (
            "an address twice on one channel",
            as_it_is,
            |s| Command::CreateTouchpoint { settings: touchpoint_like(s, Channel::Voice) },
            "InUse",
            "",
        ),
        (
            "an address on another channel",
            as_it_is,
            |s| Command::CreateTouchpoint { settings: touchpoint_like(s, Channel::Chat) },
            "done",
            "TouchpointCreated",
        ),
        (
            "a touchpoint keeps its address",
            as_it_is,
            |s| Command::UpdateTouchpoint {
                touchpoint: s.voice,
                settings: touchpoint_like(s, Channel::Voice),
            },
            "done",
            "TouchpointChanged",
        ),
        (
            "a touchpoint keeps its channel",
            as_it_is,
            |s| Command::UpdateTouchpoint {
                touchpoint: s.voice,
                settings: touchpoint_like(s, Channel::Chat),
            },
            "Invalid",
            "",
        ),
        (
            "deleted: what is under way goes on",
            Scene::offered,
            |s| Command::DeleteTouchpoint { touchpoint: s.voice },
            "done offered",
            "TouchpointDeleted",
        ),
        (
            "the domain again",
            as_it_is,
            |s| {
                let settings = s.world.shard.domain(DOMAIN).expect("made").settings;
                Command::CreateDomain { account: AccountId(1), settings }
            },
            "done",
            "",
        ),
        (
            "the domain again, of another account",
            as_it_is,
            |s| {
                let settings = s.world.shard.domain(DOMAIN).expect("made").settings;
                Command::CreateDomain { account: AccountId(2), settings }
            },
            "DomainExists",
            "",
        ),
        (
            "an agent leaves the queue of its offer",
            Scene::offered,
            |s| Command::UpdateAgent { agent: s.a.agent, settings: person(&[s.plain]) },
            "done queued",
            "AgentChanged OfferEnded Waiting",
        ),
        (
            "an agent gives up the channel of its offer",
            Scene::offered,
            |s| {
                let channels = [Channel::Chat].into_iter().collect();
                let settings = AgentSettings { channels, ..person(&[s.queue]) };
                Command::UpdateAgent { agent: s.a.agent, settings }
            },
            "done queued",
            "AgentChanged OfferEnded Waiting",
        ),
        (
            "a lower capacity revokes nothing",
            Scene::offered,
            |s| {
                let settings = AgentSettings { capacity: Points(10), ..person(&[s.queue]) };
                Command::UpdateAgent { agent: s.a.agent, settings }
            },
            "done offered",
            "AgentChanged",
        ),
        (
            "work in hand stays",
            Scene::assigned,
            |s| Command::UpdateAgent { agent: s.a.agent, settings: person(&[]) },
            "done assigned",
            "AgentChanged",
        ),
        (
            "an agent joins a queue where something waits",
            |s| {
                s.change(s.a.agent, |settings| settings.queues.clear());
                s.ready(s.a);
                s.waiting();
            },
            |s| Command::UpdateAgent { agent: s.a.agent, settings: person(&[s.queue]) },
            "done offered",
            "AgentChanged Offered",
        ),
        (
            "a lighter channel fits now",
            |s| {
                s.set(|settings| settings.weights[Channel::Chat.index()] = Points(60));
                s.assigned();
                s.voice = s.world.touchpoint(Channel::Chat, &[s.queue]);
                s.waiting();
            },
            |s| {
                let settings = s.world.shard.domain(DOMAIN).expect("made").settings;
                let mut weights = settings.weights;
                weights[Channel::Chat.index()] = Points(49);
                Command::UpdateDomain { settings: DomainSettings { weights, ..settings } }
            },
            "done offered",
            "DomainChanged Offered",
        ),
    ];
    play(rows);
}

#[test]
fn an_offer_keeps_the_weight_it_was_made_with() {
    let mut s = Scene::new();
    s.voice = s.world.touchpoint(Channel::Chat, &[s.queue]);
    s.offered();
    s.set(|settings| settings.weights[Channel::Chat.index()] = Points(40));
    s.world.accept(s.id);
    assert_eq!(s.world.load(s.a), 25);
    s.waiting();
    assert_eq!(s.world.load(s.a), 65);
}

#[test]
fn expected_versions() {
    let mut s = Scene::new();
    s.waiting();
    let version = s.world.shard.conversation(s.id).expect("known").version;
    for (expected, answer) in [(version.0 + 1, "VersionMismatch"), (version.0, "done")] {
        let mut entry = s.world.entry(DOMAIN, Command::Abandon { conversation: s.id }, None);
        entry.request.expected_version = Some(crate::Version(expected));
        let outcome = s.world.shard.apply(&entry, &mut crate::Effects::default());
        assert_eq!(outcome.map_or_else(|rejected| name(&rejected), |_| "done".to_owned()), answer);
    }
}

#[test]
fn another_rank_policy_reorders_what_waits() {
    for (rank, older_goes) in [(RankPolicy::Priority, false), (aging(&[]), true), (aging(&[9]), false)] {
        let mut s = Scene::new();
        s.in_inbox();
        let (older, _) = s.world.started(s.voice, None);
        s.pass(59);
        let (urgent, _) = s.world.started(s.voice, Some(Priority(9)));
        s.set(|settings| settings.rank = aging(&[3]));
        s.set(|settings| settings.rank = rank);
        assert_eq!(s.world.events(), ["DomainChanged"]);
        assert_eq!(s.world.shard.inbox(s.a.agent, 9).len(), 1);
        s.ready(s.a);
        let stages = (s.world.stage(older), s.world.stage(urgent));
        assert_eq!(stages, if older_goes { ("offered", "queued") } else { ("queued", "offered") });
    }
}
