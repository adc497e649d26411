//! `ctl channel-rules`: what agents are not offered while they work on something else.

mod words;

pub(super) use words::line;

use super::client::{Client, mutation};
use super::get;
use super::json::from_json;
use super::output::{Output, table};
use crate::failure::{Failure, Kind};
use proto::v1;
use proto::v1::admin_client::AdminClient;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl channel-rules dom_1
  centralita ctl channel-rules dom_1 --rule 'block chat,sms during voice' --rule 'allow sms during voice'
  centralita ctl channel-rules dom_1 --rule 'block all during voice' --rule 'block chat during chat'
  centralita ctl --json channel-rules dom_1 > rules.json
  centralita ctl channel-rules dom_2 --file rules.json
  centralita ctl channel-rules dom_1 --none

A rule is block CHANNELS during CHANNELS, or allow CHANNELS during CHANNELS: names with commas between,
or all. While an agent works on something of the second, that is, has an offer, a contact or a wrap-up
that holds points, it is not offered the first. Of the rules about a channel and one that is worked on
the last one decides; where there is none, it is allowed. A channel may block itself.
What is given replaces all rules of the domain. What agents have and what rings is left to them.";

/// Shows a domain's rules between channels, or replaces them.
#[derive(Debug, clap::Args)]
pub(super) struct ChannelRules {
    /// Whose.
    domain: String,
    /// A rule in words; of those about the same channels the last one decides. Several: given again.
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
    /// Rules as JSON, as `ctl --json channel-rules` prints them.
    #[arg(long, value_name = "FILE", conflicts_with = "rules")]
    file: Option<PathBuf>,
    /// Takes all of them away.
    #[arg(long, conflicts_with_all = ["rules", "file"])]
    none: bool,
}

impl ChannelRules {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let Some(rules) = self.wanted()? else {
            let rules = get::domain(client, &self.domain).await?.channel_rules.unwrap_or_default();
            return out.print("ChannelRules", &rules, |rules| shown(&self.domain, rules));
        };
        let (domain, rules) = (self.domain, Some(rules));
        let request = v1::SetChannelRulesRequest { mutation: mutation(), supervisor, domain, rules };
        let call =
            || async { AdminClient::new(client.channel.clone()).set_channel_rules(request.clone()).await };
        out.done(&client.call(call).await?)
    }

    /// The rules that are given; none: to be shown.
    fn wanted(&self) -> Result<Option<v1::ChannelRules>, Failure> {
        if let Some(file) = &self.file {
            let unreadable =
                |error| Failure::new(Kind::Config, format!("{} cannot be read: {error}", file.display()));
            return from_json("ChannelRules", &std::fs::read_to_string(file).map_err(unreadable)?).map(Some);
        }
        if self.none {
            return Ok(Some(v1::ChannelRules::default()));
        }
        let rule = |(place, text): (usize, &String)| {
            words::rule(text).map_err(|bad| {
                Failure::new(Kind::Config, format!("rule {} ('{text}'): {bad}", place + 1))
                    .remedy("`centralita ctl channel-rules --help` says what rules look like")
            })
        };
        let rules: Vec<_> = self.rules.iter().enumerate().map(rule).collect::<Result<_, _>>()?;
        Ok((!rules.is_empty()).then_some(v1::ChannelRules { rules }))
    }
}

/// A domain's rules as a table.
fn shown(domain: &str, rules: &v1::ChannelRules) -> String {
    if rules.rules.is_empty() {
        return format!("{domain} has no rules between channels: everything is allowed");
    }
    let mut table = table(["RULE", "SAYS"]);
    let numbered = rules.rules.iter().zip(1..);
    table.add_rows(numbered.map(|(rule, number): (_, u32)| [number.to_string(), words::written(rule)]));
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::json::to_json;
    use super::*;

    fn given(rules: &[&str]) -> ChannelRules {
        let rules = rules.iter().map(ToString::to_string).collect();
        ChannelRules { domain: "dom_1".into(), rules, file: None, none: false }
    }

    #[test]
    fn which_rule_is_wrong_is_said() {
        assert_eq!(given(&[]).wanted(), Ok(None));
        let wanted = given(&["block chat during voice", "allow fax during voice"]).wanted();
        let failure = wanted.expect_err("no such channel");
        let said = "rule 2 ('allow fax during voice'): before `during`: 'fax' is not a channel";
        assert!(failure.message.starts_with(said), "{failure}");
        let none = ChannelRules { none: true, ..given(&[]) };
        assert_eq!(none.wanted(), Ok(Some(v1::ChannelRules::default())));
    }

    #[test]
    fn all_of_it_is_shown_and_its_json_can_be_given_back() {
        let all = ["block chat,sms during voice", "allow sms during voice"];
        let rules = given(&all).wanted().expect("well formed").expect("some");
        let said = shown("dom_1", &rules);
        assert!(all.iter().all(|rule| said.contains(rule)), "{said}");
        assert!(shown("dom_1", &v1::ChannelRules::default()).contains("no rules between channels"));
        let json = to_json("ChannelRules", &rules).expect("known");
        assert_eq!(from_json::<v1::ChannelRules>("ChannelRules", &json.to_string()), Ok(rules));
    }
}
