//! The agent for a conversation: paths in the pick orders of its queues.

use super::proficient::Standing;
use crate::domain::keys::{HoldKey, Open, PickKey, RankKey};
use crate::domain::skills::{Level, mask};
use crate::domain::{AgentNo, ConvNo, Conversation, Cx, Domain, PlaceKind, Queue, QueueNo};
use crate::level;
use crate::shard::PlantedBug;

/// The agent for a conversation, and how it was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) agent: AgentNo,
    pub(super) how: How,
}

/// How the agent for a conversation was found.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    Dedicated,
    /// At this place of those named, from 0.
    Named(usize),
    /// In the order of a queue, with so many of the preferred skills.
    Ready {
        queue: QueueNo,
        key: PickKey,
        preferred: usize,
        /// Nobody with room stands before it, as is known already.
        first: bool,
    },
    /// In a queue, with so many of the preferred skills and the highest levels of all that was asked for, in all.
    Proficient {
        queue: QueueNo,
        standing: Standing,
        preferred: usize,
    },
    /// In a queue, among those who hold their room.
    Holding {
        queue: QueueNo,
    },
}

impl Found {
    /// From which queue.
    pub(super) fn queue(&self) -> Option<QueueNo> {
        match self.how {
            How::Dedicated | How::Named(_) => None,
            How::Ready { queue, .. } | How::Proficient { queue, .. } | How::Holding { queue } => Some(queue),
        }
    }
}

impl Domain {
    /// The agent that gets this waiting conversation, and from which queue.
    pub(super) fn pick(&self, cx: &mut Cx<'_>, no: ConvNo) -> Option<Found> {
        let conversation = self.conv(no);
        let key = self.rank_key(no);
        match conversation.place {
            PlaceKind::Inbox => None,
            PlaceKind::Dedicated(to) => {
                self.takes(to, conversation, key).then_some(Found { agent: to, how: How::Dedicated })
            }
            PlaceKind::Queues if !conversation.named().is_empty() => {
                let named = conversation.named();
                cx.effects.visited += named.len() as u64;
                let place = named.iter().position(|agent| self.takes(*agent, conversation, key))?;
                Some(Found { agent: named[place], how: How::Named(place) })
            }
            PlaceKind::Queues => conversation.queues.iter().find_map(|queue_no| {
                let queue = self.queues.get(queue_no.0).filter(|queue| self.serves(queue))?;
                self.pick_in(cx, queue, conversation, key)
            }),
        }
    }

    /// Whether this one agent could take a conversation that waits for it.
    pub(super) fn takes(&self, to: AgentNo, conversation: &Conversation, key: RankKey) -> bool {
        let Some(listed) = self.agents.get(to.0).and_then(|agent| agent.index.0.listed) else { return false };
        let room = listed.open.free[conversation.channel.index()] >= self.weight(conversation.channel).0;
        room && listed.bar.is_none_or(|bar| key <= bar) && !conversation.is_excluded(to)
    }

    fn pick_in(
        &self,
        cx: &mut Cx<'_>,
        queue: &Queue,
        conversation: &Conversation,
        key: RankKey,
    ) -> Option<Found> {
        let mut search = Search::new(self, queue, conversation);
        let found = self.first_free(cx, &mut search);
        let found = found.or_else(|| {
            let agent = search.holding(key, conversation.required())?;
            Some(Found { agent, how: How::Holding { queue: queue.no } })
        });
        cx.effects.visited += search.visited;
        found
    }

    /// One more agent for a conversation that rings already: from the same queue, and of those who hold their room for
    /// nothing.
    pub(super) fn pick_spare(&self, cx: &mut Cx<'_>, no: ConvNo, queue: QueueNo) -> Option<Found> {
        let queue = self.queues.get(queue.0).filter(|queue| self.serves(queue))?;
        let mut search = Search::new(self, queue, self.conv(no));
        let found = self.first_free(cx, &mut search);
        cx.effects.visited += search.visited;
        found
    }

