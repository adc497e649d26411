//! `Supervisor`: watch and intervene.

use super::call::{self, Shared, execute, not_watched, permit};
use super::limits::WATCHES_MAX;
use super::{Answers, expected_wait, queue_watch, reads};
use crate::convert::consult::{Consult, read_consult};
use crate::convert::conversation::{read_stages, stage_of};
use crate::convert::mutation::{Mutation, receipt};
use crate::convert::transfer::{Transfer, read_transfer};
use crate::convert::{
    Read, conversation, criteria, explain, explain_queue, hours, ids::id, ids::optional_id, intent, picked,
    policy, queue, scalar,
};
use crate::problem::Problem;
use ::routing::command::By;
use ::routing::{Command, ConversationId, DomainId, OfferId, Rejected, level};
use actors::{Engine, Query};
use proto::v1;
use proto::v1::supervisor_server::Supervisor;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// Pages looked through for one page of a filtered list; then the caller goes on from `next`.
const PAGES_SCANNED_MAX: usize = 16;

/// The service.
#[derive(Clone)]
pub struct SupervisorService(pub Shared);

pub(super) fn by(supervisor: String) -> Read<By> {
    if supervisor.is_empty() {
        return Err(Problem::field("supervisor", "is required: who acts, for example 'ana@example.org'"));
    }
    Ok(By::Supervisor(supervisor))
}

async fn about(
    engine: Engine,
    deadline: Duration,
    mutation: Option<v1::Mutation>,
    domain: DomainId,
    command: Command,
) -> Result<v1::Receipt, Problem> {
    let request = Mutation::read(mutation)?.request(domain, command);
    Ok(receipt(&execute(&engine, request, deadline).await?))
}

async fn list(
    engine: Engine,
    request: v1::ListConversationsRequest,
    deadline: Duration,
) -> Result<v1::ListConversationsResponse, Problem> {
    let domain = id("domain", &request.domain)?;
    let limit = scalar::page("limit", request.limit)?;
    let stages = read_stages(&request.stages)?;
    let mut after: Option<ConversationId> = optional_id("after", &request.after)?;
    let mut response = v1::ListConversationsResponse::default();
    let page = if stages.is_empty() { limit } else { Query::LIMIT_MAX as usize };
    let page = u32::try_from(page).unwrap_or(Query::LIMIT_MAX);
    for _ in 0..PAGES_SCANNED_MAX {
        let query = Query::Conversations { domain, after, limit: page };
        let (found, now) = reads::conversations(&engine, query, deadline).await?;
        let over = found.len() < page as usize;
        for one in &found {
            after = Some(one.id);
            if stages.is_empty() || stages.contains(&stage_of(one)) {
                response.conversations.push(conversation::write(one, now));
                if response.conversations.len() == limit {
                    response.next = one.id.to_string();
                    return Ok(response);
                }
            }
        }
        if over {
            return Ok(response);
        }
    }
    response.next = after.map(|after| after.to_string()).unwrap_or_default();
    Ok(response)
}

#[tonic::async_trait]
impl Supervisor for SupervisorService {
    async fn list_conversations(
        &self,
        request: Request<v1::ListConversationsRequest>,
    ) -> Result<Response<v1::ListConversationsResponse>, Status> {
        self.0.unary("centralita.v1.Supervisor/ListConversations", request, list).await
    }

    type WatchQueuesStream = Answers<v1::QueuesUpdate>;

    async fn watch_queues(
        &self,
        request: Request<v1::WatchQueuesRequest>,
    ) -> Result<Response<Self::WatchQueuesStream>, Status> {
        let request = request.into_inner();
        let permit = permit(&self.0.watches, "watches", WATCHES_MAX)?;
        let domain = id("domain", &request.domain)?;
        let interval = queue_watch::interval(request.min_interval_ms)?;
        let changes = match self.0.engine.changes(domain).await {
            Ok(changes) => changes,
            Err(error) => return Err(call::not_watched(&self.0.engine, domain, error).await.into()),
        };
        let (engine, stopping) = (self.0.engine.clone(), self.0.stopping.clone());
        let updates = queue_watch::run(engine, domain, changes, interval, stopping, permit);
        Ok(Response::new(Box::pin(updates)))
    }

