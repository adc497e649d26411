//! Rules between channels: what an agent is not offered while it works on something else. A value of the
//! domain, from level 8 on. docs/routing/channel-rules.md has an example; docs/routing/RULES.md is exact.

use crate::{Channel, ChannelSet};
use serde::{Deserialize, Serialize};

/// Bounds of a domain's rules between channels.
pub mod limits {
    /// Rules of one domain.
    pub const CHANNEL_RULES_MAX: usize = 32;
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// The channels are blocked.
    Block,
    /// They are not, whatever rules before it say.
    Allow,
}

/// One rule: while an agent works on something of `during`, what comes by `channels` is blocked or allowed.
///
/// Of the rules for a channel and one that is worked on the last one decides; where there is none it is allowed. An
/// agent works on what it is offered, what it has, and what it wraps up while that holds points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelRule {
    /// What it does.
    pub effect: Effect,
    /// To what; at least one channel.
    pub channels: ChannelSet,
    /// While the agent works on one of these; at least one.
    pub during: ChannelSet,
}

/// The first channel worked on that blocks another by these rules: read naively, for pictures and checks.
#[must_use]
pub fn blocked_by(
    rules: &[ChannelRule],
    channel: Channel,
    worked_on: impl IntoIterator<Item = Channel>,
) -> Option<Channel> {
    let blocks = |during: &Channel| {
        let about = |rule: &&ChannelRule| rule.channels.contains(channel) && rule.during.contains(*during);
        rules.iter().rfind(about).is_some_and(|rule| rule.effect == Effect::Block)
    };
    worked_on.into_iter().filter(blocks).min()
}
