//! `EndContact`: the contact is over; wrap-up begins, or the conversation closes.

use super::checks::{Answered, done, not_allowed};
use super::wrong_state;
use crate::ConversationId;
use crate::command::By;
use crate::domain::{Cx, Domain, State};
use crate::event::Subject;
use crate::outcome::DoneWhat;

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: ConversationId, by: &By) -> Answered {
    let caller = domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    let State::Assigned(owner) = domain.conv(no).state else {
        return wrong_state(domain, no, "only an assigned one has a contact to end");
    };
    if caller.is_some_and(|caller| caller != owner) {
        return not_allowed("another agent owns it");
    }
    domain.end_contact(cx, no);
    done(DoneWhat::Ok, Subject::Conversation(id))
}
