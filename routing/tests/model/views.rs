//! The model's state as the plain pictures of the core.

use super::state::{Conv, Dom, Person};
use routing::event::{Place, Subject};
use routing::view::{
    AgentView, ConversationView, DomainSummary, DomainView, HoldingView, OfferView, QueueView, Stage,
    TouchpointView,
};
use routing::{LogTime, QueueId};

impl Dom {
    pub fn view(&self, now: LogTime) -> DomainView {
        DomainView {
            summary: DomainSummary {
                id: self.id,
                account: self.account,
                version: self.version(Subject::Domain(self.id)),
                settings: self.settings.clone(),
                sequence: self.sequence,
                quarantined: self.quarantined.clone(),
                pending: false,
                channel_rules: self.channel_rules.clone(),
                handling: self.handling.clone(),
                pace: self.pace,
                callback: self.callback,
                schedules: std::sync::Arc::new(self.schedules.clone()),
            },
            now,
            queues: self.queues.keys().map(|id| (*id, self.queue_view(*id))).collect(),
            agents: self.people.values().map(|p| (p.id, self.agent_view(p))).collect(),
            touchpoints: self
                .touchpoints
                .iter()
                .map(|(id, settings)| {
                    let version = self.version(Subject::Touchpoint(*id));
                    let criteria = self.criteria.get(id).cloned().unwrap_or_default();
                    (*id, TouchpointView { id: *id, version, settings: settings.clone(), criteria })
                })
                .collect(),
            conversations: self.convs.values().map(|c| (c.id, self.conversation_view(c))).collect(),
        }
    }

    fn queue_view(&self, id: QueueId) -> QueueView {
        let line = &self.queues[&id];
        let members = self.people.values().filter(|p| p.settings.queues.contains(&id));
        let here: Vec<_> = self
            .convs
            .values()
            .filter_map(|c| match &c.stage {
                Stage::Waiting(Place::Queues(queues)) if queues.contains(&id) && !c.rests() => {
                    Some((true, c.arrived_at))
                }
                Stage::Waiting(Place::Inbox(queues)) if queues.contains(&id) => Some((false, c.arrived_at)),
                _ => None,
            })
            .collect();
        let waiting = here.iter().filter(|(for_an_offer, _)| *for_an_offer).count();
        QueueView {
            id,
            version: self.version(Subject::Queue(id)),
            settings: line.settings.clone(),
            paused: line.paused,
            agents: members.clone().count() as u64,
            staffed: members.filter(|p| p.takes_offers()).count() as u64,
            waiting: waiting as u64,
            inbox: (here.len() - waiting) as u64,
            longest_since: here.into_iter().map(|(_, since)| since).min(),
            policy: self.policy_view(id),
            hours: line.hours.clone(),
            ring: line.ring,
        }
    }

    fn agent_view(&self, p: &Person) -> AgentView {
        let offers: Vec<OfferView> = self
            .offers_to(p.id)
            .into_iter()
            .map(|(_, c)| self.convs[&c].offer_to(p.id).expect("live").clone())
            .collect();
        AgentView {
            id: p.id,
            version: self.version(Subject::Agent(p.id)),
            settings: p.settings.clone(),
            intent: p.intent.clone(),
            intent_by: p.intent_by.clone(),
            lease: p.lease,
            epoch: p.epoch,
            load: self.load(p.id),
            offers,
            holdings: self
                .held_by(p.id)
                .into_iter()
                .map(|id| {
                    let c = &self.convs[&id];
                    HoldingView {
                        conversation: id,
                        channel: c.channel,
                        weight: c.weight,
                        wrapping: matches!(c.stage, Stage::Wrapping(_)),
                        idle: c.full.is_some(),
                    }
                })
                .collect(),
            misses: p.misses,
            idle_since: p.idle_since,
            last_offer: p.last_offer,
            held_for: p.holds,
            skills: p.shown_skills(),
            paced_until: p.paced,
        }
    }

    fn conversation_view(&self, c: &Conv) -> ConversationView {
        let weight = match (&c.stage, &c.offer) {
            (Stage::Offered(_), Some(offer)) => offer.weight,
            (Stage::Waiting(_) | Stage::Transferring, _) => self.weight_now(c.channel),
            _ => c.weight,
        };
        let waits = matches!(c.stage, Stage::Waiting(_) | Stage::Offered(_));
        let dedicated =
            matches!(c.stage, Stage::Waiting(Place::Dedicated(_)) | Stage::Offered(Place::Dedicated(_)));
        let deadline = if c.stage.is_terminal() {
            c.ended_at.map(|at| at + self.settings.closed_retention)
        } else {
            [
                c.offer.as_ref().map(|o| o.deadline),
                c.owner_deadline,
                c.grace,
                c.goes_on.as_ref().map(|(_, at)| *at).filter(|_| dedicated),
                (waits && c.calling.is_none()).then_some(c.wait_ends),
                c.rests_until(),
                c.callback_ends(),
                c.relaxes_at(),
                c.rule_due_at(),
                c.way.as_ref().and_then(|way| way.deadline),
            ]
            .into_iter()
            .flatten()
            .min()
        };
        ConversationView {
            id: c.id,
            version: self.version(Subject::Conversation(c.id)),
            stage: c.stage.clone(),
            channel: c.channel,
            touchpoint: c.touchpoint,
            priority: c.priority,
            arrived_at: c.arrived_at,
            weight,
            accept: c.accept,
            queues: c.queues.clone(),
            offer: c.offer.clone(),
            excluded: c.excluded.clone(),
            hops: c.hops,
            deadline,
            customer: c.customer.clone(),
            reference: c.reference.clone(),
            assigned_at: c.assigned_at,
            ended_at: c.ended_at,
            last_agent: c.last_agent,
            departure: c.way.as_ref().map(|way| Box::new(way.shown.clone())),
            seeking: c.seeking(),
            standing: c.standing.map(Box::new),
            idle: c.full.is_some(),
            callback: c.calling.as_ref().map(|calling| Box::new(calling.shown.clone())),
            also: c.also.clone(),
        }
    }
}
