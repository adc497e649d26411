//! How contacts are handled, drawn apart from the rest of a log.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::command::{By, Desk};
use routing::handling::Handling;
use routing::view::{ConversationView, DomainView, Stage};
use routing::{AgentId, Channel, Command, Points, Span};

pub struct Ways {
    rng: ChaCha8Rng,
}

impl Ways {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0x4a2d_1e55) }
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    pub fn handling(&mut self) -> Handling {
        let mut handling = Handling { extend_max: Span::seconds(20), ..Handling::default() };
        for channel in Channel::ALL {
            let connects = self.chance(40);
            let within = Span::seconds(self.rng.random_range(1..10));
            handling.connect[channel.index()] = connects.then_some(within);
            let rests = self.chance(70);
            handling.idle[channel.index()] = rests.then_some(Points(self.rng.random_range(0..20)));
        }
        handling
    }

    fn one(
        &mut self,
        view: &DomainView,
        fits: impl Fn(&ConversationView) -> bool,
    ) -> Option<ConversationView> {
        let all: Vec<_> = view.conversations.values().filter(|c| fits(c)).collect();
        if all.is_empty() { None } else { Some(all[self.rng.random_range(0..all.len())].clone()) }
    }

    fn desk(view: &DomainView, agent: AgentId) -> Option<Desk> {
        Some(Desk { agent, epoch: view.agents.get(&agent)?.epoch })
    }

    /// The second step of an accept, now and then of what nobody accepted; or a rest, or its end; or a longer wrap-up.
    pub fn command(&mut self, view: &DomainView) -> Option<Command> {
        match self.rng.random_range(0..10) {
            0..4 => {
                let any = self.chance(5);
                let connecting = |c: &ConversationView| c.offer.as_ref().is_some_and(|o| any || o.connecting);
                let offer = self.one(view, connecting)?.offer?;
                let desk = Self::desk(view, offer.agent)?;
                let (offer, reason) = (offer.id, "no line".to_owned());
                let made = self.chance(75);
                Some(if made {
                    Command::Connected { desk, offer }
                } else {
                    Command::ConnectFailed { desk, offer, reason }
                })
            }
            4..8 => {
                let c = self.one(view, |c| matches!(c.stage, Stage::Assigned(_)))?;
                let by = By::Agent(Self::desk(view, c.stage.owner()?)?);
                Some(Command::SetIdle { conversation: c.id, idle: !c.idle, by })
            }
            _ => {
                let c = self.one(view, |c| matches!(c.stage, Stage::Wrapping(_)))?;
                let longer = Span::seconds(self.rng.random_range(1..10));
                Some(Command::ExtendWrapUp { conversation: c.id, longer, by: By::System })
            }
        }
    }
}
