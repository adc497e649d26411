//! Touchpoints.

use super::Read;
use super::criteria;
use super::ids::{id, ids, optional_id};
use super::scalar::{channel, channel_code, millis, priority, required, span};
use crate::problem::Problem;
use proto::v1;
use proto::v1::accept_mode::{Automatic, Manual, Mode as WireAccept};
use proto::v1::touchpoint_settings::{Dedicated, Mode, Simplified, ToQueue as WireToQueue};
use routing::Span;
use routing::settings::{AcceptMode, RoutingMode, ToQueue, TouchpointSettings};
use routing::view::TouchpointView;

/// How long an offer rings when the touchpoint does not say.
const RING_DEFAULT: Span = Span::seconds(20);

/// Reads a touchpoint's settings.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_settings(settings: Option<v1::TouchpointSettings>) -> Read<TouchpointSettings> {
    let wire = required("settings", settings)?;
    let mode = wire.mode.ok_or_else(|| {
        Problem::field("settings.mode", "is required: one of simplified, dedicated or to_queue")
    })?;
    Ok(TouchpointSettings {
        channel: channel("settings.channel", wire.channel)?,
        mode: match mode {
            Mode::Simplified(simplified) => {
                RoutingMode::Simplified { queues: ids("settings.simplified.queues", &simplified.queues)? }
            }
            Mode::Dedicated(dedicated) => read_dedicated(&dedicated)?,
            Mode::ToQueue(to_queue) => RoutingMode::ToQueue(ToQueue {
                queues: ids("settings.to_queue.queues", &to_queue.queues)?,
                priority: priority("settings.to_queue.priority", to_queue.priority)?,
                accept: read_accept("settings.to_queue.accept", to_queue.accept)?,
            }),
        },
        address: wire.address,
    })
}

fn read_dedicated(dedicated: &Dedicated) -> Read<RoutingMode> {
    let queue = dedicated.fallback_queue.as_deref().unwrap_or_default();
    let queue = optional_id("settings.dedicated.fallback_queue", queue)?;
    let after = span("settings.dedicated.fallback_after_ms", dedicated.fallback_after_ms)?;
    Ok(RoutingMode::Dedicated {
        agent: id("settings.dedicated.agent", &dedicated.agent)?,
        accept: read_accept("settings.dedicated.accept", dedicated.accept)?,
        fallback: queue.map(|queue| (queue, after)),
    })
}

fn read_accept(field: &str, accept: Option<v1::AcceptMode>) -> Read<AcceptMode> {
    Ok(match accept.and_then(|accept| accept.mode) {
        None => AcceptMode::Manual { ring: RING_DEFAULT },
        Some(WireAccept::Manual(manual)) => {
            AcceptMode::Manual { ring: span(&format!("{field}.manual.ring_ms"), manual.ring_ms)? }
        }
        Some(WireAccept::Automatic(automatic)) => {
            let field = format!("{field}.automatic.confirm_ms");
            AcceptMode::Automatic { confirm: span(&field, automatic.confirm_ms)? }
        }
    })
}

fn write_accept(accept: AcceptMode) -> Option<v1::AcceptMode> {
    let mode = match accept {
        AcceptMode::Manual { ring } => WireAccept::Manual(Manual { ring_ms: millis(ring) }),
        AcceptMode::Automatic { confirm } => WireAccept::Automatic(Automatic { confirm_ms: millis(confirm) }),
    };
    Some(v1::AcceptMode { mode: Some(mode) })
}

/// Writes a touchpoint's settings.
#[must_use]
pub fn write_settings(settings: &TouchpointSettings) -> v1::TouchpointSettings {
    let texts = |queues: &[routing::QueueId]| queues.iter().map(ToString::to_string).collect();
    let mode = match &settings.mode {
        RoutingMode::Simplified { queues } => Mode::Simplified(Simplified { queues: texts(queues) }),
        RoutingMode::Dedicated { agent, accept, fallback } => Mode::Dedicated(Dedicated {
            agent: agent.to_string(),
            accept: write_accept(*accept),
            fallback_queue: fallback.map(|(queue, _)| queue.to_string()),
            fallback_after_ms: fallback.map_or(0, |(_, after)| millis(after)),
        }),
        RoutingMode::ToQueue(to_queue) => Mode::ToQueue(WireToQueue {
            queues: texts(&to_queue.queues),
            priority: to_queue.priority.0.into(),
            accept: write_accept(to_queue.accept),
        }),
    };
    v1::TouchpointSettings {
        address: settings.address.clone(),
        channel: channel_code(settings.channel),
        mode: Some(mode),
    }
}

/// Writes a touchpoint.
#[must_use]
pub fn write(touchpoint: &TouchpointView) -> v1::Touchpoint {
    v1::Touchpoint {
        id: touchpoint.id.to_string(),
        version: touchpoint.version.0,
        settings: Some(write_settings(&touchpoint.settings)),
        criteria: criteria::write_some(&touchpoint.criteria),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::{AgentId, Channel, DomainId, Priority, QueueId};

    #[test]
    fn every_mode_round_trips() {
        let queue = QueueId::new(DomainId(1), 1);
        let accept = AcceptMode::Automatic { confirm: Span::seconds(3) };
        for mode in [
            RoutingMode::Simplified { queues: vec![queue] },
            RoutingMode::Dedicated {
                agent: AgentId::new(DomainId(1), 1),
                accept,
                fallback: Some((queue, Span::seconds(60))),
            },
            RoutingMode::Dedicated { agent: AgentId::new(DomainId(1), 1), accept, fallback: None },
            RoutingMode::ToQueue(ToQueue { queues: vec![queue], priority: Priority(2), accept }),
        ] {
            let settings = TouchpointSettings { address: "a".into(), channel: Channel::Email, mode };
            assert_eq!(read_settings(Some(write_settings(&settings))), Ok(settings));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let base = || v1::TouchpointSettings {
            address: "+34900".into(),
            channel: 1,
            mode: Some(Mode::ToQueue(WireToQueue { queues: vec!["queue_1_1".into()], ..Default::default() })),
        };
        let read = read_settings(Some(base())).expect("complete");
        let RoutingMode::ToQueue(to_queue) = read.mode else { panic!("another mode") };
        assert_eq!(to_queue.accept, AcceptMode::Manual { ring: RING_DEFAULT });
        for (settings, wanted) in [
            (v1::TouchpointSettings { mode: None, ..base() }, "settings.mode"),
            (v1::TouchpointSettings { channel: 0, ..base() }, "settings.channel"),
        ] {
            assert_eq!(read_settings(Some(settings)).unwrap_err().field.as_deref(), Some(wanted));
        }
    }
}
