//! A node that was away while much happened: how far it fell behind, and how it caught up.

use anyhow::Context;
use client::Client;
use indicatif::ProgressBar;
use proto::log_file::LogReader;
use proto::v1;
use proto::v1::cluster_client::ClusterClient;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// What is read of a log to know where it begins.
const HEAD_BYTES: usize = 64 << 10;
const CALL_MAX: Duration = Duration::from_secs(5);

/// How far a node fell behind and how it came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The shard with the most entries.
    pub shard: u32,
    /// Entries that the node lacked when it was started again.
    pub entries: u64,
    /// From its start until it had everything that the others have.
    pub caught_up: Duration,
    /// Whether it was sent a snapshot: the entries it lacked are not in its log.
    pub by_snapshot: bool,
}

/// A node's index of the shard in which most has happened since `before`, and how much that is.
fn most(before: &v1::ClusterState, now: &v1::ClusterState) -> Option<(u32, u64, u64)> {
    let grown = |shard: &v1::cluster_state::Shard| {
        let then = before.shards.iter().find(|one| one.id == shard.id).map_or(0, |one| one.applied);
        (shard.id, then, shard.applied.saturating_sub(then))
    };
    now.shards.iter().map(grown).max_by_key(|(_, _, by)| *by)
}

async fn state(client: &Client, place: usize) -> anyhow::Result<v1::ClusterState> {
    let mut node = ClusterClient::new(client.at(place));
    let state =
        timeout(CALL_MAX, node.get_cluster(v1::GetClusterRequest {})).await.context("no answer in time")?;
    Ok(state?.into_inner())
}

/// Waits until so many entries came to some shard at this node since `before`; the shard, the index
/// it had before and how many there are.
///
/// # Errors
/// When the node does not answer, or it takes longer than `most_time`.
pub async fn wait(
    client: &Client,
    place: usize,
    before: &v1::ClusterState,
    entries: u64,
    most_time: Duration,
) -> anyhow::Result<(u32, u64, u64)> {
    let until = Instant::now() + most_time;
    let progress = ProgressBar::new(entries).with_message("entries");
    loop {
        let now = state(client, place).await?;
        if let Some((shard, then, by)) = most(before, &now) {
            progress.set_position(by.min(entries));
            if by >= entries {
                progress.finish_and_clear();
                return Ok((shard, then, by));
            }
            anyhow::ensure!(
                Instant::now() < until,
                "{by} of {entries} entries came to shard {shard} within {most_time:?}: ask for fewer, or raise --probe-rate"
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether the node's log of a shard begins after this index: then it was sent a snapshot.
///
/// # Errors
/// When it does not say.
pub async fn begins_after(client: &Client, place: usize, shard: u32, index: u64) -> anyhow::Result<bool> {
    let request = v1::ExportLogRequest { shard, from_snapshot: false, after: None };
    let mut chunks = ClusterClient::new(client.at(place)).export_log(request).await?.into_inner();
    let mut head = Vec::new();
    // The header says it; the snapshot after it is not needed.
    while head.len() < HEAD_BYTES {
        let Some(chunk) = chunks.message().await? else { break };
        head.extend(chunk.data);
    }
    let first = LogReader::first_index(&head[..]).context("the head of the log")?;
    Ok(first > index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(applied: &[(u32, u64)]) -> v1::ClusterState {
        let shard =
            |&(id, applied): &(u32, u64)| v1::cluster_state::Shard { id, applied, ..Default::default() };
        v1::ClusterState { shards: applied.iter().map(shard).collect(), ..Default::default() }
    }

    #[test]
    fn the_shard_that_grew_most_counts() {
        let before = at(&[(0, 9), (1, 100), (2, 5)]);
        assert_eq!(most(&before, &at(&[(0, 10), (1, 110), (2, 30)])), Some((2, 5, 25)));
        assert_eq!(most(&before, &at(&[])), None);
    }
}
