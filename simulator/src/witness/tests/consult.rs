//! Consultations, drawn apart from the rest of a log.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::command::{By, Desk, TransferFallback};
use routing::view::{ConversationView, DomainView, OfferView, Stage};
use routing::{AgentId, Command, Span};

pub struct Consults {
    rng: ChaCha8Rng,
}

impl Consults {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0xad71_ce00) }
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn one<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        if all.is_empty() { None } else { Some(all[self.rng.random_range(0..all.len())].clone()) }
    }

    fn desk(view: &DomainView, agent: AgentId) -> Option<Desk> {
        Some(Desk { agent, epoch: view.agents.get(&agent)?.epoch })
    }

    /// An owner asks, or what comes of that.
    pub fn command(&mut self, view: &DomainView, boss: By) -> Option<Command> {
        let assigned = view.conversations.values().filter(|c| matches!(c.stage, Stage::Assigned(_)));
        let (asked, alone): (Vec<_>, Vec<_>) =
            assigned.cloned().partition(|c| c.offer.as_ref().is_some_and(is_advice));
        match self.one(&asked).filter(|_| self.chance(70)) {
            Some(c) => self.goes_on(view, &c, boss),
            None => self.begins(view, &alone, boss),
        }
    }

    fn begins(&mut self, view: &DomainView, alone: &[ConversationView], boss: By) -> Option<Command> {
        let c = self.one(alone)?;
        let owner = c.stage.owner()?;
        let ready = view.agents.values().filter(|a| a.takes_offers() && a.id != owner).map(|a| a.id);
        let agent = self.one(&ready.collect::<Vec<_>>())?;
        let lasts = Span::seconds(self.rng.random_range(1..30));
        let by = if self.chance(20) { boss } else { By::Agent(Self::desk(view, owner)?) };
        Some(Command::Consult { conversation: c.id, agent, lasts, by })
    }

    fn goes_on(&mut self, view: &DomainView, c: &ConversationView, boss: By) -> Option<Command> {
        let (offer, owner, conversation) = (c.offer.as_ref()?, c.stage.owner()?, c.id);
        let (own, asked) = (Self::desk(view, owner)?, Self::desk(view, offer.agent)?);
        Some(match self.rng.random_range(0..10) {
            0..8 if !offer.connecting => Command::Accept { desk: asked, offer: offer.id },
            0..3 => Command::CompleteConsult { conversation, by: By::Agent(own) },
            3 => Command::EndConsult { conversation, by: By::Agent(own) },
            4 => Command::EndConsult { conversation, by: By::Agent(asked) },
            5 => Command::Connected { desk: asked, offer: offer.id },
            6 => Command::LoseLease { desk: if self.chance(50) { own } else { asked } },
            7 => Command::EndConsult { conversation, by: boss },
            _ => Command::LogOut { agent: owner, by: boss },
        })
    }
}

fn is_advice(offer: &OfferView) -> bool {
    matches!(offer.transfer, Some(TransferFallback::Advice { .. }))
}
