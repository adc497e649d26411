//! One node: a conversation's whole way, restarts, deadlines, leases, bounds.

use crate::harness;

use actors::{
    CallError, EngineConfig, EventLimits, Found, Query, SessionEnd, SessionHello, SessionMessage, WatchError,
};
use consensus::NodeId;
use consensus::disk::{Area, Operation};
use harness::{
    Cluster, LONG, Site, desk_of, eventually, hello, id, next_of, next_offer, request, run, stage,
};
use routing::command::By;
use routing::event::OfferEnd;
use routing::outcome::DoneWhat;
use routing::{Command, DomainId, Event, EventKind, Rejected, Sequence, Span};
use std::sync::Arc;
use std::time::Duration;

const RING: Span = Span::seconds(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_is_offered_accepted_and_ended() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 1, RING).await;
    let mut session = site.desk(engine, 0).await;
    let conversation = site.start(engine).await;
    let (offer, offered) = next_offer(&mut session).await;
    assert_eq!(offered, conversation);
    let accept = Command::Accept { desk: desk_of(&session), offer };
    let done = session.handle.submit(request(site.domain, accept), LONG).await.unwrap();
    let agent = site.agents[0];
    assert_eq!(done.what, DoneWhat::Assigned { conversation, agent });
    assert_eq!(stage(engine, conversation).await, "assigned");
    let end = Command::EndContact { conversation, by: By::Agent(desk_of(&session)) };
    session.handle.submit(request(site.domain, end), LONG).await.unwrap();
    next_of(&mut session, |message| match message {
        SessionMessage::Event(event) => matches!(event.kind, EventKind::Ended { .. }).then_some(()),
        _ => None,
    })
    .await;
    assert_eq!(stage(engine, conversation).await, "closed");

    // Refusals and unknown ids are answers, not failures.
    let accept = Command::Accept { desk: desk_of(&session), offer };
    let refused = run(engine, site.domain, accept).await;
    assert_eq!(refused, Err(CallError::Rejected(Rejected::OfferOver { offer })));
    let nowhere = run(engine, DomainId(99), Command::CreateQueue { settings: Default::default() }).await;
    assert_eq!(nowhere, Err(CallError::Rejected(Rejected::UnknownDomain)));
    assert!(engine.cluster().alarms.is_empty(), "{:?}", engine.cluster().alarms);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retried_request_is_done_once() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let account_id = id();
    let account = engine.create_account(account_id, "Acme".into(), LONG).await.unwrap();
    assert_eq!(engine.create_account(account_id, "Acme".into(), LONG).await.unwrap(), account);
    let (domain_id, settings) =
        (id(), routing::settings::DomainSettings { name: "x".into(), ..Default::default() });
    let domain = engine.create_domain(domain_id, account.id, settings.clone(), LONG).await.unwrap();
    let again = engine.create_domain(domain_id, account.id, settings, LONG).await.unwrap();
    assert_eq!(again, domain);
    assert_eq!((engine.accounts().len(), engine.domains().len()), (1, 1));
    let site = Site::create(engine, 1, RING).await;
    let hello = hello(site.agents[0]);
    let first = engine.open_session(hello.clone(), LONG).await.unwrap();
    let mut first_messages = first.messages;
    let second = engine.open_session(hello, LONG).await.unwrap();
    assert_eq!(first.epoch, second.epoch);
    let ended = tokio::time::timeout(LONG, first_messages.recv()).await.unwrap();
    assert_eq!(ended, Some(SessionMessage::Ended(SessionEnd::Replaced)));
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_resumes_with_its_epoch_and_a_newer_one_replaces_it() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 1, RING).await;
    let mut session = site.desk(engine, 0).await;
    let conversation = site.start(engine).await;
    let (offer, _) = next_offer(&mut session).await;
    let cursor = Some(session.welcome.sequence);
    let epoch = session.epoch;
    drop(session);
    let agent = site.agents[0];
    let resume = SessionHello { agent, request_id: id(), cursor, epoch: Some(epoch) };
    let mut resumed = engine.open_session(resume, LONG).await.unwrap();
    assert_eq!(resumed.epoch, epoch);
    let offers: Vec<_> =
        resumed.welcome.agent.offers.iter().map(|view| (view.id, view.conversation)).collect();
    assert_eq!(offers, [(offer, conversation)]);
    let newer = engine.open_session(hello(agent), LONG).await.unwrap();
    assert!(newer.epoch > epoch);
    let ended = next_of(&mut resumed, |message| match message {
        SessionMessage::Ended(end) => Some(end),
        _ => None,
    });
    assert_eq!(ended.await, SessionEnd::Replaced);
    let stale = Command::Accept { desk: desk_of(&resumed), offer };
    let refused = run(engine, site.domain, stale).await;
    assert_eq!(refused, Err(CallError::Rejected(Rejected::StaleEpoch { current: newer.epoch })));

    // A desk that saw more than the log holds: somebody must look.
    assert!(engine.cluster().alarms.is_empty());
    let ahead = SessionHello { agent, request_id: id(), cursor: Some(Sequence(1_000_000)), epoch: None };
    engine.open_session(ahead, LONG).await.unwrap();
    assert_eq!(engine.cluster().alarms.len(), 1);
    cluster.stop_all().await;
}

