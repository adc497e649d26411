//! What agents are not offered while they work on something else: "Rules between channels" of the rules.

use super::Did;
use super::state::{Dom, invalid, not_allowed};
use routing::blocks::{ChannelRule, Effect};
use routing::command::By;
use routing::event::Subject;
use routing::outcome::DoneWhat;
use routing::{AgentId, Channel, EventKind};

impl Dom {
    pub fn set_channel_rules(&mut self, rules: Vec<ChannelRule>, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        if rules.len() > 32 || rules.iter().any(|rule| !is_sound(rule)) {
            return Err(invalid("rules"));
        }
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        if rules != self.channel_rules {
            self.channel_rules.clone_from(&rules);
            for person in self.people.values_mut() {
                person.holds = None;
            }
            self.emit(EventKind::ChannelRulesChanged { rules, by });
        }
        Ok((DoneWhat::Ok, Subject::Domain(self.id)))
    }

    /// The first channel that the agent works on and that blocks this one.
    pub fn what_blocks(&self, agent: AgentId, channel: Channel) -> Option<Channel> {
        Channel::ALL.into_iter().find(|on| self.works_on(agent, *on) && self.blocks(*on, channel))
    }

    fn works_on(&self, agent: AgentId, channel: Channel) -> bool {
        self.convs.values().filter(|c| c.channel == channel).any(|c| {
            let holds = c.stage.owner() == Some(agent) && c.weight.0 > 0;
            holds || c.offer_to(agent).is_some()
        })
    }

    fn blocks(&self, on: Channel, channel: Channel) -> bool {
        let mut blocked = false;
        for rule in &self.channel_rules {
            if rule.during.contains(on) && rule.channels.contains(channel) {
                blocked = rule.effect == Effect::Block;
            }
        }
        blocked
    }
}

fn is_sound(rule: &ChannelRule) -> bool {
    [rule.channels, rule.during].iter().all(|set| (1..=0x7f).contains(&set.0))
}
