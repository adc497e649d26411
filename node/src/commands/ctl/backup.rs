//! `ctl backup`: a copy from which a cluster can begin again.

use super::client::Client;
use super::fetch::{Written, at, fetch};
use super::output::{Output, table};
use crate::backup::{Chain, Manifest, ManifestError, Part};
use crate::failure::{Failure, Kind};
use proto::v1;
use proto::v1::cluster_client::ClusterClient;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Shown by `--help`.
pub(super) const EXAMPLES: &str = "\
The first time everything is copied, then what came since: a backup every few minutes costs little.
Every file is read again before it counts. The files hold the names and numbers of customers and
agents: treat them as such. `centralita restore` begins a cluster from it (docs/backup.md).

Examples:
  centralita ctl backup /var/backups/centralita
  centralita ctl backup /var/backups/centralita --full
  centralita restore /var/backups/centralita --dry-run";

/// How long the node may take to have what the cluster had when the backup began.
const CATCH_UP: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(200);
/// How often everything that came since is copied again because a domain moved meanwhile.
const ROUNDS: u32 = 10;
/// Before each of these rounds.
const SETTLE: Duration = Duration::from_secs(1);

/// Where to.
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// Copies everything again, beside what is there.
    #[arg(long)]
    full: bool,
    /// The backup's folder; it is made if there is none.
    folder: PathBuf,
}

/// What was added to one group's files.
struct Added {
    group: u32,
    /// None where nothing had happened since.
    written: Option<Written>,
    whole: bool,
}

impl Added {
    /// With what a later round added.
    fn then(self, later: Added) -> Added {
        let written = match (self.written, later.written) {
            (Some(before), Some(after)) if !later.whole => Some(Written {
                first: before.first,
                snapshot: before.snapshot,
                bytes: before.bytes + after.bytes,
                ..after
            }),
            (before, after) => after.or(before),
        };
        Added { group: self.group, written, whole: self.whole || later.whole }
    }
}

