//! `restore`: the data folder of a new cluster from a backup.

use crate::backup::{Manifest, Played, Until, Vault, play};
use crate::commands::serve::{self, Restored};
use crate::failure::{Failure, Kind};
use crate::services::name_of;
use crate::world::SystemEntropy;
use clap::builder::ValueParser;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use consensus::disk::RealDisk;
use consensus::{Beginning, Config, Entropy, GroupId, NodeId};
use jiff::Timestamp;
use routing::{ConversationId, DomainId, Shard, ShardId};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::bytes::Bytes;

const EXAMPLES: &str = "\
The former cluster must not run on: what it did after the backup is unknown here. Ids that it may have
given out are not given out again, agents sign in anew, and readers of events begin again, because the
new cluster has another incarnation (docs/backup.md).

Examples:
  centralita restore /var/backups/centralita --dry-run
  centralita restore s3://backups/centralita --dry-run
  centralita restore /var/backups/centralita --data /var/lib/centralita --advertise node1:7400
  centralita restore /var/backups/centralita --data new --advertise node1:7400 --until 2026-11-23T09:30:00Z
  centralita serve --data /var/lib/centralita --listen 0.0.0.0:7400 --advertise node1:7400";

/// The founder of what is restored.
const FOUNDER: NodeId = NodeId(1);

/// Begins a cluster from a backup: checks it, applies it, and writes the data folder of its first node.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The backup: a folder, or in an object store s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX.
    backup: String,
    /// The folder of the first node: a new or an empty one.
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    data: Option<PathBuf>,
    /// Where the other nodes and clients will reach this one, HOST:PORT.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "dry_run")]
    advertise: Option<String>,
    /// The new cluster's name; the former one's by default.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Leaves out what came after this moment, as 2026-11-23T09:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = ValueParser::new(moment))]
    until: Option<Timestamp>,
    /// Leaves out what came after this index of a group's log; may be repeated. Group 0 is the cluster's own, group N is shard N.
    #[arg(long, value_name = "GROUP=INDEX", value_parser = ValueParser::new(at), conflicts_with = "until")]
    at: Vec<(u32, u64)>,
    /// Checks the backup and shows what would be restored.
    #[arg(long)]
    dry_run: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("{error}; write it as 2026-11-23T09:30:00Z"))
}

fn at(text: &str) -> Result<(u32, u64), String> {
    let parsed =
        text.split_once('=').and_then(|(group, index)| Some((group.parse().ok()?, index.parse().ok()?)));
    parsed.ok_or_else(|| "write it as GROUP=INDEX, for example 1=1200".to_owned())
}

/// Carries the command out.
///
/// # Errors
/// When the backup is damaged, or the folder cannot be used.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut vault = Vault::named(&args.backup)?;
    let manifest = vault.load().await.map_err(|error| Failure::new(Kind::Data, error))?;
    let until = until(&args, &manifest)?;
    let groups = manifest.shards;
    let quiet = args.json;
    let mut progress = |group: u32| {
        if !quiet {
            eprintln!("group {group} of {groups} is applied, every hash in it was the same");
        }
    };
    let mut played = play(&vault, &manifest, &until, &mut progress).map_err(|error| {
        Failure::new(Kind::Data, error).remedy("nothing was written; take another backup, or another moment")
    })?;
    // As in the backup, before anything is put right.
    let mut facts = facts(&manifest, &played);
    let mut shards: Vec<_> = played.shards.values_mut().map(|played| &mut played.shard).collect();
    let gathered = Shard::gather(&mut shards);
    if let Some(domain) = gathered.lost.first() {
        let message =
            format!("{domain} was on its way between shards, and at this moment none has all of it");
        return Err(Failure::new(Kind::Data, message).remedy("nothing was written; take another moment"));
    }
    let reconciled = Shard::reconcile(&mut shards);
    let names = |all: &[ConversationId]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    facts["closed"] = names(&reconciled.closed).into();
    facts["returned"] = names(&reconciled.returned).into();
    if let (Some(data), Some(address), false) = (&args.data, &args.advertise, args.dry_run) {
        let name = args.cluster.clone().unwrap_or_else(|| name_of(&manifest.cluster).to_owned());
        write(data, address, &name, &manifest, (played, &gathered.places)).await?;
        if !args.json {
            tell(&facts);
            let data = data.display();
            println!(
                "{data} is the data of node 1 of a new cluster '{name}'; the former one must not run on"
            );
            println!(
                "start it: centralita serve --cluster {name} --data {data} --listen ADDRESS --advertise {address}"
            );
            println!("others join with empty folders: centralita serve --cluster {name} --join {address}");
            return Ok(());
        }
    }
    if args.json {
        println!("{facts:#}");
    } else {
        tell(&facts);
    }
    Ok(())
}

fn until(args: &Args, manifest: &Manifest) -> Result<Until, Failure> {
    let index: BTreeMap<u32, u64> = args.at.iter().copied().collect();
    if let Some(group) = index.keys().find(|group| **group > manifest.shards) {
        let message = format!("there is no group {group}: the cluster had {} shards", manifest.shards);
        return Err(Failure::new(Kind::Config, message));
    }
    let at_ms = args.until.map(|until| u64::try_from(until.as_millisecond()).unwrap_or(0));
    Ok(Until { at_ms, index })
}

