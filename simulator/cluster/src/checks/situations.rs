//! Situations that a swarm must have been in, as the record tells them: rare moments at which a mistake
//! would show.

use super::tale::Tale;
use simulator::checker::model::{Kind, Why};
use std::collections::{BTreeMap, BTreeSet};

/// How often a domain was in each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Situations {
    /// An agent came back after its lease was lost, and still had work in hand.
    pub(super) returns_with_work: u64,
    /// A conversation that was held out to an agent got another priority.
    pub(super) offers_reprioritised: u64,
    /// An agent on the break that follows misses left by its own or a supervisor's wish.
    pub(super) breaks_of_its_own: u64,
    /// Who was consulted about a conversation has it since.
    pub(super) consults_completed: u64,
}

impl Situations {
    pub(super) fn of(tale: &Tale) -> Self {
        let mut all = Self::default();
        let (mut lost, mut missed, mut offered) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut owners, mut consulted) = (BTreeMap::new(), BTreeSet::new());
        for event in &tale.events {
            if let Kind::Assigned { offer: Some(offer), .. } = &event.kind {
                all.consults_completed += u64::from(consulted.remove(offer));
            }
            match &event.kind {
                Kind::LeaseLost { agent } => drop(lost.insert(*agent)),
                Kind::SessionOpened { agent, .. } => {
                    let works = owners.values().any(|owner| owner == agent);
                    all.returns_with_work += u64::from(lost.remove(agent) && works);
                }
                Kind::Presence { agent, why: Why::Missed, .. } => drop(missed.insert(*agent)),
                Kind::Presence { agent, available, why } => {
                    let leaves = !available && *why == Why::Asked;
                    all.breaks_of_its_own += u64::from(missed.remove(agent) && leaves);
                }
                Kind::Offered { conversation, .. } => drop(offered.insert(*conversation)),
                Kind::OfferEnded { conversation, .. } => drop(offered.remove(conversation)),
                Kind::Reprioritised { conversation, .. } => {
                    all.offers_reprioritised += u64::from(offered.contains(conversation));
                }
                Kind::Consulting { offer, .. } => drop(consulted.insert(*offer)),
                Kind::Assigned { conversation, agent, .. } => drop(owners.insert(*conversation, *agent)),
                Kind::Released { conversation, .. } => drop(owners.remove(conversation)),
                Kind::Ended { conversation, .. } => {
                    owners.remove(conversation);
                    offered.remove(conversation);
                }
                _ => {}
            }
        }
        all
    }
}
