//! `Close` and `ForceClose`.

use super::checks::{Answered, done, not_allowed, supervises, supervisors_only, text};
use super::wrong_state;
use crate::ConversationId;
use crate::command::{By, Recall};
use crate::domain::{ConvNo, Cx, Domain, State};
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

/// Closes a live conversation; one that is on its way to another domain is called back for it.
pub(super) fn close(domain: &mut Domain, cx: &mut Cx<'_>, no: ConvNo, reason: &str, by: &By) -> Answered {
    if domain.conv(no).state == State::Transferring {
        let recall = Recall::Closed { reason: reason.to_owned(), by: by.clone() };
        domain.recall(cx, no, &recall);
        return done(DoneWhat::Ok, Subject::Conversation(no.id(domain.id)));
    }
    let ending = Ending::Closed { reason: reason.to_owned(), by: by.clone() };
    domain.end(cx, no, ending, String::new(), Revoked::Closed);
    done(DoneWhat::Ok, Subject::Conversation(no.id(domain.id)))
}

#[cfg(test)]
mod tests {
    use crate::Command;
    use crate::command::{By, TransferFallback};
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::testing::supervisor;

    fn close(by: By, s: &Scene) -> Command {
        Command::Close { conversation: s.id, reason: "r".to_owned(), by }
    }

    fn force(by: By, s: &Scene) -> Command {
        Command::ForceClose { conversation: s.id, reason: "r".to_owned(), by }
    }

    fn forced(s: &mut Scene) -> Command {
        force(supervisor(), s)
    }

    #[test]
    fn close_table() {
        let rows: &[Row] = &[
            ("its owner", Scene::assigned, |s| close(By::Agent(s.a), s), "done closed", "Ended"),
            ("its owner, in wrap-up", Scene::wrapping, |s| close(By::Agent(s.a), s), "done closed", "Ended"),
            ("another agent", Scene::assigned, |s| close(By::Agent(s.b), s), "NotAllowed assigned", ""),
            (
                "an agent, while nobody owns it",
                Scene::waiting,
                |s| close(By::Agent(s.a), s),
                "NotAllowed queued",
                "",
            ),
            (
                "the agent it is offered to",
                Scene::offered,
                |s| close(By::Agent(s.a), s),
                "NotAllowed offered",
                "",
            ),
            ("the customer, waiting", Scene::waiting, |s| close(By::Customer, s), "done closed", "Ended"),
            (
                "the customer, offered",
                Scene::offered,
                |s| close(By::Customer, s),
                "done closed",
                "OfferEnded Ended",
            ),
            ("the customer, owned", Scene::assigned, |s| close(By::Customer, s), "NotAllowed assigned", ""),
            ("a supervisor, owned", Scene::assigned, |s| close(supervisor(), s), "done closed", "Ended"),
            ("the system, in an inbox", Scene::in_inbox, |s| close(By::System, s), "done closed", "Ended"),
            ("stale", Scene::assigned, |s| close(By::Agent(s.stale()), s), "StaleEpoch assigned", ""),
            ("ended", Scene::closed, |s| close(supervisor(), s), "WrongState closed", ""),
            ("unknown", as_it_is, |s| close(supervisor(), s), "Unknown", ""),
            (
                "too long a reason",
                Scene::waiting,
                |s| Command::Close { conversation: s.id, reason: "x".repeat(1_025), by: By::Customer },
                "Invalid queued",
                "",
            ),
        ];
        play(rows);
    }

    #[test]
    fn force_close_table() {
        let rows: &[Row] = &[
            ("waiting", Scene::waiting, forced, "done closed", "Ended"),
            ("in an inbox", Scene::in_inbox, forced, "done closed", "Ended"),
            ("offered", Scene::offered, forced, "done closed", "OfferEnded Ended"),
            ("assigned", Scene::assigned, forced, "done closed", "Ended"),
            ("wrapping", Scene::wrapping, forced, "done closed", "Ended"),
            (
                "being moved, no failed transfer",
                |s| s.moving(TransferFallback::LastQueues),
                forced,
                "done closed",
                "OfferEnded Ended",
            ),
            ("by the system", Scene::assigned, |s| force(By::System, s), "done closed", "Ended"),
            ("by its owner", Scene::assigned, |s| force(By::Agent(s.a), s), "NotAllowed assigned", ""),
            ("by the customer", Scene::waiting, |s| force(By::Customer, s), "NotAllowed queued", ""),
            ("closed", Scene::closed, forced, "WrongState closed", ""),
            ("abandoned", Scene::abandoned, forced, "WrongState abandoned", ""),
            ("unknown", as_it_is, forced, "Unknown", ""),
        ];
        play(rows);
    }
}
