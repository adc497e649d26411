//! `ctl picture`: a domain as of one event.

use super::client::{Client, refused};
use super::fetch::leader_of;
use super::list::{agent_table, conversation_table, queue_table, touchpoints_table};
use super::output::{Output, facts, seconds};
use crate::failure::Failure;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::events_client::EventsClient;
use proto::v1::picture_item::Item;
use tonic::Streaming;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl picture dom_1
  centralita ctl --json picture dom_1 | jq -c '.agents.agents[]? | {id, load}'

The queues, agents, touchpoints and live conversations of a domain, all as of one event, from the
replica of the node that is asked, or of the leader where that has none. With --json: one batch a line, the header first. Events from
there on, without a gap or an overlap: as the line `go on with` says.";

/// Shows a whole domain as of one event.
#[derive(Debug, clap::Args)]
pub(super) struct Picture {
    /// The domain, for example dom_1.
    domain: String,
    /// Not before this event, for whoever has seen it: a node that is behind is waited for.
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    not_before: u64,
    /// Only if the record is still the one of this incarnation, as an event seen before says.
    #[arg(long, default_value_t = 0)]
    incarnation: u64,
}

impl Picture {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let Self { domain, not_before, incarnation } = self;
        let request = v1::PictureRequest { domain, not_before, incarnation };
        let mut items = match take(client, &request).await {
            Err(failure) if failure.message.starts_with("NOT_HERE") => {
                take(&elsewhere(client, &request.domain).await?, &request).await?
            }
            taken => taken?,
        };
        while let Some(item) = items.message().await.map_err(|status| refused(&status))? {
            out.line("PictureItem", &item, text)?;
        }
        Ok(())
    }
}

async fn take(client: &Client, request: &v1::PictureRequest) -> Result<Streaming<v1::PictureItem>, Failure> {
    let call = || async { EventsClient::new(client.channel.clone()).picture(request.clone()).await };
    client.call(call).await
}

/// The leader of the domain's shard.
async fn elsewhere(client: &Client, domain: &str) -> Result<Client, Failure> {
    let request = v1::GetDomainRequest { domain: domain.to_owned() };
    let call = || async { AdminClient::new(client.channel.clone()).get_domain(request.clone()).await };
    let shard = client.call(call).await?.shard;
    leader_of(client, shard).await
}

fn text(item: &v1::PictureItem) -> String {
    match &item.item {
        Some(Item::Header(header)) => header_text(header),
        Some(Item::Queues(batch)) => format!("\n{}", queue_table(&batch.queues)),
        Some(Item::Agents(batch)) => format!("\n{}", agent_table(&batch.agents)),
        Some(Item::Touchpoints(batch)) => format!("\n{}", touchpoints_table(&batch.touchpoints)),
        Some(Item::Conversations(batch)) => format!("\n{}", conversation_table(&batch.conversations)),
        // Of a newer build.
        None => String::new(),
    }
}

fn header_text(header: &v1::PictureHeader) -> String {
    let domain = header.domain.clone().unwrap_or_default();
    let state = if domain.quarantined.is_empty() { "in service" } else { domain.quarantined.as_str() };
    let next = format!(
        "centralita ctl watch events --domain {} --from {} --incarnation {}",
        domain.id,
        header.sequence + 1,
        header.incarnation
    );
    let facts = facts([
        ("domain", domain.id.clone()),
        ("name", domain.settings.as_ref().map(|settings| settings.name.clone()).unwrap_or_default()),
        ("state", state.to_owned()),
        ("event", header.sequence.to_string()),
        ("log time", seconds(header.now_us)),
        ("go on with", next),
    ]);
    facts.to_string()
}
