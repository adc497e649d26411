//! `ctl get`: one thing.

use super::client::Client;
use super::list::{agent_table, conversation_table, queue_table, touchpoints_table};
use super::output::{Output, facts};
use super::{callback, channel_rules, criteria, handling, pace, policy};
use crate::failure::{Failure, Kind};
use comfy_table::Table;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::agent_desk_client::AgentDeskClient;
use proto::v1::routing_client::RoutingClient;

/// Shows one thing; its id says what it is.
pub(super) async fn run(client: &Client, out: Output, id: &str) -> Result<(), Failure> {
    let admin = || AdminClient::new(client.channel.clone());
    match id.split_once('_').map(|(prefix, _)| prefix) {
        Some("dom") => {
            let found = domain(client, id).await?;
            out.print("Domain", &found, domain_table)
        }
        Some("agent") => {
            let request = v1::GetDeskRequest { agent: id.to_owned() };
            let desk =
                || async { AgentDeskClient::new(client.channel.clone()).get_desk(request.clone()).await };
            let agent = client.call(desk).await?.agent.unwrap_or_default();
            out.print("Agent", &agent, |agent| agent_table(std::slice::from_ref(agent)))
        }
        Some("conv") => {
            let request = v1::GetConversationRequest { conversation: id.to_owned() };
            let get = || async {
                RoutingClient::new(client.channel.clone()).get_conversation(request.clone()).await
            };
            let found = client.call(get).await?;
            let rules = match &found.standing {
                Some(standing) if !out.json => rules(client, standing).await,
                _ => None,
            };
            out.print("Conversation", &found, |found| conversation(found, rules))
        }
        Some("queue") => {
            let found = queue(client, id).await?;
            out.print("Queue", &found, |found| queue_table(std::slice::from_ref(found)))
        }
        Some("touch") => {
            let request = only(id)?;
            let call = || async { admin().list_touchpoints(request.clone()).await };
            let found = client.call(call).await?.touchpoints.into_iter().find(|one| one.id == id);
            let found = found.ok_or_else(|| unknown(id))?;
            out.print("Touchpoint", &found, |found| touchpoints_table(std::slice::from_ref(found)))
        }
        _ => Err(Failure::new(Kind::Config, format!("'{id}' is no id"))
            .remedy("ids look like dom_1, queue_1_1, agent_1_1, touch_1_1 or conv_1_1")),
    }
}

/// One domain.
pub(super) async fn domain(client: &Client, id: &str) -> Result<v1::Domain, Failure> {
    let request = v1::GetDomainRequest { domain: id.to_owned() };
    let call = || async { AdminClient::new(client.channel.clone()).get_domain(request.clone()).await };
    client.call(call).await
}

/// One queue.
pub(super) async fn queue(client: &Client, id: &str) -> Result<v1::Queue, Failure> {
    let request = only(id)?;
    let call = || async { AdminClient::new(client.channel.clone()).list_queues(request.clone()).await };
    let found = client.call(call).await?.queues.into_iter().find(|one| one.id == id);
    found.ok_or_else(|| unknown(id))
}

/// How many rules the policy has that a conversation stands under, where it is the present one of its queue.
async fn rules(client: &Client, standing: &v1::Standing) -> Option<usize> {
    let present = queue(client, &standing.queue).await.ok()?.policy?;
    let policy = present.policy.filter(|_| present.number == standing.number)?;
    Some(policy.rules.len())
}

fn conversation(found: &v1::Conversation, rules: Option<usize>) -> String {
    let mut parts = vec![conversation_table(std::slice::from_ref(found)).to_string()];
    parts.extend(found.seeking.as_ref().map(|seeking| criteria::steps(seeking, found.now_us).to_string()));
    parts.extend(found.standing.as_ref().map(|stands| policy::under(stands, found.now_us, rules)));
    parts.join("\n\n")
}

/// The page that holds one id alone: lists are in the order of ids.
fn only(id: &str) -> Result<v1::ListRequest, Failure> {
    let parts: Vec<&str> = id.split('_').collect();
    let [prefix, domain, number] = parts[..] else { return Err(unknown(id)) };
    let number: u64 = number.parse().map_err(|_| unknown(id))?;
    let after = match number.checked_sub(1) {
        None | Some(0) => String::new(),
        Some(before) => format!("{prefix}_{domain}_{before}"),
    };
    Ok(v1::ListRequest { domain: format!("dom_{domain}"), after, limit: 1 })
}

fn unknown(id: &str) -> Failure {
    Failure::new(Kind::Refused, format!("unknown: {id}"))
}

fn domain_table(domain: &v1::Domain) -> Table {
    let state = if domain.quarantined.is_empty() { "in service" } else { domain.quarantined.as_str() };
    facts([
        ("domain", domain.id.clone()),
        ("account", domain.account.clone()),
        ("name", domain.settings.as_ref().map(|settings| settings.name.clone()).unwrap_or_default()),
        ("shard", domain.shard.to_string()),
        ("events", domain.sequence.to_string()),
        ("version", domain.version.to_string()),
        ("state", state.to_owned()),
        ("channel rules", channel_rules::line(domain.channel_rules.as_ref())),
        ("handling", handling::line(domain.handling.as_ref())),
        ("pace", pace::line(domain.pace.as_ref())),
        ("callback", callback::line(domain.callback.as_ref())),
    ])
}
