//! Where commands have conversations go.

use routing::command::TransferTarget;
use routing::policy::{Action, Rule};
use routing::{Command, DomainId};
use std::collections::BTreeSet;

/// Domains to which a command has conversations go, now or by rule: they must be of the same account.
pub(super) fn destinations(command: &Command) -> BTreeSet<DomainId> {
    let target = |target: &TransferTarget| match target {
        TransferTarget::Touchpoint(there) => Some(there.domain),
        TransferTarget::Agent(_) | TransferTarget::Queue(_) | TransferTarget::Inbox(_) => None,
    };
    match command {
        Command::Transfer { target: to, .. } | Command::TransferAnew { target: to, .. } => {
            target(to).into_iter().collect()
        }
        Command::SetPolicy { policy, .. } => {
            let send = |rule: &Rule| match rule.then {
                Action::SendTo(there) => Some(there.domain),
                _ => None,
            };
            policy.rules.iter().filter_map(send).collect()
        }
        _ => BTreeSet::new(),
    }
}
