//! A conversation waits, a supervisor holds it out to an agent by hand, and while that offer is open the
//! place where it waited is deleted: the queue, or the agent it was dedicated to. However the offer
//! ends, engine and model agree, every promise is kept, and nobody is left behind.

use crate::support::machine::{Engine, Machine};
use crate::support::run::{disagreement, listed};
use routing::command::{Arrival, By, Decline, Desk, Intent, TransferFallback, TransferTarget};
use routing::entry::Request;
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
};
use routing::view::ConversationView;
use routing::{
    AccountId, AgentId, Channel, ChannelSet, Command, ConversationId, DomainId, Entry, Epoch, LogTime,
    OfferId, Points, Position, Priority, QueueId, Span, TouchpointId,
};

const DOMAIN: DomainId = DomainId(1);
const IT: ConversationId = ConversationId { domain: DOMAIN, number: 1 };
/// Where it waits first; nobody belongs to it.
const LINE: QueueId = QueueId { domain: DOMAIN, number: 1 };
/// Not deleted with it; nobody belongs to it either.
const OTHER: QueueId = QueueId { domain: DOMAIN, number: 2 };
/// To whom it is held out. Both are of no queue.
const DESK: Desk = Desk { agent: AgentId { domain: DOMAIN, number: 1 }, epoch: Epoch(1) };
const SECOND: Desk = Desk { agent: AgentId { domain: DOMAIN, number: 2 }, epoch: Epoch(1) };
/// Whose line it waits in.
const DEDICATED: AgentId = AgentId { domain: DOMAIN, number: 3 };
const RING: Span = Span::seconds(20);
/// That of a conversation of an inbox.
const INBOX_RING: Span = Span::seconds(30);
const WAIT_MAX: Span = Span::seconds(300);

/// Where it waits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Home {
    Queue,
    TwoQueues,
    Inbox,
    Line,
    /// With the other queue to fall back to after this many seconds.
    LineThenQueue(u64),
}

const HOMES: [Home; 6] = [
    Home::Queue,
    Home::TwoQueues,
    Home::Inbox,
    Home::Line,
    Home::LineThenQueue(10),
    Home::LineThenQueue(100),
];

const FALLBACKS: [TransferFallback; 4] = [
    TransferFallback::Source,
    TransferFallback::LastQueues,
    TransferFallback::Queue(LINE),
    TransferFallback::Queue(OTHER),
];

/// How the offer ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Accepted,
    Rejected,
    Missed,
    Away,
    Drained,
    SignedOut,
    LeaseLost,
    LoggedOut,
    Deleted,
    ChannelDropped,
    Abandoned,
    Closed,
    Expired,
    ToQueue,
    ToInbox,
    ToSecond,
}

const ENDS: [End; 16] = [
    End::Accepted,
    End::Rejected,
    End::Missed,
    End::Away,
    End::Drained,
    End::SignedOut,
    End::LeaseLost,
    End::LoggedOut,
    End::Deleted,
    End::ChannelDropped,
    End::Abandoned,
    End::Closed,
    End::Expired,
    End::ToQueue,
    End::ToInbox,
    End::ToSecond,
];

/// A log in the making.
#[derive(Default)]
struct Log(Vec<Entry>, u64);

impl Log {
    fn then(&mut self, command: Command) {
        self.1 += 1_000;
        let index = self.0.len() as u64 + 1;
        let domain = if matches!(command, Command::Tick) { DomainId::SHARD } else { DOMAIN };
        self.0.push(Entry {
            position: Position { index, ordinal: 0 },
            time: LogTime(1_000_000 + self.1),
            wall_ms: 1_700_000_000_000 + self.1 / 1_000,
            request: Request { id: None, domain, expected_version: None, command },
        });
    }

    /// A conversation comes in by this touchpoint, which is gone then: it would keep its queues.
    fn arrives(&mut self, number: u64, mode: RoutingMode) {
        let address = format!("t{number}");
        let settings = TouchpointSettings { address, channel: Channel::Email, mode };
        self.then(Command::CreateTouchpoint { settings });
        let touchpoint = TouchpointId { domain: DOMAIN, number };
        self.then(Command::Start(Arrival {
            touchpoint,
            customer: "c".to_owned(),
            reference: String::new(),
            priority: None,
            continues: None,
        }));
        self.then(Command::DeleteTouchpoint { touchpoint });
    }

