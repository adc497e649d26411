//! `Reprioritise`: another priority in place; the age stays.

use super::checks::{Answered, done, supervisors_only};
use super::wrong_state;
use crate::command::By;
use crate::domain::{Cx, Domain, State};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::shard::PlantedBug;
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
            if !cx.planted(PlantedBug::PriorityLostInOffer) {
                domain.conv_mut(no).priority = priority;
            }
        }
        _ => return wrong_state(domain, no, "only a waiting one has a place in line"),
    }
    domain.emit(cx, EventKind::Reprioritised { conversation: id, priority, by: by.clone() });
    done(DoneWhat::Ok, Subject::Conversation(id))
}

#[cfg(test)]
mod tests {
    use crate::command::By;
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::testing::supervisor;
    use crate::{Command, Priority};

    fn to(priority: u8, by: By, s: &Scene) -> Command {
        Command::Reprioritise { conversation: s.id, priority: Priority(priority), by }
    }

    fn raised(s: &mut Scene) -> Command {
        to(9, supervisor(), s)
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("waiting", Scene::waiting, raised, "done queued", "Reprioritised"),
            ("in an inbox", Scene::in_inbox, raised, "done in_inbox", "Reprioritised"),
            ("offered: the offer stays", Scene::offered, raised, "done offered", "Reprioritised"),
            ("assigned", Scene::assigned, raised, "WrongState assigned", ""),
            ("wrapping", Scene::wrapping, raised, "WrongState wrapping", ""),
            ("ended", Scene::abandoned, raised, "WrongState abandoned", ""),
            ("unknown", as_it_is, raised, "Unknown", ""),
            ("by the system", Scene::waiting, |s| to(1, By::System, s), "done queued", "Reprioritised"),
            ("by an agent", Scene::waiting, |s| to(1, By::Agent(s.a), s), "NotAllowed queued", ""),
            ("by the customer", Scene::waiting, |s| to(1, By::Customer, s), "NotAllowed queued", ""),
        ];
        play(rows);
    }

    #[test]
    fn it_goes_before_older_ones_and_back_to_its_age() {
        for (last, first_goes) in [(9, false), (0, true)] {
            let mut s = Scene::new();
            s.waiting();
            let first = s.id;
            s.pass(1);
            s.waiting();
            for priority in [9, last] {
                let command = to(priority, supervisor(), &s);
                s.world.ok(command);
            }
            s.ready(s.a);
            assert_eq!(s.world.stage(first) == "offered", first_goes);
            assert_eq!(s.stage() == "offered", !first_goes);
        }
    }
}
