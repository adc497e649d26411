//! Plain pictures of a domain's entities.

use crate::domain::{
    Agent, ConvNo, Conversation, Domain, LineSet, Offer, Queue, QueueHours, QueueNo, State, Touchpoint,
};
use crate::event::Ending;
use crate::shard::PlantedBug;
use crate::view::{
    AgentView, ConversationView, DomainSummary, DomainView, HoldingView, OfferView, QueueView, Stage,
    TouchpointView,
};
use crate::{LogTime, Points};
use std::collections::BTreeSet;

impl Queue {
    /// What waits in it: for an offer, without one, and to be pulled.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting_for_offer() + self.index.0.inbox.len() as u64
    }

    pub(crate) fn waiting_for_offer(&self) -> u64 {
        self.index.0.lines.iter().flat_map(LineSet::iter).map(|line| line.len() as u64).sum()
    }
}

impl Conversation {
    /// The next moment at which something happens to it by itself.
    pub(crate) fn shown_deadline(&self) -> Option<LogTime> {
        let deadlines = [
            self.offer.as_ref().map(|offer| offer.deadline),
            self.work_deadline,
            self.grace_deadline,
            self.fallback_deadline,
            self.seeking.as_ref().and_then(|seeking| seeking.until),
            self.standing.as_ref().and_then(|stand| stand.due),
            self.wait_deadline,
            self.rests_until(),
            self.calling.as_ref().and_then(|calling| calling.due),
            self.forget_at,
            self.departure.as_ref().and_then(|departure| departure.deadline),
        ];
        deadlines.into_iter().flatten().min()
    }
}

impl Domain {
    pub(crate) fn summary(&self, now: LogTime) -> DomainSummary {
        DomainSummary {
            id: self.id,
            account: self.account,
            version: self.version,
            settings: self.settings.clone(),
            sequence: self.sequence,
            quarantined: self.quarantined.clone(),
            pending: self.is_pending(now),
            channel_rules: self.channel_rules.to_vec(),
            handling: self.handling.clone(),
            pace: self.pace,
            schedules: self.schedules.clone(),
            callback: self.callback,
        }
    }

    pub(crate) fn view(&self, now: LogTime) -> DomainView {
        DomainView {
            summary: self.summary(now),
            now,
            queues: self.queues.iter().map(|queue| (queue.no.id(self.id), self.queue_view(queue))).collect(),
            agents: self.agents.iter().map(|agent| (agent.no.id(self.id), self.agent_view(agent))).collect(),
            touchpoints: self
                .touchpoints
                .iter()
                .map(|touchpoint| (touchpoint.no.id(self.id), self.touchpoint_view(touchpoint)))
                .collect(),
            conversations: self
                .conversations
                .keys()
                .map(|no| (no.id(self.id), self.conversation_view(no)))
                .collect(),
        }
    }

    pub(crate) fn queue_view(&self, queue: &Queue) -> QueueView {
        let (agents, staffed, waiting, inbox, longest_since) = self.queue_figures(queue);
        QueueView {
            id: queue.no.id(self.id),
            version: queue.version,
            settings: queue.settings.clone(),
            paused: queue.paused,
            agents,
            staffed,
            waiting,
            inbox,
            longest_since,
            policy: queue.policies.view(),
            hours: queue.hours.as_deref().map(QueueHours::view),
            ring: queue.ring,
        }
    }

    /// Agents, those that take offers, waiting for an offer, in the inbox, arrival of the longest
    /// waiting.
    pub(crate) fn queue_figures(&self, queue: &Queue) -> (u64, u64, u64, u64, Option<LogTime>) {
        let index = &queue.index.0;
        let lines = index.lines.iter().flat_map(LineSet::iter).chain([&index.inbox]);
        (
            index.members.len() as u64,
            index.ready.len() as u64 + u64::from(self.planted(PlantedBug::FiguresDrift)),
            queue.waiting_for_offer(),
            index.inbox.len() as u64,
            lines.filter_map(|line| line.all()).map(|oldest| oldest.0).min(),
        )
    }

    pub(crate) fn touchpoint_view(&self, touchpoint: &Touchpoint) -> TouchpointView {
        TouchpointView {
            id: touchpoint.no.id(self.id),
            version: touchpoint.version,
            settings: touchpoint.settings.clone(),
            criteria: self.criteria_view(&touchpoint.criteria),
        }
    }

