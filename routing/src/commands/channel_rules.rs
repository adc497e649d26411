//! `SetChannelRules`: what agents are not offered while they work on something else.

use super::checks::{Answered, done, invalid, supervisors_only};
use super::update_domain::look_at_lines;
use crate::blocks::ChannelRule;
use crate::blocks::limits::CHANNEL_RULES_MAX;
use crate::command::By;
use crate::domain::{AgentNo, Blocks, Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::{ChannelSet, Rejected};

pub(super) fn set(domain: &mut Domain, cx: &mut Cx<'_>, rules: &[ChannelRule], by: &By) -> Answered {
    domain.caller(by)?;
    check(rules)?;
    supervisors_only(by)?;
    let answer = done(DoneWhat::Ok, Subject::Domain(domain.id));
    if *domain.channel_rules == *rules {
        return answer;
    }
    for holder in domain.index.0.holders.clone() {
        domain.end_hold(holder);
    }
    domain.put_channel_rules(rules.to_vec());
    let after = Blocks::new(rules);
    let before = std::mem::replace(&mut domain.index.0.blocks, after);
    let changed = before.differs_during(after);
    let concerned = domain.agents.iter().filter(|agent| agent.works_on().0 & changed.0 != 0);
    let concerned: Vec<AgentNo> = concerned.map(|agent| agent.no).collect();
    for agent in concerned {
        domain.refresh(agent);
    }
    // What they have and what rings is theirs to keep; what waits may be for them now.
    for channel in before.without(after).iter() {
        look_at_lines(domain, channel as u8);
    }
    domain.emit(cx, EventKind::ChannelRulesChanged { rules: rules.to_vec(), by: by.clone() });
    answer
}

fn check(rules: &[ChannelRule]) -> Result<(), Rejected> {
    if rules.len() > CHANNEL_RULES_MAX {
        return invalid("rules", format!("{} rules, at most {CHANNEL_RULES_MAX} are kept", rules.len()));
    }
    for (place, rule) in rules.iter().enumerate() {
        for (name, set) in [("channels", rule.channels), ("during", rule.during)] {
            if set.0 == 0 || set.0 & !ChannelSet::ALL.0 != 0 {
                return invalid(
                    &format!("rules.rules[{place}].{name}"),
                    "name at least one channel, known ones",
                );
            }
        }
    }
    Ok(())
}
