//! `Routing`: conversations, for whatever brings customers in.

use super::call::{Shared, execute, permit, unexpected};
use super::limits::SUBMITS_MAX;
use super::{Answers, expected_wait, reads, submit};
use crate::convert::mutation::receipt;
use crate::convert::{Read, conversation, criteria, ids::id, mutation::Mutation, scalar::span};
use ::routing::command::By;
use ::routing::entry::Request as CoreRequest;
use ::routing::{Command, ConversationId};
use proto::v1;
use proto::v1::routing_server::Routing;
use tonic::{Request, Response, Status, Streaming};

/// The service.
#[derive(Clone)]
pub struct RoutingService(pub Shared);

/// Reads an arrival.
pub(super) fn read_start(start: v1::StartRequest) -> Read<CoreRequest> {
    let arrival = conversation::read_arrival(&start)?;
    let domain = arrival.touchpoint.domain;
    let command = match start.criteria.map(criteria::read).transpose()? {
        None => Command::Start(arrival),
        Some(criteria) => Command::StartWith { arrival, criteria },
    };
    Ok(Mutation::read(start.mutation)?.request(domain, command))
}

fn read_about(
    mutation: Option<v1::Mutation>,
    conversation: &str,
    command: impl FnOnce(ConversationId) -> Command,
) -> Read<CoreRequest> {
    let conversation: ConversationId = id("conversation", conversation)?;
    Ok(Mutation::read(mutation)?.request(conversation.domain, command(conversation)))
}

/// Reads an abandonment.
pub(super) fn read_abandon(abandon: v1::AbandonRequest) -> Read<CoreRequest> {
    read_about(abandon.mutation, &abandon.conversation, |conversation| Command::Abandon { conversation })
}

/// Reads the end of a contact, from the customer's side.
pub(super) fn read_end_contact(end: v1::EndContactRequest) -> Read<CoreRequest> {
    read_about(end.mutation, &end.conversation, |conversation| Command::EndContact {
        conversation,
        by: By::Customer,
    })
}

/// Reads that the customer did something.
pub(super) fn read_wake(wake: v1::WakeRequest) -> Read<CoreRequest> {
    read_about(wake.mutation, &wake.conversation, |conversation| Command::SetIdle {
        conversation,
        idle: false,
        by: By::Customer,
    })
}

/// Reads that a customer is to be called back.
pub(super) fn read_request_callback(request: v1::RequestCallbackRequest) -> Read<CoreRequest> {
    let not_before = match request.not_before_ms {
        0 => None,
        ms => Some(span("not_before_ms", ms)?),
    };
    let contact = request.contact;
    read_about(request.mutation, &request.conversation, |conversation| Command::RequestCallback {
        conversation,
        contact,
        not_before,
    })
}

/// Reads that a customer is not to be called back any more.
pub(super) fn read_cancel_callback(cancel: v1::CancelCallbackRequest) -> Read<CoreRequest> {
    read_about(cancel.mutation, &cancel.conversation, |conversation| Command::CancelCallback { conversation })
}

/// Reads the close of what nobody owns.
pub(super) fn read_close(close: v1::CloseRequest) -> Read<CoreRequest> {
    let reason = close.reason;
    read_about(close.mutation, &close.conversation, |conversation| Command::Close {
        conversation,
        reason,
        by: By::Customer,
    })
}

#[tonic::async_trait]
impl Routing for RoutingService {
    async fn start(&self, request: Request<v1::StartRequest>) -> Result<Response<v1::StartResponse>, Status> {
        self.0
            .unary("centralita.v1.Routing/Start", request, |engine, start, deadline| async move {
                let done = execute(&engine, read_start(start)?, deadline).await?;
                conversation::write_started(&done).ok_or_else(|| unexpected("an arrival"))
            })
            .await
    }

    async fn abandon(&self, request: Request<v1::AbandonRequest>) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Routing/Abandon", request, |engine, abandon, deadline| async move {
                Ok(receipt(&execute(&engine, read_abandon(abandon)?, deadline).await?))
            })
            .await
    }

    async fn end_contact(
        &self,
        request: Request<v1::EndContactRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Routing/EndContact", request, |engine, end, deadline| async move {
                Ok(receipt(&execute(&engine, read_end_contact(end)?, deadline).await?))
            })
            .await
    }

    async fn close(&self, request: Request<v1::CloseRequest>) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Routing/Close", request, |engine, close, deadline| async move {
                Ok(receipt(&execute(&engine, read_close(close)?, deadline).await?))
            })
            .await
    }

    async fn wake(&self, request: Request<v1::WakeRequest>) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Routing/Wake", request, |engine, wake, deadline| async move {
                Ok(receipt(&execute(&engine, read_wake(wake)?, deadline).await?))
            })
            .await
    }

    async fn request_callback(
        &self,
        request: Request<v1::RequestCallbackRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Routing/RequestCallback", request, |engine, call, deadline| async move {
                Ok(receipt(&execute(&engine, read_request_callback(call)?, deadline).await?))
            })
            .await
    }

    async fn cancel_callback(
        &self,
        request: Request<v1::CancelCallbackRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        self.0
            .unary("centralita.v1.Routing/CancelCallback", request, |engine, cancel, deadline| async move {
                Ok(receipt(&execute(&engine, read_cancel_callback(cancel)?, deadline).await?))
            })
            .await
    }

    async fn get_conversation(
        &self,
        request: Request<v1::GetConversationRequest>,
    ) -> Result<Response<v1::Conversation>, Status> {
        self.0
            .unary("centralita.v1.Routing/GetConversation", request, |engine, get, deadline| async move {
                let wanted = id("conversation", &get.conversation)?;
                let (found, now) = reads::conversation(&engine, wanted, deadline).await?;
                Ok(conversation::write(&found, now))
            })
            .await
    }

    async fn expected_wait(
        &self,
        request: Request<v1::ExpectedWaitRequest>,
    ) -> Result<Response<v1::ExpectedWaitResponse>, Status> {
        self.0.unary("centralita.v1.Routing/ExpectedWait", request, expected_wait::answer).await
    }

    type SubmitStream = Answers<v1::SubmitResponse>;

    async fn submit(
        &self,
        request: Request<Streaming<v1::SubmitRequest>>,
    ) -> Result<Response<Self::SubmitStream>, Status> {
        let permit = permit(&self.0.submits, "Submit streams", SUBMITS_MAX)?;
        let stream =
            submit::run(self.0.engine.clone(), request.into_inner(), self.0.stopping.clone(), permit);
        Ok(Response::new(Box::pin(stream)))
    }
}
