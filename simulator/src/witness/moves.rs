//! Domains that move between shards: one shard at most has each in service, and it arrives as it left.
//!
//! Who sends a move's steps sends each when the one before is answered: so in the order in which first
//! replicas apply, a domain rests before it comes, and is in service there before it is gone here.

use super::Applied;
use super::figures::Figures;
use super::scene::{Scene, Verdict};
use routing::command::MovePart;
use routing::{DomainId, Event, ShardId, Whereabouts};
use std::collections::BTreeMap;

/// The domains of all shards.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// In whose service each is, or was before it rested.
    homes: BTreeMap<DomainId, ShardId>,
    /// Domains that rest, as they were then.
    resting: BTreeMap<DomainId, Scene>,
}

/// What a step of a move means for the scenes of a shard.
pub(super) enum Turn {
    /// Nothing.
    None,
    /// The domain rests.
    Rests,
    /// The domain is in service here, and nothing was seen of it before.
    Blind,
    /// The domain is in service here from now on.
    Arrived(Box<Scene>),
}

impl Moves {
    /// A domain is in service on a shard, as the present entry shows: the first time ever, or else this is
    /// broken.
    pub(super) fn is_new(&mut self, domain: DomainId, shard: ShardId) -> Result<(), Verdict> {
        match *self.homes.entry(domain).or_insert(shard) {
            home if home == shard && !self.resting.contains_key(&domain) => Ok(()),
            home => Err(twice(domain, shard, home)),
        }
    }

    /// The domain rests.
    pub(super) fn rests(&mut self, domain: DomainId, scene: Scene, figures: &mut Figures) {
        figures.moves_begun += 1;
        self.resting.insert(domain, scene);
    }

    /// Takes the next step of a move in that was done; says what is broken.
    pub(super) fn follow(
        &mut self,
        seen: &Applied<'_>,
        part: &MovePart,
        is_here: bool,
        figures: &mut Figures,
    ) -> (Turn, Vec<Verdict>) {
        let domain = seen.entry.request.domain;
        let shard = seen.shard.id();
        match (part, seen.shard.whereabouts(domain)) {
            (MovePart::Freeze { .. }, _) if is_here => (Turn::Rests, Vec::new()),
            (MovePart::Record { events, .. }, _) => (Turn::None, self.record(domain, seen.events, events)),
            (MovePart::End { .. }, Whereabouts::Here) if !is_here => {
                let Some(mut scene) = self.resting.remove(&domain) else {
                    return match self.homes.get(&domain) {
                        None => (Turn::Blind, Vec::new()),
                        Some(home) => (Turn::None, vec![twice(domain, shard, *home)]),
                    };
                };
                let home = self.homes.insert(domain, shard);
                figures.moves_done += u64::from(home != Some(shard));
                figures.moves_given_up += u64::from(home == Some(shard));
                let found = changed("is in service after its rest", domain, &scene.arrives(seen.shard));
                (Turn::Arrived(Box::new(scene)), found.into_iter().collect())
            }
            _ => (Turn::None, Vec::new()),
        }
    }

    /// What comes along of the record is what it was.
    fn record(&self, domain: DomainId, emitted: &[Event], sent: &[Event]) -> Vec<Verdict> {
        let Some(scene) = self.resting.get(&domain) else { return Vec::new() };
        let broken = |what: String| Verdict { promise: "R-15", seen: what };
        let mut found = Vec::new();
        if emitted != sent {
            found.push(broken(format!("events of {domain} were sent along and others were emitted")));
        }
        let other = sent.iter().find(|event| !scene.may_have_been(event));
        found.extend(other.map(|event| broken(format!("{event:?} was never an event of {domain}"))));
        found
    }
}

/// What is otherwise though nothing may have happened to the domain.
pub(super) fn changed(how: &str, domain: DomainId, other: &[String]) -> Option<Verdict> {
    let seen = || format!("{domain} {how} with other {}", other.join(", "));
    (!other.is_empty()).then(|| Verdict { promise: "move", seen: seen() })
}

fn twice(domain: DomainId, shard: ShardId, home: ShardId) -> Verdict {
    let what = format!("{domain} is in service on {shard}, and its shard is {home}");
    Verdict { promise: "move", seen: what }
}
