//! What a desk asks for, alike in its stream and in the unary twins.

use super::consult::{Consult, read_consult};
use super::ids::id;
use super::mutation::{Mutation, receipt};
use super::scalar::span;
use super::transfer::{Transfer, read_transfer};
use super::{Read, intent};
use crate::problem::Problem;
use proto::v1;
use routing::command::{By, Decline, Desk};
use routing::entry::Request;
use routing::outcome::DoneWhat;
use routing::{AgentId, Command, Done, Epoch};

/// A request of a desk: whose it is by its own words (unary calls), and what it asks for once the
/// desk is known.
pub trait DeskCall {
    /// The agent and the epoch the message names.
    fn named(&self) -> (&str, u64);
    /// The command, for this desk.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` that names the field.
    fn read(self, desk: Desk) -> Read<Request>;
}

/// The desk that a unary call names.
///
/// # Errors
/// `INVALID_ARGUMENT` when the agent's id is bad or the epoch is missing.
pub fn named_desk(call: &impl DeskCall) -> Read<Desk> {
    let (agent, epoch) = call.named();
    let agent: AgentId = id("agent", agent)?;
    if epoch == 0 {
        return Err(Problem::field("epoch", "is required: the one your session's welcome told"));
    }
    Ok(Desk { agent, epoch: Epoch(epoch) })
}

fn request(desk: Desk, mutation: Option<v1::Mutation>, command: Command) -> Read<Request> {
    Ok(Mutation::read(mutation)?.request(desk.agent.domain, command))
}

macro_rules! desk_call {
    ($message:ident, |$desk:ident, $call:ident| $command:expr) => {
        impl DeskCall for v1::$message {
            fn named(&self) -> (&str, u64) {
                (&self.agent, self.epoch)
            }
            fn read(self, $desk: Desk) -> Read<Request> {
                let $call = self;
                let mutation = $call.mutation.clone();
                request($desk, mutation, $command)
            }
        }
    };
}

desk_call!(AcceptRequest, |desk, call| Command::Accept { desk, offer: id("offer", &call.offer)? });
desk_call!(RejectRequest, |desk, call| Command::Reject {
    desk,
    offer: id("offer", &call.offer)?,
    decline: Decline { reason: call.reason },
});
desk_call!(AssignRequest, |desk, call| Command::Assign {
    desk,
    conversation: id("conversation", &call.conversation)?,
});
desk_call!(DeskEndContactRequest, |desk, call| Command::EndContact {
    conversation: id("conversation", &call.conversation)?,
    by: By::Agent(desk),
});
desk_call!(ConnectedRequest, |desk, call| Command::Connected { desk, offer: id("offer", &call.offer)? });
desk_call!(ConnectFailedRequest, |desk, call| Command::ConnectFailed {
    desk,
    offer: id("offer", &call.offer)?,
    reason: call.reason,
});
desk_call!(DeskSetIdleRequest, |desk, call| Command::SetIdle {
    conversation: id("conversation", &call.conversation)?,
    idle: call.idle,
    by: By::Agent(desk),
});
desk_call!(DeskExtendWrapUpRequest, |desk, call| Command::ExtendWrapUp {
    conversation: id("conversation", &call.conversation)?,
    longer: span("longer_ms", call.longer_ms)?,
    by: By::Agent(desk),
});
desk_call!(DeskConsultRequest, |desk, call| read_consult(Consult {
    conversation: &call.conversation,
    asked: &call.asked,
    lasts_ms: call.lasts_ms,
    by: By::Agent(desk),
})?);
desk_call!(DeskEndConsultRequest, |desk, call| Command::EndConsult {
    conversation: id("conversation", &call.conversation)?,
    by: By::Agent(desk),
});
desk_call!(DeskCompleteConsultRequest, |desk, call| Command::CompleteConsult {
    conversation: id("conversation", &call.conversation)?,
    by: By::Agent(desk),
});
desk_call!(CompleteRequest, |desk, call| Command::Complete {
    desk,
    conversation: id("conversation", &call.conversation)?,
    disposition: call.disposition,
    notes: call.notes,
});
desk_call!(DeskTransferRequest, |desk, call| read_transfer(Transfer {
    conversation: &call.conversation,
    target: call.target,
    fallback: (call.fallback, &call.fallback_queue),
    criteria: call.criteria,
    by: By::Agent(desk),
})?);
desk_call!(DeskSetPresenceRequest, |desk, call| Command::SetPresence {
    agent: desk.agent,
    intent: intent::read("intent", call.intent)?,
    by: By::Agent(desk),
});

/// The answer to an accept or an assign; `None` for any other command's.
#[must_use]
pub fn write_accepted(done: &Done) -> Option<v1::AcceptResponse> {
    let (conversation, agent, connect_by, consult_until) = match &done.what {
        DoneWhat::Assigned { conversation, agent } => (conversation, agent, None, None),
        DoneWhat::Connecting { conversation, agent, deadline } => {
            (conversation, agent, Some(deadline.0), None)
        }
        DoneWhat::Consulting { conversation, agent, deadline } => {
            (conversation, agent, None, Some(deadline.0))
        }
        _ => return None,
    };
    Some(v1::AcceptResponse {
        receipt: Some(receipt(done)),
        conversation: conversation.to_string(),
        agent: agent.to_string(),
        connect_by_us: connect_by,
        consult_until_us: consult_until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::DomainId;

    #[test]
    fn a_session_s_desk_goes_before_what_the_message_says() {
        let desk = Desk { agent: AgentId::new(DomainId(1), 7), epoch: Epoch(3) };
        let mutation =
            Some(v1::Mutation { request_id: uuid::Uuid::now_v7().to_string(), expected_version: Some(4) });
        let call =
            v1::AcceptRequest { mutation, agent: "agent_1_9".into(), epoch: 1, offer: "offer_1_5".into() };
        let request = call.read(desk).expect("well formed");
        assert_eq!(request.domain, DomainId(1));
        assert_eq!(request.expected_version, Some(routing::Version(4)));
        assert!(matches!(request.command, Command::Accept { desk: of, .. } if of == desk));
    }

    #[test]
    fn a_unary_call_needs_agent_and_epoch() {
        let call = v1::AcceptRequest { agent: "agent_1_9".into(), ..Default::default() };
        assert_eq!(named_desk(&call).unwrap_err().field.as_deref(), Some("epoch"));
        let call = v1::AcceptRequest { epoch: 3, ..Default::default() };
        assert_eq!(named_desk(&call).unwrap_err().field.as_deref(), Some("agent"));
    }
}
