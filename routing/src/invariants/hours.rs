//! Opening hours: what queues keep to is what was told last, how they stand follows from it, and no change is late.

use super::{Ghost, Step};
use crate::hours::{HoursState, Said};
use crate::{EventKind, Rejected};

/// For R-3: what differs from the schedules and hours that were told last.
pub(super) fn kept(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    let names = step.events.iter().filter_map(|event| match &event.kind {
        EventKind::ScheduleChanged { name, .. } => Some(name),
        _ => None,
    });
    for name in ghost.schedules.keys().chain(names) {
        let told = step.events.iter().rev().find_map(|event| match &event.kind {
            EventKind::ScheduleChanged { name: of, schedule, .. } if of == name => Some(schedule),
            _ => None,
        });
        let told = told.or_else(|| ghost.schedules.get(name));
        if told.is_some_and(|told| told.as_ref() != step.after.summary.schedules.get(name)) {
            broken.push(format!("the schedule {name} was to be {told:?} and is not"));
        }
    }
    for queue in step.queues() {
        let told = step.events.iter().rev().find_map(|event| match &event.kind {
            EventKind::HoursChanged { queue: of, hours, .. } if *of == queue.id => Some(hours),
            _ => None,
        });
        let has = queue.hours.as_ref().map(|view| &view.hours);
        if let Some(told) = told.or_else(|| ghost.hours.get(&queue.id))
            && told.as_ref() != has
        {
            broken.push(format!("{} was to keep to {told:?} and keeps to {has:?}", queue.id));
        }
    }
    broken
}

/// For R-18, where nothing is left to do: changes that are overdue, and what was told that the schedule does not say.
pub(super) fn late(step: &Step<'_>) -> Vec<String> {
    let wall_ms = step.entry.wall_ms;
    let mut broken = Vec::new();
    // With these nothing happens at all.
    if matches!(step.outcome, Err(Rejected::RequestTooOld { .. } | Rejected::RequestIdReused)) {
        return broken;
    }
    for queue in step.queues() {
        let Some(view) = &queue.hours else { continue };
        if let Some(until_ms) = view.until_ms.filter(|until_ms| *until_ms <= wall_ms) {
            broken.push(format!("{} was to change at {until_ms}, it is {wall_ms}", queue.id));
        }
        let told = step.events.iter().rev().find_map(|event| match &event.kind {
            EventKind::QueueHours { queue: of, state, until_ms } if *of == queue.id => {
                Some((*state, *until_ms))
            }
            _ => None,
        });
        let schedule = step.after.summary.schedules.get(&view.hours.schedule);
        let (Some((state, until_ms)), Some(schedule)) = (told, schedule) else { continue };
        let Said { open, until_ms: next } = schedule.at(wall_ms);
        if open != (state == HoursState::Open) || next != until_ms || state != view.state {
            broken.push(format!(
                "{} was told to be {state:?} until {until_ms:?}, is {:?}, and its schedule says {open} until {next:?}",
                queue.id, view.state
            ));
        }
    }
    broken
}
