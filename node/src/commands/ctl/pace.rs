//! `ctl pace`: how many conversations agents are offered within a time.

use super::client::{Client, mutation};
use super::get;
use super::output::Output;
use super::settings::millis;
use crate::failure::Failure;
use proto::v1;
use proto::v1::admin_client::AdminClient;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl pace dom_1
  centralita ctl pace dom_1 --offers 3 --per 60s
  centralita ctl pace dom_1 --none

No agent is offered more than so many conversations within so long, in a window that slides: who is first in the
morning does not take the whole backlog. Transfers to an agent count, and are made all the same.";

/// Shows a domain's pace of offers, or replaces it.
#[derive(Debug, clap::Args)]
pub(super) struct Pace {
    /// Whose.
    domain: String,
    /// How many: 1 to 20.
    #[arg(long, value_name = "NUMBER", requires = "per", value_parser = clap::value_parser!(u32).range(1..=20))]
    offers: Option<u32>,
    /// Within how long: 1 s to 1 h.
    #[arg(long, value_name = "TIME", requires = "offers", value_parser = millis)]
    per: Option<u64>,
    /// As many as there are.
    #[arg(long, conflicts_with_all = ["offers", "per"])]
    none: bool,
}

impl Pace {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let pace = self.offers.zip(self.per).map(|(offers, per_ms)| v1::Pace { offers, per_ms });
        if pace.is_none() && !self.none {
            let pace = get::domain(client, &self.domain).await?.pace.unwrap_or_default();
            return out.print("Pace", &pace, |pace| format!("{}: {}", self.domain, line(Some(pace))));
        }
        let request = v1::SetPaceRequest { mutation: mutation(), supervisor, domain: self.domain, pace };
        let call = || async { AdminClient::new(client.channel.clone()).set_pace(request.clone()).await };
        out.done(&client.call(call).await?)
    }
}

/// In a few words.
pub(super) fn line(pace: Option<&v1::Pace>) -> String {
    match pace {
        None | Some(v1::Pace { offers: 0, .. }) => "none: agents are offered what there is".to_owned(),
        Some(v1::Pace { offers, per_ms }) => {
            format!("{offers} offers within {} s for each agent", *per_ms as f64 / 1_000.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        pace: Pace,
    }

    #[test]
    fn both_are_given_or_neither() {
        let given = |args: &[&str]| Only::try_parse_from(["ctl", "dom_1"].iter().chain(args));
        let pace = given(&["--offers", "3", "--per", "60s"]).expect("well formed").pace;
        assert_eq!((pace.offers, pace.per), (Some(3), Some(60_000)));
        assert!(given(&[]).is_ok() && given(&["--none"]).is_ok());
        for wrong in [&["--offers", "3"][..], &["--per", "1s"], &["--offers", "21", "--per", "1s"]] {
            assert!(given(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn it_is_shown_in_words() {
        let pace = v1::Pace { offers: 3, per_ms: 1_500 };
        assert_eq!(line(Some(&pace)), "3 offers within 1.5 s for each agent");
        assert!(line(None).starts_with("none"));
    }
}
