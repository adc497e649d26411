//! `ctl explain`: why a conversation waits.

use super::client::Client;
use super::output::{Output, seconds, stage, table};
use crate::failure::Failure;
use clap::Subcommand;
use proto::v1;
use proto::v1::supervisor_client::SupervisorClient;

/// What can be explained.
#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Why a conversation waits: for each agent of its queues, the first gate that fails.
    Wait {
        /// The conversation.
        conversation: String,
    },
}

impl What {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let What::Wait { conversation } = self;
        let request = v1::ExplainWaitRequest { conversation };
        let call =
            || async { SupervisorClient::new(client.channel.clone()).explain_wait(request.clone()).await };
        out.print("ExplainWaitResponse", &client.call(call).await?, |why| {
            let (state, waited) = (stage(why.stage), seconds(why.waited_us));
            println!("{}: {state}, place {} in line, here for {waited}\n", why.conversation, why.position);
            let mut table = table(["AGENT", "GATE", "WHY"]);
            table.add_rows(
                why.agents.iter().map(|one| [one.agent.clone(), one.gate.clone(), one.detail.clone()]),
            );
            if why.agents_left_out > 0 {
                table.add_row([format!("and {} more", why.agents_left_out), String::new(), String::new()]);
            }
            table
        })
    }
}
