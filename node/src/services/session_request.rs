//! What a desk's further messages ask for.

use crate::convert::Read;
use crate::convert::desk::DeskCall;
use crate::problem::Problem;
use ::routing::command::Desk;
use ::routing::entry::Request;
use ::routing::{AgentId, Epoch};
use proto::v1;
use proto::v1::desk_request::Message;
use tonic::Code;

/// What a message asks for.
pub(super) enum Asked {
    /// Nothing: it is there.
    Heartbeat,
    /// To leave.
    Bye,
    /// What it may pull.
    Inbox {
        /// Page size as given.
        limit: u32,
    },
    /// A command.
    Command(Box<Request>),
}

/// Reads a message of the desk with this epoch. A message without an epoch of its own is the
/// session's; one with another epoch is an older tab's and goes to the core as such.
pub(super) fn read(request: v1::DeskRequest, agent: AgentId, epoch: Epoch) -> Read<Asked> {
    let of = |given: u64| Desk { agent, epoch: if given == 0 { epoch } else { Epoch(given) } };
    fn command<C: DeskCall>(call: C, of: impl Fn(u64) -> Desk) -> Read<Asked> {
        let desk = of(call.named().1);
        Ok(Asked::Command(Box::new(call.read(desk)?)))
    }
    match request.message {
        None => Err(Problem::field("message", "is required: heartbeat, accept, reject, bye …")),
        Some(Message::Hello(_)) => {
            let what = "this session is open: open another stream for another hello";
            Err(Problem::new(Code::FailedPrecondition, "HELLO_TWICE", what))
        }
        Some(Message::Heartbeat(_)) => Ok(Asked::Heartbeat),
        Some(Message::Bye(_)) => Ok(Asked::Bye),
        Some(Message::ListInbox(list)) => Ok(Asked::Inbox { limit: list.limit }),
        Some(Message::Accept(call)) => command(call, of),
        Some(Message::Reject(call)) => command(call, of),
        Some(Message::Assign(call)) => command(call, of),
        Some(Message::EndContact(call)) => command(call, of),
        Some(Message::Complete(call)) => command(call, of),
        Some(Message::Transfer(call)) => command(call, of),
        Some(Message::SetPresence(call)) => command(call, of),
        Some(Message::Connected(call)) => command(call, of),
        Some(Message::ConnectFailed(call)) => command(call, of),
        Some(Message::SetIdle(call)) => command(call, of),
        Some(Message::ExtendWrapUp(call)) => command(call, of),
        Some(Message::Consult(call)) => command(call, of),
        Some(Message::EndConsult(call)) => command(call, of),
        Some(Message::CompleteConsult(call)) => command(call, of),
    }
}
