//! Callbacks and resumed places, drawn apart from the rest of a log.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::callback::CallbackSettings;
use routing::command::{Arrival, Desk};
use routing::event::Ending;
use routing::view::{ConversationView, DomainView, Stage};
use routing::{Command, Span};

pub struct Calls {
    rng: ChaCha8Rng,
}

impl Calls {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0xca11_bacc) }
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    /// Now and then none.
    pub fn settings(&mut self) -> Option<CallbackSettings> {
        let settings = CallbackSettings {
            attempts: self.rng.random_range(1..4),
            retry_after: Span::seconds(self.rng.random_range(1..8)),
            dial: Span::seconds(self.rng.random_range(1..8)),
            expires_after: Span::seconds(self.rng.random_range(60..120)),
            resume_within: Span::seconds(self.rng.random_range(0..10)),
        };
        (!self.chance(10)).then_some(settings)
    }

    fn one(
        &mut self,
        view: &DomainView,
        fits: impl Fn(&ConversationView) -> bool,
    ) -> Option<ConversationView> {
        let all: Vec<_> = view.conversations.values().filter(|c| fits(c)).collect();
        if all.is_empty() { None } else { Some(all[self.rng.random_range(0..all.len())].clone()) }
    }

    /// A request, what becomes of one, its end, or somebody who comes back.
    pub fn command(&mut self, view: &DomainView) -> Option<Command> {
        match self.rng.random_range(0..10) {
            0..4 => {
                let waits = |c: &ConversationView| {
                    matches!(c.stage, Stage::Waiting(_) | Stage::Offered(_)) && c.callback.is_none()
                };
                let conversation = self.one(view, waits)?.id;
                let not_before = self.chance(30).then(|| Span::seconds(self.rng.random_range(1..20)));
                Some(Command::RequestCallback { conversation, contact: "+34 600".to_owned(), not_before })
            }
            4..7 => {
                let offer = self.one(view, |c| c.callback.is_some() && c.offer.is_some())?.offer?;
                let desk = Desk { agent: offer.agent, epoch: view.agents.get(&offer.agent)?.epoch };
                let (connecting, offer, reason) = (offer.connecting, offer.id, "no answer".to_owned());
                Some(match self.chance(30) {
                    _ if !connecting => Command::Accept { desk, offer },
                    true => Command::Connected { desk, offer },
                    false => Command::ConnectFailed { desk, offer, reason },
                })
            }
            7 => {
                let conversation = self.one(view, |c| c.callback.is_some())?.id;
                Some(Command::CancelCallback { conversation })
            }
            _ => {
                let left = self.one(view, |c| c.stage == Stage::Ended(Ending::Abandoned))?;
                Some(Command::Start(Arrival {
                    touchpoint: left.touchpoint,
                    customer: left.customer,
                    reference: "again".to_owned(),
                    priority: None,
                    continues: Some(left.id),
                }))
            }
        }
    }
}
