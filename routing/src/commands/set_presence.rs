//! `SetPresence`: what an agent means to do.

use super::checks::{Answered, done, not_allowed, text};
use crate::AgentId;
use crate::command::{By, Intent};
use crate::domain::{Cx, Domain};
use crate::event::Subject;
use crate::outcome::DoneWhat;
use crate::settings::limits::TEXT_BYTES_MAX;

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: AgentId, intent: &Intent, by: &By) -> Answered {
    let caller = domain.caller(by)?;
    match intent {
        Intent::Available => {}
        Intent::Unavailable { reason } => text("reason", reason, TEXT_BYTES_MAX)?,
        Intent::Draining { next } => text("next", next, TEXT_BYTES_MAX)?,
    }
    let no = domain.named_agent(id)?;
    if *by == By::Customer || caller.is_some_and(|caller| caller != no) {
        return not_allowed("an agent's presence is set by its own desk or a supervisor");
    }
    if domain.agent(no).intent != *intent {
        domain.set_intent(cx, no, intent.clone(), by.clone());
    }
    done(DoneWhat::Ok, Subject::Agent(id))
}
