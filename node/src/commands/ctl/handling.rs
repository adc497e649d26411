//! `ctl handling`: how a domain handles contacts that an agent said yes to.

use super::client::{Client, mutation};
use super::get;
use super::json::from_json;
use super::output::{Output, table};
use super::settings::{channel, millis};
use crate::failure::{Failure, Kind};
use proto::v1;
use proto::v1::admin_client::AdminClient;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl handling dom_1
  centralita ctl handling dom_1 --connect voice=10s
  centralita ctl handling dom_1 --connect voice=10s --idle whatsapp=5 --idle email=0 --extend 5m
  centralita ctl --json handling dom_1 > handling.json
  centralita ctl handling dom_2 --file handling.json
  centralita ctl handling dom_1 --none

--connect CHANNEL=TIME makes an accept of that channel a matter of two steps: who accepts is to be connected
with the customer, and has the conversation once the desk says so, within the time; else it is a miss.
--idle CHANNEL=POINTS is what a conversation weighs while it waits on its customer.
--extend TIME is by how much a wrap-up may be extended in all.
What is given replaces all of the domain's handling. What is under way goes on as it began.";

/// Shows a domain's handling, or replaces it.
#[derive(Debug, clap::Args)]
pub(super) struct Handling {
    /// Whose.
    domain: String,
    /// How long a connection may take after an accept: 1 s to 5 min. Several: given again.
    #[arg(long, value_name = "CHANNEL=TIME", value_parser = within)]
    connect: Vec<(i32, u64)>,
    /// Points of a conversation that waits on its customer: 0 to 100. Several: given again.
    #[arg(long, value_name = "CHANNEL=POINTS", value_parser = points)]
    idle: Vec<(i32, u32)>,
    /// By how much a wrap-up may be extended in all: up to 4 h.
    #[arg(long, value_name = "TIME", value_parser = millis)]
    extend: Option<u64>,
    /// All of it as JSON, as `ctl --json handling` prints it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["connect", "idle", "extend"])]
    file: Option<PathBuf>,
    /// Takes all of it away.
    #[arg(long, conflicts_with_all = ["connect", "idle", "extend", "file"])]
    none: bool,
}

fn pair(text: &str) -> Result<(i32, &str), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("'{text}' should look like voice=..."))?;
    Ok((channel(name)?.into(), value))
}

fn within(text: &str) -> Result<(i32, u64), String> {
    let (channel, time) = pair(text)?;
    Ok((channel, millis(time)?))
}

fn points(text: &str) -> Result<(i32, u32), String> {
    let (channel, points) = pair(text)?;
    Ok((channel, points.parse().map_err(|_| format!("'{points}' is no number of points: use 0 to 100"))?))
}

impl Handling {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let Some(handling) = self.wanted()? else {
            let handling = get::domain(client, &self.domain).await?.handling.unwrap_or_default();
            return out.print("Handling", &handling, |handling| shown(&self.domain, handling));
        };
        let (domain, handling) = (self.domain, Some(handling));
        let request = v1::SetHandlingRequest { mutation: mutation(), supervisor, domain, handling };
        let call = || async { AdminClient::new(client.channel.clone()).set_handling(request.clone()).await };
        out.done(&client.call(call).await?)
    }

    /// The handling that is given; none: to be shown.
    fn wanted(&self) -> Result<Option<v1::Handling>, Failure> {
        if let Some(file) = &self.file {
            let unreadable =
                |error| Failure::new(Kind::Config, format!("{} cannot be read: {error}", file.display()));
            return from_json("Handling", &std::fs::read_to_string(file).map_err(unreadable)?).map(Some);
        }
        let mut channels: BTreeMap<i32, v1::ChannelHandling> = BTreeMap::new();
        let twice = |what: &str| {
            Failure::new(Kind::Config, format!("{what} names a channel twice"))
                .remedy("name each channel once: what is given replaces all of the domain's handling")
        };
        for (channel, connect_ms) in &self.connect {
            let one = channels.entry(*channel).or_default();
            if one.connect_ms.replace(*connect_ms).is_some() {
                return Err(twice("--connect"));
            }
        }
        for (channel, idle_weight) in &self.idle {
            let one = channels.entry(*channel).or_default();
            if one.idle_weight.replace(*idle_weight).is_some() {
                return Err(twice("--idle"));
            }
        }
        let channels: Vec<_> =
            channels.into_iter().map(|(channel, one)| v1::ChannelHandling { channel, ..one }).collect();
        let given = self.none || self.extend.is_some() || !channels.is_empty();
        let extend_max_ms = self.extend.unwrap_or_default();
        Ok(given.then_some(v1::Handling { channels, extend_max_ms }))
    }
}