    fn tick_after(&mut self, span: Span) {
        self.1 += span.0;
        self.then(Command::Tick);
    }
}

fn supervisor() -> By {
    By::Supervisor("s".to_owned())
}

fn agent() -> AgentSettings {
    AgentSettings {
        name: "a".to_owned(),
        capacity: Points(100),
        channels: ChannelSet::ALL,
        ..AgentSettings::default()
    }
}

fn transfer(target: TransferTarget, fallback: TransferFallback) -> Command {
    Command::Transfer { conversation: IT, target, fallback, by: supervisor() }
}

/// The log up to the open offer and the deletion.
fn until_gone(home: Home, fallback: TransferFallback, wait_max: Span) -> Log {
    let mut log = Log::default();
    let settings = DomainSettings {
        name: "d".to_owned(),
        wait_max,
        closed_retention: Span::seconds(3_600),
        ..DomainSettings::default()
    };
    log.then(Command::CreateDomain { account: AccountId(1), settings });
    for _ in [LINE, OTHER] {
        log.then(Command::CreateQueue {
            settings: QueueSettings { name: "q".to_owned(), ..QueueSettings::default() },
        });
    }
    for desk in [DESK, SECOND] {
        log.then(Command::CreateAgent { settings: agent() });
        log.then(Command::OpenSession { agent: desk.agent });
        log.then(Command::SetPresence { agent: desk.agent, intent: Intent::Available, by: By::Agent(desk) });
    }
    log.then(Command::CreateAgent { settings: agent() });
    let accept = AcceptMode::Manual { ring: RING };
    let to_queue = |queues: &[QueueId]| {
        RoutingMode::ToQueue(ToQueue { queues: queues.to_vec(), priority: Priority(0), accept })
    };
    let mode = match home {
        Home::Queue => to_queue(&[LINE]),
        Home::TwoQueues => to_queue(&[LINE, OTHER]),
        Home::Inbox => RoutingMode::Simplified { queues: vec![LINE] },
        Home::Line => RoutingMode::Dedicated { agent: DEDICATED, accept, fallback: None },
        Home::LineThenQueue(after) => {
            RoutingMode::Dedicated { agent: DEDICATED, accept, fallback: Some((OTHER, Span::seconds(after))) }
        }
    };
    log.arrives(1, mode);
    log.then(transfer(TransferTarget::Agent(DESK.agent), fallback));
    if matches!(home, Home::Line | Home::LineThenQueue(_)) {
        log.then(Command::DeleteAgent { agent: DEDICATED });
    }
    log.then(Command::DeleteQueue { queue: LINE });
    log
}

fn end(log: &mut Log, end: End) {
    let offer = OfferId { domain: DOMAIN, number: 1 };
    let (agent_id, by) = (DESK.agent, By::Agent(DESK));
    match end {
        End::Accepted => log.then(Command::Accept { desk: DESK, offer }),
        End::Rejected => {
            let decline = Decline { reason: String::new() };
            log.then(Command::Reject { desk: DESK, offer, decline });
        }
        // Where the line's own fallback comes before, that ends it.
        End::Missed => (0..5).for_each(|_| log.tick_after(Span::seconds(7))),
        End::Away => {
            let intent = Intent::Unavailable { reason: "away".to_owned() };
            log.then(Command::SetPresence { agent: agent_id, intent, by });
        }
        End::Drained => {
            let intent = Intent::Draining { next: "home".to_owned() };
            log.then(Command::SetPresence { agent: agent_id, intent, by });
        }
        End::SignedOut => log.then(Command::CloseSession { desk: DESK }),
        End::LeaseLost => log.then(Command::LoseLease { desk: DESK }),
        End::LoggedOut => log.then(Command::LogOut { agent: agent_id, by: supervisor() }),
        End::Deleted => log.then(Command::DeleteAgent { agent: agent_id }),
        End::ChannelDropped => {
            let channels = [Channel::Voice].into_iter().collect();
            log.then(Command::UpdateAgent {
                agent: agent_id,
                settings: AgentSettings { channels, ..agent() },
            });
        }
        End::Abandoned => log.then(Command::Abandon { conversation: IT }),
        End::Closed => {
            log.then(Command::Close { conversation: IT, reason: String::new(), by: supervisor() });
        }
        End::Expired => log.tick_after(Span::seconds(6)),
        End::ToQueue => log.then(transfer(TransferTarget::Queue(OTHER), TransferFallback::Source)),
        End::ToInbox => log.then(transfer(TransferTarget::Inbox(OTHER), TransferFallback::Source)),
        End::ToSecond => {
            log.then(transfer(TransferTarget::Agent(SECOND.agent), TransferFallback::Source));
            log.tick_after(INBOX_RING);
        }
    }
}

