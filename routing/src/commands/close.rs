//! `Close` and `ForceClose`.

use super::checks::{Answered, done, not_allowed, supervises, supervisors_only, text};
use super::wrong_state;
use crate::ConversationId;
use crate::command::By;
use crate::domain::{ConvNo, Cx, Domain};
use crate::event::{Ending, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::TEXT_BYTES_MAX;

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    reason: &str,
    by: &By,
) -> Answered {
    let caller = domain.caller(by)?;
    text("reason", reason, TEXT_BYTES_MAX)?;
    let no = live(domain, id)?;
    let owner = domain.conv(no).owner();
    let may = match caller {
        Some(caller) => owner == Some(caller),
        None => supervises(by) || owner.is_none(),
    };
    if !may {
        return not_allowed("its owner, a supervisor, or anybody but agents while nobody owns it");
    }
    close(domain, cx, no, reason, by)
}

pub(super) fn force(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    reason: &str,
    by: &By,
) -> Answered {
    domain.caller(by)?;
    text("reason", reason, TEXT_BYTES_MAX)?;
    let no = live(domain, id)?;
    supervisors_only(by)?;
    close(domain, cx, no, reason, by)
}

fn live(domain: &Domain, id: ConversationId) -> Result<ConvNo, crate::Rejected> {
    let no = domain.named_conversation(id)?;
    if domain.conv(no).is_terminal() { wrong_state(domain, no, "it has ended already") } else { Ok(no) }
}

fn close(domain: &mut Domain, cx: &mut Cx<'_>, no: ConvNo, reason: &str, by: &By) -> Answered {
    let ending = Ending::Closed { reason: reason.to_owned(), by: by.clone() };
    domain.end(cx, no, ending, String::new(), Revoked::Closed);
    done(DoneWhat::Ok, Subject::Conversation(no.id(domain.id)))
}
