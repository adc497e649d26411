//! Feature levels: which formats and which behaviour the whole cluster uses.
//!
//! A cluster runs at one level, a build knows all up to its own. It is raised once every node knows the
//! next, by an entry of the meta group's log and then one of every shard's, so that all replicas change
//! their ways at the same index and old logs replay to their old hashes. What a level brings is listed
//! here; what depends on one asks for it (`Cx::level`, `MetaCommand::level`). docs/adr/0019 says how to add one.

use crate::Command;

/// Where every shard begins, and what builds know that say nothing of levels.
pub const FIRST: u32 = 1;

/// The highest level of this build.
///
/// | level | brings |
/// | --- | --- |
/// | 1 | everything before levels |
/// | 2 | levels themselves: raised by the cluster, held by `ctl level --hold` |
/// | 3 | zones of nodes in the meta group's state |
/// | 4 | moves of domains between shards |
/// | 5 | drained nodes in the meta group's state; between nodes: snapshots in parts |
/// | 6 | skills and criteria |
/// | 7 | policies of queues: waiting rules and service levels |
/// | 8 | why an agent was picked, in the offer's event; the least flexible first; rules between channels |
/// | 9 | accepting in two steps, weights while the customer is waited for, longer wrap-ups; between nodes: questions about expected waits |
/// | 10 | the most proficient first; the pace of offers; opening hours |
/// | 11 | callbacks that keep the place in line; resuming an abandoned place |
/// | 11 | offers to several agents at once |
/// | 12 | consultations before a transfer |
pub const LATEST: u32 = 12;

/// From here on domains move, and what shards and the meta group know of that is in their snapshots.
pub const MOVES: u32 = 4;

/// From here on nodes are drained and kept, and the meta group's snapshots say which.
pub const DRAINS: u32 = 5;

/// From here on agents have skills and conversations criteria, and what a shard knows of them is in its snapshots.
pub const SKILLS: u32 = 6;

/// From here on queues have policies, and what a shard knows of them is in its snapshots.
pub const POLICIES: u32 = 7;

/// From here on the event of an offer says why its agent was picked, and queues may pick the least flexible first.
pub const PICKS: u32 = 8;

/// From here on domains have rules between channels, and what a shard knows of them is in its snapshots.
pub const BLOCKS: u32 = 8;

/// From here on every node can read the question what a wait is expected to be.
pub const EXPECTED: u32 = 9;

/// From here on domains have ways of handling contacts, and what a shard knows of them is in its snapshots.
pub const HANDLING: u32 = 9;

/// From here on queues may pick the most proficient.
pub const PROFICIENT: u32 = 10;

/// From here on domains have a pace of offers, and what a shard knows of it is in its snapshots.
pub const PACE: u32 = 10;

/// From here on domains have schedules and queues keep to them, and what a shard knows of them is in its snapshots.
pub const HOURS: u32 = 10;

/// From here on domains call customers back, and what a shard knows of that is in its snapshots.
pub const CALLBACK: u32 = 11;
/// From here on queues may offer to several agents at once, and what a shard knows of that is in its snapshots.
pub const RING: u32 = 11;

/// From here on a queue that is being served out is looked at once nobody is left, and not when somebody who stays
/// changes places.
pub const SERVED_OUT: u32 = 11;

/// From here on owners consult other agents.
pub const CONSULT: u32 = 12;

/// The next build's level, for rehearsals: a node that is told to know it behaves as that build would,
/// which differs in one thing, how a pick among agents that tie goes. Simulators and tests upgrade
/// clusters with it; nothing else should know it.
pub const REHEARSAL: u32 = LATEST + 1;

/// A log or a snapshot is of a later release than what reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is of feature level {needed}, this release knows levels up to {knows}: use the later release")]
pub struct UnknownLevel {
    /// The level that it is of.
    pub needed: u32,
    /// The highest level that the reader knows.
    pub knows: u32,
}

/// Whether a build that knows levels up to `knows` can go on at a level.
///
/// # Errors
/// When it does not know it: its state would part from the others'.
pub fn check(needed: u32, knows: u32) -> Result<(), UnknownLevel> {
    if needed <= knows { Ok(()) } else { Err(UnknownLevel { needed, knows }) }
}

/// Whether a build that knows levels up to `knows` can apply a command.
///
/// # Errors
/// When it raises the level above that.
pub fn check_command(command: &Command, knows: u32) -> Result<(), UnknownLevel> {
    match command {
        Command::SetLevel { level } => check(*level, knows),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_refuses_what_is_above_its_level_and_nothing_else() {
        let raise = |level| Command::SetLevel { level };
        assert_eq!(check_command(&Command::Tick, FIRST), Ok(()));
        assert_eq!(check_command(&raise(2), 2), Ok(()));
        assert_eq!(check_command(&raise(3), 2), Err(UnknownLevel { needed: 3, knows: 2 }));
    }
}
