//! What a desk wants, and what of it is under way.

use crate::checks::{Asked, Seat};
use crate::clients::request::mutation;
use consensus::NodeId;
use proto::v1;
use proto::v1::desk_request::Message;
use proto::v1::transfer_target::Target;
use routing::{AgentId, ConversationId, OfferId};
use tokio::time::Instant;

/// An intent that an agent may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Available,
    Away,
    Draining,
}

/// What a desk wants.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Intent {
    Accept(OfferId),
    Reject(OfferId),
    /// Agent and customer are connected.
    Connect(OfferId),
    /// They could not be.
    Fail(OfferId),
    Assign(ConversationId),
    End(ConversationId),
    Complete(ConversationId),
    Transfer(ConversationId, Target, v1::TransferFallback),
    /// To ask this agent about it, for so many milliseconds at most.
    Consult(ConversationId, AgentId, u64),
    EndConsult(ConversationId),
    /// Whom it asked is to have it.
    CompleteConsult(ConversationId),
    Presence(Presence),
    Inbox,
}

/// One intent under way.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) intent: Intent,
    pub(super) request: u128,
    /// The intent's own, so that a retry on a later session is the same request.
    pub(super) epoch: u64,
    pub(super) sent_us: u64,
    /// Where the last attempt went, and whether it may still be answered.
    pub(super) node: NodeId,
    pub(super) in_flight: bool,
    /// When it is sent again.
    pub(super) again: Instant,
    pub(super) attempts: u32,
}

impl Intent {
    /// Whether it is about a consultation, for which draws are made apart.
    pub(super) fn is_consult(&self) -> bool {
        matches!(self, Intent::Consult(..) | Intent::EndConsult(_) | Intent::CompleteConsult(_))
    }

    /// For the checks; a list is no change and not judged as a call.
    pub(super) fn asked(&self, agent: AgentId, epoch: u64) -> Option<Asked> {
        let seat = Seat { agent, epoch };
        Some(match self {
            Intent::Accept(offer) => Asked::Accept(seat, *offer),
            Intent::Reject(offer) => Asked::Reject(seat, *offer),
            Intent::Connect(offer) => Asked::Connected(seat, *offer),
            Intent::Fail(offer) => Asked::ConnectFailed(seat, *offer),
            Intent::Assign(id) => Asked::Assign(seat, *id),
            Intent::End(id) => Asked::EndContact(seat, *id),
            Intent::Complete(id) => Asked::Complete(seat, *id),
            Intent::Transfer(id, target, _) => {
                let to = match target {
                    Target::Agent(to) => to.parse().ok(),
                    Target::Queue(_) | Target::Inbox(_) | Target::Touchpoint(_) => None,
                };
                Asked::DeskTransfer(seat, *id, to)
            }
            Intent::Consult(id, ..) => Asked::Consult(seat, *id),
            Intent::EndConsult(id) => Asked::EndConsult(seat, *id),
            Intent::CompleteConsult(id) => Asked::CompleteConsult(seat, *id),
            Intent::Presence(presence) => Asked::DeskPresence(seat, *presence == Presence::Available),
            Intent::Inbox => return None,
        })
    }

    /// On the wire.
    pub(super) fn message(&self, agent: AgentId, epoch: u64, request: u128) -> Message {
        let (mutation, agent) = (mutation(request), agent.to_string());
        match self {
            Intent::Accept(offer) => {
                Message::Accept(v1::AcceptRequest { mutation, agent, epoch, offer: offer.to_string() })
            }
            Intent::Reject(offer) => {
                let (offer, reason) = (offer.to_string(), "not now".to_owned());
                Message::Reject(v1::RejectRequest { mutation, agent, epoch, offer, reason })
            }
            Intent::Connect(offer) => {
                Message::Connected(v1::ConnectedRequest { mutation, agent, epoch, offer: offer.to_string() })
            }
            Intent::Fail(offer) => {
                let (offer, reason) = (offer.to_string(), "no line".to_owned());
                Message::ConnectFailed(v1::ConnectFailedRequest { mutation, agent, epoch, offer, reason })
            }
            Intent::Assign(id) => {
                Message::Assign(v1::AssignRequest { mutation, agent, epoch, conversation: id.to_string() })
            }
            Intent::End(id) => {
                let conversation = id.to_string();
                Message::EndContact(v1::DeskEndContactRequest { mutation, agent, epoch, conversation })
            }
            Intent::Complete(id) => Message::Complete(v1::CompleteRequest {
                mutation,
                agent,
                epoch,
                conversation: id.to_string(),
                disposition: Some("sold".to_owned()),
                notes: "all said".to_owned(),
            }),
            Intent::Transfer(id, target, fallback) => Message::Transfer(v1::DeskTransferRequest {
                mutation,
                agent,
                epoch,
                conversation: id.to_string(),
                target: Some(v1::TransferTarget { target: Some(target.clone()) }),
                fallback: (*fallback).into(),
                fallback_queue: String::new(),
                criteria: None,
            }),
            Intent::Consult(id, asked, lasts_ms) => Message::Consult(v1::DeskConsultRequest {
                mutation,
                agent,
                epoch,
                conversation: id.to_string(),
                asked: asked.to_string(),
                lasts_ms: *lasts_ms,
            }),
            Intent::EndConsult(id) => {
                let conversation = id.to_string();
                Message::EndConsult(v1::DeskEndConsultRequest { mutation, agent, epoch, conversation })
            }
            Intent::CompleteConsult(id) => {
                let conversation = id.to_string();
                Message::CompleteConsult(v1::DeskCompleteConsultRequest {
                    mutation,
                    agent,
                    epoch,
                    conversation,
                })
            }
            Intent::Presence(presence) => Message::SetPresence(v1::DeskSetPresenceRequest {
                mutation,
                agent,
                epoch,
                intent: Some(wire(*presence)),
            }),
            Intent::Inbox => Message::ListInbox(v1::ListInboxRequest { agent: String::new(), limit: 5 }),
        }
    }
}

/// An intent of presence on the wire.
fn wire(presence: Presence) -> v1::Intent {
    use v1::intent::{Available, Draining, Intent as Wire, Unavailable};
    let intent = match presence {
        Presence::Available => Wire::Available(Available {}),
        Presence::Away => Wire::Unavailable(Unavailable { reason: "break".to_owned() }),
        Presence::Draining => Wire::Draining(Draining { next: "off duty".to_owned() }),
    };
    v1::Intent { intent: Some(intent) }
}
