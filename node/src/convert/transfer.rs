//! Transfers: where to, and what if that fails.

use super::Read;
use super::ids::id;
use crate::problem::Problem;
use proto::v1;
use proto::v1::transfer_target::Target;
use routing::command::{TransferFallback, TransferTarget};

/// Reads a target.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_target(target: Option<v1::TransferTarget>) -> Read<TransferTarget> {
    match target.and_then(|target| target.target) {
        None => Err(Problem::field(
            "target",
            "is required: one of agent, queue, inbox (a queue id) or touchpoint (of another domain)",
        )),
        Some(Target::Agent(agent)) => id("target.agent", &agent).map(TransferTarget::Agent),
        Some(Target::Queue(queue)) => id("target.queue", &queue).map(TransferTarget::Queue),
        Some(Target::Inbox(queue)) => id("target.inbox", &queue).map(TransferTarget::Inbox),
        Some(Target::Touchpoint(there)) => id("target.touchpoint", &there).map(TransferTarget::Touchpoint),
    }
}

/// Reads a fallback; unspecified means the source keeps it.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is unknown, or names a queue where none belongs.
pub fn read_fallback(fallback: i32, queue: &str) -> Read<TransferFallback> {
    let read = match v1::TransferFallback::try_from(fallback) {
        Ok(v1::TransferFallback::Queue) => {
            return id("fallback_queue", queue).map(TransferFallback::Queue);
        }
        Ok(v1::TransferFallback::Unspecified | v1::TransferFallback::Source) => TransferFallback::Source,
        Ok(v1::TransferFallback::LastQueues) => TransferFallback::LastQueues,
        Err(_) => {
            let problem = format!(
                "{fallback} is not a fallback: use TRANSFER_FALLBACK_SOURCE (1), _LAST_QUEUES (2) or _QUEUE (3)"
            );
            return Err(Problem::field("fallback", problem));
        }
    };
    if queue.is_empty() {
        Ok(read)
    } else {
        Err(Problem::field("fallback_queue", "is given, but `fallback` is not TRANSFER_FALLBACK_QUEUE"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_queue_belongs_to_its_fallback_only() {
        assert_eq!(read_fallback(0, ""), Ok(TransferFallback::Source));
        assert!(read_fallback(3, "").is_err());
        assert!(read_fallback(2, "queue_1_1").is_err());
        assert!(read_fallback(9, "").is_err());
        assert_eq!(read_target(None).unwrap_err().field.as_deref(), Some("target"));
    }
}
