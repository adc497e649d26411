//! `ctl callback`: how a domain calls customers back; `ctl call-back`: who is to be.

use super::client::{Client, mutation};
use super::get;
use super::output::Output;
use super::settings::millis;
use crate::failure::Failure;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::routing_client::RoutingClient;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl callback dom_1
  centralita ctl callback dom_1 --attempts 3 --retry 10m --dial 30s --expire 4h --resume 2m
  centralita ctl callback dom_1 --none

Who is to be called back keeps the place in line and may hang up; the agent who is offered it accepts, dials, and says
whether the customer was reached. --resume TIME is for how long the place of a customer who left can be resumed.
What is given replaces all of it. Callbacks under way go on as they began.";

pub(super) const CALL_BACK_EXAMPLES: &str = "\
Examples:
  centralita ctl call-back conv_1_9 --contact '+34 600 111 222'
  centralita ctl call-back conv_1_9 --in 30m
  centralita ctl call-back conv_1_9 --cancel";

/// Shows how a domain calls customers back, or replaces it.
#[derive(Debug, clap::Args)]
pub(super) struct Callback {
    /// Whose.
    domain: String,
    /// Attempts to reach a customer: 1 to 10.
    #[arg(long, value_name = "NUMBER", requires = "expire", value_parser = clap::value_parser!(u32).range(1..=10))]
    attempts: Option<u32>,
    /// From an attempt that failed to the next offer: 1 s to 24 h.
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "attempts", value_parser = millis)]
    retry: u64,
    /// How long a connection may take after an accept: 1 s to 5 min.
    #[arg(long, value_name = "TIME", default_value = "30s", requires = "attempts", value_parser = millis)]
    dial: u64,
    /// How long a callback may stand: 1 min to 7 days.
    #[arg(long, value_name = "TIME", requires = "attempts", value_parser = millis)]
    expire: Option<u64>,
    /// For how long an abandoned place can be resumed: at most as long as the domain keeps what ended.
    #[arg(long, value_name = "TIME", default_value = "0s", requires = "attempts", value_parser = millis)]
    resume: u64,
    /// Nobody is called back, and no place is resumed.
    #[arg(long, conflicts_with_all = ["attempts", "expire"])]
    none: bool,
}

impl Callback {
    fn wanted(&self) -> Option<v1::CallbackSettings> {
        let (attempts, expires_after_ms) = self.attempts.zip(self.expire)?;
        Some(v1::CallbackSettings {
            attempts,
            retry_after_ms: self.retry,
            dial_ms: self.dial,
            expires_after_ms,
            resume_within_ms: self.resume,
        })
    }

    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let callback = self.wanted();
        if callback.is_none() && !self.none {
            let shown = get::domain(client, &self.domain).await?.callback.unwrap_or_default();
            return out.print("CallbackSettings", &shown, |shown| {
                format!("{}: {}", self.domain, line(Some(shown)))
            });
        }
        let domain = self.domain;
        let request = v1::SetCallbackRequest { mutation: mutation(), supervisor, domain, callback };
        let call = || async { AdminClient::new(client.channel.clone()).set_callback(request.clone()).await };
        out.done(&client.call(call).await?)
    }
}

/// Says that a customer is to be called back, or no longer.
#[derive(Debug, clap::Args)]
pub(super) struct CallBack {
    /// Which conversation's.
    conversation: String,
    /// Where the customer is to be reached, up to 64 bytes.
    #[arg(long, value_name = "TEXT", default_value = "")]
    contact: String,
    /// Nobody is offered it for so long.
    #[arg(long = "in", value_name = "TIME", default_value = "0s", value_parser = millis)]
    not_before: u64,
    /// Nobody is to be called back any more: it ends, as abandoned.
    #[arg(long)]
    cancel: bool,
}

