//! Checks that many commands share.

use crate::command::{By, Desk};
use crate::domain::{AgentNo, Domain};
use crate::outcome::DoneWhat;
use crate::settings::limits::TEXT_BYTES_MAX;
use crate::shard::PlantedBug;
use crate::view::Lease;
use crate::{Rejected, Version, event::Subject};

/// What a command that was carried out answers, before matching.
pub(crate) struct Answer {
    pub(crate) what: DoneWhat,
    pub(crate) about: About,
}

/// What the answer's version speaks of.
pub(crate) enum About {
    /// An entity, as it is after the whole entry.
    Entity(Subject),
    /// One that was deleted, with its last version.
    Gone(Version),
}

/// What every command's function returns.
pub(crate) type Answered = Result<Answer, Rejected>;

/// Done, about this entity.
pub(crate) fn done(what: DoneWhat, subject: Subject) -> Answered {
    Ok(Answer { what, about: About::Entity(subject) })
}

/// The refusal of a value.
pub(crate) fn invalid<T>(field: &str, problem: impl Into<String>) -> Result<T, Rejected> {
    Err(Rejected::Invalid { field: field.to_owned(), problem: problem.into() })
}

/// The refusal of a caller.
pub(crate) fn not_allowed<T>(why: &str) -> Result<T, Rejected> {
    Err(Rejected::NotAllowed { why: why.to_owned() })
}

/// Refuses texts that are too long.
pub(crate) fn text(field: &str, value: &str, bytes_max: usize) -> Result<(), Rejected> {
    if value.len() > bytes_max {
        return invalid(field, format!("{} bytes, at most {bytes_max} are kept", value.len()));
    }
    Ok(())
}

/// Refuses texts that are empty or too long.
pub(crate) fn named(field: &str, value: &str) -> Result<(), Rejected> {
    if value.is_empty() {
        return invalid(field, "empty: give it a text");
    }
    text(field, value, TEXT_BYTES_MAX)
}

impl Domain {
    /// The agent of a desk whose session is the present one and alive.
    pub(crate) fn desk(&self, desk: Desk) -> Result<AgentNo, Rejected> {
        let no = self.named_agent(desk.agent)?;
        let agent = self.agent(no);
        if agent.epoch != desk.epoch && !self.planted(PlantedBug::StaleEpoch) {
            return Err(Rejected::StaleEpoch { current: agent.epoch });
        }
        if agent.lease != Lease::Live {
            return Err(Rejected::NoLease);
        }
        Ok(no)
    }

    /// The agent behind a caller, if it is one; its desk must be the present one.
    pub(crate) fn caller(&self, by: &By) -> Result<Option<AgentNo>, Rejected> {
        match by {
            By::Agent(desk) => self.desk(*desk).map(Some),
            By::Supervisor(name) => text("by", name, TEXT_BYTES_MAX).map(|()| None),
            By::System | By::Customer => Ok(None),
        }
    }
}

/// Whether the caller may do what supervisors may.
pub(crate) fn supervises(by: &By) -> bool {
    matches!(by, By::Supervisor(_) | By::System)
}

/// Refuses everybody but supervisors and the system.
pub(crate) fn supervisors_only(by: &By) -> Result<(), Rejected> {
    if supervises(by) { Ok(()) } else { not_allowed("only a supervisor may do this") }
}
