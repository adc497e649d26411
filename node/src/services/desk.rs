//! `AgentDesk`: the desk's stream and its unary twins.

use super::call::{Shared, execute, permit, unexpected};
use super::limits::SESSIONS_MAX;
use super::{Answers, reads, session};
use crate::convert::desk::{DeskCall, named_desk, write_accepted};
use crate::convert::{conversation, ids::id, mutation::receipt, scalar};
use crate::problem::Problem;
use ::routing::{AgentId, Done};
use actors::Engine;
use proto::v1;
use proto::v1::agent_desk_server::AgentDesk;
use std::time::Duration;
use tonic::{Request, Response, Status, Streaming};

/// The service.
#[derive(Clone)]
pub struct DeskService(pub Shared);

/// Carries out a unary call of the desk it names.
async fn call(engine: Engine, call: impl DeskCall, deadline: Duration) -> Result<Done, Problem> {
    let desk = named_desk(&call)?;
    execute(&engine, call.read(desk)?, deadline).await
}

async fn accepted(
    engine: Engine,
    request: impl DeskCall,
    deadline: Duration,
) -> Result<v1::AcceptResponse, Problem> {
    write_accepted(&call(engine, request, deadline).await?).ok_or_else(|| unexpected("an accept"))
}

async fn done(engine: Engine, request: impl DeskCall, deadline: Duration) -> Result<v1::Receipt, Problem> {
    Ok(receipt(&call(engine, request, deadline).await?))
}

/// What an agent may pull.
pub(super) async fn list_inbox(
    engine: &Engine,
    agent: AgentId,
    limit: u32,
    deadline: Duration,
) -> Result<v1::ListInboxResponse, Problem> {
    let limit = u32::try_from(scalar::page("limit", limit)?).unwrap_or(actors::Query::LIMIT_MAX);
    let (found, now) = reads::inbox(engine, agent, limit, deadline).await?;
    let conversations = found.iter().map(|one| conversation::write(one, now)).collect();
    Ok(v1::ListInboxResponse { conversations })
}

#[tonic::async_trait]
impl AgentDesk for DeskService {
    type SessionStream = Answers<v1::DeskResponse>;

    async fn session(
        &self,
        request: Request<Streaming<v1::DeskRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let permit = permit(&self.0.sessions, "connected desks", SESSIONS_MAX)?;
        let answers = session::start(self.0.engine.clone(), request.into_inner(), permit);
        Ok(Response::new(Box::pin(answers)))
    }

    async fn accept(
        &self,
        request: Request<v1::AcceptRequest>,
    ) -> Result<Response<v1::AcceptResponse>, Status> {
        self.0.unary("centralita.v1.AgentDesk/Accept", request, accepted).await
    }

    async fn reject(&self, request: Request<v1::RejectRequest>) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/Reject", request, done).await
    }

    async fn assign(
        &self,
        request: Request<v1::AssignRequest>,
    ) -> Result<Response<v1::AcceptResponse>, Status> {
        self.0.unary("centralita.v1.AgentDesk/Assign", request, accepted).await
    }

    async fn end_contact(
        &self,
        request: Request<v1::DeskEndContactRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/EndContact", request, done).await
    }

    async fn complete(&self, request: Request<v1::CompleteRequest>) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/Complete", request, done).await
    }

    async fn transfer(
        &self,
        request: Request<v1::DeskTransferRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/Transfer", request, done).await
    }

    async fn set_presence(
        &self,
        request: Request<v1::DeskSetPresenceRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/SetPresence", request, done).await
    }

    async fn connected(
        &self,
        request: Request<v1::ConnectedRequest>,
    ) -> Result<Response<v1::AcceptResponse>, Status> {
        self.0.unary("centralita.v1.AgentDesk/Connected", request, accepted).await
    }

    async fn connect_failed(
        &self,
        request: Request<v1::ConnectFailedRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/ConnectFailed", request, done).await
    }

    async fn set_idle(
        &self,
        request: Request<v1::DeskSetIdleRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/SetIdle", request, done).await
    }

    async fn extend_wrap_up(
        &self,
        request: Request<v1::DeskExtendWrapUpRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/ExtendWrapUp", request, done).await
    }

    async fn consult(
        &self,
        request: Request<v1::DeskConsultRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/Consult", request, done).await
    }

    async fn end_consult(
        &self,
        request: Request<v1::DeskEndConsultRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/EndConsult", request, done).await
    }

    async fn complete_consult(
        &self,
        request: Request<v1::DeskCompleteConsultRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0.unary("centralita.v1.AgentDesk/CompleteConsult", request, done).await
    }

    async fn get_desk(&self, request: Request<v1::GetDeskRequest>) -> Result<Response<v1::Welcome>, Status> {
        self.0
            .unary("centralita.v1.AgentDesk/GetDesk", request, |engine, get, deadline| async move {
                let agent = id("agent", &get.agent)?;
                let view = reads::desk(&engine, agent, deadline).await?;
                Ok(session::write_welcome(&engine, &view, deadline).await)
            })
            .await
    }

    async fn list_inbox(
        &self,
        request: Request<v1::ListInboxRequest>,
    ) -> Result<Response<v1::ListInboxResponse>, Status> {
        self.0
            .unary("centralita.v1.AgentDesk/ListInbox", request, |engine, list, deadline| async move {
                list_inbox(&engine, id("agent", &list.agent)?, list.limit, deadline).await
            })
            .await
    }
}
