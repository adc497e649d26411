//! `LogOut`: a supervisor ends an agent's session; its work goes on without it.

use super::checks::{Answered, done, supervisors_only};
use crate::AgentId;
use crate::command::{By, Intent};
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Requeued, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::view::Lease;

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: AgentId, by: &By) -> Answered {
    domain.caller(by)?;
    let no = domain.named_agent(id)?;
    supervisors_only(by)?;
    let agent = domain.agent_mut(no);
    let was_live = agent.lease == Lease::Live;
    let epoch = agent.epoch;
    agent.lease = Lease::None;
    agent.epoch.0 += 1;
    domain.refresh(no);
    if was_live {
        domain.emit(cx, EventKind::LeaseLost { agent: id, epoch });
    }
    domain.revoke_offers(cx, no, Revoked::LeaseLost);
    domain.end_hold(no);
    for held in domain.agent(no).holdings.clone() {
        domain.owner_gone(cx, held, Requeued::OwnerGone);
    }
    let intent = Intent::Unavailable { reason: "logged out".to_owned() };
    if domain.agent(no).intent != intent {
        domain.set_intent(cx, no, intent, by.clone());
    }
    done(DoneWhat::Ok, Subject::Agent(id))
}

#[cfg(test)]
mod tests {
    use crate::command::{By, Intent};
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::testing::{DOMAIN, supervisor};
    use crate::view::Lease;
    use crate::{AgentId, Command};

    fn out(by: By, s: &Scene) -> Command {
        Command::LogOut { agent: s.a.agent, by }
    }

    fn log_out(s: &mut Scene) -> Command {
        out(supervisor(), s)
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("without work", as_it_is, log_out, "done", "LeaseLost PresenceChanged"),
            (
                "offered",
                Scene::offered,
                log_out,
                "done queued",
                "LeaseLost OfferEnded Waiting PresenceChanged",
            ),
            (
                "assigned",
                Scene::assigned,
                log_out,
                "done queued",
                "LeaseLost Released Waiting PresenceChanged",
            ),
            ("wrapping", Scene::wrapping, log_out, "done closed", "LeaseLost Ended PresenceChanged"),
            (
                "pulled: back to its inbox",
                Scene::pulled,
                log_out,
                "done in_inbox",
                "LeaseLost Released Waiting PresenceChanged",
            ),
            (
                "the lease is lost already",
                |s| {
                    s.assigned();
                    s.lose();
                },
                log_out,
                "done queued",
                "Released Waiting PresenceChanged",
            ),
            (
                "again",
                |s| {
                    let command = log_out(s);
                    s.world.ok(command);
                },
                log_out,
                "done",
                "",
            ),
            ("by itself", as_it_is, |s| out(By::Agent(s.a), s), "NotAllowed", ""),
            ("by the customer", as_it_is, |s| out(By::Customer, s), "NotAllowed", ""),
            (
                "unknown",
                as_it_is,
                |_| Command::LogOut { agent: AgentId::new(DOMAIN, 9), by: By::System },
                "Unknown",
                "",
            ),
        ];
        play(rows);
    }

    #[test]
    fn the_desk_is_stale_after_it() {
        let mut s = Scene::new();
        let command = log_out(&mut s);
        s.world.ok(command);
        let agent = s.world.shard.agent(s.a.agent).expect("made");
        assert_eq!((agent.lease, agent.epoch.0), (Lease::None, s.a.epoch.0 + 1));
        let command =
            Command::SetPresence { agent: s.a.agent, intent: Intent::Available, by: By::Agent(s.a) };
        assert_eq!(s.world.refused(command), crate::Rejected::StaleEpoch { current: agent.epoch });
    }
}