/// Commands would go on, but whoever watches would wait for ever for what came after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_events_cannot_be_written_must_stop() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 1, RING).await;
    assert_eq!(*engine.failure().borrow(), None);
    cluster.disks[&NodeId(1)].fail_next(Operation::Write, Some(Area::Events));
    // Carried out all the same: it is in the log.
    site.start(engine).await;
    let mut failure = engine.failure();
    let why = tokio::time::timeout(LONG, failure.wait_for(Option::is_some)).await.unwrap().unwrap().clone();
    let why = why.expect("a reason");
    assert!(why.contains("event store") && why.contains("check the disk"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_and_a_crash_lose_nothing_acknowledged() {
    let mut cluster = Cluster::start(1).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let session = site.desk(cluster.engine(1), 0).await;
    let conversation = site.start(cluster.engine(1)).await;
    let epoch = session.epoch;
    drop(session);
    let before = events(&cluster, site.domain).await;
    cluster.stop(NodeId(1)).await;
    cluster.run(NodeId(1)).await;
    let engine = cluster.engine(1);
    assert_eq!(stage(engine, conversation).await, "offered");
    assert_eq!(events(&cluster, site.domain).await, before);
    for seed in 0..3 {
        let another = site.start(cluster.engine(1)).await;
        cluster.crash(NodeId(1), seed).await;
        cluster.run(NodeId(1)).await;
        assert_ne!(stage(cluster.engine(1), another).await, "closed");
    }
    let agent = site.agents[0];
    let resume = SessionHello { agent, request_id: id(), cursor: None, epoch: Some(epoch) };
    let resumed = cluster.engine(1).open_session(resume, LONG).await.unwrap();
    assert_eq!(resumed.epoch, epoch, "the lease is re-armed by a new leader");
    let all = events(&cluster, site.domain).await;
    assert_eq!(all[..before.len()], before);
    cluster.stop_all().await;
}

/// All events of a domain, checked to be dense.
async fn events(cluster: &Cluster, domain: DomainId) -> Vec<Arc<Event>> {
    let engine = cluster.engine(1);
    let answer = engine.query(Query::Domain(domain), LONG).await.unwrap();
    let Found::Domain(summary) = answer.found else { panic!("{answer:?}") };
    let mut watch = engine.watch(domain, Sequence(1)).await.unwrap();
    let mut events: Vec<Arc<Event>> = Vec::new();
    while events.len() < usize::try_from(summary.sequence.0).unwrap() {
        events.extend(watch.next().await.unwrap());
    }
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event.sequence.0, place as u64 + 1);
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unanswered_offer_times_out_by_a_tick() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 1, Span::seconds(1)).await;
    let mut session = site.desk(engine, 0).await;
    site.start(engine).await;
    let (offer, _) = next_offer(&mut session).await;
    let end = next_of(&mut session, |message| match message {
        SessionMessage::Event(event) => match event.kind {
            EventKind::OfferEnded { offer: ended, end, .. } if ended == offer => Some(end),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(end.await, OfferEnd::TimedOut);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_is_resumable_and_without_gaps_while_work_goes_on() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1).clone();
    let site = Site::create(&engine, 1, RING).await;
    let mut watch = engine.watch(site.domain, Sequence(1)).await.unwrap();
    let mut changes = engine.changes(site.domain).await.unwrap();
    let working = tokio::spawn({
        let engine = engine.clone();
        async move {
            for _ in 0..200 {
                site.start(&engine).await;
            }
        }
    });
    let mut seen = 0;
    while seen < 300 {
        for event in watch.next().await.unwrap() {
            seen += 1;
            assert_eq!(event.sequence.0, seen);
        }
        if seen % 7 == 0 {
            // As a client that comes back.
            watch = engine.watch(watch.domain(), Sequence(seen + 1)).await.unwrap();
        }
    }
    working.await.unwrap();
    changes.wait_for(|last| last.0 >= 400).await.unwrap();
    let nowhere = engine.watch(DomainId(99), Sequence(1)).await.unwrap_err();
    assert_eq!(nowhere, WatchError::UnknownDomain(DomainId(99)));
    cluster.stop_all().await;
}

/// Every offer of a record is found by its number: those before, between and after long stretches without any.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_is_found_in_the_record_and_what_never_was_is_not() {
    let limits = EventLimits { segment_bytes: 8 << 10, memory_events_max: 64, ..EventLimits::default() };
    let config = EngineConfig { events: limits, ..EngineConfig::default() };
    let cluster = Cluster::start_with(1, config, |_| {}).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 1, RING).await;
    let mut session = site.desk(engine, 0).await;
    let mut made = Vec::new();
    for round in 0..4 {
        for _ in 0..12 {
            let conversation = site.start(engine).await;
            let (offer, _) = next_offer(&mut session).await;
            made.push((offer, conversation));
            run(engine, site.domain, Command::Abandon { conversation }).await.unwrap();
        }
        // More than one read of the record holds.
        for _ in 0..if round == 1 { 600 } else { 3 } {
            site.start_at(engine, site.inbox).await;
        }
    }
    let Found::Domain(summary) = engine.query(Query::Domain(site.domain), LONG).await.unwrap().found else {
        panic!("a domain")
    };
    for (offer, conversation) in &made {
        let event = engine.offer_event(*offer, summary.sequence).await.unwrap().expect("it was made");
        let (found, _) = event.kind.offered().expect("an offer");
        assert_eq!((found.offer, found.conversation), (*offer, *conversation));
    }
    let last = made[made.len() - 1].0.number;
    for number in [0, last + 1, u64::MAX] {
        let never = routing::OfferId::new(site.domain, number);
        assert_eq!(engine.offer_event(never, summary.sequence).await, Ok(None), "{number}");
    }
    let nowhere = routing::OfferId::new(DomainId(99), 1);
    let unknown = engine.offer_event(nowhere, Sequence(1)).await;
    assert_eq!(unknown, Err(WatchError::UnknownDomain(DomainId(99))));
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_desk_loses_its_lease_and_a_beating_one_does_not() {
    let config = EngineConfig { lease: Duration::from_millis(600), ..EngineConfig::default() };
    let cluster = Cluster::start_with(1, config, |_| {}).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 2, RING).await;
    let beating = site.desk(engine, 0).await;
    let mut silent = site.desk(engine, 1).await;
    let beats = tokio::spawn({
        let handle = beating.handle.clone();
        async move {
            loop {
                handle.heartbeat();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
    let end = next_of(&mut silent, |message| match message {
        SessionMessage::Ended(end) => Some(end),
        _ => None,
    });
    assert_eq!(end.await, SessionEnd::LeaseLost);
    eventually("the figures", || {
        let figures = engine.cluster().figures;
        assert_eq!(figures.nodes_unreachable, 0);
        let counted = (figures.agents_silent, figures.leases_led, figures.sessions_here) == (1, 1, 1);
        counted.then_some(())
    })
    .await;
    beats.abort();
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_on_purpose_ends_the_session_with_that_reason() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 2, RING).await;
    let ended = |message| match message {
        SessionMessage::Ended(end) => Some(end),
        _ => None,
    };
    let mut session = site.desk(engine, 0).await;
    session.handle.close(id(), LONG).await.unwrap();
    assert_eq!(next_of(&mut session, ended).await, SessionEnd::Closed);
    let mut session = site.desk(engine, 1).await;
    let by = By::Supervisor("boss".into());
    run(engine, site.domain, Command::LogOut { agent: site.agents[1], by }).await.unwrap();
    assert_eq!(next_of(&mut session, ended).await, SessionEnd::LoggedOut);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inbox_changes_are_told_to_the_queues_agents() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 2, RING).await;
    let mut first = site.desk(engine, 0).await;
    let mut second = site.desk(engine, 1).await;
    let changed = |message| matches!(message, SessionMessage::InboxChanged).then_some(());
    let conversation = site.start_at(engine, site.inbox).await;
    next_of(&mut first, changed).await;
    next_of(&mut second, changed).await;
    let assign = Command::Assign { desk: desk_of(&first), conversation };
    run(engine, site.domain, assign).await.unwrap();
    next_of(&mut second, changed).await;
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_conversation_can_be_watched_until_it_ends() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 0, RING).await;
    let conversation = site.start(engine).await;
    let mut watchers = Vec::new();
    for _ in 0..3 {
        watchers.push(engine.watch_conversation(conversation).await.unwrap());
    }
    let (priority, by) = (routing::Priority(9), By::Supervisor("boss".into()));
    run(engine, site.domain, Command::Reprioritise { conversation, priority, by: by.clone() }).await.unwrap();
    site.start(engine).await;
    let reason = "enough".to_owned();
    run(engine, site.domain, Command::ForceClose { conversation, reason, by }).await.unwrap();
    for watcher in &mut watchers {
        let mut kinds = Vec::new();
        while let Some(event) = tokio::time::timeout(LONG, watcher.recv()).await.unwrap() {
            kinds.push(event.kind.clone());
        }
        assert!(matches!(kinds[0], EventKind::Reprioritised { .. }), "{kinds:?}");
        assert!(matches!(kinds.last(), Some(EventKind::Ended { .. })), "{kinds:?}");
    }
    assert!(engine.watch_conversation(conversation).await.is_err(), "it is over");
    cluster.stop_all().await;
}

// In one thread: nothing is answered while the calls arrive, so how many are refused is certain.
#[tokio::test]
async fn over_its_bounds_a_node_says_when_to_try_again() {
    let config = EngineConfig { calls_max: 2, ..EngineConfig::default() };
    let cluster = Cluster::start_with(1, config, |_| {}).await;
    let engine = cluster.engine(1).clone();
    let site = Site::create(&engine, 1, RING).await;
    let many = (0..50).map(|_| {
        let settings = routing::settings::QueueSettings { name: "more".into(), ..Default::default() };
        run(&engine, site.domain, Command::CreateQueue { settings })
    });
    let answers = futures::future::join_all(many).await;
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    let overloaded = |answer: &&Result<_, CallError>| matches!(answer, Err(CallError::Overloaded { .. }));
    let refused = answers.iter().filter(overloaded).count();
    assert_eq!((done, refused), (2, 48));
    assert_eq!(engine.cluster().figures.overloaded, 48);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_does_not_read_is_ended_and_gets_everything_when_it_returns() {
    let config = EngineConfig { session_messages_max: 4, ..EngineConfig::default() };
    let cluster = Cluster::start_with(1, config, |_| {}).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 1, RING).await;
    let mut session = site.desk(engine, 0).await;
    for _ in 0..4 {
        site.start(engine).await;
        site.start_at(engine, site.inbox).await;
    }
    let mut last = None;
    while let Some(message) = tokio::time::timeout(LONG, session.messages.recv()).await.unwrap() {
        last = Some(message);
        if last == Some(SessionMessage::Ended(SessionEnd::TooSlow)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(last, Some(SessionMessage::Ended(SessionEnd::TooSlow)));
    let agent = site.agents[0];
    let resume = SessionHello { agent, request_id: id(), cursor: None, epoch: Some(session.epoch) };
    let resumed = engine.open_session(resume, LONG).await.unwrap();
    assert_eq!(resumed.epoch, session.epoch);
    assert!(!resumed.welcome.agent.offers.is_empty());
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_quarantines_one_domain_and_raises_an_alarm() {
    let config = EngineConfig { allow_panic: true, ..EngineConfig::default() };
    let mut cluster = Cluster::start_with(1, config, |_| {}).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let other = Site::create(cluster.engine(1), 1, RING).await;
    let _ = run(cluster.engine(1), site.domain, Command::Panic { message: "on purpose".into() }).await;
    let settings = routing::settings::QueueSettings { name: "more".into(), ..Default::default() };
    let refused =
        run(cluster.engine(1), site.domain, Command::CreateQueue { settings: settings.clone() }).await;
    assert_eq!(refused, Err(CallError::Rejected(Rejected::Quarantined)));
    run(cluster.engine(1), other.domain, Command::CreateQueue { settings }).await.unwrap();
    let alarmed = |cluster: &Cluster| cluster.engine(1).cluster().alarms.len() == 1;
    assert!(alarmed(&cluster));
    cluster.stop(NodeId(1)).await;
    cluster.run(NodeId(1)).await;
    eventually("the alarm after a restart", || alarmed(&cluster).then_some(())).await;
    site_is_up(&cluster, &other).await;
    cluster.stop_all().await;
}

async fn site_is_up(cluster: &Cluster, site: &Site) {
    let mut session = site.desk(cluster.engine(1), 0).await;
    site.start(cluster.engine(1)).await;
    next_offer(&mut session).await;
}
