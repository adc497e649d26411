//! The engine's failures as problems.

use super::Problem;
use actors::{CallError, WatchError};
use std::time::Duration;
use tonic::Code;

/// After an unknown outcome: time for a new leader to be found.
const UNKNOWN_RETRY_AFTER: Duration = Duration::from_millis(100);

/// After a replica that is behind: time for it to hear more.
const BEHIND_RETRY_AFTER: Duration = Duration::from_millis(50);

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Rejected(rejected) => rejected.into(),
            CallError::Unavailable { retry_after_ms, .. } => {
                Problem::new(Code::Unavailable, "UNAVAILABLE", message)
                    .retry_after(Duration::from_millis(retry_after_ms))
            }
            // UNAVAILABLE too, since trying again is always safe with the same request id.
            CallError::Unknown { .. } => {
                Problem::new(Code::Unavailable, "OUTCOME_UNKNOWN", message).retry_after(UNKNOWN_RETRY_AFTER)
            }
            CallError::Overloaded { retry_after_ms } => {
                Problem::new(Code::ResourceExhausted, "OVERLOADED", message)
                    .retry_after(Duration::from_millis(retry_after_ms))
            }
            CallError::Bug(what) => Problem::bug(&what),
        }
    }
}

impl From<WatchError> for Problem {
    fn from(error: WatchError) -> Self {
        let message = error.to_string();
        match error {
            WatchError::UnknownDomain(domain) => {
                Problem::new(Code::NotFound, "UNKNOWN_DOMAIN", message).with("domain", domain)
            }
            WatchError::Compacted { oldest } => {
                let what = "take a picture of the domain (Events/Picture, or `centralita ctl picture DOMAIN`), \
                            then watch from the event after it";
                Problem::new(Code::OutOfRange, "COMPACTED", format!("{message}: {what}"))
                    .with("oldest", oldest.0)
            }
            WatchError::Behind { at } => Problem::new(
                Code::Unavailable,
                "BEHIND",
                format!("{message}: try again, or ask another node"),
            )
            .with("sequence", at.0)
            .retry_after(BEHIND_RETRY_AFTER),
            WatchError::NotHere { ask } => Problem::new(
                Code::Unavailable,
                "NOT_HERE",
                format!("{message}: ask that one, or try again with another node"),
            )
            .with("ask", ask.unwrap_or_default()),
            WatchError::Stopping => {
                Problem::new(Code::Unavailable, "STOPPING", message).retry_after(UNKNOWN_RETRY_AFTER)
            }
            WatchError::Moved => {
                Problem::new(Code::Unavailable, "MOVING", message).retry_after(UNKNOWN_RETRY_AFTER)
            }
            WatchError::Damaged(_) => {
                tracing::error!(%message, "the event store cannot be read");
                Problem::new(Code::DataLoss, "EVENTS_DAMAGED", message)
            }
        }
    }
}

impl Problem {
    /// Something that should not happen: logged as an error, since a person must look.
    #[must_use]
    pub fn bug(what: &str) -> Self {
        tracing::error!(what, "bug");
        Self::new(
            Code::Internal,
            "BUG",
            format!("internal error: {what}; the node's log says more, please report it"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::Sequence;

    #[test]
    fn what_can_be_tried_again_says_when() {
        for (error, reason) in [
            (CallError::Unavailable { why: "x".into(), retry_after_ms: 5 }, "UNAVAILABLE"),
            (CallError::Unknown { why: "x".into() }, "OUTCOME_UNKNOWN"),
            (CallError::Overloaded { retry_after_ms: 5 }, "OVERLOADED"),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.reason, reason);
            assert!(problem.retry_after.is_some(), "{reason}");
        }
        let compacted = Problem::from(WatchError::Compacted { oldest: Sequence(7) });
        assert_eq!((compacted.code, compacted.reason), (Code::OutOfRange, "COMPACTED"));
        assert_eq!(compacted.facts, [("oldest", "7".to_owned())]);
    }
}
