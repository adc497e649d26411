//! Every promise at every entry of a replay.

use super::Seen;
use crate::witness::{self, Broken, Options, Witness};
use routing::ShardId;

/// Checks a log from its beginning, as the simulator checks replicas while they apply.
#[derive(Debug)]
pub struct Checker {
    witness: Witness,
    node: u64,
}

impl Checker {
    /// For the log of a shard that this node exported.
    #[must_use]
    pub fn new(node: u64, shard: ShardId) -> Self {
        let mut witness = Witness::new(Options::default());
        witness.began(node, shard);
        Self { witness, node }
    }

    /// Checks one command or index. All of them from the log's beginning must come by: what a
    /// promise says about history is judged by what was seen here.
    pub fn take(&mut self, seen: &Seen<'_>) {
        match *seen {
            Seen::Passed { index, shard } => self.witness.passed(self.node, shard, index),
            Seen::Applied { entry, outcome, events, shard, last_of_index } => {
                let node = self.node;
                self.witness.applied(&witness::Applied {
                    node,
                    entry,
                    outcome,
                    events,
                    shard,
                    last_of_index,
                });
            }
        }
    }

    /// How many promises were broken.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.witness.figures().broken
    }

    /// The first of them.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        self.witness.broken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::entry::Request;
    use routing::settings::{DomainSettings, QueueSettings};
    use routing::{AccountId, Command, DomainId, Effects, Entry, LogTime, PlantedBug, Position, Shard};

    fn checked(bug: Option<PlantedBug>) -> Checker {
        let mut shard = Shard::new(ShardId(1));
        if let Some(bug) = bug {
            shard.plant(bug);
        }
        let settings = DomainSettings { name: "Support".into(), ..DomainSettings::default() };
        let queue = QueueSettings { name: "Sales".into(), ..QueueSettings::default() };
        let commands = [
            Command::CreateDomain { account: AccountId(1), settings },
            Command::CreateQueue { settings: queue },
        ];
        let mut checker = Checker::new(1, ShardId(1));
        checker.take(&Seen::Passed { index: 0, shard: &shard });
        for (index, command) in (1..).zip(commands) {
            let request = Request { id: None, domain: DomainId(1), expected_version: None, command };
            let position = Position { index, ordinal: 0 };
            let entry = Entry { position, time: LogTime(index), wall_ms: 1, request };
            let mut effects = Effects::default();
            let outcome = shard.apply(&entry, &mut effects);
            let events = &effects.events;
            let (entry, outcome, shard) = (&entry, &outcome, &shard);
            checker.take(&Seen::Applied { entry, outcome, events, shard, last_of_index: true });
        }
        checker
    }

    #[test]
    fn a_fault_of_the_core_is_named_with_its_index() {
        assert_eq!(checked(None).broken(), []);
        let checker = checked(Some(PlantedBug::SequenceGap));
        assert!(checker.count() > 0);
        let first = checker.broken().iter().find(|broken| broken.promise == "R-15").expect("a gap");
        assert!(first.to_string().contains("R-15 broken at shard_1 index 1.0"), "{first}");
    }
}
