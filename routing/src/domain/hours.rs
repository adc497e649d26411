//! How queues keep to schedules: what makes a look at their hours due, and the look.
//!
//! Hours are wall time, and entries bring it. A change that has come, a schedule that was replaced, a line that was
//! served out: each makes a look at one queue due at once, and looks are expiries, within an entry's bound.

use super::{Cx, Domain, Queue, QueueNo};
use crate::deadlines::Due;
use crate::event::EventKind;
use crate::hours::limits::BEHIND_MS;
use crate::hours::{Closing, Hours, HoursState, HoursView, Said};
use crate::level;
use crate::shard::PlantedBug;
use crate::{Channel, LogTime};
use serde::{Deserialize, Serialize};

/// What a queue keeps to, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueueHours {
    pub(crate) hours: Hours,
    pub(crate) state: HoursState,
    /// When its schedule changes next, in Unix milliseconds.
    pub(crate) until_ms: Option<u64>,
    /// A look at it is due.
    pub(crate) due: bool,
}

impl QueueHours {
    pub(crate) fn view(&self) -> HoursView {
        HoursView { hours: self.hours.clone(), state: self.state, until_ms: self.until_ms }
    }

    /// Whether it is as shown.
    pub(crate) fn is_like(&self, view: &HoursView) -> bool {
        let HoursView { hours, state, until_ms } = view;
        self.hours == *hours && self.state == *state && self.until_ms == *until_ms
    }
}

impl Queue {
    fn hours_state(&self) -> HoursState {
        self.hours.as_ref().map_or(HoursState::Open, |hours| hours.state)
    }

    /// Whether it has no hours, or they last.
    pub(crate) fn is_in_hours(&self) -> bool {
        self.hours_state() == HoursState::Open
    }

    /// When it opens, if it is closed.
    pub(crate) fn closed_until(&self) -> Option<Option<u64>> {
        let hours = self.hours.as_ref().filter(|hours| hours.state == HoursState::Closed)?;
        Some(hours.until_ms)
    }

    fn is_served_out(&self) -> bool {
        self.hours_state() == HoursState::Closing
            && self.waiting_for_offer() == 0
            && self.index.0.offers.is_empty()
    }
}

impl Domain {
    /// Whether a queue makes offers: it is not paused and not closed.
    pub(crate) fn serves(&self, queue: &Queue) -> bool {
        let closed = queue.closed_until().is_some() && !self.planted(PlantedBug::OffersWhileClosed);
        !queue.paused && !closed
    }

    /// When the first queue opens or its hours end, in Unix milliseconds.
    pub(crate) fn next_change_ms(&self) -> Option<u64> {
        if self.quarantined.is_some() { None } else { self.index.0.changes.first().map(|(at, _)| *at) }
    }

    /// What follows from the hours as they are stored.
    pub(super) fn index_hours(&mut self) {
        let index = &mut self.index.0;
        for queue in self.queues.iter() {
            let Some(hours) = queue.hours.as_deref() else { continue };
            if hours.due {
                index.deadlines.add(LogTime(0), Due::Hours(queue.no));
            } else if let Some(until) = hours.until_ms {
                index.changes.insert((until, queue.no));
            }
        }
    }

    /// An entry of the domain brings wall time: where it is far behind what was decided by, all is looked at again.
    pub(crate) fn note_clock(&mut self, wall_ms: u64) {
        if wall_ms.saturating_add(BEHIND_MS) <= self.looked_ms {
            self.looked_ms = wall_ms;
            self.look_again(|_| true);
        }
    }

    /// What changes by this wall time becomes due.
    pub(crate) fn note_wall(&mut self, wall_ms: u64) {
        while let Some((at, no)) = self.index.0.changes.first().copied()
            && at <= wall_ms
        {
            self.make_look_due(no);
        }
    }

    /// Looks at the hours of these queues are due.
    pub(crate) fn look_again(&mut self, which: impl Fn(&Hours) -> bool) {
        let with_hours =
            self.queues.iter().filter(|queue| queue.hours.as_ref().is_some_and(|it| which(&it.hours)));
        let queues: Vec<QueueNo> = with_hours.map(|queue| queue.no).collect();
        for no in queues {
            self.make_look_due(no);
        }
    }

