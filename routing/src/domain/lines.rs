//! Waiting lines: where a conversation stands while it waits, and the exclusions that matter there.

use super::keys::RankKey;
use super::skills::ClassNo;
use super::{AgentNo, ConvNo, Domain, PlaceKind, QueueNo};
use crate::event::Place;
use crate::shard::PlantedBug;
use crate::{Channel, LogTime};

impl Domain {
    /// A conversation's rank.
    pub(crate) fn rank_key(&self, no: ConvNo) -> RankKey {
        let conversation = self.conv(no);
        if self.planted(PlantedBug::NewestFirst) {
            let newest = crate::LogTime(u64::MAX / 4 - conversation.arrived_at.0);
            return self.index.0.ranking.key(conversation.priority, newest, no);
        }
        self.index.0.ranking.key(conversation.priority, conversation.arrived_at, no)
    }

    /// A conversation's queues that still exist.
    pub(crate) fn present_queues(&self, queues: &[QueueNo]) -> Vec<QueueNo> {
        queues.iter().copied().filter(|queue| self.queues.get(queue.0).is_some()).collect()
    }

    /// The place as the world knows it.
    pub(crate) fn place_view(&self, no: ConvNo) -> Place {
        let conversation = self.conv(no);
        let ids =
            || self.present_queues(&conversation.queues).iter().map(|queue| queue.id(self.id)).collect();
        match conversation.place {
            PlaceKind::Queues => Place::Queues(ids()),
            PlaceKind::Inbox => Place::Inbox(ids()),
            PlaceKind::Dedicated(agent) => Place::Dedicated(agent.id(self.id)),
        }
    }

    /// Puts a waiting conversation in its lines.
    pub(crate) fn enter_lines(&mut self, no: ConvNo) {
        self.change_lines(no, true);
        self.dirty.conversation(no);
    }

    /// Takes a conversation that waits no more out of its lines; nobody holds for it any longer.
    pub(crate) fn leave_lines(&mut self, no: ConvNo) {
        if let Some(holder) = self.conv(no).held_by {
            self.end_hold(holder);
        }
        self.change_lines(no, false);
    }

    pub(super) fn change_lines(&mut self, no: ConvNo, enter: bool) {
        if self.conv(no).rests_until().is_some() {
            return;
        }
        let key = self.rank_key(no);
        let conversation = self.conv_mut(no);
        let (place, channel) = (conversation.place, conversation.channel);
        let arrived_at = conversation.arrived_at;
        let queues = std::mem::take(&mut conversation.queues);
        match place {
            PlaceKind::Inbox => {
                for queue in &queues {
                    let Some(queue) = self.queues.get_mut(queue.0) else { continue };
                    let line = &mut queue.index.0.inbox;
                    if enter {
                        line.enter(key, arrived_at)
                    } else {
                        line.remove(&key);
                    }
                }
            }
            PlaceKind::Queues => self.change_queue_lines(no, key, &queues, enter),
            PlaceKind::Dedicated(agent) => self.change_own_line(agent, channel, key, arrived_at, enter),
        }
        self.conv_mut(no).queues = queues;
        for position in 0..self.conv(no).excluded.len() {
            let agent = self.conv(no).excluded[position].0;
            self.mark_excluded(no, agent, enter);
        }
    }

    fn change_queue_lines(&mut self, no: ConvNo, key: RankKey, queues: &[QueueNo], enter: bool) {
        let conversation = &self.conversations[&no];
        let (channel, arrived_at) = (conversation.channel, conversation.arrived_at);
        let named: Box<[AgentNo]> = conversation.named().into();
        let class = self.index.0.classes.of(conversation.required());
        for queue in queues {
            let Some(queue) = self.queues.get_mut(queue.0) else { continue };
            let index = &mut queue.index.0;
            let set = &mut index.lines[channel.index()];
            match (enter, named.is_empty()) {
                (true, true) => set.enter(class, key, arrived_at),
                (false, true) => set.leave(class, &key),
                (true, false) => set.enter_named(key, arrived_at),
                (false, false) => set.leave_named(&key),
            }
            let bit = channel as u8;
            index.channels = index.channels & !(1 << bit) | u8::from(!set.is_closed()) << bit;
        }
        queues.iter().for_each(|queue| self.follow_hours(*queue));
        for agent in named {
            self.change_own_line(agent, channel, key, arrived_at, enter);
        }
    }

    /// A conversation enters or leaves the line of one agent.
    fn change_own_line(
        &mut self,
        agent: AgentNo,
        channel: Channel,
        key: RankKey,
        arrived_at: LogTime,
        enter: bool,
    ) {
        let Some(agent) = self.agents.get_mut(agent.0) else { return };
        let lines = &mut agent.index.0.dedicated;
        let line = lines.entry(channel as u8).or_default();
        if enter {
            line.enter(key, arrived_at)
        } else {
            line.remove(&key);
        }
        if line.is_empty() {
            lines.remove(&(channel as u8));
        }
    }

    /// Notes (or un-notes) at the agent that it is excluded from a conversation in its lines.
    pub(crate) fn mark_excluded(&mut self, no: ConvNo, agent: AgentNo, enter: bool) {
        let key = self.rank_key(no);
        let Some(conversation) = self.conversations.get(&no) else { return };
        if conversation.rests_until().is_some() {
            return;
        }
        let Some(agent) = self.agents.get_mut(agent.0) else { return };
        let lines = &mut agent.index.0.excluded;
        let channel = conversation.channel as u8;
        let mut mark = |queue: QueueNo, class: ClassNo| {
            let line = lines.entry((queue, channel, class)).or_default();
            if enter {
                line.insert(key, ())
            } else {
                line.remove(&key);
            }
            if line.is_empty() {
                lines.remove(&(queue, channel, class));
            }
        };
        match conversation.place {
            PlaceKind::Queues if !conversation.named().is_empty() => {
                if conversation.named().contains(&agent.no) {
                    mark(QueueNo(0), ClassNo::PLAIN);
                }
            }
            PlaceKind::Queues => {
                let class = self.index.0.classes.of(conversation.required());
                conversation.queues.iter().for_each(|queue| {
                    if self.queues.get(queue.0).is_some() {
                        mark(*queue, class);
                    }
                });
            }
            PlaceKind::Dedicated(_) => mark(QueueNo(0), ClassNo::PLAIN),
            PlaceKind::Inbox => {}
        }
    }
}