fn it_after(log: &Log) -> ConversationView {
    let mut engine = Engine::new();
    for entry in &log.0 {
        let _ = engine.apply(entry);
    }
    engine.views()[&DOMAIN].conversations[&IT].clone()
}

/// The stage that the rules say follows.
fn expected(home: Home, fallback: TransferFallback, how: End) -> &'static str {
    let fails = match how {
        End::Accepted => return "assigned",
        End::Abandoned => return "abandoned",
        End::Closed | End::Expired => return "closed",
        End::ToQueue => return "queued",
        End::ToInbox => return "in_inbox",
        // It falls back to its former place, which is gone.
        End::ToSecond => TransferFallback::Source,
        _ => fallback,
    };
    let elsewhere = matches!(home, Home::TwoQueues | Home::LineThenQueue(_));
    if elsewhere || fails == TransferFallback::Queue(OTHER) { "queued" } else { "closed" }
}

#[test]
fn however_the_offer_ends_nobody_is_left_behind() {
    let mut wrong = Vec::new();
    for (home, fallback, how) in all() {
        let what = format!("{home:?}, {fallback:?}, {how:?}");
        let wait_max = if how == End::Expired { Span::seconds(5) } else { WAIT_MAX };
        let mut log = until_gone(home, fallback, wait_max);
        let open = it_after(&log);
        if open.offer.is_none() {
            wrong.push(format!("{what}: the offer went with the place, it is {:?}", open.stage));
        }
        end(&mut log, how);
        let (stage, should_be) = (it_after(&log).stage, expected(home, fallback, how));
        if stage.name() != should_be {
            wrong.push(format!("{what}: {stage:?}, should be {should_be}"));
        }
        // On until nothing is left to happen.
        (0..70).for_each(|_| log.tick_after(Span::seconds(5)));
        let last = it_after(&log);
        if !last.stage.is_terminal() && last.stage.owner().is_none() {
            wrong.push(format!("{what}: for ever {:?}", last.stage));
        }
        if let Some((at, parted)) = disagreement(&log.0) {
            wrong.push(format!("{what}: {parted}\n{}", listed(&log.0[at..=at])));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn all() -> impl Iterator<Item = (Home, TransferFallback, End)> {
    let each =
        |home| FALLBACKS.into_iter().flat_map(move |f| ENDS.into_iter().map(move |end| (home, f, end)));
    HOMES.into_iter().flat_map(each)
}

/// An offer that was made from the queue goes with it, as at a pause: the agent took it for that queue.
#[test]
fn an_offer_from_the_queue_goes_with_it() {
    for queues in [&[LINE][..], &[LINE, OTHER]] {
        let mut log = until_gone(Home::Queue, TransferFallback::Source, WAIT_MAX);
        log.then(Command::CreateQueue {
            settings: QueueSettings { name: "q".to_owned(), ..QueueSettings::default() },
        });
        let third = QueueId { domain: DOMAIN, number: 3 };
        let settings = AgentSettings { queues: vec![third], ..agent() };
        log.then(Command::UpdateAgent { agent: SECOND.agent, settings });
        let queues = queues.iter().map(|q| if *q == LINE { third } else { *q }).collect::<Vec<_>>();
        let accept = AcceptMode::Manual { ring: RING };
        let mode = RoutingMode::ToQueue(ToQueue { queues, priority: Priority(0), accept });
        log.arrives(2, mode);
        log.then(Command::DeleteQueue { queue: third });
        log.tick_after(WAIT_MAX);
        let parted = disagreement(&log.0);
        assert!(parted.is_none(), "{parted:?}\n{}", listed(&log.0));
    }
}
