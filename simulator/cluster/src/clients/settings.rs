//! Settings as the seed draws them.

use crate::determinism::Draw;
use crate::plan::LoadPlan;
use proto::v1;
use proto::v1::Channel;
use proto::v1::domain_settings::{Lease, LeaseLoss, Rank, RankByAging, RankByPriority, Weight};
use routing::settings::DomainSettings;
use simulator::checker::model::{AgentFacts, Facts, Rank as CheckedRank};
use std::collections::BTreeMap;

fn ms(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A domain's.
pub(super) fn domain(draw: &mut Draw, name: String) -> v1::DomainSettings {
    let weight = |channel: Channel, points| Weight { channel: channel.into(), points };
    let weights = vec![
        weight(Channel::Voice, 51),
        weight(Channel::Chat, *draw.pick(&[10, 25, 25, 40, 60])),
        weight(Channel::Email, *draw.pick(&[5, 20])),
    ];
    let rank = if draw.chance(0.5) {
        Rank::ByPriority(RankByPriority {})
    } else {
        let credits = (1..=3).map(|priority| v1::AgingCredit {
            priority,
            credit_ms: u64::from(priority) * draw.range(500, 4_000),
        });
        Rank::ByAging(RankByAging { credits: credits.collect() })
    };
    let lease = |draw: &mut Draw, channel: Channel, then: &[LeaseLoss]| Lease {
        channel: channel.into(),
        grace_ms: draw.range(0, 6_000),
        then: (*draw.pick(then)).into(),
    };
    let leases = vec![
        lease(draw, Channel::Voice, &[LeaseLoss::Requeue]),
        lease(draw, Channel::Chat, &[LeaseLoss::Requeue, LeaseLoss::Close, LeaseLoss::Keep]),
        lease(draw, Channel::Email, &[LeaseLoss::Requeue, LeaseLoss::Keep]),
        lease(draw, Channel::Sms, &[LeaseLoss::Requeue]),
    ];
    v1::DomainSettings {
        name,
        weights,
        rank: Some(rank),
        wrap_up_hold_points: *draw.pick(&[None, None, Some(0), Some(20)]),
        overdraft: Some(draw.chance(0.7)),
        hold_max_ms: Some(*draw.pick(&[0, 2_000, 10_000])),
        exclude_rejected_ms: Some(draw.range(0, 5_000)),
        exclude_missed_ms: Some(draw.range(0, 3_000)),
        miss_limit: Some(*draw.pick(&[0, 2, 3])),
        miss_return_ms: *draw.pick(&[None, Some(2_000)]),
        leases,
        closed_retention_ms: Some(*draw.pick(&[300_000, 300_000, 5_000])),
        request_window_ms: Some(*draw.pick(&[300_000, 60_000])),
        wait_max_ms: Some(*draw.pick(&[86_400_000, 86_400_000, 20_000])),
        assigned_max_ms: *draw.pick(&[None, None, Some(15_000)]),
    }
}

/// A queue's.
pub(super) fn queue(draw: &mut Draw, name: String) -> v1::QueueSettings {
    use v1::PickPolicy::{LeastLoaded, LongestIdle, RoundRobin};
    let dispositions = if draw.chance(0.3) { vec!["sold".to_owned(), "lost".to_owned()] } else { Vec::new() };
    v1::QueueSettings {
        name,
        pick: (*draw.pick(&[LongestIdle, LeastLoaded, RoundRobin])).into(),
        wrap_up_max_ms: *draw.pick(&[0, 0, 1_000, 4_000]),
        disposition_required: !dispositions.is_empty() && draw.chance(0.5),
        dispositions,
        waiting_max: draw.chance(0.1).then(|| draw.range(5, 50)),
    }
}

/// An agent's, of so many. Each queue has one who can take everything, so that nothing waits for ever.
pub(super) fn agent(draw: &mut Draw, place: usize, count: usize, queues: &[String]) -> v1::AgentSettings {
    let whole = place < queues.len();
    let mut own = vec![queues[place % queues.len()].clone()];
    own.extend(queues.iter().skip(place + count).step_by(count).cloned());
    for queue in queues {
        if !own.contains(queue) && draw.chance(0.4) {
            own.push(queue.clone());
        }
    }
    let channels = if whole || draw.chance(0.8) {
        Vec::new()
    } else {
        vec![Channel::Chat.into(), Channel::Email.into(), Channel::Sms.into()]
    };
    let caps = if !whole && draw.chance(0.2) {
        vec![v1::agent_settings::Cap { channel: Channel::Chat.into(), conversations: 1 }]
    } else {
        Vec::new()
    };
    let capacity = if whole { None } else { *draw.pick(&[None, None, Some(60), Some(80)]) };
    v1::AgentSettings { name: format!("agent {place}"), capacity, channels, caps, queues: own }
}

/// Touchpoints of a domain: voice, chat and mail to each queue, inboxes, and one agent's own line.
pub(super) fn touchpoints(
    draw: &mut Draw,
    load: &LoadPlan,
    queues: &[String],
    agents: &[String],
) -> Vec<v1::TouchpointSettings> {
    use v1::accept_mode::{Automatic, Manual, Mode as Accept};
    use v1::touchpoint_settings::{Dedicated, Mode, Simplified, ToQueue};
    let manual =
        || Some(v1::AcceptMode { mode: Some(Accept::Manual(Manual { ring_ms: ms(load.ring).max(1_000) })) });
    let automatic = |draw: &mut Draw| {
        Some(v1::AcceptMode {
            mode: Some(Accept::Automatic(Automatic { confirm_ms: draw.range(800, 3_000) })),
        })
    };
    let mut all = Vec::new();
    let mut add = |channel: Channel, mode: Mode| {
        let address = format!("address {}", all.len());
        all.push(v1::TouchpointSettings { address, channel: channel.into(), mode: Some(mode) });
    };
    for (place, queue) in queues.iter().enumerate() {
        let mut both = vec![queue.clone()];
        if queues.len() > 1 && draw.chance(0.4) {
            both.push(queues[(place + 1) % queues.len()].clone());
        }
        let priority = |draw: &mut Draw| u32::try_from(draw.range(0, 3)).unwrap_or(0);
        let (first, second) = (priority(draw), priority(draw));
        add(Channel::Voice, Mode::ToQueue(ToQueue { queues: both, priority: first, accept: manual() }));
        let accept = automatic(draw);
        add(Channel::Chat, Mode::ToQueue(ToQueue { queues: vec![queue.clone()], priority: second, accept }));
        add(
            Channel::Email,
            Mode::ToQueue(ToQueue { queues: vec![queue.clone()], priority: 0, accept: manual() }),
        );
    }
    add(Channel::Email, Mode::Simplified(Simplified { queues: queues.to_vec() }));
    if let (Some(agent), Some(queue)) = (agents.first(), queues.first()) {
        add(
            Channel::Sms,
            Mode::Dedicated(Dedicated {
                agent: agent.clone(),
                accept: manual(),
                fallback_queue: draw.chance(0.7).then(|| queue.clone()),
                fallback_after_ms: draw.range(1_000, 8_000),
            }),
        );
    }
    all
}

fn channels(wire: &[i32]) -> impl Iterator<Item = routing::Channel> + use<> {
    let wire = wire.to_vec();
    routing::Channel::ALL
        .into_iter()
        .filter(move |one| wire.is_empty() || wire.iter().any(|code| channel(*code) == Some(*one)))
}

/// A channel of the wire.
pub(super) fn channel(code: i32) -> Option<routing::Channel> {
    Some(match Channel::try_from(code).ok()? {
        Channel::Voice => routing::Channel::Voice,
        Channel::Chat => routing::Channel::Chat,
        Channel::Sms => routing::Channel::Sms,
        Channel::Email => routing::Channel::Email,
        Channel::Whatsapp => routing::Channel::Whatsapp,
        Channel::Messenger => routing::Channel::Messenger,
        Channel::DigitalConnect => routing::Channel::DigitalConnect,
        Channel::Unspecified => return None,
    })
}

/// What the history checker is told of a domain as it was set up.
pub(super) fn facts(realm: &super::realm::Realm) -> Facts {
    let defaults = DomainSettings::default();
    let mut weights: BTreeMap<routing::Channel, u32> = routing::Channel::ALL
        .into_iter()
        .map(|channel| (channel, u32::from(defaults.weights[channel.index()].0)))
        .collect();
    for weight in &realm.settings.weights {
        if let Some(channel) = channel(weight.channel) {
            weights.insert(channel, weight.points);
        }
    }
    let rank = match &realm.settings.rank {
        Some(Rank::ByAging(aging)) => {
            let credit = |credit: &v1::AgingCredit| {
                (u8::try_from(credit.priority).unwrap_or(u8::MAX), credit.credit_ms * 1_000)
            };
            CheckedRank::Aging(aging.credits.iter().map(credit).collect())
        }
        _ => CheckedRank::Priority,
    };
    let agent = |member: &super::realm::Member| {
        let settings = &member.settings;
        let caps = settings.caps.iter().filter_map(|cap| Some((channel(cap.channel)?, cap.conversations)));
        let facts = AgentFacts {
            capacity: settings.capacity.unwrap_or(100),
            queues: settings.queues.iter().filter_map(|queue| queue.parse().ok()).collect(),
            channels: channels(&settings.channels).collect(),
            caps: caps.collect(),
        };
        (member.id, facts)
    };
    Facts {
        domain: realm.domain,
        rank,
        weights,
        wrap_up_hold: realm.settings.wrap_up_hold_points,
        agents: realm.agents.iter().map(agent).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_queue_has_an_agent_who_takes_everything() {
        let queues: Vec<String> = (0..4).map(|number| format!("queue {number}")).collect();
        for count in [1, 2, 3, 4, 9] {
            let mut draw = Draw::new(count as u64, "agents");
            let agents = (0..count).map(|place| agent(&mut draw, place, count, &queues));
            let whole = agents.filter(|agent| agent.channels.is_empty() && agent.capacity.is_none());
            let staffed: BTreeSet<String> = whole.take(queues.len()).flat_map(|agent| agent.queues).collect();
            assert_eq!(staffed.len(), queues.len(), "{count} agents: {staffed:?}");
        }
    }
}
