//! What a desk reads.

use super::intent::{Intent, Presence};
use super::link::{Link, Lost};
use super::state::{Due, Fate, Held, Line};
use super::{BEAT, Desk, End, SOON_MS};
use crate::checks::{Outcome, Said, Shown};
use crate::clients::answered::Answered;
use crate::clients::caller::outcome;
use crate::clients::seen;
use proto::v1;
use proto::v1::desk_response::Message;
use proto::v1::notice::Notice as Told;
use proto::v1::reply::Result as Reply;
use routing::{ConversationId, OfferId};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tonic::Code;

/// Conversations pulled at once.
const PULLS: usize = 2;

impl From<Lost> for End {
    fn from(_: Lost) -> Self {
        End::Lost
    }
}

impl Desk {
    /// Reads a message; `first`: it is the first welcome of the stream.
    pub(super) fn read(&mut self, response: v1::DeskResponse, link: &Link, first: bool) -> Result<(), End> {
        self.state.cursor = response.cursor;
        match response.message {
            Some(Message::Welcome(welcome)) => self.welcome(welcome, link, first)?,
            Some(Message::Reply(reply)) => self.reply(reply, link)?,
            Some(Message::Notice(notice)) => self.notice(notice, link)?,
            Some(Message::HeartbeatAck(_)) | None => {}
        }
        if self.state.cursor != self.state.written_cursor {
            self.sight(link, Said::Other);
        }
        Ok(())
    }

    /// Everything anew: what is shown beyond it is over.
    fn welcome(&mut self, welcome: v1::Welcome, link: &Link, first: bool) -> Result<(), End> {
        let now = Instant::now();
        let agent = welcome.agent.unwrap_or_default();
        let Some(known) = seen::agent(&agent) else {
            self.realm.history.found("alarm", format!("a welcome cannot be read: {agent:?}"));
            return Err(End::Lost);
        };
        let offers: Vec<Shown> = agent.offers.iter().filter_map(seen::offer).collect();
        self.state.hello = None;
        self.state.epoch = Some(welcome.epoch);
        self.state.available = known.available;
        let holdings: BTreeMap<ConversationId, bool> = known.holdings.iter().copied().collect();
        self.sight(link, Said::Welcome(Box::new(known), offers.clone()));
        self.state.held.retain(|id, _| holdings.contains_key(id));
        for (id, wrapping) in holdings {
            self.hold(id, wrapping);
        }
        let live: Vec<OfferId> = offers.iter().map(|offer| offer.offer).collect();
        self.state.offers.retain(|offer, _| live.contains(offer));
        self.state.connecting.retain(|offer| live.contains(offer));
        self.state.advising.retain(|offer, _| live.contains(offer));
        for offer in offers {
            if offer.connecting && offer.consult {
                self.state.offers.insert(offer.offer, offer);
                self.advises(offer.offer, offer.conversation);
            } else if offer.connecting {
                let within = Duration::from_micros(offer.deadline_us.saturating_sub(welcome.now_us));
                self.state.offers.insert(offer.offer, offer);
                self.connecting(offer.offer, within);
            } else {
                self.offered(offer);
            }
        }
        if first {
            self.state.unplan(|due| matches!(due, Due::Beat));
            self.state.plan(now + BEAT, Due::Beat);
            if !self.plays() {
                self.finish();
            }
        }
        // What was under way and unanswered is asked again, with the ids and the epochs it had.
        for pending in std::mem::take(&mut self.state.pending).into_values() {
            self.written(&pending, Outcome::Unknown);
            self.send(link, pending)?;
        }
        if !self.state.available && !self.state.wants_presence() {
            let after = self.back_after();
            self.state.plan(now + after, Due::Presence(Presence::Available));
        }
        Ok(())
    }

    /// After how long an agent who is not available wants to be.
    fn back_after(&mut self) -> Duration {
        if self.plays() { self.caller.draw.millis(50, 3_000) } else { Duration::from_millis(50) }
    }

