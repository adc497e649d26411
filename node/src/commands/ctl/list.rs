//! `ctl list`: pages through what there is.

use super::client::Client;
use super::output::{Output, channel, intent, seconds, stage, table, table_and};
use super::{callback, consult, criteria, hours, policy, skills};
use crate::failure::Failure;
use clap::{Subcommand, ValueEnum};
use comfy_table::Table;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::supervisor_client::SupervisorClient;

/// Entries asked for at once.
const PAGE: u32 = 1_000;

/// A stage to filter by.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Stage {
    Queued,
    Offered,
    Assigned,
    Wrapping,
    Closed,
    InInbox,
    Abandoned,
    Transferring,
    Connecting,
}

impl Stage {
    fn code(self) -> i32 {
        match self {
            Stage::Queued => v1::Stage::Queued,
            Stage::Offered => v1::Stage::Offered,
            Stage::Assigned => v1::Stage::Assigned,
            Stage::Wrapping => v1::Stage::Wrapping,
            Stage::Closed => v1::Stage::Closed,
            Stage::InInbox => v1::Stage::InInbox,
            Stage::Abandoned => v1::Stage::Abandoned,
            Stage::Transferring => v1::Stage::Transferring,
            Stage::Connecting => v1::Stage::Connecting,
        }
        .into()
    }
}

/// What can be listed.
#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// All accounts.
    Accounts,
    /// All domains.
    Domains {
        /// Only this account's.
        #[arg(long, default_value = "")]
        account: String,
    },
    /// Queues with their present figures.
    Queues(InDomain),
    /// Agents with what they do now.
    Agents(InDomain),
    /// Touchpoints.
    Touchpoints(InDomain),
    /// Conversations the core still knows.
    Conversations {
        /// Of which domain, and how many.
        #[command(flatten)]
        of: InDomain,
        /// Only in this stage; repeat for several.
        #[arg(long = "stage", value_name = "STAGE")]
        stages: Vec<Stage>,
    },
}

/// Of which domain, and how many.
#[derive(Debug, clap::Args)]
pub(super) struct InDomain {
    /// The domain.
    #[arg(long)]
    domain: String,
    /// Lists at most so many.
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
}

impl InDomain {
    fn request(&self, after: &str) -> v1::ListRequest {
        v1::ListRequest { domain: self.domain.clone(), after: after.to_owned(), limit: PAGE }
    }
}

/// Pages through a list of `ListRequest`s into one response.
macro_rules! pages {
    ($client:ident, $of:ident, $method:ident, $field:ident) => {{
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let request = $of.request(&after);
            let page = $client
                .call(|| async { AdminClient::new($client.channel.clone()).$method(request.clone()).await })
                .await?;
            let over = page.$field.len() < PAGE as usize;
            all.extend(page.$field);
            if over || all.len() >= $of.limit {
                break;
            }
            after = all.last().map(|one| one.id.clone()).unwrap_or_default();
        }
        all.truncate($of.limit);
        all
    }};
}

impl What {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let admin = || AdminClient::new(client.channel.clone());
        match self {
            What::Accounts => {
                let call = || async { admin().list_accounts(v1::ListAccountsRequest {}).await };
                out.print("ListAccountsResponse", &client.call(call).await?, |list| {
                    let mut table = table(["ACCOUNT", "NAME"]);
                    table.add_rows(list.accounts.iter().map(|one| [one.id.clone(), one.name.clone()]));
                    table
                })
            }
            What::Domains { account } => {
                let request = v1::ListDomainsRequest { account };
                let call = || async { admin().list_domains(request.clone()).await };
                out.print("ListDomainsResponse", &client.call(call).await?, |list| domains(&list.domains))
            }
            What::Queues(of) => {
                let queues = pages!(client, of, list_queues, queues);
                let list = v1::ListQueuesResponse { queues, now_us: 0 };
                out.print("ListQueuesResponse", &list, |list| queue_table(&list.queues))
            }
            What::Agents(of) => {
                let list = v1::ListAgentsResponse { agents: pages!(client, of, list_agents, agents) };
                out.print("ListAgentsResponse", &list, |list| agent_table(&list.agents))
            }
            What::Touchpoints(of) => {
                let touchpoints = pages!(client, of, list_touchpoints, touchpoints);
                let list = v1::ListTouchpointsResponse { touchpoints };
                out.print("ListTouchpointsResponse", &list, |list| touchpoints_table(&list.touchpoints))
            }
            What::Conversations { of, stages } => conversations(client, out, &of, &stages).await,
        }
    }
}

