//! R-17 across domains: what one says of a transfer against what the other one did.
//!
//! An answer is settled after the other domain has applied what it answers, so in the order in which
//! first replicas apply, whatever a domain says of a conversation that has left must be so already,
//! and must stay so.

use super::Applied;
use super::figures::Figures;
use routing::command::{Crossing, TransferTarget};
use routing::event::Ending;
use routing::outcome::{DoneWhat, Landing};
use routing::{Command, ConversationId, DomainId, EventKind};
use std::collections::{BTreeMap, BTreeSet};

/// A conversation, the domain it goes to, and the number of that transfer.
type Key = (ConversationId, DomainId, u64);

/// All transfers between domains of a run.
#[derive(Debug, Default)]
pub(super) struct Crossings {
    /// What is on its way, as its own domain says.
    open: BTreeMap<ConversationId, (DomainId, u64)>,
    /// What the domain that it goes to said first.
    there: BTreeMap<Key, Landing>,
    /// What its own domain has taken back.
    back: BTreeSet<Key>,
}

impl Crossings {
    /// Takes the next entry of a shard in; says what is broken.
    pub(super) fn follow(&mut self, seen: &Applied<'_>, figures: &mut Figures) -> Vec<String> {
        let mut broken = Vec::new();
        let command = &seen.entry.request.command;
        if let (Command::Arrive(_) | Command::Withdraw { .. }, Ok(done)) = (command, seen.outcome)
            && let DoneWhat::Landed(landing) = &done.what
        {
            let crossing = match command {
                Command::Withdraw { crossing, .. } => crossing,
                Command::Arrive(incoming) => &incoming.crossing,
                _ => return broken,
            };
            broken.extend(self.landed(crossing, seen.entry.request.domain, landing, figures));
        }
        for event in seen.events {
            match &event.kind {
                EventKind::TransferStarted {
                    conversation, target: TransferTarget::Touchpoint(to), ..
                } => {
                    figures.crossings_left += 1;
                    let way = seen.shard.conversation(*conversation).and_then(|seen| seen.departure);
                    // Gone again within the entry: nothing was ever sent.
                    if let Some(way) = way {
                        self.open.insert(*conversation, (to.domain, way.number));
                    }
                }
                EventKind::Recalled { .. } => figures.crossings_recalled += 1,
                EventKind::Ended { conversation, ending: Ending::Moved { to }, .. } => {
                    broken.extend(self.moved(*conversation, *to));
                }
                EventKind::TransferFailed { conversation } | EventKind::Ended { conversation, .. } => {
                    broken.extend(self.came_back(*conversation));
                }
                _ => {}
            }
        }
        broken
    }

    /// The other domain says what became of it.
    fn landed(
        &mut self,
        crossing: &Crossing,
        to: DomainId,
        landing: &Landing,
        figures: &mut Figures,
    ) -> Option<String> {
        let key = (crossing.from, to, crossing.number);
        let (from, number) = (crossing.from, crossing.number);
        if let Some(first) = self.there.get(&key) {
            figures.crossings_repeated += 1;
            return (first != landing).then(|| {
                format!("transfer {number} of {from} to {to} was {first:?} and is now {landing:?}")
            });
        }
        match landing {
            Landing::Arrived(_) => figures.crossings_arrived += 1,
            Landing::Refused(_) => figures.crossings_refused += 1,
            Landing::Withdrawn => figures.crossings_withdrawn += 1,
        }
        self.there.insert(key, landing.clone());
        match landing {
            Landing::Arrived(id) if self.back.contains(&key) => {
                Some(format!("{from} arrives in {to} as {id}, after its own domain took it back"))
            }
            _ => None,
        }
    }

    /// Its own domain says that it is there.
    fn moved(&mut self, from: ConversationId, to: ConversationId) -> Option<String> {
        let Some((domain, number)) = self.open.remove(&from) else {
            return Some(format!("{from} ended as moved to {to}, and was not on its way"));
        };
        let there = self.there.get(&(from, domain, number));
        (there != Some(&Landing::Arrived(to)))
            .then(|| format!("{from} ended as moved to {to}, where {there:?} is known of it"))
    }

    /// Its own domain says that it is not there, and never will be.
    fn came_back(&mut self, from: ConversationId) -> Option<String> {
        let (domain, number) = self.open.remove(&from)?;
        let key = (from, domain, number);
        self.back.insert(key);
        match self.there.get(&key) {
            Some(Landing::Arrived(id)) => Some(format!("{from} was taken back, and is in {domain} as {id}")),
            Some(_) => None,
            None => Some(format!("{from} was taken back, and {domain} was not asked or did not answer")),
        }
    }
}
