//! `Abandon`: the customer left.

use super::checks::{Answered, done};
use super::request_callback::called_back;
use super::wrong_state;
use crate::ConversationId;
use crate::command::Recall;
use crate::domain::{Cx, Domain, State};
use crate::event::{Ending, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::shard::PlantedBug;

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: ConversationId) -> Answered {
    let no = domain.named_conversation(id)?;
    match domain.conv(no).state {
        State::Waiting | State::Offered if domain.conv(no).calling.is_some() => {
            return called_back("the customer may hang up; CancelCallback ends it");
        }
        State::Waiting | State::Offered => {
            domain.end(cx, no, Ending::Abandoned, String::new(), Revoked::Abandoned);
        }
        State::Assigned(_) => domain.end_contact(cx, no),
        State::Wrapping(_) => {}
        State::Transferring => domain.recall(cx, no, &Recall::Abandoned),
        State::Ended(_) if domain.planted(PlantedBug::EndingRewritten) => {
            domain.conv_mut(no).state = State::Ended(Box::new(Ending::Expired));
        }
        State::Ended(_) => return wrong_state(domain, no, "it has ended already"),
    }
    done(DoneWhat::Ok, Subject::Conversation(id))
}

#[cfg(test)]
mod tests {
    use crate::Command;
    use crate::command::TransferFallback;
    use crate::scene::{Row, Scene, as_it_is, play};

    fn abandon(s: &mut Scene) -> Command {
        Command::Abandon { conversation: s.id }
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("waiting", Scene::waiting, abandon, "done abandoned", "Ended"),
            ("in an inbox", Scene::in_inbox, abandon, "done abandoned", "Ended"),
            ("offered", Scene::offered, abandon, "done abandoned", "OfferEnded Ended"),
            ("dedicated", |s| _ = s.dedicated(None), abandon, "done abandoned", "Ended"),
            ("assigned: its contact ends", Scene::assigned, abandon, "done wrapping", "Wrapping"),
            (
                "assigned and being moved",
                |s| s.moving(TransferFallback::LastQueues),
                abandon,
                "done wrapping",
                "OfferEnded Wrapping",
            ),
            ("wrapping: nothing changes", Scene::wrapping, abandon, "done wrapping", ""),
            ("abandoned", Scene::abandoned, abandon, "WrongState abandoned", ""),
            ("closed", Scene::closed, abandon, "WrongState closed", ""),
            ("unknown", as_it_is, abandon, "Unknown", ""),
            (
                "forgotten",
                |s| {
                    s.abandoned();
                    s.pass(300);
                },
                abandon,
                "Unknown forgotten",
                "",
            ),
            (
                "waited too long before",
                |s| {
                    s.waiting();
                    s.pass(24 * 3_600);
                },
                abandon,
                "WrongState closed",
                "Ended",
            ),
            (
                "the room it took is used in the same entry",
                |s| {
                    s.offered();
                    s.world.start(s.voice);
                },
                abandon,
                "done abandoned",
                "OfferEnded Ended Offered",
            ),
        ];
        play(rows);
    }
}
