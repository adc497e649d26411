//! Offers: made, ended, and what follows.

use super::{AgentNo, ConvNo, Cx, Domain, Offer, PlaceKind, QueueNo, State};
use crate::LogTime;
use crate::command::TransferFallback;
use crate::deadlines::Due;
use crate::event::{EventKind, OfferEnd, Requeued, Revoked};
use crate::level;
use crate::picked::{Offered, Picked, Way};
use crate::settings::AcceptMode;
use crate::shard::PlantedBug;

impl Domain {
    /// Holds a conversation out to an agent, who was picked by this; `None`: somebody chose it.
    pub(crate) fn make_offer(
        &mut self,
        cx: &mut Cx<'_>,
        no: ConvNo,
        to: AgentNo,
        queue: Option<QueueNo>,
        transfer: Option<TransferFallback>,
        picked: Option<Box<Picked>>,
    ) {
        self.counters.offer += 1;
        let number = self.counters.offer;
        // First, so that a queue that is served out is not taken for empty.
        if let Some(queue) = queue {
            self.queue_mut(queue).index.0.offers.insert(number, no);
        }
        if self.conv(no).state == State::Waiting {
            self.leave_lines(no);
            self.conv_mut(no).state = State::Offered;
        }
        let domain = self.id;
        let weight = self.weight(self.conv(no).channel);
        let conversation = self.conv_mut(no);
        let deadline = cx.now + conversation.accept.deadline();
        let offer = Offer {
            number,
            agent: to,
            queue,
            weight,
            made_at: cx.now,
            deadline,
            transfer,
            connecting: false,
        };
        let offered = Box::new(Offered {
            conversation: no.id(domain),
            offer: offer.id(domain),
            agent: to.id(domain),
            queue: queue.map(|queue| queue.id(domain)),
            weight,
            automatic: matches!(conversation.accept, AcceptMode::Automatic { .. }),
            deadline,
            channel: conversation.channel,
            customer: conversation.customer().to_owned(),
        });
        let way = if offer.advises().is_some() { Way::Consult } else { Way::Transfer };
        let chosen = || Box::new(Picked::by(way, conversation.priority, conversation.arrived_at));
        let event = match picked.or_else(|| (cx.level >= level::PICKS).then(chosen)) {
            Some(picked) => EventKind::OfferedBecause(offered, picked),
            None => EventKind::Offered(offered),
        };
        if conversation.offer.is_none() {
            conversation.offer = Some(Box::new(offer));
        } else {
            conversation.also.get_or_insert_default().push(offer);
        }
        let channel = conversation.channel;
        self.index.0.offers.insert(number, no);
        self.index.0.deadlines.add(deadline, Due::Offer(no));
        self.change_load(to, |agent| {
            agent.offers.push(no);
            agent.load += u32::from(weight.0);
            agent.index.0.counts[channel.index()] += 1;
            agent.index.0.busy[channel.index()] += 1;
            agent.last_offer = number;
        });
        self.emit(cx, event);
        self.note_offer(cx, to);
    }

    /// Takes a conversation's first offer away; the next one, where there is one, goes on as it was. The points stay
    /// with the agent when it was accepted.
    pub(crate) fn take_offer(&mut self, cx: &mut Cx<'_>, no: ConvNo, end: OfferEnd) -> Box<Offer> {
        let domain = self.id;
        let conversation = self.conv_mut(no);
        let offer = conversation.take_first_offer().expect("only live offers are ended");
        let rings_on = conversation.offer.is_some();
        let channel = conversation.channel;
        self.index.0.offers.remove(&offer.number);
        // One deadline is for all of them.
        if !rings_on {
            self.index.0.deadlines.remove(offer.deadline, Due::Offer(no));
        }
        if let Some(queue) = offer.queue {
            self.queue_mut(queue).index.0.offers.remove(&offer.number);
            self.follow_pause(queue);
            self.follow_hours(queue);
        }
        let twice = cx.planted(PlantedBug::OfferTwice);
        let accepted = end == OfferEnd::Accepted;
        let agent = self.agent_mut(offer.agent);
        if !(twice && matches!(end, OfferEnd::Rejected { .. })) {
            agent.offers.retain(|offered| *offered != no);
        }
        if !accepted {
            self.change_load(offer.agent, |agent| {
                agent.load -= u32::from(offer.weight.0);
                agent.index.0.counts[channel.index()] -= 1;
                agent.index.0.busy[channel.index()] -= 1;
            });
            self.dirty.agent(offer.agent);
        }
        let event = EventKind::OfferEnded {
            conversation: no.id(domain),
            offer: offer.id(domain),
            agent: offer.agent.id(domain),
            end: end.clone(),
        };
        self.emit(cx, event);
        if offer.connecting && !accepted {
            self.settle_draining(cx, offer.agent);
        }
        if offer.advises().is_some() && !accepted {
            self.tell_owner(cx, no, &offer, end);
        }
        offer
    }

