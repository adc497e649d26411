//! `SetCallback`: how customers are called back from now on.

use super::checks::{Answered, done, invalid, supervisors_only};
use crate::callback::{CallbackSettings, limits};
use crate::command::By;
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::handling::limits::{CONNECT_MAX, CONNECT_MIN};
use crate::outcome::DoneWhat;
use crate::{Rejected, Span};

pub(super) fn set(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    callback: Option<CallbackSettings>,
    by: &By,
) -> Answered {
    domain.caller(by)?;
    if let Some(settings) = &callback {
        check(settings, domain.settings.closed_retention)?;
    }
    supervisors_only(by)?;
    if domain.callback != callback {
        domain.callback = callback;
        domain.emit(cx, EventKind::CallbackChanged { callback, by: by.clone() });
    }
    done(DoneWhat::Ok, Subject::Domain(domain.id))
}

fn check(settings: &CallbackSettings, retention: Span) -> Result<(), Rejected> {
    let CallbackSettings { attempts, retry_after, dial, expires_after, resume_within } = *settings;
    if !(1..=limits::ATTEMPTS_MAX).contains(&attempts) {
        return invalid("callback.attempts", format!("{attempts}, use 1 to {}", limits::ATTEMPTS_MAX));
    }
    if !(limits::RETRY_MIN..=limits::RETRY_MAX).contains(&retry_after) {
        return invalid("callback.retry_after", "use 1 s to 86400 s");
    }
    if !(CONNECT_MIN..=CONNECT_MAX).contains(&dial) {
        return invalid("callback.dial", "use 1 s to 300 s");
    }
    if !(limits::EXPIRES_MIN..=limits::EXPIRES_MAX).contains(&expires_after) {
        return invalid("callback.expires_after", "use 60 s to 604800 s");
    }
    if resume_within > retention {
        return invalid(
            "callback.resume_within",
            "longer than the domain keeps what ended: use at most its closed_retention, or raise that",
        );
    }
    Ok(())
}
