//! Rules between channels, as they were told, and what they keep from whom.

use super::entities::{Agent, Work};
use super::model::ChannelRule;
use routing::Channel;

/// The rules of a domain.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Absent until they are told, where the history began late.
    rules: Option<Vec<ChannelRule>>,
    /// The event that told them last.
    told: usize,
}

/// Whether an agent may be offered a channel by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may.
    Open,
    /// It may not.
    Shut,
    /// It may not, since after the conversation came to wait: room may have been held for that before, and is held on.
    ShutSince,
}

impl Blocks {
    /// Before anything is told: none, if the history is whole.
    pub(super) fn new(whole: bool) -> Self {
        Self { rules: whole.then(Vec::new), told: 0 }
    }

    /// They are others from this event on.
    pub(super) fn tell(&mut self, rules: &[ChannelRule], now: usize) {
        self.rules = Some(rules.to_vec());
        self.told = now;
    }

    fn blocks(&self, during: Channel, channel: Channel) -> bool {
        let about = |rule: &&ChannelRule| rule.channels.contains(&channel) && rule.during.contains(&during);
        self.rules.iter().flatten().rfind(about).is_some_and(|rule| rule.blocks)
    }

    /// What of an agent's work blocks a channel: not a wrap-up that holds no points.
    fn blocking<'a>(&'a self, agent: &'a Agent, channel: Channel) -> impl Iterator<Item = &'a Work> {
        let works = agent.work().filter(|work| work.points > 0);
        works.filter(move |work| work.channel.is_some_and(|during| self.blocks(during, channel)))
    }

    /// A channel that the agent certainly works on and that blocks this one. How many points a wrap-up holds is known
    /// while the settings are.
    pub(super) fn by(&self, agent: &Agent, channel: Channel, settings_known: bool) -> Option<Channel> {
        let certain = self.blocking(agent, channel).find(|work| settings_known || !work.wrapping);
        certain.and_then(|work| work.channel)
    }

    /// Whether the agent may be offered a channel, for a conversation that waits since that event.
    pub(super) fn gate(&self, agent: &Agent, channel: Channel, waits_since: Option<usize>) -> Gate {
        if self.rules.is_none() && agent.work().next().is_some() {
            return Gate::Shut;
        }
        let Some(since) = self.blocking(agent, channel).map(|work| work.since).min() else {
            return Gate::Open;
        };
        // With other rules all holds end, and none is begun for what is blocked.
        let held = waits_since.is_some_and(|waits_since| waits_since < since) && since > self.told;
        if held { Gate::ShutSince } else { Gate::Shut }
    }
}
