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

#[cfg(test)]
mod tests {
    use crate::Command;
    use crate::command::{By, Desk, TransferFallback};
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::settings::WrapUpHold;
    use crate::{Points, Span};

    fn end(by: By, s: &Scene) -> Command {
        Command::EndContact { conversation: s.id, by }
    }

    fn by_owner(s: &mut Scene) -> Command {
        end(By::Agent(s.a), s)
    }

    fn by_customer(s: &mut Scene) -> Command {
        end(By::Customer, s)
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("by its owner", Scene::assigned, by_owner, "done wrapping", "Wrapping"),
            ("by the customer", Scene::assigned, by_customer, "done wrapping", "Wrapping"),
            (
                "by a supervisor",
                Scene::assigned,
                |s| end(crate::testing::supervisor(), s),
                "done wrapping",
                "Wrapping",
            ),
            ("by another agent", Scene::assigned, |s| end(By::Agent(s.b), s), "NotAllowed assigned", ""),
            ("by a stale desk", Scene::assigned, |s| end(By::Agent(s.stale()), s), "StaleEpoch assigned", ""),
            ("waiting", Scene::waiting, by_customer, "WrongState queued", ""),
            ("offered", Scene::offered, by_customer, "WrongState offered", ""),
            ("wrapping", Scene::wrapping, by_owner, "WrongState wrapping", ""),
            ("ended", Scene::closed, by_owner, "WrongState closed", ""),
            ("unknown", as_it_is, by_owner, "Unknown", ""),
            (
                "a live transfer offer goes with it",
                |s| s.moving(TransferFallback::Source),
                by_owner,
                "done wrapping",
                "OfferEnded Wrapping",
            ),
            (
                "the owner is gone: no wrap-up",
                |s| {
                    s.assigned();
                    s.lose();
                },
                by_customer,
                "done closed",
                "Ended",
            ),
            (
                "a draining owner has its wrap-up first",
                |s| {
                    s.assigned();
                    s.world.presence(s.a, crate::command::Intent::Draining { next: String::new() });
                },
                by_owner,
                "done wrapping",
                "Wrapping",
            ),
            (
                "a queue without wrap-up",
                |s| {
                    s.voice = s.world.touchpoint(crate::Channel::Chat, &[s.plain]);
                    s.assigned();
                },
                by_owner,
                "done closed",
                "Ended",
            ),
            (
                "assigned for too long: the system does it",
                |s| {
                    s.set(|settings| settings.assigned_max = Some(Span::seconds(60)));
                    s.assigned();
                    s.pass(60);
                },
                |_| Command::Tick,
                "done wrapping",
                "Wrapping",
            ),
        ];
        play(rows);
    }

    #[test]
    fn a_wrap_up_holds_what_the_domain_says_and_ends_by_itself() {
        for (hold, load) in [(WrapUpHold::All, 51), (WrapUpHold::Some(Points(10)), 10), (WrapUpHold::None, 0)]
        {
            let mut s = Scene::new();
            s.set(|settings| settings.wrap_up_hold = hold);
            s.wrapping();
            assert_eq!(s.world.load(s.a), load, "{hold:?}");
            s.pass(29);
            s.world.tick();
            assert_eq!(s.stage(), "wrapping");
            s.pass(1);
            s.world.tick();
            assert_eq!((s.stage(), s.world.events()), ("closed", vec!["Ended".to_owned()]));
            let Desk { agent, .. } = s.a;
            assert_eq!(s.world.load(s.a), 0);
            assert_eq!(s.world.shard.agent(agent).expect("made").idle_since, s.world.shard.now());
        }
    }
}
