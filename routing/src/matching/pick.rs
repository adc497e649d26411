//! The agent for a conversation: paths in the pick orders of its queues.

use crate::domain::keys::{HoldKey, Open, RankKey};
use crate::domain::{AgentNo, ConvNo, Conversation, Cx, Domain, PlaceKind, Queue, QueueNo};
use crate::level;
use crate::shard::PlantedBug;

impl Domain {
    /// The agent that gets this waiting conversation, and from which queue.
    pub(crate) fn pick(&self, cx: &mut Cx<'_>, no: ConvNo) -> Option<(AgentNo, Option<QueueNo>)> {
        let conversation = self.conv(no);
        let weight = self.weight(conversation.channel).0;
        let key = self.rank_key(no);
        match conversation.place {
            PlaceKind::Inbox => None,
            PlaceKind::Dedicated(to) => {
                let agent = self.agents.get(to.0)?;
                let listed = agent.index.0.listed?;
                let room = listed.open.free[conversation.channel.index()] >= weight;
                let outranks = listed.bar.is_none_or(|bar| key <= bar);
                (room && outranks && !conversation.is_excluded(to)).then_some((to, None))
            }
            PlaceKind::Queues => conversation.queues.iter().find_map(|queue_no| {
                let queue = self.queues.get(queue_no.0).filter(|queue| !queue.paused)?;
                let agent = pick_in(cx, queue, conversation, key, weight)?;
                Some((agent, Some(*queue_no)))
            }),
        }
    }
}

fn pick_in(
    cx: &mut Cx<'_>,
    queue: &Queue,
    conversation: &Conversation,
    key: RankKey,
    weight: u8,
) -> Option<AgentNo> {
    let rehearsed = cx.level >= level::REHEARSAL || cx.planted(PlantedBug::AheadOfLevel);
    let visited = &mut cx.effects.visited;
    let channel = conversation.channel.index();
    let room = |open: &Open| open.free[channel] >= weight;
    let mut after = None;
    while let Some(ready) = queue.index.0.ready.find(after.as_ref(), &room, visited) {
        if !conversation.is_excluded(ready.agent) {
            let rival = if rehearsed { queue.index.0.ready.find(Some(&ready), &room, visited) } else { None };
            let rival = rival.filter(|rival| rival.ties(ready) && !conversation.is_excluded(rival.agent));
            return Some(rival.unwrap_or(ready).agent);
        }
        after = Some(ready);
    }
    let mut after: Option<HoldKey> = None;
    while let Some(holder) = queue.index.0.holders.find(after.as_ref(), &room, visited) {
        if holder.bar.0 < key {
            return None;
        }
        if !conversation.is_excluded(holder.agent) {
            return Some(holder.agent);
        }
        after = Some(holder);
    }
    None
}
