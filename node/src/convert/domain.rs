//! Domains. Settings that are not given keep the core's defaults.

use super::Read;
use super::callback;
use super::channel_rules;
use super::handling;
use super::pace;
use super::scalar::{channel, channel_code, millis, optional_span, points, priority, required, span};
use crate::problem::Problem;
use proto::v1;
use proto::v1::domain_settings::{Lease, LeaseLoss as WireLoss, Rank, RankByAging, RankByPriority, Weight};
use routing::settings::{DomainSettings, LeaseLoss, LeasePolicy, RankPolicy, WrapUpHold};
use routing::view::DomainSummary;
use routing::{Channel, Points, ShardId};

/// Reads a domain's settings.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_settings(settings: Option<v1::DomainSettings>) -> Read<DomainSettings> {
    let wire = required("settings", settings)?;
    let default = DomainSettings::default();
    let or = |field: &str, ms: Option<u64>, default| {
        Ok::<_, Problem>(optional_span(&format!("settings.{field}"), ms)?.unwrap_or(default))
    };
    Ok(DomainSettings {
        weights: read_weights(&wire.weights, default.weights)?,
        rank: read_rank(wire.rank.as_ref())?,
        wrap_up_hold: match wire.wrap_up_hold_points {
            None => WrapUpHold::All,
            Some(0) => WrapUpHold::None,
            Some(held) => WrapUpHold::Some(points("settings.wrap_up_hold_points", held)?),
        },
        overdraft: wire.overdraft.unwrap_or(default.overdraft),
        hold_max: or("hold_max_ms", wire.hold_max_ms, default.hold_max)?,
        exclude_rejected: or("exclude_rejected_ms", wire.exclude_rejected_ms, default.exclude_rejected)?,
        exclude_missed: or("exclude_missed_ms", wire.exclude_missed_ms, default.exclude_missed)?,
        miss_limit: wire.miss_limit.unwrap_or(default.miss_limit),
        miss_return: optional_span("settings.miss_return_ms", wire.miss_return_ms)?,
        lease: read_leases(&wire.leases, default.lease)?,
        closed_retention: or("closed_retention_ms", wire.closed_retention_ms, default.closed_retention)?,
        request_window: or("request_window_ms", wire.request_window_ms, default.request_window)?,
        wait_max: or("wait_max_ms", wire.wait_max_ms, default.wait_max)?,
        assigned_max: optional_span("settings.assigned_max_ms", wire.assigned_max_ms)?,
        name: wire.name,
    })
}

fn read_weights(given: &[Weight], mut weights: [Points; 7]) -> Read<[Points; 7]> {
    let mut seen = routing::ChannelSet::default();
    for (place, weight) in given.iter().enumerate() {
        let channel = once(&mut seen, &format!("settings.weights[{place}].channel"), weight.channel)?;
        let field = format!("settings.weights[{place}].points");
        let points = points(&field, weight.points)?;
        if channel == Channel::Voice && points != Points::VOICE {
            return Err(Problem::field(field, "voice weighs 51, fixed: leave it out or give 51"));
        }
        weights[channel.index()] = points;
    }
    Ok(weights)
}

fn once(seen: &mut routing::ChannelSet, field: &str, code: i32) -> Read<Channel> {
    let channel = channel(field, code)?;
    if seen.contains(channel) {
        return Err(Problem::field(field, format!("{channel} is listed twice: name each channel once")));
    }
    *seen = seen.with(channel);
    Ok(channel)
}

fn read_rank(rank: Option<&Rank>) -> Read<RankPolicy> {
    let Some(Rank::ByAging(aging)) = rank else {
        return Ok(RankPolicy::Priority);
    };
    let credit = |(place, credit): (usize, &v1::AgingCredit)| {
        let field = format!("settings.by_aging.credits[{place}]");
        Ok((
            priority(&format!("{field}.priority"), credit.priority)?,
            span(&format!("{field}.credit_ms"), credit.credit_ms)?,
        ))
    };
    Ok(RankPolicy::Aging { credits: aging.credits.iter().enumerate().map(credit).collect::<Read<_>>()? })
}

fn read_leases(given: &[Lease], mut leases: [LeasePolicy; 7]) -> Read<[LeasePolicy; 7]> {
    let mut seen = routing::ChannelSet::default();
    for (place, lease) in given.iter().enumerate() {
        let channel = once(&mut seen, &format!("settings.leases[{place}].channel"), lease.channel)?;
        let then = match WireLoss::try_from(lease.then) {
            Ok(WireLoss::Keep) => LeaseLoss::Keep,
            Ok(WireLoss::Requeue) => LeaseLoss::Requeue,
            Ok(WireLoss::Close) => LeaseLoss::Close,
            Ok(WireLoss::Unspecified) | Err(_) => {
                let field = format!("settings.leases[{place}].then");
                return Err(Problem::field(
                    field,
                    "is required: LEASE_LOSS_KEEP, LEASE_LOSS_REQUEUE or LEASE_LOSS_CLOSE",
                ));
            }
        };
        let grace = span(&format!("settings.leases[{place}].grace_ms"), lease.grace_ms)?;
        leases[channel.index()] = LeasePolicy { grace, then };
    }
    Ok(leases)
}

