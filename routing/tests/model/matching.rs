//! Eligibility, rank, the walk, holds and waivers: "Rank and pick" and "Order" of the rules.

use super::seeking::has_all;
use super::state::{Conv, Dom, Mint};
use routing::event::Place;
use routing::level::PICKS;
use routing::picked::{Offered, Picked};
use routing::settings::{PickPolicy, RankPolicy, limits};
use routing::view::{OfferView, Stage};
use routing::{AgentId, ConversationId, EventKind, LogTime, OfferId, QueueId, Span};
use std::cmp::Reverse;

impl Dom {
    pub fn rank(&self, c: &Conv) -> (i128, LogTime, ConversationId) {
        let key = match &self.settings.rank {
            RankPolicy::Priority => 255 - i128::from(c.priority.0),
            RankPolicy::Aging { credits } => {
                let credit = credits.iter().find(|(p, _)| *p == c.priority).map_or(0, |(_, s)| s.0);
                i128::from(c.arrived_at.0) - i128::from(credit)
            }
        };
        (key, c.arrived_at, c.id)
    }

    pub fn in_rank_order(&self) -> Vec<ConversationId> {
        let mut all: Vec<_> = self
            .convs
            .values()
            .filter(|c| {
                matches!(c.stage, Stage::Waiting(Place::Queues(_) | Place::Dedicated(_))) && !c.rests()
            })
            .map(|c| (self.rank(c), c.id))
            .collect();
        all.sort();
        all.into_iter().map(|(_, id)| id).collect()
    }

    pub fn is_open(&self, queue: QueueId) -> bool {
        self.queues.get(&queue).is_some_and(|line| !line.paused && !line.is_closed())
    }

    /// Every gate but capacity and room held, through this queue (or as the dedicated agent).
    pub fn passes(&self, agent: AgentId, c: &Conv, queue: Option<QueueId>) -> bool {
        let person = &self.people[&agent];
        let capped = person.settings.caps[c.channel.index()]
            .is_some_and(|cap| self.by_channel(agent, c.channel) >= usize::from(cap));
        person.takes_offers()
            && person.paced.is_none()
            && queue.is_none_or(|q| self.is_open(q) && person.settings.queues.contains(&q))
            && c.asks().is_none_or(|step| has_all(&person.skills, &step.required))
            && person.settings.channels.contains(c.channel)
            && !capped
            && self.what_blocks(agent, c.channel).is_none()
            && !c.excluded.contains_key(&agent)
    }

    pub fn fits(&self, agent: AgentId, c: &Conv) -> bool {
        let held_for_another = self.people[&agent]
            .holds
            .is_some_and(|(held, _)| held != c.id && self.rank(&self.convs[&held]) < self.rank(c));
        !held_for_another && u32::from(self.weight_now(c.channel).0) <= self.free(agent)
    }

    fn ways(&self, c: &Conv) -> Vec<(Option<QueueId>, Vec<AgentId>)> {
        let named = c.asks().map_or(&[][..], |step| &step.agents);
        if !named.is_empty() && matches!(c.stage, Stage::Waiting(_)) {
            let there = named.iter().copied().filter(|agent| self.people.contains_key(agent));
            return vec![(None, there.filter(|agent| self.passes(*agent, c, None)).collect())];
        }
        match &c.stage {
            Stage::Waiting(Place::Queues(queues)) => queues
                .iter()
                .map(|q| {
                    let agents =
                        self.people.keys().copied().filter(|a| self.passes(*a, c, Some(*q))).collect();
                    (Some(*q), agents)
                })
                .collect(),
            Stage::Waiting(Place::Dedicated(agent)) => {
                let known = self.people.contains_key(agent) && self.passes(*agent, c, None);
                vec![(None, known.then_some(*agent).into_iter().collect())]
            }
            _ => Vec::new(),
        }
    }

    /// An agent's place in a queue's order, the smallest first.
    pub fn place(&self, queue: QueueId, id: AgentId) -> (u64, u64, AgentId) {
        let p = &self.people[&id];
        match self.queues[&queue].settings.pick {
            PickPolicy::LongestIdle | PickPolicy::MostProficient => (p.idle_since.0, 0, id),
            PickPolicy::LeastLoaded => (u64::from(self.load(id)), p.idle_since.0, id),
            PickPolicy::RoundRobin => (p.last_offer, 0, id),
            PickPolicy::LeastFlexible => (p.skills.len() as u64, p.idle_since.0, id),
        }
    }

    /// How many of the preferred skills, from the first on, somebody has.
    pub fn liking(&self, c: &Conv, id: AgentId) -> usize {
        let preferred = c.asks().map_or(&[][..], |step| &step.preferred);
        let skills = &self.people[&id].skills;
        preferred.iter().take_while(|skill| has_all(skills, std::slice::from_ref(skill))).count()
    }

    pub fn pick(&self, c: &Conv, queue: Option<QueueId>, agents: &[AgentId]) -> Option<AgentId> {
        // The dedicated agent, or those named, in their order.
        let Some(queue) = queue else { return agents.first().copied() };
        let held = |id: &AgentId| self.people[id].holds.map(|(c, _)| self.rank(&self.convs[&c]));
        let unbound = agents.iter().copied().filter(|id| held(id).is_none());
        let by_levels = self.queues[&queue].settings.pick == PickPolicy::MostProficient;
        let levels = |id: AgentId| if by_levels { self.proficiency(c, id) } else { 0 };
        let unbound = unbound
            .min_by_key(|id| (Reverse(self.liking(c, *id)), Reverse(levels(*id)), self.place(queue, *id)));
        unbound.or_else(|| agents.iter().copied().min_by_key(|id| (Reverse(held(id)), *id)))
    }

