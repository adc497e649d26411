//! Waiting lines: where a conversation stands while it waits, and the exclusions that matter there.

use super::keys::RankKey;
use super::{ConvNo, Domain, PlaceKind, QueueNo};
use crate::event::Place;
use crate::shard::PlantedBug;

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
        let key = self.rank_key(no);
        let conversation = self.conv_mut(no);
        let (place, channel) = (conversation.place, conversation.channel);
        let (bit, arrived_at) = (channel as u8, conversation.arrived_at);
        let queues = std::mem::take(&mut conversation.queues);
        match place {
            PlaceKind::Queues | PlaceKind::Inbox => {
                for queue in &queues {
                    let Some(queue) = self.queues.get_mut(queue.0) else { continue };
                    let index = &mut queue.index.0;
                    let line = if place == PlaceKind::Inbox {
                        &mut index.inbox
                    } else {
                        &mut index.lines[channel.index()]
                    };
                    if enter {
                        line.enter(key, arrived_at)
                    } else {
                        line.remove(&key);
                    }
                    if place == PlaceKind::Queues {
                        let waits = u8::from(!index.lines[channel.index()].is_empty()) << bit;
                        index.channels = index.channels & !(1 << bit) | waits;
                    }
                }
            }
            PlaceKind::Dedicated(agent) => {
                if let Some(agent) = self.agents.get_mut(agent.0) {
                    let lines = &mut agent.index.0.dedicated;
                    let line = lines.entry(bit).or_default();
                    if enter {
                        line.enter(key, arrived_at)
                    } else {
                        line.remove(&key);
                    }
                    if line.is_empty() {
                        lines.remove(&bit);
                    }
                }
            }
        }
        self.conv_mut(no).queues = queues;
        for position in 0..self.conv(no).excluded.len() {
            let agent = self.conv(no).excluded[position].0;
            self.mark_excluded(no, agent, enter);
        }
    }

    /// Notes (or un-notes) at the agent that it is excluded from a conversation in its lines.
    pub(crate) fn mark_excluded(&mut self, no: ConvNo, agent: super::AgentNo, enter: bool) {
        let key = self.rank_key(no);
        let Some(conversation) = self.conversations.get(&no) else { return };
        let Some(agent) = self.agents.get_mut(agent.0) else { return };
        let lines = &mut agent.index.0.excluded;
        let channel = conversation.channel as u8;
        let mut mark = |queue: QueueNo| {
            let line = lines.entry((queue, channel)).or_default();
            if enter {
                line.insert(key, ())
            } else {
                line.remove(&key);
            }
            if line.is_empty() {
                lines.remove(&(queue, channel));
            }
        };
        match conversation.place {
            PlaceKind::Queues => conversation.queues.iter().for_each(|queue| {
                if self.queues.get(queue.0).is_some() {
                    mark(*queue);
                }
            }),
            PlaceKind::Dedicated(_) => mark(QueueNo(0)),
            PlaceKind::Inbox => {}
        }
    }
}
