//! Callbacks, drawn: the settings, mostly sound, requests, and who comes back.

use super::by::by;
use super::draw::Draw;
use crate::model::{Conv, Dom};
use routing::callback::CallbackSettings;
use routing::command::{Arrival, By, Desk};
use routing::event::Ending;
use routing::view::Stage;
use routing::{Command, Span, level};

/// Draws of its own, so that the rest of a run is as without it.
pub struct Calling {
    draw: Draw,
    /// Domains call back from the beginning.
    begins: bool,
    /// How many in a thousand commands are about the settings.
    permille: u64,
    /// How many in a hundred commands ask for callbacks, go on with them, or resume a place.
    percent: u64,
}

impl Calling {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0xca11_bacc);
        let (begins, permille) = (draw.chance(60), draw.among([3, 8, 20]));
        let percent = draw.among([5, 10, 20]);
        Self { draw, begins, permille, percent }
    }

    /// What a domain begins with, where the shard is at this level then.
    pub fn begin(&mut self, at_level: u32) -> Option<Command> {
        let begins = self.begins && at_level >= level::CALLBACK;
        begins.then(|| Command::SetCallback { callback: Some(self.sound()), by: By::System })
    }

    /// A command about them, if it is time for one.
    pub fn command(&mut self, dom: &Dom) -> Option<Command> {
        if self.draw.number(1, 1_000) <= self.permille {
            let callback = match self.draw.number(1, 12) {
                1 => dom.callback,
                2 => None,
                3..=4 => Some(self.unsound()),
                _ => Some(self.sound()),
            };
            return Some(Command::SetCallback { callback, by: by(&mut self.draw, dom) });
        }
        // Before it is over.
        if self.draw.chance(2 * self.percent)
            && let Some(command) = self.second_step(dom)
        {
            return Some(command);
        }
        if !self.draw.chance(self.percent) {
            return None;
        }
        match self.draw.number(1, 20) {
            1..=9 => self.request(dom),
            10 => self.cancel(dom),
            11 => self.hang_up(dom),
            12..=13 => self.leave(dom),
            _ => self.resume(dom),
        }
    }

    fn one(&mut self, dom: &Dom, wanted: impl Fn(&Conv) -> bool) -> Option<Conv> {
        let all: Vec<_> = dom.convs.values().filter(|c| wanted(c)).collect();
        self.draw.one(&all).cloned()
    }

    /// Mostly of what waits or rings.
    fn request(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(8);
        let waits =
            |c: &Conv| matches!(c.stage, Stage::Waiting(_) | Stage::Offered(_)) && c.calling.is_none();
        let conversation = self.one(dom, |c| any || waits(c))?.id;
        let contact = self.draw.among(["", "+34 600", &"9".repeat(64), &"9".repeat(65)]).to_owned();
        let not_before =
            self.draw.among([None, None, Some(0), Some(1_500_000), Some(9_000_000), Some(60_000_000)]);
        Some(Command::RequestCallback { conversation, contact, not_before: not_before.map(Span) })
    }

    /// Whoever was offered one takes it, reaches the customer, or does not.
    fn second_step(&mut self, dom: &Dom) -> Option<Command> {
        let offer = self.one(dom, |c| c.calling.is_some() && c.offer.is_some())?.offer?;
        let desk = Desk { agent: offer.agent, epoch: dom.people.get(&offer.agent)?.epoch };
        let (offer, connecting) = (offer.id, offer.connecting);
        Some(match self.draw.number(1, 10) {
            _ if !connecting => Command::Accept { desk, offer },
            1..=2 => Command::Connected { desk, offer },
            _ => Command::ConnectFailed { desk, offer, reason: "no answer".to_owned() },
        })
    }

    fn cancel(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(15);
        let conversation = self.one(dom, |c| any || c.calling.is_some())?.id;
        Some(Command::CancelCallback { conversation })
    }

    fn hang_up(&mut self, dom: &Dom) -> Option<Command> {
        let conversation = self.one(dom, |c| c.calling.is_some())?.id;
        Some(Command::Abandon { conversation })
    }

    fn leave(&mut self, dom: &Dom) -> Option<Command> {
        let waits = |c: &Conv| matches!(c.stage, Stage::Waiting(_)) && c.calling.is_none();
        let conversation = self.one(dom, waits)?.id;
        Some(Command::Abandon { conversation })
    }

    /// Mostly of a place that somebody left.
    fn resume(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(15);
        let left = self.one(dom, |c| any || c.stage == Stage::Ended(Ending::Abandoned))?;
        let others: Vec<_> = dom.touchpoints.keys().copied().collect();
        let other = self.draw.one(&others).filter(|_| self.draw.chance(20));
        let touchpoint = other.unwrap_or(left.touchpoint);
        let (customer, reference) = ("again".to_owned(), String::new());
        Some(Command::Start(Arrival {
            touchpoint,
            customer,
            reference,
            priority: None,
            continues: Some(left.id),
        }))
    }

    fn sound(&mut self) -> CallbackSettings {
        let draw = &mut self.draw;
        CallbackSettings {
            attempts: draw.among([1, 1, 2, 2, 10]),
            retry_after: Span(draw.among([1_000_000, 2_500_000, 10_000_000, 70_000_000])),
            dial: Span(draw.among([1_000_000, 5_000_000, 20_000_000])),
            expires_after: Span(draw.among([60_000_000, 61_000_000, 90_000_000, 600_000_000])),
            resume_within: Span(draw.among([0, 1_000_000, 10_000_000, 20_000_000])),
        }
    }

    fn unsound(&mut self) -> CallbackSettings {
        let settings = self.sound();
        match self.draw.number(1, 9) {
            1 => CallbackSettings { attempts: 0, ..settings },
            2 => CallbackSettings { attempts: 11, ..settings },
            3 => CallbackSettings { retry_after: Span(999_999), ..settings },
            4 => CallbackSettings { retry_after: Span(86_400_000_001), ..settings },
            5 => CallbackSettings { dial: Span(999_999), ..settings },
            6 => CallbackSettings { dial: Span(300_000_001), ..settings },
            7 => CallbackSettings { expires_after: Span(59_999_999), ..settings },
            8 => CallbackSettings { expires_after: Span(7 * 86_400_000_000 + 1), ..settings },
            _ => CallbackSettings { resume_within: Span(u64::MAX), ..settings },
        }
    }
}