    fn reply(&mut self, reply: v1::Reply, link: &Link) -> Result<(), End> {
        let Some(mut pending) = self.state.pending.remove(&reply.tag) else { return Ok(()) };
        let answer = match reply.result {
            Some(Reply::Done(receipt)) => receipt.answer(),
            Some(Reply::Accepted(accepted)) => {
                self.accepted(&pending.intent, &accepted);
                accepted.answer()
            }
            Some(Reply::Inbox(inbox)) => {
                self.realm.history.count("inbox", "ok");
                return self.pull(&inbox, link);
            }
            Some(Reply::Failure(failure)) => {
                let code = Code::from_i32(failure.code);
                let outcome =
                    outcome(&self.realm.history, link.node, code, failure.reason.clone(), &failure.message);
                self.written(&pending, outcome.clone());
                return self.failed(pending, outcome, failure);
            }
            None => return Ok(()),
        };
        self.written(&pending, Outcome::Done(answer));
        let draw = if pending.intent.is_consult() { &mut self.consults } else { &mut self.caller.draw };
        let repeats = *self.caller.phase.borrow() == crate::clients::Phase::Safety
            && pending.attempts == 1
            && draw.chance(self.load.repeat);
        if repeats {
            self.realm.history.count("mischief", "desk_repeated");
            // The same once more; its answer must be the same.
            pending.attempts = super::ATTEMPTS_MAX - 1;
            self.send(link, pending)?;
        }
        Ok(())
    }

    fn failed(
        &mut self,
        mut pending: super::intent::Pending,
        outcome: Outcome,
        failure: v1::Failure,
    ) -> Result<(), End> {
        match outcome {
            Outcome::Refused(reason) => {
                match &pending.intent {
                    Intent::Accept(offer) | Intent::Connect(offer) | Intent::Fail(offer)
                        if reason == "OFFER_OVER" =>
                    {
                        self.state.offers.remove(offer);
                        self.state.connecting.remove(offer);
                        self.state.advising.remove(offer);
                    }
                    Intent::End(id) | Intent::Complete(id) | Intent::Transfer(id, ..) => {
                        // A transfer that cannot be is no reason to keep the customer waiting.
                        let after = self.caller.draw.millis(100, 1_000);
                        self.look_at(*id, Instant::now() + after);
                    }
                    _ => {}
                }
                let stale = matches!(reason.as_str(), "STALE_EPOCH" | "NO_LEASE")
                    && Some(pending.epoch) == self.state.epoch;
                if stale { Err(End::Stale) } else { Ok(()) }
            }
            _ if pending.attempts >= super::ATTEMPTS_MAX => Ok(()),
            _ => {
                let pause = Duration::from_millis(failure.retry_after_ms.clamp(20, 1_000));
                pending.again = Instant::now() + pause;
                pending.in_flight = false;
                self.state.tags += 1;
                self.state.pending.insert(self.state.tags, pending);
                Ok(())
            }
        }
    }

    /// Pulls some of what an inbox shows.
    fn pull(&mut self, inbox: &v1::ListInboxResponse, link: &Link) -> Result<(), End> {
        let most = if self.plays() { PULLS } else { PULLS * 2 };
        for conversation in inbox.conversations.iter().take(most) {
            let Ok(id) = conversation.id.parse() else { continue };
            if self.plays() && self.caller.draw.chance(0.3) {
                continue;
            }
            let intent = Intent::Assign(id);
            if !self.state.wants(&intent) && !self.state.held.contains_key(&id) {
                self.ask(link, intent)?;
            }
        }
        Ok(())
    }

    /// The conversation is this desk's.
    fn hold(&mut self, id: ConversationId, wrapping: bool) {
        let now = Instant::now();
        if let Some(held) = self.state.held.get_mut(&id) {
            let begins = wrapping && !held.wrapping;
            held.wrapping = wrapping;
            if !begins {
                return;
            }
        } else {
            self.state.held.insert(id, Held { wrapping, due: now });
        }
        if !wrapping {
            self.consider(id);
        }
        let after = match (self.plays(), wrapping) {
            (true, true) => self.caller.draw.millis(50, 1_500),
            (true, false) => self.caller.draw.exponential(self.load.contact),
            (false, _) => self.caller.draw.millis(20, SOON_MS),
        };
        self.look_at(id, now + after);
    }

    /// An offer is shown, perhaps not for the first time.
    fn offered(&mut self, offer: Shown) {
        self.state.offers.insert(offer.offer, offer);
        if !self.state.decided.insert(offer.offer) {
            return;
        }
        let now = Instant::now();
        let ring = Duration::from_micros(offer.deadline_us.saturating_sub(offer.made_at_us));
        let draw = &mut self.caller.draw;
        let fate = if *self.caller.phase.borrow() != crate::clients::Phase::Safety {
            Fate::Accept
        } else if draw.chance(self.load.refuse) {
            *draw.pick(&[Fate::Reject, Fate::Reject, Fate::Fickle, Fate::Ignore, Fate::Late])
        } else if draw.chance(self.load.repeat / 2.0) {
            Fate::AcceptTwice
        } else {
            Fate::Accept
        };
        let after = match fate {
            _ if *self.caller.phase.borrow() != crate::clients::Phase::Safety => draw.millis(5, 100),
            Fate::Late => ring + draw.millis(20, 500),
            // Now and then so slow that it is a race with the deadline.
            _ if draw.chance(0.03) => ring.saturating_sub(draw.millis(0, 40)),
            _ => draw.millis(20, 800).min(ring / 2),
        };
        self.state.plan(now + after, Due::Offer(offer.offer, fate));
    }

