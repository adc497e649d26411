//! The best conversation for an agent: heads of the lines of its queues.

use crate::LogTime;
use crate::domain::keys::{Line, RankKey};
use crate::domain::skills::ClassNo;
use crate::domain::{Agent, AgentNo, ConvNo, Domain, QueueNo};

impl Domain {
    /// The best-ranked waiting conversation that the agent could take now.
    pub(crate) fn best_for(&self, no: AgentNo, visited: &mut u64) -> Option<RankKey> {
        let agent = self.agents.get(no.0)?;
        let listed = agent.index.0.listed?;
        let channels = agent.open_channels(self.blocks()) & self.index.0.fits[usize::from(agent.free())];
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
        let better = self.best_of_lines(agent, agent.open_channels(self.blocks()) & too_big, visited)?;
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
        let better = |head: RankKey, best: Option<RankKey>| best.is_none_or(|best| head < best);
        for (channel, line) in &agent.index.0.dedicated {
            if channels & (1 << channel) != 0 {
                let head = first_for(agent, (QueueNo(0), *channel, ClassNo::PLAIN), line, visited);
                best = head.filter(|head| better(*head, best)).or(best);
            }
        }
        for no in &agent.index.0.queues {
            let queue = self.queue(*no);
            let mut waiting = queue.index.0.channels & channels;
            if !self.serves(queue) {
                continue;
            }
            while waiting != 0 {
                #[expect(clippy::cast_possible_truncation, reason = "below 7")]
                let channel = waiting.trailing_zeros() as u8;
                waiting &= waiting - 1;
                let set = &queue.index.0.lines[usize::from(channel)];
                if let Some(plain) = set.line(ClassNo::PLAIN) {
                    let head = first_for(agent, (*no, channel, ClassNo::PLAIN), plain, visited);
                    best = head.filter(|head| better(*head, best)).or(best);
                }
                // What follows a head that is not better is not either.
                for (head, class) in set.heads() {
                    if !better(head, best) {
                        break;
                    }
                    *visited += 1;
                    if !agent.meets(self.index.0.classes.required(class)) {
                        continue;
                    }
                    let Some(line) = set.line(class) else { continue };
                    let own = first_for(agent, (*no, channel, class), line, visited);
                    best = own.filter(|own| better(*own, best)).or(best);
                    if own == Some(head) {
                        break;
                    }
                }
            }
        }
        best
    }
}

/// The first of a line from which an agent is not excluded.
fn first_for(
    agent: &Agent,
    line_no: (QueueNo, u8, ClassNo),
    line: &Line,
    visited: &mut u64,
) -> Option<RankKey> {
    *visited += 1;
    let excluded = &agent.index.0.excluded;
    if excluded.is_empty() {
        return line.first();
    }
    match excluded.get(&line_no) {
        Some(without) => line.first_without(without, visited),
        None => line.first(),
    }
}
