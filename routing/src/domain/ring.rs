//! Conversations that ring at several agents at once, and what is stored of that beside a domain, from level 11 on.

use super::{AgentNo, ConvNo, Conversation, Cx, Domain, Offer, QueueNo};
use crate::event::{OfferEnd, Revoked};
use crate::shard::PlantedBug;
use serde::{Deserialize, Serialize, Serializer};
use std::iter::once;

/// A move sends so many at once.
const PART: usize = 500;

/// What is stored of ringing beside a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RingBeside {
    /// Queues that offer to several, and to how many.
    queues: Vec<(QueueNo, u8)>,
    /// Offers beside a conversation's first one, in the order of their numbers.
    offers: Vec<(ConvNo, Vec<Offer>)>,
}

impl RingBeside {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Some of what [`RingBeside`] is stored as: its fields, in order.
#[derive(Debug)]
pub(crate) enum RingPiece<'a> {
    Count(usize),
    Queue(QueueNo, u8),
    Offers(ConvNo, &'a [Offer]),
}

impl Serialize for RingPiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => (*count as u64).serialize(serializer),
            Self::Queue(no, ring) => (no, ring).serialize(serializer),
            Self::Offers(no, offers) => (no, offers).serialize(serializer),
        }
    }
}

impl Conversation {
    /// Its live offers, in the order of their numbers.
    pub(crate) fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.offer.as_deref().into_iter().chain(self.also.iter().flat_map(|also| also.iter()))
    }

    /// The live offer that this agent has of it.
    pub(crate) fn offer_to(&self, agent: AgentNo) -> Option<&Offer> {
        self.offers().find(|offer| offer.agent == agent)
    }

    /// Takes the first offer away; the next one is the first.
    pub(super) fn take_first_offer(&mut self) -> Option<Box<Offer>> {
        let first = self.offer.take();
        if let Some(also) = &mut self.also {
            self.offer = Some(Box::new(also.remove(0)));
            if also.is_empty() {
                self.also = None;
            }
        }
        first
    }

    /// Makes an offer the first one, so that it is the one that is accepted or ended. What stays is in order again as
    /// soon as it is gone.
    fn bring_forward(&mut self, which: impl Fn(&Offer) -> bool) {
        let Some(also) = &mut self.also else { return };
        let Some(at) = also.iter().position(which) else { return };
        let chosen = also.remove(at);
        if let Some(first) = self.offer.replace(Box::new(chosen)) {
            let place = also.partition_point(|other| other.number < first.number);
            also.insert(place, *first);
        }
    }
}

impl Domain {
    fn ringing_queues(&self) -> impl Iterator<Item = (QueueNo, u8)> {
        self.queues.iter().filter(|queue| queue.ring > 1).map(|queue| (queue.no, queue.ring))
    }

    fn with_more_offers(&self) -> impl Iterator<Item = (ConvNo, &[Offer])> {
        self.conversations.values().filter_map(|conv| Some((conv.no, conv.also.as_deref()?.as_slice())))
    }

    /// Whether there is anything of ringing beside the domain.
    pub(crate) fn has_ring(&self) -> bool {
        // What rings at several goes on when its queue no longer does that.
        self.ringing_queues().next().is_some() || self.with_more_offers().next().is_some()
    }

    /// All that is stored of ringing beside the domain.
    pub(crate) fn ring_beside(&self) -> RingBeside {
        RingBeside {
            queues: self.ringing_queues().collect(),
            offers: self.with_more_offers().map(|(no, offers)| (no, offers.to_vec())).collect(),
        }
    }

    /// The same in small pieces, to be written one after the other.
    pub(crate) fn ring_pieces(&self) -> impl Iterator<Item = RingPiece<'_>> {
        once(RingPiece::Count(self.ringing_queues().count()))
            .chain(self.ringing_queues().map(|(no, ring)| RingPiece::Queue(no, ring)))
            .chain(once(RingPiece::Count(self.with_more_offers().count())))
            .chain(self.with_more_offers().map(|(no, offers)| RingPiece::Offers(no, offers)))
    }

    /// The same in parts, for a move.
    pub(crate) fn ring_parts(&self) -> Vec<RingBeside> {
        let RingBeside { queues, offers } = self.ring_beside();
        let none = RingBeside::default;
        let queues = queues.chunks(PART).map(|part| RingBeside { queues: part.to_vec(), ..none() });
        let offers = offers.chunks(PART).map(|part| RingBeside { offers: part.to_vec(), ..none() });
        queues.chain(offers).collect()
    }

    /// Puts what is beside the domain, or a part of it, in its place; the domain is indexed after it.
    pub(crate) fn put_ring(&mut self, beside: RingBeside) {
        for (no, ring) in beside.queues {
            if let Some(queue) = self.queues.get_mut(no.0) {
                queue.ring = ring;
            }
        }
        for (no, offers) in beside.offers {
            if let Some(conversation) = self.conversations.get_mut(&no) {
                conversation.also = Some(Box::new(offers));
            }
        }
    }

    /// Makes an agent's offer of a conversation the first one.
    pub(crate) fn bring_forward(&mut self, no: ConvNo, agent: AgentNo) {
        if self.conv(no).also.is_none() {
            return;
        }
        self.conv_mut(no).bring_forward(|offer| offer.agent == agent);
    }

    /// Makes the offer of this number the first one.
    pub(super) fn bring_number_forward(&mut self, no: ConvNo, number: u64) {
        if self.conv(no).also.is_none() {
            return;
        }
        self.conv_mut(no).bring_forward(|offer| offer.number == number);
    }

    /// Somebody has it: everybody else stops ringing. The first offer is the one that stays.
    pub(crate) fn withdraw_others(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        if cx.planted(PlantedBug::RingsOn) {
            return;
        }
        while let Some(also) = self.conv(no).also.as_deref() {
            let (stays, goes) = (self.conv(no).offer.as_ref().map(|offer| offer.agent), also[0].agent);
            self.bring_forward(no, goes);
            self.take_offer(cx, no, OfferEnd::Revoked(Revoked::Taken));
            if let Some(stays) = stays {
                self.bring_forward(no, stays);
            }
        }
    }

    /// Takes away all offers of a conversation.
    pub(crate) fn take_offers(&mut self, cx: &mut Cx<'_>, no: ConvNo, why: Revoked) {
        while self.conv(no).offer.is_some() {
            self.take_offer(cx, no, OfferEnd::Revoked(why));
        }
    }
}
