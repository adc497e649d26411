//! `ctl ring`: to how many agents a queue offers a conversation at once.

use super::client::{Client, mutation};
use super::get;
use super::output::Output;
use crate::failure::Failure;
use proto::v1;
use proto::v1::supervisor_client::SupervisorClient;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl ring queue_1_1
  centralita ctl ring queue_1_1 3
  centralita ctl ring queue_1_1 1     # one after the other, as at first

The first agent who accepts has it; the others stop ringing. Those beside the first ring only if they are free while
nothing waits for them, and only where agents accept by hand. What rings goes on as it began.";

/// Shows to how many agents a queue offers a conversation at once, or changes it.
#[derive(Debug, clap::Args)]
pub(super) struct Ring {
    /// Whose.
    queue: String,
    /// To how many: 1 to 10.
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10))]
    agents: Option<u32>,
}

impl Ring {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let Some(agents) = self.agents else {
            let queue = get::queue(client, &self.queue).await?;
            return out.print("Queue", &queue, line);
        };
        let request = v1::SetRingRequest { mutation: mutation(), supervisor, queue: self.queue, agents };
        let call = || async { SupervisorClient::new(client.channel.clone()).set_ring(request.clone()).await };
        out.done(&client.call(call).await?)
    }
}

/// In a few words.
fn line(queue: &v1::Queue) -> String {
    match queue.ring {
        0 | 1 => format!("{} offers to one agent after the other", queue.id),
        agents => format!("{} offers to {agents} agents at once", queue.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_in_words() {
        let queue = |ring| v1::Queue { id: "queue_1_1".into(), ring, ..Default::default() };
        assert_eq!(line(&queue(3)), "queue_1_1 offers to 3 agents at once");
        assert_eq!(line(&queue(1)), "queue_1_1 offers to one agent after the other");
    }
}