async fn conversations(client: &Client, out: Output, of: &InDomain, stages: &[Stage]) -> Result<(), Failure> {
    let stages: Vec<i32> = stages.iter().map(|stage| stage.code()).collect();
    let mut list = v1::ListConversationsResponse::default();
    loop {
        let request = v1::ListConversationsRequest {
            domain: of.domain.clone(),
            after: list.next.clone(),
            limit: PAGE,
            stages: stages.clone(),
        };
        let page = client
            .call(|| async {
                SupervisorClient::new(client.channel.clone()).list_conversations(request.clone()).await
            })
            .await?;
        list.conversations.extend(page.conversations);
        list.next = page.next;
        if list.next.is_empty() || list.conversations.len() >= of.limit {
            break;
        }
    }
    list.conversations.truncate(of.limit);
    out.print("ListConversationsResponse", &list, |list| conversation_table(&list.conversations))
}

fn domains(domains: &[v1::Domain]) -> Table {
    let mut table = table(["DOMAIN", "ACCOUNT", "NAME", "SHARD", "EVENTS", "STATE"]);
    table.add_rows(domains.iter().map(|one| {
        let state = if one.quarantined.is_empty() { "in service" } else { "QUARANTINED" };
        let name = one.settings.as_ref().map(|settings| settings.name.clone()).unwrap_or_default();
        [
            one.id.clone(),
            one.account.clone(),
            name,
            one.shard.to_string(),
            one.sequence.to_string(),
            state.to_owned(),
        ]
    }));
    table
}

/// Queues with their figures.
pub(super) fn queue_table(queues: &[v1::Queue]) -> Table {
    let rows = queues.iter().map(|one| {
        let row = [
            one.id.clone(),
            one.settings.as_ref().map(|settings| settings.name.clone()).unwrap_or_default(),
            one.waiting.to_string(),
            one.longest_wait_us.map(seconds).unwrap_or_default(),
            one.inbox.to_string(),
            one.staffed.to_string(),
            one.agents.to_string(),
            hours::state(one),
        ];
        (row, [policy::level(one)])
    });
    let header = ["QUEUE", "NAME", "WAITING", "LONGEST", "INBOX", "STAFFED", "AGENTS", "STATE"];
    table_and(header, ["SERVICE"], rows.collect())
}

/// Agents with what they do.
pub(super) fn agent_table(agents: &[v1::Agent]) -> Table {
    let rows = agents.iter().map(|one| {
        let settings = one.settings.clone().unwrap_or_default();
        let row = [
            one.id.clone(),
            settings.name,
            intent(one.intent.as_ref()),
            one.lease.clone(),
            format!("{} of {}", one.load, settings.capacity.unwrap_or(100)),
            one.offers.len().to_string(),
            one.holdings.len().to_string(),
        ];
        (row, [skills::text(&one.skills)])
    });
    let header = ["AGENT", "NAME", "PRESENCE", "SESSION", "LOAD", "OFFERS", "HOLDS"];
    table_and(header, ["SKILLS"], rows.collect())
}

/// Touchpoints and where they lead.
pub(super) fn touchpoints_table(touchpoints: &[v1::Touchpoint]) -> Table {
    use v1::touchpoint_settings::Mode;
    let rows = touchpoints.iter().map(|one| {
        let settings = one.settings.clone().unwrap_or_default();
        let to = match settings.mode {
            Some(Mode::Simplified(to)) => format!("inbox of {}", to.queues.join(", ")),
            Some(Mode::Dedicated(to)) => to.agent,
            Some(Mode::ToQueue(to)) => to.queues.join(", "),
            None => String::new(),
        };
        let row = [one.id.clone(), channel(settings.channel), settings.address, to];
        (row, [one.criteria.as_ref().map(criteria::text).unwrap_or_default()])
    });
    table_and(["TOUCHPOINT", "CHANNEL", "ADDRESS", "LEADS TO"], ["ASKS FOR"], rows.collect())
}

/// Conversations and where they stand.
pub(super) fn conversation_table(conversations: &[v1::Conversation]) -> Table {
    let header = ["CONVERSATION", "STAGE", "CHANNEL", "PRIORITY", "AGE", "WHERE", "CUSTOMER"];
    let rows = conversations.iter().map(|one| {
        let at = if one.agent.is_empty() { one.queues.join(", ") } else { one.agent.clone() };
        let until = one.ended_at_us.unwrap_or(one.now_us);
        let row = [
            one.id.clone(),
            stage(one.stage),
            channel(one.channel),
            one.priority.to_string(),
            seconds(until.saturating_sub(one.arrived_at_us)),
            at,
            one.customer.clone(),
        ];
        let asks = one.seeking.as_ref().map(criteria::now).unwrap_or_default();
        let stands = one.standing.as_ref().map(|stands| policy::standing(stands, one.now_us));
        let calls = callback::standing(one.callback.as_ref(), one.now_us);
        (row, [asks, stands.unwrap_or_default(), calls, consult::standing(one)])
    });
    table_and(header, ["ASKS FOR", "POLICY", "CALL BACK", "CONSULTED"], rows.collect())
}
