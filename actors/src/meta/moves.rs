//! Domains on their way from one shard to another, as the cluster decides them (docs/adr/0021). The entry that
//! gives a domain its new place is the moment of the move: before it the move can be given up, after it not.

use super::state::{MetaDone, MetaOutcome, MetaState, SKIPPED};
use routing::{DomainId, Rejected, ShardId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MoveStage {
    /// It is decided; the domain is where it was.
    Begun,
    /// The domain is where it was to go.
    Placed,
    /// It was given up; the domain is where it was.
    GivenUp,
}

/// A move of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainMove {
    /// Larger than that of any move before.
    pub(crate) number: u64,
    pub(crate) from: ShardId,
    pub(crate) to: ShardId,
    pub(crate) stage: MoveStage,
}

/// All moves under way. A shard takes part in one at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moves {
    /// The last number given out.
    last: u64,
    under_way: BTreeMap<DomainId, DomainMove>,
}

impl Moves {
    /// The former cluster may have begun others since, and what is under way is where it is.
    pub(super) fn reborn(&mut self) {
        self.under_way.clear();
        if self.last > 0 {
            self.last += u64::from(SKIPPED);
        }
    }
}

impl MetaState {
    /// The moves under way.
    pub(crate) fn moves(&self) -> &BTreeMap<DomainId, DomainMove> {
        &self.moves.under_way
    }

    /// How many have begun.
    pub(crate) fn moves_begun(&self) -> u64 {
        self.moves.last
    }

    pub(super) fn move_domain(&mut self, domain: DomainId, to: ShardId) -> MetaOutcome {
        let Some(from) = self.confirmed(domain) else { return Err(Rejected::UnknownDomain) };
        if to.0 == 0 || to.0 > self.shards() {
            let problem = format!("there is no shard {}: 1 to {}", to.0, self.shards());
            return Err(Rejected::Invalid { field: "to".to_owned(), problem });
        }
        if let Some(way) = self.moves.under_way.get(&domain) {
            // Asked for again.
            let same = way.to == to && way.stage != MoveStage::GivenUp;
            return if same { Ok(MetaDone::Ok) } else { Err(busy(domain, way)) };
        }
        if from == to {
            return Ok(MetaDone::Ok);
        }
        let touches = |way: &DomainMove| [way.from, way.to].iter().any(|shard| [from, to].contains(shard));
        if let Some((other, way)) = self.moves.under_way.iter().find(|(_, way)| touches(way)) {
            return Err(busy(*other, way));
        }
        self.moves.last += 1;
        let way = DomainMove { number: self.moves.last, from, to, stage: MoveStage::Begun };
        self.moves.under_way.insert(domain, way);
        Ok(MetaDone::Ok)
    }

    /// All of the domain is there: it has its new place, if the move was not given up before.
    pub(super) fn place_moved(&mut self, domain: DomainId, number: u64) -> MetaOutcome {
        let way = self.moves.under_way.get_mut(&domain).filter(|way| way.number == number);
        let Some(way) = way else { return Err(over(domain, number)) };
        match way.stage {
            MoveStage::Placed => return Ok(MetaDone::Ok),
            MoveStage::GivenUp => return Err(over(domain, number)),
            MoveStage::Begun => way.stage = MoveStage::Placed,
        }
        let to = way.to;
        self.put(domain, to);
        Ok(MetaDone::Ok)
    }

    pub(super) fn cancel_move(&mut self, domain: DomainId) -> MetaOutcome {
        let known = self.place(domain).is_some();
        match self.moves.under_way.get_mut(&domain) {
            None if !known => Err(Rejected::UnknownDomain),
            // Over, or given up before.
            None => Ok(MetaDone::Ok),
            Some(way) if way.stage == MoveStage::Placed => {
                let why = format!("{domain} has its place on {}: move it back when that is over", way.to);
                Err(Rejected::InUse { why })
            }
            Some(way) => {
                way.stage = MoveStage::GivenUp;
                Ok(MetaDone::Ok)
            }
        }
    }

    /// Both shards know how it ended.
    pub(super) fn end_move(&mut self, domain: DomainId, number: u64) -> MetaOutcome {
        if self.moves.under_way.get(&domain).is_some_and(|way| way.number == number) {
            self.moves.under_way.remove(&domain);
        }
        Ok(MetaDone::Ok)
    }
}

fn busy(domain: DomainId, way: &DomainMove) -> Rejected {
    let DomainMove { from, to, .. } = way;
    Rejected::InUse { why: format!("{domain} is on its way from {from} to {to}: wait for its end") }
}

