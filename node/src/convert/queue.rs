//! Queues.

use super::scalar::{millis, span};
use super::{Read, hours, policy};
use crate::problem::Problem;
use proto::v1;
use routing::LogTime;
use routing::settings::{PickPolicy, QueueSettings};
use routing::view::QueueView;

/// Reads a queue's settings.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_settings(settings: Option<v1::QueueSettings>) -> Read<QueueSettings> {
    let wire = super::scalar::required("settings", settings)?;
    Ok(QueueSettings {
        name: wire.name,
        pick: read_pick(wire.pick)?,
        wrap_up_max: span("settings.wrap_up_max_ms", wire.wrap_up_max_ms)?,
        dispositions: wire.dispositions,
        disposition_required: wire.disposition_required,
        waiting_max: wire.waiting_max.unwrap_or(QueueSettings::default().waiting_max),
    })
}

/// Reads to how many agents a queue offers at once; the core says which numbers are good.
///
/// # Errors
/// `INVALID_ARGUMENT` where it is no such number.
pub fn read_ring(agents: u32) -> Read<u8> {
    let out_of_range = |_| Problem::field("agents", format!("{agents} is out of range: 1 to 10 agents"));
    u8::try_from(agents).map_err(out_of_range)
}

fn read_pick(code: i32) -> Read<PickPolicy> {
    match v1::PickPolicy::try_from(code) {
        Ok(v1::PickPolicy::Unspecified | v1::PickPolicy::LongestIdle) => Ok(PickPolicy::LongestIdle),
        Ok(v1::PickPolicy::LeastLoaded) => Ok(PickPolicy::LeastLoaded),
        Ok(v1::PickPolicy::RoundRobin) => Ok(PickPolicy::RoundRobin),
        Ok(v1::PickPolicy::LeastFlexible) => Ok(PickPolicy::LeastFlexible),
        Ok(v1::PickPolicy::MostProficient) => Ok(PickPolicy::MostProficient),
        Err(_) => Err(Problem::field(
            "settings.pick",
            format!(
                "{code} is not a policy: use PICK_POLICY_LONGEST_IDLE (1) to PICK_POLICY_MOST_PROFICIENT (5)"
            ),
        )),
    }
}

/// Writes an order of agents.
pub(super) fn write_pick(pick: PickPolicy) -> v1::PickPolicy {
    match pick {
        PickPolicy::LongestIdle => v1::PickPolicy::LongestIdle,
        PickPolicy::LeastLoaded => v1::PickPolicy::LeastLoaded,
        PickPolicy::RoundRobin => v1::PickPolicy::RoundRobin,
        PickPolicy::LeastFlexible => v1::PickPolicy::LeastFlexible,
        PickPolicy::MostProficient => v1::PickPolicy::MostProficient,
    }
}

/// Writes a queue's settings.
#[must_use]
pub fn write_settings(settings: &QueueSettings) -> v1::QueueSettings {
    v1::QueueSettings {
        name: settings.name.clone(),
        pick: write_pick(settings.pick).into(),
        wrap_up_max_ms: millis(settings.wrap_up_max),
        dispositions: settings.dispositions.clone(),
        disposition_required: settings.disposition_required,
        waiting_max: Some(settings.waiting_max),
    }
}

/// Writes a queue as it stands at `now`.
#[must_use]
pub fn write(queue: &QueueView, now: LogTime) -> v1::Queue {
    v1::Queue {
        id: queue.id.to_string(),
        version: queue.version.0,
        settings: Some(write_settings(&queue.settings)),
        paused: queue.paused,
        agents: queue.agents,
        staffed: queue.staffed,
        waiting: queue.waiting,
        inbox: queue.inbox,
        longest_wait_us: queue.longest_since.map(|since| now.since(since).0),
        policy: policy::write_state(&queue.policy, now),
        hours: queue.hours.as_ref().map(hours::write_view),
        ring: queue.ring.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_round_trip() {
        let settings = QueueSettings {
            name: "sales".into(),
            pick: PickPolicy::RoundRobin,
            wrap_up_max: routing::Span::seconds(30),
            dispositions: vec!["sold".into()],
            disposition_required: true,
            waiting_max: 7,
        };
        assert_eq!(read_settings(Some(write_settings(&settings))), Ok(settings));
        assert_eq!(read_settings(None).unwrap_err().field.as_deref(), Some("settings"));
        let bad = v1::QueueSettings { pick: 9, ..Default::default() };
        assert_eq!(read_settings(Some(bad)).unwrap_err().field.as_deref(), Some("settings.pick"));
    }
}