    async fn transfer(
        &self,
        request: Request<v1::SupervisorTransferRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/Transfer", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let command = read_transfer(Transfer {
                    conversation: &call.conversation,
                    target: call.target,
                    fallback: (call.fallback, &call.fallback_queue),
                    criteria: call.criteria,
                    by: by(call.supervisor)?,
                })?;
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn force_close(
        &self,
        request: Request<v1::ForceCloseRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/ForceClose", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let by = by(call.supervisor)?;
                let command = Command::ForceClose { conversation, reason: call.reason, by };
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn set_presence(
        &self,
        request: Request<v1::SupervisorSetPresenceRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/SetPresence", request, |engine, call, deadline| async move {
                let agent: ::routing::AgentId = id("agent", &call.agent)?;
                let intent = intent::read("intent", call.intent)?;
                let command = Command::SetPresence { agent, intent, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, agent.domain, command).await
            })
            .await
    }

    async fn log_out(&self, request: Request<v1::LogOutRequest>) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/LogOut", request, |engine, call, deadline| async move {
                let agent: ::routing::AgentId = id("agent", &call.agent)?;
                let command = Command::LogOut { agent, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, agent.domain, command).await
            })
            .await
    }

    async fn reprioritise(
        &self,
        request: Request<v1::ReprioritiseRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/Reprioritise", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let priority = scalar::priority("priority", call.priority)?;
                let command = Command::Reprioritise { conversation, priority, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn set_idle(
        &self,
        request: Request<v1::SupervisorSetIdleRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/SetIdle", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let command = Command::SetIdle { conversation, idle: call.idle, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn extend_wrap_up(
        &self,
        request: Request<v1::SupervisorExtendWrapUpRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/ExtendWrapUp", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let longer = scalar::span("longer_ms", call.longer_ms)?;
                let command = Command::ExtendWrapUp { conversation, longer, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn consult(
        &self,
        request: Request<v1::SupervisorConsultRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/Consult", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let command = read_consult(Consult {
                    conversation: &call.conversation,
                    asked: &call.asked,
                    lasts_ms: call.lasts_ms,
                    by: by(call.supervisor)?,
                })?;
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn end_consult(
        &self,
        request: Request<v1::SupervisorEndConsultRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/EndConsult", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let command = Command::EndConsult { conversation, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn complete_consult(
        &self,
        request: Request<v1::SupervisorCompleteConsultRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/CompleteConsult", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let command = Command::CompleteConsult { conversation, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn pause_queue(
        &self,
        request: Request<v1::PauseQueueRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/PauseQueue", request, |engine, call, deadline| async move {
                let queue: ::routing::QueueId = id("queue", &call.queue)?;
                let command = Command::PauseQueue { queue, paused: call.paused, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, queue.domain, command).await
            })
            .await
    }

    async fn set_hours(
        &self,
        request: Request<v1::SetHoursRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/SetHours", request, |engine, call, deadline| async move {
                let queue: ::routing::QueueId = id("queue", &call.queue)?;
                let hours = call.hours.map(hours::read).transpose()?;
                let command = Command::SetHours { queue, hours, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, queue.domain, command).await
            })
            .await
    }

    async fn set_ring(&self, request: Request<v1::SetRingRequest>) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/SetRing", request, |engine, call, deadline| async move {
                let of: ::routing::QueueId = id("queue", &call.queue)?;
                let agents = queue::read_ring(call.agents)?;
                let command = Command::SetRing { queue: of, agents, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, of.domain, command).await
            })
            .await
    }

    async fn set_skills(
        &self,
        request: Request<v1::SetSkillsRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/SetSkills", request, |engine, call, deadline| async move {
                let agent: ::routing::AgentId = id("agent", &call.agent)?;
                let skills = criteria::read_skills("skills", call.skills)?;
                let command = Command::SetSkills { agent, skills, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, agent.domain, command).await
            })
            .await
    }

    async fn change_criteria(
        &self,
        request: Request<v1::ChangeCriteriaRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/ChangeCriteria", request, |engine, call, deadline| async move {
                let conversation: ConversationId = id("conversation", &call.conversation)?;
                let criteria = criteria::read_required(call.criteria)?;
                let command = Command::ChangeCriteria { conversation, criteria, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, conversation.domain, command).await
            })
            .await
    }

    async fn set_policy(
        &self,
        request: Request<v1::SetPolicyRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/SetPolicy", request, |engine, call, deadline| async move {
                let queue: ::routing::QueueId = id("queue", &call.queue)?;
                let policy = policy::read_required(call.policy)?;
                let command = Command::SetPolicy { queue, policy, by: by(call.supervisor)? };
                about(engine, deadline, call.mutation, queue.domain, command).await
            })
            .await
    }

    async fn explain_wait(
        &self,
        request: Request<v1::ExplainWaitRequest>,
    ) -> Result<Response<v1::ExplainWaitResponse>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/ExplainWait", request, |engine, call, deadline| async move {
                let query = Query::ExplainWait(id("conversation", &call.conversation)?);
                let (found, _) = reads::one_explanation(&engine, query, deadline).await?;
                Ok(explain::write(&found))
            })
            .await
    }

    async fn explain_pick(
        &self,
        request: Request<v1::ExplainPickRequest>,
    ) -> Result<Response<v1::ExplainPickResponse>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/ExplainPick", request, |engine, call, deadline| async move {
                let offer: OfferId = id("offer", &call.offer)?;
                // What was acknowledged before this call is in the record up to here.
                let upto = reads::domain(&engine, offer.domain, deadline).await?.sequence;
                let event = match engine.offer_event(offer, upto).await {
                    Ok(event) => event,
                    Err(error) => return Err(not_watched(&engine, offer.domain, error).await),
                };
                let unknown = || Rejected::Unknown { kind: "offer".to_owned(), id: offer.to_string() };
                Ok(event.and_then(|event| picked::write(&event)).ok_or_else(unknown)?)
            })
            .await
    }

    async fn explain_queue(
        &self,
        request: Request<v1::ExplainQueueRequest>,
    ) -> Result<Response<v1::ExplainQueueResponse>, Status> {
        self.0
            .unary("centralita.v1.Supervisor/ExplainQueue", request, |engine, call, deadline| async move {
                let query = Query::ExplainQueue(id("queue", &call.queue)?);
                // Nodes of an older release cannot read this question.
                let level = engine.level();
                if level < level::PICKS {
                    return Err(Rejected::Level { level }.into());
                }
                let (found, _) = reads::one_queue_explained(&engine, query, deadline).await?;
                Ok(explain_queue::write(&found))
            })
            .await
    }

    async fn expected_wait(
        &self,
        request: Request<v1::ExpectedWaitRequest>,
    ) -> Result<Response<v1::ExpectedWaitResponse>, Status> {
        self.0.unary("centralita.v1.Supervisor/ExpectedWait", request, expected_wait::answer).await
    }
}
