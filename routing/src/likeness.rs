//! Whether a picture still shows an entity as it is: compared in place, nothing is made.
//!
//! Each picture is taken apart field by field, so that a new field cannot be forgotten here.

use crate::criteria::Skill;
use crate::domain::{Agent, Conversation, Domain, Offer, PlaceKind, Queue, QueueNo, State, Touchpoint};
use crate::event::Place;
use crate::view::{
    AgentView, ConversationView, DomainSummary, HoldingView, OfferView, QueueView, Stage, TouchpointView,
};
use crate::{LogTime, QueueId};

impl Domain {
    /// Whether the domain's own facts are as shown.
    pub(crate) fn is_summary(&self, view: &DomainSummary, now: LogTime) -> bool {
        self.is_still(view) && self.is_pending(now) == view.pending
    }

    /// The same but for what time alone changes.
    pub(crate) fn is_still(&self, view: &DomainSummary) -> bool {
        let DomainSummary {
            id,
            account,
            version,
            settings,
            sequence,
            quarantined,
            pending: _,
            channel_rules,
            handling,
            pace,
            schedules,
            callback,
        } = view;
        self.id == *id
            && self.account == *account
            && self.version == *version
            && self.sequence == *sequence
            && self.quarantined == *quarantined
            && self.settings == *settings
            && *self.channel_rules == **channel_rules
            && self.handling == *handling
            && self.pace == *pace
            && self.schedules == *schedules
            && self.callback == *callback
    }

    /// Whether a queue is as shown.
    pub(crate) fn is_queue(&self, queue: &Queue, view: &QueueView) -> bool {
        let QueueView {
            id,
            version,
            settings,
            paused,
            agents,
            staffed,
            waiting,
            inbox,
            longest_since,
            policy,
            hours,
            ring,
        } = view;
        let figures = self.queue_figures(queue);
        queue.no.id(self.id) == *id
            && queue.version == *version
            && queue.paused == *paused
            && figures == (*agents, *staffed, *waiting, *inbox, *longest_since)
            && queue.settings == *settings
            && queue.ring == *ring
            && queue.policies.is_like(policy)
            && match (queue.hours.as_deref(), hours) {
                (Some(ours), Some(shown)) => ours.is_like(shown),
                (None, None) => true,
                _ => false,
            }
    }

    /// Whether a touchpoint is as shown.
    pub(crate) fn is_touchpoint(&self, touchpoint: &Touchpoint, view: &TouchpointView) -> bool {
        let TouchpointView { id, version, settings, criteria } = view;
        touchpoint.no.id(self.id) == *id
            && touchpoint.version == *version
            && touchpoint.settings == *settings
            && self.criteria_view(&touchpoint.criteria) == *criteria
    }

    /// Whether an agent is as shown.
    pub(crate) fn is_agent(&self, agent: &Agent, view: &AgentView) -> bool {
        let AgentView {
            id,
            version,
            settings,
            intent,
            intent_by,
            lease,
            epoch,
            load,
            offers,
            holdings,
            misses,
            idle_since,
            last_offer,
            held_for,
            skills,
            paced_until,
        } = view;
        let live = |no: &crate::domain::ConvNo| self.conversations.get(no);
        agent.no.id(self.id) == *id
            && agent.version == *version
            && agent.load == *load
            && agent.lease == *lease
            && agent.epoch == *epoch
            && agent.misses == *misses
            && agent.idle_since == *idle_since
            && agent.last_offer == *last_offer
            && agent.hold.map(|(no, until)| (no.id(self.id), until)) == *held_for
            && same(agent.offers.iter().filter_map(live).filter(|c| c.offer.is_some()), offers, |c, view| {
                c.offer_to(agent.no).is_some_and(|offer| self.is_offer(c, offer, view))
            })
            && same(agent.holdings.iter().filter_map(live), holdings, |c, view| self.is_holding(c, view))
            && agent.intent == *intent
            && agent.intent_by == *intent_by
            && agent.settings == *settings
            && self.are_skills(agent, skills)
            && agent.paced_until() == *paced_until
    }

    fn are_skills(&self, agent: &Agent, view: &[Skill]) -> bool {
        let has = |shown: &Skill| {
            self.skill(&shown.name).is_some_and(|skill| agent.skills.contains(&(skill, shown.level)))
        };
        agent.skills.len() == view.len() && view.iter().all(has)
    }

    fn is_holding(&self, held: &Conversation, view: &HoldingView) -> bool {
        let HoldingView { conversation, channel, weight, wrapping, idle } = view;
        held.no.id(self.id) == *conversation
            && held.channel == *channel
            && held.weight == *weight
            && matches!(held.state, State::Wrapping(_)) == *wrapping
            && held.handled.idle.is_some() == *idle
    }