    /// An offer was accepted, and its customer is to be connected within this time. What comes of it follows from
    /// its number, so that whatever else the desk draws is as without it.
    fn connecting(&mut self, offer: OfferId, within: Duration) {
        if !self.state.connecting.insert(offer) {
            return;
        }
        let luck = offer.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let line = match luck % 100 {
            _ if !self.plays() => Line::Made,
            0..=9 => Line::Failed,
            10..=17 => Line::TooLate,
            _ => Line::Made,
        };
        let after = match line {
            _ if !self.plays() => Duration::from_millis(luck % SOON_MS),
            Line::TooLate => within + Duration::from_millis(20 + luck % 500),
            // Now and then so slow that it is a race with the deadline.
            _ if luck.is_multiple_of(31) => within.saturating_sub(Duration::from_millis(luck % 40)),
            _ => Duration::from_millis(20 + luck % 600).min(within / 2),
        };
        self.state.plan(Instant::now() + after, Due::Connect(offer, line));
    }

    fn notice(&mut self, notice: v1::Notice, link: &Link) -> Result<(), End> {
        let now = Instant::now();
        match notice.notice {
            Some(Told::Offered(offer)) => {
                if let Some(offer) = seen::offer(&offer) {
                    self.sight(link, Said::Offered(offer));
                    self.offered(offer);
                }
            }
            Some(Told::OfferEnded(ended)) => {
                if let Ok(offer) = ended.offer.parse() {
                    self.sight(link, Said::OfferEnded(offer, ended.end == "accepted"));
                    self.state.offers.remove(&offer);
                    self.state.connecting.remove(&offer);
                    self.state.advising.remove(&offer);
                }
            }
            Some(Told::Consulting(consulting)) => {
                if let Ok(id) = consulting.conversation.parse() {
                    let within = Duration::from_micros(consulting.deadline_us.saturating_sub(notice.at_us));
                    self.is_consulting(id, within);
                }
            }
            Some(Told::Connecting(connecting)) => {
                if let Ok(offer) = connecting.offer.parse() {
                    let within = Duration::from_micros(connecting.deadline_us.saturating_sub(notice.at_us));
                    self.connecting(offer, within);
                }
            }
            Some(Told::Assigned(assigned)) => {
                if let Ok(id) = assigned.conversation.parse() {
                    self.sight(link, Said::Assigned(id));
                    self.hold(id, false);
                }
            }
            Some(Told::Wrapping(wrapping)) => {
                if let Ok(id) = wrapping.conversation.parse() {
                    self.sight(link, Said::Wrapping(id));
                    self.hold(id, true);
                }
            }
            Some(Told::Released(released)) => {
                if let Ok(id) = released.conversation.parse() {
                    self.sight(link, Said::Released(id));
                    self.state.held.remove(&id);
                }
            }
            Some(Told::Ended(ended)) => {
                if let Ok(id) = ended.conversation.parse() {
                    self.sight(link, Said::Ended(id));
                    self.state.held.remove(&id);
                }
            }
            Some(Told::Presence(intent)) => {
                self.state.available = seen::is_available(Some(&intent));
                self.sight(link, Said::Presence(self.state.available));
                if seen::is_missed(&intent) && self.plays() && self.caller.draw.chance(0.5) {
                    // It makes the break its own, and longer than the domain would have it.
                    let after = self.caller.draw.millis(50, 1_500);
                    self.state.plan(now + after, Due::OwnBreak);
                    let after = self.caller.draw.millis(3_000, 6_000);
                    self.state.plan(now + after, Due::Presence(Presence::Available));
                } else if !self.state.available {
                    let after = self.back_after() + Duration::from_millis(200);
                    self.state.plan(now + after, Due::Presence(Presence::Available));
                }
            }
            Some(Told::SessionEnded(ended)) => {
                self.sight(link, Said::SessionEnded(ended.reason.clone()));
                return Err(End::Over(ended.reason));
            }
            Some(Told::InboxChanged(_)) if !self.state.due.values().any(|due| *due == Due::Inbox) => {
                // The more desks look at an inbox, the more seldom each of them does.
                let desks = self.realm.agents.len() as u64;
                let after = self.caller.draw.millis(20, 800 + 100 * desks);
                self.state.plan(now + after, Due::Inbox);
            }
            Some(Told::InboxChanged(_) | Told::IdleChanged(_) | Told::ConsultEnded(_)) | None => {}
        }
        Ok(())
    }
}
