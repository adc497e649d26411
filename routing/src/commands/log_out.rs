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
