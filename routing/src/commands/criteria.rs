//! `SetCriteria` and `ChangeCriteria`: what is asked of agents.

use super::checks::{Answered, done, invalid, supervisors_only};
use super::{skills, wrong_state};
use crate::command::By;
use crate::criteria::limits::{LASTS_MAX, LASTS_MIN, PER_STEP_MAX, STEPS_MAX};
use crate::criteria::{Criteria, Step};
use crate::domain::{Asked, Cx, Domain, PlaceKind, State, unknown};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::settings::RoutingMode;
use crate::{ConversationId, Rejected, TouchpointId};

pub(super) fn of_touchpoint(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: TouchpointId,
    criteria: &Criteria,
    by: &By,
) -> Answered {
    domain.caller(by)?;
    check(domain, criteria)?;
    let no = domain.named_touchpoint(id)?;
    supervisors_only(by)?;
    let steps = domain.numbered(criteria);
    let touchpoint = domain.touchpoints.get_mut(no.0).expect("just found");
    if matches!(touchpoint.settings.mode, RoutingMode::Simplified { .. }) && !steps.is_empty() {
        return invalid(
            "criteria",
            "what is pulled from an inbox asks for nobody: let the touchpoint route first",
        );
    }
    touchpoint.criteria = steps;
    let criteria = domain.criteria_view(&domain.touchpoints.get(no.0).expect("just found").criteria);
    domain.emit(cx, EventKind::TouchpointCriteriaChanged { touchpoint: id, criteria, by: by.clone() });
    done(DoneWhat::Ok, Subject::Touchpoint(id))
}

pub(super) fn of_conversation(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    criteria: &Criteria,
    by: &By,
) -> Answered {
    domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    let state = &domain.conv(no).state;
    if !matches!(state, State::Waiting | State::Offered) {
        return wrong_state(domain, no, "only a waiting one asks for anybody");
    }
    supervisors_only(by)?;
    if domain.conv(no).place == PlaceKind::Inbox {
        return invalid("criteria", "what is pulled from an inbox asks for nobody: transfer it to a queue");
    }
    let steps = numbered(domain, criteria)?;
    let waits = domain.conv(no).state == State::Waiting;
    if waits {
        domain.leave_lines(no);
    }
    domain.seek(no, steps);
    let shown = domain.conv(no).seeking.as_deref().map(|seeking| domain.criteria_view(&seeking.steps));
    let shown = shown.unwrap_or_default();
    domain.emit(cx, EventKind::CriteriaChanged { conversation: id, criteria: shown, by: by.clone() });
    domain.start_step(cx, no);
    if waits {
        domain.enter_lines(no);
    }
    done(DoneWhat::Ok, Subject::Conversation(id))
}

/// Criteria by numbers.
///
/// # Errors
/// What [`check`] refuses, or too many distinct sets of skills.
pub(super) fn numbered(domain: &Domain, criteria: &Criteria) -> Result<Box<[Asked]>, Rejected> {
    check(domain, criteria)?;
    let steps = domain.numbered(criteria);
    domain.check_classes(steps.iter().map(|asked| &asked.required))?;
    Ok(steps)
}

/// Refuses criteria with unknown names, values out of range, or steps that can never be reached.
pub(super) fn check(domain: &Domain, criteria: &Criteria) -> Result<(), Rejected> {
    let steps = &criteria.steps;
    if steps.len() > STEPS_MAX {
        return invalid("criteria.steps", format!("{} steps, at most {STEPS_MAX} are kept", steps.len()));
    }
    for (place, step) in steps.iter().enumerate() {
        let field = |name: &str| format!("criteria.steps[{place}].{name}");
        check_step(domain, step, &field)?;
        match step.lasts {
            None if place + 1 < steps.len() => {
                return invalid(
                    &field("lasts"),
                    "for ever, so the steps after it are never reached: give it a time, or leave those out",
                );
            }
            Some(lasts) if !(LASTS_MIN..=LASTS_MAX).contains(&lasts) => {
                return invalid(&field("lasts"), "use 1 s to 24 h");
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_step(domain: &Domain, step: &Step, field: &dyn Fn(&str) -> String) -> Result<(), Rejected> {
    let Step { agents, required, preferred, widen, lasts: _ } = step;
    if agents.is_empty() && required.is_empty() && preferred.is_empty() && widen.is_empty() {
        return invalid(&field("required"), "the step asks for nothing: leave it out");
    }
    let skilled = !required.is_empty() || !preferred.is_empty();
    if skilled && !agents.is_empty() {
        return invalid(&field("agents"), "a step names agents or skills, not both");
    }
    for (name, length) in [("agents", agents.len()), ("widen", widen.len())] {
        if length > PER_STEP_MAX {
            return invalid(&field(name), format!("{length} of them, at most {PER_STEP_MAX} are kept"));
        }
    }
    for (place, agent) in agents.iter().enumerate() {
        domain.named_agent(*agent)?;
        if agents[..place].contains(agent) {
            return invalid(&field("agents"), format!("{agent} is listed twice"));
        }
    }
    for (place, queue) in widen.iter().enumerate() {
        domain.named_queue(*queue)?;
        if widen[..place].contains(queue) {
            return invalid(&field("widen"), format!("{queue} is listed twice"));
        }
    }
    for (name, list) in [("required", required), ("preferred", preferred)] {
        skills::check(&field(name), list, PER_STEP_MAX)?;
        for skill in list {
            domain.skill(&skill.name).ok_or_else(|| unknown("skill", &skill.name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "criteria_test.rs"]
mod tests;
