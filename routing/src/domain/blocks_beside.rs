//! What is stored of rules between channels beside a domain, from level 8 on.

use super::Domain;
use crate::blocks::ChannelRule;

impl Domain {
    /// The rules between channels, if there are any.
    pub(crate) fn ruled(&self) -> Option<&[ChannelRule]> {
        Some(&*self.channel_rules).filter(|rules| !rules.is_empty())
    }

    /// Puts them in their place; the domain is indexed after it.
    pub(crate) fn put_channel_rules(&mut self, rules: Vec<ChannelRule>) {
        self.channel_rules = rules.into();
    }
}
