//! Domains that moved while their shards' backups were taken.

use super::Shard;
use super::moves::{Hold, Side};
use crate::{DomainId, Effects, Sequence, ShardId};
use std::collections::{BTreeMap, BTreeSet};

/// Where each domain is that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Its shard.
    pub places: BTreeMap<DomainId, ShardId>,
    /// Its shard had sent it already, the other one had not all of it yet: nobody has it. Shards that are
    /// taken at another moment do. In order.
    pub lost: Vec<DomainId>,
}

/// How far a copy has come, to be compared: its record, then the shard's moves; one that is in service
/// goes before one that rests.
type Age = (Sequence, u64, bool);

impl Shard {
    /// The domain of the move that it takes part in.
    fn held(&self) -> Option<DomainId> {
        self.moves.hold.as_ref().map(|hold| hold.domain)
    }

    /// Has every domain on one shard again, in states that were taken from a backup, each perhaps at
    /// another moment: the copy that has come furthest stays, what is on its way is there. Before
    /// [`Shard::reconcile`]. A function of the states; not for groups that run.
    pub fn gather(shards: &mut [&mut Shard]) -> Gathered {
        let mut done = Gathered::default();
        let mut best: BTreeMap<DomainId, (Age, ShardId)> = BTreeMap::new();
        for shard in shards.iter() {
            for (id, domain) in &shard.domains {
                let rests = shard.held() == Some(*id);
                let age = (domain.sequence, shard.moves.last, !rests);
                let known = best.entry(*id).or_insert((age, shard.id));
                *known = (*known).max((age, shard.id));
            }
        }
        let away: BTreeSet<DomainId> =
            shards.iter().flat_map(|shard| shard.moves.gone.keys().copied().chain(shard.held())).collect();
        for shard in shards.iter_mut() {
            let id = shard.id;
            let doubled = |domain: &DomainId| best.get(domain).is_some_and(|(_, home)| *home != id);
            let gone: Vec<DomainId> = shard.domains.keys().copied().filter(doubled).collect();
            for domain in gone {
                shard.domains.remove(&domain);
                shard.moves.ahead.remove(&domain);
                shard.unlist(domain);
            }
            shard.moves.gone.clear();
            match shard.moves.hold.take() {
                Some(Hold { domain, side: Side::Leaving { at, .. }, .. })
                    if shard.domains.contains_key(&domain) =>
                {
                    shard.go_on_from(domain, at);
                }
                Some(Hold { domain, side: Side::Coming(coming), .. }) if !best.contains_key(&domain) => {
                    if coming.whole {
                        shard.settle_in(*coming, &mut Effects::default());
                        done.places.insert(domain, id);
                    }
                }
                Some(_) | None => {}
            }
        }
        done.places.extend(best.into_iter().map(|(domain, (_, home))| (domain, home)));
        done.lost = away.into_iter().filter(|domain| !done.places.contains_key(domain)).collect();
        done
    }
}
