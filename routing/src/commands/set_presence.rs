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

#[cfg(test)]
mod tests {
    use crate::command::{By, Intent, TransferFallback};
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::testing::{DOMAIN, supervisor};
    use crate::{AgentId, Command, Span};

    fn set(intent: Intent, by: By, s: &Scene) -> Command {
        Command::SetPresence { agent: s.a.agent, intent, by }
    }

    fn available(s: &mut Scene) -> Command {
        set(Intent::Available, By::Agent(s.a), s)
    }

    fn away(s: &mut Scene) -> Command {
        set(Intent::Unavailable { reason: "away".to_owned() }, By::Agent(s.a), s)
    }

    fn draining(s: &mut Scene) -> Command {
        set(Intent::Draining { next: "home".to_owned() }, By::Agent(s.a), s)
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            (
                "available takes what waits",
                Scene::waiting,
                available,
                "done offered",
                "PresenceChanged Offered",
            ),
            ("the same again", Scene::offered, available, "done offered", ""),
            (
                "away: offers are revoked",
                Scene::offered,
                away,
                "done queued",
                "PresenceChanged OfferEnded Waiting",
            ),
            ("away keeps its work", Scene::assigned, away, "done assigned", "PresenceChanged"),
            (
                "draining without work is away at once",
                Scene::offered,
                draining,
                "done queued",
                "PresenceChanged OfferEnded Waiting PresenceChanged",
            ),
            ("draining with work", Scene::assigned, draining, "done assigned", "PresenceChanged"),
            (
                "a transfer offer too",
                |s| s.moving(TransferFallback::Source),
                |s| {
                    let intent = Intent::Unavailable { reason: String::new() };
                    Command::SetPresence { agent: s.b.agent, intent, by: By::Agent(s.b) }
                },
                "done assigned",
                "PresenceChanged OfferEnded TransferFailed",
            ),
            (
                "without a lease",
                |s| {
                    s.waiting();
                    s.lose();
                },
                available,
                "NoLease queued",
                "",
            ),
            (
                "a supervisor may, but no lease takes no offers",
                |s| {
                    s.waiting();
                    s.lose();
                },
                |s| set(Intent::Available, supervisor(), s),
                "done queued",
                "PresenceChanged",
            ),
            ("stale", as_it_is, |s| set(Intent::Available, By::Agent(s.stale()), s), "StaleEpoch", ""),
            ("of another", as_it_is, |s| set(Intent::Available, By::Agent(s.b), s), "NotAllowed", ""),
            ("by the customer", as_it_is, |s| set(Intent::Available, By::Customer, s), "NotAllowed", ""),
            (
                "unknown",
                as_it_is,
                |_| Command::SetPresence {
                    agent: AgentId::new(DOMAIN, 9),
                    intent: Intent::Available,
                    by: By::System,
                },
                "Unknown",
                "",
            ),
            (
                "too long a reason",
                as_it_is,
                |s| set(Intent::Unavailable { reason: "x".repeat(1_025) }, By::Agent(s.a), s),
                "Invalid",
                "",
            ),
        ];
        play(rows);
    }

    fn intent(s: &Scene) -> Intent {
        s.world.shard.agent(s.a.agent).expect("made").intent
    }

    #[test]
    fn draining_ends_with_the_last_work() {
        let mut s = Scene::new();
        s.wrapping();
        let command = draining(&mut s);
        s.world.ok(command);
        assert_eq!(intent(&s), Intent::Draining { next: "home".to_owned() });
        s.pass(30);
        s.world.tick();
        assert_eq!(s.world.events(), ["Ended", "PresenceChanged"]);
        assert_eq!(intent(&s), Intent::Unavailable { reason: "home".to_owned() });
    }

    /// At the limit the agent is unavailable; it returns by itself only if nobody spoke since.
    #[test]
    fn misses_make_unavailable_and_return() {
        for (returns, spoke) in [(None, false), (Some(7), false), (Some(7), true)] {
            let mut s = Scene::new();
            s.set(|settings| {
                settings.exclude_missed = Span::ZERO;
                settings.miss_limit = 2;
                settings.miss_return = returns.map(Span::seconds);
            });
            s.offered();
            s.pass(20);
            s.world.tick();
            assert_eq!(s.world.events(), ["OfferEnded", "Waiting", "Offered"]);
            s.pass(20);
            s.world.tick();
            assert_eq!(s.world.events(), ["OfferEnded", "Waiting", "PresenceChanged"]);
            assert_eq!(intent(&s), Intent::Unavailable { reason: "missed".to_owned() });
            assert_eq!(s.stage(), "queued");
            if spoke {
                s.away(s.a);
            }
            s.pass(6);
            s.world.tick();
            assert_ne!(intent(&s), Intent::Available);
            s.pass(1);
            s.world.tick();
            assert_eq!(intent(&s) == Intent::Available, returns.is_some() && !spoke);
            if intent(&s) == Intent::Available {
                assert_eq!(s.world.events(), ["PresenceChanged", "Offered"]);
                assert_eq!(s.world.shard.agent(s.a.agent).expect("made").misses, 0);
            }
        }
    }
}