/// Writes a domain's settings, defaults included.
#[must_use]
pub fn write_settings(settings: &DomainSettings) -> v1::DomainSettings {
    v1::DomainSettings {
        name: settings.name.clone(),
        weights: Channel::ALL
            .into_iter()
            .map(|channel| Weight {
                channel: channel_code(channel),
                points: settings.weights[channel.index()].0.into(),
            })
            .collect(),
        rank: Some(match &settings.rank {
            RankPolicy::Priority => Rank::ByPriority(RankByPriority {}),
            RankPolicy::Aging { credits } => Rank::ByAging(RankByAging {
                credits: credits
                    .iter()
                    .map(|(priority, credit)| v1::AgingCredit {
                        priority: priority.0.into(),
                        credit_ms: millis(*credit),
                    })
                    .collect(),
            }),
        }),
        wrap_up_hold_points: match settings.wrap_up_hold {
            WrapUpHold::All => None,
            WrapUpHold::Some(points) => Some(points.0.into()),
            WrapUpHold::None => Some(0),
        },
        overdraft: Some(settings.overdraft),
        hold_max_ms: Some(millis(settings.hold_max)),
        exclude_rejected_ms: Some(millis(settings.exclude_rejected)),
        exclude_missed_ms: Some(millis(settings.exclude_missed)),
        miss_limit: Some(settings.miss_limit),
        miss_return_ms: settings.miss_return.map(millis),
        leases: Channel::ALL
            .into_iter()
            .map(|channel| {
                let lease = settings.lease[channel.index()];
                let then = match lease.then {
                    LeaseLoss::Keep => WireLoss::Keep,
                    LeaseLoss::Requeue => WireLoss::Requeue,
                    LeaseLoss::Close => WireLoss::Close,
                };
                Lease { channel: channel_code(channel), grace_ms: millis(lease.grace), then: then.into() }
            })
            .collect(),
        closed_retention_ms: Some(millis(settings.closed_retention)),
        request_window_ms: Some(millis(settings.request_window)),
        wait_max_ms: Some(millis(settings.wait_max)),
        assigned_max_ms: settings.assigned_max.map(millis),
    }
}

/// Writes a domain and the shard that holds it.
#[must_use]
pub fn write(domain: &DomainSummary, shard: ShardId) -> v1::Domain {
    v1::Domain {
        id: domain.id.to_string(),
        account: domain.account.to_string(),
        version: domain.version.0,
        settings: Some(write_settings(&domain.settings)),
        sequence: domain.sequence.0,
        quarantined: domain.quarantined.clone().unwrap_or_default(),
        shard: shard.0,
        channel_rules: channel_rules::write(&domain.channel_rules),
        handling: handling::write(&domain.handling),
        pace: domain.pace.map(pace::write),
        callback: domain.callback.map(callback::write),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::{Priority, Span};

    #[test]
    fn defaults_and_everything_else_round_trip() {
        let default = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let bare = v1::DomainSettings { name: "d".into(), ..Default::default() };
        assert_eq!(read_settings(Some(bare)), Ok(default.clone()), "nothing given means the defaults");

        let mut other = DomainSettings {
            rank: RankPolicy::Aging { credits: vec![(Priority(2), Span::seconds(90))] },
            wrap_up_hold: WrapUpHold::Some(Points(10)),
            overdraft: false,
            miss_limit: 0,
            miss_return: Some(Span::seconds(5)),
            assigned_max: Some(Span::seconds(7_200)),
            ..default.clone()
        };
        other.weights[Channel::Chat.index()] = Points(1);
        other.lease[Channel::Voice.index()] = LeasePolicy { grace: Span::ZERO, then: LeaseLoss::Close };
        for settings in [default, other] {
            assert_eq!(read_settings(Some(write_settings(&settings))), Ok(settings));
        }
    }

    #[test]
    fn ranges_name_their_field() {
        let base = v1::DomainSettings::default;
        let weight =
            |channel, points| v1::DomainSettings { weights: vec![Weight { channel, points }], ..base() };
        let twice = Weight { channel: 2, points: 5 };
        let credit = v1::AgingCredit { priority: 256, credit_ms: 1 };
        for (settings, wanted) in [
            (weight(2, 0), "settings.weights[0].points"),
            (weight(2, 101), "settings.weights[0].points"),
            (weight(0, 10), "settings.weights[0].channel"),
            (weight(1, 50), "settings.weights[0].points"),
            (v1::DomainSettings { weights: vec![twice, twice], ..base() }, "settings.weights[1].channel"),
            (v1::DomainSettings { wait_max_ms: Some(u64::MAX), ..base() }, "settings.wait_max_ms"),
            (
                v1::DomainSettings {
                    rank: Some(Rank::ByAging(RankByAging { credits: vec![credit] })),
                    ..base()
                },
                "settings.by_aging.credits[0].priority",
            ),
            (
                v1::DomainSettings { leases: vec![Lease { channel: 1, grace_ms: 1, then: 0 }], ..base() },
                "settings.leases[0].then",
            ),
        ] {
            assert_eq!(read_settings(Some(settings)).unwrap_err().field.as_deref(), Some(wanted));
        }
    }
}
