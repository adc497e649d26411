//! A queue's policy in its versions, and how its service went. Stored beside the queue's older form.

use crate::expected::limits::BUSY_WAIT;
use crate::policy::limits::MINUTES_MAX;
use crate::policy::{Minute, Policy, PolicyView, Service, minute_of};
use crate::{LogTime, Span};
use serde::{Deserialize, Serialize};

/// What a queue has of policies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policies {
    /// By ascending number; the last one counts for who begins to wait, the others are kept while
    /// conversations stand under them.
    kept: Vec<(u32, Policy)>,
    /// Minutes in which something was counted, the oldest first.
    minutes: Vec<Minute>,
}

impl Policies {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The number of changes.
    pub(crate) fn number(&self) -> u32 {
        self.kept.last().map_or(0, |(number, _)| *number)
    }

    /// What counts for who begins to wait; none: there never was anything.
    pub(crate) fn present(&self) -> Option<&Policy> {
        self.kept.last().map(|(_, policy)| policy)
    }

    /// A version, while it is kept.
    pub(crate) fn version(&self, number: u32) -> Option<&Policy> {
        let position = self.kept.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&self.kept[position].1)
    }

    /// The versions before the present one.
    pub(crate) fn older(&self) -> impl Iterator<Item = u32> {
        let older = self.kept.len().saturating_sub(1);
        self.kept[..older].iter().map(|(number, _)| *number)
    }

    /// Puts another policy in force.
    pub(crate) fn push(&mut self, policy: Policy) {
        self.kept.push((self.number() + 1, policy));
    }

    /// Forgets a version, unless it is the present one.
    pub(crate) fn forget(&mut self, number: u32) {
        if number != self.number() {
            self.kept.retain(|(kept, _)| *kept != number);
        }
    }

    /// Percent answered in time in the last minutes; `None` where nothing was measured.
    pub(crate) fn service_percent(&self, minutes: u64, now: LogTime) -> Option<u64> {
        Service::sum(&self.minutes, minutes, now).percent()
    }

    /// How many were answered, left or overflowed in the busy minutes of the last so many, and how long these
    /// minutes were in all. The running one, which is not over, counts for nothing.
    pub(crate) fn busy_exits(&self, minutes: u64, now: LogTime) -> (u64, Span) {
        let running = minute_of(now);
        let (mut exits, mut busy) = (0, 0);
        for Minute { minute, service } in &self.minutes {
            let counts = *minute < running && minute + minutes >= running;
            let busy_from = BUSY_WAIT.0.saturating_mul(service.answered);
            if counts && service.answered > 0 && service.waited.0 >= busy_from {
                exits += service.answered + service.abandoned + service.overflowed;
                busy += 1;
            }
        }
        (exits, Span::seconds(busy * 60))
    }

    /// Counts something now.
    pub(crate) fn count(&mut self, now: LogTime, count: impl FnOnce(&mut Service)) {
        let running = minute_of(now);
        self.minutes.retain(|minute| minute.minute + MINUTES_MAX > running);
        if self.minutes.last().is_none_or(|last| last.minute != running) {
            self.minutes.push(Minute { minute: running, service: Service::default() });
        }
        if let Some(last) = self.minutes.last_mut() {
            count(&mut last.service);
        }
    }

    pub(crate) fn view(&self) -> PolicyView {
        PolicyView {
            number: self.number(),
            policy: self.present().cloned().unwrap_or_default(),
            older: self.older().collect(),
            minutes: self.minutes.clone(),
        }
    }

    /// Whether it is as shown.
    pub(crate) fn is_like(&self, view: &PolicyView) -> bool {
        let PolicyView { number, policy, older, minutes } = view;
        self.number() == *number
            && self.present().map_or(policy.is_empty(), |present| present == policy)
            && self.older().eq(older.iter().copied())
            && self.minutes == *minutes
    }
}