    fn make_look_due(&mut self, no: QueueNo) {
        let Some(hours) = self.queue_mut(no).hours.as_mut() else { return };
        hours.due = true;
        let until = hours.until_ms;
        self.index.0.deadlines.add(LogTime(0), Due::Hours(no));
        if let Some(until) = until {
            self.index.0.changes.remove(&(until, no));
        }
    }

    /// A line, or what rings, changed: a queue that is being served out may be done, or not yet.
    pub(crate) fn follow_hours(&mut self, no: QueueNo) {
        let Some(queue) = self.queues.get(no.0) else { return };
        let Some(hours) = queue.hours.as_deref() else { return };
        let served_out = queue.is_served_out();
        if self.index.0.level < level::SERVED_OUT {
            if served_out {
                self.make_look_due(no);
            }
        } else if served_out {
            // Not stored: it follows from what is, and who only changes places undoes it.
            self.index.0.deadlines.add(LogTime(0), Due::Hours(no));
        } else if !hours.due {
            self.index.0.deadlines.remove(LogTime(0), Due::Hours(no));
        }
    }

    /// A queue keeps to a schedule, or to none, from now on.
    pub(crate) fn keep_hours(&mut self, cx: &mut Cx<'_>, no: QueueNo, hours: Option<Hours>) {
        let served = self.serves(self.queue(no));
        let state = self.queue(no).hours_state();
        self.forget_hours(no);
        if let Some(hours) = hours {
            let hours = QueueHours { hours, state, until_ms: None, due: false };
            self.queue_mut(no).hours = Some(Box::new(hours));
            self.look_at_hours(cx, no, true);
            return;
        }
        let queue = no.id(self.id);
        self.looked_ms = cx.wall_ms;
        self.emit(cx, EventKind::QueueHours { queue, state: HoursState::Open, until_ms: None });
        if !served {
            self.offer_what_waits(cx, no);
        }
    }

    /// A queue keeps to no schedule, and nothing of its hours is due.
    pub(crate) fn forget_hours(&mut self, no: QueueNo) {
        let Some(hours) = self.queue_mut(no).hours.take() else { return };
        self.index.0.deadlines.remove(LogTime(0), Due::Hours(no));
        if let Some(until) = hours.until_ms {
            self.index.0.changes.remove(&(until, no));
        }
    }

    /// Looks whether a queue is open now. Tells it if that changed, or is to be told.
    pub(crate) fn look_at_hours(&mut self, cx: &mut Cx<'_>, no: QueueNo, tell: bool) {
        let queue = self.queue(no);
        let (id, served) = (no.id(self.id), self.serves(queue));
        let waits = queue.waiting_for_offer() > 0 || !queue.index.0.offers.is_empty();
        let Some(hours) = queue.hours.as_deref() else { return };
        let said = self.schedules.get(&hours.hours.schedule).map(|schedule| schedule.at(cx.wall_ms));
        // Nobody deletes a schedule that is kept to.
        let Said { open, until_ms } = said.unwrap_or(Said { open: true, until_ms: None });
        let serves_out = hours.hours.closing == Closing::ServeOut && hours.state != HoursState::Closed;
        let state = match open {
            true => HoursState::Open,
            false if serves_out && waits => HoursState::Closing,
            false => HoursState::Closed,
        };
        let told = !tell && (hours.state, hours.until_ms) == (state, until_ms);
        self.forget_change(no);
        if let Some(hours) = self.queue_mut(no).hours.as_mut() {
            (hours.state, hours.until_ms, hours.due) = (state, until_ms, false);
        }
        if let Some(until) = until_ms {
            self.index.0.changes.insert((until, no));
        }
        if !told {
            self.looked_ms = cx.wall_ms;
            self.emit(cx, EventKind::QueueHours { queue: id, state, until_ms });
        }
        if !served {
            self.offer_what_waits(cx, no);
        }
    }

    fn forget_change(&mut self, no: QueueNo) {
        let until = self.queue(no).hours.as_ref().and_then(|hours| hours.until_ms);
        if let Some(until) = until {
            self.index.0.changes.remove(&(until, no));
        }
    }

    /// A queue may make offers again: its lines are looked at.
    fn offer_what_waits(&mut self, cx: &Cx<'_>, no: QueueNo) {
        if !self.serves(self.queue(no)) || cx.planted(PlantedBug::OpensLate) {
            return;
        }
        for channel in Channel::ALL {
            if self.queue(no).index.0.channels & (1 << channel as u8) != 0 {
                self.dirty.line(no, channel as u8);
            }
        }
    }
}
