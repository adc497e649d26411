//! `ctl create`: makes something and prints its id.

use super::client::{Client, mutation};
use super::json::from_json;
use super::output::Output;
use super::settings::{accept, base, channel, millis, missing};
use crate::failure::Failure;
use clap::{Subcommand, ValueEnum};
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::routing_client::RoutingClient;
use proto::v1::touchpoint_settings::{Dedicated, Mode, Simplified, ToQueue};

/// How a queue picks among agents.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Pick {
    LongestIdle,
    LeastLoaded,
    RoundRobin,
    LeastFlexible,
    MostProficient,
}

/// What a touchpoint does with a new conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Way {
    /// Waits in the queues for an offer.
    ToQueue,
    /// Shows in the inbox of the queues' agents.
    Simplified,
    /// Waits for one agent.
    Dedicated,
}

/// What can be made. `--settings` takes all of a message of types.proto as JSON; flags go on top.
#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// A customer of the cluster.
    Account {
        /// Its name.
        name: String,
    },
    /// A domain: the agents and queues that can be matched with one another.
    Domain {
        /// Whose.
        #[arg(long)]
        account: String,
        /// Its name.
        name: String,
        /// A `DomainSettings` as JSON.
        #[arg(long, value_name = "JSON")]
        settings: Option<String>,
    },
    /// A queue.
    Queue {
        /// In which domain.
        #[arg(long)]
        domain: String,
        /// Its name.
        name: String,
        /// How agents are picked.
        #[arg(long)]
        pick: Option<Pick>,
        /// Longest wrap-up, for example 30s.
        #[arg(long, value_parser = millis)]
        wrap_up: Option<u64>,
        /// A `QueueSettings` as JSON.
        #[arg(long, value_name = "JSON")]
        settings: Option<String>,
    },
    /// An agent.
    Agent {
        /// In which domain.
        #[arg(long)]
        domain: String,
        /// Its name.
        name: String,
        /// A queue it belongs to; repeat for several.
        #[arg(long = "queue", value_name = "QUEUE")]
        queues: Vec<String>,
        /// A channel it handles; repeat for several. None: all.
        #[arg(long = "channel", value_name = "CHANNEL", value_parser = channel)]
        channels: Vec<v1::Channel>,
        /// Points in all, 1 to 100.
        #[arg(long)]
        capacity: Option<u32>,
        /// An `AgentSettings` as JSON.
        #[arg(long, value_name = "JSON")]
        settings: Option<String>,
    },
    /// A touchpoint: an address customers reach.
    Touchpoint {
        /// In which domain.
        #[arg(long)]
        domain: String,
        /// The address: a number, a mail address, a widget's id.
        address: String,
        /// Its channel.
        #[arg(long, value_parser = channel)]
        channel: v1::Channel,
        /// What it does with a new conversation.
        #[arg(long, default_value = "to-queue")]
        mode: Way,
        /// A queue it leads to, in order of preference; repeat for several.
        #[arg(long = "queue", value_name = "QUEUE")]
        queues: Vec<String>,
        /// The agent of mode dedicated.
        #[arg(long)]
        agent: Option<String>,
        /// Priority of what arrives here, 0 to 255.
        #[arg(long, default_value_t = 0)]
        priority: u32,
        /// How long an offer rings, for example 20s.
        #[arg(long, value_parser = millis)]
        ring: Option<u64>,
        /// The desk confirms offers by itself within this time, for example 3s.
        #[arg(long, value_parser = millis, conflicts_with = "ring")]
        automatic: Option<u64>,
        /// When the dedicated agent does not come for this long, it waits in the queue.
        #[arg(long, value_parser = millis, default_value = "60s")]
        fallback_after: u64,
    },
    /// A conversation, as if a customer had reached a touchpoint.
    Conversation {
        /// The touchpoint reached.
        #[arg(long)]
        touchpoint: String,
        /// The customer: a number, a mail address, an id of yours.
        customer: String,
        /// Your own reference.
        #[arg(long, default_value = "")]
        reference: String,
        /// Overrides the touchpoint's priority.
        #[arg(long)]
        priority: Option<u32>,
        /// What it asks of agents, instead of what its touchpoint says: a `Criteria` as JSON.
        #[arg(long, value_name = "JSON")]
        criteria: Option<String>,
    },
}

fn id(created: &v1::Created) -> String {
    created.id.clone()
}

