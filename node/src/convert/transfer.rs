//! Transfers: where to, and what if that fails.

use super::ids::id;
use super::{Read, criteria};
use crate::problem::Problem;
use proto::v1;
use proto::v1::transfer_target::Target;
use routing::Command;
use routing::command::{By, TransferFallback, TransferTarget};

/// A transfer as a message has it.
pub(crate) struct Transfer<'a> {
    pub(crate) conversation: &'a str,
    pub(crate) target: Option<v1::TransferTarget>,
    /// The fallback, and its queue.
    pub(crate) fallback: (i32, &'a str),
    /// Instead of those that it has.
    pub(crate) criteria: Option<v1::Criteria>,
    pub(crate) by: By,
}

/// Reads a transfer.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub(crate) fn read_transfer(transfer: Transfer<'_>) -> Read<Command> {
    let Transfer { conversation, target, fallback: (fallback, queue), criteria, by } = transfer;
    let conversation = id("conversation", conversation)?;
    let target = read_target(target)?;
    let fallback = read_fallback(fallback, queue)?;
    Ok(match criteria.map(criteria::read).transpose()? {
        None => Command::Transfer { conversation, target, fallback, by },
        Some(criteria) => Command::TransferAnew { conversation, target, fallback, criteria, by },
    })
}

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

    #[test]
    fn with_criteria_it_is_another_command_also_without_steps() {
        let read = |criteria| {
            let target = Some(v1::TransferTarget { target: Some(Target::Queue("queue_1_2".into())) });
            let by = By::Supervisor("Sol".into());
            let transfer = Transfer { conversation: "conv_1_1", target, fallback: (0, ""), criteria, by };
            read_transfer(transfer).expect("well formed")
        };
        assert!(matches!(read(None), Command::Transfer { .. }));
        let anew = read(Some(v1::Criteria::default()));
        assert!(matches!(anew, Command::TransferAnew { criteria, .. } if criteria.steps.is_empty()));
    }
}
