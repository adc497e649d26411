//! An account with a domain, a queue, agents and a touchpoint.

use super::{Client, Desk, mutation, reason, until};
use proto::v1;
use proto::v1::reply::Result as Outcome;
use proto::v1::touchpoint_settings::{Mode, ToQueue};
use tonic::Code;

/// What a small customer has.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub account: String,
    pub domain: String,
    pub queue: String,
    pub touchpoint: String,
    pub agents: Vec<String>,
}

impl Tenant {
    /// Makes one, with so many agents, voice by manual accept.
    pub async fn make(client: &Client, agents: usize) -> Self {
        let request = v1::CreateAccountRequest { mutation: mutation(), name: "Acme".into() };
        let account = client.retry(|| async { client.admin().create_account(request.clone()).await }).await;
        Self::in_account(client, &account.expect("an account").id, agents).await
    }

    /// Makes another domain of an account.
    pub async fn in_account(client: &Client, account: &str, agents: usize) -> Self {
        let settings = Some(v1::DomainSettings { name: "Support".into(), ..Default::default() });
        let request = v1::CreateDomainRequest { mutation: mutation(), account: account.to_owned(), settings };
        let domain = client.retry(|| async { client.admin().create_domain(request.clone()).await }).await;
        let domain = domain.expect("a domain").id;

        let settings = Some(v1::QueueSettings { name: "Sales".into(), ..Default::default() });
        let request = v1::CreateQueueRequest { mutation: mutation(), domain: domain.clone(), settings };
        let queue = client.retry(|| async { client.admin().create_queue(request.clone()).await }).await;
        let queue = queue.expect("a queue").id;

        let to_queue = ToQueue { queues: vec![queue.clone()], ..Default::default() };
        let settings = Some(v1::TouchpointSettings {
            address: "+34900123456".into(),
            channel: v1::Channel::Voice.into(),
            mode: Some(Mode::ToQueue(to_queue)),
        });
        let request = v1::CreateTouchpointRequest { mutation: mutation(), domain: domain.clone(), settings };
        let touchpoint =
            client.retry(|| async { client.admin().create_touchpoint(request.clone()).await }).await;
        let touchpoint = touchpoint.expect("a touchpoint").id;

        let mut tenant = Self { account: account.to_owned(), domain, queue, touchpoint, agents: Vec::new() };
        for number in 0..agents {
            let settings = v1::AgentSettings {
                name: format!("Agent {number}"),
                queues: vec![tenant.queue.clone()],
                ..Default::default()
            };
            let domain = tenant.domain.clone();
            let request = v1::CreateAgentRequest { mutation: mutation(), domain, settings: Some(settings) };
            let agent = client.retry(|| async { client.admin().create_agent(request.clone()).await }).await;
            tenant.agents.push(agent.expect("an agent").id);
        }
        tenant
    }

    /// When the domain's shard is at this release's level, by a command of that level which changes nothing, since it is
    /// about no conversation: until then the level is yet to be written into the shard's log.
    pub async fn raised(&self, client: &Client) {
        let conversation = format!("{}_999999999", self.domain.replace("dom", "conv"));
        until("the highest level", || async {
            let (mutation, supervisor) = (mutation(), "sol".to_owned());
            let conversation = conversation.clone();
            let request = v1::SupervisorEndConsultRequest { mutation, supervisor, conversation };
            let asked =
                client.retry(|| async { client.supervisor().end_consult(request.clone()).await }).await;
            let status = asked.expect_err("there is no such conversation");
            match (status.code(), reason(&status).as_str()) {
                (Code::NotFound, "UNKNOWN_CONVERSATION") => Some(()),
                (Code::FailedPrecondition, "LEVEL_TOO_LOW") => None,
                other => panic!("{other:?}"),
            }
        })
        .await;
    }

    /// A whole conversation by way of this client, with the first agent.
    pub async fn works(&self, client: &Client) {
        let mut desk = Desk::open(client, &self.agents[0]).await;
        desk.available().await;
        let started = client.start(&self.call()).await.conversation;
        let offer = desk.offer().await;
        assert_eq!(offer.conversation, started);
        assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
        assert!(matches!(desk.end_contact(&started).await, Outcome::Done(_)));
    }

    /// A call to the touchpoint.
    pub fn call(&self) -> v1::StartRequest {
        v1::StartRequest {
            mutation: mutation(),
            touchpoint: self.touchpoint.clone(),
            customer: "+34600111222".into(),
            ..Default::default()
        }
    }
}
