//! `CreateTouchpoint`, `UpdateTouchpoint` and `DeleteTouchpoint`.

use super::checks::{About, Answer, Answered, done, invalid};
use super::queues::full;
use super::validate;
use crate::domain::{Cx, Domain, TouchNo, Touchpoint};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::settings::TouchpointSettings;
use crate::settings::limits::TOUCHPOINTS_MAX;
use crate::{TouchpointId, Version};

pub(super) fn create(domain: &mut Domain, cx: &mut Cx<'_>, settings: &TouchpointSettings) -> Answered {
    validate::touchpoint(domain, settings, None)?;
    if domain.touchpoints.len() as u64 >= TOUCHPOINTS_MAX {
        return Err(full("touchpoints of the domain", TOUCHPOINTS_MAX));
    }
    domain.counters.touchpoint += 1;
    let no = TouchNo(domain.counters.touchpoint);
    domain.touchpoints.insert(Touchpoint {
        no,
        version: Version(0),
        settings: settings.clone(),
        criteria: Box::default(),
    });
    let id = no.id(domain.id);
    domain.emit(cx, EventKind::TouchpointCreated(id));
    done(DoneWhat::Touchpoint(id), Subject::Touchpoint(id))
}

pub(super) fn update(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: TouchpointId,
    settings: &TouchpointSettings,
) -> Answered {
    let own = TouchNo::of(id, domain.id);
    validate::touchpoint(domain, settings, own)?;
    let no = domain.named_touchpoint(id)?;
    let touchpoint = domain.touchpoints.get_mut(no.0).expect("just found");
    if touchpoint.settings.channel != settings.channel {
        return invalid("channel", "fixed for a touchpoint's life: make another touchpoint");
    }
    touchpoint.settings = settings.clone();
    domain.emit(cx, EventKind::TouchpointChanged(id));
    done(DoneWhat::Ok, Subject::Touchpoint(id))
}

pub(super) fn delete(domain: &mut Domain, cx: &mut Cx<'_>, id: TouchpointId) -> Answered {
    let no = domain.named_touchpoint(id)?;
    domain.emit(cx, EventKind::TouchpointDeleted(id));
    let version = domain.touchpoints.remove(no.0).expect("just found").version;
    Ok(Answer { what: DoneWhat::Ok, about: About::Gone(version) })
}
