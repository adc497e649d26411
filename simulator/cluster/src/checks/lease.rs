//! Leases and leaders: whoever begins to lead has heard of no desk yet, and gives each the time of a whole lease.
//!
//! A session is as good as its desk's signs of life, and those are known to the leader alone, in its memory.

use routing::{Command, Outcome, ShardId};
use std::collections::BTreeMap;
use std::time::Duration;

/// A lease may seem this many times shorter: a leader's clock may run at twice the pace, and entries take time.
const SHORTER_MAX: u32 = 3;

/// When terms began.
#[derive(Debug)]
pub(super) struct Leases {
    lease: Duration,
    began: BTreeMap<(ShardId, u64), Duration>,
}

impl Leases {
    pub(super) fn new(lease: Duration) -> Self {
        Self { lease, began: BTreeMap::new() }
    }

    /// A replica came to an entry of a term; the first one to do so is at the leader, or later.
    pub(super) fn term(&mut self, shard: ShardId, term: u64, now: Duration) {
        self.began.entry((shard, term)).or_insert(now);
    }

    /// What is wrong about a lease that was lost in this term, now.
    pub(super) fn check(
        &self,
        shard: ShardId,
        term: u64,
        now: Duration,
        command: &Command,
        outcome: &Outcome,
    ) -> Option<String> {
        let (Command::LoseLease { desk }, Ok(_)) = (command, outcome) else { return None };
        let led = now.saturating_sub(*self.began.get(&(shard, term))?);
        (led < self.lease / SHORTER_MAX).then(|| {
            let (agent, lease) = (desk.agent, self.lease);
            format!("{shard}: {agent} lost its lease of {lease:?} when term {term} was {led:?} old")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::command::Desk;
    use routing::outcome::{Done, DoneWhat};
    use routing::{AgentId, DomainId, Epoch, LogTime, Rejected, Sequence, Version};

    const S: ShardId = ShardId(1);

    fn at(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn a_leader_that_has_just_begun_knows_of_no_silence() {
        let mut leases = Leases::new(at(9));
        for (term, began) in [(1, 5), (2, 100)] {
            leases.term(S, term, at(began));
        }
        leases.term(S, 2, at(104));
        let command =
            Command::LoseLease { desk: Desk { agent: AgentId::new(DomainId(1), 1), epoch: Epoch(1) } };
        let (at_time, sequence) = (LogTime(1), Sequence(1));
        let done = Ok(Done { what: DoneWhat::Ok, at: at_time, sequence, version: Version(1) });
        let look = |term, now, command: &Command, outcome: &Outcome| {
            leases.check(S, term, at(now), command, outcome).is_some()
        };
        assert!(look(2, 102, &command, &done));
        assert!(!look(2, 103, &command, &done), "as early as a fast clock allows");
        assert!(!look(1, 102, &command, &done), "an entry of a term that began long ago");
        assert!(!look(2, 102, &command, &Err(Rejected::Quarantined)), "refused, so nothing was lost");
        assert!(!look(2, 102, &Command::Tick, &done));
    }
}
