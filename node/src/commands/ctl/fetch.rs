//! A part of a group's log from a node into a file, whole or not at all.

use super::client::{Client, refused};
use crate::failure::{Failure, Kind};
use proto::log_file::{Item, LogReader};
use proto::v1;
use proto::v1::cluster_client::ClusterClient;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// Index of the first entry.
    pub(super) first: u64,
    /// Index of the last one.
    pub(super) last: u64,
    /// Index of the snapshot it begins with, if it does.
    pub(super) snapshot: Option<u64>,
    /// Hash of the state at the end.
    pub(super) hash: u64,
    /// Size.
    pub(super) bytes: u64,
    /// Wall time of the first and the last batch of commands, Unix milliseconds.
    pub(super) wall_ms: Option<(u64, u64)>,
}

/// Fetches it. Under its name the file is always whole: it is read once more before it gets it.
pub(super) async fn fetch(
    client: &Client,
    request: v1::ExportLogRequest,
    file: &Path,
) -> Result<Written, Failure> {
    let mut name = file.to_owned().into_os_string();
    name.push(".part");
    let part = PathBuf::from(name);
    let fetched = match write(client, request, &part).await {
        Err(failure) if failure.message.starts_with("NOT_HERE") => {
            write(&leader_of(client, request.shard).await?, request, &part).await
        }
        fetched => fetched,
    };
    let written = match fetched {
        Ok(()) => check_file(&part),
        Err(failure) => Err(failure),
    };
    let renamed = written.and_then(|written| {
        std::fs::rename(&part, file).map_err(|error| at(file, &error))?;
        Ok(written)
    });
    if renamed.is_err() {
        // It may not even have been made.
        let _ = std::fs::remove_file(&part);
    }
    renamed
}

/// The leader of a shard, for what the asked node has no replica of.
pub(super) async fn leader_of(client: &Client, shard: u32) -> Result<Client, Failure> {
    let state = super::cluster::fetch(client).await?;
    let leader = state.shards.iter().find(|one| one.id == shard).map_or(0, |one| one.leader);
    let Some(node) = state.nodes.iter().find(|node| node.id == leader) else {
        let message = format!("shard {shard} has no leader now");
        return Err(Failure::new(Kind::Unreachable, message).remedy("try again in a second"));
    };
    Client::connect(&node.address).await
}

async fn write(client: &Client, request: v1::ExportLogRequest, part: &Path) -> Result<(), Failure> {
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

/// A failure of the file system.
pub(super) fn at(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Other, format!("{}: {error}", path.display()))
}

fn check_file(part: &Path) -> Result<Written, Failure> {
    let file = File::open(part).map_err(|error| at(part, &error))?;
    let bytes = file.metadata().map_err(|error| at(part, &error))?.len();
    check(BufReader::new(file), bytes)
}

/// Reads a file of so many bytes once more, from its beginning to its end.
pub(super) fn check(from: impl Read, bytes: u64) -> Result<Written, Failure> {
    let damaged = |error| Failure::new(Kind::Other, format!("what the node sent is not whole: {error}"));
    let mut reader = LogReader::open(from).map_err(damaged)?;
    let first = reader.header().first;
    let snapshot = reader.take_snapshot().map(|snapshot| snapshot.head.index);
    let (mut last, mut hash, mut wall_ms) = (0, 0, None);
    while let Some(item) = reader.next_item().map_err(damaged)? {
        match item {
            Item::Batch(batch) => {
                let from = wall_ms.map_or(batch.wall_ms, |(from, _)| from);
                wall_ms = Some((from, batch.wall_ms));
            }
            Item::StateHash { index, hash: end, last: true } => (last, hash) = (index, end),
            Item::Passed { .. } | Item::StateHash { .. } => {}
        }
    }
    Ok(Written { first, last, snapshot, hash, bytes, wall_ms })
}