fn over(domain: DomainId, number: u64) -> Rejected {
    Rejected::InUse { why: format!("move {number} of {domain} is over") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta::state::{MetaCommand, MetaRequest};
    use routing::{AccountId, RequestId};

    const ONE: DomainId = DomainId(1);

    struct Meta {
        state: MetaState,
        asked: u128,
    }

    impl Meta {
        /// Five shards, on each of the first four a domain, at the level of moves.
        fn new() -> Self {
            let mut meta = Meta { state: MetaState::new(5), asked: 0 };
            meta.ask(MetaCommand::CreateAccount { name: "Acme".to_owned() }).unwrap();
            for domain in 1..=4 {
                meta.ask(MetaCommand::PlaceDomain { account: AccountId(1) }).unwrap();
                meta.ask(MetaCommand::ConfirmDomain { domain: DomainId(domain) }).unwrap();
            }
            let early = meta.go(1, 2);
            assert_eq!(early, Err(Rejected::Level { level: 1 }));
            meta.ask(MetaCommand::SetLevel { level: routing::level::MOVES }).unwrap();
            meta
        }

        fn ask(&mut self, command: MetaCommand) -> MetaOutcome {
            self.asked += 1;
            let id = RequestId(1_000 << 80 | self.asked);
            let outcome = self.state.apply(MetaRequest { id, command }, 1, 1_000);
            let read = MetaState::decode(&self.state.encode()).unwrap();
            assert_eq!((read.hash(), &read), (self.state.hash(), &self.state), "as read from a snapshot");
            outcome
        }

        fn go(&mut self, domain: u32, to: u32) -> MetaOutcome {
            self.ask(MetaCommand::MoveDomain { domain: DomainId(domain), to: ShardId(to) })
        }

        fn shard_of_one(&self) -> u32 {
            self.state.place(ONE).unwrap().shard.0
        }
    }

    fn in_use(outcome: &MetaOutcome) -> bool {
        matches!(outcome, Err(Rejected::InUse { .. }))
    }

    #[test]
    fn a_domain_has_its_new_place_when_all_of_it_is_there() {
        let mut meta = Meta::new();
        assert_eq!(meta.go(9, 2), Err(Rejected::UnknownDomain));
        assert!(matches!(meta.go(1, 6), Err(Rejected::Invalid { .. })));
        assert_eq!(meta.go(1, 1), Ok(MetaDone::Ok), "it is there");
        assert!(meta.state.moves().is_empty());
        meta.go(1, 2).unwrap();
        meta.go(1, 2).unwrap();
        assert!(in_use(&meta.go(1, 3)) && in_use(&meta.go(2, 3)) && in_use(&meta.go(3, 1)), "one at a time");
        meta.go(3, 4).unwrap();
        let place = |number| MetaCommand::PlaceMoved { domain: ONE, number };
        assert!(in_use(&meta.ask(place(7))), "another move");
        assert_eq!(meta.shard_of_one(), 1);
        for _ in 0..2 {
            meta.ask(place(1)).unwrap();
        }
        assert_eq!(meta.shard_of_one(), 2);
        assert_eq!((meta.state.domains_on(ShardId(1)), meta.state.domains_on(ShardId(2))), (0, 2));
        assert!(in_use(&meta.ask(MetaCommand::CancelMove { domain: ONE })), "too late");
        for _ in 0..2 {
            meta.ask(MetaCommand::EndMove { domain: ONE, number: 1 }).unwrap();
        }
        assert_eq!(meta.state.moves().len(), 1);
        meta.go(1, 5).unwrap();
        assert_eq!(meta.state.moves()[&ONE].number, 3);
        meta.ask(MetaCommand::EndMove { domain: ONE, number: 1 }).unwrap();
        assert_eq!(meta.state.moves().len(), 2, "late, and of another move");
    }

    #[test]
    fn a_move_that_is_given_up_is_not_placed_any_more() {
        let mut meta = Meta::new();
        meta.go(1, 2).unwrap();
        for _ in 0..2 {
            meta.ask(MetaCommand::CancelMove { domain: ONE }).unwrap();
        }
        assert!(in_use(&meta.ask(MetaCommand::PlaceMoved { domain: ONE, number: 1 })));
        assert!(in_use(&meta.go(1, 2)), "it has not ended yet");
        meta.ask(MetaCommand::EndMove { domain: ONE, number: 1 }).unwrap();
        assert_eq!(meta.shard_of_one(), 1);
        meta.ask(MetaCommand::CancelMove { domain: ONE }).unwrap();
        let unknown = meta.ask(MetaCommand::CancelMove { domain: DomainId(9) });
        assert_eq!(unknown, Err(Rejected::UnknownDomain));
    }

    /// New domains go to the emptiest shard, by where domains are now.
    #[test]
    fn who_is_where_counts_for_new_domains() {
        let mut meta = Meta::new();
        meta.go(1, 5).unwrap();
        meta.ask(MetaCommand::PlaceMoved { domain: ONE, number: 1 }).unwrap();
        meta.ask(MetaCommand::PlaceDomain { account: AccountId(1) }).unwrap();
        assert_eq!(meta.state.place(DomainId(5)).unwrap().shard, ShardId(1));
    }
}
