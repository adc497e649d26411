//! What a conversation's owner made of it beyond having it, and what is stored of that beside a domain, from
//! level 9 on.

use super::{AgentNo, ConvNo, Conversation, Cx, Domain, PlaceKind, State};
use crate::command::By;
use crate::deadlines::Due;
use crate::event::EventKind;
use crate::handling::Handling;
use crate::shard::PlantedBug;
use crate::{LogTime, Points, Span};
use serde::{Deserialize, Serialize, Serializer};
use std::iter::once;

/// A move sends so many at once.
const PART: usize = 500;

/// How an owned conversation stands. Gone with its owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handled {
    /// It waits on its customer; the points that it takes again after it.
    pub(crate) idle: Option<Points>,
    /// By how much its wrap-up was extended.
    pub(crate) longer: Span,
}

/// What is stored of handling beside a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandlingBeside {
    /// Of a move only the first part has it.
    handling: Option<Handling>,
    connecting: Vec<ConvNo>,
    handled: Vec<(ConvNo, Handled)>,
}

impl HandlingBeside {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Some of what [`HandlingBeside`] is stored as: its fields, in order.
#[derive(Debug)]
pub(crate) enum HandlingPiece<'a> {
    Handling(Option<&'a Handling>),
    Count(usize),
    Connecting(ConvNo),
    Handled(ConvNo, Handled),
}

impl Serialize for HandlingPiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Handling(handling) => handling.serialize(serializer),
            Self::Count(count) => (*count as u64).serialize(serializer),
            Self::Connecting(no) => no.serialize(serializer),
            Self::Handled(no, handled) => (no, handled).serialize(serializer),
        }
    }
}

impl Conversation {
    /// Whether its offer was accepted and is being connected.
    pub(crate) fn is_connecting(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.connecting)
    }
}

impl Domain {
    fn own_handling(&self) -> Option<&Handling> {
        Some(&self.handling).filter(|handling| !handling.is_empty())
    }

    fn connecting(&self) -> impl Iterator<Item = ConvNo> {
        self.conversations.values().filter(|conv| conv.is_connecting()).map(|conv| conv.no)
    }

    fn handled(&self) -> impl Iterator<Item = (ConvNo, Handled)> {
        let handled = self.conversations.values().filter(|conv| conv.handled != Handled::default());
        handled.map(|conv| (conv.no, conv.handled))
    }

    /// Whether there is anything of handling beside the domain.
    pub(crate) fn has_handling(&self) -> bool {
        // What began under a handling goes on without it.
        self.own_handling().is_some() || self.connecting().next().is_some() || self.handled().next().is_some()
    }

    /// All that is stored of handling beside the domain.
    pub(crate) fn handling_beside(&self) -> HandlingBeside {
        HandlingBeside {
            handling: self.own_handling().cloned(),
            connecting: self.connecting().collect(),
            handled: self.handled().collect(),
        }
    }

