//! `Admin`: accounts, domains, queues, agents, touchpoints.

use super::admin_domains::{create_account, create_domain, get_domain, list_accounts, list_domains};
use super::call::{Shared, execute, unexpected};
use super::reads;
use super::supervisor::by;
use crate::convert::mutation::{Mutation, receipt};
use crate::convert::{
    agent, callback, channel_rules, criteria, domain, handling, hours, ids::id, ids::optional_id, pace,
    queue, scalar, touchpoint,
};
use crate::problem::Problem;
use ::routing::command::By;
use ::routing::outcome::DoneWhat;
use ::routing::{AgentId, Command, DomainId, Done, QueueId, TouchpointId};
use actors::{Engine, Query};
use proto::v1;
use proto::v1::admin_server::Admin;
use std::time::Duration;
use tonic::{Code, Request, Response, Status};

/// The service.
#[derive(Clone)]
pub struct AdminService(pub Shared);

async fn apply(
    engine: &Engine,
    deadline: Duration,
    mutation: Option<v1::Mutation>,
    domain: DomainId,
    command: Command,
) -> Result<Done, Problem> {
    execute(engine, Mutation::read(mutation)?.request(domain, command), deadline).await
}

fn created(done: &Done) -> Result<v1::Created, Problem> {
    let id = match &done.what {
        DoneWhat::Queue(queue) => queue.to_string(),
        DoneWhat::Agent(agent) => agent.to_string(),
        DoneWhat::Touchpoint(touchpoint) => touchpoint.to_string(),
        _ => return Err(unexpected("a creation")),
    };
    Ok(v1::Created { id, receipt: Some(receipt(done)) })
}

