//! The core's refusals as problems.

use super::Problem;
use routing::Rejected;
use std::time::Duration;
use tonic::Code;

/// A full collection empties at the pace of people: sooner retries only add load.
const FULL_RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        let message = rejected.to_string();
        let of = |code, reason| Problem::new(code, reason, message.clone());
        match rejected {
            Rejected::UnknownDomain => of(Code::NotFound, "UNKNOWN_DOMAIN"),
            Rejected::DomainExists => of(Code::AlreadyExists, "DOMAIN_EXISTS"),
            Rejected::Quarantined => of(Code::FailedPrecondition, "QUARANTINED"),
            Rejected::Unknown { kind, id } => {
                of(Code::NotFound, unknown_reason(&kind)).with("kind", kind).with("id", id)
            }
            Rejected::Invalid { field, .. } => {
                Problem { field: Some(field), ..of(Code::InvalidArgument, "INVALID") }
            }
            Rejected::WrongState { state, .. } => {
                of(Code::FailedPrecondition, "WRONG_STATE").with("state", state)
            }
            Rejected::Taken { by } => of(Code::FailedPrecondition, "TAKEN").with("agent", by),
            Rejected::OfferOver { offer } => of(Code::FailedPrecondition, "OFFER_OVER").with("offer", offer),
            Rejected::StaleEpoch { current } => of(Code::Aborted, "STALE_EPOCH").with("epoch", current.0),
            Rejected::NoLease => of(Code::FailedPrecondition, "NO_LEASE"),
            Rejected::NoCapacity { load, capacity, weight } => of(Code::FailedPrecondition, "NO_CAPACITY")
                .with("load", load)
                .with("capacity", capacity)
                .with("weight", weight),
            Rejected::NotAllowed { .. } => of(Code::PermissionDenied, "NOT_ALLOWED"),
            Rejected::VersionMismatch { current } => {
                of(Code::Aborted, "VERSION_MISMATCH").with("version", current.0)
            }
            Rejected::HopLimit { limit } => of(Code::FailedPrecondition, "HOP_LIMIT").with("limit", limit),
            Rejected::Full { what, limit, .. } => of(Code::ResourceExhausted, "FULL")
                .with("what", what)
                .with("limit", limit)
                .retry_after(FULL_RETRY_AFTER),
            Rejected::RequestTooOld { window_s } => {
                of(Code::FailedPrecondition, "REQUEST_TOO_OLD").with("window_s", window_s)
            }
            Rejected::RequestIdReused => of(Code::AlreadyExists, "REQUEST_ID_REUSED"),
            Rejected::InUse { .. } => of(Code::FailedPrecondition, "IN_USE"),
            // Callers are told before that it is unavailable for a moment.
            Rejected::Moving | Rejected::Moved { .. } => of(Code::Unavailable, "MOVING"),
            Rejected::Blocked { channel, by } => {
                of(Code::FailedPrecondition, "BLOCKED").with("channel", channel).with("by", by)
            }
            Rejected::Level { level } => of(Code::FailedPrecondition, "LEVEL_TOO_LOW").with("level", level),
        }
    }
}

fn unknown_reason(kind: &str) -> &'static str {
    match kind {
        "queue" => "UNKNOWN_QUEUE",
        "agent" => "UNKNOWN_AGENT",
        "touchpoint" => "UNKNOWN_TOUCHPOINT",
        "conversation" => "UNKNOWN_CONVERSATION",
        "offer" => "UNKNOWN_OFFER",
        "skill" => "UNKNOWN_SKILL",
        "account" => "UNKNOWN_ACCOUNT",
        _ => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::{AgentId, DomainId, Epoch, OfferId, Version};

    /// Clients branch on these: a change of one breaks them.
    #[test]
    fn codes_and_reasons_are_fixed() {
        let text = String::new;
        let agent = AgentId::new(DomainId(1), 1);
        let table = [
            (Rejected::UnknownDomain, Code::NotFound, "UNKNOWN_DOMAIN"),
            (Rejected::DomainExists, Code::AlreadyExists, "DOMAIN_EXISTS"),
            (Rejected::Quarantined, Code::FailedPrecondition, "QUARANTINED"),
            (Rejected::Unknown { kind: "queue".into(), id: text() }, Code::NotFound, "UNKNOWN_QUEUE"),
            (Rejected::Unknown { kind: "skill".into(), id: text() }, Code::NotFound, "UNKNOWN_SKILL"),
            (Rejected::Invalid { field: "x".into(), problem: text() }, Code::InvalidArgument, "INVALID"),
            (Rejected::WrongState { state: text(), needed: text() }, Code::FailedPrecondition, "WRONG_STATE"),
            (Rejected::Taken { by: agent }, Code::FailedPrecondition, "TAKEN"),
            (
                Rejected::OfferOver { offer: OfferId::new(DomainId(1), 1) },
                Code::FailedPrecondition,
                "OFFER_OVER",
            ),
            (Rejected::StaleEpoch { current: Epoch(4) }, Code::Aborted, "STALE_EPOCH"),
            (Rejected::NoLease, Code::FailedPrecondition, "NO_LEASE"),
            (
                Rejected::NoCapacity { load: 90, capacity: 100, weight: 51 },
                Code::FailedPrecondition,
                "NO_CAPACITY",
            ),
            (Rejected::NotAllowed { why: text() }, Code::PermissionDenied, "NOT_ALLOWED"),
            (Rejected::VersionMismatch { current: Version(3) }, Code::Aborted, "VERSION_MISMATCH"),
            (Rejected::HopLimit { limit: 11 }, Code::FailedPrecondition, "HOP_LIMIT"),
            (Rejected::Full { what: text(), limit: 1, remedy: text() }, Code::ResourceExhausted, "FULL"),
            (Rejected::RequestTooOld { window_s: 300 }, Code::FailedPrecondition, "REQUEST_TOO_OLD"),
            (Rejected::RequestIdReused, Code::AlreadyExists, "REQUEST_ID_REUSED"),
            (Rejected::InUse { why: text() }, Code::FailedPrecondition, "IN_USE"),
            (
                Rejected::Blocked { channel: routing::Channel::Chat, by: routing::Channel::Voice },
                Code::FailedPrecondition,
                "BLOCKED",
            ),
            (Rejected::Level { level: 1 }, Code::FailedPrecondition, "LEVEL_TOO_LOW"),
            (Rejected::Moving, Code::Unavailable, "MOVING"),
        ];
        for (rejected, code, reason) in table {
            let problem = Problem::from(rejected.clone());
            assert_eq!((problem.code, problem.reason), (code, reason), "{rejected:?}");
            assert_eq!(problem.failure().reason, reason);
        }
    }

    #[test]
    fn an_invalid_value_names_its_field() {
        let problem = Problem::from(Rejected::Invalid { field: "weights.chat".into(), problem: "0".into() });
        assert_eq!(problem.field.as_deref(), Some("weights.chat"));
    }
}
