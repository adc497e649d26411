//! `ctl watch`: follows events or queues until Ctrl-C.

use super::client::{Client, refused};
use super::list::queue_table;
use super::output::{Output, seconds};
use crate::failure::Failure;
use clap::Subcommand;
use proto::v1;
use proto::v1::events_client::EventsClient;
use proto::v1::supervisor_client::SupervisorClient;
use std::io::IsTerminal;

/// Clears the screen and goes to its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// What can be followed.
#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// A domain's events, one a line.
    Events {
        /// The domain.
        #[arg(long)]
        domain: String,
        /// From this sequence on; 0 means only what is new.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Ends when the present is reached.
        #[arg(long)]
        until_now: bool,
        /// Only if the record is still the one of this incarnation, as an event seen before says: a
        /// restore makes another.
        #[arg(long, default_value_t = 0)]
        incarnation: u64,
    },
    /// A domain's queues with their live figures.
    Queues {
        /// The domain.
        #[arg(long)]
        domain: String,
        /// Shortest time between two pictures, in milliseconds.
        #[arg(long, default_value_t = 500)]
        interval_ms: u64,
    },
}

impl What {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        tokio::select! {
            done = self.follow(client, out) => done,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }

    async fn follow(self, client: &Client, out: Output) -> Result<(), Failure> {
        match self {
            What::Events { domain, from, until_now, incarnation } => {
                let request = v1::WatchRequest { domain, from, until_now, incarnation };
                let call =
                    || async { EventsClient::new(client.channel.clone()).watch(request.clone()).await };
                let mut events = client.call(call).await?;
                while let Some(event) = events.message().await.map_err(|status| refused(&status))? {
                    out.line("Event", &event, |event| {
                        let at = seconds(event.at_us);
                        format!("{:>6} {at:>12} {:<17} {}", event.sequence, event.r#type, event.json)
                    })?;
                }
            }
            What::Queues { domain, interval_ms } => {
                let request = v1::WatchQueuesRequest { domain, min_interval_ms: interval_ms };
                let call = || async {
                    SupervisorClient::new(client.channel.clone()).watch_queues(request.clone()).await
                };
                let mut updates = client.call(call).await?;
                let live = std::io::stdout().is_terminal() && !out.json;
                while let Some(update) = updates.message().await.map_err(|status| refused(&status))? {
                    let clear = if live { CLEAR } else { "" };
                    out.line("QueuesUpdate", &update, |update| {
                        format!("{clear}{}\nevent {}", queue_table(&update.queues), update.sequence)
                    })?;
                }
            }
        }
        Ok(())
    }
}