    fn is_offer(&self, conversation: &Conversation, offer: &Offer, view: &OfferView) -> bool {
        let OfferView {
            id,
            conversation: of,
            agent,
            queue,
            weight,
            accept,
            made_at,
            deadline,
            transfer,
            connecting,
        } = view;
        offer.id(self.id) == *id
            && conversation.no.id(self.id) == *of
            && offer.agent.id(self.id) == *agent
            && offer.queue.map(|queue| queue.id(self.id)) == *queue
            && offer.weight == *weight
            && conversation.accept == *accept
            && offer.made_at == *made_at
            && offer.deadline == *deadline
            && offer.transfer == *transfer
            && offer.connecting == *connecting
    }

    fn is_place(&self, conversation: &Conversation, view: &Place) -> bool {
        match (conversation.place, view) {
            (PlaceKind::Queues, Place::Queues(queues)) | (PlaceKind::Inbox, Place::Inbox(queues)) => {
                self.are_queues(&conversation.queues, queues)
            }
            (PlaceKind::Dedicated(agent), Place::Dedicated(shown)) => agent.id(self.id) == *shown,
            _ => false,
        }
    }

    fn is_stage(&self, conversation: &Conversation, view: &Stage) -> bool {
        match (&conversation.state, view) {
            (State::Waiting, Stage::Waiting(place)) | (State::Offered, Stage::Offered(place)) => {
                self.is_place(conversation, place)
            }
            (State::Assigned(agent), Stage::Assigned(shown))
            | (State::Wrapping(agent), Stage::Wrapping(shown)) => agent.id(self.id) == *shown,
            (State::Ended(ending), Stage::Ended(shown)) => **ending == *shown,
            (State::Transferring, Stage::Transferring) => true,
            _ => false,
        }
    }

    fn are_queues(&self, queues: &[QueueNo], view: &[QueueId]) -> bool {
        let present = queues.iter().filter(|queue| self.queues.get(queue.0).is_some());
        same(present, view, |queue, shown| queue.id(self.id) == *shown)
    }

    /// Whether a conversation is as shown.
    pub(crate) fn is_conversation(&self, conversation: &Conversation, view: &ConversationView) -> bool {
        let ConversationView {
            id,
            version,
            stage,
            channel,
            touchpoint,
            priority,
            arrived_at,
            weight,
            accept,
            queues,
            offer,
            excluded,
            hops,
            deadline,
            customer,
            reference,
            assigned_at,
            ended_at,
            last_agent,
            departure,
            seeking,
            standing,
            idle,
            callback,
            also,
        } = view;
        conversation.no.id(self.id) == *id
            && conversation.version == *version
            && self.is_stage(conversation, stage)
            && conversation.channel == *channel
            && conversation.touchpoint.id(self.id) == *touchpoint
            && conversation.priority == *priority
            && conversation.arrived_at == *arrived_at
            && self.shown_weight(conversation) == *weight
            && conversation.accept == *accept
            && self.are_queues(&conversation.queues, queues)
            && match (&conversation.offer, offer) {
                (Some(offer), Some(shown)) => self.is_offer(conversation, offer, shown),
                (None, None) => true,
                _ => false,
            }
            && same(conversation.also.iter().flat_map(|also| also.iter()), also, |offer, shown| {
                self.is_offer(conversation, offer, shown)
            })
            && conversation.excluded.len() == excluded.len()
            && conversation
                .excluded
                .iter()
                .all(|(agent, until)| excluded.get(&agent.id(self.id)) == Some(until))
            && conversation.hops == *hops
            && conversation.shown_deadline() == *deadline
            && conversation.assigned_at == *assigned_at
            && conversation.ended_at == *ended_at
            && conversation.last_agent.map(|agent| agent.id(self.id)) == *last_agent
            && match (&conversation.departure, departure) {
                (Some(ours), Some(shown)) => ours.is_like(shown),
                (None, None) => true,
                _ => false,
            }
            && match (&conversation.seeking, seeking) {
                (Some(ours), Some(shown)) => {
                    ours.at == shown.at
                        && ours.until == shown.until
                        && ours.joined == shown.joined
                        && self.criteria_view(&ours.steps) == shown.criteria
                }
                (None, None) => true,
                _ => false,
            }
            && conversation.standing.as_deref().map(|stand| self.standing_view(stand))
                == standing.as_deref().copied()
            && conversation.handled.idle.is_some() == *idle
            && conversation.calling.as_deref().map(|calling| &calling.callback) == callback.as_deref()
            && conversation.customer() == customer
            && conversation.reference() == reference
    }
}

/// Whether both have as many, and each is like its counterpart.
fn same<A, B>(ours: impl Iterator<Item = A>, shown: &[B], like: impl Fn(A, &B) -> bool) -> bool {
    let mut shown = shown.iter();
    for one in ours {
        if !shown.next().is_some_and(|other| like(one, other)) {
            return false;
        }
    }
    shown.next().is_none()
}
