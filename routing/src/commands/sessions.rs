//! `OpenSession`, `CloseSession` and `LoseLease`.

use super::checks::{Answered, done};
use crate::AgentId;
use crate::command::{By, Desk, Intent};
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::view::Lease;

pub(super) fn open(domain: &mut Domain, cx: &mut Cx<'_>, id: AgentId) -> Answered {
    let no = domain.named_agent(id)?;
    let agent = domain.agent_mut(no);
    agent.epoch.0 += 1;
    agent.lease = Lease::Live;
    let epoch = agent.epoch;
    domain.refresh(no);
    domain.clear_grace(no);
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
