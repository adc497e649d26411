//! Leases and leaders: whoever begins to lead has heard of no desk yet, and gives each the time of a whole lease. So
//! does the leader of a shard to which a domain has moved.
//!
//! A session is as good as its desk's signs of life, and those are known to the leader alone, in its memory.

use routing::command::MovePart;
use routing::{Command, DomainId, Outcome, Position, ShardId};
use std::collections::BTreeMap;
use std::time::Duration;

/// A lease may seem this many times shorter: a leader's clock may run at twice the pace, and entries take time.
const SHORTER_MAX: u32 = 3;

/// An entry that a replica came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) shard: ShardId,
    pub(super) term: u64,
    pub(super) position: Position,
    pub(super) domain: DomainId,
    pub(super) command: &'a Command,
    pub(super) outcome: &'a Outcome,
}

/// When terms began.
#[derive(Debug)]
pub(super) struct Leases {
    lease: Duration,
    began: BTreeMap<(ShardId, u64), Duration>,
    /// The entry by which a domain came to a shard last, and when.
    came: BTreeMap<(DomainId, ShardId), (Position, Duration)>,
}

impl Leases {
    pub(super) fn new(lease: Duration) -> Self {
        Self { lease, began: BTreeMap::new(), came: BTreeMap::new() }
    }

    /// A term has begun, at the latest now.
    pub(super) fn term(&mut self, shard: ShardId, term: u64, now: Duration) -> Duration {
        *self.began.entry((shard, term)).or_insert(now)
    }

    /// A replica came to an entry: what is wrong about a lease that was lost by it. The first replica is the
    /// leader, or comes later; one that starts comes to entries of long ago.
    pub(super) fn see(&mut self, seen: Seen<'_>, now: Duration) -> Option<String> {
        let Seen { shard, term, position, domain, command, outcome } = seen;
        let began = self.term(shard, term, now);
        if outcome.is_err() {
            return None;
        }
        let desk = match command {
            Command::LoseLease { desk } => desk,
            // On the shard that the domain left, this means nothing.
            Command::Move(part) if matches!(**part, MovePart::End { placed: true, .. }) => {
                let came = self.came.entry((domain, shard)).or_insert((position, now));
                *came = if came.0 < position { (position, now) } else { *came };
                return None;
            }
            _ => return None,
        };
        let (agent, lease) = (desk.agent, self.lease);
        let shortest = lease / SHORTER_MAX;
        let led = now.saturating_sub(began);
        if led < shortest {
            return Some(format!(
                "{shard}: {agent} lost its lease of {lease:?} when term {term} was {led:?} old"
            ));
        }
        let (_, came) = self.came.get(&(agent.domain, shard)).filter(|(came, _)| *came < position)?;
        let here = now.saturating_sub(*came);
        (here < shortest).then(|| {
            format!("{shard}: {agent} lost its lease of {lease:?} when its domain was there for {here:?}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::command::Desk;
    use routing::outcome::{Done, DoneWhat};
    use routing::{AgentId, Epoch, LogTime, Rejected, Sequence, Version};

    const S: ShardId = ShardId(1);
    const D: DomainId = DomainId(1);

    fn at(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn loss() -> Command {
        Command::LoseLease { desk: Desk { agent: AgentId::new(D, 1), epoch: Epoch(1) } }
    }

    fn end(placed: bool) -> Command {
        Command::Move(Box::new(MovePart::End { number: 1, placed }))
    }

    fn done() -> Outcome {
        Ok(Done { what: DoneWhat::Ok, at: LogTime(1), sequence: Sequence(1), version: Version(1) })
    }

    /// Whether something is wrong about the entry of this term and index.
    fn wrong(
        leases: &mut Leases,
        (term, index): (u64, u64),
        now: u64,
        command: &Command,
        outcome: &Outcome,
    ) -> bool {
        let position = Position { index, ordinal: 0 };
        leases.see(Seen { shard: S, term, position, domain: D, command, outcome }, at(now)).is_some()
    }

    #[test]
    fn a_leader_that_has_just_begun_knows_of_no_silence() {
        let mut leases = Leases::new(at(9));
        for (term, began) in [(1, 5), (2, 100), (2, 101)] {
            assert!(!wrong(&mut leases, (term, term), began, &Command::Tick, &done()));
        }
        let mut look = |term, now, outcome: &Outcome| wrong(&mut leases, (term, 9), now, &loss(), outcome);
        assert!(look(2, 102, &done()));
        assert!(!look(2, 103, &done()), "as early as a fast clock allows");
        assert!(!look(1, 102, &done()), "an entry of a term that began long ago");
        assert!(!look(2, 102, &Err(Rejected::Quarantined)), "refused, so nothing was lost");
    }

    #[test]
    fn neither_does_the_leader_of_the_shard_to_which_a_domain_moved() {
        let mut leases = Leases::new(at(9));
        wrong(&mut leases, (1, 1), 0, &Command::Tick, &done());
        let mut look = |index, now, command| wrong(&mut leases, (1, index), now, &command, &done());
        look(20, 100, end(false));
        assert!(!look(21, 101, loss()), "it stayed");
        look(30, 100, end(true));
        look(30, 102, end(true));
        assert!(look(31, 102, loss()));
        assert!(!look(31, 103, loss()), "a replica that comes to it later says nothing new");
        assert!(!look(21, 102, loss()), "before it came, by a replica that has just started");
        look(40, 110, end(true));
        look(30, 112, end(true));
        assert!(look(41, 112, loss()) && !look(41, 113, loss()));
    }
}
