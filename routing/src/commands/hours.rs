//! `SetHours`: a queue keeps to a schedule of its domain, or is always open.

use super::checks::{Answered, done, supervisors_only};
use crate::QueueId;
use crate::command::By;
use crate::domain::{Cx, Domain, unknown};
use crate::event::{EventKind, Subject};
use crate::hours::Hours;
use crate::outcome::DoneWhat;

pub(super) fn set(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: QueueId,
    hours: Option<&Hours>,
    by: &By,
) -> Answered {
    domain.caller(by)?;
    let no = domain.named_queue(id)?;
    if let Some(hours) = hours
        && !domain.schedules.contains_key(&hours.schedule)
    {
        return Err(unknown("schedule", &hours.schedule));
    }
    supervisors_only(by)?;
    if domain.queue(no).hours.as_ref().map(|kept| &kept.hours) != hours {
        domain.emit(cx, EventKind::HoursChanged { queue: id, hours: hours.cloned(), by: by.clone() });
        domain.keep_hours(cx, no, hours.cloned());
    }
    done(DoneWhat::Ok, Subject::Queue(id))
}