impl CallBack {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let (mutation, conversation) = (mutation(), self.conversation);
        let routing = || RoutingClient::new(client.channel.clone());
        if self.cancel {
            let request = v1::CancelCallbackRequest { mutation, conversation };
            let call = || async { routing().cancel_callback(request.clone()).await };
            return out.done(&client.call(call).await?);
        }
        let (contact, not_before_ms) = (self.contact, self.not_before);
        let request = v1::RequestCallbackRequest { mutation, conversation, contact, not_before_ms };
        let call = || async { routing().request_callback(request.clone()).await };
        out.done(&client.call(call).await?)
    }
}

/// In a few words.
pub(super) fn line(settings: Option<&v1::CallbackSettings>) -> String {
    let time = |ms: u64| format!("{} s", ms as f64 / 1_000.0);
    match settings {
        None | Some(v1::CallbackSettings { attempts: 0, .. }) => "none: nobody is called back".to_owned(),
        Some(settings) => {
            let v1::CallbackSettings {
                attempts,
                retry_after_ms,
                dial_ms,
                expires_after_ms,
                resume_within_ms,
            } = *settings;
            let resume = match resume_within_ms {
                0 => "no place is resumed".to_owned(),
                ms => format!("a place is resumed within {}", time(ms)),
            };
            format!(
                "{attempts} attempts, {} between them, {} to connect, within {} in all; {resume}",
                time(retry_after_ms),
                time(dial_ms),
                time(expires_after_ms)
            )
        }
    }
}

/// How one stands, in few words; empty: nobody is to be called back.
pub(super) fn standing(callback: Option<&v1::Callback>, now_us: u64) -> String {
    let Some(callback) = callback else { return String::new() };
    let whom = if callback.contact.is_empty() { "as it came" } else { callback.contact.as_str() };
    let tried = match callback.attempts {
        0 => String::new(),
        tried => format!(", tried {tried} times"),
    };
    let rests = callback.not_before_us.filter(|at| *at > now_us);
    let rests = rests.map(|at| format!(", not for {} s", (at - now_us).div_ceil(1_000_000)));
    format!("{whom}{tried}{}", rests.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        callback: Callback,
    }

    #[test]
    fn attempts_and_the_time_in_all_are_given_or_neither() {
        let given = |args: &[&str]| Only::try_parse_from(["ctl", "dom_1"].iter().chain(args));
        let whole = given(&["--attempts", "3", "--expire", "4h"]).expect("well formed").callback.wanted();
        let expected = v1::CallbackSettings {
            attempts: 3,
            retry_after_ms: 300_000,
            dial_ms: 30_000,
            expires_after_ms: 14_400_000,
            resume_within_ms: 0,
        };
        assert_eq!(whole, Some(expected));
        assert_eq!(given(&[]).expect("shows it").callback.wanted(), None);
        assert_eq!(given(&["--none"]).expect("takes it away").callback.wanted(), None);
        let short = ["--attempts", "11", "--expire", "4h"];
        for wrong in [&["--attempts", "3"][..], &["--expire", "4h"], &["--resume", "9s"], &short] {
            assert!(given(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn it_is_shown_in_words() {
        let settings = v1::CallbackSettings {
            attempts: 3,
            retry_after_ms: 300_000,
            dial_ms: 30_000,
            expires_after_ms: 3_600_000,
            resume_within_ms: 60_000,
        };
        assert_eq!(
            line(Some(&settings)),
            "3 attempts, 300 s between them, 30 s to connect, within 3600 s in all; a place is resumed within 60 s"
        );
        assert!(line(None).starts_with("none"));
        let callback = v1::Callback {
            contact: "9".into(),
            attempts: 1,
            not_before_us: Some(3_500_000),
            ..Default::default()
        };
        assert_eq!(standing(Some(&callback), 1_000_000), "9, tried 1 times, not for 3 s");
        assert_eq!(standing(Some(&v1::Callback::default()), 0), "as it came");
        assert_eq!(standing(None, 0), "");
    }
}
