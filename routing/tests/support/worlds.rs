//! Random settings: every policy, every bound, mostly valid.

use super::draw::Draw;
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, LeaseLoss, PickPolicy, QueueSettings, RankPolicy, RoutingMode,
    ToQueue, TouchpointSettings, WrapUpHold,
};
use routing::{AgentId, Channel, ChannelSet, Points, Priority, QueueId, Span};

pub fn domain(draw: &mut Draw) -> DomainSettings {
    let mut s = DomainSettings { name: "d".to_owned(), ..DomainSettings::default() };
    for weight in &mut s.weights[1..] {
        *weight = Points(draw.small(5, 70));
    }
    if draw.chance(50) {
        let credits = (1..=3).map(|p| (Priority(p), Span::seconds(u64::from(p) * 7))).collect();
        s.rank = RankPolicy::Aging { credits };
    }
    s.wrap_up_hold = draw.among([WrapUpHold::All, WrapUpHold::None, WrapUpHold::Some(Points(10))]);
    s.overdraft = draw.chance(50);
    s.hold_max = Span::seconds(draw.among([0, 3, 20]));
    s.exclude_rejected = Span::seconds(draw.among([0, 2, 30]));
    s.exclude_missed = Span::seconds(draw.among([0, 5, 20]));
    s.miss_limit = u32::from(draw.small(0, 3));
    s.miss_return = draw.chance(50).then_some(Span::seconds(15));
    for policy in &mut s.lease {
        policy.grace = Span::seconds(draw.number(0, 20));
        policy.then = draw.among([LeaseLoss::Keep, LeaseLoss::Requeue, LeaseLoss::Close]);
    }
    s.closed_retention = Span::seconds(20);
    s.request_window = Span::seconds(40);
    s.wait_max = Span::seconds(60);
    s.assigned_max = draw.chance(30).then_some(Span::seconds(45));
    s
}

/// Orders that every level knows.
const OLDER: [PickPolicy; 3] = [PickPolicy::LongestIdle, PickPolicy::LeastLoaded, PickPolicy::RoundRobin];

/// As a queue is changed to later, where the level may not know its order.
pub fn later_queue(draw: &mut Draw) -> QueueSettings {
    let settings = queue(draw);
    let later = [PickPolicy::LeastFlexible, PickPolicy::MostProficient];
    if draw.chance(30) { QueueSettings { pick: draw.among(later), ..settings } } else { settings }
}

pub fn queue(draw: &mut Draw) -> QueueSettings {
    QueueSettings {
        name: "q".to_owned(),
        pick: draw.among(OLDER),
        wrap_up_max: Span::seconds(draw.among([0, 4, 30])),
        dispositions: if draw.chance(40) { vec!["sold".to_owned(), "lost".to_owned()] } else { Vec::new() },
        disposition_required: draw.chance(30),
        waiting_max: draw.among([4, 50, 1_000]),
    }
}

pub fn agent(draw: &mut Draw, queues: &[QueueId]) -> AgentSettings {
    let mut caps = [None; 7];
    if draw.chance(30) {
        caps[draw.below(7)] = Some(u16::from(draw.small(0, 2)));
    }
    AgentSettings {
        name: "a".to_owned(),
        capacity: Points(draw.among([100, 100, 60, 30])),
        channels: if draw.chance(75) { ChannelSet::ALL } else { ChannelSet(draw.small(1, 0x7f)) },
        caps,
        queues: draw.some(queues, 3),
    }
}

pub fn accept(draw: &mut Draw) -> AcceptMode {
    if draw.chance(70) {
        AcceptMode::Manual { ring: Span::seconds(draw.number(1, 20)) }
    } else {
        AcceptMode::Automatic { confirm: Span::millis(draw.number(500, 4_000)) }
    }
}

pub fn touchpoint(
    draw: &mut Draw,
    queues: &[QueueId],
    agents: &[AgentId],
    address: u64,
) -> TouchpointSettings {
    let channel = draw.among(Channel::ALL);
    let accept = accept(draw);
    let mode = match (draw.number(1, 10), draw.one(agents)) {
        (1..=3, _) if channel.index() > 1 => RoutingMode::Simplified { queues: draw.some(queues, 2) },
        (4..=5, Some(agent)) => {
            let fallback = draw.one(queues).filter(|_| draw.chance(60)).map(|q| (q, Span::seconds(8)));
            RoutingMode::Dedicated { agent, accept, fallback }
        }
        _ => {
            let priority = Priority(draw.small(0, 3));
            RoutingMode::ToQueue(ToQueue { queues: draw.some(queues, 3), priority, accept })
        }
    };
    TouchpointSettings { address: format!("+{address}"), channel, mode }
}
