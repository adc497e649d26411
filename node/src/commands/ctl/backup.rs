//! `ctl backup`: a copy from which a cluster can begin again.

use super::client::Client;
use super::fetch::{Written, at, check, fetch};
use super::output::{Output, table};
use crate::backup::{Chain, Manifest, ManifestError, Part, Vault};
use crate::failure::{Failure, Kind};
use proto::v1;
use proto::v1::cluster_client::ClusterClient;
use std::collections::BTreeMap;
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
  centralita ctl backup s3://backups/centralita
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
    /// The backup's folder, which is made if there is none, or in an object store s3://BUCKET/PREFIX,
    /// gs://BUCKET/PREFIX, az://CONTAINER/PREFIX.
    place: String,
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
        let mut vault = Vault::named(&self.place)?;
        let state = cluster(client).await?;
        vault.lock().await?;
        let made = self.make(client, state, &mut vault, out).await;
        vault.unlock().await;
        made
    }

    async fn make(
        &self,
        client: &Client,
        state: v1::ClusterState,
        vault: &mut Vault,
        out: Output,
    ) -> Result<(), Failure> {
        let mut manifest = manifest(&state, vault).await?;
        let behind = caught_up(client, &state).await?;
        let mut all: BTreeMap<u32, Added> = BTreeMap::new();
        let mut begun = (!state.moves.is_empty(), state.moves_begun);
        let mut torn = true;
        for round in 0..ROUNDS {
            for group in 0..=manifest.shards {
                let chains = manifest.groups.entry(group).or_default();
                let added = self.add(client, group, chains, vault).await?;
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
        vault.save(&manifest).await?;
        say(vault, &manifest, &all, (behind, torn), out);
        Ok(())
    }

    /// Adds what a group has done since the last file, or begins a new chain.
    async fn add(
        &self,
        client: &Client,
        group: u32,
        chains: &mut Vec<Chain>,
        vault: &mut Vault,
    ) -> Result<Added, Failure> {
        let last = chains.last().and_then(Chain::last).filter(|_| !self.full);
        if let Some(after) = last {
            let request = v1::ExportLogRequest { shard: group, from_snapshot: false, after: Some(after) };
            let name = format!("group-{group}.{:04}.{:012}.log", chains.len(), after + 1);
            let staged = vault.stage(&name);
            match fetch(client, request, &staged).await {
                Ok(written) if written.last <= after => {
                    std::fs::remove_file(&staged).map_err(|error| at(&staged, &error))?;
                    return Ok(Added { group, written: None, whole: false });
                }
                Ok(written) => {
                    let chain = chains.last_mut().ok_or_else(|| Failure::new(Kind::Other, "no chain"))?;
                    chain.parts.push(keep(vault, name, &written).await?);
                    return Ok(Added { group, written: Some(written), whole: false });
                }
                // What came since is in a snapshot alone: everything is copied.
                Err(failure) if failure.message.starts_with("GONE") => {}
                Err(failure) => return Err(failure),
            }
        }
        let request = v1::ExportLogRequest { shard: group, from_snapshot: last.is_some(), after: None };
        let name = format!("group-{group}.{:04}.whole.log", chains.len() + 1);
        let written = fetch(client, request, &vault.stage(&name)).await?;
        chains.push(Chain { parts: vec![keep(vault, name, &written).await?] });
        Ok(Added { group, written: Some(written), whole: true })
    }
}

/// The list of what is there, or an empty one.
async fn manifest(state: &v1::ClusterState, vault: &mut Vault) -> Result<Manifest, Failure> {
    let shards = state.shards.iter().map(|shard| shard.id).max().unwrap_or(0);
    let manifest = match vault.load().await {
        Ok(manifest) => manifest,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 1 on"
        )]
        Err(ManifestError::None(_)) => Manifest::new(state.cluster_id.clone(), shards, state.speed as u32),
        Err(error) => return Err(Failure::new(Kind::Data, error).remedy("choose another place")),
    };
    if manifest.cluster != state.cluster_id {
        let message =
            format!("{vault} is a backup of cluster '{}', not of '{}'", manifest.cluster, state.cluster_id);
        return Err(Failure::new(Kind::Data, message).remedy("choose another place, or another --target"));
    }
    Ok(manifest)
}

fn say(vault: &Vault, manifest: &Manifest, all: &[Added], (behind, torn): (bool, bool), out: Output) {
    let bytes: u64 = all.iter().filter_map(|added| added.written.as_ref()).map(|written| written.bytes).sum();
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
            "folder": vault.to_string(), "cluster": manifest.cluster, "bytes": bytes, "behind": behind, "torn": torn, "groups": groups,
        });
        println!("{facts:#}");
        return;
    }
    let mut shown = table(["GROUP", "ADDED", "ENTRIES", "STATE", "BYTES"]);
    for Added { group, written, whole } in all {
        let name = if *group == 0 { "cluster".to_owned() } else { format!("shard {group}") };
        match written {
            None => {
                shown.add_row([name, "nothing new".to_owned(), String::new(), String::new(), String::new()])
            }
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
    println!("{vault}: {bytes} bytes added");
    if behind {
        eprintln!("warning: the node is behind the others; what they had done since is in the next backup");
    }
    if torn {
        eprintln!(
            "warning: domains moved all the while, one may be in none of the files: make another backup"
        );
    }
    println!("look at it: centralita restore {vault} --dry-run");
}

/// Has what was fetched be a file of the backup. It counts once it was read again there.
async fn keep(vault: &mut Vault, name: String, written: &Written) -> Result<Part, Failure> {
    let staged = vault.stage(&name);
    let name = vault.keep(name, &staged).await?;
    let path = vault.path(&name);
    let unread = |error: std::io::Error| Failure::new(Kind::Data, format!("{path}: {error}"));
    let there = check(vault.open(&name, written.bytes).map_err(unread)?, written.bytes)?;
    if there != *written {
        let message = format!("{path} is not what the node sent");
        return Err(Failure::new(Kind::Data, message).remedy("look at the disk or the store"));
    }
    Ok(part(name, written))
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

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