impl Backup {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let state = cluster(client).await?;
        std::fs::create_dir_all(&self.folder).map_err(|error| at(&self.folder, &error))?;
        let _lock = lock(&self.folder)?;
        let mut manifest = self.manifest(&state)?;
        let behind = caught_up(client, &state).await?;
        let mut all: BTreeMap<u32, Added> = BTreeMap::new();
        let mut begun = (!state.moves.is_empty(), state.moves_begun);
        let mut torn = true;
        for round in 0..ROUNDS {
            for group in 0..=manifest.shards {
                let chains = manifest.groups.entry(group).or_default();
                let added = self.add(client, group, chains).await?;
                if !out.json {
                    eprintln!(
                        "group {group} of {}{}",
                        manifest.shards,
                        if round > 0 { ", again" } else { "" }
                    );
                }
                let added = match all.remove(&group) {
                    Some(before) => before.then(added),
                    None => added,
                };
                all.insert(group, added);
            }
            // Groups are copied one after the other: a domain that moved may be in none of the files.
            let now = cluster(client).await?;
            torn = begun != (false, now.moves_begun) || !now.moves.is_empty();
            if !torn {
                break;
            }
            tokio::time::sleep(SETTLE).await;
            let now = cluster(client).await?;
            begun = (!now.moves.is_empty(), now.moves_begun);
        }
        let all: Vec<Added> = all.into_values().collect();
        manifest.made_ms = wall_ms();
        env!("CARGO_PKG_VERSION").clone_into(&mut manifest.version);
        manifest.save(&self.folder).map_err(|error| at(&self.folder, &error))?;
        self.say(&manifest, &all, (behind, torn), out);
        Ok(())
    }

    fn manifest(&self, state: &v1::ClusterState) -> Result<Manifest, Failure> {
        let shards = state.shards.iter().map(|shard| shard.id).max().unwrap_or(0);
        let manifest = match Manifest::load(&self.folder) {
            Ok(manifest) => manifest,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number from 1 on"
            )]
            Err(ManifestError::None(_)) => {
                Manifest::new(state.cluster_id.clone(), shards, state.speed as u32)
            }
            Err(error) => return Err(Failure::new(Kind::Data, error).remedy("choose another folder")),
        };
        if manifest.cluster != state.cluster_id {
            let folder = self.folder.display();
            let message = format!(
                "{folder} is a backup of cluster '{}', not of '{}'",
                manifest.cluster, state.cluster_id
            );
            return Err(
                Failure::new(Kind::Data, message).remedy("choose another folder, or another --target")
            );
        }
        Ok(manifest)
    }

    /// Adds what a group has done since the last file, or begins a new chain.
    async fn add(&self, client: &Client, group: u32, chains: &mut Vec<Chain>) -> Result<Added, Failure> {
        let last = chains.last().and_then(Chain::last).filter(|_| !self.full);
        if let Some(after) = last {
            let request = v1::ExportLogRequest { shard: group, from_snapshot: false, after: Some(after) };
            let name = format!("group-{group}.{:04}.{:012}.log", chains.len(), after + 1);
            match fetch(client, request, &self.folder.join(&name)).await {
                Ok(written) if written.last <= after => {
                    let file = self.folder.join(&name);
                    std::fs::remove_file(&file).map_err(|error| at(&file, &error))?;
                    return Ok(Added { group, written: None, whole: false });
                }
                Ok(written) => {
                    let chain = chains.last_mut().ok_or_else(|| Failure::new(Kind::Other, "no chain"))?;
                    chain.parts.push(part(name, &written));
                    return Ok(Added { group, written: Some(written), whole: false });
                }
                // What came since is in a snapshot alone: everything is copied.
                Err(failure) if failure.message.starts_with("GONE") => {}
                Err(failure) => return Err(failure),
            }
        }
        let request = v1::ExportLogRequest { shard: group, from_snapshot: last.is_some(), after: None };
        let name = format!("group-{group}.{:04}.whole.log", chains.len() + 1);
        let written = fetch(client, request, &self.folder.join(&name)).await?;
        chains.push(Chain { parts: vec![part(name, &written)] });
        Ok(Added { group, written: Some(written), whole: true })
    }

    fn say(&self, manifest: &Manifest, all: &[Added], (behind, torn): (bool, bool), out: Output) {
        let bytes: u64 =
            all.iter().filter_map(|added| added.written.as_ref()).map(|written| written.bytes).sum();
        if out.json {
            let group = |added: &Added| {
                let written = added.written.as_ref();
                serde_json::json!({
                    "group": added.group,
                    "added": written.map(|_| if added.whole { "whole" } else { "increment" }),
                    "first_index": written.map(|written| written.first),
                    "last_index": manifest.chain(added.group, None).and_then(Chain::last),
                    "state_hash": written.map(|written| format!("{:016x}", written.hash)),
                    "bytes": written.map_or(0, |written| written.bytes),
                })
            };
            let groups: Vec<serde_json::Value> = all.iter().map(group).collect();
            let facts = serde_json::json!({
                "folder": self.folder, "cluster": manifest.cluster, "bytes": bytes, "behind": behind, "torn": torn, "groups": groups,
            });
            println!("{facts:#}");
            return;
        }
        let mut shown = table(["GROUP", "ADDED", "ENTRIES", "STATE", "BYTES"]);
        for Added { group, written, whole } in all {
            let name = if *group == 0 { "cluster".to_owned() } else { format!("shard {group}") };
            match written {
                None => shown.add_row([
                    name,
                    "nothing new".to_owned(),
                    String::new(),
                    String::new(),
                    String::new(),
                ]),
                Some(written) => shown.add_row([
                    name,
                    if *whole { "everything" } else { "what came since" }.to_owned(),
                    match written.snapshot {
                        Some(snapshot) => format!("snapshot {snapshot}, to {}", written.last),
                        None => format!("{} to {}", written.first, written.last),
                    },
                    format!("{:016x}", written.hash),
                    written.bytes.to_string(),
                ]),
            };
        }
        println!("{shown}");
        println!("{}: {bytes} bytes added", self.folder.display());
        if behind {
            eprintln!(
                "warning: the node is behind the others; what they had done since is in the next backup"
            );
        }
        if torn {
            eprintln!(
                "warning: domains moved all the while, one may be in none of the files: make another backup"
            );
        }
        println!("look at it: centralita restore {} --dry-run", self.folder.display());
    }
}

fn part(file: String, written: &Written) -> Part {
    Part {
        file,
        first: written.first,
        last: written.last,
        state_hash: format!("{:016x}", written.hash),
        bytes: written.bytes,
        from_ms: written.wall_ms.map(|(from, _)| from),
        to_ms: written.wall_ms.map(|(_, to)| to),
    }
}

async fn cluster(client: &Client) -> Result<v1::ClusterState, Failure> {
    let call =
        || async { ClusterClient::new(client.channel.clone()).get_cluster(v1::GetClusterRequest {}).await };
    client.call(call).await
}

/// Waits until the node has what any replica had when the backup began; whether it is still behind.
async fn caught_up(client: &Client, state: &v1::ClusterState) -> Result<bool, Failure> {
    let until = Instant::now() + CATCH_UP;
    let most =
        |shard: &v1::cluster_state::Shard| shard.members.iter().filter_map(|member| member.applied).max();
    let wanted: Vec<(u32, u64)> =
        state.shards.iter().filter_map(|shard| Some((shard.id, most(shard)?))).collect();
    let mut now = state.clone();
    loop {
        let has = |(id, index): &(u32, u64)| {
            now.shards.iter().any(|shard| shard.id == *id && shard.applied >= *index)
        };
        if wanted.iter().all(has) {
            return Ok(false);
        }
        if Instant::now() >= until {
            return Ok(true);
        }
        tokio::time::sleep(LOOK).await;
        now = cluster(client).await?;
    }
}

/// One backup at a time writes into a folder.
fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(|error| at(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another backup into {} is under way", folder.display());
            Err(Failure::new(Kind::Data, message).remedy("wait for it, or choose another folder"))
        }
        Err(TryLockError::Error(error)) => Err(at(&path, &error)),
    }
}

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
