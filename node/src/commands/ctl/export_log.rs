//! `ctl export-log`: a shard's log as a file.

use super::client::Client;
use super::fetch::{Written, fetch};
use super::output::Output;
use crate::failure::{Failure, Kind};
use proto::v1;
use proto::v1::admin_client::AdminClient;
use std::path::PathBuf;

/// Shown by `--help`.
pub(super) const EXAMPLES: &str = "\
The file holds the names and numbers of customers and agents: treat it as such.

Examples:
  centralita ctl export-log --domain dom_1 incident.log
  centralita ctl export-log --shard 2 --from-snapshot incident.log
  centralita-sim replay incident.log --show conversation conv_1_9";

/// Which log, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct ExportLog {
    /// The shard, by its number.
    #[arg(long, value_name = "N", required_unless_present = "domain")]
    shard: Option<u32>,
    /// The shard that holds this domain.
    #[arg(long, conflicts_with = "shard")]
    domain: Option<String>,
    /// Begins at the node's last snapshot although its log goes further back: a smaller file.
    #[arg(long)]
    from_snapshot: bool,
    /// Replaces the file if there is one.
    #[arg(long)]
    force: bool,
    /// The file to write.
    file: PathBuf,
}

impl ExportLog {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        if self.file.exists() && !self.force {
            let there = format!("{} is there already", self.file.display());
            return Err(Failure::new(Kind::Config, there).remedy("name another file, or give --force"));
        }
        let shard = self.shard(client).await?;
        let request = v1::ExportLogRequest { shard, from_snapshot: self.from_snapshot, after: None };
        let written = fetch(client, request, &self.file).await?;
        self.say(shard, &written, out);
        Ok(())
    }

    async fn shard(&self, client: &Client) -> Result<u32, Failure> {
        let (Some(domain), None) = (&self.domain, self.shard) else { return Ok(self.shard.unwrap_or(0)) };
        let request = v1::GetDomainRequest { domain: domain.clone() };
        let call = || async { AdminClient::new(client.channel.clone()).get_domain(request.clone()).await };
        Ok(client.call(call).await?.shard)
    }

    fn say(&self, shard: u32, written: &Written, out: Output) {
        let Written { first, last, snapshot, hash, bytes, .. } = written;
        let hash = format!("{hash:016x}");
        if out.json {
            let facts = serde_json::json!({
                "file": self.file, "shard": shard, "first_index": first, "last_index": last,
                "snapshot_index": snapshot, "state_hash": hash, "bytes": bytes,
            });
            println!("{facts:#}");
            return;
        }
        let begins = match snapshot {
            Some(index) => format!("the snapshot at {index} and entries {first} to {last}"),
            None => format!("entries {first} to {last}, from the log's beginning"),
        };
        let file = self.file.display();
        println!("{file}: {begins} of shard {shard}; state {hash} ({bytes} bytes)");
        println!("apply it again: centralita-sim replay {file}");
    }
}
