//! `ctl policy`: what a queue does with those who wait, and how its service goes.

mod parse;
mod words;

pub(super) use words::{level, standing, under};

use super::client::{Client, mutation};
use super::get;
use super::json::from_json;
use super::output::{Output, facts, seconds, table};
use crate::failure::{Failure, Kind};
use proto::v1;
use proto::v1::supervisor_client::SupervisorClient;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl policy queue_1_1
  centralita ctl policy queue_1_1 --service '80% in 20s' \\
      --rule '0s when open < 1 then close \"we are closed\"' \\
      --rule '0s when signed_on < 1 then move queue_1_2' \\
      --rule '20s when position >= 3 and available of queue_1_3 >= 1 then add queue_1_3' \\
      --rule '60s then priority 9' \\
      --rule '10m when available < 1 then close \"nobody is free\"'
  centralita ctl --json policy queue_1_1 | jq .policy > policy.json
  centralita ctl policy queue_1_2 --file policy.json
  centralita ctl policy queue_1_1 --none

A rule is AFTER [when CONDITION [and CONDITION]...] then ACTION. It is decided once, so long after
the conversation began to wait in the queue:
  AFTER      0s (on the way in), 500ms, 20s, 2m, 1h; no rule is earlier than the one before it
  CONDITION  MEASURE [of QUEUE] < N, or >= N; the measures are
               signed_on      agents of the queue with a live session
               available      those of them that take offers
               waiting        conversations in the queue, this one not counted
               position       this one's place in the line, from 1
               service_level  percent of the last 15 minutes
               open           1 while its opening hours last (always without any), else 0
  ACTION     priority N | add QUEUE | move QUEUE | inbox | send TOUCHPOINT | close \"REASON\" | callback
What is given replaces the whole policy. Those who wait keep the version that they stand under.";

/// Shows a queue's policy and how its service goes, or replaces the policy.
#[derive(Debug, clap::Args)]
pub(super) struct Policy {
    /// Whose.
    queue: String,
    /// A rule in words, in the order of their times. Several: given again.
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
    /// What its service is measured by, for example '80% in 20s'.
    #[arg(long, value_name = "N% in TIME")]
    service: Option<String>,
    /// A policy as JSON, as `ctl --json policy` prints it under "policy".
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rules", "service"])]
    file: Option<PathBuf>,
    /// Takes it away.
    #[arg(long, conflicts_with_all = ["rules", "service", "file"])]
    none: bool,
}

impl Policy {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let Some(policy) = self.wanted()? else {
            let queue = get::queue(client, &self.queue).await?;
            let state = queue.policy.unwrap_or_default();
            return out.print("PolicyState", &state, |state| shown(&self.queue, state));
        };
        let (queue, policy) = (self.queue, Some(policy));
        let request = v1::SetPolicyRequest { mutation: mutation(), supervisor, queue, policy };
        let call =
            || async { SupervisorClient::new(client.channel.clone()).set_policy(request.clone()).await };
        out.done(&client.call(call).await?)
    }

    /// The policy that is given; none: to be shown.
    fn wanted(&self) -> Result<Option<v1::Policy>, Failure> {
        if let Some(file) = &self.file {
            let unreadable =
                |error| Failure::new(Kind::Config, format!("{} cannot be read: {error}", file.display()));
            return from_json("Policy", &std::fs::read_to_string(file).map_err(unreadable)?).map(Some);
        }
        if self.none {
            return Ok(Some(v1::Policy::default()));
        }
        if self.rules.is_empty() && self.service.is_none() {
            return Ok(None);
        }
        let rule = |(place, text): (usize, &String)| {
            parse::rule(text).map_err(|bad| wrong(&format!("rule {} ('{text}')", place + 1), &bad))
        };
        let target = |text: &String| parse::target(text).map_err(|bad| wrong("--service", &bad));
        Ok(Some(v1::Policy {
            rules: self.rules.iter().enumerate().map(rule).collect::<Result<_, _>>()?,
            target: self.service.as_ref().map(target).transpose()?,
        }))
    }
}

fn wrong(what: &str, bad: &str) -> Failure {
    Failure::new(Kind::Config, format!("{what}: {bad}"))
        .remedy("`centralita ctl policy --help` says what rules look like")
}