    /// Withdraws the first offer because its agent or queue no longer is what it was.
    pub(crate) fn revoke_offer(&mut self, cx: &mut Cx<'_>, no: ConvNo, why: Revoked) {
        let offer = self.take_offer(cx, no, OfferEnd::Revoked(why));
        self.wait_after_offer(cx, no, &offer, Requeued::Revoked);
    }

    /// Notes whether a queue has offers to revoke: it is paused, and some are live.
    pub(crate) fn follow_pause(&mut self, no: QueueNo) {
        let queue = self.queue(no);
        if !queue.paused {
            return;
        }
        if queue.index.0.offers.is_empty() {
            self.index.0.deadlines.remove(LogTime(0), Due::Revoke(no));
        } else {
            self.index.0.deadlines.add(LogTime(0), Due::Revoke(no));
        }
    }

    /// Revokes the oldest offer of a paused queue.
    pub(crate) fn revoke_oldest(&mut self, cx: &mut Cx<'_>, queue: QueueNo) {
        if let Some((number, no)) = self.queue(queue).index.0.offers.first_key_value() {
            let (number, no) = (*number, *no);
            self.bring_number_forward(no, number);
            self.revoke_offer(cx, no, Revoked::QueueGone);
        }
    }

    /// Whether a conversation's offer was made from a queue that was paused since.
    pub(crate) fn offer_is_paused(&self, no: ConvNo) -> bool {
        let offer = self.conv(no).offer.as_ref();
        offer.and_then(|offer| offer.queue).is_some_and(|queue| self.queue(queue).paused)
    }

    /// Withdraws all offers of an agent.
    pub(crate) fn revoke_offers(&mut self, cx: &mut Cx<'_>, agent: AgentNo, why: Revoked) {
        for no in self.agent(agent).offers.clone() {
            self.bring_forward(no, agent);
            self.revoke_offer(cx, no, why);
        }
    }

    /// Withdraws those that the agent has not accepted.
    pub(crate) fn revoke_ringing(&mut self, cx: &mut Cx<'_>, agent: AgentNo, why: Revoked) {
        for no in self.agent(agent).offers.clone() {
            if !self.conv(no).is_connecting() {
                self.bring_forward(no, agent);
                self.revoke_offer(cx, no, why);
            }
        }
    }

    /// What becomes of a conversation whose offer ended without being accepted: nothing as long as it rings elsewhere.
    /// Says whether it waits, or would if nobody else had it on offer.
    pub(crate) fn wait_after_offer(
        &mut self,
        cx: &mut Cx<'_>,
        no: ConvNo,
        offer: &Offer,
        cause: Requeued,
    ) -> bool {
        if self.conv(no).offer.is_some() {
            return true;
        }
        let Some(fallback) = offer.transfer else {
            if offer.connecting {
                self.leave_dedicated_line(no);
            }
            self.wait_again(cx, no, cause);
            return true;
        };
        if offer.advises().is_some() {
            return false;
        }
        let domain = self.id;
        self.emit(cx, EventKind::TransferFailed { conversation: no.id(domain) });
        let target = match fallback {
            TransferFallback::Queue(queue) => {
                QueueNo::of(queue, domain).filter(|no| self.queues.get(no.0).is_some())
            }
            _ => None,
        };
        let owned = self.conv(no).owner().is_some();
        if let Some(queue) = target {
            self.release_to_wait(cx, no);
            self.conv_mut(no).queues = Box::new([queue]);
            self.conv_mut(no).place = PlaceKind::Queues;
        } else if fallback != TransferFallback::Source
            && !self.present_queues(&self.conv(no).queues).is_empty()
        {
            self.release_to_wait(cx, no);
            self.conv_mut(no).place = PlaceKind::Queues;
        } else if owned {
            return false;
        }
        if owned {
            self.enter_place(cx, no, Requeued::Fallback);
        } else {
            self.wait_again(cx, no, Requeued::Fallback);
        }
        true
    }
}
