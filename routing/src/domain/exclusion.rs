//! Agents that get no offer of a conversation for a time.

use super::{AgentNo, ConvNo, Domain, PlaceKind, State};
use crate::deadlines::Due;
use crate::settings::limits::EXCLUSIONS_PER_CONVERSATION_MAX;
use crate::{LogTime, Span};

/// How long after an exclusion it is looked at whether anybody is left.
pub(crate) const WAIVE_AFTER: Span = Span::seconds(1);

impl Domain {
    /// Excludes an agent from a conversation that waits, for a time; zero: not at all.
    pub(crate) fn exclude(&mut self, now: LogTime, no: ConvNo, agent: AgentNo, span: Span) {
        if span == Span::ZERO || self.conv(no).is_terminal() {
            return;
        }
        self.include(no, agent);
        if self.conv(no).excluded.len() >= EXCLUSIONS_PER_CONVERSATION_MAX {
            let first = self.conv(no).excluded.iter().min_by_key(|(agent, until)| (*until, *agent)).copied();
            if let Some((first, _)) = first {
                self.include(no, first);
            }
        }
        let until = now + span;
        let waive_at = now + WAIVE_AFTER;
        let conversation = self.conv_mut(no);
        conversation.excluded.push((agent, until));
        let waived = conversation.waive_at.replace(waive_at);
        let waits = conversation.state == State::Waiting;
        if waits {
            self.mark_excluded(no, agent, true);
        }
        let deadlines = &mut self.index.0.deadlines;
        deadlines.add(until, Due::Exclusion(no, agent));
        if let Some(at) = waived {
            deadlines.remove(at, Due::Waive(no));
        }
        deadlines.add(waive_at, Due::Waive(no));
    }

    /// Ends one exclusion, if there is one.
    pub(crate) fn include(&mut self, no: ConvNo, agent: AgentNo) {
        let conversation = self.conv_mut(no);
        let Some(position) = conversation.excluded.iter().position(|(excluded, _)| *excluded == agent) else {
            return;
        };
        let (_, until) = conversation.excluded.remove(position);
        let waits = conversation.state == State::Waiting;
        self.index.0.deadlines.remove(until, Due::Exclusion(no, agent));
        if waits {
            self.mark_excluded(no, agent, false);
            self.dirty.conversation(no);
        }
    }

    /// Ends all exclusions of a conversation.
    pub(crate) fn clear_exclusions(&mut self, no: ConvNo) {
        while let Some((agent, _)) = self.conv(no).excluded.last().copied() {
            self.include(no, agent);
        }
        if let Some(at) = self.conv_mut(no).waive_at.take() {
            self.index.0.deadlines.remove(at, Due::Waive(no));
        }
    }

    /// Drops the exclusions of a conversation when they leave nobody.
    pub(crate) fn waive_exclusions(&mut self, no: ConvNo) {
        self.conv_mut(no).waive_at = None;
        let conversation = self.conv(no);
        let channel = 1u8 << conversation.channel as u8;
        let somebody = match conversation.place {
            PlaceKind::Dedicated(agent) => self.agents.get(agent.0).is_some_and(|dedicated| {
                dedicated.takes_offers()
                    && dedicated.settings.channels.contains(conversation.channel)
                    && !conversation.is_excluded(agent)
            }),
            PlaceKind::Queues if !conversation.named().is_empty() => {
                conversation.named().iter().any(|named| {
                    self.agents.get(named.0).is_some_and(|agent| {
                        agent.takes_offers()
                            && agent.settings.channels.contains(conversation.channel)
                            && !conversation.is_excluded(*named)
                    })
                })
            }
            PlaceKind::Queues | PlaceKind::Inbox => conversation.queues.iter().any(|queue| {
                let Some(queue) = self.queues.get(queue.0).filter(|queue| self.serves(queue)) else {
                    return false;
                };
                let mut after = None;
                let mut visited = 0;
                let ready = &queue.index.0.ready;
                while let Some(key) =
                    ready.find(after.as_ref(), &|open| open.handled & channel != 0, &mut visited)
                {
                    let meets = self.agent(key.agent).meets(conversation.required());
                    if meets && !conversation.is_excluded(key.agent) {
                        return true;
                    }
                    after = Some(key);
                }
                false
            }),
        };
        if !somebody {
            self.clear_exclusions(no);
        }
    }
}
