//! Reads a domain's record and its live conversations, as any client may.

use super::site::Site;
use super::target::Target;
use crate::checker::from_wire;
use crate::checker::model::{Event, History};
use anyhow::{Context, bail};
use proto::v1;
use proto::v1::events_client::EventsClient;
use proto::v1::supervisor_client::SupervisorClient;
use routing::ConversationId;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Time for a replica to catch up with what clients were told.
const CATCH_UP: Duration = Duration::from_secs(30);
/// Conversations per page.
const PAGE: u32 = 1_000;

/// Everything seen of the site.
///
/// # Errors
/// The record cannot be read, or is not understood.
pub(super) async fn read(target: &Target, site: &Site) -> anyhow::Result<(History, u64)> {
    let (calls, notices, left_out) = site.recorder.take();
    let mut events = Vec::new();
    let mut newest = 0;
    follow(target, site, site.recorder.sequence(), &mut events, &mut newest).await?;
    let live = live(target, site).await?;
    // What is not among the live must have ended by the time they were listed.
    let now = domain_sequence(target, site).await?;
    follow(target, site, now, &mut events, &mut newest).await?;
    let facts = site.facts.clone();
    Ok((History { facts, events, first_sequence: 1, calls, notices, live: Some(live) }, left_out))
}

async fn domain_sequence(target: &Target, site: &Site) -> anyhow::Result<u64> {
    let mut last = None;
    for _ in 0..target.nodes() * 3 {
        let mut client = v1::admin_client::AdminClient::new(target.call());
        let request = v1::GetDomainRequest { domain: site.domain.to_string() };
        match client.get_domain(request).await {
            Ok(domain) => return Ok(domain.into_inner().sequence),
            Err(status) => last = Some(status),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("asking for the domain: {last:?}")
}

/// Reads on until at least that sequence is there.
async fn follow(
    target: &Target,
    site: &Site,
    until: u64,
    events: &mut Vec<Event>,
    newest: &mut u64,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + CATCH_UP;
    loop {
        let mut problem = None;
        if let Err(error) = once(target, site, events, newest).await {
            problem = Some(error);
        }
        if *newest >= until {
            return Ok(());
        }
        if Instant::now() >= deadline {
            // Told of, and not in the record: the checker must see that, so this is no error.
            return match problem {
                Some(error) => Err(error).context("reading the domain's events"),
                None => Ok(()),
            };
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn once(target: &Target, site: &Site, events: &mut Vec<Event>, newest: &mut u64) -> anyhow::Result<()> {
    let mut client = EventsClient::new(target.call());
    let request = v1::WatchRequest {
        domain: site.domain.to_string(),
        from: *newest + 1,
        until_now: true,
        ..Default::default()
    };
    let mut stream = client.watch(request).await?.into_inner();
    while let Some(event) = stream.message().await? {
        *newest = (*newest).max(event.sequence);
        events.push(from_wire(&event)?);
    }
    Ok(())
}

async fn live(target: &Target, site: &Site) -> anyhow::Result<BTreeSet<ConversationId>> {
    let mut live = BTreeSet::new();
    let mut after = String::new();
    let mut failures = 0;
    loop {
        let mut client = SupervisorClient::new(target.call());
        let stages = [
            v1::Stage::Queued,
            v1::Stage::Offered,
            v1::Stage::Assigned,
            v1::Stage::Wrapping,
            v1::Stage::InInbox,
            v1::Stage::Transferring,
        ];
        let request = v1::ListConversationsRequest {
            domain: site.domain.to_string(),
            after: after.clone(),
            limit: PAGE,
            stages: stages.into_iter().map(i32::from).collect(),
        };
        match client.list_conversations(request).await {
            Ok(page) => {
                let page = page.into_inner();
                live.extend(
                    page.conversations.iter().filter_map(|one| one.id.parse::<ConversationId>().ok()),
                );
                if page.next.is_empty() {
                    return Ok(live);
                }
                after = page.next;
            }
            Err(status) if failures > 20 => bail!("listing conversations: {status}"),
            Err(_) => {
                failures += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
