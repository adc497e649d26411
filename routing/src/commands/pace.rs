//! `SetPace`: how many conversations agents are offered within a time from now on.

use super::checks::{Answered, done, invalid, supervisors_only};
use crate::command::By;
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::pace::{Pace, limits};

pub(super) fn set(domain: &mut Domain, cx: &mut Cx<'_>, pace: Option<Pace>, by: &By) -> Answered {
    domain.caller(by)?;
    if let Some(Pace { offers, per }) = pace {
        if !(1..=limits::OFFERS_MAX).contains(&offers) {
            return invalid("pace.offers", format!("{offers}, use 1 to {}", limits::OFFERS_MAX));
        }
        if !(limits::PER_MIN..=limits::PER_MAX).contains(&per) {
            return invalid("pace.per", "use 1 s to 3600 s");
        }
    }
    supervisors_only(by)?;
    if domain.pace != pace {
        domain.set_pace(cx.now, pace);
        domain.emit(cx, EventKind::PaceChanged { pace, by: by.clone() });
    }
    done(DoneWhat::Ok, Subject::Domain(domain.id))
}