fn page(limit: u32) -> Result<u32, Problem> {
    let limit = scalar::page("limit", limit)?;
    Ok(u32::try_from(limit).unwrap_or(Query::LIMIT_MAX))
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Admin for AdminService {
    async fn create_account(&self, request: Request<v1::CreateAccountRequest>) -> Answer<v1::Account> {
        self.0.unary("centralita.v1.Admin/CreateAccount", request, create_account).await
    }

    async fn list_accounts(
        &self,
        request: Request<v1::ListAccountsRequest>,
    ) -> Answer<v1::ListAccountsResponse> {
        self.0
            .unary("centralita.v1.Admin/ListAccounts", request, |engine, _, _| async move {
                Ok(list_accounts(&engine))
            })
            .await
    }

    async fn create_domain(&self, request: Request<v1::CreateDomainRequest>) -> Answer<v1::Domain> {
        self.0.unary("centralita.v1.Admin/CreateDomain", request, create_domain).await
    }

    async fn update_domain(&self, request: Request<v1::UpdateDomainRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/UpdateDomain", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let command = Command::UpdateDomain { settings: domain::read_settings(call.settings)? };
                Ok(receipt(&apply(&engine, deadline, call.mutation, of, command).await?))
            })
            .await
    }

    async fn get_domain(&self, request: Request<v1::GetDomainRequest>) -> Answer<v1::Domain> {
        self.0.unary("centralita.v1.Admin/GetDomain", request, get_domain).await
    }

    async fn list_domains(
        &self,
        request: Request<v1::ListDomainsRequest>,
    ) -> Answer<v1::ListDomainsResponse> {
        self.0.unary("centralita.v1.Admin/ListDomains", request, list_domains).await
    }

    async fn create_queue(&self, request: Request<v1::CreateQueueRequest>) -> Answer<v1::Created> {
        self.0
            .unary("centralita.v1.Admin/CreateQueue", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let command = Command::CreateQueue { settings: queue::read_settings(call.settings)? };
                created(&apply(&engine, deadline, call.mutation, of, command).await?)
            })
            .await
    }

    async fn update_queue(&self, request: Request<v1::UpdateQueueRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/UpdateQueue", request, |engine, call, deadline| async move {
                let queue: QueueId = id("queue", &call.queue)?;
                let settings = queue::read_settings(call.settings)?;
                let command = Command::UpdateQueue { queue, settings };
                Ok(receipt(&apply(&engine, deadline, call.mutation, queue.domain, command).await?))
            })
            .await
    }

    async fn delete_queue(&self, request: Request<v1::DeleteRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/DeleteQueue", request, |engine, call, deadline| async move {
                let queue: QueueId = id("id", &call.id)?;
                let command = Command::DeleteQueue { queue };
                Ok(receipt(&apply(&engine, deadline, call.mutation, queue.domain, command).await?))
            })
            .await
    }

    async fn list_queues(&self, request: Request<v1::ListRequest>) -> Answer<v1::ListQueuesResponse> {
        self.0
            .unary("centralita.v1.Admin/ListQueues", request, |engine, list, deadline| async move {
                let query = Query::Queues {
                    domain: id("domain", &list.domain)?,
                    after: optional_id("after", &list.after)?,
                    limit: page(list.limit)?,
                };
                let (found, now) = reads::queues(&engine, query, deadline).await?;
                let queues = found.iter().map(|one| queue::write(one, now)).collect();
                Ok(v1::ListQueuesResponse { queues, now_us: now.0 })
            })
            .await
    }

    async fn create_agent(&self, request: Request<v1::CreateAgentRequest>) -> Answer<v1::Created> {
        self.0
            .unary("centralita.v1.Admin/CreateAgent", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let command = Command::CreateAgent { settings: agent::read_settings(call.settings)? };
                created(&apply(&engine, deadline, call.mutation, of, command).await?)
            })
            .await
    }

    async fn update_agent(&self, request: Request<v1::UpdateAgentRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/UpdateAgent", request, |engine, call, deadline| async move {
                let agent: AgentId = id("agent", &call.agent)?;
                let settings = agent::read_settings(call.settings)?;
                let command = Command::UpdateAgent { agent, settings };
                Ok(receipt(&apply(&engine, deadline, call.mutation, agent.domain, command).await?))
            })
            .await
    }

    async fn delete_agent(&self, request: Request<v1::DeleteRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/DeleteAgent", request, |engine, call, deadline| async move {
                let agent: AgentId = id("id", &call.id)?;
                let command = Command::DeleteAgent { agent };
                Ok(receipt(&apply(&engine, deadline, call.mutation, agent.domain, command).await?))
            })
            .await
    }

    async fn list_agents(&self, request: Request<v1::ListRequest>) -> Answer<v1::ListAgentsResponse> {
        self.0
            .unary("centralita.v1.Admin/ListAgents", request, |engine, list, deadline| async move {
                let query = Query::Agents {
                    domain: id("domain", &list.domain)?,
                    after: optional_id("after", &list.after)?,
                    limit: page(list.limit)?,
                };
                let (found, _) = reads::agents(&engine, query, deadline).await?;
                Ok(v1::ListAgentsResponse { agents: found.iter().map(agent::write).collect() })
            })
            .await
    }

    async fn create_touchpoint(&self, request: Request<v1::CreateTouchpointRequest>) -> Answer<v1::Created> {
        self.0
            .unary("centralita.v1.Admin/CreateTouchpoint", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let settings = touchpoint::read_settings(call.settings)?;
                let command = Command::CreateTouchpoint { settings };
                created(&apply(&engine, deadline, call.mutation, of, command).await?)
            })
            .await
    }

    async fn update_touchpoint(&self, request: Request<v1::UpdateTouchpointRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/UpdateTouchpoint", request, |engine, call, deadline| async move {
                let touchpoint: TouchpointId = id("touchpoint", &call.touchpoint)?;
                let settings = touchpoint::read_settings(call.settings)?;
                let command = Command::UpdateTouchpoint { touchpoint, settings };
                Ok(receipt(&apply(&engine, deadline, call.mutation, touchpoint.domain, command).await?))
            })
            .await
    }

    async fn delete_touchpoint(&self, request: Request<v1::DeleteRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/DeleteTouchpoint", request, |engine, call, deadline| async move {
                let touchpoint: TouchpointId = id("id", &call.id)?;
                let command = Command::DeleteTouchpoint { touchpoint };
                Ok(receipt(&apply(&engine, deadline, call.mutation, touchpoint.domain, command).await?))
            })
            .await
    }

    async fn list_touchpoints(
        &self,
        request: Request<v1::ListRequest>,
    ) -> Answer<v1::ListTouchpointsResponse> {
        self.0
            .unary("centralita.v1.Admin/ListTouchpoints", request, |engine, list, deadline| async move {
                let query = Query::Touchpoints {
                    domain: id("domain", &list.domain)?,
                    after: optional_id("after", &list.after)?,
                    limit: page(list.limit)?,
                };
                let (found, _) = reads::touchpoints(&engine, query, deadline).await?;
                Ok(v1::ListTouchpointsResponse { touchpoints: found.iter().map(touchpoint::write).collect() })
            })
            .await
    }

    async fn set_criteria(&self, request: Request<v1::SetCriteriaRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/SetCriteria", request, |engine, call, deadline| async move {
                let touchpoint: TouchpointId = id("touchpoint", &call.touchpoint)?;
                let criteria = criteria::read_required(call.criteria)?;
                let by = if call.supervisor.is_empty() { By::System } else { by(call.supervisor)? };
                let command = Command::SetCriteria { touchpoint, criteria, by };
                Ok(receipt(&apply(&engine, deadline, call.mutation, touchpoint.domain, command).await?))
            })
            .await
    }

    async fn set_channel_rules(&self, request: Request<v1::SetChannelRulesRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/SetChannelRules", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let rules = channel_rules::read_required(call.rules)?;
                let command = Command::SetChannelRules { rules, by: by(call.supervisor)? };
                Ok(receipt(&apply(&engine, deadline, call.mutation, of, command).await?))
            })
            .await
    }

    async fn set_handling(&self, request: Request<v1::SetHandlingRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/SetHandling", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let handling = handling::read_required(call.handling)?;
                let command = Command::SetHandling { handling, by: by(call.supervisor)? };
                Ok(receipt(&apply(&engine, deadline, call.mutation, of, command).await?))
            })
            .await
    }

    async fn set_pace(&self, request: Request<v1::SetPaceRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/SetPace", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let command = Command::SetPace { pace: pace::read(call.pace)?, by: by(call.supervisor)? };
                Ok(receipt(&apply(&engine, deadline, call.mutation, of, command).await?))
            })
            .await
    }

    async fn set_schedule(&self, request: Request<v1::SetScheduleRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/SetSchedule", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let mutation = Mutation::read(call.mutation)?;
                // By the request id's own time, so that a repetition says the same.
                let made_ms = mutation.id.made_at_ms();
                let schedule = call.schedule.map(|one| hours::read_schedule(one, made_ms)).transpose()?;
                let command = Command::SetSchedule { name: call.name, schedule, by: by(call.supervisor)? };
                Ok(receipt(&execute(&engine, mutation.request(of, command), deadline).await?))
            })
            .await
    }

    async fn list_schedules(
        &self,
        request: Request<v1::ListSchedulesRequest>,
    ) -> Answer<v1::ListSchedulesResponse> {
        self.0
            .unary("centralita.v1.Admin/ListSchedules", request, |engine, list, deadline| async move {
                let domain = reads::domain(&engine, id("domain", &list.domain)?, deadline).await?;
                let wall_ms = engine.wall_ms();
                let schedules = domain.schedules.iter();
                let schedules = schedules.map(|(name, one)| hours::write_known(name, one, wall_ms));
                Ok(v1::ListSchedulesResponse { schedules: schedules.collect() })
            })
            .await
    }

    async fn set_callback(&self, request: Request<v1::SetCallbackRequest>) -> Answer<v1::Receipt> {
        self.0
            .unary("centralita.v1.Admin/SetCallback", request, |engine, call, deadline| async move {
                let of = id("domain", &call.domain)?;
                let callback = callback::read(call.callback)?;
                let command = Command::SetCallback { callback, by: by(call.supervisor)? };
                Ok(receipt(&apply(&engine, deadline, call.mutation, of, command).await?))
            })
            .await
    }

    async fn panic_domain(&self, request: Request<v1::PanicDomainRequest>) -> Answer<v1::Receipt> {
        let allowed = self.0.allow_fault_injection;
        self.0
            .unary("centralita.v1.Admin/PanicDomain", request, move |engine, call, deadline| async move {
                if !allowed {
                    let what = "this node refuses faults on purpose: start it with --allow-fault-injection";
                    return Err(Problem::new(Code::PermissionDenied, "FAULTS_NOT_ALLOWED", what));
                }
                let of = id("domain", &call.domain)?;
                let command = Command::Panic { message: call.message };
                Ok(receipt(&apply(&engine, deadline, call.mutation, of, command).await?))
            })
            .await
    }
}
