//! `ctl replicas`: how many replicas every shard has.

use super::client::Client;
use super::cluster::fetch;
use super::node::say;
use super::output::Output;
use crate::failure::{Failure, Kind};
use proto::v1;
use proto::v1::ClusterState;
use proto::v1::cluster_client::ClusterClient;
use std::time::Duration;
use tokio::time::Instant;

/// Shown by `--help`.
pub(super) const EXAMPLES: &str = "\
With 5 replicas a shard survives the loss of two nodes at once, with 3 of one, with 1 of none. A cluster of
more nodes than replicas spreads its shards: each node holds and works for its share.

Examples:
  centralita ctl replicas 3
  centralita ctl cluster";

/// Pause between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// How many.
#[derive(Debug, clap::Args)]
pub(super) struct Replicas {
    /// 1, 3 or 5; a cluster begins with 5.
    replicas: u32,
    /// How long to wait until every shard has them, in seconds.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    wait: u64,
}

impl Replicas {
    /// Carries the command out.
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let Self { replicas, wait } = self;
        let request = v1::SetReplicasRequest { replicas };
        let call = || async { ClusterClient::new(client.channel.clone()).set_replicas(request).await };
        client.call(call).await?;
        let until = Instant::now() + Duration::from_secs(wait);
        let mut told = usize::MAX;
        loop {
            let state = fetch(client).await?;
            let left = unsettled(&state, replicas);
            if left == 0 {
                return say(
                    out,
                    &[format!("every shard has {replicas} replicas, as far as there are nodes")],
                );
            }
            if left != told {
                eprintln!("{left} shards do not have {replicas} replicas yet");
                told = left;
            }
            if Instant::now() >= until {
                let message =
                    format!("{left} shards do not have {replicas} replicas within {wait} s; it goes on");
                return Err(Failure::new(Kind::Other, message)
                    .remedy("`centralita ctl cluster` says what it waits for: all nodes should be up"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Shards that have more or fewer replicas than they should.
fn unsettled(state: &ClusterState, replicas: u32) -> usize {
    use v1::cluster_state::node::Stage;
    let stay = state.nodes.iter().filter(|node| node.stage() != Stage::Leaving).count();
    let wanted = stay.min(replicas as usize);
    state.shards.iter().filter(|shard| shard.id != 0 && shard.members.len() != wanted).count()
}
