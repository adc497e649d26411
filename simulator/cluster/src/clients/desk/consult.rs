//! Consultations at a desk: its own, and those that it is asked to take part in. With draws of their own, so that all
//! others are as without them.

use super::Desk;
use super::intent::Intent;
use super::link::{Link, Lost};
use super::state::{Due, Step};
use crate::clients::request::request_id;
use proto::v1;
use routing::{ConversationId, OfferId};
use std::time::Duration;
use tokio::time::Instant;

/// Of conversations: those about which their owner asks somebody.
const ASKS: f64 = 0.15;
/// How long the contact goes on at least, once somebody is asked.
const WHILE_ASKED: Duration = Duration::from_millis(3_500);
/// How long consultations may last: now and then what cannot be, or what is usual.
const LASTS_MS: [u64; 8] = [1_000, 1_500, 2_000, 2_000, 4_000, 10_000, 0, 999];

impl Desk {
    /// A conversation is this desk's: perhaps somebody is to be asked about it.
    pub(super) fn consider(&mut self, id: ConversationId) {
        if !self.plays() || !self.state.considered.insert(id) || !self.consults.chance(ASKS) {
            return;
        }
        let after = self.consults.millis(20, 500);
        self.state.plan(Instant::now() + after, Due::Consult(id, Step::Begin));
    }

    /// The time of a step has come.
    pub(super) fn consult(&mut self, link: &Link, id: ConversationId, step: Step) -> Result<(), Lost> {
        let held = self.state.held.get(&id).is_some_and(|held| !held.wrapping);
        if !self.plays() || !held && step == Step::Begin {
            return Ok(());
        }
        let now = Instant::now();
        match step {
            Step::Begin => {
                self.look_at(id, now + WHILE_ASKED);
                let asked = self.consults.pick(&self.realm.agents).id;
                let lasts_ms = *self.consults.pick(&LASTS_MS);
                // Now and then it thinks better of it before anybody can have accepted.
                if self.consults.chance(0.1) {
                    let after = self.consults.millis(0, 300);
                    self.state.plan(now + after, Due::Consult(id, Step::End));
                }
                self.ask_apart(link, Intent::Consult(id, asked, lasts_ms))
            }
            Step::End => self.ask_apart(link, Intent::EndConsult(id)),
            Step::Complete => self.ask_apart(link, Intent::CompleteConsult(id)),
        }
    }

    /// Whom it asked has accepted, for so long at most.
    pub(super) fn is_consulting(&mut self, id: ConversationId, within: Duration) {
        if !self.plays() {
            return;
        }
        let draw = &mut self.consults;
        let (first, second) = match draw.range(0, 9) {
            0..=4 => (Some(Step::Complete), None),
            5..=6 => (Some(Step::End), None),
            // Both, of which one comes too late.
            7 => (Some(Step::Complete), Some(Step::End)),
            _ => (None, None),
        };
        for step in first.into_iter().chain(second) {
            // Now and then so slow that it is a race with the deadline.
            let after = if draw.chance(0.05) {
                within.saturating_sub(draw.millis(0, 40))
            } else {
                draw.millis(50, 900)
            };
            self.state.plan(Instant::now() + after, Due::Consult(id, step));
        }
    }

    /// Its accept was answered: it is consulted.
    pub(super) fn accepted(&mut self, intent: &Intent, accepted: &v1::AcceptResponse) {
        if let (Intent::Accept(offer), Some(_)) = (intent, accepted.consult_until_us)
            && let Ok(id) = accepted.conversation.parse()
        {
            self.advises(*offer, id);
        }
    }

    /// It takes part in a consultation; now and then it is the one who ends it.
    pub(super) fn advises(&mut self, offer: OfferId, id: ConversationId) {
        if self.state.advising.insert(offer, id).is_none() && self.plays() && self.consults.chance(0.3) {
            let after = self.consults.millis(50, 1_200);
            self.state.plan(Instant::now() + after, Due::Advised(offer));
        }
    }

    /// It has no more to say.
    pub(super) fn advised(&mut self, link: &Link, offer: OfferId) -> Result<(), Lost> {
        let Some(id) = self.state.advising.get(&offer).copied().filter(|_| self.plays()) else {
            return Ok(());
        };
        self.count("advised");
        // Now and then as if it were any offer, which is refused.
        if self.consults.chance(0.2) {
            self.ask_apart(link, Intent::Reject(offer))?;
        }
        self.ask_apart(link, Intent::EndConsult(id))
    }

    fn ask_apart(&mut self, link: &Link, intent: Intent) -> Result<(), Lost> {
        let request = request_id(&mut self.consults);
        self.ask_as(link, intent, request)
    }
}
