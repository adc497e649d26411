//! `ctl export-log`: a shard's log as a file.

use super::client::{Client, refused};
use super::output::Output;
use crate::failure::{Failure, Kind};
use proto::log_file::{Item, LogReader};
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::cluster_client::ClusterClient;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

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

/// What the file holds, for JSON.
struct Written {
    first: u64,
    last: u64,
    snapshot: Option<u64>,
    hash: u64,
    bytes: u64,
}

impl ExportLog {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        if self.file.exists() && !self.force {
            let there = format!("{} is there already", self.file.display());
            return Err(Failure::new(Kind::Config, there).remedy("name another file, or give --force"));
        }
        let shard = self.shard(client).await?;
        // Under its name it is always whole.
        let mut name = self.file.clone().into_os_string();
        name.push(".part");
        let part = PathBuf::from(name);
        let written = match self.write(client, shard, &part).await {
            Ok(()) => check(&part),
            Err(failure) => Err(failure),
        };
        let renamed = written.and_then(|written| {
            std::fs::rename(&part, &self.file).map_err(|error| at(&self.file, &error))?;
            Ok(written)
        });
        if renamed.is_err() {
            // It may not even have been made.
            let _ = std::fs::remove_file(&part);
        }
        self.say(shard, &renamed?, out);
        Ok(())
    }

    async fn shard(&self, client: &Client) -> Result<u32, Failure> {
        let (Some(domain), None) = (&self.domain, self.shard) else { return Ok(self.shard.unwrap_or(0)) };
        let request = v1::GetDomainRequest { domain: domain.clone() };
        let call = || async { AdminClient::new(client.channel.clone()).get_domain(request.clone()).await };
        Ok(client.call(call).await?.shard)
    }

    async fn write(&self, client: &Client, shard: u32, part: &Path) -> Result<(), Failure> {
        let request = v1::ExportLogRequest { shard, from_snapshot: self.from_snapshot };
        let call = || async { ClusterClient::new(client.channel.clone()).export_log(request).await };
        let mut chunks = client.call(call).await?;
        let file = File::create(part).map_err(|error| at(part, &error))?;
        let mut file = BufWriter::new(file);
        while let Some(chunk) = chunks.message().await.map_err(|status| refused(&status))? {
            file.write_all(&chunk.data).map_err(|error| at(part, &error))?;
        }
        let file = file.into_inner().map_err(|error| at(part, error.error()))?;
        file.sync_all().map_err(|error| at(part, &error))
    }

    fn say(&self, shard: u32, written: &Written, out: Output) {
        let Written { first, last, snapshot, hash, bytes } = written;
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

fn at(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Other, format!("{}: {error}", path.display()))
}

/// Reads the file once more, from its beginning to its end.
fn check(part: &Path) -> Result<Written, Failure> {
    let file = File::open(part).map_err(|error| at(part, &error))?;
    let bytes = file.metadata().map_err(|error| at(part, &error))?.len();
    let damaged = |error| Failure::new(Kind::Other, format!("what the node sent is not whole: {error}"));
    let mut reader = LogReader::open(BufReader::new(file)).map_err(damaged)?;
    let first = reader.header().first;
    let snapshot = reader.take_snapshot().map(|snapshot| snapshot.head.index);
    let (mut last, mut end) = (0, 0);
    while let Some(item) = reader.next_item().map_err(damaged)? {
        if let Item::StateHash { index, hash, last: true } = item {
            (last, end) = (index, hash);
        }
    }
    Ok(Written { first, last, snapshot, hash: end, bytes })
}