    pub(crate) fn agent_view(&self, agent: &Agent) -> AgentView {
        let conversation = |no: &ConvNo| self.conversations.get(no);
        AgentView {
            id: agent.no.id(self.id),
            version: agent.version,
            settings: agent.settings.clone(),
            intent: agent.intent.clone(),
            intent_by: agent.intent_by.clone(),
            lease: agent.lease,
            epoch: agent.epoch,
            load: agent.load,
            offers: agent
                .offers
                .iter()
                .filter_map(conversation)
                .filter_map(|conversation| self.offer_view(conversation, conversation.offer_to(agent.no)?))
                .collect(),
            holdings: agent
                .holdings
                .iter()
                .filter_map(conversation)
                .map(|conversation| HoldingView {
                    conversation: conversation.no.id(self.id),
                    channel: conversation.channel,
                    weight: conversation.weight,
                    wrapping: matches!(conversation.state, State::Wrapping(_)),
                    idle: conversation.handled.idle.is_some(),
                })
                .collect(),
            misses: agent.misses,
            idle_since: agent.idle_since,
            last_offer: agent.last_offer,
            held_for: agent.hold.map(|(conversation, until)| (conversation.id(self.id), until)),
            skills: self.skills_view(agent),
            paced_until: agent.paced_until(),
        }
    }

    fn offer_view(&self, conversation: &Conversation, offer: &Offer) -> Option<OfferView> {
        Some(OfferView {
            id: offer.id(self.id),
            conversation: conversation.no.id(self.id),
            agent: offer.agent.id(self.id),
            queue: offer.queue.map(|queue| queue.id(self.id)),
            weight: offer.weight,
            accept: conversation.accept,
            made_at: offer.made_at,
            deadline: offer.deadline,
            transfer: offer.transfer,
            connecting: offer.connecting,
        })
    }

    pub(crate) fn stage(&self, no: ConvNo) -> Stage {
        match &self.conv(no).state {
            State::Waiting => Stage::Waiting(self.place_view(no)),
            State::Offered => Stage::Offered(self.place_view(no)),
            State::Assigned(agent) => Stage::Assigned(agent.id(self.id)),
            State::Wrapping(agent) => Stage::Wrapping(agent.id(self.id)),
            State::Ended(ending) => Stage::Ended(Ending::clone(ending)),
            State::Transferring => Stage::Transferring,
        }
    }

    pub(crate) fn conversation_view(&self, no: ConvNo) -> ConversationView {
        let conversation = self.conv(no);
        ConversationView {
            id: no.id(self.id),
            version: conversation.version,
            stage: self.stage(no),
            channel: conversation.channel,
            touchpoint: conversation.touchpoint.id(self.id),
            priority: conversation.priority,
            arrived_at: conversation.arrived_at,
            weight: self.shown_weight(conversation),
            accept: conversation.accept,
            queues: self
                .present_queues(&conversation.queues)
                .into_iter()
                .map(|queue: QueueNo| queue.id(self.id))
                .collect(),
            offer: conversation.offer.as_ref().and_then(|offer| self.offer_view(conversation, offer)),
            excluded: conversation
                .excluded
                .iter()
                .map(|(agent, until)| (agent.id(self.id), *until))
                .collect(),
            hops: conversation.hops,
            deadline: conversation.shown_deadline(),
            customer: conversation.customer().to_owned(),
            reference: conversation.reference().to_owned(),
            assigned_at: conversation.assigned_at,
            ended_at: conversation.ended_at,
            last_agent: conversation.last_agent.map(|agent| agent.id(self.id)),
            departure: conversation.departure.as_deref().map(|way| Box::new(way.view())),
            seeking: conversation.seeking.as_deref().map(|seeking| Box::new(self.seeking_view(seeking))),
            standing: conversation.standing.as_deref().map(|stand| Box::new(self.standing_view(stand))),
            idle: conversation.handled.idle.is_some(),
            callback: conversation.calling.as_deref().map(|calling| Box::new(calling.callback.clone())),
            also: conversation
                .also
                .iter()
                .flat_map(|also| also.iter())
                .filter_map(|offer| self.offer_view(conversation, offer))
                .collect(),
        }
    }

    /// The points it weighs; for one that waits, what an offer made now would take.
    pub(crate) fn shown_weight(&self, conversation: &Conversation) -> Points {
        match conversation.state {
            State::Waiting | State::Offered | State::Transferring => conversation
                .offer
                .as_ref()
                .map_or_else(|| self.weight(conversation.channel), |offer| offer.weight),
            State::Assigned(_) | State::Wrapping(_) | State::Ended(_) => conversation.weight,
        }
    }

    /// Inbox conversations of an agent's queues in rank order.
    pub(crate) fn inbox_of(&self, agent: crate::domain::AgentNo, limit: usize) -> Vec<ConvNo> {
        let Some(agent) = self.agents.get(agent.0) else { return Vec::new() };
        let mut keys = BTreeSet::new();
        for queue in &agent.settings.queues {
            let Some(queue) = QueueNo::of(*queue, self.id).and_then(|no| self.queues.get(no.0)) else {
                continue;
            };
            keys.extend(queue.index.0.inbox.keys());
        }
        let handled = |no: &ConvNo| agent.settings.channels.contains(self.conv(*no).channel);
        keys.into_iter().map(|key| key.conversation).filter(handled).take(limit).collect()
    }
}
