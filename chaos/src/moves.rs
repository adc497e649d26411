//! A domain that goes to another shard under load.

use crate::settled::{self, Place};
use anyhow::{Context, bail, ensure};
use client::Client;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::cluster_client::ClusterClient;
use std::time::Duration;
use tokio::time::Instant;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Time for a move to end, well or not: one that takes longer than 10 s is given up by itself.
const MOVE_MAX: Duration = Duration::from_secs(60);

/// The shard after this one.
pub fn next(shard: u32, shards: u32) -> u32 {
    shard % shards + 1
}

/// Has a domain go to a shard and waits until it is there and nothing is left of it where it was; how long
/// that took.
///
/// # Errors
/// When it is refused, given up, or takes too long.
pub async fn go(client: &Client, alive: &Place, domain: &str, to: u32) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let request = v1::MoveDomainRequest { domain: domain.to_owned(), to, cancel: false };
    let asked = client.call("", |node| {
        let request = request.clone();
        async move { ClusterClient::new(node).move_domain(request).await }
    });
    asked.await.with_context(|| format!("{domain} is not moved to shard {to}"))?;
    loop {
        let state = settled::state(alive).await;
        let under_way = |state: &v1::ClusterState| state.moves.iter().any(|way| way.domain == domain);
        // A node that has not heard of it yet says where the domain was.
        if state.is_some_and(|state| !under_way(&state)) && shard_of(client, domain).await? == to {
            return Ok(began.elapsed());
        }
        if began.elapsed() >= MOVE_MAX {
            bail!("{domain} is not on shard {to} after {MOVE_MAX:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn shard_of(client: &Client, domain: &str) -> anyhow::Result<u32> {
    let request = v1::GetDomainRequest { domain: domain.to_owned() };
    let known = client.call(domain, |node| {
        let request = request.clone();
        async move { AdminClient::new(node).get_domain(request).await }
    });
    let shard = known.await.with_context(|| format!("where {domain} is"))?.shard;
    ensure!(shard > 0, "{domain} is on no shard");
    Ok(shard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_shard_is_another_one_and_all_come_in_turn() {
        let mut shard = 1;
        let course: Vec<u32> = std::iter::repeat_with(|| {
            shard = next(shard, 4);
            shard
        })
        .take(5)
        .collect();
        assert_eq!(course, [2, 3, 4, 1, 2]);
    }
}