    /// Takes the best-ranked conversation that has an eligible agent, until there is none.
    pub fn match_waiting(&mut self, offers_left: &mut usize) {
        let mut offered = Vec::new();
        while *offers_left > 0 {
            let found = self.in_rank_order().into_iter().find_map(|id| {
                let c = &self.convs[&id];
                self.ways(c).into_iter().find_map(|(queue, agents)| {
                    let fitting: Vec<_> = agents.into_iter().filter(|a| self.fits(*a, c)).collect();
                    let agent = self.pick(c, queue, &fitting)?;
                    Some((id, queue, agent, self.why(c, queue, agent, &fitting)))
                })
            });
            let Some((id, queue, agent, why)) = found else { break };
            if let Some(bigger) = self.to_hold_for(agent, id) {
                let now = self.now;
                let hold_max = self.settings.hold_max;
                let until = *self.c(bigger).hold_until.get_or_insert(now + hold_max);
                self.p(agent).holds = Some((bigger, until));
            } else {
                self.make_offer(id, agent, queue, None, why);
                offered.push(id);
                *offers_left -= 1;
            }
        }
        // Those that are left over when nothing that waits can have them.
        for id in offered {
            self.ring_at_more(id, offers_left);
        }
    }

    /// The conversation for which this agent must keep its room instead of taking `x`.
    pub fn to_hold_for(&self, agent: AgentId, x: ConversationId) -> Option<ConversationId> {
        let person = &self.people[&agent];
        if person.holds.is_some() || self.settings.hold_max == Span::ZERO {
            return None;
        }
        let best = self.in_rank_order().into_iter().find(|id| {
            let c = &self.convs[id];
            let reaches = self.ways(c).iter().any(|(_, agents)| agents.contains(&agent));
            reaches && self.weight_now(c.channel) <= person.settings.capacity
        })?;
        let c = &self.convs[&best];
        let held = self.people.values().any(|p| p.holds.is_some_and(|h| h.0 == best));
        let over = c.hold_until.is_some_and(|until| until <= self.now);
        (self.rank(c) < self.rank(&self.convs[&x]) && !held && !over).then_some(best)
    }

    pub fn end_hold_for(&mut self, conversation: ConversationId) {
        for person in self.people.values_mut().filter(|p| p.holds.is_some_and(|h| h.0 == conversation)) {
            person.holds = None;
        }
    }

    pub fn make_offer(
        &mut self,
        id: ConversationId,
        agent: AgentId,
        queue: Option<QueueId>,
        transfer: Option<routing::command::TransferFallback>,
        why: Picked,
    ) {
        let number = self.mint(Mint::Offer);
        let now = self.now;
        let c = self.convs[&id].clone();
        let weight = self.weight_now(c.channel);
        let offer = OfferView {
            connecting: false,
            id: OfferId::new(self.id, number),
            conversation: id,
            agent,
            queue,
            weight,
            accept: c.accept,
            made_at: now,
            deadline: now + c.accept.deadline(),
            transfer,
        };
        self.end_hold_for(id);
        self.p(agent).last_offer = number;
        let offered = Box::new(Offered {
            conversation: id,
            offer: offer.id,
            agent,
            queue,
            weight,
            automatic: matches!(c.accept, routing::settings::AcceptMode::Automatic { .. }),
            deadline: offer.deadline,
            channel: c.channel,
            customer: c.customer.clone(),
        });
        self.emit(if self.level < PICKS {
            EventKind::Offered(offered)
        } else {
            EventKind::OfferedBecause(offered, Box::new(why))
        });
        let c = self.c(id);
        if let Stage::Waiting(place) = c.stage.clone() {
            c.stage = Stage::Offered(place);
        }
        if c.offer.is_none() {
            c.offer = Some(offer);
        } else {
            c.also.push(offer);
        }
        self.note_offer(agent);
    }

    // ----- waivers -----

    /// Whether every agent that could be asked is excluded; true also when there is none.
    pub fn nobody_is_left(&self, c: &Conv) -> bool {
        let (Stage::Waiting(place) | Stage::Offered(place)) = &c.stage else { return false };
        self.people
            .values()
            .filter(|p| p.takes_offers() && p.settings.channels.contains(c.channel))
            .filter(|p| c.asks().is_none_or(|step| has_all(&p.skills, &step.required)))
            .filter(|p| match place {
                Place::Queues(_) if c.asks().is_some_and(|step| !step.agents.is_empty()) => {
                    c.asks().is_some_and(|step| step.agents.contains(&p.id))
                }
                Place::Queues(queues) | Place::Inbox(queues) => {
                    queues.iter().any(|q| self.is_open(*q) && p.settings.queues.contains(q))
                }
                Place::Dedicated(agent) => *agent == p.id,
            })
            .all(|p| c.excluded.contains_key(&p.id))
    }

    /// Excludes an agent for a conversation that waits.
    pub fn exclude(&mut self, id: ConversationId, agent: AgentId, span: Span) {
        if span == Span::ZERO || !self.people.contains_key(&agent) {
            return;
        }
        let now = self.now;
        let c = self.c(id);
        c.excluded.insert(agent, now + span);
        if c.excluded.len() > limits::EXCLUSIONS_PER_CONVERSATION_MAX {
            let first = c.excluded.iter().map(|(agent, until)| (*until, *agent)).min().expect("not empty");
            c.excluded.remove(&first.1);
        }
        c.waiver = Some(now + Span::seconds(1));
    }
}
