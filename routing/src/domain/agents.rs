//! How agents stand in their queues.

use super::keys::{AbleKey, HoldKey, Open};
use super::{Agent, AgentNo, Domain, Listed, QueueNo};
use crate::settings::PickPolicy;
use crate::shard::PlantedBug;
use crate::tree::{Key, Tree};
use crate::view::Lease;
use std::cmp::Reverse;

/// Moves an agent's place in an order.
fn place<K: Key>(order: &mut Tree<K, Open>, old: Option<K>, new: Option<K>, wanted: Option<Listed>) {
    // A holding agent shows no room in the common orders: only its holder's place counts.
    let shown = |listed: Listed| {
        let mut open = listed.open;
        if listed.bar.is_some() {
            open.free = [0; 8];
        }
        open
    };
    match (old, new) {
        (Some(old), Some(new)) if old == new => {
            if let Some(wanted) = wanted {
                order.set(&new, shown(wanted));
            }
        }
        _ => {
            if let Some(old) = old {
                order.remove(&old);
            }
            if let (Some(new), Some(wanted)) = (new, wanted) {
                order.insert(new, shown(wanted));
            }
        }
    }
}

impl Domain {
    /// Brings an agent's places in its queues' pick orders up to date with the agent.
    pub(crate) fn refresh(&mut self, no: AgentNo) {
        self.count_session(no);
        let agent = self.agent(no);
        let bar = agent.hold.map(|(conversation, _)| self.rank_key(conversation));
        let unleased =
            self.planted(PlantedBug::UnleasedOffers) && agent.intent == crate::command::Intent::Available;
        let wanted = (agent.takes_offers() || unleased).then(|| Listed {
            facts: agent.facts(),
            open: agent.open(self.blocks()),
            bar,
        });
        if agent.index.0.listed != wanted {
            let queues = std::mem::take(&mut self.agent_mut(no).index.0.queues);
            let before = self.agent(no).index.0.listed;
            for queue in &queues {
                self.relist(*queue, before, wanted);
            }
            let agent = self.agent_mut(no);
            agent.index.0.queues = queues;
            agent.index.0.listed = wanted;
        }
    }

    /// Its queues count an agent while its session is live.
    fn count_session(&mut self, no: AgentNo) {
        let agent = self.agent_mut(no);
        let live = agent.lease == Lease::Live;
        if std::mem::replace(&mut agent.index.0.signed_on, live) != live {
            let queues = std::mem::take(&mut self.agent_mut(no).index.0.queues);
            for queue in &queues {
                let counted = &mut self.queue_mut(*queue).index.0.signed_on;
                if live {
                    *counted += 1;
                } else {
                    *counted -= 1;
                }
            }
            self.agent_mut(no).index.0.queues = queues;
        }
    }

    fn relist(&mut self, queue: QueueNo, before: Option<Listed>, wanted: Option<Listed>) {
        self.relist_able(queue, before, wanted);
        let queue = self.queue_mut(queue);
        let pick = queue.settings.pick;
        let index = &mut queue.index.0;
        let old = before.map(|listed| listed.facts.key(pick));
        let new = wanted.map(|listed| listed.facts.key(pick));
        place(&mut index.ready, old, new, wanted);
        let hold = |listed: Listed| Some(HoldKey { bar: Reverse(listed.bar?), agent: listed.facts.agent });
        if let Some(old) = before.and_then(hold) {
            index.holders.remove(&old);
        }
        if let (Some(new), Some(wanted)) = (wanted.and_then(hold), wanted) {
            index.holders.insert(new, wanted.open);
        }
    }

    /// The same among those who have its skills, where the queue goes by them.
    fn relist_able(&mut self, queue: QueueNo, before: Option<Listed>, wanted: Option<Listed>) {
        let pick = self.queue(queue).settings.pick;
        let Some(agent) = before.or(wanted).map(|listed| listed.facts.agent) else { return };
        if pick != PickPolicy::MostProficient || self.agent(agent).skills.is_empty() {
            return;
        }
        let skills = std::mem::take(&mut self.agent_mut(agent).skills);
        let able = &mut self.queue_mut(queue).index.0.able;
        for (skill, level) in &skills {
            let key = |listed: Listed| AbleKey { level: Reverse(*level), place: listed.facts.key(pick) };
            let tree = able.entry(*skill).or_default();
            place(tree, before.map(key), wanted.map(key), wanted);
            if tree.is_empty() {
                able.remove(skill);
            }
        }
        self.agent_mut(agent).skills = skills;
    }

    /// Takes an agent out of the pick orders, so that its settings may change.
    pub(crate) fn unlist(&mut self, no: AgentNo) {
        let index = &mut self.agent_mut(no).index.0;
        let queues = std::mem::take(&mut index.queues);
        let before = index.listed.take();
        for queue in &queues {
            self.relist(*queue, before, None);
        }
        self.agent_mut(no).index.0.queues = queues;
    }

    /// Makes an agent a member of what its settings say.
    pub(crate) fn join_queues(&mut self, no: AgentNo) {
        let domain = self.id;
        let queues: Box<[QueueNo]> =
            self.agent(no).settings.queues.iter().filter_map(|id| QueueNo::of(*id, domain)).collect();
        let signed_on = u32::from(self.agent(no).index.0.signed_on);
        for queue in &queues {
            let index = &mut self.queue_mut(*queue).index.0;
            index.members.insert(no);
            index.signed_on += signed_on;
        }
        self.agent_mut(no).index.0.queues = queues;
    }

    /// Takes an unlisted agent out of its queues.
    pub(crate) fn leave_queues(&mut self, no: AgentNo) {
        let queues = std::mem::take(&mut self.agent_mut(no).index.0.queues);
        let signed_on = u32::from(self.agent(no).index.0.signed_on);
        for queue in &queues {
            let index = &mut self.queue_mut(*queue).index.0;
            index.members.remove(&no);
            index.signed_on -= signed_on;
        }
    }

    /// Changes an agent's load and its count of a channel, and its places with them.
    pub(crate) fn change_load(&mut self, no: AgentNo, change: impl FnOnce(&mut Agent)) {
        change(self.agent_mut(no));
        self.refresh(no);
    }

    /// Ends what an agent holds points for, if anything; matching looks at the agent.
    pub(crate) fn end_hold(&mut self, no: AgentNo) {
        if let Some((conversation, until)) = self.agent_mut(no).hold.take() {
            self.index.0.holders.remove(&no);
            self.index.0.deadlines.remove(until, crate::deadlines::Due::Hold(no));
            if let Some(held) = self.conversations.get_mut(&conversation) {
                held.held_by = None;
            }
            self.refresh(no);
            self.dirty.agent(no);
        }
    }

    /// Holds an agent's free points for a conversation.
    pub(crate) fn begin_hold(&mut self, now: crate::LogTime, no: AgentNo, conversation: super::ConvNo) {
        let hold_max = self.settings.hold_max;
        let held = self.conv_mut(conversation);
        let until = *held.hold_until.get_or_insert(now + hold_max);
        held.held_by = Some(no);
        self.agent_mut(no).hold = Some((conversation, until));
        self.index.0.holders.insert(no);
        self.index.0.deadlines.add(until, crate::deadlines::Due::Hold(no));
        self.refresh(no);
    }
}