impl What {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let admin = || AdminClient::new(client.channel.clone());
        let mutation = mutation();
        match self {
            What::Account { name } => {
                let request = v1::CreateAccountRequest { mutation, name };
                let call = || async { admin().create_account(request.clone()).await };
                out.line("Account", &client.call(call).await?, |account| account.id.clone())
            }
            What::Domain { account, name, settings } => {
                let settings = v1::DomainSettings { name, ..base("DomainSettings", settings.as_deref())? };
                let request = v1::CreateDomainRequest { mutation, account, settings: Some(settings) };
                let call = || async { admin().create_domain(request.clone()).await };
                out.line("Domain", &client.call(call).await?, |domain| domain.id.clone())
            }
            What::Queue { domain, name, pick, wrap_up, settings } => {
                let mut settings = v1::QueueSettings { name, ..base("QueueSettings", settings.as_deref())? };
                if let Some(pick) = pick {
                    settings.set_pick(match pick {
                        Pick::LongestIdle => v1::PickPolicy::LongestIdle,
                        Pick::LeastLoaded => v1::PickPolicy::LeastLoaded,
                        Pick::RoundRobin => v1::PickPolicy::RoundRobin,
                        Pick::LeastFlexible => v1::PickPolicy::LeastFlexible,
                        Pick::MostProficient => v1::PickPolicy::MostProficient,
                    });
                }
                settings.wrap_up_max_ms = wrap_up.unwrap_or(settings.wrap_up_max_ms);
                let request = v1::CreateQueueRequest { mutation, domain, settings: Some(settings) };
                let call = || async { admin().create_queue(request.clone()).await };
                out.line("Created", &client.call(call).await?, id)
            }
            What::Agent { domain, name, queues, channels, capacity, settings } => {
                let mut settings = v1::AgentSettings { name, ..base("AgentSettings", settings.as_deref())? };
                settings.queues.extend(queues);
                settings.channels.extend(channels.into_iter().map(i32::from));
                settings.capacity = capacity.or(settings.capacity);
                let request = v1::CreateAgentRequest { mutation, domain, settings: Some(settings) };
                let call = || async { admin().create_agent(request.clone()).await };
                out.line("Created", &client.call(call).await?, id)
            }
            touchpoint @ What::Touchpoint { .. } => {
                let request = touchpoint.touchpoint(mutation)?;
                let call = || async { admin().create_touchpoint(request.clone()).await };
                out.line("Created", &client.call(call).await?, id)
            }
            What::Conversation { touchpoint, customer, reference, priority, criteria } => {
                let request = v1::StartRequest {
                    mutation,
                    touchpoint,
                    customer,
                    reference,
                    priority,
                    continues: String::new(),
                    criteria: criteria.map(|json| from_json("Criteria", &json)).transpose()?,
                };
                let call =
                    || async { RoutingClient::new(client.channel.clone()).start(request.clone()).await };
                out.line("StartResponse", &client.call(call).await?, |started| {
                    if started.offer.is_empty() {
                        format!("{} (waits)", started.conversation)
                    } else {
                        format!("{} ({} to {})", started.conversation, started.offer, started.agent)
                    }
                })
            }
        }
    }

    fn touchpoint(self, mutation: Option<v1::Mutation>) -> Result<v1::CreateTouchpointRequest, Failure> {
        let What::Touchpoint {
            domain,
            address,
            channel,
            mode,
            queues,
            agent,
            priority,
            ring,
            automatic,
            fallback_after,
        } = self
        else {
            return Err(missing("bug: not a touchpoint"));
        };
        if mode != Way::Dedicated && queues.is_empty() {
            return Err(missing("a touchpoint leads to a queue: name it with --queue queue_1_1"));
        }
        let accept = accept(ring, automatic);
        let mode = match mode {
            Way::ToQueue => Mode::ToQueue(ToQueue { queues, priority, accept }),
            Way::Simplified => Mode::Simplified(Simplified { queues }),
            Way::Dedicated => Mode::Dedicated(Dedicated {
                agent: agent.ok_or_else(|| missing("a dedicated touchpoint needs --agent agent_1_1"))?,
                accept,
                fallback_after_ms: if queues.is_empty() { 0 } else { fallback_after },
                fallback_queue: queues.into_iter().next(),
            }),
        };
        let settings = v1::TouchpointSettings { address, channel: channel.into(), mode: Some(mode) };
        Ok(v1::CreateTouchpointRequest { mutation, domain, settings: Some(settings) })
    }
}