/// A domain's handling as a table.
fn shown(domain: &str, handling: &v1::Handling) -> String {
    if *handling == v1::Handling::default() {
        return format!(
            "{domain} has no handling of its own: who accepts has it, and wrap-ups end in their time"
        );
    }
    let mut table = table(["CHANNEL", "CONNECT WITHIN", "WEIGHT WHILE IDLE"]);
    table.add_rows(handling.channels.iter().map(|one| {
        [
            super::output::channel(one.channel),
            one.connect_ms.map(time).unwrap_or_default(),
            one.idle_weight.map(|points| points.to_string()).unwrap_or_default(),
        ]
    }));
    format!("{table}\nwrap-ups may be extended by {}", time(handling.extend_max_ms))
}

fn time(ms: u64) -> String {
    if ms.is_multiple_of(1_000) { format!("{}s", ms / 1_000) } else { format!("{ms}ms") }
}

/// All of it in one line; none: `none`.
pub(super) fn line(handling: Option<&v1::Handling>) -> String {
    let Some(handling) = handling else { return "none".to_owned() };
    let mut parts = Vec::new();
    for one in &handling.channels {
        let name = super::output::channel(one.channel);
        parts.extend(one.connect_ms.map(|ms| format!("connect {name}={}", time(ms))));
        parts.extend(one.idle_weight.map(|points| format!("idle {name}={points}")));
    }
    if handling.extend_max_ms > 0 {
        parts.push(format!("extend {}", time(handling.extend_max_ms)));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::json::to_json;
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        handling: Handling,
    }

    fn given(args: &[&str]) -> Result<Handling, String> {
        let args = ["ctl", "dom_1"].iter().chain(args);
        Only::try_parse_from(args).map(|only| only.handling).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(given(&[]).expect("fine").wanted(), Ok(None));
        for (args, said) in [
            (["--connect", "fax=10s"], "fax"),
            (["--connect", "voice"], "should look like voice="),
            (["--connect", "voice=soon"], "soon"),
            (["--idle", "email=few"], "'few' is no number of points"),
        ] {
            let error = given(&args).expect_err("wrong");
            assert!(error.contains(said), "{error}");
        }
        let twice = given(&["--idle", "email=1", "--idle", "email=2"]).expect("parsed").wanted();
        assert!(twice.expect_err("twice").message.contains("--idle names a channel twice"));
    }

    #[test]
    fn all_of_it_is_shown_and_its_json_can_be_given_back() {
        let args = ["--connect", "voice=10s", "--idle", "voice=0", "--idle", "email=5", "--extend", "5m"];
        let handling = given(&args).expect("well formed").wanted().expect("well formed").expect("some");
        let said = shown("dom_1", &handling);
        assert!(said.contains("10s") && said.contains("extended by 300s"), "{said}");
        assert_eq!(line(Some(&handling)), "connect voice=10s; idle voice=0; idle email=5; extend 300s");
        assert_eq!(line(None), "none");
        assert!(shown("dom_1", &v1::Handling::default()).contains("no handling of its own"));
        let json = to_json("Handling", &handling).expect("known");
        assert_eq!(from_json::<v1::Handling>("Handling", &json.to_string()), Ok(handling));
        let none = given(&["--none"]).expect("fine").wanted();
        assert_eq!(none, Ok(Some(v1::Handling::default())));
    }
}
