//! `ctl consult`: asks another agent about a conversation before it is transferred, or instead.

use super::client::{Client, mutation};
use super::output::Output;
use crate::failure::Failure;
use proto::v1;
use proto::v1::routing_client::RoutingClient;
use proto::v1::supervisor_client::SupervisorClient;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl consult conv_1_9                                  # who is consulted about it
  centralita ctl consult conv_1_9 --agent agent_1_2
  centralita ctl consult conv_1_9 --agent agent_1_2 --minutes 5
  centralita ctl consult conv_1_9 --complete                       # agent_1_2 has it from now on
  centralita ctl consult conv_1_9 --end                            # its owner keeps it

The agent who is asked is made an offer; the conversation stays its owner's until the consultation is completed. If the
owner's session ends meanwhile, whoever is consulted takes over.";

/// Shows who is consulted about a conversation, or asks an agent, hands it over to whoever was asked, or ends that.
#[derive(Debug, clap::Args)]
pub(super) struct Consult {
    /// About which.
    conversation: String,
    /// Asks this agent.
    #[arg(long, value_name = "AGENT", conflicts_with_all = ["end", "complete"])]
    agent: Option<String>,
    /// How long it may last once the agent has accepted: 1 to 240 minutes.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 30,
        requires = "agent",
        value_parser = clap::value_parser!(u64).range(1..=240)
    )]
    minutes: u64,
    /// It is over, or is not to begin; the owner keeps the conversation.
    #[arg(long, conflicts_with = "complete")]
    end: bool,
    /// Whoever is consulted has the conversation from now on.
    #[arg(long)]
    complete: bool,
}

impl Consult {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let Self { conversation, agent, minutes, end, complete } = self;
        let supervise = || SupervisorClient::new(client.channel.clone());
        let mutation = mutation();
        if let Some(asked) = agent {
            let lasts_ms = minutes * 60_000;
            let request =
                v1::SupervisorConsultRequest { mutation, supervisor, conversation, asked, lasts_ms };
            let call = || async { supervise().consult(request.clone()).await };
            return out.done(&client.call(call).await?);
        }
        if end {
            let request = v1::SupervisorEndConsultRequest { mutation, supervisor, conversation };
            let call = || async { supervise().end_consult(request.clone()).await };
            return out.done(&client.call(call).await?);
        }
        if complete {
            let request = v1::SupervisorCompleteConsultRequest { mutation, supervisor, conversation };
            let call = || async { supervise().complete_consult(request.clone()).await };
            return out.done(&client.call(call).await?);
        }
        let request = v1::GetConversationRequest { conversation };
        let get =
            || async { RoutingClient::new(client.channel.clone()).get_conversation(request.clone()).await };
        out.print("Conversation", &client.call(get).await?, line)
    }
}

/// In a few words.
fn line(found: &v1::Conversation) -> String {
    match standing(found) {
        asked if asked.is_empty() => format!("nobody is consulted about {}", found.id),
        asked => format!("{} of {}: {asked}", found.id, found.agent),
    }
}

/// Who is consulted about a conversation, in few words; empty: nobody.
pub(super) fn standing(found: &v1::Conversation) -> String {
    let Some(offer) = found.offer.as_ref().filter(|offer| offer.consult) else { return String::new() };
    let left = offer.deadline_us.saturating_sub(found.now_us).div_ceil(1_000_000);
    if offer.connecting {
        format!("{} is consulted, for {left} s at most", offer.agent)
    } else {
        format!("{} is asked, for {left} s", offer.agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        consult: Consult,
    }

    #[test]
    fn one_thing_is_done_at_a_time() {
        let given = |args: &[&str]| Only::try_parse_from(["ctl", "conv_1_9"].iter().chain(args));
        assert_eq!(given(&["--agent", "agent_1_2"]).expect("well formed").consult.minutes, 30);
        assert_eq!(given(&["--agent", "a", "--minutes", "5"]).expect("well formed").consult.minutes, 5);
        for right in [&[][..], &["--end"], &["--complete"]] {
            assert!(given(right).is_ok(), "{right:?}");
        }
        let long = ["--agent", "a", "--minutes", "241"];
        let both = ["--agent", "a", "--complete"];
        for wrong in [&["--minutes", "5"][..], &["--end", "--complete"], &long, &both] {
            assert!(given(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn it_is_shown_in_words() {
        let offer = |consult, connecting| {
            let (agent, deadline_us) = ("agent_1_2".into(), 70_000_000);
            Some(v1::Offer { agent, deadline_us, consult, connecting, ..Default::default() })
        };
        let found = |offer| v1::Conversation {
            id: "conv_1_9".into(),
            agent: "agent_1_1".into(),
            now_us: 9_500_000,
            offer,
            ..Default::default()
        };
        assert_eq!(line(&found(None)), "nobody is consulted about conv_1_9");
        assert_eq!(standing(&found(offer(false, true))), "");
        assert_eq!(line(&found(offer(true, false))), "conv_1_9 of agent_1_1: agent_1_2 is asked, for 61 s");
        assert_eq!(standing(&found(offer(true, true))), "agent_1_2 is consulted, for 61 s at most");
    }
}
