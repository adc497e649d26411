//! Who gets what: the best-ranked waiting conversation that has an eligible agent goes first.
//!
//! Nothing scans. What changed (`Dirty`) is put in a heap by the best rank it could give; what is
//! looked at is heads of lines and paths in ordered trees. As matching goes on candidates only get
//! worse, so a key in the heap is never better than it should be, and is checked when it comes up.

mod dirty;
mod pick;
mod proficient;
#[cfg(test)]
mod proficient_test;
mod ring;
mod search;
#[cfg(test)]
mod skills_test;
mod why;
#[cfg(test)]
mod why_test;

pub(crate) use dirty::Dirty;

use crate::domain::keys::{Line, RankKey};
use crate::domain::skills::ClassNo;
use crate::domain::{AgentNo, ConvNo, Cx, Domain, PlaceKind, QueueNo, State};
use crate::level;
use crate::settings::limits::MATCH_LOOKS_PER_ENTRY_MAX;
use crate::shard::PlantedBug;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    Conversation(ConvNo),
    Agent(AgentNo),
    Line(QueueNo, u8, ClassNo),
}

/// What came of looking at a conversation.
enum Tried {
    Offered,
    /// An agent holds its room for a better one; others may take this one.
    Held,
    /// Nobody can take it.
    Nobody,
}

type Heap = BinaryHeap<Reverse<(RankKey, Item)>>;

impl Domain {
    /// Matches until nothing is left that fits, or the entry's bound is reached.
    pub(crate) fn run_matching(&mut self, cx: &mut Cx<'_>) {
        if cx.planted(PlantedBug::NoRematch) {
            self.dirty = Default::default();
        }
        if self.dirty.is_empty() {
            return;
        }
        let mut heap = Heap::from(std::mem::take(&mut self.index.0.heap));
        let mut looks = MATCH_LOOKS_PER_ENTRY_MAX;
        let mut rings: Vec<ConvNo> = Vec::new();
        self.gather(cx, &mut heap, &mut looks);
        while cx.matches_left > 0 {
            let Some(Reverse((key, item))) = heap.pop() else { break };
            if looks == 0 {
                heap.push(Reverse((key, item)));
                break;
            }
            looks -= 1;
            let Some(actual) = self.best_of(cx, item) else { continue };
            if actual != key {
                heap.push(Reverse((actual, item)));
                continue;
            }
            match self.try_conversation(cx, key) {
                Tried::Offered => {
                    if self.rings_at_more(key.conversation) {
                        rings.push(key.conversation);
                    }
                    if !matches!(item, Item::Conversation(_)) {
                        heap.push(Reverse((key, item)));
                    }
                }
                Tried::Held => heap.push(Reverse((key, item))),
                Tried::Nobody => self.look_at_excluded(key, item),
            }
            self.gather(cx, &mut heap, &mut looks);
        }
        // Nothing that waits could have those who are free now; where that is not known yet, nobody rings beside the first.
        if heap.is_empty() && self.dirty.is_empty() {
            for no in rings {
                self.ring_at_more(cx, no);
            }
        }
        for Reverse((_, item)) in heap.drain() {
            match item {
                Item::Conversation(conversation) => self.dirty.conversations.push(conversation),
                Item::Agent(agent) => self.dirty.agents.push(agent),
                Item::Line(queue, channel, _) => self.dirty.lines.push((queue, channel)),
            }
        }
        self.dirty.settle();
        self.index.0.heap = heap.into_vec();
    }

    /// Moves what became dirty into the heap, as far as the entry may look.
    fn gather(&mut self, cx: &mut Cx<'_>, heap: &mut Heap, looks: &mut usize) {
        while *looks > 0 {
            let item = if let Some(conversation) = self.dirty.conversations.pop() {
                Item::Conversation(conversation)
            } else if let Some(agent) = self.dirty.agents.pop() {
                Item::Agent(agent)
            } else if let Some((queue, channel)) = self.dirty.lines.pop() {
                self.gather_lines(cx, heap, looks, queue, channel);
                continue;
            } else {
                return;
            };
            *looks -= 1;
            if let Some(key) = self.best_of(cx, item) {
                heap.push(Reverse((key, item)));
            }
        }
    }

    /// The same of a queue's lines of one channel: each stands for itself, since what the head of one cannot have
    /// the head of another may.
    fn gather_lines(&self, cx: &mut Cx<'_>, heap: &mut Heap, looks: &mut usize, queue: QueueNo, channel: u8) {
        *looks -= 1;
        let Some(set) = self.queues.get(queue.0).map(|queue| &queue.index.0.lines[usize::from(channel)])
        else {
            return;
        };
        for class in set.open_classes() {
            *looks = looks.saturating_sub(1);
            cx.effects.visited += 1;
            if let Some(key) = set.line(class).and_then(Line::first) {
                heap.push(Reverse((key, Item::Line(queue, channel, class))));
            }
        }
    }

    /// The best rank that an item could give now.
    fn best_of(&self, cx: &mut Cx<'_>, item: Item) -> Option<RankKey> {
        let visited = &mut cx.effects.visited;
        *visited += 1;
        match item {
            Item::Conversation(no) => {
                let conversation = self.conversations.get(&no)?;
                let waits = conversation.state == State::Waiting && conversation.place != PlaceKind::Inbox;
                let waits = waits && conversation.rests_until().is_none();
                waits.then(|| self.rank_key(no))
            }
            Item::Agent(agent) => self.best_for(agent, visited),
            Item::Line(queue, channel, class) => {
                let queue = self.queues.get(queue.0)?;
                queue.index.0.lines[usize::from(channel)].line(class)?.first()
            }
        }
    }

    fn try_conversation(&mut self, cx: &mut Cx<'_>, key: RankKey) -> Tried {
        let no = key.conversation;
        let Some(found) = self.pick(cx, no) else { return Tried::Nobody };
        let agent = found.agent;
        if let Some(better) = self.hold_instead(cx.now, agent, key, &mut cx.effects.visited) {
            self.begin_hold(cx.now, agent, better);
            return Tried::Held;
        }
        cx.matches_left -= 1;
        let picked = (cx.level >= level::PICKS).then(|| self.why(cx, no, &found));
        self.make_offer(cx, no, agent, found.queue(), None, picked);
        Tried::Offered
    }

    /// The head of a line found nobody, perhaps only because those with room are excluded from
    /// it: they may take what stands behind it.
    fn look_at_excluded(&mut self, key: RankKey, item: Item) {
        if let Item::Line(..) = item {
            for position in 0..self.conv(key.conversation).excluded.len() {
                let agent = self.conv(key.conversation).excluded[position].0;
                self.dirty.agent(agent);
            }
        }
    }
}
