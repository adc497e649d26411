//! A domain's rules between channels, made quick: for each channel that is worked on, what it blocks.

use crate::blocks::{ChannelRule, Effect};
use crate::{Channel, ChannelSet};

/// By the channel that is worked on, the channels that it blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Blocks([u8; 7]);

impl Blocks {
    /// Of the rules about a pair of channels the last one decides.
    pub(crate) fn new(rules: &[ChannelRule]) -> Self {
        let mut blocks = Self::default();
        for rule in rules {
            for during in rule.during.iter() {
                let blocked = &mut blocks.0[during.index()];
                match rule.effect {
                    Effect::Block => *blocked |= rule.channels.0 & ChannelSet::ALL.0,
                    Effect::Allow => *blocked &= !rule.channels.0,
                }
            }
        }
        blocks
    }

    /// Whether nothing blocks anything, as in most domains.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// What is blocked for somebody who works on these channels.
    pub(crate) fn of(self, worked_on: ChannelSet) -> u8 {
        worked_on.iter().fold(0, |blocked, during| blocked | self.0[during.index()])
    }

    /// The first of the channels worked on that blocks this one.
    pub(crate) fn by(self, channel: Channel, worked_on: ChannelSet) -> Option<Channel> {
        worked_on.iter().find(|during| self.0[during.index()] & 1 << channel as u8 != 0)
    }

    /// The channels that block something else by other rules.
    pub(crate) fn differs_during(self, other: Self) -> ChannelSet {
        Channel::ALL.into_iter().filter(|during| self.0[during.index()] != other.0[during.index()]).collect()
    }

    /// The channels that these rules block where the other ones do not.
    pub(crate) fn without(self, other: Self) -> ChannelSet {
        ChannelSet(self.0.iter().zip(other.0).fold(0, |lost, (mine, others)| lost | mine & !others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(effect: Effect, channels: &[Channel], during: &[Channel]) -> ChannelRule {
        let set = |some: &[Channel]| some.iter().copied().collect();
        ChannelRule { effect, channels: set(channels), during: set(during) }
    }

    #[test]
    fn of_the_rules_about_a_pair_the_last_one_decides() {
        use Channel::{Chat, Email, Sms, Voice};
        let rules = [
            rule(Effect::Block, &[Chat, Sms, Voice], &[Voice, Chat]),
            rule(Effect::Allow, &[Sms], &[Voice]),
            rule(Effect::Allow, &[Chat], &[Voice, Email]),
            rule(Effect::Block, &[Chat], &[Voice]),
        ];
        let blocks = Blocks::new(&rules);
        for channel in Channel::ALL {
            for during in Channel::ALL {
                let worked_on = ChannelSet::default().with(during);
                let naive = crate::blocks::blocked_by(&rules, channel, [during]);
                assert_eq!(blocks.by(channel, worked_on), naive, "{channel} during {during}");
                assert_eq!(blocks.of(worked_on) & 1 << channel as u8 != 0, naive.is_some());
            }
        }
        let blocked = |channel, during: &[Channel]| blocks.by(channel, during.iter().copied().collect());
        assert_eq!(blocked(Chat, &[Voice]), Some(Voice), "blocked again at last");
        assert_eq!(blocked(Sms, &[Voice]), None, "allowed by a later rule");
        assert_eq!(blocked(Sms, &[Voice, Chat]), Some(Chat), "one that is worked on is enough");
        assert_eq!(blocked(Voice, &[Voice]), Some(Voice), "by itself");
        assert_eq!(blocked(Email, &[Voice, Chat]), None, "no rule: allowed");
        assert_eq!(blocks.of(ChannelSet::default()), 0, "who does nothing may have anything");
        let fewer = Blocks::new(&rules[..3]);
        assert_eq!(blocks.differs_during(fewer), ChannelSet::default().with(Voice));
        assert_eq!(blocks.without(fewer), ChannelSet::default().with(Chat));
        assert_eq!(fewer.without(blocks), ChannelSet::default());
    }
}
