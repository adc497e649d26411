//! The first message of a desk.

use crate::convert::Read;
use crate::convert::ids::id;
use crate::convert::mutation::request_id;
use crate::problem::Problem;
use ::routing::{Epoch, Sequence};
use actors::SessionHello;
use proto::v1;
use proto::v1::desk_request::Message;
use tonic::Code;

/// Reads the first message, which must be a hello.
pub(super) fn read_hello(request: v1::DeskRequest) -> Read<SessionHello> {
    let Some(Message::Hello(hello)) = request.message else {
        let what = "the first message of a session must be `hello` with the agent's id";
        return Err(Problem::new(Code::FailedPrecondition, "NO_HELLO", what));
    };
    Ok(SessionHello {
        agent: id("hello.agent", &hello.agent)?,
        request_id: request_id("hello.request_id", &hello.request_id)?,
        cursor: hello.cursor.map(Sequence),
        epoch: hello.epoch.map(Epoch),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_comes_first_and_is_complete() {
        let of = |hello| v1::DeskRequest { tag: 1, message: Some(Message::Hello(hello)) };
        let beat = v1::DeskRequest { tag: 1, message: Some(Message::Heartbeat(v1::Heartbeat {})) };
        assert_eq!(read_hello(beat).unwrap_err().reason, "NO_HELLO");
        let no_id = v1::Hello { agent: "agent_1_1".into(), ..Default::default() };
        assert_eq!(read_hello(of(no_id.clone())).unwrap_err().field.as_deref(), Some("hello.request_id"));
        let full = v1::Hello {
            request_id: uuid::Uuid::now_v7().to_string(),
            cursor: Some(9),
            epoch: Some(2),
            ..no_id
        };
        let read = read_hello(of(full)).expect("complete");
        assert_eq!((read.cursor, read.epoch), (Some(Sequence(9)), Some(Epoch(2))));
    }
}
