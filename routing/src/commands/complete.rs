//! `Complete`: the wrap-up is done.

use super::checks::{Answered, done, invalid, not_allowed, text};
use super::wrong_state;
use crate::ConversationId;
use crate::command::Desk;
use crate::domain::{Cx, Domain, State};
use crate::event::{Ending, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::{NOTES_BYTES_MAX, TEXT_BYTES_MAX};

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    desk: Desk,
    id: ConversationId,
    disposition: Option<&str>,
    notes: &str,
) -> Answered {
    let agent = domain.desk(desk)?;
    text("disposition", disposition.unwrap_or_default(), TEXT_BYTES_MAX)?;
    text("notes", notes, NOTES_BYTES_MAX)?;
    let no = domain.named_conversation(id)?;
    let State::Wrapping(owner) = domain.conv(no).state else {
        return wrong_state(domain, no, "only one in wrap-up can be completed");
    };
    if owner != agent {
        return not_allowed("another agent owns it");
    }
    if let Some(queue) = domain.wrap_up_queue(no) {
        let settings = &domain.queue(queue).settings;
        match disposition {
            Some(chosen)
                if !settings.dispositions.is_empty()
                    && !settings.dispositions.iter().any(|d| d == chosen) =>
            {
                return invalid("disposition", format!("use one of: {}", settings.dispositions.join(", ")));
            }
            None if settings.disposition_required => return invalid("disposition", "required by the queue"),
            _ => {}
        }
    }
    let ending = Ending::Completed { disposition: disposition.map(str::to_owned) };
    domain.end(cx, no, ending, notes.to_owned(), Revoked::Closed);
    done(DoneWhat::Ok, Subject::Conversation(id))
}
