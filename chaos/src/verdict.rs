//! Whether everything that was acknowledged is in the record.

use crate::probe::Probe;
use anyhow::{Context, bail};
use client::Client;
use proto::v1;
use proto::v1::events_client::EventsClient;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// What a domain's record lacks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Acknowledged conversations that are not in it.
    pub conversations: Vec<String>,
    /// Events in it.
    pub events: u64,
}

/// Time for a replica that was away to have what was acknowledged last.
const CATCH_UP_MAX: Duration = Duration::from_secs(10);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Reads a domain's events from the beginning and compares: again, for a while, as long as some are not
/// there. A node that was restarted says what its own replica has, which may not be all yet.
///
/// # Errors
/// When no node has them all, or there is a hole.
pub async fn judge(client: &Client, nodes: usize, probe: &Probe) -> anyhow::Result<Lost> {
    let until = Instant::now() + CATCH_UP_MAX;
    loop {
        let lost = compare(client, nodes, probe).await?;
        if lost.conversations.is_empty() || Instant::now() >= until {
            return Ok(lost);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn compare(client: &Client, nodes: usize, probe: &Probe) -> anyhow::Result<Lost> {
    let mut why = anyhow::anyhow!("no node was asked");
    for place in 0..nodes {
        match read(client, place, &probe.realm.domain).await {
            Ok((events, known)) => {
                let seen = probe.seen();
                let conversations = seen.acknowledged.difference(&known).cloned().collect();
                return Ok(Lost { conversations, events });
            }
            Err(error) => why = error,
        }
    }
    Err(why.context(format!("the events of {}", probe.realm.domain)))
}

async fn read(client: &Client, place: usize, domain: &str) -> anyhow::Result<(u64, BTreeSet<String>)> {
    let request =
        v1::WatchRequest { domain: domain.to_owned(), from: 1, until_now: true, ..Default::default() };
    let mut events = EventsClient::new(client.at(place)).watch(request).await?.into_inner();
    let (mut sequence, mut known) = (0, BTreeSet::new());
    while let Some(event) = events.message().await.context("the stream of events broke")? {
        if event.sequence != sequence + 1 {
            bail!("after event {sequence} comes {}: a hole", event.sequence);
        }
        sequence = event.sequence;
        if !event.conversation.is_empty() {
            known.insert(event.conversation);
        }
    }
    Ok((sequence, known))
}