    /// The same in small pieces, to be written one after the other.
    pub(crate) fn handling_pieces(&self) -> impl Iterator<Item = HandlingPiece<'_>> {
        once(HandlingPiece::Handling(self.own_handling()))
            .chain(once(HandlingPiece::Count(self.connecting().count())))
            .chain(self.connecting().map(HandlingPiece::Connecting))
            .chain(once(HandlingPiece::Count(self.handled().count())))
            .chain(self.handled().map(|(no, handled)| HandlingPiece::Handled(no, handled)))
    }

    /// The same in parts, for a move.
    pub(crate) fn handling_parts(&self) -> Vec<HandlingBeside> {
        let all = self.handling_beside();
        let mut parts = Vec::new();
        if all.handling.is_some() {
            parts.push(HandlingBeside { handling: all.handling, ..HandlingBeside::default() });
        }
        let connecting = all.connecting.chunks(PART);
        parts.extend(
            connecting.map(|some| HandlingBeside { connecting: some.to_vec(), ..HandlingBeside::default() }),
        );
        let handled = all.handled.chunks(PART);
        parts.extend(
            handled.map(|some| HandlingBeside { handled: some.to_vec(), ..HandlingBeside::default() }),
        );
        parts
    }

    /// Puts it in its place; the domain is indexed after it.
    pub(crate) fn put_handling(&mut self, beside: HandlingBeside) {
        if let Some(handling) = beside.handling {
            self.handling = handling;
        }
        for no in beside.connecting {
            let offer = self.conversations.get_mut(&no).and_then(|conversation| conversation.offer.as_mut());
            if let Some(offer) = offer {
                offer.connecting = true;
            }
        }
        for (no, handled) in beside.handled {
            if let Some(conversation) = self.conversations.get_mut(&no) {
                conversation.handled = handled;
            }
        }
    }

    /// The first step of an accept: the offer lives on until agent and customer are connected, whatever becomes of
    /// the queue it came from.
    pub(crate) fn connect(&mut self, cx: &mut Cx<'_>, no: ConvNo, within: Span) -> LogTime {
        let domain = self.id;
        let deadline = cx.now + within;
        let conversation = self.conv_mut(no);
        let owned = conversation.owner().is_some();
        let offer = conversation.offer.as_mut().expect("only live offers are accepted");
        let before = std::mem::replace(&mut offer.deadline, deadline);
        let (number, queue) = (offer.number, offer.queue.take());
        offer.connecting = true;
        let advises = offer.advises().is_some();
        let (offer, agent) = (offer.id(domain), offer.agent.id(domain));
        // What is being transferred stays its owner's, and with it the queue whose wrap-up rules count.
        if !owned {
            conversation.from_queue = queue;
        }
        // The dedicated agent is there: if it fails, the fallback need not wait.
        let fallback = conversation.fallback_deadline.take();
        let deadlines = &mut self.index.0.deadlines;
        deadlines.remove(before, Due::Offer(no));
        deadlines.add(deadline, Due::Offer(no));
        if let Some(at) = fallback {
            deadlines.remove(at, Due::Fallback(no));
        }
        if let Some(queue) = queue {
            self.queue_mut(queue).index.0.offers.remove(&number);
            self.follow_pause(queue);
            self.follow_hours(queue);
        }
        let conversation = no.id(domain);
        let event = match self.conv(no).owner() {
            Some(owner) if advises => {
                EventKind::Consulting { conversation, owner: owner.id(domain), offer, agent, deadline }
            }
            _ => EventKind::Connecting { conversation, offer, agent, deadline },
        };
        self.emit(cx, event);
        deadline
    }

    /// What waited for a dedicated agent, who was there, waits in the fallback queue, where there is one.
    pub(crate) fn leave_dedicated_line(&mut self, no: ConvNo) {
        let conversation = self.conv(no);
        if matches!(conversation.place, PlaceKind::Dedicated(_))
            && !self.present_queues(&conversation.queues).is_empty()
        {
            self.conv_mut(no).place = PlaceKind::Queues;
        }
    }

    /// Whether an agent is being connected with somebody.
    pub(crate) fn is_connecting(&self, agent: AgentNo) -> bool {
        self.agent(agent).offers.iter().any(|no| self.conv(*no).is_connecting())
    }

    /// An owned conversation waits on its customer from now on, or no longer does.
    pub(crate) fn set_idle(&mut self, cx: &mut Cx<'_>, no: ConvNo, idle: bool, by: By) {
        let domain = self.id;
        let conversation = self.conv(no);
        let State::Assigned(owner) = conversation.state else { return };
        if conversation.handled.idle.is_some() == idle {
            return;
        }
        let (before, channel) = (conversation.weight, conversation.channel);
        let (after, back) = match conversation.handled.idle {
            Some(full) => (full, None),
            None => (self.handling.idle_weight(channel, before), Some(before)),
        };
        let weightless = cx.planted(PlantedBug::WakesForNothing);
        let conversation = self.conv_mut(no);
        (conversation.weight, conversation.handled.idle) = (after, back);
        self.change_load(owner, |agent| {
            if !(weightless && after > before) {
                agent.load = agent.load - u32::from(before.0) + u32::from(after.0);
            }
            let busy = &mut agent.index.0.busy[channel.index()];
            *busy = *busy - u16::from(before.0 > 0) + u16::from(after.0 > 0);
        });
        if after < before {
            self.dirty.agent(owner);
        }
        let agent = self.agent(owner);
        let overdraft = agent.load.saturating_sub(agent.capacity());
        let (conversation, agent) = (no.id(domain), owner.id(domain));
        self.emit(cx, EventKind::IdleChanged { conversation, agent, idle, weight: after, overdraft, by });
    }
}