/// Writes everything; a folder in which this was interrupted says so to whoever starts on it.
async fn write(
    data: &Path,
    address: &str,
    name: &str,
    manifest: &Manifest,
    (played, places): (Played, &BTreeMap<DomainId, ShardId>),
) -> Result<(), Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        let message = format!("the data folder {}: {error}", data.display());
        Failure::new(Kind::Data, message).remedy("name a new folder with --data, or empty this one")
    };
    fs::create_dir_all(data).map_err(|error| unusable(&error))?;
    let mut there = fs::read_dir(data).map_err(|error| unusable(&error))?.flatten();
    // What some file systems put into every new one is no data.
    if let Some(entry) = there.find(|entry| entry.file_name() != "lost+found") {
        return Err(unusable(&format!("it holds {} already", entry.file_name().to_string_lossy())));
    }
    let entropy = SystemEntropy;
    let draw = u128::from(entropy.next_u64()) << 64 | u128::from(entropy.next_u64());
    let cluster = format!("{name}/{draw:032x}");
    let marker = data.join(serve::UNFINISHED);
    File::create(&marker).and_then(|file| file.sync_all()).map_err(|error| unusable(&error))?;
    let members = BTreeMap::from([(FOUNDER, address.to_owned())]);
    let config =
        Config { speed: manifest.speed, ..Config::new(FOUNDER, &cluster, members, manifest.shards, data) };
    let beginnings = beginnings(played, address, places);
    let disk = RealDisk::new().map_err(|error| unusable(&error))?;
    consensus::restore(&config, Arc::new(disk), &entropy, beginnings)
        .await
        .map_err(|error| unusable(&error))?;
    let restored = Restored {
        cluster,
        node: FOUNDER,
        shards: manifest.shards,
        speed: manifest.speed,
        address: address.to_owned(),
    };
    restored.write(data)?;
    fs::remove_file(&marker).and_then(|()| File::open(data)?.sync_all()).map_err(|error| unusable(&error))
}

fn beginnings(played: Played, address: &str, places: &BTreeMap<DomainId, ShardId>) -> Vec<Beginning> {
    let Played { meta, shards } = played;
    let own = meta.at().map(|(index, term)| {
        let state = Bytes::from(meta.reborn(FOUNDER, address, places));
        Beginning { group: GroupId::META, index, term, state }
    });
    let shards = shards.into_iter().map(|(group, mut played)| {
        played.shard.reborn();
        let state = Bytes::from(proto::codec::encode(&played.shard));
        Beginning { group: GroupId(group), index: played.index, term: played.term, state }
    });
    own.into_iter().chain(shards).collect()
}

/// What the backup holds up to there.
fn facts(manifest: &Manifest, played: &Played) -> serde_json::Value {
    let time = |wall_ms: Option<u64>| {
        let moment = wall_ms.and_then(|ms| Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok());
        moment.map(|moment| moment.to_string())
    };
    let shard = |group: u32| {
        let Some(played) = played.shards.get(&group) else { return serde_json::json!({ "shard": group }) };
        let views: Vec<_> = played.shard.domain_ids().filter_map(|id| played.shard.view(id)).collect();
        let conversations: usize = views.iter().map(|view| view.conversations.len()).sum();
        let agents: usize = views.iter().map(|view| view.agents.len()).sum();
        serde_json::json!({
            "shard": group, "index": played.index, "state_hash": format!("{:016x}", played.shard.state_hash()),
            "last_change": time(played.wall_ms), "domains": views.len(), "agents": agents, "conversations": conversations,
        })
    };
    let shards: Vec<serde_json::Value> = (1..=manifest.shards).map(shard).collect();
    serde_json::json!({
        "cluster": manifest.cluster, "made": time(Some(manifest.made_ms)),
        "accounts": played.meta.accounts().len(), "domains": played.meta.domains().len(),
        "index": played.meta.at().map(|(index, _)| index), "state_hash": format!("{:016x}", played.meta.hash()),
        "shards": shards,
    })
}

/// What is in it, and what had to be put right.
fn tell(facts: &serde_json::Value) {
    println!("{}", show(facts));
    for (key, what) in [
        (
            "closed",
            "were in two domains, which are restored to different moments, and are closed in the later one",
        ),
        (
            "returned",
            "would be in no domain, since these are restored to different moments, and wait again in the earlier one",
        ),
    ] {
        let list = facts[key].as_array().map_or(&[][..], Vec::as_slice);
        if !list.is_empty() {
            let names: Vec<&str> = list.iter().filter_map(serde_json::Value::as_str).collect();
            println!("{} conversations {what}: {}", names.len(), names.join(", "));
        }
    }
}

fn show(facts: &serde_json::Value) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["GROUP", "INDEX", "STATE", "LAST CHANGE", "HOLDS"]);
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::Null => "nothing".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let holds = format!("{} accounts, {} domains", facts["accounts"], facts["domains"]);
    table.add_row([
        "cluster".to_owned(),
        text(&facts["index"]),
        text(&facts["state_hash"]),
        String::new(),
        holds,
    ]);
    for shard in facts["shards"].as_array().into_iter().flatten() {
        let [domains, agents, conversations] =
            ["domains", "agents", "conversations"].map(|key| text(&shard[key]));
        let holds = format!("{domains} domains, {agents} agents, {conversations} conversations");
        table.add_row([
            format!("shard {}", shard["shard"]),
            text(&shard["index"]),
            text(&shard["state_hash"]),
            text(&shard["last_change"]),
            holds,
        ]);
    }
    table
}
