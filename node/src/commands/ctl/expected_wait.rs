//! `ctl expected-wait`: position and expected wait, of who waits or of who would arrive.

use super::client::Client;
use super::output::{Output, seconds, short, table};
use super::settings;
use crate::failure::{Failure, Kind};
use proto::v1;
use proto::v1::expected_wait_request::{OnArrival, Who};
use proto::v1::supervisor_client::SupervisorClient;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl expected-wait conv_1_9
  centralita ctl expected-wait queue_1_1
  centralita ctl expected-wait queue_1_1 --channel chat --priority 2
  centralita ctl --json expected-wait conv_1_9 | jq .wait_us";

/// Shows position and expected wait.
#[derive(Debug, clap::Args)]
pub(super) struct ExpectedWait {
    /// A conversation that waits, or a queue for somebody who would arrive there now.
    #[arg(value_name = "CONVERSATION|QUEUE")]
    id: String,
    /// By which channel somebody would arrive; voice by default.
    #[arg(long, value_name = "CHANNEL", value_parser = settings::channel)]
    channel: Option<v1::Channel>,
    /// With which priority, 0 to 255; 0 by default.
    #[arg(long, value_name = "N")]
    priority: Option<u32>,
}

impl ExpectedWait {
    fn request(self) -> Result<v1::ExpectedWaitRequest, Failure> {
        let Self { id, channel, priority } = self;
        let who = if id.starts_with("queue_") {
            let channel = channel.unwrap_or(v1::Channel::Voice).into();
            Who::OnArrival(OnArrival { queue: id, channel, priority: priority.unwrap_or(0) })
        } else if !id.starts_with("conv_") {
            let remedy = "name a conversation that waits, as conv_1_9, or a queue, as queue_1_1";
            return Err(Failure::new(Kind::Config, format!("nobody waits for '{id}'")).remedy(remedy));
        } else if channel.is_some() || priority.is_some() {
            let remedy = "leave out --channel and --priority, or name a queue: they are for who would arrive";
            return Err(Failure::new(Kind::Config, format!("{id} has its own")).remedy(remedy));
        } else {
            Who::Conversation(id)
        };
        Ok(v1::ExpectedWaitRequest { who: Some(who) })
    }

    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let request = self.request()?;
        let call =
            || async { SupervisorClient::new(client.channel.clone()).expected_wait(request.clone()).await };
        out.print("ExpectedWaitResponse", &client.call(call).await?, |expected| {
            if expected.conversation.is_empty() {
                println!("{}\n", expected.detail);
            } else {
                let waited = seconds(expected.waited_us);
                println!("{}, here for {waited}: {}\n", expected.conversation, expected.detail);
            }
            let mut table = table(["QUEUE", "POSITION", "EXPECTED", "BY"]);
            for queue in &expected.queues {
                let (name, position) = (queue.queue.clone(), queue.position.to_string());
                if queue.estimates.is_empty() {
                    table.add_row([name, position, "not known".to_owned(), queue.unknown.clone()]);
                    continue;
                }
                let waits: Vec<_> = queue.estimates.iter().map(|one| seconds(one.wait_us)).collect();
                let by = |one: &v1::expected_wait_response::Estimate| {
                    short(one.by().as_str_name(), "EXPECTED_BY_").replace('_', " ")
                };
                let ways: Vec<_> = queue.estimates.iter().map(by).collect();
                table.add_row([name, position, waits.join("\n"), ways.join("\n")]);
            }
            table
        })
    }
}
