//! Rules between channels in words, as people write them and as they are shown.

use proto::v1;
use proto::v1::channel_rule::Effect;
use routing::{Channel, ChannelSet};

const RULE: &str = "a rule looks like `block chat,sms during voice`";
/// Every channel.
const ALL: &str = "all";

/// The error says which part is wrong, and what would be right.
type Parsed<T> = Result<T, String>;

/// Reads `block CHANNELS during CHANNELS`, or `allow` ...
pub(super) fn rule(text: &str) -> Parsed<v1::ChannelRule> {
    let mut words = text.split_whitespace();
    let effect = match words.next() {
        Some("block") => Effect::Block,
        Some("allow") => Effect::Allow,
        Some(other) => return Err(format!("'{other}' should be `block` or `allow`: {RULE}")),
        None => return Err(format!("is empty: {RULE}")),
    };
    let rest: Vec<&str> = words.collect();
    let Some(at) = rest.iter().position(|word| *word == "during") else {
        return Err(format!("`during` is missing: {RULE}"));
    };
    Ok(v1::ChannelRule {
        effect: effect.into(),
        channels: channels(&rest[..at]).map_err(|bad| format!("before `during`: {bad}"))?,
        during: channels(&rest[at + 1..]).map_err(|bad| format!("after `during`: {bad}"))?,
    })
}

/// Reads channels with commas between, or `all`.
fn channels(words: &[&str]) -> Parsed<Vec<i32>> {
    if words.is_empty() {
        return Err(format!("no channel: name them with commas between, or say `{ALL}`"));
    }
    let joined = words.concat();
    if joined == ALL {
        return Ok(codes(ChannelSet::ALL));
    }
    // Without a comma two words are not one channel.
    if let Some(pair) = words.windows(2).find(|pair| !pair[0].ends_with(',') && !pair[1].starts_with(',')) {
        return Err(format!("'{}' is too much after '{}': put a comma between", pair[1], pair[0]));
    }
    let channel = |name: &str| name.parse::<Channel>().map_err(|bad| bad.to_string());
    joined.split(',').map(channel).collect::<Parsed<ChannelSet>>().map(codes)
}

fn codes(set: ChannelSet) -> Vec<i32> {
    set.iter().map(crate::convert::scalar::channel_code).collect()
}

/// A rule as it is written.
pub(super) fn written(rule: &v1::ChannelRule) -> String {
    let effect = match rule.effect() {
        Effect::Block => "block",
        Effect::Allow => "allow",
        // Of a newer build.
        Effect::Unspecified => "?",
    };
    format!("{effect} {} during {}", names(&rule.channels), names(&rule.during))
}

fn names(codes: &[i32]) -> String {
    let name = |code: &i32| {
        let channel = crate::convert::scalar::channel("channel", *code);
        channel.map_or_else(|_| code.to_string(), |channel| channel.to_string())
    };
    if codes.len() == Channel::ALL.len() {
        return ALL.to_owned();
    }
    codes.iter().map(name).collect::<Vec<_>>().join(",")
}

/// All rules in one line; none: `none`.
pub(in crate::commands::ctl) fn line(rules: Option<&v1::ChannelRules>) -> String {
    let all: Vec<String> = rules.iter().flat_map(|rules| &rules.rules).map(written).collect();
    if all.is_empty() { "none".to_owned() } else { all.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_given_back() {
        for text in [
            "block chat,sms during voice",
            "allow sms during voice,chat,digital_connect",
            "block all during voice",
            "block voice during all",
        ] {
            let parsed = rule(text).expect(text);
            assert_eq!(written(&parsed), text);
        }
        for (text, shown) in [
            ("  block  sms , chat,sms during  voice ", "block chat,sms during voice"),
            ("block sms, chat ,email during voice", "block chat,sms,email during voice"),
            (
                "allow voice,chat,sms,email,whatsapp,messenger,digital_connect during voice",
                "allow all during voice",
            ),
        ] {
            assert_eq!(written(&rule(text).expect(text)), shown);
        }
        let both = v1::ChannelRules {
            rules: vec![rule("block chat during voice").unwrap(), rule("allow chat during voice").unwrap()],
        };
        assert_eq!(line(Some(&both)), "block chat during voice; allow chat during voice");
        assert_eq!(line(None), "none");
    }

    #[test]
    fn what_is_wrong_says_where_and_what_would_be_right() {
        for (text, said) in [
            ("", "is empty: a rule looks like"),
            ("blok chat during voice", "'blok' should be `block` or `allow`"),
            ("block chat", "`during` is missing: a rule looks like"),
            ("block during voice", "before `during`: no channel"),
            ("block chat during", "after `during`: no channel"),
            ("block fax during voice", "before `during`: 'fax' is not a channel: use voice, chat"),
            ("block chat, during voice", "before `during`: '' is not a channel"),
            ("block chat sms during voice", "before `during`: 'sms' is too much after 'chat'"),
            ("block chat during voice now", "after `during`: 'now' is too much after 'voice'"),
            ("block all,chat during voice", "before `during`: 'all' is not a channel"),
        ] {
            let bad = rule(text).expect_err(text);
            assert!(bad.starts_with(said), "{text}: {bad}");
        }
    }
}
