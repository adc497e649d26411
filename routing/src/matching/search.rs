//! The best conversation for an agent: heads of the lines of its queues.

use crate::LogTime;
use crate::domain::keys::{Line, RankKey};
use crate::domain::{Agent, AgentNo, ConvNo, Domain, QueueNo};

impl Domain {
    /// The best-ranked waiting conversation that the agent could take now.
    pub(crate) fn best_for(&self, no: AgentNo, visited: &mut u64) -> Option<RankKey> {
        let agent = self.agents.get(no.0)?;
        let listed = agent.index.0.listed?;
        let channels = agent.open_channels() & self.index.0.fits[usize::from(agent.free())];
        let best = self.best_of_lines(agent, channels, visited)?;
        match listed.bar {
            Some(bar) if best > bar => None,
            _ => Some(best),
        }
    }

    /// What the agent should hold its room for rather than take the conversation of this rank.
    pub(crate) fn hold_instead(
        &self,
        now: LogTime,
        no: AgentNo,
        key: RankKey,
        visited: &mut u64,
    ) -> Option<ConvNo> {
        let agent = self.agent(no);
        if self.settings.hold_max.0 == 0 || agent.hold.is_some() {
            return None;
        }
        let fits = &self.index.0.fits;
        let too_big = fits[usize::from(agent.settings.capacity.0)] & !fits[usize::from(agent.free())];
        let better = self.best_of_lines(agent, agent.open_channels() & too_big, visited)?;
        let wanted = self.conv(better.conversation);
        let may = wanted.held_by.is_none() && wanted.hold_until.is_none_or(|until| until > now);
        (better < key && may).then_some(better.conversation)
    }

    /// The best-ranked conversation of these channels in the agent's lines from which it is not
    /// excluded.
    fn best_of_lines(&self, agent: &Agent, channels: u8, visited: &mut u64) -> Option<RankKey> {
        if channels == 0 {
            return None;
        }
        let mut best: Option<RankKey> = None;
        let excluded = &agent.index.0.excluded;
        let mut consider = |queue: QueueNo, channel: u8, line: &Line| {
            *visited += 1;
            let head = if excluded.is_empty() {
                line.first()
            } else if let Some(without) = excluded.get(&(queue, channel)) {
                line.first_without(without, visited)
            } else {
                line.first()
            };
            if let Some(head) = head
                && best.is_none_or(|best| head < best)
            {
                best = Some(head);
            }
        };
        for (channel, line) in &agent.index.0.dedicated {
            if channels & (1 << channel) != 0 {
                consider(QueueNo(0), *channel, line);
            }
        }
        for no in &agent.index.0.queues {
            let queue = self.queue(*no);
            let mut waiting = queue.index.0.channels & channels;
            if queue.paused {
                continue;
            }
            while waiting != 0 {
                #[expect(clippy::cast_possible_truncation, reason = "below 7")]
                let channel = waiting.trailing_zeros() as u8;
                waiting &= waiting - 1;
                consider(*no, channel, &queue.index.0.lines[usize::from(channel)]);
            }
        }
        best
    }
}
