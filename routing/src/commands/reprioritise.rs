//! `Reprioritise`: another priority in place; the age stays.

use super::checks::{Answered, done, supervisors_only};
use super::wrong_state;
use crate::command::By;
use crate::domain::{Cx, Domain, State};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::{ConversationId, Priority};

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    priority: Priority,
    by: &By,
) -> Answered {
    domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    match domain.conv(no).state {
        State::Waiting => {
            supervisors_only(by)?;
            domain.leave_lines(no);
            domain.conv_mut(no).priority = priority;
            domain.enter_lines(no);
        }
        State::Offered => {
            supervisors_only(by)?;
            domain.conv_mut(no).priority = priority;
        }
        _ => return wrong_state(domain, no, "only a waiting one has a place in line"),
    }
    domain.emit(cx, EventKind::Reprioritised { conversation: id, priority, by: by.clone() });
    done(DoneWhat::Ok, Subject::Conversation(id))
}
