//! `OpenSession`, `CloseSession` and `LoseLease`.

use super::checks::{Answered, done};
use crate::AgentId;
use crate::command::{By, Desk, Intent};
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::shard::PlantedBug;
use crate::view::Lease;

pub(super) fn open(domain: &mut Domain, cx: &mut Cx<'_>, id: AgentId) -> Answered {
    let no = domain.named_agent(id)?;
    let agent = domain.agent_mut(no);
    agent.epoch.0 += 1;
    agent.lease = Lease::Live;
    let epoch = agent.epoch;
    domain.refresh(no);
    if !cx.planted(PlantedBug::GraceAfterReturn) {
        domain.clear_grace(no);
    }
    domain.emit(cx, EventKind::SessionOpened { agent: id, epoch });
    domain.dirty.agent(no);
    done(DoneWhat::Session(epoch), Subject::Agent(id))
}

pub(super) fn close(domain: &mut Domain, cx: &mut Cx<'_>, desk: Desk) -> Answered {
    let no = domain.desk(desk)?;
    domain.lose_lease(cx, no);
    let intent = Intent::Unavailable { reason: "signed out".to_owned() };
    if domain.agent(no).intent != intent {
        domain.set_intent(cx, no, intent, By::Agent(desk));
    }
    done(DoneWhat::Ok, Subject::Agent(desk.agent))
}

pub(super) fn lose(domain: &mut Domain, cx: &mut Cx<'_>, desk: Desk) -> Answered {
    let no = domain.desk(desk)?;
    domain.lose_lease(cx, no);
    done(DoneWhat::Ok, Subject::Agent(desk.agent))
}

#[cfg(test)]
mod tests {
    use crate::command::{Intent, TransferFallback};
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::settings::LeaseLoss;
    use crate::testing::DOMAIN;
    use crate::view::Lease;
    use crate::{AgentId, Channel, Command, Span};

    fn open(s: &mut Scene) -> Command {
        Command::OpenSession { agent: s.a.agent }
    }

    fn close(s: &mut Scene) -> Command {
        Command::CloseSession { desk: s.a }
    }

    fn lose(s: &mut Scene) -> Command {
        Command::LoseLease { desk: s.a }
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("a second session: offers stay", Scene::offered, open, "done offered", "SessionOpened"),
            (
                "back and still available: matched",
                |s| {
                    s.offered();
                    s.lose();
                },
                open,
                "done offered",
                "SessionOpened Offered",
            ),
            ("unknown", as_it_is, |_| Command::OpenSession { agent: AgentId::new(DOMAIN, 9) }, "Unknown", ""),
            (
                "close: offers are revoked",
                Scene::offered,
                close,
                "done queued",
                "LeaseLost OfferEnded Waiting PresenceChanged",
            ),
            (
                "close keeps work for its grace",
                Scene::assigned,
                close,
                "done assigned",
                "LeaseLost PresenceChanged",
            ),
            ("close, stale", as_it_is, |s| Command::CloseSession { desk: s.stale() }, "StaleEpoch", ""),
            ("close, lost already", Scene::lose, close, "NoLease", ""),
            ("lose: the intent stays", Scene::offered, lose, "done queued", "LeaseLost OfferEnded Waiting"),
            ("lose, stale", as_it_is, |s| Command::LoseLease { desk: s.stale() }, "StaleEpoch", ""),
            ("lose, lost already", Scene::lose, lose, "NoLease", ""),
            (
                "lose: a transfer offer to it fails",
                |s| s.moving(TransferFallback::Source),
                |s| Command::LoseLease { desk: s.b },
                "done assigned",
                "LeaseLost OfferEnded TransferFailed",
            ),
        ];
        play(rows);
    }

    #[test]
    fn an_old_desk_is_stale_from_the_moment_of_a_new_one() {
        let mut s = Scene::new();
        let old = s.a;
        s.a = s.world.desk(old.agent);
        assert_eq!(s.a.epoch.0, old.epoch.0 + 1);
        let refused = s.world.refused(Command::LoseLease { desk: old });
        assert_eq!(refused, crate::Rejected::StaleEpoch { current: s.a.epoch });
        assert_eq!(s.world.shard.agent(old.agent).expect("made").lease, Lease::Live);
    }

    /// After the grace time of the channel, work is kept, waits again or ends; a wrap-up never waits.
    #[test]
    fn grace() {
        let cases = [
            (LeaseLoss::Keep, false, "assigned", ""),
            (LeaseLoss::Requeue, false, "queued", "Released Waiting"),
            (LeaseLoss::Close, false, "closed", "Ended"),
            (LeaseLoss::Keep, true, "wrapping", ""),
            (LeaseLoss::Requeue, true, "closed", "Ended"),
            (LeaseLoss::Close, true, "closed", "Ended"),
        ];
        for (then, wrapping, stage, events) in cases {
            for returns in [false, true] {
                let mut s = Scene::new();
                s.set(|settings| {
                    settings.lease[Channel::Voice.index()].then = then;
                    settings.lease[Channel::Voice.index()].grace = Span::seconds(20);
                });
                if wrapping {
                    s.wrapping()
                } else {
                    s.assigned()
                }
                s.lose();
                s.pass(19);
                s.world.tick();
                assert!(s.world.events().is_empty(), "not before its time");
                if returns {
                    s.world.desk(s.a.agent);
                }
                s.pass(1);
                s.world.tick();
                let expected = if returns {
                    (if wrapping { "wrapping" } else { "assigned" }, String::new())
                } else {
                    (stage, events.to_owned())
                };
                let what = format!("{then:?}, wrapping: {wrapping}, returns: {returns}");
                assert_eq!((s.stage(), s.world.events().join(" ")), expected, "{what}");
                let lease = s.world.shard.agent(s.a.agent).expect("made").lease;
                assert_eq!(lease == Lease::Live, returns, "{what}");
            }
        }
    }

    #[test]
    fn the_intent_is_signed_out_after_closing_and_kept_after_loss() {
        for closes in [true, false] {
            let mut s = Scene::new();
            s.ready(s.a);
            let command = if closes { close(&mut s) } else { lose(&mut s) };
            s.world.ok(command);
            let agent = s.world.shard.agent(s.a.agent).expect("made");
            let signed_out = Intent::Unavailable { reason: "signed out".to_owned() };
            assert_eq!(agent.intent, if closes { signed_out } else { Intent::Available });
            assert_eq!(agent.lease, Lease::LostSince(s.world.shard.now()));
        }
    }
}
