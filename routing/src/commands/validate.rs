//! Ranges of configuration.

use super::checks::{invalid, named, text};
use crate::domain::{AgentNo, Domain, QueueNo, TouchNo};
use crate::settings::limits::{
    CREDITS_MAX, QUEUES_PER_AGENT_MAX, QUEUES_PER_CONVERSATION_MAX, RING_MAX, TEXT_BYTES_MAX,
};
use crate::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RankPolicy, RoutingMode, TouchpointSettings,
};
use crate::{Channel, Points, QueueId, Rejected, Span};

/// The longest span any setting may have.
const SPAN_MAX: Span = Span::seconds(30 * 24 * 3_600);

fn span(field: &str, span: Span) -> Result<(), Rejected> {
    if span > SPAN_MAX {
        return invalid(field, "longer than 30 days");
    }
    Ok(())
}

fn points(field: &str, points: Points) -> Result<(), Rejected> {
    if points.0 == 0 || points > Points::AGENT_MAX {
        return invalid(field, format!("{} points: use 1 to 100", points.0));
    }
    Ok(())
}

/// Settings of a domain.
pub(super) fn domain(settings: &DomainSettings) -> Result<(), Rejected> {
    named("name", &settings.name)?;
    for channel in Channel::ALL {
        points(&format!("weights.{channel}"), settings.weights[channel.index()])?;
    }
    if settings.weights[Channel::Voice.index()] != Points::VOICE {
        return invalid("weights.voice", "voice weighs exactly 51");
    }
    if let RankPolicy::Aging { credits } = &settings.rank {
        if credits.len() > CREDITS_MAX {
            return invalid("rank.credits", format!("more than {CREDITS_MAX}"));
        }
        let mut seen = [false; 256];
        for (priority, credit) in credits {
            if std::mem::replace(&mut seen[usize::from(priority.0)], true) {
                return invalid("rank.credits", format!("priority {} is listed twice", priority.0));
            }
            span("rank.credits", *credit)?;
        }
    }
    for (field, value) in [
        ("hold_max", settings.hold_max),
        ("exclude_rejected", settings.exclude_rejected),
        ("exclude_missed", settings.exclude_missed),
        ("closed_retention", settings.closed_retention),
        ("request_window", settings.request_window),
        ("wait_max", settings.wait_max),
        ("miss_return", settings.miss_return.unwrap_or(Span::ZERO)),
        ("assigned_max", settings.assigned_max.unwrap_or(Span::ZERO)),
    ] {
        span(field, value)?;
    }
    for policy in settings.lease {
        span("lease.grace", policy.grace)?;
    }
    Ok(())
}

/// Settings of a queue.
pub(super) fn queue(settings: &QueueSettings) -> Result<(), Rejected> {
    named("name", &settings.name)?;
    span("wrap_up_max", settings.wrap_up_max)?;
    if settings.dispositions.len() > CREDITS_MAX {
        return invalid("dispositions", format!("more than {CREDITS_MAX}"));
    }
    settings.dispositions.iter().try_for_each(|disposition| named("dispositions", disposition))
}

fn queues(domain: &Domain, queues: &[QueueId], min: usize, max: usize) -> Result<(), Rejected> {
    if queues.len() < min || queues.len() > max {
        return invalid("queues", format!("{} queues: use {min} to {max}", queues.len()));
    }
    for (position, queue) in queues.iter().enumerate() {
        if queues[..position].contains(queue) {
            return invalid("queues", format!("{queue} is listed twice"));
        }
        exists(domain, *queue)?;
    }
    Ok(())
}

fn exists(domain: &Domain, queue: QueueId) -> Result<(), Rejected> {
    match QueueNo::of(queue, domain.id).and_then(|no| domain.queues.get(no.0)) {
        Some(_) => Ok(()),
        None => invalid("queues", format!("{queue} does not exist")),
    }
}

/// Settings of an agent.
pub(super) fn agent(domain: &Domain, settings: &AgentSettings) -> Result<(), Rejected> {
    named("name", &settings.name)?;
    points("capacity", settings.capacity)?;
    if settings.channels.0 & !0x7f != 0 {
        return invalid("channels", "unknown channels");
    }
    queues(domain, &settings.queues, 0, QUEUES_PER_AGENT_MAX)
}

fn accept(mode: AcceptMode) -> Result<(), Rejected> {
    match mode {
        AcceptMode::Manual { ring } if ring < Span::seconds(1) || ring > RING_MAX => {
            invalid("accept.ring", "use 1 s to 600 s")
        }
        AcceptMode::Automatic { confirm } if confirm < Span::millis(500) || confirm > Span::seconds(60) => {
            invalid("accept.confirm", "use 500 ms to 60 s")
        }
        _ => Ok(()),
    }
}

/// Settings of a touchpoint; `own` is the one that is being changed.
pub(super) fn touchpoint(
    domain: &Domain,
    settings: &TouchpointSettings,
    own: Option<TouchNo>,
) -> Result<(), Rejected> {
    named("address", &settings.address)?;
    text("address", &settings.address, TEXT_BYTES_MAX)?;
    match &settings.mode {
        RoutingMode::Simplified { queues: list } => {
            if matches!(settings.channel, Channel::Voice | Channel::Chat) {
                return invalid("mode", "voice and chat cannot wait in an inbox: use to_queue");
            }
            queues(domain, list, 1, QUEUES_PER_CONVERSATION_MAX)?;
        }
        RoutingMode::Dedicated { agent, accept: mode, fallback } => {
            if AgentNo::of(*agent, domain.id).and_then(|no| domain.agents.get(no.0)).is_none() {
                return invalid("mode.agent", format!("{agent} does not exist"));
            }
            accept(*mode)?;
            if let Some((queue, after)) = fallback {
                exists(domain, *queue)?;
                span("mode.fallback", *after)?;
            }
        }
        RoutingMode::ToQueue(step) => {
            queues(domain, &step.queues, 1, QUEUES_PER_CONVERSATION_MAX)?;
            accept(step.accept)?;
        }
    }
    let taken = domain.touchpoints.iter().any(|other| {
        Some(other.no) != own
            && other.settings.channel == settings.channel
            && other.settings.address == settings.address
    });
    if taken {
        return Err(Rejected::InUse {
            why: format!("another touchpoint has the address {}", settings.address),
        });
    }
    Ok(())
}