/// A queue's policy as tables.
fn shown(queue: &str, state: &v1::PolicyState) -> String {
    if state.number == 0 {
        return format!("{queue} has no policy, and never had one");
    }
    let policy = state.policy.clone().unwrap_or_default();
    let number = match (policy.rules.is_empty(), policy.target) {
        (true, None) => format!("none (taken away by change {})", state.number),
        _ => state.number.to_string(),
    };
    let older: Vec<String> = state.older.iter().map(ToString::to_string).collect();
    let older = if older.is_empty() { "none".to_owned() } else { older.join(", ") };
    let target = policy.target.map_or_else(|| "not measured".to_owned(), words::target);
    let facts = facts([
        ("queue", queue.to_owned()),
        ("policy", number),
        ("service", target),
        ("older in use", older),
    ]);
    let mut parts = vec![facts.to_string()];
    if !policy.rules.is_empty() {
        let mut rules = table(["RULE", "SAYS"]);
        let numbered = policy.rules.iter().zip(1..);
        rules.add_rows(numbered.map(|(rule, number): (_, u32)| [number.to_string(), words::rule(rule)]));
        parts.push(rules.to_string());
    }
    if !state.service.is_empty() {
        parts.push(service(&state.service).to_string());
    }
    parts.join("\n\n")
}

fn service(service: &[v1::Service]) -> comfy_table::Table {
    let mut table = table(["LAST", "ANSWERED", "IN TIME", "SERVICE", "ABANDONED", "OVERFLOWED", "MEAN WAIT"]);
    table.add_rows(service.iter().map(|one| {
        [
            format!("{} min", one.minutes),
            one.answered.to_string(),
            one.within.to_string(),
            words::percent(one),
            one.abandoned.to_string(),
            one.overflowed.to_string(),
            one.mean_wait_ms.map_or_else(|| "-".to_owned(), |ms| seconds(ms.saturating_mul(1_000))),
        ]
    }));
    table
}

#[cfg(test)]
mod tests {
    use super::super::json::to_json;
    use super::*;

    fn given(rules: &[&str], service: Option<&str>) -> Policy {
        Policy {
            queue: "queue_1_1".into(),
            rules: rules.iter().map(ToString::to_string).collect(),
            service: service.map(ToOwned::to_owned),
            file: None,
            none: false,
        }
    }

    #[test]
    fn which_rule_is_wrong_is_said() {
        assert_eq!(given(&[], None).wanted(), Ok(None));
        let wanted = given(&["0s then inbox", "20s then inbox now"], Some("80% in 20s")).wanted();
        let failure = wanted.expect_err("too much");
        assert!(failure.message.starts_with("rule 2 ('20s then inbox now'): its action: 'now'"), "{failure}");
        let failure = given(&[], Some("80%")).wanted().expect_err("half of it");
        assert!(failure.message.starts_with("--service: `in` is missing"), "{failure}");
        let none = Policy { none: true, ..given(&[], None) };
        assert_eq!(none.wanted(), Ok(Some(v1::Policy::default())));
    }

    #[test]
    fn all_of_it_is_shown_and_its_json_can_be_given_back() {
        let rules = ["0s when signed_on < 1 then move queue_1_2", "2m then close \"late\""];
        let policy = given(&rules, Some("80% in 20s")).wanted().expect("well formed").expect("some");
        let measured = v1::Service {
            minutes: 15,
            answered: 3,
            within: 2,
            abandoned: 1,
            overflowed: 4,
            percent: Some(50),
            mean_wait_ms: Some(20_500),
        };
        let state = v1::PolicyState {
            number: 3,
            policy: Some(policy.clone()),
            older: vec![1, 2],
            service: vec![v1::Service { minutes: 5, ..Default::default() }, measured],
        };
        let said = shown("queue_1_1", &state);
        for wanted in [
            rules[0],
            rules[1],
            "80% in 20s",
            "1, 2",
            "5 min   0         0        -        0          0           -",
            "15 min  3         2        50%      1          4           20.5 s",
        ] {
            assert!(said.contains(wanted), "{wanted}:\n{said}");
        }
        assert!(shown("queue_1_1", &v1::PolicyState::default()).contains("never had one"));
        let json = to_json("PolicyState", &state).expect("known");
        assert_eq!(from_json::<v1::Policy>("Policy", &json["policy"].to_string()), Ok(policy));
    }
}
