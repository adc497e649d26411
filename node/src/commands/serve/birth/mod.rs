//! How a node comes to its cluster: it is among the listed members, founds one alone, founds one
//! together with others, or joins one.

mod ask;
mod meeting;
mod record;
mod restored;

pub(super) use record::Belongs;
pub(in crate::commands) use restored::{Restored, UNFINISHED};

use crate::config::{Said, Settings};
use crate::failure::{Failure, Kind};
use crate::world::SystemEntropy;
use ask::Asked;
use consensus::{Entropy, NODES_MAX, NodeId};
use meeting::Meeting;
use record::Record;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;

/// Pause between two rounds of asking.
const ROUND: Duration = Duration::from_millis(300);
/// How often it is said what is waited for, in rounds.
const SAY_EVERY: u32 = 34;

fn draw() -> u128 {
    u128::from(SystemEntropy.next_u64()) << 64 | u128::from(SystemEntropy.next_u64())
}

/// The cluster this node belongs to; `None` when its members are listed in the configuration. A
/// node with `join` or `bootstrap_expect` waits here until it has one. `address` is where the
/// others reach it.
///
/// # Errors
/// When the folder is another's, or the cluster refuses for good.
pub(super) async fn settle(
    settings: &Settings,
    listener: &TcpListener,
    address: &str,
    level: u32,
) -> Result<Option<Belongs>, Failure> {
    let folder: &Path = &settings.data;
    restored::check(folder)?;
    let known = Record::load(folder)?;
    if let Some(record) = &known {
        check(settings, record)?;
        if let Some(belongs) = &record.belongs {
            agree(settings, belongs)?;
            return Ok(Some(belongs.clone()));
        }
    }
    let alone = settings.join.is_empty() && settings.bootstrap_expect.is_none();
    if !settings.members.is_empty() || (alone && record::is_used(folder)) {
        return Ok(None);
    }
    if record::is_used(folder) {
        let message = format!("the data folder {} belongs to a node with listed members", folder.display());
        return Err(Failure::new(Kind::Data, message)
            .remedy("start it with the same --node and --member as before, or join with an empty folder"));
    }
    let mut record = known.unwrap_or_else(|| Record { nonce: draw(), address: String::new(), belongs: None });
    record.address = address.to_owned();
    record.save(folder)?;
    let belongs =
        if alone { found(settings, address) } else { wait(settings, &record, listener, level).await? };
    agree(settings, &belongs)?;
    tracing::info!(cluster = %belongs.cluster, node = %belongs.node, founder = belongs.founder, "belongs");
    record.belongs = Some(belongs.clone());
    record.save(folder)?;
    Ok(Some(belongs))
}

fn check(settings: &Settings, record: &Record) -> Result<(), Failure> {
    let folder = settings.data.display();
    if !settings.members.is_empty() {
        let message = format!("the data folder {folder} belongs to a node that is not of a list of members");
        return Err(Failure::new(Kind::Data, message)
            .remedy("start it without --member: the cluster knows its members; or choose another --data"));
    }
    match record.name() {
        Some(name) if name != settings.cluster => {
            let message =
                format!("the data folder {folder} belongs to cluster '{name}', not '{}'", settings.cluster);
            Err(Failure::new(Kind::Data, message).remedy("correct --cluster, or choose another --data"))
        }
        _ => Ok(()),
    }
}

/// Whether what was said of the node agrees with what it is in its cluster.
fn agree(settings: &Settings, belongs: &Belongs) -> Result<(), Failure> {
    let differs = |what: String| {
        let message = format!("node {} of cluster '{}': {what}", belongs.node.0, belongs.cluster);
        let remedy = "leave it out: the cluster knows it; or choose another --data";
        Err(Failure::new(Kind::Data, message).remedy(remedy))
    };
    let Said { node, shards, speed } = settings.said;
    match (node, shards, speed) {
        (Some(node), ..) if node != belongs.node.0 => {
            let folder = settings.data.display();
            differs(format!("the data folder {folder} holds {}, not {}", belongs.node, NodeId(node)))
        }
        (_, Some(shards), _) if shards != belongs.shards => {
            differs(format!("the cluster was born with {} shards, not {shards}", belongs.shards))
        }
        (_, _, Some(speed)) if speed != belongs.speed => {
            differs(format!("the cluster runs at speed {}, not {speed}", belongs.speed))
        }
        _ => Ok(()),
    }
}

/// A cluster of this node alone, which others may join.
fn found(settings: &Settings, address: &str) -> Belongs {
    let node = NodeId(settings.node);
    Belongs {
        cluster: format!("{}/{:032x}", settings.cluster, draw()),
        node,
        founder: true,
        shards: settings.shards,
        speed: settings.speed,
        members: BTreeMap::from([(node, address.to_owned())]),
    }
}

/// Asks around until there is a cluster to belong to.
async fn wait(
    settings: &Settings,
    record: &Record,
    listener: &TcpListener,
    level: u32,
) -> Result<Belongs, Failure> {
    let meeting = Meeting::new(&settings.cluster, record.nonce, &record.address);
    let server = meeting.serve(listener)?;
    let mut round = 0;
    let belongs = loop {
        let mut joined = None;
        for target in targets(settings, &meeting, &record.address) {
            let founding = settings.bootstrap_expect.is_some();
            match ask::once(&target, &settings.cluster, record, founding, level).await {
                Ok(Asked::Joined(belongs)) => {
                    joined = Some(belongs);
                    break;
                }
                Ok(Asked::Met(seen)) => meeting.met(&seen),
                Err(ask::Error::Again(why)) => tracing::debug!(target, why, "not yet"),
                Err(ask::Error::Never(failure)) => {
                    server.stop().await;
                    return Err(failure);
                }
            }
        }
        if let Some(belongs) = joined {
            break belongs;
        }
        if let Some(expect) = settings.bootstrap_expect
            && meeting.is_mine_to_found(expect as usize)
        {
            break found(settings, &record.address);
        }
        if round % SAY_EVERY == 0 {
            say(settings, &meeting);
        }
        round += 1;
        tokio::time::sleep(ROUND).await;
    };
    server.stop().await;
    Ok(belongs)
}

/// Whom to ask: the addresses given, and who was met.
fn targets(settings: &Settings, meeting: &Meeting, own: &str) -> Vec<String> {
    let mut targets = settings.join.clone();
    targets.extend(meeting.addresses());
    targets.sort();
    targets.dedup();
    targets.retain(|target| target != own);
    targets.truncate(NODES_MAX);
    targets
}

fn say(settings: &Settings, meeting: &Meeting) {
    let at = settings.join.join(", ");
    match settings.bootstrap_expect {
        Some(expect) => tracing::info!(
            "waiting for a cluster at {at}, or for {expect} nodes to found one: {} here, this one included",
            meeting.len()
        ),
        None => tracing::info!("waiting for a cluster to join at {at}"),
    }
}
