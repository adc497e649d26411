//! `ctl explain`: why a conversation waits, why an agent was offered one, why a queue's agents get nothing.

use super::client::Client;
use super::output::{Output, seconds, stage, table};
use crate::failure::{Failure, Kind};
use clap::Subcommand;
use proto::v1;
use proto::v1::routing_client::RoutingClient;
use proto::v1::supervisor_client::SupervisorClient;

/// What can be explained.
#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Why a conversation waits: for each agent of its queues, the first gate that fails.
    Wait {
        /// The conversation.
        conversation: String,
    },
    /// Why an offer went to its agent: its place, who was passed over and why, who was next.
    #[command(
        after_help = "Examples:\n  centralita ctl explain pick offer_1_7\n  centralita ctl explain pick conv_1_3"
    )]
    Pick {
        /// The offer, live or over; or a conversation, for the offer that it has now.
        offer: String,
    },
    /// Why nobody of a queue gets work: its agents by the first gate that fails.
    Queue {
        /// The queue.
        queue: String,
    },
}

impl What {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        match self {
            What::Wait { conversation } => wait(client, out, conversation).await,
            What::Pick { offer } => pick(client, out, offer).await,
            What::Queue { queue } => for_queue(client, out, queue).await,
        }
    }
}

async fn wait(client: &Client, out: Output, conversation: String) -> Result<(), Failure> {
    let request = v1::ExplainWaitRequest { conversation };
    let call = || async { SupervisorClient::new(client.channel.clone()).explain_wait(request.clone()).await };
    out.print("ExplainWaitResponse", &client.call(call).await?, |why| {
        let (state, waited) = (stage(why.stage), seconds(why.waited_us));
        println!("{}: {state}, place {} in line, here for {waited}\n", why.conversation, why.position);
        let mut table = table(["AGENT", "GATE", "WHY"]);
        table
            .add_rows(why.agents.iter().map(|one| [one.agent.clone(), one.gate.clone(), one.detail.clone()]));
        if why.agents_left_out > 0 {
            table.add_row([format!("and {} more", why.agents_left_out), String::new(), String::new()]);
        }
        table
    })
}

async fn pick(client: &Client, out: Output, named: String) -> Result<(), Failure> {
    let offer = if named.starts_with("conv_") { live_offer(client, named).await? } else { named };
    let request = v1::ExplainPickRequest { offer };
    let call = || async { SupervisorClient::new(client.channel.clone()).explain_pick(request.clone()).await };
    out.print("ExplainPickResponse", &client.call(call).await?, |why| {
        let waited = if why.way.is_empty() {
            String::new()
        } else {
            format!(", which had waited {}, priority {}", seconds(why.waited_us), why.priority)
        };
        println!("{}: {} was offered {}{waited}", why.offer, why.agent, why.conversation);
        println!("{}\n", why.detail);
        let mut table = table(["AGENT", "", "WHY"]);
        for one in &why.passed_over {
            table.add_row([one.agent.clone(), "passed over".to_owned(), one.detail.clone()]);
        }
        let liked = match why.preferred {
            0 => String::new(),
            preferred => format!(", {preferred} preferred skills"),
        };
        table.add_row([why.agent.clone(), "picked".to_owned(), format!("{}{liked}", why.place)]);
        for one in &why.next {
            table.add_row([one.agent.clone(), "next".to_owned(), one.place.clone()]);
        }
        table
    })
}

/// The offer that a conversation has now.
async fn live_offer(client: &Client, id: String) -> Result<String, Failure> {
    let request = v1::GetConversationRequest { conversation: id };
    let call =
        || async { RoutingClient::new(client.channel.clone()).get_conversation(request.clone()).await };
    let conversation: v1::Conversation = client.call(call).await?;
    conversation.offer.map(|offer| offer.id).ok_or_else(|| {
        let id = conversation.id;
        let remedy = "name the offer: `centralita ctl watch events --domain DOMAIN` shows them all";
        Failure::new(Kind::Other, format!("{id} has no offer now")).remedy(remedy)
    })
}

async fn for_queue(client: &Client, out: Output, queue: String) -> Result<(), Failure> {
    let request = v1::ExplainQueueRequest { queue };
    let call =
        || async { SupervisorClient::new(client.channel.clone()).explain_queue(request.clone()).await };
    out.print("ExplainQueueResponse", &client.call(call).await?, |why| {
        println!("{}: {}\n", why.queue, why.summary);
        let mut table = table(["GATE", "AGENTS", "FOR EXAMPLE"]);
        for group in &why.gates {
            let one =
                |one: &v1::explain_queue_response::gate::Agent| format!("{}: {}", one.agent, one.detail);
            let examples: Vec<_> = group.examples.iter().map(one).collect();
            table.add_row([group.gate.clone(), group.agents.to_string(), examples.join("\n")]);
        }
        if why.agents_left_out > 0 {
            table.add_row(["(not looked at)".to_owned(), why.agents_left_out.to_string(), String::new()]);
        }
        table
    })
}
