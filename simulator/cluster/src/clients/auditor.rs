//! The last picture of a domain, when all work is finished.

use super::caller::{Caller, Manner, timed};
use super::seen;
use crate::checks::{AgentSeen, Audit, ConversationSeen, Opened};
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::supervisor_client::SupervisorClient;
use routing::DomainId;
use std::time::Duration;

/// Pause before it is tried again.
const PAUSE: Duration = Duration::from_millis(300);
/// Size of a page: some domains need several.
const PAGE: u32 = 500;
/// For each of its calls.
const MANNER: Manner =
    Manner { attempt: Duration::from_secs(2), attempts_max: 10, patience: Duration::from_secs(20) };

/// Takes the picture; `open` ends with it.
pub(super) async fn run(domain: DomainId, mut caller: Caller, open: Opened) {
    while caller.plays() {
        caller.sleep(Duration::from_secs(3_600)).await;
    }
    while !caller.is_over() && !caller.history.is_quarantined(domain) {
        let history = &caller.history;
        let quiet = history.unfinished_of(domain) == 0
            && history.opened(&format!("customers of {domain}")) == 0
            && history.opened(&format!("clean-up of {domain}")) == 0;
        if quiet
            && let Some(audit) = picture(&mut caller, domain).await
            && caller.history.reached(domain) >= audit.sequence
        {
            caller.history.audit(domain, audit);
            break;
        }
        caller.sleep(PAUSE).await;
    }
    drop(open);
}

/// Everything, if nothing happened meanwhile.
async fn picture(caller: &mut Caller, domain: DomainId) -> Option<Audit> {
    let before = sequence(caller, domain).await?;
    let conversations = conversations(caller, domain).await?;
    let agents = agents(caller, domain).await?;
    let after = sequence(caller, domain).await?;
    (before == after).then_some(Audit { sequence: after, conversations, agents })
}

async fn sequence(caller: &mut Caller, domain: DomainId) -> Option<u64> {
    let found = caller
        .read(MANNER, |line, deadline| {
            let get = v1::GetDomainRequest { domain: domain.to_string() };
            async move { AdminClient::new(line).get_domain(timed(get, deadline)).await }
        })
        .await;
    Some(found.ok()?.sequence)
}

async fn conversations(caller: &mut Caller, domain: DomainId) -> Option<Vec<ConversationSeen>> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = caller
            .read(MANNER, |line, deadline| {
                let list = v1::ListConversationsRequest {
                    domain: domain.to_string(),
                    after: after.clone(),
                    limit: PAGE,
                    stages: Vec::new(),
                };
                async move { SupervisorClient::new(line).list_conversations(timed(list, deadline)).await }
            })
            .await
            .ok()?;
        for conversation in &page.conversations {
            all.push(seen::conversation(conversation)?);
        }
        if page.next.is_empty() {
            return Some(all);
        }
        after = page.next;
    }
}

async fn agents(caller: &mut Caller, domain: DomainId) -> Option<Vec<AgentSeen>> {
    let mut all: Vec<AgentSeen> = Vec::new();
    loop {
        let page = caller
            .read(MANNER, |line, deadline| {
                let after = all.last().map(|last| last.agent.to_string()).unwrap_or_default();
                let list = v1::ListRequest { domain: domain.to_string(), after, limit: PAGE };
                async move { AdminClient::new(line).list_agents(timed(list, deadline)).await }
            })
            .await
            .ok()?;
        for agent in &page.agents {
            all.push(seen::agent(agent)?);
        }
        if page.agents.len() < PAGE as usize {
            return Some(all);
        }
    }
}
