//! Work does not stay beside an agent who could take it.

use super::{HEADS_MAX, Replay};
use crate::checker::lines::Line;
use crate::checker::violation::Promise;
use routing::{AgentId, ConversationId};
use std::collections::BTreeSet;

/// Entries after which work beside a free agent is a broken promise: matching that one entry
/// leaves over is done by the next.
const ENTRIES_OF_GRACE: u32 = 3;

impl Replay<'_> {
    /// work does not stay beside an agent who could take it.
    pub(super) fn conserve_work(
        &mut self,
        touched: &BTreeSet<ConversationId>,
        mut agents: BTreeSet<AgentId>,
    ) {
        for id in touched {
            for line in self.lines.standing(*id).unwrap_or_default() {
                let members: &[AgentId] = match line {
                    Line::Queue(queue) => self.by_queue.get(queue).map_or(&[], Vec::as_slice),
                    Line::Dedicated(agent) => std::slice::from_ref(agent),
                };
                let able = members.iter().filter(|agent| self.could_take(**agent, *id) == Some(true));
                agents.extend(able.take(1));
            }
        }
        for agent in agents {
            if let Some(id) = self.idle_beside(agent) {
                self.suspects.entry((id, agent)).or_insert(0);
            }
        }
        let suspects: Vec<(ConversationId, AgentId)> = self.suspects.keys().copied().collect();
        for (id, agent) in suspects {
            let still = self.lines.standing(id).is_some() && self.idle_beside(agent).is_some();
            if !still {
                self.suspects.remove(&(id, agent));
                continue;
            }
            let entries = self.suspects.entry((id, agent)).or_insert(0);
            *entries = entries.saturating_add(1);
            if *entries == ENTRIES_OF_GRACE {
                let what = "waits although the agent could take it".to_owned();
                self.broken(Promise::R8, &[id.to_string(), agent.to_string()], what);
            }
        }
    }

    /// The best-ranked conversation that waits although this agent could take it. None while a
    /// better-ranked bigger one may have the room held for it.
    fn idle_beside(&self, agent: AgentId) -> Option<ConversationId> {
        let known = self.agents.get(&agent)?;
        let now_us = self.events.get(self.now).map_or(0, |event| event.at_us);
        if !known.takes_offers() || known.free()? == 0 || self.paces.may_hold_back(agent, now_us) {
            return None;
        }
        let heads = self.lines_of(agent).into_iter().filter_map(|line| {
            let mut heads = self.lines.of(line).take(HEADS_MAX);
            heads.find_map(|key| self.could_take(agent, key.2).map(|room| (*key, room)))
        });
        heads.min().filter(|(_, room)| *room).map(|(key, _)| key.2)
    }
}
