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

#[cfg(test)]
mod tests {
    use crate::Command;
    use crate::command::Desk;
    use crate::scene::{Row, Scene, as_it_is, play};

    fn complete(desk: Desk, s: &Scene, disposition: Option<&str>) -> Command {
        let disposition = disposition.map(str::to_owned);
        Command::Complete { desk, conversation: s.id, disposition, notes: "n".to_owned() }
    }

    fn plainly(s: &mut Scene) -> Command {
        complete(s.a, s, None)
    }

    fn listed(s: &mut Scene) {
        let mut settings = s.world.shard.queue(s.queue).expect("made").settings;
        settings.dispositions = vec!["sold".to_owned(), "lost".to_owned()];
        s.world.ok(Command::UpdateQueue { queue: s.queue, settings });
        s.wrapping();
    }

    fn required(s: &mut Scene) {
        let mut settings = s.world.shard.queue(s.queue).expect("made").settings;
        settings.disposition_required = true;
        s.world.ok(Command::UpdateQueue { queue: s.queue, settings });
        s.wrapping();
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("with none", Scene::wrapping, plainly, "done closed", "Ended"),
            ("free text", Scene::wrapping, |s| complete(s.a, s, Some("any")), "done closed", "Ended"),
            ("of the list", listed, |s| complete(s.a, s, Some("sold")), "done closed", "Ended"),
            ("not of the list", listed, |s| complete(s.a, s, Some("any")), "Invalid wrapping", ""),
            ("a list does not require", listed, plainly, "done closed", "Ended"),
            ("required", required, plainly, "Invalid wrapping", ""),
            ("required and given", required, |s| complete(s.a, s, Some("any")), "done closed", "Ended"),
            (
                "the deadline needs none",
                |s| {
                    required(s);
                    s.pass(30);
                },
                |_| Command::Tick,
                "done closed",
                "Ended",
            ),
            (
                "late",
                |s| {
                    s.wrapping();
                    s.pass(30);
                },
                plainly,
                "WrongState closed",
                "Ended",
            ),
            ("by another", Scene::wrapping, |s| complete(s.b, s, None), "NotAllowed wrapping", ""),
            ("stale", Scene::wrapping, |s| complete(s.stale(), s, None), "StaleEpoch wrapping", ""),
            ("assigned", Scene::assigned, plainly, "WrongState assigned", ""),
            ("waiting", Scene::waiting, plainly, "WrongState queued", ""),
            ("ended", Scene::closed, plainly, "WrongState closed", ""),
            ("unknown", as_it_is, plainly, "Unknown", ""),
            (
                "notes too long",
                Scene::wrapping,
                |s| {
                    let notes = "x".repeat(8_193);
                    Command::Complete { desk: s.a, conversation: s.id, disposition: None, notes }
                },
                "Invalid wrapping",
                "",
            ),
            (
                "the queue is deleted since: nothing is required",
                |s| {
                    s.assigned();
                    s.world.ok(Command::EndContact { conversation: s.id, by: crate::command::By::Customer });
                    s.world.ok(Command::DeleteTouchpoint { touchpoint: s.voice });
                    s.world.ok(Command::DeleteTouchpoint { touchpoint: s.mail });
                    s.world.ok(Command::DeleteQueue { queue: s.queue });
                },
                plainly,
                "done closed",
                "Ended",
            ),
            (
                "the last of a draining desk",
                |s| {
                    s.wrapping();
                    s.world.presence(s.a, crate::command::Intent::Draining { next: "home".to_owned() });
                },
                plainly,
                "done closed",
                "Ended PresenceChanged",
            ),
        ];
        play(rows);
    }
}
