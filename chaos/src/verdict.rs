//! Whether everything that was acknowledged is in the record, and what went between domains in one of them.

use crate::crossing::Crossing;
use crate::ledger::{Ledger, Wrong};
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

/// What became of conversations that went between domains.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Crossed {
    /// All that were acknowledged.
    pub travellers: usize,
    /// Those that are in another domain.
    pub moved: usize,
    /// Those whose customer left, as was acknowledged.
    pub left: usize,
    /// What is wrong, with which.
    pub wrong: Vec<(String, Wrong)>,
}

/// Time for what is on its way between domains to settle: a transfer is recalled after 10 s.
const SETTLE_MAX: Duration = Duration::from_secs(40);
/// Time for a replica that was away to have what was acknowledged last.
const CATCH_UP_MAX: Duration = Duration::from_secs(10);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// What has been read of a domain's record so far. A shard where a domain comes to has only its last events,
/// so what goes to another one is read before it does.
#[derive(Debug, Default)]
pub struct Record {
    /// The last event.
    sequence: u64,
    conversations: BTreeSet<String>,
}

impl Record {
    /// Reads what came since, of the first node that has it.
    ///
    /// # Errors
    /// When no node has it, or there is a hole.
    pub async fn catch_up(&mut self, client: &Client, nodes: usize, domain: &str) -> anyhow::Result<()> {
        let mut why = anyhow::anyhow!("no node was asked");
        for place in 0..nodes {
            let mut known = BTreeSet::new();
            let take = |event: v1::Event| {
                if !event.conversation.is_empty() {
                    known.insert(event.conversation);
                }
            };
            match read(client, place, domain, self.sequence, take).await {
                Ok(sequence) => {
                    self.sequence = sequence;
                    self.conversations.append(&mut known);
                    return Ok(());
                }
                Err(error) => why = error,
            }
        }
        Err(why.context(format!("the events of {domain}")))
    }
}

/// Reads the rest of a domain's events and compares: again, for a while, as long as some are not
/// there. A node that was restarted says what its own replica has, which may not be all yet.
///
/// # Errors
/// When no node has them all, or there is a hole.
pub async fn judge(
    client: &Client,
    nodes: usize,
    probe: &Probe,
    record: &mut Record,
) -> anyhow::Result<Lost> {
    let until = Instant::now() + CATCH_UP_MAX;
    loop {
        record.catch_up(client, nodes, &probe.realm.domain).await?;
        let conversations: Vec<String> =
            probe.seen().acknowledged.difference(&record.conversations).cloned().collect();
        if conversations.is_empty() || Instant::now() >= until {
            return Ok(Lost { conversations, events: record.sequence });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Reads the events of all domains between which conversations went and says what is wrong with these: again,
/// for a while, as long as something is. What is on its way settles meanwhile.
///
/// # Errors
/// When no node has them all, or there is a hole.
pub async fn judge_crossings(client: &Client, nodes: usize, crossing: &Crossing) -> anyhow::Result<Crossed> {
    let until = Instant::now() + SETTLE_MAX;
    loop {
        let mut ledger = Ledger::default();
        for realm in &crossing.realms {
            record(client, nodes, &realm.domain).await?.iter().for_each(|event| ledger.note(event));
        }
        let crossed = {
            let seen = crossing.seen();
            let wrong =
                |one: &crate::crossing::Traveller| Some((one.conversation.clone(), ledger.judge(one)?));
            Crossed {
                travellers: seen.travellers.len(),
                moved: ledger.moved(),
                left: seen.travellers.iter().filter(|one| one.left).count(),
                wrong: seen.travellers.iter().filter_map(wrong).collect(),
            }
        };
        if crossed.wrong.is_empty() || Instant::now() >= until {
            return Ok(crossed);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A domain's record, of the first node that has it.
///
/// # Errors
/// When no node has it all, or there is a hole.
pub async fn record(client: &Client, nodes: usize, domain: &str) -> anyhow::Result<Vec<v1::Event>> {
    let mut why = anyhow::anyhow!("no node was asked");
    for place in 0..nodes {
        let mut events = Vec::new();
        match read(client, place, domain, 0, |event| events.push(event)).await {
            Ok(_) => return Ok(events),
            Err(error) => why = error,
        }
    }
    Err(why.context(format!("the events of {domain}")))
}

/// Reads what comes after an event in a domain's record at one node; the last event there.
async fn read(
    client: &Client,
    place: usize,
    domain: &str,
    after: u64,
    mut take: impl FnMut(v1::Event),
) -> anyhow::Result<u64> {
    let request = v1::WatchRequest {
        domain: domain.to_owned(),
        from: after + 1,
        until_now: true,
        ..Default::default()
    };
    let mut events = EventsClient::new(client.at(place)).watch(request).await?.into_inner();
    let mut sequence = after;
    while let Some(event) = events.message().await.context("the stream of events broke")? {
        if event.sequence != sequence + 1 {
            bail!("after event {sequence} comes {}: a hole", event.sequence);
        }
        sequence = event.sequence;
        take(event);
    }
    Ok(sequence)
}
