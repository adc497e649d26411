//! `ctl move`: a domain goes to another shard while it works.

use super::client::Client;
use super::node::say;
use super::output::Output;
use crate::failure::Failure;
use proto::v1;
use proto::v1::cluster_client::ClusterClient;
use proto::v1::cluster_state::Move;
use proto::v1::cluster_state::r#move::Progress;

/// Shown by `--help`.
pub(super) const EXAMPLES: &str = "\
A domain stays on the shard that it was born on until you move it. It rests while it is sent, for some tens
of milliseconds and longer the larger it is: calls wait for that, sessions go on, events go on without a
gap, and its time stands still meanwhile. A shard takes part in one move at a time.

Examples:
  centralita ctl move dom_7 --to 3
  centralita ctl cluster               shows what is on its way
  centralita ctl move dom_7 --cancel   it stays, if it has no new place yet";

/// Which domain, and where.
#[derive(Debug, clap::Args)]
pub(super) struct MoveDomain {
    /// The domain, for example dom_7.
    domain: String,
    /// The number of the shard that it is to go to.
    #[arg(long, required_unless_present = "cancel", conflicts_with = "cancel")]
    to: Option<u32>,
    /// It is to stay where it is.
    #[arg(long)]
    cancel: bool,
}

impl MoveDomain {
    /// Carries the command out.
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let (domain, cancel, to) = (self.domain, self.cancel, self.to.unwrap_or(0));
        let request = v1::MoveDomainRequest { domain: domain.clone(), to, cancel };
        let call = || async { ClusterClient::new(client.channel.clone()).move_domain(request.clone()).await };
        client.call(call).await?;
        let text = if cancel {
            format!("{domain} stays where it is")
        } else {
            format!("{domain} goes to shard {to}: `centralita ctl cluster` shows it until it is there")
        };
        say(out, &[text])
    }
}

/// A move that is under way, with what to do if it lasts.
pub(super) fn under_way(way: &Move) -> String {
    let Move { domain, from, to, .. } = way;
    let how = match way.progress() {
        Progress::Placed => format!("it is on shard {to}, and leaves {from}"),
        Progress::GivenUp => format!("it was given up, and goes on on shard {from}"),
        Progress::Sent | Progress::Unspecified => {
            format!(
                "it is sent, and given up if that takes longer than 10 s (`centralita ctl move {domain} --cancel`)"
            )
        }
    };
    format!("MOVES {domain} from shard {from} to {to}: {how}")
}
