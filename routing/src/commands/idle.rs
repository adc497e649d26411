//! `SetIdle`: a conversation waits on its customer, or no longer does.

use super::checks::{Answered, done, not_allowed};
use super::wrong_state;
use crate::ConversationId;
use crate::command::By;
use crate::domain::{Cx, Domain, State};
use crate::event::Subject;
use crate::outcome::DoneWhat;

pub(super) fn set(domain: &mut Domain, cx: &mut Cx<'_>, id: ConversationId, idle: bool, by: &By) -> Answered {
    let caller = domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    let State::Assigned(owner) = domain.conv(no).state else {
        return wrong_state(domain, no, "only an assigned one waits on its customer");
    };
    if caller.is_some_and(|caller| caller != owner) {
        return not_allowed("another agent owns it");
    }
    if idle && *by == By::Customer {
        return not_allowed("a customer only wakes it");
    }
    domain.set_idle(cx, no, idle, by.clone());
    done(DoneWhat::Ok, Subject::Conversation(id))
}
