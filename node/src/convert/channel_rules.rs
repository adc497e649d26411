//! Rules between channels: both ways, and in events.

use super::Read;
use super::scalar::{channel, channel_code};
use crate::problem::Problem;
use proto::v1;
use proto::v1::channel_rule::Effect as Wire;
use routing::ChannelSet;
use routing::blocks::{ChannelRule, Effect};
use serde_json::{Value, json};

/// Reads rules that must be there.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_required(rules: Option<v1::ChannelRules>) -> Read<Vec<ChannelRule>> {
    let missing = || Problem::field("rules", "is required: without rules, everything is allowed");
    let rules = rules.ok_or_else(missing)?.rules;
    rules.iter().enumerate().map(|(place, rule)| read_rule(&format!("rules.rules[{place}]"), rule)).collect()
}

fn read_rule(field: &str, rule: &v1::ChannelRule) -> Read<ChannelRule> {
    let effect = match Wire::try_from(rule.effect) {
        Ok(Wire::Block) => Effect::Block,
        Ok(Wire::Allow) => Effect::Allow,
        Ok(Wire::Unspecified) | Err(_) => {
            return Err(Problem::field(
                format!("{field}.effect"),
                "is required: EFFECT_BLOCK or EFFECT_ALLOW",
            ));
        }
    };
    let set = |name: &str, codes: &[i32]| {
        let one = |(place, code): (usize, &i32)| channel(&format!("{field}.{name}[{place}]"), *code);
        codes.iter().enumerate().map(one).collect::<Read<ChannelSet>>()
    };
    Ok(ChannelRule {
        effect,
        channels: set("channels", &rule.channels)?,
        during: set("during", &rule.during)?,
    })
}

/// Writes rules; none where there are none.
#[must_use]
pub fn write(rules: &[ChannelRule]) -> Option<v1::ChannelRules> {
    let rules: Vec<_> = rules.iter().map(write_rule).collect();
    (!rules.is_empty()).then_some(v1::ChannelRules { rules })
}

fn write_rule(rule: &ChannelRule) -> v1::ChannelRule {
    let codes = |set: ChannelSet| set.iter().map(channel_code).collect();
    v1::ChannelRule {
        effect: effect(rule.effect).into(),
        channels: codes(rule.channels),
        during: codes(rule.during),
    }
}

fn effect(effect: Effect) -> Wire {
    match effect {
        Effect::Block => Wire::Block,
        Effect::Allow => Wire::Allow,
    }
}

/// Rules in events, as the message of that name in the API.
pub(super) fn fields(rules: &[ChannelRule]) -> Value {
    let name = |channel| v1::Channel::try_from(channel_code(channel)).unwrap_or_default().as_str_name();
    let names = |set: ChannelSet| set.iter().map(name).collect::<Value>();
    let rule = |rule: &ChannelRule| {
        json!({
            "effect": effect(rule.effect).as_str_name(),
            "channels": names(rule.channels), "during": names(rule.during),
        })
    };
    rules.iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::Channel;

    fn rule(effect: Effect, channels: &[Channel], during: &[Channel]) -> ChannelRule {
        let set = |some: &[Channel]| some.iter().copied().collect();
        ChannelRule { effect, channels: set(channels), during: set(during) }
    }

    #[test]
    fn all_of_it_round_trips() {
        let rules = vec![
            rule(Effect::Block, &[Channel::Chat, Channel::Sms], &[Channel::Voice]),
            rule(Effect::Allow, &Channel::ALL, &[Channel::DigitalConnect]),
        ];
        assert_eq!(read_required(write(&rules)), Ok(rules));
        assert_eq!(write(&[]), None);
        assert_eq!(read_required(Some(v1::ChannelRules::default())), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        let good = v1::ChannelRule { effect: Wire::Block.into(), channels: vec![2], during: vec![1] };
        let field = |bad: v1::ChannelRule| {
            let rules = vec![good.clone(), bad];
            read_required(Some(v1::ChannelRules { rules })).expect_err("wrong").field.expect("named")
        };
        assert_eq!(field(v1::ChannelRule { effect: 0, ..good.clone() }), "rules.rules[1].effect");
        assert_eq!(field(v1::ChannelRule { effect: 3, ..good.clone() }), "rules.rules[1].effect");
        let channels = vec![2, 0];
        assert_eq!(field(v1::ChannelRule { channels, ..good.clone() }), "rules.rules[1].channels[1]");
        assert_eq!(field(v1::ChannelRule { during: vec![8], ..good.clone() }), "rules.rules[1].during[0]");
        assert_eq!(read_required(None).expect_err("missing").field.as_deref(), Some("rules"));
    }

    #[test]
    fn events_name_them_as_the_api_does() {
        let rules = [rule(Effect::Block, &[Channel::Chat, Channel::DigitalConnect], &[Channel::Voice])];
        let wanted = json!([{
            "effect": "EFFECT_BLOCK",
            "channels": ["CHANNEL_CHAT", "CHANNEL_DIGITAL_CONNECT"],
            "during": ["CHANNEL_VOICE"],
        }]);
        assert_eq!(fields(&rules), wanted);
    }
}
