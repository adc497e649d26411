//! Domains, each with a queue, an agent and a touchpoint.

use anyhow::Context;
use client::{Client, mutation};
use futures::StreamExt;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::touchpoint_settings::{Mode, ToQueue};

/// Domains that are made at the same time.
const AT_ONCE: usize = 8;

/// One domain.
#[derive(Debug, Clone)]
pub struct Realm {
    /// Its id.
    pub domain: String,
    /// Its shard.
    pub shard: u32,
    /// Its agent.
    pub agent: String,
    /// Its queue.
    pub queue: String,
    /// Where its customers come.
    pub touchpoint: String,
}

/// Makes so many.
///
/// # Errors
/// When the cluster refuses or does not answer.
pub async fn make(client: &Client, count: usize) -> anyhow::Result<Vec<Realm>> {
    make_as(client, count, |_| v1::DomainSettings::default()).await
}

/// Makes so many, each with these settings but for its name.
///
/// # Errors
/// When the cluster refuses or does not answer.
pub async fn make_as(
    client: &Client,
    count: usize,
    settings: impl Fn(usize) -> v1::DomainSettings,
) -> anyhow::Result<Vec<Realm>> {
    let request = v1::CreateAccountRequest { mutation: mutation(), name: "Chaos".to_owned() };
    let account = client.call("", |node| {
        let request = request.clone();
        async move { AdminClient::new(node).create_account(request).await }
    });
    let account = account.await.context("an account")?.id;
    let progress = indicatif::ProgressBar::new(count as u64).with_message("domains");
    let realms = futures::stream::iter(0..count)
        .map(|number| one(client, &account, number, settings(number)))
        .buffered(AT_ONCE)
        .inspect(|_| progress.inc(1))
        .collect::<Vec<_>>()
        .await;
    progress.finish_and_clear();
    realms.into_iter().collect()
}

async fn one(
    client: &Client,
    account: &str,
    number: usize,
    settings: v1::DomainSettings,
) -> anyhow::Result<Realm> {
    let settings = Some(v1::DomainSettings { name: format!("Domain {number}"), ..settings });
    let request = v1::CreateDomainRequest { mutation: mutation(), account: account.to_owned(), settings };
    let domain = client
        .call("", |node| {
            let request = request.clone();
            async move { AdminClient::new(node).create_domain(request).await }
        })
        .await
        .context("a domain")?;
    let (shard, domain) = (domain.shard, domain.id);
    let settings = Some(v1::QueueSettings { name: "All".to_owned(), ..Default::default() });
    let request = v1::CreateQueueRequest { mutation: mutation(), domain: domain.clone(), settings };
    let queue = client
        .call(&domain, |node| {
            let request = request.clone();
            async move { AdminClient::new(node).create_queue(request).await }
        })
        .await
        .context("a queue")?
        .id;
    let agent = agent(client, &domain, &queue).await?;
    let to_queue = ToQueue { queues: vec![queue.clone()], ..Default::default() };
    // Voice, as it is what fails loudest: one offer at a time, the next when the caller has hung up.
    let settings = Some(v1::TouchpointSettings {
        address: format!("+34900{number:06}"),
        channel: v1::Channel::Voice.into(),
        mode: Some(Mode::ToQueue(to_queue)),
    });
    let request = v1::CreateTouchpointRequest { mutation: mutation(), domain: domain.clone(), settings };
    let touchpoint = client
        .call(&domain, |node| {
            let request = request.clone();
            async move { AdminClient::new(node).create_touchpoint(request).await }
        })
        .await
        .context("a touchpoint")?
        .id;
    Ok(Realm { domain, shard, agent, queue, touchpoint })
}

/// Makes an agent of a queue.
///
/// # Errors
/// When the cluster refuses or does not answer.
pub async fn agent(client: &Client, domain: &str, queue: &str) -> anyhow::Result<String> {
    let queues = vec![queue.to_owned()];
    let settings = Some(v1::AgentSettings { name: "Agent".to_owned(), queues, ..Default::default() });
    let request = v1::CreateAgentRequest { mutation: mutation(), domain: domain.to_owned(), settings };
    let made = client.call(domain, |node| {
        let request = request.clone();
        async move { AdminClient::new(node).create_agent(request).await }
    });
    Ok(made.await.context("an agent")?.id)
}