    /// The first agent in a queue's order who may have the conversation and holds nothing back.
    fn first_free(&self, cx: &mut Cx<'_>, search: &mut Search<'_>) -> Option<Found> {
        let (queue, conversation) = (search.queue, search.conversation);
        let required = conversation.required();
        let preferred = conversation.asked().map_or(&[][..], |asked| &asked.preferred);
        // The longest beginning of what is preferred that somebody has, with what is required.
        (0..=preferred.len()).rev().find_map(|length| {
            let wanted = [required, &preferred[..length]];
            if search.goes_by_levels(&wanted) {
                let standing = *search.proficient(&wanted, 1).could.first()?;
                let how = How::Proficient { queue: queue.no, standing, preferred: length };
                return Some(Found { agent: standing.place.agent, how });
            }
            let (ready, first) = search.ready(&wanted)?;
            let key = search.rehearsed(cx, ready, &wanted);
            let how = How::Ready { queue: queue.no, key, preferred: length, first: first && key == ready };
            Some(Found { agent: key.agent, how })
        })
    }
}

/// A search in one queue for one conversation.
pub(super) struct Search<'a> {
    pub(super) domain: &'a Domain,
    pub(super) queue: &'a Queue,
    conversation: &'a Conversation,
    weight: u8,
    pub(super) visited: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(domain: &'a Domain, queue: &'a Queue, conversation: &'a Conversation) -> Self {
        let weight = domain.weight(conversation.channel).0;
        Self { domain, queue, conversation, weight, visited: 0 }
    }

    pub(super) fn room(&self) -> impl Fn(&Open) -> bool + use<> {
        let (channel, weight) = (self.conversation.channel.index(), self.weight);
        move |open| open.free[channel] >= weight
    }

    /// Whether an agent with room may have the conversation: it has these skills, is not excluded, and is not offered
    /// it already.
    pub(super) fn may(&self, agent: AgentNo, skills: &[&[Level]]) -> bool {
        let who = self.domain.agent(agent);
        let any_level = self.domain.planted(PlantedBug::SkillLevelIgnored);
        let has = |(skill, least): &Level| who.meets(&[(*skill, if any_level { 1 } else { *least })]);
        skills.iter().all(|some| some.iter().all(has))
            && !self.conversation.is_excluded(agent)
            && (self.conversation.offer_to(agent).is_none() || self.domain.planted(PlantedBug::RingsTwice))
    }

    /// The first ready agent in pick order who has room and these skills, and whether it is known to be the first
    /// with room: no skill was asked for, and nobody who stands before it is excluded.
    fn ready(&mut self, skills: &[&[Level]]) -> Option<(PickKey, bool)> {
        let bits = skills.iter().fold(0, |bits, some| bits | mask(some));
        let room = self.room();
        let pass = move |open: &Open| open.skills & bits == bits && room(open);
        let mut after = None;
        while let Some(ready) = self.queue.index.0.ready.find(after.as_ref(), &pass, &mut self.visited) {
            if self.may(ready.agent, skills) {
                return Some((ready, bits == 0 && after.is_none()));
            }
            after = Some(ready);
        }
        None
    }

    /// The first of those who hold their room for a conversation that is ranked no better.
    fn holding(&mut self, key: RankKey, required: &[Level]) -> Option<AgentNo> {
        let room = self.room();
        let mut after: Option<HoldKey> = None;
        while let Some(holder) = self.queue.index.0.holders.find(after.as_ref(), &room, &mut self.visited) {
            if holder.bar.0 < key {
                return None;
            }
            if self.may(holder.agent, &[required]) {
                return Some(holder.agent);
            }
            after = Some(holder);
        }
        None
    }

    /// At the level that is rehearsed: of two that tie, the other one.
    fn rehearsed(&mut self, cx: &Cx<'_>, ready: PickKey, skills: &[&[Level]]) -> PickKey {
        if cx.level < level::REHEARSAL && !cx.planted(PlantedBug::AheadOfLevel) {
            return ready;
        }
        let room = self.room();
        let rival = self.queue.index.0.ready.find(Some(&ready), &room, &mut self.visited);
        let rival = rival.filter(|rival| rival.ties(ready) && self.may(rival.agent, skills));
        rival.unwrap_or(ready)
    }
}
