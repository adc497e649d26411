//! `SetHandling`: how the domain handles contacts from now on.

use super::checks::{Answered, done, invalid, supervisors_only};
use crate::command::By;
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::handling::{Handling, limits};
use crate::outcome::DoneWhat;
use crate::{Channel, Points, Rejected};

pub(super) fn set(domain: &mut Domain, cx: &mut Cx<'_>, handling: &Handling, by: &By) -> Answered {
    domain.caller(by)?;
    check(handling)?;
    supervisors_only(by)?;
    if domain.handling != *handling {
        domain.handling = handling.clone();
        domain.emit(cx, EventKind::HandlingChanged { handling: handling.clone(), by: by.clone() });
    }
    done(DoneWhat::Ok, Subject::Domain(domain.id))
}

fn check(handling: &Handling) -> Result<(), Rejected> {
    for channel in Channel::ALL {
        let connect = handling.connect[channel.index()];
        if connect.is_some_and(|within| !(limits::CONNECT_MIN..=limits::CONNECT_MAX).contains(&within)) {
            return invalid(&format!("handling.connect[{channel}]"), "use 1 s to 300 s");
        }
        if handling.idle[channel.index()].is_some_and(|idle| idle > Points::AGENT_MAX) {
            return invalid(&format!("handling.idle[{channel}]"), "use 0 to 100 points");
        }
    }
    if handling.extend_max > limits::EXTEND_MAX {
        return invalid("handling.extend_max", "use 0 s to 14400 s");
    }
    Ok(())
}
